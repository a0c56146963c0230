"""Registers of a pipelined module: all that a gate reads is of one stage, and without them it is the same module.

The module's text is read here, and nothing that `Chip` says of stages is used, so that a mistake there is seen.
"""

import re
import subprocess

import numpy as np
import pytest
from test_circuit import random_circuit
from test_hardware import counts, digits, encoders, needs, run_iverilog, run_verilator, simulate

from bvar import kernels
from bvar.circuit import Circuit, chip_to_verilog, make_chip
from bvar.encoding import ThermometerEncoder

SIGNAL = r"\b[gqx]\d+(?:_\d+)?\b"


def stages_in(verilog):
    """Derive the stage of each signal from the text of a module; raise if a gate or an answer mixes stages."""
    registers = dict(re.findall(r"^    (\w+) <= (\w+);$", verilog, re.M))
    wires = dict(re.findall(r"^  wire (\w+) = (.*);$", verilog, re.M))
    stages = {}

    def stage(name):
        if name not in stages:
            stages[name] = later(stage(registers[name])) if name in registers else common(name, wires[name])
        return stages[name]

    def later(of_what):  # a constant, registered or not, is of every stage
        return None if of_what is None else of_what + 1

    def common(name, text):
        if re.search(r"\bx\[", text):  # what comes in is at stage 0
            return 0
        found = {read: stage(read) for read in re.findall(SIGNAL, text)}
        own = set(found.values()) - {None}
        assert len(own) < 2, f"{name} mixes stages: {found}"
        return own.pop() if own else None

    for name in [*wires, *registers]:
        stage(name)
    for answer, text in re.findall(r"^  assign (class_index|score_\d+) = (.*);$", verilog, re.M):
        stages[answer] = common(answer, text)
    return stages


def answers_of(stages):
    return {stage for name, stage in stages.items() if re.match("class|score", name)}


def chips():
    """Chips of every shape of the text: bits, columns, constants, outputs of early stages, fused gates."""
    constants = Circuit(
        2, [(1, ()), (0, ()), (0b0110, (0, 1)), (0b0110, (4, 0)), (1, (5,))], [3, 4, 2, 0, 6, 1], 3
    )
    table, wide = encoders()["table"], ThermometerEncoder(5).fit(np.random.default_rng(0).random((50, 8)) * 255)
    rng = np.random.default_rng(4)
    return {
        "constants": (constants, None),
        "bits": (random_circuit(rng, 9, 70, 24, 3), None),
        "columns": (random_circuit(rng, table.n_bits_out_, 60, 21, 3), table),
        "deep": (random_circuit(rng, wide.n_bits_out_, 300, 60, 5, fan_ins=[2]).simplify(level=2), wide),
    }


@pytest.mark.parametrize("name", chips())
@pytest.mark.parametrize("answer", ["scores", "class"])
@pytest.mark.parametrize("lut_inputs", [None, 6])
def test_no_gate_mixes_stages_and_every_answer_comes_after_the_latency(name, answer, lut_inputs):
    circuit, encoder = chips()[name]
    for pipeline in (1, 2, 3, 4, 100):
        chip = make_chip(circuit, encoder, answer=answer, pipeline=pipeline, lut_inputs=lut_inputs)
        verilog = chip_to_verilog(chip)
        assert answers_of(stages_in(verilog)) - {None} == {chip.latency}
        assert f"reg [{chip.latency - 1}:0] valid;" in verilog


def test_a_chip_of_digits_mixes_no_stages():
    model, _ = digits()
    circuit = model.circuit(simplify=False).simplify(level=2)
    chip = make_chip(circuit, model.encoder_, width=5, pipeline=4, lut_inputs=6)
    assert answers_of(stages_in(chip_to_verilog(chip))) == {chip.latency}


@pytest.mark.parametrize(("written", "instead"), [("g1 = ~g0_1", "g1 = ~g0"), ("q1_1 <= q1", "q1_1 <= g0_1")])
def test_a_register_too_few_or_too_many_is_found(written, instead):
    encoder = ThermometerEncoder(n_bits=1).fit([[0, 90], [9, 10]])
    verilog = chip_to_verilog(make_chip(Circuit(2, [], [0, 1], 2), encoder, pipeline=1))
    assert answers_of(stages_in(verilog)) == {3}
    assert written in verilog
    with pytest.raises((AssertionError, RecursionError), match=r"mixes stages|recursion"):
        assert answers_of(stages_in(verilog.replace(written, instead))) == {3}, "mixes stages: the answer"


def without_registers(verilog, name):
    """Make each register a wire, which is the same function if no gate mixes stages."""
    body = verilog.split("  reg [")[0].replace("module piped", f"module {name}")
    ports = ("  input clk,\n", "  input rst,\n", "  input valid_in,\n", "  output valid_out,\n")
    for port in ports:
        body = body.replace(port, "")
    body = re.sub(r"^  reg ", "  wire ", body, flags=re.M)
    joined = re.findall(r"^    (\w+) <= (\w+);$", verilog, re.M)
    return body + "".join(f"  assign {later} = {now};\n" for later, now in joined) + "endmodule\n"


@needs("yosys")
@pytest.mark.parametrize("name", chips())
def test_yosys_proves_that_registers_only_delay(tmp_path, name):
    circuit, encoder = chips()[name]
    piped, plain = (make_chip(circuit, encoder, pipeline=pipeline, lut_inputs=6) for pipeline in (2, None))
    (tmp_path / "a.v").write_text(without_registers(chip_to_verilog(piped, "piped"), "gold"))
    (tmp_path / "b.v").write_text(chip_to_verilog(plain, "gate"))
    script = (
        "read_verilog a.v b.v; proc; opt_clean; miter -equiv -flatten gold gate miter; "
        "hierarchy -top miter; sat -verify -prove trigger 0 miter"
    )
    done = subprocess.run(["yosys", "-q", "-p", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


def parities():
    """Parities of negated parities, in which Verilator 5.006 by default loses some; and samples."""
    rng, n = np.random.default_rng(0), 24
    encoder = ThermometerEncoder(1).fit(np.array([[0] * n, [255] * n]))
    gates = []
    for g in range(200):
        inputs = tuple(map(int, rng.choice(n + g, 2, replace=False)))
        gates.append((int(rng.choice([0b0110, 0b1001, 0b1110, 0b0001], p=[0.4, 0.4, 0.1, 0.1])), inputs))
    circuit = Circuit(n, gates, range(n + 140, n + 200), 60)
    return circuit, encoder, rng.integers(0, 256, (50, n))


@pytest.mark.parametrize(
    "simulator",
    [
        pytest.param(run_iverilog, marks=needs("iverilog")),
        pytest.param(run_verilator, marks=needs("verilator", "make", "g++")),
    ],
)
def test_simulators_keep_the_negations_of_parities(tmp_path, simulator):
    circuit, encoder, X = parities()
    chip = make_chip(circuit, encoder, answer="scores", pipeline=100)
    answers = counts(circuit, kernels.unpack(encoder.encode(X)))
    assert "PASS: 50 answers" in simulate(tmp_path, chip, X, answers, simulator)
