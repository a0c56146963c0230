"""Drive the binding and the public functions with numbers, shapes and contents that nobody should pass.

    python tests/backends/hostile.py [seconds [seed]]

The binding is called below all checks of `bvar.kernels`: it must refuse or write nothing but its output.  Public
functions must give the same result, or the same error, on every backend.  tests/cext/check.sh runs this file under
AddressSanitizer and UndefinedBehaviorSanitizer, which see what stays invisible here; test_hostile.py thins it out.
"""

import sys
import time

import numpy as np

from bvar import backends, kernels
from bvar.bits import BitMatrix, SlidingWindow, n_words, tail_mask

NUMBERS = [
    -(2**63),
    -(2**31),
    -2,
    -1,
    0,
    1,
    2,
    3,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**61,
    2**62 + 1,
    2**63 - 1,
    2**64,
]
REFUSALS = (TypeError, ValueError, OverflowError, AttributeError, IndexError)
BORDER = 32


class Numbers:
    """Stands for a window whose numbers need not fit each other."""

    def __init__(self, numbers, n_inputs=9, n_places=4, patch_size=9):
        self._numbers = tuple(numbers)
        self.n_inputs, self.n_places, self.patch_size = n_inputs, n_places, patch_size

    def numbers(self):
        return self._numbers


