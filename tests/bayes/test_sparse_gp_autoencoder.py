"""Latent sparse processes: exact where they can be, and generation at unseen inputs, with values missing."""

import numpy as np
import pytest
from differences import assert_gradient
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process.kernels import RBF
from sklearn.utils.estimator_checks import parametrize_with_checks

from bvar.bayes import (
    FunctionalNetwork,
    GaussianLikelihood,
    GaussianPrior,
    GaussianProcess,
    LatentProcessPrior,
    SparseGPAutoencoder,
    SparseProcess,
)
from bvar.bayes.amortized import AmortizedSampler, StochasticEncoder
from bvar.bayes.sparse_gp_autoencoder import PartlyObserved
from bvar.bayes.sparse_process import inducing_rows
from tests.bench import bayes_sparse_gp

SHORT = {
    "n_components": 2,
    "n_inducing": 20,
    "hidden_layer_sizes": 10,
    "n_burn_in": 500,
    "n_draws": 10,
    "keep_every": 10,
    "random_state": 0,
}
RANDOM = np.random.default_rng(0)
X = np.linspace(0, 6, 60)[:, None]
Y = np.sin(X + np.arange(5))
POINTS = RANDOM.uniform(0, 6, (7, 1))


WIDE = {**SHORT, "kernel": RBF(4.0), "n_inducing": 100, "n_burn_in": 1000}


