r"""How near images are to those that they should be, and segmentations to theirs.

Means over images of the peak signal-to-noise ratio (PSNR) and of structural similarity (SSIM, Wang et al. 2004),
and of intersection over union (IoU) of classes.  They are floats for people to look at; no training reads them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from bvar._validation import as_array, check_integer, check_real

__all__ = ["class_iou", "peak_signal_to_noise", "structural_similarity"]

_SPREAD, _REACH = 1.5, 5  # of the window of structural similarity, in pixels
_LARGEST = 1e75  # the fourth power of a larger number overflows


def peak_signal_to_noise(images: ArrayLike, targets: ArrayLike, peak: float = 255.0) -> float:
    r"""Compute the mean over images of the peak signal-to-noise ratio (PSNR), in decibels.

    .. math:: 10 \log_{10} \frac{\text{peak}^2}{\operatorname{mean} (x - y)^2}

    Parameters
    ----------
    images, targets : array-like of shape (n_images, ...)
        What was made, and what should have been made.
    peak : float, default=255.0
        Largest value of a pixel, from 1e-75 to 1e75.

    Returns
    -------
    float
        Decibels; infinite if an image has no error.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, a pixel is no finite number or beyond 1e75, or `peak` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.inspection import peak_signal_to_noise
    >>> round(peak_signal_to_noise(np.zeros((1, 8, 8)), np.full((1, 8, 8), 25.5)), 6)
    20.0
    """
    x, y = _pair(images, targets)
    peak = _check_peak(peak)
    error = np.square(x - y).reshape(len(x), -1).mean(axis=1)
    with np.errstate(divide="ignore"):
        return float(np.mean(10 * np.log10(peak**2 / error)))


def structural_similarity(images: ArrayLike, targets: ArrayLike, peak: float = 255.0) -> float:
    """Compute the mean structural similarity (SSIM) of grey images, in Gaussian windows of 11 x 11 pixels.

    Parameters
    ----------
    images, targets : array-like of shape (n_images, height, width)
        What was made, and what should have been made: at least 11 pixels high and wide.
    peak : float, default=255.0
        Largest value of a pixel, from 1e-75 to 1e75.

    Returns
    -------
    float
        At most 1, for equal images.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, no window fits, a pixel is no finite number or beyond 1e75, or `peak` is out of
        range.

    References
    ----------
    Z. Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE Transactions
    on Image Processing, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.inspection import structural_similarity
    >>> image = np.arange(256.0).reshape(1, 16, 16)
    >>> structural_similarity(image, image)
    1.0
    """
    x, y = _pair(images, targets)
    peak = _check_peak(peak)
    if x.ndim != 3 or min(x.shape[1:]) <= 2 * _REACH:
        raise ValueError(f"images must be at least {2 * _REACH + 1} pixels high and wide, got shape {x.shape}")
    mean_x, mean_y = _blurred(x), _blurred(y)
    spread_x, spread_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    common = _blurred(x * y) - mean_x * mean_y
    light, contrast = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    similar = (2 * mean_x * mean_y + light) * (2 * common + contrast)
    similar /= (mean_x**2 + mean_y**2 + light) * (spread_x + spread_y + contrast)
    return float(similar.mean())


def class_iou(found: ArrayLike, y: ArrayLike, n_classes: int) -> np.ndarray:
    """Compute, for each class, pixels that are rightly found over pixels that are found or should be.

    Parameters
    ----------
    found, y : array-like of int, of one shape
        Classes of pixels of all images: what was found, and what is right.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        Intersection over union, NaN for a class that is nowhere; mean IoU is the ``np.nanmean`` of it.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, or a class is not in [0, n_classes).

    Examples
    --------
    >>> from bvar.inspection import class_iou
    >>> class_iou([[0, 0, 1, 1]], [[0, 1, 1, 1]], 3)
    array([0.5       , 0.66666667,        nan])
    """
    n_classes = check_integer(n_classes, "n_classes", low=1)
    a, b = as_array(found, "found"), as_array(y, "y")
    if a.shape != b.shape:
        raise ValueError(f"found must have the shape of y {b.shape}, got {a.shape}")
    if any(v.dtype.kind not in "iu" for v in (a, b)):
        raise TypeError(f"found and y must be integers, got {a.dtype} and {b.dtype}")
    if a.size and not 0 <= min(a.min(), b.min()) <= max(a.max(), b.max()) < n_classes:
        raise ValueError(f"found and y must be in [0, {n_classes - 1}]")
    pairs = n_classes * b.ravel().astype(np.int64) + a.ravel().astype(np.int64)
    counts = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    right = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - right
    return np.where(union > 0, right / np.maximum(union, 1), np.nan)


def _pair(images: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = as_array(images, "images"), as_array(targets, "targets")
    if any(v.dtype.kind not in "iufb" for v in (x, y)):
        raise TypeError(f"images and targets must be numbers, got {x.dtype} and {y.dtype}")
    x, y = x.astype(np.float64), y.astype(np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("images and targets must be finite, got NaN or infinity")
    if max(np.abs(x).max(initial=0), np.abs(y).max(initial=0)) > _LARGEST:
        raise ValueError(f"images and targets must be within {_LARGEST:g} of 0, or their powers overflow")
    if x.shape != y.shape or not x.size or not x.ndim:
        raise ValueError(f"images must be one or more, of the shape of targets {y.shape}, got {x.shape}")
    return x, y


def _check_peak(peak: Any) -> float:
    peak = check_real(peak, "peak", low=0, strict=True)
    if not 1 / _LARGEST <= peak <= _LARGEST:
        span = f"from {1 / _LARGEST:g} to {_LARGEST:g}"
        raise ValueError(f"peak must be {span}, or its powers are no floats, got {peak!r}")
    return peak


def _blurred(images: np.ndarray) -> np.ndarray:
    """Take means in windows, where these are inside."""
    wide = gaussian_filter(images, (0, _SPREAD, _SPREAD), radius=(0, _REACH, _REACH))
    return wide[:, _REACH:-_REACH, _REACH:-_REACH]
