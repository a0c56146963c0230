"""The models that ``train`` can make, and what each asks of the columns."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np

from bvar.cli.columns import ColumnReport
from bvar.cli.command import CommandError, counted, number, quoted, shown
from bvar.cli.target import Target
from bvar.encoding import TableEncoder
from bvar.estimators import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier

__all__ = ["MODELS", "check_model", "make_model"]

# for each name of a model its class, and what it calls the units of its hidden layers
MODELS: dict[str, tuple[type, str]] = {
    "boolean": (BooleanClassifier, "hidden_layer_sizes"),
    "gates": (LogicGateClassifier, "layer_sizes"),
    "conv": (BooleanConvClassifier, "hidden_layer_sizes"),
}

_LEAST_SIDE = 4  # its network halves the image twice


def check_model(name: str, target: Target, columns: Sequence[ColumnReport]) -> None:
    """Refuse a model for what it cannot learn.

    Parameters
    ----------
    name : str
        The model, one of `MODELS`.
    target : Target
        What is to be learnt.
    columns : sequence of ColumnReport
        The columns to learn from.

    Raises
    ------
    CommandError
        If the model predicts no numbers, or the columns are no image.
    """
    if target.task == "regress" and name != "boolean":
        raise CommandError(f"--model must be boolean to regress, got {name}; or give --task classify")
    if name != "conv":
        return
    for one in columns:
        if one.taken_for != "number":
            raise CommandError(
                f"{one.column.path}: --model conv must get pixels, got column {quoted(one.column.name)} of "
                f"{one.why}; --ignore leaves it out"
            )
    side = isqrt(len(columns))
    if side**2 != len(columns) or side < _LEAST_SIDE:
        raise CommandError(
            "--model conv must get a column for each pixel of a square image, row by row, of at least "
            f"{_LEAST_SIDE} x {_LEAST_SIDE}, got {counted(len(columns), 'column')}"
        )


def make_model(arguments: argparse.Namespace, target: Target, columns: Sequence[ColumnReport]) -> Any:
    """Make an estimator from the options of ``train``.

    Parameters
    ----------
    arguments : argparse.Namespace
        The options.
    target : Target
        What is to be learnt.
    columns : sequence of ColumnReport
        The columns to learn from.

    Returns
    -------
    estimator
        Not fitted.

    Raises
    ------
    CommandError
        If ``--class-weight`` does not fit the target.
    """
    cls, sizes = MODELS[arguments.model]
    options: dict[str, Any] = {
        sizes: arguments.hidden,
        "max_iter": arguments.max_iter,
        "class_weight": _class_weight(arguments.class_weight, target),
    }
    options = {name: value for name, value in options.items() if value is not None}
    if arguments.model != "conv":
        options["encoder"] = _encoder(columns)
    if target.task == "regress":
        cls = BooleanRegressor
    return cls(random_state=arguments.seed, verbose=arguments.verbose, backend=arguments.backend, **options)


def _encoder(columns: Sequence[ColumnReport]) -> TableEncoder:
    """Return the encoder of a table, told of the columns of numbers that are categories."""
    chosen = [
        j for j, one in enumerate(columns) if one.taken_for == "category" and one.column.is_made_of("number")
    ]
    return TableEncoder(categorical=chosen or "auto")


def _class_weight(given: Sequence[str], target: Target) -> dict[Any, float] | str | None:
    """Read CLASS=WEIGHT ..., or the word balanced; a class that is not named weighs 1."""
    if not given:
        return None
    if target.task == "regress":
        raise CommandError("--class-weight must go with classes, got a target of numbers; or give --task classify")
    if list(given) == ["balanced"]:
        return "balanced"
    weights = dict.fromkeys(np.unique(target.y).tolist(), 1.0)
    classes = {str(label): label for label in weights}
    for text in given:
        label, _, weight = text.rpartition("=")
        if label not in classes:
            listed = ", ".join(map(shown, list(classes)[:20]))
            raise CommandError(
                f"--class-weight must be balanced or CLASS=WEIGHT with a class of {listed}, got {quoted(text)}"
            )
        try:
            weights[classes[label]] = number(0)(weight)
        except argparse.ArgumentTypeError as error:
            raise CommandError(f"--class-weight of {quoted(label)} {error}") from None
    if not any(weights.values()):
        raise CommandError("--class-weight must be greater than 0 for one class, got 0 for all")
    return weights
