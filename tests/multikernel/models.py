"""Small models in float64, and the differences that their gradients must be."""

import numpy as np
import pytest

from bvar.bits import RandomWords
from bvar.multikernel.designs import DESIGNS
from bvar.multikernel.weights import draw


def made_of(design, cls, **options):
    """A model of 7 tokens with gains that are not 1, and biases of maps where they are usual."""
    weights = draw(DESIGNS[design], 7, 8, 12, 2, 9, RandomWords(0))
    if DESIGNS[design].is_centred:
        names = [f"l{i}.{name}" for i in range(2) for name in DESIGNS[design].maps]
        weights |= {f"{name}.bias": np.zeros(len(weights[name])) for name in names}
    source = RandomWords(1)
    for name, array in weights.items():
        more = 0.2 * source.uniform(1, array.shape[0])[0] if array.ndim == 1 else 0
        weights[name] = array.astype(np.float64) + more
    options |= {"design": design} if DESIGNS[design].looks_back else {}
    return cls(weights, n_heads=2, **options)


def check_differences(model, loss, gradients):
    """Compare the gradient in some numbers of each weight with the central difference of the loss."""
    assert set(gradients) == set(model.weights)
    for name, array in model.weights.items():
        for place in [tuple(i) for i in np.argwhere(np.ones(array.shape))[:: 1 + array.size // 9]]:
            kept, step = array[place], 1e-5
            array[place] = kept + step
            above = loss()
            array[place] = kept - step
            slope = (above - loss()) / (2 * step)
            array[place] = kept
            assert gradients[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-7), (name, place)
