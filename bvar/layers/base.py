"""What layers share: their verbs, and what a network hands to them.

A layer written elsewhere needs `forward` and `backward`, which are abstract, and `votes` where it has parameters;
everything else has a default that is right, if slower (``docs/develop/add-a-layer.md``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

import numpy as np

from bvar._describe import Described
from bvar.bits import BitMatrix, SlidingWindow
from bvar.layers.ballots import Ballots
from bvar.layers.parameter import Trainable

__all__ = [
    "Companion",
    "Comparison",
    "Layer",
    "Marginals",
    "Product",
    "Received",
    "Sums",
    "Value",
    "VoteBlock",
]

Value: TypeAlias = BitMatrix | np.ndarray
"""What goes up: bits behind a threshold, int32 sums before it, numbers below a layer that takes them."""

VoteBlock: TypeAlias = tuple[int, slice, np.ndarray | Ballots]
"""Number of a parameter, rows of it, and the votes on these rows, or what they will be counted from."""

Marginals: TypeAlias = tuple[np.ndarray, np.ndarray, int]
"""Sums whose product, over the number of their terms, votes are centred by: of signals (n_outputs,) and of what
these are multiplied with (n_inputs,), both int64, and that number: of samples, or of samples times places."""


class Layer(Described, ABC):
    """One step of a network: forward over bits or sums, backward over signals or votes.

    A layer keeps no memory of a batch: `forward` returns what `backward` needs as a second value, so one
    network may serve several batches, or parts of a batch, at a time.

    See Also
    --------
    bvar.real.RealLayer : One with real weights, outside the promise of equal bits.

    Notes
    -----
    A subclass defines `forward` and `backward`, and `votes` if it has `parameters`. What goes up is a BitMatrix
    behind a threshold and int32 sums before it; what comes down is int8 signals on sums and int32 votes on bits.
    Each class takes one kind of input and has a context of its own, hence `Any` in the base class.
    """

    parameters: tuple[Trainable, ...] = ()
    """Tensors that votes train: bits, and the offsets of sums."""
    companion: ClassVar[type[Companion] | None] = None
    """What trains other weights of such layers than bits; None: there are no others."""
    rows_together: int | None = None
    """Most samples to score at a time, where more would not be faster; None: any number."""

    @abstractmethod
    def forward(self, x: Any) -> tuple[Value, Any]:
        """Compute the output and the context that `backward` needs.

        Parameters
        ----------
        x : BitMatrix or ndarray of int32
            Output of the layer below.

        Returns
        -------
        output : BitMatrix or ndarray of int32
            Input of the layer above.
        context : object
            For `backward`.
        """

    def infer(self, x: Any) -> Value:
        """Compute the output for a sample on its own, as a trained network does.

        Parameters
        ----------
        x : BitMatrix or ndarray
            Output of the layer below.

        Returns
        -------
        BitMatrix or ndarray
            Input of the layer above; it does not depend on what other samples are there, but for the rounding of
            sums of floats in real layers.
        """
        return self.forward(x)[0]

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[Any], Value], Sequence[Layer]]:
        """Offer to infer at once what layers above would infer from the output, where that is faster.

        Parameters
        ----------
        above : sequence of Layer
            What follows in the network.

        Returns
        -------
        infer : callable
            Takes the output of the layer below; the same bits as `infer` of each layer in turn.
        left : sequence of Layer
            Those that it has not taken in. Default: all of them.
        """
        return self.infer, above

    def comparison(self, above: Sequence[Layer]) -> Comparison | None:
        """Say whether, in inference, this layer and some above it are one comparison of each sum.

        Parameters
        ----------
        above : sequence of Layer
            What follows in the network.

        Returns
        -------
        Comparison or None
            What sums are compared with. Default: None.
        """
        return None

    def products(self) -> tuple[Product, ...]:
        """Say what the layer multiplies and adds up for one sample, for :func:`bvar.energy.cost`.

        Returns
        -------
        tuple of Product
            One for each tensor of weights that inputs are multiplied with. Default: none.
        """
        return ()

    def check(self, context: Any) -> None:
        """Refuse a batch on which votes could not be collected: asked before the weights of any layer move.

        Parameters
        ----------
        context : object
            What `forward` returned.

        Raises
        ------
        ValueError
            If it cannot be voted on. Default: every batch can.
        """
        return  # most layers take every batch

    def rows_for(self, n_rows: int) -> int:
        """Say how many rows, of those that it takes, belong to so many of its output.

        A network that is scored in parts cuts between samples, and not within one.

        Parameters
        ----------
        n_rows : int
            Rows of the output that must not be parted.

        Returns
        -------
        int
            Rows of the input that must not be parted. Default: as many.
        """
        return n_rows

    @abstractmethod
    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Pass a signal down.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down: int8 signals on sums, or int32 votes on bits.
        context : object
            What `forward` returned.

        Returns
        -------
        ndarray
            For the layer below: int32 votes on bits, or int8 signals on sums.
        """

    def votes(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]:
        """Collect the votes of a batch on the parameters.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of int32
            One array for each parameter, of its shape.
        """
        return ()

    def ballots(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray | Ballots, ...]:
        """Collect the same votes, some of them not counted yet; what they are counted from nobody may change.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of int32, or Ballots
            One for each parameter. Default: all are counted.
        """
        return self.votes(signal, context)

    def marginals(self, signal: np.ndarray, context: Any) -> tuple[Marginals | None, ...]:
        """Sum up what is needed to centre the votes once those of all samples have been added.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of Marginals or None
            One entry for each parameter; None if its votes are not centred.
        """
        return (None,) * len(self.parameters)

    def vote_blocks(self, signal: np.ndarray, context: Any) -> Iterator[VoteBlock]:
        """Collect the votes piece by piece, so that each can be used while it is in the cache.

        The batch is taken to be whole: votes that are to be centred have been.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Yields
        ------
        VoteBlock
            Number of the parameter, rows of it, and the votes on these rows; or Ballots, on which a
            :class:`bvar.layers.Parameter` flips without anybody holding the votes.
        """
        for number, tensor in enumerate(self.votes(signal, context)):
            yield number, slice(0, len(tensor)), tensor


