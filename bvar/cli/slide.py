"""The picture of the demo: what was learnt, epoch by epoch and bit by bit, beside float models.

Between a pixel and a class lie two bits for every hidden neuron and every question.  Multiplied as signs and
summed, they say what the class looks for at that pixel: an integer (``docs/explanation/neuron.md``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bvar import plotting
from bvar.estimators import BooleanClassifier
from bvar.kernels import unpack
from bvar.layers import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Row", "draw", "evidence"]

_COLORS = ("#D55E00", "#009E73", "#CC79A7")
_SIDE = 8  # pixels of a digit
_QUESTIONS = 4  # drawn as 4 x 4 bits: a pixel of 0 to 16 is asked at most 16
_N_SHOWN = 10


class Row(NamedTuple):
    """A model, and what is said of it."""

    score: float
    name: str
    n_weights: int
    width: int  # bits of a weight
    seconds: float

    @property
    def n_bytes(self) -> int:
        """Size of the weights."""
        return self.n_weights * self.width // 8


def draw(model: BooleanClassifier, rows: list[Row], X: np.ndarray, y: np.ndarray) -> Figure:
    """Draw the demo as one slide.

    Parameters
    ----------
    model : BooleanClassifier
        Trained on digits of 8x8 pixels, while others were watched.
    rows : list of Row
        The model, then its rivals.
    X : ndarray of shape (n_samples, 64)
        The digits that were watched.
    y : ndarray of shape (n_samples,)
        Which they are.

    Returns
    -------
    matplotlib.figure.Figure
        The slide, 16 to 9.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.33, 7.5), layout="constrained")
    figure.suptitle(f"{rows[0].n_weights:,} single bits learn to read", x=0.01, ha="left", fontsize=20)
    halves: Any = figure.subfigures(2, 1)
    above, below = halves
    left, right = above.subplots(1, 2, width_ratios=(1.6, 1))
    _draw_scores(model, rows, left)
    sizes = [f"{bits.size:,} bits, layer {i + 1}" for i, bits in enumerate(_bits(model))]
    plotting.plot_flip_rate(model.history_, names=sizes, ax=right)
    right.set_title("Bits that flipped in an epoch", loc="left")
    grid = below.subplots(4, _N_SHOWN)
    _draw_digits(model, X, y, grid[:2])
    _draw_bits(model, grid[2:])
    return figure


def evidence(model: BooleanClassifier) -> np.ndarray:
    """Count what the bits of both layers look for, class by class and feature by feature.

    Parameters
    ----------
    model : BooleanClassifier
        With one hidden layer, on columns of numbers.

    Returns
    -------
    ndarray of shape (n_classes, n_features) and int64
        Sum of the products of signs, over the hidden neurons and the questions to a feature.
    """
    first, second = (2 * bits.astype(np.int64) - 1 for bits in _bits(model))
    counts = np.zeros((model.n_features_in_, len(second)), dtype=np.int64)
    np.add.at(counts, _features(model), (second @ first).T)
    return counts.T


def _bits(model: BooleanClassifier) -> list[np.ndarray]:
    return [unpack(parameter.bits) for parameter in model.network_.parameters if isinstance(parameter, Parameter)]


def _features(model: BooleanClassifier) -> np.ndarray:
    """Which feature each question is about."""
    return np.repeat(np.arange(model.n_features_in_), [len(found) for found in model.encoder_.thresholds_])


def _draw_scores(model: BooleanClassifier, rows: list[Row], ax: Axes) -> None:
    for name, label, color, line in (
        ("score", "bits, on what they learn from", "#56B4E9", ":"),
        ("validation_score", f"bits, on digits held out: {_described(rows[0])}", "#0072B2", "-"),
    ):
        scores = model.history_[name]
        ax.plot(range(1, len(scores) + 1), scores, line, color=color, marker=".", label=label)
    for row, color in zip(rows[1:], _COLORS, strict=False):
        ax.axhline(row.score, color=color, linestyle="--", label=f"{row.name}: {_described(row)}")
    ax.set_title("Right answers", loc="left")
    ax.set(xlabel="epoch", ylim=(0.9, 1.002))
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    ax.locator_params(axis="x", integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)
    ax.legend(frameon=False, loc="lower right")


def _described(row: Row) -> str:
    return f"{100 * row.score:.2f}%, {row.n_bytes:,} bytes"


def _draw_digits(model: BooleanClassifier, X: np.ndarray, y: np.ndarray, grid: np.ndarray) -> None:
    answers = model.predict(X)
    firsts = (np.flatnonzero((answers == y) & (y == digit))[:1] for digit in range(_N_SHOWN))
    _name(grid[0], "digits held out\nand read")
    _show_digits(grid[0], X[np.concatenate([*firsts])])
    misread = np.flatnonzero(answers != y)
    _name(grid[1], f"misread: {len(misread)}\nof {len(y)}")
    _show_digits(grid[1], X[misread])
    for ax, i in zip(grid[1], misread, strict=False):
        ax.set_title(f"{y[i]} as {answers[i]}", fontsize=8, pad=2, color=_COLORS[0])


def _show_digits(row: np.ndarray, digits: np.ndarray) -> None:
    for ax, digit in zip(row, digits, strict=False):
        _show(ax, digit.reshape(_SIDE, _SIDE), "gray_r")
    for ax in row[len(digits) :]:
        ax.set_visible(False)


def _draw_bits(model: BooleanClassifier, grid: np.ndarray) -> None:
    features, neurons, found = _features(model), _bits(model)[0], evidence(model)
    _name(grid[0], f"all {neurons.shape[1]} bits of\nten neurons")
    for ax, bits in zip(grid[0], neurons, strict=False):
        _show(ax, _laid_out(bits, features), "cividis")
    _name(grid[1], "what all bits look for\nin 0, 1, ... 9: ink\n(blue), or none (red)")
    peak = np.abs(found).max()
    for ax, counts in zip(grid[1], found, strict=False):
        _show(ax, counts.reshape(_SIDE, _SIDE), "RdBu", vmin=-peak, vmax=peak)


def _laid_out(bits: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Put the bits on the questions to a pixel where that pixel is, row by row; where there are none, NaN."""
    cells = np.full((_SIDE * _SIDE, _QUESTIONS**2), np.nan)
    for pixel, cell in enumerate(cells):
        asked = bits[features == pixel]
        cell[: len(asked)] = asked
    squares = cells.reshape(_SIDE, _SIDE, _QUESTIONS, _QUESTIONS)
    return squares.swapaxes(1, 2).reshape(_SIDE * _QUESTIONS, _SIDE * _QUESTIONS)


def _name(row: np.ndarray, text: str) -> None:
    row[0].set_ylabel(text, rotation=0, ha="right", va="center")


def _show(ax: Axes, image: np.ndarray, colors: str, **limits: Any) -> None:
    ax.imshow(image, cmap=colors, **limits)
    ax.set(xticks=[], yticks=[])
