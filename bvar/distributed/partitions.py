"""Pieces of tables, as people have them: which rows of which piece, and how rows are taken and pieces stacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from bvar.encoding.columns import is_frame
from bvar.training.data import rows_of

__all__ = ["columns_of", "first_row", "locate", "n_rows_of", "stack", "take"]


def n_rows_of(part: Any) -> int:
    """Count the rows of a piece."""
    return int(part.shape[0]) if hasattr(part, "shape") else len(part)


def locate(lengths: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield each piece that has some of the rows: its number, which of its rows they are, and where in `rows`."""
    ends = np.cumsum(lengths)
    pieces = np.searchsorted(ends, rows, side="right")
    for piece in np.unique(pieces).tolist():
        at = np.flatnonzero(pieces == piece)
        yield piece, rows[at] - (ends[piece] - lengths[piece]), at


def take(part: Any, rows: np.ndarray) -> Any:
    """Select rows of a piece, by their numbers in it."""
    return rows_of(part, rows)


def first_row(part: Any) -> Any:
    """Return a piece of one row, which shows what a table looks like."""
    return take(part, np.zeros(1, np.intp))


def columns_of(part: Any, rows: np.ndarray | None, first: int, last: int) -> Any:
    """Select some columns of some rows, or of all."""
    columns = slice(first, last)
    part = part if rows is None else take(part, rows)
    if hasattr(part, "iloc"):
        return part.iloc[:, columns]
    return part[:, columns]


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
