"""Read a table column by column, or a block of rows at a time, whatever it is made of.

Arrays, sparse matrices, pandas and polars frames look alike from here on, and none of them is ever converted as
a whole: a matrix of Booleans eight times the memory would be a surprise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse

__all__ = ["Columns", "is_frame", "is_missing", "read_columns", "to_numbers"]


class Columns:
    """The columns of a 2-D array of any dtype.

    `names` gives their names, which are made when a message needs one.
    """

    def __init__(self, table: Any, names: Callable[[], Sequence[str]]) -> None:
        self.table = table
        self._make_names = names
        self.n_rows, self.n_columns = table.shape

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._make_names())

    def values(self, column: int, rows: slice = slice(None)) -> np.ndarray:
        """Return values of one column as a 1-D array of its own dtype."""
        return self.table[rows, column]

    def is_categorical(self, column: int) -> bool:
        """Tell whether the table declares that a column holds categories, which may be numbers."""
        return False

    def numbers(self, columns: np.ndarray, rows: slice) -> np.ndarray:
        """Return a block as float64, one line per column; missing is NaN, infinity is refused."""
        if self.table.dtype.kind not in "biuf":
            return self._numbers_by_column(columns, rows)
        block = self.table[rows]
        if len(columns) < self.n_columns:
            block = block[:, columns]
        return self._finite(_as_float64(block.T), columns)

    @property
    def plain_dtype(self) -> np.dtype | None:
        """The dtype of an array of numbers; None of any other table."""
        is_plain = isinstance(self.table, np.ndarray) and self.table.dtype.kind in "biuf"
        return self.table.dtype if is_plain else None

    def plain_rows(self, rows: slice) -> np.ndarray:
        """Return a block of an array of numbers as float64, rows as they lie; infinity is refused."""
        block = _as_float64(self.table[rows])
        if np.isinf(block).any():
            self._finite(block.T, np.arange(self.n_columns))
        return block

    def _numbers_by_column(self, columns: np.ndarray, rows: slice) -> np.ndarray:
        parts = [self.values(j, rows) for j in columns]
        block = np.empty((len(parts), len(parts[0])))
        with np.errstate(over="ignore"):
            for line, values, j in zip(block, parts, columns, strict=True):
                line[:] = values if values.dtype.kind in "biuf" else to_numbers(values, self.names[j])
        return self._finite(block, columns)

    def _finite(self, block: np.ndarray, columns: np.ndarray) -> np.ndarray:
        infinite = np.isinf(block)
        if infinite.any():
            _refuse_infinity(self.names[columns[infinite.any(axis=1).argmax()]])
        return block


class _Sparse(Columns):
    """CSR and CSC; what is not stored is 0."""

    def __init__(self, table: Any, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(table, names)
        self._by_row: Any = None
        self._by_column: Any = None

    def values(self, column: int, rows: slice = slice(None)) -> np.ndarray:
        if rows == slice(None):
            if self._by_column is None:
                self._by_column = self.table.tocsc()
            return self._by_column[:, [column]].toarray()[:, 0]
        return self._rows(rows)[:, [column]].toarray()[:, 0]

    def numbers(self, columns: np.ndarray, rows: slice) -> np.ndarray:
        block = self._rows(rows).toarray()
        return self._finite(np.array(block[:, columns].T, np.float64, order="C"), columns)

    def _rows(self, rows: slice) -> Any:
        if self._by_row is None:
            self._by_row = self.table.tocsr()
        return self._by_row[rows]


class _Frame(Columns):
    """A frame, whose columns keep their dtypes; those that are arrays inside are looked up once."""

    def __init__(self, table: Any, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(table, names)
        self._views = [self._view(j) for j in range(self.n_columns)]

    def values(self, column: int, rows: slice = slice(None)) -> np.ndarray:
        view = self._views[column]
        return self._copy(column, rows) if view is None else view[rows]

    def numbers(self, columns: np.ndarray, rows: slice) -> np.ndarray:
        return self._numbers_by_column(columns, rows)

    def _view(self, column: int) -> np.ndarray | None:
        """Return a column as an array if that takes no copy."""
        raise NotImplementedError

    def _copy(self, column: int, rows: slice) -> np.ndarray:
        """Return a part of a column as an array."""
        raise NotImplementedError


class _Pandas(_Frame):
    def is_categorical(self, column: int) -> bool:
        return str(self.table.dtypes.iloc[column]) == "category"

    def _view(self, column: int) -> np.ndarray | None:
        series = self.table.iloc[:, column]
        return series.to_numpy() if isinstance(series.dtype, np.dtype) else None

    def _copy(self, column: int, rows: slice) -> np.ndarray:
        return self.table.iloc[rows, column].to_numpy()


class _Polars(_Frame):
    def _view(self, column: int) -> np.ndarray | None:
        try:
            return self.table.to_series(column).to_numpy(allow_copy=False)
        except RuntimeError:
            return None

    def _copy(self, column: int, rows: slice) -> np.ndarray:
        return self.table.to_series(column)[rows].to_numpy()


def is_frame(X: Any) -> bool:
    """Tell whether `X` is a pandas or polars frame."""
    return _is_pandas(X) or (hasattr(X, "get_columns") and hasattr(X, "to_series"))


def _is_pandas(X: Any) -> bool:
    return hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2


def read_columns(X: Any, names: Callable[[], Sequence[str]]) -> Columns:
    """Wrap a table that has been validated; `names` is called if the names of columns are needed."""
    if isinstance(X, np.ndarray):
        return Columns(X, names)
    if _is_pandas(X):
        return _Pandas(X, names)
    if is_frame(X):
        return _Polars(X, names)
    return (_Sparse if scipy.sparse.issparse(X) else Columns)(X, names)


def is_missing(value: Any) -> bool:
    """Tell whether a value is None, NaN, or what pandas has for it."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and value != value


def to_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """Convert one column to float64; missing becomes NaN, infinity and what is no number is refused."""
    kind = values.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r}")
    if kind not in "biufOUT":
        raise TypeError(
            f"column {name!r} has dtype {values.dtype}: turn it into numbers first (dates into days, say)"
        )
    try:
        with np.errstate(over="ignore"):
            numbers = _objects_to_numbers(values) if kind in "OT" else values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        wrong = TypeError if isinstance(error, TypeError) else ValueError
        raise wrong(f"column {name!r} must hold numbers: {error}") from None
    if np.isinf(numbers).any():
        _refuse_infinity(name)
    return numbers


def _as_float64(block: np.ndarray) -> np.ndarray:
    if block.dtype == np.float64:  # entering errstate takes longer than to look at a row
        return np.ascontiguousarray(block)
    with np.errstate(over="ignore"):  # of a longdouble, which then is refused as infinite
        return block.astype(np.float64, order="C", copy=False)


def _objects_to_numbers(values: np.ndarray) -> np.ndarray:
    try:
        return values.astype(np.float64)
    except TypeError:  # perhaps no more than pandas.NA, which does not convert
        return np.array([np.nan if is_missing(v) else v for v in values.tolist()], object).astype(np.float64)


def _refuse_infinity(name: str) -> None:
    raise ValueError(f"column {name!r} contains infinity or a value too large for float64; NaN means missing")
