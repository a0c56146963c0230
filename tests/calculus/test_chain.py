"""Chain rules against direct variation, over all functions on small domains.

The laws carry the names of docs/explanation/chain-rules.md. The oracle for the
composed function works on plain Python ints and never calls the package.
"""

import contextlib
from itertools import product

import numpy as np
import pytest

from bvar.calculus.chain import (
    ChainRuleError,
    chain_bb,
    chain_bz,
    chain_bz_exact,
    chain_zb,
    chain_zz_exact,
)
from bvar.calculus.gates import Gate
from bvar.calculus.logic import ZERO, F, T, embed, neg, xnor
from bvar.calculus.variation import integer_variation, restrict, variation

B = [F, T]
M = [F, ZERO, T]
SMALL = [-1, 0, 2]


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


def is_logic(v):
    return isinstance(v, np.int8 | np.bool_ | bool)


def oracle_delta(a, b):
    a, b, logic = int(a), int(b), is_logic(a)
    return (b > a) - (b < a) if logic else b - a


def direct(f, g, x):
    """Variation in a bit of g after f, from the definition."""
    return (1 if x < 0 else -1) * oracle_delta(g(f(x)), g(f(-x)))


def direct_in_integer(f, g, x):
    return oracle_delta(g(f(x)), g(f(x + 1)))


def assert_same(got, want, logic):
    assert got == want
    assert is_logic(got) == logic


# All g from B, and all g from a window of Z, with whether they are logic-valued.
FROM_B = [(g, True) for g in functions([-1, 1], M)]
FROM_B += [(g, False) for g in functions([-1, 1], SMALL)]


def from_window(window):
    logic = functions(window, B) + functions(window, M)
    return [(g, True) for g in logic] + [(g, False) for g in functions(window, SMALL)]


def test_bit_to_bit_needs_no_condition():
    for f, (g, logic), x in product(functions([-1, 1], B), FROM_B, B):
        assert_same(chain_bb(f, g, x), direct(f, g, x), logic)


def test_theorem_3_12_item_4():
    for f, (g, _), x in product(functions([-1, 1], B), FROM_B, B):
        assert chain_bb(f, g, x) == xnor(variation(g, f(x)), variation(f, x))


def test_theorem_3_12_item_5_raises_exactly_where_its_conditions_fail():
    returned = raised = 0
    for f, (g, logic), x in product(functions([-1, 1], [0, 1, 2]), from_window([-1, 0, 1, 2, 3]), B):
        unit = abs(f(T) - f(F)) <= 1
        here = oracle_delta(g(f(x)), g(f(x) + 1))
        before = oracle_delta(g(f(x) - 1), g(f(x)))
        if unit and here == before:
            assert_same(chain_bz(f, g, x), direct(f, g, x), logic)
            returned += 1
        else:
            match = r"\|f'\(x\)\| <= 1 fails" if not unit else r"g'\(f\(x\)\) = g'\(f\(x\) - 1\) f"
            with pytest.raises(ChainRuleError, match=match):
                chain_bz(f, g, x)
            raised += 1
    assert returned > 1000
    assert raised > 1000


def test_minimum_form_is_exact_for_every_function_on_a_window():
    checked = 0
    for f, (g, logic), x in product(functions([-1, 1], [0, 1, 2]), from_window([0, 1, 2, 3]), B):
        if abs(f(T) - f(F)) <= 1:
            assert_same(chain_bz_exact(f, g, x), direct(f, g, x), logic)
            checked += 1
        else:
            with pytest.raises(ChainRuleError, match=r"\|f'\(x\)\| <= 1 fails at x ="):
                chain_bz_exact(f, g, x)
    assert checked == 7 * (16 + 81 + 81) * 2


def test_second_condition_is_needed_only_where_the_flip_lowers_f():
    for f, (g, _), x in product(functions([-1, 1], [0, 1]), from_window([0, 1, 2]), B):
        if f(neg(x)) >= f(x):
            step = variation(f, x)
            assert xnor(integer_variation(g, f(x)), step) == direct(f, g, x)


