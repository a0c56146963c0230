"""The promise: one model, bit for bit, however a batch is split, on every backend; and networks that learn."""

import copy
import pickle
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import backends, kernels
from bvar.bits import BitMatrix, RandomWords
from bvar.calculus.gates import GATES
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    GateConv2d,
    GateLayer,
    SignalScale,
    SignedConv2d,
    Threshold,
)
from bvar.networks import LOSS_ONE, BooleanOptimizer, CrossEntropy, Network, Votes, boolean_mlp


def data(n=200, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.choice(np.array([-1, 0, 1], np.int8), (n, 70), p=[0.45, 0.1, 0.45])
    return kernels.pack(values), rng.integers(0, 3, n)


def train(n_parts, steps=12, batch=100, backend="numpy"):
    x, y = data()
    network = boolean_mlp([70, 33, 65, 3], bias=True, n_steps=steps, random_state=5)
    order, flips = RandomWords(1), []
    with backends.use(backend):
        for _ in range(steps):
            rows = order.permutation(len(y))[:batch]
            parts = np.array_split(rows, n_parts)
            flips.append(network.apply(sum(network.votes(x[part], y[part]) for part in parts)))
    assert all(sum(f) > 0 for f in zip(*flips, strict=True))  # every parameter was trained
    return network.fingerprint()


GOLDEN = "33823b70e6ae23d092b3ff4ff0683948ee0f07522198532ff5c411e8298ad01b"

GOLDEN_300 = "0d71f2be126386bc1a7d0da712254a7d69ba76b6a53395e014e4d04017dd16a3"


def test_the_fingerprint_of_a_training_run_is_golden(backend):
    """Typed once: a change here is a change of results, and belongs into the changelog."""
    assert train(1, backend=backend) == GOLDEN


@pytest.mark.parametrize("n_parts", [2, 7, 100])
def test_splitting_a_batch_does_not_change_the_model(backend, n_parts):
    """Theorem (exactness): votes of disjoint samples add."""
    assert train(n_parts, backend=backend) == train(1)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_three_hundred_steps_end_in_one_model_on_every_backend_and_thread_count(backend, n_threads):
    """Theorem (exactness), over a whole training: three layers, missing values, 300 steps."""
    x, y = data()
    network = boolean_mlp([70, 130, 65, 3], n_steps=300, random_state=0)
    order, flips = RandomWords(3), 0
    with backends.use(backend, n_threads=n_threads):
        for _ in range(300):
            rows = order.permutation(len(y))[:50]
            flips += sum(network.step(x[rows], y[rows])[1])
    assert flips > 1000
    assert network.fingerprint() == GOLDEN_300


@pytest.mark.usefixtures("backend")
@settings(max_examples=25)
@given(
    gate=st.sampled_from([g for g in GATES if g.depends_on_a and g.depends_on_b]),
    options=st.fixed_dictionaries(
        {
            "bias": st.booleans(),
            "centered": st.sampled_from([None, False, True]),
            "clip": st.sampled_from([0.05, 1.0, np.inf]),
            "offset_spread": st.sampled_from([None, 0.5]),
            "eta": st.sampled_from([3.0, 100.0]),
        }
    ),
    missing=st.booleans(),
    weighted=st.booleans(),
    n_samples=st.sampled_from([1, 30, 200]),
    n_threads=st.sampled_from([1, 2]),
)
def test_a_step_in_blocks_is_the_step(backend, gate, options, missing, weighted, n_samples, n_threads):
    """Theorem (exactness), once more: votes may be applied neuron by neuron, and need not be stored."""
    x, y = data(n_samples)
    x = x if missing else BitMatrix(x.words, x.n_bits)
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 2**16, len(y), endpoint=True) if weighted else None
    whole, blocks = (
        boolean_mlp([70, 130, 40, 3], gate=gate, n_steps=4, random_state=0, **options) for _ in range(2)
    )
    if options["centered"] and missing:
        whole.layers[0].centered = blocks.layers[0].centered = False  # which refuses missing inputs
    for _ in range(4):
        with backends.use(n_threads=n_threads):
            votes = whole.votes(x, y, weights)
            flips = whole.apply(votes)
            seen, flipped = blocks.step(x, y, weights)
        assert flipped == flips
        assert replace(votes, tensors=(), marginals=()) == seen
    assert blocks.fingerprint() == whole.fingerprint()
    assert blocks.optimizer.beta == whole.optimizer.beta
    for a, b in zip(blocks.optimizer.m, whole.optimizer.m, strict=True):
        assert (a == b).all()


