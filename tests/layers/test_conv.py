"""Convolutions and pools: sums against the oracle, votes as finite changes of sum z . s, and a worked example."""

from itertools import product

import numpy as np
import pytest
import spec
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import kernels
from bvar.bits import BitMatrix, SlidingWindow
from bvar.calculus.gates import GATES
from bvar.layers import BooleanConv2d, BooleanLinear, MaxPool2d, SumPool2d

LEARNABLE = [g for g in GATES if g.depends_on_a and g.depends_on_b]


@st.composite
def convolutions(draw, gates=LEARNABLE):
    """Small layers with every kind of border; a window may be larger than the image."""
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    size, stride, dilation = draw(pairs), draw(pairs), draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    padding = tuple(draw(st.integers(0, r - 1)) for r in reach)
    height, width = (draw(st.integers(max(1, r - 2 * p), r + 3)) for r, p in zip(reach, padding, strict=True))
    return BooleanConv2d(
        (height, width, draw(st.sampled_from([1, 2, 8, 65]))),
        draw(st.integers(1, 4)),
        size,
        draw(st.sampled_from(gates)),
        stride=stride,
        padding=padding,
        dilation=dilation,
        padding_value=draw(st.sampled_from([0, -1])),
        bias=draw(st.booleans()),
        random_state=draw(st.integers(0, 9)),
    )


def values_for(layer, seed, *, missing):
    random = np.random.RandomState(seed)
    low = -1 if missing else 0
    values = random.randint(low, 2, (2, layer.n_inputs))
    return (values if missing else 2 * values - 1).astype(np.int8)


def oracle_sums(layer, values):
    window = layer.window
    weights = kernels.unpack_ternary(layer.weight.bits).reshape(layer.n_filters, window.n_taps, -1).tolist()
    settings_ = {
        "size": window.kernel_size,
        "stride": window.stride,
        "padding": window.padding,
        "dilation": window.dilation,
    }
    outside = [layer.padding_value] * window.channels
    sums = [
        spec.conv_sum(layer.gate.id, image.tolist(), weights, window.places, outside, **settings_)
        for image in values.reshape(-1, *window.image_shape)
    ]
    bias = 0 if layer.bias is None else kernels.unpack_ternary(layer.bias.bits)[0]
    return np.array(sums) + bias


@settings(max_examples=60)
@given(layer=convolutions(), seed=st.integers(0, 99), missing=st.booleans())
def test_sums_equal_the_oracle(backend, layer, seed, missing):
    values = values_for(layer, seed, missing=missing)
    sums, _ = layer.forward(kernels.pack(values))
    assert sums.tolist() == oracle_sums(layer, values).reshape(2, -1).tolist()


@settings(max_examples=60)
@given(layer=convolutions(), seed=st.integers(0, 99), missing=st.booleans())
def test_votes_are_the_finite_change_of_signal_times_sum(backend, layer, seed, missing):
    """Every pixel and weight of the layer is set to F and to T: BOLD Eq. 3-8, summed over places, by doing it."""
    values = values_for(layer, seed, missing=missing)
    z = np.random.RandomState(seed).randint(-128, 128, (2, layer.n_outputs)).astype(np.int8)
    _, context = layer.forward(kernels.pack(values))
    votes, below = layer.votes(z, context), layer.backward(z, context)
    changes = [(layer.weight, votes[0])] + ([(layer.bias, votes[1])] if layer.bias else [])
    random = np.random.RandomState(seed + 1)
    for parameter, change in changes:
        for row, i in random.randint(0, parameter.bits.shape, (4, 2)):
            totals = []
            for value in (-1, 1):
                kept = parameter.bits
                signs = kernels.unpack_ternary(kept)
                signs[row, i] = value
                parameter.bits, parameter._prepared = kernels.pack(signs), None
                totals.append(int((z.astype(int) * layer.forward(kernels.pack(values))[0]).sum()))
                parameter.bits, parameter._prepared = kept, None
            assert 2 * change[row, i] == totals[1] - totals[0]
    for row, i in random.randint(0, values.shape, (4, 2)):
        totals = []
        for value in (-1, 1):
            moved = values.copy()
            moved[row, i] = value
            totals.append(int((z.astype(int) * layer.forward(kernels.pack(moved))[0]).sum()))
        assert 2 * below[row, i] == totals[1] - totals[0]


