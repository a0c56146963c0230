"""What a signal becomes on its way down, kept for those who ask again (``docs/explanation/transformers.md``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

__all__ = ["Once"]

Made = TypeVar("Made")


class Once(Generic[Made]):
    """Part of the context of a batch: what was made of the last signal.

    A network asks a layer for the signal below, for votes and for gradients, all from one signal, and the last of
    them when bits have flipped.
    """

    def __init__(self) -> None:
        self._signal: np.ndarray | None = None
        self._made: Made | None = None

    def make(self, signal: np.ndarray, of: Callable[[np.ndarray], Made]) -> Made:
        """Make something of a signal, unless that has been done."""
        if self._signal is not signal or self._made is None:
            self._signal, self._made = signal, of(signal)
        return self._made
