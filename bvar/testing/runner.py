"""Run vectors and laws against a subject, and tell in one report what held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from bvar import backends
from bvar._validation import check_integer
from bvar.testing.builtin import Builtin
from bvar.testing.protocol import FUNCTIONS, LEVELS, Unsupported

__all__ = ["Expectations", "Finding", "Report", "check_backend", "load_vectors", "run", "write_vectors"]

_FOLDER = resources.files("bvar.testing") / "vectors"


class Finding(NamedTuple):
    """A check that did not hold.

    Parameters
    ----------
    level : int
        Level of the function or law.
    name : str
        Id of the vector, or name of the law.
    inputs : dict
        The arguments; for a law the smallest that fail.
    expected, given : object
        What should have come back, and what did: a result, or an error as text.

    Examples
    --------
    >>> from bvar.testing import Finding
    >>> print(Finding(1, "gate_table-8", {"gate": 7}, "0111", "1000"))
    level 1, gate_table-8
      input     gate = 7
      expected  "0111"
      given     "1000"
    """

    level: int
    name: str
    inputs: dict[str, Any]
    expected: Any
    given: Any

    def __str__(self) -> str:
        inputs = [f"{name} = {_short(value)}" for name, value in self.inputs.items()]
        lines = [f"level {self.level}, {self.name}"]
        lines += [f"  {'input' if not i else '':<9} {line}" for i, line in enumerate(inputs)]
        expected, given = _around_difference(self.expected, self.given)
        return "\n".join([*lines, f"  expected  {expected}", f"  given     {given}"])


def _text(value: Any) -> str:
    return str(value) if isinstance(value, Exception) else json.dumps(value)


def _short(value: Any, limit: int = 400) -> str:
    text = _text(value)
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text)} characters)"


def _around_difference(expected: Any, given: Any) -> tuple[str, str]:
    """Show both values, cut to the place where they begin to differ."""
    texts = _text(expected), _text(given)
    if max(map(len, texts)) <= 400 or isinstance(given, Exception):
        return _short(expected), _short(given)
    first = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, first - 60)
    both = tuple(f"... {text[start : first + 60]} ... (from character {start})" for text in texts)
    return both[0], both[1]


@dataclass
class Report:
    """What a run found.

    Parameters
    ----------
    subject : str
        Name of the subject.
    passed : Counter
        Number of checks that held, by level.
    failures : list of Finding
        Checks that did not hold and were not expected to fail.
    missing : dict
        Functions that the subject does not have, with their level.
    skipped : int, default=0
        Number of vectors and laws that its own file of expectations skips.
    expected_failures : int, default=0
        Number of those that failed as that file expects.
    unexpected_passes : list of str
        Names in that file that no longer fail.

    Examples
    --------
    >>> from bvar.testing import check_backend
    >>> print(check_backend("numpy", levels=[0], examples=0))
    numpy
      level 0  logic and variation       55 checks passed
    55 checks passed, 0 failed
    """

    subject: str
    passed: Counter = field(default_factory=Counter)
    failures: list[Finding] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    expected_failures: int = 0
    unexpected_passes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all that was asked for is there and right."""
        return not (self.failures or self.missing or self.unexpected_passes)

    def __str__(self) -> str:
        lines = [self.subject]
        for level in sorted({*self.passed, *self.missing.values(), *(f.level for f in self.failures)}):
            failed = sum(f.level == level for f in self.failures)
            absent = [name for name, of in self.missing.items() if of == level]
            line = f"  level {level}  {LEVELS[level]:<20} {self.passed[level]:>7} checks passed"
            line += f", {failed} failed" if failed else ""
            lines.append(line + (f"; missing: {', '.join(absent)}" if absent else ""))
        lines += [str(finding) for finding in self.failures]
        lines += [f"{name} passes, but is expected to fail" for name in self.unexpected_passes]
        counts = f"{sum(self.passed.values())} checks passed, {len(self.failures)} failed"
        others = {
            "missing functions": len(self.missing),
            "skipped": self.skipped,
            "failed as expected": self.expected_failures,
        }
        lines.append("; ".join([counts, *(f"{what}: {n}" for what, n in others.items() if n)]))
        return "\n".join(lines)


@dataclass(frozen=True)
class Expectations:
    """What a port knows about itself: names to skip, and names that fail, each with the reason.

    A name is a function, a law, or the id of a vector.

    Parameters
    ----------
    skip, fail : dict of str
        Reasons by name.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> from bvar.testing import Expectations
    >>> Expectations(skip={"train": "no training on the device yet"}).fail
    {}
    """

    skip: dict[str, str] = field(default_factory=dict)
    fail: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that would never match."""
        from bvar.testing.laws import LAWS

        functions = {**self.skip, **self.fail}
        known = {*FUNCTIONS, *LAWS}
        unknown = [n for n in functions if n not in known and n.rpartition("-")[0] not in FUNCTIONS]
        if unknown:
            raise ValueError(f"expectations name {unknown[0]!r}, which is no function, law or id of a vector")

    @classmethod
    def read(cls, path: Path) -> Expectations:
        """Read a JSON file with the keys "skip" and "fail".

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        Expectations
            What it says.

        Raises
        ------
        ValueError
            If it is no such file.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {*content} <= {"skip", "fail"}:
            raise ValueError(f'{path} must hold an object with "skip" and "fail", each from name to reason')
        return cls(**content)


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
        from bvar.testing.laws import LAWS
        from bvar.testing.search import search

        for law in LAWS.values():
            if law.level == level:
                names = [law.name, *law.functions]
                self.check(level, names, law.functions, lambda law=law: search(law, self.ask, examples))  # type: ignore[misc]

    def finish(self) -> Report:
        """Name what was expected to fail and did not."""
        self.report.unexpected_passes = sorted(self.seen - self.failed - {*self.report.missing})
        return self.report


def answer(ask: Callable[[str, dict[str, Any]], Any], function: str, inputs: dict[str, Any]) -> Any:
    """Give the answer, or what the subject raised; a subject that is gone ends the run."""
    try:
        return ask(function, inputs)
    except (Unsupported, ConnectionError):
        raise
    except Exception as error:
        return error


def same(given: Any, expected: Any) -> bool:
    """Compare as JSON does not: true is not 1, and 1.0 is not 1."""
    if type(given) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(given) == len(expected) and all(map(same, given, expected))
    if isinstance(expected, dict):
        return given.keys() == expected.keys() and all(same(given[key], expected[key]) for key in expected)
    return bool(given == expected)


def run(subject: Any, name: str, *, levels: Iterable[int], examples: int, expect: Expectations | None) -> Report:
    """Run the vectors of the levels, then their laws."""
    levels = sorted({check_integer(level, "each of levels", low=0, high=len(LEVELS) - 1) for level in levels})
    check_integer(examples, "examples", low=0)
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
