"""A stack of layers, and the three verbs of which training is made: `votes`, ``+`` and `apply`.

Votes of disjoint samples add, as integers; hence a batch may be split over loops, threads or machines in any
way, and the model that comes out is the same, bit for bit (``docs/explanation/exactness.md``).  Real parameters,
where there are any, take their step at the same time; their gradients are float sums, and outside that promise.

Longer than other modules: most of it is the documentation of the verbs, which belong side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.adam import Adam
from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.calculus.gates import gate as find_gate
from bvar.kernels import MAX_TERMS
from bvar.layers import BatchNorm, BooleanLinear, Layer, Parameter, RealParameter, Threshold
from bvar.layers.base import Marginals, VoteBlock
from bvar.networks.losses import FULL_WEIGHT, SIGNAL_MAX, CrossEntropy, Loss
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["Network", "Votes", "boolean_mlp"]


@dataclass(frozen=True)
class Votes:
    """What a set of samples says about every weight; sets that share no sample add.

    Parameters
    ----------
    tensors : tuple of ndarray of int32
        Votes on each parameter of the network.
    n_samples : int
        Number of samples that voted.
    weight : int
        Sum of their weights, each an integer fraction of :data:`bvar.networks.FULL_WEIGHT`.
    n_correct : int
        How many of them the network got right before the votes, where the loss knows right from wrong.
    loss : int
        Sum of their losses in units of 2**-32, see :data:`bvar.networks.LOSS_ONE`, for people to look at; neither
        of the two enters the training.
    marginals : tuple of Marginals or None, default=()
        For each parameter whose votes are centred, what they will be centred by.
    gradients : tuple of ndarray of float32, default=()
        Sums of gradients in each real parameter, in 127ths. They add as well, but as floats: the last digits of a
        total depend on how the samples were split.
    moments : tuple of ndarray of float64, default=()
        What running statistics are made of; parts of a batch were each normalised by their own statistics.

    Examples
    --------
    >>> import numpy as np
    >>> a = Votes((np.array([[1, -2]], dtype=np.int32),), n_samples=2, weight=2**17, n_correct=1, loss=2**31)
    >>> sum([a, a]).tensors[0], (a + a).n_samples
    (array([[ 2, -4]], dtype=int32), 4)
    """

    tensors: tuple[np.ndarray, ...]
    n_samples: int
    weight: int
    n_correct: int
    loss: int
    marginals: tuple[Marginals | None, ...] = ()
    gradients: tuple[np.ndarray, ...] = ()
    moments: tuple[np.ndarray, ...] = ()

    def __add__(self, other: Votes) -> Votes:
        """Add the votes of other samples."""
        if not isinstance(other, Votes):
            return NotImplemented
        if self._shapes() != other._shapes():
            raise ValueError("votes can be added only if they come from networks of the same shape")
        if self.tensors and self.n_samples + other.n_samples > MAX_TERMS:
            raise OverflowError(f"votes of more than {MAX_TERMS} samples do not fit int32")
        n_samples = self.n_samples + other.n_samples
        tensors = tuple(a + b for a, b in zip(self.tensors, other.tensors, strict=True))
        for a, b, total in zip(self.tensors, other.tensors, tensors, strict=True):
            if ((total ^ a) & (total ^ b) < 0).any():  # both have a sign that the total has not
                raise OverflowError(f"votes of {n_samples} samples on a weight do not fit int32")
        return Votes(
            tensors,
            n_samples,
            self.weight + other.weight,
            self.n_correct + other.n_correct,
            self.loss + other.loss,
            tuple(
                None if a is None or b is None else (a[0] + b[0], a[1] + b[1], a[2] + b[2])
                for a, b in zip(self.marginals, other.marginals, strict=True)
            ),
            tuple(a + b for a, b in zip(self.gradients, other.gradients, strict=True)),
            tuple(a + b for a, b in zip(self.moments, other.moments, strict=True)),
        )

    def _shapes(self) -> list[list[tuple[int, ...]]]:
        return [[array.shape for array in arrays] for arrays in (self.tensors, self.gradients, self.moments)]

    def centered(self) -> tuple[np.ndarray, ...]:
        """Return the votes as they count, each tensor that has marginals centred by them.

        Returns
        -------
        tuple of ndarray of int32
            Votes on each parameter.
        """
        if not self.n_samples or not self.marginals:
            return self.tensors
        return tuple(
            q if sums is None else kernels.center_votes(q, *sums)
            for q, sums in zip(self.tensors, self.marginals, strict=True)
        )

    def __radd__(self, other: object) -> Votes:
        """Let the built-in ``sum`` start from 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented


