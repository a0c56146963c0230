"""Accuracy, time and size of the default estimators beside others, as Markdown tables.

Usage: python -m tests.bench.tables --data DIR [--sets adult digits ...] [--seeds 5] [--only bvar MLP ...]

bvar is measured with no parameter but random_state.  The others get what a careful user gives them: scaled
numbers, one-hot categories (gradient boosting: its own treatment of categories), early stopping for
MLPClassifier and MLPRegressor from 10,000 training samples on, where they otherwise overfit.  green-tsetlin
(1.1.0, optional) gets the bits of bvar's default encoder; of its 20 or 50 epochs the best on a held-out tenth
of the training samples is kept.

DIR holds an .npz file for each set: adult (X_train, y_train, X_test, y_test), spambase, magic_gamma, banknote,
mushroom, california_housing, abalone (X, y), mnist (x_train, y_train, x_test, y_test, only if asked for).
`categorical` marks columns that hold codes of categories.  The digits are those of scikit-learn.  Without a
given split a seed leaves 30 % for the test, with the classes in proportion.

Times are CPU time of this thread, BLAS and OpenMP are limited to one.  Seconds are of one fit, encoding and
scaling included; predictions are per second on the whole test set at once (green-tsetlin takes one row at a
time).  The model of bvar counts its packed words and its thresholds, that of another is as long as its pickle.
"""

import argparse
import importlib.metadata
import pickle
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bvar import BooleanClassifier, BooleanRegressor
from bvar.encoding import TableEncoder
from tests.bench.timing import describe, one_thread

try:
    import green_tsetlin
except ImportError:
    green_tsetlin = None

CLASSES = ["adult", "spambase", "magic_gamma", "banknote", "mushroom", "digits"]
NUMBERS = ["california_housing", "abalone"]
LARGE = 10_000  # training samples from which scikit-learn's networks stop early
PREDICT_SECONDS = 0.3


# ------------------------------------------------------------------------------- data


def load(name, folder):
    """Return a list of (X, y), of training and test samples where the split is given, else of all."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return [(pd.DataFrame(X), y)]
    data = np.load(Path(folder) / f"{name}.npz")
    if name == "mnist":
        return [(pd.DataFrame(data[f"x_{p}"].reshape(len(data[f"x_{p}"]), -1)), data[f"y_{p}"]) for p in PARTS]
    suffixes = [f"_{p}" for p in PARTS] if "X_train" in data else [""]
    return [(_frame(data, data["X" + s]), data["y" + s]) for s in suffixes]


PARTS = ["train", "test"]


def _frame(data, X):
    frame = pd.DataFrame(X, columns=[str(n) for n in data["feature_names"]])
    for j in np.flatnonzero(data["categorical"]) if "categorical" in data else []:
        codes = pd.Series(X[:, j].astype(int).astype(str)).astype("category")
        frame[frame.columns[j]] = codes.cat.set_categories([str(c) for c in range(int(X[:, j].max()) + 1)])
    return frame


def split(parts, seed, *, stratify):
    if len(parts) == 2:
        (X_train, y_train), (X_test, y_test) = parts
        return X_train, X_test, y_train, y_test
    X, y = parts[0]
    return train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y if stratify else None)


# ------------------------------------------------------------------------------- contenders


def scaled(model):
    categories = make_column_selector(dtype_include="category")
    numbers = make_column_selector(dtype_exclude="category")
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), categories),
            sparse_threshold=0,
        ),
        model,
    )


class Tsetlin:
    """green-tsetlin on the bits of bvar's default encoder."""

    def __init__(self, seed):
        self.seed = seed + 1  # green-tsetlin fails with seed 0

    def fit(self, X, y):
        self.encoder = TableEncoder().fit(X)
        self.classes, codes = np.unique(y, return_inverse=True)
        bits, codes = self._bits(X), codes.astype(np.uint32)
        fit, held, y_fit, y_held = train_test_split(
            bits, codes, test_size=0.1, random_state=self.seed, stratify=codes
        )
        machine = green_tsetlin.TsetlinMachine(
            n_literals=bits.shape[1], n_clauses=1000, n_classes=len(self.classes), s=10.0, threshold=1000,
            literal_budget=32,
        )  # fmt: skip
        n_epochs = 20 if len(y) >= LARGE else 50
        trainer = green_tsetlin.Trainer(machine, n_jobs=1, n_epochs=n_epochs, seed=self.seed, progress_bar=False)
        trainer.set_train_data(fit, y_fit)
        trainer.set_eval_data(held, y_held)
        trainer.train()
        self.predictor = machine.get_predictor()
        self.state = machine._state
        return self

    def predict(self, X):
        return self.classes[[self.predictor.predict(row) for row in self._bits(X)]]

    def score(self, X, y):
        return float(np.mean(self.predict(X) == y))

    def _bits(self, X):
        return np.ascontiguousarray((self.encoder.transform(X) > 0).astype(np.uint8))


