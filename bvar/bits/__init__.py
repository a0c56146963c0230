"""Bits: how they lie in words, which of them a window sees, and where random ones come from.

``matrix`` is the layout of bits in 64-bit words, ``windows`` the grid of places of a convolution, ``random`` the
stream of raw words from which initial bits, orders and wires are made, ``order`` an order of more samples than one
would like to sort.
"""

from bvar.bits.matrix import WORD, BitMatrix, n_words, tail_mask
from bvar.bits.random import RandomWords
from bvar.bits.windows import SlidingWindow

__all__ = [
    "WORD",
    "BitMatrix",
    "RandomWords",
    "SlidingWindow",
    "n_words",
    "tail_mask",
]
