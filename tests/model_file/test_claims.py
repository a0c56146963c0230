"""What a file claims costs nothing until it is true, and what it says to have learnt can have been learnt."""

import copy
import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from test_model_file import sealed

from bvar import BooleanClassifier, BooleanRegressor, kernels, model_file
from bvar.encoding import TableEncoder
from bvar.layers import BooleanConv2d, GateLayer, GroupSum
from bvar.model_file import ModelFileError, _container
from bvar.networks import BooleanOptimizer, Network, SquaredError

GOLDEN = Path(__file__).parents[1] / "golden"
MOST, EACH = 2**27, 10  # bytes of memory: in all, and for each byte of the file (docs/reference/model-file.md)


def costs(path):
    """Load a file, refused or not; return the seconds and the bytes that it took at most."""
    tracemalloc.start()
    started = time.process_time()
    try:
        model_file.load(path)
    except ModelFileError:
        pass
    finally:
        seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, peak


PART = 8  # of the largest header, so that the tests are quick: the bound is in proportion
M = 2**24 // PART
AROUND = b'{"arrays":[],"content":%s,"writer":"w"}'
SQUARED = AROUND % b'{"kind":"SquaredError","fields":{"scale":%s}}'
HEADERS = {
    "unfinished string of escaped quotes": b'"' + b'\\"' * 40_000,
    "a long one": b'"' + b'\\"' * (M // 2),
    "quotes": b'"' * M,
    "backslashes": b"\\" * M,
    "closing brackets": b"]" * M,
    "brackets in a string that ends in a backslash": b'["' + b"[" * 1000 + b"\\",
    "escapes": AROUND % (b'"%s"' % (b"\\n" * (M // 2))),
    "escapes between letters": AROUND % (b'"%s"' % (b"\\na" * (M // 3))),
    "code points": AROUND % (b'"%s"' % (b"\\u4e2d" * (M // 6))),
    "empty lists": SQUARED % (b"[%s]" % b",".join([b"[]"] * (2**19 // PART))),
    "small objects": SQUARED % (b"[%s]" % b",".join([b'{"a":1}'] * (2**19 // PART))),
    "texts": SQUARED % (b"[%s]" % b",".join([b'"ab%d"' % i for i in range(2**20 // PART)])),
    "floats": SQUARED % (b"[%s]" % b",".join([b'{"float":"nan"}'] * (2**19 // PART))),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_costs_time_and_memory_in_proportion(tmp_path, name):
    path, data = tmp_path / "m", sealed(HEADERS[name])
    path.write_bytes(data)
    seconds, peak = costs(path)
    assert peak < MOST // PART + EACH * len(data)
    assert seconds < 1 + 20e-6 * len(data)  # traced; it is some 1e-6 for each byte without


def test_the_time_for_an_unfinished_string_is_linear(tmp_path):
    """Twice the length takes about twice the time, not four times."""

    def seconds(n):
        (tmp_path / "m").write_bytes(sealed(b'"' + b'\\"' * n))
        return min(costs(tmp_path / "m")[0] for _ in range(3))

    assert seconds(80_000) < 3 * seconds(40_000) + 0.05


def claim(tmp_path, network, change, n_arrays=None):
    """Save a network, change the fields of its first layer, and return the path."""
    path = tmp_path / "m"
    model_file.save(network, path)
    content, arrays = _container.read(path)
    change(content["fields"]["layers"][0]["object"]["fields"], arrays)
    _container.write(path, content, arrays)
    return path


def gates():
    return Network([GateLayer(8, 4, random_state=0), GroupSum(4, 2)], SquaredError(1), BooleanOptimizer())


def convolution(**options):
    return Network([BooleanConv2d((4, 4, 1), 2, random_state=0, **options)], SquaredError(1), BooleanOptimizer())


WEIGHT = "model.layers.0.weight"
CLAIMS = {
    "inputs of gates": (gates, lambda f, a: f.update(n_inputs=2**28)),
    "more of them": (gates, lambda f, a: f.update(n_inputs=2**31 - 2)),
    "columns of wires": (gates, lambda f, a: a.update({"model.layers.0.wires": np.zeros((0, 2**40), np.int32)})),
    "image": (convolution, lambda f, a: f.update(image_shape=[40_000, 40_000, 1])),
    "padded image": (lambda: convolution(padding=1), lambda f, a: f.update(image_shape=[40_000, 40_000, 1])),
    "channels": (convolution, lambda f, a: f.update(image_shape=[4, 4, 2**28])),
    "window": (convolution, lambda f, a: f.update(image_shape=[2**14, 2**14, 1], size=[2**14, 2**14])),
    "filters of no bits": (convolution, lambda f, a: a.update({WEIGHT: np.zeros((2**20, 0), np.uint64)})),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_size_that_a_small_file_claims_makes_nothing_large(tmp_path, name):
    make, change = CLAIMS[name]
    path = claim(tmp_path, make(), change)
    seconds, peak = costs(path)
    assert peak < 2**20 + EACH * path.stat().st_size
    assert seconds < 1


def test_a_layer_of_gates_makes_its_way_back_when_training_needs_it(tmp_path):
    model_file.save(gates(), tmp_path / "m")
    network, bits = model_file.load(tmp_path / "m"), kernels.pack(np.random.RandomState(0).rand(9, 8) < 0.5)
    network.scores(bits)
    assert not {"starts", "readers"} & vars(network.layers[0].wiring).keys()
    network.apply(network.votes(bits, np.zeros((9, 2), np.int64)))
    assert network.fingerprint() == _trained(gates(), bits).fingerprint()


def _trained(network, bits):
    network.apply(network.votes(bits, np.zeros((bits.n_rows, 2), np.int64)))
    return network


def test_rows_that_are_empty_are_bounded(tmp_path):
    """An array of no numbers takes fourteen times the eight bytes of its end."""
    content, arrays = _container.read(GOLDEN / "format1-text.bvar")
    content["fields"]["attributes"]["x_"] = {"rows": ["v", "e"]}
    arrays |= {"v": np.zeros(0), "e": np.zeros(2**21, np.uint64)}
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match="rows are empty"):
        model_file.load(tmp_path / "m")
    assert costs(tmp_path / "m")[1] < 2**26 + EACH * (tmp_path / "m").stat().st_size


def test_a_lack_of_memory_is_told_as_what_it_is(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    for name in ("_array", "_parse"):
        with monkeypatch.context() as patch:
            patch.setattr(_container, name, fail)
            with pytest.raises(ModelFileError, match="not enough memory"):
                model_file.load(GOLDEN / "format1-text.bvar")


# ------------------------------------------------------------------------------------------- learnt values

ATTRIBUTES = ("content", "fields", "attributes")
PARAMETERS = ("content", "fields", "parameters")
ENCODER = (*ATTRIBUTES, "encoder_", "object", "fields")
LEARNT_BY_ENCODER = (*ENCODER, "attributes")
ENDS = "model.encoder_.thresholds_.ends"


def nan_at_0(a):
    a = a.copy()
    a.flat[0] = np.nan
    return a


NUMBERS = {"objects": {"items": [1, 2, 3], "shape": [3]}}


def reverse(a):
    return a[::-1].copy()


def no_widths(fields):
    return {**fields, "attributes": {k: v for k, v in fields["attributes"].items() if k != "n_bits_out_"}}


def twice(columns):
    return [column * 2 if isinstance(column, list) else column for column in columns]


LEARNT = {
    "deviation of -inf": (
        "targets",
        ("arrays", "model.target_std_"),
        lambda a: a - np.inf,
        "target_std_ must be finite",
    ),
    "deviation of -1": ("targets", ("arrays", "model.target_std_"), lambda a: a * 0 - 1, "must not be negative"),
    "mean of NaN": ("targets", ("arrays", "model.target_mean_"), nan_at_0, "target_mean_ must be finite"),
    "unit of inf": ("targets", (*ATTRIBUTES, "unit_"), {"float": "inf"}, "unit_ must be a finite number"),
    "unit of 0": ("targets", (*ATTRIBUTES, "unit_"), {"float": "0x0.0p+0"}, "unit_ must be a finite number"),
    "one dimension of two": ("targets", (*ATTRIBUTES, "target_ndim_"), 1, "target_ndim_ must be 2"),
    "classes that are equal": ("numbers", ("arrays", "model.classes_"), lambda a: a * 0 + 1, "classes_ must rise"),
    "classes that fall": ("numbers", ("arrays", "model.classes_"), reverse, "classes_ must rise"),
    "classes of NaN": ("numbers", ("arrays", "model.classes_"), lambda a: a * np.nan, "classes_ must"),
    "backend of 64": ("numbers", (*PARAMETERS, "backend"), 64, "backend must be None or a name, got 64"),
    "threads of text": ("numbers", (*PARAMETERS, "n_threads"), "linear2", "n_threads must be an integer"),
    "eta of text": ("numbers", (*PARAMETERS, "eta"), "x", "eta must be a finite number"),
    "no epochs": ("numbers", (*PARAMETERS, "max_iter"), 0, "max_iter must be an integer"),
    "no batch": ("numbers", (*PARAMETERS, "batch_size"), 0, "batch_size must be"),
    "seed of text": ("numbers", (*PARAMETERS, "random_state"), "0", "random_state must be an integer"),
    "negative seed": ("numbers", (*PARAMETERS, "random_state"), -1, "random_state must be an integer"),
    "sizes of text": ("numbers", (*PARAMETERS, "hidden_layer_sizes"), "x", "hidden_layer_sizes must be"),
    "encoder of text": ("numbers", (*PARAMETERS, "encoder"), "x", "encoder must be"),
    "no widths": ("numbers", ENCODER, no_widths, "n_bits_out_"),
    "no number of features": (
        "numbers",
        (*LEARNT_BY_ENCODER, "n_features_in_"),
        None,
        "n_features_in_ must be",
    ),
    "threshold lost": (
        "numbers",
        ("arrays", ENDS),
        lambda a: a[[0, 0, 2]],
        "that rise",
    ),
    "bits of text": ("numbers", (*ENCODER, "parameters", "n_bits"), "8", "n_bits must be an integer"),
    "strategy": ("numbers", (*ENCODER, "parameters", "strategy"), "best", "strategy must be one of"),
    "history": ("numbers", (*ATTRIBUTES, "history_"), 3, "history_ must be a dict of lists"),
    "negative epochs": ("numbers", (*ATTRIBUTES, "n_iter_"), -1, "n_iter_ must be an integer"),
    "names of numbers": ("text", (*ATTRIBUTES, "feature_names_in_"), NUMBERS, "names do not fit"),
    "category twice": ("table", (*LEARNT_BY_ENCODER, "categories_"), twice, "distinct text or numbers"),
    "mean of NaN in floats": ("floats", ("arrays", "model.mean_"), nan_at_0, "mean_ must be finite"),
    "deviation of 0 in floats": ("floats", ("arrays", "model.std_"), lambda a: a * 0, "std_ must be positive"),
    "weights of NaN in floats": ("floats", ("arrays", "model.coefs_.0"), nan_at_0, "coefs_ and intercepts_"),
    "weights that do not chain": (
        "floats",
        ("arrays", "model.coefs_.1"),
        lambda a: a[1:],
        "coefs_ and intercepts_",
    ),
    "classes that fall in floats": (
        "floats",
        ("arrays", "model.classes_"),
        lambda a: a[::-1].copy(),
        "classes_ must rise",
    ),
}


@pytest.mark.parametrize("name", LEARNT)
def test_learnt_values_and_parameters_that_cannot_be_are_refused(tmp_path, name):
    file, way, new, match = LEARNT[name]
    content, arrays = copy.deepcopy(_container.read(GOLDEN / f"format1-{file}.bvar"))
    spot = {"content": content, "arrays": arrays}
    for key in way[:-1]:
        spot = spot[key]
    spot[way[-1]] = new(spot[way[-1]]) if callable(new) else new
    used = json.dumps(content)
    _container.write(tmp_path / "m", content, {key: a for key, a in arrays.items() if json.dumps(key) in used})
    with pytest.raises(ModelFileError, match=match):
        model_file.load(tmp_path / "m")


def test_an_encoder_alone_without_its_widths_is_refused(tmp_path):
    model_file.save(TableEncoder().fit([[1.0], [2.0]]), tmp_path / "m")
    content, arrays = _container.read(tmp_path / "m")
    del content["fields"]["attributes"]["n_bits_out_"]
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match="n_bits_out_"):
        model_file.load(tmp_path / "m")


def test_a_parameter_that_would_not_load_is_not_saved(tmp_path):
    x = np.random.RandomState(0).rand(30, 2)
    for model, name, value in (
        (BooleanClassifier((8,), max_iter=1).fit(x, x[:, 0] > 0.5), "n_threads", "two"),
        (BooleanRegressor((8,), max_iter=1).fit(x, x[:, 0]), "backend", 64),
    ):
        model.set_params(**{name: value})
        with pytest.raises(ValueError, match=rf"model: {name} must be"):
            model.save(tmp_path / "m")
        assert not (tmp_path / "m").exists()
