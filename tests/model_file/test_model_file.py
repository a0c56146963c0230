"""Model files: what is saved comes back exactly, old files load for ever, and no file whatever does any harm."""

import contextlib
import copy
import hashlib
import io
import json
import os
import pickle
import re
import struct
import tracemalloc
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from bvar import BooleanClassifier, ThermometerEncoder, backends, encoding, estimators, kernels, model_file
from bvar.bits import BitMatrix, RandomWords
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    Concatenate,
    GateConv2d,
    GateLayer,
    Offset,
    Parameter,
    SignalScale,
    SignedConv2d,
    SignedSum,
    Threshold,
)
from bvar.model_file import ModelFileError, _container, _kinds, _replacing
from bvar.model_file._networks import _in_fixed_point
from bvar.model_file._values import Reader, Writer
from bvar.multikernel import Encoder, Transformer
from bvar.networks import BinaryCrossEntropy, BooleanOptimizer, CrossEntropy, Network, SquaredError, boolean_mlp
from bvar.real import Embedding, RealConv2d
from bvar.training import Interrupted

GOLDEN = Path(__file__).parents[1] / "golden"
BUILT_IN = set(_kinds.KINDS)  # before any test registers its own
START = struct.Struct("<8sIIQ")

RANDOM = np.random.RandomState(0)
X = np.where(RANDOM.rand(80, 4) < 0.1, np.nan, RANDOM.randint(-6, 6, (80, 4)) / 2)
CODES = np.digitize(np.nansum(X, axis=1), [-1.0, 1.0])


