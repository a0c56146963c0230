"""The distinct numbers of a column and how often each occurs: by counting where there are few, else by sorting."""

from __future__ import annotations

import numpy as np

__all__ = ["distinct"]


def distinct(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct numbers but NaN, rising, and their counts, as ``numpy.unique`` does."""
    if numbers.dtype.kind in "iu" and numbers.dtype.itemsize == 1:
        return _distinct_bytes(numbers)
    if numbers.dtype.kind == "f":
        numbers = np.sort(numbers)  # NaN comes last
        numbers = numbers[: len(numbers) - np.count_nonzero(np.isnan(numbers))]
        return _runs(numbers)
    return np.unique(numbers, return_counts=True)


def _distinct_bytes(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.iinfo(numbers.dtype).min
    counts = np.bincount(numbers if low == 0 else numbers.astype(np.intp) - low, minlength=256)
    found = np.flatnonzero(counts)
    return (found + low).astype(numbers.dtype), counts[found]


def _runs(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut sorted numbers where they rise."""
    starts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    starts = np.concatenate([np.zeros(min(len(ordered), 1), np.intp), starts])
    return ordered[starts], np.diff(starts, append=len(ordered))
