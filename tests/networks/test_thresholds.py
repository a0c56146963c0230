"""Thresholds that are learnt: the vote is a finite change, the move is exact, and oddness is gone.

The theorems are those of ``docs/explanation/thresholds.md``.
"""

import copy
import pickle
from fractions import Fraction
from itertools import product
from math import inf

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st

from bvar import backends, kernels
from bvar.bits import RandomWords
from bvar.layers import BooleanLinear, Choice, Offset, Threshold
from bvar.layers.offset import random_offsets
from bvar.networks import (
    BinaryCrossEntropy,
    BooleanOptimizer,
    CrossEntropy,
    Network,
    SquaredError,
    boolean_mlp,
    front_network,
)


def every(n):
    """All inputs of n bits."""
    return np.array(list(product([False, True], repeat=n)))


def with_offsets(n_inputs, n_outputs, values, **options):
    layer = BooleanLinear(n_inputs, n_outputs, offset_spread=0.0, random_state=0, **options)
    layer.offset.values[:] = values
    return layer


# --------------------------------------------------------------------------------------------- what they can say


def test_a_network_with_a_threshold_is_not_odd():
    """Theorem (self-duality) needs thresholds at 0; one offset breaks it, at once and for every weight."""
    x = every(5)
    odd, learnt = (boolean_mlp([5, 9, 3], offset_spread=spread, random_state=0) for spread in (None, 0.5))
    a, b = odd.scores(kernels.pack(x)), odd.scores(kernels.pack(~x))
    assert (a == -b).all()
    a, b = learnt.scores(kernels.pack(x)), learnt.scores(kernels.pack(~x))
    assert (a != -b).any()


@pytest.mark.parametrize("n_true", [1, 2, 7, 100, 256])
def test_offsets_and_one_hidden_layer_say_every_function(n_true, backend):
    """Theorem: a hidden neuron with offset -n recognises one input; a score adds up those that belong to it."""
    x = every(8)
    wanted = np.random.default_rng(n_true).permutation(256) < n_true
    hidden, scores = with_offsets(8, n_true, -8), with_offsets(n_true, 2, [n_true - 1, 1 - n_true])
    hidden.weight.bits = kernels.pack(x[wanted])
    scores.weight.bits = kernels.pack(np.array([[True] * n_true, [False] * n_true]))
    network = Network([hidden, Threshold(n_true, 8, 2), scores], CrossEntropy(n_true), BooleanOptimizer())
    s = network.scores(kernels.pack(x))
    assert (s[:, 0] == np.where(wanted, 1, -1)).all()
    assert (s[:, 1] == -s[:, 0]).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("build", ["sums", "gates and sums"])
def test_and_of_two_of_five_bits_is_learnt_exactly(seed, build):
    x = every(5)
    y = (x[:, 0] & x[:, 1]).astype(int)
    network = (
        boolean_mlp([5, 256, 2], offset_spread=0.5, n_steps=60, random_state=seed)
        if build == "sums"
        else front_network([5, 64, 2], gates=50, n_steps=60, random_state=seed)
    )
    for _ in range(60):
        network.step(kernels.pack(x), y)
    assert (network.scores(kernels.pack(x)).argmax(axis=1) == y).all()


def test_without_offsets_the_same_network_cannot_learn_and():
    """The negative twin: an odd network is right about an input and wrong about its negation."""
    x = every(5)
    y = (x[:, 0] & x[:, 1]).astype(int)
    network = boolean_mlp([5, 255, 2], n_steps=60, random_state=0)
    for _ in range(60):
        network.step(kernels.pack(x), y)
    assert (network.scores(kernels.pack(x)).argmax(axis=1) == y).sum() <= 24  # 00..., 01... and 10...


@pytest.mark.parametrize("n_constant", [1, 9, 40])
def test_constant_inputs_do_not_keep_gates_and_sums_from_learning(n_constant):
    x = np.hstack([every(6), np.ones((64, n_constant), bool)])
    y = (x[:, 0] & x[:, 1] | x[:, 2] & x[:, 3]).astype(int)
    network = front_network([6 + n_constant, 512, 2], gates=200, n_steps=200, random_state=0)
    for _ in range(200):
        network.step(kernels.pack(x), y)
    assert (network.scores(kernels.pack(x)).argmax(axis=1) == y).all()


