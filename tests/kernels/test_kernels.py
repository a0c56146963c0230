"""Every hot operation, on every backend, against the one-bit-at-a-time oracle of tests/spec.py."""

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import N_BITS, N_ROWS, SEED, as_bits, signals, signs

from bvar import backends, kernels
from bvar.backends.definition import EXACT, NumpyBackend, xor_count
from bvar.bits import BitMatrix
from bvar.calculus.gates import GATES

GATE = st.sampled_from(GATES)
BOTH = pytest.mark.usefixtures("backend")


def equal(got, want, dtype):
    """Exact equality of values, shape and dtype, with lists of the oracle."""
    assert got.dtype == dtype
    want = np.array(want, dtype).reshape(got.shape)
    np.testing.assert_array_equal(got, want, strict=True)


# ------------------------------------------------------------------------------------------ layout


@BOTH
@given(data=st.data(), n=N_BITS, rows=N_ROWS, missing=st.booleans())
def test_pack_has_the_documented_layout_and_unpack_inverts_it(backend, data, n, rows, missing):
    values = data.draw(signs(rows, n, missing))
    packed = kernels.pack(values)
    equal(packed.words, spec.pack((values == 1).tolist(), n), np.uint64)
    if packed.known is not None:
        equal(packed.known, spec.pack((values != 0).tolist(), n), np.uint64)
    assert (packed.known is not None) == bool((values == 0).any())
    equal(kernels.unpack_ternary(packed), values.tolist(), np.int8)
    if packed.known is None:
        equal(kernels.unpack(packed), spec.unpack(packed.words.tolist(), n), np.bool_)
        equal(kernels.pack(values == 1).words, packed.words.tolist(), np.uint64)


@BOTH
@given(data=st.data(), n=N_BITS, rows=N_ROWS, missing=st.booleans())
def test_transposing_twice_is_the_identity(backend, data, n, rows, missing):
    values = data.draw(signs(rows, n, missing))
    turned = kernels.transpose(as_bits(values))
    assert turned.shape == (n, rows)
    equal(kernels.unpack_ternary(turned), values.T.tolist(), np.int8)
    BitMatrix(turned.words, turned.n_bits, turned.known)  # canonical padding
    equal(kernels.unpack_ternary(kernels.transpose(turned)), values.tolist(), np.int8)


@BOTH
@given(data=st.data(), n=N_BITS, rows=N_ROWS)
def test_row_counts(backend, data, n, rows):
    values = data.draw(signs(rows, n))
    equal(kernels.count_rows(as_bits(values)), (values == 1).sum(axis=1).tolist(), np.int32)


@BOTH
@given(rows=N_ROWS, n=st.integers(0, 130), seed=SEED, dtype=st.sampled_from([np.float32, np.float64]))
def test_pack_threshold_compares_and_turns_nan_into_zero_of_m(backend, rows, n, seed, dtype):
    rng = np.random.default_rng(seed)
    values = rng.choice(np.array([-np.inf, -1, -0.0, 0, 0.5, 1, np.inf, np.nan], dtype), (rows, n))
    thresholds = rng.choice(np.array([-np.inf, -1, 0, 0.5, np.inf], dtype), n)
    got = kernels.unpack_ternary(kernels.pack_threshold(values, thresholds))
    want = [
        [0 if v != v else (1 if v >= t else -1) for v, t in zip(row, thresholds.tolist(), strict=True)]
        for row in values.tolist()
    ]
    equal(got, want, np.int8)


# ----------------------------------------------------------------------------------------- forward


@BOTH
@given(data=st.data(), gate=GATE, n=N_BITS, rows=N_ROWS, outs=N_ROWS, missing=st.booleans())
def test_gate_sum_is_the_sum_of_gates(backend, data, gate, n, rows, outs, missing):
    x, w = data.draw(signs(rows, n, missing)), data.draw(signs(outs, n))
    equal(kernels.gate_sum(as_bits(x), as_bits(w), gate), spec.gate_sum(gate.id, x.tolist(), w.tolist()), np.int32)


