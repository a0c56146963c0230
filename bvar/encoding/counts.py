"""How often the values of a column occur: all that thresholds and categories are chosen by.

Counts of parts of a table add up to those of the whole, in any order, so that an encoder can be fitted to a table
that no machine holds. Numbers are counted in some rows alone if there are too many; which ones depends on the
number of rows and on nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bvar._validation import check_integer
from bvar.encoding.columns import Columns, to_numbers
from bvar.encoding.distinct import distinct

__all__ = [
    "Category",
    "ColumnCounts",
    "TableCounts",
    "ValueCounts",
    "check_subsample",
    "column_numbers",
    "sample_rows",
    "vary",
]

Category = str | int | float  # bool is an int

_FEW = 1024  # rows that mostly hold two distinct numbers, if any do


class ValueCounts(NamedTuple):
    """The distinct numbers of a column, rising float64 without NaN, and how often each occurs, int64."""

    values: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, name: str) -> ValueCounts:
        """Count what is not missing."""
        values, counts = distinct(numbers)
        return cls(to_numbers(values, name), counts)

    @classmethod
    def none(cls) -> ValueCounts:
        """Count nothing."""
        return cls(np.zeros(0), np.zeros(0, np.int64))

    def vary(self) -> bool:
        """Tell whether there are two distinct numbers."""
        return len(self.values) > 1

    def merge(self, other: ValueCounts) -> ValueCounts:
        """Return the counts of both parts together."""
        values, places = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return ValueCounts(values, counts)


@dataclass(frozen=True)
class ColumnCounts:
    """What a part of a table says of one column: its kind, and its values with their counts.

    A column of objects that are all missing is of the kind 'missing', and agrees with every other.
    """

    kind: str
    numbers: ValueCounts
    categories: Counter[Category]

    def vary(self) -> bool:
        """Tell whether there are two distinct values."""
        return self.numbers.vary() or len(self.categories) > 1

    def merge(self, other: ColumnCounts, name: str) -> ColumnCounts:
        """Return the counts of both parts together; Booleans among numbers are numbers."""
        kinds = {self.kind, other.kind} - {"missing"}
        if len(kinds) > 1 and "category" in kinds:
            raise TypeError(
                f"column {name!r} must hold categories in all parts or numbers in all, got both; "
                "name it in `categorical`, or turn its values into numbers"
            )
        kind = "number" if len(kinds) > 1 else next(iter(kinds), "missing")
        return ColumnCounts(kind, self.numbers.merge(other.numbers), self.categories + other.categories)


@dataclass(frozen=True)
class TableCounts:
    """What a part of a table says of all its columns; parts of one table add up.

    :meth:`bvar.encoding.TableEncoder.count` makes them, `fit_counts` takes them.

    Parameters
    ----------
    names : list of str
        Names of the columns, which messages use.
    named : bool
        Whether the table had them, or they were made up.
    columns : list of ColumnCounts
        Counts of each column.
    """

    names: list[str]
    named: bool
    columns: list[ColumnCounts]

    def __add__(self, other: TableCounts) -> TableCounts:
        """Return the counts of both parts together.

        Parameters
        ----------
        other : TableCounts
            Counts of other rows.

        Returns
        -------
        TableCounts
            The sum, the same in any order.

        Raises
        ------
        TypeError
            If a column holds categories in one part and numbers in the other.
        ValueError
            If the columns of the parts differ.
        """
        if not isinstance(other, TableCounts):
            return NotImplemented
        if (self.names, self.named) != (other.names, other.named):
            raise ValueError(f"parts of a table must have the same columns, got {self.names} and {other.names}")
        pairs = zip(self.columns, other.columns, self.names, strict=True)
        return TableCounts(self.names, self.named, [one.merge(two, name) for one, two, name in pairs])


def sample_rows(n_rows: int, most: int | None) -> np.ndarray | None:
    """Choose rows of a table by their numbers alone.

    Parameters
    ----------
    n_rows : int
        Rows of the table, numbered from 0.
    most : int or None
        How many to choose if there are more, no fewer than one of 2^32; None chooses all.

    Returns
    -------
    ndarray of int64, shape (most,), or None
        Rising row numbers; None stands for all of them.

    Raises
    ------
    TypeError, ValueError
        If `n_rows` is no integer that is at least 0, or `most` none that is at least 1.

    Notes
    -----
    Rows are cut into `most` runs, as equal as can be: run i goes from ``i * n_rows // most`` to the next. Of each
    run one row is chosen, that of number ``word * length // 2**32``, where `word` is the upper half of the
    output of SplitMix64 in state i. So the rows are spread over the table, and no period of it hides from them.

    Examples
    --------
    >>> from bvar.encoding import sample_rows
    >>> sample_rows(1000, 8).tolist()
    [110, 195, 323, 389, 553, 673, 842, 923]
    """
    n_rows = check_integer(n_rows, "n_rows", low=0)
    most = n_rows if most is None else check_integer(most, "most", low=1)
    if n_rows <= most:
        return None
    runs = np.arange(most + 1)
    short, longer = divmod(n_rows, most)
    starts = runs * short + runs * longer // most  # runs * n_rows // most, without overflow
    words = _mixed(runs[:-1].astype(np.uint64)) >> np.uint64(32)
    return starts[:-1] + (words * np.diff(starts).astype(np.uint64) >> np.uint64(32)).astype(np.int64)


def _mixed(states: np.ndarray) -> np.ndarray:
    """Return the output of SplitMix64 (Steele, Lea and Flood, 2014) for each state."""
    z = states + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def column_numbers(columns: Columns, column: int, rows: np.ndarray | None) -> np.ndarray:
    """Return numbers of one column, in some of its rows or in all; float64 unless their own type is shorter."""
    numbers = columns.values(column)
    if rows is not None:
        numbers = numbers[rows]
    if numbers.dtype.kind not in "biuf" or numbers.dtype.itemsize >= 8:
        return to_numbers(numbers, columns.names[column])
    return numbers


def vary(numbers: np.ndarray) -> bool:
    """Tell whether there are two distinct numbers, apart from NaN; mostly the first few rows say so."""
    return _vary(numbers[:_FEW]) or _vary(numbers)


def _vary(numbers: np.ndarray) -> bool:
    known = numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers
    return len(known) > 0 and bool((known != known[0]).any())


def check_subsample(subsample: int | None) -> int | None:
    """Check the number of rows that thresholds are learnt from."""
    return None if subsample is None else check_integer(subsample, "subsample", low=2)
