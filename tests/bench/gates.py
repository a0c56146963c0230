"""Networks of gates on MNIST: accuracy, and images per second in training and in use.

Usage: python -m tests.bench.gates [--data mnist.npz] [--layers 12000 12000 12000 12000] [--epochs 60]
       python -m tests.bench.gates --speed

The first trains and prints the accuracy on the test images; --speed measures two layers of 4000 gates.  The file
holds x_train, y_train, x_test, y_test; without it the data come from OpenML.  Times are CPU time of one thread.
"""

import argparse
import time

import numpy as np

from bvar import backends, kernels
from bvar.bits import RandomWords
from bvar.layers import image_places, window_wires
from bvar.networks import gate_network
from bvar.training import RandomShift, apply_augmentations
from tests.bench.mnist import load
from tests.bench.timing import race

SIDE = 28


def pack(pixels, levels):
    """Ask each pixel for each level whether it reaches it."""
    return kernels.pack_levels(np.tile(pixels, len(levels)), np.repeat(np.array(levels, np.uint8), SIDE * SIDE))


def train(data, arguments):
    pixels, test_pixels, y, y_test = data
    pixels, test = pixels.astype(np.uint8), pack(test_pixels.astype(np.uint8), arguments.levels)
    change = RandomShift(arguments.shift, probability=arguments.share, image_shape=(SIDE, SIDE))
    changes = change if arguments.shift else None
    n_steps = arguments.epochs * (len(y) // arguments.batch)
    source, places, wires = RandomWords(arguments.seed + 1), image_places((SIDE, SIDE), len(arguments.levels)), []
    for n_gates, size in zip(arguments.layers, arguments.windows, strict=False):
        given, places = window_wires(places, n_gates, 2, size, source)
        wires.append(given)
    network = gate_network(
        [test.n_bits, *arguments.layers], 10, wires=wires, eta=arguments.eta, n_steps=n_steps,
        temperature=arguments.temperature, pass_through=arguments.pass_through, random_state=arguments.seed,
    )  # fmt: skip
    random, taken = np.random.RandomState(arguments.seed), 0.0
    for epoch in range(1, arguments.epochs + 1):
        start, n_correct = time.thread_time(), 0
        x = pack(apply_augmentations(pixels, changes, random), arguments.levels)
        order = random.permutation(len(y))
        for i in range(0, len(y) - arguments.batch + 1, arguments.batch):
            some = order[i : i + arguments.batch]
            n_correct += network.step(x[some], y[some])[0].n_correct
        taken += time.thread_time() - start
        if epoch in (1, arguments.epochs) or epoch % arguments.every == 0:
            accuracy = (network.scores(test).argmax(axis=1) == y_test).mean()
            print(f"epoch {epoch:>3}: train {n_correct / len(y):.4f}, test {accuracy:.4f}, {taken:.0f} s of CPU, "
                  f"{epoch * len(y) / taken:.0f} images/s", flush=True)  # fmt: skip
    print(f"{sum(arguments.layers)} gates, fingerprint {network.fingerprint()[:16]}")


def speed(data, arguments):
    pixels, y = np.ascontiguousarray(data[0], dtype=np.uint8), data[2]
    levels = np.full(SIDE * SIDE, 128, np.uint8)
    bits = kernels.pack_levels(pixels, levels)
    network = gate_network([SIDE * SIDE, 4000, 4000], 10, random_state=0)
    print(f"2 x 4000 gates, {arguments.backend or 'the best backend'}")
    calls = {
        f"train, batch {n}": (n, lambda n=n: network.step(bits[:n], y[:n])) for n in (100, 128, 256, 512)
    } | {
        "answer, packed, 10000": (10000, lambda: network.scores(bits[:10000])),
        "answer, pixels, 10000": (10000, lambda: network.scores(kernels.pack_levels(pixels[:10000], levels))),
    }  # fmt: skip
    seconds = race({name: call for name, (_, call) in calls.items()}, 15)
    for name, (n, _) in calls.items():
        print(f"{name:<22} {n / seconds[name]:>12.0f} images/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--backend")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--layers", type=int, nargs="+", default=[12000] * 4)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--every", type=int, default=10, help="epochs between two lines")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--levels", type=int, nargs="+", default=[128], help="a bit for each, pixel >= level")
    parser.add_argument("--windows", type=int, nargs="*", default=[3, 5, 9], help="of the first layers, in pixels")
    parser.add_argument("--shift", type=int, default=1, help="pixels by which images are moved at random")
    parser.add_argument("--share", type=float, default=0.9, help="of images that are moved")
    parser.add_argument("--eta", type=float, default=10.0)
    parser.add_argument("--temperature", type=float, default=0.43)
    parser.add_argument("--pass-through", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with backends.use(arguments.backend):
        (speed if arguments.speed else train)(load(arguments.data), arguments)


if __name__ == "__main__":
    main()
