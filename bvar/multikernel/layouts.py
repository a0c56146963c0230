"""How files of others call the weights of a design, and what their configuration must say.

A :class:`Layout` is a table: nothing is guessed.  A name that it does not know is refused, as is a setting that
asks for what the blocks do not compute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["LAYOUTS", "Layout"]


class Layout(NamedTuple):
    """Names of weights, and settings.

    Parameters
    ----------
    design : str
        What the blocks compute.
    prefixes : str
        A pattern of what may stand before names.
    ends : mapping of str to str
        From names there to names here, of what stands before and behind the blocks.
    block : str
        What names of blocks begin with, before the number.
    parts : mapping of str to str
        From names there to names here, of what a block has.
    dropped : str
        A pattern of what is of no use.
    epsilon : tuple of str and float
        The setting of what is added to mean squares, and its value where it is not set.
    must_be : mapping of str to tuple
        Legal values of settings; the first is meant where one is not set.
    """

    design: str
    prefixes: str
    ends: Mapping[str, str]
    block: str
    parts: Mapping[str, str]
    dropped: str
    epsilon: tuple[str, float]
    must_be: Mapping[str, tuple[Any, ...]]

    def renamed(self, name: str) -> str | None:
        """Return what a weight is called here, or None if it is of no use."""
        plain = re.sub(f"^(?:{self.prefixes})", "", name)
        if re.fullmatch(self.dropped, plain):
            return None
        stem, _, kind = plain.rpartition(".")
        of_block = re.fullmatch(rf"{re.escape(self.block)}\.(0|[1-9][0-9]{{0,5}})\.(.+)", stem)
        part = self.parts.get(of_block[2]) if of_block else self.ends.get(stem)
        if part is None or kind not in ("weight", "bias"):
            raise ValueError(f"weights must be those of the layout of {self.design}, got {name[:60]!r}")
        return (f"l{of_block[1]}." if of_block else "") + part + (".bias" if kind == "bias" else "")


_LLAMA = Layout(
    design="llama",
    prefixes=r"model\.",
    ends={"embed_tokens": "embed", "norm": "norm", "lm_head": "head"},
    block="layers",
    parts={
        **{f"self_attn.{part}_proj": part for part in "qkvo"},
        **{f"mlp.{part}_proj": part for part in ("gate", "up", "down")},
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    },
    dropped=r".*rotary_emb\.inv_freq",
    epsilon=("rms_norm_eps", 1e-6),
    must_be={
        "hidden_act": ("silu", "swish"),
        "rope_scaling": (None,),
        "rope_parameters": (None,),
        "sliding_window": (None,),
    },
)

_OPT = Layout(
    design="opt",
    prefixes=r"(?:model\.)?decoder\.",
    ends={
        "embed_tokens": "embed",
        "embed_positions": "positions",
        "final_layer_norm": "norm",
        "lm_head": "head",
    },
    block="layers",
    parts={
        **{f"self_attn.{part}_proj": part for part in "qkv"},
        "self_attn.out_proj": "o",
        "fc1": "up",
        "fc2": "down",
        "self_attn_layer_norm": "norm1",
        "final_layer_norm": "norm2",
    },
    dropped=r"version",
    epsilon=("layer_norm_eps", 1e-5),
    must_be={
        "activation_function": ("relu",),
        "do_layer_norm_before": (True,),
        "layer_norm_elementwise_affine": (True,),
        "_remove_final_layer_norm": (False,),
    },
)

_BERT = Layout(
    design="bert",
    prefixes=r"bert\.",
    ends={
        "embeddings.word_embeddings": "embed",
        "embeddings.position_embeddings": "positions",
        "embeddings.token_type_embeddings": "types",
        "embeddings.LayerNorm": "norm",
    },
    block="encoder.layer",
    parts={
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "o",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "up",
        "output.dense": "down",
        "output.LayerNorm": "norm2",
    },
    dropped=r"embeddings\.position_ids|(?:pooler|cls)\..*",
    epsilon=("layer_norm_eps", 1e-12),
    must_be={"hidden_act": ("gelu",), "position_embedding_type": ("absolute",)},
)

LAYOUTS = {"llama": _LLAMA, "mistral": _LLAMA, "opt": _OPT, "bert": _BERT}
"""The layouts that can be read, by the `model_type` of a configuration."""
