r"""The bound of a network of real numbers and its slopes, derived by hand (``docs/explanation/augmentation.md``).

Everything random is drawn before, so that the objective is a function of what is learnt: its slopes are checked
against finite differences.  Only those of coins are not slopes of it, but of its mean over tosses
(:eq:`log-density-slope`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from bvar.augmentation.bounds import draw_bound, draw_shares, normal_divergence
from bvar.augmentation.images import Mixup
from bvar.augmentation.learned import Draw, LearnedAugmentation
from bvar.real import Adam
from bvar.real.perceptron import Parameters, activations, gradients

__all__ = ["Beliefs", "Objective", "RandomParts", "Slopes", "advantages", "move_strengths"]


@dataclass
class Beliefs:
    """What is learnt: weights and biases, perhaps logarithms of deviations of the last weights, and strengths."""

    parameters: Parameters
    log_deviation: np.ndarray | None
    augmentation: LearnedAugmentation | None

    def weights(self) -> Parameters:
        """Return all that one optimizer moves, in place."""
        return self.parameters + ([] if self.log_deviation is None else [self.log_deviation])


@dataclass(frozen=True)
class RandomParts:
    """What is random in a step: what happens to samples, and noise of the last weights."""

    draws: list[Draw]
    weight_noise: np.ndarray | None


@dataclass(frozen=True)
class Slopes:
    """Slopes of the negative bound: in all weights, and in means and log-deviations of strengths."""

    weights: Parameters
    strengths: Parameters


class Objective:
    """The negative bound, a mean over samples that are `centre` too large and of which there are `n_samples`."""

    def __init__(self, centre: np.ndarray, n_samples: int, weight_deviation: float, penalty: float) -> None:
        self.centre, self.n_samples = centre, n_samples
        self.weight_deviation, self.penalty = weight_deviation, penalty

    def draw(self, beliefs: Beliefs, n: int, n_features: int, random: np.random.RandomState) -> RandomParts:
        """Draw what is random for so many samples."""
        augment, noise = beliefs.augmentation, None
        draws = [] if augment is None else augment.draw(n, n_features, random)
        if beliefs.log_deviation is not None:
            noise = random.standard_normal(beliefs.log_deviation.shape).astype(beliefs.log_deviation.dtype)
        return RandomParts(draws, noise)

    def slopes(
        self, beliefs: Beliefs, X: np.ndarray, targets: np.ndarray, drawn: RandomParts
    ) -> tuple[float, Slopes]:
        """Return the negative bound and its slopes."""
        augment, half = beliefs.augmentation, len(beliefs.parameters) // 2
        copies = 1 if augment is None else augment.n_draws
        samples, targets = np.tile(X, (copies, 1)), np.tile(targets, (copies, 1))
        inputs: list[np.ndarray] = []
        if augment is not None:
            samples, inputs = augment.forward(samples, drawn.draws)
        mixed = _mixed(targets, drawn.draws)
        parameters = list(beliefs.parameters)
        if beliefs.log_deviation is not None:
            parameters[half - 1] = parameters[half - 1] + np.exp(beliefs.log_deviation) * drawn.weight_noise
        *values, logits = activations(parameters, samples - self.centre)
        log_p = log_softmax(logits, axis=1)
        likelihoods = (mixed[-1] * log_p).sum(axis=1).reshape(copies, -1)
        bounds, shares = draw_bound(likelihoods), draw_shares(likelihoods).reshape(-1, 1).astype(X.dtype)
        weight = shares / len(X)
        on_parameters, first = gradients(parameters, values, weight * (np.exp(log_p) - mixed[-1]))
        in_strengths: Parameters = []
        if augment is not None:
            slopes = self._strength_slopes(beliefs, drawn, inputs, mixed, -weight * log_p, first, bounds)
            in_strengths = [
                a + b / self.n_samples for a, b in zip(slopes, augment.divergence_slopes(), strict=True)
            ]
        loss = -float(bounds.mean()) + self._prior(beliefs) / self.n_samples
        return loss, Slopes(self._with_prior(beliefs, on_parameters, drawn), in_strengths)

    def _strength_slopes(
        self,
        beliefs: Beliefs,
        drawn: RandomParts,
        inputs: list[np.ndarray],
        mixed: list[np.ndarray],
        on_targets: np.ndarray,
        first: np.ndarray,
        bounds: np.ndarray,
    ) -> Parameters:
        """Return the slopes of the data's part in means and log-deviations of strengths."""
        augment = beliefs.augmentation
        assert augment is not None  # noqa: S101 - narrows the type
        if not augment.learn:
            return [np.zeros_like(augment.location_)] * 2
        slopes = augment.backward(inputs, drawn.draws, first @ beliefs.parameters[0].T)
        signal, copies = on_targets, len(first) // len(bounds)
        reward = np.tile(advantages(bounds), copies) / len(bounds)
        for j, draw in reversed(list(enumerate(drawn.draws))):
            if draw.transform.is_coin:
                slopes[j] = -reward * draw.transform.log_density_slope(draw.phi, draw.noise)
            if isinstance(draw.transform, Mixup):  # classes are mixed as samples are
                given = mixed[j], draw.amounts(signal.dtype), None, signal
                slopes[j] += (draw.transform.slopes(*given) * given[1]).sum(axis=1)
                signal = draw.transform.adjoint(*given)
        standard = np.array([draw.standard for draw in drawn.draws]).reshape(slopes.shape)
        return [slopes.sum(axis=1), augment.width_ * (slopes * standard).sum(axis=1)]

    def _prior(self, beliefs: Beliefs) -> float:
        """Return the divergences, and the penalty on single weights."""
        half, total = len(beliefs.parameters) // 2, 0.0
        if beliefs.augmentation is not None:
            total += beliefs.augmentation.divergence()
        singles = beliefs.parameters[: half - 1] + (
            [beliefs.parameters[half - 1]] if beliefs.log_deviation is None else []
        )
        total += self.penalty / 2 * sum(float((p.astype(np.float64) ** 2).sum()) for p in singles)
        if beliefs.log_deviation is not None:
            mean, deviation = beliefs.parameters[half - 1], np.exp(beliefs.log_deviation)
            total += normal_divergence(mean, deviation, 0.0, self.weight_deviation)
        return total

    def _with_prior(self, beliefs: Beliefs, slopes: Parameters, drawn: RandomParts) -> Parameters:
        """Add the slopes of the prior, and those in the deviations of the last weights."""
        half, n = len(beliefs.parameters) // 2, self.n_samples
        for layer in range(half if beliefs.log_deviation is None else half - 1):
            slopes[layer] = slopes[layer] + self.penalty / n * beliefs.parameters[layer]
        if beliefs.log_deviation is None:
            return slopes
        deviation = np.exp(beliefs.log_deviation)
        in_deviation = slopes[half - 1] * drawn.weight_noise * deviation
        in_deviation += ((deviation / self.weight_deviation) ** 2 - 1) / n
        slopes[half - 1] = slopes[half - 1] + beliefs.parameters[half - 1] / (n * self.weight_deviation**2)
        return [*slopes, in_deviation]


def move_strengths(augment: LearnedAugmentation, adam: Adam, slopes: Parameters) -> None:
    """Let strengths take a step; deviations move by their logarithms, single numbers have none."""
    if not augment.learn or not len(augment.location_):
        return
    if not augment.is_distribution():
        adam.step([augment.location_], slopes[:1])
        return
    log_width = np.log(augment.width_)
    adam.step([augment.location_, log_width], slopes)
    augment.width_ = np.exp(log_width)


def advantages(rewards: np.ndarray) -> np.ndarray:
    """Return rewards less the mean of the others, the baseline: it does not depend on one's own toss."""
    n = len(rewards)
    return rewards if n == 1 else (rewards - rewards.mean()) * (n / (n - 1))


def _mixed(targets: np.ndarray, draws: list[Draw]) -> list[np.ndarray]:
    """Return the targets before each transform, and after the last."""
    found = [targets]
    for draw in draws:
        is_mixup = isinstance(draw.transform, Mixup)
        found.append(
            draw.transform.forward(found[-1], draw.amounts(targets.dtype), None) if is_mixup else found[-1]
        )
    return found
