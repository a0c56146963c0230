r"""Boolean weights on int8 numbers: the register lookup of signed sums, and the votes that come back.

A weight that is T adds its input and one that is F subtracts it, the mixed-type xnor of logic and number:

.. math:: s_{bj} = \sum_i e(w_{ji}) \, x_{bi}, \qquad q_{ji} = \sum_b z_{bj} \, x_{bi} .

Both are sums of integers, exact and equal on every backend (``docs/explanation/real-ends.md``).
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.kernels.backward import input_votes
from bvar.kernels.layout import check_known_bits, transpose
from bvar.kernels.rows import MAX_ROW
from bvar.kernels.tables import check_n_samples

__all__ = ["number_votes", "signed_sum"]

_EXACT_ROWS = 2**24 // 128**2  # so many products of two int8 sum to at most 2**24, where float32 is exact


def signed_sum(x: np.ndarray, w: BitMatrix) -> np.ndarray:
    r"""Add the inputs whose weight is T and subtract the others.

    .. math:: s_{bj} = \sum_i e(w_{ji}) \, x_{bi}

    Parameters
    ----------
    x : ndarray of int8, shape (n_samples, n_inputs)
        Inputs, numbers.
    w : BitMatrix of shape (n_outputs, n_inputs)
        Weights.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_outputs)
        The sums.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or the numbers of inputs disagree.

    See Also
    --------
    number_votes : The votes on the weights.
    input_votes : The votes on the inputs, as for inputs that are bits.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Definition 3.5 and Eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, True, False]]))
    >>> kernels.signed_sum(np.array([[10, -3, 5]], dtype=np.int8), w)
    array([[2]], dtype=int32)
    """
    if isinstance(x, BitMatrix):
        raise TypeError("x must be an array of int8, got bits, which gate_sum takes")
    x = check_array(x, "x", dtype=np.int8, ndim=2)
    w = check_known_bits(w, "w")
    if x.shape[1] != w.n_bits:
        raise ValueError(f"x has {x.shape[1]} inputs but w has rows of {w.n_bits} bits: they must agree")
    if len(x) == 1 and w.n_bits <= MAX_ROW:  # laying weights out takes less time than transposing
        backend, out = protocol.current(), np.empty((len(x), len(w)), np.int32)
        backend.row_sums(x.astype(np.int16), backend.prepare_rows(w.words), out)
        return out
    return input_votes(np.ascontiguousarray(x), transpose(w))  # one sum of signed numbers serves both directions


def number_votes(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""Sum the votes of a batch on every weight of a signed sum.

    .. math:: q_{ji} = \sum_b z_{bj} \, x_{bi}

    Parameters
    ----------
    z : ndarray of int8, shape (n_samples, n_outputs)
        Signals.
    x : ndarray of int8, shape (n_samples, n_inputs)
        The inputs of the layer.

    Returns
    -------
    ndarray of int32, shape (n_outputs, n_inputs)
        Votes; positive means that the loss would rise if the weight went from F to T.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, the numbers of samples disagree, or there are more than
        :data:`MAX_SAMPLES`.

    See Also
    --------
    weight_votes : The same for inputs that are bits.

    Notes
    -----
    A product of float32 matrices over at most 1024 samples at a time, whose sums stay within 2**24 and so are
    exact in any order; the parts are added as integers.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Definition 3.5 and Eq. 7.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.number_votes(np.array([[-1]], dtype=np.int8), np.array([[10, -3, 5]], dtype=np.int8))
    array([[-10,   3,  -5]], dtype=int32)
    """
    z = check_array(z, "z", dtype=np.int8, ndim=2)
    x = check_array(x, "x", dtype=np.int8, ndim=2)
    if len(z) != len(x):
        raise ValueError(f"z has {len(z)} samples but x has {len(x)}: they must agree")
    check_n_samples(len(z))
    votes = np.zeros((z.shape[1], x.shape[1]), np.int32)
    for start in range(0, len(z), _EXACT_ROWS):
        rows = slice(start, start + _EXACT_ROWS)
        votes += (z[rows].T.astype(np.float32) @ x[rows].astype(np.float32)).astype(np.int32)
    return votes
