r"""What decoders and encoders of text have in common: a stack of blocks (``docs/explanation/multi-kernel.md``).

Every block adds twice to a stream of width d: what attention has found, and what units make of it.  The
matrices of a block are its *maps*; Boolean models have kernels in their place.  Float: outside the promise of
equal bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from bvar._describe import Described
from bvar._validation import check_choice, check_integer, check_real
from bvar.multikernel.designs import DESIGNS
from bvar.multikernel.weights import as_float, check_shapes, count_blocks

__all__ = ["Stack"]


class Stack(Described, ABC):
    """Blocks with what stands before and behind them; :class:`Transformer` and :class:`Encoder` are two."""

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        *,
        design: str,
        n_heads: int,
        epsilon: float,
        rotary_base: float = 10000.0,
    ) -> None:
        self.design = check_choice(design, "design", tuple(DESIGNS))
        self.n_heads = check_integer(n_heads, "n_heads", low=1)
        self.rotary_base = check_real(rotary_base, "rotary_base", low=1, strict=True)
        self.epsilon = check_real(epsilon, "epsilon", low=0, strict=True)
        self.weights = as_float(weights)
        shapes = {name: array.shape for name, array in self.weights.items()} | self._shapes()
        self.n_blocks = count_blocks(shapes)
        self.head_width = check_shapes(shapes, DESIGNS[design], self.n_blocks, self.n_heads)

    @property
    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the constructor takes beside weights."""

    @abstractmethod
    def forward(self, ids: np.ndarray) -> tuple[np.ndarray, Any]:
        """Compute what the model puts out, and keep what the backward pass needs."""

    @abstractmethod
    def backward(
        self, signal: np.ndarray, context: Any, on_streams: Mapping[int, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Compute the gradients in all weights and maps, by name."""

    @abstractmethod
    def divergence(self, wanted: np.ndarray, found: np.ndarray) -> tuple[float, np.ndarray]:
        """Compare what the model puts out with what a teacher does; also return the gradient."""

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what is not among `weights`."""
        return {}

    @property
    def _embedding_shape(self) -> tuple[int, ...]:
        return self._shapes().get("embed") or self.weights["embed"].shape

    @property
    def n_tokens(self) -> int:
        """Number of different tokens."""
        return self._embedding_shape[0]

    @property
    def width(self) -> int:
        """Numbers in the stream, d."""
        return self._embedding_shape[1]

    @property
    def map_names(self) -> tuple[str, ...]:
        """The names of all maps, block by block."""
        return tuple(f"l{i}.{name}" for i in range(self.n_blocks) for name in DESIGNS[self.design].maps)

    @property
    def trained(self) -> tuple[str, ...]:
        """The names of the weights that distillation moves."""
        return tuple(self.weights)

    def weight(self, name: str) -> np.ndarray:
        """Return the matrix of a map.

        Parameters
        ----------
        name : str
            One of `map_names`.

        Returns
        -------
        ndarray of float, shape (n_outputs, n_inputs)
            To be read only.
        """
        return self.weights[name]

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Return the rows of the embedding that belong to tokens.

        Parameters
        ----------
        ids : ndarray of int64, of any shape
            Numbers of tokens.

        Returns
        -------
        ndarray of float, of that shape and the width
            The rows.
        """
        return self.weights["embed"][ids]

    def _product(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.weight(name).T
