"""Every backend that runs here gives what the NumPy backend gives, bit for bit.

A table: each operation of the `Backend` protocol has a row that draws arguments at the seams of words,
vectors, tiles and counters.  An operation without a row fails, and so does a backend without an operation.
Outputs stand between poisoned borders, inputs come back unchanged, and integers are compared with ``==``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import event, find, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from bvar.backends import protocol
from bvar.bits import BitMatrix, SlidingWindow, n_words, tail_mask
from bvar.networks import boolean_mlp

TWINS = [name for name in protocol.available() if name != "numpy"]
THREADS = (1, 2, 3)
BORDER = 24  # elements; with every item size the output is not aligned to a vector
FEW = settings(derandomize=True, max_examples=50, deadline=None, database=None)

BITS = [0, 1, 7, 8, *(64 * k + i for k in (1, 2, 4, 8, 16, 64) for i in (-1, 0, 1))]
ROWS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129]
TERMS = [0, 1, 5, 6, 7, 8, 11, 12, 13, 127, 128, 129, 247, 248, 249, 251, 252, 253, 255, 256, 257, 504, 505]


@pytest.fixture(autouse=True, scope="module")
def _one_blas_thread():
    """Keep the reference from spinning: threaded BLAS on a busy machine is a hundred times slower."""
    with threadpool_limits(1):
        yield


# ------------------------------------------------------------------------------------------ drawing arguments


def sizes(seams: list[int], high: int) -> st.SearchStrategy[int]:
    return st.sampled_from([s for s in seams if s <= high]) | st.integers(0, high)


class Source:
    """Bulk data from a seed; Hypothesis draws sizes and kinds, which is where the seams are."""

    def __init__(self, seed: int, kind: str) -> None:
        self.random = np.random.RandomState(seed)
        self.kind = kind

    def values(self, r: int, n: int) -> np.ndarray:
        """Bools: all T, all F, or random."""
        share = {"ones": 1.0, "zeros": 0.0}.get(self.kind, 0.5)
        return self.random.random_sample((r, n)) < share

    def words(self, r: int, n: int) -> np.ndarray:
        words = self.random.randint(0, 2**64, (r, n_words(n)), np.uint64)
        words[...] = {"ones": 2**64 - 1, "zeros": 0}.get(self.kind, words)
        if n % 64 and r:
            words[:, -1] &= tail_mask(n)
        return words

    def ints(self, low: int, high: int, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """Integers of [low, high], at its ends where the kind says so."""
        if self.kind == "ones":
            return np.full(shape, high, dtype)
        if self.kind == "zeros":
            return np.full(shape, low, dtype)
        return self.random.randint(low, high + 1, shape, dtype=np.int64).astype(dtype)

    def signals(self, r: int, k: int, layout: str) -> np.ndarray:
        """Int8 (r, k): contiguous, transposed, every second term, or backwards."""
        z = self.ints(-128, 127, (2 * max(r, k, 1), 2 * max(r, k, 1)), np.int8)
        return {"rows": z[:r, :k].copy(), "columns": z[:k, :r].T, "gaps": z[:r, : 2 * k : 2]}.get(
            layout, z[::-1][:r, ::-1][:, :k]
        )


sources = st.builds(Source, st.integers(0, 2**32 - 1), st.sampled_from(["random", "random", "ones", "zeros"]))
layouts = st.sampled_from(["rows", "columns", "gaps", "backwards"])


@st.composite
def pack_args(draw):
    r, n = draw(sizes(ROWS, 40)), draw(sizes(BITS, 4200))
    return (draw(sources).values(r, n),), ((r, n_words(n)), np.uint64)


@st.composite
def threshold_args(draw):
    r, n = draw(sizes(ROWS, 40)), draw(sizes(BITS, 1100))
    dtype, random = draw(st.sampled_from([np.float32, np.float64])), draw(sources).random
    special = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nextafter(dtype(1), dtype(0)), np.nan], dtype)
    values = special[random.randint(0, draw(st.sampled_from([7, 8])), (r, n))]
    thresholds = special[random.randint(0, 7, n)]
    shape = (r, n_words(n))
    return (values, thresholds, np.zeros(shape, np.uint64)), (shape, np.uint64)


@st.composite
def unpack_args(draw):
    r, n = draw(sizes(ROWS, 40)), draw(sizes(BITS, 4200))
    return (draw(sources).words(r, n),), ((r, n), np.bool_)


@st.composite
def transpose_args(draw):
    r, n = draw(sizes(ROWS, 200)), draw(sizes(BITS, 1100))
    return (draw(sources).words(r, n),), ((n, n_words(r)), np.uint64)


@st.composite
def count_args(draw):
    r, n = draw(sizes(ROWS, 100)), draw(sizes(BITS, 4200))
    return (draw(sources).words(r, n),), ((r,), np.int32)


@st.composite
def gate_args(draw, bits):
    b, o = draw(sizes(ROWS, 100)), draw(sizes([*ROWS, 1023, 1024, 1025], 1100))
    n = draw(sizes(BITS, 4200 if b * o < 1000 else 600))
    x, w, source = draw(sources).words(b, n), draw(sources).words(o, n), draw(sources)
    row = source.ints(-n - 2, n + 2, (b,), np.int32)
    if draw(st.booleans()):
        row[:] = n
    col, scale = source.ints(-n - 2, n + 2, (o,), np.int32), draw(st.integers(-2, 2))
    return (x, w, row, col, scale), ((b, n_words(o)), np.uint64) if bits else ((b, o), np.int32)


@st.composite
def votes_args(draw):
    r, k = draw(sizes(ROWS, 70)), draw(sizes(TERMS, 520))
    n = draw(sizes(BITS, 4200 if r * k < 2000 else 520))
    source = draw(sources)
    return (source.signals(r, k, draw(layouts)), draw(sources).words(k, n)), ((r, n), np.int32)


@st.composite
def rescale_args(draw):
    r, n, shift = draw(sizes(ROWS, 20)), draw(sizes(BITS, 300)), draw(st.integers(0, 30))
    source = draw(sources)
    reach = draw(st.sampled_from([1, 100, 2**31 - 1]))
    g, s, tau = (
        source.ints(-reach - (reach == 2**31 - 1), reach, shape, np.int32) for shape in ((r, n), (r, n), (n,))
    )
    highest, length = (
        draw(st.sampled_from([1, 2**20, 2**30])),
        draw(st.integers(1, 90) | st.sampled_from([191, 192, 193, 300])),
    )
    curve = draw(sources).ints(0, highest, (length,), np.int32)
    return (g, s, tau, curve, shift), ((r, n), np.int8)


@st.composite
def scale_args(draw):
    r, n, shift = draw(sizes(ROWS, 70)), draw(sizes(ROWS, 100)), draw(st.integers(0, 20))
    reach, gap = draw(st.sampled_from([1, 2**15, 2**31 - 1])), draw(st.integers(0, 3))
    g = draw(sources).ints(-reach - 1, reach, (r, n + gap), np.int32)[:, gap:]
    return (g, draw(st.sampled_from([0, 1, 3, 65536, 2**21])), shift), ((n, r), np.int16)


@st.composite
def center_args(draw):
    r, n, shift = draw(sizes(ROWS, 40)), draw(sizes(BITS, 1100)), draw(st.sampled_from([0, 1, 15, 30]))
    reach = draw(st.sampled_from([1, 2**15, 2**31 - 1]))
    q, row, col = (draw(sources).ints(-reach, reach, shape, np.int32) for shape in ((r, n), (r,), (n,)))
    return (q, row, col, shift), ((r, n), np.int32)


@st.composite
def add_args(draw):
    n, reach = draw(sizes(BITS, 1100)), draw(st.sampled_from([1, 2**30, 2**31 - 1]))
    a, b = (draw(sources).ints(-reach - 1, reach, (n,), np.int32) for _ in range(2))
    return (a, b), ((n,), np.int32)


@st.composite
def norms_args(draw):
    r, n = draw(sizes(ROWS, 40)), draw(sizes(BITS, 1100))
    reach = draw(st.sampled_from([0, 1, 2**31 - 1]))
    return (draw(sources).ints(-reach - (reach > 1), reach, (r, n), np.int32),), ((r,), np.int64)


@st.composite
def flip_args(draw):
    r, n, source = draw(sizes(ROWS, 40)), draw(sizes(BITS, 1100)), draw(sources)
    random = source.random
    m = random.randint(-(2**15), 2**15, (r, n)).astype(np.int16)
    special = np.array([0, 1, -1, 2048, 4095, -4095, 4096, -4096, 32767, -32767, -32768], np.int16)
    odd = random.random_sample((r, n)) < 0.5
    m[odd] = special[random.randint(0, len(special), odd.sum())]
    q = source.ints(-(2**31), 2**31 - 1, (r, n), np.int32) >> draw(st.sampled_from([0, 8, 24, 31]))
    beta, dither = draw(st.sampled_from([0, 1, 29491, 2**15])), draw(st.sampled_from([0, 1, 2**15 - 1]))
    steps = [0, 1, 2**12, 2**25 - 1, 2**25, 2**25 + 2**13 - 1, 10**10, 2**39, 2**43 - 1]
    eta = random.choice(np.array(steps), r)
    return (draw(sources).words(r, n), m, q, beta, eta, dither), None


@st.composite
def vote_and_flip_args(draw):
    """Votes that are small and large, centred and not, clipped and not, for every variation of a gate."""
    r, k = draw(sizes(ROWS, 70)), draw(sizes(TERMS, 520))
    n = draw(sizes(BITS, 1100 if r * k < 4000 else 300))
    source = draw(sources)
    m = source.random.randint(-(2**13), 2**13, (r, n)).astype(np.int16)
    col = draw(sources).ints(-(2**15), 2**15, (n,), np.int32) if draw(st.booleans()) else None
    change = draw(st.sampled_from([(-1, 1), (1, -1), (0, 1), (-1, 0), (0, -1), (1, 0), (1, 1), (0, 0), (-1, -1)]))
    shift, beta = draw(st.sampled_from([0, 15, 30])), draw(st.sampled_from([0, 29491, 2**15]))
    eta = draw(st.sampled_from([0, 1000, 10**9, 2**39, 2**43 - 1]))
    bound, dither = draw(st.sampled_from([0, 10**9, 2**45, 2**62, None])), draw(st.sampled_from([0, 2**15 - 1]))
    z, x = source.signals(r, k, draw(layouts)), draw(sources).words(k, n)
    return (z, x, draw(sources).words(r, n), m, change, col, shift, beta, eta, bound, dither), None


SAMPLES = [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1025]


@st.composite
def levels_args(draw):
    r, n, source = draw(sizes(ROWS, 40)), draw(sizes(BITS, 1100)), draw(sources)
    values, thresholds = source.ints(0, 255, (r, n), np.uint8), draw(sources).ints(0, 255, (n,), np.uint8)
    return (values, thresholds), ((r, n_words(n)), np.uint64)


class Gates(NamedTuple):
    """A layer of gates on some samples, with its signals."""

    z: np.ndarray
    x: np.ndarray
    wires: np.ndarray
    tables: np.ndarray
    starts: np.ndarray
    readers: np.ndarray


@st.composite
def gate_layers(draw):
    """Few units make many readers of one, many make one or none; signals reach both ends of their range."""
    n_gates, n_units, fan_in = draw(sizes(ROWS, 70)), draw(st.integers(1, 90)), draw(st.integers(1, 6))
    n_samples = draw(sizes(SAMPLES, 1100 if n_gates * fan_in < 60 else 140))
    source, reach = draw(sources), draw(st.sampled_from([1, 127, 20000, 32767]))
    wires = source.random.randint(0, n_units, (n_gates, fan_in)).astype(np.int32)
    tables = draw(sources).words(n_gates, 1 << fan_in)[:, 0].copy()
    starts = np.searchsorted(np.sort(wires, axis=None), np.arange(n_units + 1)).astype(np.int32)
    readers = np.argsort(wires, axis=None, kind="stable").astype(np.int32)
    z = source.ints(-reach, reach, (n_gates, n_samples), np.int16)
    return Gates(z, draw(sources).words(n_units, n_samples), wires, tables, starts, readers)


@st.composite
def table_values_args(draw):
    gates = draw(gate_layers())
    n_samples = gates.z.shape[1]
    out = ((len(gates.z), n_words(n_samples)), np.uint64)
    return (gates.x, gates.wires, gates.tables, n_samples), out


@st.composite
def table_votes_args(draw):
    gates = draw(gate_layers())
    return (gates.z, gates.x, gates.wires), ((len(gates.z), 1 << gates.wires.shape[1]), np.int32)


@st.composite
def wire_votes_args(draw):
    gates = draw(gate_layers())
    return tuple(gates), ((len(gates.x), gates.z.shape[1]), np.int16)


@st.composite
def candidate_votes_args(draw):
    gates, n_candidates = draw(gate_layers()), draw(st.sampled_from([1, 2, 7, 64]))
    shape = (gates.wires.size, n_candidates)
    candidates = draw(sources).random.randint(0, len(gates.x), shape).astype(np.int32)
    return (*gates[:4], candidates), (shape, np.int32)


@st.composite
def groups_args(draw):
    n_groups, n_rows, n = draw(st.integers(1, 12)), draw(sizes(ROWS, 130)), draw(sizes(SAMPLES, 1100))
    return (draw(sources).words(n_groups * n_rows, n),), ((n_groups, n), np.int32)


@st.composite
def windows(draw, values=1500):
    """Taps outside on every side, places that skip pixels, channels around bytes and words."""
    common = [1, 1, 1, 2, 3]  # what real networks have, and what has a path of its own in C
    size, stride, dilation = (
        (draw(st.sampled_from(seams)), draw(st.sampled_from(seams))) for seams in ([1, 2, 3, 3, 4], common, common)
    )
    reach = [(taps - 1) * gap + 1 for taps, gap in zip(size, dilation, strict=True)]
    padding = tuple(draw(st.integers(0, covered - 1)) for covered in reach)
    height, width = (
        draw(st.integers(max(1, covered - 2 * room), covered + 6))
        for covered, room in zip(reach, padding, strict=True)
    )
    channels = draw(st.sampled_from([1, 3, 7, 8, 9, 16, 32, 32, 63, 64, 64, 65, 96, 128]))
    most = max(1, values // (height * width))
    return SlidingWindow((height, width, min(channels, most)), size, stride, padding, dilation)


@st.composite
def patches_args(draw):
    window, n = draw(windows(4000)), draw(st.integers(0, 4))
    out = ((n * window.n_places, n_words(window.patch_size)), np.uint64)
    return (draw(sources).words(n, window.n_inputs), window), out


@st.composite
def pixels_args(draw):
    window, n, k = draw(windows()), draw(st.integers(0, 4)), draw(sizes(TERMS, 60))
    z = draw(sources).signals(n * window.n_places, k, "rows")
    return (z, draw(sources).words(k, window.patch_size), window), ((n, window.n_inputs), np.int32)


@st.composite
def pool_args(draw):
    size, n = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    height, width = (draw(st.integers(size, 3 * size + 2)) for _ in range(2))
    channels = draw(st.sampled_from([1, 2, 15, 16, 17, 33]))
    pooled = (n, height // size * (width // size) * channels)
    reach = draw(st.sampled_from([1, 2**31 - 1]))  # small ones make ties
    sums = draw(sources).ints(-reach - 1, reach, (n, height * width * channels), np.int32)
    return (sums, (height, width, channels), size, np.zeros(pooled, np.uint8)), (pooled, np.int32)


@st.composite
def row_args(draw):
    """Numbers on both sides of what fits into a table, at the ends of panels and steps."""
    r, n = draw(st.integers(0, 3)), draw(sizes([*BITS, 30, 31, 32, 33, 1020, 1023], 1100))
    o = draw(sizes(ROWS, 140))
    reach = draw(st.sampled_from([1, 31, 32, 63, 64, 127, 128, 2079, 2080, 32767]))
    x = draw(sources).ints(-reach - (reach > 100), reach, (r, n), np.int16)
    return (x, draw(sources).words(o, n)), ((r, o), np.int32)


@st.composite
def quantize_args(draw):
    r, n = draw(st.integers(0, 4)), draw(sizes(BITS, 300))
    random, exponent = draw(sources).random, draw(st.sampled_from([-120, -101, -100, -30, 0, 30, 127]))
    with np.errstate(over="ignore"):
        x = np.ldexp(random.standard_normal((r, n)), exponent).astype(np.float32)
    special = np.array([0.0, -0.0, 1e-45, np.inf, np.nan, 3e38], np.float32)
    odd = random.random_sample((r, n)) < draw(st.sampled_from([0.0, 0.0, 0.01, 0.5]))
    x[odd] = special[random.randint(0, draw(st.sampled_from([3, 6])), odd.sum())]
    scales = random.standard_normal(n).astype(np.float32)
    return (x, scales, np.zeros((r, n), np.int16)), ((r,), np.float32)


# ------------------------------------------------------------------------------------------------- the table


class Case(NamedTuple):
    args: Callable[..., st.SearchStrategy]
    writes: tuple[int, ...] = ()  # arguments that the operation changes in place


CASES = {
    "pack": Case(pack_args),
    "pack_threshold": Case(threshold_args, writes=(2,)),
    "unpack": Case(unpack_args),
    "transpose": Case(transpose_args),
    "count_rows": Case(count_args),
    "prepare": Case(lambda: gate_args(bits=False)),
    "gate_sum": Case(lambda: gate_args(bits=False)),
    "gate_bits": Case(lambda: gate_args(bits=True)),
    "signed_sum": Case(votes_args),
    "rescale": Case(rescale_args),
    "scale_signals": Case(scale_args),
    "center_votes": Case(center_args),
    "add_votes": Case(add_args),
    "vote_norms": Case(norms_args),
    "flip": Case(flip_args, writes=(0, 1)),
    "vote_and_flip": Case(vote_and_flip_args, writes=(2, 3)),
    "pack_levels": Case(levels_args),
    "table_values": Case(table_values_args),
    "table_votes": Case(table_votes_args),
    "wire_votes": Case(wire_votes_args),
    "candidate_votes": Case(candidate_votes_args),
    "count_groups": Case(groups_args),
    "gather_patches": Case(patches_args),
    "signed_pixels": Case(pixels_args),
    "pool_max": Case(pool_args, writes=(3,)),
    "prepare_rows": Case(row_args),
    "row_sums": Case(row_args),
    "quantize_rows": Case(quantize_args, writes=(2,)),
}


def poisoned(shape: tuple[int, ...], dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Return memory with recognisable borders, and the part to write to."""
    size = int(np.prod(shape))
    memory = np.frombuffer(b"\x5a" * ((size + 2 * BORDER) * np.dtype(dtype).itemsize), dtype).copy()
    return memory, memory[BORDER : BORDER + size].reshape(shape)


