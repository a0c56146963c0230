"""Which network, and how long it is trained: chosen by counting on samples held out; see ``docs/howto/tune.md``.

A plan is a network with its schedule.  Of several, cheap ones first, each is tried on some samples; a later one
is taken only if its losses on others, held out, are less by more than chance makes them.  The temperature of
probabilities is found on the same scores.  Losses and signs are sums of integers: the choice is the same on every
backend, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from numbers import Integral
from typing import Any, Literal

import numpy as np

from bvar.bits.random import RandomWords
from bvar.layers import Add, GroupSum
from bvar.networks.losses import FULL_WEIGHT, Loss
from bvar.networks.network import Network

__all__ = [
    "BY_HAND",
    "FOR_CLASSES",
    "FOR_GATES",
    "FOR_MONOTONE_CLASSES",
    "FOR_MONOTONE_NUMBERS",
    "FOR_NUMBERS",
    "MANY",
    "UNITS",
    "Plan",
    "Trial",
    "better",
    "fit_temperature",
    "folds",
    "is_auto",
    "terms_of",
]

LEAST_TRIED, MOST_TRIED = 4000, 16000
"""A plan is tried on a fifth of the samples, but on so many at least, if they are there, and at most.

Fewer favour small networks, which large tables make no use of; more cost more than they tell.
"""

MOST_HELD_OUT = 2000
"""Samples held out, at most: the standard deviation of an accuracy is then about 1 % at worst."""

MANY = 10000
"""Number of samples from which a tenth can be spared to find the temperature of the final network."""

UNITS = 2**16
"""Losses are compared in units of a 65536th."""

_ENOUGH = 200  # samples held out
_FEWEST = 20
_MOST_FOLDS = 3
_LARGEST = 2**31
_EIGHTHS = (-16, 48)  # temperatures from a quarter to 64


@dataclass(frozen=True)
class Plan:
    """A network and its schedule; the defaults are those of a network whose sizes are set by hand."""

    hidden_layer_sizes: Any = ()
    gates: int = 0
    fan_in: int = 2
    members: int = 1
    offsets: bool | Literal["auto"] = "auto"
    layer_sizes: Any = "auto"
    eta: float = 10.0
    temperature: float = 1.0
    spreads: float = 4.0
    flip_noise: float | Literal["auto"] = "auto"
    max_iter: int = 50
    batch_size: int | Literal["auto"] = "auto"
    least_batch: int = 10
    least_samples: int = 0  # of fewer, the plan is not tried

    @property
    def has_offsets(self) -> bool:
        """Whether sums learn thresholds: behind gates they do, others if asked to."""
        # a recipe checks both
        return _is_positive(self.gates) if is_auto(self.offsets) else self.offsets  # type: ignore[return-value]

    def with_parameters(self, parameters: Mapping[str, Any], may_be_auto: Container[str]) -> Plan:
        """Let what was set by hand stand; 'auto' takes what the plan says, where it is a value."""
        names = {field.name for field in fields(self)} & parameters.keys()
        left = {name for name in names if is_auto(parameters[name]) and name in may_be_auto}
        return replace(self, **{name: parameters[name] for name in names - left})


BY_HAND = Plan()

FOR_CLASSES = {
    "small": Plan((256,), 1000, 2, temperature=4.0, flip_noise=0.0, max_iter=20, least_batch=64),
    "large": Plan(
        (512,), 1000, 4, temperature=2.0, flip_noise=0.0, max_iter=20, least_batch=32, least_samples=200
    ),
    "deep": Plan((512, 512), 2000, 4, temperature=2.0, flip_noise=0.0, max_iter=20, least_samples=5000),
}

FOR_NUMBERS = {
    "sum": Plan((), offsets=True, eta=3.0, flip_noise=0.0, max_iter=20, batch_size=100),
    "committee": Plan((256,), 500, 2, 4, eta=3.0, spreads=12.0, flip_noise=0.0, max_iter=20, batch_size=100),
}

FOR_GATES = {"gates": Plan(fan_in=4, max_iter=20, least_batch=32)}

FOR_MONOTONE_CLASSES = {
    "monotone": Plan((256,), temperature=4.0, flip_noise=0.0, max_iter=20, batch_size=100),
}

FOR_MONOTONE_NUMBERS = {
    "monotone": Plan((1024,), flip_noise=0.0, max_iter=20, batch_size=100),
}


def _is_positive(value: Any) -> bool:
    return isinstance(value, Integral) and bool(value)


def is_auto(value: Any) -> bool:
    """Say whether a parameter is left to the plan."""
    return isinstance(value, str) and value == "auto"


@dataclass(frozen=True)
class Trial:
    """What a plan did on samples held out: scores, encoded targets, weights, the loss, the terms of a score."""

    scores: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    loss: Loss
    n_terms: int

    def __add__(self, other: Trial) -> Trial:
        """Put the trials of two folds together."""

        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(other, name)])

        return Trial(both("scores"), both("y"), both("weights"), self.loss, self.n_terms)

    @cached_property
    def losses(self) -> np.ndarray:
        """Loss of each sample in units of a 65536th, at most 2**31."""
        units = np.floor(self.loss.values(self.scores, self.y) * UNITS)
        return np.minimum(units, _LARGEST).astype(np.int64)

    @property
    def total(self) -> int:
        """Sum of the losses, each times its share of the weight of the heaviest sample, rounded."""
        return round(int((self.losses * self.weights).sum(dtype=object)) / FULL_WEIGHT)

    def is_beyond_doubt(self) -> bool:
        """Say that another plan has next to nothing to gain: all samples together surprise less than one."""
        return self.total < UNITS


def better(one: Trial, other: Trial) -> bool:
    """Say whether another plan loses less by more than chance makes of it.

    Where two plans differ, chance would put each difference on either side: their sum then has the variance of
    the sum of their squares. One standard deviation is asked for.
    """
    differences = [int(d) for d in (one.losses - other.losses) * one.weights]
    gain = sum(differences)
    return gain > 0 and gain * gain > sum(d * d for d in differences)


def terms_of(network: Network) -> int:
    """Return the number of terms in a score."""
    last = network.layers[-1]
    if isinstance(last, Add):
        return sum(branch[-1].n_inputs for branch in last.branches)  # type: ignore[attr-defined]
    return last.group_size if isinstance(last, GroupSum) else last.n_inputs  # type: ignore[attr-defined]


def folds(n: int, source: RandomWords) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw which samples are held out, and which a plan is tried on: once, or more often where they are few.

    Parameters
    ----------
    n : int
        Number of samples; of fewer than 20 none are held out.
    source : RandomWords
        Where their order comes from.

    Yields
    ------
    held_out, tried : ndarray of int
        Numbers of samples, at most `MOST_HELD_OUT` and `MOST_TRIED`.
    """
    if n < _FEWEST:
        return
    order = source.permutation(n)
    n_tried = min(max(LEAST_TRIED, n // 5), MOST_TRIED)
    n_held = min(MOST_HELD_OUT, n // (10 if n >= MANY else 3))
    for number in range(min(_MOST_FOLDS, -(-_ENOUGH // n_held))):
        start, stop = number * n_held, (number + 1) * n_held
        yield order[start:stop], np.concatenate([order[:start], order[stop:]])[:n_tried]


def fit_temperature(trial: Trial, make_loss: Callable[[float], Loss]) -> float:
    """Find the smallest temperature at which scores are not too sure of themselves.

    The loss falls when the temperature rises as long as the sum of signals times scores is positive
    (``docs/reference/learning.md``); the sign of that integer decides.

    Parameters
    ----------
    trial : Trial
        Scores of samples that the network has not learnt.
    make_loss : callable
        From a temperature to the loss.

    Returns
    -------
    float
        A power of the eighth root of 2.
    """
    scores = trial.scores.astype(np.int64)

    def too_sure(eighths: int) -> bool:
        signals = make_loss(2.0 ** (eighths / 8)).signals(trial.scores, trial.y).astype(np.int64)
        return int((trial.weights * (signals * scores).sum(axis=1)).sum()) > 0

    low, high = _EIGHTHS
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if too_sure(middle) else (low, middle)
    return 2.0 ** (low / 8)
