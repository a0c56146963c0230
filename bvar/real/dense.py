"""Networks from images to images with real ends, as the paper has them: super-resolution and segmentation.

Between a first and a last convolution of real weights everything is Boolean (``docs/explanation/real-ends.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod, sqrt
from typing import NamedTuple

from bvar import kernels
from bvar._validation import check_image_shape, check_integer, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers import (
    BooleanConv2d,
    GlobalMean,
    Layer,
    PixelShuffle,
    SignedSum,
    Threshold,
    Upsample2d,
)
from bvar.networks import BooleanOptimizer, ConvStage, Loss, Network, Norm, PerPixel, residual_block
from bvar.networks.stages import activation, boolean_stage
from bvar.real.adam import Adam
from bvar.real.batch_norm import BatchNorm
from bvar.real.conv import RealConv2d
from bvar.real.join_channels import RealJoinChannels
from bvar.real.layers import FixedPoint
from bvar.real.losses import RealCrossEntropy, RealHuber

__all__ = ["edsr_small", "segmenter"]

_TAPS = 9  # of a window of three by three
_MOST_FILTERS = kernels.MAX_TERMS // (4 * _TAPS)  # so that four times as many can be summed up over a window


class _Recipe(NamedTuple):
    """What all layers of a network have in common."""

    source: RandomWords
    norm: Norm | None


def edsr_small(
    image_shape: tuple[int, ...] = (16, 16, 3),
    *,
    factor: int = 2,
    n_filters: int = 64,
    n_blocks: int = 4,
    eta: float = 10.0,
    clip: float = 1.0,
    rate: float = 3e-3,
    n_steps: int | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a small EDSR whose residual blocks are Boolean: super-resolution.

    Parameters
    ----------
    image_shape : tuple of int, default=(16, 16, 3)
        (height, width, channels) of the small images, float32 numbers of mean square 1.
    factor : int, default=2
        How many times larger the images become.
    n_filters : int, default=64
        Filters of each convolution; the paper has 256.
    n_blocks : int, default=4
        Residual blocks; the paper has 8.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    rate : float, default=0.003
        Of Adam, which trains the real weights.
    n_steps : int, optional
        Length of both schedules. Default: both rates stay.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from.

    Returns
    -------
    Network
        From small images to large ones, rows of ``height * factor * width * factor * channels`` numbers, with
        :class:`RealHuber` as its loss.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    See Also
    --------
    bvar.networks.residual_block : The block.

    Notes
    -----
    Activations of one bit hold the light of an image badly. So let the network make what has to be added to an
    enlarged image, divided by the spread of that.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, section 4.2.
    B. Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR workshops 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import edsr_small
    >>> network = edsr_small((4, 4, 3), n_filters=8, n_blocks=1, random_state=0)
    >>> network.scores(np.ones((1, 48), np.float32)).shape
    (1, 192)
    """
    height, width, channels = check_image_shape(image_shape)
    factor = check_integer(factor, "factor", low=1)
    n_filters = check_integer(n_filters, "n_filters", low=1, high=_MOST_FILTERS)
    n_blocks = check_integer(n_blocks, "n_blocks", low=1, high=1000)
    source = RandomWords.of(random_state)
    n_last = channels * factor**2
    layers = _stem((height, width, channels), n_filters, 2 * _TAPS * n_filters, source)
    inside = (height, width, n_filters)
    for number in range(1, n_blocks + 1):
        fan_out = _TAPS * n_last if number == n_blocks else None
        layers += residual_block(inside, n_filters, fan_out=fan_out, random_state=source, name=f"block{number}")
    layers.append(RealConv2d(inside, n_last, padding=1, random_state=source, name="last"))
    layers.append(PixelShuffle((height, width, n_last), factor))
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return _trained(layers, RealHuber(), optimizer, rate)


