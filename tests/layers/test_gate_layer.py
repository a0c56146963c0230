"""Layers of gates: votes are finite changes, exactly; one model on every backend, however batches are split."""

import pickle
from itertools import pairwise, product

import numpy as np
import pytest
import spec
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import backends, kernels
from bvar.backends import protocol
from bvar.bits import BitMatrix, RandomWords
from bvar.layers import BooleanLinear, GateLayer, GroupSum, Threshold, UnitMajor
from bvar.layers.wires import column_wires, image_places, random_wires, window_wires
from bvar.networks import Network, Votes, gate_network

SEAMS = [1, 63, 64, 65, 127, 128, 129, 511, 512, 513]
QUICK = settings(derandomize=True, max_examples=40, deadline=None, database=None)


@pytest.fixture(params=protocol.available())
def backend(request):
    with backends.use(request.param):
        yield request.param


def make(tables, wires, n_inputs):
    """A layer with these tables, rows of 0 and 1."""
    layer = GateLayer(n_inputs, len(wires), len(wires[0]), wires=np.array(wires), random_state=0)
    layer.table.bits.words[...] = kernels.pack(np.array(tables, bool)).words
    return layer


def total(layer, x, z):
    """sum z * e(out), in integers."""
    out = kernels.unpack(layer.forward(kernels.pack(x))[0])
    return int((z.astype(int) * (2 * out.astype(int) - 1)).sum())


def check_against_finite_changes(layer, x, z):
    """Flip every bit of the tables and of the inputs, and see whether the votes foretold it."""
    z = z.astype(np.int16)
    _, context = layer.forward(kernels.pack(x))
    (q,) = layer.votes(z, context)
    v = layer.backward(z, context)
    before = total(layer, x, z)
    words, bits = layer.table.bits.words, kernels.unpack(layer.table.bits)
    for g, a in np.ndindex(*bits.shape):
        words[g, 0] ^= np.uint64(1 << a)
        change = total(layer, x, z) - before
        words[g, 0] ^= np.uint64(1 << a)
        assert change == 2 * q[g, a] * (-1 if bits[g, a] else 1)
    for b, u in np.ndindex(*x.shape):
        flipped = x.copy()
        flipped[b, u] ^= True
        assert total(layer, flipped, z) - before == 2 * int(v[b, u]) * (-1 if x[b, u] else 1)


def test_votes_are_finite_changes_for_all_sixteen_gates():
    """All gates of two inputs, on all inputs, with several signals: nothing is left to chance."""
    tables = list(product([0, 1], repeat=4))
    layer = make(tables, [[0, 1]] * 16, 2)
    x = np.array(list(product([False, True], repeat=2)))
    for z in (np.ones((4, 16)), np.arange(64).reshape(4, 16) - 31, np.full((4, 16), -127)):
        check_against_finite_changes(layer, x, z)


