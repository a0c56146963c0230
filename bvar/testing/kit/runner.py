"""Run vectors and laws against a subject, and tell in one report what held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from bvar import backends
from bvar._validation import check_integer
from bvar.testing.kit.compare import answer, same
from bvar.testing.kit.laws import LAWS
from bvar.testing.kit.report import Expectations, Finding, Report
from bvar.testing.subjects.bvar import Builtin
from bvar.testing.subjects.process import Port
from bvar.testing.subjects.protocol import FUNCTIONS, LEVELS, Unsupported

__all__ = ["check_backend", "check_port", "load_vectors", "run", "write_vectors"]

_FOLDER = resources.files("bvar.testing") / "vectors"


@cache
def _file(name: str) -> dict[str, Any]:
    path = _FOLDER / f"{FUNCTIONS[name].level}-{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def load_vectors(function: str) -> dict[str, Any]:
    """Load the vectors of one function.

    Parameters
    ----------
    function : str
        A name of :data:`bvar.testing.FUNCTIONS`.

    Returns
    -------
    dict
        The content of its file, as ``schema.json`` beside it describes.

    Raises
    ------
    ValueError
        If there is no such function.

    Examples
    --------
    >>> from bvar.testing import load_vectors
    >>> test = load_vectors("gate_table")["tests"][7]
    >>> test["inputs"], test["result"]
    ({'gate': 7}, '0111')
    """
    if function not in FUNCTIONS:
        raise ValueError(f"function must be one of {', '.join(FUNCTIONS)}, got {function!r}")
    return _file(function)


def write_vectors(directory: str | Path) -> list[Path]:
    """Copy the vectors and their schema, for people and programs that do not import Python.

    Parameters
    ----------
    directory : str or Path
        Where to; made if it is not there.

    Returns
    -------
    list of Path
        The files.

    Examples
    --------
    >>> import tempfile
    >>> from bvar.testing import write_vectors
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     print(write_vectors(directory)[0].name)
    0-connective.json
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for source in sorted(_FOLDER.iterdir(), key=lambda path: path.name):
        written.append(directory / source.name)
        written[-1].write_bytes(source.read_bytes())
    return written


# ------------------------------------------------------------------------------------------------- running


class _Run:
    """One run over one subject; counts, and compares with what the port expects of itself."""

    def __init__(self, subject: Any, name: str, expect: Expectations) -> None:
        self.subject, self.expect, self.report = subject, expect, Report(name)
        self.failed: set[str] = set()
        self.seen: set[str] = set()

    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        """Call a function of the subject; raise `Unsupported` if it is not there."""
        method = getattr(self.subject, function, None)
        if method is None:
            raise Unsupported(function)
        return method(**arguments)

    def check(
        self, level: int, names: list[str], functions: Iterable[str], body: Callable[[], Iterable[Finding | None]]
    ) -> None:
        """Run one test, whose findings are None where it held; `names` are those it goes by in expectations."""
        if any(name in self.expect.skip for name in names):
            self.report.skipped += 1
            return
        expected = [name for name in names if name in self.expect.fail]
        self.seen.update(expected)
        if any(function in self.report.missing for function in functions):
            return
        try:
            for finding in body():
                if finding is None:
                    self.report.passed[level] += 1
                elif expected:
                    self.report.expected_failures += 1
                    self.failed.update(expected)
                else:
                    self.report.failures.append(finding)
        except Unsupported as error:
            name = str(error)
            self.report.missing[name] = FUNCTIONS[name].level

    def vectors(self, function: str) -> None:
        """Ask for every test of the file of a function."""
        level = FUNCTIONS[function].level

        def one(test: dict[str, Any]) -> Iterator[Finding | None]:
            given = answer(self.ask, function, test["inputs"])
            right = not isinstance(given, Exception) and same(given, test["result"])
            yield None if right else Finding(level, test["id"], test["inputs"], test["result"], given)

        for test in load_vectors(function)["tests"]:
            self.check(level, [test["id"], function], [function], lambda test=test: one(test))  # type: ignore[misc]

    def laws(self, level: int, examples: int) -> None:
        """Let Hypothesis look for an input that breaks a law of this level."""
        # needs Hypothesis, which those who run vectors alone may lack
        from bvar.testing.kit.search import leave_nothing_behind, search

        with leave_nothing_behind():
            for law in LAWS.values():
                if law.level == level:
                    names = [law.name, *law.functions]
                    self.check(level, names, law.functions, lambda law=law: search(law, self.ask, examples))  # type: ignore[misc]

    def finish(self) -> Report:
        """Name what was expected to fail and did not."""
        self.report.unexpected_passes = sorted(self.seen - self.failed - {*self.report.missing})
        return self.report


