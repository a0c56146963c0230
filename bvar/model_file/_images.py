"""Kinds of the layers of images: convolutions, pools and residual sums."""

from __future__ import annotations

from typing import Any

from bvar.bits.windows import SlidingWindow
from bvar.calculus.gates import Gate
from bvar.layers import Add, BooleanConv2d, Layer, MaxPool2d, SignedConv2d, SignedSum, SumPool2d
from bvar.model_file._container import ModelFileError
from bvar.model_file._kind import Kind, check_parameters, known_bits, only, take
from bvar.model_file._values import Reader, Writer
from bvar.real import RealConv2d, RealLinear

__all__ = ["IMAGE_KINDS"]

_WINDOW = ("dilation", "image_shape", "padding", "size", "stride")
_CONV = ("bias", "centered", "gate", "name", "padding_value", "weight")


def _conv_to(layer: BooleanConv2d, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, (*_CONV, "window", "parameters", "rows_together", "_edges"))
    check_parameters(layer, path)
    return {
        **{name: list(getattr(layer.window, name)) for name in _WINDOW},
        "bias": None if layer.bias is None else writer.value(layer.bias.bits, f"{path}.bias"),
        "centered": layer.centered,
        "gate": layer.gate.id,
        "name": layer.name,
        "padding_value": layer.padding_value,
        "weight": writer.value(layer.weight.bits, f"{path}.weight"),
    }


def _conv_from(fields: dict[str, Any], reader: Reader, path: str) -> BooleanConv2d:
    take(fields, path, *_CONV, *_WINDOW)
    weight = known_bits(reader.value(fields["weight"], f"{path}.weight"), path)
    if not isinstance(fields["name"], str) or not isinstance(fields["centered"], bool):
        raise ModelFileError(f"{path}: name must be a string, centered true or false")
    dilation, image_shape, padding, size, stride = (_integers(fields, name, path) for name in _WINDOW)
    try:
        layer = BooleanConv2d(
            image_shape,
            weight.n_rows,
            size,  # type: ignore[arg-type]
            Gate.of(fields["gate"]),
            stride=stride,  # type: ignore[arg-type]
            padding=padding,  # type: ignore[arg-type]
            dilation=dilation,  # type: ignore[arg-type]
            padding_value=fields["padding_value"],
            bias=fields["bias"] is not None,
            centered=fields["centered"],
            random_state=0,
            name=fields["name"],
        )
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: {error}") from error
    parts = [(layer.weight, weight)]
    if layer.bias is not None:
        parts.append((layer.bias, known_bits(reader.value(fields["bias"], f"{path}.bias"), path)))
    for parameter, bits in parts:
        if bits.shape != parameter.bits.shape:
            raise ModelFileError(f"{path}: {parameter.name} must have shape {parameter.bits.shape}")
        parameter.bits = bits
    return layer


def _integers(fields: dict[str, Any], name: str, path: str) -> tuple[int, ...]:
    value = fields[name]
    n = 3 if name == "image_shape" else 2
    if not isinstance(value, list) or len(value) != n or not all(type(v) is int for v in value):
        raise ModelFileError(f"{path}: {name} must be a list of {n} integers")
    return tuple(value)


def _number_kind(cls: type[RealConv2d] | type[SignedConv2d], linear: type) -> Kind:
    """Return the kind of a convolution of numbers: a window, and a layer of the class `linear` on patches."""

    def to_fields(layer: Any, writer: Writer, path: str) -> dict[str, Any]:
        only(layer, path, ("linear", "name", "parameters", "real_parameters", "rows_together", "window"))
        window = {name: list(getattr(layer.window, name)) for name in _WINDOW}
        return {**window, "linear": writer.value(layer.linear, f"{path}.linear")}

    def from_fields(fields: dict[str, Any], reader: Reader, path: str) -> Any:
        take(fields, path, "linear", *_WINDOW)
        part = reader.value(fields["linear"], f"{path}.linear")
        try:
            window = SlidingWindow(**{name: _integers(fields, name, path) for name in _WINDOW})  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: {error}") from error
        if type(part) is not linear or part.n_inputs != window.patch_size:  # type: ignore[attr-defined]
            raise ModelFileError(f"{path}: linear must be a {linear.__name__} of {window.patch_size} inputs")
        return cls.on_windows(window, part)  # type: ignore[arg-type]

    return Kind(cls, to_fields, from_fields)


def _pool_kind(cls: type[MaxPool2d] | type[SumPool2d]) -> Kind:
    def to_fields(layer: Any, writer: Writer, path: str) -> dict[str, Any]:
        only(layer, path, ("image_shape", "size"))
        return {"image_shape": list(layer.image_shape), "size": layer.size}

    def from_fields(fields: dict[str, Any], reader: Reader, path: str) -> MaxPool2d | SumPool2d:
        take(fields, path, "image_shape", "size")
        try:
            return cls(_integers(fields, "image_shape", path), fields["size"])
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: {error}") from error

    return Kind(cls, to_fields, from_fields)


def _add_to(layer: Add, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("branches", "parameters", "rows_together"))
    return {
        "branches": [
            [writer.value(part, f"{path}.branches.{i}.{j}") for j, part in enumerate(branch)]
            for i, branch in enumerate(layer.branches)
        ]
    }


def _add_from(fields: dict[str, Any], reader: Reader, path: str) -> Add:
    branches = reader.value(take(fields, path, "branches")[0], f"{path}.branches")
    lists = isinstance(branches, list) and all(isinstance(branch, list) for branch in branches)
    if not lists or not all(isinstance(layer, Layer) for branch in branches for layer in branch):
        raise ModelFileError(f"{path}.branches: must be lists of layers")
    try:
        return Add(branches)
    except ValueError as error:
        raise ModelFileError(f"{path}: {error}") from error


IMAGE_KINDS: dict[str, Kind] = {
    "Add": Kind(Add, _add_to, _add_from),
    "BooleanConv2d": Kind(BooleanConv2d, _conv_to, _conv_from),
    "MaxPool2d": _pool_kind(MaxPool2d),
    "RealConv2d": _number_kind(RealConv2d, RealLinear),
    "SumPool2d": _pool_kind(SumPool2d),
    "SignedConv2d": _number_kind(SignedConv2d, SignedSum),
}
