"""Convolutions of gates on MNIST: accuracy, gates with all places unrolled, and images per second.

Usage: python -m tests.bench.gate_conv [--data DIR] [--conv 32 M 64 M] [--layers 8000 8000] [--epochs 10] [--test]

The last 10,000 training images are held out, for looking at; with --test the network that ends the training is
asked for the test images, once.  DIR holds mnist.npz with x_train, y_train, x_test, y_test; without it the data
come from OpenML.  Times are CPU time of one thread.
"""

import argparse
import os
import time
from math import prod

import numpy as np

from bvar import kernels
from bvar.layers import GateConv2d, GateLayer, OrPool2d
from bvar.networks import gate_conv_network
from bvar.training import RandomShift, apply_augmentations
from tests.bench.mnist import load

SIDE = 28


def pack(pixels, levels):
    """Ask each pixel for each level whether it reaches it: a channel for each level."""
    asked = np.repeat(pixels.astype(np.uint8), len(levels), axis=1)
    return kernels.pack_levels(asked, np.tile(np.array(levels, np.uint8), SIDE * SIDE))


def count_gates(network):
    """Count gates at all places; an or of n pixels is n - 1 of them."""
    n = 0
    for layer in network.layers:
        if isinstance(layer, GateConv2d):
            n += layer.window.n_places * sum(table.shape[0] for table in layer.tables)
        elif isinstance(layer, OrPool2d):
            n += prod(layer.out_shape) * (layer.size**2 - 1)
        elif isinstance(layer, GateLayer):
            n += layer.n_outputs
    return n


def accuracy(network, pixels, y, levels):
    return (network.scores(pack(pixels, levels)).argmax(axis=1) == y).mean()


def train(network, pixels, y, held_out, arguments):
    random, start = np.random.RandomState(arguments.seed), time.process_time()
    change = RandomShift(arguments.shift, probability=arguments.share, image_shape=(SIDE, SIDE))
    for epoch in range(1, arguments.epochs + 1):
        moved = apply_augmentations(pixels, change if arguments.shift else None, random)
        x, order, n_correct = pack(moved, arguments.levels), random.permutation(len(y)), 0
        for i in range(0, len(y) - arguments.batch + 1, arguments.batch):
            some = order[i : i + arguments.batch]
            n_correct += network.step(x[some], y[some])[0].n_correct
        taken = time.process_time() - start
        print(f"epoch {epoch:>3}: train {n_correct / len(y):.4f}, held out "
              f"{accuracy(network, *held_out, arguments.levels):.4f}, {taken:.0f} s of CPU, "
              f"{epoch * len(y) / taken:.0f} images/s", flush=True)  # fmt: skip


def try_flips(network, x, y, n_entries, seed):
    """Flip some entries of each table that votes ask for, and see how often the loss falls."""
    random, votes = np.random.RandomState(seed), network.votes(x, y)
    for q, parameter in zip(votes.tensors, network.parameters, strict=True):
        bits = kernels.unpack(parameter.bits)
        asked = random.permutation(np.argwhere(np.where(bits, q, -q) > 0))[:n_entries]
        changes = []
        for gate, entry in asked.tolist():
            parameter.bits.words[gate, 0] ^= np.uint64(1 << entry)
            changes.append(network.votes(x, y).loss - votes.loss)
            parameter.bits.words[gate, 0] ^= np.uint64(1 << entry)
        foretold = [-abs(q[gate, entry]) for gate, entry in asked.tolist()]
        print(f"{parameter.name:<18} of {len(asked)} flips {np.mean(np.array(changes) < 0):.2f} lower the loss, "
              f"among these correlation {np.corrcoef(foretold, changes)[0, 1]:.2f}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a directory with mnist.npz")
    parser.add_argument("--conv", nargs="+", default=["32", "M", "64", "M"])
    parser.add_argument("--layers", type=int, nargs="+", default=[8000, 8000])
    parser.add_argument("--kernel-size", type=int, default=3)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--fan-in", type=int, default=6, help="of trees")
    parser.add_argument("--head-fan-in", type=int, default=2)
    parser.add_argument("--samples", type=int, default=50000, help="training images, at most 50000")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--levels", type=int, nargs="+", default=[128], help="a bit for each, pixel >= level")
    parser.add_argument("--shift", type=int, default=0, help="pixels by which images are moved at random")
    parser.add_argument("--share", type=float, default=0.9, help="of images that are moved")
    parser.add_argument("--eta", type=float, default=10.0)
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--pass-through", type=int, default=64, help="of 64 gates of trees")
    parser.add_argument("--damping", type=int, default=1, help="of votes on shared tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", type=int, default=0, help="entries of each table to flip for trial afterwards")
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    pixels, test, y, y_test = load(arguments.data and os.path.join(arguments.data, "mnist.npz"))
    n = min(arguments.samples, 50000)
    network = gate_conv_network(
        (SIDE, SIDE, len(arguments.levels)),
        [entry if entry == "M" else int(entry) for entry in arguments.conv],
        arguments.layers,
        kernel_size=arguments.kernel_size,
        depth=arguments.depth,
        fan_in=arguments.fan_in,
        head_fan_in=arguments.head_fan_in,
        pass_through=arguments.pass_through,
        damping=arguments.damping,
        eta=arguments.eta,
        n_steps=arguments.epochs * (n // arguments.batch),
        temperature=arguments.temperature,
        random_state=arguments.seed,
    )
    print(f"{count_gates(network)} gates of {arguments.fan_in} wires at all places, or-pools in gates of two")
    train(network, pixels[:n], y[:n], (pixels[50000:60000], y[50000:60000]), arguments)
    if arguments.test:
        print(f"test {accuracy(network, test, y_test, arguments.levels):.4f}")
    if arguments.flips:
        try_flips(network, pack(pixels[50000:51000], arguments.levels), y[50000:51000], arguments.flips, 0)
    print(f"fingerprint {network.fingerprint()[:16]}")


if __name__ == "__main__":
    main()
