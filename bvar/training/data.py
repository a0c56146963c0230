"""What passes through a network while it is trained: minibatches with noise and weights, and the best so far."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.networks.losses import FULL_WEIGHT
from bvar.networks.network import Network, Votes

__all__ = ["BestNetwork", "TrainingData", "audible", "empty_history", "rows_of", "train_epoch"]

_SOFT = FULL_WEIGHT // 8
"""The least weight that a signal is multiplied with: an int8 signal has no room for less."""

Batch = tuple[BitMatrix, np.ndarray, np.ndarray | None]


class TrainingData(NamedTuple):
    """Encoded samples, their targets and, if they differ, their weights."""

    bits: BitMatrix
    targets: np.ndarray
    weights: np.ndarray | None

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.bits)

    def batches(
        self, order: np.ndarray, batch_size: int, sixty_fourths: int, source: RandomWords
    ) -> Iterator[Batch]:
        """Cut samples into minibatches, and flip some of their bits; missing values stay missing."""
        weights = None if self.weights is None else _heard(self.weights, source)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = self.bits[rows]
            if sixty_fourths:
                noise = source.rare_bits(*batch.shape, sixty_fourths).words
                noisy = batch.words ^ (noise if batch.known is None else noise & batch.known)
                batch = BitMatrix.trusted(noisy, batch.n_bits, batch.known)
            yield batch, self.targets[rows], None if weights is None else weights[rows]


def _heard(weights: np.ndarray, source: RandomWords) -> np.ndarray:
    """Let light samples speak rarely instead of too softly: the mean over epochs is their weight.

    A signal times a weight below 1/254 would round to nothing, and a whole class would fall silent. A sample
    lighter than an eighth speaks with an eighth of its voice, when 16 random bits are below 8 times its weight.
    """
    if weights.min() >= _SOFT:
        return weights
    drawn = source.words.random_raw(len(weights)) >> np.uint64(48)
    soft = np.where(drawn.astype(np.int64) < 8 * weights, _SOFT, 0)
    return np.where(weights < _SOFT, soft, weights)


def train_epoch(network: Network, batches: Iterator[Batch]) -> tuple[Votes, np.ndarray]:
    """Take one step per minibatch; return what was seen, without votes, and the flips per parameter."""
    seen = Votes((), 0, 0, 0, 0)
    flips = np.zeros(len(network.parameters))
    for batch in batches:
        part, flipped = network.step(*batch)
        flips += flipped
        seen += part
    return seen, flips


class BestNetwork:
    """The best network so far, and for how long it has been the best."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.score = -np.inf
        self.waited = 0
        self.network: Network | None = None

    def is_over(self, score: float, network: Network) -> bool:
        """Take note of a score; say whether too many epochs have passed without a better one."""
        if self.network is None or score > self.score:
            self.score, self.waited = score, 0
            self.network = copy.deepcopy(network)
        else:
            self.waited += 1
        return self.waited >= self.patience


def audible(X: Any, y: np.ndarray, weights: np.ndarray | None) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Leave out samples of no weight."""
    if weights is None or weights.all():
        return X, y, weights
    kept = np.flatnonzero(weights)
    return rows_of(X, kept), y[kept], weights[kept]


def rows_of(X: Any, rows: Any) -> Any:
    """Select rows of an array, a sparse matrix or a frame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def empty_history() -> dict[str, list[Any]]:
    """Return the history of a training that has not begun."""
    return {"loss": [], "score": [], "validation_score": [], "flips": [], "beta": []}
