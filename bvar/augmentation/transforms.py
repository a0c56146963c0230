r"""What a transform is whose strength can be learnt: amounts, adjoints and slopes.

A transform takes samples and *amounts*, :math:`T_\gamma(x)`.  Amounts are a spread times noise,
:math:`\gamma = s \varepsilon` with :math:`\varepsilon` normal, or a coin, :math:`\gamma \in \{0, 1\}` with
:math:`P(\gamma = 1) = p`.  What is learnt of it is one number, :math:`\varphi = \log s` or
:math:`\varphi = \operatorname{logit} p`; derivations in ``docs/explanation/augmentation.md``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from bvar._validation import check_real
from bvar.augmentation.resampling import Places, resample, resample_adjoint, resample_slopes

__all__ = ["Affine", "Coin", "Shape", "Transform"]

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


class Coin(Transform):
    """Something that is done or not."""

    is_coin = True

    def check(self, image_shape: Shape) -> None:
        """Refuse a probability of 1, too."""
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


class Affine(Transform):
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
        with np.errstate(invalid="ignore"):  # refused in the next line
            rows, columns, row_slopes, column_slopes = self._moved(y, x, amounts[:, :, None, None])
        if np.isnan(rows).any() or np.isnan(columns).any():
            raise ValueError(f"amounts of {type(self).__name__} must be finite, got NaN or infinity")
        full = (len(X), height, width)
        places = Places(
            np.broadcast_to(rows + (height - 1) / 2, full), np.broadcast_to(columns + (width - 1) / 2, full)
        )
        return X.reshape(len(X), *image_shape), places, row_slopes, column_slopes

    @abstractmethod
    def _moved(self, y: np.ndarray, x: np.ndarray, amounts: np.ndarray) -> tuple:
        """Return rows and columns relative to the centre, and for each amount their slopes in it."""
