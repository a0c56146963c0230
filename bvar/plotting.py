"""Pictures of a training run, and of what a model looks at.

Matplotlib is imported when a function is called, not before.
"""

# Over 400 lines, because each function is mostly its description, and all share colours, axes and their manners.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bvar._extras import missing
from bvar._validation import as_array, check_integer, check_sizes
from bvar.augmentation.learned import LearnedAugmentation
from bvar.energy import Cost
from bvar.kernels import unpack
from bvar.layers import Parameter
from bvar.networks.network import Network
from bvar.theory import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_augmentation",
    "plot_beta",
    "plot_bound",
    "plot_energy",
    "plot_flip_rate",
    "plot_learning_curve",
    "plot_supports",
    "plot_weights",
]

# Okabe and Ito's palette: told apart by colour-blind readers, and dark enough on white
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def plot_learning_curve(history: dict[str, list[Any]], *, ax: Axes | None = None) -> Axes:
    """Draw the score on the training data, epoch by epoch, while it was learnt, and on validation data if any.

    Parameters
    ----------
    history : dict of list
        The `history_` of an estimator.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    See Also
    --------
    plot_flip_rate : The other half of the story.

    Examples
    --------
    >>> from bvar.plotting import plot_learning_curve
    >>> ax = plot_learning_curve({"score": [0.8, 0.9]})
    >>> ax.get_ylabel()
    'score'
    """
    scores = _epochs(history, "score")
    ax = _axes(ax)
    epochs = range(1, len(scores) + 1)
    ax.plot(epochs, scores, color=_COLORS[0], marker=".", label="training, while learning")
    if history.get("validation_score"):
        ax.plot(epochs, history["validation_score"], color=_COLORS[1], marker=".", label="validation")
    ax.set(xlabel="epoch", ylabel="score")
    return _finish(ax)


