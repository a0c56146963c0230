"""What the density estimators share: checks, standardisation, mollified training, early stopping."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar._validation import check_integer, check_real
from bvar.encoding.samples import all_or_nothing, as_table
from bvar.mollify.density.models import Model
from bvar.mollify.density.network import Adam
from bvar.mollify.noising import noise
from bvar.mollify.schedules import as_schedule, progress

__all__ = ["DensityEstimator"]

_LARGEST = 1e150  # the square of a larger number overflows


class DensityEstimator(DensityMixin, BaseEstimator, ABC):
    """A density model behind scikit-learn's interface; subclasses say which model."""

    @abstractmethod
    def _make_model(self, n_features: int, random: np.random.RandomState) -> Model:
        """Return an untrained model for standardised data."""

    @all_or_nothing  # also when a user interrupts
    def fit(self, X: ArrayLike, y: object = None) -> DensityEstimator:
        """Learn the density of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples, finite numbers; at least two.
        y : None
            Ignored, as scikit-learn wants it.

        Returns
        -------
        DensityEstimator
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        FloatingPointError
            If training diverged.
        """
        for left_over in ("best_iter_", "best_validation_score_"):
            self.__dict__.pop(left_over, None)
        noise_fractions = self._check_parameters()
        X = self._check_samples(X, reset=True)
        random = check_random_state(self.random_state)
        train, held_out = self._hold_out(X, random)
        self.scaler_ = StandardScaler().fit(train)
        training = _Training(self, self._make_model(X.shape[1], random), train, random)
        training.run(noise_fractions, held_out)
        self.model_, self.history_, self.n_iter_ = training.kept(), training.history, training.n_epochs
        if held_out is not None:
            self.best_iter_, self.best_validation_score_ = training.best.epoch, training.best.score
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Give the logarithm of the density at each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, finite numbers.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Log densities in nats, in the units of the data; the estimator says if they are bounds.
        """
        check_is_fitted(self, "model_")
        return _log_density(self.model_, self.scaler_, self._check_samples(X, reset=False))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Give the mean log density of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, finite numbers.
        y : None
            Ignored, as scikit-learn wants it.

        Returns
        -------
        float
            The mean of :meth:`score_samples`, in nats; higher is better.
        """
        return float(np.mean(self.score_samples(X)))

    def sample(self, n_samples: int = 1, random_state: int | np.random.RandomState | None = None) -> np.ndarray:
        """Draw samples from the model.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : None, int or RandomState, default=None
            Where the noise comes from.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features)
            Samples, in the units of the data.
        """
        check_is_fitted(self, "model_")
        n_samples = check_integer(n_samples, "n_samples", low=1)
        return self.scaler_.inverse_transform(self.model_.sample(n_samples, check_random_state(random_state)))

    # ------------------------------------------------------------------------------- fitting

    def _hold_out(self, X: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray | None]:
        """Set validation samples aside if early stopping wants them."""
        if not self.early_stopping:
            return X, None
        try:
            train, test = train_test_split(
                X, test_size=self.validation_fraction, random_state=random.randint(2**31 - 1)
            )
        except ValueError as error:
            raise ValueError(f"early_stopping cannot set validation_fraction aside: {error}") from error
        if len(train) < 2:
            raise ValueError("early_stopping cannot set validation_fraction aside: one sample is left to learn")
        return train, test

    # ------------------------------------------------------------------------------- checking

    def _check_samples(self, X: Any, *, reset: bool) -> np.ndarray:
        X = validate_data(self, as_table(X), reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)
        if np.abs(X).max() > _LARGEST:
            raise ValueError(f"X must be within {_LARGEST:g} of 0, or its variance overflows: scale it down")
        return X

    def _check_parameters(self) -> list[float]:
        """Check what all estimators have; return the noise fraction of each epoch."""
        check_integer(self.max_iter, "max_iter", low=1)
        check_integer(self.batch_size, "batch_size", low=2)
        check_real(self.learning_rate, "learning_rate", low=0, strict=True)
        check_integer(self.n_iter_no_change, "n_iter_no_change", low=1)
        if not 0 < check_real(self.validation_fraction, "validation_fraction", low=0) < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction!r}")
        fraction = check_real(self.mollified_fraction, "mollified_fraction", low=0, strict=True)
        if fraction > 1:
            raise ValueError(f"mollified_fraction must be in (0, 1], got {self.mollified_fraction!r}")
        schedule = as_schedule(self.mollify)
        n_noisy = max(1, round(fraction * self.max_iter)) if schedule else 0
        noisy = [float(schedule.gamma(progress(epoch, n_noisy))) for epoch in range(n_noisy)] if schedule else []
        return noisy + [0.0] * (self.max_iter - n_noisy)


