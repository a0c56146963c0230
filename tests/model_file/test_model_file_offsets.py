"""Learnt thresholds, and gates in front of sums, in files."""

import numpy as np
import pytest

from bvar import kernels, model_file
from bvar.layers import BooleanLinear, Concatenate, Offset, SignalScale
from bvar.networks import Network, boolean_mlp, front_network


def trained(skip=True):
    rng = np.random.default_rng(0)
    x = kernels.pack(rng.choice(np.array([-1, 0, 1] if skip else [-1, 1], np.int8), (90, 20)))
    y = rng.choice(3, 90, p=[0.7, 0.2, 0.1])
    network = front_network([20, 40, 3], gates=30, skip=skip, n_steps=30, random_state=0)
    for _ in range(10):
        network.step(x, y)
    return network, x, y


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("training_state", [False, True])
def test_a_front_and_its_offsets_come_back_and_go_on(tmp_path, skip, training_state):
    network, x, y = trained(skip)
    model_file.save(network, tmp_path / "a.bvar", training_state=training_state)
    again = model_file.load(tmp_path / "a.bvar")
    assert again.fingerprint() == network.fingerprint()
    assert [getattr(p, "is_clipped", None) for p in again.parameters] == [False, True, None, True, None]
    assert (again.scores(x) == network.scores(x)).all()
    model_file.save(again, tmp_path / "b.bvar", training_state=training_state)
    assert (tmp_path / "a.bvar").read_bytes() == (tmp_path / "b.bvar").read_bytes()
    if training_state:
        for one in (network, again):
            one.step(x, y)
        assert again.fingerprint() == network.fingerprint()


def test_a_network_without_offsets_has_no_field_for_them(tmp_path):
    for spread in (None, 0.0):
        model_file.save(boolean_mlp([8, 5, 2], offset_spread=spread, random_state=0), tmp_path / "a.bvar")
        assert (b"Offset" in (tmp_path / "a.bvar").read_bytes()) == (spread is not None)


def wrong_number(layer):
    layer.offset = Offset("o", np.zeros(3, np.int32), 8)


def wrong_terms(layer):
    layer.offset = Offset("o", np.zeros(2, np.int32), 7)


@pytest.mark.parametrize("break_it", [wrong_number, wrong_terms])
def test_offsets_that_do_not_fit_their_layer_are_refused(tmp_path, break_it):
    network = boolean_mlp([8, 2], offset_spread=0.0, random_state=0)
    break_it(network.layers[0])
    with pytest.raises(ValueError, match="offset must have 2 values, of sums of 8 terms"):
        model_file.save(network, tmp_path / "a.bvar")


def test_offsets_beyond_the_sum_are_refused(tmp_path):
    network = boolean_mlp([8, 2], offset_spread=0.0, random_state=0)
    network.layers[0].offset.values[0] = 9
    with pytest.raises(ValueError, match=r"values must lie in \[-8, 8\]"):
        model_file.save(network, tmp_path / "a.bvar")


def test_inner_layers_must_end_in_bits(tmp_path):
    network, _, _ = trained()
    inner = [BooleanLinear(20, 30, random_state=0), SignalScale(40)]
    made = Network([Concatenate(inner), *network.layers[1:]], network.loss, network.optimizer)
    made.optimizer.m, made.optimizer.beta = [], []
    with pytest.raises(ValueError, match=r"layers\.1 does not fit the layer below"):
        model_file.save(made, tmp_path / "a.bvar")
