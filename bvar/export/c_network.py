"""A network as a C header that needs no library: one sample at a time, a word for 64 of its bits.

Everything is an integer but the comparisons of the encoder, and the last step of a regressor: the answers are
those of the model, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Template
from typing import Any

from bvar.bits import n_words
from bvar.encoding import BitEncoder
from bvar.export.c_answers import Answer, Best, Spelled, check_scores, spelled
from bvar.export.c_layers import Bits, Builder, Sums
from bvar.export.c_parts import PARTS
from bvar.export.c_text import FAST_MATH, question_tables
from bvar.export.layers import LayeredNetwork, check_network
from bvar.export.names import check_prefix
from bvar.export.questions import IntegerQuestion, Question, on_bytes, questions

__all__ = ["CSource", "network_to_c"]

_QUESTION_BYTES = {"double": 17, "uint8_t": 10}  # in the tables of c_text

# The comments of these pieces are those of the generated file.
_HEAD = Template(
    """\
/* $title.
 *
 * Written by bvar. C99, or C++17; needs nothing but the two headers below, allocates nothing, and has no state:
 * the caller gives the memory, one ${name}_memory for each thread.
 *
 * Constants: $data_bytes bytes. Memory: $memory_bytes bytes. Machine code: some kilobytes, whatever the network.
$contents
 */
#ifndef ${guard}_H
#define ${guard}_H

#include <stddef.h>
#include <stdint.h>
$fast_math
enum {
    ${guard}_INPUTS = $n_inputs,
    ${guard}_SCORES = $n_scores$features
};

typedef struct {
    uint64_t input[$n_words]; /* input i is bit i % 64 of word i / 64; 0 beyond the last, and where missing */
    uint64_t known[$n_words]; /* 1 where an input is known, 0 where it is missing, and beyond the last */
$fields} ${name}_memory;
"""
)

_SCORES = Template(
    """\
/* Computes the scores of one sample, from memory->input and memory->known. */
static inline void ${name}_scores(${name}_memory *memory, int32_t scores[$n_scores]) {
    size_t i;
$calls    for (i = 0; i < $n_scores; i++) scores[i] = memory->$result[i];
}
"""
)

_ROWS = Template(
    """\
/* Encodes one row of features. */
static inline void ${name}_encode_$type(${name}_memory *memory, const $ctype *row) {
    size_t i;
    for (i = 0; i < $n_words; i++) memory->input[i] = memory->known[i] = 0;
$encode}

/* Computes scores and $noun of n rows of $n_features features each. scores has n rows of $n_scores, $noun
 * n rows of $width: $says. Either may be null. */
static inline void ${name}_predict_$type(${name}_memory *memory, const $ctype *rows, size_t n, int32_t *scores,
                                         $answer_type *$noun) {
    size_t row, i;
    for (row = 0; row < n; row++) {
        int32_t found[$n_scores];
        ${name}_encode_$type(memory, rows + row * $n_features);
        ${name}_scores(memory, found);
        for (i = 0; scores && i < $n_scores; i++) scores[row * $n_scores + i] = found[i];
        if ($noun) ${name}_answer(found, $noun + row * $width);
    }
}
"""
)

_ENCODE = Template(
    """\
    for (i = 0; i < $n_questions; i++) {
        $ctype value = row[${prefix}_feature[i]];
        int answer = $less${prefix}_equal[i] ? value == ${prefix}_value[i] : value >= ${prefix}_value[i];
        size_t bit = ${prefix}_bit[i];
        memory->input[bit / 64] |= (uint64_t)answer << bit % 64;
$known    }
"""
)

_LESS = "{prefix}_equal[i] == 2 ? value < {prefix}_value[i] :\n                     "

_KNOWN = """\
        memory->known[bit / 64] |= (uint64_t)(value == value) << bit % 64; /* a NaN is not equal to itself */
