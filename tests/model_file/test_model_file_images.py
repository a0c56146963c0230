"""Model files of convolutions: what cannot be one is refused, and nothing is lost."""

import copy
from pathlib import Path

import pytest

from bvar import model_file
from bvar.layers import Add, BooleanConv2d, MaxPool2d, SignedConv2d, SumPool2d
from bvar.model_file import ModelFileError, _container
from bvar.real import RealConv2d

GOLDEN = Path(__file__).parents[1] / "golden"


def fields(content, layer):
    return content["fields"]["layers"][layer]["object"]["fields"]


def branch(content):
    return fields(content, 2)["branches"][1][0]["object"]["fields"]


RESIDUAL = {
    "image": (lambda c, a: fields(c, 0).update(image_shape=[5, 4]), "image_shape must be a list of 3 integers"),
    "channels": (lambda c, a: fields(c, 0).update(image_shape=[5, 4, 2]), "weight must have .* columns"),
    "zero": (lambda c, a: fields(c, 0).update(image_shape=[5, 0, 3]), "image_shape must be an integer >= 1"),
    "huge": (lambda c, a: fields(c, 0).update(image_shape=[2**20, 2**20, 3]), "images of at most"),
    "size": (lambda c, a: fields(c, 0).update(size=[9, 3]), "does not fit 5 pixels"),
    "stride": (lambda c, a: fields(c, 0).update(stride=[1, 0]), "stride must be an integer >= 1"),
    "one stride": (lambda c, a: fields(c, 0).update(stride=1), "stride must be a list of 2 integers"),
    "padding": (lambda c, a: fields(c, 0).update(padding=[2, 0]), "padding must be less than the window"),
    "dilation": (lambda c, a: fields(c, 0).update(dilation=[1, True]), "dilation must be a list of 2 integers"),
    "outside": (lambda c, a: fields(c, 0).update(padding_value=1), "padding_value must be 0 or -1"),
    "gate": (lambda c, a: fields(c, 0).update(gate=16), "gate"),
    "useless gate": (lambda c, a: fields(c, 0).update(gate=12), "ignores the weight or the input"),
    "name": (lambda c, a: fields(c, 0).update(name=3), "name must be of type str"),
    "centered": (lambda c, a: fields(c, 0).update(centered=1), "centered must be of type bool"),
    "weight": (lambda c, a: a.update({W: a[W][:-1]}), "conv.bias must have shape|does not fit"),
    "field": (lambda c, a: fields(c, 0).update(more=1), "must have the fields"),
    "no branches": (lambda c, a: [fields(c, 2).update(branches=[]), forget(a, ".2.")], "must be one or more"),
    "branch": (lambda c, a: [fields(c, 2).update(branches=[3]), forget(a, ".2.")], "must be lists of layers"),
    "no layer": (lambda c, a: [fields(c, 2).update(branches=[[3]]), forget(a, ".2.")], "must be lists of layers"),
    "end": (lambda c, a: branch(c).update(stride=[2, 2]), "branches must end in as many sums"),
    "begin": (lambda c, a: branch(c).update(image_shape=[2, 1, 4]), "does not fit the layer below"),
}  # fmt: skip
W = "model.layers.0.weight"


def forget(arrays, part):
    for name in [name for name in arrays if part in name]:
        del arrays[name]


@pytest.mark.parametrize("name", RESIDUAL)
def test_convolutions_that_do_not_fit_are_refused(tmp_path, name):
    content, arrays = copy.deepcopy(_container.read(GOLDEN / "format1-residual.bvar"))
    spoil, text = RESIDUAL[name]
    spoil(content, arrays)
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=text):
        model_file.load(tmp_path / "m")


NUMBERS = {
    "inputs": ("realconv", lambda c: fields(c, 0).update(image_shape=[3, 4, 2]), "a RealLinear of 12 inputs"),
    "kind": (
        "signedconv",
        lambda c: c["fields"]["layers"][0]["object"].update(kind="RealConv2d"),
        "linear must be a RealLinear",
    ),
    "window": ("signedconv", lambda c: fields(c, 0).update(size=[9, 9]), "does not fit 3 pixels"),
    "pool": ("realconv", lambda c: fields(c, 2).update(size=17), "size must be an integer in"),
    "pooled": ("signedconv", lambda c: fields(c, 1).update(image_shape=[2, 5, 2]), "does not fit the layer below"),
    "first": ("realconv", lambda c: c["fields"]["layers"].insert(0, c["fields"]["layers"].pop(2)), "does not fit"),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_convolutions_of_numbers_that_do_not_fit_are_refused(tmp_path, name):
    file, spoil, text = NUMBERS[name]
    content, arrays = copy.deepcopy(_container.read(GOLDEN / f"format1-{file}.bvar"))
    spoil(content)
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=text):
        model_file.load(tmp_path / "m")


def test_attributes_that_the_format_does_not_know_are_not_lost(tmp_path):
    seen = set()
    for name in ("residual", "images", "realconv", "signedconv"):
        model = model_file.load(GOLDEN / f"format1-{name}.bvar")
        for layer in getattr(model, "network_", model).layers:
            seen.add(type(layer))
            layer.something_new = 1
            with pytest.raises(TypeError, match="something_new"):
                model_file.save(model, tmp_path / "m")
            del layer.something_new
    assert {Add, BooleanConv2d, MaxPool2d, RealConv2d, SignedConv2d, SumPool2d} < seen


def test_an_encoder_of_images_with_other_thresholds_is_refused(tmp_path):
    content, arrays = _container.read(GOLDEN / "format1-images.bvar")
    name = "model.encoder_.thresholds_"
    for spoil in (lambda t: t[:, ::-1], lambda t: t * float("nan"), lambda t: t[:, :1], lambda t: t[0]):
        _container.write(tmp_path / "m", content, {**arrays, name: spoil(arrays[name]).copy()})
        with pytest.raises(ModelFileError, match=r"thresholds must be numbers|count the bits"):
            model_file.load(tmp_path / "m")
