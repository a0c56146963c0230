"""Layers of a Boolean network, one module each."""

from bvar.layers.base import Layer, Parameter
from bvar.layers.gate import GateLayer, GroupSum, Planes
from bvar.layers.linear import BooleanLinear
from bvar.layers.threshold import Threshold

__all__ = ["BooleanLinear", "GateLayer", "GroupSum", "Layer", "Parameter", "Planes", "Threshold"]
