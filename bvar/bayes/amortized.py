r"""Codes by a stochastic encoder, where all are too many to sample (``docs/explanation/sparse-gp.md``).

In turns: an encoder of a batch and of noise starts its codes; the sampler moves decoder, processes and these codes
for some steps; the encoder learns to give, with the same noise, the codes that came out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bvar._validation import check_integer
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.likelihoods import Likelihood
from bvar.bayes.sghmc import SGHMC
from bvar.bayes.sparse_process import LatentProcessPrior
from bvar.real import Adam

__all__ = ["AmortizedSampler", "StochasticEncoder"]

_MOVES, _LESSONS = 20, 25  # steps of the sampler and of the encoder with a batch
_RATE = 1e-3


class StochasticEncoder:
    """Networks that make codes of samples and noise, one for each chain.

    Parameters
    ----------
    sizes : sequence of int
        Widths: of a sample, of the hidden layers and of a code.
    n_chains : int
        Number of networks.
    random : numpy.random.Generator
        Source of their parameters.

    Attributes
    ----------
    parameters : ndarray of float64, shape (n_chains, n_parameters)
        Theirs.
    """

    def __init__(self, sizes: Sequence[int], n_chains: int, random: np.random.Generator) -> None:
        self.network = FunctionalNetwork([2 * sizes[0], *sizes[1:]])
        self.parameters = random.standard_normal((n_chains, self.network.n_parameters))
        self._adam = Adam(_RATE)

    def inputs(self, y: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return samples beside noise of their shape; what is missing is 0, the mean."""
        return np.hstack([np.nan_to_num(y), random.standard_normal(y.shape)])

    def codes(self, inputs: np.ndarray, parameters: np.ndarray | None = None) -> np.ndarray:
        """Return codes, (n_chains, n, n_latent); `parameters` may be those of earlier times."""
        return self.network.forward(self.parameters if parameters is None else parameters, inputs)[0]

    def learn(self, inputs: np.ndarray, Z: np.ndarray) -> None:
        """Take one step towards codes Z in the mean square."""
        codes, trace = self.network.forward(self.parameters, inputs)
        gradient = self.network.vjp(trace, 2 / codes[0].size * (codes - Z))
        self._adam.step([self.parameters], [gradient])


class AmortizedSampler:
    r"""Minus the log density of decoder, processes and the codes of a batch, and the turns.

    .. math:: \tfrac12 |w|^2 + \tfrac12 |U|^2
              + \frac{N}{B} \sum_{n \in B} \bigl(\tfrac12 |e_n|^2 - \log p(y_n \mid z_n)\bigr),
              \qquad e_n = (z_n - A_n^\top U) / \sigma_n

    for w and U; for a code :math:`z_n`, which no other sample has a part in, the factor is 1. The state holds
    codes and not their noise, so that processes learn from what the encoder says.

    Parameters
    ----------
    prior : LatentProcessPrior
        Decoder and processes.
    likelihood : Likelihood
        The law of samples.
    P : ndarray of float64, shape (n, n_inducing + 1)
        Projections of the inputs.
    y : ndarray of float64, shape (n, n_outputs)
        Samples.
    hidden : sequence of int
        Widths of the hidden layers of the encoder.
    batch_size : int
        Samples of a batch, at most n.
    n_chains : int
        Number of chains.
    random : numpy.random.Generator
        Where they begin.
    """

    def __init__(
        self,
        prior: LatentProcessPrior,
        likelihood: Likelihood,
        P: np.ndarray,
        y: np.ndarray,
        hidden: Sequence[int],
        batch_size: int,
        n_chains: int,
        random: np.random.Generator,
    ) -> None:
        self.prior = LatentProcessPrior(prior.decoder, prior.n_inducing, batch_size)
        self.likelihood, self.P, self.y = likelihood, P, y
        self.encoder = StochasticEncoder([y.shape[1], *hidden, prior.n_latent], n_chains, random)
        self.state = self.prior.draw(n_chains, random)

    def gradient(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Compute the gradient of U with the samples of some rows.

        Parameters
        ----------
        state : ndarray of float64, shape (n_chains, n_base)
            States with the codes of these rows.
        rows : ndarray of int
            The batch.

        Returns
        -------
        ndarray of float64, shape (n_chains, n_base)
            The gradient.
        """
        A, std = self.P[rows, :-1], self.P[rows, -1:]
        w, U, Z = self.prior.split(state)
        F, trace = self.prior.decoder.evaluate(w, Z)
        dw, dZ = self.prior.decoder.pull_state_and_inputs(trace, self.likelihood.gradient(F, self.y[rows]))
        misfit = (Z - A @ U) / std**2
        share = len(self.y) / len(rows)
        parts = (w + share * dw, U - share * (A.T @ misfit), dZ + misfit)
        return np.hstack([part.reshape(len(state), -1) for part in parts])

    def sample(
        self,
        sampler: SGHMC,
        random: np.random.Generator,
        *,
        n_burn_in: int,
        n_draws: int,
        keep_every: int,
        on_draw: Callable[[int], None] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Run the chains, as :meth:`SGHMC.sample` does.

        Parameters
        ----------
        sampler : SGHMC
            What moves them.
        random : numpy.random.Generator
            Source of batches and noise.
        n_burn_in, n_draws, keep_every : int
            Steps before any draw, draws kept of each chain, and steps from one to the next.
        on_draw : callable, optional
            Is told the number of draws kept.

        Returns
        -------
        states : ndarray of float64, shape (n_draws, n_chains, n_global)
            Decoders and processes.
        encoders : ndarray of float64, shape (n_draws, n_chains, n_parameters)
            The encoders of the same times.
        """
        n_burn_in = check_integer(n_burn_in, "n_burn_in", low=0)
        keep_every = check_integer(keep_every, "keep_every", low=1)
        state, encoder, n_global = self.state, self.encoder, self.prior.n_global
        states = np.empty((n_draws, len(state), n_global))
        encoders = np.empty((n_draws, *encoder.parameters.shape))
        sampler.start(state)
        for t in range(1, n_burn_in + n_draws * keep_every + 1):
            if (t - 1) % _MOVES == 0:
                rows = random.permutation(len(self.y))[: self.prior.n_rows]
                inputs = encoder.inputs(self.y[rows], random)
                state[:, n_global:] = encoder.codes(inputs).reshape(len(state), -1)
                sampler.velocity[:, n_global:] = 0.0
            sampler.step(state, self.gradient(state, rows), random, adapt=t <= n_burn_in)
            if t % _MOVES == 0:
                _, _, Z = self.prior.split(state)
                for _ in range(_LESSONS):
                    encoder.learn(inputs, Z)
            kept, rest = divmod(t - n_burn_in, keep_every)
            if kept > 0 and rest == 0:
                if not np.isfinite(state).all():
                    raise FloatingPointError(
                        f"a chain left the numbers: step_size must be less than {sampler.step_size!r}"
                    )
                states[kept - 1], encoders[kept - 1] = state[:, :n_global], encoder.parameters
                if on_draw is not None:
                    on_draw(kept)
        return states, encoders
