"""Classify CIFAR-10 with VGG-Small or a residual network of bits, or with one of their twins in PyTorch.

    python tutorials/paper/classification.py --data cifar10_train.npz --out runs [--ends real] [--norm]

The file is that of JPEGs in differences (dY, dCb, dCr, y), or holds images as uint8 (x, or x_train and x_test);
the last 10,000 images are held out if it does not say which.  Without --data the images are CIFAR-10 from OpenML.
Twins: `float` has ReLU and batch normalisation, `connect` binary weights with latent ones behind them
(BinaryConnect), `xnor` binary weights and activations with scales and latent weights (XNOR-Net); their first and
last layers are float, as those of `--ends real` are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import (
    BooleanLearner,
    TorchLearner,
    count_steps,
    fail,
    fingerprints,
    need_torch,
    parser,
    plot_folder,
    record,
    train,
)
from pictures import images_of

from bvar import ImageEncoder
from bvar.networks import VGG_SMALL, Network, residual_network, vgg_small
from bvar.real import BatchNorm, RealEnds
from bvar.training import RandomFlip, RandomShift, apply_augmentations

CHANGES = [RandomShift(4), RandomFlip()]
HELD_OUT = 10_000
_TO_CHOOSE_BY = 4_000
RESNET = (64, 128, 256, 512)
_TOGETHER = 500  # images measured at a time


class Images(NamedTuple):
    """Images, uint8 of shape (n, 32, 32, 3), and their classes, for training and held out."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(path: str | None) -> Images:
    """Read the file of images, or those of OpenML, 170 MB, which scikit-learn keeps after the first time."""
    if path is None:
        from sklearn.datasets import fetch_openml

        images, classes = fetch_openml("CIFAR_10", version=1, return_X_y=True, as_frame=False)
        x = images.astype(np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        y = np.unique(classes, return_inverse=True)[1]
        return Images(x[:-HELD_OUT], y[:-HELD_OUT], x[-HELD_OUT:], y[-HELD_OUT:])
    with np.load(path) as z:
        if "x_train" in z:
            return Images(z["x_train"], z["y_train"].ravel(), z["x_test"], z["y_test"].ravel())
        x, y = images_of(z), z["y"]
    n = len(x) - min(HELD_OUT, len(x) // 5)
    return Images(x[:n], y[:n], x[n:], y[n:])


def to_choose_by(data: Images) -> Images:
    """Hold out the last images of training instead of those of the test."""
    n = len(data.x) - min(_TO_CHOOSE_BY, len(data.x) // 5)
    return Images(data.x[:n], data.y[:n], data.x[n:], data.y[n:])


def standardizer(x_train: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what gives each colour the mean 0 and the spread 1 that it has in training images; float32."""
    mean, spread = (f(x_train, axis=(0, 1, 2), dtype=np.float64).astype(np.float32) for f in (np.mean, np.std))
    return lambda images: (images - mean) / spread


def inputs(arguments: Any, data: Images) -> Callable[[np.ndarray], Any]:
    """Return what makes inputs of images: rows of bits, of numbers, or tensors."""
    if arguments.twin:
        torch, numbers = need_torch(), standardizer(data.x)
        return lambda images: torch.from_numpy(numbers(images).transpose(0, 3, 1, 2).copy())
    if arguments.ends == "real":
        numbers = standardizer(data.x)
        return lambda images: numbers(images).reshape(len(images), -1)
    first = data.x[:1000]
    encoder = ImageEncoder(8, n_channels=3).fit(first.reshape(len(first), -1))
    return lambda images: encoder.encode(images.reshape(len(images), -1))


def network(arguments: Any, side: int, n_steps: int) -> Network:
    """Build the Boolean network."""
    is_real = arguments.ends == "real"
    shape = (side, side, 3 if is_real else 24)
    options: dict[str, Any] = {
        "ends": RealEnds() if is_real else None,
        "norm": BatchNorm if arguments.norm else None,
        "eta": arguments.eta,
        "clip": arguments.clip,
        "n_steps": n_steps,
        "random_state": arguments.seed,
    }
    if arguments.model == "vgg":
        built = vgg_small(shape, width=arguments.width, **options)
    else:
        built = residual_network(shape, [max(1, round(arguments.width * n)) for n in RESNET], **options)
    # near the end of half a cosine wave hardly a bit moves any more, while real weights still learn
    built.optimizer.start_schedule(arguments.eta, round(arguments.stretch * n_steps))
    return built


def learner(arguments: Any, data: Images) -> BooleanLearner | TorchLearner:
    """Put the network, its data and its measure together."""
    make, n_steps = inputs(arguments, data), count_steps(arguments, len(data.x))

    def batch(rows: np.ndarray, random: np.random.RandomState) -> tuple[Any, Any]:
        x = make(apply_augmentations(data.x[rows], [] if arguments.plain else CHANGES, random))
        y = data.y[rows].astype(np.int64)
        return x, need_torch().from_numpy(y) if arguments.twin else y

    def measure(scores: Callable) -> dict[str, float]:
        parts = [slice(i, i + _TOGETHER) for i in range(0, len(data.x_test), _TOGETHER)]
        answers = [np.asarray(scores(make(data.x_test[p]))).argmax(axis=1) for p in parts]
        return {"accuracy": float((np.concatenate(answers) == data.y_test).mean())}

    side = data.x.shape[1]
    if not arguments.twin:
        built = network(arguments, side, n_steps)
        return BooleanLearner(built, batch, measure, final_width=arguments.final_width, n_steps=n_steps)
    from twins import clip_latent, twin

    torch = need_torch()
    torch.manual_seed(arguments.seed)
    blocks = VGG_SMALL if arguments.model == "vgg" else RESNET
    module = twin(arguments.twin, arguments.model, blocks, arguments.width, side)
    module = module.to(memory_format=torch.channels_last)  # as images are: a third faster
    return TorchLearner(
        module,
        batch,
        torch.nn.functional.cross_entropy,
        measure,
        n_steps=n_steps,
        rate=arguments.rate,
        after_step=clip_latent,
        bfloat16=arguments.bfloat16,
    )


def main() -> None:
    """Train, report, keep the state."""
    p = parser(__doc__, twins=("float", "connect", "xnor"))
    p.add_argument("--model", choices=["vgg", "resnet"], default="vgg")
    p.add_argument("--ends", choices=["boolean", "real"], default="boolean")
    p.add_argument("--norm", action="store_true", help="normalise sums by batch statistics")
    p.add_argument("--width", type=float, default=1.0, help="factor of the numbers of filters")
    p.add_argument("--eta", type=float, default=10.0, help="accumulation factor of bits")
    p.add_argument("--clip", type=float, default=1.0, help="bound on what a neuron accumulates in a step")
    p.add_argument(
        "--stretch", type=float, default=1.0, help="length of the schedule of bits, in lengths of the training"
    )
    p.add_argument("--rate", type=float, default=1e-3, help="rate of Adam of twins")
    p.add_argument("--bfloat16", action="store_true", help="let twins multiply in bfloat16, nearly twice as fast")
    p.add_argument("--plain", action="store_true", help="do not shift and mirror training images")
    p.add_argument("--validate", action="store_true", help="measure on 4,000 training images, not learnt from")
    p.add_argument("--images", type=int, help="train on so many only")
    arguments = p.parse_args()
    if arguments.figure:
        plot_folder(arguments, "accuracy", "accuracy on images held out")
        return
    if arguments.validate and arguments.record:
        fail("--record writes what was measured on the images of the test: leave --validate out")
    data = load(arguments.data)
    if arguments.validate:
        data = to_choose_by(data)
    data = data._replace(x=data.x[: arguments.images], y=data.y[: arguments.images])
    if arguments.fingerprints:
        fingerprints(lambda: learner(arguments, data), arguments, len(data.x))
        return
    kind = arguments.twin or arguments.ends + ("-norm" if arguments.norm else "")
    curve = train(arguments, f"{arguments.model}-{kind}", learner(arguments, data), len(data.x))
    if arguments.record and curve:
        names = [
            "width",
            "epochs",
            "batch",
            *([] if arguments.twin else ["eta", "clip", "stretch", "final_width"]),
        ]
        values = {name: getattr(arguments, name) for name in names}
        record(Path(__file__).stem, arguments.record, values | curve[-1])


if __name__ == "__main__":
    main()
