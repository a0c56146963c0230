"""A decoder in NumPy: its derivatives are those of what it computes, and what it keeps changes nothing."""

import json

import numpy as np
import pytest

from bvar.bits import RandomWords
from bvar.multikernel import BooleanTransformer, Transformer, load_llama, read_safetensors, windows
from bvar.multikernel.blocks import log_softmax


def made(n_shared=1, dtype=np.float64, **sizes):
    """A small model with gains that are not 1; `n_shared` heads of queries share one of keys and values."""
    model = Transformer.random(
        7, **{"width": 8, "hidden": 12, "n_blocks": 2, "n_heads": 2, "random_state": 0, **sizes}
    )
    source, weights = RandomWords(1), {}
    for name, array in model.weights.items():
        kept = array[: len(array) // n_shared] if name.endswith((".k", ".v")) else array
        gain = 1 + 0.2 * source.uniform(1, array.shape[0])[0] if array.ndim == 1 else 1
        weights[name] = (kept * gain).astype(dtype)
    return Transformer(weights, n_heads=2)


def ids_of(shape, n=7, seed=3):
    return (RandomWords(seed).words.random_raw(int(np.prod(shape))) % np.uint64(n)).astype(np.int64).reshape(shape)


# -------------------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("n_shared", [1, 2])
def test_gradients_are_the_finite_differences_of_the_loss(n_shared):
    """Every kind of weight, with signals on the logits and on the stream behind the first block."""
    model, ids, source = made(n_shared), ids_of((2, 5)), RandomWords(5)
    signal = source.uniform(2, 5 * 7).reshape(2, 5, 7)
    on_streams = {0: source.uniform(2, 5 * 8).reshape(2, 5, 8)}

    def loss():
        logits, context = model.forward(ids)
        return np.sum(signal * logits) + np.sum(on_streams[0] * context.streams[0])

    gradients = model.backward(signal, model.forward(ids)[1], on_streams)
    assert set(gradients) == set(model.weights)
    for name, array in model.weights.items():
        for place in [tuple(i) for i in np.argwhere(np.ones(array.shape))[:: 1 + array.size // 9]]:
            kept, step = array[place], 1e-5
            array[place] = kept + step
            above = loss()
            array[place] = kept - step
            slope = (above - loss()) / (2 * step)
            array[place] = kept
            assert gradients[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-7), (name, place)


def test_a_token_does_not_see_those_behind_it():
    model, ids = made(), ids_of((1, 6))
    changed = ids.copy()
    changed[0, -1] = (changed[0, -1] + 1) % 7
    assert (model.logits(ids)[:, :-1] == model.logits(changed)[:, :-1]).all()


def test_only_distances_of_positions_count():
    """Two equal texts, one behind the other in the cache and out of sight, give equal logits."""
    from bvar.multikernel import passes
    from bvar.multikernel.contexts import Cache

    model, ids = made(), ids_of((1, 4))
    cache = Cache(4)
    for i in range(4):
        first, _ = passes.forward(model, ids[:, i : i + 1], model._product, cache)
    moved = Cache(4)
    moved.seen = 1000
    for i in range(4):
        second, _ = passes.forward(model, ids[:, i : i + 1], model._product, moved)
    assert np.abs(first - second).max() < 1e-9


@pytest.mark.parametrize("n_shared", [1, 2])
def test_keys_and_values_that_are_kept_give_the_logits_of_the_whole_text(n_shared):
    from bvar.multikernel import passes
    from bvar.multikernel.contexts import Cache

    model, ids, cache = made(n_shared), ids_of((1, 9)), Cache(9)
    parts = [passes.forward(model, ids[:, a:b], model._product, cache)[0] for a, b in [(0, 4), (4, 5), (5, 9)]]
    # float64: sums of at most some dozen terms near 1
    assert np.abs(np.concatenate(parts, axis=1) - model.logits(ids)).max() < 1e-12


def test_generation_looks_back_as_far_as_it_is_told():
    model, text = made(), ids_of(12)
    greedy = {"temperature": 0, "random_state": 0}
    near = model.generate(text[-3:], 1, context=3, **greedy)
    assert (model.generate(text[-3:], 5, context=50, **greedy)[:1] == near).all()
    whole = [*text]
    for _ in range(5):
        whole.append(model.logits(np.array(whole))[0, -1].argmax())
    assert model.generate(text, 5, context=50, **greedy).tolist() == whole[12:]


def test_generation_is_reproducible_and_follows_the_distribution():
    model, start = made(), ids_of(3)
    one = model.generate(start, 20, random_state=0)
    assert (one == model.generate(start, 20, random_state=0)).all()
    source = RandomWords(0)
    drawn = [model.generate(start, 1, random_state=source)[0] for _ in range(2000)]
    chances = np.exp(log_softmax(model.logits(start)[0, -1]))
    # 2000 draws: a share is off by less than five spreads, sqrt(p (1 - p) / 2000) <= 0.0112
    assert np.abs(np.bincount(drawn, minlength=7) / 2000 - chances).max() < 0.056


def test_the_score_is_the_mean_likelihood_of_what_follows():
    model, text = made(), ids_of(23)
    texts = windows(text, 5)
    assert texts.shape == (4, 6)
    chances = log_softmax(model.logits(texts[:, :-1]))
    mean = np.mean([chances[i, t, texts[i, t + 1]] for i in range(4) for t in range(5)])
    assert model.score(text, context=5) == pytest.approx(mean, rel=1e-12)
    assert model.score(texts) == pytest.approx(mean, rel=1e-12)


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda w: w.pop("l1.up"), "difference in"),
        (lambda w: w.update(bias=np.ones(3)), "difference in"),
        (lambda w: w.update(head=np.ones((7, 9))), "head must have shape"),
        (lambda w: w.update({"l0.q": np.ones((7, 8))}), "l0.q must have"),
        (lambda w: w.update({"l0.k": np.ones((3, 8))}), "l0.k must have heads"),
        (lambda w: w.update({"l1.down": np.ones((8, 13))}), "l1.down must have shape"),
        (lambda w: w.update(norm=np.full(8, np.nan)), "'norm' is not"),
        (lambda w: w.update(norm=np.ones(8, int)), "arrays of float"),
        (lambda w: w.update(embed=np.ones(8)), "embed must be a matrix"),
    ],
)
def test_weights_that_make_no_model_are_refused(change, text):
    weights = dict(made().weights)
    change(weights)
    with pytest.raises((TypeError, ValueError), match=text):
        Transformer(weights, n_heads=2)


