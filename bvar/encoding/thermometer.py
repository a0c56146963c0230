"""Thermometers: k bits ask k questions of a number, "are you at least t?", for rising thresholds t.

A larger number answers T to more of them, so that what is near in value is near in bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bvar import kernels
from bvar._validation import check_choice, check_integer
from bvar.bits import BitMatrix
from bvar.encoding.base import BitEncoder, Group, worth_asking
from bvar.encoding.columns import Columns
from bvar.encoding.counts import check_subsample, column_numbers, sample_rows
from bvar.encoding.samples import Table, all_or_nothing
from bvar.encoding.thresholds import STRATEGIES, check_target, learn_thresholds

__all__ = ["ThermometerEncoder", "Thermometers", "threshold_labels"]

_FEW = 2**16  # answers to numbers that are no bytes; more are faster column by column
_TOGETHER = 2**18  # answers to bytes at a time: these stay in the cache


class ThermometerEncoder(BitEncoder):
    """Encode each feature as the answers to "is it at least t?" for some thresholds t.

    Parameters
    ----------
    n_bits : int, default=8
        Most thresholds for one feature. A feature with few distinct values gets one threshold between each two
        neighbours instead, which loses nothing.
    strategy : {'quantile', 'uniform', 'supervised'}, default='quantile'
        Where the thresholds go: so that about equally many training values lie between them, at equal distances
        from the smallest value to the largest, or where a decision tree of the feature alone would separate
        the target. The last one needs `y` in `fit`.
    subsample : int or None, default=200000
        Rows that thresholds are learnt from, at most: of a longer table some, chosen by their numbers alone, see
        :func:`bvar.encoding.sample_rows`. None takes all.

    Attributes
    ----------
    thresholds_ : list of ndarray of float64
        Rising thresholds of each feature; none for one that is constant.
    n_bits_out_ : int
        Number of bits of an encoded sample.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    TableEncoder : The same for tables that also hold text.

    Notes
    -----
    A feature that is always NaN in the training data, or constant where it is not, gets no threshold: a question
    with one answer says nothing, and NaN is no answer.  If all features are, the first keeps one, so that there is
    a bit.  No two thresholds part the training data in the same way.  Infinite values are refused.

    The tree of 'supervised' leaves no fewer than a quarter of an equal share of samples between two thresholds,
    and may use fewer thresholds than it is allowed.  A feature that it cannot split gets quantiles.  A target of
    floats is a number to be predicted; anything else (integers, Booleans, strings) is a class.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import ThermometerEncoder
    >>> X = np.array([[0.0], [1.0], [2.0], [np.nan]])
    >>> encoder = ThermometerEncoder().fit(X)
    >>> encoder.thresholds_
    [array([0.5, 1.5])]
    >>> encoder.transform(X)
    array([[-1, -1],
           [ 1, -1],
           [ 1,  1],
           [ 0,  0]], dtype=int8)
    >>> encoder.meaning(1)
    'x0 >= 1.5'
    """

    def __init__(
        self,
        n_bits: int = 8,
        strategy: Literal["quantile", "uniform", "supervised"] = "quantile",
        subsample: int | None = 200_000,
    ) -> None:
        self.n_bits = n_bits
        self.strategy = strategy
        self.subsample = subsample

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike | None = None) -> ThermometerEncoder:
        """Choose the thresholds.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Training data; NaN means missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Target of strategy 'supervised'; the others ignore it.

        Returns
        -------
        ThermometerEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        n_bits = check_integer(self.n_bits, "n_bits", low=1)
        strategy = check_choice(self.strategy, "strategy", STRATEGIES)
        subsample = check_subsample(self.subsample)
        columns = self._read(X, reset=True)
        rows = sample_rows(columns.n_rows, subsample)
        target = check_target(y, columns, rows) if strategy == "supervised" else None
        learnt = [
            learn_thresholds(column_numbers(columns, j, rows), name, n_bits, strategy, target)
            for j, name in enumerate(columns.names)
        ]
        marked = worth_asking([varies for _, varies in learnt], [len(ts) for ts, _ in learnt])
        self.thresholds_ = [ts if asked else ts[:0] for (ts, _), asked in zip(learnt, marked, strict=True)]
        self._finish()
        return self

    def _widths(self) -> np.ndarray:
        return np.array([len(ts) for ts in self.thresholds_])

    def _groups(self) -> list[Group]:
        return [Thermometers(np.arange(self.n_features_in_), self.thresholds_, self._widths())]

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        for column, thresholds in enumerate(self.thresholds_):
            for label in threshold_labels(thresholds):
                yield column, f">={label}", f" >= {label}"

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn whether a target is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.strategy == "supervised"
        return tags


class Thermometers:
    """The columns of numbers of a table, answered together."""

    def __init__(self, which: np.ndarray, thresholds: Sequence[np.ndarray], widths: np.ndarray) -> None:
        mine = np.zeros(len(widths), np.bool_)
        mine[which] = True
        self.which, self.widths = which, widths[which]
        self.lines = np.flatnonzero(np.repeat(mine, widths))
        self.thresholds = np.concatenate([thresholds[j] for j in which])[:, None]

    def answer(self, columns: Columns, rows: slice, answers: np.ndarray, missing: np.ndarray) -> None:
        """Compare; NaN is less than everything."""
        numbers = columns.numbers(self.which, rows)
        missing[self.which] = np.isnan(numbers)
        numbers = np.repeat(numbers, self.widths, axis=0)
        if len(self.lines) == len(answers):
            np.greater_equal(numbers, self.thresholds, out=answers)
        else:
            answers[self.lines] = numbers >= self.thresholds

    def pack(self, columns: Columns, rows: slice) -> BitMatrix | None:
        """Answer for an array of bytes, or a few rows of other numbers, all of them mine, as they lie."""
        dtype, n_rows = columns.plain_dtype, rows.stop - rows.start
        if dtype == np.uint8 and self.levels is not None:
            step = max(1, _TOGETHER // len(self.levels))
            blocks = [
                slice(i, min(i + step, rows.stop)) for i in range(rows.start, max(rows.stop, rows.start + 1), step)
            ]
            parts = [kernels.pack_levels(self._repeated(columns.table[some]), self.levels) for some in blocks]
            return parts[0] if len(parts) == 1 else BitMatrix.concatenate(parts)
        if dtype is None or n_rows * len(self.thresholds) > _FEW:
            return None
        return kernels.pack_threshold(self._repeated(columns.plain_rows(rows)), self.thresholds[:, 0])

    def _repeated(self, table: np.ndarray) -> np.ndarray:
        """Repeat each column as often as it is asked."""
        return np.repeat(table, self.widths, axis=1) if self._asks_more_than_once else table

    @cached_property
    def _asks_more_than_once(self) -> bool:
        return bool((self.widths != 1).any())

    @cached_property
    def levels(self) -> np.ndarray | None:
        """The thresholds as bytes; None if one is above all bytes."""
        levels = np.maximum(np.ceil(self.thresholds[:, 0]), 0)
        return levels.astype(np.uint8) if levels.max() <= np.iinfo(np.uint8).max else None


def threshold_labels(thresholds: np.ndarray) -> list[str]:
    """Write thresholds in six digits if that tells them apart, else in all their digits."""
    short = [f"{t:g}" for t in thresholds]
    return short if len(set(short)) == len(short) else [repr(float(t)) for t in thresholds]
