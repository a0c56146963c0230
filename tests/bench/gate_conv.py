"""Convolutions of gates on images: accuracy, gates with all places unrolled, and images per second.

Usage: python -m tests.bench.gate_conv [--data DIR] [--images mnist] [--conv 32 M 64 M] [--epochs 10] [--test]

The last training images, --held-out of them, are held out, for looking at; with --test the network that ends
the training is asked for the test images, once. DIR holds mnist.npz with x_train, y_train, x_test and y_test;
they come from OpenML without it. For --images cifar it holds cifar10_train.npz, whose last 10,000 images are the
test; images are then mirrored as well. With --checkpoint FILE a training that was stopped goes on from its last
whole epoch. Times are CPU time of one thread.
"""

import argparse
import os
import pickle
import time
from math import prod
from pathlib import Path

import numpy as np

from bvar import kernels
from bvar.layers import Concatenate, GateConv2d, GateLayer, OrPool2d
from bvar.networks import gate_conv_network
from bvar.training import RandomFlip, RandomRotation, RandomShift, apply_augmentations
from tests.bench import cifar, mnist


def load_images(name, directory, n_held_out):
    """Give flat images in bytes and classes, for training, holding out and testing, and the shape of an image."""
    if name == "mnist":
        pixels, test, y, y_test = mnist.load(directory and os.path.join(directory, "mnist.npz"))
        shape = (28, 28, 1)
    else:
        images, y = cifar.load(directory)
        pixels, shape = images.reshape(len(images), -1), images.shape[1:]
        pixels, test, y, y_test = pixels[:-10000], pixels[-10000:], y[:-10000], y[-10000:]
    parts = (pixels[:-n_held_out], y[:-n_held_out]), (pixels[-n_held_out:], y[-n_held_out:]), (test, y_test)
    return *parts, shape


def levels_of(pixels, n_colours, arguments):
    """Give levels of each colour: those asked for, or quantiles of the first images, of grey ones even steps."""
    if arguments.quantiles is None:
        return np.tile(np.array(arguments.levels, np.uint8), (n_colours, 1))
    shares = np.arange(1, arguments.quantiles + 1) / (arguments.quantiles + 1)
    colours = pixels[:5000].reshape(-1, n_colours)
    levels = 256 * shares[None] if n_colours == 1 else np.quantile(colours, shares, axis=0).T
    return np.rint(levels).clip(1, 255).astype(np.uint8)


