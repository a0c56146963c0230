"""An encoder that learns from partitions: exactly what it would learn from the table that they are.

Every column meets, whole and in order, on one worker, where the code of the local `fit` looks at it; nothing that
it finds out depends on how the table was cut.  What depends on other columns is no more than how many vary, which
shares out the bits, and whether any does.  Images share thresholds over their pixels, and these depend on the
extremes of channels alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from bvar.distributed.cluster import Partitions
from bvar.distributed.partitions import columns_of, locate, stack, take, with_column
from bvar.distributed.rows import AllRows
from bvar.encoding import BitEncoder, ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder, UnateEncoder
from bvar.encoding.columns import read_columns
from bvar.encoding.kinds import check_selection
from bvar.encoding.samples import check_table

__all__ = ["fit_encoder"]

_BLOCK = 2**26  # bytes of numbers that one worker looks at at a time
_BY_COLUMN = {
    TableEncoder: ("kinds_", "thresholds_", "categories_", "infrequent_categories_"),
    ThermometerEncoder: ("thresholds_",),
    OneHotBits: ("categories_", "infrequent_categories_"),
}


def fit_encoder(encoder: BitEncoder, parts: Partitions, rows: np.ndarray | AllRows, y: np.ndarray) -> BitEncoder:
    """Learn from rows of partitions.

    Parameters
    ----------
    encoder : BitEncoder
        One of :mod:`bvar.encoding`, changed in place.
    parts : Partitions
        The partitions.
    rows : ndarray of int64, or AllRows
        The rows to learn from, in order.
    y : ndarray
        Targets of these rows, which `strategy="supervised"` looks at.

    Returns
    -------
    BitEncoder
        The encoder.

    Raises
    ------
    TypeError
        If it is an encoder of another kind.
    """
    if type(encoder) is ImageEncoder:
        return encoder.fit(_extremes(parts, rows))
    if type(encoder) is UnateEncoder:
        raise TypeError(f"monotonic_cst must be None on a cluster, got {encoder.monotonic_cst!r}")
    if type(encoder) not in _BY_COLUMN:
        raise TypeError(
            "encoder must be a TableEncoder, ThermometerEncoder, OneHotBits or ImageEncoder on a cluster, whose "
            f"columns can be learnt apart, got {encoder!r}"
        )
    check_table(encoder, parts.rows(rows[:1]), reset=True)
    table = _Columns(encoder, parts, rows, y)
    asking = clone(encoder)
    if isinstance(asking, TableEncoder):
        vary = _asks(table.learn(clone(encoder).set_params(n_bits=1)))
        asking.set_params(n_bits=asking._n_bits(vary))
    learnt = table.learn(asking)
    if not any(_asks(learnt)):
        learnt = _first_alone(table.learn(asking, with_another=False))
    for name, values in learnt.items():
        setattr(encoder, name, values)
    if isinstance(encoder, TableEncoder):
        encoder.code_like_ = np.flatnonzero(learnt["code_like_"]).tolist()
    encoder._finish()
    return encoder


def _asks(learnt: dict[str, list[Any]]) -> list[bool]:
    """Mark the columns that are asked something, which are those that vary."""
    kinds = [learnt[name] for name in ("thresholds_", "categories_", "infrequent_categories_") if name in learnt]
    return [any(len(one) for one in column) for column in zip(*kinds, strict=True)]


def _first_alone(learnt: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Let only the first column that is asked something be asked, where none varies."""
    first = int(np.argmax(_asks(learnt)))

    def alone(values: list[Any]) -> list[Any]:
        return [one if j == first or isinstance(one, str | bool) else one[:0] for j, one in enumerate(values)]

    return {name: alone(values) for name, values in learnt.items()}


