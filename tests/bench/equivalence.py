"""Proofs by SAT that what is exported is what was trained, at the size of MNIST.

Usage: python -m tests.bench.equivalence --data DIR [--quick] [--level 2]

Trains 784-2000-2000 gates of two inputs for 600 steps, as tests.bench.hardware does; --quick 64-200-200 on the
digits of scikit-learn.  ABC then proves, for all inputs, that the circuit is the same before and after it was
simplified, as BLIF and as AIGER, binary and as text, which it does not read and the package does; and Yosys reads
the Verilog of the whole chip, columns in and class out, which ABC compares with the gates that the package
evaluates.  A tool that is not installed is said to be.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bvar.circuit import chip_to_verilog, from_aiger, to_aiger, to_blif
from tests.bench.hardware import ABC, image_data, image_model
from tests.bench.timing import describe

YOSYS = shutil.which("yosys")
SECONDS = 1500


def files(folder, raw, small, chip):
    """Write every form; return pairs of files that must be the same, by what the pair shows."""
    texts = {
        "raw.blif": to_blif(raw).encode(),
        "small.blif": to_blif(small).encode(),
        "back.blif": to_blif(from_aiger(to_aiger(small))).encode(),
        "small.aig": to_aiger(small, binary=True),
        "chip.blif": to_blif(chip.netlist).encode(),
        "chip.v": chip_to_verilog(chip).encode(),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    pairs = {
        "simplified or not": ("raw.blif", "small.blif"),
        "BLIF and AIGER as text, read back": ("small.blif", "back.blif"),
        "BLIF and binary AIGER": ("small.blif", "small.aig"),
    }
    if YOSYS:
        pairs["the chip's gates and its Verilog"] = ("chip.blif", synthesised(folder, "chip.v"))
    return pairs


def synthesised(folder, verilog):
    """Let Yosys read a module; return the name of a BLIF file of what it understood."""
    script = (
        f"read_verilog {verilog}; proc; flatten; opt; techmap; opt; abc -g AND; opt_clean; write_blif read.blif"
    )
    called([YOSYS, "-q", "-p", script], folder)
    return "read.blif"


def equivalent(folder, first, second):
    """Ask ABC for a proof; None if it gave up."""
    said = called([ABC, "-c", f"cec -n -T {SECONDS} {first} {second}"], folder)
    if "are equivalent" in said:
        return True
    return False if "NOT EQUIVALENT" in said.upper() else None


def called(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def prove(raw, small, chip):
    """Prove all pairs; return what was found by what each shows, with the seconds that it took."""
    if ABC is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), {}
        for what, pair in files(folder, raw, small, chip).items():
            start = time.perf_counter()
            found[what] = equivalent(folder, *pair), time.perf_counter() - start
    return found


def show(model, width, level):
    raw = model.circuit(simplify=False)
    chip = model.chip(level=level, width=width)
    print(f"{raw.n_gates} gates trained, {chip.circuit.n_gates} at level {level}; {chip!r}", flush=True)
    found = prove(raw, chip.circuit, chip)
    for what, (same, seconds) in found.items():
        verdict = {True: "proved equal", False: "DIFFERENT", None: "no answer in time"}[same]
        print(f"{what}: {verdict}, {seconds:.1f} s", flush=True)
    for tool, what in (
        (ABC, "ABC is not installed: nothing is proved"),
        (YOSYS, "Yosys is not installed: no Verilog"),
    ):
        if tool is None:
            print(what)
    return found


def main(given=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--level", type=int, default=2)
    arguments = parser.parse_args(given)
    if not (arguments.data or arguments.quick):
        parser.error("give --data DIR, a folder with mnist.npz, or --quick")
    print(describe())
    (X, _, y, _), shape, _, width = image_data(arguments)
    show(image_model(X, y, shape), width, arguments.level)


if __name__ == "__main__":
    main()
