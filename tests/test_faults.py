"""The tests are tested: with each deliberate fault of tests/faults.py in place, the test named there fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import FAULTS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_suite_red(name):
    file, _, test = FAULTS[name].caught_by.partition("::")
    (path,) = HERE.rglob(file)
    node = f"{path}::{test}" if test else str(path)
    # the faults break the NumPy backend or what stands above it, so that is the backend to watch
    environment = os.environ | {"BVAR_TEST_FAULT": name, "BVAR_BACKEND": "numpy"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", node]
    run = subprocess.run(command, env=environment, cwd=HERE.parent, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1, (
        f"pytest ended with {run.returncode} instead of a failure:\n{run.stdout}{run.stderr}"
    )
    assert "1 failed" in run.stdout
