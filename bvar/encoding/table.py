"""The encoder for whatever comes: it looks at each column, and asks the questions that suit it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from bvar._validation import check_choice, check_integer
from bvar.encoding.base import BitEncoder, Group, worth_asking
from bvar.encoding.codes import classes_of, look_like_codes, may_be_codes
from bvar.encoding.columns import Columns
from bvar.encoding.counts import (
    Category,
    ColumnCounts,
    TableCounts,
    ValueCounts,
    check_subsample,
    column_numbers,
    sample_rows,
    vary,
)
from bvar.encoding.kinds import check_selection, kind_of
from bvar.encoding.one_hot import (
    Categories,
    category_labels,
    check_limits,
    choose_categories,
    count_categories,
    n_category_bits,
)
from bvar.encoding.samples import Table, all_or_nothing
from bvar.encoding.thermometer import Thermometers, threshold_labels
from bvar.encoding.thresholds import STRATEGIES, check_target, choose_by_target, choose_thresholds

__all__ = ["TableEncoder"]


class TableEncoder(BitEncoder):
    """Encode a table of mixed columns: numbers by thermometers, Booleans by a bit, text by one bit per category.

    Parameters
    ----------
    n_bits : int or 'auto', default='auto'
        Most thresholds for a column of numbers, see :class:`ThermometerEncoder`. 'auto' divides 1024 by the number
        of columns that are not constant, and takes no fewer than 8 and no more than 64.
    strategy : {'quantile', 'uniform', 'supervised'}, default='quantile'
        Where the thresholds go, see :class:`ThermometerEncoder`.
    categorical : 'auto' or array-like, default='auto'
        Columns that hold categories although their values are numbers: names, indices or a mask of Booleans.
        Columns of strings, and those that a frame declares categorical, are taken for categories anyway ('auto');
        a column of objects is one of numbers, or of Booleans, if all its values are.
    max_categories : int, optional, default=64
        Most bits for a column of categories; the rarest are pooled into the last, see :class:`OneHotBits`.
    subsample : int or None, default=200000
        Rows that thresholds are learnt from, at most: of a longer table some, chosen by their numbers alone, see
        :func:`bvar.encoding.sample_rows`. None takes all. Categories are counted in all rows.

    Attributes
    ----------
    kinds_ : list of {'number', 'bool', 'category'}
        What each column was taken for.
    thresholds_ : list of ndarray of float64
        Rising thresholds of each column; 0.5 for one of Booleans, empty for one of categories or of constants.
    categories_ : list of list of str, int, float or bool
        Categories of each column that have a bit of their own; empty unless it is one of categories that vary.
    infrequent_categories_ : list of list of str, int, float or bool
        Those that share the column's last bit.
    code_like_ : list of int
        Columns of numbers that look like codes of categories, see `hints`; they are encoded as numbers all the
        same.
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
    The bits are in the order of the columns; a table of numbers gets the bits of :class:`ThermometerEncoder` with
    as many thresholds.  A column that was constant where it was known, or always missing, gets no bit: a question
    with one answer says nothing, and NaN is no answer.  If all columns are, the first with a value keeps one.

    Questions depend on counts of values alone, and counts of parts of a table add up: see `count`, `fit_counts`.

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
        n_bits: int | Literal["auto"] = "auto",
        strategy: Literal["quantile", "uniform", "supervised"] = "quantile",
        categorical: Literal["auto"] | Sequence[str] | Sequence[int] | ArrayLike = "auto",
        max_categories: int | None = 64,
        subsample: int | None = 200_000,
    ) -> None:
        self.n_bits = n_bits
        self.strategy = strategy
        self.categorical = categorical
        self.max_categories = max_categories
        self.subsample = subsample

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike | None = None) -> TableEncoder:
        """Look at each column, and choose its thresholds or collect its categories.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Training data; NaN, None and pandas.NA mean missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Target of strategy 'supervised'; the others take no more than hints from it.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        self._check()
        columns = self._read(X, reset=True)
        rows = sample_rows(columns.n_rows, self.subsample)
        target = check_target(y, columns, rows) if self.strategy == "supervised" else None
        kinds = self._kinds(columns)
        n_bits = self._n_bits(_varies(columns, j, kind, rows) for j, kind in enumerate(kinds))
        classes = classes_of(y, columns.n_rows, rows)
        asked, code_like = [], []
        for j, kind in enumerate(kinds):
            counts, cuts = count_column(columns, j, kind, rows), np.zeros(0)
            if kind == "number":
                numbers, values = column_numbers(columns, j, rows), counts.numbers.values
                if target is not None:
                    cuts = choose_by_target(numbers, values, target, n_bits)
                if classes is not None and may_be_codes(values) and look_like_codes(numbers, values, classes):
                    code_like.append(j)
            asked.append(self._ask(counts, n_bits, cuts))
        self._learn(kinds, asked, code_like)
        return self

    def count(self, X: Table, *, first_row: int = 0, n_rows: int | None = None) -> TableCounts:
        """Count the values of a part of a table: all that `fit_counts` needs to know of it.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows that follow one another in the table.
        first_row : int, default=0
            Number in the table of the first of them.
        n_rows : int, optional
            Rows of the whole table, which say what `subsample` chooses. Default: those up to the end of this part.

        Returns
        -------
        TableCounts
            Counts, to be added to those of the other parts in any order.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.

        Examples
        --------
        >>> import numpy as np
        >>> from bvar.encoding import TableEncoder
        >>> X = np.arange(12.0).reshape(6, 2) % 5
        >>> encoder = TableEncoder()
        >>> counts = encoder.count(X[:4], n_rows=6) + encoder.count(X[4:], first_row=4, n_rows=6)
        >>> [t.tolist() for t in encoder.fit_counts(counts).thresholds_]
        [[0.5, 1.5, 2.5, 3.5], [0.5, 1.5, 2.5, 3.5]]
        """
        self._check()
        owner = clone(self)
        columns = owner._read(X, reset=True)
        first_row = check_integer(first_row, "first_row", low=0)
        last = first_row + columns.n_rows
        n_rows = last if n_rows is None else check_integer(n_rows, "n_rows", low=last)
        rows = sample_rows(n_rows, self.subsample)
        if rows is not None:
            rows = rows[np.searchsorted(rows, first_row) : np.searchsorted(rows, last)] - first_row
        counted = [count_column(columns, j, kind, rows) for j, kind in enumerate(self._kinds(columns))]
        return TableCounts(columns.names, hasattr(owner, "feature_names_in_"), counted)

    @all_or_nothing
    def fit_counts(self, counts: TableCounts) -> TableEncoder:
        """Choose thresholds and categories by counts; the questions are those of `fit` on the whole table.

        Parameters
        ----------
        counts : TableCounts
            Sum of the counts of all parts.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not as described, or the strategy is 'supervised', for which counts are not enough.
        """
        if not isinstance(counts, TableCounts):
            raise TypeError(f"counts must be a TableCounts, got {type(counts).__name__}")
        self._check()
        if self.strategy == "supervised":
            raise ValueError("strategy must be 'quantile' or 'uniform' to fit counts, which know no target")
        self.n_features_in_ = len(counts.names)
        self.__dict__.pop("feature_names_in_", None)
        if counts.named:
            self.feature_names_in_ = np.array(counts.names, object)
        n_bits = self._n_bits(column.vary() for column in counts.columns)
        asked = [self._ask(column, n_bits, np.zeros(0)) for column in counts.columns]
        self._learn([column.kind for column in counts.columns], asked, [])
        return self

    def hints(self) -> list[str]:
        """Name the columns of numbers that look like codes of categories."""
        names = [self._input_names()[j] for j in getattr(self, "code_like_", [])]
        text = "may hold codes of categories; if so, name them: TableEncoder(categorical=[...])"
        return [f"columns of numbers that {text}: {', '.join(names)}"] if names else []

    def _check(self) -> None:
        check_n_bits(self.n_bits)
        check_choice(self.strategy, "strategy", STRATEGIES)
        check_limits(self.max_categories, None)
        check_subsample(self.subsample)

    def _kinds(self, columns: Columns) -> list[str]:
        chosen = check_selection(self.categorical, columns.names)
        return ["category" if j in chosen else kind_of(columns, j) for j in range(columns.n_columns)]

    def _n_bits(self, varies: Iterable[bool]) -> int:
        """Spend some 1024 bits on the columns that vary: few deserve fine thresholds, many do with coarse ones."""
        n_bits = check_n_bits(self.n_bits)
        return min(64, max(8, 1024 // max(1, sum(varies)))) if n_bits is None else n_bits

    def _ask(self, counts: ColumnCounts, n_bits: int, cuts: np.ndarray) -> _Questions:
        """Choose the questions for one column: the `cuts` that were found for it, or others."""
        if counts.kind == "bool":
            return _Questions(counts.numbers.vary(), np.array([0.5]), [], [])
        if counts.kind == "number":
            thresholds = cuts if len(cuts) else choose_thresholds(counts.numbers, n_bits, self.strategy)
            return _Questions(counts.numbers.vary(), thresholds, [], [])
        kept, pooled = choose_categories(counts.categories, 0, self.max_categories, None)
        return _Questions(n_category_bits(kept, pooled) > 1, np.zeros(0), kept, pooled)

    def _learn(self, kinds: Sequence[str], asked: Sequence[_Questions], code_like: list[int]) -> None:
        """Remember the questions that are worth asking."""
        marked = worth_asking([one.varies for one in asked], [one.n_bits() for one in asked])
        nothing = _Questions(False, np.zeros(0), [], [])
        asked = [one if worth else nothing for one, worth in zip(asked, marked, strict=True)]
        self.kinds_ = ["category" if kind == "missing" else kind for kind in kinds]
        self.thresholds_ = [one.thresholds for one in asked]
        self.categories_ = [one.kept for one in asked]
        self.infrequent_categories_ = [one.pooled for one in asked]
        self.code_like_ = code_like
        self._finish()

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
            if kind == "bool" and len(self.thresholds_[column]):  # none if it was constant
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


class _Questions(NamedTuple):
    """What one column is asked, and whether the answers vary."""

    varies: bool
    thresholds: np.ndarray
    kept: list[Category]
    pooled: list[Category]

    def n_bits(self) -> int:
        return len(self.thresholds) + n_category_bits(self.kept, self.pooled)


def check_n_bits(n_bits: Any) -> int | None:
    """Return how many thresholds a column may have, or None for 'auto'."""
    if isinstance(n_bits, str):
        if n_bits != "auto":
            raise ValueError(f"n_bits must be 'auto' or an integer >= 1, got {n_bits!r}")
        return None
    return check_integer(n_bits, "n_bits", low=1)


def count_column(columns: Columns, column: int, kind: str, rows: np.ndarray | None) -> ColumnCounts:
    """Count the numbers of a column in some rows, or its categories in all."""
    name = columns.names[column]
    if kind in ("number", "bool"):
        return ColumnCounts(kind, ValueCounts.of(column_numbers(columns, column, rows), name), Counter())
    return ColumnCounts(kind, ValueCounts.none(), count_categories(columns.values(column), name))


def _varies(columns: Columns, column: int, kind: str, rows: np.ndarray | None) -> bool:
    """Tell whether the counts of a column would vary; numbers need not be sorted for that."""
    if kind in ("number", "bool"):
        return vary(column_numbers(columns, column, rows))
    return count_column(columns, column, kind, rows).vary()