@BOTH
@given(data=st.data(), gate=GATE, n=N_BITS, rows=N_ROWS, outs=st.integers(0, 130), missing=st.booleans())
def test_gate_bits_is_gate_sum_thresholded_and_a_tie_is_true(backend, data, gate, n, rows, outs, missing):
    x, w = as_bits(data.draw(signs(rows, n, missing))), as_bits(data.draw(signs(outs, n)))
    s = kernels.gate_sum(x, w, gate)
    # thresholds taken from the sums themselves, so that ties are common; and the two ends of int32
    pool = np.array([*s.ravel()[:20].tolist(), 0, -n, n, n + 1, -(2**31), 2**31 - 1], np.int32)
    tau = np.random.default_rng(data.draw(SEED)).choice(pool, outs)
    y = kernels.gate_bits(x, w, tau, gate)
    BitMatrix(y.words, y.n_bits)  # canonical padding
    equal(kernels.unpack(y), (s >= tau).tolist(), np.bool_)


@BOTH
def test_prepared_weights_give_the_same_sums(backend):
    rng = np.random.default_rng(0)
    x, w = kernels.pack(rng.random((9, 70)) < 0.5), kernels.pack(rng.random((5, 70)) < 0.5)
    prepared = kernels.prepare(w)
    for gate in GATES:
        equal(kernels.gate_sum(x, prepared, gate), kernels.gate_sum(x, w, gate).tolist(), np.int32)


@BOTH
def test_gate_sum_writes_into_out(backend):
    x = kernels.pack(np.eye(3, dtype=np.bool_))
    out = np.empty((3, 3), np.int32)
    assert kernels.gate_sum(x, x, out=out) is out
    equal(out, [[3, -1, -1], [-1, 3, -1], [-1, -1, 3]], np.int32)


# ---------------------------------------------------------------------------------------- backward


@BOTH
@given(data=st.data(), gate=GATE, n=N_BITS, rows=st.integers(1, 9), outs=st.integers(1, 9), missing=st.booleans())
def test_weight_votes_sum_the_variations(backend, data, gate, n, rows, outs, missing):
    x, z = data.draw(signs(rows, n, missing)), data.draw(signals(rows, outs))
    want = spec.weight_votes(gate.id, z.tolist(), x.tolist())
    equal(kernels.weight_votes(z, as_bits(x), gate), want, np.int32)
    if abs(z.astype(int)).max() <= 1:  # the same signals as bits
        equal(kernels.weight_votes(kernels.pack(np.array(z, order="C")), as_bits(x), gate), want, np.int32)


@BOTH
@given(data=st.data(), gate=GATE, n=st.integers(1, 200), rows=st.integers(1, 9), outs=st.integers(1, 70))
def test_input_votes_sum_the_variations(backend, data, gate, n, rows, outs):
    w, z = data.draw(signs(outs, n)), data.draw(signals(rows, outs))
    want = spec.input_votes(gate.id, z.tolist(), w.tolist())
    equal(kernels.input_votes(z, as_bits(w), gate), want, np.int32)
    if abs(z.astype(int)).max() <= 1:
        equal(kernels.input_votes(kernels.pack(np.array(z, order="C")), as_bits(w), gate), want, np.int32)


@BOTH
@given(
    gate=GATE,
    n=st.integers(1, 200),
    rows=st.integers(1, 9),
    outs=st.integers(1, 70),
    boolean=st.booleans(),
    missing=st.booleans(),
    seed=SEED,
)
def test_votes_fill_the_memory_that_they_are_given(backend, gate, n, rows, outs, boolean, missing, seed):
    rng = np.random.default_rng(seed)
    x = as_bits(rng.choice(np.array([-1, 0, 1] if missing else [-1, 1], np.int8), (rows, n)))
    w = as_bits(rng.choice(np.array([-1, 1], np.int8), (outs, n)))
    z = rng.choice(np.array([-1, 1] if boolean else [-128, 5, 127], np.int8), (rows, outs))
    signal = kernels.pack(z) if boolean else z
    for votes, operand, shape in ((kernels.weight_votes, x, (outs, n)), (kernels.input_votes, w, (rows, n))):
        out = np.full(shape, 2**31 - 1, np.int32)
        assert votes(signal, operand, gate, out=out) is out
        assert (out == votes(signal, operand, gate)).all()
        with pytest.raises(ValueError, match="out must be an array of int32 of shape"):
            votes(signal, operand, gate, out=out[:, :-1])