def _log_density(model: Model, scaler: StandardScaler, X: np.ndarray) -> np.ndarray:
    """Return log densities in the units of the data: the volume of standardising is taken back."""
    return model.log_density(scaler.transform(X)) - np.log(scaler.scale_).sum()


class _Training:
    """One training run: the model, its optimizer, and what is known about each epoch."""

    def __init__(self, estimator: Any, model: Model, train: np.ndarray, random: np.random.RandomState) -> None:
        self.estimator, self.model, self.random = estimator, model, random
        self.X = estimator.scaler_.transform(train)
        self.adam = Adam(model.parameters, estimator.learning_rate)
        self.history: dict[str, list[float]] = {"loss": [], "noise_fraction": [], "validation_score": []}
        self.best = _Best()

    @property
    def n_epochs(self) -> int:
        """Number of epochs that have ended."""
        return len(self.history["loss"])

    def run(self, noise_fractions: list[float], held_out: np.ndarray | None) -> None:
        """Train for one epoch with each noise fraction, unless the validation score no longer rises."""
        for gamma in noise_fractions:
            self.history["loss"].append(self._epoch(gamma))
            self.history["noise_fraction"].append(gamma)
            if held_out is not None:
                self._validate(held_out, counts=gamma == 0)
            self._tell()
            if self.best.waited >= self.estimator.n_iter_no_change:
                break

    def kept(self) -> Model:
        """Return the best model if there is one, or else the last."""
        if self.best.model is not None:
            return self.best.model
        self.model.calibrate(self.X)
        return self.model

    def _epoch(self, gamma: float) -> float:
        """Take a step for each minibatch; return the mean loss."""
        # whole batches share what is left over: batch norm cannot do with a batch of one
        n_batches = max(1, len(self.X) // self.estimator.batch_size)
        total = 0.0
        for rows in np.array_split(self.random.permutation(len(self.X)), n_batches):
            x = self.X[rows]
            if gamma:
                x = noise(x, gamma, self.random)  # this is mollification
            total += self._step(x) * len(rows)
        return total / len(self.X)

    def _step(self, x: np.ndarray) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # looked at here
            loss = self.model.loss(x, self.random)
        if not (np.isfinite(loss) and np.isfinite(self.adam.gradient).all()):
            raise FloatingPointError(
                f"training diverged in epoch {self.n_epochs + 1}: "
                f"learning_rate={self.estimator.learning_rate!r} is too high for these data"
            )
        self.adam.step()
        return loss

    def _validate(self, held_out: np.ndarray, *, counts: bool) -> None:
        self.model.calibrate(self.X)
        score = float(_log_density(self.model, self.estimator.scaler_, held_out).mean())
        self.history["validation_score"].append(score)
        self.best.look(self.model, score, epoch=self.n_epochs, counts=counts)

    def _tell(self) -> None:
        if not self.estimator.verbose:
            return
        text = "  ".join(f"{key} {values[-1]:.4f}" for key, values in self.history.items() if values)
        print(f"epoch {self.n_epochs:3d}/{self.estimator.max_iter}  {text}", flush=True)  # noqa: T201


class _Best:
    """The best model so far, and for how many epochs it has been the best."""

    def __init__(self) -> None:
        self.model: Model | None = None
        self.score, self.epoch, self.waited = -np.inf, 0, 0

    def look(self, model: Model, score: float, *, epoch: int, counts: bool) -> None:
        """Keep a copy of a better model; wait only in epochs that count."""
        if self.model is None or score > self.score:
            self.model, self.score, self.epoch, self.waited = copy.deepcopy(model), score, epoch, 0
        elif counts:
            self.waited += 1
