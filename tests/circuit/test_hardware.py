"""The chip: comparators, counters, the choice of a class, registers; against NumPy, simulators and a solver."""

import shutil
import subprocess
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from test_circuit import every_row, random_circuit, random_rows

from bvar import LogicGateClassifier, LogicGateConvClassifier, ThermometerEncoder, kernels
from bvar.circuit import (
    Circuit,
    check_c,
    chip_to_verilog,
    make_chip,
    map_to_luts,
    to_blif,
    to_luts,
    write_testbench,
    yosys_luts,
)
from bvar.circuit.comparing import at_least, equals, first_largest
from bvar.circuit.counting import count
from bvar.circuit.rules import Builder
from bvar.encoding import OneHotBits, TableEncoder


def needs(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def counts(circuit, rows):
    return (circuit.evaluate(kernels.pack(rows)) + circuit.group_size) // 2


def outputs(builder, signals, rows):
    circuit = Circuit(builder.n_inputs, list(builder.gates.values()), signals)
    return kernels.unpack(circuit.evaluate_bits(kernels.pack(rows)))


def value(bits):
    return bits @ (1 << np.arange(bits.shape[1]))


# ---------------------------------------------------------------------------------------- parts of a chip


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 5))
def test_a_counter_counts_constants_repetitions_and_negations(chosen, n_gates):
    """Signals 0 to 3 are inputs; the others are constants, negations, and gates that only the counter reads."""
    builder = Builder.simplifying(4)
    signals = [0, 1, 2, 3, builder.constant(True), builder.constant(False), builder.invert(0), builder.invert(2)]
    signals += [builder.add(0b0110, (1, 2)), builder.add(0b1000, (0, 3))]
    taken = [signals[i] for i in chosen]
    bits = count(builder, taken, Counter(taken))
    rows = every_row(4)
    expected = outputs(builder, taken, rows).sum(axis=1)
    assert value(outputs(builder, bits, rows)).tolist() == expected.tolist()
    assert len(bits) == len(taken).bit_length()


def test_comparisons_with_constants_and_between_numbers():
    rows = every_row(4)
    for threshold in range(16):
        builder = Builder.simplifying(4)
        made = outputs(
            builder, [at_least(builder, range(4), threshold), equals(builder, range(4), threshold)], rows
        )
        assert made[:, 0].tolist() == (value(rows) >= threshold).tolist()
        assert made[:, 1].tolist() == (value(rows) == threshold).tolist()


@pytest.mark.parametrize("n", range(1, 7))
def test_the_first_of_the_largest_wins(n):
    builder = Builder.simplifying(2 * n)
    index = first_largest(builder, [range(2 * i, 2 * i + 2) for i in range(n)])
    rows = every_row(2 * n)
    numbers = np.stack([value(rows[:, 2 * i : 2 * i + 2]) for i in range(n)], axis=1)
    found = outputs(builder, index or [builder.constant(False)], rows)
    assert value(found).tolist() == numbers.argmax(axis=1).tolist()


def encoders():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (200, 3))
    table[:, 1] %= 5
    return {
        "thermometer": ThermometerEncoder(3).fit(table),
        "one-hot": OneHotBits(max_categories=4).fit(table[:, 1:2]),
        "table": TableEncoder(categorical=[1]).fit(table),
    }


@pytest.mark.parametrize("name", encoders())
@pytest.mark.parametrize("answer", ["scores", "class"])
def test_a_chip_answers_as_encoder_and_circuit_do(name, answer):
    rng, encoder = np.random.default_rng(1), encoders()[name]
    circuit = random_circuit(rng, encoder.n_bits_out_, 60, 28, 4)
    X = rng.integers(0, 256, (500, encoder.n_features_in_))
    X[::2, min(1, X.shape[1] - 1)] %= 5
    expected = counts(circuit, kernels.unpack(encoder.encode(X)))
    for lut_inputs in (None, 6):
        chip = make_chip(circuit, encoder, answer=answer, lut_inputs=lut_inputs)
        assert chip.evaluate(X).tolist() == (expected if answer == "scores" else expected.argmax(axis=1)).tolist()
        assert chip.n_gates == chip.netlist.n_gates >= chip.core.n_gates


