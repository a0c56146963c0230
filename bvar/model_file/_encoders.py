"""Encoders in files, and the objects that estimators are set up with: mollifiers, schedules, random words."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder
from bvar.model_file._kinds import register, require
from bvar.mollify import CosineSchedule, LinearSchedule, Mollifier, SigmoidSchedule, ThresholdAnnealing

# ------------------------------------------------------------------------------------------------ encoders


def _check_bits(encoder: BitEncoder) -> None:
    """Check that there are questions for each column, in a form that the encoder can ask."""
    require(encoder.n_bits_out_ == int(encoder._widths().sum()) > 0, "n_bits_out_ does not count the bits")
    encoder._groups()  # which looks at every category


def _check_lists(encoder: BitEncoder, *names: str) -> None:
    for name in names:
        parts = getattr(encoder, name)
        fits = isinstance(parts, list) and len(parts) == encoder.n_features_in_
        require(fits, f"{name} must be a list of one entry per feature")


def _check_thresholds(encoder: BitEncoder) -> None:
    for t in encoder.thresholds_:
        fits = isinstance(t, np.ndarray) and t.dtype == np.float64 and t.ndim == 1
        require(fits and np.isfinite(t).all() and (t[1:] > t[:-1]).all(), "thresholds must be numbers that rise")


def _check_thermometer(encoder: ThermometerEncoder) -> None:
    if hasattr(encoder, "n_bits_out_"):  # fitted
        _check_lists(encoder, "thresholds_")
        _check_thresholds(encoder)
        _check_bits(encoder)


def _check_one_hot(encoder: OneHotBits) -> None:
    if hasattr(encoder, "n_bits_out_"):
        _check_lists(encoder, "categories_", "infrequent_categories_")
        _check_bits(encoder)


def _check_table(encoder: TableEncoder) -> None:
    if not hasattr(encoder, "n_bits_out_"):
        return
    _check_lists(encoder, "kinds_", "thresholds_", "categories_", "infrequent_categories_")
    _check_thresholds(encoder)
    for kind, t, kept, pooled in zip(
        encoder.kinds_, encoder.thresholds_, encoder.categories_, encoder.infrequent_categories_, strict=True
    ):
        require(kind in ("number", "bool", "category"), "a column has an unknown kind")
        fits = len(t) == 0 if kind == "category" else not kept and not pooled and len(t) > 0
        require(fits, "a column has questions that do not suit its kind")
    _check_bits(encoder)


def _check_image(encoder: ImageEncoder) -> None:
    if not hasattr(encoder, "n_bits_out_"):
        return
    n_columns, t = encoder.n_features_in_, encoder.thresholds_
    fits = isinstance(t, np.ndarray) and t.dtype == np.float64 and t.ndim == 2 and t.size
    fits = fits and np.isfinite(t).all() and (t[:, 1:] >= t[:, :-1]).all() and n_columns % len(t) == 0
    require(fits, "thresholds must be numbers that rise, for each channel")
    require(encoder.n_bits_out_ == n_columns * t.shape[1], "n_bits_out_ does not count the bits")


register(ThermometerEncoder, check=_check_thermometer)
register(OneHotBits, check=_check_one_hot)
register(TableEncoder, check=_check_table)
register(ImageEncoder, check=_check_image)

# ------------------------------------------------------------------------------- what estimators are given

for _cls in (CosineSchedule, LinearSchedule, Mollifier, SigmoidSchedule, ThresholdAnnealing):
    register(_cls)


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
