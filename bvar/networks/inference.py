"""Inference: layers as a chain of functions, each sample on its own and nothing kept of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar.bits import BitMatrix
from bvar.layers import Layer
from bvar.layers.branches import inference, rows_for_all

__all__ = ["Inference"]


class Inference:
    """What layers make of samples, as they are now and on the backend in force now.

    Parameters
    ----------
    layers : sequence of Layer
        From the input to the scores. They must not change as long as this is used.

    See Also
    --------
    Network.scores : Makes one for each call.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        size = min((n for layer in layers if (n := layer.rows_together)), default=None)
        if size is not None:
            whole = rows_for_all(layers, 1)  # such as the positions of a text, where these are rows
            size = max(whole, size // whole * whole)
        self.rows_together = size
        self._infer = inference(layers)

    def __call__(self, x: BitMatrix | np.ndarray) -> np.ndarray:
        """Compute the scores of samples.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; values may be missing. Or numbers, where the first layer takes those.

        Returns
        -------
        ndarray of int32, or of float32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        """
        size = self.rows_together
        if size is not None and len(x) > size:
            return np.concatenate([self(x[i : i + size]) for i in range(0, len(x), size)])
        return self._infer(x)  # type: ignore[return-value]
