"""Read models that others have trained from a folder on this machine.

A folder holds ``config.json`` and the weights in one or more files of safetensors.  What the blocks do not
compute, such as another function of units, is refused, not left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bvar.multikernel.encoder import Encoder
from bvar.multikernel.layouts import LAYOUTS, Layout
from bvar.multikernel.safetensors import read_safetensors
from bvar.multikernel.tokenizers import read_object
from bvar.multikernel.transformer import Transformer

__all__ = ["load_pretrained"]

_OPT_OFFSET = 2  # rows of positions that OPT keeps for padding, before that of position 0


def load_pretrained(folder: str | os.PathLike[str]) -> Transformer | Encoder:
    """Read a model of the layout of Llama, Mistral, OPT or BERT.

    Parameters
    ----------
    folder : str or path-like
        With ``config.json`` and ``*.safetensors``; for the tokenizer beside them see :func:`load_tokenizer`.

    Returns
    -------
    Transformer or Encoder
        In float32: a decoder, or of the layout of BERT an encoder that takes the mean of its last stream.

    Raises
    ------
    TypeError, ValueError
        If a file is damaged, weights are missing or too many, or the model is of another kind.
    OSError
        If a file cannot be read.

    See Also
    --------
    read_safetensors : Which reads the weights.
    """
    folder = Path(folder)
    config = read_object(folder / "config.json")
    layout = _layout_of(config, folder)
    weights: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, array in read_safetensors(path).items():
            renamed = layout.renamed(name)
            if renamed in weights:
                raise ValueError(f"{path}: weights must be there once, got {name[:60]!r} again")
            if renamed is not None:
                weights[renamed] = array
    return _BUILDERS[layout.design](weights, config, folder)


def _decoder(weights: dict[str, np.ndarray], config: Mapping[str, Any], folder: Path) -> Transformer:
    is_opt = config["model_type"] == "opt"
    if config.get("tie_word_embeddings", is_opt) and "embed" in weights:
        weights["head"] = weights["embed"]
    if is_opt and "positions" in weights:
        weights["positions"] = weights["positions"][_OPT_OFFSET:]
    layout = LAYOUTS[config["model_type"]]
    model = Transformer(
        weights,
        n_heads=config.get("num_attention_heads", 0),
        rotary_base=config.get("rope_theta", 10000.0),
        epsilon=config.get(*layout.epsilon),
        design=layout.design,
    )
    width = config.get("head_dim") or model.head_width
    if width != model.head_width:
        raise ValueError(f"{folder}: head_dim must be {model.head_width}, as the weights have it, got {width!r}")
    return model


def _encoder(weights: dict[str, np.ndarray], config: Mapping[str, Any], folder: Path) -> Encoder:
    pooling = folder / "1_Pooling" / "config.json"
    if pooling.exists() and not read_object(pooling).get("pooling_mode_mean_tokens"):
        raise ValueError(f"{pooling}: pooling_mode_mean_tokens must be true: an Encoder takes the mean")
    types = weights.pop("types", None)
    if types is not None and "positions" in weights:
        # a sentence alone is all of the first type
        weights["positions"] = weights["positions"] + types[:1]
    epsilon = config.get(*LAYOUTS["bert"].epsilon)
    return Encoder(weights, n_heads=config.get("num_attention_heads", 0), epsilon=epsilon)


_BUILDERS: Mapping[str, Callable[..., Transformer | Encoder]] = {
    "llama": _decoder,
    "opt": _decoder,
    "bert": _encoder,
}


def _layout_of(config: Mapping[str, Any], folder: Path) -> Layout:
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in LAYOUTS:
        raise ValueError(f"{folder}: model_type must be one of {', '.join(LAYOUTS)}, got {str(kind)[:40]!r}")
    for name, legal in LAYOUTS[kind].must_be.items():
        if config.get(name, legal[0]) not in legal:
            raise ValueError(f"{folder}: {name} must be one of {legal}, got {str(config[name])[:40]!r}")
    return LAYOUTS[kind]
