"""MNIST: a Boolean network beside the same with real ends: accuracy after each epoch, and seconds.

Usage: python -m tests.bench.real_ends [--data mnist.npz] [--epochs 5] [--hidden 1024 1024] [--only head norm]

The file holds x_train, y_train, x_test, y_test; without it the data come from OpenML.  Times are CPU time of this
thread; set OPENBLAS_NUM_THREADS=1 for a fair comparison.
"""

import argparse
import time

import numpy as np

from bvar import backends, kernels
from bvar.bits import RandomWords
from bvar.layers import BooleanLinear, SignedSum, Threshold, standard_int8
from bvar.networks import BooleanOptimizer, CrossEntropy, Network
from bvar.real import BatchNorm, FixedPoint, RealCrossEntropy, RealLinear
from tests.bench.mnist import load

VARIANTS = {
    "boolean": (),
    "head": ("head",),
    "head, norm": ("head", "norm"),
    "numbers": ("numbers",),
    "numbers, head": ("numbers", "head"),
    "numbers, head, norm": ("numbers", "head", "norm"),
    "real": ("real", "head"),
    "real, norm": ("real", "head", "norm"),
}


def build(parts, sizes, n_steps, eta):
    """Stack layers; each part of the name of a variant is one thing that is not Boolean in it."""
    source, layers = RandomWords(0), []
    for depth, (n_inputs, n_units, n_next) in enumerate(zip(sizes, sizes[1:], sizes[2:], strict=False)):
        spread = n_inputs
        if depth == 0 and "real" in parts:
            layers.append(RealLinear(n_inputs, n_units, bias=False, random_state=source))
            spread = 1
        elif depth == 0 and "numbers" in parts:
            layers.append(SignedSum(n_inputs, n_units, random_state=source))
            spread = layers[-1].sum_variance
        else:
            layers.append(BooleanLinear(n_inputs, n_units, centered=depth > 0, random_state=source))
        if "norm" in parts:
            layers.append(BatchNorm(n_units, spread))
            spread = BatchNorm.FAN_IN
        elif spread == 1:
            layers.append(FixedPoint())
            spread = FixedPoint.FAN_IN
        layers.append(Threshold(n_units, spread, n_next))
    if "head" in parts:
        layers.append(RealLinear(*sizes[-2:], random_state=source))
    else:
        layers.append(BooleanLinear(*sizes[-2:], centered=True, random_state=source))
    loss = RealCrossEntropy() if "head" in parts else CrossEntropy(sizes[-2])
    return Network(layers, loss, BooleanOptimizer(eta, n_steps=n_steps))


def encode(pixels, parts):
    standard = (pixels.astype(np.float32) - 33.3) / 78.6  # mean and spread of all pixels
    if "real" in parts:
        return standard
    return standard_int8(standard) if "numbers" in parts else kernels.pack(pixels >= 128)


def run(name, data, arguments):
    parts = VARIANTS[name]
    x, x_test, y, y_test = encode(data[0], parts), encode(data[1], parts), data[2], data[3]
    y, y_test = y.astype(np.int64), y_test.astype(np.int64)
    batches = len(y) // arguments.batch
    network = build(parts, [x.shape[1], *arguments.hidden, 10], arguments.epochs * batches, arguments.eta)
    order, taken, scores = RandomWords(1), 0.0, []
    for _ in range(arguments.epochs):
        start, rows = time.thread_time(), order.permutation(len(y))
        for i in range(0, batches * arguments.batch, arguments.batch):
            some = rows[i : i + arguments.batch]
            network.step(x[some], y[some])
        taken += time.thread_time() - start
        scores.append((network.scores(x_test).argmax(axis=1) == y_test).mean())
    text = " ".join(f"{100 * score:.2f}" for score in scores)
    print(f"{name:<20} test accuracy {text} %, {taken / arguments.epochs:.1f} s of CPU an epoch", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--backend")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--eta", type=float, default=10.0)
    parser.add_argument("--hidden", type=int, nargs="+", default=[1024, 1024])
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    arguments = parser.parse_args()
    data = load(arguments.data)
    with backends.use(arguments.backend):
        for name in arguments.only:
            run(name, data, arguments)


if __name__ == "__main__":
    main()
