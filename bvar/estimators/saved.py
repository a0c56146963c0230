"""Estimators in files: what they are, and whether encoder, network and targets of one that is read fit each other.

They stand above :mod:`bvar.model_file`, which therefore does not know them until they are registered here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.estimators.classifier import BooleanClassifier
from bvar.estimators.conv import BooleanConvClassifier
from bvar.estimators.gates import LogicGateClassifier
from bvar.estimators.regressor import BooleanRegressor
from bvar.model_file import register
from bvar.networks.losses import ProbabilisticLoss
from bvar.networks.network import Network
from bvar.training.augmentation import RandomFlip, RandomRotation, RandomShift


def _check_ends(model: Any) -> int:
    """Check the encoder and the input of the network; return the number of scores."""
    network = model.network_
    _require(isinstance(network, Network), "network_ must be a network")
    n_bits = getattr(model.encoder_, "n_bits_out_", None)
    _require(n_bits == network.layers[0].n_inputs, "encoder does not fit the network")
    _require(model.encoder_.n_features_in_ == model.n_features_in_, "encoder has other features")
    names = getattr(model, "feature_names_in_", None)
    _require(names is None or names.shape == (model.n_features_in_,), "names do not fit the features")
    return network.layers[-1].n_outputs


def _check_classifier(model: Any) -> None:
    if not hasattr(model, "network_"):
        return
    n_scores, classes = _check_ends(model), model.classes_
    fits = isinstance(classes, np.ndarray) and classes.shape == (n_scores,)
    _require(fits, "classes_ do not fit the scores")
    _require(isinstance(model.network_.loss, ProbabilisticLoss), "loss is not for classes")
    _require(type(model.multilabel_) is bool, "multilabel_ must be true or false")
    _require(model.multilabel_ or n_scores > 1, "there must be at least two classes")


def _check_regressor(model: BooleanRegressor) -> None:
    if not hasattr(model, "network_"):
        return
    n_scores = _check_ends(model)
    for name in ("target_mean_", "target_std_"):
        array = getattr(model, name)
        fits = isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == (n_scores,)
        _require(fits, f"{name} does not fit the scores")
    _require(type(model.unit_) is float and model.unit_ > 0, "unit_ must be a positive number")
    _require(model.target_ndim_ in (1, 2), "target_ndim_ must be 1 or 2")


def _require(condition: Any, text: str) -> None:
    if not condition:
        raise ValueError(text)


register(BooleanClassifier, check=_check_classifier)
register(BooleanConvClassifier, check=_check_classifier)
register(LogicGateClassifier, check=_check_classifier)
register(BooleanRegressor, check=_check_regressor)

for _augmentation in (RandomFlip, RandomRotation, RandomShift):
    register(_augmentation)
