"""Turn numbers into bits: the first layer of every model, fitted on the training data.

A thermometer of k bits asks k questions of a number, "are you at least t?", for rising thresholds t; the answers
are bits, and a larger number answers T to more of them.  NaN answers none: it becomes the 0 of M, which adds nothing
to a sum and gets no vote.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar import kernels
from bvar._validation import check_choice, check_integer
from bvar.bits import BitMatrix

__all__ = ["ThermometerEncoder"]

_STRATEGIES = ("uniform", "quantile")
