"""Read models of the layout that Llama has made common from a folder on this machine.

A folder holds ``config.json`` and the weights in one or more files of safetensors.  What a
:class:`~bvar.multikernel.Transformer` does not compute, such as biases or another gate, is refused, not left out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bvar.multikernel.safetensors import read_safetensors
from bvar.multikernel.transformer import Transformer

__all__ = ["load_llama"]

_WHOLE = {"model.embed_tokens.weight": "embed", "model.norm.weight": "norm", "lm_head.weight": "head"}
_OF_BLOCK = {
    **{f"self_attn.{part}_proj.weight": part for part in "qkvo"},
    **{f"mlp.{part}_proj.weight": part for part in ("gate", "up", "down")},
    "input_layernorm.weight": "norm1",
    "post_attention_layernorm.weight": "norm2",
}
_NAME = re.compile(r"model\.layers\.(\d+)\.(.+)")
_MADE_AGAIN = re.compile(r".*rotary_emb\.inv_freq")
_MUST_BE = {
    "hidden_act": ("silu", "swish"),
    "rope_scaling": (None,),
    "attention_bias": (False,),
    "mlp_bias": (False,),
}


def load_llama(folder: str | os.PathLike[str]) -> Transformer:
    """Read a model of the layout of Llama.

    Parameters
    ----------
    folder : str or path-like
        With ``config.json`` and ``*.safetensors``.

    Returns
    -------
    Transformer
        In float32, without `tokens`: its numbers are those of the model's own tokenizer.

    Raises
    ------
    ValueError
        If a file is damaged, weights are missing or too many, or the model is of another kind.
    OSError
        If a file cannot be read.

    See Also
    --------
    read_safetensors : Which reads the weights.
    """
    folder = Path(folder)
    config = _read_config(folder / "config.json")
    arrays: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.safetensors")):
        arrays |= read_safetensors(path)
    weights = {_renamed(name): array for name, array in arrays.items() if not _MADE_AGAIN.fullmatch(name)}
    if config.get("tie_word_embeddings", False) and "embed" in weights:
        weights.setdefault("head", weights["embed"])
    model = Transformer(
        weights,
        n_heads=config.get("num_attention_heads", 0),
        rotary_base=config.get("rope_theta", 10000.0),
        epsilon=config.get("rms_norm_eps", 1e-6),
    )
    width = config.get("head_dim") or model.head_width
    if width != model.head_width:
        raise ValueError(f"{folder}: head_dim must be {model.head_width}, as the weights have it, got {width!r}")
    return model


def _read_config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: must be JSON: {str(error)[:80]}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path}: must be a JSON object")
    for name, legal in _MUST_BE.items():
        if config.get(name, legal[0]) not in legal:
            raise ValueError(f"{path}: {name} must be one of {legal}, got {str(config[name])[:40]!r}")
    return config


def _renamed(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    match = _NAME.fullmatch(name)
    part = _OF_BLOCK.get(match[2]) if match else None
    if match is None or part is None:
        raise ValueError(f"weights must be those of a Llama without biases, got {name[:60]!r}")
    return f"l{int(match[1])}.{part}"
