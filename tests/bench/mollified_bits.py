"""Boolean networks, networks of gates and real-valued ones, with degraded training samples and without.

Usage: python -m tests.bench.mollified_bits [--data DIR] [--sets digits mnist] [--networks ...] [--arms ...]
       [--seeds 5] [--validate]

Digits (scikit-learn's): a seed halves them into training and test images.  MNIST (DIR/mnist.npz, see the other
benchmark): a seed draws 10,000 training and 2,000 test images, of the given split.  Prints the error on clean
images, and error, NLL and ECE over all corruptions and severities of bvar.mollify, with mean and standard error
over the seeds, and below each arm the paired difference from the first one.

With --validate no test image of the seed is touched: for digits the training half is cut in four, and each part is
scored by a model of the other three; for MNIST 2,000 more of the training images are scored.  Settings other than
the defaults were chosen so.
"""

import argparse

import numpy as np
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from bvar import BooleanClassifier, LogicGateClassifier
from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    MollifiedClassifier,
    Mollifier,
    SigmoidSchedule,
    ThresholdAnnealing,
    corrupted_scores,
)
from tests.bench.mollified import SIDES, load

NETWORKS = {k.__name__: k for k in (BooleanClassifier, LogicGateClassifier, MollifiedClassifier)}
# parameters of models for each set, where they are not the defaults
MODELS = {
    ("LogicGateClassifier", "mnist"): {"layer_sizes": (16000, 16000)},
    ("MollifiedClassifier", "digits"): {"hidden_layer_sizes": (128, 128), "max_iter": 400},
    ("MollifiedClassifier", "mnist"): {"hidden_layer_sizes": (256, 256), "max_iter": 50},
}
LINEAR = {"schedule": LinearSchedule()}
NO_FLIPS = {"flip_noise": 0}

# parameters of the Mollifier, or None, and of the model
ARMS = {
    "plain": (None, {}),
    "hard labels": ({"label_exponent": None}, {}),
    "mollified": ({}, {}),
    "k = 2": ({"label_exponent": 2}, {}),
    "beta = 4": ({"beta": 4}, {}),
    "beta = 9": ({"beta": 9}, {}),
    "xxxnb": ({"roles": "xxxnb"}, {}),
    "linear": (LINEAR, {}),
    "linear, beta = 4": ({**LINEAR, "beta": 4}, {}),
    "linear, k = 2": ({**LINEAR, "label_exponent": 2}, {}),
    "plain, no flips": (None, NO_FLIPS),
    "mollified, no flips": ({}, NO_FLIPS),
    "beta = 4, no flips": ({"beta": 4}, NO_FLIPS),
    "beta = 9, no flips": ({"beta": 9}, NO_FLIPS),
    "linear, no flips": (LINEAR, NO_FLIPS),
    "linear, beta = 4, no flips": ({**LINEAR, "beta": 4}, NO_FLIPS),
    "plain, 100 epochs": (None, {"max_iter": 100}),
    "plain, no flips, 100 epochs": (None, {**NO_FLIPS, "max_iter": 100}),
    "beta = 4, no flips, 100 epochs": ({"beta": 4}, {**NO_FLIPS, "max_iter": 100}),
    "linear, no flips, 100 epochs": (LINEAR, {**NO_FLIPS, "max_iter": 100}),
    "linear, beta = 4, no flips, 100 epochs": ({**LINEAR, "beta": 4}, {**NO_FLIPS, "max_iter": 100}),
    "beta = 9, no flips, 100 epochs": ({"beta": 9}, {**NO_FLIPS, "max_iter": 100}),
}
# thresholds whose noise is narrowed; only BooleanClassifier has some
ARMS |= {
    f"width {text}": (None, {"callbacks": ThresholdAnnealing(schedule, final_width)})
    for text, schedule, final_width in (
        ("to 0.5", LinearSchedule(), 0.5),
        ("to 0.2", LinearSchedule(), 0.2),
        ("to 0", LinearSchedule(), 0),
        ("to 0, cosine", CosineSchedule(), 0),
        ("to 0, sigmoid", SigmoidSchedule(), 0),
    )
}
TABLE = ["plain", "mollified", "beta = 4"]


def build(network, name, arm, seed):
    """Return an untrained model."""
    degradation, parameters = ARMS[arm]
    shape = (SIDES[name], SIDES[name])
    common = {**MODELS.get((network, name), {}), "random_state": seed}
    if NETWORKS[network] is MollifiedClassifier:  # which has no noise but that of its mollifier
        own = {"roles": "x"} if degradation is None else Mollifier(**degradation).get_params()
        return MollifiedClassifier(**{**common, **own, "image_shape": shape})
    mollifier = None if degradation is None else Mollifier(**degradation, image_shape=shape)
    return NETWORKS[network](mollifier=mollifier, **common, **parameters)


def scores(model, name, train, test):
    """Return clean error and corrupted error in percent, and NLL and ECE of corrupted images."""
    (X_train, y_train), (X_test, y_test) = train, test
    model.fit(X_train, y_train)
    found = corrupted_scores(model.predict_proba, np.clip(X_test, 0, 1), y_test, (SIDES[name], SIDES[name]))
    clean = 1 - model.score(X_test, y_test)
    return 100 * clean, 100 * found.mean_corrupted_error, np.mean(found.nll), np.mean(found.ece)


def splits(name, folder, seed, validate):
    """Yield pairs of training and test samples; to validate, no test image is among them."""
    X_train, X_test, y_train, y_test = load(name, folder, seed, validate)
    if not validate or name == "mnist":
        yield (X_train, y_train), (X_test, y_test)
        return
    for train, test in StratifiedKFold(4, shuffle=True, random_state=seed).split(X_train, y_train):
        yield (X_train[train], y_train[train]), (X_train[test], y_train[test])


def show(network, arm, results, plain):
    """Print mean and standard error over the seeds, and those of the difference."""
    lines = [(arm, results, "")]
    if arm != "plain":
        lines.append(("difference", results - plain, "+"))
    for title, values, sign in lines:
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
        cells = [f"{m:{sign}.{d}f} ± {e:.{d}f}" for m, e, d in zip(mean, error, (2, 1, 2, 3), strict=True)]
        print(f"| {network} | {title} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--sets", nargs="+", choices=list(SIDES), default=["digits"])
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=TABLE)
    parser.add_argument("--validate", action="store_true")
    arguments = parser.parse_args()
    threadpool_limits(1)
    for name in arguments.sets:
        print(f"\n### {name}\n\n| network | training | clean error, % | corrupted error, % | NLL | ECE |")
        print("|---|---|---|---|---|---|")
        for network in arguments.networks:
            plain = None
            for arm in arguments.arms:
                results = np.array(
                    [
                        np.mean([scores(build(network, name, arm, seed), name, *pair) for pair in pairs], axis=0)
                        for seed in range(arguments.seeds)
                        for pairs in [splits(name, arguments.data, seed, arguments.validate)]
                    ]
                )
                plain = results if plain is None else plain
                show(network, arm, results, plain)


if __name__ == "__main__":
    main()
