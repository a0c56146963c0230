r"""The sixteen two-input gates, each derived from its number.

The page is ``docs/explanation/gates.md``. The four bits of a gate's number are its
truth table; the polynomial, the spectrum, the xor form and the variations follow
from the table, so none of them is typed and none can disagree with another.

Layers use a gate as ``L(w, x)``: the first operand is the weight, the second the
input.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bvar.calculus.logic import connective, table_of
from bvar.calculus.variation import variation_table

__all__ = ["GATES", "Gate"]

_NAMES = (
    "false",
    "and",
    "a_and_not_b",
    "a",
    "not_a_and_b",
    "b",
    "xor",
    "or",
    "nor",
    "xnor",
    "not_b",
    "b_implies_a",
    "not_a",
    "a_implies_b",
    "nand",
    "true",
)


@dataclass(frozen=True)
class Gate:
    r"""A function of two bits, and of two three-valued or numeric operands.

    Take gates from `GATES` or `Gate.of` rather than making them.

    Parameters
    ----------
    id : int
        0 to 15. Its bits, most significant first, are :math:`L(F, F)`,
        :math:`L(F, T)`, :math:`L(T, F)` and :math:`L(T, T)`, where the first operand
        is `a` and the second `b`.
    name : str
        The name that belongs to `id`.

    Raises
    ------
    ValueError
        If `name` is not the name of `id`, or `id` is not in 0..15.

    See Also
    --------
    GATES : All sixteen, in the order of their numbers.

    Notes
    -----
    `xor_form` is :eq:`xor-form` of ``docs/explanation/gates.md``.

    Everything but `id` and `name` is computed once, on first use. BOLD (V. M. Nguyen
    et al., NeurIPS 2024, arXiv:2405.16339, Examples 3.10 and 3.15) treats xor and
    xnor; the other fourteen are derived here from the same definitions.

    Examples
    --------
    >>> from bvar.calculus.gates import Gate
    >>> from bvar.calculus.logic import T
    >>> g = Gate.of("or")
    >>> g.id, g.polynomial, g.variation_a
    (7, (0, 1, 1, -1), (1, 0))
    >>> g(T, [-3, 0, 3])
    array([3, 0, 3])
    """

    id: int
    name: str

    def __post_init__(self) -> None:
        """Refuse a name that does not belong to the number."""
        if not 0 <= self.id <= 15 or self.name != _NAMES[self.id]:
            raise ValueError(
                f"name must be that of id, as Gate.of(...) sees to, got id {self.id!r} and name {self.name!r}"
            )

    @staticmethod
    def of(which: str | int | Gate) -> Gate:
        """Look a gate up by its name or number.

        Parameters
        ----------
        which : str, int or Gate
            A name such as ``"xnor"``, a number from 0 to 15, or a gate, which comes back
            as it is.

        Returns
        -------
        Gate
            The gate.

        Raises
        ------
        ValueError
            If no gate has that name or number.
        TypeError
            If `which` is none of the three.

        Examples
        --------
        >>> from bvar.calculus.gates import Gate
        >>> Gate.of("xnor")
        Gate(id=9, name='xnor')
        >>> Gate.of(9) is Gate.of("xnor")
        True
        """
        if isinstance(which, Gate):
            return which
        names = ", ".join(_NAMES)
        wanted = f"gate must be a name, a number from 0 to 15 or a Gate, got {which!r}; the names are {names}"
        if isinstance(which, str):
            if which not in _NAMES:
                raise ValueError(wanted)
            return GATES[_NAMES.index(which)]
        if isinstance(which, bool | np.bool_) or not hasattr(which, "__index__"):
            raise TypeError(wanted)
        number = operator.index(which)
        if not 0 <= number <= 15:
            raise ValueError(wanted)
        return GATES[number]

    def __call__(self, a: ArrayLike, b: ArrayLike) -> Any:
        """Apply the gate elementwise, as `bvar.calculus.logic.connective` does."""
        return connective(self.table, a, b)

    def __reduce__(self) -> tuple[Callable[[int], Gate], tuple[int]]:
        """Pickle and copy as the number, so that a copy is the gate itself."""
        return Gate.of, (self.id,)

    @cached_property
    def table(self) -> NDArray[np.int8]:
        """Truth table, shape (2, 2), -1 for F and +1 for T, indexed by bits; read-only."""
        table = table_of(self.id)
        table.setflags(write=False)
        return table

    @cached_property
    def polynomial(self) -> tuple[int, int, int, int]:
        """Coefficients (c0, ca, cb, cab) of the gate as a polynomial of two bits.

        ``c0 + ca*a + cb*b + cab*a*b`` is 1 where the gate is T and 0 where it is F.
        """
        f00, f01, f10, f11 = ((v + 1) // 2 for v in self._values)
        return f00, f10 - f00, f01 - f00, f11 - f10 - f01 + f00

    @cached_property
    def spectrum(self) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """Walsh coefficients (s0, sa, sb, sab) of the gate as a function of signs.

        ``s0 + sa*e(a) + sb*e(b) + sab*e(a)*e(b)`` is the embedded value of the gate.
        """
        v00, v01, v10, v11 = self._values
        return (
            Fraction(v00 + v01 + v10 + v11, 4),
            Fraction(-v00 - v01 + v10 + v11, 4),
            Fraction(-v00 + v01 - v10 + v11, 4),
            Fraction(v00 - v01 - v10 + v11, 4),
        )

    @cached_property
    def xor_form(self) -> tuple[int, int, int, int]:
        """Integers (alpha, beta, gamma, delta) that count the gate with bits and one xor.

        ``alpha + beta*a + gamma*b + delta*(a ^ b)`` is the embedded value of the gate
        for bits `a` and `b`. Summed over many pairs, every gate then costs what xor
        costs.
        """
        v00, v01, v10, v11 = self._values
        delta = (v10 + v01 - v00 - v11) // 2  # four odd numbers: the sum is even
        return v00, v10 - v00 - delta, v01 - v00 - delta, delta

    @cached_property
    def variation_a(self) -> tuple[int, int]:
        """Embedded variation in the first operand, at ``b = F`` and at ``b = T``."""
        return int(self._variations[0b00, 0]), int(self._variations[0b01, 0])

    @cached_property
    def variation_b(self) -> tuple[int, int]:
        """Embedded variation in the second operand, at ``a = F`` and at ``a = T``."""
        return int(self._variations[0b00, 1]), int(self._variations[0b10, 1])

    @cached_property
    def mean(self) -> Fraction:
        """Average of the embedded value over the four inputs."""
        return Fraction(sum(self._values), 4)

    @property
    def negation(self) -> Gate:
        """The gate that is T where this one is F."""
        return GATES[15 - self.id]

    @property
    def swapped(self) -> Gate:
        """The gate with its operands exchanged."""
        f00, f01, f10, f11 = ((v + 1) // 2 for v in self._values)
        return GATES[8 * f00 + 4 * f10 + 2 * f01 + f11]

    @property
    def depends_on_a(self) -> bool:
        """Whether the first operand can change the value."""
        return any(self.variation_a)

    @property
    def depends_on_b(self) -> bool:
        """Whether the second operand can change the value."""
        return any(self.variation_b)

    @cached_property
    def _variations(self) -> NDArray[np.int8]:
        """Variations in a and b (columns) at the points ab = 00, 01, 10, 11 (rows)."""
        return variation_table(lambda ab: self(ab[0], ab[1]), 2)

    @property
    def _values(self) -> list[int]:
        """Embedded values at (F, F), (F, T), (T, F), (T, T)."""
        return [int(v) for v in self.table.ravel()]


GATES: tuple[Gate, ...] = tuple(Gate(i, name) for i, name in enumerate(_NAMES))
