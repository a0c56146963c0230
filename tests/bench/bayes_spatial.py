"""Spatial Bayesian networks: priors beside the random fields they are tuned to, and posteriors beside kriging.

Fields are compared on a grid of 12 x 12 places of [-4, 4]^2: 250 steps with the energy distance (as many again for
hyper-parameters of each parameter), 100 draws a step, hidden layers of 40, 40 and 40 units (tanh), 7 x 7 radial
features of length 1.3.  The columns:

* energy: distance of 2000 fresh functions from 2000 fresh fields; the floor is that of two crowds of fields.
* covariance: relative error of the covariance of these functions, Frobenius; its floor is that of fields.

Then 50 places of the grid are observed with noise of variance .01 and the other 94 are predicted, for fields of
the smooth process: root mean square errors and CRPS of predictions of the field.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import norm
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from bvar.bayes import (
    EmbeddedPrior,
    FunctionalNetwork,
    GaussianPrior,
    GaussianProcess,
    LogNormalProcess,
    RBFEmbedding,
    SpatialRegressor,
    energy,
)
from bvar.bayes.spatial_regressor import calibrate

AXIS = np.linspace(-4, 4, 12)
GRID = np.array([(a, b) for a in AXIS for b in AXIS])
HIDDEN = (40, 40, 40)
EMBEDDING = RBFEmbedding([-4, -4], [4, 4], n_per_axis=7, length=1.3)
N_FRESH, N_OBSERVED, NOISE, N_FIELDS = 2000, 50, 0.01, 3
CHAINS = {"n_chains": 4, "n_burn_in": 2000, "n_draws": 60, "keep_every": 50}


def wandering(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the covariance of a field that is rough at (.5, 1) and smooth far from there."""
    a, b = (np.exp(np.linalg.norm(X - [0.5, 1.0], axis=1)) for X in (A, B))
    middle = (a[:, None] + b) / 2
    squares = ((A[:, None] - B) ** 2).sum(axis=-1)
    return np.sqrt(a[:, None] * b) / middle * np.exp(-squares / (2 * middle))


FIELDS = {
    "smooth": GaussianProcess(RBF(1.0)),
    "exponential": GaussianProcess(Matern(1.5, nu=0.5)),
    "non-stationary": GaussianProcess(wandering),
    "log-normal": LogNormalProcess(GaussianProcess(ConstantKernel(0.2) * Matern(1.5, nu=1.5))),
}
MODELS = ("BNN before", "BNN IL", "SBNN before", "SBNN IL", "SBNN VL", "SBNN IP")
SLOW = "SBNN VP"  # for the field that varies, with one seed
ONCE = ("field", "BNN before", "SBNN before", SLOW)
PREDICTORS = ("kriging, exact", "SBNN IL, calibrated", "BNN IL, calibrated", "BNN, uncalibrated")


@cache
def make_prior(model: str, field: str, seed: int) -> EmbeddedPrior:
    """Return the law of functions of places of a model, tuned to a field."""
    family, scheme = model.split()
    features = EMBEDDING if family == "SBNN" else np.array
    network = FunctionalNetwork([len(EMBEDDING.centers) if family == "SBNN" else 2, *HIDDEN, 1])
    if scheme == "before":
        return EmbeddedPrior(GaussianPrior(network, std=1.0), features)
    return calibrate(scheme, network, features, FIELDS[field], GRID, np.random.default_rng(seed))[0]


def skewness(values: np.ndarray) -> float:
    """Return the mean over places of the third standardised moment."""
    centred = values - values.mean(axis=0)
    return float(((centred**3).mean(axis=0) / values.std(axis=0) ** 3).mean())


def judge(values: np.ndarray, field: str) -> dict[str, float]:
    """Compare functions on the grid with fresh fields."""
    marginal = FIELDS[field].at(GRID)
    _, covariance = marginal.moments()
    value, _ = energy(values, marginal.draw(N_FRESH, np.random.default_rng(98)))
    error = np.linalg.norm(np.cov(values.T) - covariance) / np.linalg.norm(covariance)
    return {"energy": value, "covariance": float(error), "skewness": skewness(values)}


def measure_prior(model: str, field: str, seed: int) -> dict[str, float]:
    """Tune a model and judge fresh functions of it; 'field' is the process itself."""
    random = np.random.default_rng(99)
    if model == "field":
        return judge(FIELDS[field].at(GRID).draw(N_FRESH, random), field)
    prior = make_prior(model, field, seed)
    F, _ = prior.evaluate(prior.draw(N_FRESH, random), GRID)
    return judge(F[..., 0], field)


