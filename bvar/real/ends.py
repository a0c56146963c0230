"""Real weights at both ends of a convolutional network, as in the paper (``docs/explanation/real-ends.md``)."""

from __future__ import annotations

from bvar.bits.random import RandomSource
from bvar.networks.ends import ConvStage, Ends
from bvar.real.conv import RealConv2d
from bvar.real.layers import FixedPoint, RealLinear
from bvar.real.losses import RealCrossEntropy

__all__ = ["RealEnds"]


class RealEnds(Ends):
    """A first convolution and a last linear layer of real weights, trained by Adam, and a real loss.

    Such a network takes float32 numbers of mean square 1. It is reproducible by seed on one backend, and outside
    the promise of equal bits.

    See Also
    --------
    bvar.networks.conv_network, bvar.networks.vgg_small : What takes them.

    Examples
    --------
    >>> from bvar.networks import conv_network
    >>> from bvar.real import RealEnds
    >>> network = conv_network((8, 8, 3), (16, 16), (), ends=RealEnds(), random_state=0)
    >>> [type(layer).__name__ for layer in network.layers]
    ['RealConv2d', 'FixedPoint', 'Threshold', 'BooleanConv2d', 'Threshold', 'RealLinear']
    """

    def first(
        self,
        image_shape: tuple[int, int, int],
        n_filters: int,
        kernel_size: int,
        *,
        random_state: RandomSource = None,
        name: str = "conv1",
    ) -> ConvStage:
        """Make a convolution without a bias, whose place the threshold has, and round its sums."""
        conv = RealConv2d(
            image_shape,
            n_filters,
            kernel_size,
            padding=kernel_size // 2,
            bias=False,
            random_state=random_state,
            name=name,
        )
        return ConvStage([conv, FixedPoint()], conv.out_shape, FixedPoint.FAN_IN)

    def last(
        self, n_inputs: int, n_outputs: int, *, random_state: RandomSource = None, name: str = "linear1"
    ) -> RealLinear:
        """Make a linear layer with biases."""
        return RealLinear(n_inputs, n_outputs, random_state=random_state, name=name)

    def loss(self) -> RealCrossEntropy:
        """Make the cross-entropy of real scores."""
        return RealCrossEntropy()
