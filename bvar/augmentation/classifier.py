r"""AugmentedClassifier: a small network of real numbers that learns how strongly to augment its samples.

It lowers, by hand-derived slopes, the negative bound (``docs/explanation/augmentation.md``,
:eq:`augmentation-bound`)

.. math:: -\frac{1}{B} \sum_{i} \log \frac{1}{K} \sum_{k} p(y_i \mid T_{\gamma_{ik}} x_i, \theta)
          + \frac{1}{N} \bigl( \mathrm{KL}(q(\varphi) \| p(\varphi)) + \mathrm{KL}(q(\theta) \| p(\theta)) \bigr) .

Float: `random_state` repeats it on one machine, but it is outside the promise of equal bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import clone
from sklearn.utils import check_random_state

from bvar._validation import check_choice, check_integer, check_real, check_sizes
from bvar.augmentation.images import Noise
from bvar.augmentation.learned import LearnedAugmentation
from bvar.augmentation.objective import Beliefs, Objective, move_strengths
from bvar.encoding.samples import all_or_nothing
from bvar.mollify.mollifier import standard_moments
from bvar.real import Adam
from bvar.real.classifier import RealClassifier
from bvar.real.perceptron import activations, initial_parameters, minibatches

__all__ = ["AugmentedClassifier"]

_FIRST_DEVIATION = -4.0  # logarithm of the deviation of a weight, before anything is known


class AugmentedClassifier(RealClassifier):
    """Learn classes, and with them how strongly samples may be transformed without changing their class.

    A multilayer perceptron (ReLU, Adam, cosine learning rate) whose samples are transformed anew each time they
    are seen. Predictions are means over transformed samples, as the likelihood is.

    Parameters
    ----------
    augment : LearnedAugmentation, optional
        Transforms and their prior; cloned. Default: samples stay as they are.
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Widths of the hidden layers.
    last_layer : {'point', 'normal'}, default='point'
        Whether weights of the last layer are single numbers, or independent normal ones with a standard normal
        prior times `weight_deviation`, which are learnt with their deviations.
    weight_deviation : float, default=1.0
        Standard deviation of the prior of the weights of a normal last layer, positive.
    penalty : float, default=0.0
        Precision of a normal prior of all other weights, at least 0.
    n_predictions : int, default=16
        Draws over which a prediction is a mean; the same for all samples.
    max_iter : int, default=100
        Number of epochs.
    batch_size : int, default=64
        Samples of a minibatch.
    learning_rate : float, default=0.001
        The first one of weights, positive; it falls to 0 along half a period of a cosine, as that of strengths.
    random_state : None, int or RandomState, default=None
        Where initial weights, order and transforms come from. Weights and order are the same for all `augment`.
    verbose : bool or int, default=0
        Whether to print a line for each epoch.

    Attributes
    ----------
    augmentation_ : LearnedAugmentation or None
        What was learnt of the transforms; :func:`bvar.plotting.plot_augmentation` draws how.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    mean_, std_ : float or ndarray of shape (n_features,)
        Moments of the samples, of all values of images together.
    coefs_, intercepts_ : list of ndarray
        Weights of shape (fan_in, fan_out) and biases of shape (fan_out,); of a normal last layer the means.
    last_deviation_ : ndarray or None
        Standard deviations of the weights of a normal last layer.
    loss_curve_ : list of float
        Mean of the negative bound in each epoch.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
        Number of features.

    Raises
    ------
    TypeError, ValueError
        By :meth:`fit`, if a parameter or the data is not as described.

    See Also
    --------
    LearnedAugmentation : The transforms.
    bvar.estimators.BooleanClassifier : Which learns strengths too, by integer losses.

    Notes
    -----
    Samples are divided by `std_` before they are transformed, so that black, 0, stays what is beyond an image, and
    moved by their mean afterwards. Float32 samples train a network of float32.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar.augmentation import AugmentedClassifier, LearnedAugmentation, Rotation
    >>> X, y = load_digits(return_X_y=True)
    >>> augment = LearnedAugmentation([Rotation(15.0)], image_shape=(8, 8))
    >>> model = AugmentedClassifier(augment, max_iter=10, random_state=0).fit(X[:1000], y[:1000])
    >>> bool(model.score(X[1000:], y[1000:]) > 0.85)
    True
    >>> len(model.augmentation_.history_["location"])
    10
    """

    augmentation_: LearnedAugmentation | None

    def __init__(
        self,
        augment: LearnedAugmentation | None = None,
        *,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        last_layer: Literal["point", "normal"] = "point",
        weight_deviation: float = 1.0,
        penalty: float = 0.0,
        n_predictions: int = 16,
        max_iter: int = 100,
        batch_size: int = 64,
        learning_rate: float = 0.001,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.augment = augment
        self.hidden_layer_sizes = hidden_layer_sizes
        self.last_layer = last_layer
        self.weight_deviation = weight_deviation
        self.penalty = penalty
        self.n_predictions = n_predictions
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.verbose = verbose

    @partial(all_or_nothing, epochs="loss_curve_")  # what whole epochs have taught survives an interrupt
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on labelled samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples; or images of the shape that `augment` names, (n_samples, height, width) or with
            channels.
        y : array-like of shape (n_samples,)
            Classes.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described. Whatever is raised, a fitted model stays what it was;
            an interrupt by the user after the first epoch alone keeps what has been learnt.
        """
        widths = self._check_parameters()
        samples, codes = self._learn_classes(X, y)
        self.augmentation_ = None if self.augment is None else clone(self.augment).begin(samples.shape[1])
        self.mean_, self.std_ = standard_moments(samples, self._image_shape())
        random = check_random_state(self.random_state)
        # transforms have their own stream, so that weights and order do not depend on them
        transforming = np.random.RandomState(random.randint(2**31))
        self._seed = int(random.randint(2**31))
        parameters = initial_parameters([samples.shape[1], *widths, len(self.classes_)], samples.dtype, random)
        deviation = None
        if self.last_layer == "normal":
            deviation = np.full_like(parameters[len(parameters) // 2 - 1], _FIRST_DEVIATION)
        self._train(samples, codes, Beliefs(parameters, deviation, self.augmentation_), random, transforming)
        return self

    def _check_parameters(self) -> list[int]:
        """Check all parameters, before any data; return the widths of hidden layers."""
        for name in ("max_iter", "batch_size", "n_predictions"):
            check_integer(getattr(self, name), name, low=1)
        for name in ("learning_rate", "weight_deviation"):
            check_real(getattr(self, name), name, low=0, strict=True)
        check_real(self.penalty, "penalty", low=0)
        check_choice(self.last_layer, "last_layer", ("point", "normal"))
        if self.augment is not None and not isinstance(self.augment, LearnedAugmentation):
            raise TypeError(f"augment must be None or a LearnedAugmentation, got {self.augment!r}")
        if self.augment is not None:
            self.augment.checked()
        return check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")

    def _image_shape(self) -> tuple[int, ...] | None:
        return None if self.augment is None else self.augment.image_shape

    def _train(
        self,
        X: np.ndarray,
        codes: np.ndarray,
        beliefs: Beliefs,
        random: np.random.RandomState,
        transforming: np.random.RandomState,
    ) -> None:
        objective = Objective(self._centre(X.dtype), len(X), self.weight_deviation, self.penalty)
        scaled, targets = self._scaled(X), np.eye(len(self.classes_), dtype=X.dtype)[codes]
        n_steps = self.max_iter * -(-len(X) // self.batch_size)
        weights_adam = Adam(self.learning_rate, n_steps=n_steps)
        augment = self.augmentation_
        strengths_adam = None if augment is None else Adam(augment.learning_rate, n_steps=n_steps)
        self.loss_curve_: list[float] = []
        for epoch in range(self.max_iter):
            total = 0.0
            for rows in minibatches(random.permutation(len(X)), self.batch_size):
                noise = objective.draw(beliefs, len(rows), X.shape[1], transforming)
                loss, slopes = objective.slopes(beliefs, scaled[rows], targets[rows], noise)
                weights_adam.step(beliefs.weights(), slopes.weights)
                if augment is not None and strengths_adam is not None:
                    move_strengths(augment, strengths_adam, slopes.strengths)
                total += loss * len(rows)
            self._remember(beliefs, epoch, total / len(X))

    def _remember(self, beliefs: Beliefs, epoch: int, loss: float) -> None:
        """Let attributes say what is known after an epoch."""
        half = len(beliefs.parameters) // 2
        self.coefs_, self.intercepts_ = beliefs.parameters[:half], beliefs.parameters[half:]
        self.last_deviation_ = None if beliefs.log_deviation is None else np.exp(beliefs.log_deviation)
        if self.augmentation_ is not None:
            self.augmentation_.record()
        self.n_iter_ = epoch + 1
        self.loss_curve_.append(loss)  # last: with it, an interrupt keeps the rest
        if self.verbose:
            print(f"epoch {self.n_iter_:3d}/{self.max_iter}  loss {loss:.4f}")  # noqa: T201

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Estimate probabilities: means over what was learnt of transforms, and of weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, as in `fit`.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Probabilities of the classes in the order of `classes_`.
        """
        samples = self._samples(X)
        scaled = self._scaled(samples).astype(self.coefs_[0].dtype, copy=False)
        centre = self._centre(scaled.dtype)
        draws, noises = self._prediction_draws(scaled)
        total = np.zeros((len(samples), len(self.classes_)))
        for draw, noise in zip(draws, noises, strict=True):
            parameters = self.coefs_ + self.intercepts_
            if noise is not None and self.last_deviation_ is not None:
                parameters[len(self.coefs_) - 1] = self.coefs_[-1] + self.last_deviation_ * noise
            moved = self._transformed(scaled, draw)
            total += softmax(activations(parameters, moved - centre)[-1].astype(np.float64), axis=1)
        return total / len(draws)

    def _prediction_draws(self, scaled: np.ndarray) -> tuple[list[Any], list[Any]]:
        """Draw transforms and weights, the same at each call; one of each if there is nothing to draw."""
        random = np.random.RandomState(self._seed)
        certain = self.augmentation_ is None and self.last_deviation_ is None
        n = 1 if certain else self.n_predictions
        draws: list[Any] = [[]] * n
        if self.augmentation_ is not None:
            draws = self.augmentation_.for_prediction(n, scaled.shape[1], random)
        shape, dtype = self.coefs_[-1].shape, scaled.dtype
        with_noise = self.last_deviation_ is not None
        return draws, [random.standard_normal(shape).astype(dtype) if with_noise else None for _ in range(n)]

    def _transformed(self, scaled: np.ndarray, draws: list[Any]) -> np.ndarray:
        """Transform all samples alike; noise of single values is the same for all, too."""
        if self.augmentation_ is None:
            return scaled
        shape = self.augmentation_.checked()
        for draw in draws:
            amounts = draw.amounts(scaled.dtype)
            if not isinstance(draw.transform, Noise):
                amounts = np.repeat(amounts, len(scaled), axis=0)
            scaled = draw.transform.forward(scaled, amounts, shape)
        return scaled

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return (X / np.asarray(self.std_)).astype(X.dtype, copy=False)

    def _centre(self, dtype: Any) -> np.ndarray:
        return np.asarray(np.asarray(self.mean_) / np.asarray(self.std_), dtype)
