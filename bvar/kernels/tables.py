r"""Layers of gates: neurons that are truth tables (``bvar.layers.gate`` says what they are for).

Bits are held unit by unit here: row u of a BitMatrix of shape (n_units, n_samples) is what unit u answered to each
sample.  A gate then does the same few operations on words, 64 samples at a time.  With wires :math:`w_{gi}`,
table :math:`t_g` and :math:`a_{gs} = \sum_i x_{w_{gi} s} 2^i`,

.. math:: y_{gs} = t_g(a_{gs}) , \qquad q_{ga} = \sum_{s : a_{gs} = a} z_{gs} , \qquad
          v_{us} = \operatorname{clip}_{\pm 32767} \sum_{g, i : w_{gi} = u}
                   z_{gs} \, \tfrac{1}{2} \bigl(e(y_{gs} | w_{gi} = T) - e(y_{gs} | w_{gi} = F)\bigr) .
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bvar._validation import check_array, check_integer
from bvar.backends import protocol
from bvar.bits import BitMatrix, n_words
from bvar.kernels.layout import check_known_bits, transpose_plane
from bvar.kernels.memory import lines

__all__ = [
    "MAX_FAN_IN",
    "MAX_SAMPLES",
    "MAX_SIGNAL",
    "Wiring",
    "count_groups",
    "table_values",
    "table_votes",
    "values_beside",
    "wire_votes",
]

MAX_FAN_IN = 6
"""Most wires of a gate: its table is then one word."""

MAX_SAMPLES = 2**16
"""Most samples in one vote on a table: 32767 * samples stays below 2**31."""

MAX_SIGNAL = 2**15 - 1
"""Largest signal on a unit: int16 without -32768."""


@dataclass(frozen=True, eq=False, repr=False)
class Wiring:
    """Which units each gate reads, and the way back: which gates read each unit.

    Parameters
    ----------
    wires : ndarray of int, shape (n_gates, fan_in)
        Numbers of units, from 0 to ``n_units - 1``. Column i is the input of weight 2**i in the address.
    n_units : int
        Number of units to read, below 2**31.

    Attributes
    ----------
    wires : ndarray of int32, shape (n_gates, fan_in)
        A copy that cannot be written to: kernels trust it.
    starts : ndarray of int32, shape (n_units + 1,)
        Unit u is read by the wires ``readers[starts[u] : starts[u + 1]]``.
    readers : ndarray of int32, shape (n_gates * fan_in,)
        All wires in the order of their units; wire i of gate g is number ``g * fan_in + i``.

    Raises
    ------
    TypeError, ValueError
        If the wires are not integers, are out of range, or number none or more than `MAX_FAN_IN` for a gate.

    Notes
    -----
    Kernels follow wires without looking, so nothing here can be changed, not even by its author.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> wiring = kernels.Wiring(np.array([[0, 2], [2, 1]]), n_units=3)
    >>> wiring.starts, wiring.readers
    (array([0, 1, 2, 4], dtype=int32), array([0, 3, 1, 2], dtype=int32))
    """

    wires: np.ndarray
    n_units: int

    def __post_init__(self) -> None:
        """Check every wire."""
        n_units = check_integer(self.n_units, "n_units", low=1, high=2**31 - 2)
        wires = np.asarray(self.wires)
        if wires.dtype.kind not in "iu":
            raise TypeError(f"wires must be integers, got {wires.dtype}")
        if wires.ndim != 2 or not 1 <= wires.shape[1] <= MAX_FAN_IN:
            raise ValueError(f"wires must have shape (n_gates, 1 to {MAX_FAN_IN}), got {wires.shape}")
        if wires.size >= 2**31:
            raise ValueError(f"wires must be fewer than 2**31, got {wires.size}")
        if wires.size and not 0 <= wires.min() <= wires.max() < n_units:
            raise ValueError(f"wires must be in [0, {n_units - 1}], got [{wires.min()}, {wires.max()}]")
        counts = np.unique(wires, return_counts=True)[1]  # of the units that are read: there may be many more
        if counts.max(initial=0) >= 2**16:
            raise ValueError(f"wires must read no unit more than {2**16 - 1} times, got {counts.max()}")
        self.__setstate__({"wires": wires, "n_units": n_units})

    @classmethod
    def trusted(cls, wires: np.ndarray, n_units: int) -> Wiring:
        """Make a wiring of wires that are known to be right.

        Parameters
        ----------
        wires : ndarray of int, shape (n_gates, fan_in)
            Numbers of units.
        n_units : int
            Number of units to read.

        Returns
        -------
        Wiring
            Nothing has been checked.
        """
        wiring = cls.__new__(cls)
        wiring.__setstate__({"wires": wires, "n_units": n_units})
        return wiring

    # The way back takes memory for each unit, read or not, and training alone goes it.

    @cached_property
    def starts(self) -> np.ndarray:
        """Where the readers of each unit begin, and after the last one end."""
        counts = np.bincount(self.wires.ravel(), minlength=self.n_units)
        return fixed(np.concatenate([[0], np.cumsum(counts)]))

    @cached_property
    def readers(self) -> np.ndarray:
        """All wires in the order of their units."""
        narrow = self.wires.astype(np.uint16) if self.n_units <= 2**16 else self.wires  # sorted by digits
        return fixed(np.argsort(narrow, axis=None, kind="stable"))

    @property
    def n_gates(self) -> int:
        """Number of gates."""
        return len(self.wires)

    @property
    def fan_in(self) -> int:
        """Number of wires of each gate."""
        return self.wires.shape[1]

    def __setstate__(self, state: dict[str, np.ndarray | int]) -> None:
        """Forbid writing, also in a copy by pickle, which would forget that."""
        self.__dict__.update({k: fixed(v) if isinstance(v, np.ndarray) else v for k, v in state.items()})


def table_values(x: BitMatrix, wiring: Wiring, tables: BitMatrix) -> BitMatrix:
    """Look gates up in their tables.

    Parameters
    ----------
    x : BitMatrix of shape (n_units, n_samples)
        Bits, unit by unit, without missing values.
    wiring : Wiring
        What each gate reads.
    tables : BitMatrix of shape (n_gates, 2**fan_in)
        Bit a of a row is the value of the gate at address a; no missing values.

    Returns
    -------
    BitMatrix of shape (n_gates, n_samples)
        The values of the gates.

    Raises
    ------
    TypeError, ValueError
        If shapes disagree or values are missing.

    Examples
    --------
    The gate "a and not b" (1 at address 1 only):

    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[False, True, False, True], [False, False, True, True]]))
    >>> table = kernels.pack(np.array([[False, True, False, False]]))
    >>> kernels.unpack(kernels.table_values(x, kernels.Wiring(np.array([[0, 1]]), 2), table))
    array([[False,  True, False, False]])
    """
    x, words = check_units(x, wiring), check_tables(tables, wiring)
    out = lines((wiring.n_gates, n_words(x.n_bits)), np.uint64)
    protocol.current().table_values(x.words, wiring.wires, words, x.n_bits, out)
    return BitMatrix.trusted(out, x.n_bits)


def values_beside(x: BitMatrix, wiring: Wiring, tables: BitMatrix) -> BitMatrix:
    """Look gates up for samples, and put their values behind the bits that they read.

    Parameters
    ----------
    x : BitMatrix of shape (n_samples, n_units)
        Bits, sample by sample, without missing values.
    wiring : Wiring
        What each gate reads.
    tables : BitMatrix of shape (n_gates, 2**fan_in)
        The truth tables.

    Returns
    -------
    BitMatrix of shape (n_samples, n_units + n_gates)
        ``x.beside(transpose(table_values(transpose(x), wiring, tables)))``, turned once and never shifted.

    Raises
    ------
    TypeError, ValueError
        As for :func:`table_values`.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x, table = (kernels.pack(np.array([row], bool)) for row in ([1, 0], [0, 1, 0, 0]))
    >>> kernels.unpack(kernels.values_beside(x, kernels.Wiring(np.array([[0, 1]]), 2), table))
    array([[ True, False,  True]])
    """
    n_samples, n_units = check_units(x, wiring, 1).shape
    words = check_tables(tables, wiring)
    both = lines((n_units + wiring.n_gates, n_words(n_samples)), np.uint64)
    units, backend = both[:n_units], protocol.current()
    backend.transpose(x.words, units)
    backend.table_values(units, wiring.wires, words, n_samples, both[n_units:])
    return BitMatrix.trusted(transpose_plane(both, n_samples), len(both))


def table_votes(z: np.ndarray, x: BitMatrix, wiring: Wiring) -> np.ndarray:
    """Sum the votes of samples on the entries of tables: each votes on the entry that it looked at.

    Parameters
    ----------
    z : ndarray of int16, shape (n_gates, n_samples)
        Signals on the values of the gates.
    x : BitMatrix of shape (n_units, n_samples)
        Bits, unit by unit, without missing values.
    wiring : Wiring
        What each gate reads.

    Returns
    -------
    ndarray of int32, shape (n_gates, 2**fan_in)
        Votes; positive means that the loss would rise if the entry went from F to T.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes are wrong, or there are more than `MAX_SAMPLES` samples.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[False, True, False, True], [False, False, True, True]]))
    >>> z = np.array([[1, -2, 4, 8]], dtype=np.int16)
    >>> kernels.table_votes(z, x, kernels.Wiring(np.array([[0, 1]]), 2))
    array([[ 1, -2,  4,  8]], dtype=int32)
    """
    x, z = check_units(x, wiring), check_signals(z, x, wiring)
    check_n_samples(x.n_bits)
    out = np.empty((wiring.n_gates, 1 << wiring.fan_in), np.int32)
    protocol.current().table_votes(z, x.words, wiring.wires, out)
    return out


def wire_votes(z: np.ndarray, x: BitMatrix, wiring: Wiring, tables: BitMatrix) -> np.ndarray:
    """Sum the votes of gates on the units that they read.

    Parameters
    ----------
    z : ndarray of int16, shape (n_gates, n_samples)
        Signals on the values of the gates, within +-`MAX_SIGNAL`.
    x : BitMatrix of shape (n_units, n_samples)
        Bits, unit by unit, without missing values.
    wiring : Wiring
        What each gate reads.
    tables : BitMatrix of shape (n_gates, 2**fan_in)
        The truth tables.

    Returns
    -------
    ndarray of int16, shape (n_units, n_samples)
        Votes, each an exact sum, kept within +-`MAX_SIGNAL` after it is complete.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes are wrong.

    Examples
    --------
    The gate "a and b" rises with a where b is T, and with b where a is T:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[False, True, False, True], [False, False, True, True]]))
    >>> z = np.array([[1, -2, 4, 8]], dtype=np.int16)
    >>> table = kernels.pack(np.array([[False, False, False, True]]))
    >>> kernels.wire_votes(z, x, kernels.Wiring(np.array([[0, 1]]), 2), table)
    array([[ 0,  0,  4,  8],
           [ 0, -2,  0,  8]], dtype=int16)
    """
    x, z, words = check_units(x, wiring), check_signals(z, x, wiring), check_tables(tables, wiring)
    out = lines(x.shape, np.int16)
    protocol.current().wire_votes(z, x.words, wiring.wires, words, wiring.starts, wiring.readers, out)
    return out


def count_groups(x: BitMatrix, n_groups: int) -> np.ndarray:
    """Count the T of each block of units, sample by sample.

    Parameters
    ----------
    x : BitMatrix of shape (n_units, n_samples)
        Bits, unit by unit, without missing values.
    n_groups : int
        Number of blocks of neighbours, all of one size: it must divide `n_units`.

    Returns
    -------
    ndarray of int32, shape (n_groups, n_samples)
        Numbers of T.

    Raises
    ------
    TypeError, ValueError
        If `x` has missing values or cannot be cut into so many equal blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[True, False], [True, True], [False, False], [True, False]]))
    >>> kernels.count_groups(x, 2)
    array([[2, 1],
           [1, 0]], dtype=int32)
    """
    x = check_known_bits(x, "x")
    n_groups = check_integer(n_groups, "n_groups", low=1, high=2**31 - 1)
    if x.n_rows % n_groups:
        raise ValueError(f"n_groups must divide the number of units, {x.n_rows}, got {n_groups}")
    out = np.empty((n_groups, x.n_bits), np.int32)
    protocol.current().count_groups(x.words, out)
    return out


def fixed(numbers: np.ndarray) -> np.ndarray:
    """Return a copy, int32, of bytes, since an array that owns its memory can be made writeable again."""
    return np.ndarray(numbers.shape, np.int32, numbers.astype(np.int32).tobytes())


def check_n_samples(n_samples: int) -> None:
    """Refuse more samples than int32 can count the votes of."""
    if n_samples > MAX_SAMPLES:
        raise ValueError(f"z must have at most {MAX_SAMPLES} samples, got {n_samples}: vote in parts and add")


def check_units(x: BitMatrix, wiring: Wiring, axis: int = 0) -> BitMatrix:
    """Refuse bits that the wires do not fit."""
    if not isinstance(wiring, Wiring):
        raise TypeError(f"wiring must be a Wiring, got {type(wiring).__name__}")
    if check_known_bits(x, "x").shape[axis] != wiring.n_units:
        raise ValueError(f"x has {x.shape[axis]} units but the wiring is for {wiring.n_units}")
    return x


def check_tables(tables: BitMatrix, wiring: Wiring) -> np.ndarray:
    """Refuse tables that are not those of the gates; return one word for each."""
    shape = (wiring.n_gates, 1 << wiring.fan_in)
    if check_known_bits(tables, "tables").shape != shape:
        raise ValueError(f"tables must have shape {shape}, got {tables.shape}")
    return tables.words[:, 0]


def check_signals(z: np.ndarray, x: BitMatrix, wiring: Wiring) -> np.ndarray:
    """Refuse signals that are not those of the gates at the samples."""
    z = check_array(z, "z", dtype=np.int16, ndim=2)
    if z.shape != (wiring.n_gates, x.n_bits):
        raise ValueError(f"z must have shape {(wiring.n_gates, x.n_bits)}, got {z.shape}")
    return np.ascontiguousarray(z)