def check_borders(memory: np.ndarray, size: int) -> None:
    borders = np.concatenate([memory[:BORDER], memory[BORDER + size :]])
    assert (borders.view(np.uint8) == 0x5A).all(), "wrote outside its output"


def run(backend: Any, kernel: str, args: tuple, out: tuple | None) -> list[Any]:
    """Call one operation; return all that it wrote, as integers that can be compared with ==."""
    writes = CASES[kernel].writes
    memories, arguments = [], []
    for i, argument in enumerate(args):
        if i in writes:
            memory, inside = poisoned(argument.shape, argument.dtype.type)
            inside[...] = argument
            memories.append((memory, inside))
            argument = inside
        elif isinstance(argument, np.ndarray):
            argument = argument.view()
            argument.flags.writeable = False
        arguments.append(argument)
    before = [np.copy(a) for a in arguments]
    if out is not None:
        memory, inside = poisoned(*out)
        memories.append((memory, inside))
    if kernel in ("prepare", "gate_sum", "gate_bits"):
        operand = backend.prepare(arguments[1])
        function = backend.gate_sum if kernel == "prepare" else getattr(backend, kernel)
        repeat = 2 if kernel == "prepare" else 1  # an operand can be used again
        for _ in range(repeat):
            result = function(arguments[0], operand, *arguments[2:], inside)
    elif kernel in ("prepare_rows", "row_sums"):
        operand = backend.prepare_rows(arguments[1])
        for _ in range(2 if kernel == "prepare_rows" else 1):
            result = backend.row_sums(arguments[0], operand, inside)
    else:
        result = getattr(backend, kernel)(*arguments, *([] if out is None else [inside]))
    for i, (was, now) in enumerate(zip(before, arguments, strict=True)):
        if i not in writes:
            np.testing.assert_array_equal(was, now, err_msg=f"argument {i} was changed")
    for memory, inside in memories:
        check_borders(memory, inside.size)
    written = [inside.view(np.uint32) if inside.dtype == np.float32 else inside for _, inside in memories]
    return [*written, result]


