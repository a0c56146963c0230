"""Layers of images in files: convolutions and pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.bits.windows import SlidingWindow
from bvar.calculus.gates import Gate
from bvar.layers import (
    BooleanConv2d,
    GateConv2d,
    GlobalMean,
    JoinChannels,
    Layer,
    MaxPool2d,
    OrPool2d,
    PixelShuffle,
    SignedConv2d,
    SignedSum,
    SumPool2d,
    Upsample2d,
)
from bvar.model_file._kinds import of_type, register, require
from bvar.model_file._layers import known_bits, put, refuse_other_votes

__all__ = ["MADE_OF_PART", "load_branches", "on_windows", "save_branches", "save_on_windows", "window_of"]


def _window_fields(window: SlidingWindow) -> dict[str, Any]:
    same = ("dilation", "image_shape", "padding", "stride")
    return {"size": list(window.kernel_size), **{name: list(getattr(window, name)) for name in same}}


def _integers(values: Any, n: int, name: str) -> Any:
    """Return a tuple of `n` integers."""
    fits = isinstance(values, list) and len(values) == n and all(type(v) is int for v in values)
    require(fits, f"{name} must be a list of {n} integers")
    return tuple(values)


def window_of(image_shape: Any, size: Any, stride: Any, padding: Any, dilation: Any) -> SlidingWindow:
    """Return the window that lists of integers describe."""
    return SlidingWindow(
        _integers(image_shape, 3, "image_shape"),
        _integers(size, 2, "size"),
        _integers(stride, 2, "stride"),
        _integers(padding, 2, "padding"),
        _integers(dilation, 2, "dilation"),
    )


def _save_conv(layer: BooleanConv2d) -> dict[str, Any]:
    refuse_other_votes(layer)
    return {
        **_window_fields(layer.window),
        "bias": None if layer.bias is None else layer.bias.bits,
        "centered": layer.centered,
        "gate": layer.gate.id,
        "name": layer.name,
        "padding_value": layer.padding_value,
        "weight": layer.weight.bits,
    }


def _load_conv(
    bias: Any,
    centered: Any,
    dilation: Any,
    gate: Any,
    image_shape: Any,
    name: Any,
    padding: Any,
    padding_value: Any,
    size: Any,
    stride: Any,
    weight: Any,
) -> BooleanConv2d:
    window = window_of(image_shape, size, stride, padding, dilation)
    n_filters = known_bits(weight, "weight").n_rows
    require(weight.n_bits == window.patch_size, f"weight must have {window.patch_size} columns")
    layer = BooleanConv2d(
        window.image_shape,
        n_filters,
        window.kernel_size,
        Gate.of(of_type(gate, int, "gate")),
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        padding_value=of_type(padding_value, int, "padding_value"),
        bias=bias is not None,
        centered=of_type(centered, bool, "centered"),
        random_state=0,
        name=of_type(name, str, "name"),
    )
    put(layer.weight, weight)
    if layer.bias is not None:
        put(layer.bias, bias, (1, n_filters))
    return layer


register(
    BooleanConv2d,
    save=_save_conv,
    load=_load_conv,
    made_again=("_edges", "parameters", "rows_together", "window"),
    takes="bits",
    gives="sums",
)


def save_on_windows(layer: Any) -> dict[str, Any]:
    """Return the fields of a convolution of numbers."""
    return {**_window_fields(layer.window), "linear": layer.linear}


def on_windows(cls: Any, window: SlidingWindow, linear: Any, part: type[Layer]) -> Any:
    """Make a convolution of numbers: a window, and a layer of the class `part` on patches."""
    fits = type(linear) is part and getattr(linear, "n_inputs", None) == window.patch_size
    require(fits, f"linear must be a {part.__name__} of {window.patch_size} inputs")
    return cls.on_windows(window, linear)


MADE_OF_PART = ("name", "parameters", "real_parameters", "rows_together", "window")
"""Attributes of such a convolution that come from its window and its linear layer."""

register(
    SignedConv2d,
    save=save_on_windows,
    load=lambda dilation, image_shape, linear, padding, size, stride: on_windows(
        SignedConv2d, window_of(image_shape, size, stride, padding, dilation), linear, SignedSum
    ),
    made_again=MADE_OF_PART,
    takes="numbers",
    gives="sums",
)

register(
    MaxPool2d,
    save=lambda layer: {"image_shape": list(layer.image_shape), "size": layer.size},
    load=lambda image_shape, size: MaxPool2d(_integers(image_shape, 3, "image_shape"), size),
    takes="sums",
    gives="sums",
)

register(
    SumPool2d,
    save=lambda layer: {"image_shape": list(layer.image_shape), "size": layer.size},
    load=lambda image_shape, size: SumPool2d(_integers(image_shape, 3, "image_shape"), size),
    takes="sums",
    gives="sums",
)

register(
    OrPool2d,
    save=lambda layer: {"image_shape": list(layer.image_shape), "size": layer.size},
    load=lambda image_shape, size: OrPool2d(_integers(image_shape, 3, "image_shape"), size),
    takes="bits",
    gives="bits",
)


register(
    PixelShuffle,
    save=lambda layer: {"factor": layer.factor, "image_shape": list(layer.image_shape)},
    load=lambda factor, image_shape: PixelShuffle(_integers(image_shape, 3, "image_shape"), factor),
    takes=("sums", "real sums"),
    gives="sums",  # or real ones, as it takes them
)

register(
    Upsample2d,
    save=lambda layer: {"factor": list(layer.factor), "image_shape": list(layer.image_shape)},
    load=lambda factor, image_shape: Upsample2d(
        _integers(image_shape, 3, "image_shape"), _integers(factor, 2, "factor")
    ),
    takes="bits",
    gives="bits",
)

register(
    GlobalMean,
    save=lambda layer: {
        "fan_out": layer.fan_out,
        "image_shape": list(layer.image_shape),
        "variance": layer.variance,
    },
    load=lambda fan_out, image_shape, variance: GlobalMean(
        _integers(image_shape, 3, "image_shape"), variance, fan_out
    ),
    made_again=("back_factor", "factor"),
    takes="sums",
    gives="numbers",
)


def save_branches(layer: JoinChannels) -> dict[str, Any]:
    """Return the fields of joined channels."""
    return {"branches": [list(branch) for branch in layer.branches], "n_places": layer.n_places}


def load_branches(cls: Any, branches: Any, n_places: Any) -> Any:
    """Make joined channels of lists of layers."""
    lists = isinstance(branches, list) and all(isinstance(branch, list) for branch in branches)
    require(
        lists and all(isinstance(layer, Layer) for branch in branches for layer in branch),
        "branches must be lists of layers",
    )
    return cls(branches, n_places)


register(
    JoinChannels,
    save=save_branches,
    load=lambda branches, n_places: load_branches(JoinChannels, branches, n_places),
    made_again=("parameters", "rows_together"),
    takes=("bits", "sums"),
    gives="bits",
)


def _save_gate_conv(layer: GateConv2d) -> dict[str, Any]:
    refuse_other_votes(layer, rms=layer.damping, is_clipped=False)
    fields = _window_fields(layer.window)
    del fields["dilation"]
    return {
        **fields,
        "damping": layer.damping,
        "fan_in": layer.fan_in,
        "leaves": layer.leaves,
        "name": layer.name,
        "tables": [table.bits for table in layer.tables],
        **({"fixed": True} if layer.fixed else {}),
    }


def _load_gate_conv(
    damping: Any,
    fan_in: Any,
    image_shape: Any,
    leaves: Any,
    name: Any,
    padding: Any,
    size: Any,
    stride: Any,
    tables: Any,
    fixed: Any = False,
) -> GateConv2d:
    window = window_of(image_shape, size, stride, padding, [1, 1])
    fits = isinstance(leaves, np.ndarray) and leaves.dtype == np.int32 and leaves.ndim == 2
    require(fits, "leaves must be an int32 matrix")
    require(isinstance(tables, list) and tables, "tables must be a list of bits")
    layer = GateConv2d(
        window.image_shape,
        len(leaves),
        window.kernel_size,
        depth=len(tables),
        fan_in=of_type(fan_in, int, "fan_in"),
        stride=window.stride,
        padding=window.padding,
        leaves=leaves,
        pass_through=0,
        damping=of_type(damping, int, "damping"),
        fixed=of_type(fixed, bool, "fixed"),
        random_state=0,
        name=of_type(name, str, "name"),
    )
    for parameter, bits in zip(layer.tables, tables, strict=True):
        put(parameter, bits, parameter.shape)
    return layer


register(
    GateConv2d,
    save=_save_gate_conv,
    load=_load_gate_conv,
    made_again=("parameters", "window", "wirings"),
    takes="bits",
    gives="bits",
)
