"""What passes through a network in an epoch: samples in minibatches, with noise on their bits and with weights.

Order, noise and the turns of light samples are drawn from one stream of random words, in the order that
``docs/explanation/exactness.md`` gives, so that a port or a cluster can draw the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bvar._validation import check_integer, check_real
from bvar.bits import BitMatrix
from bvar.bits.order import KeyedOrder
from bvar.bits.random import RandomWords
from bvar.networks.losses import FULL_WEIGHT, check_sample_weight

__all__ = [
    "Batch",
    "Data",
    "TrainingData",
    "audible",
    "check_flip_noise",
    "cut",
    "heard",
    "needs_turns",
    "noisy",
    "rows_of",
]

_SOFT = FULL_WEIGHT // 8
"""The least weight that a signal is multiplied with: an int8 signal has no room for less."""

_AT_A_TIME = 8192  # numbers of an order

Batch = tuple[Any, np.ndarray, np.ndarray | None]
"""Inputs, targets and, if they differ, weights of some samples: what `Network.step` takes."""


class Data(Protocol):
    """What a trainer asks of data, wherever they are."""

    @property
    def n_batches(self) -> int:
        """Number of batches, and so of steps, of an epoch."""
        ...

    def epoch(self, progress: float, source: RandomWords) -> Iterable[Any]:
        """Give the batches of an epoch, as the crew takes them; `progress` in [0, 1) is how far training is."""
        ...


@dataclass(frozen=True)
class TrainingData:
    """Encoded samples, their targets and weights, and how an epoch is made of them.

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, n_inputs)
        Inputs; values may be missing. Or numbers, where the first layer takes those.
    y : ndarray of int, shape (n_samples, ...)
        Targets, as the loss wants them.
    sample_weight : ndarray of int, shape (n_samples,), optional
        Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.
    batch_size : int, default=100
        Samples of a step; the last batch of an epoch may have fewer.
    flip_noise : float, default=0.0
        Probability with which each known bit is flipped, anew in each epoch; in steps of 1/64, at most 0.5.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    bvar.training.Trainer : Which has an example.
    """

    x: Any
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    batch_size: int = 100
    flip_noise: float = 0.0

    def __post_init__(self) -> None:
        check_integer(self.batch_size, "batch_size", low=1)
        check_flip_noise(self.flip_noise)
        if self.flip_noise and not isinstance(self.x, BitMatrix):
            raise TypeError(f"flip_noise must be 0 where x is not bits, got {self.flip_noise!r}")
        for name in ("y", "sample_weight"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self):
                raise ValueError(f"{name} must have an entry for each of {len(self)} samples, got {len(value)}")
        if self.sample_weight is not None:
            check_sample_weight(self.sample_weight, len(self))

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.x)

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return -(-len(self) // self.batch_size)

    def epoch(self, progress: float, source: RandomWords) -> Iterator[Batch]:
        """Draw an order and cut it into batches.

        Parameters
        ----------
        progress : float
            How far training is; these data are the same all the time.
        source : RandomWords
            Where order, turns of light samples and noise come from.

        Returns
        -------
        iterator of tuple
            Inputs, targets and weights of each batch.
        """
        return self.batches(source.order(len(self)), source)

    def batches(self, order: np.ndarray | KeyedOrder, source: RandomWords) -> Iterator[Batch]:
        """Cut samples into batches, and flip some of their bits; missing values stay missing.

        Parameters
        ----------
        order : ndarray of int, or KeyedOrder
            Numbers of samples.
        source : RandomWords
            Where turns of light samples and noise come from.

        Returns
        -------
        iterator of tuple
            Inputs, targets and weights of each batch.
        """
        weights = None if self.sample_weight is None else heard(self.sample_weight, source)
        for rows in cut(order, self.batch_size):
            x = noisy(self.x[rows], self.flip_noise, source)
            yield x, self.y[rows], None if weights is None else weights[rows]


def cut(order: np.ndarray | KeyedOrder, batch_size: int) -> Iterator[np.ndarray]:
    """Cut an order into batches; one that is computed, many batches at a time."""
    block = batch_size * max(1, _AT_A_TIME // batch_size)
    for start in range(0, len(order), block):
        numbers = order[start : start + block]
        for first in range(0, len(numbers), batch_size):
            yield numbers[first : first + batch_size]


def noisy(x: Any, flip_noise: float, source: RandomWords) -> Any:
    """Flip each known bit with a probability, in steps of 1/64; without any, samples need not be bits."""
    sixty_fourths = round(64 * flip_noise)  # the only steps that the random bits have
    if not sixty_fourths:
        return x
    noise = source.rare_bits(x.n_rows, x.n_bits, sixty_fourths).words
    flipped = x.words ^ (noise if x.known is None else noise & x.known)
    return BitMatrix.trusted(flipped, x.n_bits, x.known)


def check_flip_noise(value: Any, others: str = "") -> float:
    """Return a probability of flips after checking it; `others` says what else is accepted, for the message."""
    text = f"flip_noise must be a number in [0, 0.5]{others}, got {value!r}"
    if isinstance(value, str):
        raise ValueError(text)
    noise = check_real(value, "flip_noise", low=0)
    if noise > 0.5:
        raise ValueError(text)
    return noise


def needs_turns(weights: np.ndarray) -> bool:
    """Say whether there are samples so light that they speak rarely, for which words are drawn."""
    return bool(weights.min() < _SOFT)


def heard(weights: np.ndarray, source: RandomWords) -> np.ndarray:
    """Let light samples speak rarely instead of too softly: the mean over epochs is their weight.

    A signal times a weight below 1/254 would round to nothing, and a whole class would fall silent. A sample
    lighter than an eighth speaks with an eighth of its voice, when 16 random bits are below 8 times its weight.
    """
    if not needs_turns(weights):
        return weights
    drawn = source.words.random_raw(len(weights)) >> np.uint64(48)
    soft = np.where(drawn.astype(np.int64) < 8 * weights, _SOFT, 0)
    return np.where(weights < _SOFT, soft, weights)


def audible(X: Any, y: np.ndarray, weights: np.ndarray | None) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Leave out samples of no weight."""
    if weights is None or weights.all():
        return X, y, weights
    kept = np.flatnonzero(weights)
    return rows_of(X, kept), y[kept], weights[kept]


def rows_of(X: Any, rows: Any) -> Any:
    """Select rows of an array, a sparse matrix or a frame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
