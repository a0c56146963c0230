"""The thermometer encoder: its thresholds by hand, and its laws."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from bvar import ThermometerEncoder

SUPERVISED = ThermometerEncoder(strategy="supervised")


def thresholds(column, y=None, **parameters):
    (found,) = ThermometerEncoder(**parameters).fit(np.array(column, float)[:, None], y).thresholds_
    return found.tolist()


# -------------------------------------------------------------------------------- by hand


def test_few_distinct_values_get_a_threshold_between_each_two():
    assert thresholds([3, 1, 1, 2]) == [1.5, 2.5]
    assert thresholds([0, 1, 0, 1]) == [0.5]
    assert thresholds([0, 1, 0, 1], strategy="uniform") == [0.5]
    assert thresholds([3, 1, 1, 2], y=[0, 0, 0, 0], strategy="supervised") == [1.5, 2.5]


def test_quantiles_split_the_data_evenly_and_uniform_splits_the_range():
    column = [*range(8), 100, 1000, 10000, 100000]
    assert thresholds(column, n_bits=3) == [2.5, 5.5, 550]
    column = [*column, 40000, 60000]
    assert thresholds(column, n_bits=3, strategy="uniform") == [25000, 50000, 75000]


def test_a_value_that_fills_most_of_a_column_counts_as_one_share():
    column = [0] * 90 + list(range(1, 11))
    assert thresholds(column, n_bits=4) == [0.5, 3.5, 5.5, 8.5]
    assert thresholds([*range(1, 11), *[99] * 90], n_bits=4) == [3.5, 6.5, 8.5, 54.5]


def test_thresholds_with_no_value_between_them_are_one_question():
    column = [*range(12), 100000]
    assert thresholds(column, n_bits=3, strategy="uniform") == [25000]
    assert thresholds([*column, 40000], n_bits=3, strategy="uniform") == [25000, 50000]


def test_a_constant_or_empty_column_gets_a_bit_if_there_is_no_other():
    assert thresholds([7, 7, 7]) == [7]
    assert thresholds([np.nan, np.nan]) == [0]
    assert thresholds([np.nan, 7], y=[0, 1], strategy="supervised") == [7]


def test_a_constant_column_of_booleans_is_a_constant_column():
    X = np.array([[True, False], [True, False]])
    assert [t.tolist() for t in ThermometerEncoder().fit(X).thresholds_] == [[1], []]


@pytest.mark.parametrize("low", [0.0, 5e-324, 1.0, -1.0, 1e308])
def test_neighbouring_floats_are_told_apart(low):
    high = np.nextafter(low, np.inf)
    (found,) = thresholds([low, high])
    assert low < found <= high


def test_the_middle_of_large_numbers_does_not_overflow():
    assert thresholds([1e308, 1.5e308]) == [1.25e308]


def test_integers_that_float64_cannot_tell_apart_are_one_value():
    big = 2**60
    X = np.array([[big], [big + 1], [big + 2**20]])
    assert ThermometerEncoder().fit(X).thresholds_[0].tolist() == [float(big + 2**19)]


# ------------------------------------------------------------------------------ supervised


def test_supervised_thresholds_are_where_the_target_changes():
    column = np.arange(100)
    assert thresholds(column, y=(column >= 30) & (column < 80), n_bits=2, strategy="supervised") == [29.5, 79.5]
    assert thresholds(column, y=np.where(column < 30, "a", "b"), n_bits=4, strategy="supervised") == [29.5]
    assert thresholds(column, y=np.where(column < 30, 0.25, 7.5), n_bits=4, strategy="supervised") == [29.5]
    two = np.c_[column < 30, column < 80]
    assert thresholds(column, y=two, n_bits=2, strategy="supervised") == [29.5, 79.5]


def test_a_target_of_floats_is_a_number_and_any_other_a_class():
    """By squared error 0 and 1 are alike and 100 is far; as classes all differ equally."""
    column = np.arange(90)
    y = np.repeat([0, 1, 100], 30)
    assert thresholds(column, y=y.astype(float), n_bits=1, strategy="supervised") == [59.5]
    assert thresholds(column, y=y, n_bits=1, strategy="supervised") == [29.5]
    assert thresholds(column, y=np.array(["x", "y", "z"])[y % 98 % 3], n_bits=1, strategy="supervised") == [29.5]


def test_supervised_does_not_see_missing_values_or_scale():
    column = np.arange(200.0)
    y = column >= 120
    gaps = column.copy()
    gaps[::3] = np.nan
    assert thresholds(gaps, y=y, strategy="supervised") == [120]  # 120 itself is missing
    huge = np.where(column < 100, -1, 1) * 1e300 * (1 + column)
    assert thresholds(huge, y=y, n_bits=4, strategy="supervised") == [1.205e302]


def test_supervised_leaves_no_splinters():
    """One sample at the edge of 360 is noise: the smallest leaf is 360 / (4 * 9) = 10."""
    column = np.arange(360)
    y = column > 150
    y[[0, 359]] ^= True
    found = thresholds(column, y=y, strategy="supervised")
    assert 150.5 in found
    assert min(found) >= 9.5
    assert max(found) <= 349.5


def test_a_feature_that_a_tree_cannot_split_gets_quantiles():
    column = np.arange(100)
    found = thresholds(column, y=np.zeros(100), strategy="supervised")
    assert found == thresholds(column, strategy="quantile")


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 6))
def test_supervised_thresholds_are_those_of_a_decision_tree(seed, numbers, n_bits):
    """Where float32 is exact, the tree may as well see the values themselves."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 40, 120) * 2.0
    y = rng.normal(x, 20) if numbers else (x + rng.normal(0, 20, 120)).astype(int) // 30
    assume(len(np.unique(x)) - 1 > n_bits)
    tree = (DecisionTreeRegressor if numbers else DecisionTreeClassifier)(
        max_leaf_nodes=n_bits + 1, min_samples_leaf=-(-120 // (4 * (n_bits + 1))), random_state=0
    )
    tree = tree.fit(np.searchsorted(np.unique(x), x)[:, None], y).tree_
    ranks = np.sort(tree.threshold[tree.feature >= 0])
    values = np.unique(x)
    expected = [(values[int(r)] + values[int(r) + 1]) / 2 for r in ranks]
    assert thresholds(x, y=y, n_bits=n_bits, strategy="supervised") == expected


def test_only_supervised_asks_for_a_target():
    assert get_tags(SUPERVISED).target_tags.required
    assert not get_tags(ThermometerEncoder()).target_tags.required


def test_supervised_is_deterministic():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    one, two = (ThermometerEncoder(strategy="supervised").fit(X, y).thresholds_ for _ in range(2))
    assert [t.tolist() for t in one] == [t.tolist() for t in two]


# ------------------------------------------------------------------------------------ laws


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=40),
    st.integers(1, 9),
    st.sampled_from(["quantile", "uniform", "supervised"]),
)
def test_larger_numbers_answer_true_to_more_questions(column, n_bits, strategy):
    X = np.array(column)[:, None]
    encoder = ThermometerEncoder(n_bits, strategy).fit(X, np.arange(len(X)) % 2)
    (found,) = encoder.thresholds_
    assert 1 <= len(found) <= n_bits
    assert (np.diff(found) > 0).all()
    codes = encoder.transform(X[np.argsort(X[:, 0])])
    assert (np.diff(codes, axis=0) >= 0).all()
    assert (np.diff(codes, axis=1) <= 0).all()
    np.testing.assert_array_equal(encoder.transform(X), np.where(found <= X, 1, -1))
    if len(set(column)) - 1 <= n_bits:  # nothing is lost
        assert len({tuple(c) for c in codes.tolist()}) == len(set(column))


