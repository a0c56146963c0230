"""Training: what passes through a network, again and again, until it is good enough.

``trainer`` is the loop, usable alone; ``data`` cuts samples into batches, ``changing`` and ``learning`` change
them anew in each epoch, ``early_stopping`` keeps the best network, ``checkpoint`` what an interrupted run goes on
from; ``crews`` says who takes the steps, ``callbacks`` and ``progress`` look on.
"""

from bvar.augmentation.changes import Augmentation, RandomFlip, RandomRotation, RandomShift, apply_augmentations
from bvar.training.checkpoint import Checkpoint
from bvar.training.data import TrainingData
from bvar.training.early_stopping import EarlyStopping
from bvar.training.trainer import Crew, Trainer

__all__ = [
    "Augmentation",
    "Checkpoint",
    "Crew",
    "EarlyStopping",
    "RandomFlip",
    "RandomRotation",
    "RandomShift",
    "Trainer",
    "TrainingData",
    "apply_augmentations",
]
