"""Layers of dense networks: pixel shuffle, upsampling, the global mean, channels side by side."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_conv import bits

from bvar import kernels
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    Concatenate,
    GateLayer,
    GlobalMean,
    GroupSum,
    JoinChannels,
    PixelShuffle,
    SignedSum,
    SumPool2d,
    Threshold,
    Upsample2d,
)
from bvar.networks import residual_block
from bvar.real import FixedPoint, RealJoinChannels, RealLinear, Residual

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))


def numbers(n, width, seed, high=99):
    return np.random.RandomState(seed).randint(-high, high + 1, (n, width)).astype(np.int32)


@given(shape=SHAPES, factor=st.integers(1, 3), seed=st.integers(0, 9))
def test_channels_become_pixels_and_signals_go_back(shape, factor, seed):
    height, width, channels = shape
    shuffle = PixelShuffle((height, width, channels * factor**2), factor)
    s = numbers(2, shuffle.n_inputs, seed)
    large, context = shuffle.forward(s)
    small, large_images = s.reshape(2, *shuffle.image_shape), large.reshape(2, *shuffle.out_shape)
    for n, i, j, a, b, c in np.ndindex(2, height, width, factor, factor, channels):
        pixel = large_images[n, factor * i + a, factor * j + b, c]
        assert pixel == small[n, i, j, (factor * a + b) * channels + c]
    assert (shuffle.backward(large, context) == s).all()


@given(
    shape=SHAPES, down=st.integers(1, 3), across=st.integers(1, 3), seed=st.integers(0, 9), missing=st.booleans()
)
def test_pixels_are_repeated_and_votes_on_copies_add(shape, down, across, seed, missing):
    upsample = Upsample2d(shape, (down, across))
    random = np.random.RandomState(seed)
    values = (
        random.randint(-1, 2, (2, upsample.n_inputs))
        if missing
        else 2 * random.randint(0, 2, (2, upsample.n_inputs)) - 1
    )
    values = values.astype(np.int8)
    y, context = upsample.forward(kernels.pack(values))
    large = kernels.unpack_ternary(y).reshape(2, *upsample.out_shape)
    wanted = np.kron(values.reshape(2, *shape), np.ones((1, down, across, 1), np.int8))
    assert (large == wanted).all()
    votes = numbers(2, upsample.n_outputs, seed)
    total = (votes.reshape(large.shape) * large).sum()
    assert (upsample.backward(votes, context).astype(int) * values).sum() == total


@pytest.mark.parametrize("sign", [-1, 1])
def test_votes_on_very_many_copies_do_not_wrap_around(sign):
    """Of an image of one pixel, spread over a large one: four of these are 0 in 32 bits."""
    upsample, signal = Upsample2d((1, 1, 1)), np.full((1, 4), sign * 2**30, np.int32)
    assert upsample.backward(signal, None).tolist() == [[sign * (2**31 - 1)]]
    signal[0, 1:] = -signal[0, 0]
    assert upsample.backward(signal, None).tolist() == [[-sign * (2**31 - 1)]]


@given(shape=SHAPES, variance=st.integers(1, 5000), fan_out=st.integers(1, 300), seed=st.integers(0, 9))
def test_the_global_mean_is_that_of_whole_numbers(shape, variance, fan_out, seed):
    pool = GlobalMean(shape, variance, fan_out)
    s, places = numbers(3, pool.n_inputs, seed, 3 * int(variance**0.5) + 1), shape[0] * shape[1]
    y, context = pool.forward(s)
    for n, c in np.ndindex(3, shape[2]):
        exact = 32 * int(s.reshape(3, places, -1)[n, :, c].sum()) / (places * variance**0.5)
        assert abs(y[n, c] - max(-127, min(127, exact))) < 0.51
        total = int(s.reshape(3, places, -1)[n, :, c].sum()) * pool.factor
        rounded = int(abs(Fraction(total, 2**20)) + Fraction(1, 2)) * (1 if total >= 0 else -1)
        assert y[n, c] == max(-127, min(127, rounded))
    g = numbers(3, shape[2], seed + 1, 1000)
    z = pool.backward(g, context).reshape(3, places, -1)
    assert (z == z[:, :1]).all()
    assert (abs(z[:, 0] - np.clip(g / (fan_out * places) ** 0.5, -127, 127)) < 0.51).all()


def branches(n_places=16):
    def branch(n_filters, dilation):
        conv = BooleanConv2d((4, 4, 2), n_filters, padding=dilation, dilation=dilation, random_state=dilation)
        return [conv, Threshold(conv.n_outputs, 18, 4)]

    return [branch(3, 1), branch(2, 2)]


def test_channels_of_branches_stand_side_by_side_and_votes_add(backend):
    join, x = JoinChannels(branches(), 16), bits(5, 32)
    y, context = join.forward(x)
    z = numbers(5, join.n_outputs, 1)
    pixels, parts = z.reshape(5, 16, 5), []
    below = np.zeros((5, 32), np.int64)
    votes = []
    for (conv, threshold), channels in zip(branches(), (slice(0, 3), slice(3, 5)), strict=True):
        s, kept = conv.forward(x)
        made, sums = threshold.forward(s)
        parts.append(kernels.unpack(made).reshape(5, 16, -1))
        on_bits = np.ascontiguousarray(pixels[:, :, channels]).reshape(5, -1)
        on_sums = threshold.backward(on_bits, sums)
        votes += conv.votes(on_sums, kept)
        below += conv.backward(on_sums, kept)
    assert (kernels.unpack(y).reshape(5, 16, 5) == np.concatenate(parts, axis=2)).all()
    assert (join.infer(x).words == y.words).all()
    assert (join.backward(z, context) == below).all()
    for found, wanted in zip(join.votes(z, context), votes, strict=True):
        assert (found == wanted).all()


def test_signals_on_sums_add_and_stay_signals():
    def branch():
        return [Threshold(4, 9, 1)]

    join, s = JoinChannels([branch(), branch(), branch()], 2), np.array([[0, 0, 5, -5]], np.int32)
    y, context = join.forward(s)
    assert kernels.unpack(y).reshape(2, 6).tolist() == [[True] * 6, [True, False] * 3]
    one = branch()[0].backward(np.full((1, 4), 40, np.int32), s)
    assert one.max() == 57
    found = join.backward(np.full((1, 12), 40, np.int32), context)
    assert found.dtype == np.int8
    assert (found == np.minimum(3 * one.astype(int), 127)).all()


def test_another_signal_on_the_same_batch_is_another_way_back(backend):
    """What branches received is kept with the batch, for the signal that it belongs to."""
    conv = BooleanConv2d((4, 4, 2), 2, padding=1, random_state=0)
    second = BooleanConv2d((4, 4, 2), 2, padding=1, random_state=1)
    add = Add([[conv, Threshold(32, 18, 18), second], [BooleanConv2d((4, 4, 2), 2, padding=1, random_state=2)]])
    _, context = add.forward(bits(3, 32))
    one, other = (np.random.RandomState(i).randint(-99, 99, (3, 32)).astype(np.int8) for i in range(2))
    first = [add.backward(one, context), *add.votes(one, context)]
    between = add.votes(other, context)
    again = [add.backward(one, add.forward(bits(3, 32))[1]), *add.votes(one, context)]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first[1:], between, strict=True))


def test_int16_votes_of_gates_are_added_up_as_integers():
    wires = np.zeros((1024, 2), int)
    wires[:512], wires[512:] = [0, 1], [1, 0]
    branches = [
        [GateLayer(2, 1024, 2, wires=wires, pass_through=64, random_state=0), GroupSum(1024, 2)] for _ in range(2)
    ]
    add = Add(branches)
    _, context = add.forward(bits(3, 2))
    z = np.array([[-127, 127], [127, -127], [127, 127]], np.int8)
    found = add.backward(z, context)
    alone = Add(branches[:1])
    one = alone.backward(z, alone.forward(bits(3, 2))[1])
    assert found.dtype == np.int32
    assert (found == 2 * one).all()
    assert abs(found).max() == 2 * 32767


def test_branches_of_other_widths_do_not_add():
    add = Add([[BooleanLinear(4, 5, random_state=0)], [BooleanLinear(4, 1, random_state=0)]])
    with pytest.raises(ValueError, match="branches must make sums of one number, got 5 and 1"):
        add.forward(bits(2, 4))


class Twice(Add):
    """Adds everything up twice."""

    def forward(self, x):
        total, context = super().forward(x)
        return 2 * total, context


class Inverted(JoinChannels):
    """Negates what it joins."""

    def forward(self, x):
        y, context = super().forward(x)
        return kernels.pack(~kernels.unpack(y)), context

    def infer(self, x):
        return self.forward(x)[0]


@pytest.mark.parametrize("kind", [Twice, Inverted])
def test_subclasses_of_branches_that_answer_otherwise_are_not_merged(kind):
    layer = Twice([[BooleanLinear(32, 2, random_state=0)]]) if kind is Twice else Inverted(branches(), 16)
    x = bits(3, 32)
    infer, _ = layer.absorb(())
    one, other = infer(x), layer.forward(x)[0]
    assert (one == other).all() if kind is Twice else (one.words == other.words).all()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: PixelShuffle((2, 2, 6)), ValueError, "image_shape must have a multiple of 4 channels"),
        (lambda: PixelShuffle((2, 2, 8), 0), ValueError, "factor must be"),
        (lambda: Upsample2d((2, 2, 8), (2, 0)), ValueError, "factor must be"),
        (lambda: Upsample2d((2, 2, 8), (2,)), TypeError, "factor must be"),
        (lambda: Upsample2d((2, 2, 8), (2, 2, 2)), TypeError, "factor must be"),
        (lambda: GlobalMean((2, 2, 8), 0, 1), ValueError, "variance must be"),
        (lambda: GlobalMean((2**15, 2**15, 1), 2**20, 1), ValueError, "variance must be smaller for images of"),
        (lambda: PixelShuffle((1, 2, 4)).forward(np.zeros((2, 4), np.int32)), ValueError, "x must have rows of 8"),
        (lambda: Upsample2d((1, 2, 1)).forward(bits(2, 4)), ValueError, "x must have rows of 2 values"),
        (
            lambda: GlobalMean((1, 2, 1), 4, 4).forward(np.zeros((4, 1), np.int32)),
            ValueError,
            "x must have rows of 2",
        ),
        (
            lambda: GlobalMean((1, 2, 1), 4, 4).forward(np.full((1, 2), 1.9)),
            TypeError,
            "x must be an array of int32",
        ),
        (lambda: SumPool2d((2, 4, 1)).forward(np.zeros((2, 4), np.int32)), ValueError, "x must have rows of 8"),
        (
            lambda: SumPool2d((2, 4, 1)).forward(np.zeros((2, 8), np.float32)),
            TypeError,
            "must be an array of int32",
        ),
        (
            lambda: JoinChannels([[FixedPoint()]], 4),
            ValueError,
            "branches must each end with a layer of known width",
        ),
        (lambda: residual_block(5, 4), ValueError, "image_shape must be"),
        (lambda: JoinChannels([], 4), ValueError, "branches must be one or more"),
        (lambda: JoinChannels([[BooleanLinear(4, 4)], []], 4), ValueError, "branches must be one or more"),
        (
            lambda: JoinChannels([[SignedSum(4, 4), RealLinear(4, 4)]], 4),
            ValueError,
            "must not have real parameters",
        ),
        (lambda: JoinChannels(branches(), 0), ValueError, "n_places must be"),
        (lambda: JoinChannels(branches(), 5), ValueError, r"n_places must divide .*, \[48, 32\], got 5"),
    ],
)
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_an_empty_batch_goes_up_and_down():
    join, pool = JoinChannels(branches(), 16), GlobalMean((4, 4, 2), 9, 1)
    y, context = join.forward(bits(0, 32))
    assert y.shape == join.infer(bits(0, 32)).shape == (0, 80)
    assert join.backward(numbers(0, 80, 0), context).shape == (0, 32)
    assert [votes.any() for votes in join.votes(numbers(0, 80, 0), context)] == [False, False]
    assert pool.forward(numbers(0, 32, 0))[0].shape == (0, 2)
    assert pool.backward(numbers(0, 2, 0), None).shape == (0, 32)


@pytest.mark.parametrize("layer", [Add, lambda b: JoinChannels(b, 4), lambda b: RealJoinChannels(b, 4)])
@pytest.mark.parametrize("given", [None, 3, "x", [3], [[3]], [[BooleanLinear(4, 4), "x"]]])
def test_what_is_no_branch_is_named(layer, given):
    with pytest.raises(TypeError, match="branches must be a sequence of"):
        layer(given)


@pytest.mark.parametrize("layer", [Concatenate, Residual])
@pytest.mark.parametrize("given", [None, 3, "x", [3]])
def test_what_is_no_stack_is_named(layer, given):
    with pytest.raises(TypeError, match="layers must be a sequence of layers, got"):
        layer(given)
