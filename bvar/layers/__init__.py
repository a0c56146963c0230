"""Layers of a Boolean network, one module each."""

from bvar.layers.add import Add
from bvar.layers.base import Layer, Parameter
from bvar.layers.conv import BooleanConv2d
from bvar.layers.gate import GateLayer, GroupSum, Planes
from bvar.layers.linear import BooleanLinear
from bvar.layers.pool import MaxPool2d
from bvar.layers.threshold import Threshold
from bvar.layers.wires import image_places, random_wires, window_wires

__all__ = [
    "Add",
    "BooleanConv2d",
    "BooleanLinear",
    "GateLayer",
    "GroupSum",
    "Layer",
    "MaxPool2d",
    "Parameter",
    "Planes",
    "Threshold",
    "image_places",
    "random_wires",
    "window_wires",
]
