"""Weights of classes: 'balanced' means the same in one call and in many, on every backend, and after a file."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils import compute_sample_weight

import bvar
from bvar import BooleanClassifier, LogicGateClassifier, backends
from bvar.estimators.architecture import Trial
from bvar.estimators.balance import fit_offsets
from bvar.model_file import ModelFileError
from bvar.networks import BinaryCrossEntropy, CrossEntropy

needs_kernels = pytest.mark.skipif(backends.current() == "numpy", reason="slow without compiled kernels")
R = np.random.RandomState(0)
X = R.rand(1200, 4)
Y = np.where(X[:, 0] + 0.2 * R.randn(1200) > 0.95, "rare", "usual")
CLASSES = ["rare", "usual"]
LABELS = np.column_stack([X[:, 0] > 0.9, X[:, 1] > 0.5]).astype(int)


def classifier(kind=BooleanClassifier, **parameters):
    size = (
        {"layer_sizes": (64, 64)}
        if kind is LogicGateClassifier
        else {"hidden_layer_sizes": (64,), "offsets": True}
    )
    return kind(**{**size, "class_weight": "balanced", "random_state": 0, **parameters})


def print_of(model):
    return model.network_.fingerprint()


def learnt(model, parts, n_times=10):
    """Learn chunk by chunk, several times."""
    for _ in range(n_times):
        for part in parts:
            model.partial_fit(X[part], Y[part], classes=CLASSES)
    return model


def balanced(model):
    return balanced_accuracy_score(Y, model.predict(X))


def test_balanced_in_fit_is_what_scikit_learn_makes_of_it():
    named = classifier(max_iter=2).fit(X, Y)
    given = classifier(max_iter=2, class_weight=None).fit(X, Y, compute_sample_weight("balanced", Y))
    assert print_of(named) == print_of(given)
    labels = classifier(max_iter=2).fit(X, LABELS)
    given = classifier(max_iter=2, class_weight=None).fit(X, LABELS, compute_sample_weight("balanced", LABELS))
    assert print_of(labels) == print_of(given)


def test_one_call_of_all_samples_weighs_as_fit_does():
    named = classifier().partial_fit(X, Y, classes=CLASSES)
    given = classifier(class_weight=None)
    given.partial_fit(X, Y, CLASSES, compute_sample_weight("balanced", Y))
    assert print_of(named) == print_of(given)


def test_a_class_weighs_by_its_count_in_all_calls_so_far():
    named, given = classifier(), classifier(class_weight=None)
    for stop in (400, 800, 1200):
        part = slice(stop - 400, stop)
        weights = compute_sample_weight("balanced", Y[:stop])[part]
        named.partial_fit(X[part], Y[part], classes=CLASSES)
        given.partial_fit(X[part], Y[part], CLASSES, weights)
        assert print_of(named) == print_of(given)
    assert named._class_counts == [{c: int(np.count_nonzero(c == Y)) for c in CLASSES}]


def chunks_of_one_class():
    """Cut the samples into chunks that hold one class each, rare ones among the others."""
    rare, usual = np.flatnonzero(Y == "rare"), np.flatnonzero(Y == "usual")
    for few, many in zip(np.array_split(rare, 4), np.array_split(usual, 4), strict=True):
        yield from (*np.array_split(many, 3), few)


def test_rare_classes_are_heard_in_chunks_of_mixed_classes():
    parts = np.array_split(np.arange(1200), 12)
    model, plain = (learnt(classifier(class_weight=weight), parts) for weight in ("balanced", None))
    assert balanced(model) > balanced(plain) + 0.03


@pytest.mark.parametrize("backwards", [False, True])
def test_rare_classes_are_heard_in_chunks_of_one_class_each(backwards):
    """Always the usual class would be one half; over seeds weights are worth nothing here, and do no harm."""
    parts = list(chunks_of_one_class())[:: -1 if backwards else 1]
    model, plain = (learnt(classifier(class_weight=weight), parts) for weight in ("balanced", None))
    assert balanced(model) > max(0.53, balanced(plain) - 0.06)


def test_a_chunk_of_one_class_alone_is_learnt_from():
    order = np.argsort(Y, kind="stable")
    n_rare = (Y == "rare").sum()
    model = classifier().partial_fit(X[order[n_rare:]], Y[order[n_rare:]], classes=CLASSES)
    before = print_of(model)
    assert (model.predict(X) == "usual").all()
    for _ in range(5):
        model.partial_fit(X[order[:n_rare]], Y[order[:n_rare]])
    assert print_of(model) != before
    assert (model.predict(X) == "rare").any()


def test_counts_go_on_after_fit_and_begin_anew_with_it():
    model = classifier(max_iter=1).fit(X, Y)
    model.partial_fit(X[:100], Y[:100])
    assert [sum(count.values()) for count in model._class_counts] == [1300]
    assert print_of(model.fit(X, Y)) == print_of(classifier(max_iter=1).fit(X, Y))
    assert [sum(count.values()) for count in model._class_counts] == [1200]


def test_a_refused_call_and_one_of_no_weight_count_nothing():
    model = classifier().partial_fit(X[:600], Y[:600], classes=CLASSES)
    before = model._class_counts
    with pytest.raises(ValueError, match=r"y has classes that were not there before: \['new'\]"):
        model.partial_fit(X[:2], ["new", "rare"])
    with pytest.raises(ValueError, match="y must have the form of the first fit"):
        model.partial_fit(X, LABELS)
    model.partial_fit(X[600:], Y[600:], sample_weight=np.zeros(600))
    assert model._class_counts is before
    assert model.fit(X[:50], LABELS[:50]).multilabel_


def test_labels_have_counts_of_their_own_each():
    model = classifier()
    for part in np.array_split(np.arange(1200), 4):
        model.partial_fit(X[part], LABELS[part])
    ones = LABELS.sum(axis=0).tolist()
    assert model._class_counts == [{0: 1200 - n, 1: n} for n in ones]
    with pytest.raises(ValueError, match="class_weight must have an entry for each of 2 labels, got 3"):
        classifier(class_weight=["balanced"] * 3).fit(X, LABELS)


@pytest.mark.parametrize("kind", [BooleanClassifier, LogicGateClassifier])
def test_balanced_chunks_give_one_model_on_every_backend(kind):
    prints = set()
    for backend in backends.available():
        model = classifier(kind, backend=backend)
        for part in np.array_split(np.argsort(Y, kind="stable")[:300], 3):
            model.partial_fit(X[part], Y[part], classes=CLASSES)
        prints.add(print_of(model))
    assert len(prints) == 1


def test_a_loaded_model_weighs_on_from_the_counts_so_far(tmp_path):
    model = classifier().partial_fit(X[:600], Y[:600], classes=CLASSES)
    model.save(tmp_path / "model.bvar", training_state=True)
    again = bvar.load(tmp_path / "model.bvar")
    for one in (model, again):
        one.partial_fit(X[600:], Y[600:])
    assert print_of(again) == print_of(model)
    assert again._class_counts == model._class_counts


def test_a_file_without_counts_loads_and_counts_from_then_on(tmp_path):
    model = classifier().partial_fit(X[:600], Y[:600], classes=CLASSES)
    del model._class_counts
    model.save(tmp_path / "model.bvar", training_state=True)
    again = bvar.load(tmp_path / "model.bvar").partial_fit(X[600:], Y[600:])
    assert sum(again._class_counts[0].values()) == 600


@pytest.mark.parametrize("wrong", [[{"rare": 0}], [{"other": 3}], [], {"rare": 1}, [{"rare": 2.5}]])
def test_counts_that_make_no_sense_are_not_saved(wrong, tmp_path):
    model = classifier().partial_fit(X[:600], Y[:600], classes=CLASSES)
    model._class_counts = wrong
    with pytest.raises((ValueError, ModelFileError), match="_class_counts must be"):
        model.save(tmp_path / "model.bvar")


# ----------------------------------------------------------------- offsets of scores, from samples held out


def held_out(n_classes=2, n=400):
    source = np.random.RandomState(1)
    y = np.where(source.rand(n) < 0.05, n_classes - 1, source.randint(n_classes - 1, size=n))
    scores = source.randint(-40, 40, (n, n_classes)).astype(np.int32)
    scores[np.arange(n), y] += 25
    counts = np.bincount(y)
    return Trial(scores, y, (2**16 * counts.min() // counts)[y], CrossEntropy(100), 100)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_weighted_votes_on_the_offsets_vanish(n_classes):
    seen, loss = held_out(n_classes), CrossEntropy(100)
    offsets = fit_offsets(seen, loss, n_fixed=1)
    assert offsets[0] == 0

    def votes(number, step):
        shifted = seen.scores + offsets
        shifted[:, number] += step
        return int((seen.weights * loss.signals(shifted, seen.y)[:, number]).sum())

    for number in range(1, n_classes):  # the smallest at which the sum, which rises, is not negative
        assert votes(number, -1) < 0 <= votes(number, 0)


def test_the_weighted_loss_is_least_where_the_votes_vanish():
    seen, loss = held_out(), CrossEntropy(100)
    found = fit_offsets(seen, loss, n_fixed=1)[1]
    losses = {
        step: int((seen.weights * loss.values(seen.scores + np.array([0, step], np.int32), seen.y)).sum())
        for step in range(-100, 101)
    }
    assert abs(found - min(losses, key=losses.get)) <= 2


def test_labels_have_offsets_each_and_equal_weights_move_none():
    scores = np.array([[30, -9], [10, 5], [-30, 9], [-10, -5]], np.int32)
    seen = Trial(scores, np.array([[1, 0], [1, 1], [0, 1], [0, 0]]), np.full(4, 2**16), BinaryCrossEntropy(50), 50)
    assert (np.abs(fit_offsets(seen, BinaryCrossEntropy(50), n_fixed=0)) <= 1).all()


@needs_kernels
def test_balanced_weights_move_the_offsets_of_the_scores():
    balanced, plain = (
        BooleanClassifier(class_weight=weight, random_state=0, max_iter=2).fit(X, Y)
        for weight in ("balanced", None)
    )
    assert "_shift" not in vars(balanced)
    assert balanced_accuracy_score(Y, balanced.predict(X)) > balanced_accuracy_score(Y, plain.predict(X))
    again = BooleanClassifier(class_weight="balanced", random_state=0, max_iter=2, n_threads=2).fit(X, Y)
    np.testing.assert_array_equal(again.decision_function(X), balanced.decision_function(X))
