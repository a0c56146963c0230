"""The paper's networks at toy size: both ends, with and without normalisation, one model on all backends."""

import numpy as np
import pytest

from bvar import backends, energy, kernels, model_file
from bvar.layers import Add, BooleanConv2d, BooleanLinear, Threshold
from bvar.networks import conv_network, residual_block, residual_network, vgg_small
from bvar.real import BatchNorm, RealConv2d, RealEnds, RealLinear

SHAPE = (8, 8, 3)
MAKERS = {
    "vgg": lambda **options: vgg_small(SHAPE, 4, width=1 / 32, random_state=0, **options),
    "residual": lambda **options: residual_network(SHAPE, (6, 8), 4, n_blocks=1, random_state=0, **options),
}
PARTS = [(ends, norm) for ends in (None, RealEnds()) for norm in (None, BatchNorm)]
NAMES = ["Boolean", "Boolean, norm", "real", "real, norm"]


def samples(ends, n=12):
    random = np.random.RandomState(0)
    x, y = random.standard_normal((n, 192)).astype(np.float32), random.randint(0, 4, n)
    return (x if ends else kernels.pack(x > 0)), y


@pytest.mark.parametrize(("ends", "norm"), PARTS, ids=NAMES)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_hundred_steps_have_one_fingerprint_on_two_backends(make, ends, norm):
    x, y = samples(ends)
    prints = set()
    for name in ("numpy", backends.available()[-1]):
        with backends.use(name):
            network = make(ends=ends, norm=norm, eta=100.0, n_steps=100)
            for _ in range(100):
                network.step(x, y)
        prints.add(network.fingerprint())
    assert len(prints) == 1
    assert make(ends=ends, norm=norm).fingerprint() not in prints


@pytest.mark.parametrize("ends", [None, RealEnds()], ids=["Boolean", "real"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_behind_its_first_layer_a_trained_network_is_integers_and_bits(make, ends, backend, monkeypatch):
    x, y = samples(ends)
    network = make(ends=ends, norm=BatchNorm)
    for _ in range(3):
        network.step(x, y)
    value = x
    for layer in network.layers:
        value = layer.infer(value)
    monkeypatch.setattr(BatchNorm, "infer", None)  # nobody normalises
    assert (network.scores(x) == value).all()


@pytest.mark.parametrize(("ends", "norm"), PARTS, ids=NAMES)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_file_holds_the_network(make, ends, norm, tmp_path):
    x, y = samples(ends)
    network = make(ends=ends, norm=norm)
    network.step(x, y)
    model_file.save(network, tmp_path / "network.bvar")
    kept = model_file.load(tmp_path / "network.bvar")
    assert kept.fingerprint() == network.fingerprint()
    assert (kept.scores(x) == network.scores(x)).all()


@pytest.mark.parametrize(("ends", "norm"), PARTS, ids=NAMES)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_summary_names_all_weights_and_what_they_cost(make, ends, norm):
    network = make(ends=ends, norm=norm)
    text = network.summary(energy=True)
    for parameter in network.parameters:
        assert parameter.name in text
    widths = [energy.cost(network, 2, energy.ASCEND, widths=w).training for w in (energy.BOOLEAN, energy.FLOAT)]
    assert widths[0] < widths[1]


def test_resnet18_of_the_paper_is_the_default():
    layers = residual_network((32, 32, 24), random_state=0).layers
    blocks = [layer for layer in layers if isinstance(layer, Add)]
    stages = (32, 64), (16, 128), (8, 256), (4, 512)
    shapes = [(side, side, n_filters) for side, n_filters in stages for _ in range(2)]
    assert [block.branches[1][0].out_shape for block in blocks] == shapes
    convolutions = [part for block in blocks for part in block.inner_layers() if isinstance(part, BooleanConv2d)]
    assert (len(convolutions), {conv.window.n_taps for conv in convolutions}) == (24, {9})
    assert layers[-1].n_inputs == 4 * 4 * 512


def test_ends_are_of_the_kind_that_is_asked_for():
    for ends, first, last in ((None, BooleanConv2d, BooleanLinear), (RealEnds(), RealConv2d, RealLinear)):
        layers = residual_network(SHAPE, (4,), 4, ends=ends, random_state=0).layers
        assert (type(layers[0]), type(layers[-1])) == (first, last)


def test_a_threshold_is_told_how_many_votes_come_back():
    """The curve of each is that of the same layers put together by hand."""
    layers = residual_network(SHAPE, (4, 6), 5, n_blocks=1, random_state=0).layers
    thresholds = [layer for layer in layers if isinstance(layer, Threshold)]
    fan_outs = 2 * 9 * 4, 2 * 9 * 6 // 4, 5
    by_hand = [
        Threshold(8 * 8 * 4, 27, fan_outs[0]),
        residual_block((8, 8, 4), 4, fan_out=fan_outs[1], random_state=0)[1],
        residual_block((8, 8, 4), 6, stride=2, fan_out=fan_outs[2], random_state=0)[1],
    ]
    assert [t.curve.tolist() for t in thresholds] == [t.curve.tolist() for t in by_hand]


def test_normalisation_stands_behind_pools_and_before_thresholds():
    names = [type(layer).__name__ for layer in conv_network(SHAPE, (4, "M"), (5,), norm=BatchNorm).layers]
    stage = ["BatchNorm", "Threshold"]
    assert names == ["BooleanConv2d", "MaxPool2d", *stage, "BooleanLinear", *stage, "BooleanLinear"]
    assert [layer.n_units for layer in vgg_small(SHAPE, width=1 / 64, norm=BatchNorm).layers[1::3][:1]] == [2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": ()}, "filters"),
        ({"filters": (4, 0)}, "filters"),
        ({"n_outputs": 0}, "n_outputs"),
        ({"n_blocks": 0}, "n_blocks"),
        ({"ends": "real"}, "ends must be None"),
        ({"norm": "batch"}, "norm must be None"),
        ({"norm": BatchNorm(4, 9)}, "norm must be None"),
        ({"norm": len}, "norm must be None"),
    ],
)
def test_what_is_no_residual_network_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        residual_network(SHAPE, **arguments)


def test_width_must_be_positive():
    with pytest.raises(ValueError, match="width must be"):
        vgg_small(width=0)
