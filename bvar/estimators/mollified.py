"""Training samples that are degraded anew in each epoch, before they become bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bvar._random import RandomWords
from bvar.bits import BitMatrix
from bvar.estimators.training import TrainingData
from bvar.losses import integer_targets
from bvar.mollify import Mollifier, standard_moments

__all__ = ["MollifiedData"]

_ROWS = 4096  # degraded at a time


class MollifiedData:
    """Samples and classes, and what makes degraded copies of them.

    Degradation is a matter of floats, but of floats that no backend computes: the bits that come out, and so the
    model, do not depend on the backend.
    """

    def __init__(
        self,
        X: Any,
        data: TrainingData,
        mollifier: Mollifier,
        encode: Callable[[np.ndarray], BitMatrix],
        n_classes: int,
    ) -> None:
        self.X, self.data, self.mollifier, self.encode = _numbers(X), data, mollifier, encode
        self.n_classes = n_classes
        if "b" in mollifier.roles and np.isnan(self.X).any():
            raise ValueError(
                "X has missing values, which cannot be blurred: take 'b' out of the mollifier's roles"
            )
        self.mean, self.std = standard_moments(self.X, mollifier.image_shape)
        mollifier.degrade(self.X[:1], 0, 0.0)  # which checks its parameters, before anything is trained

    def epoch(self, progress: float, source: RandomWords) -> TrainingData:
        """Degrade, encode and soften; `progress` in [0, 1] is how far training is."""
        random = np.random.RandomState(int(source.words.random_raw()) >> 32)
        parts, smoothing = [], []
        for start in range(0, len(self.X), _ROWS):
            bits, gamma = self._degraded(self.X[start : start + _ROWS], progress, random)
            parts.append(bits)
            smoothing.append(gamma)
        targets = integer_targets(self.data.targets, np.concatenate(smoothing), self.n_classes)
        return TrainingData(BitMatrix.concatenate(parts), targets, self.data.weights)

    def _degraded(
        self, X: np.ndarray, progress: float, random: np.random.RandomState
    ) -> tuple[BitMatrix, np.ndarray]:
        standard = (X - self.mean) / self.std
        degraded, gamma = self.mollifier.degrade(standard, random, progress)
        clean = ((degraded == standard) | np.isnan(standard)).all(axis=1)
        numbers = degraded * self.std + self.mean
        numbers[clean] = X[clean]  # as they were: going there and back would round
        return self.encode(numbers), gamma


def _numbers(X: Any) -> np.ndarray:
    """Return a table as float64; what is no number cannot be degraded."""
    table = X.toarray() if hasattr(X, "toarray") else X
    try:
        return np.array(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"mollifier needs numbers in all columns of X: {error}") from error
