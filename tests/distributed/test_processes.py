"""A crew of processes: the seam of the trainer is one, and whoever dies, the model is the same."""

import os
import signal

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bvar import ThermometerEncoder
from bvar.distributed import Processes, WorkersLost
from bvar.networks import FULL_WEIGHT, boolean_mlp, gate_network
from bvar.training import Trainer, TrainingData

X, Y = load_digits(return_X_y=True)
BITS = ThermometerEncoder(4).fit(X).encode(X)[:500]
Y = Y[:500]
WEIGHTS = np.where(Y > 6, FULL_WEIGHT, FULL_WEIGHT // 20)
NETWORKS = {
    "sums": lambda: boolean_mlp([BITS.n_bits, 64, 10], random_state=0),
    "gates": lambda: gate_network([BITS.n_bits, 400], 10, random_state=0),
}


def run(network, data, crew=None, max_iter=2, **parameters):
    return Trainer(network, crew=crew).run(data, max_iter, random_state=7, **parameters)


def data_with(weights=None, batch_size=47):
    return TrainingData(BITS, Y, weights, batch_size, 1 / 16)


def test_processes_train_the_same_model_with_the_same_history_even_if_they_are_killed():
    data = data_with(WEIGHTS)
    alone = run(NETWORKS["gates"](), data)
    with Processes(data, 2) as crew:
        take, killed = crew.step, []

        def step(network, batch):
            if len(killed) < 2 and crew.workers._processes:
                process, _ = crew.workers._processes[len(killed)]
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)
            return take(network, batch)

        crew.step = step
        shared = run(NETWORKS["gates"](), crew.data, crew)
    assert len(killed) == 2
    assert shared.network_.fingerprint() == alone.network_.fingerprint()
    assert shared.history_ == alone.history_


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