@parametrize_with_checks([SparseGPAutoencoder(**WIDE), SparseGPAutoencoder(**WIDE, amortize=True)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_with_all_inputs_inducing_the_sparse_process_is_the_full_one():
    """U has a normal posterior given noisy values; what it implies elsewhere is what kriging says."""
    kernel, noise = RBF(1.0), 0.1
    y = np.sin(X[:20, 0] * 9) + RANDOM.standard_normal(20)
    process = SparseProcess(kernel, X[:60:3], noise=0.0, jitter=1e-10)
    A, B = process.project(X[:60:3])[:, :-1], process.project(POINTS)
    covariance = np.linalg.inv(np.eye(20) + A.T @ A / noise)
    mean = B[:, :-1] @ covariance @ A.T @ y / noise
    variance = np.einsum("nm,mk,nk->n", B[:, :-1], covariance, B[:, :-1]) + B[:, -1] ** 2
    wanted, wanted_covariance = GaussianProcess(kernel, jitter=0.0).posterior(X[:60:3], y, POINTS, noise=noise)
    assert abs(mean - wanted).max() < 1e-6
    assert abs(variance - wanted_covariance.diagonal()).max() < 1e-6


def test_inducing_inputs_are_where_the_others_leave_most_variance():
    kernel = RBF(0.5)
    rows = inducing_rows(kernel, X, 6)
    for n in range(1, 6):
        rest = SparseProcess(kernel, X[rows[:n]], noise=0.0, jitter=0.0).project(X)[:, -1]
        assert rest[rows[n]] >= rest.max() - 1e-6
    assert len(inducing_rows(kernel, np.repeat(X[:3], 4, axis=0), 10)) == 3  # repeated inputs leave nothing


def test_projections_keep_the_variance_of_the_process():
    P = SparseProcess(RBF(0.5), X[::10], noise=0.25).project(X)
    assert abs((P**2).sum(axis=1) - 1.25).max() < 1e-9


def setting():
    random = np.random.default_rng(1)
    process = SparseProcess(RBF(1.0), X[::20])
    prior = LatentProcessPrior(GaussianPrior(FunctionalNetwork([2, 4, 5])), 3, 6)
    return prior, prior.draw(2, random), process.project(POINTS[:6]), random.standard_normal((2, 6, 5))


def test_the_pull_backs_of_latent_processes_are_derivatives():
    prior, state, P, dF = setting()

    def value():
        return float((prior.evaluate(state, P)[0] * dF).sum())

    _, trace = prior.evaluate(state, P)
    assert_gradient(prior.pull_state(trace, dF), value, state)
    for gradient, array in zip(prior.pull_theta(trace, dF), prior.theta, strict=True):
        assert_gradient(gradient, value, array)


def test_codes_of_the_prior_have_the_law_of_their_processes():
    """The covariance over draws is that of the kernel where inducing inputs are many."""
    kernel = RBF(1.0)
    process = SparseProcess(kernel, X[::4], noise=0.01)
    prior = LatentProcessPrior(GaussianPrior(FunctionalNetwork([1, 5])), 15, 7)
    Z = prior.latent(prior.draw(20_000, np.random.default_rng(2)), process.project(POINTS))[..., 0]
    assert abs(np.cov(Z.T) - kernel(POINTS) - 0.01 * np.eye(7)).max() < 0.05  # 4 errors of 1 / sqrt(20 000)


def test_the_gradient_of_a_batch_counts_codes_once_and_all_else_as_often_as_there_are_batches():
    prior, state, P, _ = setting()
    y = np.where(RANDOM.random((6, 5)) < 0.3, np.nan, 1.0)
    likelihood = PartlyObserved(0.5)
    sampler = AmortizedSampler(prior, likelihood, P, y, [4], 2, 2, np.random.default_rng(0))
    rows = np.array([1, 4])
    state = sampler.prior.draw(2, np.random.default_rng(3))

    def value(share):
        w, U, Z = sampler.prior.split(state)
        own = (((Z - P[rows, :-1] @ U) / P[rows, -1:]) ** 2).sum() / 2
        F, _ = prior.decoder.evaluate(w, Z)
        return ((w**2).sum() + (U**2).sum()) / 2 + share * (own + likelihood.loss(F, y[rows]).sum())

    gradient = sampler.gradient(state, rows)
    n = sampler.prior.n_global
    assert_gradient(gradient[:, :n], lambda: value(3), state[:, :n])
    assert_gradient(gradient[:, n:], lambda: value(1), state[:, n:])


def test_an_encoder_learns_codes_that_depend_on_its_noise():
    random = np.random.default_rng(0)
    encoder = StochasticEncoder([5, 20, 2], 2, random)
    inputs = encoder.inputs(Y, random)
    Z = inputs[:, [0, 7]] * np.array([1.0, -1.0])[:, None, None]  # one of the sample and one of the noise
    before = ((encoder.codes(inputs) - Z) ** 2).mean()
    for _ in range(2000):
        encoder.learn(inputs, Z)
    assert ((encoder.codes(inputs) - Z) ** 2).mean() < before / 10


def test_what_was_not_observed_says_nothing():
    F, y = RANDOM.standard_normal((2, 4, 3)), RANDOM.standard_normal((4, 3))
    full = GaussianLikelihood(0.3)
    assert (PartlyObserved(0.3).gradient(F, y) == full.gradient(F, y)).all()
    assert abs(PartlyObserved(0.3).loss(F, y) - full.loss(F, y)).max() < 1e-12
    y[1] = np.nan
    assert (PartlyObserved(0.3).gradient(F, y)[:, 1] == 0).all()
    assert (PartlyObserved(0.3).loss(F, y)[:, 1] == 0).all()


@pytest.mark.parametrize("amortize", [False, True])
def test_samples_are_generated_at_unseen_inputs_and_missing_values_are_filled_in(amortize):
    known = np.where(np.random.default_rng(3).random(Y.shape) < 0.3, np.nan, Y)
    parameters = {**SHORT, "n_burn_in": 3000, "noise": 0.01, "amortize": amortize, "batch_size": 30}
    model = SparseGPAutoencoder(**parameters).fit(X, known)
    wanted = np.sin(POINTS + np.arange(5))
    mean, std = model.predict(POINTS, return_std=True)
    variance = Y.var()
    assert ((mean - wanted) ** 2).mean() < 0.1 * variance
    assert (std > np.sqrt(0.01 * 0.9) * model.y_std_).all()
    lost = np.isnan(known)
    share = 0.25 if amortize else 0.1  # an encoder takes what is missing for the mean
    assert ((model.reconstruct() - Y)[lost] ** 2).mean() < share * variance


def test_conditional_generation_of_turned_digits(monkeypatch):
    """At most .008, where means of angles have .0143; one chain, to be quick."""
    monkeypatch.setitem(bayes_sparse_gp.MODEL, "n_chains", 1)
    monkeypatch.setitem(bayes_sparse_gp.ARMS, "direct", {"n_burn_in": 2000})
    row = bayes_sparse_gp.measure("direct", 0)
    assert row["mse"] <= 0.008
    assert bayes_sparse_gp.baseline("mean image of the angle")["mse"] > 0.014


def test_a_prediction_does_not_depend_on_others():
    model = SparseGPAutoencoder(**SHORT).fit(X, Y)
    together = model.predict(POINTS)
    assert abs(np.vstack([model.predict(x[None]) for x in POINTS]) - together).max() < 1e-9


def test_samples_come_without_noise_and_in_the_units_of_targets():
    model = SparseGPAutoencoder(**SHORT).fit(X, 100 + 10 * Y)
    values = model.sample_y(POINTS, 30)
    assert values.shape == (7, 5, 30)
    assert abs(values.mean(axis=-1) - model.predict(POINTS)).max() < 5
    one = SparseGPAutoencoder(**SHORT).fit(X, Y[:, 0])
    assert one.sample_y(POINTS, 3).shape == (7, 3)
    assert one.reconstruct().shape == (60,)


def test_a_fitted_model_does_not_listen_to_parameters_until_it_is_fitted_again():
    rng = np.random.default_rng(0)
    X, Y = np.linspace(0, 1, 12)[:, None], rng.normal(size=(12, 3))
    model = SparseGPAutoencoder(**{**SHORT, "amortize": True}).fit(X, Y)
    before = model.predict(X, return_std=True)
    model.set_params(noise=100.0, amortize=False)
    assert all(np.array_equal(a, b) for a, b in zip(model.predict(X, return_std=True), before, strict=True))
    assert model.reconstruct().shape == Y.shape
    assert not hasattr(model.fit(X, Y), "encoders_")


def test_a_report_says_what_the_chains_are_worth():
    report = SparseGPAutoencoder(**SHORT).fit(X, Y).report_
    assert report.n_draws == 20
    assert report.rhat.shape == (60,)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"n_components": 0}, ValueError, "n_components must be an integer >= 1"),
        ({"n_inducing": 0}, ValueError, "n_inducing must be an integer >= 1"),
        ({"noise": 0}, ValueError, "noise must be a finite number > 0"),
        ({"latent_noise": 0}, ValueError, "latent_noise must be a finite number > 0"),
        ({"kernel": "rbf"}, TypeError, "kernel must be callable, as kernels of scikit-learn are, got 'rbf'"),
        ({"amortize": True, "batch_size": 0}, ValueError, "batch_size must be an integer >= 1"),
        ({"n_draws": 3}, ValueError, "n_draws must be an integer >= 4"),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        SparseGPAutoencoder(**{**SHORT, **parameters}).fit(X, Y)


def test_bad_data_are_named():
    with pytest.raises(NotFittedError, match="SparseGPAutoencoder"):
        SparseGPAutoencoder().reconstruct()
    with pytest.raises(ValueError, match="y must have at least one observed value in each column"):
        SparseGPAutoencoder(**SHORT).fit(X, np.column_stack([Y[:, 0], np.full(60, np.nan)]))
