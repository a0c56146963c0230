"""Truth tables as integers: bit ``a`` is the value at address ``a``, and input ``i`` is bit ``i`` of the address.

A truth table is also a word of ``2**k`` samples, one for each address.  So a table with other tables for inputs is
evaluated as a gate is, and `compose` is all that it takes to fix, merge, drop, reorder or negate inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

__all__ = ["MAX_FAN_IN", "cofactors", "compose", "full", "projection", "rewire", "support"]

MAX_FAN_IN = 6  # the table of six inputs is one 64-bit word

_CACHE = 2**16  # gates of two inputs have sixteen tables between them; those of six may all differ


def full(k: int) -> int:
    """Return the table of `k` inputs that is T everywhere."""
    return (1 << (1 << k)) - 1


@lru_cache
def projection(i: int, k: int) -> int:
    """Return the table of `k` inputs that equals input `i`."""
    return sum(1 << address for address in range(1 << k) if address >> i & 1)


@lru_cache(_CACHE)
def compose(table: int, columns: tuple[int, ...], ones: int) -> int:
    """Return the table of a gate whose inputs are the tables `columns`; `ones` is `full` of their inputs."""
    values = [ones if table >> address & 1 else 0 for address in range(1 << len(columns))]
    for column in columns:
        values = [low ^ (column & (low ^ high)) for low, high in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def cofactors(table: int, i: int, k: int) -> tuple[int, int]:
    """Return the tables, still of `k` inputs, with input `i` fixed at F and at T."""
    at_true = projection(i, k)
    low, high = table & ~at_true, table & at_true
    return low | low << (1 << i), high | high >> (1 << i)


@lru_cache(_CACHE)
def support(table: int, k: int) -> tuple[int, ...]:
    """Return the inputs that can change the value."""
    return tuple(i for i in range(k) if len(set(cofactors(table, i, k))) == 2)


def rewire(
    table: int, inputs: Sequence[int], kept: Sequence[int], constants: Mapping[int, bool] | None = None
) -> int:
    """Return the table as a function of the signals `kept`; the others are `constants`, or F.

    Of signals that are kept twice the first counts, and the table does not depend on the second.
    """
    ones, constants = full(len(kept)), constants or {}
    columns = [
        projection(kept.index(signal), len(kept)) if signal in kept else ones * constants.get(signal, False)
        for signal in inputs
    ]
    return compose(table, tuple(columns), ones)
