"""The float island: real weights at the ends of a Boolean network, or beside its maps, outside the promise.

Everything here is float, reproducible by seed on one backend and no more (``docs/explanation/real-ends.md``);
everything that is summed elsewhere in a network is an integer.  ``layers``, ``conv`` and ``batch_norm`` are what
stands in a network, ``join_channels`` holds branches with such layers; ``embedding``, ``layer_norm``,
``attention`` and ``residual`` are the layers of a transformer, with the arithmetic of ``transformer_parts``.
``rounding`` is where floats become integers, ``losses`` and ``adam`` train, ``trainer`` is what a network calls,
``once`` what it need not compute twice, ``blocks`` cuts what is large; ``ends``, ``dense`` and ``transformer``
build networks of this kind.
``perceptron`` and ``classifier`` are what models without a bit share, in other rooms.
"""

from bvar.real.adam import Adam
from bvar.real.attention import Attention
from bvar.real.batch_norm import BatchNorm
from bvar.real.conv import RealConv2d
from bvar.real.dense import edsr_small, segmenter
from bvar.real.embedding import Embedding, NGramEmbedding, PositionSum
from bvar.real.ends import RealEnds
from bvar.real.join_channels import RealJoinChannels
from bvar.real.layer_norm import LayerNorm
from bvar.real.layers import FixedPoint, RealLinear
from bvar.real.losses import RealCrossEntropy, RealHuber
from bvar.real.residual import RealScale, Residual
from bvar.real.trainer import RealLayer, RealParameter, RealSums, RealTrainer
from bvar.real.transformer import boolean_transformer, text_classifier

__all__ = [
    "Adam",
    "Attention",
    "BatchNorm",
    "Embedding",
    "FixedPoint",
    "LayerNorm",
    "NGramEmbedding",
    "PositionSum",
    "RealHuber",
    "RealConv2d",
    "RealCrossEntropy",
    "RealEnds",
    "RealJoinChannels",
    "RealLayer",
    "RealLinear",
    "RealParameter",
    "RealScale",
    "RealSums",
    "RealTrainer",
    "Residual",
    "boolean_transformer",
    "edsr_small",
    "segmenter",
    "text_classifier",
]
