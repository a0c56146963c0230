"""What a training run has in it, so that nobody believes that something was tried which never is.

``python -m bvar.testing.kit.features [N]`` counts the features of the vectors of `train`, and the share of N draws
of its law, 1000 by default, that have each.  Needs Hypothesis.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bvar.testing.kit.runner import load_vectors
from bvar.testing.oracle.formats import places_of

__all__ = ["FEATURES", "drawn", "features_of"]

Run = dict[str, Any]
Layer = dict[str, Any]

_NO_CLIP = "7ff0000000000000"
_FULL_RATE = "3ff0000000000000"


def _layers(layers: Iterable[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        for stack in [*layer.get("branches", ()), layer.get("layers", ())]:
            yield from _layers(stack)


def _any(of: str, holds: Callable[[Layer], Any] = lambda layer: True) -> Callable[[Run], bool]:
    """Say whether a layer of this type is so."""
    return lambda run: any(layer["type"] == of and holds(layer) for layer in _layers(run["network"]["layers"]))


def _window(holds: Callable[[dict[str, Any]], Any]) -> Callable[[Run], bool]:
    return _any("conv", lambda layer: holds(layer["window"]))


def _units(more_than: int) -> Callable[[Run], bool]:
    return lambda run: (
        _any("threshold", lambda layer: len(layer["tau"]) > more_than)(run)
        or _any("gate", lambda layer: len(layer["wires"]) > more_than)(run)
    )


def _first(run: Run) -> Layer:
    layer = run["network"]["layers"][0]
    while "branches" in layer:
        layer = layer["branches"][0][0]
    return layer


def _missing(run: Run) -> bool:
    return any("u" in row for row in run["network"]["x"])


def _count(run: Run, of: str) -> int:
    return sum(layer["type"] == of for layer in _layers(run["network"]["layers"]))


def _rest(layer: Layer) -> bool:
    return any(side % layer["size"] for side in layer["image_shape"][:2])


FEATURES: dict[str, Callable[[Run], bool]] = {
    "linear": _any("linear"),
    "bias": _any("linear", lambda layer: layer["bias"] is not None),
    "centred layer": _any("linear", lambda layer: layer["centered"]),
    "centred first layer": lambda run: bool(_first(run).get("centered")),
    "missing inputs": _missing,
    "two hidden layers": lambda run: _count(run, "threshold") > 1,
    "more than 64 hidden units": _units(64),
    "more than 128 hidden units": _units(128),
    "gate that is not xnor, xor, or": _any("linear", lambda layer: layer["gate"] not in (6, 7, 9)),
    "convolution": _any("conv"),
    "convolution behind a convolution": lambda run: _count(run, "conv") > 1,
    "convolution with a bias": _any("conv", lambda layer: layer["bias"] is not None),
    "outside is nothing": _any(
        "conv", lambda layer: any(layer["window"]["padding"]) and layer["padding_value"] == 0
    ),
    "outside is F": _any("conv", lambda layer: any(layer["window"]["padding"]) and layer["padding_value"] == -1),
    "uneven padding": _window(lambda window: window["padding"][0] != window["padding"][1]),
    "steps of two": _window(lambda window: max(window["stride"]) > 1),
    "gaps between taps": _window(lambda window: max(window["dilation"]) > 1),
    "places other than pixels": _window(lambda window: places_of(window) != window["image_shape"][:2]),
    "missing pixels": lambda run: _missing(run) and _first(run)["type"] == "conv",
    "pool": _any("max_pool"),
    "pool with a rest": _any("max_pool", _rest),
    "gates": _any("gate"),
    "gates behind gates": lambda run: _count(run, "gate") > 1,
    "tables of five or six wires": _any("gate", lambda layer: len(layer["wires"][0]) > 4),
    "learnt wires": _any("gate", lambda layer: "candidates" in layer),
    "wires of a rate of their own": _any("gate", lambda layer: layer.get("wire_rate", _FULL_RATE) != _FULL_RATE),
    "trees of gates": _any("gate_conv"),
    "trees behind trees": lambda run: _count(run, "gate_conv") > 1,
    "trees of several levels": _any("gate_conv", lambda layer: len(layer["tables"]) > 1),
    "damped trees": _any("gate_conv", lambda layer: layer["damping"] > 1),
    "trees that stand out of the image": _any("gate_conv", lambda layer: any(layer["window"]["padding"])),
    "pool of bits": _any("or_pool"),
    "pool of bits with a rest": _any("or_pool", _rest),
    "branches": _any("add"),
    "hidden layer in a branch": _any("add", lambda layer: any(len(branch) > 1 for branch in layer["branches"])),
    "offsets": _any("linear", lambda layer: layer.get("offset")),
    "offsets and a bias": _any("linear", lambda layer: layer.get("offset") and layer["bias"] is not None),
    "offsets of a centred layer": _any("linear", lambda layer: layer.get("offset") and layer["centered"]),
    "gates beside their inputs": _any("concatenate"),
    "missing inputs beside gates": lambda run: _missing(run) and _first(run)["type"] == "concatenate",
    "tables that are not clipped": lambda run: (
        run["network"]["clip"] != _NO_CLIP and _any("gate", lambda layer: not layer.get("is_clipped", True))(run)
    ),
    "sample weights": lambda run: "sample_weight" in run["network"],
    "sample without weight": lambda run: 0 in run["network"].get("sample_weight", ()),
    "clip": lambda run: run["network"]["clip"] != _NO_CLIP,
    "no clip": lambda run: run["network"]["clip"] == _NO_CLIP,
    "batch of nobody": lambda run: [] in run["batches"],
    "sample twice in a batch": lambda run: any(len(batch) > len(set(batch)) for batch in run["batches"]),
    "batch of more than 64": lambda run: max(map(len, run["batches"])) > 64,
}
"""What a run may have, by name."""


def features_of(run: Run) -> set[str]:
    """Name what is in the arguments of `train`.

    Parameters
    ----------
    run : dict
        Arguments of `train`.

    Returns
    -------
    set of str
        Names of `FEATURES`.
    """
    return {name for name, has in FEATURES.items() if has(run)}


def drawn(n: int) -> Counter[str]:
    """Count the features of draws of `train`, as its law would see them.

    Parameters
    ----------
    n : int
        Number of draws.

    Returns
    -------
    Counter
        How many of them have each feature.
    """
    from hypothesis import HealthCheck, Phase, given, settings

    from bvar.testing.make.strategies import STRATEGIES

    found: Counter[str] = Counter()

    @settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(STRATEGIES["train"])
    def look(run: Run) -> None:
        found.update(features_of(run))

    look()
    return found


def _main(n: int) -> None:
    in_vectors = Counter(name for test in load_vectors("train")["tests"] for name in features_of(test["inputs"]))
    in_draws = drawn(n)
    lines = [f"| {name} | {in_vectors[name]} | {100 * in_draws[name] / n:.0f} % |" for name in FEATURES]
    head = ["| feature | vectors | share of draws |", "|---|---|---|"]
    sys.stdout.write("\n".join([*head, *lines]) + "\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
