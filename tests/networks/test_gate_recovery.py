"""Networks of gates learn functions exactly: right on every input there is, from the seeds named here."""

import numpy as np
import pytest
from recovery import CASES, all_inputs, decide, grow_parity, learn, learn_multiplexer

from bvar import kernels
from bvar.circuit import Circuit


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_every_input_is_learnt(name, seed):
    network, inputs, y, _ = learn(name, seed)
    x = kernels.pack(inputs)
    np.testing.assert_array_equal(decide(network.scores(x), y), y)
    circuit = Circuit.from_network(network)
    simple = circuit.simplify()
    assert simple.n_gates <= circuit.n_gates
    assert (simple.evaluate(x) == network.scores(x)).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_parity_of_sixteen_bits_grows_from_wires_drawn_anywhere(seed):
    network, n_steps, n_found = grow_parity(seed)
    x = all_inputs(16)
    np.testing.assert_array_equal(network.scores(kernels.pack(x)).argmax(axis=1), x.sum(axis=1) % 2)
    assert n_steps > n_found  # votes have found what the draw had not


def test_a_multiplexer_is_learnt_by_wires_that_may_read_any_input():
    network, _, wrong = learn_multiplexer(0, n_address=3, n_gates=600)
    assert wrong == 0
    choice = network.layers[0].choice
    as_drawn = choice.candidates.units[:, :, 0]
    assert (choice.wiring.wires < 3).sum() > 1.2 * (as_drawn < 3).sum()  # gates have found bits of the address
