"""The kit is tested: it finds every mutant of tests/mutants.py, at the level where the mistake belongs."""

import ast
import types
from fractions import Fraction
from pathlib import Path

import pytest
from mutants import MUTANTS

from bvar.testing import FUNCTIONS, Expectations, check_backend, load_vectors

SOURCE = (Path(__file__).parents[2] / "tutorials/ports/python/bvar_port.py").read_text(encoding="utf-8")
EVERY_TEST = sum(len(load_vectors(name)["tests"]) for name in FUNCTIONS)


def port(source):
    module = types.ModuleType("mutant")
    module.Fraction = Fraction  # some mutants round with it
    exec(compile(source, "bvar_port.py", "exec"), module.__dict__)
    return module


def names(statement):
    """What a statement of the port defines, and what it refers to."""
    words = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    defined = {node.id for node in words if isinstance(node.ctx, ast.Store)}
    return {getattr(statement, "name", None)} - {None} or defined, {node.id for node in words}


def out_of_reach(piece):
    """Functions of the kit that answer as before when a piece of the port is replaced: they do not refer to it."""
    statements = [(*names(node), ast.get_source_segment(SOURCE, node)) for node in ast.parse(SOURCE).body]
    changed = {name for defined, _, text in statements if piece.strip() in text for name in defined}
    while grown := {n for defined, used, _ in statements if used & changed for n in defined} - changed:
        changed |= grown
    return set(FUNCTIONS) - changed if changed else set()


def test_what_a_change_cannot_reach_is_found_by_reference():
    assert out_of_reach("there is no such piece") == set()
    assert "gate_table" in out_of_reach(MUTANTS["missing values packed as known"].right)
    everything = {"flip", "optimize", "train"}
    assert set(FUNCTIONS) - out_of_reach("def flip_row(bits, m, q, beta, eta):") == everything


def test_the_port_itself_has_no_fault():
    report = check_backend(port(SOURCE), examples=0)
    assert report.ok, str(report)
    assert sum(report.passed.values()) == EVERY_TEST


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed_at_its_level(name):
    mutant = MUTANTS[name]
    assert SOURCE.count(mutant.right) == 1, "the piece to replace must occur exactly once"
    level = FUNCTIONS[mutant.killed_by].level
    same = Expectations(skip=dict.fromkeys(out_of_reach(mutant.right), "the same code as in the port"))
    mutated = port(SOURCE.replace(mutant.right, mutant.wrong))
    report = check_backend(mutated, levels=range(level + 1), examples=0, expect=same)
    found = {finding.name.rpartition("-")[0] for finding in report.failures}
    assert mutant.killed_by in found, "the mutant survives"
    assert {FUNCTIONS[function].level for function in found} == {level}, "it should be found at this level only"
    assert not report.missing


def test_there_are_enough_mutants_on_every_level():
    levels = [FUNCTIONS[mutant.killed_by].level for mutant in MUTANTS.values()]
    assert len(levels) >= 25
    assert set(levels) == set(range(7))
