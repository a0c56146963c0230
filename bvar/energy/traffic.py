r"""How often data move: reads and writes of each level of memory, for tiles that are given.

For each step from a level to the next nearer one, blocks of what is held are taken in turn, and all that is
streamed goes by each of them; partial sums go up and down as often as terms are left.  With tiles that divide one
another the ratios of Eq. 51 and 52 of BOLD telescope, and what a level is read depends on no more than two tiles
(``docs/explanation/energy.md``).  Functions here take numbers or arrays of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from bvar.energy.loops import Axis, Loops

__all__ = ["Moves", "moves"]


class Moves(NamedTuple):
    """Numbers that are read from or written to a level.

    Parameters
    ----------
    streamed, held : int
        Reads.
    partial : int
        Reads and writes of partial sums.
    final : int
        Writes of what comes out.
    """

    streamed: int
    held: int
    partial: int
    final: int


def moves(loops: Loops, tiles: Sequence[Sequence[int]]) -> list[Moves]:
    """Count the moves at each level.

    Parameters
    ----------
    loops : Loops
        The layer.
    tiles : sequence of sequence of int
        For each level but the farthest, which holds everything, the part of each extent that fits: each divides
        that of the level before.

    Returns
    -------
    list of Moves
        One entry for each level, from the far to the near.

    Raises
    ------
    ValueError
        If a tile does not divide the one before.

    Examples
    --------
    The example of the page on energy:

    >>> from bvar.energy import Axis, Loops, moves
    >>> loops = Loops(1, 4, 8, Axis(4, 3), Axis(4, 3))
    >>> counts = moves(loops, [(1, 4, 4, 4, 4, 3, 3), (1, 4, 4, 2, 2, 3, 3), (1, 2, 2, 2, 2, 3, 3)])
    >>> [count.streamed for count in counts]
    [288, 512, 1024, 2304]
    """
    chain = [loops.extents, *map(tuple, tiles)]
    for far, near in pairwise(chain):
        if len(near) != len(far) or any(a % b for a, b in zip(far, near, strict=True)):
            raise ValueError(f"tiles must divide those of the level before, got {near} below {far}")
    passes = [1, *(n_passes(loops, tile) for tile in chain[1:]), loops.channels * loops.n_taps]
    return [
        Moves(
            n_streamed(loops, chain[level + 1]) if level + 1 < len(chain) else n_operands(loops, chain[level]),
            loops.n_held * n_blocks(loops, chain[level]),
            2 * (passes[level + 1] - passes[level]) * loops.n_made,
            loops.n_made if level == 0 else 0,
        )
        for level in range(len(chain))
    ]


def n_streamed(loops: Loops, tile: Sequence[Any]) -> Any:
    """Count the reads that fill tiles: all that is streamed, for each block of filters, rims of windows twice."""
    _, _, filters, down, across, taps_down, taps_across = tile
    each = _line(loops.rows, down, taps_down) * _line(loops.columns, across, taps_across)
    return loops.images * loops.channels * (loops.filters // filters) * each


def n_operands(loops: Loops, tile: Sequence[Any]) -> Any:
    """Count the reads that feed the arithmetic: a number serves all filters of the tile at once."""
    return loops.n_products // tile[2]


def n_blocks(loops: Loops, tile: Sequence[Any]) -> Any:
    """Count the blocks of outputs that go by what is held."""
    images, _, _, down, across, _, _ = tile
    return (loops.images // images) * (loops.rows.outputs // down) * (loops.columns.outputs // across)


def n_passes(loops: Loops, tile: Sequence[Any]) -> Any:
    """Count the blocks of terms that a sum is made of."""
    _, channels, _, _, _, taps_down, taps_across = tile
    return (loops.channels // channels) * (loops.rows.taps // taps_down) * (loops.columns.taps // taps_across)


def span(axis: Axis, outputs: Any, taps: Any) -> Any:
    """Length of what a tile sees along an axis."""
    return (outputs - 1) * axis.stride + (taps - 1) * axis.dilation + 1


def _line(axis: Axis, outputs: Any, taps: Any) -> Any:
    """Add up what all tiles along an axis see."""
    return (axis.outputs // outputs) * (axis.taps // taps) * span(axis, outputs, taps)
