"""Networks of gates beside their rivals, on the same bits, one thread each: accuracy and processor time.

Usage: python -m tests.bench.rivals [--data DIR] [--quick] [--difflogic DIR] [--seconds 300] [--seeds 1]

The images are MNIST, 10,000 to train on and 10,000 to test, 784 bits at a level of 128; --quick takes the digits
of scikit-learn, 64 bits.  bvar, difflogic (its implementation in Python, from a checkout named by --difflogic) and
torchlogix train two layers of as many gates of two inputs, and what is scored are gates: tables after rounding.  A
Tsetlin machine (green_tsetlin) and XGBoost are other models, and their sizes are told as they are.

bvar's schedule must know its end, so it trains for fixed epochs; so do XGBoost and the Tsetlin machine.  The
others train until --seconds of processor time are used up, and are scored after each epoch: told are the last
score, and the best, which is theirs with help of the test images.  A package that is not installed is left out.
"""

import argparse
import contextlib
import importlib
import io
import sys
import time
import types
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import kernels
from bvar.networks import gate_network
from tests.bench.mnist import load
from tests.bench.timing import describe

BATCH, N_CLASSES = 100, 10
STANDS_IN = {  # parts that are not used here and may not load: a kernel for GPUs, and syntax of Python 3.12
    "difflogic_cuda": (),
    "torchlogix.circuit": ("Circuit",),
}