def run(subject: Any, name: str, *, levels: Iterable[int], examples: int, expect: Expectations | None) -> Report:
    """Run the vectors of the levels, then their laws."""
    levels = sorted({check_integer(level, "each of levels", low=0, high=len(LEVELS) - 1) for level in levels})
    examples = check_integer(examples, "examples", low=0)
    running = _Run(subject, name, expect or Expectations())
    for function in FUNCTIONS.values():
        if function.level in levels:
            running.vectors(function.name)
    for level in levels if examples else ():
        running.laws(level, examples)
    return running.finish()


def check_backend(
    subject: Any,
    *,
    levels: Iterable[int] = range(7),
    examples: int = 100,
    expect: Expectations | None = None,
) -> Report:
    """Prove a backend of this package, or a Python object with the methods of `Subject`.

    Parameters
    ----------
    subject : str or object
        Name of a backend, as for :func:`bvar.backends.use`; or an object or module that has the functions.
    levels : iterable of int, default=range(7)
        What to prove, from 0 to 6.
    examples : int, default=100
        How many inputs Hypothesis draws for each law; 0 runs the vectors alone, and needs no Hypothesis.
    expect : Expectations, optional
        What the subject knows to fail.

    Returns
    -------
    Report
        What held and what did not; print it.

    Raises
    ------
    TypeError, ValueError
        If a level or a number of examples is not possible.
    BackendUnavailable
        If the backend named cannot run here.
    ImportError
        If there are laws to search and Hypothesis is not installed.

    Examples
    --------
    A port that has one function, and has it wrong for the gate "or":

    >>> from bvar.testing import check_backend
    >>> class Port:
    ...     def gate_table(self, gate):
    ...         return "1000" if gate == 7 else f"{gate:04b}"
    >>> report = check_backend(Port(), levels=[1], examples=0)
    >>> report.ok, report.passed[1], sorted(report.missing)
    (False, 15, ['gate_variations', 'table_values'])
    >>> print(report.failures[0])
    level 1, gate_table-8
      input     gate = 7
      expected  "0111"
      given     "1000"
    """
    if isinstance(subject, str):
        with backends.use(subject) as backend:
            return run(Builtin(), backend.name, levels=levels, examples=examples, expect=expect)
    name = getattr(subject, "__name__", type(subject).__name__)
    return run(subject, name, levels=levels, examples=examples, expect=expect)


def check_port(
    command: Sequence[str],
    *,
    levels: Iterable[int] = range(7),
    examples: int = 100,
    expect: Expectations | None = None,
    timeout: float = 60.0,
) -> Report:
    """Prove a port that speaks JSON lines over standard input and output.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    levels : iterable of int, default=range(7)
        What to prove, from 0 to 6.
    examples : int, default=100
        How many inputs Hypothesis draws for each law; 0 runs the vectors alone, and needs no Hypothesis.
    expect : Expectations, optional
        What the port knows to fail.
    timeout : float, default=60.0
        Seconds to wait for one answer.

    Returns
    -------
    Report
        What held and what did not; print it.

    Raises
    ------
    PortError
        If the port cannot be started, ends before its first answer, or crashes too often.
    TypeError, ValueError
        If a level, a number of examples or the timeout is not possible.
    ImportError
        If there are laws to search and Hypothesis is not installed.

    See Also
    --------
    check_backend : The same for backends and Python objects.

    Examples
    --------
    >>> import sys
    >>> from bvar.testing import check_port
    >>> command = [sys.executable, "tutorials/ports/python/bvar_port.py"]
    >>> check_port(command, levels=[0, 1], examples=0).ok  # doctest: +SKIP
    True
    """
    with Port(command, timeout=timeout) as port:
        return run(port, " ".join(command), levels=levels, examples=examples, expect=expect)
