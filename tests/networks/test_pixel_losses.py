"""Losses at every pixel: those of pixels as samples, whatever the loss."""

import numpy as np
import pytest

from bvar.networks import FULL_WEIGHT, BinaryCrossEntropy, CrossEntropy, PerPixel, SquaredError
from bvar.real import RealCrossEntropy

LOSSES = {"integer": (CrossEntropy(100), np.int32), "real": (RealCrossEntropy(), np.float32)}


@pytest.mark.parametrize("name", LOSSES)
def test_every_pixel_is_a_sample_of_the_loss(name):
    loss, dtype = LOSSES[name]
    random = np.random.RandomState(0)
    scores = (20 * random.standard_normal((3, 5 * 4))).astype(dtype)
    y = random.randint(0, 4, (3, 5))
    y[1] = scores[1].reshape(5, 4).argmax(axis=1)
    pixels, flat = scores.reshape(-1, 4), y.ravel()
    per_pixel = PerPixel(loss, 4)
    assert (per_pixel.signals(scores, y).reshape(-1, 4) == loss.signals(pixels, flat)).all()
    assert per_pixel.signals(scores, y).dtype == loss.signals(pixels, flat).dtype
    weights = np.array([FULL_WEIGHT, 0, FULL_WEIGHT // 3])
    weighed = loss.signals(pixels, flat, np.repeat(weights, 5))
    assert (per_pixel.signals(scores, y, weights).reshape(-1, 4) == weighed).all()
    assert per_pixel.values(scores, y) == pytest.approx(loss.values(pixels, flat).reshape(3, 5).mean(axis=1))
    assert per_pixel.n_correct(scores, y) == 1
    wanted = loss.probabilities(pixels).reshape(3, -1)
    assert (per_pixel.probabilities(scores) == wanted).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: PerPixel(SquaredError(3), 2), TypeError, "loss must be a loss whose scores mean probabilities"),
        (lambda: PerPixel(CrossEntropy(3), 0), ValueError, "n_classes must be"),
        (
            lambda: signals(np.zeros((2, 7), np.int32), np.zeros((2, 2), int)),
            ValueError,
            "a multiple of 3 columns",
        ),
        (lambda: signals(np.zeros((2, 6), np.int32), np.zeros(4, int)), ValueError, r"shape \(2, 2\), got shape"),
        (lambda: signals(np.zeros((2, 6), np.int32), np.full((2, 2), 3)), ValueError, r"y must be in \[0, 2\]"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def signals(scores, y):
    return PerPixel(CrossEntropy(9), 3).signals(scores, y)


def test_no_images_have_no_losses():
    loss, scores = PerPixel(CrossEntropy(fan_in=100), 3), np.zeros((0, 6), np.int32)
    wide = loss.check_scores(scores)
    targets = loss.check_targets(wide, np.zeros((0, 2), np.int64))
    assert loss.fixed_values(wide, targets).shape == (0,)


def test_losses_without_classes_are_refused():
    with pytest.raises(TypeError, match="loss must be a loss whose scores mean probabilities of classes"):
        PerPixel(BinaryCrossEntropy(100), 1)
