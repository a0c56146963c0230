"""Boolean layers in files: linear ones, gates, sums, thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate
from bvar.layers import (
    Add,
    BooleanLinear,
    Choice,
    Concatenate,
    GateLayer,
    GroupSum,
    Layer,
    Offset,
    Parameter,
    SignalScale,
    SignedSum,
    Threshold,
)
from bvar.model_file._kinds import of_type, register, require

__all__ = ["known_bits", "put", "whole_numbers"]


def known_bits(bits: Any, name: str) -> BitMatrix:
    """Return bits that can be weights."""
    require(
        isinstance(bits, BitMatrix) and bits.known is None and all(bits.shape),
        f"{name} must be bits, none missing, at least one",
    )
    return bits


def put(parameter: Parameter, bits: Any, shape: tuple[int, int] | None = None) -> None:
    """Replace the bits of a parameter by those of a file."""
    known = known_bits(bits, parameter.name)
    require(known.shape == (shape or known.shape), f"{parameter.name} must have shape {shape}, got {known.shape}")
    parameter.bits = known


def whole_numbers(values: Any, dtype: type[np.generic], high: int, name: str) -> np.ndarray:
    """Return integers in [0, high]: a curve, or a table of exponentials."""
    fits = isinstance(values, np.ndarray) and values.dtype == dtype and values.ndim == 1 and values.size
    require(
        fits and int(values.min()) >= 0 and int(values.max()) <= high,
        f"{name} must be {np.dtype(dtype)} in [0, {high}], at least one",
    )
    return values


def refuse_other_votes(layer: Layer, *, rms: int = 1, is_clipped: bool = True) -> None:
    """Refuse to lose that somebody has made parameters count votes otherwise than a file will say."""
    for parameter in layer.parameters:
        if isinstance(parameter, Parameter) and (parameter.rms, parameter.is_clipped) != (rms, is_clipped):
            raise TypeError(
                f"{parameter.name} must have rms {rms} and is_clipped {is_clipped}, as its layer made it: a model "
                f"file holds nothing else, got {parameter.rms!r} and {parameter.is_clipped!r}"
            )


def _save_linear(layer: BooleanLinear) -> dict[str, Any]:
    refuse_other_votes(layer)
    return {
        "bias": None if layer.bias is None else layer.bias.bits,
        "centered": layer.centered,
        "gate": layer.gate.id,
        "name": layer.name,
        "weight": layer.weight.bits,
        **({} if layer.offset is None else {"offset": layer.offset}),  # files without offsets stay as they were
    }


register(Offset, check=lambda offset: Offset(offset.name, offset.values, offset.n_terms, rate=offset.rate))


def _load_linear(
    bias: Any, gate: Any, name: Any, weight: Any, centered: Any = False, offset: Any = None
) -> BooleanLinear:
    n_outputs, n_inputs = known_bits(weight, "weight").shape
    layer = BooleanLinear(  # the smallest layer of the right form, whose random bits are replaced
        *(1, 1, Gate.of(of_type(gate, int, "gate"))),
        bias=bias is not None,
        centered=of_type(centered, bool, "centered"),
        random_state=0,
        name=of_type(name, str, "name"),
    )
    put(layer.weight, weight)
    if layer.bias is not None:
        put(layer.bias, bias, (1, n_outputs))
    if offset is not None:
        layer.offset = of_type(offset, Offset, "offset")
        layer.parameters = (*layer.parameters, offset)
    require(n_inputs <= kernels.MAX_BITS and n_outputs <= kernels.MAX_TERMS, "weight has too many rows or columns")
    return layer


def _check_linear(layer: BooleanLinear) -> None:
    if layer.offset is not None:
        fits = layer.offset.shape == (layer.n_outputs,) and layer.offset.n_terms == layer.n_inputs
        require(fits, f"offset must have {layer.n_outputs} values, of sums of {layer.n_inputs} terms")


register(
    BooleanLinear,
    save=_save_linear,
    load=_load_linear,
    check=_check_linear,
    made_again=("parameters", "offset"),  # the latter is a field where there is one
    takes="bits",
    gives="sums",
)


def _load_choice(candidates: Any, n_units: Any, name: Any, rate: Any, values: Any) -> Choice:
    fits = isinstance(candidates, np.ndarray) and candidates.dtype == np.int32
    require(fits, "candidates must be int32")
    units = kernels.Candidates(candidates, of_type(n_units, int, "n_units"))
    return Choice(of_type(name, str, "name"), units, values, rate=rate)


register(
    Choice,
    save=lambda choice: {
        "candidates": choice.candidates.units,
        "n_units": choice.candidates.n_units,
        "name": choice.name,
        "rate": choice.rate,
        "values": choice.values,
    },
    load=_load_choice,
    made_again=("_wiring",),
)


def _load_gates(
    n_inputs: Any, name: Any, table: Any, wires: Any = None, is_clipped: Any = True, choice: Any = None
) -> GateLayer:
    require((wires is None) != (choice is None), "must have either wires or a choice")
    if choice is not None:
        wires = of_type(choice, Choice, "choice").wiring.wires
        require(choice.candidates.n_units == n_inputs, f"choice must be among {n_inputs} inputs")
    fits = isinstance(wires, np.ndarray) and wires.dtype == np.int32 and wires.ndim == 2
    fits = fits and 1 <= wires.shape[1] <= kernels.MAX_FAN_IN
    require(fits, f"wires must be an int32 matrix of 1 to {kernels.MAX_FAN_IN} columns")
    of_type(n_inputs, int, "n_inputs"), of_type(name, str, "name")
    shape = (len(wires), 1 << wires.shape[1])
    require(known_bits(table, "table").shape == shape, f"table must have shape {shape}, 2**fan_in columns")
    layer = GateLayer(n_inputs, *wires.shape, wires=wires, pass_through=0, random_state=0, name=name)
    if choice is not None:
        layer.choose(choice)
    layer.table.is_clipped = of_type(is_clipped, bool, "is_clipped")
    put(layer.table, table)
    return layer


def _save_gates(layer: GateLayer) -> dict[str, Any]:
    refuse_other_votes(layer, is_clipped=layer.table.is_clipped)
    return {
        "n_inputs": layer.n_inputs,
        "name": layer.name,
        "table": layer.table.bits,
        **({"wires": layer.wires} if layer.choice is None else {"choice": layer.choice}),
        **({} if layer.table.is_clipped else {"is_clipped": False}),
    }


register(
    GateLayer,
    save=_save_gates,
    load=_load_gates,
    made_again=("parameters", "choice", "_wiring"),
    takes="bits",
    gives="bits",
)

register(
    GroupSum,
    save=lambda layer: {"n_groups": layer.n_outputs, "n_inputs": layer.n_inputs},
    load=lambda n_groups, n_inputs: GroupSum(n_inputs, n_groups),
    made_again=("n_outputs",),
    takes="bits",
    gives="sums",
)


def _load_signed(name: Any, rms: Any, weight: Any) -> SignedSum:
    layer = SignedSum(1, 1, rms=of_type(rms, int, "rms"), random_state=0, name=of_type(name, str, "name"))
    put(layer.weight, weight)
    return layer


def _save_signed(layer: SignedSum) -> dict[str, Any]:
    refuse_other_votes(layer, rms=layer.weight.rms)
    return {"name": layer.name, "rms": layer.weight.rms, "weight": layer.weight.bits}


register(
    SignedSum,
    save=_save_signed,
    load=_load_signed,
    made_again=("parameters",),
    takes="numbers",
    gives="sums",
)


def _load_threshold(shift: Any, table: Any, tau: Any) -> Threshold:
    require(shift == Threshold.SHIFT, f"shift must be {Threshold.SHIFT}, got {str(shift)[:30]}")
    fits = isinstance(tau, np.ndarray) and tau.dtype == np.int32 and tau.ndim == 1 and tau.size
    require(fits, "tau must be int32, of one dimension")
    layer = object.__new__(Threshold)  # a file keeps the curve, not the formula that a constructor wants
    layer.curve, layer.tau = whole_numbers(table, np.int32, 2**30, "table"), tau
    return layer


register(
    Threshold,
    save=lambda layer: {"shift": Threshold.SHIFT, "table": layer.curve, "tau": layer.tau},
    load=_load_threshold,
    made_again=("curve", "_formula"),
    takes="sums",
    gives="bits",
)


def _load_add(branches: Any) -> Add:
    lists = isinstance(branches, list) and all(isinstance(branch, list) for branch in branches)
    require(
        lists and all(isinstance(layer, Layer) for branch in branches for layer in branch),
        "branches must be lists of layers",
    )
    return Add(branches)


register(SignalScale, made_again=("factor",), takes="bits", gives="bits")


def _load_concatenate(layers: Any) -> Concatenate:
    require(
        isinstance(layers, list) and all(isinstance(layer, Layer) for layer in layers),
        "layers must be a list of layers",
    )
    return Concatenate(layers)


register(
    Concatenate,
    save=lambda layer: {"layers": list(layer.layers)},
    load=_load_concatenate,
    made_again=("parameters", "rows_together"),
    takes="bits",
    gives="bits",
)

register(
    Add,
    save=lambda layer: {"branches": [list(branch) for branch in layer.branches]},
    load=_load_add,
    made_again=("parameters", "rows_together"),
    takes="bits",
    gives="sums",
)
