"""Scores that rise with a feature, or fall: for every table, every constraint, every backend, and every row."""

import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import bvar
from bvar import BooleanClassifier, BooleanRegressor, TableEncoder, ThermometerEncoder
from bvar.bits.random import RandomWords
from bvar.calculus.gates import Gate
from bvar.encoding import UnateEncoder
from bvar.estimators.monotone import Monotone
from bvar.inspection import explain, importance
from bvar.mollify import Mollifier
from bvar.networks import BinaryCrossEntropy, CrossEntropy

SHORT = {"hidden_layer_sizes": (12,), "max_iter": 3, "random_state": 0}
GRID = np.array(list(product(range(4), repeat=3)), dtype=float)
CST = [1, -1, 0]


def wavy(X):
    """Targets that go up and down with every feature."""
    return np.sin(2 * X[:, 0]) + np.cos(3 * X[:, 1]) + X[:, 2] % 2


def scores_of(model, X):
    return getattr(model, "decision_function", model.predict)(X)


def n_broken(score, n_values, cst):
    """Count, on a full grid in the order of `product`, the steps of one feature that go the wrong way."""
    cube = score.reshape([n_values] * len(cst))
    return sum(int((np.diff(cube, axis=axis) * way < 0).sum()) for axis, way in enumerate(cst) if way)


def fitted(cls, X, y, **parameters):
    return cls(**{**SHORT, **parameters}).fit(X, y > np.median(y) if cls is BooleanClassifier else y)