def compare(name: str, backend: Any, kernel: str, args: tuple, out: tuple | None) -> None:
    want = run(protocol.get("numpy"), kernel, args, out)
    got = run(backend, kernel, args, out)
    for expected, actual in zip(want, got, strict=True):
        np.testing.assert_array_equal(actual, expected, err_msg=f"{name}.{kernel}", strict=True)


def eager(name: str, n_threads: int) -> protocol.Backend:
    """Return a backend that uses its threads however small the work is."""
    return protocol.get(name).with_threads(-n_threads)


# ----------------------------------------------------------------------------------------------------- tests


def test_no_kernel_is_untested():
    assert set(CASES) == set(protocol.KERNELS)


@pytest.mark.parametrize("name", protocol.available())
def test_every_backend_is_complete(name):
    for kernel in protocol.KERNELS:
        assert callable(getattr(protocol.get(name), kernel))


@pytest.mark.parametrize("kernel", CASES)
@pytest.mark.parametrize("name", TWINS)
def test_twin_equals_numpy(name, kernel):
    @FEW
    @given(CASES[kernel].args())
    def check(drawn):
        event("empty" if drawn[0][0].size == 0 else "not empty")
        compare(name, protocol.get(name), kernel, *drawn)

    check()


@pytest.mark.parametrize("kernel", CASES)
@pytest.mark.parametrize("name", TWINS)
def test_threads_do_not_change_the_result(name, kernel):
    @settings(FEW, max_examples=6)
    @given(CASES[kernel].args(), st.sampled_from(THREADS))
    def check(drawn, n_threads):
        compare(name, eager(name, n_threads), kernel, *drawn)

    check()


