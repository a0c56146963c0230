"""What a backend is, which ones exist and which one is in force; imports none of them.

Names of the built-in ones are ``numpy``, ``c-scalar``, ``c-avx2``, ``c-avx512`` and ``c-neon``; ``auto`` means the
best one that runs and ``c`` the best compiled one.  A named backend never falls back: what is missing raises, with
the reason.  ``docs/develop/add-a-backend.md`` shows how to write another, and ``docs/explanation/exactness.md``
proves that a model does not depend on the choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

import numpy as np

from bvar._validation import check_integer
from bvar.bits.windows import SlidingWindow

MAX_THREADS = 2**31 - 1  # that may be asked for; a backend may use fewer
BAR = 2**12
"""What an accumulator must reach against a weight: accumulators count in units of 2**-12 of the bar."""
MAX_M = 2**15 - 1
"""Largest accumulator, eight bars less a unit."""
MAX_ETA = 2**43 - 1
"""Largest step size of a vote, in units of 2**-40 of the bar: eight bars."""


class BackendUnavailable(RuntimeError):
    """The backend asked for by name does not exist, was not built, or cannot run on this machine."""


class Backend(Protocol):
    """What every backend provides; `bvar.backends.definition` says what each method means.

    Arrays arrive validated, C-contiguous and canonical (z alone may be a transposed view, and rows of the g
    of `scale_signals` may lie apart), and may be read-only;
    results are written into `out`, which overlaps no input but in `center_votes` and `add_votes`.  Sizes of zero
    are legal.
    """

    name: str

    def with_threads(self, n_threads: int) -> Backend:
        """Return the same backend, using up to `n_threads` threads; results do not depend on it."""

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        """Bool (r, n) to words (r, ceil(n / 64)), padding zero."""

    def pack_threshold(
        self, values: np.ndarray, thresholds: np.ndarray, known: np.ndarray, out: np.ndarray
    ) -> int:
        """Bit i of a row is [values[r, i] >= thresholds[i]], and of `known` [values[r, i] is not NaN].

        Float32, or float64, (r, n) and (n,) to words.  Count the NaN.
        """

    def unpack(self, words: np.ndarray, out: np.ndarray) -> None:
        """Words (r, ceil(n / 64)) to bool (r, n); n is the width of `out`."""

    def transpose(self, words: np.ndarray, out: np.ndarray) -> None:
        """Words of (r, n) bits to words of (n, r) bits; n is the number of rows of `out`."""

    def count_rows(self, words: np.ndarray, out: np.ndarray) -> None:
        """Write the number of T in each row, int32 (r,)."""

    def prepare(self, w: np.ndarray) -> np.ndarray:
        """Return the right operand of `gate_sum` and `gate_bits` in this backend's own layout."""

    def gate_sum(
        self, x: np.ndarray, w: np.ndarray, row: np.ndarray, col: np.ndarray, scale: int, out: np.ndarray
    ) -> None:
        """out[b, o] = row[b] + col[o] + scale * popcount(x[b] xor w[o]), int32; w as prepared."""

    def gate_bits(
        self, x: np.ndarray, w: np.ndarray, row: np.ndarray, col: np.ndarray, scale: int, out: np.ndarray
    ) -> None:
        """Bit o of row b of `out` is [gate_sum(...)[b, o] >= 0], without storing the sums."""

    def signed_sum(self, z: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
        """out[r, i] = sum_k z[r, k] * e(bit i of words[k]); z int8 (r, k), out int32 (r, n)."""

    def rescale(
        self, g: np.ndarray, s: np.ndarray, tau: np.ndarray, curve: np.ndarray, shift: int, out: np.ndarray
    ) -> None:
        """Out = clip(round(g * curve[abs(s - tau)] / 2**shift)), int8, halves away from zero."""

    def scale_signals(self, g: np.ndarray, factor: int, shift: int, out: np.ndarray) -> None:
        """out[u, s] = clip(round(g[s, u] * factor / 2**shift)), halves away from zero, within +-32767.

        Rows of g, int32 (s, u), are contiguous and may lie apart; out int16 (u, s).
        """

    def center_votes(self, q: np.ndarray, row: np.ndarray, col: np.ndarray, shift: int, out: np.ndarray) -> None:
        """out[r, i] = q[r, i] - floor((row[r] * col[i] + 2**(shift-1)) / 2**shift), all int32; `out` may be q."""

    def add_votes(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        """Out = a + b modulo 2**32, int32 (n,); `out` may be a.  Say whether some sum did not fit."""

    def vote_norms(self, q: np.ndarray, out: np.ndarray) -> None:
        """out[r] = sum of abs(q[r]), int64; q int32 (r, n)."""

    def flip(
        self, words: np.ndarray, m: np.ndarray, q: np.ndarray, beta: int, eta: np.ndarray, dither: int
    ) -> int:
        """Accumulate; where m * e(w) >= BAR flip w and set m = 0.  Count the flips.

        M, int16, becomes floor((2**13 * (beta * m + r) + e * clip(q, -most, most)) / 2**28), within +-MAX_M, in
        integers.  Beta is in [0, 2**15]; e is eta[row], int64 in [0, MAX_ETA], its last 13 bits cleared where it
        is at least 2**25; most = MAX_ETA // max(e, 1); r = (dither + 27893 * i) mod 2**15 for element i of m, row
        by row.
        """

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
        """Flip by q = sum_k z[r, k] * change[bit i of x[k]], eta[r] = min(eta, bound // max(norm of q[r], 1)).

        If there is a `col`, q is centred by it and the sums of the rows of z first.  z int8 (r, k), x words of
        (k, n) bits, `change` the variation of a gate where a bit is F and where it is T, `col` int32 (n,); `bound`
        in [0, 2**62], or None; the rest as for `flip`.
        """

    def pack_levels(self, values: np.ndarray, thresholds: np.ndarray, out: np.ndarray) -> None:
        """Bit i of a row is [values[r, i] >= thresholds[i]]; uint8 (r, n) and (n,) to words."""

    def table_values(
        self, x: np.ndarray, wires: np.ndarray, tables: np.ndarray, n_samples: int, out: np.ndarray
    ) -> None:
        """Bit s of row g is bit a of tables[g], where bit i of a is bit s of row wires[g, i] of x.

        Words (units, ceil(n_samples / 64)) to words (gates, the same); wires int32 (gates, 1 to 6).
        """

    def table_votes(self, z: np.ndarray, x: np.ndarray, wires: np.ndarray, out: np.ndarray) -> None:
        """out[g, a] = sum of z[g, s] over the samples s at which gate g looks at entry a; int16 to int32."""

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
        """out[u, s] = sum over wires that read unit u of z times half the change of the gate, within +-32767.

        The wires on unit u are readers[starts[u] : starts[u + 1]], wire i of gate g being g * fan_in + i.
        """

    def candidate_votes(
        self,
        z: np.ndarray,
        x: np.ndarray,
        wires: np.ndarray,
        tables: np.ndarray,
        candidates: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """out[g * k + i, j] = sum of z[g, s] times half the change of gate g as its wire i moves to a candidate.

        z int16 (gates, n <= 2**16), wires int32 (gates, k), candidates int32 (gates * k, c) to int32, the same.
        """

    def count_groups(self, x: np.ndarray, out: np.ndarray) -> None:
        """out[c, s] = number of T at bit s in block c of the rows of x; words (units, w) to int32 (blocks, n)."""

    def gather_patches(self, images: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Words of images to words of patches, image by image and place by place; F outside an image."""

    def signed_pixels(self, z: np.ndarray, words: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """out[s] = the sum of the patches that signed_sum makes of the signals at each place of image s.

        z int8 (images * places, k), words of (k, patch_size) bits, out int32 (images, values).
        """

    def pool_max(
        self, sums: np.ndarray, image_shape: tuple[int, int, int], size: int, winner: np.ndarray, out: np.ndarray
    ) -> None:
        """Largest sum of each square, int32 (images, values), and its tap, uint8; the first of equals."""

    def prepare_rows(self, w: np.ndarray) -> np.ndarray:
        """Return the right operand of `row_sums` in this backend's own layout."""

    def row_sums(self, x: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
        """out[r, j] = sum_i x[r, i] * e(bit i of row j), int32; x int16 (r, n), n < 2**16, rows as prepared."""

    def quantize_rows(self, x: np.ndarray, scales: np.ndarray, out: np.ndarray, steps: np.ndarray) -> None:
        """Out = round(v * (253 / s)), int16, v = x * scales in float32, s the largest sum of four magnitudes.

        steps[r] = s / 253; 0 where s < 2**-100, NaN where a sum is not finite, and out is 0 then.
        """


KERNELS = tuple(n for n in vars(Backend) if not n.startswith("_") and n != "with_threads")
"""The names of the operations that every backend has."""

_QUESTIONS = {"auto": "", "c": "c-"}  # what the name of an answer begins with
_backends: dict[str, Backend] = {}  # slowest first
_missing: dict[str, str] = {}  # backend name -> why it is absent
_default: list[Backend] = []  # one element once set_default ran
_current: ContextVar[Backend | None] = ContextVar("bvar_backend", default=None)


def register(backend: Backend) -> None:
    """Add a backend that runs here; later ones are taken to be faster, which is what ``'auto'`` asks for.

    Parameters
    ----------
    backend : Backend
        An object with a `name` of its own and every operation of `Backend`.

    Raises
    ------
    TypeError
        If an operation is missing: every backend is complete.
    ValueError
        If the name is taken, or is one of the questions ``'auto'`` and ``'c'``.

    See Also
    --------
    register_missing : For a backend that cannot run here.
    unregister : Take it out again.

    Notes
    -----
    What is in force does not change, neither here nor in new threads.
    """
    lacking = [part for part in ("with_threads", *KERNELS) if not callable(getattr(backend, part, None))]
    if not isinstance(getattr(backend, "name", None), str):
        lacking.append("name")
    if lacking:
        raise TypeError(f"backend must have every part of Backend, got {backend!r} without {', '.join(lacking)}")
    if backend.name in _QUESTIONS or backend.name in _backends:
        raise ValueError(f"backend must have a name that is not taken, got {backend.name!r}")
    _backends[backend.name] = backend
    _missing.pop(backend.name, None)


def register_missing(name: str, why: str) -> None:
    """Remember why a backend is absent, for `BackendUnavailable` and for `bvar.backends.show`.

    Parameters
    ----------
    name : str
        What the backend would be called.
    why : str
        The reason, such as "this machine has no GPU".
    """
    _missing[name] = why


def unregister(name: str) -> None:
    """Forget a backend that was added by `register` or `register_missing`; blocks that use it go on.

    Parameters
    ----------
    name : str
        Its name.

    Raises
    ------
    BackendUnavailable
        If there is none of this name.
    """
    if name not in _missing:
        del _backends[get(name).name]
    _missing.pop(name, None)


def available() -> tuple[str, ...]:
    """Name the backends that run on this machine.

    Returns
    -------
    tuple of str
        Slowest first; always begins with ``'numpy'``.

    Examples
    --------
    >>> from bvar import backends
    >>> backends.available()[0]
    'numpy'
    """
    return tuple(_backends)


def missing() -> dict[str, str]:
    """Return the backends that do not run here and why."""
    return dict(_missing)


def get(name: str = "auto") -> Backend:
    """Look a backend up; an explicit name never falls back.

    Parameters
    ----------
    name : str, default='auto'
        As for :func:`bvar.backends.use`.

    Returns
    -------
    Backend
        The backend.

    Raises
    ------
    BackendUnavailable
        If it cannot run here; the message says why.
    """
    prefix = _QUESTIONS.get(name)
    if prefix is not None:
        for backend in reversed([*_backends.values()]):  # a copy: another thread may register one meanwhile
            if backend.name.startswith(prefix):
                return backend
    if name in _backends:
        return _backends[name]
    if name == "c":
        why = "; ".join(f"{n}: {w}" for n, w in missing().items()) or "no compiled backend was built"
    else:
        why = _missing.get(name, "no backend has this name")
    raise BackendUnavailable(
        f"backend {name!r} is not available ({why}); this machine has: {', '.join(available())} (and 'auto', 'c')"
    )


def set_default(name: str) -> None:
    """Choose the backend that new threads start from."""
    _default[:] = [get(name)]


def current() -> Backend:
    """Return the backend in force in this thread or task; `bvar.backends.current` gives its name."""
    return _current.get() or _default[0]


def use(name: str | None = None, *, n_threads: int = 1) -> AbstractContextManager[Backend]:
    """Select a backend until the block ends.

    The choice belongs to the current thread or task; a thread started inside the block begins with the
    default.  That is why estimators take ``backend=`` and enter this block themselves.

    Parameters
    ----------
    name : {'auto', 'c', 'numpy', 'c-scalar', 'c-avx2', 'c-avx512', 'c-neon'}, optional
        Backend to use. ``'auto'`` is the best one that runs here, ``'c'`` the best compiled one.  None keeps
        the one in force.  The name of a backend that was registered is as good.
    n_threads : int, default=1
        Threads that a compiled kernel may use. Results do not depend on it. No more than 256 are ever started.

    Returns
    -------
    context manager
        Its value is the backend object.

    Raises
    ------
    BackendUnavailable
        If the backend named cannot run here; it never falls back to another.
    TypeError, ValueError
        If `n_threads` is not an integer from 1 to 2**31 - 1.

    Examples
    --------
    >>> from bvar import backends
    >>> with backends.use("numpy"):
    ...     backends.current()
    'numpy'
    """
    n_threads = check_integer(n_threads, "n_threads", low=1, high=MAX_THREADS)
    return in_force((current() if name is None else get(name)).with_threads(n_threads))


@contextmanager
def in_force(backend: Backend) -> Iterator[Backend]:
    """Let this object answer until the block ends, whether it is registered or not."""
    token = _current.set(backend)
    try:
        yield backend
    finally:
        _current.reset(token)
