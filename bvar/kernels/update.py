r"""The update of Boolean weights: accumulate votes, flip where the evidence is large enough, start again there.

.. math:: m \leftarrow \beta m + \eta q ; \qquad
          m \, e(w) \ge 1 \;\Rightarrow\; w \leftarrow \lnot w,\ m \leftarrow 0 .

The page ``docs/explanation/optimizer.md`` says why the gate at 1 is there (BOLD, NeurIPS 2024, Eq. 9-11).
"""

from __future__ import annotations

import numpy as np

from bvar import _registry
from bvar._validation import check_array, check_real
from bvar.bits import BitMatrix
from bvar.kernels.layout import check_known_bits

__all__ = ["flip", "vote_norms"]


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
    _registry.current().vote_norms(q, out)
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
        Weight of a vote, at least 0: one for all, or one for each output.

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
    return _registry.current().flip(w.words, m, q, float(beta), _eta_rows(eta, w.n_rows))


def _eta_rows(eta: float | np.ndarray, n_rows: int) -> np.ndarray:
    if not isinstance(eta, np.ndarray):
        return np.full(n_rows, check_real(eta, "eta", low=0), np.float32)
    eta = np.ascontiguousarray(check_array(eta, "eta", dtype=np.float32, ndim=1))
    if len(eta) != n_rows:
        raise ValueError(f"eta must have one entry per output ({n_rows}), got {len(eta)}")
    if not (np.isfinite(eta) & (eta >= 0)).all():
        raise ValueError("eta must be finite and at least 0")
    return eta
