"""The exact posterior of infinitely wide Boolean networks, with the manners of scikit-learn.

What trained networks, and committees of them, are measured against (``docs/explanation/boolean-beliefs.md``).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, roots_hermitenorm
from sklearn.base import ClassifierMixin, RegressorMixin

from bvar.bayes.boolean_process import BooleanProcess
from bvar.bayes.scales import spreads
from bvar.encoding.samples import Table, all_or_nothing

__all__ = ["BooleanGPClassifier", "BooleanGPRegressor"]

_SMALLEST = 1e-12  # spread of a score: a sample that leaves no doubt has probabilities 1 and 0


class BooleanGPRegressor(RegressorMixin, BooleanProcess):
    """The exact posterior of an infinitely wide Boolean network, for numbers.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers; 0 is a linear model of the bits.
    dead_zone : float, default=0.0
        Hidden sums up to this many of their spreads give the third value 0, see :func:`ternary_kernel`.
    offset_spread : float, default=0.5
        Spread of the offsets of hidden sums, in spreads of the sum, as :func:`bvar.networks.boolean_mlp` draws
        them; with 0 the network is odd and cannot believe in an even function.
    exact : bool, default=False
        Whether sums of the first layer have as many terms as there are bits, see :class:`NetworkKernel`.
    noise : float, default=0.01
        Variance of the noise on targets, positive, in units of their variance.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`.

    Attributes
    ----------
    target_mean_, target_std_ : ndarray of float64, shape (n_targets,)
        What standardises targets.
    encoder_ : BitEncoder
        The fitted encoder.
    kernel_ : NetworkKernel
        The prior.
    signs_ : ndarray of int8, shape (n_samples, n_bits)
        The training samples as values of M.
    cholesky_ : ndarray of float64, shape (n_samples, n_samples)
        Lower factor of their covariance with noise.
    dual_coef_ : ndarray of float64, shape (n_samples, n_targets)
        How much each counts in a mean.
    noise_ : float
        The variance of the noise.
    log_marginal_likelihood_ : float
        Logarithm of the density of the standardised targets under the prior: of two depths, the better one has
        more of it.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By :meth:`fit`, if a parameter or the data is not as described.

    See Also
    --------
    BooleanCommittee : Draws networks of finite width from the same posterior.
    sklearn.gaussian_process.GaussianProcessRegressor : The same with other kernels.

    Notes
    -----
    Time grows with the cube of the number of samples, memory with its square. Floats: reproducible on one
    machine, outside the promise of equal bits.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import BooleanGPRegressor
    >>> X = np.linspace(0, 6, 30)[:, None]
    >>> model = BooleanGPRegressor().fit(X, np.sin(X[:, 0]))
    >>> mean, std = model.predict([[1.5], [np.nan]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(1.5)) < 0.1), bool(std[0] < 0.2 < std[1])
    (True, True)
    """

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Condition on samples.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples; NaN means missing.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        X, y = self._check(X, y)
        self._one = y.ndim == 1
        columns = y.reshape(len(y), -1)
        self.target_std_ = spreads(columns, "y")  # which checks them
        self.target_mean_ = columns.mean(axis=0)
        self._condition(X, y, (columns - self.target_mean_) / self.target_std_)
        return self

    def predict(
        self, X: Table, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Compute the mean of the posterior, and how far new targets, or networks drawn from it, stray.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return standard deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new targets, or of the function behind them.

        Returns
        -------
        mean : ndarray of float64, shape (n_samples,) or (n_samples, n_targets)
            Means.
        std : ndarray of float64, of the same shape
            Standard deviations, if asked for.
        """
        signs = self._signs(X)
        mean = self._targets(self._mean(signs))
        if not return_std:
            return mean
        variances = np.square(self._std(signs)) + with_noise * self.noise_
        std = np.sqrt(variances)[:, None] * self.target_std_
        return mean, std[:, 0] if self._one else std

    def sample_y(
        self, X: Table, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw functions from the posterior, and say what they answer.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_rows, n_features)
            Samples.
        n_samples : int, default=1
            Number of functions.
        random_state : None, int or RandomState, default=0
            Where they are drawn from.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_samples) or (n_rows, n_targets, n_samples)
            Their values.
        """
        return self._targets(self._draw(self._signs(X), n_samples, random_state))

    def _targets(self, scores: np.ndarray) -> np.ndarray:
        """Put standard scores, whose second axis is that of targets, back on the scale of these."""
        back = np.moveaxis(np.moveaxis(scores, 1, -1) * self.target_std_ + self.target_mean_, -1, 1)
        return back[:, 0] if self._one else back

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class BooleanGPClassifier(ClassifierMixin, BooleanProcess):
    r"""The exact posterior of an infinitely wide Boolean network, for classes.

    Each class has a score, whose target is 1 for its samples and 0 for others, with Gaussian noise; of a network
    drawn from the posterior, the class with the largest score is the answer.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers; 0 is a linear model of the bits.
    dead_zone : float, default=0.0
        Hidden sums up to this many of their spreads give the third value 0, see :func:`ternary_kernel`.
    offset_spread : float, default=0.5
        Spread of the offsets of hidden sums, in spreads of the sum, as :func:`bvar.networks.boolean_mlp` draws
        them; with 0 the network is odd and cannot believe in an even function.
    exact : bool, default=False
        Whether sums of the first layer have as many terms as there are bits, see :class:`NetworkKernel`.
    noise : float, default=0.01
        Variance of the noise on scores, positive, in units of the variance of their targets.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    class_shares_ : ndarray of float64, shape (n_classes,)
        Their shares of the samples, which scores are counted from.
    encoder_ : BitEncoder
        The fitted encoder.
    kernel_ : NetworkKernel
        The prior.
    signs_ : ndarray of int8, shape (n_samples, n_bits)
        The training samples as values of M.
    cholesky_ : ndarray of float64, shape (n_samples, n_samples)
        Lower factor of their covariance with noise.
    dual_coef_ : ndarray of float64, shape (n_samples, n_classes)
        How much each counts in a mean.
    noise_ : float
        The variance of the noise.
    log_marginal_likelihood_ : float
        Logarithm of the density of the standardised targets under the prior.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By :meth:`fit`, if a parameter or the data is not as described.

    See Also
    --------
    bvar.estimators.BooleanClassifier : A network of finite width, trained.

    Notes
    -----
    Given the samples, scores of different classes are independent and have the same variance. So a class is the
    answer with the probability :math:`\int \varphi(z) \prod_{c' \ne c} \Phi(z + (\mu_c - \mu_{c'}) / s) \, dz`,
    and :meth:`predict_proba` is this integral. It says how sure the answer is among networks; targets of classes
    are no numbers with Gaussian noise, so nobody promises that it is calibrated.

    Time grows with the cube of the number of samples, memory with its square. Floats: reproducible on one
    machine, outside the promise of equal bits.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar.bayes import BooleanGPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> bool(BooleanGPClassifier().fit(X[:500], y[:500]).score(X[500:], y[500:]) > 0.9)
    True
    """

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Condition on samples.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples; NaN means missing.
        y : array-like of shape (n_samples,)
            Classes.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        X, y = self._check(X, y, classes=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {self.classes_.tolist()[0]!r}")
        hot = np.eye(len(self.classes_))[codes]
        self.class_shares_ = hot.mean(axis=0)
        self._scale = np.sqrt((self.class_shares_ * (1 - self.class_shares_)).mean())
        self._condition(X, y, (hot - self.class_shares_) / self._scale)
        return self

    def decision_function(self, X: Table) -> np.ndarray:
        """Compute the posterior mean of the scores, in units of their posterior spread at the sample.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes), or (n_samples,) for two classes
            Mean scores; of two classes, by how much the second leads.
        """
        scores = self._leads(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Table) -> np.ndarray:
        """Compute the probability that a class has the largest score of a network drawn from the posterior.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Probabilities of the classes in the order of `classes_`.
        """
        return _shares_of_largest(self._leads(X))

    def predict(self, X: Table) -> np.ndarray:
        """Predict classes.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Those of the largest mean score, which are also the most probable ones.
        """
        scores = self._class_scores(self._mean(self._signs(X)))
        return self.classes_[scores.argmax(axis=1)]

    def sample_y(
        self, X: Table, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw networks from the posterior, and say what they answer.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_rows, n_features)
            Samples.
        n_samples : int, default=1
            Number of networks.
        random_state : None, int or RandomState, default=0
            Where they are drawn from.

        Returns
        -------
        ndarray of shape (n_rows, n_samples)
            Their classes.
        """
        scores = self._class_scores(self._draw(self._signs(X), n_samples, random_state))
        return self.classes_[scores.argmax(axis=1)]

    def _leads(self, X: Any) -> np.ndarray:
        """Compute mean scores in units of their spread, which all of a sample share."""
        signs = self._signs(X)
        spread = np.maximum(self._std(signs) * self._scale, _SMALLEST)
        return self._class_scores(self._mean(signs)) / spread[:, None]

    def _class_scores(self, scores: np.ndarray) -> np.ndarray:
        """Put standard scores, whose second axis is that of classes, back on the scale of 0 and 1."""
        shares = self.class_shares_.reshape(-1, *[1] * (scores.ndim - 2))
        return scores * self._scale + shares


def _shares_of_largest(scores: np.ndarray) -> np.ndarray:
    """Integrate how often each score is the largest, when to each a standard normal number is added."""
    nodes, weights = roots_hermitenorm(80)
    total = np.zeros_like(scores)
    for z, weight in zip(nodes, weights, strict=True):
        below = ndtr(scores[:, :, None] - scores[:, None, :] + z)
        below[:, np.arange(scores.shape[1]), np.arange(scores.shape[1])] = 1
        total += weight * below.prod(axis=2)
    return total / total.sum(axis=1, keepdims=True)
