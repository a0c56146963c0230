"""Which rows of which shard a batch has, and what chance holds for each: known from numbers, without any sample.

A process draws the order of all samples, or its keys, and then only jumps over the words that noise and the turns
of light samples would take; who has a row draws the words of that row alone (:doc:`/explanation/exactness`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bvar.bits import n_words
from bvar.bits.random import RandomWords
from bvar.training.data import cut, needs_turns

__all__ = ["AllRows", "NumberedBatch", "NumberedData", "RowOrder", "State", "source_of_rows", "words_at"]

State: TypeAlias = tuple[int, int]
"""Where a stream of words is: the state and the increment of its PCG64."""

_WORTH_A_JUMP = 512  # words: a jump takes as long as drawing so many


@dataclass(frozen=True)
class AllRows:
    """The numbers of all rows, in their order: what an `arange` is, but none of them is stored."""

    n: int

    def __len__(self) -> int:
        """Return how many there are."""
        return self.n

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some of them."""
        return np.arange(*rows.indices(self.n)) if isinstance(rows, slice) else rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return all of them, to who asks for an array."""
        return np.arange(self.n, dtype=dtype)


@dataclass(frozen=True)
class NumberedBatch:
    """Numbers of the rows of a step, in order, and where the words of its noise and of its epoch's turns begin."""

    rows: np.ndarray
    noise: State | None = None
    turns: State | None = None
    is_first: bool = False


@dataclass(frozen=True)
class NumberedData:
    """Samples that are elsewhere: what :class:`bvar.training.TrainingData` would give, as numbers of rows.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_samples,), or AllRows
        Number of each sample among all rows, in the order of the samples.
    y : ndarray of int, shape (n_samples, ...)
        Targets, as the loss wants them.
    sample_weight : ndarray of int, shape (n_samples,), or None
        Weights of samples in [0, FULL_WEIGHT].
    batch_size : int
        Samples of a step.
    flip_noise : float
        Probability with which each known bit is flipped.
    n_bits : int
        Bits of a sample.
    """

    rows: np.ndarray | AllRows
    y: np.ndarray
    sample_weight: np.ndarray | None
    batch_size: int
    flip_noise: float
    n_bits: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.rows)

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return -(-len(self) // self.batch_size)

    def epoch(self, progress: float, source: RandomWords) -> Iterator[NumberedBatch]:
        """Draw an order and cut it into batches, jumping over the words that are for single rows."""
        order = source.order(len(self))
        turns = None
        if self.sample_weight is not None and needs_turns(self.sample_weight):
            turns = _state(source)
            source.words.advance(len(self))
        for number, places in enumerate(cut(order, self.batch_size)):
            noise = _state(source) if self.flip_noise else None
            source.words.advance(self._words_of_noise(len(places)))
            yield NumberedBatch(self.rows[places], noise, turns, is_first=number == 0)

    def _words_of_noise(self, n_rows: int) -> int:
        sixty_fourths = round(64 * self.flip_noise)
        if not sixty_fourths:
            return 0
        lowest = (sixty_fourths & -sixty_fourths).bit_length() - 1
        return (6 - lowest) * n_rows * n_words(self.n_bits)


@dataclass(frozen=True)
class RowOrder:
    """Where each row is: rows are numbered partition by partition, and a shard is some partitions in a row.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_partitions,)
        Number of the first row of each partition.
    shards : ndarray of int64, shape (n_partitions,)
        The shard that a partition is in.
    bases : ndarray of int64, shape (n_partitions,)
        Which row of its shard the first one of a partition is.
    """

    starts: np.ndarray
    shards: np.ndarray
    bases: np.ndarray

    @classmethod
    def of(cls, lengths: np.ndarray, shards: np.ndarray) -> RowOrder:
        """Return the order of partitions of these lengths, in these shards."""
        bases = np.zeros(len(lengths), np.int64)
        for shard in np.unique(shards):
            mine = np.flatnonzero(shards == shard)
            bases[mine] = np.cumsum(lengths[mine]) - lengths[mine]
        return cls(np.cumsum(lengths) - lengths, shards, bases)

    def deal(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Deal rows to their shards.

        Parameters
        ----------
        rows : ndarray of int64
            Numbers of rows, in any order.

        Yields
        ------
        shard : int
            One that has some of the rows.
        local : ndarray of int64
            Which rows of the shard they are.
        at : ndarray of int64
            Where they stand in `rows`.
        """
        partitions = np.searchsorted(self.starts, rows, side="right") - 1
        local = self.bases[partitions] + rows - self.starts[partitions]
        shards = self.shards[partitions]
        for shard in np.unique(shards).tolist():
            at = np.flatnonzero(shards == shard)
            yield shard, local[at], at


def source_of_rows(state: State, n_rows: int, rows: np.ndarray) -> RandomWords:
    """Return a source that draws for some rows what another one would draw for all.

    Parameters
    ----------
    state : tuple of int
        Where the other one is.
    n_rows : int
        Number of all rows.
    rows : ndarray of int64
        Those wanted, at least one.

    Returns
    -------
    RandomWords
        Whoever asks it for `len(rows)` rows gets these.
    """
    source = RandomWords(0)
    source.words = _WordsOfRows(state, n_rows, rows)  # type: ignore[assignment]
    return source


class _WordsOfRows:
    """A stream of matrices of `n_rows` rows, of which it gives some."""

    def __init__(self, state: State, n_rows: int, rows: np.ndarray) -> None:
        self.state, self.n_rows, self.rows = state, n_rows, rows
        self._begin = 0

    def random_raw(self, n: int) -> np.ndarray:
        width = n // len(self.rows)
        drawn = words_at(self.state, self._begin + self.rows * width, width)
        self._begin += self.n_rows * width
        return drawn.reshape(-1)


def words_at(state: State, starts: np.ndarray, width: int) -> np.ndarray:
    """Draw some words of a stream: where gaps are wide jump over them, where they are narrow draw and drop.

    Parameters
    ----------
    state : tuple of int
        Where the stream is.
    starts : ndarray of int64
        Numbers of words, counted from there, at which runs begin.
    width : int
        Words of each run.

    Returns
    -------
    ndarray of uint64, shape (n_runs, width)
        The runs.
    """
    words = np.random.PCG64(0)
    words.state = {**words.state, "state": {"state": state[0], "inc": state[1]}}
    out = np.empty((len(starts), width), np.uint64)
    order = np.argsort(starts)
    position = 0
    for run in np.split(order, np.flatnonzero(np.diff(starts[order]) > _WORTH_A_JUMP + width) + 1):
        first, last = int(starts[run[0]]), int(starts[run[-1]]) + width
        words.advance(first - position)
        drawn = words.random_raw(last - first)
        out[run] = drawn[(starts[run] - first)[:, None] + np.arange(width)]
        position = last
    return out


def _state(source: RandomWords) -> State:
    inner = source.words.state["state"]
    return inner["state"], inner["inc"]
