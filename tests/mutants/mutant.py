"""What a mutant is: the project's port in plain Python with one piece replaced."""

import ast
import struct
import types
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bvar.testing import FUNCTIONS, LAWS, load_vectors
from bvar.testing.kit.compare import answer, same
from bvar.testing.kit.search import search

SOURCE = (Path(__file__).parents[2] / "tutorials/ports/python/bvar_port.py").read_text(encoding="utf-8")


class Mutant(NamedTuple):
    """A piece of the source, which must occur exactly once, what stands there instead, and who finds out.

    `killed_by` is the function whose vectors find it, at the lowest level that can: below, the mutant is right.
    """

    right: str
    wrong: str
    killed_by: str


def wrap(value, n_bits):
    """An integer of so many bits, as hardware has it; mutants use it."""
    half = 1 << n_bits - 1
    return (value + half) % (2 * half) - half


def float32(x):
    """The nearest number that float32 has; mutants use it."""
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def load(source=SOURCE):
    module = types.ModuleType("mutant")
    module.Fraction, module.wrap, module.float32 = Fraction, wrap, float32
    exec(compile(source, "bvar_port.py", "exec"), module.__dict__)
    return module


def made(mutant):
    assert SOURCE.count(mutant.right) == 1, f"the piece must occur exactly once: {mutant.right}"
    return load(SOURCE.replace(mutant.right, mutant.wrong))


def _names_of_parts():
    """For each top-level name of the port, where it stands and the names that it uses."""
    parts = {}
    for node in ast.parse(SOURCE).body:
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = [node.name] if hasattr(node, "name") else [t.id for t in targets if isinstance(t, ast.Name)]
        parts |= dict.fromkeys(names, (node.lineno, node.end_lineno, used))
    return parts


PARTS = _names_of_parts()


@cache
def _reached(name):
    """All parts of the port that this one uses, directly or not; a class counts as a whole."""
    found, todo = set(), [name]
    while todo:
        part = todo.pop()
        if part in PARTS and part not in found:
            found.add(part)
            todo += PARTS[part][2]
    return found


@cache
def touched_by(line):
    """The functions of the protocol that reach this line of the port: all others are as they were."""
    parts = {name for name, (first, last, _) in PARTS.items() if first <= line <= last}
    return [name for name in FUNCTIONS if parts & _reached(name)]


def touched(mutant):
    return touched_by(SOURCE[: SOURCE.index(mutant.right)].count("\n") + 1 + mutant.right.startswith("\n"))


def _ask(module):
    return lambda function, arguments: getattr(module, function)(**arguments)


def first_vector(module, function):
    """The id of a vector that tells the mutant from the port; short ones are asked first."""
    ask = _ask(module)
    for test in reversed(load_vectors(function)["tests"]):
        if not same(answer(ask, function, test["inputs"]), test["result"]):
            return test["id"]
    return None


def first_law(module, function, examples):
    """The name of a law of this function that the mutant breaks."""
    ask = _ask(module)
    for law in LAWS.values():
        if function in law.functions and any(search(law, ask, examples, shrink=False)):
            return law.name
    return None
