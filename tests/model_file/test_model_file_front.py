"""Model files of gates in front and of learnt thresholds: they come back, and what does not fit is refused."""

import copy

import numpy as np
import pytest

from bvar import backends, kernels, model_file
from bvar.model_file import ModelFileError, _container
from bvar.networks import front_network

X = kernels.pack(np.random.RandomState(0).choice(np.array([-1, 0, 1], np.int8), (40, 9)))
Y = np.arange(40) % 3


def trained(steps=5):
    network = front_network([9, 8, 3], gates=6, n_steps=20, random_state=0)
    for _ in range(steps):
        network.step(X, Y)
    return network


@pytest.mark.parametrize("training_state", [False, True])
def test_a_front_and_its_offsets_come_back(tmp_path, training_state, backend):
    network = trained()
    model_file.save(network, tmp_path / "m", training_state=training_state)
    again = model_file.load(tmp_path / "m")
    assert again.fingerprint() == network.fingerprint()
    assert again.scores(X).tolist() == network.scores(X).tolist()
    assert backends.current() == backend
    for one in (again, network) if training_state else ():
        one.step(X, Y)
        assert one.optimizer.step_count == 6
    assert (again.fingerprint() == network.fingerprint()) or not training_state


def test_a_network_without_offsets_has_no_field_for_them(tmp_path):
    network = front_network([9, 8, 3], gates=6, random_state=0)
    network.layers[1].offset = None
    network.layers[1].parameters = network.layers[1].parameters[:1]
    model_file.save(network, tmp_path / "m")
    content, _ = _container.read(tmp_path / "m")
    assert "offset" not in layer(content, 1)
    assert "offset" in layer(content, 3)


def layer(content, number):
    return content["fields"]["layers"][number]["object"]["fields"]


def offset(content):
    return layer(content, 1)["offset"]["object"]["fields"]


def gates(content):
    return layer(content, 0)["layers"][0]["object"]["fields"]


V = "model.layers.1.offset.values"
SPOILED = {
    "beyond the sum": (lambda c, a: a.update({V: a[V] + np.int32(100)}), "values must lie in"),
    "too few": (lambda c, a: a.update({V: a[V][1:]}), "offset must have 8 values"),
    "of other sums": (lambda c, a: offset(c).update(n_terms=16), "offset must be of sums of 15 terms"),
    "in floats": (lambda c, a: a.update({V: a[V].astype(np.float32)}), "values must be an array of int32"),
    "rate": (lambda c, a: offset(c).update(rate={"float": (2.0).hex()}), r"rate must be in \[0, 1\]"),
    "no offset": (lambda c, a: [layer(c, 1).update(offset=3), a.pop(V)], "offset must be of type Offset"),
    "no stack": (lambda c, a: layer(c, 0).update(layers=3), "layers must be a list of layers"),
    "no layers": (lambda c, a: [layer(c, 0).update(layers=[]), forget(a)], "layers must be one or more"),
    "narrow gates": (lambda c, a: gates(c).update(n_inputs=8), "wires must be in|does not fit"),
    "scale": (lambda c, a: layer(c, 0)["layers"][1]["object"]["fields"].update(fan_out=0), "fan_out must be"),
}  # fmt: skip


def forget(arrays):
    for name in [name for name in arrays if ".layers.0." in name]:
        del arrays[name]


@pytest.mark.parametrize("name", SPOILED)
def test_fronts_that_do_not_fit_are_refused(tmp_path, name):
    model_file.save(trained(), tmp_path / "whole")
    content, arrays = copy.deepcopy(_container.read(tmp_path / "whole"))
    spoil, text = SPOILED[name]
    spoil(content, arrays)
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=text):
        model_file.load(tmp_path / "m")
