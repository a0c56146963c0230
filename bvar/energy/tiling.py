"""The cheapest tiles: all that divide the extents of a layer and fit the memories, compared.

The energy of a nest of tiles is a sum of a term for each tile (``docs/explanation/energy.md``), so the best nest
is found by dynamic programming over the lattice of divisors: from the near level to the far, the best tile inside
each tile.  The minimum is over all nests, hence more memory cannot make it dearer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bvar.energy import traffic
from bvar.energy.loops import Loops
from bvar.energy.platform import Memory, Platform

__all__ = ["Operands", "best_tiles"]


class Operands(NamedTuple):
    """Bits of a number of what is streamed, held, added up and given away.

    Parameters
    ----------
    streamed, held, partial, final : int
        Bits of each.
    """

    streamed: int
    held: int
    partial: int
    final: int


@lru_cache(maxsize=4096)
def best_tiles(loops: Loops, operands: Operands, platform: Platform) -> tuple[tuple[int, ...], ...]:
    """Find the tiles that move data at the least price.

    Parameters
    ----------
    loops : Loops
        The layer.
    operands : Operands
        Bits of its numbers.
    platform : Platform
        Prices and capacities.

    Returns
    -------
    tuple of tuple of int
        A tile for each memory but the farthest, as :func:`moves` takes them.

    Raises
    ------
    ValueError
        If a memory cannot even hold one number of each.

    Examples
    --------
    >>> from bvar.energy import ASCEND, Axis, Loops, Operands, best_tiles
    >>> best_tiles(Loops(1, 4, 8, Axis(4, 3), Axis(4, 3)), Operands(1, 1, 8, 8), ASCEND)
    ((1, 4, 8, 4, 4, 3, 3), (1, 4, 8, 4, 4, 3, 3), (1, 4, 8, 4, 4, 3, 3))
    """
    axes = [_divisors(extent) for extent in loops.extents]
    grid = np.meshgrid(*(np.array(axis, np.float64) for axis in axes), indexing="ij", sparse=True)
    near_first: list[np.ndarray] = []
    inside: np.ndarray | float = 0.0
    for level in reversed(range(1, len(platform.memories))):
        price = _price(loops, grid, operands, platform.memories[level - 1 : level + 1])
        if level == len(platform.memories) - 1:
            price = price + _feeding(loops, grid, operands, platform.memories[level])
        total = np.where(_fits(loops, grid, operands, platform.memories[level]), price + inside, np.inf)
        if not np.isfinite(total).any():
            memory = platform.memories[level]
            raise ValueError(f"memories must hold a number of each kind, got {memory.name} of {memory.capacity}")
        near_first.append(total)
        inside = _best_inside(total, axes)
    return _trace(near_first[::-1], axes)


def _price(loops: Loops, grid: Sequence[np.ndarray], operands: Operands, memories: Sequence[Memory]) -> np.ndarray:
    """Energy that hangs on a tile: of filling it, of going by what it holds, of sums that must leave it."""
    far, near = memories
    sums = 2 * (far.prices[2] - near.prices[2]) * operands.partial * loops.n_made
    return (
        far.prices[0] * operands.streamed * traffic.n_streamed(loops, grid)
        + near.prices[1] * operands.held * loops.n_held * traffic.n_blocks(loops, grid)
        + sums * traffic.n_passes(loops, grid)
    )


def _feeding(loops: Loops, grid: Sequence[np.ndarray], operands: Operands, memory: Memory) -> np.ndarray:
    return memory.prices[0] * operands.streamed * traffic.n_operands(loops, grid)


def _fits(loops: Loops, grid: Sequence[np.ndarray], operands: Operands, memory: Memory) -> np.ndarray:
    """Say which tiles fit: what is streamed and held, and where it has a buffer of its own, what is made."""
    images, channels, filters, down, across, taps_down, taps_across = grid
    seen = traffic.span(loops.rows, down, taps_down) * traffic.span(loops.columns, across, taps_across)
    streamed = operands.streamed * images * channels * seen
    held = operands.held * filters * channels * taps_down * taps_across
    room = memory.bits
    if not memory.is_split:
        return streamed + held <= room[0]
    made = operands.partial * images * filters * down * across
    return (streamed <= room[0]) & (held <= room[1]) & (made <= room[2])


def _best_inside(total: np.ndarray, axes: Sequence[Sequence[int]]) -> np.ndarray:
    """For each tile the best of those that divide it, axis by axis."""
    for axis, divisors in enumerate(axes):
        below = np.moveaxis(total, axis, 0)
        best = np.stack(
            [
                np.min([below[j] for j, small in enumerate(divisors[: i + 1]) if divisors[i] % small == 0], axis=0)
                for i in range(len(divisors))
            ]
        )
        total = np.moveaxis(best, 0, axis)
    return total


def _trace(totals: Sequence[np.ndarray], axes: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Go from the far level to the near, to the best tile inside the one chosen before."""
    outer, tiles = tuple(axis[-1] for axis in axes), []
    for total in totals:
        allowed = [[i for i, d in enumerate(axis) if big % d == 0] for axis, big in zip(axes, outer, strict=True)]
        within = total[np.ix_(*allowed)]
        where = np.unravel_index(int(np.argmin(within)), within.shape)
        outer = tuple(axis[indices[at]] for axis, indices, at in zip(axes, allowed, map(int, where), strict=True))
        tiles.append(outer)
    return tuple(tiles)


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})
