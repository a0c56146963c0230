"""Laws of variation, by exhaustion: all functions of one, two and three bits.

A function is a dict from points to values. The oracle works on plain Python ints and
never calls the package. The laws carry the names of docs/explanation/variation.md.
"""

from itertools import product

import numpy as np
import pytest

from bvar.calculus.logic import ZERO, F, T, embed, neg, or_, xnor, xor
from bvar.calculus.variation import (
    delta,
    integer_variation,
    partial_variation,
    restrict,
    second_variation,
    truth_table,
    variation,
    variation_closed_form,
    variation_table,
)

B = [F, T]
M = [F, ZERO, T]
N = [-2, -1, 0, 1, 2]


def functions(domain, values):
    """Return all functions from a finite domain, each as a callable over a dict."""
    choices = product(values, repeat=len(domain))
    tables = [dict(zip(domain, chosen, strict=True)) for chosen in choices]
    return [lambda x, table=table: table[int(x)] for table in tables]


def functions_of_bits(n, values):
    points = list(product([-1, 1], repeat=n))
    choices = product(values, repeat=len(points))
    tables = [dict(zip(points, chosen, strict=True)) for chosen in choices]
    return [lambda x, table=table: table[tuple(x.tolist())] for table in tables]


TO_B = functions([-1, 1], B)
TO_M = functions([-1, 1], M)
TO_N = functions([-1, 1], N)


def is_logic(v):
    return isinstance(v, np.int8 | np.bool_ | bool)


def oracle_delta(a, b):
    a, b, logic = int(a), int(b), is_logic(a)
    if logic:
        return (b > a) - (b < a)
    return b - a


def oracle_variation(f, x):
    """Follow the definition: the move of x times the move of f, signs as ints."""
    move = 1 if x < 0 else -1
    return move * oracle_delta(f(x), f(-x))


def same(got, want, logic):
    return got == want and is_logic(got) == logic


def test_delta_on_b():
    assert delta(F, T) == T
    assert delta(T, F) == F
    assert delta(T, T) == delta(F, F) == ZERO
    assert delta(False, True) == T


def test_delta_extends_the_order_to_m():
    for a, b in product(M, repeat=2):
        assert same(delta(a, b), (int(b) > int(a)) - (int(b) < int(a)), logic=True)


def test_delta_of_numbers_is_the_difference():
    for a, b in product([-2, 0, 3, 2.5], repeat=2):
        assert delta(a, b) == b - a
    assert delta([1, 2], [5, 0]).tolist() == [4, -2]


def test_delta_reverses():
    for a, b in [*product(M, repeat=2), *product(N, repeat=2)]:
        assert delta(b, a) == neg(delta(a, b))


def test_definition_on_every_function_of_one_bit():
    for f, logic in [(f, True) for f in TO_B + TO_M] + [(f, False) for f in TO_N]:
        for x in B:
            assert same(variation(f, x), oracle_variation(f, x), logic)


def test_variation_does_not_depend_on_the_point():
    for f in TO_B + TO_M + TO_N:
        assert variation(f, F) == variation(f, T)


def test_closed_form():
    for f in TO_B + TO_M + TO_N:
        assert variation_closed_form(f) == variation(f, F) == variation(f, T)


def test_closed_form_for_numbers_is_the_difference():
    for f in TO_N:
        assert variation_closed_form(f) == f(T) - f(F)


def test_variation_recovers_every_move():
    for f in TO_B + TO_N:
        for x, y in product(B, repeat=2):
            assert delta(f(x), f(y)) == xnor(delta(x, y), variation(f, x))


def test_theorem_3_12_item_1_negation():
    for f in TO_B + TO_M:
        for x in B:
            assert variation(lambda b, f=f: neg(f(b)), x) == neg(variation(f, x))


def test_theorem_3_12_item_2_scaling():
    for f, alpha, x in product(TO_N, [-3, 0, 2, 0.5], B):
        assert variation(lambda b, f=f, k=alpha: k * f(b), x) == alpha * variation(f, x)


def test_theorem_3_12_item_3_sum():
    for f, g in product(TO_N, repeat=2):
        want = variation(f, F) + variation(g, F)
        assert variation(lambda b, f=f, g=g: f(b) + g(b), F) == want


def test_variation_of_xor_and_xnor_in_one_operand():
    for a, x in product(B, repeat=2):
        assert variation(lambda b, a=a: xor(b, a), x) == neg(a)
        assert variation(lambda b, a=a: xnor(b, a), x) == a


def test_variation_of_or_at_f_is_t():
    for x in B:
        assert variation(lambda b: or_(b, F), x) == T
        assert variation(lambda b: or_(b, T), x) == ZERO


