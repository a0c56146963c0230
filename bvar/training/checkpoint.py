"""A training between two epochs: all that it goes on from, to the same model."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self

from bvar.bits.random import RandomWords
from bvar.networks.network import Network
from bvar.training.early_stopping import EarlyStopping
from bvar.training.trainer import Trainer

__all__ = ["Checkpoint"]


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
    words : dict
        State of the random words.
    stopping : EarlyStopping, optional
        What early stopping has seen.

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
    words: Any
    stopping: EarlyStopping | None = None

    @classmethod
    def of(cls, trainer: Trainer, source: RandomWords, stopping: EarlyStopping | None = None) -> Self:
        """Copy what a training is made of.

        Parameters
        ----------
        trainer : Trainer
            Between two epochs, in a callback say.
        source : RandomWords
            Where order and noise come from.
        stopping : EarlyStopping, optional
            What would end the training.

        Returns
        -------
        Checkpoint
            Which nothing that happens later changes.
        """
        network, history = copy.deepcopy((trainer.network_, trainer.history_))
        return cls(network, history, trainer.n_iter_, source.words.state, copy.copy(stopping))

    def restore(self, trainer: Trainer, source: RandomWords, stopping: EarlyStopping | None = None) -> None:
        """Put a new training to where this one was.

        Parameters
        ----------
        trainer : Trainer
            Of any network; to be run with `begin` equal to its `n_iter_`.
        source : RandomWords
            What it will draw from.
        stopping : EarlyStopping, optional
            What will end it, with the same samples held out.
        """
        trainer.network_, trainer.history_ = copy.deepcopy((self.network, self.history))
        trainer.n_iter_ = self.n_iter
        source.words.state = self.words
        if stopping is not None and self.stopping is not None:
            stopping.go_on_from(self.stopping)
