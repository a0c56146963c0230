"""Signals instead of votes: whoever owns rows makes the votes on them, and the model is the same, bit for bit."""

import numpy as np
import pytest

from bvar.bits import BitMatrix, RandomWords
from bvar.layers import BooleanLinear, Threshold
from bvar.networks import (
    FULL_WEIGHT,
    BooleanOptimizer,
    CrossEntropy,
    Network,
    Signals,
    Votes,
    boolean_mlp,
    conv_network,
    front_network,
    gate_network,
    has_signals,
    shares,
)
from bvar.networks.flips import catch_up

X = RandomWords(1).bits(300, 70)
Y = np.random.RandomState(0).randint(0, 3, 300)
WEIGHTS = np.random.RandomState(1).randint(0, FULL_WEIGHT, 300)


def biased():
    layers = [BooleanLinear(70, 130, bias=True, random_state=0), Threshold(130, 70, 3)]
    layers += [BooleanLinear(130, 40, bias=True, centered=True, random_state=1), Threshold(40, 130, 3)]
    return Network([*layers, BooleanLinear(40, 3, random_state=2)], CrossEntropy(40), BooleanOptimizer())


def centered():
    layers = [BooleanLinear(70, 200, random_state=0), Threshold(200, 70, 3)]
    layers += [BooleanLinear(200, 3, centered=True, random_state=1)]
    return Network(layers, CrossEntropy(200), BooleanOptimizer())


NETWORKS = {
    "sums": lambda: boolean_mlp([70, 150, 40, 3], n_steps=6, random_state=0),
    "offsets": lambda: boolean_mlp([70, 140, 3], offset_spread=0.5, random_state=0),
    "centered": centered,
    "gates in front": lambda: front_network([70, 33, 3], gates=90, random_state=0),
    "sums of gates alone": lambda: front_network([70, 33, 3], gates=90, fan_in=3, skip=False, random_state=0),
    "filters": lambda: conv_network((7, 10, 1), (4,), (20,), 3, random_state=0),
    "biases": biased,
}


def batches():
    return [(X[rows], Y[rows], WEIGHTS[rows]) for rows in np.array_split(RandomWords(2).permutation(300), 5)]


def split(network, batch, n_parts):
    parts = np.array_split(np.arange(len(batch[1])), n_parts)
    return sum(network.signals(*(one[rows] for one in batch)) for rows in parts)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_signals_of_parts_make_the_step_of_the_whole(make):
    alone, shared = make(), make()
    for batch in batches():
        seen, flips = alone.step(*batch)
        signals = split(shared, batch, 4)
        assert shared.apply_signals(signals) == flips
        assert signals.seen == seen
    assert shared.fingerprint() == alone.fingerprint()
    assert shared.optimizer.beta == alone.optimizer.beta
    assert all((a == b).all() for a, b in zip(shared.optimizer.m, alone.optimizer.m, strict=True))


@pytest.mark.parametrize("n_owners", [1, 2, 7, 16])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_owners_of_units_that_tell_each_other_what_moved_train_the_same_network(make, n_owners):
    alone = make()
    owners = [make() for _ in range(n_owners)]
    streams = [owner.flips(fingerprints=False) for owner in owners]
    for step, batch in enumerate(batches()):
        _, expected = alone.step(*batch)
        signals = split(owners[0], batch, 3)
        mine = [
            owner.apply_signals(signals.of(rows), rows=rows)
            for owner, rows in zip(owners, shares(alone, n_owners), strict=True)
        ]
        assert np.sum(mine, axis=0).tolist() == expected
        told = [next(stream) for stream in streams]
        for i, owner in enumerate(owners):
            owner.agree(expected)
            for j, message in enumerate(told):
                if i != j:
                    catch_up(owner, message, 2 * step)
            next(streams[i])  # what it was told is nothing to tell
        assert {owner.fingerprint() for owner in owners} == {alone.fingerprint()}


def test_missing_inputs_travel_too():
    known = RandomWords(3).bits(300, 70).words
    x = BitMatrix(X.words & known, 70, known)
    alone, shared = NETWORKS["sums"](), NETWORKS["sums"]()
    alone.step(x, Y)
    shared.apply_signals(split(shared, (x, Y), 2))
    assert shared.fingerprint() == alone.fingerprint()


def test_an_owner_of_sixteen_is_sent_its_columns_and_all_activations():
    """1.36 MB a step for each owner of 784-4096-4096-10 at a batch of 1000, but for its own sixteenth."""
    network = boolean_mlp([784, 4096, 4096, 10], random_state=0)
    z = tuple(np.zeros((1000, n), np.int8) for n in (4096, 4096, 10))
    x = tuple(BitMatrix(np.zeros((1000, -(-n // 64)), np.uint64), n) for n in (784, 4096, 4096))

    signals = Signals(z, x, Votes((), 1000, 1000 * FULL_WEIGHT, 0, 0))
    received = signals.of(shares(network, 16)[0]).n_bytes
    assert received == 1000 * (256 + 256 + 0 + 8 * (13 + 64 + 64))
    assert abs(received * 15 / 16 / 1.36e6 - 1) < 0.15


@pytest.mark.parametrize(
    "network",
    [
        gate_network([70, 120], 3, random_state=0),
        Network([BooleanLinear(70, 3, bias=True, random_state=0)], CrossEntropy(70), BooleanOptimizer()),
    ],
    ids=["gates", "bias"],
)
def test_networks_in_which_only_other_layers_learn_are_refused(network):
    assert not has_signals(network)
    with pytest.raises(ValueError, match="signals are for networks of bits in which linear layers"):
        network.signals(X, Y)


def test_signals_of_another_network_are_refused_and_change_nothing():
    network, other = NETWORKS["sums"](), boolean_mlp([70, 33, 3], random_state=0)
    before = network.fingerprint()
    for wrong in (other.signals(X, Y), NETWORKS["offsets"]().signals(X, Y)):
        with pytest.raises(ValueError, match="signals must come from a network of the same shape"):
            network.apply_signals(wrong)
    with pytest.raises(ValueError, match="signals can be added only if"):
        network.signals(X, Y) + other.signals(X, Y)
    assert network.fingerprint() == before
    assert not network.optimizer.m
