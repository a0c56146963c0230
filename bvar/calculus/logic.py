r"""Three-valued logic: connectives, embedding, projection and mixed types.

The page is ``docs/explanation/three-valued-logic.md``. Everything rests on one
formula, `connective`: the magnitudes multiply, and the logic values go through a
two-by-two truth table. The dtype says what a value *is*: ``int8`` holds
:math:`\mathbb{M} = \{F, 0, T\}` as -1, 0, +1, ``bool`` holds
:math:`\mathbb{B} = \{F, T\}`, and every other integer or float dtype is a number.

Definitions are cited from V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning",
NeurIPS 2024, arXiv:2405.16339, as "BOLD" and their number.

This module is longer than 400 lines only by its docstrings, one per connective.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bvar._validation import as_array, check_integer

__all__ = [
    "ZERO",
    "F",
    "T",
    "and_",
    "connective",
    "embed",
    "implies",
    "magnitude",
    "nand",
    "neg",
    "nor",
    "or_",
    "project",
    "table_of",
    "xnor",
    "xor",
]

F = np.int8(-1)
ZERO = np.int8(0)
T = np.int8(1)

# Integers stay within +-2**62. The sum of two of them then fits int64, and a product
# that leaves the range shows in float64, whose rounding is far below the spare bit.
_INTEGER_LIMIT = 2**62


def _as_operand(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return `value` as int8 (logic), int64 or float64 (number), or say why not."""
    _refuse_mixed_list(name, value)
    array = as_array(value, name)
    kind = array.dtype.kind
    if kind == "b":
        return np.where(array, T, F)
    if array.dtype == np.int8:
        if ((array < F) | (array > T)).any():
            raise ValueError(
                f"{name} must hold only -1 (F), 0 and 1 (T), because int8 means logic, got {int(array.min())} to "
                f"{int(array.max())}; give numbers another dtype, such as int64"
            )
        return array
    if kind in "iu":
        if array.size and max(int(array.max()), -int(array.min())) > _INTEGER_LIMIT:
            raise ValueError(f"{name} must be integers in -2**62..2**62, got {array.min()} to {array.max()}")
        return array.astype(np.int64)
    if kind == "f":
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ValueError(
                f"{name} must be finite, got NaN or infinity (for 'no value' there is the logic value 0)"
            )
        return array
    raise TypeError(
        f"{name} must be bool or int8 (logic), or of an integer or float dtype (number), got dtype {array.dtype}"
    )


def _as_logic(name: str, value: ArrayLike) -> NDArray[np.int8]:
    """Return `value` as int8 in F, 0, T, refusing numbers."""
    array = _as_operand(name, value)
    if not _is_logic(array):
        raise TypeError(f"{name} must be logic, bool or int8 with -1, 0, 1, got a number ({array.dtype})")
    return array


def _is_logic(operand: NDArray[Any]) -> bool:
    return bool(operand.dtype == np.int8)


def _refuse_shapes(a: NDArray[Any], b: NDArray[Any]) -> None:
    """Refuse two operands that are not elementwise of one shape, after broadcasting."""
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"a and b must have shapes that broadcast to one, got {a.shape} and {b.shape}") from None


def _refuse_mixed_list(name: str, value: Any) -> None:
    """Refuse [F, False] and [F, 0], which NumPy would turn into something else."""
    if isinstance(value, list | tuple):
        kinds = _kinds(value)
        if len(kinds) > 1:
            raise TypeError(
                f"{name} must be F, ZERO and T, or only bool, or only numbers, "
                f"got {' and '.join(sorted(kinds))} in one list"
            )


def _kinds(value: Any) -> set[str]:
    if isinstance(value, list | tuple):
        return set().union(*map(_kinds, value))
    dtype = np.asarray(value).dtype
    return {{"bool": "bool", "int8": "int8 logic"}.get(dtype.name, "numbers")}


