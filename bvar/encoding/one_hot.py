"""One bit per category: "is it this one?"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from math import isinf
from numbers import Integral, Real
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.encoding.base import BitEncoder, Group, worth_asking
from bvar.encoding.columns import Columns, is_missing
from bvar.encoding.counts import Category
from bvar.encoding.samples import Table, all_or_nothing

__all__ = [
    "Categories",
    "OneHotBits",
    "category_labels",
    "check_limits",
    "choose_categories",
    "count_categories",
    "n_category_bits",
]

_UNKNOWN, _MISSING = -1, -2


class OneHotBits(BitEncoder):
    """Encode each feature as the answers to "is it this category?".

    Parameters
    ----------
    max_categories : int, optional
        Most bits for one feature. If it has more categories, the rarest are pooled into one bit, the last.
    min_frequency : int or float, optional
        Categories of fewer samples (int), or of a smaller share of the samples (float), are pooled likewise.

    Attributes
    ----------
    categories_ : list of list of str, int, float or bool
        Sorted categories of each feature that have a bit of their own, numbers before strings; none for a feature
        that is constant.
    infrequent_categories_ : list of list of str, int, float or bool
        Those that share the feature's last bit; empty if there is no such bit.
    n_bits_out_ : int
        Number of bits of an encoded sample.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    TableEncoder : For tables that also hold numbers.
    sklearn.preprocessing.OneHotEncoder : The same for {0, 1} instead of {F, 0, T}.

    Notes
    -----
    A category that was not seen in `fit` answers F to every question of its feature; a missing value (None, NaN,
    pandas.NA) answers none, and is no category.  A feature that was constant where it was known, or always
    missing, gets no bit, since its questions have one answer; if all features are, the first keeps one.

    Equal numbers are one category, whatever their type: 1, 1.0 and True.  A number is never equal to a string.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import OneHotBits
    >>> X = np.array([["cook"], ["smith"], ["cook"], [None]], dtype=object)
    >>> encoder = OneHotBits().fit(X)
    >>> encoder.categories_
    [['cook', 'smith']]
    >>> encoder.transform([["smith"], ["pilot"], [None]])
    array([[-1,  1],
           [-1, -1],
           [ 0,  0]], dtype=int8)
    >>> encoder.meaning(1)
    'x0 = smith'
    """

    def __init__(self, max_categories: int | None = None, min_frequency: int | float | None = None) -> None:
        self.max_categories = max_categories
        self.min_frequency = min_frequency

    @all_or_nothing
    def fit(self, X: Table, y: object = None) -> OneHotBits:
        """Collect the categories.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Training data; None, NaN and pandas.NA mean missing.
        y : None
            Ignored.

        Returns
        -------
        OneHotBits
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        limits = check_limits(self.max_categories, self.min_frequency)
        columns = self._read(X, reset=True)
        chosen = [
            choose_categories(count_categories(columns.values(j), name), columns.n_rows, *limits)
            for j, name in enumerate(columns.names)
        ]
        widths = [n_category_bits(*both) for both in chosen]
        marked = worth_asking([width > 1 for width in widths], widths)
        self.categories_ = [kept if asked else [] for (kept, _), asked in zip(chosen, marked, strict=True)]
        self.infrequent_categories_ = [
            pooled if asked else [] for (_, pooled), asked in zip(chosen, marked, strict=True)
        ]
        self._finish()
        return self

    def _widths(self) -> np.ndarray:
        return np.array(list(map(n_category_bits, self.categories_, self.infrequent_categories_)))

    def _groups(self) -> list[Group]:
        which = range(self.n_features_in_)
        return [Categories(which, self.categories_, self.infrequent_categories_, self._widths())]

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        for column, both in enumerate(zip(self.categories_, self.infrequent_categories_, strict=True)):
            for name, meaning in category_labels(*both):
                yield column, name, meaning

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that values are categories."""
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags


class Categories:
    """The columns of categories of a table."""

    def __init__(
        self,
        which: Sequence[int],
        kept: Sequence[Sequence[Category]],
        pooled: Sequence[Sequence[Category]],
        widths: np.ndarray,
    ) -> None:
        ends = np.cumsum(widths)
        self.parts = []
        for j in which:
            index = {category: i for i, category in enumerate(kept[j])}
            index.update(dict.fromkeys(pooled[j], len(kept[j])))
            self.parts.append((j, slice(ends[j] - widths[j], ends[j]), index))

    def answer(self, columns: Columns, rows: slice, answers: np.ndarray, missing: np.ndarray) -> None:
        """Look up."""
        for j, lines, index in self.parts:
            values, name = columns.values(j, rows), columns.names[j]
            codes = _codes(values, index, name)
            if (codes == _UNKNOWN).any():
                _refuse_other_types(values[codes != _MISSING], index, name)
            missing[j] = codes == _MISSING
            answers[lines] = codes == np.arange(lines.stop - lines.start)[:, None]

    def pack(self, columns: Columns, rows: slice) -> None:
        """Leave all values to `answer`."""


def check_limits(max_categories: Any, min_frequency: Any) -> tuple[int | None, int | float | None]:
    """Check the two parameters that limit the number of bits."""
    if max_categories is not None:
        max_categories = check_integer(max_categories, "max_categories", low=1)
    if min_frequency is not None:
        text = f"min_frequency must be an integer >= 1 or a float in (0, 1), got {min_frequency!r}"
        if isinstance(min_frequency, bool | np.bool_) or not isinstance(min_frequency, Real):
            raise TypeError(text)
        number = float(min_frequency)
        if not (number >= 1 if isinstance(min_frequency, Integral) else 0 < number < 1):
            raise ValueError(text)
    return max_categories, min_frequency


def choose_categories(
    counts: Counter[Category], n_rows: int, max_categories: int | None, min_frequency: int | float | None
) -> tuple[list[Category], list[Category]]:
    """Return the categories of one column, and those of them that are pooled; of equally rare ones the first."""
    every = sorted(counts, key=lambda category: (isinstance(category, str), category))
    least = 0 if min_frequency is None else min_frequency
    if not isinstance(least, Integral):
        least = least * n_rows
    pooled = {category for category in every if counts[category] < least}
    if max_categories is not None and len(every) - len(pooled) + bool(pooled) > max_categories:
        by_count = sorted(every, key=counts.__getitem__)
        pooled |= set(by_count[: len(every) - max_categories + 1])
    return [c for c in every if c not in pooled], [c for c in every if c in pooled]


def n_category_bits(kept: Sequence[Category], pooled: Sequence[Category]) -> int:
    """Count the bits of one column."""
    return len(kept) + bool(pooled)


def category_labels(kept: Sequence[Category], pooled: Sequence[Category]) -> Iterator[tuple[str, str]]:
    """Yield how the name and the meaning of each bit of one column go on after the name of the column."""
    plain = len({str(c) for c in kept}) == len(kept)
    for category in kept:
        label = str(category) if plain else repr(category)
        yield f"={label}", f" = {label}"
    if pooled:
        some = ", ".join(str(c) for c in pooled[:5])
        more = f" and {len(pooled) - 5} more" if len(pooled) > 5 else ""
        yield "=(rare)", f" is rare: {some}{more}"


def count_categories(values: np.ndarray, name: str) -> Counter[Category]:
    """Count the values that are not missing."""
    _check_dtype(values, name)
    if values.dtype.kind in "biuf":
        distinct, counts = np.unique(values, return_counts=True)
        found = dict(zip(distinct.tolist(), counts.tolist(), strict=True))
    else:
        try:
            found = Counter(values.tolist())
        except TypeError:
            raise _unhashable(values, name) from None
    return Counter({_category(value, name): count for value, count in found.items() if not is_missing(value)})


def _codes(values: np.ndarray, index: dict[Category, int], name: str) -> np.ndarray:
    """Return the bit of each value, or `_UNKNOWN`, or `_MISSING`."""
    _check_dtype(values, name)
    if values.dtype.kind in "biuf":
        distinct, inverse = np.unique(values, return_inverse=True)
        return _codes(distinct.astype(object), index, name)[inverse]
    try:
        codes = np.array([index.get(value, _UNKNOWN) for value in values.tolist()], np.int64)
    except TypeError:
        raise _unhashable(values, name) from None
    for i in np.flatnonzero(codes == _UNKNOWN):
        if is_missing(values[i]):
            codes[i] = _MISSING
    return codes


def _check_dtype(values: np.ndarray, name: str) -> None:
    kind = values.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r}")
    if kind not in "biufOUT":
        raise TypeError(f"column {name!r} has dtype {values.dtype}: turn it into strings or numbers first")


def _category(value: Any, name: str) -> Category:
    """Return a value as a plain Python scalar; equal ones become the same."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, float | np.floating) and not isinf(value):
        return int(value) if float(value).is_integer() else float(value)
    raise _no_category(value, name)


def _refuse_other_types(values: np.ndarray, index: dict[Category, int], name: str) -> None:
    """Refuse a column that is text where it was numbers, or the other way: "1" is not 1, and all were unknown."""
    text, now_text = ({isinstance(value, str) for value in some} for some in (index, values.tolist()))
    if text and not text & now_text:
        was, now = ("text", "numbers") if True in text else ("numbers", "text")
        raise TypeError(f"column {name!r} held {was} in fit, but now has {now} such as {values.tolist()[0]!r}")


def _unhashable(values: np.ndarray, name: str) -> TypeError:
    return _no_category(next(value for value in values.tolist() if not isinstance(value, Hashable)), name)


def _no_category(value: Any, name: str) -> TypeError:
    what = value if isinstance(value, float | np.floating) else type(value).__name__
    hint = ": turn it into numbers first (dates into days, say)" if hasattr(value, "isoformat") else ""
    return TypeError(  # scikit-learn's contract wants these words
        f"a category of the argument must be a string or a finite number, got {what} in column {name!r}{hint}"
    )