@pytest.mark.parametrize("ids", [[0.5], [[[1]]], [], [7], [-1]])
def test_what_are_no_tokens_is_refused(ids):
    with pytest.raises((TypeError, ValueError), match="ids must be"):
        made().logits(ids)


def test_text_goes_to_numbers_and_back():
    model = Transformer.random("bca", width=8, hidden=8, n_blocks=1, random_state=0)
    assert model.encode("abc").tolist() == [2, 0, 1]
    assert model.decode(model.encode("abc")) == "abc"
    with pytest.raises(ValueError, match="text must consist of"):
        model.encode("abd")
    with pytest.raises(ValueError, match="no tokens"):
        made().encode("a")
    with pytest.raises(ValueError, match="tokens must be 7 different"):
        Transformer(made().weights, n_heads=2, tokens="aaaaaaa")


# --------------------------------------------------------------------------------------------------- files


def test_arrays_of_a_numpy_file_make_a_model(tmp_path):
    model = made()
    half = {name: array.astype(np.float16) for name, array in model.weights.items()}
    np.savez(tmp_path / "m.npz", chars=np.frombuffer(b"abcdefg", np.uint8), **half)
    again = Transformer.load(tmp_path / "m.npz", n_heads=2)
    assert again.tokens == "abcdefg"
    assert again.weights["l0.q"].dtype == np.float32
    assert (again.weights["l0.q"] == half["l0.q"]).all()


