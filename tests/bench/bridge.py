"""What random Boolean networks believe, and what is left of it after samples: the tables of the bridge.

Usage: python -m tests.bench.bridge [kernel depth digits committee trained] [--figure FILE]

kernel: 20,000 networks of boolean_mlp, made one by one, on every backend, beside the fractions of boolean_kernel.
depth: correlations of random networks, bits and with a dead zone, beside their iteration.
digits: BooleanGPClassifier on digits, 1000 to condition on and 797 to test, by depth, dead zone and offsets; then
trained networks, and others, on the same split.
committee: committees of Boolean networks, and of trained ones, beside the exact posterior of wide ones; five bits,
all 32 inputs, 8 of them observed.
trained: networks that are trained, as a committee, beside the exact posterior and a committee of flips, on digits.
--figure draws functions from priors, for docs/explanation/boolean-beliefs.md, and does nothing else.
docs/reference/boolean-beliefs.md says what the tables mean.
"""

import argparse
import time
import warnings
from itertools import product
from math import pi, sqrt

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from bvar import BooleanClassifier, BooleanRegressor, backends, kernels
from bvar.bayes import (
    BEST_DEAD_ZONE,
    BooleanCommittee,
    BooleanGPClassifier,
    BooleanGPRegressor,
    NetworkKernel,
    boolean_kernels,
    correlation,
    memory,
)
from bvar.bits import RandomWords
from bvar.encoding import ThermometerEncoder
from bvar.layers import BooleanLinear
from bvar.networks import boolean_mlp
from tests.bench.timing import describe, one_thread

ONE_BIT = ThermometerEncoder(1)
N_NETWORKS = 20_000


def table(*columns):
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


# ---------------------------------------------------------------------------------------------------- prior


def kernel():
    """Largest difference of a mean product of scores from the kernel, in standard errors, on each backend."""
    table("bits", "width", "backend", "largest difference", "standard errors", "same scores")
    for n, width in ((5, 9), (8, 25), (101, 9)):
        distances = np.unique(np.linspace(0, n, min(n + 1, 12)).astype(int))
        x = kernels.pack(np.arange(n) < distances[:, None])
        source = RandomWords(0)
        networks = [boolean_mlp([n, width, 1], random_state=source) for _ in range(N_NETWORKS)]
        expected = np.array([float(k) for k in boolean_kernels(n | 1)])[distances]
        first = None
        for name in backends.available():
            with backends.use(name):
                scores = np.stack([network.scores(x)[:, 0] for network in networks])
            first = scores if first is None else first
            products = scores * scores[:, :1] / width
            off, error = abs(products.mean(axis=0) - expected), products.std(axis=0) / sqrt(N_NETWORKS)
            ratio = (off / np.maximum(error, 1e-300))[error > 0].max()
            row(n, width, name, f"{off.max():.4f}", f"{ratio:.2f}", "yes" if (scores == first).all() else "NO")


def activations(x, zone, source, widths):
    """Give the activations behind each layer of random weights, (n_samples, width) in M, for some samples."""
    known = 1.0
    for width in widths:
        s, _ = BooleanLinear(x.n_bits, width, random_state=source).forward(x)
        t = zone * sqrt(x.n_bits * known)
        signs = (s > t) * 1 - (s < -t) * 1 if t else np.where(s >= 0, 1, -1)
        x, known = kernels.pack(signs.astype(np.int8)), float((signs != 0).mean())
        yield signs


def depth():
    """Mean correlations behind layers of random weights, for two inputs of 101 bits that differ in 25."""
    n, d, n_networks, n_layers = 101, 25, 200, 6
    x = kernels.pack(np.arange(n) < np.array([[0], [d]]))
    table("dead zone", "memory", "", *(f"layer {i}" for i in range(1, n_layers + 1)))
    for zone in (0.0, 0.3, BEST_DEAD_ZONE, 1.0):
        source = RandomWords(0)
        found = [
            [a @ b / sqrt(a @ a * (b @ b)) for a, b in activations(x, zone, source, [401] * n_layers)]
            for _ in range(n_networks)
        ]
        exact = boolean_kernels(n, int(zone * sqrt(n)))
        theory = [float(correlation(float(exact[d] / exact[0]), i, dead_zone=zone)) for i in range(n_layers)]
        row(f"{zone:.3f}", f"{memory(zone):.4f}", "theory", *(f"{value:.4f}" for value in theory))
        row("", "", f"{n_networks} networks", *(f"{value:.4f}" for value in np.mean(found, axis=0)))