def test_integer_to_bit_needs_no_condition():
    for f, (g, logic), x in product(functions([0, 1, 2], B), FROM_B, [0, 1]):
        assert_same(chain_zb(f, g, x), direct_in_integer(f, g, x), logic)


def test_integer_to_integer_minimum_form():
    checked = 0
    for f, (g, logic) in product(functions([0, 1], [0, 1, 2]), from_window([0, 1, 2, 3])):
        if abs(f(1) - f(0)) <= 1:
            assert_same(chain_zz_exact(f, g, 0), direct_in_integer(f, g, 0), logic)
            checked += 1
        else:
            with pytest.raises(ChainRuleError, match=r"\|f'\(x\)\| <= 1 fails at x = 0"):
                chain_zz_exact(f, g, 0)
    assert checked == 7 * (16 + 81 + 81)


def step_at(tau):
    return lambda s: s >= tau


def test_printed_rule_fails_exactly_at_the_two_sums_beside_a_step():
    for tau, s, rises in product(range(-2, 3), range(-5, 6), (False, True)):

        def f(x, s=s, rises=rises):
            return s if x == F else s + (1 if rises else -1)

        if s in (tau - 1, tau):
            with pytest.raises(ChainRuleError, match=rf"f\(x\) = {s}, g'"):
                chain_bz(f, step_at(tau), F)
        else:
            assert chain_bz(f, step_at(tau), F) == ZERO


def test_minimum_form_carries_the_signal_that_the_printed_rule_loses():
    for tau in range(-2, 3):
        assert chain_bz_exact(lambda x, t=tau: t - 1 if x == F else t, step_at(tau), T) == T
        assert chain_bz_exact(lambda x, t=tau: t if x == F else t - 1, step_at(tau), F) == F


def test_three_input_neuron():
    x, w = np.array([T, F, T]), np.array([T, T, F])

    def s(w):
        return 1 + int((Gate.of("xnor")(w, x) == T).sum())

    step = step_at(2)
    assert s(w) == 2
    assert integer_variation(step, 2) == ZERO
    expected = {0: T, 1: ZERO, 2: ZERO}  # s falls to 1, or rises to 3
    for i, want in expected.items():
        f = restrict(s, w, i)
        assert variation(lambda b, f=f: step(f(b)), w[i]) == want
        assert chain_bz_exact(f, step, w[i]) == want
        with pytest.raises(ChainRuleError, match=r"f\(x\) = 2, g'\(f\(x\)\) = 0, .* = 1$"):
            chain_bz(f, step, w[i])


def test_two_layers_of_neurons():
    # bits -> count -> bit -> count -> bit, by the exact rules only, for all weights.
    x = np.array([T, F, T])
    for bits in product(B, repeat=3):
        w = np.array(bits)

        def hidden_sum(w):
            return int((Gate.of("or")(w, x) == T).sum())

        def hidden(w):
            return T if hidden_sum(w) >= 3 else F

        def outer_sum(h):
            return 1 + int(xnor(h, F) == T)

        def output(h):
            return T if outer_sum(h) >= 2 else F

        for i in range(3):
            h_i = restrict(hidden, w, i)
            dh = chain_bz_exact(restrict(hidden_sum, w, i), lambda s: T if s >= 3 else F, w[i])
            dy = chain_bz_exact(outer_sum, lambda s: T if s >= 2 else F, h_i(w[i]))
            want = direct(h_i, output, w[i])
            assert xnor(dy, dh) == chain_bb(h_i, output, w[i]) == want


def direct_partial(f, g, point, i):
    """Partial variation of g after f, on tuples of ints."""
    moved = tuple(-v if k == i else v for k, v in enumerate(point))
    a, b = (g(f(np.array(p, np.int8))) for p in (point, moved))
    return -point[i] * oracle_delta(a, b)


def test_several_bits_to_bit():
    points = list(product([-1, 1], repeat=3))
    for f in functions_of_bits(3, B):
        for g in (neg, lambda b: 3 * embed(b)):
            for p, i in product(points[::3], range(3)):
                x = np.array(p, np.int8)
                assert chain_bb(restrict(f, x, i), g, x[i]) == direct_partial(f, g, p, i)


