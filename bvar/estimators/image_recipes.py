"""What networks of images are: how parameters of estimators become convolutions, and what these take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bvar._validation import check_integer, check_sizes
from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, ImageEncoder
from bvar.estimators.recipes import Gates, Recipe
from bvar.kernels import MAX_FAN_IN, MAX_TERMS
from bvar.layers import BooleanConv2d, Concatenate, GateConv2d
from bvar.networks.conv import check_conv_layers, conv_network
from bvar.networks.gate_conv import check_comparisons, check_kernel_sizes, gate_conv_network
from bvar.networks.gates import check_wiring
from bvar.networks.losses import Loss
from bvar.networks.network import Network

__all__ = ["Convolutions", "GateConvolutions"]


@dataclass(frozen=True)
class Convolutions(Recipe):
    """Convolutions, pools and linear layers, for images of a shape that is known once there are samples."""

    conv_layers: Sequence[Any]
    hidden_layer_sizes: int | Sequence[int]
    kernel_size: int
    eta: float
    image_shape: tuple[int, int, int] | None

    def check(self) -> None:
        """Check the sizes."""
        check_conv_layers(self.conv_layers, "conv_layers")
        check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", most=MAX_TERMS)
        check_integer(self.kernel_size, "kernel_size", low=1)

    def check_same(self, network: Network) -> None:
        """Compare the sizes of layers."""
        first = network.layers[0]
        assert isinstance(first, BooleanConv2d)  # noqa: S101 - narrows the type
        n_outputs = network.layers[-1].n_outputs  # type: ignore[attr-defined]
        if _form(network) != _form(self._network(first.window.image_shape, n_outputs, RandomWords(0))):
            raise ValueError(
                f"conv_layers {self.conv_layers!r}, hidden_layer_sizes {self.hidden_layer_sizes!r} and "
                f"kernel_size {self.kernel_size} are not those of the network to go on with; "
                "warm_start=False starts anew"
            )

    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Build a network for the images of the encoder."""
        network = self._network(_encoded_shape(self.image_shape, widths), n_outputs, source)
        network.loss = make_loss(network.layers[-1].n_inputs)  # type: ignore[attr-defined]
        return network

    def encoder(self, n_features: int) -> BitEncoder:
        """Ask the same questions of every pixel."""
        return _image_encoder(self.image_shape)

    def _network(self, image_shape: tuple[int, ...], n_outputs: int, source: RandomWords) -> Network:
        sizes = (self.conv_layers, self.hidden_layer_sizes, n_outputs)
        return conv_network(image_shape, *sizes, kernel_size=self.kernel_size, eta=self.eta, random_state=source)


@dataclass(frozen=True)
class GateConvolutions(Gates):
    """Convolutions of gates and or-pools before the layers of truth tables, for images of a known shape."""

    conv_layers: Sequence[Any] = ()
    kernel_size: int | Sequence[int] = 3
    depth: int = 1
    head_fan_in: int = 2
    skip: bool = False
    literals: int | None = None
    comparisons: int | None = None
    fixed_trees: bool = False
    pool_size: int = 2
    damping: int = 1
    image_shape: tuple[int, int, int] | None = None

    def check(self) -> None:
        """Check the sizes."""
        check_wiring(self.wires.wiring, self.wires.candidates, "head_")
        super().check()
        check_kernel_sizes(self.kernel_size, len(check_conv_layers(self.conv_layers, "conv_layers")))
        if self.literals is not None:
            check_integer(self.literals, "literals", low=1, high=self.fan_in)
        check_integer(self.depth, "depth", low=1)
        check_comparisons(self.comparisons, self.depth, self.fan_in)
        check_integer(self.pool_size, "pool_size", low=1, high=MAX_FAN_IN)
        check_integer(self.head_fan_in, "head_fan_in", low=1, high=MAX_FAN_IN)
        check_integer(self.damping, "damping", low=1)

    def check_same(self, network: Network) -> None:
        """Compare the sizes of layers."""
        first, last = network.layers[0], network.layers[-1]
        first = first.layers[0] if isinstance(first, Concatenate) else first
        assert isinstance(first, GateConv2d)  # noqa: S101 - narrows the type
        fresh = self._network(first.window.image_shape, last.n_outputs, None, RandomWords(0))  # type: ignore[attr-defined]
        if _form(network) != _form(fresh):
            raise ValueError(
                f"conv_layers {self.conv_layers!r}, layer_sizes {self.layer_sizes!r}, kernel_size "
                f"{self.kernel_size}, depth {self.depth}, fan_in {self.fan_in}, head_fan_in {self.head_fan_in}, "
                f"head_wiring {self.wires.wiring!r}, head_candidates {self.wires.candidates}, fixed_trees "
                f"{self.fixed_trees}, pool_size {self.pool_size} and skip {self.skip} are not those of the "
                "network to go on with; warm_start=False starts anew"
            )

    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Build a network for the images of the encoder, whose last layer the outputs share evenly."""
        loss = make_loss(self._sizes(n_outputs)[-1] // n_outputs)
        return self._network(_encoded_shape(self.image_shape, widths), n_outputs, loss, source)

    def encoder(self, n_features: int) -> BitEncoder:
        """Ask the same questions of every pixel."""
        return _image_encoder(self.image_shape)

    def _network(
        self, image_shape: tuple[int, ...], n_outputs: int, loss: Loss | None, source: RandomWords
    ) -> Network:
        assert self.image_shape is not None  # noqa: S101 - narrows the type
        return gate_conv_network(
            image_shape,
            self.conv_layers,
            self._sizes(n_outputs),
            n_outputs,
            kernel_size=self.kernel_size,
            depth=self.depth,
            fan_in=self.fan_in,
            head_fan_in=self.head_fan_in,
            head_wiring=self.wires.wiring,
            head_candidates=self.wires.candidates,
            skip=self.skip,
            literals=self.literals,
            comparisons=self.comparisons,
            n_levels=image_shape[2] // self.image_shape[2],
            fixed_trees=self.fixed_trees,
            pool_size=self.pool_size,
            damping=self.damping,
            eta=self.eta,
            loss=loss,
            random_state=source,
        )


def _encoded_shape(image_shape: tuple[int, int, int] | None, widths: np.ndarray) -> tuple[int, int, int]:
    """Return the shape of images of so many bits, a channel for each bit of a pixel."""
    assert image_shape is not None  # noqa: S101 - narrows the type
    height, width, _ = image_shape
    n_bits = int(widths.sum())
    if n_bits % (height * width):
        raise ValueError(
            f"encoder must give every pixel the same number of bits, but made {n_bits} of {height} x {width} "
            "pixels; a bvar.encoding.ImageEncoder does"
        )
    return height, width, n_bits // (height * width)


def _image_encoder(image_shape: tuple[int, int, int] | None) -> ImageEncoder:
    assert image_shape is not None  # noqa: S101 - narrows the type
    return ImageEncoder(n_channels=image_shape[2])


def _form(network: Network) -> list[Any]:
    """Describe layers by their kinds, windows and widths, and the shapes of their weights and tables."""
    return [_form_of(layer) for layer in network.layers]


def _form_of(layer: Any) -> tuple[Any, ...]:
    held = [*layer.parameters, *getattr(layer, "tables", ())]
    shapes, window = [tensor.shape for tensor in held], getattr(layer, "window", None)
    inner = [_form_of(part) for part in layer.layers] if isinstance(layer, Concatenate) else []
    return type(layer).__name__, window, getattr(layer, "n_outputs", None), shapes, inner
