"""The laws by name: what every port must do for all inputs, not only for those of the vectors.

Each function has the law that it agrees with the oracle.  The others tie functions to each other, and need no
oracle: where one of them breaks, it says what kind of thing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bvar.testing.subjects.oracle import Oracle
from bvar.testing.subjects.protocol import FUNCTIONS

__all__ = ["LAWS", "Law"]

Ask = Callable[[str, dict[str, Any]], Any]
Sides = Iterator[tuple[Any, Any]]


class Law(NamedTuple):
    """A law: what it is about, and a function that gives pairs (expected, given) which must be equal."""

    name: str
    level: int
    functions: tuple[str, ...]
    inputs: str
    """The function whose arguments are drawn."""
    sides: Callable[[Ask, dict[str, Any]], Sides]


def _agrees(name: str) -> Law:
    def sides(ask: Ask, inputs: dict[str, Any]) -> Sides:
        yield getattr(Oracle(), name)(**inputs), ask(name, inputs)

    return Law(f"{name} agrees with the oracle", FUNCTIONS[name].level, (name,), name, sides)


def _unpacking_inverts_packing(ask: Ask, inputs: dict[str, Any]) -> Sides:
    for row in inputs["rows"]:
        words, known = ask("pack", {"rows": [row]})
        yield [row.replace("u", "0")], ask("unpack", {"words": words, "n_bits": len(row)})
        yield ["".join("0" if c == "u" else "1" for c in row)], ask("unpack", {"words": known, "n_bits": len(row)})


def _negating_twice_changes_nothing(ask: Ask, inputs: dict[str, Any]) -> Sides:
    once = ask("negate", inputs)
    yield inputs["words"], ask("negate", {**inputs, "words": once})


def _transposing_twice_changes_nothing(ask: Ask, inputs: dict[str, Any]) -> Sides:
    columns = ask("transpose", inputs)
    yield inputs["rows"], ask("transpose", {"rows": columns, "n_bits": len(inputs["rows"])})


def _opposite_gates_have_opposite_sums(ask: Ask, inputs: dict[str, Any]) -> Sides:
    sums = ask("gate_sum", inputs)
    yield [[-s for s in row] for row in sums], ask("gate_sum", {**inputs, "gate": 15 - inputs["gate"]})


def _a_threshold_compares_sums(ask: Ask, inputs: dict[str, Any]) -> Sides:
    sums = ask("gate_sum", {name: inputs[name] for name in ("gate", "x", "w")})
    wanted = ["".join("01"[s >= t] for s, t in zip(row, inputs["tau"], strict=True)) for row in sums]
    yield wanted, ask("gate_bits", inputs)


def _votes_of_parts_add(ask: Ask, inputs: dict[str, Any]) -> Sides:
    half = len(inputs["z"]) // 2
    parts = [
        ask("weight_votes", {**inputs, "z": inputs["z"][part], "x": inputs["x"][part]})
        for part in (slice(half), slice(half, None))
    ]
    total = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*parts, strict=True)]
    yield total, ask("weight_votes", inputs)


def _a_vote_is_the_change_of_the_sum(ask: Ask, inputs: dict[str, Any]) -> Sides:
    """Compare a vote on an input with half of what sum z s gains when that input goes from F to T."""
    votes = ask("input_votes", inputs)
    n_inputs = len(inputs["w"][0])
    for i in {0, n_inputs - 1} if n_inputs else ():
        rows = ["0" * i + value + "0" * (n_inputs - 1 - i) for value in "01"]
        low, high = ask("gate_sum", {"gate": inputs["gate"], "x": rows, "w": inputs["w"]})
        for signals, row in zip(inputs["z"], votes, strict=True):
            yield sum(z * (b - a) for z, a, b in zip(signals, low, high, strict=True)) // 2, row[i]


def _a_vote_is_the_change_of_the_gate(ask: Ask, inputs: dict[str, Any]) -> Sides:
    """Move the first wire, and the last, to their last candidates; compare what sum z y gains with the vote."""
    votes = ask("candidate_votes", inputs)
    wires, asked = inputs["wires"], {name: inputs[name] for name in ("x", "wires", "tables")}
    before, fan_in = ask("table_values", asked), len(wires[0])
    for row in {0, len(votes) - 1}:
        gate, wire = divmod(row, fan_in)
        moved = [list(units) for units in wires]
        moved[gate][wire] = inputs["candidates"][gate][wire][-1]
        after = ask("table_values", {**asked, "wires": moved})
        changes = (int(b[gate]) - int(a[gate]) for a, b in zip(before, after, strict=True))
        yield sum(z[gate] * change for z, change in zip(inputs["z"], changes, strict=True)), votes[row][-1]


def _signals_are_odd(ask: Ask, inputs: dict[str, Any]) -> Sides:
    signals = ask("rescale", inputs)
    opposite = {**inputs, "g": [[-g for g in row] for row in inputs["g"]]}
    yield [[-z for z in row] for row in signals], ask("rescale", opposite)


def _nothing_moves_without_votes(ask: Ask, inputs: dict[str, Any]) -> Sides:
    zeros = [[0] * len(row) for row in inputs["q"]]
    still = {**inputs, "q": zeros, "m": zeros}
    yield {"w": inputs["w"], "m": still["m"], "flips": 0}, ask("flip", still)


_STRUCTURAL = (
    ("unpacking inverts packing", 2, ("pack", "unpack"), "pack", _unpacking_inverts_packing),
    ("negating twice changes nothing", 2, ("negate",), "negate", _negating_twice_changes_nothing),
    ("transposing twice changes nothing", 2, ("transpose",), "transpose", _transposing_twice_changes_nothing),
    ("opposite gates have opposite sums", 3, ("gate_sum",), "gate_sum", _opposite_gates_have_opposite_sums),
    ("a threshold compares sums", 3, ("gate_sum", "gate_bits"), "gate_bits", _a_threshold_compares_sums),
    ("signals are odd", 3, ("rescale",), "rescale", _signals_are_odd),
    ("votes of parts add", 4, ("weight_votes",), "weight_votes", _votes_of_parts_add),
    (
        "a vote is the change of the sum",
        4,
        ("gate_sum", "input_votes"),
        "input_votes",
        _a_vote_is_the_change_of_the_sum,
    ),
    (
        "a vote on a wire is the change of its gate",
        4,
        ("table_values", "candidate_votes"),
        "candidate_votes",
        _a_vote_is_the_change_of_the_gate,
    ),
    ("nothing moves without votes", 5, ("flip",), "flip", _nothing_moves_without_votes),
)

LAWS: dict[str, Law] = {
    law.name: law for law in (*map(_agrees, FUNCTIONS), *(Law(*parts) for parts in _STRUCTURAL))
}
"""All laws by name."""
