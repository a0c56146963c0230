"""Arguments of level 2."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import SMALL, WIDTHS, Draw, M, Strategy, rows

__all__ = ["BITS"]


@st.composite
def _rows(draw: Draw) -> dict[str, Any]:
    return {"rows": draw(rows(draw(st.integers(0, 3)), draw(WIDTHS), M))}


@st.composite
def _words(draw: Draw, dirty: bool) -> dict[str, Any]:
    n = draw(WIDTHS)
    numbers = st.integers(0, 2**64 - 1) | st.just(2**64 - 1)
    words = [[draw(numbers) for _ in range(-(-n // 64))] for _ in range(draw(SMALL))]
    if not dirty:
        for row in words:
            row[-1] &= 2 ** ((n - 1) % 64 + 1) - 1
    return {"words": [[f"{word:016x}" for word in row] for row in words], "n_bits": n}


@st.composite
def _transpose(draw: Draw) -> dict[str, Any]:
    n = draw(WIDTHS)
    return {"rows": draw(rows(draw(st.integers(0, 3) | st.sampled_from([63, 64, 65])), n)), "n_bits": n}


BITS: dict[str, Strategy] = {
    "pack": _rows(),
    "unpack": _words(dirty=True),
    "negate": _words(dirty=False),
    "transpose": _transpose(),
    "count_rows": _rows(),
}
