"""Priors and posteriors as estimators of scikit-learn: what they learn, what they report, what they refuse."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process.kernels import RBF
from sklearn.utils.estimator_checks import parametrize_with_checks

from bvar.bayes import (
    BayesianClassifier,
    BayesianRegressor,
    FunctionalNetwork,
    FunctionalPrior,
    GaussianPrior,
    GaussianProcess,
    LipschitzPotential,
    energy,
)

SHORT = {"hidden_layer_sizes": (20,), "n_burn_in": 300, "n_draws": 10, "keep_every": 10, "random_state": 0}
BRIEF = {"hidden_layer_sizes": (10,), "max_iter": 5, "n_draws": 10, "random_state": 0}
X = np.linspace(-1, 1, 40)[:, None]
Y = np.sin(3 * X[:, 0])


@parametrize_with_checks(
    [
        FunctionalPrior(**BRIEF),
        BayesianRegressor(**SHORT, prior="normal"),
        BayesianRegressor(**SHORT, prior=FunctionalPrior(**BRIEF)),
        BayesianRegressor(**SHORT, prior="normal", batch_size=8, verbose=0),
        BayesianClassifier(**SHORT, prior="normal"),
        BayesianClassifier(**SHORT, prior=FunctionalPrior(**BRIEF)),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_a_tuned_prior_looks_like_its_target_by_fresh_draws():
    """The recipe of the first paper at the size of a test: from about .8 to at most .12."""
    process, points = GaussianProcess(RBF(0.6)), np.linspace(-4, 4, 50)[:, None]
    prior = FunctionalPrior(
        process, hidden_layer_sizes=(50, 50, 50), n_points=None, learning_rate=0.2, random_state=0
    ).fit(points)
    target = process.at(points).draw(1000, np.random.default_rng(1))
    fixed = GaussianPrior(prior.prior_.network, std=1.0)
    F, _ = fixed.evaluate(fixed.draw(1000, np.random.default_rng(2)), points)
    assert energy(F[..., 0], target)[0] > 0.7
    assert energy(prior.sample_y(points, 1000).T, target)[0] <= 0.12


@pytest.mark.parametrize("family", ["gaussian", "hierarchical", "flow"])
def test_every_family_can_be_tuned(family):
    """Judged by fresh draws, beside the state before tuning."""
    process, points = GaussianProcess(RBF(1.0)), np.linspace(-3, 3, 15)[:, None]
    parameters = {"hidden_layer_sizes": (30,), "family": family, "n_points": None, "random_state": 0}
    target = process.at(points).draw(1000, np.random.default_rng(1))

    def judged(max_iter, rate):
        prior = FunctionalPrior(process, max_iter=max_iter, learning_rate=rate, **parameters).fit(points)
        return energy(prior.sample_y(points, 1000).T, target)[0]

    assert judged(80, 0.1) < judged(1, 1e-12) / 2


def test_points_are_samples_and_places_around_them():
    model = FunctionalPrior(n_points=20, margin=0.5)
    points = model._points(X)(np.random.default_rng(0))
    assert points.shape == (20, 1)
    assert set(points[:14, 0]) <= set(X[:, 0])
    assert abs(points[14:]).max() <= 2  # half of a range of 2 beyond 1
    assert model._points(X[:3])(np.random.default_rng(0)).shape == (20, 1)  # few samples: more places
    assert FunctionalPrior(n_points=None)._points(X) is X


def test_one_seed_is_one_model():
    models = [BayesianRegressor(**{**SHORT, "random_state": seed}, prior="normal").fit(X, Y) for seed in (0, 0, 1)]
    means = [model.predict(X) for model in models]
    assert (means[0] == means[1]).all()
    assert (means[0] != means[2]).any()


def test_the_units_of_inputs_do_not_matter():
    """A power of two changes no digit of what is standardised."""
    model = BayesianRegressor(**SHORT, prior="normal")
    assert (model.fit(X, Y).predict(X) == model.fit(64 * X, Y).predict(64 * X)).all()


def test_targets_come_back_in_their_units():
    model = BayesianRegressor(**SHORT, prior="normal").fit(X, 1000 + 100 * Y)
    mean, std = model.predict(X, return_std=True)
    assert abs(mean - (1000 + 100 * Y)).max() < 60
    F = model.sample_y(X, 40)  # all draws, in another order
    assert abs(F.mean(axis=1) - mean).max() < 1e-9  # of 1000, sums in another order
    assert abs(np.sqrt(F.var(axis=1) + 0.1 * model.y_std_**2) - std).max() < 1e-9


def test_draws_are_shown_once_before_any_twice():
    model = BayesianRegressor(**SHORT, prior="normal").fit(X, Y)
    assert len(np.unique(model.sample_y(X, 40), axis=1).T) == 40
    assert model.sample_y(X, 100).shape == (40, 100)


def test_it_is_less_sure_where_there_are_no_data():
    model = BayesianRegressor(**SHORT, prior="normal").fit(X, Y)
    _, std = model.predict([[0.0], [5.0]], return_std=True)
    assert std[1] > 1.5 * std[0]
    classes = BayesianClassifier(**SHORT, prior="normal").fit(X, Y > 0)
    _, std = classes.predict_proba([[0.5], [0.0]], return_std=True)
    assert std[1, 0] > std[0, 0]


def test_classes_are_learnt_and_probabilities_are_means_of_those_of_draws():
    samples, y = load_iris(return_X_y=True)
    model = BayesianClassifier(**SHORT, prior="normal").fit(samples, y)
    assert model.score(samples, y) > 0.95
    P = model.predict_proba(samples)
    assert abs(P.sum(axis=1) - 1).max() < 1e-12
    assert abs(model.sample_y(samples, 40).mean(axis=-1) - P).max() < 1e-12


def test_a_report_says_what_the_chains_are_worth():
    report = BayesianRegressor(**SHORT, prior="normal").fit(X, Y).report_
    assert report.n_draws == 40
    assert report.rhat.shape == report.effective_sample_size.shape == (40,)
    assert report.clamped == 0
    assert report.relaxation_steps == 0.05 * report.scale / 0.02**2
    noisy = BayesianRegressor(**SHORT, prior="normal", batch_size=8).fit(X, Y).report_
    assert noisy.scale > report.scale


def test_a_frozen_prior_stays_and_a_prior_of_ones_own_is_tuned_anew():
    tuned = FunctionalPrior(**BRIEF).fit(X)
    kept = tuned.prior_.std.copy()
    frozen = BayesianRegressor(**SHORT, prior=FrozenEstimator(tuned)).fit(X, Y)
    assert frozen.prior_ is tuned.prior_
    assert (tuned.prior_.std == kept).all()
    fresh = BayesianRegressor(**SHORT, prior=tuned).fit(X, Y)
    assert fresh.prior_ is not tuned.prior_
    assert fresh.functional_prior_.history_[0] != tuned.history_[0]  # on standardised inputs
    assert clone(fresh).prior.get_params() == tuned.get_params()


def test_a_law_can_be_given_as_it_is():
    law = GaussianPrior(FunctionalNetwork([1, 10, 1]), std=2.0)
    learnt = BayesianRegressor(**SHORT, prior=law).fit(X, Y).prior_
    assert learnt is not law
    assert [theta.tolist() for theta in learnt.theta] == [theta.tolist() for theta in law.theta]


def test_verbose_prints_ten_lines_of_each_part(capsys):
    BayesianRegressor(**SHORT, prior=FunctionalPrior(**{**BRIEF, "max_iter": 20}, verbose=1), verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("iteration")][-1].startswith("iteration 20/20  distance ")
    assert lines[-1] == "draw 10/10"
    assert len(lines) == 10 + 11  # of draws, the end of the burn-in is one
    BayesianRegressor(**SHORT, prior="normal").fit(X, Y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"prior": "wide"}, ValueError, "prior must be 'functional', 'normal', a FunctionalPrior or a Prior"),
        (
            {"prior": None},
            ValueError,
            "prior must be 'functional', 'normal', a FunctionalPrior or a Prior, got None",
        ),
        ({"noise": 0}, ValueError, "noise must be a finite number > 0, got 0"),
        ({"n_chains": 0}, ValueError, "n_chains must be an integer >= 1"),
        ({"n_draws": 3}, ValueError, "n_draws must be an integer >= 4"),
        ({"friction": 1.5}, ValueError, "friction must be a finite number > 0 and <= 1"),
        ({"step_size": 0}, ValueError, "step_size must be a finite number > 0"),
        ({"hidden_layer_sizes": ()}, ValueError, "hidden_layer_sizes must name at least 1"),
        ({"activation": "step"}, ValueError, "activation must be one of"),
        ({"prior": FunctionalPrior(family="cauchy")}, ValueError, "family must be one of 'gaussian'"),
        (
            {"prior": GaussianPrior(FunctionalNetwork([2, 9, 1]))},
            ValueError,
            r"prior must be of a network with 1 input\(s\) and 1 output\(s\), got the sizes \[2, 9, 1\]",
        ),
        ({"prior": FunctionalPrior(n_points=0)}, ValueError, "n_points must be an integer >= 1"),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        BayesianRegressor(**{**SHORT, "prior": "normal", **parameters}).fit(X, Y)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = BayesianRegressor(**SHORT, prior="normal").fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="prior must be"):
        model.set_params(prior="wide").fit(10 * X, Y)
    assert (model.predict(X) == before).all()


def test_a_distance_that_learns_begins_anew_in_each_fit():
    distance = LipschitzPotential(10, n_first=20, n_inner=5)
    model = FunctionalPrior(GaussianProcess(RBF()), **{**BRIEF, "distance": distance})
    assert model.fit(X).history_ == model.fit(X).history_


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="BayesianRegressor"):
        BayesianRegressor().predict(X)
    with pytest.raises(NotFittedError, match="FunctionalPrior"):
        FunctionalPrior().sample_y(X)
    with pytest.raises(ValueError, match="y must have at least two classes, got one class, 0"):
        BayesianClassifier(**SHORT).fit(X, np.zeros(40, int))