def segmenter(
    image_shape: tuple[int, ...] = (32, 32, 3),
    n_classes: int = 8,
    *,
    n_filters: int = 64,
    dilations: Sequence[int] = (2, 4, 6),
    global_branch: bool = True,
    norm: Norm | None = None,
    eta: float = 10.0,
    clip: float = 1.0,
    rate: float = 3e-3,
    n_steps: int | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a Boolean encoder and decoder around the paper's pyramid of dilated convolutions: segmentation.

    Parameters
    ----------
    image_shape : tuple of int, default=(32, 32, 3)
        (height, width, channels) of the images, float32 numbers of mean square 1; height and width even.
    n_classes : int, default=8
        Classes of pixels.
    n_filters : int, default=64
        Filters of each convolution.
    dilations : sequence of int, default=(2, 4, 6)
        Of the convolutions of three by three in the pyramid, beside the one of one by one; the paper has 12, 24
        and 36 for its large images.
    global_branch : bool, default=True
        Whether the pyramid sees the mean of the whole image too.
    norm : type, optional
        What normalises the sums before thresholds, see :func:`bvar.networks.residual_block`: :class:`BatchNorm`.
        Those of the first convolution are not, its biases being levels of light. Default: nothing but the global
        branch is, as in the paper.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    rate : float, default=0.003
        Of Adam, which trains the real weights.
    n_steps : int, optional
        Length of both schedules. Default: both rates stay.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from.

    Returns
    -------
    Network
        From images to the scores of their pixels, rows of ``height * width * n_classes`` numbers, with
        :class:`bvar.networks.PerPixel` as its loss.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or height or width is odd.

    Notes
    -----
    Two residual blocks, the first with a stride of two, the second dilated; on their integer sums the pyramid, and
    a convolution of one by one; then a pixel shuffle back to full size, beside a convolution of what the first
    layer saw; a real convolution of one by one gives the scores. The global branch averages the integer sums, and
    has a batch normalisation before its threshold, as in the paper.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. D.3.1.
    L.-C. Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", arXiv 1706.05587, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import segmenter
    >>> network = segmenter((8, 8, 3), 4, n_filters=8, dilations=(1, 2), random_state=0)
    >>> network.scores(np.ones((1, 192), np.float32)).shape
    (1, 256)
    """
    height, width, channels = check_image_shape(image_shape)
    if height % 2 or width % 2:
        raise ValueError(f"image_shape must have an even height and width, got {height} x {width}")
    n_classes = check_integer(n_classes, "n_classes", low=1)
    n_filters = check_integer(n_filters, "n_filters", low=1, high=_MOST_FILTERS)
    rates = check_sizes(dilations, "dilations")
    if not isinstance(global_branch, bool):
        raise TypeError(f"global_branch must be True or False, got {global_branch!r}")
    recipe, n_fine = _Recipe(RandomWords.of(random_state), norm), max(1, n_filters // 2)
    full = (height, width, n_filters)
    fan_out = _TAPS * (n_fine + Fraction(2 * n_filters, 4))
    join = RealJoinChannels(
        [
            _boolean(full, n_fine, n_classes, recipe, "fine"),
            [
                *_encoder(full, rates, global_branch, recipe),
                *_decoder((height // 2, width // 2, n_filters), n_fine, n_classes, recipe),
            ],
        ],
        height * width,
    )
    layers = [
        *_stem((height, width, channels), n_filters, fan_out, recipe.source),
        join,
        RealConv2d((height, width, 2 * n_fine), n_classes, 1, random_state=recipe.source, name="last"),
    ]
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return _trained(layers, PerPixel(RealCrossEntropy(), n_classes), optimizer, rate)


def _trained(layers: Sequence[Layer], loss: Loss, optimizer: BooleanOptimizer, rate: float) -> Network:
    return Network(layers, loss, optimizer, Adam(rate, n_steps=optimizer.n_steps))


def _stem(
    shape: tuple[int, int, int], n_filters: int, fan_out: int | Fraction, source: RandomWords
) -> list[Layer]:
    """Make the first convolution; its biases are drawn, since a bit compares with some level of light."""
    conv = RealConv2d(shape, n_filters, padding=1, random_state=source, name="stem")
    _, bias = conv.real_parameters
    bias.values[:] = sqrt(3) * source.uniform(1, n_filters)[0]
    return [conv, FixedPoint(), Threshold(conv.n_outputs, FixedPoint.FAN_IN, fan_out)]


def _boolean(
    shape: tuple[int, int, int],
    n_filters: int,
    fan_out: int,
    recipe: _Recipe,
    name: str,
    kernel_size: int = 3,
    dilation: int = 1,
) -> list[Layer]:
    """Make a convolution that keeps the size of images, and its threshold."""
    conv = BooleanConv2d(
        shape,
        n_filters,
        kernel_size,
        padding=kernel_size // 2 * dilation,
        dilation=dilation,
        random_state=recipe.source,
        name=name,
    )
    return [conv, *_threshold(boolean_stage(conv), fan_out, recipe, name)]


def _threshold(stage: ConvStage, fan_out: int, recipe: _Recipe, name: str) -> list[Layer]:
    """Make the threshold of a stage, at 0 on the border too, and what normalises for it."""
    return activation(stage._replace(n_terms=None), fan_out, stage.gate, norm=recipe.norm, name=f"{name}.norm")


def _encoder(
    full: tuple[int, int, int], dilations: Sequence[int], global_branch: bool, recipe: _Recipe
) -> list[Layer]:
    """Make the residual blocks, the pyramid on their sums, and the convolution that merges its branches."""
    height, width, n = full
    shape = (height // 2, width // 2, n)
    above = n * (1 + _TAPS * len(dilations) + global_branch)
    first = residual_block(full, n, stride=2, norm=recipe.norm, random_state=recipe.source, name="block1")
    *sums, bits = residual_block(
        shape, n, dilation=2, fan_out=above, norm=recipe.norm, random_state=recipe.source, name="block2"
    )
    branches = [[bits, *_boolean(shape, n, n, recipe, "aspp0", 1)]]
    for number, dilation in enumerate(dilations, start=1):
        branches.append([bits, *_boolean(shape, n, n, recipe, f"aspp{number}", dilation=dilation)])
    if global_branch:
        variance = 2 * _TAPS * n if recipe.norm is None else recipe.norm.FAN_IN
        branches.append(_global_branch(shape, variance, recipe.source))
    pyramid = RealJoinChannels(branches, prod(shape[:2]))
    merged = (*shape[:2], len(branches) * n)
    return [*first, *sums, pyramid, *_boolean(merged, n, _TAPS * 2 * n, recipe, "merge", 1)]


def _global_branch(shape: tuple[int, int, int], variance: int, source: RandomWords) -> list[Layer]:
    """Average integer sums, weigh the means with bits, normalise, and spread the bits over the image."""
    height, width, n = shape
    weigh = SignedSum(n, n, random_state=source, name="global")
    return [
        GlobalMean(shape, variance, n),
        weigh,
        BatchNorm(n, weigh.sum_variance, name="global.norm"),
        Threshold(n, BatchNorm.FAN_IN, n * height * width),
        Upsample2d((1, 1, n), (height, width)),
    ]


def _decoder(shape: tuple[int, int, int], n_fine: int, fan_out: int, recipe: _Recipe) -> list[Layer]:
    """Make each pixel a square of four."""
    conv = BooleanConv2d(shape, 4 * n_fine, padding=1, random_state=recipe.source, name="grow")
    shuffle = PixelShuffle(conv.out_shape)
    grown = boolean_stage(conv)._replace(out_shape=shuffle.out_shape)
    return [conv, shuffle, *_threshold(grown, fan_out, recipe, "grow")]
