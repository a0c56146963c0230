"""Covariances that floats cannot tell from singular ones, and what to say then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["positive_definite"]


@contextmanager
def positive_definite(name: str, value: float) -> Iterator[None]:
    """Say, where a factor of a covariance cannot be computed, which argument must be larger."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"{name} must be larger, got {value!r}: points are so alike that floats cannot tell their covariance "
            "from a singular one"
        ) from error
