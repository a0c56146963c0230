r"""A decoder of text in NumPy, with a backward pass written by hand (``docs/explanation/multi-kernel.md``).

Every block adds twice to a stream of width d: what attention has found, and what units make of it.  In the
design of Llama

.. math:: x \leftarrow x + O \operatorname{attend}(R Q n(x), R K n(x), V n(x)), \qquad
          x \leftarrow x + D\,\bigl(s(G n(x)) \circ U n(x)\bigr)

with n the normalisation by the root mean square, R the rotation by position and s(x) = x sigmoid(x); in that of
OPT R is missing, a row for each position is added to the embedding instead, n centres, maps have biases, and
the second line is D max(U n(x), 0).  Float: outside the promise of equal bits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bvar._validation import as_array, check_choice, check_integer, check_real
from bvar.bits.random import RandomSource, RandomWords
from bvar.multikernel import passes
from bvar.multikernel.contexts import Cache, Context
from bvar.multikernel.designs import DESIGNS
from bvar.multikernel.passes import Product
from bvar.multikernel.safetensors import read_safetensors
from bvar.multikernel.stack import Stack
from bvar.multikernel.texts import check_ids, check_text, draw_token, windows
from bvar.multikernel.weights import draw, read_npz
from bvar.real.transformer_parts import log_softmax

__all__ = ["Transformer"]

_SCORED = 16  # texts whose logits are made at a time


class Transformer(Stack):
    """A decoder of the design of Llama or of OPT.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``embed`` and ``head`` (n_tokens, d), ``norm`` (d,), and for block i ``l{i}.q``, ``.k``, ``.v``, ``.o``,
        ``.gate``, ``.up``, ``.down`` and the gains ``.norm1``, ``.norm2`` (d,). Maps may have a bias, such as
        ``l0.q.bias``. In the design of OPT there is no gate, each gain has a bias, and ``positions``
        (n_positions, d) is there. Float16 becomes float32; all float64 stays. Fewer heads may have keys and values
        than have queries.
    n_heads : int, default=4
        Number of heads of queries.
    rotary_base : float, default=10000
        The pairs of a head turn with wavelengths from 2 pi to this many times 2 pi.
    epsilon : float, default=1e-5
        Added to mean squares.
    tokens : str, optional
        The character of each token, for :meth:`encode` and :meth:`decode`.
    design : {'llama', 'opt'}, default='llama'
        What the blocks compute, see above.

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
    BooleanTransformer : The same with kernels for maps.
    load_pretrained : Reads models of these designs.

    Examples
    --------
    >>> from bvar import multikernel
    >>> model = multikernel.Transformer.random("abc ", width=16, hidden=32, n_blocks=1, n_heads=2, random_state=0)
    >>> model.logits(model.encode("a cab")).shape
    (1, 5, 4)
    """

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        *,
        n_heads: int = 4,
        rotary_base: float = 10000.0,
        epsilon: float = 1e-5,
        tokens: str | None = None,
        design: str = "llama",
    ) -> None:
        check_choice(design, "design", tuple(name for name, blocks in DESIGNS.items() if blocks.looks_back))
        super().__init__(weights, design=design, n_heads=n_heads, epsilon=epsilon, rotary_base=rotary_base)
        if tokens is not None and (not isinstance(tokens, str) or len(set(tokens)) != self.n_tokens):
            raise ValueError(f"tokens must be {self.n_tokens} different characters, got {tokens!r}")
        self.tokens = tokens

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, n_heads: int = 4, **options: Any) -> Transformer:
        """Read arrays with the names of `weights`, and the bytes of the tokens as ``chars``.

        Parameters
        ----------
        path : str or path-like
            A file of NumPy, or of safetensors if its name ends so; nothing in it is executed.
        n_heads : int, default=4
            Number of heads of queries.
        **options : object
            Further parameters of the class.

        Returns
        -------
        Transformer
            The model.

        Raises
        ------
        TypeError, ValueError
            If the arrays are no model of this kind.
        OSError
            If the file cannot be read.
        """
        read = read_safetensors if os.fspath(path).endswith(".safetensors") else read_npz
        arrays = read(path)
        characters = arrays.pop("chars", None)
        if characters is not None:
            options.setdefault("tokens", characters.astype(np.uint8).tobytes().decode("latin-1"))
        return cls(arrays, n_heads=n_heads, **options)

    @classmethod
    def random(
        cls,
        tokens: str | int,
        *,
        width: int,
        hidden: int,
        n_blocks: int,
        n_heads: int = 4,
        random_state: RandomSource = None,
    ) -> Transformer:
        """Make a model that has learnt nothing: to be trained, or to measure speed with.

        Parameters
        ----------
        tokens : str or int
            The characters, each once, or their number.
        width, hidden : int
            Numbers in the stream and in a gated unit.
        n_blocks, n_heads : int
            Numbers of blocks and of heads.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the weights come from: uniform, with variance ``1 / n_inputs``.

        Returns
        -------
        Transformer
            In float32.

        Raises
        ------
        TypeError, ValueError
            If a number is out of range, a character occurs twice, or the width has no even part for each head.
        """
        n_tokens = len(tokens) if isinstance(tokens, str) else tokens
        sizes = {"width": width, "hidden": hidden, "n_blocks": n_blocks}
        sizes = {name: check_integer(n, name, low=1) for name, n in sizes.items()}
        sizes |= {"n_tokens": check_integer(n_tokens, "tokens", low=1), "n_positions": 1}
        weights = draw(DESIGNS["llama"], **sizes, source=RandomWords.of(random_state))
        return cls(weights, n_heads=n_heads, tokens=tokens if isinstance(tokens, str) else None)

    @property
    def options(self) -> dict[str, Any]:
        """What the constructor takes beside weights."""
        names = ("n_heads", "rotary_base", "epsilon", "tokens", "design")
        return {name: getattr(self, name) for name in names}

    def encode(self, text: str) -> np.ndarray:
        """Turn text into numbers of tokens.

        Parameters
        ----------
        text : str
            Characters of `tokens`.

        Returns
        -------
        ndarray of int64, shape (len(text),)
            The numbers.

        Raises
        ------
        ValueError
            If a character is none of `tokens`, or there are no `tokens`.
        """
        if self.tokens is None:
            raise ValueError("this model has no tokens: give numbers")
        numbers = {character: i for i, character in enumerate(self.tokens)}
        strange = sorted(set(text) - set(numbers))
        if strange:
            raise ValueError(f"text must consist of the characters {self.tokens!r}, got {strange}")
        return np.array([numbers[character] for character in text], np.int64)

    def decode(self, ids: np.ndarray) -> str:
        """Turn numbers of tokens into text.

        Parameters
        ----------
        ids : array-like of int, shape (n,)
            Numbers of tokens.

        Returns
        -------
        str
            Their characters.

        Raises
        ------
        ValueError
            If there is no such token, more texts than one, or there are no `tokens`.
        """
        if self.tokens is None:
            raise ValueError("this model has no tokens: read the numbers")
        return "".join(self.tokens[i] for i in check_text(ids, self.n_tokens))

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Score each token as the next one, at each position.

        Parameters
        ----------
        ids : array-like of int, shape (n_positions,) or (n_texts, n_positions)
            Numbers of tokens.

        Returns
        -------
        ndarray of float, shape (n_texts, n_positions, n_tokens)
            The logits.

        Raises
        ------
        TypeError, ValueError
            If `ids` are no numbers of tokens.
        """
        return self._forward(check_ids(ids, self.n_tokens), self._product)[0]

    def forward(self, ids: np.ndarray) -> tuple[np.ndarray, Any]:
        """Compute the logits and keep what the backward pass needs.

        Parameters
        ----------
        ids : array-like of int, shape (n_positions,) or (n_texts, n_positions)
            Numbers of tokens.

        Returns
        -------
        logits : ndarray of float, shape (n_texts, n_positions, n_tokens)
            As of :meth:`logits`.
        context : object
            For :meth:`backward`; ``context.streams[i]`` is what block i has put out.
        """
        return self._forward(check_ids(ids, self.n_tokens), self._product)

    def _forward(
        self, ids: np.ndarray, product: Product, cache: Cache | None = None
    ) -> tuple[np.ndarray, Context]:
        x, context = passes.forward(self, ids, product, cache)
        return x @ self.weights["head"].T, context

    def score(self, ids: np.ndarray, *, context: int = 128) -> float:
        """Return the mean log-likelihood of a token given those before it, in nats: 0 is perfect.

        Parameters
        ----------
        ids : array-like of int, shape (n,) or (n_texts, n_positions + 1)
            Numbers of tokens; of one sequence :func:`windows` makes texts.
        context : int, default=128
            Length of these texts.

        Returns
        -------
        float
            Not positive; the larger the better.

        Raises
        ------
        TypeError, ValueError
            If `ids` are no numbers of tokens, or leave nothing to be predicted.
        """
        ids = as_array(ids, "ids")
        texts, total = check_ids(windows(ids, context) if ids.ndim == 1 else ids, self.n_tokens), 0.0
        if texts.shape[1] < 2:
            raise ValueError(f"ids must have two tokens or more in each text, got shape {texts.shape}")
        for start in range(0, len(texts), _SCORED):
            some = texts[start : start + _SCORED]
            chances = log_softmax(self._forward(some[:, :-1], self._product)[0])
            total += float(np.take_along_axis(chances, some[:, 1:, None], 2).sum(dtype=np.float64))
        return total / texts[:, 1:].size

    def generate(
        self,
        ids: np.ndarray,
        n_tokens: int,
        *,
        temperature: float = 1.0,
        context: int = 128,
        random_state: RandomSource = None,
    ) -> np.ndarray:
        """Continue a text, token by token; keys and values of what came before are kept.

        Parameters
        ----------
        ids : array-like of int, shape (n,)
            The beginning: one or more tokens.
        n_tokens : int
            How many to add.
        temperature : float, default=1
            What logits are divided by before a token is drawn; 0 takes the likeliest.
        context : int, default=128
            Positions that attention looks back on, its own among them, in the beginning as in what follows.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the draws come from.

        Returns
        -------
        ndarray of int64, shape (n_tokens,)
            What follows.

        Raises
        ------
        TypeError, ValueError
            If `ids` are no numbers of tokens or more texts than one, or a number is out of range.
        """
        return self._generate(ids, n_tokens, temperature, context, RandomWords.of(random_state), self._product)

    def _generate(
        self,
        ids: np.ndarray,
        n_tokens: int,
        temperature: float,
        context: int,
        source: RandomWords,
        product: Product,
    ) -> np.ndarray:
        n_tokens = check_integer(n_tokens, "n_tokens", low=0)
        temperature = check_real(temperature, "temperature", low=0)
        context = check_integer(context, "context", low=1)
        new = check_text(ids, self.n_tokens)[None]
        out, cache = np.empty(n_tokens, np.int64), Cache(context)
        for i in range(n_tokens):
            logits = self._forward(new, product, cache)[0][0, -1]
            out[i] = draw_token(logits, temperature, source)
            new = out[None, i : i + 1]
        return out

    def backward(
        self, signal: np.ndarray, context: Any, on_streams: Mapping[int, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Compute the gradients in all weights; of maps with kernels too, in the matrix that they stand for.

        Parameters
        ----------
        signal : ndarray of float, shape (n_texts, n_positions, n_tokens)
            Gradient in the logits.
        context : object
            What :meth:`forward` returned.
        on_streams : mapping of int to ndarray, optional
            Gradients in what blocks put out, of those that a loss looks at.

        Returns
        -------
        dict of str to ndarray
            A gradient for each weight and each map, by name.
        """
        head = {"head": passes.outer(signal, context.out)}
        return head | passes.backward(self, signal @ self.weights["head"], context, on_streams or {})

    def divergence(self, wanted: np.ndarray, found: np.ndarray) -> tuple[float, np.ndarray]:
        """Compare logits with those of a teacher.

        Parameters
        ----------
        wanted, found : ndarray of float, shape (n_texts, n_positions, n_tokens)
            Logits of the teacher, and of this model.

        Returns
        -------
        loss : float
            Mean over positions of the divergence KL(wanted || found), in nats.
        signal : ndarray of float, shape (n_texts, n_positions, n_tokens)
            Its gradient in `found`.
        """
        target, chances = log_softmax(wanted.astype(found.dtype, copy=False)), log_softmax(found)
        shares, n = np.exp(target), wanted.shape[0] * wanted.shape[1]
        loss = float(np.sum(shares * (target - chances), dtype=np.float64)) / n
        return loss, (np.exp(chances) - shares) / found.dtype.type(n)
