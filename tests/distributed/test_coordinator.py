"""The crew that asks others, with workers of this very process: what is asked, and that the model is the same."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bvar import ThermometerEncoder
from bvar.bits import BitMatrix, RandomWords
from bvar.distributed import Coordinator, bytes_of_step, shard
from bvar.distributed.rows import NumberedData, RowOrder
from bvar.distributed.shard import Shard, answer
from bvar.distributed.wire import Answer, packed, total
from bvar.mollify import ThresholdAnnealing
from bvar.networks import (
    FULL_WEIGHT,
    BooleanOptimizer,
    CrossEntropy,
    Network,
    Votes,
    boolean_mlp,
    front_network,
    gate_network,
)
from bvar.real import RealLinear
from bvar.training import Trainer, TrainingData

X, Y = load_digits(return_X_y=True)
BITS = ThermometerEncoder(4).fit(X).encode(X)[:500]
Y = Y[:500]
WEIGHTS = np.where(Y > 6, FULL_WEIGHT, FULL_WEIGHT // 20)
NETWORKS = {
    "sums": lambda: boolean_mlp([BITS.n_bits, 64, 10], random_state=0),
    "gates": lambda: gate_network([BITS.n_bits, 400], 10, random_state=0),
    "gates and sums": lambda: front_network([BITS.n_bits, 64, 10], gates=50, random_state=0),
}


class Here:
    """Workers in this process: what they are asked and answer is kept."""

    def __init__(self, data, n_shards):
        edges = len(data) * np.arange(n_shards + 1) // n_shards
        self.order = RowOrder.of(np.diff(edges), np.arange(n_shards))
        weights = [None] * n_shards if data.sample_weight is None else np.split(data.sample_weight, edges[1:-1])
        self.shards = [
            Shard(data.x[a:b], data.y[a:b], w, np.arange(a, b))
            for a, b, w in zip(edges[:-1], edges[1:], weights, strict=True)
        ]
        self.asked = []
        self.spoils = lambda question: question

    def ask(self, questions, name):
        self.asked.append(questions)
        return total(answer(self.spoils(q), self.shards[i], i) for i, q in questions.items())

    def end(self, run):
        pass


def numbered(data):
    return NumberedData(np.arange(500), data.y, data.sample_weight, data.batch_size, data.flip_noise, BITS.n_bits)


def run(network, data, crew=None, max_iter=2, **parameters):
    return Trainer(network, crew=crew).run(data, max_iter, random_state=7, **parameters)


def data_with(weights=None, batch_size=47):
    return TrainingData(BITS, Y, weights, batch_size, 1 / 16)


@pytest.mark.parametrize("way", ["votes", "signals"])
@pytest.mark.parametrize("n_shards", [1, 2, 5])
@pytest.mark.parametrize("network", ["sums", "gates and sums"])
def test_both_ways_of_a_step_are_the_same_bits(way, n_shards, network):
    data = data_with(WEIGHTS)
    alone = run(NETWORKS[network](), data)
    crew = Coordinator(Here(data, n_shards), numbered(data), way=way)
    shared = run(NETWORKS[network](), numbered(data), crew)
    assert crew.way_ == way
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_


def test_fewer_bytes_are_the_way_and_both_are_said():
    """Votes take two bytes for each weight, signals of a sample a byte for each unit and a bit for each input.

    On tables of gates, which are small, there are votes beside the signals.
    """
    network = NETWORKS["sums"]()
    assert bytes_of_step(network, 47) == {
        "votes": 2 * (BITS.n_bits * 64 + 64 * 10),
        "signals": 47 * (64 + 10 + 8 * (4 + 1)),
    }
    assert bytes_of_step(NETWORKS["gates"](), 47).keys() == {"votes"}
    assert bytes_of_step(NETWORKS["gates and sums"](), 47) == {
        "votes": 2 * (50 * 4 + (BITS.n_bits + 50) * 64 + 64 + 64 * 10 + 10),
        "signals": 47 * (64 + 10 + 8 * (-(-(BITS.n_bits + 50) // 64) + 1)) + 2 * 50 * 4,
    }
    for batch_size, way in ((47, "signals"), (400, "votes")):
        data = data_with(batch_size=batch_size)
        crew = Coordinator(Here(data, 2), numbered(data))
        run(NETWORKS["sums"](), numbered(data), crew, max_iter=1)
        assert crew.way_ == way


def test_the_network_travels_once_and_then_what_has_moved():
    data = data_with()
    crew = Coordinator(Here(data, 3), numbered(data))
    run(NETWORKS["sums"](), numbered(data), crew)
    first, *others = crew.workers.asked
    assert all(question.is_whole for question in first.values())
    assert not any(question.is_whole for questions in others for question in questions.values())
    assert max(len(q.news) for questions in others for q in questions.values()) < len(first[0].news) / 4


def test_a_worker_that_has_forgotten_is_sent_the_network():
    data = data_with()
    alone = run(NETWORKS["sums"](), data)
    crew = Coordinator(Here(data, 2), numbered(data))
    take = crew.step

    def step(network, batch):
        if len(crew.workers.asked) % 5 == 0:
            shard._copies.clear()
        return take(network, batch)

    crew.step = step
    shared = run(NETWORKS["sums"](), numbered(data), crew)
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert sum(any(q.is_whole for q in questions.values()) for questions in crew.workers.asked) > 3


def test_a_worker_whose_memory_is_bad_is_found_at_the_next_epoch():
    data = data_with()
    crew = Coordinator(Here(data, 2), numbered(data))

    def spoil(trainer):
        for copy in shard._copies.values():
            copy.network.layers[0].weight.bits.words[0, 0] ^= np.uint64(1)

    with pytest.raises(ValueError, match="workers must have the network of step 11, but these have another"):
        run(NETWORKS["sums"](), numbered(data), crew, callbacks=spoil)


def change_a_weight(trainer):
    trainer.network_.layers[0].weight.bits.words[0, 0] ^= np.uint64(1)
    trainer.network_.layers[0].weight.refresh()


@pytest.mark.parametrize("change", [change_a_weight, ThresholdAnnealing()], ids=["weight", "threshold"])
def test_what_a_callback_changes_is_changed_at_the_workers_too(change):
    data = data_with()
    alone = run(NETWORKS["sums"](), data, max_iter=4, callbacks=change)
    crew = Coordinator(Here(data, 2), numbered(data))
    shared = run(NETWORKS["sums"](), numbered(data), crew, max_iter=4, callbacks=change)
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_
    assert alone.history_ != run(NETWORKS["sums"](), data, max_iter=4).history_


def test_a_worker_of_another_version_is_refused():
    data = data_with()
    crew = Coordinator(Here(data, 2), numbered(data))
    crew.workers.spoils = lambda question: replace(question, bvar="0.0")
    with pytest.raises(RuntimeError, match=r"this worker has bvar .*, but is asked by bvar 0\.0"):
        run(NETWORKS["sums"](), numbered(data), crew)


def test_real_weights_are_refused_with_the_reason():
    layers = [RealLinear(BITS.n_bits, 10, random_state=0)]
    network = Network(layers, CrossEntropy(BITS.n_bits), BooleanOptimizer())
    crew = Coordinator(Here(data_with(), 2), numbered(data_with()))
    with pytest.raises(ValueError, match="network must be of bits alone for a crew of many: sums of real weights"):
        crew.scores(network, np.arange(3))


def test_missing_values_stay_where_they_are():
    known = RandomWords(3).bits(500, BITS.n_bits).words
    x = BitMatrix(BITS.words & known, BITS.n_bits, known)
    data = TrainingData(x, Y, None, 47, 1 / 16)
    alone = run(NETWORKS["sums"](), data)
    for way in ("votes", "signals"):
        shared = run(NETWORKS["sums"](), numbered(data), Coordinator(Here(data, 3), numbered(data), way=way))
        assert shared.network_.fingerprint() == alone.network_.fingerprint()


def test_answers_are_added_up_wide_and_stay_as_they_were():
    def said(q, shard):
        return Answer(packed(Votes((np.array([[q, -1]], np.int32),), 2, 2**17, 1, 0)), (), ((str(shard), "f"),))

    answers = [Answer(behind=(7,)), said(2**31 - 300, 0), said(100, 1), said(100, 2)]
    for _ in range(2):
        heard = total(answers)
        assert heard.value.tensors[0].tolist() == [[2**31 - 100, -3]]
        assert (heard.value.n_samples, heard.behind) == (6, (7,))
        assert [who for who, _ in heard.fingerprints] == ["0", "1", "2"]
    with pytest.raises(OverflowError, match="votes on a weight do not fit int32"):
        total([*answers, said(100, 3)])
