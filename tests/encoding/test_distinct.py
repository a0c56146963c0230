"""The numbers of a column and how often they occur, against `numpy.unique`."""

import numpy as np
import pytest

from bvar.encoding.distinct import distinct

DTYPES = [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64]
DTYPES += [np.float16, np.float32, np.float64, np.longdouble]


@pytest.mark.parametrize("n", [0, 1, 2, 300])
@pytest.mark.parametrize("dtype", DTYPES)
def test_distinct_numbers_and_counts_are_those_of_numpy(dtype, n):
    rng = np.random.default_rng(n)
    for high in (1, 3, 200):
        numbers = rng.integers(-high, high + 1, n).astype(dtype)
        if numbers.dtype.kind == "f":
            numbers[rng.random(n) < 0.3] = np.nan
        before = numbers.copy()
        values, counts = distinct(numbers)
        expected, times = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
        np.testing.assert_array_equal(values, expected, strict=True)
        np.testing.assert_array_equal(counts, times)
        np.testing.assert_array_equal(numbers, before)


def test_a_column_that_is_missing_altogether_has_no_number():
    values, counts = distinct(np.full(5, np.nan))
    assert (len(values), len(counts)) == (0, 0)
