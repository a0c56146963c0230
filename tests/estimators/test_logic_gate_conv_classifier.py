"""LogicGateConvClassifier: what it has beside the contract of every classifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split

import bvar
from bvar import LogicGateConvClassifier, kernels
from bvar.circuit import from_json
from bvar.encoding import ThermometerEncoder
from bvar.layers import GateConv2d, GateLayer
from bvar.networks import gate_conv_network

DIGITS = load_digits()
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(
    DIGITS.images, DIGITS.target, test_size=0.3, stratify=DIGITS.target, random_state=0
)


def quick(conv_layers=(6, "M"), layer_sizes=(300, 195), **parameters):
    plain = {"head_wiring": "random", "skip": False, "max_iter": 5, "random_state": 0}
    return LogicGateConvClassifier(conv_layers, layer_sizes, **{**plain, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X_TRAIN, Y_TRAIN)


def test_it_learns_digits():
    model = LogicGateConvClassifier(random_state=0).fit(X_TRAIN, Y_TRAIN)
    assert model.score(X_TEST, Y_TEST) > 0.975  # with drawn wires 0.969, with nothing but trees to read 0.894


@pytest.mark.parametrize("damping", [1, 20])
def test_one_seed_is_one_model_on_every_backend(backend, damping):
    one, other = (
        quick(max_iter=2, damping=damping, backend=name).fit(X_TRAIN, Y_TRAIN) for name in (None, backend)
    )
    assert one.network_.fingerprint() == other.network_.fingerprint()
    assert (one.decision_function(X_TEST) == other.decision_function(X_TEST)).all()


def test_shared_tables_move_unless_their_votes_are_damped(fitted):
    tables = [fitted.network_.layers[0].tables[0].bits.words]
    for damping in (10**6, 10**7):
        tables.append(quick(damping=damping).fit(X_TRAIN, Y_TRAIN).network_.layers[0].tables[0].bits.words)
    assert (tables[1] == tables[2]).all()
    assert (tables[0] != tables[1]).any()


def test_the_circuit_has_a_gate_at_every_place_and_the_scores_of_the_model(fitted):
    circuit = fitted.circuit(simplify=False)
    bits = fitted.encoder_.encode(X_TEST.reshape(len(X_TEST), -1))
    assert (circuit.evaluate(bits) == fitted.decision_function(X_TEST)).all()
    assert circuit.n_gates == 64 * 6 + 16 * 6 * 3 + 300 + 200
    small = fitted.circuit()
    assert (small.evaluate(bits) == fitted.decision_function(X_TEST)).all()
    assert small.n_gates < circuit.n_gates
    assert from_json(small.to_json()) == small
    assert "module" in small.to_verilog()
    assert "static" in small.to_c()


@pytest.mark.parametrize(
    "parameters",
    [
        {"fan_in": 3, "kernel_size": 5},
        {"depth": 3, "fan_in": 2},
        {"head_fan_in": 4},
        {"conv_layers": (4, 5, "M")},
        {"kernel_size": 1},
        {"conv_layers": (4, "M", 5), "kernel_size": (5, 3), "literals": 3},
        {"head_wiring": "learnt", "head_candidates": 3},
        {"conv_layers": (4, "M", 5, "M"), "skip": True, "head_wiring": "learnt", "literals": 4},
        {"conv_layers": (4, 5), "skip": True},
        {"comparisons": 3, "depth": 2, "fixed_trees": True, "pool_size": 4, "skip": True, "head_wiring": "learnt"},
        {"comparisons": 2, "depth": 2, "conv_layers": (4, "M", 5)},
    ],
)
def test_circuits_of_other_forms_agree(parameters):
    model = quick(max_iter=1, **parameters).fit(X_TRAIN[:300], Y_TRAIN[:300])
    bits = model.encoder_.encode(X_TEST.reshape(len(X_TEST), -1))
    assert (model.circuit().evaluate(bits) == model.decision_function(X_TEST)).all()


def test_a_missing_value_answers_false(fitted):
    holes, low = X_TEST.copy(), X_TEST.copy()
    holes[:, ::3], low[:, ::3] = np.nan, -1.0
    assert (fitted.decision_function(holes) == fitted.decision_function(low)).all()


def test_a_file_holds_the_model_and_its_training(tmp_path):
    model = quick(damping=20).partial_fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
    model.save(tmp_path / "model.bvar", training_state=True)
    twin = bvar.load(tmp_path / "model.bvar")
    assert twin.get_params() == model.get_params()
    assert (twin.decision_function(X_TEST) == model.decision_function(X_TEST)).all()
    assert twin.circuit() == model.circuit()
    for one in (model, twin):
        one.partial_fit(X_TRAIN, Y_TRAIN)
    assert twin.network_.fingerprint() == model.network_.fingerprint()


@pytest.mark.parametrize("skip", [False, True])
def test_fixed_trees_stay_and_what_is_behind_them_learns_as_if_they_did_not(skip, tmp_path):
    def make(fixed):
        return quick(
            comparisons=3,
            depth=2,
            conv_layers=(5, "M", 4),
            skip=skip,
            fixed_trees=fixed,
            damping=10**6,
            max_iter=2,
        )

    model = make(True).fit(X_TRAIN, Y_TRAIN)
    drawn = make(True).partial_fit(X_TRAIN[:1], Y_TRAIN[:1], classes=np.arange(10))
    for one, other in zip(trees_of(model), trees_of(drawn), strict=True):
        assert one.parameters == ()
        assert all((a.bits.words == b.bits.words).all() for a, b in zip(one.tables, other.tables, strict=True))
    # votes that are divided by a million flip nothing: the rest of the network must be the same
    slow = make(False).fit(X_TRAIN, Y_TRAIN)
    heads = [
        [layer.table.bits.words for layer in m.network_.layers if type(layer).__name__ == "GateLayer"]
        for m in (model, slow)
    ]
    assert heads[0]
    assert all((a == b).all() for a, b in zip(*heads, strict=True))
    model.save(tmp_path / "model.bvar", training_state=True)
    again = bvar.load(tmp_path / "model.bvar")
    assert again.get_params() == model.get_params()
    assert (again.decision_function(X_TEST) == model.decision_function(X_TEST)).all()
    for one in (model, again):
        one.partial_fit(X_TRAIN, Y_TRAIN)
    assert again.network_.fingerprint() == model.network_.fingerprint()
    assert (again.decision_function(X_TEST) == model.decision_function(X_TEST)).all()


def trees_of(model):
    def inner(layers):
        for layer in layers:
            yield from inner(layer.layers) if hasattr(layer, "layers") else [layer]

    return [layer for layer in inner(model.network_.layers) if isinstance(layer, GateConv2d)]


def test_behind_fixed_trees_all_ways_to_take_a_step_are_one():
    bits = kernels.pack(np.random.RandomState(0).rand(60, 6 * 6 * 4) < 0.5)
    y = np.arange(60) % 10

    def three_steps(take):
        network = gate_conv_network(
            (6, 6, 4), (5, "M"), (40, 20), comparisons=2, n_levels=4, depth=2, fixed_trees=True, skip=True,
            head_wiring="learnt", random_state=0,
        )  # fmt: skip
        for _ in range(3):
            take(network)
        return network.fingerprint()

    ways = [
        lambda network: network.step(bits, y),
        lambda network: network.apply(network.votes(bits, y)),
        lambda network: network.apply(network.votes(bits[:20], y[:20]) + network.votes(bits[20:], y[20:])),
    ]
    assert len({three_steps(way) for way in ways}) == 1
    assert three_steps(ways[0]) != three_steps(lambda network: None)


def never(*_):
    raise AssertionError("nobody listens there")


@pytest.mark.parametrize(("layer", "verbs"), [(GateConv2d, ["backward", "votes"]), (GateLayer, ["backward"])])
def test_nobody_goes_the_way_back_below_what_learns(monkeypatch, layer, verbs):
    for verb in verbs:
        monkeypatch.setattr(layer, verb, never)
    few = {"layer_sizes": (20,), "comparisons": 1, "depth": 2, "max_iter": 1}
    quick(fixed_trees=True, **few).fit(X_TRAIN[:100], Y_TRAIN[:100])
    with pytest.raises(AssertionError, match="nobody listens"):
        quick(**few).fit(X_TRAIN[:100], Y_TRAIN[:100])


def test_a_comparison_sees_levels_of_the_encoder():
    model = quick(comparisons=1, depth=2, fixed_trees=True, max_iter=1).fit(X_TRAIN[:100], Y_TRAIN[:100])
    (trees,) = trees_of(model)
    levels = trees.leaves.reshape(6, 3, 2, 3, 2) % 4  # four bits of one number make a pixel
    assert (levels == np.array([[0, 1, 2], [1, 2, 3]])[..., None]).all()


def test_a_warm_start_refuses_fixed_trees_of_another_depth():
    model = quick(fan_in=2, fixed_trees=True, skip=True, warm_start=True, max_iter=1).fit(
        X_TRAIN[:50], Y_TRAIN[:50]
    )
    with pytest.raises(ValueError, match="are not those of the network to go on with"):
        model.set_params(depth=2).fit(X_TRAIN[:50], Y_TRAIN[:50])


def test_a_clone_of_flat_images_is_the_same_model(fitted):
    flat = clone(fitted).fit(X_TRAIN.reshape(len(X_TRAIN), -1), Y_TRAIN)
    assert flat.network_.fingerprint() == fitted.network_.fingerprint()


def test_a_summary_counts_the_uses_of_shared_tables(fitted):
    line = next(line for line in fitted.summary().splitlines() if line.startswith("gateconv1.table1"))
    assert line.split()[-1] == str(64 * 6 * 64)


@pytest.mark.parametrize("skip", [False, True])
def test_a_summary_counts_tables_that_stay(skip):
    model = quick(comparisons=1, depth=2, fixed_trees=True, skip=skip, max_iter=1).fit(X_TRAIN[:50], Y_TRAIN[:50])
    assert model.summary().splitlines()[-1] == "42 tables of gateconv1 stay as they began, at 64 places each"


def test_a_warm_start_refuses_another_form():
    model = quick(warm_start=True, max_iter=1).fit(X_TRAIN, Y_TRAIN)
    model.fit(X_TRAIN, Y_TRAIN)
    for name, value in (
        ("depth", 2),
        ("head_fan_in", 3),
        ("fan_in", 3),
        ("kernel_size", 5),
        ("layer_sizes", 100),
        ("conv_layers", (6,)),
        ("pool_size", 4),
        ("fixed_trees", True),
        ("skip", True),
    ):
        changed = {**quick().get_params(), "warm_start": True, name: value}
        with pytest.raises(ValueError, match="are not those of the network to go on with"):
            model.set_params(**{k: changed[k] for k in quick().get_params()}).fit(X_TRAIN, Y_TRAIN)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"conv_layers": ("M",)}, ValueError, "must have a convolution before each 'M'"),
        ({"layer_sizes": ()}, ValueError, r"layer_sizes must name at least 1 layer\(s\)"),
        ({"fan_in": 7}, ValueError, r"fan_in must be an integer in \[1, 6\]"),
        ({"head_fan_in": 0}, ValueError, r"head_fan_in must be an integer in \[1, 6\]"),
        ({"depth": 0}, ValueError, "depth must be"),
        ({"damping": 0}, ValueError, "damping must be"),
        ({"comparisons": 1}, ValueError, "comparisons need depth 2 and fan_in 6, got 1 and 6"),
        ({"comparisons": 4, "depth": 2}, ValueError, r"comparisons must be an integer in \[1, 3\]"),
        ({"pool_size": 7}, ValueError, r"pool_size must be an integer in \[1, 6\]"),
        ({"kernel_size": 2}, ValueError, "kernel_size must be odd"),
        ({"encoder": ThermometerEncoder(2), "image_shape": (7, 9)}, ValueError, "does not fit images of 64"),
    ],
)
def test_bad_parameters_are_named(parameters, error, text):
    with pytest.raises(error, match=text):
        quick(**parameters).fit(X_TRAIN[:50].reshape(50, -1), Y_TRAIN[:50])


def test_there_is_no_circuit_before_fit():
    with pytest.raises(NotFittedError, match="LogicGateConvClassifier"):
        quick().circuit()


def test_a_warm_start_wants_the_same_wires_and_skips():
    model = quick(max_iter=1, skip=True, head_wiring="learnt", warm_start=True).fit(X_TRAIN[:100], Y_TRAIN[:100])
    age = model.network_.optimizer.age
    assert model.fit(X_TRAIN[:100], Y_TRAIN[:100]).network_.optimizer.age > age
    for other in ({"skip": False}, {"head_wiring": "random"}, {"head_candidates": 4}):
        with pytest.raises(ValueError, match="warm_start=False starts anew"):
            model.set_params(**other).fit(X_TRAIN[:100], Y_TRAIN[:100])
        model.set_params(skip=True, head_wiring="learnt", head_candidates=8)
