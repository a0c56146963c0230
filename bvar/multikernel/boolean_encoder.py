r"""A sentence encoder whose maps are sums of Boolean kernels (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar.multikernel.boolean_stack import BooleanStack
from bvar.multikernel.encoder import Encoder

__all__ = ["BooleanEncoder"]


class BooleanEncoder(BooleanStack, Encoder):
    """A sentence encoder with Boolean kernels for maps; all else is as in :class:`Encoder`.

    Parameters
    ----------
    weights : mapping of str to ndarray
        What stays real: ``embed``, ``positions``, gains, biases, and maps that are not in `maps`; kept as float32.
    maps : mapping of str to MultiKernelLinear
        The layers, by the names of maps; at least one.
    **options : object
        ``n_heads`` and ``epsilon`` of :class:`Encoder`.

    Attributes
    ----------
    maps : dict of str to MultiKernelLinear
        The layers.

    Raises
    ------
    TypeError, ValueError
        If something is missing, too much, or of another shape than the rest asks for.

    See Also
    --------
    distil_sentences : Trains one.

    Examples
    --------
    >>> from bvar import multikernel
    >>> teacher = multikernel.Encoder.random(9, width=16, hidden=32, n_blocks=1, n_heads=2, random_state=0)
    >>> student = multikernel.BooleanEncoder.from_teacher(teacher, 3)
    >>> near = (student.embed([[1, 2, 3]]) * teacher.embed([[1, 2, 3]])).sum()
    >>> bool(near > 0.98)
    True
    """

    teacher_type = Encoder

    def embed(self, texts: Sequence[np.ndarray], *, integers: bool = False) -> np.ndarray:
        """Map sentences to points of the unit sphere.

        Parameters
        ----------
        texts : sequence of array-like of int, each of shape (n_positions,)
            Numbers of tokens of each sentence, of any lengths.
        integers : bool, default=False
            Whether maps multiply by the bits themselves; for sentences one at a time, as of a search.

        Returns
        -------
        ndarray of float, shape (n_texts, d)
            The points, each of length 1.
        """
        return self._embed(texts, self._chosen_product(integers))
