"""LogicGateClassifier: what it has beside the contract of every classifier."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split

import bvar
from bvar import LogicGateClassifier, ThermometerEncoder
from bvar.layers import GateLayer

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=0)


def quick(layer_sizes=(600, 500), **parameters):
    return LogicGateClassifier(layer_sizes, **{"max_iter": 10, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X_TRAIN, Y_TRAIN)


def test_it_learns_digits():
    model = LogicGateClassifier(max_iter=20, random_state=0).fit(X_TRAIN, Y_TRAIN)
    assert model.score(X_TEST, Y_TEST) > 0.96


def test_one_seed_is_one_model_on_every_backend(backend, fitted):
    twin = quick(backend=backend).fit(X_TRAIN, Y_TRAIN)
    assert twin.network_.fingerprint() == fitted.network_.fingerprint()
    assert (twin.decision_function(X_TEST) == fitted.decision_function(X_TEST)).all()


@pytest.mark.parametrize("simplify", [False, True])
@pytest.mark.parametrize("fan_in", [1, 2, 3, 6])
def test_the_circuit_gives_the_scores_of_the_model(fan_in, simplify):
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    model = quick((150, 97), fan_in=fan_in, max_iter=2).fit(holes[:500], Y[:500])
    circuit = model.circuit(simplify=simplify)
    assert (circuit.evaluate(model.encoder_.encode(holes)) == model.decision_function(holes)).all()
    assert circuit.n_gates == 250 or (simplify and circuit.n_gates < 250)


def test_the_last_layer_is_rounded_up_to_share_it_evenly():
    layers = quick((70, 61), max_iter=1).fit(X_TRAIN, Y_TRAIN).network_.layers
    assert [layer.n_outputs for layer in layers if isinstance(layer, GateLayer)] == [70, 70]


def test_a_missing_value_answers_false():
    encoder = ThermometerEncoder(3)
    model = quick(encoder=encoder).fit(X_TRAIN, Y_TRAIN)
    holes = X_TEST.copy()
    holes[:, ::3] = np.nan
    low = X_TEST.copy()
    low[:, ::3] = -1.0  # below every threshold
    assert (model.decision_function(holes) == model.decision_function(low)).all()


def test_bytes_are_encoded_as_the_numbers_that_they_are(backend):
    pixels = X_TEST.astype(np.uint8)
    model = quick(encoder=ThermometerEncoder(2), backend=backend).fit(X_TRAIN, Y_TRAIN)
    assert (model.decision_function(pixels) == model.decision_function(X_TEST)).all()
    between = quick(encoder=ThermometerEncoder(3)).fit(
        X_TRAIN * 20 - 5, Y_TRAIN
    )  # thresholds below 0 and above 255
    assert (between.decision_function(pixels) == between.decision_function(pixels.astype(float))).all()


def test_labels_are_predicted_side_by_side():
    labels = np.column_stack([Y_TRAIN > 4, Y_TRAIN % 2, Y_TRAIN == 0]).astype(int)
    model = quick((600, 600)).fit(X_TRAIN, labels)
    right = model.predict(X_TEST) == np.column_stack([Y_TEST > 4, Y_TEST % 2, Y_TEST == 0])
    assert right.mean() > 0.9


def test_a_file_holds_the_model(tmp_path, fitted):
    fitted.save(tmp_path / "model.bvar")
    twin = bvar.load(tmp_path / "model.bvar")
    assert twin.get_params() == fitted.get_params()
    assert (twin.decision_function(X_TEST) == fitted.decision_function(X_TEST)).all()
    assert twin.circuit() == fitted.circuit()


def test_training_goes_on_from_a_file(tmp_path):
    model = quick().partial_fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
    model.save(tmp_path / "model.bvar", training_state=True)
    twin = bvar.load(tmp_path / "model.bvar")
    for one in (model, twin):
        one.partial_fit(X_TRAIN, Y_TRAIN)
    assert twin.network_.fingerprint() == model.network_.fingerprint()


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"layer_sizes": ()}, ValueError, r"layer_sizes must name at least 1 layer\(s\)"),
        ({"layer_sizes": (10, 0)}, ValueError, r"each of layer_sizes must be an integer in \[1, 8388607\]"),
        ({"layer_sizes": None}, TypeError, "layer_sizes must be an integer or a sequence"),
        ({"fan_in": 7}, ValueError, r"fan_in must be an integer in \[1, 6\]"),
        ({"temperature": 0}, ValueError, "temperature must be"),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        quick(**parameters).fit(X_TRAIN[:50], Y_TRAIN[:50])


def test_a_warm_start_refuses_other_gates():
    model = quick(warm_start=True).fit(X_TRAIN, Y_TRAIN)
    for changed in ({"layer_sizes": (600,)}, {"fan_in": 3}):
        with pytest.raises(ValueError, match="are not those of the network to go on with"):
            model.set_params(**{"layer_sizes": (600, 500), "fan_in": 2, **changed}).fit(X_TRAIN, Y_TRAIN)


def test_there_is_no_circuit_before_fit():
    with pytest.raises(NotFittedError, match="LogicGateClassifier"):
        quick().circuit()
