"""What classifiers share: one class of several, or any number of labels at once."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d

from bvar.estimators.base import BooleanNetworkEstimator
from bvar.mollify import Mollifier
from bvar.networks.losses import BinaryCrossEntropy, CrossEntropy, ProbabilisticLoss
from bvar.networks.votes import Votes
from bvar.training.augmentation import as_augmentations
from bvar.training.data import TrainingData
from bvar.training.fresh import Degradation, FreshData

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, BooleanNetworkEstimator):
    """Fitting to classes and labels, and predicting them; subclasses say which network."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on labelled samples.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Training samples; NaN means missing.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes: integers, strings or Booleans; or a matrix of labels, 0 or 1.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative. Signals are multiplied with them and rounded; a sample lighter than an eighth
            of the heaviest is heard more rarely instead. Default: equal weights.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        bvar.backends.BackendUnavailable
            If `backend` cannot run here.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from more samples, once each, in their order and at constant eta.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples. The first call fits the encoder to them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes or labels.
        classes : array-like of shape (n_classes,), optional
            All classes that will ever come; needed in the first call, unless `y` is a matrix of labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, in proportion to the largest of this call, `class_weight` included.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described, or `classes` is missing or changes.
        """
        for name in ("augment", "mollifier"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} must be None for partial_fit, which sees every sample once")
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all data at once; for partial_fit give a dict"
            )
        if (
            hasattr(self, "network_")
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise ValueError(f"classes must be those of the first call, {self.classes_.tolist()}")

        def learn(targets: np.ndarray) -> None:
            if classes is None and targets.ndim == 1:
                raise ValueError("classes must be given in the first call of partial_fit")
            self._learn_targets(targets if classes is None else column_or_1d(classes))

        self._partial_fit(X, y, sample_weight, learn)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the integer scores.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes) or (n_samples,)
            Scores of the classes or labels, whole numbers; for two classes the difference of the second and the
            first.
        """

        def answer(scores: np.ndarray) -> np.ndarray:
            scores = scores.astype(np.float64)  # scikit-learn wants floats; int32 fits exactly
            return scores if self.multilabel_ or len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

        return self._predict(X, answer)

    def predict(self, X: Any) -> np.ndarray:
        """Predict classes or labels.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Classes, the first of several with the best score; or labels, 1 where the score is positive.
        """

        def answer(scores: np.ndarray) -> np.ndarray:
            if self.multilabel_:
                return (scores > 0).astype(np.int64)
            return self.classes_[scores.argmax(axis=1)]

        return self._predict(X, answer)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes) or (n_samples, n_labels)
            Probabilities of the classes in the order of `classes_`; or of each label to be 1.
        """

        def answer(scores: np.ndarray) -> np.ndarray:
            loss = self.network_.loss
            assert isinstance(loss, ProbabilisticLoss)  # noqa: S101 - narrows the type
            return loss.probabilities(scores)

        return self._predict(X, answer)

    # ------------------------------------------------------------------- what the base class asks

    def _check_parameters(self) -> None:
        super()._check_parameters()
        as_augmentations(self.augment)
        if self.mollifier is not None and not isinstance(self.mollifier, Mollifier):
            raise TypeError(f"mollifier must be None or a bvar.mollify.Mollifier, got {self.mollifier!r}")

    def _fresh(self, X: Any, data: TrainingData) -> FreshData | None:
        degradation = None
        if self.mollifier is not None and self.mollifier.roles.strip("x"):
            if self.multilabel_:
                raise ValueError("mollifier softens classes, and y is a matrix of labels: set mollifier=None")
            degradation = Degradation(self.mollifier, X, len(self.classes_))
        if degradation is None and not as_augmentations(self.augment):
            return None  # no random number is drawn for nothing: the model is that without either
        return FreshData(X, data, self._encode, self.augment, degradation, getattr(self, "image_shape_", None))

    def _check_targets(self, y: Any) -> np.ndarray:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        values = np.asarray(y)
        if values.dtype.kind == "f":
            assert_all_finite(values, input_name="y")
        if values.dtype.kind == "O" and values.ndim == 1 and any(map(_is_missing, values)):
            raise ValueError("y contains NaN, None or NA: every sample needs a class")
        if type_of_target(y, input_name="y").startswith("multilabel"):
            return check_array(y, dtype=np.int64, input_name="y", accept_sparse=False)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _learn_targets(self, y: np.ndarray) -> None:
        self.multilabel_ = y.ndim == 2
        if self.multilabel_:
            self.classes_ = np.arange(y.shape[1])
            return
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {self.classes_.tolist()[0]!r}")

    def _encode_targets(self, y: np.ndarray) -> np.ndarray:
        if self.multilabel_ != (y.ndim == 2) or (y.ndim == 2 and y.shape[1] != len(self.classes_)):
            raise ValueError("y must have the form of the first fit: classes, or a matrix of as many labels")
        if self.multilabel_:
            return y
        codes = np.searchsorted(self.classes_, y)
        known = self.classes_[np.minimum(codes, len(self.classes_) - 1)] == y
        if not np.all(known):
            raise ValueError(f"y has classes that were not there before: {np.unique(y[~known]).tolist()}")
        return codes

    def _integer_weights(self, sample_weight: Any, X: Any, y: np.ndarray) -> np.ndarray | None:
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            sample_weight = by_class * _check_sample_weight(sample_weight, by_class, dtype=np.float64)
        return super()._integer_weights(sample_weight, X, y)

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _make_loss(self, fan_in: int) -> ProbabilisticLoss:
        kind = BinaryCrossEntropy if self.multilabel_ else CrossEntropy
        return kind(fan_in, self.temperature)

    def _mean_score(self, seen: Votes, targets: np.ndarray) -> float:
        return seen.n_correct / seen.n_samples

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        if y.ndim == 2 or np.unique(y, return_counts=True)[1].min() < 2:
            return None
        return y

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that targets may be a matrix of labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _is_missing(value: Any) -> bool:
    """Recognise None, NaN and pandas' NA, which compares with nothing."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
