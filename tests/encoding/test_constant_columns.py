"""No question with one answer: constant, missing and repeated columns, in encoders and in models behind them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier
from bvar.encoding import OneHotBits, TableEncoder, ThermometerEncoder

ENCODERS = [
    ThermometerEncoder(),
    ThermometerEncoder(3, "uniform"),
    ThermometerEncoder(3, "supervised"),
    OneHotBits(),
    OneHotBits(max_categories=2),
    TableEncoder(),
    TableEncoder(strategy="uniform"),
    TableEncoder(3, "supervised"),
    TableEncoder(categorical=[0, 1], max_categories=1),
]
each_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=str)
X, Y = load_iris(return_X_y=True)


def constants(n_rows):
    """Nine columns without a message: eight values and their absence, one of them here and there."""
    columns = np.tile([0.0, 1, -1, 7.5, 1e9, 2, 0, np.nan, 3], (n_rows, 1))
    columns[::3, 8] = np.nan
    return columns


@each_encoder
@given(st.integers(0, 2**32 - 1))
def test_every_bit_varies_and_none_repeats_another_of_its_column(encoder, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, rng.integers(1, 30, 6), (rng.integers(2, 60), 6)) ** 2.0
    X[rng.random(X.shape) < rng.choice([0, 0.5])] = np.nan
    X[0] = np.nan_to_num(X[0])
    one = clone(encoder).fit(X, np.arange(len(X)) % 3)
    codes = one.transform(X)
    answers = [set(column.tolist()) - {0} for column in codes.T]
    assert all(both == {1, -1} for both in answers) or codes.shape[1] == 1
    names = [name.replace(">", "=").split("=")[0] for name in one.get_feature_names_out()]
    assert len({(name, column.tobytes()) for name, column in zip(names, codes.T, strict=True)}) == codes.shape[1]


@each_encoder
def test_columns_without_a_message_change_no_bit(encoder):
    table = np.c_[X, X[:, :2] > 3]
    plain = clone(encoder).fit(table, Y)
    both = np.c_[table, constants(len(X))]
    other = clone(encoder).fit(both, Y)
    np.testing.assert_array_equal(other.transform(both), plain.transform(table), strict=True)
    assert other.get_feature_names_out().tolist() == plain.get_feature_names_out().tolist()


@each_encoder
def test_bytes_with_constant_columns_are_encoded_as_numbers_are(encoder):
    pixels = np.random.default_rng(0).integers(0, 6, (130, 70), dtype=np.uint8)
    pixels[:, ::3] = 200
    one = clone(encoder).fit(pixels, np.arange(130) % 3)
    assert not {name.replace(">", "=").split("=")[0] for name in one.get_feature_names_out()} & {"x0", "x3", "x69"}
    assert one.encode(pixels).words.tolist() == one.encode(pixels.astype(float)).words.tolist()


def test_a_table_of_text_with_constant_numbers_has_bits_of_text_alone():
    table = np.array([["a", 1, True], ["b", 1, True]], dtype=object)
    assert TableEncoder().fit_transform(table).tolist() == [[1, -1], [-1, 1]]


def test_kinds_of_columns_without_a_message_change_no_bit():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": X[:, 0], "word": np.where(X[:, 1] > 3, "wide", "narrow")})
    more = frame.assign(text="a", flag=True, gap=None, some=["b", None] * 75, code=pandas.Categorical([3] * 150))
    plain, other = (TableEncoder().fit(one) for one in (frame, more))
    np.testing.assert_array_equal(other.transform(more), plain.transform(frame), strict=True)
    assert other.categories_[1:] == [["narrow", "wide"], [], [], [], [], []]


@each_encoder
@pytest.mark.parametrize("value", [0.0, 7.5, -1.0])
def test_one_question_is_left_if_all_columns_are_constant(encoder, value):
    table = np.full((5, 3), value)
    one = clone(encoder).fit(table, np.arange(5) % 3)
    assert one.n_bits_out_ == 1
    assert one.transform(table).shape == (5, 1)
    assert one.meaning(0).startswith("x0 ")


@pytest.mark.parametrize("encoder", [ThermometerEncoder(), TableEncoder()], ids=str)
def test_numbers_that_are_all_missing_leave_one_question(encoder):
    table = np.full((4, 2), np.nan)
    assert clone(encoder).fit(table).transform(table).tolist() == [[0]] * 4


# ------------------------------------------------------------------------------------- models


@pytest.mark.parametrize("fill", [3.0, np.nan], ids=["constant", "missing"])
@pytest.mark.parametrize("n_columns", [1, 4])
def test_a_table_that_says_nothing_is_predicted_by_the_majority_or_the_mean(fill, n_columns):
    table, y = np.full((40, n_columns), fill), np.arange(40) % 4 == 0
    quick = {"random_state": 0, "max_iter": 5}
    for model in (BooleanClassifier(**quick), LogicGateClassifier(**quick)):
        assert not model.fit(table, y).predict(table).any()
    predicted = BooleanRegressor(**quick).fit(table, 2.0 + y).predict(table)
    assert np.abs(predicted - 2.25).max() < 0.25
    assert len(set(predicted)) == 1


@pytest.mark.parametrize("cls", [BooleanClassifier, LogicGateClassifier])
def test_columns_without_a_message_change_no_weight(cls):
    """The noise is given, since the automatic one counts columns."""
    quick = cls(random_state=0, max_iter=3, flip_noise=0)
    plain, other = quick.fit(X, Y), clone(quick).fit(np.c_[constants(len(X)), X], Y)
    assert other.network_.fingerprint() == plain.network_.fingerprint()


def test_repeated_columns_change_little():
    rng = np.random.default_rng(0)
    order = rng.permutation(len(X))
    train, test = order[:100], order[100:]
    scores = [
        BooleanClassifier(random_state=0, max_iter=5).fit(table[train], Y[train]).score(table[test], Y[test])
        for table in (X, np.tile(X, 5))
    ]
    assert min(scores) > 0.9
    assert abs(scores[0] - scores[1]) <= 0.04


def test_names_and_meanings_are_those_of_the_bits_that_there_are():
    X = np.array([[True, a, a + 10] for a in range(6)], object)
    encoder = TableEncoder(n_bits=1).fit(X)
    assert encoder.n_bits_out_ == len(encoder.get_feature_names_out()) == 2
    assert encoder.meaning(0) == "x1 >= 2.5"
