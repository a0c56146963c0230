"""A decoder in NumPy: its derivatives are those of what it computes, and what it keeps changes nothing."""

import numpy as np
import pytest

from bvar.bits import RandomWords
from bvar.multikernel import Transformer, windows
from bvar.real.transformer_parts import log_softmax
from tests.multikernel.folders import write_safetensors
from tests.multikernel.models import check_differences, made_of


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


@pytest.mark.parametrize("model", [made(1), made(2), made_of("opt", Transformer)], ids=["llama", "shared", "opt"])
def test_gradients_are_the_finite_differences_of_the_loss(model):
    """Every kind of weight, with signals on the logits and on the stream behind the first block."""
    ids, source = ids_of((2, 5)), RandomWords(5)
    signal = source.uniform(2, 5 * 7).reshape(2, 5, 7)
    on_streams = {0: source.uniform(2, 5 * 8).reshape(2, 5, 8)}

    def loss():
        logits, context = model.forward(ids)
        return np.sum(signal * logits) + np.sum(on_streams[0] * context.streams[0])

    check_differences(model, loss, model.backward(signal, model.forward(ids)[1], on_streams))


def test_a_token_does_not_see_those_behind_it():
    model, ids = made(), ids_of((1, 6))
    changed = ids.copy()
    changed[0, -1] = (changed[0, -1] + 1) % 7
    assert (model.logits(ids)[:, :-1] == model.logits(changed)[:, :-1]).all()


def test_only_distances_of_positions_count():
    """Two equal texts, one behind the other in the cache and out of sight, give equal logits."""
    from bvar.multikernel.contexts import Cache

    model, ids = made(), ids_of((1, 4))
    cache = Cache(4)
    for i in range(4):
        first, _ = model._forward(ids[:, i : i + 1], model._product, cache)
    moved = Cache(4)
    moved.seen = 1000
    for i in range(4):
        second, _ = model._forward(ids[:, i : i + 1], model._product, moved)
    assert np.abs(first - second).max() < 1e-9


@pytest.mark.parametrize("n_shared", [1, 2])
def test_keys_and_values_that_are_kept_give_the_logits_of_the_whole_text(n_shared):
    from bvar.multikernel.contexts import Cache

    model, ids, cache = made(n_shared), ids_of((1, 9)), Cache(9)
    parts = [model._forward(ids[:, a:b], model._product, cache)[0] for a, b in [(0, 4), (4, 5), (5, 9)]]
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


@pytest.mark.parametrize("model", [made(1), made(2), made_of("opt", Transformer)], ids=["llama", "shared", "opt"])
@pytest.mark.parametrize("ends", [(9,), (4, 9), (1, 3, 8, 9)])
def test_a_prompt_is_one_function_of_its_text(model, ends):
    """Longer than the context, at once or in parts: each position looks back on `context`, itself among them."""
    from bvar.multikernel.contexts import Cache

    def logits_by(ends):
        cache, pairs = Cache(3), zip((0, *ends), ends, strict=False)
        parts = [model._forward(ids[:, a:b], model._product, cache)[0] for a, b in pairs]
        return np.concatenate(parts, axis=1)

    ids = ids_of((1, 9))
    one_by_one = logits_by(range(1, 10))
    # float64: sums of at most some dozen terms near 1
    assert np.abs(logits_by(ends) - one_by_one).max() < 1e-12
    assert np.abs(model.logits(ids) - one_by_one)[:, 3:].max() > 1e-3  # without a context they are others


def test_with_a_context_of_one_only_the_last_token_of_a_prompt_counts():
    model = made()
    drawn = {tuple(model.generate([*ids_of(4, seed=seed), 5], 6, context=1, random_state=0)) for seed in range(9)}
    assert len(drawn) == 1


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
        (
            lambda w: w.update({"norm": np.full(8, 1e300), "l0.norm1": np.ones(8, np.float32)}),
            r"weights must be within 3\.40282e\+38 of 0, the range of float32, 'norm' is not",
        ),
    ],
)
def test_weights_that_make_no_model_are_refused(change, text):
    weights = dict(made().weights)
    change(weights)
    with pytest.raises((TypeError, ValueError), match=text):
        Transformer(weights, n_heads=2)


@pytest.mark.parametrize("name", ["tokens", "width", "hidden", "n_blocks", "n_heads"])
@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_sizes_of_a_random_model_are_positive_integers(name, size):
    sizes = {"tokens": 3, "width": 8, "hidden": 8, "n_blocks": 1, "n_heads": 2} | {name: size}
    with pytest.raises((TypeError, ValueError), match=f"{name} must be an integer >= 1, got {size}"):
        Transformer.random(**sizes, random_state=0)


@pytest.mark.parametrize("ids", [[0.5], [[[1]]], [], [7], [-1]])
def test_what_are_no_tokens_is_refused(ids):
    with pytest.raises((TypeError, ValueError), match="ids must be"):
        made().logits(ids)


@pytest.mark.parametrize(
    "read",
    [
        lambda model, ids: windows(ids, 1),
        lambda model, ids: model.generate(ids, 1),
        lambda model, ids: model.decode(ids),
    ],
    ids=["windows", "generate", "decode"],
)
@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([[1, 2], [2, 1]], r"ids must be one text, a vector, got shape \(2, 2\)"),
        ([-1, 0, 1], r"ids must be from 0 to \d+, got -1 to 1"),
        (np.array([2**63, 0], np.uint64), r"ids must be from 0 to \d+, got 0 to 9223372036854775808"),
        ([1.0, 2.0], "ids must be integers, got dtype float64"),
        ([[1], [1, 2]], "ids must be an array, got rows of different lengths"),
        ([], "ids must be"),
    ],
)
def test_what_reads_one_text_refuses_others(read, ids, text):
    model = Transformer.random("bca", width=8, hidden=8, n_blocks=1, random_state=0)
    with pytest.raises((TypeError, ValueError), match=text):
        read(model, ids)


def test_one_row_is_one_text():
    model = Transformer.random("bca", width=8, hidden=8, n_blocks=1, random_state=0)
    assert model.decode([[2, 0, 1]]) == "abc"
    assert windows([[0, 1, 2]], 2).tolist() == [[0, 1, 2]]
    assert (model.generate([[2, 0]], 3, random_state=0) == model.generate([2, 0], 3, random_state=0)).all()


def test_texts_with_nothing_to_be_predicted_have_no_score():
    with pytest.raises(ValueError, match=r"ids must have two tokens or more in each text, got shape \(2, 1\)"):
        made().score([[1], [2]])
    with pytest.raises(ValueError, match="ids must be an array, got rows of different lengths"):
        made().score([[1], [2, 3]])


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