def test_a_numpy_file_with_objects_is_refused(tmp_path):
    np.savez(tmp_path / "m.npz", embed=np.array([{}], object))
    with pytest.raises(ValueError, match="file of plain arrays"):
        Transformer.load(tmp_path / "m.npz")


def test_a_model_has_weights_of_its_own():
    model = Transformer.random(3, width=8, hidden=8, n_blocks=2, random_state=0)
    again = Transformer(model.weights)
    model.weights["norm"] += 1
    assert (model.weights["l0.norm1"] == 1).all()
    assert (again.weights["norm"] == 1).all()


def test_a_model_in_safetensors_under_its_own_names_is_read(tmp_path):
    model = made(1, np.float32)
    path = tmp_path / "m.safetensors"
    write_safetensors(path, {name: ("F32", array) for name, array in model.weights.items()})
    again = Transformer.load(path, n_heads=2)
    assert (again.logits([1, 2, 3]) == model.logits([1, 2, 3])).all()
    assert again.weights["l0.q"].flags.writeable


@pytest.mark.parametrize("damage", ["nothing", "text", "one array", "cut", "flipped"])
def test_what_is_no_numpy_archive_is_refused(tmp_path, damage):
    path = tmp_path / "m.npz"
    np.savez_compressed(path, **made().weights)
    data = path.read_bytes()
    np.save(tmp_path / "a.npy", np.ones(3))
    middle = len(data) // 2
    path.write_bytes(
        {
            "nothing": b"",
            "text": b"no archive",
            "one array": (tmp_path / "a.npy").read_bytes(),
            "cut": data[:middle],
            "flipped": data[:middle]
            + bytes(255 - byte for byte in data[middle : middle + 40])
            + data[middle + 40 :],
        }[damage]
    )
    with pytest.raises(ValueError, match=r"must be an \.npz file"):
        Transformer.load(path, n_heads=2)


