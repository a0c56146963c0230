"""The Verilog module, simulated, against `Circuit.evaluate`."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_digits
from test_circuit import every_row, random_circuit, random_rows

from bvar import LogicGateClassifier, ThermometerEncoder, kernels
from bvar.circuit import Circuit, to_verilog

needs_iverilog = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Verilog simulator: iverilog")

BENCH = """
module bench_{name};
  reg [{last}:0] rows [0:{last_row}];
  reg [{last}:0] x;
{wires}
  {name} subject (.x(x){ports});
  integer i;
  initial begin
    $readmemb("{name}.txt", rows);
    for (i = 0; i <= {last_row}; i = i + 1) begin
      x = rows[i];
      #1 $display("{name}{formats}"{arguments});
    end
  end
endmodule
"""


def bench(name, circuit, n_rows):
    """A module that prints the counts for all rows."""
    groups, width = range(circuit.n_groups), circuit.group_size.bit_length()
    return BENCH.format(
        name=name,
        last=circuit.n_inputs - 1,
        last_row=n_rows - 1,
        wires="\n".join(f"  wire [{width - 1}:0] s{g};" for g in groups),
        ports="".join(f", .score_{g}(s{g})" for g in groups),
        formats=" %0d" * circuit.n_groups,
        arguments="".join(f", s{g}" for g in groups),
    )


def simulate(folder, made):
    """Scores of each circuit for its rows; `made` is a dict of name to (circuit, rows)."""
    text = ""
    for name, (circuit, rows) in made.items():
        lines = ["".join("01"[bit] for bit in row[::-1]) for row in rows.tolist()]  # bit 0 is written last
        (folder / f"{name}.txt").write_text("\n".join(lines))
        text += to_verilog(circuit, name) + bench(name, circuit, len(rows))
    (folder / "all.v").write_text(text, encoding="ascii")
    tops = [part for name in made for part in ("-s", f"bench_{name}")]
    command = ["iverilog", "-g2001", "-Wall", *tops, "-o", "all.vvp", "all.v"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    assert "error" not in done.stderr
    run = subprocess.run(["vvp", "-n", "all.vvp"], cwd=folder, capture_output=True, text=True, check=True)
    found = {name: [] for name in made}
    for line in run.stdout.splitlines():
        name, *counts = line.split()
        found[name].append([int(count) for count in counts])  # an undefined bit prints x, and fails here
    return {name: 2 * np.array(found[name]) - circuit.group_size for name, (circuit, _) in made.items()}


@needs_iverilog
def test_modules_agree_with_their_circuits(tmp_path):
    rng, made = np.random.default_rng(0), {}
    for i in range(20):
        groups = int(rng.integers(1, 5))
        circuit = random_circuit(rng, int(rng.integers(1, 20)), int(rng.integers(0, 80)), groups * (i + 1), groups)
        made[f"c{i}"] = (circuit, random_rows(i, 200, circuit.n_inputs))
    gates = [(table, range(3)) for table in range(256)]
    made["every"] = (Circuit(3, gates, range(3, 259), 256), every_row(3))
    made["constants"] = (Circuit(1, [(1, ()), (0, ())], [1, 2, 1, 1]), every_row(1))
    made["inputs"] = (Circuit(2, [], [1, 0], 2), every_row(2))
    made["many"] = (random_circuit(rng, 12, 300, 600, 2, fan_ins=[2]).simplify(), random_rows(0, 1000, 12))
    for name, scores in simulate(tmp_path, made).items():
        circuit, rows = made[name]
        np.testing.assert_array_equal(scores, circuit.evaluate(kernels.pack(rows)), name)


@needs_iverilog
def test_a_trained_classifier_predicts_the_same_in_hardware(tmp_path):
    """Ten thousand random images: the module sees their bits, the classifier their pixels."""
    X, y = load_digits(return_X_y=True)
    model = LogicGateClassifier((500, 500), encoder=ThermometerEncoder(3), max_iter=10, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9  # no circuit of a network that has learnt nothing
    images = np.random.RandomState(0).randint(17, size=(10_000, 64))
    bits = kernels.unpack(model.encoder_.encode(images))
    scores = simulate(tmp_path, {"digits": (model.circuit(), bits)})["digits"]
    predicted = model.predict(images)
    np.testing.assert_array_equal(model.classes_[scores.argmax(axis=1)], predicted)
    np.testing.assert_array_equal(scores, model.decision_function(images))
    assert len(np.unique(predicted)) == 10


def sizes():
    """Circuits whose groups have 1 to 20 outputs, and some more: most are no power of two."""
    rng = np.random.default_rng(1)
    return {f"c{n}": random_circuit(rng, 6, 20, 2 * n, 2) for n in (*range(1, 21), 31, 33, 100)}


@pytest.mark.skipif(shutil.which("verilator") is None, reason="no checker of Verilog: verilator")
def test_the_checks_of_verilator_pass(tmp_path):
    """All but those of style: a name of a file, and inputs that nobody reads."""
    for name, circuit in sizes().items():
        (tmp_path / f"{name}.v").write_text(to_verilog(circuit, name), encoding="ascii")
        command = ["verilator", "--lint-only", "-Wall", "-Wno-UNUSED", "-Wno-DECLFILENAME", f"{name}.v"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), name


def test_every_score_is_as_wide_as_it_can_be_and_no_wider():
    """The rule behind those checks, read from the text: nothing is extended or truncated silently."""
    for name, circuit in sizes().items():
        text, width = to_verilog(circuit, name), circuit.group_size.bit_length()
        assert f"parameter SCORE_WIDTH = {width}\n" in text
        answers = re.findall(r"  assign score_\d = (.+);", text)
        assert [len(answer.strip("{}").split(", ")) for answer in answers] == [width] * circuit.n_groups


SYSTEM_WORDS = [
    "checker",
    "logic",
    "bit",
    "byte",
    "program",
    "class",
    "do",
    "final",
    "int",
    "type",
    "with",
    "unique0",
]


def test_names_that_are_no_module_are_refused():
    circuit = Circuit(1, [], [0])
    for name in ("", "1a", "a-b", "a\n", "é"):
        with pytest.raises(ValueError, match="name must be letters"):
            circuit.to_verilog(name)
    for name in ("module", "wire", "xnor", *SYSTEM_WORDS):
        with pytest.raises(ValueError, match="reserved word"):
            circuit.to_verilog(name)
    with pytest.raises(TypeError, match="name must be a str"):
        circuit.to_verilog(None)
    assert "module modules #(" in circuit.to_verilog("modules")
