r"""BooleanCommittee: networks of single bits, drawn from a posterior by flips of single bits.

Networks :math:`f(x) = m^{-1/2} \sum_j e(v_j)\, e(h_j)`, :math:`h_j = [\sum_i e(w_{ji}) e(x_i) \ge 0]`: their bits
are fair coins before any sample is seen, and the noise has variance :math:`\sigma^2`.  One bit after another is
flipped, and the flip kept with probability :math:`\min(1, e^{-\Delta E})`,

.. math:: E = \frac{1}{2 \sigma^2} \sum_b (f(x_b) - y_b)^2 ,

which leaves the posterior as it is (Metropolis et al. 1953).  No signal, no vote: a flip changes one hidden unit,
so that a step costs one pass over the samples.  The page ``docs/explanation/boolean-beliefs.md`` compares the
committee with its exact limit.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted

from bvar import kernels
from bvar._validation import check_integer, check_real
from bvar.bayes.diagnostics import split_rhat
from bvar.bayes.encoded import EncodedEstimator
from bvar.bayes.scales import spreads
from bvar.encoding import BitEncoder
from bvar.encoding.samples import Table, all_or_nothing
from bvar.layers import BooleanLinear, Threshold
from bvar.networks import BooleanOptimizer, Network, SquaredError

__all__ = ["BooleanCommittee"]

_TOGETHER = 2**22  # activations at a time


class BooleanCommittee(RegressorMixin, EncodedEstimator):
    """Boolean networks with one hidden layer, drawn from the posterior of their bits.

    Parameters
    ----------
    width : int, default=25
        Units of the hidden layer of each network.
    n_walks : int, default=100
        Walks through bits, independent of each other.
    n_draws : int, default=4
        Networks kept of each walk, at least 4, at equal distances in its second half. Together they are the
        committee.
    n_steps : int, default=10000
        Flips that each walk is offered. A bit should have been offered many; there are
        ``width * (n_bits + 1)``. `rhat_` says whether that was enough.
    noise : float, default=0.1
        Variance of the noise on targets, positive, in units of their variance. The less, the longer walks take.
    offset_spread : float, default=0.5
        Spread of the offsets of hidden sums, in spreads of the sum: that many constant inputs, see
        :class:`NetworkKernel`. With 0 networks are odd.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`.
    random_state : None, int or RandomState, default=None
        Where first bits and flips come from.

    Attributes
    ----------
    hidden_ : BitMatrix of shape (n_networks * width, n_bits + n_constants)
        Weights of all hidden units, network after network, of which there are ``n_walks * n_draws``; the last
        inputs are the constant ones.
    output_ : BitMatrix of shape (n_networks, width)
        Weights of the scores.
    acceptance_ : float
        Share of the flips offered that were kept.
    rhat_ : float
        The largest split R-hat of the answers at training samples: near 1 if all walks tell of one posterior.
    target_mean_, target_std_ : float
        What standardises the targets.
    noise_ : float
        The variance of the noise.
    encoder_ : BitEncoder
        The fitted encoder.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By :meth:`fit`, if a parameter or the data is not as described.

    See Also
    --------
    BooleanGPRegressor : The limit of infinite width, with ``exact=True`` of the same inputs.

    Notes
    -----
    A missing bit adds nothing to a sum. A sum of 0 says T, as everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import BooleanCommittee
    >>> X = np.random.RandomState(0).rand(30, 5) < 0.5
    >>> y = X[:, 0] + 0.5 * X[:, 1]
    >>> committee = BooleanCommittee(n_walks=10, n_steps=3000, random_state=0).fit(X, y)
    >>> bool(committee.score(X, y) > 0.8)
    True
    """

    def __init__(
        self,
        width: int = 25,
        *,
        n_walks: int = 100,
        n_draws: int = 4,
        n_steps: int = 10_000,
        noise: float = 0.1,
        offset_spread: float = 0.5,
        encoder: BitEncoder | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.width = width
        self.n_walks = n_walks
        self.n_draws = n_draws
        self.n_steps = n_steps
        self.noise = noise
        self.offset_spread = offset_spread
        self.encoder = encoder
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Let all networks walk.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples; NaN means missing.
        y : array-like of shape (n_samples,)
            Numbers.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        sizes = [check_integer(getattr(self, name), name, low=1) for name in ("n_walks", "width")]
        n_draws = check_integer(self.n_draws, "n_draws", low=4)
        n_steps = check_integer(self.n_steps, "n_steps", low=2 * n_draws)
        noise = self.noise_ = check_real(self.noise, "noise", low=0, strict=True)
        check_real(self.offset_spread, "offset_spread", low=0, high=1)
        X, numbers = self._check(X, y)
        numbers = column_or_1d(numbers, warn=True)
        random = check_random_state(self.random_state)
        signs = self._with_constants(self._learn_signs(X, numbers))
        self.target_std_ = float(spreads(numbers, "y"))  # which checks them
        self.target_mean_ = float(numbers.mean())
        walk = Walk(signs, (numbers - self.target_mean_) / self.target_std_, noise, sizes, random)
        hidden, output = [], []
        for stop in np.linspace(n_steps / 2, n_steps, n_draws + 1).astype(int)[1:]:
            while walk.n_steps < stop:
                walk.step()
            hidden.append(walk.hidden > 0)
            output.append(walk.output > 0)
        self.hidden_ = kernels.pack(np.stack(hidden, axis=1).reshape(-1, signs.shape[1]))
        self.output_ = kernels.pack(np.stack(output, axis=1).reshape(-1, sizes[1]))
        self.acceptance_ = walk.n_kept / (n_steps * sizes[0])
        chains = self._scores(signs).T.reshape(sizes[0], n_draws, -1).swapaxes(0, 1)
        self.rhat_ = float(split_rhat(chains).max())
        return self

    def sample_y(
        self, X: Table, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Choose networks, and say what they answer.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_rows, n_features)
            Samples.
        n_samples : int, default=1
            Number of networks, at most ``n_walks * n_draws``.
        random_state : None, int or RandomState, default=0
            Which ones.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_samples)
            Their answers.

        Raises
        ------
        TypeError, ValueError
            If there are not so many networks.
        """
        check_is_fitted(self)
        n_samples = check_integer(n_samples, "n_samples", low=1, high=self.output_.n_rows)
        chosen = check_random_state(random_state).permutation(self.output_.n_rows)[:n_samples]
        return self._answers(X)[:, chosen]

    def predict(
        self, X: Table, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Compute the mean of the answers of all networks, and how far they, or new targets, are from it.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return standard deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new targets, or of the answers.

        Returns
        -------
        mean : ndarray of float64, shape (n_samples,)
            Means.
        std : ndarray of float64, shape (n_samples,)
            Standard deviations, if asked for.
        """
        answers = self._answers(X)
        mean = answers.mean(axis=1)
        if not return_std:
            return mean
        return mean, np.sqrt(answers.var(axis=1) + with_noise * self.noise_ * self.target_std_**2)

    def network(self, number: int) -> Network:
        """Return one of the networks, as the rest of the package knows them.

        Parameters
        ----------
        number : int
            Which one.

        Returns
        -------
        Network
            Its score is the answer, standardised, times the root of the width. Constant inputs come last.

        Raises
        ------
        TypeError, ValueError
            If there is no such network.
        """
        check_is_fitted(self)
        number = check_integer(number, "number", low=0, high=self.output_.n_rows - 1)
        width = self.output_.n_bits
        hidden = BooleanLinear(self.hidden_.n_bits, width, random_state=0, name="hidden")
        output = BooleanLinear(width, 1, random_state=0, name="output")
        hidden.weight.bits.words[:] = self.hidden_.words[number * width : (number + 1) * width]
        output.weight.bits.words[:] = self.output_.words[number : number + 1]
        layers = [hidden, Threshold(width, self.hidden_.n_bits, 1), output]
        return Network(layers, SquaredError(width), BooleanOptimizer())

    def _with_constants(self, signs: np.ndarray) -> np.ndarray:
        n_constants = round(self.offset_spread**2 * signs.shape[1])
        return np.hstack([signs, np.ones((len(signs), n_constants), np.int8)])

    def _answers(self, X: Any) -> np.ndarray:
        """Compute what each network answers, (n_samples, n_networks)."""
        scores = self._scores(self._with_constants(self._signs(X)))
        return self.target_mean_ + self.target_std_ * scores

    def _scores(self, signs: np.ndarray) -> np.ndarray:
        """Compute the standard scores of each network, (n_samples, n_networks)."""
        together = max(1, _TOGETHER // self.hidden_.n_rows)
        parts = [self._scores_of(signs[i : i + together]) for i in range(0, len(signs), together)]
        return np.concatenate(parts)

    def _scores_of(self, signs: np.ndarray) -> np.ndarray:
        """Compute the scores of a few samples, whose activations fit into memory."""
        activations = kernels.gate_sum(kernels.pack(signs), self.hidden_) >= 0
        hidden = activations.reshape(len(signs), *self.output_.shape)
        agreements = (hidden == kernels.unpack(self.output_)).sum(axis=2)
        width = self.output_.n_bits
        return (2 * agreements - width) / np.sqrt(width)


class Walk:
    """All networks, side by side, on their way through their bits.

    Parameters
    ----------
    signs : ndarray of int8, shape (n_samples, n_inputs)
        Samples.
    targets : ndarray of float64, shape (n_samples,)
        Standard targets.
    noise : float
        Variance of the noise.
    sizes : sequence of int
        Number of networks, and their width.
    random : RandomState
        Where everything comes from.
    """

    def __init__(
        self,
        signs: np.ndarray,
        targets: np.ndarray,
        noise: float,
        sizes: list[int],
        random: np.random.RandomState,
    ) -> None:
        n_networks, width = sizes
        n_inputs = signs.shape[1]
        self.random, self.noise, self.n_kept, self.n_steps = random, noise, 0, 0
        self.inputs = np.ascontiguousarray(signs.T, np.int32)
        self.hidden = _coins(random, n_networks, width, n_inputs)
        self.output = _coins(random, n_networks, width)
        self.sums = self.hidden.astype(np.int32) @ self.inputs
        scores = np.einsum("kmb,km->kb", _signs_of(self.sums), self.output.astype(np.int64))
        self.rest = scores / np.sqrt(width) - targets
        self.networks = np.arange(n_networks)
        self.unit = 2 / np.sqrt(width)

    def step(self) -> None:
        """Offer one bit of each network a flip."""
        k = self.networks
        n_networks, width, n_inputs = self.hidden.shape
        unit, number = np.divmod(self.random.randint(width * (n_inputs + 1), size=n_networks), n_inputs + 1)
        is_output = number == n_inputs  # the last bit of a unit is its weight in the score
        column = np.where(is_output, 0, number)
        before = self.sums[k, unit]
        turn = np.where(is_output, 0, -2 * self.hidden[k, unit, column].astype(np.int32))
        after = before + turn[:, None] * self.inputs[column]
        sign = self.output[k, unit].astype(np.int32)
        # in units of 2 / sqrt(width): a unit that turns, or whose weight does, moves the score by one
        moved = sign[:, None] * np.where(is_output[:, None], -_signs_of(before), (after >= 0) - 1 * (before >= 0))
        change = self.unit * moved
        rise = (change * (2 * self.rest + change)).sum(axis=1) / (2 * self.noise)
        kept = np.log1p(-self.random.random_sample(n_networks)) < -rise
        self.rest[kept] += change[kept]
        self.sums[k[kept], unit[kept]] = after[kept]
        turned = kept & ~is_output
        self.hidden[k[turned], unit[turned], column[turned]] *= -1
        turned = kept & is_output
        self.output[k[turned], unit[turned]] *= -1
        self.n_kept += int(kept.sum())
        self.n_steps += 1


def _coins(random: np.random.RandomState, *shape: int) -> np.ndarray:
    return (2 * random.randint(2, size=shape) - 1).astype(np.int8)


def _signs_of(sums: np.ndarray) -> np.ndarray:
    return np.where(sums >= 0, 1, -1)
