"""BLIF, AIGER and Graphviz: what is read is what was written, and other tools agree by proof."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from test_circuit import circuits, every_row, random_circuit

from bvar import kernels
from bvar.circuit import Circuit, from_aiger, from_blif, rewrite_cones, simplify, to_aiger, to_blif, to_dot
from bvar.circuit.small_functions import OPERATIONS, smallest_trees

ABC = next((tool for tool in ("berkeley-abc", "yosys-abc", "abc") if shutil.which(tool)), None)
needs_abc = pytest.mark.skipif(ABC is None, reason="not installed: berkeley-abc or yosys-abc")


def same(a, b):
    rows = kernels.pack(every_row(a.n_inputs))
    assert (a.n_inputs, a.n_outputs) == (b.n_inputs, b.n_outputs)
    assert (a.evaluate_bits(rows).words == b.evaluate_bits(rows).words).all()


@given(circuits())
def test_what_is_read_is_what_was_written(circuit):
    same(circuit, from_blif(to_blif(circuit)))
    for binary in (False, True):
        same(circuit, from_aiger(to_aiger(circuit, binary=binary)))


@given(circuits(fan_ins=[0, 1, 2, 2, 2]))
def test_rewriting_keeps_every_output_and_adds_no_gate(circuit):
    same(circuit, rewrite_cones(circuit))
    same(circuit, circuit.simplify(level=2))
    assert circuit.simplify(level=2).n_gates <= circuit.simplify().n_gates


A, B, C = 0, 1, 2
LAWS = {
    "absorption": ([(8, (A, B)), (14, (A, 3))], 0),
    "the other absorption": ([(14, (A, B)), (8, (A, 3))], 0),
    "a constant that takes three gates": ([(8, (A, B)), (2, (B, A)), (8, (3, 4))], 1),
    "distribution": ([(8, (A, B)), (8, (A, C)), (14, (3, 4))], 2),
    "a difference that is no gate": ([(14, (A, B)), (8, (A, B)), (2, (3, 4))], 1),
    "a choice of equals": ([(8, (A, B)), (2, (B, A)), (14, (3, 4))], 0),
}


@pytest.mark.parametrize("name", LAWS)
def test_laws_of_several_gates_are_found(name):
    gates, left = LAWS[name]
    circuit = Circuit(3, gates, [2 + len(gates)])
    assert circuit.simplify().n_gates == len(gates)
    assert circuit.simplify(level=2).n_gates == left
    same(circuit, circuit.simplify(level=2))


def test_trees_are_trees_of_their_functions_and_of_their_size():
    sizes, trees = smallest_trees()
    for function, (table, a, b) in list(trees.items())[::50]:
        left, right, full = a, b, 0xFFFF
        made = {0b1000: left & right, 0b0010: left & ~right, 0b0100: ~left & right, 0b1110: left | right,
                0b0110: left ^ right}[table]  # fmt: skip
        assert made & full == function
        assert sizes[function] == 1 + sizes[a] + sizes[b]
    assert len(OPERATIONS) == 5


def test_levels_that_do_not_exist_are_refused():
    for level in (0, 3):
        with pytest.raises(ValueError, match="level must be an integer"):
            simplify(Circuit(1, [], [0]), level)


def test_blif_of_others_is_read():
    """Rows for 0, rows with -, lines that go on, comments, and tables in any order."""
    text = """
    # a comment
    .model m
    .inputs a b \\
      c
    .outputs y z
    .names t c y  # t comes later
    1- 1
    -1 1
    .names a b t
    11 0
    .names z
    1
    .end
    """
    same(from_blif(text, 2), Circuit(3, [(7, (0, 1)), (14, (2, 3)), (1, ())], [4, 5], 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inputs a\n.outputs y\n.names y y\n1 1", "depends on itself"),
        (".inputs a\n.outputs y", "nothing gives 'y' a value"),
        (".inputs a\n.outputs y\n.names a y\n11 1", "does not fit 1 inputs"),
        (".inputs a\n.outputs y\n.names a y\n1 1\n0 0", "one is enough"),
        (".inputs a\n.outputs y\n.latch a y", "got '.latch'"),
        (".inputs a a\n.outputs a", "an input comes twice"),
        (".model a\n.inputs a\n.outputs a\n.model b\n.inputs b", "of one model, got a second one, '.model b'"),
        ("1 1", "a row of a table without a table"),
    ],
)
def test_blif_that_is_no_circuit_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_blif(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must begin with aag or aig"),
        (b"aag 1 1 1 0 0\n", "latches"),
        (b"aag 1 1 0 1 0\n2\n", "ends too early"),
        (b"aag 2 1 0 1 1\n2\n4\n4 6 2\n", "must come after what it reads"),
        (b"aag 1 1 0 1 0\n2\n8\n", "nothing gives the literal 8"),
        (b"aig 2 1 0 1 1\n4\n\x02", "ends too early"),
        (b"aag 1 1 0 1 0\n3\n2\n", "even literals"),
    ],
)
def test_aiger_that_is_no_circuit_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        from_aiger(data)


@needs_abc
def test_abc_proves_both_formats_and_both_levels_of_simplification_equal(tmp_path):
    for seed in range(3):
        circuit = random_circuit(np.random.default_rng(seed), 12, 150, 21, fan_ins=[1, 2, 2, 3])
        texts = {"a.blif": to_blif(circuit).encode(), "a.aig": to_aiger(circuit, binary=True)}
        texts |= {f"l{level}.blif": to_blif(circuit.simplify(level)).encode() for level in (1, 2)}
        for name, text in texts.items():
            (tmp_path / name).write_bytes(text)
        for other in list(texts)[1:]:
            command = [ABC, "-c", f"cec -n a.blif {other}"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert "are equivalent" in done.stdout, done.stdout + done.stderr


@needs_abc
def test_abc_sees_a_difference(tmp_path):
    (tmp_path / "a.blif").write_text(to_blif(Circuit(2, [(6, (0, 1))], [2])))
    (tmp_path / "b.blif").write_text(to_blif(Circuit(2, [(14, (0, 1))], [2])))
    done = subprocess.run(
        [ABC, "-c", "cec -n a.blif b.blif"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "NOT EQUIVALENT" in done.stdout


@pytest.mark.skipif(shutil.which("dot") is None, reason="not installed: dot, of Graphviz")
def test_graphviz_draws_it():
    circuit = random_circuit(np.random.default_rng(0))
    names = [f'"{i}" \\ >= é' for i in range(circuit.n_inputs)]
    done = subprocess.run(
        ["dot", "-Tsvg"], input=to_dot(circuit, names).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"</svg>" in done.stdout
