"""The transforms, each of a dozen lines: shift, rotation, scale, shear, noise, mixing, mirror and cut.

What they share is in ``transforms`` beside this module; derivations in ``docs/explanation/augmentation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bvar._validation import check_integer
from bvar.augmentation.transforms import Affine, Coin, Shape, Transform

__all__ = ["Cutout", "Flip", "Mixup", "Noise", "Rotation", "Scale", "Shear", "Shift"]


@dataclass(repr=False)
class Rotation(Affine):
    """Turn images about their centre, by a normal angle.

    Parameters
    ----------
    degrees : float, default=15.0
        Prior median of the standard deviation of the angle.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Rotation
    >>> image = np.arange(9.0)[None]
    >>> Rotation().forward(image, np.array([[90.0]]), (3, 3, 1)).round().reshape(3, 3)
    array([[6., 3., 0.],
           [7., 4., 1.],
           [8., 5., 2.]])
    """

    what = "degrees"
    degrees: float = 15.0

    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        radian = np.pi / 180
        sin, cos = np.sin(radian * amounts[:, 0]), np.cos(radian * amounts[:, 0])
        rows, columns = cos * y - sin * x, sin * y + cos * x
        return rows, columns, [-radian * columns], [radian * rows]


@dataclass(repr=False)
class Shift(Affine):
    """Move images, by normal distances down and to the right.

    Parameters
    ----------
    pixels : float, default=1.0
        Prior median of the standard deviation of each distance.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Shift
    >>> Shift().forward(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 0.5]]), (1, 3, 1))
    array([[0.5, 1.5, 2.5]])
    """

    what = "pixels"
    n_amounts = 2
    pixels: float = 1.0

    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        one, none = np.ones_like(amounts[:, 0]), np.zeros_like(amounts[:, 0])
        return y - amounts[:, 0], x - amounts[:, 1], [-one, none], [none, -one]


@dataclass(repr=False)
class Scale(Affine):
    r"""Enlarge images about their centre, by a factor :math:`e^\gamma`.

    Parameters
    ----------
    log_factor : float, default=0.1
        Prior median of the standard deviation of the logarithm of the factor.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Scale
    >>> Scale().forward(np.array([[1.0, 2.0, 3.0]]), np.array([[np.log(2)]]), (1, 3, 1))
    array([[1.5, 2. , 2.5]])
    """

    what = "log_factor"
    log_factor: float = 0.1

    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        most = np.log(np.finfo(amounts.dtype).max) / 2  # beyond, all but the centre has long been outside
        shrink = np.exp(np.minimum(-amounts[:, 0], most))
        return shrink * y, shrink * x, [-shrink * y], [-shrink * x]


@dataclass(repr=False)
class Shear(Affine):
    """Lean images to a side: rows move in proportion to their height.

    Parameters
    ----------
    slope : float, default=0.1
        Prior median of the standard deviation of pixels to the side for each pixel up.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Shear
    >>> image = np.zeros((1, 3, 3))
    >>> image[0, :, 1] = 1
    >>> Shear().forward(image.reshape(1, 9), np.array([[1.0]]), (3, 3, 1)).reshape(3, 3)
    array([[0., 0., 1.],
           [0., 1., 0.],
           [1., 0., 0.]])
    """

    what = "slope"
    slope: float = 0.1

    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        a = amounts[:, 0]
        return y + 0 * a, x + a * y, [np.zeros_like(a * y)], [y + 0 * a]


@dataclass(repr=False)
class Noise(Transform):
    """Add normal noise to every value; also for tables.

    Parameters
    ----------
    deviation : float, default=0.1
        Prior median of its standard deviation, in units of that of the samples where an estimator standardises
        them, else in those of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Noise
    >>> Noise().forward(np.array([[1.0, 2.0]]), np.array([[0.5, -0.5]]), None)
    array([[1.5, 1.5]])
    """

    what = "deviation"
    needs_images = False
    deviation: float = 0.1

    def noise(self, n: int, image_shape: Shape, n_features: int, random: np.random.RandomState) -> np.ndarray:
        """Draw a number for every value."""
        return random.standard_normal((n, n_features))

    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Add."""
        return X + amounts

    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Hand the signal on."""
        return signal

    def slopes(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Hand the signal on."""
        return signal


