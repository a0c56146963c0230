"""The fewest gates of two inputs for every function of four inputs, as trees.

A gate of two inputs may negate what it reads and what it says, so a function and its negation cost the same, and
those that are F at address 0 stand for both.  Of two such functions there are five such gates.  Functions of n
gates are found from those of i and of n - 1 - i, for n = 1, 2, 3 and so on, so the first tree that is found is a
smallest.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bvar.circuit.truth import projection

__all__ = ["N_LEAVES", "OPERATIONS", "Tree", "smallest_trees"]

N_LEAVES = 4
OPERATIONS = (0b1000, 0b0010, 0b0100, 0b1110, 0b0110)  # and, a and not b, not a and b, or, xor
_MOST = 6  # gates; larger trees are never worth it, for what they replace has more than four inputs

Tree = tuple[int, int, int]
"""The table of a gate, and the two functions that it reads; for an input and for F there is no tree."""


@cache
def smallest_trees() -> tuple[np.ndarray, dict[int, Tree]]:
    """Return for each function the number of gates, more than `_MOST` where unknown, and its tree."""
    sizes = np.full(1 << 16, _MOST + 1, np.int8)
    trees: dict[int, Tree] = {}
    by_size = [np.array([projection(i, N_LEAVES) for i in range(N_LEAVES)], np.uint16)]
    sizes[0] = 0
    sizes[by_size[0]] = 0
    for n in range(1, _MOST + 1):
        found: dict[int, Tree] = {}
        for i in range((n + 1) // 2):
            _combine(by_size[i], by_size[n - 1 - i], sizes, found)
        sizes[list(found)] = n
        trees |= found
        by_size.append(np.array(sorted(found), np.uint16))
    return sizes, trees


def _combine(left: np.ndarray, right: np.ndarray, sizes: np.ndarray, found: dict[int, Tree]) -> None:
    """Put all functions of a gate of two functions into `found` that have no tree yet."""
    a, b = left[:, None], right[None, :]
    for table, values in zip(OPERATIONS, (a & b, a & ~b, ~a & b, a | b, a ^ b), strict=True):
        flat = values.ravel()
        new, where = np.unique(flat, return_index=True)
        keep = sizes[new] > _MOST
        for value, place in zip(new[keep].tolist(), where[keep].tolist(), strict=True):
            i, j = divmod(place, len(right))
            found.setdefault(value, (table, int(left[i]), int(right[j])))
