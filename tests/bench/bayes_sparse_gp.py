"""Images at unseen angles: autoencoders with latent sparse Gaussian processes beside simpler ways.

40 threes of scikit-learn's 8 x 8 digits, each enlarged threefold, turned to 16 angles and averaged down again: 640
images, of which 128 pairs of object and angle are held out.  All know of an image its angle and its object, a unit
vector along 8 principal axes; the kernel is exp(-2 sin^2(angle / 2) / .35^2) (1 + o . o') / 2.  Error is the mean
square of the pixels of held-out images.  The exact process of all pixels is the honest ceiling.

Then half of all training pixels are taken away, and what is missing is filled in as well.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
from scipy.ndimage import rotate, zoom
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from bvar.bayes import (
    FunctionalNetwork,
    GaussianLikelihood,
    GaussianProcess,
    SparseGPAutoencoder,
)
from bvar.bayes.autoencoder_prior import train_autoencoder

N_OBJECTS, N_ANGLES, N_TEST, N_LATENT = 40, 16, 128, 8
NOISE = 0.01  # of a pixel, for exact processes too
MODEL = {"n_components": N_LATENT, "n_inducing": 96, "hidden_layer_sizes": 64}
ARMS = {"direct": {"n_burn_in": 4000}, "amortised": {"amortize": True, "n_burn_in": 6000}}
BASELINES = (
    "mean image",
    "mean image of the angle",
    "AE, process of codes",
    "PCA, process of codes",
    "process of pixels, exact",
)


def kernel(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the covariance of images with angles and objects: with a constant part that all objects share."""
    angles = A[:, :1] - B[:, :1].T
    return np.exp(-2 * np.sin(angles / 2) ** 2 / 0.35**2) * (1 + A[:, 1:] @ B[:, 1:].T) / 2


@cache
def data(missing: bool = False) -> SimpleNamespace:
    """Return inputs and images, for training and held out; with NaN in half of the training pixels if asked."""
    digits = load_digits()
    images = digits.images[digits.target == 3][:N_OBJECTS] / 16
    objects = PCA(8, random_state=0).fit_transform(images.reshape(N_OBJECTS, -1))
    objects /= np.linalg.norm(objects, axis=1, keepdims=True)
    angles = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
    inputs = [[angle, *o] for o in objects for angle in angles]
    turned = [
        rotate(zoom(image, 3, order=1), np.degrees(a), reshape=False, order=1) for image in images for a in angles
    ]
    pixels = [t.reshape(8, 3, 8, 3).mean(axis=(1, 3)).clip(0, 1).ravel() for t in turned]
    random = np.random.default_rng(0)
    rows = random.permutation(len(inputs))
    A, Y = np.array(inputs)[rows], np.array(pixels)[rows]
    known = Y[N_TEST:].copy()
    if missing:
        known[random.random(known.shape) < 0.5] = np.nan
    return SimpleNamespace(A=A[N_TEST:], Y=known, full=Y[N_TEST:], test_A=A[:N_TEST], test_Y=Y[:N_TEST])


