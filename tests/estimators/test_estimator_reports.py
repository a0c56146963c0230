"""What real reports about neighbouring projects broke here: one test for each, named by what must hold."""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    ThermometerEncoder,
)
from bvar.encoding import ImageEncoder, OneHotBits, TableEncoder
from bvar.mollify import MollifiedClassifier, Mollifier, standard_moments
from bvar.mollify.density import RealNVPDensity
from bvar.training import RandomFlip, apply_augmentations
from bvar.training.changing import Degradation

R = np.random.RandomState(0)
X = R.rand(300, 3)
YR = X[:, 0] + X[:, 1]
Y = (X[:, 0] > 0.5).astype(int)
DIGITS = load_digits()


def classifier(kind=BooleanClassifier, **parameters):
    size = {"layer_sizes": (300, 300)} if kind is LogicGateClassifier else {"hidden_layer_sizes": (64,)}
    return kind(**{**size, "max_iter": 10, "random_state": 0, **parameters})


def regressor(**parameters):
    return BooleanRegressor((64,), **{"max_iter": 20, "random_state": 0, **parameters})


def print_of(model):
    return model.network_.fingerprint()


# ------------------------------------------------- input is seen by the code that understands it


def rows_of_numbers_and_text():
    jobs = np.array(["nurse", "clerk", "smith"])[R.randint(3, size=len(X))]
    return [[float(x), str(job)] for x, job in zip(X[:, 0], jobs, strict=True)]


@pytest.mark.parametrize("kind", [BooleanClassifier, LogicGateClassifier])
def test_a_list_with_text_is_the_table_that_its_elements_are(kind):
    rows = rows_of_numbers_and_text()
    model = classifier(kind).fit(rows, Y)
    assert model.encoder_.kinds_ == ["number", "category"]
    assert model.score(rows, Y) > 0.95
    array = np.array(rows, object)
    assert print_of(classifier(kind).fit(array, Y)) == print_of(model)
    assert (model.predict(rows) == model.predict(array)).all()
    assert model.predict([rows[0]]).shape == (1,)


def test_encoders_and_estimators_see_the_same():
    for rows in (
        rows_of_numbers_and_text(),
        [[1, None], [2.5, None], [None, 3]] * 20,
        [[True, "a"], [False, "b"]] * 30,
        np.ma.array(X[:60], mask=X[:60] < 0.1),
    ):
        encoder = TableEncoder().fit(rows)
        model = classifier(encoder=TableEncoder(), max_iter=1).fit(rows, np.arange(len(rows)) % 2)
        assert encoder.kinds_ == model.encoder_.kinds_
        assert encoder.encode(rows).words.tolist() == model.encoder_.encode(rows).words.tolist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (X.copy(), "number"),
        (X.astype(np.float32), "number"),
        ((9 * X).astype(int), "number"),
        (X > 0.5, "bool"),
        (np.array(X.round(1), str), "category"),
    ],
    ids=["floats", "float32", "integers", "booleans", "text"],
)
def test_what_is_masked_is_missing(values, kind):
    mask = R.rand(*values.shape) < 0.2
    masked = np.ma.array(values, mask=mask)
    encoder = TableEncoder().fit(masked)
    assert encoder.kinds_ == [kind] * 3
    widths = [len(t) + len(c) for t, c in zip(encoder.thresholds_, encoder.categories_, strict=True)]
    assert ((encoder.transform(masked) == 0) == np.repeat(mask, widths, axis=1)).all()
    model = classifier().fit(masked, Y)
    blank = values.astype(object)
    blank[mask] = None
    assert print_of(model) == print_of(classifier().fit(blank, Y))
    assert (model.predict(masked) == model.predict(blank)).all()
    whole = np.ma.array(values, mask=False)
    assert print_of(classifier().fit(whole, Y)) == print_of(classifier().fit(values, Y))


