"""Soft labels and the Mollifier: known values, limits, distributions, and errors that say what is wrong."""

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.base import clone

from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    Mollifier,
    blur,
    blur_smoothing,
    confidence_matched_schedule,
    noise_at_time,
    noise_smoothing,
    soft_targets,
    standard_moments,
    standardize,
)
from bvar.mollify.mollifier import beta_times, degrade_by_role

T = np.arange(11) / 10
ROUNDING = 1e-14  # some ten operations on numbers of at most 1, each off by 2^-53 at most
X = np.random.RandomState(0).standard_normal((3000, 64))
SQUARE = (8, 8)


# ------------------------------------------------------------------------------------------------- labels


def test_smoothing_is_that_of_the_formulas():
    table = [0, 0.02, 0.10, 0.21, 0.35, 0.50, 0.65, 0.79, 0.90, 0.98, 1]  # two digits of sin(pi t / 2)^2
    assert abs(noise_smoothing(T) - table).max() <= 0.005
    assert abs(noise_smoothing(1 / 3, 3) - 1 / 64) < ROUNDING  # sin(pi / 6) = 1/2
    assert blur_smoothing(0.5, 3) == 0.125
    assert (blur_smoothing(T) == T).all()
    for smoothing in (noise_smoothing, blur_smoothing):
        for k in (0.5, 1, 4, 100):
            gamma = smoothing(T, k)
            assert gamma[0] == 0
            assert gamma[-1] == 1
            assert (np.diff(gamma) >= 0).all()


def test_smoothing_is_the_noise_fraction_of_noise():
    """At k = 1: the variance of what noise adds, which is sin^2; tolerance 5 sd of the sample variance."""
    zeros = np.zeros((11, 4000))
    spread = noise_at_time(zeros, T, random_state=0).var(axis=1)
    assert abs(spread - noise_smoothing(T)).max() < 5 * np.sqrt(2 / 4000)


def test_soft_targets_are_mixtures():
    y = soft_targets([2, 0, 1], [0, 0.3, 1], 3)  # few operations each, as ROUNDING says
    np.testing.assert_allclose(y, [[0, 0, 1], [0.8, 0.1, 0.1], [1 / 3] * 3], rtol=0, atol=ROUNDING)
    assert y[0].tolist() == [0, 0, 1]
    assert soft_targets([1], 0.5, 2).tolist() == [[0.25, 0.75]]
    assert soft_targets(np.zeros(0, int), 0.5, 2).shape == (0, 2)


def test_cross_entropy_tempers_the_likelihood():
    f = np.random.RandomState(1).dirichlet(np.ones(4), size=5)
    codes, gamma = np.array([0, 1, 2, 3, 0]), np.array([0, 0.2, 0.5, 0.9, 1])
    loss = -(soft_targets(codes, gamma, 4) * np.log(f)).sum(axis=1)
    g = np.exp(np.log(f).mean(axis=1))
    # losses are below 10, so that their roundings are ten times as large
    tempered = -np.log(f[np.arange(5), codes] ** (1 - gamma) * g**gamma)
    np.testing.assert_allclose(loss, tempered, rtol=0, atol=10 * ROUNDING)


def test_confidence_matched_targets_are_as_sure_as_they_are_right():
    accuracies = [0.97, 0.9, 0.5, 0.1]
    gamma = confidence_matched_schedule([0, 0.3, 0.6, 1], accuracies, 10)
    np.testing.assert_allclose(soft_targets([0] * 4, gamma, 10)[:, 0], accuracies, rtol=0, atol=ROUNDING)
    assert confidence_matched_schedule([0, 1], [1, 0.02], 10).tolist() == [0, 1]  # below chance: clipped
    pooled = confidence_matched_schedule([0, 0.1, 0.2], [0.8, 1.0, 0.9], 2)
    np.testing.assert_allclose(pooled, [0.2, 0.2, 0.2], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: noise_smoothing(1.1), ValueError, r"t must be in \[0, 1\]"),
        (lambda: blur_smoothing(np.nan), ValueError, r"t must be in \[0, 1\]"),
        (lambda: noise_smoothing(0.5j), TypeError, "t must be an array of real numbers, got dtype complex128"),
        (lambda: blur_smoothing(["a"]), TypeError, "t must be an array of real numbers, got dtype <U1"),
        (lambda: soft_targets([[0], [0, 1]], 0, 2), ValueError, "codes must be an array, got rows of different"),
        (lambda: blur_smoothing(0.5, 0), ValueError, "exponent must be a finite number > 0"),
        (lambda: soft_targets([0.0], 0, 2), TypeError, "codes must be integers"),
        (lambda: soft_targets([2], 0, 2), ValueError, r"codes must be in \[0, 1\]"),
        (lambda: soft_targets([-1], 0, 2), ValueError, r"codes must be in \[0, 1\]"),
        (lambda: soft_targets([1], 2, 2), ValueError, r"gamma must be in \[0, 1\]"),
        (lambda: soft_targets([1], [0, 0], 2), ValueError, r"gamma must be a number or have shape \(1,\)"),
        (lambda: confidence_matched_schedule([0, 0], [1, 1], 2), ValueError, "t must increase"),
        (lambda: confidence_matched_schedule([0], [1, 1], 2), ValueError, "one shape"),
        (lambda: confidence_matched_schedule([0], [1], 1), ValueError, "n_classes must be an integer >= 2"),
    ],
)
def test_bad_labels_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