def test_signed_columns_and_thresholds_out_of_range():
    encoder = ThermometerEncoder(1).fit([[-5, 0], [5, 1]])
    encoder.thresholds_ = [np.array([-200.0, -3.5, 0.0, 90.0]), np.array([-8.0, 127.0, 128.0])]
    encoder.n_bits_out_ = 7
    X = np.array([[a, b] for a in (-128, -4, -3, -1, 0, 89, 90, 127) for b in (-128, -9, -8, 126, 127)])
    circuit = Circuit(7, [], range(7), 7)
    chip = make_chip(circuit, encoder, signed=True, answer="scores")
    assert chip.evaluate(X).tolist() == counts(circuit, kernels.unpack(encoder.encode(X))).tolist()
    for wrong in ([[128, 0]], [[0.5, 0]]):
        with pytest.raises(ValueError, match=r"X must hold integers in \[-128, 127\]"):
            chip.evaluate(wrong)


def test_what_is_no_chip_is_refused():
    circuit = Circuit(2, [], [0, 1], 2)
    for arguments, text in (
        ({"answer": "both"}, "answer must be one of 'scores', 'class', got 'both'"),
        ({"width": 33}, "width must be an integer"),
        ({"pipeline": 0}, "pipeline must be an integer"),
        ({"lut_inputs": 7}, "lut_inputs must be an integer"),
        ({"encoder": encoders()["thermometer"]}, "encoder must give n_inputs=2 bits"),
    ):
        with pytest.raises(ValueError, match=text):
            make_chip(circuit, **arguments)


def test_the_parts_of_a_chip_are_all_of_it():
    encoder = encoders()["thermometer"]
    circuit = random_circuit(np.random.default_rng(2), encoder.n_bits_out_, 60, 28, 4).simplify()
    chip = make_chip(circuit, encoder)
    assert chip.parts == {
        "circuit": circuit.n_gates,
        "counters": make_chip(circuit, answer="scores").n_gates - circuit.n_gates,
        "class": make_chip(circuit).n_gates - make_chip(circuit, answer="scores").n_gates,
        "comparators": chip.n_gates - make_chip(circuit).n_gates,
    }
    assert all(n > 0 for n in chip.parts.values())
    for options in ({"lut_inputs": 6}, {"answer": "scores"}, {"pipeline": 2}):
        other = make_chip(circuit, encoder, **options)
        assert sum(other.parts.values()) == other.n_gates
    assert make_chip(circuit, answer="scores").parts["class"] == 0
    said = ", ".join(f"{name} {n}" for name, n in chip.parts.items())
    assert chip.summary().split("\n")[1] == f"gates added by: {said}"


def test_a_summary_has_the_tables_of_yosys_if_asked(monkeypatch):
    chip = make_chip(Circuit(2, [(8, (0, 1))], [2]), answer="scores")
    assert "Yosys" not in chip.summary()
    found = yosys_luts(chip)
    assert f"tables by Yosys: {'it is not installed' if found is None else found}" in chip.summary(yosys=True)
    monkeypatch.setenv("PATH", "")
    assert "tables by Yosys: it is not installed" in chip.summary(yosys=True)


def test_a_model_becomes_a_chip_and_verilog_in_one_line():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 16, (300, 5))
    y = np.array(["low", "mid", "high"])[np.digitize(X[:, 0] + X[:, 1], [10, 20])]
    model = LogicGateClassifier((60, 60), encoder=ThermometerEncoder(3), max_iter=5, random_state=0).fit(X, y)
    chip = model.chip(width=4, pipeline=3, lut_inputs=6)
    assert model.classes_[chip.evaluate(X)].tolist() == model.predict(X).tolist()
    assert chip.latency > 1
    assert model.to_verilog("sizes", width=4, pipeline=3, lut_inputs=6) == chip_to_verilog(chip, "sizes")
    by_hand = make_chip(model.circuit(simplify=False).simplify(level=1), model.encoder_, width=4)
    assert model.to_verilog("sizes", width=4, level=1) == chip_to_verilog(by_hand, "sizes")
    with pytest.raises(NotFittedError):
        LogicGateClassifier().to_verilog()
    with pytest.raises(ValueError, match="name must"):
        model.to_verilog("module")


def test_a_model_of_labels_becomes_a_chip_that_counts():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 16, (200, 4))
    model = LogicGateClassifier((40, 40), encoder=ThermometerEncoder(2), max_iter=2, random_state=0)
    model.fit(X, X[:, :2] > 7)
    with pytest.raises(ValueError, match="answer must be 'scores' for a model of labels"):
        model.chip(width=4)
    assert model.chip(width=4, answer="scores").evaluate(X).shape == (200, 2)


def test_a_model_of_images_becomes_a_chip():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (120, 6, 6))
    y = (X[:, :, :3].sum(axis=(1, 2)) > X[:, :, 3:].sum(axis=(1, 2))).astype(int)
    model = LogicGateConvClassifier((4, "M"), (30,), max_iter=2, random_state=0).fit(X, y)
    rows = X.reshape(120, 36)
    assert model.chip(width=2).evaluate(rows).tolist() == model.predict(X).tolist()


