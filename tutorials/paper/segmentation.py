"""Segment scenes of digits on textures with a Boolean encoder and decoder, or with its float twin in PyTorch.

    python tutorials/paper/segmentation.py --out runs [--twin float] [--rare 0] [--record ROW]

The scenes are made by `scenes.py` from digits and photographs that scikit-learn ships; there is nothing to download.
The curve is measured on scenes to choose by, and --record measures once on scenes that are held out, together with the
networks of other trainings where --together names their folders.  With --figure the script draws what both networks
find, as far as their trainings in --out are over.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    BooleanLearner,
    TorchLearner,
    believe_together,
    count_steps,
    fail,
    fingerprints,
    need_torch,
    parser,
    record,
    train,
)
from pictures import is_over, show
from scenes import CLASSES, SIDE, Scenes, compose

from bvar.inspection import class_iou
from bvar.real import BatchNorm, segmenter

_TOGETHER = 100  # scenes segmented at a time
COLOURS = np.array([[31, 70, 120], [240, 190, 90], [90, 170, 80], [200, 60, 60], [150, 110, 190], [140, 90, 75]])


def numbers(images: np.ndarray, centered: bool) -> np.ndarray:
    """Make float32 numbers of mean square about 1; with `centered`, of each image less its own mean."""
    level, spread = (images.mean(axis=(1, 2, 3), keepdims=True), 60.0) if centered else (120.0, 75.0)
    return ((images - level) / spread).astype(np.float32)


def inputs(images: np.ndarray, arguments: Any) -> Any:
    """Make rows of numbers, or tensors."""
    x = numbers(images, arguments.centered)
    return need_torch().from_numpy(x.transpose(0, 3, 1, 2).copy()) if arguments.twin else x.reshape(len(x), -1)


def segment(scores: Callable, images: np.ndarray, arguments: Any) -> np.ndarray:
    """Find the best class of each pixel."""
    parts = []
    for start in range(0, len(images), _TOGETHER):
        x = inputs(images[start : start + _TOGETHER], arguments)
        made = scores(x)
        if arguments.twin:
            parts.append(made.argmax(dim=1).numpy())
        else:
            parts.append(made.reshape(len(x), SIDE, SIDE, len(CLASSES)).argmax(axis=3))
    return np.concatenate(parts)


def quality(found: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Measure segmentations: mean IoU, and that of each class, in points."""
    iou = 100 * class_iou(found, y, len(CLASSES))
    each = {f"iou_{name}": round(float(value), 2) for name, value in zip(CLASSES, iou, strict=True)}
    return {"miou": round(float(np.nanmean(iou)), 2), **each}


