"""The sampler: its exact variance in discrete time, and a posterior that is known in closed form."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

from bvar.bayes import (
    SGHMC,
    FunctionalNetwork,
    GaussianLikelihood,
    GaussianPrior,
    Posterior,
    effective_sample_size,
    split_rhat,
    stationary_variance,
)

CASES = [(0.1, 0.05, 1, 1.00257), (0.1, 0.05, 25, 1.06849), (0.1, 0.01, 100, 1.33557), (0.1, 0.5, 100, 1.5)]


@pytest.mark.parametrize(("step_size", "friction", "h", "wanted"), CASES)
def test_the_stationary_variance_solves_the_lyapunov_equation(step_size, friction, h, wanted):
    eta = step_size**2 * h
    A = np.array([[1 - eta, 1 - friction], [-eta, 1 - friction]])  # of position and velocity
    noise = 2 * step_size**2 * friction * np.ones((2, 2))
    exact = solve_discrete_lyapunov(A, noise)[0, 0]
    value = float(stationary_variance(h, step_size, friction))
    assert abs(value / exact - 1) < 1e-9
    assert round(h * value, 5) == wanted


@pytest.mark.parametrize(("step_size", "friction", "h", "wanted"), CASES)
def test_the_sampler_has_its_stationary_variance(step_size, friction, h, wanted):
    random = np.random.default_rng(0)
    start = random.standard_normal((4000, 1)) * np.sqrt(wanted / h)
    sampler = SGHMC(step_size, friction, adaptive=False)
    draws = sampler.sample(start, lambda w: h * w, random, n_burn_in=600, n_draws=10, keep_every=60)
    assert abs(h * draws.var() / wanted - 1) < 0.03


def test_the_correction_for_noise_that_is_not_there_shrinks_the_spread():
    random = np.random.default_rng(0)
    sampler = SGHMC(0.05, 0.05, noise_correction=True)
    draws = sampler.sample(
        np.full((2000, 1), 0.1), lambda w: 100 * w, random, n_burn_in=400, n_draws=10, keep_every=100
    )
    wanted = stationary_variance(100, 0.05, 0.05, scale=sampler.scale, noise_correction=True).mean()
    assert abs(draws.var() / wanted - 1) < 0.05
    assert 0.7 < 100 * wanted < 0.95
    steep = SGHMC(0.01, 0.01, noise_correction=True)
    steep.sample(np.full((3, 2), 1.0), lambda w: 1e6 * w, random, n_burn_in=50, n_draws=1, keep_every=1)
    assert steep.clamped == 1.0


def test_the_temperature_scales_the_variance():
    random = np.random.default_rng(0)
    draws = SGHMC(0.1, 0.1, adaptive=False, temperature=0.25).sample(
        np.zeros((4000, 1)), lambda w: w, random, n_burn_in=400, n_draws=5, keep_every=100
    )
    assert abs(draws.var() / float(stationary_variance(1, 0.1, 0.1, temperature=0.25)) - 1) < 0.04


def test_variances_are_infinite_where_the_sampler_is_not_stable():
    assert stationary_variance(400.0, 0.1, 0.05) == np.inf  # the limit is 390


class Features:
    """A prior that is linear in its state: twenty random features."""

    n_base = 20

    def __init__(self, random):
        self.directions, self.shifts = 2 * random.standard_normal((1, 20)), 2 * random.standard_normal(20)

    def matrix(self, X):
        return np.tanh(X @ self.directions + self.shifts) / np.sqrt(20)

    def evaluate(self, state, X):
        Phi = self.matrix(X)
        F = np.einsum("sp,...np->sn", state, Phi) if Phi.ndim == 2 else np.einsum("sp,snp->sn", state, Phi)
        return F[..., None], Phi

    def pull_state(self, Phi, dF):
        return dF[..., 0] @ Phi if Phi.ndim == 2 else np.einsum("sn,snp->sp", dF[..., 0], Phi)


@pytest.mark.parametrize(("batch_size", "friction", "n_burn_in"), [(None, 0.01, 9000), (32, 0.05, 1000)])
def test_a_posterior_that_is_known_in_closed_form(batch_size, friction, n_burn_in):
    """Only the last layer is sampled, so that the posterior is normal; 64 chains.

    Batches inflate the steepest direction, here by 1 + 1e-4 * 200 / 32 * 649 / (2 * 0.05 * 23.6) = 1.17; with so
    much friction a direction without data forgets in 12,000 steps, so these chains begin in the posterior
    and need little burn-in.
    """
    random = np.random.default_rng(0)
    prior = Features(random)
    X = random.uniform(-2, 2, (200, 1))
    y = np.sin(2 * X) + np.sqrt(0.1) * random.standard_normal((200, 1))
    Phi = prior.matrix(X)
    covariance = np.linalg.inv(Phi.T @ Phi / 0.1 + np.eye(20))
    mean = covariance @ Phi.T @ y[:, 0] / 0.1
    posterior = Posterior(prior, GaussianLikelihood(0.1), X, y, batch_size=batch_size)
    points = prior.matrix(np.linspace(-2.5, 2.5, 20)[:, None])
    start = random.standard_normal((64, 20))
    if batch_size is not None:
        start = mean + start @ np.linalg.cholesky(covariance).T
    draws = SGHMC(0.01, friction).sample(
        start,
        posterior.gradient(random),
        random,
        n_burn_in=n_burn_in,
        n_draws=75,
        keep_every=200,
    )
    F = draws.reshape(-1, 20) @ points.T
    sd = np.sqrt(np.einsum("np,pq,nq->n", points, covariance, points))
    assert (abs(F.mean(axis=0) - points @ mean) / sd).max() < 0.25
    ratio = F.var(axis=0) / sd**2
    assert 0.85 < ratio.min() <= ratio.max() < 1.25


def test_the_gradient_of_a_posterior_is_that_of_its_energy():
    from differences import assert_gradient

    random = np.random.default_rng(0)
    prior = GaussianPrior(FunctionalNetwork([2, 3, 1]), std=2.0)
    X = random.standard_normal((7, 2))
    posterior = Posterior(prior, GaussianLikelihood(0.3), X, random.standard_normal((7, 1)))
    state = prior.draw(2, random)
    assert_gradient(posterior.gradient(random)(state), lambda: float(posterior.energy(state).sum()), state)


def test_the_gradient_of_batches_has_the_gradient_of_all_as_its_mean():
    random = np.random.default_rng(0)
    prior = GaussianPrior(FunctionalNetwork([2, 3, 1]))
    X, y = random.standard_normal((7, 2)), random.standard_normal((7, 1))
    state = prior.draw(1, random)
    whole = Posterior(prior, GaussianLikelihood(0.3), X, y).gradient(random)(state)
    part = Posterior(prior, GaussianLikelihood(0.3), X, y, batch_size=2).gradient(random)
    values = np.array([part(state)[0] for _ in range(4000)])
    assert (abs(values.mean(axis=0) - whole[0]) < 4.5 * values.std(axis=0) / np.sqrt(4000) + 1e-12).all()


def test_chains_that_disagree_are_seen():
    draws = np.random.default_rng(0).standard_normal((400, 4, 3))
    assert split_rhat(draws).shape == (3,)
    assert abs(split_rhat(draws) - 1).max() < 0.02
    assert split_rhat(draws + np.arange(4)[:, None]).min() > 1.3
    assert (split_rhat(draws + np.linspace(0, 5, 400)[:, None, None]) > 1.3).all()  # a drift within chains
    assert split_rhat(np.ones((8, 2))) == 1


def test_the_effective_sample_size_of_an_autoregression():
    """n (1 - a) / (1 + a) of N draws with correlation a from one to the next."""
    random = np.random.default_rng(0)
    x = random.standard_normal((4000, 4))
    for t in range(1, len(x)):
        x[t] = 0.9 * x[t - 1] + np.sqrt(1 - 0.81) * x[t]
    assert abs(effective_sample_size(x) / (16000 * 0.1 / 1.9) - 1) < 0.3


def test_too_few_draws_and_lost_chains_are_named():
    with pytest.raises(ValueError, match="draws must be at least four, got 3"):
        split_rhat(np.zeros((3, 2)))
    random = np.random.default_rng(0)
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"step_size must be less than 1.0"),
    ):
        SGHMC(1.0, 0.1, adaptive=False).sample(
            np.ones((1, 1)), lambda w: 100 * w, random, n_burn_in=0, n_draws=1, keep_every=2000
        )
