"""Circuits as C: one header that needs no library, and computes 64 samples at a time, a bit of each in a word."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from string import Template
from typing import Any

from bvar.circuit.export_c_bytes import ask_functions, encode_calls, planes_function, transpose_function
from bvar.circuit.formula import WORDS, Spelling, formula, write
from bvar.circuit.netlist import Netlist, check_netlist
from bvar.encoding import BitEncoder
from bvar.export.c_text import BEST, FAST_MATH, array, question_tables
from bvar.export.names import check_prefix
from bvar.export.questions import Question, on_bytes, questions

__all__ = ["to_c"]

_C = Spelling(WORDS, "~", ("UINT64_C(0)", "~UINT64_C(0)"))
_GATES_A_FUNCTION = 100  # compilers take more than linear time for long functions

# The comments of these pieces are those of the generated file.
_HEAD = Template(
    """\
/* $sizes.
 *
 * Written by bvar. C99, or C++17; needs nothing but the two headers below, allocates nothing, and has no state:
 * the caller gives the memory, one ${name}_memory for each thread.
$contents
 */
#ifndef ${guard}_H
#define ${guard}_H

#include <stddef.h>
#include <stdint.h>
$fast_math
enum {
    ${guard}_INPUTS = $n_inputs,
    ${guard}_OUTPUTS = $n_outputs,
    ${guard}_GROUPS = $n_groups,
    ${guard}_GROUP_SIZE = $group_size$features
};

typedef struct {
    uint64_t inputs[$n_inputs]; /* bit s of word i is input i of sample s; so for all planes here */
    uint64_t gates[$n_slots];
    uint64_t block[$group_size];
    uint64_t lanes[64];
} ${name}_memory;
"""
)

_PLANES = Template(
    """\
/* Computes the outputs of 64 samples: planes of inputs in memory->inputs, planes of outputs in outputs. */
static inline void ${name}_outputs(${name}_memory *memory, uint64_t outputs[$n_outputs]) {
    size_t i;
    ${name}_gates(memory);
    for (i = 0; i < $n_outputs; i++) outputs[i] = ${name}_signal(memory, i);
}

/* Counts the ones among n planes, for 64 samples at once: bit l of a count goes to plane l of count.
 * A full adder makes two planes of weight 2^l, and the sum so far, one of weight 2^(l + 1). */
static inline void ${name}_count(uint64_t *planes, size_t n, uint64_t *count) {
    for (; n > 0; n /= 2) {
        uint64_t sum = n % 2 ? planes[0] : 0;
        size_t i;
        for (i = 0; i < n / 2; i++) {
            uint64_t a = planes[2 * i + n % 2], b = planes[2 * i + n % 2 + 1], half = sum ^ a;
            planes[i] = (sum & a) | (half & b);
            sum = half ^ b;
        }
        *count++ = sum;
    }
}

/* Computes the scores of 64 samples, from planes of inputs in memory->inputs: the number of ones less the number
 * of zeros among the outputs of each group. */
static inline void ${name}_scores(${name}_memory *memory, int32_t scores[64][$n_groups]) {
    size_t group, i, s;
    ${name}_gates(memory);
    for (group = 0; group < $n_groups; group++) {
        uint64_t count[$n_levels], *x = memory->lanes;
        for (i = 0; i < $group_size; i++) memory->block[i] = ${name}_signal(memory, group * $group_size + i);
        ${name}_count(memory->block, $group_size, count);
        for (i = 0; i < 64; i++) x[i] = 0;
        for (i = 0; i < $n_levels; i++) x[8 * (i % 8) + i / 8] = count[i];
        ${name}_transpose_bits(x); /* x[8 * o + i]: byte r is byte i of the count of sample 8 * r + o */
        for (s = 0; s < 64; s++) {
            int32_t ones = 0;
            for (i = 0; i < $n_count_bytes; i++) {
                ones |= (int32_t)(x[8 * (s % 8) + i] >> 8 * (s / 8) & 255) << 8 * i;
            }
            scores[s][group] = 2 * ones - $group_size;
        }
    }
}
"""
)

_ROWS = Template(
    """\
/* Encodes up to 64 rows of features. */
static inline void ${name}_encode_$type(${name}_memory *memory, const $ctype *rows, size_t n) {
$encode}

/* Computes scores and classes of n rows of $n_features features each. scores has n rows of $n_groups, classes has
 * n numbers: the first group of those with the largest score. Either may be null. */
