"""What is trained: layers with a loss and an optimizer, and recipes for the usual ones.

``network`` is the stack of layers with its verbs, ``votes`` what they hand around, ``losses`` turn scores into
signals, ``pixel_losses`` those of every pixel, ``optimizer`` turns votes into flips; ``mlp``, ``gates``,
``front``, ``conv`` and ``gate_conv`` build networks, ``ends`` is what ``conv`` asks for ends of another kind,
``summary`` a table of all weights.
"""

from bvar.networks.conv import VGG_SMALL, conv_network, residual_block, vgg_small
from bvar.networks.ends import ConvStage, Ends
from bvar.networks.flips import Flips, follow
from bvar.networks.front import front_network
from bvar.networks.gate_conv import gate_conv_network
from bvar.networks.gates import gate_network
from bvar.networks.losses import (
    FULL_WEIGHT,
    LOSS_ONE,
    SIGNAL_MAX,
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    ProbabilisticLoss,
    SquaredError,
    integer_targets,
)
from bvar.networks.mlp import boolean_mlp
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.pixel_losses import PerPixel
from bvar.networks.signals import Signals, has_signals, shares
from bvar.networks.votes import Votes

__all__ = [
    "FULL_WEIGHT",
    "LOSS_ONE",
    "SIGNAL_MAX",
    "VGG_SMALL",
    "BinaryCrossEntropy",
    "BooleanOptimizer",
    "ConvStage",
    "CrossEntropy",
    "Ends",
    "Flips",
    "Loss",
    "Network",
    "PerPixel",
    "ProbabilisticLoss",
    "Signals",
    "SquaredError",
    "Votes",
    "boolean_mlp",
    "conv_network",
    "follow",
    "front_network",
    "gate_conv_network",
    "gate_network",
    "has_signals",
    "integer_targets",
    "residual_block",
    "shares",
    "vgg_small",
]
