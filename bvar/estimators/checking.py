"""What `fit` checks before it learns anything: parameters, samples, targets and weights."""

from __future__ import annotations

from abc import abstractmethod
from math import fsum, inf, isfinite
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from bvar._validation import check_integer, check_real
from bvar.encoding import BitEncoder
from bvar.encoding.samples import check_table, in_order, names_of, refuse_same_names
from bvar.estimators.architecture import is_auto
from bvar.estimators.fitted import FittedModel
from bvar.estimators.monotone import check_constraints
from bvar.networks.losses import FULL_WEIGHT, Loss
from bvar.training.callbacks import as_callbacks
from bvar.training.data import check_flip_noise
from bvar.training.progress import check_verbose

__all__ = ["CheckingEstimator"]


class CheckingEstimator(FittedModel):
    """An estimator that checks all it is given; nothing of that changes."""

    target_names_: np.ndarray

    monotonic_cst: Any = None  # the parameter of those that take it
    _not_monotone: tuple[str, ...] = ()  # parameters that must then be None

    @abstractmethod
    def _check_y(self, y: Any) -> np.ndarray:
        """Return targets as an array, or say what is wrong with them."""

    def _check_samples(self, X: Any, *, reset: bool) -> Any:
        """Check shape and feature names; what the columns hold is the encoder's business."""
        return check_table(self, X, reset=reset, ensure_all_finite="allow-nan")

    def _check_named(self, y: Any, *, reset: bool) -> np.ndarray:
        """Check targets; note the names of their columns, if they are a frame of several, or compare them."""
        refuse_same_names(y, "y")
        names = names_of(y)
        if reset:
            self.__dict__.pop("target_names_", None)
        elif names is not None and hasattr(self, "target_names_"):
            y = in_order(y, self.target_names_, "y")
            if list(y.columns) != self.target_names_.tolist():
                wanted = f"y must have the columns of fit, {self.target_names_.tolist()}"
                raise ValueError(f"{wanted}, got {names.tolist()}")
        checked = self._check_y(y)
        if reset and names is not None and checked.ndim == 2:
            self.target_names_ = names
        return checked

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool
    ) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Check samples and targets, and scale weights to integers, the largest to FULL_WEIGHT; None if equal."""
        X = self._check_samples(X, reset=reset)
        y = self._check_named(y, reset=reset)
        check_consistent_length(X, y)
        weights = self._weights(sample_weight, y)
        if weights is None:
            return X, y, None
        peak = weights.max(initial=0.0)
        if peak == 0:
            return X, y, np.zeros(len(y), np.int64)
        # a weight that is not zero stays so, however small
        return X, y, np.maximum(np.rint(weights / peak * FULL_WEIGHT), weights > 0).astype(np.int64)

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        """Return weights of samples as float64, or None where all are equal because nobody has said anything."""
        if sample_weight is None:
            return None
        if np.ma.is_masked(sample_weight):
            raise ValueError("sample_weight has masked entries: every sample needs a weight")
        try:
            return _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
        except (TypeError, ValueError) as error:
            if any(word in str(error) for word in ("convert", "sequence", "array with 0")):
                raise ValueError(f"sample_weight must hold numbers, one for each of {len(y)} samples") from None
            raise

    def _loudness(self, sample_weight: Any, y: np.ndarray) -> float:
        """Return the mean weight of a chunk in units of that of all chunks, itself included.

        A step divides votes by the weight of its samples, so that a whole chunk of light samples would be heard
        like one of heavy ones; within `fit` all batches are alike, and there is nothing to make up for.
        """
        weights = self._weights(sample_weight, y)
        heavy, n = getattr(self, "_weights_seen", (0.0, 0))
        try:
            mine = float(len(y)) if weights is None else fsum(weights)
        except OverflowError:
            mine = inf
        if not isfinite(heavy + mine):
            raise ValueError("weights of samples must have a finite sum over all calls: scale them down")
        self._weights_seen = (heavy + mine, n + len(y))
        return mine / len(y) / (self._weights_seen[0] / self._weights_seen[1])

    def _check_switches(self) -> None:
        """Check parameters that are on or off, which other checks depend on."""
        for name in ("early_stopping", "warm_start"):
            value = getattr(self, name)
            if not isinstance(value, Integral | np.bool_):
                raise TypeError(f"{name} must be True or False, got {value!r}")

    def _check_parameters(self, *, goes_on: bool) -> None:
        """Check all parameters before any data, and that a network to go on with has the shape they say."""
        plan = self._plan()
        check_real(plan.eta, "eta", low=0)
        check_integer(plan.max_iter, "max_iter", low=1)
        if not is_auto(self.flip_noise):
            check_flip_noise(self.flip_noise, " or 'auto'")
        check_integer(self.n_threads, "n_threads", low=1, high=2**31 - 1)
        check_integer(self.n_iter_no_change, "n_iter_no_change", low=1)
        if not 0 < check_real(self.validation_fraction, "validation_fraction", low=0) < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction!r}")
        if isinstance(self.batch_size, str) and self.batch_size != "auto":
            raise ValueError(f"batch_size must be a positive integer or 'auto', got {self.batch_size!r}")
        if not isinstance(self.batch_size, str):
            check_integer(self.batch_size, "batch_size", low=1)
        as_callbacks(self.callbacks)
        check_verbose(self.verbose)
        if self.encoder is not None and not isinstance(self.encoder, BitEncoder):
            raise TypeError(f"encoder must be one of bvar.encoding, got {self.encoder!r}")
        if not (self.loss is None or isinstance(self.loss, Loss) or callable(self.loss)):
            raise TypeError(
                "loss must be None, a bvar.networks.Loss, or a callable that makes one for the number of terms of "
                f"a score, got {self.loss!r}"
            )
        check_constraints(self, plan, self._not_monotone, goes_on=goes_on)
        self._recipe().check()
        if goes_on:
            self._recipe().check_same(self.network_)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a legal value and that sparse matrices are."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags
