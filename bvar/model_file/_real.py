"""Kinds of the real ends of a network, and of Boolean weights on numbers (``docs/explanation/real-ends.md``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.layers import SignedSum
from bvar.model_file._container import ModelFileError
from bvar.model_file._kind import Kind, check_parameters, known_bits, only, plain_kind, take
from bvar.model_file._values import Reader, Writer
from bvar.real import Adam, BatchNorm, FixedPoint, RealCrossEntropy, RealLinear, RealParameter

__all__ = ["REAL_KINDS"]


def _linear_to(layer: RealLinear, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("name", "weight", "bias", "real_parameters"))
    check_parameters(layer, path)
    return {
        "bias": None if layer.bias is None else writer.value(layer.bias.values, f"{path}.bias"),
        "name": layer.name,
        "weight": writer.value(layer.weight.values, f"{path}.weight"),
    }


def _linear_from(fields: dict[str, Any], reader: Reader, path: str) -> RealLinear:
    bias, name, weight = take(fields, path, "bias", "name", "weight")
    weight = _numbers(reader.value(weight, f"{path}.weight"), path, "weight", np.float32, 2)
    layer = RealLinear(1, 1, bias=bias is not None, random_state=0, name=_text(name, path))
    layer.weight.values = weight
    if layer.bias is not None:
        layer.bias.values = _numbers(reader.value(bias, f"{path}.bias"), path, "bias", np.float32, 1, len(weight))
    return layer


_NORM: dict[str, type[np.generic]] = {
    "scale": np.float32,
    "shift": np.float32,
    "mean": np.float64,
    "variance": np.float64,
}


def _norm_to(layer: BatchNorm, writer: Writer, path: str) -> dict[str, Any]:
    settings = ("epsilon", "fan_in", "momentum", "name")
    only(layer, path, (*settings, *_NORM, "real_parameters", "statistics"))
    check_parameters(layer, path)
    arrays = {name: getattr(layer, name) for name in _NORM}
    values = {name: getattr(array, "values", array) for name, array in arrays.items()}
    values |= {name: getattr(layer, name) for name in settings}
    return {name: writer.value(value, f"{path}.{name}") for name, value in sorted(values.items())}


def _norm_from(fields: dict[str, Any], reader: Reader, path: str) -> BatchNorm:
    take(fields, path, "epsilon", "fan_in", "momentum", "name", *_NORM)
    values = {name: reader.value(v, f"{path}.{name}") for name, v in fields.items()}
    n_units = len(_numbers(values["mean"], path, "mean", np.float64, 1))
    settings = {name: values[name] for name in ("fan_in", "momentum", "epsilon")}
    layer = BatchNorm(n_units, **settings, name=_text(values["name"], path))
    for name, dtype in _NORM.items():
        array, there = _numbers(values[name], path, name, dtype, 1, n_units), getattr(layer, name)
        target = there.values if isinstance(there, RealParameter) else there
        target[:] = array
    if layer.variance.min() < 0:
        raise ModelFileError(f"{path}: variance must not be negative")
    return layer


def _signed_to(layer: SignedSum, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("name", "parameters", "weight"))
    check_parameters(layer, path)
    weight = writer.value(layer.weight.bits, f"{path}.weight")
    return {"name": layer.name, "rms": layer.weight.rms, "weight": weight}


def _signed_from(fields: dict[str, Any], reader: Reader, path: str) -> SignedSum:
    name, rms, weight = take(fields, path, "name", "rms", "weight")
    layer = SignedSum(1, 1, rms=reader.value(rms, f"{path}.rms"), random_state=0, name=_text(name, path))
    layer.weight.bits = known_bits(reader.value(weight, f"{path}.weight"), path)
    return layer


def _adam_to(adam: Adam, writer: Writer, path: str) -> dict[str, Any]:
    settings, progress = ("n_steps", "rate"), ("age", "mean", "square", "step_count")
    only(adam, path, settings + progress)
    names = settings + progress if writer.training_state else settings
    return {name: writer.value(getattr(adam, name), f"{path}.{name}") for name in names}


def _adam_from(fields: dict[str, Any], reader: Reader, path: str) -> Adam:
    progress = ["age", "mean", "square", "step_count"] if "age" in fields else []
    take(fields, path, "n_steps", "rate", *progress)
    values = {name: reader.value(v, f"{path}.{name}") for name, v in fields.items()}
    adam = Adam(values["rate"], n_steps=values["n_steps"])
    for name in progress:
        setattr(adam, name, values[name])
    return adam


def _numbers(
    value: Any, path: str, name: str, dtype: type[np.generic], ndim: int, length: int | None = None
) -> np.ndarray:
    fits = isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == ndim and value.size > 0
    if not fits or not np.isfinite(value).all() or length not in (None, len(value)):
        wanted = f"{np.dtype(dtype)} with {ndim} dimension(s)" + (f" and {length} entries" if length else "")
        raise ModelFileError(f"{path}: {name} must be finite numbers, {wanted}")
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise ModelFileError(f"{path}: name must be a string")
    return value


REAL_KINDS: dict[str, Kind] = {
    "Adam": Kind(Adam, _adam_to, _adam_from),
    "BatchNorm": Kind(BatchNorm, _norm_to, _norm_from),
    "FixedPoint": plain_kind(FixedPoint),
    "RealCrossEntropy": plain_kind(RealCrossEntropy),
    "RealLinear": Kind(RealLinear, _linear_to, _linear_from),
    "SignedSum": Kind(SignedSum, _signed_to, _signed_from),
}
