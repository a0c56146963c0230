"""Turn numbers into bits: the first layer of every model, fitted on the training data.

A thermometer of k bits asks k questions of a number, "are you at least t?", for rising thresholds t; the
answers are bits, and a larger number answers T to more of them.  NaN answers none: it becomes the 0 of M, which
adds nothing to a sum and gets no vote.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar import kernels
from bvar._validation import check_choice, check_integer
from bvar.bits import BitMatrix

__all__ = ["ThermometerEncoder"]

_BLOCK = 2**23  # comparisons made at a time: 8 MiB of Booleans


class ThermometerEncoder(TransformerMixin, BaseEstimator):
    """Encode each feature as the answers to "is it at least t?" for some thresholds t.

    Parameters
    ----------
    n_bits : int, default=8
        Most thresholds for one feature. A feature with few distinct values gets one threshold between each two
        neighbours instead, which loses nothing.
    strategy : {'quantile', 'uniform'}, default='quantile'
        Where the thresholds go: so that about equally many training values lie between them, or at equal
        distances from the smallest value to the largest.

    Attributes
    ----------
    thresholds_ : list of ndarray of float64
        Rising thresholds of each feature, at least one.
    n_bits_out_ : int
        Number of bits of an encoded sample.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Notes
    -----
    A feature that is constant in the training data gets that value as its threshold; one that is always NaN
    gets 0.  Infinite values are refused.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.encoding import ThermometerEncoder
    >>> X = np.array([[0.0], [1.0], [2.0], [np.nan]])
    >>> encoder = ThermometerEncoder().fit(X)
    >>> encoder.thresholds_
    [array([0.5, 1.5])]
    >>> encoder.transform(X)
    array([[-1, -1],
           [ 1, -1],
           [ 1,  1],
           [ 0,  0]], dtype=int8)
    """

    def __init__(self, n_bits: int = 8, strategy: str = "quantile") -> None:
        self.n_bits = n_bits
        self.strategy = strategy

    def fit(self, X: Any, y: Any = None) -> ThermometerEncoder:
        """Choose the thresholds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; NaN means missing.
        y : None
            Ignored.

        Returns
        -------
        ThermometerEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        n_bits = check_integer(self.n_bits, "n_bits", low=1)
        choose = {"quantile": _quantile_thresholds, "uniform": _uniform_thresholds}[
            check_choice(self.strategy, "strategy", ("quantile", "uniform"))
        ]
        X = self._check(X, reset=True)
        self.thresholds_ = [_thresholds(column, n_bits, choose) for column in X.T]
        self.n_bits_out_ = sum(map(len, self.thresholds_))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Encode as values of M.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN means missing.

        Returns
        -------
        ndarray of int8, shape (n_samples, n_bits_out)
            +1 where the answer is T, -1 where it is F, 0 where the value is missing.
        """
        return kernels.unpack_ternary(self.encode(X))

    def encode(self, X: Any) -> BitMatrix:
        """Encode as packed bits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN means missing.

        Returns
        -------
        BitMatrix of shape (n_samples, n_bits_out)
            The answers.
        """
        check_is_fitted(self)
        X = self._check(X, reset=False)
        columns = np.repeat(np.arange(X.shape[1]), list(map(len, self.thresholds_)))
        thresholds = np.concatenate(self.thresholds_)
        step = max(1, _BLOCK // len(columns))
        blocks = [kernels.pack_threshold(X[i : i + step, columns], thresholds) for i in range(0, len(X), step)]
        return BitMatrix.concatenate(blocks) if len(blocks) > 1 else blocks[0]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name every bit after its question, such as ``'age>=37.5'``.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the features; default: those seen in `fit`, or x0, x1, ...

        Returns
        -------
        ndarray of object, shape (n_bits_out,)
            The names.

        Raises
        ------
        ValueError
            If the number of names is not the number of features.
        """
        check_is_fitted(self)
        if input_features is None:
            input_features = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        if len(input_features) != self.n_features_in_:
            raise ValueError(f"input_features must have {self.n_features_in_} names, got {len(input_features)}")
        return np.array(
            [f"{name}>={t:g}" for name, ts in zip(input_features, self.thresholds_, strict=True) for t in ts],
            dtype=object,
        )

    def _check(self, X: Any, *, reset: bool) -> np.ndarray:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a legal value, and that bits come out whatever goes in."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _thresholds(column: np.ndarray, n_bits: int, choose: Any) -> np.ndarray:
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    if len(values) < 2:
        return values if len(values) else np.zeros(1)
    if len(values) - 1 <= n_bits:
        return _between(values, np.arange(1, len(values)))
    return choose(values, counts, n_bits)


def _quantile_thresholds(values: np.ndarray, counts: np.ndarray, n_bits: int) -> np.ndarray:
    """Cut before the values at which the cumulated count passes equal shares; never before the first."""
    shares = counts.sum() * np.arange(1, n_bits + 1) / (n_bits + 1)
    cuts = np.searchsorted(np.cumsum(counts), shares) + 1
    return _between(values, np.unique(np.minimum(cuts, len(values) - 1)))


def _uniform_thresholds(values: np.ndarray, counts: np.ndarray, n_bits: int) -> np.ndarray:
    low, high = values[0] / (n_bits + 1), values[-1] / (n_bits + 1)  # no overflow of the difference
    steps = np.arange(1, n_bits + 1)
    return np.unique(low * (n_bits + 1 - steps) + high * steps)


def _between(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Half-way between neighbouring values, without overflow."""
    below, above = values[cuts - 1], values[cuts]
    return np.maximum(below / 2 + above / 2, np.nextafter(below, above))
