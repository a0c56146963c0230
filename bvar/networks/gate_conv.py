"""Networks of gates for images: convolutions of gates, or-pools, then layers of gates and a count."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from bvar._validation import check_image_shape, check_integer, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers import GateConv2d, Layer, OrPool2d
from bvar.networks.conv import check_conv_layers
from bvar.networks.gates import gate_network
from bvar.networks.losses import Loss
from bvar.networks.network import Network

__all__ = ["gate_conv_network"]


def gate_conv_network(
    image_shape: tuple[int, ...],
    conv_layers: Sequence[int | str] = (64, "M", 128, "M"),
    layer_sizes: int | Sequence[int] = (8000, 4000),
    n_outputs: int = 10,
    *,
    kernel_size: int = 3,
    depth: int = 1,
    fan_in: int = 6,
    head_fan_in: int = 2,
    pass_through: int = 64,
    damping: int = 1,
    eta: float = 10.0,
    n_steps: int | None = None,
    temperature: float = 0.5,
    loss: Loss | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a network of gates for images, the first of which have one table for all places.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the encoded images, one bit per channel.
    conv_layers : sequence of int or 'M', default=(64, 'M', 128, 'M')
        Numbers of trees at each place, and 'M' for an or-pool of two by two behind them: the maximum of bits.
    layer_sizes : int or sequence of int, default=(8000, 4000)
        Numbers of gates of the layers between the last convolution and the scores; the last must be a multiple of
        `n_outputs`.
    n_outputs : int, default=10
        Number of classes, or of other scores.
    kernel_size : int, default=3
        Taps of each window in both directions, odd: images keep their size, the padding being half of it.
    depth : int, default=1
        Levels of gates in each tree, see :class:`bvar.layers.GateConv2d`.
    fan_in : int, default=6
        Wires of each gate of a tree, 1 to 6. The wider, the finer: one entry of a table of six wires answers for
        few of the places, one of two wires for a quarter of them.
    head_fan_in : int, default=2
        Wires of each gate behind the trees, 1 to 6.
    pass_through : int, default=64
        Of 64 gates of trees, how many copy their first wire in the beginning, see
        :class:`bvar.layers.GateConv2d`: all, since an or over tables that were drawn is T nearly everywhere.
    damping : int, default=1
        See :class:`bvar.layers.GateConv2d`.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`; votes are not clipped.
    n_steps : int, optional
        Likewise.
    temperature : float, default=0.5
        See :func:`gate_network`.
    loss : Loss, optional
        Another loss, see :func:`gate_network`.
    random_state : None, int, RandomState or RandomWords, default=None
        Where wires and initial tables come from, layer by layer.

    Returns
    -------
    Network
        From encoded images, rows of ``height * width * channels`` bits, to scores.

    Raises
    ------
    TypeError, ValueError
        If sizes are not positive integers, a pool does not follow a convolution or finds an image too small, the
        kernel size is even, or the last layer cannot be shared evenly.

    See Also
    --------
    gate_network : Without convolutions.
    conv_network : Convolutions that sum.

    Examples
    --------
    >>> from bvar.networks import gate_conv_network
    >>> network = gate_conv_network((28, 28, 4), (16, "M"), (200, 100), random_state=0)
    >>> [type(layer).__name__ for layer in network.layers]
    ['GateConv2d', 'OrPool2d', 'GateLayer', 'GateLayer', 'GroupSum']
    """
    stages = check_conv_layers(conv_layers, "conv_layers")
    sizes = check_sizes(layer_sizes, "layer_sizes", least=1)
    if check_integer(kernel_size, "kernel_size", low=1) % 2 == 0:
        raise ValueError(f"kernel_size must be odd, so that images keep their size, got {kernel_size}")
    source, shape, layers = RandomWords.of(random_state), check_image_shape(image_shape), list[Layer]()
    for number, (n_filters, has_pool) in enumerate(stages, start=1):
        conv = GateConv2d(
            shape,
            n_filters,
            kernel_size,
            depth=depth,
            fan_in=fan_in,
            padding=kernel_size // 2,
            pass_through=pass_through,
            damping=damping,
            random_state=source,
            name=f"gateconv{number}",
        )
        layers.append(conv)
        shape = conv.out_shape
        if has_pool:
            pool = OrPool2d(shape)
            layers.append(pool)
            shape = pool.out_shape
    head = gate_network(
        [prod(shape), *sizes],
        n_outputs,
        fan_in=head_fan_in,
        eta=eta,
        n_steps=n_steps,
        temperature=temperature,
        loss=loss,
        random_state=source,
    )
    return Network([*layers, *head.layers], head.loss, head.optimizer)