static inline void ${name}_predict_$type(${name}_memory *memory, const $ctype *rows, size_t n, int32_t *scores,
                                         int32_t *classes) {
    size_t start, s, group;
    for (start = 0; start < n; start += 64) {
        int32_t block[64][$n_groups];
        size_t size = n - start < 64 ? n - start : 64;
        ${name}_encode_$type(memory, rows + start * $n_features, size);
        ${name}_scores(memory, block);
        for (s = 0; scores && s < size; s++) {
            for (group = 0; group < $n_groups; group++) scores[(start + s) * $n_groups + group] = block[s][group];
        }
        for (s = 0; classes && s < size; s++) classes[start + s] = ${name}_best(block[s]);
    }
}
"""
)

_ENCODE_DOUBLE = Template(
    """\
    size_t q, s;
    for (q = 0; q < $n_inputs; q++) memory->inputs[q] = 0;
    for (q = 0; q < $n_questions; q++) {
        const double *x = rows + ${name}_double_feature[q];
        double value = ${name}_double_value[q];
        uint64_t answers = 0; /* of a NaN: 0 */
        if (${name}_double_equal[q]) {
            for (s = 0; s < n; s++) answers |= (uint64_t)(x[s * $n_features] == value) << s;
        } else {
            for (s = 0; s < n; s++) answers |= (uint64_t)(x[s * $n_features] >= value) << s;
        }
        memory->inputs[${name}_double_bit[q]] |= answers;
    }
"""
)

_ENCODE_NOTHING = Template(
    """\
    size_t i;
    (void)rows;
    (void)n;
    for (i = 0; i < $n_inputs; i++) memory->inputs[i] = 0; /* no gate reads a bit that is ever T */
