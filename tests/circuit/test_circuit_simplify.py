"""Every pass keeps every score, and leaves none of what it is there to remove."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_circuit import circuits, every_row, random_circuit, random_rows

from bvar import kernels
from bvar.circuit import (
    Circuit,
    absorb_inverters,
    bypass_wires,
    drop_inputs,
    fold_constants,
    remove_dead_gates,
    share_gates,
    simplify,
)
from bvar.circuit.netlist import cone
from bvar.circuit.truth import cofactors, compose, full, projection, support

PASSES = [absorb_inverters, bypass_wires, drop_inputs, fold_constants, remove_dead_gates, share_gates, simplify]
WIRE, INVERTER = 0b10, 0b01


def assert_same(a, b, rows=None):
    x = kernels.pack(every_row(a.n_inputs) if rows is None else rows)
    assert (a.n_inputs, a.n_outputs, a.n_groups) == (b.n_inputs, b.n_outputs, b.n_groups)
    np.testing.assert_array_equal(kernels.unpack(a.evaluate_bits(x)), kernels.unpack(b.evaluate_bits(x)))
    np.testing.assert_array_equal(a.evaluate(x), b.evaluate(x))
    assert Circuit(b.n_inputs, b.gates, b.outputs, b.n_groups) == b  # it stands every check of the constructor


@pytest.mark.parametrize("apply", PASSES, ids=lambda f: f.__name__)
@given(circuits())
def test_a_pass_keeps_every_output(apply, circuit):
    assert_same(circuit, apply(circuit))


@pytest.mark.parametrize("apply", PASSES, ids=lambda f: f.__name__)
@given(circuits(max_inputs=3, fan_ins=[0, 1, 1, 2]))
def test_a_pass_keeps_every_output_of_circuits_full_of_wires(apply, circuit):
    assert_same(circuit, apply(circuit))


@pytest.mark.parametrize("apply", PASSES, ids=lambda f: f.__name__)
def test_all_gates_after_and_before_all_gates_of_one_input(apply):
    """All 16 gates, read through all pairs of one-input gates, wires that come twice, and followed by each."""
    for table, left, right, after in product(range(16), range(4), range(4), range(4)):
        gates = [(left, [0]), (right, [1]), (table, [2, 3]), (after, [4]), (table, [3, 3]), (table ^ 15, [3, 2])]
        assert_same(Circuit(2, gates, [4, 5, 6, 7], 2), apply(Circuit(2, gates, [4, 5, 6, 7], 2)))


@pytest.mark.parametrize("apply", PASSES, ids=lambda f: f.__name__)
def test_all_functions_of_three_inputs(apply):
    for table in range(256):
        gates = [
            (INVERTER, [0]),
            (1, []),
            (table, [2, 0, 1]),
            (table, [3, 1, 4]),
            (table, [1, 3, 3]),
            (table, [4, 2, 1]),
        ]
        circuit = Circuit(3, gates, [5, 6, 7, 8])
        assert_same(circuit, apply(circuit))


@given(circuits())
def test_what_is_simplified_is_as_promised(circuit):
    simple = simplify(circuit)
    assert simplify(simple) == simple
    assert all(cone(simple, simple.outputs))
    assert len(set(simple.gates)) == simple.n_gates
    gate_of_signal = dict(enumerate(simple.gates, start=simple.n_inputs))
    for signal, (table, inputs) in gate_of_signal.items():
        k = len(inputs)
        assert support(table, k) == tuple(range(k))
        assert list(inputs) == sorted(set(inputs))
        assert (table, k) != (WIRE, 1)
        if k == 0 or (table, k) == (INVERTER, 1):  # these stay only as outputs
            assert signal in simple.outputs
            assert all(signal not in gate.inputs for gate in simple.gates)
        if k > 1:
            assert (table ^ full(k), inputs) not in simple.gates
    assert simple.n_gates <= remove_dead_gates(circuit).n_gates


@given(circuits())
def test_each_pass_does_its_own_work(circuit):
    constants = {circuit.n_inputs + g for g, (_, inputs) in enumerate(fold_constants(circuit).gates) if not inputs}
    assert all(constants.isdisjoint(gate.inputs) for gate in fold_constants(circuit).gates)
    assert all(support(t, len(i)) == tuple(range(len(set(i)))) for t, i in drop_inputs(circuit).gates)
    assert (WIRE, 1) not in {(t, len(i)) for t, i in bypass_wires(circuit).gates}
    after = absorb_inverters(circuit)
    inverters = {after.n_inputs + g for g, (t, i) in enumerate(after.gates) if (t, len(i)) == (INVERTER, 1)}
    assert all(inverters.isdisjoint(gate.inputs) for gate in after.gates)
    assert len(set(share_gates(circuit).gates)) == share_gates(circuit).n_gates
    assert all(cone(remove_dead_gates(circuit), remove_dead_gates(circuit).outputs))


EXAMPLES = {
    "a constant folds through": (Circuit(2, [(0, ()), (8, (0, 2)), (14, (1, 3))], [4]), Circuit(2, [], [1])),
    "a constant output stays": (
        Circuit(1, [(6, (0, 0)), (9, (0, 0))], [1, 2]),
        Circuit(1, [(0, ()), (1, ())], [1, 2]),
    ),
    "two inverters cancel": (Circuit(1, [(1, (0,)), (1, (1,))], [2]), Circuit(1, [], [0])),
    "an inverter stays as an output": (Circuit(1, [(1, (0,))], [1]), Circuit(1, [(1, (0,))], [1])),
    "one inverter for two outputs": (Circuit(1, [(1, (0,)), (1, (0,))], [1, 2]), Circuit(1, [(1, (0,))], [1, 1])),
    "operands in another order": (
        Circuit(2, [(0b0010, (0, 1)), (0b0100, (1, 0))], [2, 3]),
        Circuit(2, [(0b0010, (0, 1))], [2, 2]),
    ),
    "a complement is shared": (
        Circuit(2, [(8, (0, 1)), (7, (1, 0)), (6, (0, 3))], [2, 4]),
        Circuit(2, [(8, (0, 1)), (9, (0, 2))], [2, 3]),
    ),
    "a multiplexer of equal inputs": (Circuit(3, [(0b11001010, (0, 0, 2))], [3]), Circuit(3, [], [0])),
    "nobody reads it": (Circuit(2, [(8, (0, 1)), (6, (0, 2))], [1]), Circuit(2, [], [1])),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_small_circuits_with_known_answers(name):
    circuit, expected = EXAMPLES[name]
    assert circuit.simplify() == expected


def test_a_wire_and_an_inverter_of_one_signal_are_not_made_a_chain():
    circuit = Circuit(1, [(WIRE, (0,)), (INVERTER, (0,)), (0, ()), (1, ())], [1, 2, 3, 4])
    assert share_gates(circuit) == circuit


def test_large_circuits_take_seconds():
    """Few enough to be quick in a test, deep enough to show anything that is quadratic."""
    circuit = random_circuit(np.random.default_rng(0), 100, 10_000, 1000, 10, fan_ins=[2])
    assert_same(circuit, circuit.simplify(), random_rows(0, 200, 100))
    assert circuit.simplify().n_gates < 10_000


def test_one_sweep_follows_a_chain_of_discoveries():
    """Each pair of gates turns out to be equal only after the pair before; a round for each would take minutes."""
    gates, s, t = [(8, (0, 1)), (8, (1, 0))], 2, 3
    for _ in range(1000):
        first = 2 + len(gates)
        gates += [(6, (0, s)), (6, (t, 0)), (8, (first, first + 1)), (14, (first, first + 1))]
        s, t = first + 2, first + 3
    circuit = Circuit(2, gates, [s, t])
    simple = circuit.simplify()
    assert_same(circuit, simple)
    assert simple.n_gates == 1001


# ------------------------------------------------------------------------------------------ truth tables


@pytest.mark.parametrize("k", range(7))
def test_tables_mean_what_they_say(k):
    rng = np.random.default_rng(k)
    for table in [0, full(k), *(int.from_bytes(rng.bytes(8), "little") & full(k) for _ in range(20))]:
        bits = [table >> a & 1 for a in range(2**k)]
        for i in range(k):
            assert projection(i, k) == sum(1 << a for a in range(2**k) if a >> i & 1)
            low, high = cofactors(table, i, k)
            assert [low >> a & 1 for a in range(2**k)] == [bits[a & ~(1 << i)] for a in range(2**k)]
            assert [high >> a & 1 for a in range(2**k)] == [bits[a | 1 << i] for a in range(2**k)]
            assert (i in support(table, k)) == any(bits[a] != bits[a ^ 1 << i] for a in range(2**k))


@given(st.data(), st.integers(0, 6), st.integers(0, 6))
def test_composition_is_evaluation(data, k, n):
    table = data.draw(st.integers(0, full(k)))
    columns = tuple(data.draw(st.integers(0, full(n))) for _ in range(k))
    for a in range(2**n):
        address = sum((column >> a & 1) << i for i, column in enumerate(columns))
        assert compose(table, columns, full(n)) >> a & 1 == table >> address & 1
