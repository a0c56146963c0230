"""Small made-up folders of the layouts of others, with weights, configuration and tokenizer."""

import json

import numpy as np

from bvar.bits import RandomWords


def write_safetensors(path, arrays, header=None):
    table, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, array) in arrays.items():
        end = len(data) + array.nbytes
        table[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(table if header is None else header(table)).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def drawn(shapes, seed=0):
    """Random float32 arrays of these shapes; gains near 1."""
    source = RandomWords(seed)
    arrays = {}
    for name, shape in shapes.items():
        values = source.uniform(shape[0], int(np.prod(shape[1:], dtype=int))).reshape(shape)
        is_gain = "norm" in name.lower() and name.endswith("weight")
        arrays[name] = (is_gain + 0.4 * values).astype(np.float32)
    return arrays


def write_folder(folder, arrays, config):
    """Two files of weights, as large models have, and a configuration."""
    items = [(name, ("F32", array)) for name, array in arrays.items()]
    write_safetensors(folder / "model-0.safetensors", dict(items[: len(items) // 2]))
    write_safetensors(folder / "model-1.safetensors", dict(items[len(items) // 2 :]))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


WIDTH, HIDDEN, N_TOKENS, N_BLOCKS = 8, 12, 7, 2

LLAMA = {"model_type": "llama", "num_attention_heads": 4, "rope_theta": 5000.0, "rms_norm_eps": 1e-6}
OPT = {"model_type": "opt", "num_attention_heads": 2, "activation_function": "relu", "do_layer_norm_before": True}
BERT = {"model_type": "bert", "num_attention_heads": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12}


def llama(n_shared=2, biases=False):
    """The arrays of a Llama; `n_shared` heads of queries share one of keys and values."""
    shapes = {"model.embed_tokens.weight": (N_TOKENS, WIDTH), "model.norm.weight": (WIDTH,)}
    shapes["lm_head.weight"] = (N_TOKENS, WIDTH)
    for i in range(N_BLOCKS):
        name = f"model.layers.{i}."
        for part, n in {"q": WIDTH, "k": WIDTH // n_shared, "v": WIDTH // n_shared, "o": WIDTH}.items():
            shapes[f"{name}self_attn.{part}_proj.weight"] = (n, WIDTH)
            if biases:
                shapes[f"{name}self_attn.{part}_proj.bias"] = (n,)
        shapes |= {f"{name}mlp.{part}_proj.weight": (HIDDEN, WIDTH) for part in ("gate", "up")}
        shapes[f"{name}mlp.down_proj.weight"] = (WIDTH, HIDDEN)
        shapes |= {f"{name}{part}_layernorm.weight": (WIDTH,) for part in ("input", "post_attention")}
    return drawn(shapes)


def with_biases(shapes):
    """The shapes of matrices and gains, each with its bias."""
    return {
        f"{name}.{kind}": shape if kind == "weight" else shape[:1]
        for name, shape in shapes.items()
        for kind in ("weight", "bias")
    }


def opt(prefix="model.decoder."):
    """The arrays of an OPT with tied ends and room for 10 positions."""
    blocks = {}
    for i in range(N_BLOCKS):
        name = f"{prefix}layers.{i}."
        blocks |= {
            f"{name}self_attn.{part}": (WIDTH, WIDTH) for part in ("q_proj", "k_proj", "v_proj", "out_proj")
        }
        blocks |= {f"{name}fc1": (HIDDEN, WIDTH), f"{name}fc2": (WIDTH, HIDDEN)}
        blocks |= {f"{name}self_attn_layer_norm": (WIDTH,), f"{name}final_layer_norm": (WIDTH,)}
    ends = {f"{prefix}embed_tokens.weight": (N_TOKENS, WIDTH), f"{prefix}embed_positions.weight": (12, WIDTH)}
    return drawn(ends | with_biases(blocks | {f"{prefix}final_layer_norm": (WIDTH,)}))


def bert(prefix=""):
    """The arrays of a BERT with room for 10 positions, and a pooler that nobody needs."""
    blocks = {}
    for i in range(N_BLOCKS):
        name = f"{prefix}encoder.layer.{i}."
        blocks |= {f"{name}attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        blocks |= {f"{name}attention.output.dense": (WIDTH, WIDTH), f"{name}attention.output.LayerNorm": (WIDTH,)}
        blocks |= {f"{name}intermediate.dense": (HIDDEN, WIDTH), f"{name}output.dense": (WIDTH, HIDDEN)}
        blocks |= {f"{name}output.LayerNorm": (WIDTH,)}
    rows = {"word": N_TOKENS, "position": 10, "token_type": 2}
    ends = {f"{prefix}embeddings.{name}_embeddings.weight": (n, WIDTH) for name, n in rows.items()}
    more = {f"{prefix}embeddings.LayerNorm": (WIDTH,), f"{prefix}pooler.dense": (WIDTH, WIDTH)}
    return drawn(ends | with_biases(blocks | more))