class Comparison(NamedTuple):
    """Integers that sums are compared with at inference: a threshold, and what may stand before it.

    Parameters
    ----------
    tau : ndarray of int32, shape (n_units,)
        Sums from it on give T.
    below : ndarray of bool, shape (n_units,), or None
        Where sums below it give T instead; None: nowhere.
    left : sequence of Layer
        Layers above the comparison.
    """

    tau: np.ndarray
    below: np.ndarray | None
    left: Sequence[Layer]


class Product(NamedTuple):
    """Sums of products of weights and of what a window sees, at each of its places.

    Parameters
    ----------
    name : str
        What the layer is called in tables.
    window : SlidingWindow
        What each sum sees; a linear layer has one place, which sees everything.
    n_outputs : int
        Sums at each place.
    input_bits : int, default=1
        Bits of an input.
    is_real : bool, default=False
        Whether weights are real, and all numbers of the layer floats.
    """

    name: str
    window: SlidingWindow
    n_outputs: int
    input_bits: int = 1
    is_real: bool = False

    @classmethod
    def of_rows(cls, name: str, n_inputs: int, n_outputs: int, **others: Any) -> Product:
        """Describe a linear layer.

        Parameters
        ----------
        name : str
            What the layer is called in tables.
        n_inputs, n_outputs : int
            Its widths.
        **others : dict
            `input_bits` and `is_real`.

        Returns
        -------
        Product
            With one place, which sees all inputs.
        """
        return cls(name, SlidingWindow((1, 1, n_inputs), 1), n_outputs, **others)

    def at_places(self, n_places: int) -> Product:
        """Describe the same layer at several places of a sample, which share the weights but no input.

        Parameters
        ----------
        n_places : int
            Number of places, such as the positions of a text.

        Returns
        -------
        Product
            Of a linear layer, with so many places.
        """
        return self._replace(window=SlidingWindow((n_places, 1, self.window.patch_size), 1))


class Received(NamedTuple):
    """A layer on the way back, the signal that it receives, and what its `forward` kept."""

    layer: Layer
    signal: np.ndarray
    context: Any


class Sums(Protocol):
    """What a companion learns from; those of other samples can be added."""

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """What must agree for two to be added."""

    def __add__(self, other: Any) -> Sums:
        """Add those of other samples."""


class Companion(Protocol):
    """What trains, beside the optimizer of the bits, the weights that are none; see `bvar.real.RealTrainer`."""

    def __init__(self, layers: Sequence[Layer], optimizer: Any = None, *, n_steps: int | None = None) -> None:
        """Find the layers concerned; without an optimizer make one with a schedule of `n_steps`."""

    def sums(self, received: Sequence[Received]) -> Sums:
        """Sum up what its layers received, from the last to the first; changes nothing."""

    def check(self, sums: Any) -> None:
        """Raise ValueError unless these are sums for its layers."""

    def step(self, sums: Any, sample_weight: int) -> None:
        """Take a step; `sample_weight` is that of all samples together."""

    def start_schedule(self, n_steps: int | None) -> None:
        """Begin a schedule; what has been accumulated stays."""

    def arrays(self) -> Iterator[np.ndarray]:
        """Give everything that inference depends on, layer by layer."""

    def tensors(self) -> Sequence[tuple[str, np.ndarray, int]]:
        """Give the name of each tensor, its values, and how many values of it one sample uses."""
