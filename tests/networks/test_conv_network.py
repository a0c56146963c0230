"""Convolutional networks: one model everywhere, builders, residual sums, the classifier of images."""

from fractions import Fraction
from math import prod
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import bvar
from bvar import BooleanConvClassifier, ImageEncoder, ThermometerEncoder, backends, kernels
from bvar._fixed_point import median_of_largest
from bvar.bits import BitMatrix
from bvar.layers import Add, BooleanConv2d, BooleanLinear, MaxPool2d, SignedConv2d, SignedSum, Threshold
from bvar.networks import (
    VGG_SMALL,
    BooleanOptimizer,
    CrossEntropy,
    Network,
    Votes,
    conv_network,
    residual_block,
    vgg_small,
)
from bvar.real import RealConv2d, RealEnds, RealLinear
from bvar.training import RandomShift

DIGITS = load_digits()
SMALL = {"conv_layers": (16, "M", 16), "hidden_layer_sizes": (32,), "max_iter": 2, "random_state": 0}


def residual_network():
    first = BooleanConv2d((6, 6, 2), 8, padding=1, random_state=0)
    layers = [
        first,
        Threshold(first.n_outputs, 18, 72),
        *residual_block((6, 6, 8), 8, stride=2, fan_out=3, random_state=1),
    ]
    layers.append(BooleanLinear(72, 3, centered=True, random_state=2))
    return Network(layers, CrossEntropy(72), BooleanOptimizer(n_steps=30))


def batch(n=60, n_bits=72, seed=0):
    random = np.random.RandomState(seed)
    x = random.rand(n, n_bits) < 0.5
    return kernels.pack(x), x[:, :2].sum(axis=1)


NETWORKS = {
    "pools": lambda: conv_network((6, 6, 2), (8, "M", 12), (16,), 3, n_steps=30, random_state=0),
    "F outside": lambda: conv_network((6, 6, 2), (8, 8), (), 3, padding_value=-1, n_steps=30, random_state=0),
    "and": lambda: conv_network((6, 6, 2), (8, "M", 12), (16,), 3, gate="and", n_steps=30, random_state=0),
    "residual": residual_network,
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_one_fingerprint_on_every_backend_and_split(make):
    x, y = batch()
    prints = set()
    for name in backends.available():
        for parts in (1, 2, 7, 60):
            with backends.use(name, n_threads=1 + parts % 3):
                network = make()
                for _ in range(4):
                    if parts == 1:
                        network.step(x, y)
                    else:
                        rows = np.array_split(np.arange(60), parts)
                        network.apply(sum(network.votes(x[r], y[r]) for r in rows))
            prints.add(network.fingerprint())
    assert len(prints) == 1


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "and"])
def test_networks_learn(name):
    x, y = batch()
    network = NETWORKS[name]()
    before = network.fingerprint()
    for _ in range(30):
        seen, _ = network.step(x, y)
    assert network.fingerprint() != before
    assert seen.n_correct > 45  # of 60; the most frequent class has about 30


def test_scoring_many_images_keeps_memory_small_and_changes_nothing():
    network = conv_network((28, 28, 1), (64,), (), 3, random_state=0)
    x = kernels.pack(np.random.RandomState(0).rand(200, 784) < 0.5)
    assert network.layers[0].rows_together == 2**22 // (784 * 64)
    together = network.scores(x)
    assert together.tolist() == np.concatenate([network.scores(x[i : i + 1]) for i in range(200)]).tolist()


def test_votes_of_many_places_that_do_not_fit_are_refused():
    most = np.full((1, 1), 2**30, np.int32)
    votes = Votes((most,), n_samples=1, sample_weight=1, n_correct=0, loss=0.0)
    with pytest.raises(OverflowError, match="votes on a weight do not fit int32"):
        votes + votes


# --------------------------------------------------------------------------------------------------- builders


def test_vgg_small_is_that_of_the_paper():
    network = vgg_small((32, 32, 3), head=(1024, 1024), random_state=0)
    filters = [layer.n_filters for layer in network.layers if isinstance(layer, BooleanConv2d)]
    assert filters == [n for n in VGG_SMALL if n != "M"] == [128, 128, 256, 256, 512, 512]
    assert [layer.out_shape for layer in network.layers if isinstance(layer, MaxPool2d)] == [
        (16, 16, 128),
        (8, 8, 256),
        (4, 4, 512),
    ]
    shapes = [layer.weight.bits.shape for layer in network.layers if isinstance(layer, BooleanLinear)]
    assert shapes == [(1024, 8192), (1024, 1024), (10, 1024)]