# ---------------------------------------------------------------------------------------------- mollifier


@pytest.mark.parametrize("roles", ["", "x", "xx"])
def test_clean_roles_change_nothing(roles):
    degraded, gamma = Mollifier(roles).degrade(X, 0)
    assert degraded.tobytes() == X.tobytes()
    assert degraded is not X
    assert not gamma.any()


def test_roles_are_drawn_as_often_as_they_are_written():
    degraded, gamma = Mollifier("xxnb", image_shape=SQUARE).degrade(X, 0)
    clean = (degraded == X).all(axis=1)
    assert abs(clean.mean() - 0.5) < 5 * 0.5 / np.sqrt(len(X))  # five standard errors of a share
    assert (gamma[clean] == 0).all()
    assert (gamma[~clean] > 0).all()


@pytest.mark.parametrize(("role", "smoothing"), [("n", noise_smoothing), ("b", blur_smoothing)])
def test_each_label_belongs_to_the_time_of_its_sample(role, smoothing):
    """Blur is a function of t, and noise has spread sin(pi t / 2) about cos(pi t / 2) x."""
    degraded, gamma = Mollifier(role, label_exponent=3, image_shape=SQUARE).degrade(X, 5)
    t = np.interp(gamma, smoothing(np.linspace(0, 1, 100001), 3), np.linspace(0, 1, 100001))
    if role == "b":
        again = blur(X.reshape(-1, 8, 8), t).reshape(X.shape)
        # t is read off a grid of step 1e-5, through a cube root; a pixel moves by at most some ten per unit of t
        assert abs(again - degraded).max() < 1e-3
    else:
        rest = degraded - np.cos(np.pi * t / 2)[:, None] * X
        # five standard errors of a sum of squares: for each sample 64 squares of variance 2 sin^4
        v = np.sin(np.pi * t / 2) ** 2
        assert abs((rest**2).mean() - v.mean()) < 5 * np.sqrt(2 * (v**2).mean() / rest.size)
        # sin is below 0.31 for t < 0.2 and above 0.8 for t > 0.6
        blocks = rest[t < 0.2], rest[t > 0.6]
        assert blocks[0].std() < 0.31 < 0.8 < blocks[1].std()


def test_times_follow_the_beta_distribution():
    """A correct sampler falls below a p-value of 0.01 with one seed in a hundred; these seeds are fixed."""
    for beta in (0.5, 1, 2, 9):
        t = beta_times(np.random.RandomState(3), beta, 4000)
        assert kstest(t, "beta", args=(1, beta)).pvalue > 0.01
    gamma = Mollifier("b", beta=4, label_exponent=1, image_shape=SQUARE).degrade(X, 3)[1]
    assert kstest(gamma, "beta", args=(1, 4)).pvalue > 0.01


def test_hard_labels_change_labels_only():
    hard, soft = (Mollifier(image_shape=SQUARE, label_exponent=k) for k in (None, 2.0))
    assert not hard.degrade(X, 1)[1].any()
    assert hard.degrade(X, 1)[0].tobytes() == soft.degrade(X, 1)[0].tobytes()


def test_a_schedule_takes_degradation_away():
    mollifier = Mollifier(image_shape=SQUARE, label_exponent=1, schedule=LinearSchedule())
    full, half, none = (mollifier.degrade(X, 2, progress=u) for u in (0, 0.5, 1))
    plain = clone(mollifier).set_params(schedule=None).degrade(X, 2, progress=0.5)
    assert full[0].tobytes() == plain[0].tobytes()
    assert none[0].tobytes() == X.tobytes()
    assert not none[1].any()
    blurred = half[1] == full[1] / 2  # t is halved, and gamma is t for blur alone
    # blurred and clean: two of three, within five standard errors
    assert abs(blurred.mean() - 2 / 3) < 5 * np.sqrt(2 / 9 / len(X))
    assert abs(half[0] - X).mean() < abs(full[0] - X).mean()


