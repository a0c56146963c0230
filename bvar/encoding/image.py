"""Images as bits: the same thresholds for every pixel, so that a window finds the same questions everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.encoding.base import BitEncoder, Group
from bvar.encoding.columns import Columns
from bvar.encoding.samples import Table, all_or_nothing, flat_images
from bvar.encoding.thermometer import Thermometers, threshold_labels

__all__ = ["ImageEncoder"]

_ROWS = 1024  # looked at at a time


class ImageEncoder(BitEncoder):
    """Encode every pixel as the answers to "is it at least t?", for thresholds t that all pixels share.

    Parameters
    ----------
    n_bits : int, default=4
        Thresholds for each channel, at equal distances between its smallest and its largest value.
    n_channels : int, default=1
        Channels of a pixel: column j of a table belongs to channel ``j % n_channels``.

    Attributes
    ----------
    thresholds_ : ndarray of float64, shape (n_channels, n_bits)
        Rising thresholds of each channel.
    n_bits_out_ : int
        Number of bits of an encoded image: ``n_features_in_ * n_bits``.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    ThermometerEncoder : Thresholds of its own for every column.

    Notes
    -----
    Images are flat, row by row, pixel by pixel, channel by channel.  A channel that is constant in the training
    data gets that value for all its thresholds; one that is always NaN gets 0.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import ImageEncoder
    >>> images = np.array([[0, 50, 100], [100, 200, 255]], dtype=np.uint8)
    >>> encoder = ImageEncoder(n_bits=2).fit(images)
    >>> encoder.thresholds_
    array([[ 85., 170.]])
    >>> encoder.transform(images)
    array([[-1, -1, -1, -1,  1, -1],
           [ 1, -1,  1,  1,  1,  1]], dtype=int8)
    """

    def __init__(self, n_bits: int = 4, n_channels: int = 1) -> None:
        self.n_bits = n_bits
        self.n_channels = n_channels

    @all_or_nothing
    def fit(self, X: Table, y: object = None) -> ImageEncoder:
        """Find the range of each channel and set its thresholds.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_pixels * n_channels)
            Flat training images; NaN means missing. Or an array of shape (n_samples, height, width) or (n_samples,
            height, width, n_channels).
        y : object, optional
            Ignored.

        Returns
        -------
        ImageEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        n_bits = check_integer(self.n_bits, "n_bits", low=1)
        n_channels = check_integer(self.n_channels, "n_channels", low=1)
        columns = self._read(X, reset=True)
        if columns.n_columns % n_channels:
            raise ValueError(
                f"n_channels must divide the number of columns, {columns.n_columns}, got {n_channels}"
            )
        low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
        which = np.arange(columns.n_columns)
        for start in range(0, columns.n_rows, _ROWS):
            lines = columns.numbers(which, slice(start, start + _ROWS))
            values = lines.reshape(-1, n_channels, lines.shape[1])
            low = np.fmin(low, np.fmin.reduce(values, axis=(0, 2)))
            high = np.fmax(high, np.fmax.reduce(values, axis=(0, 2)))
        seen = np.isfinite(low)
        low, high = np.where(seen, low, 0.0), np.where(seen, high, 0.0)
        steps = np.arange(1, n_bits + 1) / (n_bits + 1)
        self.thresholds_ = _between(low[:, None], high[:, None], steps)
        self._finish()
        return self

    def _read(self, X: Any, *, reset: bool) -> Columns:
        rows, shape = flat_images(X, channels_last=self.n_channels > 1)
        if shape is not None and shape[2] != self.n_channels:
            raise ValueError(f"n_channels must be {shape[2]}, that of the images, got {self.n_channels!r}")
        return super()._read(rows, reset=reset)

    def _widths(self) -> np.ndarray:
        return np.full(self.n_features_in_, self.thresholds_.shape[1])

    def _groups(self) -> list[Group]:
        every = np.arange(self.n_features_in_)
        return [Thermometers(every, [self.thresholds_[j % len(self.thresholds_)] for j in every], self._widths())]

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        labels = [threshold_labels(thresholds) for thresholds in self.thresholds_]
        for column in range(self.n_features_in_):
            for label in labels[column % len(labels)]:
                yield column, f">={label}", f" >= {label}"


def _between(low: np.ndarray, high: np.ndarray, shares: np.ndarray) -> Any:
    """Go a share of the way from `low` to `high`, which may be further from each other than a float can say."""
    with np.errstate(over="ignore"):
        whole = high - low
    return np.where(np.isfinite(whole), low + whole * shares, low * (1 - shares) + high * shares)
