"""The optimizer: the bound that clipping proves, plasticity, the schedule, and refusals that change nothing."""

import math

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st

from bvar import kernels
from bvar.layers import GateLayer, Parameter
from bvar.networks import BooleanOptimizer

ZEROS = [[0] * 64] * 2


def parameter(rows, n, seed=0):
    return Parameter("w", kernels.pack(np.random.default_rng(seed).random((rows, n)) < 0.5))


@given(
    seed=st.integers(0, 99),
    eta=st.sampled_from([0.1, 1.0, 30.0, 1e6]),
    clip=st.sampled_from([0.1, 1.0, 3.0]),
    n=st.sampled_from([1, 16, 100]),
)
def test_a_neuron_flips_no_more_than_its_clipped_votes_allow(backend, seed, eta, clip, n):
    """Theorem (flip budget): the flips of a neuron in T steps are below T * (clip * sqrt(n) + n / 4096)."""
    rng = np.random.default_rng(seed)
    p, optimizer = parameter(3, n, seed), BooleanOptimizer(eta, clip=clip)
    flips = np.zeros(3)
    for step in range(1, 21):
        before = kernels.unpack(p.bits)
        # coherent votes, the worst case: every weight of a neuron is pushed the same way, away from its value
        q = (kernels.unpack_ternary(p.bits) * rng.integers(0, 1000, (3, 1))).astype(np.int32)
        optimizer.step([p], [q], n_samples=int(rng.integers(1, 50)))
        flips += (kernels.unpack(p.bits) != before).sum(axis=1)
        bound = int(2**40 * (clip * math.sqrt(n))) + n * 2**28
        assert (flips.astype(int) * 2**40 < step * bound).all()


def test_without_a_clip_coherent_votes_flip_a_whole_neuron():
    """The negative twin: the bound above comes from the clip, not from chance."""
    p = parameter(1, 100)
    q = kernels.unpack_ternary(p.bits).astype(np.int32) * 127
    assert BooleanOptimizer(1.0, clip=math.inf).step([p], [q], n_samples=1) == [100]


def test_quiet_votes_are_not_clipped():
    p, clipped = parameter(2, 64), BooleanOptimizer(1.0)
    q = np.ones((2, 64), np.int32)
    clipped.step([p], [q], n_samples=100)
    signs = kernels.unpack_ternary(parameter(2, 64).bits).tolist()
    size = kernels.eta_units(1 / 12700)
    assert (
        clipped.m[0].tolist()
        == spec.flip([[v > 0 for v in row] for row in signs], ZEROS, q.tolist(), 0, [size] * 2)[1]
    )


def test_beta_is_the_share_of_weights_that_did_not_flip():
    p, optimizer = parameter(1, 64), BooleanOptimizer(1.0, clip=math.inf)
    signs = kernels.unpack_ternary(p.bits)
    q = np.where(np.arange(64) < 16, 127 * signs, 64 * signs).astype(np.int32)
    assert optimizer.step([p], [q], n_samples=1) == [16]
    assert optimizer.beta == [0.75]
    kept = optimizer.m[0].copy()
    optimizer.step([p], [np.zeros((1, 64), np.int32)], n_samples=1)
    assert (optimizer.m[0] == (24576 * kept.astype(int) + [kernels.dither(1, i) for i in range(64)]) >> 15).all()
    assert optimizer.beta == [1.0]


@pytest.mark.parametrize(
    ("n", "flipped", "beta"), [(3, 1, 21845), (2**17, 1, 2**15), (2**17, 2, 2**15), (2**17, 3, 2**15 - 1)]
)
def test_plasticity_is_a_multiple_of_a_power_of_two(n, flipped, beta):
    """Rounded to the nearest one, halves up, from integers."""
    p, optimizer = parameter(1, n), BooleanOptimizer(1.0, clip=math.inf)
    q = np.where(np.arange(n) < flipped, 127 * kernels.unpack_ternary(p.bits), 0).astype(np.int32)
    assert optimizer.step([p], [q], n_samples=1) == [flipped]
    assert optimizer.beta == [beta / 2**15]


def test_a_schedule_that_begins_does_not_begin_the_rounding_again():
    """Calls of one step each would round alike for ever, and what is below the last bit would be lost."""
    p, optimizer = parameter(1, 1), BooleanOptimizer(1.0, clip=math.inf)
    p.bits.words[:] = 1
    for _ in range(1000):
        optimizer.start_schedule(1.0, 1)
        optimizer.step([p], [np.full((1, 1), -1, np.int32)], n_samples=1000)  # a thirty-first of a unit
    assert optimizer.age == 1000
    assert abs(optimizer.m[0][0, 0] + 1000 * 4096 / 127000) < 2


