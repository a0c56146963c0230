"""What the page on learnt augmentation proves, checked with numbers: bounds, over-counting, collapse."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import logsumexp

from bvar.augmentation import draw_bound, draw_shares, jensen_gap, jensen_gap_limit, normal_divergence

POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # expectations under N(0, 1), exact for polynomials of degree below 80


def test_naive_copies_shrink_the_posterior_by_their_number():
    """Over-counting: y_i ~ N(w, 1), w ~ N(0, 1e6), and copies that say the same. The exact answer is counted.

    The posterior precision of N samples is N + 1e-6; of K copies each, taken for samples of their own, K N + 1e-6.
    Marginalised, p(y | x) is what it was, and so is the posterior.
    """
    random = np.random.RandomState(0)
    for n, copies in ((20, 2), (20, 10), (50, 7)):
        y = 1.5 + random.standard_normal(n)

        def posterior(values):
            precision = len(values) + 1e-6
            return values.sum() / precision, 1 / precision

        mean, variance = posterior(y)
        naive_mean, naive_variance = posterior(np.repeat(y, copies))
        assert abs(naive_mean - mean) < 1e-7  # the prior pulls by 1e-6 / n of 1.5
        assert abs(variance / naive_variance / copies - 1) < 1e-6  # uncertainty too small by the root of K
        marginal = draw_bound(np.tile(-((y - 0.7) ** 2) / 2, (copies, 1)))
        assert (
            abs(marginal + (y - 0.7) ** 2 / 2).max() < 1e-14
        )  # that of one sample; rounding of log K and sums below 8


def test_naive_copies_shrink_the_posterior_of_a_model_with_transforms_too():
    """Bayesian linear regression y ~ N(w (x + g), 1) with known g: marginalised, each sample counts once.

    E over g of exp is a normal density of variance 1 + w^2 a^2, whose posterior is found on a grid; naive copies
    with K draws have the conjugate answer, precision sum (x + g)^2. Their ratio is near K for a small.
    """
    random = np.random.RandomState(1)
    x, a, copies = random.standard_normal(40), 0.05, 9
    y = 0.8 * x + random.standard_normal(40)
    grid = np.linspace(-1, 3, 4001)
    variance = 1 + (grid[:, None] * a) ** 2
    logs = (-((y - grid[:, None] * x) ** 2) / (2 * variance) - np.log(variance) / 2).sum(axis=1)
    density = np.exp(logs - logs.max())
    density /= density.sum()
    mean = (grid * density).sum()
    exact = ((grid - mean) ** 2 * density).sum()
    moved = x + a * random.standard_normal((copies, 40))
    naive = 1 / (moved**2).sum()
    assert 0.9 < exact / naive / copies < 1.1


@given(slope=st.floats(0.01, 3), spread=st.floats(0.01, 2))
def test_the_gap_of_a_lipschitz_likelihood_is_within_its_limit(slope, spread):
    """Jensen gap <= L^2 s^2 / 2, for log-likelihoods of slope L in a normal amount; a line attains it."""
    for shape in (np.abs, np.sin, np.tanh, lambda t: np.log(np.cosh(t))):
        ell = shape(slope * spread * POINTS)  # slope at most `slope` in the amount
        gap = logsumexp(ell, b=WEIGHTS) - (WEIGHTS * ell).sum()
        assert -1e-12 < gap <= jensen_gap_limit(slope, spread) * (1 + 1e-3) + 1e-12  # of quadrature at the kink
    line = slope * spread * POINTS
    attained = logsumexp(line, b=WEIGHTS) - (WEIGHTS * line).sum()
    assert abs(attained - jensen_gap_limit(slope, spread)) < 1e-6 * jensen_gap_limit(slope, spread) + 1e-12


def test_more_draws_are_a_tighter_bound():
    """E L_1 <= E L_2 <= E L_4 <= ... <= log E exp(ell), here with ell = -2 gamma^2, gamma normal."""
    random = np.random.RandomState(0)
    ell = -2 * random.standard_normal((32, 20000)) ** 2
    means = [float(draw_bound(ell[:k]).mean()) for k in (1, 2, 4, 8, 16, 32)]
    assert all(a < b for a, b in pairwise(means))
    limit = -np.log(5) / 2  # E exp(-2 g^2) = 1 / sqrt(1 + 4)
    assert means[-1] < limit < means[-1] + 0.05
    assert abs(means[0] + 2) < 5 * ell[0].std() / np.sqrt(20000)


def test_the_pac_bayes_difference_is_the_mean_gap_and_vanishes_with_invariance():
    """Copied minus marginalised risk: never negative, and 0 if the likelihood does not depend on the draw."""
    random = np.random.RandomState(0)
    theta = random.standard_normal((30, 1, 1))  # draws of a posterior
    x, gamma = random.standard_normal(25), 0.5 * random.standard_normal((200, 1))
    ell = -np.log1p(np.exp(-theta * (x + gamma)))  # of y = 1
    difference = np.mean([jensen_gap(one) for one in ell])
    marginalised = np.mean([-draw_bound(one) for one in ell])
    copied = -ell.mean()
    assert abs(copied - marginalised - difference) < 1e-12
    assert difference > 0.001
    same = np.repeat(ell[0][:1], 200, axis=0)
    assert jensen_gap(same).max() < 1e-12


@given(m=st.floats(-3, 3), v=st.floats(0.1, 3), m0=st.floats(-3, 3), tau=st.floats(0.2, 3))
def test_the_divergence_is_the_integral(m, v, m0, tau):
    def log_normal(t, mean, deviation):
        return -((t - mean) ** 2) / (2 * deviation**2) - np.log(deviation) - np.log(2 * np.pi) / 2

    def integrand(t):
        return np.exp(log_normal(t, m, v)) * (log_normal(t, m, v) - log_normal(t, m0, tau))

    integral = quad(integrand, m - 12 * v, m + 12 * v, epsabs=1e-10, limit=200)[0]
    assert abs(normal_divergence([m], [v], [m0], [tau]) - integral) < 1e-7 * max(1, integral)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: normal_divergence([1.0, 2, 3], [1.0], [0.0], [1.0]), "must be of one shape"),
        (lambda: normal_divergence([1.0], [-1.0], [0.0], [1.0]), "deviation and prior must be positive"),
        (lambda: normal_divergence([1.0], [1.0], 0.0, 0.0), "deviation and prior must be positive"),
        (lambda: normal_divergence(["a"], [1.0], [0.0], [1.0]), "mean must be an array of real numbers"),
        (lambda: jensen_gap_limit(1e160, 1.0), "slope must be a finite number >= 0 and <= 1e"),
        (lambda: draw_bound([["a"]]), "log_likelihoods must be an array of real numbers"),
    ],
)
def test_what_bounds_cannot_be_made_of_is_named(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_one_prior_may_stand_for_all():
    m, v = [1.0, -2.0], [0.5, 2.0]
    assert normal_divergence(m, v, 0.0, 3.0) == normal_divergence(m, v, [0.0, 0.0], [3.0, 3.0])


def test_shares_are_the_slopes_of_the_bound():
    """Central differences of step 1e-6 err by 1e-10."""
    ell = np.random.RandomState(0).standard_normal((4, 3))
    for place in np.ndindex(ell.shape):
        step = np.zeros_like(ell)
        step[place] = 1e-6
        slope = (draw_bound(ell + step) - draw_bound(ell - step)) / 2e-6
        assert abs(slope[place[1]] - draw_shares(ell)[place]) < 1e-8


# ------------------------------------------------------------------------------------------------- collapse


def regression_slope(log_spread, *, n=50, weight=1.0, noise=0.5):
    """Return the slope in log a of the one-sample bound of y ~ N(w x, s^2), x moved by N(0, a^2): exact."""
    return -n * np.exp(2 * log_spread) * weight**2 / noise**2


def settled(prior, start=0.0):
    """Climb the one-sample bound, with the prior N(start, prior^2) of log a or without, for 2000 steps."""
    log_spread = start
    for _ in range(2000):
        slope = regression_slope(log_spread)
        if prior is not None:
            slope -= (log_spread - start) / prior**2
        log_spread += 0.002 * np.clip(slope, -5, 5)
    return log_spread


def test_the_one_sample_bound_of_a_regression_falls_as_the_formula_says():
    """E log p = log p - a^2 w^2 / 2 s^2, by quadrature, which is exact for a square."""
    x, y, w, s = 0.7, 1.1, 1.3, 0.5
    for a in (0.0, 0.1, 1.0):
        expected = (WEIGHTS * -((y - w * (x + a * POINTS)) ** 2)).sum() / (2 * s**2)
        assert abs(expected - (-((y - w * x) ** 2) - (a * w) ** 2) / (2 * s**2)) < 1e-10


def test_the_one_sample_bound_collapses_without_a_prior_and_a_prior_holds_it():
    """Without one the slope is negative everywhere; with one it is where both slopes balance."""
    alone, held = settled(None), settled(1.0)
    assert alone < -3.5  # and on: log a falls like -log(t) / 2
    assert regression_slope(-20.0) < 0
    assert abs(regression_slope(held) - held) < 1e-6
    assert held > alone + 1
    assert settled(0.1) > held  # a narrower prior holds more


def test_many_draws_hold_a_spread_that_one_draw_lets_collapse():
    """A likelihood that gains from being spread: y ~ N(x, s^2) with x read off by an error of 1, and s too small.

    log E exp has its maximum in a at the root of 1 - s^2; the one-sample bound at 0.
    """
    random = np.random.RandomState(0)
    error, s = random.standard_normal(4000), 0.3
    noise = random.standard_normal((64, 4000))

    def bound(a, draws):
        ell = -((error + a * noise[:draws]) ** 2) / (2 * s**2)
        return float(draw_bound(ell).mean())

    spreads = np.array([0.05, 0.2, 0.5, 0.95, 1.5])
    one, many = ([bound(a, draws) for a in spreads] for draws in (1, 64))
    assert spreads[np.argmax(one)] == 0.05
    assert spreads[np.argmax(many)] == pytest.approx(np.sqrt(1 - s**2), abs=0.01)
