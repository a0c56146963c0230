"""Objects write themselves as calls: what a reader of a notebook, or of an error, sees of them."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import bvar
from bvar import BooleanClassifier, model_file
from bvar._describe import Described
from bvar.bayes import CategoricalLikelihood, GaussianLikelihood
from bvar.layers import BooleanConv2d, BooleanLinear, GateConv2d, MaxPool2d, Threshold
from bvar.multikernel import MultiKernelLinear, decompose
from bvar.networks import BooleanOptimizer, PerPixel, SquaredError, boolean_mlp, residual_network
from bvar.real import Adam, BatchNorm, NGramEmbedding, RealCrossEntropy, RealLinear, boolean_transformer
from bvar.training import CheckpointFile, LogFile, TargetScore, TimeLimit

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.bvar"))
MODELS = [path for path in GOLDEN if not path.stem.endswith("stopped")]  # a training is no model
WRITTEN = {
    "Adam(rate=0.1, n_steps=9)": lambda: Adam(0.1, n_steps=9),
    "BatchNorm(n_units=3, fan_in=100)": lambda: BatchNorm(3, 100),
    "BooleanConv2d(image_shape=(4, 4, 2), n_filters=3, gate='xor', padding=(1, 1))": lambda: BooleanConv2d(
        (4, 4, 2), 3, gate="xor", padding=1, random_state=0
    ),
    "BooleanLinear(n_inputs=3, n_outputs=2, bias=True, name='a')": lambda: BooleanLinear(
        3, 2, bias=True, random_state=np.random.RandomState(0), name="a"
    ),
    "BooleanOptimizer()": BooleanOptimizer,
    "BooleanOptimizer(eta=3.0, clip=inf)": lambda: BooleanOptimizer(3, clip=np.inf),
    "CategoricalLikelihood()": CategoricalLikelihood,
    "CheckpointFile(path='a.bvar', every=2)": lambda: CheckpointFile("a.bvar", 2),
    "GateConv2d(image_shape=(3, 3, 1), n_filters=2, depth=1)": lambda: GateConv2d((3, 3, 1), 2, depth=1),
    "GaussianLikelihood(noise=0.1)": lambda: GaussianLikelihood(0.1),
    "LogFile(path='a.jsonl')": lambda: LogFile(Path("a.jsonl")),
    "PerPixel(loss=RealCrossEntropy(), n_classes=6)": lambda: PerPixel(RealCrossEntropy(), 6),
    "RealLinear(n_inputs=3, n_outputs=2)": lambda: RealLinear(3, 2, random_state=0),
    "SquaredError(scale=32)": lambda: SquaredError(32),
    "TargetScore(target=0.9)": lambda: TargetScore(0.9),
    "TimeLimit(seconds=60.0)": lambda: TimeLimit(60),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_an_object_is_written_as_the_call_that_makes_it(text):
    made = WRITTEN[text]()
    assert repr(made) == text
    names = {kind.__name__: kind for kind in (type(made), RealCrossEntropy)} | {"inf": np.inf}
    assert repr(eval(text, names)) == text


def test_a_network_is_written_layer_by_layer():
    assert repr(boolean_mlp([8, 64, 2], n_steps=100, random_state=0)) == (
        "Network(\n"
        "    layers=(\n"
        "        BooleanLinear(n_inputs=8, n_outputs=64, name='linear1'),\n"
        "        Threshold(..., n_units=64),\n"
        "        BooleanLinear(n_inputs=64, n_outputs=2, centered=True, name='linear2'),\n"
        "    ),\n"
        "    loss=CrossEntropy(...),\n"
        "    optimizer=BooleanOptimizer(n_steps=100),\n"
        ")"
    )


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_what_comes_from_a_file_is_written_in_full_and_says_nothing_of_memory(path):
    model = model_file.load(path)
    text = repr(getattr(model, "network_", model))
    assert " at 0x" not in text
    ast.parse(text)


def test_branches_of_networks_are_written_too():
    text = repr(residual_network((8, 8, 3), (4, 8), 2, random_state=0))
    assert text.count("BooleanConv2d(") >= 4
    assert text.count("Add(") >= 2
    ast.parse(text)


def test_one_element_stays_a_tuple():
    made = ast.parse(repr(Several((BooleanOptimizer(),)))).body[0].value
    assert isinstance(made.keywords[0].value, ast.Tuple)


class Several(MaxPool2d):
    """A layer of one's own is written too."""

    def __init__(self, parts):
        self.parts = parts