@BOTH
@given(
    data=st.data(),
    rows=N_ROWS,
    n=st.integers(0, 20),
    shift=st.integers(0, 30),
    seed=SEED,
    entries=st.integers(1, 9),
)
def test_rescale_rounds_once_and_saturates(backend, data, rows, n, shift, seed, entries):
    rng = np.random.default_rng(seed)
    g = rng.integers(-(2 ** data.draw(st.integers(1, 31))), 2 ** data.draw(st.integers(1, 30)), (rows, n))
    g = np.clip(g, -(2**31), 2**31 - 1).astype(np.int32)
    s = rng.choice(np.array([-(2**31), -5, -1, 0, 1, 2, 7, 2**31 - 1], np.int32), (rows, n))
    tau = rng.integers(-3, 4, n).astype(np.int32)
    curve = rng.integers(0, 2 ** data.draw(st.integers(0, 30)), entries, endpoint=True).astype(np.int32)
    want = spec.rescale(g.tolist(), s.tolist(), tau.tolist(), curve.tolist(), shift)
    equal(kernels.rescale(g, s, tau, curve, shift), want, np.int8)
    flipped = np.where(g == -(2**31), 0, -g)
    same = g != -(2**31)
    got, back = kernels.rescale(g, s, tau, curve, shift), kernels.rescale(flipped, s, tau, curve, shift)
    assert (got[same] == -back[same]).all()


# ------------------------------------------------------------------------------------------ update


@BOTH
@given(data=st.data(), n=N_BITS, rows=N_ROWS, seed=SEED)
def test_flip_accumulates_gates_flips_and_resets(backend, data, n, rows, seed):
    rng = np.random.default_rng(seed)
    w = kernels.pack(data.draw(signs(rows, n)))
    m = rng.choice(
        np.array([0, 1, -1, 2048, 4095, -4095, 4096, -4096, 32767, -32767, -32768], np.int16), (rows, n)
    )
    q = rng.choice(np.array([0, 1, -1, 2, -2, 2**24 + 1, -(2**31), 2**31 - 1], np.int32), (rows, n))
    beta, dither = (
        data.draw(st.sampled_from([0, 1, 2**14, 2**15 - 1, 2**15])),
        data.draw(st.integers(0, 2**15 - 1)),
    )
    sizes = [0, 1, 3, 2**12, 2**25 - 1, 2**25, 2**25 + 2**13 - 1, 2**39, 2**40, 2**43 - 1]
    eta = rng.choice(np.array([*sizes, *rng.integers(0, 2**43, 3)]), rows)
    want_w, want_m, want_flips = spec.flip(
        spec.unpack(w.words.tolist(), n), m.tolist(), q.tolist(), beta, eta.tolist(), dither
    )
    assert kernels.flip(w, m, q, beta=beta / 2**15, eta=eta, dither=dither) == want_flips
    equal(w.words, spec.pack(want_w, n), np.uint64)  # padding included
    equal(m, want_m, np.int16)


@BOTH
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eta", [2**43 - 1, 2**30, 2**25, 2**25 - 1, 1])
def test_nothing_overflows_at_the_extremes(backend, sign, eta):
    """Theorem (all of it fits): the largest accumulators, votes and rests, in steps on both sides of 2^25."""
    w, q = kernels.pack(np.full((1, 70), sign < 0)), np.full((1, 70), sign * (2**31 - 1), np.int32)
    m = np.full((1, 70), sign * 32767, np.int16)  # evidence for what the weights are
    assert kernels.flip(w, m, q, beta=1.0, eta=np.array([eta]), dither=2**15 - 1) == 0
    assert (m == sign * 32767).all()
    kernels.flip(w, m, -q, beta=0.0, eta=np.array([eta]), dither=2**15 - 1)
    assert spec.flip([[int(sign < 0)]], [[0]], [[int(-q[0, 0])]], 0, [eta], 2**15 - 1)[1] == [[int(m[0, 0])]]


