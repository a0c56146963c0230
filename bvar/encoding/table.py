"""The encoder for whatever comes: it looks at each column, and asks the questions that suit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bvar._validation import check_choice, check_integer
from bvar.encoding.base import BitEncoder, Group
from bvar.encoding.columns import Columns, is_missing
from bvar.encoding.one_hot import (
    Categories,
    Category,
    category_labels,
    check_limits,
    choose_categories,
    n_category_bits,
)
from bvar.encoding.samples import Table, all_or_nothing
from bvar.encoding.thermometer import Thermometers, threshold_labels
from bvar.encoding.thresholds import STRATEGIES, check_target, choose_thresholds

__all__ = ["TableEncoder", "check_selection"]


class TableEncoder(BitEncoder):
    """Encode a table of mixed columns: numbers by thermometers, Booleans by a bit, text by one bit per category.

    Parameters
    ----------
    n_bits : int, default=8
        Most thresholds for a column of numbers, see :class:`ThermometerEncoder`.
    strategy : {'quantile', 'uniform', 'supervised'}, default='quantile'
        Where the thresholds go, see :class:`ThermometerEncoder`.
    categorical : 'auto' or array-like, default='auto'
        Columns that hold categories although their values are numbers: names, indices or a mask of Booleans.
        Columns of strings, and those that a frame declares categorical, are taken for categories anyway ('auto');
        a column of objects is one of numbers, or of Booleans, if all its values are.
    max_categories : int, optional, default=64
        Most bits for a column of categories; the rarest are pooled into the last, see :class:`OneHotBits`.

    Attributes
    ----------
    kinds_ : list of {'number', 'bool', 'category'}
        What each column was taken for.
    thresholds_ : list of ndarray of float64
        Rising thresholds of each column; 0.5 for one of Booleans, empty for one of categories.
    categories_ : list of list of str, int, float or bool
        Categories of each column that have a bit of their own; empty unless it is one of categories.
    infrequent_categories_ : list of list of str, int, float or bool
        Those that share the column's last bit.
    n_bits_out_ : int
        Number of bits of an encoded sample.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    ThermometerEncoder : For numbers alone.
    OneHotBits : For categories alone.

    Notes
    -----
    The bits are in the order of the columns; a table of numbers gets the bits of :class:`ThermometerEncoder`.  A
    column of objects or strings that was always missing gets no bit.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import TableEncoder
    >>> X = np.array([[30, "cook", True], [41, "smith", False], [None, "cook", None]], dtype=object)
    >>> encoder = TableEncoder().fit(X)
    >>> encoder.kinds_
    ['number', 'category', 'bool']
    >>> encoder.get_feature_names_out(["age", "job", "married"]).tolist()
    ['age>=35.5', 'job=cook', 'job=smith', 'married']
    >>> encoder.transform(X)
    array([[-1,  1, -1,  1],
           [ 1, -1,  1, -1],
           [ 0,  1, -1,  0]], dtype=int8)
    """

    def __init__(
        self,
        n_bits: int = 8,
        strategy: Literal["quantile", "uniform", "supervised"] = "quantile",
        categorical: Literal["auto"] | Sequence[str] | Sequence[int] | ArrayLike = "auto",
        max_categories: int | None = 64,
    ) -> None:
        self.n_bits = n_bits
        self.strategy = strategy
        self.categorical = categorical
        self.max_categories = max_categories

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike | None = None) -> TableEncoder:
        """Look at each column, and choose its thresholds or collect its categories.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Training data; NaN, None and pandas.NA mean missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Target of strategy 'supervised'; the others ignore it.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        n_bits = check_integer(self.n_bits, "n_bits", low=1)
        strategy = check_choice(self.strategy, "strategy", STRATEGIES)
        limits = check_limits(self.max_categories, None)
        columns = self._read(X, reset=True)
        kinds = self._kinds(columns)
        target = check_target(y, columns) if strategy == "supervised" else None
        self.kinds_, self.thresholds_ = kinds, [np.zeros(0) for _ in kinds]
        self.categories_: list[list[Category]] = [[] for _ in kinds]
        self.infrequent_categories_: list[list[Category]] = [[] for _ in kinds]
        for j, kind in enumerate(kinds):
            if kind == "category":
                self.categories_[j], self.infrequent_categories_[j] = choose_categories(columns, j, *limits)
            elif kind == "bool":
                self.thresholds_[j] = np.array([0.5])
            else:
                self.thresholds_[j] = choose_thresholds(columns, j, n_bits, strategy, target)
        self._finish()
        return self

    def _kinds(self, columns: Columns) -> list[str]:
        chosen = check_selection(self.categorical, columns.names)
        return ["category" if j in chosen else _kind(columns, j) for j in range(columns.n_columns)]

    def _widths(self) -> np.ndarray:
        n_thresholds = np.array([len(ts) for ts in self.thresholds_])
        return n_thresholds + list(map(n_category_bits, self.categories_, self.infrequent_categories_))

    def _groups(self) -> list[Group]:
        of_text = np.array([kind == "category" for kind in self.kinds_])
        groups: list[Group] = []
        if not of_text.all():
            groups.append(Thermometers(np.flatnonzero(~of_text), self.thresholds_, self._widths()))
        if of_text.any():
            which = np.flatnonzero(of_text).tolist()
            groups.append(Categories(which, self.categories_, self.infrequent_categories_, self._widths()))
        return groups

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        for column, kind in enumerate(self.kinds_):
            if kind == "bool":
                yield column, "", " is true"
            for label in threshold_labels(self.thresholds_[column]) if kind == "number" else ():
                yield column, f">={label}", f" >= {label}"
            for name, meaning in category_labels(self.categories_[column], self.infrequent_categories_[column]):
                yield column, name, meaning

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn whether a target is needed, and that values may be categories."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.strategy == "supervised"
        tags.input_tags.categorical = True
        return tags


