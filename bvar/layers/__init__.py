"""Layers of a Boolean network, one module each: bits and integers alone; real weights are in ``bvar.real``."""

from bvar.layers.add import Add
from bvar.layers.base import Comparison, Layer
from bvar.layers.concatenate import Concatenate
from bvar.layers.conv import BooleanConv2d
from bvar.layers.gate import GateLayer, GroupSum, UnitMajor
from bvar.layers.linear import BooleanLinear
from bvar.layers.number_conv import SignedConv2d
from bvar.layers.offset import Offset
from bvar.layers.parameter import Parameter, Trainable
from bvar.layers.pool import MaxPool2d, SumPool2d
from bvar.layers.signal_scale import SignalScale
from bvar.layers.signed_sum import SignedSum, standard_int8
from bvar.layers.threshold import Threshold
from bvar.layers.wires import image_places, random_wires, window_wires

__all__ = [
    "Add",
    "BooleanConv2d",
    "BooleanLinear",
    "Comparison",
    "Concatenate",
    "GateLayer",
    "GroupSum",
    "Layer",
    "MaxPool2d",
    "Offset",
    "Parameter",
    "UnitMajor",
    "SignalScale",
    "SignedConv2d",
    "SignedSum",
    "SumPool2d",
    "Threshold",
    "Trainable",
    "image_places",
    "random_wires",
    "standard_int8",
    "window_wires",
]