def bits(arguments):
    """Return training bits, test bits and classes of both, and gates of a layer."""
    if arguments.quick:
        X, y = load_digits(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
        return X_train >= 8, X_test >= 8, y_train, y_test, 1000
    X_train, X_test, y_train, y_test = load(Path(arguments.data) / "mnist.npz")
    some = np.random.RandomState(0).permutation(len(X_train))[:10_000]
    return X_train[some] >= 128, X_test >= 128, y_train[some], y_test, 2000


def batches(n, n_epochs, seed):
    """Give row numbers, epoch by epoch."""
    random = np.random.RandomState(seed)
    for _ in range(n_epochs):
        order = random.permutation(n)
        yield [order[i : i + BATCH] for i in range(0, n - n % BATCH, BATCH)]


def say(name, size, scores, seconds, note=""):
    last, best = scores[-1], max(scores)
    print(f"| {name} | {size} | {100 * last:.1f} % | {100 * best:.1f} % | {seconds:.1f} s | {note} |", flush=True)


def bvar_gates(data, seed, arguments):
    X_train, X_test, y_train, y_test, width = data
    n_epochs = arguments.epochs
    x, x_test = kernels.pack(X_train), kernels.pack(X_test)
    shape = [X_train.shape[1], width, width]
    network = gate_network(shape, N_CLASSES, n_steps=n_epochs * (len(x) // BATCH), random_state=seed)
    start = time.process_time()
    for epoch in batches(len(x), n_epochs, seed):
        for rows in epoch:
            network.step(x[rows], y_train[rows])
    taken = time.process_time() - start
    score = (network.scores(x_test).argmax(axis=1) == y_test).mean()
    say("bvar", f"{2 * width} gates", [score], taken, f"{n_epochs} epochs")


def relaxed(name, layer, group, data, seed, arguments):
    """Train a relaxation of gates with Adam at 0.01 and a temperature of 10, as difflogic's own script does."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    X_train, X_test, y_train, y_test, width = data
    model = torch.nn.Sequential(layer(X_train.shape[1], width), layer(width, width), group(k=N_CLASSES, tau=10))
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y, x_test = torch.tensor(X_train).float(), torch.tensor(y_train), torch.tensor(X_test).float()
    scores, taken = [], 0.0
    with contextlib.redirect_stdout(io.StringIO()):  # difflogic prints a line in each forward pass
        for epoch in batches(len(x), 10_000, seed):
            model.train()
            start = time.process_time()
            for rows in epoch:
                adam.zero_grad()
                torch.nn.functional.cross_entropy(model(x[rows]), y[rows].long()).backward()
                adam.step()
            taken += time.process_time() - start
            model.eval()
            with torch.no_grad():
                found = torch.cat([model(part).argmax(1) for part in x_test.split(500)]).numpy()
            scores.append((found == y_test).mean())
            if taken > arguments.seconds:
                break
    say(name, f"{2 * width} gates", scores, taken, f"{len(scores)} epochs")


def stand_in(name):
    """Put an empty module in the place of one that is not used here."""
    module = types.ModuleType(name)
    for part in STANDS_IN[name]:
        setattr(module, part, None)
    sys.modules.setdefault(name, module)


def difflogic(data, seed, arguments):
    if arguments.difflogic:
        sys.path.insert(0, arguments.difflogic)
    stand_in("difflogic_cuda")
    package = importlib.import_module("difflogic")

    def layer(n_in, n_out):
        return package.LogicLayer(n_in, n_out, device="cpu", implementation="python")

    def group(k, tau):
        return package.GroupSum(k=k, tau=tau, device="cpu")

    relaxed("difflogic, in Python", layer, group, data, seed, arguments)


def torchlogix(data, seed, arguments):
    stand_in("torchlogix.circuit")
    layers = importlib.import_module("torchlogix.layers")
    relaxed("torchlogix, raw", layers.LogicDense, layers.GroupSum, data, seed, arguments)


def tsetlin(data, seed, arguments):
    import green_tsetlin

    X_train, X_test, y_train, y_test, width = data
    n_clauses = width // 2
    machine = green_tsetlin.TsetlinMachine(
        n_literals=X_train.shape[1], n_clauses=n_clauses, n_classes=N_CLASSES, s=5.0, threshold=n_clauses // 2
    )
    trainer = green_tsetlin.Trainer(machine, seed=seed + 1, n_jobs=1, n_epochs=20, progress_bar=False)  # 0 fails
    fit, held, y_fit, y_held = train_test_split(
        X_train.astype(np.uint8), y_train.astype(np.uint32), test_size=0.1, random_state=seed
    )
    trainer.set_train_data(fit, y_fit)
    trainer.set_eval_data(held, y_held)
    start = time.process_time()
    trainer.train()
    taken = time.process_time() - start
    predictor = machine.get_predictor()
    found = np.array([predictor.predict(row) for row in X_test.astype(np.uint8)])
    note = "20 epochs, the best by a tenth held out"
    say("Tsetlin machine (green_tsetlin)", f"{n_clauses} clauses", [(found == y_test).mean()], taken, note)


def xgboost(data, seed, arguments):
    import xgboost as package

    X_train, X_test, y_train, y_test, _ = data
    for n_trees in (10, 100):
        model = package.XGBClassifier(n_estimators=n_trees, n_jobs=1, random_state=seed)
        start = time.process_time()
        model.fit(X_train, y_train)
        taken = time.process_time() - start
        n_splits = sum(tree.count("[") for tree in model.get_booster().get_dump())
        score = (model.predict(X_test) == y_test).mean()
        say("XGBoost", f"{n_splits} splits", [score], taken, f"{n_trees} rounds, {n_trees * N_CLASSES} trees")


CONTENDERS = (bvar_gates, difflogic, torchlogix, tsetlin, xgboost)


def main(given=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--difflogic", metavar="DIR", help="a checkout of difflogic")
    parser.add_argument("--seconds", type=float, default=300, help="of training, of each that is not fixed")
    parser.add_argument("--epochs", type=int, default=30, help="of bvar")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=[run.__name__ for run in CONTENDERS])
    arguments = parser.parse_args(given)
    if not (arguments.data or arguments.quick):
        parser.error("give --data DIR, a folder with mnist.npz, or --quick")
    print(describe())
    data = bits(arguments)
    print(f"{len(data[0])} rows of {data[0].shape[1]} bits to train on, {len(data[1])} to test\n")
    print("| model | size | test | best of all epochs | CPU | trained |\n|---|---|---|---|---|---|")
    for run in CONTENDERS:
        if arguments.only and run.__name__ not in arguments.only:
            continue
        try:
            for seed in range(arguments.seeds):
                run(data, seed, arguments)
        except ImportError as error:
            print(f"{run.__name__} is left out: {error}", flush=True)


if __name__ == "__main__":
    main()
