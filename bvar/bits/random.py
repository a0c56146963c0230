"""Random bits and orders that a port can repeat and that survive upgrades of NumPy.

Everything is made from the raw 64-bit words of ``numpy.random.PCG64``, a stream that NumPy guarantees, in
this order and no other:

* bits of shape (r, n): ``r * ceil(n / 64)`` words, row by row, padding cleared;
* a permutation of n: n words; the order that sorts them (ties by index);
* an order of n samples: a permutation, but above 10**7 six words, the keys of a ``KeyedOrder``;
* numbers in (-1, 1) of shape (r, c): r * c words, row by row; the upper 24 bits k of a word give
  ``(2 k + 1) / 2**24 - 1``, exact in float32;
* bits that are T with probability k / 64: starting from the lowest bit of k that is set, for each of the six
  bits of k upwards one matrix of words r, and ``m = m | r`` where that bit is 1, ``m = m & r`` where it is 0,
  from m = 0.

No kernel draws a random number.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import numpy as np
from sklearn.utils import check_random_state

from bvar._describe import Described
from bvar.bits.matrix import BitMatrix, n_words, tail_mask
from bvar.bits.order import KeyedOrder

__all__ = ["RandomWords"]

RandomSource: TypeAlias = Union["RandomWords", np.random.RandomState, int, None]
"""What a layer or a recipe takes as its `random_state`."""

_MOST_SORTED = 10**7  # numbers of an order: more would take seconds and 16 bytes each, in every epoch
_N_KEYS = 6


class RandomWords(Described):
    """A source of random bits and permutations.

    Parameters
    ----------
    random_state : None, int or numpy.random.RandomState
        An int seeds PCG64 with that number. None, or a RandomState, draws such a number first, as scikit-learn
        estimators do.

    Attributes
    ----------
    words : numpy.random.PCG64
        The stream of raw words; its state says how much has been drawn.

    Raises
    ------
    ValueError
        If `random_state` is a negative number, or nothing that scikit-learn knows.

    Examples
    --------
    >>> from bvar.bits import RandomWords
    >>> RandomWords(0).permutation(5).tolist()
    [3, 2, 1, 0, 4]
    """

    def __init__(self, random_state: np.random.RandomState | int | None = None) -> None:
        if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
            if random_state < 0:
                raise ValueError(f"random_state must be at least 0, got {random_state}")
            seed = int(random_state)
        else:
            try:
                seed = int(check_random_state(random_state).randint(2**31 - 1))
            except ValueError as error:
                text = f"random_state must be None, an integer >= 0 or a RandomState, got {random_state!r}"
                raise ValueError(text) from error
        self.words = np.random.PCG64(seed)

    @classmethod
    def of(cls, random_state: RandomSource) -> RandomWords:
        """Return a source as it is, or begin one.

        Parameters
        ----------
        random_state : None, int, RandomState or RandomWords
            A source, from which several layers can draw in turn, or what a new one begins from.

        Returns
        -------
        RandomWords
            The source.

        Examples
        --------
        >>> from bvar.bits import RandomWords
        >>> source = RandomWords.of(0)
        >>> RandomWords.of(source) is source
        True
        """
        return random_state if isinstance(random_state, RandomWords) else cls(random_state)

    def bits(self, n_rows: int, n_bits: int) -> BitMatrix:
        """Toss fair coins.

        Parameters
        ----------
        n_rows, n_bits : int
            Shape, each at least 0.

        Returns
        -------
        BitMatrix of shape (n_rows, n_bits)
            One coin a bit.
        """
        width = n_words(n_bits)
        words = self.words.random_raw(n_rows * width).reshape(n_rows, width)
        if n_bits % 64:
            words[:, -1] &= tail_mask(n_bits)
        return BitMatrix.trusted(words, n_bits)

    def rare_bits(self, n_rows: int, n_bits: int, sixty_fourths: int) -> BitMatrix:
        """Toss coins that show T with a small probability, or a large one.

        Parameters
        ----------
        n_rows, n_bits : int
            Shape, each at least 0.
        sixty_fourths : int
            64 times the probability of T, from 1 to 63.

        Returns
        -------
        BitMatrix of shape (n_rows, n_bits)
            One coin a bit.
        """
        lowest = (sixty_fourths & -sixty_fourths).bit_length() - 1
        rare = self.bits(n_rows, n_bits)  # nothing, or these bits, whose bit of the probability is 1
        for position in range(lowest + 1, 6):
            combine = np.bitwise_or if sixty_fourths >> position & 1 else np.bitwise_and
            combine(rare.words, self.bits(n_rows, n_bits).words, out=rare.words)
        return rare

    def permutation(self, n: int) -> np.ndarray:
        """Draw an order of 0 .. n - 1.

        Parameters
        ----------
        n : int
            How many numbers there are.

        Returns
        -------
        ndarray of int64, shape (n,)
            Each of them once.
        """
        return np.argsort(self.words.random_raw(n), kind="stable")

    def order(self, n: int) -> np.ndarray | KeyedOrder:
        """Draw an order of 0 .. n - 1, which for large n is computed in parts, where they are asked for.

        Parameters
        ----------
        n : int
            How many numbers there are.

        Returns
        -------
        ndarray of int64, or KeyedOrder, of n numbers
            Whose slices are arrays, each number once.

        Examples
        --------
        >>> from bvar.bits import RandomWords
        >>> RandomWords(0).order(5)[1:3].tolist(), RandomWords(0).order(10**9)[10**8 : 10**8 + 3].tolist()
        ([2, 1], [665009064, 788692969, 916406087])
        """
        if n <= _MOST_SORTED:
            return self.permutation(n)
        return KeyedOrder(n, self.words.random_raw(_N_KEYS))

    def uniform(self, n_rows: int, n_columns: int) -> np.ndarray:
        r"""Draw numbers evenly spread over (-1, 1).

        Parameters
        ----------
        n_rows, n_columns : int
            Shape, each at least 0.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_columns)
            Odd multiples of 2\ :sup:`-24`, exact in float32.
        """
        upper = self.words.random_raw(n_rows * n_columns) >> np.uint64(40)
        return ((2 * upper.astype(np.float64) + 1) / 2**24 - 1).reshape(n_rows, n_columns)
