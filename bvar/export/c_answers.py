"""What is made of scores: the class of the best, labels, or numbers, in Python and in C alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from bvar._validation import check_finite, check_real
from bvar.export.c_text import BEST, array

__all__ = ["Answer", "Best", "Positive", "Scaled", "Spelled", "check_scores", "spelled"]


@dataclass(frozen=True)
class Best:
    """The number of the first of the largest scores.

    Parameters
    ----------
    names : tuple of str, default=()
        What the scores stand for, for a comment.
    """

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Positive:
    """For each score whether it is positive, 1 or 0."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """For each score ``mean + std * (score / unit)``, each operation rounded to double by itself.

    Parameters
    ----------
    mean, std : ndarray of float64, shape (n_scores,)
        What puts scores on the scale of numbers.
    unit : float
        Scores that one `std` takes, positive.

    Raises
    ------
    TypeError, ValueError
        If these are no finite numbers, or not as described.
    """

    mean: np.ndarray
    std: np.ndarray
    unit: float

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            numbers = check_finite(getattr(self, name), name)
            if numbers.ndim != 1:
                raise ValueError(f"{name} must have 1 dimension(s), got shape {numbers.shape}")
            object.__setattr__(self, name, numbers)
        object.__setattr__(self, "unit", check_real(self.unit, "unit", low=0, strict=True))


Answer: TypeAlias = Best | Positive | Scaled
"""What can be made of scores."""


class Spelled(NamedTuple):
    """How C says it: the type of an answer, what answers are called and are, how many a row has, and how."""

    ctype: str
    noun: str
    says: str
    width: int
    functions: str
    data_bytes: int


def check_scores(answer: Answer, n_scores: int) -> None:
    """Refuse what is no answer to so many scores."""
    if not isinstance(answer, Scaled):
        return
    for name in ("mean", "std"):
        n = len(getattr(answer, name))
        if n != n_scores:
            raise ValueError(f"{name} of answer must have a number for each of {n_scores} score(s), got {n}")


def spelled(answer: Answer, name: str, n_scores: int) -> Spelled:
    """Write what is made of `n_scores` scores, in functions whose names begin with `name`."""
    if isinstance(answer, Best):
        return _best(name, n_scores)
    return _positive(name, n_scores) if isinstance(answer, Positive) else _scaled(answer, name, n_scores)


def _best(name: str, n_scores: int) -> Spelled:
    functions = (
        f"{BEST.substitute(name=name, n_groups=n_scores)}\n"
        f"static inline void {name}_answer(const int32_t *scores, int32_t *classes) {{\n"
        f"    *classes = {name}_best(scores);\n}}\n"
    )
    return Spelled("int32_t", "classes", "the number of the first of the largest scores", 1, functions, 0)


def _positive(name: str, n_scores: int) -> Spelled:
    functions = (
        f"static inline void {name}_answer(const int32_t *scores, int32_t *labels) {{\n"
        "    size_t i;\n"
        f"    for (i = 0; i < {n_scores}; i++) labels[i] = scores[i] > 0;\n}}\n"
    )
    return Spelled("int32_t", "labels", "for each score 1 if it is positive, else 0", n_scores, functions, 0)


def _scaled(answer: Scaled, name: str, n_scores: int) -> Spelled:
    functions = (
        array("double", f"{name}_mean", map(float, answer.mean))
        + array("double", f"{name}_std", map(float, answer.std))
        + "\n/* Each operation is rounded to double by itself: volatile keeps compilers from fusing two. */\n"
        f"static inline void {name}_answer(const int32_t *scores, double *numbers) {{\n"
        "    size_t i;\n"
        f"    for (i = 0; i < {n_scores}; i++) {{\n"
        f"        volatile double part = (double)scores[i] / {float(answer.unit).hex()};\n"
        f"        part = {name}_std[i] * part;\n"
        f"        numbers[i] = {name}_mean[i] + part;\n"
        "    }\n}\n"
    )
    says = "for each score mean + std * (score / unit), in IEEE doubles"
    return Spelled("double", "numbers", says, n_scores, functions, 16 * n_scores)