def test_votes_in_blocks_of_rows_are_rounded_as_the_whole(backend):
    """What an element is rounded by is a matter of its place in the tensor."""
    (whole, blocks), votes = (
        (parameter(7, 77) for _ in range(2)),
        np.random.default_rng(0).integers(-99, 99, (7, 77)),
    )
    one, other = BooleanOptimizer(1.0), BooleanOptimizer(1.0)
    for _ in range(5):
        q = votes.astype(np.int32)
        flips = one.step([whole], [q], n_samples=9)
        pieces = [(0, slice(a, b), q[a:b]) for a, b in ((0, 3), (3, 7))]
        assert other.step_in_blocks([blocks], pieces, n_samples=9) == flips
    assert (one.m[0] == other.m[0]).all()
    assert (whole.bits.words == blocks.bits.words).all()


def test_cosine_schedule_falls_from_eta_to_zero():
    p, optimizer = parameter(1, 4), BooleanOptimizer(2.0, n_steps=4)
    etas = []
    for _ in range(6):
        etas.append(optimizer.current_eta())
        optimizer.step([p], [np.zeros((1, 4), np.int32)], n_samples=1)
    assert etas[0] == 2.0
    assert etas[2] == pytest.approx(1.0, abs=1e-15)  # cos(pi / 2) is 0 to the last bit of 1
    assert etas[4:] == [0.0, 0.0]
    assert etas == sorted(etas, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"eta": -1}, "eta must be a finite number >= 0"),
        ({"eta": "big"}, "eta must be a finite number >= 0"),
        ({"clip": 0}, "clip must be a finite number > 0"),
        ({"n_steps": 0}, "n_steps must be an integer >= 1"),
    ],
)
def test_bad_parameters_are_named(arguments, text):
    with pytest.raises((TypeError, ValueError), match=text):
        BooleanOptimizer(**arguments)


def test_votes_that_do_not_fit_change_nothing():
    p, optimizer = parameter(2, 4), BooleanOptimizer()
    before = p.bits.words.copy()
    good = np.full((2, 4), 1000, np.int32)
    for votes, text in (([], "one array per parameter"), ([good[:1]], r"votes on w must have shape \(2, 4\)")):
        with pytest.raises(ValueError, match=text):
            optimizer.step([p], votes, n_samples=1)
    with pytest.raises(ValueError, match="n_samples must be a finite number >= 0"):
        optimizer.step([p], [good], n_samples=-1)
    assert (p.bits.words == before).all()
    assert optimizer.step_count == 0


def test_a_schedule_or_an_end_of_a_step_that_is_refused_changes_nothing():
    optimizer = BooleanOptimizer(eta=2.0, n_steps=5)
    with pytest.raises(ValueError, match="n_steps must be"):
        optimizer.start_schedule(3.0, 0)
    assert (optimizer.eta, optimizer.n_steps) == (2.0, 5)
    weight = Parameter("w", kernels.pack(np.ones((1, 4), bool)))
    optimizer.step([weight], [np.zeros((1, 4), np.int32)], n_samples=1)
    for flips in ([5], [-1], [1, 1], []):
        with pytest.raises(ValueError, match=r"flips must be a number for each parameter, of at most \[4\]"):
            optimizer.agree(flips)
    assert optimizer.beta == [1.0]


def test_a_step_without_weight_moves_nothing():
    p, optimizer = parameter(2, 4), BooleanOptimizer(n_steps=5)
    optimizer.step([p], [np.full((2, 4), 50, np.int32)], n_samples=1)
    before = optimizer.m[0].copy(), list(optimizer.beta), optimizer.step_count, optimizer.age
    assert optimizer.step([p], [np.full((2, 4), 50, np.int32)], n_samples=0) == [0]
    assert (optimizer.m[0] == before[0]).all()
    assert (optimizer.beta, optimizer.step_count, optimizer.age) == before[1:]


def test_a_wrong_second_tensor_leaves_the_first_alone():
    p, q, optimizer = parameter(2, 4), parameter(3, 4), BooleanOptimizer()
    optimizer.step([p, q], [np.ones((2, 4), np.int32), np.ones((3, 4), np.int32)], n_samples=9)
    before = optimizer.m[0].copy()
    with pytest.raises(TypeError, match="votes on w must be int32"):
        optimizer.step([p, q], [np.ones((2, 4), np.int32), np.ones((3, 4))], n_samples=9)
    with pytest.raises(ValueError, match="parameters must be those of the first step"):
        optimizer.step([q, p], [np.ones((3, 4), np.int32), np.ones((2, 4), np.int32)], n_samples=9)
    assert (optimizer.m[0] == before).all()


def test_a_table_need_not_be_clipped_beside_weights_that_are():
    """The entries of a table share no sum; the optimizer is the same for both."""
    weight, table = parameter(1, 64), GateLayer(6, 1, 6, is_clipped=False, random_state=0).table
    q = 127 * kernels.unpack_ternary(table.bits).astype(np.int32)
    unclipped = 127 * kernels.unpack_ternary(weight.bits).astype(np.int32)
    assert BooleanOptimizer(1.0).step([weight, table], [unclipped, q], n_samples=1) == [0, 64]
    table = GateLayer(6, 1, 6, random_state=0).table
    assert BooleanOptimizer(1.0).step([table], [q], n_samples=1) == [0]
