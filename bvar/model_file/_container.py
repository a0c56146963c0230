"""The container: named arrays and one JSON value in one file, with everything checked before it is believed.

It knows nothing of models.  ``docs/reference/model-file.md`` describes it byte by byte::

    magic (8)  version u32  header length u32  file length u64  header  arrays, each at a multiple of 64  SHA-256

The file is a function of its contents: keys sorted, arrays in the order of the table, every gap filled with zeros
and just large enough.  Hence offsets cannot overlap or point outside, and a reader need not trust any of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import struct
from math import prod
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from bvar._version import __version__
from bvar.model_file._replacing import replacing

__all__ = ["FORMAT", "ModelFileError", "read", "write"]

MAGIC = b"\x89BVAR\r\n\x1a"  # as in PNG: a high byte and both line ends, so that text-mode transfers show
FORMAT = 1
ALIGNMENT = 64  # of arrays: a cache line, so that a reader may map them

# Limits on what a file may claim, checked before anything is allocated.
MAX_HEADER = 2**24  # bytes
MAX_ITEMS = 2**20  # values in the header: each costs a Python object
MAX_DEPTH = 64  # of the header
MAX_ARRAYS = 2**16
MAX_DIMENSIONS = 8
MAX_EXTENT = 2**48
EXACT = 2**53  # integers up to here are exact in every JSON reader

DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float32", "float64"),
    )
}

_START = struct.Struct("<8sIIQ")  # magic, version, header length, file length
_CHECKSUM = 32
_CHUNK = 2**20

# Up to the next bracket that is in no string, or to the end. Nothing that was taken is given back (++, *+, ?+) and
# an unfinished string ends with the text: hence the time is linear also for what is no JSON.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?+)*+([\[\]{}]|\Z)', re.DOTALL)


class ModelFileError(ValueError):
    """A file is not a model that this version can read; the message says why.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bvar import model_file
    >>> model_file.load(Path(model_file.__file__))
    Traceback (most recent call last):
    bvar.model_file.ModelFileError: ...__init__.py: not a bvar model file
    """

    __module__ = "bvar.model_file"  # where users find it


class _Entry(NamedTuple):
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int

    @property
    def end(self) -> int:
        return self.offset + prod(self.shape) * self.dtype.itemsize


def write(path: str | os.PathLike[str], header: Any, arrays: dict[str, np.ndarray]) -> None:
    """Write `header`, a JSON value without floats, and `arrays`; `path` keeps its old contents if that fails."""
    kept = {name: _little_endian(name, array) for name, array in arrays.items()}
    start = _plan(header, kept)
    with replacing(path) as file:
        _write_contents(file, start, kept)


def read(path: str | os.PathLike[str]) -> tuple[Any, dict[str, np.ndarray]]:
    """Return the header and the arrays; memory stays in proportion to the size of the file."""
    with open(os.fspath(path), "rb", opener=_open_at_once) as file:
        try:
            return _read(file)
        except ModelFileError as error:
            raise ModelFileError(f"{os.fspath(path)}: {error}") from error.__cause__
        except MemoryError as error:
            raise ModelFileError(f"{os.fspath(path)}: there is not enough memory for it") from error


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait for somebody who writes


# --------------------------------------------------------------------------------------------------- writing


def _little_endian(name: str, array: np.ndarray) -> np.ndarray:
    dtype = DTYPES.get(array.dtype.name)
    if dtype is None:
        raise TypeError(f"{name}: cannot save an array of dtype {array.dtype}; can: {', '.join(DTYPES)}")
    return np.asarray(array, dtype, order="C")


def _plan(content: Any, arrays: dict[str, np.ndarray]) -> bytes:
    """Lay the file out; return everything before the arrays."""
    relative = [0]  # where arrays start and the last one ends, counted from the first
    for array in arrays.values():
        relative.append(_aligned(relative[-1]) + array.nbytes)
    header = b""
    base = 0
    while base != _aligned(_START.size + len(header)) or not header:  # longer offsets make a longer header
        base = _aligned(_START.size + len(header))
        table = [
            {
                "dtype": array.dtype.name,
                "name": name,
                "offset": base + _aligned(end_before),
                "shape": list(array.shape),
            }
            for (name, array), end_before in zip(arrays.items(), relative, strict=False)
        ]
        header = json.dumps(
            {"arrays": table, "content": content, "writer": f"bvar {__version__}"},
            sort_keys=True,
            allow_nan=False,
            separators=(",", ":"),
        ).encode("ascii")
    last = base + relative[-1] if arrays else _START.size + len(header)
    total = last + _CHECKSUM
    try:
        _entries(_parse(header), _START.size + len(header), total)
    except ModelFileError as error:
        raise ValueError(f"cannot be saved, the file would break the limits of the format: {error}") from None
    return _START.pack(MAGIC, FORMAT, len(header), total) + header


def _write_contents(file: BinaryIO, start: bytes, arrays: dict[str, np.ndarray]) -> None:
    digest = hashlib.sha256()
    position = 0

    def put(data: bytes | memoryview) -> None:
        nonlocal position
        digest.update(data)
        file.write(data)
        position += len(data)

    put(start)
    for array in arrays.values():
        put(bytes(_aligned(position) - position))
        flat = array.reshape(-1).view(np.uint8)
        for i in range(0, len(flat), _CHUNK):
            put(flat[i : i + _CHUNK].data)
    file.write(digest.digest())


# --------------------------------------------------------------------------------------------------- reading


def _read(file: BinaryIO) -> tuple[Any, dict[str, np.ndarray]]:
    about = os.fstat(file.fileno())
    if not stat.S_ISREG(about.st_mode):
        raise ModelFileError("not a regular file")
    header_length, total = _check_start(file.read(_START.size), about.st_size)
    _check_sum(file, total)
    file.seek(_START.size)
    header = _parse(_exactly(file, header_length))
    entries = _entries(header, _START.size + header_length, total)
    arrays = {}
    position = _START.size + header_length
    for entry in entries:
        if any(_exactly(file, entry.offset - position)):
            raise ModelFileError(f"gap before array {entry.name!r} is not zero")
        arrays[entry.name] = _array(file, entry)
        position = entry.end
    return header["content"], arrays


def _check_start(start: bytes, size: int) -> tuple[int, int]:
    """Judge the first 24 bytes; return the lengths of header and file."""
    if not size:
        raise ModelFileError("empty file")
    if start[: len(MAGIC)] != MAGIC[: len(start)]:
        if start.startswith(MAGIC[:5]):
            raise ModelFileError("damaged near its first line end: was it transferred as text?")
        raise ModelFileError("not a bvar model file")
    if len(start) < _START.size:
        raise ModelFileError(f"truncated: {size} bytes, the shortest model file has more")
    _, version, header_length, total = _START.unpack(start)
    if version > FORMAT:
        raise ModelFileError(
            f"format {version} is newer than this bvar {__version__} reads ({FORMAT}): upgrade bvar"
        )
    if version < 1:
        raise ModelFileError(f"there is no format {version}")
    if size < total:
        raise ModelFileError(f"truncated: {size} of {total} bytes")
    if size > total:
        raise ModelFileError(f"{size - total} bytes follow the end of the model, or its length is damaged")
    if header_length > MAX_HEADER:
        raise ModelFileError(f"header of {header_length} bytes is longer than the {MAX_HEADER} allowed")
    if _START.size + header_length + _CHECKSUM > total:
        raise ModelFileError(f"header of {header_length} bytes does not fit a file of {total}")
    return header_length, total


def _check_sum(file: BinaryIO, total: int) -> None:
    file.seek(0)
    digest = hashlib.sha256()
    left = total - _CHECKSUM
    while left:
        part = _exactly(file, min(_CHUNK, left))
        digest.update(part)
        left -= len(part)
    if _exactly(file, _CHECKSUM) != digest.digest():
        raise ModelFileError("checksum differs: the file is damaged")


def _exactly(file: BinaryIO, n: int) -> bytes:
    data = file.read(n)
    if len(data) != n:
        raise ModelFileError("truncated while it was being read")
    return data


def _parse(header: bytes) -> Any:
    """Read JSON, refusing what other readers would take differently or what would cost too much."""
    if len(header) > MAX_HEADER:
        raise ModelFileError(f"header of {len(header)} bytes is longer than the {MAX_HEADER} allowed")
    if header.count(b",") + header.count(b"[") + header.count(b"{") > MAX_ITEMS:
        raise ModelFileError(f"header has more than {MAX_ITEMS} values")
    if _depth(header) > MAX_DEPTH:
        raise ModelFileError(f"header is nested more than {MAX_DEPTH} deep")
    try:
        return json.loads(
            header.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_int=_small_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"header is not valid JSON: {error}") from None


def _depth(header: bytes) -> int:
    deepest = depth = 0
    for part in _TO_BRACKET.finditer(header):
        depth += (part[1] in (b"[", b"{")) - (part[1] in (b"]", b"}"))
        deepest = max(deepest, depth)
        if depth < 0:  # no JSON: what follows does not matter
            break
    return deepest


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ModelFileError("header repeats a key")
    return result


def _small_integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > EXACT:
        raise ModelFileError("header has an integer beyond 2**53")
    return int(text)


def _no_float(text: str) -> float:
    raise ModelFileError(f"header has the float {text[:30]}: floats are hexadecimal strings")


def _entries(header: Any, start: int, total: int) -> list[_Entry]:
    """Check that the table of arrays fills the file exactly, in order."""
    if not isinstance(header, dict) or set(header) != {"arrays", "content", "writer"}:
        raise ModelFileError("header must have the keys arrays, content and writer")
    table = header["arrays"]
    if not isinstance(table, list) or len(table) > MAX_ARRAYS:
        raise ModelFileError(f"table of arrays must be a list of at most {MAX_ARRAYS}")
    end, entries, names = start, [], set()
    for item in table:
        entry = _entry(item)
        if entry.name in names:
            raise ModelFileError(f"array {entry.name!r} appears twice")
        if entry.offset != _aligned(end):
            raise ModelFileError(f"array {entry.name!r} is at byte {entry.offset}, but must be at {_aligned(end)}")
        names.add(entry.name)
        entries.append(entry)
        end = entry.end
        if end + _CHECKSUM > total:
            raise ModelFileError(f"array {entry.name!r} ends at byte {end}, beyond the data")
    if end + _CHECKSUM != total:
        raise ModelFileError(f"data end at byte {total - _CHECKSUM}, but arrays end at byte {end}")
    return entries


def _entry(item: Any) -> _Entry:
    if not isinstance(item, dict) or set(item) != {"dtype", "name", "offset", "shape"}:
        raise ModelFileError("each array must have the keys dtype, name, offset and shape")
    name, dtype, shape, offset = item["name"], item["dtype"], item["shape"], item["offset"]
    if not isinstance(name, str) or not 0 < len(name) <= 1000:
        raise ModelFileError("the name of an array must be a string of 1 to 1000 characters")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileError(f"array {name!r} has unknown dtype {str(dtype)[:30]!r}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(_is_extent(n) for n in shape):
        raise ModelFileError(f"array {name!r} has no valid shape")
    if not _is_extent(offset):
        raise ModelFileError(f"array {name!r} has no valid offset")
    return _Entry(name, DTYPES[dtype], tuple(shape), offset)


def _is_extent(n: Any) -> bool:
    return type(n) is int and 0 <= n <= MAX_EXTENT


def _array(file: BinaryIO, entry: _Entry) -> np.ndarray:
    array = np.empty(prod(entry.shape), entry.dtype)
    raw = array.view(np.uint8)
    for i in range(0, len(raw), _CHUNK):
        part = raw[i : i + _CHUNK]
        part[:] = np.frombuffer(_exactly(file, len(part)), np.uint8)
    if entry.dtype == np.bool_ and (raw > 1).any():
        raise ModelFileError(f"array {entry.name!r} has a Boolean that is neither 0 nor 1")
    native = array.astype(entry.dtype.newbyteorder("="), copy=False)
    try:
        return native.reshape(entry.shape)
    except ValueError as error:  # several zeros and huge numbers among them
        raise ModelFileError(f"array {entry.name!r} has no valid shape: {error}") from None


def _aligned(n: int) -> int:
    return -(-n // ALIGNMENT) * ALIGNMENT
