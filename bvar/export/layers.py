"""What C and ONNX share: what can be exported, who writes a layer, and what is added to its sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from bvar import kernels
from bvar.encoding import BitEncoder
from bvar.export.c_answers import Answer, Best, Positive, Scaled
from bvar.layers import Layer
from bvar.real import RealLayer

__all__ = ["LayeredNetwork", "check_network", "shift_of", "writer_of"]

Writer = TypeVar("Writer")


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
    return n_inputs


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
