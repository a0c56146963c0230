"""Model files of networks with real ends: what is saved comes back, and nothing that does not fit does."""

import copy
from pathlib import Path

import numpy as np
import pytest

from bvar import kernels, model_file
from bvar.model_file import ModelFileError, _container
from bvar.real import FixedPoint, RealLinear

GOLDEN = Path(__file__).parents[1] / "golden"
X = np.random.RandomState(3).choice([-1, 0, 1], (40, 20)).astype(np.int8)


def bits_and_targets():
    return kernels.pack(X), np.arange(40) % 2


def trained():
    return model_file.load(GOLDEN / "format1-real.bvar")


@pytest.mark.parametrize("training_state", [False, True])
def test_a_network_with_real_ends_comes_back(tmp_path, training_state):
    network, (x, y) = trained(), bits_and_targets()
    network.step(x, y)
    model_file.save(network, tmp_path / "m", training_state=training_state)
    again = model_file.load(tmp_path / "m")
    assert again.fingerprint() == network.fingerprint()
    assert (again.scores(x) == network.scores(x)).all()
    assert [p.name for p in again.real.parameters] == [p.name for p in network.real.parameters]
    for twin in (network, again):
        twin.step(x, y)
    assert (again.fingerprint() == network.fingerprint()) == training_state
    assert again.real.adam.age == (network.real.adam.age if training_state else 1)


def test_a_network_without_real_parameters_has_no_adam_in_its_file(tmp_path):
    content, _ = _container.read(GOLDEN / "format1-tiny.bvar")
    assert "adam" not in content["fields"]
    content, arrays = _container.read(GOLDEN / "format1-real.bvar")
    adam = content["fields"]["adam"]
    content, arrays = _container.read(GOLDEN / "format1-tiny.bvar")
    content["fields"]["adam"] = {"object": {"fields": {"n_steps": None, "rate": 1}, "kind": "Adam"}}
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match="adam must be there for real parameters, and only for them"):
        model_file.load(tmp_path / "m")
    assert adam["object"]["kind"] == "Adam"


def fields(content, layer):
    return content["fields"]["layers"][layer]["object"]["fields"]


def adam_fields(content):
    return content["fields"]["adam"]["object"]["fields"]


def drop(value, key):
    del value[key]


def change(arrays, name, make):
    arrays[name] = make(arrays[name])


NORM, LAST = "model.layers.1", "model.layers.3"
FAULTS = {
    "no adam": (
        lambda c, a: [c["fields"].pop("adam"), [a.pop(n) for n in list(a) if "adam" in n]],
        "adam must be there",
    ),
    "rate": (lambda c, a: adam_fields(c).update(rate=-1), "rate must be a finite number"),
    "n_steps": (lambda c, a: adam_fields(c).update(n_steps=0), "n_steps must be an integer"),
    "age": (lambda c, a: adam_fields(c).update(age=-1), "steps of adam"),
    "no age": (lambda c, a: adam_fields(c).update(age=0), "means of adam do not fit"),
    "means": (lambda c, a: change(a, "model.adam.mean.0", lambda m: m[1:]), "means of adam do not fit"),
    "squares": (lambda c, a: change(a, "model.adam.square.1", lambda m: m - 9), "must not be negative"),
    "nan mean": (lambda c, a: change(a, "model.adam.mean.1", lambda m: m * np.nan), "means .* must be finite"),
    "wide mean": (lambda c, a: change(a, "model.adam.mean.1", np.float64), "means of adam do not fit"),
    "momentum": (lambda c, a: fields(c, 1).update(momentum=2), "momentum must be above 0"),
    "epsilon": (lambda c, a: fields(c, 1).update(epsilon=0), "epsilon must be a finite number"),
    "fan_in": (lambda c, a: fields(c, 1).update(fan_in="x"), "fan_in must be an integer"),
    "name": (lambda c, a: fields(c, 1).update(name=1), "name must be of type str"),
    "variance": (lambda c, a: change(a, f"{NORM}.variance", lambda v: v - 1e6), "variance must not be negative"),
    "nan": (lambda c, a: change(a, f"{NORM}.mean", lambda v: v * np.nan), "mean must be finite numbers"),
    "dtype": (lambda c, a: change(a, f"{NORM}.scale", np.float64), "scale must be finite numbers, float32"),
    "short": (lambda c, a: change(a, f"{NORM}.shift", lambda v: v[:-1]), "shift must be .* of shape 9"),
    "units": (
        lambda c, a: [change(a, f"{NORM}.{n}", lambda v: v[1:]) for n in ("scale", "shift", "mean", "variance")],
        r"layers\.1 does not fit the layer below",
    ),
    "missing": (lambda c, a: [drop(fields(c, 1), "mean"), a.pop(f"{NORM}.mean")], "must have the fields"),
    "inf": (lambda c, a: change(a, f"{LAST}.weight", lambda v: v + np.inf), "weight must be finite numbers"),
    "flat": (lambda c, a: change(a, f"{LAST}.weight", np.ravel), "weight must be finite numbers, .* any x any"),
    "bias": (lambda c, a: change(a, f"{LAST}.bias", lambda v: v[:-1]), "bias must be finite numbers"),
    "inputs": (lambda c, a: change(a, f"{LAST}.weight", lambda v: v[:, 1:]), r"layers\.3 does not fit the layer"),
    "loss": (
        lambda c, a: c["fields"].update(loss={"object": {"fields": {"scale": 2}, "kind": "SquaredError"}}),
        "the loss does not fit the scores",
    ),
    "field of the loss": (lambda c, a: c["fields"]["loss"]["object"]["fields"].update(x=1), "have the fields"),
    "order": (lambda c, a: c["fields"]["layers"].reverse(), "does not fit the layer below"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_fit_is_refused(tmp_path, name):
    content, arrays = copy.deepcopy(_container.read(GOLDEN / "format1-real.bvar"))
    spoil, text = FAULTS[name]
    spoil(content, arrays)
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=text):
        model_file.load(tmp_path / "m")


SIGNED = {
    "rms": (lambda c, a: fields(c, 0).update(rms=0), "rms must be an integer"),
    "name": (lambda c, a: fields(c, 0).update(name=None), "name must be of type str"),
    "place": (
        lambda c, a: c["fields"]["layers"].insert(0, copy.deepcopy(c["fields"]["layers"][3])),
        r"layers\.0 does not fit",
    ),
    "rounded": (lambda c, a: fields(c, 3).update(unit=64), "must have the fields"),
}


@pytest.mark.parametrize("name", SIGNED)
def test_signed_sums_that_do_not_fit_are_refused(tmp_path, name):
    content, arrays = copy.deepcopy(_container.read(GOLDEN / "format1-signed.bvar"))
    spoil, text = SIGNED[name]
    spoil(content, arrays)
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=text):
        model_file.load(tmp_path / "m")


def test_attributes_that_the_format_does_not_know_are_not_lost(tmp_path):
    real, signed = trained(), model_file.load(GOLDEN / "format1-signed.bvar")
    parts = [(real, p) for p in (*real.layers, real.real.adam, real.loss, *real.real.parameters)]
    parts += [(signed, p) for p in (*signed.layers, *signed.parameters)]
    assert {FixedPoint, RealLinear} < {type(part) for _, part in parts}
    for network, part in parts:
        part.something_new = 1
        with pytest.raises(TypeError, match="something_new"):
            model_file.save(network, tmp_path / "m")
        del part.something_new
