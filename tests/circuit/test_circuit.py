"""Circuits: construction, evaluation and JSON, against an evaluation of one sample and one gate at a time."""

import json
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import kernels
from bvar.calculus.gates import GATES
from bvar.circuit import Circuit, TableGate, from_json, to_json
from bvar.layers import GateConv2d, GateLayer, GroupSum, OrPool2d

# ------------------------------------------------------------ shared with the other files of this package


@st.composite
def circuits(draw, max_inputs=8, max_gates=25, fan_ins=range(7)):
    """Any circuit: constants, wires that come twice, gates that nothing reads, outputs that come twice."""
    n_inputs = draw(st.integers(1, max_inputs))
    gates = []
    for g in range(draw(st.integers(0, max_gates))):
        k = draw(st.sampled_from(list(fan_ins)))
        table = draw(st.one_of(st.integers(0, 2**2**k - 1), st.sampled_from([0, 2**2**k - 1])))
        gates.append((table, [draw(st.integers(0, n_inputs + g - 1)) for _ in range(k)]))
    n_groups, size = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    signal = st.integers(0, n_inputs + len(gates) - 1)
    return Circuit(n_inputs, gates, [draw(signal) for _ in range(n_groups * size)], n_groups)


def random_circuit(rng, n_inputs=9, n_gates=60, n_outputs=12, n_groups=3, fan_ins=range(7)):
    """The same from a generator, and larger; later gates are more likely to be read."""
    gates = []
    for g in range(n_gates):
        k = int(rng.choice(list(fan_ins)))
        wires = rng.integers(max(0, n_inputs + g - 40), n_inputs + g, k).tolist()
        gates.append((int.from_bytes(rng.bytes(8), "little") % 2**2**k, wires))
    return Circuit(n_inputs, gates, rng.integers(0, n_inputs + n_gates, n_outputs).tolist(), n_groups)


def reference_outputs(circuit, row):
    """Outputs for one sample, straight from the definition."""
    values = [int(bit) for bit in row]
    for table, inputs in circuit.gates:
        address = sum(values[signal] << i for i, signal in enumerate(inputs))
        values.append(table >> address & 1)
    return [values[signal] for signal in circuit.outputs]


def reference_scores(circuit, rows):
    outputs = np.array([reference_outputs(circuit, row) for row in rows], np.int64).reshape(
        len(rows), circuit.n_outputs
    )
    return np.array([(2 * block - 1).sum(axis=1) for block in np.split(outputs, circuit.n_groups, axis=1)]).T


def every_row(n_inputs):
    return np.array(list(product([False, True], repeat=n_inputs)))[:, ::-1]


def random_rows(seed, n_rows, n_inputs):
    return np.random.default_rng(seed).random((n_rows, n_inputs)) < 0.5


def gate_of(table, k):
    """A circuit of one gate of k inputs."""
    return Circuit(k, [(table, range(k))], [k])


# --------------------------------------------------------------------------------------------- evaluation


@pytest.mark.parametrize("k", range(4))
def test_every_function_of_up_to_three_inputs(k):
    rows = every_row(max(k, 1))
    for table in range(2**2**k):
        circuit = Circuit(max(k, 1), [(table, range(k))], [max(k, 1)])
        expected = [2 * (table >> (a % 2**k) & 1) - 1 for a in range(len(rows))]
        assert circuit.evaluate(kernels.pack(rows))[:, 0].tolist() == expected


