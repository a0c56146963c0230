"""Samples in batches: an order is cut where it should be, however much of it is computed at a time."""

import numpy as np
import pytest

from bvar.bits import RandomWords
from bvar.bits.order import KeyedOrder
from bvar.training.data import cut


@pytest.mark.parametrize("n", [1, 8192, 20_000])
@pytest.mark.parametrize("batch_size", [1, 300, 8192, 9000, 50_000])
def test_an_order_is_cut_into_batches_of_a_size_and_a_rest(n, batch_size):
    keyed = KeyedOrder(n, RandomWords(0).words.random_raw(6))
    for order in (RandomWords(0).permutation(n), keyed):
        batches = list(cut(order, batch_size))
        sizes = [len(rows) for rows in batches]
        assert sizes == [batch_size] * (n // batch_size) + [n % batch_size] * (n % batch_size > 0)
        assert (np.concatenate(batches) == order[:n]).all()
