"""Wires that are learnt: votes are finite changes, moves are those of the oracle, and there is one model."""

import pickle
from math import inf

import numpy as np
import pytest
import spec
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import LogicGateClassifier, backends, kernels, model_file
from bvar.bits import RandomWords
from bvar.circuit import Circuit
from bvar.layers import Choice, GateLayer, random_candidates
from bvar.networks import BooleanOptimizer, follow, gate_network

QUICK = settings(derandomize=True, max_examples=40, deadline=None, database=None)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(params=backends.available())
def backend(request):
    with backends.use(request.param):
        yield request.param


def layer_of(n_inputs, n_gates, fan_in, n_candidates, seed):
    source = RandomWords(seed)
    candidates = random_candidates(n_inputs, n_gates, fan_in, n_candidates, source)
    layer = GateLayer(n_inputs, n_gates, fan_in, candidates=candidates, random_state=source)
    layer.choice.values[:] = np.random.RandomState(seed).randint(0, n_candidates, n_gates * fan_in)
    return layer


def total(layer, x, z):
    out = kernels.unpack(layer.forward(x)[0])
    return int((z.astype(int) * (2 * out.astype(int) - 1)).sum())


@QUICK
@given(st.integers(1, 6), st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.integers(1, 70), SEEDS)
def test_votes_on_candidates_are_finite_changes(fan_in, n_inputs, n_gates, n_candidates, n_samples, seed):
    """Move each wire to each candidate, and see whether the votes foretold it; wires of a gate may meet."""
    random = np.random.RandomState(seed)
    layer = layer_of(n_inputs, n_gates, fan_in, n_candidates, seed)
    x = kernels.pack(random.rand(n_samples, n_inputs) < 0.5)
    z = random.randint(-32767, 32768, (n_samples, n_gates)).astype(np.int16)
    _, q = layer.votes(z, layer.forward(x)[1])
    before, read = total(layer, x, z), layer.choice.values.copy()
    for wire, j in np.ndindex(*q.shape):
        layer.choice.values[wire] = j
        layer.choice.refresh()
        assert total(layer, x, z) - before == 2 * q[wire, j]
        layer.choice.values[wire] = read[wire]
    assert not q[np.arange(len(q)), read].any()


@QUICK
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.sampled_from([1, 2, 9]), SEEDS)
def test_the_kernel_equals_the_oracle(fan_in, n_inputs, n_gates, n_candidates, seed):
    random = np.random.RandomState(seed)
    n_samples = int(random.choice([1, 63, 64, 65, 130]))
    layer = layer_of(n_inputs, n_gates, fan_in, n_candidates, seed)
    x = random.randint(0, 2, (n_samples, n_inputs))
    z = random.choice(np.array([-32767, -1, 0, 5, 32767], np.int16), (n_samples, n_gates))
    context = layer.forward(kernels.pack(x == 1))[1]
    tables = kernels.unpack(layer.table.bits).astype(int)
    units = layer.choice.candidates.units
    want = spec.candidate_votes(*(a.tolist() for a in (z, x, layer.wires, tables, units)))
    for name in backends.available():
        with backends.use(name):
            assert layer.votes(z, context)[1].tolist() == want


@QUICK
@given(st.integers(1, 30), st.integers(1, 64), st.sampled_from([1.0, 0.5, 0.0]), st.floats(0, 12), SEEDS)
def test_a_move_equals_the_oracle(n_wires, n_candidates, beta, eta, seed):
    random = np.random.RandomState(seed)
    q = random.randint(-3, 4, (n_wires, n_candidates)).astype(np.int32)
    m = random.randint(-4096, 4097, q.shape).astype(np.int16)
    read = random.randint(0, n_candidates, n_wires).astype(np.uint8)
    units, dither = np.zeros((n_wires, 1, n_candidates), int), int(random.randint(2**15))
    want = spec.move_wires(
        read.tolist(), m.tolist(), q.tolist(), round(2**15 * beta), kernels.eta_units(eta / 8), dither
    )
    for name in backends.available():
        with backends.use(name):
            choice, mine = Choice("wires", kernels.Candidates(units, 1), read.copy(), rate=0.125), m.copy()
            n = choice.move(mine, q, beta=beta, eta=eta, clip=1.0, dither=dither)
        assert (choice.values.tolist(), mine.tolist(), n) == want


