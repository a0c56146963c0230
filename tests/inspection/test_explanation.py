"""What explains one decision, against asking the model itself, one change after the other."""

from itertools import product

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    backends,
)
from bvar.inspection import explain

RNG = np.random.RandomState(7)
BITS = np.array(list(product([0, 1], repeat=5)))
TARGET = BITS[:, 0] + 2 * (BITS[:, 1] & BITS[:, 3])


def margins(model, X, label):
    scores = model.decision_function(X).astype(int)
    if scores.ndim == 1:  # of two classes the difference
        return scores if label == model.classes_[1] else -scores
    at = model.classes_.tolist().index(label)
    return scores[:, at] - np.delete(scores, at, axis=1).max(axis=1)


@pytest.mark.parametrize("make", [BooleanClassifier, LogicGateClassifier])
def test_each_bit_of_each_sample_is_explained_as_the_model_answers_with_it_negated(make):
    model = make(max_iter=5, random_state=0).fit(BITS.repeat(8, axis=0), TARGET.repeat(8))
    answers = model.predict(BITS)
    for row, answer in zip(BITS, answers, strict=True):
        reasons = explain(model, row)
        negated = np.abs(row - np.eye(5, dtype=int))
        assert reasons.answer == reasons.output == answer
        assert reasons.value == margins(model, row[None], answer)[0]
        assert np.array_equal(reasons.bit_support, reasons.value - margins(model, negated, answer))
        assert np.array_equal(reasons.bit_decides, model.predict(negated) != answer)
        assert reasons.bit_support.dtype == np.int64


def test_a_feature_is_taken_away_as_a_missing_value_takes_it_away():
    X = RNG.rand(300, 4)
    model = BooleanClassifier(64, max_iter=5, random_state=0).fit(X, (X[:, 0] > 0.5) + (X[:, 2] > 0.5))
    row = X[0].copy()
    row[3] = np.nan
    reasons = explain(model, row)
    for j in range(4):
        hidden = row.copy()
        hidden[j] = np.nan
        assert reasons.feature_support[j] == reasons.value - margins(model, hidden[None], reasons.answer)[0]
        assert reasons.feature_decides[j] == (model.predict([hidden])[0] != reasons.answer)
    assert reasons.feature_support[3] == 0
    assert not reasons.bit_support[model.encoder_.bit_columns() == 3].any()
    assert not reasons.bit_values[model.encoder_.bit_columns() == 3].any()


@pytest.mark.parametrize("name", backends.available())
def test_the_three_bits_that_matter_come_first(name):
    X = RNG.randint(2, size=(1500, 12))
    y = X[:, [2, 5, 9]].all(axis=1)
    model = BooleanClassifier(max_iter=15, random_state=0, backend=name).fit(X, y)
    reasons = explain(model, [1] * 12)
    assert reasons.answer is True
    for of in ("features", "bits"):
        assert sorted(reasons.ranked(of)[:3].tolist()) == [2, 5, 9]
    assert np.flatnonzero(reasons.bit_decides).tolist() == [2, 5, 9]


def test_another_class_can_be_asked_about():
    model = BooleanClassifier(max_iter=5, random_state=0).fit(BITS.repeat(8, axis=0), TARGET.repeat(8))
    reasons = explain(model, BITS[0], output=3)
    assert reasons.output == 3
    assert reasons.value == margins(model, BITS[:1], 3)[0]


def test_numbers_and_labels_are_explained_on_their_own_scale():
    X = RNG.rand(300, 3)
    numbers = BooleanRegressor(max_iter=5, random_state=0).fit(X, 10 * X[:, 1])
    reasons = explain(numbers, X[0])
    assert reasons.answer == reasons.value == numbers.predict(X[:1])[0]
    hidden = X[0].copy()
    hidden[1] = np.nan
    assert reasons.feature_support[1] == reasons.value - numbers.predict([hidden])[0]

    labels = BooleanClassifier(64, max_iter=5, random_state=0).fit(X, X > 0.5)
    for k in range(3):
        reasons = explain(labels, X[0], output=k)
        assert reasons.answer == labels.predict(X[:1])[0, k]
        assert reasons.value == labels.decision_function(X[:1])[0, k]
        assert reasons.feature_support[1] == reasons.value - labels.decision_function([hidden])[0, k]


def test_an_image_is_explained_pixel_by_pixel():
    X = RNG.randint(0, 17, size=(60, 36))
    model = BooleanConvClassifier((4,), 16, image_shape=(6, 6), max_iter=2, random_state=0)
    model.fit(X, X[:, 14] > 8)
    reasons = explain(model, X[0])
    assert reasons.feature_support.shape == (36,)
    assert reasons.value == abs(model.decision_function(X[:1])[0])


def test_a_frame_of_one_row_keeps_its_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": RNG.randint(18, 90, 200), "job": RNG.choice(["cook", "smith"], 200)})
    model = BooleanClassifier(64, max_iter=5, random_state=0).fit(frame, frame["job"] == "cook")
    reasons = explain(model, frame.iloc[:1])
    assert reasons.feature_names == ["age", "job"]
    for j, name in enumerate(frame):
        hidden = frame.iloc[:1].astype(object)
        hidden[name] = None
        assert reasons.feature_support[j] == reasons.value - margins(model, hidden, reasons.answer)[0]
    assert "job=cook" in reasons.table(of="bits")
    assert explain(model, frame.iloc[0]).table() == reasons.table()
    assert [line.split()[1] for line in str(reasons).splitlines()[2:]] == ["age", "job"]


def test_what_cannot_be_explained_is_refused_by_name():
    X = RNG.rand(50, 2)
    model = BooleanClassifier(16, max_iter=1, random_state=0).fit(X, X[:, 0] > 0.5)
    with pytest.raises(TypeError, match="model must be an estimator of"):
        explain(LogisticRegression().fit(X, X[:, 0] > 0.5), X[0])
    with pytest.raises(TypeError, match="of a pipeline, give the last step"):
        explain(make_pipeline(StandardScaler(), model), X[0])
    with pytest.raises(NotFittedError):
        explain(BooleanClassifier(), X[0])
    with pytest.raises(ValueError, match="row must be one sample, got 2"):
        explain(model, X[:2])
    with pytest.raises(ValueError, match=r"output must be one of the classes \[False, True\], got 7"):
        explain(model, X[0], output=7)
    with pytest.raises(ValueError, match="n must be an integer >= 1"):
        explain(model, X[0]).table(n=-1)
    with pytest.raises(ValueError, match="of must be 'features' or 'bits'"):
        explain(model, X[0]).ranked("rows")
    numbers = BooleanRegressor(16, max_iter=1, random_state=0).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="output must be the number of a column, from 0 to 0, got 1"):
        explain(numbers, X[0], output=1)
