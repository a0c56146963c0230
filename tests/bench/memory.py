"""Memory that training takes, in bits a weight: at rest, and at the peak of a step and of `votes` and `apply`.

    python -m tests.bench.memory [--sizes 784 4096 4096 10] [--batch 100]

Everything that NumPy takes is traced, and the kernels take nothing else; memory that is kept for the next step
counts.  At rest are weights, what the optimizer keeps for them, and the layout that the kernels read.  "looked at"
means that somebody has looked at the votes between the two, which are then all counted.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.networks import Network, boolean_mlp

Step = Callable[[Network, BitMatrix, np.ndarray], object]


def looked_at(network: Network, x: BitMatrix, y: np.ndarray) -> object:
    votes = network.votes(x, y)
    tuple(votes.tensors)
    return network.apply(votes)


STEPS: dict[str, Step] = {
    "step": lambda network, x, y: network.step(x, y),
    "votes and apply": lambda network, x, y: network.apply(network.votes(x, y)),
    "looked at": looked_at,
}


def peak(name: str, sizes: list[int], batch: int) -> tuple[int, int]:
    """Bytes at rest and at the peak of a step, after some that have taken what is kept."""
    step = STEPS[name]
    random = np.random.RandomState(0)
    x, y = kernels.pack(random.random_sample((batch, sizes[0])) < 0.5), random.randint(0, sizes[-1], batch)
    tracemalloc.start()
    network = boolean_mlp(sizes, n_steps=10**6, random_state=0)
    for _ in range(3):
        step(network, x, y)
    at_rest = sum(m.nbytes for m in network.optimizer.m)
    at_rest += sum(p.n_bytes + p.prepared().operand.nbytes for p in network.parameters)
    tracemalloc.reset_peak()
    step(network, x, y)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return at_rest, highest


def main() -> None:
    """Measure both, for one network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[784, 4096, 4096, 10])
    parser.add_argument("--batch", type=int, default=100)
    arguments = parser.parse_args()
    weights = sum(a * b for a, b in pairwise(arguments.sizes))
    print(f"{'-'.join(map(str, arguments.sizes))}, {weights} weights, batch {arguments.batch}; bits a weight")
    for name in STEPS:  # each in a process of its own, where nothing has been kept yet
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            n_bytes = alone.submit(peak, name, arguments.sizes, arguments.batch).result()
        at_rest, highest = (8 * n / weights for n in n_bytes)
        print(f"{name:<16} at rest {at_rest:5.1f} | at the peak {highest:5.1f}", flush=True)


if __name__ == "__main__":
    main()
