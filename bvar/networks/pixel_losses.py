r"""A loss at every pixel: what a dense network is judged by (``docs/explanation/convolution.md``).

The scores of an image are those of its pixels, one after another, and each pixel is a sample of another loss.
Signals are as that loss gives them, integers where it gives integers, so nothing here rounds but the mean of
values over the pixels, which people look at.
"""

from __future__ import annotations

import numpy as np

from bvar._validation import as_array, check_integer
from bvar.networks.cross_entropy import BinaryCrossEntropy
from bvar.networks.losses import ProbabilisticLoss

__all__ = ["PerPixel"]


class PerPixel(ProbabilisticLoss):
    """Judge each pixel by a loss, and an image by the mean over its pixels.

    Parameters
    ----------
    loss : ProbabilisticLoss
        The loss of a pixel, whose targets are classes: :class:`CrossEntropy` or
        :class:`bvar.real.RealCrossEntropy`.
    n_classes : int
        Scores of a pixel.

    Raises
    ------
    TypeError, ValueError
        If the loss is none, or `n_classes` no positive integer.

    See Also
    --------
    bvar.inspection.class_iou : What segmentations are compared by.

    Notes
    -----
    Targets are classes of pixels, integers of shape (n_images, n_pixels). The signals of an image are not divided
    by the number of its pixels: eta of convolutions is, by its root, see :class:`BooleanOptimizer`.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import CrossEntropy, PerPixel
    >>> loss = PerPixel(CrossEntropy(fan_in=100), n_classes=3)
    >>> scores = np.array([[20, 20, -80, 0, 0, 0]], dtype=np.int32)
    >>> loss.signals(scores, np.array([[1, 2]]))
    array([[ 63, -64,   0,  42,  42, -85]], dtype=int8)
    """

    def __init__(self, loss: ProbabilisticLoss, n_classes: int) -> None:
        if not isinstance(loss, ProbabilisticLoss) or isinstance(loss, BinaryCrossEntropy):
            raise TypeError(f"loss must be a loss whose scores mean probabilities of classes, got {loss!r}")
        self.loss = loss
        self.n_classes = check_integer(n_classes, "n_classes", low=1)

    def check_scores(self, scores: np.ndarray) -> np.ndarray:
        """Check scores as the loss of a pixel does."""
        wide = self.loss.check_scores(scores)
        self._pixels(wide)
        return wide

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Check classes of pixels; give what the loss of a pixel makes of them."""
        y, shape = as_array(y, "y"), (len(scores), scores.shape[1] // self.n_classes)
        if y.shape != shape:
            raise ValueError(f"y must have a class for each pixel, shape {shape}, got shape {y.shape}")
        return self.loss.check_targets(self._pixels(scores), y.ravel())

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Give the signals of all pixels."""
        return self.loss.full_signals(self._pixels(scores), targets).reshape(scores.shape)

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Give the mean over the pixels of each image, rounded down to a unit."""
        values = self.loss.fixed_values(self._pixels(scores), targets)
        n_pixels = scores.shape[1] // self.n_classes
        return values.reshape(len(scores), n_pixels).sum(axis=1) // max(1, n_pixels)

    def n_correct(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the images of which every pixel is right."""
        found = self._pixels(scores).argmax(axis=1).reshape(np.shape(y))
        return int(np.count_nonzero((found == y).all(axis=1)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn the scores of every pixel into probabilities, of the shape of `scores`."""
        return self.loss.probabilities(self._pixels(scores)).reshape(scores.shape)

    def _weighed(self, z: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        return self.loss._weighed(z, sample_weight)

    def _pixels(self, scores: np.ndarray) -> np.ndarray:
        if scores.shape[1] % self.n_classes:
            raise ValueError(f"scores must have a multiple of {self.n_classes} columns, got {scores.shape[1]}")
        return scores.reshape(-1, self.n_classes)
