"""Random changes of images that keep their class: for training samples, made anew in each epoch.

An augmentation is called with samples and a source of random numbers, and returns new samples.  Several are a
sequence, applied one after the other.  All happens before samples become bits, and no backend takes part: the
model that comes out does not depend on the backend.  Numbers come from ``numpy.random.RandomState``, whose
stream NumPy keeps; :class:`RandomRotation` also depends on the elementary functions of NumPy and SciPy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import map_coordinates
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from bvar._validation import check_choice, check_image_shape, check_integer, check_real
from bvar.encoding.samples import as_table, refuse_channels_first

__all__ = ["Augmentation", "RandomFlip", "RandomRotation", "RandomShift", "apply_augmentations"]

Change = Callable[[np.ndarray, np.random.RandomState], np.ndarray]
"""An augmentation, or a function of one's own: takes samples and random numbers, and returns new samples."""

_FILLS = {"edge": "nearest", "reflect": "mirror"}  # as NumPy and as SciPy call them


class Augmentation(BaseEstimator, ABC):
    """What augmentations of images share; a subclass says what it does to some images.

    See Also
    --------
    RandomShift, RandomFlip, RandomRotation : The augmentations.
    """

    image_shape: tuple[int, ...] | None
    probability: float

    def __call__(self, X: ArrayLike, random_state: int | np.random.RandomState | None = None) -> np.ndarray:
        """Change some images at random.

        Parameters
        ----------
        X : array-like of shape (n, height, width), (n, height, width, channels) or (n, n_features)
            Images; flat ones need `image_shape`.
        random_state : None, int or RandomState, default=None
            Where random numbers come from.

        Returns
        -------
        ndarray of the shape and dtype of `X`
            New images; those that are not changed are equal to those of `X` bit for bit.

        Raises
        ------
        TypeError, ValueError
            If a parameter of the object or an argument is not as described.
        """
        X = np.asarray(as_table(X))
        if X.dtype.kind not in "biuf":
            raise TypeError(f"X must be numbers, got dtype {X.dtype}")
        probability = check_real(self.probability, "probability", low=0)
        if probability > 1:
            raise ValueError(f"probability must be in [0, 1], got {self.probability!r}")
        images = X.reshape(len(X), *self._shape(X))
        self._check(images)
        random = check_random_state(random_state)
        chosen = np.flatnonzero(random.random_sample(len(X)) < probability)
        out = images.copy()
        out[chosen] = self._changed(images[chosen], random)
        return out.reshape(X.shape)

    def _shape(self, X: np.ndarray) -> tuple[int, int, int]:
        """Return height, width and channels."""
        if X.ndim not in (2, 3, 4):
            raise ValueError(f"X must have shape (n, h, w), (n, h, w, c) or (n, n_features), got {X.shape}")
        if X.ndim == 2:
            if self.image_shape is None:
                raise ValueError("image_shape must be given for flat samples: (height, width) or with channels")
            return check_image_shape(self.image_shape, X.shape[1])
        height, width, channels = (*X.shape[1:], 1)[:3]
        if self.image_shape is None:
            refuse_channels_first(X)
        elif (*self.image_shape, 1)[:3] != (height, width, channels):
            raise ValueError(f"image_shape is {self.image_shape!r}, but X has images of shape {X.shape[1:]}")
        return height, width, channels

    def _check(self, images: np.ndarray) -> None:
        """Refuse parameters that do not fit."""
        return

    @abstractmethod
    def _changed(self, images: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        """Change every image of shape (height, width, channels)."""


@dataclass(repr=False)
class RandomShift(Augmentation):
    """Move images by whole pixels; the same as to add a margin and crop at random.

    Parameters
    ----------
    pixels : int, default=2
        Largest shift in each direction, less than the sides; each from minus to plus that many is as likely.
    fill : float, 'edge' or 'reflect', default=0.0
        What comes in: a number, the nearest pixel, or the image mirrored at the centre of the outermost pixels.
    probability : float, default=1.0
        Share of the images that are moved.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.training import RandomShift
    >>> RandomShift(1)(np.arange(1, 10).reshape(1, 3, 3), random_state=1)
    array([[[0, 0, 0],
            [0, 1, 2],
            [0, 4, 5]]])
    """

    pixels: int = 2
    fill: float | str = 0.0
    probability: float = 1.0
    image_shape: tuple[int, ...] | None = None

    def _check(self, images: np.ndarray) -> None:
        check_integer(self.pixels, "pixels", low=1)
        sides = images.shape[1:3]
        if self.pixels >= min(sides):
            raise ValueError(f"pixels must be less than the sides of the images, {sides}, got {self.pixels!r}")
        _check_fill(self.fill, images.dtype)

    def _changed(self, images: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        n, height, width, _ = images.shape
        margin = [(0, 0), (self.pixels, self.pixels), (self.pixels, self.pixels), (0, 0)]
        if isinstance(self.fill, str):
            wide = np.pad(images, margin, mode=self.fill)  # type: ignore[call-overload]
        else:
            wide = np.pad(images, margin, constant_values=images.dtype.type(self.fill))
        top, left = random.randint(0, 2 * self.pixels + 1, (2, n))
        rows, columns = top[:, None] + np.arange(height), left[:, None] + np.arange(width)
        return wide[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


@dataclass(repr=False)
class RandomFlip(Augmentation):
    """Mirror images, left to right.

    Parameters
    ----------
    probability : float, default=0.5
        Share of the images that are mirrored.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images.

    Examples
    --------
    >>> from bvar.training import RandomFlip
    >>> RandomFlip(1.0, image_shape=(2, 3))([[1, 2, 3, 4, 5, 6]])
    array([[3, 2, 1, 6, 5, 4]])
    """

    probability: float = 0.5
    image_shape: tuple[int, ...] | None = None

    def _changed(self, images: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        return images[:, :, ::-1]


@dataclass(repr=False)
class RandomRotation(Augmentation):
    """Turn images about their centre, with linear interpolation between the four nearest pixels.

    Parameters
    ----------
    degrees : float, default=10.0
        Largest angle, positive, at most 180; each from minus to plus that many is as likely.
    fill : float, 'edge' or 'reflect', default=0.0
        What is beyond the image: a number, the nearest pixel, or the image mirrored.
    probability : float, default=1.0
        Share of the images that are turned.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images.

    Notes
    -----
    Images of integers are rounded to the nearest, halves to even. A missing pixel, NaN, spreads to its neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.training import RandomRotation
    >>> image = np.zeros((1, 5, 5))
    >>> image[0, 2] = 9
    >>> RandomRotation(30, probability=1)(image, random_state=0)[0].round().astype(int)
    array([[0, 0, 0, 0, 0],
           [4, 2, 0, 0, 0],
           [5, 7, 9, 7, 5],
           [0, 0, 0, 2, 4],
           [0, 0, 0, 0, 0]])
    """

    degrees: float = 10.0
    fill: float | str = 0.0
    probability: float = 1.0
    image_shape: tuple[int, ...] | None = None

    def _check(self, images: np.ndarray) -> None:
        if check_real(self.degrees, "degrees", low=0, strict=True) > 180:
            raise ValueError(f"degrees must be above 0 and at most 180, got {self.degrees!r}")
        _check_fill(self.fill, images.dtype)

    def _changed(self, images: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        n, height, width, n_channels = images.shape
        angle = np.deg2rad(self.degrees * (2 * random.random_sample(n) - 1))[:, None, None]
        y = np.arange(height)[:, None] - (height - 1) / 2
        x = np.arange(width) - (width - 1) / 2
        where = np.empty((3, n, height, width))  # in the image that is turned
        where[0] = np.arange(n)[:, None, None]  # never between two images
        where[1] = np.cos(angle) * y - np.sin(angle) * x + (height - 1) / 2
        where[2] = np.sin(angle) * y + np.cos(angle) * x + (width - 1) / 2
        beyond = (
            {"mode": _FILLS[self.fill]}
            if isinstance(self.fill, str)
            else {"mode": "grid-constant", "cval": self.fill}
        )
        numbers = images.astype(np.float64)
        turned = [map_coordinates(numbers[..., c], where, order=1, **beyond) for c in range(n_channels)]
        out = np.stack(turned, axis=-1)
        return (out if images.dtype.kind == "f" else np.rint(out)).astype(images.dtype)


def apply_augmentations(
    X: ArrayLike,
    augment: Change | Sequence[Change] | None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Apply augmentations one after the other.

    Parameters
    ----------
    X : array-like of shape (n, height, width), (n, height, width, channels) or (n, n_features)
        Images.
    augment : None, callable or sequence of callable
        Augmentations, or functions of one's own that take samples and a RandomState and return samples.
    random_state : None, int or RandomState, default=None
        Where random numbers come from.

    Returns
    -------
    ndarray of the shape of `X`
        New images, or `X` itself if there is nothing to do.

    Raises
    ------
    TypeError, ValueError
        If something in `augment` is not callable, does not fit the images, or changes their shape.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.training import RandomFlip, RandomShift, apply_augmentations
    >>> images = np.arange(32).reshape(2, 4, 4)
    >>> apply_augmentations(images, [RandomShift(1), RandomFlip()], random_state=0).shape
    (2, 4, 4)
    """
    random = check_random_state(random_state)
    X = np.asarray(as_table(X))
    for change in as_augmentations(augment):
        changed = np.asarray(change(X, random))
        if changed.shape != X.shape:
            raise ValueError(
                f"augment must keep the shape of samples {X.shape}, but {change!r} gave {changed.shape}"
            )
        X = changed
    return X


def as_augmentations(augment: Any) -> list[Callable[[Any, Any], Any]]:
    """Return augmentations as a list, after checking that each can be called; one alone will do."""
    if augment is None:
        return []
    changes = list(augment) if isinstance(augment, Iterable) and not callable(augment) else [augment]
    for change in changes:
        if not callable(change) or isinstance(change, type):
            raise TypeError(f"augment must be None, an augmentation or a sequence of them, got {change!r}")
    return changes


def _check_fill(fill: Any, dtype: np.dtype) -> None:
    if isinstance(fill, str):
        check_choice(fill, "fill", tuple(_FILLS))
        return
    number = check_real(fill, "fill", low=-np.inf)
    try:
        with np.errstate(all="ignore"):  # what has no place in the type comes out as something else
            pixel = dtype.type(fill)
        fits = bool(np.isfinite(pixel)) and number == pixel
    except OverflowError:
        fits = False
    if not fits:
        raise ValueError(f"fill must be a value that images of {dtype} can have, got {fill!r}")
