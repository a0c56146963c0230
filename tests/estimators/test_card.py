"""The card of a model says what the model is."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from bvar import BooleanClassifier, BooleanRegressor

RNG = np.random.RandomState(0)
X = RNG.rand(60, 3)


def test_a_card_has_network_data_training_scores_fingerprint_and_environment():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a_b", "c`d", "e"])
    model = BooleanClassifier(16, max_iter=3, random_state=0, early_stopping=True)
    model.fit(frame, np.array(["no", "yes"])[(X[:, 0] > 0.5).astype(int)])
    card = model.card({"accuracy on 20 samples": 0.95})
    assert card.startswith("# BooleanClassifier\n")
    for text in (
        model.summary(),
        "features: `a_b`, `c'd`, `e`",
        "2 classes: `no`, `yes`",
        f"{model.n_iter_} epochs",
        f"early stopping: {model.best_validation_score_:.4g}",
        "* accuracy on 20 samples: 0.95",
        model.network_.fingerprint(),
        np.__version__,
        model.backend_,
    ):
        assert text in card
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == [
        *("Data", "Training", "Scores", "Fingerprint", "Environment")
    ]


def test_a_card_without_scores_has_no_section_of_them():
    assert "## Scores" not in BooleanRegressor(8, max_iter=1, random_state=0).fit(X, X[:, 0]).card()


def test_what_is_no_score_is_refused():
    model = BooleanClassifier(8, max_iter=1, random_state=0).fit(X, X[:, 0] > 0.5)
    with pytest.raises(TypeError, match="scores must be a dict of names and numbers"):
        model.card([0.5])
    with pytest.raises(ValueError, match=r"scores\['x'\] must be a finite number"):
        model.card({"x": np.nan})
    with pytest.raises(NotFittedError):
        BooleanClassifier().card()
