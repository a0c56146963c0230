"""Gate networks as hardware: look-up tables, two-input gates beside ABC, and a simulation from raw pixels.

Usage: python -m tests.bench.hardware --data DIR [--quick] [--simulate N]
       python -m tests.bench.hardware --jets FILE [--nid FILE] [--layers 600 300] [--fan-in 6]

The first trains 784-2000-2000 gates of two inputs on MNIST for 600 steps, which is about sizes and not accuracy,
and prints what is left of it; --quick does the same with scikit-learn's digits.  The second trains on the tables
of the FPGA field, from local files.  What needs a tool that is not installed is left out, and said to be.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import ImageEncoder, LogicGateClassifier, ThermometerEncoder, kernels
from bvar.circuit import Circuit, c_size, check_c, make_chip, to_blif, write_testbench, yosys_luts
from bvar.networks import gate_network
from tests.bench.fpga_data import load_jets, load_nid, to_integers
from tests.bench.mnist import load
from tests.bench.timing import describe

ABC = next((tool for tool in ("berkeley-abc", "yosys-abc", "abc") if shutil.which(tool)), None)
SCRIPTS = ("strash; map -a", "strash; dch; map -a", "strash; ifraig; dc2; dc2; dch -f; map -a",
           "strash; dc2; balance; rewrite; refactor; balance; rewrite -z; dch; map -a")  # fmt: skip
C_TARGETS = (("", ("-Os",)), ("arm-none-eabi-", ("-Os", "-mcpu=cortex-m4", "-mthumb")))
FUNCTIONS = {"inv": "!a", "buf": "a", "and": "a*b", "nand": "!(a*b)", "or": "a+b", "nor": "!(a+b)", "andn": "a*!b",
             "orn": "a+!b", "xor": "a*!b+!a*b", "xnor": "a*b+!a*!b"}  # fmt: skip


def two_input_gates(circuit):
    """Gates of two inputs; inverters are counted apart, by us as by ABC."""
    return sum(len(gate.inputs) == 2 for gate in circuit.gates)


def abc_gates(circuit):
    """The same after each of some scripts of ABC: the fewest."""
    with tempfile.TemporaryDirectory() as folder:
        library = "".join(
            f"GATE {n} {int(n != 'buf')} O={f}; PIN * UNKNOWN 1 999 1 0 1 0\n" for n, f in FUNCTIONS.items()
        )
        Path(folder, "two.genlib").write_text("GATE zero 0 O=CONST0;\nGATE one 0 O=CONST1;\n" + library)
        Path(folder, "a.blif").write_text(to_blif(circuit))
        found = []
        for script in SCRIPTS:
            command = f"read_genlib two.genlib; read_blif a.blif; {script}; print_gates"
            said = subprocess.run(
                [ABC, "-c", command], cwd=folder, capture_output=True, text=True, check=True
            ).stdout
            counts = {name: int(n) for name, n in re.findall(r"^(\w+) .*Instance = +(\d+)", said, re.M)}
            found.append(
                sum(n for name, n in counts.items() if name not in ("inv", "buf", "zero", "one", "TOTAL"))
            )
    return min(found)


def sizes(raw):
    simple, small = raw.simplify(), raw.simplify(level=2)
    print(f"two-input gates: {two_input_gates(raw)} trained, {two_input_gates(simple)} at level 1, "
          f"{two_input_gates(small)} at level 2", flush=True)  # fmt: skip
    if ABC:
        best = abc_gates(simple)
        beyond = two_input_gates(small) / best - 1
        print(f"ABC, the best of {len(SCRIPTS)} scripts: {best}; left beyond it: {100 * beyond:.1f} %", flush=True)
    else:
        print("ABC is not installed: no comparison with it")
    for title, lut_inputs in (("as they are", None), ("fused into tables", 6)):
        start = time.thread_time()
        chip = make_chip(small, answer="scores", lut_inputs=lut_inputs)
        ours, taken = chip.n_luts, time.thread_time() - start
        yosys = yosys_luts(chip)
        print(f"LUT6 with counters, gates {title}: {ours} by our mapper in {taken:.0f} s of CPU, "
              f"{'Yosys is not installed' if yosys is None else f'{yosys} by Yosys'}", flush=True)  # fmt: skip
    if shutil.which("cc"):
        print(f"C: compiled, loaded, equal on {check_c(small)} samples")
    for prefix, options in C_TARGETS:
        if shutil.which(f"{prefix}gcc"):
            size = c_size(small, prefix=prefix, options=options)
            print(f"C by {prefix}gcc {' '.join(options)}: {size}")
        else:
            print(f"{prefix}gcc is not installed: no sizes by it")


def simulated(chip, X, answers):
    """Run the testbench in the first simulator that is there; return its last line."""
    if shutil.which("verilator"):
        # the last option: Verilator 5.006 loses negations in parities, see docs/reference/hardware.md
        options = ["--binary", "--timing", "-Wno-fatal", "--top-module", "chip_tb", "-fno-const-bit-op-tree"]
        commands = [["verilator", *options, "chip_tb.v", "chip.v"], ["./obj_dir/Vchip_tb"]]
    elif shutil.which("iverilog"):
        commands = [["iverilog", "-g2001", "-o", "a.vvp", "chip_tb.v", "chip.v"], ["vvp", "-n", "a.vvp"]]
    else:
        return "no simulator is installed"
    with tempfile.TemporaryDirectory() as folder:
        write_testbench(folder, chip, X, answers)
        for command in commands:
            said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return next(line for line in said.splitlines() if line.startswith(("PASS", "FAIL")))


def show_chip(model, X, y, width, n_simulated):
    circuit = model.circuit(simplify=False).simplify(level=2)
    chip = make_chip(circuit, model.encoder_, width=width, pipeline=4, lut_inputs=6)
    print(chip.summary().splitlines()[0], flush=True)
    predicted = np.searchsorted(model.classes_, model.predict(X))
    print(f"accuracy {(model.classes_[predicted] == y).mean():.4f} on {len(y)} rows; "
          f"the netlist differs on {(chip.evaluate(X) != predicted).sum()}", flush=True)  # fmt: skip
    n = min(n_simulated, len(X))
    if n:
        print(f"simulated, raw columns in, class out: {simulated(chip, X[:n], predicted[:n])}", flush=True)


def image_data(arguments):
    """Return images and classes, sizes of layers, a level that makes bits of pixels, and the bits of a pixel."""
    if arguments.quick:
        X, y = load_digits(return_X_y=True)
        return train_test_split(X.astype(np.uint8), y, random_state=0), [64, 200, 200], 8, 5
    return load(Path(arguments.data) / "mnist.npz"), [784, 2000, 2000], 128, 8


def image_model(X, y, shape):
    """Train a classifier of gates, one bit a pixel, for one epoch of MNIST or five of digits."""
    n_epochs = 1 if len(X) > 10_000 else 5
    model = LogicGateClassifier(
        shape[1:], encoder=ImageEncoder(1), max_iter=n_epochs, batch_size=100, random_state=0
    )
    return model.fit(X, y)


def images(arguments):
    (X_train, X_test, y_train, y_test), shape, level, width = image_data(arguments)
    network = gate_network(shape, 10, n_steps=600, random_state=0)
    x = kernels.pack(X_train >= level)
    order = np.random.RandomState(0).permutation(len(x))
    for i in range(600):
        some = order[np.arange(i * 100, (i + 1) * 100) % len(order)]
        network.step(x[some], y_train[some])
    accuracy = (network.scores(kernels.pack(X_test >= level)).argmax(axis=1) == y_test).mean()
    print(f"{'-'.join(map(str, shape))} gates of two inputs, 600 steps: accuracy {accuracy:.4f}", flush=True)
    sizes(Circuit.from_network(network))
    model = image_model(X_train, y_train, shape)
    show_chip(model, X_test, y_test, width, arguments.simulate)


def table(title, X, y, arguments, width):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    if width > 1:
        X_train, X_test = to_integers(X_train, X_test, width)
    encoder = ThermometerEncoder(arguments.bits if width > 1 else 1)
    model = LogicGateClassifier(arguments.layers, fan_in=arguments.fan_in, encoder=encoder,
                                max_iter=arguments.epochs, random_state=0).fit(X_train, y_train)  # fmt: skip
    print(f"{title}: {len(X)} rows, layers {arguments.layers}, fan-in {arguments.fan_in}")
    show_chip(model, X_test, y_test, width, arguments.simulate)


def main(given=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--simulate", type=int, default=10_000, metavar="N", help="rows that are simulated, 0 for none"
    )
    parser.add_argument("--jets")
    parser.add_argument("--nid")
    parser.add_argument("--layers", type=int, nargs="+", default=[600, 300])
    parser.add_argument("--fan-in", type=int, default=6)
    parser.add_argument("--bits", type=int, default=15, help="questions to each column of the jets")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args(given)
    print(describe())
    if arguments.jets:
        table("jets", *load_jets(arguments.jets), arguments, width=8)
    if arguments.nid:
        table("network intrusion", *load_nid(arguments.nid), arguments, width=1)
    if arguments.data or arguments.quick:
        images(arguments)


if __name__ == "__main__":
    main()
