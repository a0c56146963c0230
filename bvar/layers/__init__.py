"""Layers of a Boolean network, one module each."""

from bvar.layers.add import Add
from bvar.layers.base import Layer, Parameter, RealParameter
from bvar.layers.batch_norm import BatchNorm
from bvar.layers.conv import BooleanConv2d
from bvar.layers.gate import GateLayer, GroupSum, Planes
from bvar.layers.linear import BooleanLinear
from bvar.layers.number_conv import RealConv2d, SignedConv2d
from bvar.layers.pool import MaxPool2d, SumPool2d
from bvar.layers.real import FixedPoint, RealLinear
from bvar.layers.signed_sum import SignedSum, standard_int8
from bvar.layers.threshold import Threshold
from bvar.layers.wires import image_places, random_wires, window_wires

__all__ = [
    "Add",
    "BatchNorm",
    "BooleanConv2d",
    "BooleanLinear",
    "FixedPoint",
    "GateLayer",
    "GroupSum",
    "Layer",
    "MaxPool2d",
    "Parameter",
    "Planes",
    "RealConv2d",
    "RealLinear",
    "RealParameter",
    "SignedConv2d",
    "SignedSum",
    "SumPool2d",
    "Threshold",
    "image_places",
    "random_wires",
    "standard_int8",
    "window_wires",
]
