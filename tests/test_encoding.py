"""The thermometer encoder: its thresholds by hand, its laws, and the contract of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from bvar import ThermometerEncoder


def thresholds(column, **parameters):
    (found,) = ThermometerEncoder(**parameters).fit(np.array(column, float)[:, None]).thresholds_
    return found.tolist()


def test_few_distinct_values_get_a_threshold_between_each_two():
    assert thresholds([3, 1, 1, 2]) == [1.5, 2.5]
    assert thresholds([0, 1, 0, 1]) == [0.5]
    assert thresholds([0, 1, 0, 1], strategy="uniform") == [0.5]


def test_quantiles_split_the_data_evenly_and_uniform_splits_the_range():
    column = [*range(8), 100, 1000, 10000, 100000]
    assert thresholds(column, n_bits=3) == [2.5, 5.5, 550]
    assert thresholds(column, n_bits=3, strategy="uniform") == [25000, 50000, 75000]


def test_a_value_that_fills_most_of_a_column_is_cut_off_not_repeated():
    column = [0] * 90 + list(range(1, 11))
    assert thresholds(column, n_bits=4) == [0.5]
    assert thresholds([*range(1, 11), *[99] * 90], n_bits=4) == [54.5]


def test_constant_and_empty_columns_get_one_bit():
    assert thresholds([7, 7, 7]) == [7]
    assert thresholds([np.nan, np.nan]) == [0]


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=40),
    st.integers(1, 9),
    st.sampled_from(["quantile", "uniform"]),
)
def test_larger_numbers_answer_true_to_more_questions(column, n_bits, strategy):
    X = np.array(column)[:, None]
    encoder = ThermometerEncoder(n_bits, strategy).fit(X)
    (found,) = encoder.thresholds_
    assert 1 <= len(found) <= n_bits
    assert (np.diff(found) > 0).all()
    codes = encoder.transform(X[np.argsort(X[:, 0])])
    assert (np.diff(codes, axis=0) >= 0).all()
    assert (np.diff(codes, axis=1) <= 0).all()
    if len(set(column)) - 1 <= n_bits:  # nothing is lost
        assert len({tuple(c) for c in codes.tolist()}) == len(set(column))


def test_nan_becomes_the_zero_of_m():
    codes = ThermometerEncoder().fit_transform(np.array([[0.0, np.nan], [1, 5], [np.nan, 6]]))
    assert codes.tolist() == [[-1, 0], [1, -1], [0, 1]]


def test_many_rows_are_encoded_in_blocks(monkeypatch):
    X = np.random.default_rng(0).random((50, 3))
    X[30, 1] = np.nan
    encoder = ThermometerEncoder(4).fit(X)
    whole = encoder.transform(X)
    monkeypatch.setattr("bvar.encoding._BLOCK", 100)
    np.testing.assert_array_equal(encoder.transform(X), whole, strict=True)


def test_names_are_questions():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [10.0, 20, 30], "tall": [0.0, 1, 1]})
    encoder = ThermometerEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["age>=15", "age>=25", "tall>=0.5"]
    assert encoder.get_feature_names_out(["a", "b"]).tolist() == ["a>=15", "a>=25", "b>=0.5"]
    with pytest.raises(ValueError, match="input_features must have 2 names"):
        encoder.get_feature_names_out(["a"])


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"n_bits": 0}, "n_bits must be an integer >= 1"),
        ({"n_bits": 2.0}, "n_bits must be an integer >= 1"),
        ({"strategy": "kmeans"}, "strategy must be one of 'quantile', 'uniform'"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        ThermometerEncoder(**parameters).fit(np.eye(3))


def test_unfitted_use_and_infinity_are_refused():
    with pytest.raises(NotFittedError, match="ThermometerEncoder"):
        ThermometerEncoder().transform(np.eye(2))
    with pytest.raises(ValueError, match="infinity"):
        ThermometerEncoder().fit(np.array([[np.inf]]))


@parametrize_with_checks([ThermometerEncoder()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
