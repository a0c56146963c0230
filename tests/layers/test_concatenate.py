"""Gates in front of sums: concatenation, and the scale of the signals that sums pass down to gates."""

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import kernels
from bvar._fixed_point import rounded_root
from bvar.bits import BitMatrix, RandomWords
from bvar.kernels import MAX_SIGNAL, MAX_TERMS
from bvar.layers import Ballots, BooleanLinear, Concatenate, GateLayer, SignalScale, Threshold
from bvar.layers.gate import UnitMajor
from bvar.real import RealLinear

SEAMS = [0, 1, 2, 63, 64, 65, 127, 128, 129, 200]


@given(
    n_rows=st.sampled_from([0, 1, 3]),
    a=st.sampled_from(SEAMS),
    b=st.sampled_from(SEAMS),
    missing=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 9),
)
def test_bits_stand_beside_bits_and_what_is_missing_stays_missing(n_rows, a, b, missing, seed):
    rng = np.random.default_rng(seed)
    values = [
        rng.integers(-1 if gone else 0, 2, (n_rows, n)).astype(np.int8)
        for n, gone in ((a, missing[0]), (b, missing[1]))
    ]
    left, right = (kernels.pack(v if gone else v.astype(bool)) for v, gone in zip(values, missing, strict=True))
    both = left.beside(right)
    wanted = np.hstack([kernels.unpack_ternary(left), kernels.unpack_ternary(right)])
    assert (kernels.unpack_ternary(both) == wanted).all()
    assert (both.known is None) == (left.known is None and right.known is None)
    BitMatrix(both.words, both.n_bits, both.known)  # which checks padding


def test_rows_that_do_not_match_are_not_put_side_by_side():
    with pytest.raises(ValueError, match="other must have 2 rows, as many as this, got 3"):
        RandomWords(0).bits(2, 5).beside(RandomWords(0).bits(3, 5))


def test_a_concatenation_is_the_input_and_what_the_inner_layers_make(backend):
    gates = GateLayer(70, 30, 3, random_state=0)
    x = RandomWords(1).bits(9, 70)
    y, _ = Concatenate([gates]).forward(x)
    assert y.shape == (9, 100)
    assert (kernels.unpack(y) == np.hstack([kernels.unpack(x), kernels.unpack(gates.forward(x)[0])])).all()
    turned, _ = Concatenate([gates]).forward(UnitMajor(kernels.transpose(x)))
    assert (turned.words == y.words).all()
    assert (Concatenate([gates]).infer(x).words == y.words).all()


def test_gates_read_a_missing_input_as_f_and_sums_do_not(backend):
    rng = np.random.default_rng(0)
    values = rng.integers(-1, 2, (20, 70)).astype(np.int8)
    gates = GateLayer(70, 30, random_state=0)
    y, _ = Concatenate([gates]).forward(kernels.pack(values))
    made = gates.forward(kernels.pack(values == 1))[0]
    assert (kernels.unpack_ternary(y) == np.hstack([values, kernels.unpack_ternary(made)])).all()


@pytest.mark.parametrize("n_rows", [0, 1, 2, 64, 65, 700])
@pytest.mark.parametrize("fan_in", [1, 2, 4, 6])
def test_a_network_infers_with_gates_turned_beside_their_inputs_what_the_layer_does(backend, n_rows, fan_in):
    gates, rng = GateLayer(70, 59, fan_in, random_state=0), np.random.default_rng(n_rows)
    both = Concatenate([gates, SignalScale(5)])
    infer, left = both.absorb(["above"])
    assert left == ["above"]
    values = rng.integers(-1, 2, (n_rows, 70)).astype(np.int8)
    for x in (kernels.pack(values == 1), kernels.pack(values)):  # the second with missing ones
        wanted, found = both.forward(x)[0], infer(x)
        assert (found.words == wanted.words).all()
        assert found.shape == (n_rows, 129)
        assert (found.known is None) == (wanted.known is None)
        assert wanted.known is None or (found.known == wanted.known).all()
        BitMatrix(found.words, found.n_bits, found.known)  # which checks padding


def test_what_is_not_gates_alone_is_inferred_layer_by_layer():
    class Other(GateLayer):
        def forward(self, x):
            return super().forward(BitMatrix(~x.words & np.uint64(7), 3))

    x = kernels.pack(np.array([[True, False, True]]))
    for layers in (
        [Other(3, 4, random_state=0)],
        [GateLayer(3, 4, random_state=0), GateLayer(4, 2, random_state=1)],
    ):
        both = Concatenate(layers)
        infer, _ = both.absorb([])
        assert (infer(x).words == both.forward(x)[0].words).all()


def test_gates_beside_their_inputs_refuse_what_does_not_fit():
    layer = GateLayer(3, 4, random_state=0)
    x = kernels.pack(np.array([[True, False, True]]))
    with pytest.raises(ValueError, match="x has 4 units but the wiring is for 3"):
        kernels.values_beside(kernels.pack(np.ones((1, 4), bool)), layer.wiring, layer.table.bits)
    with pytest.raises(ValueError, match="x must not have missing values"):
        kernels.values_beside(kernels.pack(np.zeros((1, 3), np.int8)), layer.wiring, layer.table.bits)
    with pytest.raises(ValueError, match="tables must have shape"):
        kernels.values_beside(x, layer.wiring, x)
    with pytest.raises(TypeError, match="wiring must be a Wiring, got ndarray"):
        kernels.values_beside(x, layer.wires, layer.table.bits)