def figure(path):
    """Functions of a number in 128 thermometer bits: random networks, and a process that no network tends to."""
    import matplotlib.pyplot as plt

    t = np.arange(129) / 128
    x = kernels.pack(np.arange(128) < np.arange(129)[:, None])
    source, random = RandomWords(5), np.random.RandomState(5)
    panels = {
        "one layer of bits": (0.0, 1),
        "eight layers of bits": (0.0, 8),
        "eight, dead zone 0.612": (0.612, 8),
    }
    smooth = np.linalg.cholesky(np.exp(-(((t[:, None] - t) / 0.25) ** 2) / 2) + 1e-9 * np.eye(129))
    drawing, axes = plt.subplots(1, 4, figsize=(10, 2.4), sharey=True, layout="constrained")
    for color in ("#0072B2", "#D55E00", "#009E73"):
        for ax, (zone, n_layers) in zip(axes, panels.values(), strict=False):
            *_, last = activations(x, zone, source, [1001] * n_layers)
            signs = kernels.unpack_ternary(source.bits(1, 1001))[0]
            ax.plot(t, last @ signs.astype(int) / np.sqrt((last != 0).sum(axis=1)), color=color, linewidth=0.9)
        axes[3].plot(t, smooth @ random.standard_normal(129), color=color, linewidth=0.9)
    for ax, title in zip(axes, [*panels, "for comparison: an RBF process"], strict=True):
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="x", ylim=(-3.3, 3.3))
    axes[0].set_ylabel("f(x)")
    drawing.savefig(path, metadata={"Date": None})


# ------------------------------------------------------------------------------------------------ posterior


def halves():
    pixels, y = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    pixels, y = pixels[order], y[order]
    return pixels[:1000], y[:1000], pixels[1000:], y[1000:]


