"""Transformers of bits: gradients against finite differences, exact integers between them, one fingerprint."""

import numpy as np
import pytest

from bvar import backends, kernels, model_file
from bvar.bits import RandomWords
from bvar.energy import cost
from bvar.layers import BooleanLinear, GateLayer, JoinChannels, Threshold
from bvar.networks import BooleanOptimizer, CrossEntropy, Network, boolean_mlp
from bvar.real import (
    Attention,
    Embedding,
    FixedPoint,
    LayerNorm,
    NGramEmbedding,
    PositionSum,
    RealCrossEntropy,
    RealLinear,
    RealScale,
    Residual,
    boolean_transformer,
    text_classifier,
)
from bvar.real.transformer_parts import attend, attend_back
from tests.real.test_real_ends import assert_gradient

N_TOKENS, LENGTH = 7, 12


def toy(**options):
    options = {"width": 16, "n_blocks": 2, "n_heads": 2, "n_steps": 100, "random_state": 0} | options
    return boolean_transformer(N_TOKENS, LENGTH, **options)


def texts(n, seed=0):
    """Texts in which a token is the sum of the two before it, with some errors."""
    random = np.random.RandomState(seed)
    ids = random.randint(0, N_TOKENS, (n, LENGTH + 1))
    for i in range(2, LENGTH + 1):
        ids[:, i] = (ids[:, i - 1] + ids[:, i - 2] + (random.rand(n) < 0.05)) % N_TOKENS
    return ids[:, :-1], ids[:, 1:].ravel()


def in_float64(layer, seed=0):
    """Give a layer random weights in float64."""
    random = np.random.RandomState(seed)
    for parameter in layer.real_parameters:
        parameter.values = parameter.values + random.standard_normal(parameter.values.shape)
    return random


# ------------------------------------------------------------------------------------------------- gradients


def assert_gradients(layer, x, z, context=None):
    """Compare the gradients in the real weights, and in numbers, with finite differences."""
    context = layer.forward(x)[1] if context is None else context

    def total():
        return (z * layer.forward(x)[0]).sum()

    for parameter, gradient in zip(layer.real_parameters, layer.gradients(z, context), strict=True):
        assert_gradient(total, parameter.values, gradient)
    if getattr(x, "dtype", None) == np.float64:
        assert_gradient(total, x, layer.backward(z, context))


def test_gradients_of_layer_normalisation_are_finite_differences():
    layer = LayerNorm(5, epsilon=0.1)
    random = in_float64(layer)
    assert_gradients(layer, 3 * random.standard_normal((7, 5)) + 1, random.standard_normal((7, 5)))


def test_gradients_of_an_embedding_are_finite_differences():
    layer = Embedding(4, 3, 5, random_state=0)
    random = in_float64(layer)
    ids = np.array([[0, 1, 1], [3, 1, 0]])  # a token that comes often, one that never does
    assert_gradients(layer, ids, random.standard_normal((6, 5)))
    assert (layer.gradients(np.ones((6, 5)), ids)[0][2] == 0).all()


def test_gradients_of_an_embedding_of_ngrams_are_finite_differences():
    layer = NGramEmbedding(4, 5, 3, max_ngram=3, n_buckets=6, random_state=0)  # buckets with several n-grams
    random = in_float64(layer)
    ids = np.array([[0, 1, 1, 1, 1], [3, 1, 0, 1, 0]])
    assert_gradients(layer, ids, random.standard_normal((10, 3)))


def test_the_row_of_a_position_adds_those_of_the_ngrams_that_end_there():
    layer, plain = (kind(4, 5, 3, random_state=0) for kind in (NGramEmbedding, Embedding))
    ids = np.random.RandomState(0).randint(0, 4, (6, 5))
    np.testing.assert_array_equal(layer.forward(ids)[0], plain.forward(ids)[0])  # nothing is known of them yet
    layer.ngram.values = np.random.RandomState(1).standard_normal(layer.ngram.values.shape).astype(np.float32)
    expected = plain.forward(ids)[0].reshape(6, 5, 3)
    for text, row in zip(ids.tolist(), expected, strict=True):
        for i in range(5):
            for n in range(2, min(4, i + 1) + 1):
                row[i] += layer.ngram.values[bucket_by_hand(text[i - n + 1 : i + 1], 2**16)]
    np.testing.assert_array_equal(layer.forward(ids)[0].reshape(6, 5, 3), expected)


