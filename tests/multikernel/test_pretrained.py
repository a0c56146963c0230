"""Models of others: what is read computes what loops over every number compute, and nothing else is read."""

import math

import numpy as np
import pytest

from bvar.multikernel import BooleanEncoder, BooleanTransformer, Encoder, distil, load_pretrained
from tests.multikernel import folders
from tests.multikernel.folders import BERT, HIDDEN, LLAMA, N_BLOCKS, OPT, WIDTH, write_folder

IDS = [3, 1, 6, 6, 0]


# ------------------------------------------------------------ the same by loops, from the arrays as they are named


class Plain:
    """One text, one number at a time, in Python's own floats."""

    def __init__(self, arrays, n_heads):
        self.arrays = {name: array.astype(float).tolist() for name, array in arrays.items()}
        self.n_heads = n_heads

    def linear(self, name, row):
        matrix = self.arrays[f"{name}.weight"]
        bias = self.arrays.get(f"{name}.bias", [0.0] * len(matrix))
        return [
            b + sum(w * x for w, x in zip(line, row, strict=True)) for line, b in zip(matrix, bias, strict=True)
        ]

    def layer_norm(self, name, row, epsilon):
        mean = sum(row) / len(row)
        spread = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row) + epsilon)
        gain, bias = self.arrays[f"{name}.weight"], self.arrays[f"{name}.bias"]
        return [g * (x - mean) / spread + b for g, x, b in zip(gain, row, bias, strict=True)]

    def rms_norm(self, name, row, epsilon):
        size = math.sqrt(sum(x * x for x in row) / len(row) + epsilon)
        return [g * x / size for g, x in zip(self.arrays[f"{name}.weight"], row, strict=True)]

    def attention(self, q, k, v, looks_back):
        """What each position finds; rows of k and v may be of fewer heads, each shared by neighbours."""
        width = len(q[0]) // self.n_heads
        shared = len(q[0]) // len(k[0])
        found = [[] for _ in q]
        for head in range(self.n_heads):
            mine = slice(head * width, (head + 1) * width)
            theirs = slice(head // shared * width, (head // shared + 1) * width)
            for t, row in enumerate(q):
                seen = range(t + 1 if looks_back else len(q))
                scores = [sum(a * b for a, b in zip(row[mine], k[s][theirs], strict=True)) for s in seen]
                chances = [math.exp(score / math.sqrt(width)) for score in scores]
                total = sum(chances)
                found[t] += [
                    sum(chance / total * v[s][theirs][i] for s, chance in zip(seen, chances, strict=True))
                    for i in range(width)
                ]
        return found


def added(row, more):
    return [x + y for x, y in zip(row, more, strict=True)]


def turned(row, position, width, base):
    """Pair i of a head is its numbers i and i + width / 2, seen as one complex number."""
    out = list(row)
    for start in range(0, len(row), width):
        for i in range(width // 2):
            left, right = start + i, start + i + width // 2
            angle = position / base ** (2 * i / width)
            number = complex(row[left], row[right]) * complex(math.cos(angle), math.sin(angle))
            out[left], out[right] = number.real, number.imag
    return out


def plain_llama(arrays, ids, base):
    model = Plain(arrays, 4)
    stream = [model.arrays["model.embed_tokens.weight"][i] for i in ids]
    width = len(stream[0]) // 4
    for i in range(N_BLOCKS):
        name = f"model.layers.{i}."
        normal = [model.rms_norm(name + "input_layernorm", row, 1e-6) for row in stream]
        q, k, v = ([model.linear(f"{name}self_attn.{part}_proj", row) for row in normal] for part in "qkv")
        q, k = ([turned(row, t, width, base) for t, row in enumerate(rows)] for rows in (q, k))
        found = model.attention(q, k, v, True)
        stream = [
            added(row, model.linear(name + "self_attn.o_proj", more))
            for row, more in zip(stream, found, strict=True)
        ]
        for t, row in enumerate(stream):
            n = model.rms_norm(name + "post_attention_layernorm", row, 1e-6)
            gate, up = model.linear(name + "mlp.gate_proj", n), model.linear(name + "mlp.up_proj", n)
            unit = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up, strict=True)]
            stream[t] = added(row, model.linear(name + "mlp.down_proj", unit))
    head = "lm_head" if "lm_head.weight" in arrays else "model.embed_tokens"
    return [model.linear(head, model.rms_norm("model.norm", row, 1e-6)) for row in stream]