def test_a_step_that_is_refused_changes_nothing(backend):
    x, y = data()
    network = boolean_mlp([70, 33, 3], random_state=0)
    before = network.fingerprint()
    for wrong in (y[:-1], y + 3):
        with pytest.raises(ValueError, match="y "):
            network.step(x, wrong)
    assert network.fingerprint() == before
    assert network.optimizer.step_count == 0


def test_the_order_of_samples_in_a_batch_does_not_matter(backend):
    x, y = data()
    network = boolean_mlp([70, 33, 3], random_state=0)
    back = np.arange(len(y))[::-1].copy()
    for a, b in zip(network.votes(x, y).tensors, network.votes(x[back], y[back]).tensors, strict=True):
        assert (a == b).all()


def test_votes_change_nothing_and_apply_only_the_weights(backend):
    x, y = data()
    network = boolean_mlp([70, 33, 3], random_state=0)
    before = network.fingerprint()
    network.scores(x)
    votes = network.votes(x, y)
    assert network.fingerprint() == before
    flips = [network.apply(votes) for _ in range(30)]
    assert sum(map(sum, flips)) > 0
    assert network.fingerprint() != before


def test_scores_are_those_of_the_layers_one_by_one(backend):
    x, _ = data()
    network = boolean_mlp([70, 33, 65, 3], gate="or", bias=True, random_state=0)
    value = x
    for layer in network.layers:
        value, _ = layer.forward(value)
    assert (network.scores(x) == value).all()


def test_missing_values_get_no_votes(backend):
    x, y = data()
    values = kernels.unpack_ternary(x)
    values[:, 7] = 0
    network = boolean_mlp([70, 33, 3], random_state=0)
    assert (network.votes(kernels.pack(values), y).tensors[0][:, 7] == 0).all()


def accuracy(sizes, x, y, gate):
    network = boolean_mlp(sizes, gate=gate, n_steps=300, random_state=0)
    for _ in range(300):
        network.apply(network.votes(x, y))
    return (network.scores(x).argmax(axis=1) == y).mean()


@pytest.mark.parametrize("gate", [g for g in GATES if g.depends_on_a and g.depends_on_b], ids=lambda g: g.name)
def test_every_kind_of_gate_learns_to_copy_a_bit(gate):
    """One bit among eight; chance is one half.  Copying is monotone, so layers of and alone can express it."""
    values = np.random.default_rng(0).random((256, 8)) < 0.5
    assert accuracy([8, 128, 2], kernels.pack(values), values[:, 3].astype(int), gate) > 0.8


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_layers_of_and_learn_a_disjunction_of_conjunctions_that_layers_of_xnor_do_not(seed):
    """Two pairs among six bits, all 64 rows: monotone, and so what "and" is for."""
    values = np.array(list(product([False, True], repeat=6)))
    y = ((values[:, 0] & values[:, 1]) | (values[:, 2] & values[:, 3])).astype(int)
    scores = {}
    for gate in ("and", "xnor"):
        network = boolean_mlp([6, 256, 2], gate=gate, n_steps=600, random_state=seed)
        for _ in range(600):
            network.step(kernels.pack(values), y)
        scores[gate] = (network.scores(kernels.pack(values)).argmax(axis=1) == y).mean()
    assert scores["and"] == 1 > scores["xnor"]


@pytest.mark.parametrize("gate", ["xnor", "xor"])
def test_a_hidden_layer_learns_what_none_can_without_one(gate):
    """Parity of three bits, learnt on all eight rows; no single layer of sums separates it."""
    values = np.array(list(product([False, True], repeat=3)))
    x, y = kernels.pack(values), values.sum(axis=1) % 2
    assert accuracy([3, 64, 2], x, y, gate) == 1
    assert accuracy([3, 2], x, y, gate) <= 0.75


def test_layers_of_xnor_with_odd_fan_in_are_self_dual(backend):
    """Theorem (self-duality): negating every input negates every score; so they cannot learn an even function."""
    rng = np.random.default_rng(0)
    values = rng.random((50, 7)) < 0.5
    network = boolean_mlp([7, 33, 65, 3], random_state=0)
    assert (network.scores(kernels.pack(values)) == -network.scores(kernels.pack(~values))).all()


