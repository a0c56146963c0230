r"""Samples that are transformed by how much the network can stand, which is learnt from its integer losses.

A Boolean network has no slope in its samples, but its losses are integers, and the density of the amounts has a
slope: votes on a strength are losses times that slope (``docs/explanation/augmentation.md``,
:eq:`augmentation-votes`).  Losses are equal on every backend, votes are integers that add in any order, and the
step is elementwise: one seed is one model, strengths included.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bvar.augmentation.images import Mixup
from bvar.augmentation.learned import Draw, LearnedAugmentation
from bvar.augmentation.objective import move_strengths
from bvar.bits.random import RandomWords
from bvar.networks.losses import LOSS_ONE
from bvar.networks.network import Network
from bvar.real import Adam
from bvar.training.changing import ChangingData
from bvar.training.checkpoint import Strengths
from bvar.training.data import Batch, cut, heard, noisy

__all__ = ["LearningData", "check_learnable", "strength_votes"]

_ONE = 2**16
"""A loss of 1, and a slope of 1, in the units of votes on strengths."""


class LearningData(ChangingData):
    """Samples that are transformed batch by batch, while strengths learn from the losses of a network."""

    def __init__(
        self, changing: ChangingData, augment: LearnedAugmentation, network: Network, n_epochs: int
    ) -> None:
        super().__init__(_numbers(changing.X), changing.data, changing.encode)
        self.learned, self.network = augment, network
        self.adam = Adam(augment.learning_rate, n_steps=n_epochs * self.n_batches)

    def epoch(self, progress: float, source: RandomWords) -> Iterator[Batch]:
        """Draw an order; transform, encode and judge the samples of each batch, and learn, before it is given."""
        random = np.random.RandomState(int(source.words.random_raw()) >> 32)
        order, data = source.order(len(self.X)), self.data
        weights = None if data.sample_weight is None else heard(data.sample_weight, source)
        for rows in cut(order, data.batch_size):
            draws = self.learned.draw(len(rows), self.X.shape[1], random)
            samples, _ = self.learned.forward(self.X[rows], draws)
            x = self.encode(samples)
            if self.learned.learn:
                self._learn(draws, self._losses(x, data.y[rows]))
            yield noisy(x, data.flip_noise, source), data.y[rows], None if weights is None else weights[rows]
        self.learned.record()

    @property
    def strengths(self) -> Strengths:
        """What is learnt here, and where the descent is."""
        return Strengths(self.learned, self.adam)

    def go_on_from(self, strengths: Strengths, network: Network) -> None:
        """Take the place of data that have learnt so much, together with a network."""
        self.learned.__dict__.update(vars(strengths.learned))  # the estimator shows this object
        self.adam, self.network = strengths.adam, network

    def _losses(self, x: object, y: np.ndarray) -> np.ndarray:
        """Return the losses of samples in units of votes, integers."""
        loss = self.network.loss
        scores = loss.check_scores(self.network.scores(x))  # type: ignore[arg-type]
        return loss.fixed_values(scores, loss.check_targets(scores, y)) // (LOSS_ONE // _ONE)

    def _learn(self, draws: list[Draw], losses: np.ndarray) -> None:
        """Let strengths take a step along the votes, and towards the prior."""
        n = len(losses)
        share = 1 / (n * max(1, n - 1) * _ONE**2)
        pairs = [strength_votes(draw, losses) for draw in draws]
        in_location = np.array([float(a) for a, _ in pairs]) * share
        in_width = np.array([float(b) for _, b in pairs]) * share * self.learned.width_
        prior = [slope / len(self.X) for slope in self.learned.divergence_slopes()]
        move_strengths(self.learned, self.adam, [in_location + prior[0], in_width + prior[1]])


def _numbers(X: np.ndarray) -> np.ndarray:
    """Return samples as float64; what is no number cannot be transformed."""
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"X must be numbers where augment is learnt, got dtype {X.dtype}: {error}") from error


def strength_votes(draw: Draw, losses: np.ndarray) -> tuple[int, int]:
    r"""Return the votes on the mean of a strength and on its deviation: integers that no order of summing changes.

    .. math:: \sum_i \Bigl( (n - 1) \ell_i - \sum_{j \ne i} \ell_j \Bigr) \, \operatorname{round}(2^{16} g_i)

    with slopes of log-densities :math:`g_i`, and :math:`g_i \eta_i` for the deviation; losses are in units of
    :math:`2^{-16}`.
    """
    n = len(losses)
    whole = losses.astype(object)  # integers of Python, which do not overflow
    rewards = n * whole - whole.sum() if n > 1 else whole
    slopes = draw.transform.log_density_slope(draw.phi, draw.noise)
    on_both = (slopes, slopes * draw.standard)
    in_mean, in_deviation = (int((rewards * np.rint(_ONE * g).astype(np.int64)).sum()) for g in on_both)
    return in_mean, in_deviation


def check_learnable(augment: LearnedAugmentation) -> None:
    """Refuse what Boolean networks cannot learn, before any data."""
    augment.checked()
    if augment.n_draws != 1:
        raise ValueError(f"n_draws must be 1 for a Boolean network, got {augment.n_draws!r}")
    if any(isinstance(transform, Mixup) for transform in augment.steps()):
        raise ValueError("transforms must not be Mixup for a Boolean network, whose targets are not mixed")