def classifiers(seed, n_samples):
    contenders = {
        "bvar": lambda: BooleanClassifier(random_state=seed),
        "LogisticRegression": lambda: scaled(LogisticRegression(max_iter=1000)),
        "MLPClassifier": lambda: scaled(MLPClassifier(random_state=seed, early_stopping=n_samples >= LARGE)),
        "HistGradientBoosting": lambda: HistGradientBoostingClassifier(random_state=seed),
    }
    if green_tsetlin:
        contenders["green-tsetlin"] = lambda: Tsetlin(seed)
    return contenders


def regressors(seed, n_samples):
    return {
        "bvar": lambda: BooleanRegressor(random_state=seed),
        "LinearRegression": lambda: scaled(LinearRegression()),
        "MLPRegressor": lambda: ScaledTarget(
            scaled(MLPRegressor(random_state=seed, early_stopping=n_samples >= LARGE))
        ),
        "HistGradientBoosting": lambda: HistGradientBoostingRegressor(random_state=seed),
    }


class ScaledTarget:
    """MLPRegressor needs targets of unit spread; this costs nothing, unlike a clone of the pipeline."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.mean, self.std = y.mean(), y.std()
        self.model.fit(X, (y - self.mean) / self.std)
        return self

    def predict(self, X):
        return self.model.predict(X) * self.std + self.mean

    def score(self, X, y):
        return 1 - float(np.sum((y - self.predict(X)) ** 2) / np.sum((y - y.mean()) ** 2))


def n_bytes(model):
    if isinstance(model, BooleanClassifier | BooleanRegressor):
        words = sum(p.n_bytes for p in model.network_.parameters)
        return words + sum(t.nbytes for t in model.encoder_.thresholds_)
    if isinstance(model, Tsetlin):
        return len(pickle.dumps((model.predictor._ruleset, model.encoder)))
    return len(pickle.dumps(model))


# ------------------------------------------------------------------------------- measuring


def measure(model, X_train, X_test, y_train, y_test):
    start = time.thread_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    fit_seconds = time.thread_time() - start
    rounds, start = 0, time.thread_time()
    while (taken := time.thread_time() - start) < PREDICT_SECONDS:
        model.predict(X_test)
        rounds += 1
    return float(model.score(X_test, y_test)), fit_seconds, rounds * len(y_test) / taken, n_bytes(model)


def table(name, parts, seeds, only):
    regression = name in NUMBERS
    results = {}
    for seed in range(seeds):
        data = split(parts, seed, stratify=not regression)
        for kind, make in (regressors if regression else classifiers)(seed, len(data[2])).items():
            if not only or any(o.lower() in kind.lower() for o in only):
                results.setdefault(kind, []).append(measure(make(), *data))
    print(f"\n### {name}: {len(data[2])} training samples, {len(data[3])} test, {seeds} seeds\n")
    print(f"| | {'R2' if regression else 'accuracy, %'} | std | fit, s | predictions/s | bytes |")
    print("|---|---|---|---|---|---|")
    for kind, rows in results.items():
        score, fit, rate, size = (statistics.fmean(column) for column in zip(*rows, strict=True))
        spread = statistics.pstdev(row[0] for row in rows)
        shown = f"{score:.3f} | {spread:.3f}" if regression else f"{100 * score:.2f} | {100 * spread:.2f}"
        print(f"| {kind} | {shown} | {fit:.2f} | {rate:,.0f} | {size:,.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="+", default=CLASSES + NUMBERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[])
    arguments = parser.parse_args()
    one_thread()
    versions = [f"{p} {importlib.metadata.version(p)}" for p in ("boolean-variation", "scikit-learn")]
    if green_tsetlin:
        versions.append(f"green-tsetlin {importlib.metadata.version('green-tsetlin')}")
    print(f"{describe()}; {', '.join(versions)}")
    for name in arguments.sets:
        table(name, load(name, arguments.data), arguments.seeds, arguments.only)


if __name__ == "__main__":
    main()
