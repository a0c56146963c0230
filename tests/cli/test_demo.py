"""The command line: what a newcomer types first."""

import os
import re
import subprocess
import sys

import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import bvar
from bvar import BooleanClassifier, backends
from bvar.__main__ import main
from bvar.cli import demo
from bvar.cli.slide import Row, draw, evidence
from bvar.kernels import unpack

COMMANDS = ("demo", "train", "predict", "info", "backends", "check-port", "vectors")
FINGERPRINT = "d6772d3999eb996aeb5a30ddf96e6c0ac16c9eff388a5930e18861f8c76035ad"


def process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "bvar", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_demo_learns_and_draws(tmp_path):
    png = tmp_path / "demo.png"
    result = process("demo", "--plot", str(png))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("accuracy "))
    names = ["accuracy", "weights", "bits of each", "bytes", "seconds", "model"]
    assert re.split(r"  +", lines[head]) == names
    bits, perceptron, regression = (re.split(r"  +", line.strip()) for line in lines[head + 1 : head + 4])
    assert float(bits[0]) >= 0.97
    assert bits[1:4] == ["847,872", "1", "105,984"]
    assert perceptron[-1].endswith("MLPClassifier")
    assert regression[-1].endswith("LogisticRegression")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert f"plot     {png}" in lines
    assert next(line.split() for line in lines if line.startswith("epoch"))[:2] == ["epoch", "learning"]
    fingerprint = next(line for line in lines if "SHA-256" in line)
    assert fingerprint.endswith(FINGERPRINT)


def test_backends_are_listed():
    result = process("backends")
    assert result.returncode == 0
    assert all(name in result.stdout for name in backends.available())


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_a_wrong_command_shows_the_right_ones(arguments, run):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert all(name in errors for name in COMMANDS)


def test_without_a_command_each_has_a_line(run):
    lines = run()[2].splitlines()
    for name in COMMANDS:
        assert sum(line.split()[:1] == [name] and len(line.split()) > 3 for line in lines) == 1


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"bvar {bvar.__version__}\n"


@pytest.fixture(scope="module")
def model():
    X, y = load_digits(return_X_y=True)
    return BooleanClassifier(16, max_iter=4, random_state=0).fit(X[:600], y[:600], X_val=X[600:], y_val=y[600:])


def drawn(model):
    X, y = load_digits(return_X_y=True)
    rows = [Row(0.9, "bits", 8, 1, 1.0), Row(0.8, "floats", 8, 64, 1.0), Row(0.7, "lines", 8, 64, 1.0)]
    return draw(model, rows, X[600:], y[600:])


def test_the_slide_has_the_held_out_curve_both_rivals_digits_and_bits(model):
    above, below = drawn(model).subfigs
    curves = above.axes[0].lines
    assert list(curves[1].get_ydata()) == model.history_["validation_score"]
    assert [line.get_ydata()[0] for line in curves[2:]] == [0.8, 0.7]
    assert "64 bytes" in curves[2].get_label()
    assert sum(len(ax.images) for ax in below.axes) == 40  # digits read, misread, neurons, classes


def test_what_a_class_looks_for_are_the_products_of_signs_summed_for_each_pixel(model):
    first, second = ([[1 if b else -1 for b in row] for row in unpack(p.bits)] for p in model.network_.parameters)
    questions = [pixel for pixel, asked in enumerate(model.encoder_.thresholds_) for _ in asked]
    found = evidence(model)
    for pixel in (0, 20, 36):
        asked = [i for i, other in enumerate(questions) if other == pixel]
        assert found[3, pixel] == sum(second[3][j] * first[j][i] for j in range(16) for i in asked)


def blank():
    return Figure()


def test_the_picture_goes_into_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo._save(blank, None) == str(tmp_path / "bvar-demo.png")
    assert os.listdir() == ["bvar-demo.png"]


def test_the_folder_of_someone_else_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1, raising=False)
    text = demo._save(blank, None)
    assert text == f"none: the current folder, {tmp_path}, belongs to someone else; --plot FILE draws it elsewhere"
    assert os.listdir() == []
    assert demo._save(blank, tmp_path / "asked.png") == str(tmp_path / "asked.png")


def test_a_picture_that_cannot_be_written_is_no_end(tmp_path):
    (tmp_path / "x.png").mkdir()
    text = demo._save(blank, tmp_path / "x.png")
    assert text.startswith(f"none: {tmp_path / 'x.png'} cannot be written (")
    assert text.endswith("--plot FILE draws it elsewhere")
