"""Networks of gates learn functions exactly: right on every input there is, from the seeds named here."""

import numpy as np
import pytest
from recovery import CASES, decide, learn

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
