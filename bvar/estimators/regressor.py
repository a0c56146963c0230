"""The regressor: numbers as integer scores of single bits."""

from __future__ import annotations

from math import fsum, sqrt
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array

from bvar.estimators.base import MultilayerEstimator
from bvar.networks.losses import LOSS_ONE, Loss, SquaredError
from bvar.networks.network import Votes

__all__ = ["BooleanRegressor"]

_LARGEST = 1e150
_SPREADS = 4.0  # scores that one standard deviation of the targets takes, in spreads of random scores


class BooleanRegressor(RegressorMixin, MultilayerEstimator):
    """A neural network of single bits, trained in logic, that predicts numbers.

    The score of an output is an integer; targets are put on the same scale by their mean and standard deviation,
    so a prediction is ``mean + std * score / unit``.  Its resolution is ``2 * std / unit``, where unit is four
    times the square root of the width of the last hidden layer.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(1024,)
        Number of units of each hidden layer.
    encoder : transformer, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`, which
        takes numbers, categories and missing values, with 8 to 64 bits for a number, fewer the more features.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`.
    flip_noise : float or 'auto', default='auto'
        Probability with which each bit of an encoded training sample is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. Noise keeps a network from learning its samples by heart. 'auto' is 1/64 for each
        eight features or hundred bits, whichever is less, up to 1/8, and half of that from 10000 samples on.
    max_iter : int, default=50
        Number of epochs, at most.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 10.
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
    target_mean_, target_std_ : ndarray of float64, shape (n_targets,)
        What puts targets on the scale of scores; the spread of a constant target is 0.
    unit_ : float
        Scores that one standard deviation takes.
    encoder_ : transformer
        The fitted encoder.
    network_ : bvar.networks.Network
        The trained network.
    history_ : dict of list
        For each epoch: 'loss', 'score' (R2 on the training data while it was being learnt), 'validation_score'
        (with early stopping), 'flips' and 'beta', as for :class:`BooleanClassifier`.
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
    BooleanClassifier : The same for classes.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import BooleanRegressor
    >>> X = np.random.RandomState(0).rand(500, 2)
    >>> y = X[:, 0] + X[:, 1]
    >>> model = BooleanRegressor(max_iter=10, random_state=0).fit(X[:400], y[:400])
    >>> bool(model.score(X[400:], y[400:]) > 0.9)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (1024,),
        *,
        encoder: Any = None,
        eta: float = 10.0,
        flip_noise: float | str = "auto",
        max_iter: int = 50,
        batch_size: int | str = "auto",
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
        self.flip_noise = flip_noise
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks
        self.backend = backend
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BooleanRegressor:
        """Train on samples with numbers as targets.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Training samples; NaN means missing.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets, finite numbers.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative. Signals are multiplied with them and rounded; a sample lighter than an eighth
            of the heaviest is heard more rarely instead. Default: equal weights.

        Returns
        -------
        BooleanRegressor
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

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> BooleanRegressor:
        """Learn from more samples, once each, in their order and at constant eta.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples. The first call fits the encoder, and the mean and standard deviation of the targets, to them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, in proportion to the largest of this call.

        Returns
        -------
        BooleanRegressor
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        self._partial_fit(X, y, sample_weight, self._learn_targets)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict numbers.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.

        Returns
        -------
        ndarray of float64, shape (n_samples,) or (n_samples, n_targets)
            Predictions, of the form of the targets of `fit`.
        """

        def answer(scores: np.ndarray) -> np.ndarray:
            values = self.target_mean_ + self.target_std_ * (scores / self.unit_)
            return values[:, 0] if self.target_ndim_ == 1 else values

        return self._predict(X, answer)

    # ------------------------------------------------------------------- what the base class asks

    def _check_targets(self, y: Any) -> np.ndarray:
        if y is None:
            raise ValueError("BooleanRegressor requires y to be passed, but the target y is None")
        try:
            return check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        except ValueError as error:
            if "convert" in str(error):
                raise ValueError(f"y must hold numbers: {error}") from error
            raise

    def _learn_targets(self, y: np.ndarray) -> None:
        # math.fsum rounds once, whatever the order: a sum of NumPy would depend on the layout in memory
        columns = y.reshape(len(y), -1)
        if np.abs(columns).max(initial=0) > _LARGEST:
            raise ValueError(f"y must be within {_LARGEST:g} of 0, or its variance overflows: scale it down")
        self.target_ndim_ = y.ndim
        self.target_mean_ = np.array([fsum(column) / len(y) for column in columns.T])
        squares = [fsum((column - mean) ** 2) for column, mean in zip(columns.T, self.target_mean_, strict=True)]
        varies = columns.min(axis=0) < columns.max(axis=0)
        self.target_std_ = np.where(varies, np.sqrt(np.array(squares) / len(y)), 0.0)

    def _encode_targets(self, y: np.ndarray) -> np.ndarray:
        columns = y.reshape(len(y), -1)
        if y.ndim != self.target_ndim_ or columns.shape[1] != len(self.target_mean_):
            raise ValueError(f"y must have {len(self.target_mean_)} target(s) in {self.target_ndim_} dimension(s)")
        spread = np.where(self.target_std_ > 0, self.target_std_, 1.0)
        steps = np.rint((columns - self.target_mean_) / spread * self.unit_)
        return np.clip(steps, -(2**30), 2**30).astype(np.int64)

    def _n_outputs(self) -> int:
        return len(self.target_mean_)

    def _make_loss(self, fan_in: int) -> Loss:
        self.unit_ = _SPREADS * sqrt(fan_in)
        return SquaredError(round(self.unit_))

    def _mean_score(self, seen: Votes, targets: np.ndarray) -> float:
        variance = (((targets - targets.mean(axis=0)) / round(self.unit_)) ** 2).sum(axis=1).mean()
        return 1 - seen.loss / (seen.n_samples * LOSS_ONE) / variance if variance > 0 else 0.0

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
