"""The classifier: one class of several, or any number of labels at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d

from bvar.estimators.base import BooleanNetworkEstimator
from bvar.losses import BinaryCrossEntropy, CrossEntropy, ProbabilisticLoss
from bvar.network import Votes

__all__ = ["BooleanClassifier"]


class BooleanClassifier(ClassifierMixin, BooleanNetworkEstimator):
    """A neural network of single bits, trained in logic, that tells classes apart.

    Every weight and every activation is one bit, the first and the last layer included; training flips bits
    by counting votes, with no gradient and no float copy of a weight.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(1024,)
        Number of units of each hidden layer.
    encoder : transformer, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`, which
        takes numbers, categories and missing values, with 8 to 64 bits for a number, fewer the more features.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.optim.BooleanOptimizer`.
    temperature : float, default=1.0
        Temperature of the loss, see :class:`bvar.losses.CrossEntropy`.
    flip_noise : float or 'auto', default='auto'
        Probability with which each bit of an encoded training sample is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. Noise keeps a network from learning its samples by heart. 'auto' is 1/64 for each
        eight features or hundred bits, whichever is less, up to 1/8, and half of that from 10000 samples on.
    max_iter : int, default=50
        Number of epochs, at most.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 10.
    class_weight : dict or 'balanced', optional
        Weights of classes, as everywhere in scikit-learn; multiplied with `sample_weight`.
    early_stopping : bool, default=False
        Whether to set validation samples aside, to stop when their score no longer rises, and to keep the
        network that scored best on them.
    validation_fraction : float, default=0.1
        Share of the samples set aside.
    n_iter_no_change : int, default=10
        Epochs without a better validation score after which training stops.
    warm_start : bool, default=False
        Whether `fit` goes on from the network of the last `fit`.
    random_state : None, int or RandomState, default=None
        Seed of initial weights, of the order of samples and of the validation split. An int gives the same
        model every time, on every backend and machine.
    verbose : bool or int, default=False
        Whether to show progress: a bar in a terminal or notebook with tqdm, else a line for each epoch, as 2 does
        everywhere.
    callbacks : callable or sequence of callable, optional
        Called with the estimator after each epoch; one that returns True ends the training.
    backend : str, optional
        Which backend computes, see :func:`bvar.backends.use`. Default: the one in force.
    n_threads : int, default=1
        Threads that compiled kernels may use; the model does not depend on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multi-label targets the numbers of the labels.
    multilabel_ : bool
        Whether the targets were a matrix of labels.
    encoder_ : transformer
        The fitted encoder.
    network_ : bvar.network.Network
        The trained network.
    history_ : dict of list
        For each epoch: 'loss' and 'score' (mean loss and accuracy on the training data while it was being
        learnt), 'validation_score' (with early stopping), 'flips' (share of weights flipped, a list with an
        entry for each parameter) and 'beta' (plasticity, likewise).
    n_iter_ : int
        Number of epochs run.
    best_validation_score_ : float
        Validation score of the network kept; only with early stopping.
    backend_ : str
        Name of the backend that trained the model.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    BooleanRegressor : The same for numbers.
    bvar.network.boolean_mlp : The network alone, for training loops of one's own.

    Notes
    -----
    NaN is a legal value: it becomes the 0 of three-valued logic, which contributes nothing and learns nothing.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, arXiv:2405.16339.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from bvar import BooleanClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = BooleanClassifier(max_iter=5, random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.9)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (1024,),
        *,
        encoder: Any = None,
        eta: float = 10.0,
        temperature: float = 1.0,
        flip_noise: float | str = "auto",
        max_iter: int = 50,
        batch_size: int | str = "auto",
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool | int = False,
        callbacks: Any = None,
        backend: str | None = None,
        n_threads: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.encoder = encoder
        self.eta = eta
        self.temperature = temperature
        self.flip_noise = flip_noise
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks
        self.backend = backend
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BooleanClassifier:
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
        BooleanClassifier
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

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> BooleanClassifier:
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
        BooleanClassifier
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described, or `classes` is missing or changes.
        """
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

    def _check_targets(self, y: Any) -> np.ndarray:
        if y is None:
            raise ValueError("BooleanClassifier requires y to be passed, but the target y is None")
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
