"""The theorems about the optimizer beside trainings (docs/explanation/convergence.md).

    python -m tests.bench.theory [--steps 2000] [--seeds 3] [--picture FILE.png]

1. The bound on convergence on four smooth losses, with random rounding, as the theorem has it, and with the sign, as
   the optimizer has it: the mean squared gradient, the bound with its constant of 1, its four terms, and what it
   would be with the printed constant of rounding.
2. Votes of a Boolean layer beside the gradient of the smooth layer that stands for it, along a training.
3. The flip budget of every row of the networks of the other benchmarks.
4. What beta does: the rule, and the same with beta held at 1, on digits.
"""

import argparse
import statistics
from math import inf, sqrt

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.networks import Network, boolean_mlp, conv_network, front_network, gate_network
from bvar.plotting import plot_bound
from bvar.theory import Logistic, Problem, Quadratic, SmoothLayer, flip_budget, follow


def problems() -> dict[str, tuple[Problem, tuple[float, ...]]]:
    """Make four losses of 64 weights or more, each with step sizes that flip."""
    random = np.random.RandomState(0)
    d = 64
    signs = np.where(random.rand(d) < 0.5, 1.0, -1.0)
    X = np.where(random.rand(400, d) < 0.5, 1.0, -1.0)
    y = np.where(X @ signs > 0, 1.0, -1.0)
    v = np.where(np.arange(16) % 2, 1.0, -1.0) / 4
    noise = 0.3 * random.randn(100, d)
    return {
        "quadratic, least at 0": (Quadratic(np.ones(d), noise), (0.3, 0.03)),
        "quadratic, least beyond signs": (Quadratic(np.ones(d), 1.5 * signs + noise), (0.3, 0.03)),
        "logistic": (Logistic(X, y, scale=1 / sqrt(d)), (3.0, 0.3)),
        "layer": (SmoothLayer(X, y, v), (100.0, 10.0)),
    }


def bounds(n_steps: int) -> None:
    """Print both sides of the theorem."""
    print(f"1. {n_steps} steps on batches of 20: the mean squared gradient, the bound, and the terms of that")
    head = ("left", "bound", "printed", "start", "noise", "memory", "rounding")
    print(
        f"{'':<30}{'eta':>6} {'rounding':<9}"
        + "".join(f"{name:>10}" for name in head)
        + f"{'flips':>8}{'idle':>7}"
    )
    for name, (problem, etas) in problems().items():
        for eta in etas:
            for at_random in (True, False):
                trace = follow(problem, eta=eta, n_steps=n_steps, batch_size=20, rounds_at_random=at_random)
                bound = trace.bound()
                total, printed = bound.total[-1], bound.total[-1] - trace.printed_floor()[-1]
                cells = [trace.left[-1], total, printed, *(term[-1] for term in bound)]
                idle = f"{100 * np.mean(trace.flips == 0):.0f} %"
                print(
                    f"{name:<30}{eta:>6g} {'random' if at_random else 'sign':<9}"
                    + "".join(f"{cell:>10.3g}" for cell in cells)
                    + f"{trace.flips.sum():>8}{idle:>7}"
                )


