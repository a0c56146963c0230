"""Networks whose scores rise with some features and fall with others: the recipe, and what `fit` asks for.

The questions are unate (:class:`bvar.encoding.UnateEncoder`), and no layer knows "not": sums of "and" between
weights and bits, thresholds, and a count.  The page ``docs/explanation/monotone.md`` has the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import clone

from bvar._validation import check_sizes
from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, TableEncoder, UnateEncoder
from bvar.estimators.architecture import Plan, is_auto
from bvar.estimators.recipes import Recipe
from bvar.kernels import MAX_TERMS
from bvar.layers import BooleanLinear, GroupSum, Layer, Threshold
from bvar.networks.losses import Loss
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["Monotone", "check_constraints", "is_monotone", "same_constraints", "unate"]


@dataclass(frozen=True)
class Monotone(Recipe):
    """Layers of "and" with thresholds that are learnt, and a count of the units of the last."""

    hidden_layer_sizes: int | Sequence[int]
    eta: float

    def check(self) -> None:
        """Check the sizes."""
        self._sizes()

    def check_same(self, network: Network) -> None:
        """Compare the sizes of layers."""
        n_outputs = network.layers[-1].n_outputs  # type: ignore[attr-defined]
        trained = [layer.n_outputs for layer in network.layers if isinstance(layer, BooleanLinear)]
        if self._widths(n_outputs) != trained:
            raise ValueError(
                f"hidden_layer_sizes {self.hidden_layer_sizes!r} is not that of the network to go on with; "
                "warm_start=False starts anew"
            )

    def build(
        self, widths: np.ndarray, n_outputs: int, make_loss: Callable[[int], Loss], source: RandomWords
    ) -> Network:
        """Build a network whose last units the outputs share, as many as asked for each."""
        sizes = [int(widths.sum()), *self._widths(n_outputs)]
        layers: list[Layer] = []
        for depth, (n_inputs, n_units) in enumerate(pairwise(sizes), start=1):
            is_last = depth == len(sizes) - 1
            layers += [
                BooleanLinear(
                    n_inputs, n_units, "and", offset_spread=0.5, random_state=source, name=f"linear{depth}"
                ),
                Threshold(
                    n_units, n_inputs, 1 if is_last else sizes[depth + 1], "and", "xnor" if is_last else "and"
                ),
            ]
        layers.append(GroupSum(sizes[-1], n_outputs))
        return Network(layers, make_loss(sizes[-1] // n_outputs), BooleanOptimizer(self.eta))

    def _widths(self, n_outputs: int) -> list[int]:
        *sizes, last = self._sizes()
        return [*sizes, last * n_outputs]

    def _sizes(self) -> list[int]:
        return check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1, most=MAX_TERMS)


def unate(encoder: BitEncoder | None, monotonic_cst: Any) -> UnateEncoder:
    """Return an encoder that has learnt nothing, and asks what another would ask as constraints want it."""
    parameters = {} if encoder is None else clone(encoder).get_params(deep=False)
    return UnateEncoder(**parameters, monotonic_cst=monotonic_cst)


def check_constraints(model: Any, plan: Plan, others: Sequence[str], *, goes_on: bool) -> None:
    """Refuse what cannot be had together with constraints, and to go on under others.

    Parameters
    ----------
    model : estimator
        Whose parameters are looked at.
    plan : Plan
        The plan in force.
    others : sequence of str
        Names of parameters that must be None where there are constraints.
    goes_on : bool
        Whether training goes on, so that constraints must be those of the network.
    """
    cst, encoder = model.monotonic_cst, model.encoder
    if goes_on and not same_constraints(cst, getattr(model.encoder_, "monotonic_cst", None)):
        raise ValueError(
            f"monotonic_cst {cst!r} is not that of the network to go on with; warm_start=False starts anew"
        )
    if cst is None:
        return
    if not (encoder is None or type(encoder) is TableEncoder):
        raise TypeError(f"encoder must be None or a TableEncoder where there is monotonic_cst, got {encoder!r}")
    if plan.gates:
        raise ValueError(f"gates must be 0 or 'auto' where there is monotonic_cst, got {plan.gates!r}")
    if not is_auto(plan.offsets):
        raise ValueError(f"offsets must be 'auto' where there is monotonic_cst, got {plan.offsets!r}")
    for name in others:
        if getattr(model, name) is not None:
            raise ValueError(f"{name} must be None where there is monotonic_cst, got {getattr(model, name)!r}")


def is_monotone(network: Network) -> bool:
    """Say whether all layers are of the kinds of which the proof speaks: no score then falls when a bit rises."""
    return all(
        layer.gate.name == "and" if isinstance(layer, BooleanLinear) else isinstance(layer, Threshold | GroupSum)
        for layer in network.layers
    )


def same_constraints(one: Any, other: Any) -> bool:
    """Say whether two parameters, in the forms that users give, are the same."""
    if one is None or other is None or isinstance(one, Mapping) or isinstance(other, Mapping):
        return type(one) is type(other) and bool(one == other)
    return np.array_equal(one, other)
