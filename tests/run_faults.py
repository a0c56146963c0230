"""Run, for each deliberate fault, the test that must catch it, with the fault in place.

Each runs in a process of its own, forked from this one, so that one start of Python and one import of everything
serve them all. Prints one line of JSON for each: the name, pytest's exit code, and what it said.

Usage: BVAR_BACKEND=numpy python tests/run_faults.py [NAME ...]
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import hypothesis.strategies  # noqa: F401
import pytest
from faults import FAULTS

HERE = Path(__file__).parent


def node(caught_by):
    """The file and test named by a fault, as pytest wants them."""
    file, _, test = caught_by.partition("::")
    (path,) = HERE.rglob(file)
    return f"{path}::{test}" if test else str(path)


def in_a_process_of_its_own(name):
    """Exit code and output of pytest with a fault; tests/conftest.py applies it."""
    with tempfile.TemporaryFile("w+") as said:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os.environ["BVAR_TEST_FAULT"] = name
            options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--assert=plain"]  # nothing to rewrite
            code = pytest.main([*options, node(FAULTS[name].caught_by)])
            sys.stdout.flush()  # which leaving so abruptly would not do
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return code, said.read()


if __name__ == "__main__":
    for name in sys.argv[1:] or FAULTS:
        print(json.dumps([name, *in_a_process_of_its_own(name)]), flush=True)
