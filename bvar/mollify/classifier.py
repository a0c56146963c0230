"""MollifiedClassifier: a small network of real numbers that trains on degraded samples with softened labels.

It is the reference for mollified training, in floats: `random_state` repeats it on one machine, but it is outside
the promise of the Boolean estimators that a seed is one model bit for bit on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, softmax
from sklearn.utils import check_random_state

from bvar._validation import check_integer, check_real
from bvar.encoding.samples import all_or_nothing
from bvar.mollify.labels import soft_targets
from bvar.mollify.mollifier import Mollifier, standard_moments, standardize
from bvar.mollify.schedules import Schedule, progress
from bvar.real import Adam
from bvar.real.classifier import RealClassifier
from bvar.real.perceptron import Parameters, activations, gradients, initial_parameters, minibatches

__all__ = ["MollifiedClassifier"]


class MollifiedClassifier(RealClassifier):
    r"""Learn classes from samples that are degraded at random, with labels that are softer the more they are.

    A multilayer perceptron (ReLU, Adam, cosine learning rate) minimises, over minibatches, the cross-entropy

    .. math:: -\frac{1}{B} \sum_i \sum_j y_{ij} \log f_j(\tilde x_i), \qquad
              y_i = (1 - \gamma_i) \, \mathrm{onehot}(c_i) + \gamma_i / K ,

    with :math:`\tilde x_i` and :math:`\gamma_i` from :class:`Mollifier`, drawn anew each time a sample is seen.
    Source: Heinonen et al., AISTATS 2025 (degradation and labels read in the authors' code; the small network is
    a choice of this package).

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(128, 128)
        Widths of the hidden layers.
    roles : str, default='xn'
        What a sample may become, see :class:`Mollifier`: clean, noisy, blurred. Recommended for images: 'xnb'
        with `image_shape`. With '' or 'x' it is a plain network.
    beta : float, default=2.0
        Times of degradation follow Beta(1, `beta`).
    label_exponent : float or None, default=1.0
        The exponent k, positive: the greater, the later labels soften. 1 is the paper's, 2 to 4 are recommended
        for small images. None keeps labels hard.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images. Images are
        standardised by one mean and deviation, other samples feature by feature.
    schedule : Schedule, optional
        Makes degradation fade over the epochs.
    label_smoothing : float, default=0.0
        In [0, 1]; softens the labels of all samples in addition.
    max_iter : int, default=100
        Number of epochs.
    batch_size : int, default=64
        Samples of a minibatch.
    learning_rate : float, default=0.001
        The first one, positive; it falls to 0 along half a period of a cosine.
    random_state : None, int or RandomState, default=None
        Where initial weights, order and degradation come from. Weights and order are the same for all `roles`.
    verbose : bool or int, default=0
        Whether to print a line for each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    mean_, std_ : float or ndarray of shape (n_features,)
        What samples are standardised with.
    coefs_, intercepts_ : list of ndarray
        Weights of shape (fan_in, fan_out) and biases of shape (fan_out,).
    loss_curve_ : list of float
        Mean training loss of each epoch.
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
    Mollifier : Degrades samples for other estimators.
    corrupted_scores : Tests on corrupted images.

    Notes
    -----
    Float32 samples train a network of float32.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar.mollify import MollifiedClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MollifiedClassifier(roles="xnb", label_exponent=4, image_shape=(8, 8), max_iter=10, random_state=0)
    >>> bool(model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128, 128),
        *,
        roles: str = "xn",
        beta: float = 2.0,
        label_exponent: float | None = 1.0,
        image_shape: tuple[int, ...] | None = None,
        schedule: Schedule | None = None,
        label_smoothing: float = 0.0,
        max_iter: int = 100,
        batch_size: int = 64,
        learning_rate: float = 0.001,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.roles = roles
        self.beta = beta
        self.label_exponent = label_exponent
        self.image_shape = image_shape
        self.schedule = schedule
        self.label_smoothing = label_smoothing
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
            Training samples; or images of the shape `image_shape`, (n_samples, height, width) or with channels.
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
        max_iter, batch_size = (check_integer(getattr(self, n), n, low=1) for n in ("max_iter", "batch_size"))
        rate = check_real(self.learning_rate, "learning_rate", low=0, strict=True)
        if check_real(self.label_smoothing, "label_smoothing", low=0) > 1:
            raise ValueError(f"label_smoothing must be in [0, 1], got {self.label_smoothing!r}")
        widths = _widths(self.hidden_layer_sizes)
        X, codes = self._learn_classes(X, y)
        self.mean_, self.std_ = standard_moments(X, self.image_shape)
        X = standardize(X, self.mean_, self.std_)
        random = check_random_state(self.random_state)
        # degradation has its own stream, so that weights and order do not depend on the roles
        degradation = np.random.RandomState(random.randint(2**31))
        parameters = initial_parameters([X.shape[1], *widths, len(self.classes_)], X.dtype, random)
        half = len(parameters) // 2
        self.coefs_, self.intercepts_ = parameters[:half], parameters[half:]
        adam = Adam(rate, n_steps=max_iter * -(-len(X) // batch_size))
        self._train(X, codes, parameters, adam, random, degradation)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Estimate probabilities; nothing is degraded.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, as in `fit`.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Probabilities of the classes in the order of `classes_`.
        """
        X = self._samples(X)
        Z = standardize(X, self.mean_, self.std_).astype(self.coefs_[0].dtype, copy=False)
        return softmax(activations(self.coefs_ + self.intercepts_, Z)[-1].astype(np.float64), axis=1)

    def _image_shape(self) -> tuple[int, ...] | None:
        return self.image_shape

    def _train(
        self,
        X: np.ndarray,
        codes: np.ndarray,
        parameters: Parameters,
        adam: Adam,
        random: np.random.RandomState,
        degradation: np.random.RandomState,
    ) -> None:
        mollifier = Mollifier(self.roles, self.beta, self.label_exponent, self.image_shape, self.schedule)
        self.loss_curve_: list[float] = []
        for epoch in range(self.max_iter):
            total = 0.0
            for rows in minibatches(random.permutation(len(X)), self.batch_size):
                batch, gamma = mollifier.degrade(X[rows], degradation, progress(epoch, self.max_iter))
                gamma = 1 - (1 - gamma) * (1 - self.label_smoothing)
                targets = soft_targets(codes[rows], gamma, len(self.classes_)).astype(X.dtype, copy=False)
                loss, slopes = loss_and_gradients(parameters, batch, targets)
                adam.step(parameters, slopes)
                total += loss * len(rows)
            self.n_iter_ = epoch + 1
            self.loss_curve_.append(total / len(X))  # last: with it, an interrupt keeps the rest
            if self.verbose:
                print(f"epoch {self.n_iter_:3d}/{self.max_iter}  loss {self.loss_curve_[-1]:.4f}")  # noqa: T201


def loss_and_gradients(parameters: Parameters, X: np.ndarray, targets: np.ndarray) -> tuple[float, Parameters]:
    """Compute the mean cross-entropy and its gradients.

    Parameters
    ----------
    parameters : list of ndarray
        All weights, then all biases.
    X : ndarray of shape (n_samples, n_features)
        Samples.
    targets : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Returns
    -------
    loss : float
        In nats.
    gradients : list of ndarray
        In the order of the parameters.
    """
    *inputs, logits = activations(parameters, X)
    log_p = log_softmax(logits, axis=1)
    signal = (np.exp(log_p) - targets) / len(X)  # targets sum to one
    return -float((targets * log_p).sum() / len(X)), gradients(parameters, inputs, signal)[0]


def _widths(sizes: Any) -> list[int]:
    values = sizes if isinstance(sizes, list | tuple) else [sizes]
    return [check_integer(width, "each of hidden_layer_sizes", low=1) for width in values]
