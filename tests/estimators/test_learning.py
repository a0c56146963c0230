"""What defaults learn on tables that nobody tuned for, and that what they choose is the same everywhere."""

from dataclasses import replace
from functools import partial
from itertools import combinations, product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification, make_friedman1
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split

import bvar
from bvar import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier, backends
from bvar.bits.random import RandomWords
from bvar.estimators.architecture import MANY, UNITS, Trial, better, fit_temperature, folds, terms_of
from bvar.estimators.recipes import Sums
from bvar.networks import (
    FULL_WEIGHT,
    LOSS_ONE,
    BooleanOptimizer,
    CrossEntropy,
    Network,
    SquaredError,
    boolean_mlp,
    front_network,
)

needs_kernels = pytest.mark.skipif(backends.current() == "numpy", reason="slow without compiled kernels")
FIVE_BITS = np.array(list(product([False, True], repeat=5)))


def split(X, y, seed=0):
    return train_test_split(X, y, test_size=0.3, random_state=seed)


def accuracy(model, X, y, seed=0):
    X_train, X_test, y_train, y_test = split(X, y, seed)
    return model.fit(X_train, y_train).score(X_test, y_test)


def drawn_bits(n_rows, n_bits, seed=0):
    return np.random.RandomState(seed).rand(n_rows, n_bits) < 0.5


def test_and_and_or_are_learnt():
    X = drawn_bits(200, 5)
    assert accuracy(BooleanClassifier(random_state=0), X, X[:, 0] & X[:, 1]) == 1
    assert accuracy(BooleanClassifier(random_state=0), X, X[:, 0] | X[:, 1]) == 1


@needs_kernels
@pytest.mark.parametrize("table", range(1, 15))  # 0 and 15 are constant, and no classes
def test_every_function_of_two_of_five_bits_is_learnt(table):
    X = drawn_bits(150, 5, seed=table)
    a, b = list(combinations(range(5), 2))[table % 10]
    y = np.array([table >> i & 1 for i in range(4)])[2 * X[:, a] + X[:, b]]
    model = BooleanClassifier(random_state=0).fit(X, y)
    truth = np.array([table >> i & 1 for i in range(4)])[2 * FIVE_BITS[:, a] + FIVE_BITS[:, b]]
    assert (model.predict(FIVE_BITS) == truth).all()


@needs_kernels
def test_disjunctions_of_conjunctions_are_learnt():
    X = np.unique(drawn_bits(500, 9), axis=0)
    y = X[:, :3].all(axis=1) | X[:, 3:6].all(axis=1) | X[:, 6:].all(axis=1)
    assert np.mean([accuracy(BooleanClassifier(random_state=0), X, y, seed) for seed in (1, 2)]) >= 0.97


@needs_kernels
def test_parity_of_five_among_ten_bits_is_learnt():
    X = drawn_bits(1124, 10)
    y = X[:, 1:6].sum(axis=1) % 2
    assert accuracy(BooleanClassifier(random_state=0), X, y) >= 0.95


@needs_kernels
def test_monk_1_is_learnt():
    X = np.array(list(product("abc", "abc", "ab", "abc", "abcd", "ab")))
    y = (X[:, 0] == X[:, 1]) | (X[:, 4] == "a")
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=124, random_state=0)
    assert BooleanClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test) >= 0.97


@needs_kernels
@pytest.mark.parametrize("kind", ["constant", "missing", "duplicated"])
def test_columns_that_say_nothing_new_change_little(kind):
    X = drawn_bits(400, 9).astype(float)
    y = X[:, :3].all(axis=1) | X[:, 3:6].all(axis=1) | X[:, 6:].all(axis=1)
    more = {"constant": np.ones((400, 9)), "missing": np.full((400, 9), np.nan), "duplicated": X}[kind]
    plain = accuracy(BooleanClassifier(random_state=0), X, y)
    assert abs(accuracy(BooleanClassifier(random_state=0), np.hstack([X, more]), y) - plain) <= 0.08


def test_one_column_is_enough():
    X = np.linspace(0, 1, 300)[:, None]
    assert accuracy(BooleanClassifier(random_state=0), X, X[:, 0] > 0.3) >= 0.97


def test_a_network_of_a_few_samples_needs_none_held_out():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier(random_state=0).fit(X[::10], y[::10])
    assert (model.n_held_out_, model.plan_, model.held_out_losses_) == (0, "small", {})
    assert model.predict_proba(X).shape == (150, 3)