@pytest.mark.parametrize("name", TWINS)
def test_threads_share_large_work(name):
    """Large enough that the pool wakes threads by its own rule."""
    source = Source(0, "random")
    x, w = source.words(500, 2048), source.words(1000, 2048)
    args = (x, w, np.full(500, 2048, np.int32), np.zeros(1000, np.int32), -2)
    z = source.signals(500, 500, "columns")
    for n_threads in THREADS:
        backend = protocol.get(name).with_threads(n_threads)
        compare(name, backend, "gate_bits", args, ((500, 16), np.uint64))
        compare(name, backend, "signed_sum", (z, x), ((500, 2048), np.int32))
        window = SlidingWindow((16, 16, 64), 3, padding=1)
        signals, weights = source.signals(12 * window.n_places, 64, "rows"), source.words(64, window.patch_size)
        numbers = source.ints(-60, 60, (2, 2048), np.int16)
        compare(name, backend, "row_sums", (numbers, source.words(3000, 2048)), ((2, 3000), np.int32))
        compare(name, backend, "signed_pixels", (signals, weights, window), ((12, window.n_inputs), np.int32))


# Limits of narrow counters, hit exactly and passed by one; where they come from stands in the ISA files.
FORWARD_LIMITS = {
    "31 bytes of 8-bit counts (AVX2)": 31 * 8,
    "31 words of 8-bit counts (NEON)": 31 * 64,
    "int16 comparison (AVX-512)": 511 * 64,
    "int16": 2**15 - 1,
    "16-bit lanes (scalar)": 1022 * 64,
    "264 blocks of 31 bytes (AVX2)": 264 * 31 * 8,
    "uint16": 2**16 - 1,
}