def digits() -> tuple[np.ndarray, ...]:
    """Split the digits; a pixel is one bit."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X >= 8, y, test_size=0.3, random_state=0, stratify=y)


def proxies(n_steps: int) -> None:
    """Print how votes on a Boolean layer lie to the gradient of its smooth stand-in."""
    train, _, y, _ = digits()
    X, target, signs = kernels.pack(train), y % 2, np.where(train, 1.0, -1.0)
    network = boolean_mlp([64, 128, 2], centered=False, clip=inf, eta=1.0, random_state=0)
    weight, head = network.parameters
    print(
        "\n2. odd or even digits, 64-128-2, exact batches, no clip: votes q beside the gradient of the smooth layer"
    )
    print(f"{'step':>6}{'cosine':>9}{'gradient^2':>12}{'(share of the first)':>22}{'accuracy':>10}")
    first = None
    for step in range(n_steps + 1):
        votes = network.votes(X, target)
        if step in (0, 1, 3, 10, 30, 100, 300):
            w, h = (kernels.unpack_ternary(p.bits).astype(float) for p in (weight, head))
            smooth = SmoothLayer(signs, 2.0 * target - 1, (h[1] - h[0]) / sqrt(128))
            gradient = smooth.gradient(w)
            first = first or np.sum(gradient**2)
            cosine = (
                np.sum(gradient * votes.tensors[0]) / np.linalg.norm(gradient) / np.linalg.norm(votes.tensors[0])
            )
            accuracy = votes.n_correct / len(y)
            share = np.sum(gradient**2) / first
            print(f"{step:>6}{cosine:>9.3f}{np.sum(gradient**2):>12.3g}{share:>22.2f}{100 * accuracy:>9.1f} %")
        network.apply(votes)


def networks() -> dict[str, Network]:
    """Make a network of each kind that the benchmarks train."""
    return {
        "linear 64-256-10": boolean_mlp([64, 256, 10], random_state=0),
        "two hidden layers": boolean_mlp([64, 128, 128, 10], random_state=0),
        "with offsets": boolean_mlp([64, 256, 10], offset_spread=0.5, random_state=0),
        "and gates, bias": boolean_mlp([64, 256, 10], gate="and", bias=True, random_state=0),
        "eta 0.1": boolean_mlp([64, 256, 10], eta=0.1, random_state=0),
        "no clip": boolean_mlp([64, 256, 10], clip=inf, random_state=0),
        "convolution": conv_network((8, 8, 1), (16, "M"), (64,), random_state=0),
        "truth tables": gate_network([64, 500, 500], 10, random_state=0),
        "tables before sums": front_network([64, 128, 10], gates=200, random_state=0),
    }


def batches(X: BitMatrix, y: np.ndarray, n_epochs: int) -> list[tuple[BitMatrix, np.ndarray]]:
    """Cut the samples into batches of 100, in a new order in each epoch."""
    random = np.random.RandomState(0)
    orders = [random.permutation(len(y)) for _ in range(n_epochs)]
    cuts = [order[start : start + 100] for order in orders for start in range(0, len(y), 100)]
    return [(X[rows], y[rows]) for rows in cuts]


def budgets(n_epochs: int) -> None:
    """Print, for each tensor, the largest share of its budget that a row has spent."""
    train, _, y, _ = digits()
    print(
        f"\n3. digits, {n_epochs} epochs: flips of a tensor, and the largest share of its budget that a row spent"
    )
    for name, network in networks().items():
        found = flip_budget(network, batches(kernels.pack(train), y, n_epochs))
        assert all(budget.spent <= 1 for budget in found), name
        print(f"  {name:<20} " + "  ".join(f"{b.name} {b.flips.sum()}, {100 * b.spent:.0f} %" for b in found))


def plasticity(n_seeds: int, n_epochs: int) -> None:
    """Print what becomes of a training if beta is held at 1."""
    train, test, y, y_test = digits()
    print(
        f"\n4. digits, 64-256-10, {n_epochs} epochs, {n_seeds} seeds: accuracy on test samples, flips a weight, and"
    )
    print("   how many of the flips are taken back by the next five steps; smallest beta of the first layer")
    for eta in (100.0, 10.0, 1.0, 0.1):
        for held in (False, True):
            runs = [_train(train, test, y, y_test, eta, held, seed, n_epochs) for seed in range(n_seeds)]
            columns = list(zip(*runs, strict=True))
            accuracy, error = statistics.mean(columns[0]), statistics.stdev(columns[0]) / sqrt(n_seeds)
            rest = [statistics.mean(column) for column in columns[1:]]
            print(
                f"  eta {eta:<5g} {'beta = 1' if held else 'the rule':<9} {accuracy:6.2f} ± {error:.2f} %   "
                f"{rest[0]:7.2f} flips   {rest[1]:5.1f} % back   least beta {rest[2]:.3f}"
            )


def _train(train, test, y, y_test, eta, held, seed, n_epochs):  # type: ignore[no-untyped-def]
    """Train one network; give accuracy, flips a weight, the share of them that soon go back, and the least beta."""
    given = batches(kernels.pack(train), y, n_epochs)
    network = boolean_mlp([64, 256, 10], eta=eta, n_steps=len(given), random_state=seed)
    bits, recent = network.parameters[0].bits, []
    before, n_flips, n_back, least = kernels.unpack(bits), 0, 0, 1.0
    for x, target in given:
        if held and network.optimizer.beta:
            network.optimizer.beta = [1.0] * len(network.optimizer.beta)
        network.step(x, target)
        least = min(least, network.optimizer.beta[0])
        flipped = kernels.unpack(bits) != before
        before = kernels.unpack(bits)
        n_flips += int(flipped.sum())
        if recent:
            n_back += int((flipped & np.any(recent, axis=0)).sum())
        recent = [*recent[-4:], flipped]
    accuracy = 100 * np.mean(network.scores(kernels.pack(test)).argmax(axis=1) == y_test)
    return accuracy, n_flips / before.size, 100 * n_back / max(n_flips, 1), least


def draw(path: str, n_steps: int) -> None:
    """Draw the bound beside what it bounds, for three losses."""
    from matplotlib.figure import Figure

    chosen = ("quadratic, least at 0", "logistic", "layer")
    figure = Figure(figsize=(13, 4), layout="constrained")
    for name, ax in zip(chosen, figure.subplots(1, 3), strict=True):
        problem, (eta, *_) = problems()[name]
        plot_bound(follow(problem, eta=eta, n_steps=n_steps, batch_size=20), ax=ax).set_title(
            f"{name}, eta {eta:g}"
        )
    figure.savefig(path)


def main() -> None:
    """Print all four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--picture", metavar="FILE.png")
    arguments = parser.parse_args()
    bounds(arguments.steps)
    proxies(min(300, arguments.steps))
    budgets(arguments.epochs)
    plasticity(arguments.seeds, arguments.epochs)
    if arguments.picture:
        draw(arguments.picture, arguments.steps)


if __name__ == "__main__":
    main()
