"""Changes that nobody chose: one operator, comparison, constant or condition of the port at a time, everywhere."""

import ast
import resource
import signal
from typing import NamedTuple

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
BYTES = 2**31  # a shift by a huge number would take all there is


class Change(NamedTuple):
    """A changed source, and the functions of the protocol that reach the change, the lowest first."""

    source: str
    functions: list[str]
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
    for node in list(ast.walk(tree)):
        reached = (
            touched_by(node.lineno) if hasattr(node, "lineno") and node.lineno < PARTS["FUNCTIONS"][0] else []
        )
        if not reached:
            continue
        right = ast.unparse(node)[:70]
        for fields, what in list(_turned(node)):
            before = {name: getattr(node, name) for name in fields}
            _set(node, fields)
            source = ast.unparse(ast.fix_missing_locations(tree))
            _set(node, before)
            yield Change(source, reached, node.lineno, f"{what}: {right}")


def _set(node, fields):
    for name, value in fields.items():
        setattr(node, name, value)


def first_vector_in_time(module, functions):
    """The id of a vector of these functions that tells the change from the port, or that it never ends."""

    def late(*_):
        raise TimeoutError

    resource.setrlimit(resource.RLIMIT_AS, (BYTES, -1))
    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        return next((found for function in functions if (found := first_vector(module, function))), None)
    except (TimeoutError, MemoryError):
        return "late"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
