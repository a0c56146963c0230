r"""A real matrix as a sum of Boolean kernels with scales (``docs/explanation/multi-kernel.md``).

.. math:: W \approx \sum_{k=1}^{K} a_k b_k^\top \circ e(B_k)

First *successively*: the signs of what is left, and the best rank-one matrix for its magnitudes (SVID).  Then
*refined*: in turn the signs of all kernels jointly, the scales of outputs and the scales of inputs, each the exact
minimum given the others, so that the error never rises.  Float, and deterministic: nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from bvar._validation import as_array, check_array, check_finite, check_integer
from bvar.bits import BitMatrix
from bvar.kernels import pack, unpack
from bvar.multikernel.weights import LARGEST

__all__ = ["MAX_KERNELS", "Kernels", "compose", "decompose", "signs_of"]

MAX_KERNELS = 8
"""Most kernels of one matrix: joint signs look at 2**K sums for each entry."""

_BLOCK = 2**15  # entries whose signs are chosen at a time: so many float64 stay in a cache
_RIDGE = 1e-9  # share of the trace that keeps normal equations regular
_STILL = 1e-12  # relative change at which a power iteration has arrived


@dataclass(frozen=True, eq=False)
class Kernels:
    r"""A matrix :math:`\sum_k a_k b_k^\top \circ e(B_k)`: K matrices of bits, each with two vectors of scales.

    Parameters
    ----------
    signs : sequence of BitMatrix, each of shape (n_outputs, n_inputs)
        The kernels, T for +1; 1 to :data:`MAX_KERNELS` of them, without missing values.
    output_scales : ndarray of float32, shape (n_kernels, n_outputs)
        One factor for each row of each kernel.
    input_scales : ndarray of float32, shape (n_kernels, n_inputs)
        One factor for each column of each kernel.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shapes cross, or a scale is not finite.

    See Also
    --------
    decompose : Which makes them of a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels, multikernel
    >>> signs = kernels.pack(np.array([[True, False], [True, True]]))
    >>> one = multikernel.Kernels([signs], np.array([[1, 2]], np.float32), np.array([[1, 10]], np.float32))
    >>> one.compose()
    array([[  1., -10.],
           [  2.,  20.]], dtype=float32)
    """

    signs: Sequence[BitMatrix]
    output_scales: np.ndarray
    input_scales: np.ndarray

    def __post_init__(self) -> None:
        """Check that bits and scales belong together."""
        signs = tuple(self.signs)
        if not 1 <= len(signs) <= MAX_KERNELS or not all(isinstance(b, BitMatrix) for b in signs):
            raise ValueError(f"signs must be 1 to {MAX_KERNELS} BitMatrix, got {signs!r}")
        if any(b.shape != signs[0].shape or b.known is not None for b in signs):
            raise ValueError("signs must have one shape and no missing values")
        object.__setattr__(self, "signs", signs)
        for name, length in zip(("output_scales", "input_scales"), signs[0].shape, strict=True):
            scales = check_array(getattr(self, name), name, dtype=np.float32, ndim=2)
            if scales.shape != (len(signs), length):
                raise ValueError(f"{name} must have shape {(len(signs), length)}, got {scales.shape}")
            if not np.isfinite(scales).all():
                raise ValueError(f"{name} must be finite")
            object.__setattr__(self, name, np.ascontiguousarray(scales))

    @property
    def n_kernels(self) -> int:
        """Number of kernels, K."""
        return len(self.signs)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix, (n_outputs, n_inputs)."""
        return self.signs[0].shape

    @property
    def n_bits_per_weight(self) -> float:
        """K bits, and the scales at 16 bits each, over the number of weights."""
        n_outputs, n_inputs = self.shape
        return self.n_kernels * (1 + 16 * (n_outputs + n_inputs) / (n_outputs * n_inputs))

    def compose(self) -> np.ndarray:
        """Return the matrix that the kernels stand for.

        Returns
        -------
        ndarray of float32, shape (n_outputs, n_inputs)
            Kernel after kernel added up, in that order.
        """
        return compose(self.signs, self.output_scales, self.input_scales)

    def error(self, weight: np.ndarray) -> float:
        """Return the relative error in the Frobenius norm.

        Parameters
        ----------
        weight : ndarray of shape (n_outputs, n_inputs)
            The matrix that was decomposed.

        Returns
        -------
        float
            ``norm(weight - compose()) / norm(weight)``; 0 if both are 0.
        """
        weight = _check_weight(weight)
        if weight.shape != self.shape:
            raise ValueError(f"weight must have shape {self.shape}, got {weight.shape}")
        rest = np.linalg.norm(weight - self.compose())
        return float(rest / np.linalg.norm(weight)) if rest else 0.0