# ------------------------------------------------------------------------------------------------------ the vote


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("g", ["xnor", "and", "a_implies_b"])
def test_the_vote_on_a_threshold_is_a_finite_change(backend, g, bias):
    """Theorem: when an offset rises by 1, signals times sums rise by exactly its vote; for all weights."""
    x, rng = kernels.pack(every(3)), np.random.default_rng(0)
    for weights in product([False, True], repeat=3):
        layer = with_offsets(3, 2, [1, -2], gate=g, bias=bias)
        layer.weight.bits = kernels.pack(np.array([weights, weights[::-1]]))
        z = rng.integers(-127, 128, (8, 2)).astype(np.int8)
        s, context = layer.forward(x)
        votes = layer.votes(z, context)[-1]
        assert votes.dtype == np.int32
        for j in range(2):
            layer.offset.values[j] += 1
            change = layer.forward(x)[0].astype(int) - s
            assert (change * z).sum() == votes[j]
            layer.offset.values[j] -= 1


def test_the_vote_on_the_threshold_of_a_score_is_that_of_the_signals():
    """Recomputed by hand for a whole network: the signals of the loss, added up over the samples."""
    x, y = kernels.pack(every(4)), np.arange(16) % 3
    network = boolean_mlp([4, 30, 3], offset_spread=0.5, random_state=0)
    signals = network.loss.signals(network.scores(x), y, None)
    assert network.votes(x, y).tensors[-1].tolist() == [sum(map(int, column)) for column in signals.T]


@given(seed=st.integers(0, 99))
def test_the_common_part_is_the_vote_on_the_threshold_with_a_gain(seed):
    """Theorem: weights that move along the common part move sums, on average, |mean|^2 times as the offset."""
    rng = np.random.default_rng(seed)
    x, z = rng.choice([-1, 1], (16, 6)), rng.integers(-127, 128, 16)
    x[:, :2] = 1  # two constant inputs: a gain of at least 2
    total, means = Fraction(int(z.sum())), [Fraction(int(c), 16) for c in x.sum(axis=0)]
    common = [total * mean for mean in means]
    whole = kernels.weight_votes(z[:, None].astype(np.int8), kernels.pack(x.astype(np.int8)))[0]
    covariances = [
        sum(int(a) * (int(b) - mean) for a, b in zip(z, c, strict=True))
        for c, mean in zip(x.T, means, strict=True)
    ]
    assert [a + b for a, b in zip(covariances, common, strict=True)] == whole.tolist()
    moved = Fraction(sum(sum(-v * int(e) for v, e in zip(common, row, strict=True)) for row in x), 16)
    gain = sum(mean**2 for mean in means)
    assert moved == -total * gain
    assert gain >= 2


@given(
    tau=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=5, max_size=5),
    offsets=st.lists(st.integers(-70, 70), min_size=5, max_size=5),
    bias=st.booleans(),
)
def test_a_comparison_takes_the_offset_to_the_other_side(backend, tau, offsets, bias):
    layer = with_offsets(70, 5, offsets, bias=bias)
    x = RandomWords(0).bits(9, 70)
    s = layer.forward(x)[0]
    want = s >= np.array(tau)
    assert (kernels.unpack(layer.forward_bits(x, np.array(tau, np.int32))) == want).all()


# ------------------------------------------------------------------------------------------------------ the move


@given(
    votes=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=8),
    eta=st.sampled_from([0.0, 1e-9, 0.01, 0.5, 1.0, 1e300]),
    rate=st.sampled_from([0.0, 0.1, 1.0]),
    n_terms=st.sampled_from([1, 10, 784, 2**28]),
    n_steps=st.integers(1, 4),
)
def test_an_offset_moves_as_the_page_says(votes, eta, rate, n_terms, n_steps):
    offset, m = Offset("o", np.zeros(len(votes), np.int32), n_terms, rate=rate), np.zeros(len(votes), np.int32)
    values, left, exact = [0] * len(votes), [0] * len(votes), np.zeros(len(votes))
    for step in range(1, n_steps + 1):
        moved = offset.move(m, np.array(votes, np.int32), beta=1.0, eta=eta, clip=inf)
        values, left, n = spec.move_offsets(values, left, votes, eta, rate, n_terms)
        assert (offset.values.tolist(), m.tolist(), moved) == (values, left, n)
        assert (abs(m) < 2**24).all()
        exact -= [rate * n_terms**0.5 * max(min(eta * q, 1.0), -1.0) for q in votes]
        if (abs(exact) < n_terms).all():
            # of u half a unit of the step size for each vote, and of its own; of the product; of the reach
            size = 2.0**-41 * np.abs(np.array(votes, float)) + 2.0**-25
            error = step * (rate * n_terms**0.5 * size + 2.0**-25 + 2.0**-20)
            assert (abs(offset.values + m / 2**24 - exact) <= error + 1e-9).all()


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=30))
def test_what_is_less_than_a_step_of_an_offset_is_not_lost(votes):
    """Theorem (error feedback): where no product is rounded, offset and accumulator add up to all steps."""
    offset, m = Offset("o", np.zeros(1, np.int32), 2**20, rate=2**-9), np.zeros(1, np.int32)
    for t, q in enumerate(votes, start=1):  # rate * sqrt(n) is 2, and eta a power of two
        offset.move(m, np.array([q], np.int32), beta=1.0, eta=2**-8, clip=inf)
        moved = -sum(max(min(Fraction(q, 256), 1), -1) for q in votes[:t]) * 2
        assert offset.values[0] + Fraction(int(m[0]), 2**24) == moved
        assert abs(offset.values[0]) < 2 * t + 1


