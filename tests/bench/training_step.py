"""One training step, of 784-4096-4096-10 by default, against float32 networks of the same shape.

    python -m tests.bench.training_step [--batch 100] [--rounds 9] [--sizes 784 4096 4096 10] [--fresh]

A step is the forward pass, the loss, the backward pass and the update.  "products" are the matrix products and the
updates alone that any float32 step takes, by NumPy into memory that is kept.  PyTorch uses ReLU and plain SGD, the
cheapest there is; all use one thread.  With --fresh each runs in three processes of its own, where nothing else
has taken memory before.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bvar import backends, kernels
from bvar.networks import Network, boolean_mlp
from tests.bench.timing import describe, one_thread, race, show


def bvar_step(sizes: list[int], batch: int, name: str, *, fused: bool) -> tuple[Network, Callable[[], object]]:
    random = np.random.RandomState(0)
    x = kernels.pack(random.random_sample((batch, sizes[0])) < 0.5)
    y = random.randint(0, sizes[-1], batch)
    network = boolean_mlp(sizes, n_steps=10**6, random_state=0)

    def step() -> None:
        with backends.use(name):
            network.step(x, y) if fused else network.apply(network.votes(x, y))

    return network, step


def products(sizes: list[int], batch: int) -> Callable[[], object]:
    random = np.random.RandomState(0)

    def floats(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    layers = [(floats(batch, n), floats(m, n), floats(batch, m), floats(m, n)) for n, m in pairwise(sizes)]
    below = [np.empty_like(x) for x, *_ in layers]

    def step() -> None:
        for depth, (x, w, z, change) in enumerate(layers):
            np.matmul(x, w.T, out=z)
            np.matmul(z.T, x, out=change)
            if depth:
                np.matmul(z, w, out=below[depth])
            change *= np.float32(1e-9)
            np.subtract(w, change, out=w)

    return step


def torch_step(sizes: list[int], batch: int, optimizer: str) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers = [torch.nn.Linear(sizes[0], sizes[1])]
    for n_in, n_out in pairwise(sizes[1:]):
        layers += [torch.nn.ReLU(), torch.nn.Linear(n_in, n_out)]
    network = torch.nn.Sequential(*layers)
    rule = getattr(torch.optim, optimizer)(network.parameters(), lr=1e-3)
    x, y = torch.randn(batch, sizes[0]), torch.randint(0, sizes[-1], (batch,))

    def step() -> None:
        rule.zero_grad()
        torch.nn.functional.cross_entropy(network(x), y).backward()
        rule.step()

    return step


ALONE: dict[str, Callable[[list[int], int, str], Callable[[], object]]] = {
    "torch SGD": lambda sizes, batch, _: torch_step(sizes, batch, "SGD"),
    "step": lambda sizes, batch, name: bvar_step(sizes, batch, name, fused=True)[1],
    "apply(votes)": lambda sizes, batch, name: bvar_step(sizes, batch, name, fused=False)[1],
}


def in_processes_of_their_own(sizes: list[int], batch: int, name: str) -> dict[str, float]:
    """Median seconds of three processes of each."""
    command = [sys.executable, "-m", "tests.bench.training_step", "--backends", name, "--batch", str(batch)]
    command += ["--sizes", *map(str, sizes), "--alone"]
    seconds: dict[str, list[float]] = {contender: [] for contender in ALONE}
    for _ in range(3):
        for contender in seconds:
            ran = subprocess.run([*command, contender], stdout=subprocess.PIPE, text=True, check=True)
            seconds[contender].append(float(ran.stdout))
    return {contender: statistics.median(times) for contender, times in seconds.items()}


def main() -> None:
    """Race them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--backends", default=backends.available()[-1])
    parser.add_argument("--sizes", type=int, nargs="+", default=[784, 4096, 4096, 10])
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--alone", choices=ALONE, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = arguments.sizes
    weights = sum(a * b for a, b in pairwise(sizes))
    one_thread()
    if arguments.alone:
        step = ALONE[arguments.alone](sizes, arguments.batch, arguments.backends)
        print(race({"": step}, arguments.rounds)[""])
        return
    print(describe(), flush=True)
    if arguments.fresh:
        seconds = in_processes_of_their_own(sizes, arguments.batch, arguments.backends)
        show(f"step, batch {arguments.batch}, alone", seconds, 3 * arguments.batch * weights)
        return
    contenders: dict[str, Callable[[], object]] = {}
    try:  # first, as the yardstick
        for optimizer in ("SGD", "Adam"):
            contenders[f"torch {optimizer}"] = torch_step(sizes, arguments.batch, optimizer)
    except ImportError:
        print("PyTorch is not installed: left out")
    contenders["products"] = products(sizes, arguments.batch)
    for name in arguments.backends.split(","):
        network, contenders[f"{name} step"] = bvar_step(sizes, arguments.batch, name, fused=True)
        other, contenders[f"{name} apply(votes)"] = bvar_step(sizes, arguments.batch, name, fused=False)
        for _ in range(3):
            contenders[f"{name} step"](), contenders[f"{name} apply(votes)"]()
        assert network.fingerprint() == other.fingerprint(), "both ways must give the same model"
    show(f"step, batch {arguments.batch}", race(contenders, arguments.rounds), 3 * arguments.batch * weights)


if __name__ == "__main__":
    main()
