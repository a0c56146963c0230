"""The hint that a column of numbers may hold codes of categories."""

import warnings

import numpy as np
import pytest

from bvar import BooleanClassifier, model_file
from bvar.encoding import TableEncoder, ThermometerEncoder

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 7, 1000)
COUNTS = RNG.integers(0, 7, 1000)
NOISE = RNG.random(1000)
TABLE = np.c_[CODES, COUNTS, RNG.integers(0, 7, 1000), RNG.normal(size=1000)]
OF_CODES = np.isin(CODES, (1, 4)) ^ (NOISE < 0.1)
OF_COUNTS = (COUNTS > 3) ^ (NOISE < 0.1)


def test_a_column_whose_single_values_tell_more_is_named():
    assert TableEncoder().fit(TABLE, OF_CODES).code_like_ == [0]
    assert TableEncoder().fit(TABLE, np.where(OF_CODES, "a", "b").astype(object)).code_like_ == [0]
    assert TableEncoder().fit(TABLE, OF_CODES * 3.5 + NOISE).code_like_ == [0]
    assert TableEncoder().fit(TABLE + np.eye(1, 4), OF_CODES).code_like_ == [0]


def test_a_column_with_an_order_is_not():
    assert TableEncoder().fit(TABLE, OF_COUNTS).code_like_ == []
    assert TableEncoder().fit(TABLE, COUNTS + NOISE).code_like_ == []
    assert TableEncoder().fit(TABLE, NOISE < 0.5).code_like_ == []


def test_what_cannot_be_codes_is_not_named():
    for X in (TABLE * 2, TABLE - 3, TABLE + 0.5, TABLE.astype(bool)):
        assert TableEncoder().fit(X, OF_CODES).code_like_ == []
    assert TableEncoder(categorical=[0]).fit(TABLE, OF_CODES).code_like_ == []


def test_the_hint_needs_one_target_and_changes_no_bit():
    bits = TableEncoder().fit(TABLE, OF_CODES).transform(TABLE)
    for y in (None, np.c_[OF_CODES, OF_CODES], OF_CODES[1:], [[1], [2, 3]]):
        encoder = TableEncoder().fit(TABLE, y)
        assert encoder.code_like_ == []
        assert encoder.hints() == []
        np.testing.assert_array_equal(encoder.transform(TABLE), bits)
    assert ThermometerEncoder().fit(TABLE).hints() == []


def test_missing_values_and_a_sample_do_not_hide_it():
    X = TABLE.copy()
    X[::5, 0] = np.nan
    assert TableEncoder(subsample=900).fit(X, OF_CODES).code_like_ == [0]


def test_the_summary_of_a_model_names_the_columns_and_nothing_warns(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = BooleanClassifier((8,), max_iter=1, random_state=0).fit(TABLE, OF_CODES)
    line = model.summary().splitlines()[1]
    assert line.startswith("columns of numbers that may hold codes of categories")
    assert line.endswith("TableEncoder(categorical=[...]): x0")
    model.save(tmp_path / "m")
    assert model_file.load(tmp_path / "m").summary() == model.summary()


def test_a_file_from_before_the_hint_has_none():
    pandas = pytest.importorskip("pandas")
    encoder = TableEncoder().fit(pandas.DataFrame({"a": CODES}), OF_CODES)
    assert encoder.hints()[0].endswith(": a")
    del encoder.code_like_
    assert encoder.hints() == []
