"""A trial: accumulators in fixed point instead of float32 (docs/explanation/optimizer.md).

    python -m tests.bench.accumulators [--data DIR] [--only digits ...] [--seeds 3]

An accumulator is an integer M, in units of 2^-f.  With B = round(2^16 beta), E = round(2^(16 + f) eta) of a row,

    M <- (B M + E q + r) >> 16, kept within its type;    flip where M e(w) >= 2^f, and there M <- 0.

r is 2^15, which rounds to nearest, or a number below 2^16 that walks from weight to weight and from step to step,
so that what is below the last bit counts on average (Weyl's sequence: no random numbers, nothing stored).

Prints the accuracy on the test set, mean and standard error over seeds, for each arm.  DIR holds mnist.npz and
krkopt.npz; the digits are those of scikit-learn.  Votes and sums are those of the fastest backend.
"""

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import BooleanClassifier, BooleanConvClassifier, LogicGateClassifier, backends
from bvar.backends import protocol
from bvar.backends.definition import NumpyBackend

ARMS = {  # bits of the type, bits behind the point, whether r walks
    "float32": None,
    "int32": (32, 24, False),
    "int16": (16, 12, False),
    "int16, r walks": (16, 12, True),
    "int8, r walks": (8, 5, True),
}


FAST = (
    *("transpose", "count_rows", "prepare", "gate_sum", "gate_bits", "signed_sum", "rescale", "center_votes"),
    *("vote_norms", "pack_levels", "table_values", "table_votes", "wire_votes", "count_groups", "gather_patches"),
    *("signed_pixels", "pool_max"),
)


class FixedPoint(NumpyBackend):
    """A backend whose accumulators are integers, which lie in the memory of the float32 that they replace."""

    def __init__(self, n_bits, n_fraction, walks):
        self.name = f"int{n_bits}-{n_fraction}-{walks}"
        self.most = 2 ** (n_bits - 1) - 1
        self.bar, self.walks = 2**n_fraction, walks
        self.steps = defaultdict(int)  # of the rows that lie at an address

    def flip(self, words, m, q, beta, eta):
        blocks = (slice(start, start + 16) for start in range(0, len(m), 16))  # for the cache
        return sum(self._flip(words[rows], m[rows].view(np.int32), q[rows], beta, eta[rows]) for rows in blocks)

    def _flip(self, words, m, q, beta, eta):
        self.steps[m.ctypes.data] += 1
        scaled = np.rint(eta.astype(np.float64) * 2**16 * self.bar).astype(np.int64)[:, None] * q
        scaled += round(beta * 2**16) * m.astype(np.int64)
        scaled += self._rest(m.shape, self.steps[m.ctypes.data]) if self.walks else 2**15
        scaled >>= 16
        np.clip(scaled, -self.most, self.most, out=scaled)
        bits, mask = np.empty(m.shape, bool), np.empty_like(words)
        self.unpack(words, bits)
        flipped = np.where(bits, scaled, -scaled) >= self.bar
        m[...] = np.where(flipped, 0, scaled)
        self.pack(flipped, mask)
        words ^= mask
        return int(np.count_nonzero(flipped))

    @staticmethod
    def _rest(shape, step):
        """Multiples of two odd numbers modulo 2^16: over the steps, and over the weights, evenly spread."""
        weights = np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape)
        return (40503 * step + 27893 * weights) & 0xFFFF


def with_fast_sums(backend):
    """Let the fastest backend do all that is not the rule in question."""
    fast = backends.get("auto")
    for operation in FAST:
        setattr(backend, operation, getattr(fast, operation))
    return backend


def mnist(data, seed):
    file = np.load(data / "mnist.npz")
    rows = np.random.RandomState(seed).permutation(60000)[:10000]
    images = file["x_train"][rows].reshape(-1, 784), file["x_test"].reshape(-1, 784)
    return *images, file["y_train"][rows], file["y_test"]


def digits(data, seed):
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)


def krkopt(data, seed):
    file = np.load(data / "krkopt.npz")
    return train_test_split(file["X"], file["y"], train_size=6000, test_size=6000, random_state=seed)


MLP = (BooleanClassifier, {"hidden_layer_sizes": 256})
GATES = (LogicGateClassifier, {"layer_sizes": (2000, 2000), "max_iter": 20})
CONV = (BooleanConvClassifier, {"conv_layers": (32, "M"), "hidden_layer_sizes": 128, "image_shape": (8, 8)})
TRIALS = {
    "digits": (digits, *MLP, {"max_iter": 20}),
    "digits, eta 0.1": (digits, *MLP, {"max_iter": 20, "eta": 0.1}),
    "digits, eta 0.01, 100 epochs": (digits, *MLP, {"max_iter": 100, "eta": 0.01}),
    "MNIST": (mnist, *MLP, {"max_iter": 5}),
    "MNIST, eta 0.1": (mnist, *MLP, {"max_iter": 5, "eta": 0.1}),
    "krkopt": (krkopt, *MLP, {"max_iter": 20}),
    "krkopt, 2000 gates in front": (krkopt, *MLP, {"max_iter": 20, "gates": 2000}),
    "digits, gates": (digits, *GATES, {}),
    "digits, gates, eta 0.1": (digits, *GATES, {"eta": 0.1}),
    "digits, convolution": (digits, *CONV, {"max_iter": 10}),
    "digits, convolution, eta 0.1": (digits, *CONV, {"max_iter": 10, "eta": 0.1}),
}


def accuracy(trial, arm, data, seed):
    load, estimator, shape, settings = TRIALS[trial]
    X_train, X_test, y_train, y_test = load(data, seed)
    model = estimator(**shape, **settings, random_state=seed)
    if ARMS[arm] is None:
        return 100 * model.fit(X_train, y_train).score(X_test, y_test)
    backend = with_fast_sums(FixedPoint(*ARMS[arm]))
    protocol.register(backend)
    try:
        model.set_params(backend=backend.name).fit(X_train, y_train)
        if not backend.steps:
            raise AssertionError("training went past the rule of the trial")
        return 100 * model.score(X_test, y_test)
    finally:
        protocol.unregister(backend.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="*", default=list(TRIALS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print("| trial | " + " | ".join(ARMS) + " |\n|---|" + "---|" * len(ARMS), flush=True)
    for trial in TRIALS:
        if trial not in arguments.only:
            continue
        cells = []
        for arm in ARMS:
            found = [accuracy(trial, arm, arguments.data, seed) for seed in range(arguments.seeds)]
            error = statistics.stdev(found) / len(found) ** 0.5 if len(found) > 1 else 0
            cells.append(f"{statistics.mean(found):.2f} +- {error:.2f}")
        print(f"| {trial} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
