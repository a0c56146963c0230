r"""Chain rules: one function per composition, with its condition stated and checked.

The page is ``docs/explanation/chain-rules.md``. An arrow diagram names each rule:
``chain_bz`` is for :math:`\mathbb{B} \xrightarrow{f} \mathbb{Z} \xrightarrow{g}
\mathbb{D}`, where :math:`\mathbb{D}` is logic or numbers. All of them compute
:math:`(g \circ f)'(x)` from variations of `f` and of `g` alone, and raise
`ChainRuleError` rather than return a value that the direct variation contradicts.

They are written for one variable. For a function of several bits apply them to its
restriction, as in ``chain_bb(restrict(f, x, i), g, x[i])``.

Where `f` is an integer and `g` is logic, the product of :math:`g'` and :math:`f'`
mixes types, although the variation of :math:`g \circ f` is logic. As
:math:`|f'| \le 1` there, we use :math:`p(f')` for :math:`f'`: the value is the same
and the type is right.

Theorems are cited from V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning",
NeurIPS 2024, arXiv:2405.16339, as "BOLD" and their number.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bvar.calculus.logic import neg, project, xnor
from bvar.calculus.variation import _as_boolean, _as_integer, integer_variation, variation

__all__ = [
    "ChainRuleError",
    "chain_bb",
    "chain_bz",
    "chain_bz_exact",
    "chain_zb",
    "chain_zz_exact",
]


class ChainRuleError(ValueError):
    """A chain rule was asked for at a point where its condition fails.

    See Also
    --------
    chain_bz_exact : Needs one condition less than `chain_bz`.

    Notes
    -----
    The message names the condition and the point. The direct variation of the
    composed function exists all the same.

    Examples
    --------
    >>> from bvar.calculus.chain import ChainRuleError, chain_bz_exact
    >>> from bvar.calculus.logic import T, embed
    >>> try:
    ...     chain_bz_exact(embed, lambda s: s >= 0, T)
    ... except ChainRuleError as error:
    ...     print(error)
    |f'(x)| <= 1 fails at x = 1: f'(x) = 2
    """


def _require(holds: ArrayLike, x: ArrayLike, condition: str, evidence: dict[str, Any]) -> None:
    """Raise at the first point where `holds` is false, with the values that show it."""
    holds = np.asarray(holds)
    if holds.all():
        return
    first = int(np.argmin(holds))

    def at_first(value: Any) -> Any:
        return np.broadcast_to(value, holds.shape).flat[first].item()

    shown = ", ".join(f"{name} = {at_first(value)}" for name, value in evidence.items())
    raise ChainRuleError(f"{condition} fails at x = {at_first(x)}: {shown}")


def _unit_step(x: Any, step: Any) -> Any:
    """Check that f moves by at most one, and return p(f'(x))."""
    _require(np.abs(step) <= 1, x, "|f'(x)| <= 1", {"f'(x)": step})
    return project(step)


def chain_bb(f: Callable[[Any], Any], g: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Chain bit to bit to anything; no condition.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}` to :math:`\mathbb{B}`.
    g : callable
        From :math:`\mathbb{B}` to logic or numbers.
    x : array_like of bool or int8
        The point. If it is an array, `f` and `g` have to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`(g \circ f)'(x)`.

    Raises
    ------
    ValueError
        If `x` or a value of `f` is 0.
    TypeError
        If `x` or a value of `f` is a number.

    See Also
    --------
    bvar.calculus.variation.restrict : For functions of several bits.

    Notes
    -----
    BOLD, Theorem 3.12 (4), and Proposition 3.14 for several bits:
    :math:`(g \circ f)'(x) = \operatorname{xnor}(g'(f(x)), f'(x))`.

    Examples
    --------
    Two layers, the second a negation.

    >>> from bvar.calculus.chain import chain_bb
    >>> from bvar.calculus.logic import F, T, neg, or_
    >>> from bvar.calculus.variation import restrict
    >>> x = [T, F]
    >>> chain_bb(restrict(lambda x: or_(x[0], x[1]), x, 0), neg, x[0])
    np.int8(-1)
    """
    point = _as_boolean("x", x)[()]
    _as_boolean("f(not x)", f(neg(point)))
    value = _as_boolean("f(x)", f(point))[()]
    return xnor(variation(g, value), variation(f, point))


def chain_bz(f: Callable[[Any], Any], g: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Chain bit to integer to anything, by the printed rule with its two conditions.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}` to :math:`\mathbb{Z}`.
    g : callable
        From :math:`\mathbb{Z}` to logic or numbers, defined one below and one above
        :math:`f(x)` too.
    x : array_like of bool or int8
        The point. If it is an array, `f` and `g` have to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`(g \circ f)'(x)`.

    Raises
    ------
    ChainRuleError
        If :math:`|f'(x)| > 1` or :math:`g'(f(x)) \ne g'(f(x) - 1)`.
    ValueError
        If `x` is 0.
    TypeError
        If `x` is a number, or a value of `f` is not an integer.

    See Also
    --------
    chain_bz_exact : The same without the second condition.

    Notes
    -----
    BOLD, Theorem 3.12 (5):
    :math:`(g \circ f)'(x) = \operatorname{xnor}(g'(f(x)), f'(x))` if
    :math:`|f'(x)| \le 1` and :math:`g'(f(x)) = g'(f(x) - 1)`. We check both as
    printed, although the second is needed only where negating `x` lowers `f`.

    For a step :math:`\sigma_\tau(s) = T` iff :math:`s \ge \tau`, the second condition
    fails exactly at :math:`s \in \{\tau - 1, \tau\}`, and everywhere else
    :math:`\sigma_\tau'` is 0: the rule carries no signal through a bare step (ours).

    Examples
    --------
    An xnor neuron with three inputs, a bias and threshold 2, whose sum counts the T:

    >>> import numpy as np
    >>> from bvar.calculus.chain import ChainRuleError, chain_bz
    >>> from bvar.calculus.logic import F, T, xnor
    >>> from bvar.calculus.variation import integer_variation, restrict, variation
    >>> x, w = np.array([T, F, T]), np.array([T, T, F])
    >>> def s(w):
    ...     return 1 + np.sum(xnor(w, x) == T)
    >>> def step(s):
    ...     return s >= 2
    >>> s(w), step(s(w)), step(s([F, T, F]))
    (np.int64(2), np.True_, np.False_)

    Negating the first weight moves the output, so the variation is T. The step's own
    variation at 2 is 0 all the same, and the printed rule does not apply:

    >>> s_1 = restrict(s, w, 0)
    >>> variation(lambda b: step(s_1(b)), w[0])
    np.int8(1)
    >>> integer_variation(step, 2)
    np.int8(0)
    >>> try:
    ...     chain_bz(s_1, step, w[0])
    ... except ChainRuleError as error:
    ...     print(error)
    g'(f(x)) = g'(f(x) - 1) fails at x = 1: f(x) = 2, g'(f(x)) = 0, g'(f(x) - 1) = 1

    It fails at exactly two sums, and where it holds nothing passes:

    >>> sums = np.arange(-1, 6)
    >>> here, before = integer_variation(step, sums), integer_variation(step, sums - 1)
    >>> sums[here != before]
    array([1, 2])
    >>> here[here == before]
    array([0, 0, 0, 0, 0], dtype=int8)
    """
    point = _as_boolean("x", x)[()]
    _as_integer("f(not x)", f(neg(point)))
    value = _as_integer("f(x)", f(point))[()]
    step = _unit_step(point, variation(f, point))
    here, before = integer_variation(g, value), integer_variation(g, value - 1)
    _require(
        here == before,
        point,
        "g'(f(x)) = g'(f(x) - 1)",
        {"f(x)": value, "g'(f(x))": here, "g'(f(x) - 1)": before},
    )
    return xnor(here, step)


def chain_bz_exact(f: Callable[[Any], Any], g: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Chain bit to integer to anything, with no condition on the second function.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}` to :math:`\mathbb{Z}`.
    g : callable
        From :math:`\mathbb{Z}` to logic or numbers.
    x : array_like of bool or int8
        The point. If it is an array, `f` and `g` have to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`(g \circ f)'(x)`.

    Raises
    ------
    ChainRuleError
        If :math:`|f'(x)| > 1`.
    ValueError
        If `x` is 0.
    TypeError
        If `x` is a number, or a value of `f` is not an integer.

    See Also
    --------
    chain_bz : The rule as printed in BOLD.

    Notes
    -----
    This is :eq:`chain-bz-exact` of ``docs/explanation/chain-rules.md``.

    Ours. For :math:`|f'(x)| \le 1`,

    .. math:: (g \circ f)'(x) =
              \operatorname{xnor}(g'(\min(f(x), f(\neg x))), f'(x)).

    The integers that `f` visits are neighbours, and the forward difference between
    neighbours belongs to the lower one.

    Examples
    --------
    The step at 2 that defeats `chain_bz`, with a sum that falls from 2 to 1:

    >>> from bvar.calculus.chain import chain_bz_exact
    >>> from bvar.calculus.logic import T
    >>> chain_bz_exact(lambda w: 1 + (w == T), lambda s: s >= 2, T)
    np.int8(1)
    """
    point = _as_boolean("x", x)[()]
    value, moved = _as_integer("f(x)", f(point)), _as_integer("f(not x)", f(neg(point)))
    step = _unit_step(point, variation(f, point))
    return xnor(integer_variation(g, np.minimum(value, moved)), step)


def chain_zb(f: Callable[[Any], Any], g: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Chain integer to bit to anything; no condition.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{Z}` to :math:`\mathbb{B}`.
    g : callable
        From :math:`\mathbb{B}` to logic or numbers.
    x : array_like of int
        The point. If it is an array, `f` and `g` have to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`(g \circ f)'(x)`.

    Raises
    ------
    ValueError
        If a value of `f` is 0.
    TypeError
        If `x` is not an integer, or a value of `f` is a number.

    See Also
    --------
    chain_bz_exact : The other order.

    Notes
    -----
    Ours: :math:`(g \circ f)'(x) = \operatorname{xnor}(g'(f(x)), f'(x))`. It needs no
    condition because :math:`g'` at a bit looks both ways; the page has the proof.

    Examples
    --------
    A step followed by a negation.

    >>> from bvar.calculus.chain import chain_zb
    >>> from bvar.calculus.logic import neg
    >>> chain_zb(lambda s: s >= 2, neg, [0, 1, 2])
    array([ 0, -1,  0], dtype=int8)
    """
    point = _as_integer("x", x)[()]
    _as_boolean("f(x + 1)", f(point + 1))
    value = _as_boolean("f(x)", f(point))[()]
    return xnor(variation(g, value), integer_variation(f, point))


def chain_zz_exact(f: Callable[[Any], Any], g: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Chain integer to integer to anything, for steps of at most one.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{Z}` to :math:`\mathbb{Z}`.
    g : callable
        From :math:`\mathbb{Z}` to logic or numbers.
    x : array_like of int
        The point. If it is an array, `f` and `g` have to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`(g \circ f)'(x)`.

    Raises
    ------
    ChainRuleError
        If :math:`|f'(x)| > 1`.
    TypeError
        If `x` or a value of `f` is not an integer.

    See Also
    --------
    chain_bz_exact : The same idea at a bit.

    Notes
    -----
    Ours. For :math:`|f'(x)| \le 1`,

    .. math:: (g \circ f)'(x) =
              \operatorname{xnor}(g'(\min(f(x), f(x + 1))), f'(x)).

    Examples
    --------
    >>> from bvar.calculus.chain import chain_zz_exact
    >>> chain_zz_exact(lambda s: -s, lambda s: s**2, [-2, 0, 3])
    array([-3,  1,  7])
    """
    point = _as_integer("x", x)[()]
    value, moved = _as_integer("f(x)", f(point)), _as_integer("f(x + 1)", f(point + 1))
    step = _unit_step(point, integer_variation(f, point))
    return xnor(integer_variation(g, np.minimum(value, moved)), step)
