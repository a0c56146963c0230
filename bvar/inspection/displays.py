"""Pictures in the manner of scikit-learn: a display is made `from_estimator`, drawn by `plot`, and keeps its axes.

Matplotlib is imported when something is drawn, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from bvar._describe import Described
from bvar._validation import as_numbers, check_image_shape, check_integer
from bvar.encoding.samples import Table
from bvar.inspection.explanation import Explanation, explain
from bvar.inspection.hiding import check_model
from bvar.inspection.importance import importance
from bvar.plotting import plot_flip_rate, plot_learning_curve, plot_supports

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExplanationDisplay", "FlipRateDisplay", "ImportanceDisplay", "LearningCurveDisplay"]


class _Display(Described):
    """What all displays keep."""

    ax_: Axes
    figure_: Any

    def _drawn(self, ax: Axes) -> Self:
        self.ax_, self.figure_ = ax, ax.figure
        return self


class ImportanceDisplay(_Display):
    """The importance of features as bars, the largest above.

    Parameters
    ----------
    importances : array-like of shape (n_features,)
        What :func:`importance` found.
    feature_names : sequence of str
        Names of the features.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes drawn on.
    figure_ : matplotlib.figure.Figure
        Their figure.

    Raises
    ------
    TypeError, ValueError
        If importances are not real, or not as many as names.

    Examples
    --------
    >>> from bvar.inspection import ImportanceDisplay
    >>> display = ImportanceDisplay([0.1, 0.3], ["age", "sex"]).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['sex', 'age']
    """

    def __init__(self, importances: ArrayLike, feature_names: Sequence[str]) -> None:
        self.importances = as_numbers(importances, "importances")
        self.feature_names = list(feature_names)
        if self.importances.shape != (len(self.feature_names),):
            raise ValueError(
                f"importances must be {len(self.feature_names)}, one for each of feature_names, got shape "
                f"{self.importances.shape}"
            )

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Table,
        y: ArrayLike,
        *,
        scoring: str | Callable[..., float] | None = None,
        sample_weight: ArrayLike | None = None,
        max_features: int = 20,
        ax: Axes | None = None,
    ) -> ImportanceDisplay:
        """Find the importance of features, and draw it.

        Parameters
        ----------
        model : estimator of bvar.estimators
            Fitted.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        scoring, sample_weight : optional
            As for :func:`importance`.
        max_features : int, default=20
            Most bars.
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        ImportanceDisplay
            Drawn.
        """
        found = importance(model, X, y, scoring=scoring, sample_weight=sample_weight)
        return cls(found.importances, found.feature_names).plot(max_features=max_features, ax=ax)

    def plot(self, *, max_features: int = 20, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        max_features : int, default=20
            Most bars.
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        ImportanceDisplay
            Itself, with `ax_` and `figure_`.
        """
        most = check_integer(max_features, "max_features", low=1)
        first = np.argsort(-self.importances, kind="stable")[:most]
        names = [self.feature_names[i] for i in first]
        return self._drawn(plot_supports(self.importances[first], names, label="loss of score without it", ax=ax))


class ExplanationDisplay(_Display):
    """The reasons of one decision: bars for features or bits, or an image of the supports of pixels.

    Parameters
    ----------
    explanation : Explanation
        What :func:`explain` found.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes drawn on.
    figure_ : matplotlib.figure.Figure
        Their figure.
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        row: Any,
        *,
        output: Any = None,
        of: str = "features",
        n: int = 15,
        image_shape: tuple[int, ...] | None = None,
        ax: Axes | None = None,
    ) -> ExplanationDisplay:
        """Explain a decision, and draw it.

        Parameters
        ----------
        model : estimator of bvar.estimators
            Fitted.
        row : array-like of shape (n_features,) or (1, n_features)
            The sample.
        output : object, optional
            As for :func:`explain`.
        of, n, image_shape, ax : optional
            As for :meth:`plot`.

        Returns
        -------
        ExplanationDisplay
            Drawn.
        """
        return cls(explain(model, row, output=output)).plot(of=of, n=n, image_shape=image_shape, ax=ax)

    def plot(
        self,
        *,
        of: str = "features",
        n: int = 15,
        image_shape: tuple[int, ...] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        of : {'features', 'bits'}, default='features'
            What to draw; of an image, features.
        n : int, default=15
            Most bars.
        image_shape : tuple of int, optional
            (height, width), for features that are pixels of an image: draws supports in place; with a third number
            those of the channels of a pixel are added.
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        ExplanationDisplay
            Itself, with `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If `of` is neither, or 'bits' of an image, or the shape does not fit the features.
        """
        reasons, most = self.explanation, check_integer(n, "n", low=1)
        first = reasons.ranked(of)[:most]
        label = f"what speaks for {reasons.output}: lost without it"
        if image_shape is not None:
            if of != "features":
                raise ValueError(f"of must be 'features' where there is an image_shape, got {of!r}")
            shape = check_image_shape(image_shape, len(reasons.feature_support))
            image = reasons.feature_support.reshape(shape).sum(axis=2)
            return self._drawn(plot_supports(image, [], label=label, ax=ax))
        bits = of == "bits"
        names = reasons.bit_names if bits else reasons.feature_names
        support = reasons.bit_support if bits else reasons.feature_support
        return self._drawn(plot_supports(support[first], [names[i] for i in first], label=label, ax=ax))


class LearningCurveDisplay(_Display):
    """The score, epoch by epoch.

    Parameters
    ----------
    history : dict of list
        The `history_` of an estimator.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes drawn on.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    bvar.plotting.plot_learning_curve : Draws it.
    """

    def __init__(self, history: dict[str, list[Any]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(cls, model: Any, *, ax: Axes | None = None) -> LearningCurveDisplay:
        """Draw the history of a fitted model.

        Parameters
        ----------
        model : estimator of bvar.estimators
            Fitted.
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        LearningCurveDisplay
            Drawn.
        """
        return cls(check_model(model).history_).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        LearningCurveDisplay
            Itself, with `ax_` and `figure_`.
        """
        return self._drawn(plot_learning_curve(self.history, ax=ax))


class FlipRateDisplay(_Display):
    """How many weights flipped in each epoch, a line for each tensor.

    Parameters
    ----------
    history : dict of list
        The `history_` of an estimator.
    names : list of str, optional
        Names of the tensors; default: their numbers.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes drawn on.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    bvar.plotting.plot_flip_rate : Draws it.
    """

    def __init__(self, history: dict[str, list[Any]], names: list[str] | None = None) -> None:
        self.history = history
        self.names = names

    @classmethod
    def from_estimator(cls, model: Any, *, ax: Axes | None = None) -> FlipRateDisplay:
        """Draw the flips of a fitted model, named after its tensors.

        Parameters
        ----------
        model : estimator of bvar.estimators
            Fitted.
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        FlipRateDisplay
            Drawn.
        """
        model = check_model(model)
        names = [parameter.name for parameter in model.network_.parameters]
        return cls(model.history_, names).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: new axes.

        Returns
        -------
        FlipRateDisplay
            Itself, with `ax_` and `figure_`.
        """
        return self._drawn(plot_flip_rate(self.history, names=self.names, ax=ax))
