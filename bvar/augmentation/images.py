r"""Transforms whose strength can be learnt: what they do to samples, their adjoints and their slopes.

A transform takes samples and *amounts*, :math:`T_\gamma(x)`.  Amounts are a spread times noise,
:math:`\gamma = s \varepsilon` with :math:`\varepsilon` normal, or a coin, :math:`\gamma \in \{0, 1\}` with
:math:`P(\gamma = 1) = p`.  What is learnt of it is one number, :math:`\varphi = \log s` or
:math:`\varphi = \operatorname{logit} p`; derivations in ``docs/explanation/augmentation.md``.
"""

# Over 400 lines, because eight transforms are documented here, each of a dozen lines.

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from bvar._validation import check_integer, check_real
from bvar.augmentation.resampling import Places, resample, resample_adjoint, resample_slopes

__all__ = ["Cutout", "Flip", "Mixup", "Noise", "Rotation", "Scale", "Shear", "Shift", "Transform"]

Shape = tuple[int, int, int] | None
"""Height, width and channels of samples that are images; None for a table."""


class Transform(BaseEstimator, ABC):
    r"""What transforms share: one number :math:`\varphi` says how strong they are.

    See Also
    --------
    LearnedAugmentation : Learns the number.

    Notes
    -----
    Noise :math:`\varepsilon` has `n_amounts` numbers for each sample, and the slope in :math:`\varphi` of the
    logarithm of the density of amounts is the sum of :math:`\varepsilon^2 - 1` over them.
    """

    what: ClassVar[str]  # the parameter that is the median
    is_coin: ClassVar[bool] = False
    needs_images: ClassVar[bool] = True
    n_amounts: ClassVar[int] = 1

    @property
    def centre(self) -> float:
        """The median of the prior, in the units of the transform: a spread, or a probability."""
        return float(getattr(self, self.what))

    def check(self, image_shape: Shape) -> None:
        """Refuse parameters that do not fit.

        Parameters
        ----------
        image_shape : tuple of int or None
            Height, width and channels, or None for samples that are no images.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, or the transform needs images.
        """
        if self.needs_images and image_shape is None:
            raise ValueError(
                f"transforms must be Noise or Mixup for samples that are no images, got {self!r}; "
                "image_shape=(height, width) says that they are"
            )
        check_real(getattr(self, self.what), self.what, low=0, strict=True)

    def strength(self, phi: np.ndarray) -> np.ndarray:
        r"""Turn :math:`\varphi` into the spread :math:`e^\varphi`, or a probability.

        Parameters
        ----------
        phi : ndarray of float
            Numbers.

        Returns
        -------
        ndarray of float, of the shape of `phi`
            Spreads, or probabilities.
        """
        return np.exp(phi)

    def start(self) -> float:
        r"""Return the :math:`\varphi` of the centre.

        Returns
        -------
        float
            Its logarithm, or its logit.
        """
        return float(np.log(self.centre))

    def noise(self, n: int, image_shape: Shape, n_features: int, random: np.random.RandomState) -> np.ndarray:
        """Draw what amounts are made of.

        Parameters
        ----------
        n : int
            Number of samples.
        image_shape : tuple of int or None
            Height, width and channels.
        n_features : int
            Values of a sample.
        random : RandomState
            Where it comes from.

        Returns
        -------
        ndarray of float64, shape (n, n_numbers)
            Normal numbers; of a coin uniform ones, and where it is tossed.
        """
        return random.standard_normal((n, self.n_amounts))

    def amounts(self, phi: np.ndarray, noise: np.ndarray) -> np.ndarray:
        r"""Return :math:`\gamma = e^\varphi \varepsilon`.

        Parameters
        ----------
        phi : ndarray of float, shape (n,)
            A number for each sample.
        noise : ndarray of float, shape (n, n_numbers)
            What :meth:`noise` drew.

        Returns
        -------
        ndarray of float, shape (n, n_numbers)
            Amounts.
        """
        return np.exp(phi)[:, None] * noise

    def log_density_slope(self, phi: np.ndarray, noise: np.ndarray) -> np.ndarray:
        r"""Return the slope in :math:`\varphi` of the logarithm of the density of the amounts.

        Parameters
        ----------
        phi : ndarray of float, shape (n,)
            A number for each sample.
        noise : ndarray of float, shape (n, n_numbers)
            What :meth:`noise` drew.

        Returns
        -------
        ndarray of float, shape (n,)
            Slopes, whose mean is 0.
        """
        return (noise**2 - 1).sum(axis=1)

    @abstractmethod
    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Transform samples.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_features)
            Samples.
        amounts : ndarray of float, shape (n, n_numbers)
            By how much, each.
        image_shape : tuple of int or None
            Height, width and channels of the samples that are images.

        Returns
        -------
        ndarray of the shape of `X`
            New samples.
        """

    @abstractmethod
    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Take slopes in new samples back to the samples: the exact adjoint.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_features)
            Samples, as :meth:`forward` was given.
        amounts : ndarray of float, shape (n, n_numbers)
            Amounts, likewise.
        image_shape : tuple of int or None
            Shape of images, likewise.
        signal : ndarray of float, of the shape of `X`
            Slopes in the new samples.

        Returns
        -------
        ndarray of the shape of `X`
            Slopes in the samples.
        """

    def slopes(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Take slopes in new samples back to the amounts.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_features)
            Samples, as :meth:`forward` was given.
        amounts : ndarray of float, shape (n, n_numbers)
            Amounts, likewise.
        image_shape : tuple of int or None
            Shape of images, likewise.
        signal : ndarray of float, of the shape of `X`
            Slopes in the new samples.

        Returns
        -------
        ndarray of the shape of `amounts`
            Slopes in the amounts; 0 for a coin, which has none.
        """
        return np.zeros_like(amounts)


class _Coin(Transform):
    """Something that is done or not."""

    is_coin = True

    def check(self, image_shape: Shape) -> None:
        super().check(image_shape)
        if self.centre >= 1:
            raise ValueError(f"probability must be between 0 and 1, got {self.centre!r}")

    def strength(self, phi: np.ndarray) -> np.ndarray:
        """Return the probability."""
        return 1 / (1 + np.exp(-phi))

    def start(self) -> float:
        """Return the logit of the probability."""
        return float(np.log(self.centre / (1 - self.centre)))

    def noise(self, n: int, image_shape: Shape, n_features: int, random: np.random.RandomState) -> np.ndarray:
        """Draw uniform numbers."""
        return random.random_sample((n, self.n_amounts))

    def amounts(self, phi: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Toss the coin with the first number, and keep the others."""
        tossed = noise.copy()
        tossed[:, 0] = noise[:, 0] < self.strength(phi)
        return tossed

    def log_density_slope(self, phi: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Return the toss minus its probability."""
        return self.amounts(phi, noise)[:, 0] - self.strength(phi)


class _Affine(Transform):
    """Reading an image at places that move with the amounts; subclasses say which."""

    def forward(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape) -> np.ndarray:
        """Resample."""
        images, places, _, _ = self._parts(X, amounts, image_shape)
        return resample(images, places).reshape(X.shape)

    def adjoint(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Transpose the resampling."""
        images, places, _, _ = self._parts(X, amounts, image_shape)
        return resample_adjoint(signal.reshape(images.shape), places).reshape(X.shape)

    def slopes(self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape, signal: np.ndarray) -> np.ndarray:
        """Add up the slopes of the places."""
        images, places, row_slopes, column_slopes = self._parts(X, amounts, image_shape)
        in_rows, in_columns = resample_slopes(images, places, signal.reshape(images.shape))
        pairs = zip(row_slopes, column_slopes, strict=True)
        return np.stack([(in_rows * dr + in_columns * dc).sum(axis=(1, 2)) for dr, dc in pairs], axis=1)

    def _parts(
        self, X: np.ndarray, amounts: np.ndarray, image_shape: Shape
    ) -> tuple[np.ndarray, Places, list[np.ndarray], list[np.ndarray]]:
        assert image_shape is not None  # noqa: S101 - narrows the type; `check` has refused tables
        height, width, _ = image_shape
        y = (np.arange(height, dtype=amounts.dtype) - (height - 1) / 2)[None, :, None]
        x = (np.arange(width, dtype=amounts.dtype) - (width - 1) / 2)[None, None, :]
        rows, columns, row_slopes, column_slopes = self._moved(y, x, amounts[:, :, None, None])
        full = (len(X), height, width)
        places = Places(
            np.broadcast_to(rows + (height - 1) / 2, full), np.broadcast_to(columns + (width - 1) / 2, full)
        )
        return X.reshape(len(X), *image_shape), places, row_slopes, column_slopes

    @abstractmethod
    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        """Return rows and columns relative to the centre, and for each amount their slopes in it."""


@dataclass(repr=False)
class Rotation(_Affine):
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
class Shift(_Affine):
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
class Scale(_Affine):
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
        shrink = np.exp(-amounts[:, 0])
        return shrink * y, shrink * x, [-shrink * y], [-shrink * x]


@dataclass(repr=False)
class Shear(_Affine):
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
class Flip(_Coin):
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
class Cutout(_Coin):
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
