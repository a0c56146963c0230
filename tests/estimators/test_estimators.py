"""BooleanClassifier: learns real digits, keeps scikit-learn's contract, reproduces itself bit for bit."""

import numpy as np
import pytest
from check_estimators import BASE, EVERY, SETTINGS, expected_failures, name_of, pairs
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    LogicGateConvClassifier,
    ThermometerEncoder,
)
from bvar.backends import BackendUnavailable

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=0)


def quick(**parameters):
    return BooleanClassifier((128,), **{"max_iter": 8, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X_TRAIN, Y_TRAIN)


def test_it_learns_digits(fitted):
    assert fitted.score(X_TEST, Y_TEST) > 0.93
    assert fitted.predict(X_TEST[:5]).tolist() == Y_TEST[:5].tolist()


def test_history_tells_what_happened(fitted):
    history = fitted.history_
    assert fitted.n_iter_ == 8
    assert {key: len(values) for key, values in history.items() if values} == dict.fromkeys(
        ("loss", "score", "flips", "beta"), 8
    )
    assert history["score"][-1] > history["score"][0]
    assert history["loss"][-1] < history["loss"][0]
    assert all(len(flips) == 2 and flips[0] > 0 for flips in history["flips"][:3])
    assert all(0 < b <= 1 for beta in history["beta"] for b in beta)


def test_probabilities_agree_with_scores(fitted):
    p, s = fitted.predict_proba(X_TEST), fitted.decision_function(X_TEST)
    assert (s == np.rint(s)).all()
    assert abs(p.sum(axis=1) - 1).max() < 1e-12  # ten divisions and nine additions, each good to 2**-53
    assert (p.argmax(axis=1) == s.argmax(axis=1)).all()
    assert (np.exp(fitted.predict_log_proba(X_TEST)) - p).max() < 1e-15


def test_one_seed_is_one_model_on_every_backend(backend, fitted):
    twin = quick(backend=backend).fit(X_TRAIN, Y_TRAIN)
    assert twin.backend_ == backend
    assert twin.network_.fingerprint() == fitted.network_.fingerprint()
    assert quick(random_state=1).fit(X_TRAIN, Y_TRAIN).network_.fingerprint() != fitted.network_.fingerprint()


def test_labels_may_be_strings_or_booleans():
    names = np.array([f"digit {d}" for d in Y_TRAIN])
    model = quick().fit(X_TRAIN, names)
    assert model.classes_.tolist() == [f"digit {d}" for d in range(10)]
    assert (model.predict(X_TEST) == [f"digit {d}" for d in Y_TEST]).mean() > 0.93
    even = quick().fit(X_TRAIN, Y_TRAIN % 2 == 0)
    assert even.decision_function(X_TEST).shape == (len(X_TEST),)
    assert even.score(X_TEST, Y_TEST % 2 == 0) > 0.9


def test_missing_values_are_values():
    holes = np.random.default_rng(0).random(X.shape) < 0.2
    X_holes = np.where(holes, np.nan, X)
    model = quick().fit(X_holes[:1200], Y[:1200])
    assert model.score(X_holes[1200:], Y[1200:]) > 0.8
    assert model.predict(np.full((1, 64), np.nan)).shape == (1,)


def test_it_works_in_a_pipeline_with_an_encoder_of_choice():
    model = make_pipeline(StandardScaler(), quick(encoder=ThermometerEncoder(2, "uniform")))
    assert model.fit(X_TRAIN, Y_TRAIN).score(X_TEST, Y_TEST) > 0.9
    assert model[-1].encoder_.n_bits == 2


def test_a_clone_is_unfitted_and_equal_in_parameters(fitted):
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError, match="BooleanClassifier"):
        twin.predict(X_TEST)


