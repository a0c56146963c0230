"""What networks are: for each estimator, how its parameters become a network, and what such a network takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bvar._validation import check_integer, check_sizes
from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, TableEncoder
from bvar.kernels import MAX_FAN_IN, MAX_TERMS
from bvar.layers import (
    Add,
    BooleanLinear,
    GateLayer,
    Layer,
    Offset,
    column_wires,
)
from bvar.networks.front import front_network
from bvar.networks.gates import check_wiring, gate_network
from bvar.networks.losses import Loss
from bvar.networks.mlp import boolean_mlp
from bvar.networks.network import Network

__all__ = ["Gates", "Recipe", "Sums", "Wires"]


class Recipe(ABC):
    """The parameters that shape a network."""

    eta: float

    @abstractmethod
    def check(self) -> None:
        """Check the parameters, before any data."""

    @abstractmethod
    def check_same(self, network: Network) -> None:
        """Refuse to go on with a network of another shape."""

    @abstractmethod
    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Return an untrained network for features of so many bits each, with a loss for the terms of a score."""

    def encoder(self, n_features: int) -> BitEncoder:
        """Return the encoder of a table that says nothing of its columns."""
        return TableEncoder()

    def inputs(self, bits: BitMatrix) -> BitMatrix:
        """Make of encoded samples what the network takes."""
        return bits

    def noise(self, n_samples: int, n_features: int, n_bits: int) -> float:
        """Return the probability of a flip that suits a network of sums.

        Noise on many features and bits averages out in a sum, noise on few destroys what they say: hence a 64th
        for each eight features and hundred bits, up to an eighth. It stands in for samples that are not there:
        many samples need half.
        """
        strength = min(8, n_features // 8, n_bits // 100)
        return (strength if n_samples < 10000 else strength // 2) / 64


@dataclass(frozen=True)
class Sums(Recipe):
    """Linear layers and thresholds, with gates in front of them or without; several such, whose scores add."""

    hidden_layer_sizes: int | Sequence[int]
    eta: float
    gates: int = 0
    fan_in: int = 2
    offsets: bool = False
    members: int = 1

    def check(self) -> None:
        """Check the sizes."""
        self._sizes()
        check_integer(self.gates, "gates", low=0, high=MAX_TERMS)
        check_integer(self.fan_in, "fan_in", low=1, high=MAX_FAN_IN)
        if not isinstance(self.offsets, bool | np.bool_):
            raise TypeError(f"offsets must be True, False or 'auto', got {self.offsets!r}")
        if self.gates and not self.offsets:
            raise ValueError(f"offsets must be True or 'auto' where gates are {self.gates}, got {self.offsets!r}")

    def check_same(self, network: Network) -> None:
        """Compare the sizes of layers."""
        members = _members(network)
        trained = [layer.n_outputs for layer in members[0] if isinstance(layer, BooleanLinear)][:-1]
        if self._sizes() != trained:
            raise ValueError(
                f"hidden_layer_sizes {self.hidden_layer_sizes!r} is not that of the network to go on with, "
                f"{tuple(trained)}; warm_start=False starts anew"
            )
        if len(members) != self.members:
            raise ValueError(
                f"hidden_layer_sizes {self.hidden_layer_sizes!r} is that of {self.members} network(s), and not of "
                f"the {len(members)} to go on with; warm_start=False starts anew"
            )
        parameters = network.parameters
        has = (
            next((p.shape[0] for p in parameters if p.name == "gate1.table"), 0),
            any(isinstance(p, Offset) for p in parameters),
        )
        if has != (self.gates, self.offsets):
            raise ValueError(
                f"gates {self.gates} and offsets {self.offsets} are not those of the network to go on with, "
                f"{has[0]} and {has[1]}; warm_start=False starts anew"
            )

    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Build a fully connected network, or several that learn as one: a signal on the sum is one on each."""
        sizes = [int(widths.sum()), *self._sizes(), n_outputs]
        n_terms = self.gates + sizes[0] if self.gates and len(sizes) == 2 else sizes[-2]
        loss = make_loss(self.members * n_terms)
        members = [self._member(widths, sizes, loss, source) for _ in range(self.members)]
        if len(members) == 1:
            return members[0]
        return Network([Add([member.layers for member in members])], loss, members[0].optimizer)

    def _member(self, widths: np.ndarray, sizes: list[int], loss: Loss, source: RandomWords) -> Network:
        if self.gates:
            return front_network(
                sizes,
                gates=self.gates,
                fan_in=self.fan_in,
                wires=column_wires(widths, self.gates, self.fan_in, source),
                eta=self.eta,
                loss=loss,
                random_state=source,
            )
        spread = 0.5 if self.offsets else None
        return boolean_mlp(sizes, offset_spread=spread, eta=self.eta, loss=loss, random_state=source)

    def _sizes(self) -> list[int]:
        return check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", most=MAX_TERMS)


@dataclass(frozen=True)
class Wires:
    """How gates come by what they read."""

    wiring: Literal["random", "learnt"] = "random"
    candidates: int = 8
    by_column: bool = False

    @property
    def of_gate(self) -> int | None:
        """Number of candidates of each wire; None: it stays."""
        return self.candidates if self.wiring == "learnt" else None

    def first(self, widths: np.ndarray, n_gates: int, fan_in: int, source: RandomWords) -> np.ndarray | None:
        """Draw wires of the first layer, or candidates for them, if columns are to be read evenly."""
        if not self.by_column:
            return None
        if self.of_gate is None:
            return column_wires(widths, n_gates, fan_in, source)
        drawn = column_wires(widths, n_gates, fan_in * self.candidates, source)
        return drawn.reshape(n_gates, self.candidates, fan_in).transpose(0, 2, 1)


@dataclass(frozen=True)
class Gates(Recipe):
    """Layers of truth tables, and a count."""

    layer_sizes: int | Sequence[int]
    fan_in: int
    eta: float
    wires: Wires = Wires()
    pass_through: int = 16

    def check(self) -> None:
        """Check the sizes, and the wires."""
        check_sizes(self.layer_sizes, "layer_sizes", least=1, most=MAX_TERMS)
        check_integer(self.fan_in, "fan_in", low=1, high=MAX_FAN_IN)
        check_integer(self.pass_through, "pass_through", low=0, high=64)
        check_wiring(self.wires.wiring, self.wires.candidates)

    def check_same(self, network: Network) -> None:
        """Compare the sizes of layers."""
        trained = [layer for layer in network.layers if isinstance(layer, GateLayer)]
        asked = [(size, self.fan_in) for size in self._sizes(network.layers[-1].n_outputs)]  # type: ignore[attr-defined]
        if {_candidates_of(layer) for layer in trained} != {self.wires.of_gate}:
            raise ValueError(
                f"wiring {self.wires.wiring!r} with {self.wires.candidates} candidates is not that of the network "
                "to go on with; warm_start=False starts anew"
            )
        if asked != [(layer.n_outputs, layer.fan_in) for layer in trained]:
            raise ValueError(
                f"layer_sizes {self.layer_sizes!r} and fan_in {self.fan_in} are not those of the network to go on "
                f"with, {tuple(layer.n_outputs for layer in trained)} and {trained[0].fan_in}; "
                "warm_start=False starts anew"
            )

    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Build a network whose last layer the outputs share evenly."""
        sizes = self._sizes(n_outputs)
        loss = make_loss(sizes[-1] // n_outputs)
        wires = [self.wires.first(widths, sizes[0], self.fan_in, source)]
        sizes = [int(widths.sum()), *sizes]
        return gate_network(
            sizes,
            n_outputs,
            fan_in=self.fan_in,
            wires=wires,
            wiring=self.wires.wiring,
            candidates=self.wires.candidates,
            pass_through=self.pass_through,
            eta=self.eta,
            loss=loss,
            random_state=source,
        )

    def inputs(self, bits: BitMatrix) -> BitMatrix:
        """Let what is missing be F: a truth table has no entry for it."""
        return bits if bits.known is None else BitMatrix.trusted(bits.words, bits.n_bits)

    def noise(self, n_samples: int, n_features: int, n_bits: int) -> float:
        """Return the noise as for sums, but none for many samples: a gate has no other inputs to outvote it."""
        return 0.0 if n_samples >= 10000 else super().noise(n_samples, n_features, n_bits)

    def _sizes(self, n_outputs: int) -> list[int]:
        *sizes, last = check_sizes(self.layer_sizes, "layer_sizes")
        return [*sizes, last + -last % n_outputs]


def _candidates_of(layer: GateLayer) -> int | None:
    return None if layer.choice is None else layer.choice.shape[1]


def _members(network: Network) -> Sequence[Sequence[Layer]]:
    """Return the layers of each network whose scores add: of one, if it is no committee."""
    first = network.layers[0]
    return first.branches if isinstance(first, Add) else (network.layers,)
