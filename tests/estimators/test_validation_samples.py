"""Validation samples that a user gives: they are watched, they may stop the training, and they train nothing."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier

RNG = np.random.RandomState(5)
X, X_VAL = RNG.rand(300, 4), RNG.rand(100, 4)
Y, Y_VAL = ((x[:, 0] > 0.5).astype(int) + (x[:, 1] > 0.7) for x in (X, X_VAL))


@pytest.mark.parametrize("make", [BooleanClassifier, LogicGateClassifier])
def test_the_history_tells_score_and_loss_of_each_epoch_and_the_model_is_the_same(make):
    seen = []
    model = make(max_iter=4, random_state=0, callbacks=lambda m: seen.append(m.network_.scores(m._encode(X_VAL))))
    plain = make(max_iter=4, random_state=0).fit(X, Y)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.network_.fingerprint() == plain.network_.fingerprint()
    assert model.history_["validation_score"] == [float((s.argmax(axis=1) == Y_VAL).mean()) for s in seen]
    losses = [log_loss(Y_VAL, model.network_.loss.probabilities(s)) for s in seen]
    # each loss is off by 0.53 units of 2**-32 at most, see bvar._fixed_point.log; the floats beside it by far less
    assert np.abs(np.array(model.history_["validation_loss"]) - losses).max() < 2.0**-32
    assert "validation_loss" not in plain.history_
    assert not hasattr(model, "best_validation_score_")


def test_with_early_stopping_they_decide_and_no_training_sample_is_held_out():
    model = BooleanClassifier(64, max_iter=40, early_stopping=True, n_iter_no_change=3, random_state=0)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    best = max(model.history_["validation_score"])
    assert model.best_validation_score_ == best == model.score(X_VAL, Y_VAL)
    assert len(model.history_["validation_loss"]) == model.n_iter_
    held_out = BooleanClassifier(64, max_iter=2, early_stopping=True, random_state=0).fit(X, Y)
    assert len(held_out.history_["validation_loss"]) == 2


def test_numbers_are_judged_by_r2_and_squared_errors():
    model = BooleanRegressor(64, max_iter=3, random_state=0)
    model.fit(X, X[:, 0], X_val=X_VAL, y_val=X_VAL[:, 0])
    assert model.history_["validation_score"][-1] == pytest.approx(model.score(X_VAL, X_VAL[:, 0]), abs=1e-12)
    assert model.history_["validation_loss"][-1] > 0


def test_what_does_not_fit_is_refused_by_name_and_leaves_the_model_as_it_was():
    model = BooleanClassifier(16, max_iter=1, random_state=0).fit(X, Y)
    before = model.network_.fingerprint()
    for given, text in (
        ({"X_val": X_VAL}, "y_val must be given too, or neither"),
        ({"y_val": Y_VAL}, "X_val must be given too, or neither"),
        ({"X_val": X_VAL[:, :3], "y_val": Y_VAL}, "X_val, y_val: X has 3 features"),
        ({"X_val": X_VAL, "y_val": Y_VAL[:5]}, "X_val, y_val: Found input variables with inconsistent"),
        ({"X_val": X_VAL, "y_val": Y_VAL + 1}, r"X_val, y_val: y has classes that were not there before: \[3\]"),
    ):
        with pytest.raises(ValueError, match=text):
            model.fit(X, Y, **given)
        assert model.network_.fingerprint() == before
