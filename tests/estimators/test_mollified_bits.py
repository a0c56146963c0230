"""Boolean networks and networks of gates that train on degraded samples."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import bvar
from bvar import BooleanClassifier, LogicGateClassifier
from bvar.mollify import LinearSchedule, Mollifier, corrupt

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.5, stratify=Y, random_state=0)
IMAGES = Mollifier(image_shape=(8, 8))
KINDS = [BooleanClassifier, LogicGateClassifier]


def quick(kind, **parameters):
    size = {"hidden_layer_sizes": (64,)} if kind is BooleanClassifier else {"layer_sizes": (300, 300)}
    return kind(**{**size, "max_iter": 4, "random_state": 0, **parameters})


def print_of(model):
    return model.fit(X_TRAIN, Y_TRAIN).network_.fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_is_one_model_on_every_backend(backend, kind):
    """Theorem (exactness): floats make the samples, on the Python side, and no backend sees them."""
    assert print_of(quick(kind, mollifier=IMAGES, backend=backend)) == print_of(quick(kind, mollifier=IMAGES))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_changed_by_a_mollifier_that_does_nothing(kind):
    assert print_of(quick(kind, mollifier=Mollifier("x"))) == print_of(quick(kind))
    assert print_of(quick(kind, mollifier=IMAGES)) != print_of(quick(kind))


def test_clean_samples_become_the_bits_that_they_are():
    model = quick(BooleanClassifier, mollifier=Mollifier("xxxn")).fit(X_TRAIN, Y_TRAIN)
    data = bvar.training.data.TrainingData(model.encoder_.encode(X_TRAIN), Y_TRAIN, None)
    mollified = model._changing(X_TRAIN, data, model.network_)
    epoch = mollified.changed(0.0, bvar.bits.RandomWords(0))
    clean = epoch.y.max(axis=1) == 127
    same = (epoch.x.words == data.x.words).all(axis=1)
    assert 0.6 < clean.mean() < 0.95
    assert same[clean].mean() > 0.8  # noise at times next to 0 softens nothing but moves some numbers
    assert not same[~clean].any()


def test_a_schedule_ends_in_clean_samples():
    model = quick(BooleanClassifier, mollifier=Mollifier("n", schedule=LinearSchedule())).fit(X_TRAIN, Y_TRAIN)
    data = bvar.training.data.TrainingData(model.encoder_.encode(X_TRAIN), Y_TRAIN, None)
    last = model._changing(X_TRAIN, data, model.network_).changed(1.0, bvar.bits.RandomWords(0))
    assert (last.x.words == data.x.words).all()
    assert (last.y.max(axis=1) == 127).all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_helps_against_blur(kind):
    images = 16 * corrupt(X_TEST.reshape(-1, 8, 8) / 16, "heat_blur", 4, random_state=0).reshape(-1, 64)
    plain, mollified = (
        kind(mollifier=m, max_iter=20, random_state=0).fit(X_TRAIN, Y_TRAIN) for m in (None, IMAGES)
    )
    assert mollified.score(images, Y_TEST) > plain.score(images, Y_TEST) + 0.03


def test_a_file_and_a_clone_keep_it(tmp_path):
    model = quick(BooleanClassifier, mollifier=Mollifier("xn", schedule=LinearSchedule())).fit(X_TRAIN, Y_TRAIN)
    model.save(tmp_path / "m.bvar")
    for twin in (bvar.load(tmp_path / "m.bvar"), clone(model)):
        assert twin.mollifier.get_params() == model.mollifier.get_params()


@pytest.mark.parametrize(
    ("parameters", "data", "error", "text"),
    [
        (
            {"mollifier": "noise"},
            (X_TRAIN, Y_TRAIN),
            TypeError,
            "mollifier must be None or a bvar.mollify.Mollifier",
        ),
        ({"mollifier": Mollifier()}, (X_TRAIN, Y_TRAIN), ValueError, "blur needs to know"),
        (
            {"mollifier": Mollifier("xn")},
            (X_TRAIN, np.eye(10, dtype=int)[Y_TRAIN]),
            ValueError,
            "matrix of labels",
        ),
        (
            {"mollifier": Mollifier("xn")},
            (np.array([["a", "b"], ["c", "d"]] * 30, object), np.arange(60) % 2),
            ValueError,
            "mollifier needs numbers in all columns",
        ),
        (
            {"mollifier": IMAGES},
            (np.where(X_TRAIN == 3, np.nan, X_TRAIN), Y_TRAIN),
            ValueError,
            "missing values, which cannot be blurred",
        ),
    ],
)
def test_what_cannot_be_degraded_is_refused(parameters, data, error, text):
    model = quick(BooleanClassifier, **parameters)
    with pytest.raises(error, match=text):
        model.fit(*data)
    assert not hasattr(model, "network_")


def test_partial_fit_refuses_it():
    with pytest.raises(ValueError, match="mollifier must be None for partial_fit"):
        quick(BooleanClassifier, mollifier=IMAGES).partial_fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