# ----------------------------------------------------------------------------------------- choosing


class Given(CrossEntropy):
    """A loss whose values are what the first score says."""

    def fixed_values(self, scores, y):
        return scores[:, 0].astype(np.int64) * LOSS_ONE


def trial(losses, weights=None):
    scores = np.array([losses, losses], np.int32).T
    heavy = np.full(len(scores), FULL_WEIGHT) if weights is None else np.array(weights)
    return Trial(scores, np.zeros(len(scores), int), heavy, Given(1), 1)


def test_a_plan_must_be_better_by_more_than_chance():
    assert not better(trial([1, 1, 1]), trial([1, 1, 1]))
    assert not better(trial([1, 0, 0]), trial([0, 0, 0]))  # one sample of difference says nothing
    assert better(trial([1, 1, 0]), trial([0, 0, 0]))
    assert not better(trial([1, 1, 0, 0]), trial([0, 0, 1, 0]))
    assert not better(trial([0, 0, 0]), trial([1, 1, 1]))


def test_heavy_samples_count_more():
    one, other = [1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]
    weights = [FULL_WEIGHT] * 4 + [1, 1]
    assert not better(trial(one), trial(other))
    assert better(trial(one, weights), trial(other, weights))
    assert trial(one, weights).total == 4 * UNITS
    assert trial(other, weights).total == 2 * UNITS / FULL_WEIGHT


def test_nothing_is_tried_after_a_plan_that_leaves_nothing_to_gain():
    assert trial([0, 0, 0]).is_beyond_doubt()
    assert not trial([0, 1, 0]).is_beyond_doubt()


def test_few_samples_are_left_to_the_small_plan():
    X = drawn_bits(600, 5)
    y = X[:, 0] ^ (np.random.RandomState(0).rand(600) < 0.2)
    tried = [
        set(BooleanClassifier(random_state=0, max_iter=1).fit(X[:n], y[:n]).held_out_losses_) for n in (199, 200)
    ]
    assert tried == [{"small"}, {"small", "large"}]


