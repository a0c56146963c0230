"""Dense networks with real ends: their last convolution, their loss, branches with norms, and the builders."""

import numpy as np
import pytest
from test_real_ends import assert_gradient

from bvar import backends, kernels, model_file
from bvar.energy import FLOAT, cost
from bvar.layers import Add, Threshold
from bvar.real import (
    BatchNorm,
    RealConv2d,
    RealHuber,
    RealJoinChannels,
    edsr_small,
    segmenter,
)

RANDOM = np.random.RandomState(0)


def test_a_real_convolution_of_bits_is_that_of_plus_and_minus_one():
    layer = RealConv2d((4, 5, 2), 3, padding=1, random_state=0)
    values = RANDOM.randint(-1, 2, (3, 40)).astype(np.int8)
    s, context = layer.forward(kernels.pack(values))
    wanted, seen = layer.forward(values.astype(np.float32))
    assert (s == wanted).all()
    z = RANDOM.standard_normal(s.shape).astype(np.float32)
    for found, gradient in zip(layer.gradients(z, context), layer.gradients(z, seen), strict=True):
        assert (found == gradient).all()


def test_votes_on_bits_of_a_real_convolution_are_half_the_finite_change_over_the_size_of_weights():
    layer = RealConv2d((3, 3, 2), 4, padding=1, random_state=0)
    values = 2 * RANDOM.randint(0, 2, (2, 18)).astype(np.int8) - 1
    z = RANDOM.randint(-127, 128, (2, 36)).astype(np.float32)
    votes = layer.backward(z, layer.forward(kernels.pack(values))[1])
    assert votes.dtype == np.int32
    rms = np.sqrt(np.mean(np.square(layer.linear.weight.values.astype(np.float64))))

    def total():
        return (z * layer.forward(kernels.pack(values))[0].astype(np.float64)).sum()

    for place in np.ndindex(values.shape):
        values[place] *= -1
        negated = total()
        values[place] *= -1
        change = values[place] * (total() - negated) / 2
        assert abs(votes[place] - change / rms) < 0.51


def test_signals_of_the_huber_loss_are_its_gradient():
    loss, y = RealHuber(0.5), RANDOM.standard_normal((3, 7))
    s = y + RANDOM.standard_normal((3, 7))

    def total():
        error = abs(s - y) / 0.5
        return np.where(error < 1, error**2 / 2, error - 0.5).sum() / 2  # in units of the scale, which is a half

    assert_gradient(total, s, loss.full_signals(s, y) / 127)
    scores = s.astype(np.float32)
    assert loss.values(scores, y).mean() == pytest.approx(2 * total() / 21)
    assert (abs(loss.signals(scores, y)) <= 127).all()
    assert (loss.signals(scores, y, np.array([0, 2**16, 2**15]))[0] == 0).all()
    with pytest.raises(ValueError, match="y must have a number for each score"):
        loss.signals(scores, y[:, :3])


def norm_join():
    """Two branches, each with a norm, see the same four pixels."""
    return RealJoinChannels([[BatchNorm(2, 9), Threshold(8, BatchNorm.FAN_IN, 4)] for _ in range(2)], 4)


def test_norms_in_branches_learn_as_they_would_alone():
    join, s = norm_join(), RANDOM.randint(-20, 21, (6, 8)).astype(np.int32)
    _, context = join.forward(s)
    z = RANDOM.randint(-900, 901, (6, 16)).astype(np.int32)
    gradients, (moments,) = join.gradients(z, context), join.moments(context)
    join.learn_moments(moments)
    for i, (norm, threshold) in enumerate(norm_join().branches):
        y, kept = norm.forward(s)
        part = np.ascontiguousarray(z.reshape(6, 4, 4)[:, :, 2 * i : 2 * i + 2]).reshape(6, 8)
        below = threshold.backward(part, threshold.forward(y)[1])
        for found, wanted in zip(gradients[2 * i :], norm.gradients(below, kept), strict=False):
            assert (found == wanted).all()
        norm.learn_moments(*norm.moments(kept))
        for found, wanted in zip(join.branches[i][0].statistics, norm.statistics, strict=True):
            assert (found == wanted).all()
    assert len(gradients) == len(join.real_parameters) == 4
    bits = join.infer(s)
    assert all((join.infer(s[i : i + 1]).words == bits.words[i]).all() for i in range(6)), "a batch was seen"


