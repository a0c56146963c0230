"""The compiled backends: one instruction set of C kernels each, with the memory that kernels may not allocate.

An `Isa` of ``bvar/_cext/_kernels.pyx`` is already a backend for every operation that only passes its arguments on.
Here are those that need panels or scratch memory.  What is computed is defined by `bvar.backends.definition`.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec

import numpy as np

from bvar.bits.windows import SlidingWindow

try:
    from bvar._cext._kernels import Isa, cpu_features, instruction_sets

    _why_absent = ""
except ImportError as error:
    Isa = object
    _why_absent = f"the extension was built but cannot be loaded ({error})"
    if find_spec("bvar._cext._kernels") is None:
        _why_absent = "the extension was not built (install again with a C compiler and BVAR_BUILD_EXT=require)"

NAMES = ("scalar", "avx2", "avx512", "neon")  # slowest first, where a machine has more than one
_NEEDS = {
    "avx2": ("x86-64", "AVX2"),
    "avx512": ("x86-64", "AVX-512 with VPOPCNTDQ, VBMI, VNNI and GFNI"),
    "neon": ("64-bit Arm", "NEON"),
}
_PATCH_VALUES, _FEWEST_PATCHES = 2**17, 32  # of votes on patches: half of an L2 cache, but enough rows to be fast
_UPDATE_VALUES, _UPDATE_ROWS = 2**16, 32  # of votes that are used while they are in the cache: a quarter
_scratch = threading.local()


class CompiledBackend(Isa):
    """The kernels of one instruction set, with a number of threads; immutable."""

    def prepare(self, w: np.ndarray) -> np.ndarray:
        """Lay weights out in panels."""
        panels = _aligned(self.panels_bytes(*w.shape))
        self.lay_panels(w, panels)
        return panels

    def signed_sum(self, z: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
        """Sum the signals z with the signs of the bits."""
        index = _scratch_of(self.index_bytes(len(words), out.shape[1]))
        self.signed_sum_in(z, words, index, out)

    def vote_and_flip(
        self,
        z: np.ndarray,
        x: np.ndarray,
        words: np.ndarray,
        m: np.ndarray,
        change: tuple[int, int],
        col: np.ndarray | None,
        shift: int,
        beta: int,
        eta: int,
        bound: int | None,
        dither: int,
    ) -> int:
        """Count the votes on a few rows, and flip by them while they are in the cache."""
        n_rows, n_bits = m.shape
        together = max(4, min(_UPDATE_ROWS, n_rows, _UPDATE_VALUES // max(1, n_bits)))
        n_parts = 1 if self.n_threads == 1 else min(4 * abs(self.n_threads), -(-n_rows // together) or 1)
        n_votes = -(-4 * n_parts * together * n_bits // 64) * 64
        memory = _scratch_of(n_votes + self.index_bytes(len(x), n_bits))
        votes = memory[: 4 * n_parts * together * n_bits].view(np.int32).reshape(n_parts, together, n_bits)
        return self.vote_and_flip_in(
            z, x, words, m, change, col, shift, beta, eta, bound, dither, memory[n_votes:], votes
        )

    def signed_pixels(self, z: np.ndarray, words: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Sum the signals at each place, and add the patches up while they are in the cache."""
        rows = min(window.n_places, max(_FEWEST_PATCHES, _PATCH_VALUES // window.patch_size))
        n_parts = 1 if self.n_threads == 1 else min(4 * abs(self.n_threads), max(1, len(out)))  # for who is idle
        shape = (n_parts, rows, window.patch_size)
        n_sums = -(-4 * shape[0] * shape[1] * shape[2] // 64) * 64
        memory = _scratch_of(n_sums + self.index_bytes(len(words), window.patch_size))
        sums = memory[:n_sums].view(np.int32)[: shape[0] * shape[1] * shape[2]].reshape(shape)
        self.signed_pixels_in(z, words, window, memory[n_sums:], sums, out)

    def prepare_rows(self, w: np.ndarray) -> np.ndarray:
        """Lay weights out for look-ups."""
        layout = _aligned(self.rows_bytes(*w.shape))
        self.lay_rows(w, layout)
        return layout

    def row_sums(self, x: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
        """Sum the numbers of each row with the signs of the bits."""
        self.row_sums_in(x, rows, _scratch_of(128 * -(-x.shape[1] // 32)), out)


def load() -> tuple[list[CompiledBackend], dict[str, str], str]:
    """Find out what runs here.

    Returns
    -------
    backends : list of CompiledBackend
        Slowest first.
    missing : dict of str to str
        The names of the others, and why they do not run.
    about : str
        One line on the extension and the CPU, for `bvar.backends.show`.
    """
    if _why_absent:
        return [], {f"c-{name}": _why_absent for name in NAMES}, _why_absent
    runs = instruction_sets()
    features = ", ".join(cpu_features()) or "nothing beyond the baseline"
    missing = {f"c-{name}": _why_not(name, name in runs) for name in NAMES if not runs.get(name)}
    about = f"the extension is built; this CPU has {features}"
    return [CompiledBackend(name) for name in runs if runs[name]], missing, about


def _why_not(name: str, built: bool) -> str:
    machine, feature = _NEEDS[name]
    return f"this CPU has no {feature}" if built else f"only for {machine}"


def _aligned(n_bytes: int) -> np.ndarray:
    """Memory that begins at a cache line, so that no vector load is split."""
    memory = np.empty(n_bytes + 63, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + n_bytes]


def _scratch_of(n_bytes: int) -> np.ndarray:
    """Return memory that this thread may use until its next call; kept, since fresh pages are slow."""
    memory = getattr(_scratch, "memory", None)
    if memory is None or len(memory) < n_bytes:
        _scratch.memory = memory = _aligned(n_bytes)
    return memory