@BOTH
def test_what_is_below_the_last_bit_counts_in_full_over_a_period(backend):
    """Theorem (walking): votes and discounts of less than a unit add up to what they are, for every weight."""
    w, m = kernels.pack(np.ones((2, 35), np.bool_)), np.zeros((2, 35), np.int16)
    q, eta = np.broadcast_to(np.array([[-1], [7]], np.int32), (2, 35)).copy(), np.array([2**15, 3 * 2**13])
    for step in range(2**15):  # 2^15 / 2^28 and 7 * 3 * 2^13 / 2^28 of a unit in each step
        kernels.flip(w, m, q, beta=1.0, eta=eta, dither=kernels.dither(step))
    assert (m[0] == -4).all()
    assert (m[1] == 21).all()


def test_a_rest_that_stays_loses_what_walking_keeps():
    """The negative twin: votes below a unit then never move an accumulator, however often they come."""
    w, m, q = kernels.pack(np.ones((1, 8), np.bool_)), np.zeros((1, 8), np.int16), np.ones((1, 8), np.int32)
    for _ in range(2**15):
        kernels.flip(w, m, q, beta=1.0, eta=np.array([2**13]))
    assert not m.any()


@BOTH
@given(rows=N_ROWS, n=st.integers(0, 200), samples=st.sampled_from([1, 2, 3, 100, 2**23 - 1]), seed=SEED)
def test_center_votes_takes_out_the_mean_input(backend, rows, n, samples, seed):
    rng = np.random.default_rng(seed)
    q = rng.integers(-128 * samples, 128 * samples, (rows, n), endpoint=True).astype(np.int32)
    signals = rng.choice(np.array([-128 * samples, -3, 0, 1, 127 * samples]), rows)
    inputs = rng.choice(np.array([-samples, -1, 0, 1, samples]), n)
    want = spec.center_votes(q.tolist(), signals.tolist(), inputs.tolist(), samples)
    equal(kernels.center_votes(q, signals, inputs, samples), want, np.int32)
    assert kernels.center_votes(q, signals, inputs, samples, out=q) is q
    equal(q, want, np.int32)


@BOTH
@given(data=st.data(), samples=st.integers(1, 20), n=st.integers(1, 70), seed=SEED)
def test_centered_votes_do_not_see_a_constant_input_nor_a_constant_signal(backend, data, samples, n, seed):
    """Theorem (covariance): K cov(z, x) is 0 if either is constant, and moving x by a constant changes nothing."""
    e = data.draw(signs(samples, n)).astype(int)
    e[:, 0] = data.draw(st.sampled_from([-1, 1]))
    z = np.random.default_rng(seed).integers(-127, 127, (samples, 3), endpoint=True).astype(np.int8)
    z[:, 0] = z[0, 0]
    sums = z.sum(axis=0, dtype=np.int64), e.sum(axis=0)
    centred = kernels.center_votes(kernels.weight_votes(z, kernels.pack(e > 0)), *sums, samples)
    exact = z.astype(int).T @ (e - e.mean(axis=0))
    # half a unit for each of two roundings, the first times 2**-15 Z
    assert (np.abs(centred - exact) <= 0.5 + np.abs(sums[0])[:, None] * 2.0**-16 + 1e-9).all()
    assert (centred[:, 0] == 0).all()
    assert (np.abs(centred[0]) <= 1).all()


@BOTH
@given(rows=N_ROWS, n=st.integers(0, 200), seed=SEED)
def test_vote_norms(backend, rows, n, seed):
    q = np.random.default_rng(seed).choice(np.array([-(2**31), -7, 0, 1, 2**31 - 1], np.int32), (rows, n))
    equal(kernels.vote_norms(q), [sum(map(abs, row)) for row in q.tolist()], np.int64)


