"""The trainer without an estimator: two networks, crews that share the work, early stopping, what goes wrong."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bvar import BooleanClassifier, ThermometerEncoder, backends
from bvar.bits import RandomWords
from bvar.mollify import ThresholdAnnealing
from bvar.networks import FULL_WEIGHT, boolean_mlp, gate_network
from bvar.training import EarlyStopping, Trainer, TrainingData

X, Y = load_digits(return_X_y=True)
TRAIN, TEST = slice(0, 1000), slice(1000, None)
ENCODER = ThermometerEncoder(4).fit(X[TRAIN])
BITS = ENCODER.encode(X)
NETWORKS = {
    "sums": lambda: boolean_mlp([BITS.n_bits, 64, 10], random_state=0),
    "gates": lambda: gate_network([BITS.n_bits, 400, 300], 10, temperature=1.0, random_state=0),
}


def run(network, *, crew=None, flip_noise=1 / 16, sample_weight=None, max_iter=4, **parameters):
    data = TrainingData(BITS[TRAIN], Y[TRAIN], sample_weight, 50, flip_noise)
    return Trainer(network, crew=crew).run(data, max_iter, random_state=7, **parameters)


def score(network):
    return float((network.scores(BITS[TEST]).argmax(axis=1) == Y[TEST]).mean())


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_two_networks_learn_without_an_estimator(make):
    trainer = run(make(), max_iter=8)
    assert score(trainer.network_) > 0.8
    assert trainer.n_iter_ == 8
    assert {name: len(values) for name, values in trainer.history_.items()} == {
        "loss": 8,
        "score": 8,
        "validation_score": 0,
        "flips": 8,
        "beta": 8,
    }
    assert trainer.history_["loss"][-1] < trainer.history_["loss"][0]


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_a_run_is_the_same_on_every_backend(backend, make):
    with backends.use(backend, n_threads=2):
        here = run(make(), max_iter=2)
    with backends.use("numpy"):
        there = run(make(), max_iter=2)
    assert here.network_.fingerprint() == there.network_.fingerprint()
    assert here.history_ == there.history_


def test_an_estimator_is_a_network_and_a_trainer():
    """What `fit` draws from its stream: weights, then for each epoch an order and the noise of each batch."""
    model = BooleanClassifier((64,), encoder=ENCODER, max_iter=3, batch_size=50, random_state=3)
    model.fit(X[TRAIN], Y[TRAIN])
    source = RandomWords(3)
    network = boolean_mlp([BITS.n_bits, 64, 10], random_state=source)
    noise = min(8, 64 // 8, BITS.n_bits // 100) / 64
    trainer = Trainer(network).run(
        TrainingData(BITS[TRAIN], Y[TRAIN], None, 50, noise), 3, eta=model.eta, random_state=source
    )
    assert trainer.network_.fingerprint() == model.network_.fingerprint()
    assert trainer.history_ == model.history_


# ------------------------------------------------------------------------------------------------- crews


class Threads:
    """A crew that splits each batch over threads, adds their votes and applies them."""

    def __init__(self, n_parts):
        self.n_parts = n_parts

    def step(self, network, batch):
        parts = np.array_split(np.arange(len(batch[1])), min(self.n_parts, len(batch[1])))
        cut = [tuple(None if one is None else one[rows] for one in batch) for rows in parts]
        with ThreadPoolExecutor(2) as pool:
            votes = sum(pool.map(lambda part: network.votes(*part), cut))
        return replace(votes, tensors=(), marginals=()), network.apply(votes)


class Cluster:
    """A crew of processes, in little: it is given numbers of samples, sends networks, and gets votes back."""

    def __init__(self):
        self.asked = 0

    def step(self, network, batch):
        sent = pickle.dumps(network)
        votes = 0
        for rows in np.array_split(batch, 3):
            answer = pickle.loads(sent).votes(BITS[rows], Y[rows])
            votes = votes + pickle.loads(pickle.dumps(answer))
            self.asked += 1
        return replace(votes, tensors=(), marginals=()), network.apply(votes)


class Numbers:
    """Data of which the trainer sees no sample: the batches are numbers of rows."""

    n_batches = 20

    def epoch(self, progress, source):
        return np.array_split(source.permutation(1000), self.n_batches)


@pytest.mark.parametrize("n_parts", [1, 3, 60])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_crew_that_splits_batches_trains_the_same_model_with_the_same_history(n_parts, weighted):
    """Theorem (exactness): votes and losses of disjoint samples add, as integers."""
    weights = np.where(Y[TRAIN] > 4, FULL_WEIGHT, FULL_WEIGHT // 3) if weighted else None
    alone, shared = (run(NETWORKS["sums"](), crew=c, sample_weight=weights) for c in (None, Threads(n_parts)))
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_


def test_a_crew_may_keep_the_samples():
    crew = Cluster()
    far = Trainer(NETWORKS["sums"](), crew=crew).run(Numbers(), 2, random_state=7)
    here = run(NETWORKS["sums"](), flip_noise=0.0, max_iter=2)
    assert far.network_.fingerprint() == here.network_.fingerprint()
    assert far.history_ == here.history_
    assert crew.asked == 2 * 20 * 3


# ------------------------------------------------------------------------------- stopping and looking on


def test_early_stopping_keeps_the_first_of_the_best_networks():
    kept = []

    def validate(network):
        kept.append((round(score(network), 1), network.fingerprint()))  # in tenths there are ties
        return kept[-1][0]

    trainer = run(NETWORKS["sums"](), early_stopping=EarlyStopping(validate, 3), max_iter=100)
    best = max(value for value, _ in kept)
    assert trainer.history_["validation_score"] == [value for value, _ in kept]
    assert trainer.network_.fingerprint() == next(name for value, name in kept if value == best)
    assert trainer.n_iter_ == 1 + [value for value, _ in kept].index(best) + 3 < 100
    assert [value for value, _ in kept].count(best) > 1


def test_callbacks_see_every_epoch_and_each_is_called():
    seen = []
    callbacks = [lambda trainer: trainer.n_iter_ == 2, lambda trainer: seen.append(len(trainer.history_["loss"]))]
    assert run(NETWORKS["sums"](), callbacks=callbacks).n_iter_ == 2
    assert seen == [1, 2]


def test_a_callback_of_estimators_serves_a_trainer():
    narrowed, plain = (run(NETWORKS["sums"](), callbacks=c) for c in (ThresholdAnnealing(), None))
    assert narrowed.network_.fingerprint() != plain.network_.fingerprint()


def test_an_interrupt_keeps_the_best_network(capsys):
    def stop(trainer):
        if trainer.n_iter_ == 2:
            raise KeyboardInterrupt

    best = []
    stopping = EarlyStopping(lambda network: best.append(network.fingerprint()) or -len(best))
    trainer = Trainer(NETWORKS["sums"]())
    with pytest.raises(KeyboardInterrupt):
        trainer.run(TrainingData(BITS, Y), 9, early_stopping=stopping, callbacks=stop, verbose=2, random_state=0)
    assert trainer.network_.fingerprint() == best[0]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_score_of_nan_is_no_better_than_any():
    scores = iter([np.nan, -3.0, np.nan, -3.0, -2.0])
    stopping, network = EarlyStopping(lambda network: next(scores), 3), NETWORKS["sums"]()
    kept = [(stopping.score(network), stopping.best_score, stopping.kept().waited) for _ in range(5)]
    assert [best for _, best, _ in kept] == [-np.inf, -3.0, -3.0, -3.0, -2.0]
    assert [waited for _, _, waited in kept] == [0, 0, 1, 2, 0]


def test_what_does_not_stop_early_is_refused_before_an_epoch():
    network = NETWORKS["sums"]()
    before = network.fingerprint()
    with pytest.raises(TypeError, match="early_stopping must be None or an EarlyStopping, got <function"):
        run(network, early_stopping=score)
    assert network.fingerprint() == before


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: run(NETWORKS["sums"](), max_iter=0), "max_iter must be an integer >= 1"),
        (lambda: run(NETWORKS["sums"](), verbose=None), "verbose must be True, False or an integer >= 0"),
        (lambda: run(NETWORKS["sums"](), verbose=-1), "verbose must be True, False or an integer >= 0, got -1"),
        (lambda: run(NETWORKS["sums"](), callbacks="x"), "callbacks must be callables"),
        (lambda: run(NETWORKS["sums"](), eta=-1), "eta must be"),
        (lambda: Trainer(NETWORKS["sums"]()).epoch([]), "batches must have at least one batch"),
        (lambda: TrainingData(BITS, Y[:5]), "y must have an entry for each of 1797 samples, got 5"),
        (lambda: TrainingData(BITS, Y, np.ones(3, int)), "sample_weight must have an entry"),
        (lambda: TrainingData(BITS, Y, np.full(len(Y), -5)), r"sample_weight must be in \[0, 65536\]"),
        (lambda: TrainingData(BITS, Y, np.full(len(Y), 0.5)), "sample_weight must be 1797 integers, got float64"),
        (lambda: TrainingData(BITS, Y, batch_size=0), "batch_size must be an integer >= 1"),
        (lambda: TrainingData(BITS, Y, flip_noise=0.6), r"flip_noise must be a number in \[0, 0.5\], got 0.6"),
        (lambda: TrainingData(X, Y, flip_noise=0.1), "flip_noise must be 0 where x is not bits"),
        (lambda: EarlyStopping(None), "validate must be callable"),
        (lambda: EarlyStopping(score, 0), "patience must be an integer >= 1"),
    ],
)
def test_bad_arguments_are_named(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()
