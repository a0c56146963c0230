"""Networks of gates with learnt wires on images: accuracy, and the test images looked at once, at the end.

Usage: python -m tests.bench.wires RUN [--data DIR] [--out DIR] [--seconds N] [--seed 0]

RUN is one of those of RUNS below.  DIR holds mnist.npz, with x_train, y_train, x_test and y_test, or
cifar10_train.npz, whose last 10,000 images are the test.  Of the others, the last are for validation.  After each
epoch the network and what it has reached stand in the folder --out; a run that was stopped, or has used up its
seconds of processor time, goes on from there when it is called again.  The test images are looked at when all
epochs are done.
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bvar import kernels, model_file
from bvar.bits import RandomWords
from bvar.layers import image_places, window_wires
from bvar.networks import gate_network
from bvar.training import RandomFlip, RandomShift, apply_augmentations
from tests.bench import cifar

TEST = 10_000  # images of CIFAR-10


class Run(NamedTuple):
    data: str
    layers: list[int]
    epochs: int
    batch: int = 128
    fan_in: int = 2
    wiring: str = "learnt"
    candidates: int = 16
    windows: tuple[int, ...] = ()
    levels: int = 3
    temperature: float = 1.0
    pass_through: int = 16
    held_out: int = 10_000
    shift: int = 0


CIFAR = Run("cifar", [120_000], 14, batch=256, candidates=8, levels=7, temperature=3.0, held_out=5000)

RUNS = {
    "mnist-8000": Run("mnist", [4000, 4000], 60),
    "mnist-8000-random": Run("mnist", [4000, 4000], 60, wiring="random"),
    "mnist-48000": Run("mnist", [24000, 24000], 15, candidates=8),
    "cifar-120000": CIFAR,
    "cifar-200000": CIFAR._replace(layers=[200_000], epochs=18, shift=2),
}


def mnist(folder):
    data = np.load(folder / "mnist.npz")
    images = [data[name].reshape(-1, 1, 28, 28) for name in ("x_train", "x_test")]
    return images, [data["y_train"], data["y_test"]], [RandomShift(1, probability=0.5, image_shape=(28, 28))]


def colours(folder):
    """Planes of red, green and blue."""
    images, y = cifar.load(folder)
    images = images.transpose(0, 3, 1, 2)
    both = slice(None, -TEST), slice(-TEST, None)
    return (
        [images[part] for part in both],
        [y[part] for part in both],
        [RandomFlip(image_shape=(32, 32, 3))],
    )


def thresholds(images, n_levels):
    """Quantiles of each plane; of those of MNIST, most of whose pixels are black, even steps."""
    shares = np.arange(1, n_levels + 1) / (n_levels + 1)
    if images.shape[1] == 1:
        levels = 256 * shares[None]
    else:
        levels = np.stack([np.quantile(images[:5000, plane], shares) for plane in range(images.shape[1])])
    return np.repeat(np.rint(levels.T).clip(1, 255).astype(np.uint8).ravel(), images[0, 0].size)


def pack(images, levels):
    flat = images.reshape(len(images), -1)
    return kernels.pack_levels(np.tile(flat, len(levels) // flat.shape[1]), levels)


def made(run, images, n_steps, seed):
    n_planes, height, width = images.shape[1] * run.levels, *images.shape[2:]
    source, places, wires = RandomWords(seed + 1), image_places((height, width), n_planes), []
    n_candidates = run.candidates if run.wiring == "learnt" else 1
    for n_gates, size in zip(run.layers, run.windows, strict=False):
        drawn, places = window_wires(places, n_gates, run.fan_in * n_candidates, size, source)
        wires.append(drawn.reshape(n_gates, run.fan_in, n_candidates) if n_candidates > 1 else drawn)
    return gate_network(
        [n_planes * height * width, *run.layers], 10, fan_in=run.fan_in, wires=wires, wiring=run.wiring,
        candidates=run.candidates, n_steps=n_steps, temperature=run.temperature, pass_through=run.pass_through,
        random_state=seed,
    )  # fmt: skip


def epoch(network, run, images, y, levels, changes, random):
    """Train on all images once, moved anew; return the share of them that were answered right."""
    order, n_correct = random.permutation(len(y)), 0
    for start in range(0, len(y) - run.batch + 1, run.batch):
        rows = np.sort(order[start : start + run.batch])
        changed = (
            apply_augmentations(
                np.ascontiguousarray(images[rows].transpose(0, 2, 3, 1)).reshape(len(rows), -1), changes, random
            )
            .reshape(len(rows), *images.shape[2:], images.shape[1])
            .transpose(0, 3, 1, 2)
        )
        n_correct += network.step(pack(changed, levels), y[rows])[0].n_correct
    return n_correct / len(y)


def right(network, images, y, levels):
    scores = [network.scores(pack(images[i : i + 1000], levels)) for i in range(0, len(y), 1000)]
    return float((np.concatenate(scores).argmax(axis=1) == y).mean())


def train(name, run, arguments):
    (images, test), (y, y_test), changes = {"mnist": mnist, "cifar": colours}[run.data](arguments.data)
    if run.shift:
        changes.append(RandomShift(run.shift, "edge", image_shape=(*images.shape[2:], images.shape[1])))
    levels, n = thresholds(images, run.levels), len(y) - run.held_out
    model, told = (arguments.out / f"{name}-{arguments.seed}.{kind}" for kind in ("bvar", "json"))
    if told.exists():
        about, network = json.loads(told.read_text()), model_file.load(model)
    else:
        about = {"validation": [], "train": [], "seconds": 0.0}
        network = made(run, images, run.epochs * (n // run.batch), arguments.seed)
    began = time.thread_time()
    while len(about["train"]) < run.epochs and time.thread_time() - began < arguments.seconds:
        start, random = time.thread_time(), np.random.RandomState([arguments.seed, len(about["train"])])
        about["train"].append(epoch(network, run, images[:n], y[:n], levels, changes, random))
        about["seconds"] += time.thread_time() - start
        about["validation"].append(right(network, images[n:], y[n:], levels))
        model_file.save(network, model, training_state=True)
        told.write_text(json.dumps(about))
        print(f"{name}, epoch {len(about['train'])}: train {about['train'][-1]:.4f}, "
              f"validation {about['validation'][-1]:.4f}, {about['seconds']:.0f} s", flush=True)  # fmt: skip
    if len(about["train"]) == run.epochs and "test" not in about:
        about |= {"test": right(network, test, y_test, levels), "fingerprint": network.fingerprint()}
        told.write_text(json.dumps(about))
    if "test" in about:
        print(f"{name}: {sum(run.layers)} gates of {run.fan_in}, {run.wiring} wires, test {about['test']:.4f}, "
              f"{about['seconds']:.0f} s of CPU, fingerprint {about['fingerprint'][:16]}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.run, RUNS[arguments.run], arguments)


if __name__ == "__main__":
    main()
