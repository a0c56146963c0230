r"""What is done to votes before they are used: their mean is taken out, they are added, their sizes are summed.

.. math:: q_{ji} - \operatorname{round} (Z_j \bar x_i), \qquad \lVert q_j \rVert_1 = \sum_i |q_{ji}| .

The page ``docs/explanation/backpropagation.md`` says why votes count from the mean, and
``docs/explanation/optimizer.md`` why their norm matters.
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array, check_integer, check_out
from bvar.backends import protocol
from bvar.kernels.backward import MAX_TERMS

__all__ = ["add_votes", "center_votes", "vote_norms"]

MEAN_SHIFT = 15  # means lie in [-1, 1]: their product with a sum of signals, an int32, keeps clear of int64


def center_votes(
    q: np.ndarray,
    signal_sums: np.ndarray,
    input_sums: np.ndarray,
    n_samples: int,
    *,
    out: np.ndarray | None = None,
) -> np.ndarray:
    r"""Take out of votes what every input shares: its mean over the samples.

    .. math:: q_{ji} - \operatorname{round}(2^{-15} Z_j \operatorname{round}(2^{15} X_i / K))
              \approx \sum_k z_{kj} (e(x_{ki}) - \bar x_i)

    Parameters
    ----------
    q : ndarray of int32, shape (n_outputs, n_inputs)
        Votes on weights, for xnor :math:`\sum_k z_{kj} e(x_{ki})`.
    signal_sums : ndarray of int64, shape (n_outputs,)
        Z, the sum of the signals of each output over the samples.
    input_sums : ndarray of int64, shape (n_inputs,)
        X, the sum over the samples of what a signal is multiplied with, in [-n_samples, n_samples]: of e(x) for
        xnor, of e(dL/dw) for any gate L.
    n_samples : int
        K, the number of samples, at least 1.
    out : ndarray of int32, shape (n_outputs, n_inputs), optional
        Where to write; may be `q`, but no part of its memory. Default: a new array.

    Returns
    -------
    ndarray of int32, shape (n_outputs, n_inputs)
        Centred votes, both roundings with halves up.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or ranges are wrong; nothing is written then.

    See Also
    --------
    weight_votes : Collects the votes.

    Examples
    --------
    Two samples agree on the first input; votes on it tell nothing about which sample is which:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> x, z = np.array([[1, 1], [1, -1]]), np.array([[5], [3]])
    >>> q = (z.T @ x).astype(np.int32)
    >>> q, kernels.center_votes(q, z.sum(axis=0), x.sum(axis=0), 2)
    (array([[8, 2]], dtype=int32), array([[0, 2]], dtype=int32))
    """
    q = np.ascontiguousarray(check_array(q, "q", dtype=np.int32, ndim=2))
    n_samples = check_integer(n_samples, "n_samples", low=1, high=MAX_TERMS)
    row = _check_sums(signal_sums, "signal_sums", len(q), 128 * n_samples)
    col = _check_sums(input_sums, "input_sums", q.shape[1], n_samples)
    out = check_out(out, q.shape, np.int32)
    _is_over(out, q, "q")
    protocol.current().center_votes(q, row.astype(np.int32), means_of(col, n_samples), MEAN_SHIFT, out)
    return out


def _is_over(out: np.ndarray, q: np.ndarray, name: str) -> bool:
    """Say whether `out` is the memory of `q`; refuse a part of it, which would be written before it is read."""
    if out.size and out.ctypes.data == q.ctypes.data:  # both contiguous, and of one shape
        return True
    if np.may_share_memory(out, q):
        raise ValueError(f"out must be {name} itself or share no memory with it")
    return False


def means_of(sums: np.ndarray, n_samples: int) -> np.ndarray:
    """Round the means of inputs to fixed point, halves up."""
    return (((sums << (MEAN_SHIFT + 1)) + n_samples) // (2 * n_samples)).astype(np.int32)


def _check_sums(sums: np.ndarray, name: str, n: int, bound: int) -> np.ndarray:
    sums = check_array(sums, name, dtype=np.int64, ndim=1)
    if len(sums) != n:
        raise ValueError(f"{name} must have {n} entries, as q has, got {len(sums)}")
    if max(sums.max(initial=0), -int(sums.min(initial=0))) > bound:  # not abs: the lowest int64 has none
        raise ValueError(f"{name} must lie in [-{bound}, {bound}] for these samples")
    return sums


def add_votes(a: np.ndarray, b: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """Add the votes of other samples, and refuse a sum that does not fit.

    Parameters
    ----------
    a, b : ndarray of int32, of one shape
        Votes.
    out : ndarray of int32, of this shape, optional
        Where to write; may be `a`, but no part of its memory, and must not share memory with `b`. Default: a new
        array.

    Returns
    -------
    ndarray of int32
        ``a + b``.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes disagree, or `out` does not fit.
    OverflowError
        If a sum does not fit int32; if `out` is `a`, it is as it was.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> votes = np.array([[1, -2]], dtype=np.int32)
    >>> kernels.add_votes(votes, votes.copy(), out=votes)
    array([[ 2, -4]], dtype=int32)
    """
    a, b = (
        np.ascontiguousarray(check_array(q, name, dtype=np.int32, ndim=np.ndim(a)))
        for q, name in ((a, "a"), (b, "b"))
    )
    if a.shape != b.shape:
        raise ValueError(f"b must have the shape of a {a.shape}, got {b.shape}")
    out = check_out(out, a.shape, np.int32)
    if np.may_share_memory(out, b):
        raise ValueError("out must not share memory with b")
    replaces = _is_over(out, a, "a")
    if protocol.current().add_votes(a.reshape(-1), b.reshape(-1), out.reshape(-1)):
        if replaces:
            np.subtract(out, b, out=out)  # sums are taken modulo 2**32: this takes them back, every bit
        raise OverflowError("votes on a weight do not fit int32")
    return out


def vote_norms(q: np.ndarray) -> np.ndarray:
    """Add up the magnitudes of the votes on each neuron.

    Parameters
    ----------
    q : ndarray of int32, shape (n_outputs, n_inputs)
        Votes.

    Returns
    -------
    ndarray of int64, shape (n_outputs,)
        ``sum(abs(q[j]))`` for each row j.

    Raises
    ------
    TypeError, ValueError
        If `q` is not a matrix of int32.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.vote_norms(np.array([[1, -2, 3]], dtype=np.int32))
    array([6])
    """
    q = np.ascontiguousarray(check_array(q, "q", dtype=np.int32, ndim=2))
    out = np.empty(len(q), np.int64)
    protocol.current().vote_norms(q, out)
    return out
