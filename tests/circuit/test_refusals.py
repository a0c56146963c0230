"""What is no circuit, no chip or no name is refused by name, before anything is made of it."""

import inspect

import numpy as np
import pytest

import bvar.circuit
from bvar import ThermometerEncoder
from bvar.circuit import (
    Circuit,
    c_size,
    check_c,
    chip_to_verilog,
    draw,
    expression,
    make_chip,
    to_dot,
    write_testbench,
    yosys_luts,
)

CIRCUIT = Circuit(3, [(0b1000, (0, 1)), (6, (1, 2))], outputs=[3, 4, 2, 0], n_groups=2)
CHIP = make_chip(CIRCUIT)
ENCODER = ThermometerEncoder(2).fit([[0.0], [9.0], [20.0]])
COLUMNS = make_chip(Circuit(ENCODER.n_bits_out_, [], outputs=[0]), ENCODER, answer="scores")
FUNCTIONS = {name: getattr(bvar.circuit, name) for name in bvar.circuit.__all__}


def first_argument(function):
    return next(iter(inspect.signature(function).parameters))


OF_CIRCUITS = [n for n, f in FUNCTIONS.items() if inspect.isfunction(f) and first_argument(f) == "circuit"]
OF_CHIPS = {
    "chip_to_verilog": chip_to_verilog,
    "yosys_luts": yosys_luts,
    "write_testbench": lambda chip: write_testbench(".", chip, [[True] * 3], [0]),
}


def test_every_function_of_circuits_is_asked():
    assert len(OF_CIRCUITS) >= 19
    takes_chips = {
        n for n, f in FUNCTIONS.items() if inspect.isfunction(f) and "chip" in inspect.signature(f).parameters
    }
    assert takes_chips == set(OF_CHIPS)


@pytest.mark.parametrize("name", OF_CIRCUITS)
@pytest.mark.parametrize("wrong", ["x", None, 3, CHIP], ids=["text", "None", "number", "chip"])
def test_what_is_no_circuit_is_called_so(name, wrong):
    with pytest.raises(TypeError, match=f"^circuit must be a Circuit, got {type(wrong).__name__}$"):
        FUNCTIONS[name](wrong)


@pytest.mark.parametrize("name", OF_CHIPS)
@pytest.mark.parametrize("wrong", ["x", None, CIRCUIT], ids=["text", "None", "circuit"])
def test_what_is_no_chip_is_called_so(name, wrong):
    with pytest.raises(
        TypeError, match=f"^chip must be a Chip, which make_chip returns, got {type(wrong).__name__}$"
    ):
        OF_CHIPS[name](wrong)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: make_chip(CIRCUIT, lut_inputs=1), r"lut_inputs must be an integer in \[3, 6\], got 1"),
        (lambda: make_chip(CIRCUIT, lut_inputs="6"), r"lut_inputs must be an integer in \[3, 6\], got '6'"),
        (lambda: make_chip(CIRCUIT, "encoder"), "encoder must be a ThermometerEncoder, .*, got str"),
        (lambda: yosys_luts(CHIP, k=99), r"k must be an integer in \[2, 6\], got 99"),
        (lambda: to_dot(CIRCUIT, "abc"), "names must be a sequence of str, or None, got 'abc'"),
        (lambda: expression(CIRCUIT, names=3), "names must be a sequence of str, or None, got 3"),
        (lambda: draw(CIRCUIT, ax="axes"), "ax must be matplotlib axes, or None, got str"),
        (lambda: write_testbench(3, CHIP, [[True] * 3], [0]), "folder must be a path, got int"),
        (lambda: check_c(CIRCUIT, "rows"), r"X must be rows of n_inputs=3 Booleans, got .* of shape \(\)"),
        (lambda: write_testbench(".", CHIP, [[True] * 3], [[0], [1, 2]]), "answers must be an array, got rows"),
        (lambda: CHIP.input_bits([[1], [1, 0]]), "X must be an array, got rows of different lengths"),
        (lambda: CHIP.input_bits([["1", "0", "0"]]), "X must be an array of integers or of bool, got dtype <U1"),
        (lambda: CHIP.input_bits([[np.nan, 0, 0]]), "X must hold bits"),
        (lambda: COLUMNS.input_bits([[np.nan]]), r"X must hold integers in \[0, 255\]"),
        (lambda: COLUMNS.evaluate([[np.inf]]), r"X must hold integers in \[0, 255\]"),
        (lambda: check_c(CIRCUIT, [[1], [1, 0]]), "X must be an array, got rows of different lengths"),
        (lambda: check_c(CIRCUIT, np.zeros((2, 4))), r"X must be rows of n_inputs=3 Booleans, got float64 of"),
        (lambda: check_c(CIRCUIT, encoder="encoder"), "encoder must be a ThermometerEncoder, .*, got str"),
        (lambda: check_c(CIRCUIT, compiler=3), "compiler must be a str, got int"),
        (lambda: check_c(CIRCUIT, seed="x"), "seed must be an integer in"),
        (lambda: c_size(CIRCUIT, prefix=3), "prefix must be a str, got int"),
        (lambda: c_size(CIRCUIT, options="-Os"), "options must be a sequence of str, got '-Os'"),
        (lambda: c_size(CIRCUIT, options=[3]), "each of options must be a str, got int"),
    ],
)
def test_other_arguments_are_named(call, text):
    with pytest.raises((TypeError, ValueError), match=f"^{text}"):
        call()
