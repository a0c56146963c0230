"""Callbacks that end a training or write about it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bvar import BooleanClassifier
from bvar.training import CheckpointFile, LogFile, TargetScore, TimeLimit, ready_made

RNG = np.random.RandomState(0)
X = RNG.rand(80, 3)
Y = X[:, 0] > 0.5


def fitted(**options):
    return BooleanClassifier(16, max_iter=12, random_state=0, **options).fit(X, Y)


def test_time_is_over_before_an_epoch_that_would_end_too_late(monkeypatch):
    limit, learner = TimeLimit(10), SimpleNamespace()
    clock = iter([100.0, 100.0, 100.0, 104.0, 104.0, 108.0, 108.0])  # an epoch takes four seconds
    monkeypatch.setattr(ready_made.time, "monotonic", lambda: next(clock))
    answers = []
    for learner.n_iter_ in (1, 2, 3):
        answers.append(limit(learner))
    assert answers == [False, False, True]


def test_the_clock_starts_again_with_a_new_training():
    limit = TimeLimit(1e6)
    assert fitted(callbacks=limit).n_iter_ == fitted(callbacks=limit).n_iter_ == 12


def test_training_ends_with_the_epoch_that_reaches_the_target():
    whole = fitted().history_["score"]
    target = sorted(whole)[len(whole) // 2]
    model = fitted(callbacks=TargetScore(target))
    assert model.n_iter_ == next(i for i, score in enumerate(whole, 1) if score >= target)
    held_out = fitted(callbacks=TargetScore(0.0, "validation_score"), early_stopping=True)
    assert held_out.n_iter_ == 1


def test_a_log_tells_what_the_history_tells(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("what was there\n")
    model = fitted(callbacks=[LogFile(path)])
    first, *lines = path.read_text().splitlines()
    assert first == "what was there"
    for number, line in enumerate(map(json.loads, lines)):
        assert line.pop("epoch") == number + 1
        assert line == {name: values[number] for name, values in model.history_.items() if values}
    assert len(lines) == model.n_iter_


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="seconds must be a finite number > 0, got 0"):
        TimeLimit(0)
    for write in (CheckpointFile, LogFile):
        with pytest.raises(TypeError, match="path must be a str or path-like, got None"):
            write(None)
    with pytest.raises(TypeError, match="target must be a finite number, got 'x'"):
        TargetScore("x")
    with pytest.raises(ValueError, match="which must be one of 'score', 'validation_score'"):
        TargetScore(0.5, "loss")
    with pytest.raises(ValueError, match="set early_stopping=True"):
        fitted(callbacks=TargetScore(0.5, "validation_score"))
