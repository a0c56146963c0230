"""Formulas of ``and``, ``or``, ``not`` and ``xor`` for truth tables: what text, C and Verilog are written from.

Inputs are split off one at a time.  Where a table allows it the input joins the rest by one operation; else the
formula chooses between the two halves, which is Shannon's expansion.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from bvar.circuit.truth import cofactors, full, support

__all__ = ["PYTHON", "WORDS", "Formula", "Spelling", "Text", "formula", "write"]


class Formula(NamedTuple):
    """An operation and what it is applied to.

    `op` is 'input', with the number of the input, 'constant', with 0 or 1, or one of 'not', 'and', 'or' and 'xor',
    with formulas; the last three take two or more, none of which is the same operation again.
    """

    op: str
    args: tuple[Formula | int, ...]


class Spelling(NamedTuple):
    """How a language writes the operations and constants."""

    operators: dict[str, str]
    negation: str
    constants: tuple[str, str]


PYTHON = Spelling({"and": " and ", "or": " or ", "xor": " ^ "}, "not ", ("False", "True"))

WORDS = {"and": " & ", "or": " | ", "xor": " ^ "}
"""The operators of C and of Verilog on words of bits."""

Text: TypeAlias = tuple[str, str]
"""The outermost operation of a text, 'atom' if there is none, and the text."""


_TRUE = Formula("constant", (1,))


@lru_cache(2**16)
def formula(table: int, k: int) -> Formula:
    """Find a short formula for a table of `k` inputs."""
    if table in (0, full(k)):
        return Formula("constant", (table & 1,))
    inputs = support(table, k)
    for i in inputs:
        found = _split_off(table, i, k)
        if found is not None:
            return found
    return _choose(table, k, min(inputs, key=lambda i: _size_of_choice(table, i, k)))


def _split_off(table: int, i: int, k: int) -> Formula | None:
    """Write a table as one operation of an input and the rest, if that is possible."""
    (low, high), ones, x = cofactors(table, i, k), full(k), Formula("input", (i,))
    if high == low ^ ones:
        return _join("xor", x, formula(low, k))
    if low == 0:
        return _join("and", x, formula(high, k))
    if high == 0:
        return _join("and", _negate(x), formula(low, k))
    if high == ones:
        return _join("or", x, formula(low, k))
    if low == ones:
        return _join("or", _negate(x), formula(high, k))
    return None


def _choose(table: int, k: int, i: int) -> Formula:
    """Write a table as a choice by an input; where one half implies the other, half of the choice is enough."""
    (low, high), x = cofactors(table, i, k), Formula("input", (i,))
    if_low, if_high = formula(low, k), formula(high, k)
    if low & ~high:
        if_low = _join("and", _negate(x), if_low)
    if high & ~low:
        if_high = _join("and", x, if_high)
    return _join("or", if_high, if_low)


def _size_of_choice(table: int, i: int, k: int) -> tuple[int, int]:
    low, high = cofactors(table, i, k)
    return len(support(low, k)) + len(support(high, k)), bool(low & ~high) + bool(high & ~low)


def _join(op: str, *args: Formula) -> Formula:
    """Join formulas, with negations moved outwards; only xor may get a constant."""
    if op == "xor":
        odd = sum(arg.op == "not" or arg == _TRUE for arg in args) % 2
        args = tuple(arg for arg in args if arg.op != "constant")
        return _negate(_flat(op, [_positive(arg) for arg in args]), odd)
    if all(arg.op == "not" for arg in args):
        return _negate(_flat("or" if op == "and" else "and", [_positive(arg) for arg in args]))
    return _flat(op, args)


def _flat(op: str, args: Sequence[Formula]) -> Formula:
    flat = [part for arg in args for part in (arg.args if arg.op == op else (arg,))]
    return args[0] if len(args) == 1 else Formula(op, tuple(flat))


def _positive(arg: Formula) -> Formula:
    return arg.args[0] if arg.op == "not" else arg  # type: ignore[return-value]


def _negate(arg: Formula, times: int = 1) -> Formula:
    if times == 0:
        return arg
    return _positive(arg) if arg.op == "not" else Formula("not", (arg,))


def write(what: Formula, operands: Sequence[Text], spelling: Spelling) -> Text:
    """Write a formula, given the texts of its inputs."""
    op, args = what
    if op == "input":
        return operands[args[0]]  # type: ignore[index]
    if op == "constant":
        return "atom", spelling.constants[args[0]]  # type: ignore[index]
    parts = [_inside(op, write(arg, operands, spelling)) for arg in args]  # type: ignore[arg-type]
    return op, spelling.negation + parts[0] if op == "not" else spelling.operators[op].join(parts)


def _inside(outer: str, text: Text) -> str:
    """Put parentheses around an operand unless everybody knows that it needs none."""
    op, words = text
    plain = op in ("atom", outer) or (op == "not" and outer in ("and", "or"))
    return words if plain else f"({words})"
