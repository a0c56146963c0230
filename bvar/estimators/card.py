"""A model card: what somebody who is handed a model wants to know of it, as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn

from bvar._validation import check_real
from bvar._version import __version__

__all__ = ["model_card"]

_SHOWN = 30  # names of features or classes


def model_card(model: Any, scores: Mapping[str, float]) -> str:
    """Write the card of a fitted model, with scores that somebody has measured."""
    if not isinstance(scores, Mapping):
        raise TypeError(f"scores must be a dict of names and numbers, got {scores!r}")
    measured = {str(name): check_real(value, f"scores[{name!r}]", low=-np.inf) for name, value in scores.items()}
    sections = {
        "Data": _data(model),
        "Training": _training(model),
        "Scores": [f"{name}: {value:.4g}" for name, value in measured.items()],
        "Fingerprint": [f"`{model.network_.fingerprint()}`, equal on every machine that trains this model"],
        "Environment": _environment(model),
    }
    lines = [f"# {type(model).__name__}", "", "```", model.summary(), "```", ""]
    for title, items in sections.items():
        if items:
            lines += [f"## {title}", "", *(f"* {item}" for item in items), ""]
    return "\n".join(lines)


def _data(model: Any) -> list[str]:
    found = [f"{model.n_features_in_} features, {model.encoder_.n_bits_out_} bits"]
    if hasattr(model, "feature_names_in_"):
        found.append(f"features: {_listed(model.feature_names_in_.tolist())}")
    if hasattr(model, "classes_"):
        what = "labels" if model.multilabel_ else "classes"
        names = getattr(model, "target_names_", model.classes_).tolist()
        found.append(f"{len(model.classes_)} {what}: {_listed(names)}")
    elif hasattr(model, "target_names_"):
        found.append(f"{len(model.target_names_)} targets: {_listed(model.target_names_.tolist())}")
    return found


def _training(model: Any) -> list[str]:
    loss, score = model.history_["loss"][-1], model.history_["score"][-1]
    found = [
        f"parameters: `{' '.join(repr(model).split())}`",
        f"{model.n_iter_} epochs; in the last loss {loss:.4g}, score {score:.4g}, on samples as they were seen",
    ]
    if hasattr(model, "best_validation_score_"):
        found.append(f"best score on samples held out for early stopping: {model.best_validation_score_:.4g}")
    return found


def _environment(model: Any) -> list[str]:
    versions = f"bvar {__version__}, NumPy {np.__version__}, scikit-learn {sklearn.__version__}"
    backend = getattr(model, "backend_", None)
    return [
        f"{versions}, Python {platform.python_version()}, {platform.machine()}",
        *([f"trained with the backend {backend}"] if backend else []),
    ]


def _listed(names: list[Any]) -> str:
    """List names as code, in which Markdown means nothing."""
    shown = ", ".join("`" + str(name).replace("`", "'") + "`" for name in names[:_SHOWN])
    return shown + (f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
