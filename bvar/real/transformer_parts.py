r"""The parts of a transformer with their derivatives (``docs/explanation/multi-kernel.md``).

Normalisation, rotation by position, attention, and the functions of units.  Each function that goes forward
returns what its partner with ``_back`` needs.  Float: outside the promise of equal bits.

Arrays are (n_texts, n_positions, width); heads stand before positions, (n_texts, n_heads, n_positions, width).
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf

__all__ = [
    "attend",
    "attend_back",
    "gate",
    "gate_back",
    "gelu",
    "join_heads",
    "log_softmax",
    "normalize",
    "normalize_back",
    "relu",
    "rotate",
    "rotation",
    "split_heads",
    "unit_length",
    "unit_length_back",
]


def normalize(
    x: np.ndarray, gain: np.ndarray, epsilon: float, bias: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide each row by its root mean square, and multiply by a gain; with a bias, centre it before.

    Also return the rows, which are centred then, and their factors.
    """
    if bias is not None:
        x = x - x.mean(axis=-1, keepdims=True)
    factor = 1 / np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + x.dtype.type(epsilon))
    out = x * factor * gain
    return (out if bias is None else out + bias), x, factor


def normalize_back(
    signal: np.ndarray, x: np.ndarray, factor: np.ndarray, gain: np.ndarray, *, is_centred: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients in the rows and in the gain."""
    normal = x * factor
    in_gain = (signal * normal).reshape(-1, x.shape[-1]).sum(axis=0)
    signal = signal * gain
    out = factor * (signal - normal * np.mean(signal * normal, axis=-1, keepdims=True))
    return (out - out.mean(axis=-1, keepdims=True) if is_centred else out), in_gain


def rotation(start: int, stop: int, width: int, base: float, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of the angles at positions [start, stop), for a head of so many numbers."""
    angles = np.arange(start, stop)[:, None] * base ** (-np.arange(0, width, 2) / width)
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def rotate(x: np.ndarray, cosines: np.ndarray, sines: np.ndarray) -> np.ndarray:
    """Turn pair i, numbers i and i + width / 2, by its angle; with ``-sines`` back again."""
    left, right = np.split(x, 2, axis=-1)
    return np.concatenate([left * cosines - right * sines, left * sines + right * cosines], axis=-1)


def split_heads(x: np.ndarray, width: int) -> np.ndarray:
    """Make heads of so many numbers of the rows of a matrix."""
    return x.reshape(*x.shape[:2], x.shape[2] // width, width).swapaxes(1, 2)


def join_heads(x: np.ndarray) -> np.ndarray:
    """Put heads side by side again."""
    return x.swapaxes(1, 2).reshape(len(x), x.shape[2], x.shape[1] * x.shape[3])


def attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, *, looks_back: bool = True, extra: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Average the values at all positions, or those up to one's own, which is among the last; and the shares.

    Several heads of q in a row may share one of k and v. What is `extra` is added to the scores of each text.
    """
    shared = q.shape[1] // k.shape[1]
    scores = q @ np.repeat(k, shared, axis=1).swapaxes(2, 3) / q.dtype.type(np.sqrt(q.shape[-1]))
    if extra is not None:
        scores += extra
    n, m = scores.shape[2:]
    if looks_back and n > 1:
        later = np.arange(m) > np.arange(n)[:, None] + m - n
        scores += np.where(later, -np.inf, 0).astype(scores.dtype)  # many times faster than to assign them
    scores -= scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores, out=scores)
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares @ np.repeat(v, shared, axis=1), shares


def attend_back(
    signal: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients in q, k, v and the scores."""
    shared = q.shape[1] // k.shape[1]
    in_shares = signal @ np.repeat(v, shared, axis=1).swapaxes(2, 3)
    in_shares -= np.einsum("...ij,...ij->...i", in_shares, shares)[..., None]
    in_scores = in_shares
    in_scores *= shares
    in_products = in_scores / q.dtype.type(np.sqrt(q.shape[-1]))
    return (
        in_products @ np.repeat(k, shared, axis=1),
        _of_shared(in_products.swapaxes(2, 3) @ q, shared),
        _of_shared(shares.swapaxes(2, 3) @ signal, shared),
        in_scores,
    )


def _of_shared(x: np.ndarray, shared: int) -> np.ndarray:
    return x if shared == 1 else x.reshape(len(x), x.shape[1] // shared, shared, *x.shape[2:]).sum(axis=2)


def gate(x: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute x sigmoid(x) up; also return the sigmoid."""
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and the sigmoid 0
        sigmoid = 1 / (1 + np.exp(-x))
    return x * sigmoid * up, sigmoid


def gate_back(
    signal: np.ndarray, x: np.ndarray, up: np.ndarray, sigmoid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients in x and up."""
    return signal * up * sigmoid * (1 + x * (1 - sigmoid)), signal * x * sigmoid


def relu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute max(x, 0), and its derivative, 0 at 0."""
    return np.maximum(x, 0), (x > 0).astype(x.dtype)


def gelu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute x times the normal distribution function of x, and its derivative."""
    below = (1 + erf(x / x.dtype.type(np.sqrt(2)))) / 2
    density = np.exp(np.square(x) / -2) / x.dtype.type(np.sqrt(2 * np.pi))
    return x * below, below + x * density


def unit_length(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide each row by its length; also return the lengths."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / length, length


def unit_length_back(signal: np.ndarray, out: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Gradient in the rows."""
    return (signal - out * np.sum(signal * out, axis=-1, keepdims=True)) / length


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Subtract the logarithm of the sum of exponentials."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted
