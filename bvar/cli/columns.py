"""What a column of a CSV file is taken for, decided from all its cells and never silently.

The rules, the first that holds: a column without a value, or without a name, is left out; digits of which some
begin with a zero are text; dates are left out; numbers are numbers, and refused if other cells are among them;
text that hardly ever repeats is left out; other text is categories.  Options go before the rules.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from bvar.cli.cells import NUMBERS, CellType, category_number, cell_type, is_missing, to_numbers, to_objects
from bvar.cli.command import CommandError, counted, quoted
from bvar.cli.csv import CsvFile

__all__ = ["Column", "ColumnReport", "read_columns", "report", "values", "word_for_nothing"]

_NAMELESS = re.compile(r"(Unnamed: \d+)?")  # the second is what pandas makes of the first


class Column:
    """The cells of one column, the lines they stand in, and what each of them is.

    Parameters
    ----------
    path : Path
        The file, for messages.
    name : str
        What the first line calls the column.
    place : int
        The number of columns before it.
    lines : sequence of int
        The line of each cell.
    cells : sequence of str
        The cells.
    """

    def __init__(self, path: Path, name: str, place: int, lines: Sequence[int], cells: Sequence[str]) -> None:
        self.path, self.name, self.place = path, name, place
        self.lines, self.cells = lines, cells
        self.types = list(map(cell_type, cells))
        self._counts = Counter(self.types)
        self.n_known = len(cells) - self.count("empty", "missing")

    @property
    def label(self) -> str:
        """What to call the column in a report."""
        return self.name or f"(column {self.place + 1})"

    def count(self, *types: CellType) -> int:
        """Count the cells of some types."""
        return sum(self._counts[one] for one in types)

    def first(self, types: Iterable[CellType]) -> tuple[int, str]:
        """Return line and text of the first cell of some types."""
        wanted = set(types)
        return next(
            (line, cell)
            for line, cell, found in zip(self.lines, self.cells, self.types, strict=True)
            if found in wanted
        )

    def odd_types(self, *types: CellType) -> set[CellType]:
        """Return the other types that are there, apart from what is missing."""
        return set(self._counts) - {*types, "empty", "missing"}

    def is_made_of(self, *types: CellType) -> bool:
        """Tell whether all cells that are not missing are of some types."""
        return not self.odd_types(*types)

    def is_mostly(self, *types: CellType) -> bool:
        """Tell whether half of the cells that are not missing are of some types."""
        return self.n_known > 0 and 2 * self.count(*types) >= self.n_known

    def has_codes(self) -> bool:
        """Tell whether all cells are digits, and some begin with a zero: as text they differ, as numbers not."""
        if not self.count("code") or not self.is_made_of("number", "code"):
            return False
        return all(c.isdecimal() for c, found in zip(self.cells, self.types, strict=True) if found == "number")

    def hardly_repeats(self) -> bool:
        """Tell whether most texts stand in one cell only: nothing can be learnt from them."""
        repeats = Counter(filter(None, self.cells))
        return 2 * sum(n == 1 for n in repeats.values()) > repeats.total()


class ColumnReport(NamedTuple):
    """What a column is taken for, and why."""

    column: Column
    taken_for: Literal["number", "category", "left out"]
    why: str


def read_columns(file: CsvFile) -> list[Column]:
    """Read the rows of an open file.

    Parameters
    ----------
    file : CsvFile
        The file.

    Returns
    -------
    list of Column
        All its columns.

    Raises
    ------
    CommandError
        If the file has no rows, or is no CSV file.
    """
    rows = list(file.rows())
    if not rows:
        raise CommandError(f"{file.path}: no rows below the column names")
    lines = [line for line, _ in rows]
    columns = zip(*(cells for _, cells in rows), strict=True)
    return [
        Column(file.path, name, place, lines, cells)
        for place, (name, cells) in enumerate(zip(file.names, columns, strict=True))
    ]


def report(column: Column, option: str | None = None) -> ColumnReport:
    """Decide what a column is taken for.

    Parameters
    ----------
    column : Column
        The column.
    option : {'--numeric', '--categorical', '--ignore', '--id'}, optional
        Where the user named it, if anywhere.

    Returns
    -------
    ColumnReport
        The decision.

    Raises
    ------
    CommandError
        If a cell does not fit.
    """
    if option == "--ignore":
        return ColumnReport(column, "left out", "as --ignore says")
    if option == "--id":
        return _names_of_rows(column)
    if column.n_known == 0:
        return ColumnReport(column, "left out", "no cell has a value")
    if option == "--numeric":
        return _numbers(column, "number", "code")
    if option == "--categorical":
        return _categories(column)
    if _NAMELESS.fullmatch(column.name):
        return ColumnReport(column, "left out", "it has no name, as an index that was saved with the table")
    if not column.has_codes():
        if column.is_mostly("date"):
            return ColumnReport(column, "left out", f"dates, {_example(column, ['date'])}{_unless(column)}")
        if column.is_mostly("number", "commas", "infinite"):
            return _numbers(column, "number")
    if column.hardly_repeats():
        text = f"text that hardly repeats, {_example(column, column.odd_types())}{_unless(column)}"
        return ColumnReport(column, "left out", text)
    return _categories(column)


def values(decided: ColumnReport) -> np.ndarray:
    """Return what a model gets to see of a column.

    Parameters
    ----------
    decided : ColumnReport
        The decision.

    Returns
    -------
    ndarray of shape (n_rows,)
        Numbers as float64, missing ones NaN; categories as objects, numbers if all are written so, missing ones
        None.
    """
    column = decided.column
    if decided.taken_for == "number":
        return to_numbers(column.cells)
    if column.is_made_of("number"):
        return to_objects("" if is_missing(cell) else category_number(cell) for cell in column.cells)
    return to_objects(column.cells)


# ------------------------------------------------------------------------------------------- the decisions


def _numbers(column: Column, *accepted: CellType) -> ColumnReport:
    """Take a column for numbers; what is neither accepted nor missing is refused."""
    if odd := column.odd_types(*accepted):
        line, cell = column.first(odd)
        raise CommandError(
            f"{column.path}, line {line}: column {quoted(column.name)} must hold {NUMBERS}, or empty cells, "
            f"got {quoted(cell)}; or give --categorical or --ignore {_told(column)}"
        )
    found = to_numbers(column.cells)
    found = found[~np.isnan(found)]
    text = f"{counted(len(found), 'number')} from {found.min():g} to {found.max():g}{_missing(column)}"
    if len(found) == len(column.cells) > 2 and (found == found[0] + np.arange(len(found))).all():
        text += f"; they count the rows: --ignore {_told(column)} if that is all"
    return ColumnReport(column, "number", text)


def _categories(column: Column) -> ColumnReport:
    if column.is_made_of("number"):
        n = len({category_number(cell) for cell in column.cells if not is_missing(cell)})
        text = f"{counted(n, 'category', 'categories')} written as numbers{_missing(column)}"
        return ColumnReport(column, "category", text)
    n = len(set(filter(None, column.cells)))
    text = f"{counted(n, 'category', 'categories')}{_missing(column, 'empty')}"
    if column.has_codes():
        text += f"; text since some begin with a zero, {_example(column, ['code'])}"
    elif odd := column.odd_types("text"):
        n = column.count(*odd)
        text += f"; {counted(n, 'cell')} like a number or date, {_example(column, odd)}"
    return ColumnReport(column, "category", text + word_for_nothing(column))


def _names_of_rows(column: Column) -> ColumnReport:
    seen: dict[str, int] = {}
    for line, cell in zip(column.lines, column.cells, strict=True):
        if cell in seen:
            raise CommandError(
                f"{column.path}, line {line}: --id column {quoted(column.name)} must differ from row to row, got "
                f"{quoted(cell)} as in line {seen[cell]}; --ignore {_told(column)} takes it as it is"
            )
        seen[cell] = line
    return ColumnReport(column, "left out", "it names the rows, as --id says")


def word_for_nothing(column: Column) -> str:
    """Return how a report goes on if NA or the like is one of the words of a column.

    Parameters
    ----------
    column : Column
        A column of text, where only an empty cell is missing.

    Returns
    -------
    str
        Which, and where; empty if there is none.
    """
    if not column.count("missing"):
        return ""
    return f"; a word for nothing is one of them, {_example(column, ['missing'])}"


def _missing(column: Column, *types: CellType) -> str:
    types = types or ("empty", "missing")
    n = column.count(*types)
    if not n:
        return ""
    line, cell = column.first(types)
    return f", {n} missing, the first {f'is {quoted(cell)} ' if cell else ''}in line {line}"


def _example(column: Column, types: Iterable[CellType]) -> str:
    line, cell = column.first(types)
    return f"the first {quoted(cell)} in line {line}"


def _told(column: Column) -> str:
    """Return the name as a shell takes it."""
    return shlex.quote(column.name)


def _unless(column: Column) -> str:
    return f"; --categorical {_told(column)} keeps it"
