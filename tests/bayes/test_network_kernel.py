"""Limits of the fractions, depth, the dead zone, the roughness theorem (docs/explanation/boolean-beliefs.md)."""

from itertools import product
from math import pi, sqrt

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bvar import kernels
from bvar.bayes import (
    BEST_DEAD_ZONE,
    NetworkKernel,
    boolean_kernels,
    correlation,
    memory,
    ternary_kernel,
)
from bvar.bits import RandomWords
from bvar.layers import BooleanLinear, Threshold


def test_depth_iterates_the_arc_sine():
    found = [float(correlation(0.5, depth)) for depth in (0, 1, 2, 3, 4)]
    assert found == pytest.approx([0.5, 1 / 3, 0.216346896, 0.138828430, 0.088667312], abs=1e-6)


def test_the_dead_zone_has_the_values_of_the_page():
    assert ternary_kernel([1.0, 0.5], 0.612) == pytest.approx([0.54054, 0.22253], abs=1e-5)
    found = [float(correlation(0.5, depth, dead_zone=0.612)) for depth in (1, 2, 3, 4)]
    assert found == pytest.approx([0.41169, 0.33714, 0.27507, 0.22387], abs=1e-5)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.2, 0.75, 0.999])
@pytest.mark.parametrize("tau", [0.0, 1e-12, 0.3, 0.612, 1.5])
def test_the_formula_is_that_of_two_normal_variables(rho, tau):
    """SciPy integrates the bivariate distribution to about 1e-8; a wrong sign or factor shows at 1e-2."""

    def below(r):
        return multivariate_normal.cdf([-tau, -tau], cov=[[1, r], [r, 1]])

    assert abs(ternary_kernel(rho, tau) - 2 * (below(rho) - below(-rho))) < 1e-6


def test_memory_is_the_slope_at_0_and_largest_at_the_best_dead_zone():
    assert memory() == pytest.approx(2 / pi, abs=1e-15)
    assert memory(BEST_DEAD_ZONE) == pytest.approx(0.80983, abs=5e-6)
    assert all(memory(BEST_DEAD_ZONE) > memory(BEST_DEAD_ZONE + step) for step in (-0.5, -1e-4, 1e-4, 0.5))
    for tau in (0.0, 0.3, BEST_DEAD_ZONE, 1.5):
        # the map is odd, so a difference at h errs by the third derivative times h^2 / 6
        slope = float(correlation(1e-3, dead_zone=tau)) / 1e-3
        assert abs(slope - memory(tau)) < 1e-5


@pytest.mark.parametrize(("n", "largest"), [(11, 0.102), (51, 0.0457), (101, 0.0323)])
def test_the_arc_sine_is_the_limit_of_the_fractions(n, largest):
    d = np.arange(n + 1)
    exact = np.array([float(k) for k in boolean_kernels(n)])
    off = abs(exact - ternary_kernel(1 - 2 * d / n))
    assert off[1] == off.max() == pytest.approx(largest, rel=0.01)
    assert 2 * sqrt(2 / pi) - 4 / pi < off.max() * sqrt(n) < 0.35  # from above, as n grows
    middle = np.clip(2 * np.ceil(d / 2) - 0.5, 0, n)  # of a stair
    inner = slice(1, n)
    off = abs(exact - ternary_kernel(1 - 2 * middle / n))[inner]
    assert off.max() < 0.04 / sqrt(n)


def simulated(zone, widths, n_networks=200, n=101, d=25):
    """Correlations of the activations of every layer at two inputs: means over networks, and their errors."""
    source, found = RandomWords(0), []
    for _ in range(n_networks):
        x, row, known = kernels.pack(np.arange(n) < np.array([[0], [d]])), [], 1.0
        for n_inputs, width in zip([n, *widths], widths, strict=False):
            layer = BooleanLinear(n_inputs, width, random_state=source)
            s, _ = layer.forward(x)
            t = zone * sqrt(n_inputs * known)
            x = Threshold(width, n_inputs, 1).forward(s)[0] if zone == 0 else ternary(s, t)
            a, b = kernels.unpack_ternary(x).astype(float)
            known = (abs(a).mean() + abs(b).mean()) / 2
            row.append(a @ b / sqrt(a @ a * (b @ b)))
        found.append(row)
    found = np.array(found)
    return found.mean(axis=0), found.std(axis=0) / sqrt(n_networks)


def ternary(s, t):
    return kernels.pack((s > t).astype(np.int8) - (s < -t).astype(np.int8))


@pytest.mark.parametrize("zone", [0.0, 0.612])
def test_random_networks_forget_as_the_map_says(zone):
    """Finite widths shift a mean by O(1/m): one over the width is allowed for each layer, and four errors.

    A dead zone is a whole number of sums: next to spreads of about 10 (and 15) a rounding of it, half the distance
    of sums, moves the correlation by less than 0.01 (the map at .612 and at .612 +- .1 differs by .008).
    """
    mean, error = simulated(zone, [401, 401, 401])
    first = float(boolean_kernels(101)[25]) if zone == 0 else float(correlation(1 - 50 / 101, dead_zone=zone))
    expected = [float(correlation(first, depth, dead_zone=zone)) for depth in (0, 1, 2)]
    allowed = 4 * error + np.array([0, 1, 2]) / 401 + (0.01 if zone else 0)
    assert (abs(mean - expected) < allowed).all()


# --------------------------------------------------------------------------------------------- between samples


@pytest.fixture
def signs():
    return np.random.RandomState(0).choice(np.array([-1, 0, 1], np.int8), size=(30, 20), p=[0.4, 0.2, 0.4])


