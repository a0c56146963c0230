"""Losses written outside the package go through `fit`, `clone`, a search, early stopping and a pickle."""

import pickle
from functools import partial
from math import isqrt

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from bvar import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier
from bvar.networks import LOSS_ONE, SIGNAL_MAX, CrossEntropy, Loss, SquaredError, boolean_mlp
from bvar.training import Trainer, TrainingData

X, Y = load_digits(return_X_y=True)
TRAIN, TEST = slice(0, 1200), slice(1200, None)


class Hinge(Loss):
    """Multiclass hinge (Crammer and Singer): the best other class stays `margin` spreads below the true one."""

    def __init__(self, fan_in, margin=1):
        self.margin = margin * isqrt(fan_in)

    def check_targets(self, scores, y):
        if y.shape != (len(scores),):
            raise ValueError(f"y must be {len(scores)} classes, got shape {y.shape}")
        return y.astype(np.int64)

    def full_signals(self, scores, targets):
        gap, rival = self._gap(scores, targets)
        rows, z = np.arange(len(scores)), np.zeros(scores.shape, np.int64)
        z[rows, rival] = np.where(gap > 0, SIGNAL_MAX, 0)
        z[rows, targets] = -z[rows, rival]
        return z

    def fixed_values(self, scores, targets):
        return np.maximum(self._gap(scores, targets)[0], 0) * LOSS_ONE // self.margin

    def n_correct(self, scores, y):
        return int((scores.argmax(axis=1) == y).sum())

    def _gap(self, scores, targets):
        rows = np.arange(len(scores))
        others = scores.copy()
        others[rows, targets] = -(2**40)
        rival = others.argmax(axis=1)
        return scores[rows, rival] - scores[rows, targets] + self.margin, rival


class Absolute(Loss):
    """Absolute distance from numbers, for a regressor; rounded off within a sixteenth of a target's spread."""

    def __init__(self, scale):
        self.scale = scale

    def check_targets(self, scores, y):
        return y.astype(np.int64)

    def full_signals(self, scores, targets):
        error = scores - targets
        return np.clip(SIGNAL_MAX * error * 16 // self.scale, -SIGNAL_MAX, SIGNAL_MAX)

    def fixed_values(self, scores, targets):
        return (np.abs(scores - targets) * LOSS_ONE // self.scale).sum(axis=1)


KINDS = {
    "sums": lambda **p: BooleanClassifier((128,), max_iter=10, random_state=0, **p),
    "gates": lambda **p: LogicGateClassifier((800, 500), max_iter=10, random_state=0, **p),
    "conv": lambda **p: BooleanConvClassifier((16, "M"), (32,), max_iter=5, random_state=0, **p),
}


@pytest.mark.parametrize("loss", [Hinge, partial(Hinge, margin=2), Hinge(128)], ids=["class", "function", "one"])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_loss_from_outside_trains_a_classifier(make, loss):
    model = make(loss=loss).fit(X[TRAIN], Y[TRAIN])
    assert type(model.network_.loss) is Hinge
    assert model.score(X[TEST], Y[TEST]) > 0.8
    assert model.history_["score"][-1] > model.history_["score"][0]
    assert model.history_["loss"][-1] < model.history_["loss"][0]


def test_a_loss_without_probabilities_gives_none():
    model = BooleanClassifier((64,), max_iter=2, loss=Hinge(64), random_state=0)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model.fit(X[TRAIN], Y[TRAIN]), "predict_proba")
    assert not hasattr(BooleanClassifier(loss=Hinge), "predict_proba")
    unknown = BooleanClassifier((64,), max_iter=2, loss=lambda fan_in: Hinge(fan_in), random_state=0)
    assert hasattr(unknown, "predict_proba")
    assert not hasattr(unknown.fit(X[TRAIN], Y[TRAIN]), "predict_proba")
    assert hasattr(BooleanClassifier(loss=partial(CrossEntropy, temperature=2.0)), "predict_proba")


def test_a_loss_of_the_package_may_be_given_in_each_form():
    """The terms of a score are the units of the last hidden layer."""
    usual = BooleanClassifier((64,), max_iter=2, temperature=2.0, random_state=0).fit(X[TRAIN], Y[TRAIN])
    for loss in (CrossEntropy(64, 2.0), partial(CrossEntropy, temperature=2.0)):
        given = BooleanClassifier((64,), max_iter=2, loss=loss, random_state=0).fit(X[TRAIN], Y[TRAIN])
        assert given.network_.fingerprint() == usual.network_.fingerprint()
        assert given.history_ == usual.history_
        assert (given.predict_proba(X[TEST]) == usual.predict_proba(X[TEST])).all()


def test_a_loss_survives_what_scikit_learn_does_with_parameters():
    model = BooleanClassifier((64,), max_iter=3, loss=Hinge(64), random_state=0)
    twin = clone(model)
    assert twin.loss is not model.loss
    prints = {one.fit(X[TRAIN], Y[TRAIN]).network_.fingerprint() for one in (model, twin)}
    assert len(prints) == 1
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(X[TEST]) == model.predict(X[TEST])).all()
    search = GridSearchCV(model, {"loss": [None, Hinge, partial(Hinge, margin=2)]}, cv=2)
    assert search.fit(X[:400], Y[:400]).best_score_ > 0.6


def test_a_loss_goes_on_and_stops_early():
    model = BooleanClassifier((64,), loss=Hinge, early_stopping=True, n_iter_no_change=2, random_state=0)
    model.fit(X[TRAIN], Y[TRAIN])
    assert model.best_validation_score_ == max(model.history_["validation_score"]) > 0.7
    model.set_params(early_stopping=False).partial_fit(X[TRAIN], Y[TRAIN])
    assert type(model.network_.loss) is Hinge


def test_a_regressor_with_another_loss_is_scored_by_what_it_saves():
    """For the squared error that is R2; for another loss its share of the loss of the mean."""
    y = X[:, 20:30].sum(axis=1) + 0.1 * X[:, 40]
    plain = BooleanRegressor((128,), max_iter=10, random_state=0).fit(X[TRAIN], y[TRAIN])
    same = BooleanRegressor((128,), max_iter=10, loss=SquaredError(round(plain.unit_)), random_state=0)
    assert same.fit(X[TRAIN], y[TRAIN]).history_ == plain.history_
    other = BooleanRegressor((128,), max_iter=10, loss=Absolute(round(plain.unit_)), random_state=0)
    other.fit(X[TRAIN], y[TRAIN])
    assert other.score(X[TEST], y[TEST]) > 0.7
    targets = other._targets().encode(y[TRAIN])
    nothing = np.abs(targets - round(float(targets.mean()))).mean() / round(plain.unit_)
    assert other.history_["score"][-1] == pytest.approx(1 - other.history_["loss"][-1] / nothing, abs=1e-6)


def test_a_loss_from_outside_trains_a_network_without_an_estimator(backend):
    bits = BooleanClassifier((8,), max_iter=1, random_state=0).fit(X[TRAIN], Y[TRAIN]).encoder_.encode(X)
    trainer = Trainer(boolean_mlp([bits.n_bits, 32, 10], loss=Hinge(32), random_state=0))
    trainer.run(TrainingData(bits[TRAIN], Y[TRAIN]), 3, random_state=0)
    assert (trainer.network_.scores(bits[TEST]).argmax(axis=1) == Y[TEST]).mean() > 0.6


def test_a_loss_must_say_what_it_is():
    class Half(Loss):
        def check_targets(self, scores, y):
            return y

    with pytest.raises(TypeError, match=r"abstract method.* fixed_values.* full_signals"):
        Half()
