"""The kit is tested: it finds every mutant of tests/mutants.py, at the level where the mistake belongs."""

import types
from fractions import Fraction
from pathlib import Path

import pytest
from mutants import MUTANTS

from bvar.testing import FUNCTIONS, check_backend, load_vectors

SOURCE = (Path(__file__).parents[2] / "tutorials/ports/python/bvar_port.py").read_text(encoding="utf-8")
EVERY_TEST = sum(len(load_vectors(name)["tests"]) for name in FUNCTIONS)


def port(source):
    module = types.ModuleType("mutant")
    module.Fraction = Fraction  # some mutants round with it
    exec(compile(source, "bvar_port.py", "exec"), module.__dict__)
    return module


def test_the_port_itself_has_no_fault():
    report = check_backend(port(SOURCE), examples=0)
    assert report.ok, str(report)
    assert sum(report.passed.values()) == EVERY_TEST


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed_at_its_level(name):
    mutant = MUTANTS[name]
    assert SOURCE.count(mutant.right) == 1, "the piece to replace must occur exactly once"
    level = FUNCTIONS[mutant.killed_by].level
    report = check_backend(port(SOURCE.replace(mutant.right, mutant.wrong)), levels=range(level + 1), examples=0)
    found = {finding.name.rpartition("-")[0] for finding in report.failures}
    assert mutant.killed_by in found, "the mutant survives"
    assert {FUNCTIONS[function].level for function in found} == {level}, "it should be found at this level only"
    assert not report.missing


def test_there_are_enough_mutants_on_every_level():
    levels = [FUNCTIONS[mutant.killed_by].level for mutant in MUTANTS.values()]
    assert len(levels) >= 25
    assert set(levels) == set(range(7))
