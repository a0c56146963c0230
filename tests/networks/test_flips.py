"""A copy that is told what moves stays equal, whatever moves, and notices when it cannot be."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar.bits import RandomWords
from bvar.networks import boolean_mlp, conv_network, follow, front_network, gate_network, residual_network
from bvar.networks.flips import _from_base_128, _to_base_128
from bvar.real import BatchNorm

NETWORKS = {
    "sums": lambda: boolean_mlp([70, 130, 3], random_state=0),
    "offsets": lambda: boolean_mlp([70, 64, 3], offset_spread=0.5, random_state=0),
    "gates": lambda: gate_network([70, 120], 3, fan_in=3, random_state=0),
    "front": lambda: front_network([70, 33, 3], gates=50, fan_in=2, random_state=0),
    "images": lambda: conv_network((7, 10, 1), (4,), (), 3, random_state=0),
}
X = RandomWords(1).bits(90, 70)
Y = np.random.RandomState(0).randint(0, 3, 90)


def _message(*numbers):
    return b"\0" + _to_base_128(np.array([1, *numbers], np.uint64))


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ((1, 0, 0, 0, 0), "a gap of no place"),
        ((2, 5, 2**63, 0, 0, 0), "a gap beyond all places"),
        ((0, 1, 1, 2 * 200, 0, 0), "an offset beyond the range of its sum"),
    ],
)
def test_messages_of_no_network_are_refused(numbers, what):
    reader = boolean_mlp([70, 64, 3], offset_spread=0.5, random_state=0)
    before = reader.fingerprint()
    with pytest.raises(ValueError, match="the message must be of a network of the same shape"):
        list(follow(reader, [_message(*numbers)]))
    assert reader.fingerprint() == before, what


def test_a_message_cannot_choose_a_wire_that_is_no_candidate():
    reader = gate_network([70, 120], 3, fan_in=2, wiring="learnt", candidates=4, random_state=0)
    before = reader.fingerprint()
    with pytest.raises(ValueError, match="the message must be of a network of the same shape"):
        list(follow(reader, [_message(0, 1, 1, 2 * 4)]))
    assert reader.fingerprint() == before


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_a_copy_that_follows_the_flips_is_the_network_at_every_version(make):
    network = make()
    reader, stream = copy.deepcopy(network), network.flips()
    scores = reader.scores(X)  # whatever a copy prepares for its weights must not outlive them
    for step in range(4):
        network.step(X, Y)
        if step == 2:
            network.step(X, Y)  # two steps at once
        [(version, fingerprint)] = follow(reader, [next(stream)], version=step)
        assert (version, fingerprint) == (step + 1, network.fingerprint())
        assert (reader.scores(X) == network.scores(X)).all()
    assert (scores != reader.scores(X)).any()


def test_a_message_is_small_and_one_of_nothing_is_a_byte_for_each_parameter():
    network = NETWORKS["sums"]()
    stream = network.flips(fingerprints=False)
    assert next(stream) == bytes([0, 1, 0, 0])
    _, flips = network.step(X, Y)
    assert sum(flips) < len(next(stream)) <= 3 * sum(flips) + 6


def test_a_message_is_what_the_page_says():
    network = NETWORKS["sums"]()
    stream = network.flips(fingerprints=False)
    first, last = network.layers[0].weight.bits.words, network.layers[-1].weight.bits.words
    first[0, 0] ^= np.uint64(1 << 5)
    first[1, 1] ^= np.uint64(1 << 3)  # place (2 + 1) * 64 + 3 = 195: 190 behind place 5
    last[0, 0] ^= np.uint64(1)
    assert next(stream) == bytes([0, 1, 2, 6, 190, 1, 1, 1])


def test_who_misses_a_message_or_holds_another_network_is_told_so():
    network = NETWORKS["sums"]()
    reader, stream = copy.deepcopy(network), network.flips()
    messages = []
    for _ in range(2):
        network.step(X, Y)
        messages.append(next(stream))
    before = reader.fingerprint()
    with pytest.raises(ValueError, match="the message must be of version 1, got 2"):
        list(follow(reader, messages[1:]))
    with pytest.raises(ValueError, match="the message must be of a network of the same shape"):
        list(follow(boolean_mlp([8, 3], random_state=0), messages))
    with pytest.raises(ValueError, match="the message must be of version 1, got 0"):
        list(follow(reader, [b"\0"]))
    with pytest.raises(ValueError, match="the message must be of version 1, got 0"):
        list(follow(reader, [b""]))
    assert reader.fingerprint() == before
    narrow = boolean_mlp([60, 130, 3], random_state=0)  # as many words in a row, of which fewer bits belong to it
    bits = [layer.weight.bits.words.copy() for layer in (narrow.layers[0], narrow.layers[2])]
    with pytest.raises(ValueError, match="the message must be of a network of the same shape"):
        list(follow(narrow, [_message(1, 61, 0)]))
    assert all((a == b.weight.bits.words).all() for a, b in zip(bits, narrow.layers[::2], strict=True))
    reader.layers[0].weight.bits.words[0, 0] ^= np.uint64(1)
    with pytest.raises(ValueError, match="the copy differs at version 1 from the network that it follows"):
        list(follow(reader, messages))


def test_real_parameters_do_not_flip():
    network = residual_network((2, 2, 1), (2,), 2, norm=BatchNorm, random_state=0)
    with pytest.raises(ValueError, match="network must be of bits alone"):
        network.flips()


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_numbers_in_base_128_come_back(numbers):
    array = np.array(numbers, np.uint64)
    assert _from_base_128(_to_base_128(array)).tolist() == numbers


def test_numbers_in_base_128_are_their_digits():
    assert _to_base_128(np.array([0, 127, 128, 300], np.uint64)) == bytes([0, 127, 128, 1, 128 + 44, 2])
