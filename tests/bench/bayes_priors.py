"""Functional priors on the one-dimensional data of the first paper, judged against exact posteriors.

64 points with a gap, drawn from a Gaussian process and made standard; networks 1-50-50-50-1 (tanh); priors are
tuned to GP(RBF, 0.6) at 50 points of [-4, 4].  The columns:

* energy: distance of 2000 fresh functions of the prior from 2000 of the target, at those points; the floor is
  what 2000 functions of the target give. covariance: the relative error of the prior covariance there, Frobenius.
* rmse, sd: distance of posterior means from the exact ones of GP(0.6), and the ratio of standard deviations,
  inside the range of the data (the gap included) and outside;
* NLL: minus the log density of a new observation, in nats, in exact expectation under the posterior of the process
  that made the data, whose noise is known;
* R-hat: the largest over 100 test points, and the effective size of the draws, the median.

Data as in the notebooks of https://github.com/tranbahien/you-need-a-good-prior: the same calls of NumPy's legacy
generator with seed 1, so the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from bvar.bayes import (
    BayesianRegressor,
    FunctionalNetwork,
    FunctionalPrior,
    GaussianPrior,
    GaussianProcess,
    LipschitzPotential,
    effective_sample_size,
    energy,
    split_rhat,
)

SIZES = (50, 50, 50)
NOISE = 0.1
TARGET = GaussianProcess(RBF(0.6))
POINTS = np.linspace(-4, 4, 50)[:, None]
N_FRESH = 2000
CHAINS = {"n_chains": 4, "n_burn_in": 3000, "n_draws": 100, "keep_every": 50}
TUNED = {"hidden_layer_sizes": SIZES, "n_points": None, "max_iter": 250, "learning_rate": 0.2}
ARMS = {
    "fixed N(0, 1)": None,
    "normal, moments": {"distance": "moments"},
    "normal, sliced": {"distance": "sliced"},
    "normal, energy": {"distance": "energy"},
    "normal, Wasserstein": {"distance": "wasserstein"},
    "hierarchical, energy": {"family": "hierarchical"},
    "flow, energy": {"family": "flow"},
}
COLUMNS = ("energy", "covariance", "rmse_in", "rmse_out", "sd_in", "sd_out", "nll_in", "nll_out", "rhat", "ess")


@dataclass(frozen=True)
class Data:
    """The data, where models are judged, and the law of a new observation there."""

    X: np.ndarray
    y: np.ndarray
    test: np.ndarray
    inside: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def nll(self, mean: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
        """Return the expected minus log density of a normal prediction, inside and outside."""
        error = (mean - self.mean) ** 2 + self.variance
        values = (np.log(2 * np.pi * variance) + error / variance) / 2
        return float(values[self.inside].mean()), float(values[~self.inside].mean())


@cache
def data() -> Data:
    """Draw the data."""
    random = np.random.RandomState(1)
    X = random.rand(64) * 20 - 10
    low, high = X.min(), X.max()
    begin = low + random.rand() * (high - low) * 0.6
    end = begin + (high - low) * 0.4
    gap = (begin < X) & (end > X)
    if begin - low > high - end:
        X[gap] = low + random.rand(gap.sum()) * (begin - low)
    else:
        X[gap] = end + random.rand(gap.sum()) * (high - end)
    kernel = ConstantKernel(1.6**2) * RBF(1.8)
    y = random.multivariate_normal(np.zeros(64), kernel(X[:, None]) + 0.1 * np.eye(64))
    test = np.linspace(-15, 15, 100)
    m, s = y.mean(), y.std()
    maker = GaussianProcess(kernel, jitter=0.0)
    mean, covariance = maker.posterior(X[:, None], y, test[:, None], noise=0.1)
    X_, test_ = ((Z - X.mean()) / X.std() for Z in (X, test))
    inside = abs(test) <= 10
    return Data(
        X_[:, None],
        (y - m) / s,
        test_[:, None],
        inside,
        (mean - m) / s,
        (covariance.diagonal() + 0.1) / s**2,
    )


@cache
def exact() -> tuple[np.ndarray, np.ndarray]:
    """Return the exact posterior of the process that priors are tuned to: means and deviations of functions."""
    mean, covariance = TARGET.posterior(data().X, data().y, data().test, noise=NOISE)
    return mean, np.sqrt(covariance.diagonal())


def make_prior(arm: str, seed: int) -> FrozenEstimator | GaussianPrior:
    """Return a tuned prior, or the one that is not tuned."""
    parameters = ARMS[arm]
    if parameters is None:
        return GaussianPrior(FunctionalNetwork([1, *SIZES, 1]), std=1.0)
    if parameters.get("distance") == "wasserstein":
        parameters = {"distance": LipschitzPotential(100, n_first=200, n_inner=15)}
    return FrozenEstimator(FunctionalPrior(TARGET, **{**TUNED, **parameters}, random_state=seed).fit(POINTS))


def judge_prior(law: GaussianPrior) -> dict[str, float]:
    """Compare fresh functions with the target."""
    random = np.random.default_rng(99)
    F, _ = law.evaluate(law.draw(N_FRESH, random), POINTS)
    _, covariance = TARGET.at(POINTS).moments()
    error = np.linalg.norm(np.cov(F[..., 0].T) - covariance) / np.linalg.norm(covariance)
    value, _ = energy(F[..., 0], TARGET.at(POINTS).draw(N_FRESH, random))
    return {"energy": value, "covariance": float(error)}


def sampled_functions(model: BayesianRegressor, X: np.ndarray) -> np.ndarray:
    """Return all functions drawn at standard inputs, chains apart: (n_draws, n_chains, n)."""
    n_draws, n_chains, n_base = model.states_.shape
    F, _ = model.prior_.evaluate(model.states_.reshape(-1, n_base), X)
    return F.reshape(n_draws, n_chains, len(X))


def judge_posterior(prior: FrozenEstimator | GaussianPrior, seed: int) -> dict[str, float]:
    """Sample the posterior and compare it with the exact one."""
    known = data()
    model = BayesianRegressor(prior=prior, noise=NOISE, random_state=seed, **CHAINS).fit(known.X, known.y)
    chains = sampled_functions(model, known.test)
    F = chains.reshape(-1, len(known.test))
    mean, std = exact()
    error, ratio = F.mean(axis=0) - mean, F.std(axis=0) / std
    nll_in, nll_out = known.nll(F.mean(axis=0), F.var(axis=0) + NOISE)
    return {
        "rmse_in": float(np.sqrt((error[known.inside] ** 2).mean())),
        "rmse_out": float(np.sqrt((error[~known.inside] ** 2).mean())),
        "sd_in": float(ratio[known.inside].mean()),
        "sd_out": float(ratio[~known.inside].mean()),
        "nll_in": nll_in,
        "nll_out": nll_out,
        "rhat": float(split_rhat(chains).max()),
        "ess": float(np.median(effective_sample_size(chains))),
        "relaxation": model.report_.relaxation_steps,
    }


def measure(arm: str, seed: int) -> dict[str, float]:
    """Tune, judge, sample, judge."""
    prior = make_prior(arm, seed)
    law = prior if isinstance(prior, GaussianPrior) else prior.prior_
    stds = {f"std {i}": float(s) for i, s in enumerate(law.std)} if isinstance(law, GaussianPrior) else {}
    return {**judge_prior(law), **judge_posterior(prior, seed), **stds}


def report(results, n_seeds: int) -> None:
    """Print the table: means over seeds, and the standard deviation between seeds of what is claimed."""
    print(
        "| prior | energy | cov. error | rmse in / out | sd ratio in / out | NLL in / out | R-hat | ESS | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for arm in ARMS:
        rows = [results.row(f"priors, {arm}, {s}", lambda a=arm, s=s: measure(a, s)) for s in range(n_seeds)]
        mean = {key: np.mean([row[key] for row in rows]) for key in (*COLUMNS, "seconds")}
        spread = {key: np.std([row[key] for row in rows], ddof=1) if n_seeds > 1 else 0.0 for key in COLUMNS}
        cells = [
            f"{mean['energy']:.3f} ± {spread['energy']:.3f}",
            f"{mean['covariance']:.2f}",
            f"{mean['rmse_in']:.2f} / {mean['rmse_out']:.2f}",
            f"{mean['sd_in']:.2f} / {mean['sd_out']:.2f}",
            f"{mean['nll_in']:.2f} ± {spread['nll_in']:.2f} / {mean['nll_out']:.2f} ± {spread['nll_out']:.2f}",
            f"{max(row['rhat'] for row in rows):.3f}",
            f"{mean['ess']:.0f}",
            f"{mean['seconds']:.0f}",
        ]
        print(f"| {arm} | {' | '.join(cells)} |", flush=True)
    mean, std = exact()
    (a, b), (c, d) = data().nll(mean, std**2 + NOISE), data().nll(data().mean, data().variance)
    print(f"| GP(0.6), exact | 0 | 0 | 0 | 1 | {a:.2f} / {b:.2f} | | | |")
    print(f"| the maker of the data, exact | | | | | {c:.2f} / {d:.2f} | | | |")
    random = np.random.default_rng(99)
    floor, _ = energy(*(TARGET.at(POINTS).draw(N_FRESH, random) for _ in range(2)))
    stds = [results.rows["priors, normal, energy, 0"][f"std {i}"] for i in range(8)]
    print(f"\nFloor of the energy distance: {floor:.4f}")
    print("Deviations after tuning by energy, seed 0, W and b of each layer:", " ".join(f"{s:.2f}" for s in stds))


# ------------------------------------------------------------------------------- pictures


def draw(arms=("fixed N(0, 1)", "normal, energy")):
    """Return a figure: functions of priors above, posterior bands below, beside the exact ones."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        2, len(arms) + 1, figsize=(9.5, 5.5), sharex=True, sharey="row", layout="constrained"
    )
    known = data()
    grid, x = np.linspace(-4, 4, 200)[:, None], known.test[:, 0]
    for (above, below), arm in zip(axes.T, [*arms, "GP(0.6), exact"], strict=True):
        if arm in ARMS:
            prior = make_prior(arm, 0)
            law = prior if isinstance(prior, GaussianPrior) else prior.prior_
            functions = law.evaluate(law.draw(12, np.random.default_rng(3)), grid)[0][..., 0]
            model = BayesianRegressor(prior=prior, noise=NOISE, random_state=0, **CHAINS).fit(known.X, known.y)
            F = sampled_functions(model, known.test)
            mean, std = F.mean(axis=(0, 1)), F.std(axis=(0, 1))
        else:
            functions = TARGET.at(grid).draw(12, np.random.default_rng(3))
            mean, std = exact()
        above.plot(grid, functions.T, linewidth=0.9)
        above.set(title=arm, xlim=(-4, 4))
        below.fill_between(x, mean - 2 * std, mean + 2 * std, alpha=0.3, label="two deviations")
        below.plot(x, mean, label="mean")
        below.plot(x, known.mean, color="black", linewidth=0.8, linestyle="--", label="maker of the data")
        below.plot(known.X, known.y, ".", color="black", markersize=4)
        below.set(xlabel="$x$", ylim=(-4, 4))
    axes[0, 0].set_ylabel("before the data")
    axes[1, 0].set_ylabel("after them")
    axes[1, -1].legend(fontsize="small", loc="lower right")
    return figure
