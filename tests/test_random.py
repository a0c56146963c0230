"""Random words: golden numbers, so that a change of NumPy or of the recipe cannot pass unseen."""

import numpy as np
import pytest

from bvar._random import RandomWords
from bvar.bits import BitMatrix


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
