"""CIFAR-10 from the folder of a bench: cifar10_train.npz, as the scripts of tutorials/paper read it."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tutorials" / "paper"))

from pictures import cifar


def load(folder):
    """Images, uint8 of shape (50000, 32, 32, 3), of which the last 10,000 are the test, and their classes."""
    path = Path(folder) / "cifar10_train.npz"
    with np.load(path) as z:
        return cifar(path), z["y"]
