"""Layers of a Boolean network, one module each."""

from bvar.layers.base import Layer, Parameter
from bvar.layers.linear import BooleanLinear
from bvar.layers.threshold import Threshold

__all__ = ["BooleanLinear", "Layer", "Parameter", "Threshold"]
