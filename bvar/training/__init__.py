"""Training: what passes through a network, again and again, until it is good enough.

``trainer`` is the loop, usable alone; ``data`` cuts samples into batches, ``changing`` and ``learning`` change
them anew in each epoch, ``early_stopping`` keeps the best network, ``checkpoint`` what an interrupted run goes on
from; ``crews`` says who takes the steps, ``callbacks`` and ``progress`` look on, ``ready_made`` has
those that many want.
"""

from bvar.augmentation.changes import Augmentation, RandomFlip, RandomRotation, RandomShift, apply_augmentations
from bvar.training.checkpoint import Checkpoint, Interrupted
from bvar.training.data import TrainingData
from bvar.training.early_stopping import EarlyStopping
from bvar.training.ready_made import CheckpointFile, LogFile, TargetScore, TimeLimit
from bvar.training.trainer import Crew, Trainer

__all__ = [
    "Augmentation",
    "Checkpoint",
    "CheckpointFile",
    "Crew",
    "EarlyStopping",
    "Interrupted",
    "LogFile",
    "RandomFlip",
    "RandomRotation",
    "RandomShift",
    "TargetScore",
    "TimeLimit",
    "Trainer",
    "TrainingData",
    "apply_augmentations",
]
