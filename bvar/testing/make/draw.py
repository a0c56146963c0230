"""Where inputs of vectors come from: raw random bits, and the widths and gates at the seams."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from math import ulp
from typing import Any, NamedTuple, TypeAlias

__all__ = [
    "AND",
    "BATCHES",
    "GATES",
    "NAND",
    "OR",
    "SEAMS",
    "WIDE",
    "XNOR",
    "XOR",
    "Case",
    "Cases",
    "Draw",
    "around",
    "draw_candidates",
    "draw_gates",
    "last_bit",
    "width_flags",
]


class Case(NamedTuple):
    """One test before it has an answer."""

    comment: str
    flags: list[str]
    inputs: dict[str, Any]


class Draw:
    """Bits and numbers from raw random bits, a stream that Python keeps between versions."""

    def __init__(self, seed: str) -> None:
        self.source = random.Random(seed)

    def below(self, n: int) -> int:
        """Give a number in [0, n)."""
        return self.source.getrandbits(48) % n

    def row(self, n: int, alphabet: str = "01") -> str:
        """Give a row."""
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(n))

    def rows(self, r: int, n: int, alphabet: str = "01") -> list[str]:
        """Give rows."""
        return [self.row(n, alphabet) for _ in range(r)]

    def ints(self, n: int, low: int, high: int) -> list[int]:
        """Give integers of [low, high]."""
        return [low + self.below(high - low + 1) for _ in range(n)]

    def matrix(self, r: int, n: int, low: int, high: int) -> list[list[int]]:
        """Give rows of integers."""
        return [self.ints(n, low, high) for _ in range(r)]


Cases: TypeAlias = Iterator[Case]

SEAMS = [1, 7, 63, 64, 65, 128, 129, 193, 194, 195, 196, 257]
WIDE = [511, 512, 513, 1023, 1024, 1025, 4097]
"""Rows that fill vectors of 512 bits, once, twice and eight times, and rows that just do not."""

BATCHES = [63, 64, 65, 127, 128, 129]
"""Samples, neurons or gates around one word and two, where planes of bits begin a new one."""

GATES = range(16)
OR, XNOR, AND, XOR, NAND = 7, 9, 1, 6, 14


def width_flags(n: int) -> list[str]:
    """Say whether rows of n bits end inside a word."""
    return ["RaggedTail"] if n % 64 else ["Random"]


def draw_gates(draw: Draw, n_samples: int, n_units: int, n_gates: int, fan_in: int) -> dict[str, Any]:
    """Give samples, wires and tables."""
    return {
        "x": draw.rows(n_samples, n_units),
        "wires": draw.matrix(n_gates, fan_in, 0, n_units - 1),
        "tables": draw.rows(n_gates, 1 << fan_in),
    }


def draw_candidates(draw: Draw, n_units: int, n_gates: int, fan_in: int, n_candidates: int) -> list[Any]:
    """Give what each wire of each gate may read."""
    return [draw.matrix(fan_in, n_candidates, 0, n_units - 1) for _ in range(n_gates)]


def around(number: float) -> list[float]:
    """Give a number and its nearest neighbours."""
    return [number + k * ulp(number) for k in (0, 1, -1, 2, -2)]


def last_bit(
    draw: Draw,
    scale: float,
    right: Callable[[float], int],
    *wrong: Callable[[float], int],
    at: float = 0.5,
    most: int = 10**9,
) -> float:
    """Find a number at a seam, `at` behind a multiple of scale below `most`, that wrong orders round elsewhere."""
    while True:  # only numbers next to a seam can differ, and not every seam has one
        for number in around((draw.below(most) + at) * scale):
            if all(right(number) != order(number) for order in wrong):
                return number