def quick(**parameters):
    return BooleanClassifier(**{"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0, **parameters})


def there_and_back(model, folder, **options):
    path = folder / "model.bvar"
    model_file.save(model, path, **options)
    return model_file.load(path)


def same(a, b):
    """Equal values of equal types, all the way down; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype == object:
            return all(map(same, a.ravel(), b.ravel()))
        return a.tobytes() == b.tobytes()
    if isinstance(a, float | np.floating):
        return np.float64(a).tobytes() == np.float64(b).tobytes() or (a != a and b != b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, BitMatrix | Network) or hasattr(a, "get_params"):
        return same(vars_of(a), vars_of(b))
    return a == b


def vars_of(value):
    if isinstance(value, Network):
        loss = {
            name: v for name, v in vars(value.loss).items() if name != "_log_table"
        }  # made when first asked for
        return {"print": value.fingerprint(), "loss": loss, "layers": list(map(type, value.layers))}
    return dict(sorted(vars(value).items()))


def assert_same_model(again, model, x=X):
    assert type(again) is type(model)
    assert same(again.get_params(deep=False), model.get_params(deep=False))
    assert same(vars_of(again), vars_of(model))
    assert again.network_.fingerprint() == model.network_.fingerprint()
    for name in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, name):
            assert same(getattr(again, name)(x), getattr(model, name)(x))


# --------------------------------------------------------------------------------------------- there and back

LABELS = {
    "int64": np.array([-5, 0, 2**62])[CODES],
    "int8": np.array([-5, 0, 5], np.int8)[CODES],
    "uint64": np.array([0, 1, 2**64 - 1], np.uint64)[CODES],
    "big-endian": np.array([-5, 0, 5], ">i4")[CODES],
    "text": np.array(["a", "ß", "a longer name \U0001f600"])[CODES],
    "objects": np.array(["a", "ß", "with\0nul\0"], object)[CODES],
    "bool": CODES > 0,
    "float": np.array([-1.0, 0.0, 3.0])[CODES],
    "list": np.array(["no", "yes", "?"])[CODES].tolist(),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_classifier_comes_back_with_its_labels(tmp_path, name):
    model = quick().fit(X, LABELS[name])
    again = there_and_back(model, tmp_path)
    if name == "big-endian":  # numbers are the same, bytes are in the order of the machine
        again.classes_ = again.classes_.astype(model.classes_.dtype)
    assert_same_model(again, model)


def test_labels_for_several_outputs_and_targets_come_back(tmp_path):
    many = np.column_stack([CODES > 0, CODES > 1]).astype(int)
    assert_same_model(there_and_back(quick().fit(X, many), tmp_path), quick().fit(X, many))
    for y in (CODES * 1.5, np.column_stack([CODES, -CODES])):
        model = estimators.BooleanRegressor((16,), max_iter=2, random_state=0).fit(X, y)
        assert_same_model(there_and_back(model, tmp_path), model)


def test_parameters_of_every_form_come_back(tmp_path):
    model = quick(
        hidden_layer_sizes=np.array([9, 8]),
        encoder=ThermometerEncoder(np.int64(2), "uniform"),
        eta=np.float64(0.1),
        class_weight={0: 0.1, 1: 1.0, 2: 1e-300},
        random_state=2**100,
        backend="numpy",
    ).fit(X, CODES)
    again = there_and_back(model, tmp_path)
    assert_same_model(again, model)
    assert type(again.eta) is np.float64
    model = quick(hidden_layer_sizes=[7], early_stopping=True, n_iter_no_change=1, max_iter=9).fit(X, CODES)
    assert_same_model(there_and_back(model, tmp_path), model)


def test_names_of_features_come_back(tmp_path):
    frame = pd.DataFrame(X, columns=["a", "b.c", "ä", "\U0001f600"])
    again = there_and_back(quick().fit(frame, CODES), tmp_path)
    assert again.feature_names_in_.tolist() == list(frame)
    again.predict(frame)
    with pytest.warns(UserWarning, match="taken by their names"):
        moved = again.predict(frame[["b.c", "a", "ä", "\U0001f600"]])
    assert np.array_equal(moved, again.predict(frame))


def test_a_mixed_table_comes_back(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = np.array(["x", "y", None], object)[CODES]
    frame["huge"] = np.where(CODES > 0, 2**60, 3)
    model = quick(encoder=encoding.TableEncoder()).fit(frame, CODES)
    assert_same_model(there_and_back(model, tmp_path), model, frame)


@pytest.mark.parametrize(
    "name", [n for n in encoding.__all__ if n.endswith(("Encoder", "OneHotBits")) and n != "BitEncoder"]
)
def test_every_encoder_comes_back(tmp_path, name):
    encoder = getattr(encoding, name)().fit(X, CODES)
    again = there_and_back(encoder, tmp_path)
    assert type(again) is type(encoder)
    assert same(again.transform(X), encoder.transform(X))
    assert again.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    assert again.get_params() == encoder.get_params()


@pytest.mark.parametrize("loss", [None, BinaryCrossEntropy(5), SquaredError(7)])
def test_a_network_comes_back(tmp_path, loss):
    network = boolean_mlp([70, 6, 5, 3], gate="nor", bias=True, loss=loss, random_state=0)
    again = there_and_back(network, tmp_path)
    bits = kernels.pack(RANDOM.choice([-1, 0, 1], (9, 70)).astype(np.int8))
    assert again.fingerprint() == network.fingerprint()
    assert same(again.scores(bits), network.scores(bits))
    assert same(vars_of(again), vars_of(network))
    assert [p.name for p in again.parameters] == [p.name for p in network.parameters]


def test_training_goes_on_from_the_training_state(tmp_path):
    """With it, a loaded model learns as the one that stayed does; without, its accumulators start empty."""
    half = quick().partial_fit(X[:40], CODES[:40], classes=[0, 1, 2])
    full = there_and_back(half, tmp_path, training_state=True)
    bare = there_and_back(half, tmp_path)
    assert [same(a, b) for a, b in zip(full.network_.optimizer.m, half.network_.optimizer.m, strict=True)] == [
        True
    ] * 2
    assert bare.network_.optimizer.m == []
    for model in (half, full, bare):
        model.partial_fit(X[40:], CODES[40:])
    assert full.network_.fingerprint() == half.network_.fingerprint() != bare.network_.fingerprint()
    assert full.history_ == half.history_


def test_the_source_of_random_numbers_is_training_state(tmp_path):
    model = quick().partial_fit(X, CODES, classes=[0, 1, 2])
    model._source.words.random_raw(3)
    again = there_and_back(model, tmp_path, training_state=True)
    assert again._source.words.state == model._source.words.state
    assert not hasattr(there_and_back(model, tmp_path), "_source")


def test_the_training_state_of_a_network_has_its_place_in_the_schedule(tmp_path):
    network = boolean_mlp([4, 8, 2], n_steps=10, random_state=0)
    bits, y = kernels.pack(X > 0), CODES % 2
    for _ in range(3):
        network.apply(network.votes(bits, y))
    again = there_and_back(network, tmp_path, training_state=True)
    assert again.optimizer.step_count == 3
    for model in (network, again):
        model.apply(model.votes(bits, y))
    assert again.fingerprint() == network.fingerprint()


def test_equal_models_give_equal_files(tmp_path):
    for name in "ab":
        model_file.save(quick().fit(X, CODES), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    header = (tmp_path / "a").read_bytes()[24:]
    header = header[: header.index(b'"}\0') + 2]
    assert header == json.dumps(json.loads(header), sort_keys=True, separators=(",", ":")).encode()
    model_file.save(model_file.load(tmp_path / "a"), tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "c").read_bytes()


def test_keys_that_look_alike_keep_their_values_apart(tmp_path):
    model = quick().fit(X, CODES)
    model.extra_ = {1: np.zeros(2), "1": np.ones(3), "1'": np.ones(4), "x" * 2000: np.ones(6)}
    assert same(there_and_back(model, tmp_path).extra_, model.extra_)


def test_a_file_is_about_as_large_as_its_bits(tmp_path):
    network = boolean_mlp([4096, 1024, 10], random_state=0)
    model_file.save(network, tmp_path / "m")
    assert (tmp_path / "m").stat().st_size < 4096 * 1024 / 8 * 1.05


def test_pickle_copy_joblib_and_clone_work_too(tmp_path):
    model = quick().fit(X, LABELS["text"])
    joblib.dump(model, tmp_path / "m.joblib")
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        assert_same_model(again, model)
    assert_same_model(joblib.load(tmp_path / "m.joblib"), model)
    loaded = there_and_back(model, tmp_path)
    assert_same_model(pickle.loads(pickle.dumps(loaded)), model)
    assert_same_model(clone(loaded).fit(X, LABELS["text"]), model)


def test_a_model_on_mapped_memory_is_saved_like_any_other(tmp_path):
    model = quick().partial_fit(X, CODES, classes=[0, 1, 2])
    joblib.dump(model, tmp_path / "m.joblib")
    mapped = joblib.load(tmp_path / "m.joblib", mmap_mode="r")
    assert isinstance(mapped.classes_, np.memmap)
    mapped.save(tmp_path / "a", training_state=True)
    model.save(tmp_path / "b", training_state=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_kind_is_known_by_the_name_that_files_keep():
    """A renamed class must keep its old name here, or files with it do not load any more."""
    assert {
        *("BooleanClassifier", "BooleanConvClassifier", "BooleanRegressor", "LogicGateClassifier"),
        *("LogicGateConvClassifier", "GateConv2d", "OrPool2d", "Choice"),
        *(
            "ThermometerEncoder",
            "ImageEncoder",
            "OneHotBits",
            "TableEncoder",
            "UnateEncoder",
            "GateLayer",
            "GroupSum",
        ),
        *("BooleanConv2d", "MaxPool2d", "Add", "RealConv2d", "SignedConv2d", "SumPool2d"),
        *("Mollifier", "SigmoidSchedule", "CosineSchedule", "LinearSchedule"),
        *("Network", "BooleanLinear", "Threshold", "CrossEntropy", "BinaryCrossEntropy", "SquaredError"),
        *("BooleanOptimizer", "RandomWords", "ThresholdAnnealing"),
        *("RandomShift", "RandomFlip", "RandomRotation", "LearnedAugmentation", "Rotation", "Shift", "Scale"),
        *("Shear", "Noise", "Flip", "Cutout", "Mixup", "AugmentedClassifier"),
        "MollifiedClassifier",
        *("Concatenate", "Offset", "SignalScale"),
        *("RealLinear", "BatchNorm", "FixedPoint", "SignedSum", "RealCrossEntropy", "Adam"),
        *("JoinChannels", "GlobalMean", "PixelShuffle", "Upsample2d", "PerPixel"),
        *("RealJoinChannels", "RealHuber", "Checkpoint", "Interrupted", "Kept", "Strengths"),
        *("Embedding", "NGramEmbedding", "PositionSum", "LayerNorm", "RealScale", "Attention", "Residual"),
        *("Offset", "Concatenate", "SignalScale"),
        *("Kernels", "Transformer", "BooleanTransformer", "Encoder", "BooleanEncoder"),
    } == BUILT_IN


# ------------------------------------------------------------------------------------------------- any value

SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    *(hnp.arrays(t, ()).map(lambda a: a[()]) for t in ("f4", "i8", "u1", "?")),
)
ARRAYS = st.one_of(
    *(
        hnp.arrays(t, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
        for t in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "U1", "U5")
    ),
    st.lists(SCALARS, max_size=4).map(lambda v: np.array([*v, None], object)[:-1]),
)
VALUES = st.recursive(
    SCALARS | ARRAYS | st.lists(hnp.arrays("f8", st.integers(0, 3)), max_size=3),
    lambda v: st.one_of(
        st.lists(v, max_size=4),
        st.lists(v, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.integers(), v, max_size=4),
    ),
    max_leaves=12,
)


@given(value=VALUES)
def test_any_value_comes_back(tmp_path, value):
    writer = Writer(_kinds, training_state=False)
    _container.write(tmp_path / "v", writer.value(value, "v"), writer.arrays)
    data, arrays = _container.read(tmp_path / "v")
    reader = Reader(_kinds, arrays)
    assert same(reader.value(data, "v"), value)
    reader.finish()


@given(
    labels=st.lists(st.text(max_size=6) | st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=5, unique=True)
)
def test_any_labels_come_back(tmp_path, labels):
    labels = [v if isinstance(labels[0], int) else str(v) for v in labels if type(v) is type(labels[0])]
    y = np.array(labels)
    if len(np.unique(y)) < 2:
        return
    model = quick(hidden_layer_sizes=(4,), max_iter=1).fit(np.arange(len(y))[:, None], y)
    assert same(there_and_back(model, tmp_path).classes_, model.classes_)


# ------------------------------------------------------------------------------------------ what cannot be saved


class MyEncoder(ThermometerEncoder):
    pass


class MyClassifier(BooleanClassifier):
    pass


UNSAVEABLE = {
    "callbacks": (lambda: quick(callbacks=[print]), r"model\.callbacks\.0: .*the function print"),
    "lambda": (lambda: quick(callbacks=[lambda m: None]), r"model\.callbacks\.0: .*<lambda>"),
    "random_state": (lambda: quick(random_state=np.random.RandomState(0)), r"model\.random_state: .*RandomState"),
    "encoder": (lambda: quick(encoder=MyEncoder()), r"model\.encoder: .*MyEncoder"),
    "subclass": (lambda: MyClassifier((8,), max_iter=1), r"model: .*MyClassifier"),
}


@pytest.mark.parametrize("name", UNSAVEABLE)
def test_what_cannot_be_saved_is_named(tmp_path, name):
    make, message = UNSAVEABLE[name]
    model = make().fit(X, CODES)
    with pytest.raises(TypeError, match=message):
        model_file.save(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_borrows_a_name_is_refused(tmp_path):
    other = type("ThermometerEncoder", (ThermometerEncoder,), {})
    with pytest.raises(TypeError, match="ThermometerEncoder"):
        model_file.save(other().fit(X), tmp_path / "m")


def test_odd_values_are_refused(tmp_path):
    model = quick().fit(X, CODES)
    for value, message in (
        (np.ma.masked_array([1, 2]), "MaskedArray"),
        (np.array(["2026-01-01"], "M8[D]"), "datetime64"),
        (1j, "complex"),
        (b"bytes", "bytes"),
        ({1, 2}, "set"),
        (np.longdouble(1), "longdouble|float128|float64x"),
    ):
        model.extra_ = value
        with pytest.raises(TypeError, match=rf"model\.extra_: .*({message})"):
            model_file.save(model, tmp_path / "m")
    model.extra_ = loop = []
    loop.append(loop)
    with pytest.raises(TypeError, match="contains itself"):
        model_file.save(model, tmp_path / "m")
    deep = []
    for _ in range(100):
        deep = [deep]
    model.extra_ = deep
    with pytest.raises(ValueError, match="nested more than"):
        model_file.save(model, tmp_path / "m")


def test_an_attribute_that_the_format_does_not_know_is_not_lost_in_silence(tmp_path):
    network = boolean_mlp([3, 4, 2], random_state=0)
    for part in (
        network,
        network.layers[0],
        network.layers[1],
        network.loss,
        network.optimizer,
        network.parameters[0],
    ):
        part.something_new = 1
        with pytest.raises(TypeError, match="something_new"):
            model_file.save(network, tmp_path / "m")
        del part.something_new


def test_only_fitted_models_of_this_package_are_saved(tmp_path):
    with pytest.raises(NotFittedError):
        model_file.save(quick(), tmp_path / "m")
    for other in (LogisticRegression().fit(np.nan_to_num(X), CODES), "text", None, [quick().fit(X, CODES)]):
        with pytest.raises(TypeError, match="model"):
            model_file.save(other, tmp_path / "m")


# ---------------------------------------------------------------------------------------------------- golden


def golden_input(about):
    if about["columns"] is not None:
        return pd.DataFrame(about["X"], columns=about["columns"])
    return np.array([[np.nan if cell is None else cell for cell in row] for row in about["X"]])


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.bvar")), ids=lambda path: path.stem)
def test_golden_files_load_for_ever(path, backend):
    """Files of a released format must load and answer as they did; never regenerate one to make this pass."""
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    model, answers = model_file.load(path), about["answers"]
    if isinstance(model, Transformer | Encoder):
        for name, expected in answers.items():
            assert [v.hex() for v in model.weight(name).ravel().tolist()] == expected
        return
    x = golden_input(about)
    if isinstance(model, Interrupted):
        then = model.checkpoint
        assert answers == {
            "n_iter": then.n_iter,
            "fingerprint": then.network.fingerprint(),
            "kept": then.kept.score,
        }
        return
    if "fingerprint" in answers:
        network = model if isinstance(model, Network) else model.network_
        assert network.fingerprint() == answers.pop("fingerprint")
    if "scores" in answers:
        x = x.astype(np.float32 if isinstance(model.layers[0], RealConv2d) else np.int8)
        takes_numbers = isinstance(model.layers[0], SignedSum | SignedConv2d | RealConv2d | Embedding)
        scores, expected = model.scores(x if takes_numbers else kernels.pack(x)), answers.pop("scores")
        if isinstance(model.layers[0], Embedding) or isinstance(model.layers[-1], RealConv2d):
            # exponentials and products of matrices end in digits of the machine: sums of at most 32 terms, each
            # rounded to 2**-24 of itself, come to 2e-6 a layer, and none of these files has 50 layers
            np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
        else:
            assert scores.tolist() == expected
    for name, expected in answers.items():
        values = getattr(model, name)(x)
        flat = [v.hex() if isinstance(v, float) else v for v in values.ravel().tolist()]
        if name == "decision_function":  # whole numbers, whatever their dtype
            flat = values.astype(np.int64).ravel().tolist()
            assert (values == np.round(values)).all()
        assert {"shape": list(values.shape), "values": flat} == expected


@pytest.mark.parametrize(("name", "n_inputs"), [("network", 70), ("front", 20)])
def test_training_goes_on_from_accumulators_that_were_floats(name, n_inputs):
    """They are rounded once, and from there on there is one model again, whatever the backend."""
    x, y, after = RandomWords(0).bits(40, n_inputs), np.arange(40) % 3, set()
    for backend in backends.available():
        model = model_file.load(GOLDEN / f"format1-{name}.bvar")
        assert [m.dtype for m in model.optimizer.m] == [p.m_dtype for p in model.parameters]
        assert any(m.any() for m in model.optimizer.m)
        assert (model.optimizer.age, model.optimizer.step_count) == (0, 6 if name == "front" else 3)
        before = model.fingerprint()
        with backends.use(backend):
            for _ in range(3):
                model.step(x, y)
        after.add(model.fingerprint())
    assert len(after) == 1
    assert before not in after


def test_golden_files_are_small_and_cover_the_kinds():
    files = sorted(GOLDEN.glob("format1-*.bvar"))
    assert all(path.stat().st_size < 10_000 for path in files)
    text = b"".join(path.read_bytes() for path in files)
    assert not {name for name in BUILT_IN if f'"kind":"{name}"'.encode() not in text}


def test_the_dump_in_the_reference_is_a_golden_file():
    page = GOLDEN.parents[1] / "docs" / "reference" / "model-file.md"
    lines = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?){1,16})", page.read_text(encoding="utf-8"), re.M)
    assert [int(place, 16) for place, _ in lines] == list(range(0, 16 * len(lines), 16))
    assert bytes.fromhex("".join(text for _, text in lines)) == (GOLDEN / "format1-tiny.bvar").read_bytes()


def test_a_file_without_newer_parameters_gets_their_defaults(tmp_path):
    content, arrays = _container.read(GOLDEN / "format1-numbers.bvar")
    for name in ("n_threads", "early_stopping", "class_weight"):
        del content["fields"]["parameters"][name]
    _container.write(tmp_path / "m", content, arrays)
    model = model_file.load(tmp_path / "m")
    assert (model.n_threads, model.early_stopping, model.class_weight) == (1, False, None)
    content["fields"]["parameters"]["teleport"] = True
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=r"teleport.*newer bvar"):
        model_file.load(tmp_path / "m")


# ----------------------------------------------------------------------------------------------- bad files

SOUND = (GOLDEN / "format1-text.bvar").read_bytes()
_, _, HEADER_LENGTH, TOTAL = START.unpack(SOUND[:24])
HEADER = json.loads(SOUND[24 : 24 + HEADER_LENGTH])
PARTS = [(0, 8), (8, 12), (12, 16), (16, 24), (24, 24 + HEADER_LENGTH)]
PARTS += [
    (a["offset"], a["offset"] + int(np.prod(a["shape"], dtype=int)) * np.dtype(a["dtype"]).itemsize)
    for a in HEADER["arrays"]
]
PARTS += [(TOTAL - 32, TOTAL)]


def sealed(header, data=b"", *, magic=SOUND[:8], version=1, length=None, total=None):
    """Build a file with a right checksum, whatever it says."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = 24 + len(raw) + len(data) + 32
    body = START.pack(magic, version, len(raw) if length is None else length, size if total is None else total)
    body += raw + data
    return body + hashlib.sha256(body).digest()


def table(**changes):
    """Build a file with one array of 8 bytes, and one thing wrong about it."""
    entry = {"dtype": "uint8", "name": "a", "offset": 320, "shape": [8], **changes}
    raw = json.dumps({"arrays": [entry], "content": None, "writer": "w"}).encode()
    raw += b" " * (320 - 24 - len(raw))
    return sealed(raw, bytes(8))


def refused(tmp_path, data, match="."):
    """Loading raises ModelFileError and nothing else, in one line, with memory in proportion to the file."""
    path = tmp_path / "bad.bvar"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=match) as caught:
            model_file.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert len(text) < len(str(path)) + 300
    assert "\n" not in text
    assert peak < 2_000_000 + 4 * len(data), f"{peak} bytes for a file of {len(data)}"


def test_a_sound_file_is_not_refused(tmp_path):
    (tmp_path / "m").write_bytes(SOUND)
    model_file.load(tmp_path / "m")
    (tmp_path / "m").write_bytes(table())
    assert _container.read(tmp_path / "m")[1]["a"].tolist() == [0] * 8


def test_200_truncations_are_refused(tmp_path):
    edges = {e + d for part in PARTS for e in part for d in (-1, 0, 1)}
    sizes = sorted({n for n in edges if 0 <= n < TOTAL} | set(range(0, TOTAL, TOTAL // 200)))
    assert len(sizes) > 200
    for n in sizes:
        expected = "empty" if n == 0 else "not a bvar|truncated" if n < 24 else f"truncated: {n} of {TOTAL} bytes"
        refused(tmp_path, SOUND[:n], expected)


def test_a_flip_of_any_bit_is_refused(tmp_path):
    """Each bit of the first 24 bytes and of the checksum, one bit of every seventh other byte."""
    positions = [(i, b) for i in [*range(24), *range(TOTAL - 32, TOTAL)] for b in range(8)]
    positions += [(i, i // 7 % 8) for i in range(24, TOTAL - 32, 7)]
    assert len(positions) > 800
    for i, bit in positions:
        damaged = bytearray(SOUND)
        damaged[i] ^= 1 << bit
        refused(tmp_path, bytes(damaged), "." if i < 24 else "checksum differs")


def test_swapped_doubled_and_lost_sections_are_refused(tmp_path):
    pieces = [SOUND[a:b] for a, b in PARTS]
    count = 0
    for i in range(len(pieces)):
        refused(tmp_path, b"".join(pieces[:i] + pieces[i + 1 :]))
        refused(tmp_path, b"".join(pieces[: i + 1] + pieces[i:]))
        for j in range(i):
            swapped = list(pieces)
            swapped[i], swapped[j] = pieces[j], pieces[i]
            count += 1
            refused(tmp_path, b"".join(swapped))
    assert count > 50
    refused(tmp_path, SOUND + SOUND, "follow the end")
    refused(tmp_path, SOUND + b"\0", "1 bytes follow the end")
    refused(tmp_path, SOUND[::-1], "not a bvar")


class Bomb:
    """A pickle that would leave a trace."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


FOREIGN = {
    "text": b"col1,col2\n1,2\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "pickle": pickle.dumps(Bomb()),
    "npy": (lambda f: (np.save(f, np.array([Bomb()]), allow_pickle=True), f.getvalue())[1])(io.BytesIO()),
    "json": json.dumps(HEADER).encode(),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_refused_and_not_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    refused(tmp_path, FOREIGN[name], "not a bvar model file")
    assert not (tmp_path / "exploded").exists()


@given(data=st.binary(max_size=300), start=st.sampled_from([0, 5, 8, 12, 16, 24, 200]))
def test_garbage_is_refused(tmp_path, data, start):
    refused(tmp_path, SOUND[:start] + data)


def test_a_transfer_as_text_is_recognized(tmp_path):
    for wrong in (SOUND.replace(b"\r\n", b"\n"), SOUND.replace(b"\n", b"\r\n")):
        refused(tmp_path, wrong, "transferred as text")


@pytest.mark.parametrize("version", [2, 3, 255, 2**31, 2**32 - 1])
def test_a_newer_format_asks_for_an_upgrade(tmp_path, version):
    refused(tmp_path, sealed(HEADER, version=version), f"format {version} is newer than this bvar .* upgrade")
    refused(tmp_path, SOUND[:8] + struct.pack("<I", version) + bytes(12), "newer")  # whatever comes behind


def good(**changes):
    return {"arrays": [], "content": {"fields": {}, "kind": "Network"}, "writer": "w", **changes}


WRONG_HEADERS = {
    "version 0": (sealed(good(), version=0), "no format 0"),
    "length of 4 GB": (sealed(good(), length=2**32 - 1), "longer than"),
    "length just too large": (sealed(good(), length=2**24 + 1), "longer than"),
    "header past the end": (sealed(good(), length=len(json.dumps(good())) + 1), "does not fit"),
    "header into the checksum": (sealed(b"{}", length=30), "does not fit"),
    "total of 2**64 - 1": (sealed(good(), total=2**64 - 1), "truncated"),
    "total of 0": (sealed(good(), total=0), "follow the end"),
    "empty header": (sealed(b""), "JSON"),
    "not UTF-8": (sealed(b'{"\xff": 1}'), "JSON"),
    "not JSON": (sealed(b"{arrays}"), "JSON"),
    "text after JSON": (sealed(b"{} {}"), "JSON"),
    "NaN": (sealed(b'{"arrays": NaN}'), "float"),
    "infinity": (sealed(b'{"arrays": -Infinity}'), "float"),
    "float": (sealed(b'{"arrays": 1.5}'), "float"),
    "exponent": (sealed(b'{"arrays": 1e999}'), "float"),
    "large integer": (sealed(b'{"arrays": 9007199254740993}'), "beyond"),
    "larger integer": (sealed(b'{"arrays": ' + b"9" * 10_000 + b"}"), "beyond"),
    "key twice": (sealed(b'{"arrays": [], "arrays": [], "content": 0, "writer": ""}'), "repeats"),
    "deep lists": (sealed(b"[" * 100_000 + b"]" * 100_000), "deep"),
    "deep objects": (sealed(b'{"a":' * 1000 + b"1" + b"}" * 1000), "deep"),
    "deep and open": (sealed(b"[" * 1000), "deep"),
    "many values": (sealed(b"[" + b"0," * 2**20 + b"0]"), "values"),
    "list": (sealed([]), "keys"),
    "missing key": (sealed({"arrays": [], "content": 0}), "keys"),
    "additional key": (sealed(good(more=1)), "keys"),
    "arrays as object": (sealed(good(arrays={})), "table"),
    "data without arrays": (sealed(good(), bytes(8)), "arrays end"),
    "array as number": (sealed(good(arrays=[1])), "keys"),
    "array without shape": (sealed(good(arrays=[{"dtype": "uint8", "name": "a", "offset": 0}])), "keys"),
    "no name": (table(name=""), "name"),
    "long name": (sealed(good(arrays=[{"dtype": "uint8", "name": "a" * 1001, "offset": 0, "shape": []}])), "name"),
    "name is a list": (table(name=[]), "name"),
    "dtype object": (table(dtype="object"), "dtype"),
    "dtype O": (table(dtype="|O"), "dtype"),
    "dtype void": (table(dtype="V8"), "dtype"),
    "dtype list": (table(dtype=[["a", "uint8"]]), "dtype"),
    "dtype of code": (table(dtype="__import__('os')"), "dtype"),
    "offset in the header": (table(offset=24), "must be at"),
    "offset 0": (table(offset=0), "must be at"),
    "offset not aligned": (table(offset=321), "must be at"),
    "offset far": (table(offset=2**48), "must be at"),
    "offset negative": (table(offset=-64), "offset"),
    "offset huge": (table(offset=2**53), "offset"),
    "offset true": (table(offset=True), "offset"),
    "offset text": (table(offset="320"), "offset"),
    "shape too large": (table(shape=[9]), "beyond"),
    "shape too small": (table(shape=[7]), "arrays end"),
    "shape of 2**48": (table(shape=[2**48]), "beyond"),
    "shape that overflows": (table(shape=[2**32, 2**32]), "beyond"),
    "shape that overflows to 8": (table(shape=[2**32, 2**32, 2**3]), "beyond"),
    "shape of 8 huge": (table(shape=[2**48] * 8), "beyond"),
    "shape of 9": (table(shape=[1] * 8 + [8]), "shape"),
    "shape negative": (table(shape=[-8]), "shape"),
    "shape twice negative": (table(shape=[-2, -4]), "shape"),
    "shape float": (table(shape=["8"]), "shape"),
    "shape number": (table(shape=8), "shape"),
    "shape nothing times huge": (table(shape=[0, 2**48, 2**48, 2**48]), "arrays end"),
    "wider dtype": (table(dtype="float64"), "beyond"),
}


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_wrong_headers_with_right_checksums_are_refused(tmp_path, name):
    data, message = WRONG_HEADERS[name]
    refused(tmp_path, data, message)


def two_arrays(first, second, data):
    entries = [
        {"dtype": "uint8", "name": n, "offset": o, "shape": [s]}
        for n, (o, s) in zip(("a", "b"), (first, second), strict=True)
    ]
    raw = json.dumps({"arrays": entries, "content": None, "writer": "w"}).encode()
    return sealed(raw + b" " * (256 - 24 - len(raw)), data)


def test_arrays_that_overlap_swap_or_leave_gaps_are_refused(tmp_path):
    (tmp_path / "m").write_bytes(two_arrays((256, 64), (320, 8), bytes(72)))
    assert len(_container.read(tmp_path / "m")[1]) == 2
    refused(tmp_path, two_arrays((256, 64), (256, 64), bytes(64)), "must be at")
    refused(tmp_path, two_arrays((256, 65), (320, 8), bytes(72)), "must be at")
    refused(tmp_path, two_arrays((320, 8), (256, 64), bytes(72)), "must be at")
    refused(tmp_path, two_arrays((256, 8), (384, 8), bytes(136)), "must be at")
    refused(tmp_path, two_arrays((256, 8), (320, 8), bytes(8) + b"\1" + bytes(63)), "not zero")
    twice = table().replace(b'"name": "a"', b'"name": "b"')
    assert twice != table()
    raw = two_arrays((256, 8), (320, 8), bytes(72))[24:-32].replace(b'"name": "b"', b'"name": "a"')
    refused(tmp_path, sealed(raw[:232], raw[232:]), "twice")


def test_a_boolean_is_0_or_1(tmp_path):
    refused(tmp_path, table(dtype="bool")[:-40] + b"", "truncated")
    raw = table(dtype="bool")[24:-32]
    refused(tmp_path, sealed(raw[:296], raw[296:-1] + b"\2"), "neither 0 nor 1")


def test_a_sparse_file_of_a_terabyte_is_refused_at_once(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(START.pack(SOUND[:8], 1, 2**24 + 1, 2**40))
    os.truncate(path, 2**40)
    with pytest.raises(ModelFileError, match="longer than"):
        model_file.load(path)


def test_not_a_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        model_file.load(tmp_path / "m")
    with pytest.raises(OSError):
        model_file.load(tmp_path)
    if os.path.exists(os.devnull) and os.name == "posix":
        with pytest.raises(ModelFileError, match="not a regular file"):
            model_file.load(os.devnull)


def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "m"
    path.write_bytes(SOUND)
    check = _container._check_sum

    def shrink(file, total):
        check(file, total)
        os.truncate(path, TOTAL - 100)

    monkeypatch.setattr(_container, "_check_sum", shrink)
    with pytest.raises(ModelFileError, match="truncated"):
        model_file.load(path)


# ------------------------------------------------------------------------------ sound files, hostile contents

GOLDEN_NAMES = [p.stem for p in sorted(GOLDEN.glob("*.bvar"))]
REPLACEMENTS = [
    None,
    True,
    -1,
    0,
    1,
    2**53,
    "x",
    "",
    [],
    {},
    [[]],
    {"float": "nan"},
    {"array": "x"},
    {"tuple": [1]},
]


def places(value, way=()):
    """Every path into a JSON value."""
    yield way
    for key in range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ():
        yield from places(value[key], (*way, key))


def replaced(value, way, new):
    result = copy.deepcopy(value)
    spot = result
    for key in way[:-1]:
        spot = spot[key]
    if new is places:  # a mark: remove
        del spot[way[-1]]
    else:
        spot[way[-1]] = new
    return result


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_any_change_of_the_contents_gives_a_model_or_a_model_file_error(tmp_path, name):
    content, arrays = _container.read(GOLDEN / f"{name}.bvar")
    path, n_refused, n_tried = tmp_path / "m", 0, 0
    ways = [way for way in places(content) if way]
    random = np.random.RandomState(1)
    for way in ways:
        for new in [places, *(REPLACEMENTS[i] for i in random.choice(len(REPLACEMENTS), 3, replace=False))]:
            _container.write(path, replaced(content, way, new), arrays)
            n_tried += 1
            try:
                model_file.load(path)
            except ModelFileError:
                n_refused += 1
    assert n_tried > 100
    assert n_refused > n_tried / 2


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_any_change_of_an_array_gives_a_model_or_a_model_file_error(tmp_path, name):
    content, arrays = _container.read(GOLDEN / f"{name}.bvar")
    path = tmp_path / "m"
    for key, array in arrays.items():
        array = np.atleast_1d(array)
        ones = np.full(array.nbytes, 255, np.uint8).view(array.dtype).reshape(array.shape)
        changes = [
            array[:0],
            array[:-1],
            array[None],
            array.astype("f4"),
            array.astype("i1"),
            array.reshape(-1)[0],
        ]
        for new in [*changes, ones, np.zeros((2, 2, 2)), np.zeros(0)]:
            _container.write(path, content, {**arrays, key: np.asarray(new)})
            with contextlib.suppress(ModelFileError):
                model_file.load(path)
        fewer = {k: a for k, a in arrays.items() if k != key}
        _container.write(path, content, fewer)
        with pytest.raises(ModelFileError, match="no array"):
            model_file.load(path)
        _container.write(path, content, {**arrays, "more": array})
        with pytest.raises(ModelFileError, match="belongs to nothing"):
            model_file.load(path)


def hostile(tmp_path, name, way, new, match):
    """Change one thing in a golden file and seal it again; `new` may be a function of the old value."""
    content, arrays = _container.read(GOLDEN / f"format1-{name}.bvar")
    spot = both = {"content": content, "arrays": arrays}
    for key in way[:-1]:
        spot = spot[key]
    spot[way[-1]] = new(spot[way[-1]]) if callable(new) else new
    _container.write(tmp_path / "h", both["content"], arrays)
    refused(tmp_path, (tmp_path / "h").read_bytes(), match)


ATTRIBUTES = ("content", "fields", "attributes")
NETWORK = (*ATTRIBUTES, "network_", "object", "fields")
LAYERS = (*NETWORK, "layers")
W = "model.network_.layers.0.weight"


def set_bit(words):
    words = words.copy()
    words[0, -1] |= np.uint64(1) << np.uint64(63)
    return words


HOSTILE = {
    "unknown kind": (("content", "kind"), "os.system", "unknown kind 'os.system'"),
    "kind of a class outside": (("content", "kind"), "LogisticRegression", "unknown kind"),
    "kind as a list": (("content", "kind"), ["Network"], "unknown kind"),
    "root is empty": (("content",), {"fields": {}, "kind": "Threshold"}, "must have the fields"),
    "method hidden": (ATTRIBUTES, lambda a: {**a, "predict": 1}, "'predict' cannot be an attribute"),
    "property hidden": (ATTRIBUTES, lambda a: {**a, "__class__": 1}, "cannot be an attribute"),
    "dict hidden": (ATTRIBUTES, lambda a: {**a, "__dict__": {"dict": []}}, "cannot be an attribute"),
    "documentation hidden": (ATTRIBUTES, lambda a: {**a, "__doc__": "x"}, "cannot be an attribute"),
    "no name": (ATTRIBUTES, lambda a: {**a, "a b": 1}, "cannot be an attribute"),
    "parameter as attribute": (ATTRIBUTES, lambda a: {**a, "eta": 1}, "'eta' cannot be an attribute"),
    "unknown parameter": (("content", "fields", "parameters", "boost"), None, "unknown parameters"),
    "unknown form": ((*ATTRIBUTES, "backend_"), {"pickle": "gASV"}, "unknown form 'pickle'"),
    "two forms": ((*ATTRIBUTES, "backend_"), {"int": "1", "float": "nan"}, "one tag"),
    "decimal float": ((*ATTRIBUTES, "x_"), {"float": "0.1"}, "hexadecimal"),
    "long integer": ((*ATTRIBUTES, "x_"), {"int": "9" * 5000}, "decimal integer"),
    "array used twice": ((*ATTRIBUTES, "x_"), {"array": W}, "used before"),
    "key twice": ((*ATTRIBUTES, "x_"), {"dict": [[1, 2], [1, 3]]}, "key appears twice"),
    "key of a list": ((*ATTRIBUTES, "x_"), {"dict": [[[1], 2]]}, "unhashable"),
    "objects of another shape": ((*ATTRIBUTES, "x_"), {"objects": {"items": [1], "shape": [2**40]}}, "do not fit"),
    "not fitted": ((*ATTRIBUTES,), {}, "belongs to nothing"),
    "padding bits": (("arrays", W), set_bit, "padding must be zero"),
    "wrong number of bits": ((*LAYERS, 0, "object", "fields", "weight", "bits", "n_bits"), 65, "does not fit"),
    "other number of bits": ((*LAYERS, 0, "object", "fields", "weight", "bits", "n_bits"), 63, "does not fit"),
    "no layers": (LAYERS, [], "list of layers"),
    "a loss as a layer": (LAYERS, lambda v: [*v, {"float": "nan"}], "list of layers"),
    "layers out of order": (LAYERS, lambda v: [v[0], v[1], v[3], v[2], v[4]], "does not fit the layer below"),
    "a pair of layers lost": (LAYERS, lambda v: [v[0], v[1], v[4]], "does not fit the layer below"),
    "a threshold of another width": (LAYERS, lambda v: [v[0], v[3], v[4]], "does not fit the layer below"),
    "a threshold at the end": (LAYERS, lambda v: v[:4], "must give scores"),
    "a layer lost": (LAYERS, lambda v: v[:1] + v[2:], "does not fit the layer below"),
    "gate 16": ((*LAYERS, 0, "object", "fields", "gate"), 16, "gate"),
    "gate that ignores": ((*LAYERS, 0, "object", "fields", "gate"), 0, "cannot learn"),
    "gate as text": ((*LAYERS, 0, "object", "fields", "gate"), {"tuple": []}, "gate"),
    "thresholds that fall": (("arrays", "model.encoder_.thresholds_"), lambda a: a[::-1].copy(), "that rise"),
    "thresholds NaN": (("arrays", "model.encoder_.thresholds_"), lambda a: a * np.nan, "that rise"),
    "ends that fall": (("arrays", "model.encoder_.thresholds_.ends"), lambda a: a[::-1].copy(), "must rise"),
    "ends too early": (("arrays", "model.encoder_.thresholds_.ends"), lambda a: np.minimum(a, 3), "ends of rows"),
    "ends too late": (("arrays", "model.encoder_.thresholds_.ends"), lambda a: a * a, "ends of rows"),
    "too many features": ((*ATTRIBUTES, "n_features_in_"), 2**50, "other features"),
    "classes": (("arrays", "model.classes_"), lambda a: a[:2], "do not fit the scores"),
    "code point": (("arrays", "model.classes_"), lambda a: a + np.uint32(0x110000), "code point"),
    "table of zeros": (("arrays", "model.network_.loss.table"), lambda a: a * 0, "table must be"),
    "negative table": (("arrays", "model.network_.loss.table"), lambda a: -a, "table must be"),
    "empty table": (("arrays", "model.network_.layers.1.table"), lambda a: a[:0], "table must be"),
    "shift": ((*LAYERS, 1, "object", "fields", "shift"), 21, "shift must be 20"),
    "eta NaN": ((*NETWORK, "optimizer", "object", "fields", "eta"), {"float": "nan"}, "eta must be"),
    "history beyond the float": ((*ATTRIBUTES, "x_"), {"float": "0x1.0p+9999"}, "too large|Overflow|parts"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_contents_with_a_right_checksum_are_refused(tmp_path, name):
    hostile(tmp_path, "text", *HOSTILE[name])


def test_accumulators_that_do_not_fit_are_refused(tmp_path):
    m = "model.optimizer.m.0"
    changes = [lambda a: a[:1], lambda a: a.T.copy(), lambda a: a[None], lambda a: a * np.nan]
    changes += [lambda a, dtype=dtype: a.astype(dtype) for dtype in ("f8", "i4", "u2")]
    for new in changes:
        hostile(tmp_path, "network", ("arrays", m), new, "accumulators do not fit")
    here = ("content", "fields", "optimizer", "object", "fields")
    hostile(tmp_path, "network", (*here, "step_count"), -1, "step_count")
    hostile(tmp_path, "network", (*here, "beta"), [], "accumulators do not fit")


# ------------------------------------------------------------------------------------------------ atomicity


def fail(*_, **__):
    raise OSError(28, "No space left on device")


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("failure", [fail, interrupt])
@pytest.mark.parametrize("where", ["os.fsync", "os.replace", "hashlib.sha256", "half"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_failed_save_changes_nothing(tmp_path, monkeypatch, where, exists, failure):
    path, model = tmp_path / "m.bvar", quick().fit(X, CODES)
    if exists:
        path.write_bytes(b"what was there")
    if where == "half":

        class Half(io.FileIO):
            def write(self, data):
                if self.tell() > 100:
                    failure()
                return super().write(data)

        monkeypatch.setattr(_replacing, "open", lambda name, mode: Half(name, mode), raising=False)
    else:
        module = where.split(".")[0]
        monkeypatch.setattr({"os": _replacing, "hashlib": _container}[module], module, Failing(where, failure))
    with pytest.raises((OSError, KeyboardInterrupt)):
        model_file.save(model, path)
    assert [p.name for p in tmp_path.iterdir()] == (["m.bvar"] if exists else [])
    assert not exists or path.read_bytes() == b"what was there"


class Failing:
    """A module of which one function fails."""

    def __init__(self, name, failure):
        module, self.name = name.split(".")
        self.module, self.failure = {"os": os, "hashlib": hashlib}[module], failure

    def __getattr__(self, name):
        return self.failure if name == self.name else getattr(self.module, name)


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    """At every moment of a save there is a whole file under the name."""
    path = tmp_path / "m.bvar"
    old, new = quick().fit(X, CODES), quick(random_state=1).fit(X, CODES)
    model_file.save(old, path)
    seen = []
    replace = os.replace

    def look(source, target):
        seen.append(model_file.load(path).network_.fingerprint())
        seen.append(model_file.load(source).network_.fingerprint())  # whole before it gets the name
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    model_file.save(new, path)
    assert seen == [old.network_.fingerprint(), new.network_.fingerprint()]
    assert model_file.load(path).network_.fingerprint() == new.network_.fingerprint()


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_modes_and_links_stay(tmp_path):
    path, link, model = tmp_path / "m.bvar", tmp_path / "link", quick().fit(X, CODES)
    model_file.save(model, path)
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    path.chmod(0o640)
    link.symlink_to(path)
    model_file.save(model, link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert_same_model(model_file.load(link), model)


def test_a_bad_path_is_told_before_anything_is_written(tmp_path):
    model = quick().fit(X, CODES)
    with pytest.raises(FileNotFoundError):
        model_file.save(model, tmp_path / "no" / "m")
    with pytest.raises(TypeError):
        model_file.save(model, 3)
    with pytest.raises(OSError):
        model_file.save(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_limits_of_the_format_are_told_when_saving(tmp_path, monkeypatch):
    monkeypatch.setattr(_container, "MAX_HEADER", 1000)
    with pytest.raises(ValueError, match="limits of the format"):
        model_file.save(quick().fit(X, CODES), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_accumulators_of_old_files_beyond_every_range_are_kept_within_it():
    weight, offset = Parameter("w", kernels.pack(np.ones((1, 3), bool))), Offset("o", np.zeros(3, np.int32), 9)
    old = np.array([3e38, -3e38, 0.5], np.float32)
    for dtype, parameter in ((np.int16, weight), (np.int32, offset)):
        new = _in_fixed_point(old.reshape(parameter.shape), parameter).ravel()
        most = np.iinfo(dtype).max
        assert new.dtype == dtype
        assert new.tolist() == [most, -most, 2 ** (parameter.m_bits - 1)]


def test_an_integer_too_long_to_be_read_again_is_not_written(tmp_path):
    model = BooleanClassifier((8,), max_iter=1, random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    model.random_state = 10**1000 - 1
    model_file.save(model, tmp_path / "m.bvar")
    assert model_file.load(tmp_path / "m.bvar").random_state == 10**1000 - 1
    before = (tmp_path / "m.bvar").read_bytes()
    model.random_state = 10**1000
    with pytest.raises(ValueError, match="cannot save an integer of more than 1000 digits"):
        model_file.save(model, tmp_path / "m.bvar")
    assert (tmp_path / "m.bvar").read_bytes() == before


def linear(n_inputs, n_outputs):
    return BooleanLinear(n_inputs, n_outputs, random_state=n_inputs)


HANDED_ON = {
    "sums": [GateLayer(20, 64), Add([[SignalScale(4), linear(64, 4)], [SignalScale(4), linear(64, 4)]])],
    "beside": [
        linear(20, 64),
        Threshold(64, 20, 3),
        Concatenate([SignalScale(4), GateLayer(64, 5)]),
        linear(69, 4),
    ],
}


@pytest.mark.parametrize("layers", HANDED_ON.values(), ids=HANDED_ON)
def test_stacks_may_begin_with_layers_that_take_any_width(tmp_path, layers):
    network = Network(layers, CrossEntropy(64), BooleanOptimizer())
    model_file.save(network, tmp_path / "m.bvar")
    x = kernels.pack(np.random.RandomState(0).rand(9, 20) < 0.5)
    assert (model_file.load(tmp_path / "m.bvar").scores(x) == network.scores(x)).all()


OTHER_VOTES = {
    "linear": (linear(20, 3), {"is_clipped": False}),
    "linear, louder": (linear(20, 3), {"rms": 2}),
    "convolution": (BooleanConv2d((4, 5, 1), 3, 1), {"is_clipped": False}),
    "convolution, louder": (BooleanConv2d((4, 5, 1), 3, 1), {"rms": 2}),
    "numbers": (SignedSum(20, 3), {"is_clipped": False}),
    "gates, louder": (GateLayer(20, 3), {"rms": 2}),
    "trees": (GateConv2d((4, 5, 1), 3, 2, depth=1), {"is_clipped": True}),
}


@pytest.mark.parametrize(("layer", "change"), OTHER_VOTES.values(), ids=OTHER_VOTES)
def test_parameters_that_count_votes_otherwise_are_not_lost_in_silence(tmp_path, layer, change):
    vars(layer.parameters[0]).update(change)
    with pytest.raises(TypeError, match=r"must have rms .* as its layer made it: a model file holds nothing else"):
        model_file.save(Network([layer], CrossEntropy(64), BooleanOptimizer()), tmp_path / "m.bvar")
    assert not list(tmp_path.iterdir())