def pack(pixels, levels):
    """Ask each number for each level of its colour whether it reaches it: a channel for each."""
    asked = np.repeat(pixels.astype(np.uint8), levels.shape[1], axis=1)
    return kernels.pack_levels(asked, np.tile(levels.ravel(), pixels.shape[1] // len(levels)))


def every(layers):
    """Give layers and those in them, from the input on."""
    for layer in layers:
        yield from every(layer.layers) if isinstance(layer, Concatenate) else [layer]


def count_gates(network):
    """Count gates at all places; an or of n pixels is n - 1 of them."""
    n = 0
    for layer in every(network.layers):
        if isinstance(layer, GateConv2d):
            n += layer.window.n_places * sum(table.shape[0] for table in layer.tables)
        elif isinstance(layer, OrPool2d):
            n += prod(layer.out_shape) * (layer.size**2 - 1)
        elif isinstance(layer, GateLayer):
            n += layer.n_outputs
    return n


def accuracy(network, pixels, y, levels):
    parts = [network.scores(pack(pixels[i : i + 500], levels)) for i in range(0, len(y), 500)]
    return (np.concatenate(parts).argmax(axis=1) == y).mean()


def changes_of(arguments, shape):
    """Give what happens to images before each epoch."""
    changes, fill = [], "edge" if arguments.edge else 0.0
    if arguments.turn:
        changes.append(RandomRotation(arguments.turn, fill, arguments.share, shape))
    if arguments.shift:
        changes.append(RandomShift(arguments.shift, fill, arguments.share, shape))
        changes += [RandomFlip(image_shape=shape)] if arguments.images == "cifar" else []
    return changes


def train(network, pixels, y, held_out, shape, levels, arguments):
    random, first, taken = np.random.RandomState(arguments.seed), 1, 0.0
    path = arguments.checkpoint and Path(arguments.checkpoint)
    if path and path.exists():
        network, random, first, taken = pickle.loads(path.read_bytes())
    changes = changes_of(arguments, shape)
    start = time.process_time() - taken
    for epoch in range(first, arguments.epochs + 1):
        if taken > arguments.seconds:
            return None
        moved = apply_augmentations(pixels, changes, random)
        x, order, n_correct = pack(moved, levels), random.permutation(len(y)), 0
        for i in range(0, len(y) - arguments.batch + 1, arguments.batch):
            some = order[i : i + arguments.batch]
            n_correct += network.step(x[some], y[some])[0].n_correct
        taken = time.process_time() - start
        print(f"epoch {epoch:>3}: train {n_correct / len(y):.4f}, held out "
              f"{accuracy(network, *held_out, levels):.4f}, {taken:.0f} s of CPU, "
              f"{epoch * len(y) / taken:.0f} images/s", flush=True)  # fmt: skip
        if path:
            path.write_bytes(pickle.dumps((network, random, epoch + 1, taken)))
    return network


def loss_of(network, x, y):
    return network.loss.judge(network.scores(x), y, None)[2]


def try_flips(network, x, y, n_entries, seed):
    """Flip some entries of each table whose signals ask for it, and see how the loss changes.

    Printed is the share that lowers it, and for some orders of the entries how often one that lowers it stands
    before one that does not: half of the times if the order says nothing.
    """
    random, before = np.random.RandomState(seed), loss_of(network, x, y)
    signals, contexts = network._forward(x)
    signals = network.loss.judge(signals, y, None)[0]
    for layer, signal, context in network._backward(signals, contexts, []):
        if not isinstance(layer, GateConv2d):
            continue
        sums = [np.zeros((3, *table.shape)) for table in layer.tables]
        for level, changes, looks in layer.changes(signal, context):
            sums[level] += [part.sum(axis=0) for part in (changes, looks, looks.astype(float) ** 2)]
        for table, (q, looks, squares) in zip(layer.tables, sums, strict=True):
            bits = kernels.unpack(table.bits)
            asked = random.permutation(np.argwhere(np.where(bits, q, -q) > 0))[:n_entries]
            changes = []
            for gate, entry in asked.tolist():
                table.bits.words[gate, 0] ^= np.uint64(1 << entry)
                changes.append(float(loss_of(network, x, y) - before))
                table.bits.words[gate, 0] ^= np.uint64(1 << entry)
            is_better, at = np.array(changes) < 0, tuple(asked.T)
            orders = {"|c|": 1, "|c|/sqrt(n)": np.sqrt(looks[at]), "|c|/n": looks[at], "|c|/n^2": squares[at]}
            found = (f"{name} {ranked(abs(q[at]) / size, is_better):.2f}" for name, size in orders.items())
            print(f"{table.name:<18} of {len(asked)} flips {is_better.mean():.2f} lower the loss; "
                  f"before the others stand by {', '.join(found)}", flush=True)  # fmt: skip


def ranked(values, is_better):
    """Say how often a value of the better ones is above one of the others."""
    return (values[is_better][:, None] > values[~is_better]).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a directory with the files")
    parser.add_argument("--images", choices=("mnist", "cifar"), default="mnist")
    parser.add_argument("--conv", nargs="+", default=["32", "M", "64", "M"])
    parser.add_argument("--layers", type=int, nargs="+", default=[8000, 8000])
    parser.add_argument("--kernel-size", type=int, nargs="+", default=[3], help="of all convolutions, or of each")
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--fan-in", type=int, default=6, help="of trees")
    parser.add_argument("--head-fan-in", type=int, default=2)
    parser.add_argument("--samples", type=int, default=50000, help="training images, at most")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--levels", type=int, nargs="+", default=[128], help="a bit for each, pixel >= level")
    parser.add_argument("--shift", type=int, default=0, help="pixels by which images are moved at random")
    parser.add_argument("--turn", type=float, default=0.0, help="degrees by which images are turned at random")
    parser.add_argument("--share", type=float, default=0.9, help="of images that are moved, and of those turned")
    parser.add_argument("--wiring", choices=("random", "learnt"), default="random", help="behind the trees")
    parser.add_argument("--candidates", type=int, default=8, help="of each learnt wire")
    parser.add_argument("--skip", action="store_true", help="let the gates behind the trees read all levels")
    parser.add_argument("--literals", type=int, help="begin with conjunctions of so many wires, at most")
    parser.add_argument("--comparisons", type=int, help="begin with conjunctions of so many comparisons, at most")
    parser.add_argument("--fixed-trees", action="store_true", help="let tables of trees stay as they begin")
    parser.add_argument("--pool-size", type=int, default=2)
    parser.add_argument("--quantiles", type=int, help="levels of each colour, in place of --levels")
    parser.add_argument("--edge", action="store_true", help="repeat the edge of images that are moved")
    parser.add_argument("--held-out", type=int, default=10000, help="training images")
    parser.add_argument("--seconds", type=float, default=np.inf, help="of CPU, after which no epoch begins")
    parser.add_argument("--eta", type=float, default=10.0)
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--pass-through", type=int, default=64, help="of 64 gates of trees")
    parser.add_argument("--damping", type=int, default=1, help="of votes on shared tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", type=int, default=0, help="entries of each table to flip for trial afterwards")
    parser.add_argument("--checkpoint", help="a file, to go on from")
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    (pixels, y), held_out, test, shape = load_images(arguments.images, arguments.data, arguments.held_out)
    pixels, y = pixels[: arguments.samples], y[: arguments.samples]
    levels = levels_of(pixels, shape[2], arguments)
    network = gate_conv_network(
        (*shape[:2], levels.size),
        [entry if entry == "M" else int(entry) for entry in arguments.conv],
        arguments.layers,
        kernel_size=arguments.kernel_size[0] if len(arguments.kernel_size) == 1 else arguments.kernel_size,
        depth=arguments.depth,
        fan_in=arguments.fan_in,
        head_fan_in=arguments.head_fan_in,
        head_wiring=arguments.wiring,
        head_candidates=arguments.candidates,
        skip=arguments.skip,
        pass_through=arguments.pass_through,
        literals=arguments.literals,
        comparisons=arguments.comparisons,
        n_levels=levels.shape[1],
        fixed_trees=arguments.fixed_trees,
        pool_size=arguments.pool_size,
        damping=arguments.damping,
        eta=arguments.eta,
        n_steps=arguments.epochs * (len(y) // arguments.batch),
        temperature=arguments.temperature,
        random_state=arguments.seed,
    )
    print(f"{count_gates(network)} gates at all places, of {arguments.fan_in} wires in trees and "
          f"{arguments.head_fan_in} behind them, or-pools in gates of two")  # fmt: skip
    network = train(network, pixels, y, held_out, shape, levels, arguments)
    if network is None:
        return
    if arguments.test:
        print(f"test {accuracy(network, *test, levels):.4f}")
    if arguments.flips:
        try_flips(network, pack(held_out[0][:500], levels), held_out[1][:500], arguments.flips, 0)
    print(f"fingerprint {network.fingerprint()[:16]}")


if __name__ == "__main__":
    main()
