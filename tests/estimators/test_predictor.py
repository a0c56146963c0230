"""The predictor of each estimator: the answers of the model, from any thread, whatever happens to the model."""

import threading

import numpy as np
import pytest

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    TableEncoder,
    backends,
)
from bvar.networks import SquaredError

METHODS = ("predict", "decision_function", "predict_proba")


def table(n_rows=150, n_features=9, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (n_rows, n_features)).astype(np.float64)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def fitted(name, backend=None):
    X, short = table(), {"max_iter": 2, "random_state": 0, "backend": backend}
    total = np.nansum(X, axis=1)
    two, three = total > np.median(total), np.digitize(total, np.quantile(total, [0.3, 0.6]))
    labels = np.column_stack([two, X[:, 0] > 100])
    kinds = {
        "two": lambda: BooleanClassifier((33,), **short).fit(X, two),
        "front": lambda: BooleanClassifier((33,), gates=70, **short).fit(X, np.array(["a", "b", "c"])[three]),
        "labels": lambda: BooleanClassifier((33,), offsets=True, **short).fit(X, labels.astype(int)),
        "mixed": lambda: BooleanClassifier((33,), encoder=TableEncoder(categorical=[0, 3]), **short).fit(X, three),
        "outside": lambda: BooleanClassifier((33,), loss=SquaredError(9), **short).fit(X, labels.astype(int)),
        "number": lambda: BooleanRegressor((33,), **short).fit(X, total),
        "numbers": lambda: BooleanRegressor((), offsets=True, **short).fit(X, np.column_stack([total, -total])),
        "conv": lambda: BooleanConvClassifier((5, "M"), (20,), image_shape=(3, 3), **short).fit(X, three),
        "gates": lambda: LogicGateClassifier((60, 40), **short).fit(X, three),
    }
    return kinds[name]()


NAMES = ["two", "front", "labels", "mixed", "number", "numbers", "conv", "gates"]
each_model = pytest.mark.parametrize("name", NAMES)


def assert_same_answers(predictor, model, rows):
    for method in METHODS:
        assert hasattr(predictor, method) is hasattr(model, method)
        if hasattr(model, method):
            expected = getattr(model, method)(rows)
            np.testing.assert_array_equal(getattr(predictor, method)(rows), expected, strict=True)
            for i in range(min(len(rows), 3)):
                np.testing.assert_array_equal(getattr(predictor, method)(rows[i]), expected[i])


@each_model
@pytest.mark.parametrize("backend", backends.available())
def test_the_answers_are_those_of_the_model_on_every_backend(name, backend):
    model = fitted(name, backend)
    predictor = model.predictor()
    assert predictor.backend == backend
    rows = table(200, seed=1)
    complete = np.where(np.isnan(rows), 7, rows)
    for some in (rows, complete, complete.astype(np.uint8), rows.astype(np.float32), complete.astype(np.int64)):
        assert_same_answers(predictor, model, some)
    assert_same_answers(predictor, model, np.asfortranarray(rows)[::3, ::1])
    assert_same_answers(predictor, model, np.tile(rows, (50, 1)))  # more than one chunk


@each_model
def test_a_model_that_learns_more_does_not_change_its_predictor(name):
    model, rows = fitted(name), table(100, seed=2)
    predictor = model.predictor()
    before = {method: getattr(model, method)(rows) for method in METHODS if hasattr(model, method)}
    for parameter in model.network_.parameters:
        for values in (getattr(parameter, "bits", None), getattr(parameter, "values", None)):
            if values is not None:
                getattr(values, "words", values)[...] = 0
    model.encoder_.n_features_in_ = 1
    model.fit(table(seed=3), np.arange(150) % 2)
    for method, answers in before.items():
        np.testing.assert_array_equal(getattr(predictor, method)(rows), answers)


@each_model
def test_threads_in_parallel_get_the_answers_that_one_gets(name):
    model, rows = fitted(name), table(64, seed=4)
    predictor, expected, wrong = model.predictor(), model.predict(rows), []
    barrier = threading.Barrier(4)

    def ask(first):
        barrier.wait()
        for i in range(first, first + 200):
            if not np.array_equal(predictor.predict(rows[i % 64]), expected[i % 64]):
                wrong.append(i)

    threads = [threading.Thread(target=ask, args=(16 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_backend_is_the_one_that_was_in_force_when_it_was_made():
    model = fitted("front")
    with backends.use("numpy"):
        predictor = model.predictor()
    assert predictor.backend == "numpy"
    assert_same_answers(predictor, model, table(50, seed=5))
    assert backends.current() != "numpy" or backends.available() == ("numpy",)


@each_model
def test_no_rows_have_no_answers(name):
    predictor = fitted(name).predictor()
    for rows in (np.zeros((0, 9)), np.zeros((0, 9), np.uint8)):
        assert len(predictor.predict(rows)) == 0


def test_text_is_taken_where_the_model_takes_it():
    X = np.array([["cook", 1.0], ["smith", 2.5], [None, 3.0]] * 9, dtype=object)
    model = BooleanClassifier((16,), max_iter=1, random_state=0).fit(X, [0, 1, 1] * 9)
    assert_same_answers(model.predictor(), model, X)


def test_a_predictor_has_the_methods_of_its_model():
    assert not hasattr(fitted("outside").predictor(), "predict_proba")
    assert not hasattr(fitted("number").predictor(), "decision_function")


def test_nothing_of_a_predictor_can_be_set():
    predictor = fitted("two").predictor()
    for name in ("n_features", "answers", "_encoder", "backend", "more"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(predictor, name, None)
    with pytest.raises(AttributeError, match="cannot be changed"):
        del predictor.n_features
    with pytest.raises(TypeError):
        predictor.answers["predict"] = None


def test_rows_that_are_none_are_refused():
    predictor = fitted("two").predictor()
    for rows, text in (
        ([[1.0] * 9], "got list"),
        (np.array([["a"] * 9]), "got dtype <U1"),
        (np.zeros((2, 9), complex), "got dtype complex128"),
    ):
        with pytest.raises(TypeError, match=text):
            predictor.predict(rows)
    for shape in ((2, 8), (8,), (), (1, 2, 9)):
        with pytest.raises(ValueError, match=r"rows must have the shape \(n_rows, 9\) or \(9,\), got"):
            predictor.predict(np.zeros(shape))
    with pytest.raises(ValueError, match="infinity"):
        predictor.predict(np.full((1, 9), np.inf))
    with pytest.raises(ValueError, match="not fitted"):
        BooleanClassifier().predictor()


def test_rows_with_a_mask_are_refused():
    X = np.arange(40.0).reshape(20, 2)
    predictor = BooleanClassifier(max_iter=2, random_state=0).fit(X, [0, 1] * 10).predictor()
    with pytest.raises(TypeError, match=r"rows must be an array of Booleans, .* got MaskedArray"):
        predictor.predict(np.ma.masked_array(X, mask=X > 3))
