"""A training between two epochs: all that it goes on from, to the same model, also from a file."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self

from bvar import model_file
from bvar._validation import check_path
from bvar.augmentation.learned import LearnedAugmentation
from bvar.bits.random import RandomWords
from bvar.model_file._kinds import of_type, require
from bvar.networks.network import Network
from bvar.real import Adam
from bvar.training.callbacks import Learner
from bvar.training.early_stopping import EarlyStopping, Kept

__all__ = ["Checkpoint", "Interrupted", "Strengths"]


@dataclass(frozen=True)
class Strengths:
    """Strengths of transforms that are being learnt, and where their descent is."""

    learned: LearnedAugmentation
    adam: Adam


@dataclass(frozen=True)
class Checkpoint:
    """What a training is made of between two epochs.

    Parameters
    ----------
    network : Network
        A copy of the network, with the accumulators and the schedule of its optimizer.
    history : dict of list
        What the epochs so far were like.
    n_iter : int
        Their number.
    source : RandomWords
        A copy of where order and noise come from.
    kept : Kept, optional
        What early stopping has kept.
    strengths : Strengths, optional
        What data that learn have learnt.

    See Also
    --------
    CheckpointFile : Writes it to a file.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar import ThermometerEncoder
    >>> from bvar.bits import RandomWords
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.training import Checkpoint, Trainer, TrainingData
    >>> X, y = load_digits(return_X_y=True)
    >>> data = TrainingData(ThermometerEncoder(2).fit(X).encode(X), y)
    >>> def trainer():
    ...     return Trainer(boolean_mlp([data.x.n_bits, 32, 10], random_state=0))
    >>> kept, source = [], RandomWords(0)
    >>> whole = trainer()
    >>> whole = whole.run(
    ...     data, 3, callbacks=lambda t: kept.append(Checkpoint.of(t, source)), random_state=source
    ... )
    >>> later, source = trainer(), RandomWords(0)
    >>> kept[0].restore(later, source)
    >>> later = later.run(data, 3, random_state=source, begin=1)
    >>> later.network_.fingerprint() == whole.network_.fingerprint(), later.history_ == whole.history_
    (True, True)
    """

    network: Network
    history: dict[str, list[Any]]
    n_iter: int
    source: RandomWords
    kept: Kept | None = None
    strengths: Strengths | None = None

    @classmethod
    def of(
        cls, trainer: Learner, source: RandomWords, stopping: EarlyStopping | None = None, data: Any = None
    ) -> Self:
        """Copy what a training is made of.

        Parameters
        ----------
        trainer : Trainer
            Between two epochs, in a callback say.
        source : RandomWords
            Where order and noise come from.
        stopping : EarlyStopping, optional
            What would end the training.
        data : Data, optional
            What gives the batches; looked at only for what it learns itself.

        Returns
        -------
        Checkpoint
            Which nothing that happens later changes.
        """
        kept = None if stopping is None else stopping.kept()
        strengths = getattr(data, "strengths", None)
        parts = copy.deepcopy((trainer.network_, trainer.history_, trainer.n_iter_, source, kept, strengths))
        return cls(*parts)

    def restore(
        self, trainer: Learner, source: RandomWords, stopping: EarlyStopping | None = None, data: Any = None
    ) -> None:
        """Put a new training to where this one was.

        Parameters
        ----------
        trainer : Trainer
            Of any network; to be run with `begin` equal to its `n_iter_`.
        source : RandomWords
            What it will draw from.
        stopping : EarlyStopping, optional
            What will end it, with the same samples held out.
        data : Data, optional
            What will give the batches.
        """
        trainer.network_, trainer.history_ = copy.deepcopy((self.network, self.history))
        trainer.n_iter_ = self.n_iter
        source.words.state = self.source.words.state
        if stopping is not None and self.kept is not None:
            stopping.go_on_from(self.kept)
        if self.strengths is not None:
            data.go_on_from(copy.deepcopy(self.strengths), trainer.network_)


@dataclass
class Interrupted:
    """A fit that has not come to its end: `fit` goes on from it, with the same parameters and samples.

    Parameters
    ----------
    of : dict of str
        What the fit is of, by what each entry describes; a fit of anything else cannot go on from this one.
    source : RandomWords
        Where the random words of the fit began.
    checkpoint : Checkpoint or None
        The training between its last two epochs; None before the first.
    """

    of: dict[str, str]
    source: RandomWords
    checkpoint: Checkpoint | None = None

    def check_of(self, of: dict[str, str], name: str, otherwise: str = "") -> None:
        """Refuse a fit of something else.

        Parameters
        ----------
        of : dict of str
            What the fit is of that would go on.
        name : str
            What to call this one in the message.
        otherwise : str, default=''
            What the message adds, of what can be done.

        Raises
        ------
        ValueError
            If they differ.
        """
        others = sorted(key for key in self.of.keys() | of.keys() if self.of.get(key) != of.get(key))
        if others:
            raise ValueError(
                f"{name} must be of a fit with the same parameters and samples, got one that differs in: "
                f"{', '.join(others)}{otherwise}"
            )

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read what a :class:`CheckpointFile` has written in a fit.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        Interrupted
            The fit.

        Raises
        ------
        bvar.model_file.ModelFileError
            If the file is damaged, or no model file at all.
        OSError
            If it cannot be read.
        TypeError, ValueError
            If `path` is none, or the file holds something else.
        """
        found = model_file.load(check_path(path, "resume"))
        if not isinstance(found, cls):
            raise ValueError(f"resume must be a file of a CheckpointFile in fit, got a {type(found).__name__}")
        return found


# --------------------------------------------------------------------------------------------------- in files


def _check_kept(kept: Kept) -> None:
    of_type(kept.network, Network, "network")
    require(type(kept.score) is float, "score must be a number")
    require(type(kept.waited) is int and kept.waited >= 0, "waited must be an integer, at least 0")


def _check_strengths(strengths: Strengths) -> None:
    of_type(strengths.learned, LearnedAugmentation, "learned")
    of_type(strengths.adam, Adam, "adam")


def _check_checkpoint(checkpoint: Checkpoint) -> None:
    of_type(checkpoint.network, Network, "network")
    of_type(checkpoint.source, RandomWords, "source")
    history = checkpoint.history
    fits = isinstance(history, dict) and all(isinstance(values, list) for values in history.values())
    require(fits, "history must be a dict of lists")
    require(type(checkpoint.n_iter) is int and checkpoint.n_iter >= 0, "n_iter must be an integer, at least 0")
    require(isinstance(checkpoint.kept, Kept | None), "kept must be what early stopping keeps")
    require(isinstance(checkpoint.strengths, Strengths | None), "strengths must be strengths")


def _check_interrupted(interrupted: Interrupted) -> None:
    of_type(interrupted.source, RandomWords, "source")
    require(isinstance(interrupted.checkpoint, Checkpoint | None), "checkpoint must be a checkpoint")
    of = interrupted.of
    fits = isinstance(of, dict) and all(isinstance(text, str) for pair in of.items() for text in pair)
    require(fits, "of must be a dict of text")


model_file.register(Kept, check=_check_kept)
model_file.register(Strengths, check=_check_strengths)
model_file.register(Checkpoint, check=_check_checkpoint, whole=True)
model_file.register(Interrupted, check=_check_interrupted, whole=True)
