"""Which matrices a transformer has, by name, and whether they fit each other."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from bvar.bits.random import RandomWords
from bvar.multikernel.designs import Design

__all__ = ["LARGEST", "as_float", "check_shapes", "count_blocks", "draw", "in_float32", "read_npz"]

LARGEST = float(np.finfo(np.float32).max)
"""The largest number of float32."""

_OF_BLOCK = re.compile(r"l(0|[1-9][0-9]{0,5})\.[a-z0-9]+(\.bias)?")


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the arrays of a file that NumPy wrote, and refuse all others."""
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (AttributeError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{os.fspath(path)}: must be an .npz file of plain arrays: {error}") from error


def as_float(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copy the arrays in float64 if all have it, else in float32, so that one may be trained without another."""
    arrays = {name: np.asarray(array) for name, array in weights.items()}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise TypeError(f"weights must be arrays of float, got {name!r} of dtype {array.dtype}")
        if not array.size or not np.isfinite(array).all():
            raise ValueError(f"weights must be finite and not empty, {name!r} is not")
    if all(array.dtype == np.float64 for array in arrays.values()):
        return {name: np.array(array, order="C") for name, array in arrays.items()}
    return {name: np.array(in_float32(array, name), order="C") for name, array in arrays.items()}


def in_float32(array: np.ndarray, name: str) -> np.ndarray:
    """Return an array as float32, itself if it is, after checking that its numbers have their like there."""
    if array.dtype.itemsize > 4 and np.abs(array).max() > LARGEST:
        raise ValueError(f"weights must be within {LARGEST:g} of 0, the range of float32, {name!r} is not")
    return array.astype(np.float32, copy=False)


def count_blocks(names: Mapping[str, Any]) -> int:
    """Count the blocks that names speak of."""
    return 1 + max((int(match[1]) for name in names if (match := _OF_BLOCK.fullmatch(name))), default=-1)


def draw(
    design: Design, n_tokens: int, width: int, hidden: int, n_blocks: int, n_positions: int, source: RandomWords
) -> dict[str, np.ndarray]:
    """Draw the weights of a model that has learnt nothing: uniform, with variance ``1 / n_inputs``."""

    def drawn(n_outputs: int, n_inputs: int) -> np.ndarray:
        return (np.sqrt(3 / n_inputs) * source.uniform(n_outputs, n_inputs)).astype(np.float32)

    def plain(name: str) -> np.ndarray:
        return np.full(width, not name.endswith("bias"), np.float32)

    rows = {"embed": n_tokens, "head": n_tokens, "positions": n_positions}
    weights = {name: drawn(rows[name], width) if name in rows else plain(name) for name in design.ends}
    for i in range(n_blocks):
        for name in design.maps:
            n_outputs = hidden if name in ("gate", "up") else width
            weights[f"l{i}.{name}"] = drawn(n_outputs, hidden if name == "down" else width)
        weights |= {f"l{i}.{name}": plain(name) for name in design.others}
    return weights


def check_shapes(shapes: Mapping[str, tuple[int, ...]], design: Design, n_blocks: int, n_heads: int) -> int:
    """Refuse weights that make no transformer; return the width of a head."""
    wanted = {*design.ends, *(f"l{i}.{part}" for i in range(n_blocks) for part in (*design.maps, *design.others))}
    legal = wanted | {f"l{i}.{part}.bias" for i in range(n_blocks) for part in design.maps}
    if not n_blocks or not wanted <= set(shapes) <= legal:
        odd = sorted((wanted - set(shapes)) | (set(shapes) - legal))[:5]
        raise ValueError(
            f"weights must be {', '.join(design.ends)} and those of each block, got a difference in {odd}"
        )
    n_tokens, width = _matrix(shapes, "embed")
    for name in design.ends:
        if name == "positions":
            _must_be(shapes, name, (_matrix(shapes, name)[0], width))
        elif name != "embed":
            _must_be(shapes, name, (n_tokens, width) if name == "head" else (width,))
    head_width = _matrix(shapes, "l0.q")[0] // n_heads
    if not head_width or (design.is_turned and head_width % 2):
        number = "an even number" if design.is_turned else "the same number"
        raise ValueError(f"l0.q must have {number} of outputs for each of {n_heads} heads, got {shapes['l0.q']}")
    for i in range(n_blocks):
        _check_block(shapes, f"l{i}.", design, n_heads, head_width, width)
    return head_width


def _check_block(
    shapes: Mapping[str, tuple[int, ...]], name: str, design: Design, n_heads: int, head_width: int, width: int
) -> None:
    hidden, shared = _matrix(shapes, name + "up")[0], _matrix(shapes, name + "k")[0]
    if shared % head_width or (n_heads * head_width) % shared:
        raise ValueError(f"{name}k must have heads of {head_width} outputs that {n_heads} share, got {shared}")
    matrices = {
        "q": (n_heads * head_width, width),
        "k": (shared, width),
        "v": (shared, width),
        "o": (width, n_heads * head_width),
        "gate": (hidden, width),
        "up": (hidden, width),
        "down": (width, hidden),
    }
    for part in design.maps:
        _must_be(shapes, name + part, matrices[part])
        if f"{name}{part}.bias" in shapes:
            _must_be(shapes, f"{name}{part}.bias", matrices[part][:1])
    for part in design.others:
        _must_be(shapes, name + part, (width,))


def _matrix(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, int]:
    if len(shapes[name]) != 2:
        raise ValueError(f"{name} must be a matrix, got shape {shapes[name]}")
    n_rows, n_columns = shapes[name]
    return n_rows, n_columns


def _must_be(shapes: Mapping[str, tuple[int, ...]], name: str, shape: tuple[int, ...]) -> None:
    if shapes[name] != shape:
        raise ValueError(f"{name} must have shape {shape}, got {shapes[name]}")
