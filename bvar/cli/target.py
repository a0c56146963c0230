"""What the target column of a CSV file is taken for: classes to tell apart, or a number to predict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from bvar.cli.cells import NUMBERS, CellType, to_numbers
from bvar.cli.columns import Column, word_for_nothing
from bvar.cli.command import CommandError, quoted, shown

__all__ = ["MOST_CLASSES", "Target", "learn_target"]

MOST_CLASSES = 20  # different integers in a target that still look like classes
_LISTED = 10  # classes that a line names
_EXACT = 2.0**53  # above, different integers are one float
_LARGEST = 1e150  # whose square is a float too

Task = Literal["classify", "regress"]


class Target(NamedTuple):
    """What is to be learnt."""

    y: np.ndarray
    task: Task
    says: str


def learn_target(column: Column, task: str = "auto") -> Target:
    """Decide what the target is, and read it.

    Parameters
    ----------
    column : Column
        The column of the target.
    task : {'classify', 'regress', 'auto'}, default='auto'
        What the user wants to do with it.

    Returns
    -------
    Target
        Classes as integers if they are written as such, else as text; or numbers as float64.

    Raises
    ------
    CommandError
        If a cell is missing or does not fit.
    """
    _check_missing(column)
    if task == "auto":
        task = _guess(column)
    return _classes(column) if task == "classify" else _numbers(column)


def _numbers(column: Column) -> Target:
    if odd := column.odd_types("number", "code"):
        raise _mistake(column, odd, f"must hold {NUMBERS}, to regress on")
    y = to_numbers(column.cells)
    if y.min() == y.max():
        raise CommandError(
            f"{column.path}: the target {quoted(column.name)} must hold at least two different numbers, got "
            f"{quoted(column.cells[0])} in all rows"
        )
    if np.abs(y).max() > _LARGEST:
        row = np.abs(y).argmax()
        raise CommandError(
            f"{column.path}, line {column.lines[row]}: the target {quoted(column.name)} must be within "
            f"{_LARGEST:g} of 0, got {quoted(column.cells[row])}"
        )
    return Target(y, "regress", f"{len(y)} numbers from {y.min():g} to {y.max():g}")


def _check_missing(column: Column) -> None:
    """Refuse empty cells and NaN, and among numbers also NA and the like; among words they may be classes."""
    words = bool(column.odd_types("number"))
    for line, cell, found in zip(column.lines, column.cells, column.types, strict=True):
        if found not in ("empty", "missing") or (words and cell and cell.lower() != "nan"):
            continue
        what = quoted(cell) if cell else "empty"
        raise CommandError(
            f"{column.path}, line {line}: the target {quoted(column.name)} is {what}: every row must have one; "
            "delete those that have none"
        )


def _guess(column: Column) -> Task:
    """Tell classes from numbers, and refuse what may be either."""
    if column.has_codes():
        return "classify"
    if column.is_mostly("date"):
        raise _mistake(column, {"date"}, "must hold classes or numbers, no dates (turn them into days, say)")
    if column.is_mostly("number", "commas", "infinite"):
        if odd := column.odd_types("number"):
            raise _mistake(column, odd, f"must hold {NUMBERS}, as most rows do")
        numbers = np.unique(to_numbers(column.cells))
        return "classify" if len(numbers) <= MOST_CLASSES and (numbers == np.floor(numbers)).all() else "regress"
    if column.hardly_repeats():
        raise _mistake(column, column.odd_types(), "must hold classes that repeat, no text of its own in each row")
    return "classify"


def _mistake(column: Column, types: Iterable[CellType], must: str) -> CommandError:
    line, cell = column.first(types)
    return CommandError(
        f"{column.path}, line {line}: the target {quoted(column.name)} {must}, got {quoted(cell)}; "
        "--task classify takes cells for classes"
    )


def _classes(column: Column) -> Target:
    y = _labels(column)
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise CommandError(
            f"{column.path}: the target {quoted(column.name)} must have at least two classes, got one, "
            f"{quoted(str(classes[0]))}, in all rows"
        )
    names = [shown(str(name)) for name in classes[:_LISTED]]
    listed = ", ".join(f"{name} {count}" for name, count in zip(names, counts.tolist(), strict=False))
    more = f" and {len(classes) - _LISTED} more" if len(classes) > _LISTED else ""
    return Target(y, "classify", f"{len(classes)} classes: {listed}{more}{word_for_nothing(column)}")


def _labels(column: Column) -> np.ndarray:
    """Return classes as they are written; numbers that are written in several ways are one class all the same."""
    cells = np.array(column.cells)
    if not column.is_made_of("number"):
        return cells
    numbers = to_numbers(column.cells)
    if len(np.unique(cells)) > len(np.unique(numbers)) and np.abs(numbers).max() < _EXACT:
        cells = np.array([_plain(number) for number in numbers.tolist()])
    integers = [_integer(cell) for cell in cells.tolist()]
    return cells if None in integers else np.array(integers, np.int64)


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _integer(cell: str) -> int | None:
    """Return an integer that would be written as the cell is, or None."""
    digits = cell.removeprefix("-")
    plain = digits.isascii() and digits.isdecimal() and len(digits) < 19 and str(int(cell)) == cell
    return int(cell) if plain else None
