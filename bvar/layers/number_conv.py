"""Convolutions of numbers: linear layers at every place of a window (``docs/explanation/convolution.md``).

What a linear layer does on rows it does here on patches: these classes bring patches to it and signals back.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from bvar._validation import check_integer
from bvar.bits.random import RandomSource
from bvar.bits.windows import SlidingWindow
from bvar.kernels import MAX_TERMS
from bvar.layers.base import Layer, Product
from bvar.layers.parameter import Trainable
from bvar.layers.signed_sum import SignedSum

__all__ = ["NumberConv2d", "SignedConv2d"]

_TOGETHER = 2**22  # numbers in the patches or sums of one layer while scoring: 16 MiB of float32


class Seen(NamedTuple):
    """What the linear layer keeps, and the number of images."""

    context: Any
    n_images: int


class LinearOnRows(Protocol):
    """What a layer on patches must have."""

    name: str
    parameters: tuple[Trainable, ...]

    @property
    def n_outputs(self) -> int: ...

    def products(self) -> tuple[Product, ...]: ...

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Any]: ...

    def check(self, context: Any) -> None: ...

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray: ...

    def votes(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]: ...


L = TypeVar("L", bound=LinearOnRows)


class NumberConv2d(Layer, Generic[L]):
    """A linear layer on numbers, at every place."""

    def _place(self, window: SlidingWindow, linear: L) -> None:
        self.window, self.linear = window, linear
        self.name, self.parameters = linear.name, linear.parameters
        for parameter in linear.parameters:
            parameter.n_places = window.n_places
        self.rows_together = max(1, _TOGETHER // (window.n_places * max(window.patch_size, linear.n_outputs)))

    @classmethod
    def on_windows(cls, window: SlidingWindow, linear: L) -> Self:
        """Make the layer of its parts.

        Parameters
        ----------
        window : SlidingWindow
            The window and its places.
        linear : RealLinear or SignedSum
            The layer on patches, as the class has it.

        Returns
        -------
        Self
            The convolution, which shares the parameters of `linear`.
        """
        self = object.__new__(cls)
        self._place(window, linear)
        return self

    @property
    def n_inputs(self) -> int:
        """Values in an image of the layer below."""
        return self.window.n_inputs

    @property
    def n_outputs(self) -> int:
        """Values in an image of this layer."""
        return self.window.n_places * self.linear.n_outputs

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Shape of the images that it makes."""
        return (*self.window.places, self.linear.n_outputs)

    def products(self) -> tuple[Product, ...]:
        """Say the same as the linear layer, of what the window sees."""
        return tuple(product._replace(window=self.window) for product in self.linear.products())

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Seen]:
        """Compute the sums of images of numbers, of the dtype that the linear layer takes."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.n_inputs:
            raise ValueError(
                f"x must have rows of {self.n_inputs} numbers, images of shape {self.window.image_shape}, "
                f"got shape {x.shape}"
            )
        sums, context = self.linear.forward(gather_numbers(x, self.window))
        return sums.reshape(len(x), self.window.n_places * self.linear.n_outputs), Seen(context, len(x))

    def check(self, context: Seen) -> None:
        """Ask the linear layer, whose rows are the places of all samples."""
        self.linear.check(context.context)

    def backward(self, signal: np.ndarray, context: Seen) -> np.ndarray:
        """Add up what the linear layer passes down, over all the places that see each number."""
        return scatter_numbers(self.linear.backward(self._by_place(signal), context.context), self.window)

    def votes(self, signal: np.ndarray, context: Seen) -> tuple[np.ndarray, ...]:
        """Collect the votes of all samples and places."""
        return self.linear.votes(self._by_place(signal), context.context)

    def _by_place(self, signal: np.ndarray) -> np.ndarray:
        return signal.reshape(-1, self.linear.n_outputs)


class SignedConv2d(NumberConv2d[SignedSum]):
    """Boolean weights on images of int8 numbers: sums with signs, exact and equal on every backend.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the images.
    n_filters : int
        Outputs at each place.
    kernel_size : int or (int, int), default=3
        Taps of the window, vertically and horizontally.
    stride : int or (int, int), default=1
        Pixels between places.
    padding : int or (int, int), default=0
        How far the window may stand out of the image on every side; the numbers there are 0.
    dilation : int or (int, int), default=1
        Pixels between taps.
    rms : int, default=32
        Size of the numbers, see :class:`SignedSum`.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights, fair coins, come from.
    name : str, default='signed'
        What the layer is called in tables.

    Attributes
    ----------
    linear : SignedSum
        The layer on patches; `linear.weight` has shape (n_filters, patch size).
    window : bvar.bits.SlidingWindow
        The window and its places.

    Raises
    ------
    TypeError, ValueError
        If sizes do not fit each other.

    See Also
    --------
    bvar.layers.BooleanConv2d : On bits.
    standard_int8 : Makes such numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import SignedConv2d
    >>> layer = SignedConv2d((4, 4, 1), 2, padding=1, random_state=0)
    >>> s, _ = layer.forward(np.full((1, 16), 10, np.int8))
    >>> s.shape, s.dtype
    ((1, 32), dtype('int32'))
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        rms: int = 32,
        random_state: RandomSource = None,
        name: str = "signed",
    ) -> None:
        n_filters = check_integer(n_filters, "n_filters", low=1, high=MAX_TERMS)
        window = SlidingWindow(image_shape, kernel_size, stride, padding, dilation)
        linear = SignedSum(window.patch_size, n_filters, rms=rms, random_state=random_state, name=name)
        self._place(window, linear)

    @property
    def sum_variance(self) -> int:
        """Variance of a sum over random weights, where the whole window is inside."""
        return self.linear.sum_variance


def gather_numbers(x: np.ndarray, window: SlidingWindow) -> np.ndarray:
    """Lay out what the window sees at each place; 0 where it stands out of the image.

    Parameters
    ----------
    x : ndarray of shape (n_samples, height * width * channels)
        Images.
    window : SlidingWindow
        The window and its places.

    Returns
    -------
    ndarray of the same dtype, shape (n_samples * n_places, patch_size)
        Patches, as :func:`bvar.kernels.gather_patches` lays them out.
    """
    images = x.reshape(-1, *window.image_shape)
    patches = np.zeros((len(x), *window.places, window.n_taps, window.channels), x.dtype)
    for tap, (i, j, rows, columns) in enumerate(window.taps()):
        patches[:, i, j, tap] = images[:, rows, columns]
    return patches.reshape(-1, window.patch_size)


def scatter_numbers(patches: np.ndarray, window: SlidingWindow) -> np.ndarray:
    """Add patches up, each number at the pixel that it belongs to: the transpose of :func:`gather_numbers`.

    Parameters
    ----------
    patches : ndarray of shape (n_samples * n_places, patch_size)
        Patches.
    window : SlidingWindow
        The window and its places.

    Returns
    -------
    ndarray of the same dtype, shape (n_samples, height * width * channels)
        The sums.
    """
    patches = patches.reshape(-1, *window.places, window.n_taps, window.channels)
    images = np.zeros((len(patches), *window.image_shape), patches.dtype)
    for tap, (i, j, rows, columns) in enumerate(window.taps()):
        images[:, rows, columns] += patches[:, i, j, tap]
    return images.reshape(len(patches), window.n_inputs)