def test_several_bits_to_integer_minimum_form():
    points = list(product([-1, 1], repeat=2))
    gs = [step_at(1), step_at(2), lambda s: s * s, lambda s: M[int(s) % 3]]
    checked = 0
    for f, g, p, i in product(functions_of_bits(2, [0, 1, 2]), gs, points, range(2)):
        x = np.array(p, np.int8)
        f_i = restrict(f, x, i)
        if abs(f_i(T) - f_i(F)) <= 1:
            assert chain_bz_exact(f_i, g, x[i]) == direct_partial(f, g, p, i)
            checked += 1
            with contextlib.suppress(ChainRuleError):
                assert chain_bz(f_i, g, x[i]) == direct_partial(f, g, p, i)
    assert checked > 1000


def test_rules_work_elementwise_and_name_the_first_point():
    assert chain_bb(neg, neg, [F, T]).tolist() == [1, 1]
    assert chain_zb(step_at(0), neg, [-2, -1, 0]).tolist() == [0, -1, 0]
    assert chain_zz_exact(lambda x: -x, step_at(0), [-1, 0, 1]).tolist() == [0, -1, 0]
    assert chain_bz_exact(lambda x: embed(x) // 2, step_at(0), [F, T]).tolist() == [1, 1]
    with pytest.raises(ChainRuleError, match=r"fails at x = 2: f'\(x\) = 5$"):
        chain_zz_exact(lambda x: x * x, step_at(0), [0, 2, 5])
    with pytest.raises(ChainRuleError, match=r"fails at x = -1: f\(x\) = 5, "):
        chain_bz(lambda x: np.where(x == T, 7, 5) - 2 * (x == T), step_at(5), [F, T])


def test_chain_rule_error_is_a_value_error():
    assert issubclass(ChainRuleError, ValueError)


def to_zero(x):
    return T if x == F else ZERO


def to_half(x):
    return 0.5


def to_bit(x):
    return T


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: chain_bb(neg, neg, ZERO), ValueError, "x must be F or T, got 0"),
        (lambda: chain_bb(neg, neg, 1), TypeError, "x must be logic, .* got a number"),
        (lambda: chain_bb(to_zero, neg, F), ValueError, r"f\(not x\) must be F or T, got 0"),
        (lambda: chain_bb(to_zero, neg, T), ValueError, r"f\(x\) must be F or T, got 0"),
        (lambda: chain_bb(embed, neg, T), TypeError, r"f\(not x\) must be logic, .* got a number"),
        (lambda: chain_bz(embed, neg, ZERO), ValueError, "x must be F or T, got 0"),
        (lambda: chain_bz(to_half, neg, T), TypeError, r"f\(not x\) must be integers, .* got a float"),
        (lambda: chain_bz(to_bit, neg, T), TypeError, r"f\(not x\) must be integers, .* got logic"),
        (lambda: chain_bz_exact(embed, neg, ZERO), ValueError, "x must be F or T, got 0"),
        (lambda: chain_bz_exact(to_half, neg, T), TypeError, r"f\(x\) must be integers, .* got a float"),
        (lambda: chain_bz_exact(to_bit, neg, T), TypeError, r"f\(x\) must be integers, .* got logic"),
        (lambda: chain_zb(step_at(0), neg, T), TypeError, "x must be integers, .* got logic"),
        (lambda: chain_zb(step_at(0), neg, 0.5), TypeError, "x must be integers, .* got a float"),
        (lambda: chain_zb(lambda x: M[x], neg, 0), ValueError, r"f\(x \+ 1\) must be F or T, got 0"),
        (lambda: chain_zb(lambda x: M[x], neg, 1), ValueError, r"f\(x\) must be F or T, got 0"),
        (lambda: chain_zb(lambda x: x, neg, 1), TypeError, r"f\(x \+ 1\) must be logic, .* got a number"),
        (lambda: chain_zz_exact(lambda x: x, neg, F), TypeError, "x must be integers, .* got logic"),
        (lambda: chain_zz_exact(to_half, neg, 1), TypeError, r"f\(x\) must be integers, .* got a float"),
        (lambda: chain_zz_exact(to_bit, neg, 1), TypeError, r"f\(x\) must be integers, .* got logic"),
    ],
)
def test_bad_inputs_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()
