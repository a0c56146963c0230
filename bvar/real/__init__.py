"""The float island: real weights at the ends of a Boolean network, outside the promise of equal bits.

Everything here is float, reproducible by seed on one backend and no more (``docs/explanation/real-ends.md``);
everything that is summed elsewhere in a network is an integer.  ``layers``, ``conv`` and ``batch_norm`` are what
stands in a network, ``join_channels`` holds branches with such layers, ``rounding`` is where floats become
integers, ``losses`` and ``adam`` train, ``trainer`` is what a network calls, and ``ends`` and ``dense`` build
networks of this kind.
"""

from bvar.real.adam import Adam
from bvar.real.batch_norm import BatchNorm
from bvar.real.conv import RealConv2d
from bvar.real.dense import edsr_small, segmenter
from bvar.real.ends import RealEnds
from bvar.real.join_channels import RealJoinChannels
from bvar.real.layers import FixedPoint, RealLinear
from bvar.real.losses import RealAbsoluteError, RealCrossEntropy
from bvar.real.trainer import RealLayer, RealParameter, RealSums, RealTrainer

__all__ = [
    "Adam",
    "BatchNorm",
    "FixedPoint",
    "RealAbsoluteError",
    "RealConv2d",
    "RealCrossEntropy",
    "RealEnds",
    "RealJoinChannels",
    "RealLayer",
    "RealLinear",
    "RealParameter",
    "RealSums",
    "RealTrainer",
    "edsr_small",
    "segmenter",
]