@BOTH
@given(
    rows=N_ROWS,
    n=N_BITS,
    seed=SEED,
    eta=st.sampled_from([0.0, 0.3, 5.0]),
    clip=st.sampled_from([0.01, 1.0, np.inf]),
)
def test_the_eta_of_a_loud_neuron_is_lowered(backend, rows, n, seed, eta, clip):
    q = np.random.default_rng(seed).choice(np.array([-(2**31), -7, 0, 0, 1], np.int32), (rows, n))
    assert kernels.clipped_eta(q, eta, clip).tolist() == spec.clipped_eta(q.tolist(), eta, clip)


@BOTH
@given(data=st.data(), gate=GATE, n=N_BITS, rows=st.integers(1, 9))
def test_sums_of_inputs_and_signals(backend, data, gate, n, rows):
    x, z = data.draw(signs(rows, n)), data.draw(signals(rows, 5))
    ones = [[1] for _ in range(rows)]
    equal(kernels.input_sums(as_bits(x), gate), spec.weight_votes(gate.id, ones, x.tolist()), np.int64)
    equal(kernels.signal_sums(z), z.sum(axis=0).tolist(), np.int32)


@pytest.mark.parametrize("samples", [254, 255, 256, 511])
@pytest.mark.parametrize("value", [-128, 127])
def test_sums_of_signals_hold_the_limit_of_int16(samples, value):
    assert kernels.signal_sums(np.full((samples, 3), value, np.int8)).tolist() == [samples * value] * 3


@BOTH
@given(
    data=st.data(),
    gate=GATE,
    n=st.integers(1, 200),
    samples=st.integers(0, 9),
    outs=st.integers(1, 40),
    beta=st.sampled_from([0, 29491, 2**15]),
    eta=st.sampled_from([0.0, 1e-6, 0.01, 0.5]),
    clip=st.sampled_from([0.01, 1.0, np.inf]),
    centered=st.booleans(),
    dither=st.integers(0, 2**15 - 1),
)
def test_voting_and_flipping_at_once_is_one_after_the_other(
    backend, data, gate, n, samples, outs, beta, eta, clip, centered, dither
):
    x, z, seed = data.draw(signs(samples, n)), data.draw(signals(samples, outs)), data.draw(SEED)
    w, m = kernels.pack(data.draw(signs(outs, n))), np.random.default_rng(seed).integers(-5000, 5000, (outs, n))
    m = m.astype(np.int16)
    q = np.zeros((outs, n), np.int32).tolist()
    if samples:
        q = spec.weight_votes(gate.id, z.tolist(), x.tolist())
    if samples and centered:
        sums = spec.weight_votes(gate.id, [[1]] * samples, x.tolist())[0]
        q = spec.center_votes(q, z.sum(axis=0, dtype=int).tolist(), sums, samples)
    rows = spec.clipped_eta(q, eta, clip)
    want_w, want_m, flips = spec.flip(spec.unpack(w.words.tolist(), n), m.tolist(), q, beta, rows, dither)
    options = {"beta": beta / 2**15, "eta": eta, "clip": clip, "centered": centered, "dither": dither}
    assert kernels.vote_and_flip(w, m, z, as_bits(x), gate, **options) == flips
    equal(w.words, spec.pack(want_w, n), np.uint64)
    equal(m, want_m, np.int16)


@BOTH
@given(n=N_BITS, rows=N_ROWS, seed=SEED, reach=st.sampled_from([3, 2**30 - 1, 2**30, 2**31 - 1]))
def test_votes_are_added_or_refused(backend, n, rows, seed, reach):
    rng = np.random.default_rng(seed)
    a, b = (rng.choice(np.array([-reach - 1, 0, 1, reach], np.int32), (rows, n)) for _ in range(2))
    want, before = a.astype(int) + b, a.copy()
    if np.abs(want + 0.5).max(initial=0) < 2**31:
        equal(kernels.add_votes(a, b), want.tolist(), np.int32)
        assert kernels.add_votes(a, b, out=a) is a
        equal(a, want.tolist(), np.int32)
    else:
        for out in (None, a, a[:]):  # the last is another array of the same memory
            with pytest.raises(OverflowError, match="votes on a weight do not fit int32"):
                kernels.add_votes(a, b, out=out)
            equal(a, before.tolist(), np.int32)


# --------------------------------------------- exactness of the float32 products of the NumPy backend


