"""MNIST: accuracy and seconds per epoch of BooleanClassifier beside MLPClassifier of the same shape.

Usage: python tests/bench/mnist.py [--data mnist.npz] [--backend numpy] [--hidden 1024] [--epochs 10]

The file holds x_train, y_train, x_test, y_test; without it the data come from OpenML.  Times are CPU time of this
thread; set OPENBLAS_NUM_THREADS=1 for a fair comparison.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.neural_network import MLPClassifier

from bvar import BooleanClassifier, ThermometerEncoder


def load(path):
    if path:
        data = np.load(path)
        return [data[name].reshape(len(data[name]), -1) for name in ("x_train", "x_test")] + [
            data[name] for name in ("y_train", "y_test")
        ]
    X, y = fetch_openml("mnist_784", version=1, return_X_y=True, as_frame=False)
    return X[:60000], X[60000:], y[:60000], y[60000:]


def seconds(call):
    start = time.thread_time()
    call()
    return time.thread_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--backend")
    parser.add_argument("--hidden", type=int, nargs="+", default=[1024])
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    X_train, X_test, y_train, y_test = load(arguments.data)
    model = BooleanClassifier(
        arguments.hidden,
        encoder=ThermometerEncoder(1, "uniform"),
        flip_noise=0,
        max_iter=arguments.epochs,
        batch_size=100,
        random_state=0,
        backend=arguments.backend,
        verbose=True,
    )
    taken = seconds(lambda: model.fit(X_train, y_train)) / arguments.epochs
    print(
        f"bvar ({model.backend_}): test accuracy {model.score(X_test, y_test):.4f}, {taken:.2f} s of CPU an epoch"
    )
    rival = MLPClassifier(arguments.hidden, batch_size=100, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch does not converge, and is not meant to
        rival_taken = seconds(lambda: rival.fit(X_train / 255, y_train))
    rival_score = rival.score(X_test / 255, y_test)
    print(f"MLPClassifier, one epoch: test accuracy {rival_score:.4f}, {rival_taken:.2f} s of CPU")
    print(f"ratio of times {rival_taken / taken:.2f}")


if __name__ == "__main__":
    main()
