r"""Noise of thresholds that is taken away in the course of training.

Backward, a :class:`bvar.layers.Threshold` weights votes by the variation of a threshold in logistic noise.
Narrower noise is nearer to the exact variation of the step, and hears fewer samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bvar._validation import check_real
from bvar.layers import Layer, Threshold
from bvar.layers.branches import Branched
from bvar.mollify.schedules import LinearSchedule, Schedule

__all__ = ["ThresholdAnnealing"]


@dataclass(frozen=True)
class ThresholdAnnealing:
    r"""Narrow the noise of all thresholds of a network, from epoch to epoch: a callback of the estimators.

    With the progress u of training, the width of :meth:`bvar.layers.Threshold.set_width` is

    .. math:: w(u) = w_1 + (1 - w_1) \, \gamma(u) .

    Tables change between epochs only, and are integers: the model does not depend on the backend or on how
    batches are split. It depends on the machine as far as the schedule does, the linear one not at all.

    Parameters
    ----------
    schedule : Schedule, default=LinearSchedule()
        Its noise fraction gamma(u) falls from 1 to 0.
    final_width : float, default=0.0
        The width :math:`w_1` after the last epoch, in [0, 1]; 0 hears only sums that meet their threshold.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    mollified_variation : What the weight is the variation of.

    Notes
    -----
    Not part of any default: of digits it gained no accuracy, see ``docs/reference/mollified-bits.md``; of the
    trainings in ``tutorials/paper`` it helped one, of segmentation, and harmed another, of images.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar import BooleanClassifier
    >>> from bvar.mollify import ThresholdAnnealing
    >>> annealing = ThresholdAnnealing(final_width=0.2)
    >>> [round(annealing.width(u), 2) for u in (0, 0.5, 1)]
    [1.0, 0.6, 0.2]
    >>> model = BooleanClassifier((64,), max_iter=4, callbacks=annealing, random_state=0)
    >>> model = model.fit(*load_digits(return_X_y=True))
    >>> (model.network_.layers[1].curve[:4] / 2**20).round(2).tolist()
    [0.45, 0.44, 0.41, 0.36]
    """

    schedule: Schedule = field(default_factory=LinearSchedule)
    final_width: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            raise TypeError(f"schedule must be a Schedule, got {self.schedule!r}")
        if not self.schedule.ends_clean():
            raise ValueError(
                f"schedule must end at gamma(1) = 0, for final_width to be the last, got {self.schedule!r}"
            )
        if check_real(self.final_width, "final_width", low=0) > 1:
            raise ValueError(f"final_width must be in [0, 1], got {self.final_width!r}")

    def width(self, u: float) -> float:
        """Give the width of the noise.

        Parameters
        ----------
        u : float
            Progress of training in [0, 1].

        Returns
        -------
        float
            From 1 to `final_width`.
        """
        return float(self.final_width + (1 - self.final_width) * self.schedule.gamma(u))

    def apply(self, network: Any, u: float) -> None:
        """Set the width of all thresholds, those in branches too, in a training loop of one's own.

        Parameters
        ----------
        network : bvar.networks.Network
            Whose thresholds are changed.
        u : float
            Progress of training in [0, 1].

        Raises
        ------
        ValueError
            If the network has no thresholds.
        """
        thresholds, width = [*_thresholds(network.layers)], self.width(u)
        if not thresholds:
            raise ValueError("network must have thresholds, whose noise can be narrowed; this one has none")
        for threshold in thresholds:
            threshold.set_width(width)

    def __call__(self, model: Any) -> None:
        """Set the width for the epoch to come.

        Parameters
        ----------
        model : estimator
            A :class:`bvar.BooleanClassifier` or :class:`bvar.BooleanRegressor` that is being trained.
        """
        self.apply(model.network_, model.n_iter_ / model.max_iter_)


def _thresholds(layers: Sequence[Layer]) -> Iterator[Threshold]:
    """Yield thresholds, through the branches of layers that have some."""
    for layer in layers:
        if isinstance(layer, Threshold):
            yield layer
        elif isinstance(layer, Branched):
            yield from _thresholds(layer.inner_layers())