def test_an_offset_stays_within_the_range_of_the_sum():
    offset, optimizer = Offset("o", np.array([3, -3], np.int32), 4, rate=1.0), BooleanOptimizer(1.0)
    for _ in range(5):
        optimizer.step([offset], [np.array([-127, 127], np.int32)], n_samples=1)
    assert offset.values.tolist() == [4, -4]


@given(spread=st.fractions(0, 1, max_denominator=64), n_terms=st.sampled_from([1, 5, 64, 100]))
def test_first_offsets_are_rounded_once_and_drawn_from_bits(spread, n_terms):
    spread = float(spread)
    offsets = random_offsets(20, n_terms, spread, RandomWords(3))
    bits = kernels.unpack(RandomWords(3).bits(20, n_terms))
    assert offsets.tolist() == [round(Fraction(spread) * (2 * int(row.sum()) - n_terms)) for row in bits]


def test_no_word_is_drawn_where_there_are_no_offsets():
    """The weights of a network with offsets are those of one without, up to the first offsets drawn."""
    plain, zero, wide = (BooleanLinear(70, 9, bias=True, offset_spread=s, random_state=4) for s in (None, 0, 0.5))
    sources = [RandomWords(4) for _ in range(3)]
    for source, spread in zip(sources, (None, 0, 0.5), strict=True):
        BooleanLinear(70, 9, bias=True, offset_spread=spread, random_state=source)
    assert (plain.weight.bits.words == wide.weight.bits.words).all()
    assert (plain.bias.bits.words == wide.bias.bits.words).all()
    assert plain.offset is None
    assert not zero.offset.values.any()
    assert wide.offset.values.any()
    after = [source.words.random_raw() for source in sources]
    assert after[0] == after[1] != after[2]


# ----------------------------------------------------------------------------------------------------- exactness


def data(n=120):
    rng = np.random.default_rng(0)
    values = rng.choice(np.array([-1, 0, 1], np.int8), (n, 70), p=[0.45, 0.1, 0.45])
    return kernels.pack(values), rng.choice(3, n, p=[0.7, 0.2, 0.1])


def make(which):
    if which == "sums":
        return boolean_mlp([70, 33, 65, 3], offset_spread=0.5, bias=True, n_steps=20, random_state=5)
    if which == "centred sums":
        return boolean_mlp([70, 33, 65, 3], offset_spread=0.5, centered=True, n_steps=20, random_state=5)
    return front_network([70, 140, 33, 3], gates=90, fan_in=3, n_steps=20, random_state=5)


GOLDEN = {
    "sums": "b6a3c31ab27b4ee5fa3d1c986d91423c367fae888bf9040fb3a6d11f33e4ba89",
    "centred sums": "6f9df0e758f0e1a59faf2ed6a8a9f94e786666ab68b9cb2de0feddb05b5d437b",
    "front": "3f7137d4ef986b16031fac1c3a81bd7dc67edc65dc6ef20d78bcb291d0b8d48c",
}


def train(which, n_parts, n_steps=20):
    (x, y), network, order = data(), make(which), RandomWords(1)
    moves = 0
    for _ in range(n_steps):
        rows = order.permutation(len(y))[:100]
        parts = np.array_split(rows, n_parts)
        moves += np.array(network.apply(sum(network.votes(x[part], y[part]) for part in parts)))
    assert all(m.any() for m in network.optimizer.m)  # every parameter was voted on
    assert (moves > 0).sum() >= len(moves) - 1  # and moved, but for a bias, for which an offset stands in
    return network


@pytest.mark.parametrize("which", GOLDEN)
@pytest.mark.parametrize("n_parts", [1, 3, 50])
def test_no_vote_on_a_threshold_breaks_exactness(backend, which, n_parts):
    """Theorem (exactness): votes on offsets are sums of integers too. Typed once."""
    assert train(which, n_parts).fingerprint() == GOLDEN[which]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_no_number_of_threads_changes_an_offset(backend, n_threads):
    with backends.use(backend, n_threads=n_threads):
        assert train("front", 1).fingerprint() == GOLDEN["front"]


