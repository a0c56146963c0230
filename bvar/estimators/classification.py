"""What classifiers share: one class of several, or any number of labels at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if

from bvar._validation import check_real
from bvar.augmentation.changes import as_augmentations
from bvar.augmentation.learned import LearnedAugmentation
from bvar.encoding.samples import Table
from bvar.estimators.architecture import Trial, fit_temperature, is_auto, terms_of
from bvar.estimators.balance import balance
from bvar.estimators.base import BooleanNetworkEstimator
from bvar.estimators.predictor import Answers
from bvar.estimators.targets import Classes, Labels, Targets, TwoClasses, check_classes, check_named_classes
from bvar.mollify import Mollifier
from bvar.networks.losses import Loss, ProbabilisticLoss, SquaredError
from bvar.networks.network import Network
from bvar.training.changing import ChangingData, Degradation
from bvar.training.data import Data, TrainingData
from bvar.training.learning import LearningData, check_learnable

__all__ = ["NetworkClassifier"]


def _has_probabilities(model: Any) -> bool:
    """Whether scores mean probabilities; of a function that makes a loss that is known only after `fit`."""
    network = getattr(model, "network_", None)
    loss = model.loss if network is None else network.loss
    if isinstance(loss, type):
        return issubclass(loss, ProbabilisticLoss)
    return isinstance(loss, ProbabilisticLoss) or (network is None and (loss is None or callable(loss)))


class NetworkClassifier(ClassifierMixin, BooleanNetworkEstimator):
    """Learning classes and labels, and predicting them; subclasses say which network."""

    _not_monotone = ("loss", "mollifier")

    def partial_fit(
        self, X: Table, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
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
            Weights, not negative, in proportion to those of all calls so far, `class_weight` included: 'balanced'
            weighs by the counts of all samples so far. A call in which nothing has weight changes nothing.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described, or `classes` is missing or changes. Whatever is raised,
            the model stays what it was.

        Notes
        -----
        Each call copies the network, 17 bits for a weight: chunks of several batches make that a small part.
        """
        if isinstance(self.augment, LearnedAugmentation) or as_augmentations(self.augment):
            raise ValueError("augment must be None for partial_fit, which sees every sample once")
        if self.mollifier is not None:
            raise ValueError("mollifier must be None for partial_fit, which sees every sample once")
        first = not hasattr(self, "network_")
        named = None if classes is None else check_named_classes(classes)
        if not first and named is not None and not np.array_equal(np.unique(named), self.classes_):
            raise ValueError(f"classes must be those of the first call, {self.classes_.tolist()}")

        def learn(targets: np.ndarray) -> None:
            if named is None and targets.ndim == 1:
                raise ValueError("classes must be given in the first call of partial_fit")
            if named is not None and targets.ndim == 2:
                raise ValueError("classes must be None for a matrix of labels, whose columns they are")
            self._learn_classes(targets if named is None else named)

        self._partial_fit(X, y, sample_weight, learn)
        return self

    def decision_function(self, X: Table) -> np.ndarray:
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
        return self._predict(X, "decision_function")

    def predict(self, X: Table) -> np.ndarray:
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
        return self._predict(X, "predict")

    @available_if(_has_probabilities)
    def predict_proba(self, X: Table) -> np.ndarray:
        """Estimate probabilities; only where the loss is a :class:`bvar.networks.ProbabilisticLoss`.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes) or (n_samples, n_labels)
            Probabilities of the classes in the order of `classes_`; or of each label to be 1.
        """
        return self._predict(X, "predict_proba")

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Table) -> np.ndarray:
        """Estimate the logarithms of probabilities, where there are probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes) or (n_samples, n_labels)
            Natural logarithms of `predict_proba`; minus infinity where that is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    # ------------------------------------------------------------------- what the base class asks

    def _check_y(self, y: Any) -> np.ndarray:
        return check_classes(y, type(self).__name__)

    def _learn_targets(self, y: np.ndarray, sample_weight: np.ndarray | None, *, goes_on: bool) -> None:
        if not goes_on:
            self._learn_classes(y)
        if _is_balanced(self.class_weight):
            self._class_counts = self._counts(y)

    def _learn_classes(self, y: np.ndarray) -> None:
        multilabel, classes = y.ndim == 2, np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
        if not multilabel and len(classes) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {classes.tolist()[0]!r}")
        self.__dict__.pop("_one_score", None)
        if self.monotonic_cst is not None:
            if multilabel or len(classes) > 2:
                what = "labels" if multilabel else "classes"
                raise ValueError(f"monotonic_cst must be None unless y has two classes, got {len(classes)} {what}")
            self._one_score = True
        self.multilabel_, self.classes_ = multilabel, classes

    def _targets(self) -> Targets:
        return self._targets_at(self._plan().temperature)

    def _targets_at(self, temperature: float) -> Targets:
        if self.multilabel_:
            return Labels(len(self.classes_), temperature)
        return (TwoClasses if hasattr(self, "_one_score") else Classes)(self.classes_, temperature)

    def _answers(self) -> Answers:
        targets, loss = self._targets(), self.network_.loss
        if hasattr(self, "probability_temperature_"):
            loss = self._loss_at(terms_of(self.network_), self.probability_temperature_)
        answers = {"predict": targets.answer, "decision_function": targets.decisions}
        if not isinstance(loss, ProbabilisticLoss):
            return answers
        return answers | {"predict_proba": lambda scores: targets.shares(loss.probabilities(scores))}

    def _may_fit_temperature(self) -> bool:
        return self.loss is None and is_auto(self.temperature)

    def _judged(self, trial: Trial) -> Trial:
        if not self._may_fit_temperature():
            return trial
        heat = fit_temperature(trial, lambda heat: self._loss_at(trial.n_terms, heat))
        return replace(trial, loss=self._loss_at(trial.n_terms, heat))

    def _set_temperature(self, trial: Trial) -> None:
        def make_loss(heat: float) -> Loss:
            return self._loss_at(trial.n_terms, heat)

        if self._plan().has_offsets and (trial.weights != trial.weights[0]).any():
            fixed = 0 if self.multilabel_ else 1
            self._shift, self.probability_temperature_ = balance(trial, make_loss, fixed)
        else:
            self.probability_temperature_ = fit_temperature(trial, make_loss)

    def _shift_scores(self) -> None:
        shift = self.__dict__.pop("_shift", None)
        if shift is not None:
            self.network_.layers[-1].offset.shift(shift)  # type: ignore[attr-defined]

    def _make_loss(self, fan_in: int) -> Loss:
        loss = super()._make_loss(fan_in)
        if isinstance(loss, SquaredError) and not self.multilabel_:  # of labels it judges 0 and 1
            raise TypeError(f"loss must judge scores of classes, got {loss!r}, which judges numbers")
        return loss

    def _loss_at(self, n_terms: int, temperature: float) -> Loss:
        """Return the usual loss at another temperature than that of training."""
        return self._targets_at(temperature).loss(n_terms)

    def _check_parameters(self, *, goes_on: bool) -> None:
        super()._check_parameters(goes_on=goes_on)
        if isinstance(self.augment, LearnedAugmentation):
            check_learnable(self.augment)
            if self.mollifier is not None:
                raise ValueError(f"mollifier must be None where augment is learnt, got {self.mollifier!r}")
        else:
            as_augmentations(self.augment)
        if self.mollifier is not None and not isinstance(self.mollifier, Mollifier):
            raise TypeError(f"mollifier must be None or a bvar.mollify.Mollifier, got {self.mollifier!r}")
        _check_class_weight(self.class_weight)

    def _changing(self, X: Any, data: TrainingData, network: Network) -> Data:
        before = self.__dict__.pop("augmentation_", None)
        if isinstance(self.augment, LearnedAugmentation):
            return self._learning(ChangingData(X, data, self._encode), before, network)
        degradation = None
        if self.mollifier is not None and self.mollifier.roles.strip("x"):
            if self.multilabel_:
                raise ValueError("mollifier softens classes, and y is a matrix of labels: set mollifier=None")
            degradation = Degradation(self.mollifier, X, len(self.classes_))
        if degradation is None and not as_augmentations(self.augment):
            return data  # no random number is drawn for nothing: the model is that without either
        return ChangingData(X, data, self._encode, self.augment, degradation, self._own_image_shape())

    def _learning(
        self, changing: ChangingData, before: LearnedAugmentation | None, network: Network
    ) -> LearningData:
        """Let strengths learn, from the medians of their priors; where training goes on, from what they were."""
        augment = clone(self.augment).set_params(image_shape=self.augment.image_shape or self._own_image_shape())
        augment.begin(self.n_features_in_)
        if self.warm_start and before is not None and len(before.location_) == len(augment.location_):
            augment.location_, augment.width_ = before.location_.copy(), before.width_.copy()
        self.augmentation_ = augment
        return LearningData(changing, augment, network, self.max_iter_)

    def _own_image_shape(self) -> tuple[int, ...] | None:
        """Return the shape of images that the estimator knows, whatever the augmentation says."""
        return getattr(self, "image_shape_", None)

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        weights = super()._weights(sample_weight, y)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self._class_weights(y), y)
        with np.errstate(over="ignore"):  # refused in the next line
            product = by_class if weights is None else by_class * weights
        if not np.isfinite(product).all():
            raise ValueError("class_weight times sample_weight must be finite for every sample, got infinity")
        return product

    def _class_weights(self, y: np.ndarray) -> Any:
        """Put numbers in the place of 'balanced': a class weighs n / (n_classes * its count), of all so far."""
        given = _for_columns(self.class_weight, y)
        if _is_balanced(self.class_weight):
            pairs = zip(given, self._counts(y), strict=True)
            given = [_balanced(counts) if isinstance(one, str) else one for one, counts in pairs]
        given = [dict(one) if isinstance(one, Mapping) else one for one in given]
        return given if y.ndim == 2 else given[0]

    def _counts(self, y: np.ndarray) -> list[dict[Any, int]]:
        """Count the classes of each column, in these samples and in all of the calls before."""
        columns = y.T if y.ndim == 2 else y[None]
        before = getattr(self, "_class_counts", None)
        if before is None:
            before = [{}] * len(columns)
        else:
            self._targets().encode(y)  # refuses what was not there before
        return [dict(Counter(old) + Counter(column.tolist())) for old, column in zip(before, columns, strict=True)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that targets may be a matrix of labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _for_columns(class_weight: Any, y: np.ndarray) -> list[Any]:
    """Return the weights of the classes of each column; classes are one."""
    n = y.shape[1] if y.ndim == 2 else 1
    given = list(class_weight) if isinstance(class_weight, list | tuple) else [class_weight] * n
    if y.ndim == 2 and isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight must be 'balanced' or a list of {n} dicts for {n} labels, got one dict")
    if len(given) != n:
        wanted = f"have an entry for each of {n} labels" if y.ndim == 2 else "be a dict or 'balanced' for classes"
        raise ValueError(f"class_weight must {wanted}, got {len(given)}")
    return given


def _is_balanced(class_weight: Any) -> bool:
    """Say whether weights of classes, or of those of one label, depend on their counts."""
    given = class_weight if isinstance(class_weight, list | tuple) else [class_weight]
    return any(isinstance(one, str) for one in given)


def _balanced(counts: dict[Any, int]) -> dict[Any, float]:
    """Weigh classes so that each has as much in all: their mean over the samples is 1."""
    return {c: sum(counts.values()) / (len(counts) * n) for c, n in counts.items()}


def _check_class_weight(value: Any) -> None:
    """Check weights of classes; of several labels at once there may be one of each."""
    text = f"class_weight must be None, 'balanced' or a dict of numbers >= 0, got {value!r}"
    for one in value if isinstance(value, list | tuple) else [value]:
        if (one is None and value is None) or (isinstance(one, str) and one == "balanced"):
            continue
        if not isinstance(one, Mapping):
            raise (ValueError if isinstance(one, str) else TypeError)(text)
        try:
            for weight in one.values():
                check_real(weight, "class_weight", low=0)
        except (TypeError, ValueError) as error:
            raise type(error)(text) from None
