"""What an operation costs, and a trip of a bit between memories: the prices of machines.

A platform is a row of memories, from the far and large to the near and small, each with a price for a bit and a
capacity, and the price of an operation of logic; ``docs/explanation/energy.md`` says where the numbers are from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bvar._validation import check_integer, check_real

__all__ = ["ASCEND", "EYERISS", "PLATFORMS", "V100", "Memory", "Platform", "logic_operations"]

ROLES = ("streamed", "held", "made")
"""The three tensors of a product of sums: what streams by, what is held against it, and what comes out."""

KIB, MIB = 2**10, 2**20


@dataclass(frozen=True)
class Memory:
    """A level of a memory hierarchy.

    Parameters
    ----------
    name : str
        What it is called in tables.
    price : float or sequence of three float
        Energy of reading or writing one bit, in the unit of the platform, at least 0; three, if what is streamed,
        held and made have buffers of their own.
    capacity : int, sequence of three int, or None
        Bytes: of what is streamed and held together, or of three buffers; None: as much as one wants.

    Raises
    ------
    TypeError, ValueError
        If a price is negative, a capacity no positive integer, or there are neither one nor three.

    Examples
    --------
    >>> from bvar.energy import Memory
    >>> Memory("cache", 0.5, 65536).prices
    (0.5, 0.5, 0.5)
    """

    name: str
    price: float | Sequence[float]
    capacity: int | Sequence[int] | None = None

    def __post_init__(self) -> None:
        for price in self.prices:
            check_real(price, f"price of {self.name}", low=0)
        for capacity in () if self.capacity is None else _three(self.capacity, f"capacity of {self.name}"):
            check_integer(capacity, f"capacity of {self.name}", low=1)
        for name in ("price", "capacity"):
            value = getattr(self, name)
            if isinstance(value, Sequence):
                object.__setattr__(self, name, tuple(value))  # memories are parts of keys of a cache

    @property
    def prices(self) -> tuple[float, float, float]:
        """Price of a bit of what is streamed, held and made."""
        return _three(self.price, f"price of {self.name}")

    @property
    def is_split(self) -> bool:
        """Whether the three have buffers of their own."""
        return isinstance(self.capacity, Sequence)

    @property
    def bits(self) -> tuple[float, float, float]:
        """Capacity in bits for what is streamed, held and made; the first two are one, unless it is split."""
        if self.capacity is None:
            return (float("inf"),) * 3
        return tuple(8.0 * capacity for capacity in _three(self.capacity, "capacity"))


@dataclass(frozen=True)
class Platform:
    """Memories from the far to the near, and the price of logic.

    Parameters
    ----------
    name : str
        What it is called in tables.
    memories : sequence of Memory
        Two or more, from the far to the near: prices must not rise on the way, and capacities not either.
    multiply_add : float
        Energy of a multiply-add of `word` bits, in `unit`.
    word : int, default=16
        Bits of the operands of that multiply-add.
    unit : str, default='pJ'
        What energies are measured in.

    Attributes
    ----------
    logic : float
        Energy of an operation of logic: `multiply_add` over :func:`logic_operations` of words.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or memories are fewer than two or in the wrong order.

    See Also
    --------
    cost : What a network costs on it.

    Examples
    --------
    >>> from bvar.energy import Memory, Platform
    >>> Platform("toy", [Memory("far", 10.0), Memory("near", 1.0, 1024)], multiply_add=1.0).memories[1].name
    'near'
    """

    name: str
    memories: Sequence[Memory]
    multiply_add: float
    word: int = 16
    unit: str = "pJ"

    def __post_init__(self) -> None:
        if not isinstance(self.memories, Sequence) or not all(isinstance(one, Memory) for one in self.memories):
            raise TypeError(f"memories must be a sequence of bvar.energy.Memory, got {self.memories!r}")
        object.__setattr__(self, "memories", tuple(self.memories))  # platforms are keys of a cache
        check_real(self.multiply_add, "multiply_add", low=0)
        check_integer(self.word, "word", low=1)
        if len(self.memories) < 2:
            raise ValueError(f"memories must be two or more, from the far to the near, got {len(self.memories)}")
        if self.memories[0].capacity is not None:
            raise ValueError(
                f"memories must begin with one of capacity None, which holds everything, got {self.memories[0]!r}"
            )
        for far, near in pairwise(self.memories):
            _check_order(far, near)

    @property
    def logic(self) -> float:
        """Energy of an operation of logic."""
        return self.multiply_add / logic_operations(self.word, self.word, self.word)


def logic_operations(left: int, right: int, total: int) -> int:
    """Count the operations of logic in a multiply-add of integers.

    Parameters
    ----------
    left, right : int
        Bits of the factors.
    total : int
        Bits of the sum that the product is added to.

    Returns
    -------
    int
        ``2 * total - 1`` for the addition (BOLD, App. E), and for the product as many operations as there are
        pairs of bits, and an addition as wide as the wider factor for each bit of the other but the first.

    Examples
    --------
    >>> from bvar.energy import logic_operations
    >>> logic_operations(1, 1, 16), logic_operations(32, 32, 32)
    (32, 3040)
    """
    wide, narrow = max(left, right), min(left, right)
    return wide * narrow + (narrow - 1) * (2 * wide - 1) + 2 * total - 1


def _three(value, name):  # type: ignore[no-untyped-def]
    """Return three values, of one or of three."""
    if not isinstance(value, Sequence):
        return (value,) * 3
    if len(value) != 3:
        raise ValueError(f"{name} must be one number or three, of what is {', '.join(ROLES)}, got {value!r}")
    return tuple(value)


def _check_order(far: Memory, near: Memory) -> None:
    """Refuse a near memory that is dearer or larger than a far one: no data would go there."""
    if any(a < b for a, b in zip(far.prices, near.prices, strict=True)):
        raise ValueError(
            f"memories must not become dearer from the far to the near, got {far.name} at {far.price} a bit "
            f"before {near.name} at {near.price}"
        )
    if near.capacity is None or any(a < b for a, b in zip(far.bits, near.bits, strict=True)):
        raise ValueError(
            f"memories must not become larger from the far to the near, got {far.name} of {far.capacity} bytes "
            f"before {near.name} of {near.capacity}"
        )


def _per_bit(bytes_per_picojoule: float) -> float:
    """Price of a bit from an efficiency in GB/s per mW, which is bytes per pJ."""
    return 1 / (8 * bytes_per_picojoule)


ASCEND = Platform(
    "Ascend",
    (
        Memory("DRAM", _per_bit(0.02)),
        Memory("L2", _per_bit(0.2), 8192 * KIB),
        Memory("L1", _per_bit(0.4), 1024 * KIB),
        Memory("L0", (_per_bit(4.9), _per_bit(3.5), _per_bit(5.4)), (64 * KIB, 64 * KIB, 256 * KIB)),
    ),
    multiply_add=2 / 1.7,
)
"""A core of the kind of Ascend, in pJ: 1.7 tera-operations a second and watt, a multiply-add being two."""

V100 = Platform(
    "V100",
    (
        Memory("DRAM", 200 / 16),
        Memory("L2", 6 / 16, 6 * MIB),
        Memory("L1", 2 / 16, 80 * 64 * KIB),
        Memory("L0", 1 / 16, 256 * KIB),
    ),
    multiply_add=1.0,
    unit="MAC",
)
"""The hierarchy of a V100 at the prices of Eyeriss, in multiply-adds of 16 bits; the size of L0 is assumed."""

EYERISS = Platform(
    "Eyeriss",
    (
        Memory("DRAM", 200 / 16),
        Memory("buffer", 6 / 16, 108 * KIB),
        Memory("array", 2 / 16, 84 * KIB),
        Memory("registers", 1 / 16, 512),
    ),
    multiply_add=1.0,
    unit="MAC",
)
"""The accelerator that the prices are of: 168 elements with half a KiB of registers, and a common buffer."""

PLATFORMS = (ASCEND, V100, EYERISS)
"""The platforms that come with the package."""
