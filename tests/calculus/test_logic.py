"""Laws of three-valued and mixed-type logic, by exhaustion against plain Python.

The laws carry the names of docs/explanation/three-valued-logic.md.
"""

import operator
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar.calculus.logic import (
    ZERO,
    F,
    T,
    and_,
    connective,
    embed,
    implies,
    magnitude,
    nand,
    neg,
    nor,
    or_,
    project,
    table_of,
    xnor,
    xor,
)

M = [F, ZERO, T]
B = [F, T]
INTEGERS = list(range(-3, 4))
FLOATS = [-2.5, -0.5, 0.0, 0.25, 4.0]
NUMBERS = INTEGERS + FLOATS

# The oracle: the connectives as Python writes them on bool.
ON_BOOL = {
    and_: lambda a, b: a and b,
    or_: lambda a, b: a or b,
    xor: lambda a, b: a is not b,
    xnor: lambda a, b: a is b,
    nand: lambda a, b: not (a and b),
    nor: lambda a, b: not (a or b),
    implies: lambda a, b: (not a) or b,
}
CONNECTIVES = pytest.mark.parametrize("op", ON_BOOL, ids=lambda op: op.__name__)


def is_logic(x):
    return isinstance(x, np.int8)


def expected(op, a, b):
    """|c| = |a||b| and c_logic = L(a_logic, b_logic), in plain Python."""
    if a == 0 or b == 0:
        return 0
    sign = 1 if ON_BOOL[op](bool(a > 0), bool(b > 0)) else -1
    size_a, size_b = (1 if is_logic(v) else abs(v) for v in (a, b))
    return sign * size_a * size_b


def expected_dtype(a, b):
    if is_logic(a) and is_logic(b):
        return np.int8
    return np.float64 if isinstance(a, float) or isinstance(b, float) else np.int64


@CONNECTIVES
def test_the_one_formula_on_logic_numbers_and_both(op):
    for a, b in product(M + NUMBERS, repeat=2):
        got = op(a, b)
        assert got == expected(op, a, b), (a, b)
        assert got.dtype == expected_dtype(a, b), (a, b)


@CONNECTIVES
def test_three_by_three_table(op):
    want = [[expected(op, a, b) for b in M] for a in M]
    got = op(np.array(M)[:, None], np.array(M))
    assert got.dtype == np.int8
    assert got.tolist() == want


@CONNECTIVES
def test_bool_is_f_and_t(op):
    for a, b in product([False, True], repeat=2):
        assert op(a, b) == (1 if ON_BOOL[op](a, b) else -1)
        assert op(np.bool_(a), [b])[0] == op(a, b)


@CONNECTIVES
def test_zero_is_absorbing(op):
    for x in M + NUMBERS:
        assert op(ZERO, x) == op(x, ZERO) == 0


def test_zero_is_not_kleenes_unknown():
    assert and_(F, ZERO) == 0
    assert or_(T, ZERO) == 0


def test_mixed_logic_vectors():
    assert xnor(T, -2.5) == -2.5
    assert xnor(F, -2.5) == 2.5
    assert xnor(ZERO, -2.5) == 0
    assert xor(F, 4) == 4
    assert xor(T, -2.5) == 2.5
    assert xnor(-2, 3) == -6
    assert xor(-2, 3) == 6


def test_negation():
    assert [neg(a) for a in M] == [T, ZERO, F]
    assert [neg(True), neg(False)] == [F, T]
    for a in M + NUMBERS:
        assert neg(a) == -a == xor(T, a)
        assert neg(a).dtype == xor(T, a).dtype


def test_double_negation():
    for a in M:
        assert neg(neg(a)) == a


def test_de_morgan():
    for a, b in product(M + NUMBERS, repeat=2):
        assert neg(and_(a, b)) == or_(neg(a), neg(b)) == nand(a, b)
        assert neg(or_(a, b)) == and_(neg(a), neg(b)) == nor(a, b)


def test_implication_is_or_of_the_negation():
    for a, b in product(M + NUMBERS, repeat=2):
        assert implies(a, b) == or_(neg(a), b)


def test_xnor_and_xor_are_associative():
    for op in (xnor, xor):
        for a, b, c in product(M, repeat=3):
            assert op(op(a, b), c) == op(a, op(b, c))


