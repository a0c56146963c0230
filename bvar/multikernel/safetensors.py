"""Read arrays from files of the safetensors format, without believing them.

Such a file is 8 bytes, the length of a header in JSON, and the raw arrays one after the other::

    length u64  {"name": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, ...}  data

Nothing in it can be executed.  A file that says anything else than its bytes hold is refused.
"""

from __future__ import annotations

import json
import os
from math import prod
from typing import Any

import numpy as np

__all__ = ["read_safetensors"]

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "U8": "u1", "I64": "<i8", "I32": "<i4"}
_MAX_HEADER = 100_000_000  # bytes; the limit of the format itself
_MAX_DIMENSIONS = 8


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read all arrays of a file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    dict of str to ndarray
        In the order of the data; read only, mapped where the file is. Bfloat16 becomes float32.

    Raises
    ------
    ValueError
        If the file is no safetensors, or holds a dtype that is not float, uint8, int32 or int64.
    OSError
        If it cannot be read.

    See Also
    --------
    load_pretrained : Makes a model of such files.
    """
    name = os.fspath(path)
    size = os.path.getsize(name)
    with open(name, "rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= n_header <= min(_MAX_HEADER, size - 8):
            raise ValueError(f"{name}: not a safetensors file: its header must fit into its {size} bytes")
        entries = _entries(file.read(n_header), size - 8 - n_header, name)
    data = np.memmap(name, np.uint8, "r") if entries else np.empty(0, np.uint8)
    start = 8 + n_header
    return {
        key: _values(data[start + first : start + last], dtype).reshape(shape)
        for key, dtype, shape, first, last in entries
    }


Entry = tuple[str, str, tuple[int, ...], int, int]


def _entries(header: bytes, n_bytes: int, name: str) -> list[Entry]:
    """Return what the header says, if the arrays follow each other from the first byte to the last."""
    try:
        table = json.loads(header.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: its header must be JSON without doubles: {str(error)[:80]}") from error
    if not isinstance(table, dict):
        raise ValueError(f"{name}: its header must be a JSON object")
    table.pop("__metadata__", None)
    entries = sorted((_entry(key, what, name) for key, what in table.items()), key=lambda entry: entry[3:])
    ends = [0, *(entry[4] for entry in entries)]
    if [entry[3] for entry in entries] != ends[:-1] or ends[-1] != n_bytes:
        raise ValueError(f"{name}: its arrays must fill {n_bytes} bytes, without holes and overlaps")
    return entries


def _entry(key: str, what: Any, name: str) -> Entry:
    if not isinstance(what, dict) or set(what) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name}: {key[:60]!r} must have a dtype, a shape and data_offsets")
    dtype, shape, offsets = what["dtype"], what["shape"], what["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(
            f"{name}: {key[:60]!r} must have a dtype of {', '.join(_DTYPES)}, got {str(dtype)[:20]!r}"
        )
    numbers = [*shape, *offsets] if isinstance(shape, list) and isinstance(offsets, list) else [-1]
    if not all(type(n) is int and 0 <= n < 2**48 for n in numbers):
        raise ValueError(f"{name}: {key[:60]!r} must have sizes and offsets that are integers, not negative")
    size = prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if len(shape) > _MAX_DIMENSIONS or len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise ValueError(f"{name}: {key[:60]!r} must have data_offsets that are {size} apart, for its shape")
    return key, dtype, tuple(shape), offsets[0], offsets[1]


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name comes twice")
    return table


def _values(data: np.ndarray, dtype: str) -> np.ndarray:
    values = np.frombuffer(data, _DTYPES[dtype])
    if dtype == "BF16":  # the upper half of a float32
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return values
