"""What a pass through a transformer leaves: for the backward pass, or for the next token."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["AttentionContext", "BlockContext", "Cache", "Context", "HalfContext", "NormContext", "UnitContext"]


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

    def out_of_sight(self, n: int, n_keys: int, dtype: np.dtype) -> np.ndarray | None:
        """Return what hides keys too far back from the last n positions; nothing where none is."""
        if n_keys <= self.context:
            return None  # nothing is added, so that no bit moves
        last_hidden = np.arange(n_keys - n, n_keys)[:, None] - self.context
        return np.where(np.arange(n_keys) <= last_hidden, -np.inf, 0).astype(dtype)


class NormContext(NamedTuple):
    """Rows, centred if they are, and what they were multiplied by."""

    x: np.ndarray
    factor: np.ndarray


class AttentionContext(NamedTuple):
    """What attention took, looked at and found."""

    taken: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    found: np.ndarray
    shares: np.ndarray


class UnitContext(NamedTuple):
    """What units took and gave; their inputs, and slopes or, where they are gated, sigmoids."""

    taken: np.ndarray
    up: np.ndarray
    out: np.ndarray
    slope: np.ndarray
    gate: np.ndarray | None


class HalfContext(NamedTuple):
    """What half a block needs: attention or units, with their normalisation."""

    norm: NormContext
    part: Any


class BlockContext(NamedTuple):
    """What the backward pass of a block needs."""

    attention: HalfContext
    units: HalfContext


class Context(NamedTuple):
    """What the backward pass needs, and what each block has put out."""

    ids: np.ndarray
    angles: tuple[np.ndarray, np.ndarray] | None
    kept: list[BlockContext]
    streams: list[np.ndarray]
    norm: NormContext
    out: np.ndarray
