"""Random bits and orders that a port can repeat and that survive upgrades of NumPy.

Everything is made from the raw 64-bit words of ``numpy.random.PCG64``, a stream that NumPy guarantees, in
this order and no other:

* bits of shape (r, n): ``r * ceil(n / 64)`` words, row by row, padding cleared;
* a permutation of n: n words; the order that sorts them (ties by index).

No kernel draws a random number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from bvar.bits import BitMatrix, n_words, tail_mask

__all__ = ["RandomWords"]


class RandomWords:
    """A source of random bits and permutations.

    Parameters
    ----------
    random_state : None, int or numpy.random.RandomState
        An int seeds PCG64 with that number. None, or a RandomState, draws such a number first, as scikit-learn
        estimators do.
    """

    def __init__(self, random_state: Any = None) -> None:
        if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
            if random_state < 0:
                raise ValueError(f"random_state must be at least 0, got {random_state}")
            seed = int(random_state)
        else:
            seed = int(check_random_state(random_state).randint(2**31 - 1))
        self.words = np.random.PCG64(seed)

    def bits(self, n_rows: int, n_bits: int) -> BitMatrix:
        """Fair coins, shape (n_rows, n_bits)."""
        width = n_words(n_bits)
        words = self.words.random_raw(n_rows * width).reshape(n_rows, width)
        if n_bits % 64:
            words[:, -1] &= tail_mask(n_bits)
        return BitMatrix.trusted(words, n_bits)

    def permutation(self, n: int) -> np.ndarray:
        """Return a random order of 0 .. n - 1."""
        return np.argsort(self.words.random_raw(n), kind="stable")
