"""The tests are tested: with each deliberate fault of tests/faults.py in place, the test named there fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import FAULTS

HERE = Path(__file__).parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="faults live in forked processes")
def test_each_fault_turns_the_suite_red():
    """Faults break the NumPy backend or what stands above it, so it is in force; one process starts all runs."""
    done = subprocess.run(
        [sys.executable, str(HERE / "run_faults.py")],
        env=os.environ | {"BVAR_BACKEND": "numpy"},
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    runs = {name: (code, said) for name, code, said in map(json.loads, done.stdout.splitlines())}
    assert runs.keys() == FAULTS.keys()
    for name, (code, said) in runs.items():
        assert code == 1, f"with the fault {name!r} pytest ended with {code} instead of a failure:\n{said}"
        assert "1 failed" in said, f"with the fault {name!r} pytest said:\n{said}"