def test_norms_in_branches_of_branches_have_their_own_statistics():
    s = RANDOM.randint(-20, 21, (6, 8)).astype(np.int32)
    join = RealJoinChannels([[norm_join()], [BatchNorm(2, 9, momentum=0.5), Threshold(8, BatchNorm.FAN_IN, 4)]], 4)
    join.learn_moments(*join.moments(join.forward(s)[1]))
    alone, other = norm_join(), BatchNorm(2, 9, momentum=0.5)
    alone.learn_moments(*alone.moments(alone.forward(s)[1]))
    other.learn_moments(*other.moments(other.forward(s)[1]))
    for found, wanted in zip(join.statistics, alone.statistics + other.statistics, strict=True):
        assert (found == wanted).all()


def test_norms_in_branches_may_see_real_sums():
    """Signals on them stay floats, and add up."""
    join, s = norm_join(), RANDOM.standard_normal((6, 8)).astype(np.float32)
    z = RANDOM.randint(-900, 901, (6, 16)).astype(np.int32)
    found = join.backward(z, join.forward(s)[1])
    total = np.zeros((6, 8))
    for part, (norm, threshold) in zip(np.split(z.reshape(6, 4, 4), 2, axis=2), join.branches, strict=True):
        y, kept = norm.forward(s)
        total += norm.backward(threshold.backward(part.reshape(6, 8), threshold.forward(y)[1]), kept)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, total, rtol=1e-5)  # float32


def test_inference_of_norms_in_branches_is_integers_and_bits(monkeypatch):
    network, (x, y) = BUILDERS["with norms"](), task("with norms")
    for _ in range(4):
        network.step(x[:9], y[:9])
    for parameter in network.real.parameters:
        if parameter.name.endswith("norm.scale"):
            parameter.values[::2] *= -1
    value = x
    for layer in network.layers:
        value = _one_by_one(layer, value)
    names, infer = [], BatchNorm.infer
    monkeypatch.setattr(BatchNorm, "infer", lambda self, s: names.append(self.name) or infer(self, s))
    np.testing.assert_allclose(network.scores(x), value, rtol=1e-5, atol=1e-5)  # the last layer is real
    assert names == ["block2.norm"]  # whose numbers several branches take; no other computes a float


def _one_by_one(layer, value):
    """Infer each layer by itself, in branches too."""
    if isinstance(layer, Add | RealJoinChannels):
        made = []
        for branch in layer.branches:
            part = value
            for inner in branch:
                part = _one_by_one(inner, part)
            made.append(part)
        return sum(made) if isinstance(layer, Add) else layer._join(made)
    return layer.infer(value)


def test_every_parameter_has_a_name_of_its_own():
    network = segmenter((8, 8, 3), 3, n_filters=4, dilations=(1, 1, 2), norm=BatchNorm, random_state=0)
    names = [parameter.name for parameter in [*network.parameters, *network.real.parameters]]
    assert len(names) == len(set(names))


BUILDERS = {
    "super-resolution": lambda: edsr_small((4, 4, 3), n_filters=16, n_blocks=2, n_steps=100, random_state=0),
    "segmentation": lambda: segmenter((8, 8, 3), 3, n_filters=16, dilations=(1, 2), n_steps=100, random_state=0),
    "without the global branch": lambda: segmenter(
        (8, 8, 3), 3, n_filters=16, dilations=(1, 2), global_branch=False, n_steps=100, random_state=0
    ),
    "with norms": lambda: segmenter(
        (8, 8, 3), 3, n_filters=16, dilations=(1, 2), norm=BatchNorm, n_steps=100, random_state=0
    ),
}


def task(name):
    """Blurred squares to be sharpened, or pixels whose class their light is."""
    random = np.random.RandomState(0)
    if name == "super-resolution":
        large = random.randint(0, 2, (60, 8, 8, 3)) * 2.0 - 1
        small = large.reshape(60, 4, 2, 4, 2, 3).mean(axis=(2, 4))
        large = small.repeat(2, axis=1).repeat(2, axis=2) ** 2
        return (2 * small).reshape(60, -1).astype(np.float32), large.reshape(60, -1).astype(np.float32)
    x = random.standard_normal((60, 4, 4, 3)).repeat(2, axis=1).repeat(2, axis=2)
    y = np.digitize(x[..., 0], [-0.5, 0.5])
    return x.reshape(60, -1).astype(np.float32), y.reshape(60, -1)


