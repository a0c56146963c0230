"""What nobody should pass is refused, alike on every backend, before anything is written; a call never crashes."""

import pickle
import tracemalloc

import hostile
import numpy as np
import pytest

from bvar import backends, kernels
from bvar.backends import protocol
from bvar.bits import BitMatrix, SlidingWindow

COMPILED = backends.available()[1:]
BOTH = pytest.mark.usefixtures("backend")
FIT = "shapes do not fit each other"


def test_hostile_calls_are_refused_or_right():
    """Thinned; ``python tests/backends/hostile.py 60`` is a minute of it."""
    (calls, refused), (functions, refusals) = hostile.drive(seconds=20, rounds=400)
    assert calls == (functions if COMPILED else 0)
    assert functions > 100
    assert 0.2 < refusals / functions < 0.8  # neither always refused nor always accepted
    assert not calls or 0.2 < refused / calls < 0.8


def zeros(*shape):
    return kernels.pack(np.zeros(shape, bool))


# ------------------------------------------------------------------------------------------------------- windows

LARGE = [2**31, 2**61, 2**62 + 1, 2**63, 2**64, 10**30]


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize("name", ["image_shape", "kernel_size", "stride", "padding", "dilation"])
def test_every_number_of_a_window_is_bounded(name, large):
    numbers = {"image_shape": (3, 3, 1), "kernel_size": (2, 2), "stride": 1, "padding": 0, "dilation": 1}
    spoiled = {**numbers, name: (large, 1)}
    with pytest.raises(ValueError, match=f"{name} must (make images of |be )at most 2147483647.*, got .*{large}"):
        SlidingWindow(**spoiled)


def test_a_window_that_overflowed_is_refused():
    """Two taps 2**62 apart at places 2**30 apart were a segmentation fault."""
    with pytest.raises(ValueError, match="stride must be at most 2147483647"):
        SlidingWindow((3, 3, 1), (2, 3), (2**30, 2**31), (2**31 - 1, 2**62 + 1), (2**31 - 1, 2**62))
    with pytest.raises(ValueError, match="padding must be at most 2147483647"):
        SlidingWindow((3, 3, 1), (2, 3), (2**30, 2**30), (2**31 - 1, 2**62 + 1), (2**31 - 1, 2**62))


def test_an_image_of_too_many_values_is_refused():
    with pytest.raises(ValueError, match="image_shape must make images of at most 2147483647 values"):
        SlidingWindow((2**16, 2**16), 1)
    with pytest.raises(ValueError, match="image_shape must make images of at most 2147483647 values"):
        kernels.pool_max(np.zeros((1, 0), np.int32), (2**31 - 1, 2**31 - 1, 4), 2)


@BOTH
def test_the_largest_numbers_of_a_window_are_right(backend):
    """Taps a whole int32 apart: one of them sees the image at each place."""
    far = 2**31 - 1
    window = SlidingWindow((1, 2), (1, 2), stride=(1, far), padding=(0, far - 1), dilation=(1, far))
    assert window.places == (1, 1)
    assert kernels.unpack(kernels.gather_patches(kernels.pack(np.ones((1, 2), bool)), window)).tolist() == [
        [False, True]
    ]
    votes = kernels.pixel_votes(np.array([[5]], np.int8), kernels.pack(np.ones((1, 2), bool)), window)
    assert votes.tolist() == [[0, 5]]


@pytest.mark.parametrize("name", COMPILED)
def test_the_binding_computes_the_places_itself(name):
    backend = protocol.get(name)
    window = SlidingWindow((3, 3), 2)
    images, out = np.zeros((1, 1), np.uint64), np.zeros((4, 1), np.uint64)
    backend.gather_patches(images, window, out)
    for place, number in [(7, 0), (11, 1), (12, 3), (9, 2), (0, 2**62), (2, 2**31), (5, 0), (3, 2**63)]:
        numbers = list(window.numbers())
        numbers[place] = number
        with pytest.raises(ValueError, match=FIT):
            backend.gather_patches(images, hostile.Numbers(numbers), out)
        with pytest.raises(ValueError, match=FIT):
            backend.signed_pixels(
                np.zeros((4, 1), np.int8),
                np.zeros((1, 1), np.uint64),
                hostile.Numbers(numbers),
                np.zeros((1, 9), np.int32),
            )
    with pytest.raises(ValueError, match=FIT):
        backend.pool_max(
            np.zeros((1, 6), np.int32), (-2, -3, 1), 1, np.zeros((1, 6), np.uint8), np.zeros((1, 6), np.int32)
        )


