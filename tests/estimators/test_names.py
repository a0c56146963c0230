"""Names of columns: of features, whatever their order, and of targets that come as a frame."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier, TableEncoder, load
from bvar.inspection import explain

RNG = np.random.RandomState(0)
FRAME = pd.DataFrame({"age": RNG.rand(80), "job": RNG.choice(["cook", "smith"], 80), "pay": RNG.rand(80)})
LABELS = pd.DataFrame({"old": (FRAME.age > 0.5).astype(int), "rich": (FRAME.pay > 0.3).astype(int)})
NUMBERS = pd.DataFrame({"half": FRAME.age / 2, "twice": 2 * FRAME.pay})


def classifier(**parameters):
    return BooleanClassifier((16,), max_iter=3, random_state=0, **parameters)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize("owner", ["estimator", "encoder"])
def test_columns_in_another_order_are_taken_by_their_names_with_a_warning(kind, owner):
    plain, other = kind(FRAME), kind(FRAME[["pay", "age", "job"]])
    model = classifier().fit(plain, LABELS.old) if owner == "estimator" else TableEncoder().fit(plain)
    answer = model.predict if owner == "estimator" else model.transform
    with pytest.warns(UserWarning, match="columns of X are in another order.*: 'pay', 'age', 'job' stood"):
        found = answer(other)
    assert (found == answer(plain)).all()


def test_the_order_of_fit_brings_no_warning():
    model = classifier().fit(FRAME, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(FRAME)
        model.partial_fit(FRAME, LABELS)


def test_many_columns_are_not_all_named():
    wide = pd.DataFrame(RNG.rand(60, 9), columns=list("abcdefghi"))
    model = classifier().fit(wide, wide.a > 0.5)
    with pytest.warns(UserWarning, match="'i', 'h', 'g', 'f', 'd' and 3 more stood"):
        model.predict(wide[list("ihgfedcba")])


@pytest.mark.parametrize(
    "other",
    [FRAME.rename(columns={"pay": "wage"}), FRAME[["age", "job"]], FRAME.assign(more=0)],
    ids=["renamed", "fewer", "more"],
)
def test_other_columns_are_refused_by_name(other):
    with pytest.raises(ValueError, match=r"(?s)feature names should match.*(wage|pay|more)"):
        classifier().fit(FRAME, LABELS.old).predict(other)


@pytest.mark.parametrize("model", [classifier(), LogicGateClassifier((40,), max_iter=2), BooleanRegressor((8,))])
def test_targets_keep_their_names(model, tmp_path):
    y = NUMBERS if isinstance(model, BooleanRegressor) else LABELS
    model.fit(FRAME, y)
    assert model.target_names_.tolist() == list(y)
    assert model.predict(FRAME).shape == y.shape
    assert f"predicts 2 columns: {', '.join(y)}" in model.summary()
    assert f"`{y.columns[0]}`, `{y.columns[1]}`" in model.card()
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").target_names_.tolist() == list(y)
    model.target_names_ = model.target_names_[:1]
    with pytest.raises(ValueError, match="target_names_ do not fit the scores"):
        model.save(tmp_path / "m")
    model.fit(FRAME, y.to_numpy())
    assert not hasattr(model, "target_names_")


def test_names_change_nothing_else():
    named, plain = classifier().fit(FRAME, LABELS), classifier().fit(FRAME, LABELS.to_numpy())
    assert named.network_.fingerprint() == plain.network_.fingerprint()
    assert type(named.predict(FRAME)) is np.ndarray
    assert named.classes_.tolist() == [0, 1]


def test_one_column_has_no_name_to_keep():
    with pytest.warns(UserWarning, match="column-vector"):
        assert not hasattr(classifier().fit(FRAME, LABELS[["old"]]), "target_names_")


def test_targets_in_another_order_are_taken_by_their_names_too():
    one, other = classifier().fit(FRAME, LABELS), classifier().fit(FRAME, LABELS)
    one.partial_fit(FRAME, LABELS)
    with pytest.warns(UserWarning, match="columns of y are in another order"):
        other.partial_fit(FRAME, LABELS[["rich", "old"]])
    assert one.network_.fingerprint() == other.network_.fingerprint()
    with pytest.raises(ValueError, match=r"y must have the columns of fit, \['old', 'rich'\], got"):
        one.partial_fit(FRAME, LABELS.rename(columns={"rich": "tall"}))
    with pytest.warns(UserWarning, match="columns of y are in another order"):
        classifier(warm_start=True).fit(FRAME, LABELS, X_val=FRAME, y_val=LABELS[["rich", "old"]])


def test_an_explanation_is_asked_by_name():
    model = classifier().fit(FRAME, LABELS)
    by_name, by_number = (explain(model, FRAME.iloc[[0]], output=output) for output in ("rich", 1))
    assert by_name.output == by_number.output == "rich"
    assert by_name.feature_support.tolist() == by_number.feature_support.tolist()
    with pytest.raises(ValueError, match=r"from 0 to 1, or one of \['old', 'rich'\], got 'tall'"):
        explain(model, FRAME.iloc[[0]], output="tall")


@pytest.mark.parametrize("names", [["a", "a", "b"], [0, 0, 1]])
def test_two_columns_of_one_name_are_refused(names):
    twice = pd.DataFrame(RNG.rand(80, 3), columns=names)
    targets = pd.DataFrame(LABELS.to_numpy(), columns=["old", "old"])
    model = classifier().fit(FRAME, LABELS)
    for call in (lambda: classifier().fit(twice, LABELS), lambda: model.predict(twice)):
        with pytest.raises(ValueError, match=r"X must have columns of different names, got .* more than once"):
            call()
    for call in (lambda: classifier().fit(FRAME, targets), lambda: model.partial_fit(FRAME, targets)):
        with pytest.raises(ValueError, match="y must have columns of different names, got 'old' more than once"):
            call()


def test_numbers_may_be_a_series_of_any_library():
    x, y = np.arange(40.0)[:, None] % 7, np.arange(40) % 5 / 2
    models = [
        BooleanRegressor((8,), max_iter=2, random_state=0).fit(x, column)
        for column in (y, pl.Series(y), pd.Series(y), pd.Series(y, dtype="Float64"))
    ]
    assert len({model.network_.fingerprint() for model in models}) == 1
    dates = pd.date_range("2020-01-01", periods=40)
    for column in (dates, pd.Series(dates), pd.DataFrame({"a": dates}), pl.Series(dates.to_numpy())):
        with pytest.raises(TypeError, match="y must hold numbers, got datetime64"):
            BooleanRegressor((8,)).fit(x, column)
