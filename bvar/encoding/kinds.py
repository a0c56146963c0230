"""What a column of a table holds: numbers, Booleans or categories."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from bvar._validation import check_choice
from bvar.encoding.columns import Columns, is_missing

__all__ = ["check_selection", "kind_of"]


def kind_of(columns: Columns, column: int) -> str:
    """Tell a column of numbers, of Booleans and of categories apart, and one of objects that are all missing."""
    if columns.is_categorical(column):
        return "category"
    values = columns.values(column, slice(1))
    if values.dtype.kind == "O":
        return _kind_of_objects(columns.values(column))
    return {"b": "bool", "U": "category", "T": "category"}.get(values.dtype.kind, "number")


def _kind_of_objects(values: np.ndarray) -> str:
    objects = values.tolist()
    types = set(map(type, objects))
    if len(types) > 1 or not types <= {str, int, bool}:  # then some may be missing
        types = {type(value) for value in objects if not is_missing(value)}
    if types and all(issubclass(t, bool | np.bool_) for t in types):
        return "bool"
    if not types:
        return "missing"
    return "number" if _are_numbers(types) else "category"


def _are_numbers(types: set[type]) -> bool:
    return all(issubclass(t, Real | Decimal | np.bool_) for t in types)


def check_selection(selection: Any, names: list[str]) -> set[int]:
    """Return the indices of the columns that a list of names, of indices or a mask selects."""
    if isinstance(selection, str):
        check_choice(selection, "categorical", ("auto",))
        return set()
    text = f"categorical must be 'auto', or a list of names or indices or a mask of the {len(names)} columns"
    if np.ndim(selection) != 1:
        raise TypeError(f"{text}, got {selection!r}")
    given = list(selection)
    if given and all(isinstance(one, bool | np.bool_) for one in given):
        if len(given) != len(names):
            raise ValueError(f"{text}, got a mask of {len(given)}")
        return set(np.flatnonzero(given).tolist())
    chosen = set()
    for one in given:
        if isinstance(one, str) and one in names:
            chosen.add(names.index(one))
        elif isinstance(one, Integral) and -len(names) <= int(one) < len(names):
            chosen.add(int(one) % len(names))
        else:
            raise ValueError(f"{text}, got {one!r}; the columns are {', '.join(names[:10])}")
    return chosen
