"""What is constant has the scale 1, however its deviation is rounded."""

import numpy as np
import pytest

from bvar.bayes import BayesianRegressor, BooleanGPRegressor, FunctionalNetwork, GaussianPrior, RBFEmbedding
from bvar.bayes.scales import spreads


def test_equal_numbers_have_scale_1_and_others_their_deviation():
    column = np.full(12, 0.1)
    assert column.std() != 0
    values = np.column_stack([column, np.arange(12.0), np.where(np.arange(12) < 6, np.nan, 0.1)])
    assert spreads(values).tolist() == [1.0, np.arange(12.0).std(), 1.0]
    assert spreads(column) == 1.0


@pytest.mark.parametrize("make", [BooleanGPRegressor, BayesianRegressor])
def test_equal_targets_are_not_taken_for_noise_of_a_tiny_scale(make):
    X = np.random.default_rng(0).normal(size=(12, 2))
    quick = {"n_burn_in": 5, "n_draws": 4, "hidden_layer_sizes": (3,), "random_state": 0}
    model = make(**quick if make is BayesianRegressor else {}).fit(X, np.full(12, 0.1))
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