@given(circuits(), st.integers(0, 2**32 - 1))
def test_scores_follow_the_definition(circuit, seed):
    rows = random_rows(seed, 70, circuit.n_inputs)
    scores = circuit.evaluate(kernels.pack(rows))
    assert scores.dtype == np.int32
    np.testing.assert_array_equal(scores, reference_scores(circuit, rows))


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_any_number_of_samples(n_rows, seed):
    circuit = random_circuit(np.random.default_rng(seed))
    rows = random_rows(seed, n_rows, circuit.n_inputs)
    x = kernels.pack(rows)
    bits = circuit.evaluate_bits(x)
    assert bits.shape == (n_rows, 12)
    assert circuit.evaluate(x).shape == (n_rows, 3)
    type(bits)(bits.words, bits.n_bits)  # its padding is canonical
    expected = np.array([reference_outputs(circuit, row) for row in rows], bool).reshape(n_rows, 12)
    np.testing.assert_array_equal(kernels.unpack(bits), expected)
    np.testing.assert_array_equal(circuit.evaluate(x), reference_scores(circuit, rows).reshape(n_rows, 3))


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65])
def test_kernels_get_planes_with_canonical_padding(n_rows, monkeypatch):
    """They rely on it, even if those of today happen not to look."""
    seen, transpose = [], kernels.transpose
    monkeypatch.setattr(kernels, "transpose", lambda bits: seen.append(bits) or transpose(bits))
    x = kernels.pack(np.zeros((n_rows, 2), bool))
    circuit = Circuit(2, [(1, ()), (0b0001, (0, 1))], [2, 3], 2)
    circuit.evaluate(x)
    circuit.evaluate_bits(x)
    assert len(seen) == 5
    for bits in seen:
        type(bits)(bits.words, bits.n_bits)  # refuses padding that is set


def test_blocks_of_words_and_parts_of_steps_change_nothing(monkeypatch):
    from bvar.circuit import evaluation

    circuit = random_circuit(np.random.default_rng(5), n_gates=200)
    x = kernels.pack(random_rows(0, 1000, circuit.n_inputs))
    expected = circuit.evaluate(x)
    monkeypatch.setattr(evaluation, "_BLOCK", 3 * 209)
    monkeypatch.setattr(evaluation, "_CHUNK", 400)
    np.testing.assert_array_equal(circuit.evaluate(x), expected)


def test_a_missing_value_is_taken_for_false():
    values = np.random.default_rng(0).choice(np.array([-1, 0, 1], np.int8), (100, 9))
    circuit = random_circuit(np.random.default_rng(1))
    scores = circuit.evaluate(kernels.pack(values))
    np.testing.assert_array_equal(scores, circuit.evaluate(kernels.pack(values == 1)))


def test_a_long_chain_needs_no_recursion():
    n = 5000
    circuit = Circuit(1, [(0b01, [g]) for g in range(n)], [n])
    assert circuit.depth == n
    assert circuit.evaluate(kernels.pack(np.array([[True], [False]])))[:, 0].tolist() == [1, -1]
    assert circuit.simplify().n_gates == 0


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (np.zeros((1, 2), bool), TypeError, "x must be a BitMatrix"),
        (kernels.pack(np.zeros((1, 3), bool)), ValueError, "rows of n_inputs=2 bits, got 3"),
    ],
)
def test_wrong_inputs_are_refused(x, error, text):
    with pytest.raises(error, match=text):
        gate_of(8, 2).evaluate(x)


# ------------------------------------------------------------------------------------------- construction

