"""LearnedAugmentation and AugmentedClassifier: slopes, priors, collapse, scikit-learn's contract, bad input."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

import bvar
from bvar import model_file
from bvar.augmentation import (
    AugmentedClassifier,
    Cutout,
    Flip,
    LearnedAugmentation,
    Mixup,
    Noise,
    Rotation,
    Scale,
    Shear,
    Shift,
)
from bvar.augmentation.objective import Beliefs, Objective, RandomParts, advantages
from bvar.real.perceptron import initial_parameters

X, Y = load_digits(return_X_y=True)
X = X / 16
SHAPE = (8, 8)


def turning(degrees=15.0, **parameters):
    return LearnedAugmentation(Rotation(degrees), **{"image_shape": SHAPE, **parameters})


def quick(augment=None, **parameters):
    return AugmentedClassifier(
        augment, **{"hidden_layer_sizes": (32,), "max_iter": 5, "random_state": 0, **parameters}
    )


# ---------------------------------------------------------------------------------------------------- slopes

STEPS = [Rotation(20.0), Shift(0.7), Scale(0.2), Shear(0.2), Noise(0.2), Mixup(0.3), Flip(0.4), Cutout(2, 0.5)]


def problem(n_draws, normal):
    """Small enough to differentiate every number of it: images of 6 x 5 x 2, four classes, nine hidden units."""
    random = np.random.RandomState(0)
    augment = LearnedAugmentation(STEPS, n_draws=n_draws, image_shape=(6, 5, 2)).begin(60)
    parameters = [p + 0.1 * random.standard_normal(p.shape) for p in initial_parameters([60, 9, 4], float, random)]
    beliefs = Beliefs(parameters, np.full((9, 4), -1.0) if normal else None, augment)
    samples, targets = random.random_sample((7, 60)), np.eye(4)[random.randint(4, size=7)]
    objective = Objective(np.float64(0.4), 50, 1.5, 0.3)
    return objective, beliefs, samples, targets, objective.draw(beliefs, 7, 60, random)


def again(beliefs, drawn):
    """Return the same draws, at the strengths of now."""
    augment, draws = beliefs.augmentation, []
    for j, draw in enumerate(drawn.draws):
        draws.append(replace(draw, phi=augment.location_[j] + augment.width_[j] * draw.standard))
    return RandomParts(draws, drawn.weight_noise)


@pytest.mark.parametrize(("n_draws", "normal"), [(1, False), (1, True), (3, True)])
def test_slopes_are_those_of_finite_differences(n_draws, normal):
    """Central differences of step 1e-6 err by 1e-10 of rounding and 1e-12 of curvature; 1e-6 is asked for.

    Coins are left out: they have no slope, but their log-density has.
    """
    objective, beliefs, samples, targets, drawn = problem(n_draws, normal)
    _, slopes = objective.slopes(beliefs, samples, targets, drawn)

    def difference(array, place, step=1e-6):
        kept, sides = array[place], []
        for h in (step, -step):
            array[place] = kept + h
            sides.append(objective.slopes(beliefs, samples, targets, again(beliefs, drawn))[0])
        array[place] = kept
        return (sides[0] - sides[1]) / (2 * step)

    for array, slope in zip(beliefs.weights(), slopes.weights, strict=True):
        for place in np.ndindex(array.shape):
            assert abs(difference(array, place) - slope[place]) < 1e-6
    augment = beliefs.augmentation
    for j, transform in enumerate(STEPS):
        if not transform.is_coin:
            assert abs(difference(augment.location_, j) - slopes.strengths[0][j]) < 1e-6
            in_log_width = augment.width_[j] * difference(augment.width_, j)
            assert abs(in_log_width - slopes.strengths[1][j]) < 1e-6
    assert max(abs(s).max() for s in slopes.weights) > 0.01
    assert abs(slopes.strengths[0][:6]).max() > 0.01


def test_what_a_coin_learns_from_is_without_bias():
    """All tosses of three samples, each with its probability: the mean estimate is the slope of the mean bound."""
    augment = LearnedAugmentation(Flip(0.3), learn=True, prior=None, image_shape=(1, 3)).begin(3)
    random = np.random.RandomState(0)
    beliefs = Beliefs(initial_parameters([3, 4, 2], float, random), None, augment)
    samples, targets = random.random_sample((3, 3)), np.eye(2)[[0, 1, 0]]
    objective, drawn = Objective(np.float64(0.5), 3, 1.0, 0.0), None
    drawn = objective.draw(beliefs, 3, 3, random)

    def over_tosses(p, what):
        total = 0.0
        for tosses in product((0, 1), repeat=3):
            noise = np.where(tosses, 0.0, 1.0)[:, None]  # below every probability, and above
            one = RandomParts([replace(drawn.draws[0], noise=noise)], None)
            loss, slopes = objective.slopes(beliefs, samples, targets, one)
            share = np.prod([p if toss else 1 - p for toss in tosses])
            total += share * (loss if what == "loss" else slopes.strengths[0][0])
        return total

    p, step = 0.3, 1e-5
    by_probability = (over_tosses(p + step, "loss") - over_tosses(p - step, "loss")) / (2 * step)
    # the mean loss is a polynomial of degree 3 in p below 10: differences err by 1e-9
    assert abs(over_tosses(p, "slope") - by_probability * p * (1 - p)) < 1e-8
    assert abs(by_probability) > 1e-3


def test_the_baseline_does_not_depend_on_ones_own_toss():
    assert advantages(np.array([1.0, 2.0, 6.0])).tolist() == [1 - 4, 2 - 3.5, 6 - 1.5]
    assert advantages(np.array([2.0])).tolist() == [2.0]


# ----------------------------------------------------------------------------------------- what is learnt


def test_strengths_collapse_without_the_prior_and_the_prior_holds_them():
    """The collapse test: red if the divergence is left out of the slopes."""
    fits = (quick(turning(prior=p, learning_rate=0.05), max_iter=80) for p in (None, 1.0, 0.1))
    alone, held, narrow = (model.fit(X[:300], Y[:300]).augmentation_ for model in fits)
    degrees = [augment.strengths()["Rotation"] for augment in (alone, held, narrow)]
    assert degrees[0] < 0.7 * degrees[1] < 1.5
    assert 6 < degrees[2] < 15
    assert (alone.width_ == 0).all()
    assert (held.width_ > 0.05).all()


def test_without_data_the_prior_is_what_is_learnt(monkeypatch):
    """If samples say nothing, q becomes the prior: its mean, and its width from a third of it."""
    monkeypatch.setattr(
        LearnedAugmentation, "backward", lambda self, inputs, draws, signal: np.zeros((1, len(signal)))
    )
    model = quick(turning(prior=0.8, learning_rate=0.05), max_iter=100).fit(X[:100], Y[:100])
    assert abs(model.augmentation_.location_[0] - np.log(15)) < 1e-12
    assert abs(model.augmentation_.width_[0] - 0.8) < 0.02  # Adam ends with steps of some thousandths


def test_mirrors_of_digits_are_unlearnt():
    augment = LearnedAugmentation(Flip(0.5), image_shape=SHAPE, learning_rate=0.05)
    model = quick(augment, max_iter=30).fit(X[:900], Y[:900])
    assert model.augmentation_.strengths()["Flip"] < 0.2


@pytest.mark.parametrize("steps", [[t] for t in STEPS], ids=repr)
def test_every_transform_learns_with_both_last_layers(steps):
    for last_layer in ("point", "normal"):
        augment = LearnedAugmentation(steps, image_shape=SHAPE, n_draws=2)
        model = quick(augment, last_layer=last_layer, max_iter=2).fit(X[:200], Y[:200])
        assert np.isfinite(model.loss_curve_).all()
        assert model.augmentation_.location_[0] != augment.begin(64).location_[0]
        p = model.predict_proba(X[:50])
        assert (p == model.predict_proba(X[:50])).all()
        # a mean of 16 rows, each of which adds up to one within ten roundings
        assert abs(p.sum(axis=1) - 1).max() < 1e-14


def test_fixed_strengths_stay_and_the_network_learns():
    model = quick(turning(learn=False), max_iter=20).fit(X[:900], Y[:900])
    assert model.augmentation_.location_[0] == np.log(15)
    assert model.augmentation_.width_[0] == 0
    assert model.score(X[900:], Y[900:]) > 0.8


def test_a_seed_is_a_model_and_weights_begin_the_same_for_all_transforms():
    one, two = (quick(turning(), max_iter=2).fit(X[:200], Y[:200]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one.coefs_, two.coefs_, strict=True))
    assert one.augmentation_.history_ == two.augmentation_.history_
    assert len(one.augmentation_.history_["location"]) == 2
    still = quick(LearnedAugmentation((), image_shape=SHAPE), max_iter=2).fit(X[:200], Y[:200])
    assert still.augmentation_.strengths() == {}
    plain = quick(max_iter=2).fit(X[:200], Y[:200])
    assert plain.augmentation_ is None


def test_images_may_come_as_images_and_in_float32():
    flat = quick(turning(), max_iter=2).fit(X[:200], Y[:200])
    shaped = quick(turning(), max_iter=2).fit(X[:200].reshape(-1, 8, 8), Y[:200])
    assert (flat.coefs_[0] == shaped.coefs_[0]).all()
    assert (flat.predict_proba(X[:9]) == shaped.predict_proba(X[:9].reshape(-1, 8, 8))).all()
    single = quick(turning(), max_iter=2).fit(X[:200].astype(np.float32), Y[:200])
    assert single.coefs_[0].dtype == np.float32


@pytest.mark.parametrize("last_layer", ["point", "normal"])
def test_a_file_keeps_the_model_and_what_was_learnt(tmp_path, last_layer):
    augment = LearnedAugmentation([Rotation(), Mixup()], image_shape=SHAPE)
    model = quick(augment, last_layer=last_layer).fit(X[:200], Y[:200])
    model_file.save(model, tmp_path / "m.bvar")
    loaded = bvar.load(tmp_path / "m.bvar")
    assert (loaded.predict_proba(X[:50]) == model.predict_proba(X[:50])).all()
    assert loaded.augmentation_.history_ == model.augmentation_.history_
    plain = quick(last_layer=last_layer).fit(X[:200], Y[:200])
    model_file.save(plain, tmp_path / "p.bvar")
    assert (bvar.load(tmp_path / "p.bvar").predict_proba(X[:50]) == plain.predict_proba(X[:50])).all()


def test_a_clone_has_the_parameters_and_an_augmentation_that_was_given_stays_as_it_is():
    augment = turning()
    model = quick(augment).fit(X[:100], Y[:100])
    assert not hasattr(augment, "location_")
    assert clone(model).get_params()["augment__prior"] == 1.0
    assert not hasattr(clone(model.augmentation_), "location_")


@parametrize_with_checks(
    [
        AugmentedClassifier(hidden_layer_sizes=(16,), max_iter=60, learning_rate=0.01),
        AugmentedClassifier(
            LearnedAugmentation(Noise(0.05)),
            hidden_layer_sizes=(16,),
            max_iter=60,
            learning_rate=0.01,
        ),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# --------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("augment", "text"),
    [
        (turning(prior=0.0), "prior must be a finite number > 0, got 0.0"),
        (turning(prior=[1.0, 0.0]), "prior must be one number, or one for each of 1 transforms, got 2"),
        (turning(prior="wide"), "prior must be a finite number > 0"),
        (turning(n_draws=0), "n_draws must be an integer >= 1"),
        (turning(learn=1), "learn must be True or False, got 1"),
        (turning(learning_rate=0.0), "learning_rate must be a finite number > 0"),
        (turning(0.0), "degrees must be a finite number > 0"),
        (turning("much"), "degrees must be a finite number > 0"),
        (turning(image_shape=(4, 4)), "has 16 pixels, but X has 64 features"),
        (
            turning(image_shape=None),
            r"transforms must be Noise or Mixup for samples that are no images, got Rotation",
        ),
        (LearnedAugmentation("turn"), "transforms must be a bvar.augmentation.Transform.*got 'turn'"),
        (LearnedAugmentation([Rotation]), "transforms must be a bvar.augmentation.Transform"),
        ("turn", "augment must be None or a LearnedAugmentation, got 'turn'"),
        (Rotation(), r"augment must be None or a LearnedAugmentation, got Rotation\(\)"),
    ],
)
def test_bad_augmentations_are_named_and_nothing_is_learnt(augment, text):
    model = quick(augment)
    with pytest.raises((TypeError, ValueError), match=text):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"last_layer": "bayes"}, "last_layer must be one of 'point', 'normal', got 'bayes'"),
        ({"penalty": -1.0}, "penalty must be a finite number >= 0"),
        ({"weight_deviation": 0.0}, "weight_deviation must be a finite number > 0"),
        ({"n_predictions": 0}, "n_predictions must be an integer >= 1"),
        ({"hidden_layer_sizes": (0,)}, "each of hidden_layer_sizes must be an integer >= 1"),
    ],
)
def test_bad_parameters_are_named(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        quick(**parameters).fit(X, Y)


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"image_shape is \(8, 8\), but X has images of shape \(4, 16, 1\)"):
        quick(turning()).fit(X.reshape(-1, 4, 16), Y)


def test_there_are_no_strengths_before_they_begin():
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError, match="there are no strengths before"):
        turning().strengths()
