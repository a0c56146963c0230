"""What every command shares: options that say what they accept, and mistakes as one line.

``docs/howto/command-line.md`` shows both.  A mistake of the user is a `CommandError` and exit code 2; a traceback
would be a bug.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import NoReturn

import numpy as np

from bvar.backends import BackendUnavailable

__all__ = [
    "CommandError",
    "Commands",
    "Parser",
    "check_output",
    "counted",
    "integer",
    "number",
    "quoted",
    "run",
    "say",
    "shown",
]

# What argparse says, in the words of this package.
_REWORDED = (
    (r"argument (.+?): invalid choice: (.+) \(choose from (.+)\)$", r"\1 must be one of \3, got \2"),
    (r"argument (.+?): invalid int value: (.+)$", r"\1 must be an integer, got \2"),
    (r"argument (.+?): invalid float value: (.+)$", r"\1 must be a number, got \2"),
    (r"argument (.+?): must", r"\1 must"),
    (r"argument (.+?): expected", r"\1 must be followed by"),
    (r"the following arguments are required: (.+)$", r"\1 are required"),
)


class CommandError(Exception):
    """A mistake of the user, in one line."""


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are lines like all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Parameters
        ----------
        message : str
            What argparse says.

        Raises
        ------
        CommandError
            Always.
        """
        for pattern, words in _REWORDED:
            message = re.sub(pattern, words, message)
        raise CommandError(f"{message}; see `{self.prog} --help`")


Commands = argparse._SubParsersAction  # what `add_subparsers` of a parser returns; commands add themselves to it


def run(command: Callable[[], int | None]) -> int:
    """Run a command, and turn what goes wrong into an exit code.

    Parameters
    ----------
    command : callable
        Does the work; may return an exit code.

    Returns
    -------
    int
        What the command returned, 0 if nothing, or 2 after a mistake of the user, which one line on standard error
        describes.
    """
    code = None
    for stream in (sys.stdout, sys.stderr):  # a name that a terminal cannot show stops no training
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        # checks that NumPy and scikit-learn make of numbers near 1e308 overflow, and are right all the same
        with np.errstate(all="ignore"):
            code = command()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except MemoryError as error:
        return _complain(f"there is not enough memory: {error}".rstrip(": "))
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (BackendUnavailable, CommandError, OverflowError, TypeError, ValueError) as error:
        return _complain(str(error) or type(error).__name__)
    return code or 0


def _complain(text: str) -> int:
    sys.stderr.write(f"bvar: error: {' '.join(text.split())}\n")
    return 2


def say(text: str) -> None:
    """Print a line at once.

    Parameters
    ----------
    text : str
        The line.
    """
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def quoted(text: str) -> str:
    """Show what a user wrote, cut where it is long.

    Parameters
    ----------
    text : str
        A cell or a name.

    Returns
    -------
    str
        It, between quotes and in one line.
    """
    return repr(text if len(text) <= 40 else text[:37] + "...")


def shown(name: str) -> str:
    """Show a name as it is, if it can be shown.

    Parameters
    ----------
    name : str
        Of a column or a class.

    Returns
    -------
    str
        It, between quotes if it has characters that do something.
    """
    return name if name.isprintable() else quoted(name)


def counted(n: int, what: str, several: str | None = None) -> str:
    """Say how many there are.

    Parameters
    ----------
    n : int
        The number.
    what : str
        One of them.
    several : str, optional
        Many of them, if it is no s that makes it.

    Returns
    -------
    str
        Number and noun.

    Examples
    --------
    >>> from bvar.cli.command import counted
    >>> counted(1, "row"), counted(2, "category", "categories")
    ('1 row', '2 categories')
    """
    return f"{n} {what if n == 1 else several or what + 's'}"


def integer(low: int, high: int) -> Callable[[str], int]:
    """Make the type of an option that takes an integer.

    Parameters
    ----------
    low, high : int
        The least and the greatest.

    Returns
    -------
    callable
        Reads one, or raises what the parser turns into a line.
    """

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be an integer in [{low}, {high}], got {quoted(text)}")
        return int(text)

    return read


def number(low: float, high: float = inf) -> Callable[[str], float]:
    """Make the type of an option that takes a number.

    Parameters
    ----------
    low, high : float
        The least, and the first that is too large.

    Returns
    -------
    callable
        Reads one, or raises what the parser turns into a line.
    """
    span = f"a finite number >= {low:g}" if high == inf else f"a number in [{low:g}, {high:g})"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = inf
        if not low <= value < high:
            raise argparse.ArgumentTypeError(f"must be {span}, got {quoted(text)}")
        return value

    return read


def check_output(output: Path, *inputs: Path) -> None:
    """Refuse a place for results before the work begins.

    Parameters
    ----------
    output : Path
        Where the results are to go.
    inputs : Path
        Files that must stay.

    Raises
    ------
    CommandError
        If the folder is not there or may not be written to, or the place is a folder or one of the inputs.
    """
    if not output.parent.is_dir():
        raise CommandError(f"--output must be in a folder that exists, got {output}: no such directory")
    if not os.access(output.parent, os.W_OK):
        raise CommandError(f"--output must be in a folder that may be written to, got {output}")
    if output.is_dir():
        raise CommandError(f"--output must be a file, got the directory {output}")
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise CommandError(f"--output must not be the file that is read, got {output}")
