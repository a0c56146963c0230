"""How objects of this package write themselves: as the call that would make one like them.

What was left at its default is left out, and so is what is large or drawn at random: weights, wires, where they
came from.  Three dots stand for what would have to be given and cannot be told.  Parts that are made in the same
way are written in full, one below the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from reprlib import recursive_repr
from textwrap import indent
from typing import Any

__all__ = ["Described", "call"]

_LINE = 100
_PLAIN = (bool, int, float, str)
_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Described:
    """Whose ``repr`` is the call that makes one like it, as far as its attributes tell what it was made with."""

    @recursive_repr()
    def __repr__(self) -> str:
        """Write the arguments that are no defaults."""
        return call(type(self).__name__, _arguments(self))


def call(name: str, arguments: Iterable[str]) -> str:
    """Write a call, in one line where that is short.

    Parameters
    ----------
    name : str
        What is called.
    arguments : iterable of str
        Each as it is written; one of several lines puts all on lines of their own.

    Returns
    -------
    str
        The call.

    Examples
    --------
    >>> from bvar._describe import call
    >>> call("Threshold", ["n_units=3", "fan_in=4"])
    'Threshold(n_units=3, fan_in=4)'
    """
    arguments = list(arguments)
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= _LINE and "\n" not in line:
        return line
    below = indent(",\n".join(arguments), "    ")
    return f"{name}(\n{below},\n)"


def _arguments(made: object) -> list[str]:
    """Write arguments by their names, behind three dots if one that has to be given cannot be told."""
    told, is_whole = [], True
    for name, parameter in inspect.signature(type(made)).parameters.items():
        value, default = _kept(made, name, parameter.default), parameter.default
        text = "" if value is parameter.empty or _is_default(value, default) else _written(value)
        if text:
            told.append(f"{name}={text}")
        elif default is parameter.empty and parameter.kind not in _ANY:
            is_whole = False
    return told if is_whole else ["...", *told]


def _kept(made: object, name: str, default: Any) -> Any:
    """Find what an argument was: in the attribute of its name, or in that of a window."""
    value = getattr(made, name, getattr(getattr(made, "window", None), name, default))
    if isinstance(default, bool):
        return value is not None and value is not False  # a part that is there or not, such as a bias
    if isinstance(default, str):
        return getattr(value, "name", value)  # what may be given by its name, such as a gate
    return str(value) if isinstance(value, PurePath) else value


def _is_default(value: Any, default: Any) -> bool:
    if value is default or (isinstance(value, _PLAIN) and value == default):
        return True
    return isinstance(value, tuple) and isinstance(default, int) and value == (default, default)


def _written(value: Any) -> str:
    """Write a value in full, or not at all if that is large, or no expression, or says where it lies in memory."""
    if isinstance(value, list | tuple):
        parts = [_written(part) for part in value]
        return _sequence(parts, *("[]" if isinstance(value, list) else "()")) if all(parts) else ""
    if isinstance(value, Mapping) or hasattr(value, "shape"):
        return ""
    text = getattr(value, "__name__", "") or repr(value)
    return "" if text.startswith("<") or " at 0x" in text else text


def _sequence(parts: list[str], opening: str, closing: str) -> str:
    inside = call("", parts)[1:-1]
    one = opening == "(" and len(parts) == 1 and "\n" not in inside
    return f"{opening}{inside}{',' if one else ''}{closing}"
