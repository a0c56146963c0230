"""Where to cut a column of numbers: the thresholds of a thermometer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_array, check_consistent_length

from bvar._validation import as_array
from bvar.encoding.columns import Columns
from bvar.encoding.counts import ValueCounts
from bvar.encoding.samples import refuse_unordered

__all__ = [
    "STRATEGIES",
    "check_target",
    "choose_by_target",
    "choose_thresholds",
    "learn_thresholds",
]

STRATEGIES = ("quantile", "uniform", "supervised")


def choose_thresholds(counts: ValueCounts, n_bits: int, strategy: str) -> np.ndarray:
    """Choose from 1 to `n_bits` rising thresholds; between each two neighbours where values are few.

    All of them part the values that were counted, and no two in the same way; only where there is one value, that
    is the threshold, and where there is none, 0.
    """
    values = counts.values
    if len(values) < 2:
        return values if len(values) else np.zeros(1)
    if len(values) - 1 <= n_bits:
        return _between(values, np.arange(1, len(values)))
    if strategy == "uniform":
        return _uniform(values, n_bits)
    return _between(values, _cuts_by_share(counts.counts, n_bits))


def learn_thresholds(
    numbers: np.ndarray, name: str, n_bits: int, strategy: str, target: np.ndarray | None
) -> tuple[np.ndarray, bool]:
    """Return thresholds for the numbers of a column, and whether these vary."""
    counts = ValueCounts.of(numbers, name)
    found = np.zeros(0) if target is None else choose_by_target(numbers, counts.values, target, n_bits)
    return found if len(found) else choose_thresholds(counts, n_bits, strategy), counts.vary()


def choose_by_target(numbers: np.ndarray, values: np.ndarray, target: np.ndarray, n_bits: int) -> np.ndarray:
    """Choose at most `n_bits` thresholds that part the target; none if a tree finds none, or values are few."""
    if len(values) - 1 <= n_bits:
        return np.zeros(0)
    return _between(values, _cuts_by_target(np.searchsorted(values, numbers), len(values), target, n_bits))


def check_target(y: Any, columns: Columns, rows: np.ndarray | None) -> np.ndarray:
    """Return the target of strategy 'supervised' in some rows: float64 to be predicted, or codes of classes."""
    if y is None:
        raise ValueError(
            "strategy='supervised' requires y to be passed, but the target y is None; "
            "strategy='quantile' does without"
        )
    y = as_array(y, "y") if isinstance(y, list | tuple) else y
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    check_consistent_length(columns.table, y)
    if rows is not None:
        y = y[rows]
    if y.dtype.kind == "f":
        return y.astype(np.float64)
    labels = y.reshape(len(y), -1).T
    for one in labels if y.dtype.kind == "O" else ():
        refuse_unordered(one, "y")
    return np.array([np.unique(one, return_inverse=True)[1] for one in labels]).T


def _cuts_by_share(counts: np.ndarray, n_bits: int) -> np.ndarray:
    """Cut before the values at which the cumulated count passes equal shares; never before the first."""
    counts = _without_heaps(counts, n_bits)
    shares = counts.sum() * np.arange(1, n_bits + 1) / (n_bits + 1)
    cuts = np.searchsorted(np.cumsum(counts), shares) + 1
    return np.unique(np.minimum(cuts, len(counts) - 1))


def _without_heaps(counts: np.ndarray, n_bits: int) -> np.ndarray:
    """Lower the counts of values that outweigh a share to one: cuts at its ends are all that a heap can use."""
    for _ in range(8):  # the share of what is left falls with each heap; more rounds change next to nothing
        share = -(-int(counts.sum()) // (n_bits + 1))
        if counts.max() <= share:
            break
        counts = np.minimum(counts, share)
    return counts


def _cuts_by_target(ranks: np.ndarray, n_values: int, target: np.ndarray, n_bits: int) -> np.ndarray:
    """Cut where a decision tree of this one feature would, best cut first.

    The tree sees ranks, not values, because it computes in float32; a rank of `n_values` is a missing value.
    Leaves of less than a quarter of an equal share are refused: they are noise or outliers.
    """
    known = ranks < n_values
    kind = DecisionTreeRegressor if target.dtype.kind == "f" else DecisionTreeClassifier
    smallest = -(-int(known.sum()) // (4 * (n_bits + 1)))
    tree = kind(max_leaf_nodes=n_bits + 1, min_samples_leaf=smallest, random_state=0)
    tree = tree.fit(ranks[known, None], target[known]).tree_
    cuts = tree.threshold[tree.feature >= 0].astype(np.intp) + 1
    return np.unique(np.minimum(cuts, n_values - 1))


def _uniform(values: np.ndarray, n_bits: int) -> np.ndarray:
    """Divide the range; of thresholds with no value between them the first is enough."""
    low, high = values[0] / (n_bits + 1), values[-1] / (n_bits + 1)  # no overflow of the difference
    steps = np.arange(1, n_bits + 1)
    thresholds = low * (n_bits + 1 - steps) + high * steps
    below, first = np.unique(np.searchsorted(values, thresholds), return_index=True)
    return thresholds[first[(below > 0) & (below < len(values))]]


def _between(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Half-way between neighbouring values, without overflow."""
    below, above = values[cuts - 1], values[cuts]
    return np.maximum(below / 2 + above / 2, np.nextafter(below, above))