def test_xnor_by_a_constant():
    for t in M:
        assert xnor(T, t) == t
        assert xnor(F, t) == neg(t)
        assert xnor(ZERO, t) == ZERO


def test_projection_of_a_product():
    for x, y in product(NUMBERS, repeat=2):
        assert project(x * y) == xnor(project(x), project(y))
        assert project(x * y).dtype == np.int8


def test_embedding_of_an_xnor():
    for a, b in product(M, repeat=2):
        assert embed(xnor(a, b)) == embed(a) * embed(b)


def test_embedding_is_an_isomorphism_for_xnor_and_xor():
    for a, b in product(B, repeat=2):
        assert embed(xnor(a, b)) == embed(a) * embed(b)
        assert embed(xor(a, b)) == -embed(a) * embed(b)
    assert sorted(embed(b) for b in B) == [-1, 1]


def test_projection_undoes_embedding():
    for a in M:
        assert project(embed(a)) == a
        assert project(a) == a


def test_equality_is_magnitude_and_projection():
    for x, y in product(NUMBERS, repeat=2):
        same = magnitude(x) == magnitude(y) and project(x) == project(y)
        assert same == (x == y)


def test_xnor_with_a_number_is_a_product():
    for x in NUMBERS:
        for a in M:
            assert xnor(a, x) == xnor(x, a) == int(a) * x
        for y in NUMBERS:
            assert xnor(x, y) == x * y


def test_xor_with_a_number_is_minus_xnor():
    for x, y in product(NUMBERS, M + NUMBERS):
        assert xor(x, y) == -xnor(x, y)
        assert xor(y, x) == -xnor(y, x)


def test_xnor_is_linear():
    for x, y, z in product(M + NUMBERS, NUMBERS, NUMBERS):
        assert xnor(x, y + z) == xnor(x, y) + xnor(x, z)
        assert xnor(x, y * z) == y * xnor(x, z)


def test_and_and_or_with_a_number():
    for x in NUMBERS:
        assert and_(T, x) == x
        assert and_(F, x) == -abs(x)
        assert or_(T, x) == abs(x)
        assert or_(F, x) == x


def test_embed_project_magnitude_by_hand():
    assert embed([F, ZERO, T]).tolist() == [-1, 0, 1]
    assert embed(T).dtype == embed(True).dtype == np.int64
    assert project([-0.1, 0, 3]).tolist() == [-1, 0, 1]
    assert magnitude([F, ZERO, T]).tolist() == [1, 0, 1]
    assert magnitude([-3, 0, 3]).tolist() == [3, 0, 3]
    assert magnitude(F).dtype == magnitude(-3).dtype == np.int64
    assert magnitude(-2.5) == 2.5


def test_a_number_is_any_other_dtype():
    for dtype in (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64):
        got = xnor(F, np.array([0, 1, 100], dtype))
        assert got.dtype == np.int64
        assert got.tolist() == [0, -1, -100]
    for dtype in (np.float16, np.float32, np.float64):
        got = xnor(F, np.array([0, 0.5, 100], dtype))
        assert got.dtype == np.float64
        assert got.tolist() == [0, -0.5, -100]


def test_broadcasting_and_empty():
    a, b = np.array([[T], [F]]), np.array([1, 2, 3])
    assert xnor(a, b).tolist() == [[1, 2, 3], [-1, -2, -3]]
    assert xnor(np.empty((0, 2), np.int8), T).shape == (0, 2)
    assert xnor(np.empty(0, np.int64), 2).dtype == np.int64


def test_inputs_come_back_unchanged():
    a, b = np.array(M), np.array([2, -3, 4])
    a.setflags(write=False)
    b.setflags(write=False)
    for op in ON_BOOL:
        op(a, b)
    assert neg(a) is not a
    assert a.tolist() == [-1, 0, 1]


def test_gate_number_is_the_truth_table():
    for number in range(16):
        bits = [int(c) for c in f"{number:04b}"]
        table = table_of(number)
        assert ((table.ravel() + 1) // 2).tolist() == bits
        for a, b in product([0, 1], repeat=2):
            got = connective(table, B[a], B[b])
            assert got == (1 if bits[2 * a + b] else -1)


@given(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31))
def test_the_one_formula_on_integers(x, y):
    for op in ON_BOOL:
        assert op(x, y) == expected(op, x, y)


