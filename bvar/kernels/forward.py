r"""The forward pass of a Boolean layer: sum a gate over the inputs, and compare with thresholds.

Every gate L(w, x) of two bits is, in the embedding e(T) = +1 and e(F) = -1,

.. math:: e(L(w, x)) = \alpha + \beta [w] + \gamma [x] + \delta [w \oplus x] ,

with integers derived in :attr:`bvar.calculus.gates.Gate.xor_form`.  A sum over inputs is therefore one count of
disagreements plus the counts of T in each row, and one backend operation serves all sixteen gates.  The page
``docs/explanation/neuron.md`` derives this.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from bvar._validation import check_array, check_out
from bvar.backends import protocol
from bvar.bits import WORD, BitMatrix, n_words, tail_mask
from bvar.calculus.gates import Gate
from bvar.kernels.layout import check_bits, check_known_bits, count_plane, pack_plane
from bvar.kernels.memory import lines

__all__ = ["MAX_BITS", "PreparedSum", "PreparedWeights", "gate_bits", "gate_sum", "prepare"]

MAX_BITS = 2**28
"""Longest row of a sum: every int32 intermediate stays below 2**31."""

_FAR = 2**29  # beyond every sum, and with one on top still within int32


class PreparedWeights:
    """Weights in the layout that the backend in force likes best, for use many times.

    Parameters
    ----------
    w : BitMatrix
        Weights without missing values, which must not change while these are used.

    See Also
    --------
    prepare : Makes one of weights that may change.
    """

    def __init__(self, w: BitMatrix) -> None:
        backend = protocol.current()
        self.bits = w
        self.backend = backend.name
        self.operand = backend.prepare(w.words)

    @cached_property
    def counts(self) -> np.ndarray:
        """The number of T in each row; xnor and xor never ask."""
        return count_plane(self.bits.words)


def prepare(w: BitMatrix) -> PreparedWeights:
    """Lay weights out for the backend in force, so that repeated sums need not do it again.

    Parameters
    ----------
    w : BitMatrix
        Weights, one row per output, without missing values.

    Returns
    -------
    PreparedWeights
        Accepted by :func:`gate_sum` and :func:`gate_bits` in place of `w` while the same backend is in force.
        It does not follow later changes of `w`.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> w = kernels.pack(np.array([[True, False, True]]))
    >>> kernels.gate_sum(w, kernels.prepare(w))
    array([[3]], dtype=int32)
    """
    return PreparedWeights(check_known_bits(w, "w").copy())  # a backend may keep the words as they are


def gate_sum(
    x: BitMatrix,
    w: BitMatrix | PreparedWeights,
    gate: str | int | Gate = "xnor",
    *,
    out: np.ndarray | None = None,
) -> np.ndarray:
    r"""Sum a gate over the inputs: the pre-activations of a Boolean layer.

    .. math:: s_{bo} = \sum_i e(L(w_{oi}, x_{bi})) \in [-n, n] ,

    which for ``xnor`` is agreements minus disagreements.  An input that is the 0 of M contributes 0.

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, n_bits)
        Inputs; values may be missing.
    w : BitMatrix or PreparedWeights of shape (n_outputs, n_bits)
        Weights.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x), first operand the weight.
    out : ndarray of int32, shape (n_samples, n_outputs), optional
        Where to write the result; C-contiguous.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_outputs)
        The sums, exact.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, row lengths disagree or `out` does not fit.

    Notes
    -----
    This is :eq:`neuron` of ``docs/explanation/neuron.md``; with missing inputs :eq:`missing-sum`.

    The paper counts T instead (its Eq. 1); the count is ``(s + n) / 2`` when nothing is missing.
    For missing values, with u the plane of the unknown, only the inputs that are known are summed; the
    disagreements of w with x outside them are taken back by a second count, of w against u.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[True, False, True]]))
    >>> w = kernels.pack(np.array([[True, True, False], [True, False, True]]))
    >>> kernels.gate_sum(x, w)
    array([[-1,  3]], dtype=int32)
    >>> kernels.gate_sum(x, w, "and")
    array([[-1,  1]], dtype=int32)
    """
    x, prepared, connective = _forward_arguments(x, w, gate)
    shape = x.n_rows, prepared.bits.n_rows
    out = lines(shape, np.int32) if out is None else check_out(out, shape, np.int32)
    backend = protocol.current()
    row, col, delta = _gate_terms(x, prepared, connective)
    backend.gate_sum(x.words, prepared.operand, row, col, delta, out)
    if x.known is not None:
        out += _missing_terms(x, prepared, connective)
    return out


def gate_bits(
    x: BitMatrix,
    w: BitMatrix | PreparedWeights,
    tau: np.ndarray,
    gate: str | int | Gate = "xnor",
) -> BitMatrix:
    r"""Sum a gate over the inputs and compare with thresholds, without storing the sums.

    .. math:: y_{bo} = T \iff s_{bo} \ge \tau_o .

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, n_bits)
        Inputs; values may be missing.
    w : BitMatrix or PreparedWeights of shape (n_outputs, n_bits)
        Weights.
    tau : ndarray of int32, shape (n_outputs,)
        Thresholds; a sum that equals its threshold gives T.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x).

    Returns
    -------
    BitMatrix of shape (n_samples, n_outputs)
        The activations.

    Raises
    ------
    TypeError, ValueError
        As for :func:`gate_sum`, or if `tau` does not have one int32 entry per output.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[True, False, True]]))
    >>> w = kernels.pack(np.array([[True, True, False], [True, False, True]]))
    >>> kernels.unpack(kernels.gate_bits(x, w, np.array([0, 3], dtype=np.int32)))
    array([[False,  True]])
    """
    x, prepared, connective = _forward_arguments(x, w, gate)
    n_outputs = prepared.bits.n_rows
    tau = check_array(tau, "tau", dtype=np.int32, ndim=1)
    if len(tau) != n_outputs:
        raise ValueError(f"tau must have one entry per output ({n_outputs}), got {len(tau)}")
    return PreparedSum(prepared, -tau.astype(np.int64), connective).bits(x)


class PreparedSum:
    """A gate summed over inputs for weights that do not change: what depends on no input is computed once.

    Parameters
    ----------
    w : PreparedWeights of shape (n_outputs, n_bits)
        Weights.
    shift : ndarray of int, shape (n_outputs,)
        What is added to the sums; beyond 2**29, where all of them have one sign, it is taken for that.
    gate : Gate
        The connective.

    See Also
    --------
    gate_sum, gate_bits : The same for weights that may change.

    Notes
    -----
    For a single row that is most of the time.  Its methods may be called while the backend is in force that the
    weights were prepared for.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.calculus.gates import Gate
    >>> w = kernels.prepare(kernels.pack(np.array([[True, True, False], [True, False, True]])))
    >>> prepared = kernels.PreparedSum(w, np.array([0, -3], dtype=np.int32), Gate.of("xnor"))
    >>> prepared.sums(kernels.pack(np.array([[True, False, True]])))
    array([[-1,  0]], dtype=int32)
    """

    def __init__(self, w: PreparedWeights, shift: np.ndarray, gate: Gate) -> None:
        # int32 is then safe; np.clip would take as long as a small product
        self.shift = np.minimum(np.maximum(shift, -_FAR), _FAR).astype(np.int32, copy=False)
        self.w, self.gate = w, gate
        alpha, beta, self.gamma, self.delta = gate.xor_form
        col = self.shift + np.int32(alpha * w.bits.n_bits)
        self.col = col + np.int32(beta) * w.counts if beta else col

    def sums(self, x: BitMatrix) -> np.ndarray:
        """Compute the sums.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_bits)
            Inputs; values may be missing.

        Returns
        -------
        ndarray of int32, shape (n_samples, n_outputs)
            Those of `gate_sum`, and the shift.
        """
        _check_operands(check_bits(x, "x"), self.w)
        if x.known is not None:
            return gate_sum(x, self.w, self.gate) + self.shift
        out = np.empty((x.n_rows, self.w.bits.n_rows), np.int32)
        protocol.current().gate_sum(x.words, self.w.operand, self._row(x), self.col, self.delta, out)
        return out

    def bits(self, x: BitMatrix) -> BitMatrix:
        """Compute which sums are not negative, without storing them.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_bits)
            Inputs; values may be missing.

        Returns
        -------
        BitMatrix of shape (n_samples, n_outputs)
            Those of `gate_bits` for the threshold ``-shift``.
        """
        _check_operands(check_bits(x, "x"), self.w)
        n_outputs = self.w.bits.n_rows
        if x.known is not None:
            return BitMatrix.trusted(pack_plane(self.sums(x) >= 0), n_outputs)
        out = np.empty((x.n_rows, n_words(n_outputs)), np.uint64)
        protocol.current().gate_bits(x.words, self.w.operand, self._row(x), self.col, self.delta, out)
        return BitMatrix.trusted(out, n_outputs)

    def _row(self, x: BitMatrix) -> np.ndarray:
        """Return what a gate adds to all sums of a row: for xnor and xor nothing."""
        return np.int32(self.gamma) * count_plane(x.words) if self.gamma else np.zeros(x.n_rows, np.int32)


def _forward_arguments(
    x: BitMatrix, w: BitMatrix | PreparedWeights, gate: str | int | Gate
) -> tuple[BitMatrix, PreparedWeights, Gate]:
    x = check_bits(x, "x")
    connective = Gate.of(gate)
    prepared = w if isinstance(w, PreparedWeights) else PreparedWeights(check_known_bits(w, "w"))
    _check_operands(x, prepared)
    return x, prepared, connective


def _check_operands(x: BitMatrix, w: PreparedWeights) -> None:
    backend = protocol.current().name
    if w.backend != backend:
        raise ValueError(f"w was prepared for backend {w.backend!r}, but {backend!r} is in force")
    if x.n_bits != w.bits.n_bits:
        raise ValueError(f"x has rows of {x.n_bits} bits but w has rows of {w.bits.n_bits}: they must agree")
    if x.n_bits > MAX_BITS:
        raise ValueError(f"x has rows of {x.n_bits} bits; sums are limited to {MAX_BITS}")


def _gate_terms(x: BitMatrix, w: PreparedWeights, connective: Gate) -> tuple[np.ndarray, np.ndarray, int]:
    """Split a gate sum into a term per sample, a term per output and a multiple of the disagreements."""
    # the xor form and not the xnor: one loop, xor and count, then serves all sixteen gates, padding of zeros never
    # disagrees with padding, and what else a gate adds depends on one row at a time
    alpha, beta, gamma, delta = connective.xor_form
    known: int | np.ndarray = x.n_bits
    row, col = np.zeros(x.n_rows, np.int32), np.zeros(w.bits.n_rows, np.int32)
    if x.known is not None:
        known, drop = count_plane(x.known), connective.variation_a[0]
        row -= drop * (x.n_bits - known)
        beta -= drop
    row += alpha * known
    if gamma:  # neither for xnor nor for xor, which then count nothing but disagreements
        row += gamma * count_plane(x.words)
    if beta:
        col += beta * w.counts
    return row, col, delta


def _missing_terms(x: BitMatrix, w: PreparedWeights, connective: Gate) -> np.ndarray:
    """Take back what w added where x is unknown, |w and u| = (|w| + |u| - |w xor u|) / 2, the last part."""
    unknown = ~x.known  # type: ignore[operator]
    if x.n_bits % WORD:
        unknown[:, -1] &= tail_mask(x.n_bits)
    zero_row, zero_col = np.zeros(x.n_rows, np.int32), np.zeros(w.bits.n_rows, np.int32)
    out = np.empty((x.n_rows, w.bits.n_rows), np.int32)
    protocol.current().gate_sum(unknown, w.operand, zero_row, zero_col, connective.variation_a[0], out)
    return out
