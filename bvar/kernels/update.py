r"""The update of Boolean weights: accumulate votes, flip where the evidence is large enough, start again there.

.. math:: m \leftarrow \beta m + \eta q ; \qquad
          m \, e(w) \ge 1 \;\Rightarrow\; w \leftarrow \lnot w,\ m \leftarrow 0 .

The page ``docs/explanation/optimizer.md`` says why the bar of 1 is there (BOLD, NeurIPS 2024, Eq. 9-11).
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array, check_integer, check_out, check_real
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.kernels.backward import MAX_TERMS
from bvar.kernels.layout import check_known_bits

__all__ = ["MAX_ETA", "center_votes", "flip", "vote_norms"]

MAX_ETA = 2.0**63
"""Largest step size: float32 sums of eta * q, at most 2**94 each, stop growing below 2**120, so none is NaN."""

_MEAN_SHIFT = 15  # means lie in [-1, 1]: their product with a sum of signals, an int32, keeps clear of int64


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
        Where to write; may be `q`. Default: a new array.

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
    mean = ((col << (_MEAN_SHIFT + 1)) + n_samples) // (2 * n_samples)
    out = check_out(out, q.shape, np.int32)
    protocol.current().center_votes(q, row.astype(np.int32), mean.astype(np.int32), _MEAN_SHIFT, out)
    return out


def _check_sums(sums: np.ndarray, name: str, n: int, bound: int) -> np.ndarray:
    sums = check_array(sums, name, dtype=np.int64, ndim=1)
    if len(sums) != n:
        raise ValueError(f"{name} must have {n} entries, as q has, got {len(sums)}")
    if max(sums.max(initial=0), -int(sums.min(initial=0))) > bound:  # not abs: the lowest int64 has none
        raise ValueError(f"{name} must lie in [-{bound}, {bound}] for these samples")
    return sums


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


def flip(w: BitMatrix, m: np.ndarray, q: np.ndarray, *, beta: float, eta: float | np.ndarray) -> int:
    """Accumulate votes and flip weights, in place.

    Parameters
    ----------
    w : BitMatrix of shape (n_outputs, n_inputs)
        Weights without missing values; changed in place. Padding is never touched.
    m : ndarray of float32, shape (n_outputs, n_inputs)
        Accumulators; changed in place, 0 where a weight flipped.
    q : ndarray of int32, shape (n_outputs, n_inputs)
        Votes; read only.
    beta : float
        Share of the old accumulator that is kept, in [0, 1].
    eta : float or ndarray of float32, shape (n_outputs,)
        Step size of a vote, from 0 to `MAX_ETA`: one for all, or one for each output.

    Returns
    -------
    int
        Number of weights that flipped.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or ranges are wrong, before anything is changed.

    Notes
    -----
    This is :eq:`flip-rule` of ``docs/explanation/optimizer.md``.

    All arithmetic is elementwise IEEE float32 in the order written, ``beta * m`` then ``eta * q`` then their
    sum, each rounded to nearest even and none contracted, so that every backend and port gets the same bits.
    A weight flips at equality, ``m * e(w) == 1``.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Algorithm 8.

    Examples
    --------
    One weight has collected enough evidence against being F:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, False, True, False]]))
    >>> m = np.zeros((1, 4), np.float32)
    >>> q = np.array([[1, 1, -1, -3]], dtype=np.int32)
    >>> kernels.flip(w, m, q, beta=0.0, eta=0.5)
    1
    >>> kernels.unpack(w), m
    (array([[ True, False,  True,  True]]), array([[ 0.5,  0.5, -0.5,  0. ]], dtype=float32))
    """
    w = check_known_bits(w, "w")
    m = check_array(m, "m", dtype=np.float32, ndim=2)
    q = np.ascontiguousarray(check_array(q, "q", dtype=np.int32, ndim=2))
    for name, array in (("m", m), ("q", q)):
        if array.shape != w.shape:
            raise ValueError(f"{name} must have the shape of w {w.shape}, got {array.shape}")
    for name, array in (("w.words", w.words), ("m", m)):
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(f"{name} must be C-contiguous and writeable: it is changed in place")
    if check_real(beta, "beta", low=0) > 1:
        raise ValueError(f"beta must be in [0, 1], got {beta!r}")
    return protocol.current().flip(w.words, m, q, float(beta), _eta_rows(eta, w.n_rows))


def _eta_rows(eta: float | np.ndarray, n_rows: int) -> np.ndarray:
    if not isinstance(eta, np.ndarray):
        if (size := check_real(eta, "eta", low=0)) > MAX_ETA:
            raise ValueError(f"eta must be in [0, {MAX_ETA:g}], got {eta!r}")
        return np.full(n_rows, size, np.float32)
    eta = np.ascontiguousarray(check_array(eta, "eta", dtype=np.float32, ndim=1))
    if len(eta) != n_rows:
        raise ValueError(f"eta must have one entry per output ({n_rows}), got {len(eta)}")
    if not ((eta >= 0) & (eta <= MAX_ETA)).all():
        raise ValueError(f"eta must be in [0, {MAX_ETA:g}], got [{eta.min():g}, {eta.max():g}]")
    return eta
