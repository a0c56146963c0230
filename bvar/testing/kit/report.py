"""What a run of the conformance kit found, and what a port expects of itself."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bvar.testing.kit.laws import LAWS
from bvar.testing.subjects.protocol import FUNCTIONS, LEVELS

__all__ = ["Expectations", "Finding", "Report"]


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

    @property
    def function(self) -> str | None:
        """The function whose vector it is; None for a law."""
        name = self.name.rpartition("-")[0]
        return name if name in FUNCTIONS else None

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


_VECTORS_TOLD = 3
"""Of each function; laws, which are few and come shrunk, are all told."""


def _told(failures: list[Finding]) -> list[str]:
    """Tell the first vectors of each function and how many more fail, then all laws."""
    lines, by_function = [], Counter(finding.function for finding in failures)
    told: Counter = Counter()
    for finding in failures:
        told[finding.function] += 1
        if finding.function is None or told[finding.function] <= _VECTORS_TOLD:
            lines.append(str(finding))
        elif told[finding.function] == by_function[finding.function]:
            n_more = by_function[finding.function] - _VECTORS_TOLD
            lines.append(f"level {finding.level}, {finding.function}: and {n_more} more")
    return lines


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
        lines += _told(self.failures)
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