@pytest.mark.parametrize("which", GOLDEN)
def test_a_step_is_votes_applied_with_offsets_too(backend, which):
    (x, y), whole, blocks = data(), make(which), make(which)
    weights = np.random.default_rng(0).integers(0, 2**16, len(y), endpoint=True)
    for _ in range(6):
        assert blocks.step(x, y, weights)[1] == whole.apply(whole.votes(x, y, weights))
        assert blocks.fingerprint() == whole.fingerprint()
    assert all((a == b).all() for a, b in zip(whole.optimizer.m, blocks.optimizer.m, strict=True))
    assert whole.optimizer.beta == blocks.optimizer.beta


@pytest.mark.parametrize("which", GOLDEN)
def test_votes_of_parts_add_to_the_votes_of_all(which):
    (x, y), network = data(), make(which)
    parts = np.array_split(np.arange(len(y)), 7)
    added, whole = sum(network.votes(x[p], y[p]) for p in parts), network.votes(x, y)
    for a, b in zip(added.centered(), whole.centered(), strict=True):
        assert (a == b).all()


def test_offsets_enter_the_fingerprint():
    network = make("sums")
    before = network.fingerprint()
    again = pickle.loads(pickle.dumps(copy.deepcopy(network)))
    assert again.fingerprint() == before
    again.layers[0].offset.values[0] += 1
    assert again.fingerprint() != before


@pytest.mark.parametrize(
    "loss", [CrossEntropy(65), BinaryCrossEntropy(65), SquaredError(20)], ids=lambda loss: type(loss).__name__
)
def test_every_loss_trains_offsets(loss):
    x, y = data()
    n_scores = 3 if isinstance(loss, CrossEntropy) else 1
    if isinstance(loss, SquaredError):
        y = (10 * y[:, None]).astype(np.int64)
    elif isinstance(loss, BinaryCrossEntropy):
        y = y[:, None] > 0
    network = front_network([70, 65, n_scores], gates=50, loss=loss, n_steps=20, random_state=0)
    first = network.votes(x, y).loss
    moves = sum(np.array(network.step(x, y)[1]) for _ in range(20))
    assert (moves[:-1] > 0).all()
    assert network.optimizer.m[-1].any() or moves[-1]  # the only score need not have gone a whole step
    assert network.votes(x, y).loss < first


@pytest.mark.parametrize("writeable", [False, True])
def test_offsets_and_choices_train_a_copy_of_what_they_were_given(writeable):
    values, places = np.array([3, 4], np.int32), np.zeros(2, np.uint8)
    values.flags.writeable = places.flags.writeable = writeable
    offset = Offset("o", values, 10)
    offset.shift(np.array([1, 1], np.int32))
    choice = Choice("c", kernels.Candidates(np.array([[[0, 1]], [[2, 3]]]), 4), places)
    choice.values[:] = 1
    assert (offset.values.tolist(), values.tolist(), places.tolist()) == ([4, 5], [3, 4], [0, 0])


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: BooleanLinear(3, 2, offset_spread=2), r"offset_spread must be in \[0, 1\], got 2"),
        (lambda: BooleanLinear(3, 2, offset_spread=-1), "offset_spread must be a finite number >= 0"),
        (lambda: BooleanLinear(3, 2, offset_spread=0.5, offset_rate=2), r"rate must be in \[0, 1\], got 2"),
        (lambda: Offset("o", np.zeros(3, np.int32), 0), "n_terms must be an integer"),
        (lambda: Offset("o", np.zeros(3), 4), "values must be an array of int32"),
        (lambda: Offset("o", np.array([5], np.int32), 4), r"values must lie in \[-4, 4\]"),
        (lambda: Threshold(2, 10, 2, n_terms=np.array([-1, 10])), "n_terms must be at least 0, got -1"),
        (lambda: front_network([5]), "sizes must name inputs and outputs"),
        (lambda: front_network([5, 3], gates=0), "gates must be an integer >= 1"),
    ],
)
def test_bad_arguments_are_named(make, text):
    with pytest.raises((TypeError, ValueError), match=text):
        make()


def test_votes_of_a_wrong_shape_move_no_offset():
    offset, optimizer = Offset("o", np.zeros(3, np.int32), 9, rate=1.0), BooleanOptimizer()
    for votes, text in (
        (np.ones(2, np.int32), r"votes on o must have shape \(3,\)"),
        (np.ones(3), "must be int32"),
    ):
        with pytest.raises((TypeError, ValueError), match=text):
            optimizer.step([offset], [votes], n_samples=1)
    assert not offset.values.any()
