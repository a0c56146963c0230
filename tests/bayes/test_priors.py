"""Random functions: every pull-back is a derivative, and every law is the one it says."""

import numpy as np
import pytest
from differences import assert_gradient

from bvar.bayes import (
    FunctionalNetwork,
    GaussianPrior,
    HierarchicalPrior,
    PlanarFlowPrior,
    RBFEmbedding,
    SpatialPrior,
)
from bvar.bayes.priors import inverse_softplus, softplus

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((6, 3))


def flow(network):
    prior = PlanarFlowPrior(network, n_flows=2, std=0.8)
    for array in prior.theta:  # away from the start, where the directions u are 0
        array += 0.3 * np.random.default_rng(1).standard_normal(array.shape)
    return prior


def spatial(network):
    prior = SpatialPrior(network, random=np.random.default_rng(2))
    prior.alpha[...] = np.random.default_rng(5).standard_normal(prior.alpha.shape)  # means start at 0
    return prior


FAMILIES = {
    "layer": lambda n: GaussianPrior(n),
    "layer with means": lambda n: GaussianPrior(n, mean=[0.1, 0.2, -0.3, 0.4]),
    "parameter": lambda n: GaussianPrior(n, "parameter", mean=0.1),
    "hierarchical": lambda n: HierarchicalPrior(n, shape=2.5, scale=1.5),
    "flow": flow,
    "spatial": spatial,
}


