"""Convolutions of gates and or-pools: a plain loop gives the same bits, and votes are finite changes, exactly."""

import pickle
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import backends, kernels
from bvar.backends import protocol
from bvar.bits import RandomWords
from bvar.layers import GateConv2d, GateLayer, OrPool2d, gate_conv, places

QUICK = settings(derandomize=True, max_examples=25, deadline=None, database=None)
SHAPES = [  # image, window, stride, padding, depth, fan-in
    ((4, 5, 2), (3, 3), 1, 1, 2, 2),
    ((5, 4, 1), (2, 3), (2, 1), (0, 2), 1, 3),
    ((3, 3, 3), (3, 2), 1, (2, 1), 3, 1),
    ((6, 6, 1), (3, 3), 2, 0, 3, 2),
    ((2, 2, 6), (1, 1), 1, 0, 1, 6),
]


@pytest.fixture(params=protocol.available())
def backend(request):
    with backends.use(request.param):
        yield request.param


def make(shape, n_filters=3, seed=0):
    image, size, stride, padding, depth, fan_in = shape
    return GateConv2d(
        image, n_filters, size, depth=depth, fan_in=fan_in, stride=stride, padding=padding, pass_through=0,
        random_state=seed,
    )  # fmt: skip


def answers(layer, images):
    """What the trees answer, in loops over everything."""
    (down, across), (up, left) = layer.window.stride, layer.window.padding
    (rows, columns), (high, wide), k = layer.window.places, layer.window.kernel_size, layer.fan_in
    height, width, channels = layer.window.image_shape
    tables = [kernels.unpack(table.bits) for table in layer.tables]
    out = np.zeros((len(images), rows, columns, layer.n_filters), bool)
    for b, i, j in np.ndindex(len(images), rows, columns):
        window = []
        for y, x, c in np.ndindex(high, wide, channels):
            at = i * down - up + y, j * across - left + x
            window.append(0 <= at[0] < height and 0 <= at[1] < width and images[b, at[0], at[1], c])
        for f in range(layer.n_filters):
            bits = [window[leaf] for leaf in layer.leaves[f]]
            for table in tables:
                first = f * (len(bits) // k)
                groups = [bits[g : g + k] for g in range(0, len(bits), k)]
                bits = [
                    table[first + g, sum(int(v) << n for n, v in enumerate(some))] for g, some in enumerate(groups)
                ]
            out[b, i, j, f] = bits[0]
    return out.reshape(len(images), -1)


def flat(images):
    return kernels.pack(images.reshape(len(images), -1))


def total(layer, images, z):
    """sum z * e(out), in integers."""
    out = kernels.unpack(layer.forward(flat(images))[0])
    return int((z.astype(int) * (2 * out.astype(int) - 1)).sum())


def check_inputs(layer, images, z):
    """Flip every bit of the images, and see whether the votes foretold it."""
    votes = layer.backward(z, layer.forward(flat(images))[1]).reshape(images.shape)
    assert votes.dtype == np.int16
    before = total(layer, images, z)
    for index in np.ndindex(*images.shape):
        flipped = images.copy()
        flipped[index] ^= True
        assert total(layer, flipped, z) - before == 2 * int(votes[index]) * (-1 if images[index] else 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_samples", [1, 64, 67])
def test_trees_equal_a_plain_loop(backend, shape, n_samples):
    layer = make(shape)
    images = np.random.RandomState(1).rand(n_samples, *shape[0]) < 0.5
    assert (kernels.unpack(layer.forward(flat(images))[0]) == answers(layer, images)).all()


def addresses(layer, image):
    """What each gate of each level looks at, at each place of an image: found by flipping its entries."""
    one = kernels.pack(image.reshape(1, -1))
    patches = kernels.unpack(kernels.gather_patches(one, layer.window)).T
    for wiring, table in zip(layer.wirings, layer.tables, strict=True):
        address = sum(patches[wires].astype(int) << i for i, wires in enumerate(wiring.wires.T))
        yield address
        patches = kernels.unpack(table.bits)[np.arange(len(address))[:, None], address]


def by_sample(layer, z, context):
    """Give changes and looks of each level for all samples, which come a few at a time."""
    found = list(layer.changes(z, context))
    for level in range(layer.depth):
        some = [(changes, looks) for at, changes, looks in found if at == level]
        yield (level, *map(np.concatenate, zip(*some, strict=True)))


@pytest.mark.parametrize("shape", SHAPES)
def test_changes_of_shared_tables_are_finite_changes_of_each_sample(backend, shape):
    layer, random = make(shape), np.random.RandomState(2)
    images = random.rand(3, *shape[0]) < 0.5
    z = random.randint(-127, 128, (3, layer.n_outputs)).astype(np.int8)
    for level, changes, looks in by_sample(layer, z, layer.forward(flat(images))[1]):
        assert len(changes) == len(looks) == 3
        table = layer.tables[level]
        bits = kernels.unpack(table.bits)
        for i in range(3):
            before = total(layer, images[i : i + 1], z[i : i + 1])
            address = list(addresses(layer, images[i : i + 1]))[level]
            for g, a in np.ndindex(*bits.shape):
                table.bits.words[g, 0] ^= np.uint64(1 << a)
                change = total(layer, images[i : i + 1], z[i : i + 1]) - before
                table.bits.words[g, 0] ^= np.uint64(1 << a)
                assert change == 2 * changes[i, g, a] * (-1 if bits[g, a] else 1)
                assert looks[i, g, a] == (address[g] == a).sum()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_samples", [1, 67])
def test_a_vote_is_what_changes_over_the_square_of_the_looks_sample_by_sample(backend, shape, n_samples):
    layer, random = make(shape), np.random.RandomState(4)
    images = random.rand(n_samples, *shape[0]) < 0.3
    z = random.randint(-32767, 32768, (n_samples, layer.n_outputs)).astype(np.int16)
    _, context = layer.forward(flat(images))
    want = [np.zeros(table.shape, object) for table in layer.tables]
    for level, changes, looks in by_sample(layer, z, context):
        for sample, *entry in zip(*np.nonzero(looks), strict=True):
            at = (sample, *entry)
            vote = Fraction(64 * int(changes[at]), int(looks[at]) ** 2)
            want[level][tuple(entry)] += floor(vote + Fraction(1, 2))
    for q, sums in zip(layer.votes(z, context), want, strict=True):
        assert q.dtype == np.int32
        assert (q == sums).all()


@given(st.lists(st.tuples(st.integers(-(2**37), 2**37), st.integers(1, 2**16)), min_size=1, max_size=50))
def test_quotients_of_votes_and_looks_are_rounded_as_whole_numbers_are(pairs):
    """Up to 64 * 32767 at each of 2**16 places, and next to every whole number and every half."""
    near = [(k * n * n // 2 + d, n) for k, n in pairs for d in (-1, 0, 1) if abs(k * n * n) < 2**38]
    a, n = np.array(pairs + near).T
    assert gate_conv._rounded(a.astype(float), n.astype(float) ** 2).tolist() == [
        (2 * int(p) + int(q) ** 2) // (2 * int(q) ** 2) for p, q in zip(a, n, strict=True)
    ]


def test_votes_of_parts_of_a_batch_add_up(backend):
    layer, random = make(SHAPES[0]), np.random.RandomState(5)
    images = random.rand(70, *layer.window.image_shape) < 0.5
    z = random.randint(-127, 128, (70, layer.n_outputs)).astype(np.int8)
    whole, *parts = (
        layer.votes(z[part], layer.forward(flat(images[part]))[1])
        for part in (slice(None), slice(0, 33), slice(33, 70))
    )
    assert all((q == a + b).all() for q, a, b in zip(whole, *parts, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_votes_on_images_are_finite_changes(backend, shape):
    """Leaves of a tree differ in these windows, so that no two paths of a tree meet in a pixel."""
    layer, random = make(shape), np.random.RandomState(3)
    assert all(len(set(leaves)) == len(leaves) for leaves in layer.leaves.tolist())
    images = random.rand(2, *shape[0]) < 0.5
    check_inputs(layer, images, random.randint(-127, 128, (2, layer.n_outputs)).astype(np.int16))


@QUICK
@given(st.integers(1, 4), st.sampled_from([1, 63, 64, 65, 130]), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_blocks_of_places_and_samples_do_not_matter(n_columns, n_samples, together, seed):
    random = np.random.RandomState(seed)
    layer = make(((5, n_columns + 1, 2), (2, 2), 1, 1, 2, 2), seed=seed)
    images = random.rand(n_samples, *layer.window.image_shape) < 0.5
    z = random.randint(-32767, 32768, (n_samples, layer.n_outputs)).astype(np.int16)
    ends = []
    for bits in (64 * together, 2**20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(places, "_TOGETHER", bits)
            patch.setattr(gate_conv, "_VOTES_TOGETHER", bits)
            y, context = layer.forward(flat(images))
            ends.append([kernels.unpack(y), layer.backward(z, context), *layer.votes(z, context)])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_a_layer_of_gates_where_there_is_one_place(backend):
    leaves = np.random.RandomState(0).randint(0, 12, (7, 3))
    conv = GateConv2d((2, 3, 2), 7, (2, 3), depth=1, fan_in=3, leaves=leaves, random_state=5)
    gates = GateLayer(12, 7, 3, wires=leaves, random_state=5)
    x = kernels.pack(np.random.RandomState(1).rand(70, 12) < 0.5)
    z = np.random.RandomState(2).choice(np.array([-32767, -3, 0, 9, 32767], np.int16), (70, 7))
    (y, context), (want, beside) = conv.forward(x), gates.forward(x)
    assert (y.words == want.words).all()
    assert (conv.backward(z, context) == gates.backward(z, beside)).all()
    assert (conv.votes(z, context)[0] == gate_conv.VOTE * gates.votes(z, beside)[0]).all()


@pytest.mark.parametrize("against", range(4))
def test_votes_on_a_pixel_are_clipped_once_at_the_end(backend, against):
    """The windows of four places see the pixel, each as another tap: three loud votes against one."""
    layer = GateConv2d((1, 1, 1), 4, 2, depth=1, fan_in=1, leaves=np.arange(4)[:, None], padding=1, random_state=0)
    layer.tables[0].bits.words[...] = 0b10
    signs = np.where(np.arange(4) == against, -1, 1)
    z = np.zeros((1, 4, 4), np.int16)
    z[0, np.arange(4), 3 - np.arange(4)] = 32767 * signs  # the pixel is the last tap of the first place
    _, context = layer.forward(kernels.pack(np.ones((1, 1), bool)))
    assert layer.backward(z.reshape(1, 16), context).tolist() == [[32767]]


def test_votes_that_do_not_fit_are_refused():
    layer = GateConv2d((1, 1, 1), 1, 1, depth=1, fan_in=1, random_state=0)
    _, context = layer.forward(kernels.pack(np.zeros((1025, 1), bool)))
    with pytest.raises(OverflowError, match="votes on gateconv do not fit int32"):
        layer.votes(np.full((1025, 1), 32767, np.int16), context)


def test_an_eta_counts_no_places_since_votes_are_divided_by_looks():
    layer = GateConv2d((6, 5, 1), 4, 3, damping=3, random_state=0)
    assert [table.n_places for table in layer.parameters] == [12, 12]
    assert [table.vote_unit for table in layer.parameters] == [3 * gate_conv.VOTE] * 2
    assert not any(table.is_clipped for table in layer.parameters)


def test_no_samples_have_no_answers():
    layer = GateConv2d((4, 4, 1), 2, 3, random_state=0)
    y, context = layer.forward(kernels.pack(np.zeros((0, 16), bool)))
    assert y.shape == (0, 8)
    z = np.zeros((0, 8), np.int16)
    assert layer.backward(z, context).shape == (0, 16)
    assert not any(votes.any() for votes in layer.votes(z, context))


def test_a_layer_survives_a_copy():
    layer = make(SHAPES[0])
    twin = pickle.loads(pickle.dumps(layer))
    x = flat(np.random.RandomState(0).rand(5, 4, 5, 2) < 0.5)
    assert (twin.forward(x)[0].words == layer.forward(x)[0].words).all()


@pytest.mark.parametrize(("shape", "size"), [((4, 6, 2), 2), ((5, 7, 1), 3), ((3, 3, 2), 1), ((7, 6, 1), 6)])
def test_an_or_pool_says_whether_any_is_true_and_its_votes_are_finite_changes(backend, shape, size):
    random = np.random.RandomState(0)
    images = random.rand(5, *shape) < 0.3
    pool = OrPool2d(shape, size)
    rows, columns, channels = pool.out_shape
    squares = images[:, : rows * size, : columns * size].reshape(5, rows, size, columns, size, channels)
    want = squares.any(axis=(2, 4)).reshape(5, -1)
    assert (kernels.unpack(pool.forward(flat(images))[0]) == want).all()
    check_inputs(pool, images, random.randint(-127, 128, (5, pool.n_outputs)).astype(np.int16))


REFUSED = {
    "missing": (
        lambda: GateConv2d((2, 2, 1), 1, 1, depth=1, fan_in=1).forward(kernels.pack(np.zeros((1, 4), np.int8))),
        "truth table has no entry",
    ),
    "width": (
        lambda: GateConv2d((2, 2, 1), 1, 2).forward(kernels.pack(np.zeros((1, 5), bool))),
        "x must have 4 bits a sample, got 5",
    ),
    "pool width": (
        lambda: OrPool2d((2, 2, 1)).forward(kernels.pack(np.zeros((1, 5), bool))),
        "x must have 4 bits a sample, got 5",
    ),
    "fan-in": (lambda: GateConv2d((2, 2, 1), 1, 2, fan_in=7), r"fan_in must be an integer in \[1, 6\]"),
    "depth": (lambda: GateConv2d((2, 2, 1), 1, 2, depth=0), r"depth must be an integer in \[1, 8\]"),
    "filters": (lambda: GateConv2d((2, 2, 1), 2**19, 2), "n_filters must be an integer in"),
    "leaves": (
        lambda: GateConv2d((2, 2, 1), 1, 2, leaves=np.zeros((1, 3), int)),
        r"leaves must have shape \(1, 4\)",
    ),
    "range of leaves": (
        lambda: GateConv2d((2, 2, 1), 1, 2, leaves=np.full((1, 4), 4)),
        r"wires must be in \[0, 3\]",
    ),
    "window": (lambda: GateConv2d((2, 2, 1), 1, 3), "does not fit 2 pixels"),
    "wide": (lambda: GateConv2d((1, 1025, 1), 1, 1), "at most 1024 places in a row, got 1025"),
    "pool size": (lambda: OrPool2d((9, 9, 1), 7), r"size must be an integer in \[1, 6\]"),
    "small image": (lambda: OrPool2d((1, 9, 1), 2), r"size must be an integer in \[1, 1\]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nonsense_is_refused(name):
    nonsense, text = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=text):
        nonsense()


def test_tables_begin_as_conjunctions_of_their_literals():
    layer = GateConv2d((8, 8, 3), 500, depth=1, fan_in=6, literals=4, random_state=0)
    tables = kernels.unpack(layer.tables[0].bits)
    addresses = np.arange(64)[:, None] >> np.arange(6) & 1
    seen = set()
    for table in tables:
        rows = addresses[table]
        fixed = (rows == rows[0]).all(axis=0)
        assert len(rows) == 2 ** (6 - fixed.sum())  # all that agree with the literals, and no others
        seen |= {(int(fixed.sum()), wire, int(rows[0, wire])) for wire in np.flatnonzero(fixed)}
    assert seen == {(n, wire, value) for n in (1, 2, 3, 4) for wire in range(6) for value in (0, 1)}
    again = GateConv2d((8, 8, 3), 500, depth=1, fan_in=6, literals=4, random_state=0)
    assert (again.tables[0].bits.words == layer.tables[0].bits.words).all()


@pytest.mark.parametrize("make", [lambda: GateLayer(9, 5, 3, random_state=0), lambda: GateConv2d((3, 3, 1), 5, 2)])
def test_the_signal_that_has_no_opposite_counts_as_the_least_that_has_one(make, backend):
    layer = make()
    _, context = layer.forward(RandomWords(1).bits(70, 9))
    lowest, low = (np.full((70, layer.n_outputs), value, np.int16) for value in (-(2**15), -(2**15) + 1))
    assert (layer.backward(lowest, context) == layer.backward(low, context)).all()
    for one, other in zip(layer.votes(lowest, context), layer.votes(low, context), strict=True):
        assert (one == other).all()


def test_ready_made_tables_begin_as_they_are_and_stay_where_they_are_fixed(backend):
    made = make(SHAPES[0])
    again = GateConv2d(
        SHAPES[0][0],
        3,
        depth=2,
        fan_in=2,
        padding=1,
        leaves=made.leaves,
        tables=[t.bits for t in made.tables],
        fixed=True,
    )
    images = np.random.RandomState(1).rand(5, *SHAPES[0][0]) < 0.5
    assert (kernels.unpack(again.forward(flat(images))[0]) == answers(made, images)).all()
    assert not any(
        np.shares_memory(a.bits.words, b.bits.words) for a, b in zip(again.tables, made.tables, strict=True)
    )
    assert again.fixed
    assert again.parameters == ()
    assert not made.fixed


@pytest.mark.parametrize("wrong", ["one too few", "too wide", "missing values"])
def test_tables_that_do_not_fit_are_refused(wrong):
    tables = [t.bits for t in make(SHAPES[0]).tables]
    if wrong == "one too few":
        tables.pop()
    elif wrong == "too wide":
        tables[0] = kernels.pack(np.zeros((6, 8), bool))
    else:
        tables[0] = kernels.pack(np.zeros((6, 4), np.int8))
    with pytest.raises(ValueError, match="tables must be bits of the shapes"):
        GateConv2d(SHAPES[0][0], 3, depth=2, fan_in=2, padding=1, tables=tables)
