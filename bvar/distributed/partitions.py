"""Pieces of tables, as people have them: which rows of which piece, and how rows are taken and pieces stacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from bvar.encoding.columns import is_frame
from bvar.training.data import rows_of

__all__ = ["columns_of", "locate", "n_rows_of", "stack", "take", "with_column"]

_ONE_MORE = "\0"  # no column of anybody is called so


def n_rows_of(part: Any) -> int:
    """Count the rows of a piece."""
    return int(part.shape[0]) if hasattr(part, "shape") else len(part)


def locate(lengths: np.ndarray, rows: Any) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield each piece that has some of the rows: its number, which of its rows they are, and where in `rows`."""
    ends = np.cumsum(lengths)
    pieces = np.searchsorted(ends, rows, side="right")
    for piece in np.unique(pieces).tolist():
        at = np.flatnonzero(pieces == piece)
        yield piece, rows[at] - (ends[piece] - lengths[piece]), at


def take(part: Any, rows: np.ndarray) -> Any:
    """Select rows of a piece, by their numbers in it."""
    return rows_of(part, rows)


def columns_of(part: Any, rows: np.ndarray | None, first: int, last: int) -> Any:
    """Select some columns of some rows, or of all."""
    columns = slice(first, last)
    part = part if rows is None else take(part, rows)
    if hasattr(part, "iloc"):
        return part.iloc[:, columns]
    return part[:, columns]


def with_column(table: Any, column: np.ndarray) -> Any:
    """Put one more column of numbers behind those of a table."""
    if hasattr(table, "iloc"):
        import pandas as pd

        name = _ONE_MORE if isinstance(table.columns[0], str) else -1  # scikit-learn wants names of one kind
        return pd.concat([table, pd.Series(column, table.index, name=name)], axis=1)
    if is_frame(table):
        import polars as pl

        return table.with_columns(pl.Series(_ONE_MORE, column))
    if scipy.sparse.issparse(table):
        return scipy.sparse.hstack([table, column[:, None].astype(table.dtype)], format="csr")
    return np.column_stack([table, column.astype(table.dtype)])


def stack(parts: Sequence[Any]) -> Any:
    """Put pieces below each other."""
    first = parts[0]
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(parts)
    if is_frame(first):
        import polars as pl

        return pl.concat(parts)
    if scipy.sparse.issparse(first):
        return scipy.sparse.vstack(parts, format="csr")
    return np.concatenate(parts)
