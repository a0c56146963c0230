"""Unate questions: "at least t?" of numbers that may only raise a score, "less than t?" of those that lower it.

A function of bits that never falls when a bit goes from F to T then rises with the one kind of feature and falls
with the other, whatever is learnt; numbers that may do both are asked both ways, so that nothing is lost for them.
The page ``docs/explanation/monotone.md`` has the proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bvar.bits import BitMatrix
from bvar.encoding.base import Group
from bvar.encoding.columns import Columns
from bvar.encoding.one_hot import Categories, n_category_bits
from bvar.encoding.table import TableEncoder
from bvar.encoding.thermometer import Thermometers

__all__ = ["UnateEncoder", "check_directions"]


class UnateEncoder(TableEncoder):
    """Encode a table so that no bit falls when a feature moves the way that it may raise a score.

    Parameters
    ----------
    n_bits : int or 'auto', default='auto'
        Most thresholds for a column of numbers, see :class:`TableEncoder`.
    strategy : {'quantile', 'uniform', 'supervised'}, default='quantile'
        Where they go.
    categorical : 'auto' or array-like, default='auto'
        Columns that hold categories although their values are numbers.
    max_categories : int, optional, default=64
        Most bits for a column of categories.
    subsample : int or None, default=200000
        Rows that thresholds are learnt from, at most.
    monotonic_cst : array-like of int, shape (n_features,), or dict of str to int, optional
        For each feature 1 where scores may only rise with it, -1 where they may only fall, 0 where they may do
        both; or a dict of those by name that are not 0. Default: all 0.

    Attributes
    ----------
    directions_ : list of int
        The constraint of each feature.
    kinds_, thresholds_, categories_, infrequent_categories_, code_like_, n_bits_out_, n_features_in_
        As for :class:`TableEncoder`; one threshold makes two bits where the constraint is 0.
    feature_names_in_ : ndarray of str
        Names of the columns, if they had any.

    See Also
    --------
    TableEncoder : Which asks every number one way.
    bvar.estimators.BooleanClassifier : Whose `monotonic_cst` asks for this encoder, and a network to suit it.

    Notes
    -----
    Where x <= x' in every feature of constraint 1, x >= x' in every one of -1, the rest is equal, and neither row
    lacks a value that the other has, every bit that is T for x is T for x'. Categories have one bit each: any
    set of them and its complement are sums of such bits, so that they need no second ones.

    A missing value answers neither question, and is neither above nor below the others.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import UnateEncoder
    >>> X = np.array([[30.0, 2.0, 1.0], [41.0, 5.0, 2.0]])
    >>> encoder = UnateEncoder(monotonic_cst=[1, -1, 0]).fit(X)
    >>> encoder.get_feature_names_out(["age", "debt", "rank"]).tolist()
    ['age>=35.5', 'debt<3.5', 'rank>=1.5', 'rank<1.5']
    >>> encoder.transform([[50.0, 4.0, np.nan]])
    array([[ 1, -1,  0,  0]], dtype=int8)
    """

    def __init__(
        self,
        n_bits: int | Literal["auto"] = "auto",
        strategy: Literal["quantile", "uniform", "supervised"] = "quantile",
        categorical: Literal["auto"] | Sequence[str] | Sequence[int] | ArrayLike = "auto",
        max_categories: int | None = 64,
        subsample: int | None = 200_000,
        monotonic_cst: ArrayLike | Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(n_bits, strategy, categorical, max_categories, subsample)
        self.monotonic_cst = monotonic_cst

    def _learn(self, kinds: Sequence[str], *learnt: Any) -> None:
        directions = check_directions(self.monotonic_cst, self.n_features_in_, self._names())
        for name, kind, direction in zip(self._input_names(), kinds, directions, strict=True):
            if direction and kind == "category":
                raise ValueError(
                    f"monotonic_cst must be 0 for features of categories, which have no order; "
                    f"{name!r} has {direction}"
                )
        self.directions_ = directions
        super()._learn(kinds, *learnt)

    def _names(self) -> list[str] | None:
        return list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None

    def _widths(self) -> np.ndarray:
        n_categories = list(map(n_category_bits, self.categories_, self.infrequent_categories_))
        return np.array(list(map(len, self._falls()))) + n_categories

    def _falls(self) -> list[np.ndarray]:
        """Say for each bit of the numbers of a column whether it asks "less than?"."""
        return [
            np.repeat([False, True], (len(ts) if direction >= 0 else 0, len(ts) if direction <= 0 else 0))
            for ts, direction in zip(self.thresholds_, self.directions_, strict=True)
        ]

    def _asked(self) -> list[np.ndarray]:
        """Give the thresholds of the bits of each column."""
        return [np.tile(ts, 1 if d else 2) for ts, d in zip(self.thresholds_, self.directions_, strict=True)]

    def _groups(self) -> list[Group]:
        of_text = np.array([kind == "category" for kind in self.kinds_])
        groups: list[Group] = []
        if not of_text.all():
            groups.append(
                UnateThermometers(np.flatnonzero(~of_text), self._asked(), self._falls(), self._widths())
            )
        if of_text.any():
            which = np.flatnonzero(of_text).tolist()
            groups.append(Categories(which, self.categories_, self.infrequent_categories_, self._widths()))
        return groups

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        asked = list(super()._questions())
        for column, direction in enumerate(self.directions_):
            mine = [one for one in asked if one[0] == column]
            if direction >= 0 or self.kinds_[column] == "category":
                yield from mine
            if direction <= 0 and self.kinds_[column] != "category":
                yield from map(_negated, mine)


class UnateThermometers(Thermometers):
    """The columns of numbers of a table, some bits of which ask the other way."""

    def __init__(
        self,
        which: np.ndarray,
        thresholds: Sequence[np.ndarray],
        falls: Sequence[np.ndarray],
        widths: np.ndarray,
    ) -> None:
        super().__init__(which, thresholds, widths)
        falling = np.concatenate([falls[j] for j in which])
        self.falling = self.lines[falling]
        self.column_of_falling = np.repeat(which, self.widths)[falling]

    def answer(self, columns: Columns, rows: slice, answers: np.ndarray, missing: np.ndarray) -> None:
        """Compare; NaN answers F both ways."""
        super().answer(columns, rows, answers, missing)
        answers[self.falling] = ~(answers[self.falling] | missing[self.column_of_falling])

    def pack(self, columns: Columns, rows: slice) -> BitMatrix | None:
        """Leave it to `answer`."""
        return None


def check_directions(cst: Any, n_features: int, names: Sequence[str] | None) -> list[int]:
    """Return the constraint of each feature, or say what is wrong with constraints.

    Parameters
    ----------
    cst : array-like of int, or dict of str to int, or None
        As a user gives it.
    n_features : int
        Number of features.
    names : sequence of str, or None
        Their names, if they have any.

    Returns
    -------
    list of int
        1, -1 or 0 for each.

    Raises
    ------
    TypeError, ValueError
        If `cst` is not as described.
    """
    if cst is None:
        return [0] * n_features
    if isinstance(cst, Mapping):
        if names is None:
            raise ValueError("monotonic_cst must be an array where the features of X have no names, got a dict")
        unknown = [name for name in cst if name not in names]
        if unknown:
            raise ValueError(f"monotonic_cst must name features of X, {list(names)}, got {unknown}")
        cst = [cst.get(name, 0) for name in names]
    try:
        found = np.asarray(cst)
    except ValueError:
        found = np.empty((0, 0))
    if found.shape != (n_features,):
        raise ValueError(f"monotonic_cst must have an entry for each of {n_features} features, got {cst!r}")
    if found.dtype.kind not in "iuf" or not np.isin(found, (-1, 0, 1)).all():
        raise ValueError(f"monotonic_cst must hold -1, 0 and 1 alone, got {found.tolist()}")
    return [int(one) for one in found]


def _negated(question: tuple[int, str, str]) -> tuple[int, str, str]:
    """Name the opposite of a question about a number or a Boolean."""
    column, name, meaning = question
    if not name:
        return column, "=False", " is false"
    return column, name.replace(">=", "<", 1), meaning.replace(">=", "<", 1)
