"""Boolean networks as scikit-learn estimators.

``base`` is `fit`, ``checking`` what it refuses, ``resuming`` what it goes on from, ``fitted`` what a model does
after it, ``targets`` what y means, ``recipes`` and ``image_recipes`` what the network is, ``architecture`` and
``choosing`` which one it is where that is left to `fit`, ``judge`` scores on samples held out, ``balance`` what
class weights make of scores, ``monotone`` what keeps them from falling, ``intervals`` how far they may be off,
``classification`` what classifiers share, ``images`` and ``circuits`` what those of images and of gates do,
``predictor`` what answers single rows fast, ``card`` what a model says of itself, ``saved`` how files hold them;
each other module is one estimator.
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
