"""The energy of VGG-Small by the model, beside the published figures, and what this machine measures.

    python -m tests.bench.energy [--batch 300] [--picture FILE.png] [--no-measure]

First the published table (BOLD, Table 2), in per cent of the float network, one step of training, and what the
model gives for each arm.  Then readings of what the paper leaves open, on which the result hangs: the width of
sums, that of signals, and whether the multiply-add that prices are in is one of 16 or of 32 bits.  Then where the
energy goes.  At last a network that runs here: the model's share, processor time, bytes of the kernels and joules,
if they are counted.
"""

import argparse
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np

from bvar import kernels
from bvar.energy import (
    ASCEND,
    BINARY_WEIGHTS,
    BINARY_WEIGHTS_AND_INPUTS,
    BOLD,
    BOOLEAN,
    FLOAT,
    PLATFORMS,
    V100,
    Platform,
    Widths,
    cost,
    measure,
)
from bvar.networks import Network, boolean_mlp, vgg_small
from bvar.plotting import plot_energy
from bvar.real import RealEnds

PUBLISHED = {  # on Ascend, on a V100: recalled, see docs/explanation/energy.md
    "float": (FLOAT, 100.0, 100.0),
    "BinaryConnect": (BINARY_WEIGHTS, 38.59, 48.49),
    "BinaryNet": (BINARY_WEIGHTS_AND_INPUTS, 32.60, 43.61),
    "BOLD, no BN": (BOLD, 3.64, 2.78),
    "BOLD, with BN": (None, 4.87, 3.71),
    "bvar's types": (BOOLEAN, None, None),
}
READINGS = {
    "sums 16, signals 16 (as printed)": BOLD,
    "sums 16, signals 1": replace(BOLD, signals=1),
    "sums 8, signals 1": Widths(1, 1, 8, 1, 1, 8, 17),
    "sums 1, signals 16": replace(BOLD, sums=1, votes=1),
    "sums 1, signals 1": Widths(1, 1, 1, 1, 1, 1, 17),
}
UNITS = {
    "Ascend, 16": ASCEND,
    "Ascend, 32": replace(ASCEND, word=32),
    "Ascend, 32, 1": replace(ASCEND, word=32, multiply_add=ASCEND.multiply_add / 2),
    "V100, 16": V100,
    "V100, 32": replace(V100, word=32),
}


def published(network: Network, batch: int) -> None:
    """Print the table of the paper, and the same arms by the model."""
    print(f"VGG-Small, {batch} images, a step of training, per cent of float: published, and by the model")
    print(f"{'':<18}" + "".join(f"{name:>22}" for name in ("Ascend", "V100")))
    floats = [cost(network, batch, platform, widths=FLOAT).training for platform in (ASCEND, V100)]
    for arm, (widths, *printed) in PUBLISHED.items():
        cells = []
        for platform, whole, figure in zip((ASCEND, V100), floats, printed, strict=True):
            mine = (
                ""
                if widths is None
                else f"{100 * cost(network, batch, platform, widths=widths).training / whole:.2f}"
            )
            cells.append(f"{'' if figure is None else f'{figure:.2f}':>12}{mine:>10}")
        print(f"{arm:<18}" + "".join(cells))


def _per_cent(network: Network, batch: int, platform: Platform, widths: Widths, whole: float) -> str:
    return f"{100 * cost(network, batch, platform, widths=widths).training / whole:.2f}"


def readings(network: Network, batch: int) -> None:
    """Print what the Boolean network costs for each reading of what is not printed."""
    print(
        "\nBoolean, by reading (published: 3.64, 2.78); a multiply-add, the unit of prices, has 16 bits or 32, and"
    )
    print("on Ascend it is two of the operations that a watt pays for, or one")
    print(f"{'':<34}" + "".join(f"{name:>14}" for name in UNITS))
    for name, widths in READINGS.items():
        cells = []
        for platform in UNITS.values():
            whole = cost(network, batch, platform, widths=FLOAT).training
            cells.append(_per_cent(network, batch, platform, widths, whole))
        print(f"{name:<34}" + "".join(f"{cell:>14}" for cell in cells))