def _in_range(result: Any, as_float: Any) -> NDArray[Any]:
    """Pass `result` on unless `as_float`, the same in float64, is out of range."""
    limit = _INTEGER_LIMIT if result.dtype == np.int64 else np.finfo(np.float64).max
    if (np.abs(as_float) > limit).any():
        raise OverflowError("the result is too large; integers must stay within -2**62..2**62")
    return np.asarray(result)


def embed(a: ArrayLike) -> Any:
    r"""Embed logic in the integers: F, 0, T become -1, 0, +1.

    Parameters
    ----------
    a : array_like of bool or int8
        Logic values.

    Returns
    -------
    e : int64 scalar or ndarray
        :math:`e(a)`, of the shape of `a`.

    Raises
    ------
    TypeError
        If `a` is a number.
    ValueError
        If `a` is int8 with values other than -1, 0, 1.

    See Also
    --------
    project : The way back, from numbers to logic.

    Notes
    -----
    BOLD, Definition A.1. The embedding turns xnor into the product,
    :math:`e(\operatorname{xnor}(a, b)) = e(a)\, e(b)`.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, embed
    >>> embed([F, ZERO, T])
    array([-1,  0,  1])
    >>> embed(True)
    np.int64(1)
    """
    return _as_logic("a", a).astype(np.int64)[()]


def project(x: ArrayLike) -> Any:
    r"""Project numbers to logic by their sign.

    Parameters
    ----------
    x : array_like
        Numbers. Logic values are their own projection and come back unchanged.

    Returns
    -------
    p : int8 scalar or ndarray
        T where ``x > 0``, F where ``x < 0``, 0 where ``x == 0``.

    Raises
    ------
    ValueError
        If `x` holds NaN or infinity, or is int8 with values other than -1, 0, 1.
    TypeError
        If `x` is neither logic nor a real number.

    See Also
    --------
    embed : The way back, from logic to integers.

    Notes
    -----
    BOLD, Definition 3.3 (the logic value of a number) and A.1 (the projector), with
    :math:`p(xy) = \operatorname{xnor}(p(x), p(y))`.

    Examples
    --------
    >>> from bvar.calculus.logic import project
    >>> project([-2.5, 0.0, 7.0])
    array([-1,  0,  1], dtype=int8)
    """
    return np.sign(_as_operand("x", x)).astype(np.int8)[()]


def magnitude(x: ArrayLike) -> Any:
    r"""Give the size of a value: the absolute value, or 1 for F and T and 0 for 0.

    Parameters
    ----------
    x : array_like
        Logic or numbers.

    Returns
    -------
    size : int64 or float64 scalar or ndarray
        :math:`|x|`, of the shape of `x`. Always a number.

    Raises
    ------
    ValueError
        If `x` holds NaN or infinity, or is int8 with values other than -1, 0, 1.
    TypeError
        If `x` is neither logic nor a real number.

    See Also
    --------
    project : The sign that goes with it.

    Notes
    -----
    BOLD, Definition 3.4. Two numbers are equal exactly when both their magnitudes
    and their projections are.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, magnitude
    >>> magnitude([F, ZERO, T])
    array([1, 0, 1])
    >>> magnitude(-2.5)
    np.float64(2.5)
    """
    array = _as_operand("x", x)
    return np.abs(array.astype(np.int64) if _is_logic(array) else array)[()]


def neg(a: ArrayLike) -> Any:
    r"""Negate: F and T change places, 0 stays.

    Parameters
    ----------
    a : array_like
        Logic or numbers.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        :math:`\neg a` for logic, :math:`-a` for a number.

    Raises
    ------
    ValueError
        If `a` holds NaN or infinity, or is int8 with values other than -1, 0, 1.
    TypeError
        If `a` is neither logic nor a real number.

    See Also
    --------
    xor : Negation is ``xor(T, a)``.

    Notes
    -----
    BOLD, Definition 3.1, for logic. For numbers it is our reading of the mixed-type
    rule with one operand, and it agrees with :math:`\operatorname{xor}(T, a)`.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, neg
    >>> neg([F, ZERO, T])
    array([ 1,  0, -1], dtype=int8)
    """
    return (-_as_operand("a", a))[()]


