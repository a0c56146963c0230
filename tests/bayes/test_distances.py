"""Distances between laws of functions: known values, and gradients that are derivatives."""

import numpy as np
import pytest
from differences import assert_gradient
from scipy.stats import norm

from bvar.bayes import (
    DistributionalSliced,
    Draws,
    Energy,
    GaussianMoments,
    LipschitzPotential,
    SlicedWasserstein,
    energy,
    gaussian_w2,
    sliced_w2,
)
from bvar.bayes.distances import unit_vectors


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_gradients_of_distances_are_derivatives():
    F, G = draws(7, 3), draws(7, 3, seed=1) + 0.5
    directions = unit_vectors(20, 3, np.random.default_rng(2))
    covariance = np.cov(draws(9, 3, seed=3).T)
    for distance in (
        lambda: energy(F, G),
        lambda: energy(F, G[:4]),
        lambda: sliced_w2(F, G, directions),
        lambda: gaussian_w2(F, np.arange(3.0), covariance),
    ):
        assert_gradient(distance()[1], lambda d=distance: d()[0], F)


def test_the_energy_distance_of_shifted_normal_laws():
    """2 [2 sqrt(2) phi(1 / sqrt 2) + 2 Phi(1 / sqrt 2) - 1] - 4 / sqrt(pi) of N(1, 1) and N(0, 1)."""
    root = np.sqrt(0.5)
    wanted = 2 * (2 * np.sqrt(2) * norm.pdf(root) + 2 * norm.cdf(root) - 1) - 4 / np.sqrt(np.pi)
    assert round(wanted, 6) == 0.541807
    assert abs(energy(1 + draws(3000, 1), draws(3000, 1, seed=1))[0] - wanted) < 0.08