@pytest.mark.parametrize("name", BUILDERS)
def test_networks_learn_and_have_one_fingerprint_on_two_backends_for_a_hundred_steps(name):
    x, y = task(name)
    prints, losses = set(), []
    for backend in ("numpy", backends.available()[-1]):
        network = BUILDERS[name]()
        untouched = network.fingerprint()
        with backends.use(backend, n_threads=1):
            for step in range(100):
                rows = slice(20 * (step % 3), 20 * (step % 3) + 20)
                seen, _ = network.step(x[rows], y[rows])
                losses.append(seen.loss)
        prints.add(network.fingerprint())
    assert len(prints) == 1
    assert prints != {untouched}
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("name", BUILDERS)
def test_networks_say_what_they_are_and_come_back_from_a_file(name, tmp_path):
    network, (x, y) = BUILDERS[name](), task(name)
    network.step(x[:9], y[:9])
    assert "stem.weight" in network.summary()
    assert "last.bias" in network.summary(energy=True)
    assert cost(network, 10).inference < cost(network, 10, widths=FLOAT).inference
    model_file.save(network, tmp_path / "m.bvar", training_state=True)
    again = model_file.load(tmp_path / "m.bvar")
    assert again.fingerprint() == network.fingerprint()
    assert (again.scores(x) == network.scores(x)).all()
    assert network.step(x[:9], y[:9])[1] == again.step(x[:9], y[:9])[1]
    assert again.fingerprint() == network.fingerprint()


def test_the_pyramid_is_that_of_the_paper():
    """App. D.3.1: one convolution of 1 x 1, three of 3 x 3, and the mean of integer sums, normalised."""
    network = segmenter((32, 32, 3), 8, n_filters=8, random_state=0)
    names = [parameter.name for parameter in network.parameters]
    assert [n for n in names if "aspp" in n or "global" in n] == [
        *(f"aspp{number}.weight" for number in range(4)),
        "global.weight",
    ]
    coarse = network.layers[3].branches[1]
    pyramid = next(layer for layer in coarse if isinstance(layer, RealJoinChannels))
    assert [branch[1].window.kernel_size[0] for branch in pyramid.branches[:-1]] == [1, 3, 3, 3]
    assert [type(layer).__name__ for layer in pyramid.branches[-1]] == [
        *("GlobalMean", "SignedSum", "BatchNorm", "Threshold", "Upsample2d")
    ]
    assert [p.name for p in network.real.parameters if "norm" in p.name] == [
        "global.norm.scale",
        "global.norm.shift",
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: segmenter((7, 8, 3), 3), "an even height and width, got 7 x 8"),
        (lambda: segmenter((8, 8, 3), 0), "n_classes must be"),
        (lambda: edsr_small((4, 4, 3), factor=0), "factor must be"),
        (lambda: edsr_small((4, 4, 3), n_blocks=0), "n_blocks must be"),
        (lambda: edsr_small((4, 4, 3), n_filters=0), "n_filters must be"),
        (lambda: segmenter((4, 4, 3), n_filters=0), "n_filters must be"),
        (lambda: RealHuber(0), "scale must be"),
    ],
)
def test_what_cannot_be_built_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_global_branch_is_there_or_not():
    with pytest.raises(TypeError, match="global_branch must be True or False, got 'no'"):
        segmenter((4, 4, 1), 2, n_filters=2, global_branch="no")


def test_each_norm_of_a_branch_follows_its_own_sums():
    norms = [BatchNorm(2, name="one"), BatchNorm(2, name="two")]
    join = RealJoinChannels([[norm, Threshold(4, BatchNorm.FAN_IN, 1)] for norm in norms], 2)
    join.learn_moments(np.array([[4.0] * 4, [4.0, 8.0, 12.0, 16.0], [9.0, 20.0, 40.0, 70.0]]))
    np.testing.assert_allclose(np.concatenate([norm.mean for norm in norms]), [0.1, 0.2, 0.3, 0.4])
