"""What one cell of a CSV file is, decided by its spelling alone, and columns of cells as arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isinf, isnan
from typing import Literal

import numpy as np

__all__ = [
    "BOOLEANS",
    "NUMBERS",
    "CellType",
    "category_number",
    "cell_type",
    "is_missing",
    "to_matrix",
    "to_numbers",
    "to_objects",
]

CellType = Literal["empty", "missing", "number", "infinite", "code", "commas", "date", "text"]

NUMBERS = "finite numbers, written like 1500 or 3.5"  # what is accepted, for messages
BOOLEANS = {"true": "1", "false": "0"}
_MISSING = {"na", "n/a", "nan", "null", "none", "?"}  # in a column of numbers; in text only the empty cell is
_COMMAS = re.compile(r"[+-]?\d[\d.]*(,\d+)+(\.\d+)?")  # 1,500 is 1500 here and 1.5 there
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)"
    rf"|\d{{1,2}}\.?[ -]{_MONTH}[ -]\d{{2,4}}"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}}"
)
_CLOCK = r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]\.?m\.?)?( ?(z|utc|[+-]\d\d:?\d\d))?"
_DATE = re.compile(rf"({_DAY})([ t]{_CLOCK})?|{_CLOCK}")


def cell_type(cell: str) -> CellType:
    """Tell what a cell is; only its column knows what that means.

    Parameters
    ----------
    cell : str
        Without white space around it.

    Returns
    -------
    CellType
        A 'code' is digits behind a zero, as 00501 in an address; 'commas' is a number that may be several.

    Examples
    --------
    >>> from bvar.cli.cells import cell_type
    >>> [cell_type(cell) for cell in ("41", "NA", "1e400", "00501", "3,5", "31.12.1999", "7 kg")]
    ['number', 'missing', 'infinite', 'code', 'commas', 'date', 'text']
    """
    if cell == "":
        return "empty"
    if cell[0] == "0" and len(cell) > 1 and cell.isdecimal():
        return "code"
    try:
        number = float(cell)
    except ValueError:
        return _type_of_words(cell.lower())
    if "_" in cell:  # Python reads 1_000, nobody else does
        return "text"
    if isnan(number):
        return "missing"
    return "infinite" if isinf(number) else "number"


def _type_of_words(cell: str) -> CellType:
    if cell in _MISSING:
        return "missing"
    if _COMMAS.fullmatch(cell):
        return "commas"
    return "date" if _DATE.fullmatch(cell) else "text"


def is_missing(cell: str) -> bool:
    """Tell whether a column of numbers takes a cell for a missing one."""
    return cell_type(cell) in ("empty", "missing")


def to_numbers(cells: Iterable[str]) -> np.ndarray:
    """Return cells that are numbers, codes or missing as float64, missing ones as NaN."""
    return np.array(list(map(_number, cells)), np.float64)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def category_number(cell: str) -> float | int:
    """Read a category that is written as a number; whole ones beyond what float64 tells apart stay whole."""
    number = float(cell)
    return int(cell) if abs(number) >= 2**53 and re.fullmatch(r"[+-]?\d+", cell) else number


def to_objects(values: Iterable[object]) -> np.ndarray:
    """Return categories as objects; an empty one is missing."""
    kept = [None if value == "" else value for value in values]
    return np.array([*kept, None], object)[:-1]  # the last None: never a 2-D array


def to_matrix(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Put columns side by side: float64 if all are numbers, else objects."""
    if all(column.dtype == np.float64 for column in columns):
        return np.column_stack(columns)
    matrix = np.empty((len(columns[0]), len(columns)), object)
    for j, column in enumerate(columns):
        matrix[:, j] = column
    return matrix
