"""When to stop, and which network to keep: the one that did best on samples that it was not trained on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bvar._describe import Described
from bvar._validation import check_integer
from bvar.networks.network import Network

__all__ = ["EarlyStopping", "Judged", "Kept", "Watching"]


class Judged(NamedTuple):
    """What a network is worth on samples that it was not trained on."""

    score: float
    loss: float
    """The mean loss of a sample."""


@dataclass(frozen=True)
class Kept:
    """What early stopping has kept: the best network, its score, and the epochs that have been no better since."""

    network: Network
    score: float
    waited: int


class EarlyStopping(Described):
    """Score a network after each epoch, keep the best, and say when no better one has come for long.

    Parameters
    ----------
    validate : callable
        Takes the network and returns a score, the higher the better, which must be able to tell networks apart; or
        a ``Judged`` of this module, which has a loss too, for the history. NaN is worth minus infinity.
    patience : int, default=10
        Epochs without a better score after which training is over.

    Attributes
    ----------
    best_score : float
        The highest score so far, minus infinity before the first.
    best_network : Network or None
        A copy of the first network that had it.
    loss : float or None
        The last loss, if `validate` tells it.

    Raises
    ------
    TypeError, ValueError
        If `validate` cannot be called, or `patience` is not a positive integer.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.training import EarlyStopping
    >>> scores = iter([0.5, 0.7, 0.6, 0.7])
    >>> stopping = EarlyStopping(lambda network: next(scores), patience=2)
    >>> network = boolean_mlp([4, 2], random_state=0)
    >>> [(stopping.score(network), stopping.is_over()) for epoch in range(4)]
    [(0.5, False), (0.7, False), (0.6, False), (0.7, True)]
    >>> stopping.best_score
    0.7
    """

    def __init__(self, validate: Callable[[Network], float | Judged], patience: int = 10) -> None:
        if not callable(validate):
            raise TypeError(f"validate must be callable, got {validate!r}")
        self.validate = validate
        self.patience = check_integer(patience, "patience", low=1)
        self.best_score = -np.inf
        self.best_network: Network | None = None
        self.loss: float | None = None
        self._waited = 0

    def score(self, network: Network) -> float:
        """Score a network at the end of an epoch, and keep a copy if it is the best so far.

        Parameters
        ----------
        network : Network
            As it is now.

        Returns
        -------
        float
            Its score.
        """
        score = self._judge(network)
        if self.best_network is None or score > self.best_score:
            self.best_score, self._waited = -np.inf if np.isnan(score) else score, 0
            self.best_network = copy.deepcopy(network)
        else:
            self._waited += 1
        return score

    def _judge(self, network: Network) -> float:
        judged = self.validate(network)
        self.loss = judged.loss if isinstance(judged, Judged) else None
        return float(judged.score if isinstance(judged, Judged) else judged)

    def kept(self) -> Kept | None:
        """Return what is to be remembered, if anything has been kept.

        Returns
        -------
        Kept or None
            For `go_on_from`.
        """
        return None if self.best_network is None else Kept(self.best_network, self.best_score, self._waited)

    def go_on_from(self, kept: Kept) -> None:
        """Remember what another has kept, in place of what this one has.

        Parameters
        ----------
        kept : Kept
            Of one that has scored the networks so far, on the same samples.
        """
        self.best_network, self.best_score, self._waited = kept.network, kept.score, kept.waited

    def is_over(self) -> bool:
        """Say whether too many epochs have passed without a better score.

        Returns
        -------
        bool
            Whether they are as many as `patience`.
        """
        return self._waited >= self.patience


class Watching(EarlyStopping):
    """Score a network after each epoch for the history alone: no training ends, and no network is kept."""

    def score(self, network: Network) -> float:
        """Score a network at the end of an epoch."""
        return self._judge(network)
