"""The integer cross-entropy: equal to the oracle, close to the real one by a derived bound, never out of range."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st

from bvar.networks import FULL_WEIGHT, LOSS_ONE, BinaryCrossEntropy, CrossEntropy, SquaredError, integer_targets

SCORES = st.integers(1, 6).flatmap(
    lambda k: st.lists(st.lists(st.integers(-3000, 3000), min_size=k, max_size=k), min_size=1, max_size=5)
)


@given(scores=SCORES, fan_in=st.sampled_from([1, 7, 100, 4096]), seed=st.integers(0, 99))
def test_signals_are_the_rounded_difference_of_softmax_and_label(scores, fan_in, seed):
    loss = CrossEntropy(fan_in, 1.0)
    y = np.random.default_rng(seed).integers(0, len(scores[0]), len(scores))
    s = np.array(scores, np.int32)
    z = loss.signals(s, y)
    assert z.dtype == np.int8
    assert z.tolist() == spec.cross_entropy_signals(scores, y.tolist(), loss.table.tolist())
    assert (abs(z.astype(int)) <= 127).all()
    p = loss.probabilities(s)
    # each weight is off by at most 2**-21 of the largest one, so p by k * 2**-21; then 127 p is rounded
    assert abs(z - 127 * (p - np.eye(len(scores[0]))[y])).max() <= 0.5 + 1e-9
    logits = s / math.sqrt(fan_in)
    exact = np.exp(logits - logits.max(axis=1, keepdims=True))
    exact /= exact.sum(axis=1, keepdims=True)
    assert abs(p - exact).max() <= (len(scores[0]) + 1) * 2.0**-21
    np.testing.assert_array_equal(p.argmax(axis=1), s.argmax(axis=1))


@given(scores=SCORES, seed=st.integers(0, 99), certain=st.booleans())
def test_soft_targets_move_signals_by_what_they_share(scores, seed, certain):
    rng, n_classes = np.random.default_rng(seed), len(scores[0])
    y, s = rng.integers(0, n_classes, len(scores)), np.array(scores, np.int32)
    gamma = np.zeros(len(y)) if certain else rng.random(len(y))
    shares, loss = integer_targets(y, gamma, n_classes), CrossEntropy(100)
    hard = np.eye(n_classes, dtype=int)[y] * 127
    assert (shares.sum(axis=1) == 127).all()
    # every other class is rounded once, and the class gets what is left
    exact = 127 * ((1 - gamma[:, None]) * np.eye(n_classes)[y] + gamma[:, None] / n_classes)
    assert (abs(shares - exact) <= np.where(hard > 0, 0.5 * (n_classes - 1), 0.5) + 1e-9).all()
    assert (loss.signals(s, shares).astype(int) == loss.signals(s, y).astype(int) + hard - shares).all()
    if certain:
        assert (shares == hard).all()
        assert loss.values(s, shares) == pytest.approx(loss.values(s, y), rel=1e-12)
        assert loss.n_correct(s, shares) == loss.n_correct(s, y)


def test_the_table_is_the_rounded_exponential():
    for fan_in, temperature in ((1, 1.0), (100, 0.5), (1024, 2.0)):
        table = CrossEntropy(fan_in, temperature).table
        scale = temperature * math.sqrt(fan_in)
        for d, entry in enumerate(table.tolist()):
            # float64 is good to 1e-15 here; 1e-6 decides no rounding of a number that is not that near a half
            assert abs(entry - 2**20 * math.exp(-d / scale)) <= 0.5 + 1e-6
        assert table[0] == 2**20
        assert table[-1] == 0


def test_values_are_the_negative_log_probabilities():
    loss = CrossEntropy(4, 1.0)
    s = np.array([[0, 2], [100, -100]], np.int32)
    got = loss.values(s, np.array([0, 1]))
    assert abs(got[0] - math.log(1 + math.e)) < 2e-6  # table entries are off by at most 2**-21
    assert abs(got[1] - 20 * math.log(2)) < 2**-31  # where the table ends; two logarithms are good to 0.53 units


@given(scores=SCORES, seed=st.integers(0, 99))
def test_losses_are_the_logarithms_of_the_tables_entries(scores, seed):
    """Each logarithm is good to 0.53 units; where the table ends in 0, its argument is taken for 1."""
    s, rng, unit = np.array(scores, np.int32), np.random.default_rng(seed), Decimal(LOSS_ONE)
    classes, labels = rng.integers(0, s.shape[1], len(s)), rng.integers(0, 2, s.shape)
    softmax, logistic = CrossEntropy(100), BinaryCrossEntropy(100)
    end = len(softmax.table) - 1
    for i, row in enumerate(scores):
        parts = [Decimal(int(softmax.table[min(max(row) - one, end)])) for one in row]
        exact = sum(parts).ln() - max(parts[classes[i]], Decimal(1)).ln()
        assert abs(softmax.total(s[i : i + 1], classes[i : i + 1]) - unit * exact) < Decimal("1.06")
        exact = Decimal(0)
        for one, label in zip(row, labels[i], strict=True):
            full, small = (Decimal(int(logistic.table[min(d, end)])) for d in (0, abs(one)))
            exact += (full + small).ln() - max(full if one * (2 * int(label) - 1) > 0 else small, Decimal(1)).ln()
        assert abs(logistic.total(s[i : i + 1], labels[i : i + 1]) - unit * exact) < Decimal("1.06") * len(row)


@given(scores=SCORES, seed=st.integers(0, 99), cut=st.integers(0, 5))
def test_losses_of_disjoint_samples_add(scores, seed, cut):
    """Theorem (exactness): what is summed is an integer; a history is equal wherever its model is."""
    s, rng = np.array(scores, np.int32), np.random.default_rng(seed)
    for loss, y in (
        (CrossEntropy(7), rng.integers(0, s.shape[1], len(s))),
        (BinaryCrossEntropy(7), rng.integers(0, 2, s.shape)),
        (SquaredError(5), rng.integers(-50, 50, s.shape)),
    ):
        whole = loss.total(s, y)
        assert type(whole) is int
        assert loss.total(s[:cut], y[:cut]) + loss.total(s[cut:], y[cut:]) == whole
        assert whole == sum(round(value * LOSS_ONE) for value in loss.values(s, y).tolist())


@pytest.mark.parametrize("y", [[[0], [1, 2]], ["a", "b"], [0.5, 1.0]])
def test_targets_that_are_no_classes_are_named(y):
    with pytest.raises((TypeError, ValueError), match="y must be"):
        CrossEntropy(4).signals(np.zeros((2, 3), np.int32), y)
    with pytest.raises((TypeError, ValueError), match="sample_weight must be"):
        CrossEntropy(4).signals(np.zeros((2, 3), np.int32), np.array([0, 1]), y)


def test_squared_errors_beside_a_large_scale_are_exact():
    """The scale is squared as well, and added before the division."""
    loss = SquaredError(2**30)
    error = 32767
    exact = (2 * LOSS_ONE * error**2 + 2**60) // 2**61
    assert loss.fixed_values(np.array([[error]]), np.array([[0]])).tolist() == [exact]
    assert exact == 4


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        ([-1], ValueError, r"y must be in \[0, 2\], got \[-1, -1\]"),
        ([3], ValueError, r"y must be in \[0, 2\]"),
        ([True], TypeError, "y must be an array of classes, integers, got bool"),
        ([0.5], TypeError, "y must be an array of classes"),
        ([0, 1], ValueError, "smoothing must have the shape of y"),
    ],
)
def test_classes_that_are_none_are_not_softened(y, error, words):
    with pytest.raises(error, match=words):
        integer_targets(y, np.array([0.1]), 3)


def test_squared_errors_too_large_for_int64_are_still_exact():
    s, y = np.array([[2**31 - 1, -(2**31)], [3, 4]], np.int32), np.array([[-(2**31), 2**31], [0, 0]])
    exact = (2**32 - 1) ** 2 + 2**64
    assert SquaredError(1).total(s, y) == (exact + 25) * LOSS_ONE
    assert SquaredError(2**30).total(s, y) == round(Fraction(exact, 2**28))
    with pytest.raises(ValueError, match=r"y must be within 2\*\*31 of 0"):
        SquaredError(1).signals(s, y * 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: CrossEntropy(0), ValueError, r"fan_in must be an integer in \[1, 2147483647\]"),
        (lambda: CrossEntropy(1, 0.0), ValueError, "temperature must be a finite number > 0"),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2)), np.zeros(1, int)),
            TypeError,
            "scores must be an array of int32",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2), np.int32), np.zeros(1)),
            TypeError,
            "y must be a 1-D array of class",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2), np.int32), np.array([2])),
            ValueError,
            r"y must be in \[0, 1\]",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((2, 2), np.int32), np.array([1])),
            ValueError,
            "y has 1 entries",
        ),
    ],
)
def test_bad_input_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


@given(scores=SCORES, seed=st.integers(0, 99))
def test_signals_of_labels_are_the_rounded_difference_of_logistic_and_label(scores, seed):
    loss, s = BinaryCrossEntropy(100, 1.0), np.array(scores, np.int32)
    y = np.random.default_rng(seed).integers(0, 2, s.shape)
    z = loss.signals(s, y)
    p = loss.probabilities(s)
    # one table entry is off by at most 2**-21 of the denominator; then 127 times that is rounded
    assert abs(z - 127 * (p - y)).max() <= 0.5 + 127 * 2.0**-21
    assert abs(p - 1 / (1 + np.exp(-s / 10.0))).max() <= 2.0**-20
    np.testing.assert_array_equal(loss.signals(-s, 1 - y), -z, strict=True)  # a label and its negation mirror
    assert (loss.values(s, y) >= 0).all()
    assert loss.n_correct(s, (s > 0).astype(int)) == len(s)


@given(scores=SCORES, seed=st.integers(0, 99), scale=st.sampled_from([1, 7, 64]))
def test_signals_of_numbers_are_the_rounded_clipped_error(scores, seed, scale):
    loss, s = SquaredError(scale), np.array(scores, np.int32)
    y = np.random.default_rng(seed).integers(-300, 300, s.shape)
    z = loss.signals(s, y)
    exact = np.clip(127 * (s - y) / scale, -127, 127)
    assert abs(z - exact).max() <= 0.5
    np.testing.assert_array_equal(loss.signals(-s, -y), -z, strict=True)
    assert loss.values(s, y) == pytest.approx((((s - y) / scale) ** 2).sum(axis=1))  # the formula, once more


def test_weights_multiply_signals_and_round_away_from_zero():
    loss, s = SquaredError(127), np.array([[5], [-5], [5], [5]], np.int32)
    weights = np.array([FULL_WEIGHT, FULL_WEIGHT // 2, 0, 1])
    assert loss.signals(s, np.zeros((4, 1), int), weights).ravel().tolist() == [5, -3, 0, 0]
    for wrong, text in ((weights[:2], "sample_weight must be 4"), (weights - 1, "sample_weight must be in")):
        with pytest.raises((TypeError, ValueError), match=text):
            loss.signals(s, np.zeros((4, 1), int), wrong)


@pytest.mark.parametrize(
    ("loss", "y", "text"),
    [
        (BinaryCrossEntropy(1), np.array([[2, 0]]), "labels 0 and 1"),
        (BinaryCrossEntropy(1), np.array([0]), "shape of scores"),
        (SquaredError(1), np.array([[0.5, 0]]), "y must be an array of integers"),
        (SquaredError(1), np.array([[1]]), "shape of scores"),
    ],
)
def test_targets_of_the_wrong_kind_are_named(loss, y, text):
    with pytest.raises((TypeError, ValueError), match=text):
        loss.signals(np.zeros((1, 2), np.int32), y)


def test_shares_of_many_classes_are_never_negative():
    for n_classes in (*range(1, 300), 1000):
        shares = integer_targets(np.zeros(101, int), np.linspace(0, 1, 101), n_classes)
        assert shares.min() >= 0, n_classes
        assert (shares.sum(axis=1) == 127).all(), n_classes
