"""Corruptions grow with severity and repeat themselves; calibration errors are those computed by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

from bvar.mollify import (
    attainable_accuracy,
    confidence_matched_schedule,
    corrupt,
    corrupted_scores,
    expected_calibration_error,
)
from bvar.mollify.corruptions import CORRUPTIONS

DIGITS = load_digits().images[:300] / 16
# smooth blobs of 28x28, with no grid of their own
BLOBS = gaussian_filter(np.random.RandomState(0).standard_normal((60, 28, 28)), (0, 2, 2))
LARGE = np.clip(0.5 + 4 * BLOBS, 0, 1)


def rounded(value):
    """Equal but for rounding: some hundred operations on numbers near 1, each off by 2^-53 at most."""
    return pytest.approx(value, rel=0, abs=1e-13)


RANDOM = {"gaussian_noise", "shot_noise", "impulse_noise", "translate", "occlusion"}


@pytest.mark.parametrize("images", [DIGITS, LARGE], ids=["8x8", "28x28"])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_change_grows_with_severity(name, images):
    change = [((corrupt(images, name, severity, 0) - images) ** 2).mean() for severity in range(1, 6)]
    assert change[0] > 1e-4  # a hundredth of the full scale, squared: less would not be seen
    assert (np.diff(change) > 0).all(), change
    assert change[-1] < 0.35  # what exchanging all pixels for coins would give


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupted_images_are_images_and_repeatable(name):
    original = DIGITS.copy()
    a, b, c = (corrupt(DIGITS, name, 3, seed) for seed in (0, np.random.RandomState(0), 1))
    assert a.shape == DIGITS.shape
    assert a.dtype == np.float64
    assert 0 <= a.min() < a.max() <= 1
    assert a.tobytes() == b.tobytes()
    assert (a.tobytes() != c.tobytes()) == (name in RANDOM)
    assert (original == DIGITS).all()
    assert corrupt(DIGITS[:0], name, 1).shape == (0, 8, 8)
    assert corrupt(DIGITS[:, :5], name, 5, 0).shape == (300, 5, 8)


@pytest.mark.parametrize("name", ["defocus_blur", "motion_blur", "heat_blur", "pixelate", "contrast"])
def test_blur_keeps_what_is_even(name):
    even = np.full((2, 8, 8), 0.3)
    assert corrupt(even, name, 5, 0) == rounded(even)


def test_translation_moves_by_pixels():
    dot = np.zeros((200, 8, 8))
    dot[:, 4, 4] = 1
    moved = corrupt(dot, "translate", 3, 0)  # one pixel
    places = {tuple(place) for place in np.argwhere(moved == 1)[:, 1:].tolist()}
    assert places == {(3, 4), (5, 4), (4, 3), (4, 5)}
    assert (moved.sum(axis=(1, 2)) == 1).all()
    part = corrupt(dot, "translate", 1, 0)
    assert part[:, 4, 4] == rounded(0.6)


def test_known_values():
    grey, n = np.full((50, 8, 8), 0.5), 50 * 64
    # five standard errors each: of a share of 0.4, of a standard deviation, and of a variance of Poisson counts
    # of mean 10, whose fourth moment adds 1/10 to the 2 of the normal distribution
    share = (corrupt(grey, "impulse_noise", 5, 0) != 0.5).mean()
    assert abs(share - 0.4) < 5 * np.sqrt(0.4 * 0.6 / n)
    assert corrupt(grey, "gaussian_noise", 1, 0).std() == pytest.approx(0.1, rel=5 / np.sqrt(2 * n))
    assert corrupt(grey, "shot_noise", 1, 0).var() == pytest.approx(0.05 * 0.5, rel=5 * np.sqrt(2.1 / n))
    assert (corrupt(grey, "occlusion", 1, 0) == 0).sum(axis=(1, 2)).tolist() == [4] * 50
    assert corrupt(grey, "fading", 5)[0, 0, [0, -1]].tolist() == [0.5, 0]
    spot = np.zeros((1, 9, 9))
    spot[0, 4, 4] = 1
    streak = corrupt(spot, "motion_blur", 1)[0]  # 1.5 * 9/8 pixels long
    assert streak[4, 3:6] == rounded(np.array([0.34375, 1, 0.34375]) / 1.6875)
    assert np.count_nonzero(streak) == 3


def test_bad_images_are_named():
    for call, error, text in (
        (lambda: corrupt(DIGITS * 16, "contrast", 1), ValueError, r"images must have values in \[0, 1\]"),
        (lambda: corrupt(DIGITS[0], "contrast", 1), ValueError, r"images must have shape \(n, h, w\)"),
        (lambda: corrupt(DIGITS + 0j, "contrast", 1), TypeError, "images must be an array of real numbers"),
        (lambda: corrupt([[["a"]]], "contrast", 1), TypeError, "images must be an array of real numbers"),
        (lambda: corrupted_scores(len, DIGITS[0] + 0j, [0] * 8, (2, 4)), TypeError, "X must be an array of real"),
        (lambda: corrupted_scores(len, DIGITS[0, 0], [0], (2, 4)), ValueError, r"X must have shape \(n_samples"),
        (lambda: corrupt(DIGITS, "rain", 1), ValueError, "name must be one of 'gaussian_noise'"),
        (lambda: corrupt(DIGITS, "contrast", 6), ValueError, r"severity must be an integer in \[1, 5\]"),
        (lambda: corrupted_scores(len, DIGITS[0], [0] * 8, (2, 2, 2)), ValueError, r"\(height, width\), got"),
    ):
        with pytest.raises(error, match=text):
            call()


def test_calibration_error_by_hand():
    """Bins (2/15, 3/15], (8/15, 9/15] and (14/15, 1] of four, of two and of two samples."""
    p = np.full((8, 6), 0.16)
    p[:4, 0] = 0.2  # 1 of 4 is right: |0.25 - 0.2| 4/8
    p[4:6, 1] = [0.55, 0.6]  # 1 of 2: |0.5 - 0.575| 2/8; 0.6 is the upper end of its bin
    p[6:, 2] = [0.95, 1.0]  # 0 of 2: 0.975 2/8
    y = [0, 1, 2, 3, 1, 2, 4, 5]
    assert expected_calibration_error(y, p) == rounded(0.05 / 2 + 0.075 / 4 + 0.975 / 4)
    assert expected_calibration_error(y, p, n_bins=1) == rounded(abs(2 / 8 - (0.8 + 1.15 + 1.95) / 8))
    assert expected_calibration_error(["b"], [[0.0, 1.0]], classes=["a", "b"]) == 0
    assert expected_calibration_error(["a"], [[0.0, 1.0]], classes=["a", "b"]) == 1
    with pytest.raises(ValueError, match=r"probabilities must have shape \(1, 1\)"):
        expected_calibration_error(["a"], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="probabilities must be in"):
        expected_calibration_error([0, 1], [[2.0, -1.0], [0, 1]])


def test_a_calibrated_forecaster_has_little_calibration_error():
    """Confidences in [1/2, 1] fill eight bins of 2,500; in each, sd and so mean error are at most 0.5 / 50 = 0.01.

    Told the wrong way round, confidence is above accuracy by 2 max(q, 1 - q) - 1, whose mean is 1/2.
    """
    random = np.random.RandomState(0)
    q = random.random_sample(20000)
    y = random.random_sample(20000) < q
    assert expected_calibration_error(y, np.column_stack([1 - q, q])) < 0.02
    assert abs(expected_calibration_error(y, np.column_stack([q, 1 - q])) - 0.5) < 0.02


def test_scores_are_those_of_each_corruption():
    X, y = DIGITS.reshape(300, 64), np.repeat([3, 7], 150)

    def predict_proba(X):
        p = 1 / (1 + np.exp(-5 * (X[:, 20] - 0.5)))
        return np.column_stack([p, 1 - p])

    scores = corrupted_scores(predict_proba, X, y, (8, 8), names=["occlusion", "contrast"], severities=[2, 4])
    p = predict_proba(corrupt(DIGITS, "contrast", 4, 0).reshape(300, 64))
    assert scores.error.shape == (2, 2)
    assert scores.error[1, 1] == np.mean(np.array([3, 7])[p.argmax(axis=1)] != y)
    assert scores.nll[1, 1] == rounded(log_loss(y, p))
    assert scores.ece[1, 1] == expected_calibration_error(y, p)
    other = corrupted_scores(predict_proba, X, y, (8, 8), names=["occlusion"], severities=[4], random_state=9)
    p = predict_proba(corrupt(DIGITS, "occlusion", 4, 9).reshape(300, 64))
    assert other.nll[0, 0] == rounded(log_loss(y, p))
    assert other.nll[0, 0] != scores.nll[0, 1]
    assert scores.mean_corrupted_error == rounded(scores.error.mean())


def test_attainable_accuracy_falls_to_chance():
    """Two points at -1 and 1 in noise of spread sin and shrunk by cos: accuracy is Phi(cot(pi t / 2))."""
    from scipy.stats import norm

    X, times = np.repeat([[3.0], [7.0]], 5000, axis=0), np.array([0.2, 0.5, 0.8, 1.0])
    y = X[:, 0] > 5
    seen = attainable_accuracy(lambda X: X[:, 0] > 5, X, y, times, random_state=0)
    # five standard errors of a share, which is the most uncertain at one half
    assert abs(seen - norm.cdf(1 / np.tan(np.pi * times / 2))).max() < 5 * 0.5 / np.sqrt(10000)
    gamma = confidence_matched_schedule(times, seen, 2)
    assert (np.diff(gamma) >= 0).all()
    with pytest.raises(ValueError, match="image_shape must be given"):
        attainable_accuracy(len, X, y, [0.5], role="b")
    with pytest.raises(ValueError, match="role must be one of 'n', 'b'"):
        attainable_accuracy(len, X, y, [0.5], role="x")


def test_labels_in_a_column_are_those_of_a_vector():
    X, y = DIGITS.reshape(300, 64), np.repeat([0, 1], 150)
    p = np.column_stack([1 - X.mean(axis=1), X.mean(axis=1)])

    def bright(X):
        return (X.mean(axis=1) > 0.3).astype(int)

    def seen(predict, y):
        return attainable_accuracy(predict, X, y, [0.2, 0.9], random_state=0).tolist()

    assert seen(bright, y[:, None]) == seen(lambda X: bright(X)[:, None], y) == seen(bright, y)
    assert expected_calibration_error(y[:, None], p) == expected_calibration_error(y, p)
    several = (
        corrupted_scores(lambda X: p, X, labels, (8, 8), names=["contrast"], severities=[2])
        for labels in (y, y[:, None])
    )
    one, other = several
    assert (one.error, one.nll, one.ece) == (other.error, other.nll, other.ece)


@pytest.mark.parametrize("labels", [[1], [0, 1, 1], [[0, 1], [1, 0]], 1, [[0], [1, 1]]])
def test_labels_that_are_not_one_a_sample_are_refused(labels):
    X, y, p = np.array([[0.1], [0.9]]), [0, 1], np.full((2, 2), 0.5)
    with pytest.raises(ValueError, match="y must"):
        attainable_accuracy(lambda X: y, X, labels, [0.5], random_state=0)
    with pytest.raises(ValueError, match="what predict returns must"):
        attainable_accuracy(lambda X: labels, X, y, [0.5], random_state=0)
    with pytest.raises(ValueError, match="must"):
        expected_calibration_error(labels, p, classes=[0, 1])
    with pytest.raises(ValueError, match="y must"):
        corrupted_scores(lambda X: p, X, labels, (1, 1), classes=[0, 1])
    with pytest.raises(ValueError, match=r"probabilities must have shape \(2, 2\)"):
        corrupted_scores(lambda X: p[:1], X, y, (1, 1))