# --------------------------------------------------------------------------------------------------------- wires


def test_a_wiring_cannot_be_changed_after_it_was_checked():
    made = kernels.Wiring(np.array([[0, 2]]), 3)
    for one in (made, pickle.loads(pickle.dumps(made))):
        for name in ("n_units", "wires", "starts", "readers"):
            with pytest.raises(AttributeError, match=f"cannot assign to field '{name}'"):
                setattr(one, name, 1)
        for array in (one.wires, one.starts, one.readers):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 9
            with pytest.raises(ValueError, match="cannot set WRITEABLE flag to True"):
                array.flags.writeable = True
    assert (made.wires.tolist(), made.starts.tolist(), made.readers.tolist()) == ([[0, 2]], [0, 1, 1, 2], [0, 1])


@pytest.mark.parametrize("wire", [-1, 3, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("name", COMPILED)
def test_the_binding_follows_no_wire_out_of_the_units(name, wire):
    backend = protocol.get(name)
    x, tables = np.zeros((3, 1), np.uint64), np.zeros(20, np.uint64)
    z = np.zeros((20, 64), np.int16)
    wires = np.zeros((20, 2), np.int32)
    starts, readers = np.array([0, 40, 40, 40], np.int32), np.arange(40, dtype=np.int32)
    backend.wire_votes(z, x, wires, tables, starts, readers, np.zeros((3, 64), np.int16))
    for at in (0, 15, 16, 39):
        spoiled = wires.copy()
        spoiled.flat[at] = wire
        with pytest.raises(ValueError, match=FIT):
            backend.table_values(x, spoiled, tables, 64, np.zeros((20, 1), np.uint64))
        with pytest.raises(ValueError, match=FIT):
            backend.table_votes(z, x, spoiled, np.zeros((20, 4), np.int32))
        with pytest.raises(ValueError, match=FIT):
            backend.wire_votes(z, x, spoiled, tables, starts, readers, np.zeros((3, 64), np.int16))
    for spoiled in ([0, 41, 40, 40], [0, 40, 40, 41], [1, 40, 40, 40], [0, -1, 40, 40], [0, 2**31 - 1, 40, 40]):
        with pytest.raises(ValueError, match=FIT):
            backend.wire_votes(
                z, x, wires, tables, np.array(spoiled, np.int32), readers, np.zeros((3, 64), np.int16)
            )
    readers[7] = 40
    with pytest.raises(ValueError, match=FIT):
        backend.wire_votes(z, x, wires, tables, starts, readers, np.zeros((3, 64), np.int16))


# ------------------------------------------------------------------------------------------------------- objects


@pytest.mark.parametrize("name", COMPILED)
def test_no_instruction_set_is_without_kernels(name):
    """An object made without its constructor had a NULL pointer."""
    isa = type(protocol.get(name))
    with pytest.raises(TypeError, match="positional argument"):
        isa.__new__(isa)
    with pytest.raises(ValueError, match="no instruction set 'avx9' runs here"):
        isa("avx9")
    with pytest.raises(TypeError):
        pickle.dumps(protocol.get(name))


@pytest.mark.parametrize("name", COMPILED)
def test_sizes_of_private_layouts_do_not_overflow(name):
    backend = protocol.get(name)
    for rows, columns in [(2**62, 2**62), (-1, 1), (1, -1), (2**40, 2**24), (1, 2**63 - 1), (2**63 - 1, 0)]:
        with pytest.raises(ValueError, match=FIT):
            backend.panels_bytes(rows, columns)
        with pytest.raises(ValueError, match=FIT):
            backend.index_bytes(columns, rows)
    assert backend.index_bytes(1, 1) in (64, 256)
    with pytest.raises(ValueError, match=FIT):
        backend.table_values(
            np.zeros((1, 1), np.uint64),
            np.zeros((1, 1), np.int32),
            np.zeros(1, np.uint64),
            -2,
            np.zeros((1, 1), np.uint64),
        )


# ------------------------------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("n_threads", [2**31, 2**63, 2**64])
def test_too_many_threads_are_refused_at_once(n_threads):
    for name in (None, *backends.available()):
        with pytest.raises(
            ValueError, match=rf"n_threads must be an integer in \[1, 2147483647\], got {n_threads}"
        ):
            backends.use(name, n_threads=n_threads)


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("n_threads", [256, 257, 10**6, 2**31 - 1])
def test_no_memory_is_taken_for_threads_that_are_not_started(name, n_threads):
    """34 GiB of scratch were asked for a million threads, of which the pool starts 256."""
    window = SlidingWindow((8, 8, 16), 3, padding=1)
    z, w = np.ones((3 * window.n_places, 4), np.int8), zeros(4, window.patch_size)
    with backends.use(name):
        want = kernels.pixel_votes(z, w, window)
    with backends.use(name, n_threads=n_threads) as backend:
        assert backend.n_threads == 256
        tracemalloc.start()
        got = kernels.pixel_votes(z, w, window)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (got == want).all()
    assert peak < 2**23


# -------------------------------------------------------------------------------------------------- empty, large


@BOTH
@pytest.mark.parametrize("gate", ["xnor", "and", "a_implies_b"])
def test_no_images_have_no_votes(backend, gate):
    window = SlidingWindow((3, 4, 2), 2)
    votes = kernels.pixel_votes(np.zeros((0, 5), np.int8), zeros(5, 8), window, gate)
    assert (votes.shape, votes.dtype) == ((0, 24), np.int32)


@BOTH
def test_no_images_have_no_patches_and_no_pools(backend):
    window = SlidingWindow((3, 4, 2), 2, padding=1)
    none = np.zeros((0, 1), np.uint64)
    patches = kernels.gather_patches(BitMatrix(none, 24, none), window)
    assert patches.shape == (0, 8)
    assert patches.known.shape == patches.words.shape
    assert kernels.pool_back(np.zeros((0, 4), np.int8), np.zeros((0, 4), np.uint8), (4, 4, 1), 2).shape == (0, 16)


@BOTH
@pytest.mark.parametrize(
    ("eta", "text"),
    [
        (10**400, "eta must be a finite number >= 0"),
        (np.inf, "eta must be a finite number >= 0"),
        (np.nan, "eta must be a finite number >= 0"),
        (-1e-300, "eta must be a finite number >= 0"),
        (np.array([2**43]), r"eta must be in \[0, 8796093022207\], got \[8796093022208, 8796093022208\]"),
        (np.array([-(2**63)]), r"eta must be in \[0, 8796093022207\]"),
    ],
    ids=["beyond float64", "infinite", "none", "negative", "a row too large", "a row negative"],
)
def test_a_step_size_that_is_none_is_refused(backend, eta, text):
    w, m, q = zeros(1, 3), np.zeros((1, 3), np.int16), np.array([[1, -1, 0]], np.int32)
    with pytest.raises(ValueError, match=text):
        kernels.flip(w, m, q, beta=1.0, eta=eta)
    assert not m.any()
    assert not w.words.any()


@BOTH
@pytest.mark.parametrize("eta", [8.0, 2.0**64, 1e300])
def test_a_step_of_more_than_the_range_is_one_of_the_range(backend, eta):
    """Evidence for what a weight is stops at eight bars, and can still be outvoted, in a single step."""
    w, m = kernels.pack(np.ones((1, 2), np.bool_)), np.zeros((1, 2), np.int16)
    lowest = np.full((1, 2), -(2**31), np.int32)
    for _ in range(3):
        assert kernels.flip(w, m, lowest, beta=1.0, eta=eta) == 0
        assert (m == -32767).all()
    assert kernels.flip(w, m, -(lowest + 1), beta=1.0, eta=eta) == 0
    assert (m >= 0).all()
    assert kernels.flip(w, m, np.ones((1, 2), np.int32), beta=1.0, eta=eta) == 2


@BOTH
def test_the_lowest_int64_is_no_small_sum(backend):
    """Its magnitude is negative, so it passed for one."""
    q = np.zeros((1, 1), np.int32)
    for sums in (np.array([-(2**63)]), np.array([2**63 - 1])):
        with pytest.raises(ValueError, match=r"signal_sums must lie in \[-128, 128\]"):
            kernels.center_votes(q, sums, np.zeros(1, np.int64), 1)
        with pytest.raises(ValueError, match=r"input_sums must lie in \[-1, 1\]"):
            kernels.center_votes(q, np.zeros(1, np.int64), sums, 1)