def test_a_network_survives_pickle_and_copy():
    x, y = data()

    def train(network):
        for _ in range(20):
            network.apply(network.votes(x, y))
        return network.fingerprint()

    network = boolean_mlp([70, 33, 3], n_steps=40, random_state=0)
    half_way = train(network)
    twins = pickle.loads(pickle.dumps(network)), copy.deepcopy(network)
    ends = [train(twin) for twin in twins]
    assert network.fingerprint() == half_way != ends[0]
    assert ends == [train(network)] * 2


def test_votes_add_up_and_refuse_strangers():
    one = Votes((np.ones((1, 2), np.int32),), 2, 2**17, 1, LOSS_ONE // 2)
    total = one + one + one
    assert (total.tensors[0].tolist(), total.n_samples, total.sample_weight) == ([[3, 3]], 6, 3 * 2**17)
    assert total.loss == LOSS_ONE * 3 // 2
    with pytest.raises(ValueError, match="networks of the same shape"):
        one + Votes((np.ones((1, 3), np.int32),), 1, 2**16, 0, 0)
    with pytest.raises(TypeError):
        one + 1
    with pytest.raises(OverflowError, match="do not fit int32"):
        one + Votes(one.tensors, 2**23, 2**39, 0, 0)


def test_votes_add_up_in_place_or_stay_as_they_were():
    def votes(*values):
        return Votes(tuple(np.full((1, 2), v, np.int32) for v in values), 2, 2**17, 1, 0)

    total = votes(1, 2)
    tensors = total.tensors
    total += votes(10, 20)
    assert total.tensors is tensors
    assert ([q.tolist() for q in tensors], total.n_samples) == ([[[11, 11]], [[22, 22]]], 4)
    with pytest.raises(OverflowError, match="do not fit int32"):
        total += votes(1, 2**31 - 1)
    assert [q.tolist() for q in total.tensors] == [[[11, 11]], [[22, 22]]]
    total += total
    assert ([q.tolist() for q in tensors], total.tensors[1].tolist()) == ([[[11, 11]], [[22, 22]]], [[44, 44]])
    with pytest.raises(TypeError):
        total += 1


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: boolean_mlp([3]), "sizes must name inputs and outputs"),
        (lambda: boolean_mlp([3, 0]), "each of sizes must be an integer >= 1"),
        (lambda: boolean_mlp([71, 3]).votes(*data()), "x has rows of 70 bits but w has rows of 71"),
        (
            lambda: boolean_mlp([70, 3]).votes(data()[0], data()[1][:-1]),
            "y has 199 entries but scores has 200 rows",
        ),
        (lambda: boolean_mlp([70, 2]).votes(*data()), r"y must be in \[0, 1\]"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()


class Opposite(Threshold):
    """A threshold that answers the other way round."""

    def forward(self, x):
        y, context = super().forward(x)
        return kernels.pack(~kernels.unpack(y)), context


class Doubled(BooleanLinear):
    """A linear layer whose sums are all below the thresholds above it."""

    def forward(self, x):
        s, context = super().forward(x)
        return s * 0 - 1000, context


def test_a_linear_layer_takes_in_the_threshold_above_it_and_no_more():
    first, threshold, last = boolean_mlp([70, 33, 3], random_state=0).layers
    infer, left = first.absorb([threshold, last])
    assert left == [last]
    assert (infer(data()[0]).words == threshold.infer(first.infer(data()[0])).words).all()
    below = threshold.infer(first.infer(data()[0]))
    infer, left = last.absorb([])
    assert left == []
    assert (infer(below) == last.infer(below)).all()
    assert first.absorb([last])[1] == [last]


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_sizes_may_be_integers_of_any_width(kind):
    """Their arithmetic would stay in that width: masks, curves and shapes would be others."""
    plain = boolean_mlp([100, 60, 2], random_state=0)
    sized = boolean_mlp(np.array([100, 60, 2], kind), random_state=0)
    assert sized.fingerprint() == plain.fingerprint()
    assert (sized.layers[1].curve == plain.layers[1].curve).all()
    x, y = RandomWords(0).bits(30, 100), np.arange(30) % 2
    assert sized.step(x, y)[1] == plain.step(x, y)[1]


class Contrary(BooleanLinear):
    """A linear layer that votes for the opposite."""

    def votes(self, signal, context):
        return tuple(-q for q in super().votes(signal, context))


@pytest.mark.parametrize("options", [{}, {"bias": True}, {"centered": True}])
def test_votes_of_a_subclass_are_those_of_a_step(options):
    x, y = RandomWords(0).bits(40, 70), np.arange(40) % 3
    layers = [
        Contrary(70, 33, random_state=0, **options),
        Threshold(33, 70, 3),
        BooleanLinear(33, 3, random_state=1),
    ]
    network = Network(layers, CrossEntropy(33), BooleanOptimizer(eta=500.0))
    other = copy.deepcopy(network)
    for _ in range(3):
        assert network.step(x, y)[1] == other.apply(other.votes(x, y))
    assert network.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("way", ["step", "signals"])
def test_a_batch_that_a_lower_layer_refuses_moves_nothing(way):
    values = RandomWords(0).bits(20, 70)
    missing = kernels.pack(np.where(np.arange(70) == 3, 0, kernels.unpack_ternary(values)).astype(np.int8))
    network = boolean_mlp([70, 33, 3], eta=1000.0, random_state=0)
    network.layers[0].centered = True
    network.step(values, np.arange(20) % 3)
    before, m = network.fingerprint(), [m.copy() for m in network.optimizer.m]
    with pytest.raises(ValueError, match="linear1 has centered votes, so no input of it can be missing"):
        getattr(network, way)(missing, np.arange(20) % 3)
    assert network.fingerprint() == before
    assert all((a == b).all() for a, b in zip(network.optimizer.m, m, strict=True))
    assert network.optimizer.step_count == 1


def gates():
    return [GateLayer(8, 6, 2, random_state=0), SignalScale(2)], RandomWords(0).bits(2**16 + 1, 8)


def gates_in_a_branch():
    layers, x = gates()
    return [Add([[*layers, BooleanLinear(6, 6, random_state=2)]]), Threshold(6, 6, 2)], x


def places_of_numbers():
    conv = SignedConv2d((4, 4, 1), 2, padding=1, random_state=0)
    return [conv, Threshold(32, conv.sum_variance, 2)], np.ones((2**12 + 1, 16), np.int8)


@pytest.mark.parametrize("make", [gates, gates_in_a_branch, places_of_numbers])
def test_more_samples_than_a_lower_layer_can_count_move_nothing(make):
    below, x = make()
    width = 32 if make is places_of_numbers else 6
    network = Network(
        [*below, BooleanLinear(width, 2, random_state=1)],
        CrossEntropy(width),
        BooleanOptimizer(eta=1e7, clip=float("inf")),
    )
    before = network.fingerprint()
    with pytest.raises(ValueError, match="at most 65536 samples, got"):
        network.step(x, np.arange(len(x)) % 2)
    assert network.fingerprint() == before


@pytest.mark.parametrize("wide", [1, 7])
def test_a_threshold_of_another_width_is_refused_in_training_and_in_inference(wide):
    layers = [BooleanLinear(4, 5, random_state=0), Threshold(wide, 4, 2), BooleanLinear(5, 2, random_state=0)]
    network = Network(layers, CrossEntropy(5), BooleanOptimizer())
    x = RandomWords(0).bits(3, 4)
    for use in (network.scores, lambda x: network.step(x, np.zeros(3, int))):
        with pytest.raises(ValueError, match=f"x must have rows of {wide} values for the threshold"):
            use(x)


def test_a_threshold_takes_integers_alone():
    with pytest.raises(TypeError, match="x must be an array of int32"):
        Threshold(2, 4, 2).forward(np.array([[np.nan, 1.0]]))


def test_votes_of_centred_and_other_networks_do_not_add():
    x, y = RandomWords(0).bits(20, 70), np.arange(20) % 3
    one, other = (boolean_mlp([70, 33, 3], centered=c, random_state=0).votes(x, y) for c in (True, False))
    before = [q.copy() for q in one.tensors]
    with pytest.raises(ValueError, match="votes can be added only if they come from networks of the same shape"):
        one + other
    with pytest.raises(ValueError, match="votes can be added only if they come from networks of the same shape"):
        one += other
    assert all((a == b).all() for a, b in zip(one.tensors, before, strict=True))


@pytest.mark.parametrize("which", ["linear", "threshold"])
def test_a_subclass_that_answers_otherwise_is_not_merged(which):
    x, _ = data()
    linear = (Doubled if which == "linear" else BooleanLinear)(70, 33, random_state=0)
    threshold = (Opposite if which == "threshold" else Threshold)(33, 70, 3)
    last = BooleanLinear(33, 3, random_state=1)
    network = Network([linear, threshold, last], CrossEntropy(33), BooleanOptimizer())
    value = x
    for layer in network.layers:
        value = layer.forward(value)[0]
    assert (network.scores(x) == value).all()


def test_votes_are_centered_some_rows_at_a_time_as_all_at_once(backend):
    x, y = RandomWords(1).bits(40, 1000), np.arange(40) % 3
    network = boolean_mlp([1000, 700, 600, 3], random_state=0)
    votes = network.votes(x, y)
    found = [np.zeros_like(q) for q in votes.tensors]
    seen = [np.zeros(len(q), int) for q in votes.tensors]
    for number, rows, q in votes.blocks():
        found[number][rows] = q
        seen[number][rows] += 1
    assert [len(q) for q in votes.tensors] == [700, 600, 3]
    assert sum(sums is not None for sums in votes.marginals) == 2
    assert all((a == b).all() for a, b in zip(found, votes.centered(), strict=True))
    assert all((n == 1).all() for n in seen)


@pytest.mark.parametrize("spoil", ["rows", "columns", "bound", "number"])
def test_marginals_that_do_not_fit_are_refused_before_anything_moves(spoil):
    network = boolean_mlp([9, 8, 7, 3], random_state=0)
    votes = network.votes(RandomWords(1).bits(40, 9), np.arange(40) % 3)
    before = network.fingerprint()
    rows, columns, n = votes.marginals[-1]
    wrong = {
        "rows": (rows[1:], columns, n),
        "columns": (rows, columns[1:], n),
        "bound": (rows + np.array([0, 0, 300 * n]), columns, n),
        "number": (rows, columns, 0),
    }[spoil]
    with pytest.raises(ValueError, match=r"signal_sums|input_sums|n_samples"):
        network.apply(replace(votes, marginals=(*votes.marginals[:-1], wrong)))
    assert network.fingerprint() == before
    assert not any(m.any() for m in network.optimizer.m)


def test_votes_that_nobody_has_looked_at_are_those_of_the_inputs_as_they_were():
    X = np.random.RandomState(0).rand(20, 70) < 0.5
    x, y = kernels.pack(X), X[:, 0].astype(int)
    network, other = (boolean_mlp([70, 30, 2], n_steps=10, random_state=0) for _ in range(2))
    votes, counted = network.votes(x, y), other.votes(x, y)
    tensors = [q.copy() for q in counted.tensors]
    x.words[:] = 0
    assert network.apply(votes) == other.apply(counted)
    assert network.fingerprint() == other.fingerprint()
    assert all((q == known).all() for q, known in zip(votes.tensors, tensors, strict=True))
    assert [q.shape for q in votes.tensors[:1]] == [(30, 70)]


def test_votes_that_are_sent_are_counted():
    x = kernels.pack(np.random.RandomState(0).rand(20, 70) < 0.5)
    votes = boolean_mlp([70, 30, 2], random_state=0).votes(x, np.zeros(20, int))
    sent = pickle.loads(pickle.dumps(votes))
    assert type(sent.tensors) is tuple
    assert all((a == b).all() for a, b in zip(sent.tensors, votes.counted().parts(), strict=True))


@pytest.mark.parametrize(
    ("layer", "limit"), [(BooleanLinear(64, 8, random_state=0), 39), (BooleanConv2d((8, 8, 1), 2, 1), 40 * 64 - 1)]
)
def test_more_samples_than_votes_can_be_counted_of_move_nothing(monkeypatch, layer, limit):
    upper = BooleanLinear(layer.n_outputs, 2, random_state=1)
    layers = [layer, Threshold(layer.n_outputs, 4, 2), upper]
    network = Network(layers, CrossEntropy(64), BooleanOptimizer(1e6, clip=float("inf")))
    x, y = kernels.pack(np.random.RandomState(0).rand(40, 64) < 0.5), np.arange(40) % 2
    before = network.fingerprint()
    monkeypatch.setattr("bvar.kernels.backward.MAX_TERMS", limit)
    with pytest.raises(ValueError, match=f"votes are limited to {limit}: add parts instead"):
        network.step(x, y)
    assert network.fingerprint() == before
    assert not network.optimizer.m


def test_trees_that_learn_have_places_that_votes_can_be_counted_at():
    with pytest.raises(ValueError, match="image_shape must give at most 65536 places if tables learn, got 90000"):
        GateConv2d((300, 300, 1), 1, 1, depth=1, fan_in=1)
    assert GateConv2d((300, 300, 1), 1, 1, depth=1, fan_in=1, fixed=True).n_outputs == 90000
