r"""One row of numbers times a matrix of bits: what a model needs that answers to one sample, token by token.

.. math:: s_{bj} = \sum_i e(w_{ji}) \, x_{bi}

as of :func:`bvar.kernels.signed_sum`, but of int16 numbers, with the weights prepared once, and by look-ups: four
weights are a place among the 16 sums over subsets of four numbers.  ``docs/explanation/kernels.md`` derives it.
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.kernels.layout import check_known_bits

__all__ = ["MAX_ROW", "PreparedRows", "prepare_rows", "quantize_rows", "row_sums"]

MAX_ROW = 2**16 - 1
"""Most numbers in a row: sums of so many int16 fit int32."""


class PreparedRows:
    """Weights in the layout in which the backend in force looks rows up.

    Parameters
    ----------
    w : BitMatrix
        Weights without missing values.

    See Also
    --------
    prepare_rows : The usual way to make one.
    """

    def __init__(self, w: BitMatrix) -> None:
        backend = protocol.current()
        self.shape = w.shape
        self.backend = backend.name
        self.operand = backend.prepare_rows(w.words.copy())  # a backend may keep the words, and `w` may change


def prepare_rows(w: BitMatrix) -> PreparedRows:
    """Lay weights out for :func:`row_sums`.

    Parameters
    ----------
    w : BitMatrix of shape (n_outputs, n_inputs)
        Weights without missing values; at most :data:`MAX_ROW` inputs.

    Returns
    -------
    PreparedRows
        Accepted by :func:`row_sums` while the same backend is in force. It does not follow later changes of `w`.

    Raises
    ------
    TypeError, ValueError
        If `w` is no matrix of bits, has missing values or too many inputs.

    See Also
    --------
    prepare : The same for :func:`gate_sum`.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.prepare_rows(kernels.pack(np.array([[True, True, False]])))
    >>> kernels.row_sums(np.array([[1000, -3, 5]], dtype=np.int16), w)
    array([[992]], dtype=int32)
    """
    w = check_known_bits(w, "w")
    if w.n_bits > MAX_ROW:
        raise ValueError(f"w must have rows of at most {MAX_ROW} bits, got {w.n_bits}")
    return PreparedRows(w)


def row_sums(x: np.ndarray, w: BitMatrix | PreparedRows) -> np.ndarray:
    r"""Add the numbers whose weight is T and subtract the others, a row at a time.

    .. math:: s_{bj} = \sum_i e(w_{ji}) \, x_{bi}

    Parameters
    ----------
    x : ndarray of int16, shape (n_samples, n_inputs)
        Numbers; of few samples, as many go better through :func:`signed_sum`.
    w : BitMatrix or PreparedRows of shape (n_outputs, n_inputs)
        Weights.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_outputs)
        The sums, exact.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, was prepared for another backend, or the numbers of inputs disagree.

    See Also
    --------
    quantize_rows : Makes rows of which one look-up for each four numbers is enough.

    Notes
    -----
    A row goes fastest if no four neighbours, from the first on, exceed 255 in the sum of their magnitudes. Others
    take three times as long, and are as exact.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, True, False]]))
    >>> kernels.row_sums(np.array([[10, -3, 5]], dtype=np.int16), w)
    array([[2]], dtype=int32)
    """
    x = np.ascontiguousarray(check_array(x, "x", dtype=np.int16, ndim=2))
    prepared = w if isinstance(w, PreparedRows) else prepare_rows(w)
    backend = protocol.current()
    if prepared.backend != backend.name:
        raise ValueError(f"w was prepared for backend {prepared.backend!r}, but {backend.name!r} is in force")
    n_outputs, n_inputs = prepared.shape
    if x.shape[1] != n_inputs:
        raise ValueError(f"x has {x.shape[1]} inputs but w has rows of {n_inputs} bits: they must agree")
    out = np.empty((len(x), n_outputs), np.int32)
    backend.row_sums(x, prepared.operand, out)
    return out


def quantize_rows(x: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Round real rows to whole numbers of which no four neighbours exceed 255.

    .. math:: q_{bi} = \operatorname{round}(v_{bi} / d_b), \quad v_{bi} = x_{bi} c_i, \qquad
              d_b = \tfrac{1}{253} \max_g \sum_{i = 4 g}^{4 g + 3} |v_{bi}|

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples, n_inputs)
        Numbers, finite.
    scales : ndarray of float32, shape (n_inputs,)
        A factor c for each column.

    Returns
    -------
    q : ndarray of int16, shape (n_samples, n_inputs)
        Whole numbers, halves rounded to even; 0 in rows whose largest sum is below 2**-100.
    steps : ndarray of float32, shape (n_samples,)
        What 1 stands for in each row, d; 0 in such rows.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape is wrong, or products are not finite.

    See Also
    --------
    row_sums : For which these rows are made.

    Notes
    -----
    Elementwise float32, each operation rounded by itself, but for sums of four that are added from the left: equal
    on every backend. Rounding adds at most a half to each magnitude, hence 253 and not 255.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> q, d = kernels.quantize_rows(np.array([[1, -0.5, 0.25, 0.25, 1]], np.float32), np.ones(5, np.float32))
    >>> q, d
    (array([[126, -63,  32,  32, 126]], dtype=int16), array([0.00790514], dtype=float32))
    """
    x = np.ascontiguousarray(check_array(x, "x", dtype=np.float32, ndim=2))
    scales = np.ascontiguousarray(check_array(scales, "scales", dtype=np.float32, ndim=1))
    if len(scales) != x.shape[1]:
        raise ValueError(f"scales must have one entry per column ({x.shape[1]}), got {len(scales)}")
    out, steps = np.empty(x.shape, np.int16), np.empty(len(x), np.float32)
    protocol.current().quantize_rows(x, scales, out, steps)
    if np.isnan(steps).any():
        raise ValueError("x times scales must be finite, and sums of four of them")
    return out, steps
