"""Tables with more columns than a network has wires: defaults work there too."""

import numpy as np
import pytest

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier

WIDE = (np.random.RandomState(0).rand(60, 4000) < 0.5).astype(float)
Y = np.arange(60) % 2


@pytest.mark.parametrize(
    "model",
    [
        BooleanClassifier(max_iter=1, random_state=0),
        BooleanRegressor(max_iter=1, random_state=0),
        BooleanClassifier((16,), gates=10, max_iter=1, random_state=0),
        LogicGateClassifier((40, 20), max_iter=1, random_state=0),
    ],
    ids=["classifier", "regressor", "few gates", "gates"],
)
def test_columns_may_outnumber_wires(model):
    assert model.fit(WIDE, Y).predict(WIDE).shape == Y.shape
