"""How one class is saved: its kind, and what the functions of all kinds need."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bvar.bits import BitMatrix
from bvar.layers import Layer
from bvar.model_file._container import ModelFileError
from bvar.model_file._values import Reader, Writer

__all__ = ["Kind", "check_parameters", "described", "known_bits", "only", "plain_kind", "take"]


class Kind(NamedTuple):
    """How one class is saved."""

    cls: type
    to_fields: Callable[[Any, Writer, str], dict[str, Any]]
    from_fields: Callable[[dict[str, Any], Reader, str], Any]


def plain_kind(cls: type, *names: str) -> Kind:
    """Return the kind of a class that is its attributes `names`."""

    def to_fields(value: Any, writer: Writer, path: str) -> dict[str, Any]:
        only(value, path, names)
        return {name: writer.value(getattr(value, name), f"{path}.{name}") for name in names}

    def from_fields(fields: dict[str, Any], reader: Reader, path: str) -> Any:
        take(fields, path, *names)
        values = {name: reader.value(v, f"{path}.{name}") for name, v in fields.items()}
        result: Any = object.__new__(cls)
        vars(result).update(values)
        return result

    return Kind(cls, to_fields, from_fields)


def only(value: Any, path: str, names: Iterable[str]) -> None:
    """Refuse to lose an attribute that the format does not know."""
    more = sorted(set(vars(value)) - set(names))
    if more:
        raise TypeError(f"{path}: a model file cannot hold the attributes {more} of {described(value)}")


def check_parameters(layer: Layer, path: str) -> None:
    """Refuse to lose an attribute of a Boolean or real parameter."""
    for parameter in layer.parameters:
        only(parameter, path, ("name", "bits", "rms", "n_places", "_prepared"))
    for real in getattr(layer, "real_parameters", ()):
        only(real, path, ("name", "values", "n_places"))


def take(fields: dict[str, Any], path: str, *names: str) -> list[Any]:
    if set(fields) != set(names):
        raise ModelFileError(f"{path}: must have the fields {sorted(names)}, has {sorted(fields)[:20]}")
    return [fields[name] for name in names]


def known_bits(bits: Any, path: str) -> BitMatrix:
    if not isinstance(bits, BitMatrix) or bits.known is not None or not all(bits.shape):
        raise ModelFileError(f"{path}: weights must be bits, none missing, at least one")
    return bits


def described(value: Any) -> str:
    if inspect.isroutine(value):
        return f"the function {getattr(value, '__name__', '?')}"
    return f"an object of type {type(value).__module__}.{type(value).__qualname__}"
