"""Boolean networks and networks of gates on the digits, with degraded training samples and without.

Usage: python -m tests.bench.mollified_bits [--seeds 5]

Half of the digits train, half test.  Prints the error on clean images, and error, NLL and ECE over all corruptions
and severities of bvar.mollify, with mean and standard error over the seeds; no parameter but `mollifier` is set.
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from bvar import BooleanClassifier, LogicGateClassifier
from bvar.mollify import Mollifier, corrupted_scores

SHAPE = (8, 8)
ARMS = {
    "plain": None,
    "noise and blur, hard labels": Mollifier(label_exponent=None, image_shape=SHAPE),
    "mollified, k = 2": Mollifier(label_exponent=2, image_shape=SHAPE),
    "mollified, k = 4": Mollifier(label_exponent=4, image_shape=SHAPE),
}


def run(kind, mollifier, seed):
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    model = kind(mollifier=mollifier, random_state=seed).fit(X_train, y_train)
    found = corrupted_scores(lambda pixels: model.predict_proba(16 * pixels), X_test / 16, y_test, SHAPE)
    clean = 1 - model.score(X_test, y_test)
    return 100 * clean, 100 * found.mean_corrupted_error, np.mean(found.nll), np.mean(found.ece)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    threadpool_limits(1)
    print("| network | training | clean error, % | corrupted error, % | NLL | ECE |\n|---|---|---|---|---|---|")
    for kind in (BooleanClassifier, LogicGateClassifier):
        for name, mollifier in ARMS.items():
            results = np.array([run(kind, mollifier, seed) for seed in range(arguments.seeds)])
            cells = [
                f"{mean:.{d}f} ± {error:.{d}f}"
                for mean, error, d in zip(
                    results.mean(axis=0),
                    results.std(axis=0, ddof=1) / np.sqrt(arguments.seeds),
                    (1, 1, 2, 3),
                    strict=True,
                )
            ]
            print(f"| {kind.__name__} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
