"""A self-checking testbench: Verilog that feeds a chip samples, one a cycle, and compares every answer."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from string import Template

import numpy as np

from bvar._validation import as_array
from bvar.circuit.chip import Chip, check_chip
from bvar.circuit.export_verilog import check_module_name, chip_to_verilog

__all__ = ["write_testbench"]

# The inputs change at the falling edge, so that no simulator has to break a tie with the rising one.
_BENCH = Template(
    """\
// Feeds $name one vector of ${name}_vectors.hex a cycle, and compares what comes out $latency cycles later.
// Prints "PASS: $n_rows answers" if all are as expected, and else the first ten that are not, and "FAIL".
`timescale 1ns / 1ps
module ${name}_tb;
  localparam N = $n_rows, IN = $n_in, OUT = $n_out, LATENCY = $latency;
  reg [IN+OUT-1:0] vectors [0:N-1];
  reg [IN-1:0] x;
  reg clk, rst, valid_in;
$wires
  wire [OUT-1:0] answer = $answer;
  wire valid_out$valid;
  $name subject ($ports.x(x), $outputs);
  integer sent, checked, wrong, cycle;
  initial begin
    $$readmemh("${name}_vectors.hex", vectors);
    clk = 0;
    rst = 1;
    valid_in = 0;
    x = 0;
    sent = 0;
    checked = 0;
    wrong = 0;
    for (cycle = 0; cycle < N + LATENCY + 2 && checked < N; cycle = cycle + 1) begin
      rst = cycle == 0;
      valid_in = cycle > 0 && sent < N;
      if (valid_in) begin
        x = vectors[sent][IN+OUT-1:OUT];
        sent = sent + 1;
      end
      #1 clk = 1;
      #1 clk = 0;
      #1 if (valid_out) begin
        if (answer !== vectors[checked][OUT-1:0]) begin
          if (wrong < 10) $$display("row %0d: got %h, expected %h", checked, answer, vectors[checked][OUT-1:0]);
          wrong = wrong + 1;
        end
        checked = checked + 1;
      end
    end
    if (wrong == 0 && checked == N) $$display("PASS: %0d answers", checked);
    else $$display("FAIL: %0d of %0d answers wrong, %0d missing", wrong, N, N - checked);
    $$finish;
  end
endmodule
"""
)


def write_testbench(
    folder: str | PathLike[str], chip: Chip, X: np.ndarray, answers: np.ndarray, name: str = "chip"
) -> list[Path]:
    """Write a chip, samples with the answers that are expected, and a module that compares.

    Parameters
    ----------
    folder : path
        Where to; it must exist.
    chip : Chip
        What :func:`make_chip` returns.
    X : ndarray of integers, shape (n_samples, n_columns), or of bool, shape (n_samples, n_inputs)
        Raw columns, or input bits of a chip without an encoder.
    answers : ndarray of integers, shape (n_samples,) or (n_samples, n_groups)
        What a model answers, such as ``np.searchsorted(model.classes_, model.predict(X))``, or the counts of T of
        each group. They come from the model and not from the chip, so that the comparison means something.
    name : str, default='chip'
        Name of the module, as for :func:`to_verilog`.

    Returns
    -------
    list of Path
        ``name.v``, ``name_tb.v`` and ``name_vectors.hex``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    chip_to_verilog : The module alone.

    Examples
    --------
    >>> import tempfile
    >>> from bvar.circuit import Circuit, make_chip, write_testbench
    >>> chip = make_chip(Circuit(2, [], outputs=[0, 1], n_groups=2), pipeline=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_testbench(folder, chip, [[True, False], [False, True]], [0, 1])
    >>> [path.name for path in paths]
    ['chip.v', 'chip_tb.v', 'chip_vectors.hex']
    """
    check_chip(chip)
    check_module_name(name)
    try:
        target = Path(folder)
    except TypeError:
        raise TypeError(f"folder must be a path, got {type(folder).__name__}") from None
    inputs, wanted = chip.input_bits(X), as_array(answers, "answers")
    bits = np.concatenate([inputs[:, ::-1], _answer_bits(chip, wanted, len(inputs))], axis=1)
    texts = {
        f"{name}.v": chip_to_verilog(chip, name),
        f"{name}_tb.v": _bench(chip, name, len(bits)),
        f"{name}_vectors.hex": "".join(_hex_lines(bits)),
    }
    for file, text in texts.items():
        (target / file).write_text(text, encoding="ascii")
    return [target / file for file in texts]


def _answer_bits(chip: Chip, answers: np.ndarray, n_rows: int) -> np.ndarray:
    """Write the answers of each sample as bits, the high bit first, the last score first."""
    shape: tuple[int, ...] = (n_rows,)
    most, width = chip.n_groups - 1, chip.class_width
    if chip.answer == "scores":
        shape, most, width = (n_rows, chip.n_groups), chip.group_size, chip.score_width
    if answers.shape != shape or answers.dtype.kind not in "iu":
        raise ValueError(f"answers must be integers of the shape {shape}, got {answers.dtype} {answers.shape}")
    if not n_rows or not 0 <= answers.min() <= answers.max() <= most:
        raise ValueError(f"answers must be at least one, and in [0, {most}]")
    columns = answers.reshape(n_rows, -1)[:, ::-1]
    return (columns[:, :, None] >> np.arange(width)[::-1] & 1).astype(bool).reshape(n_rows, -1)


def _hex_lines(bits: np.ndarray) -> Iterator[str]:
    padded = np.pad(bits, ((0, 0), (-bits.shape[1] % 8, 0)))
    for row in np.packbits(padded, axis=1):
        yield f"{row.tobytes().hex()}\n"


def _bench(chip: Chip, name: str, n_rows: int) -> str:
    if chip.answer == "class":
        outputs, width = ["class_index"], chip.class_width
    else:
        outputs, width = [f"score_{g}" for g in range(chip.n_groups)], chip.score_width
    return _BENCH.substitute(
        name=name,
        n_rows=n_rows,
        latency=chip.latency,
        n_in=(chip.n_columns or chip.core.n_inputs) * chip.width,
        n_out=len(outputs) * width,
        wires="\n".join(f"  wire [{width - 1}:0] {output};" for output in outputs),
        answer=f"{{{', '.join(outputs[::-1])}}}",
        valid="" if chip.latency else " = valid_in",
        ports=".clk(clk), .rst(rst), .valid_in(valid_in), .valid_out(valid_out), " if chip.latency else "",
        outputs=", ".join(f".{output}({output})" for output in outputs),
    )
