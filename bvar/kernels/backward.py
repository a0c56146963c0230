r"""The backward pass of a Boolean layer: votes on weights, votes on inputs, and the surrogate of the threshold.

A signal z[b, j] says how the loss moves when the sum s[b, j] grows.  Its votes are

.. math::
   q_{ji} = \sum_b z_{bj} \, e\!\left(\frac{\delta L}{\delta w_{ji}}\right), \qquad
   g_{bi} = \sum_j z_{bj} \, e\!\left(\frac{\delta L}{\delta x_{bi}}\right) .

The variation of a gate with respect to one operand is a function of the other, with values d(F) and d(T); hence
both are ``((d(F) + d(T)) * sum z + (d(T) - d(F)) * sum z e(bit)) / 2``, and one signed sum serves all gates.
The page ``docs/explanation/backpropagation.md`` derives this (BOLD, NeurIPS 2024, Eq. 3-8).
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array, check_integer, check_out
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate
from bvar.kernels.forward import gate_sum
from bvar.kernels.layout import (
    check_bits,
    check_known_bits,
    count_plane,
    count_rows,
    transpose,
    unpack_ternary,
)
from bvar.kernels.memory import lines

__all__ = ["MAX_TERMS", "input_sums", "input_votes", "rescale", "scale_signals", "signal_sums", "weight_votes"]

MAX_TERMS = 2**23 - 1
"""Most signals in one vote: twice 128 * terms stays below 2**31."""

_INT16_ROWS = 255  # of signals: 255 * 128 < 2**15
XNOR = (-1, 1)  # the variation of xnor is the other operand: its signed sum is the vote, with nothing to mix
_GATES = {XNOR: "xnor", (1, -1): "xor"}  # variation: the gate whose sum over the signals is then the vote


def weight_votes(
    z: np.ndarray | BitMatrix, x: BitMatrix, gate: str | int | Gate = "xnor", *, out: np.ndarray | None = None
) -> np.ndarray:
    """Sum the votes of a batch on every weight.

    Parameters
    ----------
    z : ndarray of int8, or BitMatrix, of shape (n_samples, n_outputs)
        Signals: int8 numbers, or bits (Boolean signals), or bits with missing values (ternary signals).
    x : BitMatrix of shape (n_samples, n_inputs)
        The inputs of the layer. Where an input is missing there is no vote.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x) of the layer.
    out : ndarray of int32, shape (n_outputs, n_inputs), optional
        Where to write; C-contiguous. Default: a new array.

    Returns
    -------
    ndarray of int32, shape (n_outputs, n_inputs)
        Votes q; positive means that the loss would rise if the weight went from F to T.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, the numbers of samples disagree or `out` does not fit.

    See Also
    --------
    input_votes : The votes on the inputs.
    flip : What the votes are for.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Eq. 3, 5 and 7.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[True, False, True]]))
    >>> kernels.weight_votes(np.array([[-1]], dtype=np.int8), x)
    array([[-1,  1, -1]], dtype=int32)
    >>> kernels.weight_votes(np.array([[-1]], dtype=np.int8), x, "and")
    array([[-1,  0, -1]], dtype=int32)
    """
    x = check_bits(x, "x")
    if not isinstance(z, BitMatrix):
        z = check_array(z, "z", dtype=np.int8, ndim=2)
    if len(z) != len(x):
        raise ValueError(f"z has {len(z)} samples but x has {len(x)}: they must agree")
    check_terms(len(x), "samples in one call")
    change = Gate.of(gate).variation_a
    shape = z.shape[1], x.n_bits
    out = lines(shape, np.int32) if out is None else check_out(out, shape, np.int32)
    if isinstance(z, BitMatrix):
        if z.known is None or x.known is None:
            return _boolean_votes(transpose(z), transpose(x), change, out)
        z = unpack_ternary(z)
    protocol.current().signed_sum(z.T, x.words, out)
    if x.known is None and change == XNOR:
        return out
    total = z.sum(axis=0, dtype=np.int32)[:, None]
    if x.known is not None:  # a missing input has bit F: drop the signals that it brought in
        silent = np.empty_like(out)
        protocol.current().signed_sum(z.T, x.known, silent)
        silent = (total - silent) // 2
        out += silent
        total = total - silent
    return mix_votes(out, total, change)


def input_votes(
    z: np.ndarray | BitMatrix, w: BitMatrix, gate: str | int | Gate = "xnor", *, out: np.ndarray | None = None
) -> np.ndarray:
    """Sum the votes of all outputs on every input.

    Parameters
    ----------
    z : ndarray of int8, or BitMatrix, of shape (n_samples, n_outputs)
        Signals, as for :func:`weight_votes`.
    w : BitMatrix of shape (n_outputs, n_inputs)
        The weights of the layer.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x) of the layer.
    out : ndarray of int32, shape (n_samples, n_inputs), optional
        Where to write; C-contiguous. Default: a new array.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_inputs)
        Votes g; positive means that the loss would rise if the input went from F to T.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, the numbers of outputs disagree or `out` does not fit.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Eq. 4, 6 and 8.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, True, False]]))
    >>> kernels.input_votes(np.array([[-1]], dtype=np.int8), w)
    array([[-1, -1,  1]], dtype=int32)
    """
    w = check_known_bits(w, "w")
    change = Gate.of(gate).variation_b
    if not isinstance(z, BitMatrix):
        z = check_array(z, "z", dtype=np.int8, ndim=2)
    n_outputs = z.shape[1]
    if n_outputs != len(w):
        raise ValueError(f"z has {n_outputs} outputs but w has {len(w)}: they must agree")
    check_terms(n_outputs, "outputs")
    out = lines((len(z), w.n_bits), np.int32) if out is None else check_out(out, (len(z), w.n_bits), np.int32)
    if isinstance(z, BitMatrix):
        return _boolean_votes(z, transpose(w), change, out)
    protocol.current().signed_sum(z, w.words, out)
    if change == XNOR:
        return out
    return mix_votes(out, z.sum(axis=1, dtype=np.int32)[:, None], change)


def input_sums(x: BitMatrix, gate: str | int | Gate = "xnor") -> np.ndarray:
    """Sum what the signal of an output is multiplied with in the vote on a weight.

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, n_inputs)
        The inputs of the layer, none missing.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x) of the layer.

    Returns
    -------
    ndarray of int64, shape (n_inputs,)
        Sums over the samples of the variation of the gate in the weight: of e(x) for xnor.

    Raises
    ------
    TypeError, ValueError
        If `x` is not a BitMatrix or has missing values.

    See Also
    --------
    center_votes : What they are for.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.input_sums(kernels.pack(np.array([[True, False], [True, True], [True, False]])))
    array([ 3, -1])
    """
    at_false, at_true = Gate.of(gate).variation_a
    n_true = count_rows(transpose(check_known_bits(x, "x"))).astype(np.int64)
    return at_false * len(x) + (at_true - at_false) * n_true


def signal_sums(z: np.ndarray) -> np.ndarray:
    """Sum the signals of each output: the votes on what adds the same to every sample.

    Parameters
    ----------
    z : ndarray of int8, shape (n_samples, n_outputs)
        Signals.

    Returns
    -------
    ndarray of int32, shape (n_outputs,)
        The sums.

    Raises
    ------
    TypeError, ValueError
        If `z` is not a matrix of int8, or has more than `MAX_TERMS` rows.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.signal_sums(np.array([[5, -1], [3, 0]], dtype=np.int8))
    array([ 8, -1], dtype=int32)
    """
    z = check_array(z, "z", dtype=np.int8, ndim=2)
    check_terms(len(z), "samples in one call")
    parts = [  # narrow sums are twice as fast
        np.add.reduce(z[start : start + _INT16_ROWS], axis=0, dtype=np.int16).astype(np.int32)
        for start in range(0, max(1, len(z)), _INT16_ROWS)
    ]
    return sum(parts[1:], start=parts[0])


def scale_signals(g: np.ndarray, factor: int, shift: int) -> np.ndarray:
    r"""Scale votes to signals of gates, and turn them: :math:`\operatorname{round}(2^{-\text{shift}} k g)`.

    Parameters
    ----------
    g : ndarray of int32, shape (n_samples, n_units)
        Votes; a part of the columns of a matrix will do.
    factor : int
        The factor k, in [0, 2**21].
    shift : int
        Number of its fractional bits, in [0, 20].

    Returns
    -------
    ndarray of int16, shape (n_samples, n_units)
        Signals, halves rounded away from zero, kept within +-32767; a view of memory that is stored unit by unit.

    Raises
    ------
    TypeError, ValueError
        If `g` is not a matrix of int32, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.scale_signals(np.array([[1000, -1004, 5, -5]], dtype=np.int32), 1, 1)
    array([[ 500, -502,    3,   -3]], dtype=int16)
    """
    g = check_array(g, "g", dtype=np.int32, ndim=2)
    if g.shape[1] > 1 and g.strides[1] != g.itemsize:
        g = np.ascontiguousarray(g)
    factor = check_integer(factor, "factor", low=0, high=2**21)
    shift = check_integer(shift, "shift", low=0, high=20)
    out = lines((g.shape[1], g.shape[0]), np.int16)
    protocol.current().scale_signals(g, factor, shift, out)
    return out.T


def rescale(g: np.ndarray, s: np.ndarray, tau: np.ndarray, curve: np.ndarray, shift: int) -> np.ndarray:
    r"""Carry votes through a threshold: multiply them by its surrogate, round to int8.

    .. math:: z_{bj} = \operatorname{clip}_{\pm 127} \operatorname{round}
              \left( 2^{-\text{shift}} \, g_{bj} \, c(|s_{bj} - \tau_j|) \right) ,

    where halves round away from zero, so that z of -g is -z, and c(d) is ``curve[d]``, or its last entry for
    larger d.

    Parameters
    ----------
    g : ndarray of int32, shape (n_samples, n_outputs)
        Votes on the outputs of the threshold.
    s : ndarray of int32, shape (n_samples, n_outputs)
        The sums that the threshold saw.
    tau : ndarray of int32, shape (n_outputs,)
        Thresholds.
    curve : ndarray of int32, shape (n_entries,)
        The surrogate at each distance, in fixed point, not negative, at most 2**30; at least one entry.
    shift : int
        Number of fractional bits, 0 to 30.

    Returns
    -------
    ndarray of int8, shape (n_samples, n_outputs)
        Signals for the layer below.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes disagree or `curve` or `shift` are out of range.

    See Also
    --------
    bvar.layers.Threshold : Which makes the curve from tanh'.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> g = np.array([[100, 100, -100, 1000]], dtype=np.int32)
    >>> s = np.array([[0, 1, -5, 0]], dtype=np.int32)
    >>> kernels.rescale(g, s, np.zeros(4, np.int32), np.array([4, 2, 0], np.int32), shift=2)
    array([[100,  50,   0, 127]], dtype=int8)
    """
    g = np.ascontiguousarray(check_array(g, "g", dtype=np.int32, ndim=2))
    s = np.ascontiguousarray(check_array(s, "s", dtype=np.int32, ndim=2))
    tau = np.ascontiguousarray(check_array(tau, "tau", dtype=np.int32, ndim=1))
    curve = np.ascontiguousarray(check_array(curve, "curve", dtype=np.int32, ndim=1))
    shift = check_integer(shift, "shift", low=0, high=30)
    if s.shape != g.shape:
        raise ValueError(f"s must have the shape of g {g.shape}, got {s.shape}")
    if len(tau) != g.shape[1]:
        raise ValueError(f"tau must have one entry per output ({g.shape[1]}), got {len(tau)}")
    if not len(curve) or curve.min() < 0 or curve.max() > 2**30:
        raise ValueError("curve must have entries, all in [0, 2**30]")
    out = lines(g.shape, np.int8)
    protocol.current().rescale(g, s, tau, curve, shift, out)
    return out


def _boolean_votes(z: BitMatrix, bits: BitMatrix, change: tuple[int, int], out: np.ndarray) -> np.ndarray:
    """Sum bit signals (r, k) times a variation of bits (n, k); at most one of the two has missing values."""
    gate = _GATES.get(change)
    if gate is not None and bits.known is None:
        return gate_sum(z, bits, gate, out=out)
    if bits.known is not None:
        out[...] = gate_sum(bits, z, gate or "xnor").T
        return out if gate else mix_votes(out, gate_sum(bits, z, "a").T, change)
    n_known = z.n_bits if z.known is None else count_plane(z.known)
    return mix_votes(gate_sum(z, bits, out=out), (2 * count_plane(z.words) - n_known)[:, None], change)


def mix_votes(signs: np.ndarray, total: np.ndarray, change: tuple[int, int]) -> np.ndarray:
    """((d(F) + d(T)) * total + (d(T) - d(F)) * signs) / 2, always whole, in place and without leaving int32."""
    plus, minus = change[0] + change[1], change[1] - change[0]
    if plus % 2:
        signs *= minus
        signs += plus * total
        signs >>= 1
    else:  # halve first, so that nothing grows on the way
        signs *= minus // 2
        signs += plus // 2 * total
    return signs


def check_terms(n_terms: int, what: str) -> None:
    if n_terms > MAX_TERMS:
        raise ValueError(f"z has {n_terms} {what}; votes are limited to {MAX_TERMS}: add parts instead")
