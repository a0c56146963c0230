"""An encoder that learns from partitions: exactly what it would learn from the table that they are.

Every column meets once, whole and in order, on one worker, where the code of the local `fit` looks at it; nothing
that it finds out depends on how the table was cut.  Images share thresholds over their pixels, and these depend on
the extremes of channels alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from bvar.distributed.cluster import Parts
from bvar.distributed.partitions import columns_of, locate, stack, take
from bvar.encoding import BitEncoder, ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder
from bvar.encoding.columns import read_columns
from bvar.encoding.samples import check_table
from bvar.encoding.table import check_selection

__all__ = ["fit_encoder"]

_BLOCK = 2**26  # bytes of numbers that one worker looks at at a time
_BY_COLUMN = {
    TableEncoder: ("kinds_", "thresholds_", "categories_", "infrequent_categories_"),
    ThermometerEncoder: ("thresholds_",),
    OneHotBits: ("categories_", "infrequent_categories_"),
}


def fit_encoder(encoder: BitEncoder, parts: Parts, rows: np.ndarray, y: np.ndarray) -> BitEncoder:
    """Learn from rows of partitions.

    Parameters
    ----------
    encoder : BitEncoder
        One of :mod:`bvar.encoding`, changed in place.
    parts : Parts
        The partitions.
    rows : ndarray of int64
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
    if type(encoder) not in _BY_COLUMN:
        raise TypeError(
            "encoder must be a TableEncoder, ThermometerEncoder, OneHotBits or ImageEncoder on a cluster, whose "
            f"columns can be learnt apart, got {encoder!r}"
        )
    check_table(encoder, parts.rows(rows[:1]), reset=True)
    found = parts.cluster.gather(_blocks(encoder, parts, rows, y), "thresholds")
    for name in _BY_COLUMN[type(encoder)]:
        setattr(encoder, name, [one for block in found for one in block[name]])
    encoder._finish()
    return encoder


def _blocks(encoder: BitEncoder, parts: Parts, rows: np.ndarray, y: np.ndarray) -> list[Any]:
    """Let workers look at some columns each."""
    n_columns = encoder.n_features_in_
    step = max(1, min(-(-n_columns // (2 * len(parts.futures))), _BLOCK // (8 * len(rows))))
    order = None if (np.diff(rows) > 0).all() else parts.submit(_same, np.argsort(np.argsort(rows)), name="order")
    target = parts.submit(_same, y, name="target") if getattr(encoder, "strategy", "") == "supervised" else None
    wanted = {i: _selection(parts, i, local) for i, local, _ in locate(parts.lengths, np.sort(rows))}
    futures = []
    for first in range(0, n_columns, step):
        last = min(first + step, n_columns)
        pieces = [
            parts.submit(columns_of, parts.futures[i], local, first, last, name="columns")
            for i, local in wanted.items()
        ]
        mine = _of_columns(encoder, parts, first, last)
        futures.append(parts.submit(_learn, mine, pieces, order, target, name="thresholds"))
    return futures


def _selection(parts: Parts, number: int, rows: np.ndarray) -> Any:
    """Let the cluster keep numbers of rows, which all blocks of columns need; None stands for all rows."""
    return None if len(rows) == parts.lengths[number] else parts.submit(_same, rows, name="selection")


def _of_columns(encoder: BitEncoder, parts: Parts, first: int, last: int) -> BitEncoder:
    """Return an encoder for some of the columns, with those of the parameter `categorical` among them."""
    mine = clone(encoder)
    if not isinstance(getattr(encoder, "categorical", "auto"), str):
        chosen = check_selection(encoder.categorical, encoder._input_names())
        mine.set_params(categorical=[j - first for j in sorted(chosen) if first <= j < last])
    return mine


def _learn(
    encoder: BitEncoder, pieces: list[Any], order: np.ndarray | None, y: np.ndarray | None
) -> dict[str, Any]:
    """Learn some columns on a worker; that none of them has anything to ask is no mistake, for others may."""
    table = stack(pieces)
    encoder._finish = lambda: None  # type: ignore[method-assign]
    encoder.fit(table if order is None else take(table, order), y)
    return {name: getattr(encoder, name) for name in _BY_COLUMN[type(encoder)]}


def _extremes(parts: Parts, rows: np.ndarray) -> np.ndarray:
    """Return two rows, the least and the greatest values: an image encoder asks no more of a table."""
    futures = [
        parts.submit(_extremes_of, parts.futures[i], local, name="extremes")
        for i, local, _ in locate(parts.lengths, rows)
    ]
    found = np.stack(parts.cluster.gather(futures, "extremes"))
    return np.stack([np.fmin.reduce(found[:, 0]), np.fmax.reduce(found[:, 1])])


def _extremes_of(part: Any, rows: np.ndarray) -> np.ndarray:
    table = take(part, rows)
    columns = read_columns(table, [f"x{j}" for j in range(table.shape[1])])
    numbers = columns.numbers(np.arange(columns.n_columns), slice(None))
    return np.stack([np.fmin.reduce(numbers, axis=1), np.fmax.reduce(numbers, axis=1)])


def _same(value: Any) -> Any:
    """Return a value as it is: so the scheduler knows how to make it again."""
    return value
