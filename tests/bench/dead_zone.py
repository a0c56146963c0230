"""Does the third value let deep trained networks remember?  Digits on validation samples, by depth and arm.

Usage: python -m tests.bench.dead_zone [--depths 1 2 4 8 16] [--seeds 5] [--width 256] [--arms ...] [--data DIR]

The theory of docs/explanation/boolean-beliefs.md is about random networks: of a small correlation a layer of bits
leaves 2/pi, one with a dead zone of .612 spreads .810.  Here such layers are trained.  An arm is a kind of hidden
layer: bits, with votes that count from the mean (the default of boolean_mlp), as they are, or with learnt offsets;
and `DeadZone` layers, without and with offsets; "ties are 0" is one whose zone is a single sum, to tell the zone
from the scale of signals, which `DeadZone` fits to its own curve.  All take the same steps, at the better of two
step sizes.

Columns: accuracy on the training samples; on validation samples, which chose the step size and nothing else; and
the memory, per layer: the slope of the correlation of last hidden activations of two validation samples in that of
their bits, over pairs, by least squares through the means, to the power 1 / depth, before training and after.
"""

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import kernels
from bvar.bits import RandomWords
from bvar.encoding import ThermometerEncoder
from bvar.layers import BooleanLinear, Layer, Threshold
from bvar.networks import BooleanOptimizer, CrossEntropy, Network
from tests.bench.timing import describe, one_thread

ARMS = {  # dead zone in spreads of the sum; None for bits, votes from the mean, spread of offsets
    "bits, votes from the mean": (None, True, None),
    "bits": (None, False, None),
    "bits, offsets": (None, False, 0.5),
    "ties are 0": (0.0, False, None),
    "dead zone .3": (0.3, False, None),
    "dead zone .612": (0.612, False, None),
    "dead zone .3, offsets": (0.3, False, 0.5),
    "dead zone .612, offsets": (0.612, False, 0.5),
}
ETAS = (5.0, 20.0)
BATCH, EPOCHS = 50, 30


class DeadZone(Layer):
    """T above t, F below -t, and 0 between: half the sum of two thresholds; each passes half the signal."""

    def __init__(self, n_units, spread, fan_out, zone):
        self.t = round(zone * spread)
        single = Threshold(n_units, round(spread**2), 1)
        self.curve, self.shift = single.curve.astype(np.float64) / np.sqrt(2), single.SHIFT
        x = np.linspace(-8, 8, 2001)  # sums, in spreads
        alpha = np.pi / (2 * np.sqrt(3))
        curve = (np.cosh(alpha * (x - zone)) ** -2.0 + np.cosh(alpha * (x + zone)) ** -2.0) / 2
        law = np.exp(-(x**2) / 2)
        self.gain = 1 / np.sqrt(fan_out * (law * curve**2).sum() / law.sum())  # signals stay as loud as above

    def forward(self, x):
        return kernels.pack((x > self.t).astype(np.int8) - (x < -self.t).astype(np.int8)), x

    def backward(self, signal, context):
        heard = sum(
            self.curve[np.minimum(abs(context - side), len(self.curve) - 1)] for side in (self.t + 1, -self.t)
        )
        scaled = self.gain * signal * heard / 2 / 2**self.shift
        return np.clip(np.rint(scaled), -127, 127).astype(np.int8)


def build(sizes, zone, centered, offset_spread, eta, n_steps, seed):
    source, layers, known = RandomWords(seed), [], 1.0
    for depth, (n_inputs, n_outputs) in enumerate(pairwise(sizes), start=1):
        is_last = depth == len(sizes) - 1
        spread = 0.0 if is_last and offset_spread is not None else offset_spread
        layers.append(
            BooleanLinear(
                n_inputs, n_outputs, centered=centered and depth > 1, offset_spread=spread, random_state=source
            )
        )
        if is_last:
            break
        if zone is None:
            layers.append(Threshold(n_outputs, n_inputs, sizes[depth + 1]))
            continue
        spread = np.sqrt(n_inputs * (known + (offset_spread or 0) ** 2))
        layers.append(DeadZone(n_outputs, spread, sizes[depth + 1], zone))
        x = np.random.RandomState(0).standard_normal(100_000)
        known = float((abs(x) > zone).mean())
    return Network(layers, CrossEntropy(sizes[-2]), BooleanOptimizer(eta, n_steps=n_steps))


