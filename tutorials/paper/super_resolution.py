"""Double the size of images with a small EDSR whose residual blocks are Boolean, or with its float twin in PyTorch.

    python tutorials/paper/super_resolution.py --data cifar10_train.npz --out runs [--twin float] [--record ROW]

Training sees images of 32 x 32 pixels and the same at half the size, and the network makes what bicubic
interpolation leaves out.  The last 10,000 images are held out for --record, which also enlarges the photographs that
scikit-learn ships, and the 2,000 before them are what the curve is measured on.  With --figure the script draws what
both networks make, as far as their trainings in --out are over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import BooleanLearner, TorchLearner, count_steps, fail, fingerprints, need_torch, parser, record, train
from pictures import bicubic, cifar, grey, is_over, photographs, resize, show

from bvar.inspection import peak_signal_to_noise, structural_similarity
from bvar.networks import Network
from bvar.real import edsr_small

HELD_OUT, VALIDATION = 10_000, 2_000
FACTOR = 2
CROPS = ((0, 170, 300), (0, 60, 200), (1, 120, 250), (1, 260, 330))
"""What the figure shows of photographs: which, and the row and column of a corner."""
_TOGETHER = 100  # images enlarged at a time


class Images(NamedTuple):
    """Large images, uint8 of shape (n, height, width, 3): to train on, to choose by, and to look at once."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Scales(NamedTuple):
    """What makes numbers of about 1 of small images, and of what bicubic interpolation leaves out."""

    mean: float
    spread: float
    remainder: float


