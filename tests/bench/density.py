"""Mollified training of densities against plain training, as Markdown tables of paired differences.

Usage: python -m tests.bench.density --data DIR [--sets mixture ring ...] [--models RealNVP MAF VAE] [--seeds 4]
       [--epochs 150] [--pictures FILE.png]

DIR holds abalone.npz and california_housing.npz (X); `sex` of abalone, a category, is left out.  mixture is two
normal clouds in the plane, ring a circle with normal radial noise of sd 0.05, anew for each seed.  A seed draws
1000 training samples and at most 2000 others for the test, and sets the model.  Models have their default
parameters but for the epochs.

The arms, each with the same number of epochs, once with the last model kept, and once with the best on a fifth of
the training samples held out, which is what early stopping keeps.  Its patience has no end here: an impatient stop
would come only to plain training, as none comes while there is noise.

* plain: no noise;
* mollified: the sigmoid schedule, over 60 % or all of the epochs;
* constant: 1 % of the variance is noise in each epoch, so that its sd is 0.1.  It is a control: whatever it does
  too is no merit of annealing.

Scores on the test samples: mean log-likelihood in nats (for VAE a lower bound) and the energy distance of as many
samples of the model, in units of the standard deviations of the training data.  Differences are those to plain
training with the same seed and the same model kept; "se" is the standard error of their mean over seeds.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist

from bvar.mollify import MAFDensity, RealNVPDensity, Schedule, VAEDensity
from tests.bench.timing import describe, one_thread

MODELS = {"RealNVP": RealNVPDensity, "MAF": MAFDensity, "VAE": VAEDensity}
TABLES = ["abalone", "california_housing"]
SETS = ["mixture", "ring", *TABLES]
N_TRAIN, N_TEST = 1000, 2000


class Constant(Schedule):
    """One hundredth of the variance until the end, where it must be gone by contract: after the last epoch."""

    def _fraction(self, u):
        return np.where(u < 1, 0.01, 0.0)


ARMS = {
    "plain": {},
    "mollified 60 %": {"mollify": "sigmoid", "mollified_fraction": 0.6},
    "mollified 100 %": {"mollify": "sigmoid", "mollified_fraction": 1.0},
    "constant": {"mollify": Constant(), "mollified_fraction": 1.0},
}
KEPT = {
    "last": {},
    "best": {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 10**6},
}


# ------------------------------------------------------------------------------- data


def load(name, folder, seed):
    """Return training and test samples."""
    random = np.random.RandomState(seed)
    if name not in TABLES:
        X = globals()[f"_{name}"](N_TRAIN + N_TEST, random)
    else:
        X = np.load(Path(folder) / f"{name}.npz")["X"].astype(float)
        X = X[random.permutation(len(X)), 1 if name == "abalone" else 0 :]
    return X[:N_TRAIN], X[N_TRAIN : N_TRAIN + N_TEST]


def _mixture(n, random):
    return 0.5 * random.standard_normal((n, 2)) + np.c_[np.zeros(n), np.where(random.rand(n) < 0.5, 2.0, -2.0)]


def _ring(n, random):
    angle, radius = 2 * np.pi * random.rand(n), 1 + 0.05 * random.standard_normal(n)
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)]


# ------------------------------------------------------------------------------- scores


def energy_distance(X, Y):
    """2 E|X - Y| - E|X - X'| - E|Y - Y'|, without bias: 0 if the distributions are one."""
    n, m = len(X), len(Y)
    within = cdist(X, X).sum() / (n * (n - 1)) + cdist(Y, Y).sum() / (m * (m - 1))
    return 2 * cdist(X, Y).mean() - within


def measure(model, train, test, seed):
    """Return log-likelihood, energy distance, and the epoch of the model kept."""
    model.fit(train)
    samples = model.sample(len(test), random_state=seed)
    distance = energy_distance(*(model.scaler_.transform(x) for x in (samples, test)))
    return model.score(test), distance, getattr(model, "best_iter_", model.n_iter_)


def compare(name, kind, args):
    """Return results[arm, stop], arrays of shape (seeds, 3)."""
    results = {}
    for seed in range(args.seeds):
        train, test = load(name, args.data, seed)
        for arm, noise in ARMS.items():
            for stop, how in KEPT.items():
                model = MODELS[kind](max_iter=args.epochs, random_state=seed, **noise, **how)
                results.setdefault((arm, stop), []).append(measure(model, train, test, seed))
    return {key: np.array(rows) for key, rows in results.items()}


def table(results):
    """Print one line for each arm and model kept."""
    print("| kept | training | log-lik. | difference ± se | energy distance | difference ± se | epoch |")
    print("|---|---|---|---|---|---|---|")
    for (arm, stop), rows in sorted(results.items(), key=lambda item: item[0][1], reverse=True):
        differences = rows[:, :2] - results["plain", stop][:, :2]
        se = differences.std(axis=0, ddof=1) / np.sqrt(len(rows))
        mean, paired = rows.mean(axis=0), differences.mean(axis=0)
        first, second = (
            ("", "") if arm == "plain" else (f"{d:+.3f} ± {s:.3f}" for d, s in zip(paired, se, strict=True))
        )
        print(f"| {stop} | {arm} | {mean[0]:.3f} | {first} | {mean[1]:.4f} | {second} | {mean[2]:.0f} |")


# ------------------------------------------------------------------------------- pictures


def draw(epochs=150):
    """Return a figure of the densities in the plane side by side: plain and mollified, seed 0, last model."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(7.5, 7), layout="constrained")
    for row, name in zip(axes, ("mixture", "ring"), strict=True):
        train, test = load(name, None, 0)
        half = 1.3 * abs(train).max()
        grid = np.stack(np.meshgrid(*2 * [np.linspace(-half, half, 200)]), axis=-1).reshape(-1, 2)
        for ax, arm in zip(row, ("plain", "mollified 60 %"), strict=True):
            model = RealNVPDensity(max_iter=epochs, random_state=0, **ARMS[arm]).fit(train)
            log_p = model.score_samples(grid).reshape(200, 200)
            look = {"cmap": "cividis", "vmin": -8, "vmax": 1, "origin": "lower", "extent": 2 * [-half, half]}
            picture = ax.imshow(log_p, **look)
            ax.scatter(*train[:200].T, s=7, color="white", edgecolor="black", linewidth=0.5)
            ax.set(title=f"{name}, {arm}: {model.score(test):.2f}", xlabel="$x_1$", ylabel="$x_2$")
    figure.colorbar(picture, ax=axes, label="log density, nats", shrink=0.7)
    return figure


def main():
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--pictures", help="PNG file to write")
    args = parser.parse_args()
    one_thread()
    print(describe())
    for name in args.sets:
        for kind in args.models:
            start = time.process_time()
            results = compare(name, kind, args)
            print(f"\n### {name}, {kind} ({time.process_time() - start:.0f} s)\n")
            table(results)
    if args.pictures:
        draw(args.epochs).savefig(args.pictures, dpi=100)


if __name__ == "__main__":
    main()
