"""Defaults that cannot collapse: default fits over sizes of data and of networks.

Usage: python -m tests.bench.grid [--cells 60] [--seed 0] [--minutes 8]

A cell is a number of inputs, a width and a depth of the hidden layers, a number of samples and of classes.  The
full grid has 6 x 4 x 4 x 4 x 3 = 1152 cells; what runs is a sample in which every level of every factor comes
equally often (a Latin hypercube), plus the corners that take little time.  Cells too dear for the rest of
the CPU time are named as skipped.  Only hidden_layer_sizes and random_state are given, and max_iter where 50
epochs would take more than EPOCH_WORK multiply-adds; that is printed.

The data are Gaussian clusters, one to a class, in all inputs at once: the more inputs, the less each of them says.
Whoever knows the centres is right in about 99 of 100 cases (the ceiling, printed); a learner that collapsed is at
1 / classes.  The reference is NearestCentroid on the same samples, which knows the form of the clusters.  More
than 2**26 entries are not made; 4096 inputs have 16384 samples at most.

The skill of a fit is its training accuracy on the scale from chance (0) to perfect (1).  A cell is flagged as
collapsed if the skill is at most 0.1, as weak if it is at most 0.5, and as behind if the test accuracy is more
than 10 points under the reference.
"""

import argparse
import itertools
import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestCentroid
from threadpoolctl import threadpool_limits

from bvar import BooleanClassifier

INPUTS = [4, 16, 64, 256, 1024, 4096]
WIDTHS = [32, 256, 1024, 4096]
DEPTHS = [1, 2, 3, 4]
SAMPLES = [50, 500, 5000, 60000]
CLASSES = [2, 10, 50]
N_TEST = 1000
MOST_ENTRIES = 2**26
EPOCH_WORK = 3e12  # multiply-adds of a fit beyond which max_iter is lowered
LEAST_EPOCHS = 3
SPEED = 1e11  # multiply-adds a second that a fit is expected to reach
COLLAPSED, WEAK, BEHIND = 0.1, 0.5, 0.1


@dataclass(frozen=True)
class Cell:
    """A default fit to be tried."""

    inputs: int
    width: int
    depth: int
    samples: int
    classes: int

    def hidden(self):
        return (self.width,) * self.depth

    def rows(self):
        """Return the number of training samples, fewer where they would not fit."""
        return min(self.samples, MOST_ENTRIES // self.inputs)

    def work(self):
        """Multiply-adds of an epoch, forward and twice backward."""
        bits = self.inputs * min(64, max(8, 1024 // self.inputs))
        sizes = [bits, *self.hidden(), self.classes]
        return 3 * self.rows() * sum(a * b for a, b in itertools.pairwise(sizes))

    def epochs(self):
        return int(min(50, max(LEAST_EPOCHS, EPOCH_WORK // self.work())))

    def data(self, seed):
        """Return centres, and clusters around them: training and test samples, and their classes."""
        rng = np.random.default_rng([seed, self.inputs, self.samples, self.classes])
        centres = rng.standard_normal((self.classes, self.inputs), dtype=np.float32)
        y = rng.permutation(np.arange(self.rows() + N_TEST) % self.classes)
        distances = euclidean_distances(centres) + np.diag(np.full(self.classes, np.inf))
        # as far apart as that: the mean of the distances to the nearest centre is six spreads
        spread = np.float32(distances.min(axis=1).mean() / 6)
        X = centres[y] + spread * rng.standard_normal((len(y), self.inputs), dtype=np.float32)
        return centres, X[:-N_TEST], X[-N_TEST:], y[:-N_TEST], y[-N_TEST:]


@dataclass(frozen=True)
class Result:
    """What a fit gave."""

    cell: Cell
    epochs: int
    train: float
    test: float
    reference: float
    ceiling: float
    seconds: float

    def skill(self):
        chance = 1 / self.cell.classes
        return (self.train - chance) / (1 - chance)

    def collapsed(self):
        return self.skill() <= COLLAPSED

    def weak(self):
        return COLLAPSED < self.skill() <= WEAK

    def behind(self):
        return self.test < self.reference - BEHIND


def sample_cells(n, seed):
    """Return n cells in which each level of a factor comes equally often, give or take one."""
    rng = np.random.default_rng(seed)
    columns = [
        [levels[i] for i in rng.permutation(np.arange(n) % len(levels))]
        for levels in (INPUTS, WIDTHS, DEPTHS, SAMPLES, CLASSES)
    ]
    cells = [Cell(*levels) for levels in zip(*columns, strict=True)]
    return list(dict.fromkeys(cell for cell in cells if cell.samples >= cell.classes))


def corners(most_work):
    """Return the cells of extreme levels that take little work."""
    ends = [(levels[0], levels[-1]) for levels in (INPUTS, WIDTHS, DEPTHS, SAMPLES, CLASSES)]
    cells = [Cell(*levels) for levels in itertools.product(*ends)]
    return [cell for cell in cells if cell.work() <= most_work]


def run(cell, seed, *, backend=None, epochs=None):
    centres, X_train, X_test, y_train, y_test = cell.data(seed)
    epochs = epochs or cell.epochs()
    model = BooleanClassifier(cell.hidden(), max_iter=epochs, random_state=seed, backend=backend)
    start = time.thread_time()
    model.fit(X_train, y_train)
    seconds = time.thread_time() - start
    return Result(
        cell,
        epochs,
        train=model.score(X_train[:N_TEST], y_train[:N_TEST]),
        test=model.score(X_test, y_test),
        reference=NearestCentroid().fit(X_train, y_train).score(X_test, y_test),
        ceiling=float(np.mean(euclidean_distances(X_test, centres).argmin(axis=1) == y_test)),
        seconds=seconds,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=8.0)
    arguments = parser.parse_args()
    threadpool_limits(1)
    warnings.filterwarnings("ignore", message="The number of unique classes")  # fifty samples of fifty classes
    cells = sample_cells(arguments.cells, arguments.seed) + corners(most_work=2e9)
    cells = sorted(dict.fromkeys(cells), key=Cell.work)
    start, results, skipped = time.thread_time(), [], []
    print("inputs width depth samples classes epochs | train  test  reference ceiling seconds")
    for cell in cells:
        left = 60 * arguments.minutes - (time.thread_time() - start)
        if cell.work() * cell.epochs() > left * SPEED:
            skipped.append(cell)
            continue
        found = run(cell, arguments.seed)
        results.append(found)
        flags = " COLLAPSED" * found.collapsed() + " weak" * found.weak() + " behind" * found.behind()
        sizes = f"{cell.inputs:6d} {cell.width:5d} {cell.depth:5d} {cell.samples:7d} {cell.classes:7d}"
        scores = f"{found.train:.3f} {found.test:.3f} {found.reference:9.3f} {found.ceiling:7.3f}"
        print(f"{sizes} {found.epochs:6d} | {scores} {found.seconds:7.2f}{flags}", flush=True)
    minutes = (time.thread_time() - start) / 60
    print(f"\n{len(results)} cells in {minutes:.1f} minutes of CPU, {len(skipped)} skipped")
    counts = [sum(getattr(r, kind)() for r in results) for kind in ("collapsed", "weak", "behind")]
    print("{} collapsed, {} weak, {} behind".format(*counts))
    for cell in skipped:
        print(f"skipped: {cell}")


if __name__ == "__main__":
    main()
