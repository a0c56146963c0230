"""A training step of VGG-Small with Boolean ends, against the same convolutions in PyTorch, float32 and bfloat16.

    python -m tests.bench.vgg [--batch 32] [--rounds 9]

Images of 32 x 32 pixels have 24 bits each here, and three numbers there.  PyTorch uses ReLU, no batch
normalisation and plain SGD, the cheapest there is, and one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from bvar import backends, kernels
from bvar.networks import VGG_SMALL, vgg_small
from tests.bench.timing import describe, one_thread, race

SIDE, BITS, CLASSES = 32, 24, 10

Call = Callable[[], object]


def bvar_calls(batch: int) -> dict[str, Call]:
    random = np.random.RandomState(0)
    x = kernels.pack(random.random_sample((batch, SIDE * SIDE * BITS)) < 0.5)
    y = random.randint(0, CLASSES, batch)
    network = vgg_small((SIDE, SIDE, BITS), random_state=0)
    return {"step": lambda: network.step(x, y), "scores": lambda: network.scores(x)}


def torch_calls(batch: int) -> dict[str, dict[str, Call]]:
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    calls: dict[str, dict[str, Call]] = {"step": {}, "scores": {}}
    for layout in (torch.contiguous_format, torch.channels_last):
        layers: list[nn.Module] = []
        channels = 3
        for what in VGG_SMALL:
            if what == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, int(what), 3, padding=1), nn.ReLU()]
                channels = int(what)
        model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 16, CLASSES)).to(memory_format=layout)
        rule = torch.optim.SGD(model.parameters(), lr=1e-3)
        x = torch.randn(batch, 3, SIDE, SIDE).to(memory_format=layout)
        y = torch.randint(0, CLASSES, (batch,))

        def step(half: bool, model=model, rule=rule, x=x, y=y) -> None:
            rule.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            rule.step()

        def scores(half: bool, model=model, x=x) -> None:
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                model(x)

        name = "rows" if layout is torch.contiguous_format else "channels last"
        for half, number in ((False, "float32"), (True, "bfloat16")):
            calls["step"][f"torch {number}, {name}"] = lambda half=half, step=step: step(half)
            calls["scores"][f"torch {number}, {name}"] = lambda half=half, scores=scores: scores(half)
    return calls


def main() -> None:
    """Race them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--backend", default=backends.available()[-1])
    arguments = parser.parse_args()
    one_thread()
    print(describe(), flush=True)
    with backends.use(arguments.backend):
        rivals = torch_calls(arguments.batch)
        for what, call in bvar_calls(arguments.batch).items():
            seconds = race({arguments.backend: call, **rivals[what]}, arguments.rounds)
            own = seconds[arguments.backend]
            parts = [f"{name} {arguments.batch / t:7.1f} x{t / own:.1f}" for name, t in seconds.items()]
            print(f"{what}, batch {arguments.batch}, images/s: {' | '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
