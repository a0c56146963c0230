"""Measures of images and segmentations, against their definitions."""

import numpy as np
import pytest

from bvar.inspection import class_iou, peak_signal_to_noise, structural_similarity

RANDOM = np.random.RandomState(0)


def test_the_ratio_is_a_mean_over_images_in_decibels():
    y = RANDOM.randint(0, 256, (2, 5, 6, 3))
    x = y + np.array([1, 10])[:, None, None, None]
    assert peak_signal_to_noise(x, y) == pytest.approx((20 * np.log10(255) + 20 * np.log10(25.5)) / 2)
    assert peak_signal_to_noise(x / 255, y / 255, peak=1) == pytest.approx(peak_signal_to_noise(x, y))
    assert peak_signal_to_noise(y, y) == np.inf


def test_structural_similarity_is_its_formula_in_every_window():
    x, y = RANDOM.randint(0, 256, (2, 1, 13, 12)).astype(float)
    d = np.arange(-5, 6)
    window = np.exp(-(d[:, None] ** 2 + d**2) / (2 * 1.5**2))
    window /= window.sum()
    found = []
    for i in range(3):
        for j in range(2):
            a, b = (v[0, i : i + 11, j : j + 11] for v in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            spread_a, spread_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            common = (window * (a - mean_a) * (b - mean_b)).sum()
            one, two = 2.55**2, 7.65**2
            ratio = (2 * mean_a * mean_b + one) * (2 * common + two)
            found.append(ratio / ((mean_a**2 + mean_b**2 + one) * (spread_a + spread_b + two)))
    assert structural_similarity(x, y) == pytest.approx(np.mean(found))


def test_intersection_over_union_is_that_of_sets_of_pixels():
    found, y = RANDOM.randint(0, 4, (2, 3, 7, 5))
    iou = class_iou(found, y, 5)
    for c in range(4):
        a, b = set(np.flatnonzero(found == c)), set(np.flatnonzero(y == c))
        assert iou[c] == len(a & b) / len(a | b)
    assert np.isnan(iou[4])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: peak_signal_to_noise(np.zeros((1, 3)), np.zeros((1, 4))), ValueError, "images must be"),
        (
            lambda: structural_similarity(np.zeros((1, 9, 20)), np.zeros((1, 9, 20))),
            ValueError,
            "at least 11 pixels",
        ),
        (lambda: class_iou([[0, 1]], [[0]], 2), ValueError, "found must have the shape of y"),
        (lambda: class_iou([[0, 2]], [[0, 1]], 2), ValueError, r"found and y must be in \[0, 1\]"),
        (lambda: class_iou([[0.5]], [[0.5]], 2), TypeError, "must be integers"),
        (lambda: class_iou([[0]], [[0]], 0), ValueError, "n_classes must be"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64])
def test_small_integers_do_not_overflow(dtype):
    """The square of 255 as a byte is 1."""
    x, y = RANDOM.randint(0, 99, (2, 2, 12, 12)).astype(dtype)
    peak = dtype(99)
    assert peak_signal_to_noise(x, y, peak) == peak_signal_to_noise(x.astype(float), y.astype(float), 99.0)
    assert structural_similarity(x, y, peak) == structural_similarity(x.astype(float), y.astype(float), 99.0)
    np.testing.assert_array_equal(class_iou(x, y, 99), class_iou(x.astype(int), y.astype(int), 99))


@pytest.mark.parametrize("unit", [1e-73, 1e73])
def test_the_unit_of_pixels_does_not_matter(unit):
    x, y = RANDOM.rand(2, 1, 12, 12)
    for measure in (peak_signal_to_noise, structural_similarity):
        assert measure(unit * x, unit * y, unit) == pytest.approx(measure(x, y, 1.0), rel=1e-9)


@pytest.mark.parametrize("measure", [peak_signal_to_noise, structural_similarity])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"peak": 0}, "peak must be a finite number > 0, got 0"),
        ({"peak": "x"}, "peak must be a finite number > 0, got 'x'"),
        ({"peak": np.nan}, "peak must be a finite number > 0"),
        ({"peak": True}, "peak must be a finite number > 0"),
        ({"peak": 1e200}, r"peak must be from 1e-75 to 1e\+75, or its powers are no floats, got 1e\+200"),
        ({"peak": 1e-200}, r"peak must be from 1e-75 to 1e\+75"),
        ({"images": np.full((1, 12, 12), -1e80)}, r"images and targets must be within 1e\+75 of 0"),
        ({"images": "x"}, "images and targets must be numbers"),
        ({"images": None}, "images and targets must be numbers"),
        ({"images": [[1], [1, 2]]}, "images must be an array, got rows of different lengths"),
        ({"images": np.full((1, 12, 12), np.nan)}, "images and targets must be finite"),
        ({"images": 1.0, "targets": 2.0}, "images must be one or more"),
    ],
)
def test_what_is_no_image_is_named(measure, arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        measure(**{"images": np.zeros((1, 12, 12)), "targets": np.ones((1, 12, 12)), **arguments})