def test_a_chip_without_an_encoder_takes_bits_and_no_values_of_m():
    chip = make_chip(Circuit(2, [], [0, 1], 2))
    bits = np.array([[0, 1], [1, 0]])
    assert np.array_equal(chip.evaluate(bits), chip.evaluate(bits.astype(bool)))
    assert len(chip.evaluate(bits[:0])) == 0
    for wrong in (2 * bits - 1, bits / 2, np.array([[np.nan, 1]])):
        with pytest.raises(ValueError, match="X must hold bits, 0 and 1; values of M are bits as X > 0"):
            chip.evaluate(wrong)


# -------------------------------------------------------------------------------------------- the mapper


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_tables_compute_the_same_and_are_no_deeper(seed, k):
    circuit = random_circuit(np.random.default_rng(seed), 7, 40, 6, fan_ins=[0, 1, 2, 2])
    mapped = to_luts(circuit, k)
    rows = kernels.pack(every_row(7))
    assert (mapped.evaluate_bits(rows).words == circuit.evaluate_bits(rows).words).all()
    assert max((len(gate.inputs) for gate in mapped.gates), default=0) <= k
    mapping = map_to_luts(circuit, k)
    assert mapped.depth <= mapping.depth <= circuit.depth
    assert mapping.n_luts <= circuit.n_gates


def test_the_least_depth_is_found():
    """Parity of 36 inputs: seven tables of six, in two levels."""
    gates = [(6, (2 * i, 2 * i + 1)) for i in range(35)]
    assert map_to_luts(Circuit(36, gates, [70])).depth <= 3
    chain = Circuit(36, [(6, (0, 1)), *((6, (i, i + 34)) for i in range(2, 36))], [70])
    assert map_to_luts(chain).n_luts == 7


# --------------------------------------------------------------------------------- simulated and proved


def run(folder, *commands):
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


def run_iverilog(folder):
    compiled = ["iverilog", "-g2001", "-Wall", "-Wno-timescale", "-o", "a.vvp", "part_tb.v", "part.v"]
    return run(folder, compiled, ["vvp", "-n", "a.vvp"])


NEGATIONS = "-fno-const-bit-op-tree"  # without it Verilator 5.006 loses negations in parities


def run_verilator(folder):
    options = ["--binary", "--timing", "-Wno-fatal", NEGATIONS, "--top-module", "part_tb"]
    return run(folder, ["verilator", *options, "part_tb.v", "part.v"], ["./obj_dir/Vpart_tb"])


def simulate(folder, chip, X, answers, simulator=run_iverilog):
    write_testbench(folder, chip, X, answers, "part")
    return simulator(folder)


def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return LogicGateClassifier((200, 200), max_iter=5, random_state=0).fit(X, y), X


@needs("iverilog")
@pytest.mark.parametrize("pipeline", [None, 1, 3, 100])
@pytest.mark.parametrize("answer", ["scores", "class"])
def test_the_module_answers_as_the_circuit_with_registers_and_without(tmp_path, pipeline, answer):
    rng, encoder = np.random.default_rng(2), encoders()["table"]
    circuit = random_circuit(rng, encoder.n_bits_out_, 50, 21, 3)
    X = rng.integers(0, 256, (50, 3))
    expected = counts(circuit, kernels.unpack(encoder.encode(X)))
    chip = make_chip(circuit, encoder, answer=answer, pipeline=pipeline)
    assert (chip.latency > 0) == (pipeline is not None)
    answers = expected if answer == "scores" else expected.argmax(axis=1)
    assert "PASS: 50 answers" in simulate(tmp_path, chip, X, answers)
    answers[7] = (answers[7] + 1) % 3
    assert "FAIL: 1 of 50" in simulate(tmp_path, chip, X, answers)


@needs("iverilog")
def test_a_chip_of_digits_predicts_from_raw_pixels(tmp_path):
    model, X = digits()
    chip = make_chip(model.circuit(), model.encoder_, width=5, pipeline=4, lut_inputs=6)
    predicted = np.searchsorted(model.classes_, model.predict(X[:100]))
    assert "PASS: 100 answers" in simulate(tmp_path, chip, X[:100], predicted)


@needs("iverilog")
def test_signed_columns_of_the_module(tmp_path):
    encoder = ThermometerEncoder(3).fit(np.arange(-100, 100).reshape(-1, 2))
    circuit = random_circuit(np.random.default_rng(0), encoder.n_bits_out_, 20, 9, 3)
    X = np.random.default_rng(1).integers(-128, 128, (100, 2))
    chip = make_chip(circuit, encoder, signed=True, answer="scores")
    assert "PASS" in simulate(tmp_path, chip, X, counts(circuit, kernels.unpack(encoder.encode(X))))


