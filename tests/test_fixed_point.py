"""Smooth functions as integers: correct to the last bit, and golden numbers that ports can compare."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bvar._fixed_point import PI, cosine, exp_table, log, sech2_table, sqrt


def test_pi_and_square_roots():
    assert float(PI) == math.pi
    assert abs(sqrt(2) ** 2 - 2) < Decimal("1e-38")
    assert sqrt(Fraction(9, 4)) == Decimal("1.5")


def test_exponential_table_is_golden():
    assert exp_table(Decimal(1), 10).tolist() == [1024, 377, 139, 51, 19, 7, 3, 1, 0]


def test_surrogate_table_is_golden():
    assert sech2_table(Decimal("0.5"), Decimal(1), 10).tolist()[:6] == [1024, 805, 430, 185, 72, 27]


def test_cosine_is_the_nearest_float_everywhere_on_a_grid():
    for k in range(-50, 200):
        turns = Fraction(k, 97)
        # math.cos of a rounded angle is good to 2**-51 here; at most two neighbours apart
        assert abs(cosine(turns) - math.cos(2 * math.pi * float(turns))) <= 2**-50 * (1 + abs(float(turns)) * 8)
    assert [cosine(Fraction(k, 4)) for k in (0, 2)] == [1.0, -1.0]
    assert abs(cosine(Fraction(1, 4))) < 1e-30


def test_tables_do_not_depend_on_the_decimal_context_of_the_caller():
    import decimal

    want = exp_table(sqrt(1024), 20)
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP)):
        np.testing.assert_array_equal(exp_table(sqrt(1024), 20), want, strict=True)


EDGES = [2**k + d for k in range(53) for d in (-1, 0, 1) if 1 <= 2**k + d <= 2**52]


@given(st.lists(st.integers(1, 2**52) | st.integers(1, 2**24), min_size=1).map(lambda ns: ns + EDGES))
def test_logarithms_of_integers_are_good_to_half_a_unit(ns):
    for n, got in zip(ns, log(np.array(ns)).tolist(), strict=True):
        assert abs(got - 2**32 * Decimal(n).ln()) < Decimal("0.53"), n


def test_logarithms_are_golden():
    golden = [0, 2977044472, 4718503851, 9889527671, 59540889436, 154806312535]
    assert log(np.array([1, 2, 3, 10, 2**20, 2**52])).tolist() == golden


def test_logarithms_never_fall():
    n = np.arange(1, 2**16)
    assert (np.diff(log(n)) > 0).all()
