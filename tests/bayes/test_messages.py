"""What is said where an argument is of another kind, and deviations that mean the same in every model."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from bvar.bayes import (
    BayesianAutoencoder,
    BayesianRegressor,
    BooleanCommittee,
    BooleanGPRegressor,
    FunctionalPrior,
    GaussianProcess,
    LogNormalProcess,
    SparseGPAutoencoder,
    energy,
    tune,
)
from bvar.bayes.priors import Prior
from bvar.bayes.tuning import Repeated
from bvar.encoding import ThermometerEncoder

RNG = np.random.RandomState(0)
X = np.linspace(-1, 1, 12)[:, None]
Y = X[:, 0] + 0.1 * RNG.standard_normal(12)
SHORT = {"n_chains": 2, "n_burn_in": 20, "n_draws": 4, "keep_every": 5, "random_state": 0}
NOT_A_PROCESS = ["rbf", 3, RBF(), GaussianProcess]


@pytest.mark.parametrize("target", NOT_A_PROCESS)
def test_a_target_that_is_no_process_is_refused_by_name(target):
    for use in (
        lambda: FunctionalPrior(target, max_iter=1).fit(X),
        lambda: FunctionalPrior(target, max_iter=1, n_outputs=2).fit(X),
        lambda: tune(None, target, X, np.random.default_rng(0)),
        lambda: Repeated(target, 2),
    ):
        with pytest.raises(TypeError, match="target must be a process of "):
            use()
    with pytest.raises(TypeError, match="process must be a process"):
        LogNormalProcess(target)


def test_a_kernel_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="kernel must be callable, as kernels of scikit-learn are, got 'rbf'"):
        GaussianProcess("rbf")


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="learning_rate must be a finite number > 0, got 0"):
        FunctionalPrior(learning_rate=0, max_iter=1).fit(X)


def test_points_that_floats_cannot_tell_apart_need_more_noise():
    same = np.zeros((4, 1))
    with pytest.raises(ValueError, match="noise must be larger, got 1e-16"):
        GaussianProcess(RBF(), jitter=0).posterior(same, np.arange(4.0), same, noise=1e-16)
    with pytest.raises(ValueError, match="jitter must be larger, got 0"):
        GaussianProcess(RBF(), jitter=0).at(same)
    alike = np.repeat([[0.0], [1.0]], 10, axis=0)
    with pytest.raises(ValueError, match="noise must be larger, got 1e-17"):
        BooleanGPRegressor(noise=1e-17).fit(alike, np.arange(20.0))


def test_a_single_draw_has_no_pairs():
    for F, G in ((1, 3), (3, 1), (0, 2)):
        with pytest.raises(ValueError, match=f"F and G must be at least two draws of each, got {F} and {G}"):
            energy(np.zeros((F, 2)), np.zeros((G, 2)))


class Lines(Prior):
    """Straight lines through the origin of one input: a law without a network."""

    n_base = 1

    def __init__(self, n_outputs=1):
        self.n_outputs = n_outputs

    def draw(self, n_draws, random):
        return random.standard_normal((n_draws, 1))

    def evaluate(self, state, X):
        if X.shape[1] != 1:
            raise ValueError(f"lines have one input, got {X.shape[1]}")
        return np.repeat(state[:, :, None] * X[None], self.n_outputs, axis=2), X

    def pull_state(self, trace, dF):
        return (dF.sum(axis=2) @ trace).reshape(len(dF), 1)

    def pull_theta(self, trace, dF):
        return []

    def log_density_gradient(self, state):
        return -state


def test_a_prior_without_a_network_is_tried():
    with pytest.raises(ValueError, match=r"prior must be of functions with 1 input.*values of shape \(2,\)"):
        BayesianRegressor(prior=Lines(2), **SHORT).fit(X, Y)
    with pytest.raises(ValueError, match=r"prior must be of functions with 2 input\(s\).*lines have one input"):
        BayesianRegressor(prior=Lines(), **SHORT).fit(np.hstack([X, X]), Y)
    assert BayesianRegressor(prior=Lines(), **SHORT).fit(X, Y).predict(X).shape == (12,)


BITS = ThermometerEncoder(8)
MODELS = {
    "sampled": (BayesianRegressor((5,), prior="normal", noise=0.3, **SHORT), 0.3),
    "process": (BooleanGPRegressor(noise=0.3, encoder=BITS), 0.3),
    "committee": (BooleanCommittee(5, n_walks=3, n_steps=50, noise=0.3, encoder=BITS, random_state=0), 0.3),
}


@pytest.mark.parametrize("name", MODELS)
def test_deviations_are_those_of_new_targets_unless_noise_is_left_out(name):
    model, noise = MODELS[name]
    model.fit(X, Y)
    mean, new = model.predict(X, return_std=True)
    same, function = model.predict(X, return_std=True, with_noise=False)
    assert (mean == same).all()
    assert new**2 - function**2 == pytest.approx(noise * Y.var(), rel=1e-6)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_deviations_of_reconstructions_too(likelihood):
    pixels = RNG.rand(20, 6)
    how = {"n_components": 2, "hidden_layer_sizes": (4,), "prior": "normal", "noise": 0.3}
    model = BayesianAutoencoder(likelihood=likelihood, **how, **SHORT).fit(pixels)
    mean, new = model.reconstruct(pixels, return_std=True)
    _, function = model.reconstruct(pixels, return_std=True, with_noise=False)
    if likelihood == "bernoulli":
        assert new**2 == pytest.approx(mean * (1 - mean))
    else:
        assert new**2 - function**2 == pytest.approx(0.3 * model.std_**2)


def test_deviations_of_latent_processes_too():
    model = SparseGPAutoencoder(n_inducing=3, n_chains=2, n_burn_in=10, n_draws=4, keep_every=2, random_state=0)
    model.fit(X, np.column_stack([Y, -Y]))
    for answer in (lambda **how: model.predict(X, **how), lambda **how: model.reconstruct(**how)):
        (_, new), (_, function) = answer(return_std=True), answer(return_std=True, with_noise=False)
        assert (new > function).all()
