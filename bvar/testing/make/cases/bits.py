"""Cases of level 2: rows that end inside a word, and words with dirt behind the row."""

from __future__ import annotations

from bvar.testing.make.draw import SEAMS, WIDE, Case, Cases, Draw, width_flags
from bvar.testing.subjects.oracle import Oracle

__all__ = ["count_rows", "negate", "pack", "transpose", "unpack"]


def pack(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("bit 0 is the least significant", ["RaggedTail"], {"rows": ["1000", "0100", "1101"]})
    for n in SEAMS:
        yield Case(f"{n} bits", width_flags(n), {"rows": draw.rows(2, n)})
        yield Case(f"{n} bits, some missing", ["MissingValue", *width_flags(n)], {"rows": draw.rows(2, n, "01u")})
        yield Case(f"{n} bits, all T", ["AllOnes"], {"rows": ["1" * n]})
    yield Case("all F", ["ZeroWord"], {"rows": ["0" * 130]})
    yield Case("no row", ["EmptyBatch"], {"rows": []})
    yield Case("rows without bits", ["EmptyBatch"], {"rows": ["", ""]})
    for n in (127, *WIDE):
        yield Case(f"{n} bits, some missing", ["LongRow", "MissingValue"], {"rows": draw.rows(1, n, "01u")})


def _dirty(draw: Draw, n: int) -> list[list[str]]:
    return [[f"{draw.source.getrandbits(64):016x}" for _ in range(-(-n // 64))] for _ in range(2)]


def unpack(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        flags = ["PaddingDirty", "RaggedTail"] if n % 64 else ["Random"]
        yield Case(f"{n} bits of full words", flags, {"words": _dirty(draw, n), "n_bits": n})
    yield Case("a bit beyond 2**53", ["AllOnes"], {"words": [["8000000000000001"]], "n_bits": 64})
    for n in (127, *WIDE):
        yield Case(f"{n} bits of full words", ["LongRow"], {"words": _dirty(draw, n)[:1], "n_bits": n})


def negate(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        clean = Oracle().pack(draw.rows(2, n))[0]
        yield Case(f"{n} bits", ["PaddingDirty"] if n % 64 else ["Random"], {"words": clean, "n_bits": n})
    yield Case("all F", ["PaddingDirty", "ZeroWord"], {"words": [["0" * 16] * 2], "n_bits": 100})
    for n in (127, *WIDE):
        clean = Oracle().pack(draw.rows(1, n))[0]
        yield Case(f"{n} bits", ["LongRow"], {"words": clean, "n_bits": n})


def transpose(draw: Draw) -> Cases:
    """Give cases."""
    for r, n in ((1, 1), (2, 3), (3, 65), (65, 3), (64, 64), (63, 129), (9, 0)):
        yield Case(f"{r} x {n}", width_flags(n), {"rows": draw.rows(r, n), "n_bits": n})
    yield Case("no row: five rows without bits", ["NoRows"], {"rows": [], "n_bits": 5})
    for r, n in ((127, 5), (5, 127), (129, 65), (2, 1025)):
        yield Case(f"{r} x {n}", width_flags(n), {"rows": draw.rows(r, n), "n_bits": n})


def count_rows(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        yield Case(f"{n} bits", width_flags(n), {"rows": [*draw.rows(2, n), "1" * n, "0" * n]})
    yield Case("missing values are not T", ["MissingValue"], {"rows": draw.rows(3, 70, "01u")})
    for n in (127, *WIDE):
        yield Case(f"{n} bits", ["LongRow"], {"rows": [draw.row(n), "1" * n]})
    yield Case("130 rows", ["ManyUnits"], {"rows": draw.rows(130, 5, "01u")})
    yield Case("more than int16 holds", ["LargeSum"], {"rows": ["1" * 33000]})
