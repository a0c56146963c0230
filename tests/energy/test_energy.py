"""The energy model: counts are those of the loops, prices behave as prices must, bad platforms are refused."""

from dataclasses import replace
from itertools import product as every

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import BooleanClassifier, energy, kernels
from bvar.bits import SlidingWindow
from bvar.energy import ASCEND, BOLD, BOOLEAN, EYERISS, FLOAT, PLATFORMS, V100, Axis, Loops, Memory, Platform
from bvar.energy import measured as measured_module
from bvar.layers import Add, BooleanConv2d, BooleanLinear, Product, Threshold
from bvar.networks import boolean_mlp, conv_network, gate_network, vgg_small
from bvar.real import RealEnds

# ----------------------------------------------------------------------------------------------- the counts


def simulate(loops, tiles):
    """Walk the loops of a layer, tile inside tile, and count what each level is asked for: plain Python."""
    sizes = [loops.extents, *tiles]
    counts = [{"streamed": 0, "held": 0, "partial": 0, "final": 0} for _ in sizes]

    def visit(level):
        """Do one tile of `level`, with the tiles of the next."""
        if level == len(sizes) - 1:
            return arithmetic(level)
        images, channels, filters, down, across, kr, kc = inner = sizes[level + 1]
        blocks = [range(a // b) for a, b in zip(sizes[level], inner, strict=True)]
        seen = images * channels * length(loops.rows, down, kr) * length(loops.columns, across, kc)
        terms = list(every(blocks[1], blocks[5], blocks[6]))
        for _ in blocks[2]:
            for term in terms:
                counts[level]["held"] += channels * filters * kr * kc
                for _ in every(blocks[0], blocks[3], blocks[4]):
                    counts[level]["streamed"] += seen
                    add_up(level, term == terms[0], term == terms[-1], images * filters * down * across)
                    visit(level + 1)

    def arithmetic(level):
        images, channels, filters, down, across, kr, kc = sizes[level]
        terms = list(every(range(channels), range(kr), range(kc)))
        counts[level]["held"] += channels * filters * kr * kc
        for _ in range(images * down * across):
            for term in terms:
                counts[level]["streamed"] += 1  # one number feeds all filters of the tile
                add_up(level, term == terms[0], term == terms[-1], filters)

    def add_up(level, is_first, is_last, n):
        """Read sums that have been begun, and put back those that are not done."""
        counts[level]["partial"] += (0 if is_first else n) + (0 if is_last else n)
        if level == 0 and is_last:
            counts[level]["final"] += n

    visit(0)
    return counts


def length(axis, outputs, taps):
    """Numbers that a tile sees, from its first to its last: counted."""
    positions = [o * axis.stride + t * axis.dilation for o in range(outputs) for t in range(taps)]
    return max(positions) - min(positions) + 1


def divisors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


def small_layers(seed, n):
    """Draw layers of a few thousand multiply-adds, and tiles in two levels."""
    random = np.random.RandomState(seed)
    for _ in range(n):
        rows, columns = (
            Axis(random.choice([1, 2, 4]), random.choice([1, 2, 3]), random.choice([1, 2]), random.choice([1, 2]))
            for _ in range(2)
        )
        extents = (random.choice([1, 2, 4]), random.choice([1, 2, 6]), random.choice([1, 2, 4]))
        loops = Loops(*map(int, extents), Axis(*map(int, rows)), Axis(*map(int, columns)))
        tiles, outer = [], loops.extents
        for _ in range(3):
            outer = tuple(int(random.choice(divisors(extent))) for extent in outer)
            tiles.append(outer)
        yield loops, tiles


@pytest.mark.parametrize("number", range(20))
def test_counts_are_those_of_a_walk_through_the_loops(number):
    loops, tiles = list(small_layers(7, 20))[number]
    counted = [moved._asdict() for moved in energy.moves(loops, tiles)]
    assert counted == simulate(loops, tiles)


def test_reads_at_the_lowest_level_are_multiply_adds():
    for loops, tiles in small_layers(8, 50):
        assert energy.moves(loops, tiles)[-1].streamed * tiles[-1][2] == loops.n_products


def test_the_example_by_hand():
    loops = Loops(1, 4, 8, Axis(4, 3), Axis(4, 3))
    counts = energy.moves(loops, [(1, 4, 4, 4, 4, 3, 3), (1, 4, 4, 2, 2, 3, 3), (1, 2, 2, 2, 2, 3, 3)])
    prices = (200, 6, 2, 1)
    total = sum(price * sum(moved) for price, moved in zip(prices, counts, strict=True))
    assert total == 162624


def test_tiles_that_do_not_divide_are_refused():
    loops = Loops(1, 4, 8, Axis(4, 3), Axis(4, 3))
    with pytest.raises(ValueError, match="tiles must divide those of the level before"):
        energy.moves(loops, [(1, 3, 8, 4, 4, 3, 3)])


WINDOWS = [
    SlidingWindow((6, 6, 4), 3),
    SlidingWindow((8, 8, 2), 3, padding=1),
    SlidingWindow((8, 6, 3), (2, 3), stride=2, padding=(0, 1)),
    SlidingWindow((9, 9, 1), 3, dilation=2),
    SlidingWindow((1, 1, 30), 1),
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_both_ways_forward_and_to_the_weights_have_the_same_products(window):
    loops = energy.loops_of(Product("layer", window, 5), batch=3)
    assert loops["forward"].n_products == loops["votes"].n_products == 3 * window.n_places * window.patch_size * 5
    assert loops["votes"].n_made == window.patch_size * 5
    assert loops["backward"].n_made >= 3 * window.n_inputs


def test_the_way_back_of_a_stride_has_no_more_products_than_taps_that_are_there():
    window = SlidingWindow((8, 8, 2), 2, stride=2)
    loops = energy.loops_of(Product("layer", window, 5), batch=3)
    assert loops["backward"].n_products == loops["forward"].n_products


# ----------------------------------------------------------------------------------------------- the search


def price_of(loops, operands, platform, tiles):
    total = 0.0
    for memory, moved in zip(platform.memories, energy.moves(loops, tiles), strict=True):
        s, h, m = memory.prices
        total += s * operands.streamed * moved.streamed + h * operands.held * moved.held
        total += m * (operands.partial * moved.partial + operands.final * moved.final)
    return total


def fits(loops, operands, memory, tile):
    images, channels, filters, down, across, kr, kc = tile
    streamed = operands.streamed * images * channels * length(loops.rows, down, kr)
    streamed *= length(loops.columns, across, kc)
    held = operands.held * channels * filters * kr * kc
    made = operands.partial * images * filters * down * across
    if memory.is_split:
        return streamed <= memory.bits[0] and held <= memory.bits[1] and made <= memory.bits[2]
    return streamed + held <= memory.bits[0]


TINY = Platform("tiny", [Memory("far", 50.0), Memory("middle", 5.0, 24), Memory("near", 1.0, (6, 6, 12))], 1.0)


@pytest.mark.parametrize("number", range(6))
def test_no_nest_of_tiles_is_cheaper_than_the_one_found(number):
    loops, _ = next(small_layers(11 + number, 1))
    loops = loops._replace(images=2)
    operands = energy.Operands(2, 1, 4, 3)
    best = price_of(loops, operands, TINY, energy.best_tiles(loops, operands, TINY))
    found = []
    for middle in every(*map(divisors, loops.extents)):
        if fits(loops, operands, TINY.memories[1], middle):
            for near in every(*map(divisors, middle)):
                if fits(loops, operands, TINY.memories[2], near):
                    found.append(price_of(loops, operands, TINY, [middle, near]))
    assert min(found) == pytest.approx(best, rel=1e-12)  # sums of the same few products in another order


sizes = st.integers(1, 12)
axes = st.builds(Axis, sizes, st.integers(1, 4), st.integers(1, 2), st.integers(1, 2))
layers = st.builds(Loops, sizes, sizes, sizes, axes, axes)
widths = st.builds(energy.Operands, *[st.integers(1, 33)] * 4)
SLACK = 1 + 1e-12  # energies are sums of some dozen doubles


def energy_of(loops, operands, platform):
    return price_of(loops, operands, platform, energy.best_tiles(loops, operands, platform))


def grown(memory, factor):
    if memory.capacity is None:
        return memory
    capacity = memory.capacity
    return replace(memory, capacity=tuple(c * factor for c in capacity) if memory.is_split else capacity * factor)


@given(layers, widths, st.sampled_from(PLATFORMS), st.integers(1, 8))
def test_more_memory_never_costs_more(loops, operands, platform, shrink):
    small = replace(
        platform,
        memories=[
            m
            if m.capacity is None
            else replace(
                m,
                capacity=tuple(max(64, c >> 12) for c in m.capacity) if m.is_split else max(64, m.capacity >> 12),
            )
            for m in platform.memories
        ],
    )
    large = replace(small, memories=[grown(memory, shrink) for memory in small.memories])
    assert energy_of(loops, operands, large) <= energy_of(loops, operands, small) * SLACK


@given(layers, widths, st.sampled_from(PLATFORMS), st.sampled_from(energy.Operands._fields))
def test_bits_never_cost_more_than_floats(loops, operands, platform, which):
    wide = operands._replace(**{which: 32 + getattr(operands, which)})
    assert energy_of(loops, operands, platform) <= energy_of(loops, wide, platform) * SLACK


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: p.name)
@pytest.mark.parametrize("arm", [BOOLEAN, BOLD, energy.BINARY_WEIGHTS, energy.BINARY_WEIGHTS_AND_INPUTS])
def test_every_arm_costs_less_than_floats_on_every_platform(platform, arm):
    network = conv_network((8, 8, 4), (8, "M"), (16,), 4, random_state=0)
    mine, other = energy.cost(network, 20, platform, widths=arm), energy.cost(network, 20, platform, widths=FLOAT)
    for row, dear in zip(mine.by("layer", "way").items(), other.by("layer", "way").items(), strict=True):
        assert row[0] == dear[0]
        assert row[1] <= dear[1] * SLACK


# ------------------------------------------------------------------------------------------------- the table


def test_a_table_adds_up():
    found = energy.cost(boolean_mlp([64, 32, 10], random_state=0), 10, V100)
    assert sum(found.by("way").values()) == pytest.approx(found.training, rel=1e-12)
    assert found.by("way")["forward"] == pytest.approx(found.inference, rel=1e-12)
    assert "backward" not in {row.way for row in found.rows if row.layer == "linear1"}
    operations = sum(row.amount for row in found.rows if row.place == energy.LOGIC and row.way == "forward")
    assert operations == 10 * (64 * 32 + 32 * 10) * energy.logic_operations(1, 1, 32)


def test_real_ends_cost_what_they_cost_in_floats():
    network = vgg_small((32, 32, 3), ends=RealEnds(), random_state=0)
    bits, floats = (energy.cost(network, 2, ASCEND, widths=w).by("layer") for w in (BOOLEAN, FLOAT))
    first, *middle, last = bits
    assert bits[first] == floats[first]
    assert bits[last] == floats[last]
    assert all(bits[name] < floats[name] / 3 for name in middle)


def test_a_word_of_the_unit_is_a_word():
    """One bit of the far memory costs a sixteenth of what a word of sixteen bits costs."""
    assert 16 * V100.memories[0].price == 200
    assert 16 * EYERISS.memories[-1].price == 1
    assert 8 * ASCEND.memories[0].price == 1 / 0.02
    assert ASCEND.multiply_add == 2 / 1.7
    assert V100.logic * energy.logic_operations(16, 16, 16) == pytest.approx(1, rel=1e-15)


def test_branches_are_counted():
    one, other = (BooleanLinear(8, 2, random_state=seed, name=f"branch{seed}") for seed in (0, 1))
    found = energy.cost([Add([[one, Threshold(2, 8, 2), BooleanLinear(2, 2)], [other]])])
    assert list(found.by("layer")) == ["branch0", "linear", "branch1"]


def test_layers_of_one_name_are_numbered():
    layers = [BooleanLinear(8, 4), Threshold(4, 8, 2), BooleanLinear(4, 2), BooleanLinear(2, 2, name="last")]
    found, one = energy.cost(layers).by("layer"), energy.cost(layers[:1]).by("layer")
    assert list(found) == ["linear (1)", "linear (2)", "last"]
    assert found["linear (1)"] == one["linear"]
    lines = energy.summarize_energy(layers).splitlines()
    assert [line[:14].rstrip() for line in lines[1:-1]] == ["linear (1)", "linear (2)", "last", "all"]


def test_prices_and_capacities_may_be_lists():
    network = boolean_mlp([8, 4, 2], random_state=0)
    lists, tuples = (
        Platform("p", [Memory("far", of([9.0, 8.0, 7.0])), Memory("near", of([1.0] * 3), of([99] * 3))], 1.0)
        for of in (list, tuple)
    )
    assert energy.cost(network, 1, lists) == energy.cost(network, 1, tuples)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: energy.cost(boolean_mlp([4, 2]), 1, "ASCEND"), "platform must be a .*Platform, .*'ASCEND'"),
        (lambda: energy.cost(boolean_mlp([4, 2]), widths="FLOAT"), "widths must be a .*Widths, .*'FLOAT'"),
        (lambda: energy.cost("network"), "network must be a network, or a sequence of layers .* got 'network'"),
        (lambda: energy.cost(3), "network must be a network, or a sequence of layers"),
        (lambda: energy.summarize_energy("layers"), "layers must be a network, or a sequence of layers"),
        (lambda: energy.summarize_energy([BooleanLinear(4, 2)], "V100"), "platform must be a .*Platform"),
        (lambda: Platform("p", 3, 1.0), "memories must be a sequence of bvar.energy.Memory, got 3"),
        (lambda: Platform("p", ["far", "near"], 1.0), "memories must be a sequence of bvar.energy.Memory, got"),
    ],
)
def test_what_is_of_another_kind_is_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_summary_says_what_layers_cost():
    network = boolean_mlp([64, 32, 10], random_state=0)
    text = network.summary(energy=True)
    assert text.startswith(network.summary())
    assert "a model, not a measurement" in text
    assert "no layer multiplies" in gate_network([64, 40], 10, random_state=0).summary(energy=True)
    X = np.random.RandomState(0).rand(40, 3)
    model = BooleanClassifier((16,), max_iter=1, random_state=0).fit(X, X[:, 0] > 0.5)
    assert "linear1" in model.summary(energy=True).split("inference")[1]


