r"""Sparse Gaussian processes behind a decoder, as one prior (``docs/explanation/sparse-gp.md``).

With inducing inputs s, :math:`L L^\top = k(s, s)`, and whitened inducing values U that are standard normal,

.. math:: A_n = L^{-1} k(s, a_n), \qquad v_n = k(a_n, a_n) - |A_n|^2, \qquad
          z_n = A_n^\top U + \sqrt{v_n + \sigma_z^2}\, e_n, \qquad f(a_n) = d_w(z_n),

with :math:`e_n` standard normal too.  So the state of this prior is w, U and e together, and nothing else is
needed to sample its posterior.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from bvar._describe import Described
from bvar._validation import check_real
from bvar.bayes.factor import positive_definite
from bvar.bayes.functional import Trace
from bvar.bayes.priors import Prior, WeightPrior
from bvar.bayes.processes import KernelFunction, check_kernel

__all__ = ["LatentProcessPrior", "SparseProcess", "inducing_rows"]


def inducing_rows(kernel: KernelFunction, X: np.ndarray, n: int) -> np.ndarray:
    """Choose inputs one by one, each where the others leave the largest variance: pivoted Cholesky.

    Parameters
    ----------
    kernel : callable
        The kernel.
    X : ndarray of float, shape (n_samples, n_inputs)
        Inputs to choose from.
    n : int
        How many, at most.

    Returns
    -------
    ndarray of int64
        Their rows: fewer than n if these leave no variance.
    """
    variance = np.array([float(kernel(x[None], x[None])[0, 0]) for x in X])
    least = 1e-10 * variance.max()
    roots = np.empty((min(n, len(X)), len(X)))
    rows: list[int] = []
    for root in roots:
        row = int(variance.argmax())
        if variance[row] <= least:
            break
        known = roots[: len(rows)]
        root[:] = (kernel(X[row : row + 1], X)[0] - known[:, row] @ known) / np.sqrt(variance[row])
        variance -= root**2
        variance[row] = 0.0
        rows.append(row)
    return np.array(rows)


class SparseProcess(Described):
    """A Gaussian process by its values at a few inputs.

    Parameters
    ----------
    kernel : callable
        ``kernel(A, B)`` returns the matrix of shape (len(A), len(B)).
    inducing : ndarray of float, shape (n_inducing, n_inputs)
        The inducing inputs.
    noise : float, default=0.01
        Variance of what each input has of its own, beyond the process.
    jitter : float, default=1e-8
        Added to the diagonal before it is factored, in units of the largest prior variance.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or inputs are so alike that `jitter` must be larger.

    See Also
    --------
    GaussianProcess : The process by all inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF
    >>> from bvar.bayes import SparseProcess
    >>> P = SparseProcess(RBF(), np.array([[0.0], [1.0]]), noise=0.25).project(np.array([[0.0], [9.0]]))
    >>> (P**2).sum(axis=1).round(6)  # the variance of the process and the noise, near inducing inputs and far away
    array([1.25, 1.25])
    """

    def __init__(
        self, kernel: KernelFunction, inducing: np.ndarray, *, noise: float = 0.01, jitter: float = 1e-8
    ) -> None:
        self.kernel, self.inducing = check_kernel(kernel), inducing
        self.noise, jitter = check_real(noise, "noise", low=0), check_real(jitter, "jitter", low=0)
        covariance = kernel(inducing, inducing)
        top = covariance.diagonal().max()
        with positive_definite("jitter", jitter):
            self._root = np.linalg.cholesky(covariance + jitter * top * np.eye(len(inducing)))

    def project(self, X: np.ndarray) -> np.ndarray:
        """Compute what the values at inputs are made of.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Inputs.

        Returns
        -------
        ndarray of float64, shape (n, n_inducing + 1)
            A row of coefficients of the whitened inducing values, and the deviation of the rest.
        """
        A = solve_triangular(self._root, self.kernel(self.inducing, X), lower=True)
        variance = np.array([float(self.kernel(x[None], x[None])[0, 0]) for x in X])
        rest = np.maximum(variance - (A**2).sum(axis=0), 0.0) + self.noise
        return np.column_stack([A.T, np.sqrt(rest)])


class LatentProcessPrior(Prior):
    """A decoder of latent processes; its inputs are what :meth:`SparseProcess.project` returns.

    Parameters
    ----------
    decoder : WeightPrior
        The law of the decoder, whose inputs are the latent variables.
    n_inducing : int
        Number of inducing inputs.
    n_rows : int
        Number of inputs at which the latent variables are part of the state.

    Attributes
    ----------
    n_latent : int
        Number of processes.
    n_global : int
        Numbers in a state but for what inputs have of their own, which come last.

    See Also
    --------
    SparseGPAutoencoder : Samples its posterior.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior, LatentProcessPrior, SparseProcess
    >>> X = np.linspace(0, 1, 9)[:, None]
    >>> P = SparseProcess(RBF(0.3), X[::4]).project(X)
    >>> prior = LatentProcessPrior(GaussianPrior(FunctionalNetwork([2, 10, 5])), n_inducing=3, n_rows=9)
    >>> prior.evaluate(prior.draw(4, np.random.default_rng(0)), P)[0].shape
    (4, 9, 5)
    """

    def __init__(self, decoder: WeightPrior, n_inducing: int, n_rows: int) -> None:
        self.decoder, self.n_inducing, self.n_rows = decoder, n_inducing, n_rows
        self.n_latent = decoder.network.sizes[0]
        self.theta = decoder.theta
        self._ends = np.cumsum([decoder.n_base, n_inducing * self.n_latent]).tolist()
        self.n_global = self._ends[-1]
        self.n_base = self.n_global + n_rows * self.n_latent

    def split(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return views of the parts of states.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.

        Returns
        -------
        decoder : ndarray of float64, shape (n_draws, decoder.n_base)
            States of the decoder.
        values : ndarray of float64, shape (n_draws, n_inducing, n_latent)
            Whitened inducing values.
        codes : ndarray of float64, shape (n_draws, n_rows, n_latent)
            What rows have of their own.
        """
        a, b = self._ends
        U = state[:, a:b].reshape(len(state), self.n_inducing, self.n_latent)
        return state[:, :a], U, state[:, b:].reshape(len(state), -1, self.n_latent)

    def latent(self, state: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Compute latent variables.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.
        X : ndarray of float64, shape (n_rows, n_inducing + 1)
            Projections.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_rows, n_latent)
            Latent variables.
        """
        _, U, e = self.split(state)
        return X[:, :-1] @ U + X[:, -1:] * e

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Decode latent variables."""
        F, trace = self.decoder.evaluate(self.split(state)[0], self.latent(state, X))
        return F, (X, trace)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull through the decoder, then to the values of the processes and to what inputs have of their own."""
        X, memory = trace
        d_decoder, dZ = self.decoder.pull_state_and_inputs(memory, dF)
        dU = np.matmul(X[:, :-1].T, dZ)
        return np.hstack([d.reshape(len(dF), -1) for d in (d_decoder, dU, X[:, -1:] * dZ)])

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull through the decoder."""
        return self.decoder.pull_theta(trace[1], dF)