def test_variation_works_elementwise():
    got = variation(lambda x: xor(x, [F, F, T, T]), [F, T, F, T])
    assert got.tolist() == [1, 1, -1, -1]


def test_variation_accepts_bool():
    assert variation(lambda x: x == T, True) == T
    assert variation(lambda x: x == F, False) == F


def test_integer_variation_on_every_function_of_a_window():
    window = [0, 1, 2, 3]
    for values, logic in ((B, True), (M, True), ([-1, 0, 5], False)):
        for f in functions(window, values):
            for x in window[:-1]:
                assert same(integer_variation(f, x), oracle_delta(f(x), f(x + 1)), logic)


def test_variation_of_a_step():
    for tau, s in product(range(-3, 4), range(-6, 7)):
        assert integer_variation(lambda s, tau=tau: s >= tau, s) == (T if s == tau - 1 else ZERO)


def test_integer_variation_works_elementwise():
    assert integer_variation(lambda s: s**2, [0, 1, 2]).tolist() == [1, 3, 5]
    assert integer_variation(lambda s: s**2 / 2, np.uint8([0, 1])).tolist() == [0.5, 1.5]


def test_restriction_is_the_function_with_one_bit_free():
    for f in functions_of_bits(2, B):
        for x0, x1 in product(B, repeat=2):
            for b in B:
                assert restrict(f, [x0, x1], 0)(b) == f(np.array([b, x1]))
                assert restrict(f, [x0, x1], 1)(b) == f(np.array([x0, b]))


def test_restriction_leaves_the_point_alone():
    x = np.array([T, F])
    g = restrict(lambda y: or_(y[0], y[1]), x, 0)
    g(F)
    assert x.tolist() == [1, -1]
    x[1] = T
    assert g(F) == F


def test_restriction_gives_f_a_fresh_point_each_time():
    kept = []
    g = restrict(lambda y: kept.append(y) or T, [T, F], 0)
    g(F)
    g(T)
    assert [y.tolist() for y in kept] == [[-1, -1], [1, -1]]


@pytest.fixture(scope="module")
def all_of_three_bits():
    fs = functions_of_bits(3, B)
    assert len(fs) == 256
    return fs


def flip(point, i):
    return tuple(-v if k == i else v for k, v in enumerate(point))


def oracle_partial(f, point, i):
    here, there = (int(f(np.array(p, np.int8))) for p in (point, flip(point, i)))
    return -point[i] * ((there > here) - (there < here))


def test_partial_variation_of_all_functions_of_three_bits(all_of_three_bits):
    points = list(product([-1, 1], repeat=3))
    for f in all_of_three_bits:
        want = [[oracle_partial(f, p, i) for i in range(3)] for p in points]
        table = variation_table(f, 3)
        assert table.dtype == np.int8
        assert table.tolist() == want
        for k in (0, 3, 6):
            got = [partial_variation(f, np.array(points[k], np.int8), i) for i in range(3)]
            assert got == want[k]


def test_partial_variation_does_not_depend_on_its_own_coordinate(all_of_three_bits):
    for f in all_of_three_bits:
        table = variation_table(f, 3).reshape(2, 2, 2, 3)
        for i in range(3):
            assert (np.take(table[..., i], 0, axis=i) == np.take(table[..., i], 1, axis=i)).all()


def test_second_variation_is_symmetric_on_all_functions_of_three_bits(all_of_three_bits):
    for f in all_of_three_bits:
        for i, j in ((0, 1), (0, 2), (1, 2)):
            rest = 3 - i - j
            for bit in (-1, 1):
                x = np.full(3, -1, np.int8)
                x[rest] = bit
                corner = {}
                for a, b in product([-1, 1], repeat=2):
                    y = x.copy()
                    y[i], y[j] = a, b
                    corner[a, b] = int(f(y))
                mixed = corner[1, 1] - corner[1, -1] - corner[-1, 1] + corner[-1, -1]
                want = (mixed > 0) - (mixed < 0)
                assert second_variation(f, x, i, j) == second_variation(f, x, j, i) == want


def test_second_variation_of_numbers_is_the_interaction():
    for values in product([-1, 0, 2], repeat=4):
        points = dict(zip(product([-1, 1], repeat=2), values, strict=True))
        ff, ft, tf, tt = values
        for x in product(B, repeat=2):
            for i, j in ((0, 1), (1, 0)):
                got = second_variation(lambda y, p=points: p[tuple(y.tolist())], x, i, j)
                assert got == tt - tf - ft + ff


def test_second_variation_in_one_coordinate_twice_is_zero():
    for f in functions_of_bits(2, B):
        for x, i in product(product(B, repeat=2), range(2)):
            assert second_variation(f, x, i, i) == 0


