r"""Bilinear resampling of images, and its exact adjoints (``docs/explanation/augmentation.md``).

A transformed image is linear in the image, :math:`T_\gamma(x) = A(\gamma) x`: each pixel of it is a mean of four
neighbours, with weights that are bilinear in the place it is read from.  What is beyond an image is 0.  So there
are three exact functions: :math:`A x`, its transpose :math:`A^\top z`, and the slope of
:math:`z^\top A(\gamma) x` in the places.  Between pixels the slope is that of the straight piece; on a pixel,
where two pieces meet, it is that of the piece on the side of larger numbers.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Places", "resample", "resample_adjoint", "resample_slopes"]


class Places:
    """Where each pixel of some images is read from: rows and columns, and the four neighbours with their weights.

    `rows` and `columns` are float arrays of shape (n, height, width), in pixels; images are of the same height and
    width, with a margin of zeros of one pixel, in which all places beyond lie.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray) -> None:
        self.n, self.height, self.width = rows.shape
        self.inside = tuple(
            (p > -1) & (p < side) for p, side in ((rows, self.height), (columns, self.width))
        )  # beyond, all is 0 and stays so
        low_rows, self.row_share = _floor(rows, self.height)
        low_columns, self.column_share = _floor(columns, self.width)
        wide = self.width + 2
        image = (self.height + 2) * wide * np.arange(self.n)[:, None, None]
        first = (low_rows + 1) * wide + low_columns + 1 + image
        self.taps = tuple(first + step for step in (0, 1, wide, wide + 1))  # in all images laid end to end

    def neighbours(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the four neighbours of each place, in images of shape (n, height, width, channels)."""
        wide = np.zeros((self.n, self.height + 2, self.width + 2, images.shape[3]), images.dtype)
        wide[:, 1:-1, 1:-1] = images  # np.pad does the same in three times the time
        return [wide.reshape(-1, images.shape[3]).take(tap, axis=0) for tap in self.taps]

    def shares(self) -> list[np.ndarray]:
        """Return the weights of the neighbours, which add up to one."""
        r, c = self.row_share, self.column_share
        return [(1 - r) * (1 - c), (1 - r) * c, r * (1 - c), r * c]


def resample(images: np.ndarray, places: Places) -> np.ndarray:
    """Read images at other places: :math:`A x`."""
    a, b, c, d = (s[..., None] * v for s, v in zip(places.shares(), places.neighbours(images), strict=True))
    return a + b + c + d


def resample_adjoint(signal: np.ndarray, places: Places) -> np.ndarray:
    r"""Return signals on pixels to the pixels they were read from: :math:`A^\top z`, the exact transpose."""
    n, height, width, n_channels = signal.shape
    size = n * (height + 2) * (width + 2)
    out = np.zeros((size, n_channels), signal.dtype)
    for tap, share in zip(places.taps, places.shares(), strict=True):
        for channel in range(n_channels):
            out[:, channel] += np.bincount(tap.ravel(), (share * signal[..., channel]).ravel(), size)
    return out.reshape(n, height + 2, width + 2, n_channels)[:, 1:-1, 1:-1]


def resample_slopes(images: np.ndarray, places: Places, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the slopes of :math:`z^\top A x` in the row and in the column of every place."""
    a, b, c, d = ((signal * value).sum(axis=3) for value in places.neighbours(images))
    r, s = places.row_share, places.column_share
    in_rows = (1 - s) * (c - a) + s * (d - b)
    in_columns = (1 - r) * (b - a) + r * (d - c)
    return in_rows * places.inside[0], in_columns * places.inside[1]


def _floor(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Split places into whole numbers from -1 to side - 1, and what is left, from 0 to 1."""
    near = np.clip(places, -1, side)
    low = np.minimum(np.floor(near), side - 1)
    return low.astype(np.int64), near - low
