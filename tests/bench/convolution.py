"""Convolutions of three by three against those of PyTorch in float32.

    python -m tests.bench.convolution [--rounds 9] [--backends c-avx512,c-avx2]

Forward: the operation of a backend (patches and gate sums, or their bits), and the layer with padding by nothing.
Votes: on weights and on pixels, each and both.  PyTorch gets the faster of its two layouts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from math import prod

import numpy as np

from bvar import backends, kernels
from bvar.layers import BooleanConv2d
from tests.bench.timing import describe, one_thread, race, show

SHAPES = [(8, 32, 64, 64), (32, 8, 512, 512), (100, 14, 64, 128)]  # images, side, channels, filters

Contenders = dict[str, Callable[[], object]]


def torch_calls(n: int, side: int, channels: int, filters: int) -> dict[str, Contenders]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    calls: dict[str, Contenders] = {"forward": {}, "votes on weights": {}, "votes on pixels": {}, "both votes": {}}
    for name, layout in (("rows", torch.contiguous_format), ("channels last", torch.channels_last)):
        x = torch.randn(n, channels, side, side).to(memory_format=layout)
        w = torch.randn(filters, channels, 3, 3).to(memory_format=layout)
        z = torch.randn(n, filters, side, side).to(memory_format=layout)

        def forward(x=x, w=w) -> object:
            with torch.no_grad():
                return torch.nn.functional.conv2d(x, w, padding=1)

        def back(which: list[bool], x=x, w=w, z=z) -> Callable[[], object]:
            return lambda: torch.ops.aten.convolution_backward(
                z, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, which
            )

        calls["forward"][f"torch, {name}"] = forward
        calls["votes on weights"][f"torch, {name}"] = back([False, True, False])
        calls["votes on pixels"][f"torch, {name}"] = back([True, False, False])
        calls["both votes"][f"torch, {name}"] = back([True, True, False])
    return calls


def bvar_calls(name: str, n: int, side: int, channels: int, filters: int) -> dict[str, Contenders]:
    random = np.random.RandomState(0)
    shape = (side, side, channels)
    layer = BooleanConv2d(shape, filters, padding=1, random_state=0)
    x = kernels.pack(random.random_sample((n, prod(shape))) < 0.5)
    z = random.randint(-127, 128, (n, layer.n_outputs)).astype(np.int8)
    _, context = layer.forward(x)
    tau = np.zeros(filters, np.int32)

    def on(call: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            with backends.use(name):
                return call()

        return run

    def to_bits() -> object:
        return kernels.gate_bits(kernels.gather_patches(x, layer.window), layer.weight.prepared(), tau)

    def to_sums() -> object:
        return kernels.gate_sum(kernels.gather_patches(x, layer.window), layer.weight.prepared())

    return {
        "forward": {
            f"{name} to bits": on(to_bits),
            f"{name} to sums": on(to_sums),
            f"{name} layer": on(lambda: layer.forward(x)),
        },
        "votes on weights": {name: on(lambda: layer.votes(z, context))},
        "votes on pixels": {name: on(lambda: layer.backward(z, context))},
        "both votes": {name: on(lambda: (layer.votes(z, context), layer.backward(z, context)))},
    }


def main() -> None:
    """Race them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--backends", default=backends.available()[-1])
    arguments = parser.parse_args()
    one_thread()
    print(describe(), flush=True)
    for n, side, channels, filters in SHAPES:
        work = n * side**2 * 9 * channels * filters
        calls = torch_calls(n, side, channels, filters)
        for name in arguments.backends.split(","):
            for what, more in bvar_calls(name, n, side, channels, filters).items():
                calls[what].update(more)
        for what, contenders in calls.items():
            title = f"{what}, {n} images of {side} x {side} x {channels} to {filters}"
            show(title, race(contenders, arguments.rounds), work * (2 if what == "both votes" else 1))


if __name__ == "__main__":
    main()
