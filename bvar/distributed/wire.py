"""What travels: up votes in the narrowest integers that hold them, or signals; down what has moved.

Nothing in here knows who carries it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from bvar.bits import n_words
from bvar.distributed.rows import State
from bvar.layers import Trainable
from bvar.networks.network import Network
from bvar.networks.signals import Signals, has_signals, linear_layers, other_parameters
from bvar.networks.votes import Votes

__all__ = [
    "Answer",
    "Question",
    "Scores",
    "bare",
    "bytes_of_step",
    "frame",
    "narrow",
    "packed",
    "total",
    "unpacked",
    "whole",
]

Way: TypeAlias = Literal["votes", "signals"]
What: TypeAlias = Way | Literal["scores"]


@dataclass(frozen=True)
class Scores:
    """Scores of some samples, and where these stand in the list that was asked for."""

    places: np.ndarray
    scores: np.ndarray

    def __add__(self, other: Scores) -> Scores:
        """Put those of other samples below these."""
        places = np.concatenate([self.places, other.places])
        return Scores(places, np.concatenate([self.scores, other.scores]))


Value: TypeAlias = Votes | Signals | Scores


@dataclass(frozen=True)
class Question:
    """All that the answer of a shard depends on, beside its samples: whoever is asked, it is the same.

    Parameters
    ----------
    what : {'votes', 'signals', 'scores'}
        What is asked for.
    run, version : str and int
        Of which training, and of which state of its network; versions count the messages of its flips.
    news : bytes
        What has moved since the version before; or the network itself, if `is_whole`.
    is_whole : bool
        Whether `news` is the network itself.
    rows : ndarray of uint32
        Rows of the shard.
    places : ndarray of uint32
        Where these stand in the list of all rows of the question.
    n_rows : int
        Number of all rows of the question.
    flip_noise : float
        Probability of a flip of a bit.
    noise, turns : tuple of int, or None
        Where the words of noise, and of the turns of light samples, begin.
    n_turns : int
        Number of samples that take turns.
    wants_fingerprint : bool
        Whether to say the fingerprint of the network that has answered.
    backend : str or None
        Which backend computes.
    n_threads : int
        Threads that it may use.
    bvar : str
        Version of this package.
    """

    what: What
    run: str
    version: int
    news: bytes
    is_whole: bool
    rows: np.ndarray
    places: np.ndarray
    n_rows: int
    flip_noise: float
    noise: State | None
    turns: State | None
    n_turns: int
    wants_fingerprint: bool
    backend: str | None
    n_threads: int
    bvar: str


@dataclass(frozen=True)
class Answer:
    """What shards say, added up; and which of them could not, because they do not know the network.

    Parameters
    ----------
    value : Votes, Signals, Scores or None
        What was asked for, :func:`packed`; None if no shard has answered.
    behind : tuple of int
        Shards whose worker has no copy of the version before.
    fingerprints : tuple of (str, str)
        Who has answered, and by which network.
    """

    value: Value | None = None
    behind: tuple[int, ...] = ()
    fingerprints: tuple[tuple[str, str], ...] = ()


def total(answers: Iterable[Answer]) -> Answer:
    """Add the answers of shards up, in integers as wide as they are computed with.

    Parameters
    ----------
    answers : iterable of Answer
        Each is looked at once, and left as it was.

    Returns
    -------
    Answer
        Whose value is :func:`unpacked`.

    Raises
    ------
    OverflowError
        If votes on a weight do not fit int32.
    """
    value: Any = None
    behind: list[int] = []
    fingerprints: list[tuple[str, str]] = []
    for one in answers:
        behind += one.behind
        fingerprints += one.fingerprints
        if one.value is None:
            continue
        if value is None:
            value = unpacked(one.value)
        else:  # in place, where values can
            value += unpacked(one.value)
    return Answer(value, tuple(behind), tuple(fingerprints))


def narrow(values: np.ndarray) -> np.ndarray:
    """Return integers in the narrowest type that holds all of them: int8, int16 or as they are."""
    low, high = values.min(initial=0), values.max(initial=0)
    for kind in (np.int8, np.int16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


@overload
def packed(value: Votes) -> Votes: ...
@overload
def packed(value: Scores) -> Scores: ...
@overload
def packed(value: Value) -> Value: ...
def packed(value: Value) -> Value:
    """Make what travels narrow; signals are, but for the votes beside them."""
    if isinstance(value, Signals):
        return replace(value, votes=packed(value.votes))
    if isinstance(value, Votes):
        return replace(value, tensors=tuple(map(narrow, value.tensors)))
    return replace(value, scores=narrow(value.scores))


@overload
def unpacked(value: Votes) -> Votes: ...
@overload
def unpacked(value: Value) -> Value: ...
def unpacked(value: Value) -> Value:
    """Make integers as wide again as they are computed with; votes come in memory of their own, to be added to."""
    if isinstance(value, Signals):
        return replace(value, votes=unpacked(value.votes))
    if isinstance(value, Votes):
        return replace(value, tensors=tuple(q.astype(np.int32) for q in value.tensors))
    return replace(value, scores=value.scores.astype(np.int32, copy=False))


def bare(network: Network) -> Network:
    """Return a network without its accumulators, which nobody needs who does not apply votes."""
    copy = object.__new__(Network)
    copy.__dict__.update(network.__dict__, optimizer=None)
    return copy


def whole(network: Network) -> bytes:
    """Return all of a network that workers need."""
    return pickle.dumps(bare(network), protocol=pickle.HIGHEST_PROTOCOL)


def frame(network: Network) -> bytes:
    """Return all of a network that no flips tell of: thresholds and their curves, the loss, what a layer is."""
    out = io.BytesIO()
    _WithoutTensors(out, protocol=pickle.HIGHEST_PROTOCOL).dump((network.layers, network.loss))
    return out.getvalue()


class _WithoutTensors(pickle.Pickler):
    def persistent_id(self, obj: Any) -> str | None:
        return obj.name if isinstance(obj, Trainable) else None


def bytes_of_step(network: Network, n_samples: int, *, missing: bool = False) -> dict[Way, int]:
    """Say what would reach the process that applies a step, by each way that there is.

    Parameters
    ----------
    network : Network
        The network.
    n_samples : int
        Samples of a step.
    missing : bool, default=False
        Whether inputs may be missing.

    Returns
    -------
    dict of int
        Bytes of 'votes', most of which fit int16; and of 'signals', where there is this way.
    """
    ways: dict[Way, int] = {"votes": 2 * sum(prod(parameter.shape) for parameter in network.parameters)}
    if has_signals(network):
        layers = linear_layers(network)
        words = sum(n_words(layer.n_inputs) for layer in layers) + missing * n_words(layers[0].n_inputs)
        ways["signals"] = n_samples * (sum(layer.n_outputs for layer in layers) + 8 * words)
        ways["signals"] += 2 * sum(prod(parameter.shape) for _, parameter in other_parameters(network))
    return ways
