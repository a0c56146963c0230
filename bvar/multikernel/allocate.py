r"""How many kernels each map gets under a budget of bits (``docs/explanation/multi-kernel.md``).

Greedy: the next kernel goes where it lowers the cost most for each weight, until the budget is spent.  At whole
budgets the same number for all is the honest default; this is for budgets between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from bvar._validation import as_numbers, check_integer, check_real
from bvar.multikernel.boolean_transformer import BooleanTransformer
from bvar.multikernel.decompose import MAX_KERNELS
from bvar.multikernel.transformer import Transformer

__all__ = ["allocate", "measure_rises", "sizes"]


def allocate(
    rises: Mapping[str, Sequence[float]],
    sizes: Mapping[str, int],
    budget: float,
    *,
    low: int | None = None,
    high: int = MAX_KERNELS,
    per_weight: bool = True,
) -> dict[str, int]:
    """Spend a budget of kernels on maps, the next one always where it helps most.

    Parameters
    ----------
    rises : mapping of str to sequence of float
        For each map what it costs to have 1, 2, ... kernels; not rising.
    sizes : mapping of str to int
        Its number of weights.
    budget : float
        Kernels for each weight, on average, at least `low`.
    low : int, optional
        Kernels that each map has at least. Default: `budget` rounded down.
    high : int, default=8
        Kernels that none has more of; no more than `rises` tell of.
    per_weight : bool, default=True
        Whether a fall in cost is divided by what it takes, the weights of the map.

    Returns
    -------
    dict of str to int
        Number of kernels of each map; ties go to the first.

    Raises
    ------
    TypeError, ValueError
        If names differ, costs rise or are not finite, or a number is out of range.

    See Also
    --------
    measure_rises : Makes such costs of a text.

    Examples
    --------
    >>> from bvar import multikernel
    >>> rises = {"a": [9.0, 1.0, 0.5], "b": [8.0, 4.0, 2.0]}
    >>> multikernel.allocate(rises, {"a": 100, "b": 100}, 1.5)
    {'a': 2, 'b': 1}
    """
    budget = check_real(budget, "budget", low=1)
    high = check_integer(high, "high", low=1, high=MAX_KERNELS)
    low = min(int(budget), high) if low is None else check_integer(low, "low", low=1, high=high)
    costs, weights = (
        _check_costs(rises, low),
        {name: check_integer(n, "sizes", low=1) for name, n in sizes.items()},
    )
    if set(costs) != set(weights):
        raise ValueError(
            f"sizes must name the maps of rises, got a difference in {sorted(set(costs) ^ set(weights))[:5]}"
        )
    if budget < low:
        raise ValueError(f"budget must be at least low, {low}, got {budget}")
    # what was meant: 1.1 is eleven tenths, and not the binary fraction beside it, which buys one kernel less
    meant = Fraction(budget).limit_denominator(10**6)
    counts, left = dict.fromkeys(costs, low), (meant - low) * sum(weights.values())
    while True:
        gains = {
            name: (costs[name][n - 1] - costs[name][n]) / (weights[name] if per_weight else 1)
            for name, n in counts.items()
            if n < min(high, len(costs[name])) and weights[name] <= left
        }
        if not gains:
            return counts
        best = max(gains, key=gains.__getitem__)
        counts[best] += 1
        left -= weights[best]


def measure_rises(
    teacher: Transformer, ids: np.ndarray, *, high: int = 4, n_rounds: int = 15, context: int = 128
) -> dict[str, np.ndarray]:
    """Measure how the loss rises when one map alone is decomposed.

    Parameters
    ----------
    teacher : Transformer
        The model.
    ids : array-like of int
        Text of the training set, as for :meth:`Transformer.score`; some thousand tokens will do.
    high : int, default=4
        Most kernels to try; each takes one evaluation a map.
    n_rounds : int, default=15
        Rounds of refinement, as for :func:`decompose`.
    context : int, default=128
        Length of texts.

    Returns
    -------
    dict of str to ndarray of float64, shape (high,)
        Rises in nats a token with 1, 2, ... kernels; where noise makes one larger than that before, that before.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.
    """
    if not isinstance(teacher, Transformer):
        raise TypeError(f"teacher must be a Transformer, got {type(teacher).__name__}")
    high = check_integer(high, "high", low=1, high=MAX_KERNELS)
    whole = teacher.score(ids, context=context)

    def rise(name: str, n: int) -> float:
        return whole - BooleanTransformer.from_teacher(teacher, {name: n}, n_rounds=n_rounds).score(
            ids, context=context
        )

    measured = {name: [rise(name, n) for n in range(1, high + 1)] for name in teacher.map_names}
    return {name: np.minimum.accumulate(costs) for name, costs in measured.items()}


def sizes(model: Transformer) -> dict[str, int]:
    """Count the weights of each map.

    Parameters
    ----------
    model : Transformer
        Any.

    Returns
    -------
    dict of str to int
        By name.

    Examples
    --------
    >>> from bvar import multikernel
    >>> model = multikernel.Transformer.random(2, width=8, hidden=12, n_blocks=1, random_state=0)
    >>> multikernel.sizes(model)["l0.up"]
    96
    """
    return {name: int(model.weight(name).size) for name in model.map_names}


def _check_costs(rises: Mapping[str, Sequence[float]], low: int) -> dict[str, np.ndarray]:
    costs = {name: as_numbers(cost, f"rises of {name!r}") for name, cost in rises.items()}
    for name, cost in costs.items():
        if cost.ndim != 1 or len(cost) < low or not np.isfinite(cost).all() or (np.diff(cost) > 0).any():
            raise ValueError(
                f"rises must be {low} or more finite numbers that do not rise, got {cost} for {name!r}"
            )
    if not costs:
        raise ValueError("rises must name one or more maps, got none")
    return costs
