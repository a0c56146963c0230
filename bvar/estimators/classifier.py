"""The classifier with linear layers and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bvar.augmentation.changes import Change
from bvar.augmentation.learned import LearnedAugmentation
from bvar.encoding import BitEncoder
from bvar.estimators.architecture import FOR_CLASSES, FOR_MONOTONE_CLASSES, Plan, is_auto
from bvar.estimators.classification import NetworkClassifier
from bvar.estimators.monotone import Monotone
from bvar.estimators.recipes import Recipe, Sums
from bvar.mollify import Mollifier
from bvar.networks.losses import Loss
from bvar.training.callbacks import Callback

__all__ = ["BooleanClassifier"]


class BooleanClassifier(NetworkClassifier):
    """A neural network of single bits, trained in logic, that tells classes apart.

    Every weight and every activation is one bit, the first and the last layer included; training flips bits
    by counting votes, with no gradient; beside each weight it keeps 16 bits of evidence.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Number of units of each hidden layer. 'auto' lets `fit` choose between plans, all of 20 epochs: 'small' has
        1000 gates on two wires before 256 sums, and temperature 4; 'large', for 200 samples or more, 1000 gates on
        four wires before 512 sums, and 'deep', from 5000 on, 2000 such gates before two layers of 512, both at
        temperature 2. Each is tried on a fifth of the samples, but 4000 to 16000, and taken over smaller ones if
        its losses, on at most 2000 others, are less by more than chance; none is tried after one
        that loses next to nothing. What is set by hand holds for all.
    gates : int or 'auto', default='auto'
        Number of gates in front of the sums, see :func:`bvar.networks.front_network`; 0 for none. 'auto' is 0
        where sizes are set by hand.
    fan_in : int or 'auto', default='auto'
        Wires of each of these gates, 1 to 6; they read the features evenly, however many bits each has, see
        :func:`bvar.layers.column_wires`. 'auto' is 2 where sizes are set by hand.
    offsets : bool or 'auto', default='auto'
        Whether sums learn thresholds, see :class:`bvar.layers.Offset`. 'auto' is whether there are gates.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`, which
        takes numbers, categories and missing values, with 8 to 64 bits for a number, fewer the more features.
    monotonic_cst : array-like of int, shape (n_features,), or dict of str to int, optional
        For each feature 1 where the score may only rise with it, -1 where it may only fall, 0 where it may do
        both; or a dict of those by name that are not 0. There must be two classes, and the score is that of the
        second. This holds for all rows, by the proof in :doc:`/explanation/monotone`.
        `encoder` must then be None or a :class:`bvar.encoding.TableEncoder`, and `gates`, `offsets`, `loss` and
        `mollifier` be left alone.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`.
    temperature : float or 'auto', default='auto'
        Temperature of the usual loss, see :class:`bvar.networks.CrossEntropy`. 'auto' is that of the plan, and
        1 where sizes are set by hand; if there was a choice, `predict_proba` then uses `probability_temperature_`.
    loss : Loss or callable, optional
        What training lowers: a :class:`bvar.networks.Loss`, or a class or function that makes one for the number
        of terms of a score. Default: cross-entropy, of classes or of labels, at `temperature`.
    flip_noise : float or 'auto', default='auto'
        Probability with which each bit of an encoded training sample is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. Noise keeps a network from learning its samples by heart. 'auto' is 0 for a plan
        that `fit` chose; where sizes are set by hand it is 1/64 for each
        eight features or hundred bits, whichever is less, up to 1/8, and half of that from 10000 samples on.
    augment : augmentation, sequence of augmentations or LearnedAugmentation, optional
        Changes of images from :mod:`bvar.training`, made anew in each epoch before the samples become bits,
        and before they are degraded; or transforms of :mod:`bvar.augmentation`, whose strength is learnt. The
        model does not depend on the backend.
    mollifier : bvar.mollify.Mollifier, optional
        Degrades the numbers of each sample by noise or blur before they become bits, anew in each epoch, and
        softens its class accordingly. The model does not depend on the backend; across machines it depends on
        the elementary functions of NumPy and SciPy.
    max_iter : int or 'auto', default='auto'
        Number of epochs, at most. 'auto' is that of the plan, and 50 where sizes are set by hand.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 64
        in the small plan, 32 in the large one, and 10 else.
    class_weight : dict or 'balanced', optional
        Weights of classes, as everywhere in scikit-learn; multiplied with `sample_weight`. Where weights differ
        and `fit` chose the plan, scores are shifted by what samples held out say.
    early_stopping : bool, default=False
        Whether to set validation samples aside, to stop when their score no longer rises, and to keep the
        network that scored best on them.
    validation_fraction : float, default=0.1
        Share of the samples set aside.
    n_iter_no_change : int, default=10
        Epochs without a better validation score after which training stops.
    warm_start : bool, default=False
        Whether `fit` goes on from the network of the last `fit`, with its encoder, its loss and its temperature:
        changes of these are not heard, and other sizes are refused.
    random_state : None, int or RandomState, default=None
        Seed of initial weights, of the order of samples and of the validation split. An int gives the same
        model every time, on every backend and machine.
    verbose : bool or int, default=False
        Whether to show progress: a bar in a terminal or notebook with tqdm, else a line for each epoch, as 2 does
        everywhere.
    callbacks : callable or sequence of callable, optional
        Called with the estimator after each epoch; one that returns True ends the training.
    backend : str, optional
        Which backend computes, see :func:`bvar.backends.use`. Default: the one in force.
    n_threads : int, default=1
        Threads that compiled kernels may use; the model does not depend on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multi-label targets the numbers of the labels.
    multilabel_ : bool
        Whether the targets were a matrix of labels.
    target_names_ : ndarray of str, shape (n_labels,)
        Names of the labels, if they came as a frame with names; `predict` gives columns in this order.
    encoder_ : transformer
        The fitted encoder.
    network_ : bvar.networks.Network
        The trained network.
    history_ : dict of list
        For each epoch: 'loss' and 'score' (mean loss and accuracy on the training data while it was being
        learnt), 'validation_score' (on samples held out, or given as `X_val`; else empty) and then
        'validation_loss', 'flips' (share of weights flipped, a list with an entry for each parameter) and 'beta'
        (plasticity, likewise).
    augmentation_ : bvar.augmentation.LearnedAugmentation
        What was learnt of `augment`; only where it is of that class.
    n_iter_ : int
        Number of epochs run.
    best_validation_score_ : float
        Validation score of the network kept; only with early stopping.
    backend_ : str
        Name of the backend that trained the model.
    plan_ : str
        Name of the plan chosen, see `hidden_layer_sizes`; only where there was something to choose.
    held_out_losses_ : dict of int
        Losses of each plan that was tried, on samples held out, at the temperature that suits them, weighted; in
        units of a 65536th.
    n_held_out_ : int
        Number of these samples.
    probability_temperature_ : float
        Temperature of `predict_proba`, found on samples held out; only where it was.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    BooleanRegressor : The same for numbers.
    bvar.networks.boolean_mlp : The network alone, for training loops of one's own.

    Notes
    -----
    NaN is a legal value: it becomes the 0 of three-valued logic, which contributes nothing and learns nothing.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, arXiv:2405.16339.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from bvar import BooleanClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = BooleanClassifier(max_iter=5, random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.9)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        *,
        gates: int | Literal["auto"] = "auto",
        fan_in: int | Literal["auto"] = "auto",
        offsets: bool | Literal["auto"] = "auto",
        encoder: BitEncoder | None = None,
        monotonic_cst: ArrayLike | Mapping[str, int] | None = None,
        eta: float = 10.0,
        temperature: float | Literal["auto"] = "auto",
        loss: Loss | Callable[[int], Loss] | None = None,
        flip_noise: float | Literal["auto"] = "auto",
        augment: Change | Sequence[Change] | LearnedAugmentation | None = None,
        mollifier: Mollifier | None = None,
        max_iter: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = False,
        callbacks: Callback | Sequence[Callback] | None = None,
        backend: str | None = None,
        n_threads: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.gates = gates
        self.fan_in = fan_in
        self.offsets = offsets
        self.encoder = encoder
        self.monotonic_cst = monotonic_cst
        self.eta = eta
        self.temperature = temperature
        self.loss = loss
        self.flip_noise = flip_noise
        self.augment = augment
        self.mollifier = mollifier
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks
        self.backend = backend
        self.n_threads = n_threads

    def _recipe(self) -> Recipe:
        plan = self._plan()
        if self.monotonic_cst is not None:
            return Monotone(plan.hidden_layer_sizes, plan.eta)
        return Sums(plan.hidden_layer_sizes, plan.eta, plan.gates, plan.fan_in, plan.has_offsets)

    def _plans(self) -> dict[str, Plan]:
        plans = FOR_CLASSES if self.monotonic_cst is None else FOR_MONOTONE_CLASSES
        return plans if is_auto(self.hidden_layer_sizes) else {}
