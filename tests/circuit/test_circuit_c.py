"""The C header, compiled and run, against `Circuit.evaluate`; many circuits a file, because compilers are slow."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_circuit import random_circuit, random_rows

from bvar import kernels
from bvar.circuit import Circuit, to_c
from bvar.encoding import OneHotBits, TableEncoder, ThermometerEncoder

CC, CXX = shutil.which("cc"), shutil.which("c++")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler: cc is not on the path")

PLANES = """
void {name}_run(const uint64_t *planes, uint64_t *outputs, int32_t *scores) {{
    static {name}_memory memory;
    size_t i;
    for (i = 0; i < {guard}_INPUTS; i++) memory.inputs[i] = planes[i];
    {name}_outputs(&memory, outputs);
    {name}_scores(&memory, (int32_t(*)[{guard}_GROUPS])scores);
}}
"""
ROWS = """
void {name}_run_{type}(const {ctype} *rows, size_t n, int32_t *scores, int32_t *classes) {{
    static {name}_memory memory;
    {name}_predict_{type}(&memory, rows, n, scores, classes);
}}
"""


def source(headers, with_rows):
    """A C file of some headers, with a function of external linkage for each that they define."""
    text = ""
    for name in headers:
        text += f'#include "{name}.h"\n' + PLANES.format(name=name, guard=name.upper())
        if with_rows:
            text += ROWS.format(name=name, type="double", ctype="double")
            text += ROWS.format(name=name, type="uint8", ctype="uint8_t")
    return text


def compiled(folder, headers, *, with_rows=False, compiler=CC, options=("-std=c99", "-O1"), suffix=".c"):
    """Compile headers, a dict of name to text, with every warning an error; return the library."""
    for name, text in headers.items():
        (folder / f"{name}.h").write_text(text, encoding="ascii")
    path, library = folder / f"all{suffix}", folder / f"all{suffix}.so"
    path.write_text(source(headers, with_rows), encoding="ascii")
    command = [compiler, *options, *WARNINGS, "-shared", "-fPIC", str(path), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return ctypes.CDLL(str(library))


def pointer(array):
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


def run_planes(library, name, circuit, rows):
    """Outputs and scores of rows of bits, 64 at a time."""
    outputs, scores = [], []
    for start in range(0, len(rows), 64):
        block = np.zeros((64, circuit.n_inputs), bool)
        block[: len(rows[start : start + 64])] = rows[start : start + 64]
        planes = np.ascontiguousarray(kernels.transpose(kernels.pack(block)).words[:, 0])
        out, score = np.zeros(circuit.n_outputs, np.uint64), np.zeros((64, circuit.n_groups), np.int32)
        getattr(library, f"{name}_run")(pointer(planes), pointer(out), pointer(score))
        outputs.append((out[None, :] >> np.arange(64, dtype=np.uint64)[:, None] & np.uint64(1)).astype(bool))
        scores.append(score)
    return np.concatenate(outputs)[: len(rows)], np.concatenate(scores)[: len(rows)]


def run_rows(library, name, circuit, rows):
    """Scores and classes of rows of features; a guard after the last one must stay as it is."""
    kind = {np.dtype(np.float64): "double", np.dtype(np.uint8): "uint8"}[rows.dtype]
    scores = np.full((len(rows) + 1, circuit.n_groups), 12345, np.int32)
    classes = np.full(len(rows) + 1, 12345, np.int32)
    run = getattr(library, f"{name}_run_{kind}")
    for a, b in ((scores, classes), (scores, None), (None, classes)):
        arrays = [None if v is None else pointer(v) for v in (a, b)]
        run(pointer(rows), ctypes.c_size_t(len(rows)), *arrays)
    assert (scores[-1] == 12345).all()
    assert classes[-1] == 12345
    return scores[:-1], classes[:-1]


def assert_rows_agree(library, name, circuit, encoder, rows):
    expected = circuit.evaluate(encoder.encode(np.asarray(rows, np.float64)))
    scores, classes = run_rows(library, name, circuit, np.ascontiguousarray(rows))
    np.testing.assert_array_equal(scores, expected)
    np.testing.assert_array_equal(classes, expected.argmax(axis=1))


def random_circuits():
    """Forty of all shapes, and some at the edges: no gates, constants, one group, group sizes around 2**k."""
    rng = np.random.default_rng(0)
    shapes = [(int(rng.integers(1, 20)), int(rng.integers(0, 80)), int(rng.integers(1, 5))) for _ in range(40)]
    found = [random_circuit(rng, n, g, groups * int(rng.integers(1, 20)), groups) for n, g, groups in shapes]
    found += [random_circuit(rng, n_outputs=3 * size) for size in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 64, 100)]
    found += [Circuit(3, [], [2, 0], 2), Circuit(1, [(1, ()), (0, ())], [1, 2], 1), Circuit(1, [], [0])]
    found += [random_circuit(rng, n_gates=350, fan_ins=[2, 3]), found[0].simplify(), found[1].simplify()]
    return {f"c{i}": circuit for i, circuit in enumerate(found)}


@needs_cc
def test_planes_agree_for_circuits_of_all_shapes(tmp_path):
    chosen = random_circuits()
    library = compiled(tmp_path, {name: to_c(circuit, name) for name, circuit in chosen.items()})
    for seed, (name, circuit) in enumerate(chosen.items()):
        rows = random_rows(seed, 10_000 if seed < 3 else 300, circuit.n_inputs)
        outputs, scores = run_planes(library, name, circuit, rows)
        np.testing.assert_array_equal(outputs, kernels.unpack(circuit.evaluate_bits(kernels.pack(rows))))
        np.testing.assert_array_equal(scores, circuit.evaluate(kernels.pack(rows)))


@needs_cc
@pytest.mark.parametrize("k", [2, 3])
def test_every_function_of_two_and_three_inputs(tmp_path, k):
    n = 2**2**k
    circuit = Circuit(k, [(table, range(k)) for table in range(n)], range(k, k + n), n)
    library = compiled(tmp_path, {"every": circuit.to_c("every")})
    rows = np.array([[a >> i & 1 for i in range(k)] for a in range(2**k)], bool)
    _, scores = run_planes(library, "every", circuit, rows)
    assert scores.tolist() == [[2 * (table >> a & 1) - 1 for table in range(n)] for a in range(2**k)]


# ---------------------------------------------------------------------------------------------- encoders

EDGES = [-300.0, -0.5, 0.0, 0.25, 1.0, 5.5, 127.0, 127.5, 128.0, 128.5, 254.5, 255.0, 255.5, 256.0, 1e300]


def thermometer(n_features=1, seed=0):
    """Thresholds at the edges of bytes, of words and of doubles."""
    rng = np.random.default_rng(seed)
    encoder = ThermometerEncoder().fit(rng.random((5, n_features)))
    encoder.thresholds_ = [
        np.sort(np.append(rng.choice(EDGES, int(rng.integers(0, 4)), replace=False), rng.random() * 255))
        for _ in range(n_features)
    ]
    encoder.n_bits_out_ = sum(map(len, encoder.thresholds_))
    return encoder


def encoders():
    rng = np.random.default_rng(0)
    edges = ThermometerEncoder().fit([[0.0], [1.0]])
    edges.thresholds_, edges.n_bits_out_ = [np.array(EDGES)], len(EDGES)
    values = rng.integers(0, 256, (500, 1)).astype(float)
    values[:20, 0] = rng.choice([-1.0, 0.5, 300.0, 2.0**53], 20)
    mixed = np.column_stack(
        [rng.integers(0, 9, 300), rng.integers(0, 4, 300) - 0.5, rng.random(300) * 255, *values[:300].T]
    )
    return {
        "edges": edges,
        **{f"features{n}": thermometer(n, n) for n in (1, 7, 8, 9, 17, 64)},
        "onehot": OneHotBits().fit(values),
        "rare": OneHotBits(max_categories=5).fit(values),
        "table": TableEncoder(categorical=[0, 1, 3], max_categories=20).fit(mixed),
    }


def identity(n):
    """A circuit whose scores are its inputs."""
    return Circuit(n, [], range(n), n)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """Each encoder with a circuit that shows every bit, and with a random one."""
    if CC is None:
        pytest.skip("no C compiler: cc is not on the path")
    rng, made = np.random.default_rng(1), {}
    for name, encoder in encoders().items():
        n = encoder.n_bits_out_
        made[name] = (identity(n), encoder)
        made[f"{name}_random"] = (random_circuit(rng, n, 60, 15, 3), encoder)
    headers = {name: to_c(circuit, name, encoder) for name, (circuit, encoder) in made.items()}
    return compiled(tmp_path_factory.mktemp("c"), headers, with_rows=True), made


@needs_cc
def test_bytes_are_encoded_as_the_encoder_does(encoded):
    library, made = encoded
    rng = np.random.default_rng(2)
    for name, (circuit, encoder) in made.items():
        every = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, encoder.n_features_in_))
        for rows in (every, rng.integers(0, 256, (1000, encoder.n_features_in_)).astype(np.uint8)):
            assert_rows_agree(library, name, circuit, encoder, rows)


@needs_cc
def test_doubles_are_encoded_as_the_encoder_does(encoded):
    library, made = encoded
    rng = np.random.default_rng(3)
    for name, (circuit, encoder) in made.items():
        near = np.unique(np.concatenate([getattr(encoder, "thresholds_", [np.array(EDGES)])[0], EDGES]))
        near = np.concatenate(
            [near, np.nextafter(near, -1e308), np.nextafter(near, 1e308), [np.nan, -0.0, 7.0, -1.0]]
        )
        rows = rng.choice(near, (1000, encoder.n_features_in_))
        assert_rows_agree(library, name, circuit, encoder, rows)
        rows = rng.random((500, encoder.n_features_in_)) * 255
        rows[rng.random(rows.shape) < 0.2] = np.nan
        assert_rows_agree(library, name, circuit, encoder, rows)


@needs_cc
@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 127, 128, 129, 1000])
@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_any_number_of_rows(encoded, n, dtype):
    library, made = encoded
    for name in ("features9_random", "features8_random", "onehot_random"):
        circuit, encoder = made[name]
        rows = np.random.default_rng(n).integers(0, 256, (max(n, 1), encoder.n_features_in_)).astype(dtype)
        if n:
            assert_rows_agree(library, name, circuit, encoder, rows)
        else:
            run_rows(library, name, circuit, rows[:0])


@needs_cc
def test_reading_stops_at_the_last_row(tmp_path):
    """The address sanitizer sees a read after the end that changes no result."""
    name, encoder = "edge", thermometer(15, 9)  # seven bytes are left after the first eight
    (tmp_path / "edge.h").write_text(to_c(identity(encoder.n_bits_out_), name, encoder))
    main = """
    #include <stdlib.h>
    #include "edge.h"
    int main(void) {
        static edge_memory memory;
        size_t n, i;
        for (n = 0; n < 130; n++) {
            uint8_t *bytes = malloc(n * EDGE_FEATURES + !n);
            double *numbers = malloc((n * EDGE_FEATURES + !n) * sizeof(double));
            int32_t *scores = malloc((n * EDGE_GROUPS + !n) * sizeof(int32_t));
            int32_t *classes = malloc((n + !n) * sizeof(int32_t));
            for (i = 0; i < n * EDGE_FEATURES; i++) numbers[i] = bytes[i] = (uint8_t)(i * 37);
            edge_predict_uint8(&memory, bytes, n, scores, classes);
            edge_predict_double(&memory, numbers, n, scores, classes);
            free(bytes); free(numbers); free(scores); free(classes);
        }
        return 0;
    }
    """
    (tmp_path / "main.c").write_text(main)
    options = ["-std=c99", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [CC, *options, str(tmp_path / "main.c"), "-o", str(tmp_path / "main")]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("the C compiler has no sanitizers")
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


@needs_cc
def test_bits_that_nobody_reads_and_answers_that_never_come(tmp_path):
    """No tables are left then, which C would not allow to be empty."""
    encoder = ThermometerEncoder().fit([[0.0], [1.0]])
    encoder.thresholds_ = [np.array([1000.0])]
    made = {
        "unread": (Circuit(1, [(1, ())], [1]), encoder),
        "never": (Circuit(1, [], [0]), encoder),
    }
    headers = {name: to_c(circuit, name, encoder) for name, (circuit, encoder) in made.items()}
    library = compiled(tmp_path, headers, with_rows=True)
    for name, (circuit, encoder) in made.items():
        assert_rows_agree(library, name, circuit, encoder, np.array([[0], [255]], np.uint8))
        assert_rows_agree(library, name, circuit, encoder, np.array([[0.0], [1000.0], [np.nan]]))


@pytest.mark.skipif(CXX is None, reason="no C++ compiler: c++ is not on the path")
@pytest.mark.parametrize("optimization", ["-O0", "-O2"])
def test_the_header_is_cpp_too(tmp_path, optimization):
    encoder = thermometer(9, 3)
    circuit = random_circuit(np.random.default_rng(0), encoder.n_bits_out_)
    headers = {"cpp": to_c(circuit, "cpp", encoder), "edge": to_c(Circuit(1, [(1, ())], [1]), "edge")}
    text = source({"cpp": None}, with_rows=True) + source({"edge": None}, with_rows=False)
    for name, header in headers.items():
        (tmp_path / f"{name}.h").write_text(header)
    (tmp_path / "all.cpp").write_text(text)
    command = [
        CXX,
        "-std=c++17",
        optimization,
        *WARNINGS,
        "-c",
        str(tmp_path / "all.cpp"),
        "-o",
        str(tmp_path / "o"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


@needs_cc
@pytest.mark.parametrize("standard", ["-std=c99", "-std=c11"])
def test_a_header_that_is_included_twice_and_not_used_gives_no_warning(tmp_path, standard):
    (tmp_path / "one.h").write_text(to_c(random_circuit(np.random.default_rng(0)), "one"))
    (tmp_path / "all.c").write_text('#include "one.h"\n#include "one.h"\nint main(void) { return 0; }\n')
    command = [CC, standard, *WARNINGS, str(tmp_path / "all.c"), "-o", str(tmp_path / "o")]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""


@needs_cc
def test_headers_whose_names_differ_in_case_alone_go_together(tmp_path):
    """One include guard for two of them left the second one empty."""
    names = ["net", "Net", "NET", "nEt"]
    for i, name in enumerate(names):
        (tmp_path / f"h{i}.h").write_text(to_c(identity(i + 1), name))
    lines = [f'#include "h{i}.h"\n' for i in range(len(names))]
    sizes = [
        f"int a{i}[{name.swapcase()}_INPUTS == {i + 1} ? 1 : -1]; {name}_memory m{i};\n"
        for i, name in enumerate(names)
    ]
    (tmp_path / "all.c").write_text("".join(lines + sizes) + "int main(void) { return 0; }\n")
    done = subprocess.run(
        [CC, "-std=c99", *WARNINGS, "all.c", "-o", "o"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_cc
@pytest.mark.parametrize("option", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
def test_options_that_ignore_nan_are_refused_where_features_can_be_missing(tmp_path, option):
    """With them a row with a missing feature was scored wrongly."""
    encoder = thermometer(9, 3)
    circuit = random_circuit(np.random.default_rng(0), encoder.n_bits_out_)
    for name, header, works in (
        ("rows", to_c(circuit, "rows", encoder), False),
        ("bits", to_c(circuit, "bits"), True),
    ):
        (tmp_path / f"{name}.h").write_text(header)
        (tmp_path / f"{name}.c").write_text(f'#include "{name}.h"\nint main(void) {{ return 0; }}\n')
        command = [CC, "-std=c99", option, f"{name}.c", "-o", name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0) is works
        assert ("compile this without -ffast-math" in done.stderr) is not works


@needs_cc
def test_the_program_of_the_how_to_page_prints_what_the_page_says(tmp_path):
    page = (Path(__file__).parents[2] / "docs/howto/export-circuit.md").read_text(encoding="utf-8")
    program = re.search(r"```c\n(.*?)```", page, re.S)[1]
    adder = Circuit(3, [(0b0110, (0, 1)), (0b0110, (2, 3)), (0b11101000, (0, 1, 2))], [4, 5], 2)
    encoder = ThermometerEncoder(n_bits=1).fit([[0.0, 10.0, 5.0], [1.0, 20.0, 6.0]])
    (tmp_path / "adder.h").write_text(to_c(adder, "adder", encoder))
    (tmp_path / "main.c").write_text(program)
    subprocess.run([CC, "-std=c99", *WARNINGS, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout
    assert f"/* {printed.strip()} */" in program


def test_what_cannot_be_c_is_refused():
    circuit = identity(2)
    for name in ("", "1a", "a-b", "a b", "_a", "é", "a;", "a\n"):
        with pytest.raises(ValueError, match="name must be letters"):
            to_c(circuit, name)
    with pytest.raises(TypeError, match="name must be a str"):
        to_c(circuit, 3)
    with pytest.raises(TypeError, match="encoder must be a ThermometerEncoder"):
        to_c(circuit, encoder="none")
    with pytest.raises(ValueError, match="n_inputs=2 bits, it gives 15"):
        to_c(circuit, encoder=encoders()["edges"])
    text = OneHotBits().fit(np.array([["a"], ["b"]], object))
    with pytest.raises(ValueError, match=r"text in feature 0, such as 'a'.*OrdinalEncoder"):
        to_c(circuit, encoder=text)
    large = OneHotBits().fit(np.array([[2**60 + 1], [0]], object))
    with pytest.raises(ValueError, match="too large"):
        to_c(circuit, encoder=large)
    with pytest.raises(ValueError, match="not fitted"):
        to_c(circuit, encoder=ThermometerEncoder())


def test_generated_code_needs_two_headers_of_the_language_and_nothing_else():
    text = to_c(identity(15), encoder=encoders()["edges"])
    assert [line for line in text.splitlines() if "#include" in line] == [
        "#include <stddef.h>",
        "#include <stdint.h>",
    ]
    assert text.isascii()
    assert "0x1.0000000000000p-2" in text


@needs_cc
def test_every_byte_meets_every_threshold(tmp_path):
    encoder = ThermometerEncoder().fit(np.arange(256.0)[:, None])
    encoder.thresholds_, encoder.n_bits_out_ = [np.arange(256.0)], 256
    circuit = Circuit(256, [], range(256), 256)
    library = compiled(tmp_path, {"bytes": circuit.to_c("bytes", encoder)}, with_rows=True)
    scores, _ = run_rows(library, "bytes", circuit, np.arange(256, dtype=np.uint8)[:, None])
    assert (scores == np.where(np.tri(256), 1, -1)).all()
