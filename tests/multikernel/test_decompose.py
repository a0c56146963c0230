"""Matrices as sums of Boolean kernels: the numbers of the papers, and the laws that the proofs promise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bvar import kernels
from bvar.bits import BitMatrix, RandomWords
from bvar.multikernel import MAX_KERNELS, Kernels, decompose

FEW = settings(max_examples=25, deadline=None)
NUMBERS = st.floats(-100, 100, width=32)
MATRICES = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7), elements=NUMBERS)


def gaussian(n):
    """Normal numbers by the rule of Box and Muller."""
    source = RandomWords(0)
    u, v = (source.uniform(n, n) + 1) / 2, source.uniform(n, n)
    return np.sqrt(-2 * np.log(u)) * np.cos(np.pi * v)


def squared_error(kept, w):
    return (kept.error(w) * np.linalg.norm(w)) ** 2


def test_the_worked_example_comes_out():
    w = np.array([[3.0, -1.0], [2.0, 2.0]])
    one = decompose(w, 1)
    assert kernels.unpack(one.signs[0]).tolist() == [[True, False], [True, True]]
    # the roots of the scales are a convention, products are not: sigma u v^T
    product = np.outer([1.523646, 1.345047], [1.757843, 1.020116])
    assert np.abs(np.outer(one.output_scales[0], one.input_scales[0]) - product).max() < 1e-5
    assert abs(one.error(w) - 0.228247) < 1e-6
    two = decompose(w, 2, n_rounds=0)
    assert kernels.unpack(two.signs[1]).tolist() == [[True, True], [False, True]]
    assert two.error(w) < 1e-6


@FEW
@given(MATRICES)
@example(np.array([[17.0, 1, 0], [0, 0, 17]]))  # of which the two largest are nearly equal
def test_one_kernel_leaves_all_but_the_largest_singular_value_of_the_magnitudes(w):
    largest, *others = [*np.linalg.svd(np.abs(w), compute_uv=False) ** 2, 0.0]
    # Rounds begin at the sums of m rows. A unit vector u without negative entries has 1 or more in common with
    # (1, ..., 1), so of m squares m - 1 or fewer lie beside it, and each of 1000 rounds shrinks them by a ratio.
    beside = (len(w) - 1) * max((largest - s) * (s / largest) ** 2000 for s in others) if largest else 0.0
    # 1e-6: the scales are float32, relative to what they approximate
    assert squared_error(decompose(w, 1), w) == pytest.approx(
        sum(others), abs=1e-6 * np.sum(w**2) + beside + 1e-30
    )


@FEW
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 2)), elements=NUMBERS))
def test_magnitudes_of_rank_two_are_exact_with_two_kernels_one_after_the_other(w):
    assert decompose(w, 2, n_rounds=0).error(w) < 1e-5


@FEW
@given(MATRICES, st.integers(1, 4))
def test_the_error_never_rises_with_rounds(w, n_kernels):
    errors = [decompose(w, n_kernels, n_rounds=n).error(w) for n in (0, 1, 2, 5)]
    assert all(after <= before + 1e-6 for before, after in pairwise(errors))


@FEW
@given(MATRICES)
def test_the_error_never_rises_with_kernels_one_after_the_other(w):
    errors = [decompose(w, n, n_rounds=0).error(w) for n in (1, 2, 3, 4)]
    assert all(after <= before + 1e-6 for before, after in pairwise(errors))


def test_a_gaussian_matrix_ends_at_the_scalar_optimum():
    w = gaussian(256)
    successive = [decompose(w, n, n_rounds=0).error(w) for n in (1, 2, 3, 4)]
    refined = [decompose(w, n, n_rounds=15).error(w) for n in (1, 2, 3, 4)]
    assert np.abs(np.array(successive) - (0.600, 0.360, 0.240, 0.180)).max() < 0.003
    assert (np.array(refined) <= (0.602, 0.340, 0.193, 0.108)).all()


@FEW
@given(MATRICES, st.integers(1, 3), st.sampled_from([0.25, 2.0, 8.0]))
def test_a_multiple_has_the_same_signs_and_a_multiple_of_the_scales(w, n_kernels, factor):
    one, other = decompose(w, n_kernels), decompose(factor * w, n_kernels)
    # scales, products and sums of at most three kernels are rounded to float32: 12 times 2**-24 at most; and a
    # scale below the normal numbers by 2**-150, times another of at most 2**10
    sizes = np.abs(one.output_scales).T @ np.abs(one.input_scales)
    assert (np.abs(other.compose() - factor * one.compose()) <= 2**-20 * factor * sizes + 2**-140).all()


def test_permuted_rows_and_columns_permute_the_kernels():
    w = gaussian(12)[:9]
    rows, columns = RandomWords(1).permutation(9), RandomWords(2).permutation(12)
    one, other = decompose(w, 3), decompose(w[rows][:, columns], 3)
    assert np.abs(other.compose() - one.compose()[rows][:, columns]).max() < 1e-5


def test_the_transpose_has_the_scales_swapped():
    w = gaussian(9)[:5]
    one, other = decompose(w, 2, n_rounds=0), decompose(w.T, 2, n_rounds=0)
    assert np.abs(other.output_scales - one.input_scales).max() < 1e-6
    assert np.abs(other.input_scales - one.output_scales).max() < 1e-6


def test_a_matrix_of_zeros_has_signs_t_and_scales_zero():
    zero = decompose(np.zeros((3, 70)), 2)
    assert all(kernels.unpack(bits).all() for bits in zero.signs)
    assert not zero.output_scales.any()
    assert not zero.compose().any()
    assert zero.error(np.zeros((3, 70))) == 0


def test_a_row_of_zeros_has_output_scales_zero():
    w = gaussian(6)
    w[2] = 0
    kept = decompose(w, 3, n_rounds=0)
    assert not kept.output_scales[:, 2].any()


def test_signs_are_the_nearest_sums():
    """After the last choice of scales, no entry is nearer to another sum than scales have moved."""
    w = gaussian(16)
    kept = decompose(w, 2, n_rounds=60)  # at rest by then
    a, b = kept.output_scales[:, :, None], kept.input_scales[:, None, :]
    sums = np.stack([s * a[0] * b[0] + t * a[1] * b[1] for s in (1, -1) for t in (1, -1)])
    assert np.abs(np.abs(w - kept.compose()) - np.abs(w - sums).min(axis=0)).max() < 1e-5


def test_weighted_inputs_are_approximated_better_where_they_count():
    w, u = gaussian(32), np.ones(32)
    u[:4] = 30
    plain, weighted = decompose(w, 2), decompose(w, 2, input_weights=u)
    assert np.linalg.norm((w - weighted.compose()) * u) < 0.9 * np.linalg.norm((w - plain.compose()) * u)


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda w: w[::2, 1:], lambda w: np.round(10 * w).astype(np.int8), np.float16]
)
def test_any_layout_and_kind_of_number_is_taken_and_left_alone(make):
    w = make(gaussian(8))
    before = w.copy()
    w.flags.writeable = False
    kept = decompose(w, 2)
    assert (w == before).all()
    assert np.abs(kept.compose() - decompose(np.array(w, np.float64, order="C"), 2).compose()).max() == 0


def test_decompose_is_deterministic():
    one, other = decompose(gaussian(20), 3), decompose(gaussian(20), 3)
    assert (one.output_scales == other.output_scales).all()
    assert all((a.words == b.words).all() for a, b in zip(one.signs, other.signs, strict=True))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([[1.0, np.nan]], 1), "weight must be finite"),
        (([[np.inf]], 1), "weight must be finite"),
        (([[1.0, -1e39]], 1), r"weight must be within 3\.40282e\+38 of 0, the range of float32, got 1e\+39"),
        (([[1.0], [1.0, 2.0]], 1), "weight must be an array, got rows of different lengths"),
        (([1.0, 2.0], 1), "weight must be a matrix"),
        ((np.zeros((0, 3)), 1), "weight must be a matrix with entries"),
        (([["a"]], 1), "weight must be a matrix of real numbers"),
        (([[1j]], 1), "weight must be a matrix of real numbers"),
        (([[1.0]], 0), "n_kernels must be an integer in"),
        (([[1.0]], 9), "n_kernels must be an integer in"),
        (([[1.0]], True), "n_kernels must be an integer in"),
    ],
)
def test_what_is_no_matrix_or_no_number_of_kernels_is_refused(arguments, text):
    with pytest.raises((TypeError, ValueError), match=text):
        decompose(*arguments)


@pytest.mark.parametrize("u", [[1.0], [0.0, 1.0], [np.nan, 1.0], [1j, 1.0], ["a", "b"], [[1.0], [1.0, 2.0]]])
def test_input_weights_must_fit_and_be_positive(u):
    with pytest.raises((TypeError, ValueError), match="input_weights must"):
        decompose(np.ones((2, 2)), 1, input_weights=u)


def test_kernels_refuse_what_does_not_belong_together():
    bits = kernels.pack(np.ones((2, 3), bool))
    a, b = np.ones((1, 2), np.float32), np.ones((1, 3), np.float32)
    assert Kernels([bits], a, b).n_bits_per_weight == 1 + 16 * 5 / 6
    for signs, rows, columns, text in [
        ([], a, b, f"1 to {MAX_KERNELS} BitMatrix"),
        ([bits, bits[:1]], a, b, "one shape"),
        ([BitMatrix(bits.words, 3, bits.words)], a, b, "no missing values"),
        ([bits], a[:, :1], b, "output_scales must have shape"),
        ([bits], a, np.float32([[1, np.nan, 1]]), "input_scales must be finite"),
    ]:
        with pytest.raises(ValueError, match=text):
            Kernels(signs, rows, columns)
    with pytest.raises(TypeError, match="float32"):
        Kernels([bits], a.astype(float), b)
    with pytest.raises(ValueError, match="weight must have shape"):
        Kernels([bits], a, b).error(np.ones((3, 2)))


@pytest.mark.parametrize("factor", [2.0**-500, 2.0**-20, 2.0**500])
def test_a_common_factor_of_input_weights_does_not_matter(factor):
    w, u = np.random.RandomState(0).randn(6, 8), np.linspace(1, 3, 8)
    plain, scaled = decompose(w, 2, input_weights=u), decompose(w, 2, input_weights=factor * u)
    assert (plain.input_scales == scaled.input_scales).all()
    assert (plain.output_scales == scaled.output_scales).all()
