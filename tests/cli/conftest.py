"""Run a command in this process, and see what it says."""

import pytest

from bvar.__main__ import main


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code, output and errors."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        output, errors = capsys.readouterr()
        return code, output, errors

    return run
