"""Augmentation: random changes of samples that keep their class, of fixed strength or of a learnt one.

``changes`` are functions of images of fixed strength, which :mod:`bvar.training` hands out; ``images`` are
``transforms`` with adjoints and slopes, over ``resampling``; ``learned`` is a distribution of their strengths,
``bounds`` and ``objective`` what it follows, and ``classifier`` a small real network that learns both
(``docs/explanation/augmentation.md``).
"""

from bvar.augmentation.bounds import draw_bound, draw_shares, jensen_gap, jensen_gap_limit, normal_divergence
from bvar.augmentation.classifier import AugmentedClassifier
from bvar.augmentation.images import Cutout, Flip, Mixup, Noise, Rotation, Scale, Shear, Shift
from bvar.augmentation.learned import LearnedAugmentation
from bvar.augmentation.transforms import Transform

__all__ = [
    "AugmentedClassifier",
    "Cutout",
    "Flip",
    "LearnedAugmentation",
    "Mixup",
    "Noise",
    "Rotation",
    "Scale",
    "Shear",
    "Shift",
    "Transform",
    "draw_bound",
    "draw_shares",
    "jensen_gap",
    "jensen_gap_limit",
    "normal_divergence",
]
