"""Networks at places: priors behind features, hyper-parameters that vary, and regression with them."""

import numpy as np
import pytest
from differences import assert_gradient
from sklearn.gaussian_process.kernels import RBF
from sklearn.utils.estimator_checks import parametrize_with_checks

from bvar.bayes import (
    EmbeddedPrior,
    FunctionalNetwork,
    GaussianPrior,
    GaussianProcess,
    RBFEmbedding,
    SpatialRegressor,
    VaryingPrior,
    energy,
)
from bvar.bayes.spatial_regressor import calibrate

SHORT = {
    "hidden_layer_sizes": (10,),
    "n_per_axis": 4,
    "max_iter": 10,
    "n_burn_in": 300,
    "n_draws": 10,
    "keep_every": 10,
    "random_state": 0,
}
PLACES = np.random.default_rng(0).uniform(-4, 4, (60, 2))
Y = np.sin(PLACES[:, 0])
AXIS = np.linspace(-4, 4, 12)
GRID = np.array([(a, b) for a in AXIS for b in AXIS])


@parametrize_with_checks([SpatialRegressor(**{**SHORT, "n_per_axis": None})])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def varying():
    random = np.random.default_rng(0)
    prior = VaryingPrior(GaussianPrior(FunctionalNetwork([3, 4, 2])))
    for array in prior.theta:
        array += 0.5 * random.standard_normal(array.shape)
    return prior, prior.draw(2, random), random.random((5, 3)), random.standard_normal((2, 5, 2))


def test_a_law_that_varies_begins_as_the_one_that_does_not():
    start = GaussianPrior(FunctionalNetwork([3, 4, 2]), mean=0.3)
    state, X = start.draw(6, np.random.default_rng(0)), np.random.default_rng(1).random((5, 3))
    assert abs(VaryingPrior(start).evaluate(state, X)[0] - start.evaluate(state, X)[0]).max() < 1e-12


def test_a_law_that_varies_has_at_each_place_a_network_of_its_own():
    prior, state, X, _ = varying()
    F, _ = prior.evaluate(state, X)
    for place, x in enumerate(X):
        std = np.logaddexp(0, prior.rho + x @ prior.slope_rho)
        parameters = prior.mean + x @ prior.slope_mean + std * state
        assert abs(prior.network.forward(parameters, x[None])[0][:, 0] - F[:, place]).max() < 1e-12


def test_the_pull_backs_of_a_law_that_varies_are_derivatives():
    prior, state, X, dF = varying()

    def value():
        return float((prior.evaluate(state, X)[0] * dF).sum())

    _, trace = prior.evaluate(state, X)
    assert_gradient(prior.pull_state(trace, dF), value, state)
    for gradient, array in zip(prior.pull_theta(trace, dF), prior.theta, strict=True):
        assert_gradient(gradient, value, array)


def test_an_embedded_prior_is_a_prior_at_features():
    features = RBFEmbedding([-4, -4], [4, 4], n_per_axis=3)
    law = GaussianPrior(FunctionalNetwork([9, 5, 1]))
    prior = EmbeddedPrior(law, features)
    state, dF = prior.draw(2, np.random.default_rng(0)), np.ones((2, 60, 1))
    F, trace = prior.evaluate(state, PLACES)
    wanted, memory = law.evaluate(state, features(PLACES))
    assert (wanted == F).all()
    assert (prior.pull_state(trace, dF) == law.pull_state(memory, dF)).all()
    assert prior.theta is law.theta


def test_features_of_places_make_a_stationary_field_and_coordinates_do_not():
    """The bounds of the published order at the size of a test: at most .04 with them, at least .12 without.

    Half of the places to calibrate at are enough.
    """
    features = RBFEmbedding([-4, -4], [4, 4], n_per_axis=7, length=1.3)
    process, fresh = GaussianProcess(RBF(1.0)), np.random.default_rng(1)
    values = []
    for phi, n in ((features, 49), (np.array, 2)):
        network = FunctionalNetwork([n, 40, 40, 40, 1])
        prior, history = calibrate("IL", network, phi, process, GRID[::2], np.random.default_rng(0))
        assert len(history) == 250
        F, _ = prior.evaluate(prior.draw(1000, fresh), GRID)
        values.append(energy(F[..., 0], process.at(GRID).draw(1000, fresh))[0])
    assert values[0] <= 0.04
    assert values[1] >= 0.12


