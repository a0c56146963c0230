"""Functions that networks of gates learn exactly: right on every input there is, from the seeds in the table."""

from typing import NamedTuple

import numpy as np
import pytest

from bvar import kernels
from bvar.gate_network import gate_network
from bvar.losses import BinaryCrossEntropy


def all_inputs(n: int) -> np.ndarray:
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def parity() -> tuple[np.ndarray, np.ndarray]:
    """Whether the number of T among eight bits is odd: no seven of them say anything about it."""
    x = all_inputs(8)
    return x, x.sum(axis=1) % 2


def multiplexer() -> tuple[np.ndarray, np.ndarray]:
    """Three bits of address choose one of eight."""
    x = all_inputs(11)
    return x, x[np.arange(len(x)), 3 + x[:, :3] @ [1, 2, 4]].astype(int)


def adder() -> tuple[np.ndarray, np.ndarray]:
    """Four bits and four bits to the five of their sum, each an output of its own."""
    x = all_inputs(8)
    places = 2 ** np.arange(4)
    return x, (x[:, :4] @ places + x[:, 4:] @ places)[:, None] >> np.arange(5) & 1


class Recipe(NamedTuple):
    hidden: list[int]
    fan_in: int
    eta: float = 10.0
    temperature: float = 1.0


CASES = {
    "parity, gates of 2": (parity, Recipe([512] * 4, 2, eta=3.0, temperature=0.5)),
    "parity, gates of 3": (parity, Recipe([512] * 3, 3)),
    "parity, gates of 4": (parity, Recipe([400] * 2, 4)),
    "multiplexer, gates of 3": (multiplexer, Recipe([500] * 3, 3, temperature=0.5)),
    "multiplexer, gates of 6": (multiplexer, Recipe([800] * 2, 6)),
    "adder, gates of 2": (adder, Recipe([1000] * 4, 2, temperature=0.5)),
    "adder, gates of 4": (adder, Recipe([400] * 3, 4)),
}
N_STEPS = 1000


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_every_input_is_learnt(name, seed):
    """Full batches until nothing is wrong; the schedule is longer than that takes."""
    task, recipe = CASES[name]
    inputs, y = task()
    x, n_outputs = kernels.pack(inputs), y.shape[1] if y.ndim == 2 else 2
    network = gate_network(
        [inputs.shape[1], *recipe.hidden],
        n_outputs,
        fan_in=recipe.fan_in,
        pass_through=0,
        eta=recipe.eta,
        n_steps=N_STEPS,
        temperature=recipe.temperature,
        loss=BinaryCrossEntropy(recipe.hidden[-1] // n_outputs, recipe.temperature) if y.ndim == 2 else None,
        random_state=seed,
    )
    for _ in range(N_STEPS):
        votes = network.votes(x, y)
        if votes.n_correct == len(y):
            break
        network.apply(votes)
    scores = network.scores(x)
    answers = (scores > 0).astype(int) if y.ndim == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(answers, y)
