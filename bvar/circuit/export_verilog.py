"""Circuits as Verilog: one combinational module, for a synthesiser or a simulator."""

from __future__ import annotations

from collections.abc import Iterator

from bvar.circuit.formula import WORDS, Spelling, formula, write
from bvar.circuit.netlist import Netlist
from bvar.export.names import check_prefix

__all__ = ["to_verilog"]

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
    """Write a circuit as a combinational Verilog module.

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
    to_c : For processors.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_verilog
    >>> print(to_verilog(Circuit(2, [(0b0111, (0, 1))], outputs=[2, 0]), "example"))
    // 2 inputs, 1 gate, 2 outputs in 1 group. Each score counts the ones among the outputs of its group.
    module example (
      input [1:0] x,
      output [1:0] score_0
    );
      wire g0 = ~(x[0] & x[1]);
      wire [1:0] score_0_1_0 = {1'b0, g0} + {1'b0, x[0]};
      assign score_0 = score_0_1_0;
    endmodule
    <BLANKLINE>
    """
    check_prefix(name, "name")
    if name in _RESERVED.split():
        raise ValueError(f"name must not be a reserved word of Verilog or SystemVerilog, got {name!r}")
    signals = [f"x[{i}]" for i in range(circuit.n_inputs)] + [f"g{g}" for g in range(circuit.n_gates)]
    width = circuit.group_size.bit_length()
    ports = [f"  input [{circuit.n_inputs - 1}:0] x"]
    ports += [f"  output [{width - 1}:0] score_{group}" for group in range(circuit.n_groups)]
    lines = [
        f"// {repr(circuit)[8:-1]}. Each score counts the ones among the outputs of its group.",
        f"module {name} (",
        ",\n".join(ports),
        ");",
        *_gates(circuit, signals),
        *(line for group in range(circuit.n_groups) for line in _sum(circuit, group, signals)),
        "endmodule\n",
    ]
    return "\n".join(lines)


def _gates(circuit: Netlist, signals: list[str]) -> Iterator[str]:
    for g, (table, inputs) in enumerate(circuit.gates):
        _, text = write(formula(table, len(inputs)), [("atom", signals[i]) for i in inputs], _VERILOG)
        yield f"  wire g{g} = {text};"


def _sum(circuit: Netlist, group: int, signals: list[str]) -> Iterator[str]:
    """Add in pairs: a tree, whose delay grows with the logarithm of the size of the group.

    A sum is as wide as the most that it can be, and so are its operands, explicitly: tools warn of anything else.
    """
    size = circuit.group_size
    terms = [(signals[i], 1) for i in circuit.outputs[group * size : (group + 1) * size]]  # and the most of each
    level = 0
    while len(terms) > 1:
        level += 1
        sums = []
        for i, ((a, most_a), (b, most_b)) in enumerate(zip(terms[::2], terms[1::2], strict=False)):
            name, most = f"score_{group}_{level}_{i}", most_a + most_b
            width = most.bit_length()
            yield f"  wire [{width - 1}:0] {name} = {_extended(a, most_a, width)} + {_extended(b, most_b, width)};"
            sums.append((name, most))
        terms = sums + terms[2 * len(sums) :]
    yield f"  assign score_{group} = {terms[0][0]};"


def _extended(term: str, most: int, width: int) -> str:
    """Write a term with zeros before it, if it is narrower."""
    n_zeros = width - most.bit_length()
    return f"{{{n_zeros}'b{'0' * n_zeros}, {term}}}" if n_zeros else term
