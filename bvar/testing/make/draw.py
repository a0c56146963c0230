"""Where inputs of vectors come from: raw random bits, and the widths and gates at the seams."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from math import ulp
from typing import Any, NamedTuple, TypeAlias

from bvar.testing.oracle.definitions import float32
from bvar.testing.oracle.formats import float32_of, hex32

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
    "draw_gates",
    "halfway",
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


def halfway(near: float) -> float:
    """Give the number halfway between two neighbours of float32."""
    low = hex32(near)
    return (float32_of(low) + float32_of(f"{int(low, 16) + 1:08x}")) / 2


def around(number: float) -> list[float]:
    """Give a number and its nearest neighbours."""
    return [number + k * ulp(number) for k in (0, 1, -1, 2, -2)]


def last_bit(draw: Draw, scale: float, right: Callable[[float], float], *wrong: Callable[[float], float]) -> float:
    """Find a number whose float32 quotient by scale is another for each wrong order of operations."""
    while True:  # only numbers next to a middle can differ, and not every middle has one
        for number in around(halfway(1e-6 * (1 + draw.below(10**6))) * scale):
            if all(float32(right(number)) != float32(order(number)) for order in wrong):
                return number
