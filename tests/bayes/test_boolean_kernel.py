"""The fractions of docs/explanation/boolean-beliefs.md, counted, enumerated, and met by random networks."""

from fractions import Fraction
from itertools import product
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import kernels
from bvar.bayes import boolean_kernel, boolean_kernels, parity_variances
from bvar.bits import RandomWords
from bvar.layers import BooleanLinear, Threshold

ALL = {n: np.array(list(product((-1, 1), repeat=n))) for n in range(1, 10)}


def enumerated(n, d, activation):
    """Average the product of two activations over all weights."""
    other = np.where(np.arange(n) < d, -1, 1)
    return Fraction(int((activation(ALL[n].sum(axis=1)) * activation(ALL[n] @ other)).sum()), 2**n)


@pytest.mark.parametrize(
    ("n", "fractions"),
    [
        (3, "1 0 0 -1"),
        (5, "1 1/4 1/4 -1/4 -1/4 -1"),
        (7, "1 3/8 3/8 0 0 -3/8 -3/8 -1"),
        (4, "5/8 1/4 0 -1/4 -5/8"),
        (6, "11/16 3/8 3/16 0 -3/16 -3/8 -11/16"),
    ],
)
def test_the_fractions_are_those_of_the_page(n, fractions):
    assert boolean_kernels(n) == [Fraction(one) for one in fractions.split()]


def test_half_of_a_hundred_bits_tie_as_often_as_the_page_says():
    assert boolean_kernel(100, 0) == 1 - Fraction(comb(100, 50), 2**100)
    assert round(float(boolean_kernel(100, 0)), 5) == 0.92041
    assert round(float(boolean_kernel(101, 25)), 6) == 0.329647


@pytest.mark.parametrize("dead_zone", [0, 1, 2, 3])
@pytest.mark.parametrize("n", range(1, 9))
def test_counting_is_the_average_over_all_weights(n, dead_zone):
    def activation(u):
        return (u > dead_zone) * 1 - (u < -dead_zone)

    expected = [enumerated(n, d, activation) for d in range(n + 1)]
    assert [boolean_kernel(n, d, dead_zone) for d in range(n + 1)] == expected
    assert boolean_kernels(n, dead_zone) == expected


