"""What classifiers of real numbers share: samples that may be images, classes, and the most probable as answer.

A subclass has `predict_proba`, and keeps its weights in `coefs_` and `intercepts_` (:mod:`bvar.real.perceptron`).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar._validation import as_array
from bvar.encoding.columns import is_frame
from bvar.encoding.samples import as_table, flat_images, in_order, refuse_unordered
from bvar.real.perceptron import Parameters

__all__ = ["RealClassifier"]

_DTYPES = (np.float64, np.float32)


class RealClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of samples of float32 or float64, which may come as images of a shape that it knows."""

    classes_: np.ndarray
    coefs_: Parameters
    intercepts_: Parameters

    @abstractmethod
    def _image_shape(self) -> tuple[int, ...] | None:
        """Return the shape of images, if samples are images."""

    @abstractmethod
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Estimate probabilities of the classes."""

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable classes.
        """
        probabilities = self.predict_proba(X)  # first, for its check that there are classes
        return self.classes_[probabilities.argmax(axis=1)]

    def _learn_classes(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Check samples and classes; return the samples as rows, and the numbers of their classes."""
        y = as_array(y, "y") if isinstance(y, list | tuple) else y
        samples, y = validate_data(self, self._rows(X), y, dtype=_DTYPES)
        if y.dtype.kind == "O":
            refuse_unordered(y, "y")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have at least two classes, got one class, {self.classes_.tolist()[0]!r}")
        return samples, codes

    def _samples(self, X: Any) -> np.ndarray:
        """Return samples as rows, after checking that they are like those of `fit`."""
        check_is_fitted(self, "coefs_")
        if is_frame(X):
            X = in_order(X, getattr(self, "feature_names_in_", ()), "X")
        return validate_data(self, self._rows(X), dtype=_DTYPES, reset=False)

    def _rows(self, X: Any) -> Any:
        """Lay images out as rows, if they are of the shape that was named."""
        named = self._image_shape()
        rows, shape = flat_images(X, channels_last=named is not None)
        if shape is None or named is None:
            return as_table(X)
        if shape != (*named, 1)[:3]:
            raise ValueError(f"image_shape is {named!r}, but X has images of shape {shape}")
        return rows
