"""Images as the kernels of gates take them: a place of a window is a column of bits, as a sample is to a gate.

Bits of an image lie unit by unit, with words of samples; a few rows of places and a few words are gathered at a
time, so that memory does not grow with images (``docs/explanation/logic-gates.md``, convolutions of gates).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar.bits import WORD, BitMatrix, n_words
from bvar.bits.windows import SlidingWindow
from bvar.kernels.memory import lines

__all__ = ["Block", "add_up", "blocks", "gather", "inside", "lay_out", "pad", "padded_shape", "turn"]

_TOGETHER = 2**13  # bits in a row of words, if a row of places has no more


class Block(NamedTuple):
    """Some places and samples that are computed together: rows of the grid of places, and words of samples."""

    rows: slice
    words: slice

    @property
    def n_rows(self) -> int:
        """Number of rows of places."""
        return self.rows.stop - self.rows.start

    @property
    def n_words(self) -> int:
        """Number of words of each place."""
        return self.words.stop - self.words.start


def padded_shape(window: SlidingWindow) -> tuple[int, int, int]:
    """Return the shape of an image with what stands around it."""
    (height, width, channels), (down, across) = window.image_shape, window.padding
    return height + 2 * down, width + 2 * across, channels


def inside(padded: np.ndarray, window: SlidingWindow) -> np.ndarray:
    """Return the view of an image without what stands around it."""
    (height, width, _), (down, across) = window.image_shape, window.padding
    return padded[down : down + height, across : across + width]


def pad(units: BitMatrix, window: SlidingWindow) -> np.ndarray:
    """Put F around images: words of shape (height, width, channels, n_words)."""
    if units.n_rows != window.n_inputs:
        raise ValueError(f"x must have {window.n_inputs} bits a sample, got {units.n_rows}")
    padded = np.zeros((*padded_shape(window), units.words.shape[1]), np.uint64)
    inside(padded, window)[...] = units.words.reshape(*window.image_shape, -1)
    return padded


def blocks(n_samples: int, window: SlidingWindow) -> Iterator[Block]:
    """Cut all places of all samples into blocks of about as many bits."""
    rows, columns = window.places
    words = n_words(n_samples)
    step = min(words, max(1, _TOGETHER // (WORD * columns)))
    n_rows = max(1, _TOGETHER // (WORD * columns * max(1, step)))
    for word in range(0, words, max(1, step)):
        for row in range(0, rows, n_rows):
            yield Block(slice(row, min(row + n_rows, rows)), slice(word, min(word + step, words)))


def gather(padded: np.ndarray, window: SlidingWindow, block: Block) -> np.ndarray:
    """Gather what windows see, bit by bit of a window and place by place."""
    columns, channels = window.places[1], window.channels
    patches = np.empty((window.n_taps, channels, block.n_rows, columns, block.n_words), padded.dtype)
    for tap, (y, x) in enumerate(_taps(window, block.rows)):
        patches[tap] = padded[y, x, :, block.words].transpose(2, 0, 1, 3)
    return patches.reshape(window.patch_size, block.n_rows * columns * block.n_words)


def turn(images: BitMatrix, window: SlidingWindow) -> BitMatrix:
    """Turn what windows see of each image, bit by bit of a window: shape (n_images * patch_size, n_places)."""
    n_images, full = images.n_rows, WORD * n_words(window.n_places)
    patches = kernels.gather_patches(images, window).words.reshape(n_images, window.n_places, -1)
    rows = np.zeros((n_images, full, patches.shape[2]), np.uint64)  # full words, so that images share none
    rows[:, : window.n_places] = patches
    turned = kernels.transpose(BitMatrix.trusted(rows.reshape(n_images * full, -1), window.patch_size))
    by_image = turned.words.reshape(window.patch_size, n_images, -1).transpose(1, 0, 2)
    words = np.ascontiguousarray(by_image).reshape(n_images * window.patch_size, -1)
    return BitMatrix.trusted(words, window.n_places)


def add_up(sums: np.ndarray, votes: np.ndarray, window: SlidingWindow, block: Block) -> None:
    """Add the votes of a block on what windows see to the pixels that it is."""
    samples = slice(WORD * block.words.start, min(WORD * block.words.stop, sums.shape[3]))
    by_tap = votes.reshape(window.n_taps, window.channels, block.n_rows, window.places[1], -1)
    for tap, (y, x) in enumerate(_taps(window, block.rows)):
        sums[y, x, :, samples] += by_tap[tap, ..., : samples.stop - samples.start].transpose(1, 2, 0, 3)


def lay_out(signals: np.ndarray, block: Block) -> np.ndarray:
    """Lay the signals of a block out as the kernels take them.

    Samples that are not there have none, so that kernels meet signals and nothing else; their votes are dropped.
    """
    samples = slice(WORD * block.words.start, WORD * block.words.stop)
    some = signals[block.rows, ..., samples].transpose(2, 0, 1, 3)
    n_filters, n_rows, n_columns, n_there = some.shape
    z = lines((n_filters, n_rows * n_columns * WORD * block.n_words), np.int16)
    by_place = z.reshape(n_filters, n_rows, n_columns, -1)
    by_place[..., :n_there] = some
    by_place[..., n_there:] = 0
    return z


def _taps(window: SlidingWindow, rows: slice) -> Iterator[tuple[slice, slice]]:
    """Give the pixels, with what stands around an image, that each tap is at some rows of places."""
    (high, wide), (down, across), n_columns = window.kernel_size, window.stride, window.places[1]
    for y in range(high):
        for x in range(wide):
            yield (
                slice(rows.start * down + y, (rows.stop - 1) * down + y + 1, down),
                slice(x, (n_columns - 1) * across + x + 1, across),
            )