WRONG = [
    ({"n_inputs": 0}, ValueError, "n_inputs must be an integer in"),
    ({"n_inputs": 2.0}, TypeError, "n_inputs"),
    ({"n_inputs": 2**31 - 2}, ValueError, "the number of inputs and gates"),
    ({"gates": 3}, TypeError, "gates must be a sequence"),
    ({"gates": [7]}, TypeError, r"gates\[0\] must be a pair"),
    ({"gates": ["ab"]}, TypeError, r"gates\[0\] must be a pair"),
    ({"gates": [(16, (0, 1)), (8, (0, 1))]}, ValueError, r"gates\[0\].table must be an integer in \[0, 15\]"),
    ({"gates": [(2, ()), (8, (0, 1))]}, ValueError, r"gates\[0\].table must be an integer in \[0, 1\]"),
    ({"gates": [(-1, (0, 1)), (8, (0, 1))]}, ValueError, r"gates\[0\].table"),
    ({"gates": [(True, (0, 1)), (8, (0, 1))]}, TypeError, r"gates\[0\].table"),
    (
        {"gates": [(8, (0, 2)), (8, (0, 1))]},
        ValueError,
        r"gates\[0\].inputs must each be a signal before .*, 2, got 2",
    ),
    ({"gates": [(8, (0, 3)), (8, (0, 1))]}, ValueError, r"gates\[0\].inputs .* got 3"),
    ({"gates": [(8, (0, -1)), (8, (0, 1))]}, ValueError, r"gates\[0\].inputs\[1\]"),
    ({"gates": [(8, 5)]}, TypeError, r"gates\[0\].inputs must be a sequence"),
    ({"gates": [(0, [0] * 7)]}, ValueError, r"gates\[0\] must have at most 6 inputs, got 7"),
    ({"outputs": [4]}, ValueError, "outputs must each be an existing signal, at most 3, got 4"),
    ({"outputs": [1.0]}, TypeError, r"outputs\[0\]"),
    ({"outputs": []}, ValueError, "n_groups=1 equal blocks of at least 1, got 0"),
    ({"outputs": [2, 3, 2], "n_groups": 2}, ValueError, "n_groups=2 equal blocks"),
    ({"n_groups": 0}, ValueError, "n_groups must be"),
]


@pytest.mark.parametrize(("change", "error", "text"), WRONG)
def test_what_is_no_circuit_is_refused(change, error, text):
    right = {"n_inputs": 2, "gates": [(8, (0, 1)), (6, (0, 2))], "outputs": [2, 3], "n_groups": 1}
    Circuit(**right)
    with pytest.raises(error, match=text):
        Circuit(**{**right, **change})


def test_values_become_plain_integers_and_tuples():
    a = Circuit(np.int64(2), [(np.uint64(8), np.array([0, 1]))], np.array([2]), np.int32(1))
    assert a == Circuit(2, ((8, (0, 1)),), (2,))
    assert hash(a) == hash(Circuit(2, ((8, (0, 1)),), (2,)))
    assert type(a.gates[0]) is TableGate
    assert {type(v) for v in (a.n_inputs, a.gates[0].table, *a.gates[0].inputs, *a.outputs, a.n_groups)} == {int}
    with pytest.raises(AttributeError):
        a.n_inputs = 3


def test_levels_and_depth():
    circuit = Circuit(2, [(1, ()), (8, (0, 2)), (8, (3, 3)), (1, (1,))], [0])
    assert circuit.levels == (0, 1, 2, 1)
    assert circuit.depth == 2
    assert Circuit(2, [], [0]).depth == 0


def test_gates_are_named_as_the_gates_they_are():
    """The two modules count bits of a table in opposite orders, which only an asymmetric gate shows."""
    for gate in GATES:
        table = sum(1 << (a + 2 * b) for a, b in product((0, 1), repeat=2) if gate(2 * a - 1, 2 * b - 1) > 0)
        assert gate_of(table, 2).histogram() == {gate.name: 1}
    assert gate_of(0b0010, 2).histogram() == {"a_and_not_b": 1}
    assert [list(gate_of(t, 1).histogram()) for t in range(4)] == [["false"], ["not_a"], ["a"], ["true"]]
    assert Circuit(1, [(1, ()), (0, ()), (0, ()), (0, [0] * 4)], [0]).histogram() == {
        "false": 2,
        "true": 1,
        "4 inputs": 1,
    }


# --------------------------------------------------------------------------------------------- networks


def layer(rng, n_gates, n_inputs, k):
    """A stand-in for a trained layer."""
    bits = kernels.pack(rng.random((n_gates, 2**k)) < 0.5)
    wires = rng.integers(0, n_inputs, (n_gates, k)).astype(np.int32)
    return SimpleNamespace(wires=wires, table=SimpleNamespace(bits=bits), n_inputs=n_inputs)


def group_sum(n_inputs, n_groups):
    return SimpleNamespace(n_inputs=n_inputs, n_groups=n_groups)


def network(*layers):
    return SimpleNamespace(layers=layers)