@given(st.integers(-(2**62), 2**62))
def test_integers_are_exact_to_the_limit(x):
    assert int(xnor(F, x)) == -x
    assert int(neg(x)) == -x
    assert int(magnitude(x)) == abs(x)


@given(
    st.floats(-1e100, 1e100),
    st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e100, 1e100), st.sampled_from(M)),
)
def test_the_one_formula_on_floats(x, y):
    for op in ON_BOOL:
        assert op(x, y) == expected(op, x, y)
        assert op(y, x) == expected(op, y, x)


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (np.int8(2), ValueError, "b must hold only -1"),
        (np.array([0, -128], np.int8), ValueError, "b must hold only -1"),
        (float("nan"), ValueError, "b must be finite, got NaN or infinity"),
        ([1.0, float("inf")], ValueError, "b must be finite, got NaN or infinity"),
        (1j, TypeError, "b must be bool or int8 .* got dtype complex128"),
        ("T", TypeError, "b must be bool or int8 .* got dtype <U1"),
        (None, TypeError, "b must be bool or int8 .* got dtype object"),
        (2**70, TypeError, "b must be bool or int8 .* got dtype object"),
        (2**62 + 1, ValueError, "b must be integers in -2"),
        (-(2**62) - 1, ValueError, "b must be integers in -2"),
        (np.uint64(2**63), ValueError, "b must be integers in -2"),
        ([F, False], TypeError, "b must be .* got bool and int8 logic in one list"),
        ([T, 0], TypeError, "b must be .* got int8 logic and numbers in one list"),
        ([[1, 2], [3]], ValueError, "b must be an array, got rows of different lengths"),
        ([[True], [2]], TypeError, "b must be .* got bool and numbers in one list"),
    ],
)
def test_bad_operands_are_named(value, error, match):
    with pytest.raises(error, match=match):
        xnor(T, value)
    with pytest.raises(error, match=match.replace("b ", "a ", 1)):
        xnor(value, T)
    with pytest.raises(error, match=match.replace("b ", "x ", 1)):
        project(value)
    with pytest.raises(error, match=match.replace("b ", "x ", 1)):
        magnitude(value)
    with pytest.raises(error, match=match.replace("b ", "a ", 1)):
        neg(value)


def test_embed_refuses_numbers():
    with pytest.raises(TypeError, match=r"a must be logic, .* got a number \(int64\)"):
        embed([1, -1])
    with pytest.raises(TypeError, match=r"a must be logic, .* got a number \(float64\)"):
        embed(1.0)


@pytest.mark.parametrize("big", [2**32, -(2**32)])
def test_products_out_of_range_are_refused(big):
    with pytest.raises(OverflowError, match="the result is too large"):
        xnor(big, 2**31 - 1 + 2**30)
    assert xnor(big, 2**30) == big * 2**30
    with pytest.raises(OverflowError, match="the result is too large"):
        xor(1e200, -1e200)


@pytest.mark.parametrize(
    "table", [[T, F], [[F, ZERO], [T, T]], np.ones((2, 2, 1), np.int8), np.ones((3, 3), np.int8)]
)
def test_bad_tables_are_refused(table):
    with pytest.raises(ValueError, match="table must be two by two"):
        connective(table, T, T)


@pytest.mark.parametrize("number", [-1, 16])
def test_bad_gate_numbers_are_refused(number):
    with pytest.raises(ValueError, match=r"gate_id must be an integer in \[0, 15\]"):
        table_of(number)


@pytest.mark.parametrize("number", ["x", 2.5, None])
def test_what_numbers_no_gate_is_refused(number):
    with pytest.raises(TypeError, match=r"gate_id must be an integer in \[0, 15\], got"):
        table_of(number)


def test_shapes_that_do_not_fit_each_other_are_refused():
    for a, b in (([True, False, True], [True, False]), ([1, 2, 3], [1, 2])):
        with pytest.raises(ValueError, match=r"a and b must have shapes .* got \(3,\) and \(2,\)"):
            and_(a, b)


def test_connectives_agree_with_operators_on_numpy_bool():
    a, b = np.array([[False], [True]]), np.array([False, True])
    for op, of_numpy in ((and_, operator.and_), (or_, operator.or_), (xor, operator.xor)):
        assert ((op(a, b) == T) == of_numpy(a, b)).all()
