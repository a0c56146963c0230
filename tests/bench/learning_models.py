"""The models of the bench of learning, with nothing set but the seed, and what is measured of them.

Models of floats get scaled numbers and one bit a category, trees get codes of categories or treat them themselves;
where a number is missing floats get the mean. Ours get the table as it is. green-tsetlin, if it is installed,
gets the bits of our encoder.
"""

from __future__ import annotations

import pickle
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier
from tests.bench.learning_data import Split
from tests.bench.tables import ScaledTarget, Tsetlin, green_tsetlin, scaled

OURS = ("Boolean", "gates")
RIVALS = ("linear", "MLP", "forest", "boosting", *(("tsetlin",) if green_tsetlin else ()))
PREDICT_SECONDS = 0.2

MAKE: dict[str, tuple[Callable[[int], Any], Callable[[int], Any] | None]] = {
    "Boolean": (lambda s: BooleanClassifier(random_state=s), lambda s: BooleanRegressor(random_state=s)),
    "gates": (lambda s: LogicGateClassifier(random_state=s), None),
    "linear": (lambda s: scaled(LogisticRegression(max_iter=1000)), lambda s: scaled(Ridge())),
    "MLP": (
        lambda s: scaled(MLPClassifier(random_state=s)),
        lambda s: ScaledTarget(scaled(MLPRegressor(random_state=s))),
    ),
    "forest": (
        lambda s: coded(RandomForestClassifier(random_state=s)),
        lambda s: coded(RandomForestRegressor(random_state=s)),
    ),
    "boosting": (
        lambda s: HistGradientBoostingClassifier(random_state=s),
        lambda s: HistGradientBoostingRegressor(random_state=s),
    ),
    "tsetlin": (lambda s: Tsetlin(s), None),
}
"""For each name how the classifier and the regressor are made of a seed."""


def coded(model: Any) -> Any:
    """Let trees see categories as numbers."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    categories = make_column_selector(dtype_include="category")
    return make_pipeline(make_column_transformer((codes, categories), remainder="passthrough"), model)


def measure(name: str, seed: int, split: Split, *, numbers: bool) -> dict[str, float | None] | None:
    """Fit and test one model; None if it is not made for such targets."""
    make = MAKE[name][numbers]
    if make is None:
        return None
    model = make(seed)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(split.X_train, split.y_train)
        seconds = time.process_time() - start
        found = {"score": float(model.score(split.X_test, split.y_test))}
        if not numbers:
            found |= _of_classes(model, split)
        return {**found, "fit_s": seconds, "rows_per_s": _rate(model, split.X_test), "bytes": n_bytes(model)}


def _of_classes(model: Any, split: Split) -> dict[str, float | None]:
    """Return what answers and probabilities are worth, class by class."""
    X, y = split.X_test, split.y_test
    if not hasattr(model, "predict_proba"):
        return {"balanced": balanced_accuracy_score(y, model.predict(X)), "log_loss": None, "ece": None}
    p = model.predict_proba(X)
    answers = model.classes_[p.argmax(axis=1)]
    return {
        "balanced": float(balanced_accuracy_score(y, answers)),
        "log_loss": float(log_loss(y, p, labels=model.classes_)),
        "ece": calibration_error(p, answers == y),
    }


def calibration_error(p: np.ndarray, right: np.ndarray, n_bins: int = 15) -> float:
    """Return the expected calibration error: how far confidence is from accuracy, over bins of confidence."""
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    parts = [bins == one for one in range(n_bins)]
    return float(sum(abs((right[part] - confidence[part]).sum()) for part in parts) / len(p))


def _rate(model: Any, X: Any) -> float:
    """Return rows predicted in a second of the processor, all at once."""
    rounds, start = 0, time.process_time()
    while (taken := time.process_time() - start) < PREDICT_SECONDS:
        model.predict(X)
        rounds += 1
    return rounds * len(X) / taken


def n_bytes(model: Any) -> int:
    """Return the size of a model's file, or of its pickle if it has none."""
    if not hasattr(model, "save"):
        return len(pickle.dumps(model))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        model.save(path)
        return path.stat().st_size
