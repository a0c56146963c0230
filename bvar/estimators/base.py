"""What `fit` does, step by step: check, learn what the targets are, hold out, choose, build, encode, train.

An estimator is an encoder and a network of :mod:`bvar.networks`.  Two collaborators say what is special about it:
what the targets are (:mod:`bvar.estimators.targets`) and what the network is (:mod:`bvar.estimators.recipes`); the
loop is :class:`bvar.training.Trainer`.  Everything that decides which model comes out is an integer or an
elementwise operation on floats, so `random_state` fixes the model bit for bit, whatever the backend and the number
of threads.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_consistent_length

from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder
from bvar.encoding.samples import Table
from bvar.estimators.checking import CheckingEstimator
from bvar.estimators.choosing import CHOSEN
from bvar.estimators.judge import Judge
from bvar.estimators.monotone import unate
from bvar.estimators.resuming import digest, parts_of, written_parameters
from bvar.networks.losses import Loss
from bvar.networks.network import Network
from bvar.training.callbacks import as_callbacks, call, for_training
from bvar.training.checkpoint import Checkpoint, Interrupted
from bvar.training.crews import crew_for
from bvar.training.data import Data, TrainingData, audible, rows_of
from bvar.training.early_stopping import EarlyStopping, Watching
from bvar.training.trainer import Crew, Trainer, empty_history

__all__ = ["BooleanNetworkEstimator"]


class BooleanNetworkEstimator(CheckingEstimator, ABC):
    """A Boolean network behind scikit-learn's interface; subclasses name their collaborators."""

    @abstractmethod
    def _learn_targets(self, y: np.ndarray, sample_weight: np.ndarray | None, *, goes_on: bool) -> None:
        """Remember what targets mean; where training goes on, only what could not be learnt before."""

    # ------------------------------------------------------------------------------- fitting

    def fit(
        self,
        X: Table,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Table | None = None,
        y_val: ArrayLike | None = None,
        resume: str | PathLike[str] | None = None,
    ) -> Self:
        """Train on samples with targets.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Training samples; NaN, or a masked entry, means missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets. For a classifier classes: integers, strings or Booleans; or a matrix of labels, 0 or 1. For a
            regressor finite numbers.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative. Signals are multiplied with them and rounded; a sample lighter than an eighth
            of the heaviest is heard more rarely instead. Default: equal weights.
        X_val : array-like, frame or sparse matrix of shape (n_samples_val, n_features), optional
            Samples that are not trained on. After each epoch `history_` tells the score and the mean loss on them;
            with `early_stopping` they decide, and no others are held out.
        y_val : array-like of shape (n_samples_val,) or (n_samples_val, n_outputs), optional
            Their targets, of the kinds that `y` has.
        resume : str or path-like, optional
            A file that a :class:`bvar.training.CheckpointFile` wrote in a fit with the same parameters and
            samples, and in the same state before, if `warm_start`. Training goes on where that fit was, to the
            model that it would have come to. Of parameters only `callbacks`, `verbose`, `backend` and `n_threads`
            may differ.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described, or `resume` is of another fit. Whatever is raised, also
            in the middle of training, a fitted model stays what it was; an interrupt by the user after
            the first epoch alone keeps the best network so far.
        OSError, bvar.model_file.ModelFileError
            If `resume` cannot be read.
        bvar.backends.BackendUnavailable
            If `backend` cannot run here.
        """
        with self._all_or_nothing(), self._backend():
            self._check_switches()
            goes_on = bool(self.warm_start) and hasattr(self, "network_")
            self._check_parameters(goes_on=goes_on)
            for left_over in () if goes_on else ("_source", "_weights_seen", "_class_counts", *CHOSEN):
                self.__dict__.pop(left_over, None)
            X, y, weights = self._check_data(X, y, sample_weight, reset=not goes_on)
            if weights is not None and not weights.any():
                by = {"class_weight": getattr(self, "class_weight", None), "sample_weight": sample_weight}
                names = " times ".join(name for name, value in by.items() if value is not None)
                raise ValueError(f"{names} must have a positive entry, for a sample that is there")
            interrupted = self._interrupted(resume)
            source = copy.deepcopy(interrupted.source)
            self.__dict__.pop("best_validation_score_", None)
            self._learn_targets(y, weights, goes_on=goes_on)  # of all: the ones held out are of no other kind
            given = self._given(X_val, y_val)
            X, y, weights, stopping = self._hold_out(*audible(X, y, weights), source, given)
            aside = None
            if not goes_on:
                self._fit_encoder(X, y)
            self._check_readable(X_val)
            if not goes_on:
                (X, y, weights), aside = self._choose((X, y, weights), source)
            network = copy.deepcopy(self.network_) if goes_on else self._build(source)
            data: Any = self._data(X, y, weights)
            score = self._targets().scorer(data.y, network.loss)
            with self._crew(self._changing(X, data, network)) as (crew, data):
                trainer = Trainer(network, crew=crew, score=score)
                self._train(trainer, data, stopping, source, interrupted)
            if aside is not None:
                self._set_temperature(self._trial(self.network_, *aside))
                self._shift_scores()
        return self

    def _train(
        self,
        trainer: Trainer,
        data: Data,
        stopping: EarlyStopping | None,
        source: RandomWords,
        interrupted: Interrupted,
    ) -> None:
        """Run the trainer, with this estimator in step, so that callbacks find in it what they expect."""
        callbacks = as_callbacks(self.callbacks)
        keeps = any(hasattr(callback, "begin") for callback in callbacks)
        of = self._of(trainer, data, stopping) if keeps or interrupted.checkpoint is not None else {}
        if interrupted.checkpoint is not None:
            interrupted.check_of(of, "resume")
            interrupted.checkpoint.restore(trainer, source, stopping, data)
        self.network_, self.history_, self.n_iter_ = trainer.network_, trainer.history_, trainer.n_iter_

        def keep() -> Interrupted:
            return Interrupted(of, interrupted.source, Checkpoint.of(trainer, source, stopping, data))

        callbacks = for_training(callbacks, keep)

        def in_step(trainer: Trainer) -> bool:
            self.n_iter_ = trainer.n_iter_
            return call(callbacks, self)

        try:
            trainer.run(
                data,
                self.max_iter_,
                eta=self._plan().eta,
                early_stopping=stopping,
                callbacks=in_step,
                verbose=self.verbose,
                random_state=source,
                begin=trainer.n_iter_,
            )
        finally:  # also when a user interrupts: what was best is kept
            self.network_, self.n_iter_ = trainer.network_, trainer.n_iter_
            self._shift_scores()
            if stopping is not None and stopping.best_network is not None:
                self.best_validation_score_ = stopping.best_score

    def _partial_fit(
        self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None, learn: Callable[[np.ndarray], None]
    ) -> None:
        """Take one step for each minibatch of the given samples, in their order, at constant eta.

        The steps are taken by a copy of the network, which costs one pass over its accumulators a call: only so a
        failure in the middle leaves the model that was, and a network in read-only memory can learn.
        """
        first, before = not hasattr(self, "network_"), dict(vars(self))
        with self._all_or_nothing(), self._backend():
            self._check_switches()
            if self.early_stopping:
                raise ValueError("early_stopping must be False for partial_fit, which holds no samples out")
            self._check_parameters(goes_on=not first)
            silent = _is_silent(sample_weight)  # scikit-learn's check refuses that
            X, y, weights = self._check_data(X, y, None if silent else sample_weight, reset=first)
            if silent:
                check_consistent_length(y, sample_weight)
            if silent or (weights is not None and not weights.any()):
                self._put_back(before)
                return
            source = copy.deepcopy(getattr(self, "_source", None)) or RandomWords(self.random_state)
            eta = self._plan().eta * self._loudness(sample_weight, y)
            if first:
                learn(y)
            self._learn_targets(y, weights, goes_on=True)
            X, y, weights = audible(X, y, weights)
            if first:
                self._fit_encoder(X, y)
            network = self._build(source) if first else copy.deepcopy(self.network_)
            data = self._data(X, y, weights)
            trainer = Trainer(network, score=self._targets().scorer(data.y, network.loss))
            network.start_schedule(eta, None)
            if first:
                self.history_, self.n_iter_ = empty_history(), 0
            history = {**self.history_, "validation_score": []}
            self.network_ = network
            trainer.epoch(data.batches(np.arange(len(data)), source))
            self.n_iter_ += 1
            self._source = source  # one stream of noise through all calls
            self.__dict__.pop("best_validation_score_", None)
            # last: with it, an interrupt keeps the rest
            self.history_ = {name: [*history[name], *values] for name, values in trainer.history_.items()}

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Take back every attribute if anything fails: a model stays what it was, and answers as before.

        Nothing that an attribute holds may be changed in place meanwhile. An interrupt by the user is no failure
        once an epoch has ended, or, where there was no model before, once training has begun.
        """
        before = dict(vars(self))
        try:
            yield
        except BaseException as error:
            begun = self._has_begun(before)
            if not (begun and isinstance(error, KeyboardInterrupt)):
                self._put_back(before)
            raise

    def _put_back(self, before: dict[str, Any]) -> None:
        """Give the attributes back that there were, and no others."""
        self.__dict__.clear()
        self.__dict__.update(before)

    def _has_begun(self, before: dict[str, Any]) -> bool:
        """Say whether there is a network that is worth more than what there was before."""
        now = vars(self)
        if "network_" not in before:
            return "network_" in now
        return now.get("history_") is not before.get("history_") and bool(now["history_"]["loss"])

    def _fit_encoder(self, X: Any, y: np.ndarray) -> None:
        """Learn how samples become bits."""
        self.encoder_ = self._new_encoder().fit(X, y)

    def _new_encoder(self) -> BitEncoder:
        """Return an encoder that has learnt nothing."""
        if self.monotonic_cst is not None:
            return unate(self.encoder, self.monotonic_cst)
        return self._recipe().encoder(self.n_features_in_) if self.encoder is None else clone(self.encoder)

    def _interrupted(self, resume: str | PathLike[str] | None) -> Interrupted:
        """Return what a fit goes on from: one that has been interrupted, or the beginning."""
        return Interrupted({}, RandomWords(self.random_state)) if resume is None else Interrupted.read(resume)

    def _of(self, trainer: Trainer, data: Data, stopping: EarlyStopping | None) -> dict[str, str]:
        """Say what a fit is of, before its training begins."""
        parts = parts_of(data)
        if stopping is not None:
            judge: Any = stopping.validate
            parts += [self._encode(judge.X), judge.y, judge.weights]
        begun = trainer.network_.fingerprint()
        return {
            "parameters": written_parameters(self),
            "samples": digest(parts),
            "network at the beginning": begun,
        }

    def _crew(self, data: Data) -> AbstractContextManager[tuple[Crew | None, Data]]:
        """Give who takes the steps of a fit, None for this process, and the data as they are taken."""
        return crew_for(data)

    def _build(self, source: RandomWords) -> Network:
        """Return an untrained network."""
        widths = np.asarray(self.encoder_._widths(), np.int64)
        return self._recipe().build(widths, self._targets().n_outputs, self._make_loss, source)

    def _make_loss(self, fan_in: int) -> Loss:
        """Return the loss for scores of `fan_in` terms."""
        if self.loss is None:
            return self._targets().loss(fan_in)
        loss = self.loss if isinstance(self.loss, Loss) else self.loss(fan_in)
        if not isinstance(loss, Loss):
            raise TypeError(f"loss must make a bvar.networks.Loss, but {self.loss!r} made {loss!r}")
        return loss

    def _data(self, X: Any, y: np.ndarray, weights: np.ndarray | None) -> TrainingData:
        return TrainingData(self._encode(X), self._targets().encode(y), weights, *self._schedule(len(y)))

    def _schedule(self, n_samples: int) -> tuple[int, float]:
        """Return the batch size and the noise for so many samples."""
        noise, size = self._plan().flip_noise, self._plan().batch_size
        if isinstance(noise, str):
            noise = self._recipe().noise(n_samples, self.n_features_in_, self.encoder_.n_bits_out_)
        if isinstance(size, str):
            size = min(100, max(self._plan().least_batch, n_samples // 50))
        return int(size), noise

    def _changing(self, X: Any, data: TrainingData, network: Network) -> Data:
        """Return what changes the samples in each epoch, if they are to be changed, as the network may say."""
        return data

    def _given(self, X: Any, y: Any) -> EarlyStopping | None:
        """Return what watches over the training, or stops it, on validation samples that a user gives."""
        if (X is None) != (y is None):
            raise ValueError(f"{'X_val' if X is None else 'y_val'} must be given too, or neither")
        if X is None:
            return None
        try:
            X, y = self._check_samples(X, reset=False), self._check_named(y, reset=False)
            check_consistent_length(X, y)
            self._targets().encode(y)
            judge = Judge(self._targets, self._scores, X, y, None)
        except (TypeError, ValueError) as error:
            raise type(error)(f"X_val, y_val: {error}") from error
        return EarlyStopping(judge, self.n_iter_no_change) if self.early_stopping else Watching(judge)

    def _check_readable(self, X: Any) -> None:
        """Refuse values of validation samples that the encoder cannot read, before anything is tried."""
        if X is None:
            return
        try:
            self._encode(self._check_samples(X, reset=False))
        except (TypeError, ValueError) as error:
            raise type(error)(f"X_val: {error}") from error

    def _hold_out(
        self,
        X: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
        source: RandomWords,
        given: EarlyStopping | None = None,
    ) -> tuple[Any, np.ndarray, np.ndarray | None, EarlyStopping | None]:
        """Set validation samples aside if early stopping wants them; in proportion where that is possible."""
        if given is not None or not self.early_stopping:
            return X, y, weights, given
        train, test = self._split(y, int(source.words.random_raw()) >> 33)  # a seed that a RandomState accepts
        (kept, aside) = (None, None) if weights is None else (weights[train], weights[test])
        judge = Judge(self._targets, self._scores, rows_of(X, test), y[test], aside)
        return rows_of(X, train), y[train], kept, EarlyStopping(judge, self.n_iter_no_change)

    def _split(self, y: np.ndarray, seed: int) -> list[np.ndarray]:
        two = self.validation_fraction * len(y) <= 1  # one sample would tell nothing
        wish = {"test_size": 2 if two else self.validation_fraction, "random_state": seed}
        for strata in (self._targets().strata(y), None):
            try:
                return train_test_split(np.arange(len(y)), stratify=strata, **wish)
            except ValueError:
                continue
        raise ValueError(
            f"early_stopping cannot set validation_fraction aside, {self.validation_fraction} of {len(y)} samples "
            "with weight: two must be held out, and one be left to learn from"
        )


def _is_silent(sample_weight: Any) -> bool:
    """Say whether there are weights, in the form that they must have, and all are 0."""
    if sample_weight is None or np.ma.is_masked(sample_weight):
        return False
    try:
        weights = np.asarray(sample_weight)
    except ValueError:  # ragged: the check of weights says so
        return False
    return weights.ndim == 1 and weights.size > 0 and weights.dtype.kind in "biuf" and not weights.any()