@given(st.integers(1, 60).map(lambda j: 2 * j + 1), st.data())
def test_the_kernel_is_a_staircase(n, data):
    j = data.draw(st.integers(1, n // 2))
    assert boolean_kernel(n, 2 * j - 1) == boolean_kernel(n, 2 * j)


@given(st.integers(1, 100), st.integers(0, 5), st.data())
def test_opposite_inputs_have_opposite_covariances(n, dead_zone, data):
    d = data.draw(st.integers(0, n))
    assert boolean_kernel(n, n - d, dead_zone) == -boolean_kernel(n, d, dead_zone)


@given(st.integers(1, 60).map(lambda j: 2 * j + 1))
def test_one_flipped_bit_counts_as_the_page_says(n):
    assert boolean_kernel(n, 1) == 1 - 2 * Fraction(comb(n - 1, n // 2), 2 ** (n - 1))


@pytest.mark.parametrize("n", [2, 4, 6, 8])
def test_a_tie_that_is_true_is_an_odd_number_of_bits(n):
    for d in range(n + 1):
        assert enumerated(n, d, lambda u: np.where(u >= 0, 1, -1)) == boolean_kernel(n + 1, d)


# ------------------------------------------------------------------------------------------------- parities


@pytest.mark.parametrize("n", [3, 5, 9, 21])
def test_parities_have_the_squared_coefficients_of_majority(n):
    """O'Donnell, "Analysis of Boolean Functions", theorem 5.19: the coefficient of a parity of odd degree s."""
    half = (n - 1) // 2
    expected = [
        Fraction(comb(n - 1, half) * comb(half, s // 2), 2 ** (n - 1) * comb(n - 1, s - 1)) ** 2 if s % 2 else 0
        for s in range(n + 1)
    ]
    assert parity_variances(boolean_kernels(n)) == expected


@given(st.integers(1, 40), st.integers(0, 3))
def test_the_variances_of_all_parities_add_to_the_prior_variance(n, dead_zone):
    kernel = boolean_kernels(n, dead_zone)
    variances = parity_variances(kernel)
    assert sum(comb(n, s) * v for s, v in enumerate(variances)) == kernel[0]
    assert min(variances) >= 0


@given(st.integers(1, 40), st.integers(0, 3))
def test_even_functions_have_prior_variance_zero(n, dead_zone):
    assert not any(parity_variances(boolean_kernels(n, dead_zone))[::2])


def test_a_constant_input_lets_a_network_believe_in_even_functions():
    """The kernel of n bits and a constant one is that of n + 1 at distances that leave the last alone."""
    assert all(parity_variances(boolean_kernels(5)[:5]))


def test_eigenvalues_on_all_inputs_are_those_of_parities():
    d = (ALL[5][:, None] != ALL[5]).sum(axis=2)
    values = np.linalg.eigvalsh(np.array(boolean_kernels(5), float)[d])
    # entries are exact in binary; eigenvalues err by some roundings of the largest, far below
    assert abs(values - np.repeat([0, 0.5, 4.5], [16, 10, 6])).max() < 1e-12


def test_degree_one_has_the_forgetting_constant():
    """n times its variance is 2/pi (1 + 1/(2n) + O(1/n^2)), by Stirling's formula."""
    n = 101
    share = float(n * parity_variances(boolean_kernels(n))[1])
    assert 0 < share - 2 / np.pi < 0.4 / n


# ------------------------------------------------------------------------------------------------- networks


N_NETWORKS = 20_000


def random_scores(x, width):
    """Scores of random networks at each input, (n_networks, n_inputs), each with the layers' own initialisation.

    Side by side, as one wide layer: ``python -m tests.bench.bridge kernel`` makes networks one by one.
    """
    source = RandomWords(width)
    hidden = BooleanLinear(x.n_bits, N_NETWORKS * width, random_state=source)
    output = BooleanLinear(width, N_NETWORKS, random_state=source)
    activations, _ = Threshold(N_NETWORKS * width, x.n_bits, 1).forward(hidden.forward(x)[0])
    signs = kernels.unpack_ternary(activations).reshape(len(x), N_NETWORKS, width)
    return (signs * kernels.unpack_ternary(output.weight.bits)).sum(axis=2, dtype=int).T


@pytest.mark.parametrize(("n", "width"), [(6, 9), (7, 9), (101, 4)])
def test_twenty_thousand_random_networks_believe_the_kernel(backend, n, width):
    """Products of scores, averaged, lie within four standard errors, which the products themselves tell.

    A tie says T, so that six bits are as good as seven.
    """
    distances = np.unique([*range(min(n, 8) + 1), n // 4, n // 2, n])
    f = random_scores(kernels.pack(np.arange(n) < distances[:, None]), width) / sqrt(width)
    products = f * f[:, :1]
    expected = np.array([float(boolean_kernel(n | 1, int(d))) for d in distances])
    assert (abs(products.mean(axis=0) - expected) < 4 * products.std(axis=0) / sqrt(N_NETWORKS)).all()


@pytest.mark.parametrize("width", [1, 4, 16])
def test_fourth_moments_tell_how_wide_a_network_is(width):
    x = kernels.pack(np.arange(101) < np.array([[0], [25]]))
    f = random_scores(x, width).T / sqrt(width)
    products = (f**2).prod(axis=0)
    k = float(boolean_kernel(101, 25))
    error = products.std() / sqrt(N_NETWORKS)
    assert abs(products.mean() - (1 + 2 * k**2 * (1 - 1 / width))) <= 4 * error


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((0, 0), ValueError, "n must be an integer >= 1"),
        ((5, 6), ValueError, r"d must be an integer in \[0, 5\]"),
        ((5, 1.0), TypeError, r"d must be an integer in \[0, 5\]"),
        ((5, 1, -1), ValueError, "dead_zone must be an integer >= 0"),
    ],
)
def test_bad_arguments_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        boolean_kernel(*arguments)
