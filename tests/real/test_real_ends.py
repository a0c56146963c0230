"""Real ends: gradients against finite differences, inference against its thresholds, exact signed sums."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import backends, kernels
from bvar.bits import BitMatrix
from bvar.layers import BooleanConv2d, BooleanLinear, SignedSum, Threshold, standard_int8
from bvar.networks import FULL_WEIGHT, BooleanOptimizer, CrossEntropy, Network, Votes, boolean_mlp, conv_network
from bvar.networks.inference import Inference
from bvar.real import (
    Adam,
    BatchNorm,
    FixedPoint,
    RealConv2d,
    RealCrossEntropy,
    RealEnds,
    RealHuber,
    RealLayer,
    RealLinear,
    RealParameter,
    batch_norm,
)
from bvar.real.batch_norm import normalize, normalize_backward
from bvar.real.layers import affine, affine_gradients, real_votes
from bvar.real.losses import nats

STEP = 1e-5  # central differences err by about STEP**2 and 1e-16 / STEP, times values of order 1 to 100


def slope(function, array, place):
    """Derivative of a number in one entry of an array, by central differences."""
    kept, sides = array[place], []
    for step in (STEP, -STEP):
        array[place] = kept + step
        sides.append(function())
    array[place] = kept
    return (sides[0] - sides[1]) / (2 * STEP)


def assert_gradient(function, array, gradient):
    assert gradient.shape == array.shape
    for place in np.ndindex(array.shape):
        assert abs(slope(function, array, place) - gradient[place]) < 1e-6
    assert abs(gradient).max() > 0.1


# ------------------------------------------------------------------------------------------------- gradients


def test_gradients_of_a_real_linear_layer_are_finite_differences():
    random = np.random.RandomState(0)
    layer = RealLinear(5, 3, random_state=0)
    for parameter in layer.real_parameters:
        parameter.values = parameter.values.astype(np.float64) + random.standard_normal(parameter.values.shape)
    x, z = random.standard_normal((7, 5)), random.standard_normal((7, 3))
    context = layer.forward(x.astype(np.float32))[1]._replace(values=x)

    def total():
        return (z * affine(x, layer.weight.values, layer.bias.values)).sum()

    for parameter, gradient in zip(layer.real_parameters, layer.gradients(z, context), strict=True):
        assert_gradient(total, parameter.values, gradient)
    assert_gradient(total, x, layer.backward(z, context))


def test_the_gradient_through_batch_statistics_is_a_finite_difference():
    random = np.random.RandomState(0)
    s, z = 3 * random.standard_normal((6, 4)) + 1, random.standard_normal((6, 4))
    assert_gradient(
        lambda: (z * normalize(s, 0.1).values).sum(), s, normalize_backward(z, normalize(s, 0.1))
    )  # fmt: skip


def test_gradients_of_scale_and_shift_are_finite_differences():
    random = np.random.RandomState(0)
    layer, s = BatchNorm(4, fan_in=9), random.randint(-9, 9, (6, 4)).astype(np.int32)
    z = random.randint(-127, 128, (6, 4)).astype(np.int8)
    for parameter in layer.real_parameters:
        parameter.values = 1 + random.standard_normal(4)
    context = layer.forward(s)[1]

    def total():
        return (z * (layer.scale.values * context.values + layer.shift.values)).sum()

    for parameter, gradient in zip(layer.real_parameters, layer.gradients(z, context), strict=True):
        assert_gradient(total, parameter.values, gradient)


def test_what_comes_back_through_batch_norm_is_the_gradient_times_a_constant_in_int8():
    random = np.random.RandomState(0)
    s = random.randint(-40, 40, (50, 6)).astype(np.int32)
    z = random.randint(-127, 128, (50, 6)).astype(np.int8)
    layer = BatchNorm(6, fan_in=400)
    layer.scale.values[:] = [-1, 0.5, 1, 2, 0, 30]
    context = layer.forward(s)[1]
    below = layer.backward(z, context)
    exact = 20 * normalize_backward(z * layer.scale.values.astype(float), normalize(s.astype(float), 0.4))
    assert below.dtype == np.int8
    # float32 errs by less than 1e-4 of numbers up to 4000; then halves may round either way
    assert (np.abs(below - np.clip(exact, -127, 127)) <= 0.5 + 1e-3).all()
    assert np.abs(below).max() == 127
    real = layer.backward(z, layer.forward(s.astype(np.float32))[1])
    assert real.dtype == np.float32
    np.testing.assert_allclose(real, exact, atol=1e-2)  # 1e-6 of numbers up to 4000, a few roundings each


def test_signals_on_normalised_sums_are_added_up_once_each(monkeypatch):
    added, random = [], np.random.RandomState(0)

    def sums(z, values, add=batch_norm._sums):
        added.append(1)
        return add(z, values)

    monkeypatch.setattr(batch_norm, "_sums", sums)
    layer, s = BatchNorm(6, fan_in=400), random.randint(-40, 40, (50, 6)).astype(np.int32)
    one, other = random.randint(-127, 128, (2, 50, 6)).astype(np.int8)
    context = layer.forward(s)[1]
    for number, z in enumerate((one, other), start=1):
        below, gradients = layer.backward(z, context), layer.gradients(z, context)
        assert len(added) == 3 * number - 2
        assert (below == layer.backward(z, layer.forward(s)[1])).all()
        for got, alone in zip(gradients, layer.gradients(z, layer.forward(s)[1]), strict=True):
            assert (got == alone).all()


def test_signals_of_the_real_loss_are_finite_differences():
    random = np.random.RandomState(0)
    scores, y = random.standard_normal((5, 4)), random.randint(0, 4, 5)
    loss = RealCrossEntropy()
    shares = loss.check_targets(scores, y)
    assert_gradient(lambda: 127 * nats(scores, shares).sum(), scores, loss.full_signals(scores, shares))
    soft = np.array([[100, 27, 0, 0]] * 5)
    assert_gradient(lambda: 127 * nats(scores, soft).sum(), scores, loss.full_signals(scores, soft))
    half = loss.signals(scores.astype(np.float32), y, np.full(5, FULL_WEIGHT // 2))
    np.testing.assert_array_equal(2 * half, loss.signals(scores.astype(np.float32), y))
    p = loss.probabilities(scores.astype(np.float32))
    assert (abs(p.sum(axis=1) - 1) < 1e-12).all()
    assert loss.n_correct(scores, y) == (p.argmax(axis=1) == y).sum()


def test_votes_on_bits_are_of_the_size_of_those_of_signs():
    """Weights of one size are signs: then votes are those of a Boolean layer, whatever the size is."""
    boolean, random = BooleanLinear(40, 5, random_state=0), np.random.RandomState(0)
    signs = kernels.unpack_ternary(boolean.weight.bits).astype(np.float32)
    z = random.randint(-127, 128, (9, 5)).astype(np.int8)
    for size in (0.25, 3.0):
        assert (real_votes(z.astype(np.float32), size * signs) == boolean.backward(z, None)).all()
    assert (real_votes(z, np.zeros((5, 40), np.float32)) == 0).all()
    weight, noise = random.standard_normal((300, 500)), 100 * random.standard_normal((20, 300))
    votes = real_votes(noise, weight)
    # the mean of 10,000 squares; those of one row of signals are not independent, hence a wide margin
    assert abs(np.mean(votes**2.0) / (300 * 100**2) - 1) < 0.2


def test_missing_bits_count_as_nothing():
    layer = RealLinear(3, 2, random_state=0)
    bits = kernels.pack(np.array([[1, 0, -1]], np.int8))
    w = layer.weight.values
    np.testing.assert_array_equal(layer.forward(bits)[0][0], w[:, 0] - w[:, 2])
    gradient, _ = layer.gradients(np.ones((1, 2), np.float32), layer.forward(bits)[1])
    assert (gradient == [[1, 0, -1]] * 2).all()


def test_affine_gradients_take_integers_as_numbers():
    z, x = np.array([[127, -127]], np.int8), np.array([[0.5, 2.0]], np.float32)
    weight, bias = affine_gradients(z, x)
    assert weight.tolist() == [[63.5, 254.0], [-63.5, -254.0]]
    assert bias.tolist() == [127.0, -127.0]
    assert weight.dtype == np.float32


# ------------------------------------------------------------------------------------------ training, inference


def trained_norm(random, n_units, fan_in):
    layer = BatchNorm(n_units, fan_in)
    layer.mean[:] = random.uniform(-fan_in, fan_in, n_units)
    layer.variance[:] = random.uniform(0, 2 * fan_in, n_units)
    layer.scale.values[:] = random.choice([-2, -0.3, -1e-6, 0, 1e-6, 0.5, 1, 40], n_units)
    layer.shift.values[:] = random.choice([-3, -1, -0.1, 0, 0.1, 1, 3], n_units)
    return layer


@given(seed=st.integers(0, 2**31 - 1), fan_in=st.sampled_from([1, 2, 63, 64, 65, 300]))
def test_batch_norm_and_threshold_are_one_comparison_of_integers(seed, fan_in):
    """Every sum that can occur, every direction, and thresholds on either side of zero."""
    random = np.random.RandomState(seed)
    layer, tau = trained_norm(random, 12, fan_in), random.randint(-200, 200, 12).astype(np.int32)
    s = np.repeat(np.arange(-fan_in, fan_in + 1, dtype=np.int32)[:, None], 12, axis=1)
    t, below = layer.thresholds(tau)
    assert (t.dtype, below.dtype) == (np.int32, np.bool_)
    assert (((s >= t) ^ below) == (layer.infer(s) >= tau)).all()
    assert (below == (layer.scale.values < 0)).all()


def test_the_threshold_is_the_stated_formula():
    layer = BatchNorm(2, fan_in=100)
    layer.mean[:], layer.variance[:] = 7.3, 99.9  # with epsilon, the spread is 10
    layer.shift.values[:], layer.scale.values[:] = 0.5, [2, -2]
    t, below = layer.thresholds(np.zeros(2, np.int32))
    # 7.3 - 0.5 * 10 / 2 = 4.8: T from 5 on; 7.3 + 2.5 = 9.8: T below 10
    assert (t.tolist(), below.tolist()) == ([5, 10], [False, True])


@pytest.mark.parametrize("shift", [0.3, 1e3, -1e7])
@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e-4, 1, 1e4])
@pytest.mark.parametrize("n", [27, 1152, 4608])
def test_the_fold_is_exact_for_every_sum_however_floats_round(n, scale, shift):
    """Where the offset is large the line is a staircase of floats: the formula alone is off by many steps."""
    layer = BatchNorm(4, fan_in=n)
    layer.mean[:], layer.variance[:] = [0.1, -n / 3, n / 2, 2 * n], [n, n / 7, 3 * n, 1e-3]
    layer.scale.values[:] = scale * np.array([1, -1, 0.7, -0.1])
    at = layer._line()[0] * 3  # near the edge, for sums that can occur
    layer.shift.values[:] = np.float32(shift)
    s = np.arange(-n, n + 1, dtype=np.int32)[:, None].repeat(4, axis=1)
    values = layer.infer(s)
    for tau in (values[n // 2], values[n] + 1, np.floor(64 * at).astype(np.int32), np.zeros(4, np.int32)):
        t, below = layer.thresholds(tau)
        assert (((s >= t) ^ below) == (values >= tau)).all()


def test_the_formula_alone_is_not_exact():
    """The case that the search is for: with this offset ten thousand sums have one float."""
    layer = BatchNorm(1, fan_in=1000)
    layer.scale.values[:], layer.shift.values[:] = 1e-10, -1e7
    layer.mean[:] = 0.3
    slope, offset = layer._line()
    s = np.arange(-1000, 1001, dtype=np.int32)[:, None]
    t, _ = layer.thresholds(layer.infer(np.zeros((1, 1), np.int32))[0])
    assert ((s >= t) == (layer.infer(s) >= layer.infer(np.zeros((1, 1), np.int32)))).all()
    assert len(np.unique(slope * s + offset)) < len(s) // 2


def test_a_fold_without_a_comparison_is_a_constant():
    layer = BatchNorm(2, fan_in=9)
    layer.scale.values[:], layer.shift.values[:] = 0, [0.5, -0.5]
    t, below = layer.thresholds(np.zeros(2, np.int32))
    far = np.array([[-(2**30)], [2**30]])
    assert (((far >= t) ^ below) == [[True, False]]).all()


def test_every_place_of_an_image_has_the_threshold_of_its_filter():
    random = np.random.RandomState(3)
    layer, tau = trained_norm(random, 3, 9), random.randint(-9, 9, 12).astype(np.int32)
    s = np.arange(-9, 10, dtype=np.int32)[:, None].repeat(12, axis=1)
    for thresholds in (tau, np.full(12, 5, np.int32)):
        t, below = layer.thresholds(thresholds)
        assert (((s >= t) ^ below) == (layer.infer(s) >= thresholds)).all()


def conv_network_in_training(ends=None):
    random = np.random.RandomState(0)
    channels = 3 if ends else 8
    network = conv_network((8, 8, channels), (6, "M", 5), (7,), 3, ends=ends, norm=BatchNorm, random_state=0)
    x = random.standard_normal((20, 64 * channels)).astype(np.float32)
    x = x if ends else kernels.pack(x > 0)
    for _ in range(4):
        network.step(x, random.randint(0, 3, 20))
    for layer in network.layers:
        if isinstance(layer, BatchNorm):
            layer.scale.values[::2] *= -1
            layer.scale.values[1:2] = 0
    return network, x


@pytest.mark.parametrize("ends", [None, RealEnds()], ids=["Boolean ends", "real ends"])
def test_inference_of_normalised_convolutions_is_integers_and_bits(backend, ends, monkeypatch):
    network, x = conv_network_in_training(ends)
    value = x
    for layer in network.layers:
        value = layer.infer(value)
    monkeypatch.setattr(BatchNorm, "infer", None)  # nobody computes a float
    assert (network.scores(x) == value).all()


def test_normalised_real_sums_are_not_compared_with_integers():
    layers = [RealLinear(4, 2, random_state=0), BatchNorm(2), Threshold(2, BatchNorm.FAN_IN, 2)]
    layers += [BooleanLinear(2, 2, random_state=0)]
    layers[1].shift.values[:] = 0.3
    x = np.random.RandomState(0).standard_normal((50, 4)).astype(np.float32)
    value = x
    for layer in layers:
        value = layer.infer(value)
    assert (Inference(layers)(x) == value).all()


def mixed_network(n_inputs=70, n_steps=None, norm=True):
    layers = [BooleanLinear(n_inputs, 65, random_state=0)]
    layers += [BatchNorm(65, fan_in=n_inputs)] if norm else []
    layers += [Threshold(65, BatchNorm.FAN_IN if norm else n_inputs, 3), RealLinear(65, 3, random_state=1)]
    return Network(layers, RealCrossEntropy(), BooleanOptimizer(n_steps=n_steps))


def data(n=200, n_inputs=70):
    x = np.random.RandomState(0).rand(n, n_inputs) < 0.5
    return kernels.pack(x), (x[:, 0].astype(int) + x[:, 1])


def test_scores_are_those_of_the_layers_one_by_one(backend):
    x, y = data()
    network = mixed_network()
    for _ in range(5):
        network.step(x, y)
    network.layers[1].scale.values[::3] *= -1
    value = x
    for layer in network.layers:
        value = layer.infer(value)
    assert (network.scores(x) == value).all()


def test_the_score_of_a_sample_does_not_depend_on_the_others():
    x, y = data()
    network = mixed_network()
    for _ in range(5):
        network.step(x, y)
    bits = network.layers[0].forward_bits  # what stands below the float sums is equal, bit for bit
    t, _ = network.layers[1].thresholds(network.layers[2].tau)
    assert (bits(x, t).words[:7] == bits(x[:7], t).words).all()
    alone = np.concatenate([network.scores(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(alone, network.scores(x), atol=1e-4)  # 65 float32 terms of size 1 in another order
    context = network.layers[1].forward(network.layers[0].forward(x)[0])[1]
    assert abs(network.layers[1].mean - context.mean).max() > 0.1  # inference did not look at the batch


def test_running_statistics_follow_the_batches_and_only_in_training():
    s = np.random.RandomState(0).randint(-9, 10, (40, 3)).astype(np.int32)
    layer = BatchNorm(3, fan_in=36, momentum=0.25)
    moments = layer.moments(layer.forward(s)[1])
    layer.infer(s)
    assert layer.mean.tolist() == [0, 0, 0]
    assert layer.variance.tolist() == [36, 36, 36]
    layer.learn_moments(*moments)
    np.testing.assert_allclose(layer.mean, s.mean(axis=0) / 4, rtol=1e-6)  # float32 means
    np.testing.assert_allclose(layer.variance, 27 + s.var(axis=0, ddof=1) / 4, rtol=1e-6)
    parts = [layer.moments(layer.forward(part)[1])[0] for part in (s[:1], s[1:15], s[15:], s[:0])]
    np.testing.assert_allclose(sum(parts), moments[0], rtol=1e-5, atol=1e-4)
    layer.learn_moments(*layer.moments(layer.forward(s[:1])[1]))  # one row has no variance, and teaches nothing
    np.testing.assert_allclose(layer.mean, s.mean(axis=0) / 4, rtol=1e-6)


def test_sums_of_a_convolution_are_normalised_filter_by_filter_over_all_places():
    conv = BooleanConv2d((6, 5, 2), 3, random_state=0)
    s, _ = conv.forward(kernels.pack(np.random.RandomState(0).rand(7, 60) < 0.5))
    z = np.random.RandomState(1).randint(-127, 128, s.shape).astype(np.int8)
    layer = BatchNorm(3, fan_in=18)
    (y, context), (flat, rows) = layer.forward(s), layer.forward(s.reshape(-1, 3))
    assert (y == flat.reshape(s.shape)).all()
    assert (layer.backward(z, context) == layer.backward(z.reshape(-1, 3), rows).reshape(s.shape)).all()
    assert all(
        (a == b).all()
        for a, b in zip(layer.gradients(z, context), layer.gradients(z.reshape(-1, 3), rows), strict=True)
    )
    assert (layer.infer(s) == layer.infer(s.reshape(-1, 3)).reshape(s.shape)).all()
    assert layer.moments(context)[0][0].tolist() == [7 * 4 * 3] * 3


def test_a_unit_that_never_changes_stays_calm():
    layer, s = BatchNorm(1, fan_in=64), np.full((5, 1), 30, np.int32)
    y, context = layer.forward(s)
    assert (y == 0).all()
    assert (layer.backward(np.full((5, 1), 100, np.int8), context) == 0).all()


def test_a_network_with_real_ends_learns_what_it_should():
    x, y = data()
    for norm in (False, True):
        network = mixed_network(n_steps=150, norm=norm)
        before = [p.values.copy() for p in network.real.parameters]
        for _ in range(150):
            seen, flips = network.step(x, y)
        assert (seen.tensors, seen.real) == ((), None)
        assert len(flips) == 1
        assert (network.scores(x).argmax(axis=1) == y).mean() > 0.95
        assert all((p.values != b).any() for p, b in zip(network.real.parameters, before, strict=True))
        assert network.real.adam.current_rate() == 0


@pytest.mark.parametrize("norm", [False, True])
def test_a_real_first_layer_learns(norm):
    random = np.random.RandomState(0)
    x = random.standard_normal((300, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    middle = BatchNorm(64) if norm else FixedPoint()
    layers = [RealLinear(6, 64, random_state=0), middle, Threshold(64, middle.FAN_IN, 2)]
    network = Network(
        [*layers, BooleanLinear(64, 2, random_state=1)],
        CrossEntropy(64),
        BooleanOptimizer(n_steps=200),
        Adam(0.01, n_steps=200),
    )
    signals = layers[2].backward(
        random.randint(-300, 300, (300, 64)).astype(np.int32),
        middle.forward(x[:, :1] * np.ones(64, np.float32))[0],
    )
    assert signals.dtype == np.int8
    assert np.abs(signals).max() > 50
    for _ in range(200):
        network.step(x, y)
    assert (network.scores(x).argmax(axis=1) == y).mean() > 0.95


def test_apply_of_votes_is_the_step():
    x, y = data()
    weights = np.random.RandomState(0).randint(0, FULL_WEIGHT, len(y))
    one, two = mixed_network(), mixed_network()
    for _ in range(5):
        one.step(x, y, weights)
        two.apply(two.votes(x, y, weights))
    assert one.fingerprint() == two.fingerprint()


def test_votes_with_gradients_add_up_to_rounding():
    x, y = data()
    network = mixed_network(norm=False)
    whole = network.votes(x, y)
    total = sum(network.votes(x[rows], y[rows]) for rows in np.array_split(np.arange(200), 7))
    assert all((a == b).all() for a, b in zip(whole.tensors, total.tensors, strict=True))
    for a, b in zip(whole.real.gradients, total.real.gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=0.1)  # sums of 200 terms up to 127 in float32: 2e4 * 2**-24 * a few
    before = network.fingerprint()
    with pytest.raises(ValueError, match="gradients of the shapes of the real parameters"):
        network.apply(Votes(whole.tensors, 200, 200 * FULL_WEIGHT, 0, 0.0, (None,)))
    boolean = Network(network.layers[:1], network.loss, BooleanOptimizer())
    with pytest.raises(ValueError, match="votes must come from a network without real weights"):
        boolean.apply(whole)
    with pytest.raises(ValueError, match="networks of the same shape"):
        whole + Votes(whole.tensors, 200, 200 * FULL_WEIGHT, 0, 0.0, (None,))
    assert network.fingerprint() == before


def test_no_weight_moves_nothing():
    x, y = data()
    network = mixed_network()
    before = network.fingerprint()
    network.step(x, y, np.zeros(len(y), int))
    network.apply(network.votes(x, y, np.zeros(len(y), int)))
    assert network.fingerprint() == before
    assert network.real.adam.step_count == 0


def test_the_fingerprint_sees_every_real_number():
    network = mixed_network()
    prints = {network.fingerprint()}
    for array in (*(p.values for p in network.real.parameters), *network.layers[1].statistics):
        array.flat[-1] += 1
        prints.add(network.fingerprint())
    assert len(prints) == 1 + 4 + 2


def test_one_seed_is_one_model_and_copies_learn_alike():
    x, y = data()
    a, b = mixed_network(n_steps=20), mixed_network(n_steps=20)
    for network in (a, b):
        for _ in range(7):
            network.step(x, y)
    twins = [a, b, copy.deepcopy(a), pickle.loads(pickle.dumps(a))]
    for network in twins:
        for _ in range(7):
            network.step(x, y)
    assert len({network.fingerprint() for network in twins}) == 1


def test_the_summary_counts_bits_and_floats():
    *lines, foot = [line.split() for line in mixed_network().summary().splitlines()]
    assert ["real.weight", "3", "x", "65", "195", "780", "195"] in lines
    assert ["norm.scale", "65", "65", "260", "65"] in lines
    n_weights = 65 * 70 + 195 + 3 + 130
    assert lines[-1] == ["all", str(n_weights), str(65 * 2 * 8 + 4 * (195 + 3 + 130)), str(n_weights)]
    assert "328" in foot


def test_a_boolean_network_has_no_adam():
    network = boolean_mlp([8, 4, 2], n_steps=3, random_state=0)
    assert network.real is None
    network.start_schedule(2.0, 7)
    assert (network.optimizer.eta, network.optimizer.n_steps) == (2.0, 7)
    with pytest.raises(ValueError, match="real_optimizer must be None for layers without real weights"):
        Network(network.layers, network.loss, network.optimizer, Adam())
    mixed = mixed_network(n_steps=3)
    mixed.start_schedule(2.0, 9)
    assert (mixed.real.adam.n_steps, mixed.real.adam.rate) == (9, 1e-3)


class Shift(RealLayer):
    """A layer from outside: it adds a number to every score."""

    def __init__(self, n):
        self.shift = RealParameter("shift", np.zeros(n, np.float32))
        self.real_parameters = (self.shift,)

    def forward(self, x):
        return x + self.shift.values, None

    def backward(self, signal, context):
        return signal

    def gradients(self, signal, context):
        return (signal.sum(axis=0),)


def test_a_real_layer_from_outside_is_trained_printed_and_added():
    x, y = data()
    one, two = (Network([*mixed_network().layers, Shift(3)], RealCrossEntropy(), BooleanOptimizer()) for _ in "ab")
    before = one.fingerprint()
    for _ in range(3):
        one.step(x, y)
        two.apply(two.votes(x, y))
    assert one.fingerprint() == two.fingerprint() != before
    assert one.layers[-1].shift.values.all()
    assert one.real.parameters[-1].name == "shift"
    assert "\nshift " in one.summary()


def test_a_normalisation_above_another_merges_with_it_and_a_subclass_does_not():
    x, _ = data()
    norms = [BatchNorm(65, fan_in=70), BatchNorm(65, fan_in=BatchNorm.FAN_IN)]
    for i, norm in enumerate(norms):
        norm.scale.values[:] = np.random.RandomState(i).standard_normal(65)
        norm.mean[:] = np.random.RandomState(i + 2).standard_normal(65) * 5
    first, threshold = BooleanLinear(x.n_bits, 65, random_state=0), Threshold(65, BatchNorm.FAN_IN, 3)
    infer, left = first.absorb([*norms, threshold])
    assert left == []
    value = first.infer(x)
    for norm in norms:
        value = norm.infer(value)
    assert (infer(x).words == threshold.infer(value).words).all()
    norms[1].__class__ = type("Other", (BatchNorm,), {})
    assert len(first.absorb([*norms, threshold])[1]) == 3


# ------------------------------------------------------------------------------------------------------ Adam


def test_adam_is_the_textbook():
    random = np.random.RandomState(0)
    p, m, v = random.standard_normal(5), 0.0, 0.0
    ours, adam = p.copy(), Adam(0.05)
    for t in range(1, 30):
        g = random.standard_normal(5) * 10.0 ** np.arange(-2, 3)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        adam.step([ours], [g])
        np.testing.assert_allclose(ours, p, rtol=1e-12)  # a hundred roundings of float64


@pytest.mark.parametrize("shape", [(3000, 64), (2, 70_000), (70_000,), (0, 3)])
def test_adam_steps_on_large_tensors_as_on_their_numbers_one_by_one(shape):
    random = np.random.RandomState(0)
    p = random.standard_normal(shape).astype(np.float32)
    large, small = Adam(0.05), Adam(0.05)
    one = p.copy()
    parts = list(one.reshape(-1, 100)) if p.ndim == 1 else [one[i] for i in range(len(one))]  # views
    for _ in range(2):
        g = random.standard_normal(shape).astype(np.float32)
        large.step([p], [g])
        small.step(parts, list(g.reshape(-1, 100)) if p.ndim == 1 else list(g))
    np.testing.assert_array_equal(p, one)


def test_adam_falls_along_half_a_cosine_and_a_new_schedule_keeps_the_means():
    adam, p = Adam(0.1, n_steps=4), np.zeros(1)
    rates = []
    for _ in range(5):
        rates.append(adam.current_rate())
        adam.step([p], [np.ones(1)])
    assert np.round(rates, 6).tolist() == [0.1, 0.085355, 0.05, 0.014645, 0.0]
    adam.start_schedule(0.2, None)
    assert (adam.current_rate(), adam.step_count, adam.age) == (0.2, 0, 5)


def test_adam_refuses_what_does_not_fit_and_stays_as_it_was():
    adam, p = Adam(), np.zeros(2)
    for parameters, gradients in (([p], [np.ones(3)]), ([p], []), ([p], [np.ones((1, 2))])):
        with pytest.raises(ValueError, match="gradients must have the shapes"):
            adam.step(parameters, gradients)
    assert (adam.age, adam.mean, p.tolist()) == (0, [], [0, 0])
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    for parameters, gradients, words in (
        ([np.zeros(2, int)], [np.ones(2)], "parameters must be arrays of floats"),
        ([np.array(1.0)], [np.array(1.0)], "parameters must be arrays of floats of at least one dimension"),
        ([p], [[1.0, 1.0]], "gradients must be arrays of floats"),
        ([p, fixed], [np.ones(2), np.ones(2)], "parameters must be arrays that can be written to"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            adam.step(parameters, gradients)
    assert (adam.age, adam.step_count, adam.mean, p.tolist()) == (0, 0, [], [0, 0])
    adam.step([p], [np.ones(2)])
    with pytest.raises(ValueError, match="parameters must be those of the first step"):
        adam.step([np.zeros(3)], [np.ones(3)])
    assert adam.age == 1


# ------------------------------------------------------------------------------ Boolean weights on numbers, exact


@given(data=st.data(), n=st.integers(1, 130), m=st.integers(1, 70))
def test_signed_sums_and_their_votes_are_integer_products(backend, data, n, m):
    random = np.random.RandomState(data.draw(st.integers(0, 2**31 - 1)))
    w, x = random.rand(m, n) < 0.5, random.randint(-128, 128, (5, n)).astype(np.int8)
    z = random.randint(-128, 128, (5, m)).astype(np.int8)
    with backends.use(backend):
        s, q = kernels.signed_sum(x, kernels.pack(w)), kernels.number_votes(z, x)
    assert (s.dtype, q.dtype) == (np.int32, np.int32)
    assert (s == x.astype(int) @ np.where(w, 1, -1).T).all()
    assert (q == z.T.astype(int) @ x.astype(int)).all()


@pytest.mark.parametrize("n", [1023, 1024, 1025, 3000])
@pytest.mark.parametrize("value", [-128, 127])
def test_votes_on_numbers_are_exact_at_the_limit_of_float32(n, value):
    z, x = np.full((n, 1), value, np.int8), np.full((n, 2), value, np.int8)
    x[-1, 1] += 1 if value < 0 else -1  # an odd total, which a float32 beyond 2**24 does not have
    assert kernels.number_votes(z, x).tolist() == [[n * value**2, n * value**2 - abs(value)]]


def test_votes_of_signed_sums_are_the_finite_change_of_signal_times_sum(backend):
    random = np.random.RandomState(0)
    layer = SignedSum(70, 5, random_state=0)
    x = random.randint(-127, 128, (9, 70)).astype(np.int8)
    z = random.randint(-127, 128, (9, 5)).astype(np.int8)
    (q,), g = layer.votes(z, x), layer.backward(z, x)
    signs = kernels.unpack_ternary(layer.weight.bits).astype(int)

    def total(bits, numbers):
        return int((z.astype(int) * kernels.signed_sum(numbers, kernels.pack(bits))).sum())

    for j, i in np.ndindex(5, 70):
        high, low = signs.astype(np.int8), signs.astype(np.int8)
        high[j, i], low[j, i] = 1, -1
        assert 2 * q[j, i] == total(high, x) - total(low, x)
    x[3, 7] = 5
    more = x.copy()
    more[3, 7] += 1
    assert g[3, 7] == total(signs.astype(np.int8), more) - total(signs.astype(np.int8), x)


GOLDEN_NUMBERS = "1dd373026b92331f0a6e2af95ec16014700573297e64c6028c7251f64811dd51"


def number_network(n_steps=60):
    first = SignedSum(20, 70, random_state=0)
    layers = [first, Threshold(70, first.sum_variance, 3), BooleanLinear(70, 3, centered=True, random_state=1)]
    return Network(layers, CrossEntropy(70), BooleanOptimizer(n_steps=n_steps))


@pytest.mark.parametrize("n_parts", [1, 3])
def test_a_network_on_numbers_is_one_model_on_every_backend(backend, n_parts):
    """Theorem (exactness), with numbers instead of bits below."""
    random = np.random.RandomState(0)
    values = random.standard_normal((150, 20))
    x, y = standard_int8(values), (values[:, 0] > 0).astype(int) + (values[:, 1] > 0)
    network = number_network()
    for _ in range(60):
        network.apply(sum(network.votes(x[r], y[r]) for r in np.array_split(np.arange(150), n_parts)))
    assert network.fingerprint() == GOLDEN_NUMBERS
    assert (network.scores(x).argmax(axis=1) == y).mean() > 0.9


def test_the_unit_of_votes_is_a_power_of_the_learning_rate():
    """Votes twice as large with a unit twice as large are the same votes."""
    x = np.random.RandomState(0).randint(-31, 32, (50, 20)).astype(np.int8)
    y = (x[:, 0] > 0).astype(int)
    prints = set()
    for factor in (1, 2, 4):
        layers = [SignedSum(20, 2, rms=8 * factor, random_state=0)]
        network = Network(layers, CrossEntropy(20), BooleanOptimizer(eta=3.0, clip=np.inf))
        votes = network.votes(x, y)
        for _ in range(20):
            network.apply(Votes((factor * votes.tensors[0],), 50, 50 * FULL_WEIGHT, 0, 0.0, (None,)))
        prints.add(network.fingerprint())
    assert len(prints) == 1


def test_signed_sums_have_the_variance_that_the_threshold_is_told():
    x = standard_int8(np.random.RandomState(0).standard_normal((2000, 100)))
    layer = SignedSum(100, 50, random_state=0)
    s, _ = layer.forward(x)
    assert layer.sum_variance == 100 * 32**2
    assert abs(s.var() / layer.sum_variance - 1) < 0.05  # 100,000 sums, of which those of a unit are 2000


def test_standard_int8_rounds_and_clips():
    assert standard_int8([0.0, 1 / 64, 3 / 64, -3 / 64, 4, -9.0]).tolist() == [0, 0, 2, -2, 127, -127]
    assert standard_int8([[1.0]], rms=100).dtype == np.int8


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: RealLinear(0, 1), "n_inputs must be an integer in"),
        (lambda: RealLinear(3, 2.0), "n_outputs must be an integer in"),
        (lambda: RealLinear(3, 2).forward(np.zeros((1, 4), np.float32)), "x has 4 inputs but real has 3"),
        (lambda: RealLinear(3, 2).forward(np.zeros((1, 3))), "x must be an array of float32, got dtype float64"),
        (lambda: RealLinear(1, 2).forward(np.full((1, 1), np.nan, np.float32)), "x must be finite"),
        (lambda: BatchNorm(0), "n_units must be an integer in"),
        (lambda: BatchNorm(1, 0), "fan_in must be an integer in"),
        (lambda: BatchNorm(1, momentum=1.5), "momentum must be above 0 and at most 1, got 1.5"),
        (lambda: BatchNorm(1, epsilon=0), "epsilon must be a finite number >= 1.17549e-38"),
        (lambda: BatchNorm(2).forward(np.zeros((3, 5), np.int32)), "x has 5 units, which is no multiple of the 2"),
        (lambda: BatchNorm(1).forward(np.array([[np.nan], [1]], np.float32)), "x must be finite for norm"),
        (
            lambda: Network([RealLinear(3, 2)], RealCrossEntropy(), BooleanOptimizer(), "adam"),
            "real_optimizer must be a bvar.real.Adam or None, got 'adam'",
        ),
        (lambda: RealHuber().signals(np.zeros((1, 2), np.float32), [[np.nan, 1]]), "y must be finite"),
        (lambda: RealHuber().signals(np.zeros((1, 2), np.float32), [["a", "b"]]), "y must be .* of real numbers"),
        (lambda: RealHuber().signals(np.zeros((1, 2), np.float32), [[1j, 1]]), "y must be .* of real numbers"),
        (lambda: standard_int8([["a"]]), "X must be an array of real numbers"),
        (lambda: standard_int8([[1], [1, 2]]), "X must be an array, got rows of different lengths"),
        (lambda: RealConv2d(5, 4), "image_shape must be"),
        (lambda: Adam(-1.0), "rate must be a finite number >= 0"),
        (lambda: Adam(n_steps=0), "n_steps must be an integer >= 1"),
        (lambda: SignedSum(3, 2, rms=128), r"rms must be an integer in \[1, 127\]"),
        (lambda: SignedSum(3, 2).forward(np.zeros((1, 4), np.int8)), "x has 4 inputs but w has rows of 3 bits"),
        (lambda: SignedSum(3, 2).forward(np.zeros((1, 3), np.int16)), "x must be an array of int8"),
        (lambda: SignedSum(3, 2).forward(kernels.pack(np.zeros((1, 3), bool))), "x must be an array of int8"),
        (lambda: standard_int8([np.inf]), "X must be finite"),
        (lambda: standard_int8([0.0], rms=0), "rms must be an integer in"),
        (lambda: kernels.number_votes(np.zeros((1, 2), np.int8), np.zeros((2, 2), np.int8)), "z has 1 samples"),
        (
            lambda: kernels.number_votes(np.zeros((2**16 + 1, 1), np.int8), np.zeros((2**16 + 1, 1), np.int8)),
            "at most 65536 samples, got 65537",
        ),
        (
            lambda: kernels.signed_sum(
                np.zeros((1, 2), np.int8),
                BitMatrix(np.array([[1]], np.uint64), 2, known=np.array([[1]], np.uint64)),
            ),
            "w must not have missing values",
        ),
        (lambda: RealCrossEntropy().signals(np.zeros((1, 2)), np.array([0])), "scores must be an array of"),
        (lambda: RealCrossEntropy().signals(np.zeros((1, 2), np.float32), np.array([2])), r"y must be in"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()
