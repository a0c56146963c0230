"""No default fit ends near chance, and the digits are read well without tuning."""

import statistics

import pytest
from bench.grid import WEAK, Cell, run
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import BooleanClassifier, backends

# inputs, width, depth, samples, classes; the whole grid is in bench/grid.py
CELLS = [
    Cell(4, 32, 1, 50, 2),
    Cell(4, 32, 4, 500, 10),
    Cell(4, 4096, 1, 50, 10),
    Cell(16, 256, 3, 5000, 50),
    Cell(64, 32, 2, 500, 50),
    Cell(64, 1024, 4, 500, 10),
    Cell(256, 32, 3, 5000, 10),
    Cell(256, 4096, 1, 50, 10),
    Cell(1024, 32, 1, 500, 10),
]
# networks far too narrow for their data: what they learn is little, but not nothing
STARVED = [Cell(256, 32, 3, 5000, 50), Cell(4096, 32, 2, 50, 10), Cell(4096, 32, 4, 50, 50)]
SMALL = [cell for cell in CELLS if cell.work() < 2e7]
if backends.current() == "numpy":  # without compiled kernels the large ones would take minutes
    CELLS, STARVED = SMALL, [cell for cell in STARVED if cell.work() < 2e7]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_no_default_fit_ends_near_chance(cell):
    found = run(cell, seed=0)
    assert found.skill() > WEAK, found


@pytest.mark.filterwarnings("ignore:The number of unique classes")  # fifty samples of fifty classes
@pytest.mark.parametrize("cell", STARVED, ids=str)
def test_no_default_fit_of_a_network_too_narrow_ends_at_chance(cell):
    found = run(cell, seed=0)
    assert not found.collapsed(), found


@pytest.mark.parametrize("cell", SMALL, ids=str)
def test_no_default_fit_of_the_reference_backend_ends_near_chance(cell):
    found = run(cell, seed=0, backend="numpy")
    assert found.skill() > WEAK, found


@pytest.mark.skipif(backends.current() == "numpy", reason="slow without compiled kernels")
def test_digits_without_tuning():
    X, y = load_digits(return_X_y=True)
    scores = []
    for seed in range(2):
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
        scores.append(BooleanClassifier(random_state=seed).fit(X_train, y_train).score(X_test, y_test))
    assert statistics.fmean(scores) >= 0.97
