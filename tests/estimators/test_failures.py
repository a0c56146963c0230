"""Whatever fails, and wherever: a fitted model answers as before, an unfitted one stays unfitted."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
from check_estimators import name_of
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from bvar import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier, kernels
from bvar.augmentation import AugmentedClassifier
from bvar.encoding import ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder, UnateEncoder
from bvar.mollify import MollifiedClassifier
from bvar.mollify.density import RealNVPDensity
from bvar.networks import CrossEntropy, Network, SquaredError

X, Y = load_digits(return_X_y=True)
OLD, NEW = (X[:400], Y[:400] % 5), (X[400:800], Y[400:800] % 5)
SHORT = {"max_iter": 3, "random_state": 0}
KINDS = {
    "classifier": lambda **p: BooleanClassifier((32,), **{**SHORT, **p}),
    "regressor": lambda **p: BooleanRegressor((32,), **{**SHORT, **p}),
    "gates": lambda **p: LogicGateClassifier((60, 50), **{**SHORT, **p}),
    "conv": lambda **p: BooleanConvClassifier((8, "M"), (16,), **{**SHORT, **p}),
}
WAYS = {
    "fit": lambda model: model.set_params(warm_start=False).fit(*NEW),
    "warm start": lambda model: model.set_params(warm_start=True).fit(*NEW),
    "partial fit": lambda model: model.partial_fit(*NEW),
}


class Trouble(Exception):
    """What nobody expects."""


def raises(error, after):
    """Return a function that raises when it is called for the `after`-th time."""
    calls = []

    def failing(*arguments, **named):
        calls.append(1)
        if len(calls) == after:
            raise error

    return failing


def state(model):
    """All that a model is, to the last bit of its accumulators; parameters are for the user to set."""
    learnt = set(vars(model)) - set(model.get_params(deep=False))
    return {name: pickle.dumps(getattr(model, name)) for name in learnt}


def fails_in_the_middle(monkeypatch, error):
    """Let the third step of a training fail after one tensor of it was updated, whichever kernel flips it."""
    calls = []

    def failing(kernel):
        def run(*arguments, **named):
            calls.append(1)
            if len(calls) == 6:
                raise error
            return kernel(*arguments, **named)

        return run

    for name in ("flip", "vote_and_flip"):
        monkeypatch.setattr(kernels, name, failing(getattr(kernels, name)))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("error", [MemoryError("no more"), Trouble(), SystemExit()], ids=repr)
def test_a_failure_in_a_kernel_leaves_the_model_as_it_was(monkeypatch, make, way, error):
    model = make(early_stopping=False).fit(*OLD)
    before, answers = state(model), model.predict(X)
    fails_in_the_middle(monkeypatch, error)
    with pytest.raises(type(error)):
        way(model)
    assert state(model) == before
    assert (model.predict(X) == answers).all()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_after_a_failure_training_goes_on_as_if_nothing_had_happened(monkeypatch, way):
    model, twin = (KINDS["classifier"]().partial_fit(*OLD, classes=range(5)) for _ in range(2))
    with monkeypatch.context() as patch:
        fails_in_the_middle(patch, MemoryError())
        with pytest.raises(MemoryError):
            way(model)
    for one in (model, twin):
        way(one)
    assert model.network_.fingerprint() == twin.network_.fingerprint()


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("make", [KINDS["classifier"], KINDS["regressor"]], ids=["classifier", "regressor"])
def test_an_exception_in_a_callback_leaves_the_model_as_it_was(make, early_stopping, warm_start):
    model = make(warm_start=warm_start, early_stopping=early_stopping).fit(*OLD)
    before = state(model)
    model.set_params(callbacks=raises(Trouble(), 2))
    with pytest.raises(Trouble):
        model.fit(*NEW)
    assert state(model) == before


@pytest.mark.parametrize("after", [1, 2])
def test_an_exception_in_the_validation_leaves_the_model_as_it_was(monkeypatch, after):
    model = KINDS["classifier"](early_stopping=True).fit(*OLD)
    before, scores, calls = state(model), Network.scores, []

    def failing(network, x):
        calls.append(1)
        if len(calls) == after:
            raise Trouble
        return scores(network, x)

    monkeypatch.setattr(Network, "scores", failing)
    with pytest.raises(Trouble):
        model.fit(*NEW)
    assert state(model) == before


WRONG = [
    ({"verbose": None}, "verbose must be True, False or an integer >= 0, got None"),
    ({"verbose": "loud"}, "verbose must be"),
    ({"n_threads": 2**31}, r"n_threads must be an integer in \[1, 2147483647\], got 2147483648"),
    ({"n_threads": 0}, "n_threads must be"),
    ({"callbacks": 3}, "callbacks must be"),
    ({"random_state": "x"}, "random_state must be None, an integer >= 0 or a RandomState, got 'x'"),
    ({"eta": float("inf")}, "eta must be a finite number >= 0, got inf"),
    ({"early_stopping": np.ones(3)}, r"early_stopping must be True or False, got array\(\[1., 1., 1.\]\)"),
    ({"early_stopping": "no"}, "early_stopping must be True or False, got 'no'"),
    ({"warm_start": np.ones(3)}, r"warm_start must be True or False, got array"),
    ({"flip_noise": np.ones(3)}, r"flip_noise must be a finite number >= 0, got array"),
    ({"gates": np.ones(3)}, r"gates must be an integer in \[0, 8388607\], got array"),
    ({"backend": ["c"]}, r"backend must be None or the name of a backend, got \['c'\]"),
    ({"loss": "mse"}, "loss must be None, a bvar.networks.Loss, or a callable"),
    ({"loss": lambda fan_in: 5}, "loss must make a bvar.networks.Loss, but .* made 5"),
    ({"batch_size": 2.5}, "batch_size must be"),
    ({"backend": "gpu"}, "backend 'gpu' is not available"),
    ({"encoder": "text"}, "encoder must be one of bvar.encoding"),
    ({"max_iter": 0}, "max_iter must be"),
    ({"validation_fraction": 2}, "validation_fraction must be"),
]
WRONG_FOR_CLASSES = [
    ({"class_weight": [1, 2]}, r"class_weight must be None, 'balanced' or a dict of numbers >= 0, got \[1, 2\]"),
    ({"class_weight": {0: "a"}}, "class_weight must be None, 'balanced' or a dict of numbers >= 0, got {0: 'a'}"),
    ({"class_weight": {0: -1.0}}, "class_weight must be"),
    ({"class_weight": {0: float("nan")}}, "class_weight must be"),
    ({"class_weight": "even"}, "class_weight must be"),
    ({"class_weight": 3}, "class_weight must be"),
    ({"temperature": 0}, "temperature must be"),
    ({"augment": "flip"}, "augment must be"),
    ({"mollifier": "noise"}, "mollifier must be"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG + WRONG_FOR_CLASSES, ids=name_of)
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_wrong_parameter_is_named_and_changes_nothing(make, wrong, text):
    if not set(wrong) <= set(make().get_params()):
        pytest.skip("no such parameter")
    fresh = make(**wrong)
    with pytest.raises((TypeError, ValueError, RuntimeError), match=text):
        fresh.fit(*NEW)
    assert state(fresh) == {}
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    model = make().fit(*OLD)
    before, good = state(model), model.get_params(deep=False)
    with pytest.raises((TypeError, ValueError, RuntimeError), match=text):
        model.set_params(**wrong).fit(*NEW)
    assert state(model) == before
    answers = model.set_params(**{name: good[name] for name in wrong}).predict(X)
    assert (answers == make().fit(*OLD).predict(X)).all()


def test_sizes_that_no_layer_can_have_are_refused_at_once():
    for model, name in (
        (BooleanClassifier((2**31,)), "hidden_layer_sizes"),
        (BooleanRegressor((64, 2**23)), "hidden_layer_sizes"),
        (LogicGateClassifier((2**31,)), "layer_sizes"),
        (BooleanConvClassifier((8,), (2**31,)), "hidden_layer_sizes"),
    ):
        with pytest.raises(ValueError, match=rf"each of {name} must be an integer in \[1, 8388607\]"):
            model.fit(*OLD)
        assert state(model) == {}


@pytest.mark.parametrize(
    "make",
    [
        lambda: ThermometerEncoder(),
        lambda: OneHotBits(),
        lambda: TableEncoder(),
        lambda: ImageEncoder(),
        lambda: MollifiedClassifier(8, max_iter=2, random_state=0),
        lambda: RealNVPDensity(max_iter=2, random_state=0),
    ],
    ids=["thermometer", "one-hot", "table", "image", "mollified", "density"],
)
def test_a_failed_fit_of_anything_else_changes_nothing_either(monkeypatch, make):
    model = make().fit(X[:50], Y[:50])
    before = state(model)
    wrong = X[:50, :7].astype(object)
    wrong[3, 3] = {}
    with pytest.raises((TypeError, ValueError)):
        model.fit(wrong, Y[:50])
    assert state(model) == before
    monkeypatch.setattr("bvar.mollify.classifier.Adam.step", raises(Trouble(), 2))
    monkeypatch.setattr("bvar.mollify.density.network.Adam.step", raises(Trouble(), 2))
    monkeypatch.setattr("bvar.encoding.base.BitEncoder._finish", raises(Trouble(), 1))
    with pytest.raises(Trouble):
        model.fit(X[:50, :9], Y[:50])
    assert state(model) == before


# --------------------------------------------------------------------------------------- what comes in at the door


RAGGED = [[1], [1, 2]] * 200
MIXED = np.array([1, "a"] * 200, object)
TWO_LABELS = np.stack([OLD[1] > 1, OLD[1] > 2], 1).astype(int)
DOORS = {
    "ragged classes": (lambda m: m.fit(OLD[0], RAGGED), "y must be an array, got rows of different lengths"),
    "mixed classes": (lambda m: m.fit(OLD[0], MIXED), "y must hold labels of one kind, got int and str"),
    "mixed classes, text first": (lambda m: m.fit(OLD[0], MIXED[::-1]), "y must hold labels of one kind"),
    "ragged validation": (
        lambda m: m.fit(*OLD, X_val=OLD[0], y_val=RAGGED),
        "X_val, y_val: y must be an array, got rows of different lengths",
    ),
    "mixed validation": (
        lambda m: m.fit(*OLD, X_val=OLD[0], y_val=MIXED),
        "X_val, y_val: y must hold labels of one kind, got int and str",
    ),
    "numbers where there was text": (
        lambda m: m.fit(OLD[0], np.array(["a", "b"] * 200, object), X_val=OLD[0], y_val=OLD[1]),
        r"X_val, y_val: y has classes that were not there before: \[0, 1, 2, 3, 4\]",
    ),
    "a chunk of mixed classes": (
        lambda m: m.partial_fit(OLD[0], MIXED, classes=range(5)),
        "y must hold labels of one kind, got int and str",
    ),
    "a list of mixed classes": (
        lambda m: m.partial_fit(*OLD, classes=np.array([0, "a"], object)),
        "classes must hold labels of one kind, got int and str",
    ),
    "a ragged list of classes": (
        lambda m: m.partial_fit(*OLD, classes=[[0], [1, 2]]),
        "classes must be an array, got rows of different lengths",
    ),
    "no list of classes": (lambda m: m.partial_fit(*OLD, classes="ab"), "classes must be a list .*, got 'ab'"),
    "an empty list of classes": (lambda m: m.partial_fit(*OLD, classes=[]), "classes must be a list of classes"),
    "weights whose sum is infinite": (
        lambda m: m.partial_fit(*OLD, classes=range(5), sample_weight=np.full(400, 1e308)),
        "weights of samples must have a finite sum over all calls",
    ),
    "class weights whose products are infinite": (
        lambda m: m.set_params(class_weight=dict.fromkeys(range(5), 1e308)).fit(*OLD, np.full(400, 1e10)),
        "class_weight times sample_weight must be finite for every sample",
    ),
    "class weights of two labels": (
        lambda m: m.set_params(class_weight=({0: 1.0}, {1: 1.0})).fit(*OLD),
        "class_weight must be a dict or 'balanced' for classes, got 2",
    ),
    "class weights of one label for two": (
        lambda m: m.set_params(class_weight={0: 1.0}).fit(OLD[0], TWO_LABELS),
        "class_weight must be 'balanced' or a list of 2 dicts for 2 labels, got one dict",
    ),
    "class weights of 0": (
        lambda m: m.set_params(class_weight=dict.fromkeys(range(5), 0)).fit(*OLD),
        "^class_weight must have a positive entry",
    ),
}


@pytest.mark.parametrize(("call", "text"), DOORS.values(), ids=DOORS)
def test_what_is_no_class_and_no_weight_is_refused_in_words(call, text):
    model = KINDS["classifier"]()
    with pytest.raises((TypeError, ValueError), match=text):
        call(model)
    assert state(model) == {}


def test_class_weights_of_labels_may_be_a_tuple():
    weights = [{0: 1.0, 1: 2.0}, {0: 3.0, 1: 1.0}]
    tuples, lists = (KINDS["classifier"](class_weight=of(weights)).fit(OLD[0], TWO_LABELS) for of in (tuple, list))
    assert tuples.network_.fingerprint() == lists.network_.fingerprint()


@pytest.mark.parametrize("call", [lambda m: m.fit(OLD[0], RAGGED), lambda m: m.partial_fit(OLD[0], RAGGED)])
def test_ragged_numbers_are_refused_in_words(call):
    with pytest.raises(ValueError, match="y must be an array, got rows of different lengths"):
        call(KINDS["regressor"]())


@pytest.mark.parametrize("encoder", [ThermometerEncoder, TableEncoder, UnateEncoder])
def test_encoders_refuse_targets_that_are_none(encoder):
    for y, text in ((RAGGED, "y must be an array, got rows"), (MIXED, "y must hold labels of one kind, got int")):
        with pytest.raises((TypeError, ValueError), match=text):
            encoder(strategy="supervised").fit(OLD[0], y)
    with pytest.raises(ValueError, match=r"strategy must be one of 'quantile', .*, got array\(\['quantile'"):
        encoder(strategy=np.array(["quantile", "uniform"])).fit(*OLD)


def test_targets_whose_variance_vanishes_are_refused():
    y = OLD[1] / 4
    with pytest.raises(ValueError, match="y must vary by 1e-150 at least, or its variance vanishes: scale it up"):
        KINDS["regressor"]().fit(OLD[0], y * 1e-170)
    model = KINDS["regressor"]().fit(OLD[0], y * 1e-140)
    assert model.target_std_[0] > 0
    assert len(set(model.predict(X))) > 1


def test_no_images_are_refused_as_no_rows_are():
    model = BooleanConvClassifier((8,), (16,), **SHORT).fit(OLD[0].reshape(-1, 8, 8), OLD[1])
    for call in (model.predict, ImageEncoder().fit):
        with pytest.raises(ValueError, match=r"0 sample\(s\) \(shape=\(0, 64\)\) while a minimum of 1 is"):
            call(np.zeros((0, 8, 8)))


# ------------------------------------------------------------------------------------- interrupts


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_keeps_the_best_network_so_far(early_stopping, warm_start):
    model = KINDS["classifier"](early_stopping=early_stopping, warm_start=warm_start).fit(*OLD)
    before = model.network_.fingerprint()
    seen = []

    def stop(model):
        seen.append(model.network_.fingerprint())
        if len(seen) == 2:
            raise KeyboardInterrupt

    model.set_params(callbacks=stop)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*NEW)
    kept = model.network_.fingerprint()
    assert kept != before
    assert model.n_iter_ == len(model.history_["loss"]) == 2
    if early_stopping:
        scores = model.history_["validation_score"]
        assert kept == seen[scores.index(max(scores))]
        assert model.best_validation_score_ == max(scores)
    else:
        assert kept == seen[-1]


def test_an_interrupt_before_training_begins_leaves_the_model_as_it_was(monkeypatch):
    model = KINDS["classifier"]().fit(*OLD)
    before = state(model)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(CrossEntropy, "__init__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*NEW)
    assert state(model) == before


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_interrupt_in_the_first_epoch_leaves_the_model_as_it_was(monkeypatch, way):
    model = KINDS["classifier"]().fit(*OLD)
    before = state(model)
    fails_in_the_middle(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        way(model)
    assert state(model) == before


REAL = {
    "augmented": (
        lambda: AugmentedClassifier(hidden_layer_sizes=8, **SHORT),
        "bvar.augmentation.classifier.Adam.step",
    ),
    "mollified": (lambda: MollifiedClassifier(8, **SHORT), "bvar.mollify.classifier.Adam.step"),
}


@pytest.mark.parametrize(("make", "step"), REAL.values(), ids=REAL)
def test_a_real_network_keeps_what_whole_epochs_have_taught(monkeypatch, make, step):
    """400 samples are 7 minibatches: the second step is in the first epoch, the ninth in the second."""
    fresh, model = make(), make().fit(*OLD)
    before = state(model)
    for one, was in ((fresh, {}), (model, before)):
        monkeypatch.setattr(step, raises(KeyboardInterrupt(), 2))
        with pytest.raises(KeyboardInterrupt):
            one.fit(NEW[0], NEW[1] + 5)
        assert state(one) == was
    monkeypatch.undo()
    monkeypatch.setattr(step, raises(KeyboardInterrupt(), 9))
    with pytest.raises(KeyboardInterrupt):
        model.fit(NEW[0], NEW[1] + 5)
    assert model.n_iter_ == len(model.loss_curve_) == 1
    assert model.classes_.tolist() == [5, 6, 7, 8, 9]
    assert set(model.predict(X)) <= {5, 6, 7, 8, 9}


def test_an_interrupted_first_chunk_is_a_model():
    model = KINDS["classifier"](callbacks=None)
    with pytest.MonkeyPatch.context() as patch:
        fails_in_the_middle(patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(*OLD, classes=range(5))
    assert model.n_iter_ == 0
    assert set(model.partial_fit(*OLD).predict(X)) <= set(range(5))


def test_validation_samples_that_cannot_be_read_are_refused_by_name_before_anything_is_tried():
    x = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20) % 3})
    seen = []
    for bad in (np.inf, "x"):
        other = x.astype(object)
        other.loc[3, "a"] = bad
        with pytest.raises(ValueError, match="X_val: column 'a'"):
            BooleanClassifier((8,), callbacks=[seen.append]).fit(x, x["b"], X_val=other, y_val=x["b"])
    assert not seen


def test_a_call_without_weight_leaves_no_trace():
    x, y = np.arange(20.0)[:, None], np.arange(20) % 2
    model = BooleanClassifier((8,), random_state=0)
    before = dict(vars(model))
    model.partial_fit(x, y, classes=[0, 1], sample_weight=np.zeros(20))
    assert vars(model) == before
    model.partial_fit(x, y, classes=[0, 1])
    model.backend_ = "another"
    model.partial_fit(x, y, sample_weight=np.zeros(20))
    assert model.backend_ == "another"


def test_classes_that_are_no_list_of_classes_are_refused():
    x, y = np.arange(20.0)[:, None], np.arange(20) % 2
    for classes in ([0.0, 1.0, np.nan], ["a", None]):
        with pytest.raises(ValueError, match="classes must not hold NaN, None or NA"):
            BooleanClassifier((8,)).partial_fit(x, y, classes=classes)
    with pytest.raises(ValueError, match="classes must be None for a matrix of labels"):
        BooleanClassifier((8,)).partial_fit(x, np.eye(2, dtype=int)[y], classes=[0, 1])


def test_a_loss_of_numbers_is_refused_for_classes():
    with pytest.raises(TypeError, match="loss must judge scores of classes, got"):
        BooleanClassifier((8,), loss=SquaredError).fit(np.arange(20.0)[:, None], np.arange(20) % 2)


def test_too_few_samples_to_hold_any_out_are_counted():
    text = (
        r"early_stopping cannot set validation_fraction aside, 0.1 of 2 samples with weight: two must be held out"
    )
    with pytest.raises(ValueError, match=text):
        BooleanClassifier((8,), early_stopping=True).fit([[0.0], [1.0]], [0, 1])


def test_dates_among_categories_are_told_what_to_become():
    for values in (
        pd.date_range("2020-01-01", periods=4, tz="UTC"),
        [datetime.date(2020, 1, d) for d in (1, 2, 3, 4)],
    ):
        table = pd.DataFrame({"d": pd.Series(values).astype(object), "x": [1, 2, 3, 4]})
        with pytest.raises(TypeError, match=r"in column 'd': turn it into numbers first \(dates into days, say\)"):
            BooleanClassifier((8,)).fit(table, [0, 1, 0, 1])


def test_a_subclass_may_pass_parameters_on():
    class Model(BooleanClassifier):
        def __init__(self, extra=1, **others):
            super().__init__(**others)
            self.extra = extra

    class Small(BooleanClassifier):
        def __init__(self, random_state=None):
            super().__init__((8,), max_iter=2, random_state=random_state)

    x, y = np.arange(20.0)[:, None], np.arange(20) % 2
    wanted = BooleanClassifier((8,), max_iter=2, random_state=0).fit(x, y).network_.fingerprint()
    for model in (Model(hidden_layer_sizes=(8,), max_iter=2, random_state=0), Small(0)):
        assert model.fit(x, y).network_.fingerprint() == wanted


def test_at_most_one_side_of_images_is_left_open():
    with pytest.raises(ValueError, match="image_shape must leave at most one number open"):
        BooleanConvClassifier(image_shape=(-1, -1)).fit(np.zeros((4, 16)), [0, 1, 0, 1])
