"""The regressor: numbers as integer scores of single bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from bvar.encoding import BitEncoder
from bvar.encoding.samples import Table
from bvar.estimators.architecture import FOR_MONOTONE_NUMBERS, FOR_NUMBERS, Plan, is_auto
from bvar.estimators.base import BooleanNetworkEstimator
from bvar.estimators.intervals import errors_in_order, guessed_spread, half_widths
from bvar.estimators.monotone import Monotone
from bvar.estimators.recipes import Recipe, Sums
from bvar.estimators.targets import Numbers, check_numbers
from bvar.networks.losses import Loss
from bvar.training.callbacks import Callback

__all__ = ["BooleanRegressor"]


class BooleanRegressor(RegressorMixin, BooleanNetworkEstimator):
    """A neural network of single bits, trained in logic, that predicts numbers.

    The score of an output is an integer; targets are put on the same scale by their mean and standard deviation,
    so a prediction is ``mean + std * score / unit``.  Its resolution is ``2 * std / unit``, where unit is four
    times the square root of the number of terms of a score; twelve times for the plan 'committee'.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Number of units of each hidden layer. 'auto' lets `fit` choose between two plans by losses on at most
        2000 samples held out, after trying both on a fifth of the samples, but 4000 to 16000: 'sum' has no hidden
        layer; 'committee' is four networks whose scores add, and which learn as one, each of 500 gates before a
        layer of 256. The sum is taken unless the committee is better by more than chance. What is set by hand
        holds for both.
    gates : int or 'auto', default='auto'
        Number of gates in front of the sums, see :func:`bvar.networks.front_network`; 0 for none. 'auto' is 0
        where sizes are set by hand.
    fan_in : int or 'auto', default='auto'
        Wires of each of these gates, 1 to 6; they read the features evenly, see :func:`bvar.layers.column_wires`.
        'auto' is 2 where sizes are set by hand.
    offsets : bool or 'auto', default='auto'
        Whether sums learn thresholds, see :class:`bvar.layers.Offset`. 'auto' is whether there are gates.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`, which
        takes numbers, categories and missing values, with 8 to 64 bits for a number, fewer the more features.
    monotonic_cst : array-like of int, shape (n_features,), or dict of str to int, optional
        For each feature 1 where predictions may only rise with it, -1 where they may only fall, 0 where they may
        do both; or a dict of those by name that are not 0. This holds for all rows, by the proof in
        :doc:`/explanation/monotone`, and for all targets.
        `encoder` must then be None or a :class:`bvar.encoding.TableEncoder`, and `gates` and `offsets` be left
        alone.
    eta : float or 'auto', default='auto'
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`. 'auto' is that of the
        plan, and 10 where sizes are set by hand.
    loss : Loss or callable, optional
        What training lowers: a :class:`bvar.networks.Loss`, or a class or function that makes one for the number
        of terms of a score. Targets are whole numbers on the scale of scores. Default: the squared error.
    flip_noise : float or 'auto', default='auto'
        Probability with which each bit of an encoded training sample is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. Noise keeps a network from learning its samples by heart. 'auto' is 0 for a plan
        that `fit` chose; where sizes are set by hand it is 1/64 for each
        eight features or hundred bits, whichever is less, up to 1/8, and half of that from 10000 samples on.
    max_iter : int or 'auto', default='auto'
        Number of epochs, at most. 'auto' is that of the plan, and 50 where sizes are set by hand.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100 for a plan that `fit` chose; where sizes are set by hand it is
        100, or fewer for small data: a fiftieth of the samples, at least 10.
    early_stopping : bool, default=False
        Whether to set validation samples aside, to stop when their score no longer rises, and to keep the
        network that scored best on them.
    validation_fraction : float, default=0.1
        Share of the samples set aside.
    n_iter_no_change : int, default=10
        Epochs without a better validation score after which training stops.
    warm_start : bool, default=False
        Whether `fit` goes on from the network of the last `fit`, with its encoder and its loss: changes of these
        are not heard, and other sizes are refused.
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
    target_names_ : ndarray of str, shape (n_targets,)
        Names of the targets, if several came as a frame with names.
    unit_ : float
        Scores that one standard deviation takes.
    encoder_ : transformer
        The fitted encoder.
    network_ : bvar.networks.Network
        The trained network.
    history_ : dict of list
        For each epoch: 'loss', 'score' (R2 on the training data while it was being learnt), 'validation_score' (on
        samples held out, or given as `X_val`; else empty) and then 'validation_loss', 'flips' and 'beta', as for
        :class:`BooleanClassifier`.
    n_iter_ : int
        Number of epochs run.
    best_validation_score_ : float
        Validation score of the network kept; only with early stopping.
    backend_ : str
        Name of the backend that trained the model.
    plan_ : str
        Name of the plan chosen, see `hidden_layer_sizes`; only where there was something to choose.
    held_out_losses_ : dict of int
        Losses of each plan that was tried, on samples held out, in units of a 65536th.
    n_held_out_ : int
        Number of these samples.
    calibration_errors_ : ndarray of float64, shape (n_calibration_samples, n_targets)
        Absolute errors, each divided by what `spread_` guesses for its row, in order; after `calibrate`.
    spread_ : regressor or None
        What guesses how far targets may be from predictions.
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
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        *,
        gates: int | Literal["auto"] = "auto",
        fan_in: int | Literal["auto"] = "auto",
        offsets: bool | Literal["auto"] = "auto",
        encoder: BitEncoder | None = None,
        monotonic_cst: ArrayLike | Mapping[str, int] | None = None,
        eta: float | Literal["auto"] = "auto",
        loss: Loss | Callable[[int], Loss] | None = None,
        flip_noise: float | Literal["auto"] = "auto",
        max_iter: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = False,
        callbacks: Callback | Sequence[Callback] | None = None,
        backend: str | None = None,
        n_threads: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.gates = gates
        self.fan_in = fan_in
        self.offsets = offsets
        self.encoder = encoder
        self.monotonic_cst = monotonic_cst
        self.eta = eta
        self.loss = loss
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

    def partial_fit(self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from more samples, once each, in their order and at constant eta.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples. The first call fits the encoder, and the mean and standard deviation of the targets, to them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative, in proportion to those of all calls so far. A call in which nothing has weight
            changes nothing.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described. Whatever is raised, the model stays what it was.

        Notes
        -----
        Each call copies the network, 17 bits for a weight: chunks of several batches make that a small part. The
        scale of a target that has been constant so far is learnt when it varies for the first time.
        """
        self._partial_fit(X, y, sample_weight, lambda y: None)
        return self

    def predict(self, X: Table) -> np.ndarray:
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
        return self._predict(X, "predict")

    def calibrate(self, X: Table, y: ArrayLike, *, spread: Any = None) -> Self:
        """Learn from errors on samples that were not trained on how wide intervals must be.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples that `fit` has not seen, not even for early stopping; 9 suffice for a coverage of 0.9, some
            hundreds make coverage vary little.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.
        spread : fitted regressor, optional
            Whose `predict` guesses for each row how far the target may be from the prediction; it must not have
            seen these samples either. Intervals are wide where it says so; guesses count as at least a 64th of
            `target_std_`. Default: intervals of one width.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described; nothing is changed then.
        sklearn.exceptions.NotFittedError
            Before `fit`.

        See Also
        --------
        predict_interval : Which has an example.
        """
        check_is_fitted(self, "network_")
        if spread is not None and not hasattr(spread, "predict"):
            raise TypeError(f"spread must be None or a fitted regressor, got {spread!r}")
        y = self._check_named(y, reset=False)
        check_consistent_length(X, y)
        self._targets().encode(y)
        predictions = np.asarray(self.predict(X))
        y = y.reshape(predictions.shape)
        guessed = guessed_spread(spread, X, predictions, self.target_std_)
        self.calibration_errors_, self.spread_ = errors_in_order(y, predictions, guessed), spread
        return self

    def predict_interval(self, X: Table, coverage: float = 0.9) -> np.ndarray:
        r"""Predict intervals that hold the targets of so many rows.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples; NaN means missing.
        coverage : float, default=0.9
            Probability with which an interval is to hold its target, in (0, 1), and at most n / (n + 1) with n
            calibration samples. It is that of a row and the calibration samples together, drawn at random from the
            same source, as proved in :doc:`/explanation/prediction-intervals`; of several targets each by itself.

        Returns
        -------
        ndarray of float64, shape (n_samples, 2) or (n_samples, n_targets, 2)
            Lower and upper end.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described.
        sklearn.exceptions.NotFittedError
            Before `calibrate`; training makes a calibration void.

        Examples
        --------
        >>> import numpy as np
        >>> from bvar import BooleanRegressor
        >>> rng = np.random.RandomState(0)
        >>> X = rng.rand(900, 2)
        >>> y = X[:, 0] + X[:, 1] + rng.normal(0, 0.1, 900)
        >>> model = BooleanRegressor(max_iter=10, random_state=0).fit(X[:400], y[:400])
        >>> low, high = model.calibrate(X[400:600], y[400:600]).predict_interval(X[600:]).T
        >>> bool(0.85 < ((low <= y[600:]) & (y[600:] <= high)).mean() < 0.95)
        True
        """
        check_is_fitted(self, "network_")
        if not hasattr(self, "calibration_errors_"):
            raise NotFittedError("predict_interval needs calibrate(X, y), with samples that fit has not seen")
        widths = half_widths(self.calibration_errors_, coverage)
        predictions = np.asarray(self.predict(X))
        guessed = guessed_spread(self.spread_, X, predictions, self.target_std_)
        half = guessed * (widths if predictions.ndim == 2 else widths[0])
        return np.stack([predictions - half, predictions + half], axis=-1)

    # ------------------------------------------------------------------- what the base class asks

    def _recipe(self) -> Recipe:
        plan = self._plan()
        if self.monotonic_cst is not None:
            return Monotone(plan.hidden_layer_sizes, plan.eta)
        shape = (plan.hidden_layer_sizes, plan.eta, plan.gates, plan.fan_in, plan.has_offsets)
        return Sums(*shape, members=plan.members)

    def _plans(self) -> dict[str, Plan]:
        plans = FOR_NUMBERS if self.monotonic_cst is None else FOR_MONOTONE_NUMBERS
        return plans if is_auto(self.hidden_layer_sizes) else {}

    def _check_y(self, y: Any) -> np.ndarray:
        return check_numbers(y, type(self).__name__)

    def _learn_targets(self, y: np.ndarray, sample_weight: np.ndarray | None, *, goes_on: bool) -> None:
        for void in ("calibration_errors_", "spread_"):
            self.__dict__.pop(void, None)
        heard = slice(None) if sample_weight is None else np.flatnonzero(sample_weight)
        weights = None if sample_weight is None else sample_weight[heard]
        goes_on = goes_on and hasattr(self, "target_mean_")
        numbers = self._targets().completed(y[heard], weights) if goes_on else Numbers.learn(y[heard], weights)
        self.target_mean_, self.target_std_, self.target_ndim_ = numbers.mean, numbers.std, numbers.ndim

    def _targets(self) -> Numbers:
        return Numbers(self.target_mean_, self.target_std_, self.target_ndim_, getattr(self, "unit_", 1.0))

    def _make_loss(self, fan_in: int) -> Loss:
        self.unit_ = Numbers.unit_for(fan_in, self._plan().spreads)
        return super()._make_loss(fan_in)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