def test_what_is_masked_is_missing_for_mollifiers_and_augmentations_too():
    images = DIGITS.images[:20].copy()
    masked = np.ma.array(images, mask=images == 3)
    blank = np.where(images == 3, np.nan, images)
    np.testing.assert_array_equal(apply_augmentations(masked, RandomFlip(1.0)), blank[:, :, ::-1])
    np.testing.assert_array_equal(RandomFlip(1.0)(masked), blank[:, :, ::-1])
    flat, gaps = masked.reshape(20, 64), blank.reshape(20, 64)
    np.testing.assert_array_equal(standard_moments(flat), standard_moments(gaps))
    np.testing.assert_array_equal(Mollifier("n").degrade(flat, 0)[0], Mollifier("n").degrade(gaps, 0)[0])
    for model in (MollifiedClassifier(8), RealNVPDensity()):
        with pytest.raises(ValueError, match="NaN"):
            model.fit(flat, DIGITS.target[:20])


def test_masked_targets_and_weights_are_refused():
    hidden = np.arange(300) == 7
    for model, y in ((classifier(), Y), (regressor(), YR)):
        with pytest.raises(ValueError, match="y has masked entries"):
            model.fit(X, np.ma.array(y, mask=hidden))
        with pytest.raises(ValueError, match="sample_weight has masked entries"):
            model.fit(X, y, np.ma.array(np.ones(300), mask=hidden))
        model.fit(X, np.ma.array(y, mask=False))


def test_lists_of_images_are_images():
    images = DIGITS.images[:200]
    model = BooleanConvClassifier((8, "M"), (32,), max_iter=2, random_state=0).fit(images, DIGITS.target[:200])
    twin = BooleanConvClassifier((8, "M"), (32,), max_iter=2, random_state=0)
    twin.fit(images.tolist(), DIGITS.target[:200])
    assert print_of(twin) == print_of(model)
    assert twin.image_shape_ == (8, 8, 1)
    assert (twin.predict([one.tolist() for one in images]) == model.predict(images)).all()


def test_images_need_no_reshaping_for_an_encoder_or_a_mollified_classifier():
    images, flat = DIGITS.images[:300], DIGITS.data[:300]
    for some in (images, images[..., None], images.tolist()):
        encoder = ImageEncoder().fit(some)
        assert (encoder.thresholds_ == ImageEncoder().fit(flat).thresholds_).all()
        assert (encoder.transform(some) == encoder.transform(flat)).all()
    with pytest.raises(ValueError, match="n_channels must be 3, that of the images, got 1"):
        ImageEncoder().fit(np.zeros((5, 4, 4, 3)))
    models = [
        MollifiedClassifier(16, roles="xnb", image_shape=(8, 8), max_iter=2, random_state=0).fit(
            some, DIGITS.target[:300]
        )
        for some in (images, flat)
    ]
    assert (models[0].predict_proba(images) == models[1].predict_proba(flat)).all()
    with pytest.raises(ValueError, match=r"image_shape is \(8, 8\), but X has images of shape \(4, 16, 1\)"):
        models[0].predict(images.reshape(-1, 4, 16))


