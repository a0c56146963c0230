r"""The two passes through a transformer: forward, and backward by hand (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from bvar.multikernel import blocks
from bvar.multikernel.contexts import BlockContext, Cache, Context

__all__ = ["Decoder", "Product", "backward", "forward"]

Product = Callable[[str, np.ndarray], np.ndarray]
"""Multiplies rows by the map of a name."""


class Decoder(Protocol):
    """What the passes need to know of a transformer."""

    weights: dict[str, np.ndarray]
    n_blocks: int
    head_width: int
    rotary_base: float
    epsilon: float

    def weight(self, name: str) -> np.ndarray:
        """Return the matrix of a map."""


Angles = tuple[np.ndarray, np.ndarray]


def forward(
    model: Decoder, ids: np.ndarray, product: Product, cache: Cache | None = None
) -> tuple[np.ndarray, Context]:
    """Compute the logits of texts, or of what follows those in the cache, and keep what `backward` needs."""
    weights, start = model.weights, 0 if cache is None else cache.seen
    x = weights["embed"][ids]
    angles = blocks.rotation(start, start + ids.shape[1], model.head_width, model.rotary_base, x.dtype)
    kept, streams = [], []
    for i in range(model.n_blocks):
        x, context = _block(model, x, i, angles, product, cache)
        kept.append(context)
        streams.append(x)
    if cache is not None:
        cache.seen += ids.shape[1]
    normal, factor = blocks.normalize(x, weights["norm"], model.epsilon)
    return normal @ weights["head"].T, Context(ids, angles, kept, streams, normal, factor)


def _block(
    model: Decoder, x: np.ndarray, i: int, angles: Angles, product: Product, cache: Cache | None
) -> tuple[np.ndarray, BlockContext]:
    name, weights = f"l{i}.", model.weights
    n1, f1 = blocks.normalize(x, weights[name + "norm1"], model.epsilon)
    q, k, v = (blocks.split_heads(product(name + part, n1), model.head_width) for part in "qkv")
    q, k = blocks.rotate(q, *angles), blocks.rotate(k, *angles)
    if cache is not None:
        k, v = cache.extend(i, k, v)
    found, shares = blocks.attend(q, k, v)
    found = blocks.join_heads(found)
    middle = x + product(name + "o", found)
    n2, f2 = blocks.normalize(middle, weights[name + "norm2"], model.epsilon)
    g, up = product(name + "gate", n2), product(name + "up", n2)
    unit, sigmoid = blocks.gate(g, up)
    out = middle + product(name + "down", unit)
    return out, BlockContext(x, n1, f1, q, k, v, found, shares, middle, n2, f2, g, up, unit, sigmoid)


def backward(
    model: Decoder, signal: np.ndarray, context: Context, on_streams: Mapping[int, np.ndarray]
) -> dict[str, np.ndarray]:
    """Compute the gradients in all weights and maps, by name."""
    weights, gradients = model.weights, {"head": _outer(signal, context.normal)}
    x, gradients["norm"] = blocks.normalize_back(
        signal @ weights["head"], context.streams[-1], context.factor, weights["norm"]
    )
    for i in reversed(range(model.n_blocks)):
        if i in on_streams:
            x = x + on_streams[i]
        x = _block_back(model, x, i, context, gradients)
    gradients["embed"] = np.zeros_like(weights["embed"])
    np.add.at(gradients["embed"], context.ids, x)
    return gradients


def _block_back(
    model: Decoder, signal: np.ndarray, i: int, context: Context, gradients: dict[str, np.ndarray]
) -> np.ndarray:
    def back(part: str, z: np.ndarray, x: np.ndarray) -> np.ndarray:
        gradients[name + part] = _outer(z, x)
        return z @ model.weight(name + part)

    name, c, (cosines, sines) = f"l{i}.", context.kept[i], context.angles
    g, up = blocks.gate_back(back("down", signal, c.unit), c.g, c.up, c.sigmoid)
    normal, gradients[name + "norm2"] = blocks.normalize_back(
        back("gate", g, c.n2) + back("up", up, c.n2), c.middle, c.f2, model.weights[name + "norm2"]
    )
    signal = signal + normal
    found = blocks.split_heads(back("o", signal, c.found), model.head_width)
    q, k, v = blocks.attend_back(found, c.q, c.k, c.v, c.shares)
    q, k = (blocks.rotate(part, cosines, -sines) for part in (q, k))
    q, k, v = (blocks.join_heads(part) for part in (q, k, v))
    normal, gradients[name + "norm1"] = blocks.normalize_back(
        back("q", q, c.n1) + back("k", k, c.n1) + back("v", v, c.n1), c.x, c.f1, model.weights[name + "norm1"]
    )
    return signal + normal


def _outer(signal: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Gradient of a map: one product over all positions of all texts."""
    return signal.reshape(-1, signal.shape[-1]).T @ x.reshape(-1, x.shape[-1])
