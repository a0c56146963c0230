r"""The reasons of one decision, exactly: change one bit or hide one feature, and compute the scores again.

.. math:: \mathrm{support}(b) = v(x) - v(x \text{ with bit } b \text{ negated}), \qquad
          \mathrm{support}(j) = v(x) - v(x \text{ with feature } j \text{ not known}),

where v is what speaks for the answer: for a class its score minus the best of the others, an integer.  The answer
is another one after the change exactly where it says so; nothing is sampled and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.estimators.fitted import FittedModel
from bvar.estimators.targets import Classes, Numbers
from bvar.inspection.hiding import check_model, names_of_features
from bvar.kernels import pack, unpack_ternary

__all__ = ["Explanation", "explain"]

_TOGETHER = 2**22  # values of changed rows that are held at a time, one byte each


@dataclass(frozen=True)
class Explanation:
    """What each feature, and each bit of the code, does for one answer.

    Parameters
    ----------
    answer : object
        What the model predicts for the row: a class, a number, or 0 or 1 for the label asked about.
    output : object
        What the supports are about: a class, or a label or target by its name, if it had one, or its number.
    value : int or float
        What speaks for `output`, v: for a class its score minus the best score of the others; for a label its
        score; for a number the number itself.
    feature_names : list of str
        Names of the features.
    feature_support : ndarray of int64 or float64, shape (n_features,)
        What is lost of `value` when a feature is not known.
    feature_decides : ndarray of bool, shape (n_features,)
        Whether the answer is another one then; for numbers, whether it changes at all.
    bit_names : list of str
        The question of each bit, such as ``'age>=37.5'``.
    bit_values : ndarray of int8, shape (n_bits,)
        The answers in M: 1, -1, or 0 where it is not known.
    bit_support : ndarray of int64 or float64, shape (n_bits,)
        What is lost of `value` when the answer is negated; 0 where it is not known.
    bit_decides : ndarray of bool, shape (n_bits,)
        Whether the answer of the model is another one then.

    See Also
    --------
    explain : Makes one.
    """

    answer: Any
    output: Any
    value: float
    feature_names: list[str]
    feature_support: np.ndarray
    feature_decides: np.ndarray
    bit_names: list[str]
    bit_values: np.ndarray
    bit_support: np.ndarray
    bit_decides: np.ndarray

    def ranked(self, of: str = "features") -> np.ndarray:
        """Order features or bits by how much they matter, whichever way.

        Parameters
        ----------
        of : {'features', 'bits'}, default='features'
            What to order.

        Returns
        -------
        ndarray of int64
            Their numbers, by falling magnitude of support; of equal ones the first comes first.

        Raises
        ------
        ValueError
            If `of` is neither.
        """
        if of not in ("features", "bits"):
            raise ValueError(f"of must be 'features' or 'bits', got {of!r}")
        support = self.feature_support if of == "features" else self.bit_support
        return np.argsort(-np.abs(support), kind="stable")

    def table(self, n: int = 10, of: str = "features") -> str:
        """Write the first `n` features or bits by rank as a table for people.

        Parameters
        ----------
        n : int, default=10
            Most lines.
        of : {'features', 'bits'}, default='features'
            What to list.

        Returns
        -------
        str
            Support and name of each, and a star where the answer hangs on it.
        """
        n, bits = check_integer(n, "n", low=1), of == "bits"
        names = self.bit_names if bits else self.feature_names
        support, decides = (
            (self.bit_support, self.bit_decides) if bits else (self.feature_support, self.feature_decides)
        )
        head = f"answer {self.answer!s}; {self.value:g} speaks for output {self.output!s}"
        lines = [head, f"{'support':>10}  {of}"]
        for i in self.ranked(of)[:n]:
            sign = "" if not bits else {1: " yes", -1: " no", 0: " not known"}[int(self.bit_values[i])]
            lines.append(f"{support[i]:>+10g}  {names[i]}{sign}{' *' if decides[i] else ''}")
        return "\n".join(lines)

    def __str__(self) -> str:
        """Give the table of features."""
        return self.table()


def explain(model: Any, row: Any, *, output: Any = None) -> Explanation:
    """Say which features and which bits carry one decision of a model.

    Parameters
    ----------
    model : estimator of bvar.estimators
        Fitted.
    row : array-like of shape (n_features,) or (1, n_features), or a frame of one row
        The sample; NaN means missing.
    output : object, optional
        For a classifier the class that the supports are about, by default the one predicted; for a matrix of
        labels or of numbers the number of a column, by default 0, or its name, if they had names in `fit`.

    Returns
    -------
    Explanation
        Supports of features and bits, and where the answer hangs on one alone.

    Raises
    ------
    TypeError, ValueError
        If the model or the row is not as described, or there is no such output.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    See Also
    --------
    importance : Over many samples, by a score.

    Notes
    -----
    Bits of a thermometer are changed one at a time too: a code that no number has, but which says where the
    network looks. What is *and*-ed or voted on together has no single cause: supports need not add up.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import BooleanClassifier
    >>> from bvar.inspection import explain
    >>> X = np.random.RandomState(0).rand(200, 3)
    >>> model = BooleanClassifier(64, max_iter=10, random_state=0).fit(X, X[:, 1] > 0.5)
    >>> reasons = explain(model, [0.5, 0.9, 0.5])
    >>> bool(reasons.answer), reasons.feature_names[reasons.ranked()[0]]
    (True, 'x1')
    """
    model = check_model(model)
    X = model._check_samples(_one_row(row), reset=False)
    with model._backend(record=False):
        values = unpack_ternary(model.encoder_.encode(X, check_input=False))
        if len(values) != 1:
            raise ValueError(f"row must be one sample, got {len(values)}")
        plain = _scores(model, values)
        output, speaks, answers = _question(model, plain, output)
        columns = model.encoder_.bit_columns()
        bits = _changed(model, values[0], range(len(columns)), lambda b: (b, -values[0, b]))
        hidden = _changed(model, values[0], range(model.n_features_in_), lambda j: (columns == j, 0))
    value, answer = speaks(plain)[0], answers(plain)[0]
    return Explanation(
        answer=_plain(answer),
        output=_plain(output),
        value=value.item(),
        feature_names=names_of_features(model),
        feature_support=value - speaks(hidden),
        feature_decides=answers(hidden) != answer,
        bit_names=model.encoder_.get_feature_names_out().tolist(),
        bit_values=values[0],
        bit_support=value - speaks(bits),
        bit_decides=answers(bits) != answer,
    )


def _one_row(row: Any) -> Any:
    """Make a table of a row that has no second axis; frames have one."""
    if getattr(row, "ndim", 2) == 1 and hasattr(row, "to_frame"):
        return row.to_frame().T.infer_objects()  # a row of a frame, as frame.iloc[0] gives it
    if hasattr(row, "iloc") or hasattr(row, "tocsr") or hasattr(row, "toarray"):
        return row
    return [row] if np.ndim(row) == 1 else row


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _scores(model: FittedModel, values: np.ndarray) -> np.ndarray:
    return model.network_.scores(model._recipe().inputs(pack(values)))


def _changed(
    model: FittedModel, values: np.ndarray, changes: range, place: Callable[[int], tuple[Any, Any]]
) -> np.ndarray:
    """Compute the scores of a row after each of some changes, as many at a time as fit in memory."""
    step = max(1, _TOGETHER // max(1, len(values)))
    found = []
    for start in range(0, len(changes), step):
        some = changes[start : start + step]
        rows = np.tile(values, (len(some), 1))
        for row, change in zip(rows, some, strict=True):
            where, new = place(change)
            row[where] = new
        found.append(_scores(model, rows))
    return np.concatenate(found)


def _question(
    model: FittedModel, scores: np.ndarray, output: Any
) -> tuple[Any, Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Return what is asked about, what speaks for it, and the answers; the last two for any scores."""
    targets = model._targets()
    if isinstance(targets, Classes):
        if output is None:
            output = targets.answer(scores)[0]
        at = np.flatnonzero(np.asarray(targets.classes == output))
        if len(at) != 1:
            raise ValueError(f"output must be one of the classes {targets.classes.tolist()}, got {output!r}")
        return output, lambda s: _margins(targets.of_each(s), int(at[0])), targets.answer
    names = getattr(model, "target_names_", np.zeros(0, object)).tolist()
    number = _column(output, scores.shape[1], names)
    shown = names[number] if names else number
    if isinstance(targets, Numbers):
        numbers = lambda s: targets.answer(s).reshape(len(s), -1)[:, number]  # noqa: E731 - used twice below
        return shown, numbers, numbers
    return shown, lambda s: s[:, number].astype(np.int64), lambda s: targets.answer(s)[:, number]


def _column(output: Any, n_outputs: int, names: list[str]) -> int:
    number = 0 if output is None else names.index(output) if output in names else output
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < n_outputs:
        named = f", or one of {names}" if names else ""
        raise ValueError(
            f"output must be the number of a column, from 0 to {n_outputs - 1}{named}, got {output!r}"
        )
    return int(number)


def _margins(scores: np.ndarray, at: int) -> np.ndarray:
    """Subtract the best of the other scores."""
    scores = scores.astype(np.int64)
    return scores[:, at] - np.delete(scores, at, axis=1).max(axis=1)