@pytest.mark.parametrize(("n", "most"), [(5000, 4000), (19999, 4000), (60000, 12000), (100 * MANY, 16000)])
def test_a_plan_is_tried_on_a_fifth_within_bounds(n, most):
    assert [len(tried) for _, tried in folds(n, RandomWords(0))] == [min(most, n - n // 3)]


@pytest.mark.parametrize("n", [20, 150, 1000, 5999, MANY, 10 * MANY])
def test_folds_are_bounded_and_apart(n):
    found = list(folds(n, RandomWords(0)))
    assert 1 <= len(found) <= 3
    for held_out, tried in found:
        assert len(held_out) <= 2000
        assert len(tried) <= 16000
        assert not np.intersect1d(held_out, tried).size
    held = np.concatenate([held_out for held_out, _ in found])
    assert len(np.unique(held)) == len(held)


def test_the_temperature_is_the_smallest_that_is_not_too_sure():
    source = np.random.RandomState(0)
    scores = source.randint(-60, 60, (500, 2)).astype(np.int32)
    y = (source.rand(500) < 1 / (1 + np.exp((scores[:, 0] - scores[:, 1]) / 20))).astype(int)
    seen = Trial(scores, y, np.full(500, FULL_WEIGHT), CrossEntropy(100), 100)
    found = fit_temperature(seen, partial(CrossEntropy, 100))
    losses = {eighths: CrossEntropy(100, 2.0 ** (eighths / 8)).total(scores, y) for eighths in range(-4, 24)}
    assert abs(8 * np.log2(found) - min(losses, key=losses.get)) <= 1
    assert abs(found - 2) < 0.5  # a spread of 10, times 2


def test_what_is_chosen_is_the_same_on_every_backend_and_number_of_threads():
    X, y = make_classification(500, 6, flip_y=0.1, random_state=0)
    models = [
        BooleanClassifier(random_state=0, max_iter=1, backend=backend, n_threads=n).fit(X, y)
        for backend, n in [("numpy", 1), (None, 1), (None, 2)]
    ]
    assert len({str(model.held_out_losses_) for model in models}) == 1
    assert len({model.probability_temperature_ for model in models}) == 1
    assert len({tuple(model.decision_function(X)) for model in models}) == 1


def test_sizes_set_by_hand_give_the_plain_network():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier((16,), max_iter=1, random_state=0).fit(X, y)
    assert [p.name for p in model.network_.parameters] == ["linear1.weight", "linear2.weight"]
    assert not hasattr(model, "plan_")
    assert not hasattr(model, "probability_temperature_")


def test_gates_and_offsets_may_be_set_by_hand():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier((16,), gates=50, fan_in=3, max_iter=1, random_state=0).fit(X, y)
    assert [layer.shape for layer in model.network_.parameters] == [
        layer.shape for layer in front_network([model.encoder_.n_bits_out_, 16, 3], gates=50, fan_in=3).parameters
    ]
    model = BooleanClassifier((16,), offsets=True, max_iter=1, random_state=0).fit(X, y)
    network = boolean_mlp([model.encoder_.n_bits_out_, 16, 3], offset_spread=0.5)
    assert [p.name for p in model.network_.parameters] == [p.name for p in network.parameters]
    with pytest.raises(ValueError, match="offsets must be True"):
        BooleanClassifier((16,), gates=50, offsets=False).fit(X, y)
    with pytest.raises(ValueError, match="gates must be"):
        BooleanClassifier((16,), gates=-1).fit(X, y)


def test_what_is_set_by_hand_holds_for_the_plan_chosen():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier(gates=60, max_iter=2, random_state=0).fit(X, y)
    assert model.network_.parameters[0].shape[0] == 60
    assert model.n_iter_ == model.max_iter_ == 2


def test_warm_start_goes_on_with_what_was_chosen():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier(random_state=0, max_iter=1, warm_start=True).fit(X, y)
    before = (model.plan_, model.probability_temperature_, model.held_out_losses_)
    model.fit(X, y)
    assert (model.plan_, model.probability_temperature_, model.held_out_losses_) == before


def test_learning_in_parts_takes_the_small_plan():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier(random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    assert model.network_.parameters[0].shape == (1000, 4)
    assert not hasattr(model, "plan_")


@pytest.mark.parametrize("multilabel", [False, True])
def test_early_stopping_and_labels_go_with_choosing(multilabel):
    X, y = load_iris(return_X_y=True)
    y = np.eye(3, dtype=int)[y] if multilabel else y
    model = BooleanClassifier(random_state=0, early_stopping=True, max_iter=3).fit(X, y)
    assert model.score(X, y) > 0.8
    assert hasattr(model, "probability_temperature_")


def test_many_samples_spare_some_for_the_temperature():
    X = drawn_bits(MANY, 5)
    model = BooleanClassifier(random_state=0, max_iter=1).fit(X, X[:, 0] ^ X[:, 1])
    assert model.n_held_out_ == MANY // 10
    assert model.score(X, X[:, 0] ^ X[:, 1]) == 1


def test_the_summary_says_what_was_chosen_and_why():
    X, y = load_iris(return_X_y=True)
    model = BooleanClassifier(random_state=0, max_iter=1).fit(X, y)
    lines = model.summary().splitlines()
    mean = model.held_out_losses_["small"] / UNITS / model.n_held_out_
    assert lines[1] == f"plan: small; mean loss of {model.n_held_out_} samples held out: small {mean:.3g}"
    assert lines[2] == f"temperature of probabilities: {model.probability_temperature_:.3g}"


@pytest.mark.parametrize(
    "model",
    [
        BooleanClassifier(random_state=0, max_iter=1),
        LogicGateClassifier(random_state=0, max_iter=1),
        BooleanRegressor(random_state=0, max_iter=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_was_chosen_survives_in_a_file(model, tmp_path):
    X, y = load_iris(return_X_y=True)
    model.fit(X, y)
    model.save(tmp_path / "model.bvar")
    again = bvar.load(tmp_path / "model.bvar")
    assert again.summary() == model.summary()
    if hasattr(model, "predict_proba"):
        assert again.probability_temperature_ == model.probability_temperature_
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


# ---------------------------------------------------------------------------- weights, gates, numbers


@needs_kernels
def test_balanced_weights_help_rare_classes():
    small = BooleanClassifier(
        256, gates=1000, max_iter=10, temperature=4.0, batch_size=64, flip_noise=0, random_state=0
    )
    gains = []
    for seed in range(3):
        X, y = make_classification(1500, 10, n_informative=5, weights=[0.95], class_sep=0.7, random_state=seed)
        X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
        plain, balanced = (
            balanced_accuracy_score(
                y_test, clone(small).set_params(class_weight=weight).fit(X_train, y_train).predict(X_test)
            )
            for weight in (None, "balanced")
        )
        gains.append(balanced - plain)
    assert np.mean(gains) > 0.02


@needs_kernels
def test_gates_learn_parity_too():
    X = drawn_bits(1124, 10)
    model = LogicGateClassifier(random_state=0)
    assert accuracy(model, X, X[:, 1:6].sum(axis=1) % 2) >= 0.95
    bits = model.encoder_.encode(X)
    scores = model.circuit().evaluate(bits)
    np.testing.assert_array_equal(scores[:, 1] - scores[:, 0], model.decision_function(X))


def explained(model, X, y, seeds=(1, 2)):
    return np.mean([accuracy(clone(model), X, y, seed) for seed in seeds])


@needs_kernels
def test_few_noisy_numbers_are_not_learnt_by_heart():
    X, y = load_diabetes(return_X_y=True)
    assert explained(BooleanRegressor(random_state=0), X, y) > explained(Ridge(0.1), X, y) - 0.1


@needs_kernels
def test_what_is_not_linear_is_learnt_from_few_samples():
    X, y = make_friedman1(400, noise=1.0, random_state=0)
    assert explained(BooleanRegressor(random_state=0), X, y) > explained(Ridge(), X, y) + 0.05


@needs_kernels
def test_a_sum_of_a_few_columns_is_learnt():
    X = np.random.RandomState(0).randn(400, 3)
    assert explained(BooleanRegressor(random_state=0), X, X @ [1, 2, -0.5]) > 0.95


@pytest.mark.parametrize("n", [2, 10, 30])
def test_a_handful_of_numbers_and_constant_ones_are_learnt(n):
    X = np.random.RandomState(0).randn(n, 3)
    model = BooleanRegressor(random_state=0)
    assert (model.fit(X, np.full(n, 7.0)).predict(X) == 7).all()
    assert model.fit(X, X[:, 0]).score(X, X[:, 0]) > 0.2


def test_the_scores_of_a_committee_add_in_one_network():
    committee = Sums((12,), 3.0, gates=20, fan_in=2, offsets=True, members=3)
    network = committee.build(np.full(10, 3), 2, SquaredError, RandomWords(0))
    members = [Network(layers, network.loss, BooleanOptimizer()) for layers in network.layers[0].branches]
    x = RandomWords(1).bits(50, 30)
    np.testing.assert_array_equal(network.scores(x), sum(member.scores(x) for member in members))
    assert network.loss.scale == terms_of(network) == 3 * 12
    assert len({member.fingerprint() for member in members}) == 3
    committee.check_same(network)
    with pytest.raises(ValueError, match=r"is that of 1 network\(s\), and not of the 3 to go on with"):
        replace(committee, members=1).check_same(network)


def test_a_committee_is_chosen_saved_and_the_same_on_every_backend(tmp_path):
    X, y = make_friedman1(150, n_features=5, noise=0.5, random_state=0)
    models = [
        BooleanRegressor(random_state=0, warm_start=True, max_iter=8, backend=backend).fit(X, y)
        for backend in ("numpy", None)
    ]
    assert [model.plan_ for model in models] == ["committee"] * 2
    assert len({model.network_.fingerprint() for model in models}) == 1
    models[1].save(tmp_path / "model.bvar", training_state=True)
    again = bvar.load(tmp_path / "model.bvar")
    np.testing.assert_array_equal(again.predict(X), models[1].predict(X))
    assert again.fit(X, y).network_.fingerprint() == models[1].fit(X, y).network_.fingerprint()
    assert again.partial_fit(X, y).score(X, y) > 0.6


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (BooleanClassifier(eta="auto"), "eta"),
        (LogicGateClassifier(eta="auto"), "eta"),
        (BooleanConvClassifier(image_shape=(4, 4), eta="auto"), "eta"),
        (BooleanConvClassifier(image_shape=(4, 4), max_iter="auto"), "max_iter"),
        (BooleanConvClassifier(image_shape=(4, 4), temperature="auto"), "temperature"),
    ],
)
def test_auto_is_refused_where_it_is_no_value(model, name):
    X, y = np.random.RandomState(0).rand(40, 16), np.arange(40) % 2
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        model.fit(X, y)
