r"""Convolutions of gates: trees of truth tables that slide over images (``docs/explanation/logic-gates.md``).

A tree of depth d and fan-in k reads k**d bits of what a window sees, its leaves, and answers with one; its tables
are the same at every place:

.. math:: y_{b p f} = T_f(x_{b p, w_{f 1}}, \dots, x_{b p, w_{f k^d}}) , \qquad
          q_{ga} = \sum_b \sum_{p \,:\, a_{bpg} = a} z_{bpg} / n_{bga}^2 , \quad n_{bga} = \#\{p : a_{bpg} = a\} .

Every gate of a tree is read once, so signals go down a tree without being added; they meet where trees read the
same bit of a window, and where windows see the same pixel.

A place of an image is to a tree what a sample is to a gate: another column of bits.  So the kernels of
`bvar.kernels.tables` take rows of words in which places stand one behind another, each of whole words.  A few
places are computed at a time, for votes on tables a few samples, and what is inside of a tree is computed again on
the way back, so memory does not grow with the trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bvar import kernels
from bvar._validation import as_array, check_integer
from bvar.bits import WORD, BitMatrix, tail_mask
from bvar.bits.random import RandomSource, RandomWords
from bvar.bits.windows import SlidingWindow
from bvar.kernels import MAX_FAN_IN, MAX_SIGNAL, Wiring
from bvar.kernels.memory import lines
from bvar.layers import places
from bvar.layers.base import Layer
from bvar.layers.gate import (
    PASS_THROUGH,
    GateLayer,
    UnitMajor,
    at_false,
    by_unit,
    conjunctions,
    initial_tables,
    of_tables,
    units_of,
)
from bvar.layers.parameter import Parameter
from bvar.layers.wires import in_turn, random_wires, side_by_side

__all__ = ["GateConv2d"]

VOTE = 64
"""Units of a vote on a shared table: what is left of it after a division by looks has some bits."""

_MOST_LEAVES = 2**20  # of all trees of a layer
_VOTES_TOGETHER = 2**17  # of the gates of some samples at all places, and on all entries
_MOST_COLUMNS = 2**10  # of places: a row of them, one word each, is then a batch that a vote can take


class SharedTable(Parameter):
    """Tables used at many places, whose votes have been divided by the looks of each sample."""

    @property
    def vote_unit(self) -> float:
        """Votes come in units of their own; places have been divided by already."""
        return self.rms * VOTE


class GateConv2d(Layer):
    """Trees of gates over what a window sees of an image, with the same truth tables at every place.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    n_filters : int
        Trees at each place, and bits that they answer.
    kernel_size : int or (int, int), default=3
        Taps of the window, vertically and horizontally.
    depth : int, default=2
        Levels of gates in a tree, 1 to 8.
    fan_in : int, default=2
        Wires of each gate, 1 to 6; a tree has ``fan_in**depth`` leaves.
    stride : int or (int, int), default=1
        Pixels between places.
    padding : int or (int, int), default=0
        How far the window may stand out of the image on every side; what is there is F.
    leaves : ndarray of int, shape (n_filters, fan_in**depth), optional
        Which bits of a window each tree reads, in the order tap down, tap across, channel. The first `fan_in` are
        the wires of its first gate, and so on. Default: drawn by :func:`bvar.layers.random_wires`, so that a tree
        reads no bit twice, where that is possible, and all bits are read evenly.
    pass_through : int, default=16
        Of 64 gates, how many copy their first wire in the beginning, on average; the other tables are fair coins.
    literals : int, optional
        In place of copies and coins, each table begins as a conjunction of as many of its wires at most, and at
        least one, each as it is or negated. Default: copies and coins, by `pass_through`.
    tables : sequence of BitMatrix, optional
        In place of all that, what the tables begin as: for each level, from the leaves to the root, bits of shape
        (gates of all trees, 2**fan_in).
    damping : int, default=1
        What votes on the tables are divided by once more.
    fixed : bool, default=False
        Whether the tables stay as they begin: the layer then has no parameters.
    random_state : None, int, RandomState or RandomWords, default=None
        Where leaves and tables come from, in this order; tables from the leaves to the root.
    name : str, default='gateconv'
        What the layer is called in tables.

    Attributes
    ----------
    window : SlidingWindow
        The window and its places.
    tables : tuple of Parameter
        For each level, from the leaves to the root, bits of shape (gates of all trees, 2**fan_in).
    out_shape : tuple of int
        (rows of places, columns of places, n_filters): the images that it makes.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, the leaves do not fit it, or there are more than 1024 places in a row.

    See Also
    --------
    GateLayer : Gates that have no place.
    OrPool2d : What may follow.

    Notes
    -----
    A flip of an entry changes the answers at all places that look at it, and costs with the square of their
    number; so each sample divides what an entry would change by the square of its looks, and rounds that to a
    64th.  The sum of votes on a bit of a window is exact and then kept within
    +-32767, and so is the sum over the windows that see a pixel: rules for each sample by itself.  The clip of the
    optimizer does not hold for the tables, since their entries share no sum.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import GateConv2d
    >>> layer = GateConv2d((28, 28, 1), 16, padding=1, random_state=0)
    >>> y, context = layer.forward(kernels.pack(np.zeros((2, 784), dtype=bool)))
    >>> y.shape, layer.out_shape, [table.shape for table in layer.tables]
    ((2, 12544), (28, 28, 16), [(32, 4), (16, 4)])
    """

    rows_together = 512

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        depth: int = 2,
        fan_in: int = 2,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        leaves: np.ndarray | None = None,
        pass_through: int = PASS_THROUGH,
        literals: int | None = None,
        tables: Sequence[BitMatrix] | None = None,
        damping: int = 1,
        fixed: bool = False,
        random_state: RandomSource = None,
        name: str = "gateconv",
    ) -> None:
        self.window = SlidingWindow(image_shape, kernel_size, stride, padding)
        fan_in = check_integer(fan_in, "fan_in", low=1, high=MAX_FAN_IN)
        depth = check_integer(depth, "depth", low=1, high=8)
        n_filters = check_integer(n_filters, "n_filters", low=1, high=_MOST_LEAVES // fan_in**depth)
        pass_through = check_integer(pass_through, "pass_through", low=0, high=64)
        if self.window.places[1] > _MOST_COLUMNS:
            raise ValueError(
                f"image_shape must give at most {_MOST_COLUMNS} places in a row, got {self.window.places[1]}"
            )
        if not fixed and self.window.n_places > kernels.MAX_SAMPLES:
            raise ValueError(
                f"image_shape must give at most {kernels.MAX_SAMPLES} places if tables learn, "
                f"got {self.window.n_places}"
            )
        damping = check_integer(damping, "damping", low=1)
        if literals is not None:
            literals = check_integer(literals, "literals", low=1, high=fan_in)
        source = RandomWords.of(random_state)
        n_leaves = fan_in**depth
        if leaves is None:
            leaves = random_wires(self.window.patch_size, n_filters, n_leaves, source)
        elif (leaves := as_array(leaves, "leaves")).shape != (n_filters, n_leaves):
            raise ValueError(f"leaves must have shape {(n_filters, n_leaves)}, got {leaves.shape}")
        self.name = name
        self.wirings = (
            Wiring(np.reshape(leaves, (-1, fan_in)), self.window.patch_size),
            *(in_turn(n_filters * fan_in**level, fan_in) for level in reversed(range(depth - 1))),
        )
        if tables is None:
            tables = [
                initial_tables(wiring.n_gates, fan_in, pass_through, source)
                if literals is None
                else conjunctions(wiring.n_gates, fan_in, literals, source)
                for wiring in self.wirings
            ]
        self._check_tables(tables)
        self.tables = tuple(
            SharedTable(f"{name}.table{level}", bits, rms=damping, n_places=self.window.n_places, is_clipped=False)
            for level, bits in enumerate((table.copy() for table in tables), start=1)
        )
        self.parameters = () if fixed else self.tables

    @property
    def n_filters(self) -> int:
        """Trees at each place."""
        return self.wirings[-1].n_gates

    @property
    def depth(self) -> int:
        """Levels of gates in a tree."""
        return len(self.wirings)

    @property
    def fan_in(self) -> int:
        """Number of wires of each gate."""
        return self.wirings[0].fan_in

    @property
    def fixed(self) -> bool:
        """Whether the tables stay as they began."""
        return not self.parameters

    @property
    def damping(self) -> int:
        """What votes on the tables are divided by once more."""
        return self.tables[0].rms

    @property
    def leaves(self) -> np.ndarray:
        """Bits of a window that each tree reads, int32 of shape (n_filters, fan_in**depth); fixed."""
        return self.wirings[0].wires.reshape(self.n_filters, -1)

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Shape of the images that it makes."""
        return (*self.window.places, self.n_filters)

    @property
    def n_inputs(self) -> int:
        """Bits in an image of the layer below."""
        return self.window.n_inputs

    @property
    def n_outputs(self) -> int:
        """Bits in an image of this layer."""
        return self.window.n_places * self.n_filters

    def forward(self, x: BitMatrix) -> tuple[UnitMajor, BitMatrix]:
        """Look the trees up; the context is the images unit by unit, no bit of which may be missing."""
        units = units_of(x)
        padded = places.pad(units, self.window)
        out = lines((self.n_outputs, units.words.shape[1]), np.uint64)
        images = out.reshape(*self.out_shape, -1)
        for block in places.blocks(units.n_bits, self.window):
            top = self._levels(padded, block)[-1].words
            by_place = top.reshape(self.n_filters, block.n_rows, self.window.places[1], block.n_words)
            images[block.rows, ..., block.words] = by_place.transpose(1, 2, 0, 3)
        if units.n_bits:
            out[:, -1] &= tail_mask(units.n_bits)
        return UnitMajor(BitMatrix.trusted(out, units.n_bits)), units

    def backward(self, signal: np.ndarray, context: BitMatrix) -> np.ndarray:
        """Collect the votes on the images, int16; signals beyond +-32767 are taken for that."""
        sums = np.zeros((*places.padded_shape(self.window), context.n_bits), np.int32)
        for block, votes in self._window_votes(signal, context):
            places.add_up(sums, votes, self.window, block)
        pixels = np.clip(places.inside(sums, self.window), -MAX_SIGNAL, MAX_SIGNAL).astype(np.int16)
        return pixels.reshape(self.n_inputs, context.n_bits).T

    def votes(self, signal: np.ndarray, context: BitMatrix) -> tuple[np.ndarray, ...]:
        """Collect the votes on the tables: of each sample what an entry would change, over its looks squared."""
        sums = [np.zeros(table.shape) for table in self.tables]
        for level, changes, looks in self.changes(signal, context):
            sums[level] += _rounded(VOTE * changes.astype(float), np.maximum(looks, 1.0) ** 2).sum(axis=0)
        if any(abs(votes).max() >= 2**31 for votes in sums):
            raise OverflowError(f"votes on {self.name} do not fit int32: let fewer samples vote at a time")
        return tuple(votes.astype(np.int32) for votes in sums)

    def changes(self, signal: np.ndarray, context: BitMatrix) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Say what each entry would change, for each sample by itself: votes are made of this.

        Parameters
        ----------
        signal : ndarray of int, shape (n_samples, n_outputs)
            Signals on the answers.
        context : BitMatrix
            Of the forward pass.

        Yields
        ------
        level : int
            Of the trees, counted from the leaves.
        changes : ndarray of int32, shape (n_some, n_gates, 2**fan_in)
            Half of what ``sum(signal * e(out))`` of each of the next few samples would gain if an entry went from
            F to T.
        looks : ndarray of int32, shape (n_some, n_gates, 2**fan_in)
            From how many places of the sample the entry is looked at.

        Examples
        --------
        >>> import numpy as np
        >>> from bvar import kernels
        >>> from bvar.layers import GateConv2d
        >>> layer = GateConv2d((2, 2, 1), 1, 1, depth=1, fan_in=1, random_state=0)
        >>> _, context = layer.forward(kernels.pack(np.array([[False, True, False, False]])))
        >>> for level, changes, looks in layer.changes(np.array([[1, 2, 3, 4]], dtype=np.int8), context):
        ...     print(level, changes, looks)
        0 [[[8 2]]] [[[3 1]]]
        """
        images, n_places = kernels.transpose(context), self.window.n_places
        signals = by_unit(signal).T.reshape(-1, n_places, self.n_filters)
        n_gates = max(wiring.n_gates for wiring in self.wirings)
        size = max(n_places, 1 << self.fan_in) * max(n_gates, self.window.patch_size)
        n_together = min(max(1, _VOTES_TOGETHER // size), context.n_bits)
        ones = np.ones((n_together * n_gates, n_places), np.int16)
        for start in range(0, context.n_bits, max(1, n_together)):
            some = slice(start, start + n_together)
            n_some = len(signals[some])
            # a gate votes for one sample: for the kernels, those of several samples are gates side by side
            wirings = [side_by_side(wiring, n_some) for wiring in self.wirings]
            tables = [BitMatrix.trusted(np.tile(t.bits.words, (n_some, 1)), t.bits.n_bits) for t in self.tables]
            levels = [places.turn(images[some], self.window)]
            for wiring, table in zip(wirings[:-1], tables, strict=False):
                levels.append(kernels.table_values(levels[-1], wiring, table))
            z = np.ascontiguousarray(signals[some].transpose(0, 2, 1)).reshape(-1, n_places)
            for level in reversed(range(self.depth)):
                x, wiring = levels[level], wirings[level]
                shape = n_some, *self.tables[level].shape
                changes = kernels.table_votes(z, x, wiring).reshape(shape)
                yield level, changes, kernels.table_votes(ones[: wiring.n_gates], x, wiring).reshape(shape)
                if level:  # each gate below is read once: nothing is added here
                    z = kernels.wire_votes(z, x, wiring, tables[level])

    def unrolled(self) -> list[GateLayer]:
        """Make layers of gates that do the same, a gate for each at every place: for circuits and exports.

        Returns
        -------
        list of GateLayer
            One for each level. Gates of one place are neighbours. A wire that would leave the image ends at the
            nearest pixel, and the table of its gate is that at F, whatever the pixel is.
        """
        image = np.arange(self.n_inputs).reshape(self.window.image_shape)
        around = [(side, side) for side in (*self.window.padding, 0)]
        pixels = self._read_by_leaves(np.pad(image, around, mode="edge"))
        is_outside = self._read_by_leaves(np.pad(np.zeros(image.shape, bool), around, constant_values=True))
        tables = [np.tile(table.bits.words[:, 0], self.window.n_places) for table in self.tables]
        for wire in range(self.fan_in):
            tables[0] = np.where(is_outside[:, wire], at_false(tables[0], wire), tables[0])
        wires = [pixels, *(in_turn(len(table), self.fan_in).wires for table in tables[1:])]
        widths = [self.n_inputs, *map(len, tables)]
        return [of_tables(*layer) for layer in zip(widths, wires, tables, strict=False)]

    def _check_tables(self, tables: Sequence[BitMatrix]) -> None:
        shapes = [(wiring.n_gates, 1 << self.fan_in) for wiring in self.wirings]
        found = [getattr(table, "shape", None) for table in tables]
        if found != shapes or any(table.known is not None for table in tables):
            raise ValueError(f"tables must be bits of the shapes {shapes}, none missing, got {found}")

    def _read_by_leaves(self, padded: np.ndarray) -> np.ndarray:
        """Give what the wires of the first level end at, a row for each gate at each place."""
        everywhere = places.Block(slice(0, self.window.places[0]), slice(0, 1))
        patches = places.gather(padded[..., None], self.window, everywhere)
        return patches.T[:, self.wirings[0].wires].reshape(-1, self.fan_in)

    def _levels(self, padded: np.ndarray, block: places.Block) -> list[BitMatrix]:
        """Compute what windows see, and what each level answers to it; every word of samples counts as full."""
        seen = places.gather(padded, self.window, block)
        levels = [BitMatrix.trusted(seen, WORD * seen.shape[1])]
        for wiring, table in zip(self.wirings, self.tables, strict=True):
            levels.append(kernels.table_values(levels[-1], wiring, table.bits))
        return levels

    def _window_votes(self, signal: np.ndarray, units: BitMatrix) -> Iterator[tuple[places.Block, np.ndarray]]:
        """Give for each block the votes on what windows see."""
        n_samples = units.n_bits
        signals, padded = by_unit(signal).reshape(*self.out_shape, n_samples), places.pad(units, self.window)
        for block in places.blocks(n_samples, self.window):
            levels = self._levels(padded, block)
            votes = places.lay_out(signals, block)
            for x, wiring, table in reversed(list(zip(levels, self.wirings, self.tables, strict=False))):
                votes = kernels.wire_votes(votes, x, wiring, table.bits)
            yield block, votes


def _rounded(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Round the quotients of whole numbers, halves up: exactly, as long as 2a + b is below 2**53, and b positive.

    The quotient of p = 2a + b and q = 2b, if it is no whole number, is further than 1 / q from every one: by more
    than 1 / p of its size, and rounding to a float moves it by less than 2**-53 of that.  Here p is below 2**39.
    """
    return np.floor((2.0 * a + b) / (2.0 * b))
