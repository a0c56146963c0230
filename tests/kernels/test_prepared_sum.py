"""Sums whose weights do not change, against `gate_sum` and `gate_bits`."""

import numpy as np
import pytest

from bvar import kernels
from bvar.calculus.gates import GATES


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
@pytest.mark.parametrize("missing", [False, True])
def test_prepared_sums_are_gate_sums_and_a_shift(backend, gate, missing):
    rng = np.random.default_rng(gate.id)
    for n_rows, n_bits, n_outputs in ((1, 70, 33), (9, 64, 65), (3, 1, 1)):
        values = rng.choice(np.array([-1, 0, 1] if missing else [-1, 1], np.int8), (n_rows, n_bits))
        x, w = kernels.pack(values), kernels.prepare(kernels.pack(rng.random((n_outputs, n_bits)) < 0.5))
        plain = kernels.gate_sum(x, w, gate)
        for far in (0, 5, n_bits + 1, 2**29):
            shift = rng.integers(-far, far + 1, n_outputs)
            prepared = kernels.PreparedSum(w, shift, gate)
            np.testing.assert_array_equal(prepared.sums(x), plain + shift)
            np.testing.assert_array_equal(kernels.unpack(prepared.bits(x)), plain + shift >= 0)
        sure = kernels.PreparedSum(w, np.full(n_outputs, 2**31), gate)
        assert kernels.unpack(sure.bits(x)).all()


def test_prepared_sums_ask_for_their_backend_and_for_rows_that_fit():
    w = kernels.prepare(kernels.pack(np.ones((2, 5), bool)))
    prepared = kernels.PreparedSum(w, np.zeros(2, np.int32), GATES[9])
    for method in (prepared.sums, prepared.bits):
        with pytest.raises(ValueError, match="x has rows of 4 bits but w has rows of 5"):
            method(kernels.pack(np.ones((1, 4), bool)))
        with pytest.raises(TypeError, match="x must be a BitMatrix"):
            method(np.ones((1, 5), bool))
