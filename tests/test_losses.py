"""The integer cross-entropy: equal to the oracle, close to the real one by a derived bound, never out of range."""

import math

import numpy as np
import pytest
import spec
from hypothesis import given
from hypothesis import strategies as st

from bvar.losses import CrossEntropy

SCORES = st.integers(1, 6).flatmap(
    lambda k: st.lists(st.lists(st.integers(-3000, 3000), min_size=k, max_size=k), min_size=1, max_size=5)
)


@given(scores=SCORES, fan_in=st.sampled_from([1, 7, 100, 4096]), seed=st.integers(0, 99))
def test_signals_are_the_rounded_difference_of_softmax_and_label(scores, fan_in, seed):
    loss = CrossEntropy(fan_in, 1.0)
    y = np.random.default_rng(seed).integers(0, len(scores[0]), len(scores))
    s = np.array(scores, np.int32)
    z = loss.signals(s, y)
    assert z.dtype == np.int8
    assert z.tolist() == spec.cross_entropy_signals(scores, y.tolist(), loss.table.tolist())
    assert (abs(z.astype(int)) <= 127).all()
    p = loss.probabilities(s)
    # each weight is off by at most 2**-21 of the largest one, so p by k * 2**-21; then 127 p is rounded
    assert abs(z - 127 * (p - np.eye(len(scores[0]))[y])).max() <= 0.5 + 1e-9
    logits = s / math.sqrt(fan_in)
    exact = np.exp(logits - logits.max(axis=1, keepdims=True))
    exact /= exact.sum(axis=1, keepdims=True)
    assert abs(p - exact).max() <= (len(scores[0]) + 1) * 2.0**-21
    np.testing.assert_array_equal(p.argmax(axis=1), s.argmax(axis=1))


def test_the_table_is_the_rounded_exponential():
    for fan_in, temperature in ((1, 1.0), (100, 0.5), (1024, 2.0)):
        table = CrossEntropy(fan_in, temperature).table
        scale = temperature * math.sqrt(fan_in)
        for d, entry in enumerate(table.tolist()):
            # float64 is good to 1e-15 here; 1e-6 decides no rounding of a number that is not that near a half
            assert abs(entry - 2**20 * math.exp(-d / scale)) <= 0.5 + 1e-6
        assert table[0] == 2**20
        assert table[-1] == 0


def test_values_are_the_negative_log_probabilities():
    loss = CrossEntropy(4, 1.0)
    s = np.array([[0, 2], [100, -100]], np.int32)
    got = loss.values(s, np.array([0, 1]))
    assert abs(got[0] - math.log(1 + math.e)) < 2e-6  # table entries are off by at most 2**-21
    assert abs(got[1] - 20 * math.log(2)) < 1e-12  # where the table ends


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: CrossEntropy(0), ValueError, "fan_in must be an integer >= 1"),
        (lambda: CrossEntropy(1, 0.0), ValueError, "temperature must be a finite number > 0"),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2)), np.zeros(1, int)),
            TypeError,
            "scores must be an array of int32",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2), np.int32), np.zeros(1)),
            TypeError,
            "y must be a 1-D array of class",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((1, 2), np.int32), np.array([2])),
            ValueError,
            r"y must be in \[0, 1\]",
        ),
        (
            lambda: CrossEntropy(1).signals(np.zeros((2, 2), np.int32), np.array([1])),
            ValueError,
            "y has 1 entries",
        ),
    ],
)
def test_bad_input_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()
