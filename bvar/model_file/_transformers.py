"""Transformers in files, with kernels for maps or without (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bvar.model_file._kinds import of_type, register
from bvar.multikernel import (
    BooleanEncoder,
    BooleanTransformer,
    Encoder,
    Kernels,
    MultiKernelLinear,
    Transformer,
)

_MADE_AGAIN = ("n_blocks", "head_width")  # follow from the matrices

register(Kernels)


def _real(model: Transformer | Encoder) -> Mapping[str, Any]:
    options = model.options
    if options.get("design") == "llama":
        del options["design"]  # as in files from before there was another
    return {"weights": model.weights, **options}


def _boolean(model: BooleanTransformer | BooleanEncoder) -> Mapping[str, Any]:
    return {"maps": {name: layer.kernels for name, layer in model.maps.items()}, **_real(model)}


def _layers(maps: Any) -> dict[str, MultiKernelLinear]:
    return {name: MultiKernelLinear(kernels) for name, kernels in of_type(maps, dict, "maps").items()}


def _load_transformer(
    epsilon: Any, n_heads: Any, rotary_base: Any, tokens: Any, weights: Any, design: Any = "llama"
) -> Transformer:
    weights = of_type(weights, dict, "weights")
    options = {"n_heads": n_heads, "rotary_base": rotary_base, "epsilon": epsilon, "tokens": tokens}
    return Transformer(weights, design=design, **options)


def _load_boolean_transformer(
    epsilon: Any, maps: Any, n_heads: Any, rotary_base: Any, tokens: Any, weights: Any, design: Any = "llama"
) -> BooleanTransformer:
    options = {"n_heads": n_heads, "rotary_base": rotary_base, "epsilon": epsilon, "tokens": tokens}
    return BooleanTransformer(of_type(weights, dict, "weights"), _layers(maps), design=design, **options)


def _load_encoder(epsilon: Any, n_heads: Any, weights: Any) -> Encoder:
    return Encoder(of_type(weights, dict, "weights"), n_heads=n_heads, epsilon=epsilon)


def _load_boolean_encoder(epsilon: Any, maps: Any, n_heads: Any, weights: Any) -> BooleanEncoder:
    return BooleanEncoder(of_type(weights, dict, "weights"), _layers(maps), n_heads=n_heads, epsilon=epsilon)


register(Transformer, save=_real, load=_load_transformer, made_again=(*_MADE_AGAIN, "design"))
register(BooleanTransformer, save=_boolean, load=_load_boolean_transformer, made_again=(*_MADE_AGAIN, "design"))
register(Encoder, save=_real, load=_load_encoder, made_again=(*_MADE_AGAIN, "design", "rotary_base"))
register(
    BooleanEncoder, save=_boolean, load=_load_boolean_encoder, made_again=(*_MADE_AGAIN, "design", "rotary_base")
)