# ----------------------------------------------------------------------------------------------- bad input


FAR, NEAR = Memory("far", 10.0), Memory("near", 1.0, 1024)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Platform("p", [FAR], 1.0), "memories must be two or more"),
        (lambda: Platform("p", [NEAR, FAR], 1.0), "memories must begin with one of capacity None"),
        (lambda: Platform("p", [Memory("far", 0.5), NEAR], 1.0), "must not become dearer .* got far at 0.5"),
        (lambda: Platform("p", [FAR, NEAR, Memory("nearest", 0.1, 2048)], 1.0), "must not become larger"),
        (lambda: Platform("p", [FAR, NEAR, Memory("nearest", 0.1)], 1.0), "must not become larger"),
        (lambda: Platform("p", [FAR, NEAR], -1.0), "multiply_add must be a finite number >= 0"),
        (lambda: Platform("p", [FAR, NEAR], 1.0, word=0), "word must be an integer >= 1"),
        (lambda: Memory("m", -1.0), "price of m must be"),
        (lambda: Memory("m", (1.0, 2.0)), "price of m must be one number or three"),
        (lambda: Memory("m", 1.0, 0), "capacity of m must be an integer >= 1"),
        (lambda: replace(BOOLEAN, sums=0), "sums must be an integer >= 1"),
        (lambda: energy.cost(boolean_mlp([4, 2]), 0), "batch must be an integer >= 1"),
        (lambda: energy.cost([Threshold(3, 4, 2)]), "network must have a layer that multiplies"),
        (lambda: energy.cost(boolean_mlp([4, 2]), 1).by("price"), "columns must be some of layer, way, place"),
        (lambda: energy.cost(boolean_mlp([4, 2]), 1).by(), "columns must be some of layer, way, place"),
        (
            lambda: energy.cost(
                [BooleanLinear(4, 2)], 1, Platform("p", [FAR, Memory("near", 1.0, (1, 1, 3))], 1.0)
            ),
            "memories must hold a number of each kind, got near",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---------------------------------------------------------------------------------------------- measured


def test_bytes_of_kernels_are_those_of_their_operands():
    layer = BooleanConv2d((6, 6, 4), 8, random_state=0)
    x = kernels.pack(np.zeros((3, layer.n_inputs), bool))
    s, _ = layer.forward(x)
    expected = x.words.nbytes + layer.weight.n_bytes + s.nbytes
    assert measured_module.kernel_bytes(list(layer.products()), 3) == expected


def test_joules_come_from_a_counter_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(measured_module, "_COUNTERS", tmp_path)
    assert energy.joules() is None
    for name, reading in (("intel-rapl:0", 1_500_000), ("intel-rapl:1", 500_000), ("intel-rapl:0:0", 7)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{reading}\n")
    assert energy.joules() == 2.0  # a part of a package is in its package
    network = boolean_mlp([8, 4, 2], random_state=0)
    assert energy.measure(network, kernels.pack(np.ones((2, 8), bool))).joules == 0.0


def test_a_measured_step_trains():
    network = boolean_mlp([8, 16, 2], random_state=0)
    x, y = kernels.pack(np.random.RandomState(0).rand(20, 8) < 0.5), np.arange(20) % 2
    found = energy.measure(network, x, y, n_runs=1)
    assert network.optimizer.step_count == 2
    assert found.n_bytes > energy.measure(network, x, n_runs=1).n_bytes
