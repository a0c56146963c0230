"""Comparisons of binary numbers, and the largest of several, as gates.

A number is a list of signals, low bit first.  All comparisons run from the low bit up, because the highest bit in
which two numbers differ decides and so has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence

from bvar.circuit.rules import Builder

__all__ = ["at_least", "equals", "first_largest"]

AND, OR, NOT_FIRST_AND, CHOICE, AHEAD = 0b1000, 0b1110, 0b0100, 0b11001010, 0b10110010
# CHOICE(a, b, s) is b where s is T; AHEAD(a, b, r) is T if a > b, or a = b and r: most of a, not b, r


def at_least(builder: Builder, bits: Sequence[int], value: int) -> int:
    """Tell whether a number is at least a constant that has no more bits."""
    result = builder.constant(True)
    for i, bit in enumerate(bits):
        result = builder.add(AND if value >> i & 1 else OR, (bit, result))
    return result


def equals(builder: Builder, bits: Sequence[int], value: int) -> int:
    """Tell whether a number is a constant that has no more bits."""
    result = builder.constant(True)
    for i, bit in enumerate(bits):
        result = builder.add(AND if value >> i & 1 else NOT_FIRST_AND, (bit, result))
    return result


def first_largest(builder: Builder, numbers: Sequence[Sequence[int]]) -> list[int]:
    """Return the index of the first of the largest numbers: winners of pairs meet until one is left."""
    width = (len(numbers) - 1).bit_length()
    field = [
        (list(number), [builder.constant(bool(i >> b & 1)) for b in range(width)])
        for i, number in enumerate(numbers)
    ]
    while len(field) > 1:
        winners = [_winner(builder, *pair) for pair in zip(field[::2], field[1::2], strict=False)]
        field = winners + field[2 * len(winners) :]
    return field[0][1]


Contender = tuple[list[int], list[int]]


def _winner(builder: Builder, first: Contender, second: Contender) -> Contender:
    """Return the larger number and its index; of equal ones the first."""
    ahead = builder.constant(True)
    for a, b in zip(first[0], second[0], strict=True):
        ahead = builder.add(AHEAD, (a, b, ahead))

    def chosen(which: int) -> list[int]:
        return [builder.add(CHOICE, (b, a, ahead)) for a, b in zip(first[which], second[which], strict=True)]

    return chosen(0), chosen(1)
