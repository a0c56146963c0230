r"""Attention between bits: what each position finds at others (``docs/explanation/transformers.md``).

.. math:: a^h_{ij} \propto \exp\Bigl(\lambda_h \frac{q^h_i \cdot k^h_j}{\sqrt{d_h}} + \delta_{h, i - j}\Bigr),
          \qquad y^h_i = \sum_j a^h_{ij} v^h_j

with queries, keys and values of signs; their products are integers, the shares a and what they average are real.
Float: reproducible by seed on one backend, outside the promise of equal bits.
"""

from __future__ import annotations

from math import lcm
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_integer, check_rows
from bvar.bits import BitMatrix
from bvar.real.once import Once
from bvar.real.rounding import to_votes
from bvar.real.trainer import RealLayer, RealParameter
from bvar.real.transformer_parts import attend, attend_back, join_heads, split_heads

__all__ = ["Attention"]

_SLOPE = 2.0  # of the first distances: three quarters of what a head looks at are the position that it has


class Attention(RealLayer):
    """Let positions of a text look at themselves and back; queries, keys and values are bits.

    Parameters
    ----------
    n_positions : int
        Rows of a text, one below the other.
    n_units : int
        Numbers that come out of a position; three times as many bits go in: queries, keys, values.
    n_heads : int, default=4
        What looks by itself; it divides `n_units`.
    name : str, default='attention'
        What the layer is called in tables.

    Attributes
    ----------
    sharpness : RealParameter
        Lambda, at first 1: float32, shape (n_heads,).
    distance : RealParameter
        Delta: float32, shape (n_heads, n_positions). At first head h looks h positions back: it is
        ``-2 * abs(distance - h)``.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or heads do not divide the units.

    See Also
    --------
    boolean_transformer : What contains it.

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017; with bits as in Z. Liu et al., "BiT: Robustly
    Binarized Multi-distilled Transformer", NeurIPS 2022; distances as in C. Raffel et al., "Exploring the Limits
    of Transfer Learning with a Unified Text-to-Text Transformer", JMLR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.real import Attention
    >>> layer = Attention(n_positions=2, n_units=1, n_heads=1)
    >>> bits = kernels.pack(np.array([[1, 1, 0], [1, 1, 1]], bool))  # a row is a query, a key and a value
    >>> layer.forward(bits)[0].round(2)  # the second finds its own value, 1, and hears -1 more softly
    array([[-1.  ],
           [ 0.76]], dtype=float32)
    """

    def __init__(
        self,
        n_positions: int,
        n_units: int,
        n_heads: int = 4,
        *,
        name: str = "attention",
    ) -> None:
        self.n_positions = check_integer(n_positions, "n_positions", low=1)
        self.n_outputs = check_integer(n_units, "n_units", low=1, high=kernels.MAX_TERMS)
        n_heads = check_integer(n_heads, "n_heads", low=1)
        if self.n_outputs % n_heads:
            raise ValueError(f"n_heads must divide the {n_units} units, got {n_heads}")
        self.name = name
        self.sharpness = RealParameter(f"{name}.sharpness", np.ones(n_heads, np.float32))
        off = np.abs(np.arange(n_positions) - np.arange(n_heads)[:, None])
        self.distance = RealParameter(f"{name}.distance", (-_SLOPE * off).astype(np.float32))
        self.real_parameters = (self.sharpness, self.distance)

    @property
    def n_inputs(self) -> int:
        """Bits of a position."""
        return 3 * self.n_outputs

    @property
    def n_heads(self) -> int:
        """Number of heads."""
        return len(self.sharpness.values)

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, Looked]:
        """Average values, float32; the context is what was looked at, and the shares."""
        check_rows(x, self.n_inputs, self.name, together=self.n_positions)
        signs = kernels.unpack_ternary(x).astype(self.sharpness.values.dtype)
        q, k, v = (self._by_text(part) for part in np.split(signs, 3, axis=1))
        sharp = self._sharpened(q)
        found, shares = attend(sharp, k, v, extra=self._extra())
        return join_heads(found).reshape(-1, self.n_outputs), Looked(q, k, v, shares, Once())

    def rows_for(self, n_rows: int) -> int:
        """Keep the rows of a text together."""
        return lcm(n_rows, self.n_positions)

    def backward(self, signal: np.ndarray, context: Looked) -> np.ndarray:
        """Give the gradients in queries, keys and values, as int32 votes on bits."""
        q, k, v, _ = self._back(signal, context)
        rows = [join_heads(part).reshape(-1, self.n_outputs) for part in (self._sharpened(q), k, v)]
        return to_votes(np.concatenate(rows, axis=1))

    def gradients(self, signal: np.ndarray, context: Looked) -> tuple[np.ndarray, ...]:
        """Sum up the gradients in sharpness and distances."""
        in_sharp, _, _, in_scores = self._back(signal, context)
        of_pairs = in_scores.sum(axis=0).reshape(self.n_heads, -1)
        back, seen = self._distances()
        in_distance = [np.bincount(back[seen], pairs[seen.ravel()], self.n_positions) for pairs in of_pairs]
        dtype = self.distance.values.dtype
        return (in_sharp * context.q).sum(axis=(0, 2, 3)), np.array(in_distance, dtype=dtype)

    def _back(self, signal: np.ndarray, context: Looked) -> tuple[np.ndarray, ...]:
        q, k, v, shares, back = context
        return back.make(signal, lambda z: attend_back(self._by_text(z), self._sharpened(q), k, v, shares))

    def _by_text(self, x: np.ndarray) -> np.ndarray:
        """Arrange rows by texts and heads: (n_texts, n_heads, n_positions, head width)."""
        return split_heads(x.reshape(-1, self.n_positions, self.n_outputs), self.n_outputs // self.n_heads)

    def _sharpened(self, q: np.ndarray) -> np.ndarray:
        return q * self.sharpness.values[:, None, None]

    def _distances(self) -> tuple[np.ndarray, np.ndarray]:
        """For each pair of positions how far back the second is, and whether the first sees it."""
        positions = np.arange(self.n_positions)
        back = positions[:, None] - positions
        return np.maximum(back, 0), back >= 0

    def _extra(self) -> np.ndarray:
        return self.distance.values[:, self._distances()[0]]


class Looked(NamedTuple):
    """Signs of queries, keys and values, (n_texts, n_heads, n_positions, head width), shares, and gradients."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    shares: np.ndarray
    back: Once[tuple[np.ndarray, ...]]
