"""Layers of texts in files: a stream of real rows, and what Boolean maps add to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.layers import Layer
from bvar.model_file._kinds import of_type, register, require
from bvar.model_file._real import finite_numbers
from bvar.real import Attention, Embedding, LayerNorm, NGramEmbedding, PositionSum, RealScale, Residual


def _load_embedding(name: Any, position: Any, token: Any) -> Embedding:
    token = finite_numbers(token, "token", np.float32, (None, None))
    position = finite_numbers(position, "position", np.float32, (None, token.shape[1]))
    layer = Embedding(1, len(position), 1, random_state=0, name=of_type(name, str, "name"))
    layer.token.values, layer.position.values = token, position
    return layer


register(
    Embedding,
    save=lambda layer: {"name": layer.name, "position": layer.position.values, "token": layer.token.values},
    load=_load_embedding,
    made_again=("real_parameters",),
    takes="numbers",
    gives="real sums",
)


def _load_ngram_embedding(max_ngram: Any, name: Any, ngram: Any, position: Any, token: Any) -> NGramEmbedding:
    rows = _load_embedding(name, position, token)
    layer = NGramEmbedding(1, rows.n_inputs, 1, max_ngram, 1, random_state=0, name=rows.name)
    layer.token.values, layer.position.values = rows.token.values, rows.position.values
    layer.ngram.values = finite_numbers(ngram, "ngram", np.float32, (None, rows.n_outputs))
    return layer


register(
    NGramEmbedding,
    save=lambda layer: {
        "max_ngram": layer.max_ngram,
        "name": layer.name,
        "ngram": layer.ngram.values,
        "position": layer.position.values,
        "token": layer.token.values,
    },
    load=_load_ngram_embedding,
    made_again=("real_parameters",),
    takes="numbers",
    gives="real sums",
)

register(PositionSum, takes="real sums", gives="real sums")


def _load_norm(epsilon: Any, name: Any, scale: Any, shift: Any) -> LayerNorm:
    scale = finite_numbers(scale, "scale", np.float32, (None,))
    layer = LayerNorm(len(scale), epsilon=epsilon, name=of_type(name, str, "name"))
    layer.scale.values, layer.shift.values = scale, finite_numbers(shift, "shift", np.float32, scale.shape)
    return layer


register(
    LayerNorm,
    save=lambda layer: {
        "epsilon": layer.epsilon,
        "name": layer.name,
        "scale": layer.scale.values,
        "shift": layer.shift.values,
    },
    load=_load_norm,
    made_again=("real_parameters",),
    takes="real sums",
    gives="real sums",
)


def _load_scale(fan_in: Any, name: Any, scale: Any) -> RealScale:
    scale = finite_numbers(scale, "scale", np.float32, (None,))
    layer = RealScale(len(scale), fan_in, name=of_type(name, str, "name"))
    layer.scale.values = scale
    return layer


register(
    RealScale,
    save=lambda layer: {"fan_in": layer.fan_in, "name": layer.name, "scale": layer.scale.values},
    load=_load_scale,
    made_again=("real_parameters",),
    takes="sums",
    gives="real sums",
)


def _load_attention(distance: Any, n_units: Any, name: Any, sharpness: Any) -> Attention:
    sharpness = finite_numbers(sharpness, "sharpness", np.float32, (None,))
    distance = finite_numbers(distance, "distance", np.float32, (len(sharpness), None))
    layer = Attention(distance.shape[1], n_units, len(sharpness), name=of_type(name, str, "name"))
    layer.sharpness.values, layer.distance.values = sharpness, distance
    return layer


register(
    Attention,
    save=lambda layer: {
        "distance": layer.distance.values,
        "n_units": layer.n_outputs,
        "name": layer.name,
        "sharpness": layer.sharpness.values,
    },
    load=_load_attention,
    made_again=("n_outputs", "n_positions", "real_parameters"),
    takes="bits",
    gives="real sums",
)


def _load_residual(layers: Any, loudness: Any, n_positions: Any) -> Residual:
    require(
        isinstance(layers, list) and all(isinstance(layer, Layer) for layer in layers),
        "layers must be a list of layers",
    )
    return Residual(layers, n_positions=n_positions, loudness=loudness)


def _check_residual(layer: Residual) -> None:
    lengths = {inner.n_positions for inner in layer.layers if isinstance(inner, Attention)}
    require(lengths <= {layer.n_positions}, f"attention must be over {layer.n_positions} positions, got {lengths}")


register(
    Residual,
    save=lambda layer: {
        "layers": list(layer.layers),
        "loudness": layer.loudness,
        "n_positions": layer.n_positions,
    },
    load=_load_residual,
    check=_check_residual,
    made_again=("parameters", "real_parameters"),
    takes="real sums",
    gives="real sums",
)
