"""Random autoencoders: their gradients, their priors and what they do with images."""

import numpy as np
import pytest
from differences import assert_gradient
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from bvar.bayes import (
    AutoencoderPrior,
    BayesianAutoencoder,
    BernoulliLikelihood,
    FunctionalNetwork,
    GaussianPrior,
    LogisticPrior,
)
from bvar.bayes.autoencoder_prior import fan_in_prior, train_autoencoder
from bvar.bayes.code_mixture import code_mixture, draw_codes
from tests.bench import bayes_autoencoder

SHORT = {
    "n_components": 4,
    "hidden_layer_sizes": 12,
    "max_iter": 5,
    "n_burn_in": 200,
    "n_draws": 5,
    "keep_every": 10,
    "random_state": 0,
}
IMAGES = load_digits().data[:150] / 16
SHOWN, X = IMAGES[:70], IMAGES[70:]


@parametrize_with_checks([BayesianAutoencoder(**{**SHORT, "n_burn_in": 40}, n_mixture=2)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def setting():
    random = np.random.default_rng(0)
    networks = (FunctionalNetwork(sizes) for sizes in ([5, 4, 2], [2, 4, 5]))
    prior = AutoencoderPrior(*(GaussianPrior(network, "parameter", mean=0.1) for network in networks))
    return prior, prior.draw(2, random), random.random((6, 5)), random.standard_normal((2, 6, 5))


@pytest.mark.parametrize("squash", [lambda prior: prior, LogisticPrior])
def test_the_pull_backs_of_an_autoencoder_are_derivatives(squash):
    prior, state, samples, dF = setting()
    prior = squash(prior)

    def value():
        return float((prior.evaluate(state, samples)[0] * dF).sum())

    _, trace = prior.evaluate(state, samples)
    assert_gradient(prior.pull_state(trace, dF), value, state)
    for gradient, array in zip(prior.pull_theta(trace, dF), prior.theta, strict=True):
        assert_gradient(gradient, value, array)


def test_to_encode_and_to_decode_is_to_evaluate():
    prior, state, samples, _ = setting()
    assert (prior.decode(state, prior.encode(state, samples)) == prior.evaluate(state, samples)[0]).all()


@pytest.mark.parametrize("scaled", [True, False])
def test_fan_in_is_one_law_whether_the_network_divides_or_not(scaled):
    network = FunctionalNetwork([16, 4, 9], scaled=scaled)
    law = fan_in_prior(network)
    state = law.draw(4000, np.random.default_rng(0))
    weights = [
        w * scale for w, scale in zip(network.unpack(law.parameters(state)[0])[::2], network.scales, strict=True)
    ]
    assert abs(weights[0].var() * 16 - 1) < 0.02
    assert abs(weights[1].var() * 4 - 1) < 0.02


def test_a_plain_autoencoder_learns():
    networks = [FunctionalNetwork(s, "leaky_relu", scaled=False) for s in ([64, 30, 8], [8, 30, 64])]
    random = np.random.default_rng(0)
    first, second = train_autoencoder(*networks, BernoulliLikelihood(), SHOWN, random, n_iter=600)
    codes, _ = networks[0].forward(first[None], SHOWN)
    F, _ = networks[1].forward(second[None], codes)
    mean = np.log(SHOWN.mean(axis=0) + 1e-3) - np.log(1 - SHOWN.mean(axis=0) + 1e-3)
    loss, same = BernoulliLikelihood().loss, np.broadcast_to(mean, (1, *SHOWN.shape))
    assert loss(F, SHOWN).mean() < loss(same, SHOWN).mean() - 4  # nats, better than the mean image


def test_tuning_brings_random_reconstructions_nearer_to_images():
    model = BayesianAutoencoder(**{**SHORT, "max_iter": 60, "learning_rate": 0.005}, likelihood="bernoulli")
    history = model.set_params(tuning_samples=SHOWN).fit(X).history_
    assert model.n_iter_ == len(history) == 60
    assert np.mean(history[-5:]) < np.mean(history[:5])
    assert model.set_params(prior="pretrained").fit(X).history_ == []


def test_few_images_want_a_prior_that_has_seen_images():
    """The five rows with 50 images, but for standard normal parameters, whose chains are the slowest."""
    nll = {
        arm: bayes_autoencoder.measure(arm, 50, 0)["nll"]
        for arm in (
            "AE of the n images",
            "AE of 100 others and the n",
            "N(0, 1 / fan-in)",
            "pretrained on others, untuned",
            "tuned on others",
        )
    }
    assert nll["tuned on others"] <= 20.5
    assert nll["pretrained on others, untuned"] <= 20.5
    assert nll["N(0, 1 / fan-in)"] >= 24.5
    assert nll["AE of the n images"] >= 24
    assert nll["AE of 100 others and the n"] <= 18.5


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_codes_go_back_to_samples_and_new_samples_are_like_them(likelihood):
    model = BayesianAutoencoder(**{**SHORT, "n_burn_in": 1500}, likelihood=likelihood, tuning_samples=SHOWN).fit(X)
    codes = model.transform(X)
    assert codes.shape == (80, 4)
    spread = ((X - X.mean(axis=0)) ** 2).mean()
    assert ((model.inverse_transform(codes) - X) ** 2).mean() < 0.75 * spread
    mean, std = model.reconstruct(X, return_std=True)
    assert ((mean - X) ** 2).mean() < 0.7 * spread
    assert (std > 0).all()
    new = model.sample(200)
    assert new.shape == (200, 64)
    assert ((new.mean(axis=0) - X.mean(axis=0)) ** 2).mean() < 0.2 * spread
    assert (model.sample(3, random_state=1) != new[:3]).any()
    assert model.score(X) > model.score(1 - X if likelihood == "bernoulli" else 5 * X)
    assert model.get_feature_names_out().tolist() == [f"bayesianautoencoder{i}" for i in range(4)]


def test_a_score_is_the_log_likelihood_of_mean_reconstructions():
    model = BayesianAutoencoder(**SHORT, likelihood="bernoulli", prior="normal").fit(X)
    p = model.reconstruct(X)
    assert abs(model.score(X) - (X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=1).mean()) < 1e-9
    normal = BayesianAutoencoder(**SHORT, prior="normal").fit(X)
    variance = 0.1 * normal.std_**2
    squares = (X - normal.reconstruct(X)) ** 2
    wanted = -0.5 * (np.log(2 * np.pi * variance) + squares / variance).sum(axis=1).mean()
    assert abs(normal.score(X) - wanted) < 1e-9


def test_codes_are_drawn_from_their_mixture():
    random = np.random.default_rng(0)
    codes = np.vstack([random.normal(-5, 1, (300, 2)), random.normal(5, [1, 0.1], (100, 2))])
    mixture = code_mixture(codes, 2, 0)
    drawn = draw_codes(mixture, 20_000, random)
    assert abs((drawn[:, 0] > 0).mean() - 0.25) < 0.02
    right = drawn[drawn[:, 0] > 0]
    one = mixture.means_[:, 0].argmax()
    assert abs(right.mean(axis=0) - mixture.means_[one]).max() < 0.1
    assert abs(np.cov(right.T) - mixture.covariances_[one]).max() < 0.1


def test_a_law_can_be_given_as_it_is():
    law = AutoencoderPrior(*(GaussianPrior(FunctionalNetwork(s)) for s in ([64, 9, 3], [3, 9, 64])))
    model = BayesianAutoencoder(**SHORT).set_params(prior=law).fit(X)
    assert model.prior_ is law
    assert model.transform(X).shape == (80, 3)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"prior": "wide"}, "prior must be 'tuned', 'pretrained', 'normal' or an AutoencoderPrior, got 'wide'"),
        ({"likelihood": "poisson"}, "likelihood must be one of 'gaussian', 'bernoulli', got 'poisson'"),
        ({"n_components": 0}, "n_components must be an integer >= 1"),
        ({"prior_std": 0}, "prior_std must be a finite number > 0"),
        ({"n_mixture": 0}, "n_mixture must be an integer >= 1"),
        ({"max_iter": 0}, "max_iter must be an integer >= 1"),
        ({"tuning_samples": SHOWN[:, :9]}, "tuning_samples must have 64 features, got 9"),
        ({"tuning_samples": 2 * SHOWN, "likelihood": "bernoulli"}, r"tuning_samples must be in \[0, 1\]"),
        (
            {"prior": AutoencoderPrior(*(GaussianPrior(FunctionalNetwork(s)) for s in ([9, 3], [3, 9])))},
            r"prior must lead from 64 features to codes and back, got \[9, 3\] and \[3, 9\]",
        ),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        BayesianAutoencoder(**{**SHORT, **parameters}).fit(X)


def test_bad_data_are_named():
    model = BayesianAutoencoder(**SHORT, likelihood="bernoulli", prior="normal")
    with pytest.raises(
        ValueError, match=r"X must be in \[0, 1\] with likelihood='bernoulli', got values from 0 to 2"
    ):
        model.fit(2 * X)
    with pytest.raises(NotFittedError, match="BayesianAutoencoder"):
        model.sample()
    with pytest.raises(ValueError, match="Z must have 4 columns, got 3"):
        model.fit(X).inverse_transform(np.zeros((2, 3)))
