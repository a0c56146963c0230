"""The scripts of the paper's super-resolution and segmentation, on a few images and scenes."""

import json
import pickle
import sys
from argparse import Namespace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")  # which scikit-learn reads photographs with

sys.path.insert(0, str(Path(__file__).parents[2] / "tutorials" / "paper"))

import common
import pictures
import scenes
import segmentation
import super_resolution

TOYS = {
    super_resolution: ["--filters", "4", "--blocks", "1", "--epochs", "2", "--batch", "8"],
    segmentation: ["--filters", "4", "--scenes", "16", "--epochs", "2", "--batch", "8", "--dilations", "1", "2"],
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    random = np.random.RandomState(0)
    large = random.randint(0, 256, (50, 8, 8, 3)).repeat(4, axis=1).repeat(4, axis=2)
    np.savez(tmp_path / "x.npz", x=large.astype(np.uint8))
    monkeypatch.setattr(common, "RESULTS", tmp_path / "results")
    small = [photograph[:64, :66] for photograph in pictures.photographs()]
    monkeypatch.setattr(super_resolution, "photographs", lambda: small)

    def call(script, *options, out="out"):
        data = ["--data", str(tmp_path / "x.npz")] if script is super_resolution else []
        arguments = [*data, "--out", str(tmp_path / out), *TOYS[script], *options]
        monkeypatch.setattr(sys, "argv", [script.__name__, *arguments])
        script.main()
        return tmp_path

    return call


@pytest.mark.parametrize("script", TOYS)
def test_a_stopped_training_goes_on_to_the_same_weights_and_is_recorded(run, script, capsys):
    run(script)
    whole = capsys.readouterr().out.splitlines()[-1]
    for _ in range(8):
        folder = run(script, "--minutes", "0", out="parts")
    assert capsys.readouterr().out.splitlines()[-1] == whole
    run(script, "--record", "ours", out="parts")
    (row,) = json.loads((folder / "results" / f"{script.__name__}.json").read_text()).values()
    assert (row["filters"], row["epochs"], row["epoch"]) == (4, 2, 2)
    numbers = ("test_psnr", "palace_ssim") if script is super_resolution else ("miou", "iou_flower")
    assert all(np.isfinite(row[name]) for name in numbers)


@pytest.mark.parametrize("script", TOYS)
def test_first_steps_print_one_fingerprint(run, script, capsys):
    run(script, "--fingerprints", "3")
    prints = [line.split("fingerprint ")[1] for line in capsys.readouterr().out.splitlines()]
    assert (len(prints), len(set(prints))) == (2, 1)


@pytest.mark.parametrize("script", TOYS)
def test_a_twin_without_pytorch_says_what_is_missing(run, script, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match="PyTorch"):
        run(script, "--twin", "float")


def test_the_clip_is_that_of_the_optimizer(run, monkeypatch):
    seen = []

    def learner(network, *others, **options):
        seen.append(network.optimizer.clip)
        return common.BooleanLearner(network, *others, **options)

    monkeypatch.setattr(segmentation, "BooleanLearner", learner)
    folder = run(segmentation, "--clip", "3", "--record", "ours")
    assert seen == [3]
    assert json.loads((folder / "results" / "segmentation.json").read_text())["ours"]["clip"] == 3


@pytest.mark.parametrize("script", TOYS)
def test_twins_train_beside_and_pictures_show_both(run, script, monkeypatch):
    pytest.importorskip("torch")
    plt = pytest.importorskip("matplotlib.pyplot")
    folder = run(script)
    run(script, "--twin", "float", "--record", "float")
    assert "float" in json.loads((folder / "results" / f"{script.__name__}.json").read_text())
    monkeypatch.setattr(super_resolution, "CROPS", ((0, 0, 0), (1, 0, 2)))
    run(script, "--figure", str(folder / "f.png"))
    assert plt.imread(folder / "f.png").std() > 0.01


def test_networks_segment_together_by_the_mean_of_what_they_believe(run, tmp_path):
    run(segmentation, "--record", "one")
    run(segmentation, "--eta", "5", out="other")
    run(segmentation, "--record", "two", "--together", str(tmp_path / "other"))
    rows = json.loads((tmp_path / "results" / "segmentation.json").read_text())
    assert (rows["one"]["networks"], rows["two"]["networks"]) == (1, 2)
    networks = [
        pickle.loads((tmp_path / f"{out}/segmenter-boolean-4.state").read_bytes())[1] for out in ("out", "other")
    ]
    test = scenes.compose(4, "test", 0)
    x = segmentation.numbers(test.x, False).reshape(4, -1)
    powers = [np.exp(np.asarray(network.scores(x), float)).reshape(*test.y.shape, -1) for network in networks]
    shares = [power / power.sum(axis=-1, keepdims=True) for power in powers]
    for name, belief in {"one": shares[0], "two": shares[0] + shares[1]}.items():
        found = segmentation.quality(belief.argmax(axis=-1), test.y)
        assert {key: rows[name][key] for key in found if np.isfinite(found[key])} == {
            key: value for key, value in found.items() if np.isfinite(value)
        }
    assert rows["one"] != rows["two"]
    (last,) = common.read_curve(tmp_path / "other/segmenter-boolean-4.jsonl")[1:]
    assert rows["two"]["seconds"] == round(rows["one"]["seconds"] + last["seconds"], 1)


def test_what_cannot_segment_together_is_refused(run, tmp_path):
    for options in (["--twin", "float", "--record", "two"], []):
        with pytest.raises(SystemExit, match="--together is for Boolean networks that --record measures, and not"):
            run(segmentation, *options, "--together", str(tmp_path))
    run(segmentation, "--minutes", "0", out="short")
    run(segmentation, "--seed", "1", out="seed")
    for out, words in {
        "none": "folders of trainings of this kind, and there is no .*none/segmenter-boolean-4.state",
        "seed": "trainings with --seed 0, unlike .*seed/segmenter",
        "short": "trainings that are over, and .*short/segmenter-boolean-4.state is of epoch 0",
    }.items():
        with pytest.raises(SystemExit, match=f"--together must name {words}"):
            run(segmentation, "--record", "two", "--together", str(tmp_path / out))


def test_the_segmenter_can_have_norms_and_rare_classes_first(run):
    folder = run(segmentation, "--norm", "--rare", "0.5", "--record", "norm")
    assert (folder / "out" / "segmenter-norm-4.jsonl").exists()
    (row,) = json.loads((folder / "results" / "segmentation.json").read_text()).values()
    assert (row["norm"], row["rare"]) == (True, 0.5)


def test_scenes_that_are_centered_do_not_say_how_light_they_are():
    x = np.random.RandomState(0).randint(0, 200, (3, 32, 32, 3))
    dark, light = (segmentation.numbers(images, True) for images in (x, x + np.arange(3).reshape(3, 1, 1, 1)))
    assert (dark.dtype, dark.shape) == (np.float32, x.shape)
    # one mean for all colours; a rounding of numbers below 4, times 60, and one of numbers below 256: 1.5e-5
    assert abs(60 * dark - (x - x.mean(axis=(1, 2, 3), keepdims=True))).max() < 1e-4
    assert abs(dark - light).max() <= 2.0**-22  # of equal numbers below 4 one may round up, the other down
    assert (segmentation.numbers(x, False) != segmentation.numbers(x + 1, False)).all()


def test_the_segmenter_can_see_scenes_less_their_mean(run):
    folder = run(segmentation, "--centered", "--record", "centered")
    (row,) = json.loads((folder / "results" / "segmentation.json").read_text()).values()
    assert row["centered"] is True
    x = np.random.RandomState(0).randint(0, 200, (3, 32, 32, 3))
    for centered in (False, True):
        rows = segmentation.inputs(x, Namespace(centered=centered, twin=None))
        assert (rows == segmentation.numbers(x, centered).reshape(3, -1)).all()


def test_the_segmenter_can_do_without_the_whole(run):
    folder = run(segmentation, "--no-global-branch")
    assert (folder / "out" / "segmenter-boolean-4-local.jsonl").exists()


@pytest.mark.parametrize("sizes", [(16, 32), (32, 16), (14, 28), (36, 12)])
def test_resizing_keeps_what_is_the_same_everywhere_and_straight_lines_inside(sizes):
    n, m = sizes
    even = np.full((1, n, n, 3), 77.0)
    assert (pictures.bicubic(even, m, m) == 77).all()
    line = np.linspace(0, 200, n)[None, :, None, None] * np.ones((1, n, 3, 1))
    step = 200 / (n - 1) * n / m
    inside = np.diff(pictures.resize(line, m, 3)[0, :, 1, 0])[4 * m // n + 1 : -4 * m // n - 1]
    assert len(inside)
    # weights are rounded to 2**-24 of themselves and come to less than 2 without their signs; two pixels below 256
    assert abs(inside - step).max() < 2 * 2 * 256 * 2.0**-24


def test_images_of_differences_are_those_that_were_kept(tmp_path):
    """A grey ramp, and one colour everywhere."""
    ramp = np.tile(np.arange(0, 64, 2, dtype=np.uint8), (1, 32, 1))
    flat = np.zeros((1, 16, 16), np.uint8)
    flat[:, :, 0] = 128
    np.savez(tmp_path / "x.npz", dY=np.diff(ramp, axis=-1, prepend=np.uint8(0)), dCb=flat, dCr=flat)
    assert (pictures.cifar(tmp_path / "x.npz") == ramp[..., None]).all()
    flat[:, :, 0] = 228
    red = pictures.from_jpegs({"dY": np.zeros((1, 32, 32), np.uint8), "dCb": flat, "dCr": flat})
    assert (red == [140, 0, 177]).all()


def test_a_file_without_images_says_what_it_should_hold(tmp_path):
    images = np.zeros((2, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "x.npz", x_train=images)
    assert (pictures.cifar(tmp_path / "x.npz") == images).all()
    np.savez(tmp_path / "x.npz", pictures=images)
    with pytest.raises(SystemExit, match=r"--data must hold images, .* got pictures"):
        pictures.cifar(tmp_path / "x.npz")


def test_scenes_with_a_rare_class_are_drawn_as_often_as_the_paper_says():
    y = np.zeros((40, 2, 2), np.int64)
    y[:4, 0, 0], y[:, 1, 1] = 5, 1
    draw = segmentation.rare_first(y, temperature=0.5)
    rows = draw(np.arange(20000), np.random.RandomState(0))
    assert rows.tolist() == draw(np.arange(20000), np.random.RandomState(0)).tolist()
    p = np.exp(0.9 / 0.5) / (np.exp(0.9 / 0.5) + 2)  # two classes are in every scene, one in a tenth
    assert abs((rows < 4).mean() - (p + (1 - p) / 10)) < 0.01


def test_light_changes_the_same_for_all_pixels_of_a_scene():
    x = np.random.RandomState(0).randint(100, 150, (30, 4, 4, 3)).astype(np.uint8)
    np.testing.assert_array_equal(segmentation.relit(x, 0.0, np.random.RandomState(0)), x)
    found = segmentation.relit(x, 0.3, np.random.RandomState(0))
    assert found.dtype == np.uint8
    for before, after in zip(x.reshape(30, 16, 3), found.reshape(30, 16, 3).astype(int), strict=True):
        lows, highs = [], []
        for colour in range(3):
            slope, start = np.polyfit(before[:, colour], after[:, colour], 1)
            assert abs(slope * before[:, colour] + start - after[:, colour]).max() <= 1  # rounded
            assert 0.65 <= slope <= 1.35
            off = abs(before[:, colour] - before[:, colour].mean())
            turned = off.sum() / 2 / (off**2).sum()  # by points that were rounded, each by 1/2 at most
            lows.append(slope - turned)
            highs.append(slope + turned)
        assert max(lows) <= min(highs)  # one contrast for all colours
    assert segmentation.relit(np.full((2, 1, 1, 3), 255, np.uint8), 1.0, np.random.RandomState(1)).max() <= 255


def test_scenes_are_their_seed_and_parts_share_nothing():
    a, b, c = (scenes.compose(6, "train", seed) for seed in (0, 0, 1))
    assert (a.x == b.x).all()
    assert (a.y == b.y).all()
    assert (a.x != c.x).any()
    assert set(np.unique(scenes.compose(60, "test").y)) == set(range(len(scenes.CLASSES)))
    shares = sorted(scenes._PARTS.values())
    assert all(end == start for (_, end), (start, _) in pairwise(shares))
