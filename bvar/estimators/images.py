"""What classifiers of images share: samples may come as images or flat, and all have one shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod
from typing import Any

from bvar._validation import check_image_shape
from bvar.encoding.samples import flat_images
from bvar.estimators.classification import NetworkClassifier

__all__ = ["ImageClassifier"]


class ImageClassifier(NetworkClassifier):
    """A classifier with a parameter `image_shape`, and the shape that `fit` found."""

    image_shape: Sequence[int] | None
    image_shape_: tuple[int, int, int]

    def _check_samples(self, X: Any, *, reset: bool) -> Any:
        """Lay images out as rows, and find out or compare their shape."""
        X, shape = flat_images(X, channels_last=self.image_shape is not None)
        X = super()._check_samples(X, reset=reset)
        if reset:
            self.image_shape_ = self._find_image_shape(shape)
        if shape is not None and shape != self.image_shape_:
            why = "the model was fitted to" if self.image_shape is None else "image_shape says"
            raise ValueError(f"X has images of shape {shape}, but {why} {self.image_shape_}")
        return X

    def _find_image_shape(self, shape: tuple[int, ...] | None) -> tuple[int, int, int]:
        """Complete the parameter `image_shape`; `shape` is that of the samples, None if they came flat."""
        wanted, n_features = self.image_shape, self.n_features_in_
        if wanted is None:
            side = isqrt(n_features)
            if shape is None and side * side != n_features:
                raise ValueError(
                    f"image_shape must be given: X has rows of {n_features} values, which are no square image"
                )
            return check_image_shape(shape or (side, side))
        if isinstance(wanted, tuple | list) and list(wanted).count(-1) == 1:
            others = max(1, -prod(wanted))
            wanted = tuple(n_features // others if n == -1 else n for n in wanted)
        elif isinstance(wanted, tuple | list) and list(wanted).count(-1) > 1:
            raise ValueError(f"image_shape must leave at most one number open, -1, got {wanted!r}")
        found = check_image_shape(wanted)
        if prod(found) != n_features:
            raise ValueError(f"image_shape {self.image_shape!r} does not fit images of {n_features} values")
        return found
