"""From numbers alone: where rows are, and the words that are theirs."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from bvar.bits import RandomWords
from bvar.distributed.encoders import fit_encoder
from bvar.distributed.partitions import n_rows_of, stack, take, with_column
from bvar.distributed.rows import AllRows, NumberedData, RowOrder, source_of_rows, words_at
from bvar.encoding import TableEncoder, UnateEncoder
from bvar.networks import FULL_WEIGHT
from bvar.training import TrainingData
from bvar.training.data import heard, noisy


def state_of(source):
    inner = source.words.state["state"]
    return inner["state"], inner["inc"]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(1, 70), st.integers(0, 3))
def test_words_are_those_of_the_stream_whether_it_is_drawn_or_jumped_over(starts, width, drawn_before):
    source = RandomWords(5)
    source.words.random_raw(drawn_before)
    state = state_of(source)
    stream = source.words.random_raw(6000)
    expected = [stream[start : start + width] for start in starts]
    assert (words_at(state, np.array(starts), width) == expected).all()


@pytest.mark.parametrize("sixty_fourths", [1, 8, 12, 32])
def test_noise_of_some_rows_is_that_of_the_batch(sixty_fourths):
    source = RandomWords(3)
    state = state_of(source)
    noise = source.rare_bits(900, 130, sixty_fourths)
    rows = np.array([5, 880, 3, 400])
    assert (source_of_rows(state, 900, rows).rare_bits(4, 130, sixty_fourths).words == noise.words[rows]).all()


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("flip_noise", [0.0, 3 / 64])
def test_numbered_data_are_the_batches_of_training_data(weighted, flip_noise, is_long, monkeypatch):
    """The stream is at the same place afterwards, and what single rows draw is what the whole batch drew."""
    if is_long:
        monkeypatch.setattr("bvar.bits.random._MOST_SORTED", 100)
    x, y = RandomWords(0).bits(250, 70), np.arange(250) % 3
    weights = (
        np.random.RandomState(0).randint(1, FULL_WEIGHT, 250) // np.repeat([1, 50], 125) if weighted else None
    )
    here, there = RandomWords(7), RandomWords(7)
    near = TrainingData(x, y, weights, 47, flip_noise)
    far = NumberedData(AllRows(250), y, weights, 47, flip_noise, 70)
    for _ in range(2):
        for (bits, codes, heavy), batch in zip(near.epoch(0.0, here), far.epoch(0.0, there), strict=True):
            places = np.flatnonzero(batch.rows % 2)  # a worker that has the odd rows
            rows = batch.rows[places]
            mine = x[rows]
            if batch.noise is not None:
                mine = noisy(mine, flip_noise, source_of_rows(batch.noise, len(batch.rows), places))
            assert (mine.words == bits.words[places]).all()
            assert (y[rows] == codes[places]).all()
            if weighted:
                assert batch.turns is not None
                loud = heard(weights[rows], source_of_rows(batch.turns, 250, rows))
                assert (loud == heavy[places]).all()
        assert here.words.state == there.words.state


def test_numbers_of_a_thousand_million_rows_take_no_memory():
    data = NumberedData(AllRows(10**9), np.zeros(0, int), None, 1000, 0.0, 64)
    batches = data.epoch(0.0, RandomWords(0))
    first, second = next(batches), next(batches)
    assert first.is_first
    assert not second.is_first
    assert len(set(first.rows.tolist() + second.rows.tolist())) == 2000
    assert 0 <= min(first.rows) < 10**7
    assert 99 * 10**7 < max(first.rows) < 10**9


def test_rows_are_dealt_to_the_shards_that_have_them():
    order = RowOrder.of(np.array([3, 1, 4, 2]), np.array([0, 1, 0, 1]))
    rows = np.array([9, 0, 5, 3, 2])
    dealt = {shard: (local.tolist(), at.tolist()) for shard, local, at in order.deal(rows)}
    assert dealt == {0: ([0, 4, 2], [1, 2, 4]), 1: ([2, 0], [0, 3])}


TABLES = {
    "array": np.arange(6.0).reshape(3, 2),
    "objects": np.array([["a", 1], ["b", None], ["a", 3]], dtype=object),
    "frame": pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"]}, index=[5, 5, 7]),
    "numbered": pd.DataFrame(np.arange(6).reshape(3, 2)),
    "polars": pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"]}),
    "sparse": scipy.sparse.csr_matrix(np.eye(3)[:, :2]),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_pieces_of_every_kind_of_table_are_cut_stacked_and_learnt_from(table):
    rows = np.array([2, 0])
    assert n_rows_of(table) == 3
    twice = stack([table, take(table, rows)])
    assert twice.shape == (5, 2)
    more = with_column(twice, np.arange(5) % 2)
    assert more.shape == (5, 3)
    encoder = TableEncoder().fit(more)
    assert encoder.thresholds_[-1].tolist() == [0.5]
    alone = TableEncoder().fit(twice)
    assert [t.tolist() for t in encoder.thresholds_[:-1]] == [t.tolist() for t in alone.thresholds_]
    assert encoder.categories_[:-1] == alone.categories_


def test_constraints_are_refused_on_a_cluster_before_anything_is_asked_of_it():
    with pytest.raises(TypeError, match="monotonic_cst must be None on a cluster"):
        fit_encoder(UnateEncoder(monotonic_cst=[1]), None, np.arange(3), np.arange(3))
