"""Convolutional networks: convolutions, pools, thresholds, then linear layers; VGG-Small among them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import NamedTuple

from bvar._validation import check_image_shape, check_integer, check_real, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.calculus.gates import Gate
from bvar.layers import BooleanConv2d, BooleanLinear, Layer, MaxPool2d
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.ends import ConvStage, Ends, Norm, check_parts
from bvar.networks.losses import Loss
from bvar.networks.mlp import counts_from_mean
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.stages import activation, boolean_stage

__all__ = ["VGG_SMALL", "conv_network", "vgg_small"]

VGG_SMALL: tuple[int | str, ...] = (128, 128, "M", 256, 256, "M", 512, 512, "M")
"""The convolutions and pools of VGG-Small (BOLD, App. D.1.2)."""

_POOL = 2


def conv_network(
    image_shape: tuple[int, ...],
    conv_layers: Sequence[int | str] = (64, "M", 128, "M"),
    hidden_layer_sizes: int | Sequence[int] = (512,),
    n_outputs: int = 10,
    *,
    kernel_size: int = 3,
    ends: Ends | None = None,
    norm: Norm | None = None,
    gate: str | int | Gate = "xnor",
    padding_value: int = 0,
    centered: bool | None = None,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    temperature: float = 2.0,
    loss: Loss | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a convolutional network of Boolean weights and activations, by default both ends included.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the encoded images, one bit per channel; of real ends, one number.
    conv_layers : sequence of int or 'M', default=(64, 'M', 128, 'M')
        Numbers of filters of each convolution, and 'M' for a max-pool of two by two behind one. A threshold stands
        behind each convolution and its pool.
    hidden_layer_sizes : int or sequence of int, default=(512,)
        Numbers of units of the linear layers between the last convolution and the scores.
    n_outputs : int, default=10
        Number of classes, or of other scores.
    kernel_size : int, default=3
        Taps of each window in both directions, odd: images keep their size, the padding being half of it.
    ends : Ends, optional
        What makes the first convolution and the last linear layer, and the loss: :class:`bvar.real.RealEnds` for
        real weights, as the paper has them. Default: they are Boolean like the rest.
    norm : type, optional
        What normalises the sums before each threshold, behind a pool if there is one:
        :class:`bvar.real.BatchNorm`. Default: nothing does.
    gate : str, int or Gate, default='xnor'
        Connective of every Boolean layer. The defaults are made for xnor and xor; 'and' and 'or' learn little.
    padding_value : {0, -1}, default=0
        See :class:`bvar.layers.BooleanConv2d`.
    centered : bool, optional
        Whether votes of linear layers count from the mean, as in :func:`bvar.networks.boolean_mlp`. Those of
        convolutions do not: on images they learn better without.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    n_steps : int, optional
        Likewise.
    temperature : float, default=2.0
        See :class:`bvar.networks.CrossEntropy`.
    loss : Loss, optional
        Another loss. Default: ``CrossEntropy`` of the terms of a score.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, layer by layer.

    Returns
    -------
    Network
        From encoded images, rows of ``height * width * channels`` bits, to scores.

    Raises
    ------
    TypeError, ValueError
        If sizes are not positive integers, a pool does not follow a convolution or finds an
        image too small, or the kernel size is even.

    See Also
    --------
    vgg_small : The network of the paper.
    bvar.networks.boolean_mlp : Without convolutions.

    Examples
    --------
    >>> from bvar.networks import conv_network
    >>> network = conv_network((28, 28, 4), (16, "M"), (32,), random_state=0)
    >>> [type(layer).__name__ for layer in network.layers]
    ['BooleanConv2d', 'MaxPool2d', 'Threshold', 'BooleanLinear', 'Threshold', 'BooleanLinear']
    """
    stages = check_conv_layers(conv_layers, "conv_layers")
    hidden = check_sizes(hidden_layer_sizes, "hidden_layer_sizes")
    n_outputs = check_integer(n_outputs, "n_outputs", low=1)
    kernel_size = check_integer(kernel_size, "kernel_size", low=1)
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd, so that images keep their size, got {kernel_size}")
    check_parts(ends, norm)
    found, source = Gate.of(gate), RandomWords.of(random_state)
    centered = counts_from_mean(found) if centered is None else centered
    recipe = _Recipe(found, kernel_size, padding_value, centered, ends, norm, source)
    linear = [*hidden, n_outputs]
    layers, shape = _convolutions(recipe, check_image_shape(image_shape), stages, linear[0])
    widths = [prod(shape), *linear]
    layers += _linear_layers(recipe, widths)
    if loss is None:
        loss = CrossEntropy(widths[-2], temperature) if ends is None else ends.loss()
    return Network(layers, loss, BooleanOptimizer(eta, clip=clip, n_steps=n_steps))


