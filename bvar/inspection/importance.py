"""The importance of features: what a score loses when one of them is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch

from bvar.encoding.samples import Table
from bvar.inspection.hiding import check_model, names_of_features, without

__all__ = ["importance"]


def importance(
    model: Any,
    X: Table,
    y: ArrayLike,
    *,
    scoring: str | Callable[..., float] | None = None,
    sample_weight: ArrayLike | None = None,
) -> Bunch:
    """Say how much of a score is due to each feature, by hiding one after the other.

    Parameters
    ----------
    model : estimator of bvar.estimators
        Fitted.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Samples, better not those of training.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    scoring : str or callable, optional
        A scorer of scikit-learn: a name such as ``'balanced_accuracy'``, or ``scorer(model, X, y)``. Default: the
        model's own `score`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the samples in the score.

    Returns
    -------
    sklearn.utils.Bunch
        ``importances``, ndarray of float64 of shape (n_features,): the score minus the score without the feature;
        ``score``, the score with all; ``feature_names``, a list of str.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; a scorer may raise what it likes.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    See Also
    --------
    explain : For one decision.
    sklearn.inspection.permutation_importance : Shuffles a feature instead of hiding it, for any estimator.

    Notes
    -----
    All bits that ask about the feature become 0 of M, as if its value were missing in every sample; the terms of
    sums that read them vanish. There is nothing random in that. Networks of gates read what is not known as F.
    Two features that say the same stand in for each other: hiding one of them costs little.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import BooleanClassifier
    >>> from bvar.inspection import importance
    >>> X = np.random.RandomState(0).rand(400, 3)
    >>> model = BooleanClassifier(64, max_iter=10, random_state=0).fit(X[:200], X[:200, 1] > 0.5)
    >>> found = importance(model, X[200:], X[200:, 1] > 0.5)
    >>> found.feature_names[int(found.importances.argmax())]
    'x1'
    """
    model = check_model(model)
    scorer = check_scoring(model, scoring=scoring)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    score = float(scorer(model, X, y, **weights))
    blind = [float(scorer(without(model, j), X, y, **weights)) for j in range(model.n_features_in_)]
    return Bunch(importances=score - np.array(blind), score=score, feature_names=names_of_features(model))
