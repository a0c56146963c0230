"""Missing entries: bvar's zero of three-valued logic against imputation and against gradient boosting.

Usage: python -m tests.bench.missing --data DIR [--sets spambase magic_gamma digits] [--seeds 3]

From 0 to 50 % of the entries are deleted completely at random, from the training and from the test samples alike.
bvar takes NaN as it comes; MLPClassifier gets the median and unit spread (SimpleImputer, StandardScaler);
HistGradientBoosting has a branch for missing values.  All parameters are the defaults, but for early stopping of
MLPClassifier from 10,000 training samples on.

DIR holds an .npz file with X and y for each set; the digits are those of scikit-learn.
"""

import argparse
import statistics
import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bvar import BooleanClassifier
from tests.bench.tables import LARGE, load, split
from tests.bench.timing import one_thread

SHARES = [0.0, 0.1, 0.2, 0.3, 0.5]


def contenders(seed, n_samples):
    network = MLPClassifier(random_state=seed, early_stopping=n_samples >= LARGE)
    return {
        "bvar": BooleanClassifier(random_state=seed),
        "imputation + MLPClassifier": make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), network
        ),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
    }


def delete(X, share, rng):
    X = np.array(X, dtype=np.float64)
    X[rng.random(X.shape) < share] = np.nan
    return X


def accuracies(parts, share, seeds):
    """Return a list of accuracies, one for each seed, for each contender."""
    found = {}
    for seed in range(seeds):
        X_train, X_test, y_train, y_test = split(parts, seed, stratify=True)
        rng = np.random.default_rng(seed)
        X_train, X_test = delete(X_train, share, rng), delete(X_test, share, rng)
        for name, model in contenders(seed, len(y_train)).items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                found.setdefault(name, []).append(model.fit(X_train, y_train).score(X_test, y_test))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="+", default=["spambase", "magic_gamma", "digits"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    one_thread()
    for name in arguments.sets:
        parts = load(name, arguments.data)
        columns = [accuracies(parts, share, arguments.seeds) for share in SHARES]
        print(f"\n### {name}, accuracy in %, mean of {arguments.seeds} seeds\n")
        print("| missing | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
        print("|---" * (len(SHARES) + 1) + "|")
        for kind in columns[0]:
            print(f"| {kind} | " + " | ".join(f"{100 * statistics.fmean(c[kind]):.2f}" for c in columns) + " |")


if __name__ == "__main__":
    main()
