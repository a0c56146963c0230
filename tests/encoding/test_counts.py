"""Counts of values, and the rows they are taken from: parts of a table ask what the whole table asks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar.encoding import TableEncoder, ThermometerEncoder, sample_rows

MASK = 2**64 - 1


def split_mix(state):
    """SplitMix64 in Python's integers."""
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def by_hand(n_rows, most):
    rows = []
    for i in range(most):
        start, stop = i * n_rows // most, (i + 1) * n_rows // most
        rows.append(start + ((split_mix(i) >> 32) * (stop - start) >> 32))
    return rows


# -------------------------------------------------------------------------------------- rows


@given(st.integers(1, 300), st.integers(2**8, 2**32), st.integers(1, 299))
def test_rows_are_chosen_by_their_numbers_alone(most, length, more):
    n_rows = most * (length - 1) + min(more, most)
    rows = sample_rows(n_rows, most)
    assert rows.tolist() == by_hand(n_rows, most)
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] < rows[-1] + 1 <= n_rows


def test_the_words_are_those_of_split_mix():
    """The first output from state 0, as published."""
    assert split_mix(0) == 0xE220A8397B1DCDAF
    assert sample_rows(2**33, 2)[0] == 0xE220A839


def test_all_rows_are_taken_of_a_short_table():
    assert sample_rows(5, 5) is None
    assert sample_rows(5, None) is None
    assert len(sample_rows(6, 5)) == 5


@pytest.mark.parametrize("most", [0, 2.5, "2"])
def test_a_number_of_rows_that_is_none_is_refused(most):
    with pytest.raises((TypeError, ValueError), match=f"most must be an integer >= 1, got {most!r}"):
        sample_rows(10, most)


def test_rows_have_no_period():
    """Each second of a run, of two, is chosen about half of the time."""
    assert abs((sample_rows(20_000, 10_000) % 2).mean() - 0.5) < 0.02


@pytest.mark.parametrize("cls", [ThermometerEncoder, TableEncoder])
@pytest.mark.parametrize("strategy", ["quantile", "uniform", "supervised"])
def test_thresholds_are_learnt_from_the_rows_chosen(cls, strategy):
    encoder = cls(4, strategy, subsample=50)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 3)), rng.integers(0, 3, 1000)
    rows = sample_rows(1000, 50)
    some = [t.tolist() for t in encoder.fit(X, y).thresholds_]
    assert some == [t.tolist() for t in encoder.fit(X[rows], y[rows]).thresholds_]
    assert some != [t.tolist() for t in encoder.set_params(subsample=None).fit(X, y).thresholds_]


def test_the_sample_of_a_large_table_is_of_200_000_rows():
    X = np.random.default_rng(0).random((200_001, 1))
    for cls in (ThermometerEncoder, TableEncoder):
        encoder = cls(8).fit(X)
        assert encoder.subsample == 200_000
        assert (
            encoder.thresholds_[0].tolist() == cls(8).fit(X[sample_rows(len(X), 200_000)]).thresholds_[0].tolist()
        )


def test_categories_are_counted_in_all_rows():
    X = np.full((100, 1), "a", object)
    X[sample_rows(100, 10)[0] + 1] = "b"
    assert TableEncoder(subsample=10).fit(X).categories_ == [["a", "b"]]


# ------------------------------------------------------------------------------------- counts


def mixed(n_rows, seed):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame(
        {
            "normal": rng.normal(size=n_rows),
            "short": rng.random(n_rows).astype(np.float32),
            "count": rng.poisson(3, n_rows),
            "large": rng.integers(2**60, 2**61, n_rows),
            "flag": rng.random(n_rows) < 0.5,
            "word": rng.choice(list("abcde"), n_rows),
            "code": rng.integers(0, 90, n_rows),
            "constant": 7,
            "mostly": pandas.Series([None] * n_rows, dtype=object),
        }
    )
    frame.loc[rng.random(n_rows) < 0.2, ["normal", "word"]] = None
    frame.loc[n_rows - 1, "mostly"] = 2.5
    frame.loc[n_rows - 2, "mostly"] = True
    return frame


def learnt(encoder):
    names = ("kinds_", "categories_", "infrequent_categories_", "n_bits_out_", "n_features_in_")
    state = [getattr(encoder, name) for name in names]
    return [*state, [t.tolist() for t in encoder.thresholds_], encoder.get_feature_names_out().tolist()]


@given(
    n_rows=st.integers(2, 200),
    cuts=st.lists(st.integers(1, 199), max_size=4, unique=True),
    subsample=st.sampled_from([None, 2, 40, 150, 200]),
    n_bits=st.sampled_from(["auto", 1, 5]),
    strategy=st.sampled_from(["quantile", "uniform"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_parts_of_a_table_ask_what_the_whole_asks(n_rows, cuts, subsample, n_bits, strategy, seed):
    frame = mixed(n_rows, seed)
    encoder = TableEncoder(n_bits, strategy, categorical=["code"], max_categories=20, subsample=subsample)
    bounds = [0, *sorted(c for c in cuts if c < n_rows), n_rows]
    parts = [encoder.count(frame.iloc[a:b], first_row=a, n_rows=n_rows) for a, b in pairwise(bounds)]
    order = np.random.default_rng(seed).permutation(len(parts))
    total = parts[order[0]]
    for i in order[1:]:
        total += parts[i]
    assert learnt(encoder.fit_counts(total)) == learnt(encoder.fit(frame))
    assert encoder.feature_names_in_.tolist() == frame.columns.tolist()


def test_counting_leaves_an_encoder_as_it_was():
    encoder = TableEncoder()
    encoder.count(np.eye(3))
    assert not hasattr(encoder, "n_features_in_")
    encoder.fit(np.eye(3)[:, :2])
    assert not hasattr(encoder.fit_counts(encoder.count(np.eye(3))), "feature_names_in_")
    assert encoder.n_features_in_ == 3


def test_parts_that_are_no_parts_of_one_table_are_refused():
    pandas = pytest.importorskip("pandas")
    encoder = TableEncoder()
    one = encoder.count(pandas.DataFrame({"a": ["x", "y"]}))
    with pytest.raises(TypeError, match="column 'a' must hold categories in all parts or numbers in all"):
        one + encoder.count(pandas.DataFrame({"a": [1, 2]}))
    with pytest.raises(ValueError, match=r"parts of a table must have the same columns, got \['a'\] and \['b'\]"):
        one + encoder.count(pandas.DataFrame({"b": ["x"]}))
    with pytest.raises(ValueError, match="strategy must be 'quantile' or 'uniform' to fit counts"):
        TableEncoder(strategy="supervised").fit_counts(one)
    with pytest.raises(ValueError, match="n_rows must be an integer >= 5, got 4"):
        encoder.count(np.eye(2), first_row=3, n_rows=4)


def test_what_is_no_count_is_refused():
    with pytest.raises(TypeError, match="counts must be a TableCounts, got NoneType"):
        TableEncoder().fit_counts(None)
    with pytest.raises(TypeError, match="unsupported operand"):
        TableEncoder().count(np.arange(4.0)[:, None]) + 3
