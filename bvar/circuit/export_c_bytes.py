r"""How the C of a circuit asks bytes: features become planes, a bit of 64 samples in each word, and then answers.

Let :math:`p_b` be plane b of a feature x, and t a threshold from 1 to 255.  Answers come from the lowest bit of t
that is T upwards: there :math:`r = p_b`, and above

.. math:: r \leftarrow p_b \wedge r \text{ where } t_b = 1, \qquad r \leftarrow p_b \vee r \text{ where } t_b = 0 .

After bit b, r says for each sample whether the last b + 1 bits of x are at least those of t: a bit that is larger
or smaller decides, and an equal one leaves it to those below.  So an operation for each bit answers 64 samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from string import Template

from bvar.export.questions import IntegerQuestion

__all__ = ["ask_functions", "encode_calls", "planes_function", "transpose_function"]

_TOGETHER = 8  # features that are loaded at once: the bytes of a word

# The comments of these pieces are those of the generated file.
_TRANSPOSE = Template(
    """\
/* $comment */
static inline void ${name}_transpose_$what(uint64_t x[64]) {
    size_t k;
    for (k = 0; k < 8; k++) {
        uint64_t t, $loads;
$swaps\
$stores\
    }
}
"""
)

_PLANES = Template(
    """\
/* Turns 8 features, or the n that are left, of 64 samples into planes: bit s of x[8 * b + f] is bit b of feature f
 * of sample s. */
static inline void ${name}_planes(uint64_t x[64], const uint8_t *const row[64], size_t feature, size_t n) {
    uint64_t y[64]; /* word 8 * r + o: sample 8 * r + o; then word 8 * f + o: byte r is of sample 8 * r + o */
    size_t f, o;
    for (o = 0; o < 64 && n >= 8; o++) { /* this is how compilers recognise one load, whatever the byte order */
        const uint8_t *p = row[o] + feature;
        y[o] = (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
               (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
    }
    for (o = 0; o < 64 && n < 8; o++) {
        for (y[o] = 0, f = 0; f < n; f++) y[o] |= (uint64_t)row[o][feature + f] << (8 * f);
    }
    ${name}_transpose_bytes(y);
    for (o = 0; o < 8; o++) {
        for (f = 0; f < 8; f++) x[8 * o + f] = y[8 * f + o];
    }
    ${name}_transpose_bits(x);
}
"""
)

_TRANSPOSE_BITS = "Exchanges bit j of each byte of x[8 * i + k] with bit i of that of x[8 * j + k]."
_TRANSPOSE_BYTES = "Exchanges byte j of x[8 * i + k] with byte i of x[8 * j + k]."
_MASKS = {
    "bytes": {4: (32, "00000000ffffffff"), 2: (16, "0000ffff0000ffff"), 1: (8, "00ff00ff00ff00ff")},
    "bits": {4: (4, "0f0f0f0f0f0f0f0f"), 2: (2, "3333333333333333"), 1: (1, "5555555555555555")},
}


def transpose_function(name: str, what: str) -> str:
    """Write a transposition of 8 x 8 'bytes' or 'bits', eight at a time: halves of 4, then of 2, then of 1."""
    swaps = "".join(
        f"        t = ((v{i} >> {shift}) ^ v{i + step}) & UINT64_C(0x{mask});\n"
        f"        v{i + step} ^= t, v{i} ^= t << {shift};\n"
        for step, (shift, mask) in _MASKS[what].items()
        for i in range(8)
        if not i & step
    )
    loads = ", ".join(f"v{i} = x[{8 * i} + k]" for i in range(8))
    stores = "".join(f"        x[{8 * i} + k] = v{i};\n" for i in range(8))
    comment = _TRANSPOSE_BITS if what == "bits" else _TRANSPOSE_BYTES
    return _TRANSPOSE.substitute(name=name, what=what, comment=comment, loads=loads, swaps=swaps, stores=stores)


def planes_function(name: str) -> str:
    """Write what turns features into planes."""
    return f"{transpose_function(name, 'bytes')}\n{_PLANES.substitute(name=name)}"


def ask_functions(name: str, asked: Iterable[IntegerQuestion]) -> Iterator[str]:
    """Write a function for each eight features that are asked; a bit of several questions is T if one says so."""
    seen: set[int] = set()
    for block, some in _blocks(asked):
        lines = []
        for feature, bit, equal, value, _ in some:
            planes = [f"p[{8 * b + feature % _TOGETHER}]" for b in range(8)]
            answer = _equals(planes, value) if equal else _reaches(planes, value)
            lines.append(f"    x[{bit}] {'|=' if bit in seen else '='} {answer};\n")
            seen.add(bit)
        unread = "" if any("p[" in line for line in lines) else "    (void)p;\n"
        body = unread + "".join(lines)
        yield f"static inline void {name}_ask{block}(const uint64_t *p, uint64_t *x) {{\n{body}}}\n"


def encode_calls(name: str, asked: Iterable[IntegerQuestion], n_features: int, silent: Collection[int]) -> str:
    """Write the body that encodes up to 64 rows; `silent` are bits that no byte makes T."""
    body = [
        "    const uint8_t *row[64];\n    size_t r;\n    /* nobody looks at the surplus */\n",
        f"    for (r = 0; r < 64; r++) row[r] = rows + (r < n ? r : n - 1) * {n_features};\n",
        *(f"    memory->inputs[{bit}] = 0;\n" for bit in sorted(silent)),
    ]
    for block, _ in _blocks(asked):
        first = block * _TOGETHER
        body.append(f"    {name}_planes(memory->lanes, row, {first}, {min(_TOGETHER, n_features - first)});\n")
        body.append(f"    {name}_ask{block}(memory->lanes, memory->inputs);\n")
    return "".join(body)


def _blocks(asked: Iterable[IntegerQuestion]) -> Iterator[tuple[int, Iterator[IntegerQuestion]]]:
    return groupby(asked, lambda question: question.feature // _TOGETHER)


def _reaches(planes: Sequence[str], value: int) -> str:
    """Write ``x >= value``."""
    if value == 0:
        return "~UINT64_C(0)"
    lowest = (value & -value).bit_length() - 1
    text, outer = planes[lowest], ""
    for b in range(lowest + 1, 8):
        operator = "&" if value >> b & 1 else "|"
        text = f"{planes[b]} {operator} {text if outer in ('', operator) else f'({text})'}"
        outer = operator
    return text


def _equals(planes: Sequence[str], value: int) -> str:
    """Write ``x == value``."""
    return " & ".join(plane if value >> b & 1 else f"~{plane}" for b, plane in enumerate(planes))
