"""The C header of a network, compiled and run as users would, against `scores` and the methods of models."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_iris

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    OneHotBits,
    TableEncoder,
    kernels,
)
from bvar.export import Scaled, c_layers, layers, network_to_c, network_to_onnx, onnx_layers
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    Concatenate,
    GateConv2d,
    GateLayer,
    GroupSum,
    JoinChannels,
    MaxPool2d,
    OrPool2d,
    SignalScale,
    SignedSum,
    SumPool2d,
    Threshold,
    Upsample2d,
)
from bvar.model_file._kinds import KINDS
from bvar.networks import (
    BooleanOptimizer,
    CrossEntropy,
    Network,
    boolean_mlp,
    conv_network,
    gate_conv_network,
    residual_block,
)
from bvar.real import RealEnds

COMPILERS = [path for path in map(shutil.which, ("cc", "clang")) if path]
CXX = shutil.which("c++")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
UNDEFINED = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
pytestmark = pytest.mark.skipif(not COMPILERS, reason="no C compiler: neither cc nor clang is on the path")

BITS = """
void {name}_run(const uint64_t *bits, const uint64_t *known, int32_t *scores) {{
    static {name}_memory memory;
    size_t i;
    for (i = 0; i < ({guard}_INPUTS + 63) / 64; i++) memory.input[i] = bits[i], memory.known[i] = known[i];
    {name}_scores(&memory, scores);
}}
size_t {name}_size(void) {{ return sizeof({name}_memory); }}
"""
ROWS = """
void {name}_{type}(const {ctype} *rows, size_t n, int32_t *scores, void *answers) {{
    static {name}_memory memory;
    {name}_predict_{type}(&memory, rows, n, scores, answers);
}}
"""


def compiled(folder, headers, *, with_rows, compiler, options):
    """Compile headers, a dict of name to text, with every warning an error; return the library."""
    text = ""
    for name, header in headers.items():
        (folder / f"{name}.h").write_text(header, encoding="ascii")
        text += f'#include "{name}.h"\n' + BITS.format(name=name, guard=name.swapcase())
        for kind, ctype in (("double", "double"), ("uint8", "uint8_t")) if with_rows else ():
            text += ROWS.format(name=name, type=kind, ctype=ctype)
    (folder / "all.c").write_text(text, encoding="ascii")
    command = [compiler, "-std=c99", *options, *WARNINGS, "-shared", "-fPIC", "all.c", "-o", "all.so"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return ctypes.CDLL(str(folder / "all.so"))


def pointer(array):
    assert array is None or array.flags.c_contiguous
    return None if array is None else ctypes.c_void_p(array.ctypes.data)


def scores_of_bits(library, name, bits, n_scores):
    every = kernels.pack(np.ones((1, bits.n_bits), bool)).words.repeat(len(bits), axis=0)
    known = every if bits.known is None else bits.known
    scores = np.zeros((len(bits), n_scores), np.int32)
    for row, one, plane in zip(scores, bits.words, known, strict=True):
        getattr(library, f"{name}_run")(pointer(np.ascontiguousarray(one)), pointer(plane.copy()), pointer(row))
    return scores


def answers_of_rows(library, name, rows, n_scores, answers):
    """Scores of rows, and answers into an array with a guard behind the last one; each alone, then both."""
    kind = {np.dtype(np.float64): "double", np.dtype(np.uint8): "uint8"}[rows.dtype]
    run = getattr(library, f"{name}_{kind}")
    scores = np.full((len(rows) + 1, n_scores), 12345, np.int32)
    for a, b in ((scores, None), (None, answers), (scores, answers)):
        run(pointer(rows), ctypes.c_size_t(len(rows)), pointer(a), pointer(b))
    assert (scores[-1] == 12345).all()
    assert (answers[-1] == 12345).all()
    return scores[:-1], answers[:-1]


# ------------------------------------------------------------------------------------------------- layers


def network(*layers):
    return Network(layers, CrossEntropy(10), BooleanOptimizer())


def random_bits(n_rows, n_bits, *, missing, seed=0):
    values = np.random.default_rng(seed).integers(-1, 2, (n_rows, n_bits)).astype(np.int8)
    values[: n_rows // 2][values[: n_rows // 2] == 0] = 1
    return kernels.pack(values if missing else np.where(values == 0, np.int8(-1), values))


def linear(n_inputs, n_outputs):
    return BooleanLinear(n_inputs, n_outputs, random_state=0)


def networks():
    """Networks of every layer at odd sizes, and whether their inputs may be missing."""
    rng, made = np.random.RandomState(0), {}
    for gate in ("xnor", "xor", "and", "or", "a_and_not_b", "a_implies_b"):
        for n in (1, 63, 64, 65, 200):
            made[f"{gate}{n}"] = boolean_mlp([n, 70, 3], gate=gate, bias=n % 2 == 1, random_state=n), True
        conv = BooleanConv2d((5, 6, 7), 9, 3, gate, padding=1, padding_value=-1, random_state=rng)
        made[f"conv_{gate}"] = network(conv), True
    made["offsets"] = boolean_mlp([100, 65, 66, 4], offset_spread=0.5, random_state=1), True
    for fan_in in range(1, 7):
        gates = GateLayer(70, 130, fan_in, random_state=fan_in), GateLayer(130, 66, fan_in, random_state=rng)
        made[f"gates{fan_in}"] = network(*gates, GroupSum(66, 3)), False
    trees = GateConv2d((5, 6, 3), 4, 3, fan_in=3, stride=(1, 2), padding=1, random_state=0)
    pool = OrPool2d(trees.out_shape)
    made["trees"] = network(trees, pool, GroupSum(pool.n_outputs, 2)), False
    skips = {"skip": True, "head_wiring": "learnt", "literals": 3, "random_state": 0}
    made["skips"] = gate_conv_network((6, 5, 2), (4, "M", 3), (30, 20), 2, **skips), False
    front = [GateLayer(67, 100, 4, random_state=2), SignalScale(5)]
    sums = BooleanLinear(167, 5, offset_spread=0.5, random_state=3)
    made["front"] = network(Concatenate(front), sums), True
    windows = {
        "plain": {"kernel_size": 3},
        "strided": {"kernel_size": (2, 3), "stride": (2, 1), "padding": 1},
        "dilated": {"kernel_size": 2, "dilation": (2, 3), "padding": (1, 2), "bias": True},
        "wide": {"kernel_size": 5, "padding": 2, "padding_value": -1, "gate": "or"},
        "and": {"kernel_size": 3, "padding": 1, "gate": "and"},
    }
    for name, how in windows.items():
        conv = BooleanConv2d((7, 8, 11), 6, random_state=5, **how)
        pool = (MaxPool2d if name in ("plain", "wide") else SumPool2d)(conv.out_shape, 2)
        threshold = Threshold(pool.n_outputs, 10, 3, n_terms=np.arange(1, pool.n_outputs + 1), gate="and")
        last = BooleanLinear(pool.n_outputs, 3, random_state=6)
        made[f"window_{name}"] = network(conv, pool, threshold, last), True
    made["conv"] = conv_network((8, 8, 4), (16, "M", 12, "M"), (20,), 5, random_state=0), True
    block = residual_block((6, 6, 16), 10, stride=2, random_state=7)
    made["residual"] = network(*block, BooleanLinear(90, 4, random_state=8)), True
    three = Add([[BooleanLinear(70, 5, random_state=i)] for i in range(3)])
    made["committee"] = network(three), True
    members = [
        [Concatenate([GateLayer(65, 50, 2, random_state=i), SignalScale(3)]), *boolean_mlp([115, 20, 2]).layers]
        for i in range(3)
    ]
    handed_on = [[SignalScale(64), linear(70, 64)], [SignalScale(64), linear(70, 64)], [linear(70, 64)]]
    ends = [[linear(64, 64), Threshold(64, 64, 3), linear(64, 4)], [linear(64, 4)]]
    made["handed_on"] = network(GateLayer(20, 70), Add(handed_on), Threshold(64, 210, 4), Add(ends)), False
    made["committee_of_fronts"] = network(Add(members)), True
    return made


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("options", [["-O2"], ["-O1", *UNDEFINED]], ids=["optimized", "sanitized"])
def test_every_layer_gives_the_scores_of_the_network(tmp_path, compiler, options):
    made = networks()
    headers = {name: network_to_c(one, name) for name, (one, _) in made.items()}
    library = compiled(tmp_path, headers, with_rows=False, compiler=compiler, options=options)
    for name, (one, may_miss) in made.items():
        for missing in {False, may_miss}:
            bits = random_bits(20, one.layers[0].n_inputs, missing=missing)
            expected = one.scores(bits)
            np.testing.assert_array_equal(scores_of_bits(library, name, bits, expected.shape[1]), expected, name)
        size = getattr(library, f"{name}_size")
        size.restype = ctypes.c_size_t
        assert size() == headers[name].memory_bytes


def test_the_sizes_are_those_of_the_constants():
    for one, _ in networks().values():
        text = network_to_c(one)
        found = re.findall(r"^static const u?(int(\d+)_t|double) \w+\[(\d+)\] =", text, re.M)
        assert text.data_bytes == sum(int(bits or 64) // 8 * int(n) for _, bits, n in found)
        assert f"Constants: {text.data_bytes} bytes. Memory: {text.memory_bytes} bytes." in text


# ------------------------------------------------------------------------------------------------- models


def table(n_rows=120, n_features=9, seed=0):
    X = np.random.default_rng(seed).integers(0, 256, (n_rows, n_features)).astype(np.float64)
    X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    return X


def models():
    X, short = table(), {"max_iter": 2, "random_state": 0}
    total = np.nansum(X, axis=1)
    two, four = total > np.median(total), np.digitize(total, np.quantile(total, [0.25, 0.5, 0.75]))
    labels = np.column_stack([two, X[:, 0] > 100, X[:, 1] > 100]).astype(int)
    names = np.array(["none", "*/ some", "\N{GREEK SMALL LETTER ALPHA}", "all\n"])[four]
    mixed = TableEncoder(categorical=[0, 3], max_categories=6)
    made = {
        "two": BooleanClassifier((33,), **short).fit(X, two),
        "named": BooleanClassifier((33, 20), offsets=True, **short).fit(X, names),
        "front": BooleanClassifier((33,), gates=70, fan_in=3, **short).fit(X, four),
        "labels": BooleanClassifier((33,), **short).fit(X, labels),
        "mixed": BooleanClassifier((33,), encoder=mixed, **short).fit(X, four),
        "onehot": BooleanClassifier((33,), encoder=OneHotBits(max_categories=5), **short).fit(X, four),
        "one_score": BooleanClassifier((33,), monotonic_cst=[1, -1, 0] * 3, **short).fit(X, two),
        "unate": BooleanRegressor((9, 7), encoder=mixed, monotonic_cst=[0, 1, -1] * 3, **short).fit(X, total),
        "number": BooleanRegressor((33,), **short).fit(X, total),
        "sum": BooleanRegressor((), offsets=True, **short).fit(X, total / 7),
        "numbers": BooleanRegressor((33,), gates=50, **short).fit(X, np.column_stack([total, X[:, 0] == 3])),
        "conv": BooleanConvClassifier((5, "M"), (20,), image_shape=(3, 3), **short).fit(X, four),
        "colour": BooleanConvClassifier((5,), (), image_shape=(3, 1, 3), **short).fit(X, four),
        "gates": LogicGateClassifier((60, 40), fan_in=3, **short).fit(X, four),
        "gate_labels": LogicGateClassifier((60, 30), **short).fit(X, labels),
    }
    return made


def expected_answers(model, rows):
    """What the model answers, as the C code says it: classes by numbers."""
    answers = model.predict(rows)
    if hasattr(model, "classes_") and not model.multilabel_:
        answers = np.searchsorted(model.classes_, answers)
    return answers.reshape(len(rows), -1)


@pytest.fixture(scope="module")
def trained():
    return models()


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("options", [["-O2"], ["-O1", *UNDEFINED]], ids=["optimized", "sanitized"])
def test_models_answer_as_in_python(tmp_path, trained, compiler, options):
    headers = {name: model.to_c(name) for name, model in trained.items()}
    library = compiled(tmp_path, headers, with_rows=True, compiler=compiler, options=options)
    every = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 9))
    for name, model in trained.items():
        thresholds = np.unique(
            np.concatenate([np.ravel(t) for t in getattr(model.encoder_, "thresholds_", [[7.0]])])
        )
        near = np.concatenate(
            [thresholds, np.nextafter(thresholds, 1e9), np.nextafter(thresholds, -1e9), [np.nan, -0.0]]
        )
        at_edges = np.random.default_rng(3).choice(near, (100, 9))
        for rows in (table(150, seed=5), at_edges, table()[:0], every):
            n_scores = model.network_.scores(model._encode(every[:1])).shape[1]
            dtype = np.float64 if isinstance(model, BooleanRegressor) else np.int32
            width = 1 if hasattr(model, "classes_") and not model.multilabel_ else n_scores
            answers = np.full((len(rows) + 1, width), 12345, dtype)
            scores, found = answers_of_rows(library, name, np.ascontiguousarray(rows), n_scores, answers)
            if len(rows):
                np.testing.assert_array_equal(scores, model.network_.scores(model._encode(rows)), name)
                np.testing.assert_array_equal(found, expected_answers(model, rows), name)
            if len(rows) and hasattr(model, "decision_function"):
                decisions = model.decision_function(rows)
                both = scores if decisions.ndim == 2 else scores[:, -1] - (scores[:, 0] if n_scores == 2 else 0)
                np.testing.assert_array_equal(both, decisions, name)


def test_numbers_are_those_of_predict_although_a_compiler_may_fuse(tmp_path, trained):
    name, model = "number", trained["number"]
    options = ["-O3", "-march=native", "-ffp-contract=fast"]
    library = compiled(tmp_path, {name: model.to_c(name)}, with_rows=True, compiler=COMPILERS[0], options=options)
    rows = table(500, seed=6)
    answers = np.full((501, 1), 12345.0)
    found = answers_of_rows(library, name, rows, 1, answers)[1]
    assert (found[:, 0] == model.predict(rows)).all()


def test_the_header_says_what_scores_stand_for(trained):
    text = trained["named"].to_c()
    assert r"Scores, from 0 on: '* / some', 'all\n', 'none', '\u03b1'." in text
    assert text.count("*/") == text.count("/*")
    assert text.isascii()


def test_reading_and_writing_stop_at_the_last_row(tmp_path, trained):
    """The address sanitizer sees what changes no result."""
    (tmp_path / "conv.h").write_text(trained["conv"].to_c("conv"))
    main = """
    #include <stdlib.h>
    #include "conv.h"
    int main(void) {
        conv_memory *memory = malloc(sizeof *memory);
        size_t n, i;
        for (n = 0; n < 3; n++) {
            uint8_t *bytes = malloc(n * CONV_FEATURES + !n);
            double *numbers = malloc((n * CONV_FEATURES + !n) * sizeof(double));
            int32_t *scores = malloc((n * CONV_SCORES + !n) * sizeof(int32_t));
            int32_t *classes = malloc((n + !n) * sizeof(int32_t));
            for (i = 0; i < n * CONV_FEATURES; i++) numbers[i] = bytes[i] = (uint8_t)(i * 37);
            conv_predict_uint8(memory, bytes, n, scores, classes);
            conv_predict_double(memory, numbers, n, scores, classes);
            free(bytes); free(numbers); free(scores); free(classes);
        }
        free(memory);
        return 0;
    }
    """
    (tmp_path / "main.c").write_text(main)
    options = ["-std=c99", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [COMPILERS[0], *options, "main.c", "-o", "main"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("the C compiler has no sanitizers")
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.parametrize("option", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
def test_options_that_ignore_nan_are_refused_where_features_can_be_missing(tmp_path, trained, option):
    for name, text, works in (
        ("rows", trained["two"].to_c("rows"), False),
        ("bits", network_to_c(trained["two"].network_, "bits"), True),
    ):
        (tmp_path / f"{name}.h").write_text(text)
        (tmp_path / f"{name}.c").write_text(f'#include "{name}.h"\nint main(void) {{ return 0; }}\n')
        command = [COMPILERS[0], "-std=c99", option, f"{name}.c", "-o", name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0) is works
        assert ("compile this without -ffast-math" in done.stderr) is not works


@pytest.mark.skipif(CXX is None, reason="no C++ compiler: c++ is not on the path")
def test_the_headers_are_cpp_too_and_go_together(tmp_path, trained):
    names = {"net": "conv", "Net": "front", "NET": "numbers"}
    for i, (name, model) in enumerate(names.items()):
        (tmp_path / f"h{i}.h").write_text(trained[model].to_c(name))
    lines = [f'#include "h{i}.h"\n#include "h{i}.h"\n' for i in range(3)]
    uses = [f"{name}_memory m{i};\n" for i, name in enumerate(names)]
    (tmp_path / "all.cpp").write_text("".join(lines + uses) + "int main() { return 0; }\n")
    command = [CXX, "-std=c++17", "-O2", *WARNINGS, "all.cpp", "-o", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------------------------------ refusals


def test_what_cannot_be_c_is_refused(trained):
    plain = boolean_mlp([15, 4, 2], random_state=0)
    for name in ("", "1a", "a-b", "_a", "a;"):
        with pytest.raises(ValueError, match="name must be letters"):
            network_to_c(plain, name)
    with pytest.raises(TypeError, match="name must be a str"):
        trained["two"].to_c(3)
    with pytest.raises(ValueError, match=r"encoder must give 15 bits, the inputs of network, it gives \d+"):
        network_to_c(plain, encoder=trained["two"].encoder_)
    with pytest.raises(ValueError, match="not fitted"):
        BooleanClassifier().to_c()
    text = BooleanClassifier((4,), max_iter=1).fit(np.array([["a"], ["b"]] * 9, object), [0, 1] * 9)
    with pytest.raises(ValueError, match=r"text in feature 0, such as 'a'"):
        text.to_c()


def test_layers_that_are_float_or_unknown_are_refused_with_the_reason():
    class Mine(BooleanLinear):
        """One that may add up otherwise."""

    numbers = network(SignedSum(4, 2, random_state=0))
    real = conv_network((4, 4, 1), (4,), (), 2, ends=RealEnds(), random_state=0)
    mine = network(Mine(4, 2, random_state=0))
    larger = network(Upsample2d((1, 2, 4)), BooleanLinear(32, 2, random_state=0))
    why = ": what real weights give depends on the machine"
    for one, name, reason in (
        (numbers, "SignedSum", ""),
        (real, "RealConv2d", why),
        (mine, "Mine", ""),
        (larger, "Upsample2d", ""),
    ):
        with pytest.raises(TypeError, match=f"got {name}, for which there is no C{reason}$"):
            network_to_c(one)
    with pytest.raises(TypeError, match="network must begin with a layer that can be exported, got JoinChannels"):
        network_to_c(network(JoinChannels([[Threshold(8, 4, 2)]], 2)))


def test_a_header_needs_two_headers_of_the_language_and_nothing_else(trained):
    for model in trained.values():
        included = [line for line in model.to_c().splitlines() if "#include" in line]
        assert included == ["#include <stddef.h>", "#include <stdint.h>"]


def test_the_program_of_the_how_to_page_prints_what_the_page_says(tmp_path):
    page = (Path(__file__).parents[2] / "docs/howto/export-network.md").read_text(encoding="utf-8")
    program = re.search(r"```c\n(.*?)```", page, re.S)[1]
    model = BooleanClassifier((64,), max_iter=10, random_state=0).fit(*load_iris(return_X_y=True))
    (tmp_path / "flowers.h").write_text(model.to_c("flowers"))
    (tmp_path / "main.c").write_text(program)
    subprocess.run([COMPILERS[0], "-std=c99", *WARNINGS, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout
    assert f"/* {printed.strip()} */" in program


@pytest.mark.parametrize("export", [network_to_c, network_to_onnx])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"network": "x"}, "network must be a network with layers, got str"),
        ({"network": [1]}, "network must be a network with layers, got list"),
        ({"answer": 3}, "answer must be Best, Positive, Scaled or None, got int"),
        ({"encoder": "x"}, "encoder must be a .*, got str"),
    ],
)
def test_what_cannot_be_exported_is_named(export, arguments, text):
    if export is network_to_onnx:
        pytest.importorskip("onnx")
    with pytest.raises(TypeError, match=text):
        export(**{"network": boolean_mlp([8, 4, 2], random_state=0), **arguments})


CHAINS = {
    "other widths": (
        [linear(4, 5), Threshold(7, 4, 2), linear(200, 2)],
        "layers that follow each other, got Threshold of 7 sums after 5 sums",
    ),
    "sums for bits": ([linear(4, 5), linear(5, 2)], "follow each other, got BooleanLinear of 5 bits after 5 sums"),
    "bits for sums": (
        [GateLayer(4, 6, random_state=0), Threshold(6, 4, 2), linear(6, 2)],
        "follow each other, got Threshold of 6 sums after 6 bits",
    ),
    "bits at the end": (
        [linear(4, 5), Threshold(5, 4, 2)],
        "end in a layer that gives sums, which are the scores, got Threshold",
    ),
    "inside of a branch": (
        [Add([[linear(4, 5)], [linear(4, 5), Threshold(6, 4, 2), linear(6, 5)]])],
        "follow each other, got Threshold of 6 sums after 5 sums",
    ),
    "branches of other widths": (
        [Add([[linear(4, 5)], [linear(4, 6)]])],
        "layers that fit, got Add of stacks that end in 5 sums, 6 sums",
    ),
    "what is put beside": (
        [Concatenate([linear(4, 5)]), linear(9, 2)],
        "layers that fit, got Concatenate of stacks that end in 5 sums",
    ),
}


def test_every_layer_that_can_be_written_is_followed():
    assert layers._FLOWS.keys() == c_layers._WRITERS.keys() == onnx_layers._WRITERS.keys()


def test_exports_and_model_files_agree_on_what_layers_take_and_give():
    kinds = {kind.cls: kind for kind in KINDS.values()}
    for layer, (takes, gives) in layers._FLOWS.items():
        assert takes in kinds[layer].takes, layer
        assert gives == kinds[layer].gives, layer


@pytest.mark.parametrize("export", [network_to_c, network_to_onnx])
@pytest.mark.parametrize(("layers", "text"), CHAINS.values(), ids=CHAINS)
def test_layers_that_do_not_follow_each_other_are_refused(export, layers, text):
    if export is network_to_onnx:
        pytest.importorskip("onnx")
    with pytest.raises(ValueError, match=f"^network must .*{text}$"):
        export(SimpleNamespace(layers=layers))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.zeros(2), np.ones(2), 0), ValueError, "unit must be a finite number > 0, got 0"),
        ((np.zeros(2), np.ones(2), "a"), TypeError, "unit must be a finite number > 0, got 'a'"),
        ((np.zeros(2), [1, np.nan], 1.0), ValueError, "std must be finite, got NaN or infinity"),
        (([0, np.inf], np.ones(2), 1.0), ValueError, "mean must be finite, got NaN or infinity"),
        ((["a", "b"], np.ones(2), 1.0), TypeError, "mean must be an array of real numbers"),
        ((0.0, np.ones(2), 1.0), ValueError, r"mean must have 1 dimension\(s\), got shape \(\)"),
    ],
)
def test_a_scale_that_is_none_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        Scaled(*arguments)


@pytest.mark.parametrize("export", [network_to_c, network_to_onnx])
def test_a_scale_of_other_scores_is_refused(export):
    if export is network_to_onnx:
        pytest.importorskip("onnx")
    two = boolean_mlp([8, 4, 2], random_state=0)
    for mean, std, name in ((np.zeros(2), np.ones(1), "std"), (np.zeros(3), np.ones(2), "mean")):
        with pytest.raises(ValueError, match=rf"{name} of answer must have a number for each of 2 score\(s\)"):
            export(two, answer=Scaled(mean, std, 1.0))


@pytest.mark.parametrize("export", [network_to_c, network_to_onnx])
def test_layers_of_images_that_grow_are_refused_by_name_wherever_they_stand(export):
    """They are integers, so the reason is not that of real weights."""
    if export is network_to_onnx:
        pytest.importorskip("onnx")
    conv = BooleanConv2d((2, 2, 1), 2, 1, random_state=0)
    join = JoinChannels([[conv, Threshold(8, 1, 2)]], 4)
    above = BooleanLinear(8, 2, random_state=0)
    with pytest.raises(TypeError, match="must begin with a layer that can be exported, got JoinChannels"):
        export(network(join, above))
    upsample = network(Upsample2d((2, 2, 1), (1, 2)), above)
    with pytest.raises(TypeError, match=r"got Upsample2d, for which there is no (C|ONNX)$"):
        export(upsample)
