r"""Trees of gates that compare pixels, drawn at random (``docs/explanation/logic-gates.md``).

Of each number of a pixel the bits say which of some rising levels it reaches.  Pixel p is above pixel q, with a
level between them, where

.. math:: \bigvee_t \; x_{pt} \wedge \neg x_{qt} ,

and a tree of two levels of gates of six wires answers T where one, two or three such comparisons hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.kernels import MAX_FAN_IN

__all__ = ["DEPTH", "FAN_IN", "MOST", "Trees", "random_comparisons"]

DEPTH, FAN_IN = 2, MAX_FAN_IN
MOST = FAN_IN // 2
"""Comparisons in a tree: of the gates that its root reads, two make one, and each looks at three levels."""


class Trees(NamedTuple):
    """What trees of :class:`bvar.layers.GateConv2d` are made of."""

    leaves: np.ndarray
    tables: tuple[BitMatrix, BitMatrix]


def random_comparisons(
    n_filters: int, kernel_size: tuple[int, int], n_channels: int, n_levels: int, at_most: int, source: RandomWords
) -> Trees:
    """Draw trees that answer T where all of some comparisons hold, 1 to `at_most`.

    Parameters
    ----------
    n_filters : int
        Number of trees.
    kernel_size : (int, int)
        Taps of the window, two or more in all.
    n_channels : int
        Bits of a pixel, a multiple of `n_levels`: of each of its numbers one for each level, side by side, rising.
    n_levels : int
        Levels of a number. Six of them are looked at, evenly spread; some twice, if there are fewer.
    at_most : int
        Comparisons in a tree, 1 to 3.
    source : RandomWords
        Raw words, ten for each tree: how many comparisons count, then for each of three a number of the pixels,
        the pixel that is to be above, and the other one.

    Returns
    -------
    Trees
        `leaves`, int64 of shape (n_filters, 36), and `tables`, of the six gates below each root and of the roots.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.

    Examples
    --------
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers import random_comparisons
    >>> trees = random_comparisons(1, (3, 3), 6, 6, 1, RandomWords(0))
    >>> trees.leaves[0, :6].tolist()  # levels 0, 2 and 4 of a pixel, each beside that of another
    [30, 36, 32, 38, 34, 40]
    >>> [table.shape for table in trees.tables]
    [(6, 64), (1, 64)]
    """
    n_taps = kernel_size[0] * kernel_size[1]
    if n_taps < 2:
        raise ValueError(f"kernel_size must have two taps or more, to compare pixels, got {kernel_size}")
    n_levels = check_integer(n_levels, "n_levels", low=1)
    if n_channels % n_levels:
        raise ValueError(f"n_levels must divide the {n_channels} channels of the images, got {n_levels}")
    at_most = check_integer(at_most, "comparisons", low=1, high=MOST)
    words = source.words.random_raw(n_filters * (1 + 3 * MOST)).reshape(n_filters, -1)
    n_counting = 1 + (words[:, 0] % np.uint64(at_most)).astype(np.int64)
    ranges = np.tile([n_channels // n_levels, n_taps, n_taps - 1], MOST).astype(np.uint64)
    number, above, below = (words[:, 1:] % ranges).astype(np.int64).reshape(n_filters, MOST, 3).transpose(2, 0, 1)
    below += below >= above  # another pixel
    levels = np.rint(np.linspace(0, n_levels - 1, FAN_IN)).astype(np.int64).reshape(-1, 2).T  # of two gates
    pairs = np.stack([above, below], axis=-1) * n_channels + number[..., None] * n_levels
    leaves = (pairs[:, :, None, None, :] + levels[:, :, None]).reshape(n_filters, -1)
    return Trees(leaves, (_is_above(n_filters), _all_hold(n_counting)))


def _is_above(n_filters: int) -> BitMatrix:
    """Tables that are T where a wire is T and the one after it F, of three pairs."""
    bits = _addresses()
    return kernels.pack(np.tile((bits[:, ::2] & ~bits[:, 1::2]).any(axis=1), (n_filters * FAN_IN, 1)))


def _all_hold(n_counting: np.ndarray) -> BitMatrix:
    """Tables that are T where of the first pairs of wires, so many, each has a T."""
    bits = _addresses()
    holds = bits[:, ::2] | bits[:, 1::2]
    return kernels.pack((holds | (np.arange(MOST) >= n_counting[:, None, None])).all(axis=2))


def _addresses() -> np.ndarray:
    """Give what the wires are at each entry of a table, bool."""
    return (np.arange(1 << FAN_IN)[:, None] >> np.arange(FAN_IN) & 1).astype(bool)
