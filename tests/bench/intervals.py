"""Intervals of the regressor: how often they hold a new target, and how wide they are.

Usage: python -m tests.bench.intervals --data DIR [--sets california_housing abalone] [--seeds 5]

For each seed 60 % of the rows train a default regressor, 20 % calibrate it, and 20 % are asked. With a guessed
spread, half of the training rows train the regressor that predicts, and the other half one of its absolute errors.
Coverage in the worst fifth is the least of five, of rows whose predictions are in the same fifth: a promise for
all rows together says nothing of it. Widths are in standard deviations of the target. Those of the rival are
quantiles of HistGradientBoosting, trained on the rows that train and calibrate.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

from bvar import BooleanRegressor
from tests.bench.timing import one_thread

SETS = ("california_housing", "abalone")
COVERAGES = (0.8, 0.9, 0.95)


def parts(folder, name, seed):
    with np.load(Path(folder) / f"{name}.npz") as file:
        X, y = file["X"].astype(float), file["y"].astype(float)
    X, X_rest, y, y_rest = train_test_split(X, y, test_size=0.4, random_state=seed)
    return X, y, *train_test_split(X_rest, y_rest, test_size=0.5, random_state=seed)


def one_width(X, y, X_cal, y_cal, seed):
    model = BooleanRegressor(random_state=seed).fit(X, y).calibrate(X_cal, y_cal)
    return model.predict_interval


def guessed_spread(X, y, X_cal, y_cal, seed):
    half = len(X) // 2
    model = BooleanRegressor(random_state=seed).fit(X[:half], y[:half])
    errors = np.abs(y[half:] - model.predict(X[half:]))
    model.calibrate(X_cal, y_cal, spread=BooleanRegressor(random_state=seed).fit(X[half:], errors))
    return model.predict_interval


def quantiles(X, y, X_cal, y_cal, seed):
    rows, targets = np.concatenate([X, X_cal]), np.concatenate([y, y_cal])
    models = {
        q: HistGradientBoostingRegressor(loss="quantile", quantile=q, random_state=seed).fit(rows, targets)
        for coverage in COVERAGES
        for q in ((1 - coverage) / 2, (1 + coverage) / 2)
    }

    def intervals(rows, coverage):
        ends = [models[q].predict(rows) for q in ((1 - coverage) / 2, (1 + coverage) / 2)]
        return np.stack(ends, axis=-1)

    return intervals


CONTENDERS = {
    "one width": one_width,
    "guessed spread": guessed_spread,
    "HistGradientBoosting, quantiles": quantiles,
}


def judged(intervals, X, y, std):
    """Return the share of rows held, that of the worst fifth, and the mean width."""
    low, high = intervals.T
    held = (low <= y) & (y <= high)
    fifths = np.array_split(np.argsort(low + high, kind="stable"), 5)
    return held.mean(), min(held[rows].mean() for rows in fifths), (high - low).mean() / std


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    one_thread()
    for name in arguments.sets:
        found = {}
        for seed in range(arguments.seeds):
            X, y, X_cal, X_test, y_cal, y_test = parts(arguments.data, name, seed)
            for kind, contender in CONTENDERS.items():
                intervals = contender(X, y, X_cal, y_cal, seed)
                for coverage in COVERAGES:
                    row = judged(intervals(X_test, coverage), X_test, y_test, y.std())
                    found.setdefault((kind, coverage), []).append(row)
        print(f"\n### {name}: {len(X)} rows train, {len(X_cal)} calibrate; mean of {arguments.seeds} seeds\n")
        print("| intervals | asked | held (least of the seeds) | worst fifth | width |\n|---|---|---|---|---|")
        for (kind, coverage), rows in found.items():
            held, worst, width = zip(*rows, strict=True)
            print(
                f"| {kind} | {coverage:.0%} | {statistics.fmean(held):.1%} ({min(held):.1%}) | "
                f"{statistics.fmean(worst):.1%} | {statistics.fmean(width):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