def vgg_small(
    image_shape: tuple[int, ...] = (32, 32, 24),
    n_outputs: int = 10,
    *,
    head: Sequence[int] = (),
    width: float = 1.0,
    ends: Ends | None = None,
    norm: Norm | None = None,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build VGG-Small.

    Parameters
    ----------
    image_shape : tuple of int, default=(32, 32, 24)
        (height, width, channels) of the encoded images: eight bits for each colour, if nothing else is said.
    n_outputs : int, default=10
        Number of classes.
    head : sequence of int, default=()
        Units of the linear layers before the last: none for the variant with one, ``(1024, 1024)`` for the classic
        one with three.
    width : float, default=1.0
        Factor of the numbers of filters.
    ends : Ends, optional
        See :func:`conv_network`; the paper's are real, on images of three real channels.
    norm : type, optional
        See :func:`conv_network`.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    n_steps : int, optional
        Likewise.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from.

    Returns
    -------
    Network
        Six convolutions of three by three, three pools, and the head.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. D.1.2.

    Examples
    --------
    >>> from bvar.networks import vgg_small
    >>> sum(p.bits.n_rows * p.bits.n_bits for p in vgg_small(random_state=0).parameters)
    4680704
    """
    width = check_real(width, "width", low=0, strict=True)
    stages = [entry if isinstance(entry, str) else max(1, round(width * entry)) for entry in VGG_SMALL]
    return conv_network(
        image_shape,
        stages,
        head,
        n_outputs,
        ends=ends,
        norm=norm,
        eta=eta,
        clip=clip,
        n_steps=n_steps,
        random_state=random_state,
    )


def check_conv_layers(conv_layers: Sequence[int | str], name: str) -> list[tuple[int, bool]]:
    """Return the number of filters of each convolution, and whether a pool follows.

    Parameters
    ----------
    conv_layers : sequence of int or 'M'
        As for :func:`conv_network`.
    name : str
        What to call it in messages.

    Returns
    -------
    list of (int, bool)
        One entry for each convolution.

    Raises
    ------
    TypeError, ValueError
        If it is no such sequence, is empty, or a pool does not follow a convolution.
    """
    if isinstance(conv_layers, str | int) or not hasattr(conv_layers, "__iter__"):
        raise TypeError(f"{name} must be a sequence of numbers of filters and 'M', got {conv_layers!r}")
    stages: list[tuple[int, bool]] = []
    for entry in conv_layers:
        if not isinstance(entry, str):
            stages.append((check_integer(entry, f"each of {name}", low=1), False))
        elif entry != "M":
            raise ValueError(f"{name} must hold numbers of filters and 'M' for a pool, got {entry!r}")
        elif not stages or stages[-1][1]:
            raise ValueError(f"{name} must have a convolution before each 'M', got {tuple(conv_layers)!r}")
        else:
            stages[-1] = (stages[-1][0], True)
    if not stages:
        raise ValueError(f"{name} must have at least one convolution, got {tuple(conv_layers)!r}")
    return stages


class _Recipe(NamedTuple):
    """What all layers of a network have in common."""

    gate: Gate
    kernel_size: int
    padding_value: int
    centered: bool
    ends: Ends | None
    norm: Norm | None
    source: RandomWords


def _convolutions(
    recipe: _Recipe, shape: tuple[int, int, int], stages: list[tuple[int, bool]], n_above: int
) -> tuple[list[Layer], tuple[int, int, int]]:
    """Stack convolutions, pools and thresholds below `n_above` units; give them, and the shape that comes out."""
    layers: list[Layer] = []
    for depth, (n_filters, pooled) in enumerate(stages):
        stage = _convolution(recipe, shape, n_filters, depth)
        pool = _pool_behind(stage.out_shape, stages) if pooled else None
        following = stages[depth + 1 :]
        fan_out = _conv_fan_out(following[0], recipe.kernel_size) if following else Fraction(n_above)
        layers += stage.layers
        if pool is not None:
            layers.append(pool)
        layers += activation(stage, fan_out, recipe.gate, pool=pool, norm=recipe.norm, name=f"norm{depth + 1}")
        shape = stage.out_shape if pool is None else pool.out_shape
    return layers, shape


def _convolution(recipe: _Recipe, shape: tuple[int, int, int], n_filters: int, depth: int) -> ConvStage:
    name = f"conv{depth + 1}"
    if recipe.ends is not None and depth == 0:
        return recipe.ends.first(shape, n_filters, recipe.kernel_size, random_state=recipe.source, name=name)
    conv = BooleanConv2d(
        shape,
        n_filters,
        recipe.kernel_size,
        recipe.gate,
        padding=recipe.kernel_size // 2,
        padding_value=recipe.padding_value,
        random_state=recipe.source,
        name=name,
    )
    return boolean_stage(conv)


def _linear_layers(recipe: _Recipe, widths: list[int]) -> list[Layer]:
    """Stack linear layers with thresholds between; `widths` begin with that of the images."""
    layers: list[Layer] = []
    for depth, (n_inputs, n_units) in enumerate(pairwise(widths), start=1):
        name, fan_outs = f"linear{depth}", widths[depth + 1 :]
        if recipe.ends is not None and not fan_outs:
            layers.append(recipe.ends.last(n_inputs, n_units, random_state=recipe.source, name=name))
            break
        layers.append(
            BooleanLinear(
                n_inputs,
                n_units,
                recipe.gate,
                centered=recipe.centered,
                random_state=recipe.source,
                name=name,
            )
        )
        if fan_outs:
            stage = ConvStage([], (1, 1, n_units), n_inputs, recipe.gate)
            layers += activation(stage, fan_outs[0], recipe.gate, norm=recipe.norm, name=f"{name}.norm")
    return layers


def _pool_behind(shape: tuple[int, int, int], stages: list[tuple[int, bool]]) -> MaxPool2d:
    height, width, _ = shape
    if min(height, width) < _POOL:
        n_pools = sum(pooled for _, pooled in stages)
        raise ValueError(
            f"conv_layers has {n_pools} pools, more than the image has room for: "
            f"one finds {height} x {width} pixels"
        )
    return MaxPool2d(shape, _POOL)


def _conv_fan_out(stage: tuple[int, bool], kernel_size: int) -> Fraction:
    """Signals that come back to a unit from a convolution: through a pool, one in four (BOLD, App. C.2)."""
    n_filters, pooled = stage
    return Fraction(n_filters * kernel_size**2, _POOL**2 if pooled else 1)