class Draw:
    """Small valid arguments, and ways to spoil them."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)

    def size(self, high=5):
        return int(self.random.choice([0, 1, 2, 3, high]))

    def one_of(self, values):
        return values[self.random.randint(len(values))]

    def chance(self, share):
        return self.random.random_sample() < share

    def words(self, r, n):
        words = self.random.randint(0, 2**64, (r, n_words(n)), np.uint64)
        if n % 64 and r:
            words[:, -1] &= tail_mask(n)
        return words

    def ints(self, shape, dtype, low=None, high=None):
        ends = np.iinfo(dtype)
        low, high = ends.min if low is None else low, ends.max if high is None else high
        return self.random.randint(low, high + 1, shape, np.int64).astype(dtype)

    def window(self):
        kernel, stride, dilation = ([int(n) for n in self.random.randint(1, 4, 2)] for _ in range(3))
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        padding = [int(self.random.randint(0, r)) for r in reach]
        size = [max(1, r - 2 * p) + int(self.random.randint(4)) for r, p in zip(reach, padding, strict=True)]
        window = SlidingWindow((*size, self.one_of([1, 3, 8, 32])), kernel, stride, padding, dilation)
        return self.near(window) if self.chance(0.3) else window

    def near(self, window):
        """One number is one off, and the sizes of arrays will follow it: nothing but the number is wrong."""
        numbers = list(window.numbers())
        i = self.one_of(
            [11, 12, self.random.randint(13)]
        )  # most often the places, which the binding counts itself
        numbers[i] = max(0, numbers[i] + self.one_of([-1, -1, 1, 2]))
        height, width, channels, down, across = numbers[:5]
        return Numbers(numbers, height * width * channels, numbers[11] * numbers[12], down * across * channels)

    def array(self, value):
        """The same array with another shape, dtype, layout or content, or no array."""
        how = self.random.randint(8)
        if how == 0:
            return value[: len(value) - 1] if len(value) else value
        if how == 1:
            return np.concatenate([value, value[:1]])
        if how == 2 and value.ndim > 1:
            return np.ascontiguousarray(value[:, : value.shape[1] - 1])
        if how == 3:
            return np.zeros((0, *value.shape[1:]), value.dtype)
        if how == 4 and value.ndim > 1:
            return np.zeros((*value.shape[:-1], 0), value.dtype)
        if how == 5:
            return value.astype(self.one_of([np.int8, np.uint8, np.int32, np.uint64, np.float32, np.bool_]))
        if how == 6:
            return self.one_of([value[::-1], value.T, value.ravel(), None, value.tolist(), memoryview(value)])
        return self.one_of([self.contents(value), self.contents(value), value.copy()])

    def contents(self, value):
        """Any bits at all in the memory of a copy; a bool holds other bytes than 0 and 1."""
        spoiled = value.copy()
        memory = spoiled.reshape(-1).view(np.uint8)
        where = self.random.random_sample(memory.shape) < self.one_of([0.02, 0.5, 1])
        memory[where] = self.ints(int(where.sum()), np.uint8)
        return spoiled

    def spoiled(self, value):
        if isinstance(value, np.ndarray):
            return self.array(value)
        if isinstance(value, SlidingWindow | Numbers):
            numbers = list(value.numbers())
            for _ in range(self.random.randint(1, 4)):
                i = self.random.randint(13)
                numbers[i] = self.one_of([*NUMBERS, numbers[i] + 1, numbers[i] - 1])
            return Numbers(numbers[: self.one_of([13, 13, 13, 13, 12])])
        if isinstance(value, tuple):
            return tuple(self.one_of(NUMBERS) if self.chance(0.5) else v for v in value)
        return self.one_of([*NUMBERS, None, 0.5, float("nan"), "3"])


# ------------------------------------------------------------------------------------------------- the binding


def binding_calls(draw, isa):
    """One valid call of each method: its arguments, and the numbers of those that it writes."""
    r, n, o, k = draw.size(), draw.one_of([0, 1, 63, 64, 65, 130]), draw.size(9), draw.size(9)
    w, fan_in, units, gates = (
        n_words(n),
        int(draw.random.randint(1, 7)),
        int(draw.random.randint(1, 9)),
        draw.size(7),
    )
    window, images, size = draw.window(), draw.size(3), int(draw.random.randint(1, 4))
    words, places = draw.words, window.n_places
    wires = draw.ints((gates, fan_in), np.int32, 0, units - 1)
    candidates = draw.ints((gates * fan_in, draw.one_of([1, 2, 5])), np.int32, 0, units - 1)
    order = np.argsort(wires, axis=None, kind="stable").astype(np.int32)
    starts = np.searchsorted(np.sort(wires, axis=None), np.arange(units + 1)).astype(np.int32)
    z, x = draw.ints((gates, n), np.int16, -99, 99), words(units, n)
    tables = words(gates, 1 << fan_in)[:, 0].copy()
    ints = [draw.ints(shape, np.int32) for shape in ((r, n), (r, n), (n,), (r,))]
    panels = np.zeros(isa.panels_bytes(o, w), np.uint8)
    isa.lay_panels(words(o, n), panels)
    sides = (draw.ints((r,), np.int32, -n, n), draw.ints((o,), np.int32, -n, n), int(draw.random.randint(-2, 3)))
    index, patch_index = (np.zeros(isa.index_bytes(k, bits), np.uint8) for bits in (n, window.patch_size))
    scratch = np.zeros((draw.one_of([1, 3]), draw.one_of([1, places]), window.patch_size), np.int32)
    dtype = draw.one_of([np.float32, np.float64])
    floats = [draw.random.standard_normal(shape).astype(dtype) for shape in ((r, n), (n,))]
    pooled = (images, (4 // size) * (5 // size) * 3)
    zeros = np.zeros
    layout = np.zeros(isa.rows_bytes(o, w), np.uint8)
    isa.lay_rows(words(o, n), layout)
    row_scratch, reals = zeros(128 * -(-n // 32), np.uint8), draw.random.standard_normal((r, n)).astype(np.float32)
    return {
        "pack": ((draw.ints((r, n), np.uint8, 0, 1).view(bool), zeros((r, w), np.uint64)), (1,)),
        "pack_threshold": (
            (*floats, zeros((r, w), np.uint64), zeros((r, w), np.uint64)),
            (2, 3),
        ),
        "unpack": ((words(r, n), zeros((r, n), bool)), (1,)),
        "transpose": ((words(r, n), zeros((n, n_words(r)), np.uint64)), (1,)),
        "count_rows": ((words(r, n), zeros(r, np.int32)), (1,)),
        "panels_bytes": ((o, w), ()),
        "lay_panels": ((words(o, n), panels.copy()), (1,)),
        "gate_sum": ((words(r, n), panels, *sides, zeros((r, o), np.int32)), (5,)),
        "gate_bits": ((words(r, n), panels, *sides, zeros((r, n_words(o)), np.uint64)), (5,)),
        "index_bytes": ((k, n), ()),
        "signed_sum_in": ((draw.ints((r, k), np.int8), words(k, n), index, zeros((r, n), np.int32)), (2, 3)),
        "rescale": ((*ints[:3], draw.ints((4,), np.int32, 0, 2**30), 20, zeros((r, n), np.int8)), (5,)),
        "scale_signals": ((ints[0], 3, 1, zeros((n, r), np.int16)), (3,)),
        "center_votes": ((ints[0], ints[3], ints[2], 15, zeros((r, n), np.int32)), (4,)),
        "add_votes": ((ints[2], draw.ints((n,), np.int32), zeros(n, np.int32)), (2,)),
        "vote_norms": ((ints[0], zeros(r, np.int64)), (1,)),
        "flip": (
            (words(r, n), zeros((r, n), np.int16), ints[0], 2**14, draw.ints((r,), np.int64, 0, 2**43 - 1), 5),
            (0, 1),
        ),
        "vote_and_flip_in": (
            (
                draw.ints((r, k), np.int8),
                words(k, n),
                words(r, n),
                zeros((r, n), np.int16),
                draw.one_of([(-1, 1), (0, 1), (1, 1)]),
                draw.one_of([None, ints[2]]),
                *(15, 2**14, 2**38, draw.one_of([2**41, None]), 5),
                index.copy(),
                zeros((draw.one_of([1, 3]), draw.one_of([1, 2, 4, 40]), n), np.int32),
            ),
            (2, 3, 11, 12),
        ),
        "pack_levels": ((draw.ints((r, n), np.uint8), draw.ints((n,), np.uint8), zeros((r, w), np.uint64)), (2,)),
        "table_values": ((x, wires, tables, n, zeros((gates, w), np.uint64)), (4,)),
        "table_votes": ((z, x, wires, zeros((gates, 1 << fan_in), np.int32)), (3,)),
        "wire_votes": ((z, x, wires, tables, starts, order, zeros((units, n), np.int16)), (6,)),
        "candidate_votes": (
            (z, x, wires, tables, candidates, zeros(candidates.shape, np.int32)),
            (5,),
        ),
        "count_groups": ((words(2 * o, n), zeros((max(1, o), n), np.int32)), (1,)),
        "gather_patches": (
            (
                words(images, window.n_inputs),
                window,
                zeros((images * places, n_words(window.patch_size)), np.uint64),
            ),
            (2,),
        ),
        "signed_pixels_in": (
            (
                draw.ints((images * places, k), np.int8),
                words(k, window.patch_size),
                window,
                patch_index,
                scratch,
                zeros((images, window.n_inputs), np.int32),
            ),
            (3, 4, 5),
        ),
        "pool_max": (
            (draw.ints((images, 60), np.int32), (4, 5, 3), size, zeros(pooled, np.uint8), zeros(pooled, np.int32)),
            (3, 4),
        ),
        "rows_bytes": ((o, w), ()),
        "lay_rows": ((words(o, n), layout.copy()), (1,)),
        "row_sums_in": ((draw.ints((r, n), np.int16), layout, row_scratch, zeros((r, o), np.int32)), (2, 3)),
        "quantize_rows": (
            (reals, zeros(n, np.float32), zeros((r, n), np.int16), zeros(r, np.float32)),
            (2, 3),
        ),
    }


def between_borders(array):
    """The same contents, where writing beyond them leaves a trace."""
    memory = np.full(array.nbytes + 2 * BORDER, 0x5A, np.uint8)
    inside = memory[BORDER : BORDER + array.nbytes].view(array.dtype).reshape(array.shape)
    inside[...] = array
    return memory, inside


def drive_binding(draw, isa):
    """One call of one method with up to two arguments spoiled; says whether it was refused."""
    calls = binding_calls(draw, isa)
    name = draw.one_of(list(calls))
    args, writes = calls[name]
    args, memories = list(args), []
    for i in draw.random.permutation(len(args))[: draw.random.randint(3)]:
        args[i] = draw.spoiled(args[i])
    for i in writes:
        if isinstance(args[i], np.ndarray):
            memory, args[i] = between_borders(args[i])
            memories.append(memory)
    inputs = [a for i, a in enumerate(args) if isinstance(a, np.ndarray) and i not in writes]
    before = [a.tobytes() for a in inputs]
    try:
        getattr(isa, name)(*args)
    except REFUSALS:
        return True
    finally:
        assert [a.tobytes() for a in inputs] == before, f"{isa.name}.{name} wrote to an input"
        for memory in memories:
            borders = np.concatenate([memory[:BORDER], memory[-BORDER:]])
            assert (borders == 0x5A).all(), f"{isa.name}.{name} wrote outside of its output"
    return False


# ---------------------------------------------------------------------------------------------- public functions


def number(draw):
    return draw.one_of([0, 1, 1, 2, 3, *NUMBERS, 10**400, 0.5, True, None])


def gate(draw):
    return draw.one_of([*range(16), "xnor", "neither", number(draw)])


def bits(draw, r, n):
    return BitMatrix(draw.words(r, n), n)


def sums(draw, n):
    """Int64, as large as they get."""
    return draw.one_of([draw.ints((n,), np.int64, -9, 9), np.full(n, draw.one_of([-(2**63), 2**63 - 1]))])


def eta(draw, n):
    value = draw.one_of([0.0, 1e-9, 0.5, 2.0**63, 2.0**64, 3e38, 1e300, np.inf, np.nan, -0.0, -1.0, number(draw)])
    return draw.one_of(
        [value, value, np.full(n, draw.one_of([0, 2**25 - 1, 2**25, 2**43 - 1, 2**43, -1, -(2**63), 2**63 - 1]))]
    )


def accumulators(draw, o, n):
    return np.full((o, n), draw.one_of([0, 4095, -32767, 32767, -32768]), np.int16)


def flip(draw, n, o):
    w, m, dither = bits(draw, o, n), accumulators(draw, o, n), draw.one_of([0, 2**15 - 1, number(draw)])
    beta = draw.one_of([0, 0.5, 1, number(draw)])
    flips = kernels.flip(w, m, draw.ints((o, n), np.int32), beta=beta, eta=eta(draw, o), dither=dither)
    return flips, w, m


def vote_and_flip(draw, r, n, o):
    w, m = bits(draw, o, n), accumulators(draw, o, n)
    z, rate = draw.ints((r, o), np.int8), eta(draw, 1)
    options = {"beta": draw.one_of([0, 0.5, 1]), "clip": draw.one_of([1, np.inf, number(draw)])}
    options |= {"centered": draw.chance(0.5), "eta": rate}
    return kernels.vote_and_flip(w, m, z, bits(draw, r, n), gate(draw), **options), w, m


def wiring(draw, gates):
    """Wires on three units, or hostile; a number of units that is legal and large would only take memory."""
    wires = draw.ints((gates, draw.one_of([1, 2, 6, 7])), np.int64, draw.one_of([-1, 0, 0, 0]), 2)
    if draw.chance(0.2) and gates:
        wires[-1, -1] = draw.one_of([-(2**63), -(2**31), 2**31 - 1, 2**32, 2**63 - 1])
    n_units = draw.one_of([3, 3, 3, number(draw)])
    made = kernels.Wiring(wires, 3 if n_units in (2**31 - 1, 2**16) else n_units)
    if draw.chance(0.2):
        setattr(made, draw.one_of(["n_units", "wires", "starts", "readers"]), 1)
    if draw.chance(0.2):
        draw.one_of([made.wires, made.starts, made.readers]).flags.writeable = True
    return made


def tables_for(draw, made):
    return bits(draw, made.n_gates, 1 << made.fan_in)


def candidates_for(draw, made):
    shape = (made.n_gates, made.fan_in, draw.one_of([1, 2, 64, 65]))
    units = draw.ints(shape, np.int64, draw.one_of([-1, 0, 0, 0]), 2)
    chosen = kernels.Candidates(units, made.n_units)
    if draw.chance(0.2):
        chosen.units.flags.writeable = True
    return chosen


def window(draw):
    """A window that was accepted, small enough to be slid in a moment."""
    shape = draw.one_of([(2, 3, 1), (1, 1), tuple(number(draw) for _ in range(3)), (number(draw), 2, 1)])
    one = lambda usual: draw.one_of([usual, usual, number(draw), (number(draw), 1), (1, number(draw))])  # noqa: E731
    made = SlidingWindow(shape, one(1), one(1), one(0), one(1))
    if made.n_inputs > 2**16 or made.n_places * max(64, made.patch_size) > 2**20:
        raise ValueError("legal, but large")
    return made


def pixel_votes(draw):
    seen, images, k = window(draw), draw.one_of([0, 1]), draw.size()
    z = draw.ints((images * seen.n_places, k), np.int8)
    return kernels.pixel_votes(z, bits(draw, k, seen.patch_size), seen, gate(draw))


def gather_patches(draw):
    seen = window(draw)
    x = bits(draw, draw.one_of([0, 1]), seen.n_inputs)
    known = draw.one_of([None, x.words])
    return kernels.gather_patches(BitMatrix(x.words, x.n_bits, known), seen)


def pool(draw, function, *arrays):
    shape = draw.one_of([(2, 3, 1), (2, 3, 1), (2, 3), tuple(number(draw) for _ in range(3))])
    return function(*arrays, shape, draw.one_of([1, 2, number(draw)]))


def use(draw, r, n, o):
    with backends.use(n_threads=number(draw)):
        return kernels.gate_sum(bits(draw, r, n), bits(draw, o, n))


def public_call(draw):
    """Call one public function with hostile arguments; all is drawn, so that the same seed makes the same call."""
    r, n, o = draw.size(), draw.one_of([0, 1, 64, 65]), draw.size()
    small, large = draw.ints((r, o), np.int8), draw.ints((r, n), np.int32)
    gates, samples = draw.ints((o, n), np.int16, 1 - 2**15), bits(draw, 3, n)
    calls = {
        "gate_sum": lambda: kernels.gate_sum(bits(draw, r, n), bits(draw, o, n), gate(draw)),
        "gate_bits": lambda: kernels.gate_bits(
            bits(draw, r, n), bits(draw, o, n), draw.ints((o,), np.int32), gate(draw)
        ),
        "weight_votes": lambda: kernels.weight_votes(small, bits(draw, r, n), gate(draw)),
        "input_votes": lambda: kernels.input_votes(small, bits(draw, o, n), gate(draw)),
        "signed_sum": lambda: kernels.signed_sum(draw.ints((r, n), np.int8), bits(draw, o, n)),
        "row_sums": lambda: kernels.row_sums(draw.ints((r, n), np.int16), bits(draw, o, n)),
        "quantize_rows": lambda: kernels.quantize_rows(
            np.ldexp(large, draw.one_of([-150, -100, -31, 0, 96])).astype(np.float32), np.full(n, 1.5, np.float32)
        ),
        "number_votes": lambda: kernels.number_votes(small, draw.ints((r, n), np.int8)),
        "rescale": lambda: kernels.rescale(
            large, large[::-1], draw.ints((n,), np.int32), draw.ints((draw.size(),), np.int32, -1), number(draw)
        ),
        "center_votes": lambda: kernels.center_votes(large, sums(draw, r), sums(draw, n), number(draw)),
        "scale_signals": lambda: kernels.scale_signals(
            large[:, :: draw.one_of([1, 2, -1])], number(draw), number(draw)
        ),
        "vote_norms": lambda: kernels.vote_norms(large),
        "flip": lambda: flip(draw, n, o),
        "vote_and_flip": lambda: vote_and_flip(draw, r, n, o),
        "add_votes": lambda: kernels.add_votes(large, large[:: draw.one_of([1, -1])]),
        "pack_threshold": lambda: kernels.pack_threshold(
            draw.contents(np.zeros((r, n), draw.one_of([np.float32, np.float64]))), np.zeros(n, np.float64)
        ),
        "table_values": lambda: kernels.table_values(samples, made := wiring(draw, o), tables_for(draw, made)),
        "table_votes": lambda: kernels.table_votes(gates, samples, wiring(draw, o)),
        "wire_votes": lambda: kernels.wire_votes(gates, samples, made := wiring(draw, o), tables_for(draw, made)),
        "candidate_votes": lambda: kernels.candidate_votes(
            gates, samples, made := wiring(draw, o), tables_for(draw, made), candidates_for(draw, made)
        ),
        "count_groups": lambda: kernels.count_groups(bits(draw, r + 1, n), number(draw)),
        "gather_patches": lambda: gather_patches(draw),
        "pixel_votes": lambda: pixel_votes(draw),
        "pool_max": lambda: pool(draw, kernels.pool_max, draw.ints((r, 6), np.int32)),
        "pool_back": lambda: pool(
            draw, kernels.pool_back, draw.ints((r, 6), np.int8), draw.ints((r, 6), np.uint8)
        ),
        "use": lambda: use(draw, r, n, o),
    }
    name = draw.one_of(list(calls))
    try:
        return name, calls[name]()
    except REFUSALS as error:
        return name, (type(error), str(error))


def flat(result):
    """The bytes of a result, or the type and text of an error."""
    if isinstance(result, BitMatrix):
        return [flat(result.words), flat(result.known)]
    if isinstance(result, tuple):
        return [flat(part) for part in result]
    return (result.dtype, result.shape, result.tobytes()) if isinstance(result, np.ndarray) else result


def drive_public(seed):
    """The same call on every backend; says whether it was refused."""
    found = {}
    for name in backends.available():
        with backends.use(name):
            function, result = public_call(Draw(seed))
            found[name] = flat(result)
    for name, what in found.items():
        assert what == found["numpy"], f"seed {seed}: {function} differs on {name}: {what} is not {found['numpy']}"
    return isinstance(result, tuple) and isinstance(result[0], type)


def drive(seconds, seed=0, rounds=10**9):
    """Call until the time is over; count calls and refusals, of the binding and of public functions."""
    end, draw, counts = time.monotonic() + seconds, Draw(seed), np.zeros((2, 2), int)
    isas = [backends.get(name).with_threads(n) for name in backends.available()[1:] for n in (1, -3)]
    for turn in range(rounds):
        if time.monotonic() > end:
            break
        if isas:
            counts[0] += 1, drive_binding(draw, draw.one_of(isas))
        counts[1] += 1, drive_public(seed + turn)
    return counts.tolist()


if __name__ == "__main__":
    seconds, seed = (float(sys.argv[1]) if sys.argv[1:] else 60.0), int(sys.argv[2]) if sys.argv[2:] else 0
    (calls, refused), (functions, refusals) = drive(seconds, seed)
    print(f"{calls} calls of the binding, {refused} refused; {functions} of public functions, {refusals} refused")