@pytest.mark.parametrize("k", range(1, 7))
def test_a_network_and_its_circuit_agree(k):
    rng = np.random.default_rng(k)
    layers = [layer(rng, 20, 7, k), layer(rng, 15, 20, 2), layer(rng, 12, 15, k)]
    circuit = Circuit.from_network(network(*layers, group_sum(12, 3)))
    rows = values = random_rows(k, 100, 7)
    for one in layers:
        tables, fan_in = kernels.unpack(one.table.bits), one.wires.shape[1]
        addresses = sum(values[:, one.wires[:, i]].astype(int) << i for i in range(fan_in))
        values = np.array([[tables[g, a] for g, a in enumerate(row)] for row in addresses])
    scores = np.where(values, 1, -1).reshape(100, 3, 4).sum(axis=2)
    np.testing.assert_array_equal(circuit.evaluate(kernels.pack(rows)), scores)
    assert circuit.n_gates == 47


@pytest.mark.parametrize("fan_in", [2, 4, 6])
def test_layers_that_are_trained_and_their_circuit_agree(fan_in):
    gate = pytest.importorskip("bvar.layers.gate")
    layers = [
        gate.GateLayer(20, 64, fan_in, random_state=0, pass_through=0),
        gate.GateLayer(64, 60, fan_in, random_state=1),
        gate.GroupSum(60, 3),
    ]
    x = value = kernels.pack(random_rows(0, 500, 20))
    for one in layers:
        value, _ = one.forward(value)
    circuit = Circuit.from_network(network(*layers))
    np.testing.assert_array_equal(circuit.evaluate(x), value)
    np.testing.assert_array_equal(circuit.simplify().evaluate(x), value)


def test_convolutions_of_gates_are_unrolled():
    layers = [
        GateConv2d((5, 4, 2), 3, (2, 3), fan_in=3, stride=(2, 1), padding=(1, 2), pass_through=0, random_state=0),
        OrPool2d((3, 6, 3), 3),
        GateLayer(6, 4, random_state=1),
        GroupSum(4, 2),
    ]
    x = value = kernels.pack(random_rows(0, 500, 40))
    for one in layers:
        value, _ = one.forward(value)
    circuit = Circuit.from_network(network(*layers))
    np.testing.assert_array_equal(circuit.evaluate(x), value)
    np.testing.assert_array_equal(circuit.simplify().evaluate(x), value)
    assert circuit.n_gates == 18 * 3 * 4 + 6 * 4 + 4


def test_a_network_of_no_gates_counts_its_inputs():
    circuit = Circuit.from_network(network(group_sum(6, 2)))
    assert (circuit.n_inputs, circuit.n_gates, circuit.outputs) == (6, 0, (0, 1, 2, 3, 4, 5))


def test_the_number_of_inputs_can_be_given():
    one = layer(np.random.default_rng(0), 4, 3, 2)
    del one.n_inputs
    with pytest.raises(TypeError, match="n_inputs"):
        Circuit.from_network(network(one, group_sum(4, 2)))
    assert Circuit.from_network(network(one, group_sum(4, 2)), n_inputs=9).n_inputs == 9


def test_networks_that_do_not_fit_are_refused():
    rng = np.random.default_rng(0)
    one, last = layer(rng, 4, 3, 2), group_sum(4, 2)
    for layers, error, text in [
        ((one,), TypeError, "last layer of network must be a group sum"),
        ((SimpleNamespace(n_inputs=3), last), TypeError, "layer 0 of network must have gates"),
        ((one, group_sum(5, 1)), ValueError, "group sum of network has 5 inputs, but 4"),
        ((one, group_sum(4, 3)), ValueError, "n_groups=3"),
        (
            (one, layer(rng, 400, 5, 2), group_sum(400, 2)),
            ValueError,
            r"layer 1 of network: wires must be in \[0, 3\]",
        ),
    ]:
        with pytest.raises(error, match=text):
            Circuit.from_network(network(*layers))
    one.table.bits = kernels.pack(np.zeros((4, 8), bool))
    with pytest.raises(ValueError, match=r"table must have the shape \(4, 4\), got \(4, 8\)"):
        Circuit.from_network(network(one, last))
    one.wires = one.wires.astype(float)
    with pytest.raises(TypeError, match="wires must be integers, got dtype float64"):
        Circuit.from_network(network(one, last))
    one.wires = np.zeros((4, 7), np.int32)
    with pytest.raises(ValueError, match="1 to 6"):
        Circuit.from_network(network(one, last))