def hidden(network, x):
    """Return the last hidden activations, as values of M."""
    for layer in network.layers[:-1]:
        x, _ = layer.forward(x)
    return kernels.unpack_ternary(x).astype(np.float64)


def correlations(x):
    size = np.sqrt((x**2).sum(axis=1))
    return (x @ x.T / np.outer(size, size))[np.triu_indices(len(x), 1)]


def memory(network, x, depth):
    below, above = correlations(kernels.unpack_ternary(x).astype(np.float64)), correlations(hidden(network, x))
    slope = np.cov(below, above)[0, 1] / below.var(ddof=1)
    return max(slope, 0.0) ** (1 / depth)


def train(network, x, y, seed):
    order = np.random.RandomState(seed)
    for _ in range(EPOCHS):
        rows = order.permutation(len(y))
        for start in range(0, len(y), BATCH):
            batch = rows[start : start + BATCH]
            network.step(x[batch], y[batch])


def accuracy(network, x, y):
    return float((network.scores(x).argmax(axis=1) == y).mean())


def load(folder):
    """Return bits and classes to train on, and to validate with."""
    if folder is None:
        X, y = load_digits(return_X_y=True)
    else:
        with np.load(folder / "mnist.npz") as mnist:  # of its training images alone
            X, y = (
                mnist["x_train"][:8000].reshape(8000, -1).astype(np.float64),
                mnist["y_train"][:8000].astype(int),
            )
    X, X_valid, y, y_valid = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    encoder = ThermometerEncoder(4 if folder is None else 1, "uniform").fit(X)
    return encoder.encode(X), y, encoder.encode(X_valid), y_valid


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depths", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--arms", nargs="+", default=[*ARMS])
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    one_thread()
    x, y, x_valid, y_valid = load(arguments.data)
    n_steps = EPOCHS * -(-len(y) // BATCH)
    few = x_valid[:200]
    print(
        f"{describe()}\n\n{len(y)} training samples, {x.n_bits} bits, width {arguments.width}, {n_steps} steps\n"
    )
    print("| depth | hidden layers | eta | training, % | validation, % | memory before | after | CPU s |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for depth in arguments.depths:
        for name, arm in ((name, ARMS[name]) for name in arguments.arms):
            found = {}
            start = time.process_time()
            for eta in ETAS:
                rows = []
                for seed in range(arguments.seeds):
                    sizes = [x.n_bits, *[arguments.width] * depth, int(y.max()) + 1]
                    network = build(sizes, *arm, eta, n_steps, seed)
                    before = memory(network, few, depth)
                    train(network, x, y, seed)
                    rows.append(
                        (
                            100 * accuracy(network, x, y),
                            100 * accuracy(network, x_valid, y_valid),
                            before,
                            memory(network, few, depth),
                        )
                    )
                found[eta] = np.array(rows)
            eta = max(found, key=lambda eta: found[eta][:, 1].mean())
            (fit, valid, before, after), error = (
                found[eta].mean(axis=0),
                found[eta][:, 1].std() / np.sqrt(max(1, arguments.seeds - 1)),
            )
            seconds = time.process_time() - start
            print(
                f"| {depth} | {name} | {eta:g} | {fit:.1f} | {valid:.1f} +- {error:.1f} | {before:.2f} "
                f"| {after:.2f} | {seconds:.0f} |",
                flush=True,
            )
    print(f"\n{time.process_time() / 60:.1f} CPU minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
