"""Bits in 64-bit words: the one layout that every backend, file and port shares.

Logical bit ``i`` of a row lives in word ``i // 64`` at position ``i % 64``, least significant first::

    bit(row, i) = (words[row, i // 64] >> (i % 64)) & 1

Bits at and above `n_bits` are zero (*canonical padding*), on input and on output, always.  Missing values,
the 0 of M, are a second plane of the same shape: where `known` is 0 the value is 0 of M, and the bit of
`words` there is zero too.  The page ``docs/explanation/exactness.md`` says why this makes sums exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bvar._validation import as_array, check_array, check_integer

__all__ = ["WORD", "BitMatrix", "n_words", "tail_mask"]

WORD = 64
"""Bits in one word."""


def n_words(n_bits: int) -> int:
    """Count the 64-bit words that hold `n_bits` bits.

    Parameters
    ----------
    n_bits : int
        Number of bits, at least 0.

    Returns
    -------
    int
        ``ceil(n_bits / 64)``.

    Examples
    --------
    >>> [n_words(n) for n in (0, 1, 64, 65)]
    [0, 1, 1, 2]
    """
    return -(-int(n_bits) // WORD)  # a NumPy integer would keep its width, and 1 << 40 be 0 in 32 bits


def tail_mask(n_bits: int) -> np.uint64:
    """Mask of the legal bits in the last word of a row.

    Parameters
    ----------
    n_bits : int
        Number of bits in the row, at least 1.

    Returns
    -------
    numpy.uint64
        Ones where a bit belongs to the row, zeros where it is padding.

    Examples
    --------
    >>> bin(tail_mask(67))
    '0b111'
    >>> int(tail_mask(64)) == 2**64 - 1
    True
    """
    return np.uint64((1 << ((int(n_bits) - 1) % WORD + 1)) - 1)


@dataclass(frozen=True, eq=False)
class BitMatrix:
    """A matrix over B = {F, T}, or over M = {F, 0, T}, one row of bits per line.

    Parameters
    ----------
    words : ndarray of uint64, shape (n_rows, ceil(n_bits / 64))
        The bits, T as 1, in the layout of :mod:`bvar.bits`; C-contiguous.
    n_bits : int
        Logical row length.
    known : ndarray of uint64, same shape as `words`, optional
        1 where the value is T or F, 0 where it is the 0 of M (missing). None means that every value is known.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, if `n_bits` does not fit the number of words, if padding
        bits are set, or if a bit is T where `known` says it is missing.

    See Also
    --------
    bvar.kernels.pack : Make one from Booleans or from values of M.
    bvar.kernels.unpack : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> b = BitMatrix(np.array([[0b101], [0b011]], dtype=np.uint64), n_bits=3)
    >>> b
    BitMatrix(2 x 3 bits)
    >>> b[1:].words
    array([[3]], dtype=uint64)
    """

    words: np.ndarray
    n_bits: int
    known: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check every claim that the kernels rely on."""
        n_bits = check_integer(self.n_bits, "n_bits", low=0, high=2**31 - 1)
        object.__setattr__(self, "n_bits", n_bits)
        object.__setattr__(self, "words", _check_plane(self.words, "words", n_bits))
        if self.known is None:
            return
        known = _check_plane(self.known, "known", n_bits)
        if known.shape != self.words.shape:
            raise ValueError(f"known must have the shape of words {self.words.shape}, got {known.shape}")
        if (self.words & ~known).any():
            raise ValueError("words must be 0 where known is 0: a missing value is neither F nor T")
        object.__setattr__(self, "known", known)

    @classmethod
    def trusted(cls, words: np.ndarray, n_bits: int, known: np.ndarray | None = None) -> BitMatrix:
        """Wrap planes that a kernel has just written, without checking them again.

        Parameters
        ----------
        words : ndarray of uint64
            As for the class; the caller vouches for every rule stated there.
        n_bits : int
            Likewise.
        known : ndarray of uint64, optional
            Likewise.

        Returns
        -------
        BitMatrix
            A view of the same memory.
        """
        self = object.__new__(cls)
        self.__dict__.update(words=words, n_bits=n_bits, known=known)
        return self

    @classmethod
    def concatenate(cls, parts: Sequence[BitMatrix]) -> BitMatrix:
        """Stack matrices of equal row length.

        Parameters
        ----------
        parts : sequence of BitMatrix
            At least one.

        Returns
        -------
        BitMatrix
            All rows in order; with a `known` plane if a part has one.

        Raises
        ------
        ValueError
            If there is nothing to stack or row lengths differ.
        """
        if len({part.n_bits for part in parts}) != 1:
            raise ValueError("parts must be one or more matrices of equal n_bits")
        n_bits, known = parts[0].n_bits, None
        if any(part.known is not None for part in parts):
            known = np.concatenate([_full_known(p) if p.known is None else p.known for p in parts])
        return cls.trusted(np.concatenate([part.words for part in parts]), n_bits, known)

    def beside(self, other: BitMatrix) -> BitMatrix:
        """Put the bits of another matrix behind those of each row.

        Parameters
        ----------
        other : BitMatrix of as many rows
            What comes behind.

        Returns
        -------
        BitMatrix of shape (n_rows, n_bits + other.n_bits)
            With a `known` plane if one of the two has one.

        Raises
        ------
        ValueError
            If the numbers of rows differ.

        Examples
        --------
        >>> import numpy as np
        >>> from bvar import kernels
        >>> a, b = kernels.pack(np.array([[True, False]])), kernels.pack(np.array([[True]]))
        >>> kernels.unpack(a.beside(b))
        array([[ True, False,  True]])
        """
        if len(other) != len(self):
            raise ValueError(f"other must have {len(self)} rows, as many as this, got {len(other)}")
        known = None
        if self.known is not None or other.known is not None:
            left, right = (_full_known(b) if b.known is None else b.known for b in (self, other))
            known = _join(left, right, self.n_bits, other.n_bits)
        words = _join(self.words, other.words, self.n_bits, other.n_bits)
        return BitMatrix.trusted(words, self.n_bits + other.n_bits, known)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.words)

    @property
    def shape(self) -> tuple[int, int]:
        """The logical shape, (n_rows, n_bits)."""
        return (self.n_rows, self.n_bits)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.n_rows

    def __getitem__(self, rows: slice | np.ndarray) -> BitMatrix:
        """Select rows by a slice or by an array of indices."""
        if not isinstance(rows, slice):
            rows = as_array(rows, "rows")
            if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iub"):
                raise TypeError("rows must be a slice or a row of indices; b[i : i + 1] is one row")
            rows = rows if rows.size else np.zeros(0, np.intp)
            if rows.dtype.kind != "b" and rows.size and not -len(self) <= rows.min() <= rows.max() < len(self):
                raise IndexError(f"rows must be in [{-len(self)}, {len(self)}), got {rows.min()} to {rows.max()}")
            if rows.dtype.kind == "b" and len(rows) != len(self):
                raise IndexError(f"rows must have a bool for each of the {len(self)} rows, got {len(rows)}")
        planes = [None if p is None else np.ascontiguousarray(p[rows]) for p in (self.words, self.known)]
        return BitMatrix.trusted(planes[0], self.n_bits, planes[1])  # type: ignore[arg-type]

    def copy(self) -> BitMatrix:
        """Return a BitMatrix with memory of its own.

        Returns
        -------
        BitMatrix
            The same values.
        """
        known = None if self.known is None else self.known.copy()
        return BitMatrix.trusted(self.words.copy(), self.n_bits, known)

    def __repr__(self) -> str:
        """Say the shape, not the bits."""
        missing = "" if self.known is None else ", with missing values"
        return f"BitMatrix({self.n_rows} x {self.n_bits} bits{missing})"


