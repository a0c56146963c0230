"""Constants as C text, and the pieces that every header has."""

from __future__ import annotations

from collections.abc import Iterable
from string import Template
from typing import Any

from bvar.export.questions import IntegerQuestion, Question

__all__ = ["BEST", "FAST_MATH", "array", "question_tables", "unsigned"]

# The comments of these pieces are those of the generated file.
FAST_MATH = """
#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "compile this without -ffast-math and -ffinite-math-only: a missing feature is NaN, which these ignore"
#endif
"""

BEST = Template(
    """\
/* Finds the first group of those with the largest score; without branches, which nobody could predict. */
static inline int32_t ${name}_best(const int32_t scores[$n_groups]) {
    int32_t best = 0, most = scores[0], group;
    for (group = 1; group < $n_groups; group++) {
        int32_t score = scores[group];
        best = score > most ? group : best;
        most = score > most ? score : most;
    }
    return best;
}
"""
)


def array(ctype: str, name: str, values: Iterable[Any]) -> str:
    """Write a constant array of numbers, floats exactly."""
    texts = [value.hex() if isinstance(value, float) else str(value) for value in values]
    lines = [", ".join(texts[start : start + 12]) for start in range(0, len(texts), 12)]
    return f"static const {ctype} {name}[{len(texts)}] = {{\n    " + ",\n    ".join(lines) + "};\n"


def unsigned(largest: int) -> str:
    """Return the shortest unsigned type that holds a number."""
    return next(f"uint{bits}_t" for bits in (8, 16, 32, 64) if largest < 2**bits)


def question_tables(prefix: str, ctype: str, asked: Iterable[Question] | Iterable[IntegerQuestion]) -> str:
    """Write what is asked as four arrays, of which the last has the numbers that features are compared with.

    The third says how: 0 for at least, 1 for equal, 2 for less.
    """
    features, bits, equals, numbers, less = zip(*asked, strict=True)
    return "".join(
        [
            array("uint32_t", f"{prefix}_feature", features),
            array("uint32_t", f"{prefix}_bit", bits),
            array(
                "uint8_t",
                f"{prefix}_equal",
                [2 if low else int(equal) for equal, low in zip(equals, less, strict=True)],
            ),
            array(ctype, f"{prefix}_value", numbers),
        ]
    )
