"""The script of the first task of the paper, on a few images of eight by eight pixels."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tutorials" / "paper"))

import classification
import common

TOY = ["--width", "0.02", "--epochs", "2", "--batch", "10", "--eta", "1000"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    random = np.random.RandomState(0)
    np.savez(tmp_path / "x.npz", x=random.randint(0, 256, (50, 8, 8, 3)).astype(np.uint8), y=np.arange(50) % 10)
    monkeypatch.setattr(common, "RESULTS", tmp_path / "results")

    def call(*options, out="out"):
        arguments = ["--data", str(tmp_path / "x.npz"), "--out", str(tmp_path / out), *TOY, *options]
        monkeypatch.setattr(sys, "argv", ["classification.py", *arguments])
        classification.main()
        return tmp_path / out

    return call


@pytest.mark.parametrize("model", ["vgg", "resnet"])
@pytest.mark.parametrize("options", [["boolean"], ["boolean", "--norm"], ["real"], ["real", "--norm"]])
def test_every_network_goes_on_to_the_same_weights(run, model, options, capsys):
    options = ["--model", model, "--ends", *options]
    run(*options)
    whole = capsys.readouterr().out.splitlines()[-1]
    for _ in range(8):
        folder = run(*options, "--minutes", "0", out="parts")
    assert capsys.readouterr().out.splitlines()[-1] == whole
    (curve,) = folder.glob("*.jsonl")
    assert [line["epoch"] for line in common.read_curve(curve)] == [1, 2]


def test_settings_can_be_chosen_without_the_images_of_the_test():
    x = np.arange(50)
    images = classification.to_choose_by(classification.Images(x, x, x[:0] - 1, x[:0] - 1))
    assert sorted([*images.x, *images.x_test]) == list(range(50))
    assert (images.x.tolist(), len(images.x_test)) == (images.y.tolist(), 10)


def test_bits_can_move_until_the_end(run, monkeypatch):
    """The schedule of bits is longer than the training; that of real weights is not."""
    seen = []
    monkeypatch.setattr(classification, "train", lambda arguments, name, learner, n: seen.append(learner.network))
    run("--ends", "real", "--stretch", "1.5", "--eta", "30", "--clip", "3")
    (network,) = seen
    assert (network.optimizer.n_steps, network.optimizer.eta, network.optimizer.clip) == (12, 30.0, 3.0)
    assert network.real.adam.n_steps == 8


def test_a_row_says_how_large_its_steps_were(run):
    folder = run("--ends", "real", "--stretch", "1.5", "--record", "row")
    (row,) = json.loads((folder.parent / "results" / "classification.json").read_text()).values()
    assert (row["eta"], row["clip"], row["stretch"]) == (1000, 1, 1.5)
    with pytest.raises(SystemExit, match="leave --validate out"):
        run("--validate", "--record", "row")


def test_curves_become_a_figure(run, capsys):
    folder = run()
    run("--figure", str(folder / "accuracy.png"))
    assert (folder / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match="--figure needs a folder"):
        run("--figure", "none.png", out="empty")


def test_first_steps_print_one_fingerprint(run, capsys):
    run("--ends", "real", "--norm", "--fingerprints", "3")
    prints = [line.split("fingerprint ")[1] for line in capsys.readouterr().out.splitlines()]
    assert (len(prints), len(set(prints))) == (2, 1)


@pytest.mark.parametrize("model", ["vgg", "resnet"])
@pytest.mark.parametrize("twin", ["float", "connect", "xnor"])
def test_twins_train_beside(run, model, twin):
    pytest.importorskip("torch")
    folder = run("--model", model, "--twin", twin, "--record", f"{model} {twin}")
    (row,) = json.loads((folder.parent / "results" / "classification.json").read_text()).values()
    assert (row["epochs"], row["epoch"], row["width"]) == (2, 2, 0.02)
    assert "eta" not in row
    assert 0 <= row["accuracy"] <= 1


def test_binary_twins_have_two_weights_in_a_filter():
    torch = pytest.importorskip("torch")
    import twins

    for scaled in (False, True):
        conv = twins.LatentConv2d(2, 3, 3, scaled=scaled)
        one = conv(torch.eye(18).reshape(18, 2, 3, 3)).reshape(18, 3)  # each weight on its own
        sizes = one.abs()
        assert torch.equal(one.sign(), conv.weight.reshape(3, 18).T.sign())
        assert torch.allclose(sizes, sizes[:1].expand_as(sizes))
        assert bool((sizes == 1).all()) is not scaled