def test_votes_on_both_sides_of_a_concatenation_are_finite_changes(backend):
    """Every input bit and every entry of a table goes from F to T once: Z moves by twice its vote."""
    gates = GateLayer(6, 5, random_state=0)
    layer, z = Concatenate([gates]), np.random.default_rng(1).integers(-90, 90, (4, 11)).astype(np.int32)
    bits, entries = kernels.unpack(RandomWords(2).bits(4, 6)), kernels.unpack(gates.table.bits)
    _, context = layer.forward(kernels.pack(bits))
    g, (q,) = layer.backward(z, context), layer.votes(z, context)

    def total(bits, entries):
        gates.table.bits = kernels.pack(entries)
        return int((kernels.unpack_ternary(layer.forward(kernels.pack(bits))[0]) * z.astype(int)).sum())

    def with_one(matrix, place, value):
        changed = matrix.copy()
        changed[place] = value
        return changed

    assert g.dtype == np.int32
    for place in np.ndindex(bits.shape):
        low, high = (total(with_one(bits, place, value), entries) for value in (False, True))
        assert high - low == 2 * g[place]
    for place in np.ndindex(entries.shape):
        low, high = (total(bits, with_one(entries, place, value)) for value in (False, True))
        assert high - low == 2 * q[place]


def test_inner_layers_get_their_votes_in_pieces_and_in_their_order():
    layer = Concatenate([BooleanLinear(6, 5, random_state=0), Threshold(5, 6, 7), GateLayer(5, 7, random_state=0)])
    z = np.random.default_rng(1).integers(-90, 90, (4, 13)).astype(np.int32)
    _, context = layer.forward(RandomWords(2).bits(4, 6))
    votes = layer.votes(z, context)
    assert [q.shape for q in votes] == [p.shape for p in layer.parameters] == [(5, 6), (7, 4)]
    assert any(q.any() for q in votes)
    for number, rows, q in layer.vote_blocks(z, context):
        assert ((q.count() if isinstance(q, Ballots) else q) == votes[number][rows]).all()
    assert layer.marginals(z, context) == (None, None)


def test_a_concatenation_says_how_wide_it_is_and_refuses_real_layers():
    both = Concatenate([BooleanLinear(8, 5, random_state=0), Threshold(5, 8, 3)])
    assert (both.n_inputs, both.n_outputs, both.rows_together) == (8, 13, None)
    assert Concatenate([GateLayer(8, 5, random_state=0)]).rows_together == GateLayer.rows_together
    with pytest.raises(ValueError, match="layers must be one or more"):
        Concatenate([])
    with pytest.raises(ValueError, match="must not have real parameters"):
        Concatenate([RealLinear(8, 5, random_state=0)])


# ----------------------------------------------------------------------------------------------------- the scale


@given(st.fractions(min_value=0, max_value=10**12))
def test_a_root_is_rounded_to_the_nearest_integer_halves_up(value):
    root = rounded_root(value)
    assert root == 0 or Fraction(2 * root - 1, 2) ** 2 <= value
    assert value < Fraction(2 * root + 1, 2) ** 2
    half = Fraction(2 * isqrt(int(value)) + 1, 2)
    assert rounded_root(half**2) == half + Fraction(1, 2)


@given(
    fan_out=st.sampled_from([1, 2, 3, 10, 512, 1024, MAX_TERMS]),
    votes=st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(-200, 200), min_size=1, max_size=9),
)
def test_scaled_signals_are_rounded_once_and_saturate(fan_out, votes):
    scale = SignalScale(fan_out)
    got = scale.backward(np.array([votes], np.int32), None)
    assert got.dtype == np.int16
    k = rounded_root(Fraction(2 * 2**40, fan_out))
    exact = [min(abs(g) * k * 2 + 2**20 >> 21, MAX_SIGNAL) * (1 if g > 0 else -1) for g in votes]
    assert got[0].tolist() == exact


def test_scaled_signals_round_halves_away_from_zero():
    """2 / 8 is a square: the scale is exactly one half."""
    scale = SignalScale(8)
    assert scale.factor == 2**19
    assert scale.backward(np.array([[1, -1, 3, -3, 0]], np.int32), None).tolist() == [[1, -1, 2, -2, 0]]


def test_the_scale_makes_what_a_wire_of_a_random_gate_hears_as_loud_as_a_signal():
    """Theorem: over fair weights and all tables of fan-in 2, its mean square is that of the signals above."""
    fan_out = 8
    z = np.array([[3, -1, 4, 1, -5, 9, 2, -6]], np.int8)
    weights = np.array([[w >> j & 1 for j in range(fan_out)] for w in range(256)], bool)
    above = [kernels.input_votes(z, kernels.pack(column[:, None]))[0, 0] for column in weights]  # one unit
    loud = np.mean([(int(g) / 2) ** 2 for g in above])  # the scale is one half, before rounding
    passes = np.mean([bool(t & 1) != bool(t >> 1 & 1) for t in range(16)])  # the other wire at F; T likewise
    assert loud * passes == np.mean(z.astype(int) ** 2)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SignalScale(0), "fan_out must be an integer in"),
        (lambda: SignalScale(1.5), "fan_out must be an integer in"),
        (
            lambda: SignalScale(2).backward(np.ones((2, 2)), None),
            "signal must be an array of int8 or int16 or int32",
        ),
    ],
)
def test_scales_refuse_what_is_wrong(make, text):
    with pytest.raises((TypeError, ValueError), match=text):
        make()
