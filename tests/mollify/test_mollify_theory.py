"""The theorems of docs/explanation/mollification.md, in numbers."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp

from bvar.mollify import SigmoidSchedule, blur, blur_scale
from bvar.mollify.density.flow_layers import AffineCoupling

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # so that sum(WEIGHTS * f(NODES)) is the mean of f(eps)


def log_normal(x, mean, variance):
    return -0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance)


def log_mollified(x, gamma):
    """Of x = -1 or 1 with equal probability."""
    alpha = np.sqrt(1 - gamma)
    return logsumexp([log_normal(x, alpha, gamma), log_normal(x, -alpha, gamma)], axis=0) - np.log(2)


@pytest.mark.parametrize("gamma", [0.1, 0.45, 0.49, 0.51, 0.55, 0.9])
def test_two_points_become_two_hills_at_half_the_noise(gamma):
    x = np.linspace(-2, 2, 4001)
    log_p = log_mollified(x, gamma)
    hills = ((log_p[1:-1] > log_p[:-2]) & (log_p[1:-1] > log_p[2:])).sum()
    assert hills == (2 if gamma < 0.5 else 1)
    assert SigmoidSchedule().gamma(0.24) > 0.5 > SigmoidSchedule().gamma(0.25)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
def test_the_score_points_at_the_mean_of_the_sources(gamma):
    x, h, alpha = np.linspace(-3, 3, 101), 1e-5, np.sqrt(1 - gamma)
    slope = (log_mollified(x + h, gamma) - log_mollified(x - h, gamma)) / (2 * h)
    source = np.tanh(alpha * x / gamma)  # the posterior mean of -1 and 1
    posterior = np.exp(log_normal(x, alpha, gamma)) / (2 * np.exp(log_mollified(x, gamma)))
    assert abs(2 * posterior - 1 - source).max() < 1e-12
    # the score has a second derivative of at most 0.77 (alpha / gamma)^3: that of tanh is at most 0.77
    tolerance = h**2 / 6 * 0.77 * (alpha / gamma) ** 3 + 1e-9  # ... and rounding, 1e-14 / h
    assert abs(slope - (alpha * source - x) / gamma).max() < tolerance


@pytest.mark.parametrize("gamma", [0.2, 0.7])
def test_the_loss_is_divergence_and_entropy(gamma):
    """A mean over data and noise is a sum of integrals over a grid, and a mean of the smoothed loss."""

    def loss(x):
        return -log_normal(x, 0.3, 1.7)

    alpha, sigma = np.sqrt(1 - gamma), np.sqrt(gamma)
    left = np.mean([(WEIGHTS * loss(alpha * x + sigma * NODES)).sum() for x in (-1, 1)])
    grid = np.linspace(-9, 9, 20001)
    log_p, step = log_mollified(grid, gamma), grid[1] - grid[0]
    divergence = (np.exp(log_p) * (log_p + loss(grid))).sum() * step
    entropy = -(np.exp(log_p) * log_p).sum() * step
    assert left == pytest.approx(divergence + entropy, abs=1e-9)
    kernel = np.exp(log_normal(grid, 0, gamma))
    smoothed = [(kernel * loss(alpha * x - grid)).sum() * step for x in (-1, 1)]
    assert left == pytest.approx(np.mean(smoothed), abs=1e-9)


def test_little_noise_is_a_penalty_on_curvature():
    """What is left after the trace falls sixteenfold when the noise is halved."""

    def f(x):
        return -log_mollified(x, 0.3)

    def rest(s, x=0.4, h=1e-3):
        second = (-f(x + 2 * h) + 16 * f(x + h) - 30 * f(x) + 16 * f(x - h) - f(x - 2 * h)) / (12 * h * h)
        return (WEIGHTS * f(x + s * NODES)).sum() - f(x) - s * s / 2 * second

    assert rest(0.1) / rest(0.05) == pytest.approx(16, rel=0.1)


def test_noise_bounds_the_likelihood_on_a_circle():
    """A model that knows the circle, and is as thin as it likes: without noise its likelihood has no bound."""
    angle = 2 * np.pi * np.random.RandomState(0).rand(100_000)
    circle = np.sqrt(2) * np.c_[np.cos(angle), np.sin(angle)]  # each feature has variance 1
    noise = np.random.RandomState(1).randn(100_000, 2)

    def score(x, thickness):
        radius = np.hypot(*x.T)  # uniform in angle, normal in radius
        return (log_normal(radius, np.sqrt(2), thickness**2) - np.log(2 * np.pi * radius)).mean()

    thin = [1e-1, 1e-2, 1e-3, 1e-4]
    clean = [score(circle, s) for s in thin]
    assert np.diff(clean) == pytest.approx(np.log(10), abs=1e-6)
    for gamma in (0.1, 0.01):
        noisy = [score(np.sqrt(1 - gamma) * circle + np.sqrt(gamma) * noise, s) for s in [1, 0.3, *thin]]
        assert max(noisy) < -np.log(2 * np.pi * np.e * gamma)
        assert noisy[-1] < noisy[1]


def test_the_identity_is_stationary_where_features_are_independent():
    """All pairs of two columns are exactly independent; the first is as far from normal as can be."""
    first, second = np.array([-1.0, 1.0] * 6), np.random.RandomState(0).randn(20)
    second = (second - second.mean()) / second.std()
    x = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    for parity in (0, 1):
        coupling = AffineCoupling(2, parity, [8], np.random.RandomState(1))
        for net in (coupling.scale, coupling.shift):
            net.layers[-1].weight.value[:] = 0
        y, log_det, memory = coupling.forward(x, True)
        assert np.array_equal(y, x)
        assert not log_det.any()
        coupling.backward(x / len(x), np.full(len(x), -1 / len(x)), memory)
        assert max(abs(p.gradient).max() for p in coupling.parameters) < 1e-15
        # with an orthogonal last layer, as it really starts, there is a way to go
        started = AffineCoupling(2, parity, [8], np.random.RandomState(1))
        y, _, memory = started.forward(x, True)
        started.backward(y / len(x), np.full(len(x), -1 / len(x)), memory)
        assert max(abs(p.gradient).max() for p in started.parameters) > 0.01


def test_blur_is_a_gaussian_kernel_between_mirrors():
    """From about a pixel on, a kernel that is sampled is the kernel: aliases of e^(-2 pi^2 s^2 / 4) and less."""
    x = np.random.RandomState(0).randn(3, 32, 32)
    for t in (0.35, 0.45):
        s = blur_scale(t, 32)
        assert 1.4 < s < 3
        expected = [gaussian_filter(image, s, mode="reflect", truncate=12) for image in x]
        assert abs(blur(x, t) - expected).max() < 4 * np.exp(-(np.pi**2) * s**2 / 2)
