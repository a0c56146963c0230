"""Train VGG-Small, with Boolean or real ends, on 32 x 32 colour images; stop and go on at any time.

    python tutorials/train_vgg_small.py --state vgg.pickle [--data cifar.npz] [--ends real] [--epochs 60]

The state is written after every epoch and every --save steps; the same command goes on from it, and comes to the
same weights as a run that was never stopped.  Without --data the images are CIFAR-10 from OpenML, 170 MB, which
scikit-learn keeps after the first time; a file must hold x_train, y_train, x_test, y_test, the images as uint8 of
shape (n, 32, 32, 3).  The state is a pickle: open only your own.

Boolean ends see each colour through eight thresholds.  Real ends are those of the paper and see numbers.
"""

import argparse
import os
import pickle
import time
from pathlib import Path

import numpy as np

from bvar import ImageEncoder, backends
from bvar.bits import RandomWords
from bvar.networks import vgg_small
from bvar.real import RealEnds
from bvar.training import RandomFlip, RandomShift, apply_augmentations

CHANGES = [RandomShift(4), RandomFlip()]


def load(path):
    """Return training and test images, then their classes as integers."""
    if path:
        with np.load(path) as data:
            return data["x_train"], data["x_test"], data["y_train"].ravel(), data["y_test"].ravel()
    from sklearn.datasets import fetch_openml

    images, classes = fetch_openml("CIFAR_10", version=1, return_X_y=True, as_frame=False)
    images = images.astype(np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    classes = np.unique(classes, return_inverse=True)[1]
    return images[:50000], images[50000:], classes[:50000], classes[50000:]


def maker(ends, x_train):
    """Return what makes inputs of images: bits, or numbers of mean square 1."""
    if ends == "boolean":
        encoder = ImageEncoder(8, n_channels=3).fit(x_train[:1000].reshape(-1, 3072))
        return lambda images: encoder.encode(images.reshape(len(images), -1))
    mean, spread = x_train.mean(axis=(0, 1, 2)), x_train.std(axis=(0, 1, 2))
    return lambda images: ((images - mean) / spread).astype(np.float32).reshape(len(images), -1)


def write(path, state):
    """Replace the file in one go: a crash leaves the old one."""
    part = Path(f"{path}.part")
    part.write_bytes(pickle.dumps(state))
    os.replace(part, path)


def accuracy(network, inputs, images, classes):
    parts = [slice(i, i + 250) for i in range(0, len(images), 250)]
    return np.mean([(network.scores(inputs(images[p])).argmax(axis=1) == classes[p]).mean() for p in parts])


def start(arguments, steps_an_epoch):
    """Read the state, or begin one: the network, the source of random numbers, and how far it has come."""
    if arguments.state and Path(arguments.state).exists():
        return pickle.loads(Path(arguments.state).read_bytes())
    network = vgg_small(
        (32, 32, 24 if arguments.ends == "boolean" else 3),
        ends=None if arguments.ends == "boolean" else RealEnds(),
        head=(1024, 1024) if arguments.classic else (),
        eta=arguments.eta,
        n_steps=arguments.epochs * steps_an_epoch,
        random_state=arguments.seed,
    )
    return {"network": network, "source": RandomWords(arguments.seed + 1), "step": 0}


def order_of_epoch(state, n_images):
    """Draw the order and the seed of the augmentation once, and keep them until the epoch is over."""
    if "order" not in state:
        source = state["source"]
        state["order"] = source.permutation(n_images)
        state["seed"] = int(source.words.random_raw()) >> 33
    return state["order"], state["seed"]


def main():
    """Train, report, keep the state."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="file of images; default: CIFAR-10 from OpenML")
    parser.add_argument("--state", help="file to go on from, and to keep the state in")
    parser.add_argument("--ends", choices=["boolean", "real"], default="boolean")
    parser.add_argument("--classic", action="store_true", help="three linear layers at the end, not one")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--eta", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=int, default=100, help="steps between two writings of the state")
    parser.add_argument("--steps", type=int, help="stop after so many steps of this run")
    parser.add_argument("--backend")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    x_train, x_test, y_train, y_test = load(arguments.data)
    inputs, steps_an_epoch = maker(arguments.ends, x_train), len(x_train) // arguments.batch
    state = start(arguments, steps_an_epoch)
    network, last = state["network"], arguments.epochs * steps_an_epoch
    if arguments.steps is not None:
        last = min(last, state["step"] + arguments.steps)
    print(network.summary(), flush=True)
    began, first, right = time.perf_counter(), state["step"], []
    with backends.use(arguments.backend, n_threads=arguments.threads):
        while state["step"] < last:
            epoch, i = divmod(state["step"], steps_an_epoch)
            order, seed = order_of_epoch(state, len(x_train))
            rows = order[i * arguments.batch : (i + 1) * arguments.batch]
            changed = apply_augmentations(x_train[rows], CHANGES, np.random.RandomState(seed ^ i))
            seen, flips = network.step(inputs(changed), y_train[rows].astype(np.int64))
            state["step"] += 1
            right.append(seen.n_correct / len(rows))
            if state["step"] % arguments.save == 0 or state["step"] == last:
                speed = (state["step"] - first) * arguments.batch / (time.perf_counter() - began)
                print(
                    f"epoch {epoch + 1}, step {state['step']}: training accuracy {100 * np.mean(right):.1f} %, "
                    f"{sum(flips)} flips, {speed:.0f} images/s",
                    flush=True,
                )
                right.clear()
                if arguments.state:
                    write(arguments.state, state)
            if state["step"] % steps_an_epoch == 0:
                del state["order"]
                print(f"epoch {epoch + 1}: test accuracy {100 * accuracy(network, inputs, x_test, y_test):.2f} %")
                if arguments.state:
                    write(arguments.state, state)
    print(f"fingerprint {network.fingerprint()}")


if __name__ == "__main__":
    main()
