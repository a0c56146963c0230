"""Boolean networks as scikit-learn estimators.

``base`` is `fit`, ``fitted`` what a model does after it, ``targets`` what y means, ``recipes`` what the network
is, ``architecture`` and ``choosing`` which one it is where that is left to `fit`, ``balance`` what weights make of
its scores, ``classification`` what classifiers share, ``images`` and ``circuits`` what those of images and of
gates do, ``predictor`` what answers single rows fast, ``saved`` how files hold them; each other module is one
estimator.
"""

from bvar.estimators import saved  # noqa: F401 - importing it lets model files hold estimators
from bvar.estimators.classifier import BooleanClassifier
from bvar.estimators.conv import BooleanConvClassifier
from bvar.estimators.gate_conv import LogicGateConvClassifier
from bvar.estimators.gates import LogicGateClassifier
from bvar.estimators.predictor import Predictor
from bvar.estimators.regressor import BooleanRegressor

__all__ = [
    "BooleanClassifier",
    "BooleanConvClassifier",
    "BooleanRegressor",
    "LogicGateClassifier",
    "LogicGateConvClassifier",
    "Predictor",
]
