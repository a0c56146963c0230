"""Bayesian autoencoders with few images, beside plain ones and beside other priors.

scikit-learn's 8 x 8 digits 1 to 9: n for training, 100 more, or 100 zeros, which the prior may see, and 819 for
testing; 10 components, one hidden layer of 64 units (leaky ReLU) on each side.  The columns:

* NLL: cross-entropy of test images given their mean reconstructions, in nats an image. RMSE: of a pixel.
* FD: Frechet distance of 819 samples to the test images in 20 principal components of all digits, by mixtures of
  20 components in the space of codes; the floor is that of other images.
* R-hat: the median over training images, of the worst pixel of each.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
from scipy.linalg import sqrtm
from scipy.special import expit
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from bvar.bayes import AutoencoderPrior, BayesianAutoencoder, BernoulliLikelihood, FunctionalNetwork, GaussianPrior
from bvar.bayes.autoencoder_prior import train_autoencoder
from bvar.bayes.code_mixture import code_mixture, draw_codes

N_COMPONENTS, HIDDEN, N_TEST, N_SHOWN = 10, 64, 819, 100
SIZES = (50, 200)
CHAINS = {"n_chains": 4, "n_burn_in": 2000, "n_draws": 6, "keep_every": 100}
TUNED = {"prior": "tuned", "max_iter": 200}
ARMS = {
    "AE of the n images": {"shown": None, "n_iter": 1500},
    "AE of the n images, stopped early": {"shown": None, "n_iter": 500},
    "AE of 100 others and the n": {"shown": "others", "n_iter": 1500},
    "N(0, 1)": {"prior": "wide"},
    "N(0, 1), steps of .003": {"prior": "wide", "step_size": 0.003},
    "N(0, 1 / fan-in)": {"prior": "normal"},
    "pretrained on others, untuned": {"prior": "pretrained", "shown": "others"},
    "tuned on others": {**TUNED, "shown": "others"},
    "tuned on others, sliced": {**TUNED, "shown": "others", "distance": "sliced"},
    "tuned on others, 5 times the rate": {**TUNED, "shown": "others", "learning_rate": 0.005},
    "pretrained on zeros, untuned": {"prior": "pretrained", "shown": "zeros"},
    "tuned on zeros": {**TUNED, "shown": "zeros"},
}


@cache
def data() -> SimpleNamespace:
    """Return test images, those for training, and those that priors may see."""
    digits = load_digits()
    images = digits.data / 16
    others = images[digits.target > 0]
    rows = np.random.default_rng(0).permutation(len(others))
    test, pool, shown, spare = np.split(others[rows], np.cumsum([N_TEST, max(SIZES), N_SHOWN]))
    return SimpleNamespace(
        test=test,
        pool=pool,
        shown={"others": shown, "zeros": images[digits.target == 0][:N_SHOWN]},
        spare=spare,
        axes=PCA(20, random_state=0).fit(images),
    )


def frechet(samples: np.ndarray) -> float:
    """Return the Frechet distance of samples to the test images."""
    A, B = (data().axes.transform(images) for images in (samples, data().test))
    K, L = np.cov(A.T), np.cov(B.T)
    return float(((A.mean(axis=0) - B.mean(axis=0)) ** 2).sum() + np.trace(K + L - 2 * np.real(sqrtm(K @ L))))


def scores(reconstructions: np.ndarray, samples: np.ndarray) -> dict[str, float]:
    """Return what all models are compared by."""
    X, p = data().test, np.clip(reconstructions, 1e-6, 1 - 1e-6)
    return {
        "nll": float(-(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=1).mean()),
        "rmse": float(np.sqrt(((X - p) ** 2).mean())),
        "fd": frechet(samples),
    }


def networks() -> list[FunctionalNetwork]:
    """Return encoder and decoder."""
    sizes = [data().test.shape[1], HIDDEN, N_COMPONENTS]
    return [FunctionalNetwork(s, "leaky_relu", scaled=False) for s in (sizes, sizes[::-1])]


def plain(n: int, shown: str | None, n_iter: int, seed: int) -> dict[str, float]:
    """Train a plain autoencoder and score it."""
    random = np.random.default_rng(seed)
    X = data().pool[:n] if shown is None else np.vstack([data().shown[shown], data().pool[:n]])
    encoder, decoder = networks()
    first, second = train_autoencoder(encoder, decoder, BernoulliLikelihood(), X, random, n_iter=n_iter)

    def encode(images):
        return encoder.forward(first[None], images)[0][0]

    def decode(codes):
        return expit(decoder.forward(second[None], codes)[0][0])

    mixture = code_mixture(encode(X), min(20, len(X) // 2), seed)
    return scores(decode(encode(data().test)), decode(draw_codes(mixture, N_TEST, random)))


def fitted(n: int, seed: int, *, prior: str, shown: str | None = None, **parameters) -> BayesianAutoencoder:
    """Return a fitted Bayesian autoencoder."""
    law = AutoencoderPrior(*(GaussianPrior(net, std=1.0) for net in networks())) if prior == "wide" else prior
    return BayesianAutoencoder(
        N_COMPONENTS,
        hidden_layer_sizes=HIDDEN,
        likelihood="bernoulli",
        prior=law,
        tuning_samples=None if shown is None else data().shown[shown],
        random_state=seed,
        **CHAINS,
        **parameters,
    ).fit(data().pool[:n])


def measure(arm: str, n: int, seed: int) -> dict[str, float]:
    """Fit one model and score it."""
    parameters = ARMS[arm]
    if arm.startswith("AE"):
        return plain(n, seed=seed, **parameters)
    model = fitted(n, seed, **parameters)
    row = scores(model.reconstruct(data().test), model.sample(N_TEST))
    distances = {"before": model.history_[0], "after": model.history_[-1]} if model.history_ else {}
    return {**row, **distances, "rhat": float(np.median(model.report_.rhat))}


def report(results, n_seeds: int) -> None:
    """Print a table for each number of training images."""
    for n in SIZES:
        print(f"\n| n = {n} | NLL | RMSE | FD | distance before and after tuning | R-hat | CPU s |")
        print("|---|---|---|---|---|---|---|")
        for arm in ARMS:
            names = [(f"autoencoder, {n}, {arm}, {s}", s) for s in range(n_seeds)]
            rows = [results.row(name, lambda a=arm, n=n, s=s: measure(a, n, s)) for name, s in names]
            mean = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
            spread = f" ± {np.std([row['nll'] for row in rows], ddof=1):.2f}" if n_seeds > 1 else ""
            tuned = f"{mean['before']:.2f}, {mean['after']:.2f}" if "before" in mean else ""
            rhat = f"{mean['rhat']:.2f}" if "rhat" in mean else ""
            print(
                f"| {arm} | {mean['nll']:.2f}{spread} | {mean['rmse']:.3f} | {mean['fd']:.2f} | {tuned} | {rhat} "
                f"| {mean['seconds']:.0f} |",
                flush=True,
            )
    print(f"\nFloor of FD, {len(data().spare)} other images: {frechet(data().spare):.2f}")


# ------------------------------------------------------------------------------- pictures


def draw(arms=("N(0, 1 / fan-in)", "pretrained on others, untuned", "tuned on others"), n=50):
    """Return a figure: reconstructions of test images, how much draws differ, and new samples."""
    import matplotlib.pyplot as plt

    test = data().test[:10]
    lines = {"test images": test}
    for arm in arms:
        model = fitted(n, 0, **ARMS[arm])
        lines[f"{arm}:\nreconstructed"] = model.reconstruct(test)
        lines[f"{arm}:\nnew"] = model.sample(10)
    figure, axes = plt.subplots(len(lines), 10, figsize=(9, 0.8 * len(lines)), layout="constrained")
    for line, (name, images) in zip(axes, lines.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize="small")
        for panel, image in zip(line, images, strict=True):
            panel.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
    return figure