def table_of(gate_id: int) -> NDArray[np.int8]:
    r"""Spell out the truth table that a gate number encodes.

    Parameters
    ----------
    gate_id : int
        0 to 15. Its four bits, most significant first, are :math:`L(F, F)`,
        :math:`L(F, T)`, :math:`L(T, F)` and :math:`L(T, T)`.

    Returns
    -------
    table : ndarray of int8, shape (2, 2)
        ``table[a, b]`` for bits `a` and `b`, with -1 for F and +1 for T.

    Raises
    ------
    TypeError, ValueError
        If `gate_id` is no integer, or not in 0..15.

    See Also
    --------
    bvar.calculus.gates.Gate.of : The same function with its name and all that follows from it.

    Notes
    -----
    The bits list the truth table in counting order, so the number *is* the table and
    no table has to be typed.

    Examples
    --------
    >>> from bvar.calculus.logic import table_of
    >>> table_of(0b0001)  # and
    array([[-1, -1],
           [-1,  1]], dtype=int8)
    """
    number = check_integer(gate_id, "gate_id", low=0, high=15)
    bits = [number >> shift & 1 for shift in (3, 2, 1, 0)]
    return np.where(np.reshape(bits, (2, 2)), T, F)


def connective(table: ArrayLike, a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply a binary connective to logic, to numbers, or to one of each.

    Parameters
    ----------
    table : array_like of bool or int8, shape (2, 2)
        The connective on bits: ``table[a, b]`` is F or T.
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        Logic (int8) if both operands are logic; otherwise a number, float64 if
        either operand is a float.

    Raises
    ------
    ValueError
        If `table` is not a truth table, an operand holds NaN or infinity or is int8
        with values other than -1, 0, 1, or shapes do not fit each other.
    TypeError
        If an operand is neither logic nor a real number.
    OverflowError
        If a product of integers exceeds ``2**62``, or one of floats is infinite.

    See Also
    --------
    bvar.calculus.gates.Gate : The sixteen connectives as objects.

    Notes
    -----
    This is :eq:`mixed-type` of ``docs/explanation/three-valued-logic.md``.

    The result is the value with

    .. math:: |c| = |a|\,|b|, \qquad
              c_{\mathrm{logic}} = L(a_{\mathrm{logic}}, b_{\mathrm{logic}}),

    where :math:`L` gives 0 as soon as one operand is 0 (BOLD, Definitions 3.1 and
    3.5). So 0 absorbs in every connective, unlike in Kleene's logic: ``or_(T, 0)``
    is 0.

    Examples
    --------
    >>> from bvar.calculus.logic import T, connective, table_of
    >>> connective(table_of(0b1001), T, [-2.5, 0.0, 4.0])  # xnor
    array([-2.5,  0. ,  4. ])
    """
    rows = _as_logic("table", table)
    if rows.shape != (2, 2) or not rows.all():
        raise ValueError("table must be two by two and hold only F and T")
    # Places 0, 1, 2 stand for F, 0, T; the middle row and column are the absorbing 0.
    extended = np.zeros((3, 3), np.int8)
    extended[::2, ::2] = rows
    left, right = _as_operand("a", a), _as_operand("b", b)
    _refuse_shapes(left, right)
    c_logic = extended[project(left) + T, project(right) + T]
    if _is_logic(left) and _is_logic(right):
        return c_logic[()]
    size_a, size_b = magnitude(left), magnitude(right)
    with np.errstate(over="ignore"):
        product = _in_range(size_a * size_b, np.multiply(size_a, size_b, dtype=np.float64))
    return (c_logic * product)[()]


_AND, _OR, _XOR, _XNOR, _NAND, _NOR, _IMPLIES = map(table_of, (1, 7, 6, 9, 14, 8, 13))


def and_(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the conjunction: T if both operands are T.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    connective : The formula behind every connective.

    Notes
    -----
    With a number, :math:`\operatorname{and}(T, x) = x`, but
    :math:`\operatorname{and}(F, x) = -|x|`: F forces the sign, it does not switch
    the number off. Only 0 does that.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, and_
    >>> and_(F, [F, ZERO, T])
    array([-1,  0, -1], dtype=int8)
    >>> and_(F, [-3, 0, 3])
    array([-3,  0, -3])
    """
    return connective(_AND, a, b)


def or_(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the disjunction: T if at least one operand is T.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    connective : The formula behind every connective.

    Notes
    -----
    With a number, :math:`\operatorname{or}(T, x) = |x|` and
    :math:`\operatorname{or}(F, x) = x`.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, or_
    >>> or_(F, [F, ZERO, T])
    array([-1,  0,  1], dtype=int8)
    >>> or_(T, [-3, 0, 3])
    array([3, 0, 3])
    """
    return connective(_OR, a, b)


def xor(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the exclusive or: T if the operands differ.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    xnor : Its negation.
    connective : The formula behind every connective.

    Notes
    -----
    :math:`\operatorname{xor}(x, y) = -xy` as soon as one operand is a number
    (BOLD, Proposition A.3).

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, xor
    >>> xor(T, [F, ZERO, T])
    array([ 1,  0, -1], dtype=int8)
    >>> xor(-2, 3)
    np.int64(6)
    """
    return connective(_XOR, a, b)


def xnor(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the equivalence: T if the operands agree.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    xor : Its negation.
    connective : The formula behind every connective.

    Notes
    -----
    The product of this calculus: :math:`\operatorname{xnor}(x, y) = xy` for numbers
    and :math:`\operatorname{xnor}(a, x) = e(a)\,x` for logic with a number (BOLD,
    Propositions A.2 and A.3).

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, xnor
    >>> xnor(F, [F, ZERO, T])
    array([ 1,  0, -1], dtype=int8)
    >>> xnor(F, -2.5)
    np.float64(2.5)
    """
    return connective(_XNOR, a, b)


def nand(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the negated conjunction: F if both operands are T.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    connective : The formula behind every connective.

    Notes
    -----
    :math:`\operatorname{nand}(a, b) = \neg \operatorname{and}(a, b)`, also with 0
    and with numbers.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, nand
    >>> nand(T, [F, ZERO, T])
    array([ 1,  0, -1], dtype=int8)
    """
    return connective(_NAND, a, b)


def nor(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the negated disjunction: T if both operands are F.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    connective : The formula behind every connective.

    Notes
    -----
    :math:`\operatorname{nor}(a, b) = \neg \operatorname{or}(a, b)`, also with 0 and
    with numbers.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, nor
    >>> nor(F, [F, ZERO, T])
    array([ 1,  0, -1], dtype=int8)
    """
    return connective(_NOR, a, b)


def implies(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Apply the implication from `a` to `b`: F only if `a` is T and `b` is F.

    Parameters
    ----------
    a, b : array_like
        Logic or numbers, elementwise, with broadcasting.

    Returns
    -------
    c : int8, int64 or float64 scalar or ndarray
        As `connective` returns it, and with the errors that it raises.

    See Also
    --------
    connective : The formula behind every connective.

    Notes
    -----
    :math:`\operatorname{implies}(a, b) = \operatorname{or}(\neg a, b)`, also with 0
    and with numbers. The order of the operands matters.

    Examples
    --------
    >>> from bvar.calculus.logic import F, T, ZERO, implies
    >>> implies(T, [F, ZERO, T])
    array([-1,  0,  1], dtype=int8)
    >>> implies(F, [F, ZERO, T])
    array([1, 0, 1], dtype=int8)
    """
    return connective(_IMPLIES, a, b)
