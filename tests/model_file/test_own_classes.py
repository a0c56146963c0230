"""Classes from outside the package: registered, they are saved and load as the built-in ones do."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import bvar.layers
from bvar import BooleanClassifier, kernels, layers, model_file, networks, real
from bvar.encoding import ThermometerEncoder
from bvar.layers import BooleanLinear, Layer, Parameter, Threshold
from bvar.model_file import ModelFileError, _container, _kinds
from bvar.networks import Network, SquaredError, boolean_mlp
from bvar.networks.losses import Loss
from bvar.networks.optimizer import BooleanOptimizer

GOLDEN = Path(__file__).parents[1] / "golden"
X = np.random.RandomState(0).rand(60, 6) < 0.5
BUILT_IN = dict(_kinds.KINDS)  # before any test, here or elsewhere, registers its own


@pytest.fixture(autouse=True)
def _registry():
    """Leave the registry as it was."""
    before = dict(_kinds.KINDS)
    yield
    _kinds.KINDS.clear()
    _kinds.KINDS.update(before)


class Reversal(Layer):
    """Bits in reverse order, each negated where its weight is F."""

    def __init__(self, signs):
        self.signs = Parameter("signs", signs)
        self.parameters = (self.signs,)

    n_inputs = n_outputs = property(lambda self: self.signs.bits.n_bits)

    def forward(self, x):
        bits = kernels.unpack(x)[:, ::-1] == kernels.unpack(self.signs.bits)
        return kernels.pack(bits), x

    def backward(self, signal, context):
        return np.where(kernels.unpack(self.signs.bits), signal, -signal)[:, ::-1].astype(np.int32)

    def votes(self, signal, context):
        ones = np.where(kernels.unpack(context)[:, ::-1], 1, -1)
        return ((signal * ones).sum(axis=0, keepdims=True, dtype=np.int32),)


class Patient(SquaredError):
    """A squared error with a dead zone."""

    def __init__(self, scale, patience=3):
        super().__init__(scale)
        self.patience = patience


class HalfEncoder(ThermometerEncoder):
    """Thermometers of half as many bits."""


def register_all():
    model_file.register(
        Reversal,
        save=lambda layer: {"signs": layer.signs.bits},
        load=lambda signs: Reversal(signs),
        made_again=("parameters",),
        takes="bits",
        gives="bits",
    )
    model_file.register(Patient)
    model_file.register(HalfEncoder)


def own_network(seed=0):
    network = boolean_mlp([6, 8, 2], random_state=seed)
    signs = kernels.pack(np.random.RandomState(seed).rand(1, 6) < 0.5)
    return Network([Reversal(signs), *network.layers], Patient(4, patience=5), BooleanOptimizer())


def test_a_layer_and_a_loss_from_outside_train_and_come_back(tmp_path):
    """Save, load, equal predictions, and training that goes on to equal weights."""
    register_all()
    network, bits = own_network(), kernels.pack(X)
    y = np.where(X[:, :2], 3, -3)
    for _ in range(5):
        network.apply(network.votes(bits, y))
    model_file.save(network, tmp_path / "m", training_state=True)
    again = model_file.load(tmp_path / "m")
    assert type(again.layers[0]) is Reversal
    assert vars(again.loss) == {"scale": 4, "patience": 5}
    assert (again.scores(bits) == network.scores(bits)).all()
    for model in (network, again):
        model.apply(model.votes(bits, y))
    assert again.fingerprint() == network.fingerprint()


def test_an_encoder_from_outside_comes_back_in_its_estimator(tmp_path):
    register_all()
    model = BooleanClassifier((8,), encoder=HalfEncoder(3), max_iter=2, random_state=0)
    numbers = np.random.RandomState(0).rand(40, 3)
    model.fit(numbers, numbers[:, 0] > 0.5).save(tmp_path / "m")
    again = model_file.load(tmp_path / "m")
    assert type(again.encoder_) is HalfEncoder
    assert (again.decision_function(numbers) == model.decision_function(numbers)).all()


def test_the_error_for_an_unregistered_class_says_how_to_register_it(tmp_path):
    with pytest.raises(TypeError, match=r"model\.layers\.0: .*Reversal.*bvar\.model_file\.register"):
        model_file.save(own_network(), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_a_class_that_is_not_registered_here_says_what_to_import(tmp_path):
    register_all()
    model_file.save(own_network(), tmp_path / "m")
    del _kinds.KINDS["Reversal"]
    with pytest.raises(ModelFileError, match=r"unknown kind 'Reversal': import the module that registers it"):
        model_file.load(tmp_path / "m")


def test_loading_imports_and_runs_nothing_that_a_file_names(tmp_path):
    """A fresh interpreter that has not registered the class refuses the file, and does not import its module."""
    register_all()
    model_file.save(own_network(), tmp_path / "m")
    program = (
        "import sys; from bvar import model_file\n"
        f"try: model_file.load({str(tmp_path / 'm')!r})\n"
        "except model_file.ModelFileError: print('refused', 'test_own_classes' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["refused", "False"]


def test_a_layer_from_outside_must_fit_its_neighbours(tmp_path):
    register_all()
    network = own_network()
    model_file.save(network, tmp_path / "m")
    content, arrays = _container.read(tmp_path / "m")
    layers = content["fields"]["layers"]
    layers[:2] = layers[1::-1]  # it takes bits, and gets sums
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=r"layers\.1 does not fit the layer below"):
        model_file.load(tmp_path / "m")


def test_what_would_not_load_is_not_saved(tmp_path):
    register_all()
    network = own_network()
    network.layers = (network.layers[1], network.layers[0], *network.layers[2:])
    with pytest.raises(ValueError, match=r"layers\.1 does not fit the layer below"):
        model_file.save(network, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_an_attribute_that_the_fields_leave_out_is_not_lost_in_silence(tmp_path):
    register_all()
    network = own_network()
    network.loss.more = 1
    with pytest.raises(TypeError, match=r"model\.loss: .*attributes \['more'\]"):
        model_file.save(network, tmp_path / "m")


def test_a_default_constructor_that_hides_its_arguments_is_told(tmp_path):
    class Hidden(SquaredError):
        def __init__(self, scale, secret):
            super().__init__(scale)

    model_file.register(Hidden, name="Hidden")
    network = Network(boolean_mlp([3, 2]).layers, Hidden(2, 3), BooleanOptimizer())
    with pytest.raises(TypeError, match=r"no attributes \['secret'\].*save and a load"):
        model_file.save(network, tmp_path / "m")


def test_what_the_loader_or_the_check_refuses_is_a_model_file_error(tmp_path):
    def check(loss):
        if loss.patience > 4:
            raise ValueError("patience must be at most 4")

    register_all()
    model_file.save(own_network(), tmp_path / "m")
    model_file.register(Patient, check=check)
    with pytest.raises(ModelFileError, match=r"model\.loss: .*patience must be at most 4"):
        model_file.load(tmp_path / "m")


def test_a_field_with_a_default_may_be_missing_and_no_other(tmp_path):
    register_all()
    model_file.save(own_network(), tmp_path / "m")
    content, arrays = _container.read(tmp_path / "m")
    loss = content["fields"]["loss"]["object"]["fields"]
    del loss["patience"]
    _container.write(tmp_path / "m", content, arrays)
    assert model_file.load(tmp_path / "m").loss.patience == 3
    del loss["scale"]
    _container.write(tmp_path / "m", content, arrays)
    with pytest.raises(ModelFileError, match=r"must have the fields \['patience', 'scale'\]"):
        model_file.load(tmp_path / "m")


def test_registering_a_cell_again_replaces_the_class():
    first = model_file.register(type("Mine", (SquaredError,), {"__module__": "notebook"}))
    second = model_file.register(type("Mine", (SquaredError,), {"__module__": "notebook"}))
    assert _kinds.KINDS["Mine"].cls is second is not first


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((SquaredError(1),), TypeError, "class_ must be a class"),
        ((Patient, {"name": "SquaredError"}), ValueError, r"'SquaredError' belongs to bvar.*SquaredError"),
        ((Patient, {"name": "a b"}), ValueError, "letters, digits"),
        ((Patient, {"name": ""}), ValueError, "letters, digits"),
        ((Patient, {"load": lambda **fields: None}), ValueError, "name every field"),
        ((Reversal,), ValueError, "takes and gives"),
        ((Reversal, {"takes": "bits", "gives": "bytes"}), ValueError, "takes and gives"),
        ((Reversal, {"takes": "words", "gives": "bits"}), ValueError, "takes and gives"),
        ((HalfEncoder, {"load": HalfEncoder}), ValueError, "not for estimators"),
    ],
)
def test_bad_registrations_are_refused_and_change_nothing(arguments, error, message):
    cls, options = (*arguments, {})[:2]
    before = dict(_kinds.KINDS)
    with pytest.raises(error, match=message):
        model_file.register(cls, **options)
    assert before == _kinds.KINDS


# ------------------------------------------------------------------------------------- the built-in classes


def subclasses(cls):
    return {cls}.union(*map(subclasses, cls.__subclasses__()))


def test_every_layer_and_loss_of_the_package_is_saved():
    """A new one without a row would train, and then be lost."""
    ours = {c for base in (Layer, Loss) for c in subclasses(base) if c.__module__.startswith("bvar.")}
    faces = {*layers.__all__, *networks.__all__, *real.__all__}  # others are made of, or for, these
    concrete = {c for c in ours if not getattr(c, "__abstractmethods__", None) and c.__name__ in faces}
    assert concrete >= {BooleanLinear, Threshold, SquaredError}
    assert {c.__name__ for c in concrete} <= set(BUILT_IN)


def test_rows_of_the_package_are_under_the_names_of_their_classes():
    for name, kind in BUILT_IN.items():
        assert kind.cls.__module__.startswith("bvar.")
        assert kind.cls.__name__ == name


def test_model_files_know_no_estimator_until_it_registers_itself():
    """The room of estimators stands above; a file that imports it would close a circle."""
    for path in Path(model_file.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
                assert not any(re.match(r"bvar\.(estimators|training|cli)", name) for name in names), path


def kept(old, new):
    """Whether everything in a file is written again, where newer parameters may come in."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and kept(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(kept, old, new))
    return old == new and type(old) is type(new)


