"""What C and ONNX share: what can be exported, who writes a layer, and what is added to its sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from bvar import kernels
from bvar.encoding import BitEncoder
from bvar.export.c_answers import Answer, Best, Positive, Scaled
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    Concatenate,
    GateConv2d,
    GateLayer,
    GroupSum,
    Layer,
    MaxPool2d,
    OrPool2d,
    SignalScale,
    SumPool2d,
    Threshold,
)
from bvar.real import RealLayer

__all__ = ["LayeredNetwork", "check_network", "shift_of", "writer_of"]

Writer = TypeVar("Writer")

_FLOWS: Mapping[type[Layer], tuple[str, str]] = {
    Add: ("bits", "sums"),
    BooleanConv2d: ("bits", "sums"),
    BooleanLinear: ("bits", "sums"),
    Concatenate: ("bits", "bits"),
    GateConv2d: ("bits", "bits"),
    GateLayer: ("bits", "bits"),
    GroupSum: ("bits", "sums"),
    MaxPool2d: ("sums", "sums"),
    OrPool2d: ("bits", "bits"),
    SignalScale: ("bits", "bits"),
    SumPool2d: ("sums", "sums"),
    Threshold: ("sums", "bits"),
}
"""What the layers that can be exported take and give."""


class LayeredNetwork(Protocol):
    """A network: a :class:`bvar.networks.Network`, or anything with its layers."""

    @property
    def layers(self) -> Sequence[Layer]:
        """From the input to the scores."""


def check_network(network: LayeredNetwork, encoder: BitEncoder | None, answer: Answer | None) -> int:
    """Refuse what is no network, no encoder of it and no answer; return the number of inputs."""
    layers = getattr(network, "layers", None)
    if not isinstance(layers, Sequence) or not layers or not isinstance(layers[0], Layer):
        raise TypeError(f"network must be a network with layers, got {type(network).__name__}")
    if answer is not None and not isinstance(answer, Best | Positive | Scaled):
        raise TypeError(f"answer must be Best, Positive, Scaled or None, got {type(answer).__name__}")
    if encoder is not None and not isinstance(encoder, BitEncoder):
        raise TypeError(f"encoder must be a fitted encoder or None, got {type(encoder).__name__}")
    n_inputs = getattr(layers[0], "n_inputs", None)
    if not isinstance(n_inputs, int):
        raise TypeError(f"network must begin with a layer that can be exported, got {type(layers[0]).__name__}")
    if encoder is not None and encoder.n_bits_out_ != n_inputs:
        raise ValueError(
            f"encoder must give {n_inputs} bits, the inputs of network, it gives {encoder.n_bits_out_}"
        )
    if _follow(layers, n_inputs, "bits")[1] == "bits":
        last = type(layers[-1]).__name__
        raise ValueError(f"network must end in a layer that gives sums, which are the scores, got {last}")
    return n_inputs


def _follow(layers: Sequence[Layer], n: int, what: str) -> tuple[int, str]:
    """Refuse a layer that does not take what comes from the one before; return how many of what come out.

    Whoever writes layers trusts them: C would read past the end of an array.
    """
    for layer in layers:
        if type(layer) not in _FLOWS:  # who is to write it says why it cannot be written
            return n, ""
        takes, gives = _FLOWS[type(layer)]
        wanted = getattr(layer, "n_inputs", getattr(layer, "n_units", n))
        if (wanted, takes) != (n, what):
            raise ValueError(
                f"network must have layers that follow each other, got {type(layer).__name__} of {wanted} {takes} "
                f"after {n} {what}"
            )
        n, what = _made(layer, n, gives)
        if not what:
            break
    return n, what


def _made(layer: Layer, n: int, gives: str) -> tuple[int, str]:
    """Return how many of what a layer makes of `n` bits or sums, which it takes."""
    stacks = layer.branches if isinstance(layer, Add) else [layer.layers] if isinstance(layer, Concatenate) else []
    ends = [_follow(stack, n, "bits") for stack in stacks]
    if any(not what for _, what in ends):
        return n, ""
    if any(end != (ends[0][0], gives) for end in ends):
        raise ValueError(
            f"network must have layers that fit, got {type(layer).__name__} of stacks that end in "
            f"{', '.join(f'{many} {what}' for many, what in ends)}"
        )
    return n + ends[0][0] if isinstance(layer, Concatenate) else getattr(layer, "n_outputs", n), gives


def writer_of(writers: Mapping[type[Layer], Writer], layer: Layer, form: str) -> Writer:
    """Find who writes a layer, by its type: a subclass may compute otherwise."""
    if type(layer) not in writers:
        floats = ": what real weights give depends on the machine" if isinstance(layer, RealLayer) else ""
        raise TypeError(
            "network must have Boolean layers of bvar.layers that take bits or sums, got "
            f"{type(layer).__name__}, for which there is no {form}{floats}"
        )
    return writers[type(layer)]


def shift_of(bias: Any, offset: Any) -> np.ndarray:
    """Add up what bias and offset add to sums, int32; one zero where there is neither."""
    shift: np.ndarray = np.zeros(1, np.int32) if offset is None else offset.values
    return shift if bias is None else shift + kernels.unpack_ternary(bias.bits)[0].astype(np.int32)
