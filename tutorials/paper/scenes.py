"""Scenes to be segmented: real digits on real textures, composed by chance from a seed.

A line at random parts a scene into two grounds, crops of the photographs of a palace and of a flower that scikit-learn
ships.  One or two of its digits, enlarged, lie on it in ink of a colour at random; a later one covers an earlier one.
Scenes to train on have other digits than those that are held out, and other parts of the photographs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pictures import bicubic, photographs
from sklearn.datasets import load_digits

__all__ = ["CLASSES", "SIDE", "Scenes", "compose"]

SIDE = 32
CLASSES = ("palace", "flower", "0", "1", "2", "4")
_SHARES = (0.4, 0.3, 0.2, 0.1)  # of the digits: some are rare
_DIGIT = 20  # pixels of a digit, of which 4 may lie outside
_INK = 0.35  # how much of a pixel must be ink for it to be of the digit
_PARTS = {"train": (0.0, 0.6), "validation": (0.6, 0.8), "test": (0.8, 1.0)}


class Scenes(NamedTuple):
    """Images, uint8 of shape (n, SIDE, SIDE, 3), and the class of each pixel, int64 of shape (n, SIDE, SIDE)."""

    x: np.ndarray
    y: np.ndarray


def compose(n: int, part: str, seed: int = 0) -> Scenes:
    """Make `n` scenes of a part: 'train', 'validation' or 'test'."""
    digits, grounds = _digits(part), [_columns(photograph, part) for photograph in photographs()]
    x, y = np.empty((n, SIDE, SIDE, 3), np.uint8), np.empty((n, SIDE, SIDE), np.int64)
    for number in range(n):
        random = np.random.RandomState([seed, list(_PARTS).index(part), number])
        light, y[number] = _ground(grounds, random)
        for _ in range(random.randint(1, 3)):
            kind = random.choice(len(digits), p=_SHARES)
            ink = _placed(digits[kind][random.randint(len(digits[kind]))], random)
            light += ink[..., None] * (random.uniform(0, 255, 3) - light)
            y[number][ink > _INK] = 2 + kind
        x[number] = np.rint(light)
    return Scenes(x, y)


def _digits(part: str) -> list[np.ndarray]:
    """Give the digits of each kind, enlarged: shares of ink."""
    data = load_digits()
    images = bicubic(255 * data.images[..., None] / 16, _DIGIT, _DIGIT)[..., 0] / 255
    kinds = [images[data.target == int(name)] for name in CLASSES[2:]]
    return [kind[slice(*(int(share * len(kind)) for share in _PARTS[part]))] for kind in kinds]


def _columns(photograph: np.ndarray, part: str) -> np.ndarray:
    first, last = (int(share * photograph.shape[1]) for share in _PARTS[part])
    return photograph[:, first:last]


def _ground(grounds: list[np.ndarray], random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Make the ground and its classes."""
    crops = []
    for photograph in grounds:
        y, x = (random.randint(n - SIDE + 1) for n in photograph.shape[:2])
        crops.append(photograph[y : y + SIDE, x : x + SIDE].astype(np.float64))
    angle, offset = random.uniform(0, 2 * np.pi), random.uniform(-SIDE / 2, SIDE / 2)
    down, across = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    beyond = np.cos(angle) * down + np.sin(angle) * across > offset
    return np.where(beyond[..., None], crops[1], crops[0]), beyond.astype(np.int64)


def _placed(digit: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Lay a digit somewhere on a scene that is else without ink."""
    outside = 4
    wide = np.zeros((SIDE + 2 * outside, SIDE + 2 * outside))
    y, x = random.randint(0, SIDE + 2 * outside - _DIGIT + 1, 2)
    wide[y : y + _DIGIT, x : x + _DIGIT] = digit
    return wide[outside:-outside, outside:-outside]
