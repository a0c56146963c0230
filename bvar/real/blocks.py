"""Rows in blocks that stay in the cache: of large arrays, memory costs more than arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["blocks"]

_TOGETHER = 2**16  # numbers of a block


def blocks(rows: np.ndarray) -> Iterator[slice]:
    """Cut an array along its first axis.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, ...)
        What is worked on block by block; sums over rows may depend on the blocks, what is elementwise does not.

    Yields
    ------
    slice
        Rows of a block, one at least.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.blocks import blocks
    >>> list(blocks(np.zeros((3, 2**15))))
    [slice(0, 2, None), slice(2, 4, None)]
    """
    size = max(1, _TOGETHER * len(rows) // max(1, rows.size))
    for start in range(0, len(rows), size):
        yield slice(start, start + size)