def test_verbose_prints_a_line_for_each_epoch(capsys):
    quick(verbose=True, max_iter=2).fit(X_TRAIN[:100], Y_TRAIN[:100])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch   1/2  loss ")
    assert "flipped" in lines[1]
    quick(max_iter=1).fit(X_TRAIN[:100], Y_TRAIN[:100])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"hidden_layer_sizes": (0,)}, ValueError, r"each of hidden_layer_sizes must be an integer in \[1, "),
        ({"hidden_layer_sizes": "wide"}, TypeError, "hidden_layer_sizes must be an integer or a sequence"),
        ({"max_iter": 0}, ValueError, "max_iter must be an integer >= 1"),
        ({"batch_size": "all"}, ValueError, "batch_size must be a positive integer or 'auto'"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1"),
        ({"eta": float("nan")}, ValueError, "eta must be a finite number >= 0"),
        ({"temperature": -1}, ValueError, "temperature must be a finite number > 0"),
        ({"random_state": "x"}, ValueError, "random_state must be None, an integer >= 0 or a RandomState"),
        (
            {"backend": "gpu"},
            BackendUnavailable,
            "backend 'gpu' is not available .no backend has this name.; this machine has: numpy",
        ),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        BooleanClassifier(**parameters).fit(X_TRAIN[:50], Y_TRAIN[:50])


def test_bad_data_is_named():
    with pytest.raises(ValueError, match="y must have at least two classes, got one class"):
        quick().fit(X_TRAIN[:5], np.zeros(5, int))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        quick().fit(X_TRAIN[:5], np.linspace(0, 1, 5))
    with pytest.raises(ValueError, match="64 features"):
        quick(max_iter=1).fit(X_TRAIN[:50], Y_TRAIN[:50]).predict(X_TRAIN[:5, :3])
    with pytest.raises(ValueError, match="infinity"):
        quick().fit(np.full((4, 2), np.inf), [0, 1, 0, 1])


ESTIMATORS = [
    BooleanClassifier((64,), **BASE),
    BooleanRegressor((64,), **BASE),
    LogicGateClassifier((200, 200), **BASE),
    BooleanConvClassifier((16,), (64,), image_shape=(1, -1), temperature=1.0, max_iter=40, **BASE),
    LogicGateConvClassifier((16,), (400, 200), image_shape=(1, -1), max_iter=20, **BASE),
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "n_checks"), list(zip(ESTIMATORS, (67, 60, 67, 67, 67), strict=True)))
def test_scikit_learn_runs_as_many_checks_as_it_has(estimator, n_checks):
    """A battery that silently shrinks is green too: so the checks are counted."""
    results = estimator_checks_generator(
        estimator, mark="skip", expected_failed_checks=expected_failures(estimator)
    )
    assert len(list(results)) >= n_checks


@pytest.mark.parametrize(("estimator", "check"), list(pairs(EVERY)), ids=name_of)
def test_scikit_learn_contract_holds_in_many_settings(estimator, check):
    """A thin slice through all settings; ``python -m tests.check_estimators`` runs them whole."""
    check(estimator)


def test_every_estimator_is_checked_in_thirty_settings():
    assert all(len({repr(one) for one in settings}) >= 30 for settings in SETTINGS.values())
    assert set(SETTINGS) == {
        *(BooleanClassifier, BooleanRegressor, LogicGateClassifier, BooleanConvClassifier),
        LogicGateConvClassifier,
    }


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda value: type(value).__name__)
def test_in_a_step_on_all_samples_weights_of_0_and_equal_ones_are_repetition(estimator):
    """Other weights round signals; smaller batches, and noise, differ with the number of rows."""
    rng = np.random.RandomState(0)
    x, y, weights = rng.rand(40, 30), np.arange(40) % 3, 2 * (rng.rand(40) < 0.6)
    rows = rng.permutation(np.repeat(np.arange(40), weights))
    whole = {"flip_noise": 0, "batch_size": 1000, "max_iter": 5}
    weighted = clone(estimator).set_params(**whole).fit(x, y, weights)
    repeated = clone(estimator).set_params(**whole).fit(x[rows], y[rows])
    assert weighted.network_.fingerprint() == repeated.network_.fingerprint()
