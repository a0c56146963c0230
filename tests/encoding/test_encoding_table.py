"""The encoder of mixed tables: what it takes a column for, and that it asks the questions of the other two."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import get_tags

from bvar.encoding import OneHotBits, TableEncoder, ThermometerEncoder


def column(*values):
    out = np.empty((len(values), 1), object)
    out[:, 0] = values
    return out


def mixed(library):
    """The same six people in every kind of table."""
    age = [30.5, 41, None, 22, 30.5, 60]
    rooms = [1, 2, 2, 3, 1, 4]
    job = ["cook", "smith", None, "cook", "pilot", "smith"]
    married = [True, False, True, True, False, False]
    owner = [True, None, False, True, True, None]
    columns = {"age": age, "rooms": rooms, "job": job, "married": married, "owner": owner}
    if library == "object":
        return np.array(list(columns.values()), dtype=object).T
    if library == "list":
        return [list(row) for row in zip(*columns.values(), strict=True)]
    frames = pytest.importorskip(library.split("-")[0])
    if library == "pandas-nullable":
        dtypes = {"age": "Float64", "rooms": "Int64", "job": "string", "married": "boolean", "owner": "boolean"}
        return frames.DataFrame({k: frames.array(v, dtype=dtypes[k]) for k, v in columns.items()})
    if library == "pandas-category":
        return frames.DataFrame(columns).astype({"job": "category"})
    if library == "polars-category":
        return frames.DataFrame(columns).with_columns(frames.col("job").cast(frames.Categorical))
    return frames.DataFrame(columns)


LIBRARIES = ["object", "list", "pandas", "pandas-nullable", "pandas-category", "polars", "polars-category"]
NAMES = ["age>=26.25", "age>=35.75", "age>=50.5", "rooms>=1.5", "rooms>=2.5", "rooms>=3.5"]
NAMES += ["job=cook", "job=pilot", "job=smith", "married", "owner"]
CODES = [
    [1, -1, -1, -1, -1, -1, 1, -1, -1, 1, 1],
    [1, 1, -1, 1, -1, -1, -1, -1, 1, -1, 0],
    [0, 0, 0, 1, -1, -1, 0, 0, 0, 1, -1],
    [-1, -1, -1, 1, 1, -1, 1, -1, -1, 1, 1],
    [1, -1, -1, -1, -1, -1, -1, 1, -1, -1, 1],
    [1, 1, 1, 1, 1, 1, -1, -1, 1, -1, 0],
]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_mixed_table_by_hand(library):
    encoder = TableEncoder().fit(mixed(library))
    assert encoder.kinds_ == ["number", "number", "category", "bool", "bool"]
    assert encoder.transform(mixed(library)).tolist() == CODES
    names = ["age", "rooms", "job", "married", "owner"]
    assert encoder.get_feature_names_out(names).tolist() == NAMES
    assert encoder.n_bits_out_ == len(NAMES)


def test_a_bit_has_a_meaning():
    encoder = TableEncoder().fit(mixed("pandas"))
    assert [encoder.meaning(i) for i in (0, 7, 9)] == ["age >= 26.25", "job = pilot", "married is true"]


@pytest.mark.parametrize("seen", LIBRARIES)
@pytest.mark.parametrize("used", LIBRARIES)
@pytest.mark.filterwarnings("ignore:X (does not have|has) .*feature names")
def test_one_kind_of_table_may_be_fitted_and_another_encoded(seen, used):
    assert TableEncoder().fit(mixed(seen)).transform(mixed(used)).tolist() == CODES


@given(st.integers(0, 2**32 - 1), st.sampled_from(["quantile", "uniform", "supervised"]), st.integers(1, 9))
def test_numbers_get_the_bits_of_the_thermometer(seed, strategy, n_bits):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(80, 4)) * 10.0 ** rng.integers(-9, 9, 4), rng.integers(0, 2, 80)
    X[:, 1] = np.round(X[:, 1])
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 3] = rng.choice([np.nan, 5])
    table, thermometer = (c(n_bits, strategy).fit(X, y) for c in (TableEncoder, ThermometerEncoder))
    np.testing.assert_array_equal(table.transform(X), thermometer.transform(X), strict=True)
    assert table.get_feature_names_out().tolist() == thermometer.get_feature_names_out().tolist()


def test_text_gets_the_bits_of_one_hot():
    X = np.array([["a", "x"], ["b", "y"], ["a", "z"], ["c", "z"]])
    table, one_hot = TableEncoder(max_categories=2).fit(X), OneHotBits(max_categories=2).fit(X)
    np.testing.assert_array_equal(table.transform(X), one_hot.transform(X), strict=True)
    assert table.categories_ == one_hot.categories_
    assert table.infrequent_categories_ == one_hot.infrequent_categories_
    assert table.get_feature_names_out().tolist() == one_hot.get_feature_names_out().tolist()


# --------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((1, 2), "number"),
        ((1.5, None), "number"),
        ((np.float32(1), np.int8(2), Decimal("2.5")), "number"),
        ((True, 2), "number"),
        ((True, False, None), "bool"),
        ((np.True_, False, np.nan), "bool"),
        (("1", "2"), "category"),
        (("a", np.nan), "category"),
        (("a", 1), "category"),
    ],
    ids=str,
)
def test_objects_are_what_all_of_them_are(values, kind):
    assert TableEncoder().fit(column(*values)).kinds_ == [kind]


def test_a_column_that_was_always_missing_is_no_obstacle():
    X = np.array([[None, np.nan, "a"], [None, np.nan, "b"]], dtype=object)
    encoder = TableEncoder().fit(X)
    assert encoder.n_bits_out_ == 2
    assert encoder.transform(np.array([["text", 4, "a"]], object)).tolist() == [[1, -1]]
    numbers = TableEncoder().fit(np.array([[np.nan, 1], [np.nan, 2]]))
    assert numbers.transform(np.array([[3.0, 1]])).tolist() == [[-1]]
    with pytest.raises(ValueError, match="nothing to encode"):
        TableEncoder().fit(column(None, None))


def test_booleans_keep_their_question_when_there_is_no_other():
    encoder = TableEncoder().fit(np.array([[True], [True]]))
    assert encoder.transform(np.array([[False], [True]])).tolist() == [[-1], [1]]
    assert encoder.thresholds_[0].tolist() == [0.5]


def test_a_number_at_its_threshold_answers_true():
    """Beside text, where numbers are compared apart."""
    X = np.array([["a", 2.5], ["b", 4.5]], dtype=object)
    encoder = TableEncoder().fit(X)
    assert encoder.transform(np.array([["a", 3.5]], dtype=object)).tolist() == [[1, -1, 1]]


def test_outliers_do_not_take_the_thresholds_with_them():
    x = np.r_[np.arange(100.0), 1e300, -1e300][:, None]
    (found,) = TableEncoder(8).fit(x).thresholds_
    assert (np.abs(found) < 100).all()
    assert len(found) == 8


@pytest.mark.parametrize(
    "categorical",
    [
        ["zip", "floor"],
        np.array(["zip", "floor"]),
        [0, 2],
        [0, -1],
        np.array([0, 2]),
        [True, False, True],
        ("zip", 2),
    ],
    ids=str,
)
def test_numbers_are_categories_where_one_says_so(categorical):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"zip": [20, 10, 20], "age": [1.5, 2.5, 3.5], "floor": [0.0, np.nan, 1]})
    encoder = TableEncoder(categorical=categorical).fit(frame)
    assert encoder.kinds_ == ["category", "number", "category"]
    assert encoder.get_feature_names_out().tolist() == [
        "zip=10",
        "zip=20",
        "age>=2",
        "age>=3",
        "floor=0",
        "floor=1",
    ]
    assert encoder.transform(frame)[1].tolist() == [1, -1, 1, -1, 0, 0]


@pytest.mark.parametrize("categorical", [[], (), [False, False, False]])
def test_text_is_a_category_even_if_not_selected(categorical):
    X = np.array([[1, "a", 2.5], [2, "b", 3.5]], dtype=object)
    assert TableEncoder(categorical=categorical).fit(X).kinds_ == ["number", "category", "number"]


def test_numbers_that_a_frame_declares_categorical_are_categories():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"zip": pandas.Categorical([20, 10, None])})
    encoder = TableEncoder().fit(frame)
    assert encoder.categories_ == [[10, 20]]
    assert encoder.transform(frame).tolist() == [[-1, 1], [1, -1], [0, 0]]


def test_max_categories_limits_a_column():
    encoder = TableEncoder(max_categories=3).fit(column(*"aaabbcdefg"))
    assert encoder.categories_ == [["a", "b"]]
    assert encoder.infrequent_categories_ == [list("cdefg")]
    assert TableEncoder().fit(column(*map(str, range(100)))).n_bits_out_ == 64
    assert TableEncoder(max_categories=None).fit(column(*map(str, range(100)))).n_bits_out_ == 100


def test_thresholds_are_about_a_thousand_whatever_one_says_of_categories():
    """The encoder of an estimator is that of the user who names the categories."""
    rng = np.random.default_rng(0)
    for n_columns, most in ((1, 64), (15, 64), (31, 32), (99, 10), (199, 8)):
        X = rng.random((1300, n_columns + 1))
        X[:, -1] = np.arange(1300) % 3
        encoder = TableEncoder(categorical=[-1]).fit(X)
        assert {len(t) for t in encoder.thresholds_[:-1]} == {most}
        whole = TableEncoder().fit(X)
        assert [t.tolist() for t in whole.thresholds_[:-1]] == [t.tolist() for t in encoder.thresholds_[:-1]]


def test_an_integer_gets_a_threshold_between_each_two_values():
    """A column of few integers loses nothing, and so does a heavy tail of counts."""
    counts = np.random.default_rng(0).poisson(2, 500)
    X = np.c_[counts, counts**7]
    by_value, by_power = TableEncoder().fit(X).thresholds_
    values = np.unique(counts)
    assert by_value.tolist() == ((values[1:] + values[:-1]) / 2).tolist()
    assert by_power.tolist() == ((values[1:] ** 7 + values[:-1] ** 7) / 2).tolist()


def test_heavy_tails_are_cut_by_share():
    """Thresholds grow with the tail, whatever function that rises is applied to the column."""
    x = np.random.default_rng(0).standard_cauchy(2000)
    (plain,), (cubed,) = (TableEncoder(16).fit(v[:, None]).thresholds_ for v in (x, x**3))
    parts = [np.searchsorted(np.sort(v), t).tolist() for v, t in ((x, plain), (x**3, cubed))]
    assert parts[0] == parts[1]
    assert (np.abs(np.diff(parts[0]) - 2000 / 17) < 2).all()


def test_many_categories_share_a_bit_the_rarest_first():
    names = [f"city{i}" for i in range(1000)]
    rows = [name for i, name in enumerate(names) for _ in range(1 + (i < 70) * (i + 1))]
    encoder = TableEncoder().fit(column(*rows))
    assert encoder.n_bits_out_ == 64
    assert encoder.categories_[0] == sorted(names[7:70])
    assert len(encoder.infrequent_categories_[0]) == 937
    codes = encoder.transform(column("city69", "city3", "city999", "nowhere"))
    assert codes[:, -1].tolist() == [-1, 1, 1, -1]
    assert (codes == 1).sum(axis=1).tolist() == [1, 1, 1, 0]


def test_dates_become_numbers_by_hand():
    pandas = pytest.importorskip("pandas")
    when = pandas.to_datetime(["2024-01-01", "2024-01-02", None, "2024-03-01"])
    frame = pandas.DataFrame({"when": when, "n": [1, 2, 3, 4]})
    for X in (frame, frame[["when"]].to_numpy(), frame.astype(object)):
        with pytest.raises(TypeError, match=r"dates into days|got Timestamp in column 'when'"):
            TableEncoder().fit(X)
    days = frame.assign(when=(frame.when - pandas.Timestamp("2024-01-01")).dt.days)
    encoder = TableEncoder().fit(days)
    assert encoder.thresholds_[0].tolist() == [0.5, 30.5]
    assert encoder.transform(days)[:, 0].tolist() == [-1, 1, 0, 1]


# ------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"n_bits": 0}, "n_bits must be an integer >= 1"),
        ({"n_bits": "many"}, "n_bits must be 'auto' or an integer >= 1, got 'many'"),
        ({"subsample": 1}, "subsample must be an integer >= 2, got 1"),
        ({"strategy": "mean"}, "strategy must be one of 'quantile', 'uniform', 'supervised', got 'mean'"),
        ({"max_categories": 0}, "max_categories must be an integer >= 1"),
        ({"categorical": "job"}, "categorical must be one of 'auto', got 'job'"),
        ({"categorical": ["job"]}, "mask of the 3 columns, got 'job'; the columns are x0, x1, x2"),
        ({"categorical": [3]}, "mask of the 3 columns, got 3"),
        ({"categorical": [-4]}, "mask of the 3 columns, got -4"),
        ({"categorical": [True]}, "mask of the 3 columns, got a mask of 1"),
        ({"categorical": [0.5]}, "mask of the 3 columns, got 0.5"),
        ({"categorical": 3}, r"categorical must be 'auto', or a list .*, got 3"),
        ({"categorical": None}, r"categorical must be 'auto', or a list .*, got None"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        TableEncoder(**parameters).fit(np.eye(3))


def test_a_target_is_needed_for_supervised_thresholds():
    with pytest.raises(ValueError, match="strategy='supervised' requires y to be passed"):
        TableEncoder(strategy="supervised").fit(np.eye(3))
    assert get_tags(TableEncoder(strategy="supervised")).target_tags.required
    assert not get_tags(TableEncoder()).target_tags.required


def test_infinity_beside_text_is_refused_by_name():
    pandas = pytest.importorskip("pandas")
    encoder = TableEncoder().fit(pandas.DataFrame({"job": ["a"], "n": [1.0]}))
    with pytest.raises(ValueError, match="column 'n' contains infinity"):
        encoder.encode(pandas.DataFrame({"job": ["a"], "n": [np.inf]}))


def test_a_column_that_changed_its_kind_is_refused_by_name():
    encoder = TableEncoder().fit(mixed("pandas"))
    frame = mixed("pandas")
    with pytest.raises(
        ValueError, match="column 'age' must hold numbers: could not convert string to float: 'old'"
    ):
        encoder.encode(frame.assign(age="old"))
    with pytest.raises(TypeError, match="column 'job' held text in fit, but now has numbers such as 3"):
        encoder.encode(frame.assign(job=3))