def test_nan_becomes_the_zero_of_m():
    codes = ThermometerEncoder().fit_transform(np.array([[0.0, np.nan], [1, 5], [np.nan, 6]]))
    assert codes.tolist() == [[-1, 0], [1, -1], [0, 1]]


def test_names_are_questions():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [10.0, 20, 30], "tall": [0.0, 1, 1]})
    encoder = ThermometerEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["age>=15", "age>=25", "tall>=0.5"]
    assert encoder.get_feature_names_out(["age", "tall"]).tolist() == encoder.get_feature_names_out().tolist()
    with pytest.raises(ValueError, match="input_features must be equal to feature_names_in_"):
        encoder.get_feature_names_out(["tall", "age"])  # the questions of one would stand under the other's name
    unnamed = ThermometerEncoder().fit(frame.to_numpy())
    assert unnamed.get_feature_names_out(["a", "b"]).tolist() == ["a>=15", "a>=25", "b>=0.5"]
    assert [encoder.meaning(i) for i in range(3)] == ["age >= 15", "age >= 25", "tall >= 0.5"]


def test_thresholds_that_six_digits_cannot_tell_apart_are_written_in_full():
    encoder = ThermometerEncoder().fit([[1e7], [1e7 + 1], [1e7 + 2]])
    assert encoder.get_feature_names_out().tolist() == ["x0>=10000000.5", "x0>=10000001.5"]


# -------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"n_bits": 0}, "n_bits must be an integer >= 1"),
        ({"n_bits": 2.0}, "n_bits must be an integer >= 1"),
        ({"strategy": "kmeans"}, "strategy must be one of 'quantile', 'uniform', 'supervised'"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        ThermometerEncoder(**parameters).fit(np.eye(3))


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (None, "strategy='supervised' requires y to be passed, but the target y is None"),
        ([0, 1], r"inconsistent numbers of samples: \[3, 2\]"),
        ([0.0, np.nan, 1.0], "Input y contains NaN"),
        (np.array(["a", None, "b"]), "y must hold labels of one kind"),
    ],
)
def test_bad_targets_are_refused(y, text):
    with pytest.raises((TypeError, ValueError), match=text):
        SUPERVISED.fit(np.eye(3), y)


def test_text_is_refused_by_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": [1, 2], "job": ["cook", None]})
    with pytest.raises(ValueError, match=r"column 'job' must hold numbers: could not convert string.*'cook'"):
        ThermometerEncoder().fit(frame)
    with pytest.raises(TypeError, match=r"column 'x1' must hold numbers: .*dict"):
        ThermometerEncoder().fit(np.array([[1, {}], [2, 3]], dtype=object))
    with pytest.raises(ValueError, match="column 'x0' must hold numbers: int too"):
        ThermometerEncoder().fit(np.array([[10**400]], dtype=object))


def test_none_and_the_na_of_pandas_are_missing_numbers():
    pandas = pytest.importorskip("pandas")
    X = np.array([[1.5], [None], [pandas.NA], [np.nan], [3]], dtype=object)
    assert ThermometerEncoder().fit_transform(X).ravel().tolist() == [-1, 0, 0, 0, 1]