class _Columns:
    """A table, to be looked at some columns at a time."""

    def __init__(self, encoder: BitEncoder, parts: Partitions, rows: np.ndarray | AllRows, y: np.ndarray) -> None:
        self.parts, self.names = parts, encoder._input_names()
        n_columns = len(self.names)
        step = max(1, min(-(-n_columns // (2 * len(parts.futures))), _BLOCK // (8 * len(rows))))
        self.blocks = [(first, min(first + step, n_columns)) for first in range(0, n_columns, step)]
        self.selections: list[tuple[int, Any]] = [(i, None) for i in range(len(parts.futures))]
        self.order = None
        if not isinstance(rows, AllRows):
            self._select(rows)
        self.y = parts.submit(_same, y, name="target")

    def learn(self, encoder: BitEncoder, *, with_another: bool = True) -> dict[str, list[Any]]:
        """Let workers learn some columns each, beside another one that varies; return what they know of all."""
        futures = []
        for first, last in self.blocks:
            pieces = [
                self.parts.submit(columns_of, self.parts.futures[i], rows, first, last, name="columns")
                for i, rows in self.selections
            ]
            mine = self._of_columns(encoder, first, last)
            futures.append(
                self.parts.submit(_learn, mine, pieces, self.order, self.y, with_another, name="thresholds")
            )
        found = self.parts.cluster.gather(futures, "thresholds")
        return {name: [one for block in found for one in block[name]] for name in found[0]}

    def _select(self, rows: np.ndarray) -> None:
        """Take some rows only, first sorted, then in the order that they are in."""
        sorted_rows = np.sort(rows)
        self.selections = [
            (i, self._selection(i, local)) for i, local, _ in locate(self.parts.lengths, sorted_rows)
        ]
        if not (sorted_rows == rows).all():
            self.order = self.parts.submit(_same, np.argsort(np.argsort(rows)), name="order")

    def _selection(self, number: int, rows: np.ndarray) -> Any:
        """Let the cluster keep numbers of rows, which all blocks need; None stands for all rows of a partition."""
        whole = len(rows) == self.parts.lengths[number]
        return None if whole else self.parts.submit(_same, rows, name="selection")

    def _of_columns(self, encoder: BitEncoder, first: int, last: int) -> BitEncoder:
        """Return an encoder for some of the columns, with those of the parameter `categorical` among them."""
        mine = clone(encoder)
        if not isinstance(getattr(encoder, "categorical", "auto"), str):
            chosen = check_selection(encoder.categorical, self.names)
            mine.set_params(categorical=[j - first for j in sorted(chosen) if first <= j < last])
        return mine


def _learn(
    encoder: BitEncoder, pieces: list[Any], order: np.ndarray | None, y: np.ndarray, with_another: bool
) -> dict[str, list[Any]]:
    """Learn some columns on a worker, where that no other one varies must not show."""
    table = stack(pieces)
    table = table if order is None else take(table, order)
    n_columns = table.shape[1]
    encoder.fit(with_column(table, np.arange(len(y)) % 2) if with_another else table, y)
    learnt = {name: list(getattr(encoder, name)[:n_columns]) for name in _BY_COLUMN[type(encoder)]}
    if isinstance(encoder, TableEncoder):
        learnt["code_like_"] = [j in encoder.code_like_ for j in range(n_columns)]
    return learnt


def _extremes(parts: Partitions, rows: np.ndarray | AllRows) -> np.ndarray:
    """Return two rows, the least and the greatest values: an image encoder asks no more of a table."""
    futures = [
        parts.submit(_extremes_of, parts.futures[i], local, name="extremes")
        for i, local, _ in locate(parts.lengths, rows)
    ]
    found = np.stack(parts.cluster.gather(futures, "extremes"))
    return np.stack([np.fmin.reduce(found[:, 0]), np.fmax.reduce(found[:, 1])])


def _extremes_of(part: Any, rows: np.ndarray) -> np.ndarray:
    table = take(part, rows)
    columns = read_columns(table, lambda: [f"x{j}" for j in range(table.shape[1])])
    numbers = columns.numbers(np.arange(columns.n_columns), slice(None))
    return np.stack([np.fmin.reduce(numbers, axis=1), np.fmax.reduce(numbers, axis=1)])


def _same(value: Any) -> Any:
    """Return a value as it is: so the scheduler knows how to make it again."""
    return value
