"""Columns of integers that look like codes of categories: a hint for people, which changes no bit.

Numbers are asked "at least t?", categories "equal to v?". In a column of codes the order says nothing, and a
single value may say more than any threshold. Whether it does shows on samples held out: on each half of them the
best question of either kind, chosen on the other half, and what it makes of the classes.
"""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np

__all__ = ["classes_of", "look_like_codes", "may_be_codes"]

_MOST = 50  # codes; more values are hardly ever categories
_PARTS = 5  # classes that numbers to be predicted are cut into
_NATS = 20.0  # by which "equal to" must be better; see docs/howto/encode-data.md for how often it is


def classes_of(y: Any, n_rows: int, rows: np.ndarray | None) -> np.ndarray | None:
    """Return the targets of some rows as codes of classes, numbers by fifths; None if there is not one a row."""
    try:
        y = np.asarray(y)
    except ValueError:  # lists of different lengths, say: whoever needs targets will complain
        return None
    if y.shape != (n_rows,):
        return None
    y = y if rows is None else y[rows]
    if y.dtype.kind == "f":
        return np.searchsorted(np.sort(y), y) * _PARTS // len(y)
    if y.dtype.kind == "O":
        y = y.astype(str)
    return np.unique(y, return_inverse=True)[1]


def may_be_codes(values: np.ndarray) -> bool:
    """Tell whether distinct values are all integers from 0 or 1 to some number."""
    n = len(values)
    return 3 <= n <= _MOST and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def look_like_codes(numbers: np.ndarray, values: np.ndarray, classes: np.ndarray) -> bool:
    """Tell whether single values say more about the classes of samples held out than thresholds do."""
    known = np.flatnonzero(~np.isnan(numbers))
    counts = np.zeros((2, len(values), int(classes.max()) + 1), np.int64)  # of each half, value and class
    half = np.arange(len(known)) % 2
    np.add.at(counts, (half, np.searchsorted(values, numbers[known]), classes[known]), 1)
    equal, at_least = np.eye(len(values), dtype=np.int64), np.tri(len(values), dtype=np.int64).T[1:]
    gain = [_held_out(equal, *halves) - _held_out(at_least, *halves) for halves in (counts, counts[::-1])]
    return sum(gain) > _NATS


def _held_out(questions: np.ndarray, learn: np.ndarray, test: np.ndarray) -> float:
    """Return the log-likelihood of the classes of one half by the question that suits the other half best.

    A question is a line that marks the values with the answer T. The best one makes the two sides purest.
    """
    sides = np.stack([questions @ learn, (1 - questions) @ learn])
    sizes = np.maximum(sides.sum(axis=2), 1)
    best = int(((sides**2).sum(axis=2) / sizes).sum(axis=0).argmax())
    logs = np.log((sides[:, best] + 1) / (sides[:, best].sum(axis=1, keepdims=True) + sides.shape[2]))
    held_out = np.stack([questions[best] @ test, (1 - questions[best]) @ test])
    return fsum((held_out * logs).ravel().tolist())