def setting(family, activation="tanh"):
    prior = FAMILIES[family](FunctionalNetwork([3, 4, 2], activation))
    state = prior.draw(3, np.random.default_rng(3))
    direction = np.random.default_rng(4).standard_normal((3, 6, 2))
    return prior, state, direction, lambda: float((prior.evaluate(state, X)[0] * direction).sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pull_back_to_states_is_a_derivative(family):
    prior, state, direction, number = setting(family)
    assert_gradient(prior.pull_state(prior.evaluate(state, X)[1], direction), number, state)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pull_back_to_hyper_parameters_is_a_derivative(family):
    prior, state, direction, number = setting(family)
    gradients = prior.pull_theta(prior.evaluate(state, X)[1], direction)
    assert len(gradients) == len(prior.theta)
    for gradient, array in zip(gradients, prior.theta, strict=True):
        assert_gradient(gradient, number, array)


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
@pytest.mark.parametrize("scaled", [True, False])
def test_the_pull_back_of_a_network_is_a_derivative(activation, scaled):
    network = FunctionalNetwork([3, 5, 4, 2], activation, scaled=scaled)
    parameters = RANDOM.standard_normal((2, network.n_parameters))
    own = RANDOM.standard_normal((2, 6, 3))
    direction = RANDOM.standard_normal((2, 6, 2))
    number = lambda: float((network.forward(parameters, own)[0] * direction).sum())  # noqa: E731
    gradient, inputs = network.vjp_with_inputs(network.forward(parameters, own)[1], direction)
    assert_gradient(gradient, number, parameters)
    assert_gradient(inputs, number, own)
    assert (network.vjp(network.forward(parameters, own)[1], direction) == gradient).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_places_of_each_draw_its_own_are_places(family):
    """As batches of chains are: the same values and gradients as where all share them."""
    prior, state, direction, _ = setting(family)
    F, trace = prior.evaluate(state, X)
    own, own_trace = prior.evaluate(state, np.repeat(X[None], 3, axis=0))
    assert abs(F - own).max() < 1e-12  # another order of sums
    assert abs(prior.pull_state(trace, direction) - prior.pull_state(own_trace, direction)).max() < 1e-12
    for a, b in zip(prior.pull_theta(trace, direction), prior.pull_theta(own_trace, direction), strict=True):
        assert abs(a - b).max() < 1e-11


def test_inputs_that_all_draws_share_get_the_gradient_of_each():
    prior, state, direction, number = setting("layer")
    shared = X
    _, inputs = prior.pull_state_and_inputs(prior.evaluate(state, shared)[1], direction)
    assert inputs.shape == (3, 6, 3)
    assert_gradient(inputs.sum(axis=0), number, shared)


def test_pulls_with_inputs_are_those_without():
    prior, state, direction, _ = setting("layer with means")
    trace = prior.evaluate(state, X)[1]
    states, inputs = prior.pull_state_and_inputs(trace, direction)
    theta, again = prior.pull_theta_and_inputs(trace, direction)
    assert (states == prior.pull_state(trace, direction)).all()
    assert all((a == b).all() for a, b in zip(theta, prior.pull_theta(trace, direction), strict=True))
    assert (inputs == again).all()


def test_softplus_has_an_inverse():
    y = np.array([1e-3, 0.5, 1.0, 20.0, 800.0])
    assert abs(softplus(inverse_softplus(y)) / y - 1).max() < 1e-12  # a few roundings, and 1e-3 of cancellation


def test_a_row_of_parameters_is_laid_out_layer_by_layer():
    network = FunctionalNetwork([2, 3, 1])
    row = np.arange(network.n_parameters, dtype=float)[None]
    assert [a.shape for a in network.unpack(row)] == [(1, 2, 3), (1, 1, 3), (1, 3, 1), (1, 1, 1)]
    assert np.concatenate([a.ravel() for a in network.unpack(row)]).tolist() == row[0].tolist()
    assert network.groups.tolist() == [0] * 6 + [1] * 3 + [2] * 3 + [3]


def test_a_law_for_each_parameter_begins_as_the_law_for_each_layer():
    coarse = GaussianPrior(FunctionalNetwork([3, 4, 2]), mean=[0.1, 0.2, 0.3, 0.4], std=[1, 2, 3, 4])
    fine = coarse.per_parameter()
    state = fine.draw(5, np.random.default_rng(0))
    assert abs(fine.evaluate(state, X)[0] - coarse.evaluate(state, X)[0]).max() < 1e-12  # softplus and back
    fine.theta[1] += 1
    assert coarse.mean.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_a_spatial_prior_with_constant_coefficients_is_the_invariant_one():
    """Features that sum to one, and rho of all of them the same: draw by draw the same function."""
    network = FunctionalNetwork([9, 5, 4, 1])
    features = np.random.default_rng(0).dirichlet(np.ones(9), size=20)
    spatial = SpatialPrior(network, rho=0.7)
    spatial.alpha[...] = np.arange(6)[:, None] / 10
    invariant = GaussianPrior(network, mean=np.arange(6) / 10, std=np.log1p(np.exp(0.7)))
    state = spatial.draw(4, np.random.default_rng(1))
    assert abs(spatial.evaluate(state, features)[0] - invariant.evaluate(state, features)[0]).max() < 1e-12


def test_hierarchical_variances_have_the_mean_of_their_law():
    prior = HierarchicalPrior(FunctionalNetwork([2, 3, 1]), shape=5.0, scale=2.0)
    squares = prior.sigma(prior.draw(40_000, np.random.default_rng(0))) ** 2
    error = squares.std(axis=0) / np.sqrt(len(squares))
    assert (abs(squares.mean(axis=0) - 2.0 / (5.0 - 1)) < 4 * error).all()


def test_a_refreshed_precision_has_the_mean_of_its_law_and_the_function_stays():
    prior = HierarchicalPrior(FunctionalNetwork([2, 3, 1]), shape=5.0, scale=2.0)
    state = np.repeat(prior.draw(1, np.random.default_rng(0)), 20_000, axis=0)
    w, _ = prior.parameters(state)
    before = state.copy()
    prior.refresh(state, np.random.default_rng(1))
    assert abs(prior.parameters(state)[0] - w).max() < 1e-9  # a quantile and back
    precision = prior.sigma(state) ** -2
    squares = np.add.reduceat(w[0] ** 2, [0, 6, 9, 12])
    wanted = (5.0 + np.array([6, 3, 3, 1]) / 2) / (2.0 + squares / 2)
    assert (abs(precision.mean(axis=0) - wanted) < 4 * precision.std(axis=0) / np.sqrt(20_000)).all()
    assert (state != before).any()


def test_refreshing_leaves_the_law_of_states_as_it_is():
    prior = HierarchicalPrior(FunctionalNetwork([1, 2, 1]), shape=3.0, scale=2.0)
    random = np.random.default_rng(0)
    state = prior.draw(40_000, random)
    prior.refresh(state, random)
    assert (abs(state.mean(axis=0)) < 4.5 / np.sqrt(len(state))).all()
    assert (abs((state**2).mean(axis=0) - 1) < 4.5 * np.sqrt(2 / len(state))).all()


def test_quantiles_far_out_are_finite():
    prior = HierarchicalPrior(FunctionalNetwork([1, 2, 1]))
    state = np.full((2, prior.n_base), 30.0) * [[1], [-1]]
    F, trace = prior.evaluate(state, np.ones((1, 1)))
    assert np.isfinite(F).all()
    assert np.isfinite(prior.pull_state(trace, np.ones_like(F))).all()


def test_a_planar_flow_begins_as_a_normal_law():
    network = FunctionalNetwork([3, 4, 2])
    state = RANDOM.standard_normal((3, network.n_parameters))
    assert (PlanarFlowPrior(network).parameters(state)[0] == state).all()


def test_features_are_one_at_their_centre():
    embedding = RBFEmbedding([0, 0], [1, 2], n_per_axis=3, length=0.5)
    assert (np.diag(embedding(embedding.centers)) == 1).all()
    assert embedding(np.zeros((1, 2)))[0, 1] == np.exp(-1 / 0.25)  # the next centre is at (0, 1)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda n: FunctionalNetwork([3]), ValueError, "sizes must name at least 2"),
        (lambda n: FunctionalNetwork([3, 2], "step"), ValueError, "activation must be one of 'tanh'"),
        (lambda n: GaussianPrior(n, "network"), ValueError, "per must be one of 'layer', 'parameter'"),
        (lambda n: GaussianPrior(n, std=0), ValueError, "std must be positive, got 0"),
        (lambda n: GaussianPrior(n, std=1j), TypeError, "std must be an array of real numbers"),
        (lambda n: GaussianPrior(n, mean=["a"] * 4), TypeError, "mean must be an array of real numbers"),
        (lambda n: GaussianPrior(n, std=[1, 2]), ValueError, "std must be a finite number or 4 of them"),
        (
            lambda n: GaussianPrior(n, mean=np.nan),
            ValueError,
            "mean must be a finite number or 4 of them, got nan",
        ),
        (lambda n: HierarchicalPrior(n, shape=1), ValueError, "shape must be more than 1 and scale more than 0"),
        (lambda n: PlanarFlowPrior(n, n_flows=0), ValueError, "n_flows must be an integer >= 1"),
        (lambda n: RBFEmbedding([0], [-1]), ValueError, "low and high must be corners of a box"),
    ],
)
def test_bad_arguments_are_named(make, error, text):
    with pytest.raises(error, match=text):
        make(FunctionalNetwork([3, 4, 2]))
