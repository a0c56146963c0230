"""Layers of a Boolean network, one module each."""

from bvar.layers.base import Layer, Parameter
from bvar.layers.gate import GateLayer, GroupSum, Planes
from bvar.layers.linear import BooleanLinear
from bvar.layers.threshold import Threshold
from bvar.layers.wires import image_places, random_wires, window_wires

__all__ = [
    "BooleanLinear",
    "GateLayer",
    "GroupSum",
    "Layer",
    "Parameter",
    "Planes",
    "Threshold",
    "image_places",
    "random_wires",
    "window_wires",
]
