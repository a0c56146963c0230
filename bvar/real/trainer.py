"""What real weights add to a network: verbs of their layers, sums that these learn from, and what trains them.

Float: reproducible by seed on one backend, outside the promise of equal bits (``docs/explanation/real-ends.md``).
A network finds :class:`RealTrainer` in its layers, and calls it once a step; nothing below this room knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bvar._describe import Described
from bvar.layers.base import Layer, Received
from bvar.networks.losses import FULL_WEIGHT, SIGNAL_MAX
from bvar.real.adam import Adam

__all__ = ["RealLayer", "RealParameter", "RealSums", "RealTrainer"]

Shapes = tuple[tuple[int, ...], ...]


class RealParameter:
    """A tensor of real weights, which a gradient trains: float, and so outside the promise of equal bits.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    values : ndarray of float32
        The weights, changed in place.
    n_places : int, default=1
        At how many places of one sample each weight is used.
    """

    def __init__(self, name: str, values: np.ndarray, *, n_places: int = 1) -> None:
        self.name = name
        self.values = values
        self.n_places = n_places

    def __repr__(self) -> str:
        """Tell which one it is, and how large."""
        return f"<parameter {self.name!r} of shape {self.values.shape}>"

    @property
    def n_uses(self) -> int:
        """How many values one sample uses, all of them at each place."""
        return self.values.size * self.n_places


@dataclass(frozen=True)
class RealSums:
    """What a set of samples says about real weights; sets that share no sample add, as floats.

    Parameters
    ----------
    gradients : tuple of ndarray of float32
        Sums of gradients in each real parameter, in 127ths. The last digits of a total depend on how the samples
        were split.
    moments : tuple of ndarray of float64, default=()
        What running statistics are made of; parts of a batch were each normalised by their own statistics.
    """

    gradients: tuple[np.ndarray, ...]
    moments: tuple[np.ndarray, ...] = ()

    @property
    def shapes(self) -> tuple[Shapes, Shapes]:
        """Shapes of gradients and of moments."""
        return tuple(g.shape for g in self.gradients), tuple(m.shape for m in self.moments)

    def __add__(self, other: RealSums) -> RealSums:
        """Add those of other samples."""
        return RealSums(
            tuple(a + b for a, b in zip(self.gradients, other.gradients, strict=True)),
            tuple(a + b for a, b in zip(self.moments, other.moments, strict=True)),
        )


class RealTrainer(Described):
    """Let Adam step along the mean gradient, and running statistics follow.

    Parameters
    ----------
    layers : sequence of Layer
        Of a network; those that are no :class:`RealLayer` do not concern it.
    optimizer : Adam, optional
        What steps. Default: an :class:`Adam` with a schedule of `n_steps`.
    n_steps : int, optional
        Length of the schedule of the default in steps.

    Attributes
    ----------
    layers : list of RealLayer
        Those with real weights, from the input to the scores.
    adam : Adam
        The optimizer.

    Raises
    ------
    TypeError
        If `optimizer` is neither an Adam nor None.

    Examples
    --------
    >>> from bvar.networks import BooleanOptimizer, Network
    >>> from bvar.real import RealCrossEntropy, RealLinear
    >>> network = Network([RealLinear(3, 2)], RealCrossEntropy(), BooleanOptimizer(n_steps=9))
    >>> [parameter.name for parameter in network.real.parameters], network.real.adam.n_steps
    (['real.weight', 'real.bias'], 9)
    """

    def __init__(
        self, layers: Sequence[Layer], optimizer: Adam | None = None, *, n_steps: int | None = None
    ) -> None:
        if optimizer is not None and not isinstance(optimizer, Adam):
            raise TypeError(f"real_optimizer must be a bvar.real.Adam or None, got {optimizer!r}")
        self.layers = [layer for layer in layers if isinstance(layer, RealLayer)]
        self.adam = Adam(n_steps=n_steps) if optimizer is None else optimizer

    @property
    def parameters(self) -> list[RealParameter]:
        """All real tensors, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.real_parameters]

    def start_schedule(self, n_steps: int | None) -> None:
        """Begin a schedule from the rate of the last one; the means of gradients stay.

        Parameters
        ----------
        n_steps : int or None
            Length of the schedule in steps; None keeps the rate as it is.
        """
        self.adam.start_schedule(self.adam.rate, n_steps)

    def sums(self, received: Sequence[Received]) -> RealSums:
        """Sum up what a batch says; changes nothing.

        Parameters
        ----------
        received : sequence of Received
            What its layers received on the way back, from the last to the first.

        Returns
        -------
        RealSums
            To be added to those of other samples, or stepped along.
        """
        climbing = list(zip(self.layers, reversed(received), strict=True))
        return RealSums(
            tuple(g for layer, (_, signal, context) in climbing for g in layer.gradients(signal, context)),
            tuple(m for layer, (_, _, context) in climbing for m in layer.moments(context)),
        )

    def check(self, sums: object) -> None:
        """Refuse sums that do not come from such layers.

        Parameters
        ----------
        sums : RealSums
            To be stepped along.

        Raises
        ------
        ValueError
            If they are of other shapes, or none at all.
        """
        shapes = tuple(p.values.shape for p in self.parameters)
        fits = isinstance(sums, RealSums) and sums.shapes[0] == shapes
        if not isinstance(sums, RealSums) or not fits or len(sums.moments) != len(self._with_statistics()):
            raise ValueError(f"votes must have gradients of the shapes of the real parameters, {shapes}")

    def step(self, sums: RealSums, sample_weight: int) -> None:
        """Take one step.

        Parameters
        ----------
        sums : RealSums
            Of all samples of the step.
        sample_weight : int
            Sum of their weights; if it is 0, nothing moves.
        """
        if not sample_weight:
            return
        scale = np.float32(FULL_WEIGHT / (SIGNAL_MAX * sample_weight))
        self.adam.step([p.values for p in self.parameters], [scale * g for g in sums.gradients])
        for layer, moments in zip(self._with_statistics(), sums.moments, strict=True):
            layer.learn_moments(moments)

    def arrays(self) -> Iterator[np.ndarray]:
        """Give everything that inference depends on.

        Yields
        ------
        ndarray
            Real weights and running statistics, layer by layer.
        """
        for layer in self.layers:
            yield from (parameter.values for parameter in layer.real_parameters)
            yield from layer.statistics

    def tensors(self) -> list[tuple[str, np.ndarray, int]]:
        """Describe the weights.

        Returns
        -------
        list of (str, ndarray, int)
            Name and values of each parameter, and how many of its values one sample uses.
        """
        return [(p.name, p.values, p.n_uses) for p in self.parameters]

    def _with_statistics(self) -> list[RealLayer]:
        return [layer for layer in self.layers if layer.statistics]


class RealLayer(Layer):
    """A layer with real weights or running statistics, which learn from sums of floats.

    A subclass lists its weights in `real_parameters` and gives their `gradients`; one that depends on the batch
    lists `statistics`, sums up `moments` and learns from them, and has an `infer` that uses them.

    See Also
    --------
    RealTrainer : What trains it.
    """

    companion = RealTrainer
    real_parameters: tuple[RealParameter, ...] = ()
    """What gradients train."""
    statistics: tuple[np.ndarray, ...] = ()
    """Running statistics of the training samples, changed in place, which inference uses."""

    def gradients(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]:
        """Sum up the gradients of a batch in the real parameters.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of float32
            One array for each real parameter, of its shape, in 127ths.
        """
        return ()

    def moments(self, context: Any) -> tuple[np.ndarray, ...]:
        """Sum up what the running statistics are made of.

        Parameters
        ----------
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of float64
            One array of sums over samples, which add; none if the layer has no running statistics.
        """
        return ()

    def learn_moments(self, moments: np.ndarray) -> None:
        """Move the running statistics towards those of a batch.

        Parameters
        ----------
        moments : ndarray of float64
            What `moments` returned, added over all parts of the batch.
        """
        return  # most layers have none
