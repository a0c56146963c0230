"""One fit on a cluster: the partitions, then the crew that has them encoded, and what it goes on from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bvar.bits.random import RandomWords
from bvar.distributed.cluster import DaskWorkers, Partitions
from bvar.distributed.coordinator import Coordinator
from bvar.distributed.rows import AllRows, NumberedData
from bvar.distributed.shard import Shard
from bvar.distributed.wire import bare, narrow
from bvar.training import Interrupted
from bvar.training.data import Data, needs_turns

__all__ = ["Here", "There", "Fit", "Watched"]


@dataclass(frozen=True)
class There:
    """Rows of partitions, by their numbers: what stands for samples in a fit whose samples are elsewhere."""

    rows: np.ndarray | AllRows

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> There:
        """Select some of them."""
        return There(self.rows[rows])


@dataclass(frozen=True)
class Here:
    """The same rows, of which those that are selected are brought here: to try a plan on a few."""

    parts: Partitions
    rows: np.ndarray | AllRows

    def __getitem__(self, rows: np.ndarray) -> Any:
        """Bring some of them here."""
        return self.parts.rows(self.rows[rows])


class Fit:
    """A fit on a cluster.

    Parameters
    ----------
    parts : Partitions
        The samples.
    interrupted : Interrupted
        What it goes on from, and will be interrupted as.
    """

    def __init__(self, parts: Partitions, interrupted: Interrupted) -> None:
        self.parts, self.interrupted = parts, interrupted
        self.crew: Coordinator | None = None

    def check(self, model: Any) -> None:
        """Let each worker check its partitions as an estimator checks samples, and keep what it makes of them."""
        checked = [self.parts.submit(_checked, model, part, name="check") for part in self.parts.futures]
        self.parts.cluster.wait(checked, "checking")
        self.parts.futures = checked

    def encode(self, model: Any, data: NumberedData) -> None:
        """Let each worker encode its partitions, and make a crew of them."""
        y, weights = self._of_all(data, data.y), self._of_all(data, data.sample_weight)
        light = data.sample_weight is not None and needs_turns(data.sample_weight)
        turns = self._of_all(data, np.arange(len(data))) if light else None

        def submit(part: Any, first: int, last: int, home: str) -> Any:
            beside = [None if one is None else narrow(one[first:last]) for one in (y, weights, turns)]
            return self.parts.submit(_encoded, model, part, *beside, name="encode", workers=[home])

        shards, order = self.parts.shards(submit)
        self.parts.futures = []  # a worker that dies has them made again from what X is made of
        workers = DaskWorkers(self.parts.cluster, shards, order)
        light_data = replace(data, y=data.y[:0].copy())  # workers have the targets now
        self.crew = Coordinator(workers, light_data, backend=model.backend, n_threads=model.n_threads)

    def _of_all(self, data: NumberedData, values: np.ndarray | None) -> np.ndarray | None:
        """Return values of all rows, of which those that are not trained on have 0."""
        if values is None or isinstance(data.rows, AllRows):
            return values
        out = np.zeros((self.parts.n_rows, *values.shape[1:]), values.dtype)
        out[data.rows] = values
        return out

    def close(self) -> None:
        """Let the workers forget it."""
        if self.crew is not None:
            self.crew.close()


@dataclass(frozen=True)
class Watched:
    """Data that say when an epoch begins, to who keeps checkpoints."""

    data: Data
    begins: Callable[[RandomWords], None]

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return self.data.n_batches

    def epoch(self, progress: float, source: RandomWords) -> Iterable[Any]:
        """Give the batches of an epoch."""
        self.begins(source)
        return self.data.epoch(progress, source)


def _checked(model: Any, part: Any) -> Any:
    return model._check_samples(part, reset=False)


def _encoded(model: Any, part: Any, y: np.ndarray, weights: np.ndarray | None, turns: np.ndarray | None) -> Shard:
    with model._backend(record=False):
        x = model._encode(part)
    wide = [None if one is None else one.astype(np.int64) for one in (weights, turns)]
    return Shard(x, y.astype(np.int64), *wide)


def light(model: Any, *without: str) -> Any:
    """Copy an estimator for workers, who need no history, and of the network no accumulators."""
    found = copy.copy(model)
    found.callbacks = None
    for name in without:
        found.__dict__.pop(name, None)
    if hasattr(found, "network_"):
        found.network_ = bare(found.network_)
    return found
