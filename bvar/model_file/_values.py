"""Python values as JSON and arrays, exactly: what is read equals what was written, types included.

A JSON object in the file is always one of the tagged forms that `Reader` knows; arrays go to the container under
the path of the value, and each is used once, so that a small file cannot ask for one large array many times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any, Protocol

import numpy as np

from bvar.bits import BitMatrix
from bvar.model_file._container import DTYPES, EXACT, MAX_ITEMS, ModelFileError

__all__ = ["Reader", "Writer"]

_FLOAT = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}|-?inf|nan")
_DIGITS = 1000
_MOST = 10**_DIGITS
_INTEGER = re.compile(rf"-?[1-9][0-9]{{0,{_DIGITS - 1}}}")
_PLAIN = (type(None), bool, str)
_ARRAYS = (np.ndarray, np.memmap)  # other subclasses, such as masked arrays, are more than their data


class Kinds(Protocol):
    """Objects that a file may hold, see :mod:`bvar.model_file._kinds`."""

    def to_state(self, value: Any, writer: Writer, path: str) -> dict[str, Any]:
        """Describe an object, or raise TypeError if it is of no kind that a file holds."""

    def from_state(self, state: dict[str, Any], reader: Reader, path: str) -> Any:
        """Make the object again."""


class Writer:
    """Collects arrays while values are turned into JSON."""

    def __init__(self, kinds: Kinds, *, training_state: bool) -> None:
        self.kinds = kinds
        self.training_state = training_state
        self.arrays: dict[str, np.ndarray] = {}

    def array(self, value: np.ndarray, path: str) -> str:
        """Put an array into the file; return its name."""
        if value.dtype.name not in DTYPES:
            raise TypeError(f"{path}: cannot save an array of dtype {value.dtype}")
        while path in self.arrays:  # the keys 1 and "1" of one dict
            path += "'"
        self.arrays[path] = value
        return path

    def value(self, value: Any, path: str) -> Any:
        """Turn any value that a file can hold into JSON."""
        if type(value) in _PLAIN:
            return value
        if type(value) is int:
            if abs(value) >= _MOST:
                raise ValueError(f"{path}: cannot save an integer of more than {_DIGITS} digits")
            return value if abs(value) <= EXACT else {"int": str(value)}
        if type(value) is float:
            return {"float": value.hex()}
        if isinstance(value, np.str_):
            return str(value)
        if isinstance(value, np.generic):
            return {"scalar": self.array(np.asarray(value), path)}
        if isinstance(value, np.ndarray):
            return self._ndarray(value, path)
        if isinstance(value, BitMatrix):
            return self._bits(value, path)
        if type(value) is tuple:
            return {"tuple": self._items(value, path)}
        if type(value) is list:
            return self._list(value, path)
        if type(value) is dict:
            return {"dict": [self._pair(k, v, path) for k, v in value.items()]}
        return {"object": self.kinds.to_state(value, self, path)}

    def _pair(self, key: Any, value: Any, path: str) -> list[Any]:
        here = f"{path}.{str(key)[:40]}"
        return [self.value(key, here), self.value(value, here)]

    def _items(self, values: Any, path: str) -> list[Any]:
        return [self.value(v, f"{path}.{i}") for i, v in enumerate(values)]

    def _list(self, values: list[Any], path: str) -> Any:
        if values and all(type(v) in _ARRAYS and v.ndim == 1 and v.dtype == np.float64 for v in values):
            ends = np.cumsum([len(v) for v in values], dtype=np.uint64)
            return {"rows": [self.array(np.concatenate(values), path), self.array(ends, f"{path}.ends")]}
        if _is_table_of_floats(values):
            return {"floats": self.array(np.array(values, np.float64), path)}
        return self._items(values, path)

    def _ndarray(self, value: np.ndarray, path: str) -> Any:
        if type(value) not in _ARRAYS:
            raise TypeError(f"{path}: cannot save an array of type {type(value).__name__}")
        if value.dtype.kind == "U":
            width = value.dtype.itemsize // 4
            points = np.ascontiguousarray(value, value.dtype.newbyteorder("=")).reshape(-1).view(np.uint32)
            return {"text": self.array(points.reshape(*value.shape, width), path)}
        if value.dtype.kind == "O":
            items = self._items(value.reshape(-1).tolist(), path)
            return {"objects": {"items": items, "shape": list(value.shape)}}
        return {"array": self.array(value, path)}

    def _bits(self, value: BitMatrix, path: str) -> Any:
        known = None if value.known is None else self.array(value.known, f"{path}.known")
        return {"bits": {"known": known, "n_bits": value.n_bits, "words": self.array(value.words, path)}}


class Reader:
    """Turns JSON and arrays into values again; whatever does not fit raises."""

    def __init__(self, kinds: Kinds, arrays: dict[str, np.ndarray]) -> None:
        self.kinds = kinds
        self.arrays = dict(arrays)
        self._tags: dict[str, Callable[[Any, str], Any]] = {
            "array": self._array,
            "bits": self._bits,
            "dict": self._dict,
            "float": self._float,
            "floats": self._floats,
            "int": self._int,
            "object": self._object,
            "objects": self._objects,
            "rows": self._rows,
            "scalar": self._scalar,
            "text": self._text,
            "tuple": self._tuple,
        }

    def value(self, data: Any, path: str) -> Any:
        """Make the value that `data` describes."""
        if type(data) in _PLAIN or type(data) is int:
            return data
        if isinstance(data, list):
            return [self.value(v, f"{path}.{i}") for i, v in enumerate(data)]
        if len(data) != 1:
            raise ModelFileError(f"{path}: a value must have one tag, has {sorted(data)[:5]}")
        ((tag, content),) = data.items()
        if tag not in self._tags:
            raise ModelFileError(f"{path}: unknown form {tag[:30]!r}: a newer bvar may be needed")
        return self._tags[tag](content, path)

    def finish(self) -> None:
        """Refuse arrays that nothing has used."""
        if self.arrays:
            raise ModelFileError(f"array {next(iter(self.arrays))!r} belongs to nothing")

    def _array(self, name: Any, path: str) -> np.ndarray:
        if not isinstance(name, str) or name not in self.arrays:
            raise ModelFileError(f"{path}: there is no array {str(name)[:60]!r}, or it was used before")
        return self.arrays.pop(name)

    def _scalar(self, name: Any, path: str) -> Any:
        return self._array(name, path).reshape(())[()]

    def _text(self, name: Any, path: str) -> np.ndarray:
        points = self._array(name, path)
        if points.dtype != np.uint32 or not points.ndim or not points.shape[-1]:
            raise ModelFileError(f"{path}: text must be code points, uint32, along a last axis")
        if points.size and points.max() > 0x10FFFF:
            raise ModelFileError(f"{path}: text has a code point that does not exist")
        width = points.shape[-1]
        return np.ascontiguousarray(points).reshape(-1).view(f"U{width}").reshape(points.shape[:-1])

    def _objects(self, content: Any, path: str) -> np.ndarray:
        items, shape = _fields(content, path, "items", "shape")
        if not all(type(n) is int and n >= 0 for n in shape) or prod(shape) != len(items):
            raise ModelFileError(f"{path}: {len(items)} items do not fit the shape {shape}")
        result = np.empty(len(items), object)
        for i, item in enumerate(items):
            result[i] = self.value(item, f"{path}.{i}")
        return result.reshape(shape)

    def _bits(self, content: Any, path: str) -> BitMatrix:
        words, n_bits, known = _fields(content, path, "words", "n_bits", "known")
        second = None if known is None else self._array(known, path)
        return BitMatrix(self._array(words, path), n_bits, second)

    def _dict(self, pairs: Any, path: str) -> dict[Any, Any]:
        result = {self.value(k, path): self.value(v, f"{path}.{str(k)[:40]}") for k, v in pairs}
        if len(result) != len(pairs):
            raise ModelFileError(f"{path}: a key appears twice")
        return result

    def _float(self, text: Any, path: str) -> float:
        if not isinstance(text, str) or not _FLOAT.fullmatch(text):
            raise ModelFileError(f"{path}: {str(text)[:30]!r} is not a hexadecimal float")
        return float.fromhex(text)

    def _int(self, text: Any, path: str) -> int:
        if not isinstance(text, str) or not _INTEGER.fullmatch(text):
            raise ModelFileError(f"{path}: {str(text)[:30]!r} is not a decimal integer")
        return int(text)

    def _floats(self, name: Any, path: str) -> list[Any]:
        table = self._array(name, path)
        if table.dtype != np.float64 or table.ndim not in (1, 2) or not table.size:
            raise ModelFileError(f"{path}: a list of floats must be float64, of one or two dimensions")
        return table.tolist()

    def _rows(self, names: Any, path: str) -> list[np.ndarray]:
        values, ends = (self._array(name, path) for name in names)
        if values.dtype != np.float64 or ends.dtype != np.uint64 or values.ndim != 1 or ends.ndim != 1:
            raise ModelFileError(f"{path}: rows must be float64 and their ends uint64, each of one dimension")
        if len(ends) > len(values) + MAX_ITEMS:  # an empty row costs much more than its end
            raise ModelFileError(f"{path}: more than {MAX_ITEMS} rows are empty")
        cuts = [0, *ends.tolist()]
        if any(a > b for a, b in pairwise(cuts)) or cuts[-1] != len(values):
            raise ModelFileError(f"{path}: ends of rows must rise to the number of values")
        return [values[a:b] for a, b in pairwise(cuts)]

    def _tuple(self, items: Any, path: str) -> tuple[Any, ...]:
        return tuple(self.value(v, f"{path}.{i}") for i, v in enumerate(items))

    def _object(self, state: Any, path: str) -> Any:
        if not isinstance(state, dict):
            raise ModelFileError(f"{path}: an object must have a kind")
        return self.kinds.from_state(state, self, path)


def _fields(content: Any, path: str, *names: str) -> list[Any]:
    if not isinstance(content, dict) or set(content) != set(names):
        raise ModelFileError(f"{path}: must have the keys {', '.join(sorted(names))}")
    return [content[name] for name in names]


def _is_table_of_floats(values: list[Any]) -> bool:
    """Whether all items are floats, or lists of floats of one length: as a history has them."""
    if not values:
        return False
    if all(type(v) is float for v in values):
        return True
    if not all(type(v) is list and v for v in values) or len({len(v) for v in values}) != 1:
        return False
    return all(type(x) is float for v in values for x in v)
