"""What a fit is of, so that it goes on from a file of no other: its parameters, its samples and where it began."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from bvar._describe import Described
from bvar.bits import BitMatrix
from bvar.model_file._kinds import kind_of

__all__ = ["digest", "parts_of", "written_parameters"]

_FREE = ("callbacks", "verbose", "backend", "n_threads", "client")  # may be others when a fit goes on


def written_parameters(model: Any) -> str:
    """Return the parameters that decide which model comes out, as text that another process writes alike."""
    given = {name: value for name, value in sorted(model.get_params(deep=False).items()) if name not in _FREE}
    if not isinstance(given["random_state"], int | np.integer):
        given["random_state"] = None  # what it was when the fit began, the file knows
    unsaid = "".join(_unsaid(given))
    return _named(given) + (f" {hashlib.sha256(unsaid.encode()).hexdigest()}" if unsaid else "")


def _named(value: Any) -> str:
    """Return what a value says of itself, without the addresses, which no other process has."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _unsaid(value: Any, above: tuple[int, ...] = ()) -> Iterator[str]:
    """Tell what decides about a value and is not in its `repr`: of most nothing."""
    if _hides(value):
        yield from _whole(value, above)
    elif id(value) not in above:
        for _, part in _held(value) or ():
            yield from _unsaid(part, (*above, id(value)))


def _whole(value: Any, above: tuple[int, ...]) -> Iterator[str]:
    """Tell all that decides about a value; not again what is above it, for a function may hold on to itself."""
    held = _held(value)
    if held is None:
        yield f"{_leaf(value)};"
        return
    yield f"{type(value).__qualname__}:"
    for name, part in () if id(value) in above else held:
        yield f"{name}="
        yield from _whole(part, (*above, id(value)))


def _leaf(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return digest([value])
    return value.__name__ if isinstance(value, ModuleType) else _named(value)


def _hides(value: Any) -> bool:
    """Say whether values of one `repr` may differ."""
    if isinstance(value, BaseEstimator):
        return "..." in repr(value)
    return isinstance(value, np.ndarray | FunctionType | MethodType) or _is_plain(value)


def _is_plain(value: Any) -> bool:
    return type(value).__repr__ in (object.__repr__, Described.__repr__) and hasattr(value, "__dict__")


def _is_record(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type) and hasattr(value, "__dict__")


def _held(value: Any) -> Sequence[tuple[str, Any]] | None:
    """Return by names what a value consists of; None of one that has no parts to be looked at."""
    if isinstance(value, BaseEstimator):
        return sorted(value.get_params(deep=False).items())
    if isinstance(value, dict):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [("", part) for part in value]
    if isinstance(value, set | frozenset):
        return [("", part) for part in sorted(value, key=_named)]
    if isinstance(value, FunctionType):
        return list(_held_by_function(value))
    if isinstance(value, CodeType):
        return [("code", value.co_code.hex()), ("constants", value.co_consts), ("names", value.co_names)]
    if isinstance(value, MethodType):
        return [("function", value.__func__), ("of", value.__self__)]
    if isinstance(value, partial):
        return [("function", value.func), ("arguments", value.args), ("keywords", value.keywords)]
    if _is_plain(value) or _is_record(value):
        kind = kind_of(value)
        return sorted((vars(value) if kind is None else kind.save(value)).items())  # a file holds no caches
    return None


def _held_by_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Give the code of a function, its defaults, and what it has from where it was made; no globals."""
    yield "code", function.__code__
    yield "defaults", (function.__defaults__, function.__kwdefaults__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            yield name, None


def digest(parts: Iterable[Any]) -> str:
    """Return the SHA-256 of arrays and bits, in hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        for array in (part.words, part.known) if isinstance(part, BitMatrix) else (part,):
            values = np.asarray(array)
            total.update(f"{values.dtype.kind} {values.shape};".encode())
            text = values.dtype.kind == "O"
            total.update(repr(values.tolist()).encode() if text else np.ascontiguousarray(values).data)
    return total.hexdigest()


def parts_of(data: Any) -> list[Any]:
    """Return what a training learns from: bits, targets and sample weights; and what is changed before."""
    changing, plain = (data, data.data) if hasattr(data, "data") else (None, data)
    parts = [] if changing is None else [changing.X.toarray() if issparse(changing.X) else changing.X]
    return [*parts, plain.x, plain.y, plain.sample_weight]
