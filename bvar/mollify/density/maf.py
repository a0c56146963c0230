"""MAF: a normalising flow of masked autoregressions, quick to score and slow to sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar._validation import check_choice, check_integer, check_sizes
from bvar.mollify.density.base import DensityEstimator
from bvar.mollify.density.flow_layers import FlowBatchNorm, FlowLayer, MaskedAutoregression, Reverse
from bvar.mollify.density.models import Flow
from bvar.mollify.schedules import Schedule

__all__ = ["MAFDensity"]


class MAFDensity(DensityEstimator):
    """A density by a masked autoregressive flow, trained by maximum likelihood.

    A block normalises each feature by a mean and a scale computed from those before it, ``y_i = (x_i - m_i)
    exp(-a_i)``, then comes a batch norm, and the order is reversed. The density is exact. A sample takes one
    pass through the networks for each feature (Papamakarios et al. 2017; architecture of Tran et al., NeurIPS
    2023, read in code). The density of one feature alone is a normal one.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        Widths of the hidden layers of a block.
    n_blocks : int, default=5
        Number of blocks.
    activation : {'tanh', 'relu'}, default='tanh'
        What follows hidden layers. With 'relu', as in the papers, log-scales grow without bound far from the data;
        one outlier can then decide the mean log density.
    learning_rate : float, default=1e-3
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
    model_ : Flow
        The trained model, on standardised data.
    scaler_ : sklearn.preprocessing.StandardScaler
        What standardises.
    history_ : dict of list
        For each epoch: 'loss' (minus the mean log density of standardised training data as they were seen),
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
    RealNVPDensity : Quick to sample.
    VAEDensity : With latent variables, and a bound in place of the density.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.mollify import MAFDensity
    >>> X = np.random.RandomState(0).randn(500, 3).cumsum(axis=1)
    >>> model = MAFDensity((16,), n_blocks=2, max_iter=50, random_state=0).fit(X)
    >>> truth = -1.5 * np.log(2 * np.pi) - 1.5
    >>> bool(abs(model.score(X) - truth) < 0.1)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64),
        *,
        n_blocks: int = 5,
        activation: str = "tanh",
        learning_rate: float = 1e-3,
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
        self.n_blocks = n_blocks
        self.activation = activation
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

    def _make_model(self, n_features: int, random: np.random.RandomState) -> Flow:
        hidden = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1)
        activation = check_choice(self.activation, "activation", ("tanh", "relu"))
        layers: list[FlowLayer] = []
        for _ in range(check_integer(self.n_blocks, "n_blocks", low=1)):
            autoregression = MaskedAutoregression(n_features, hidden, activation, random)
            layers += [autoregression, FlowBatchNorm(n_features), Reverse()]
        return Flow(layers, n_features)
