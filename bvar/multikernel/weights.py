"""Which matrices a transformer has, by name, and whether they fit each other."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["MAPS", "as_float", "check_shapes", "count_blocks", "read_npz"]

MAPS = ("q", "k", "v", "o", "gate", "up", "down")
"""The maps of a block, each ``y = x @ W.T``; block i calls them ``l{i}.q`` and so on."""

_OF_BLOCK = re.compile(r"l(0|[1-9][0-9]{0,5})\.[a-z0-9]+")


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
    all_double = all(array.dtype == np.float64 for array in arrays.values())
    dtype = np.float64 if all_double else np.float32
    return {name: np.array(array, dtype, order="C") for name, array in arrays.items()}


def count_blocks(names: Mapping[str, Any]) -> int:
    """Count the blocks that names speak of."""
    return 1 + max((int(match[1]) for name in names if (match := _OF_BLOCK.fullmatch(name))), default=-1)


def check_shapes(shapes: Mapping[str, tuple[int, ...]], n_blocks: int, n_heads: int) -> int:
    """Refuse weights that make no transformer; return the width of a head."""
    wanted = ["embed", "head", "norm"]
    wanted += [f"l{i}.{part}" for i in range(n_blocks) for part in (*MAPS, "norm1", "norm2")]
    if not n_blocks or set(shapes) != set(wanted):
        odd = sorted(set(shapes) ^ set(wanted))[:5]
        raise ValueError(f"weights must be embed, head, norm and those of each block, got a difference in {odd}")
    n_tokens, width = _matrix(shapes, "embed")
    _must_be(shapes, "head", (n_tokens, width))
    _must_be(shapes, "norm", (width,))
    head_width = _matrix(shapes, "l0.q")[0] // n_heads
    if not head_width or head_width % 2:
        raise ValueError(
            f"l0.q must have an even number of outputs for each of {n_heads} heads, got {shapes['l0.q']}"
        )
    for i in range(n_blocks):
        name, hidden, shared = f"l{i}.", _matrix(shapes, f"l{i}.gate")[0], _matrix(shapes, f"l{i}.k")[0]
        if shared % head_width or (n_heads * head_width) % shared:
            raise ValueError(f"{name}k must have heads of {head_width} outputs that {n_heads} share, got {shared}")
        for part, shape in {
            "q": (n_heads * head_width, width),
            "k": (shared, width),
            "v": (shared, width),
            "o": (width, n_heads * head_width),
            "gate": (hidden, width),
            "up": (hidden, width),
            "down": (width, hidden),
            "norm1": (width,),
            "norm2": (width,),
        }.items():
            _must_be(shapes, name + part, shape)
    return head_width


def _matrix(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, int]:
    if len(shapes[name]) != 2:
        raise ValueError(f"{name} must be a matrix, got shape {shapes[name]}")
    n_rows, n_columns = shapes[name]
    return n_rows, n_columns


def _must_be(shapes: Mapping[str, tuple[int, ...]], name: str, shape: tuple[int, ...]) -> None:
    if shapes[name] != shape:
        raise ValueError(f"{name} must have shape {shape}, got {shapes[name]}")