def test_the_energy_distance_has_no_bias():
    values = [energy(draws(8, 3, seed=2 * i), draws(8, 3, seed=2 * i + 1))[0] for i in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_the_energy_gradient_of_a_mixture_is_the_mean_of_its_parts():
    """Linear in the law of G, up to a term without F: what lets one hyper-parameter draw do for a step."""
    F, G, H = draws(6, 2), draws(5, 2, seed=1), draws(5, 2, seed=2) * 3
    whole = energy(F, np.vstack([G, H]))[1]
    assert abs(whole - (energy(F, G)[1] + energy(F, H)[1]) / 2).max() < 1e-12


def test_sliced_wasserstein_to_twice_the_same_draws_is_their_mean_square():
    F = draws(50, 4)
    directions = unit_vectors(30, 4, np.random.default_rng(1))
    assert abs(sliced_w2(F, 2 * F, directions)[0] - ((F @ directions.T) ** 2).mean()) < 1e-12


@pytest.mark.parametrize(
    ("shift", "scale", "wanted"), [([0, 0.2, 0.4, 0.6, 0.8], 1, 0.24), ([0, 0, 0, 0, 0], 2, 1.0)]
)
def test_sliced_wasserstein_of_normal_laws(shift, scale, wanted):
    directions = unit_vectors(1000, 5, np.random.default_rng(2))
    value, _ = sliced_w2(scale * draws(4000, 5) + shift, draws(4000, 5, seed=1), directions)
    assert (
        abs(value - wanted) < 0.02
    )  # two standard errors of so many draws and directions, and the bias of 5.9 / S


@pytest.mark.parametrize("S", [64, 256])
def test_sliced_wasserstein_of_equal_laws_is_a_floor_that_falls_with_the_draws(S):
    directions = unit_vectors(100, 5, np.random.default_rng(2))
    values = [
        sliced_w2(draws(S, 5, seed=2 * i), draws(S, 5, seed=2 * i + 1), directions)[0] * S for i in range(20)
    ]
    assert 5.9 / 1.5 < np.mean(values) < 5.9 * 1.5


def test_gaussian_wasserstein_of_known_moments():
    F = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
    assert abs(gaussian_w2(F, np.zeros(3), np.diag([1.0, 4, 9]))[0] - 5) < 1e-10
    assert abs(gaussian_w2(F, np.array([0, 2.0, 0]), np.eye(3))[0] - 4) < 1e-10


def test_the_gradient_of_the_penalty_is_a_derivative():
    """The reverse pass of a derivative along a frozen direction."""
    F, G = draws(6, 4), draws(6, 4, seed=1) + 1
    between = 0.3 * F + 0.7 * G
    potential = LipschitzPotential(5)
    potential.initialize(4, np.random.default_rng(2))
    _, gradients = potential.loss(F, G, between)
    for gradient, array in zip(gradients, potential._arrays, strict=True):
        assert_gradient(gradient, lambda: potential.loss(F, G, between)[0], array)


def test_the_gradient_of_a_potential_is_a_derivative():
    F, target = draws(5, 3), Draws(np.ones((1, 3))).at(None)
    potential = LipschitzPotential(6)
    potential.initialize(3, np.random.default_rng(0))
    random = np.random.default_rng(1)
    assert_gradient(potential(F, target, random)[1], lambda: potential(F, target, random)[0], F)


def test_a_potential_finds_a_shift():
    """W1 = 2 exactly; the penalty is soft, so that the value may be more."""
    random = np.random.default_rng(0)
    shift = np.array([2.0, 0, 0, 0, 0])
    target = Draws(draws(4000, 5)).at(None)
    potential = LipschitzPotential(64, n_first=300)
    potential.prepare(lambda: random.standard_normal((500, 5)) + shift, target, random)
    assert 1.7 < potential(random.standard_normal((2000, 5)) + shift, target, random)[0] < 2.5


def test_the_ascent_of_directions_is_a_derivative():
    F, G = draws(6, 3), draws(6, 3, seed=1) * 2
    distance = DistributionalSliced(10, penalty=3.0)
    distance.map_, distance.shift_ = np.eye(3) + 0.1 * draws(3, 3, seed=2), 0.1 * draws(3, seed=3)
    U = unit_vectors(10, 3, np.random.default_rng(4))
    for gradient, array in zip(distance.ascent(F, G, U)[1], (distance.map_, distance.shift_), strict=True):
        assert_gradient(gradient, lambda: distance.ascent(F, G, U)[0], array)


def test_the_distributional_gradient_is_a_derivative():
    F, target = draws(6, 3), Draws(np.array([[1.0, 2, 3]])).at(None)
    distance = DistributionalSliced(10, n_inner=0)

    def value_and_gradient():
        return distance(F, target, np.random.default_rng(5))

    assert_gradient(value_and_gradient()[1], lambda: value_and_gradient()[0], F)


def test_objects_are_the_functions_with_a_target():
    F, bag = draws(40, 3), draws(1000, 3, seed=1)
    target = Draws(bag).at(None)
    random = np.random.default_rng
    assert Energy()(F, target, random(0))[0] == energy(F, target.draw(40, random(0)))[0]
    assert GaussianMoments()(F, target, random(0))[0] == gaussian_w2(F, *target.moments())[0]
    generator = random(0)
    directions = unit_vectors(7, 3, generator)
    assert SlicedWasserstein(7)(F, target, random(0))[0] == sliced_w2(F, target.draw(40, generator), directions)[0]


def test_unequal_numbers_of_draws_cannot_be_sorted_against_each_other():
    with pytest.raises(ValueError, match="F and G must be as many draws of each, got 3 and 4"):
        sliced_w2(draws(3, 2), draws(4, 2), np.eye(2))


def test_laws_at_different_numbers_of_points_are_no_pair():
    F = draws(4, 3)
    for G in (draws(4, 1), draws(4, 2)):
        with pytest.raises(ValueError, match="F and G must have as many columns as each other"):
            energy(F, G)
        with pytest.raises(ValueError, match="F, G and directions must have as many columns"):
            sliced_w2(F, G, np.eye(3))
    with pytest.raises(ValueError, match="F, G and directions must have as many columns"):
        sliced_w2(F, F, np.eye(2))
    for mean, covariance in ((np.zeros(1), np.eye(3)), (np.zeros(3), np.eye(1)), (np.zeros(3), np.ones(3))):
        with pytest.raises(ValueError, match=r"mean and covariance must have shapes \(3,\) and \(3, 3\) for F"):
            gaussian_w2(F, mean, covariance)
