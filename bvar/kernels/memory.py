"""Memory that is used again: what a training step takes and lets go, megabytes a layer, is slow only when fresh.

The system hands out fresh pages one fault at a time, which takes longer than the work done in them.  Each thread
keeps the last few pieces that it took, 96 MiB at most, until it ends.  A piece is free when nobody but the list
below refers to it: arrays are views of it and hold a reference as long as they live, so nothing that somebody can
see is ever overwritten.  For results of kernels, which write every element (``docs/explanation/kernels.md``).
"""

from __future__ import annotations

import sys
import threading

import numpy as np

__all__ = ["lines"]

_LINE = 64
_MOST_PIECES = 16
_SMALLEST = 2**16  # bytes that are worth the search: malloc itself keeps less, and has it at once
_MOST_BYTES = 3 * 2**25  # in all: a step of VGG-Small on 64 images takes two thirds of it
_LARGEST = 2**26 + _LINE  # votes on 4096 x 4096 weights; a larger one would drive out all others

_kept = threading.local()


def _references(pieces: list[np.ndarray], i: int) -> int:
    # A build without the global lock counts the references of other threads apart, but this adds them up, and a
    # thread gets a new reference to a piece only from one that it holds: a piece that was free stays free.
    return sys.getrefcount(pieces[i])


_FREE = _references([np.empty(0, np.uint8)], 0)  # measured, since interpreters differ in counting the argument


def lines(shape: tuple[int, int], dtype: type[np.generic]) -> np.ndarray:
    """Return an array of anything, C-contiguous; a large one begins at a cache line: few vectors are split."""
    n_bytes = shape[0] * shape[1] * np.dtype(dtype).itemsize
    if n_bytes < _SMALLEST:
        return np.empty(shape, dtype)
    memory = _take(n_bytes + _LINE - 1)
    start = -memory.__array_interface__["data"][0] % _LINE
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def _take(n_bytes: int) -> np.ndarray:
    pieces: list[np.ndarray] = _kept.__dict__.setdefault("pieces", [])
    for i in range(len(pieces)):
        # twice as much would do, more would waste it
        if n_bytes <= len(pieces[i]) <= 2 * n_bytes and _references(pieces, i) == _FREE:
            pieces.append(pieces.pop(i))  # the longest unused is dropped first
            return pieces[-1]
    piece = np.empty(n_bytes, np.uint8)
    if n_bytes <= _LARGEST:
        pieces.append(piece)
        while len(pieces) > _MOST_PIECES or sum(map(len, pieces)) > _MOST_BYTES:
            del pieces[0]
    return piece
