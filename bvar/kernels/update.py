r"""The update of Boolean weights: accumulate votes, flip where the evidence is large enough, start again there.

.. math:: m \leftarrow \beta m + \eta q ; \qquad
          m \, e(w) \ge 1 \;\Rightarrow\; w \leftarrow \lnot w,\ m \leftarrow 0 .

All of it is integer: m counts in units of 2**-12 of the bar, beta in 2**-15 and eta in 2**-40.  The page
``docs/explanation/optimizer.md`` says why the bar of 1 is there (BOLD, NeurIPS 2024, Eq. 9-11), and what rounding
does.
"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from bvar._validation import check_array, check_integer, check_real
from bvar.backends import protocol
from bvar.backends.protocol import BAR
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate
from bvar.kernels.backward import MAX_TERMS, input_sums
from bvar.kernels.layout import check_known_bits
from bvar.kernels.votes import MEAN_SHIFT, means_of, vote_norms

__all__ = ["BAR", "clipped_eta", "dither", "eta_units", "flip", "vote_and_flip"]


def eta_units(eta: float) -> int:
    """Write a step size in units of 2**-40 of the bar, halves to even.

    Parameters
    ----------
    eta : float
        Step size of a vote, at least 0, in bars.

    Returns
    -------
    int
        At most ``2**43 - 1``: a vote of 1 then moves an accumulator through its whole range, 8 bars.

    Raises
    ------
    TypeError, ValueError
        If `eta` is not a finite number, at least 0.

    Examples
    --------
    >>> from bvar import kernels
    >>> kernels.eta_units(0.5), kernels.eta_units(1e9)
    (549755813888, 8796093022207)
    """
    return min(round(2**40 * min(check_real(eta, "eta", low=0), 8.0)), protocol.MAX_ETA)


def clipped_eta(q: np.ndarray, eta: float, clip: float) -> np.ndarray:
    r"""Lower the step size of neurons whose votes are too loud together.

    .. math:: \eta_j = \min\Bigl(\eta, \frac{\kappa \sqrt n}{\max(\sum_i |q_{ji}|, 1)}\Bigr)

    Parameters
    ----------
    q : ndarray of int32, shape (n_outputs, n_inputs)
        Votes.
    eta : float
        Step size of a vote, at least 0.
    clip : float
        The bound kappa on what a neuron accumulates in one step, in units of the spread of its sum; inf for none.

    Returns
    -------
    ndarray of int64, shape (n_outputs,)
        Step sizes in units of 2**-40 of the bar: ``eta_units(eta)``, and at most the quotient of
        ``floor(2**40 * clip * sqrt(n))``, or 2**62 if that is less, by the norm.

    See Also
    --------
    bvar.networks.BooleanOptimizer : Says why.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> rows = kernels.clipped_eta(np.array([[1, 0, 0, 0], [5, -5, 5, -5]], dtype=np.int32), eta=0.5, clip=1.0)
    >>> rows / 2**40
    array([0.5, 0.1])
    """
    q = check_array(q, "q", dtype=np.int32, ndim=2)
    size, bound = eta_units(eta), _bound(clip, q.shape[1])
    if bound is None:
        return np.full(len(q), size, np.int64)
    return np.minimum(size, bound // np.maximum(vote_norms(q), 1))


def _bound(clip: float, n_inputs: int) -> int | None:
    """Bound what the votes on a neuron add together, in units of 2**-40 of the bar; None is no bound."""
    if clip == inf:
        return None
    return int(min(2**40 * (check_real(clip, "clip", low=0, strict=True) * sqrt(n_inputs)), 2**62))


def dither(step: int, first: int = 0) -> int:
    """Give what is added before an accumulator is rounded down, in units of 2**-15 of its own.

    Parameters
    ----------
    step : int
        How many steps the tensor has taken, at least 0.
    first : int, default=0
        Number of the element asked for, row by row.

    Returns
    -------
    int
        ``(20251 * step + 27893 * first) mod 2**15``: each value once over 2**15 steps, or elements.

    Examples
    --------
    >>> from bvar import kernels
    >>> [kernels.dither(step) for step in range(3)], [kernels.dither(1, first) for first in range(3)]
    ([0, 20251, 7734], [20251, 15376, 10501])
    """
    return (20251 * step + 27893 * first) % 2**15


def flip(
    w: BitMatrix, m: np.ndarray, q: np.ndarray, *, beta: float, eta: float | np.ndarray, dither: int = 0
) -> int:
    r"""Accumulate votes and flip weights, in place.

    Parameters
    ----------
    w : BitMatrix of shape (n_outputs, n_inputs)
        Weights without missing values; changed in place. Padding is never touched.
    m : ndarray of int16, shape (n_outputs, n_inputs)
        Accumulators in units of 2**-12 of the bar; changed in place, 0 where a weight flipped.
    q : ndarray of int32, shape (n_outputs, n_inputs)
        Votes; read only.
    beta : float
        Share of the old accumulator that is kept, in [0, 1]; rounded to a multiple of 2**-15, halves to even.
    eta : float or ndarray of int64, shape (n_outputs,)
        Step size of a vote, at least 0: one for all in bars, or one for each output as of :func:`clipped_eta`.
    dither : int, default=0
        What is added to element 0 before it is rounded, see :func:`dither`.

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
    This is :eq:`flip-rule-integer` of ``docs/explanation/optimizer.md``: with B = 2**15 beta, E the step size of
    the row in units of 2**-40, its last 13 bits cleared where it is at least 2**25, and
    Q = (2**43 - 1) // max(E, 1),

    .. math:: m \leftarrow \operatorname{clip}_{\pm 32767} \bigl\lfloor 2^{-28} \bigl( 2^{13} (B m + r_i)
              + E \operatorname{clip}_{\pm Q} q \bigr) \bigr\rfloor, \qquad
              r_i = (\text{dither} + 27893\, i) \bmod 2^{15}

    for element i, row by row. A weight flips at equality, ``m * e(w) == 4096``.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Algorithm 8.

    Examples
    --------
    One weight has collected enough evidence against being F:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, False, True, False]]))
    >>> m = np.zeros((1, 4), np.int16)
    >>> q = np.array([[1, 1, -1, -3]], dtype=np.int32)
    >>> kernels.flip(w, m, q, beta=0.0, eta=0.5)
    1
    >>> kernels.unpack(w), m / kernels.BAR
    (array([[ True, False,  True,  True]]), array([[ 0.5,  0.5, -0.5,  0. ]]))
    """
    w, m = _check_trained(w, m)
    q = np.ascontiguousarray(check_array(q, "q", dtype=np.int32, ndim=2))
    if q.shape != w.shape:
        raise ValueError(f"q must have the shape of w {w.shape}, got {q.shape}")
    share, rows = _beta_units(beta), _eta_rows(eta, w.n_rows)
    return protocol.current().flip(w.words, m, q, share, rows, _check_dither(dither))


def vote_and_flip(
    w: BitMatrix,
    m: np.ndarray,
    z: np.ndarray,
    x: BitMatrix,
    gate: str | int | Gate = "xnor",
    *,
    beta: float,
    eta: float,
    clip: float = inf,
    centered: bool = False,
    dither: int = 0,
) -> int:
    """Collect the votes of a batch and flip weights by them, a few neurons at a time, in place.

    Parameters
    ----------
    w : BitMatrix of shape (n_outputs, n_inputs)
        Weights without missing values; changed in place.
    m : ndarray of int16, shape (n_outputs, n_inputs)
        Accumulators; changed in place.
    z : ndarray of int8, shape (n_samples, n_outputs)
        Signals.
    x : BitMatrix of shape (n_samples, n_inputs)
        Inputs without missing values.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x) of the layer.
    beta : float
        Share of the old accumulator that is kept, in [0, 1].
    eta : float
        Step size of a vote.
    clip : float, default=inf
        See :func:`clipped_eta`.
    centered : bool, default=False
        Whether votes count from the mean of the inputs, see :func:`center_votes`.
    dither : int, default=0
        What is added to element 0 before it is rounded, see :func:`dither`.

    Returns
    -------
    int
        Number of weights that flipped.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or ranges are wrong, before anything is changed.

    See Also
    --------
    weight_votes, center_votes, clipped_eta, flip : What it does, one after the other, to the same bits.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w, x = (kernels.pack(np.array([[True, False]])) for _ in range(2))
    >>> m = np.zeros((1, 2), np.int16)
    >>> kernels.vote_and_flip(w, m, np.array([[3]], dtype=np.int8), x, beta=1.0, eta=0.5)
    2
    >>> kernels.unpack(w)
    array([[False,  True]])
    """
    w, m = _check_trained(w, m)
    z, x = check_array(z, "z", dtype=np.int8, ndim=2), check_known_bits(x, "x")
    if z.shape != (len(x), len(w)) or x.n_bits != w.n_bits:
        raise ValueError(
            f"z must have shape {(len(x), len(w))} and x {w.n_bits} bits, got {z.shape} and {x.n_bits}"
        )
    check_integer(len(x), "the number of samples", low=0, high=MAX_TERMS)
    share, size, bound, rest = _beta_units(beta), eta_units(eta), _bound(clip, w.n_bits), _check_dither(dither)
    connective = Gate.of(gate)
    means = means_of(input_sums(x, connective), len(x)) if centered and len(x) else None
    return protocol.current().vote_and_flip(
        z.T, x.words, w.words, m, connective.variation_a, means, MEAN_SHIFT, share, size, bound, rest
    )


def _check_trained(w: BitMatrix, m: np.ndarray) -> tuple[BitMatrix, np.ndarray]:
    """Refuse weights and accumulators that do not fit each other or cannot be changed in place."""
    w = check_known_bits(w, "w")
    m = check_array(m, "m", dtype=np.int16, ndim=2)
    if m.shape != w.shape:
        raise ValueError(f"m must have the shape of w {w.shape}, got {m.shape}")
    for name, array in (("w.words", w.words), ("m", m)):
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(f"{name} must be C-contiguous and writeable: it is changed in place")
    return w, m


def _beta_units(beta: float) -> int:
    if (share := check_real(beta, "beta", low=0)) > 1:
        raise ValueError(f"beta must be in [0, 1], got {beta!r}")
    return round(2**15 * share)


def _check_dither(dither: int) -> int:
    return check_integer(dither, "dither", low=0, high=2**15 - 1)


def _eta_rows(eta: float | np.ndarray, n_rows: int) -> np.ndarray:
    if not isinstance(eta, np.ndarray):
        return np.full(n_rows, eta_units(eta), np.int64)
    eta = np.ascontiguousarray(check_array(eta, "eta", dtype=np.int64, ndim=1))
    if len(eta) != n_rows:
        raise ValueError(f"eta must have one entry per output ({n_rows}), got {len(eta)}")
    if ((eta < 0) | (eta > protocol.MAX_ETA)).any():
        raise ValueError(f"eta must be in [0, {protocol.MAX_ETA}], got [{eta.min()}, {eta.max()}]")
    return eta