@pytest.mark.parametrize("gate", ["xnor", "xor", "and", "or"])
@pytest.mark.parametrize("padding_value", [0, -1])
def test_votes_exhaustively_on_a_small_shape(backend, gate, padding_value):
    """All 16 images of 2 x 2 and all 16 kernels of 2 x 2 at a padding of 1: every signal, every flip."""
    images = np.array(list(product([-1, 1], repeat=4)), np.int8)
    layer = BooleanConv2d((2, 2), 16, 2, gate, padding=1, padding_value=padding_value)
    layer.weight.bits = kernels.pack(images)
    sums, context = layer.forward(kernels.pack(images))
    sums = sums.reshape(16, layer.window.n_places, 16).astype(int)
    for place in range(layer.window.n_places):
        z = np.zeros((16, layer.window.n_places, 16), np.int8)
        z[:, place] = 1
        votes = layer.backward(z.reshape(16, -1), context)
        for bit in range(4):
            other = [spec_index(np.where(np.arange(4) == bit, -row, row)) for row in images]
            change = (sums[:, place] - sums[other][:, place]).sum(axis=1) * images[:, bit] // 2
            assert votes[:, bit].tolist() == change.tolist()
            weights = layer.votes(z.reshape(16, -1), context)[0][:, bit]
            change = (sums[:, place] - sums[:, place][:, other]).sum(axis=0) * images[:, bit] // 2
            assert weights.tolist() == change.tolist()


def spec_index(signs):
    """Number of a row in the list of all rows."""
    return int("".join("1" if s > 0 else "0" for s in signs), 2)