def test_the_loudest_of_those_that_reach_the_bar_is_read_and_the_first_of_equals():
    units = kernels.Candidates(np.arange(8).reshape(1, 2, 4), 8)
    choice = Choice("wires", units)
    m = np.array([[0, -4000, -4000, -4000], [0, 0, 4000, 0]], np.int16)
    q = np.array([[0, -1, -3, -3], [0, 0, 1, 0]], np.int32)
    assert choice.move(m, q, beta=1.0, eta=0.5, clip=inf) == 1
    assert choice.wiring.wires.tolist() == [[2, 4]]
    assert m.tolist()[0] == [0] * 4
    assert m[1, 2] > 4000  # evidence for what is read already waits


def learn(batches, n_threads=1):
    network = gate_network([40, 60, 30], 3, wiring="learnt", candidates=5, random_state=0)
    with backends.use(n_threads=n_threads):
        for x, y in batches:
            network.step(x, y)
    return network


def batches(n=6, size=130):
    random = np.random.RandomState(0)
    x = random.rand(n * size, 40) < 0.5
    y = x[:, :2].sum(axis=1)
    return [(kernels.pack(x[i : i + size]), y[i : i + size]) for i in range(0, n * size, size)]


def test_one_fingerprint_on_every_backend_for_every_thread_count():
    prints = set()
    for name in backends.available():
        for n_threads in (1, 3):
            with backends.use(name):
                prints.add(learn(batches(), n_threads).fingerprint())
    assert len(prints) == 1
    assert prints != {gate_network([40, 60, 30], 3, wiring="learnt", candidates=5, random_state=0).fingerprint()}


def test_a_batch_may_be_split_in_any_way():
    whole, split = learn([]), learn([])
    for x, y in batches():
        whole.step(x, y)
        votes = split.votes(x[:7], y[:7]) + split.votes(x[7:100], y[7:100]) + split.votes(x[100:], y[100:])
        split.apply(votes)
    assert whole.fingerprint() == split.fingerprint()


def test_a_copy_follows_what_moves():
    network, reader = learn([]), learn([])
    stream = network.flips()
    for version, (x, y) in enumerate(batches()):
        network.step(x, y)
        [(_, fingerprint)] = follow(reader, [next(stream)], version=version)
    assert fingerprint == reader.fingerprint() == network.fingerprint()
    x = batches()[0][0]
    assert (reader.scores(x) == network.scores(x)).all()


def test_wires_move_and_lower_the_loss_where_tables_cannot():
    """Copies of an input that says nothing, beside a candidate that says all."""
    x = np.random.RandomState(0).rand(200, 2) < 0.5
    units = np.tile([0, 1], (8, 1, 1))
    layer = GateLayer(2, 8, 1, candidates=units, pass_through=64, random_state=0)
    choice, optimizer = layer.choice, BooleanOptimizer(eta=10.0, clip=inf)
    z = np.where(x[:, 1:], -9, 9).astype(np.int16) * np.ones((1, 8), np.int16)  # the loss falls with unit 1
    for _ in range(20):
        q = layer.votes(z, layer.forward(kernels.pack(x))[1])[1]
        optimizer.step([choice], [q], len(x))
    assert (layer.wires == 1).all()


def test_circuits_and_files_have_what_was_chosen(tmp_path):
    network, x = learn(batches()), batches()[0][0]
    assert (network.layers[0].choice.values != 0).any()
    assert (Circuit.from_network(network).evaluate(x) == network.scores(x)).all()
    model_file.save(network, tmp_path / "network.bvar", training_state=True)
    again = model_file.load(tmp_path / "network.bvar")
    assert again.fingerprint() == network.fingerprint()
    for copy in (again, pickle.loads(pickle.dumps(network))):
        for xs, ys in batches():
            copy.step(xs, ys)
    for xs, ys in batches():
        network.step(xs, ys)
    assert again.fingerprint() == network.fingerprint()


