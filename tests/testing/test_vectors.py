"""Worked examples, checked by hand before they were written down; the numbers here are typed, never computed.

Examples E1 (mixed logic), E2 (sixteen gates) and E3 (the three-input neuron, in the calculus) stand in
test_logic.py, test_gates.py and test_chain.py as well; here the kernels meet the neuron (E3), the linear layer
(E4), the optimizer (E5), the threshold (E6), the convolution (E7), the quantiser of the convergence proof (E8),
and trees of gates (E9).

Counts of T, in which the examples are written, are (s + n) / 2 of the sums s here; signals like 0.75 are 3 in
units of 1/4, because a vote is linear in the signal.
"""

import math

import numpy as np
import pytest

from bvar import kernels
from bvar.calculus.gates import Gate
from bvar.calculus.logic import F, T, and_, or_, xnor, xor
from bvar.layers import BooleanLinear, GateConv2d, OrPool2d, Threshold
from bvar.layers.threshold import signal_scale, surrogate_width
from bvar.networks import BooleanOptimizer


def bits(rows):
    return kernels.pack(np.array(rows, dtype=np.bool_, ndmin=2))


def layer(weights, gate_name, bias=None):
    made = BooleanLinear(len(weights[0]), len(weights), gate_name, bias=bias is not None, random_state=0)
    made.weight.bits.words[...] = bits(weights).words
    if bias is not None:
        made.bias.bits.words[...] = bits(bias).words
    return made


def test_e1_mixed_logic():
    zero = np.int8(0)
    assert [xnor(T, -2.5), xnor(F, -2.5), xnor(zero, -2.5)] == [-2.5, 2.5, 0]
    assert [xor(F, 4), xor(T, -2.5), xnor(-2, 3), xor(-2, 3)] == [4, 2.5, -6, 6]
    assert [and_(F, zero), or_(T, zero)] == [0, 0]


# gate: terms, count, ds/dw, ds/dx, then (q, g) for z = -1 and for z = 3/4
E3 = {
    "xnor": ([1, 0, 0], 2, [1, -1, 1], [1, 1, -1], ([-1, 1, -1], [-1, -1, 1]), ([3, -3, 3], [3, 3, -3])),
    "xor": ([0, 1, 1], 3, [-1, 1, -1], [-1, -1, 1], ([1, -1, 1], [1, 1, -1]), ([-3, 3, -3], [-3, -3, 3])),
    "and": ([1, 0, 0], 2, [1, 0, 1], [1, 1, 0], ([-1, 0, -1], [-1, -1, 0]), ([3, 0, 3], [3, 3, 0])),
    "or": ([1, 1, 1], 4, [0, 1, 0], [0, 0, 1], ([0, -1, 0], [0, 0, -1]), ([0, 3, 0], [0, 0, 3])),
}


@pytest.mark.parametrize("name", E3)
def test_e3_the_three_input_neuron(backend, name):
    terms, count, ds_dw, ds_dx, minus, quarters = E3[name]
    x, w = [1, 0, 1], [1, 1, 0]
    made = layer([w], name, bias=[1])
    s, context = made.forward(bits(x))
    assert (s.item() + 3 + 1) // 2 == count == sum(terms) + 1
    for z, (q, g) in ((1, (ds_dw, ds_dx)), (-1, minus), (3, quarters)):
        signal = np.array([[z]], np.int8)
        (votes, bias_votes), below = made.votes(signal, context), made.backward(signal, context)
        assert (votes[0].tolist(), below[0].tolist(), bias_votes.item()) == (q, g, z)


def test_e3_the_exact_step_of_the_neuron():
    x, w = [1, 0, 1], [1, 1, 0]
    tau = 2 * 2 - 4  # a count of 2 among four terms, as a sum

    def output(weights):
        s, _ = layer([weights], "xnor", bias=[1]).forward(bits(x))
        return int(s.item() >= tau)

    assert output(w) == 1
    assert [output([*w[:i], 1 - w[i], *w[i + 1 :]]) for i in range(3)] == [0, 1, 1]


