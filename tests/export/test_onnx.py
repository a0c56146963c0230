"""Models as ONNX, run by a runtime that knows nothing of bits: answers and scores are those of the model."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    LogicGateConvClassifier,
    OneHotBits,
    TableEncoder,
    kernels,
)
from bvar.calculus.gates import GATES
from bvar.export import network_to_onnx
from bvar.layers import Add, BooleanConv2d, BooleanLinear, Concatenate, SumPool2d, Threshold
from bvar.networks import BooleanOptimizer, CrossEntropy, Network

pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

RNG = np.random.RandomState(0)
ROWS = 1000


def run(model, given):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["answer", "scores"], {model.graph.input[0].name: given})


def boolean(layers):
    return Network(layers, CrossEntropy(1), BooleanOptimizer())


def table(n=ROWS):
    X = RNG.randint(-8, 8, (n, 5)) / 4
    X[RNG.rand(n, 5) < 0.1] = np.nan
    X[:3, 0] = -0.0, 1e100, 5e-324
    return X


X = table()
KNOWN = np.nan_to_num(X)
WORDS = np.array(["no", "so", "yes"])[np.arange(ROWS) % 3]
MODELS = {
    "words": (BooleanClassifier(max_iter=2, random_state=0), WORDS),
    "two classes": (BooleanClassifier(32, max_iter=2, random_state=0), KNOWN[:, 0] > 0),
    "one score": (
        BooleanClassifier(32, monotonic_cst=[1, -1, 0, 0, 1], max_iter=2, random_state=0),
        WORDS[np.arange(ROWS) // 2 % 2],
    ),
    "unate": (BooleanRegressor(16, monotonic_cst=[1, -1, 0, 0, 1], max_iter=2, random_state=0), KNOWN[:, :2]),
    "labels": (BooleanClassifier(32, max_iter=2, random_state=0), KNOWN[:, :3] > 0),
    "gates in front": (BooleanClassifier(32, gates=100, max_iter=2, random_state=0), KNOWN[:, 1] > 0),
    "gates": (LogicGateClassifier((60, 60), max_iter=2, random_state=0), KNOWN[:, 2] > 0),
    "numbers": (BooleanRegressor(max_iter=2, random_state=0), KNOWN[:, 0] - KNOWN[:, 1]),
    "two numbers": (BooleanRegressor(16, max_iter=2, random_state=0), KNOWN[:, :2]),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_runtime_answers_raw_rows_as_the_model_does(name):
    model, y = MODELS[name]
    model.fit(X, y)
    rows = np.concatenate([table(), RNG.standard_cauchy((ROWS, 5))])
    answer, scores = run(model.to_onnx(), rows)
    wanted = model.predict(rows)
    assert np.array_equal(np.asarray(answer).reshape(wanted.shape), wanted)
    assert np.array_equal(scores, model._scores(model.network_, rows))
    assert scores.dtype == np.int32


def test_categories_and_those_that_share_a_bit_are_asked_for_by_value():
    codes = RNG.randint(0, 30, (ROWS, 4)).astype(float)
    encoder = TableEncoder(categorical=[0, 1], max_categories=5)
    model = BooleanClassifier(64, encoder=encoder, max_iter=2, random_state=0).fit(codes, codes[:, 0] > 5)
    rows = RNG.randint(-2, 40, (ROWS, 4)) / 1.0
    rows[0, 0], rows[1, 0] = 0.5, np.nan
    answer, scores = run(model.to_onnx(), rows)
    assert np.array_equal(answer, model.predict(rows))
    assert np.array_equal(scores, model._scores(model.network_, rows))


@pytest.mark.parametrize("layers", [(4, "M"), (4, "M", 6)])
def test_images_are_convolved_and_pooled(layers):
    images = RNG.randint(0, 17, (200, 64)).astype(float)
    model = BooleanConvClassifier(layers, 16, image_shape=(8, 8), max_iter=1, random_state=0)
    model.fit(images, images[:, 9] > 8)
    answer, scores = run(model.to_onnx(), images)
    assert np.array_equal(answer, model.predict(images))
    assert np.array_equal(scores, model._scores(model.network_, images))


def test_convolutions_of_gates_are_unrolled():
    images = RNG.randint(0, 17, (200, 64)).astype(float)
    model = LogicGateConvClassifier((4, "M", 6), 40, image_shape=(8, 8), max_iter=1, random_state=0)
    model.fit(images, images[:, 9] > 8)
    answer, scores = run(model.to_onnx(), images)
    assert np.array_equal(answer, model.predict(images))
    assert np.array_equal(scores, model._scores(model.network_, images))


@given(
    st.sampled_from([gate for gate in GATES if gate.depends_on_a and gate.depends_on_b]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_every_gate_and_window_sums_to_the_same_integers_with_missing_values(gate, seed):
    rng = np.random.RandomState(seed)
    conv = BooleanConv2d(
        (5, 4, 2), 3, (rng.randint(2, 4), 2), gate, stride=rng.randint(1, 3), padding=rng.randint(2),
        padding_value=-int(rng.randint(2)), bias=bool(rng.randint(2)), random_state=rng,
    )  # fmt: skip
    rows, columns, _ = conv.out_shape
    pool = SumPool2d(conv.out_shape, min(2, rows, columns))
    last = BooleanLinear(pool.n_outputs, 2, gate, bias=True, random_state=rng)
    threshold = Threshold(pool.n_outputs, 4 * conv.window.patch_size, 2, gate, gate)
    branch = [BooleanLinear(40, 2, gate, random_state=rng)]
    network = boolean([Add([[conv, pool, threshold, last], branch])])
    values = rng.randint(-1, 2, (7, 40)).astype(np.int8)
    _, scores = run(network_to_onnx(network), values)
    assert np.array_equal(scores, network.scores(kernels.pack(values)))


def test_what_is_put_beside_takes_missing_values_for_false():
    inner = [BooleanLinear(70, 9, random_state=0), Threshold(9, 70, 3)]
    network = boolean([Concatenate(inner), BooleanLinear(79, 3, random_state=1)])
    values = RNG.randint(-1, 2, (20, 70)).astype(np.int8)
    _, scores = run(network_to_onnx(network), values)
    assert np.array_equal(scores, network.scores(kernels.pack(values)))


def test_classes_keep_their_kind():
    x = RNG.rand(40, 2)
    for classes in (["a", "b"], [False, True], [-3, 7], [1.0, 2.0]):
        y = np.array(classes)[(x[:, 0] > 0.5).astype(int)]
        answer, _ = run(BooleanClassifier(8, max_iter=1, random_state=0).fit(x, y).to_onnx(), x)
        assert set(np.asarray(answer).tolist()) <= set(classes)


def test_what_has_no_onnx_is_refused_by_name(monkeypatch):
    with pytest.raises(NotFittedError):
        BooleanClassifier().to_onnx()
    words = np.array([["cook"], ["smith"]] * 20)
    model = BooleanClassifier(8, max_iter=1, random_state=0).fit(words, words[:, 0] == "cook")
    with pytest.raises(ValueError, match="encoder has categories of text in feature 0"):
        model.to_onnx()
    with pytest.raises(ValueError, match="encoder must give 5 bits, the inputs of network, it gives 2"):
        network_to_onnx(boolean([BooleanLinear(5, 2)]), OneHotBits().fit([[1], [2]]))
    with pytest.raises(ValueError, match="answer must be Positive or Scaled for a network of one score"):
        network_to_onnx(boolean([BooleanLinear(5, 1)]))
    with pytest.raises(ValueError, match=r"classes must have the shape \(2,\), got \(3,\)"):
        network_to_onnx(boolean([BooleanLinear(5, 2)]), classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="classes must be an array, got rows of different lengths"):
        network_to_onnx(boolean([BooleanLinear(5, 2)]), classes=[["a"], ["b", "c"]])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "boolean-variation\[onnx\]"'):
        network_to_onnx(boolean([BooleanLinear(5, 2)]))
