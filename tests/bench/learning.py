"""What defaults learn on many tables, beside what scikit-learn's models do: ``docs/reference/learning.md``.

Run: ``python tests/bench/learning.py --data DIR [--splits 3] [--tables banknote pima ...]``, in one process; seeds
count from 0. Tables are scikit-learn's own, and the files of DIR: `tables.npz`, which holds X, y and which columns
are categories of each table, and one such file a table. Test rows of those in `CHOSEN_ON` were seen when settings
were chosen; such tables are marked with a star.
"""

import argparse
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier, TableEncoder

OWN = {"breast_cancer": datasets.load_breast_cancer, "digits": datasets.load_digits, "wine": datasets.load_wine}
FILES = ("krkopt", "connect4", "letter", "magic_gamma", "spambase", "banknote", "mushroom")
NUMBERS = ("diabetes", "abalone", "california_housing")
CHOSEN_ON = {
    *("australian", "banana", "bands", "breast", "bupa", "heart", "housevotes", "ionosphere"),
    *("digits", "krkopt", "connect4", "letter", "magic_gamma", "spambase", *NUMBERS),
}
ALL_CATEGORIES = ("krkopt", "connect4")


def load(name, folder):
    """Return X, y and which columns are categories."""
    if name in OWN:
        X, y = OWN[name](return_X_y=True)
        return X, y, np.zeros(X.shape[1], bool)
    if name == "diabetes":
        X, y = datasets.load_diabetes(return_X_y=True)
        return X, y, np.zeros(X.shape[1], bool)
    own = folder / f"{name}.npz"
    file = np.load(own if own.exists() else folder / "tables.npz", allow_pickle=True)
    prefix = "" if own.exists() else f"{name}_"
    X = file[prefix + "X"]
    names = f"{prefix}categorical"
    categories = file[names] if names in file.files else np.full(X.shape[1], name in ALL_CATEGORIES)
    return X, file[prefix + "y"], np.asarray(categories, bool)


def with_one_hot(model, categories):
    """Let a model of floats see categories as bits, and scaled numbers; what is missing as the mean."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), np.flatnonzero(categories)),
        (make_pipeline(SimpleImputer(), StandardScaler()), np.flatnonzero(~categories)),
    )
    return make_pipeline(columns, model)


def with_numbers(model, categories):
    """Let trees see categories as numbers."""
    columns = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), np.flatnonzero(categories)),
        (SimpleImputer(), np.flatnonzero(~categories)),
    )
    return make_pipeline(columns, model)


def models(categories, seed, numbers, gates):
    """Return models with their default settings."""
    n_bits = min(64, max(8, 1024 // len(categories)))
    encoder = TableEncoder(n_bits, categorical=[bool(c) for c in categories])
    if numbers:
        return {
            "BooleanRegressor": BooleanRegressor(encoder=encoder, random_state=seed),
            "ridge": with_one_hot(Ridge(), categories),
            "MLP": with_one_hot(MLPRegressor(random_state=seed), categories),
            "forest": with_numbers(RandomForestRegressor(random_state=seed), categories),
            "boosting": with_numbers(HistGradientBoostingRegressor(random_state=seed), categories),
        }
    ours = {"BooleanClassifier": BooleanClassifier(encoder=encoder, random_state=seed)}
    if gates:
        ours["LogicGateClassifier"] = LogicGateClassifier(encoder=encoder, random_state=seed)
    return {
        **ours,
        "logistic": with_one_hot(LogisticRegression(max_iter=1000), categories),
        "MLP": with_one_hot(MLPClassifier(random_state=seed), categories),
        "forest": with_numbers(RandomForestClassifier(random_state=seed), categories),
        "boosting": with_numbers(HistGradientBoostingClassifier(random_state=seed), categories),
    }


def calibration_error(p, right, n_bins=15):
    """Return the expected calibration error: how far confidence is from accuracy, over bins of confidence."""
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    parts = [bins == one for one in range(n_bins)]
    return sum(abs((right[part] - confidence[part]).sum()) for part in parts) / len(p)


def measure(model, train, test):
    """Return score, balanced accuracy, log loss, calibration error, seconds of processor time of the fit."""
    start = time.process_time()
    model.fit(*train)
    seconds = time.process_time() - start
    X, y = test
    score = model.score(X, y)
    if not hasattr(model, "predict_proba"):
        return score, np.nan, np.nan, np.nan, seconds
    p = model.predict_proba(X)
    answers = model.classes_[p.argmax(axis=1)]
    loss = log_loss(y, p, labels=model.classes_)
    return score, balanced_accuracy_score(y, answers), loss, calibration_error(p, answers == y), seconds


def run(name, folder, n_splits, most, gates):
    """Return means over splits for each model."""
    X, y, categories = load(name, folder)
    numbers = name in NUMBERS
    found = {}
    for seed in range(n_splits):
        parts = train_test_split(X, y, test_size=0.3, random_state=seed)
        X_train, X_test, y_train, y_test = parts
        train, test = (X_train[:most], y_train[:most]), (X_test, y_test)
        for label, model in models(categories, seed, numbers, gates).items():
            found.setdefault(label, []).append(measure(model, train, test))
    return {label: np.mean(rows, axis=0) for label, rows in found.items()}


def main():
    """Measure, print a line for each table and model, then mean ranks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--most", type=int, default=10**9, help="training rows, at most")
    parser.add_argument("--gates", action="store_true", help="with LogicGateClassifier")
    parser.add_argument("--tables", nargs="*")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sixteen = sorted(name[:-2] for name in np.load(arguments.data / "tables.npz").files if name.endswith("_X"))
    ranks, seconds = {}, {}
    for name in arguments.tables or (*OWN, *sixteen, *FILES, *NUMBERS):
        found = run(name, arguments.data, arguments.splits, arguments.most, arguments.gates)
        for label, row in found.items():
            seconds[label] = seconds.get(label, 0) + row[-1]
            star = "*" if name in CHOSEN_ON else " "
            print(f"{name + star:20} {label:20}" + "".join(f"{value:9.3f}" for value in row), flush=True)
        if name not in NUMBERS:
            for label, rank in zip(found, rankdata([-row[0] for row in found.values()]), strict=True):
                ranks.setdefault(label, []).append(rank)
    for label, values in ranks.items():
        print(f"mean rank of {label}: {statistics.fmean(values):.2f}, {seconds[label]:.1f} s")


if __name__ == "__main__":
    main()
