"""Random words: golden numbers, so that a change of NumPy or of the recipe cannot pass unseen."""

import numpy as np
import pytest

from bvar.bits import BitMatrix, RandomWords
from bvar.bits.order import KeyedOrder


def test_the_stream_is_the_documented_one():
    bits = RandomWords(0).bits(2, 70)
    raw = np.random.PCG64(0).random_raw(4).tolist()
    assert bits.words.tolist() == [[raw[0], raw[1] & 63], [raw[2], raw[3] & 63]]
    assert raw[0] == 11749869230777074271  # PCG64(0), guaranteed by NumPy
    BitMatrix(bits.words, bits.n_bits)


def test_a_permutation_sorts_raw_words():
    raw = np.random.PCG64(7).random_raw(50).tolist()
    assert RandomWords(7).permutation(50).tolist() == sorted(range(50), key=lambda i: raw[i])


def mixture(word):
    """The finalizer of splitmix64, in integers that do not wrap by themselves."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = (word ^ word >> shift) * factor % 2**64
    return word ^ word >> 31


def documented(n, keys, place):
    upper = (n - 1).bit_length() // 2
    lower = (n - 1).bit_length() - upper
    while True:
        high, low = divmod(place, 2**lower)
        for i, key in enumerate(keys):
            if i % 2:
                low ^= mixture((high + key) % 2**64) >> 64 - lower
            else:
                high ^= mixture((low + key) % 2**64) >> 64 - upper
        place = high << lower | low
        if place < n:
            return place


def test_a_long_order_is_the_documented_one():
    source, n = RandomWords(7), 10**7 + 1
    keys = np.random.PCG64(7).random_raw(7).tolist()
    order = source.order(n)
    assert len(order) == n
    places = [0, 1, 2, 5_000_000, n - 1]
    assert [order[i : i + 1].tolist() for i in places] == [[documented(n, keys[:6], i)] for i in places]
    assert order[n - 2 : n + 5].tolist() == [documented(n, keys[:6], i) for i in (n - 2, n - 1)]
    assert order[:0].tolist() == []
    assert source.words.random_raw() == keys[6]
    assert RandomWords(7).order(50).tolist() == RandomWords(7).permutation(50).tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 63, 64, 65, 1000, 4097, 2**17 + 1])
def test_a_keyed_order_has_every_number_once(n):
    order = KeyedOrder(n, RandomWords(n).words.random_raw(6))
    assert (np.sort(order[:n]) == np.arange(n)).all()


def test_a_keyed_order_mixes_as_well_as_chance():
    """In batches of 1000 the numbers of ten sorted classes are spread as draws without replacement are."""
    n, spread = 10**5, []
    for seed in range(5):
        order = KeyedOrder(n, RandomWords(seed).words.random_raw(6))[:n]
        counts = np.stack([np.bincount(rows // (n // 10), minlength=10) for rows in np.split(order, 100)])
        spread.append(((counts - 100) ** 2 / 100).sum())
        assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 5 / np.sqrt(n)
    assert abs(np.mean(spread) / (100 * 9 * 0.99) - 1) < 5 * np.sqrt(2 / (9 * 500))


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
