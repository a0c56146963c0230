"""Where inputs of vectors come from: raw random bits, and the widths and gates at the seams."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

__all__ = ["AND", "GATES", "OR", "SEAMS", "XNOR", "XOR", "Case", "Cases", "Draw", "draw_gates", "width_flags"]


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
GATES = range(16)
OR, XNOR, AND, XOR = 7, 9, 1, 6


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