def test_real_ends_are_real_and_the_rest_is_not():
    network = vgg_small((32, 32, 3), ends=RealEnds(), random_state=0)
    assert isinstance(network.layers[0], RealConv2d)
    assert isinstance(network.layers[-1], RealLinear)
    assert [p.name for p in network.real.parameters] == ["conv1.weight", "linear1.weight", "linear1.bias"]
    assert [p.name for p in network.parameters] == [f"conv{i}.weight" for i in range(2, 7)]
    scores = network.scores(np.random.RandomState(0).standard_normal((2, 3072)).astype(np.float32))
    assert scores.shape == (2, 10)
    assert scores.dtype == np.float32


def test_signals_keep_their_variance_from_layer_to_layer():
    """Behind pools too: the square of the scale times the signals that come back is 2 (BOLD, App. C.1 and C.2)."""
    network = conv_network((16, 16, 4), (32, 64, "M", 64), (128,), 10, random_state=0)
    thresholds = [layer for layer in network.layers if isinstance(layer, Threshold)]
    signals = [64 * 9 / 4, 64 * 9, 128, 10]
    for threshold, n in zip(thresholds, signals, strict=True):
        assert threshold.curve[0] == round(2**20 * (2 / n) ** 0.5)
    strided = BooleanConv2d((8, 8, 4), 16, stride=(2, 3))
    assert strided.fan_out == Fraction(16 * 9, 6)


@pytest.mark.parametrize("n", [1, 2, 4, 9, 16, 64])
def test_the_median_of_the_largest(n):
    """Against the quantile of the standard library, good to 1e-15; and where it puts the threshold of a pool."""
    assert abs(float(median_of_largest(n)) - NormalDist().inv_cdf(0.5 ** (1 / n))) < 2e-15
    tau = Threshold(1, 576, 10, pool=n).tau[0]
    assert tau - 1 < 24 * NormalDist().inv_cdf(0.5 ** (1 / n)) <= tau + 1e-12


def test_a_threshold_follows_the_number_of_terms():
    conv = BooleanConv2d((3, 3, 2), 1, 3, "and", padding=1)
    threshold = Threshold(9, 18, 10, "and", n_terms=conv.n_terms())
    assert conv.n_terms().tolist() == [8, 12, 8, 12, 18, 12, 8, 12, 8]
    assert threshold.tau.tolist() == [-4, -6, -4, -6, -9, -6, -4, -6, -4]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"conv_layers": ()}, ValueError, "conv_layers must have at least one convolution"),
        ({"conv_layers": "64"}, TypeError, "conv_layers must be a sequence"),
        ({"conv_layers": 64}, TypeError, "conv_layers must be a sequence"),
        ({"conv_layers": (8, "P")}, ValueError, "'M' for a pool, got 'P'"),
        ({"conv_layers": ("M", 8)}, ValueError, "a convolution before each 'M'"),
        ({"conv_layers": (8, "M", "M")}, ValueError, "a convolution before each 'M'"),
        ({"conv_layers": (8.0,)}, TypeError, "each of conv_layers must be an integer"),
        ({"conv_layers": (8, "M") * 3}, ValueError, "one finds 1 x 1 pixels"),
        ({"kernel_size": 2}, ValueError, "kernel_size must be odd"),
        ({"n_outputs": 0}, ValueError, "n_outputs must be an integer >= 1"),
        ({"ends": "real"}, TypeError, "ends must be None, or make both ends as bvar.real.RealEnds does"),
        ({"hidden_layer_sizes": (0,)}, ValueError, "each of hidden_layer_sizes must be an integer >= 1"),
    ],
)
def test_builders_refuse_what_cannot_be_built(arguments, error, words):
    parameters = {"conv_layers": (8,), **arguments}
    with pytest.raises(error) as caught:
        conv_network((4, 4), **parameters)
    assert words in str(caught.value)


# ------------------------------------------------------------------------------------------------------- sums