@needs("iverilog")
def test_a_column_may_be_wider_than_the_module_was_written_for(tmp_path):
    """The parameter WIDTH: comparisons are those of the whole number."""
    encoder = ThermometerEncoder(3).fit(np.arange(0, 256).reshape(-1, 2))
    circuit = random_circuit(np.random.default_rng(0), encoder.n_bits_out_, 20, 9, 3)
    X = np.random.default_rng(1).integers(0, 4096, (100, 2))
    X[::2] %= 256
    wide, narrow = (make_chip(circuit, encoder, width=width, answer="scores") for width in (12, 8))
    expected = counts(circuit, kernels.unpack(encoder.encode(X)))
    write_testbench(tmp_path, wide, X, expected, "part")
    text = (tmp_path / "part_tb.v").read_text().replace("part subject (", "part #(.WIDTH(12)) subject (")
    (tmp_path / "part_tb.v").write_text(text)
    (tmp_path / "part.v").write_text(chip_to_verilog(narrow, "part"))
    assert "PASS: 100 answers" in run_iverilog(tmp_path)


@needs("verilator", "make", "g++")
def test_verilator_agrees(tmp_path):
    rng, encoder = np.random.default_rng(2), encoders()["table"]
    circuit = random_circuit(rng, encoder.n_bits_out_, 50, 21, 3)
    X = rng.integers(0, 256, (50, 3))
    expected = counts(circuit, kernels.unpack(encoder.encode(X))).argmax(axis=1)
    chip = make_chip(circuit, encoder, pipeline=2)
    assert "PASS: 50 answers" in simulate(tmp_path, chip, X, expected, run_verilator)


@needs("yosys")
@pytest.mark.parametrize("name", encoders())
def test_yosys_proves_that_the_verilog_is_the_netlist(tmp_path, name):
    """Comparators are Verilog in the module and gates in the netlist: a solver sees that they are the same."""
    encoder = encoders()[name]
    chip = make_chip(random_circuit(np.random.default_rng(3), encoder.n_bits_out_, 40, 12, 2), encoder)
    (tmp_path / "a.v").write_text(chip_to_verilog(chip, "part"))
    (tmp_path / "b.blif").write_text(to_blif(chip.netlist, "other"))
    n = chip.netlist.n_inputs
    ports = ", ".join(
        [*(f".x{i}(x[{i}])" for i in range(n)), *(f".y{i}(y[{i}])" for i in range(chip.class_width))]
    )
    (tmp_path / "c.v").write_text(
        f"module wrapped(input [{n - 1}:0] x, output [{chip.class_width - 1}:0] class_index);\n"
        f"wire [{chip.class_width - 1}:0] y; other o({ports}); assign class_index = y;\nendmodule\n"
    )
    script = (
        "read_blif b.blif; read_verilog a.v c.v; proc; flatten; opt_clean; "
        "miter -equiv -flatten part wrapped miter; hierarchy -top miter; sat -verify -prove trigger 0 miter"
    )
    done = subprocess.run(["yosys", "-q", "-p", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@needs("yosys")
def test_both_counts_of_tables_are_close():
    circuit = random_circuit(np.random.default_rng(0), 20, 200, 60, 3, fan_ins=[2]).simplify()
    chip = make_chip(circuit, answer="scores", lut_inputs=6)
    assert abs(yosys_luts(chip) - chip.n_luts) < 0.15 * chip.n_luts


def test_tables_are_not_counted_without_a_synthesiser(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert yosys_luts(make_chip(Circuit(1, [], [0]))) is None


@needs("cc")
def test_c_is_checked_with_bits_and_with_features():
    model, X = digits()
    assert check_c(model.circuit()) == 1000
    assert check_c(model.circuit(), X, model.encoder_) == len(X)
    assert check_c(random_circuit(np.random.default_rng(0)), random_rows(0, 65, 9)) == 65


@needs("cc")
def test_c_that_is_wrong_is_found(monkeypatch):
    from bvar.circuit import checking

    right = checking.to_c
    monkeypatch.setattr(checking, "to_c", lambda *a: right(*a).replace("^", "&"))
    with pytest.raises(AssertionError, match=r"sample \d+: C gives"):
        check_c(Circuit(2, [(0b0110, (0, 1))], [2]))
    with pytest.raises(FileNotFoundError, match="there is no nobody-cc on the path"):
        check_c(Circuit(2, [(0b0110, (0, 1))], [2]), compiler="nobody-cc")
