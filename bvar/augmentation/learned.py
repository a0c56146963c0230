r"""How strong transforms are, learnt with the model: a distribution beside a prior.

Of each transform one number is learnt, :math:`\varphi = \log s` of a spread or :math:`\operatorname{logit} p` of a
coin.  It is normal, :math:`q(\varphi) = N(m, v^2)`, as its prior is, :math:`N(m_0, \tau^2)`; m and v follow the
slope of the bound (``docs/explanation/augmentation.md``, :eq:`augmentation-bound`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from bvar._validation import check_image_shape, check_integer, check_real
from bvar.augmentation.bounds import normal_divergence
from bvar.augmentation.images import Mixup
from bvar.augmentation.transforms import Shape, Transform

__all__ = ["Draw", "LearnedAugmentation"]

_START = 0.3
"""Width to start from, if the prior is wider: samples then say at once what the slope is."""


@dataclass(frozen=True)
class Draw:
    """What one transform does to some samples: for each a number phi, its standard noise, and noise of amounts."""

    transform: Transform
    phi: np.ndarray
    standard: np.ndarray
    noise: np.ndarray

    def amounts(self, dtype: Any) -> np.ndarray:
        """Return the amounts, in the type of the samples."""
        return self.transform.amounts(self.phi, self.noise).astype(dtype)


class LearnedAugmentation(BaseEstimator):
    """Transforms whose strength is learnt with the model.

    Parameters
    ----------
    transforms : Transform or sequence of Transform
        From :mod:`bvar.augmentation`, applied one after the other; their own parameters are the medians of the
        prior. None of them, an empty sequence, leaves samples as they are.
    prior : float, sequence of float or None, default=1.0
        Standard deviation of the prior of the logarithm of a spread, and of the logit of a probability, positive;
        one for all, or one for each transform. None leaves the prior out: strengths are then single numbers, which
        follow the data alone, and usually collapse to nothing.
    n_draws : int, default=1
        Draws K of each sample in a step: 1 is the bound of one draw, more are a tighter one, at K times the cost.
    learn : bool, default=True
        Whether strengths are learnt; False keeps the medians of the prior, as single numbers.
    learning_rate : float, default=0.02
        About the size of a step of a strength, positive.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images. Default: a table, which
        takes :class:`Noise` and :class:`Mixup`.

    Attributes
    ----------
    location_, width_ : ndarray of float64, shape (n_transforms,)
        Mean m and standard deviation v of each number.
    history_ : dict of list
        'location' and 'width' after each epoch, a list with an entry for each transform.

    See Also
    --------
    AugmentedClassifier : Learns by slopes.
    bvar.estimators.BooleanClassifier : Learns by integer losses, as its `augment`.
    bvar.plotting.plot_augmentation : Draws the history.

    Notes
    -----
    Derivation, and what may collapse: ``docs/explanation/augmentation.md``.

    References
    ----------
    Matymov et al., "OPTIMA", arXiv:2505.21813 (the bound; read in summaries, and derived again).

    Examples
    --------
    >>> from bvar.augmentation import LearnedAugmentation, Rotation, Shift
    >>> augment = LearnedAugmentation([Rotation(20.0), Shift(0.5)], image_shape=(8, 8)).begin(64)
    >>> {name: round(strength, 6) for name, strength in augment.strengths().items()}
    {'Rotation': 20.0, 'Shift': 0.5}
    """

    location_: np.ndarray
    width_: np.ndarray
    history_: dict[str, list[list[float]]]

    def __init__(
        self,
        transforms: Transform | Sequence[Transform],
        *,
        prior: float | Sequence[float] | None = 1.0,
        n_draws: int = 1,
        learn: bool = True,
        learning_rate: float = 0.02,
        image_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.transforms = transforms
        self.prior = prior
        self.n_draws = n_draws
        self.learn = learn
        self.learning_rate = learning_rate
        self.image_shape = image_shape

    # ------------------------------------------------------------------------------------ parameters

    def begin(self, n_features: int) -> Self:
        """Check the parameters, and go to the medians of the prior.

        Parameters
        ----------
        n_features : int
            Number of values of a sample.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not as described, or does not fit samples of so many values.
        """
        shape = self.checked(n_features)
        for transform in self.steps():
            transform.check(shape)
        self.location_ = self._medians()
        spread = self.priors() if self.is_distribution() else np.zeros(len(self.location_))
        self.width_ = np.minimum(spread, _START)
        self.history_ = {"location": [], "width": []}
        return self

    def checked(self, n_features: int | None = None) -> Shape:
        """Check the parameters, as far as they can be without samples; return the shape of images.

        Parameters
        ----------
        n_features : int, optional
            Number of values of a sample, to compare with the shape.

        Returns
        -------
        tuple of int or None
            Height, width and channels; None for a table.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not as described.
        """
        self.steps()
        check_integer(self.n_draws, "n_draws", low=1)
        check_real(self.learning_rate, "learning_rate", low=0, strict=True)
        if not isinstance(self.learn, bool | np.bool_):
            raise TypeError(f"learn must be True or False, got {self.learn!r}")
        if self.prior is not None:
            self.priors()
        return None if self.image_shape is None else check_image_shape(self.image_shape, n_features)

    def is_distribution(self) -> bool:
        """Say whether a distribution is learnt, and not single numbers.

        Returns
        -------
        bool
            Whether there is a prior, and something to learn.
        """
        return bool(self.learn) and self.prior is not None

    def priors(self) -> np.ndarray:
        """Return the standard deviation of the prior of each number.

        Returns
        -------
        ndarray of float64, shape (n_transforms,)
            Positive.

        Raises
        ------
        TypeError, ValueError
            If `prior` is not as described.
        """
        n = len(self.steps())
        several = isinstance(self.prior, list | tuple | np.ndarray)
        given: list[Any] = list(self.prior) if several else [self.prior] * n  # type: ignore[arg-type]
        if len(given) != n:
            raise ValueError(f"prior must be one number, or one for each of {n} transforms, got {len(given)}")
        return np.array([check_real(one, "prior", low=0, strict=True) for one in given])

    def strengths(self) -> dict[str, float]:
        """Return the median of each strength, by the name of its transform, numbered where there are several.

        Returns
        -------
        dict of float
            Spreads and probabilities.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`begin`.
        """
        self._check_begun()
        trios = zip(self.names(), self.steps(), self.location_, strict=True)
        return {name: float(transform.strength(m)) for name, transform, m in trios}

    def names(self) -> list[str]:
        """Return a name for each transform.

        Returns
        -------
        list of str
            Names of classes, with a number where one occurs again.
        """
        found: list[str] = []
        for transform in self.steps():
            name, n = type(transform).__name__, sum(x.split()[0] == type(transform).__name__ for x in found)
            found.append(name if not n else f"{name} {n + 1}")
        return found

    def steps(self) -> list[Transform]:
        """Return the transforms as a list.

        Returns
        -------
        list of Transform
            In the order in which they are applied.

        Raises
        ------
        TypeError
            If they are none.
        """
        given = [self.transforms] if isinstance(self.transforms, Transform) else self.transforms
        if not isinstance(given, Sequence) or not all(isinstance(t, Transform) for t in given):
            raise TypeError(
                "transforms must be a bvar.augmentation.Transform, such as Rotation(), or a sequence of them, "
                f"got {self.transforms!r}"
            )
        return list(given)

    def _check_begun(self) -> None:
        """Refuse to tell what is not known yet."""
        if not hasattr(self, "location_"):
            raise NotFittedError("there are no strengths before begin(), which an estimator's fit() calls")

    def _medians(self) -> np.ndarray:
        return np.array([transform.start() for transform in self.steps()])

    # --------------------------------------------------------------------------------------- draws

    def draw(self, n: int, n_features: int, random: np.random.RandomState) -> list[Draw]:
        """Draw what happens to samples: `n_draws` copies of each, which share their strengths.

        Parameters
        ----------
        n : int
            Number of samples.
        n_features : int
            Values of a sample.
        random : RandomState
            Where it comes from.

        Returns
        -------
        list of Draw
            Of each transform, for the first copies of all samples, then for the second.
        """
        self._check_begun()
        shape = self.checked(n_features)
        draws = []
        for j, transform in enumerate(self.steps()):
            standard = random.standard_normal(n) if self.width_[j] else np.zeros(n)
            phi = self.location_[j] + self.width_[j] * standard
            noise = transform.noise(self.n_draws * n, shape, n_features, random)
            draws.append(Draw(transform, np.tile(phi, self.n_draws), np.tile(standard, self.n_draws), noise))
        return draws

    def forward(self, X: np.ndarray, draws: list[Draw]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Transform samples.

        Parameters
        ----------
        X : ndarray of float, shape (n_draws * n_samples, n_features)
            Samples, copied.
        draws : list of Draw
            From :meth:`draw`.

        Returns
        -------
        transformed : ndarray of the shape of `X`
            New samples.
        inputs : list of ndarray
            What each transform was given.
        """
        shape, inputs = self.checked(), []
        for draw in draws:
            inputs.append(X)
            X = draw.transform.forward(X, draw.amounts(X.dtype), shape)
        return X, inputs

    def backward(self, inputs: list[np.ndarray], draws: list[Draw], signal: np.ndarray) -> np.ndarray:
        """Return the slope in the number of each transform, for each sample.

        Parameters
        ----------
        inputs : list of ndarray
            From :meth:`forward`.
        draws : list of Draw
            What that was given.
        signal : ndarray of float, shape (n_rows, n_features)
            Slopes in the transformed samples.

        Returns
        -------
        ndarray of float64, shape (n_transforms, n_rows)
            Slopes; 0 for coins, which learn from the slope of their log-density.
        """
        shape, slopes = self.checked(), np.zeros((len(draws), len(signal)))
        for j in reversed(range(len(draws))):
            given = inputs[j], draws[j].amounts(signal.dtype), shape, signal
            if not draws[j].transform.is_coin:
                slopes[j] = (draws[j].transform.slopes(*given) * given[1]).sum(axis=1)  # exp(phi) is its own slope
            if j:  # nobody listens below the first
                signal = draws[j].transform.adjoint(*given)
        return slopes

    def for_prediction(self, n_draws: int, n_features: int, random: np.random.RandomState) -> list[list[Draw]]:
        """Draw what happens to all samples alike when they are predicted, again and again; nothing is mixed.

        Parameters
        ----------
        n_draws : int
            How often.
        n_features : int
            Values of a sample.
        random : RandomState
            Where it comes from.

        Returns
        -------
        list of list of Draw
            For each time one of each transform.
        """
        self._check_begun()
        one = type(self)(**{**self.get_params(deep=False), "n_draws": 1})
        one.location_, one.width_ = self.location_, self.width_
        draws = [one.draw(1, n_features, random) for _ in range(n_draws)]
        return [[draw for draw in each if not isinstance(draw.transform, Mixup)] for each in draws]

    # ------------------------------------------------------------------------------------ the prior

    def divergence(self) -> float:
        """Compute the divergence of what is learnt from the prior.

        Returns
        -------
        float
            In nats; 0 where there is no distribution.
        """
        self._check_begun()
        if not self.is_distribution():
            return 0.0
        return normal_divergence(self.location_, self.width_, self._medians(), self.priors())

    def divergence_slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Compute the slopes of the divergence in the means, and in the logarithms of the deviations.

        Returns
        -------
        in_location, in_log_width : ndarray of float64, shape (n_transforms,)
            Slopes; 0 where there is no distribution.
        """
        self._check_begun()
        if not self.is_distribution():
            return np.zeros_like(self.location_), np.zeros_like(self.location_)
        variance = self.priors() ** 2
        return (self.location_ - self._medians()) / variance, self.width_**2 / variance - 1

    def record(self) -> None:
        """Write the present numbers into the history."""
        self._check_begun()
        self.history_["location"].append(self.location_.tolist())
        self.history_["width"].append(self.width_.tolist())