def places(network: Network, batch: int) -> None:
    """Print where the energy goes, on each platform."""
    for platform in PLATFORMS:
        print(f"\n{platform.name}, per cent of the energy of a step, by place")
        for arm, widths in (("float", FLOAT), ("bvar's types", BOOLEAN)):
            found = cost(network, batch, platform, widths=widths)
            cells = [f"{place} {100 * energy / found.training:.1f}" for place, energy in found.by("place").items()]
            print(f"  {arm:<14} {'  '.join(cells)}")


def measured(batch: int) -> None:
    """Print what a network takes here: bits, and floats of the same shape by the BLAS of NumPy."""
    print(f"\n784-1024-1024-10 on this machine, {batch} samples")
    sizes = [784, 1024, 1024, 10]
    network = boolean_mlp(sizes, random_state=0)
    random = np.random.RandomState(0)
    X, y = random.rand(batch, sizes[0]) < 0.5, random.randint(10, size=batch)
    bits, floats = cost(network, batch), cost(network, batch, widths=FLOAT)
    weights = [random.randn(n, m).astype(np.float32) for m, n in pairwise(sizes)]
    for way, energies, targets in (
        ("inference", (bits.inference, floats.inference), None),
        ("training", (bits.training, floats.training), y),
    ):
        found = measure(network, kernels.pack(X), targets, n_runs=9)
        seconds = min(float_seconds(weights, X.astype(np.float32), targets is not None) for _ in range(9))
        n_bytes = float_bytes(sizes, batch, targets is not None)
        share = 100 * energies[0] / energies[1]
        print(f"  {way}: {share:.1f} % of the energy of float by the model of {ASCEND.name}")
        times = f"{1000 * found.seconds:.2f} ms, in float32 {1000 * seconds:.2f} ms"
        print(f"    processor time {times}: {100 * found.seconds / seconds:.1f} %")
        moved = f"{found.n_bytes / 1e6:.2f} MB, in float32 {n_bytes / 1e6:.2f} MB"
        print(f"    bytes of operands {moved}: {100 * found.n_bytes / n_bytes:.1f} %")
        print(f"    joules {'not counted by this machine' if found.joules is None else found.joules}")


def float_seconds(weights: list[np.ndarray], x: np.ndarray, trained: bool) -> float:
    """Time the matrix products of the float network, without what is between them."""
    start = time.process_time()
    values = [x]
    for weight in weights:
        values.append(np.maximum(values[-1] @ weight.T, 0))
    if trained:
        signal = values.pop()
        for depth, weight in reversed(list(enumerate(weights))):
            gradient = signal.T @ values[depth]
            weight -= 1e-9 * gradient
            if depth:
                signal = signal @ weight
    return time.process_time() - start


def float_bytes(sizes: list[int], batch: int, trained: bool) -> int:
    """Count the operands of those products, each once, as the kernels' are."""
    total = 0
    for depth, (m, n) in enumerate(pairwise(sizes)):
        ways = (1 + 1 + (depth > 0)) if trained else 1
        total += 4 * ways * (batch * m + m * n + batch * n) + (4 * 2 * m * n if trained else 0)
    return total


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=300)
    parser.add_argument("--picture", metavar="FILE.png")
    parser.add_argument("--no-measure", action="store_true")
    arguments = parser.parse_args()
    network = vgg_small((32, 32, 3), ends=RealEnds(), random_state=0)
    published(network, arguments.batch)
    readings(network, arguments.batch)
    places(network, arguments.batch)
    if not arguments.no_measure:
        measured(1000)
    if arguments.picture:
        arms = {
            "float": FLOAT,
            "binary weights": BINARY_WEIGHTS,
            "and inputs": BINARY_WEIGHTS_AND_INPUTS,
            "bits": BOOLEAN,
        }
        costs = {name: cost(network, arguments.batch, widths=widths) for name, widths in arms.items()}
        plot_energy(costs).figure.savefig(arguments.picture)


if __name__ == "__main__":
    main()
