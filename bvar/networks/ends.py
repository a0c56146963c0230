"""Parts of a convolutional network that are of another kind than its Boolean layers: ends, and normalisation.

A recipe asks for them through these interfaces, so that it need not know the kinds; the paper's are
:class:`bvar.real.RealEnds` and :class:`bvar.real.BatchNorm`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from bvar._describe import Described
from bvar.bits.random import RandomSource
from bvar.calculus.gates import Gate
from bvar.layers import Layer
from bvar.networks.losses import Loss

__all__ = ["ConvStage", "Ends", "Norm", "check_parts"]


class ConvStage(NamedTuple):
    """A convolution up to its integer sums, and what a threshold above has to know of these.

    Parameters
    ----------
    layers : list of Layer
        The convolution, and what may stand behind it.
    out_shape : tuple of int
        (height, width, channels) of the images of sums.
    fan_in : int
        Of how many bits a sum would have the spread of these.
    gate : Gate, default=xnor
        Connective of these bits.
    n_terms : ndarray of int, optional
        Number of terms in each sum, where it differs.
    """

    layers: list[Layer]
    out_shape: tuple[int, int, int]
    fan_in: int
    gate: Gate = Gate.of("xnor")
    n_terms: np.ndarray | None = None


class Norm(Protocol):
    """A class of layers that normalise integer sums for a threshold, as :class:`bvar.real.BatchNorm` does."""

    FAN_IN: ClassVar[int]
    """Sums of so many bits have the spread of what comes out."""

    def __call__(self, n_units: int, fan_in: int, *, name: str) -> Layer:
        """Make one for the sums of so many units, or filters, each of so many terms."""


class Ends(Described, ABC):
    """What makes the first convolution, the last linear layer, and the loss for its scores.

    See Also
    --------
    bvar.real.RealEnds : Those of the paper.
    """

    @abstractmethod
    def first(
        self,
        image_shape: tuple[int, int, int],
        n_filters: int,
        kernel_size: int,
        *,
        random_state: RandomSource,
        name: str,
    ) -> ConvStage:
        """Make a convolution that keeps the size of images.

        Parameters
        ----------
        image_shape : tuple of int
            (height, width, channels).
        n_filters : int
            Outputs at each place.
        kernel_size : int
            Taps of the window in both directions, odd.
        random_state : None, int, RandomState or RandomWords
            Where the initial weights come from.
        name : str
            What the layer is called in tables.

        Returns
        -------
        ConvStage
            The convolution, up to integer sums.
        """

    @abstractmethod
    def last(self, n_inputs: int, n_outputs: int, *, random_state: RandomSource, name: str) -> Layer:
        """Make the layer of the scores.

        Parameters
        ----------
        n_inputs, n_outputs : int
            Width of the layer below, and number of scores.
        random_state : None, int, RandomState or RandomWords
            Where the initial weights come from.
        name : str
            What the layer is called in tables.

        Returns
        -------
        Layer
            From bits to scores.
        """

    @abstractmethod
    def loss(self) -> Loss:
        """Make the loss.

        Returns
        -------
        Loss
            For the scores of `last`.
        """


def check_parts(ends: object, norm: object) -> None:
    """Refuse what makes no ends, or no normalisation."""
    if not isinstance(ends, Ends | None):
        raise TypeError(f"ends must be None, or make both ends as bvar.real.RealEnds does, got {ends!r}")
    if norm is not None and not (callable(norm) and hasattr(norm, "FAN_IN")):
        raise TypeError(f"norm must be None, or a class of layers as bvar.real.BatchNorm is, got {norm!r}")