@pytest.mark.parametrize(
    "what",
    [np.zeros(3), np.random.RandomState(0), [print, np.zeros(1)], {"a": 1}, lambda: 0, [lambda: 0], object()],
)
def test_arrays_generators_and_what_has_no_name_are_left_out(what):
    assert repr(Several(what)) == "Several(...)"


@pytest.mark.parametrize(
    ("what", "text"), [(print, "print"), ([print], "[print]"), ((), "()"), ("a", "'a'"), (None, "None"), (0, "0")]
)
def test_what_can_be_said_is(what, text):
    assert repr(Several(what)) == f"Several(parts={text})"


class Lines:  # a repr of several lines, such as scikit-learn writes
    def __repr__(self):
        return "Lines(\n)"


class Open(Several):
    def __init__(self, *parts, **options):
        self.parts = parts


def test_what_is_written_in_lines_stands_in_lines_of_its_own():
    assert repr(Several(Lines())) == "Several(\n    parts=Lines(\n    ),\n)"


def test_nothing_is_missing_where_nothing_has_to_be_given():
    assert repr(Open()) == "Open(parts=())"


def test_what_holds_itself_ends():
    parts = []
    parts.append(Several(parts))
    assert repr(parts[0]) == "Several(parts=[...])"


def public_classes():
    """Every class that a room shows, once."""
    rooms = [
        "bvar",
        *(f"bvar.{m.name}" for m in pkgutil.iter_modules(bvar.__path__) if m.ispkg and m.name[0] != "_"),
    ]
    shown = [
        getattr(room, name)
        for room in map(importlib.import_module, rooms)
        for name in getattr(room, "__all__", ())
    ]
    kinds = {value.__qualname__: value for value in shown if inspect.isclass(value)}
    return [kinds[name] for name in sorted(kinds) if kinds[name].__module__.startswith("bvar.")]


# operands that kernels have prepared for themselves
OPERANDS = {"Candidates", "PreparedRows", "PreparedSum", "PreparedWeights", "Wiring"}


def test_no_public_class_tells_where_its_objects_lie():
    silent = {
        kind.__name__
        for kind in public_classes()
        if kind.__repr__ is object.__repr__ and not getattr(kind, "_is_protocol", False)
    }
    assert silent == OPERANDS


@pytest.mark.parametrize(
    "kind",
    [kind for kind in public_classes() if kind.__repr__ is Described.__repr__ and not inspect.isabstract(kind)],
)
def test_an_object_that_is_not_finished_can_be_written(kind):
    """A debugger, or a failing test, looks at it then."""
    text = repr(kind.__new__(kind))
    assert text.startswith(kind.__name__)
    assert " at 0x" not in text


def test_an_estimator_writes_what_it_was_given():
    model = BooleanClassifier(8, loss=SquaredError(32), callbacks=[TimeLimit(3)])
    assert repr(model) == (
        "BooleanClassifier(callbacks=[TimeLimit(seconds=3.0)], hidden_layer_sizes=8,\n"
        "                  loss=SquaredError(scale=32))"
    )


def test_weights_tell_their_name_and_shape():
    layers = boolean_transformer(5, 8, width=16, n_blocks=1, n_heads=2, max_ngram=2, random_state=0).layers
    assert isinstance(layers[0], NGramEmbedding)
    assert repr(layers[0].ngram) == "<parameter 'embed.ngram' of shape (65536, 16)>"
    assert (
        repr(BooleanLinear(3, 2, random_state=0, name="a").parameters)
        == "(<parameter 'a.weight' of shape (2, 3)>,)"
    )
    assert repr(MultiKernelLinear(decompose(np.eye(4, 3), 2))) == "<map of 2 kernels of shape (4, 3)>"
    assert repr(Threshold(3, 4, 1)) == "Threshold(..., n_units=3)"
