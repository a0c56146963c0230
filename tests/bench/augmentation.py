"""Learnt augmentation beside fixed strengths and a search, as Markdown tables.

Usage: python -m tests.bench.augmentation [--results FILE] [--data DIR] [--sets digits bits mnist] [--seeds 5]
           [--changes rotation shift] [--training moved upright] [--epochs 60]

Digits (scikit-learn's): a seed halves them into 897 training and 900 test images.  MNIST (only if DIR/mnist.npz
is there): a seed draws 10,000 training and 2,000 test images.  'digits' and 'mnist' are AugmentedClassifier, of 60
and 10 epochs unless --epochs says so, 'bits' is BooleanClassifier on the digits, of 30.  Training images are as
they are, or moved as the moved test images are: by a normal angle of 20 degrees, or by normal distances.  All arms
of a seed share splits, weights and order.

A search fits each of the seven fixed strengths, none among them, to four fifths of the training images, takes the
one with the least NLL on the fifth that is left, and fits that to all; its seconds are those of the eight fits.
Learnt arms begin at 15 degrees, or at the fourth of the fixed distances.  Results go to the file as they come, and
what is there is not measured again.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from bvar import BooleanClassifier
from bvar.augmentation import AugmentedClassifier, LearnedAugmentation, Rotation, Shift
from bvar.mollify import expected_calibration_error

CHANGES = {"rotation": Rotation, "shift": Shift}
STRENGTHS = {
    ("digits", "rotation"): (0, 2, 5, 10, 15, 30, 60),
    ("digits", "shift"): (0, 0.1, 0.2, 0.35, 0.5, 1, 2),
    ("mnist", "rotation"): (0, 2, 5, 10, 15, 30, 60),
    ("mnist", "shift"): (0, 0.25, 0.5, 1, 1.5, 3, 6),
}
MOVED = {("digits", "rotation"): 20, ("digits", "shift"): 0.7, ("mnist", "rotation"): 20, ("mnist", "shift"): 2}
LEARNT = {
    "learnt": {},
    "learnt, prior 0.1": {"prior": 0.1},
    "learnt, four draws": {"n_draws": 4},
    "learnt, no prior": {"prior": None},
    "learnt, normal last layer": {},
}
SIDES = {"digits": 8, "mnist": 28}
EPOCHS = {"digits": 60, "bits": 30, "mnist": 10}
COLUMNS = [
    *(f"{images} {score}" for images in ("clean", "moved") for score in ("NLL", "ECE", "acc., %")),
    "strength",
    "CPU s",
]


def load(name, folder, seed):
    """Return X_train, X_test, y_train, y_test with values in [0, 1]."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return train_test_split(X / 16, y, test_size=900, stratify=y, random_state=seed)
    with np.load(Path(folder) / "mnist.npz") as data:
        random, parts = np.random.RandomState(seed), []
        for key, n in (("train", 10_000), ("test", 2_000)):
            rows = random.permutation(len(data[f"y_{key}"]))[:n]
            parts.append((data[f"x_{key}"][rows].reshape(n, -1) / 255).astype(np.float32))
            parts.append(data[f"y_{key}"][rows])
    return parts[0], parts[2], parts[1], parts[3]


def moved(X, name, change, seed):
    """Move images at random, by what no arm is told."""
    transform, shape = CHANGES[change](), (SIDES[name], SIDES[name], 1)
    noise = np.random.RandomState(seed).standard_normal((len(X), transform.n_amounts))
    return transform.forward(X, (MOVED[name, change] * noise).astype(X.dtype), shape)


