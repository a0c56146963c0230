r"""The loops of a layer: one sum of products over a window, of which all three passes are cases.

.. math:: O[n, m, h] = \sum_{c, k} I[n, c, s h + d k] \cdot F[m, c, k]

with images n, filters m and channels c; *streamed* is I, *held* is F, *made* is O.  Forward F are weights.  Votes
on weights are the same with the roles exchanged: filters are signals, images are channels, taps are places.  So
are votes on inputs, where a stride of s makes s filters of every channel (``docs/explanation/energy.md``).
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from bvar.layers.base import Product

__all__ = ["Axis", "Loops", "loops_of"]


class Axis(NamedTuple):
    """One direction of an image: outputs along it, and the taps that each of them sees.

    Parameters
    ----------
    outputs, taps : int
        Places of the window, and numbers that it sees at each.
    stride, dilation : int, default=1
        Numbers between places, and between taps.
    """

    outputs: int
    taps: int
    stride: int = 1
    dilation: int = 1


class Loops(NamedTuple):
    """The extents of the loops of a pass through a layer.

    Parameters
    ----------
    images, channels, filters : int
        What the three tensors are indexed by in pairs: channels are summed over.
    rows, columns : Axis
        The two directions.

    Examples
    --------
    >>> from bvar.energy import Axis, Loops
    >>> loops = Loops(1, 4, 8, Axis(4, 3), Axis(4, 3))
    >>> loops.n_held, loops.n_made, loops.n_products
    (288, 128, 4608)
    """

    images: int
    channels: int
    filters: int
    rows: Axis
    columns: Axis

    @property
    def extents(self) -> tuple[int, ...]:
        """Images, channels, filters, outputs down and across, taps down and across: the order of a tile."""
        return (*self[:3], self.rows.outputs, self.columns.outputs, self.rows.taps, self.columns.taps)

    @property
    def n_held(self) -> int:
        """Numbers that are held."""
        return self.channels * self.filters * self.n_taps

    @property
    def n_made(self) -> int:
        """Numbers that come out."""
        return self.images * self.filters * self.rows.outputs * self.columns.outputs

    @property
    def n_taps(self) -> int:
        """Taps of the window."""
        return self.rows.taps * self.columns.taps

    @property
    def n_products(self) -> int:
        """Multiply-adds."""
        return prod(self.extents)


def loops_of(product: Product, batch: int) -> dict[str, Loops]:
    """Give the loops of the three passes through a layer.

    Parameters
    ----------
    product : Product
        What the layer multiplies.
    batch : int
        Number of samples.

    Returns
    -------
    dict of str to Loops
        'forward', 'votes' on the weights, and 'backward', the votes on the inputs.

    Examples
    --------
    >>> from bvar.energy import loops_of
    >>> from bvar.layers import BooleanLinear
    >>> loops = loops_of(*BooleanLinear(784, 100, random_state=0).products(), batch=50)
    >>> {loops[way].n_products for way in ("forward", "votes", "backward")}
    {3920000}
    """
    window, n_outputs = product.window, product.n_outputs
    axes = tuple(
        Axis(*numbers)
        for numbers in zip(window.places, window.kernel_size, window.stride, window.dilation, strict=True)
    )
    turned = tuple(Axis(a.taps, a.outputs, a.dilation, a.stride) for a in axes)
    back = tuple(_back(a, pixels) for a, pixels in zip(axes, window.image_shape, strict=False))
    phases = prod(window.stride)
    return {
        "forward": Loops(batch, window.channels, n_outputs, *axes),
        "votes": Loops(window.channels, batch, n_outputs, *turned),
        "backward": Loops(batch, n_outputs, window.channels * phases, *back),
    }


def _back(axis: Axis, pixels: int) -> Axis:
    """Turn an axis round: a pixel of each phase of the stride is a term of a few sums."""
    return Axis(-(-pixels // axis.stride), -(-axis.taps // axis.stride), dilation=axis.dilation)