def test_second_variation_is_not_symmetric_on_m():
    values = {(-1, -1): F, (-1, 1): ZERO, (1, -1): T, (1, 1): T}

    def f(x):
        return values[tuple(x.tolist())]

    assert second_variation(f, [F, F], 0, 1) == ZERO
    assert second_variation(f, [F, F], 1, 0) == F


def test_truth_table_counts_with_coordinate_0_first():
    for number in range(16):
        want = [int(c) for c in f"{number:04b}"]
        table = truth_table(functions_of_bits(2, [F, T])[number], 2)
        assert ((table + 1) // 2).tolist() == want
    assert truth_table(lambda x: 4 * embed(x[0]) + embed(x[1]), 2).tolist() == [-5, -3, 3, 5]
    assert truth_table(lambda x: x[0] / 2.0, 1).tolist() == [-0.5, 0.5]


def test_variation_table_of_numbers():
    table = variation_table(lambda x: 4 * embed(x[0]) + 3 * embed(x[1]), 2)
    assert table.tolist() == [[8, 6]] * 4
    assert table.dtype == np.int64


def test_variation_table_keeps_each_point_in_place():
    # or with three operands: nonzero only where the other two are both F.
    table = variation_table(lambda x: or_(or_(x[0], x[1]), x[2]), 3)
    want = [[1, 1, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0]] + [[0, 0, 0]] * 3
    assert table.tolist() == want


def identity(x):
    return x


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: delta(T, 1), TypeError, "a and b must be both logic or both numbers"),
        (lambda: delta(T, "x"), TypeError, r"b must be bool or int8 .logic., .* got dtype"),
        (lambda: delta(2**62, -(2**62)), OverflowError, "the result is too large"),
        (lambda: delta(1e308, -1e308), OverflowError, "the result is too large"),
        (lambda: variation(identity, ZERO), ValueError, "x must be F or T, got 0"),
        (lambda: variation(identity, 1), TypeError, "x must be logic, .* got a number"),
        (lambda: variation(lambda x: x if x > 0 else 3, T), TypeError, "both logic or both"),
        (
            lambda: variation_closed_form(lambda x: "no"),
            TypeError,
            r"a must be bool or int8 .logic., .* got dtype",
        ),
        (lambda: integer_variation(identity, T), TypeError, "x must be integers, .* got logic"),
        (lambda: integer_variation(identity, True), TypeError, "x must be integers, .* got logic"),
        (lambda: integer_variation(identity, 1.0), TypeError, "x must be integers, .* got a float"),
        (lambda: restrict(identity, T, 0), ValueError, r"one-dimensional.*got shape \(\)"),
        (lambda: restrict(identity, [[T]], 0), ValueError, "one-dimensional"),
        (lambda: restrict(identity, [T, ZERO], 0), ValueError, "x must be F or T, got 0"),
        (lambda: restrict(identity, [1, 0], 0), TypeError, "x must be logic, .* got a number"),
        (
            lambda: restrict(identity, [T, F], 2),
            IndexError,
            r"i must be a coordinate of x, in 0\.\.1, got 2",
        ),
        (lambda: restrict(identity, [T, F], -1), IndexError, "i must be a coordinate of x.* got -1"),
        (lambda: restrict(identity, [T, F], 0)(ZERO), ValueError, "bit must be F or T, got 0"),
        (lambda: partial_variation(identity, [T], 1), IndexError, "i must be a coordinate of x.* got 1"),
        (lambda: second_variation(identity, [T, F], 0, 2), IndexError, "j must be a coordinate of x.* got 2"),
        (lambda: second_variation(identity, [T, F], 2, 0), IndexError, "i must be a coordinate of x.* got 2"),
        (lambda: delta([1, 2, 3], [1, 2]), ValueError, r"a and b must have shapes .* got \(3,\) and \(2,\)"),
        (lambda: restrict(identity, [T, F], "0"), TypeError, "i must be an integer, got '0'"),
        (lambda: truth_table(identity, 2.5), TypeError, "n must be an integer, got 2.5"),
        (lambda: truth_table(identity, 0), ValueError, r"n must be in 1\.\.16"),
        (lambda: truth_table(identity, 17), ValueError, r"n must be in 1\.\.16.*got 17"),
        (lambda: variation_table(identity, 17), ValueError, r"n must be in 1\.\.16"),
        (lambda: variation_table(identity, 2), ValueError, "f must return one value a point"),
        (
            lambda: truth_table(lambda x: x[0] if x[0] > 0 else 3, 1),
            TypeError,
            "f must be logic at all points",
        ),
    ],
)
def test_bad_inputs_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()