"""
)


def to_c(circuit: Netlist, name: str = "circuit", encoder: BitEncoder | None = None) -> str:
    """Write a circuit as a C header that needs no library and allocates nothing.

    Parameters
    ----------
    circuit : Circuit
        Simplify it first: a compiler works on all the gates that there are.
    name : str, default='circuit'
        With what all names in the header begin: letters, digits and underscores, beginning with a letter.
        Constants begin with it too, upper and lower case exchanged, so that headers of any names go together.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        The fitted encoder that turns features into the input bits. Default: none, and no functions that take
        features. Categories must be numbers.

    Returns
    -------
    str
        C99, which C++17 accepts too.  It defines, for the name ``circuit``,

        * ``circuit_memory``, which the caller provides; planes of inputs go into its ``inputs``, where bit s of
          word i is input i of sample s;
        * ``circuit_outputs(memory, outputs)``: planes of outputs for 64 samples;
        * ``circuit_scores(memory, scores)``: scores of 64 samples, ``int32_t scores[64][CIRCUIT_GROUPS]``;
        * with an encoder, ``circuit_predict_double(memory, rows, n, scores, classes)``: scores and classes of rows
          of features of type double, and ``circuit_predict_uint8`` for bytes.

    Raises
    ------
    TypeError, ValueError
        If the name or the encoder is not as described, or the encoder has not `n_inputs` bits.

    See Also
    --------
    to_verilog : For hardware.

    Notes
    -----
    A feature that is missing, NaN, answers F to every question.  With an encoder the header refuses options that
    let a compiler ignore NaN, such as ``-ffast-math``.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_c
    >>> text = to_c(Circuit(2, [(0b0110, (0, 1))], outputs=[2]), "parity")
    >>> print(next(line.strip() for line in text.splitlines() if " = x[" in line))
    g[0] = x[0] ^ x[1];
    """
    check_netlist(circuit)
    check_prefix(name, "name")
    asked = None if encoder is None else questions(encoder)
    if encoder is not None and encoder.n_bits_out_ != circuit.n_inputs:
        raise ValueError(f"encoder must give n_inputs={circuit.n_inputs} bits, it gives {encoder.n_bits_out_}")
    if asked is not None and any(question.less for question in asked):
        raise TypeError("encoder must ask no number whether it is less, as a UnateEncoder does; leave it out")
    slots, n_slots = _assign_slots(circuit)
    values = _values(circuit, name, n_slots, encoder)
    parts = [
        _HEAD.substitute(values),
        *_gate_functions(circuit, name, slots),
        _output_table(circuit, name, slots),
        transpose_function(name, "bits"),
        _PLANES.substitute(values),
        *(() if asked is None else _row_functions(circuit, name, values, asked)),
        "#endif\n",
    ]
    return "\n".join(parts)


def _values(circuit: Netlist, name: str, n_slots: int, encoder: BitEncoder | None) -> dict[str, Any]:
    """Collect what the pieces of the file are filled in with."""
    contents = [f" * {name}_outputs and {name}_scores compute 64 samples from planes of input bits."]
    n_features, guard = 0, name.swapcase()  # another for each name: upper() would be one for Net and net
    if encoder is not None:
        contents.append(f" * {name}_predict_double and {name}_predict_uint8 take rows of features.")
        n_features = encoder.n_features_in_
    return {
        "sizes": repr(circuit)[8:-1],
        "contents": "\n".join(contents),
        "name": name,
        "guard": guard,
        "n_inputs": circuit.n_inputs,
        "n_features": n_features,
        "fast_math": "" if encoder is None else FAST_MATH,
        "features": f",\n    {guard}_FEATURES = {n_features}" if n_features else "",
        "n_outputs": circuit.n_outputs,
        "n_groups": circuit.n_groups,
        "group_size": circuit.group_size,
        "n_levels": circuit.group_size.bit_length(),
        "n_count_bytes": -(-circuit.group_size.bit_length() // 8),
        "n_slots": max(1, n_slots),
    }


def _assign_slots(circuit: Netlist) -> tuple[list[int], int]:
    """Give each gate a word of memory, which it leaves to another one after its last reader.

    The fewer words, the more of them stay in the cache.
    """
    kept = {signal for signal in circuit.outputs if signal >= circuit.n_inputs}
    last_reader = {i: g for g, gate in enumerate(circuit.gates) for i in gate.inputs if i >= circuit.n_inputs}
    slots: list[int] = []
    free: list[int] = []
    n_slots = 0
    for g, gate in enumerate(circuit.gates):
        for i in set(gate.inputs):
            if last_reader.get(i) == g and i not in kept:
                free.append(slots[i - circuit.n_inputs])
        if not free:
            free.append(n_slots)
            n_slots += 1
        slots.append(free.pop())
    return slots, n_slots


def _gate_functions(circuit: Netlist, name: str, slots: list[int]) -> Iterator[str]:
    """Write the gates in functions of moderate length, and one that calls them all."""
    signals = [f"x[{i}]" for i in range(circuit.n_inputs)] + [f"g[{slot}]" for slot in slots]
    lines = []
    for (table, inputs), target in zip(circuit.gates, signals[circuit.n_inputs :], strict=True):
        _, text = write(formula(table, len(inputs)), [("atom", signals[i]) for i in inputs], _C)
        lines.append(f"    {target} = {text};\n")
    starts = range(0, len(lines), _GATES_A_FUNCTION)
    for part, start in enumerate(starts):
        body = "".join(lines[start : start + _GATES_A_FUNCTION])
        reads = "    (void)x;\n" if "x[" not in body else ""
        yield f"static inline void {name}_part{part}(const uint64_t *x, uint64_t *g) {{\n{reads}{body}}}\n"
    calls = "".join(f"    {name}_part{part}(memory->inputs, memory->gates);\n" for part in range(len(starts)))
    calls = calls or "    (void)memory;\n"
    yield f"static inline void {name}_gates({name}_memory *memory) {{\n{calls}}}\n"


def _output_table(circuit: Netlist, name: str, slots: list[int]) -> str:
    """Write where the outputs are: twice the index of an input, or twice that of a slot and one."""
    n = circuit.n_inputs
    places = [2 * signal if signal < n else 2 * slots[signal - n] + 1 for signal in circuit.outputs]
    return (
        f"{array('uint32_t', f'{name}_places', places)}\n"
        f"static inline uint64_t {name}_signal(const {name}_memory *memory, size_t output) {{\n"
        f"    uint32_t place = {name}_places[output];\n"
        "    return (place & 1 ? memory->gates : memory->inputs)[place >> 1];\n}\n"
    )


def _row_functions(circuit: Netlist, name: str, values: dict[str, Any], asked: list[Question]) -> Iterator[str]:
    """Write the functions that take features; bits that nobody reads are not computed."""
    read = set(chain(circuit.outputs, *(gate.inputs for gate in circuit.gates)))
    asked = [question for question in asked if question.bit in read]
    of_bytes = on_bytes(asked)
    silent = {bit for bit in read if bit < circuit.n_inputs} - {question.bit for question in of_bytes}
    yield BEST.substitute(values)
    yield question_tables(f"{name}_double", "double", asked) if asked else ""
    encode = (_ENCODE_DOUBLE if asked else _ENCODE_NOTHING).substitute(values, n_questions=len(asked))
    yield _ROWS.substitute(values, type="double", ctype="double", encode=encode)
    if of_bytes:
        yield planes_function(name)
        yield from ask_functions(name, of_bytes)
        encode = encode_calls(name, of_bytes, values["n_features"], silent)
    else:
        encode = _ENCODE_NOTHING.substitute(values)
    yield _ROWS.substitute(values, type="uint8", ctype="uint8_t", encode=encode)