@pytest.mark.parametrize("limit", FORWARD_LIMITS.values(), ids=FORWARD_LIMITS.keys())
@pytest.mark.parametrize("above", [0, 1, 64])
@pytest.mark.parametrize("name", TWINS)
def test_forward_counters_hold_their_limits(name, limit, above):
    n = limit + above
    ones, zeros = Source(0, "ones").words(5, n), Source(0, "zeros").words(9, n)
    row, col = np.full(5, n, np.int32), np.zeros(9, np.int32)
    for w in (zeros, np.concatenate([ones, zeros])[:9]):  # all opposite, and some equal
        for shift in (0, n, n + 1, -n):
            args = (ones, w, row, col - shift, -2)
            compare(name, protocol.get(name), "gate_bits", args, ((5, 1), np.uint64))
        for scale in (-2, 1):
            compare(name, protocol.get(name), "gate_sum", (ones, w, row, col, scale), ((5, 9), np.int32))


VOTE_LIMITS = [126, 128, 248, 252, 255, 256, 2 * 248, 2 * 252, 32767, 32768]


@pytest.mark.parametrize("limit", VOTE_LIMITS)
@pytest.mark.parametrize("above", [0, 1])
@pytest.mark.parametrize("name", TWINS)
def test_vote_counters_hold_their_limits(name, limit, above):
    """All signals, or one of their two digits, at an end, all bits equal: sums as large as they get."""
    k = limit + above
    for value in (-128, -113, 112, 127):
        z = np.full((5, k), value, np.int8)
        for kind in ("ones", "zeros"):
            args = (z, Source(0, kind).words(k, 65))
            compare(name, protocol.get(name), "signed_sum", args, ((5, 65), np.int32))


