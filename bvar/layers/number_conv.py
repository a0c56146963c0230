"""Convolutions of numbers: linear layers at every place of a window (``docs/explanation/convolution.md``).

What a linear layer does on rows it does here on patches: these classes bring patches to it and signals back.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from bvar.bits.windows import SlidingWindow
from bvar.layers.base import Layer
from bvar.layers.real import RealLinear
from bvar.layers.signed_sum import SignedSum

__all__ = ["RealConv2d", "SignedConv2d"]


class _Seen(NamedTuple):
    """What the linear layer keeps, and the number of images."""

    context: Any
    n_images: int


class _NumberConv2d(Layer):
    """A linear layer on numbers, at every place."""

    def _place(self, window: SlidingWindow, linear: RealLinear | SignedSum) -> None:
        self.window, self.linear = window, linear
        self.parameters, self.real_parameters = linear.parameters, linear.real_parameters
        self.name = linear.name
        linear.weight.n_places = window.n_places
        if isinstance(linear, RealLinear) and linear.bias is not None:
            linear.bias.n_places = window.n_places
        self.rows_together = max(1, 2**22 // (window.n_places * max(window.patch_size, linear.n_outputs)))

    @classmethod
    def on_windows(cls, window: SlidingWindow, linear: RealLinear | SignedSum) -> Self:
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

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, _Seen]:
        """Compute the sums.

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_inputs)
            Images of numbers, of the dtype that the linear layer takes.

        Returns
        -------
        s : ndarray of shape (n_samples, n_outputs)
            The sums.
        context : tuple
            What the linear layer keeps, and the number of images.
        """
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.n_inputs:
            raise ValueError(
                f"x must have rows of {self.n_inputs} numbers, images of shape {self.window.image_shape}, "
                f"got shape {x.shape}"
            )
        sums, context = self.linear.forward(gather_numbers(x, self.window))
        return sums.reshape(len(x), self.window.n_places * self.linear.n_outputs), _Seen(context, len(x))

    def backward(self, signal: np.ndarray, context: _Seen) -> np.ndarray:
        """Add up the signals of all the places that see each number.

        Parameters
        ----------
        signal : ndarray of shape (n_samples, n_outputs)
            Signals on the sums.
        context : tuple
            What `forward` returned.

        Returns
        -------
        ndarray of shape (n_samples, n_inputs)
            What the linear layer passes down, summed.
        """
        return scatter_numbers(self.linear.backward(self._by_place(signal), context.context), self.window)

    def votes(self, signal: np.ndarray, context: _Seen) -> tuple[np.ndarray, ...]:
        """Collect the votes of all samples and places.

        Parameters
        ----------
        signal : ndarray of int8, shape (n_samples, n_outputs)
            Signals on the sums.
        context : tuple
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of int32
            One array for each Boolean parameter.
        """
        return self.linear.votes(self._by_place(signal), context.context)

    def gradients(self, signal: np.ndarray, context: _Seen) -> tuple[np.ndarray, ...]:
        """Sum up the gradients of all samples and places.

        Parameters
        ----------
        signal : ndarray of int8 or float32, shape (n_samples, n_outputs)
            Signals on the sums.
        context : tuple
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of float32
            One array for each real parameter.
        """
        return self.linear.gradients(self._by_place(signal), context.context)

    def _by_place(self, signal: np.ndarray) -> np.ndarray:
        return signal.reshape(-1, self.linear.n_outputs)


class RealConv2d(_NumberConv2d):
    """Real weights on images of real numbers: the first layer of the paper's networks.

    Float: reproducible by seed on one backend, outside the promise of equal bits.

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
    bias : bool, default=True
        Whether each filter has a bias, at first 0.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, see :class:`RealLinear`.
    name : str, default='real'
        What the layer is called in tables.

    Attributes
    ----------
    linear : RealLinear
        The layer on patches; `linear.weight` has shape (n_filters, patch size).
    window : bvar.bits.SlidingWindow
        The window and its places.

    Raises
    ------
    TypeError, ValueError
        If sizes do not fit each other.

    See Also
    --------
    SignedConv2d : With Boolean weights.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import RealConv2d
    >>> layer = RealConv2d((4, 4, 1), 2, padding=1, random_state=0)
    >>> s, _ = layer.forward(np.ones((1, 16), np.float32))
    >>> s.shape, s.dtype
    ((1, 32), dtype('float32'))
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
        bias: bool = True,
        random_state: object = None,
        name: str = "real",
    ) -> None:
        window = SlidingWindow(tuple(image_shape), kernel_size, stride, padding, dilation)
        linear = RealLinear(window.patch_size, n_filters, bias=bias, random_state=random_state, name=name)
        self._place(window, linear)


class SignedConv2d(_NumberConv2d):
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
        random_state: object = None,
        name: str = "signed",
    ) -> None:
        window = SlidingWindow(tuple(image_shape), kernel_size, stride, padding, dilation)
        linear = SignedSum(window.patch_size, n_filters, rms=rms, random_state=random_state, name=name)
        self._place(window, linear)

    @property
    def sum_variance(self) -> int:
        """Variance of a sum over random weights, where the whole window is inside."""
        return self.linear.sum_variance  # type: ignore[union-attr]


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
