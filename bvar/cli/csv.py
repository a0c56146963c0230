"""CSV files as columns, with errors that say where."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

__all__ = ["CommandError", "CsvFile", "is_number", "to_matrix", "to_numbers"]

_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}  # in a column of numbers; in text only the empty cell is


class CommandError(Exception):
    """A mistake of the user, in one line."""


class CsvFile:
    """A file with a line of column names, read row by row; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> CsvFile:
        """Open the file and read the names."""
        self._file = open(self.path, encoding="utf-8-sig", newline="")
        try:
            self._reader = csv.reader(self._file, strict=True)
            self.names = [name.strip() for name in next(self._lines(), [])]
            if not any(self.names):
                raise CommandError(f"{self.path}: empty file, or no column names in the first line")
            twice = [name for name, count in Counter(self.names).items() if count > 1]
            if twice:
                raise CommandError(f"{self.path}: more than one column is called {twice[0]!r}")
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def find(self, name: str) -> int:
        """Return the place of a column."""
        if name not in self.names:
            listed = ", ".join(self.names[:50]) + (", ..." if len(self.names) > 50 else "")
            raise CommandError(f"{self.path}: no column {name!r}; there are {listed}")
        return self.names.index(name)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number of the line and cells of each row; blank lines are left out."""
        for cells in self._lines():
            if len(cells) != len(self.names):
                raise CommandError(
                    f"{self.path}, line {self._reader.line_num}: {len(cells)} cells, "
                    f"but the first line names {len(self.names)} columns"
                )
            yield self._reader.line_num, [cell.strip() for cell in cells]

    def blocks(self, size: int) -> Iterator[list[tuple[int, list[str]]]]:
        """Yield the rows, up to `size` at a time."""
        rows = self.rows()
        while block := list(islice(rows, size)):
            yield block

    def _lines(self) -> Iterator[list[str]]:
        try:
            yield from filter(None, self._reader)
        except csv.Error as error:
            raise CommandError(f"{self.path}, line {self._reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{self.path}: not a text file in UTF-8") from None


def to_matrix(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Put columns side by side: float64 if all are numbers, else objects."""
    if all(column.dtype == np.float64 for column in columns):
        return np.column_stack(columns)
    matrix = np.empty((len(columns[0]), len(columns)), object)
    for j, column in enumerate(columns):
        matrix[:, j] = column
    return matrix


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, not a missing one."""
    try:
        return "_" not in cell and not np.isnan(float(cell))
    except ValueError:
        return False


def to_numbers(cells: Sequence[str], *, some: bool = True) -> np.ndarray | None:
    """Return cells as float64, missing ones as NaN; or None if one is no number or, with `some`, none is."""
    try:
        numbers = np.array([_number(cell) for cell in cells], np.float64)
    except ValueError:
        return None
    return None if some and np.isnan(numbers).all() else numbers


def _number(cell: str) -> float:
    if "_" in cell:  # Python reads 1_000, nobody else does
        raise ValueError(cell)
    try:
        return float(cell)
    except ValueError:
        if cell.lower() in _MISSING:
            return float("nan")
        raise
