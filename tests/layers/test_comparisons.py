"""Trees that compare pixels: they say what levels say, everywhere, and are drawn evenly."""

import numpy as np
import pytest

from bvar import kernels
from bvar.bits import RandomWords
from bvar.layers import GateConv2d, random_comparisons

SIZE, COLOURS = (2, 3), 2


def read(leaves, n_levels):
    """What each comparison of each tree is about: a number of the pixels, and the two taps."""
    tap, bit = np.divmod(leaves.reshape(len(leaves), 3, 2, 3, 2), COLOURS * n_levels)
    colour, level = np.divmod(bit, n_levels)
    assert (tap == tap[:, :, :1, :1]).all()
    assert (colour == colour[:, :, :1, :1, :1]).all()
    assert (level[..., 0] == level[..., 1]).all()
    return colour[:, :, 0, 0, 0], tap[:, :, 0, 0], level[:, 0, :, :, 0].transpose(0, 2, 1).reshape(len(leaves), 6)


@pytest.mark.parametrize("n_levels", [1, 4, 6, 9])
@pytest.mark.parametrize("at_most", [1, 2, 3])
def test_a_tree_says_whether_some_pixels_are_above_others(n_levels, at_most):
    random = np.random.RandomState(n_levels)
    trees = random_comparisons(40, SIZE, COLOURS * n_levels, n_levels, at_most, RandomWords(1))
    colours, taps, levels = read(trees.leaves, n_levels)
    assert (np.sort(levels, axis=1) == np.rint(np.linspace(0, n_levels - 1, 6))).all()
    values = random.randint(0, n_levels + 1, (300, *SIZE, COLOURS))  # of how many levels each number is
    bits = values[..., None] > np.arange(n_levels)
    layer = GateConv2d(
        (*SIZE, COLOURS * n_levels),
        40,
        SIZE,
        depth=2,
        fan_in=6,
        leaves=trees.leaves,
        tables=trees.tables,
        fixed=True,
    )
    found = kernels.unpack(layer.forward(kernels.pack(bits.reshape(300, -1)))[0])
    looked_at = np.unique(levels)
    number = (values[..., None] > looked_at).sum(axis=-1).reshape(300, 6, COLOURS)
    counts = 1 + RandomWords(1).words.random_raw(400).reshape(40, 10)[:, 0] % np.uint64(at_most)
    assert set(counts.tolist()) == set(range(1, at_most + 1))
    for tree in range(40):
        holds = np.ones(300, bool)
        for one in range(int(counts[tree])):
            above, below = (number[:, tap, colours[tree, one]] for tap in taps[tree, one])
            holds &= above > below
        assert (found[:, tree] == holds).all()


def test_every_pair_of_different_pixels_is_as_likely():
    trees = random_comparisons(20000, SIZE, 6, 3, 3, RandomWords(0))
    colours, taps, _ = read(trees.leaves, 3)
    seen = np.bincount((taps[..., 0] * 6 + taps[..., 1]).ravel(), minlength=36).reshape(6, 6)
    assert (np.diag(seen) == 0).all()
    # 60,000 draws of 30 pairs, 2000 each: six standard deviations are 264
    assert (abs(seen[~np.eye(6, dtype=bool)] - 2000) < 264).all()
    assert abs(colours.mean() - 0.5) < 6 * 0.5 / 60000**0.5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((4, (1, 1), 6, 6, 1), "kernel_size must have two taps or more"),
        ((4, (3, 3), 7, 6, 1), "n_levels must divide the 7 channels"),
        ((4, (3, 3), 6, 0, 1), "n_levels must be"),
        ((4, (3, 3), 6, 6, 4), r"comparisons must be an integer in \[1, 3\]"),
    ],
)
def test_what_cannot_be_compared_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        random_comparisons(*arguments, RandomWords(0))
