"""What a step on many machines costs: bytes on the wire, processor time, and when it pays.

Usage: python tests/bench/cluster.py [--data mnist.npz] [--backend c-avx512] [--picture cluster.svg] [--workers 2]

The file holds x_train and y_train, MNIST; without it the data come from OpenML.  Bytes are those of messages as
they are pickled; times are processor time of one thread, the least of five.  With --workers a cluster of processes
of this machine takes steps that are next to no work, to see what coordination costs.  The last table is a
simulation: machines of 16 cores at 0.8 of their speed, a network without collisions, and

    T(N) = B (f + v) / N + a / N' + bytes / bandwidth + 2 L,    L = 0.2 ms log2 N + 3 us N

for N machines and batches of B, with the constants just measured: f to go forward and to bring signals back, v to
vote, for each sample, and a to apply.  Votes are reduced and scattered, 2 bytes a weight, N' = N; of signals an
owner of rows receives its columns and all activations; 'here' is the crew of this package, in which one process
applies: N' = 1.
"""

import argparse
import pickle
import time
from functools import partial
from itertools import pairwise
from math import log2

import numpy as np
from mnist import load

from bvar import backends, kernels
from bvar.distributed.wire import Answer, packed, whole
from bvar.networks import boolean_mlp, shares

NETWORKS = {"784-1024-1024-10": (784, 1024, 1024, 10), "784-4096-4096-10": (784, 4096, 4096, 10)}
CORES = 16 * 0.8
OWNERS = 16


def bits(path):
    X, _, y, _ = load(path)
    return kernels.pack(X >= 128), y.astype(int)


