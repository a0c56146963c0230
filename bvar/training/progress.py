"""What a user sees while a model learns: a bar where there is a terminal or a notebook, lines elsewhere."""

from __future__ import annotations

import sys
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["Progress", "check_verbose"]


class Progress:
    """Show epochs as they end.

    Parameters
    ----------
    verbose : bool or int
        0 or False: nothing. 1 or True: a bar if tqdm is installed and the output is a terminal or a notebook,
        else a line for each epoch. 2 or more: always lines.
    max_iter : int
        Number of epochs at most.
    begin : int, default=0
        Those that have been run before.

    Raises
    ------
    TypeError, ValueError
        If `verbose` is something else.
    """

    def __init__(self, verbose: bool | int, max_iter: int, begin: int = 0) -> None:
        self.verbose = check_verbose(verbose)
        self.max_iter = max_iter
        self.bar = _bar(max_iter, begin) if self.verbose == 1 else None

    def epoch_ended(self, history: dict[str, list[Any]]) -> None:
        """Show the last entry of a history.

        Parameters
        ----------
        history : dict of list
            As in the estimators.
        """
        if not self.verbose:
            return
        text = f"loss {history['loss'][-1]:.3f}  score {history['score'][-1]:.4f}"
        if history.get("validation_score"):
            text += f"  validation {history['validation_score'][-1]:.4f}"
        text += "  flipped " + " ".join(f"{100 * share:6.2f}%" for share in history["flips"][-1])
        if self.bar is None:
            print(f"epoch {len(history['loss']):3d}/{self.max_iter}  {text}", flush=True)  # noqa: T201
        else:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()


def check_verbose(verbose: Any) -> int:
    """Return how much to show, after checking it."""
    text = f"verbose must be True, False or an integer >= 0, got {verbose!r}"
    if not isinstance(verbose, Integral | np.bool_):
        raise TypeError(text)
    if verbose < 0:
        raise ValueError(text)
    return int(verbose)


def _bar(max_iter: int, begin: int) -> Any:
    if not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=max_iter, initial=begin, unit="epoch")
