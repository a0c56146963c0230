"""Augmentations of images, and the estimators that train on them."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import bvar
from bvar import BooleanClassifier, LogicGateClassifier, ThermometerEncoder
from bvar.bits import RandomWords
from bvar.estimators import BooleanConvClassifier
from bvar.mollify import Mollifier
from bvar.training import Augmentation, RandomFlip, RandomRotation, RandomShift, apply_augmentations
from bvar.training.data import TrainingData

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.5, stratify=Y, random_state=0)
SHAPE = (8, 8)
ALL = [RandomShift(1), RandomFlip(), RandomRotation(20)]
IDS = [type(a).__name__ for a in ALL]


def images(n=200, shape=(6, 5), dtype=np.int64):
    return np.random.RandomState(0).randint(1, 200, (n, *shape)).astype(dtype)


# ------------------------------------------------------------------------------------------- what they do


def moved(image, dy, dx):
    """Pixel by pixel, with zeros where nothing was."""
    out = np.zeros_like(image)
    height, width = image.shape[:2]
    for y in range(height):
        for x in range(width):
            if 0 <= y + dy < height and 0 <= x + dx < width:
                out[y, x] = image[y + dy, x + dx]
    return out


@pytest.mark.parametrize("pixels", [1, 2, 4])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_a_shift_is_one_of_all_shifts_and_all_occur(pixels, shape):
    before = images(600, shape)
    after = RandomShift(pixels)(before, 0)
    reach = range(-pixels, pixels + 1)
    count = dict.fromkeys(((dy, dx) for dy in reach for dx in reach), 0)
    for old, new in zip(before, after, strict=True):
        fits = [place for place in count if (moved(old, *place) == new).all()]
        assert len(fits) == 1
        count[fits[0]] += 1
    expected = 600 / len(count)
    # five standard deviations of a binomial
    assert all(abs(n - expected) < 5 * np.sqrt(expected) for n in count.values())
    assert after.dtype == before.dtype


@pytest.mark.parametrize("mode", ["edge", "reflect"])
def test_what_comes_in_is_what_numpy_pads_with(mode):
    before = images(50)
    wide = np.pad(before, [(0, 0), (2, 2), (2, 2)], mode=mode)
    for i, new in enumerate(RandomShift(2, fill=mode)(before, 0)):
        windows = [wide[i, y : y + 6, x : x + 5] for y in range(5) for x in range(5)]
        assert any((window == new).all() for window in windows)
    assert (RandomShift(1, fill=7)(np.zeros((99, 3, 3), np.uint8), 0) == 7).any()


def test_a_flip_mirrors_some():
    before = images(400)
    after = RandomFlip(0.25)(before, 0)
    flipped = (after == before[:, :, ::-1]).all(axis=(1, 2))
    assert ((after == before).all(axis=(1, 2)) ^ flipped).all()
    assert abs(flipped.sum() - 100) < 5 * np.sqrt(400 * 0.25 * 0.75)
    channels = images(5, (6, 5, 3))
    assert (RandomFlip(1.0)(channels, 0) == channels[:, :, ::-1]).all()


class Turns:
    """A source of random numbers that asks for one turn of all images."""

    def __init__(self, share):
        self.share = share

    def random_sample(self, n):
        return np.full(n, self.share)


@pytest.mark.parametrize(("share", "quarters"), [(0.75, -1), (0.25, 1), (1.0, 2), (0.5, 0)])
def test_a_quarter_turn_is_exact(share, quarters):
    """In [-180, 180] degrees these shares are whole quarters; float64 puts pixels within 1e-14 of places."""
    before = images(3, (7, 7)).astype(np.float64)[..., None]
    after = RandomRotation(180, fill="edge")._changed(before, Turns(share))
    # a pixel below 256 that is 1e-14 off its place takes up to twice that share of its neighbours
    np.testing.assert_allclose(after, np.rot90(before, quarters, axes=(1, 2)), rtol=0, atol=256 * 2e-14)


def test_a_turn_is_linear_interpolation():
    """A plane is its own interpolation: turned by any angle it is the turned plane, away from the border."""
    y, x = np.mgrid[-4:5, -4:5]
    after = RandomRotation(90)._changed((2.0 * y + 5 * x)[None, ..., None], Turns(0.625))[0, ..., 0]
    angle = np.deg2rad(90 * 0.25)
    turned = 2 * (np.cos(angle) * y - np.sin(angle) * x) + 5 * (np.sin(angle) * y + np.cos(angle) * x)
    inside = np.hypot(y, x) <= 4
    # places are within 1e-14, the plane rises by less than 7 a pixel, and some ten roundings of numbers below 32
    np.testing.assert_allclose(after[inside], turned[inside], rtol=0, atol=7e-14 + 320 * 2.0**-53)


def test_turned_integers_are_rounded():
    whole = images(9, (7, 7, 2), np.uint8)
    real = RandomRotation(30)(whole.astype(np.float64), 0)
    turned = RandomRotation(30)(whole, 0)
    assert turned.dtype == np.uint8
    assert (turned == np.rint(real)).all()


# ---------------------------------------------------------------------------------------- what they all keep


@pytest.mark.parametrize("change", ALL, ids=IDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 3)])
def test_flat_images_are_the_same_images_and_inputs_stay_as_they_are(change, dtype, shape):
    before = images(20, shape, dtype)
    kept = before.copy()
    before.flags.writeable = False
    after = change(before, 1)
    assert (before == kept).all()
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert (after != before).any()
    flat = clone(change).set_params(image_shape=shape)
    assert (flat(before.reshape(20, -1), 1) == after.reshape(20, -1)).all()
    assert (flat(before, 1) == after).all()
    assert (flat(np.asfortranarray(before.reshape(20, -1)), 1) == after.reshape(20, -1)).all()


@given(seed=st.integers(0, 2**31 - 1), share=st.sampled_from([0.0, 0.3, 1.0]), which=st.integers(0, 2))
def test_images_that_are_not_chosen_are_equal_bit_for_bit(seed, share, which):
    before = np.random.RandomState(0).standard_normal((40, 5, 5))
    change = clone(ALL[which]).set_params(probability=share)
    after = change(before, seed)
    chosen = np.random.RandomState(seed).random_sample(40) < share  # the first numbers that are drawn
    assert (after[~chosen] == before[~chosen]).all()
    assert (change(before, seed) == after).all()


@pytest.mark.parametrize("change", ALL, ids=IDS)
def test_no_images_are_no_images(change):
    assert change(np.zeros((0, 4, 4)), 0).shape == (0, 4, 4)


def test_a_sequence_is_one_after_the_other():
    before, random = images(), np.random.RandomState(3)
    expected = before
    for change in ALL:
        expected = change(expected, random)
    assert (apply_augmentations(before, ALL, 3) == expected).all()
    assert apply_augmentations(before, None) is before
    assert apply_augmentations(before, []) is before
    assert (apply_augmentations(before, lambda X, random: X + 1) == before + 1).all()


def test_parameters_are_those_of_scikit_learn():
    change = RandomShift(3, probability=0.5)
    assert repr(change) == "RandomShift(pixels=3, probability=0.5)"
    assert change.get_params() == {"pixels": 3, "fill": 0.0, "probability": 0.5, "image_shape": None}
    assert clone(change) == change != RandomShift(2, probability=0.5)
    assert RandomFlip(1.0) != RandomRotation(1.0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: RandomShift(0)(images()), "pixels must be an integer >= 1"),
        (lambda: RandomShift(5)(images()), r"pixels must be less than the sides of the images, \(6, 5\), got 5"),
        (lambda: RandomShift(fill="wrap")(images()), "fill must be one of 'edge', 'reflect'"),
        (lambda: RandomShift(fill=0.5)(images()), "fill must be a value that images of int64 can have, got 0.5"),
        (lambda: RandomShift(1, fill=300)(images(dtype=np.uint8)), "fill must be a value that images of uint8"),
        (lambda: RandomShift(1, fill=-1.0)(images(dtype=np.uint8)), "fill must be a value that images of uint8"),
        (lambda: RandomShift(1, fill=1e300)(images(dtype=np.float32)), "value that images of float32 can"),
        (lambda: RandomRotation(fill=7e4)(images(dtype=np.float16)), "value that images of float16 can"),
        (lambda: RandomRotation(fill=2**70)(images()), "fill must be a value that images of int64 can have"),
        (lambda: RandomShift(probability=1.5)(images()), r"probability must be in \[0, 1\]"),
        (lambda: RandomFlip(-0.5)(images()), "probability must be a finite number >= 0"),
        (lambda: RandomRotation(0)(images()), "degrees must be a finite number > 0"),
        (lambda: RandomRotation(181)(images()), "degrees must be above 0 and at most 180"),
        (lambda: RandomFlip()(np.zeros((3, 30))), "image_shape must be given for flat samples"),
        (lambda: RandomFlip(image_shape=(5, 5))(np.zeros((3, 30))), "has 25 pixels, but X has 30 features"),
        (lambda: RandomFlip(image_shape=(5, 5))(images()), r"image_shape is \(5, 5\), but X has images of shape"),
        (lambda: RandomFlip(image_shape=30)(np.zeros((3, 30))), r"image_shape must be \(height"),
        (lambda: RandomFlip()(np.zeros(3)), "X must have shape"),
        (lambda: RandomFlip()(np.array([["a"]])), "X must be numbers, got dtype <U1"),
        (lambda: apply_augmentations(images(), [RandomFlip(), "flip"]), "augment must be None, .* got 'flip'"),
        (lambda: apply_augmentations(images(), RandomFlip), "augment must be None, an augmentation"),
        (lambda: apply_augmentations(images(), lambda X, random: X[:1]), "augment must keep the shape"),
        (Augmentation, "abstract"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()


# ------------------------------------------------------------------------------------------------ estimators


KINDS = [BooleanClassifier, LogicGateClassifier]
SHIFT = RandomShift(1, image_shape=SHAPE)


def quick(kind, **parameters):
    size = {"hidden_layer_sizes": (64,)} if kind is BooleanClassifier else {"layer_sizes": (300, 300)}
    return kind(**{**size, "max_iter": 4, "random_state": 0, **parameters})


def print_of(model, x=X_TRAIN, y=Y_TRAIN):
    return model.fit(x, y).network_.fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_is_one_model_on_every_backend(backend, kind):
    """Theorem (exactness): images are moved on the Python side, and no backend sees it."""
    changes = [SHIFT, RandomRotation(10, image_shape=SHAPE)]
    prints = {print_of(quick(kind, augment=changes, backend=b)) for b in (backend, None)}
    assert len(prints) == 1
    assert print_of(quick(kind, augment=changes, random_state=1)) not in prints


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_changed_by_no_augmentation(kind):
    plain = print_of(quick(kind))
    assert print_of(quick(kind, augment=[])) == plain
    assert print_of(quick(kind, augment=SHIFT)) != plain


def test_samples_are_moved_anew_in_each_epoch_and_then_degraded():
    calls = []

    def watch(samples, random):
        calls.append(samples.copy())
        return samples + 1

    model = quick(BooleanClassifier, augment=[SHIFT, watch], mollifier=Mollifier("n")).fit(X_TRAIN, Y_TRAIN)
    first, *epochs = calls
    assert len(first) == 1  # tried out before anything is trained
    assert [len(samples) for samples in epochs] == [len(X_TRAIN)] * 4
    assert all((samples.sum(axis=1) <= X_TRAIN.sum(axis=1)).all() for samples in epochs)  # moved, not yet noisy
    assert all((a != b).any() for a, b in pairwise(epochs))
    data = TrainingData(model.encoder_.encode(X_TRAIN), Y_TRAIN, None)
    changing = model._changing(X_TRAIN, data, model.network_)
    assert (changing.changed(0.0, RandomWords(0)).y.sum(axis=1) == 127).all()
    assert (changing.X == X_TRAIN).all()


def test_without_a_mollifier_bits_are_those_of_the_moved_images_and_targets_stay():
    model = quick(BooleanClassifier, augment=SHIFT, encoder=ThermometerEncoder(3)).fit(X_TRAIN, Y_TRAIN)
    data = TrainingData(model.encoder_.encode(X_TRAIN), Y_TRAIN, None)
    epoch = model._changing(X_TRAIN, data, model.network_).changed(0.0, RandomWords(7))
    seed = int(RandomWords(7).words.random_raw()) >> 32
    assert (epoch.x.words == model.encoder_.encode(SHIFT(X_TRAIN, np.random.RandomState(seed))).words).all()
    assert epoch.y is data.y


@pytest.mark.parametrize("kind", KINDS)
def test_it_helps_where_images_are_moved(kind):
    moved = SHIFT(X_TEST, 5)
    plain, augmented = (kind(augment=a, max_iter=15, random_state=0).fit(X_TRAIN, Y_TRAIN) for a in (None, SHIFT))
    assert augmented.score(moved, Y_TEST) > plain.score(moved, Y_TEST) + 0.05


def test_a_convolutional_classifier_knows_the_shape_of_its_images():
    def build(augment):
        return BooleanConvClassifier((8, "M"), (32,), augment=augment, max_iter=2, random_state=0)

    plain, moved = print_of(build(None)), print_of(build(RandomShift(1)))
    assert plain != moved == print_of(build(SHIFT)) == print_of(build(RandomShift(1)), X_TRAIN.reshape(-1, 8, 8))


def test_labels_sparse_matrices_and_other_dtypes_are_taken():
    many = np.eye(10, dtype=int)[Y_TRAIN]
    assert print_of(quick(BooleanClassifier, augment=SHIFT), y=many) != print_of(quick(BooleanClassifier), y=many)
    dense = print_of(quick(BooleanClassifier, augment=SHIFT))
    assert print_of(quick(BooleanClassifier, augment=SHIFT), scipy.sparse.csr_array(X_TRAIN)) == dense
    assert print_of(quick(BooleanClassifier, augment=SHIFT), X_TRAIN.astype(np.uint8)) == dense


def test_a_file_and_a_clone_keep_it(tmp_path):
    changes = [SHIFT, RandomFlip(0.1, SHAPE), RandomRotation(5, "edge", image_shape=SHAPE)]
    model = quick(BooleanClassifier, augment=changes).fit(X_TRAIN, Y_TRAIN)
    model.save(tmp_path / "m.bvar")
    for twin in (bvar.load(tmp_path / "m.bvar"), clone(model)):
        assert twin.augment == changes
    loaded = bvar.load(tmp_path / "m.bvar")
    assert print_of(clone(loaded)) == model.network_.fingerprint()


@pytest.mark.parametrize(
    ("parameters", "data", "text"),
    [
        ({"augment": "shift"}, (X_TRAIN, Y_TRAIN), "augment must be None, an augmentation or a sequence"),
        ({"augment": RandomShift(1)}, (X_TRAIN, Y_TRAIN), "image_shape must be given for flat samples"),
        (
            {"augment": RandomShift(1, image_shape=(4, 4))},
            (X_TRAIN, Y_TRAIN),
            "has 16 pixels, but X has 64 features",
        ),
        ({"augment": RandomShift(9, image_shape=SHAPE)}, (X_TRAIN, Y_TRAIN), "pixels must be less than the sides"),
        (
            {"augment": RandomFlip(image_shape=(1, 2))},
            (np.array([["a", "b"], ["c", "d"]] * 30, object), np.arange(60) % 2),
            "X must be numbers, got dtype object",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused(parameters, data, text):
    model = quick(BooleanClassifier, **parameters)
    with pytest.raises((TypeError, ValueError), match=text):
        model.fit(*data)
    assert not hasattr(model, "network_")


def test_partial_fit_refuses_it():
    with pytest.raises(ValueError, match="augment must be None for partial_fit"):
        quick(BooleanClassifier, augment=SHIFT).partial_fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