class Network:
    """Layers, a loss and an optimizer.

    Parameters
    ----------
    layers : sequence of Layer
        From the input to the scores.
    loss : Loss
        Turns scores into signals.
    optimizer : BooleanOptimizer
        Turns votes into flips.
    adam : Adam, optional
        Trains the real parameters. Default: where there are any, one with the schedule of `optimizer`.

    See Also
    --------
    boolean_mlp : Make a fully connected one.

    Notes
    -----
    Networks of Boolean parameters alone are the same, bit for bit, on every backend. Real parameters and running
    statistics are float: with them a network is reproducible by seed on one backend, and no more is promised.

    Examples
    --------
    Learn the rule "y is the first bit":

    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.networks import boolean_mlp
    >>> X = np.random.RandomState(0).rand(64, 8) < 0.5
    >>> y = X[:, 0].astype(int)
    >>> network = boolean_mlp([8, 64, 2], n_steps=100, random_state=0)
    >>> for _ in range(100):
    ...     report = network.apply(network.votes(kernels.pack(X), y))
    >>> bool((network.scores(kernels.pack(X)).argmax(axis=1) == y).all())
    True
    """

    def __init__(
        self, layers: Sequence[Layer], loss: Loss, optimizer: BooleanOptimizer, adam: Adam | None = None
    ) -> None:
        self.layers = tuple(layers)
        self.loss = loss
        self.optimizer = optimizer
        self.adam = Adam(n_steps=optimizer.n_steps) if adam is None and self.real_parameters else adam

    @property
    def parameters(self) -> list[Parameter]:
        """All Boolean tensors, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    @property
    def real_parameters(self) -> list[RealParameter]:
        """All real tensors, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.real_parameters]

    def start_schedule(self, eta: float, n_steps: int | None) -> None:
        """Begin a schedule of both optimizers; what they have accumulated stays.

        Parameters
        ----------
        eta : float
            Accumulation factor to start from, at least 0; the rate of Adam starts where it did before.
        n_steps : int or None
            Length of the schedule in steps; None keeps both as they are.
        """
        self.optimizer.start_schedule(eta, n_steps)
        if self.adam is not None:
            self.adam.start_schedule(self.adam.rate, n_steps)

    def scores(self, x: Any) -> np.ndarray:
        """Compute the scores of samples, each on its own, without what training would need.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing. Or numbers, where the first layer takes those.

        Returns
        -------
        ndarray of int32, or of float32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        """
        step = min((layer.rows_together or len(x) for layer in self.layers), default=len(x))
        if len(x) > step:
            return np.concatenate([self.scores(x[i : i + step]) for i in range(0, len(x), step)])
        value: Any = x
        layers = list(self.layers)
        while layers:
            kinds = [type(layer) for layer in layers[:3]]  # a subclass may do otherwise: it is not merged
            match layers:
                case [BooleanLinear() as linear, Threshold() as threshold, *layers] if kinds[:2] == _FUSED:
                    value = linear.forward_bits(value, threshold.tau)
                case [BooleanLinear() as linear, BatchNorm() as norm, Threshold() as threshold, *layers] if (
                    kinds == _NORMALIZED
                ):
                    t, below = norm.thresholds(threshold.tau)
                    value = _negate_columns(linear.forward_bits(value, t), below)
                case [layer, *layers]:
                    value = layer.infer(value)
        return value

    def votes(self, x: BitMatrix, y: np.ndarray, weights: np.ndarray | None = None) -> Votes:
        """Collect the votes of some samples; changes nothing.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        y : ndarray of int
            Targets, as the loss wants them: for cross-entropy the indices of classes, shape (n_samples,).
        weights : ndarray of int, shape (n_samples,), optional
            Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.

        Returns
        -------
        Votes
            To be added to those of other samples, or applied.

        Raises
        ------
        TypeError, ValueError
            If shapes disagree or a class has no score.
        """
        scores, contexts = self._forward(x)
        tensors: list[np.ndarray] = []
        marginals: list[Marginals | None] = []
        gradients: list[np.ndarray] = []
        for layer, signal, context in self._backward(self.loss.signals(scores, y, weights), contexts):
            tensors[:0] = layer.votes(signal, context)
            marginals[:0] = layer.marginals(signal, context)
            gradients[:0] = layer.gradients(signal, context)
        seen = self._summary(scores, y, weights)
        return replace(
            seen,
            tensors=tuple(tensors),
            marginals=tuple(marginals),
            gradients=tuple(gradients),
            moments=self._moments(contexts),
        )

    def step(self, x: BitMatrix, y: np.ndarray, weights: np.ndarray | None = None) -> tuple[Votes, list[int]]:
        """Take a step on some samples: ``apply(votes(x, y, weights))``, the same bits, but faster.

        The votes on a few neurons are applied while they are in the cache, and never all in memory.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        y : ndarray of int
            Targets, as the loss wants them.
        weights : ndarray of int, shape (n_samples,), optional
            Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.

        Returns
        -------
        seen : Votes
            What the samples were like, with no tensors.
        flips : list of int
            Number of flips in each parameter.

        Raises
        ------
        TypeError, ValueError
            If shapes disagree or a class has no score; nothing is changed then.
        """
        scores, contexts = self._forward(x)
        signals = self.loss.signals(scores, y, weights)  # checks y before anything moves
        seen = self._summary(scores, y, weights)
        gradients: list[np.ndarray] = []
        blocks = self._vote_blocks(signals, contexts, gradients)
        flips = self.optimizer.step_in_blocks(self.parameters, blocks, seen.weight / FULL_WEIGHT)
        self._step_real(gradients, self._moments(contexts), seen.weight)
        return seen, flips

    def _forward(self, x: BitMatrix) -> tuple[np.ndarray, list[Any]]:
        value: Any = x
        contexts = []
        for layer in self.layers:
            value, context = layer.forward(value)
            contexts.append(context)
        return value, contexts

    def _backward(self, signal: np.ndarray, contexts: list[Any]) -> Iterator[tuple[Layer, np.ndarray, Any]]:
        """Give every layer, from the last to the first, with the signal that it receives.

        The signal for the layer below is computed before this one is given away: who takes it may flip it.
        """
        for depth in reversed(range(len(self.layers))):
            layer, context = self.layers[depth], contexts[depth]
            below = layer.backward(signal, context) if depth else signal  # nobody listens below the first
            yield layer, signal, context
            signal = below

    def _vote_blocks(
        self, signal: np.ndarray, contexts: list[Any], gradients: list[np.ndarray]
    ) -> Iterator[VoteBlock]:
        """Give votes in pieces, and collect the gradients on the way: both are those before the step."""
        first = len(self.parameters)
        for layer, received, context in self._backward(signal, contexts):
            first -= len(layer.parameters)
            gradients[:0] = layer.gradients(received, context)
            for number, rows, votes in layer.vote_blocks(received, context):
                yield first + number, rows, votes

    def _moments(self, contexts: list[Any]) -> tuple[np.ndarray, ...]:
        pairs = zip(self.layers, contexts, strict=True)
        return tuple(sums for layer, context in pairs for sums in layer.moments(context))

    def _with_statistics(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.statistics]

    def _step_real(self, gradients: Sequence[np.ndarray], moments: Sequence[np.ndarray], weight: int) -> None:
        """Let Adam step along the mean gradient, and running statistics follow; nothing moves for no weight."""
        if not weight:
            return
        if self.adam is not None:
            scale = np.float32(FULL_WEIGHT / (SIGNAL_MAX * weight))
            self.adam.step([p.values for p in self.real_parameters], [scale * g for g in gradients])
        for layer, sums in zip(self._with_statistics(), moments, strict=True):
            layer.learn_moments(sums)

    def _summary(self, scores: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Votes:
        return Votes(
            (),
            n_samples=len(scores),
            weight=FULL_WEIGHT * len(scores) if weights is None else int(np.sum(weights, dtype=np.int64)),
            n_correct=self.loss.n_correct(scores, y),
            loss=self.loss.total(scores, y),
        )

    def apply(self, votes: Votes) -> list[int]:
        """Let the optimizer, and Adam where there are real parameters, take one step.

        Parameters
        ----------
        votes : Votes
            Of all samples of the step.

        Returns
        -------
        list of int
            Number of flips in each parameter. Votes of no weight at all flip nothing.

        Raises
        ------
        ValueError
            If the votes come from a network of another shape; nothing is changed then.
        """
        shapes = [p.values.shape for p in self.real_parameters]
        if [g.shape for g in votes.gradients] != shapes or len(votes.moments) != len(self._with_statistics()):
            raise ValueError(f"votes must have gradients of the shapes of the real parameters, {shapes}")
        flips = self.optimizer.step(self.parameters, votes.centered(), votes.weight / FULL_WEIGHT)
        self._step_real(votes.gradients, votes.moments, votes.weight)
        return flips

    def summary(self) -> str:
        """Describe the parameters.

        Returns
        -------
        str
            A table with a line for each parameter and one for all: shape, number of weights, bytes in memory, and
            uses of a weight for one sample, a bit operation each if the weight is a bit.

        Examples
        --------
        >>> from bvar.networks import conv_network
        >>> print(conv_network((28, 28, 4), (16, "M"), (), 10, random_state=0).summary())
        parameter           shape   weights     bytes         uses
        conv1.weight      16 x 36       576       128       451584
        linear1.weight  10 x 3136     31360      3920        31360
        all                           31936      4048       482944
        each weight is 1 bit; rows are padded to 64 bits
        """
        tensors = [(p.name, p.bits.shape, p.bits.words.nbytes, p.n_places) for p in self.parameters]
        real = [(p.name, p.values.shape, p.values.nbytes, p.n_places) for p in self.real_parameters]
        rows = [
            (name, " x ".join(map(str, shape)), prod(shape), n_bytes, prod(shape) * n_places)
            for name, shape, n_bytes, n_places in tensors + real
        ]
        rows.append(("all", "", *(sum(column) for column in list(zip(*rows, strict=True))[2:])))
        lines = [f"{name:<14} {shape:>10} {n:>9} {size:>9} {uses:>12}" for name, shape, n, size, uses in rows]
        head = f"{'parameter':<14} {'shape':>10} {'weights':>9} {'bytes':>9} {'uses':>12}"
        foot = "each weight is 1 bit; rows are padded to 64 bits"
        if real:
            n_real = sum(prod(shape) for _, shape, _, _ in real)
            foot += f"; the {n_real} real ones, listed last, are floats of 32 bits"
        return "\n".join([head, *lines, foot])

    def fingerprint(self) -> str:
        """Hash the weights: equal fingerprints mean equal models.

        Returns
        -------
        str
            SHA-256, in hexadecimal, over every parameter in turn: the number of rows and of bits as 64-bit
            integers, then the words row by row, all little-endian. Where there are real parameters or running
            statistics, their values follow, layer by layer, as little-endian floats of their width.
        """
        digest = hashlib.sha256()
        for parameter in self.parameters:
            digest.update(np.array(parameter.bits.shape, "<u8").tobytes())
            digest.update(parameter.bits.words.astype("<u8").tobytes())
        for layer in self.layers:
            for array in (*(p.values for p in layer.real_parameters), *layer.statistics):
                digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()


_FUSED: list[type[Layer]] = [BooleanLinear, Threshold]
_NORMALIZED: list[type[Layer]] = [BooleanLinear, BatchNorm, Threshold]


def _negate_columns(bits: BitMatrix, which: np.ndarray) -> BitMatrix:
    """Negate some bits of every row."""
    return BitMatrix.trusted(bits.words ^ kernels.pack(which[None]).words, bits.n_bits) if which.any() else bits


def boolean_mlp(
    sizes: Sequence[int],
    *,
    gate: str = "xnor",
    bias: bool = False,
    centered: bool | None = None,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    temperature: float = 1.0,
    loss: Loss | None = None,
    random_state: object = None,
) -> Network:
    """Build a fully connected network of Boolean weights and activations.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer, and of classes.
    gate : str, default='xnor'
        Connective of every layer.
    bias : bool, default=False
        Whether units have a Boolean bias.
    centered : bool, optional
        Whether votes on weights behind a hidden layer count from the mean of its activations, see
        :class:`bvar.layers.BooleanLinear`; False is the rule of the paper. Default: True where the
        variation of the gate has mean 0, for xnor and xor, whose common votes only shift a sum; other gates need
        them to find where their sums belong.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    n_steps : int, optional
        Likewise.
    temperature : float, default=1.0
        See :class:`bvar.networks.CrossEntropy`.
    loss : Loss, optional
        Another loss. Default: ``CrossEntropy(sizes[-2], temperature)``.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, layer by layer.

    Returns
    -------
    Network
        With linear layers and thresholds in turn; the last linear layer gives the scores.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not positive.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> [p.bits.shape for p in boolean_mlp([64, 100, 10], random_state=0).parameters]
    [(100, 64), (10, 100)]
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must name inputs and outputs, got {list(sizes)!r}")
    for size in sizes:
        check_integer(size, "each of sizes", low=1)
    if centered is None:
        centered = sum(find_gate(gate).variation_a) == 0
    source = random_state if isinstance(random_state, RandomWords) else RandomWords(random_state)
    layers: list[Layer] = []
    for depth, (n_inputs, n_outputs) in enumerate(pairwise(sizes), start=1):
        layers.append(
            BooleanLinear(
                n_inputs,
                n_outputs,
                gate,
                bias=bias,
                centered=centered and depth > 1,  # inputs, unlike activations, may be missing
                random_state=source,
                name=f"linear{depth}",
            )
        )
        if depth < len(sizes) - 1:
            layers.append(Threshold(n_outputs, n_inputs, sizes[depth + 1], gate, gate))
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return Network(layers, CrossEntropy(sizes[-2], temperature) if loss is None else loss, optimizer)
