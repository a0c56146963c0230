"""Branches with real parameters whose bits stand side by side (``docs/explanation/real-ends.md``).

The global branch of the paper's segmentation has a batch normalisation, and so is float inside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar.layers import JoinChannels, Layer
from bvar.layers.branches import Climbed
from bvar.real.trainer import RealLayer

__all__ = ["RealJoinChannels"]


class RealJoinChannels(JoinChannels, RealLayer):
    """Put the bits of branches side by side, some of which have real parameters.

    Float: reproducible by seed on one backend, outside the promise of equal bits.

    Parameters
    ----------
    branches : sequence of sequence of Layer
        As for :class:`bvar.layers.JoinChannels`.
    n_places : int
        Pixels of an image.

    Raises
    ------
    TypeError, ValueError
        If there is no branch, one is empty, or `n_places` is no positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import Threshold
    >>> from bvar.real import BatchNorm, RealJoinChannels
    >>> branch = [BatchNorm(2, fan_in=9), Threshold(8, BatchNorm.FAN_IN, 4)]
    >>> join = RealJoinChannels([branch], n_places=4)
    >>> [parameter.name for parameter in join.real_parameters]
    ['norm.scale', 'norm.shift']
    """

    def _hold(self) -> None:
        layers = self.inner_layers()
        self._take_over(layers)
        self.real_parameters = tuple(p for layer in _real(layers) for p in layer.real_parameters)
        self.statistics = tuple(s for layer in _real(layers) for s in layer.statistics)

    def gradients(self, signal: np.ndarray, context: Climbed) -> tuple[np.ndarray, ...]:
        """Sum up the gradients of all branches."""
        return tuple(
            gradient
            for received in self._received(signal, context)
            for layer, z, kept in reversed(received)
            if isinstance(layer, RealLayer)
            for gradient in layer.gradients(z, kept)
        )

    def moments(self, context: Climbed) -> tuple[np.ndarray, ...]:
        """Sum up what running statistics are made of, one below the other."""
        pairs = zip(self.inner_layers(), (kept for contexts in context.contexts for kept in contexts), strict=True)
        moments = [m for layer, kept in pairs if isinstance(layer, RealLayer) for m in layer.moments(kept)]
        return (np.concatenate(moments, axis=1),) if moments else ()

    def learn_moments(self, moments: np.ndarray) -> None:
        """Move the running statistics of all branches."""
        for layer in _real(self.inner_layers()):
            if layer.statistics:
                n = sum(map(len, layer.statistics[::2]))  # means, each followed by its variances
                layer.learn_moments(moments[:, :n])
                moments = moments[:, n:]


def _real(layers: Sequence[Layer]) -> list[RealLayer]:
    return [layer for layer in layers if isinstance(layer, RealLayer)]
