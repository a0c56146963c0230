"""The loop: epochs over batches, until time is over, a callback says stop, or nothing gets better.

The trainer knows neither where samples are nor who computes: data give batches, and a crew takes steps on them.
In one process the step is :meth:`bvar.networks.Network.step`; since votes add (:doc:`/explanation/exactness`), a
crew of many machines trains the same model, bit for bit, with the same history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any, Protocol, Self

import numpy as np

from bvar._describe import Described
from bvar._validation import check_integer
from bvar.bits.random import RandomWords
from bvar.networks.losses import LOSS_ONE
from bvar.networks.network import Network
from bvar.networks.votes import Votes
from bvar.training.callbacks import Callback, as_callbacks, call, for_training
from bvar.training.checkpoint import Checkpoint
from bvar.training.data import Data
from bvar.training.early_stopping import EarlyStopping
from bvar.training.progress import Progress

__all__ = ["Crew", "Trainer", "accuracy", "empty_history"]


class Crew(Protocol):
    """Who computes votes: this process with its threads, or others that it asks.

    See Also
    --------
    Trainer : Asks it for each step.

    Notes
    -----
    After a step the network must be what ``network.step(*batch)`` of the whole batch would have made it. A crew
    may split the batch and add the votes; it may keep samples where they are and be given their numbers; it may
    let the owners of weights apply the votes. What it cannot mend by itself, it raises.
    """

    def step(self, network: Network, batch: Any) -> tuple[Votes, Sequence[int]]:
        """Let the network take one step.

        Parameters
        ----------
        network : Network
            The network, as the last step left it.
        batch : object
            One of the batches that the data give; of :class:`TrainingData` inputs, targets and weights.

        Returns
        -------
        seen : Votes
            What the samples were like before the step: their number, losses and how many were right. Tensors are
            not looked at.
        flips : sequence of int
            Number of elements of each parameter that moved.
        """
        ...


class _ThisProcess:
    """The crew of one: the fused step, with the backend and the threads in force."""

    def step(self, network: Network, batch: Any) -> tuple[Votes, Sequence[int]]:
        return network.step(*batch)


def accuracy(seen: Votes) -> float:
    """Return the share of samples that were right when they were seen."""
    return seen.n_correct / seen.n_samples


class Trainer(Described):
    """Train a network, in epochs over batches.

    Parameters
    ----------
    network : Network
        The network, which is changed in place.
    crew : Crew, optional
        Who takes the steps. Default: this process, with the backend in force, see :func:`bvar.backends.use`.
    score : callable, optional
        Turns the sum of what was seen in an epoch, a :class:`bvar.networks.Votes` without tensors, into the score
        that the history shows. Default: the share of samples that were right.

    Attributes
    ----------
    network_ : Network
        The network; after early stopping a copy of the best one.
    history_ : dict of list
        For each epoch: 'loss' and 'score' (means over samples as they were when they were seen),
        'validation_score' (with early stopping; and 'validation_loss', if it tells one), 'flips' (share of weights
        flipped or offsets moved, a list with an entry for each parameter) and 'beta' (plasticity, likewise). Sums
        are those of integers, and equal wherever the model is.
    n_iter_ : int
        Number of epochs run.
    max_iter_ : int
        Number of epochs that the run in progress may have.

    See Also
    --------
    TrainingData : Samples in memory.
    EarlyStopping : Keeps the best network.
    bvar.estimators.BooleanClassifier : Builds a network, and calls the trainer.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar import ThermometerEncoder
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.training import Trainer, TrainingData
    >>> X, y = load_digits(return_X_y=True)
    >>> x = ThermometerEncoder().fit(X).encode(X)
    >>> trainer = Trainer(boolean_mlp([x.n_bits, 128, 10], random_state=0))
    >>> trainer = trainer.run(TrainingData(x, y, flip_noise=1 / 8), max_iter=5, random_state=0)
    >>> [len(losses) for losses in trainer.history_.values()]
    [5, 5, 0, 5, 5]
    >>> bool((trainer.network_.scores(x).argmax(axis=1) == y).mean() > 0.9)
    True
    """

    def __init__(
        self, network: Network, *, crew: Crew | None = None, score: Callable[[Votes], float] = accuracy
    ) -> None:
        self.network_ = network
        self.crew = _ThisProcess() if crew is None else crew
        self.score = score
        self.history_ = empty_history()
        self.n_iter_ = self.max_iter_ = 0

    def run(
        self,
        data: Data,
        max_iter: int = 50,
        *,
        eta: float | None = None,
        early_stopping: EarlyStopping | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
        verbose: bool | int = False,
        random_state: int | np.random.RandomState | RandomWords | None = None,
        begin: int = 0,
    ) -> Self:
        """Train for some epochs, with eta falling to 0 over all of them.

        Parameters
        ----------
        data : TrainingData or another Data
            What gives the batches of each epoch.
        max_iter : int, default=50
            Number of epochs, at most.
        eta : float, optional
            Accumulation factor to start from. Default: that of the network's optimizer.
        early_stopping : EarlyStopping, optional
            Ends the training when nothing gets better, and keeps the best network.
        callbacks : callable or sequence of callable, optional
            Called with the trainer after each epoch; one that returns True ends the training.
        verbose : bool or int, default=False
            Whether to show progress: a bar in a terminal or notebook with tqdm, else a line for each epoch, as 2
            does everywhere.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the order of samples and noise come from.
        begin : int, default=0
            Epochs that an interrupted run has had, whose schedule goes on; network, history, early stopping and
            random words are then those of its :class:`bvar.training.Checkpoint`.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described; nothing is changed then. Whatever a step, a callback or an
            interrupt raises, the best network of early stopping is kept as `network_`.
        """
        max_iter = check_integer(max_iter, "max_iter", low=1)
        called = as_callbacks(callbacks)
        source = random_state if isinstance(random_state, RandomWords) else RandomWords(random_state)
        begin = check_integer(begin, "begin", low=0, high=max_iter)
        if early_stopping is not None and not isinstance(early_stopping, EarlyStopping):
            raise TypeError(f"early_stopping must be None or an EarlyStopping, got {early_stopping!r}")
        progress = Progress(verbose, max_iter, begin)
        optimizer = self.network_.optimizer
        if not begin:
            self.network_.start_schedule(optimizer.eta if eta is None else eta, max_iter * data.n_batches)
        self.max_iter_ = max_iter
        called = for_training(called, lambda: Checkpoint.of(self, source, early_stopping, data))
        was_over = begin > 0 and early_stopping is not None and early_stopping.is_over()
        try:
            for number in range(max_iter if was_over else begin, max_iter):
                self.epoch(data.epoch(number / max_iter, source))
                if early_stopping is not None:
                    self.history_["validation_score"].append(early_stopping.score(self.network_))
                    if early_stopping.loss is not None:
                        self.history_.setdefault("validation_loss", []).append(early_stopping.loss)
                progress.epoch_ended(self.history_)
                stopped = call(called, self)
                if stopped or (early_stopping is not None and early_stopping.is_over()):
                    break
        finally:  # also when a user interrupts: what was best is kept
            progress.close()
            if early_stopping is not None and early_stopping.best_network is not None:
                self.network_ = early_stopping.best_network
        return self

    def epoch(self, batches: Iterable[Any]) -> Votes:
        """Take one step for each batch, and record what was seen.

        Parameters
        ----------
        batches : iterable
            What the crew takes, at least one; by default inputs, targets and weights.

        Returns
        -------
        Votes
            What was seen, without tensors.

        Raises
        ------
        ValueError
            If there is no batch.
        """
        seen: Votes | None = None
        flips = np.zeros(len(self.network_.parameters))
        for batch in batches:
            part, flipped = self.crew.step(self.network_, batch)
            flips += flipped
            seen = part if seen is None else seen + part
        if seen is None:
            raise ValueError("batches must have at least one batch")
        self._record(seen, flips)
        return seen

    def _record(self, seen: Votes, flips: np.ndarray) -> None:
        sizes = np.array([prod(p.shape) for p in self.network_.parameters])
        self.history_["loss"].append(seen.loss / (seen.n_samples * LOSS_ONE))
        self.history_["score"].append(self.score(seen))
        self.history_["flips"].append((flips / sizes).tolist())
        self.history_["beta"].append(list(self.network_.optimizer.beta))
        self.n_iter_ += 1


def empty_history() -> dict[str, list[Any]]:
    """Return the history of a training that has not begun."""
    return {"loss": [], "score": [], "validation_score": [], "flips": [], "beta": []}
