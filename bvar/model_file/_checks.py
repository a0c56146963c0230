"""Whether the parts of a model that was read fit together: a sound checksum does not make a sound model."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar import kernels
from bvar.encoding import BitEncoder, TableEncoder
from bvar.layers import BooleanLinear, GateLayer, GroupSum, Threshold
from bvar.losses import BinaryCrossEntropy, CrossEntropy, SquaredError
from bvar.model_file._container import ModelFileError
from bvar.network import Network

__all__ = ["check_consistent"]


def check_consistent(value: Any, path: str) -> None:
    """Check one object whose parts have been checked before."""
    if isinstance(value, BooleanLinear):
        n_outputs, n_inputs = value.weight.bits.shape
        _require(n_inputs <= kernels.MAX_BITS and n_outputs <= kernels.MAX_TERMS, path, "layer is too wide")
    elif isinstance(value, Threshold):
        _require(_is_array(value.tau, np.int32), path, "tau must be int32, of one dimension")
        _require(_is_table(value.table, np.int32, 2**30), path, "table must be int32 in [0, 2**30]")
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


def _check_network(network: Network, path: str) -> None:
    """Follow the width through the layers."""
    width, what = None, "bits"
    for i, layer in enumerate(network.layers):
        here = f"{path}.layers.{i}"
        if isinstance(layer, BooleanLinear):
            _require(what == "bits" and width in (None, layer.n_inputs), here, "does not fit the layer below")
            width, what = layer.n_outputs, "sums"
        elif isinstance(layer, Threshold):
            _require(what == "sums" and width == len(layer.tau), here, "does not fit the layer below")
            what = "bits"
        elif isinstance(layer, GateLayer | GroupSum):
            _require(what == "bits" and width in (None, layer.n_inputs), here, "does not fit the layer below")
            width, what = layer.n_outputs, "bits" if isinstance(layer, GateLayer) else "sums"
    _require(what == "sums", path, "the last layer must give scores")
    optimizer, parameters = network.optimizer, network.parameters
    _require(isinstance(optimizer.m, list) and isinstance(optimizer.beta, list), path, "m and beta must be lists")
    _require(
        type(optimizer.step_count) is int and optimizer.step_count >= 0, path, "step_count must be an integer"
    )
    if optimizer.m or optimizer.beta:
        fits = len(optimizer.m) == len(optimizer.beta) == len(parameters) and all(
            _is_array(m, np.float32, 2) and m.shape == p.bits.shape and type(b) is float and 0 <= b <= 1
            for m, b, p in zip(optimizer.m, optimizer.beta, parameters, strict=False)
        )
        _require(fits, path, "accumulators do not fit the weights")


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
        _require(isinstance(network.loss, CrossEntropy | BinaryCrossEntropy), path, "loss is not for classes")
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
