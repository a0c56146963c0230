"""Changes that nobody chose: one operator, comparison, constant or condition of the port at a time, everywhere."""

import ast
import copy
import signal
from typing import NamedTuple

from bvar.testing import FUNCTIONS
from mutants.mutant import PARTS, SOURCE, first_vector, touched_by

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.Pow: ast.Mult,
}  # fmt: skip
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
SECONDS = 20  # of the processor


class Change(NamedTuple):
    """A changed source, and the lowest function of the protocol that reaches the change."""

    source: str
    function: str
    line: int
    what: str


def _turned(node):
    """What could stand here instead, each with a name."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]
        yield {"op": other()}, f"{type(node.op).__name__} is {other.__name__}"
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        other = COMPARISONS[type(node.ops[0])]
        yield {"ops": [other(), *node.ops[1:]]}, f"{type(node.ops[0]).__name__} is {other.__name__}"
    if isinstance(node, ast.Constant) and type(node.value) is int:
        for value in (node.value + 1, node.value - 1):
            yield {"value": value}, f"{node.value} is {value}"
    if isinstance(node, ast.If | ast.IfExp):
        yield {"test": ast.UnaryOp(ast.Not(), node.test)}, "condition turned round"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield {"op": ast.UAdd()}, "minus is plus"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        other = {"min": "max", "max": "min"}[node.func.id]
        yield {"func": ast.Name(other, ast.Load())}, f"{node.func.id} is {other}"


def changes():
    """All changes, in the order of the source, of what functions of the protocol reach."""
    tree = ast.parse(SOURCE)
    for number, node in enumerate(ast.walk(tree)):
        line = getattr(node, "lineno", None)
        reached = touched_by(line) if line else []
        if not reached or any(
            part in ("FUNCTIONS", "main") for part, where in PARTS.items() if where[0] <= line <= where[1]
        ):
            continue
        for fields, what in _turned(node):
            changed = copy.deepcopy(tree)
            place = list(ast.walk(changed))[number]
            for name, value in fields.items():
                setattr(place, name, value)
            source = ast.unparse(ast.fix_missing_locations(changed))
            yield Change(
                source, min(reached, key=lambda f: FUNCTIONS[f].level), line, f"{what}: {ast.unparse(node)[:70]}"
            )


def first_vector_in_time(module, function):
    """The id of a vector that tells the change from the port; one that never ends is told as well."""

    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        return first_vector(module, function)
    except (TimeoutError, MemoryError):
        return "late"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
