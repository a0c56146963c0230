"""Whether the parts of a model that was read fit together: a sound checksum does not make a sound model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bvar import kernels
from bvar.encoding import BitEncoder, ImageEncoder, TableEncoder
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    GateLayer,
    GroupSum,
    Layer,
    MaxPool2d,
    SignedConv2d,
    SignedSum,
    SumPool2d,
    Threshold,
)
from bvar.model_file._container import ModelFileError
from bvar.networks.losses import BinaryCrossEntropy, CrossEntropy, ProbabilisticLoss, SquaredError
from bvar.networks.network import Network
from bvar.real import BatchNorm, FixedPoint, RealConv2d, RealCrossEntropy, RealLinear, RealTrainer

__all__ = ["check_consistent"]


def check_consistent(value: Any, path: str) -> None:
    """Check one object whose parts have been checked before."""
    if isinstance(value, BooleanLinear):
        n_outputs, n_inputs = value.weight.bits.shape
        _require(n_inputs <= kernels.MAX_BITS and n_outputs <= kernels.MAX_TERMS, path, "layer is too wide")
    elif isinstance(value, Threshold):
        _require(_is_array(value.tau, np.int32), path, "tau must be int32, of one dimension")
        _require(_is_table(value.curve, np.int32, 2**30), path, "table must be int32 in [0, 2**30]")
    elif isinstance(value, CrossEntropy | BinaryCrossEntropy):
        full = 2**value.BITS
        fits = _is_table(value.table, np.int64, full) and value.table[0] == full
        _require(fits, path, f"table must be int64 in [0, {full}] and begin with {full}")
    elif isinstance(value, SquaredError):
        _require(type(value.scale) is int and 0 < value.scale <= 2**30, path, "scale must be in [1, 2**30]")
    elif isinstance(value, Network):
        _check_network(value, path)
    elif hasattr(value, "network_"):
        _check_estimator(value, path)
    elif isinstance(value, BitEncoder) and hasattr(value, "n_bits_out_"):
        _check_encoder(value, path)


_BITS, _SUMS, _REAL = "bits", "sums", "real sums"
_PASSES: dict[type[Layer], tuple[tuple[str, ...], str]] = {  # what a layer takes, and what it gives
    BooleanLinear: ((_BITS,), _SUMS),
    SignedSum: ((), _SUMS),
    RealLinear: ((_BITS, _REAL), _REAL),
    BatchNorm: ((_SUMS, _REAL), _SUMS),
    FixedPoint: ((_REAL,), _SUMS),
    Threshold: ((_SUMS,), _BITS),
    GateLayer: ((_BITS,), _BITS),
    GroupSum: ((_BITS,), _SUMS),
    Add: ((_BITS,), _SUMS),
    BooleanConv2d: ((_BITS,), _SUMS),
    MaxPool2d: ((_SUMS,), _SUMS),
    SumPool2d: ((_SUMS,), _SUMS),
    RealConv2d: ((_REAL,), _REAL),
    SignedConv2d: ((), _SUMS),
}
_INNER = (Threshold, BatchNorm, FixedPoint, MaxPool2d, SumPool2d)  # never fed from outside


def _check_network(network: Network, path: str) -> None:
    what = _follow(network.layers, None, None, f"{path}.layers")[1]
    _require(what in (_SUMS, _REAL), path, "the last layer must give scores")
    is_real = isinstance(network.loss, RealCrossEntropy)
    _require(is_real == (what == _REAL), path, "the loss does not fit the scores")
    if isinstance(network.real, RealTrainer):
        _check_adam(network.real, path)
    optimizer, parameters = network.optimizer, network.parameters
    _require(isinstance(optimizer.m, list) and isinstance(optimizer.beta, list), path, "m and beta must be lists")
    _require(
        type(optimizer.step_count) is int and optimizer.step_count >= 0, path, "step_count must be an integer"
    )
    if optimizer.m or optimizer.beta:
        fits = len(optimizer.m) == len(optimizer.beta) == len(parameters) and all(
            _is_array(m, np.float32, 2) and m.shape == p.shape and type(b) is float and 0 <= b <= 1
            for m, b, p in zip(optimizer.m, optimizer.beta, parameters, strict=False)
        )
        _require(fits, path, "accumulators do not fit the weights")


def _follow(
    layers: Sequence[Layer], width: int | None, what: str | None, path: str
) -> tuple[int | None, str | None]:
    """Follow the width, and the kind of value, through layers; None stands for what comes from outside."""
    for i, layer in enumerate(layers):
        takes, gives = _PASSES[type(layer)]
        fits = what in takes or (what is None and i == 0 and not isinstance(layer, _INNER))
        fits = fits and width in (None, _width(layer, width))
        _require(fits, f"{path}.{i}", "does not fit the layer below")
        if isinstance(layer, Add):
            ends = {
                _follow(branch, layer.n_inputs, _BITS, f"{path}.{i}.branches.{j}")
                for j, branch in enumerate(layer.branches)
            }
            _require(ends == {(layer.n_outputs, _SUMS)}, f"{path}.{i}", "branches must end in as many sums")
        width, what = getattr(layer, "n_outputs", width), gives
    return width, what


def _width(layer: Layer, below: int | None) -> int | None:
    """Return the number of inputs that a layer takes; some take any."""
    if isinstance(layer, Threshold):
        return len(layer.tau)
    return layer.n_units if isinstance(layer, BatchNorm) else getattr(layer, "n_inputs", below)


def _check_adam(real: RealTrainer, path: str) -> None:
    adam, shapes = real.adam, [p.values.shape for p in real.parameters]
    counts = (adam.step_count, adam.age)
    _require(all(type(n) is int and n >= 0 for n in counts), path, "steps of adam must be integers")
    for means in (adam.mean, adam.square):
        fits = isinstance(means, list) and all(isinstance(m, np.ndarray) and m.dtype == np.float32 for m in means)
        fits = fits and ([m.shape for m in means] == shapes if adam.age else not means)
        _require(
            fits and all(np.isfinite(m).all() for m in means), path, "means of adam do not fit the real weights"
        )
    _require(all((v >= 0).all() for v in adam.square), path, "mean squares of adam must not be negative")


def _check_estimator(model: Any, path: str) -> None:
    network = model.network_
    _require(isinstance(network, Network), path, "network_ must be a network")
    first, last = network.layers[0], network.layers[-1]
    _require(
        getattr(model.encoder_, "n_bits_out_", None) == first.n_inputs, path, "encoder does not fit the network"
    )
    _require(model.encoder_.n_features_in_ == model.n_features_in_, path, "encoder has other features")
    names = getattr(model, "feature_names_in_", None)
    _require(names is None or names.shape == (model.n_features_in_,), path, "names do not fit the features")
    if hasattr(model, "classes_"):
        classes = model.classes_
        fits = isinstance(classes, np.ndarray) and classes.shape == (last.n_outputs,)
        _require(fits, path, "classes_ do not fit the scores")
        _require(isinstance(network.loss, ProbabilisticLoss), path, "loss is not for classes")
        _require(type(model.multilabel_) is bool, path, "multilabel_ must be true or false")
        _require(model.multilabel_ or last.n_outputs > 1, path, "there must be at least two classes")
    else:
        for name in ("target_mean_", "target_std_"):
            array = getattr(model, name)
            fits = _is_array(array, np.float64) and len(array) == last.n_outputs
            _require(fits, path, f"{name} does not fit the scores")
        _require(type(model.unit_) is float and model.unit_ > 0, path, "unit_ must be a positive number")
        _require(model.target_ndim_ in (1, 2), path, "target_ndim_ must be 1 or 2")


def _check_encoder(encoder: BitEncoder, path: str) -> None:
    """Check that there are questions for each column, in a form that the encoder can ask."""
    n_columns = encoder.n_features_in_
    if isinstance(encoder, ImageEncoder):
        t = encoder.thresholds_
        fits = _is_array(t, np.float64, 2) and np.isfinite(t).all() and (t[:, 1:] >= t[:, :-1]).all()
        _require(fits and n_columns % len(t) == 0, path, "thresholds must be numbers that rise, for each channel")
        _require(encoder.n_bits_out_ == n_columns * t.shape[1], path, "n_bits_out_ does not count the bits")
        return
    for name in ("kinds_", "thresholds_", "categories_", "infrequent_categories_"):
        parts = getattr(encoder, name, None)
        fits = parts is None or (isinstance(parts, list) and len(parts) == n_columns)
        _require(fits, path, f"{name} must be a list of one entry per feature")
    for t in getattr(encoder, "thresholds_", ()):
        fits = isinstance(t, np.ndarray) and t.dtype == np.float64 and t.ndim == 1
        _require(
            fits and np.isfinite(t).all() and (t[1:] > t[:-1]).all(), path, "thresholds must be numbers that rise"
        )
    if isinstance(encoder, TableEncoder):
        for kind, t, kept, pooled in zip(
            encoder.kinds_, encoder.thresholds_, encoder.categories_, encoder.infrequent_categories_, strict=True
        ):
            _require(kind in ("number", "bool", "category"), path, "a column has an unknown kind")
            fits = len(t) == 0 if kind == "category" else not kept and not pooled and len(t) > 0
            _require(fits, path, "a column has questions that do not suit its kind")
    _require(encoder.n_bits_out_ == int(encoder._widths().sum()) > 0, path, "n_bits_out_ does not count the bits")
    encoder._groups()  # which looks at every category


def _is_array(value: Any, dtype: type[np.generic], ndim: int = 1) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == ndim and value.size > 0


def _is_table(value: Any, dtype: type[np.generic], high: int) -> bool:
    return _is_array(value, dtype) and int(value.min()) >= 0 and int(value.max()) <= high


def _require(condition: Any, path: str, text: str) -> None:
    if not condition:
        raise ModelFileError(f"{path}: {text}")
