"""Circuits as Verilog: one module, with registers if asked, for a synthesiser or a simulator."""

from __future__ import annotations

from collections.abc import Iterator

from bvar.circuit.chip import Chip, check_chip, make_chip
from bvar.circuit.formula import WORDS, Spelling, formula, write
from bvar.circuit.netlist import Netlist
from bvar.export.names import check_prefix

__all__ = ["check_module_name", "chip_to_verilog", "to_verilog"]

_VERILOG = Spelling(WORDS, "~", ("1'b0", "1'b1"))

# The reserved words of IEEE 1800-2017, which no module may be called: tools read .v files as SystemVerilog too.
# First those of IEEE 1364-2005, then those that SystemVerilog added.
_RESERVED = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default
    defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive
    endspecify endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone
    incdir include initial inout input instance integer join large liblist library localparam macromodule
    medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge
    primitive pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg
    release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg
    unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor

    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte
    chandle checker class clocking const constraint context continue cover covergroup coverpoint cross dist do
    endchecker endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence enum
    eventually expect export extends extern final first_match foreach forkjoin global iff ignore_bins
    illegal_bins implements implies import inside int interconnect interface intersect join_any join_none let
    local logic longint matches modport nettype new nexttime null package packed priority program property
    protected pure rand randc randcase randsequence ref reject_on restrict return s_always s_eventually
    s_nexttime s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
    sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union unique
    unique0 until until_with untyped var virtual void wait_order weak wildcard with within
