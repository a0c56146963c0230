"""Intervals of the regressor: how often they hold a target, proved by going through all cases."""

from fractions import Fraction
from itertools import product
from math import ceil

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from bvar import BooleanRegressor, load
from bvar.estimators.intervals import half_widths, rank

RNG = np.random.RandomState(0)
X = RNG.rand(300, 3)
Y = X[:, 0] + X[:, 1] + RNG.normal(0, 0.1 + 0.4 * X[:, 2])
COVERAGES = ("0.5", "0.75", "0.8", "0.9")


def fitted(**parameters):
    return BooleanRegressor((8,), max_iter=3, random_state=0, **parameters).fit(X[:100], Y[:100])


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("n", range(1, 7))
def test_of_any_errors_enough_are_held_whichever_is_new(n, coverage):
    """Theorem 1 of prediction-intervals.md: all errors of three sizes, ties included, each in turn the new one."""
    share = Fraction(coverage)
    if ceil((n + 1) * share) > n:
        with pytest.raises(ValueError, match=f"coverage must be at most {n}/{n + 1} with {n} calibration samples"):
            rank(n, float(coverage))
        return
    for errors in product(range(3), repeat=n + 1):
        held = 0
        for new in range(n + 1):
            others = np.sort(np.delete(np.array(errors, float), new))[:, None]
            held += errors[new] <= half_widths(others, float(coverage))[0]
        assert Fraction(held, n + 1) >= share


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("n", range(1, 30))
def test_without_ties_just_enough_are_held(n, coverage):
    share = Fraction(coverage)
    if ceil((n + 1) * share) > n:
        return
    errors = np.arange(n + 1, dtype=float)
    held = sum(e <= half_widths(np.delete(errors, int(e))[:, None], float(coverage))[0] for e in errors)
    assert share <= Fraction(int(held), n + 1) < share + Fraction(1, n + 1)


def test_the_decimal_that_is_written_is_meant():
    assert rank(9, 0.9) == 9  # the float is a little more than nine tenths, and would ask for ten
    assert rank(9, 0.7) == 7
    assert rank(99, 0.99) == 99


@pytest.mark.parametrize("with_spread", [False, True])
def test_a_model_holds_each_sample_in_turn_as_often_as_it_says(with_spread):
    model = fitted()
    spread = BooleanRegressor((8,), max_iter=3, random_state=0)
    spread = spread.fit(X[:100], np.abs(Y[:100] - model.predict(X[:100]))) if with_spread else None
    rows = np.arange(200, 220)
    for coverage in (0.5, 0.9, 0.95):
        held = []
        for row in rows:
            others = rows[rows != row]
            model.calibrate(X[others], Y[others], spread=spread)
            low, high = model.predict_interval(X[[row]], coverage)[0]
            held.append(low <= Y[row] <= high)
        assert sum(held) == ceil(Fraction(str(coverage)) * len(rows))


def test_a_guessed_spread_makes_intervals_wide_where_it_says_so():
    class Guess:
        def predict(self, rows):
            return np.where(rows[:, 2] > 0.5, 2.0, -1.0)  # nothing below a 64th of the deviation is believed

    model = fitted().calibrate(X[100:], Y[100:], spread=Guess())
    low, high = model.predict_interval(X, 0.9).T
    widths = high - low
    wide = X[:, 2] > 0.5
    rounding = 4 * np.spacing(np.abs([low, high]).max())  # of two ends, their difference and the half width
    assert np.ptp(widths[wide]) <= rounding
    ratio = 2 / (model.target_std_[0] / 64)
    assert abs(widths[wide].min() - ratio * widths[~wide].max()) <= (1 + ratio) * rounding


def test_several_targets_have_intervals_each_of_its_own():
    targets = np.column_stack([Y, 10 * X[:, 2]])
    model = BooleanRegressor((8,), max_iter=3, random_state=0).fit(X[:100], targets[:100])
    intervals = model.calibrate(X[100:200], targets[100:200]).predict_interval(X[200:])
    assert intervals.shape == (100, 2, 2)
    held = (intervals[..., 0] <= targets[200:]) & (targets[200:] <= intervals[..., 1])
    assert (held.mean(axis=0) > 0.8).all()
    assert intervals.mean(axis=-1) == pytest.approx(model.predict(X[200:]))


def test_wider_intervals_hold_narrower_ones():
    model = fitted().calibrate(X[100:], Y[100:])
    few, many = model.predict_interval(X, 0.5), model.predict_interval(X, 0.99)
    assert (many[:, 0] <= few[:, 0]).all() and (few[:, 1] <= many[:, 1]).all()  # noqa: PT018


@pytest.mark.parametrize("train", ["fit", "partial_fit"])
def test_training_makes_a_calibration_void(train):
    model = fitted().calibrate(X[100:], Y[100:])
    getattr(model, train)(X[:100], Y[:100])
    with pytest.raises(NotFittedError, match="predict_interval needs calibrate"):
        model.predict_interval(X)


def test_what_was_calibrated_goes_into_a_file(tmp_path):
    model = fitted()
    model.calibrate(X[100:], Y[100:], spread=fitted())
    model.save(tmp_path / "m")
    assert (load(tmp_path / "m").predict_interval(X, 0.8) == model.predict_interval(X, 0.8)).all()
    model.calibration_errors_ = -model.calibration_errors_
    with pytest.raises(ValueError, match="calibration_errors_ must be finite, and in order"):
        model.save(tmp_path / "m")


def test_what_cannot_be_meant_is_refused_and_changes_nothing():
    with pytest.raises(NotFittedError):
        BooleanRegressor().calibrate(X, Y)
    model = fitted().calibrate(X[100:], Y[100:])
    before = model.calibration_errors_
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.calibrate(X, Y[:5])
    with pytest.raises(ValueError, match="must have 1 target"):
        model.calibrate(X, np.column_stack([Y, Y]))
    with pytest.raises(TypeError, match="spread must be None or a fitted regressor, got 3"):
        model.calibrate(X, Y, spread=3)
    with pytest.raises(NotFittedError):
        model.calibrate(X, Y, spread=BooleanRegressor())
    with pytest.raises(ValueError, match=r"spread must predict finite numbers of shape \(300,\)"):
        model.calibrate(X, Y, spread=BooleanRegressor((4,), max_iter=1).fit(X, np.column_stack([Y, Y])))
    still = BooleanRegressor((4,), max_iter=1).fit(X, 0 * Y)  # guesses no spread at all
    with pytest.raises(
        ValueError, match="y must be nearer to predictions: an error in units of the spread is inf"
    ):
        model.calibrate(X[:2], [1.7e308, 0.0], spread=still)
    assert model.calibration_errors_ is before
    for coverage in (0, 1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="coverage must be"):
            model.predict_interval(X, coverage)
    with pytest.raises(TypeError, match="coverage must be a finite number"):
        model.predict_interval(X, "0.9")
    with pytest.raises(ValueError, match=r"coverage must be at most 200/201 .* got 0.999, which needs 999"):
        model.predict_interval(X, 0.999)
