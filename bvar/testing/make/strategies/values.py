"""What strategies are made of: gates, widths at the seams, rows and matrices."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.subjects.oracle import Oracle

__all__ = [
    "BATCHES",
    "GATES",
    "INT8",
    "LEARNING_GATES",
    "M",
    "MANY",
    "REPEATS",
    "SMALL",
    "VOTES",
    "WIDTHS",
    "Draw",
    "Strategy",
    "ints",
    "matrix",
    "rows",
]

Draw = Any
Strategy = st.SearchStrategy[Any]


def _learns(gate: int) -> bool:
    return all(set(row) != {"u"} for row in Oracle().gate_variations(gate))


M = "01u"
GATES = st.integers(0, 15)
LEARNING_GATES = GATES.filter(_learns)
SEAMS = [63, 64, 65, 127, 128, 129, 191, 193, 194, 195, 196, 257, 511, 512, 513, 1023, 1024, 1025, 4097]
WIDTHS = st.integers(1, 12) | st.sampled_from(
    SEAMS
)  # one list, so that a wide row shrinks to the first that fails
BATCHES = st.sampled_from([63, 64, 65, 127, 128, 129])
MANY = st.sampled_from([65, 130])
SMALL = st.integers(1, 5)
INT8 = st.integers(-128, 127)
REPEATS = st.sampled_from([1, 1, 1, 1, 43, 300])
"""How often a batch is said again: three samples are then 129, and sums outgrow sixteen bits."""

VOTES = st.integers(-3, 3) | st.integers(-(2**31) + 1, 2**31 - 1)


def rows(r: int, n: int, alphabet: str = "01") -> Strategy:
    """Rows of one length; a row is one or two large numbers, which draw and shrink faster than letters.

    Hypothesis gives out few random bytes, so a wide row says again and again what its first 61 values say.
    """
    if n > 300:
        return rows(r, 61, alphabet).map(lambda short: [(row * (n // 61 + 1))[:n] for row in short])
    planes = [st.integers(0, 2**n - 1) for _ in alphabet[1:]]

    def spell(numbers: tuple[int, ...]) -> str:
        return "".join(alphabet[sum(k >> i & 1 for k in numbers)] for i in range(n))

    constant = st.sampled_from([c * n for c in alphabet])
    return st.lists(st.tuples(*planes).map(spell) | constant, min_size=r, max_size=r)


def matrix(r: int, n: int, of: Strategy) -> Strategy:
    """Rows of integers."""
    return st.lists(st.lists(of, min_size=n, max_size=n), min_size=r, max_size=r)


def ints(n: int, of: Strategy) -> Strategy:
    """As many integers as are wanted."""
    return st.lists(of, min_size=n, max_size=n)