# -------------------------------------------------------------------------------------------------- JSON


@given(circuits())
def test_json_gives_the_same_circuit_back(circuit):
    assert from_json(to_json(circuit)) == circuit
    assert from_json(json.dumps(json.loads(to_json(circuit)), indent=1, sort_keys=True)) == circuit


GOOD = {
    "format": "bvar-circuit",
    "version": 1,
    "n_inputs": 2,
    "n_groups": 1,
    "gates": [["0100", [0, 1]]],
    "outputs": [2],
}

HOSTILE = [
    ("", "text is no circuit"),
    ("[" * 100_000, "text is no circuit"),
    ("[]", "must be an object"),
    ("null", "must be an object"),
    ("1" * 10_000, "text is no circuit"),
    ('{"format": "bvar-circuit", "format": "bvar-circuit"}', "a key comes twice"),
    ({"format": "other"}, "must be an object"),
    ({"version": 2}, "version must be 1, got 2"),
    ({"version": True}, "version must be 1"),
    ({"version": 1.0}, "numbers must be integers"),
    ({"more": 1}, "keys must be"),
    ({"n_inputs": "2"}, "n_inputs must be an integer"),
    ({"n_inputs": True}, "n_inputs must be an integer"),
    ({"n_inputs": 10**30}, "n_inputs must be an integer"),
    ({"n_inputs": float("nan")}, "numbers must be integers"),
    ({"n_groups": 0}, "n_groups"),
    ({"n_groups": None}, "n_groups"),
    ({"outputs": "2"}, "outputs must be an array"),
    ({"outputs": [[2]]}, r"outputs\[0\]"),
    ({"outputs": [3]}, "outputs must each be an existing signal"),
    ({"gates": {}}, "gates must be an array"),
    ({"gates": [["0100"]]}, r"gates\[0\] must be a pair"),
    ({"gates": [["0100", "01"]]}, r"gates\[0\] must be a pair"),
    ({"gates": ["ab"]}, r"gates\[0\] must be a pair"),
    ({"gates": [["010", [0, 1]]]}, r"gates\[0\] must have a table of 4 characters"),
    ({"gates": [["01_0", [0, 1]]]}, r"gates\[0\] must have a table of 4 characters"),
    ({"gates": [[" 100", [0, 1]]]}, r"gates\[0\] must have a table of 4 characters"),
    ({"gates": [["٠١٠٠", [0, 1]]]}, r"gates\[0\] must have a table of 4 characters"),
    ({"gates": [[4, [0, 1]]]}, r"gates\[0\] must have a table of 4 characters"),
    ({"gates": [["0", [0] * 60]]}, r"gates\[0\] must have at most 6 inputs"),
    ({"gates": [["0100", [0, 2]]]}, r"gates\[0\].inputs"),
    ({"gates": [["0100", [0, None]]]}, r"gates\[0\].inputs\[1\]"),
]


@pytest.mark.parametrize(("what", "text"), HOSTILE, ids=range(len(HOSTILE)))
def test_json_that_is_no_circuit_is_a_value_error(what, text):
    assert from_json(json.dumps(GOOD)).n_gates == 1
    with pytest.raises(ValueError, match=text):
        from_json(what if isinstance(what, str) else json.dumps({**GOOD, **what}))


def test_every_key_of_the_json_is_needed():
    for key in GOOD:
        with pytest.raises(ValueError):
            from_json(json.dumps({k: v for k, v in GOOD.items() if k != key}))
    with pytest.raises(TypeError, match="text must be a str"):
        from_json(json.dumps(GOOD).encode())
