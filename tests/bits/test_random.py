"""Random words: golden numbers, so that a change of NumPy or of the recipe cannot pass unseen."""

import numpy as np
import pytest

from bvar.bits import BitMatrix, RandomWords


def test_the_stream_is_the_documented_one():
    bits = RandomWords(0).bits(2, 70)
    raw = np.random.PCG64(0).random_raw(4).tolist()
    assert bits.words.tolist() == [[raw[0], raw[1] & 63], [raw[2], raw[3] & 63]]
    assert raw[0] == 11749869230777074271  # PCG64(0), guaranteed by NumPy
    BitMatrix(bits.words, bits.n_bits)


def test_a_permutation_sorts_raw_words():
    raw = np.random.PCG64(7).random_raw(50).tolist()
    assert RandomWords(7).permutation(50).tolist() == sorted(range(50), key=lambda i: raw[i])


def test_random_state_is_that_of_scikit_learn():
    a, b = (RandomWords(np.random.RandomState(3)).bits(1, 64).words for _ in range(2))
    assert a.tolist() == b.tolist()
    assert RandomWords(None).bits(1, 640).words.tolist() != RandomWords(None).bits(1, 640).words.tolist()
    for bad in ("seed", 1.5, -1):
        with pytest.raises(ValueError, match=r"seed|random_state"):
            RandomWords(bad)


def test_rare_bits_are_rare_and_follow_the_recipe():
    raw = np.random.PCG64(3).random_raw(40).reshape(5, 8, 1)
    first = RandomWords(3).rare_bits(8, 64, 0b000110)  # the lowest set bit is the second: or, or, and, and, and
    want = (((raw[0] | raw[1]) & raw[2]) & raw[3]) & raw[4]
    assert first.words.tolist() == want.tolist()
    for k in (1, 8, 32, 63):
        count = int(np.bitwise_count(RandomWords(0).rare_bits(100, 640, k).words).sum())
        # 64000 coins: six standard deviations
        assert abs(count - 1000 * k) < 6 * np.sqrt(64000 * k / 64 * (1 - k / 64))
    BitMatrix(*vars(RandomWords(0).rare_bits(3, 70, 31)).values())
