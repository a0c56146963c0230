r"""An encoder of sentences in NumPy, of the design of BERT (``docs/explanation/multi-kernel.md``).

Positions look both ways, and blocks normalise what they put out:

.. math:: x \leftarrow n(x + O \operatorname{attend}(Q x, K x, V x)), \qquad x \leftarrow n(x + D\, g(U x)),

with g(x) = x P(N < x) for a normal N, and a bias for each map.  A sentence becomes a point on the unit sphere, the
mean of the stream over its positions; nearness of sentences is the product of their points.  Float: outside the
promise of equal bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.bits.random import RandomSource, RandomWords
from bvar.multikernel import passes
from bvar.multikernel.designs import DESIGNS
from bvar.multikernel.passes import Product
from bvar.multikernel.stack import Stack
from bvar.multikernel.texts import check_ids, check_texts, of_equal_length
from bvar.multikernel.weights import draw
from bvar.real.transformer_parts import unit_length, unit_length_back

__all__ = ["Encoder"]


class Encoder(Stack):
    """A sentence encoder of the design of BERT.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``embed`` (n_tokens, d), ``positions`` (n_positions, d), ``norm`` and ``norm.bias`` (d,), and for block i
        ``l{i}.q``, ``.k``, ``.v``, ``.o``, ``.up``, ``.down``, each perhaps with a ``.bias``, and ``.norm1``,
        ``.norm1.bias``, ``.norm2``, ``.norm2.bias`` (d,). Float16 becomes float32; all float64 stays.
    n_heads : int, default=12
        Number of heads.
    epsilon : float, default=1e-12
        Added to mean squares.

    Attributes
    ----------
    weights : dict of str to ndarray
        What was given, in one dtype.
    n_blocks : int
        Number of blocks.

    Raises
    ------
    TypeError, ValueError
        If a matrix is missing, too much or not finite, or shapes cross.

    See Also
    --------
    BooleanEncoder : The same with kernels for maps.
    load_pretrained : Reads models of this kind.

    Examples
    --------
    >>> from bvar import multikernel
    >>> model = multikernel.Encoder.random(9, width=16, hidden=32, n_blocks=1, n_heads=2, random_state=0)
    >>> points = model.embed([[1, 2, 3], [4, 5], [1, 2, 3]])
    >>> (points @ points.T).round(3)[0]
    array([1.   , 0.471, 1.   ], dtype=float32)
    """

    def __init__(self, weights: Mapping[str, np.ndarray], *, n_heads: int = 12, epsilon: float = 1e-12) -> None:
        super().__init__(weights, design="bert", n_heads=n_heads, epsilon=epsilon)

    @classmethod
    def random(
        cls,
        n_tokens: int,
        *,
        width: int,
        hidden: int,
        n_blocks: int,
        n_heads: int = 12,
        n_positions: int = 512,
        random_state: RandomSource = None,
    ) -> Encoder:
        """Make a model that has learnt nothing.

        Parameters
        ----------
        n_tokens : int
            Number of different tokens.
        width, hidden : int
            Numbers in the stream and units of a block.
        n_blocks, n_heads : int
            Numbers of blocks and of heads.
        n_positions : int, default=512
            Tokens of the longest sentence.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the weights come from: uniform, with variance ``1 / n_inputs``.

        Returns
        -------
        Encoder
            In float32.
        """
        sizes = {"n_tokens": n_tokens, "width": width, "hidden": hidden, "n_blocks": n_blocks}
        sizes = {name: check_integer(n, name, low=1) for name, n in (sizes | {"n_positions": n_positions}).items()}
        return cls(draw(DESIGNS["bert"], **sizes, source=RandomWords.of(random_state)), n_heads=n_heads)

    @property
    def options(self) -> dict[str, Any]:
        """What the constructor takes beside weights."""
        return {"n_heads": self.n_heads, "epsilon": self.epsilon}

    @property
    def trained(self) -> tuple[str, ...]:
        """The names of the weights that distillation moves: a text has few words, and the embedding stays."""
        return tuple(name for name in self.weights if name != "embed")

    def embed(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """Map sentences to points of the unit sphere.

        Parameters
        ----------
        texts : sequence of array-like of int, each of shape (n_positions,)
            Numbers of tokens of each sentence, of any lengths. Those of equal length go through the blocks
            together, and nothing is padded.

        Returns
        -------
        ndarray of float, shape (n_texts, d)
            The points, each of length 1.

        Raises
        ------
        TypeError, ValueError
            If a sentence is empty, too long or holds what are no tokens.
        """
        return self._embed(texts, self._product)

    def _embed(self, texts: Sequence[np.ndarray], product: Product) -> np.ndarray:
        texts = check_texts(texts, self.n_tokens)
        out = np.empty((len(texts), self.width), self.weights["norm"].dtype)
        for places in of_equal_length(texts):
            out[places] = self._forward(np.array([texts[i] for i in places]), product)[0]
        return out

    def forward(self, ids: np.ndarray) -> tuple[np.ndarray, Any]:
        """Map sentences of equal length to points, and keep what the backward pass needs.

        Parameters
        ----------
        ids : array-like of int, shape (n_positions,) or (n_texts, n_positions)
            Numbers of tokens.

        Returns
        -------
        points : ndarray of float, shape (n_texts, d)
            As of :meth:`embed`.
        context : object
            For :meth:`backward`; ``context.streams[i]`` is what block i has put out.
        """
        return self._forward(check_ids(ids, self.n_tokens), self._product)

    def _forward(self, ids: np.ndarray, product: Product) -> tuple[np.ndarray, Any]:
        x, context = passes.forward(self, ids, product)
        return unit_length(x.mean(axis=1))[0], context

    def backward(
        self, signal: np.ndarray, context: Any, on_streams: Mapping[int, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Compute the gradients in all weights; of maps with kernels too, in the matrix that they stand for.

        Parameters
        ----------
        signal : ndarray of float, shape (n_texts, d)
            Gradient in the points.
        context : object
            What :meth:`forward` returned.
        on_streams : mapping of int to ndarray, optional
            Gradients in what blocks put out, of those that a loss looks at.

        Returns
        -------
        dict of str to ndarray
            A gradient for each weight and each map, by name.
        """
        points, length = unit_length(context.out.mean(axis=1))
        signal = unit_length_back(signal, points, length) / signal.dtype.type(context.out.shape[1])
        in_stream = np.broadcast_to(signal[:, None], context.out.shape)
        return passes.backward(self, in_stream, context, on_streams or {})

    def divergence(self, wanted: np.ndarray, found: np.ndarray) -> tuple[float, np.ndarray]:
        """Compare points with those of a teacher.

        Parameters
        ----------
        wanted, found : ndarray of float, shape (n_texts, d)
            Points of the teacher, and of this model.

        Returns
        -------
        loss : float
            Mean of 1 less the cosine.
        signal : ndarray of float, shape (n_texts, d)
            Its gradient in `found`.
        """
        loss = 1 - float(np.sum(wanted * found, dtype=np.float64)) / len(found)
        return loss, wanted.astype(found.dtype, copy=False) / found.dtype.type(-len(found))
