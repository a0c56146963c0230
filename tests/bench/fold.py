"""Scores of VGG-Small with real ends: normalisation as one integer for each filter, as floats, and none at all.

    python -m tests.bench.fold [--width 1] [--images 50] [--rounds 5]

Sizes of statistics do not matter to any of them, so the networks are not trained.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from bvar import backends
from bvar.networks import Network, vgg_small
from bvar.networks.inference import Inference
from bvar.real import BatchNorm, RealEnds
from tests.bench.timing import describe, one_thread, race


def in_floats(network: Network, x: np.ndarray) -> Any:
    value: Any = x
    for layer in network.layers:
        value = layer.infer(value)
    return value


def main() -> None:
    """Race them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    one_thread()
    print(describe(), flush=True)
    x = np.random.RandomState(0).standard_normal((arguments.images, 32 * 32 * 3)).astype(np.float32)
    networks = {norm: vgg_small((32, 32, 3), width=arguments.width, ends=RealEnds(), norm=norm, random_state=0)
                for norm in (BatchNorm, None)}  # fmt: skip
    normal = networks[BatchNorm]
    with backends.use("auto", n_threads=1):
        seconds = race(
            {
                "integers": lambda: normal.scores(x),
                "floats": lambda: in_floats(normal, x),
                "not normalised": lambda: networks[None].scores(x),
                "the search for the integers alone": lambda: Inference(normal.layers),
            },
            arguments.rounds,
        )
    own = seconds["integers"]
    parts = [f"{name} {1e3 * t:.2f} ms x{t / own:.2f}" for name, t in seconds.items()]
    print(f"width {arguments.width:g}, {arguments.images} images: {' | '.join(parts)}")


if __name__ == "__main__":
    main()
