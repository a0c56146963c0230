"""The Boolean linear layer: sums of gates between weights and inputs (``docs/explanation/neuron.md``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomSource, RandomWords
from bvar.calculus.gates import Gate
from bvar.kernels.backward import check_terms
from bvar.layers.ballots import Ballots
from bvar.layers.base import Layer, Marginals, Product, Value, VoteBlock
from bvar.layers.offset import Offset, random_offsets
from bvar.layers.parameter import Parameter

__all__ = ["BooleanLinear"]

# neurons voted on at a time: 4096 inputs then make 2 MiB of votes and 1 MiB of accumulators, still in the cache
# when the flip reads them; fewer neurons would stage the signals once more for each block
_BLOCK = 128


class BooleanLinear(Layer):
    r"""Sum a gate between Boolean weights and Boolean inputs.

    .. math:: s_{bj} = [e(w_{j0}) +] [o_j +] \sum_i e(L(w_{ji}, x_{bi}))

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of the layer below and of this one, at least 1.
    gate : str, int or Gate, default='xnor'
        The connective L(w, x); it must depend on both operands, or nothing could be learnt.
    bias : bool, default=False
        Whether each output has a Boolean bias, a weight whose input is always T.
    centered : bool, default=False
        Whether votes on weights count from the mean of the inputs over the batch; the inputs must then be
        activations, none missing.
    offset_spread : float, optional
        Give each output an integer offset, a threshold that is learnt: this is the standard deviation of the first
        ones, in spreads of the sum, in [0, 1]. Default: no offsets.
    offset_rate : float, default=0.1
        See :class:`bvar.layers.Offset`.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights, fair coins, come from, then those of a bias, then the offsets.
    name : str, default='linear'
        What the layer is called in tables.

    Attributes
    ----------
    weight : Parameter
        Bits of shape (n_outputs, n_inputs).
    bias : Parameter or None
        Bits of shape (1, n_outputs).
    offset : Offset or None
        Integers of shape (n_outputs,).

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive integer or the gate ignores an operand.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Eq. 1, in the +1/-1 convention.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import BooleanLinear
    >>> layer = BooleanLinear(3, 2, random_state=0)
    >>> s, _ = layer.forward(kernels.pack(np.array([[True, False, True]])))
    >>> s.shape, bool((abs(s) <= 3).all())
    ((1, 2), True)
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        gate: str | int | Gate = "xnor",
        *,
        bias: bool = False,
        centered: bool = False,
        offset_spread: float | None = None,
        offset_rate: float = 0.1,
        random_state: RandomSource = None,
        name: str = "linear",
    ) -> None:
        n_inputs = check_integer(n_inputs, "n_inputs", low=1, high=kernels.MAX_BITS)
        n_outputs = check_integer(n_outputs, "n_outputs", low=1, high=kernels.MAX_TERMS)
        self.gate = find_learnable_gate(gate)
        source = RandomWords.of(random_state)
        self.name = name
        self.centered = centered
        self.weight = Parameter(f"{name}.weight", source.bits(n_outputs, n_inputs))
        self.bias = Parameter(f"{name}.bias", source.bits(1, n_outputs)) if bias else None
        self.offset: Offset | None = None
        if offset_spread is not None:
            values = random_offsets(n_outputs, n_inputs, offset_spread, source)
            self.offset = Offset(f"{name}.offset", values, n_inputs, rate=offset_rate)
        found = (self.weight, self.bias, self.offset)
        self.parameters = tuple(parameter for parameter in found if parameter is not None)

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return self.weight.bits.n_bits

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.weight.bits.n_rows

    def products(self) -> tuple[Product, ...]:
        """Say that every output sees every input."""
        return (Product.of_rows(self.name, self.n_inputs, self.n_outputs),)

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, BitMatrix]:
        """Compute the sums of inputs, which may be missing and are the context."""
        s = kernels.gate_sum(x, self.weight.prepared(), self.gate)
        shift = self._shift()
        if shift is not None:
            s += shift
        return s, x

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[BitMatrix], Value], Sequence[Layer]]:
        """Compare the sums where they arise, if a comparison follows: nothing but its bits is then stored."""
        if type(self) is not BooleanLinear:  # a subclass may add up otherwise: it is not merged
            return super().absorb(above)
        found = above[0].comparison(above[1:]) if above else None
        if found is None or found.tau.shape != (self.n_outputs,):  # a threshold of another width says so itself
            return kernels.PreparedSum(self.weight.prepared(), self._prepared_shift(), self.gate).sums, above
        return self._comparing(found.tau, found.below), found.left

    def forward_bits(self, x: BitMatrix, tau: np.ndarray, below: np.ndarray | None = None) -> BitMatrix:
        """Compute the activations ``s >= tau`` without storing the sums.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        tau : ndarray of int32, shape (n_outputs,)
            Thresholds.
        below : ndarray of bool, shape (n_outputs,), optional
            Where to give ``s < tau`` instead. Default: nowhere.

        Returns
        -------
        BitMatrix of shape (n_samples, n_outputs)
            The activations.
        """
        return self._comparing(tau, below)(x)

    def _comparing(self, tau: np.ndarray, below: np.ndarray | None) -> Callable[[BitMatrix], BitMatrix]:
        """Prepare everything of a comparison that depends on no input."""
        # the threshold goes to the other side of the comparison, to what stands there beside the sum of gates
        shift = self._prepared_shift() - tau.astype(np.int64)
        compare = kernels.PreparedSum(self.weight.prepared(), shift, self.gate).bits
        if below is None or not below.any():
            return compare
        negated = kernels.pack(below[None]).words
        return lambda x: BitMatrix.trusted(compare(x).words ^ negated, self.n_outputs)

    def check(self, context: BitMatrix) -> None:
        """Refuse more samples than votes can be counted of, and missing inputs, if votes are centred."""
        check_terms(len(context), "samples in one call")
        if self.centered and context.known is not None:
            raise ValueError(f"{self.name} has centered votes, so no input of it can be missing")

    def backward(self, signal: np.ndarray, context: BitMatrix) -> np.ndarray:
        """Collect the votes on the inputs."""
        return kernels.input_votes(signal, self.weight.bits, self.gate)

    def votes(self, signal: np.ndarray, context: BitMatrix) -> tuple[np.ndarray, ...]:
        """Collect the votes on weights, bias and offsets."""
        return kernels.weight_votes(signal, context, self.gate), *self._shift_votes(signal)

    def ballots(self, signal: np.ndarray, context: BitMatrix) -> tuple[np.ndarray | Ballots, ...]:
        """Leave the votes on weights uncounted, with copies of the inputs, unless one of them is missing."""
        if context.known is not None or type(self).votes is not BooleanLinear.votes:
            return self.votes(signal, context)
        inputs = BitMatrix.trusted(context.words.copy(), context.n_bits)
        return Ballots(signal, inputs, self.gate, self.centered), *self._shift_votes(signal)

    def marginals(self, signal: np.ndarray, context: BitMatrix) -> tuple[Marginals | None, ...]:
        """Sum up the signals of each output, and the variations of the gate at each input."""
        if not self.centered:
            return super().marginals(signal, context)
        self.check(context)
        sums = kernels.signal_sums(signal).astype(np.int64), kernels.input_sums(context, self.gate), len(signal)
        return (sums, None, None)[: len(self.parameters)]

    def vote_blocks(self, signal: np.ndarray, context: BitMatrix) -> Iterator[VoteBlock]:
        """Leave the votes on weights to be counted as they flip, unless an input is missing.

        Signals may be on some neighbouring outputs alone; blocks are then numbered from the first of them.
        """
        if type(self).votes is not BooleanLinear.votes:
            yield from self._blocks_of_votes(signal, context)
            return
        if context.known is None:
            yield 0, slice(0, signal.shape[1]), Ballots(signal, context, self.gate, self.centered)
        else:
            yield from self._counted_blocks(signal, context)
        for number, votes in enumerate(self._shift_votes(signal), start=1):
            yield number, slice(0, len(votes)), votes

    def _blocks_of_votes(self, signal: np.ndarray, context: BitMatrix) -> Iterator[VoteBlock]:
        """Collect the votes of a subclass, which may vote otherwise, and centre them."""
        pairs = zip(self.votes(signal, context), self.marginals(signal, context), strict=True)
        for number, (q, sums) in enumerate(pairs):
            yield number, slice(0, len(q)), q if sums is None else kernels.center_votes(q, *sums)

    def _prepared_shift(self) -> np.ndarray:
        shift = self._shift()
        return np.zeros(self.n_outputs, np.int32) if shift is None else shift

    def _counted_blocks(self, signal: np.ndarray, context: BitMatrix) -> Iterator[VoteBlock]:
        """Collect the votes on a few neurons at a time."""
        self.check(context)
        for start in range(0, signal.shape[1], _BLOCK):
            rows = slice(start, min(start + _BLOCK, signal.shape[1]))
            yield 0, rows, kernels.weight_votes(signal[:, rows], context, self.gate)

    def _shift(self) -> np.ndarray | None:
        """Return what bias and offset add to the sums of each output; None where there is neither."""
        offset = None if self.offset is None else self.offset.values
        if self.bias is None:
            return offset
        signs = kernels.unpack_ternary(self.bias.bits)[0].astype(np.int32)
        return signs if offset is None else signs + offset

    def _shift_votes(self, signal: np.ndarray) -> Iterator[np.ndarray]:
        """Votes on what adds the same to every sample: the sums of the signals."""
        if self.bias is not None or self.offset is not None:
            total = kernels.signal_sums(signal)
            if self.bias is not None:
                yield total[None]
            if self.offset is not None:
                yield total


def find_learnable_gate(gate: str | int | Gate) -> Gate:
    """Look a gate up, and refuse one that has nothing to learn or nothing to learn from."""
    found = Gate.of(gate)
    if not (found.depends_on_a and found.depends_on_b):
        raise ValueError(f"gate {found.name!r} ignores the weight or the input: a layer of it cannot learn")
    return found
