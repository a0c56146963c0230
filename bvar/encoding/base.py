"""What every encoder does: read a table in blocks, collect answers, pack them, name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix, n_words
from bvar.encoding.columns import Columns, read_columns
from bvar.encoding.samples import Table, check_table

__all__ = ["BitEncoder", "Group", "worth_asking"]

_BLOCK = 2**19  # answers collected at a time; their numbers take 4 MiB and stay in the cache
_ROWS = 64  # at least, and a multiple of it: blocks are collected bit by bit and then transposed


class Group(Protocol):
    """Columns that are answered together."""

    def answer(self, columns: Columns, rows: slice, answers: np.ndarray, missing: np.ndarray) -> None:
        """Write the group's lines of `answers` (n_bits, n_rows) and, per column, which values are `missing`.

        The answers of a missing value are F.
        """
        ...

    def pack(self, columns: Columns, rows: slice) -> BitMatrix | None:
        """Answer for all columns of some rows of an array at once, or return None where that is not faster."""
        ...


class Layout(NamedTuple):
    """How the bits of an encoder lie, and what it held when that was found out."""

    held: tuple[Any, ...]
    widths: np.ndarray
    groups: list[Group]


# Beside the encoders and not in them: this is no part of what is copied, pickled or saved.
_layouts: WeakKeyDictionary[BitEncoder, Layout] = WeakKeyDictionary()


class BitEncoder(TransformerMixin, BaseEstimator):
    """Base class of encoders: columns of a table in, answers T, F or missing out.

    An encoder has a `fit`, which ends with `_finish`, and the methods `_widths`, `_groups` and `_questions`; how
    the answers are read in blocks, packed and named is the same for all.

    See Also
    --------
    ThermometerEncoder : For numbers.
    OneHotBits : For categories.
    TableEncoder : For both.
    """

    n_bits_out_: int
    n_features_in_: int

    def transform(self, X: Table) -> np.ndarray:
        """Encode as values of M.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of int8, shape (n_samples, n_bits_out)
            +1 where the answer is T, -1 where it is F, 0 where the value is missing.
        """
        return kernels.unpack_ternary(self.encode(X))

    def encode(self, X: Table, *, check_input: bool = True) -> BitMatrix:
        """Encode as packed bits.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Data; converted a block of rows at a time, never as a whole.
        check_input : bool, default=True
            Whether to check shape and feature names. False is for who has done so: X must then be an array, a CSR
            or CSC matrix or a frame. What the columns hold is looked at all the same.

        Returns
        -------
        BitMatrix of shape (n_samples, n_bits_out)
            The answers; with a `known` plane if and only if a value is missing.
        """
        columns = self._begin(X, check_input)
        return self._encode_rows(columns, 0, columns.n_rows)

    def encode_blocks(self, X: Table, n_rows: int, *, check_input: bool = True) -> Iterator[BitMatrix]:
        """Encode some rows at a time, for tables whose code would not fit in memory.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Data.
        n_rows : int
            Number of rows of a block; the last one may have fewer.
        check_input : bool, default=True
            As for `encode`.

        Returns
        -------
        iterator of BitMatrix
            The rows of ``encode(X)`` in order.

        Raises
        ------
        TypeError, ValueError
            At once, if `n_rows` or the shape of the data is wrong; values are looked at block by block.
        """
        n_rows = check_integer(n_rows, "n_rows", low=1)
        columns = self._begin(X, check_input)
        starts = range(0, columns.n_rows, n_rows)
        return (self._encode_rows(columns, i, min(i + n_rows, columns.n_rows)) for i in starts)

    def meaning(self, bit: int) -> str:
        """Say in words what one bit of the code means.

        Parameters
        ----------
        bit : int
            Number of the bit, from 0 to ``n_bits_out_ - 1``.

        Returns
        -------
        str
            The question whose answer it is, such as ``'age >= 37.5'`` or ``'job = teacher'``.

        Raises
        ------
        TypeError, ValueError
            If there is no such bit.
        """
        check_is_fitted(self)
        bit = check_integer(bit, "bit", low=0, high=self.n_bits_out_ - 1)
        column, _, meaning = list(self._questions())[bit]
        return f"{self._input_names()[column]}{meaning}"

    def bit_columns(self) -> np.ndarray:
        """Say for each bit which column it asks about.

        Returns
        -------
        ndarray of int64, shape (n_bits_out,)
            Numbers of columns, not falling.
        """
        check_is_fitted(self)
        return np.repeat(np.arange(self.n_features_in_), self._widths())

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Name every bit after its question, such as ``'age>=37.5'`` or ``'job=teacher'``.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the features; default: those seen in `fit`, or x0, x1, ...

        Returns
        -------
        ndarray of object, shape (n_bits_out,)
            The names.

        Raises
        ------
        ValueError
            If the names are not those seen in `fit`, or not as many as the features.
        """
        check_is_fitted(self)
        names = self._input_names() if input_features is None else input_features
        if len(names) != self.n_features_in_:
            raise ValueError(f"input_features must have {self.n_features_in_} names, got {len(names)}")
        if hasattr(self, "feature_names_in_") and list(names) != self._input_names():
            # names in another order would put the questions of one feature under the name of another
            seen = self._input_names()
            raise ValueError(f"input_features must be equal to feature_names_in_, {seen}, got {list(names)}")
        return np.array([f"{names[column]}{name}" for column, name, _ in self._questions()], dtype=object)

    def hints(self) -> list[str]:
        """Say what a user might want to do otherwise.

        Returns
        -------
        list of str
            Sentences for people, often none.
        """
        return []

    # ------------------------------------------------------------------ what an encoder must have

    def _widths(self) -> np.ndarray:
        """Count the bits of each column."""
        raise NotImplementedError

    def _groups(self) -> list[Group]:
        """Return the columns in groups that are answered together."""
        raise NotImplementedError

    def _questions(self) -> Iterator[tuple[int, str, str]]:
        """Yield the column of each bit, and how its name and its meaning go on after that of the column."""
        raise NotImplementedError

    # ---------------------------------------------------------------------- what it gets for that

    def _begin(self, X: Any, check_input: bool) -> Columns:
        if not check_input:
            return read_columns(X, self._input_names)
        check_is_fitted(self)
        return self._read(X, reset=False)

    def _layout(self) -> Layout:
        """Return the widths and groups, made anew where anything that the encoder holds has been replaced."""
        held = tuple(vars(self).values())
        kept = _layouts.get(self)
        if kept is None or len(kept.held) != len(held) or not all(map(is_, kept.held, held)):
            kept = _layouts[self] = Layout(held, self._widths(), self._groups())
        return kept

    def _encode_rows(self, columns: Columns, first: int, last: int) -> BitMatrix:
        _, widths, groups = self._layout()
        packed = groups[0].pack(columns, slice(first, last)) if len(groups) == 1 else None
        if packed is not None:
            return packed
        n_bits = self.n_bits_out_
        step = max(_ROWS, _BLOCK // max(n_bits, columns.n_columns) // _ROWS * _ROWS)
        words, known = np.empty((last - first, n_words(n_bits)), np.uint64), None
        for start in range(first, last, step):
            rows = slice(start, min(start + step, last))
            part = slice(rows.start - first, rows.stop - first)
            answers = np.empty((n_bits, rows.stop - start), np.bool_)
            missing = np.zeros((columns.n_columns, rows.stop - start), np.bool_)
            for group in groups:
                group.answer(columns, rows, answers, missing)
            words[part] = _pack_columns(answers)
            if missing[widths > 0].any():
                if known is None:
                    known = np.repeat(kernels.pack(np.ones((1, n_bits), np.bool_)).words, last - first, axis=0)
                known[part] = _pack_columns(~np.repeat(missing, widths, axis=0))
        return BitMatrix.trusted(words, n_bits, known)

    def _finish(self) -> None:
        """Count the bits."""
        self.n_bits_out_ = int(self._widths().sum())
        if self.n_bits_out_ == 0:
            raise ValueError("X has nothing to encode: all values of all columns are missing")

    def _input_names(self) -> list[str]:
        return list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))

    def _read(self, X: Any, *, reset: bool) -> Columns:
        """Validate without converting, and note or compare the number and the names of columns."""
        X = check_table(self, X, reset=reset)
        return read_columns(X, self._input_names)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN and sparse data are legal, and that bits come out whatever goes in."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def worth_asking(varies: Sequence[bool], widths: Sequence[int]) -> np.ndarray:
    """Mark the columns whose answers vary among the training rows; if there are none, the first with a question.

    A question with one answer says nothing, and nine of them among nine that vary stop a network from learning.
    """
    marked = np.array(varies, np.bool_)
    return marked if marked.any() else np.arange(len(marked)) == np.argmax(np.array(widths) > 0)


def _pack_columns(answers: np.ndarray) -> np.ndarray:
    """Pack (n_bits, n_rows) and transpose: comparing and packing along columns is what is fast."""
    return kernels.transpose(kernels.pack(answers)).words