def bucket_by_hand(ngram, n_buckets):
    hashed = 0
    for token in ngram:
        hashed = (0x9E3779B97F4A7C15 * hashed + token + 1) % 2**64
    return (0xB504F333F9DE6485 * hashed % 2**64 >> 32) % n_buckets


@pytest.mark.parametrize("n_buckets", [1000, 2**16])
def test_ngrams_are_spread_over_buckets_at_least_as_evenly_as_balls_at_random(n_buckets):
    """All pairs and triples of 65 tokens: no more buckets stay empty than if balls had been thrown at random."""
    ids = np.stack(np.meshgrid(*[np.arange(65)] * 3), axis=-1).reshape(-1, 3)
    pairs, triples = NGramEmbedding(65, 3, 1, max_ngram=3, n_buckets=n_buckets).buckets(ids)[:, :, 2]
    for buckets, n in ((np.unique(np.column_stack([ids[:, 1:], pairs]), axis=0)[:, 2], 65**2), (triples, 65**3)):
        assert len(buckets) == n
        empty = 1 - len(np.unique(buckets)) / n_buckets
        # the number of empty buckets has a variance below that of a binomial: six spreads
        chance = (1 - 1 / n_buckets) ** n
        assert empty <= chance + 6 * (chance * (1 - chance) / n_buckets) ** 0.5


def test_a_stream_of_another_spread_begins_as_the_same_in_another_size():
    ids = np.array([[0, 1, 2, 3, 3]])
    for kind in (Embedding, NGramEmbedding):
        large, small = (kind(4, 5, 64, spread=spread, random_state=0).forward(ids)[0] for spread in (1, 0.125))
        np.testing.assert_array_equal(small, large / 8)  # a power of two rounds nothing
        assert 0.9 < large.std() < 1.3  # of variance 1 + 1/4


def test_the_gradient_of_a_sum_over_positions_is_a_finite_difference():
    random = np.random.RandomState(0)
    layer, x, z = PositionSum(3), random.standard_normal((6, 4)), random.standard_normal((2, 4))
    assert_gradient(lambda: (z * layer.forward(x)[0]).sum(), x, layer.backward(z, None))


def test_gradients_of_a_residual_sum_are_finite_differences_however_loud_it_is():
    layer = Residual([LayerNorm(5, epsilon=0.1)], loudness=7)
    random = np.random.RandomState(0)
    for parameter in layer.real_parameters:
        parameter.values = parameter.values + random.standard_normal(5)
    assert_gradients(layer, random.standard_normal((7, 5)), random.standard_normal((7, 5)))