def test_images_whose_channels_come_first_are_refused():
    images, y = R.rand(40, 3, 16, 16), np.arange(40) % 2
    text = r"channels came first: images of 3 x 16 with 16 channels. Use np.moveaxis\(X, 1, -1\)"
    for call in (
        lambda: BooleanConvClassifier().fit(images, y),
        lambda: BooleanConvClassifier().fit(images.tolist(), y),
        lambda: ImageEncoder().fit(images),
        lambda: RandomFlip()(images),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    named = BooleanConvClassifier((4,), (8,), image_shape=(3, 16, 16), max_iter=1, random_state=0).fit(images, y)
    assert named.image_shape_ == (3, 16, 16)  # who says so is believed
    last = BooleanConvClassifier((4,), (8,), max_iter=1, random_state=0).fit(np.moveaxis(images, 1, -1), y)
    assert last.image_shape_ == (16, 16, 3)


# ------------------------------------------------------------- weights count before anything is learnt


def test_an_outlier_of_no_weight_is_not_there():
    X_out, y_out = np.vstack([X, [[0.5, 0.5, 0.5]]]), np.append(YR, 1e9)
    weights = np.append(np.ones(300), 0.0)
    model = regressor().fit(X_out, y_out, weights)
    assert print_of(model) == print_of(regressor().fit(X, YR))
    assert model.score(X, YR) > 0.9
    part = regressor().partial_fit(X_out, y_out, weights)
    assert part.target_mean_ == regressor().partial_fit(X, YR).target_mean_


def test_moments_of_targets_are_weighted():
    heavy = np.where(YR > 1, 4.0, 1.0)
    model = regressor(max_iter=1).fit(X, YR, heavy)
    mean = np.average(YR, weights=heavy)
    assert model.target_mean_[0] == pytest.approx(mean, abs=1e-12)
    assert model.target_std_[0] == pytest.approx(np.sqrt(np.average((YR - mean) ** 2, weights=heavy)), abs=1e-12)
    equal = regressor(max_iter=1).fit(X, YR, np.full(300, 0.3))
    assert print_of(equal) == print_of(regressor(max_iter=1).fit(X, YR))


@pytest.mark.parametrize("two", [False, True])
def test_a_scale_that_the_first_chunk_could_not_show_is_learnt_later(two):
    y = np.column_stack([YR, 3 * YR]) if two else YR
    constant = np.full_like(y[:50], 5.0)
    if two:
        constant[:, 1] = y[:50, 1]  # only the first of them is constant
    model = regressor().partial_fit(X[:50], constant)
    scale = model.target_std_.copy()
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.7
    assert (model.target_std_ > 0).all()
    assert not two or (model.target_std_[1], model.target_std_[0] > 0) == (scale[1], True)
    warm = regressor(warm_start=True).fit(X[:50], np.full(50, 5.0))
    assert (warm.predict(X) == 5.0).all()
    assert warm.fit(X, YR).score(X, YR) > 0.7


def test_weights_that_are_equal_within_a_chunk_count_beside_other_chunks():
    """Chunks of one class each: without the weights the last of them would win."""
    order = np.argsort(Y, kind="stable")
    shares = []
    for weights in ({0: 1, 1: 0.01}, {0: 1, 1: 1}, {0: 0.01, 1: 1}):
        given, named = classifier(), classifier(class_weight=weights)
        for _ in range(10):
            for part in np.array_split(order, 6):
                by_class = np.where(Y[part] == 1, weights[1], weights[0])
                given.partial_fit(X[part], Y[part], classes=[0, 1], sample_weight=by_class)
                named.partial_fit(X[part], Y[part], classes=[0, 1])
        assert print_of(given) == print_of(named)
        shares.append(named.predict(X).mean())
    assert shares[0] < 0.2
    assert shares[2] > 0.8


def test_equal_weights_in_all_chunks_change_nothing():
    plain, weighted = classifier(), classifier()
    for part in np.array_split(np.arange(300), 4):
        plain.partial_fit(X[part], Y[part], classes=[0, 1])
        weighted.partial_fit(X[part], Y[part], classes=[0, 1], sample_weight=np.full(len(part), 0.25))
    assert print_of(plain) == print_of(weighted)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_chunk_of_no_weight_changes_nothing(make):
    more = {"classes": [0, 1]} if make is classifier else {}
    model = make()
    model.partial_fit(X, Y, sample_weight=np.zeros(300), **more)
    assert not hasattr(model, "network_")
    model.partial_fit(X, Y, **more)
    before, n_iter, source = print_of(model), model.n_iter_, pickle.dumps(model._source)
    model.partial_fit(X, Y, sample_weight=np.zeros(300))
    assert (print_of(model), model.n_iter_, pickle.dumps(model._source)) == (before, n_iter, source)
    with pytest.raises(ValueError, match="at least one non-zero number"):
        make().fit(X, Y, np.zeros(300))


# --------------------------------------------------------------------- checks in both directions


@pytest.mark.parametrize("encoder", [OneHotBits(), TableEncoder(categorical=[0])], ids=repr)
def test_categories_that_changed_their_type_are_refused(encoder):
    numbers = (3 * X[:, :1]).astype(int)
    for fitted, given in ((numbers, numbers.astype(str)), (numbers.astype(str), numbers)):
        for form in (np.asarray, lambda some: some.astype(object), lambda some: some.tolist()):
            model = classifier(encoder=encoder, max_iter=1).fit(fitted, Y)
            with pytest.raises(TypeError, match=r"column 'x0' held (numbers|text) in fit, but now has"):
                model.predict(form(given))
            model.predict(form(fitted))


def test_numbers_whose_squares_overflow_are_refused():
    huge, y = X * 1e155, Y
    for call in (
        lambda: MollifiedClassifier(8, max_iter=1).fit(huge, y),
        lambda: classifier(mollifier=Mollifier("xn")).fit(huge, y),
        lambda: standard_moments(huge),
    ):
        with pytest.raises(ValueError, match=r"X must be within 1e\+150 of 0, or its variance overflows"):
            call()
    assert classifier().fit(huge, y).score(huge, y) > 0.95  # thresholds do not mind


def test_noise_on_a_column_with_gaps_leaves_what_is_known():
    gaps = X.copy()
    gaps[::7, 0] = np.nan
    degradation = Degradation(Mollifier("n"), gaps, 2)
    assert degradation.mean == pytest.approx(np.nanmean(gaps, axis=0))
    assert degradation.std == pytest.approx(np.nanstd(gaps, axis=0))
    noisy, _ = degradation.degrade(gaps, 0.0, np.random.RandomState(0))
    assert (np.isnan(noisy) == np.isnan(gaps)).all()
    assert classifier(mollifier=Mollifier("xn"), max_iter=30).fit(gaps, Y).score(X, Y) > 0.8


# ---------------------------------------------------------------------------------- early stopping


def test_early_stopping_tells_networks_apart_on_constant_targets():
    """R2 of targets that are all equal is 0 for every network; their squared errors still differ."""
    y = np.where(np.arange(300) < 290, 0.0, 5.0)  # a hold-out of 30 has the rare ones seldom
    for seed in range(3):
        model = regressor(early_stopping=True, random_state=seed).fit(X, y)
        scores = model.history_["validation_score"]
        assert len(set(scores)) > 1
        assert model.best_validation_score_ == max(scores)


def test_a_few_samples_of_many_classes_can_be_held_out():
    y = np.repeat(np.arange(10), 3)
    model = classifier(early_stopping=True, validation_fraction=0.2).fit(X[:30], y)
    assert model.classes_.tolist() == list(range(10))
    assert len(model.history_["validation_score"]) == model.n_iter_
    assert classifier(early_stopping=True).fit(X[:5], [0, 1, 0, 1, 1]).best_validation_score_ in (0, 0.5, 1)


@pytest.mark.parametrize("kind", [BooleanClassifier, LogicGateClassifier])
def test_early_stopping_counts_the_weights_of_what_is_held_out(kind):
    """Half of the samples are mislabelled and light: the best network gets the heavy ones right."""
    rng = np.random.RandomState(1)
    features = rng.rand(800, 4)
    truth = (features[:, 0] > 0.5).astype(int)
    light = rng.rand(800) < 0.55
    y, weights = np.where(light, 1 - truth, truth), np.where(light, 0.01, 1.0)
    model = classifier(kind, early_stopping=True, max_iter=20, encoder=ThermometerEncoder(16))
    assert model.fit(features, y, weights).score(features, truth) > 0.9


@pytest.mark.parametrize("kind", [BooleanClassifier, LogicGateClassifier])
def test_early_stopping_counts_the_weights_of_classes(kind):
    seen = {}

    class Watched(kind):
        def _hold_out(self, X, y, weights, source, given=None):
            *rest, stopping = super()._hold_out(X, y, weights, source, given)
            seen["validate"], seen["weights"], seen["y"], seen["kept"] = stopping.validate, weights, y, rest
            return (*rest, stopping)

    size = {"layer_sizes": (100,)} if kind is LogicGateClassifier else {"hidden_layer_sizes": (32,)}
    model = Watched(**size, class_weight={0: 1, 1: 9}, early_stopping=True, max_iter=3, random_state=0).fit(X, Y)
    left = [i for i in range(300) if not (seen["kept"][0] == X[i]).all(axis=1).any()]
    right = model.predict(X[left]) == Y[left]
    by_class = np.where(Y[left] == 1, 9, 1)
    expected = accuracy_score(Y[left], model.predict(X[left]), sample_weight=seen["weights"][left])
    assert seen["validate"](model.network_).score == pytest.approx(expected, abs=1e-12)
    assert seen["validate"](model.network_).score == pytest.approx(
        (by_class * right).sum() / by_class.sum(), abs=1e-4
    )


# -------------------------------------------------------------------------------------- stale state


@pytest.mark.parametrize("make", [classifier, regressor])
def test_the_best_validation_score_is_that_of_the_last_fit(make):
    model = make(early_stopping=True, max_iter=3).fit(X, Y)
    assert hasattr(model, "best_validation_score_")
    again = pickle.loads(pickle.dumps(model)).set_params(early_stopping=False, warm_start=True).fit(X, Y)
    assert not hasattr(again, "best_validation_score_")
    assert again.history_["validation_score"] == []
    model.set_params(early_stopping=False).partial_fit(X, Y)
    assert not hasattr(model, "best_validation_score_")
    assert model.history_["validation_score"] == []
    assert len(model.history_["loss"]) == model.n_iter_ == 4


@pytest.mark.parametrize("none", [None, (), []], ids=repr)
def test_no_augmentation_is_no_augmentation_everywhere(none):
    plain = classifier(max_iter=2)
    assert print_of(classifier(max_iter=2, augment=none).fit(X, Y)) == print_of(plain.fit(X, Y))
    given = classifier(augment=none).partial_fit(X, Y, classes=[0, 1])
    assert print_of(given) == print_of(classifier().partial_fit(X, Y, classes=[0, 1]))


def test_targets_in_one_column_go_on_from_flat_ones():
    for first, second in ((YR, YR[:, None]), (YR[:, None], YR)):
        model = regressor(warm_start=True).fit(X, first)
        assert model.fit(X, second).predict(X).shape == first.shape
        assert model.partial_fit(X, second).predict(X).shape == first.shape
    with pytest.raises(ValueError, match=r"y must have 1 target\(s\), as in the first fit, got 2"):
        model.partial_fit(X, np.column_stack([YR, YR]))


# --------------------------------------------------------------------------------- read-only memory


@pytest.mark.parametrize("make", [classifier, regressor, lambda **p: classifier(LogicGateClassifier, **p)])
def test_a_model_in_read_only_memory_learns_on(tmp_path, make):
    """joblib hands large arrays to workers as memory maps that nobody may write to."""
    model = make(max_iter=2).fit(X, Y)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert not mapped.network_.optimizer.m[0].flags.writeable
    assert (mapped.predict(X) == model.predict(X)).all()
    assert print_of(mapped.partial_fit(X, Y)) == print_of(model.partial_fit(X, Y))
    again = joblib.load(tmp_path / "model", mmap_mode="r").set_params(warm_start=True)
    twin = joblib.load(io.BytesIO((tmp_path / "model").read_bytes())).set_params(warm_start=True)
    assert print_of(again.fit(X, Y)) == print_of(twin.fit(X, Y))
