"""The theorems about the optimizer beside trainings (docs/explanation/convergence.md).

    python -m tests.bench.theory [--steps 2000] [--seeds 10] [--picture FILE.png]

1. The bound on convergence on four smooth losses, with random rounding, as the theorem has it, and with the sign,
   as the optimizer has it: the mean squared gradient, the bound with its constant of 1, the same with the measured
   lag of the gradient, with half of the rounding term, and the four terms; last the share of idle steps.
2. Votes of a Boolean layer beside the gradient of the smooth layer that stands for it, along a training.
3. The flip budget of every row of the networks of the other benchmarks.
4. What beta does: the rule, and the same with beta held at 1, on digits.
"""

import argparse
import statistics
from itertools import pairwise, product
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.networks import Network, boolean_mlp, conv_network, front_network, gate_network
from bvar.networks.losses import SIGNAL_MAX
from bvar.plotting import plot_bound
from bvar.theory import ErrorFeedback, Logistic, Problem, Quadratic, SmoothLayer, Trace, flip_budget, follow, watch


def problems() -> dict[str, tuple[Problem, tuple[float, ...]]]:
    """Make four losses of 64 weights or more, each with step sizes that flip."""
    random = np.random.RandomState(1)  # not the seed of the first weights
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
    head = ("left", "bound", "sharp", "halved", "start", "noise", "memory", "rounding")
    columns = "".join(f"{name:>10}" for name in head)
    print(f"{'':<30}{'eta':>6} {'rounding':<9}{columns}{'flips':>8}{'idle':>7}")
    for name, (problem, etas) in problems().items():
        for eta, at_random in product(etas, (True, False)):
            trace = follow(problem, eta=eta, n_steps=n_steps, batch_size=20, rounds_at_random=at_random)
            numbers = "".join(f"{number:>10.3g}" for number in both_sides(trace))
            idle = f"{100 * np.mean(trace.flips == 0):.0f} %"
            rounding = "random" if at_random else "sign"
            print(f"{name:<30}{eta:>6g} {rounding:<9}{numbers}{trace.flips.sum():>8}{idle:>7}")


def both_sides(trace: Trace) -> list[float]:
    """Give the left side, the bound and its variants, and its terms, at the end of a training."""
    bound = trace.bound()
    halved = bound.total - trace.printed_floor()
    series = [trace.left, bound.total, trace.bound(sharp=True).total, halved, *bound]
    return [float(numbers[-1]) for numbers in series]