@pytest.mark.parametrize("loudness", [1.0, 11.3, 300.0])
def test_int8_signals_of_a_threshold_pass_a_residual_sum_as_numbers(loudness):
    """Their dtype would wrap what is multiplied or added up in it."""
    layer, random = Residual([RealLinear(4, 4, random_state=0)], loudness=loudness), np.random.RandomState(0)
    _, context = layer.forward(random.standard_normal((3, 4)).astype(np.float32))
    z = random.randint(-127, 128, (3, 4)).astype(np.int8)
    (inner,) = layer.layers
    exact = z + z.astype(float) @ inner.weight.values
    np.testing.assert_allclose(layer.backward(z, context), exact, rtol=1e-5, atol=1e-3)  # float32
    wanted = inner.gradients(z.astype(np.float32), context.contexts[0])
    for found, gradient in zip(layer.gradients(z, context), wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("kind", [Embedding, NGramEmbedding])
def test_int8_signals_of_a_threshold_are_added_up_as_numbers(kind):
    layer, z = kind(3, 4, 2), np.full((8, 2), 100, np.int8)
    ids = np.array([[1, 1, 1, 1], [2, 1, 2, 1]])
    context = layer.forward(ids)[1]
    found = layer.gradients(z, context)
    assert found[0].tolist() == [[0, 0], [600, 600], [200, 200]]
    assert found[1].tolist() == [[200, 200]] * 4
    for one, other in zip(found, layer.gradients(z.astype(np.float32), context), strict=True):
        assert (one == other).all()
        assert one.dtype == np.float32


def test_integers_are_added_up_over_positions_as_numbers():
    layer, x = PositionSum(2), np.array([[1], [3]], np.int32)
    assert layer.forward(x)[0].ravel() == pytest.approx([2**1.5])
    assert layer.backward(np.array([[127]], np.int8), None).ravel() == pytest.approx([127 / 2**0.5] * 2)


def test_a_residual_sum_is_inferred_whole_however_many_rows_its_layers_would_take():
    """Layers of gates ask for 2560 rows at most, which here cut a text."""
    n_texts, length = 27, 96
    gates = GateLayer(4, 12, 2, random_state=0)
    assert n_texts * length > gates.rows_together
    inner = [LayerNorm(4), FixedPoint(), Threshold(4, FixedPoint.FAN_IN, 3), gates, Attention(length, 4, 2)]
    layer = Residual(inner, n_positions=length)
    x = np.random.RandomState(0).standard_normal((n_texts * length, 4)).astype(np.float32)
    np.testing.assert_allclose(layer.infer(x), layer.forward(x)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [3, 7, 2561])
def test_rows_of_a_text_are_scored_together(length):
    gates, n_texts = GateLayer(8, 48, 2, random_state=0), 3000 // length + 2
    layers = [gates, Attention(length, 16, 2), RealLinear(16, 2, n_positions=length, random_state=0)]
    network = Network(layers, RealCrossEntropy(), BooleanOptimizer())
    x = RandomWords(0).bits(n_texts * length, 8)
    whole = x
    for layer in layers:
        whole = layer.forward(whole)[0]
    assert n_texts * length > gates.rows_together
    np.testing.assert_allclose(network.scores(x), whole, rtol=1e-4, atol=1e-5)  # float32 sums of 16 terms


def test_layers_say_which_rows_belong_together():
    assert Attention(3, 4, 2).rows_for(1) == 3
    assert Attention(3, 4, 2).rows_for(2) == 6
    assert PositionSum(3).rows_for(2) == 6
    assert Embedding(5, 6, 2).rows_for(6) == 1
    assert Embedding(5, 6, 2).rows_for(4) == 2
    assert Residual([LayerNorm(4), Attention(4, 4, 2)], n_positions=4).rows_for(6) == 12
    assert LayerNorm(4).rows_for(5) == 5
    assert JoinChannels([[Threshold(4, 4, 4)]], 2).rows_for(6) == 6


class Doubled(Residual):
    """Adds twice."""

    def forward(self, x):
        y, context = super().forward(x)
        return 2 * y, context

    def infer(self, x):
        return 2 * super().infer(x)


def test_a_subclass_of_a_residual_sum_is_not_merged():
    layer, x = Doubled([LayerNorm(4)]), np.random.RandomState(0).standard_normal((3, 4)).astype(np.float32)
    infer, _ = layer.absorb(())
    np.testing.assert_array_equal(infer(x), layer.infer(x))


def test_a_residual_sum_asks_its_layers_whether_they_can_vote():
    gates = GateLayer(4, 4, 2, random_state=0)
    inner = [
        LayerNorm(4),
        FixedPoint(),
        Threshold(4, FixedPoint.FAN_IN, 2),
        gates,
        BooleanLinear(4, 4),
        RealScale(4, 4),
    ]
    layer = Residual(inner)
    _, context = layer.forward(np.zeros((2**16 + 1, 4), np.float32))
    with pytest.raises(ValueError, match="at most 65536 samples, got 65537"):
        layer.check(context)


def test_gradients_of_a_scale_are_finite_differences():
    layer, random = RealScale(4, fan_in=9, start=0.5), np.random.RandomState(0)
    layer.scale.values = layer.scale.values.astype(np.float64)
    assert_gradients(layer, random.randint(-9, 10, (6, 4)).astype(np.int32), random.standard_normal((6, 4)))


@pytest.mark.parametrize("n_heads", [1, 2])
def test_gradients_of_attention_are_finite_differences(n_heads):
    layer = Attention(4, 6, n_heads)
    random = in_float64(layer)
    bits, z = kernels.pack(random.rand(8, 18) < 0.5), random.standard_normal((8, 6))
    assert_gradients(layer, bits, z)
    _, context = layer.forward(bits)
    q, k, v, shares = (part.copy() for part in context[:4])
    signal = layer._by_text(z)

    def total():
        return (signal * attend(layer._sharpened(q), k, v, extra=layer._extra())[0]).sum()

    in_q, in_k, in_v, _ = attend_back(signal, layer._sharpened(q), k, v, shares)
    for array, gradient in ((q, layer._sharpened(in_q)), (k, in_k), (v, in_v)):
        assert_gradient(total, array, gradient)
    votes = layer.backward(1000 * z, context)
    exact = np.concatenate([part.swapaxes(1, 2).reshape(8, 6) for part in (layer._sharpened(in_q), in_k, in_v)], 1)
    assert votes.dtype == np.int32
    np.testing.assert_array_equal(votes, np.rint(1000 * exact))
    assert (shares.sum(axis=-1) - 1 < 1e-12).all()


def test_a_position_sees_nothing_that_comes_later():
    network, (x, _) = toy(), texts(3)
    scores = network.scores(x).reshape(3, LENGTH, -1)
    x[:, 8:] = (x[:, 8:] + 1) % N_TOKENS
    changed = network.scores(x).reshape(3, LENGTH, -1)
    np.testing.assert_array_equal(scores[:, :8], changed[:, :8])
    assert (scores[:, 8:] != changed[:, 8:]).any(axis=(1, 2)).all()


def test_first_heads_look_as_far_back_as_their_number():
    layer = Attention(8, 9, 3)
    bits = kernels.pack(np.zeros((8, 27), bool))  # all queries and keys alike: distances alone decide
    shares = layer.forward(bits)[1].shares[0]
    assert [int(shares[head, 7].argmax()) for head in range(3)] == [7, 6, 5]


# ------------------------------------------------------------------------------------------------- integers


def test_what_passes_through_boolean_maps_is_exact_integers():
    """The map in a residual sum gets int8 signals, and votes are those of its layer alone."""
    linear = BooleanLinear(8, 6, random_state=0)
    scale = RealScale(6, fan_in=8, start=0.5)
    layer = Residual(
        [LayerNorm(6), FixedPoint(), Threshold(6, FixedPoint.FAN_IN, 8), BooleanLinear(6, 8, random_state=1),
         Threshold(8, 6, 6), linear, scale], loudness=4,
    )  # fmt: skip
    random = np.random.RandomState(0)
    x, z = (
        random.standard_normal((9, 6)).astype(np.float32),
        20 * random.standard_normal((9, 6)).astype(np.float32),
    )
    y, context = layer.forward(x)
    votes = layer.votes(z, context)
    bits = context.contexts[5]
    sums = kernels.gate_sum(bits, linear.weight.bits)
    np.testing.assert_array_equal(y, x + (sums.astype(np.float32) * np.float32(8**-0.5)) * np.float32(0.5))
    signal = np.clip(np.rint(z * 4 * 0.5), -127, 127).astype(np.int8)
    np.testing.assert_array_equal(votes[1], kernels.weight_votes(signal, bits))
    np.testing.assert_array_equal(layer.infer(x), y)


def test_gradients_in_real_weights_do_not_change_when_bits_flip_first():
    layer = toy().layers[1]
    random = np.random.RandomState(0)
    x, z = (random.standard_normal((2 * LENGTH, 16)).astype(np.float32) for _ in range(2))
    _, context = layer.forward(x)
    layer.backward(z, context)
    before = [gradient.copy() for gradient in layer.gradients(z, context)]
    for parameter in layer.parameters:
        parameter.bits = kernels.pack(~kernels.unpack(parameter.bits))
    for kept, now in zip(before, layer.gradients(z, context), strict=True):
        np.testing.assert_array_equal(kept, now)


@pytest.mark.parametrize("number", [1, 2])
def test_another_signal_on_the_same_batch_is_another_way_back(number):
    """What layers received is kept with the batch, in residual sums and in attention, for the signal it is of."""
    layer = toy().layers[number]
    random = np.random.RandomState(0)
    x, one, other = (random.standard_normal((2 * LENGTH, 16)).astype(np.float32) for _ in range(3))

    def verbs(z, context):
        return [layer.backward(z, context), *layer.gradients(z, context), *layer.votes(z, context)]

    _, context = layer.forward(x)
    verbs(one, context)
    for found, wanted in zip(verbs(other, context), verbs(other, layer.forward(x)[1]), strict=True):
        np.testing.assert_array_equal(found, wanted)


# ------------------------------------------------------------------------------------------------- networks


def trained(n_steps, backend=None, n_threads=1, make=toy):
    network = make()
    with backends.use(backend, n_threads=n_threads):
        for step in range(n_steps):
            network.step(*texts(4, seed=step))
    return network


def test_the_first_hundred_steps_have_one_fingerprint_on_two_backends_and_any_number_of_threads():
    found = {trained(100, name).fingerprint() for name in ("numpy", backends.available()[-1])}
    assert found | {trained(100, n_threads=2).fingerprint()} == found
    assert len(found) == 1
    assert toy().fingerprint() not in found


def test_ngrams_know_after_few_steps_what_two_tokens_say_of_the_next():
    plain, network = toy(n_steps=60), toy(n_steps=60, max_ngram=2, n_buckets=500)
    for step in range(60):
        for each in (plain, network):
            each.step(*texts(32, seed=step))
    x, y = texts(100, seed=1000)
    right, without = (np.mean(each.scores(x).argmax(axis=1) == y) for each in (network, plain))
    assert right > 0.75 > 0.55 > without  # 0.85 and 0.4, whatever the seed


def test_it_learns_what_two_tokens_say_of_the_next():
    network = toy(width=32, n_steps=300)
    for step in range(300):
        network.step(*texts(32, seed=step))
    x, y = texts(100, seed=1000)
    right = (network.scores(x).argmax(axis=1) == y).reshape(100, LENGTH)
    assert (
        right[:, 1:].mean() > 0.75 > 0.3 > right[:, 0].mean()
    )  # 0.95 is all that can be known, and 0.2 by chance


def test_parts_of_a_batch_say_together_what_the_whole_does():
    network, (x, y) = trained(20), texts(8)
    whole = network.votes(x, y)
    halves = network.votes(x[:4], y[: 4 * LENGTH]) + network.votes(x[4:], y[4 * LENGTH :])
    for one, other in zip(whole.tensors, halves.tensors, strict=True):
        assert np.abs(one - other).max() <= 2  # a float32 product may end otherwise, and a signal round so
    for a, b in zip(whole.real.gradients, halves.real.gradients, strict=True):
        # sums over the rows of all texts in another order: one rounding to 2**-24 for each row
        assert np.abs(a - b).max() <= len(y) * 2.0**-24 * np.abs(a).max()


@pytest.mark.parametrize("max_ngram", [1, 3])
@pytest.mark.parametrize("is_classifier", [False, True])
def test_a_file_keeps_scores_and_further_training(tmp_path, is_classifier, max_ngram):
    network = trained(5, make=lambda: toy(max_ngram=max_ngram, n_buckets=50))
    y = np.array([0, 1, 2, 1]) if is_classifier else texts(4)[1]
    if is_classifier:
        network = text_classifier(network, 3, random_state=1)
    path = tmp_path / "model.bvar"
    network.step(texts(4)[0], y)
    model_file.save(network, path, training_state=True)
    again = model_file.load(path)
    np.testing.assert_array_equal(again.scores(texts(4)[0]), network.scores(texts(4)[0]))
    for each in (network, again):
        each.step(texts(4, 1)[0], y)
    assert again.fingerprint() == network.fingerprint()
    assert again.summary(energy=True) == network.summary(energy=True)


def test_a_file_whose_layers_disagree_on_the_length_of_texts_is_refused(tmp_path):
    network = toy()
    network.layers[1].n_positions = LENGTH + 1
    with pytest.raises(ValueError, match="positions"):
        model_file.save(network, tmp_path / "model.bvar")


def test_a_classifier_of_texts_learns_on_the_body_of_a_language_model():
    network = text_classifier(toy(width=32), 2, n_steps=100, random_state=0)
    x = texts(64)[0]
    x[:32, 3:] = 1  # one class repeats itself
    y = np.repeat([0, 1], 32)
    for _ in range(100):
        network.step(x, y)
    assert (network.scores(x).argmax(axis=1) == y).all()


def test_the_summary_counts_weights_at_every_position():
    network = toy()
    lines = network.summary().splitlines()
    assert next(line for line in lines if line.startswith("l1.qkv.weight")).split()[-1] == str(16 * 48 * LENGTH)
    assert next(line for line in lines if line.startswith("embed.token")).split()[-1] == str(16 * LENGTH)
    assert next(line for line in lines if line.startswith("head.weight")).split()[-1] == str(16 * 7 * LENGTH)
    assert all(parameter.n_places == LENGTH for parameter in network.parameters)


def test_the_summary_counts_rows_that_are_looked_up():
    lines = toy(max_ngram=3, n_buckets=50).summary().splitlines()
    assert len({len(line) for line in lines[:-1]}) == 1  # columns stand below each other, however long a name is
    pairs, triples = LENGTH - 1, LENGTH - 2
    assert next(line for line in lines if line.startswith("embed.ngram")).split()[-4:] == [
        *("50", "x", "16")[2:],
        *(str(50 * 16), str(4 * 50 * 16), str(16 * (pairs + triples))),
    ]


def test_its_cost_is_that_of_maps_at_every_position():
    network, one = toy(), BooleanLinear(16, 48, random_state=0, name="l0.qkv")
    table = cost(network, 1).rows
    amount = next(r.amount for r in table if (r.layer, r.way, r.place) == ("l0.qkv", "forward", "logic"))
    alone = next(r.amount for r in cost([one], LENGTH).rows if (r.way, r.place) == ("forward", "logic"))
    assert amount == alone
    assert any((r.layer, r.way) == ("l0.qkv", "backward") for r in table)  # embeddings listen
    assert {r.layer for r in table} == {f"l{i}.{m}" for i in (0, 1) for m in ("qkv", "o", "up", "down")} | {"head"}


# ------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Attention(4, 6, 4), "n_heads must divide the 6 units, got 4"),
        (lambda: Attention(0, 6, 2), "n_positions"),
        (
            lambda: Attention(2, 1, 1).forward(kernels.pack(np.ones((2, 6), bool))),
            "x must have rows of 3 values for",
        ),
        (
            lambda: Attention(2, 1, 1).forward(kernels.pack(np.ones((3, 3), bool))),
            "x must have 2 rows for each text",
        ),
        (lambda: LayerNorm(4).forward(np.ones((2, 1), np.float32)), "x must have rows of 4 values for norm"),
        (lambda: LayerNorm(2).forward(np.array([[1, np.nan]], np.float32)), "x must be finite for norm"),
        (
            lambda: LayerNorm(2).forward(np.array([[1e20, -1e20]], np.float32)),
            "x must be finite .* and small enough",
        ),
        (lambda: LayerNorm(2, epsilon=1e-50), "epsilon must be a finite number >= 1.17549e-38"),
        (lambda: RealScale(4, 4).forward(np.ones((2, 1), np.int32)), "x must have rows of 4 values for scale"),
        (lambda: RealScale(2, 4, start=1e300), "start must be a finite number > 0 and <= 1e"),
        (
            lambda: Residual([RealLinear(4, 1)]).forward(np.ones((2, 4), np.float32)),
            "layers must make rows as wide as the stream, 4 numbers, got 1",
        ),
        (lambda: PositionSum(2).forward(np.ones((3, 4), np.float32)), "x must have 2 rows for each text, got 3"),
        (lambda: Embedding(5, 4, 3).forward([[1, 2], [1]]), "x must be an array, got rows of different lengths"),
        (lambda: Embedding(5, 4, 3, spread=1e300), "spread must be"),
        (lambda: boolean_transformer(5, 4, width=16, n_heads=3), "n_heads must divide width, 16, got 3"),
        (lambda: text_classifier(toy(), 2**40), "n_classes must be an integer in"),
        (lambda: RealLinear(2, 2, bias=1), "bias must be True or False, got 1"),
        (
            lambda: toy().step(texts(4)[0], texts(4)[1].reshape(4, -1)),
            r"y must be 48 classes in one row, or shares of the shape of scores \(48, 7\)",
        ),
        (lambda: LayerNorm(0), "n_units"),
        (lambda: Embedding(5, 4, 3).forward(np.zeros((2, 3), int)), r"shape \(n_texts, 4\)"),
        (lambda: Embedding(5, 4, 3).forward(np.zeros((2, 4))), "x must be integers"),
        (lambda: Embedding(5, 4, 3).forward(np.full((2, 4), 5)), r"tokens in \[0, 5\)"),
        (lambda: Embedding(5, 4, 3, spread=-1), "spread must be"),
        (lambda: NGramEmbedding(5, 4, 3, max_ngram=1), "max_ngram must be"),
        (lambda: NGramEmbedding(5, 4, 3, max_ngram=5), r"max_ngram must be an integer in \[2, 4\]"),
        (lambda: boolean_transformer(5, 4, max_ngram=5), r"max_ngram must be an integer in \[2, 4\]"),
        (lambda: NGramEmbedding(5, 4, 3, n_buckets=0), "n_buckets must be"),
        (lambda: NGramEmbedding(5, 4, 3).buckets(np.full((2, 4), 5)), r"tokens in \[0, 5\)"),
        (lambda: boolean_transformer(5, 4, max_ngram=0), "max_ngram must be"),
        (lambda: boolean_transformer(5, 4, max_ngram=2, n_buckets=0), "n_buckets must be"),
        (lambda: Residual([]), "layers must be one or more"),
        (lambda: Residual([LayerNorm(3)], loudness=0), "loudness"),
        (lambda: RealScale(3, 0), "fan_in"),
        (lambda: RealLinear(3, 2, n_positions=0), "n_positions"),
        (lambda: boolean_transformer(5, 4, n_blocks=0), "n_blocks"),
        (lambda: boolean_transformer(5, 4, hidden=0), "hidden must be"),
        (lambda: text_classifier(toy(), 0), "n_classes must be"),
        (
            lambda: text_classifier(boolean_mlp([4, 2]), 2),
            r"network must be a language model of boolean_transformer, got layers \['BooleanLinear'\]$",
        ),
        (lambda: text_classifier(None, 2), "network must be a language model of boolean_transformer, got None$"),
        (lambda: text_classifier(text_classifier(toy(), 2), 2), "network must be a language model"),
        (lambda: text_classifier(boolean_mlp([4, 3]), 2), "network must be a language model"),
    ],
)
def test_what_cannot_be_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_no_texts_have_no_scores():
    assert toy().scores(np.zeros((0, toy().layers[0].n_inputs), int)).shape[0] == 0


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([Embedding(5, 4, 3), PositionSum(2), RealLinear(3, 2)], r"length of texts, got \[2, 4\]"),
        ([Embedding(5, 4, 3), Residual([RealLinear(3, 4)], n_positions=4), RealLinear(3, 2)], "must end in real"),
    ],
)
def test_layers_that_do_not_fit_each_other_come_into_no_file(layers, words, tmp_path):
    network = Network(layers, RealCrossEntropy(), BooleanOptimizer())
    with pytest.raises(ValueError, match=words):
        model_file.save(network, tmp_path / "texts.bvar")


def test_branches_of_a_file_end_in_bits(tmp_path):
    join = JoinChannels([[BooleanLinear(4, 8)]], 4)
    network = Network([join, BooleanLinear(8, 2)], CrossEntropy(8), BooleanOptimizer())
    with pytest.raises(ValueError, match="branches must end in bits of 4 pixels"):
        model_file.save(network, tmp_path / "joined.bvar")