def write_safetensors(path, arrays, header=None):
    table, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, array) in arrays.items():
        end = len(data) + array.nbytes
        table[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(table if header is None else header(table)).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_safetensors_are_read(tmp_path):
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5
    arrays = {
        "a": ("F32", numbers),
        "b": ("F16", numbers.astype(np.float16)),
        "c": ("BF16", (numbers.view(np.uint32) >> 16).astype(np.uint16)),
        "d": ("I64", np.array(7, np.int64)),
        "e": ("F64", np.zeros((0, 2))),
    }
    found = read_safetensors(write_safetensors(tmp_path / "m", arrays))
    assert all((found[name] == numbers).all() for name in "abc")
    assert found["c"].dtype == np.float32
    assert found["d"].shape == ()
    assert found["e"].shape == (0, 2)


HOSTILE = {
    "a hole": lambda t: {**t, "a": {**t["a"], "data_offsets": [4, 28]}},
    "an overlap": lambda t: {**t, "b": t["a"]},
    "beyond the end": lambda t: {**t, "a": {**t["a"], "shape": [2**40, 3], "data_offsets": [0, 3 * 2**42]}},
    "a negative size": lambda t: {**t, "a": {**t["a"], "shape": [-2, -3]}},
    "a size that is no integer": lambda t: {**t, "a": {**t["a"], "shape": [2.0, 3]}},
    "a size that is a truth": lambda t: {**t, "a": {**t["a"], "shape": [6, True]}},
    "an unknown dtype": lambda t: {**t, "a": {**t["a"], "dtype": "F8_E4M3"}},
    "a dtype that is a list": lambda t: {**t, "a": {**t["a"], "dtype": ["F32"]}},
    "no offsets": lambda t: {**t, "a": {"dtype": "F32", "shape": [2, 3]}},
    "one offset": lambda t: {**t, "a": {**t["a"], "data_offsets": [0]}},
    "no table": lambda t: [t],
    "no entry": lambda t: {**t, "a": 3},
    "bytes left": lambda t: {"__metadata__": {}},
    "many dimensions": lambda t: {**t, "a": {**t["a"], "shape": [6] + [1] * 40}},
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_hostile_safetensors_are_refused(tmp_path, header):
    path = write_safetensors(tmp_path / "m", {"a": ("F32", np.ones((2, 3), np.float32))}, header)
    with pytest.raises(ValueError, match="must"):
        read_safetensors(path)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"1234567", (2**63).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{"),
        (2).to_bytes(8, "little") + b"\xff\xff",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (55).to_bytes(8, "little") + b'{"a":1,"a":2}'.ljust(55),
    ],
)
def test_bytes_that_are_no_safetensors_are_refused(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ValueError, match="must"):
        read_safetensors(tmp_path / "m")


NAMES = {"embed": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}
PARTS = {
    **{part: f"self_attn.{part}_proj" for part in "qkvo"},
    **{part: f"mlp.{part}_proj" for part in ("gate", "up", "down")},
    "norm1": "input_layernorm",
    "norm2": "post_attention_layernorm",
}
CONFIG = {"num_attention_heads": 2, "rope_theta": 5000.0, "rms_norm_eps": 1e-6, "hidden_act": "silu"}


def llama_name(name):
    block, _, part = name.partition(".")
    return f"model.layers.{block[1:]}.{PARTS[part]}.weight" if part else f"{NAMES[name]}.weight"


def write_llama(folder, model, config=CONFIG, leave=(), **more):
    arrays = {llama_name(name): ("F32", array) for name, array in model.weights.items() if name not in leave}
    arrays |= {name: ("F32", array) for name, array in more.items()}
    half = len(arrays) // 2
    for i, some in enumerate((list(arrays.items())[:half], list(arrays.items())[half:])):
        write_safetensors(folder / f"model-{i}.safetensors", dict(some))
    (folder / "config.json").write_text(json.dumps(config))


def test_a_llama_of_two_files_and_shared_keys_is_read(tmp_path):
    model = made(2, np.float32)
    write_llama(tmp_path, model, **{"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(2, np.float32)})
    again = load_llama(tmp_path)
    assert again.rotary_base == 5000
    assert again.epsilon == 1e-6
    assert all((again.weights[name] == array).all() for name, array in model.weights.items())
    student = BooleanTransformer.from_teacher(again, 1)
    assert student.logits(ids_of((1, 4))).shape == (1, 4, 7)


def test_a_llama_with_tied_ends_uses_its_embedding_twice(tmp_path):
    write_llama(tmp_path, made(1, np.float32), {**CONFIG, "tie_word_embeddings": True}, leave=("head",))
    model = load_llama(tmp_path)
    assert (model.weights["head"] == model.weights["embed"]).all()


@pytest.mark.parametrize(
    ("config", "more", "text"),
    [
        ({**CONFIG, "hidden_act": "gelu"}, {}, "hidden_act must be"),
        ({**CONFIG, "rope_scaling": {"factor": 2}}, {}, "rope_scaling must be"),
        ({**CONFIG, "num_attention_heads": 3}, {}, "heads"),
        ({**CONFIG, "num_attention_heads": "2"}, {}, "n_heads must be"),
        ({**CONFIG, "head_dim": 8}, {}, "head_dim must be"),
        ({}, {}, "n_heads must be"),
        ([], {}, "must be a JSON object"),
        (CONFIG, {"model.layers.0.self_attn.q_proj.bias": np.ones(8, np.float32)}, "without biases"),
        (CONFIG, {"model.layers.7.self_attn.q_proj.weight": np.ones((8, 8), np.float32)}, "difference in"),
        (CONFIG, {"transformer.wte": np.ones(8, np.float32)}, "weights must be those of a Llama"),
    ],
)
def test_what_is_no_such_llama_is_refused(tmp_path, config, more, text):
    write_llama(tmp_path, made(1, np.float32), config, **more)
    with pytest.raises((TypeError, ValueError), match=text):
        load_llama(tmp_path)
