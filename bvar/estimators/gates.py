"""The classifier that is a circuit: layers of logic gates and a count at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bvar.augmentation.changes import Change
from bvar.augmentation.learned import LearnedAugmentation
from bvar.encoding import BitEncoder
from bvar.estimators.architecture import FOR_GATES, Plan, is_auto
from bvar.estimators.circuits import HasCircuit
from bvar.estimators.classification import NetworkClassifier
from bvar.estimators.recipes import Gates, Recipe, Wires
from bvar.mollify import Mollifier
from bvar.networks.losses import Loss
from bvar.training.callbacks import Callback

__all__ = ["LogicGateClassifier"]

_LEAST_GATES = 4000  # of a layer
_GATES_PER_CLASS = 400  # in the last layer: a score of fewer is coarse


class LogicGateClassifier(HasCircuit, NetworkClassifier):
    """A network of logic gates that tells classes apart, and can be taken out as a circuit.

    Every neuron is a gate on a few wires; what is trained is its truth table. A class is scored by how many gates
    of its share of the last layer say T. The rule of training is exact: signals and votes are integers all the way
    down, with no relaxation and no surrogate.

    Parameters
    ----------
    layer_sizes : int, sequence of int or 'auto', default='auto'
        Number of gates of each layer; the last is rounded up to a multiple of the number of classes. 'auto' is two
        layers of 4000, the last of 400 for each class if that is more; the first reads the features evenly,
        however many bits each has, see :func:`bvar.layers.column_wires`.
    fan_in : int or 'auto', default='auto'
        Wires of each gate, 1 to 6. 'auto' is 4, and 2 where sizes are set by hand.
    wiring : {'random', 'learnt'}, default='random'
        Whether wires stay as they are drawn, or choose among `candidates` by votes, see
        :class:`bvar.layers.Choice`. Learnt ones take two to three times as long to train, and nothing more to use.
    candidates : int, default=8
        Units among which each learnt wire chooses, 1 to 64.
    pass_through : int, default=16
        Of 64 gates, how many copy their first wire in the beginning, on average; 64: all pass through.
    encoder : BitEncoder, optional
        Turns samples into bits; cloned and fitted in `fit`. Default: a :class:`bvar.encoding.TableEncoder`, as for
        :class:`BooleanClassifier`.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`.
    temperature : float or 'auto', default='auto'
        Temperature of the usual loss, see :class:`bvar.networks.CrossEntropy`; the unit is the spread of a group.
        'auto' is 1; unless sizes are set by hand, `predict_proba` then uses `probability_temperature_`, which a
        training on part of the samples finds, or, from 10000 on, the last one, without a tenth, at most 2000.
    loss : Loss or callable, optional
        What training lowers: a :class:`bvar.networks.Loss`, or a class or function that makes one for the number
        of terms of a score. Default: cross-entropy, of classes or of labels, at `temperature`.
    flip_noise : float or 'auto', default='auto'
        Probability with which each bit of an encoded training sample is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. Noise keeps a network from learning its samples by heart. 'auto' is 1/64 for each
        eight features or hundred bits, whichever is less, up to 1/8, and 0 from 10000 samples on.
    augment : augmentation, sequence of augmentations or LearnedAugmentation, optional
        Changes of images from :mod:`bvar.training`, made anew in each epoch before the samples become bits,
        and before they are degraded; or transforms of :mod:`bvar.augmentation`, whose strength is learnt. The
        model does not depend on the backend.
    mollifier : bvar.mollify.Mollifier, optional
        Degrades the numbers of each sample by noise or blur before they become bits, anew in each epoch, and
        softens its class accordingly. The model does not depend on the backend; across machines it depends on
        the elementary functions of NumPy and SciPy.
    max_iter : int or 'auto', default='auto'
        Number of epochs, at most. 'auto' is 20, and 50 where sizes are set by hand.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 32,
        and at least 10 where sizes are set by hand.
    class_weight : dict or 'balanced', optional
        Weights of classes, as everywhere in scikit-learn; multiplied with `sample_weight`.
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
        Seed of wires, initial tables, of the order of samples and of the validation split. An int gives the same
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
        'gates'; only where `layer_sizes` is 'auto'.
    held_out_losses_ : dict of int
        Losses of that plan on samples held out, in units of a 65536th; empty from 10000 samples on.
    n_held_out_ : int
        Number of samples held out.
    probability_temperature_ : float
        Temperature of `predict_proba`, found on samples held out; only where it was.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    See Also
    --------
    BooleanClassifier : Neurons that are sums; usually more accurate, and larger.
    bvar.circuit.Circuit : What :meth:`circuit` returns: to simplify, draw, print and export.
    bvar.networks.gate_network : The network alone, for training loops of one's own.

    Notes
    -----
    A truth table has no entry for a missing value: NaN answers F to every question of the encoder, as a number
    below all thresholds does, and as no category does.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from bvar import LogicGateClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = LogicGateClassifier((1000, 1000), max_iter=10, random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.85)
    True
    >>> model.circuit().n_gates < 2000
    True
    """

    def __init__(
        self,
        layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        *,
        fan_in: int | Literal["auto"] = "auto",
        wiring: Literal["random", "learnt"] = "random",
        candidates: int = 8,
        pass_through: int = 16,
        encoder: BitEncoder | None = None,
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
        self.layer_sizes = layer_sizes
        self.fan_in = fan_in
        self.wiring = wiring
        self.candidates = candidates
        self.pass_through = pass_through
        self.encoder = encoder
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
        sizes = plan.layer_sizes
        if is_auto(sizes):
            n_outputs = len(getattr(self, "classes_", ()))
            sizes = (_LEAST_GATES, max(_LEAST_GATES, _GATES_PER_CLASS * n_outputs))
        wires = Wires(self.wiring, self.candidates, by_column=is_auto(self.layer_sizes))
        return Gates(sizes, plan.fan_in, plan.eta, wires, self.pass_through)

    def _plans(self) -> dict[str, Plan]:
        return FOR_GATES if is_auto(self.layer_sizes) else {}