def test_one_seed_is_one_degradation():
    mollifier = Mollifier(image_shape=SQUARE, schedule=CosineSchedule())
    twin = clone(mollifier)
    assert twin.get_params() == mollifier.get_params()
    a, b, c = mollifier.degrade(X, 7, 0.1), twin.degrade(X, np.random.RandomState(7), 0.1), twin.degrade(X, 8, 0.1)
    assert a[0].tobytes() == b[0].tobytes()
    assert a[1].tobytes() == b[1].tobytes()
    assert a[0].tobytes() != c[0].tobytes()


def test_types_and_shapes_are_kept():
    small, gamma = Mollifier("xn").degrade(X[:4].astype(np.float32), 0)
    assert small.dtype == np.float32
    assert gamma.dtype == np.float64
    assert Mollifier("xn").degrade(np.zeros((0, 3)), 0)[0].shape == (0, 3)
    colour = Mollifier("b", image_shape=(4, 4, 4)).degrade(X[:5], 0)[0]
    assert colour.shape == (5, 64)
    kept = X[:5].reshape(5, 16, 4).mean(axis=1)
    means = colour.reshape(5, 16, 4).mean(axis=1)  # channel by channel
    np.testing.assert_allclose(means, kept, rtol=0, atol=10 * ROUNDING)  # two transforms of 16 pixels


def test_one_time_may_stand_for_all():
    one = degrade_by_role(X[:4], "b", 0.4, SQUARE)
    assert one.tobytes() == degrade_by_role(X[:4], "b", np.full(4, 0.4), SQUARE).tobytes()
    with pytest.raises(ValueError, match="image_shape must be given for blur"):
        degrade_by_role(X, "b", 0.4, None)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"roles": "xnq"}, ValueError, "roles must be a string of the letters 'x', 'n' and 'b', got 'xnq'"),
        ({"roles": None}, ValueError, "roles must be a string"),
        ({}, ValueError, "image_shape, or roles of 'x' and 'n' alone"),
        ({"roles": "n", "beta": 0}, ValueError, "beta must be a finite number > 0"),
        ({"roles": "n", "label_exponent": -1}, ValueError, "label_exponent must be a finite number > 0"),
        ({"image_shape": (8, 7)}, ValueError, r"image_shape \(8, 7\) has 56 pixels, but X has 64 features"),
        ({"image_shape": (64,)}, ValueError, r"image_shape must be \(height, width\)"),
        ({"image_shape": 8}, ValueError, "image_shape must be .* got 8"),
        ({"roles": "n", "schedule": "linear"}, TypeError, "schedule must be None or a Schedule, got 'linear'"),
        ({"roles": "n", "schedule": LinearSchedule()}, ValueError, "progress must be given"),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        Mollifier(**parameters).degrade(X[:3], 0)


def test_bad_samples_are_named():
    with pytest.raises(ValueError, match=r"X must have shape \(n_samples, n_features\), got shape \(3, 8, 8\)"):
        Mollifier("n").degrade(np.zeros((3, 8, 8)), 0)


# ------------------------------------------------------------------------------------------ standardising


def test_standardised_data_have_mean_0_and_variance_1():
    data = 3 * X + np.arange(64)
    for shape, axis in ((None, 0), (SQUARE, None)):
        mean, std = standard_moments(data, shape)
        assert np.ndim(mean) == np.ndim(std) == (axis == 0)
        z = standardize(data, mean, std)
        # means of up to 192,000 numbers as large as 70, added in pairs: rounded by some 2^-53 70 log2(192,000)
        np.testing.assert_allclose(z.mean(axis=axis), 0, atol=1e-12)
        np.testing.assert_allclose(z.std(axis=axis), 1, rtol=0, atol=1e-12)  # of squares, likewise


def test_constant_features_become_zero():
    for dtype in (np.float32, np.float64):  # the mean of equal numbers is off by a rounding of the dtype, 6e-8
        data = np.full((7, 2), [0.1, 0.0], dtype)
        z = standardize(data, *standard_moments(data))
        assert z.dtype == dtype
        assert abs(z).max() < 1e-7
