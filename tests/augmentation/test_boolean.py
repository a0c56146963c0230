"""Boolean networks that learn how strongly to augment, from integer losses: exact, seeded, saved, and refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits

import bvar
from bvar import BooleanClassifier, BooleanConvClassifier, LogicGateClassifier
from bvar.augmentation import Cutout, Flip, LearnedAugmentation, Mixup, Noise, Rotation, Shift
from bvar.augmentation.learned import Draw
from bvar.mollify import Mollifier
from bvar.training.learning import strength_votes

X, Y = load_digits(return_X_y=True)
X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = X[:600], Y[:600], X[900:], Y[900:]
SHAPE = (8, 8)


def learnt(*steps, **parameters):
    return LearnedAugmentation(steps or (Rotation(15.0), Flip(0.3)), **{"image_shape": SHAPE, **parameters})


def quick(kind=BooleanClassifier, **parameters):
    size = {"layer_sizes": (300, 300)} if kind is LogicGateClassifier else {"hidden_layer_sizes": (64,)}
    return kind(**{**size, "augment": learnt(), "max_iter": 3, "random_state": 0, **parameters})


def print_of(model, x=X_TRAIN, y=Y_TRAIN):
    """Return what a fit comes to: the network, and every number of the augmentation."""
    model.fit(x, y)
    augment = model.augmentation_
    return model.network_.fingerprint(), augment.location_.tobytes(), augment.width_.tobytes()


# ------------------------------------------------------------------------------------------------ exactness


@pytest.mark.parametrize("kind", [BooleanClassifier, LogicGateClassifier])
def test_one_seed_is_one_model_on_every_backend_with_any_threads(backend, kind):
    """Theorem (exactness): losses and votes on strengths are integers, and what is float is elementwise."""
    prints = {print_of(quick(kind, backend=b, n_threads=n)) for b, n in ((backend, 1), (backend, 3), (None, 2))}
    assert len(prints) == 1
    assert print_of(quick(kind, random_state=1)) not in prints
    assert print_of(quick(kind, augment=learnt(learn=False))) not in prints


@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 50), size=st.sampled_from([1, 2**16, 2**40, 2**60]))
def test_votes_are_the_formula_in_whole_numbers_whatever_their_order(seed, n, size):
    random = np.random.RandomState(seed)
    phi, standard = random.standard_normal((2, n))
    draw = Draw(Rotation(), phi, standard, random.standard_normal((n, 1)))
    losses = random.randint(0, size, n)
    votes = strength_votes(draw, losses)
    expected = [0, 0]
    for i in range(n):
        others = sum(int(other) for j, other in enumerate(losses) if j != i)
        reward = (n - 1) * int(losses[i]) - others if n > 1 else int(losses[i])
        slope = float((draw.noise[i] ** 2 - 1).sum())
        expected[0] += reward * round(2**16 * slope)
        expected[1] += reward * round(2**16 * (slope * standard[i]))
    assert votes == tuple(expected)
    order = random.permutation(n)
    turned = Draw(Rotation(), phi[order], standard[order], draw.noise[order])
    assert strength_votes(turned, losses[order]) == votes


def test_votes_point_along_the_slope_of_the_mean_loss():
    """Loss a^2 of an amount a = s e: its mean is s^2, of slope 2 s^2 in log s; five standard errors of 4000."""
    random, n, s = np.random.RandomState(0), 4000, 0.5
    noise = random.standard_normal((n, 1))
    draw = Draw(Rotation(), np.full(n, np.log(s)), np.zeros(n), noise)
    losses = np.rint(2**16 * (s * noise[:, 0]) ** 2).astype(np.int64)
    vote, none = strength_votes(draw, losses)
    terms = (losses / 2**16) * (noise[:, 0] ** 2 - 1)
    assert abs(vote / (n * (n - 1) * 2**32) - 2 * s**2) < 5 * terms.std() / np.sqrt(n)
    assert none == 0


# ------------------------------------------------------------------------------------------------- learning


def test_mirrors_are_unlearnt_and_a_prior_holds_what_would_collapse():
    fits = [quick(augment=learnt(prior=p, learning_rate=0.05), max_iter=15) for p in (None, 0.1)]
    alone, held = (model.fit(X_TRAIN, Y_TRAIN).augmentation_.strengths() for model in fits)
    assert alone["Flip"] < 0.1
    assert alone["Rotation"] < 0.5 * held["Rotation"]
    assert held["Rotation"] > 5


def test_it_learns_digits_and_helps_on_turned_ones():
    augment = learnt(Rotation(20.0), prior=0.1)
    turned = Rotation().forward(X_TEST, 20 * np.random.RandomState(0).standard_normal((len(X_TEST), 1)), (8, 8, 1))
    model = quick(augment=augment, hidden_layer_sizes=(256,), max_iter=20).fit(X_TRAIN, Y_TRAIN)
    plain = quick(augment=None, hidden_layer_sizes=(256,), max_iter=20).fit(X_TRAIN, Y_TRAIN)
    assert model.score(X_TEST, Y_TEST) > 0.85
    assert model.score(turned, Y_TEST) > plain.score(turned, Y_TEST) + 0.05
    assert not hasattr(plain, "augmentation_")


def test_every_transform_but_mixing_runs_with_weights_noise_labels_and_early_stopping():
    steps = learnt(Rotation(5.0), Shift(0.3), Noise(0.5), Cutout(2, 0.3))
    many = np.eye(10, dtype=int)[Y_TRAIN]
    for parameters, y in (
        ({"class_weight": "balanced", "flip_noise": 1 / 16}, Y_TRAIN),
        ({"early_stopping": True}, Y_TRAIN),
        ({}, many),
    ):
        model = quick(augment=steps, **parameters).fit(X_TRAIN, y)
        assert len(model.augmentation_.history_["location"]) == 3
        assert list(model.augmentation_.strengths()) == ["Rotation", "Shift", "Noise", "Cutout"]


def test_a_convolutional_classifier_knows_the_shape_of_its_images():
    augment = LearnedAugmentation(Shift(0.5))
    model = BooleanConvClassifier((8, "M"), (32,), augment=augment, max_iter=1, random_state=0)
    assert model.fit(X_TRAIN, Y_TRAIN).augmentation_.image_shape == (8, 8, 1)


def test_a_second_fit_goes_on_from_the_strengths_of_the_first_if_it_is_told_to():
    warm, cold = (quick(warm_start=w).fit(X_TRAIN, Y_TRAIN) for w in (True, False))
    before = warm.augmentation_.location_.copy()
    assert (cold.augmentation_.location_ == before).all()
    assert (cold.fit(X_TRAIN, Y_TRAIN).augmentation_.location_ == before).all()
    assert (abs(warm.fit(X_TRAIN, Y_TRAIN).augmentation_.location_ - before) > 1e-3).any()


def test_a_file_keeps_what_was_learnt(tmp_path):
    steps = learnt(Rotation(15.0), Flip(0.3), Shift(0.5), Noise(0.1), Cutout(3), prior=[1.0, 0.5, 0.5, 1.0, 2.0])
    model = quick(augment=steps).fit(X_TRAIN, Y_TRAIN)
    model.save(tmp_path / "m.bvar")
    loaded = bvar.load(tmp_path / "m.bvar")
    assert loaded.augmentation_.strengths() == model.augmentation_.strengths()
    assert loaded.augmentation_.history_ == model.augmentation_.history_
    assert repr(loaded.augment) == repr(model.augment)
    assert (loaded.predict(X_TEST) == model.predict(X_TEST)).all()
    assert print_of(clone(loaded)) == print_of(clone(model))


# --------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("parameters", "data", "text"),
    [
        ({"augment": learnt(prior=0.0)}, (X_TRAIN, Y_TRAIN), "prior must be a finite number > 0, got 0.0"),
        ({"augment": learnt(n_draws=2)}, (X_TRAIN, Y_TRAIN), "n_draws must be 1 for a Boolean network, got 2"),
        ({"augment": learnt(Mixup())}, (X_TRAIN, Y_TRAIN), "transforms must not be Mixup for a Boolean network"),
        (
            {"augment": learnt(image_shape=None)},
            (X_TRAIN, Y_TRAIN),
            "transforms must be Noise or Mixup for samples",
        ),
        ({"augment": learnt(image_shape=(4, 4))}, (X_TRAIN, Y_TRAIN), "has 16 pixels, but X has 64 features"),
        ({"mollifier": Mollifier("n")}, (X_TRAIN, Y_TRAIN), "mollifier must be None where augment is learnt"),
        ({"augment": [learnt()]}, (X_TRAIN, Y_TRAIN), "augment must be None, an augmentation or a sequence"),
        (
            {"augment": LearnedAugmentation(Noise())},
            (np.array([["a", "b"], ["c", "d"]] * 30, object), np.arange(60) % 2),
            "X must be numbers where augment is learnt, got dtype object",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(parameters, data, text):
    model = quick(**parameters)
    with pytest.raises((TypeError, ValueError), match=text):
        model.fit(*data)
    assert not hasattr(model, "network_")
    assert not hasattr(model, "augmentation_")


def test_partial_fit_refuses_it():
    with pytest.raises(ValueError, match="augment must be None for partial_fit"):
        quick().partial_fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))


def test_a_failed_fit_leaves_strengths_as_they_were():
    model = quick().fit(X_TRAIN, Y_TRAIN)
    before = model.augmentation_

    def fail(model):
        raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        model.set_params(callbacks=fail, random_state=1).fit(X_TRAIN, Y_TRAIN)
    assert model.augmentation_ is before
    assert len(before.history_["location"]) == 3
