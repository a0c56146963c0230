"""A stack of layers, and the three verbs of which training is made: `votes`, ``+`` and `apply`.

Votes of disjoint samples add, as integers; hence a batch may be split over loops, threads or machines in any
way, and the model that comes out is the same, bit for bit (``docs/explanation/exactness.md``): samples go up,
signals come down, votes are summed, bits flip.  The methods stand in this order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bvar._describe import Described
from bvar.bits import BitMatrix
from bvar.layers import Ballots, Layer, Trainable
from bvar.layers.base import Companion, Marginals, Received, Sums, VoteBlock
from bvar.layers.branches import check_all, climb
from bvar.networks.flips import Flips
from bvar.networks.inference import Inference
from bvar.networks.losses import FULL_WEIGHT, Loss
from bvar.networks.optimizer import BooleanOptimizer
from bvar.networks.signals import Rows, Signals, check_signals, collected, linear_layers, shares, vote_blocks
from bvar.networks.summary import summarize
from bvar.networks.votes import Tensors, Votes

__all__ = ["Network"]


class Network(Described):
    """Layers, a loss and an optimizer.

    Parameters
    ----------
    layers : sequence of Layer
        From the input to the scores.
    loss : Loss
        Turns scores into signals.
    optimizer : BooleanOptimizer
        Turns votes into moves: bits flip, offsets shift.
    real_optimizer : Adam, optional
        Of a network with real weights, what trains these. Default: one with the schedule of `optimizer`.

    Attributes
    ----------
    real : RealTrainer or None
        What trains the real weights, see :class:`bvar.real.RealTrainer`; None where all weights are bits.

    Raises
    ------
    ValueError
        If there is a `real_optimizer` and no real weight.

    See Also
    --------
    boolean_mlp : Make a fully connected one.

    Notes
    -----
    Networks of Boolean parameters alone are the same, bit for bit, on every backend. Real weights and running
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
        self,
        layers: Sequence[Layer],
        loss: Loss,
        optimizer: BooleanOptimizer,
        real_optimizer: object | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.loss = loss
        self.optimizer = optimizer
        self.real = self._find_companion(real_optimizer)

    def _find_companion(self, optimizer: object | None) -> Companion | None:
        """Make what trains other weights than bits; layers that have such bring its class with them."""
        companion = next((layer.companion for layer in self.layers if layer.companion is not None), None)
        if companion is not None:
            return companion(self.layers, optimizer, n_steps=self.optimizer.n_steps)
        if optimizer is not None:
            raise ValueError(f"real_optimizer must be None for layers without real weights, got {optimizer!r}")
        return None

    @property
    def parameters(self) -> list[Trainable]:
        """All tensors that votes train, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    def start_schedule(self, eta: float, n_steps: int | None) -> None:
        """Begin a schedule of all that trains; what has been accumulated stays.

        Parameters
        ----------
        eta : float
            Accumulation factor to start from, at least 0; the rate of a real optimizer starts where it did before.
        n_steps : int or None
            Length of the schedule in steps; None keeps both as they are.
        """
        self.optimizer.start_schedule(eta, n_steps)
        if self.real is not None:
            self.real.start_schedule(n_steps)

    def scores(self, x: BitMatrix | np.ndarray) -> np.ndarray:
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
        return Inference(self.layers)(x)

    def votes(self, x: BitMatrix | np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Votes:
        """Collect the votes of some samples; changes nothing.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        y : ndarray of int
            Targets, as the loss wants them: for cross-entropy the indices of classes, shape (n_samples,).
        sample_weight : ndarray of int, shape (n_samples,), optional
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
        scores, contexts = climb(self.layers, x)
        beside: list[Received] = []
        tensors: list[np.ndarray | Ballots] = []
        marginals: list[Marginals | None] = []
        signals, seen = self._judge(scores, y, sample_weight)
        for layer, signal, context in self._backward(signals, contexts, beside):
            tensors[:0] = layer.ballots(signal, context)
            marginals[:0] = layer.marginals(signal, context)
        real = None if self.real is None else self.real.sums(beside)
        return replace(seen, tensors=Tensors(tensors), marginals=tuple(marginals), real=real)

    def apply(self, votes: Votes) -> list[int]:
        """Let the optimizer, and that of real weights where there are any, take one step.

        Parameters
        ----------
        votes : Votes
            Of all samples of the step.

        Returns
        -------
        list of int
            Number of elements of each parameter that moved. Votes of no weight at all flip nothing.

        Raises
        ------
        ValueError
            If the votes come from a network of another shape; nothing is changed then.
        """
        self._check_real(votes.real)
        self.optimizer.check(self.parameters, votes.parts())
        share = votes.sample_weight / FULL_WEIGHT
        flips = self.optimizer.step_in_blocks(self.parameters, votes.blocks(), share)
        if self.real is not None:
            self.real.step(votes.real, votes.sample_weight)
        return flips

    def step(
        self, x: BitMatrix | np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> tuple[Votes, list[int]]:
        """Take a step on some samples: ``apply(votes(x, y, sample_weight))`` in one call, the same bits.

        As there, if nobody looks at the votes, those on a few neurons are applied while they are in the cache.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        y : ndarray of int
            Targets, as the loss wants them.
        sample_weight : ndarray of int, shape (n_samples,), optional
            Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.

        Returns
        -------
        seen : Votes
            What the samples were like, with no tensors.
        flips : list of int
            Number of elements of each parameter that moved.

        Raises
        ------
        TypeError, ValueError
            If shapes disagree or a class has no score; nothing is changed then.
        """
        scores, contexts = climb(self.layers, x)
        signals, seen = self._judge(scores, y, sample_weight)  # checks y before anything moves
        check_all(self.layers, contexts)
        beside: list[Received] = []
        blocks = self._vote_blocks(self._backward(signals, contexts, beside))
        flips = self.optimizer.step_in_blocks(self.parameters, blocks, seen.sample_weight / FULL_WEIGHT)
        if self.real is not None and seen.sample_weight:  # for no weight at all, nobody went the way back
            self.real.step(self.real.sums(beside), seen.sample_weight)
        return seen, flips

    def signals(
        self, x: BitMatrix | np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> Signals:
        """Collect what the votes of some samples are made of; changes nothing.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing.
        y : ndarray of int
            Targets, as the loss wants them.
        sample_weight : ndarray of int, shape (n_samples,), optional
            Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.

        Returns
        -------
        Signals
            To be added to those of other samples, or applied.

        Raises
        ------
        TypeError, ValueError
            If shapes disagree, a class has no score, or :func:`bvar.networks.has_signals` denies it.
        """
        linear_layers(self)
        scores, contexts = climb(self.layers, x)
        on_scores, seen = self._judge(scores, y, sample_weight)
        check_all(self.layers, contexts)
        return collected(seen, self._backward(on_scores, contexts, []))

    def apply_signals(self, signals: Signals, *, rows: Rows | None = None) -> list[int]:
        """Count votes on all units, or on some, and let these take a step: the same bits as :meth:`apply`.

        Parameters
        ----------
        signals : Signals
            Of all samples of the step; on all units, or on those of `rows`.
        rows : sequence of slice, optional
            Units of each layer, and rows of other parameters, which this process owns, see
            :func:`bvar.networks.shares`; when all owners are done, each calls :meth:`agree`. Default: all.

        Returns
        -------
        list of int
            Number of elements of each parameter that moved.

        Raises
        ------
        ValueError
            If the signals come from a network of another shape; nothing is changed then.
        """
        (everything,) = shares(self, 1)
        rows = everything if rows is None else rows
        check_signals(self, signals, rows)
        blocks = vote_blocks(self, signals, rows)
        return self.optimizer.step_in_blocks(self.parameters, blocks, signals.seen.sample_weight / FULL_WEIGHT)

    def agree(self, flips: Sequence[int]) -> None:
        """End a step of which this process has taken a part: plasticity is a matter of all that moved.

        Parameters
        ----------
        flips : sequence of int
            Number of elements of each parameter that moved, at all owners together.
        """
        self.optimizer.agree(flips)

    def _backward(self, signal: np.ndarray, contexts: list[Any], beside: list[Received]) -> Iterator[Received]:
        """Give layers with the signals that they receive, from the last to the first that learns.

        The signal for the layer below is computed before this one is given away: who takes it may flip it. What
        layers receive that learn from more than votes is kept in `beside` as well.
        """
        first = next((i for i, layer in enumerate(self.layers) if layer.parameters or layer.companion), 0)
        for depth in reversed(range(first, len(self.layers))):
            received = Received(self.layers[depth], signal, contexts[depth])
            if received.layer.companion is not None:
                beside.append(received)
            if depth > first:  # nobody listens below
                signal = received.layer.backward(signal, received.context)
            yield received

    def _vote_blocks(self, walk: Iterator[Received]) -> Iterator[VoteBlock]:
        """Give the votes in pieces, numbered as the parameters of the network."""
        first = len(self.parameters)
        for layer, signal, context in walk:
            first -= len(layer.parameters)
            for number, rows, votes in layer.vote_blocks(signal, context):
                yield first + number, rows, votes

    def _judge(
        self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> tuple[np.ndarray, Votes]:
        """Give the signals on scores, and what the samples were like, with no tensors."""
        signals, n_correct, loss = self.loss.judge(scores, y, sample_weight)
        n = len(scores)
        weight = FULL_WEIGHT * n if sample_weight is None else int(np.sum(sample_weight, dtype=np.int64))
        return signals, Votes((), n, weight, n_correct, loss)

    def _check_real(self, sums: Sums | None) -> None:
        if self.real is not None:
            self.real.check(sums)
        elif sums is not None:
            raise ValueError("votes must come from a network without real weights, as this one is")

    def flips(self, *, fingerprints: bool = True) -> Flips:
        """Begin to tell what moves, so that copies elsewhere can follow; see :func:`bvar.networks.follow`.

        Parameters
        ----------
        fingerprints : bool, default=True
            Whether each message holds the fingerprint of the network.

        Returns
        -------
        Flips
            An iterator without an end; each `next` gives what has moved since the one before, as bytes.
        """
        return Flips(self, fingerprints=fingerprints)

    def summary(self, *, energy: bool = False) -> str:
        """Describe the parameters.

        Parameters
        ----------
        energy : bool, default=False
            Whether to add what each layer costs by the energy model, see :func:`bvar.energy.summarize_energy`.

        Returns
        -------
        str
            A table of each parameter and of all: shape, weights, bytes in memory, uses of weights for one sample;
            below it, how many gates lead to no score.

        Examples
        --------
        >>> from bvar.networks import boolean_mlp
        >>> print(boolean_mlp([64, 10], random_state=0).summary().splitlines()[1])
        linear1.weight    10 x 64       640        80          640
        """
        return summarize(self.parameters, self.real, self.layers, energy=energy)

    def fingerprint(self) -> str:
        """Hash the weights: equal fingerprints mean equal models.

        Returns
        -------
        str
            SHA-256, in hexadecimal, over every parameter in turn: of bits the number of rows and of bits in each
            as 64-bit integers, then the words row by row; of offsets their number as a 64-bit integer, then their
            values as 32-bit integers; all little-endian. Where there are real weights or running
            statistics, their values follow, layer by layer, as little-endian floats of their width.
        """
        digest = hashlib.sha256()
        for parameter in self.parameters:
            _digest(digest, parameter.arrays())
        _digest(digest, () if self.real is None else self.real.arrays())
        return digest.hexdigest()


def _digest(digest: Any, arrays: Iterable[np.ndarray]) -> None:
    for array in arrays:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
