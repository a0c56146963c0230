r"""From tokens to real rows, and from the rows of a text to one (``docs/explanation/transformers.md``).

A text is a row of tokens, numbers from 0 on; in a network its positions are rows one below the other, text after
text.  Float: reproducible by seed on one backend, outside the promise of equal bits.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import sparse

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers.base import Layer
from bvar.real.trainer import RealLayer, RealParameter

__all__ = ["Embedding", "PositionSum"]


class Embedding(RealLayer):
    r"""Add a row that belongs to a token and one that belongs to its position.

    .. math:: x_{(b, i)} = E_{t_{bi}} + P_i

    Parameters
    ----------
    n_tokens : int
        Number of different tokens.
    n_positions : int
        Tokens of a text; all texts are of this length.
    n_units : int
        Numbers in a row.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the first rows come from: of tokens uniform of variance 1, of positions of variance 1/4.
    name : str, default='embed'
        What the layer is called in tables.

    Attributes
    ----------
    token, position : RealParameter
        E and P: float32, shapes (n_tokens, n_units) and (n_positions, n_units).

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    See Also
    --------
    boolean_transformer : What begins with it.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import Embedding
    >>> layer = Embedding(n_tokens=65, n_positions=4, n_units=8, random_state=0)
    >>> layer.forward(np.array([[1, 2, 3, 1], [0, 0, 64, 5]]))[0].shape
    (8, 8)
    """

    rows_together = 32  # texts: more would not be faster, and attention keeps a square of each

    def __init__(
        self,
        n_tokens: int,
        n_positions: int,
        n_units: int,
        *,
        random_state: RandomSource = None,
        name: str = "embed",
    ) -> None:
        sizes = {"n_tokens": n_tokens, "n_positions": n_positions, "n_units": n_units}
        for what, n in sizes.items():
            check_integer(n, what, low=1, high=kernels.MAX_TERMS)
        source = RandomWords.of(random_state)
        self.name = name
        self.token = RealParameter(f"{name}.token", _uniform(source, 1.0, n_tokens, n_units))
        self.position = RealParameter(f"{name}.position", _uniform(source, 0.5, n_positions, n_units))
        self.token.n_places = n_positions
        self.real_parameters = (self.token, self.position)

    @property
    def n_tokens(self) -> int:
        """Number of different tokens."""
        return len(self.token.values)

    @property
    def n_inputs(self) -> int:
        """Tokens of a text."""
        return len(self.position.values)

    @property
    def n_outputs(self) -> int:
        """Numbers in a row."""
        return self.token.values.shape[1]

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look up the rows of texts, integers of shape (n_texts, n_positions); the context is the tokens."""
        ids = self._check(x)
        rows = self.token.values[ids] + self.position.values
        return rows.reshape(-1, self.n_outputs), ids

    def backward(self, signal: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Give nothing, int32: a token is no number that could be a little larger."""
        return np.zeros(context.shape, np.int32)

    def gradients(self, signal: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum up the signals at each token, and at each position."""
        ids = context.ravel()
        where = sparse.csr_array(
            (np.ones(ids.size, signal.dtype), (ids, np.arange(ids.size))), (self.n_tokens, ids.size)
        )
        return where @ signal, signal.reshape(*context.shape, self.n_outputs).sum(axis=0)

    def _check(self, x: np.ndarray) -> np.ndarray:
        ids = np.asarray(x)
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or ids.shape[1] != self.n_inputs:
            raise ValueError(
                f"x must be integers of shape (n_texts, {self.n_inputs}), got {ids.dtype} {ids.shape}"
            )
        if ids.size and not 0 <= ids.min() <= ids.max() < self.n_tokens:
            raise ValueError(f"x must be tokens in [0, {self.n_tokens}), got {ids.min()} to {ids.max()}")
        return ids


class PositionSum(Layer):
    r"""Add up the rows of each text, evidence from all positions: one row for its class.

    .. math:: y_b = \frac1{\sqrt T} \sum_i x_{(b, i)}

    Parameters
    ----------
    n_positions : int
        The number T of rows of a text.

    Raises
    ------
    TypeError, ValueError
        If it is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import PositionSum
    >>> PositionSum(2).forward(np.array([[1.0], [3.0]], np.float32))[0]
    array([[2.828427]], dtype=float32)
    """

    def __init__(self, n_positions: int) -> None:
        self.n_positions = check_integer(n_positions, "n_positions", low=1)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
        """Add up float32 rows."""
        return self._share(x.reshape(-1, self.n_positions, x.shape[1]).sum(axis=1)), None

    def backward(self, signal: np.ndarray, context: None) -> np.ndarray:
        """Hand the signal to every position."""
        return np.repeat(self._share(signal), self.n_positions, axis=0)

    def _share(self, x: np.ndarray) -> np.ndarray:
        return x / x.dtype.type(sqrt(self.n_positions))


def _uniform(source: RandomWords, spread: float, n_rows: int, n_units: int) -> np.ndarray:
    return (np.sqrt(3) * spread * source.uniform(n_rows, n_units)).astype(np.float32)
