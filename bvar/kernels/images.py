r"""Images under sliding windows: patches, votes on pixels, and pools (``docs/explanation/convolution.md``).

A convolution is a linear layer on patches: the patch of place p is what the window sees there, so

.. math:: s_{npo} = \sum_k e(L(w_{ok}, \text{patch}_{npk})) , \qquad
          g_{ni} = \sum_{p, k : \text{tap } k \text{ of place } p \text{ is pixel } i}
                   \; \sum_o z_{npo} \, e\!\left(\frac{\delta L}{\delta x}(w_{ok})\right) .

The first is :func:`gate_sum` of :func:`gather_patches`; the second is :func:`pixel_votes`, at stride 1 the full
correlation of the signals with the kernel turned by 180 degrees (BOLD, NeurIPS 2024, App. C.1 and Eq. 54).
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_array, check_image_shape, check_integer
from bvar.backends import protocol
from bvar.bits import BitMatrix, n_words
from bvar.bits.windows import SlidingWindow
from bvar.calculus.gates import Gate
from bvar.kernels.backward import MAX_TERMS, XNOR, mix_votes
from bvar.kernels.layout import check_bits, check_known_bits, pack_plane
from bvar.kernels.memory import lines

__all__ = ["MAX_POOL", "gather_patches", "pixel_votes", "pool_back", "pool_max"]

MAX_POOL = 16
"""Largest side of a pool: the number of a pixel in it is then one byte."""


def gather_patches(x: BitMatrix, window: SlidingWindow) -> BitMatrix:
    """Lay out what the window sees at each place; F where it stands out of the image.

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, height * width * channels)
        Images; values may be missing.
    window : SlidingWindow
        The window and its places.

    Returns
    -------
    BitMatrix of shape (n_samples * n_places, patch_size)
        Patches, image by image and place by place, each in the order (tap down, tap across, channel).  Values
        that are missing in `x` are missing here; the outside of an image is known.

    Raises
    ------
    TypeError, ValueError
        If `x` does not hold images of the size that the window was made for.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.bits import SlidingWindow
    >>> image = kernels.pack(np.array([[True, False, True, True]]))
    >>> kernels.unpack(kernels.gather_patches(image, SlidingWindow((1, 4), (1, 2)))).astype(int)
    array([[1, 0],
           [0, 1],
           [1, 1]])
    """
    x = _check_images(x, window)
    words = _gather(x.words, window)
    if x.known is None:
        return BitMatrix.trusted(words, window.patch_size)
    outside = ~window.inside.reshape(window.n_places, window.n_taps)
    outside = pack_plane(np.repeat(outside, window.channels, axis=1))
    known = _gather(x.known, window) | np.tile(outside, (x.n_rows, 1))
    return BitMatrix.trusted(words, window.patch_size, known)


def pixel_votes(z: np.ndarray, w: BitMatrix, window: SlidingWindow, gate: str | int | Gate = "xnor") -> np.ndarray:
    """Sum the votes of all outputs at all places on every pixel.

    Parameters
    ----------
    z : ndarray of int8, shape (n_samples * n_places, n_outputs)
        Signals, image by image and place by place.
    w : BitMatrix of shape (n_outputs, patch_size)
        The weights, each row in the order of a patch; none missing.
    window : SlidingWindow
        The window and its places.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x) of the layer.

    Returns
    -------
    ndarray of int32, shape (n_samples, height * width * channels)
        Votes; positive means that the loss would rise if the pixel went from F to T.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or the numbers of places, outputs or taps disagree.

    See Also
    --------
    input_votes : The votes on inputs that belong to one place each.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.bits import SlidingWindow
    >>> w = kernels.pack(np.array([[True, False]]))
    >>> z = np.array([[1], [10]], dtype=np.int8)
    >>> kernels.pixel_votes(z, w, SlidingWindow((1, 3), (1, 2)))
    array([[  1,   9, -10]], dtype=int32)
    """
    w = check_known_bits(w, "w")
    z = np.ascontiguousarray(check_array(z, "z", dtype=np.int8, ndim=2))
    if z.shape[1] != len(w):
        raise ValueError(f"z has {z.shape[1]} outputs but w has {len(w)}: they must agree")
    if len(z) % window.n_places:
        raise ValueError(f"z must have {window.n_places} rows for each image, one per place, got {len(z)}")
    if w.n_bits != window.patch_size:
        raise ValueError(f"w must have rows of {window.patch_size} bits, one per value of a patch, got {w.n_bits}")
    if len(w) * window.n_taps > MAX_TERMS:
        raise ValueError(f"a pixel gets {len(w) * window.n_taps} votes; they are limited to {MAX_TERMS}")
    n_images = len(z) // window.n_places
    signs = lines((n_images, window.n_inputs), np.int32)
    protocol.current().signed_pixels(z, w.words, window, signs)
    change = Gate.of(gate).variation_b
    if change == XNOR:
        return signs
    return mix_votes(signs, _signals_seen(z, window), change)


def _signals_seen(z: np.ndarray, window: SlidingWindow) -> np.ndarray:
    """Sum, for each value of an image, the signals at all the places that see it."""
    at_places = z.sum(axis=1, dtype=np.int32).reshape(-1, *window.places)
    pixels = np.zeros((len(at_places), *window.image_shape), np.int32)
    for i, j, y, x in window.taps():
        pixels[:, y, x] += at_places[:, i, j, None]
    return pixels.reshape(len(at_places), window.n_inputs)


def pool_max(sums: np.ndarray, image_shape: tuple[int, ...], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the largest sum of each square of pixels, channel by channel.

    Parameters
    ----------
    sums : ndarray of int32, shape (n_samples, height * width * channels)
        Images of sums.
    image_shape : tuple of int
        (height, width, channels).
    size : int
        Side of a square, 1 to 16. Rows and columns beyond the last whole square do not count.

    Returns
    -------
    best : ndarray of int32, shape (n_samples, height // size * (width // size) * channels)
        The largest sums.
    winner : ndarray of uint8, same shape
        Where they were: ``size * row + column`` in the square, the first of equals.

    Raises
    ------
    TypeError, ValueError
        If the sums are no such images or no square fits.

    See Also
    --------
    pool_back : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.pool_max(np.array([[1, 5, 5, -2]], dtype=np.int32), (2, 2, 1), 2)
    (array([[5]], dtype=int32), array([[1]], dtype=uint8))
    """
    height, width, channels = _check_pool(image_shape, size)
    sums = np.ascontiguousarray(check_array(sums, "sums", dtype=np.int32, ndim=2))
    if sums.shape[1] != height * width * channels:
        raise ValueError(f"sums must have {height * width * channels} columns, one per value, got {sums.shape[1]}")
    n_pooled = height // size * (width // size) * channels
    best, winner = lines((len(sums), n_pooled), np.int32), np.empty((len(sums), n_pooled), np.uint8)
    protocol.current().pool_max(sums, (height, width, channels), size, winner, best)
    return best, winner


