r"""An order of very many things that need not be stored: whoever knows its keys computes any part of it.

Numbers below :math:`2^b` are split into an upper half of :math:`\lfloor b / 2 \rfloor` bits and a lower half of
the rest.  Each key is a round: a mixture of one half and the key is added, bit by bit, to the other, to the upper
half first and then to each in turn.  A round can be undone, so that no two numbers end as one; what comes out at n
or above goes through all rounds again, until it is below n (:doc:`/explanation/exactness`).
"""

from __future__ import annotations

import numpy as np

__all__ = ["KeyedOrder"]

_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


class KeyedOrder:
    """An order of 0 .. n - 1, each of them once.

    Parameters
    ----------
    n : int
        How many numbers there are, at least 1.
    keys : ndarray of uint64
        The words that it is made from.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bits.order import KeyedOrder
    >>> KeyedOrder(6, np.arange(6, dtype=np.uint64))[0:6].tolist()
    [3, 0, 4, 2, 1, 5]
    """

    def __init__(self, n: int, keys: np.ndarray) -> None:
        self.n, self.keys = n, keys
        n_bits = max(2, (n - 1).bit_length())
        self._low = n_bits - n_bits // 2
        self._halves = n_bits // 2, self._low

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return self.n

    def __getitem__(self, places: slice) -> np.ndarray:
        """Return the numbers in some places, as int64."""
        out = self._mixed(np.arange(*places.indices(self.n), dtype=np.uint64))
        while len(beyond := np.flatnonzero(out >= self.n)):
            out[beyond] = self._mixed(out[beyond])
        return out.astype(np.int64)

    def _mixed(self, numbers: np.ndarray) -> np.ndarray:
        """Send numbers of b bits through all rounds."""
        low = np.uint64(self._low)
        halves = [numbers >> low, numbers & np.uint64((1 << self._low) - 1)]
        for i, key in enumerate(self.keys):
            halves[i % 2] ^= _mixture(halves[1 - i % 2] + key) >> np.uint64(64 - self._halves[i % 2])
        return halves[0] << low | halves[1]


def _mixture(words: np.ndarray) -> np.ndarray:
    """Let each bit of a word depend on all of them."""
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        words = (words ^ (words >> shift)) * factor
    return words ^ (words >> _SHIFTS[-1])
