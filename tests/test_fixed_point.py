"""Smooth functions as integers: correct to the last bit, and golden numbers that ports can compare."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np

from bvar._fixed_point import PI, cosine, exp_table, sech2_table, sqrt


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
