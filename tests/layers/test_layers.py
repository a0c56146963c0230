"""Layers: linear against the oracle, thresholds against the decimal definition, and the finite change of z . s."""

from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st
from strategies import signals, signs

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.calculus.gates import GATES, Gate
from bvar.layers import BooleanLinear, GateLayer, Threshold, UnitMajor
from bvar.networks import boolean_mlp

LEARNABLE = [g for g in GATES if g.depends_on_a and g.depends_on_b]


def test_ten_gates_can_learn_and_six_are_refused():
    assert len(LEARNABLE) == 10
    for g in set(GATES) - set(LEARNABLE):
        with pytest.raises(ValueError, match="a layer of it cannot learn"):
            BooleanLinear(3, 2, g)


@given(data=st.data(), g=st.sampled_from(LEARNABLE), bias=st.booleans(), n=st.integers(1, 70), m=st.integers(1, 5))
def test_votes_are_the_finite_change_of_signal_times_sum(backend, data, g, bias, n, m):
    """Half the change of sum(z * s) when a weight, bias or input goes from F to T: BOLD Eq. 3-8, by doing it."""
    layer = BooleanLinear(n, m, g, bias=bias, random_state=data.draw(st.integers(0, 9)))
    values = data.draw(signs(3, n, missing=False))
    x, z = kernels.pack(values), data.draw(signals(3, m))
    s, context = layer.forward(x)
    want = np.array(spec.gate_sum(g.id, values.tolist(), kernels.unpack_ternary(layer.weight.bits).tolist()))
    if bias:
        want = want + kernels.unpack_ternary(layer.bias.bits)
    assert s.tolist() == want.tolist()
    votes, below = layer.votes(z, context), layer.backward(np.ascontiguousarray(z), context)

    def total(bits, row, i, value):
        mask = np.uint64(1 << (i % 64))
        kept = bits.words[row, i // 64]
        bits.words[row, i // 64] = kept | mask if value else kept & ~mask
        layer.weight._prepared = None
        result = int((z.astype(int) * layer.forward(x)[0]).sum())
        bits.words[row, i // 64] = kept
        return result

    i = data.draw(st.integers(0, n - 1))
    targets = [(layer.weight.bits, votes[0], m - 1, i), (x, below, 1, i)]
    if bias:
        targets.append((layer.bias.bits, votes[1], 0, m - 1))
    for bits, change, row, col in targets:
        assert 2 * change[row, col] == total(bits, row, col, 1) - total(bits, row, col, 0)


@given(data=st.data(), g=st.sampled_from(LEARNABLE), bias=st.booleans())
def test_fused_forward_equals_forward_then_threshold(backend, data, g, bias):
    layer = BooleanLinear(70, 9, g, bias=bias, random_state=0)
    threshold = Threshold(9, 70, 3, g)
    x = kernels.pack(data.draw(signs(5, 70, data.draw(st.booleans()))))
    y, _ = threshold.forward(layer.forward(x)[0])
    assert layer.forward_bits(x, threshold.tau).words.tolist() == y.words.tolist()


def test_centered_votes_refuse_missing_inputs():
    layer = BooleanLinear(3, 2, centered=True, random_state=0)
    x = BitMatrix(np.array([[5]], np.uint64), 3, known=np.array([[5]], np.uint64))
    with pytest.raises(ValueError, match="linear has centered votes, so no input of it can be missing"):
        layer.marginals(np.ones((1, 2), np.int8), x)


@pytest.mark.parametrize("gate", ["xnor", "and", "a_implies_b"])
def test_centered_votes_of_any_gate_are_covariances(gate):
    rng = np.random.default_rng(0)
    x, z = rng.random((40, 70)) < 0.8, rng.integers(-127, 128, (40, 5)).astype(np.int8)
    layer = BooleanLinear(70, 5, gate, centered=True, random_state=0)
    ((_, _, ballots),) = layer.vote_blocks(z, kernels.pack(x))
    votes = ballots.count()
    variation = np.where(x, layer.gate.variation_a[1], layer.gate.variation_a[0])
    exact = z.astype(int).T @ (variation - variation.mean(axis=0))
    assert (np.abs(votes - exact) <= 0.5 + 40 * 127 * 2.0**-16).all()


@pytest.mark.parametrize("g", ["xnor", "and"])
def test_a_flip_is_seen_by_the_next_forward_pass(backend, g):
    layer = BooleanLinear(70, 3, g, random_state=0)
    x = kernels.pack(np.ones((1, 70), np.bool_))
    before = layer.forward(x)[0]
    signs_before = kernels.unpack_ternary(layer.weight.bits).astype(np.int32)
    flips = layer.weight.flip(np.zeros((3, 70), np.int16), signs_before, beta=0.0, eta=1.0)
    assert flips == 210
    assert (layer.forward(x)[0] == -before).all()  # with x all T, both gates give the weight


@pytest.mark.parametrize("g", LEARNABLE, ids=lambda g: g.name)
@pytest.mark.parametrize("fan_in", [1, 2, 3, 12, 784])
@pytest.mark.parametrize("width", [1, 0.3, 2.5])
def test_the_table_is_the_rounded_surrogate(g, fan_in, width):
    """Every entry against 1 - tanh(u)^2 computed another way, with fifty digits; then the centre."""
    getcontext().prec = 50
    pi = Decimal("3.14159265358979323846264338327950288419716939937510")
    share = sum(v != 0 for v in Gate.of("xnor").variation_b) / 2
    mean = Decimal(g.mean.numerator) / g.mean.denominator
    alpha = pi / (2 * (3 * fan_in * (1 - mean**2)).sqrt())
    made = Threshold(2, fan_in, 10, g, "xnor", width=width)
    for distance, entry in enumerate(made.curve.tolist()):
        u = alpha * distance / Decimal(width)
        tanh = (u.exp() - (-u).exp()) / (u.exp() + (-u).exp())
        exact = (1 - tanh**2) * (Decimal(2) / (10 * Decimal(share))).sqrt() * 2**20
        assert abs(entry - exact) <= Decimal("0.5")
    assert made.curve[-1] == 0
    assert (made.tau >= mean * fan_in).all()
    assert (made.tau - 1 < mean * fan_in).all()


@given(fan_in=st.integers(1, 2000), width=st.floats(0, 3))
def test_a_narrow_weight_tends_to_the_exact_variation_at_the_derived_rate(fan_in, width):
    """sech(x) = 2 / (e^x + e^-x) <= 2 e^-x, so t(d) <= 4 c e^(-2 alpha d / w) for d > 0; t(0) is c for any w."""
    made, matched = Threshold(1, fan_in, 10, width=width), Threshold(1, fan_in, 10)
    assert made.curve[0] == matched.curve[0]
    c, alpha = np.sqrt(0.2), np.pi / (2 * np.sqrt(3 * fan_in))
    d = np.arange(1, len(made.curve))
    with np.errstate(over="ignore", divide="ignore"):  # the limit: exp(-inf) is 0
        bound = 4 * c * np.exp(-2 * alpha * d / np.float64(width))
    # an entry is rounded by half of 2^-20; exp of an argument below 100 is good to 1e-13
    assert (made.curve[1:] / 2**20 <= bound * (1 + 1e-13) + 2.0**-21).all()


def test_without_noise_only_sums_at_the_threshold_are_heard(backend):
    """As without noise, so with the narrowest noise that floats can name."""
    s = np.array([[-3, -1, 0, 1, 2]], np.int32)
    for width in (0, 5e-324, 1e-3):
        threshold = Threshold(5, 12, 2, width=width)
        assert threshold.curve.tolist() == [2**20, 0]
        assert threshold.backward(np.full((1, 5), 90, np.int32), s).tolist() == [[0, 0, 90, 0, 0]]


def test_a_width_can_be_set_and_taken_back():
    threshold = Threshold(3, 40, 8, "and")
    before = threshold.curve.tolist()
    threshold.set_width(0.25)
    assert threshold.curve.tolist() == Threshold(3, 40, 8, "and", width=0.25).curve.tolist() != before
    threshold.set_width(1)
    assert threshold.curve.tolist() == before
    for wrong in (-1, 100.5, np.nan):
        with pytest.raises(ValueError, match="width must be"):
            threshold.set_width(wrong)
    with pytest.raises(TypeError, match="width must be a finite number >= 0"):
        Threshold(3, 40, 8, width="narrow")
    assert threshold.curve.tolist() == before


def test_the_threshold_of_random_and_sums_is_near_their_median():
    rng = np.random.default_rng(0)
    for name in ("and", "or", "nor", "a_implies_b"):
        s = kernels.gate_sum(
            kernels.pack(rng.random((500, 400)) < 0.5), kernels.pack(rng.random((20, 400)) < 0.5), name
        )
        y, _ = Threshold(20, 400, 1, name).forward(s)
        share = kernels.unpack(y).mean()
        # 500 rows share 20 weight rows: a row of 400 weights shifts the mean by about one spread / sqrt(3)
        assert 0.35 < share < 0.65


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Threshold(2, 4, 2, n_terms=[[1], [1, 2]]), ValueError, "n_terms must be an array, got rows of"),
        (lambda: Threshold(2, 4, Fraction(-1)), ValueError, "fan_out must be above 0, got -1"),
        (lambda: Threshold(2, 4, Fraction(0)), ValueError, "fan_out must be above 0, got 0"),
        (lambda: Threshold(2, 2**40, 1, "and"), ValueError, "fan_in must be smaller: the median of such sums"),
        (lambda: GateLayer(4, 2, 2, wires=[[0, 1], [2]]), ValueError, "wires must be an array, got rows of"),
        (
            lambda: GateLayer(4, 2, 2, candidates=[[0, 1], [2]]),
            ValueError,
            "candidates must be an array",
        ),
        (
            lambda: UnitMajor(kernels.pack(np.zeros((1, 2), np.int8))),
            ValueError,
            "units must not have",
        ),
        (lambda: kernels.clipped_eta([[1]], 0.5, 1.0), TypeError, "q must be an array of int32"),
        (lambda: boolean_mlp(5), ValueError, r"sizes must name inputs and outputs, got \[5\]"),
    ],
)
def test_what_is_no_number_or_no_array_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: BooleanLinear(0, 1), "n_inputs must be an integer in"),
        (lambda: BooleanLinear(1, 1.5), "n_outputs must be an integer in"),
        (lambda: Threshold(1, 1, 0), "fan_out must be an integer >= 1"),
        (lambda: Threshold(1, 1, 1, "nope"), "nope"),
    ],
)
def test_bad_sizes_are_named(make, text):
    with pytest.raises((TypeError, ValueError), match=text):
        make()


def test_extreme_thresholds_do_not_wrap_around(backend):
    layer, x = BooleanLinear(70, 4, bias=True, random_state=0), kernels.pack(np.ones((2, 70), np.bool_))
    for tau, want in ((-(2**31), True), (2**31 - 1, False)):
        y = layer.forward_bits(x, np.full(4, tau, np.int32))
        assert (kernels.unpack(y) == want).all()
