"""Formulas, expressions, pictures and summaries: what people read must be what the circuit does."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_circuit import circuits, every_row, gate_of, random_circuit, reference_outputs

from bvar.circuit import Circuit, draw, expression, make_chip
from bvar.circuit.formula import PYTHON, WORDS, Spelling, formula, write


def evaluated(text, names, row):
    return bool(eval(text, {}, dict(zip(names, map(bool, row), strict=True))))


@pytest.mark.parametrize("k", range(4))
def test_every_function_of_up_to_three_inputs_as_text(k):
    rows, names = every_row(max(k, 1)), ["a", "b", "c"][: max(k, 1)]
    for table in range(2**2**k):
        text = expression(Circuit(max(k, 1), [(table, range(k))], [max(k, 1)]), names=names)
        assert [evaluated(text, names, row) for row in rows] == [
            bool(table >> (a % 2**k) & 1) for a in range(len(rows))
        ]


@given(st.integers(4, 6), st.data())
def test_functions_of_more_inputs_as_words_of_bits(k, data):
    """In the other spelling a formula is evaluated for all addresses at once, because Python has & | ^ ~ too."""
    table = data.draw(st.integers(0, 2**2**k - 1))
    columns = {f"x{i}": sum(1 << a for a in range(2**k) if a >> i & 1) for i in range(k)}
    spelling = Spelling(WORDS, "~", ("0", "-1"))
    _, text = write(formula(table, k), [("atom", name) for name in columns], spelling)
    assert eval(text, {}, columns) & (2**2**k - 1) == table


@given(circuits(max_inputs=5, max_gates=8, fan_ins=[0, 1, 2, 2, 3, 4]), st.data())
def test_an_expression_is_its_circuit(circuit, data):
    output = data.draw(st.integers(0, circuit.n_outputs - 1))
    text = expression(circuit, output, max_length=200_000)
    names = [f"x{i}" for i in range(circuit.n_inputs)]
    for row in every_row(circuit.n_inputs):
        assert evaluated(text, names, row) == reference_outputs(circuit, row)[output]


def test_formulas_of_two_inputs_are_as_people_write_them():
    names = ["a", "b"]
    assert {expression(gate_of(t, 2), names=names) for t in range(16)} == {
        "False", "True", "a", "b", "not a", "not b", "a and b", "a and not b", "not a and b", "a or b",
        "a or not b", "not a or b", "not (a and b)", "not (a or b)", "a ^ b", "not (a ^ b)",
    }  # fmt: skip
    assert expression(gate_of(1 << 63, 6)) == "x0 and x1 and x2 and x3 and x4 and x5"
    assert expression(gate_of(0b11101000, 3)) == "(x0 and (x1 or x2)) or (x1 and x2)"


@pytest.mark.parametrize("table", range(16))
def test_operands_that_are_negations_are_put_in_parentheses(table):
    circuit = Circuit(2, [(0b01, (0,)), (0b01, (1,)), (table, (2, 3)), (0b01, (4,))], [5])
    text = expression(circuit, names=["a", "b"])
    for row in every_row(2):
        assert evaluated(text, "ab", row) == reference_outputs(circuit, row)[0], text


def test_names_that_are_questions_are_kept_apart():
    circuit = Circuit(2, [(0b0010, (0, 1))], [2])
    text = circuit.expression(names=["age >= 40", "pay < 3"])
    assert text == "(age >= 40) and not (pay < 3)"
    assert eval(text, {}, {"age": 41, "pay": 5}) is True


def test_expressions_that_cannot_be_written_are_refused():
    circuit = Circuit(1, [(0b0110, (g, max(g - 1, 0))) for g in range(30)], [30])  # Fibonacci's numbers of names
    with pytest.raises(ValueError, match=r"output 0 takes 30 gates and more than max_length=10000 characters"):
        circuit.expression()
    assert circuit.simplify().expression() in ("x0", "False")
    for output, error in ((1, ValueError), (-1, ValueError), (0.0, TypeError)):
        with pytest.raises(error, match="output must be an integer"):
            circuit.expression(output)
    with pytest.raises(ValueError, match=r"names must have one entry per input \(1\), got 2"):
        circuit.expression(names=["a", "b"])
    assert PYTHON.constants == ("False", "True")


def test_a_summary_has_a_line_for_each_function():
    circuit = random_circuit(np.random.default_rng(0))
    first, counted, *lines = circuit.summary().split("\n")
    assert first == f"9 inputs, 60 gates, 12 outputs in 3 groups, depth {circuit.depth}"
    assert [line.split()[0] for line in lines] == [name.split()[0] for name in circuit.histogram()]
    assert sum(int(line.split()[-1]) for line in lines) == 60
    exported = make_chip(circuit, answer="scores")
    assert counted == (f"with counters, as to_verilog writes it: {exported.n_gates} gates, depth {exported.depth}")
    assert repr(circuit) == "Circuit(9 inputs, 60 gates, 12 outputs in 3 groups)"


# ---------------------------------------------------------------------------------------------- pictures


@pytest.fixture(autouse=True)
def matplotlib():
    return pytest.importorskip("matplotlib")


def labels(ax):
    return [text.get_text() for text in ax.texts]


def bubbles(ax):
    return [patch for patch in ax.patches if type(patch).__name__ == "Circle"]


@pytest.mark.parametrize(
    ("table", "label", "n_bubbles"),
    [
        (0b1000, "and", 0), (0b0111, "and", 1), (0b0010, "and", 1), (0b0100, "and", 1), (0b1110, "or", 0),
        (0b0001, "or", 1), (0b1011, "or", 1), (0b1101, "or", 1), (0b0110, "xor", 0), (0b1001, "xor", 1),
        (0b1010, "a", 0), (0b0011, "not b", 0), (0b0000, "False", 0), (0b1111, "True", 0),
    ],
)  # fmt: skip
def test_a_gate_is_drawn_as_what_it_is(table, label, n_bubbles):
    ax = draw(gate_of(table, 2))
    assert labels(ax) == ["x0", "x1", label, "score 0"]
    assert len(bubbles(ax)) == n_bubbles


def test_a_bubble_is_at_the_input_that_is_negated():
    first, second = (bubbles(draw(gate_of(table, 2)))[0].center for table in (0b0100, 0b0010))
    assert first[1] > second[1]  # the first input is at the top
    assert first[0] == second[0]
    behind = bubbles(draw(gate_of(0b0111, 2)))[0].center
    assert behind[0] > first[0]


@settings(max_examples=20)
@given(circuits(max_inputs=5, max_gates=10))
def test_no_two_boxes_overlap_and_all_are_inside(circuit):
    ax = draw(circuit)
    boxes = [p for p in ax.patches if type(p).__name__ == "FancyBboxPatch"]
    read = {i for gate in circuit.gates for i in gate.inputs} | set(circuit.outputs)
    assert len(boxes) == len([i for i in read if i < circuit.n_inputs]) + circuit.n_gates + circuit.n_outputs
    places = sorted((b.get_x(), b.get_y(), b.get_width(), b.get_height()) for b in boxes)
    for (x, y, _, height), (other_x, other_y, _, _) in pairwise(places):
        assert x != other_x or other_y - y > height
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x and x + w < right and bottom < y and y + h < top for x, y, w, h in places)


def test_a_picture_has_the_names_and_can_be_saved(tmp_path):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    circuit = Circuit(3, [(0b0110, (0, 1)), (0b1000, (0, 1))], [3, 4, 3, 4], 2)
    assert circuit.draw(ax, names=["left", "right", "nobody"]) is ax
    assert labels(ax) == ["left", "right", "xor", "and"] + [f"score {g}\nvote {v}" for g in (0, 1) for v in (0, 1)]
    ax.figure.savefig(tmp_path / "a.png")


def test_what_is_too_large_to_be_read_is_not_drawn():
    large = Circuit(100, [(8, (g, g + 1)) for g in range(50)], [100])
    with pytest.raises(ValueError, match="at most 120 gates and inputs"):
        draw(Circuit(100, [(8, (g, g + 1)) for g in range(99)], [100]))
    with pytest.raises(ValueError, match="and 300 outputs: simplify it first"):
        draw(Circuit(1, [], [0] * 300))
    with pytest.raises(ValueError, match="names must have one entry"):
        draw(large, names=["a"])
    assert len(labels(draw(large))) == 51 + 50 + 1
