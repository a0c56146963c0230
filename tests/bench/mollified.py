"""Mollified training of a real-valued network: errors on clean and on corrupted images, as Markdown tables.

Usage: python -m tests.bench.mollified [--data DIR] [--sets digits mnist] [--seeds 5] [--epochs 400 20]

Digits (scikit-learn's): a seed halves them into 897 training and 900 test images and sets the model; hidden layers
of 128 and 128, 400 epochs.  MNIST (only if DIR/mnist.npz is there: x_train, y_train, x_test, y_test): a seed draws
10,000 training and 2,000 test images of the given split; 256 and 256, 20 epochs, float32.

All arms share splits, initial weights and order, and are tested on the same corruptions, none of them tuned.
Values of corrupted images are means over the corruptions and severities of bvar.mollify; "+-" is the standard
error over seeds, that of the paired difference in the second table.  CPU seconds are of one fit.  At last, the
label smoothing that would match confidence to accuracy, on the test images of the last seed; it chose no arm.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar.mollify import (
    MollifiedClassifier,
    attainable_accuracy,
    blur_smoothing,
    confidence_matched_schedule,
    corrupted_scores,
    noise_smoothing,
)
from bvar.mollify.corruptions import CORRUPTIONS, classification_scores

ARMS = {
    "baseline": {"roles": "x"},
    "label smoothing 0.1": {"roles": "x", "label_smoothing": 0.1},
    "noise+blur, hard labels": {"label_exponent": None},
    "mollified k=1": {"label_exponent": 1.0},
    "mollified k=2": {"label_exponent": 2.0},
    "mollified k=4": {"label_exponent": 4.0},
}
COLUMNS = ["clean error, %", "clean NLL", "clean ECE", "corrupted error, %", "corrupted NLL", "corrupted ECE"]
SIZES = {"digits": (128, 128), "mnist": (256, 256)}
SIDES = {"digits": 8, "mnist": 28}


def load(name, folder, seed, validate=False):
    """Return X_train, X_test, y_train, y_test with values in [0, 1].

    To validate, the test images of MNIST are other ones of the training split.
    """
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return train_test_split(X / 16, y, test_size=900, stratify=y, random_state=seed)
    with np.load(Path(folder) / "mnist.npz") as data:
        parts = {key: data[key] for key in ("x_train", "y_train", "x_test", "y_test")}
    random = np.random.RandomState(seed)
    order = random.permutation(len(parts["y_train"]))
    train, rest = order[:10_000], order[10_000:]
    of, rows = ("train", rest) if validate else ("test", random.permutation(len(parts["y_test"])))
    test = rows[:2_000]
    X_train, X_test = (
        (parts[f"x_{key}"][rows].reshape(len(rows), -1) / 255).astype(np.float32)
        for key, rows in (("train", train), (of, test))
    )
    return X_train, X_test, parts["y_train"][train], parts[f"y_{of}"][test]


def measure(name, arm, data, epochs, seed):
    """Return the model, its six scores, its corrupted errors by name and its CPU seconds."""
    X_train, X_test, y_train, y_test = data
    shape = (SIDES[name], SIDES[name])
    parameters = {"roles": "xnb", "image_shape": shape, "max_iter": epochs, "random_state": seed, **ARMS[arm]}
    model = MollifiedClassifier(SIZES[name], **parameters)
    start = time.thread_time()
    model.fit(X_train, y_train)
    seconds = time.thread_time() - start
    clean = classification_scores(model.predict_proba(X_test), y_test, model.classes_)
    dirty = corrupted_scores(model.predict_proba, np.clip(X_test, 0, 1), y_test, shape, random_state=seed)
    scores = np.array([*clean, dirty.error.mean(), dirty.nll.mean(), dirty.ece.mean()])
    return model, scores * [100, 1, 1, 100, 1, 1], 100 * dirty.error.mean(axis=1), seconds


def table(title, head, rows):
    print(f"\n{title}\n")
    print("| | " + " | ".join(head) + " |")
    print("|---" * (len(head) + 1) + "|")
    for name, cells in rows:
        print(f"| {name} | " + " | ".join(cells) + " |")


def summary(values):
    """Show mean and standard error over the first axis."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else values[0] * np.nan
    digits = [2, 3, 3, 2, 3, 3]
    return [f"{m:.{d}f} +- {e:.{d}f}" for m, e, d in zip(values.mean(axis=0), error, digits, strict=True)]


def report_matched(name, model, X, y):
    """Print the smoothing that matches confidence to accuracy, beside that of exponents."""
    t = np.arange(11) / 10
    shape = (SIDES[name], SIDES[name])
    rows = []
    for role, smoothing in (("n", noise_smoothing), ("b", blur_smoothing)):
        seen = attainable_accuracy(
            model.predict, X, y, t, role=role, image_shape=shape, moments=(model.mean_, model.std_), random_state=0
        )
        what = {"n": "noise", "b": "blur"}[role]
        curves = {"matched": confidence_matched_schedule(t, seen, 10)}
        curves |= {f"k={k}": smoothing(t, k) for k in (1, 2, 4)}
        rows += [(f"{what}, {key}", [f"{value:.2f}" for value in curve]) for key, curve in curves.items()]
    table(f"Label smoothing by time, {name}", [f"{value:.1f}" for value in t], rows)


def run(name, folder, seeds, epochs):
    scores, errors, seconds = ({arm: [] for arm in ARMS} for _ in range(3))
    for seed in range(seeds):
        data = load(name, folder, seed)
        for arm in ARMS:
            model, values, by_name, taken = measure(name, arm, data, epochs, seed)
            scores[arm].append(values)
            errors[arm].append(by_name)
            seconds[arm].append(taken)
            if arm == "noise+blur, hard labels":
                hard = model
    scores = {arm: np.array(values) for arm, values in scores.items()}
    title = f"{name}: {len(data[0])} training images, {len(data[1])} test, {seeds} seeds, {epochs} epochs"
    table(
        f"### {title}",
        [*COLUMNS, "CPU s"],
        [(arm, [*summary(v), f"{np.mean(seconds[arm]):.1f}"]) for arm, v in scores.items()],
    )
    against = [(arm, summary(v - scores["baseline"])) for arm, v in scores.items() if arm != "baseline"]
    table("Difference from the baseline, paired", COLUMNS, against)
    by_name = [(c, [f"{np.mean(errors[arm], axis=0)[i]:.1f}" for arm in ARMS]) for i, c in enumerate(CORRUPTIONS)]
    table("Error by corruption, %", list(ARMS), by_name)
    report_matched(name, hard, data[1], data[3])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--sets", nargs="+", choices=list(SIZES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, nargs=2, default=[400, 20], help="of digits and of MNIST")
    arguments = parser.parse_args()
    there = arguments.data is not None and (Path(arguments.data) / "mnist.npz").exists()
    for name in arguments.sets or (["digits", "mnist"] if there else ["digits"]):
        run(name, arguments.data, arguments.seeds, arguments.epochs[list(SIZES).index(name)])


if __name__ == "__main__":
    main()
