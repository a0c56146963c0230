"""Networks of gates for images: convolutions of gates, or-pools, then layers of gates and a count."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

from bvar._validation import check_image_shape, check_integer, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers import Concatenate, GateConv2d, Layer, OrPool2d, random_comparisons
from bvar.layers.comparisons import DEPTH, FAN_IN, MOST
from bvar.networks.conv import check_conv_layers
from bvar.networks.gates import check_wiring, gate_network
from bvar.networks.losses import Loss
from bvar.networks.network import Network

__all__ = ["gate_conv_network"]


def gate_conv_network(
    image_shape: tuple[int, ...],
    conv_layers: Sequence[int | str] = (64, "M", 128, "M"),
    layer_sizes: int | Sequence[int] = (8000, 4000),
    n_outputs: int = 10,
    *,
    kernel_size: int | Sequence[int] = 3,
    depth: int = 1,
    fan_in: int = 6,
    head_fan_in: int = 2,
    head_wiring: Literal["random", "learnt"] = "random",
    head_candidates: int = 8,
    skip: bool = False,
    pass_through: int = 64,
    literals: int | None = None,
    comparisons: int | None = None,
    n_levels: int = 1,
    fixed_trees: bool = False,
    pool_size: int = 2,
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
        Numbers of trees at each place, and 'M' for an or-pool behind them: the maximum of bits.
    layer_sizes : int or sequence of int, default=(8000, 4000)
        Numbers of gates of the layers between the last convolution and the scores; the last must be a multiple of
        `n_outputs`.
    n_outputs : int, default=10
        Number of classes, or of other scores.
    kernel_size : int or sequence of int, default=3
        Taps of each window in both directions, of all convolutions or of each: odd, so that images keep their
        size, the padding being half of it.
    depth : int, default=1
        Levels of gates in each tree, see :class:`bvar.layers.GateConv2d`.
    fan_in : int, default=6
        Wires of each gate of a tree, 1 to 6. The wider, the finer: one entry of a table of six wires answers for
        few of the places, one of two wires for a quarter of them.
    head_fan_in : int, default=2
        Wires of each gate behind the trees, 1 to 6.
    head_wiring : {'random', 'learnt'}, default='random'
        Whether these wires stay, or choose among candidates by votes, see :func:`gate_network`.
    head_candidates : int, default=8
        Candidates of each of them, 1 to 64.
    skip : bool, default=False
        Whether the gates behind the trees read the pixels and what each convolution and its pool make, or only the
        last of these.
    pass_through : int, default=64
        Of 64 gates of trees, how many copy their first wire in the beginning, see
        :class:`bvar.layers.GateConv2d`: all, since an or over tables that were drawn is T nearly everywhere.
    literals : int, optional
        In place of that, tables of trees begin as conjunctions, see :class:`bvar.layers.GateConv2d`.
    comparisons : int, optional
        In place of all that, trees of the first convolution are drawn so that each begins as a conjunction of as
        many comparisons of two pixels at most, 1 to 3, see :func:`bvar.layers.random_comparisons`; needs `depth` 2
        and `fan_in` 6.
    n_levels : int, default=1
        For `comparisons`: how many of the channels, side by side, are rising levels of one number.
    fixed_trees : bool, default=False
        Whether tables of trees stay as they begin, so that a step has no votes on them to count.
    pool_size : int, default=2
        Pixels on a side of the square of an or-pool, 1 to 6.
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
        kernel size is even, comparisons do not fit the trees or the channels, or the last layer cannot be shared
        evenly.

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
    check_wiring(head_wiring, head_candidates, "head_")
    taps = check_kernel_sizes(kernel_size, len(stages))
    check_comparisons(comparisons, depth, fan_in)
    source, shape, levels = RandomWords.of(random_state), check_image_shape(image_shape), list[list[Layer]]()
    widths = [prod(shape)]
    for number, ((n_filters, has_pool), size) in enumerate(zip(stages, taps, strict=True), start=1):
        trees = {}
        if comparisons is not None and number == 1:
            trees = random_comparisons(n_filters, (size, size), shape[2], n_levels, comparisons, source)._asdict()
        conv = GateConv2d(
            shape,
            n_filters,
            size,
            depth=depth,
            fan_in=fan_in,
            padding=size // 2,
            pass_through=pass_through,
            literals=literals,
            damping=damping,
            fixed=fixed_trees,
            **trees,
            random_state=source,
            name=f"gateconv{number}",
        )
        levels.append([conv])
        shape = conv.out_shape
        if has_pool:
            pool = OrPool2d(shape, pool_size)
            levels[-1].append(pool)
            shape = pool.out_shape
        widths.append(prod(shape))
    head = gate_network(
        [sum(widths) if skip else widths[-1], *sizes],
        n_outputs,
        fan_in=head_fan_in,
        wiring=head_wiring,
        candidates=head_candidates,
        eta=eta,
        n_steps=n_steps,
        temperature=temperature,
        loss=loss,
        random_state=source,
    )
    return Network([*_stacked(levels, skip), *head.layers], head.loss, head.optimizer)


def check_kernel_sizes(kernel_size: int | Sequence[int], n_convolutions: int) -> Sequence[int]:
    """Return the taps of each window."""
    sizes = list(kernel_size) if isinstance(kernel_size, Sequence) else [kernel_size] * n_convolutions
    if len(sizes) != n_convolutions:
        raise ValueError(f"kernel_size must be one or one for each of {n_convolutions} convolutions, got {sizes}")
    sizes = [check_integer(size, "kernel_size", low=1) for size in sizes]
    for size in sizes:
        if size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, so that images keep their size, got {size}")
    return sizes


def check_comparisons(comparisons: int | None, depth: int, fan_in: int) -> None:
    """Refuse trees of another form than those that compare."""
    if comparisons is None:
        return
    check_integer(comparisons, "comparisons", low=1, high=MOST)
    if (depth, fan_in) != (DEPTH, FAN_IN):
        raise ValueError(f"comparisons need depth {DEPTH} and fan_in {FAN_IN}, got {depth} and {fan_in}")


def _stacked(levels: Sequence[Sequence[Layer]], skip: bool) -> list[Layer]:
    """Put levels of layers on each other; with skips, each beside what it reads."""
    if not skip:
        return [layer for level in levels for layer in level]
    above = list[Layer]()
    for level in reversed(levels):
        above = [Concatenate([*level, *above])]
    return above
