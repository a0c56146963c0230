"""What a scikit-learn user may ask of an estimator beyond fit and predict."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split

from bvar import BooleanClassifier, BooleanRegressor

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=0)
BINARY = (Y_TRAIN >= 5).astype(int)


def quick(kind=BooleanClassifier, **parameters):
    return kind((64,), **{"max_iter": 5, "random_state": 0, **parameters})


def print_of(model):
    return model.network_.fingerprint()


# ---------------------------------------------------------------------------------------- weights


def test_weights_that_are_equal_change_nothing():
    plain = quick().fit(X_TRAIN, Y_TRAIN)
    assert print_of(quick().fit(X_TRAIN, Y_TRAIN, np.full(len(Y_TRAIN), 0.3))) == print_of(plain)


def test_a_sample_of_no_weight_is_as_if_it_were_not_there():
    heard = np.arange(len(Y_TRAIN)) % 3 > 0
    weighted = quick().fit(X_TRAIN, Y_TRAIN, heard.astype(float))
    assert print_of(weighted) == print_of(quick().fit(X_TRAIN[heard], Y_TRAIN[heard]))


def test_a_heavier_class_is_predicted_more_often():
    shares = [
        quick(class_weight=weight).fit(X_TRAIN, BINARY).predict(X_TEST).mean()
        for weight in ({0: 1, 1: 0.02}, None, {0: 0.02, 1: 1})
    ]
    assert shares[0] < shares[1] < shares[2]


def test_balanced_weights_are_those_of_scikit_learn():
    rare = (Y_TRAIN == 3).astype(int)
    by_hand = np.where(rare == 1, len(rare) / (2 * rare.sum()), len(rare) / (2 * (1 - rare).sum()))
    balanced = quick(class_weight="balanced").fit(X_TRAIN, rare)
    assert print_of(balanced) == print_of(quick().fit(X_TRAIN, rare, by_hand))


def test_bad_weights_are_named():
    for weights, text in (
        (np.zeros(len(Y_TRAIN)), "positive entry|non-zero"),
        (-np.ones(len(Y_TRAIN)), "[Nn]egative"),
        (np.ones(3), "sample_weight"),
    ):
        with pytest.raises(ValueError, match=text):
            quick().fit(X_TRAIN, Y_TRAIN, weights)


# ---------------------------------------------------------------------------------- learning on


def test_partial_fit_learns_from_chunks():
    model = BooleanClassifier((256,), random_state=0)
    for _ in range(4):
        for part in np.array_split(np.arange(len(Y_TRAIN)), 3):
            model.partial_fit(X_TRAIN[part], Y_TRAIN[part], classes=range(10))
    assert model.n_iter_ == 12
    assert model.score(X_TEST, Y_TEST) > 0.9
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        model.partial_fit(X_TRAIN, Y_TRAIN, classes=range(11))
    with pytest.raises(ValueError, match=r"classes that were not there before: \[11\]"):
        model.partial_fit(X_TRAIN[:2], [1, 11])
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        quick().partial_fit(X_TRAIN, Y_TRAIN)


def test_partial_fit_goes_on_after_pickling():
    one = quick().partial_fit(X_TRAIN, Y_TRAIN, classes=range(10))
    two = pickle.loads(pickle.dumps(one))
    assert print_of(one.partial_fit(X_TRAIN, Y_TRAIN)) == print_of(two.partial_fit(X_TRAIN, Y_TRAIN))


def test_warm_start_goes_on_and_fit_starts_anew():
    model = quick(warm_start=True).fit(X_TRAIN, Y_TRAIN)
    first = print_of(model)
    assert print_of(model.fit(X_TRAIN, Y_TRAIN)) != first
    assert model.score(X_TRAIN, Y_TRAIN) > 0.95
    with pytest.raises(ValueError, match="classes that were not there before"):
        model.fit(X_TRAIN, Y_TRAIN + 1)
    assert print_of(model.set_params(warm_start=False).fit(X_TRAIN, Y_TRAIN)) == first


def test_early_stopping_keeps_the_best_network():
    model = quick(early_stopping=True, max_iter=200, n_iter_no_change=3).fit(X_TRAIN, Y_TRAIN)
    scores = model.history_["validation_score"]
    assert len(scores) == model.n_iter_ < 200
    assert model.best_validation_score_ == max(scores)
    assert scores.index(max(scores)) == len(scores) - 4
    assert model.score(X_TEST, Y_TEST) > 0.9
    twin = quick(early_stopping=True, max_iter=200, n_iter_no_change=3).fit(X_TRAIN, Y_TRAIN)
    assert print_of(twin) == print_of(model)
    with pytest.raises(ValueError, match="early_stopping cannot set validation_fraction aside"):
        quick(early_stopping=True).fit(X_TRAIN[:2], [0, 1])  # nothing would be left


def test_callbacks_see_every_epoch_and_may_stop():
    seen = []
    quick(callbacks=[lambda model: seen.append(model.n_iter_)]).fit(X_TRAIN, Y_TRAIN)
    assert seen == [1, 2, 3, 4, 5]
    assert quick(callbacks=[lambda model: model.n_iter_ == 2]).fit(X_TRAIN, Y_TRAIN).n_iter_ == 2
    with pytest.raises(TypeError, match="callbacks must be callables"):
        quick(callbacks=["print"]).fit(X_TRAIN, Y_TRAIN)


# --------------------------------------------------------------------------------- inputs, targets


def test_many_kinds_of_input_give_one_model():
    plain = quick().fit(X_TRAIN, Y_TRAIN)
    frozen = np.asfortranarray(X_TRAIN)
    frozen.setflags(write=False)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X_TRAIN, columns=[f"p{i}" for i in range(64)])
    for same in (X_TRAIN.astype(np.float32), X_TRAIN.astype(int), frozen, sparse.csr_matrix(X_TRAIN), frame):
        assert print_of(quick().fit(same, Y_TRAIN)) == print_of(plain)
    assert quick().fit(frame, Y_TRAIN).feature_names_in_.tolist() == list(frame.columns)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_of_mixed_columns_needs_no_preparation(library):
    frames = pytest.importorskip(library)
    rng = np.random.default_rng(0)
    age, job = rng.integers(18, 80, 400).astype(float), rng.choice(["nurse", "clerk", "smith"], 400)
    y = np.where((age > 40) ^ (job == "clerk"), "yes", "no")
    age[::7] = np.nan
    frame = frames.DataFrame({"age": age, "job": job, "one": np.ones(400)})
    model = BooleanClassifier((256,), max_iter=30, random_state=0).fit(frame[:300], y[:300])
    assert model.score(frame[300:], y[300:]) > 0.8
    assert model.predict_proba(frame[:1]).shape == (1, 2)
    assert any("nurse" in name for name in model.encoder_.get_feature_names_out())


def test_labels_are_predicted_side_by_side():
    features, labels = make_multilabel_classification(600, 20, n_classes=4, random_state=0)
    model = BooleanClassifier((256,), max_iter=20, random_state=0).fit(features[:450], labels[:450])
    assert model.multilabel_
    predicted, p = model.predict(features[450:]), model.predict_proba(features[450:])
    assert (predicted == labels[450:]).mean() > 0.75
    assert p.shape == predicted.shape == labels[450:].shape
    assert ((p > 0.5) == (predicted == 1)).all()
    with pytest.raises(ValueError, match="y must have the form of the first fit"):
        model.set_params(warm_start=True).fit(features, labels[:, 0])


def test_numbers_are_predicted_alone_and_together():
    features, targets = make_regression(600, 8, n_targets=2, random_state=0)
    both = BooleanRegressor((512,), random_state=0).fit(features[:450], targets[:450])
    assert both.predict(features[450:]).shape == (150, 2)
    assert both.score(features[450:], targets[450:]) > 0.8
    one = BooleanRegressor((512,), random_state=0, early_stopping=True).fit(features[:450], targets[:450, 0])
    assert one.predict(features[450:]).shape == (150,)
    assert one.score(features[450:], targets[450:, 0]) > 0.75
    assert one.history_["score"][-1] > 0.8
    moved = BooleanRegressor((512,), random_state=0).fit(features[:450], 1e6 + 1e-3 * targets[:450])
    assert print_of(moved) == print_of(both)  # targets count in units of their own spread
    parts = BooleanRegressor((512,), random_state=0)
    for _ in range(10):
        parts.partial_fit(features[:450], targets[:450, 0])
    assert parts.score(features[450:], targets[450:, 0]) > 0.6


# ----------------------------------------------------------------------------------- the machine


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_change_the_model(backend, n_threads):
    assert print_of(quick(n_threads=n_threads, backend=backend).fit(X_TRAIN, Y_TRAIN)) == print_of(
        quick().fit(X_TRAIN, Y_TRAIN)
    )


def test_grid_search_gives_the_same_on_two_workers():
    grid = {"eta": [3.0, 10.0], "flip_noise": [0, "auto"]}
    results = [
        GridSearchCV(quick(max_iter=2), grid, cv=2, n_jobs=n_jobs).fit(X_TRAIN[:300], Y_TRAIN[:300]).cv_results_
        for n_jobs in (1, 2)
    ]
    assert results[0]["mean_test_score"].tolist() == results[1]["mean_test_score"].tolist()
    assert cross_val_score(quick(), X_TRAIN, Y_TRAIN, cv=3).min() > 0.8


def test_noise_is_part_of_the_seed_and_may_be_off():
    noisy, clean = (quick(flip_noise=p).fit(X_TRAIN, Y_TRAIN) for p in (0.125, 0))
    assert print_of(noisy) == print_of(quick(flip_noise=0.125).fit(X_TRAIN, Y_TRAIN))
    assert print_of(noisy) == print_of(
        quick().fit(X_TRAIN, Y_TRAIN)
    )  # 'auto' is an eighth on 64 features of 800 bits
    assert print_of(noisy) != print_of(clean)
    for wrong in (0.6, -0.1, "some"):
        with pytest.raises(ValueError, match="flip_noise must be"):
            quick(flip_noise=wrong).fit(X_TRAIN, Y_TRAIN)


def test_a_model_survives_copy_and_pickle():
    model = quick().fit(X_TRAIN, Y_TRAIN)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (twin.predict(X_TEST) == model.predict(X_TEST)).all()
        assert print_of(twin) == print_of(model)


def test_predictions_do_not_depend_on_the_chunk(monkeypatch):
    model = quick().fit(X_TRAIN, Y_TRAIN)
    whole = model.decision_function(X_TEST)
    monkeypatch.setattr("bvar.estimators.fitted._CHUNK", 7)
    assert (model.decision_function(X_TEST) == whole).all()
    assert model.decision_function(X_TEST[:1]).shape == (1, 10)


# ---------------------------------------------------------------------- what once went wrong


def test_a_refused_fit_leaves_the_model_as_it_was():
    model = quick().fit(X_TRAIN, Y_TRAIN)
    before, answers = dict(vars(model)), model.predict(X_TEST)
    for wrong in ({"temperature": -1}, {"encoder": "x"}, {"random_state": "x"}, {"hidden_layer_sizes": None}):
        model.set_params(**wrong)
        with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
            model.fit(X_TRAIN[:, :2], np.where(BINARY, "a", "b"))
        model.set_params(**{name: before[name] for name in wrong})
    assert vars(model) == before
    assert (model.predict(X_TEST) == answers).all()


def test_a_refused_first_call_of_partial_fit_leaves_nothing_behind():
    model = quick()
    with pytest.raises(ValueError, match="classes that were not there before"):
        model.partial_fit(X_TRAIN, Y_TRAIN, classes=[0, 1])
    assert not hasattr(model, "network_")
    model.partial_fit(X_TRAIN, Y_TRAIN, classes=range(10))
    with pytest.raises(ValueError, match="early_stopping must be False for partial_fit"):
        model.set_params(early_stopping=True).partial_fit(X_TRAIN, Y_TRAIN)


def test_a_balanced_class_is_not_silenced_by_a_rare_one():
    """Weights of 500 to 1: int8 signals cannot be multiplied by 1/500, so the light samples speak rarely."""
    rng = np.random.default_rng(0)
    y = (np.arange(10000) < 20).astype(int)
    features = rng.normal(size=(10000, 5)) + 1.5 * y[:, None]
    model = BooleanClassifier((256,), class_weight="balanced", max_iter=10, random_state=0).fit(features, y)
    fresh = rng.normal(size=(2000, 5))
    assert model.predict(fresh).mean() < 0.3  # false alarms
    assert model.predict(fresh + 1.5).mean() > 0.7  # hits


def test_a_class_without_weight_is_still_a_class():
    model = quick(class_weight={0: 0}).fit(X_TRAIN, Y_TRAIN)
    assert model.classes_.tolist() == list(range(10))
    assert model.predict_proba(X_TEST).shape[1] == 10


def test_targets_in_any_memory_order_give_one_model():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(60, 2))
    models = [
        quick(BooleanRegressor).fit(X_TRAIN[:60], order(y)) for order in (np.ascontiguousarray, np.asfortranarray)
    ]
    assert models[0].target_mean_.tolist() == models[1].target_mean_.tolist()
    assert print_of(models[0]) == print_of(models[1])


def test_a_constant_target_is_predicted_exactly():
    model = quick(BooleanRegressor).fit(X_TRAIN, np.full(len(X_TRAIN), 0.1))
    assert abs(model.predict(X_TEST) - 0.1).max() < 1e-15  # the mean itself is one rounded division
    with pytest.raises(ValueError, match="its variance overflows"):
        quick(BooleanRegressor).fit(X_TRAIN, 1e300 * np.arange(len(X_TRAIN)))
    with pytest.raises(ValueError, match="y must hold numbers"):
        quick(BooleanRegressor).fit(X_TRAIN, np.full(len(X_TRAIN), "a"))


def test_two_samples_are_held_out_where_one_would_tell_nothing():
    model = quick(BooleanRegressor, early_stopping=True).fit(X_TRAIN[:10], Y_TRAIN[:10])
    assert len(set(model.history_["validation_score"])) > 1
    with pytest.raises(ValueError, match="early_stopping cannot set validation_fraction aside"):
        quick(BooleanRegressor, early_stopping=True).fit(X_TRAIN[:2], Y_TRAIN[:2])


def test_the_best_network_is_kept_when_a_user_interrupts():
    def interrupt(model):
        if model.n_iter_ == 4:
            raise KeyboardInterrupt

    model = quick(early_stopping=True, max_iter=50, callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X_TRAIN, Y_TRAIN)
    assert model.best_validation_score_ == max(model.history_["validation_score"])
    assert model.score(X_TEST, Y_TEST) > 0.5


def test_a_warm_start_refuses_another_architecture():
    model = quick(warm_start=True).fit(X_TRAIN, Y_TRAIN)
    before = print_of(model)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes \(32, 32\) is not that of .*\(64,\)"):
        model.set_params(hidden_layer_sizes=(32, 32)).fit(X_TRAIN, Y_TRAIN)
    assert print_of(model) == before


def test_a_fit_forgets_the_one_before():
    model = quick(early_stopping=True).fit(X_TRAIN, Y_TRAIN).set_params(early_stopping=False)
    once = print_of(model.fit(X_TRAIN, Y_TRAIN).partial_fit(X_TRAIN, Y_TRAIN))
    assert not hasattr(model, "best_validation_score_")
    assert print_of(model.fit(X_TRAIN, Y_TRAIN).partial_fit(X_TRAIN, Y_TRAIN)) == once


@pytest.mark.parametrize("hole", [None, float("nan")])
def test_missing_classes_are_named(hole):
    y = np.array(["a", "b"] * 10, object)
    y[3] = hole
    with pytest.raises(ValueError, match="y contains NaN, None or NA"):
        quick().fit(X_TRAIN[:20], y)


def test_a_terminal_gets_a_bar_and_a_file_gets_lines(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    quick(verbose=True, max_iter=2).fit(X_TRAIN, Y_TRAIN)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2/2" in shown.err
    assert "flipped" in shown.err
    quick(verbose=2, max_iter=2).fit(X_TRAIN, Y_TRAIN)
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("kind", [BooleanClassifier, BooleanRegressor])
@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"offsets": "no"}, "offsets must be True, False or 'auto', got 'no'"),
        ({"gates": None}, "gates must be an integer"),
        ({"gates": "x"}, "gates must be an integer"),
    ],
)
def test_what_gates_and_offsets_may_not_be_is_said(kind, parameters, text):
    X = np.arange(40.0).reshape(20, 2)
    with pytest.raises(TypeError, match=text):
        kind(max_iter=1, **parameters).fit(X, [0, 1] * 10)


@pytest.mark.parametrize("weights", [[0.0, 0.0], "", [], [None] * 20, [[0]] * 20, [[1], [2, 3]] * 10, ["a"] * 20])
def test_weights_that_fit_no_samples_are_refused_though_all_be_nothing(weights):
    X, y = np.arange(40.0).reshape(20, 2), [0, 1] * 10
    model = BooleanClassifier(max_iter=1, random_state=0).partial_fit(X, y, [0, 1])
    before = model.network_.fingerprint()
    with pytest.raises((TypeError, ValueError), match=r"sample_weight|[Ss]ample weights|inconsistent"):
        model.partial_fit(X, y, sample_weight=weights)
    assert model.partial_fit(X, y, sample_weight=[0] * 20).network_.fingerprint() == before


def test_dates_are_no_numbers_to_predict():
    y = np.array(["2000-01-01", "2001-01-01"] * 10, "M8[D]")
    with pytest.raises(TypeError, match=r"y must hold numbers, got datetime64\[D\]"):
        BooleanRegressor(max_iter=1).fit(np.arange(40.0).reshape(20, 2), y)
