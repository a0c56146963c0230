r"""Which unit each wire reads, learnt by votes; the page is ``docs/explanation/learnt-wires.md``.

A wire has candidates and reads one of them.  The votes on the others say what the loss would do if it read them
instead; they collect in accumulators as votes on weights do, and what reaches the bar moves the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import check_array, check_real
from bvar.bits import BitMatrix
from bvar.layers.parameter import Trainable

__all__ = ["Choice"]


class Choice(Trainable):
    r"""The candidate that each wire reads.

    With votes q on candidates, 0 for those that are read, eta and beta as for weights,

    .. math:: m \leftarrow \beta m + \eta \rho q ; \qquad
              \min_c m_c \le -1 \;\Rightarrow\; \text{move},\ m \leftarrow 0

    for all candidates of the wire.  Of those that reach the bar in one step the one with the loudest vote is read
    from then on, of equals the first.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    candidates : Candidates
        What each wire may read.
    values : ndarray of uint8, shape (n_wires,), optional
        Number of the candidate that each wire reads. Default: the first.
    rate : float, default=1.0
        Share rho of eta that votes on candidates count.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    See Also
    --------
    bvar.layers.Parameter : A tensor of bits.
    bvar.layers.GateLayer : Which has a choice if it is given candidates.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import Choice
    >>> from bvar.networks import BooleanOptimizer
    >>> choice = Choice("gate.wires", kernels.Candidates(np.array([[[4, 7, 9], [1, 2, 3]]]), n_units=10))
    >>> BooleanOptimizer(eta=1.0).step([choice], [np.array([[0, 50, -127], [0, -20, 9]], dtype=np.int32)], 1)
    [1]
    >>> choice.wiring.wires
    array([[9, 1]], dtype=int32)
    """

    def __init__(
        self, name: str, candidates: kernels.Candidates, values: np.ndarray | None = None, *, rate: float = 1.0
    ) -> None:
        self.name = name
        self.candidates = candidates
        n_wires, n_candidates = self.shape
        if values is None:
            values = np.zeros(n_wires, np.uint8)
        self.values = check_array(values, "values", dtype=np.uint8, ndim=1).copy()  # it is trained
        if len(self.values) != n_wires or self.values.max(initial=0) >= n_candidates:
            raise ValueError(f"values must be {n_wires} numbers below {n_candidates}, one for each wire")
        self.rate = check_real(rate, "rate", low=0)
        self._wiring: kernels.Wiring | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of wires and of candidates of each."""
        n_gates, fan_in, n_candidates = self.candidates.units.shape
        return n_gates * fan_in, n_candidates

    @property
    def value_range(self) -> tuple[int, int]:
        """Numbers of candidates."""
        return 0, self.shape[1] - 1

    @property
    def n_weights(self) -> int:
        """Number of wires: a candidate that is not read is no part of the model."""
        return len(self.values)

    @property
    def n_bytes(self) -> int:
        """Bytes in memory: a byte for each wire, and its candidates."""
        return self.values.nbytes + self.candidates.units.nbytes

    @property
    def wiring(self) -> kernels.Wiring:
        """What each gate reads; made again after a move."""
        if self._wiring is None:
            self._wiring = self.candidates.wiring(self.values)
        return self._wiring

    def move(
        self,
        m: np.ndarray,
        votes: np.ndarray,
        *,
        beta: float,
        eta: float,
        clip: float,
        dither: int = 0,
        rows: slice = slice(None),
    ) -> int:
        """Move wires of which a candidate has reached the bar; candidates share no sum, so nothing is clipped."""
        asked = BitMatrix.trusted(np.zeros((len(m), 1), np.uint64), m.shape[1])
        kernels.flip(asked, m, votes, beta=beta, eta=eta * self.rate, dither=dither)
        moved = np.flatnonzero(asked.words)
        if not len(moved):
            return 0
        loudness = np.where(kernels.unpack(asked[moved]), votes[moved], np.iinfo(np.int32).max)
        self.values[rows][moved] = loudness.argmin(axis=1)
        m[moved] = 0
        self.refresh()
        return len(moved)

    def refresh(self) -> None:
        """Forget the wiring that was made of the choice."""
        self._wiring = None

    def arrays(self) -> Iterator[np.ndarray]:
        """Give the number of wires and of candidates, and what was chosen."""
        yield np.array(self.shape, np.uint64)
        yield self.values

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again."""
        return {**self.__dict__, "_wiring": None}
