r"""The two passes through the blocks of a transformer (``docs/explanation/multi-kernel.md``).

A block has two halves, attention and units.  Half f adds to the stream x what it makes of it,

.. math:: x \leftarrow x + f(n(x)) \qquad \text{or} \qquad x \leftarrow n(x + f(x)),

as the design says, with n a normalisation; the stream is normalised once more where blocks leave it as it
is, behind the last or before the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from bvar.multikernel.contexts import (
    AttentionContext,
    BlockContext,
    Cache,
    Context,
    HalfContext,
    NormContext,
    UnitContext,
)
from bvar.multikernel.designs import DESIGNS
from bvar.real import transformer_parts as parts

__all__ = ["Blocks", "Product", "backward", "forward", "outer"]

Product = Callable[[str, np.ndarray], np.ndarray]
"""Multiplies rows by the map of a name."""

Angles = tuple[np.ndarray, np.ndarray]

_UNITS = {"relu": parts.relu, "gelu": parts.gelu}


class Blocks(Protocol):
    """What the passes need to know of a transformer."""

    weights: dict[str, np.ndarray]
    design: str
    n_blocks: int
    head_width: int
    rotary_base: float
    epsilon: float

    def weight(self, name: str) -> np.ndarray:
        """Return the matrix of a map."""

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Return the rows of the embedding that belong to tokens."""


def forward(
    model: Blocks, ids: np.ndarray, product: Product, cache: Cache | None = None
) -> tuple[np.ndarray, Context]:
    """Compute the stream behind the last block, of texts or of what follows those in the cache."""
    start = 0 if cache is None else cache.seen
    run = _Forward(model, product, start, start + ids.shape[1], cache)
    x = run.positions(model.rows(ids))
    if not run.design.norm_first:
        x, norm = run.normalize("norm", x)
    kept, streams = [], []
    for i in range(model.n_blocks):
        x, context = run.block(i, x)
        kept.append(context)
        streams.append(x)
    if run.design.norm_first:
        x, norm = run.normalize("norm", x)
    if cache is not None:
        cache.seen += ids.shape[1]
    return x, Context(ids, run.angles, kept, streams, norm, x)


def backward(
    model: Blocks, signal: np.ndarray, context: Context, on_streams: Mapping[int, np.ndarray]
) -> dict[str, np.ndarray]:
    """Compute the gradients in all weights and maps, by name, from that in the stream behind the last block."""
    run = _Backward(model, context.angles)
    if run.design.norm_first:
        signal = run.normalize("norm", signal, context.norm)
    for i in reversed(range(model.n_blocks)):
        if i in on_streams:
            signal = signal + on_streams[i]
        signal = run.block(i, signal, context.kept[i])
    if not run.design.norm_first:
        signal = run.normalize("norm", signal, context.norm)
    run.embedding(context.ids, signal)
    return run.gradients


