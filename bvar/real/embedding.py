r"""From tokens to real rows, and from the rows of a text to one (``docs/explanation/transformers.md``).

A text is a row of tokens, numbers from 0 on; in a network its positions are rows one below the other, text after
text.  Float: reproducible by seed on one backend, outside the promise of equal bits.
"""

from __future__ import annotations

from math import gcd, sqrt

import numpy as np
from scipy import sparse

from bvar import kernels
from bvar._validation import as_array, check_integer, check_real, check_rows
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers.base import Layer
from bvar.real.rounding import floats
from bvar.real.trainer import RealLayer, RealParameter

__all__ = ["Embedding", "NGramEmbedding", "PositionSum"]

# odd, so that products with them lose nothing: of the golden ratio, and of the root of 2
_STEP, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xB504F333F9DE6485)


class _Table(RealParameter):
    """Rows of which each place of a sample looks up one."""

    @property
    def n_uses(self) -> int:
        return self.values.shape[1] * self.n_places


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
    spread : float, default=1.0
        Standard deviation of the first rows of tokens, which are uniform; for positions it is half as large.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the first rows come from.
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
        spread: float = 1.0,
        random_state: RandomSource = None,
        name: str = "embed",
    ) -> None:
        n_tokens = check_integer(n_tokens, "n_tokens", low=1, high=kernels.MAX_TERMS)
        n_positions = check_integer(n_positions, "n_positions", low=1, high=kernels.MAX_TERMS)
        n_units = check_integer(n_units, "n_units", low=1, high=kernels.MAX_TERMS)
        spread = check_real(spread, "spread", low=0, high=1e30)  # rows are float32
        source = RandomWords.of(random_state)
        self.name = name
        token = _uniform(source, spread, n_tokens, n_units)
        self.token = _Table(f"{name}.token", token, n_places=n_positions)
        self.position = RealParameter(f"{name}.position", _uniform(source, spread / 2, n_positions, n_units))
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

    def rows_for(self, n_rows: int) -> int:
        """Make many rows of one, which is a text."""
        return n_rows // gcd(n_rows, self.n_inputs)

    def backward(self, signal: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Give nothing, int32: a token is no number that could be a little larger."""
        return np.zeros(context.shape, np.int32)

    def gradients(self, signal: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum up the signals at each token, and at each position."""
        ids, signal = context.ravel(), floats(signal)
        at_tokens = _sums_at(ids, np.arange(ids.size), signal, self.n_tokens)
        return at_tokens, signal.reshape(*context.shape, self.n_outputs).sum(axis=0)

    def _check(self, x: np.ndarray) -> np.ndarray:
        ids = as_array(x, "x")
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or ids.shape[1] != self.n_inputs:
            raise ValueError(
                f"x must be integers of shape (n_texts, {self.n_inputs}), got {ids.dtype} {ids.shape}"
            )
        if ids.size and not 0 <= ids.min() <= ids.max() < self.n_tokens:
            raise ValueError(f"x must be tokens in [0, {self.n_tokens}), got {ids.min()} to {ids.max()}")
        return ids


class NGramEmbedding(Embedding):
    r"""Add what belongs to the n-grams that end at a position: rows of a table that they share by a hash.

    .. math:: x_{(b, i)} = E_{t_{bi}} + P_i + \sum_{n=2}^{N} G_{h_n(t_{b, i-n+1}, \dots, t_{bi})}

    Parameters
    ----------
    n_tokens, n_positions, n_units : int
        As of :class:`Embedding`.
    max_ngram : int, default=4
        Tokens of the longest n-gram, at least 2 and at most `n_positions`.
    n_buckets : int, default=65536
        Rows of the table. All n-grams share them, and those of one bucket are not told apart.
    spread : float, default=1.0
        As of :class:`Embedding`.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the first rows of tokens and positions come from; those of n-grams begin with 0.
    name : str, default='embed'
        What the layer is called in tables.

    Attributes
    ----------
    token, position : RealParameter
        As of :class:`Embedding`.
    ngram : RealParameter
        G: float32, shape (n_buckets, n_units).

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or `max_ngram` is below 2 or above `n_positions`.

    See Also
    --------
    boolean_transformer : Takes it where `max_ngram` is above 1.

    Notes
    -----
    The bucket of an n-gram is, in unsigned 64-bit integers with ``A = 0x9E3779B97F4A7C15`` and
    ``C = 0xB504F333F9DE6485``,

    .. math:: h_n = \lfloor C \, H_n / 2^{32} \rfloor \bmod \text{n\_buckets}, \qquad
              H_n(t_1, \dots, t_n) = A \, H_{n-1}(t_1, \dots, t_{n-1}) + t_n + 1, \qquad H_0 = 0 .

    Nothing that comes later than a position has a part in its row, as a language model needs it; near the
    beginning of a text long n-grams are missing and add nothing.

    References
    ----------
    Sums of rows of hashed n-grams of characters: P. Bojanowski et al., "Enriching Word Vectors with Subword
    Information", TACL 2017.  Below a transformer: J. H. Clark et al., "CANINE", TACL 2022, of single characters.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import NGramEmbedding
    >>> layer = NGramEmbedding(n_tokens=65, n_positions=4, n_units=8, max_ngram=3, n_buckets=1000, random_state=0)
    >>> layer.buckets(np.array([[1, 2, 1, 2]])).tolist()  # pairs, then triples; -1 where there is none
    [[[-1, 74, 805, 74]], [[-1, -1, 180, 487]]]
    """

    def __init__(
        self,
        n_tokens: int,
        n_positions: int,
        n_units: int,
        max_ngram: int = 4,
        n_buckets: int = 2**16,
        *,
        spread: float = 1.0,
        random_state: RandomSource = None,
        name: str = "embed",
    ) -> None:
        super().__init__(n_tokens, n_positions, n_units, spread=spread, random_state=random_state, name=name)
        self.max_ngram = check_integer(max_ngram, "max_ngram", low=2, high=n_positions)
        n_buckets = check_integer(n_buckets, "n_buckets", low=1, high=kernels.MAX_TERMS)
        n_ngrams = sum(n_positions - n + 1 for n in range(2, max_ngram + 1))
        self.ngram = _Table(f"{name}.ngram", np.zeros((n_buckets, n_units), np.float32), n_places=n_ngrams)
        self.real_parameters = (*self.real_parameters, self.ngram)

    def buckets(self, x: np.ndarray) -> np.ndarray:
        """Hash the n-grams of texts.

        Parameters
        ----------
        x : ndarray of int, shape (n_texts, n_positions)
            Tokens.

        Returns
        -------
        ndarray of int64, shape (max_ngram - 1, n_texts, n_positions)
            The bucket of the n-gram that ends at each position, for n from 2 on; -1 where the text begins later.
        """
        last = self._check(x).astype(np.uint64) + np.uint64(1)
        n_buckets, hashed = np.uint64(len(self.ngram.values)), last
        found = np.full((self.max_ngram - 1, *last.shape), -1, np.int64)
        for n in range(2, self.max_ngram + 1):
            hashed = hashed[:, :-1] * _STEP + last[:, n - 1 :]
            found[n - 2, :, n - 1 :] = ((hashed * _MIX) >> np.uint64(32)) % n_buckets
        return found

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look up the rows of tokens, positions and n-grams; the context is the tokens."""
        rows, ids = super().forward(x)
        for bucket in self.buckets(ids).reshape(self.max_ngram - 1, -1):
            ends = bucket >= 0
            rows[ends] += self.ngram.values[bucket[ends]]
        return rows, ids

    def gradients(self, signal: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum up the signals at each token, at each position, and at each bucket."""
        buckets = self.buckets(context).reshape(self.max_ngram - 1, -1)
        _, ends = np.nonzero(buckets >= 0)
        at_buckets = _sums_at(buckets[buckets >= 0], ends, floats(signal), len(self.ngram.values))
        return (*super().gradients(signal, context), at_buckets)


def _sums_at(ids: np.ndarray, rows: np.ndarray, signal: np.ndarray, n: int) -> np.ndarray:
    """Add up rows of signals for each of n ids."""
    where = sparse.csr_array((np.ones(ids.size, signal.dtype), (ids, rows)), (n, len(signal)))
    return where @ signal


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
        check_rows(x, x.shape[-1], "the sum of positions", together=self.n_positions)
        return self._share(floats(x).reshape(-1, self.n_positions, x.shape[1]).sum(axis=1)), None

    def rows_for(self, n_rows: int) -> int:
        """Make one row of those of a text."""
        return n_rows * self.n_positions

    def backward(self, signal: np.ndarray, context: None) -> np.ndarray:
        """Hand the signal to every position."""
        return np.repeat(self._share(floats(signal)), self.n_positions, axis=0)

    def _share(self, x: np.ndarray) -> np.ndarray:
        return x / sqrt(self.n_positions)


def _uniform(source: RandomWords, spread: float, n_rows: int, n_units: int) -> np.ndarray:
    return (np.sqrt(3) * spread * source.uniform(n_rows, n_units)).astype(np.float32)
