"""What strategies of images share: windows, filters and pools."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import LEARNING_GATES, MANY, SMALL, Draw, M, matrix, rows
from bvar.testing.oracle.formats import places_of

__all__ = ["convolutions", "n_values", "or_pools", "pools", "tree_tables", "trees", "windows"]


@st.composite
def windows(draw: Draw, spare: int = 2, most_gap: int = 2) -> dict[str, Any]:
    """Give a window that has at least one place; its image has up to so many pixels to spare on each axis."""
    size, stride, gap = ([draw(st.integers(1, high)) for _ in "yx"] for high in (3, 2, most_gap))
    reach = [(taps - 1) * step + 1 for taps, step in zip(size, gap, strict=True)]
    padding = [draw(st.integers(0, covered - 1)) for covered in reach]
    sides = [max(1, r - 2 * p) + draw(st.integers(0, spare)) for r, p in zip(reach, padding, strict=True)]
    shape = [*sides, draw(st.sampled_from([1, 2, 3]))]
    return {"image_shape": shape, "size": size, "stride": stride, "padding": padding, "dilation": gap}


@st.composite
def tree_tables(draw: Draw, window: dict[str, Any]) -> dict[str, Any]:
    """Give trees of gates that read bits of a window."""
    fan_in, depth = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (6, 1)]))
    n_filters = draw(st.integers(1, 3))
    gates = [n_filters * fan_in**level for level in reversed(range(depth))]
    wires = draw(matrix(gates[0], fan_in, st.integers(0, n_values(window)[1] - 1)))
    return {"wires": wires, "tables": [draw(rows(n, 1 << fan_in)) for n in gates]}


@st.composite
def trees(draw: Draw, most_images: int = 4) -> dict[str, Any]:
    """Give images, and trees of gates over them; their windows have no gaps."""
    window = draw(windows(spare=3, most_gap=1))
    images = draw(rows(draw(st.integers(1, most_images)), n_values(window)[0]))
    return {"images": images * draw(st.sampled_from([1, 1, 1, 33])), "window": window, **draw(tree_tables(window))}


def n_values(window: dict[str, Any]) -> tuple[int, int, int]:
    """Count the values of an image and of a patch, and the places."""
    height, width, channels = window["image_shape"]
    down, across = places_of(window)
    return height * width * channels, window["size"][0] * window["size"][1] * channels, down * across


@st.composite
def convolutions(draw: Draw) -> dict[str, Any]:
    """Give images, filters and a window."""
    window = draw(windows())
    n_pixels, n_patch, _ = n_values(window)
    images, weights = draw(rows(draw(SMALL), n_pixels, M)), draw(rows(draw(SMALL), n_patch))
    padding_value = draw(st.sampled_from([0, -1]))
    return {
        "gate": draw(LEARNING_GATES),
        "images": images,
        "weights": weights,
        "window": window,
        "padding_value": padding_value,
    }


@st.composite
def pools(draw: Draw) -> dict[str, Any]:
    """Give a shape, and the side of squares that fit."""
    size = draw(st.integers(1, 3))
    return {
        "image_shape": [draw(st.integers(size, 2 * size + 1)), draw(st.integers(size, 5)), draw(SMALL)],
        "size": size,
    }


@st.composite
def or_pools(draw: Draw) -> dict[str, Any]:
    """Give images, a shape, and the side of squares that fit."""
    options = draw(pools())
    height, width, channels = options["image_shape"]
    return {"x": draw(rows(draw(SMALL | MANY), height * width * channels)), **options}
