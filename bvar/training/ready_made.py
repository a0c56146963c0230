"""Callbacks that many trainings want: an end by the clock or by the score, a log, and what a run goes on from."""

from __future__ import annotations

import json
import time
from math import inf
from os import PathLike, fsdecode
from pathlib import Path

from bvar import model_file
from bvar._describe import Described
from bvar._validation import check_choice, check_integer, check_path, check_real
from bvar.training.callbacks import Callback, Keep, Learner

__all__ = ["CheckpointFile", "LogFile", "TargetScore", "TimeLimit"]

_SCORES = ("score", "validation_score")


class TimeLimit(Described):
    """End the training before an epoch that would end later than so many seconds; two are run in any case.

    Parameters
    ----------
    seconds : float
        How long to go on, of real time. The clock starts when the first epoch ends, which is taken to have been as
        long as the others; a new training starts it again, and so does one that goes on from a file.

    Raises
    ------
    TypeError, ValueError
        If `seconds` is not a positive number.

    Notes
    -----
    What comes out depends on how fast the machine is; the network after any number of epochs does not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier
    >>> from bvar.training import TimeLimit
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BooleanClassifier(16, max_iter=1000, callbacks=TimeLimit(0.05), random_state=0).fit(X, y)
    >>> model.n_iter_ < 1000
    True
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = check_real(seconds, "seconds", low=0, strict=True)
        self._begun: float | None = None
        self._n_epochs = 0  # since the clock started

    def begin(self, keep: Keep) -> TimeLimit:
        """Return a limit for one training, with a clock of its own.

        Parameters
        ----------
        keep : callable
            Not used.

        Returns
        -------
        TimeLimit
            The limit.
        """
        return TimeLimit(self.seconds)

    def __call__(self, learner: Learner) -> bool:
        """Say whether time is over."""
        if self._begun is None:
            self._begun = time.monotonic()
        mean = (time.monotonic() - self._begun) / max(1, self._n_epochs)
        self._n_epochs += 1
        return time.monotonic() - self._begun + mean >= self.seconds


class TargetScore(Described):
    """End the training when a score is reached.

    Parameters
    ----------
    target : float
        The score that suffices.
    which : {'score', 'validation_score'}, default='score'
        That on the training samples as they were when they were seen, or on samples held out, which there are with
        early stopping.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; when called, if the training has no such score.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier
    >>> from bvar.training import TargetScore
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BooleanClassifier(64, callbacks=TargetScore(0.9), random_state=0).fit(X, y)
    >>> model.history_["score"][-1] >= 0.9 > max(model.history_["score"][:-1])
    True
    """

    def __init__(self, target: float, which: str = "score") -> None:
        self.target = check_real(target, "target", low=-inf)
        self.which = check_choice(which, "which", _SCORES)

    def __call__(self, learner: Learner) -> bool:
        """Say whether it is reached."""
        scores = learner.history_[self.which]
        if not scores:
            raise ValueError("which='validation_score' needs samples held out: set early_stopping=True")
        return bool(scores[-1] >= self.target)


class CheckpointFile(Described):
    """Write a file from which a fit that is stopped, however that happens, goes on to the same model, bit for bit.

    Parameters
    ----------
    path : str or path-like
        The file. It is written when training begins and after epochs, each time in one step, so that there is
        always a whole one; what was there is replaced.
    every : int, default=1
        Epochs from one file to the next. The last epoch of all is written in any case.

    Raises
    ------
    TypeError, ValueError
        If `path` is none, or `every` not a positive integer; when training begins, if a model file cannot hold the
        network.
    OSError
        When training begins, if the file cannot be written.

    See Also
    --------
    Checkpoint : What the file holds of a training without an estimator.
    bvar.estimators.BooleanClassifier.fit : Goes on with ``resume=path``.

    Notes
    -----
    A file takes 17 bits for each weight, twice that with early stopping. Where epochs are short, write it more
    rarely.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier
    >>> from bvar.training import CheckpointFile
    >>> X, y = load_iris(return_X_y=True)
    >>> whole = BooleanClassifier(16, max_iter=6, random_state=0).fit(X, y)
    >>> def stop(model):
    ...     return model.n_iter_ == 4
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "training.bvar"
    ...     callbacks = [CheckpointFile(path), stop]
    ...     stopped = BooleanClassifier(16, max_iter=6, callbacks=callbacks, random_state=0).fit(X, y)
    ...     model = BooleanClassifier(16, max_iter=6, random_state=0).fit(X, y, resume=path)
    >>> stopped.n_iter_, model.n_iter_
    (4, 6)
    >>> model.network_.fingerprint() == whole.network_.fingerprint(), model.history_ == whole.history_
    (True, True)
    """

    def __init__(self, path: str | PathLike[str], every: int = 1) -> None:
        self.path = Path(fsdecode(check_path(path, "path")))
        self.every = check_integer(every, "every", low=1)

    def begin(self, keep: Keep) -> Callback:
        """Write the file, and return what writes it after epochs.

        Parameters
        ----------
        keep : callable
            Returns what the training goes on from, as it is now.

        Returns
        -------
        callable
            To be called with the estimator, or the trainer, after each epoch.
        """

        def write(learner: Learner) -> None:
            if learner.n_iter_ % self.every == 0 or learner.n_iter_ == learner.max_iter_:
                model_file.save(keep(), self.path, training_state=True)

        model_file.save(keep(), self.path, training_state=True)
        return write


class LogFile(Described):
    """Append a line of JSON for each epoch: its number, and what the history says of it.

    Parameters
    ----------
    path : str or path-like
        The file; it is made with the first line, and lines that are there stay.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier
    >>> from bvar.training import LogFile
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "log.jsonl"
    ...     model = BooleanClassifier(16, max_iter=2, callbacks=LogFile(path), random_state=0).fit(X, y)
    ...     lines = [json.loads(line) for line in path.read_text().splitlines()]
    >>> [line["epoch"] for line in lines], lines[1]["score"] == model.history_["score"][1]
    ([1, 2], True)
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(fsdecode(check_path(path, "path")))

    def __call__(self, learner: Learner) -> None:
        """Write the line of the epoch that has ended."""
        epoch = {name: values[-1] for name, values in learner.history_.items() if values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": learner.n_iter_, **epoch}) + "\n")