def size(message):
    return len(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def wire(x, y):
    """Bytes of a step of a network in training, and how far from what is counted beforehand."""
    heads = ("votes", "signals", "to one of 16", "flips", "network")
    print(f"{'bytes of a step':<18} {'batch':>6}" + "".join(f"{head:>13}" for head in heads))
    for name, sizes in NETWORKS.items():
        for batch, steps in ((100, 20), (1000, 5)):
            network = boolean_mlp(sizes, random_state=0)
            stream = network.flips(fingerprints=False)
            for step in range(steps):
                rows = slice(step * batch, (step + 1) * batch)
                network.step(x[rows], y[rows])
            next(stream)
            rows = slice(steps * batch, (steps + 1) * batch)
            parts = np.array_split(np.arange(rows.start, rows.stop), max(1, batch // 250))
            votes = max(size(Answer(packed(network.votes(x[part], y[part])))) for part in parts)
            signals = network.signals(x[rows], y[rows])
            owner = size(signals.of(shares(network, OWNERS)[0])) * (OWNERS - 1) / OWNERS
            network.step(x[rows], y[rows])
            found = votes, size(signals), round(owner), len(next(stream)), len(whole(network))
            print(f"{name:<18} {batch:6}" + "".join(f"{n:13,}" for n in found))


def least(call, rounds=5):
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times)


def processor(x, y, batch=1000):
    """Return f and v, seconds for a sample, and a, seconds for a step, of each network."""
    found = {}
    heads = ("f, us", "v, us", "a, ms", "Votes + Votes, ms", "next(flips), ms")
    widths = [len(head) + 4 for head in heads]
    print(f"\n{'processor time':<18}" + "".join(map(str.rjust, heads, widths)))
    for name, sizes in NETWORKS.items():
        network = boolean_mlp(sizes, random_state=0)
        some, labels = x[:batch], y[:batch]
        votes = network.votes(some, labels)
        stream = network.flips(fingerprints=False)
        network.apply(votes)
        signals = least(partial(network.signals, some, labels)) / batch
        each = least(partial(network.votes, some, labels)) / batch - signals
        apply = least(partial(network.apply, votes))
        add, news = least(partial(sum, [votes, votes])), least(partial(next, stream))
        found[name] = signals, each, apply
        values = (signals * 1e6, each * 1e6, apply * 1e3, add * 1e3, news * 1e3)
        print(f"{name:<18}" + "".join(f"{value:{width}.2f}" for value, width in zip(values, widths, strict=True)))
    return found


def coordination(n_workers):
    """Processor time of a step that is next to no work: in this process with its scheduler, and in a worker."""
    import dask.array as da
    from distributed import Client, LocalCluster

    from bvar.distributed import DaskBooleanClassifier

    x = np.random.RandomState(0).rand(2000, 8)
    cut = da.from_array(x, chunks=(250, -1)), da.from_array((x[:, 0] > 0.5).astype(int), chunks=250)
    taken = []
    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
    with local as cluster, Client(cluster) as client:
        for epochs in (1, 11):
            here, there = time.process_time(), sum(client.run(time.process_time).values())
            DaskBooleanClassifier((8,), max_iter=epochs, batch_size=100, random_state=0, client=client).fit(*cut)
            there = sum(client.run(time.process_time).values()) - there
            taken.append((time.process_time() - here, there / n_workers))
    here, there = (1e3 * (many - few) / (10 * 20) for few, many in zip(*taken, strict=True))
    print(f"\ncoordination by {n_workers} workers: {here:.1f} ms a step here, {there:.1f} ms in each worker")


def alone(constants, batch):
    f, v, a = constants
    return (batch * (f + v) + a) / CORES


def seconds(way, sizes, constants, batch, n, bandwidth):
    """Seconds of a step of n machines; bandwidth in bytes a second."""
    f, v, a = (one / CORES for one in constants)
    latency = 2 * (0.2e-3 * log2(n) + 3e-6 * n)
    outputs, inputs = sum(sizes[1:]), sum(sizes[:-1]) / 8
    weights = sum(i * o for i, o in pairwise(sizes))
    share = (n - 1) / n
    if way == "votes":
        return batch * (f + v) / n + a / n + 2 * weights * share / bandwidth + latency
    if way == "signals":
        received = batch * share * (outputs / n + inputs)
        return batch * (f + v) / n + a / n + received / bandwidth + latency
    up = min(2 * weights, batch * (outputs + inputs) * share)
    here = batch * v if up < 2 * weights else 0.0  # who applies signals votes for all
    return batch * (f + v) / n + here + a + up / bandwidth + latency


def simulate(found):
    """Print how many times as fast as one machine of 16 cores some are."""
    machines = (8, 64, 256, 1024)
    print(f"\nspeed-up by votes / signals / here{' ':10}" + "".join(f"{n:>14} machines" for n in machines))
    for gigabits in (10, 100):
        for name, sizes in NETWORKS.items():
            for batch in (1000, 10_000, 100_000):
                cells = ""
                for n in machines:
                    times = [
                        seconds(way, sizes, found[name], batch, n, gigabits * 1e9 / 8)
                        for way in ("votes", "signals", "here")
                    ]
                    ups = " / ".join(f"{alone(found[name], batch) / one:5.1f}" for one in times)
                    cells += f"{ups:>23}"
                print(f"{gigabits:4} Gbit/s  {name:<18} {batch:9}{cells}")


def draw(found, path):
    """Draw the speed-up over batch size and width: the better of votes and signals, 10 Gbit/s."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    f, v, a = found["784-4096-4096-10"]
    weights = 784 * 4096 + 4096 * 4096 + 4096 * 10
    widths, batches = np.geomspace(256, 16384, 25), np.geomspace(100, 1e5, 25)
    figure, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
    for axis, n in zip(axes, (8, 64, 1024), strict=True):
        ups = np.zeros((len(widths), len(batches)))
        for i, width in enumerate(widths):
            sizes = (784, int(width), int(width), 10)
            scale = sum(p * q for p, q in pairwise(sizes)) / weights
            constants = f * scale, v * scale, a * scale
            for j, batch in enumerate(batches):
                times = [seconds(way, sizes, constants, batch, n, 1.25e9) for way in ("votes", "signals")]
                ups[i, j] = alone(constants, batch) / min(times)
        levels = [0, 1, 2, 4, 8, 16, 32, 64]
        drawn = axis.contourf(batches, widths, ups, levels, norm=matplotlib.colors.BoundaryNorm(levels, 256))
        axis.contour(batches, widths, ups, [1], colors="white")
        axis.set(xscale="log", yscale="log", xlabel="batch", title=f"{n} machines")
    axes[0].set_ylabel("width of two layers")
    figure.colorbar(drawn, ax=axes, label="times as fast as one")
    with matplotlib.rc_context({"svg.hashsalt": "bvar"}):
        figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--backend")
    parser.add_argument("--picture")
    parser.add_argument("--workers", type=int, default=0)
    arguments = parser.parse_args()
    x, y = bits(arguments.data)
    with backends.use(arguments.backend):
        wire(x, y)
        found = processor(x, y)
    if arguments.workers:
        coordination(arguments.workers)
    simulate(found)
    if arguments.picture:
        draw(found, arguments.picture)


if __name__ == "__main__":
    main()