def plot_flip_rate(
    history: dict[str, list[Any]], *, names: list[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the share of weights that flipped in each epoch, one line for each parameter.

    Parameters
    ----------
    history : dict of list
        The `history_` of an estimator.
    names : list of str, optional
        Names of the parameters; default: their numbers.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the rate is in flips per hundred weights, on a logarithmic scale that goes on to 0
        in equal steps, so that an epoch without flips is seen.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    See Also
    --------
    plot_learning_curve : The other half of the story.

    Examples
    --------
    >>> from bvar.plotting import plot_flip_rate
    >>> ax = plot_flip_rate({"flips": [[0.1, 0.2], [0.01, 0.02]]})
    >>> len(ax.lines)
    2
    """
    percent = 100 * np.array(_epochs(history, "flips", least=1), dtype=np.float64)
    labels = _labels(names, percent.shape[1])
    ax = _axes(ax)
    for i, (rate, label) in enumerate(zip(percent.T, labels, strict=True)):
        color = _COLORS[i % len(_COLORS)]
        ax.plot(range(1, len(rate) + 1), rate, color=color, marker=".", label=label, clip_on=False)
    rarest = percent[percent > 0].min(initial=1.0)
    ax.set_yscale("symlog", linthresh=10 ** np.floor(np.log10(rarest)))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter("{x:g}%")
    ax.set(xlabel="epoch", ylabel="weights flipped")
    return _finish(ax)


def plot_beta(history: dict[str, list[Any]], *, names: list[str] | None = None, ax: Axes | None = None) -> Axes:
    """Draw the plasticity beta at the end of each epoch, one line for each parameter.

    Parameters
    ----------
    history : dict of list
        The `history_` of an estimator.
    names : list of str, optional
        Names of the parameters; default: their numbers.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. At 1 no weight flips any more, and accumulators forget nothing.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    Examples
    --------
    >>> from bvar.plotting import plot_beta
    >>> ax = plot_beta({"beta": [[0.99, 0.98], [1.0, 1.0]]}, names=["hidden", "output"])
    >>> [line.get_label() for line in ax.lines]
    ['hidden', 'output']
    """
    betas = list(zip(*_epochs(history, "beta", least=1), strict=True))
    labels = _labels(names, len(betas))
    ax = _axes(ax)
    for i, (beta, label) in enumerate(zip(betas, labels, strict=True)):
        ax.plot(range(1, len(beta) + 1), beta, color=_COLORS[i % len(_COLORS)], marker=".", label=label)
    ax.set(xlabel="epoch", ylabel="share of weights at rest (beta)")
    return _finish(ax)


def plot_augmentation(augmentation: LearnedAugmentation, *, ax: Axes | None = None) -> Axes:
    """Draw the strengths of transforms over the epochs, with a band of two standard deviations to both sides.

    Parameters
    ----------
    augmentation : LearnedAugmentation
        The `augmentation_` of a fitted classifier.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; strengths are on a logarithmic scale, each in the units of its transform.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    See Also
    --------
    bvar.augmentation.LearnedAugmentation : What is drawn.

    Examples
    --------
    >>> from bvar.augmentation import LearnedAugmentation, Rotation
    >>> from bvar.plotting import plot_augmentation
    >>> augmentation = LearnedAugmentation(Rotation(15.0), image_shape=(8, 8)).begin(64)
    >>> augmentation.record()
    >>> plot_augmentation(augmentation).get_ylabel()
    'strength'
    """
    if not isinstance(augmentation, LearnedAugmentation):
        raise TypeError(f"augmentation must be a LearnedAugmentation, got {augmentation!r}")
    if not getattr(augmentation, "history_", {"location": []})["location"]:
        raise ValueError("augmentation must have learnt for an epoch, as that of a fitted classifier, got none")
    ax = _axes(ax)
    location, width = (np.array(augmentation.history_[name]).T for name in ("location", "width"))
    for i, (name, transform) in enumerate(zip(augmentation.names(), augmentation.steps(), strict=True)):
        m, v, color = location[i], width[i], _COLORS[i % len(_COLORS)]
        epochs = range(1, len(m) + 1)
        ax.plot(epochs, transform.strength(m), color=color, marker=".", label=name)
        low, high = transform.strength(m - 2 * v), transform.strength(m + 2 * v)
        ax.fill_between(epochs, low, high, color=color, alpha=0.2, linewidth=0)
    ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel="strength")
    return _finish(ax)


def plot_weights(
    network: Network, neuron: int, shape: tuple[int, int], *, layer: int = 0, ax: Axes | None = None
) -> Axes:
    """Draw the weights of one neuron as an image, T light and F dark.

    Parameters
    ----------
    network : bvar.networks.Network
        Whose neuron.
    neuron : int
        Row of the weights.
    shape : tuple of int
        Height and width; their product is the number of weights of the neuron.
    layer : int, default=0
        Number of the parameter.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If the shape does not fit, or there is no such neuron or parameter.
    ImportError
        If matplotlib is missing; the message says how to install it.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.plotting import plot_weights
    >>> ax = plot_weights(boolean_mlp([64, 100, 10], random_state=0), neuron=3, shape=(8, 8))
    >>> ax.images[0].get_array().shape
    (8, 8)
    """
    if not isinstance(network, Network):
        raise TypeError(f"network must be a bvar.networks.Network, got {type(network).__name__}")
    parameters = [parameter for parameter in network.parameters if isinstance(parameter, Parameter)]
    layer = check_integer(layer, "layer", low=0, high=len(parameters) - 1)
    bits = parameters[layer].bits
    neuron = check_integer(neuron, "neuron", low=0, high=bits.n_rows - 1)
    if len(check_sizes(shape, "shape", least=2)) != 2 or shape[0] * shape[1] != bits.n_bits:
        raise ValueError(f"shape must be a height and a width with {bits.n_bits} pixels, got {shape!r}")
    ax = _axes(ax)
    ax.imshow(unpack(bits[neuron : neuron + 1]).reshape(shape), cmap="cividis", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=f"{parameters[layer].name}, neuron {neuron}")
    return ax


def plot_bound(trace: Trace, *, ax: Axes | None = None) -> Axes:
    """Draw the bound on convergence beside what it bounds, step by step.

    Parameters
    ----------
    trace : Trace
        Of :func:`bvar.theory.follow`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: both scales are logarithmic.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.plotting import plot_bound
    >>> from bvar.theory import Quadratic, follow
    >>> ax = plot_bound(follow(Quadratic(np.ones(20), np.zeros((1, 20))), eta=0.1, n_steps=50))
    >>> len(ax.lines)
    5
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"trace must be a Trace, which bvar.theory.follow returns, got {trace!r}")
    ax, steps, bound = _axes(ax), range(1, len(trace.gradient) + 1), trace.bound()
    ax.loglog(steps, trace.left, color="black", label="mean squared gradient")
    ax.loglog(steps, bound.total, color=_COLORS[0], label="bound")
    for color, name in zip(_COLORS[1:], ("start", "memory", "rounding"), strict=False):
        ax.loglog(steps, getattr(bound, name), color=color, linestyle=":", label=f"of it, {name}")
    ax.set(xlabel="step")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)
    ax.legend(frameon=False)
    return ax