def _full_known(bits: BitMatrix) -> np.ndarray:
    known = np.full_like(bits.words, np.uint64(2**64 - 1))
    if bits.n_bits % WORD:
        known[:, -1] = tail_mask(bits.n_bits)
    return known


def _join(left: np.ndarray, right: np.ndarray, n_left: int, n_right: int) -> np.ndarray:
    """Rows of `left`, and those of `right` from bit `n_left` on; padding is zero in, and zero out."""
    out = np.zeros((len(left), n_words(n_left + n_right)), np.uint64)
    out[:, : left.shape[1]] = left
    first, shift = divmod(n_left, WORD)
    out[:, first : first + right.shape[1]] |= right << np.uint64(shift)
    if shift:  # what the shift pushed out of a word is the beginning of the next
        n_more = out.shape[1] - first - 1
        out[:, first + 1 :] |= right[:, :n_more] >> np.uint64(WORD - shift)
    return out


def _check_plane(value: np.ndarray, name: str, n_bits: int) -> np.ndarray:
    plane = check_array(value, name, dtype=np.uint64, ndim=2)
    if plane.shape[1] != n_words(n_bits):
        raise ValueError(
            f"n_bits={n_bits} does not fit {name} of shape {plane.shape}: "
            f"rows of {n_bits} bits take {n_words(n_bits)} word(s)"
        )
    if n_bits % WORD and (plane[:, -1] & ~tail_mask(n_bits)).any():
        raise ValueError(f"{name} has bits set at or above n_bits={n_bits}: padding must be zero")
    return np.ascontiguousarray(plane)
