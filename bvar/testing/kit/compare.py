"""One question, one answer: what a subject gives or raises, and whether that is what should have come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bvar.testing.subjects.protocol import Unsupported

__all__ = ["answer", "same"]


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
