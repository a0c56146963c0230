"""Boolean networks as scikit-learn estimators.

An estimator is an encoder and a network of :mod:`bvar.network`, trained by minibatches.  Everything that decides
which model comes out is an integer or an elementwise operation on floats, so `random_state` fixes the model bit
for bit, whatever the backend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar import backends
from bvar._random import RandomWords
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.encoding import ThermometerEncoder
from bvar.network import Network, Votes, boolean_mlp

__all__ = ["BooleanClassifier"]

_CHUNK = 4096  # samples encoded and scored at a time


class BooleanClassifier(ClassifierMixin, BaseEstimator):
    """A neural network of single bits, trained in logic.

    Every weight and every activation is one bit, the first and the last layer included; training flips bits
    by counting votes, with no gradient and no float copy of a weight.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(512,)
        Number of units of each hidden layer.
    encoder : transformer, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: ``ThermometerEncoder()``.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.optim.BooleanOptimizer`.
    temperature : float, default=1.0
        Temperature of the loss, see :class:`bvar.losses.CrossEntropy`.
    max_iter : int, default=30
        Number of epochs.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 10.
    random_state : None, int or RandomState, default=None
        Seed of initial weights and of the order of samples. An int gives the same model every time, on every
        backend and machine.
    verbose : bool or int, default=False
        Whether to print a line after each epoch.
    backend : str, optional
        Which backend computes, see :func:`bvar.backends.use`. Default: the one in force.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    encoder_ : transformer
        The fitted encoder.
    network_ : bvar.network.Network
        The trained network.
    history_ : dict of list
        For each epoch: 'loss' and 'score' (mean loss and accuracy on the training data while it was being
        learnt), 'flips' (share of weights flipped, a list per parameter) and 'beta' (plasticity, likewise).
    n_iter_ : int
        Number of epochs run.
    backend_ : str
        Name of the backend that trained the model.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
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
        hidden_layer_sizes: Any = (512,),
        *,
        encoder: Any = None,
        eta: float = 10.0,
        temperature: float = 1.0,
        max_iter: int = 30,
        batch_size: int | str = "auto",
        random_state: Any = None,
        verbose: bool | int = False,
        backend: str | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.encoder = encoder
        self.eta = eta
        self.temperature = temperature
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose
        self.backend = backend

    def fit(self, X: Any, y: Any) -> BooleanClassifier:
        """Train on labelled samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples; NaN means missing.
        y : array-like of shape (n_samples,)
            Labels: integers, strings or Booleans.

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
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        hidden = _check_hidden(self.hidden_layer_sizes)
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {self.classes_[0]!r}")
        batch_size = _check_batch_size(self.batch_size, len(X))
        with backends.use(self.backend) as backend:
            self.backend_ = backend.name
            self.encoder_ = clone(ThermometerEncoder() if self.encoder is None else self.encoder).fit(X, y)
            bits = self._encode(X)
            source = RandomWords(self.random_state)
            self.network_ = boolean_mlp(
                [bits.n_bits, *hidden, len(self.classes_)],
                eta=self.eta,
                temperature=self.temperature,
                n_steps=max_iter * -(-len(X) // batch_size),
                random_state=source,
            )
            self._train(bits, codes, source, max_iter, batch_size)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the integer scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of int32, shape (n_samples, n_classes) or (n_samples,)
            Scores of the classes; for two classes the difference of the second and the first.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; the first of several classes with the best score.
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate probabilities of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
        """
        scores = self._scores(X)
        return self.network_.loss.probabilities(scores)

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        with backends.use(self.backend):
            return np.concatenate(
                [self.network_.scores(self._encode(X[i : i + _CHUNK])) for i in range(0, len(X), _CHUNK)]
            )

    def _encode(self, X: np.ndarray) -> BitMatrix:
        return self.encoder_.encode(X)

    def _train(
        self, bits: BitMatrix, codes: np.ndarray, source: RandomWords, max_iter: int, batch_size: int
    ) -> None:
        self.history_: dict[str, list[Any]] = {"loss": [], "score": [], "flips": [], "beta": []}
        self.n_iter_ = 0
        sizes = np.array([p.bits.n_rows * p.bits.n_bits for p in self.network_.parameters])
        for epoch in range(max_iter):
            order = source.permutation(len(bits))
            seen, flips = _train_epoch(self.network_, bits, codes, order, batch_size)
            self.history_["loss"].append(seen.loss / seen.n_samples)
            self.history_["score"].append(seen.n_correct / seen.n_samples)
            self.history_["flips"].append((flips / sizes).tolist())
            self.history_["beta"].append(list(self.network_.optimizer.beta))
            self.n_iter_ = epoch + 1
            if self.verbose:
                self._print_epoch(max_iter)

    def _print_epoch(self, max_iter: int) -> None:
        last = {key: values[-1] for key, values in self.history_.items()}
        flips = " ".join(f"{100 * share:6.2f}%" for share in last["flips"])
        print(  # noqa: T201 - what verbose asked for
            f"epoch {self.n_iter_:3d}/{max_iter}  loss {last['loss']:.3f}  "
            f"score {last['score']:.4f}  flipped {flips}",
            flush=True,
        )

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a legal value."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _train_epoch(
    network: Network, bits: BitMatrix, codes: np.ndarray, order: np.ndarray, batch_size: int
) -> tuple[Votes, np.ndarray]:
    """Take one step per minibatch; return what was seen, without votes, and the flips per parameter."""
    seen = Votes((), 0, 0, 0.0)
    flips = np.zeros(len(network.parameters))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        votes = network.votes(bits[rows], codes[rows])
        flips += network.apply(votes)
        seen += Votes((), votes.n_samples, votes.n_correct, votes.loss)
    return seen, flips


def _check_hidden(sizes: Any) -> list[int]:
    try:
        sizes = list(sizes)
    except TypeError:
        sizes = [sizes]
    return [check_integer(size, "each of hidden_layer_sizes", low=1) for size in sizes]


def _check_batch_size(batch_size: int | str, n_samples: int) -> int:
    if isinstance(batch_size, str):
        if batch_size != "auto":
            raise ValueError(f"batch_size must be a positive integer or 'auto', got {batch_size!r}")
        return min(100, max(10, n_samples // 50))
    return check_integer(batch_size, "batch_size", low=1)
