"""VAE: a density with latent variables, known by a lower bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar._validation import check_choice, check_integer, check_sizes
from bvar.mollify.density.base import DensityEstimator
from bvar.mollify.density.models import VariationalAutoencoder
from bvar.mollify.schedules import Schedule

__all__ = ["VAEDensity"]


class VAEDensity(DensityEstimator):
    """A density by a variational autoencoder with a Gaussian decoder, its variances learnt.

    Training maximises the ELBO with one draw. `score_samples` gives the importance-weighted lower bound with
    `n_draws` draws, ``log(mean of p(x | z) p(z) / q(z | x))``: in expectation it is at most the log density, and
    rises towards it with the number of draws (Burda et al. 2016); with one draw it is an estimate of the ELBO. The
    draws are made in `fit`, so scores repeat; as all samples share them, errors do not average out over samples.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        Widths of the hidden layers of the encoder; the decoder has the same from last to first.
    n_components : int, default=4
        Number of latent variables.
    activation : {'relu', 'tanh'}, default='relu'
        What follows hidden layers.
    n_draws : int, default=16
        Draws of z for the bound.
    learning_rate : float, default=3e-3
        Size of a step of Adam.
    batch_size : int, default=100
        Samples of a training step, at least 2; a batch takes its share of what is left over.
    max_iter : int, default=100
        Number of epochs, at most.
    mollify : None, 'sigmoid', 'cosine', 'linear' or Schedule, default=None
        How noise on the standardised training data is taken away; None means that there is none. A schedule must
        end clean.
    mollified_fraction : float, default=0.6
        Share of the epochs that have noise, in (0, 1].
    early_stopping : bool, default=False
        Whether to set validation samples aside, to stop when their score no longer rises, and to keep the model
        that scored best on them. While there is noise, training never stops: the score is bound to rise.
    validation_fraction : float, default=0.1
        Share of the samples set aside.
    n_iter_no_change : int, default=10
        Epochs without a better validation score after which training stops.
    random_state : None, int or RandomState, default=None
        Seed of initial weights, of the order of samples, of the noise and of the validation split.
    verbose : bool or int, default=False
        Whether to print a line for each epoch.

    Attributes
    ----------
    model_ : VariationalAutoencoder
        The trained model, on standardised data.
    scaler_ : sklearn.preprocessing.StandardScaler
        What standardises.
    history_ : dict of list
        For each epoch: 'loss' (minus the mean ELBO of standardised training data as they were seen),
        'noise_fraction', and with early stopping 'validation_score'.
    n_iter_ : int
        Number of epochs run.
    best_iter_ : int
        Epoch of the model kept, from 1; only with early stopping.
    best_validation_score_ : float
        Its validation score; only with early stopping.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    RealNVPDensity, MAFDensity : Exact densities.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.mollify import VAEDensity
    >>> X = np.random.RandomState(0).randn(500, 1) @ np.ones((1, 5)) + np.random.RandomState(1).randn(500, 5) / 3
    >>> model = VAEDensity((32,), n_components=1, max_iter=100, random_state=0).fit(X)
    >>> S = np.full((5, 5), 1.0) + np.eye(5) / 9
    >>> truth = -0.5 * (5 * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + 5)
    >>> bool(truth - 0.2 < model.score(X) < truth + 0.05)  # a bound
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64),
        *,
        n_components: int = 4,
        activation: str = "relu",
        n_draws: int = 16,
        learning_rate: float = 3e-3,
        batch_size: int = 100,
        max_iter: int = 100,
        mollify: str | Schedule | None = None,
        mollified_fraction: float = 0.6,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_components = n_components
        self.activation = activation
        self.n_draws = n_draws
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.mollify = mollify
        self.mollified_fraction = mollified_fraction
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def _make_model(self, n_features: int, random: np.random.RandomState) -> VariationalAutoencoder:
        return VariationalAutoencoder(
            n_features,
            check_integer(self.n_components, "n_components", low=1),
            check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1),
            check_choice(self.activation, "activation", ("relu", "tanh")),
            check_integer(self.n_draws, "n_draws", low=1),
            random,
        )
