"""Let Hypothesis look for inputs that break a law, and shrink them; this module alone imports it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hypothesis import HealthCheck, Phase, configuration, given, settings
from hypothesis.errors import Flaky

from bvar.testing.kit.compare import answer, same
from bvar.testing.kit.laws import Ask, Law
from bvar.testing.kit.report import Finding
from bvar.testing.make.strategies import STRATEGIES

__all__ = ["leave_nothing_behind", "search"]


@contextmanager
def leave_nothing_behind() -> Iterator[None]:
    """Let Hypothesis keep its notes in a directory that goes, not in ``.hypothesis`` where the porter stands."""
    before = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory() as directory:
        configuration.set_hypothesis_home_dir(directory)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


class _BrokenError(Exception):
    """The law does not hold for these inputs."""


def search(law: Law, ask: Ask, examples: int, *, shrink: bool = True) -> Iterator[Finding | None]:
    """Give None for each comparison that held, and a finding, the smallest if it is to shrink, if one did not."""
    held, smallest = 0, None

    def careful(function: str, inputs: dict[str, Any]) -> Any:
        result = answer(ask, function, inputs)
        if isinstance(result, Exception):
            raise result
        return result

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink)[: 1 + shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(STRATEGIES[law.inputs])
    def holds(inputs: dict[str, Any]) -> None:
        nonlocal held, smallest
        try:
            for expected, found in law.sides(careful, inputs):
                if not same(found, expected):
                    smallest = Finding(law.level, law.name, inputs, expected, found)
                    raise _BrokenError
                held += 1
        except (_BrokenError, LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
            if not isinstance(error, _BrokenError):  # the subject failed, or gave what has not even the form
                smallest = Finding(law.level, law.name, inputs, "a result", error)
            raise _BrokenError from None

    with suppress(_BrokenError, Flaky):  # a subject that changes its mind has failed once, which is enough
        holds()
    yield from [None] * (held if smallest is None else 0)
    if smallest is not None:
        yield smallest