def _kind(columns: Columns, column: int) -> str:
    """Tell a column of numbers, of Booleans and of categories apart."""
    if columns.is_categorical(column):
        return "category"
    values = columns.values(column, slice(1))
    if values.dtype.kind == "O":
        return _kind_of_objects(columns.values(column))
    return {"b": "bool", "U": "category", "T": "category"}.get(values.dtype.kind, "number")


def _kind_of_objects(values: np.ndarray) -> str:
    objects = values.tolist()
    types = set(map(type, objects))
    if len(types) > 1 or not types <= {str, int, bool}:  # then some may be missing
        types = {type(value) for value in objects if not is_missing(value)}
    if types and all(issubclass(t, bool | np.bool_) for t in types):
        return "bool"
    return "number" if types and _are_numbers(types) else "category"


def _are_numbers(types: set[type]) -> bool:
    return all(issubclass(t, Real | Decimal | np.bool_) for t in types)


def check_selection(selection: Any, names: list[str]) -> set[int]:
    """Return the indices of the columns that a list of names, of indices or a mask selects."""
    if isinstance(selection, str):
        check_choice(selection, "categorical", ("auto",))
        return set()
    text = f"categorical must be 'auto', or a list of names or indices or a mask of the {len(names)} columns"
    if np.ndim(selection) != 1:
        raise TypeError(f"{text}, got {selection!r}")
    given = list(selection)
    if given and all(isinstance(one, bool | np.bool_) for one in given):
        if len(given) != len(names):
            raise ValueError(f"{text}, got a mask of {len(given)}")
        return set(np.flatnonzero(given).tolist())
    chosen = set()
    for one in given:
        if isinstance(one, str) and one in names:
            chosen.add(names.index(one))
        elif isinstance(one, Integral) and -len(names) <= int(one) < len(names):
            chosen.add(int(one) % len(names))
        else:
            raise ValueError(f"{text}, got {one!r}; the columns are {', '.join(names[:10])}")
    return chosen
