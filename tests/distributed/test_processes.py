"""A crew of processes: the seam of the trainer is one, and whoever dies, the model is the same."""

import os
import signal

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from bvar import BooleanClassifier, ThermometerEncoder
from bvar.distributed import Processes, WorkersLost, in_processes
from bvar.distributed.processes import _Pool
from bvar.networks import FULL_WEIGHT, boolean_mlp, gate_network
from bvar.training import RandomShift, Trainer, TrainingData

X, Y = load_digits(return_X_y=True)
BITS = ThermometerEncoder(4).fit(X).encode(X)[:500]
Y = Y[:500]
WEIGHTS = np.where(Y > 6, FULL_WEIGHT, FULL_WEIGHT // 20)
NETWORKS = {
    "sums": lambda: boolean_mlp([BITS.n_bits, 64, 10], random_state=0),
    "gates": lambda: gate_network([BITS.n_bits, 400], 10, random_state=0),
    "learnt wires": lambda: gate_network([BITS.n_bits, 400], 10, wiring="learnt", random_state=0),
}


def run(network, data, crew=None, max_iter=2, **parameters):
    return Trainer(network, crew=crew).run(data, max_iter, random_state=7, **parameters)


def data_with(weights=None, batch_size=47):
    return TrainingData(BITS, Y, weights, batch_size, 1 / 16)


@pytest.mark.parametrize("name", ["gates", "learnt wires"])
def test_processes_train_the_same_model_with_the_same_history_even_if_one_is_killed(name):
    data = data_with(WEIGHTS)
    alone = run(NETWORKS[name](), data)
    with Processes(data, 2) as crew:
        take, killed = crew.step, []

        def step(network, batch):
            if not killed and crew.workers._processes:
                process, _ = crew.workers._processes[1]
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)
            return take(network, batch)

        crew.step = step
        shared = run(NETWORKS[name](), crew.data, crew)
    assert killed
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_


def test_numbers_are_no_samples_of_processes():
    numbers = np.zeros((len(Y), 4), np.float32)
    with pytest.raises(TypeError, match="data must have samples of bits for processes, got ndarray"):
        Processes(TrainingData(numbers, Y), 2)


def test_what_goes_wrong_in_a_process_is_raised_here():
    data = TrainingData(BITS, np.full(len(Y), 10), None, 47)
    with Processes(data, 1) as crew, pytest.raises(ValueError, match="y must"):
        run(NETWORKS["sums"](), crew.data, crew)


def test_nobody_waits_for_ever():
    with (
        Processes(data_with(), 1, limit=0.01) as crew,
        pytest.raises(WorkersLost, match=r"no process has answered for 0.01 s"),
    ):
        run(NETWORKS["sums"](), crew.data, crew)


def test_within_a_block_every_fit_is_taken_by_processes_and_no_model_shows_it(monkeypatch):
    asked = []
    ask = _Pool.ask
    monkeypatch.setattr(
        _Pool, "ask", lambda pool, *question: asked.append(len(pool.shards)) or ask(pool, *question)
    )
    weights = np.where(Y > 6, 1.0, 0.05)
    model = BooleanClassifier(
        (32,), max_iter=2, batch_size=200, flip_noise=1 / 64, early_stopping=True, random_state=0
    )
    alone = clone(model).fit(X[:500], Y, weights)
    with in_processes(2):
        shared = clone(model).fit(X[:500], Y, weights)
        n_steps = len(asked)
        clone(model).set_params(early_stopping=False).partial_fit(X[:500], Y, classes=np.unique(Y))
        with pytest.raises(ValueError, match="augment and mollifier must be None in processes"):
            clone(model).set_params(augment=RandomShift(1, image_shape=(8, 8))).fit(X[:500], Y)
    assert set(asked) == {2}
    assert len(asked) == n_steps >= 6
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_
    clone(model).fit(X[:500], Y)
    assert len(asked) == n_steps


@pytest.mark.parametrize("n_processes", [0, 2.5])
def test_numbers_of_processes_are_checked_before_anything_is_fitted(n_processes):
    with pytest.raises((TypeError, ValueError), match="n_processes must"), in_processes(n_processes):
        raise AssertionError