def plot_energy(costs: Mapping[str, Cost], *, by: str = "place", ax: Axes | None = None) -> Axes:
    """Draw what networks cost in a step of training, as stacked bars.

    Parameters
    ----------
    costs : mapping of str to Cost
        Results of :func:`bvar.energy.cost` on one platform, by the names of the bars.
    by : {'place', 'way', 'layer'}, default='place'
        What a bar is made of.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If there is no cost, they are in different units, or `by` is no such column.
    ImportError
        If matplotlib is missing; the message says how to install it.

    Examples
    --------
    >>> from bvar.energy import BOOLEAN, FLOAT, cost
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.plotting import plot_energy
    >>> network = boolean_mlp([64, 32, 10], random_state=0)
    >>> arms = {"bits": BOOLEAN, "floats": FLOAT}
    >>> ax = plot_energy({name: cost(network, 100, widths=arms[name]) for name in arms})
    >>> ax.get_ylabel()
    'energy of a step, pJ'
    """
    if not isinstance(costs, Mapping) or not all(isinstance(cost, Cost) for cost in costs.values()):
        raise TypeError(f"costs must be a dict of names and results of bvar.energy.cost, got {costs!r}")
    units = {cost.platform.unit for cost in costs.values()}
    if len(units) != 1:
        raise ValueError(f"costs must be one or more, all in one unit, got {sorted(units)}")
    ax = _axes(ax)
    parts = [cost.by(by) for cost in costs.values()]
    bottom = [0.0] * len(parts)
    for number, part in enumerate(dict.fromkeys(name for sums in parts for name in sums)):
        heights = [sums.get(part, 0.0) for sums in parts]
        # after the last colour they begin again, hatched
        hatch = "/" * (2 * (number // len(_COLORS)))
        ax.bar(list(costs), heights, bottom=bottom, color=_COLORS[number % len(_COLORS)], hatch=hatch, label=part)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    ax.set_ylabel(f"energy of a step, {units.pop()}")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def plot_supports(
    supports: np.ndarray, names: list[str], *, label: str = "support", ax: Axes | None = None
) -> Axes:
    """Draw what speaks for something and what against: as bars, the first above, or as an image.

    Parameters
    ----------
    supports : ndarray of shape (n,) or (height, width)
        Numbers of either sign.
    names : list of str
        A name for each bar; of an image there are none.
    label : str, default='support'
        What the numbers are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: new axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; blue speaks for, red against, in an image white for neither.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If matplotlib is missing; the message says how to install it.

    See Also
    --------
    bvar.inspection.ExplanationDisplay : Draws the reasons of a decision with it.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.plotting import plot_supports
    >>> ax = plot_supports(np.array([5, -2]), ["age>=40", "smoker"])
    >>> [int(bar.get_width()) for bar in ax.patches]
    [5, -2]
    """
    supports = as_array(supports, "supports")
    if supports.ndim == 1 and len(names) != len(supports):
        raise ValueError(f"names must have a name for each of {len(supports)} supports, got {len(names)}")
    if supports.ndim not in (1, 2) or supports.dtype.kind not in "biuf":
        got = f"{supports.dtype} of shape {supports.shape}"
        raise ValueError(f"supports must be numbers of one or two dimensions, got {got}")
    ax = _axes(ax)
    if supports.ndim == 2:
        peak = max(float(np.abs(supports).max(initial=0)), 1e-12)
        image = ax.imshow(supports, cmap="RdBu", vmin=-peak, vmax=peak)
        ax.set(xticks=[], yticks=[])
        ax.figure.colorbar(image, ax=ax, label=label)
        return ax
    places = np.arange(len(supports))
    ax.barh(places, supports, color=[_COLORS[0] if value >= 0 else _COLORS[1] for value in supports])
    ax.set(xlabel=label, yticks=places, yticklabels=names)
    ax.invert_yaxis()
    ax.axvline(0, color="0.4", linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25, axis="x")
    return ax


def _epochs(history: Any, name: str, *, least: int = 0) -> list[Any]:
    """Return what a history tells of its epochs, after checking that it does."""
    if not isinstance(history, Mapping):
        raise TypeError(f"history must be a dict, the history_ of an estimator, got {history!r}")
    if name not in history or len(history[name]) < least:
        what = f"{name!r} without an epoch" if name in history else f"only {list(history)}"
        raise ValueError(f"history must have {name!r}, as the history_ of an estimator, got {what}")
    return history[name]


def _labels(names: list[str] | None, n: int) -> list[str]:
    """Return names for the first parameters, their numbers where nobody has said any."""
    if names is None or not len(names):
        return [f"parameter {i + 1}" for i in range(n)]
    if len(names) < n:
        raise ValueError(f"names must have a name for each of {n} parameters, got {len(names)}")
    return list(names[:n])


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure  # a figure of its own: no global state, no window
    except ImportError as error:
        raise missing("plot", "plots") from error
    return Figure(figsize=(6, 4), layout="constrained").add_subplot()


def _finish(ax: Axes) -> Axes:
    ax.locator_params(axis="x", integer=True)  # there is no epoch 2.5
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)
    ax.legend(frameon=False)
    return ax