def test_add_is_the_sum_of_its_branches_forward_and_back(backend):
    x, _ = batch(5)
    add, _ = residual_block((6, 6, 2), 3, random_state=5)
    (first, between, second), (shortcut,) = add.branches
    inner, inner_context = first.forward(x)
    bits, bits_context = between.forward(inner)
    long, long_context = second.forward(bits)
    short, short_context = shortcut.forward(x)
    total, context = add.forward(x)
    assert total.tolist() == (long + short).tolist()
    z = np.random.RandomState(1).randint(-127, 128, total.shape).astype(np.int8)
    inner_z = between.backward(second.backward(z, long_context), bits_context)
    below = first.backward(inner_z, inner_context) + shortcut.backward(z, short_context)
    assert add.backward(z, context).tolist() == below.tolist()
    votes = [first.votes(inner_z, inner_context), second.votes(z, long_context), shortcut.votes(z, short_context)]
    assert [v.tolist() for v in add.votes(z, context)] == [v[0].tolist() for v in votes]
    blocks = [(number, votes.tolist()) for number, _, votes in add.vote_blocks(z, context)]
    assert blocks == [(i, v.tolist()) for i, v in enumerate(add.votes(z, context))]


def test_add_refuses_what_is_no_sum():
    with pytest.raises(ValueError, match="branches must be one or more"):
        Add([])
    with pytest.raises(ValueError, match="branches must be one or more"):
        Add([[BooleanLinear(2, 2)], []])
    with pytest.raises(ValueError, match="must not have real parameters"):
        Add([[RealLinear(2, 2)]])


# ----------------------------------------------------------------------------------------- numbers in windows


@given(
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
    seed=st.integers(0, 99),
)
def test_convolutions_of_numbers_are_sums_over_taps(size, stride, padding, seed):
    """Integers in float32 are exact here, so both kinds of weights are compared with ==."""
    form = {"stride": stride, "padding": tuple(min(padding, s - 1) for s in size), "random_state": seed}
    random = np.random.RandomState(seed)
    x = random.randint(-9, 10, (2, 4 * 5 * 2))
    signed, real = SignedConv2d((4, 5, 2), 3, size, **form), RealConv2d((4, 5, 2), 3, size, **form)
    weight = kernels.unpack_ternary(signed.linear.weight.bits).astype(np.float32)
    real.linear.weight.values[:] = weight
    window = signed.window
    images = np.pad(
        x.reshape(2, 4, 5, 2), [(0, 0), *((p, p + 9) for p in window.padding), (0, 0)]
    )  # more than any tap reaches
    sums = np.zeros((2, *window.places, 3), int)
    for a, b in np.ndindex(size):
        rows, columns = window.places
        part = images[:, a : a + stride * rows : stride, b : b + stride * columns : stride][:, :rows, :columns]
        sums += part @ weight.reshape(3, *size, 2)[:, a, b].T.astype(int)
    s, context = signed.forward(x.astype(np.int8))
    t, real_context = real.forward(x.astype(np.float32))
    assert s.tolist() == t.astype(int).tolist() == sums.reshape(2, -1).tolist()
    z = random.randint(-9, 10, s.shape).astype(np.int8)
    votes = signed.votes(z, context)[0]
    assert votes.tolist() == real.gradients(z, real_context)[0].astype(int).tolist()
    assert (votes * weight).sum() == (z * s.astype(int)).sum()  # both are bilinear: sum z s = sum q e(w) = sum g x
    assert (signed.backward(z, context) * x).sum() == (z * s.astype(int)).sum()
    assert (real.backward(z, real_context) * x).sum() == (z * s.astype(int)).sum()


def test_signed_convolutions_are_one_model_everywhere():
    """Boolean weights on int8 pixels keep the promise."""
    random = np.random.RandomState(0)
    x = random.randint(-60, 61, (40, 36)).astype(np.int8)
    y = (x[:, :18].sum(axis=1) > 0).astype(int)
    prints = set()
    for name in backends.available():
        with backends.use(name):
            first = SignedConv2d((6, 6), 8, padding=1, random_state=0)
            layers = [first, MaxPool2d(first.out_shape), Threshold(72, first.sum_variance, 2, pool=4)]
            layers.append(BooleanLinear(72, 2, centered=True, random_state=1))
            network = Network(layers, CrossEntropy(72), BooleanOptimizer(n_steps=20))
            for _ in range(20):
                seen, _ = network.step(x, y)
            prints.add(network.fingerprint())
    assert len(prints) == 1
    assert seen.n_correct > 30