WRITTEN_WITH_STATE = {"targets", "network", "gates", "real", "front", "wires"}
AS_NOW = {  # no parameter is newer
    *("residual", "signed", "signedconv", "floats", "integer-network", "integer-real", "integer-front"),
    *("monotone", "wires", "passages", "doubling", "dense"),
}


def as_now(name, array, dtype):
    """An array of a file; accumulators were float32 before they were integers, and are rounded once."""
    if ".optimizer.m." not in f".{name}" or array.dtype != np.float32:
        return array
    assert (abs(array) < 8).all()
    return np.rint(array * {"i2": 2.0**12, "i4": 2.0**24}[dtype.str[1:]]).astype(dtype)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.bvar")), ids=lambda path: path.stem)
def test_golden_files_are_written_again_as_they_are(tmp_path, path):
    name = path.stem.removeprefix("format1-")
    model = model_file.load(path)
    model_file.save(model, tmp_path / "m", training_state=name.removeprefix("integer-") in WRITTEN_WITH_STATE)
    (old, old_arrays), (new, new_arrays) = _container.read(path), _container.read(tmp_path / "m")
    assert kept(old, new), json.dumps(new)
    assert list(old_arrays) == list(new_arrays)
    for key, again in new_arrays.items():
        array = as_now(key, old_arrays[key], again.dtype)
        assert (array.dtype, array.shape, array.tobytes()) == (again.dtype, again.shape, again.tobytes())
    assert (path.read_bytes() == (tmp_path / "m").read_bytes()) >= (name in AS_NOW)


def test_estimators_need_no_more_than_their_class():
    class Plain(BaseEstimator):
        def __init__(self, n=1):
            self.n = n

    model_file.register(Plain)
    assert isinstance(_kinds.KINDS["Plain"], _kinds.EstimatorKind)


def test_every_module_of_layers_is_looked_at():
    """`subclasses` finds only what is imported: all of the room is."""
    room = Path(bvar.layers.__file__).parent
    assert {f"bvar.layers.{p.stem}" for p in room.glob("*.py") if p.stem != "__init__"} <= set(sys.modules)