def decompose(
    weight: np.ndarray, n_kernels: int, *, n_rounds: int = 15, input_weights: np.ndarray | None = None
) -> Kernels:
    """Write a real matrix as a sum of Boolean kernels with scales.

    Parameters
    ----------
    weight : array-like of real numbers, shape (n_outputs, n_inputs)
        The matrix; finite, and in the range of float32.
    n_kernels : int
        Number of kernels, 1 to :data:`MAX_KERNELS`.
    n_rounds : int, default=15
        Rounds of refinement, at least 0: joint signs, scales of outputs, scales of inputs. 0 leaves what
        extraction one after the other gives. One kernel is optimal without.
    input_weights : array-like of shape (n_inputs,), optional
        How much an error in each column counts, as a factor: the root mean square of the inputs, say. Positive.
        Default: all count alike.

    Returns
    -------
    Kernels
        The same for the same matrix, always.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, is out of range, or a number is not finite.

    See Also
    --------
    allocate : Chooses numbers of kernels for many matrices.

    Notes
    -----
    Computed in float64 and rounded once at the end. A matrix of zeros has signs T and scales 0.

    References
    ----------
    Y. Xu et al., "OneBit: Towards Extremely Low-bit Large Language Models", 2024 (one kernel). B.-H. Tran and
    V. M. Nguyen, "Highly Efficient and Effective LLMs with Multi-Boolean Architectures", ICLR 2026 (several).

    Examples
    --------
    Every matrix of two rows is exact with two kernels:

    >>> import numpy as np
    >>> from bvar import multikernel
    >>> kernels = multikernel.decompose([[3.0, -1.0], [0.5, 2.0]], 2)
    >>> kernels.compose().round(5)
    array([[ 3. , -1. ],
           [ 0.5,  2. ]], dtype=float32)
    """
    w = _check_weight(weight)
    if np.abs(w).max() > LARGEST:
        raise ValueError(f"weight must be within {LARGEST:g} of 0, the range of float32, got {np.abs(w).max():g}")
    n_kernels = check_integer(n_kernels, "n_kernels", low=1, high=MAX_KERNELS)
    n_rounds = check_integer(n_rounds, "n_rounds", low=0)
    u = np.ones(w.shape[1]) if input_weights is None else _check_input_weights(input_weights, w.shape[1])
    w = w * u
    signs, a, b = _extract(w, n_kernels)
    for _ in range(n_rounds if n_kernels > 1 else 0):
        _choose_signs(w, signs, a, b)
        a = _fit_rows(w, signs, a, b)
        b = _fit_rows(w.T, signs.transpose(0, 2, 1), b, a)
    return Kernels([pack(part > 0) for part in signs], a.astype(np.float32), (b / u).astype(np.float32))


def compose(signs: Sequence[BitMatrix], output_scales: np.ndarray, input_scales: np.ndarray) -> np.ndarray:
    """Add kernels up, one after the other; the arguments are those of :class:`Kernels`.

    Parameters
    ----------
    signs : sequence of BitMatrix, each of shape (n_outputs, n_inputs)
        The kernels.
    output_scales : ndarray of float32, shape (n_kernels, n_outputs)
        Factors of rows.
    input_scales : ndarray of float32, shape (n_kernels, n_inputs)
        Factors of columns.

    Returns
    -------
    ndarray of float32, shape (n_outputs, n_inputs)
        The matrix; new memory.
    """
    total = np.zeros(signs[0].shape, np.float32)
    for bits, a, b in zip(signs, output_scales, input_scales, strict=True):
        part = signs_of(bits)
        part *= b
        part *= a[:, None]
        total += part
    return total


def signs_of(bits: BitMatrix) -> np.ndarray:
    """Embed bits in the numbers: T to +1, F to -1.

    Parameters
    ----------
    bits : BitMatrix of shape (n_rows, n_bits)
        Bits, none missing.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_bits)
        Plus and minus one; new memory.
    """
    signs = unpack(bits).astype(np.float32)
    signs *= 2
    signs -= 1
    return signs


