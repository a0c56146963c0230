"""Learn functions of a few bits exactly, and count the gates of their circuits.

Usage: python -m tests.bench.recovery [--seed 0]

Prints for each function of tests/recovery.py the steps of full batches until every input was right, the gates of
the network, and those left after simplification; then what becomes, with wires that are learnt, of the multiplexer
of 20 bits and of the parity of 16, whose gates grow.
"""

import argparse
import time

from bvar import kernels
from bvar.circuit import Circuit
from tests.recovery import CASES, all_inputs, decide, grow_parity, learn, learn_multiplexer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| function | inputs, all right | steps | gates | gates, simplified | depth |")
    print("|---|---|---|---|---|---|")
    for name in CASES:
        network, inputs, y, steps = learn(name, arguments.seed)
        right = (decide(network.scores(kernels.pack(inputs)), y) == y).all()
        circuit = Circuit.from_network(network)
        small = circuit.simplify()
        found = f"{len(inputs)}{'' if right else ', NOT all'}"
        print(f"| {name} | {found} | {steps} | {circuit.n_gates} | {small.n_gates} | {small.depth} |")
    start = time.thread_time()
    network, steps, wrong = learn_multiplexer(arguments.seed)
    print(f"multiplexer of 20 bits, {network.layers[0].n_outputs} gates of 6, learnt wires: {wrong} of {2**20} "
          f"rows wrong after {steps} steps, {time.thread_time() - start:.1f} s")  # fmt: skip
    start = time.thread_time()
    network, steps, found = grow_parity(arguments.seed)
    x = all_inputs(16)
    wrong = (network.scores(kernels.pack(x)).argmax(axis=1) != x.sum(axis=1) % 2).sum()
    print(f"parity of 16 bits, grown: {wrong} of {2**16} rows wrong after {steps} steps in 15 stages, {found} of "
          f"which found a gate as drawn, {time.thread_time() - start:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
