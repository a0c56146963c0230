"""Which inputs gates read: drawn once, from raw random words by rules that a port can repeat, or all alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar._validation import check_integer
from bvar.bits.random import RandomWords
from bvar.kernels import Wiring

__all__ = [
    "column_wires",
    "image_places",
    "in_turn",
    "random_candidates",
    "random_wires",
    "side_by_side",
    "window_wires",
]


def random_wires(n_inputs: int, n_outputs: int, fan_in: int, source: RandomWords) -> np.ndarray:
    """Draw wires that use the inputs evenly and give no gate the same input twice, where that is possible.

    Parameters
    ----------
    n_inputs, n_outputs, fan_in : int
        As for :class:`bvar.layers.GateLayer`.
    source : RandomWords
        Where orders come from.

    Returns
    -------
    ndarray of int64, shape (n_outputs, fan_in)
        Wires; every input is used as often as any other, or once more.

    Raises
    ------
    TypeError, ValueError
        If `n_inputs` is no positive integer.

    Notes
    -----
    Permutations of the inputs are laid end to end, and each gate takes the next `fan_in` numbers.  Where a gate
    takes the end of one permutation and the beginning of the next, the numbers that it has already are put at the
    end of the next first, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers.wires import random_wires
    >>> np.bincount(random_wires(4, 6, 2, RandomWords(0)).ravel())
    array([3, 3, 3, 3])
    """
    n_inputs = check_integer(n_inputs, "n_inputs", low=1)
    n_wires = n_outputs * fan_in
    numbers = np.empty(0, np.int64)
    while len(numbers) < n_wires:
        order = source.permutation(n_inputs)
        has = np.isin(order, numbers[len(numbers) - len(numbers) % fan_in :])
        numbers = np.concatenate([numbers, order[~has], order[has]])
    return numbers[:n_wires].reshape(n_outputs, fan_in)


def random_candidates(
    n_inputs: int, n_outputs: int, fan_in: int, n_candidates: int, source: RandomWords
) -> np.ndarray:
    """Draw candidates for wires that are learnt, as evenly as :func:`random_wires` draws wires.

    Parameters
    ----------
    n_inputs, n_outputs, fan_in : int
        As for :class:`bvar.layers.GateLayer`.
    n_candidates : int
        Candidates of each wire.
    source : RandomWords
        Where orders come from.

    Returns
    -------
    ndarray of int64, shape (n_outputs, fan_in, n_candidates)
        Candidates; those of one gate differ, where that is possible.

    Notes
    -----
    These are the wires of gates of ``fan_in * n_candidates``; wire i of a gate takes every `fan_in`-th, from i on.

    Examples
    --------
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers import random_candidates
    >>> random_candidates(100, 50, 2, 8, RandomWords(0)).shape
    (50, 2, 8)
    """
    drawn = random_wires(n_inputs, n_outputs, fan_in * n_candidates, source)
    return drawn.reshape(n_outputs, n_candidates, fan_in).transpose(0, 2, 1)


def column_wires(
    widths: Sequence[int] | np.ndarray, n_outputs: int, fan_in: int, source: RandomWords
) -> np.ndarray:
    """Draw wires that use the columns of a table evenly, however many bits each of them has.

    Parameters
    ----------
    widths : sequence of int
        Bits of each column, one after another; a column may have none.
    n_outputs, fan_in : int
        As for :class:`bvar.layers.GateLayer`.
    source : RandomWords
        Where orders come from.

    Returns
    -------
    ndarray of int64, shape (n_outputs, fan_in)
        Wires; every column is used as often as any other, or once more, and so is every bit among those of its
        column.

    Raises
    ------
    ValueError
        If no column has bits.

    Notes
    -----
    First a column is drawn for each wire, as :func:`random_wires` draws inputs.  The wires of a column then take
    its bits from permutations laid end to end, column by column.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers.wires import column_wires
    >>> np.bincount(column_wires([1, 0, 4], 8, 2, RandomWords(0)).ravel())
    array([8, 2, 2, 2, 2])
    """
    ends = np.cumsum(np.asarray(widths, np.int64))
    if not ends.size or not ends[-1]:
        raise ValueError(f"widths must have a column with bits, got {widths!r}")
    columns = [(int(end) - width, width) for end, width in zip(ends, widths, strict=True) if width]
    drawn = random_wires(len(columns), n_outputs, fan_in, source)
    wires = np.empty_like(drawn)
    for number, (first, width) in enumerate(columns):
        mine = drawn == number
        n_mine = np.count_nonzero(mine)
        if n_mine:  # where wires are few, some columns have none
            orders = [source.permutation(width) for _ in range(-(-n_mine // width))]
            wires[mine] = first + np.concatenate(orders)[:n_mine]
    return wires


def window_wires(
    places: np.ndarray, n_outputs: int, fan_in: int, size: int, source: RandomWords
) -> tuple[np.ndarray, np.ndarray]:
    """Draw wires for images: each gate has a place, and reads inputs whose places are near it.

    Parameters
    ----------
    places : ndarray of int, shape (n_inputs, 2)
        Row and column of each input, from 0; see :func:`image_places`.
    n_outputs, fan_in : int
        As for :class:`bvar.layers.GateLayer`.
    size : int
        Height and width of the window of places around each gate.
    source : RandomWords
        Where places and wires come from.

    Returns
    -------
    wires : ndarray of int64, shape (n_outputs, fan_in)
        Wires; those of one gate differ.
    places : ndarray of int64, shape (n_outputs, 2)
        Places of the gates, for the wires of the next layer.

    Raises
    ------
    TypeError, ValueError
        If places are not pairs of integers, or a window holds fewer than `fan_in` inputs.

    Notes
    -----
    The image is as large as the places say.  Permutations of its pixels, row by row, are laid end to end and give
    the places of the gates.  The corner of a window is ``size // 2`` above and left of the place, but pushed
    inside the image.  Inputs in a window are ordered by their numbers; for wire i one raw word, modulo the number
    of those that are left, says which of these to take.  All words of a gate come before those of the next.

    Examples
    --------
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers.wires import image_places, window_wires
    >>> source = RandomWords(0)
    >>> wires, places = window_wires(image_places((28, 28)), 500, 2, 3, source)
    >>> wires, places = window_wires(places, 500, 2, 9, source)
    >>> wires.shape
    (500, 2)
    """
    places = np.asarray(places)
    if places.dtype.kind not in "iu" or places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise TypeError(f"places must be integers of shape (n_inputs, 2), got {places.dtype} {places.shape}")
    height, width = (int(side) for side in places.max(axis=0) + 1)
    size = check_integer(size, "size", low=1, high=min(height, width))
    n_orders = -(-n_outputs // (height * width))
    pixels = np.concatenate([source.permutation(height * width) for _ in range(n_orders)])[:n_outputs]
    middles = np.stack(np.divmod(pixels, width), axis=1)
    corners = np.clip(middles - size // 2, 0, [height - size, width - size])
    words = source.words.random_raw(n_outputs * fan_in).reshape(n_outputs, fan_in)
    inside = {tuple(corner): _in_window(places, corner, size) for corner in np.unique(corners, axis=0).tolist()}
    if min(map(len, inside.values())) < fan_in:
        raise ValueError(f"size must make windows of at least {fan_in} inputs; one of {size} x {size} has fewer")
    wires = [_take(inside[tuple(corner)], row) for corner, row in zip(corners.tolist(), words, strict=True)]
    return np.array(wires, np.int64), middles


def image_places(shape: tuple[int, int], n_planes: int = 1) -> np.ndarray:
    """Give each bit of an image its place, for :func:`window_wires`.

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    n_planes : int, default=1
        Bits of each pixel: bit ``(p * height + r) * width + c`` is that of plane p at row r and column c.

    Returns
    -------
    ndarray of int64, shape (n_planes * height * width, 2)
        Row and column of each bit.

    Examples
    --------
    >>> from bvar.layers.wires import image_places
    >>> image_places((2, 2)).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return np.tile(np.stack(np.divmod(np.arange(shape[0] * shape[1]), shape[1]), axis=1), (n_planes, 1))


def _in_window(places: np.ndarray, corner: list[int], size: int) -> np.ndarray:
    return np.flatnonzero(((places >= corner) & (places < np.add(corner, size))).all(axis=1))


def _take(candidates: np.ndarray, words: np.ndarray) -> list[int]:
    left, taken = candidates, []
    for word in words.tolist():
        which = word % len(left)
        taken.append(int(left[which]))
        left = np.delete(left, which)
    return taken


def side_by_side(wiring: Wiring, n_times: int) -> Wiring:
    """Wire as many copies of all gates, each to units of its own."""
    first = np.arange(0, n_times * wiring.n_units, wiring.n_units, dtype=np.int32)
    wires = first[:, None, None] + wiring.wires
    return Wiring.trusted(wires.reshape(-1, wiring.fan_in), n_times * wiring.n_units)


def in_turn(n_gates: int, fan_in: int) -> Wiring:
    """Let each gate read the next few gates of the level below."""
    return Wiring(np.arange(n_gates * fan_in).reshape(n_gates, fan_in), n_gates * fan_in)
