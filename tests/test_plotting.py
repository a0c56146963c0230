"""What cannot be drawn is refused by name, before there are axes."""

import numpy as np
import pytest

from bvar.augmentation import LearnedAugmentation, Rotation
from bvar.networks import boolean_mlp
from bvar.plotting import (
    plot_augmentation,
    plot_beta,
    plot_bound,
    plot_energy,
    plot_flip_rate,
    plot_learning_curve,
    plot_supports,
    plot_weights,
)

NETWORK = boolean_mlp([6, 4, 2], random_state=0)
AUGMENTATION = LearnedAugmentation(Rotation(15.0), image_shape=(8, 8))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: plot_learning_curve({}), r"history must have 'score', as the history_ .*, got only \[\]"),
        (lambda: plot_learning_curve("x"), "history must be a dict, the history_ of an estimator, got 'x'"),
        (lambda: plot_flip_rate({"score": [1.0]}), r"history must have 'flips', .*, got only \['score'\]"),
        (lambda: plot_flip_rate({"flips": []}), "got 'flips' without an epoch"),
        (lambda: plot_flip_rate({"flips": [[0.1, 0.2]]}, names=["a"]), "a name for each of 2 parameters, got 1"),
        (lambda: plot_beta({"beta": [[0.1, 0.2]]}, names=["a"]), "names must have a name for each of 2 param"),
        (lambda: plot_beta({}), "history must have 'beta'"),
        (lambda: plot_augmentation(AUGMENTATION), "augmentation must have learnt for an epoch"),
        (lambda: plot_augmentation("x"), "augmentation must be a LearnedAugmentation, got 'x'"),
        (lambda: plot_energy({"a": 3}), "costs must be a dict of names and results of bvar.energy.cost"),
        (lambda: plot_weights("x", 0, (2, 3)), "network must be a bvar.networks.Network, got str"),
        (lambda: plot_weights(NETWORK, "x", (2, 3)), r"neuron must be an integer in \[0, 3\], got 'x'"),
        (lambda: plot_weights(NETWORK, 0, (2, 3), layer=9), r"layer must be an integer in \[0, \d\], got 9"),
        (lambda: plot_bound("x"), "trace must be a Trace, which bvar.theory.follow returns, got 'x'"),
        (lambda: plot_supports(np.ones(2), ["a"]), "names must have a name for each of 2 supports, got 1"),
        (lambda: plot_supports("x", []), "supports must be numbers of one or two dimensions, got <U1"),
    ],
)
def test_what_cannot_be_drawn_is_named(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()


def test_names_beyond_the_parameters_are_left_out():
    pytest.importorskip("matplotlib")
    ax = plot_flip_rate({"flips": [[0.1, 0.2]]}, names=np.array(["a", "b", "c"]))
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
