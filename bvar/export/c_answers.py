"""What is made of scores: the class of the best, labels, or numbers, in Python and in C alike."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import ClassVar, TypeAlias

import numpy as np

from bvar.export.c_text import BEST, array

__all__ = ["Answer", "Best", "Positive", "Scaled"]


@dataclass(frozen=True)
class Best:
    """The number of the first of the largest scores.

    Parameters
    ----------
    names : tuple of str
        What the scores stand for, for a comment.
    """

    names: tuple[str, ...] = ()
    ctype: ClassVar[str] = "int32_t"
    noun: ClassVar[str] = "classes"
    width: ClassVar[str] = "1"
    says: ClassVar[str] = "the number of the first of the largest scores"

    def functions(self, name: str, n_scores: int) -> str:
        """Write what `answer` needs, and `answer`."""
        call = Template("static inline void ${name}_answer(const int32_t *scores, int32_t *classes) {\n")
        return (
            BEST.substitute(name=name, n_groups=n_scores)
            + "\n"
            + call.substitute(name=name)
            + f"    *classes = {name}_best(scores);\n}}\n"
        )


@dataclass(frozen=True)
class Positive:
    """For each score whether it is positive, 1 or 0.

    Parameters
    ----------
    names : tuple of str
        What the scores stand for, for a comment.
    """

    names: tuple[str, ...] = ()
    ctype: ClassVar[str] = "int32_t"
    noun: ClassVar[str] = "labels"
    width: ClassVar[str] = "$n_scores"
    says: ClassVar[str] = "for each score 1 if it is positive, else 0"

    def functions(self, name: str, n_scores: int) -> str:
        """Write `answer`."""
        return (
            f"static inline void {name}_answer(const int32_t *scores, int32_t *labels) {{\n"
            "    size_t i;\n"
            f"    for (i = 0; i < {n_scores}; i++) labels[i] = scores[i] > 0;\n}}\n"
        )


@dataclass(frozen=True)
class Scaled:
    """For each score ``mean + std * (score / unit)``, each operation rounded to double by itself.

    Parameters
    ----------
    mean, std : ndarray of float64, shape (n_scores,)
        What puts scores on the scale of numbers.
    unit : float
        Scores that one `std` takes.
    """

    mean: np.ndarray
    std: np.ndarray
    unit: float
    names: ClassVar[tuple[str, ...]] = ()
    ctype: ClassVar[str] = "double"
    noun: ClassVar[str] = "numbers"
    width: ClassVar[str] = "$n_scores"
    says: ClassVar[str] = "for each score mean + std * (score / unit), in IEEE doubles"

    def functions(self, name: str, n_scores: int) -> str:
        """Write the constants, and `answer`."""
        return (
            array("double", f"{name}_mean", map(float, self.mean))
            + array("double", f"{name}_std", map(float, self.std))
            + "\n/* Each operation is rounded to double by itself: volatile keeps compilers from fusing two. */\n"
            f"static inline void {name}_answer(const int32_t *scores, double *numbers) {{\n"
            "    size_t i;\n"
            f"    for (i = 0; i < {n_scores}; i++) {{\n"
            f"        volatile double part = (double)scores[i] / {float(self.unit).hex()};\n"
            f"        part = {name}_std[i] * part;\n"
            f"        numbers[i] = {name}_mean[i] + part;\n"
            "    }\n}\n"
        )


Answer: TypeAlias = Best | Positive | Scaled
"""What can be made of scores."""