def outer(signal: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Gradient of a map: one product over all positions of all texts."""
    return _rows(signal).T @ _rows(x)


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


class _Forward:
    def __init__(self, model: Blocks, product: Product, start: int, stop: int, cache: Cache | None) -> None:
        self.model, self.weights, self.design = model, model.weights, DESIGNS[model.design]
        self.product, self.cache, self.start, self.stop = product, cache, start, stop
        self.angles: Angles | None = None
        if self.design.is_turned:
            dtype = self.weights["norm"].dtype
            self.angles = parts.rotation(start, stop, model.head_width, model.rotary_base, dtype)

    def positions(self, x: np.ndarray) -> np.ndarray:
        if self.design.is_turned:
            return x
        known = self.weights["positions"]
        if self.stop > len(known):
            raise ValueError(
                f"ids must end before position {len(known)}, the last that was learnt, got {self.stop}"
            )
        return x + known[self.start : self.stop]

    def normalize(self, name: str, x: np.ndarray) -> tuple[np.ndarray, NormContext]:
        gain, bias = self.weights[name], self.weights.get(f"{name}.bias")
        out, x, factor = parts.normalize(x, gain, self.model.epsilon, bias)
        return out, NormContext(x, factor)

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        out = self.product(name, x)
        bias = self.weights.get(f"{name}.bias")
        return out if bias is None else out + bias

    def block(self, i: int, x: np.ndarray) -> tuple[np.ndarray, BlockContext]:
        x, attention = self.half(f"l{i}.norm1", lambda taken: self.attention(i, taken), x)
        x, units = self.half(f"l{i}.norm2", lambda taken: self.units(f"l{i}.", taken), x)
        return x, BlockContext(attention, units)

    def half(
        self, name: str, part: Callable[[np.ndarray], tuple[np.ndarray, Any]], x: np.ndarray
    ) -> tuple[np.ndarray, HalfContext]:
        if self.design.norm_first:
            taken, norm = self.normalize(name, x)
            more, context = part(taken)
            return x + more, HalfContext(norm, context)
        more, context = part(x)
        x, norm = self.normalize(name, x + more)
        return x, HalfContext(norm, context)

    def attention(self, i: int, taken: np.ndarray) -> tuple[np.ndarray, AttentionContext]:
        q, k, v = (parts.split_heads(self.linear(f"l{i}.{part}", taken), self.model.head_width) for part in "qkv")
        if self.angles is not None:
            q, k = parts.rotate(q, *self.angles), parts.rotate(k, *self.angles)
        extra = None
        if self.cache is not None:
            k, v = self.cache.extend(i, k, v)
            extra = self.cache.out_of_sight(q.shape[2], k.shape[2], q.dtype)
        found, shares = parts.attend(q, k, v, looks_back=self.design.looks_back, extra=extra)
        found = parts.join_heads(found)
        return self.linear(f"l{i}.o", found), AttentionContext(taken, q, k, v, found, shares)

    def units(self, name: str, taken: np.ndarray) -> tuple[np.ndarray, UnitContext]:
        gate = self.linear(name + "gate", taken) if self.design.unit == "gated" else None
        up = self.linear(name + "up", taken)
        out, slope = _UNITS[self.design.unit](up) if gate is None else parts.gate(gate, up)
        return self.linear(name + "down", out), UnitContext(taken, up, out, slope, gate)


class _Backward:
    def __init__(self, model: Blocks, angles: Angles | None) -> None:
        self.model, self.weights, self.design, self.angles = model, model.weights, DESIGNS[model.design], angles
        self.gradients: dict[str, np.ndarray] = {}

    def normalize(self, name: str, signal: np.ndarray, context: NormContext) -> np.ndarray:
        if self.design.is_centred:
            self.gradients[f"{name}.bias"] = _rows(signal).sum(axis=0)
        gain = self.weights[name]
        signal, self.gradients[name] = parts.normalize_back(
            signal, *context, gain, is_centred=self.design.is_centred
        )
        return signal

    def linear(self, name: str, signal: np.ndarray, x: np.ndarray) -> np.ndarray:
        self.gradients[name] = outer(signal, x)
        if f"{name}.bias" in self.weights:
            self.gradients[f"{name}.bias"] = _rows(signal).sum(axis=0)
        return signal @ self.model.weight(name)

    def block(self, i: int, signal: np.ndarray, context: BlockContext) -> np.ndarray:
        signal = self.half(f"l{i}.norm2", lambda z, c: self.units(f"l{i}.", z, c), signal, context.units)
        return self.half(f"l{i}.norm1", lambda z, c: self.attention(f"l{i}.", z, c), signal, context.attention)

    def half(
        self, name: str, part: Callable[[np.ndarray, Any], np.ndarray], signal: np.ndarray, context: HalfContext
    ) -> np.ndarray:
        if self.design.norm_first:
            return signal + self.normalize(name, part(signal, context.part), context.norm)
        signal = self.normalize(name, signal, context.norm)
        return signal + part(signal, context.part)

    def attention(self, name: str, signal: np.ndarray, c: AttentionContext) -> np.ndarray:
        found = parts.split_heads(self.linear(name + "o", signal, c.found), self.model.head_width)
        q, k, v, _ = parts.attend_back(found, c.q, c.k, c.v, c.shares)
        if self.angles is not None:
            cosines, sines = self.angles
            q, k = (parts.rotate(part, cosines, -sines) for part in (q, k))
        q, k, v = (
            self.linear(name + part, parts.join_heads(z), c.taken)
            for part, z in zip("qkv", (q, k, v), strict=True)
        )
        return q + k + v

    def units(self, name: str, signal: np.ndarray, c: UnitContext) -> np.ndarray:
        signal = self.linear(name + "down", signal, c.out)
        if c.gate is None:
            return self.linear(name + "up", signal * c.slope, c.taken)
        gate, up = parts.gate_back(signal, c.gate, c.up, c.slope)
        return self.linear(name + "gate", gate, c.taken) + self.linear(name + "up", up, c.taken)

    def embedding(self, ids: np.ndarray, signal: np.ndarray) -> None:
        if "embed" in self.weights:
            self.gradients["embed"] = np.zeros_like(self.weights["embed"])
            np.add.at(self.gradients["embed"], ids, signal)
        if not self.design.is_turned:
            self.gradients["positions"] = np.zeros_like(self.weights["positions"])
            self.gradients["positions"][: ids.shape[1]] = signal.sum(axis=0)
