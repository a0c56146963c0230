"""The Boolean convolution: one linear layer for all places of a window (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from bvar import kernels
from bvar._random import RandomWords
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.gates import Gate
from bvar.layers.base import Layer, Marginals, Parameter
from bvar.layers.linear import find_learnable_gate
from bvar.windows import SlidingWindow

__all__ = ["BooleanConv2d"]

_TOGETHER = 2**22  # sums of one layer while scoring: 16 MiB


class Patches(NamedTuple):
    """What a convolution keeps for its backward pass."""

    images: BitMatrix
    patches: BitMatrix


class BooleanConv2d(Layer):
    r"""Sum a gate between Boolean weights and what a window sees of Boolean images.

    .. math:: s_{n,p,o} = [e(w_{o0}) +] \sum_{k \text{ inside at } p} e(L(w_{ok}, x_{n,p,k}))

    where k runs over the taps and channels of the window at place p.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    n_filters : int
        Outputs at each place.
    kernel_size : int or (int, int), default=3
        Taps of the window, vertically and horizontally.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x); it must depend on both operands.
    stride : int or (int, int), default=1
        Pixels between places.
    padding : int or (int, int), default=0
        How far the window may stand out of the image on every side.
    dilation : int or (int, int), default=1
        Pixels between taps.
    padding_value : {0, -1}, default=0
        What is outside of an image, as a value of M: 0, which adds nothing and hears no votes, or -1, which is F.
    bias : bool, default=False
        Whether each filter has a Boolean bias, a weight whose input is always T.
    centered : bool, default=False
        Whether votes on weights count from the mean of what each tap saw, over samples and places; values of
        inputs must then be known.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights, fair coins, come from.
    name : str, default='conv'
        What the layer is called in tables.

    Attributes
    ----------
    window : SlidingWindow
        The window and its places.
    weight : Parameter
        Bits of shape (n_filters, kernel height * kernel width * channels).
    bias : Parameter or None
        Bits of shape (1, n_filters).
    out_shape : tuple of int
        (rows of places, columns of places, n_filters): the images that it makes.

    Raises
    ------
    TypeError, ValueError
        If sizes do not fit each other, the gate ignores an operand, or `padding_value` is neither 0 nor -1.

    See Also
    --------
    BooleanLinear : The same with one place, which sees everything.

    Notes
    -----
    Images are rows of ``height * width * channels`` bits, in this order; so are the sums.  A layer of
    :class:`BooleanLinear` may follow as it is.  The paper leaves the padding open; ports that pad with a 0 bit pad
    with F, which counts as a disagreement with every weight that is T.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. C.1.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import BooleanConv2d
    >>> layer = BooleanConv2d((28, 28, 1), 16, padding=1, random_state=0)
    >>> s, _ = layer.forward(kernels.pack(np.zeros((2, 784), dtype=bool)))
    >>> s.shape, layer.out_shape
    ((2, 12544), (28, 28, 16))
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_filters: int,
        kernel_size: int | tuple[int, int] = 3,
        gate: str | int | Gate = "xnor",
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        padding_value: int = 0,
        bias: bool = False,
        centered: bool = False,
        random_state: object = None,
        name: str = "conv",
    ) -> None:
        self.window = SlidingWindow(tuple(image_shape), kernel_size, stride, padding, dilation)
        check_integer(n_filters, "n_filters", low=1, high=kernels.MAX_TERMS // self.window.n_taps)
        self.gate = find_learnable_gate(gate)
        if padding_value not in (0, -1):
            raise ValueError(f"padding_value must be 0 or -1, the value F of M, got {padding_value!r}")
        source = random_state if isinstance(random_state, RandomWords) else RandomWords(random_state)
        self.padding_value = int(padding_value)
        self.name = name
        self.centered = centered
        n_places = self.window.n_places
        self.weight = Parameter(
            f"{name}.weight", source.bits(n_filters, self.window.patch_size), n_places=n_places
        )
        self.bias = Parameter(f"{name}.bias", source.bits(1, n_filters), n_places=n_places) if bias else None
        self.parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)
        self._edges = _edges(self.window) if self.padding_value == 0 else ()
        self.rows_together = max(1, _TOGETHER // self.n_outputs)

    @property
    def n_filters(self) -> int:
        """Outputs at each place."""
        return self.weight.bits.n_rows

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Shape of the images that it makes."""
        return (*self.window.places, self.n_filters)

    @property
    def n_inputs(self) -> int:
        """Values in an image of the layer below."""
        return self.window.n_inputs

    @property
    def n_outputs(self) -> int:
        """Values in an image of this layer."""
        return self.window.n_places * self.n_filters

    @property
    def fan_out(self) -> Fraction:
        """Mean number of sums that a pixel is a term of (BOLD, App. C.1; its stride v is the product of both)."""
        stride_y, stride_x = self.window.stride
        return Fraction(self.n_filters * self.window.n_taps, stride_y * stride_x)

    def n_terms(self) -> np.ndarray:
        """Count the terms in each sum: fewer where the window stands out of the image, if nothing is there.

        Returns
        -------
        ndarray of int, shape (n_outputs,)
            Numbers of terms.
        """
        inside = (
            self.window.inside.sum(axis=(2, 3))
            if self.padding_value == 0
            else np.full(self.window.places, self.window.n_taps)
        )
        return np.repeat(inside.ravel() * self.window.channels, self.n_filters)

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, Patches]:
        """Compute the sums.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Images; values may be missing.

        Returns
        -------
        s : ndarray of int32, shape (n_samples, n_outputs)
            The sums.
        context : Patches
            The images, and what the window saw of them.
        """
        patches = kernels.gather_patches(x, self.window)
        sums = kernels.gate_sum(patches, self.weight.prepared(), self.gate)
        images = sums.reshape(x.n_rows, *self.out_shape)
        for edge in self._edges:
            images[:, edge.rows, edge.columns] -= self._sums_outside(edge)
        if self.bias is not None:
            images += kernels.unpack_ternary(self.bias.bits)[0]
        return sums.reshape(x.n_rows, -1), Patches(x, patches)

    def backward(self, signal: np.ndarray, context: Patches) -> np.ndarray:
        """Collect the votes on the images.

        Parameters
        ----------
        signal : ndarray of int8, shape (n_samples, n_outputs)
            Signals on the sums.
        context : Patches
            What `forward` returned.

        Returns
        -------
        ndarray of int32, shape (n_samples, n_inputs)
            Votes on the images.
        """
        return kernels.pixel_votes(self._by_place(signal), self.weight.bits, self.window, self.gate)

    def votes(self, signal: np.ndarray, context: Patches) -> tuple[np.ndarray, ...]:
        """Collect the votes on weights and bias, of all samples and places.

        Parameters
        ----------
        signal : ndarray of int8, shape (n_samples, n_outputs)
            Signals on the sums.
        context : Patches
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of int32
            Votes on the weight and, where there is one, on the bias.
        """
        z = self._by_place(signal)
        votes = kernels.weight_votes(z, context.patches, self.gate)
        at_false = self.gate.variation_a[0]
        if at_false and self._edges:
            taps = votes.reshape(self.n_filters, self.window.n_taps, -1)
            taps -= at_false * self._signals_outside(signal)[:, :, None]
        if self.bias is None:
            return (votes,)
        return votes, z.sum(axis=0, dtype=np.int32, keepdims=True)

    def marginals(self, signal: np.ndarray, context: Patches) -> tuple[Marginals | None, ...]:
        """Sum up the signals of each filter, and the variations of the gate at each tap.

        Parameters
        ----------
        signal : ndarray of int8, shape (n_samples, n_outputs)
            Signals on the sums.
        context : Patches
            What `forward` returned.

        Returns
        -------
        tuple of Marginals or None
            For the weight, if votes are centred, and for the bias None.
        """
        if not self.centered:
            return super().marginals(signal, context)
        if context.images.known is not None:
            raise ValueError(f"{self.name} has centered votes, so no input of it can be missing")
        z, n_images = self._by_place(signal), context.images.n_rows
        pixels = kernels.count_rows(kernels.transpose(context.images)).reshape(self.window.image_shape)
        n_true = np.stack([pixels[y, x].sum(axis=(0, 1), dtype=np.int64) for _, _, y, x in self.window.taps()])
        seen = self.window.inside if self.padding_value == 0 else np.ones_like(self.window.inside)
        n_seen = n_images * seen.sum(axis=(0, 1), dtype=np.int64).reshape(-1, 1)
        at_false, at_true = self.gate.variation_a
        inputs = (at_false * (n_seen - n_true) + at_true * n_true).ravel()
        return ((z.sum(axis=0, dtype=np.int64), inputs, len(z)), None)[: len(self.parameters)]

    def _by_place(self, signal: np.ndarray) -> np.ndarray:
        return signal.reshape(-1, self.n_filters)

    def _sums_outside(self, edge: Edge) -> np.ndarray:
        """Sum what F outside of the image has added at the places of an edge: (rows, columns, n_filters)."""
        return kernels.gate_sum(edge.outside, self.weight.prepared(), self.gate).reshape(*edge.shape, -1)

    def _signals_outside(self, signal: np.ndarray) -> np.ndarray:
        """Sum, for each filter and tap, the signals of the places at which the tap is outside."""
        images = signal.reshape(-1, *self.out_shape)
        total = np.zeros((self.n_filters, self.window.n_taps), np.int32)
        for edge in self._edges:
            at_places = images[:, edge.rows, edge.columns].sum(axis=0, dtype=np.int32)
            total += at_places.reshape(-1, self.n_filters).T @ edge.taps_outside
        return total


class Edge(NamedTuple):
    """A strip of places at which the window stands out of the image, and which taps do."""

    rows: slice
    columns: slice
    shape: tuple[int, int]
    taps_outside: np.ndarray
    outside: BitMatrix


def _edges(window: SlidingWindow) -> tuple[Edge, ...]:
    """Cut the places at which some tap is outside into at most four strips: above, below, left, right."""
    whole = np.asarray(window.inside.all(axis=(2, 3)))
    rows, columns = window.places
    if not whole.any():
        return (_edge(window, slice(0, rows), slice(0, columns)),)
    top, bottom = (int(i) for i in np.flatnonzero(whole.any(axis=1))[[0, -1]])
    left, right = (int(i) for i in np.flatnonzero(whole.any(axis=0))[[0, -1]])
    middle = slice(top, bottom + 1)
    strips = (
        (slice(0, top), slice(0, columns)),
        (slice(bottom + 1, rows), slice(0, columns)),
        (middle, slice(0, left)),
        (middle, slice(right + 1, columns)),
    )
    return tuple(_edge(window, *strip) for strip in strips if all(s.stop > s.start for s in strip))


def _edge(window: SlidingWindow, rows: slice, columns: slice) -> Edge:
    outside = ~window.inside[rows, columns]
    shape: Any = outside.shape[:2]
    taps = outside.reshape(-1, window.n_taps)
    values = -np.repeat(taps, window.channels, axis=1).astype(np.int8)
    return Edge(rows, columns, shape, taps.astype(np.int32), kernels.pack(values))