def pool_back(z: np.ndarray, winner: np.ndarray, image_shape: tuple[int, ...], size: int) -> np.ndarray:
    """Send the signals of a pool to the pixels that won.

    Parameters
    ----------
    z : ndarray of int8, shape (n_samples, height // size * (width // size) * channels)
        Signals on the largest sums.
    winner : ndarray of uint8, same shape
        As :func:`pool_max` gave it.
    image_shape : tuple of int
        (height, width, channels) of the images that were pooled.
    size : int
        Side of a square.

    Returns
    -------
    ndarray of int8, shape (n_samples, height * width * channels)
        Signals on the sums; 0 for all that did not win.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not belong to a pool of such images.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> kernels.pool_back(np.array([[7]], dtype=np.int8), np.array([[1]], dtype=np.uint8), (2, 2, 1), 2)
    array([[0, 7, 0, 0]], dtype=int8)
    """
    height, width, channels = _check_pool(image_shape, size)
    z = check_array(z, "z", dtype=np.int8, ndim=2)
    winner = check_array(winner, "winner", dtype=np.uint8, ndim=2)
    rows, columns = height // size, width // size
    if z.shape[1] != rows * columns * channels:
        raise ValueError(f"z must have {rows * columns * channels} columns, one per square, got {z.shape[1]}")
    if winner.shape != z.shape:
        raise ValueError(f"winner must have the shape of z {z.shape}, got {winner.shape}")
    out = np.zeros((len(z), height, width, channels), np.int8)
    small = (len(z), rows, columns, channels)
    for tap in range(size * size):
        y, x = divmod(tap, size)
        pixels = out[:, y : rows * size : size, x : columns * size : size]
        np.multiply(z.reshape(small), (winner == tap).reshape(small), out=pixels)
    return out.reshape(len(z), height * width * channels)


def _check_images(x: BitMatrix, window: SlidingWindow) -> BitMatrix:
    x = check_bits(x, "x")
    if x.n_bits != window.n_inputs:
        raise ValueError(
            f"x must have rows of {window.n_inputs} bits, images of shape {window.image_shape}, got {x.n_bits}"
        )
    return x


def _gather(plane: np.ndarray, window: SlidingWindow) -> np.ndarray:
    patches = lines((len(plane) * window.n_places, n_words(window.patch_size)), np.uint64)
    protocol.current().gather_patches(plane, window, patches)
    return patches


def _check_pool(image_shape: tuple[int, ...], size: int) -> tuple[int, int, int]:
    shape = check_image_shape(image_shape)
    check_integer(size, "size", low=1, high=min(MAX_POOL, *shape[:2]))
    return shape
