"""The back door of a model: rows of known type in, answers out, and nothing in between that a row would wait for.

scikit-learn's door takes lists, frames and sparse matrices, compares names of features, and looks at parameters
that may have changed; for one row that takes longer than the network (``docs/howto/predict-one-row.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, MethodType
from typing import Any, TypeAlias, final

import numpy as np

from bvar._describe import Described
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.encoding import BitEncoder
from bvar.networks.inference import Inference

__all__ = ["Answers", "Predictor"]

Answers: TypeAlias = Mapping[str, Callable[[np.ndarray], np.ndarray]]
"""What is made of scores, by the names of the methods that make it."""

_CHUNK = 4096  # rows encoded and scored at a time


class _answering:
    """Decorator of a method that there is only with an answer of its name; quicker than `available_if`."""

    def __init__(self, method: Callable[..., np.ndarray]) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, predictor: Predictor | None, owner: type) -> Any:
        """Bind the method."""
        if predictor is None:
            return self.method
        if self.method.__name__ not in predictor.answers:
            raise AttributeError(f"this Predictor has no {self.method.__name__}, as its model has none")
        return MethodType(self.method, predictor)


@final
class Predictor(Described):
    """A fitted model that answers rows of numbers; immutable, and safe to use from any number of threads.

    Made by ``model.predictor()``.  It holds copies of all that the model has learnt, and the backend that was
    chosen when it was made, whatever is in force where it is called.

    Parameters
    ----------
    encoder : BitEncoder
        Turns rows into bits; nobody else changes it.
    inputs : callable
        Makes of bits what the network takes.
    scores : bvar.networks.Inference
        The network, made on `backend`.
    answers : dict of str to callable
        What the methods make of scores.
    backend : Backend
        What computes.

    Attributes
    ----------
    n_features : int
        Values of a row.
    backend : str
        Name of the backend.

    See Also
    --------
    bvar.estimators.BooleanClassifier : Whose `predict` takes all kinds of tables.

    Notes
    -----
    The contract: `rows` is an array of shape (n_rows, n_features), or (n_features,) for a single row, whose answer
    has no first axis either. Its dtype is bool or a type of integers or floats, or, for a model with categories of
    text, object; uint8 and float64 are fastest. Columns are in the order of `fit`, NaN means missing. There are no
    frames, lists, masked arrays, sparse matrices or images, and no names of features are compared. Infinity in a
    column of categories is one that was not seen.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BooleanClassifier((64,), max_iter=5, random_state=0).fit(X, y)
    >>> predictor = model.predictor()
    >>> bool(predictor.predict(X[0]) == model.predict(X[:1])[0])
    True
    >>> bool((predictor.decision_function(X) == model.decision_function(X)).all())
    True
    """

    __slots__ = ("_backend", "_encoder", "_inputs", "_scores", "answers", "n_features")

    answers: Answers
    n_features: int
    _backend: protocol.Backend
    _encoder: BitEncoder
    _inputs: Callable[[BitMatrix], BitMatrix]
    _scores: Inference

    def __init__(
        self,
        encoder: BitEncoder,
        inputs: Callable[[BitMatrix], BitMatrix],
        scores: Inference,
        answers: Answers,
        backend: protocol.Backend,
    ) -> None:
        values = (backend, encoder, inputs, scores, MappingProxyType(dict(answers)), encoder.n_features_in_)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: threads rely on it that nothing changes."""
        raise AttributeError(f"a Predictor cannot be changed, so {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        """Refuse, likewise."""
        raise AttributeError(f"a Predictor cannot be changed, so {name} cannot be deleted")

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self._backend.name

    @_answering
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Predict what the model predicts.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features) or (n_features,)
            Numbers, see Notes.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Classes, labels or numbers, as the model gives them; for a single row without the first axis.

        Raises
        ------
        TypeError, ValueError
            If `rows` is not as described.
        """
        return self._answer("predict", rows)

    @_answering
    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        """Compute the scores of a classifier.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features) or (n_features,)
            Numbers, see Notes.

        Returns
        -------
        ndarray of float64, shape (n_rows,) or (n_rows, n_outputs)
            As the model gives them; for a single row without the first axis.

        Raises
        ------
        TypeError, ValueError
            If `rows` is not as described.
        """
        return self._answer("decision_function", rows)

    @_answering
    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        """Estimate probabilities, where the model does.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features) or (n_features,)
            Numbers, see Notes.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_outputs)
            As the model gives them; for a single row without the first axis.

        Raises
        ------
        TypeError, ValueError
            If `rows` is not as described.
        """
        return self._answer("predict_proba", rows)

    def _answer(self, what: str, rows: np.ndarray) -> np.ndarray:
        plain = isinstance(rows, np.ndarray) and not isinstance(rows, np.ma.MaskedArray | np.matrix)
        if not plain or rows.dtype.kind not in "biufO":
            got = f"dtype {rows.dtype}" if plain else type(rows).__name__
            raise TypeError(f"rows must be an array of Booleans, integers, floats or objects, got {got}")
        table = rows if rows.ndim != 1 else rows[None]
        if table.ndim != 2 or table.shape[1] != self.n_features:
            raise ValueError(
                f"rows must have the shape (n_rows, {self.n_features}) or ({self.n_features},), got {rows.shape}"
            )
        answer = self.answers[what]
        with protocol.in_force(self._backend):
            if len(table) <= _CHUNK:
                found = answer(self._scores_of(table))
            else:
                parts = (table[i : i + _CHUNK] for i in range(0, len(table), _CHUNK))
                found = np.concatenate([answer(self._scores_of(part)) for part in parts])
        return found if rows.ndim == 2 else found[0]

    def _scores_of(self, table: np.ndarray) -> np.ndarray:
        return self._scores(self._inputs(self._encoder.encode(table, check_input=False)))
