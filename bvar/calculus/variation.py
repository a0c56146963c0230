r"""Boolean variation: how a function moves when one of its bits is negated.

The page is ``docs/explanation/variation.md``. The definition is the comparison of
two moves, that of the argument and that of the value,

.. math:: f'(x) = \operatorname{xnor}(\delta(x \to \neg x),
                                      \delta(f(x) \to f(\neg x))),

and everything else here, partial, second and integer variation and the tables over
:math:`\mathbb{B}^n`, is that definition applied again. Functions are plain callables
that get int8 (from :math:`\mathbb{B}`) or int64 (from :math:`\mathbb{Z}`) and return
logic or a number; the dtype of what they return says which, as in `bvar.calculus.logic`.

Definitions are cited from V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning",
NeurIPS 2024, arXiv:2405.16339, as "BOLD" and their number.

This module is longer than 400 lines only by its docstrings; the code is about 100.
"""

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bvar.calculus.logic import F, T, _as_logic, _as_operand, _in_range, _is_logic, _refuse_shapes, neg, xnor

__all__ = [
    "delta",
    "integer_variation",
    "partial_variation",
    "restrict",
    "second_variation",
    "truth_table",
    "variation",
    "variation_closed_form",
    "variation_table",
]

# A table of n bits calls f once per row: 65,536 calls are a second or so.
_MAX_TABLE_BITS = 16


def _as_boolean(name: str, value: ArrayLike) -> NDArray[np.int8]:
    """Return `value` as int8 in F, T: variation is taken at points of B, never at 0."""
    array = _as_logic(name, value)
    if not array.all():
        raise ValueError(f"{name} must be F or T, got 0")
    return array


def _as_integer(name: str, value: ArrayLike) -> NDArray[np.int64]:
    """Return `value` as int64, refusing logic and floats."""
    array = _as_operand(name, value)
    if array.dtype != np.int64:
        kind = "logic" if _is_logic(array) else "a float"
        raise TypeError(f"{name} must be integers, int or a dtype such as int64, got {kind}")
    return array


def _as_point(x: ArrayLike) -> NDArray[np.int8]:
    point = _as_boolean("x", x)
    if point.ndim != 1:
        raise ValueError(f"x must be one-dimensional, a point of B^n, got shape {point.shape}")
    return point


def _as_whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def _as_coordinate(name: str, index: int, n: int) -> int:
    index = _as_whole(name, index)
    if not 0 <= index < n:
        raise IndexError(f"{name} must be a coordinate of x, in 0..{n - 1}, got {index}")
    return index


