"""Whether a classifier is as sure as it is right, and how right one can be on degraded data.

The other proper scores are scikit-learn's: ``log_loss`` and ``brier_score_loss``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from bvar._validation import as_array, check_choice, check_integer
from bvar.mollify.labels import unit_interval
from bvar.mollify.mollifier import degrade_by_role, standard_moments, standardize

__all__ = ["attainable_accuracy", "check_labels", "expected_calibration_error"]


def expected_calibration_error(
    y_true: ArrayLike, probabilities: ArrayLike, *, classes: ArrayLike | None = None, n_bins: int = 15
) -> float:
    r"""Compute how far confidence is from accuracy, on average.

    Samples are sorted into bins of equal width by their confidence, the largest of their probabilities. With
    :math:`n_b` of n samples in bin b (recalled: Guo et al. 2017, top label, L1):

    .. math:: \mathrm{ECE} = \sum_b \frac{n_b}{n} \, \bigl| \mathrm{accuracy}_b - \mathrm{confidence}_b \bigr|

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes.
    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    classes : array-like of shape (n_classes,), optional
        What the columns stand for; default: the classes of `y_true`, sorted.
    n_bins : int, default=15
        Number of bins; each contains its upper end.

    Returns
    -------
    float
        From 0, calibrated, to 1.

    Raises
    ------
    ValueError
        If there are no samples, shapes do not fit or a probability is not in [0, 1].

    Examples
    --------
    >>> expected_calibration_error([0, 1, 1, 1], [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]])
    0.275
    """
    n_bins = check_integer(n_bins, "n_bins", low=1)
    y, p = check_labels(y_true, "y_true"), unit_interval(probabilities, "probabilities")
    columns = np.unique(y) if classes is None else check_labels(classes, "classes")
    if p.shape != (len(y), len(columns)) or not len(y):
        raise ValueError(
            f"probabilities must have shape ({len(y)}, {len(columns)}) and a row, got shape {p.shape}"
        )
    confidence = p.max(axis=1)
    gap = (columns[p.argmax(axis=1)] == y) - confidence
    bins = np.maximum(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0)
    return float(abs(np.bincount(bins, gap, n_bins)).sum() / len(y))


def attainable_accuracy(
    predict: Callable[[np.ndarray], Any],
    X: ArrayLike,
    y: ArrayLike,
    times: Any,
    *,
    role: str = "n",
    image_shape: tuple[int, ...] | None = None,
    moments: tuple[Any, Any] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Measure how often a classifier is right on data of each degradation.

    Give samples that the classifier has not seen in training, and a classifier that was trained on degraded data
    (hard labels will do): else its accuracy is less than what can be had.

    Parameters
    ----------
    predict : callable
        Gets samples in the units of `X` and returns classes.
    X : array-like of shape (n_samples, n_features)
        Held-out samples.
    y : array-like of shape (n_samples,)
        Their classes.
    times : array-like of float, shape (n_times,)
        Times in [0, 1].
    role : {'n', 'b'}, default='n'
        Noise or blur.
    image_shape : tuple of int, optional
        Shape of a sample that is an image; blur needs it.
    moments : tuple of (mean, std), optional
        Standardises `X` before it is degraded; default: :func:`standard_moments` of `X`. Better give those of
        the training data.
    random_state : None, int or RandomState, default=None
        Where noise comes from.

    Returns
    -------
    ndarray of float64, shape (n_times,)
        Accuracies, for :func:`confidence_matched_schedule`.

    Raises
    ------
    ValueError
        If the role is unknown, a time is not in [0, 1], blur has no `image_shape`, or there is not one label and
        one answer of `predict` for each sample.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat([[-1.0], [1.0]], 500, axis=0)
    >>> is_positive = lambda X: X[:, 0] > 0
    >>> attainable_accuracy(is_positive, X, X[:, 0] > 0, [0, 0.5, 1], random_state=0).round(1).tolist()
    [1.0, 0.8, 0.5]
    """
    check_choice(role, "role", ("n", "b"))
    mean, std = standard_moments(X, image_shape) if moments is None else moments
    Z, random = standardize(X, mean, std), check_random_state(random_state)
    classes = check_labels(y, "y", len(Z))
    degraded = (degrade_by_role(Z, role, t, image_shape, random) for t in unit_interval(times, "times").ravel())
    answers = (check_labels(predict(D * std + mean), "what predict returns", len(Z)) for D in degraded)
    return np.array([np.mean(answer == classes) for answer in answers])


def check_labels(labels: Any, name: str, n_samples: int | None = None) -> np.ndarray:
    """Return labels as a vector, of a matrix of one column too, after comparing how many there are.

    Parameters
    ----------
    labels : array-like of shape (n_samples,) or (n_samples, 1)
        The labels.
    name : str
        What they are called in an error.
    n_samples : int, optional
        How many there must be.

    Returns
    -------
    ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError
        If there are more columns than one, or another number of labels.
    """
    array = as_array(labels, name)
    vector = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if vector.ndim != 1 or (n_samples is not None and len(vector) != n_samples):
        wanted = "n_samples" if n_samples is None else n_samples
        raise ValueError(f"{name} must have shape ({wanted},), one label for each sample, got shape {array.shape}")
    return vector