def test_numbers_that_are_no_images_are_refused():
    for layer in (SignedConv2d((3, 3), 1), RealConv2d((3, 3), 1)):
        with pytest.raises(ValueError, match=r"x must have rows of 9 numbers, images of shape \(3, 3, 1\)"):
            layer.forward(np.zeros((2, 8), np.int8))
        with pytest.raises(TypeError, match="x must be an array of"):
            layer.forward(np.zeros((2, 9), np.int64))
    assert SignedConv2d((3, 3), 1, rms=7).sum_variance == SignedSum(9, 1, rms=7).sum_variance == 441


# ----------------------------------------------------------------------------------------------- the encoder


@given(n_bits=st.integers(1, 5), n_channels=st.integers(1, 3), seed=st.integers(0, 99), kind=st.sampled_from("uf"))
def test_every_pixel_is_asked_the_same(n_bits, n_channels, seed, kind):
    random = np.random.RandomState(seed)
    images = random.randint(0, 256, (5, 4, n_channels))
    X = images.reshape(5, -1).astype(np.uint8 if kind == "u" else np.float64)
    encoder = ImageEncoder(n_bits, n_channels).fit(X)
    low, high = images.min(axis=(0, 1)), images.max(axis=(0, 1))
    steps = np.arange(1, n_bits + 1) / (n_bits + 1)
    thresholds = low[:, None] + (high - low)[:, None] * steps
    assert encoder.thresholds_.tolist() == thresholds.tolist()
    want = images[..., None] >= thresholds
    assert kernels.unpack(encoder.encode(X)).tolist() == want.reshape(5, -1).tolist()
    names = encoder.get_feature_names_out()
    assert len(names) == encoder.n_bits_out_ == 4 * n_channels * n_bits
    assert names[-1].startswith(f"x{4 * n_channels - 1}>=")


def test_image_encoder_takes_missing_pixels_and_constant_channels():
    X = np.array([[1.0, np.nan, 5.0, np.nan], [1.0, np.nan, np.nan, np.nan]])
    encoder = ImageEncoder(2, n_channels=2).fit(X)
    assert encoder.thresholds_.round(3).tolist() == [[2.333, 3.667], [0.0, 0.0]]
    assert encoder.transform(X).tolist() == [[-1, -1, 0, 0, 1, 1, 0, 0], [-1, -1, 0, 0, 0, 0, 0, 0]]
    with pytest.raises(ValueError, match="n_channels must divide the number of columns, 4, got 3"):
        ImageEncoder(n_channels=3).fit(X)


def test_the_thresholds_of_a_range_beyond_all_numbers_are_finite():
    far = 1.5 * 2.0**1023
    encoder = ImageEncoder(3).fit(np.array([[-far, 0.0], [far, 1.0]]))
    assert encoder.thresholds_.tolist() == [[-far / 2, 0.0, far / 2]]
    assert encoder.transform([[-far, far]]).tolist() == [[-1, -1, -1, 1, 1, 1]]


# --------------------------------------------------------------------------------------------- the classifier


def test_images_in_every_form_are_one_model():
    images, y = DIGITS.images[:300], DIGITS.target[:300]
    models = [
        BooleanConvClassifier(**SMALL, **more).fit(X, y)
        for X, more in [
            (images, {}),
            (images[..., None], {}),
            (images.reshape(300, 64), {}),
            (images.reshape(300, 64), {"image_shape": (8, 8)}),
            (images.reshape(300, 64), {"image_shape": (-1, 8, 1)}),
            (images, {"image_shape": (8, 8, 1)}),
        ]
    ]
    assert len({model.network_.fingerprint() for model in models}) == 1
    assert {model.image_shape_ for model in models} == {(8, 8, 1)}
    scores = [model.decision_function(images[:5]).tolist() for model in models]
    assert scores == [model.decision_function(images[:5].reshape(5, 64)).tolist() for model in models]


def test_classifier_is_one_model_on_every_backend_and_learns():
    prints = set()
    for name in backends.available():
        model = BooleanConvClassifier(
            (16, "M"), (64,), max_iter=4, augment=RandomShift(1), backend=name, random_state=0
        ).fit(DIGITS.images[:600], DIGITS.target[:600])
        prints.add(model.network_.fingerprint())
    assert len(prints) == 1
    assert model.score(DIGITS.images[600:], DIGITS.target[600:]) > 0.7


