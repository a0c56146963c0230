"""What a pass through a transformer leaves: for the backward pass, or for the next token."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["BlockContext", "Cache", "Context"]


class Cache:
    """Keys and values of the last positions, block by block."""

    def __init__(self, context: int) -> None:
        self.context, self.seen = context, 0
        self.kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def extend(self, i: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add those of new positions to block i; keys are turned already, so that old ones may be forgotten."""
        if i in self.kept:
            k, v = (np.concatenate(pair, axis=2) for pair in zip(self.kept[i], (k, v), strict=True))
        first = max(0, k.shape[2] - self.context + 1)  # with itself, a position looks back on `context`
        self.kept[i] = k[:, :, first:], v[:, :, first:]
        return k, v


class BlockContext(NamedTuple):
    """What the backward pass of a block needs."""

    x: np.ndarray
    n1: np.ndarray
    f1: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    found: np.ndarray
    shares: np.ndarray
    middle: np.ndarray
    n2: np.ndarray
    f2: np.ndarray
    g: np.ndarray
    up: np.ndarray
    unit: np.ndarray
    sigmoid: np.ndarray


class Context(NamedTuple):
    """What the backward pass needs, and what each block has put out."""

    ids: np.ndarray
    angles: tuple[np.ndarray, np.ndarray]
    kept: list[BlockContext]
    streams: list[np.ndarray]
    normal: np.ndarray
    factor: np.ndarray
