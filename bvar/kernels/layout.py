"""Change the layout of bits: pack, unpack, transpose, count; see :mod:`bvar.bits` for the layout itself."""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array
from bvar.backends import protocol
from bvar.bits import BitMatrix, n_words
from bvar.kernels.memory import lines

__all__ = ["count_rows", "pack", "pack_levels", "pack_threshold", "transpose", "unpack", "unpack_ternary"]


def pack(values: np.ndarray) -> BitMatrix:
    """Pack Booleans, or values of M, into 64-bit words.

    Parameters
    ----------
    values : ndarray of bool or of int8, shape (n_rows, n_bits)
        Booleans, or int8 values of M (-1 is F, 0 is missing, +1 is T).

    Returns
    -------
    BitMatrix
        With a `known` plane if and only if some value is the 0 of M.

    Raises
    ------
    TypeError, ValueError
        If the dtype is neither bool nor int8, an int8 value is not in M, or the array is not 2-D.

    See Also
    --------
    unpack : The inverse for B.
    unpack_ternary : The inverse for M.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.pack(np.array([[True, False, True]])).words
    array([[5]], dtype=uint64)
    >>> kernels.pack(np.array([[1, 0, -1]], dtype=np.int8))
    BitMatrix(1 x 3 bits, with missing values)
    """
    values = check_array(values, "values", dtype=(np.bool_, np.int8), ndim=2)
    if values.dtype == np.bool_:
        return BitMatrix.trusted(pack_plane(values), values.shape[1])
    if ((values < -1) | (values > 1)).any():
        raise ValueError("values of dtype int8 must be in M = {-1, 0, +1}")
    known = values != 0
    return BitMatrix.trusted(pack_plane(values == 1), values.shape[1], None if known.all() else pack_plane(known))


def pack_threshold(values: np.ndarray, thresholds: np.ndarray) -> BitMatrix:
    """Compare numbers with thresholds and pack the answers; NaN becomes the 0 of M.

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (n_rows, n_columns)
        Numbers; NaN means missing.
    thresholds : ndarray of the same dtype, shape (n_columns,)
        Bit i of a row is T where ``values[:, i] >= thresholds[i]``.

    Returns
    -------
    BitMatrix
        Shape (n_rows, n_columns).

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes disagree or a threshold is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> b = kernels.pack_threshold(np.array([[0.2, 0.7, np.nan]]), np.array([0.5, 0.5, 0.5]))
    >>> kernels.unpack_ternary(b)
    array([[-1,  1,  0]], dtype=int8)
    """
    values = np.ascontiguousarray(check_array(values, "values", dtype=(np.float32, np.float64), ndim=2))
    thresholds = np.ascontiguousarray(check_array(thresholds, "thresholds", dtype=values.dtype.type, ndim=1))
    if len(thresholds) != values.shape[1]:
        raise ValueError(f"thresholds must have one entry per column ({values.shape[1]}), got {len(thresholds)}")
    if np.isnan(thresholds).any():
        raise ValueError("thresholds must not be NaN")
    words, known = (np.empty((len(values), n_words(values.shape[1])), np.uint64) for _ in range(2))
    n_missing = protocol.current().pack_threshold(values, thresholds, known, words)
    return BitMatrix.trusted(words, values.shape[1], known if n_missing else None)


def pack_levels(values: np.ndarray, thresholds: np.ndarray) -> BitMatrix:
    """Compare bytes, such as pixels, with thresholds and pack the answers.

    Parameters
    ----------
    values : ndarray of uint8, shape (n_rows, n_columns)
        Numbers.
    thresholds : ndarray of uint8, shape (n_columns,)
        Bit i of a row is T where ``values[:, i] >= thresholds[i]``.

    Returns
    -------
    BitMatrix of shape (n_rows, n_columns)
        The answers.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes are wrong.

    See Also
    --------
    pack_threshold : The same for floats, which may be missing.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> pixels = np.array([[0, 128, 255]], dtype=np.uint8)
    >>> kernels.unpack(kernels.pack_levels(pixels, np.array([1, 128, 255], dtype=np.uint8)))
    array([[False,  True,  True]])
    """
    values = np.ascontiguousarray(check_array(values, "values", dtype=np.uint8, ndim=2))
    thresholds = np.ascontiguousarray(check_array(thresholds, "thresholds", dtype=np.uint8, ndim=1))
    if len(thresholds) != values.shape[1]:
        raise ValueError(f"thresholds must have one entry per column ({values.shape[1]}), got {len(thresholds)}")
    out = lines((len(values), n_words(values.shape[1])), np.uint64)
    protocol.current().pack_levels(values, thresholds, out)
    return BitMatrix.trusted(out, values.shape[1])