def _extract(w: np.ndarray, n_kernels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One kernel after the other, each of what the ones before have left."""
    signs = np.empty((n_kernels, *w.shape), np.int8)
    a, b = np.empty((n_kernels, len(w))), np.empty((n_kernels, w.shape[1]))
    rest = w.copy()
    for k in range(n_kernels):
        signs[k] = np.where(rest >= 0, 1, -1)
        a[k], b[k] = _rank_one(np.abs(rest))
        rest -= signs[k] * np.multiply.outer(a[k], b[k])
    return signs, a, b


def _rank_one(magnitudes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best vectors a, b with a b^T near a matrix without negative entries; they are not negative either.

    A power iteration.  It begins at the sums of columns, which have a part in what it looks for unless all are 0.
    """
    b = magnitudes.sum(axis=0)
    norm = np.linalg.norm(b)
    if not norm:
        return np.zeros(len(magnitudes)), np.zeros(len(b))
    b /= norm
    for _ in range(1000):
        a = magnitudes @ b
        new = a @ magnitudes
        new /= np.linalg.norm(new)
        change = np.linalg.norm(new - b)
        b = new
        if change <= _STILL:
            break
    a = magnitudes @ b
    half = np.sqrt(np.linalg.norm(a))
    return a / half, b * half


def _choose_signs(w: np.ndarray, signs: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Give each entry the nearest of its 2**K sums; ties go to the first.

    The sums come in pairs v and -v, and the nearer one of a pair has the sign of the entry: half of them will do.
    """
    n_kernels = len(signs)
    patterns = [np.array((1, *rest), np.int8) for rest in product((1, -1), repeat=n_kernels - 1)]
    step = max(1, _BLOCK // w.shape[1])
    for start in range(0, len(w), step):
        rows = slice(start, start + step)
        part, scales = w[rows], a[:, rows, None] * b[:, None, :]
        best, chosen, flipped = np.full(part.shape, np.inf), np.zeros(part.shape, np.int64), part < 0
        for index, pattern in enumerate(patterns):
            v = scales[0].copy()
            for k in range(1, n_kernels):
                v = v + scales[k] if pattern[k] > 0 else v - scales[k]
            distance = np.abs(np.abs(part) - np.abs(v))
            nearer = distance < best
            best[nearer], chosen[nearer] = distance[nearer], index
            flipped[nearer] = ((v < 0) != (part < 0))[nearer]
        signs[:, rows] = np.array(patterns).T[:, chosen] * np.where(flipped, -1, 1).astype(np.int8)


def _fit_rows(w: np.ndarray, signs: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Least squares for the scales of each row, given the signs and the scales of columns.

    A small ridge around the old scales keeps the equations regular where kernels agree; since the old scales pay
    nothing for it, the error of the new ones is no larger, ridge or not.
    """
    n_kernels, n_rows = a.shape
    parts = [signs[k] * b[k] for k in range(n_kernels)]
    rest = w - sum(a[k][:, None] * parts[k] for k in range(n_kernels))
    normal, right = np.empty((n_rows, n_kernels, n_kernels)), np.empty((n_rows, n_kernels))
    for k in range(n_kernels):
        right[:, k] = np.einsum("ji,ji->j", parts[k], rest)
        for other in range(k + 1):
            normal[:, k, other] = normal[:, other, k] = np.einsum("ji,ji->j", parts[k], parts[other])
    ridge = _RIDGE * np.trace(normal, axis1=1, axis2=2) + np.finfo(float).tiny
    normal += ridge[:, None, None] * np.eye(n_kernels)
    return a + np.linalg.solve(normal, right[:, :, None])[:, :, 0].T


def _check_weight(weight: Any) -> np.ndarray:
    """Return a finite matrix as float64."""
    array = as_array(weight, "weight")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"weight must be a matrix of real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or not array.size:
        raise ValueError(f"weight must be a matrix with entries, got shape {array.shape}")
    return check_finite(array, "weight")


def _check_input_weights(input_weights: Any, n_inputs: int) -> np.ndarray:
    u = check_finite(input_weights, "input_weights")
    if u.shape != (n_inputs,):
        raise ValueError(f"input_weights must have shape ({n_inputs},), got {u.shape}")
    if not (u > 0).all():
        raise ValueError("input_weights must be finite and positive")
    return np.ldexp(u, -int(np.frexp(u.max())[1]))  # a common factor does not matter, but products must be floats
