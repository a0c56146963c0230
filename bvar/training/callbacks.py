"""What is called after each epoch: functions that look at a model in training, change it, or end the training.

One that must know of each training from its beginning has a method `begin`, which is given a function that tells
at any time what the training could go on from, and returns what is called after its epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from bvar.networks.network import Network

__all__ = ["Callback", "Keep", "Learner", "as_callbacks", "call", "for_training"]


class Learner(Protocol):
    """What a callback finds: a trainer, or the estimator that runs one."""

    network_: Network
    history_: dict[str, list[Any]]
    n_iter_: int
    max_iter_: int


Callback = Callable[[Any], object]
"""Takes a `Learner`; what it returns is looked at only if it is True, which ends the training."""

Keep = Callable[[], Any]
"""Returns a copy of what a training goes on from, as it is now."""


def as_callbacks(callbacks: Callback | Iterable[Callback] | None) -> list[Callback]:
    """Return callbacks as a list, after checking that each can be called; one alone will do."""
    if callbacks is None:
        return []
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not callable(callback) and not hasattr(callback, "begin"):
            raise TypeError(f"callbacks must be callables, got {callback!r}")
    return found


def for_training(callbacks: Iterable[Callback], keep: Keep) -> list[Callback]:
    """Tell callbacks that a training begins; return those that are called after its epochs."""
    return [callback.begin(keep) if hasattr(callback, "begin") else callback for callback in callbacks]


def call(callbacks: Iterable[Callback], learner: Learner) -> bool:
    """Call all, even if an early one asks to stop; return whether one of them did."""
    answers = [callback(learner) for callback in callbacks]
    return any(isinstance(answer, bool | np.bool_) and answer for answer in answers)
