"""Arguments of level 2."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import BATCHES, SMALL, WIDTHS, Draw, M, Strategy, matrix, rows

__all__ = ["BITS"]


@st.composite
def _rows(draw: Draw) -> dict[str, Any]:
    return {"rows": draw(rows(draw(st.integers(0, 3)), draw(WIDTHS), M))}


@st.composite
def _words(draw: Draw, dirty: bool) -> dict[str, Any]:
    n = draw(WIDTHS)
    numbers = st.integers(0, 2**64 - 1) | st.just(2**64 - 1)
    words = draw(matrix(draw(SMALL if n < 300 else st.just(1)), -(-n // 64), numbers))
    if not dirty:
        for row in words:
            row[-1] &= 2 ** ((n - 1) % 64 + 1) - 1
    return {"words": [[f"{word:016x}" for word in row] for row in words], "n_bits": n}


@st.composite
def _transpose(draw: Draw) -> dict[str, Any]:
    r = draw(st.integers(0, 3) | BATCHES)
    n = draw(WIDTHS if r < 4 else st.integers(1, 12) | BATCHES)
    return {"rows": draw(rows(r, n)), "n_bits": n}


BITS: dict[str, Strategy] = {
    "pack": _rows(),
    "unpack": _words(dirty=True),
    "negate": _words(dirty=False),
    "transpose": _transpose(),
    "count_rows": _rows(),
}
