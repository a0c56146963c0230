"""Layers of a Boolean network: bits and integers alone; real weights are in ``bvar.real``.

``base`` is the contract, ``parameter``, ``offset``, ``choice`` are what votes train, ``ballots`` is what votes are
counted from, ``branches`` layers of layers, ``places`` lays images out for gates, ``wires`` says who reads
whom and ``comparisons`` draws trees of gates; every other module is a layer or a few of a kin.
"""

from bvar.layers.add import Add
from bvar.layers.ballots import Ballots
from bvar.layers.base import Comparison, Layer, Product
from bvar.layers.choice import Choice
from bvar.layers.comparisons import random_comparisons
from bvar.layers.concatenate import Concatenate
from bvar.layers.conv import BooleanConv2d
from bvar.layers.gate import GateLayer, GroupSum, UnitMajor
from bvar.layers.gate_conv import GateConv2d
from bvar.layers.global_mean import GlobalMean
from bvar.layers.join_channels import JoinChannels
from bvar.layers.linear import BooleanLinear
from bvar.layers.number_conv import SignedConv2d
from bvar.layers.offset import Offset
from bvar.layers.parameter import Parameter, Trainable
from bvar.layers.pool import MaxPool2d, OrPool2d, SumPool2d
from bvar.layers.resize import PixelShuffle, Upsample2d
from bvar.layers.signal_scale import SignalScale
from bvar.layers.signed_sum import SignedSum, standard_int8
from bvar.layers.threshold import Threshold
from bvar.layers.wires import column_wires, image_places, random_candidates, random_wires, window_wires

__all__ = [
    "Add",
    "Ballots",
    "BooleanConv2d",
    "BooleanLinear",
    "Choice",
    "Comparison",
    "Concatenate",
    "GateConv2d",
    "GateLayer",
    "GlobalMean",
    "GroupSum",
    "JoinChannels",
    "Layer",
    "MaxPool2d",
    "Offset",
    "OrPool2d",
    "Parameter",
    "PixelShuffle",
    "Product",
    "UnitMajor",
    "SignalScale",
    "SignedConv2d",
    "SignedSum",
    "SumPool2d",
    "Threshold",
    "Trainable",
    "Upsample2d",
    "column_wires",
    "image_places",
    "random_candidates",
    "random_comparisons",
    "random_wires",
    "standard_int8",
    "window_wires",
]