def test_a_summary_counts_gates_that_lead_to_no_score():
    """Gate 1 is read by a table that ignores it, gate 0 by none; then that table heeds it."""
    network = gate_network(
        [3, 3, 2], 2, wires=[np.array([[0, 1], [1, 2], [0, 2]]), np.array([[2, 1], [2, 2]])], random_state=0
    )
    words = network.layers[1].table.bits.words[:, 0]
    words[:] = [0b1010, 0b1001]
    assert "2 of 5 gates lead to no score" in network.summary()
    words[0] = 0b0110
    assert "1 of 5 gates lead to no score" in network.summary()


def test_window_candidates_are_given_as_wires_of_three_dimensions():
    units = np.arange(24).reshape(3, 2, 4)
    network = gate_network([24, 3], 3, wires=[units], random_state=0)
    assert network.layers[0].wires.tolist() == units[:, :, 0].tolist()
    assert [p.name for p in network.parameters] == ["gate1.table", "gate1.wires"]


def test_an_estimator_learns_wires_and_goes_on():
    random = np.random.RandomState(0)
    X = random.rand(300, 12)
    y = X[:, 3] > 0.5
    how = {"wiring": "learnt", "candidates": 6, "pass_through": 64}
    model = LogicGateClassifier((80, 40), max_iter=5, random_state=0, **how)
    model.fit(X, y).partial_fit(X, y)
    assert model.score(X, y) > 0.8
    model.set_params(candidates=5)
    with pytest.raises(ValueError, match="wiring 'learnt' with 5 candidates is not that"):
        model.partial_fit(X, y)


BAD = {
    "no such wiring": (lambda: gate_network([4, 4], 2, wiring="magic"), "wiring must be 'random' or 'learnt'"),
    "one size": (lambda: gate_network(4, 2), "sizes must name inputs and gates, got"),
    "no sizes": (lambda: gate_network(None, 2), "sizes must be an integer or a sequence of integers"),
    "one array": (lambda: gate_network([4, 4], 2, wires=3), "wires must be None or a sequence of arrays"),
    "rate": (lambda: gate_network([4, 4], 2, wiring="learnt", wire_rate=-1), "wire_rate must be a finite number"),
    "no candidate": (lambda: gate_network([4, 4], 2, wiring="learnt", candidates=0), "candidates must be"),
    "65": (lambda: gate_network([4, 4], 2, wiring="learnt", candidates=65), "candidates must be"),
    "both": (
        lambda: GateLayer(4, 1, 1, wires=np.zeros((1, 1), int), candidates=np.zeros((1, 1, 2), int)),
        "wires must be None where candidates",
    ),
    "out of range": (lambda: kernels.Candidates(np.full((1, 2, 3), 4), 4), r"candidates must be in \[0, 3\], got"),
    "flat": (lambda: kernels.Candidates(np.zeros((2, 3), int), 4), "candidates must have shape"),
    "floats": (lambda: kernels.Candidates(np.zeros((1, 2, 3)), 4), "candidates must be integers"),
    "too often": (
        lambda: kernels.Candidates(np.zeros((2**10, 1, 64), int), 4),
        "no unit more than 65535 times",
    ),
    "choices": (
        lambda: Choice("w", kernels.Candidates(np.zeros((1, 1, 2), int), 4), np.array([2], np.uint8)),
        "values must be 1 numbers below 2",
    ),
    "other gates": (lambda: GateLayer(4, 2, 1, candidates=np.zeros((1, 1, 2), int)), "candidates must have shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_named(name):
    call, message = BAD[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_a_choice_among_other_units_than_the_inputs_comes_into_no_model():
    layer = GateLayer(4, 2, 1, candidates=np.zeros((2, 1, 2), int), random_state=0)
    with pytest.raises(ValueError, match="choice must be among 5 inputs"):
        model_file._layers._load_gates(5, "gate", layer.table.bits, choice=layer.choice)


def test_a_summary_counts_wires_and_not_their_candidates():
    text = gate_network([20, 40], 2, wiring="learnt", candidates=5, random_state=0).summary()
    rows = {line.split()[0]: line.split() for line in text.splitlines()}
    assert rows["gate1.wires"] == ["gate1.wires", "80", "x", "5", "80", str(80 + 4 * 400), "80"]
    assert rows["all"][1] == str(80 + 40 * 4)
    assert "80 wires count once each" in text