def observed(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a smooth field on the grid, the places that are observed, and what is observed there."""
    random = np.random.default_rng([seed, 7])
    field = FIELDS["smooth"].at(GRID).draw(1, random)[0]
    rows = random.permutation(len(GRID))[:N_OBSERVED]
    return field, rows, field[rows] + np.sqrt(NOISE) * random.standard_normal(N_OBSERVED)


def predict(model: str, seed: int, points: np.ndarray = GRID) -> tuple[np.ndarray, np.ndarray, float]:
    """Return means and deviations of the field at places, and the largest R-hat."""
    _, rows, y = observed(seed)
    if model.startswith("kriging"):
        mean, covariance = FIELDS["smooth"].posterior(GRID[rows], y, points, noise=NOISE)
        return mean, np.sqrt(covariance.diagonal()), 1.0
    name = model.split(",")[0] if model.endswith(", calibrated") else "BNN before"
    prior = make_prior(name, "smooth", 0)
    variance = y.var()
    fitted = SpatialRegressor(prior=prior, noise=NOISE / variance, random_state=seed, **CHAINS).fit(GRID[rows], y)
    mean, std = fitted.predict(points, return_std=True)
    return mean, np.sqrt(std**2 - NOISE), fitted.rhat_


def measure_prediction(model: str, seed: int) -> dict[str, float]:
    """Score a model where nothing was observed."""
    field, rows, _ = observed(seed)
    hidden = np.setdiff1d(np.arange(len(GRID)), rows)
    mean, std, rhat = predict(model, seed, GRID[hidden])
    z = (field[hidden] - mean) / std
    crps = std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - np.pi**-0.5)
    return {
        "rmse": float(np.sqrt(((field[hidden] - mean) ** 2).mean())),
        "crps": float(crps.mean()),
        "rhat": rhat,
    }


def report(results, n_seeds: int) -> None:
    """Print both tables: means over seeds, or over fields."""
    print("| field | model | energy | covariance error | skewness | CPU s |")
    print("|---|---|---|---|---|---|")
    for field in FIELDS:
        for model in ("field", *MODELS, *([SLOW] if field == "non-stationary" else [])):
            seeds = 1 if model in ONCE else n_seeds
            names = [(f"spatial, {field}, {model}, {s}", s) for s in range(seeds)]
            rows = [results.row(name, lambda m=model, f=field, s=s: measure_prior(m, f, s)) for name, s in names]
            energies = [row["energy"] for row in rows]
            spread = f" ± {np.std(energies, ddof=1):.3f}" if seeds > 1 else ""
            cells = [f"{np.mean([row[key] for row in rows]):.2f}" for key in ("covariance", "skewness")]
            seconds = np.mean([row["seconds"] for row in rows])
            print(
                f"| {field} | {model} | {np.mean(energies):.4f}{spread} | {' | '.join(cells)} | {seconds:.0f} |",
                flush=True,
            )
    print("\n| predictions from 50 places | RMSE | CRPS | R-hat | CPU s |")
    print("|---|---|---|---|---|")
    for model in PREDICTORS:
        names = [(f"spatial, {model}, {s}", s) for s in range(N_FIELDS)]
        rows = [results.row(name, lambda m=model, s=s: measure_prediction(m, s)) for name, s in names]
        means = {key: np.mean([row[key] for row in rows]) for key in ("rmse", "crps", "seconds")}
        cells = [f"{means['rmse']:.3f}", f"{means['crps']:.3f}", f"{max(row['rhat'] for row in rows):.3f}"]
        print(f"| {model} | {' | '.join(cells)} | {means['seconds']:.0f} |", flush=True)


# ------------------------------------------------------------------------------- pictures


def draw(priors=("BNN before", "BNN IL", "SBNN IL"), n=30):
    """Return a figure: two fields of each prior above, and below predictions beside kriging."""
    import matplotlib.pyplot as plt

    axis = np.linspace(-4, 4, n)
    points = np.array([(a, b) for b in axis for a in axis])
    figure, axes = plt.subplots(3, 4, figsize=(9.5, 7.2), sharex=True, sharey=True, layout="constrained")
    look = {"extent": (-4, 4, -4, 4), "origin": "lower", "cmap": "RdBu_r", "vmin": -2.5, "vmax": 2.5}
    for column, model in zip(axes.T, [*priors, "the field"], strict=True):
        random = np.random.default_rng(4)
        if model == "the field":
            fields = GaussianProcess(RBF(1.0), jitter=1e-6).at(points).draw(2, random)
        else:
            prior = make_prior(model, "smooth", 0)
            fields = prior.evaluate(prior.draw(2, random), points)[0][..., 0]
        for panel, values in zip(column, fields, strict=False):
            panel.imshow(values.reshape(n, n), **look)
        column[0].set_title(model)
    field, rows, _ = observed(0)
    axes[2, 0].imshow(field.reshape(12, 12).T, **look)
    axes[2, 0].plot(*GRID[rows].T, "k.", markersize=4)
    axes[2, 0].set_title("truth, observed at dots")
    for panel, model in zip(
        axes[2, 1:], ("BNN, uncalibrated", "SBNN IL, calibrated", "kriging, exact"), strict=True
    ):
        panel.imshow(predict(model, 0, points)[0].reshape(n, n), **look)
        panel.set_title(model)
    return figure