ROW_SEAMS = [1, 3, 4, 5, 31, 32, 33, 64, 127, 128, 129, 1024, 1025, 4096, 65535]


@pytest.mark.parametrize("n", ROW_SEAMS)
@pytest.mark.parametrize("name", TWINS)
def test_rows_at_the_ends_of_tables_and_counters_are_exact(name, n):
    """Groups of 254, 255 and 256, which do not fit any more; all numbers at an end of int16; nothing at all."""
    for numbers in ([63, -64, 64, 63], [255, 0, 0, 0], [0, 0, 0, -255], [64, 64, -64, 64], [0, 256, 0, 0]):
        x = np.resize(np.array(numbers, np.int16), (1, n))
        for kind, m in (("ones", 65), ("zeros", 33), ("random", 17)):
            args = (x, Source(0, kind).words(m, n))
            compare(name, protocol.get(name), "row_sums", args, ((1, m), np.int32))
    for value in (-32768, 32767, -128, 0):
        args = (np.full((2, n), value, np.int16), Source(0, "random").words(16, n))
        compare(name, protocol.get(name), "row_sums", args, ((2, 16), np.int32))


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize(("n", "o", "b"), [(4096, 1100, 9), (100, 2050, 17), (65, 1025, 3)])
def test_panels_beyond_one_cache_block(name, n, o, b):
    source = Source(1, "random")
    row, col = np.full(b, n, np.int32), source.ints(-n, n, (o,), np.int32)
    args = (source.words(b, n), source.words(o, n), row, col, -2)
    compare(name, protocol.get(name), "gate_bits", args, ((b, n_words(o)), np.uint64))
    compare(name, protocol.get(name), "gate_sum", args, ((b, o), np.int32))


