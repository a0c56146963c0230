r"""Transformers whose maps have Boolean weights and activations (``docs/explanation/transformers.md``).

A block adds twice to a stream of real rows x,

.. math:: x \leftarrow x + \gamma \circ O\, b\bigl(n(\operatorname{attend}(b(Q u), b(K u), b(V u)))\bigr), \qquad
          x \leftarrow x + \gamma' \circ D\, b(U u),

with u = b(n(x)), n a layer normalisation and b a threshold; Q, K, V, O, U and D are Boolean, and what they
multiply are bits.  Embeddings, normalisations, attention's shares, the stream and the last layer are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers import BooleanLinear, Layer, Threshold
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.real.adam import Adam
from bvar.real.attention import Attention
from bvar.real.embedding import Embedding, NGramEmbedding, PositionSum
from bvar.real.layer_norm import LayerNorm
from bvar.real.layers import FixedPoint, RealLinear
from bvar.real.losses import RealCrossEntropy
from bvar.real.residual import RealScale, Residual

__all__ = ["boolean_transformer", "text_classifier"]

# The stream is normalised wherever it is read, so its size matters beside one thing alone, the steps of Adam: what
# begins small is soon what has been learnt.
_SPREAD = 0.1


def boolean_transformer(
    n_tokens: int,
    n_positions: int,
    *,
    width: int = 128,
    hidden: int | None = None,
    n_blocks: int = 4,
    n_heads: int = 4,
    max_ngram: int = 1,
    n_buckets: int = 2**16,
    eta: float = 500.0,
    clip: float = 1.0,
    rate: float = 5e-3,
    n_steps: int | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Make a language model: from the tokens of a text, the scores of the next one at each position.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens.
    n_positions : int
        Tokens of a text; all texts are of this length.
    width : int, default=128
        Numbers in a row of the stream.
    hidden : int, optional
        Units of a block. Default: four times the width.
    n_blocks, n_heads : int, default=4
        Numbers of blocks, and of heads of each, which divide the width.
    max_ngram : int, default=1
        Tokens of the longest n-gram that has a row of its own at the beginning of the stream, see
        :class:`NGramEmbedding`: what a token follows need not be found out by bits then. 1: none has.
    n_buckets : int, default=65536
        Rows for n-grams, which share them.
    eta, clip : float, default=500 and 1
        See :class:`bvar.networks.BooleanOptimizer`. Votes of a text are those of all its positions, and eta is
        divided by the square root of their number.
    rate : float, default=0.005
        Of :class:`Adam`, for what is real.
    n_steps : int, optional
        Length of training in steps: eta and the rate fall to 0 over it. Default: they stay.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, from the input to the scores.

    Returns
    -------
    Network
        It takes integers of shape (n_texts, n_positions) and gives float32 scores of shape
        (n_texts * n_positions, n_tokens), whose targets are the next tokens, in one row: ``ids[:, 1:].ravel()``.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, heads do not divide the width, or a number is out of range.

    See Also
    --------
    text_classifier : The same body below the scores of classes.
    bvar.multikernel.BooleanTransformer : A real transformer written as kernels: there activations are real, a map
        is the sum of several kernels with scales, and a teacher is needed.

    Notes
    -----
    Reproducible by seed on one backend, as all networks with real parts.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, section 4.3; bits in
    attention as in Z. Liu et al., "BiT: Robustly Binarized Multi-distilled Transformer", NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import boolean_transformer
    >>> network = boolean_transformer(5, 8, width=16, n_blocks=1, n_heads=2, n_steps=40, random_state=0)
    >>> ids = np.arange(9) % 5 + np.zeros((4, 1), int)  # 0 1 2 3 4 0 1 2 3
    >>> for _ in range(40):
    ...     seen, _ = network.step(ids[:, :-1], ids[:, 1:].ravel())
    >>> network.scores(ids[:1, :-1]).argmax(axis=1).tolist()
    [1, 2, 3, 4, 0, 1, 2, 3]
    """
    source = RandomWords.of(random_state)
    n_blocks = check_integer(n_blocks, "n_blocks", low=1, high=1000)
    width = check_integer(width, "width", low=1, high=kernels.MAX_TERMS // 4)
    n_heads = check_integer(n_heads, "n_heads", low=1)
    if width % n_heads:
        raise ValueError(f"n_heads must divide width, {width}, got {n_heads}")
    hidden = 4 * width if hidden is None else check_integer(hidden, "hidden", low=1, high=kernels.MAX_TERMS)
    layers: list[Layer] = [_embedding(n_tokens, n_positions, width, max_ngram, n_buckets, source)]
    start = _SPREAD / sqrt(2 * n_blocks)  # all that is added to the stream is then as large as what it begins with
    for i in range(n_blocks):
        attention = _attention(f"l{i}.", n_positions, width, n_heads, start, source)
        units = _units(f"l{i}.", width, hidden, start, source)
        layers += [_residual(part, n_positions, sqrt(width)) for part in (attention, units)]
    head = RealLinear(width, n_tokens, n_positions=n_positions, random_state=source, name="head")
    return _network([*layers, LayerNorm(width), head], eta, clip, rate, n_steps)


def text_classifier(
    network: Network,
    n_classes: int,
    *,
    eta: float = 5.0,
    clip: float = 1.0,
    rate: float = 3e-3,
    n_steps: int | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Take the body of a language model, trained or not, and score classes of texts.

    Parameters
    ----------
    network : Network
        Made by :func:`boolean_transformer`. Its weights are shared: they will move.
    n_classes : int
        Number of classes.
    eta, clip : float, default=5 and 1
        As of :func:`boolean_transformer`. Eta is smaller, because all positions of a text vote for one target, and
        votes are divided by the number of texts, not of positions.
    rate : float, default=0.003
        Of :class:`Adam`.
    n_steps : int, optional
        Length of training in steps. Default: the rates stay.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the last layer comes from.

    Returns
    -------
    Network
        It takes integers of shape (n_texts, n_positions) and gives float32 scores of shape (n_texts, n_classes):
        those of the sum of the last rows of a text.

    Raises
    ------
    TypeError, ValueError
        If `network` is no language model of this kind, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import boolean_transformer, text_classifier
    >>> body = boolean_transformer(5, 8, width=16, n_blocks=1, n_heads=2, random_state=0)
    >>> text_classifier(body, 3, random_state=0).scores(np.zeros((2, 8), int)).shape
    (2, 3)
    """
    layers: Any = getattr(network, "layers", ())
    kinds = [type(layer) for layer in layers[1:]]
    if kinds != [*[Residual] * (len(kinds) - 2), LayerNorm, RealLinear] or not isinstance(layers[0], Embedding):
        found = f"layers {[kind.__name__ for kind in map(type, layers)]}" if layers else repr(network)
        raise ValueError(f"network must be a language model of boolean_transformer, got {found}")
    n_classes = check_integer(n_classes, "n_classes", low=1, high=kernels.MAX_TERMS)
    first, *blocks, norm, _ = layers
    n_positions, width = first.n_inputs, first.n_outputs
    # the sum over positions, divided by their root, hands each of them as small a part of the signal
    loud = [_residual(block.layers, n_positions, block.loudness * sqrt(n_positions)) for block in blocks]
    last = RealLinear(width, n_classes, random_state=random_state, name="classes")
    return _network([first, *loud, norm, PositionSum(n_positions), last], eta, clip, rate, n_steps)


def _embedding(
    n_tokens: int, n_positions: int, width: int, max_ngram: int, n_buckets: int, source: RandomWords
) -> Embedding:
    max_ngram = check_integer(max_ngram, "max_ngram", low=1)
    if max_ngram == 1:
        return Embedding(n_tokens, n_positions, width, spread=_SPREAD, random_state=source)
    return NGramEmbedding(n_tokens, n_positions, width, max_ngram, n_buckets, spread=_SPREAD, random_state=source)


def _network(layers: list[Layer], eta: float, clip: float, rate: float, n_steps: int | None) -> Network:
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return Network(layers, RealCrossEntropy(), optimizer, Adam(rate, n_steps=n_steps))


def _residual(layers: Sequence[Layer], n_positions: int, loudness: float) -> Residual:
    return Residual(layers, n_positions=n_positions, loudness=loudness)


def _bits(name: str, n_units: int, fan_out: int) -> list[Layer]:
    """Normalise rows and compare them with learnt thresholds: bits for a map above."""
    return [LayerNorm(n_units, name=name), FixedPoint(), Threshold(n_units, FixedPoint.FAN_IN, fan_out)]


def _attention(
    name: str, n_positions: int, width: int, n_heads: int, start: float, source: RandomWords
) -> list[Layer]:
    return [
        *_bits(f"{name}norm1", width, 3 * width),
        BooleanLinear(width, 3 * width, random_state=source, name=f"{name}qkv"),
        Threshold(3 * width, fan_in=width, fan_out=2),  # each bit is read once: signals keep their size
        Attention(n_positions, width, n_heads, name=f"{name}attend"),
        *_bits(f"{name}norm2", width, width),
        BooleanLinear(width, width, random_state=source, name=f"{name}o"),
        RealScale(width, fan_in=width, start=start, name=f"{name}scale1"),
    ]


def _units(name: str, width: int, hidden: int, start: float, source: RandomWords) -> list[Layer]:
    return [
        *_bits(f"{name}norm3", width, hidden),
        BooleanLinear(width, hidden, random_state=source, name=f"{name}up"),
        Threshold(hidden, fan_in=width, fan_out=width),
        BooleanLinear(hidden, width, random_state=source, name=f"{name}down"),
        RealScale(width, fan_in=hidden, start=start, name=f"{name}scale2"),
    ]
