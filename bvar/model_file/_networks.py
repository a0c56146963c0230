"""Networks in files, with their losses and optimizers, and whether their layers fit each other.

A sound checksum does not make a sound model: layers are followed from the input to the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bvar.layers import Add, Concatenate, JoinChannels, Layer, PixelShuffle, Trainable
from bvar.model_file._kinds import Flow, LayerKind, kind_of, of_type, register, require
from bvar.model_file._layers import whole_numbers
from bvar.networks.cross_entropy import BinaryCrossEntropy, CrossEntropy
from bvar.networks.losses import Loss, SquaredError
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.pixel_losses import PerPixel
from bvar.real import (
    Adam,
    BatchNorm,
    Embedding,
    PositionSum,
    RealCrossEntropy,
    RealHuber,
    RealLayer,
    RealTrainer,
    Residual,
)

# ------------------------------------------------------------------------------------------------- losses


def _cross_entropy(cls: Any, table: Any, shift: Any) -> Any:
    """Make a loss of its table of exponentials: the first is 1 in fixed point."""
    require(shift == cls.BITS, f"shift must be {cls.BITS}, got {str(shift)[:30]}")
    full = 2**cls.BITS
    loss = object.__new__(cls)  # a file keeps the table, not the temperature that it was made for
    loss.table = whole_numbers(table, np.int64, full, "table")
    require(int(table[0]) == full, f"table must begin with {full}")
    return loss


register(
    CrossEntropy,
    save=lambda loss: {"shift": loss.BITS, "table": loss.table},
    load=lambda shift, table: _cross_entropy(CrossEntropy, table, shift),
    made_again=("_log_table",),
)

register(
    BinaryCrossEntropy,
    save=lambda loss: {"shift": loss.BITS, "table": loss.table},
    load=lambda shift, table: _cross_entropy(BinaryCrossEntropy, table, shift),
    made_again=("_log_table",),
)

register(SquaredError)

register(PerPixel)

# ---------------------------------------------------------------------------------------------- optimizer


def _load_optimizer(
    clip: Any, eta: Any, n_steps: Any, beta: Any = (), m: Any = (), step_count: Any = 0, age: Any = 0
) -> BooleanOptimizer:
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    optimizer.beta, optimizer.m, optimizer.step_count, optimizer.age = list(beta), list(m), step_count, age
    return optimizer


def _check_optimizer(optimizer: BooleanOptimizer) -> None:
    for name in ("step_count", "age"):
        steps = getattr(optimizer, name)
        require(type(steps) is int and steps >= 0, f"{name} must be an integer, at least 0")
    fits = all(isinstance(m, np.ndarray) for m in optimizer.m)
    require(fits and all(type(b) is float and 0 <= b <= 1 for b in optimizer.beta), "accumulators do not fit")


def _in_fixed_point(m: np.ndarray, parameter: Trainable) -> np.ndarray:
    """Round accumulators that an old file holds as float32, halves to even, to what the parameter takes."""
    if m.dtype != np.float32:
        return m
    require(not np.isnan(m).any(), "accumulators do not fit")
    most = np.iinfo(parameter.m_dtype).max
    units = np.rint(m.astype(np.float64) * 2**parameter.m_bits)  # float32 has no 2**31 - 1
    return np.clip(units, -most, most).astype(parameter.m_dtype)


register(
    BooleanOptimizer,
    save=lambda optimizer: {
        name: getattr(optimizer, name) for name in ("age", "clip", "eta", "n_steps", "beta", "m", "step_count")
    },
    load=_load_optimizer,
    check=_check_optimizer,
    training=("age", "beta", "m", "step_count"),
)

# ----------------------------------------------------------------------------------------------- networks


def _save_network(network: Network) -> dict[str, Any]:
    adam = {"adam": network.real.adam} if isinstance(network.real, RealTrainer) else {}
    return {**adam, "layers": list(network.layers), "loss": network.loss, "optimizer": network.optimizer}


def _load_network(layers: Any, loss: Any, optimizer: Any, adam: Any = None) -> Network:
    require(
        isinstance(layers, list) and layers and all(isinstance(layer, Layer) for layer in layers),
        "layers must be a list of layers",
    )
    require(isinstance(loss, Loss), "loss must be a loss")
    of_type(optimizer, BooleanOptimizer, "optimizer")
    has_real = any(isinstance(layer, RealLayer) for layer in layers)
    require(
        isinstance(adam, Adam) if has_real else adam is None,
        "adam must be there for real parameters, and only for them",
    )
    network = Network(layers, loss, optimizer, adam)
    if len(optimizer.m) == len(network.parameters):
        optimizer.m = [_in_fixed_point(m, p) for m, p in zip(optimizer.m, network.parameters, strict=True)]
    return network


def _check_network(network: Network) -> None:
    what = _follow(network.layers, None, None, "layers")[1]
    require(what in ("sums", "real sums"), "the last layer must give scores")
    loss = network.loss.loss if isinstance(network.loss, PerPixel) else network.loss
    is_real = isinstance(loss, RealHuber | RealCrossEntropy)
    require(is_real == (what == "real sums"), "the loss does not fit the scores")
    _check_positions(network.layers)
    optimizer = network.optimizer
    if optimizer.m or optimizer.beta:
        expected = [(p.shape, p.m_dtype) for p in network.parameters]
        fits = [(m.shape, m.dtype) for m in optimizer.m] == expected
        require(fits and len(optimizer.beta) == len(optimizer.m), "accumulators do not fit the weights")
    if isinstance(network.real, RealTrainer):
        adam = network.real.adam
        forms = [(p.values.shape, p.values.dtype) for p in network.real.parameters] if adam.age else []
        for means in (adam.mean, adam.square):
            require([(m.shape, m.dtype) for m in means] == forms, "means of adam do not fit the real weights")


def _check_positions(layers: Sequence[Layer]) -> None:
    """Let all that takes texts apart agree how long one is."""
    lengths = {layer.n_inputs for layer in layers if isinstance(layer, Embedding)}
    lengths |= {layer.n_positions for layer in layers if isinstance(layer, (PositionSum, Residual))}
    require(len(lengths) < 2, f"layers must agree on the length of texts, got {sorted(lengths)}")


register(
    Network,
    save=_save_network,
    load=_load_network,
    check=_check_network,
    made_again=("real",),  # its field is that of the float network: adam
)


def _follow(
    layers: Sequence[Layer], width: int | None, what: Flow | None, where: str
) -> tuple[int | None, Flow | None]:
    """Follow the width, and what flows, through layers; None stands for what comes from outside."""
    for i, layer in enumerate(layers):
        kind: Any = kind_of(layer)
        require(isinstance(kind, LayerKind), f"{where}.{i} is of no registered class")
        fits = what in kind.takes if what else not kind.takes.isdisjoint(("bits", "numbers"))
        require(fits and _takes(layer, width), f"{where}.{i} does not fit the layer below")
        if isinstance(layer, Add):
            ends = {
                _follow(branch, layer.n_inputs, "bits", f"{where}.{i}.branches.{j}")
                for j, branch in enumerate(layer.branches)
            }
            require(ends == {(layer.n_outputs, "sums")}, f"{where}.{i}: branches must end in as many sums")
        if isinstance(layer, Concatenate):
            end = _follow(layer.layers, layer.n_inputs, "bits", f"{where}.{i}.layers")
            require(end == (layer.n_outputs - layer.n_inputs, "bits"), f"{where}.{i}: layers must end in bits")
        if isinstance(layer, Residual):
            end = _follow(layer.layers, width, "real sums", f"{where}.{i}.layers")
            require(end == (width, "real sums"), f"{where}.{i}: layers must end in real sums of the same width")
        if isinstance(layer, JoinChannels):
            for j, branch in enumerate(layer.branches):
                end = _follow(branch, width, what, f"{where}.{i}.branches.{j}")
                wanted = (layer.n_places * layer.channels[j], "bits")
                require(end == wanted, f"{where}.{i}: branches must end in bits of {layer.n_places} pixels")
        width, what = getattr(layer, "n_outputs", width), what if isinstance(layer, PixelShuffle) else kind.gives
    return width, what


def _takes(layer: Layer, width: int | None) -> bool:
    """Say whether a layer takes so many inputs; some take any, a normalisation those of any number of places."""
    if isinstance(layer, BatchNorm):
        return (width or 0) % layer.n_units == 0
    return width in (None, getattr(layer, "n_inputs", getattr(layer, "n_units", width)))
