"""The command line: what a newcomer types first."""

import os
import subprocess
import sys

import pytest

from bvar import backends

FINGERPRINT = "707969f5a3c5eade1cead1cd5a9956dd05dd473f99cdc47bc442360b2d791069"


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "bvar", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_demo_learns_and_draws(tmp_path):
    png = tmp_path / "demo.png"
    result = run("demo", "--plot", str(png))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    accuracy = next(line for line in lines if line.startswith("accuracy "))
    assert result.stdout.index("accuracy") == result.stdout.index(accuracy)  # its own comes first
    assert float(accuracy.split()[1]) >= 0.97
    assert any("MLPClassifier" in line for line in lines)
    assert any("LogisticRegression" in line for line in lines)
    assert png.read_bytes().startswith(b"\x89PNG")
    fingerprint = next(line for line in lines if "SHA-256" in line)
    assert fingerprint.endswith(FINGERPRINT)


def test_backends_are_listed():
    result = run("backends")
    assert result.returncode == 0
    assert all(name in result.stdout for name in backends.available())


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_a_wrong_command_shows_the_right_ones(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert "demo" in result.stderr or "command" in result.stderr
