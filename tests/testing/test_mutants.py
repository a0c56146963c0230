"""The kit is tested: its files find every mutant of tests/mutants, at the level where the mistake belongs."""

import pytest
from mutants import MUTANTS
from mutants.mutant import first_vector, load, made, touched

from bvar.testing import FUNCTIONS, check_backend, load_vectors

EVERY_TEST = sum(len(load_vectors(name)["tests"]) for name in FUNCTIONS)


def test_the_port_itself_has_no_fault():
    report = check_backend(load(), examples=0)
    assert report.ok, str(report)
    assert sum(report.passed.values()) == EVERY_TEST


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed_at_its_level(name):
    """By the vectors of its function alone; functions of lower levels that the change reaches are still right."""
    mutant = MUTANTS[name]
    module, killer = made(mutant), FUNCTIONS[mutant.killed_by]
    reached = [FUNCTIONS[function] for function in touched(mutant)]
    assert killer in reached
    assert first_vector(module, killer.name), "the mutant survives"
    below = [function.name for function in reached if function.level < killer.level]
    assert not any(first_vector(module, function) for function in below), "it should be found at its level only"


def test_there_are_enough_mutants_on_every_level():
    levels = [FUNCTIONS[mutant.killed_by].level for mutant in MUTANTS.values()]
    assert len(levels) >= 120
    assert set(levels) == set(range(7))
    assert {mutant.killed_by for mutant in MUTANTS.values()} == set(FUNCTIONS)
