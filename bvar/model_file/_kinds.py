"""Which objects a file may hold, and how each is taken apart and put together.

A kind has a name, which files keep for ever, and two functions.  Estimators and encoders follow one rule, that of
scikit-learn: parameters go to the constructor, everything learnt is an attribute.  Layers, losses and the
optimizer are listed one by one, because files for other languages depend on their fields.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

import bvar.encoding
import bvar.estimators
from bvar.bits.random import RandomWords
from bvar.calculus.gates import Gate
from bvar.layers import BooleanLinear, GateLayer, GroupSum, Layer, Threshold
from bvar.model_file._checks import check_consistent
from bvar.model_file._container import ModelFileError
from bvar.model_file._images import IMAGE_KINDS
from bvar.model_file._kind import Kind, check_parameters, described, known_bits, only, plain_kind, take
from bvar.model_file._real import REAL_KINDS
from bvar.model_file._values import Reader, Writer
from bvar.mollify import CosineSchedule, LinearSchedule, Mollifier, SigmoidSchedule, ThresholdAnnealing
from bvar.networks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.real import Adam, RealLayer, RealTrainer
from bvar.training.augmentation import RandomFlip, RandomRotation, RandomShift

__all__ = ["KINDS", "from_state", "to_state"]

_ATTRIBUTE = re.compile(r"_?[a-z][a-z0-9_]*")


def to_state(value: Any, writer: Writer, path: str) -> dict[str, Any]:
    """Describe an object by its kind and the fields of that kind."""
    name = type(value).__name__
    kind = KINDS.get(name)
    if kind is None or type(value) is not kind.cls:  # a subclass may behave differently
        raise TypeError(
            f"{path}: a model file cannot hold {described(value)}; it can hold numbers, text, arrays, "
            f"and {', '.join(sorted(KINDS))}. Set it to None, or keep the model with pickle"
        )
    return {"fields": kind.to_fields(value, writer, path), "kind": name}


def from_state(state: dict[str, Any], reader: Reader, path: str) -> Any:
    """Make an object from its kind and fields."""
    if set(state) != {"fields", "kind"} or not isinstance(state["fields"], dict):
        raise ModelFileError(f"{path}: an object must have a kind and fields")
    kind = KINDS.get(state["kind"])
    if kind is None:
        raise ModelFileError(f"{path}: unknown kind {str(state['kind'])[:60]!r}: a newer bvar may be needed")
    result = kind.from_fields(state["fields"], reader, path)
    check_consistent(result, path)
    return result


# --------------------------------------------------------------------------------- estimators and encoders


def _estimator_kind(cls: type[BaseEstimator]) -> Kind:
    def to_fields(value: BaseEstimator, writer: Writer, path: str) -> dict[str, Any]:
        # parameters first: a message then names what the user has set; sorted: equal models give equal files
        parameters = value.get_params(deep=False)
        learnt = sorted(set(vars(value)) - set(parameters))
        return {
            "parameters": {name: writer.value(v, f"{path}.{name}") for name, v in sorted(parameters.items())},
            "attributes": {
                name: writer.value(getattr(value, name), f"{path}.{name}")
                for name in learnt
                if writer.training_state or not isinstance(getattr(value, name), RandomWords)
            },
        }

    def from_fields(fields: dict[str, Any], reader: Reader, path: str) -> BaseEstimator:
        attributes, parameters = take(fields, path, "attributes", "parameters")
        unknown = sorted(set(parameters) - set(cls._get_param_names()))
        if unknown:
            raise ModelFileError(f"{path}: unknown parameters {unknown[:5]}: a newer bvar may be needed")
        # parameters that came after the file was written get their defaults
        result = cls(**{name: reader.value(v, f"{path}.{name}") for name, v in parameters.items()})
        for name, v in attributes.items():
            if not _ATTRIBUTE.fullmatch(name) or name in vars(result) or _is_code(cls, name):
                raise ModelFileError(f"{path}: {name[:60]!r} cannot be an attribute")
            setattr(result, name, reader.value(v, f"{path}.{name}"))
        return result

    return Kind(cls, to_fields, from_fields)


def _is_code(cls: type, name: str) -> bool:
    """Whether an attribute would hide a method or a property."""
    value = inspect.getattr_static(cls, name, None)
    return callable(value) or hasattr(value, "__get__")


# ------------------------------------------------------------------------------------- networks and layers


def _table_kind(cls: type, shift: int, *names: str) -> Kind:
    """Return the kind of a class with tables of fixed-point numbers, `shift` bits behind the point."""
    plain = plain_kind(cls, *names)

    def to_fields(value: Any, writer: Writer, path: str) -> dict[str, Any]:
        return {**plain.to_fields(value, writer, path), "shift": shift}

    def from_fields(fields: dict[str, Any], reader: Reader, path: str) -> Any:
        take(fields, path, *names, "shift")
        if fields["shift"] != shift:
            raise ModelFileError(f"{path}: shift must be {shift}, got {str(fields['shift'])[:30]}")
        return plain.from_fields({name: fields[name] for name in names}, reader, path)

    return Kind(cls, to_fields, from_fields)


def _threshold_to(layer: Threshold, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("curve", "tau", "_formula"))  # the formula is for training alone
    return {
        "table": writer.value(layer.curve, f"{path}.table"),  # as files have called it from the first
        "tau": writer.value(layer.tau, f"{path}.tau"),
        "shift": Threshold.SHIFT,
    }


def _threshold_from(fields: dict[str, Any], reader: Reader, path: str) -> Threshold:
    shift, table, tau = take(fields, path, "shift", "table", "tau")
    if shift != Threshold.SHIFT:
        raise ModelFileError(f"{path}: shift must be {Threshold.SHIFT}, got {str(shift)[:30]}")
    layer: Threshold = object.__new__(Threshold)
    layer.curve, layer.tau = reader.value(table, f"{path}.table"), reader.value(tau, f"{path}.tau")
    return layer


def _linear_to(layer: BooleanLinear, writer: Writer, path: str) -> dict[str, Any]:
    nothing = ("offset",) if layer.offset is None else ()  # an attribute that is None is not lost
    only(layer, path, ("gate", "name", "weight", "bias", "centered", "parameters", *nothing))
    check_parameters(layer, path)
    return {
        "bias": None if layer.bias is None else writer.value(layer.bias.bits, f"{path}.bias"),
        "centered": layer.centered,
        "gate": layer.gate.id,
        "name": layer.name,
        "weight": writer.value(layer.weight.bits, f"{path}.weight"),
    }


def _linear_from(fields: dict[str, Any], reader: Reader, path: str) -> BooleanLinear:
    # files written before votes could be centred do not have the field
    fields = {"centered": False, **fields}
    bias, centered, gate_id, name, weight = take(fields, path, "bias", "centered", "gate", "name", "weight")
    if not isinstance(name, str) or not isinstance(centered, bool):
        raise ModelFileError(f"{path}: name must be a string, centered true or false")
    weight = known_bits(reader.value(weight, f"{path}.weight"), path)
    # the smallest layer of the right kind, whose random bits are replaced
    layer = BooleanLinear(
        1, 1, Gate.of(gate_id), bias=bias is not None, centered=centered, random_state=0, name=name
    )
    layer.weight.bits = weight
    if layer.bias is not None:
        layer.bias.bits = known_bits(reader.value(bias, f"{path}.bias"), path)
        if layer.bias.bits.shape != (1, weight.n_rows):
            raise ModelFileError(f"{path}: bias must have shape {(1, weight.n_rows)}")
    return layer


def _gates_to(layer: GateLayer, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("name", "parameters", "table", "wiring"))
    check_parameters(layer, path)
    return {
        "n_inputs": layer.n_inputs,
        "name": layer.name,
        "table": writer.value(layer.table.bits, f"{path}.table"),
        "wires": writer.value(layer.wires, f"{path}.wires"),
    }


def _gates_from(fields: dict[str, Any], reader: Reader, path: str) -> GateLayer:
    n_inputs, name, table, wires = take(fields, path, "n_inputs", "name", "table", "wires")
    table, wires = reader.value(table, f"{path}.table"), reader.value(wires, f"{path}.wires")
    fits = isinstance(wires, np.ndarray) and wires.dtype == np.int32 and wires.ndim == 2
    if not fits or not isinstance(name, str) or type(n_inputs) is not int:
        raise ModelFileError(f"{path}: wires must be an int32 matrix, name a string, n_inputs an integer")
    if known_bits(table, path).shape != (len(wires), 1 << wires.shape[1]):
        raise ModelFileError(f"{path}: table must have a row for each gate and 2**fan_in columns")
    try:
        layer = GateLayer(n_inputs, *wires.shape, wires=wires, pass_through=0, random_state=0, name=name)
    except ValueError as error:
        raise ModelFileError(f"{path}: {error}") from error
    layer.table.bits = table
    return layer


def _sums_to(layer: GroupSum, writer: Writer, path: str) -> dict[str, Any]:
    only(layer, path, ("n_inputs", "n_outputs"))
    return {"n_groups": layer.n_outputs, "n_inputs": layer.n_inputs}


def _sums_from(fields: dict[str, Any], reader: Reader, path: str) -> GroupSum:
    n_groups, n_inputs = take(fields, path, "n_groups", "n_inputs")
    try:
        return GroupSum(n_inputs, n_groups)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: {error}") from error


def _optimizer_to(optimizer: BooleanOptimizer, writer: Writer, path: str) -> dict[str, Any]:
    settings, progress = ("clip", "eta", "n_steps"), ("beta", "m", "step_count")
    only(optimizer, path, settings + progress)
    names = settings + progress if writer.training_state else settings
    return {name: writer.value(getattr(optimizer, name), f"{path}.{name}") for name in names}


def _optimizer_from(fields: dict[str, Any], reader: Reader, path: str) -> BooleanOptimizer:
    progress = [] if "m" not in fields else ["beta", "m", "step_count"]
    take(fields, path, "clip", "eta", "n_steps", *progress)
    values = {name: reader.value(v, f"{path}.{name}") for name, v in fields.items()}
    optimizer = BooleanOptimizer(values["eta"], clip=values["clip"], n_steps=values["n_steps"])
    for name in progress:
        setattr(optimizer, name, values[name])
    return optimizer


def _network_to(network: Network, writer: Writer, path: str) -> dict[str, Any]:
    only(network, path, ("layers", "loss", "optimizer", "real"))
    adam = (
        {"adam": writer.value(network.real.adam, f"{path}.adam")} if isinstance(network.real, RealTrainer) else {}
    )
    return {
        **adam,
        "layers": [writer.value(layer, f"{path}.layers.{i}") for i, layer in enumerate(network.layers)],
        "loss": writer.value(network.loss, f"{path}.loss"),
        "optimizer": writer.value(network.optimizer, f"{path}.optimizer"),
    }


def _network_from(fields: dict[str, Any], reader: Reader, path: str) -> Network:
    names = ("adam", "layers", "loss", "optimizer")
    values = take({"adam": None, **fields}, path, *names)  # only networks with real parameters have the first
    adam, layers, loss, optimizer = (
        reader.value(v, f"{path}.{name}") for name, v in zip(names, values, strict=True)
    )
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, Layer) for layer in layers):
        raise ModelFileError(f"{path}.layers: must be a list of layers")
    if not isinstance(loss, Loss) or not isinstance(optimizer, BooleanOptimizer):
        raise ModelFileError(f"{path}: loss or optimizer is something else")
    if (adam is None) == any(isinstance(layer, RealLayer) for layer in layers) or not isinstance(
        adam, Adam | None
    ):
        raise ModelFileError(f"{path}: adam must be there for real parameters, and only for them")
    return Network(layers, loss, optimizer, adam)


# ----------------------------------------------------------------------------------------------- odds, ends


def _random_to(source: RandomWords, writer: Writer, path: str) -> dict[str, Any]:
    state: Any = source.words.state
    if state["bit_generator"] != "PCG64" or state["has_uint32"]:
        raise TypeError(f"{path}: cannot save this state of a generator of random numbers")
    return {name: writer.value(int(state["state"][name]), f"{path}.{name}") for name in ("inc", "state")}


def _random_from(fields: dict[str, Any], reader: Reader, path: str) -> RandomWords:
    inc, state = (reader.value(v, path) for v in take(fields, path, "inc", "state"))
    source = RandomWords(0)
    source.words.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": inc},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return source


def _estimators() -> dict[str, Kind]:
    """Every public estimator and encoder: a new one can be saved without a change here."""
    found = {}
    for module in (bvar.encoding, bvar.estimators):
        for name in module.__all__:
            cls = getattr(module, name)
            if inspect.isclass(cls) and issubclass(cls, BaseEstimator) and hasattr(cls, "fit"):
                found[name] = _estimator_kind(cls)
    return found


def _fields(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


KINDS: dict[str, Kind] = {
    **_estimators(),
    **IMAGE_KINDS,
    **REAL_KINDS,
    "BinaryCrossEntropy": _table_kind(BinaryCrossEntropy, BinaryCrossEntropy.BITS, "table"),
    "BooleanLinear": Kind(BooleanLinear, _linear_to, _linear_from),
    "BooleanOptimizer": Kind(BooleanOptimizer, _optimizer_to, _optimizer_from),
    "CrossEntropy": _table_kind(CrossEntropy, CrossEntropy.BITS, "table"),
    "GateLayer": Kind(GateLayer, _gates_to, _gates_from),
    "GroupSum": Kind(GroupSum, _sums_to, _sums_from),
    "CosineSchedule": plain_kind(CosineSchedule, *_fields(CosineSchedule)),
    "LinearSchedule": plain_kind(LinearSchedule, *_fields(LinearSchedule)),
    "Mollifier": _estimator_kind(Mollifier),
    "SigmoidSchedule": plain_kind(SigmoidSchedule, *_fields(SigmoidSchedule)),
    "Network": Kind(Network, _network_to, _network_from),
    "RandomFlip": _estimator_kind(RandomFlip),
    "RandomRotation": _estimator_kind(RandomRotation),
    "RandomShift": _estimator_kind(RandomShift),
    "RandomWords": Kind(RandomWords, _random_to, _random_from),
    "SquaredError": plain_kind(SquaredError, "scale"),
    "Threshold": Kind(Threshold, _threshold_to, _threshold_from),
    "ThresholdAnnealing": plain_kind(ThresholdAnnealing, *_fields(ThresholdAnnealing)),
}