def test_example_e7(backend):
    """The worked example of a 3 x 3 image under a 2 x 2 kernel of xor, with signals that are quarters."""
    image = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]], bool)
    layer = BooleanConv2d((3, 3), 1, 2, "xor")
    layer.weight.bits = kernels.pack(np.array([[1, 0, 0, 1]], bool))
    sums, context = layer.forward(kernels.pack(image.reshape(1, 9)))
    assert ((sums + 4) // 2).tolist() == [[0, 3, 3, 3]]  # the paper counts T
    quarters = np.array([[4, -2, 1, 8]], np.int8)  # 4 Z
    assert (layer.backward(quarters, context) / 4).reshape(3, 3).tolist() == [
        [-1, 1.5, -0.5],
        [0.75, -3.25, 2.5],
        [0.25, 1.75, -2],
    ]
    assert (layer.votes(quarters, context)[0] / 4).tolist() == [[-3.25, -0.75, -0.75, 1.25]]


@pytest.mark.parametrize(("padding_value", "count"), [(-1, 8), (0, 0)])
def test_what_the_padding_is_matters(backend, padding_value, count):
    """One pixel T under a 3 x 3 kernel of T: xor finds 8 disagreements with F outside, none with nothing there."""
    layer = BooleanConv2d((1, 1), 1, 3, "xor", padding=1, padding_value=padding_value)
    layer.weight.bits = kernels.pack(np.ones((1, 9), bool))
    sums, _ = layer.forward(kernels.pack(np.ones((1, 1), bool)))
    assert ((sums + layer.n_terms()) // 2 if padding_value else sums + 1).tolist() == [[count]]
    assert layer.n_terms().tolist() == [9 if padding_value else 1]


@given(layer=convolutions(), seed=st.integers(0, 99))
def test_n_terms_bounds_the_sums(layer, seed):
    sums, _ = layer.forward(kernels.pack(values_for(layer, seed, missing=False)))
    n_terms = layer.n_terms() + (layer.bias is not None)
    assert (abs(sums) <= n_terms).all()
    assert ((sums + n_terms) % 2 == 0).all()


@pytest.mark.parametrize("gate", LEARNABLE, ids=lambda g: g.name)
def test_a_window_as_large_as_the_image_is_a_linear_layer(backend, gate):
    linear = BooleanLinear(60, 7, gate, random_state=3)
    conv = BooleanConv2d((4, 5, 3), 7, (4, 5), gate, random_state=3)
    assert (conv.weight.bits.words == linear.weight.bits.words).all()
    x = kernels.pack(np.random.RandomState(0).rand(5, 60) < 0.5)
    z = np.random.RandomState(1).randint(-127, 128, (5, 7)).astype(np.int8)
    (s, context), (want, linear_context) = conv.forward(x), linear.forward(x)
    assert s.tolist() == want.tolist()
    assert conv.backward(z, context).tolist() == linear.backward(z, linear_context).tolist()
    assert conv.votes(z, context)[0].tolist() == linear.votes(z, linear_context)[0].tolist()


@settings(max_examples=40)
@given(layer=convolutions(), seed=st.integers(0, 99))
def test_marginals_are_the_sums_over_what_each_tap_saw(layer, seed):
    """Sums of signals, and of variations with nothing outside, whose product votes are centred by."""
    layer.centered = True
    values = values_for(layer, seed, missing=False)
    z = np.random.RandomState(seed).randint(-128, 128, (2, layer.n_outputs)).astype(np.int8)
    _, context = layer.forward(kernels.pack(values))
    signals, inputs, n = layer.marginals(z, context)[0]
    assert n == 2 * layer.window.n_places
    assert signals.tolist() == z.reshape(-1, layer.n_filters).sum(axis=0, dtype=int).tolist()
    ones = np.ones((2, layer.n_outputs), np.int8)  # then the vote on each weight is the sum of variations
    assert layer.votes(ones, context)[0].tolist() == [inputs.tolist()] * layer.n_filters


def test_centered_votes_refuse_missing_inputs():
    layer = BooleanConv2d((2, 2), 1, 2, centered=True)
    x = kernels.pack(np.array([[1, 0, 1, -1]], np.int8))
    with pytest.raises(ValueError, match="conv has centered votes, so no input of it can be missing"):
        layer.marginals(np.ones((1, 1), np.int8), layer.forward(x)[1])


# ------------------------------------------------------------------------------------------------------- pools


@given(
    size=st.integers(1, 3),
    room=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    channels=st.sampled_from([1, 3, 17]),
    seed=st.integers(0, 99),
)
def test_pool_equals_the_oracle_and_sends_signals_to_the_winner(backend, size, room, channels, seed):
    shape = (size + room[0], size + room[1], channels)
    random = np.random.RandomState(seed)
    sums = random.randint(-3, 4, (2, int(np.prod(shape)))).astype(np.int32)
    pool = MaxPool2d(shape, size)
    best, context = pool.forward(sums)
    want = [spec.max_pool(image.tolist(), size) for image in sums.reshape(2, *shape)]
    assert best.tolist() == [w[0] for w in want]
    assert context.winner.tolist() == [w[1] for w in want]
    z = random.randint(-128, 128, best.shape).astype(np.int8)
    back = pool.backward(z, context)
    assert (back * sums.astype(int)).sum() == (z * best.astype(int)).sum()
    assert np.count_nonzero(back) == np.count_nonzero(z)
    assert pool.out_shape == (shape[0] // size, shape[1] // size, channels)


@given(size=st.integers(1, 3), room=st.tuples(st.integers(0, 4), st.integers(0, 4)), seed=st.integers(0, 99))
def test_sum_pool_adds_and_sends_signals_to_all(size, room, seed):
    shape = (size + room[0], size + room[1], 3)
    random = np.random.RandomState(seed)
    sums = random.randint(-99, 100, (2, int(np.prod(shape)))).astype(np.int32)
    pool = SumPool2d(shape, size)
    totals, context = pool.forward(sums)
    rows, columns, channels = pool.out_shape
    whole = sums.reshape(2, *shape)[:, : rows * size, : columns * size]
    want = whole.reshape(2, rows, size, columns, size, channels).sum(axis=(2, 4))
    assert totals.tolist() == want.reshape(2, -1).tolist()
    z = random.randint(-128, 128, totals.shape).astype(np.int8)
    back = pool.backward(z, context).astype(int)
    assert (back * sums).sum() == (z * totals.astype(int)).sum()  # both are linear


def test_pool_then_threshold_is_or_of_thresholds(backend):
    sums = np.random.RandomState(0).randint(-5, 6, (3, 4 * 4 * 5)).astype(np.int32)
    pooled, _ = MaxPool2d((4, 4, 5)).forward(sums)
    parts = (sums >= 1).reshape(3, 2, 2, 2, 2, 5).any(axis=(2, 4))
    assert (pooled >= 1).tolist() == parts.reshape(3, -1).tolist()


# ------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: BooleanConv2d((4,), 1), ValueError, "image_shape must be (height, width)"),
        (lambda: BooleanConv2d((4, 0), 1), ValueError, "each of image_shape must be an integer >= 1"),
        (lambda: BooleanConv2d((4, 4), 0), ValueError, "n_filters must be an integer in [1,"),
        (lambda: BooleanConv2d((4, 4), 1, 5), ValueError, "a window 5 pixels high does not fit 4 pixels"),
        (lambda: BooleanConv2d((9, 4), 1, 5), ValueError, "a window 5 pixels wide does not fit 4 pixels"),
        (lambda: BooleanConv2d((4, 4), 1, (1, 2, 3)), ValueError, "kernel_size must be an integer or two"),
        (lambda: BooleanConv2d((4, 4), 1, stride=0), ValueError, "stride must be an integer >= 1"),
        (
            lambda: BooleanConv2d((4, 4), 1, padding=3),
            ValueError,
            "padding must be less than the window, 3 pixels",
        ),
        (lambda: BooleanConv2d((4, 4), 1, padding=-1), ValueError, "padding must be an integer >= 0"),
        (lambda: BooleanConv2d((4, 4), 1, dilation=1.5), TypeError, "dilation must be an integer >= 1"),
        (lambda: BooleanConv2d((4, 4), 1, padding_value=1), ValueError, "padding_value must be 0 or -1"),
        (lambda: BooleanConv2d((4, 4), 1, gate="a"), ValueError, "ignores the weight or the input"),
        (lambda: MaxPool2d((4, 4), 5), ValueError, "size must be an integer in [1, 4], got 5"),
        (lambda: SumPool2d((4, 3), 4), ValueError, "size must be an integer in [1, 3], got 4"),
        (lambda: MaxPool2d((4, 4), 0), ValueError, "size must be an integer in [1, 4]"),
        (
            lambda: BooleanConv2d((4, 4), 1).forward(kernels.pack(np.ones((1, 15), bool))),
            ValueError,
            "x must have rows of 16 bits, images of shape (4, 4, 1), got 15",
        ),
        (
            lambda: kernels.pixel_votes(np.ones((3, 1), np.int8), bits(1, 4), SlidingWindow((3, 3), 2)),
            ValueError,
            "z must have 4 rows for each image",
        ),
        (
            lambda: kernels.pixel_votes(np.ones((4, 2), np.int8), bits(1, 4), SlidingWindow((3, 3), 2)),
            ValueError,
            "z has 2 outputs but w has 1",
        ),
        (
            lambda: kernels.pixel_votes(np.ones((4, 1), np.int8), bits(1, 5), SlidingWindow((3, 3), 2)),
            ValueError,
            "w must have rows of 4 bits",
        ),
        (
            lambda: kernels.pool_max(np.ones((1, 5), np.int32), (2, 2), 2),
            ValueError,
            "sums must have 4 columns, one per value, got 5",
        ),
        (
            lambda: kernels.pool_back(np.ones((1, 2), np.int8), np.ones((1, 1), np.uint8), (2, 2), 2),
            ValueError,
            "z must have 1 columns, one per square, got 2",
        ),
        (
            lambda: kernels.pool_back(np.ones((1, 1), np.int8), np.ones((2, 1), np.uint8), (2, 2), 2),
            ValueError,
            "winner must have the shape of z",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def bits(n_rows: int, n_bits: int) -> BitMatrix:
    return kernels.pack(np.ones((n_rows, n_bits), bool))