@QUICK
@given(st.integers(1, 6), st.integers(6, 9), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_votes_are_finite_changes_for_every_fan_in(fan_in, n_inputs, n_gates, n_samples, seed):
    random = np.random.RandomState(seed)
    layer = GateLayer(n_inputs, n_gates, fan_in, random_state=seed)  # no gate reads an input twice here
    x = random.rand(n_samples, n_inputs) < 0.5
    check_against_finite_changes(layer, x, random.randint(-127, 128, (n_samples, n_gates)))


@QUICK
@given(
    st.integers(1, 6), st.integers(1, 5), st.integers(1, 6), st.sampled_from(SEAMS[:7]), st.integers(0, 2**32 - 1)
)
def test_kernels_equal_the_oracle(fan_in, n_units, n_gates, n_samples, seed):
    """Here wires may repeat, and sums may reach the ends of int16."""
    random = np.random.RandomState(seed)
    x = random.randint(0, 2, (n_samples, n_units))
    wires = random.randint(0, n_units, (n_gates, fan_in))
    tables = random.randint(0, 2, (n_gates, 1 << fan_in))
    z = random.choice(np.array([-32767, -1, 0, 5, 32767], np.int16), (n_samples, n_gates))
    layer = make(tables, wires, n_units)
    out, context = layer.forward(kernels.pack(x == 1))
    integers = [a.tolist() for a in (x, wires, tables, z)]
    assert kernels.unpack(out).astype(int).tolist() == spec.table_values(*integers[:3])
    (q,) = layer.votes(z, context)
    assert q.tolist() == spec.table_votes(integers[3], *integers[:3])
    assert layer.backward(z, context).tolist() == spec.wire_votes(integers[3], *integers[:3])


@QUICK
@given(st.integers(1, 5), st.integers(0, 20), st.sampled_from(SEAMS), st.integers(0, 2**32 - 1))
def test_group_sum_equals_the_oracle(n_groups, size, n_samples, seed):
    if size == 0:
        return
    x = np.random.RandomState(seed).rand(n_samples, n_groups * size) < 0.5
    layer = GroupSum(n_groups * size, n_groups)
    s, context = layer.forward(kernels.pack(x))
    assert s.tolist() == spec.group_sum(x.astype(int).tolist(), n_groups)
    z = np.arange(n_samples * n_groups).reshape(n_samples, n_groups).astype(np.int8)
    assert layer.backward(z, context).tolist() == np.repeat(z, size, axis=1).tolist()


@QUICK
@given(st.integers(0, 9), st.integers(0, 130), st.integers(0, 2**32 - 1))
def test_pack_levels_equals_the_oracle(n_rows, n_bits, seed):
    random = np.random.RandomState(seed)
    values = random.randint(0, 256, (n_rows, n_bits)).astype(np.uint8)
    thresholds = random.randint(0, 256, n_bits).astype(np.uint8)
    got = kernels.unpack(kernels.pack_levels(values, thresholds))
    assert got.astype(int).tolist() == spec.pack_levels(values.tolist(), thresholds.tolist())


@pytest.mark.parametrize("n_samples", SEAMS)
def test_padding_stays_zero(backend, n_samples):
    """Gates that are always T answer to samples that are not there, unless somebody looks."""
    layer = make(np.ones((3, 4)), [[0, 1], [1, 2], [2, 0]], 3)
    out, _ = layer.forward(kernels.pack(np.ones((n_samples, 3), bool)))
    assert (kernels.count_rows(out.units) == n_samples).all()
    BitMatrix(out.units.words, n_samples)  # checks the padding
    assert (GroupSum(3, 1).forward(out)[0] == 3).all()


@pytest.mark.parametrize("n_readers", [1, 2, 3, 9])
@pytest.mark.parametrize("value", [-32767, 32767])
def test_votes_on_a_unit_are_clipped_once_at_the_end(backend, n_readers, value):
    """One loud vote against many of the same size: clipping on the way would lose some of it."""
    wires = [[0]] * (n_readers + 1)
    layer = make([[0, 1]] * n_readers + [[1, 0]], wires, 1)
    _, context = layer.forward(kernels.pack(np.ones((70, 1), bool)))
    votes = layer.backward(np.full((70, n_readers + 1), value, np.int16), context)
    assert (votes == np.clip((n_readers - 1) * value, -32767, 32767)).all()


def training_data(n_samples, n_inputs, n_classes):
    random = np.random.RandomState(3)
    return random.rand(n_samples, n_inputs) < 0.5, random.randint(0, n_classes, n_samples)


def fingerprint(n_threads=1, parts=1, fan_in=2, n_samples=130):
    network = gate_network(
        [20, 60, 40, 30], 3, fan_in=fan_in, pass_through=16, temperature=1.0, n_steps=100, random_state=1
    )
    x, y = training_data(n_samples, 20, 3)
    cuts = np.linspace(0, n_samples, parts + 1).astype(int)
    for _ in range(100):
        votes = [network.votes(kernels.pack(x[a:b]), y[a:b]) for a, b in pairwise(cuts)]
        network.apply(sum(votes))
    return network.fingerprint()


@pytest.mark.parametrize("fan_in", [1, 2, 3, 6])
def test_one_fingerprint_on_every_backend_for_every_thread_count(fan_in):
    with backends.use("numpy"):
        want = fingerprint(fan_in=fan_in)
    for name in [name for name in protocol.available() if name != "numpy"]:
        for n_threads in (1, 2, 3):
            with protocol.in_force(protocol.get(name).with_threads(-n_threads)):
                assert fingerprint(fan_in=fan_in) == want, (name, n_threads)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_splitting_a_batch_does_not_change_the_model(parts):
    assert fingerprint(parts=parts) == fingerprint()


def test_step_is_apply_of_votes():
    x, y = training_data(130, 20, 3)
    ends = []
    for step in (lambda n: n.step(kernels.pack(x), y), lambda n: n.apply(n.votes(kernels.pack(x), y))):
        network = gate_network([20, 60, 30], 3, n_steps=50, random_state=1)
        for _ in range(50):
            step(network)
        ends.append(network.fingerprint())
    assert ends[0] == ends[1]


def test_the_published_fingerprint():
    """Wires, tables and training from a seed: a port that repeats this repeats all."""
    network = gate_network([20, 60, 30], 3, pass_through=16, random_state=0)
    assert network.fingerprint()[:16] == "7ada9e50277b3f2e"
    assert fingerprint()[:16] == "3b5d31eda9577a10"


def test_gates_stand_between_other_layers():
    """Signals and bits pass in both directions between layers of gates and of sums."""
    below, gates = BooleanLinear(12, 20, random_state=0), GateLayer(20, 40, random_state=0)
    above = BooleanLinear(40, 2, random_state=1)
    template = gate_network([2, 4], 2, eta=5.0, random_state=0)
    layers = [below, Threshold(20, 12, 4), gates, above]
    network = Network(layers, template.loss, template.optimizer)
    x = np.random.RandomState(0).rand(300, 12) < 0.5
    y = (x[:, 2] & x[:, 5]).astype(int)
    for _ in range(150):
        network.step(kernels.pack(x), y)
    assert network.votes(kernels.pack(x), y).n_correct >= 260


def test_planes_are_a_bit_matrix():
    x = np.random.RandomState(0).rand(70, 9) < 0.5
    planes = UnitMajor(kernels.pack(np.ascontiguousarray(x.T)))
    assert planes.shape == (70, 9)
    assert len(planes) == 70
    assert (kernels.unpack(planes) == x).all()
    assert (kernels.unpack(planes[3:5]) == x[3:5]).all()
    assert (kernels.unpack(planes.copy()) == x).all()
    assert (kernels.unpack(BitMatrix.concatenate([planes, planes])) == np.concatenate([x, x])).all()


@pytest.mark.parametrize(("n_inputs", "n_outputs", "fan_in"), [(784, 1000, 2), (7, 50, 3), (6, 40, 6), (10, 5, 2)])
def test_random_wires_are_even_and_distinct(n_inputs, n_outputs, fan_in):
    wires = random_wires(n_inputs, n_outputs, fan_in, RandomWords(0))
    counts = np.bincount(wires.ravel(), minlength=n_inputs)
    assert counts.max() - counts.min() <= 1
    assert all(len(set(row)) == fan_in for row in wires.tolist())


def test_window_wires_stay_in_their_windows():
    source, places, given = RandomWords(0), image_places((9, 12), 2), []
    for n_gates, size in ((500, 3), (400, 5)):
        wires, middles = window_wires(places, n_gates, 3, size, source)
        read = places[wires]
        assert (np.ptp(read, axis=1) < size).all()
        assert (abs(read - middles[:, None]) < size).all()
        assert all(len(set(row)) == 3 for row in wires.tolist())
        assert np.bincount(middles @ [12, 1]).min() >= n_gates // 108
        places, given = middles, [*given, wires]
    network = gate_network([216, 500, 400, 30], 10, fan_in=3, wires=given, random_state=0)
    for layer, wires in zip(network.layers, given, strict=False):
        np.testing.assert_array_equal(layer.wires, wires)


def test_wires_where_no_two_are_distinct():
    assert random_wires(1, 3, 2, RandomWords(0)).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("widths", [[1, 64, 3], [2, 0, 2, 1, 5], [7]])
def test_wires_use_columns_evenly_and_the_bits_of_each(widths):
    wires = column_wires(widths, 50, 2, RandomWords(0))
    uses = np.bincount(wires.ravel(), minlength=sum(widths))
    columns = np.split(uses, np.cumsum(widths)[:-1])
    assert np.ptp([column.sum() for column in columns if len(column)]) <= 1
    assert all(np.ptp(column) <= 1 for column in columns if len(column))
    of_column = np.repeat(np.arange(len(widths)), widths)[wires]
    assert len(widths) == 1 or (of_column[:, 0] != of_column[:, 1]).all()


def test_columns_may_outnumber_wires():
    wires = column_wires([3] * 20, 4, 2, RandomWords(0)).ravel()
    assert len(set(wires // 3)) == 8  # each of them reads another column


@pytest.mark.parametrize("widths", [[], [0, 0]])
def test_tables_without_bits_have_no_wires(widths):
    with pytest.raises(ValueError, match="widths must have a column with bits"):
        column_wires(widths, 4, 2, RandomWords(0))
    with pytest.raises(ValueError, match="n_inputs must be an integer >= 1"):
        random_wires(0, 4, 2, RandomWords(0))


@pytest.mark.parametrize(("share", "want"), [(0, (0, 0.2)), (32, (0.4, 0.65)), (64, (1, 1))])
def test_pass_through_copies_the_first_wire(share, want):
    layer = GateLayer(30, 400, pass_through=share, random_state=0)
    assert want[0] <= (layer.table.bits.words[:, 0] == 0b1010).mean() <= want[1]


def test_a_layer_survives_a_copy():
    layer = pickle.loads(pickle.dumps(GateLayer(5, 6, 3, random_state=0)))
    x = kernels.pack(np.ones((3, 5), bool))
    want = GateLayer(5, 6, 3, random_state=0).forward(x)[0]
    assert (layer.forward(x)[0].words == want.words).all()
    with pytest.raises(ValueError, match="read-only"):
        layer.wires[0, 0] = 1


REFUSED = {
    "missing": (
        lambda: GateLayer(2, 2).forward(kernels.pack(np.zeros((1, 2), np.int8))),
        "truth table has no entry",
    ),
    "width": (lambda: GateLayer(3, 2).forward(kernels.pack(np.ones((1, 2), bool))), "x has 2 units"),
    "not bits": (lambda: GateLayer(3, 2).forward(np.ones((1, 3), bool)), "x must be a BitMatrix|bits must be"),
    "fan-in": (lambda: GateLayer(3, 2, 7), r"fan_in must be an integer in \[1, 6\]"),
    "shape of wires": (lambda: GateLayer(3, 2, wires=np.zeros((2, 3), int)), r"wires must have shape \(2, 2\)"),
    "range of wires": (lambda: GateLayer(3, 2, wires=np.full((2, 2), 3)), r"wires must be in \[0, 2\]"),
    "kind of wires": (lambda: GateLayer(3, 2, wires=np.zeros((2, 2))), "wires must be integers"),
    "window": (
        lambda: window_wires(image_places((5, 9)), 3, 2, 6, RandomWords(0)),
        r"size must be .* in \[1, 5\]",
    ),
    "small window": (lambda: window_wires(image_places((5, 5)), 3, 2, 1, RandomWords(0)), "at least 2 inputs"),
    "places": (lambda: window_wires(np.zeros((5, 3), int), 3, 2, 1, RandomWords(0)), "places must be integers"),
    "many wires": (lambda: gate_network([5, 4], 2, wires=[None, None]), "at most 1 layers"),
    "no wires": (lambda: kernels.Wiring(np.zeros((2, 0), int), 3), "wires must have shape"),
    "crowded": (lambda: kernels.Wiring(np.zeros((2**15, 2), int), 3), "no unit more than 65535 times"),
    "groups": (lambda: GroupSum(5, 2), "n_groups must divide"),
    "group width": (lambda: GroupSum(4, 2).forward(kernels.pack(np.ones((1, 3), bool))), "must have 4 bits"),
    "count": (lambda: kernels.count_groups(kernels.pack(np.ones((3, 1), bool)), 2), "n_groups must divide"),
    "sizes": (lambda: gate_network([5], 2), "sizes must name"),
    "signal": (
        lambda: GateLayer(2, 2).votes(np.ones((1, 2)), kernels.pack(np.ones((2, 1), bool))),
        "signal must be",
    ),
    "signal shape": (
        lambda: GateLayer(2, 2).votes(np.ones((3, 2), np.int16), kernels.pack(np.ones((2, 1), bool))),
        "z must have shape",
    ),
    "tables": (
        lambda: kernels.table_values(
            kernels.pack(np.ones((2, 1), bool)),
            kernels.Wiring(np.array([[0, 1]]), 2),
            kernels.pack(np.ones((1, 3), bool)),
        ),
        "tables must have shape",
    ),
    "wiring": (lambda: kernels.table_votes(None, kernels.pack(np.ones((2, 1), bool)), None), "must be a Wiring"),
    "many samples": (
        lambda: GateLayer(2, 2).votes(
            np.zeros((2**16 + 1, 2), np.int8), BitMatrix.trusted(np.zeros((2, 1025), np.uint64), 2**16 + 1)
        ),
        "at most 65536 samples",
    ),
    "levels": (
        lambda: kernels.pack_levels(np.zeros((2, 3), np.uint8), np.zeros(2, np.uint8)),
        "one entry per column",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_why(name):
    call, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_many_samples_are_answered_in_blocks():
    network = gate_network([20, 60, 30], 3, random_state=1)
    x, _ = training_data(6000, 20, 3)
    whole = network.scores(kernels.pack(x))
    parts = [network.scores(kernels.pack(x[i : i + 500])) for i in range(0, 6000, 500)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_votes_that_do_not_fit_are_refused():
    """Signals of gates may be as large as int16, so fewer samples fit than elsewhere."""
    loud = Votes(
        (np.array([[-(2**30), 2**30, 5]], np.int32),), n_samples=2**15, sample_weight=0, n_correct=0, loss=0.0
    )
    calm = Votes(
        (np.array([[2**30, -(2**30), 5]], np.int32),), n_samples=2**16, sample_weight=0, n_correct=0, loss=0.0
    )
    assert (loud + calm).tensors[0].tolist() == [[0, 0, 10]]
    with pytest.raises(OverflowError, match="do not fit int32"):
        calm + calm
