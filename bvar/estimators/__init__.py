"""Boolean networks as scikit-learn estimators."""

from bvar.estimators import saved  # noqa: F401 - importing it lets model files hold estimators
from bvar.estimators.classifier import BooleanClassifier
from bvar.estimators.conv import BooleanConvClassifier
from bvar.estimators.gates import LogicGateClassifier
from bvar.estimators.regressor import BooleanRegressor

__all__ = ["BooleanClassifier", "BooleanConvClassifier", "BooleanRegressor", "LogicGateClassifier"]
