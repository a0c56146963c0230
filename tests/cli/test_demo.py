"""The command line: what a newcomer types first."""

import os
import subprocess
import sys

import pytest

import bvar
from bvar import BooleanClassifier, backends
from bvar.__main__ import main
from bvar.cli import demo

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
    accuracy = next(line for line in lines if line.startswith("accuracy "))
    assert result.stdout.index("accuracy") == result.stdout.index(accuracy)  # its own comes first
    assert float(accuracy.split()[1]) >= 0.97
    assert any("MLPClassifier" in line for line in lines)
    assert any("LogisticRegression" in line for line in lines)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert f"plot     {png}" in lines
    assert "score: right answers on the former" in result.stdout  # before they are printed
    assert ", 105 KiB, " in accuracy
    assert any("105 KiB are the weights only" in line for line in lines)
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
    return BooleanClassifier(4, max_iter=2, random_state=0).fit([[0], [1]] * 10, [0, 1] * 10)


def test_the_picture_goes_into_the_current_folder(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    assert demo._draw(model, 0.9, None) == str(tmp_path / "bvar-demo.png")
    assert os.listdir() == ["bvar-demo.png"]


def test_the_folder_of_someone_else_is_left_alone(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1, raising=False)
    text = demo._draw(model, 0.9, None)
    assert text == f"none: the current folder, {tmp_path}, belongs to someone else; --plot FILE draws it elsewhere"
    assert os.listdir() == []
    assert demo._draw(model, 0.9, tmp_path / "asked.png") == str(tmp_path / "asked.png")


def test_a_picture_that_cannot_be_written_is_no_end(tmp_path, model):
    (tmp_path / "x.png").mkdir()
    text = demo._draw(model, 0.9, tmp_path / "x.png")
    assert text.startswith(f"none: {tmp_path / 'x.png'} cannot be written (")
    assert text.endswith("--plot FILE draws it elsewhere")
