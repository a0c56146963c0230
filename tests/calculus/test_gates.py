"""The sixteen gates: one table typed by hand, and everything derived checked against it.

The laws carry the names of docs/explanation/gates.md.
"""

import copy
import pickle
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from bvar.calculus.gates import GATES, Gate
from bvar.calculus.logic import ZERO, F, T, and_, embed, implies, nand, neg, nor, or_, xnor, xor
from bvar.calculus.variation import partial_variation

# Number, name, truth table, variation in a at b = F, T, variation in b at a = F, T.
# Worked out on paper; typed here and nowhere else.
SIXTEEN = """
 0 false        0000  0 0  0 0
 1 and          0001  0 T  0 T
 2 a_and_not_b  0010  T 0  0 F
 3 a            0011  T T  0 0
 4 not_a_and_b  0100  0 F  T 0
 5 b            0101  0 0  T T
 6 xor          0110  T F  T F
 7 or           0111  T 0  T 0
 8 nor          1000  F 0  F 0
 9 xnor         1001  F T  F T
10 not_b        1010  0 0  F F
11 b_implies_a  1011  0 T  F 0
12 not_a        1100  F F  0 0
13 a_implies_b  1101  F 0  0 T
14 nand         1110  0 F  0 F
15 true         1111  0 0  0 0
"""
ROWS = [line.split() for line in SIXTEEN.strip().splitlines()]
VALUE = {"F": -1, "0": 0, "T": 1}
BITS = list(product([0, 1], repeat=2))

# The names, read as Python.
AS_PYTHON = {
    "false": lambda a, b: False,
    "and": lambda a, b: a and b,
    "a_and_not_b": lambda a, b: a and not b,
    "a": lambda a, b: a,
    "not_a_and_b": lambda a, b: (not a) and b,
    "b": lambda a, b: b,
    "xor": lambda a, b: a != b,
    "or": lambda a, b: a or b,
    "nor": lambda a, b: not (a or b),
    "xnor": lambda a, b: a == b,
    "not_b": lambda a, b: not b,
    "b_implies_a": lambda a, b: (not b) or a,
    "not_a": lambda a, b: not a,
    "a_implies_b": lambda a, b: (not a) or b,
    "nand": lambda a, b: not (a and b),
    "true": lambda a, b: True,
}

EVERY_GATE = pytest.mark.parametrize("g", GATES, ids=lambda g: g.name)


def test_table_of_the_sixteen_gates():
    assert len(GATES) == len(ROWS) == 16
    for g, (number, name, bits, a_f, a_t, b_f, b_t) in zip(GATES, ROWS, strict=True):
        assert g.id == int(number)
        assert g.name == name
        assert "".join(str(int(v > 0)) for v in g.table.ravel()) == bits
        assert g.variation_a == (VALUE[a_f], VALUE[a_t])
        assert g.variation_b == (VALUE[b_f], VALUE[b_t])


@EVERY_GATE
def test_the_name_says_what_the_gate_does(g):
    for a, b in BITS:
        want = 1 if AS_PYTHON[g.name](bool(a), bool(b)) else -1
        assert g.table[a, b] == want
        assert g(bool(a), bool(b)) == want


@EVERY_GATE
def test_table_is_read_only_int8(g):
    assert g.table.dtype == np.int8
    assert g.table.shape == (2, 2)
    with pytest.raises(ValueError, match="read-only"):
        g.table[0, 0] = 1


def test_gates_are_the_connectives():
    for name, op in (
        ("and", and_),
        ("or", or_),
        ("xor", xor),
        ("xnor", xnor),
        ("nand", nand),
        ("nor", nor),
        ("a_implies_b", implies),
    ):
        for a, b in product([F, ZERO, T, -2, 0, 3, -2.5, 4.0], repeat=2):
            got, want = Gate.of(name)(a, b), op(a, b)
            assert got == want
            assert got.dtype == want.dtype


@EVERY_GATE
def test_zero_is_absorbing(g):
    for x in [F, ZERO, T, -2, 3.5]:
        assert g(ZERO, x) == g(x, ZERO) == 0


@EVERY_GATE
def test_gate_works_elementwise(g):
    got = g([[F], [T]], [F, T])
    assert got.tolist() == g.table.tolist()
    assert g([[F], [T]], [-3, 0, 3]).tolist() == [
        [3 * int(g.table[w, 0]), 0, 3 * int(g.table[w, 1])] for w in (0, 1)
    ]


@EVERY_GATE
def test_polynomial_is_the_gate(g):
    c0, ca, cb, cab = g.polynomial
    assert all(type(c) is int for c in g.polynomial)
    for a, b in BITS:
        assert c0 + ca * a + cb * b + cab * a * b == (g.table[a, b] + 1) // 2


@EVERY_GATE
def test_spectrum_is_the_gate(g):
    s0, sa, sb, sab = g.spectrum
    assert all(type(s) is Fraction for s in g.spectrum)
    for a, b in BITS:
        ea, eb = 2 * a - 1, 2 * b - 1
        assert s0 + sa * ea + sb * eb + sab * ea * eb == g.table[a, b]


@EVERY_GATE
def test_parseval(g):
    assert sum(s * s for s in g.spectrum) == 1


@EVERY_GATE
def test_xor_form_is_the_gate(g):
    alpha, beta, gamma, delta = g.xor_form
    assert all(type(c) is int for c in g.xor_form)
    for a, b in BITS:
        assert alpha + beta * a + gamma * b + delta * (a ^ b) == g.table[a, b]


def test_xor_form_vectors():
    assert Gate.of("xor").xor_form == (-1, 0, 0, 2)
    assert Gate.of("xnor").xor_form == (1, 0, 0, -2)
    assert Gate.of("and").xor_form == (-1, 1, 1, -1)
    assert Gate.of("or").xor_form == (-1, 1, 1, 1)
    assert Gate.of("a").xor_form == (-1, 2, 0, 0)


