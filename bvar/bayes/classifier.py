"""Classification by a network that is not one but a law of networks."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar.bayes.likelihoods import CategoricalLikelihood
from bvar.bayes.sampled import SampledNetwork
from bvar.encoding.samples import all_or_nothing

__all__ = ["BayesianClassifier"]


class BayesianClassifier(ClassifierMixin, SampledNetwork):
    """Classification by draws from the posterior of a network: softmax of one output for each class.

    Inputs are standardised. Float and random: one seed is one model on one machine.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(50, 50)
        Widths of the hidden layers.
    prior : {'functional', 'normal'}, FunctionalPrior or Prior, default='functional'
        What functions are likely before any data, for each class the same; see :class:`BayesianRegressor`.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='tanh'
        What follows hidden layers.
    n_chains : int, default=4
        Chains, which run side by side.
    n_burn_in : int, default=2000
        Steps of each chain before any draw.
    n_draws : int, default=50
        Draws kept of each chain, at least 4.
    keep_every : int, default=50
        Steps from one draw to the next.
    step_size : float, default=0.02
        Step size of the sampler, :class:`SGHMC`.
    friction : float, default=0.05
        Its friction, in (0, 1].
    batch_size : int, optional
        Samples of a step. Default: all of them.
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print lines as it goes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    prior_ : Prior
        The law of functions before data.
    functional_prior_ : FunctionalPrior
        What tuned it, if it was tuned.
    states_ : ndarray of float64, shape (n_draws, n_chains, n_base)
        The draws, as states of the prior.
    report_ : ChainReport
        What the chains are worth.
    mean_, std_ : ndarray of float64, shape (n_features,)
        What inputs are standardised with.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the data is not as described.

    See Also
    --------
    BayesianRegressor : Numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from bvar.bayes import BayesianClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BayesianClassifier((20,), prior="normal", n_burn_in=500, n_draws=10, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    >>> probabilities, std = model.predict_proba(X[:3], return_std=True)
    >>> probabilities.shape, std.shape
    ((3, 3), (3, 3))
    """

    @all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Tune the prior and sample the posterior; what was learnt before is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples.
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
        samples, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {classes.tolist()[0]!r}")
        self.classes_ = classes
        self._sample(samples, codes, CategoricalLikelihood(), len(classes))
        return self

    def predict_proba(self, X: ArrayLike, return_std: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Estimate probabilities: the means over draws, and how far draws differ.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return deviations too.

        Returns
        -------
        probabilities : ndarray of float64, shape (n, n_classes)
            Means over draws, in the order of `classes_`.
        std : ndarray of float64, shape (n, n_classes)
            Standard deviations over draws: large where nobody can know; only with `return_std`.
        """
        P = self._probabilities(X)
        return (P.mean(axis=0), P.std(axis=0)) if return_std else P.mean(axis=0)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict classes.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n,)
            The most probable classes.
        """
        probabilities = self._probabilities(X).mean(axis=0)  # first, for its check that there are classes
        return self.classes_[probabilities.argmax(axis=1)]

    def sample_y(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw functions from the posterior and return their probabilities.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        n_samples : int, default=1
            Number of functions; more than were kept are repeated.
        random_state : None, int or RandomState, default=0
            Where the choice among those kept comes from.

        Returns
        -------
        ndarray of float64, shape (n, n_classes, n_samples)
            Probabilities.
        """
        P = self._probabilities(X)
        return np.moveaxis(P[self._chosen(n_samples, random_state)], 0, -1)

    def _probabilities(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "states_")
        return softmax(self._values(validate_data(self, X, dtype=np.float64, reset=False)), axis=-1)
