"""MNIST: convolutional networks of one shape, Boolean, with real ends, and of floats: accuracy, seconds, bytes.

    python -m tests.bench.conv_mnist [--data mnist.npz] [--epochs 15] [--only boolean real torch mlp]

All are 64 filters, pool, 128 filters, pool, 512 units, 10 classes; images are moved by up to a pixel, anew in
each epoch.  The file holds x_train, y_train, x_test, y_test; without it the data come from OpenML.  Seconds are
CPU time of this thread, with one thread for linear algebra.
"""

import argparse
import time

import numpy as np

from bvar import BooleanConvClassifier, backends
from bvar.bits import RandomWords
from bvar.networks import conv_network
from bvar.real import RealEnds
from bvar.training import RandomShift
from tests.bench.mnist import load
from tests.bench.timing import describe, one_thread

CONVOLUTIONS, HIDDEN = (64, "M", 128, "M"), (512,)


def moved(images, seed):
    return RandomShift(1)(images, random_state=seed)


def boolean(data, epochs):
    """BooleanConvClassifier, every weight and activation one bit."""
    model = BooleanConvClassifier(CONVOLUTIONS, HIDDEN, max_iter=epochs, augment=RandomShift(1), random_state=0)
    model.fit(data[0], data[2])
    size = sum(p.bits.n_rows * p.bits.n_bits for p in model.network_.parameters) / 8
    return (model.predict(data[1]) == data[3]).mean(), size


def standard(images):
    """Float32 of mean 0 and mean square 1 over all pixels, which are the same numbers for training and test."""
    return ((images.astype(np.float32) - 33.3) / 78.6).reshape(len(images), -1)


def real(data, epochs):
    """The same network with real ends, trained by Adam beside the Boolean optimizer."""
    source, y, steps = RandomWords(1), data[2].astype(np.int64), len(data[2]) // 100
    network = conv_network((28, 28), CONVOLUTIONS, HIDDEN, ends=RealEnds(), n_steps=epochs * steps, random_state=0)
    for epoch in range(epochs):
        x, order = standard(moved(data[0], epoch)), source.permutation(len(y))
        for i in range(0, 100 * steps, 100):
            network.step(x[order[i : i + 100]], y[order[i : i + 100]])
    right = (network.scores(standard(data[1])).argmax(axis=1) == data[3]).mean()
    n_real = sum(p.values.nbytes for p in network.real.parameters)
    return right, sum(p.bits.n_rows * p.bits.n_bits for p in network.parameters) / 8 + n_real


def torch(data, epochs):
    """The same shape in PyTorch: float32, ReLU, Adam with a cosine schedule."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers += [nn.Linear(6272, 512), nn.ReLU(), nn.Linear(512, 10)]
    network, y = nn.Sequential(*layers), torch.from_numpy(data[2].astype(np.int64))
    rule = torch.optim.Adam(network.parameters(), 1e-3)
    steps = len(y) // 100
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rule, epochs * steps)
    for epoch in range(epochs):
        x = torch.from_numpy(standard(moved(data[0], epoch))).reshape(-1, 1, 28, 28)
        order = torch.randperm(len(y))
        for i in range(0, 100 * steps, 100):
            rule.zero_grad()
            nn.functional.cross_entropy(network(x[order[i : i + 100]]), y[order[i : i + 100]]).backward()
            rule.step()
            schedule.step()
    with torch.no_grad():
        tests = torch.from_numpy(standard(data[1])).reshape(-1, 1, 28, 28)
        answers = torch.cat([network(part).argmax(dim=1) for part in tests.split(500)]).numpy()
    return (answers == data[3]).mean(), 4 * sum(p.numel() for p in network.parameters())


def mlp(data, epochs):
    """MLPClassifier of one hidden layer of 512, without convolutions and without moved images."""
    from sklearn.neural_network import MLPClassifier

    x, x_test = (standard(images) for images in data[:2])
    model = MLPClassifier((512,), batch_size=100, max_iter=epochs, early_stopping=True, random_state=0)
    model.fit(x, data[2])
    return model.score(x_test, data[3]), 4 * sum(w.size for w in model.coefs_ + model.intercepts_)


NETWORKS = {"boolean": boolean, "real": real, "torch": torch, "mlp": mlp}


def main():
    """Train one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--backend")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    arguments = parser.parse_args()
    one_thread()
    print(describe(), flush=True)
    x_train, x_test, y_train, y_test = load(arguments.data)
    data = x_train.reshape(-1, 28, 28), x_test.reshape(-1, 28, 28), y_train.astype(int), y_test.astype(int)
    with backends.use(arguments.backend):
        for name in arguments.only:
            start = time.thread_time()
            right, size = NETWORKS[name](data, arguments.epochs)
            taken = time.thread_time() - start
            print(f"{name:<8} test {100 * right:6.2f} %  {taken:6.0f} s of CPU  {size:9.0f} bytes", flush=True)


if __name__ == "__main__":
    main()
