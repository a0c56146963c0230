"""What a promise costs: scores with and without monotone constraints, and how often they are broken where none is.

Usage: python -m tests.bench.monotone --data DIR [--sets adult california_housing abalone] [--seeds 3]

Models have their defaults. The income of Adult rises with age and with years of education; its column
`education`, which says the years again in words, is left out for all, since one would undo what the other
promises. Prices of houses in California rise with the median income. Rings of abalones rise with the weight
of the shell and fall with the weight of the meat. A row counts as broken if the score moves the wrong way
somewhere while one such feature goes through its twenty quantiles, all others fixed: 500 test rows.

DIR holds an .npz file for each set: adult with X_train, y_train, X_test, y_test, the others with X and y, of which
a seed holds 30 % out.
"""

import argparse
import statistics
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

from bvar import BooleanClassifier, BooleanRegressor
from bvar.encoding import TableEncoder
from tests.bench.timing import one_thread

CONSTRAINTS = {
    "adult": {"age": 1, "education-num": 1},
    "california_housing": {"median_income": 1},
    "abalone": {"shell_weight": 1, "shucked_weight": -1},
}
LEFT_OUT = {"adult": ["education"]}
ROWS, STEPS = 500, 20


def load(name, folder, seed):
    """Return four parts, which columns are categories, and the constraint of each column."""
    with np.load(Path(folder) / f"{name}.npz") as file:
        names = file["feature_names"].tolist()
        kept = [j for j, column in enumerate(names) if column not in LEFT_OUT.get(name, ())]
        flags = file["categorical"] if "categorical" in file else np.zeros(len(names), bool)
        if "X_train" in file:
            parts = file["X_train"], file["X_test"], file["y_train"], file["y_test"]
        else:
            parts = train_test_split(file["X"], file["y"], test_size=0.3, random_state=seed)
    X_train, X_test, y_train, y_test = parts
    constraints = [CONSTRAINTS[name].get(names[j], 0) for j in kept]
    categories = [place for place, j in enumerate(kept) if flags[j]]
    return (X_train[:, kept], X_test[:, kept], y_train, y_test), categories, constraints


def contenders(is_classes, categories, constraints, seed):
    ours, theirs = (
        (BooleanClassifier, HistGradientBoostingClassifier)
        if is_classes
        else (BooleanRegressor, HistGradientBoostingRegressor)
    )
    for kind, given in (("free", None), ("monotone", constraints)):
        encoder = TableEncoder(categorical=categories) if categories else None
        yield f"bvar, {kind}", ours(encoder=encoder, monotonic_cst=given, random_state=seed)
        named = categories or None
        yield (
            f"HistGradientBoosting, {kind}",
            theirs(categorical_features=named, monotonic_cst=given, random_state=seed),
        )


def share_broken(model, X, constraints):
    """Return the share of rows whose score moves the wrong way somewhere."""
    score = getattr(model, "decision_function", model.predict)
    rows = X[:ROWS]
    broken = np.zeros(len(rows), bool)
    for column in np.flatnonzero(constraints):
        values = np.quantile(X[:, column], np.linspace(0, 1, STEPS))
        grid = np.repeat(rows, STEPS, axis=0)
        grid[:, column] = np.tile(values, len(rows))
        moves = np.diff(score(grid).reshape(len(rows), STEPS), axis=1) * constraints[column]
        broken |= (moves < 0).any(axis=1)
    return broken.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="+", default=list(CONSTRAINTS), choices=list(CONSTRAINTS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    one_thread()
    for name in arguments.sets:
        found = {}
        for seed in range(arguments.seeds):
            parts, categories, constraints = load(name, arguments.data, seed)
            X_train, X_test, y_train, y_test = parts
            for kind, model in contenders(y_train.dtype.kind == "i", categories, constraints, seed):
                start = process_time()
                model.fit(X_train, y_train)
                seconds = process_time() - start
                row = model.score(X_test, y_test), share_broken(model, X_test, constraints), seconds
                found.setdefault(kind, []).append(row)
        what = "accuracy" if y_train.dtype.kind == "i" else "R2"
        print(f"\n### {name}, mean of {arguments.seeds} seeds\n")
        print(f"| model | {what} in % (each seed) | rows broken | seconds of fit |\n|---|---|---|---|", flush=True)
        for kind, rows in found.items():
            scores, broken, seconds = zip(*rows, strict=True)
            each = ", ".join(f"{100 * score:.2f}" for score in scores)
            print(
                f"| {kind} | {100 * statistics.fmean(scores):.2f} ({each}) | {statistics.fmean(broken):.1%} | "
                f"{statistics.fmean(seconds):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
