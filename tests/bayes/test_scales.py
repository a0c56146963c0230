"""What is constant has the scale 1, however its deviation is rounded."""

import numpy as np
import pytest

from bvar.bayes import (
    BayesianAutoencoder,
    BayesianClassifier,
    BayesianRegressor,
    BooleanCommittee,
    BooleanGPRegressor,
    FunctionalNetwork,
    GaussianPrior,
    RBFEmbedding,
    SparseGPAutoencoder,
    SpatialRegressor,
)
from bvar.bayes.scales import spreads


def test_equal_numbers_have_scale_1_and_others_their_deviation():
    column = np.full(12, 0.1)
    assert column.std() != 0
    values = np.column_stack([column, np.arange(12.0), np.where(np.arange(12) < 6, np.nan, 0.1)])
    assert spreads(values, "X").tolist() == [1.0, np.arange(12.0).std(), 1.0]
    assert spreads(column, "y") == 1.0


QUICK = {"n_burn_in": 5, "n_draws": 4, "hidden_layer_sizes": (3,), "random_state": 0}
MODELS = {
    "y of BooleanGPRegressor": BooleanGPRegressor(),
    "y of BooleanCommittee": BooleanCommittee(n_walks=2, width=4, n_steps=20, n_draws=4, random_state=0),
    "y of BayesianRegressor": BayesianRegressor(prior="normal", **QUICK),
    "X of BayesianRegressor": BayesianRegressor(prior="normal", **QUICK),
    "X of BayesianClassifier": BayesianClassifier(prior="normal", **QUICK),
    "X of SpatialRegressor": SpatialRegressor(prior="normal", **QUICK),
    "y of SparseGPAutoencoder": SparseGPAutoencoder(2, n_inducing=4, **QUICK),
    "X of BayesianAutoencoder": BayesianAutoencoder(2, prior="normal", **QUICK),
}


@pytest.mark.parametrize("case", MODELS)
def test_numbers_whose_squares_are_no_floats_are_refused(case):
    X = np.random.default_rng(0).normal(size=(12, 2))
    y = (X[:, 0] > 0).astype(int) if "Classifier" in case else X[:, 0]
    model, name = MODELS[case], case[0]

    def fitted(scale):
        return model.fit(X * scale, y) if name == "X" else model.fit(X, y * scale)

    for scale in (1e100, 1e-100):
        fitted(scale)
    with pytest.raises(ValueError, match=rf"^{name} must be within 1e\+150 of 0, or its variance overflows"):
        fitted(1e200)
    with pytest.raises(ValueError, match=rf"^{name} must not vary so little that its variance rounds to 0"):
        fitted(1e-200)


def test_one_column_that_is_too_small_is_enough_to_be_refused():
    values = np.array([[1.0, 2e-200, 3.0], [2.0, 1e-200, 3.0]])
    with pytest.raises(ValueError, match="X must not vary so little"):
        spreads(values, "X")
    assert spreads(values[:, ::2], "X").tolist() == [0.5, 1.0]


@pytest.mark.parametrize("make", [BooleanGPRegressor, BayesianRegressor])
def test_equal_targets_are_not_taken_for_noise_of_a_tiny_scale(make):
    X = np.random.default_rng(0).normal(size=(12, 2))
    model = make(**QUICK if make is BayesianRegressor else {}).fit(X, np.full(12, 0.1))
    _, std = model.predict(X, return_std=True)
    assert (std > 1e-6).all()


def test_a_prior_that_is_given_stays_the_users_own():
    X = np.random.default_rng(0).normal(size=(12, 2))
    prior = GaussianPrior(FunctionalNetwork([2, 3, 1]), std=1.0)
    model = BayesianRegressor(prior=prior, n_burn_in=5, n_draws=4, random_state=0).fit(X, X[:, 0])
    before = model.predict(X)
    for theta in prior.theta:
        theta += 1
    assert np.array_equal(model.predict(X), before)


def test_too_many_centres_are_refused_before_they_are_made():
    with pytest.raises(ValueError, match="n_per_axis must make at most 10000 centres, got 100 along each of 8"):
        RBFEmbedding([0] * 8, [1] * 8, n_per_axis=100)
    with pytest.raises(TypeError, match="batch_size must be an integer"):
        BayesianRegressor(batch_size="auto").fit(np.eye(4), np.arange(4.0))
