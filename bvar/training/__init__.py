"""Training: what passes through a network, again and again, until it is good enough."""

from bvar.training.augmentation import Augmentation, RandomFlip, RandomRotation, RandomShift, apply_augmentations

__all__ = [
    "Augmentation",
    "RandomFlip",
    "RandomRotation",
    "RandomShift",
    "apply_augmentations",
]
