"""The windows through which cases of levels 3, 4 and 6 see images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bvar.testing.make.draw import AND, OR, XNOR, XOR, Draw
from bvar.testing.oracle.formats import places_of

__all__ = [
    "POOLS",
    "TREES",
    "WINDOWS",
    "convolutions",
    "draw_images",
    "draw_trees",
    "make_window",
    "n_places",
    "patch_size",
    "wide_convolutions",
]


def make_window(
    shape: list[int], size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> dict[str, Any]:
    """Make a window; one number stands for both axes."""
    pairs = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
    both = {name: [pair, pair] if isinstance(pair, int) else pair for name, pair in pairs.items()}
    return {"image_shape": shape, **both}


WINDOWS = {
    "one pixel, with a border": make_window([1, 1, 1], 3, padding=1),
    "no border": make_window([4, 5, 2], [2, 3]),
    "a border": make_window([4, 4, 3], 3, padding=1),
    "steps of two": make_window([5, 6, 2], 3, stride=2, padding=1),
    "gaps between taps": make_window([7, 6, 1], [3, 2], stride=[1, 2], padding=[2, 0], dilation=[2, 3]),
    "many channels": make_window([3, 3, 22], 2),
}


def draw_images(draw: Draw, window: dict[str, Any], n: int, alphabet: str = "01") -> list[str]:
    """Give images that fit a window."""
    height, width, channels = window["image_shape"]
    return draw.rows(n, height * width * channels, alphabet)


def patch_size(window: dict[str, Any]) -> int:
    """Count the values that a window sees at once."""
    return int(window["size"][0] * window["size"][1] * window["image_shape"][2])


def n_places(window: dict[str, Any]) -> int:
    """Count the places of a window."""
    rows, columns = places_of(window)
    return rows * columns


def convolutions(draw: Draw) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """Give comment, flags and arguments for every window, gates of each kind, and both paddings."""
    for name, window in WINDOWS.items():
        for gate, padding_value in ((XNOR, 0), (XNOR, -1), (XOR, 0), (OR, 0), (AND, -1)):
            flags = ["Image", "Outside"] if any(window["padding"]) else ["Image"]
            comment = f"{name}, gate {gate}, outside is {'F' if padding_value else 'nothing'}"
            yield comment, flags, {"gate": gate, "window": window, "padding_value": padding_value}


def wide_convolutions() -> Iterator[tuple[str, dict[str, Any], int]]:
    """Give comment, window and number of filters where a patch, or the filters, need more than a word or two."""
    yield "600 values in a patch", make_window([2, 3, 150], 2, padding=[1, 0]), 2
    yield "1026 values in a patch", make_window([1, 3, 513], [1, 2]), 1
    yield "65 filters", make_window([2, 3, 2], 2), 65
    yield "129 filters", make_window([2, 2, 1], 2, padding=1), 129


TREES = {
    "one pixel, with a border": (WINDOWS["one pixel, with a border"], 2, 2, 1),
    "no border": (WINDOWS["no border"], 3, 2, 2),
    "a border": (WINDOWS["a border"], 2, 2, 3),
    "steps of two": (WINDOWS["steps of two"], 2, 4, 1),
    "uneven steps and borders": (make_window([7, 6, 1], [3, 2], stride=[1, 2], padding=[2, 0]), 3, 3, 2),
    "many channels, six wires": (WINDOWS["many channels"], 2, 6, 1),
    "one wire": (WINDOWS["no border"], 2, 1, 2),
}
"""Window, number of trees, fan-in and depth."""

POOLS = (([4, 4, 1], 2), ([5, 7, 3], 2), ([7, 6, 2], 3), ([6, 6, 1], 6), ([2, 3, 2], 1))
"""Shapes of images, with rests or without, and sides of squares that ask for an "or"."""


def draw_trees(
    draw: Draw, window: dict[str, Any], n_filters: int, fan_in: int, depth: int, n_images: int
) -> dict[str, Any]:
    """Give images, and trees of gates that read bits of a window; a tree may read a bit twice."""
    gates = [n_filters * fan_in**level for level in reversed(range(depth))]
    return {
        "images": draw_images(draw, window, n_images),
        "wires": draw.matrix(gates[0], fan_in, 0, patch_size(window) - 1),
        "tables": [draw.rows(n, 1 << fan_in) for n in gates],
        "window": window,
    }