@st.composite
def tables(draw):
    """A table with holes, targets, constraints, and rows beside rows raised as the constraints say."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_columns, levels = draw(st.integers(1, 5)), draw(st.sampled_from([2, 5, 1000]))
    X = random.integers(0, levels, (draw(st.integers(10, 60)), n_columns)).astype(float)
    cst = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n_columns, max_size=n_columns))
    low = random.integers(-1, levels + 1, (40, n_columns)).astype(float)
    high = low + random.integers(0, levels, low.shape) * random.integers(0, 2, low.shape) * cst
    if draw(st.booleans()):
        holes = random.random(X.shape) < 0.2
        holes[:2] = False
        X[holes] = np.nan
        gone = random.random(low.shape) < 0.2
        low[gone] = high[gone] = np.nan
    y = random.normal(size=len(X))
    return X, y, cst, low, high


@pytest.mark.parametrize("cls", [BooleanClassifier, BooleanRegressor])
@settings(max_examples=25)
@given(table=tables(), sizes=st.sampled_from([(7,), (64,), (9, 6)]), epochs=st.integers(1, 4))
def test_no_score_moves_the_wrong_way(backend, cls, table, sizes, epochs):
    X, y, cst, low, high = table
    if (X[0] == X).all():
        X[0] += 1
    model = fitted(cls, X, y, hidden_layer_sizes=sizes, max_iter=epochs, monotonic_cst=cst)
    assert (scores_of(model, high) >= scores_of(model, low)).all()
    if cls is BooleanClassifier:
        assert (model.predict(high) >= model.predict(low)).all()
        assert (model.predict_proba(high)[:, 1] >= model.predict_proba(low)[:, 1]).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cst=st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3))
def test_no_step_of_a_grid_goes_the_wrong_way_whatever_the_weights(backend, seed, cst):
    encoder = UnateEncoder(monotonic_cst=cst).fit(GRID)
    source = RandomWords(seed)
    network = Monotone((5, 4), 1.0).build(encoder._widths(), 2, BinaryCrossEntropy, source)
    scores = network.scores(encoder.encode(GRID))
    assert n_broken(scores[:, 0], 4, cst) == n_broken(scores[:, 1], 4, cst) == 0


@pytest.mark.parametrize("cls", [BooleanClassifier, BooleanRegressor])
def test_no_step_of_a_grid_goes_the_wrong_way_where_targets_do_and_without_constraints_some_do(backend, cls):
    free = fitted(cls, GRID, wavy(GRID), max_iter=40)
    bound = fitted(cls, GRID, wavy(GRID), max_iter=40, monotonic_cst=CST)
    assert n_broken(scores_of(free, GRID), 4, CST) > 0
    assert n_broken(scores_of(bound, GRID), 4, CST) == 0
    assert len(np.unique(scores_of(bound, GRID))) > 3


def test_a_constrained_network_learns_a_function_that_obeys():
    y = (2 * GRID[:, 0] - GRID[:, 1] + 3 * (GRID[:, 2] == 1)) > 2  # up, down, and up and down again
    model = BooleanClassifier((64,), max_iter=60, random_state=0, monotonic_cst=CST).fit(GRID, y)
    assert model.score(GRID, y) > 0.95


def test_every_backend_gives_the_same_network():
    X, y = GRID, wavy(GRID)
    first, *others = (
        fitted(BooleanRegressor, X, y, monotonic_cst=CST, backend=name) for name in bvar.backends.available()
    )
    assert all(other.network_.fingerprint() == first.network_.fingerprint() for other in others)


def test_several_targets_all_obey():
    model = BooleanRegressor(**SHORT, monotonic_cst=CST).fit(GRID, np.stack([wavy(GRID), -wavy(GRID)], axis=1))
    assert all(n_broken(column, 4, CST) == 0 for column in model.predict(GRID).T)


def test_names_say_the_same_as_an_array():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(GRID, columns=["age", "debt", "kind"])
    by_name = fitted(BooleanClassifier, frame, wavy(GRID), monotonic_cst={"age": 1, "debt": -1})
    by_place = fitted(BooleanClassifier, frame, wavy(GRID), monotonic_cst=CST)
    assert by_name.network_.fingerprint() == by_place.network_.fingerprint()
    assert by_name.encoder_.directions_ == by_place.encoder_.directions_ == CST


def test_categories_and_booleans_stand_beside_a_constrained_number():
    random = np.random.RandomState(0)
    X = np.array([[n, "abc"[n % 3], bool(n % 2)] for n in random.randint(0, 9, 80)], dtype=object)
    model = BooleanClassifier(**SHORT, monotonic_cst=[1, 0, -1]).fit(X, random.rand(80) < 0.5)
    grid = np.array([[n, c, b] for n in range(9) for c in "abcd" for b in (False, True)], dtype=object)
    score = model.decision_function(grid).reshape(9, 4, 2)
    assert (np.diff(score, axis=0) >= 0).all()
    assert (np.diff(score, axis=2) <= 0).all()


def test_with_the_defaults_there_is_one_plan_and_probabilities_have_a_temperature():
    y = wavy(GRID) > 0.5
    model = BooleanClassifier(monotonic_cst=CST, random_state=0, max_iter=2).fit(GRID, y)
    assert model.plan_ == "monotone"
    assert abs(model.predict_proba(GRID).sum(axis=1) - 1).max() <= 2.0**-52  # p and 1 - p, each rounded once
    assert (model.classes_[(model.decision_function(GRID) > 0).astype(int)] == model.predict(GRID)).all()
    assert BooleanRegressor(monotonic_cst=CST, max_iter=2).fit(GRID, wavy(GRID)).plan_ == "monotone"


@pytest.mark.parametrize("cls", [BooleanClassifier, BooleanRegressor])
def test_a_copy_and_a_file_give_the_same_answers(cls, tmp_path):
    model = fitted(cls, GRID, wavy(GRID), monotonic_cst=np.array(CST))
    model.save(tmp_path / "model.bvar")
    copies = [bvar.load(tmp_path / "model.bvar"), pickle.loads(pickle.dumps(model))]
    copies.append(
        clone(model).fit(GRID, wavy(GRID) > np.median(wavy(GRID)) if cls is BooleanClassifier else wavy(GRID))
    )
    for copy in copies:
        assert (scores_of(copy, GRID) == scores_of(model, GRID)).all()
        assert copy.encoder_.directions_ == CST
    assert (model.predictor().predict(GRID) == model.predict(GRID)).all()


def test_a_file_whose_directions_are_not_its_constraints_is_refused(tmp_path):
    model = fitted(BooleanRegressor, GRID, wavy(GRID), monotonic_cst=CST)
    model.encoder_.directions_ = [1, 1, 0]
    with pytest.raises(ValueError, match="directions_ must be those of monotonic_cst"):
        model.save(tmp_path / "model.bvar")


def test_a_file_whose_network_says_not_is_refused(tmp_path):
    model = fitted(BooleanRegressor, GRID, wavy(GRID), monotonic_cst=CST)
    model.network_.layers[0].gate = Gate.of("xnor")
    with pytest.raises(ValueError, match="network_ does not keep monotonic_cst"):
        model.save(tmp_path / "model.bvar")


def test_training_that_goes_on_keeps_the_promise():
    y = wavy(GRID)
    model = fitted(BooleanRegressor, GRID, y, monotonic_cst=CST, warm_start=True).fit(GRID, -y)
    assert n_broken(model.predict(GRID), 4, CST) == 0
    chunks = BooleanClassifier(**SHORT, monotonic_cst=CST)
    for _ in range(3):
        chunks.partial_fit(GRID, y > 0, classes=[False, True])
    assert n_broken(chunks.decision_function(GRID), 4, CST) == 0


@pytest.mark.parametrize(("before", "after"), [(CST, None), (None, CST), (CST, [1, 1, 0]), ({"a": 1}, [1, 0, 0])])
def test_training_does_not_go_on_under_other_constraints(before, after):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(GRID, columns=["a", "b", "c"])
    model = fitted(BooleanRegressor, X, wavy(GRID), monotonic_cst=before, warm_start=True)
    with pytest.raises(ValueError, match=r"monotonic_cst .* is not that of the network to go on with"):
        model.set_params(monotonic_cst=after).fit(X, wavy(GRID))


def test_a_model_set_to_other_constraints_answers_as_it_was_fitted():
    model = fitted(BooleanClassifier, GRID, wavy(GRID), monotonic_cst=CST)
    before = model.predict(GRID)
    assert (model.set_params(monotonic_cst=None).predict(GRID) == before).all()
    again = model.fit(GRID, wavy(GRID) > 0)
    assert again.network_.layers[-1].n_outputs == 2
    assert again.decision_function(GRID).shape == (64,)


def test_a_decision_is_explained_by_its_one_score():
    model = fitted(BooleanClassifier, GRID, wavy(GRID), monotonic_cst=CST, max_iter=20)
    for output, sign in ((True, 1), (False, -1)):
        found = explain(model, GRID[5], output=output)
        assert found.value == sign * model.decision_function(GRID[5:6])[0]
    assert importance(model, GRID, wavy(GRID) > np.median(wavy(GRID))).importances.shape == (3,)


WRONG = [
    ({"monotonic_cst": [1, 0]}, "must have an entry for each of 3 features"),
    ({"monotonic_cst": [[1, 0, 0]]}, "must have an entry for each of 3 features"),
    ({"monotonic_cst": [[1], 0, 0]}, "must have an entry for each of 3 features"),
    ({"monotonic_cst": 1}, "must have an entry for each of 3 features"),
    ({"monotonic_cst": [2, 0, 0]}, "must hold -1, 0 and 1 alone"),
    ({"monotonic_cst": [0.5, 0, 0]}, "must hold -1, 0 and 1 alone"),
    ({"monotonic_cst": ["up", "down", "any"]}, "must hold -1, 0 and 1 alone"),
    ({"monotonic_cst": {"age": 1}}, "must be an array where the features of X have no names"),
    ({"monotonic_cst": CST, "encoder": ThermometerEncoder()}, "encoder must be None or a TableEncoder"),
    ({"monotonic_cst": CST, "encoder": UnateEncoder()}, "encoder must be None or a TableEncoder"),
    ({"monotonic_cst": CST, "encoder": TableEncoder(categorical=[0])}, "must be 0 for features of categories"),
    ({"monotonic_cst": CST, "gates": 10}, "gates must be 0 or 'auto'"),
    ({"monotonic_cst": CST, "offsets": False}, "offsets must be 'auto'"),
    ({"monotonic_cst": CST, "hidden_layer_sizes": ()}, "hidden_layer_sizes must name at least 1"),
    ({"monotonic_cst": CST, "loss": CrossEntropy}, "loss must be None"),
    ({"monotonic_cst": CST, "mollifier": Mollifier("x")}, "mollifier must be None"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG, ids=lambda value: str(value)[:50])
def test_wrong_constraints_are_refused(wrong, text):
    with pytest.raises((TypeError, ValueError), match=text):
        BooleanClassifier(**{**SHORT, **wrong}).fit(GRID, wavy(GRID) > 0)


def test_names_that_no_feature_has_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(GRID, columns=["age", "debt", "kind"])
    with pytest.raises(ValueError, match=r"must name features of X, .* got \['wage'\]"):
        BooleanRegressor(**SHORT, monotonic_cst={"wage": 1}).fit(frame, wavy(GRID))


@pytest.mark.parametrize(
    ("y", "text"), [(GRID[:, 0], "4 classes"), (GRID[:, :2] > 1, "2 labels")], ids=["classes", "labels"]
)
def test_more_than_two_classes_are_refused(y, text):
    with pytest.raises(ValueError, match=f"monotonic_cst must be None unless y has two classes, got {text}"):
        BooleanClassifier(**SHORT, monotonic_cst=CST).fit(GRID, y.astype(int))


def test_weights_of_classes_and_early_stopping_go_with_constraints():
    y = wavy(GRID) > 1.5
    model = BooleanClassifier(monotonic_cst=CST, class_weight="balanced", early_stopping=True, random_state=0)
    model.set_params(max_iter=3).fit(GRID, y, sample_weight=1 + GRID[:, 0])
    assert n_broken(model.decision_function(GRID), 4, CST) == 0