"""


def to_verilog(circuit: Netlist, name: str = "circuit") -> str:
    """Write a circuit as a combinational Verilog module that takes bits and answers with counts.

    Parameters
    ----------
    circuit : Circuit
        Simplify it first: a synthesiser would do it too, but takes longer.
    name : str, default='circuit'
        Name of the module: letters, digits and underscores, beginning with a letter, and no reserved word of
        Verilog or SystemVerilog.

    Returns
    -------
    str
        Verilog-2001. The module has one input, `x`, of a bit for each input of the circuit, and an output for each
        group, `score_0`, `score_1` and so on: the number of T among the outputs of the group, unsigned, just wide
        enough. The score of `Circuit.evaluate` is twice that less the size of the group, so the largest number
        belongs to the largest score.

    Raises
    ------
    TypeError, ValueError
        If `name` cannot be the name of a module.

    See Also
    --------
    chip_to_verilog : With comparators, the choice of a class and registers.
    to_c : For processors.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_verilog
    >>> print(to_verilog(Circuit(2, [(0b0111, (0, 1))], outputs=[2, 0]), "example"))
    // 2 inputs, 3 gates, answers with the scores: each counts the ones among the outputs of a group.
    module example #(
      parameter SCORE_WIDTH = 2
    ) (
      input [1:0] x,
      output [SCORE_WIDTH-1:0] score_0
    );
      wire g0 = ~(x[0] & x[1]);
      wire g1 = x[0] ^ g0;
      wire g2 = x[0] & g0;
      assign score_0 = {g2, g1};
    endmodule
    <BLANKLINE>
    """
    return chip_to_verilog(make_chip(circuit, answer="scores"), name)


def chip_to_verilog(chip: Chip, name: str = "chip") -> str:
    """Write a chip as a Verilog module.

    Parameters
    ----------
    chip : Chip
        What :func:`make_chip` returns.
    name : str, default='chip'
        Name of the module, as for :func:`to_verilog`.

    Returns
    -------
    str
        Verilog-2001. The input `x` has the columns one after the other, the first in the low bits, or the bits of
        the circuit; the output is `class_index`, or `score_0`, `score_1` and so on. With registers there are also
        `clk`; `rst`, which clears what says that answers are valid; `valid_in`, and `valid_out`, the same as many
        cycles later as `Chip.latency` says. The parameters `WIDTH`, of a column, `SCORE_WIDTH` and `CLASS_WIDTH`
        may be raised where it is instantiated: numbers are compared whole, and answers get zeros before them.

    Raises
    ------
    TypeError, ValueError
        If `name` cannot be the name of a module.

    See Also
    --------
    make_chip : Make a chip.
    write_testbench : The module and what checks it.

    Examples
    --------
    >>> from bvar.circuit import Circuit, chip_to_verilog, make_chip
    >>> from bvar.encoding import ThermometerEncoder
    >>> encoder = ThermometerEncoder(n_bits=1).fit([[0, 90], [9, 10]])
    >>> chip = make_chip(Circuit(2, [], outputs=[0, 1], n_groups=2), encoder, pipeline=1)
    >>> print(chip_to_verilog(chip))
    // 2 columns of 8 bits, 15 gates, answers with the class: the number of the first group with the most ones.
    // An answer comes 3 cycles after its input.
    module chip #(
      parameter WIDTH = 8,
      parameter CLASS_WIDTH = 1
    ) (
      input clk,
      input rst,
      input valid_in,
      output valid_out,
      input [2*WIDTH-1:0] x,
      output [CLASS_WIDTH-1:0] class_index
    );
      wire q0 = x[0*WIDTH +: WIDTH] >= 8'd5;
      wire q1 = x[1*WIDTH +: WIDTH] >= 8'd50;
      reg q0_1, q1_1, g0_1, g1_1;
      wire g0 = q0_1 | ~q1_1;
      wire g1 = ~g0_1;
      assign class_index = g1_1;
      reg [2:0] valid;
      assign valid_out = valid[2];
      always @(posedge clk) begin
        valid <= rst ? 3'd0 : {valid[1:0], valid_in};
        q0_1 <= q0;
        q1_1 <= q1;
        g0_1 <= g0;
        g1_1 <= g1;
      end
    endmodule
    <BLANKLINE>
    """
    check_chip(chip)
    check_module_name(name)
    signals = _names(chip)
    lines = [
        *_title(chip),
        f"module {name} #(",
        ",\n".join(f"  parameter {key} = {value}" for key, value in _parameters(chip)),
        ") (",
        ",\n".join(f"  {port}" for port in _ports(chip)),
        ");",
        *_questions(chip),
        *_registers(chip, signals),
        *_gates(chip, signals),
        *_answers(chip, signals),
        *_clock(chip, signals),
        "endmodule\n",
    ]
    return "\n".join(lines)


def check_module_name(name: str) -> str:
    """Return `name` if a module may be called so."""
    check_prefix(name, "name")
    if name in _RESERVED.split():
        raise ValueError(f"name must not be a reserved word of Verilog or SystemVerilog, got {name!r}")
    return name


def _title(chip: Chip) -> Iterator[str]:
    what = {
        "scores": "each counts the ones among the outputs of a group",
        "class": "the number of the first group with the most ones",
    }[chip.answer]
    yield f"// {repr(chip)[5:-1]}: {what}."
    if chip.latency:
        yield f"// An answer comes {chip.latency} cycle{'' if chip.latency == 1 else 's'} after its input."


def _parameters(chip: Chip) -> Iterator[tuple[str, int]]:
    if chip.n_columns:
        yield "WIDTH", chip.width
    yield ("CLASS_WIDTH", chip.class_width) if chip.answer == "class" else ("SCORE_WIDTH", chip.score_width)


def _ports(chip: Chip) -> Iterator[str]:
    if chip.latency:
        yield from ("input clk", "input rst", "input valid_in", "output valid_out")
    width = f"{chip.n_columns}*WIDTH-1" if chip.n_columns else chip.core.n_inputs - 1
    yield f"input [{width}:0] x"
    if chip.answer == "class":
        yield "output [CLASS_WIDTH-1:0] class_index"
    else:
        yield from (f"output [SCORE_WIDTH-1:0] score_{group}" for group in range(chip.n_groups))


def _names(chip: Chip) -> list[str]:
    """Name the signals of the core; in a later stage `_1`, `_2` and so on are added."""
    inputs = "q{}" if chip.n_columns else "x{}" if chip.latency else "x[{}]"
    n = chip.core.n_inputs
    return [inputs.format(i) for i in range(n)] + [f"g{g}" for g in range(chip.core.n_gates)]


def _questions(chip: Chip) -> Iterator[str]:
    """Write the comparisons; questions that nobody asks are left out."""
    read = {i for _, inputs in chip.core.gates for i in inputs} | set(chip.core.outputs)
    wanted = [i for i in range(chip.core.n_inputs) if i in read]
    if not chip.n_columns:
        yield from (f"  wire x{i} = x[{i}];" for i in wanted if chip.latency)
        return
    texts: dict[int, list[str]] = {i: [] for i in wanted}
    for column, bit, equal, value, less in chip.asked:
        if bit in texts:
            operand = f"x[{column}*WIDTH +: WIDTH]"
            constant = f"{chip.width}'d{value}"
            if chip.signed:
                operand = f"$signed({operand})"
                constant = f"{'-' if value < 0 else ''}{chip.width + 1}'sd{abs(value)}"
            texts[bit].append(f"{operand} {'==' if equal else '<' if less else '>='} {constant}")
    for i, parts in texts.items():
        text = " | ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts) or "1'b0"
        yield f"  wire q{i} = {text};"


def _later(chip: Chip, signals: list[str], signal: int, cycles: int) -> str:
    """Name a signal so many cycles later; a constant is always the same."""
    return f"{signals[signal]}_{cycles}" if cycles and chip.waits[signal] else signals[signal]


def _registers(chip: Chip, signals: list[str]) -> Iterator[str]:
    names = [f"{signals[i]}_{cycle + 1}" for i, wait in enumerate(chip.waits) for cycle in range(wait)]
    for start in range(0, len(names), 12):
        yield f"  reg {', '.join(names[start : start + 12])};"


def _gates(chip: Chip, signals: list[str]) -> Iterator[str]:
    n = chip.core.n_inputs
    for g, (table, inputs) in enumerate(chip.core.gates):
        stage = chip.stages[n + g]
        operands = [("atom", _later(chip, signals, i, stage - chip.stages[i])) for i in inputs]
        _, text = write(formula(table, len(inputs)), operands, _VERILOG)
        yield f"  wire g{g} = {text};"


def _answers(chip: Chip, signals: list[str]) -> Iterator[str]:
    """Put the bits of each answer together, the high bit first, as Verilog has them."""
    bits = [_later(chip, signals, i, chip.latency - chip.stages[i]) for i in chip.core.outputs]
    if chip.answer == "class":
        answers = {"class_index": bits}
    else:
        width = chip.score_width
        answers = {f"score_{g}": bits[g * width : (g + 1) * width] for g in range(chip.n_groups)}
    for answer, own in answers.items():
        yield f"  assign {answer} = {own[0] if len(own) == 1 else '{' + ', '.join(own[::-1]) + '}'};"


def _clock(chip: Chip, signals: list[str]) -> Iterator[str]:
    n = chip.latency
    if not n:
        return
    yield f"  reg [{n - 1}:0] valid;"
    yield f"  assign valid_out = valid[{n - 1}];"
    yield "  always @(posedge clk) begin"
    following = f"{{valid[{n - 2}:0], valid_in}}" if n > 1 else "valid_in"
    yield f"    valid <= rst ? {n}'d0 : {following};"
    for i, wait in enumerate(chip.waits):
        for cycle in range(wait):
            yield f"    {_later(chip, signals, i, cycle + 1)} <= {_later(chip, signals, i, cycle)};"
    yield "  end"
