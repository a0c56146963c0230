"""What a worker does: it keeps samples and a copy of the network, and answers questions.

An answer is a function of the question and the samples alone.  The copy is a matter of speed: one that is a
version behind follows the flips; any other is said to be behind, and is sent the network.
"""

from __future__ import annotations

import os
import pickle
import socket
from dataclasses import dataclass, field
from threading import RLock

import numpy as np

from bvar import __version__, backends
from bvar.bits import BitMatrix
from bvar.distributed.rows import source_of_rows
from bvar.distributed.wire import Answer, Question, Scores, Value, packed
from bvar.networks.flips import catch_up
from bvar.networks.network import Network
from bvar.training.data import heard, noisy

__all__ = ["Shard", "answer"]

_MOST = 4  # trainings at a time that a worker keeps copies for


@dataclass(frozen=True)
class Shard:
    """Some rows of a table, encoded.

    Parameters
    ----------
    x : BitMatrix of shape (n_rows, n_inputs)
        Inputs.
    y : ndarray of int, shape (n_rows, ...)
        Targets, as the loss wants them.
    sample_weight : ndarray of int64, shape (n_rows,), or None
        Weights.
    turns : ndarray of int64, shape (n_rows,), or None
        Number of each row among the samples trained on, where light samples take turns.
    """

    x: BitMatrix
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    turns: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @classmethod
    def joined(cls, parts: list[Shard]) -> Shard:
        """Put shards below each other."""

        def both(name: str) -> np.ndarray | None:
            found = [getattr(part, name) for part in parts]
            return None if found[0] is None else np.concatenate(found)

        x, y = BitMatrix.concatenate([part.x for part in parts]), both("y")
        assert y is not None  # noqa: S101 - narrows the type
        return cls(x, y, both("sample_weight"), both("turns"))


@dataclass
class _Copy:
    version: int
    network: Network
    lock: RLock = field(default_factory=RLock)


_copies: dict[str, _Copy] = {}
_lock = RLock()


def answer(question: Question, shard: Shard, number: int) -> Answer:
    """Answer for some rows of a shard.

    Parameters
    ----------
    question : Question
        What is asked.
    shard : Shard
        The samples.
    number : int
        Number of the shard.

    Returns
    -------
    Answer
        Which is behind if this process does not know the network.

    Raises
    ------
    RuntimeError
        If the question comes from another version of this package.
    """
    if question.bvar != __version__:
        raise RuntimeError(
            f"this worker has bvar {__version__}, but is asked by bvar {question.bvar}: install that"
        )
    copy = _find(question)
    with copy.lock:
        network = _brought_up(copy, question)
        if network is None:
            return Answer(behind=(number,))
        with backends.use(question.backend, n_threads=question.n_threads):
            value = packed(_value(network, question, shard))
        prints = ((_me(), network.fingerprint()),) if question.wants_fingerprint else ()
    return Answer(value, (), prints)


def forget(run: str) -> None:
    """Drop the copy of a training that is over."""
    with _lock:
        _copies.pop(run, None)


def _find(question: Question) -> _Copy:
    """Return the copy for a training, or begin one that knows nothing yet."""
    with _lock:
        if question.run not in _copies:
            while len(_copies) >= _MOST:
                del _copies[next(iter(_copies))]
            _copies[question.run] = _Copy(-1, None)  # type: ignore[arg-type]
        return _copies[question.run]


def _brought_up(copy: _Copy, question: Question) -> Network | None:
    """Return the network of the version asked for, if the copy can become it."""
    if copy.version < question.version and question.is_whole:
        copy.network, copy.version = pickle.loads(question.news), question.version
    if 0 <= copy.version == question.version - 1:
        catch_up(copy.network, question.news, copy.version)
        copy.version = question.version
    return copy.network if copy.version == question.version else None


def _value(network: Network, question: Question, shard: Shard) -> Value:
    rows = question.rows
    x = shard.x[rows]
    if question.what == "scores":
        return Scores(question.places, network.scores(x))
    if question.noise is not None:
        x = noisy(
            x, question.flip_noise, source_of_rows(question.noise, question.n_rows, question.places.astype(int))
        )
    weights = None if shard.sample_weight is None else shard.sample_weight[rows]
    if weights is not None and question.turns is not None and shard.turns is not None:
        weights = heard(weights, source_of_rows(question.turns, question.n_turns, shard.turns[rows]))
    collect = network.votes if question.what == "votes" else network.signals
    return collect(x, shard.y[rows], weights)


def _me() -> str:
    return f"{socket.gethostname()}, process {os.getpid()}"