def processes(Y: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Predict columns by exact Gaussian processes, each from the rows where it is known."""
    A, process = data().A, GaussianProcess(kernel)
    mean, scale = np.nanmean(Y, axis=0), np.nanstd(Y - np.nanmean(Y, axis=0))
    Z, noise = (Y - mean) / scale, NOISE / np.nanvar(data().full - data().full.mean(axis=0))
    across, covariance = kernel(points, A), process.kernel(A, A)
    if not np.isnan(Z).any():
        return across @ np.linalg.solve(covariance + noise * np.eye(len(A)), Z) * scale + mean
    columns = []
    for z in Z.T:
        rows = np.flatnonzero(~np.isnan(z))
        inner = covariance[np.ix_(rows, rows)] + noise * np.eye(len(rows))
        columns.append(across[:, rows] @ np.linalg.solve(inner, z[rows]))
    return np.array(columns).T * scale + mean


def baseline(name: str) -> dict[str, float]:
    """Return errors of a simpler way at held-out pairs, and of its reconstruction of these images."""
    d = data()
    if name == "mean image":
        return {"mse": float(((d.test_Y - d.Y.mean(axis=0)) ** 2).mean())}
    if name.endswith("angle"):
        means = {a: d.Y[d.A[:, 0] == a].mean(axis=0) for a in set(d.A[:, 0])}
        return {"mse": float(((d.test_Y - [means[a] for a in d.test_A[:, 0]]) ** 2).mean())}
    if name.endswith("exact"):
        return {"mse": float(((d.test_Y - processes(d.Y, d.test_A)) ** 2).mean())}
    if name.startswith("PCA"):
        pca = PCA(N_LATENT, random_state=0).fit(d.Y)
        encode, decode = pca.transform, pca.inverse_transform
    else:
        networks = [FunctionalNetwork(sizes) for sizes in ([64, 64, N_LATENT], [N_LATENT, 64, 64])]
        mean, scale = d.Y.mean(axis=0), (d.Y - d.Y.mean(axis=0)).std()
        random = np.random.default_rng(0)
        parameters = train_autoencoder(
            *networks, GaussianLikelihood(0.1), (d.Y - mean) / scale, random, n_iter=4000
        )

        def encode(Y):
            return networks[0].forward(parameters[0][None], (Y - mean) / scale)[0][0]

        def decode(Z):
            return networks[1].forward(parameters[1][None], Z)[0][0] * scale + mean

    codes = processes(encode(d.Y), d.test_A)
    return {
        "mse": float(((d.test_Y - decode(codes)) ** 2).mean()),
        "reconstruction": float(((d.test_Y - decode(encode(d.test_Y))) ** 2).mean()),
    }


def fitted(arm: str, seed: int, *, missing: bool = False) -> SparseGPAutoencoder:
    """Return a fitted model."""
    d = data(missing)
    noise = NOISE / np.nanvar(d.Y - np.nanmean(d.Y, axis=0))
    return SparseGPAutoencoder(**MODEL, **ARMS[arm], kernel=kernel, noise=noise, random_state=seed).fit(d.A, d.Y)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Fit, generate at held-out pairs, and score."""
    d, model = data(), fitted(arm, seed)
    mean, std = model.predict(d.test_A, return_std=True)
    one = model.sample_y(d.test_A, 1)[..., 0]
    nll = (np.log(2 * np.pi * std**2) + ((d.test_Y - mean) / std) ** 2) / 2
    return {
        "mse": float(((d.test_Y - mean) ** 2).mean()),
        "one draw": float(((d.test_Y - one) ** 2).mean()),
        "nll": float(nll.mean()),
        "training": float(((d.Y - model.reconstruct()) ** 2).mean()),
        "rhat": float(np.median(model.report_.rhat)),
        "worst rhat": model.report_.rhat.max(),
        "relaxation": model.report_.relaxation_steps,
    }


def measure_missing(arm: str) -> dict[str, float]:
    """Fit to half of the pixels; score held-out pairs and the pixels that are missing."""
    d = data(missing=True)
    lost = np.isnan(d.Y)
    if arm == "mean of the pixel":
        means = np.nanmean(d.Y, axis=0)
        test, filled = np.broadcast_to(means, d.test_Y.shape), np.broadcast_to(means, d.Y.shape)
    elif arm.endswith("exact"):
        test, filled = (processes(d.Y, points) for points in (d.test_A, d.A))
    else:
        model = fitted(arm, 0, missing=True)
        test, filled = model.predict(d.test_A), model.reconstruct()
    return {"mse": float(((d.test_Y - test) ** 2).mean()), "missing": float(((d.full - filled)[lost] ** 2).mean())}


def report(results, n_seeds: int) -> None:
    """Print both tables."""
    print(
        "| way | error at unseen pairs | of one draw | rebuilt | NLL of a pixel | R-hat: median, worst | CPU s |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in BASELINES:
        row = results.row(f"sparse-gp, {name}", lambda n=name: baseline(n))
        rebuilt = f"{row['reconstruction']:.4f}" if "reconstruction" in row else ""
        print(f"| {name} | {row['mse']:.4f} | | {rebuilt} | | | {row['seconds']:.0f} |", flush=True)
    for arm in ARMS:
        rows = [results.row(f"sparse-gp, {arm}, {s}", lambda a=arm, s=s: measure(a, s)) for s in range(n_seeds)]
        mean = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
        spread = f" ± {np.std([row['mse'] for row in rows], ddof=1):.4f}" if n_seeds > 1 else ""
        print(
            f"| latent processes, {arm} | {mean['mse']:.4f}{spread} | {mean['one draw']:.4f} "
            f"| {mean['training']:.4f} "
            f"| {mean['nll']:.2f} | {mean['rhat']:.2f}, {mean['worst rhat']:.1f} | {mean['seconds']:.0f} |",
            flush=True,
        )
    print("\n| way, half of the pixels missing | error at unseen pairs | at missing pixels | CPU s |")
    print("|---|---|---|---|")
    for arm in ("mean of the pixel", *ARMS, "process of pixels, exact"):
        row = results.row(f"sparse-gp, missing, {arm}", lambda a=arm: measure_missing(a))
        print(f"| {arm} | {row['mse']:.4f} | {row['missing']:.4f} | {row['seconds']:.0f} |", flush=True)


# ------------------------------------------------------------------------------- pictures


def draw():
    """Return a figure: held-out images, what is generated in their place, and how sure the model is."""
    import matplotlib.pyplot as plt

    d, model = data(), fitted("direct", 0)
    rows = np.arange(10)
    mean, std = model.predict(d.test_A[rows], return_std=True)
    lines = {
        "held out": d.test_Y[rows],
        "mean": mean,
        "one draw": model.sample_y(d.test_A[rows], 1)[..., 0],
        "deviation": 8 * np.sqrt(std**2 - NOISE),
        "exact process": processes(d.Y, d.test_A[rows]),
    }
    figure, axes = plt.subplots(len(lines), len(rows), figsize=(8, 4.3), layout="constrained")
    for line, (name, images) in zip(axes, lines.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for panel, image in zip(line, images, strict=True):
            panel.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
    return figure
