"""What learnt augmentation says before anything is learnt."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from bvar.augmentation import LearnedAugmentation, Rotation

RANDOM = np.random.RandomState(0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("draw", (3, 4, RANDOM)),
        ("for_prediction", (2, 4, RANDOM)),
        ("divergence", ()),
        ("divergence_slopes", ()),
        ("record", ()),
        ("strengths", ()),
    ],
)
def test_a_method_before_begin_says_who_calls_that(name, arguments):
    augment = LearnedAugmentation([Rotation()], prior=1.0, image_shape=(2, 2))
    with pytest.raises(NotFittedError, match="before begin"):
        getattr(augment, name)(*arguments)
    getattr(augment.begin(4), name)(*arguments)
