"""What samples say about weights: integers that add, so a batch may be split in any way.

This is the theorem of exactness in one class (``docs/explanation/exactness.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from bvar import kernels
from bvar.kernels import MAX_TERMS
from bvar.kernels.memory import lines
from bvar.layers import Ballots
from bvar.layers.base import Marginals, Sums, VoteBlock

__all__ = ["Votes"]

_TOGETHER = 2**18  # votes centred at a time: these stay in the cache


class Tensors(Sequence[np.ndarray]):
    """Votes on each parameter of a network, of which those that are not counted yet are counted when looked at.

    Whoever applies them to a network as they are can count a few neurons at a time instead, and holds no more.
    """

    def __init__(self, parts: Sequence[np.ndarray | Ballots]) -> None:
        self.parts = list(parts)

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self.parts)

    def __getitem__(self, number: Any) -> Any:
        """Return votes on one parameter, or a tuple of those on several."""
        if isinstance(number, slice):
            return tuple(self[i] for i in range(len(self))[number])
        part = self.parts[number]
        if isinstance(part, Ballots):
            part = self.parts[number] = part.count_uncentered()
        return part

    def __reduce__(self) -> tuple[type, tuple[tuple[np.ndarray, ...]]]:
        """Send what is counted: the work is done where the samples are."""
        return tuple, (self[:],)


@dataclass(frozen=True)
class Votes:
    """What a set of samples says about every weight; sets that share no sample add.

    Parameters
    ----------
    tensors : sequence of ndarray of int32
        Votes on each parameter of the network. Those of :meth:`bvar.networks.Network.votes` are counted when they
        are first looked at or added.
    n_samples : int
        Number of samples that voted.
    sample_weight : int
        Sum of their weights, each an integer fraction of :data:`bvar.networks.FULL_WEIGHT`.
    n_correct : int
        How many of them the network got right before the votes, where the loss knows right from wrong.
    loss : int
        Sum of their losses in units of 2**-32, see :data:`bvar.networks.LOSS_ONE`, for people to look at; neither
        of the two enters the training.
    marginals : tuple of Marginals or None, default=()
        For each parameter whose votes are centred, what they will be centred by.
    real : RealSums, optional
        Of a network with real weights, what these learn from, see :class:`bvar.real.RealSums`. They add as well,
        but as floats: outside the promise of equal bits.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import Votes
    >>> q = np.array([[1, -2]], dtype=np.int32)
    >>> a = Votes((q,), n_samples=2, sample_weight=2**17, n_correct=1, loss=2**31)
    >>> sum([a, a]).tensors[0], (a + a).n_samples
    (array([[ 2, -4]], dtype=int32), 4)
    """

    tensors: Sequence[np.ndarray]
    n_samples: int
    sample_weight: int
    n_correct: int
    loss: int
    marginals: tuple[Marginals | None, ...] = ()
    real: Sums | None = None

    def __add__(self, other: Votes) -> Votes:
        """Add the votes of other samples."""
        if not isinstance(other, Votes):
            return NotImplemented
        self._check_addable(other)
        return self._with(other, tuple(kernels.add_votes(a, b) for a, b in self._pairs(other)))

    def __iadd__(self, other: Votes) -> Votes:
        """Add the votes of other samples to these tensors, in place; if a sum does not fit, nothing is changed."""
        if not isinstance(other, Votes):
            return NotImplemented
        if any(np.may_share_memory(a, b) for a, b in product(self.tensors, other.tensors)):
            return self + other
        self._check_addable(other)
        for done, (a, b) in enumerate(self._pairs(other)):
            try:
                kernels.add_votes(a, b, out=a)
            except OverflowError:
                for changed, q in self._pairs(other)[:done]:
                    np.subtract(changed, q, out=changed)
                raise
        return self._with(other, self.tensors)

    def _pairs(self, other: Votes) -> list[tuple[np.ndarray, np.ndarray]]:
        return list(zip(self.tensors, other.tensors, strict=True))

    def _check_addable(self, other: Votes) -> None:
        if self._shapes() != other._shapes():
            raise ValueError("votes can be added only if they come from networks of the same shape")
        if self.tensors and self.n_samples + other.n_samples > MAX_TERMS:
            raise OverflowError(f"votes of more than {MAX_TERMS} samples do not fit int32")

    def _with(self, other: Votes, tensors: Sequence[np.ndarray]) -> Votes:
        return Votes(
            tensors,
            self.n_samples + other.n_samples,
            self.sample_weight + other.sample_weight,
            self.n_correct + other.n_correct,
            self.loss + other.loss,
            tuple(
                None if a is None or b is None else (a[0] + b[0], a[1] + b[1], a[2] + b[2])
                for a, b in zip(self.marginals, other.marginals, strict=True)
            ),
            None if self.real is None else self.real + other.real,
        )

    def __radd__(self, other: object) -> Votes:
        """Let the built-in ``sum`` start from 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def parts(self) -> tuple[np.ndarray | Ballots, ...]:
        """Return the votes on each parameter, or what they will be counted from.

        Returns
        -------
        tuple of ndarray of int32, or Ballots
            One for each parameter.
        """
        return tuple(self.tensors.parts if isinstance(self.tensors, Tensors) else self.tensors)

    def _shapes(self) -> tuple[object, ...]:
        are_centered = tuple(sums is not None for sums in self.marginals)
        return tuple(q.shape for q in self.parts()), are_centered, None if self.real is None else self.real.shapes

    def counted(self) -> Votes:
        """Count here and now what has not been counted, as threads do that share the work.

        Returns
        -------
        Votes
            Itself.
        """
        for _ in self.tensors:
            pass
        return self

    def centered(self) -> tuple[np.ndarray, ...]:
        """Return the votes as they count, each tensor that has marginals centred by them.

        Returns
        -------
        tuple of ndarray of int32
            Votes on each parameter.
        """
        pairs = zip(self.tensors, self._marginals(), strict=True)
        return tuple(q if sums is None else kernels.center_votes(q, *sums) for q, sums in pairs)

    def blocks(self) -> Iterator[VoteBlock]:
        """Give the votes as they count, but centre a few rows at a time, so that no second copy of all is made.

        Yields
        ------
        VoteBlock
            Number of a parameter, rows of it, and the votes on these rows, or what they will be counted from.

        Raises
        ------
        TypeError, ValueError
            If marginals do not fit, before the first block is given.
        """
        pairs = list(zip(self.parts(), self._marginals(), strict=True))
        for q, sums in pairs:
            if sums is not None:
                _check_marginals(q.shape, *sums)
        for number, (q, sums) in enumerate(pairs):
            if sums is None or isinstance(q, Ballots):  # which centre themselves
                yield number, slice(0, len(q)), q
                continue
            signal_sums, input_sums, n = sums
            together = max(1, _TOGETHER // max(1, q.shape[1]))
            for start in range(0, len(q), together):
                rows = slice(start, min(start + together, len(q)))
                out = lines((rows.stop - start, q.shape[1]), np.int32)
                yield number, rows, kernels.center_votes(q[rows], signal_sums[rows], input_sums, n, out=out)

    def _marginals(self) -> tuple[Marginals | None, ...]:
        """Give what each tensor will be centred by; without samples there is nothing to centre."""
        return self.marginals if self.n_samples and self.marginals else (None,) * len(self.tensors)


def _check_marginals(shape: tuple[int, ...], signal_sums: np.ndarray, input_sums: np.ndarray, n: int) -> None:
    """Centre no votes, once for all rows and once for all columns: that refuses what does not fit."""
    n_rows, n_columns = shape
    kernels.center_votes(np.zeros((n_rows, 0), np.int32), signal_sums, input_sums[:0], n)
    kernels.center_votes(np.zeros((0, n_columns), np.int32), signal_sums[:0], input_sums, n)