def delta(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Compare two values: the move from `a` to `b`.

    Parameters
    ----------
    a, b : array_like
        Both logic or both numbers, elementwise, with broadcasting.

    Returns
    -------
    d : int8, int64 or float64 scalar or ndarray
        For logic, T where ``b > a``, F where ``b < a`` and 0 where they are equal.
        For numbers, ``b - a``.

    Raises
    ------
    TypeError
        If one operand is logic and the other a number, or one is neither.
    ValueError
        If an operand holds NaN or infinity, or is int8 outside -1, 0, 1, or shapes do
        not fit each other.
    OverflowError
        If a difference of integers exceeds ``2**62``.

    See Also
    --------
    variation : Compares the move of a function with that of its argument.

    Notes
    -----
    BOLD, Definition 3.7, written :math:`\delta(a \to b)`, for the order
    :math:`F < T` of its Definition 3.6. That order says nothing about 0; we extend it
    to :math:`F < 0 < T`, the order of the embedding, because the second variation
    has to compare values of :math:`\mathbb{M}`.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO
    >>> from bvar.calculus.variation import delta
    >>> delta(F, T), delta(T, F), delta(T, T)
    (np.int8(1), np.int8(-1), np.int8(0))
    >>> delta(5, 2)
    np.int64(-3)
    """
    start, end = _as_operand("a", a), _as_operand("b", b)
    _refuse_shapes(start, end)
    if _is_logic(start) != _is_logic(end):
        raise TypeError("a and b must be both logic or both numbers; use embed to make logic a number")
    if _is_logic(start):
        return np.sign(end - start)[()]
    with np.errstate(over="ignore"):
        return _in_range(end - start, np.subtract(end, start, dtype=np.float64))[()]


def variation(f: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Compute the variation of a function of one bit, from the definition.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}` to logic or numbers. It is called with `x` as int8 and
        with its negation.
    x : array_like of bool or int8
        The point, F or T. If it is an array, `f` has to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`f'(x)`: for a logic-valued `f`, T if `f` moves with its argument, F if
        it moves against it, 0 if it does not move; for a number-valued `f` the size
        of the step, with that sign.

    Raises
    ------
    ValueError
        If `x` holds 0.
    TypeError
        If `x` is a number, or `f` is logic at one point and a number at the other.

    See Also
    --------
    variation_closed_form : The same value without a point.
    partial_variation : Functions of several bits.
    integer_variation : Functions of an integer.

    Notes
    -----
    This is :eq:`variation` of ``docs/explanation/variation.md``.

    BOLD, Definition 3.8,

    .. math:: f'(x) = \operatorname{xnor}(\delta(x \to \neg x),
                                          \delta(f(x) \to f(\neg x))).

    It does not depend on `x`: at :math:`\neg x` both moves are reversed.

    Examples
    --------
    Negation moves against its argument, the constant does not move.

    >>> from bvar.calculus.logic import F, T, embed, neg
    >>> from bvar.calculus.variation import variation
    >>> variation(neg, T)
    np.int8(-1)
    >>> variation(lambda x: T, F)
    np.int8(0)
    >>> variation(lambda x: 3 * embed(x), F)
    np.int64(6)
    """
    point = _as_boolean("x", x)[()]
    flipped = neg(point)
    return xnor(delta(point, flipped), delta(f(point), f(flipped)))


def variation_closed_form(f: Callable[[Any], Any]) -> Any:
    r"""Compute the variation of a function of one bit from its two values.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}` to logic or numbers.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        The constant value of :math:`f'`.

    Raises
    ------
    TypeError
        If `f` is logic at one point and a number at the other.

    See Also
    --------
    variation : The definition, which this equals at both points.

    Notes
    -----
    :math:`f' = \delta(f(F) \to f(T))`, derived here from BOLD, Definition 3.8: put
    :math:`x = F`, whose own move is T, and T is neutral for xnor.

    Examples
    --------
    >>> from bvar.calculus.logic import T, or_
    >>> from bvar.calculus.variation import variation_closed_form
    >>> variation_closed_form(lambda x: or_(x, T))
    np.int8(0)
    """
    return delta(f(F), f(T))


def integer_variation(f: Callable[[Any], Any], x: ArrayLike) -> Any:
    r"""Compute the variation of a function of an integer: one step forward.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{Z}` to logic or numbers. It is called with `x` and
        ``x + 1`` as int64.
    x : array_like of int
        The point. If it is an array, `f` has to work elementwise.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`f'(x)`, logic for a logic-valued `f`, else the forward difference.

    Raises
    ------
    TypeError
        If `x` is not an integer (bool and int8 are logic), or `f` changes kind.

    See Also
    --------
    variation : Functions of one bit.

    Notes
    -----
    BOLD, Definition 3.11: :math:`f'(x) = \delta(f(x) \to f(x + 1))`. Unlike the
    variation in a bit it is one-sided, which is what makes the chain rule through an
    integer conditional; see `bvar.calculus.chain`.

    Examples
    --------
    A step at 2 varies between 1 and 2 only.

    >>> from bvar.calculus.variation import integer_variation
    >>> integer_variation(lambda s: s >= 2, [0, 1, 2, 3])
    array([0, 1, 0, 0], dtype=int8)
    """
    point = _as_integer("x", x)[()]
    return delta(f(point), f(point + 1))


def restrict(f: Callable[[Any], Any], x: ArrayLike, i: int) -> Callable[[Any], Any]:
    r"""Freeze all coordinates but one, leaving a function of one bit.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}^n` to logic or numbers; it gets a 1-d int8 array.
    x : array_like of bool or int8, shape (n,)
        The point at which the other coordinates are frozen.
    i : int
        The coordinate left free, 0 to n - 1.

    Returns
    -------
    g : callable
        ``g(b)`` is `f` at `x` with coordinate `i` set to the bit `b`.

    Raises
    ------
    IndexError
        If `i` is not a coordinate of `x`.
    ValueError
        If `x` is not one-dimensional or holds 0.
    TypeError
        If `x` is a number.

    See Also
    --------
    partial_variation : The variation of the restriction.

    Notes
    -----
    Restriction turns every statement about functions of one bit, chain rules
    included, into one about functions of several.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, and_
    >>> from bvar.calculus.variation import restrict
    >>> g = restrict(lambda x: and_(x[0], x[1]), [T, F], i=1)
    >>> g(F), g(T)
    (np.int8(-1), np.int8(1))
    """
    point = _as_point(x).copy()  # g must not change when the caller's x does
    i = _as_coordinate("i", i, point.size)

    def g(bit: ArrayLike) -> Any:
        moved = point.copy()
        moved[i] = _as_boolean("bit", bit)
        return f(moved)

    return g


def partial_variation(f: Callable[[Any], Any], x: ArrayLike, i: int) -> Any:
    r"""Compute the variation of a function of several bits in one of them.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}^n` to logic or numbers; it gets a 1-d int8 array.
    x : array_like of bool or int8, shape (n,)
        The point.
    i : int
        The coordinate to vary, 0 to n - 1.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`f'_i(x) = \delta f(x) / \delta x_i`.

    Raises
    ------
    IndexError
        If `i` is not a coordinate of `x`.
    ValueError
        If `x` is not one-dimensional or holds 0.
    TypeError
        If `x` is a number, or `f` changes between logic and numbers.

    See Also
    --------
    variation_table : All points and coordinates at once.

    Notes
    -----
    BOLD, Definition 3.13. It does not depend on :math:`x_i`, only on the other
    coordinates.

    Examples
    --------
    The variation of xnor in one operand is the other operand.

    >>> from bvar.calculus.logic import F, T, xnor
    >>> from bvar.calculus.variation import partial_variation
    >>> partial_variation(lambda x: xnor(x[0], x[1]), [T, F], i=0)
    np.int8(-1)
    """
    point = _as_point(x)
    return variation(restrict(f, point, i), point[_as_coordinate("i", i, point.size)])


def second_variation(f: Callable[[Any], Any], x: ArrayLike, i: int, j: int) -> Any:
    r"""Compute how the variation in one bit varies with another.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}^n` to logic or numbers; it gets a 1-d int8 array.
    x : array_like of bool or int8, shape (n,)
        The point.
    i, j : int
        The coordinate varied first and the one varied second.

    Returns
    -------
    v : int8, int64 or float64 scalar or ndarray
        :math:`f''_{ij}(x)`, the partial variation in `j` of the partial variation in
        `i`. It is 0 for ``i == j``.

    Raises
    ------
    IndexError
        If `i` or `j` is not a coordinate of `x`.
    ValueError
        If `x` is not one-dimensional or holds 0.
    TypeError
        If `x` is a number, or `f` changes between logic and numbers.

    See Also
    --------
    partial_variation : The first variation.

    Notes
    -----
    For numbers this is :eq:`second-variation` of ``docs/explanation/variation.md``.

    Ours. For numbers it is
    :math:`f_{TT} - f_{TF} - f_{FT} + f_{FF}`, the interaction of the two bits; for an
    `f` with values in :math:`\mathbb{B}` it is the sign of that sum over the embedded
    values. Both are symmetric in `i` and `j`. With values in :math:`\mathbb{M}`
    symmetry fails, because the first comparison already drops magnitudes; the page
    has the counterexample.

    Examples
    --------
    The operands of xnor interact positively, those of xor negatively.

    >>> from bvar.calculus.logic import F, T, xnor, xor
    >>> from bvar.calculus.variation import second_variation
    >>> second_variation(lambda x: xnor(x[0], x[1]), [T, F], 0, 1)
    np.int8(1)
    >>> second_variation(lambda x: xor(x[0], x[1]), [T, F], 0, 1)
    np.int8(-1)
    """
    point = _as_point(x)
    i, j = (_as_coordinate(name, k, point.size) for name, k in (("i", i), ("j", j)))
    return partial_variation(lambda y: partial_variation(f, y, i), point, j)


def _points(n: int) -> list[NDArray[np.int8]]:
    """List B^n in counting order, coordinate 0 most significant."""
    n = _as_whole("n", n)
    if not 1 <= n <= _MAX_TABLE_BITS:
        raise ValueError(f"n must be in 1..{_MAX_TABLE_BITS} for a table of 2**n rows, got {n}")
    return [np.array(bits, np.int8) for bits in product((F, T), repeat=n)]


def truth_table(f: Callable[[Any], Any], n: int) -> NDArray[Any]:
    r"""Tabulate a function of several bits.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}^n` to logic or numbers; it gets a 1-d int8 array.
    n : int
        Number of bits, 1 to 16.

    Returns
    -------
    table : ndarray of int8, int64 or float64, shape (2**n,)
        Values in counting order: coordinate 0 is the most significant bit, F before T.

    Raises
    ------
    ValueError
        If `n` is out of range.
    TypeError
        If `f` is logic at some points and a number at others.

    See Also
    --------
    variation_table : All partial variations.

    Notes
    -----
    For ``n = 2`` the order is that of the bits of a gate's number in `bvar.calculus.gates`.

    Examples
    --------
    >>> from bvar.calculus.logic import or_
    >>> from bvar.calculus.variation import truth_table
    >>> truth_table(lambda x: or_(x[0], x[1]), 2)
    array([-1,  1,  1,  1], dtype=int8)
    """
    values = [_as_operand("f(x)", f(point)) for point in _points(n)]
    if len({_is_logic(value) for value in values}) > 1:
        raise TypeError("f must be logic at all points or a number at all, got both")
    return np.array(values)


def variation_table(f: Callable[[Any], Any], n: int) -> NDArray[Any]:
    r"""Tabulate all partial variations of a function of several bits.

    Parameters
    ----------
    f : callable
        From :math:`\mathbb{B}^n` to logic or numbers, one value a point; it gets a
        1-d int8 array.
    n : int
        Number of bits, 1 to 16.

    Returns
    -------
    table : ndarray of int8, int64 or float64, shape (2**n, n)
        Entry ``[k, i]`` is :math:`f'_i` at the point of row `k` of `truth_table`.

    Raises
    ------
    ValueError
        If `n` is out of range, or `f` returns arrays.
    TypeError
        If `f` is logic at some points and a number at others.

    See Also
    --------
    partial_variation : One entry, from the definition.

    Notes
    -----
    Computed from the truth table with the closed form, one comparison a coordinate.

    Examples
    --------
    The variation of or in one operand is T where the other is F, else 0.

    >>> from bvar.calculus.logic import or_
    >>> from bvar.calculus.variation import variation_table
    >>> variation_table(lambda x: or_(x[0], x[1]), 2)
    array([[1, 1],
           [0, 1],
           [1, 0],
           [0, 0]], dtype=int8)
    """
    values = truth_table(f, n)
    if values.ndim != 1:
        raise ValueError(f"f must return one value a point, got shape {values.shape[1:]}")
    cube = values.reshape((2,) * n)
    columns = []
    for i in range(n):
        at_f, at_t = np.split(cube, 2, axis=i)
        columns.append(np.broadcast_to(delta(at_f, at_t), cube.shape).ravel())
    return np.stack(columns, axis=-1)
