"""The Boolean convolution: one linear layer for all places of a window (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomSource, RandomWords
from bvar.bits.windows import SlidingWindow
from bvar.calculus.gates import Gate
from bvar.kernels.backward import check_terms
from bvar.layers.base import Layer, Marginals, Product, VoteBlock
from bvar.layers.linear import find_learnable_gate
from bvar.layers.parameter import Parameter

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
        random_state: RandomSource = None,
        name: str = "conv",
    ) -> None:
        self.window = SlidingWindow(image_shape, kernel_size, stride, padding, dilation)
        n_filters = check_integer(n_filters, "n_filters", low=1, high=kernels.MAX_TERMS // self.window.n_taps)
        self.gate = find_learnable_gate(gate)
        if padding_value not in (0, -1):
            raise ValueError(f"padding_value must be 0 or -1, the value F of M, got {padding_value!r}")
        source = RandomWords.of(random_state)
        self.padding_value = int(padding_value)
        self.name = name
        self.centered = centered
        n_places = self.window.n_places
        self.weight = Parameter(
            f"{name}.weight", source.bits(n_filters, self.window.patch_size), n_places=n_places
        )
        self.bias = Parameter(f"{name}.bias", source.bits(1, n_filters), n_places=n_places) if bias else None
        self.parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)
        self.rows_together = max(1, _TOGETHER // self.n_outputs)

    @cached_property
    def _edges(self) -> Edges:
        """Made when first needed: it takes memory for each place, and a file may claim any number."""
        return _edges(self.window) if self.padding_value == 0 else _NO_EDGES

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

    def products(self) -> tuple[Product, ...]:
        """Say what the window sees, and how many filters look through it."""
        return (Product(self.name, self.window, self.n_filters),)

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
        """Compute the sums of images, whose values may be missing; the context is these and their patches."""
        patches = kernels.gather_patches(x, self.window)
        sums = kernels.gate_sum(patches, self.weight.prepared(), self.gate)
        images = sums.reshape(x.n_rows, *self.out_shape)
        if self._edges.strips:
            outside = kernels.gate_sum(self._edges.kinds, self.weight.prepared(), self.gate)  # what F added there
            for strip in self._edges.strips:
                images[:, strip.rows, strip.columns] -= outside[strip.kind]
        if self.bias is not None:
            images += kernels.unpack_ternary(self.bias.bits)[0]
        return sums.reshape(x.n_rows, self.n_outputs), Patches(x, patches)

    def check(self, context: Patches) -> None:
        """Refuse more places than votes can be counted of, and missing inputs, if votes are centred."""
        check_terms(len(context.patches), "places of samples in one call")
        if self.centered and context.images.known is not None:
            raise ValueError(f"{self.name} has centered votes, so no input of it can be missing")

    def backward(self, signal: np.ndarray, context: Patches) -> np.ndarray:
        """Collect the votes on the images."""
        return kernels.pixel_votes(self._by_place(signal), self.weight.bits, self.window, self.gate)

    def votes(self, signal: np.ndarray, context: Patches) -> tuple[np.ndarray, ...]:
        """Collect the votes on weights and bias, of all samples and places."""
        z = self._by_place(signal)
        votes = kernels.weight_votes(z, context.patches, self.gate)
        at_false = self.gate.variation_a[0]
        if at_false and self._edges.strips:
            taps = votes.reshape(self.n_filters, self.window.n_taps, -1)
            taps -= at_false * self._signals_outside(signal)[:, :, None]
        if self.bias is None:
            return (votes,)
        return votes, z.sum(axis=0, dtype=np.int32, keepdims=True)

    def marginals(self, signal: np.ndarray, context: Patches) -> tuple[Marginals | None, ...]:
        """Sum up the signals of each filter, and the variations of the gate at each tap."""
        if not self.centered:
            return super().marginals(signal, context)
        self.check(context)
        z, n_images = self._by_place(signal), context.images.n_rows
        pixels = kernels.count_rows(kernels.transpose(context.images)).reshape(self.window.image_shape)
        n_true = np.stack([pixels[y, x].sum(axis=(0, 1), dtype=np.int64) for _, _, y, x in self.window.taps()])
        seen = self.window.inside if self.padding_value == 0 else np.ones_like(self.window.inside)
        n_seen = n_images * seen.sum(axis=(0, 1), dtype=np.int64).reshape(-1, 1)
        at_false, at_true = self.gate.variation_a
        inputs = (at_false * (n_seen - n_true) + at_true * n_true).ravel()
        return ((z.sum(axis=0, dtype=np.int64), inputs, len(z)), None)[: len(self.parameters)]

    def vote_blocks(self, signal: np.ndarray, context: Patches) -> Iterator[VoteBlock]:
        """Collect the votes, centred if they are to be."""
        sums = self.marginals(signal, context)[0] if len(signal) else None
        for number, votes in enumerate(self.votes(signal, context)):
            if number == 0 and sums is not None:
                kernels.center_votes(votes, *sums, out=votes)
            yield number, slice(0, len(votes)), votes

    def _by_place(self, signal: np.ndarray) -> np.ndarray:
        return signal.reshape(-1, self.n_filters)

    def _signals_outside(self, signal: np.ndarray) -> np.ndarray:
        """Sum, for each filter and tap, the signals of the places at which the tap is outside."""
        images = signal.reshape(-1, *self.out_shape)
        total = np.zeros((self.n_filters, self.window.n_taps), np.int32)
        for rows, columns, kind in self._edges.strips:
            at_places = images[:, rows, columns].sum(axis=0, dtype=np.int32)
            total += at_places.reshape(-1, self.n_filters).T @ self._edges.taps[kind.ravel()]
        return total


class Strip(NamedTuple):
    """A block of places at which the window stands out of the image, and how it does at each."""

    rows: slice
    columns: slice
    kind: np.ndarray


class Edges(NamedTuple):
    """The places at which some tap is outside, and their few kinds: which taps, and which bits of a patch."""

    strips: tuple[Strip, ...]
    taps: np.ndarray
    kinds: BitMatrix


_NO_EDGES = Edges((), np.zeros((0, 0), np.int32), BitMatrix(np.zeros((0, 0), np.uint64), 0))


def _edges(window: SlidingWindow) -> Edges:
    outside = ~window.inside.reshape(window.n_places, window.n_taps)
    taps, kind = np.unique(outside, axis=0, return_inverse=True)
    values = -np.repeat(taps, window.channels, axis=1).astype(np.int8)  # F where a tap is outside, else nothing
    kind = kind.reshape(window.places)
    strips = (Strip(*block, kind[block]) for block in _border(outside.any(axis=1).reshape(window.places)))
    return Edges(tuple(strips), taps.astype(np.int32), kernels.pack(values))


def _border(outside: np.ndarray) -> list[tuple[slice, slice]]:
    """Cut the places of a border into at most four blocks: above, below, left and right of the inside."""
    rows, columns = outside.shape
    if outside.all():
        return [(slice(0, rows), slice(0, columns))]
    top, bottom = (int(i) for i in np.flatnonzero(~outside.all(axis=1))[[0, -1]])
    left, right = (int(i) for i in np.flatnonzero(~outside.all(axis=0))[[0, -1]])
    middle = slice(top, bottom + 1)
    blocks = [
        (slice(0, top), slice(0, columns)),
        (slice(bottom + 1, rows), slice(0, columns)),
        (middle, slice(0, left)),
        (middle, slice(right + 1, columns)),
    ]
    return [block for block in blocks if all(part.stop > part.start for part in block)]