@pytest.mark.parametrize("name", TWINS)
def test_flip_at_the_bar(name):
    """Ties flip, the number below does not, and what is reset is 0."""
    m = np.array([[4096, -4096, 4095, -4095, 0, -1, 1, -4096]], np.int16)
    words, q, eta = np.array([[0b01010101]], np.uint64), np.zeros((1, 8), np.int32), np.zeros(1, np.int64)
    compare(name, protocol.get(name), "flip", (words, m, q, 2**15, eta, 0), None)
    got = run(protocol.get(name), "flip", (words, m, q, 2**15, eta, 0), None)
    assert got[0].tolist() == [[0b11010110]]
    assert got[-1] == 3
    assert got[1].tolist() == [[0, 0, 4095, -4095, 0, -1, 1, 0]]


@pytest.mark.parametrize("eta", [2**25 - 2**13, 2**25 - 1, 2**25, 2**25 + 2**13 - 1])
@pytest.mark.parametrize("name", TWINS)
def test_steps_on_both_sides_of_32_bits_are_those_of_one_rule(name, eta):
    random = np.random.RandomState(0)
    m = random.randint(-(2**15), 2**15, (4, 1000)).astype(np.int16)
    q = random.randint(-(2**18), 2**18, (4, 1000)).astype(np.int32)
    words = Source(0, "random").words(4, 1000)
    compare(name, protocol.get(name), "flip", (words, m, q, 29491, np.full(4, eta), 12345), None)


