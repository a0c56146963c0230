"""The shared code of the scripts of the paper's tasks: a training that can be stopped anywhere."""

import sys
from pathlib import Path

import numpy as np
import pytest

from bvar import kernels
from bvar.networks import boolean_mlp

sys.path.insert(0, str(Path(__file__).parents[2] / "tutorials" / "paper"))

import common

ROWS = 60
BITS = np.random.RandomState(0).rand(ROWS, 64) < 0.5


def learner(final_width=1.0):
    def batch(rows, random):
        bits = BITS[rows] ^ (random.random_sample((len(rows), 64)) < 0.1)
        return kernels.pack(bits), BITS[rows, 0].astype(np.int64)

    def measure(scores):
        return {"accuracy": float((scores(kernels.pack(BITS)).argmax(axis=1) == BITS[:, 0]).mean())}

    network = boolean_mlp([64, 32, 2], eta=1000, n_steps=24, random_state=0)
    return common.BooleanLearner(network, batch, measure, final_width=final_width, n_steps=24)


def arguments(*texts):
    return common.parser("a test").parse_args(["--epochs", "4", "--batch", "10", *map(str, texts)])


@pytest.mark.parametrize("final_width", [1.0, 0.3])
def test_a_stopped_training_goes_on_to_the_same_weights_and_curve(tmp_path, monkeypatch, final_width):
    monkeypatch.setattr(common, "_ANNEALED", 5)
    whole, stopped = learner(final_width), learner()
    curve = common.train(arguments("--out", tmp_path / "whole"), "a", whole, ROWS)
    untouched = learner().fingerprint()
    for _ in range(40):  # no time at all: one step each, the 24 steps of the schedule and some more
        stopped = learner(final_width)
        parts = common.train(arguments("--out", tmp_path / "parts", "--minutes", 0), "a", stopped, ROWS)
    assert stopped.fingerprint() == whole.fingerprint() != untouched
    without_time = [{k: v for k, v in line.items() if k != "seconds"} for line in curve]
    assert [{k: v for k, v in line.items() if k != "seconds"} for line in parts] == without_time
    assert common.read_curve(tmp_path / "parts" / "a.jsonl") == parts


def test_the_noise_of_thresholds_narrows_to_the_width_that_was_asked_for(monkeypatch):
    monkeypatch.setattr(common, "_ANNEALED", 6)
    narrowed, plain, last = learner(0.5), learner(), learner().network.layers[1]
    widest = last.curve.copy()
    for one in (narrowed, plain):
        common.train(arguments(), "a", one, ROWS)
    last.set_width(1 - 0.5 * 18 / 24)  # that of the last six steps of 24
    assert (narrowed.network.layers[1].curve == last.curve).all()
    assert (plain.network.layers[1].curve == widest).all()
    assert narrowed.fingerprint() != plain.fingerprint()


def test_threads_may_change_on_the_way_and_change_no_weight(tmp_path):
    whole, parts = learner(), learner()
    common.train(arguments(), "a", whole, ROWS)
    common.train(arguments("--out", tmp_path, "--minutes", 0), "a", learner(), ROWS)
    common.train(arguments("--out", tmp_path, "--threads", 2), "a", parts, ROWS)
    assert parts.fingerprint() == whole.fingerprint()


def test_another_training_in_the_same_folder_is_refused(tmp_path):
    common.train(arguments("--out", tmp_path, "--minutes", 0), "a", learner(), ROWS)
    with pytest.raises(SystemExit, match=r"a\.state is of a training with --epochs 4, got 5"):
        common.train(arguments("--out", tmp_path, "--epochs", 5), "a", learner(), ROWS)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--batch", ROWS + 1, "--batch must be from 1 to the 60 samples to train on, got 61"),
        ("--batch", 0, "--batch must be from 1 to the 60 samples to train on, got 0"),
        ("--epochs", 0, "--epochs must be at least 1, got 0"),
    ],
)
def test_a_schedule_without_a_step_is_refused(option, value, words):
    with pytest.raises(SystemExit, match=words):
        common.train(arguments(option, value), "a", learner(), ROWS)


def test_first_steps_have_one_fingerprint_on_two_backends(capsys):
    assert len(common.fingerprints(learner, arguments("--fingerprints", 9), ROWS)) == 1
    assert learner().fingerprint() not in capsys.readouterr().out


def test_every_sample_of_an_epoch_comes_once():
    seen = np.concatenate([common.rows_of_step(3, step, 60, 10) for step in range(6, 12)])
    assert sorted(seen) == list(range(60))
    assert (seen != np.concatenate([common.rows_of_step(3, step, 60, 10) for step in range(6)])).any()


def test_results_keep_the_rows_that_others_wrote(tmp_path):
    common.record("a", "ours", {"accuracy": 1}, tmp_path)
    common.record("a", "twin", {"accuracy": 2}, tmp_path)
    common.record("a", "ours", {"seconds": 3}, tmp_path)
    assert (tmp_path / "a.json").read_text().replace("\n", "").replace(" ", "") == (
        '{"ours":{"accuracy":1,"seconds":3},"twin":{"accuracy":2}}'
    )


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_torch_twin_goes_on_to_the_same_weights(tmp_path, bfloat16):
    torch = pytest.importorskip("torch")

    def twin():
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.Dropout(), torch.nn.Linear(8, 2))

        def batch(rows, random):
            return torch.tensor(BITS[rows], dtype=torch.float32), torch.tensor(BITS[rows, 0].astype(np.int64))

        seen = []
        module[-1].register_forward_hook(lambda *tensors: seen.append(tensors[-1].dtype))
        loss = torch.nn.functional.cross_entropy
        learner = common.TorchLearner(module, batch, loss, lambda f: {}, n_steps=24, bfloat16=bfloat16)
        learner.step(np.arange(4), np.random.RandomState(0))
        assert seen == [torch.bfloat16 if bfloat16 else torch.float32]
        module[-1]._forward_hooks.clear()
        return learner

    whole, parts = twin(), twin()
    common.train(arguments("--out", tmp_path / "whole"), "a", whole, ROWS)
    for _ in range(24):
        parts = twin()
        common.train(arguments("--out", tmp_path / "parts", "--minutes", 0), "a", parts, ROWS)
    assert parts.fingerprint() == whole.fingerprint()
