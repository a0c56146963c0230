"""Hypothesis strategies that aim at seams: word edges, empty and full rows, saturation, odd memory layouts."""

import numpy as np
from hypothesis import strategies as st

from bvar import kernels

N_BITS = st.one_of(
    st.integers(0, 4), st.sampled_from([63, 64, 65, 127, 128, 129, 191, 192, 193]), st.integers(1, 300)
)
N_ROWS = st.integers(0, 9)
SEED = st.integers(0, 2**32 - 1)


def _values(n_rows, n_bits, seed, choices, fill):
    """A matrix from `choices`; `fill` makes it constant instead, because constants saturate."""
    if fill is not None:
        return np.full((n_rows, n_bits), fill, np.int8)
    return np.random.default_rng(seed).choice(np.array(choices, np.int8), (n_rows, n_bits))


@st.composite
def signs(draw, n_rows, n_bits, missing=False):
    """int8 values of B, or of M, as a matrix."""
    choices = [-1, 0, 1] if missing else [-1, 1]
    fill = draw(st.sampled_from([None, None, None, *choices]))
    return _values(n_rows, n_bits, draw(SEED), choices, fill)


@st.composite
def signals(draw, n_rows, n_cols):
    """int8 signals with the extreme values well represented; sometimes a transposed or strided view."""
    kind = draw(st.sampled_from(["any", "extreme", "ternary", "boolean"]))
    choices = {"any": range(-128, 128), "extreme": [-128, -127, 0, 127], "ternary": [-1, 0, 1], "boolean": [-1, 1]}
    z = _values(n_rows, n_cols, draw(SEED), list(choices[kind]), None)
    layout = draw(st.sampled_from(["C", "F", "strided"]))
    if layout == "F":
        return np.asfortranarray(z)
    if layout == "strided":
        return np.repeat(z, 2, axis=1)[:, ::2]
    return z


def as_bits(values):
    """Pack, and hand out read-only planes, which every kernel must accept."""
    packed = kernels.pack(values)
    for plane in (packed.words, packed.known):
        if plane is not None:
            plane.setflags(write=False)
    return packed
