"""Between the values of the protocol and those of the oracle: strings to numbers, and back."""

from __future__ import annotations

import struct
from typing import Any

__all__ = [
    "bits_of",
    "cut",
    "float64_of",
    "hex64",
    "image_of",
    "logic_of",
    "places_of",
    "text_of_bits",
    "text_of_logic",
    "window_of",
]

_VALUES = {"0": -1, "1": 1, "u": 0}
_NAMES = {value: name for name, value in _VALUES.items()}


def logic_of(row: str) -> list[int]:
    """Read values of M."""
    return [_VALUES[c] for c in row]


def text_of_logic(values: list[int]) -> str:
    """Write values of M."""
    return "".join(_NAMES[v] for v in values)


def bits_of(rows: list[str]) -> list[list[int]]:
    """Read rows of bits."""
    return [[int(c) for c in row] for row in rows]


def text_of_bits(rows: list[list[int]]) -> list[str]:
    """Write rows of bits."""
    return ["".join(str(int(b)) for b in row) for row in rows]


def float64_of(text: str) -> float:
    """Read the sixteen digits of a float64."""
    return float(struct.unpack(">d", bytes.fromhex(text))[0])


def hex64(value: float) -> str:
    """Write a float64 as its sixteen hexadecimal digits."""
    return struct.pack(">d", value).hex()


def cut(values: list[int], size: int) -> list[list[int]]:
    """Cut a row into pieces of equal size."""
    return [values[i : i + size] for i in range(0, len(values), size)]


def image_of(values: list[int], shape: list[int]) -> list[list[list[int]]]:
    """Cut a row of values into an image[y][x][c]."""
    _, width, channels = shape
    return [cut(row, channels) for row in cut(values, width * channels)]


def window_of(window: dict[str, Any]) -> dict[str, list[int]]:
    """Give a window without the shape of the images."""
    return {name: window[name] for name in ("size", "stride", "padding", "dilation")}


def places_of(window: dict[str, Any]) -> list[int]:
    """Count the rows and columns of places that a window slides to."""
    axes = zip(*(window[n] for n in ("size", "stride", "padding", "dilation")), strict=True)
    return [
        (pixels + 2 * pad - (taps - 1) * gap - 1) // step + 1
        for pixels, (taps, step, pad, gap) in zip(window["image_shape"][:2], axes, strict=True)
    ]