def test_disagreements_are_exact_at_the_limit_of_float32():
    words = EXACT // 64
    ones, zeros = np.full((1, words), 2**64 - 1, np.uint64), np.zeros((1, words), np.uint64)
    odd = ones.copy()
    odd[0, 0] -= 1
    assert xor_count(ones, np.concatenate([ones, zeros, odd])).tolist() == [[0, EXACT, 1]]
    longer = np.full((1, words + 1), 2**64 - 1, np.uint64)  # one word above the limit: two blocks
    assert xor_count(longer, np.zeros_like(longer)).tolist() == [[EXACT + 64]]


@pytest.mark.parametrize("terms", [2**17 - 1, 2**17, 2**17 + 1, 2**18 + 3])
def test_votes_are_exact_at_the_limit_of_float32(terms):
    z = np.full((1, terms), -128, np.int8)
    z[0, -1] = 1
    words = np.full((terms, 1), 0b01, np.uint64)
    out = np.empty((1, 2), np.int32)
    NumpyBackend().signed_sum(z, words, out)
    total = -128 * (terms - 1) + 1
    assert out.tolist() == [[total, -total]]


@given(
    st.integers(1, 4), st.integers(1, 70), st.integers(1, 5), st.sampled_from([3, 63, 64, 300, 32767]), st.data()
)
def test_row_sums_are_products_with_signs(backend, r, n, o, reach, data):
    x = data.draw(hnp.arrays(np.int16, (r, n), elements=st.integers(-reach, reach)))
    w = data.draw(hnp.arrays(np.bool_, (o, n)))
    signs = [[sum((1 if w[j, i] else -1) * int(x[b, i]) for i in range(n)) for j in range(o)] for b in range(r)]
    assert kernels.row_sums(x, kernels.pack(w)).tolist() == signs
    assert kernels.row_sums(x, kernels.prepare_rows(kernels.pack(w))).tolist() == signs
    if reach < 128:
        assert kernels.signed_sum(x.astype(np.int8), kernels.pack(w)).tolist() == signs


