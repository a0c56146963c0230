"""A model that does not see one of its features: every bit that asks about it is 0 of M, not known."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from bvar.bits import BitMatrix
from bvar.encoding import BitEncoder
from bvar.estimators.fitted import FittedModel
from bvar.kernels import pack

__all__ = ["check_model", "names_of_features", "without"]


def check_model(model: Any) -> FittedModel:
    """Refuse what is not a fitted model of this package."""
    if not isinstance(model, FittedModel):
        raise TypeError(
            "model must be an estimator of bvar.estimators, which answers where a feature is not known, got "
            f"{type(model).__name__}; of a pipeline, give the last step, with samples as the others make them"
        )
    check_is_fitted(model, "network_")
    return model


def names_of_features(model: FittedModel) -> list[str]:
    """Name the features as they were in `fit`, or x0, x1, ..."""
    return list(getattr(model, "feature_names_in_", [f"x{i}" for i in range(model.n_features_in_)]))


def without(model: FittedModel, feature: int) -> FittedModel:
    """Return the same model, for which the values of a feature are missing whatever they are."""
    blind = copy.copy(model)
    blind.encoder_ = _Hiding(model.encoder_, feature)
    return blind


class _Hiding(BitEncoder):
    """An encoder whose answers about one column are not known."""

    def __init__(self, encoder: BitEncoder, column: int) -> None:
        self.encoder = encoder
        self.column = column
        self.n_features_in_, self.n_bits_out_ = encoder.n_features_in_, encoder.n_bits_out_
        self._seen = pack(encoder.bit_columns()[None] != column).words

    def encode(self, X: Any, *, check_input: bool = True) -> BitMatrix:
        """Encode, and forget the answers about the column."""
        return self._forget(self.encoder.encode(X, check_input=check_input))

    def encode_blocks(self, X: Any, n_rows: int, *, check_input: bool = True) -> Iterator[BitMatrix]:
        """Encode block by block, likewise."""
        return map(self._forget, self.encoder.encode_blocks(X, n_rows, check_input=check_input))

    def _forget(self, bits: BitMatrix) -> BitMatrix:
        known = np.broadcast_to(self._seen, bits.words.shape) if bits.known is None else bits.known & self._seen
        return BitMatrix(bits.words & known, bits.n_bits, np.ascontiguousarray(known))
