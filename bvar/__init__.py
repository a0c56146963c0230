"""Boolean variation: neural networks of single bits, trained in logic.

Readers start with the four modules of :mod:`bvar.calculus`; users with :class:`BooleanClassifier`; porters with
:mod:`bvar.bits` and :mod:`bvar.backends.definition`.
"""

import os

from bvar import backends
from bvar._version import __version__, warn_of_namesake
from bvar.encoding import ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder
from bvar.estimators import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    LogicGateConvClassifier,
)
from bvar.model_file import load

__all__ = [
    "BooleanClassifier",
    "BooleanConvClassifier",
    "BooleanRegressor",
    "ImageEncoder",
    "LogicGateClassifier",
    "LogicGateConvClassifier",
    "OneHotBits",
    "TableEncoder",
    "ThermometerEncoder",
    "__version__",
    "backends",
    "load",
]

warn_of_namesake(os.path.dirname(os.path.dirname(__file__)))
