r"""The posterior over states of a prior: what the sampler of ``bvar/bayes/sghmc.py`` walks on.

.. math:: U(\varepsilon) = \tfrac12 |\varepsilon|^2
          - \frac{N}{B} \sum_{i \in \text{batch}} \log p(y_i \mid f_\varepsilon(x_i))

with N samples, B of them in a batch (``docs/explanation/functional-priors.md``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bvar._describe import Described
from bvar._validation import check_integer
from bvar.bayes.likelihoods import Likelihood
from bvar.bayes.priors import Prior

__all__ = ["Posterior"]


class Posterior(Described):
    """Minus the log density of states given data, up to a constant, and its gradient.

    Parameters
    ----------
    prior : Prior
        The law of functions.
    likelihood : Likelihood
        The law of data given a function.
    X : ndarray of float, shape (n, n_inputs)
        Inputs.
    y : ndarray, shape (n, ...)
        Data, as the likelihood wants them.
    batch_size : int, optional
        Samples of a gradient, each chain its own. Default: all.

    Raises
    ------
    TypeError, ValueError
        If `batch_size` is no positive integer, or `y` has another number of rows than `X`; by methods, if `y` has
        another shape than the values of functions.

    See Also
    --------
    SGHMC : Samples it.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, GaussianLikelihood, GaussianPrior, Posterior, SGHMC
    >>> random = np.random.default_rng(0)
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> prior = GaussianPrior(FunctionalNetwork([1, 20, 1]))
    >>> posterior = Posterior(prior, GaussianLikelihood(0.01), X, np.sin(3 * X))
    >>> state = prior.draw(4, random)
    >>> draws = SGHMC().sample(state, posterior.gradient(random), random, n_burn_in=500, n_draws=5, keep_every=100)
    >>> F, _ = prior.evaluate(draws.reshape(20, -1), X)
    >>> bool(abs(F.mean(axis=0) - np.sin(3 * X)).max() < 0.3)
    True
    """

    def __init__(
        self, prior: Prior, likelihood: Likelihood, X: np.ndarray, y: np.ndarray, *, batch_size: int | None = None
    ) -> None:
        if np.shape(X)[:1] != np.shape(y)[:1]:
            raise ValueError(f"y must have as many rows as X, got shapes {np.shape(y)} and {np.shape(X)}")
        self.prior, self.likelihood, self.X, self.y = prior, likelihood, X, y
        size = len(X) if batch_size is None else check_integer(batch_size, "batch_size", low=1)
        self.batch_size = None if size >= len(X) else size

    def energy(self, state: np.ndarray) -> np.ndarray:
        """Compute U of all samples.

        Parameters
        ----------
        state : ndarray of float64, shape (n_chains, n_base)
            States.

        Returns
        -------
        ndarray of float64, shape (n_chains,)
            In nats.
        """
        F, _ = self.prior.evaluate(state, self.X)
        return (state**2).sum(axis=1) / 2 + self.likelihood.loss(F, self.y).sum(axis=1)

    def gradient(self, random: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        """Return the gradient of U as a function of states.

        Parameters
        ----------
        random : numpy.random.Generator
            Source of batches.

        Returns
        -------
        callable
            Takes states of shape (n_chains, n_base) and returns an array of that shape.
        """

        def gradient(state: np.ndarray) -> np.ndarray:
            X, y, share = self.X, self.y, 1.0
            if self.batch_size is not None:
                rows = random.integers(len(X), size=(len(state), self.batch_size))
                X, y, share = X[rows], y[rows], len(X) / self.batch_size
            F, trace = self.prior.evaluate(state, X)
            return state + self.prior.pull_state(trace, share * self.likelihood.gradient(F, y))

        return gradient
