"""What is trained: layers with a loss and an optimizer, and recipes for the usual ones.

``network`` is the stack of layers with its verbs, ``votes`` what they hand around, ``losses`` turn scores into
signals, ``cross_entropy`` and ``pixel_losses`` those of classes and of every pixel, ``optimizer`` turns votes into
flips; ``mlp``, ``gates``, ``front``, ``conv``, ``residual`` and ``gate_conv`` build networks, ``ends`` is what
they ask for parts of another kind, ``stages`` what stands behind a convolution, ``summary`` a table of all
weights.
"""

from bvar.networks.conv import VGG_SMALL, conv_network, vgg_small
from bvar.networks.cross_entropy import BinaryCrossEntropy, CrossEntropy, integer_targets
from bvar.networks.ends import ConvStage, Ends, Norm
from bvar.networks.flips import Flips, follow
from bvar.networks.front import front_network
from bvar.networks.gate_conv import gate_conv_network
from bvar.networks.gates import gate_network
from bvar.networks.losses import FULL_WEIGHT, LOSS_ONE, SIGNAL_MAX, Loss, ProbabilisticLoss, SquaredError
from bvar.networks.mlp import boolean_mlp
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.pixel_losses import PerPixel
from bvar.networks.residual import residual_block, residual_network
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
    "Norm",
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
    "residual_network",
    "shares",
    "vgg_small",
]
