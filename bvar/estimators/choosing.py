"""How an estimator chooses: it tries its plans on some samples, and looks at what they make of others.

What is counted, and when a plan is better, says :mod:`bvar.estimators.architecture`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cache
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from bvar.bits.random import RandomWords
from bvar.estimators.architecture import (
    BY_HAND,
    MANY,
    UNITS,
    Plan,
    Trial,
    better,
    folds,
    is_auto,
    terms_of,
)
from bvar.estimators.targets import Targets
from bvar.networks.losses import FULL_WEIGHT
from bvar.networks.network import Network
from bvar.training.data import TrainingData, rows_of
from bvar.training.trainer import Trainer

__all__ = ["CHOSEN", "ChoosingEstimator", "Samples"]

CHOSEN = ("plan_", "held_out_losses_", "n_held_out_", "probability_temperature_")
"""Attributes that say what was chosen, and why."""

Samples = tuple[Any, np.ndarray, np.ndarray | None]
"""Samples, their targets and, if they differ, weights."""


class ChoosingEstimator(BaseEstimator):
    """What chooses a plan where parameters are 'auto'."""

    plan_: str
    held_out_losses_: dict[str, int]
    n_held_out_: int

    @abstractmethod
    def _build(self, source: RandomWords) -> Network:
        """Return an untrained network, as the plan says."""

    @abstractmethod
    def _data(self, X: Any, y: np.ndarray, weights: np.ndarray | None) -> TrainingData:
        """Return encoded samples with the schedule of the plan."""

    @abstractmethod
    def _scores(self, network: Network, X: Any) -> np.ndarray:
        """Compute the scores of samples that have been checked."""

    @abstractmethod
    def _targets(self) -> Targets:
        """Return what was learnt about the targets."""

    def _plans(self) -> dict[str, Plan]:
        """Return the plans that `fit` may choose from, cheap ones first; none where sizes are set by hand."""
        return {}

    def _plan(self) -> Plan:
        """Return the plan in force: what was set by hand, and for the rest what was chosen."""
        plans = self._plans()
        plan = plans.get(getattr(self, "plan_", ""), next(iter(plans.values()), BY_HAND))
        cls: Any = type(self)
        names, may_be_auto = _parameters(cls)
        return plan.with_parameters({name: getattr(self, name) for name in names}, may_be_auto)

    @property
    def max_iter_(self) -> int:
        """Number of epochs that `fit` may take, as set by hand or chosen."""
        return self._plan().max_iter

    def _may_fit_temperature(self) -> bool:
        """Say whether the temperature of probabilities is to be found on samples held out."""
        return False

    def _evidence(self) -> Iterator[str]:
        """Say what was chosen, and why."""
        if hasattr(self, "plan_"):
            n = UNITS * max(1, self.n_held_out_)
            means = ", ".join(f"{name} {total / n:.3g}" for name, total in self.held_out_losses_.items())
            held_out = f"{self.n_held_out_ or 'no'} samples held out"
            yield f"plan: {self.plan_}; " + (f"mean loss of {held_out}: {means}" if means else held_out)
        if hasattr(self, "probability_temperature_"):
            yield f"temperature of probabilities: {self.probability_temperature_:.3g}"

    def _choose(self, everything: Samples, source: RandomWords) -> tuple[Samples, Samples | None]:
        """Choose a plan; return the samples to train on, and those that are spared to find the temperature."""
        n = len(everything[1])
        plans = [name for name, plan in self._plans().items() if n >= plan.least_samples]
        if not plans:
            return everything, None
        spares = self._may_fit_temperature() and n >= MANY
        splits = list(folds(n, source)) if len(plans) > 1 or self._may_fit_temperature() else []
        self.plan_, self.held_out_losses_ = plans[0], {}
        self.n_held_out_ = sum(len(held_out) for held_out, _ in splits)
        best = None
        for name in plans if splits and (len(plans) > 1 or not spares) else ():
            trial = self._try(name, splits, everything, source)
            self.held_out_losses_[name] = trial.total
            if best is None or better(best[1], trial):
                best = name, trial
            if trial.is_beyond_doubt():
                break
        if best is not None:
            self.plan_ = best[0]
            if self._may_fit_temperature():
                self._set_temperature(best[1])
        if not spares:
            return everything, None
        kept = np.ones(n, np.bool_)
        kept[splits[0][0]] = False
        return _rows(everything, np.flatnonzero(kept)), _rows(everything, splits[0][0])

    def _try(self, name: str, splits: list[Any], everything: Samples, source: RandomWords) -> Trial:
        """Train by a plan on some samples, as often as there are splits, and see what it makes of others."""
        trials = []
        self.plan_ = name
        for held_out, tried in splits:
            network = self._build(source)
            data = self._data(*_rows(everything, tried))
            Trainer(network).run(data, self.max_iter_, eta=self._plan().eta, random_state=source)
            trials.append(self._trial(network, *_rows(everything, held_out)))
        return self._judged(sum(trials[1:], trials[0]))

    def _trial(self, network: Network, X: Any, y: np.ndarray, weights: np.ndarray | None) -> Trial:
        """See what a network makes of samples held out."""
        scores = self._scores(network, X)
        heavy = np.full(len(y), FULL_WEIGHT) if weights is None else weights
        return Trial(scores, self._targets().encode(y), heavy, network.loss, terms_of(network))

    def _judged(self, trial: Trial) -> Trial:
        """Return a trial with the loss by which plans are compared."""
        return trial

    def _set_temperature(self, trial: Trial) -> None:
        """Remember the temperature at which probabilities are as sure as they are right."""

    def _shift_scores(self) -> None:
        """Let the trained network have the offsets of scores that were found on samples held out, if any were."""


@cache  # a prediction of one row would spend half its time on signatures
def _parameters(cls: Any) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of the parameters of a class, and of those that are left to the plan if 'auto'."""
    defaults: dict[str, Parameter] = {}
    for one in cls.__mro__:  # a subclass may set parameters of its base, or pass them on, and not name them
        for p in signature(one.__init__).parameters.values() if "__init__" in vars(one) else ():
            if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                defaults.setdefault(p.name, p)
    auto = (name for name in defaults if is_auto(defaults[name].default))
    return tuple(defaults), frozenset(("flip_noise", "batch_size", *auto))


def _rows(samples: Samples, rows: np.ndarray) -> Samples:
    """Select some of the samples, with their targets and weights."""
    X, y, weights = samples
    return rows_of(X, rows), y[rows], None if weights is None else weights[rows]