def scored(model, train, y_train, test, y_test):
    """Accuracy in %, negative log-likelihood of the answers, seconds."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train, y_train)
        answers = model.predict(test)
        loss = float("nan")
        if hasattr(model, "predict_proba"):
            p = model.predict_proba(test)[np.arange(len(y_test)), np.searchsorted(model.classes_, y_test)]
            loss = float(-np.log(np.maximum(p, 1e-12)).mean())
    return 100 * float((answers == y_test).mean()), loss, time.process_time() - start


def digits():
    """The exact posterior by depth, dead zone and offsets; trained networks, and others, on the same split."""
    data = halves()
    table("hidden layers", "dead zone", "offsets", "accuracy, %", "NLL", "evidence, nats", "CPU s")
    for spread in (0.0, 0.5):
        for zone in (0.0, BEST_DEAD_ZONE):
            for layers in (0, 1, 2, 3, 4, 8):
                if layers == 0 and (zone or spread):
                    continue
                encoder = ThermometerEncoder(4, "uniform")
                model = BooleanGPClassifier(layers, dead_zone=zone, offset_spread=spread, encoder=encoder)
                accuracy, loss, seconds = scored(model, *data)
                evidence = model.log_marginal_likelihood_
                row(
                    layers,
                    f"{zone:.3f}",
                    spread,
                    f"{accuracy:.2f}",
                    f"{loss:.3f}",
                    f"{evidence:.0f}",
                    f"{seconds:.1f}",
                )
    print()
    table("others, the same split", "accuracy, %", "NLL", "CPU s")
    bits = ThermometerEncoder(4, "uniform")
    others = {
        "BooleanGPClassifier(), its own bits": BooleanGPClassifier(),
        "BooleanClassifier(), its own bits": BooleanClassifier(random_state=0),
        "BooleanClassifier(1024), the same bits": BooleanClassifier(1024, encoder=bits, random_state=0),
        "BooleanClassifier((512, 512)), the same bits": BooleanClassifier(
            (512, 512), encoder=bits, random_state=0
        ),
        "LogisticRegression, pixels": LogisticRegression(max_iter=2000),
        "MLPClassifier, pixels": MLPClassifier(max_iter=500, random_state=0),
        "SVC (RBF), pixels": SVC(),
    }
    for name, model in others.items():
        accuracy, loss, seconds = scored(model, *data)
        row(name, f"{accuracy:.2f}", "" if loss != loss else f"{loss:.3f}", f"{seconds:.1f}")


# ------------------------------------------------------------------------------------------------ committees


def energy(F, G):
    """Energy distance of two bags of functions, (n_functions, n_points), per root of a point; unbiased."""

    def mean(A, B, *, same):
        squares = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2 * A @ B.T
        total = np.sqrt(np.maximum(squares, 0)).sum()
        return total / (len(A) * (len(B) - same))

    value = 2 * mean(F, G, same=False) - mean(F, F, same=True) - mean(G, G, same=True)
    return value / sqrt(F.shape[1])


def problem():
    X = np.array(list(product((0, 1), repeat=5)))
    random = np.random.RandomState(0)
    f = random.multivariate_normal(np.zeros(32), NetworkKernel(exact=True)((2 * X - 1).astype(np.int8)))
    rows = random.permutation(32)[:8]
    return X, X[rows], f[rows] + 0.1**0.5 * random.standard_normal(8)


def committee():
    """Committees beside the exact limit: eight noisy values of a function on five bits."""
    X, X_seen, y_seen = problem()
    same = {"noise": 0.1, "offset_spread": 0.0, "encoder": ONE_BIT}
    exact = BooleanGPRegressor(exact=True, **same).fit(X_seen, y_seen)
    mean, std = exact.predict(X, return_std=True, with_noise=False)
    draws = exact.sample_y(X, 1000, random_state=1).T
    table(
        "committee",
        "steps",
        "kept, %",
        "R-hat",
        "rmse of the mean",
        "spread, ratio",
        "energy distance",
        "CPU s",
    )
    row(
        "exact posterior, again",
        "",
        "",
        "",
        0,
        1,
        f"{energy(exact.sample_y(X, 1000, random_state=2).T, draws):.4f}",
        "",
    )
    for width, n_steps in ((5, 6000), (25, 6000), (25, 12_000), (101, 30_000)):
        start = time.process_time()
        model = BooleanCommittee(width, n_walks=400, n_draws=10, n_steps=n_steps, random_state=0, **same)
        found, spread = model.fit(X_seen, y_seen).predict(X, return_std=True, with_noise=False)
        seconds = time.process_time() - start
        row(
            f"width {width}",
            n_steps,
            f"{100 * model.acceptance_:.0f}",
            f"{model.rhat_:.3f}",
            f"{np.sqrt(((found - mean) ** 2).mean()):.4f}",
            f"{spread.mean() / std.mean():.3f}",
            f"{energy(model.sample_y(X, 1000).T, draws):.4f}",
            f"{seconds:.1f}",
        )
    for width in (25, 101):
        start = time.process_time()
        answers = np.stack([trained(width, X_seen, y_seen, seed).predict(X) for seed in range(200)])
        seconds = time.process_time() - start
        row(
            f"200 trained networks, width {width}",
            "",
            "",
            "",
            f"{np.sqrt(((answers.mean(axis=0) - mean) ** 2).mean()):.4f}",
            f"{answers.std(axis=0).mean() / std.mean():.3f}",
            f"{energy(answers, draws):.4f}",
            f"{seconds:.1f}",
        )
    print(f"\ny has the spread {y_seen.std():.3f}, the posterior {std.mean():.3f} on average")


def trained(width, X, y, seed):
    return BooleanRegressor(width, gates=0, encoder=ONE_BIT, random_state=seed).fit(X, y)


def coverage(mean, std, y, noise):
    """Root of the mean squared error, expected log-likelihood, and the share within two deviations, in %."""
    total = np.sqrt(std**2 + noise)
    loss = 0.5 * ((y - mean) ** 2 / total**2 + np.log(2 * pi * total**2)).mean()
    within = 100 * (abs(y - mean) < 2 * total).mean()
    return f"{np.sqrt(((y - mean) ** 2).mean()):.3f}", f"{loss:.3f}", f"{within:.1f}"


def committees_of_trained():
    """Trained networks as if they were draws, on digits: is this an eight?"""
    train, y_train, test, y_test = halves()
    y_train, y_test = ((y == 8).astype(float) for y in (y_train, y_test))
    mean, std = y_train.mean(), y_train.std()
    y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
    bits, noise = ThermometerEncoder(4, "uniform"), 0.05
    table("model, 300 training samples", "RMSE", "NLL", "within 2 deviations, %", "CPU s")
    X, y = train[:300], y_train[:300]
    for name, model in {
        "exact posterior": BooleanGPRegressor(noise=noise, encoder=bits),
        "committee of width 50, 60,000 flips": BooleanCommittee(
            50, n_walks=20, n_steps=60_000, noise=noise, encoder=bits, random_state=0
        ),
    }.items():
        start = time.process_time()
        answer, spread = model.fit(X, y).predict(test, return_std=True, with_noise=False)
        rhat = f" (R-hat {model.rhat_:.2f})" if hasattr(model, "rhat_") else ""
        row(name + rhat, *coverage(answer, spread, y_test, noise), f"{time.process_time() - start:.1f}")
    start = time.process_time()
    networks = [BooleanRegressor(50, gates=0, offsets=True, encoder=bits, random_state=s) for s in range(20)]
    answers = np.stack([network.fit(X, y).predict(test) for network in networks])
    seconds = f"{time.process_time() - start:.1f}"
    row(
        "20 trained networks, width 50",
        *coverage(answers.mean(axis=0), answers.std(axis=0), y_test, noise),
        seconds,
    )
    row("one of them, no spread", *coverage(answers[0], 0 * y_test, y_test, noise), "")


PARTS = {
    "kernel": kernel,
    "depth": depth,
    "digits": digits,
    "committee": committee,
    "trained": committees_of_trained,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[*PARTS], metavar="PART")
    parser.add_argument("--figure", metavar="FILE")
    arguments = parser.parse_args()
    if not set(arguments.parts) <= set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}, got {arguments.parts}")
    one_thread()
    if arguments.figure:
        figure(arguments.figure)
        return
    print(describe())
    for name in arguments.parts:
        start = time.process_time()
        print(f"\n### {name}\n")
        PARTS[name]()
        print(f"\n{(time.process_time() - start) / 60:.1f} CPU minutes", flush=True)


if __name__ == "__main__":
    main()