def test_e4_the_xor_layer_with_boolean_and_real_signals(backend):
    x, w, b = [[1, 0, 1], [0, 0, 1]], [[1, 1, 0], [0, 1, 1]], [1, 0]
    xor_layer, xnor_layer = layer(w, "xor", b), layer(w, "xnor", b)
    s, context = xor_layer.forward(bits(x))
    assert ((s + 4) // 2).tolist() == [[3, 2], [4, 1]]
    assert ((xnor_layer.forward(bits(x))[0] + 4) // 2).tolist() == [[2, 1], [1, 2]]

    boolean = bits([[1, 0], [0, 0]])
    assert kernels.input_votes(boolean, xor_layer.weight.bits, "xor").tolist() == [[-2, 0, 2], [0, 2, 0]]
    assert kernels.weight_votes(boolean, context, "xor").tolist() == [[-2, 0, 0], [0, -2, 2]]
    assert (2 * kernels.count_rows(kernels.transpose(boolean)) - 2).tolist() == [0, -2]

    z = np.array([[2, -4], [-1, 8]], np.int8)  # quarters of [[.5, -1], [-.25, 2]]
    (g_w, g_b), g_x = xor_layer.votes(z, context), xor_layer.backward(z, context)
    assert (g_x / 4).tolist() == [[-1.5, 0.5, 1.5], [2.25, -1.75, -2.25]]
    assert (g_w / 4).tolist() == [[-0.75, 0.25, -0.25], [3, 1, -1]]
    assert (g_b / 4).tolist() == [[0.25, 1]]
    (n_w, _), n_x = xnor_layer.votes(z, context), xnor_layer.backward(z, context)
    assert (n_w == -g_w).all()
    assert (n_x == -g_x).all()


E5_VOTES = [[1, 1, -1, -3], [2, -2, 1, 1], [-1, -1, 4, 1]]
E5 = [  # flips, weights, accumulators, beta
    ([0, 0, 0, 1], [1, 0, 1, 1], [0.5, 0.5, -0.5, 0], 0.75),
    ([1, 0, 0, 0], [0, 0, 1, 1], [0, -0.625, 0.125, 0.5], 0.75),
    ([0, 0, 1, 0], [0, 0, 0, 1], [-0.5, -0.96875, 0, 0.875], 0.75),
]
E5_WITHOUT_A_BAR = [
    ([1, 0, 0, 1], [0, 0, 1, 1], [0, 0.5, -0.5, 0], 0.5),
    ([0, 1, 1, 1], [0, 1, 0, 0], [1, 0, 0, 0], 0.25),
    ([1, 0, 0, 0], [1, 1, 0, 0], [0, -0.5, 2, 0.5], 0.75),
]


def e5_run():
    """The optimizer on the example; its eta is in units of a full vote, 127 per sample."""
    weights = layer([[1, 0, 1, 0]], "xnor").weight
    optimizer = BooleanOptimizer(0.5 * 127, clip=math.inf)
    steps = []
    for q in E5_VOTES:
        before = kernels.unpack(weights.bits)[0]
        optimizer.step([weights], [np.array([q], np.int32)], n_samples=1)
        after = kernels.unpack(weights.bits)[0]
        flips = (before != after).astype(int).tolist()
        steps.append(
            (flips, after.astype(int).tolist(), (optimizer.m[0][0] / kernels.BAR).tolist(), optimizer.beta[0])
        )
    return steps


def test_e5_the_optimizer(backend):
    assert e5_run() == E5


def test_e5_the_rule_without_a_bar_is_another_algorithm():
    """The negative twin: flipping on sign agreement alone reproduces its own table, not the optimizer's."""
    w, m, beta, steps = np.array([1, 0, 1, 0]), np.zeros(4), 1.0, []
    for q in E5_VOTES:
        m = beta * m + 0.5 * np.array(q)
        flips = m * (2 * w - 1) > 0
        w, m = np.where(flips, 1 - w, w), np.where(flips, 0, m)
        beta = 1 - flips.mean()
        steps.append((flips.astype(int).tolist(), w.tolist(), m.tolist(), beta))
    assert steps == E5_WITHOUT_A_BAR
    assert e5_run() != steps


ALPHA = {
    3: "0.52359878",
    12: "0.26179939",
    27: "0.17453293",
    784: "0.03238927",
    1152: "0.02671979",
    4608: "0.01335989",
}


def test_e6_the_width_of_the_surrogate():
    for fan_in, alpha in ALPHA.items():
        assert f"{surrogate_width(fan_in, Gate.of('xnor')):.8f}" == alpha


def test_e6_the_table_of_the_surrogate():
    weights = {0: 1, 1: 0.93447537, 2: 0.76914591, 3: 0.56993396, 6: 0.15883159}
    made = Threshold(1, fan_in=12, fan_out=2)  # fan_out 2: the scale is 1
    for distance, weight in weights.items():
        # the table is rounded to 2**-20, the printed weight to 1e-8
        assert abs(made.curve[distance] / 2**20 - weight) <= 2**-21 + 1e-8


def test_e6_the_scale_keeps_the_variance_of_signals():
    """Var(z below) / Var(z above) = (fan_out / 2) * scale**2 = 1, measured within the 2 % of sampling error.

    The estimate is a mean of 200 * 256 products whose standard deviation is about 2, hence 0.009 at one sigma.
    """
    rng = np.random.default_rng(0)
    fan_in = fan_out = width = 256
    w_below = kernels.pack(rng.random((width, fan_in)) < 0.5)
    w_above = kernels.pack(rng.random((fan_out, width)) < 0.5)
    s = kernels.gate_sum(kernels.pack(rng.random((200, fan_in)) < 0.5), w_below)
    z = np.rint(rng.normal(0, 30, (200, fan_out))).astype(np.int8)
    g = kernels.input_votes(z, w_above)
    scale = float(signal_scale(fan_out, Gate.of("xnor")))
    below = g * scale * (1 - np.tanh(float(surrogate_width(fan_in, Gate.of("xnor"))) * s) ** 2)
    assert abs((below**2).mean() / (z.astype(float) ** 2).mean() - 1) < 0.03
    rounded = kernels.rescale(g, s, np.zeros(width, np.int32), Threshold(width, fan_in, fan_out).curve, 20)
    # 2**-21 is the rounding of the table: times |g| < 2**15 it is below 2**-6
    assert abs(rounded - np.clip(below, -127, 127)).max() <= 0.5 + 2**-6


def patches(image, size):
    """All size x size windows, as rows."""
    windows = np.lib.stride_tricks.sliding_window_view(np.array(image), (size, size))
    return windows.reshape(-1, size * size)


def test_e7_the_xor_convolution(backend):
    image, kernel = [[1, 0, 1], [0, 1, 1], [1, 1, 0]], [[1, 0, 0, 1]]
    x, w = bits(patches(image, 2)), bits(kernel)
    count = (kernels.gate_sum(x, w, "xor").reshape(2, 2) + 4) // 2
    assert count.tolist() == [[0, 3], [3, 3]]
    assert (count - 2).tolist() == [[-2, 1], [1, 1]]
    z = np.array([[4], [-2], [1], [8]], np.int8)  # quarters
    g_w = kernels.weight_votes(z, x, "xor").reshape(2, 2) / 4
    assert g_w.tolist() == [[-3.25, -0.75], [-0.75, 1.25]]
    g_x = np.zeros((3, 3))
    for at, votes in enumerate(kernels.input_votes(z, w, "xor") / 4):
        row, col = divmod(at, 2)
        g_x[row : row + 2, col : col + 2] += votes.reshape(2, 2)
    assert g_x.tolist() == [[-1, 1.5, -0.5], [0.75, -3.25, 2.5], [0.25, 1.75, -2]]


def test_e7_padding_with_false_counts_and_padding_with_zero_does_not(backend):
    kernel = bits([[1] * 9])
    with_false = np.full((1, 9), -1, np.int8)
    with_false[0, 4] = 1
    with_zero = np.zeros((1, 9), np.int8)
    with_zero[0, 4] = 1
    assert (kernels.gate_sum(kernels.pack(with_false), kernel, "xor").item() + 9) // 2 == 8
    assert (kernels.gate_sum(kernels.pack(with_zero), kernel, "xor").item() + 1) // 2 == 0  # one term is known


E8 = [
    (1, 0.4, 0, 1, 0.4),
    (1, 1.7, 1.7, -1, 0),
    (1, -1.7, 0, 1, -1.7),
    (-1, -1.7, -1.7, 1, 0),
    (1, 1, 0.5, 1, 0.5),
]


@pytest.mark.parametrize(("w", "m", "quantised", "after", "error"), E8)
def test_e8_the_quantiser_of_the_convergence_proof(w, m, quantised, after, error):
    q1 = w * (max(w * m - 1, 0) + np.sign(w * m - 1) / 2 + 0.5)
    assert q1 == quantised
    assert m - q1 == error
    assert (np.sign(w - q1) or w) == after
    # The optimizer is this quantiser, but at the tie |m| = 1, where it flips and the proof's quantiser does not.
    weight, accumulator = bits([w == 1]), np.array([[m * kernels.BAR]], np.int16)
    flipped = kernels.flip(weight, accumulator, np.zeros((1, 1), np.int32), beta=1, eta=0)
    tie = w * m == 1
    assert flipped == (1 if tie else int(after != w))
    assert accumulator.item() == (0 if tie else int(error * kernels.BAR))


def test_e9_a_tree_at_two_places_and_the_or_of_its_answers(backend):
    """One "and" of two "xor" over a window of four bits, which stands at two places of a row of six."""
    tree = GateConv2d((1, 6, 1), 1, (1, 4), stride=2, leaves=[[0, 1, 2, 3]], random_state=0)
    for table, rows in zip(tree.tables, ([[0, 1, 1, 0]] * 2, [[0, 0, 0, 1]]), strict=True):
        table.bits = bits(rows)
    x = bits([[1, 0, 0, 1, 1, 0]])  # the windows see 1001, whose "xor" are 1 and 1, and 0110, the same
    y, context = tree.forward(x)
    assert kernels.unpack(y).astype(int).tolist() == [[1, 1]]
    z = np.array([[3, 5]], np.int16)
    leaves, root = tree.votes(z, context)
    # at (x0, x1) = (1, 0) is entry 1, at (0, 1) entry 2; the first "xor" sees 10 and 01, the second 01 and 10
    assert (leaves / 64).tolist() == [[0, 3, 5, 0], [0, 5, 3, 0]]
    assert (root / 64).tolist() == [[0, 0, 0, 8 / 2**2]]  # two places look at it
    # x0 lifts an "xor" whose x1 is F, x1 lowers one whose x0 is T, and so on; two pixels are seen twice
    assert tree.backward(z, context).tolist() == [[3, -3, -3 - 5, 3 + 5, 5, -5]]

    pool = OrPool2d((2, 2, 1))
    for row, votes in (([0, 0, 0, 0], [7, 7, 7, 7]), ([0, 1, 0, 0], [0, 7, 0, 0]), ([1, 1, 0, 0], [0, 0, 0, 0])):
        y, context = pool.forward(bits([row]))
        assert kernels.unpack(y).item() == any(row)
        assert pool.backward(np.array([[7]], np.int16), context).tolist() == [votes]
