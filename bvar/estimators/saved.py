"""Estimators in files: what they are, and whether encoder, network and targets of one that is read fit each other.

They stand above :mod:`bvar.model_file`, which therefore does not know them until they are registered here.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.augmentation import (
    AugmentedClassifier,
    Cutout,
    Flip,
    LearnedAugmentation,
    Mixup,
    Noise,
    Rotation,
    Scale,
    Shear,
    Shift,
)
from bvar.augmentation.changes import RandomFlip, RandomRotation, RandomShift
from bvar.encoding import BitEncoder, UnateEncoder
from bvar.estimators.classifier import BooleanClassifier
from bvar.estimators.conv import BooleanConvClassifier
from bvar.estimators.gate_conv import LogicGateConvClassifier
from bvar.estimators.gates import LogicGateClassifier
from bvar.estimators.monotone import is_monotone, same_constraints
from bvar.estimators.regressor import BooleanRegressor
from bvar.model_file import register
from bvar.model_file._encoders import check_classes, check_feature_names, check_perceptron, is_fitted
from bvar.model_file._kinds import require
from bvar.networks.losses import ProbabilisticLoss
from bvar.networks.network import Network

_LARGEST = 1e151  # a little more than `fit` takes: no prediction overflows


def _check_parameters(model: Any) -> None:
    """Check what `fit` would check, so that a wrong parameter is told now; data are not needed for it."""
    model._check_parameters(goes_on=False)
    if not isinstance(model.random_state, np.random.RandomState | None):
        check_integer(model.random_state, "random_state", low=0)
    require(isinstance(model.backend, str | None), f"backend must be None or a name, got {model.backend!r}")


def _check_ends(model: Any) -> int:
    """Check the encoder and the input of the network; return the number of scores."""
    network, encoder = model.network_, model.encoder_
    require(isinstance(network, Network), "network_ must be a network")
    require(isinstance(encoder, BitEncoder), "encoder_ must be an encoder")
    require(encoder.n_bits_out_ == network.layers[0].n_inputs, "encoder does not fit the network")
    require(type(model.n_features_in_) is int, "n_features_in_ must be an integer")
    require(encoder.n_features_in_ == model.n_features_in_, "encoder has other features")
    check_feature_names(model)
    if isinstance(encoder, UnateEncoder) and same_constraints(model.monotonic_cst, encoder.monotonic_cst):
        require(is_monotone(network), "network_ does not keep monotonic_cst")
    history = model.history_
    fits = isinstance(history, dict) and all(isinstance(values, list) for values in history.values())
    require(fits, "history_ must be a dict of lists")
    names = getattr(model, "target_names_", None)
    if names is not None:
        fits = isinstance(names, np.ndarray) and names.shape == (network.layers[-1].n_outputs,)
        require(fits and all(isinstance(name, str) for name in names), "target_names_ do not fit the scores")
    require(type(model.n_iter_) is int and model.n_iter_ >= 0, "n_iter_ must be an integer, at least 0")
    return network.layers[-1].n_outputs


def _check_classifier(model: Any) -> None:
    _check_parameters(model)
    if not is_fitted(model):
        return
    n_scores = _check_ends(model)
    check_classes(model)
    require(type(model.multilabel_) is bool, "multilabel_ must be true or false")
    one_score = getattr(model, "_one_score", False)
    require(type(one_score) is bool and not (one_score and model.multilabel_), "_one_score is for two classes")
    require(model.multilabel_ or len(model.classes_) > 1, "there must be at least two classes")
    fits = (len(model.classes_), n_scores) == (2, 1) if one_score else len(model.classes_) == n_scores
    require(fits, "classes_ do not fit the scores")
    _check_counts(model)
    _check_choice(model)
    fits = isinstance(model.network_.loss, ProbabilisticLoss) or getattr(model, "loss", None) is not None
    require(fits, "loss is not for classes")


def _check_counts(model: Any) -> None:
    """Check how many samples of each class have been seen, for each label where there are several."""
    counts = getattr(model, "_class_counts", None)
    if counts is None:
        return
    levels = [{0, 1}] * len(model.classes_) if model.multilabel_ else [set(model.classes_.tolist())]
    fits = isinstance(counts, list) and len(counts) == len(levels)
    require(fits and all(isinstance(one, dict) for one in counts), "_class_counts must be a list of dicts")
    for one, known in zip(counts, levels, strict=True):
        require(one.keys() <= known, "_class_counts must be of the classes")
        require(all(type(n) is int and n > 0 for n in one.values()), "_class_counts must be positive integers")


def _check_choice(model: Any) -> None:
    """Check what `fit` has found out: a plan that there is, counts, and a temperature."""
    if hasattr(model, "plan_"):
        require(isinstance(model.plan_, str), "plan_ must be a name")
        losses, n_held_out = model.held_out_losses_, model.n_held_out_
        fits = isinstance(losses, dict) and all(type(n) is int and n >= 0 for n in losses.values())
        require(fits, "held_out_losses_ must be a dict of whole numbers, at least 0")
        require(type(n_held_out) is int and n_held_out >= 0, "n_held_out_ must be an integer, at least 0")
    if hasattr(model, "probability_temperature_"):
        heat = model.probability_temperature_
        require(type(heat) is float and 1e-3 < heat < 1e3, "probability_temperature_ must be a number, about 1")


def _check_regressor(model: BooleanRegressor) -> None:
    _check_parameters(model)
    if not is_fitted(model):
        return
    n_scores = _check_ends(model)
    _check_choice(model)
    for name in ("target_mean_", "target_std_"):
        array = getattr(model, name)
        fits = isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == (n_scores,)
        require(fits, f"{name} does not fit the scores")
        require((np.abs(array) <= _LARGEST).all(), f"{name} must be finite, and within {_LARGEST:g} of 0")
    require((model.target_std_ >= 0).all(), "target_std_ must not be negative")
    fits = type(model.unit_) is float and isfinite(model.unit_) and model.unit_ >= 1
    require(fits, "unit_ must be a finite number, at least 1")
    require(model.target_ndim_ in (1, 2), "target_ndim_ must be 1 or 2")
    require(model.target_ndim_ == 2 or n_scores == 1, "target_ndim_ must be 2 for several targets")
    _check_calibration(model, n_scores)


def _check_calibration(model: BooleanRegressor, n_scores: int) -> None:
    """Check what intervals are made of, if there are any."""
    if not hasattr(model, "calibration_errors_"):
        require(not hasattr(model, "spread_"), "spread_ is for calibration_errors_")
        return
    errors, spread = model.calibration_errors_, getattr(model, "spread_", None)
    fits = isinstance(errors, np.ndarray) and errors.dtype == np.float64 and errors.ndim == 2
    require(fits and len(errors) and errors.shape[1] == n_scores, "calibration_errors_ do not fit the scores")
    in_order = bool((errors >= 0).all() and (np.diff(errors, axis=0) >= 0).all())
    require(in_order and bool(np.isfinite(errors).all()), "calibration_errors_ must be finite, and in order")
    require(spread is None or isinstance(spread, BooleanRegressor), "spread_ must be a regressor of bvar")
    require(spread is None or spread.n_features_in_ == model.n_features_in_, "spread_ has other features")


register(BooleanClassifier, check=_check_classifier)
register(BooleanConvClassifier, check=_check_classifier)
register(LogicGateClassifier, check=_check_classifier)
register(LogicGateConvClassifier, check=_check_classifier)
register(BooleanRegressor, check=_check_regressor)


def _check_augmentation(augment: LearnedAugmentation) -> None:
    """Check parameters, and what was learnt if anything was."""
    augment.checked()
    if not hasattr(augment, "location_"):
        return
    n = len(augment.steps())
    for name in ("location_", "width_"):
        array = getattr(augment, name)
        fits = isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == (n,)
        require(fits and bool(np.isfinite(array).all()), f"{name} must be {n} finite numbers")
    require((augment.width_ >= 0).all(), "width_ must not be negative")
    require(isinstance(augment.history_, dict), "history_ must be a dict of lists")


def _check_augmented(model: AugmentedClassifier) -> None:
    """Check a real network, what it knows of its last weights, and what it learnt of transforms."""
    if not is_fitted(model):
        return
    check_perceptron(model)
    model._check_parameters()
    augment, deviation = model.augmentation_, model.last_deviation_
    fits = augment is None or (isinstance(augment, LearnedAugmentation) and hasattr(augment, "location_"))
    require(fits, "augmentation_ must be None or what was learnt")
    if augment is not None:
        augment.checked(model.n_features_in_)
    last = model.coefs_[-1]
    fits = deviation is None or (deviation.shape == last.shape and deviation.dtype == last.dtype)
    require(fits and (deviation is None or bool((deviation >= 0).all())), "last_deviation_ does not fit coefs_")
    check_integer(model._seed, "_seed", low=0, high=2**31 - 1)


_CHANGES = (RandomFlip, RandomRotation, RandomShift)
_TRANSFORMS = (Cutout, Flip, Mixup, Noise, Rotation, Scale, Shear, Shift)
for _change in (*_CHANGES, *_TRANSFORMS):
    register(_change)
register(LearnedAugmentation, check=_check_augmentation)
register(AugmentedClassifier, check=_check_augmented)