@pytest.mark.parametrize("name", TWINS)
def test_pieces_of_a_tensor_are_rounded_as_the_whole_is(name):
    """A piece that is told what its first element would be rounded by gives what it gives in its place."""
    random, backend = np.random.RandomState(0), protocol.get(name)
    m, q = random.randint(-(2**15), 2**15, (9, 77)).astype(np.int16), random.randint(-999, 999, (9, 77), np.int32)
    words, eta = Source(0, "random").words(9, 77), np.full(9, 10**9)
    whole = run(backend, "flip", (words, m, q, 29491, eta, 12345), None)
    parts = [
        run(backend, "flip", (words[a:b], m[a:b], q[a:b], 29491, eta[a:b], (12345 + 27893 * 77 * a) % 2**15), None)
        for a, b in ((0, 2), (2, 9))
    ]
    for i in (0, 1):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()


def train(backend: Any, sizes: list[int], n_steps: int, batch: int) -> str:
    source = Source(7, "random")
    with protocol.in_force(backend):
        x, y = BitMatrix(source.words(batch, sizes[0]), sizes[0]), source.random.randint(0, sizes[-1], batch)
        network = boolean_mlp(sizes, n_steps=n_steps, random_state=0)
        for _ in range(n_steps):
            network.apply(network.votes(x, y))
        return network.fingerprint()


@pytest.fixture(scope="module")
def reference_fingerprint():
    return train(protocol.get("numpy"), [70, 130, 65, 10], 300, 33)


@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize("name", TWINS)
def test_one_training_has_one_fingerprint(name, n_threads, reference_fingerprint):
    """300 steps of a three-layer network end in the same model everywhere."""
    assert train(eager(name, n_threads), [70, 130, 65, 10], 300, 33) == reference_fingerprint


def test_strategies_reach_the_seams():
    """The tests of the tests: several vectors long, with tails, and more than one block of terms."""
    quick = settings(derandomize=True, max_examples=2000, deadline=None, database=None)
    find(gate_args(bits=True), lambda d: d[0][0].shape[1] > 8 and d[0][1].shape[0] > 64, settings=quick)
    find(votes_args(), lambda d: d[0][0].shape[1] > 252 and d[1][0][1] > 128, settings=quick)
    find(votes_args(), lambda d: d[0][0].shape[0] > 32 and d[0][0].strides[1] != 1, settings=quick)


@pytest.mark.parametrize("name", TWINS)
def test_votes_of_nobody_and_very_loud_votes(name):
    """No samples, over memory that held votes before; and votes whose norms pass 32 bits."""
    source = Source(0, "ones")
    x, words, m = source.words(300, 640), source.words(9, 640), np.full((9, 640), 2048, np.int16)
    col, z = np.full(640, 2**13, np.int32), np.full((9, 300), 127, np.int8)
    compare(
        name, protocol.get(name), "vote_and_flip", (z, x, words, m, (-1, 1), col, 0, 2**14, 2**39, 2**54, 5), None
    )
    rest = (words, m, (-1, 1), None, 15, 2**14, 2**39, None, 5)
    compare(name, protocol.get(name), "vote_and_flip", (z[:, :0], x[:0], *rest), None)


@pytest.mark.parametrize("place", [0, 1, 31, 32, 63, 69])
@pytest.mark.parametrize("name", TWINS)
def test_one_sum_that_does_not_fit_is_seen(name, place):
    a, b = np.zeros(70, np.int32), np.zeros(70, np.int32)
    a[place], b[place] = 2**31 - 1, 1
    compare(name, protocol.get(name), "add_votes", (a, b), ((70,), np.int32))
    assert run(protocol.get(name), "add_votes", (a, b), ((70,), np.int32))[-1] is True


@pytest.mark.parametrize("name", TWINS)
def test_distances_beyond_int32_are_far_from_the_threshold(name):
    ends = np.array([[2**31 - 1, -(2**31), 0, 2**31 - 1] * 5], np.int32)
    tau, curve = np.array([-(2**31), 2**31 - 1, 0, 2**31 - 1] * 5, np.int32), np.array([64, 32, 3], np.int32)
    args = (np.full((1, 20), 8, np.int32), ends, tau, curve, 2)
    compare(name, protocol.get(name), "rescale", args, ((1, 20), np.int8))
