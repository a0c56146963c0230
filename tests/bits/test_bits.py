"""The layout of bits: words, tails, canonical padding, and the checks that keep it so."""

import numpy as np
import pytest

from bvar import kernels
from bvar.bits import BitMatrix, n_words, tail_mask

U = np.uint64


def test_every_length_takes_the_words_it_needs():
    assert [n_words(n) for n in range(200)] == [len(range(0, n, 64)) for n in range(200)]


def test_the_tail_mask_has_a_bit_for_each_legal_position():
    for n in range(1, 200):
        assert bin(tail_mask(n)).count("1") == ((n - 1) % 64) + 1


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64])
def test_lengths_may_be_integers_of_any_width(kind):
    assert [tail_mask(kind(n)) for n in (1, 36, 100, 127)] == [tail_mask(n) for n in (1, 36, 100, 127)]
    assert [n_words(kind(n)) for n in (1, 64, 127)] == [1, 1, 2]
    assert type(BitMatrix(np.array([[5]], U), kind(3)).n_bits) is int


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ((slice(None), slice(1)), TypeError, "rows must be a slice or a row of indices"),
        (2, TypeError, "rows must be a slice or a row of indices"),
        (None, TypeError, "rows must be a slice or a row of indices"),
        ("a", TypeError, "rows must be a slice or a row of indices"),
        ([0.5], TypeError, "rows must be a slice or a row of indices"),
        ([[0]], TypeError, "rows must be a slice or a row of indices"),
        ([3], IndexError, r"rows must be in \[-3, 3\), got 3 to 3"),
        ([True, False], IndexError, "rows must have a bool for each of the 3 rows, got 2"),
    ],
)
def test_rows_are_chosen_by_a_slice_or_a_row_of_indices(rows, error, words):
    with pytest.raises(error, match=words):
        kernels.pack(np.ones((3, 70), bool))[rows]


def test_rows_may_be_chosen_twice_or_not_at_all():
    bits = kernels.pack(np.eye(3, 70, dtype=bool))
    assert (bits[[2, 0, -1]].words == bits.words[[2, 0, 2]]).all()
    assert (bits[np.array([True, False, True])].words == bits.words[[0, 2]]).all()
    assert len(bits[[]]) == len(bits[3:]) == 0


@pytest.mark.parametrize(
    ("words", "n_bits", "known", "error", "text"),
    [
        (np.zeros((1, 1), np.int64), 3, None, TypeError, "words must be an array of uint64"),
        (np.zeros(1, U), 3, None, ValueError, r"words must have 2 dimension\(s\)"),
        (np.zeros((1, 1), U), 65, None, ValueError, r"n_bits=65 does not fit words .* take 2 word\(s\)"),
        (np.zeros((1, 2), U), 64, None, ValueError, "n_bits=64 does not fit"),
        (np.zeros((1, 1), U), -1, None, ValueError, "n_bits must be an integer in"),
        (np.zeros((1, 1), U), 3.0, None, TypeError, "n_bits must be an integer in"),
        (np.array([[8]], U), 3, None, ValueError, "words has bits set at or above n_bits=3"),
        (np.array([[1]], U), 3, np.array([[15]], U), ValueError, "known has bits set at or above n_bits=3"),
        (np.array([[1]], U), 3, np.zeros((2, 1), U), ValueError, "known must have the shape of words"),
        (np.array([[1]], U), 3, np.array([[2]], U), ValueError, "neither F nor T"),
    ],
)
def test_a_wrong_matrix_is_refused(words, n_bits, known, error, text):
    with pytest.raises(error, match=text):
        BitMatrix(words, n_bits, known)


def test_rows_are_selected_by_slices_and_indices():
    values = np.array([[1, 0, -1], [1, 1, 1], [-1, 0, 0]], np.int8)
    b = kernels.pack(values)
    for rows in (slice(1, 3), np.array([2, 0]), np.array([], int)):
        np.testing.assert_array_equal(kernels.unpack_ternary(b[rows]), values[rows], strict=True)
    with pytest.raises(TypeError, match="b\\[i : i \\+ 1\\] is one row"):
        b[0]


def test_concatenation_stacks_rows_and_keeps_what_is_missing():
    parts = [np.array([[1, -1, 1]], np.int8), np.array([[0, 1, -1]], np.int8)]
    stacked = BitMatrix.concatenate([kernels.pack(p) for p in parts])
    BitMatrix(stacked.words, stacked.n_bits, stacked.known)
    np.testing.assert_array_equal(kernels.unpack_ternary(stacked), np.concatenate(parts), strict=True)
    with pytest.raises(ValueError, match="equal n_bits"):
        BitMatrix.concatenate([kernels.pack(np.ones((1, n), np.bool_)) for n in (2, 3)])


def test_a_copy_has_memory_of_its_own():
    b = kernels.pack(np.array([[1, 0]], np.int8))
    c = b.copy()
    c.words[:] = 0
    assert b.words.tolist() == [[1]]
