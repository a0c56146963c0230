"""Images as they come from bad cameras: twelve corruptions of five severities.

Gaussian noise and heat blur are what a :class:`Mollifier` trains on, up to clipping; the other ten are not.
In the manner of MNIST-C (Mu and Gilmer 2019, recalled), for grey images; the strengths are this package's own.
Lengths in pixels are those of an image of 8x8, and grow with the shorter side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil, floor, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import convolve1d
from scipy.signal import fftconvolve
from sklearn.metrics import log_loss
from sklearn.utils import check_random_state

from bvar._validation import as_numbers, check_choice, check_image_shape, check_integer
from bvar.mollify.blurring import blur, blur_scale
from bvar.mollify.calibration import check_labels, expected_calibration_error

__all__ = ["CORRUPTIONS", "CorruptedScores", "corrupt", "corrupted_scores"]

_SIDE = 8
SEVERITIES = (1, 2, 3, 4, 5)


class _Scene(NamedTuple):
    """Images, the strength of a corruption, the length of a pixel of 8x8, and where randomness comes from."""

    images: np.ndarray
    strength: float
    unit: float
    random: np.random.RandomState


def _gaussian_noise(scene: _Scene) -> np.ndarray:
    return scene.images + scene.strength * scene.random.standard_normal(scene.images.shape)


def _shot_noise(scene: _Scene) -> np.ndarray:
    photons = 1 / scene.strength
    return scene.random.poisson(photons * scene.images) / photons


def _impulse_noise(scene: _Scene) -> np.ndarray:
    hit = scene.random.random_sample(scene.images.shape) < scene.strength
    return np.where(hit, scene.random.randint(2, size=scene.images.shape), scene.images)


def _defocus_blur(scene: _Scene) -> np.ndarray:
    radius = scene.strength * scene.unit
    reach, fine = ceil(radius), 9  # points to a pixel and direction, so that the disc has a smooth rim
    points = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    disc = (points[:, None] ** 2 + points**2 <= radius**2).astype(np.float64)
    kernel = disc.reshape(2 * reach + 1, fine, 2 * reach + 1, fine).sum(axis=(1, 3))
    wide = np.pad(scene.images, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    return fftconvolve(wide, (kernel / kernel.sum())[None], mode="valid", axes=(1, 2))


def _motion_blur(scene: _Scene) -> np.ndarray:
    half = scene.strength * scene.unit / 2
    cells = np.arange(ceil(half + 0.5) + 1)
    share = np.clip(half + 0.5 - cells, 0, 1)  # of each pixel's width that a path of this length covers
    share[0] = min(2 * half, 1)
    kernel = np.concatenate([share[:0:-1], share])
    return convolve1d(scene.images, kernel / kernel.sum(), axis=2, mode="nearest")


def _heat_blur(scene: _Scene) -> np.ndarray:
    longest = max(scene.images.shape[1:])
    smallest = blur_scale(0.0, longest)
    return blur(scene.images, min(log(scene.strength * scene.unit / smallest) / log(longest / smallest), 1.0))


def _contrast(scene: _Scene) -> np.ndarray:
    mean = scene.images.mean(axis=(1, 2), keepdims=True)
    return mean + (1 - scene.strength) * (scene.images - mean)


def _brightness(scene: _Scene) -> np.ndarray:
    return scene.images + scene.strength


def _pixelate(scene: _Scene) -> np.ndarray:
    rows, columns = (_mosaic(side, scene.strength * scene.unit) for side in scene.images.shape[1:])
    return rows @ scene.images @ columns.T


def _translate(scene: _Scene) -> np.ndarray:
    distance = scene.strength * scene.unit
    whole = floor(distance)
    direction = scene.random.randint(4, size=len(scene.images))
    moved = np.empty_like(scene.images)
    for number, (axis, sign) in enumerate(((1, 1), (1, -1), (2, 1), (2, -1))):
        rows = direction == number
        near, far = (_shift(scene.images[rows], sign * steps, axis) for steps in (whole, whole + 1))
        moved[rows] = near + (distance - whole) * (far - near)
    return moved


def _occlusion(scene: _Scene) -> np.ndarray:
    count, (height, width) = len(scene.images), scene.images.shape[1:]
    side = max(1, round(2 * scene.unit))
    covered = scene.images.copy()
    for _ in range(int(scene.strength)):
        tops = scene.random.randint(max(height - side, 0) + 1, size=(count, 1, 1))
        lefts = scene.random.randint(max(width - side, 0) + 1, size=(count, 1, 1))
        down, across = np.arange(height)[:, None] - tops, np.arange(width) - lefts
        covered[(down >= 0) & (down < side) & (across >= 0) & (across < side)] = 0
    return covered


def _fading(scene: _Scene) -> np.ndarray:
    ramp = np.linspace(0, 1, scene.images.shape[2])
    return scene.images * (1 - scene.strength * ramp)


_TABLE: dict[str, tuple[Callable[[_Scene], np.ndarray], tuple[float, ...]]] = {
    "gaussian_noise": (_gaussian_noise, (0.1, 0.2, 0.3, 0.4, 0.5)),  # standard deviation
    "shot_noise": (_shot_noise, (0.05, 0.1, 0.2, 0.35, 0.5)),  # one over the photons of a white pixel
    "impulse_noise": (_impulse_noise, (0.05, 0.1, 0.2, 0.3, 0.4)),  # share of pixels
    "defocus_blur": (_defocus_blur, (0.8, 1.1, 1.4, 1.7, 2.0)),  # radius of the disc
    "motion_blur": (_motion_blur, (1.5, 2.0, 2.5, 3.0, 3.5)),  # length of the path
    "heat_blur": (_heat_blur, (0.5, 0.75, 1.0, 1.25, 1.5)),  # standard deviation of the kernel
    "contrast": (_contrast, (0.2, 0.35, 0.5, 0.65, 0.8)),  # share taken away
    "brightness": (_brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),  # what is added
    "fading": (_fading, (0.2, 0.4, 0.6, 0.8, 1.0)),  # share taken away at the right
    "pixelate": (_pixelate, (8 / 7, 8 / 6, 8 / 5, 8 / 4, 8 / 3)),  # side of a large pixel
    "translate": (_translate, (0.4, 0.7, 1.0, 1.4, 1.8)),  # distance, along an axis
    "occlusion": (_occlusion, (1, 2, 3, 4, 5)),  # number of black squares of side 2
}
CORRUPTIONS: tuple[str, ...] = tuple(_TABLE)
"""The names of all corruptions."""


def corrupt(
    images: ArrayLike, name: str, severity: int, random_state: int | np.random.RandomState | None = None
) -> np.ndarray:
    """Corrupt images.

    Parameters
    ----------
    images : array-like of shape (n, h, w)
        Grey images with values in [0, 1], black is 0.
    name : str
        One of ``bvar.mollify.corruptions.CORRUPTIONS``.
    severity : int
        From 1, mild, to 5.
    random_state : None, int or RandomState, default=None
        Where noise, directions and places come from.

    Returns
    -------
    ndarray of float64, shape (n, h, w)
        New images, clipped to [0, 1].

    Raises
    ------
    TypeError, ValueError
        If images, name or severity are not as described.

    Examples
    --------
    >>> import numpy as np
    >>> corrupt(np.array([[[0.0, 1.0], [0.5, 0.25]]]), "brightness", 5).tolist()
    [[[0.5, 1.0], [1.0, 0.75]]]
    """
    array = as_numbers(images, "images")
    if array.ndim != 3:
        raise ValueError(f"images must have shape (n, h, w), got shape {array.shape}")
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError("images must have values in [0, 1]; scale them first")
    function, strengths = _TABLE[check_choice(name, "name", CORRUPTIONS)]
    strength = strengths[check_integer(severity, "severity", low=1, high=len(strengths)) - 1]
    if array.size == 0:
        return array.copy()
    scene = _Scene(array, strength, min(array.shape[1:]) / _SIDE, check_random_state(random_state))
    return np.clip(function(scene), 0.0, 1.0)


class CorruptedScores(NamedTuple):
    """Scores of a classifier on corrupted images; rows are corruptions, columns severities.

    Parameters
    ----------
    names : tuple of str
        The corruptions.
    severities : tuple of int
        The severities.
    error : ndarray of float64, shape (n_corruptions, n_severities)
        Shares of wrong predictions.
    nll : ndarray of float64, shape (n_corruptions, n_severities)
        Mean negative log-likelihoods in nats.
    ece : ndarray of float64, shape (n_corruptions, n_severities)
        Expected calibration errors.

    See Also
    --------
    corrupted_scores : Computes them.
    """

    names: tuple[str, ...]
    severities: tuple[int, ...]
    error: np.ndarray
    nll: np.ndarray
    ece: np.ndarray

    @property
    def mean_corrupted_error(self) -> float:
        """The error, averaged over corruptions and severities."""
        return float(self.error.mean())


def corrupted_scores(
    predict_proba: Callable[[np.ndarray], Any],
    X: ArrayLike,
    y: ArrayLike,
    image_shape: tuple[int, int],
    *,
    classes: ArrayLike | None = None,
    names: Iterable[str] = CORRUPTIONS,
    severities: Iterable[int] = SEVERITIES,
    random_state: int = 0,
) -> CorruptedScores:
    """Score a classifier on corrupted images.

    Parameters
    ----------
    predict_proba : callable
        Gets images of the shape of `X` and returns probabilities of shape (n_samples, n_classes).
    X : array-like of shape (n_samples, h * w)
        Flattened grey test images with values in [0, 1].
    y : array-like of shape (n_samples,)
        Their classes.
    image_shape : tuple of int
        (h, w).
    classes : array-like of shape (n_classes,), optional
        What the columns of probabilities stand for, sorted; default: the classes of `y`, sorted.
    names : iterable of str
        Which corruptions; default: all.
    severities : iterable of int
        Which severities; default: all five.
    random_state : int, default=0
        Every corruption starts from this seed, so that two classifiers see the same images.

    Returns
    -------
    CorruptedScores
        Error, negative log-likelihood and calibration error of each corruption and severity.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.1, 0.1, 0.1, 0.1], [0.8, 0.8, 0.8, 0.8]]), [0, 1]
    >>> bright = lambda X: np.column_stack([1 - X.mean(axis=1), X.mean(axis=1)])
    >>> corrupted_scores(bright, X, y, (2, 2), names=["brightness"], severities=[1, 5]).error.tolist()
    [[0.0, 0.5]]
    """
    X = as_numbers(X, "X")
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n_samples, h * w), got shape {X.shape}")
    height, width, _ = check_image_shape(image_shape, X.shape[-1])
    if len(image_shape) != 2:
        raise ValueError(f"image_shape must be (height, width), got {image_shape!r}")
    names, severities, y = tuple(names), tuple(severities), check_labels(y, "y", len(X))
    classes = np.unique(y) if classes is None else check_labels(classes, "classes")
    scores = np.empty((3, len(names), len(severities)))
    for i, name in enumerate(names):
        for j, severity in enumerate(severities):
            images = corrupt(X.reshape(-1, height, width), name, severity, random_state)
            scores[:, i, j] = classification_scores(predict_proba(images.reshape(X.shape)), y, classes)
    return CorruptedScores(names, severities, *scores)


def classification_scores(
    probabilities: ArrayLike, y: ArrayLike, classes: np.ndarray
) -> tuple[float, float, float]:
    """Score probabilities.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        In the order of `classes`.
    y : array-like of shape (n_samples,)
        Classes.
    classes : ndarray of shape (n_classes,)
        All classes, sorted.

    Returns
    -------
    error, nll, ece : float
        Share of wrong predictions, mean negative log-likelihood, expected calibration error.
    """
    p, y = as_numbers(probabilities, "probabilities"), check_labels(y, "y")
    if p.shape != (len(y), len(classes)):
        raise ValueError(f"probabilities must have shape ({len(y)}, {len(classes)}), got shape {p.shape}")
    wrong = float((classes[p.argmax(axis=1)] != y).mean())
    return wrong, log_loss(y, p, labels=classes), expected_calibration_error(y, p, classes=classes)


def _shift(images: np.ndarray, steps: int, axis: int) -> np.ndarray:
    """Move images by whole pixels; black follows."""
    moved = np.zeros_like(images)
    side = images.shape[axis]
    if abs(steps) < side:
        to, origin = slice(max(steps, 0), side + min(steps, 0)), slice(max(-steps, 0), side - max(steps, 0))
        whole = (slice(None),) * axis
        moved[(*whole, to)] = images[(*whole, origin)]
    return moved


def _mosaic(side: int, wanted: float) -> np.ndarray:
    """Return the matrix that averages over large pixels of about this side and shows them in their place."""
    count = max(1, round(side / wanted))
    edges = np.linspace(0, side, count + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    average = np.clip(overlap, 0, None)
    return average.T @ (average / average.sum(axis=1, keepdims=True))  # columns of average sum to one
