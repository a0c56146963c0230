"""Windows that slide over images: which pixels each place sees (``docs/explanation/convolution.md``).

Images are rows of bits or numbers in the order (height, width, channels), so a layer of images is a layer of
``height * width * channels`` units like any other, and nothing has to be flattened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bvar._validation import check_image_shape, check_integer

__all__ = ["SlidingWindow"]

_LIMIT = 2**31 - 1  # of every number and of the values of an image or its patches, so that no sum leaves int64


@dataclass(frozen=True, init=False)
class SlidingWindow:
    """A window on images, and the grid of places that it slides to.

    Tap (a, b) of the window at place (i, j) is pixel ``i * stride - padding + a * dilation`` down, and likewise
    across with j and b; outside the image there is nothing.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the images, or (height, width) of images of one channel.
    kernel_size : int or (int, int)
        Taps of the window, vertically and horizontally.
    stride : int or (int, int), default=1
        Pixels between places.
    padding : int or (int, int), default=0
        How far the window may stand out on every side; less than it covers.
    dilation : int or (int, int), default=1
        Pixels between taps.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, a padding leaves a window with nothing to see, the window is larger
        than the padded image, or a number or what follows from it is 2**31 or more.

    Examples
    --------
    >>> from bvar.bits import SlidingWindow
    >>> window = SlidingWindow((28, 28, 8), 3, stride=2, padding=1)
    >>> window.places, window.patch_size, window.n_inputs
    ((14, 14), 72, 6272)
    """

    image_shape: tuple[int, int, int]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(
        self,
        image_shape: Sequence[int],
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        set_to = object.__setattr__
        set_to(self, "image_shape", check_image_shape(image_shape))
        for name, value, low in (
            ("kernel_size", kernel_size, 1),
            ("stride", stride, 1),
            ("padding", padding, 0),
            ("dilation", dilation, 1),
        ):
            set_to(self, name, _pair(value, name, low))
        self._check()

    def _check(self) -> None:
        """Refuse numbers that do not fit each other."""
        for axis, length in zip(("high", "wide"), zip(*self._axes(), strict=True), strict=True):
            pixels, taps, _, padding, dilation = length
            reach = (taps - 1) * dilation + 1
            if padding >= reach:
                raise ValueError(f"padding must be less than the window, {reach} pixels {axis}, got {padding}")
            if reach > pixels + 2 * padding:
                raise ValueError(
                    f"kernel_size must fit the image: a window {reach} pixels {axis} does not fit {pixels} pixels "
                    f"and a padding of {padding}"
                )
        if self.n_places * self.patch_size > _LIMIT:
            raise ValueError(f"image_shape makes patches of more than {_LIMIT} values")

    def _axes(self) -> tuple[tuple[int, ...], ...]:
        return (self.image_shape[:2], self.kernel_size, self.stride, self.padding, self.dilation)

    @property
    def channels(self) -> int:
        """Channels of a pixel."""
        return self.image_shape[2]

    @property
    def n_inputs(self) -> int:
        """Values in an image."""
        return self.image_shape[0] * self.image_shape[1] * self.channels

    @property
    def n_taps(self) -> int:
        """Pixels that the window sees at once."""
        return self.kernel_size[0] * self.kernel_size[1]

    @property
    def patch_size(self) -> int:
        """Values that the window sees at once."""
        return self.n_taps * self.channels

    @cached_property
    def places(self) -> tuple[int, int]:
        """Rows and columns of the grid of places."""
        rows, columns = (
            (pixels + 2 * padding - (taps - 1) * dilation - 1) // stride + 1
            for pixels, taps, stride, padding, dilation in zip(*self._axes(), strict=True)
        )
        return rows, columns

    @property
    def n_places(self) -> int:
        """Number of places."""
        return self.places[0] * self.places[1]

    @cached_property
    def inside(self) -> np.ndarray:
        """Whether each tap is a pixel: bool, shape (rows of places, columns of places, taps down, across)."""
        down, across = (
            (pixel >= 0) & (pixel < length)
            for pixel, length in zip(map(self._pixels, (0, 1)), self.image_shape, strict=False)
        )
        return down[:, None, :, None] & across[None, :, None, :]

    def _pixels(self, axis: int) -> np.ndarray:
        """Coordinates of the taps of every place along one axis."""
        start = np.arange(self.places[axis]) * self.stride[axis] - self.padding[axis]
        return start[:, None] + np.arange(self.kernel_size[axis]) * self.dilation[axis]

    def taps(self) -> list[tuple[slice, slice, slice, slice]]:
        """Give for each tap, row by row, the places at which it is inside, and the pixels that it is there.

        Returns
        -------
        list of (slice, slice, slice, slice)
            Rows and columns of places, then rows and columns of pixels, of equal lengths.
        """
        down, across = ([self._tap(axis, tap) for tap in range(self.kernel_size[axis])] for axis in (0, 1))
        return [(y[0], x[0], y[1], x[1]) for y in down for x in across]

    def _tap(self, axis: int, tap: int) -> tuple[slice, slice]:
        pixels, step = self._pixels(axis)[:, tap], self.stride[axis]
        places = np.flatnonzero((pixels >= 0) & (pixels < self.image_shape[axis]))
        if not len(places):
            return slice(0, 0), slice(0, 0)
        first, last = int(places[0]), int(places[-1])
        return slice(first, last + 1), slice(int(pixels[first]), int(pixels[last]) + 1, step)

    def numbers(self) -> tuple[int, ...]:
        """Give the thirteen numbers of ``bvar_window`` in the C interface.

        Returns
        -------
        tuple of int
            Image, window, stride, dilation, padding and places, each vertical before horizontal.
        """
        return (*self.image_shape, *self.kernel_size, *self.stride, *self.dilation, *self.padding, *self.places)


def _pair(value: int | Sequence[int], name: str, low: int) -> tuple[int, int]:
    values = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name} must be an integer or two, got {value!r}")
    return _number(values[0], name, low), _number(values[1], name, low)


def _number(value: int, name: str, low: int) -> int:
    number = check_integer(value, name, low=low)
    if number > _LIMIT:
        raise ValueError(f"{name} must be at most {_LIMIT}, got {value!r}")
    return number