@pytest.mark.parametrize("scheme", ["IL", "IP", "VL", "VP"])
def test_every_scheme_predicts_and_is_less_sure_far_away(scheme):
    model = SpatialRegressor(**SHORT, scheme=scheme).fit(PLACES, Y)
    assert len(model.history_) == (10 if scheme.endswith("L") else 20)
    assert model.score(PLACES, Y) > 0.8
    _, near = model.predict(PLACES, return_std=True)
    _, far = model.predict([[-4.0, -4.0]], return_std=True)
    assert far[0] > np.median(near)


def test_what_is_for_each_parameter_begins_where_what_is_for_each_layer_ended():
    features = RBFEmbedding([-4, -4], [4, 4], n_per_axis=4)
    process = GaussianProcess(RBF(1.0))
    for scheme in ("IP", "VP"):
        network = FunctionalNetwork([16, 10, 1])
        _, history = calibrate(scheme, network, features, process, GRID[::3], np.random.default_rng(0), n_iter=40)
        assert history[40] < (history[0] + history[39]) / 2


def test_a_field_is_told_in_the_units_of_places():
    """Twice the units and twice the lengths are the same model: 2 is a power of two."""
    model, other = (SpatialRegressor(**SHORT, target=GaussianProcess(RBF(s))) for s in (1.0, 2.0))
    mean = model.fit(PLACES, Y).predict(PLACES)
    assert abs(other.fit(2 * PLACES, Y).predict(2 * PLACES) - mean).max() < 1e-6


def test_a_law_can_be_given_and_none_is_calibrated_then():
    law = EmbeddedPrior(GaussianPrior(FunctionalNetwork([2, 10, 1])), np.array)
    model = SpatialRegressor(**{**SHORT, "prior": law}).fit(PLACES, Y)
    assert isinstance(model.prior_, EmbeddedPrior)
    assert model.prior_ is not law
    assert model.history_ == []
    assert SpatialRegressor(**{**SHORT, "prior": "normal"}).fit(PLACES, Y).history_ == []


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"scheme": "LI"}, "scheme must be one of 'IL', 'IP', 'VL', 'VP', got 'LI'"),
        ({"prior": "wide"}, "prior must be 'functional', 'normal' or a Prior, got 'wide'"),
        ({"n_per_axis": 101}, "n_per_axis must make at most 10000 centres, got 101 along each of 2 axes"),
        ({"length": 0}, "length must be a finite number > 0, got 0"),
        ({"max_iter": 0}, "max_iter must be an integer >= 1"),
        ({"n_points": 0}, "n_points must be an integer >= 1"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        SpatialRegressor(**{**SHORT, **parameters}).fit(PLACES, Y)


@pytest.mark.parametrize("length", [0.5, 1.0])
def test_products_of_features_are_stationary_up_to_the_ripple(length):
    """Poisson's summation, with the spacing as the unit and far from the edge of the box."""
    features = RBFEmbedding([-20.0], [20.0], n_per_axis=41, length=length)
    x, shift = np.linspace(-0.5, 0.5, 21)[:, None], 0.3
    products = (features(x) * features(x + shift)).sum(axis=1)
    stationary = length * np.sqrt(np.pi / 2) * np.exp(-(shift**2) / (2 * length**2))
    middle, k = x[:, 0] + shift / 2, np.arange(1, 9)[:, None]
    ripple = 2 * (np.exp(-((np.pi * length * k) ** 2) / 2) * np.cos(2 * np.pi * k * middle)).sum(axis=0)
    assert abs(products / stationary - 1 - ripple).max() < 1e-9
    assert abs(ripple).max() == pytest.approx(0.014 if length == 1 else 0.58, rel=0.05)
