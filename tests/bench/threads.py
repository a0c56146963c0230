"""One thread against two: kernels, a step and a whole fit, in wall time.

    python -m tests.bench.threads [--rounds 30] [--threads 2] [--scale 1]

Rounds are interleaved.  Minima say what free cores give, medians and means what this machine gave today: of a busy
one, all that can be asked is that more threads are not slower.  --scale divides every size.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from bvar import BooleanClassifier, backends, kernels
from bvar.bits import BitMatrix
from bvar.networks import boolean_mlp
from tests.bench.timing import describe, one_thread

Calls = dict[str, Callable[[], object]]
RANDOM = np.random.RandomState(0)


def bits(r: int, n: int) -> BitMatrix:
    return kernels.pack(RANDOM.random_sample((r, n)) < 0.5)


def kernel_calls(scale: int) -> Calls:
    """A forward pass, votes, a flip, and the votes of a layer as small as MNIST's."""
    big, wide, inputs = 1024 // scale, 4096 // scale, 784 // scale
    x, w, tau = bits(big, wide), bits(wide, wide), np.zeros(wide, np.int32)
    rows, z = bits(big, big), RANDOM.randint(-127, 128, (big, big)).astype(np.int8)
    few, few_z = bits(100, inputs), RANDOM.randint(-127, 128, (100, big)).astype(np.int8)
    m, q = np.zeros((wide, wide), np.int16), RANDOM.randint(-100, 101, (wide, wide)).astype(np.int32)
    prepared = kernels.prepare(w)
    return {
        f"forward {big} x {wide} x {wide}": lambda: kernels.gate_bits(x, prepared, tau),
        f"int8 votes {big} x {big} x {big}": lambda: kernels.weight_votes(z, rows),
        f"int8 votes 100 x {big} x {inputs}": lambda: kernels.weight_votes(few_z, few),
        f"flip {wide} x {wide}": lambda: kernels.flip(w, m, q, beta=0.9, eta=1e-4),
    }


def training_calls(scale: int, n_threads: int) -> Calls:
    """A step, and a fit of two epochs on as many pixels as MNIST has."""
    hidden, n_images = 1024 // scale, 10000 // scale
    pixels, y = RANDOM.randint(0, 256, (n_images, 784)).astype(np.uint8), RANDOM.randint(0, 10, n_images)
    network, x = boolean_mlp([784, hidden, 10], n_steps=10**6, random_state=0), kernels.pack(pixels[:100] >= 128)
    model = BooleanClassifier((hidden,), max_iter=2, batch_size=100, random_state=0, n_threads=n_threads)
    return {
        f"step 784-{hidden}-10, batch 100": lambda: network.step(x, y[:100]),
        f"fit 784-{hidden}-10, {n_images} images": lambda: model.fit(pixels, y),
    }


def race(of_threads: dict[int, Calls], rounds: int) -> None:
    for title in of_threads[1]:
        seconds: dict[int, list[float]] = {n: [] for n in of_threads}
        of_threads[1][title]()  # the first takes memory and finds layouts
        for _ in range(max(1, rounds // 10) if title.startswith("fit") else rounds):
            for n, calls in of_threads.items():
                with backends.use(n_threads=n):
                    start = time.perf_counter()
                    calls[title]()
                    seconds[n].append(time.perf_counter() - start)
        one, more = seconds.values()
        parts = [
            f"{name} {1e3 * of(one):8.2f} {1e3 * of(more):8.2f} x{of(one) / of(more):.2f}"
            for name, of in (("minimum", min), ("median", statistics.median), ("mean", statistics.mean))
        ]
        print(f"{title:<30} ms: {' | '.join(parts)}", flush=True)


def main() -> None:
    """Race them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scale", type=int, default=1)
    arguments = parser.parse_args()
    one_thread()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{describe()}; {os.cpu_count()} processors, load before {load}", flush=True)
    shared = kernel_calls(arguments.scale)
    race({n: {**shared, **training_calls(arguments.scale, n)} for n in (1, arguments.threads)}, arguments.rounds)


if __name__ == "__main__":
    main()
