"""One bit per category: by hand, against scikit-learn's encoder, and its refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from bvar.encoding import OneHotBits


def column(*values):
    out = np.empty((len(values), 1), object)
    out[:, 0] = values
    return out


def test_each_category_has_a_bit_in_sorted_order():
    encoder = OneHotBits().fit(column("smith", "cook", "cook"))
    assert encoder.categories_ == [["cook", "smith"]]
    assert encoder.infrequent_categories_ == [[]]
    assert encoder.transform(column("cook", "smith")).tolist() == [[1, -1], [-1, 1]]
    assert encoder.get_feature_names_out(["job"]).tolist() == ["job=cook", "job=smith"]
    assert encoder.meaning(1) == "x0 = smith"


def test_an_unseen_category_is_false_and_a_missing_one_unknown():
    pandas = pytest.importorskip("pandas")
    encoder = OneHotBits().fit(column("a", "b", None))
    values = column("c", None, np.nan, np.float32("nan"), pandas.NA, pandas.NaT, 7, "b", ("a",))
    expected = [[-1, -1], *[[0, 0]] * 5, [-1, -1], [-1, 1], [-1, -1]]
    assert encoder.transform(values).tolist() == expected
    assert encoder.categories_ == [["a", "b"]]


def test_a_feature_without_values_has_no_bit():
    X = np.array([[None, "a"], [None, "b"]], dtype=object)
    encoder = OneHotBits().fit(X)
    assert encoder.categories_ == [[], ["a", "b"]]
    assert encoder.transform(np.array([["z", "a"], [3, "b"], [None, None]], object)).tolist() == [
        [1, -1],
        [-1, 1],
        [0, 0],
    ]
    assert encoder.encode(X).known is None
    with pytest.raises(ValueError, match="X has nothing to encode: all values of all columns are missing"):
        OneHotBits().fit(column(None, np.nan))


def test_equal_numbers_are_one_category_and_written_alike():
    kinds = [[1, 2], [1.0, 2.0], [np.float32(1), np.int8(2)], [True, 2]]
    encoders = [OneHotBits().fit(column(*values)) for values in kinds]
    assert [e.transform(column(*v)).tolist() for e in encoders for v in kinds] == [[[1, -1], [-1, 1]]] * 16
    assert [e.categories_ for e in encoders[:3]] == [[[1, 2]]] * 3
    assert all(type(c) is int for e in encoders[:3] for c in e.categories_[0])
    assert OneHotBits().fit(np.array([[1.0], [np.nan]])).get_feature_names_out().tolist() == ["x0=1"]
    assert OneHotBits().fit(np.array([[0.5], [np.nan]])).categories_ == [[0.5]]
    assert OneHotBits().fit(np.array([[True], [False]])).get_feature_names_out().tolist() == [
        "x0=False",
        "x0=True",
    ]


def test_a_number_is_not_its_numeral():
    encoder = OneHotBits().fit(column("1", 1, 2.5, "b"))
    assert encoder.categories_ == [[1, 2.5, "1", "b"]]
    assert encoder.get_feature_names_out().tolist() == ["x0=1", "x0=2.5", "x0='1'", "x0='b'"]


def test_a_list_keeps_its_types():
    assert OneHotBits().fit([[1, "a"], [2, "b"]]).categories_ == [[1, 2], ["a", "b"]]


def test_strings_of_any_dtype_are_alike():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    jobs = ["cook", "smith", "cook", "a longer one"]
    tables = [
        [[job] for job in jobs],
        column(*jobs),
        np.array(jobs)[:, None],
        np.array(jobs, dtype=np.dtypes.StringDType())[:, None],
        pandas.DataFrame({"x0": jobs}),
        pandas.DataFrame({"x0": pandas.Series(jobs, dtype=object)}),
        pandas.DataFrame({"x0": pandas.Categorical(jobs)}),
        pandas.DataFrame({"x0": pandas.array(jobs, dtype="string")}),
        polars.DataFrame({"x0": jobs}),
        polars.DataFrame({"x0": polars.Series(jobs, dtype=polars.Categorical)}),
        polars.DataFrame({"x0": polars.Series(jobs, dtype=polars.Enum(sorted(set(jobs))))}),
    ]
    for table in tables:
        encoder = OneHotBits().fit(table)
        assert encoder.categories_ == [["a longer one", "cook", "smith"]]
        assert encoder.transform(table).tolist() == [[-1, 1, -1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]]


# --------------------------------------------------------------------------------- rare ones


def test_the_rarest_share_the_last_bit():
    X = column(*"aaaabbbccd")
    encoder = OneHotBits(max_categories=3).fit(X)
    assert encoder.categories_ == [["a", "b"]]
    assert encoder.infrequent_categories_ == [["c", "d"]]
    assert encoder.transform(column("a", "c", "d", "e", None)).tolist() == [
        [1, -1, -1],
        [-1, -1, 1],
        [-1, -1, 1],
        [-1, -1, -1],
        [0, 0, 0],
    ]
    assert encoder.get_feature_names_out().tolist() == ["x0=a", "x0=b", "x0=(rare)"]
    assert encoder.meaning(2) == "x0 is rare: c, d"
    many = OneHotBits(max_categories=1).fit(column(*range(9)))
    assert many.meaning(0) == "x0 is rare: 0, 1, 2, 3, 4 and 4 more"


def test_nothing_is_pooled_that_fits():
    assert OneHotBits(max_categories=4).fit(column(*"aaaabbbccd")).infrequent_categories_ == [[]]


def test_min_frequency_counts_samples_or_their_share():
    X = column(*"aaaabbbcc", None)
    assert OneHotBits(min_frequency=3).fit(X).infrequent_categories_ == [["c"]]
    assert OneHotBits(min_frequency=0.3).fit(X).infrequent_categories_ == [["c"]]
    assert OneHotBits(min_frequency=0.31).fit(X).infrequent_categories_ == [["b", "c"]]
    assert OneHotBits(min_frequency=1).fit(X).infrequent_categories_ == [[]]


def test_both_limits_hold_at_once():
    encoder = OneHotBits(max_categories=3, min_frequency=2).fit(column(*"aaaabbbccd"))
    assert encoder.categories_ == [["a", "b"]]
    assert encoder.infrequent_categories_ == [["c", "d"]]


@given(
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 4)), min_size=1, max_size=60),
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 9) | st.floats(0.01, 0.5),
)
def test_complete_data_is_encoded_as_by_scikit_learn(rows, max_categories, min_frequency):
    """But for a pool of one, which scikit-learn makes when exactly `max_categories` would fit."""
    X = np.array(rows, dtype=object)
    limits = {"max_categories": max_categories, "min_frequency": min_frequency}
    encoder = OneHotBits(**limits).fit(X)
    theirs = OneHotEncoder(sparse_output=False, **limits).fit(X)
    ours, expected = encoder.transform(X), 2 * theirs.transform(X).astype(np.int8) - 1
    first = 0
    for kept, pooled, infrequent in zip(
        encoder.categories_,
        encoder.infrequent_categories_,
        getattr(theirs, "infrequent_categories_", [None, None]),
        strict=True,
    ):
        width = len(kept) + bool(pooled)
        if width == 0:  # theirs asks a constant, ours does not
            expected = np.delete(expected, first, axis=1)
            continue
        part, wanted = ours[:, first : first + width], expected[:, first : first + width]
        first += width
        if not pooled and infrequent is not None:
            part, wanted = (np.array(sorted(m.T.tolist())) for m in (part, wanted))
        else:
            assert pooled == ([] if infrequent is None else infrequent.tolist())
        np.testing.assert_array_equal(part, wanted)
    assert first == ours.shape[1] == expected.shape[1]


@given(st.lists(st.none() | st.text(max_size=3) | st.integers() | st.floats(allow_infinity=False), min_size=1))
def test_a_value_answers_true_once(values):
    X = column(*values, "at least one")
    encoder = OneHotBits().fit(X)
    for value, code in zip(X[:, 0], encoder.transform(X).tolist(), strict=True):
        if value is None or value != value:
            assert set(code) == {0}
        else:
            assert code.count(1) == 1
            assert encoder.categories_[0][code.index(1)] == value
            assert code.count(-1) == len(code) - 1


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"max_categories": 0}, "max_categories must be an integer >= 1, got 0"),
        ({"max_categories": 2.5}, "max_categories must be an integer >= 1, got 2.5"),
        ({"min_frequency": 0}, r"min_frequency must be an integer >= 1 or a float in \(0, 1\), got 0"),
        ({"min_frequency": 1.0}, r"min_frequency must be .*, got 1.0"),
        ({"min_frequency": True}, r"min_frequency must be .*, got True"),
        ({"min_frequency": "many"}, r"min_frequency must be .*, got 'many'"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        OneHotBits(**parameters).fit(column("a"))


@pytest.mark.parametrize(
    ("value", "what"),
    [({}, "dict"), ([1], "list"), ((1,), "tuple"), (b"x", "bytes"), (np.inf, "inf"), (1j, "complex")],
)
def test_what_is_no_category_is_refused_by_name(value, what):
    X = np.empty((2, 2), object)
    X[:] = "a"
    X[1, 1] = value
    text = rf"must be a string or a finite number, got {what} in column 'x1'"
    with pytest.raises(TypeError, match=text):
        OneHotBits().fit(X)
    if what in ("dict", "list"):
        X[0, 1] = "b"
        with pytest.raises(TypeError, match=text):
            OneHotBits().fit(np.full((1, 2), "a", object)).encode(X)


def test_numbers_where_there_was_text_are_refused_by_name():
    encoder = OneHotBits().fit(np.array([["1", "2"], ["3", "4"]]))
    for numbers in (np.array([[1, 2]]), np.array([[1, 2]], object), [[1, None]]):
        with pytest.raises(TypeError, match="column 'x0' held text in fit, but now has numbers such as 1"):
            encoder.encode(numbers)
    assert encoder.transform(np.array([[np.nan, np.nan]])).tolist() == [[0, 0, 0, 0]]


def test_text_where_there_were_numbers_is_refused_by_name():
    encoder = OneHotBits().fit(np.array([[1, 2], [3, 4]]))
    for text in (np.array([["1", "2"]]), np.array([["1", "2"]], object), [["1", None]]):
        with pytest.raises(TypeError, match="column 'x0' held numbers in fit, but now has text such as '1'"):
            encoder.encode(text)
    assert encoder.transform(np.array([[None, None]], object)).tolist() == [[0, 0, 0, 0]]
    assert encoder.transform([[7, 2], ["?", 2], [1, 2]])[:2].tolist() == [[-1, -1, 1, -1]] * 2  # a stray one
