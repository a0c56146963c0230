"""Samples that are changed anew in each epoch, before they become bits: augmented, then degraded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bvar.augmentation.changes import apply_augmentations
from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.mollify import Mollifier, standard_moments
from bvar.networks.cross_entropy import integer_targets
from bvar.training.data import Batch, TrainingData

__all__ = ["ChangingData", "Degradation"]

_ROWS = 4096  # changed at a time


class ChangingData:
    """Samples and classes, and what makes changed copies of them.

    Changes are a matter of floats, but of floats that no backend computes: the bits that come out, and so the
    model, do not depend on the backend.
    """

    def __init__(
        self,
        X: Any,
        data: TrainingData,
        encode: Callable[[np.ndarray], BitMatrix],
        augment: Any = None,
        degradation: Degradation | None = None,
        image_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.X, self.data, self.encode = _array(X), data, encode
        self.augment, self.degradation = augment, degradation
        self.image_shape = image_shape  # of flat samples that are known to be images
        # this checks the parameters of augmentations before anything is trained
        self._augmented(self.X[:1], np.random.RandomState(0))

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return self.data.n_batches

    def epoch(self, progress: float, source: RandomWords) -> Iterator[Batch]:
        """Change the samples, then draw an order and cut it into batches."""
        return self.changed(progress, source).epoch(progress, source)

    def changed(self, progress: float, source: RandomWords) -> TrainingData:
        """Augment, degrade, encode and soften; `progress` in [0, 1] is how far training is."""
        random = np.random.RandomState(int(source.words.random_raw()) >> 32)
        parts, smoothing = [], []
        for start in range(0, len(self.X), _ROWS):
            samples = self._augmented(self.X[start : start + _ROWS], random)
            if self.degradation is not None:
                samples, gamma = self.degradation.degrade(samples, progress, random)
                smoothing.append(gamma)
            parts.append(self.encode(samples))
        y = self.data.y
        if self.degradation is not None:
            y = integer_targets(y, np.concatenate(smoothing), self.degradation.n_classes)
        return replace(self.data, x=BitMatrix.concatenate(parts), y=y)

    def _augmented(self, X: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        images = X if self.image_shape is None else X.reshape(len(X), *self.image_shape)
        return apply_augmentations(images, self.augment, random).reshape(X.shape)


class Degradation:
    """A mollifier for samples that are not standardised; it knows the moments of the training samples."""

    def __init__(self, mollifier: Mollifier, X: Any, n_classes: int) -> None:
        numbers = _floats(X)
        self.mollifier, self.n_classes = mollifier, n_classes
        if "b" in mollifier.roles and np.isnan(numbers).any():
            raise ValueError(
                "X has missing values, which cannot be blurred: take 'b' out of the mollifier's roles"
            )
        self.mean, self.std = standard_moments(numbers, mollifier.image_shape)
        mollifier.degrade(numbers[:1], 0, 0.0)  # this checks its parameters before anything is trained

    def degrade(
        self, X: np.ndarray, progress: float, random: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return degraded samples and how much their classes are to be softened."""
        X = _floats(X)
        standard = (X - self.mean) / self.std
        degraded, gamma = self.mollifier.degrade(standard, random, progress)
        clean = ((degraded == standard) | np.isnan(standard)).all(axis=1)
        numbers = degraded * self.std + self.mean
        numbers[clean] = X[clean]  # as they were: going there and back would round
        return numbers, gamma


def _array(X: Any) -> np.ndarray:
    return X.toarray() if hasattr(X, "toarray") else np.asarray(X)


def _floats(X: Any) -> np.ndarray:
    """Return a table as float64; what is no number cannot be degraded."""
    try:
        return np.asarray(_array(X), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"mollifier needs numbers in all columns of X: {error}") from error