def unpack(bits: BitMatrix) -> np.ndarray:
    """Unpack to Booleans.

    Parameters
    ----------
    bits : BitMatrix
        Without missing values.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_bits)
        The bits.

    Raises
    ------
    ValueError
        If `bits` has missing values, which a Boolean cannot hold; see :func:`unpack_ternary`.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.unpack(kernels.pack(np.array([[True, False, True]])))
    array([[ True, False,  True]])
    """
    bits = check_bits(bits, "bits")
    if bits.known is not None:
        raise ValueError("bits has missing values, which bool cannot hold: use unpack_ternary")
    return unpack_plane(bits.words, bits.n_bits)


def unpack_ternary(bits: BitMatrix) -> np.ndarray:
    """Unpack to values of M.

    Parameters
    ----------
    bits : BitMatrix
        With or without missing values.

    Returns
    -------
    ndarray of int8, shape (n_rows, n_bits)
        +1 for T, -1 for F, 0 for missing.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.unpack_ternary(kernels.pack(np.array([[1, 0, -1]], dtype=np.int8)))
    array([[ 1,  0, -1]], dtype=int8)
    """
    bits = check_bits(bits, "bits")
    signs = unpack_plane(bits.words, bits.n_bits).view(np.int8) * np.int8(2) - np.int8(1)
    if bits.known is not None:
        signs *= unpack_plane(bits.known, bits.n_bits).view(np.int8)
    return signs


def transpose(bits: BitMatrix) -> BitMatrix:
    """Transpose a matrix of bits.

    Parameters
    ----------
    bits : BitMatrix
        Shape (n_rows, n_bits).

    Returns
    -------
    BitMatrix
        Shape (n_bits, n_rows).

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.transpose(kernels.pack(np.array([[True, False, True]]))).shape
    (3, 1)
    """
    bits = check_bits(bits, "bits")
    planes = [None if p is None else transpose_plane(p, bits.n_bits) for p in (bits.words, bits.known)]
    return BitMatrix.trusted(planes[0], bits.n_rows, planes[1])  # type: ignore[arg-type]


def count_rows(bits: BitMatrix) -> np.ndarray:
    """Count the T in each row.

    Parameters
    ----------
    bits : BitMatrix
        Shape (n_rows, n_bits).

    Returns
    -------
    ndarray of int32, shape (n_rows,)
        Numbers of T; missing values do not count.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.count_rows(kernels.pack(np.array([[True, False, True], [False, False, False]])))
    array([2, 0], dtype=int32)
    """
    return count_plane(check_bits(bits, "bits").words)


# ------------------------------------------------- the same on bare planes, for the other kernels


def pack_plane(values: np.ndarray) -> np.ndarray:
    """Bool (r, n) to words."""
    out = np.empty((len(values), n_words(values.shape[1])), np.uint64)
    protocol.current().pack(np.ascontiguousarray(values), out)
    return out


def unpack_plane(words: np.ndarray, n_bits: int) -> np.ndarray:
    """Words to bool (r, n_bits)."""
    out = np.empty((len(words), n_bits), np.bool_)
    protocol.current().unpack(words, out)
    return out


def transpose_plane(words: np.ndarray, n_bits: int) -> np.ndarray:
    """Words of (r, n_bits) bits to words of (n_bits, r) bits."""
    out = np.empty((n_bits, n_words(len(words))), np.uint64)
    protocol.current().transpose(words, out)
    return out


def count_plane(words: np.ndarray) -> np.ndarray:
    """Count the T of each row, int32."""
    out = np.empty(len(words), np.int32)
    protocol.current().count_rows(words, out)
    return out


def check_bits(value: BitMatrix, name: str) -> BitMatrix:
    """Return `value` if it is a BitMatrix."""
    if not isinstance(value, BitMatrix):
        raise TypeError(f"{name} must be a BitMatrix (see bvar.kernels.pack), got {type(value).__name__}")
    return value


def check_known_bits(value: BitMatrix, name: str) -> BitMatrix:
    """Return `value` if it is a BitMatrix without missing values."""
    if check_bits(value, name).known is not None:
        raise ValueError(f"{name} must not have missing values")
    return value