def test_classifier_does_what_scikit_learn_users_do(tmp_path):
    images, y = DIGITS.images[:200], DIGITS.target[:200].astype(str)
    search = GridSearchCV(BooleanConvClassifier(**SMALL), {"eta": [5.0, 10.0]}, cv=2).fit(images, y)
    model = search.best_estimator_
    assert clone(model).fit(images, y).network_.fingerprint() == model.network_.fingerprint()
    model.save(tmp_path / "model.bvar")
    loaded = bvar.load(tmp_path / "model.bvar")
    assert loaded.predict_proba(images).tolist() == model.predict_proba(images).tolist()
    assert "conv1.weight" in model.summary()
    labels = np.stack([y == "1", y == "7"], axis=1).astype(int)
    assert BooleanConvClassifier(**SMALL).fit(images, labels).predict(images).shape == labels.shape
    stopped = BooleanConvClassifier(**{**SMALL, "early_stopping": True}).fit(images, y)
    assert stopped.best_validation_score_ > 0.2


def test_partial_fit_and_warm_start_go_on():
    images, y = DIGITS.images[:200], DIGITS.target[:200]
    model = BooleanConvClassifier(**SMALL, warm_start=True).fit(images, y)
    before = model.network_.fingerprint()
    assert model.fit(images, y).network_.fingerprint() != before
    with pytest.raises(ValueError, match="are not those of the network to go on with"):
        model.set_params(conv_layers=(16, 16)).fit(images, y)
    online = BooleanConvClassifier(**SMALL)
    for part in np.array_split(np.arange(200), 4):
        online.partial_fit(images[part], y[part], classes=np.arange(10))
    assert online.score(images, y) > 0.3


def test_missing_pixels_are_nothing():
    images, y = DIGITS.images[:300].copy(), DIGITS.target[:300]
    images[np.random.RandomState(0).rand(*images.shape) < 0.1] = np.nan
    model = BooleanConvClassifier(**{**SMALL, "max_iter": 4}).fit(images, y)
    assert model.score(images, y) > 0.6
    nothing = model.decision_function(np.full((1, 8, 8), np.nan))
    assert np.isfinite(nothing).all()


X64, Y = DIGITS.data[:50], DIGITS.target[:50]


@pytest.mark.parametrize(
    ("parameters", "X", "error", "words"),
    [
        ({}, X64[:, :60], ValueError, "image_shape must be given: X has rows of 60 values"),
        ({"image_shape": (7, 9)}, X64, ValueError, "image_shape (7, 9) does not fit images of 64 values"),
        ({"image_shape": (7, -1)}, X64, ValueError, "image_shape (7, -1) does not fit images of 64 values"),
        ({"image_shape": (-1, -1)}, X64, ValueError, "image_shape must leave at most one number open"),
        ({"image_shape": 8}, X64, ValueError, "image_shape must be (height, width)"),
        (
            {"image_shape": (4, 4, 4)},
            X64.reshape(-1, 8, 8),
            ValueError,
            "X has images of shape (8, 8, 1), but image_shape says (4, 4, 4)",
        ),
        ({"encoder": ThermometerEncoder(8)}, X64, ValueError, "encoder must give every pixel the same number"),
        ({"kernel_size": 4}, X64, ValueError, "kernel_size must be odd"),
        ({"conv_layers": (4, "M") * 4}, X64, ValueError, "more than the image has room for"),
        ({"flip_noise": 0.7}, X64, ValueError, "flip_noise must be"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_the_model(parameters, X, error, words):
    model = BooleanConvClassifier(**SMALL).fit(X64, Y)
    before = model.network_.fingerprint()
    with pytest.raises(error) as caught:
        model.set_params(**parameters).fit(X, Y)
    assert words in str(caught.value)
    assert model.network_.fingerprint() == before
    assert model.image_shape_ == (8, 8, 1)


def test_predicting_other_images_is_refused():
    model = BooleanConvClassifier(**SMALL).fit(X64.reshape(-1, 4, 16), Y)
    assert model.image_shape_ == (4, 16, 1)
    with pytest.raises(
        ValueError, match=r"X has images of shape \(8, 8, 1\), but the model was fitted to \(4, 16, 1\)"
    ):
        model.predict(X64.reshape(-1, 8, 8))


def test_the_network_takes_bits_of_its_own_size():
    network = conv_network((4, 4), (8,), (), 2, random_state=0)
    with pytest.raises(ValueError, match="x must have rows of 16 bits"):
        network.scores(BitMatrix(np.zeros((1, 1), np.uint64), 17))
    assert prod(network.layers[0].out_shape) == 128
