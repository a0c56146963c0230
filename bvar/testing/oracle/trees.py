"""The oracle of convolutions of gates: trees over windows, and or-pools, each vote a finite change.

A tree is climbed as a whole, once with what is voted on at T and once at F, so that nothing here rests on the
chain rule that layers go down by.  Tables are given level by level, from the leaves to the root, those of all
trees together; above the leaves, gates read those below in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from bvar.testing.oracle.definitions import Image, Matrix, Row, table_value, taps_at

__all__ = ["or_back", "or_pool", "pixel_votes", "table_votes", "tree_values"]

Tables = list[Matrix]


def tree_values(image: Image, wires: Matrix, tables: Tables, places: Row, **window: Row) -> Row:
    """Give the answers of all trees at each place, in the order place row, place column, tree."""
    return [
        _climb(_of_tree(tables, tree), [seen[leaf] for leaf in leaves])
        for _, seen in _seen(image, places, window)
        for tree, leaves in enumerate(_leaves(wires, tables))
    ]


def table_votes(z: Row, image: Image, wires: Matrix, tables: Tables, places: Row, **window: Row) -> Tables:
    """Give what z * e(answers) of all places would gain, halved, if an entry went from F to T, over its looks.

    It is divided by the square of the number of places that look at the entry, in units of 1/64, halves up.
    """
    changes: Tables = [[[0] * len(table) for table in rows] for rows in tables]
    looks: Tables = [[[0] * len(table) for table in rows] for rows in tables]
    for place, seen in _seen(image, places, window):
        for tree, leaves in enumerate(_leaves(wires, tables)):
            own, bits = _of_tree(tables, tree), [seen[leaf] for leaf in leaves]
            signal = z[place * len(tables[-1]) + tree]
            for level, gate, entry in _looked_at(own, bits):
                at = tree * len(own[level]) + gate
                high, low = (_climb(_with(own, level, gate, entry, bit), bits) for bit in (1, 0))
                changes[level][at][entry] += signal * (high - low)
                looks[level][at][entry] += 1
    return [
        [[_vote(*pair) for pair in zip(*both, strict=True)] for both in zip(*level, strict=True)]
        for level in zip(changes, looks, strict=True)
    ]


def pixel_votes(z: Row, image: Image, wires: Matrix, tables: Tables, places: Row, **window: Row) -> Row:
    """Sum z * half the change of a tree when a leaf goes from F to T, over leaves, cut, and over windows, cut."""
    height, width, channels = len(image), len(image[0]), len(image[0][0])
    votes = [0] * (height * width * channels)
    for place, seen in _seen(image, places, window):
        taps = taps_at(*divmod(place, places[1]), [height, width], **window)
        of_window = [0] * len(seen)
        for tree, leaves in enumerate(_leaves(wires, tables)):
            own, bits = _of_tree(tables, tree), [seen[leaf] for leaf in leaves]
            for i, leaf in enumerate(leaves):
                high, low = (_climb(own, [*bits[:i], bit, *bits[i + 1 :]]) for bit in (1, 0))
                of_window[leaf] += z[place * len(tables[-1]) + tree] * (high - low)
        for i, vote in enumerate(of_window):
            pixel = taps[i // channels]
            if pixel is not None:
                votes[(pixel[0] * width + pixel[1]) * channels + i % channels] += _cut(vote)
    return [_cut(vote) for vote in votes]


def or_pool(image: Image, size: int) -> Row:
    """Tell for each square and channel whether any pixel is T."""
    return [int(any(image[y][x][c] for y, x in square)) for square, c in _squares(image, size)]


def or_back(z: Row, image: Image, size: int) -> Row:
    """Give each pixel z * half the change of the "or" of its square when it goes from F to T."""
    width, channels = len(image[0]), len(image[0][0])
    out = [0] * (len(image) * width * channels)
    for signal, (square, c) in zip(z, _squares(image, size), strict=True):
        for y, x in square:
            others = any(image[b][a][c] for b, a in square if (b, a) != (y, x))
            out[(y * width + x) * channels + c] = signal * (1 - int(others))
    return out


def _cut(vote: int) -> int:
    return max(-32767, min(32767, vote))


def _leaves(wires: Matrix, tables: Tables) -> Matrix:
    """Give the bits of a window that each tree reads."""
    size = len(wires) // len(tables[-1])
    return [[leaf for wire in wires[at : at + size] for leaf in wire] for at in range(0, len(wires), size)]


def _of_tree(tables: Tables, tree: int) -> Tables:
    """Give the tables of one tree."""
    sizes = [len(rows) // len(tables[-1]) for rows in tables]
    return [rows[tree * size : (tree + 1) * size] for rows, size in zip(tables, sizes, strict=True)]


def _climb(tables: Tables, bits: Row) -> int:
    """Give the answer of one tree."""
    for rows in tables:
        fan_in = len(bits) // len(rows)
        bits = [table_value(table, bits[g * fan_in : (g + 1) * fan_in]) for g, table in enumerate(rows)]
    return bits[0]


def _vote(change: int, looks: int) -> int:
    return floor(Fraction(64 * change, looks**2) + Fraction(1, 2)) if looks else 0


def _looked_at(tables: Tables, bits: Row) -> Iterator[tuple[int, int, int]]:
    """Give the entry that each gate of a tree looks at; no other has a say."""
    for level, rows in enumerate(tables):
        fan_in = len(bits) // len(rows)
        read = [bits[g * fan_in : (g + 1) * fan_in] for g in range(len(rows))]
        for gate, own in enumerate(read):
            yield level, gate, sum(bit << i for i, bit in enumerate(own))
        bits = [table_value(table, own) for table, own in zip(rows, read, strict=True)]


def _with(tables: Tables, level: int, gate: int, entry: int, bit: int) -> Tables:
    """Give tables of which one entry is this bit."""
    changed = [[list(table) for table in rows] for rows in tables]
    changed[level][gate][entry] = bit
    return changed


def _seen(image: Image, places: Row, window: dict[str, Row]) -> Iterator[tuple[int, Row]]:
    """Give every place, and the bits that a window sees there; outside is F."""
    shape, outside = [len(image), len(image[0])], [0] * len(image[0][0])
    for place in range(places[0] * places[1]):
        taps = taps_at(*divmod(place, places[1]), shape, **window)
        yield place, [bit for tap in taps for bit in (outside if tap is None else image[tap[0]][tap[1]])]


def _squares(image: Image, size: int) -> Iterator[tuple[list[tuple[int, int]], int]]:
    """Give the pixels of every square, for every channel."""
    for y in range(len(image) // size):
        for x in range(len(image[0]) // size):
            for c in range(len(image[0][0])):
                yield [(y * size + a, x * size + b) for a in range(size) for b in range(size)], c
