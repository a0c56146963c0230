"""Functions of a few bits that networks of gates learn exactly, and the settings with which they do."""

from itertools import product
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix, RandomWords
from bvar.layers import Concatenate, GateLayer, GroupSum
from bvar.networks import BinaryCrossEntropy, BooleanOptimizer, CrossEntropy, Network, gate_network


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


def multiplier() -> tuple[np.ndarray, np.ndarray]:
    """Two bits times two bits: the four bits of the product."""
    x = all_inputs(4)
    return x, ((x[:, :2] @ [1, 2]) * (x[:, 2:] @ [1, 2]))[:, None] >> np.arange(4) & 1


def monk() -> tuple[np.ndarray, np.ndarray]:
    """A rule in the manner of the first MONK's problem: body like head, or a red jacket, of six attributes."""
    sizes = (3, 3, 2, 3, 4, 2)
    values = np.array(list(product(*map(range, sizes))))
    x = np.concatenate([values[:, [i]] == np.arange(n) for i, n in enumerate(sizes)], axis=1)
    return x, ((values[:, 0] == values[:, 1]) | (values[:, 4] == 0)).astype(int)


def automaton() -> tuple[np.ndarray, np.ndarray]:
    """One step of rule 110 on a ring of eight cells."""
    x = all_inputs(8)
    neighbours = 4 * np.roll(x, 1, axis=1) + 2 * x + np.roll(x, -1, axis=1)
    return x, 110 >> neighbours & 1


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
    "multiplier, gates of 2": (multiplier, Recipe([200] * 4, 2, temperature=0.5)),
    "MONK's rule, gates of 2": (monk, Recipe([500] * 4, 2, temperature=0.5)),
    "rule 110, gates of 2": (automaton, Recipe([1600] * 4, 2, temperature=0.5)),
    "rule 110, gates of 3": (automaton, Recipe([800] * 2, 3)),
}
N_STEPS = 1000


def learn(name: str, seed: int) -> tuple[Network, np.ndarray, np.ndarray, int]:
    """Take full batches until nothing is wrong; return the network, all inputs, their answers and the steps taken.

    The schedule is longer than that takes.
    """
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
    for step in range(N_STEPS):  # noqa: B007 - returned
        votes = network.votes(x, y)
        if votes.n_correct == len(y):
            break
        network.apply(votes)
    return network, inputs, y, step


def decide(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Turn scores into answers of the form of y: labels side by side, or classes."""
    return (scores > 0).astype(int) if y.ndim == 2 else scores.argmax(axis=1)


def learn_multiplexer(seed: int, n_address: int = 4, n_gates: int = 4000) -> tuple[Network, int, int]:
    """Train one layer of gates whose wires may read any input, on random rows, until all rows are right.

    Returns the network, the steps taken and the rows that are wrong.
    """
    n = n_address + 2**n_address
    network = gate_network(
        [n, n_gates], 2, fan_in=6, wiring="learnt", candidates=n, pass_through=0, n_steps=400, temperature=2.0,
        random_state=seed,
    )  # fmt: skip
    random = np.random.RandomState(seed)
    for step in range(1, 401):
        x = rows_of(random.randint(0, 2**n, 4096), n)
        network.step(kernels.pack(x), multiplexed(x, n_address))
        if step % 40 == 0 and not (wrong := wrong_rows(network, n, n_address)):
            return network, step, 0
    return network, step, wrong


def rows_of(numbers: np.ndarray, n: int) -> np.ndarray:
    return (numbers[:, None] >> np.arange(n) & 1).astype(bool)


def multiplexed(x: np.ndarray, n_address: int) -> np.ndarray:
    return x[np.arange(len(x)), n_address + x[:, :n_address] @ (1 << np.arange(n_address))].astype(int)


def wrong_rows(network: Network, n: int, n_address: int) -> int:
    """Count what is wrong of all 2**n rows."""
    wrong = 0
    for start in range(0, 2**n, 2**16):
        x = rows_of(np.arange(start, min(start + 2**16, 2**n)), n)
        wrong += np.count_nonzero(network.scores(kernels.pack(x)).argmax(axis=1) != multiplexed(x, n_address))
    return wrong


def grow_parity(seed: int, n: int = 16, n_gates: int = 64) -> tuple[Network, int, int]:
    """Grow a network for the parity of n bits, gate by gate: no fewer bits than all say anything about it.

    Stage k draws rows in which only the first k bits vary, the others are F, and trains gates of two learnt wires
    that begin anywhere among the inputs and the gates kept so far; the first gate that is right on the rows stays.
    Returns the network, the steps taken in all, and those stages whose gate was right before the first step.
    """
    kept: list[Concatenate] = []
    source, n_steps, n_found = RandomWords(seed), 0, 0
    for stage in range(2, n + 1):
        x = np.random.RandomState([seed, stage]).rand(256, n) < 0.5
        x[:, stage:] = False
        y, below = x.sum(axis=1) % 2, heights(kept, kernels.pack(x))
        network = gate_network(
            [below.n_bits, n_gates], 2, wiring="learnt", candidates=below.n_bits, pass_through=0, temperature=1.0,
            random_state=source,
        )  # fmt: skip
        layer = network.layers[0]
        for step in range(200):  # noqa: B007 - counted
            answers = kernels.unpack(layer.forward(below)[0])
            if (right := (answers == y[:, None]).all(axis=0)).any():
                break
            network.step(below, y)
        n_steps, n_found = n_steps + step, n_found + (step == 0)
        best = int(right.argmax())
        kept.append(Concatenate([copies(layer, [best])]))
    last = copies(layer, [best, best])
    last.table.bits.words[0] ^= np.uint64(15)  # the score of "even" is the gate, negated
    return Network([*kept[:-1], last, GroupSum(2, 2)], CrossEntropy(1), BooleanOptimizer()), n_steps, n_found


def heights(layers: list[Concatenate], x: BitMatrix) -> BitMatrix:
    for layer in layers:
        x = layer.infer(x)
    return x


def copies(layer: GateLayer, numbers: list[int]) -> GateLayer:
    """Take gates out of a layer, with the wires that they have chosen."""
    made = GateLayer(layer.n_inputs, len(numbers), layer.fan_in, wires=layer.wires[numbers], random_state=0)
    made.table.bits.words[:] = layer.table.bits.words[numbers]
    return made
