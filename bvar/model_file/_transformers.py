"""Transformers in files, with kernels for maps or without (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from typing import Any

from bvar.model_file._kinds import of_type, register
from bvar.multikernel import BooleanTransformer, Kernels, MultiKernelLinear, Transformer

_SHAPE = ("n_blocks", "head_width")  # follow from the matrices

register(Kernels)


def _load_transformer(epsilon: Any, n_heads: Any, rotary_base: Any, tokens: Any, weights: Any) -> Transformer:
    weights = of_type(weights, dict, "weights")
    return Transformer(weights, n_heads=n_heads, rotary_base=rotary_base, epsilon=epsilon, tokens=tokens)


register(
    Transformer,
    save=lambda model: {"weights": model.weights, **model.options},
    load=_load_transformer,
    made_again=_SHAPE,
)


def _load_boolean(
    epsilon: Any, maps: Any, n_heads: Any, rotary_base: Any, tokens: Any, weights: Any
) -> BooleanTransformer:
    layers = {name: MultiKernelLinear(kernels) for name, kernels in of_type(maps, dict, "maps").items()}
    options = {"n_heads": n_heads, "rotary_base": rotary_base, "epsilon": epsilon, "tokens": tokens}
    return BooleanTransformer(of_type(weights, dict, "weights"), layers, **options)


register(
    BooleanTransformer,
    save=lambda model: {
        "maps": {name: layer.kernels for name, layer in model.maps.items()},
        "weights": model.weights,
        **model.options,
    },
    load=_load_boolean,
    made_again=_SHAPE,
)