"""


class CSource(str):
    """A C header, and how large what it defines is.

    Attributes
    ----------
    data_bytes : int
        Bytes of its constants: weights, wires, tables, thresholds.
    memory_bytes : int
        Bytes of the memory that the caller gives to each thread.
    """

    data_bytes: int
    memory_bytes: int


def network_to_c(
    network: LayeredNetwork, name: str = "network", encoder: BitEncoder | None = None, answer: Answer | None = None
) -> CSource:
    """Write a Boolean network as a C header that needs no library and allocates nothing.

    Parameters
    ----------
    network : bvar.networks.Network
        Of the layers that have bits and integers alone.
    name : str, default='network'
        With what all names in the header begin: letters, digits and underscores, beginning with a letter.
        Constants begin with it too, upper and lower case exchanged.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        The fitted encoder that turns features into the input bits. Default: none, and no functions that take
        features. Categories must be numbers.
    answer : Best, Positive or Scaled, optional
        What is made of scores. Default: :class:`bvar.export.Best`, the number of a class.

    Returns
    -------
    CSource
        A str: C99, which C++17 accepts too. It defines, for the name ``network``,

        * ``network_memory``, which the caller provides;
        * ``network_scores(memory, scores)``: the scores of one sample, from bits in ``memory->input`` and
          ``memory->known``;
        * with an encoder, ``network_predict_double(memory, rows, n, scores, answers)``: scores and answers of rows
          of features of type double, and ``network_predict_uint8`` for bytes.

    Raises
    ------
    TypeError
        If a layer has real weights or takes numbers, or the name or the encoder is of the wrong type.
    ValueError
        If the name, the encoder or the answer is not as described, the encoder has not as many bits as the network
        inputs, or the layers do not follow each other from bits to sums.

    See Also
    --------
    bvar.circuit.to_c : For networks of gates alone, 64 samples at a time.

    Examples
    --------
    >>> from bvar.export import network_to_c
    >>> from bvar.networks import boolean_mlp
    >>> source = network_to_c(boolean_mlp([64, 100, 10], random_state=0), "digits")
    >>> source.data_bytes, source.memory_bytes
    (960, 432)
    """
    check_prefix(name, "name")
    asked = None if encoder is None else questions(encoder)
    n_inputs = check_network(network, encoder, answer)
    builder = Builder(name, network.layers)
    made: Bits | Sums = Bits("input", n_inputs, "known")
    for layer in network.layers:
        made = builder.add(layer, made)
    answer = Best() if answer is None else answer
    if isinstance(answer, Best) and made.n == 1 and encoder is not None:
        raise ValueError("answer must be Positive or Scaled for a network of one score")
    check_scores(answer, made.n)
    spelling = spelled(answer, name, made.n)
    values = _values(builder, name, n_inputs, made, encoder)
    values["contents"] = "".join(f" *\n{line}" for line in _contents(name, encoder, answer))
    rows = [] if asked is None else list(_row_functions(builder, values, asked, spelling))
    values |= _sizes(builder, n_inputs)
    parts = [
        _HEAD.substitute(values),
        *(text.substitute(values) for part, text in PARTS.items() if part in builder.parts),
        *builder.tables,
        _SCORES.substitute(values),
        *rows,
        "#endif\n",
    ]
    source = CSource("\n".join(parts))
    source.data_bytes, source.memory_bytes = builder.data_bytes, values["memory_bytes"]
    return source


def _values(
    builder: Builder, name: str, n_inputs: int, made: Bits | Sums, encoder: BitEncoder | None
) -> dict[str, Any]:
    """Collect what the pieces of the file are filled in with."""
    guard = name.swapcase()  # another for each name: upper() would be one for Net and net
    n_features = 0 if encoder is None else encoder.n_features_in_
    n_scores = made.n
    return {
        "title": f"A network of {n_inputs} input bits and {n_scores} scores",
        "name": name,
        "guard": guard,
        "fast_math": "" if encoder is None else FAST_MATH,
        "n_inputs": n_inputs,
        "n_words": n_words(n_inputs),
        "n_scores": n_scores,
        "n_features": n_features,
        "features": f",\n    {guard}_FEATURES = {n_features}" if n_features else "",
        "wire": builder.wire,
        "table": builder.table,
        "calls": "".join(builder.calls),
        "result": made.name,
    }


def _contents(name: str, encoder: BitEncoder | None, answer: Answer) -> Iterator[str]:
    """Say what there is, and what scores stand for."""
    yield f" * {name}_scores computes one sample from input bits."
    if encoder is not None:
        yield f" * {name}_predict_double and {name}_predict_uint8 take rows of features."
    if isinstance(answer, Best) and answer.names:
        shown = [ascii(text).replace("*/", "* /").replace("/*", "/ *") for text in answer.names[:100]]
        yield f" * Scores, from 0 on: {', '.join(shown)}{', ...' if len(answer.names) > 100 else ''}."


def _sizes(builder: Builder, n_inputs: int) -> dict[str, Any]:
    """Give the fields of the memory and its size, sorted so that there is no padding but at the end."""
    fields = sorted(builder.fields.items(), key=lambda field: field[1][0], reverse=True)
    n_bytes = sum((8 if ctype == "uint64_t" else 4) * n for _, (ctype, n) in fields) + 16 * n_words(n_inputs)
    return {
        "fields": "".join(f"    {ctype} {field}[{n}];\n" for field, (ctype, n) in fields),
        "memory_bytes": -(-n_bytes // 8) * 8,
        "data_bytes": builder.data_bytes,
    }


def _row_functions(
    builder: Builder, values: dict[str, Any], asked: list[Question], answer: Spelled
) -> Iterator[str]:
    """Write the functions that take features."""
    name = values["name"]
    yield answer.functions
    builder.data_bytes += answer.data_bytes
    kinds: tuple[tuple[str, str, Sequence[Question] | Sequence[IntegerQuestion]], ...] = (
        ("double", "double", asked),
        ("uint8", "uint8_t", on_bytes(asked)),
    )
    for kind, ctype, wanted in kinds:
        prefix, is_double = f"{name}_{kind}", ctype == "double"
        encode = "" if wanted else "    (void)row;\n"
        if wanted:
            known = _KNOWN if is_double else ""
            yield question_tables(prefix, ctype, wanted)
            less = _LESS.format(prefix=prefix) if any(question.less for question in wanted) else ""
            n_questions = len(wanted)
            encode = _ENCODE.substitute(
                ctype=ctype, prefix=prefix, known=known, less=less, n_questions=n_questions
            )
            builder.data_bytes += _QUESTION_BYTES[ctype] * len(wanted)
        if not is_double:  # bytes are all known
            builder.parts |= {"fill", "copy"}
            encode += f"    {name}_fill(memory->known, 0, {values['n_inputs']});\n"
        yield _ROWS.substitute(
            values,
            type=kind,
            ctype=ctype,
            encode=encode,
            noun=answer.noun,
            says=answer.says,
            answer_type=answer.ctype,
            width=answer.width,
        )