@given(hnp.arrays(np.float32, (2, 11), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_quantized_rows_always_fit_into_bytes(backend, x):
    """A number is off by half a step at most, and by the rounding of two products, 253 * 2**-22 of one."""
    q, d = kernels.quantize_rows(x, np.ones(11, np.float32))
    groups = np.abs(np.pad(q, ((0, 0), (0, 1))).astype(int)).reshape(2, 3, 4).sum(axis=2)
    assert groups.max() <= 255
    off = np.abs(x.astype(np.float64) - q * d[:, None].astype(np.float64))
    assert (off <= 0.5001 * d[:, None] + (d[:, None] == 0) * 2.0**-100).all()


def test_prepared_rows_do_not_follow_their_bits(backend):
    w = kernels.pack(np.ones((2, 3), np.bool_))
    prepared = kernels.prepare_rows(w)
    w.words[:] = 0
    assert kernels.row_sums(np.array([[1, 2, 3]], np.int16), prepared).tolist() == [[6, 6]]


# --------------------------------------------------------------------------------------- bad input

X = kernels.pack(np.ones((2, 3), np.bool_))
Z = np.ones((2, 4), np.int8)
Q = np.ones((2, 3), np.int32)
M = np.zeros((2, 3), np.int16)
TERNARY = kernels.pack(np.zeros((2, 3), np.int8))
TAU = np.zeros(2, np.int32)
CURVE = np.ones(2, np.int32)
S = np.zeros((1, 2), np.int32)
ZEROS_65536 = np.zeros((1, 1024), np.uint64)

BAD = {
    "rows int8": (TypeError, "x must be an array of int16", lambda: kernels.row_sums(Z, X)),
    "rows widths": (ValueError, "they must agree", lambda: kernels.row_sums(np.ones((1, 2), np.int16), X)),
    "rows missing": (ValueError, "w must", lambda: kernels.prepare_rows(TERNARY)),
    "rows long": (ValueError, "at most 65535", lambda: kernels.prepare_rows(BitMatrix(ZEROS_65536, 65536))),
    "quantize widths": (
        ValueError,
        "one entry per column",
        lambda: kernels.quantize_rows(M.astype(np.float32), np.ones(2, np.float32)),
    ),
    "quantize NaN": (
        ValueError,
        "must be finite",
        lambda: kernels.quantize_rows(np.full((1, 3), np.nan, np.float32), np.ones(3, np.float32)),
    ),
    "pack ints": (TypeError, "values must be an array of bool or int8", lambda: kernels.pack(np.ones((2, 3)))),
    "pack 1-D": (ValueError, r"values must have 2 dimension\(s\)", lambda: kernels.pack(np.ones(3, np.bool_))),
    "pack not M": (ValueError, "must be in M", lambda: kernels.pack(np.full((1, 1), 2, np.int8))),
    "thresholds short": (
        ValueError,
        "thresholds must have one entry per column",
        lambda: kernels.pack_threshold(np.ones((2, 3)), np.ones(2)),
    ),
    "thresholds nan": (
        ValueError,
        "thresholds must not be NaN",
        lambda: kernels.pack_threshold(np.ones((2, 1)), np.array([np.nan])),
    ),
    "unpack missing": (ValueError, "use unpack_ternary", lambda: kernels.unpack(TERNARY)),
    "not bits": (TypeError, "x must be a BitMatrix", lambda: kernels.gate_sum(np.ones((2, 3)), X)),
    "row lengths": (
        ValueError,
        "x has rows of 2 bits but w has rows of 3",
        lambda: kernels.gate_sum(kernels.pack(np.ones((1, 2), np.bool_)), X),
    ),
    "w missing": (ValueError, "w must not have missing values", lambda: kernels.gate_sum(X, TERNARY)),
    "no such gate": (ValueError, "xnor", lambda: kernels.gate_sum(X, X, "nxor")),
    "out dtype": (
        ValueError,
        "out must be an array of int32",
        lambda: kernels.gate_sum(X, X, out=np.empty((2, 2))),
    ),
    "out order": (
        ValueError,
        "out must be C-contiguous",
        lambda: kernels.gate_sum(X, X, out=np.empty((2, 2), np.int32, order="F")),
    ),
    "tau length": (ValueError, "tau must have one entry per output", lambda: kernels.gate_bits(X, X, TAU[:1])),
    "z dtype": (TypeError, "z must be an array of int8", lambda: kernels.weight_votes(np.ones((2, 4)), X)),
    "z samples": (ValueError, "z has 2 samples but x has 1", lambda: kernels.weight_votes(Z, X[:1])),
    "z outputs": (ValueError, "z has 4 outputs but w has 2", lambda: kernels.input_votes(Z, X)),
    "s shape": (ValueError, "s must have the shape of g", lambda: kernels.rescale(S, S.T.copy(), TAU, CURVE, 1)),
    "curve negative": (ValueError, "curve must have entries", lambda: kernels.rescale(S, S, TAU, -CURVE, 1)),
    "shift": (ValueError, r"shift must be an integer in \[0, 30\]", lambda: kernels.rescale(S, S, TAU, CURVE, 31)),
    "m dtype": (TypeError, "m must be an array of int16", lambda: kernels.flip(X, Q, Q, beta=1, eta=1)),
    "q shape": (ValueError, "q must have the shape of w", lambda: kernels.flip(X, M, Q[:1], beta=1, eta=1)),
    "beta": (ValueError, r"beta must be in \[0, 1\]", lambda: kernels.flip(X, M, Q, beta=1.5, eta=1)),
    "eta nan": (
        ValueError,
        "eta must be a finite number",
        lambda: kernels.flip(X, M, Q, beta=1, eta=float("nan")),
    ),
    "eta rows": (
        ValueError,
        "eta must have one entry per output",
        lambda: kernels.flip(X, M, Q, beta=1, eta=np.ones(3, np.int64)),
    ),
    "eta negative": (
        ValueError,
        r"eta must be in \[0, 8796093022207\], got \[-1, 1\]",
        lambda: kernels.flip(X, M, Q, beta=1, eta=np.array([1, -1])),
    ),
    "signal sums": (
        ValueError,
        r"signal_sums must lie in \[-128, 128\]",
        lambda: kernels.center_votes(Q[:1], np.array([129]), np.zeros(3, int), 1),
    ),
    "input sums": (
        ValueError,
        "input_sums must have 3 entries, as q has, got 4",
        lambda: kernels.center_votes(Q[:1], np.array([1]), np.zeros(4, int), 1),
    ),
    "no samples": (
        ValueError,
        "n_samples must be an integer in",
        lambda: kernels.center_votes(Q[:1], np.array([0]), np.zeros(3, int), 0),
    ),
    "signals and weights": (
        ValueError,
        r"z must have shape \(2, 2\) and x 3 bits, got \(2, 4\) and 3",
        lambda: kernels.vote_and_flip(X, M, Z, X, beta=1, eta=1),
    ),
    "inputs missing": (
        ValueError,
        "x must not have missing values",
        lambda: kernels.vote_and_flip(X, M, Z[:, :2], TERNARY, beta=1, eta=1),
    ),
    "no clip": (
        ValueError,
        "clip must be a finite number > 0",
        lambda: kernels.vote_and_flip(X, M, Z[:, :2], X, beta=1, eta=1, clip=0),
    ),
    "eta infinite": (
        ValueError,
        "eta must be a finite number",
        lambda: kernels.vote_and_flip(X, M, Z[:, :2], X, beta=1, eta=np.inf),
    ),
    "eta rows dtype": (
        TypeError,
        "eta must be an array of int64",
        lambda: kernels.flip(X, M, Q, beta=1, eta=np.ones(2, np.float32)),
    ),
    "dither": (
        ValueError,
        r"dither must be an integer in \[0, 32767\], got 32768",
        lambda: kernels.flip(X, M, Q, beta=1, eta=1, dither=2**15),
    ),
    "votes shapes": (ValueError, r"b must have the shape of a \(2, 3\)", lambda: kernels.add_votes(Q, Q[:1])),
    "votes on themselves": (
        ValueError,
        "out must not share memory with b",
        lambda: kernels.add_votes(Q, Q, out=Q),
    ),
    "votes on a part of themselves": (
        ValueError,
        "out must be a itself or share no memory with it",
        lambda: kernels.add_votes(Q.ravel()[:4], Q.ravel()[:4].copy(), out=Q.ravel()[1:5]),
    ),
    "centred votes on a part of themselves": (
        ValueError,
        "out must be q itself or share no memory with it",
        lambda: kernels.center_votes(
            Q.reshape(1, -1)[:, :4], np.zeros(1, int), np.zeros(4, int), 1, out=Q.reshape(1, -1)[:, 1:5]
        ),
    ),
    "signals are int8": (TypeError, "z must be an array of int8", lambda: kernels.signal_sums(Q)),
    "q norms": (TypeError, "q must be an array of int32", lambda: kernels.vote_norms(M)),
}


@pytest.mark.parametrize("case", BAD)
@BOTH
def test_bad_input_is_named_and_changes_nothing(backend, case):
    error, text, call = BAD[case]
    before = X.words.copy(), M.copy()
    with pytest.raises(error, match=text):
        call()
    assert (X.words == before[0]).all()
    assert (before[1] == M).all()


def test_prepared_weights_do_not_follow_later_changes(backend):
    w = kernels.pack(np.ones((2, 70), np.bool_))
    prepared = kernels.prepare(w)
    w.words[...] = 0
    assert (kernels.gate_sum(w, prepared, "xnor") == -70).all()
    assert (kernels.gate_sum(w, prepared, "b_implies_a") == 70).all()


def test_flip_needs_memory_it_may_change():
    w = kernels.pack(np.ones((2, 3), np.bool_))
    w.words.setflags(write=False)
    with pytest.raises(ValueError, match="must be C-contiguous and writeable"):
        kernels.flip(w, M.copy(), Q, beta=1, eta=1)


def test_prepared_weights_belong_to_one_backend(backend):
    prepared = kernels.prepare(X)
    for other in backends.available():
        if other != backend:
            with backends.use(other), pytest.raises(ValueError, match=f"prepared for backend '{backend}'"):
                kernels.gate_sum(X, prepared)
