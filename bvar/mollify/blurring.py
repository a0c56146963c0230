"""Heat dissipation: data are warm plates that cool, and fine detail fades before coarse.

The cosines of the orthonormal DCT-II are the eigenvectors of the Laplacian with insulated ends. After time tau the
coefficient number i of a side of length h has shrunk by ``exp(-(pi i / h) ** 2 tau)``. The mean never changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import dctn, idctn

from bvar._validation import as_numbers, check_real
from bvar.mollify.noising import as_float, per_sample

__all__ = ["blur", "blur_scale"]


def blur_scale(t: ArrayLike, side: int, *, s_min: float = 0.3) -> Any:
    """Give the width of the blur at a time: ``s_min ** (1 - t) * side ** t``.

    Parameters
    ----------
    t : float or array-like of float
        Time in [0, 1], of any shape.
    side : int
        Largest width, that of the signal or the image.
    s_min : float, default=0.3
        Smallest width; below a third of a pixel there is nothing to see.

    Returns
    -------
    float64 or ndarray of float64, of the shape of `t`
        The width in pixels: the standard deviation of the kernel that blurs.

    Examples
    --------
    >>> blur_scale([0, 0.5, 1], 64).round(1).tolist()
    [0.3, 4.4, 64.0]
    """
    s_min = check_real(s_min, "s_min", low=0, strict=True)
    largest = check_real(side, "side", low=s_min)
    t = as_numbers(t, "t")
    return (s_min ** (1 - t) * largest**t)[()]


def blur(X: ArrayLike, t: ArrayLike, *, s_min: float = 0.3) -> np.ndarray:
    """Blur signals or images by heat dissipation for the time ``tau = blur_scale(t, side) ** 2 / 2``.

    Source: Rissanen et al. 2023, as used by Heinonen et al., AISTATS 2025 (read in the latter's code).

    Parameters
    ----------
    X : array-like of shape (n, d), (n, h, w) or (n, h, w, c)
        Signals, images, or images with channels, which are blurred one by one. Float32 stays float32, all else
        becomes float64.
    t : float or array-like of shape (n,)
        Time in [0, 1], one for all or one for each sample. Where it is 0, nothing changes, bit for bit; where it
        is 1, little but the mean is left.
    s_min : float, default=0.3
        Smallest width of the blur in pixels; the largest is the longer side.

    Returns
    -------
    ndarray of the shape of `X`
        New data.

    Raises
    ------
    TypeError, ValueError
        If `X` or `t` is not of real numbers or has another shape, or `t` is not in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> edge = np.array([[0.0, 0.0, 1.0, 1.0]])
    >>> blur(edge, 0.5).round(2).tolist()
    [[0.09, 0.32, 0.68, 0.91]]
    >>> blur(edge, 0.0).tolist() == edge.tolist()
    True
    """
    X = as_float(X)
    if X.ndim not in (2, 3, 4):
        raise ValueError(f"X must have shape (n, d), (n, h, w) or (n, h, w, c), got shape {X.shape}")
    if 0 in X.shape:
        return X.copy()
    axes = (1,) if X.ndim == 2 else (1, 2)
    sides = [X.shape[axis] for axis in axes]
    times = per_sample(t, "t", X)
    tau = blur_scale(times, max(sides), s_min=s_min) ** 2 / 2
    kept = np.exp(-_eigenvalues(X.ndim, axes, sides) * tau)
    cooled = idctn(dctn(X, axes=axes, norm="ortho") * kept, axes=axes, norm="ortho").astype(X.dtype, copy=False)
    return np.where(times == 0, X, cooled)  # at t = 0 the scale is s_min and not 0: clean samples stay clean


def _eigenvalues(ndim: int, axes: tuple[int, ...], sides: list[int]) -> np.ndarray:
    """Return those of the Laplacian, in a shape that multiplies the coefficients."""
    total = np.zeros((1,) * ndim)
    for axis, side in zip(axes, sides, strict=True):
        shape = [1] * ndim
        shape[axis] = side
        total = total + ((np.pi / side * np.arange(side)) ** 2).reshape(shape)
    return total
