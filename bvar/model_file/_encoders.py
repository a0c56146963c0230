"""Encoders in files, and the objects that estimators are set up with: mollifiers, schedules, random words."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, prod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from bvar._validation import check_choice, check_integer
from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder, UnateEncoder
from bvar.encoding.counts import check_subsample
from bvar.encoding.one_hot import check_limits
from bvar.encoding.table import check_n_bits
from bvar.encoding.thresholds import STRATEGIES
from bvar.encoding.unate import check_directions
from bvar.model_file._kinds import register, require
from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    MollifiedClassifier,
    Mollifier,
    SigmoidSchedule,
    ThresholdAnnealing,
)

__all__ = ["check_classes", "check_feature_names", "is_fitted"]

# ------------------------------------------------------------------------------------------------ encoders


def is_fitted(estimator: BaseEstimator) -> bool:
    """Whether an estimator holds more than its parameters: then it must hold everything."""
    return bool(vars(estimator).keys() - estimator.get_params(deep=False).keys())


def _check_bits(encoder: BitEncoder) -> None:
    """Check that there are questions for each column, in a form that the encoder can ask."""
    require(type(encoder.n_bits_out_) is int, "n_bits_out_ must be an integer")
    require(encoder.n_bits_out_ == int(encoder._widths().sum()) > 0, "n_bits_out_ does not count the bits")
    encoder._groups()  # which looks at every category


def _check_columns(encoder: BitEncoder, *names: str) -> None:
    """Check that the number and the names of features are such, and that there is something for each."""
    n_columns = encoder.n_features_in_
    require(type(n_columns) is int and n_columns > 0, "n_features_in_ must be an integer, at least 1")
    check_feature_names(encoder)
    for name in names:
        parts = getattr(encoder, name)
        fits = isinstance(parts, list) and len(parts) == n_columns
        require(fits, f"{name} must be a list of one entry per feature")


def check_feature_names(estimator: BaseEstimator) -> None:
    """Check names of features, which only data with names leave behind."""
    if hasattr(estimator, "feature_names_in_"):
        names = estimator.feature_names_in_
        fits = isinstance(names, np.ndarray) and names.shape == (estimator.n_features_in_,)
        require(fits and all(isinstance(name, str) for name in names), "names do not fit the features")


def check_classes(estimator: Any) -> None:
    """Check that classes rise, since they are looked up by bisection."""
    classes = estimator.classes_
    require(isinstance(classes, np.ndarray) and classes.ndim == 1, "classes_ must be an array of one dimension")
    require(all(a < b for a, b in pairwise(classes.tolist())), "classes_ must rise")
    require(classes.dtype.kind != "f" or np.isfinite(classes).all(), "classes_ must be finite")


def _check_thresholds(encoder: BitEncoder) -> None:
    for t in encoder.thresholds_:
        fits = isinstance(t, np.ndarray) and t.dtype == np.float64 and t.ndim == 1
        require(fits and np.isfinite(t).all() and (t[1:] > t[:-1]).all(), "thresholds must be numbers that rise")


def _check_categories(encoder: BitEncoder) -> None:
    """Check that no category of a column comes twice, kept or pooled: it would have two bits."""
    for kept, pooled in zip(encoder.categories_, encoder.infrequent_categories_, strict=True):
        every = [*kept, *pooled]
        fits = all(type(c) in (str, bool, int) or (type(c) is float and isfinite(c)) for c in every)
        require(fits and len(set(every)) == len(every), "categories must be distinct text or numbers")


def _check_thermometer(encoder: ThermometerEncoder) -> None:
    check_integer(encoder.n_bits, "n_bits", low=1)
    check_subsample(encoder.subsample)
    check_choice(encoder.strategy, "strategy", STRATEGIES)
    if is_fitted(encoder):
        _check_columns(encoder, "thresholds_")
        _check_thresholds(encoder)
        _check_bits(encoder)


def _check_one_hot(encoder: OneHotBits) -> None:
    check_limits(encoder.max_categories, encoder.min_frequency)
    if is_fitted(encoder):
        _check_columns(encoder, "categories_", "infrequent_categories_")
        _check_categories(encoder)
        _check_bits(encoder)


def _check_table(encoder: TableEncoder) -> None:
    check_n_bits(encoder.n_bits)
    check_subsample(encoder.subsample)
    check_choice(encoder.strategy, "strategy", STRATEGIES)
    check_limits(encoder.max_categories, None)
    if not is_fitted(encoder):
        return
    _check_columns(encoder, "kinds_", "thresholds_", "categories_", "infrequent_categories_")
    _check_thresholds(encoder)
    _check_categories(encoder)
    for kind, t, kept, pooled in zip(
        encoder.kinds_, encoder.thresholds_, encoder.categories_, encoder.infrequent_categories_, strict=True
    ):
        require(kind in ("number", "bool", "category"), "a column has an unknown kind")
        fits = len(t) == 0 if kind == "category" else not kept and not pooled
        require(fits, "a column has questions that do not suit its kind")
    code_like = getattr(encoder, "code_like_", [])  # which older files lack
    fits = isinstance(code_like, list) and all(type(j) is int for j in code_like)
    require(fits and set(code_like) <= set(range(encoder.n_features_in_)), "code_like_ must be columns")
    _check_bits(encoder)


def _check_unate(encoder: UnateEncoder) -> None:
    if is_fitted(encoder):
        _check_columns(encoder, "directions_")
        names = list(encoder.feature_names_in_) if hasattr(encoder, "feature_names_in_") else None
        asked = check_directions(encoder.monotonic_cst, encoder.n_features_in_, names)
        require(encoder.directions_ == asked, "directions_ must be those of monotonic_cst")
    _check_table(encoder)


def _check_image(encoder: ImageEncoder) -> None:
    check_integer(encoder.n_bits, "n_bits", low=1)
    check_integer(encoder.n_channels, "n_channels", low=1)
    if not is_fitted(encoder):
        return
    _check_columns(encoder)
    n_columns, t = encoder.n_features_in_, encoder.thresholds_
    fits = isinstance(t, np.ndarray) and t.dtype == np.float64 and t.ndim == 2 and t.size
    fits = fits and np.isfinite(t).all() and (t[:, 1:] >= t[:, :-1]).all() and n_columns % len(t) == 0
    require(fits, "thresholds must be numbers that rise, for each channel")
    require(encoder.n_bits_out_ == n_columns * t.shape[1], "n_bits_out_ does not count the bits")


register(ThermometerEncoder, check=_check_thermometer)
register(OneHotBits, check=_check_one_hot)
register(TableEncoder, check=_check_table)
register(UnateEncoder, check=_check_unate)
register(ImageEncoder, check=_check_image)

# ------------------------------------------------------------------------------- what estimators are given

for _cls in (CosineSchedule, LinearSchedule, SigmoidSchedule, ThresholdAnnealing):
    register(_cls)


def _check_mollifier(mollifier: Mollifier) -> None:
    shape = mollifier.image_shape
    mollifier._checked(1 if shape is None else prod(shape))


register(Mollifier, check=_check_mollifier)


def check_perceptron(model: Any) -> None:
    """Check that the floats of a small real network make one, from standardised features to classes."""
    if not is_fitted(model):
        return
    check_classes(model)
    require(type(model.n_features_in_) is int, "n_features_in_ must be an integer")
    check_feature_names(model)
    for name in ("mean_", "std_"):
        value = np.asarray(getattr(model, name))
        fits = value.dtype == np.float64 and value.shape in ((), (model.n_features_in_,))
        require(fits and np.isfinite(value).all(), f"{name} must be finite numbers, one or one per feature")
    require((np.asarray(model.std_) > 0).all(), "std_ must be positive")
    weights, biases = model.coefs_, model.intercepts_
    require(isinstance(weights, list) and isinstance(biases, list) and weights, "coefs_ must be matrices")
    width, dtype = model.n_features_in_, weights[0].dtype
    for weight, bias in zip(weights, biases, strict=True):
        fits = weight.ndim == 2 and len(weight) == width and bias.shape == weight.shape[1:]
        fits = fits and dtype in (np.float32, np.float64) and weight.dtype == bias.dtype == dtype
        require(
            fits and np.isfinite(weight).all() and np.isfinite(bias).all(), "coefs_ and intercepts_ do not fit"
        )
        width = weight.shape[1]
    require(width == len(model.classes_), "classes_ do not fit the scores")


register(MollifiedClassifier, check=check_perceptron)


def _save_random(source: RandomWords) -> dict[str, Any]:
    state: Any = source.words.state
    if state["bit_generator"] != "PCG64" or state["has_uint32"]:
        raise TypeError("a model file cannot hold this state of a generator of random numbers")
    return {name: int(state["state"][name]) for name in ("inc", "state")}


def _load_random(inc: Any, state: Any) -> RandomWords:
    source = RandomWords(0)
    source.words.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": inc},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return source


register(RandomWords, save=_save_random, load=_load_random, made_again=("words",))
