"""Argument checks shared by the public modules: one home for error texts.

Every check names the argument, says what was wrong and what is accepted, and runs before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np

__all__ = [
    "LARGEST",
    "as_array",
    "as_numbers",
    "check_array",
    "check_choice",
    "check_finite",
    "check_image_shape",
    "check_integer",
    "check_out",
    "check_real",
    "check_rows",
    "check_sizes",
]

LARGEST = 2**31 - 1  # number of units, and of values of an image: kernels count them in int32


def as_array(value: Any, name: str) -> np.ndarray:
    """Return `value` as an array; rows of different lengths are none."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be an array, got rows of different lengths") from None


def check_array(
    value: Any, name: str, *, dtype: type[np.generic] | tuple[type[np.generic], ...], ndim: int
) -> np.ndarray:
    """Return `value` as an array after checking its dtype and number of dimensions; never casts."""
    if type(value) is np.ndarray and value.dtype.type is dtype and value.dtype.isnative and value.ndim == ndim:
        return value  # as nearly always
    array = as_array(value, name)
    kinds = dtype if isinstance(dtype, tuple) else (dtype,)
    if array.dtype.type not in kinds or not array.dtype.isnative:
        wanted = " or ".join(np.dtype(k).name for k in kinds)
        raise TypeError(f"{name} must be an array of {wanted}, got dtype {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    return array


def check_out(out: np.ndarray | None, shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Return an array to write into: a new one, or `out` if it is exactly what is needed."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype or out.shape != shape:
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(f"out must be an array of {np.dtype(dtype)} of shape {shape}, got {got}")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("out must be C-contiguous and writeable")
    return out


def check_integer(value: Any, name: str, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int after checking its kind and range."""
    if type(value) is int and low <= value and (high is None or value <= high):
        return value  # as nearly always; who asks the abstract class waits ten times as long
    span = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be {span}, got {value!r}")
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} must be {span}, got {value!r}")
    return number


def check_rows(x: Any, width: int, reader: str, *, together: int = 1) -> None:
    """Refuse what is no matrix of rows of `width` values, or does not part into texts of `together` rows."""
    shape: tuple[int, ...] = getattr(x, "shape", ())
    if len(shape) != 2 or shape[1] != width:
        raise ValueError(f"x must have rows of {width} values for {reader}, got shape {shape}")
    if shape[0] % together:
        raise ValueError(f"x must have {together} rows for each text, got {shape[0]} rows")


def check_sizes(sizes: Any, name: str, *, least: int = 0, most: int | None = None) -> list[int]:
    """Return sizes of layers, up to `most` each, as a list of at least `least`; one size alone will do."""
    if isinstance(sizes, str) or sizes is None:
        raise TypeError(f"{name} must be an integer or a sequence of integers, got {sizes!r}")
    sizes = list(sizes) if isinstance(sizes, Iterable) else [sizes]
    if len(sizes) < least:
        raise ValueError(f"{name} must name at least {least} layer(s), got {sizes!r}")
    return [check_integer(size, f"each of {name}", low=1, high=most) for size in sizes]


def check_image_shape(image_shape: Any, n_features: int | None = None) -> tuple[int, int, int]:
    """Return (height, width, channels), of which the last may be left out; together as many as `n_features`."""
    if not isinstance(image_shape, tuple | list) or len(image_shape) not in (2, 3):
        raise ValueError(f"image_shape must be (height, width) or (height, width, channels), got {image_shape!r}")
    height, width, channels = (check_integer(n, "each of image_shape", low=1) for n in (*image_shape, 1)[:3])
    n = height * width * channels
    if n > LARGEST:
        raise ValueError(f"image_shape must make images of at most {LARGEST} values, got {image_shape!r}")
    if n_features is not None and n != n_features:
        raise ValueError(f"image_shape {tuple(image_shape)} has {n} pixels, but X has {n_features} features")
    return height, width, channels


def check_real(value: Any, name: str, *, low: float, high: float = inf, strict: bool = False) -> float:
    """Return `value` as a float after checking that it is finite and in range."""
    if type(value) is float and low < value < inf and value <= high:
        return value  # as nearly always
    least = f" {'>' if strict else '>='} {low:g}" if low > -inf else ""
    span = f"a finite number{least}" + (f" and <= {high:g}" if high < inf else "")
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {span}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # of an integer or a fraction
        number = inf
    if not isfinite(number) or not low <= number <= high or (strict and number == low):
        raise ValueError(f"{name} must be {span}, got {value!r}")
    return number


def as_numbers(value: Any, name: str) -> np.ndarray:
    """Return numbers as a new array of float64 after checking that they are real; NaN and infinity may be."""
    array = as_array(value, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    return array.astype(np.float64)


def check_finite(value: Any, name: str) -> np.ndarray:
    """Return numbers as a new array of float64 after checking that they are real and finite."""
    array = as_numbers(value, name)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array


def check_path(value: Any, name: str) -> Any:
    """Return `value` after checking that it may name a file."""
    if not isinstance(value, str | bytes | PathLike):
        raise TypeError(f"{name} must be a str or path-like, got {value!r}")
    return value


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return `value` after checking that it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:  # an array would compare with each
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)
