"""Learn functions of a few bits exactly, and count the gates of their circuits.

Usage: python -m tests.bench.recovery [--seed 0]

Prints for each function of tests/recovery.py the steps of full batches until every input was right, the gates of
the network, and those left after simplification.
"""

import argparse

from bvar import kernels
from bvar.circuit import Circuit
from tests.recovery import CASES, decide, learn


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


if __name__ == "__main__":
    main()