def plain_opt(arrays, ids):
    model, prefix = Plain(arrays, 2), "model.decoder."
    rows, positions = (model.arrays[f"{prefix}embed_{name}.weight"] for name in ("tokens", "positions"))
    stream = [added(rows[i], positions[t + 2]) for t, i in enumerate(ids)]
    for i in range(N_BLOCKS):
        name = f"{prefix}layers.{i}."
        normal = [model.layer_norm(name + "self_attn_layer_norm", row, 1e-5) for row in stream]
        q, k, v = ([model.linear(f"{name}self_attn.{part}_proj", row) for row in normal] for part in "qkv")
        found = model.attention(q, k, v, True)
        for t, row in enumerate(stream):
            row = added(row, model.linear(name + "self_attn.out_proj", found[t]))
            unit = model.linear(name + "fc1", model.layer_norm(name + "final_layer_norm", row, 1e-5))
            stream[t] = added(row, model.linear(name + "fc2", [max(x, 0.0) for x in unit]))
    out = [model.layer_norm(prefix + "final_layer_norm", row, 1e-5) for row in stream]
    return [model.linear(prefix + "embed_tokens", row) for row in out]


def plain_bert(arrays, ids):
    model = Plain(arrays, 2)
    rows, positions, types = (
        model.arrays[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    stream = [added(added(rows[i], positions[t]), types[0]) for t, i in enumerate(ids)]
    stream = [model.layer_norm("embeddings.LayerNorm", row, 1e-12) for row in stream]
    for i in range(N_BLOCKS):
        name = f"encoder.layer.{i}."
        q, k, v = (
            [model.linear(f"{name}attention.self.{part}", row) for row in stream]
            for part in ("query", "key", "value")
        )
        found = model.attention(q, k, v, False)
        for t, row in enumerate(stream):
            row = added(row, model.linear(name + "attention.output.dense", found[t]))
            row = model.layer_norm(name + "attention.output.LayerNorm", row, 1e-12)
            unit = model.linear(name + "intermediate.dense", row)
            unit = [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in unit]
            row = added(row, model.linear(name + "output.dense", unit))
            stream[t] = model.layer_norm(name + "output.LayerNorm", row, 1e-12)
    mean = [sum(column) / len(stream) for column in zip(*stream, strict=True)]
    length = math.sqrt(sum(x * x for x in mean))
    return [x / length for x in mean]


# float32 sums of at most a dozen terms, some ten of them one after the other
NEAR = {"rtol": 1e-4, "atol": 2e-5}


@pytest.mark.parametrize(("n_shared", "biases"), [(1, False), (2, True), (4, False)])
def test_a_llama_computes_what_loops_do(tmp_path, n_shared, biases):
    arrays = folders.llama(n_shared, biases)
    more = {"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(2, np.float32)}
    model = load_pretrained(write_folder(tmp_path, arrays | more, LLAMA))
    assert np.allclose(model.logits(IDS)[0], plain_llama(arrays, IDS, 5000.0), **NEAR)


def test_a_llama_with_tied_ends_uses_its_embedding_twice(tmp_path):
    arrays = folders.llama()
    del arrays["lm_head.weight"]
    model = load_pretrained(write_folder(tmp_path, arrays, {**LLAMA, "tie_word_embeddings": True}))
    assert np.allclose(model.logits(IDS)[0], plain_llama(arrays, IDS, 5000.0), **NEAR)


@pytest.mark.parametrize("prefix", ["model.decoder.", "decoder."])
def test_an_opt_computes_what_loops_do(tmp_path, prefix):
    model = load_pretrained(write_folder(tmp_path, folders.opt(prefix), OPT))
    assert np.allclose(model.logits(IDS)[0], plain_opt(folders.opt(), IDS), **NEAR)
    assert (model.weights["head"] == model.weights["embed"]).all()


def test_an_opt_writes_on_from_what_it_keeps(tmp_path):
    model = load_pretrained(write_folder(tmp_path, folders.opt(), OPT))
    text = IDS[:2]
    for _ in range(6):
        text = [*text, int(model.logits(text)[0, -1].argmax())]
    assert model.generate(IDS[:2], 6, temperature=0).tolist() == text[2:]
    with pytest.raises(ValueError, match="ids must end before position 10"):
        model.logits([1] * 11)
    with pytest.raises(ValueError, match="ids must end before position 10"):
        model.generate(IDS[:2], 12)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_bert_computes_what_loops_do(tmp_path, prefix):
    model = load_pretrained(write_folder(tmp_path, folders.bert(prefix), BERT))
    assert isinstance(model, Encoder)
    points = model.embed([IDS, IDS[:2]])
    for point, ids in zip(points, (IDS, IDS[:2]), strict=True):
        assert np.allclose(point, plain_bert(folders.bert(), ids), **NEAR)


def test_what_was_read_is_decomposed(tmp_path):
    student = BooleanTransformer.from_teacher(load_pretrained(write_folder(tmp_path, folders.opt(), OPT)), 4)
    assert student.design == "opt"
    assert set(student.maps) == {f"l{i}.{name}" for i in range(2) for name in ("q", "k", "v", "o", "up", "down")}
    teacher = load_pretrained(tmp_path)
    wanted = teacher.logits(IDS)
    # four kernels leave a tenth of each matrix at most, and signals pass through four of them
    assert np.linalg.norm(student.logits(IDS) - wanted) < 0.3 * np.linalg.norm(wanted)
    other = write_folder(tmp_path, folders.bert(), BERT)
    assert BooleanEncoder.from_teacher(load_pretrained(other), 2).n_blocks == N_BLOCKS


def test_what_was_read_is_distilled(tmp_path):
    teacher = load_pretrained(write_folder(tmp_path, folders.opt(), OPT))
    student = BooleanTransformer.from_teacher(teacher, 1)
    history = distil(student, teacher, IDS * 20, 60, context=8, random_state=0)
    assert np.mean(history.loss[-5:]) < 0.5 * np.mean(history.loss[:5])
    with pytest.raises(ValueError, match="ids must end before position 10"):
        distil(student, teacher, IDS * 20, 1, context=11)


@pytest.mark.parametrize(
    ("arrays", "config", "text"),
    [
        (folders.llama, {**LLAMA, "hidden_act": "gelu"}, "hidden_act must be"),
        (folders.llama, {**LLAMA, "rope_scaling": {"factor": 2}}, "rope_scaling must be"),
        (folders.llama, {**LLAMA, "rope_parameters": {"rope_theta": 1e6}}, "rope_parameters must be"),
        (folders.llama, {**LLAMA, "model_type": "mistral", "sliding_window": 64}, "sliding_window must be"),
        (folders.llama, {**LLAMA, "num_attention_heads": 3}, "heads"),
        (folders.llama, {**LLAMA, "num_attention_heads": "2"}, "n_heads must be"),
        (folders.llama, {**LLAMA, "head_dim": 8}, "head_dim must be"),
        (folders.llama, {"model_type": "llama"}, "n_heads must be"),
        (folders.llama, {**LLAMA, "model_type": "gpt2"}, "model_type must be one of llama, mistral, opt, bert"),
        (folders.llama, {**LLAMA, "model_type": ["llama"]}, "model_type must be"),
        (folders.llama, {}, "model_type must be"),
        (folders.llama, [], "must be a JSON object"),
        (folders.llama, OPT, "weights must be those of the layout of opt"),
        (folders.opt, {**OPT, "activation_function": "gelu"}, "activation_function must be"),
        (folders.opt, {**OPT, "do_layer_norm_before": False}, "do_layer_norm_before must be"),
        (folders.bert, {**BERT, "hidden_act": "gelu_new"}, "hidden_act must be"),
        (folders.bert, {**BERT, "position_embedding_type": "relative_key"}, "position_embedding_type must be"),
    ],
)
def test_what_blocks_do_not_compute_is_refused(tmp_path, arrays, config, text):
    with pytest.raises((TypeError, ValueError), match=text):
        load_pretrained(write_folder(tmp_path, arrays(), config))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda a: a.update({"model.layers.7.self_attn.q_proj.weight": np.ones((8, 8), np.float32)}),
            "difference",
        ),
        (lambda a: a.update({"transformer.wte.weight": np.ones((8, 8), np.float32)}), "layout of llama"),
        (lambda a: a.update({"embed_tokens.weight": np.ones((7, 8), np.float32)}), "must be there once"),
        (lambda a: a.pop("model.norm.weight"), "difference"),
        (
            lambda a: a.update({"model.layers.0.mlp.up_proj.bias": np.ones(HIDDEN + 1, np.float32)}),
            "must have shape",
        ),
        (lambda a: a.update({"model.norm.bias": np.ones(WIDTH, np.float32)}), "difference"),
        (lambda a: a.update({"model.norm.scale": np.ones(WIDTH, np.float32)}), "layout of llama"),
    ],
)
def test_weights_that_are_missing_or_too_many_are_refused(tmp_path, change, text):
    arrays = folders.llama()
    change(arrays)
    with pytest.raises(ValueError, match=text):
        load_pretrained(write_folder(tmp_path, arrays, LLAMA))


def test_an_encoder_that_does_not_take_the_mean_is_refused(tmp_path):
    write_folder(tmp_path, folders.bert(), BERT)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    with pytest.raises(ValueError, match="pooling_mode_mean_tokens must be true"):
        load_pretrained(tmp_path)
