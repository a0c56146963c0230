"""Residual networks: blocks of two branches whose integer sums add up (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod

from bvar._validation import check_image_shape, check_integer, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.calculus.gates import Gate
from bvar.layers import Add, BooleanConv2d, BooleanLinear, Layer
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.ends import ConvStage, Ends, Norm, check_parts
from bvar.networks.losses import Loss
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.stages import activation, boolean_stage

__all__ = ["residual_block", "residual_network"]

_XNOR = Gate.of("xnor")


def residual_network(
    image_shape: tuple[int, ...],
    filters: Sequence[int] = (64, 128, 256, 512),
    n_outputs: int = 10,
    *,
    n_blocks: int = 2,
    ends: Ends | None = None,
    norm: Norm | None = None,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    temperature: float = 2.0,
    random_state: RandomSource = None,
) -> Network:
    """Build a residual network of the paper's Block I, for small images: ResNet18, if nothing else is said.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the encoded images, one bit per channel; of real ends, one number.
    filters : sequence of int, default=(64, 128, 256, 512)
        Filters of each stage; every stage but the first halves the sides of images.
    n_outputs : int, default=10
        Number of classes.
    n_blocks : int, default=2
        Blocks of each stage.
    ends : Ends, optional
        What makes the first convolution and the last linear layer, and the loss, see :func:`conv_network`.
    norm : type, optional
        What normalises the sums of the first convolution and the totals of blocks, see :func:`conv_network`.
        Default: nothing, as in the paper.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    n_steps : int, optional
        Likewise.
    temperature : float, default=2.0
        See :class:`bvar.networks.CrossEntropy`.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, layer by layer.

    Returns
    -------
    Network
        A convolution, the blocks, and a linear layer over all that the last block says of an image.

    Raises
    ------
    TypeError, ValueError
        If sizes are not positive integers, there is no stage, or `ends` or `norm` is none of these.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. D.1.3.

    Examples
    --------
    >>> from bvar.networks import residual_network
    >>> network = residual_network((8, 8, 3), (8, 16), n_blocks=1, random_state=0)
    >>> [type(layer).__name__ for layer in network.layers]
    ['BooleanConv2d', 'Threshold', 'Add', 'Threshold', 'Add', 'Threshold', 'BooleanLinear']
    """
    widths = check_sizes(filters, "filters", least=1)
    n_outputs = check_integer(n_outputs, "n_outputs", low=1)
    n_blocks = check_integer(n_blocks, "n_blocks", low=1, high=1000)
    check_parts(ends, norm)
    source = RandomWords.of(random_state)
    plan = [(n, 2 if stage and not i else 1) for stage, n in enumerate(widths) for i in range(n_blocks)]
    first = _stem(check_image_shape(image_shape), widths[0], ends, source)
    layers = first.layers + activation(first, _block_fan_out(*plan[0]), _XNOR, norm=norm, name="norm1")
    shape = first.out_shape
    for number, (here, above) in enumerate(pairwise([*plan, None]), start=1):
        n_filters, stride = here  # type: ignore[misc]
        layers += residual_block(
            shape,
            n_filters,
            stride=stride,
            fan_out=n_outputs if above is None else _block_fan_out(*above),
            norm=norm,
            random_state=source,
            name=f"block{number}",
        )
        shape = -(-shape[0] // stride), -(-shape[1] // stride), n_filters
    if ends is None:
        layers.append(BooleanLinear(prod(shape), n_outputs, random_state=source, name="linear1"))
        loss: Loss = CrossEntropy(prod(shape), temperature)
    else:
        layers.append(ends.last(prod(shape), n_outputs, random_state=source, name="linear1"))
        loss = ends.loss()
    return Network(layers, loss, BooleanOptimizer(eta, clip=clip, n_steps=n_steps))


def _stem(shape: tuple[int, int, int], n_filters: int, ends: Ends | None, source: RandomWords) -> ConvStage:
    if ends is not None:
        return ends.first(shape, n_filters, 3, random_state=source, name="conv1")
    return boolean_stage(BooleanConv2d(shape, n_filters, padding=1, random_state=source, name="conv1"))


def _block_fan_out(n_filters: int, stride: int) -> Fraction:
    """Mean number of sums that a bit below a block is a term of: its first convolution and its shortcut."""
    return Fraction(2 * 9 * n_filters, stride**2)


def residual_block(
    image_shape: tuple[int, ...],
    n_filters: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    fan_out: int | Fraction | None = None,
    norm: Norm | None = None,
    random_state: RandomSource = None,
    name: str = "block",
) -> list[Layer]:
    """Build the residual block of the paper without batch normalisation (its Block I).

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    n_filters : int
        Filters of each convolution.
    stride : int, default=1
        Of the first convolution and of the shortcut.
    dilation : int, default=1
        Of both convolutions; the shortcut has none (App. D.3.1).
    fan_out : int or Fraction, optional
        Number of outputs of the layer above each unit, see :class:`bvar.layers.Threshold`. Default: that of
        another block of the same filters.
    norm : type, optional
        What normalises the total before its threshold, see :func:`conv_network`. Default: nothing, as in the
        paper. The sums between both convolutions are not normalised in any case.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from.
    name : str, default='block'
        How names of parameters begin.

    Returns
    -------
    list of Layer
        An :class:`bvar.layers.Add` of two branches and its threshold: two convolutions of three by three with a
        threshold between, and one such convolution as the shortcut, so that both branches have the same spread.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. D.1.3.

    Examples
    --------
    >>> from bvar.networks import residual_block
    >>> add, threshold = residual_block((8, 8, 16), 32, stride=2, random_state=0)
    >>> [parameter.name for parameter in add.parameters]
    ['block.conv1.weight', 'block.conv2.weight', 'block.shortcut.weight']
    >>> threshold.tau.shape
    (512,)
    """
    shape, source = check_image_shape(image_shape), RandomWords.of(random_state)

    def conv(shape: tuple[int, ...], stride: int, dilation: int, part: str) -> BooleanConv2d:
        return BooleanConv2d(
            shape,
            n_filters,
            padding=dilation,
            stride=stride,
            dilation=dilation,
            random_state=source,
            name=f"{name}.{part}",
        )

    first = conv(shape, stride, dilation, "conv1")
    second = conv(first.out_shape, 1, dilation, "conv2")
    shortcut = conv(shape, stride, 1, "shortcut")
    add = Add([[first, *activation(boolean_stage(first), second.fan_out, second.gate), second], [shortcut]])
    fan_in = second.window.patch_size + shortcut.window.patch_size
    total = ConvStage([add], second.out_shape, fan_in, n_terms=second.n_terms() + shortcut.n_terms())
    above = 2 * second.fan_out if fan_out is None else fan_out
    return [add, *activation(total, above, second.gate, norm=norm, name=f"{name}.norm")]