def test_a_missing_bit_adds_nothing_and_the_variance_stays(signs):
    kernel = NetworkKernel()(signs)
    rho = signs[3].astype(int) @ signs[5] / sqrt(np.count_nonzero(signs[3]) * np.count_nonzero(signs[5]))
    assert kernel[3, 5] == pytest.approx(2 / pi * np.arcsin(rho), abs=1e-15)
    assert np.diag(kernel) == pytest.approx(np.ones(30), abs=1e-7)  # the arc-sine is steep at 1
    nothing = np.zeros((1, 20), np.int8)
    assert NetworkKernel()(nothing).item() == NetworkKernel().variances(nothing).item() == 0
    with_offsets = NetworkKernel(offset_spread=0.5)
    assert with_offsets(nothing).item() == with_offsets.variances(nothing).item() == 1


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("parameters", [{}, {"dead_zone": 0.612}, {"offset_spread": 0.5}])
def test_a_kernel_is_symmetric_and_positive(signs, depth, parameters):
    kernel = NetworkKernel(depth, **parameters)
    assert (kernel(signs) == kernel(signs).T).all()
    assert (kernel(signs[:4], signs[2:]) == kernel(signs)[:4, 2:]).all()
    assert np.linalg.eigvalsh(kernel(signs)).min() > -1e-12
    assert kernel.variances(signs) == pytest.approx(np.diag(kernel(signs)), abs=1e-7)


def test_the_exact_kernel_is_the_fraction_rounded_once():
    x = np.array(list(product((-1, 1), repeat=6)), np.int8)
    d = (x[:, None] != x).sum(axis=2)
    by_distance = {
        NetworkKernel(exact=True): boolean_kernels(7),  # a tie says T
        NetworkKernel(exact=True, offset_spread=0.5): boolean_kernels(9),  # 6 + round(1.5) terms, and a tie
        NetworkKernel(exact=True, dead_zone=0.612): [3 * k for k in boolean_kernels(6, 1)],
    }
    for kernel, fractions in by_distance.items():
        scale = float(1 / fractions[0])
        assert kernel(x) == pytest.approx(np.array(fractions[:7], float)[d] * scale, abs=1e-15)
    deep = correlation(np.array(boolean_kernels(7)[:7], float)[d], 2)
    assert (NetworkKernel(3, exact=True)(x) == deep).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_no_boolean_network_is_smoother_than_a_random_walk(depth):
    """1 - k of signs is twice the probability that they differ, which is a distance: detours are no shorter."""
    bits = (np.random.RandomState(1).rand(40, 30) < 0.5) * 2 - 1
    differ = 1 - NetworkKernel(depth)(bits.astype(np.int8))
    assert (differ[:, :, None] <= differ[:, None, :] + differ[None, :, :].swapaxes(1, 2) + 1e-7).all()
    line = 1 - correlation(np.cos(np.linspace(0, 1, 101)), depth)
    assert (line[1:] <= np.arange(1, 101) * line[1] + 1e-12).all()
    smooth = 1 - np.exp(-(np.linspace(0, 1, 101) ** 2))  # which an RBF is, and no Boolean network
    assert smooth[2] > 2 * smooth[1]


@pytest.mark.parametrize(
    ("kernel", "error", "text"),
    [
        (NetworkKernel(-1), ValueError, "depth must be an integer >= 0"),
        (NetworkKernel(dead_zone=40.0), ValueError, "dead_zone must leave sums something to say, .*, got 40.0"),
        (NetworkKernel(2, dead_zone=1e200), ValueError, "dead_zone must leave sums something to say"),
        (NetworkKernel(dead_zone=-1), ValueError, "dead_zone must be a finite number >= 0"),
        (NetworkKernel(offset_spread=2), ValueError, "offset_spread must be a finite number >= 0 and <= 1"),
        (NetworkKernel(exact=True), ValueError, "exact must be False where bits are missing"),
    ],
)
def test_bad_parameters_of_a_kernel_are_named(signs, kernel, error, text):
    with pytest.raises(error, match=text):
        kernel(signs)


@pytest.mark.parametrize("wrong", [0.5j, ["a"], np.array([0.5 + 0j]), np.nan, np.inf])
def test_a_correlation_is_a_real_number(wrong):
    for function in (ternary_kernel, correlation):
        with pytest.raises((TypeError, ValueError), match=r"rho must be (an array of real numbers|finite)"):
            function(wrong)


def test_a_dead_zone_that_swallows_all_is_refused():
    # a difference of two numbers of the size of the share, by which it is divided
    assert correlation([-1.0, 0.5, 1.0], dead_zone=37.5) == pytest.approx([-1, 0, 1], abs=1e-12)
    for zone in (37.6, 38.0, 1e300):
        with pytest.raises(ValueError, match="dead_zone must leave sums something to say"):
            memory(zone)
        with pytest.raises(ValueError, match="dead_zone must leave sums something to say"):
            correlation(0.5, 1, dead_zone=zone)
        assert correlation(0.5, 0, dead_zone=zone) == 0.5  # without hidden layers nothing lies in it
        assert ternary_kernel(1.0, zone) < 1e-307


def test_bad_samples_of_a_kernel_are_named(signs):
    with pytest.raises(TypeError, match="X must be an array of int8"):
        NetworkKernel()(signs.astype(float))
    with pytest.raises(ValueError, match="X and Z must have as many bits"):
        NetworkKernel()(signs, signs[:, 1:])
    with pytest.raises(ValueError, match="dead_zone must leave sums of 20 terms something to say, got 9"):
        NetworkKernel(dead_zone=9, exact=True)(abs(signs) | np.int8(1))