def split(images: np.ndarray) -> Images:
    """Hold the last images out; of few, a fifth."""
    n = len(images) - min(HELD_OUT, len(images) // 5)
    m = n - min(VALIDATION, n // 5)
    return Images(images[:m], images[m:n], images[n:])


def smaller(large: np.ndarray) -> np.ndarray:
    """Make the images half as large, whole numbers in [0, 255]."""
    return bicubic(large, large.shape[1] // FACTOR, large.shape[2] // FACTOR)


def larger(small: np.ndarray) -> np.ndarray:
    """Enlarge by bicubic interpolation, not rounded yet."""
    return resize(small, small.shape[1] * FACTOR, small.shape[2] * FACTOR)


def scales(large: np.ndarray) -> Scales:
    """Take means over some images."""
    small = smaller(large)
    return Scales(float(small.mean()), float(small.std()), float((large - larger(small)).std()))


def numbers(small: np.ndarray, found: Scales) -> np.ndarray:
    """Make float32 numbers of mean square 1 of small images."""
    return ((small - found.mean) / found.spread).astype(np.float32)


def enlarge(scores: Callable, small: np.ndarray, found: Scales, is_twin: bool) -> np.ndarray:
    """Add what a network makes of small images to what bicubic interpolation does; whole numbers in [0, 255]."""
    parts = []
    for start in range(0, len(small), _TOGETHER):
        some = small[start : start + _TOGETHER]
        base, x = larger(some), numbers(some, found)
        made = tensors_back(scores(tensors(x))) if is_twin else scores(x.reshape(len(x), -1)).reshape(base.shape)
        parts.append(np.clip(np.rint(base + found.remainder * made), 0, 255))
    return np.concatenate(parts)


def tensors(images: np.ndarray) -> Any:
    """Lay images out as PyTorch wants them."""
    return need_torch().from_numpy(images.transpose(0, 3, 1, 2).copy())


def tensors_back(images: Any) -> np.ndarray:
    """Undo `tensors`."""
    return images.numpy().transpose(0, 2, 3, 1)


def quality(made: np.ndarray, large: np.ndarray) -> dict[str, float]:
    """Measure enlarged images."""
    return {
        "psnr": peak_signal_to_noise(made, large),
        "ssim": structural_similarity(grey(made), grey(large)),
    }


def learner(arguments: Any, data: Images, found: Scales) -> BooleanLearner | TorchLearner:
    """Put the network, its data and its measure together."""
    n_steps, is_twin = count_steps(arguments, len(data.train)), arguments.twin is not None

    def batch(rows: np.ndarray, random: np.random.RandomState) -> tuple[Any, Any]:
        large = data.train[rows]
        small = smaller(large)
        x = numbers(small, found)
        y = ((large - larger(small)) / found.remainder).astype(np.float32)
        return (tensors(x), tensors(y)) if is_twin else (x.reshape(len(x), -1), y.reshape(len(y), -1))

    def measure(scores: Callable) -> dict[str, float]:
        return quality(enlarge(scores, smaller(data.validation), found, is_twin), data.validation)

    if not is_twin:
        shape = (data.train.shape[1] // FACTOR, data.train.shape[2] // FACTOR, 3)
        built = network(arguments, shape, n_steps)
        return BooleanLearner(built, batch, measure, final_width=arguments.final_width, n_steps=n_steps)
    torch = need_torch()
    from dense_twins import Edsr

    torch.manual_seed(arguments.seed)
    module, rate = Edsr(arguments.filters, arguments.blocks, FACTOR), arguments.twin_rate
    return TorchLearner(module, batch, torch.nn.functional.l1_loss, measure, n_steps=n_steps, rate=rate)


def network(arguments: Any, shape: tuple[int, int, int], n_steps: int | None = None) -> Network:
    """Build the Boolean network for small images of a shape."""
    return edsr_small(
        shape,
        factor=FACTOR,
        n_filters=arguments.filters,
        n_blocks=arguments.blocks,
        eta=arguments.eta,
        rate=arguments.rate,
        n_steps=n_steps,
        random_state=arguments.seed,
    )


def scorer(trained: Any, arguments: Any, shape: tuple[int, int, int]) -> Callable:
    """Give what enlarges images of any size: all weights are those of windows, so they fit every image."""
    if arguments.twin:
        trained.module.eval()
        torch = need_torch()

        def without_gradients(x: Any) -> Any:
            with torch.no_grad():
                return trained.module(x)

        return without_gradients
    wide = network(arguments, shape)
    for new, old in zip(wide.parameters, trained.network.parameters, strict=True):
        new.bits = old.bits
    for new, old in zip(wide.real.parameters, trained.network.real.parameters, strict=True):
        new.values[...] = old.values
    return wide.scores


def even(photograph: np.ndarray) -> np.ndarray:
    """Cut a photograph so that it can be halved."""
    height, width = (n // FACTOR * FACTOR for n in photograph.shape[:2])
    return photograph[None, :height, :width]


def final(trained: Any, arguments: Any, large: np.ndarray, found: Scales) -> np.ndarray:
    """Enlarge the halves of some images."""
    small = smaller(large)
    return enlarge(scorer(trained, arguments, small.shape[1:]), small, found, bool(arguments.twin))


def report(trained: Any, arguments: Any, data: Images, found: Scales) -> dict[str, float]:
    """Measure on the images that are held out, and on the photographs."""
    sets = {"test": data.test, "palace": even(photographs()[0]), "flower": even(photographs()[1])}
    values = {}
    for name, large in sets.items():
        made = {
            "": final(trained, arguments, large, found),
            "bicubic_": bicubic(smaller(large), *large.shape[1:3]),
        }
        for which, images in made.items():
            values |= {f"{name}_{which}{k}": round(v, 4) for k, v in quality(images, large).items()}
    return values


def draw(arguments: Any, data: Images, found: Scales) -> None:
    """Draw crops of photographs and some images: small, by bicubic interpolation, by both networks, and as they are."""
    whole = [even(photograph) for photograph in photographs()]
    rows: dict[str, list[np.ndarray]] = {}

    def add(name: str, make: Callable[[np.ndarray], np.ndarray]) -> None:
        made = [make(photograph)[0] for photograph in whole]
        crops = [made[which][y : y + 64, x : x + 64] for which, y, x in CROPS]
        rows[name] = [picture.astype(np.uint8) for picture in [*crops, *make(data.test[:5])]]

    add("half", lambda large: smaller(large).repeat(FACTOR, axis=1).repeat(FACTOR, axis=2))
    add("bicubic", lambda large: bicubic(smaller(large), *large.shape[1:3]))
    for name, twin in {"Boolean": None, "float": "float"}.items():
        arguments.twin = twin
        if not is_over(arguments, called(arguments)):
            continue
        trained = learner(arguments, data, found)
        train(arguments, called(arguments), trained, len(data.train))  # goes on from the end: nothing is left
        add(name, lambda large, trained=trained: final(trained, arguments, large, found))
    add("original", lambda large: large)
    show(rows, arguments.figure)


def called(arguments: Any) -> str:
    """Name the states and curves of a training."""
    return f"edsr-{arguments.twin or 'boolean'}-{arguments.filters}x{arguments.blocks}"


def main() -> None:
    """Train, report, keep the state."""
    p = parser(__doc__, batch=20, epochs=4)
    p.add_argument("--filters", type=int, default=64, help="filters of each convolution")
    p.add_argument("--blocks", type=int, default=4, help="residual blocks")
    p.add_argument("--eta", type=float, default=10.0, help="accumulation factor of bits")
    p.add_argument("--rate", type=float, default=5e-3, help="rate of Adam of real ends")
    p.add_argument("--twin-rate", type=float, default=1e-3, help="rate of Adam of the twin")
    p.add_argument("--images", type=int, help="train on so many only")
    arguments = p.parse_args()
    data = split(cifar(arguments.data))
    data = data._replace(train=data.train[: arguments.images])
    found = scales(data.train[:1000])
    if arguments.fingerprints:
        fingerprints(lambda: learner(arguments, data, found), arguments, len(data.train))
    elif arguments.figure:
        if arguments.out is None:
            fail("--figure needs the states in --out")
        draw(arguments, data, found)
    else:
        trained = learner(arguments, data, found)
        curve = train(arguments, called(arguments), trained, len(data.train))
        if arguments.record and curve:
            names = ("filters", "blocks", "epochs", "batch", "seed")
            values = {name: getattr(arguments, name) for name in names} | curve[-1]
            record(Path(__file__).stem, arguments.record, values | report(trained, arguments, data, found))


if __name__ == "__main__":
    main()
