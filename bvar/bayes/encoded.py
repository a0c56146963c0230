"""What estimators of Boolean beliefs share: samples become values of M, and targets are checked.

An encoder learns its questions in `fit`, as for the networks that are trained: :doc:`encode-data` says which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted

from bvar.encoding import BitEncoder, TableEncoder
from bvar.encoding.samples import check_table

__all__ = ["EncodedEstimator"]


class EncodedEstimator(BaseEstimator):
    """Base class of estimators whose samples are bits; a subclass has a parameter `encoder`."""

    encoder: Any

    def _check(self, X: Any, y: Any, *, classes: bool = False) -> tuple[Any, np.ndarray]:
        """Check samples and their targets, and note the features."""
        X = check_table(self, X, reset=True, ensure_all_finite="allow-nan")
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        y = _classes(y) if classes else check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        check_consistent_length(X, y)
        return X, y

    def _learn_signs(self, X: Any, y: np.ndarray) -> np.ndarray:
        """Fit the encoder, and return what it makes of the samples."""
        if not (self.encoder is None or isinstance(self.encoder, BitEncoder)):
            raise TypeError(f"encoder must be one of bvar.encoding, got {self.encoder!r}")
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(X, y)
        return self.encoder_.transform(X)

    def _signs(self, X: Any) -> np.ndarray:
        """Encode samples as values of M, (n_samples, n_bits)."""
        check_is_fitted(self)
        return self.encoder_.transform(check_table(self, X, reset=False, ensure_all_finite="allow-nan"))

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a legal value and that sparse matrices are."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


def _classes(y: Any) -> np.ndarray:
    y = column_or_1d(y, warn=True)
    if y.dtype.kind in "fO":
        assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y