class Task:
    """One data set, kind of model, change and seed."""

    def __init__(self, kind, change, training, seed, epochs, folder):
        self.kind, self.name = kind, "digits" if kind == "bits" else kind
        self.change, self.seed, self.epochs = change, seed, epochs
        X, self.X_test, self.y, self.y_test = load(self.name, folder, seed)
        self.X = moved(X, self.name, change, 200 + seed) if training == "moved" else X
        self.X_moved = moved(self.X_test, self.name, change, 100 + seed)
        self.grid = STRENGTHS[self.name, change]

    def model(self, augment, **parameters):
        if self.kind == "bits":
            return BooleanClassifier((512,), augment=augment, max_iter=self.epochs, random_state=self.seed)
        hidden = {"digits": (128,), "mnist": (256,)}[self.kind]
        return AugmentedClassifier(
            augment, hidden_layer_sizes=hidden, max_iter=self.epochs, random_state=self.seed, **parameters
        )

    def augmentation(self, strength=None, **parameters):
        """Learn from a median of the prior on; or keep a strength, where one is given."""
        shape = (SIDES[self.name], SIDES[self.name])
        if strength == 0:
            return LearnedAugmentation((), image_shape=shape)
        start = (15 if self.change == "rotation" else self.grid[4]) if strength is None else strength
        transform = CHANGES[self.change](float(start))
        return LearnedAugmentation(transform, image_shape=shape, learn=strength is None, **parameters)

    def search(self):
        """Find a strength by validation; return the model fitted with it to all."""
        fit, held = train_test_split(
            np.arange(len(self.y)), test_size=0.2, stratify=self.y, random_state=self.seed
        )
        losses = []
        for strength in self.grid:
            model = self.model(self.augmentation(strength)).fit(self.X[fit], self.y[fit])
            losses.append(log_loss(self.y[held], model.predict_proba(self.X[held])))
        best = self.grid[int(np.argmin(losses))]
        return self.model(self.augmentation(best)).fit(self.X, self.y), best

    def fitted(self, arm):
        """Fit an arm; return the model and its strength."""
        if arm == "search":
            return self.search()
        if arm in LEARNT:
            extra = {"last_layer": "normal"} if "normal" in arm else {}
            model = self.model(self.augmentation(**LEARNT[arm]), **extra).fit(self.X, self.y)
            return model, next(iter(model.augmentation_.strengths().values()))
        strength = 0 if arm == "none" else float(arm.split()[1])
        return self.model(self.augmentation(strength)).fit(self.X, self.y), strength

    def measure(self, arm):
        """Return a row of numbers, in the order of the columns."""
        start = time.thread_time()
        model, strength = self.fitted(arm)
        seconds, row = time.thread_time() - start, []
        for X in (self.X_test, self.X_moved):
            p = model.predict_proba(X)
            row += [log_loss(self.y_test, p), expected_calibration_error(self.y_test, p)]
            row += [100 * float((p.argmax(axis=1) == self.y_test).mean())]
        return [*map(float, row), float(strength), seconds]


def arms(kind, change):
    """Name the arms of a set."""
    grid = STRENGTHS["digits" if kind == "bits" else kind, change]
    learnt = [arm for arm in LEARNT if kind != "bits" or not ("draws" in arm or "layer" in arm)]
    return ["none", *(f"fixed {s:g}" for s in grid[1:]), "search", *learnt]


class Results:
    """What has been measured, in a file if there is one."""

    def __init__(self, path):
        self.path = path
        self.known = json.loads(path.read_text()) if path is not None and path.exists() else {}

    def get(self, key, measure):
        """Return what is known, or measure it and write it down."""
        if key not in self.known:
            self.known[key] = measure()
            if self.path is not None:
                self.path.write_text(json.dumps(self.known, indent=0))
        return self.known[key]


def report(title, training, rows):
    """Print means and standard errors over seeds, and what learnt arms are beside the best fixed one."""
    n = min(map(len, rows.values()))
    print(f"\n## {title}, {n} seeds\n")
    print("| | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    digits = [3, 3, 1, 3, 3, 1, 2, 1]
    for arm, values in rows.items():
        v = np.array(values)
        error = v.std(axis=0, ddof=1) / np.sqrt(len(v)) if len(v) > 1 else np.zeros(v.shape[1])
        cells = [f"{m:.{d}f} ± {e:.{d}f}" for m, e, d in zip(v.mean(axis=0), error, digits, strict=True)]
        print(f"| {arm} | " + " | ".join(cells) + " |")
    column = 3 if training == "moved" else 0
    mean = {arm: np.mean(values, axis=0) for arm, values in rows.items()}
    fixed = [arm for arm in rows if arm == "none" or arm.startswith("fixed")]
    best = min(fixed, key=lambda arm: mean[arm][column])
    print(
        f"\n{COLUMNS[column]} against the best fixed arm in hindsight, {best}; against what the search found; and"
    )
    print("the share of its processor time:\n")
    for arm in (arm for arm in rows if arm in LEARNT or arm == "search"):
        share = [100 * (mean[arm][column] / mean[other][column] - 1) for other in (best, "search")]
        cost = mean[arm][-1] / mean["search"][-1]
        print(f"* {arm}: {share[0]:+.1f} %, {share[1]:+.1f} %, {cost:.2f} of the time")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--sets", nargs="+", choices=list(EPOCHS))
    parser.add_argument("--changes", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    parser.add_argument("--training", nargs="+", choices=["moved", "upright"], default=["moved", "upright"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    there = arguments.data is not None and (Path(arguments.data) / "mnist.npz").exists()
    results = Results(arguments.results)
    for kind in arguments.sets or (list(EPOCHS) if there else ["digits", "bits"]):
        for change in arguments.changes:
            for training in arguments.training:
                epochs = arguments.epochs or EPOCHS[kind]
                rows = {arm: [] for arm in arms(kind, change)}
                for seed in range(arguments.seeds):
                    task = Task(kind, change, training, seed, epochs, arguments.data)
                    for arm in rows:
                        key = f"{kind}/{change}/{training}/{epochs}/{arm}/{seed}"
                        rows[arm].append(results.get(key, partial(task.measure, arm)))
                report(f"{kind}, {change}, {training} training images, {epochs} epochs", training, rows)


if __name__ == "__main__":
    main()