@dataclass(repr=False)
class Mixup(Transform):
    r"""Mix each sample with its neighbour in the batch, and its class alike; also for tables.

    The share of the neighbour is :math:`w = a / (1 + a)` with :math:`a = |\gamma|`.

    Parameters
    ----------
    strength_of_neighbour : float, default=0.1
        Prior median of the standard deviation of :math:`\gamma`.

    Notes
    -----
    A mixture has no class of its own: the log-likelihood becomes a cross-entropy with the mixed classes, which is
    no likelihood of the samples. Predictions mix nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Mixup
    >>> Mixup().forward(np.array([[0.0], [8.0]]), np.array([[1.0], [0.0]]), None)
    array([[4.],
           [8.]])
    """

    what = "strength_of_neighbour"
    needs_images = False
    strength_of_neighbour: float = 0.1

    @staticmethod
    def share(amounts: np.ndarray) -> np.ndarray:
        """Return the share of the neighbour.

        Parameters
        ----------
        amounts : ndarray of float, shape (n, 1)
            Amounts.

        Returns
        -------
        ndarray of float, shape (n, 1)
            Shares in [0, 1).
        """
        a = np.abs(amounts)
        return a / (1 + a)

    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Mix."""
        return X + self.share(amounts) * (np.roll(X, 1, axis=0) - X)

    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Hand its share of the signal to the neighbour."""
        w = self.share(amounts)
        return (1 - w) * signal + np.roll(w * signal, -1, axis=0)

    def slopes(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Compare with the neighbour."""
        in_share = (signal * (np.roll(X, 1, axis=0) - X)).sum(axis=1, keepdims=True)
        return in_share * np.sign(amounts) / (1 + np.abs(amounts)) ** 2


@dataclass(repr=False)
class Flip(Coin):
    """Mirror images, left to right, or not.

    Parameters
    ----------
    probability : float, default=0.3
        Prior median of the probability. From one half on, it may as well be learnt to mirror always.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Flip
    >>> Flip().forward(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0]]), (1, 3, 1))
    array([[3., 2., 1.]])
    """

    what = "probability"
    probability: float = 0.3

    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Mirror those whose coin says so."""
        images = X.reshape(len(X), *image_shape)  # type: ignore[misc]
        return np.where(amounts[:, :1, None, None] > 0, images[:, :, ::-1], images).reshape(X.shape)

    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Mirror the signal: a mirror is its own transpose."""
        return self.forward(signal, amounts, image_shape)


@dataclass(repr=False)
class Cutout(Coin):
    """Blank a square of each image, anywhere, or not.

    Parameters
    ----------
    side : int, default=2
        Its side in pixels.
    probability : float, default=0.5
        Prior median of the probability.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import Cutout
    >>> Cutout(1).forward(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0, 0.5]]), (1, 3, 1))
    array([[1., 0., 3.]])
    """

    what = "probability"
    n_amounts = 3
    side: int = 2
    probability: float = 0.5

    def check(self, image_shape: Shape) -> None:
        """Compare the side with those of the images, too."""
        super().check(image_shape)
        check_integer(self.side, "side", low=1, high=min(image_shape[:2]))  # type: ignore[index]

    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Blank the squares."""
        return X * self._kept(amounts, image_shape, X.dtype)

    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Blank the signal."""
        return signal * self._kept(amounts, image_shape, X.dtype)

    def _kept(self, amounts: np.ndarray, image_shape: Shape, dtype: np.dtype) -> np.ndarray:
        height, width, n_channels = image_shape  # type: ignore[misc]
        top = np.floor(amounts[:, 1] * (height - self.side + 1))[:, None]
        left = np.floor(amounts[:, 2] * (width - self.side + 1))[:, None]
        y, x = np.arange(height) - top, np.arange(width) - left
        hole = ((y >= 0) & (y < self.side))[:, :, None] & ((x >= 0) & (x < self.side))[:, None, :]
        hole &= amounts[:, 0, None, None] > 0
        return np.repeat(~hole.reshape(len(amounts), -1), n_channels, axis=1).astype(dtype)