def rare_first(y: np.ndarray, temperature: float) -> Callable[[np.ndarray, np.random.RandomState], np.ndarray]:
    """Return what draws other scenes instead: a class, the rarer the likelier, and a scene that shows it (RCS)."""
    shown = (y.reshape(len(y), -1, 1) == np.arange(len(CLASSES))).any(axis=1)
    share = np.exp((1 - shown.mean(axis=0)) / temperature)
    share[~shown.any(axis=0)] = 0
    scenes = [np.flatnonzero(column) for column in shown.T]

    def draw(rows: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        kinds = random.choice(len(CLASSES), len(rows), p=share / share.sum())
        return np.array([random.choice(scenes[kind]) for kind in kinds])

    return draw


def relit(images: np.ndarray, amount: float, random: np.random.RandomState) -> np.ndarray:
    """Change the contrast of each image, and the brightness of each of its colours; uint8."""
    contrast, brightness = (random.uniform(-amount, amount, (len(images), 1, 1, n)) for n in (1, 3))
    return np.clip(np.rint(128 + (1 + contrast) * (images - 128.0) + 128 * brightness), 0, 255).astype(np.uint8)


def learner(arguments: Any, data: Scenes, validation: Scenes) -> BooleanLearner | TorchLearner:
    """Put the network, its data and its measure together."""
    n_steps, is_twin = count_steps(arguments, len(data.x)), arguments.twin is not None
    choose = rare_first(data.y, arguments.rare) if arguments.rare else lambda rows, random: rows

    def batch(rows: np.ndarray, random: np.random.RandomState) -> tuple[Any, Any]:
        rows = choose(rows, random)
        x, y = inputs(relit(data.x[rows], arguments.jitter, random), arguments), data.y[rows]
        return x, need_torch().from_numpy(y) if is_twin else y.reshape(len(y), -1)

    def measure(scores: Callable) -> dict[str, float]:
        return quality(segment(scores, validation.x, arguments), validation.y)

    if not is_twin:
        network = segmenter(
            (SIDE, SIDE, 3),
            len(CLASSES),
            n_filters=arguments.filters,
            dilations=arguments.dilations,
            global_branch=arguments.global_branch,
            norm=BatchNorm if arguments.norm else None,
            eta=arguments.eta,
            clip=arguments.clip,
            rate=arguments.rate,
            n_steps=n_steps,
            random_state=arguments.seed,
        )
        return BooleanLearner(network, batch, measure, final_width=arguments.final_width, n_steps=n_steps)
    torch = need_torch()
    from dense_twins import Segmenter

    torch.manual_seed(arguments.seed)
    module = Segmenter(len(CLASSES), arguments.filters, tuple(arguments.dilations), arguments.global_branch)
    loss, rate = torch.nn.functional.cross_entropy, arguments.twin_rate
    return TorchLearner(module, batch, loss, measure, n_steps=n_steps, rate=rate)


def others(arguments: Any) -> tuple[list[Any], float]:
    """Load the networks of other trainings, which must read scenes as this one does; and say how long those took."""
    networks, seconds = [], 0.0
    for folder in arguments.together:
        file = folder / f"{called(arguments)}.state"
        if not file.exists():
            fail(f"--together must name folders of trainings of this kind, and there is no {file}")
        begun, network = pickle.loads(file.read_bytes())
        for name in ("centered", "seed"):
            if begun["asked"][name] != getattr(arguments, name):
                fail(f"--together must name trainings with --{name} {getattr(arguments, name)}, unlike {file}")
        if len(begun["curve"]) < begun["asked"]["epochs"]:
            fail(f"--together must name trainings that are over, and {file} is of epoch {len(begun['curve'])}")
        networks.append(network)
        seconds += begun["curve"][-1]["seconds"]
    return networks, seconds


def final(trained: Any, arguments: Any, images: np.ndarray, beside: Sequence[Any] = ()) -> np.ndarray:
    """Segment with a trained network, and with Boolean ones beside it."""
    if not arguments.twin:
        return segment(believe_together([trained.network, *beside], len(CLASSES)), images, arguments)
    trained.module.eval()
    with need_torch().no_grad():
        return segment(trained.module, images, arguments)


def draw(arguments: Any, data: Scenes, validation: Scenes, test: Scenes) -> None:
    """Draw some scenes, what both networks find in them, and what is there."""
    some = test.x[:10]
    rows = {"scene": list(some)}
    for name, twin in {"Boolean": None, "float": "float"}.items():
        arguments.twin = twin
        if not is_over(arguments, called(arguments)):
            continue
        trained = learner(arguments, data, validation)
        train(arguments, called(arguments), trained, len(data.x))  # which goes on from the end: nothing is left
        rows[name] = list(COLOURS[final(trained, arguments, some)])
    rows["true"] = list(COLOURS[test.y[:10]])
    show(rows, arguments.figure)


def called(arguments: Any) -> str:
    """Name the states and curves of a training."""
    kind = arguments.twin or ("norm" if arguments.norm else "boolean")
    return f"segmenter-{kind}-{arguments.filters}" + ("" if arguments.global_branch else "-local")


def main() -> None:
    """Train, report, keep the state."""
    p = parser(__doc__, batch=8, epochs=4)
    p.add_argument("--filters", type=int, default=96, help="filters of each convolution")
    p.add_argument("--dilations", type=int, nargs="+", default=[2, 4, 6], help="of the pyramid")
    p.add_argument("--no-global-branch", dest="global_branch", action="store_false", help="leave out the mean")
    p.add_argument("--norm", action="store_true", help="normalise sums by batch statistics")
    p.add_argument("--eta", type=float, default=30.0, help="accumulation factor of bits")
    p.add_argument("--clip", type=float, default=1.0, help="bound on what a neuron accumulates in a step")
    p.add_argument("--rate", type=float, default=0.015, help="rate of Adam of real ends")
    p.add_argument("--twin-rate", type=float, default=2e-3, help="rate of Adam of the twin")
    p.add_argument(
        "--rare", type=float, default=0.5, help="temperature of rare-class sampling; 0: scenes as they come"
    )
    p.add_argument(
        "--jitter", type=float, default=0.0, help="how far contrast and brightness change in training, 0 to 1"
    )
    p.add_argument("--centered", action="store_true", help="subtract its own mean from each scene")
    p.add_argument(
        "--scenes", type=int, default=4000, help="scenes to train on; an eighth to choose by, a quarter to test"
    )
    p.add_argument(
        "--together", type=Path, nargs="+", default=[], help="folders of other trainings, measured with this one"
    )
    arguments = p.parse_args()
    if arguments.together and (arguments.twin or not arguments.record):
        fail("--together is for Boolean networks that --record measures, and not for a --twin")
    parts = {"train": arguments.scenes, "validation": arguments.scenes // 8, "test": arguments.scenes // 4}
    data, validation, test = (compose(n, part, arguments.seed) for part, n in parts.items())
    if arguments.fingerprints:
        fingerprints(lambda: learner(arguments, data, validation), arguments, len(data.x))
    elif arguments.figure:
        if arguments.out is None:
            fail("--figure needs the states in --out")
        draw(arguments, data, validation, test)
    else:
        beside, seconds = others(arguments)  # before hours of training, in case that something is wrong with them
        trained = learner(arguments, data, validation)
        curve = train(arguments, called(arguments), trained, len(data.x))
        if arguments.record and curve:
            names = (
                "filters global_branch norm rare jitter centered eta clip rate final_width scenes epochs batch seed"
            ).split()
            values = {name: getattr(arguments, name) for name in names}
            values |= {"epoch": curve[-1]["epoch"], "seconds": round(curve[-1]["seconds"] + seconds, 1)}
            chosen_by = quality(final(trained, arguments, validation.x, beside), validation.y)
            values |= {"networks": 1 + len(beside), "validation_miou": chosen_by["miou"]}
            values |= quality(final(trained, arguments, test.x, beside), test.y)
            record(Path(__file__).stem, arguments.record, values)


if __name__ == "__main__":
    main()
