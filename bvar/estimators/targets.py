"""What targets are: learnt from y, turned into integers for the loss, and made again from integer scores.

One class of several, any number of labels at once, or numbers.  Each is a value that an estimator makes of its
attributes when it needs one; the attributes are what a model file holds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, sqrt
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, column_or_1d

from bvar._validation import as_array
from bvar.encoding.samples import refuse_unordered
from bvar.export.c_answers import Answer, Best, Positive, Scaled
from bvar.networks.cross_entropy import BinaryCrossEntropy, CrossEntropy
from bvar.networks.losses import LOSS_ONE, Loss, SquaredError
from bvar.networks.votes import Votes
from bvar.training.trainer import accuracy

__all__ = [
    "Classes",
    "Labels",
    "Numbers",
    "Targets",
    "TwoClasses",
    "check_classes",
    "check_named_classes",
    "check_numbers",
]

_LARGEST = 1e150
_SMALLEST = 1e-150


class Targets(ABC):
    """What a network is to give; a subclass says what scores mean."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Number of scores."""

    @abstractmethod
    def encode(self, y: np.ndarray) -> np.ndarray:
        """Turn targets into the integers that the loss wants, or refuse what was not learnt."""

    @abstractmethod
    def loss(self, fan_in: int) -> Loss:
        """Return the usual loss for scores of `fan_in` terms."""

    @abstractmethod
    def answer(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into targets."""

    def decisions(self, scores: np.ndarray) -> np.ndarray:
        """Return scores as scikit-learn wants them: float64, which holds every int32."""
        return scores.astype(np.float64)

    def shares(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the probabilities of a loss as scikit-learn wants them."""
        return probabilities

    @abstractmethod
    def exported(self) -> Answer:
        """Return the answers as an export makes them; a class by its number."""

    @abstractmethod
    def validation_score(self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> float:
        """Score answers to samples that were held out: higher for the better of two networks."""

    def scorer(self, y: np.ndarray, loss: Loss) -> Callable[[Votes], float]:
        """Return what scores the training samples, of encoded targets `y`, as they were seen in an epoch."""
        return accuracy

    def strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return what a split keeps in proportion, if it can."""
        return None


def _share_right(right: np.ndarray, sample_weight: np.ndarray | None) -> float:
    """Return a quotient of integers, which is the same everywhere."""
    weights = np.ones(len(right), np.int64) if sample_weight is None else sample_weight
    return int(weights[right].sum()) / int(weights.sum())


@dataclass(frozen=True)
class Classes(Targets):
    """One class of several."""

    classes: np.ndarray
    temperature: float

    @property
    def n_outputs(self) -> int:
        """One score for each class."""
        return len(self.classes)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Replace classes by their numbers."""
        if y.ndim != 1:
            raise ValueError("y must have the form of the first fit: classes, and not a matrix of labels")
        try:
            codes = np.searchsorted(self.classes, y)
        except TypeError:  # numbers where there was text, say: none of them is known
            raise ValueError(f"y has classes that were not there before: {np.unique(y).tolist()}") from None
        known = self.classes[np.minimum(codes, len(self.classes) - 1)] == y
        if not np.all(known):
            raise ValueError(f"y has classes that were not there before: {np.unique(y[~known]).tolist()}")
        return codes

    def loss(self, fan_in: int) -> Loss:
        """Return a cross-entropy."""
        return CrossEntropy(fan_in, self.temperature)

    def of_each(self, scores: np.ndarray) -> np.ndarray:
        """Return a score for each class."""
        return scores

    def answer(self, scores: np.ndarray) -> np.ndarray:
        """Take the class of the best score, the first of several."""
        return self.classes[self.of_each(scores).argmax(axis=1)]

    def decisions(self, scores: np.ndarray) -> np.ndarray:
        """Return the scores; for two classes the difference of the second and the first."""
        numbers = super().decisions(self.of_each(scores))
        return numbers if len(self.classes) > 2 else numbers[:, 1] - numbers[:, 0]

    def exported(self) -> Answer:
        """Return the number of the class, under the names of all."""
        return Best(tuple(map(str, self.classes.tolist())))

    def validation_score(self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> float:
        """Return the share of the weight that is right."""
        return _share_right(self.answer(scores) == y, sample_weight)

    def strata(self, y: np.ndarray) -> np.ndarray | None:
        """Keep classes in proportion, if each can be on both sides."""
        return y if np.unique(y, return_counts=True)[1].min() > 1 else None


@dataclass(frozen=True)
class TwoClasses(Classes):
    """One class of two, told apart by a single score: positive for the second."""

    @property
    def n_outputs(self) -> int:
        """One score."""
        return 1

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Replace classes by 0 and 1, targets of a single label."""
        return super().encode(y)[:, None]

    def loss(self, fan_in: int) -> Loss:
        """Return a cross-entropy of one label."""
        return BinaryCrossEntropy(fan_in, self.temperature)

    def of_each(self, scores: np.ndarray) -> np.ndarray:
        """Let the first class have 0."""
        return np.hstack([np.zeros_like(scores), scores])

    def shares(self, probabilities: np.ndarray) -> np.ndarray:
        """Put the probability of the first class beside that of the second."""
        return np.hstack([1 - probabilities, probabilities])

    def exported(self) -> Answer:
        """Return the number of the class."""
        return Positive()


@dataclass(frozen=True)
class Labels(Targets):
    """Any number of labels at once, each 0 or 1."""

    n_labels: int
    temperature: float

    @property
    def n_outputs(self) -> int:
        """One score for each label."""
        return self.n_labels

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Take labels as they are."""
        if y.ndim != 2 or y.shape[1] != self.n_labels:
            raise ValueError(f"y must have the form of the first fit: a matrix of {self.n_labels} labels")
        return y

    def loss(self, fan_in: int) -> Loss:
        """Return a cross-entropy of labels."""
        return BinaryCrossEntropy(fan_in, self.temperature)

    def answer(self, scores: np.ndarray) -> np.ndarray:
        """Take a label for 1 where its score is positive."""
        return (scores > 0).astype(np.int64)

    def exported(self) -> Answer:
        """Return the labels."""
        return Positive()

    def validation_score(self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> float:
        """Return the share of the weight that has all labels right."""
        return _share_right((self.answer(scores) == y).all(axis=1), sample_weight)


@dataclass(frozen=True)
class Numbers(Targets):
    """Numbers, put on the scale of scores by their mean and standard deviation."""

    mean: np.ndarray
    std: np.ndarray
    ndim: int
    unit: float = 1.0

    @classmethod
    def learn(cls, y: np.ndarray, sample_weight: np.ndarray | None) -> Numbers:
        """Find mean and standard deviation of targets of equal weights, or of integer ones."""
        # math.fsum rounds once, whatever the order: a sum of NumPy would depend on the layout in memory
        columns = y.reshape(len(y), -1)
        if np.abs(columns).max(initial=0) > _LARGEST:
            raise ValueError(f"y must be within {_LARGEST:g} of 0, or its variance overflows: scale it down")
        weights = np.ones(len(y), np.int64) if sample_weight is None else sample_weight
        total = int(weights.sum())
        mean = np.array([fsum(weights * column) / total for column in columns.T])
        varies = columns.min(axis=0) < columns.max(axis=0)
        if (varies & (np.abs(columns - mean).max(axis=0, initial=0) < _SMALLEST)).any():
            raise ValueError(f"y must vary by {_SMALLEST:g} at least, or its variance vanishes: scale it up")
        squares = [fsum(weights * (column - m) ** 2) for column, m in zip(columns.T, mean, strict=True)]
        return cls(mean, np.where(varies, np.sqrt(np.array(squares) / total), 0.0), y.ndim)

    def completed(self, y: np.ndarray, sample_weight: np.ndarray | None) -> Numbers:
        """Learn from more targets what could not be learnt from constant ones, which say nothing of a scale."""
        constant = self.std == 0
        if not constant.any():
            return self
        new = Numbers.learn(self._columns(y), sample_weight)
        found = constant & (new.std > 0)
        mean, std = np.where(found, new.mean, self.mean), np.where(found, new.std, self.std)
        return Numbers(mean, std, self.ndim, self.unit)

    @property
    def n_outputs(self) -> int:
        """One score for each number."""
        return len(self.mean)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Round to whole scores."""
        spread = np.where(self.std > 0, self.std, 1.0)
        with np.errstate(over="ignore"):  # what is infinite is clipped
            steps = np.rint((self._columns(y) - self.mean) / spread * self.unit)
        return np.clip(steps, -(2**30), 2**30).astype(np.int64)

    def loss(self, fan_in: int) -> Loss:
        """Return a squared error in units of the scale."""
        return SquaredError(round(self.unit))

    @staticmethod
    def unit_for(fan_in: int, spreads: float) -> float:
        """Return the scores that one standard deviation takes, so many spreads of random scores."""
        return spreads * sqrt(fan_in)

    def answer(self, scores: np.ndarray) -> np.ndarray:
        """Put scores on the scale of the targets."""
        values = self.mean + self.std * (scores / self.unit)
        return values[:, 0] if self.ndim == 1 else values

    def exported(self) -> Answer:
        """Return the numbers."""
        return Scaled(self.mean, self.std, self.unit)

    def validation_score(self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> float:
        """Score by R2; where held-out targets are all equal, their squared errors count by those of training."""
        weights = np.ones(len(y), np.int64) if sample_weight is None else sample_weight
        answers = self.answer(scores).reshape(len(y), -1)
        columns = zip(answers.T, self._columns(y).T, self.std, strict=True)
        return fsum(self._explained(*column, weights) for column in columns) / len(self.std)

    def _explained(self, answers: np.ndarray, y: np.ndarray, std: float, weights: np.ndarray) -> float:
        mean = fsum(weights * y) / int(weights.sum())
        errors, spread = fsum(weights * (answers - y) ** 2), fsum(weights * (y - mean) ** 2)
        return 1 - errors / (spread or int(weights.sum()) * (std**2 or 1.0))

    def scorer(self, y: np.ndarray, loss: Loss) -> Callable[[Votes], float]:
        """Score by R2, a quotient of integers; for other losses by the share of the mean's loss that is saved."""
        wide = y.astype(np.int64 if np.abs(y).max(initial=0) < 2**19 else object)
        n, sums = len(y), wide.sum(axis=0).tolist()
        if isinstance(loss, SquaredError):
            spread = n * int((wide * wide).sum()) - sum(one * one for one in sums)
            least = Fraction(spread * LOSS_ONE, n * loss.scale**2)
        else:
            mean = np.array([round(Fraction(one, n)) for one in sums]).clip(-(2**31), 2**31 - 1)
            least = Fraction(loss.total(np.tile(mean.astype(np.int32), (n, 1)), y))
        return lambda seen: float(1 - Fraction(seen.loss * n, seen.n_samples) / least) if least > 0 else 0.0

    def _columns(self, y: np.ndarray) -> np.ndarray:
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != len(self.mean):
            wanted = f"y must have {len(self.mean)} target(s), as in the first fit"
            raise ValueError(f"{wanted}, got {columns.shape[1]}")
        return columns


def check_classes(y: Any, name: str) -> np.ndarray:
    """Return classes as an array of one dimension, labels as a matrix, or say what is wrong with them."""
    _refuse_nothing(y, name)
    values = as_array(y, "y")
    if values.dtype.kind == "f":
        assert_all_finite(values, input_name="y")
    if values.dtype.kind == "O" and values.ndim == 1 and any(map(_is_missing, values)):
        raise ValueError("y contains NaN, None or NA: every sample needs a class")
    if values.dtype.kind == "O":
        refuse_unordered(values, "y")
    if type_of_target(y, input_name="y").startswith("multilabel"):
        return check_array(y, dtype=np.int64, input_name="y", accept_sparse=False)
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    return y


def check_named_classes(classes: Any) -> np.ndarray:
    """Return classes that are named, and not those of samples, or say what is wrong with them."""
    values = as_array(classes, "classes")
    if values.ndim == 0 or not 0 < values.size == len(values):
        raise ValueError(f"classes must be a list of classes, got {classes!r}")
    if any(map(_is_missing, values.ravel().tolist())):
        raise ValueError("classes must not hold NaN, None or NA")
    refuse_unordered(values, "classes")
    return values.ravel()


def check_numbers(y: Any, name: str) -> np.ndarray:
    """Return numbers as float64 of one or two dimensions, or say what is wrong with them."""
    _refuse_nothing(y, name)
    values = as_array(y, "y")
    if values.dtype.kind in "mM":
        raise TypeError(f"y must hold numbers, got {values.dtype}: subtract a date and divide by a time")
    try:
        y = values if isinstance(y, list | tuple) else y
        return check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    except ValueError as error:
        if any(word in str(error) for word in ("convert", "sequence")):
            raise ValueError(f"y must hold numbers: {error}") from error
        raise


def _refuse_nothing(y: Any, name: str) -> None:
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None")
    if np.ma.is_masked(y):
        raise ValueError("y has masked entries: every sample needs a target")


def _is_missing(value: Any) -> bool:
    """Recognise None, NaN and pandas' NA, which compares with nothing."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
