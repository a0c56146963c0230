"""What a score loses when a feature is not known."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier, backends
from bvar.inspection import (
    ExplanationDisplay,
    FlipRateDisplay,
    ImportanceDisplay,
    LearningCurveDisplay,
    explain,
    importance,
)
from bvar.plotting import plot_flip_rate

RNG = np.random.RandomState(3)


@pytest.mark.parametrize("name", backends.available())
@pytest.mark.parametrize("make", [BooleanClassifier, LogicGateClassifier])
def test_planted_features_are_the_first_three_on_every_backend(make, name):
    X = RNG.randint(2, size=(1200, 15))
    y = X[:, [1, 6, 11]].sum(axis=1) > 1
    model = make(max_iter=15, random_state=0, backend=name).fit(X[:800], y[:800])
    found = importance(model, X[800:], y[800:])
    assert sorted(np.argsort(-found.importances)[:3].tolist()) == [1, 6, 11]
    assert found.score == model.score(X[800:], y[800:])


def test_hiding_a_feature_is_what_missing_values_do():
    X = RNG.rand(200, 4)
    model = BooleanRegressor(32, max_iter=5, random_state=0).fit(X, X[:, 0] - X[:, 3])
    found = importance(model, X, X[:, 0] - X[:, 3])
    for j in range(4):
        hidden = X.copy()
        hidden[:, j] = np.nan
        assert found.importances[j] == found.score - model.score(hidden, X[:, 0] - X[:, 3])


def test_any_scorer_and_weights_may_judge():
    X = RNG.rand(200, 3)
    y, weights = X[:, 1] > 0.8, RNG.rand(200)
    model = BooleanClassifier(32, max_iter=5, random_state=0).fit(X, y)
    balanced = importance(model, X, y, scoring="balanced_accuracy").score
    assert balanced == balanced_accuracy_score(y, model.predict(X))
    assert importance(model, X, y, sample_weight=weights).score == model.score(X, y, weights)
    logs = importance(model, X, y, scoring="neg_log_loss")
    assert logs.importances.argmax() == 1


def test_a_model_that_was_inspected_is_what_it_was():
    X = RNG.rand(100, 2)
    model = BooleanClassifier(16, max_iter=2, random_state=0).fit(X, X[:, 0] > 0.5)
    before, encoder = model.decision_function(X), model.encoder_
    importance(model, X, X[:, 0] > 0.5)
    assert model.encoder_ is encoder
    assert np.array_equal(model.decision_function(X), before)


def test_frames_and_sparse_matrices_are_hidden_alike():
    sparse = pytest.importorskip("scipy.sparse")
    X = RNG.randint(2, size=(300, 5)).astype(float)
    model = BooleanClassifier(32, max_iter=5, random_state=0).fit(X, X[:, 4] == 1)
    dense = importance(model, X, X[:, 4] == 1)
    assert np.array_equal(importance(model, sparse.csr_matrix(X), X[:, 4] == 1).importances, dense.importances)
    assert dense.feature_names == ["x0", "x1", "x2", "x3", "x4"]


def test_displays_keep_their_axes_and_name_what_they_show():
    pytest.importorskip("matplotlib")
    X = RNG.rand(300, 4)
    model = BooleanClassifier(32, max_iter=3, random_state=0).fit(X, X[:, 2] > 0.5)
    bars = ImportanceDisplay.from_estimator(model, X, X[:, 2] > 0.5, max_features=2)
    assert len(bars.ax_.patches) == 2
    assert bars.ax_.get_yticklabels()[0].get_text() == "x2"
    reasons = ExplanationDisplay.from_estimator(model, X[0], of="bits", n=3)
    assert [bar.get_width() for bar in reasons.ax_.patches] == [
        reasons.explanation.bit_support[i] for i in reasons.explanation.ranked("bits")[:3]
    ]
    image = ExplanationDisplay.from_estimator(model, X[0], image_shape=(2, 2))
    assert np.array_equal(image.ax_.images[0].get_array(), explain(model, X[0]).feature_support.reshape(2, 2))
    for odd in ((4,), 4, "ab", (2.0, 2), (-1, 4), (2, 2, 2)):
        with pytest.raises((TypeError, ValueError), match="image_shape"):
            ExplanationDisplay(explain(model, X[0])).plot(image_shape=odd)
    assert ExplanationDisplay(explain(model, X[0])).plot(image_shape=(2, 1, 2)).ax_.images[
        0
    ].get_array().shape == (2, 1)
    for of in ("bits", "rows"):
        with pytest.raises(ValueError, match=f"of must be 'features' .*, got '{of}'"):
            ExplanationDisplay(explain(model, X[0])).plot(of=of, image_shape=(2, 2))
    with pytest.raises(ValueError, match="has 6 pixels, but X has 4 features"):
        ExplanationDisplay(explain(model, X[0])).plot(image_shape=(3, 2))
    assert LearningCurveDisplay.from_estimator(model).ax_.get_ylabel() == "score"
    drawn = FlipRateDisplay.from_estimator(model, ax=bars.ax_)
    assert drawn.ax_ is bars.ax_
    assert drawn.figure_ is bars.figure_


@pytest.mark.parametrize(
    ("importances", "names", "text"),
    [
        ([0.1, 0.2, 0.3], ["a"], r"importances must be 1, one for each of feature_names, got shape \(3,\)"),
        ([0.1], ["a", "b"], r"importances must be 2, one for each of feature_names, got shape \(1,\)"),
        ([[0.1]], ["a"], r"importances must be 1, one for each of feature_names, got shape \(1, 1\)"),
        (["x"], ["a"], "importances must be an array of real numbers, got dtype <U1"),
        ([1j], ["a"], "importances must be an array of real numbers, got dtype complex128"),
    ],
)
def test_a_display_wants_an_importance_for_each_name(importances, names, text):
    with pytest.raises((TypeError, ValueError), match=text):
        ImportanceDisplay(importances, names)


def test_an_epoch_without_flips_is_drawn_at_zero():
    ax = plot_flip_rate({"flips": [[0.02, 0.1], [0.0003, 0.0], [0.0, 0.0]]})
    assert [list(line.get_ydata()) for line in ax.lines] == [[2.0, pytest.approx(0.03), 0.0], [10.0, 0.0, 0.0]]
    assert ax.get_ylim()[0] == 0
    places = ax.transData.transform([(1, y) for y in (0.0, 0.03, 2.0)])[:, 1]
    assert places[0] < places[1] < places[2]
