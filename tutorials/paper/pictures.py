"""Pictures for the tasks whose answers are pictures: where they come from, how they shrink and grow, how they look."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from common import fail, read_curve

__all__ = ["bicubic", "cifar", "from_jpegs", "grey", "images_of", "is_over", "photographs", "resize", "show"]


def cifar(path: str | None) -> np.ndarray:
    """Read images, uint8 of shape (n, 32, 32, 3): `x`, or those of JPEGs."""
    if path is None:
        fail("--data must be a file of images; see the head of this script")
    with np.load(path) as z:
        return images_of(z)


def images_of(z: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give the images of a file: `x`, `x_train`, or those of JPEGs."""
    for name in ("x", "x_train"):
        if name in z:
            return z[name]
    if "dY" in z:
        return from_jpegs(z)
    fail(f"--data must hold images, uint8, as `x`, or JPEGs as `dY`, `dCb` and `dCr`, got {', '.join(z)}")


def from_jpegs(z: Mapping[str, np.ndarray]) -> np.ndarray:
    """Make colours of horizontal differences of luminance, `dY`, and of chrominance at half the size, `dCb`, `dCr`."""
    y, b, r = (np.cumsum(z[name], axis=-1, dtype=np.uint8).astype(np.float32) for name in ("dY", "dCb", "dCr"))
    b, r = (resize(a[..., None], *y.shape[1:], _triangle)[..., 0] - 128 for a in (b, r))  # as decoders of JPEG do
    rgb = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def photographs() -> list[np.ndarray]:
    """Give the two that scikit-learn ships, uint8 of shape (427, 640, 3): a palace and a flower."""
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


def grey(images: np.ndarray) -> np.ndarray:
    """Give the luminance of colour images."""
    return images @ np.array([0.299, 0.587, 0.114])


def bicubic(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize to whole numbers in [0, 255], by cubic interpolation; what shrinks is smoothed."""
    return np.clip(np.rint(resize(images, height, width)), 0, 255)


def resize(images: np.ndarray, height: int, width: int, kernel: Callable | None = None) -> np.ndarray:
    """Resize images of shape (n, rows, columns, channels), down and then across."""
    kernel = _cubic if kernel is None else kernel
    down = np.tensordot(images, _weights(images.shape[1], height, kernel), axes=(1, 1))
    across = np.tensordot(down, _weights(images.shape[2], width, kernel), axes=(1, 1))
    return across.transpose(0, 2, 3, 1)


def _weights(n: int, m: int, kernel: Callable) -> np.ndarray:
    """Say what each of `m` pixels takes from `n`; beyond an edge is what is on it."""
    narrow = min(1.0, m / n)  # a pixel that stands for several looks at all of them
    centre = (np.arange(m) + 0.5) * n / m - 0.5
    reach = int(np.ceil(2 / narrow)) + 1
    seen = np.floor(centre).astype(int)[:, None] + np.arange(-reach, reach + 1)
    weights = kernel(np.abs(centre[:, None] - seen) * narrow)
    matrix = np.zeros((m, n), np.float32)
    np.add.at(
        matrix, (np.arange(m)[:, None], np.clip(seen, 0, n - 1)), weights / weights.sum(axis=1, keepdims=True)
    )
    return matrix


def _cubic(d: np.ndarray) -> np.ndarray:
    """The cubic convolution kernel of Keys, a = -1/2."""
    near, far = (1.5 * d - 2.5) * d**2 + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _triangle(d: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - d)


def is_over(arguments: Namespace, name: str) -> bool:
    """Say whether a training has come to the end of its schedule: only then are there pictures of it."""
    curve = arguments.out / f"{name}.jsonl"
    return curve.exists() and len(read_curve(curve)) == arguments.epochs


def show(rows: dict[str, Sequence[np.ndarray]], path: Path) -> None:
    """Draw rows of pictures, a name beside each."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        fail("figures need matplotlib (pip install matplotlib)")
    n = max(map(len, rows.values()))
    figure, axes = plt.subplots(len(rows), n, figsize=(1.3 * n, 1.35 * len(rows)), squeeze=False)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        for place, picture in zip(line, pictures, strict=True):
            place.imshow(picture, interpolation="nearest")
            place.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", dpi=130)
    plt.close(figure)
