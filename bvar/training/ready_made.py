"""Callbacks that many trainings want: an end by the clock or by the score, and a log that others can read."""

from __future__ import annotations

import json
import time
from math import inf
from os import PathLike
from pathlib import Path

from bvar._validation import check_choice, check_real
from bvar.training.callbacks import Learner

__all__ = ["LogFile", "TargetScore", "TimeLimit"]

_SCORES = ("score", "validation_score")


class TimeLimit:
    """End the training before an epoch that would end later than so many seconds; two are run in any case.

    Parameters
    ----------
    seconds : float
        How long to go on, of real time. The clock starts when the first epoch ends, which is taken to have been as
        long as the others; a new training starts it again.

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
        self._begun = 0.0

    def __call__(self, learner: Learner) -> bool:
        """Say whether time is over."""
        if learner.n_iter_ == 1:
            self._begun = time.monotonic()
        mean = (time.monotonic() - self._begun) / max(1, learner.n_iter_ - 1)
        return time.monotonic() - self._begun + mean >= self.seconds


class TargetScore:
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


class LogFile:
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
        self.path = Path(path)

    def __call__(self, learner: Learner) -> None:
        """Write the line of the epoch that has ended."""
        epoch = {name: values[-1] for name, values in learner.history_.items() if values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": learner.n_iter_, **epoch}) + "\n")