@EVERY_GATE
def test_mean_is_the_constant_coefficient(g):
    assert g.mean == Fraction(sum(int(v) for v in g.table.ravel()), 4) == g.spectrum[0]


@EVERY_GATE
def test_variation_is_that_of_the_definition(g):
    for a, b in product([F, T], repeat=2):
        da = partial_variation(lambda x: g(x[0], x[1]), [a, b], 0)
        db = partial_variation(lambda x: g(x[0], x[1]), [a, b], 1)
        assert da == g.variation_a[int(b > 0)]
        assert db == g.variation_b[int(a > 0)]


@EVERY_GATE
def test_variation_is_the_slope_of_the_polynomial(g):
    _, ca, cb, cab = g.polynomial
    assert g.variation_a == (ca, ca + cab)
    assert g.variation_b == (cb, cb + cab)


def test_variation_of_or_at_f_is_t():
    assert Gate.of("or").variation_a == Gate.of("or").variation_b == (1, 0)


@EVERY_GATE
def test_negation_negates_value_and_variation(g):
    assert g.negation.id == 15 - g.id
    assert g.negation.negation is g
    assert (g.negation.table == -g.table).all()
    assert g.negation.variation_a == tuple(-v for v in g.variation_a)
    assert g.negation.variation_b == tuple(-v for v in g.variation_b)
    for a, b in product([F, ZERO, T, -2, 3], repeat=2):
        assert g.negation(a, b) == neg(g(a, b))


@EVERY_GATE
def test_swapping_exchanges_the_operands(g):
    assert g.swapped.swapped is g
    for a, b in product([F, ZERO, T, -2, 3], repeat=2):
        assert g.swapped(a, b) == g(b, a)
    assert g.swapped.variation_a == g.variation_b


def test_eight_gates_are_their_own_swap():
    assert [g.name for g in GATES if g.swapped is g] == [
        *("false", "and", "xor", "or", "nor", "xnor", "nand", "true")
    ]


@EVERY_GATE
def test_dependence(g):
    assert g.depends_on_a == any(g.table[0, b] != g.table[1, b] for b in (0, 1))
    assert g.depends_on_b == any(g.table[a, 0] != g.table[a, 1] for a in (0, 1))


def test_ten_gates_depend_on_both():
    assert sum(g.depends_on_a and g.depends_on_b for g in GATES) == 10


def test_three_input_neuron():
    x, w, bias = [T, F, T], [T, T, F], 1
    vectors = {  # terms, sum, variation in w, variation in x; for z = -1 and z = 0.75 below
        "xnor": ([1, 0, 0], 2, [1, -1, 1], [1, 1, -1]),
        "xor": ([0, 1, 1], 3, [-1, 1, -1], [-1, -1, 1]),
        "and": ([1, 0, 0], 2, [1, 0, 1], [1, 1, 0]),
        "or": ([1, 1, 1], 4, [0, 1, 0], [0, 0, 1]),
    }
    for name, (terms, total, ds_dw, ds_dx) in vectors.items():
        g = Gate.of(name)
        got = [int(v == T) for v in g(w, x)]
        assert got == terms
        assert bias + sum(got) == total
        dw = [g.variation_a[int(v > 0)] for v in x]
        dx = [g.variation_b[int(v > 0)] for v in w]
        assert dw == ds_dw
        assert dx == ds_dx
        for z in (-1, 0.75):
            assert xnor(z, np.array(dw)).tolist() == [z * d for d in ds_dw]
            assert xnor(z, np.array(dx)).tolist() == [z * d for d in ds_dx]


@EVERY_GATE
def test_lookup_by_name_number_and_gate(g):
    assert Gate.of(g.name) is Gate.of(g.id) is Gate.of(np.int32(g.id)) is Gate.of(g) is g


@EVERY_GATE
def test_a_copy_is_the_gate_itself(g):
    assert pickle.loads(pickle.dumps(g)) is copy.deepcopy(g) is g
    assert Gate(g.id, g.name) == g
    assert hash(Gate(g.id, g.name)) == hash(g)


def test_gates_are_frozen():
    with pytest.raises(AttributeError, match="id"):
        Gate.of("and").id = 3


@pytest.mark.parametrize(
    ("which", "error", "match"),
    [
        ("XNOR", ValueError, "gate must be a name, .* got 'XNOR'; the names are false, and, a_and_not_b"),
        (16, ValueError, "a number from 0 to 15 .* got 16; the names are false"),
        (-1, ValueError, "a number from 0 to 15 .* got -1"),
        (True, TypeError, "got True; the names are false"),
        (9.0, TypeError, "a name, a number from 0 to 15 or a Gate, got 9.0"),
        (None, TypeError, "got None"),
    ],
)
def test_bad_lookups_are_named(which, error, match):
    with pytest.raises(error, match=match):
        Gate.of(which)


@pytest.mark.parametrize(("number", "name"), [(3, "xor"), (16, "true"), (-1, "true")])
def test_impossible_gates_are_refused(number, name):
    with pytest.raises(ValueError, match=f"name must be that of id, .* got id {number} and name '{name}'"):
        Gate(number, name)


def test_embedded_sum_of_any_gate_is_counts_and_one_xor():
    rng = np.random.default_rng(20240516)
    w, x = rng.integers(0, 2, (2, 200))
    for g in GATES:
        alpha, beta, gamma, delta = g.xor_form
        want = embed(g(w == 1, x == 1)).sum()
        assert alpha * 200 + beta * w.sum() + gamma * x.sum() + delta * (w ^ x).sum() == want