def digits() -> tuple[np.ndarray, ...]:
    """Split the digits; a pixel is one bit."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X >= 8, y, test_size=0.3, random_state=0, stratify=y)


def proxies(n_steps: int) -> None:
    """Print both sides of the theorem for a Boolean layer that learns from its votes."""
    print("\n2. odd or even digits, the first layer of 64-128-2 learns from votes on full batches, no clip:")
    print("   cosine of votes and gradient of the smooth layer, and the theorem, as if votes were gradients")
    print(f"{'eta':>5}{'step':>6}{'cosine':>8}{'accuracy':>10}{'left':>10}{'bound':>10}{'sharp':>10}{'flips':>8}")
    for eta in (10.0, 1.0):
        trace, seen = learn_from_votes(eta, n_steps)
        for step in (1, 3, 10, 30, 100, n_steps):
            sides = (trace.left, trace.bound().total, trace.bound(sharp=True).total)
            numbers = "".join(f"{series[step - 1]:>10.3g}" for series in sides)
            cosine, accuracy = seen[step - 1]
            flips = trace.flips[:step].sum()
            print(f"{eta:>5g}{step:>6}{cosine:>8.3f}{accuracy:>9.1f} %{numbers}{flips:>8}")


def learn_from_votes(eta: float, n_steps: int) -> tuple[Trace, list[tuple[float, float]]]:
    """Train the first layer of a network on its votes, by error feedback; give cosines and accuracies too."""
    train, _, y, _ = digits()
    X, target, seen = kernels.pack(train), y % 2, []
    network = boolean_mlp([64, 128, 2], centered=False, random_state=0)
    weight, head = network.parameters
    w, v = (kernels.unpack_ternary(p.bits).astype(float) for p in (weight, head))
    problem = SmoothLayer(np.where(train, 1.0, -1.0), 2.0 * target - 1, (v[1] - v[0]) / sqrt(128))
    scale = in_units(network.votes(X, target).tensors[0], problem.gradient(w))

    def estimate(w: np.ndarray) -> np.ndarray:
        weight.bits.words[...] = kernels.pack(w > 0).words
        weight.refresh()
        votes, gradient = network.votes(X, target), problem.gradient(w)
        q = scale * votes.tensors[0]
        cosine = np.sum(q * gradient) / np.linalg.norm(q) / np.linalg.norm(gradient)
        seen.append((cosine, 100 * votes.n_correct / len(y)))
        return q

    rule = ErrorFeedback(w, eta / (SIGNAL_MAX * len(y) * scale))  # eta in the units of the optimizer
    return watch(problem, rule, estimate, n_steps), seen


def in_units(votes: np.ndarray, gradient: np.ndarray) -> float:
    """Find the factor that makes votes most like a gradient."""
    return float(np.sum(votes * gradient) / np.sum(votes.astype(float) ** 2))


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
    samples = digits()
    print(f"\n4. digits, 64-256-10, {n_epochs} epochs, {n_seeds} seeds: accuracy on test samples, flips a weight,")
    print("   how many of them are taken back within five steps; least beta of the first layer")
    for clip, eta, held in product((1.0, inf), (100.0, 10.0, 1.0), (False, True)):
        runs = [train_once(samples, eta, clip, held, seed, n_epochs) for seed in range(n_seeds)]
        accuracy, flips, back, beta = (statistics.mean(column) for column in zip(*runs, strict=True))
        error = statistics.stdev(run.accuracy for run in runs) / sqrt(n_seeds)
        arm = f"  clip {clip:<4g} eta {eta:<4g} {'beta = 1' if held else 'the rule':<9}"
        watched = f"{flips:6.2f} flips   {back:5.1f} % back   least beta {beta:.3f}"
        print(f"{arm} {accuracy:6.2f} ± {error:.2f} %   {watched}")


class Run(NamedTuple):
    """A training: accuracy in per cent, flips a weight, per cent of them that went back, the least beta."""

    accuracy: float
    flips: float
    back: float
    beta: float


def train_once(
    samples: tuple[np.ndarray, ...], eta: float, clip: float, held: bool, seed: int, n_epochs: int
) -> Run:
    """Train one network, and watch its first layer."""
    train, test, y, y_test = samples
    given = batches(kernels.pack(train), y, n_epochs)
    network = boolean_mlp([64, 256, 10], eta=eta, clip=clip, n_steps=len(given), random_state=seed)
    bits, optimizer = network.parameters[0].bits, network.optimizer
    states, betas = [kernels.unpack(bits)], []
    for x, target in given:
        if held and optimizer.beta:
            optimizer.beta = [1.0] * len(optimizer.beta)
        network.step(x, target)
        states.append(kernels.unpack(bits))
        betas.append(optimizer.beta[0])
    flips = np.array([a != b for a, b in pairwise(states)])
    back = sum(int((now & flips[max(0, t - 5) : t].any(axis=0)).sum()) for t, now in enumerate(flips))
    accuracy = 100 * np.mean(network.scores(kernels.pack(test)).argmax(axis=1) == y_test)
    return Run(float(accuracy), flips.sum() / states[0].size, 100 * back / max(1, flips.sum()), min(betas))


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
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--picture", metavar="FILE.png")
    arguments = parser.parse_args()
    bounds(arguments.steps)
    proxies(max(100, min(300, arguments.steps)))
    budgets(arguments.epochs)
    plasticity(arguments.seeds, arguments.epochs)
    if arguments.picture:
        draw(arguments.picture, arguments.steps)


if __name__ == "__main__":
    main()
