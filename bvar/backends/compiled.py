"""The compiled backends: the tables of C kernels, dressed as the `Backend` protocol.

What is decided here, because kernels may not allocate or know about threads: where panels and scratch memory
come from, and how many threads a call may use.  What is computed is defined by `bvar.backends.definition`.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from bvar.bits.windows import SlidingWindow

NAMES = ("scalar", "avx2", "avx512", "neon")  # slowest first, where a machine has more than one
_NEEDS = {
    "avx2": ("x86-64", "AVX2"),
    "avx512": ("x86-64", "AVX-512 with VPOPCNTDQ, VBMI and GFNI"),
    "neon": ("64-bit Arm", "NEON"),
}
_PATCH_VALUES, _FEWEST_PATCHES = 2**17, 32  # of votes on patches: half of an L2 cache, but enough rows to be fast
_scratch = threading.local()


class CompiledBackend:
    """The kernels of one instruction set, with a number of threads; immutable."""

    def __init__(self, table: Any, n_threads: int = 1) -> None:
        self.name = f"c-{table.name}"
        self.n_threads = n_threads
        self._table = table

    def with_threads(self, n_threads: int) -> CompiledBackend:
        """Return the same kernels, to be run by up to `n_threads` threads."""
        return CompiledBackend(self._table, n_threads)

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        """Pack Booleans, least significant bit first."""
        self._table.pack(values.view(np.uint8), out, self.n_threads)

    def unpack(self, words: np.ndarray, out: np.ndarray) -> None:
        """Unpack to Booleans."""
        self._table.unpack(words, out.view(np.uint8), self.n_threads)

    def transpose(self, words: np.ndarray, out: np.ndarray) -> None:
        """Transpose a matrix of bits."""
        self._table.transpose(words, out, self.n_threads)

    def count_rows(self, words: np.ndarray, out: np.ndarray) -> None:
        """Count the T of each row."""
        self._table.count_rows(words, out, self.n_threads)

    def prepare(self, w: np.ndarray) -> np.ndarray:
        """Lay weights out in panels."""
        panels = _aligned(self._table.panels_bytes(*w.shape))
        self._table.lay_panels(w, panels, self.n_threads)
        return panels

    def gate_sum(
        self,
        x: np.ndarray,
        w: np.ndarray,
        row: np.ndarray,
        col: np.ndarray,
        scale: int,
        out: np.ndarray,
    ) -> None:
        """Row + col + scale * popcount(x xor w)."""
        self._table.gate_sum(x, w, row, col, scale, out, self.n_threads)

    def gate_bits(
        self,
        x: np.ndarray,
        w: np.ndarray,
        row: np.ndarray,
        col: np.ndarray,
        scale: int,
        out: np.ndarray,
    ) -> None:
        """Threshold the gate sums at zero."""
        self._table.gate_bits(x, w, row, col, scale, out, self.n_threads)

    def signed_sum(self, z: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
        """Sum the signals z with the signs of the bits."""
        index = _scratch_of(self._table.index_bytes(len(words), out.shape[1]))
        self._table.signed_sum(z, words, index, out, self.n_threads)

    def rescale(
        self,
        g: np.ndarray,
        s: np.ndarray,
        tau: np.ndarray,
        table: np.ndarray,
        shift: int,
        out: np.ndarray,
    ) -> None:
        """Weight g by the distance from the threshold and round to int8."""
        self._table.rescale(g, s, tau, table, shift, out, self.n_threads)

    def center_votes(self, q: np.ndarray, row: np.ndarray, col: np.ndarray, shift: int, out: np.ndarray) -> None:
        """Subtract the rounded product of a column and a row."""
        self._table.center_votes(q, row, col, shift, out, self.n_threads)

    def vote_norms(self, q: np.ndarray, out: np.ndarray) -> None:
        """Sum of magnitudes of each row."""
        self._table.vote_norms(q, out, self.n_threads)

    def flip(self, words: np.ndarray, m: np.ndarray, q: np.ndarray, beta: float, eta: np.ndarray) -> int:
        """Accumulate, gate, flip, reset."""
        return self._table.flip(words, m, q, beta, eta, self.n_threads)

    def pack_levels(self, values: np.ndarray, thresholds: np.ndarray, out: np.ndarray) -> None:
        """Compare bytes and pack the answers."""
        self._table.pack_levels(values, thresholds, out, self.n_threads)

    def table_values(
        self, x: np.ndarray, wires: np.ndarray, tables: np.ndarray, n_samples: int, out: np.ndarray
    ) -> None:
        """Look the gates up."""
        self._table.table_values(x, wires, tables, n_samples, out, self.n_threads)

    def table_votes(self, z: np.ndarray, x: np.ndarray, wires: np.ndarray, out: np.ndarray) -> None:
        """Sum the signals of each entry."""
        self._table.table_votes(z, x, wires, out, self.n_threads)

    def wire_votes(
        self,
        z: np.ndarray,
        x: np.ndarray,
        wires: np.ndarray,
        tables: np.ndarray,
        starts: np.ndarray,
        readers: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Sum the votes of the gates that read each unit."""
        self._table.wire_votes(z, x, wires, tables, starts, readers, out, self.n_threads)

    def count_groups(self, x: np.ndarray, out: np.ndarray) -> None:
        """Count the T of each group of rows."""
        self._table.count_groups(x, out, self.n_threads)

    def gather_patches(self, images: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Copy what each place sees."""
        self._table.gather_patches(images, window.numbers(), out, self.n_threads)

    def signed_pixels(self, z: np.ndarray, words: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Sum the signals at each place, and add the patches up while they are in the cache."""
        rows = min(window.n_places, max(_FEWEST_PATCHES, _PATCH_VALUES // window.patch_size))
        shape = (abs(self.n_threads), rows, window.patch_size)
        n_sums = -(-4 * shape[0] * shape[1] * shape[2] // 64) * 64
        n_index = self._table.index_bytes(len(words), window.patch_size)
        memory = _scratch_of(n_sums + n_index)
        sums = memory[:n_sums].view(np.int32)[: shape[0] * shape[1] * shape[2]].reshape(shape)
        index = memory[n_sums : n_sums + n_index]
        self._table.signed_pixels(z, words, window.numbers(), index, sums, out, self.n_threads)

    def pool_max(
        self, sums: np.ndarray, image_shape: tuple[int, int, int], size: int, winner: np.ndarray, out: np.ndarray
    ) -> None:
        """Find the largest sum of each square."""
        self._table.pool_max(sums, image_shape, size, out, winner, self.n_threads)


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
    try:
        import bvar._cext._kernels as _kernels
    except ImportError as error:
        why = _why_no_extension(error)
        return [], {f"c-{name}": why for name in NAMES}, why
    tables = {table.name: table for table in _kernels.tables()}
    backends = [CompiledBackend(table) for table in tables.values() if table.runs]
    missing = {f"c-{n}": _why_not(n, tables) for n in NAMES if n not in tables or not tables[n].runs}
    return backends, missing, _about(_kernels)


def _why_no_extension(error: ImportError) -> str:
    if find_spec("bvar._cext._kernels") is None:
        return "the extension was not built (install again with a C compiler and BVAR_BUILD_EXT=require)"
    return f"the extension was built but cannot be loaded ({error})"


def _why_not(name: str, tables: dict[str, Any]) -> str:
    machine, feature = _NEEDS[name]
    return f"this CPU has no {feature}" if name in tables else f"only for {machine}"


def _about(kernels: ModuleType) -> str:
    features = ", ".join(kernels.cpu_features()) or "nothing beyond the baseline"
    return f"the extension is built; this CPU has {features}"


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
