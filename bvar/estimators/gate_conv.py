"""The classifier of images that is a circuit: convolutions of logic gates, layers of gates, and a count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bvar.augmentation.changes import Change
from bvar.augmentation.learned import LearnedAugmentation
from bvar.encoding import BitEncoder
from bvar.estimators.circuits import HasCircuit
from bvar.estimators.image_recipes import GateConvolutions
from bvar.estimators.images import ImageClassifier
from bvar.estimators.recipes import Recipe, Wires
from bvar.mollify import Mollifier
from bvar.networks.losses import Loss
from bvar.training.callbacks import Callback

__all__ = ["LogicGateConvClassifier"]


class LogicGateConvClassifier(HasCircuit, ImageClassifier):
    """A network of logic gates that tells classes of images apart, with the same gates at every place.

    Trees of gates slide over the images. Behind them are or-pools, layers of gates, and for each class a count.
    A table that all places share is moved by votes that each sample divides by how often it looked, see
    :doc:`/explanation/logic-gates`.
    Signals and votes are integers all the way down, and the whole can be taken out as a circuit.

    Parameters
    ----------
    conv_layers : sequence of int or 'M', default=(32, 'M', 64, 'M')
        Numbers of trees at each place, and 'M' for an or-pool behind them.
    layer_sizes : int or sequence of int, default=(8000, 4000)
        Numbers of gates of the layers between the last convolution and the scores; the last is rounded up to a
        multiple of the number of classes.
    kernel_size : int or sequence of int, default=3
        Taps of each window in both directions, odd; of all convolutions or of each.
    depth : int, default=1
        Levels of gates in each tree, see :class:`bvar.layers.GateConv2d`.
    fan_in : int, default=6
        Wires of each gate of a tree, 1 to 6.
    head_fan_in : int, default=2
        Wires of each gate behind the trees, 1 to 6.
    head_wiring : {'random', 'learnt'}, default='learnt'
        Whether these wires stay, or choose among candidates by votes, see :doc:`/explanation/learnt-wires`.
    head_candidates : int, default=8
        Candidates of each of them, 1 to 64.
    skip : bool, default=True
        Whether the gates behind the trees read pixels and all convolutions, or the last one only.
    literals : int, optional
        Trees begin as conjunctions of as many wires at most, see :class:`bvar.layers.GateConv2d`. Default: as
        copies of their first.
    comparisons : int, optional
        In place of that, trees of the first convolution begin as conjunctions of as many comparisons of two pixels
        at most, 1 to 3, with a level of the encoder between them, see :func:`bvar.layers.random_comparisons`;
        needs `depth` 2 and `fan_in` 6.
    fixed_trees : bool, default=False
        Whether trees stay as they begin, so that only what is behind them learns.
    pool_size : int, default=2
        Pixels on a side of the square of an or-pool, 1 to 6.
    damping : int, default=1
        What votes on the tables of trees are divided by, see :func:`bvar.networks.gate_conv_network`.
    image_shape : tuple of int, optional
        As for :class:`BooleanConvClassifier`.
    encoder : BitEncoder, optional
        Turns flat images into bits, the same number for every pixel; cloned and fitted in `fit`. Default: a
        :class:`bvar.encoding.ImageEncoder` with four bits for each channel.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`.
    temperature : float, default=1.0
        Temperature of the usual loss, see :class:`bvar.networks.CrossEntropy`; the unit is the spread of a group.
    loss : Loss or callable, optional
        What training lowers: a :class:`bvar.networks.Loss`, or a class or function that makes one for the number
        of terms of a score. Default: cross-entropy, of classes or of labels, at `temperature`.
    flip_noise : float or 'auto', default=0.0
        Probability with which each bit of an encoded training image is flipped, anew in each epoch; in steps of
        1/64, at most 0.5. 'auto' is a 64th for each eight numbers and hundred bits of an image, at most an
        eighth, and 0 for 10,000 images or more.
    augment : augmentation, sequence of augmentations or LearnedAugmentation, optional
        Changes of images from :mod:`bvar.training`, or of :mod:`bvar.augmentation` and learnt, made anew in each
        epoch before the samples become bits, and before they are degraded; they get images of shape
        `image_shape_`. The model does not depend on the backend.
    mollifier : bvar.mollify.Mollifier, optional
        Degrades the numbers of each sample by noise or blur before they become bits, anew in each epoch, and
        softens its class accordingly. The model does not depend on the backend; across machines it depends on
        the elementary functions of NumPy and SciPy.
    max_iter : int, default=20
        Number of epochs, at most.
    batch_size : int or 'auto', default='auto'
        Samples of a training step. 'auto' is 100, or fewer for small data: a fiftieth of the samples, at least 10.
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
    image_shape_ : tuple of int
        (height, width, channels) of the images.
    n_features_in_ : int
        Number of values of an image.
    feature_names_in_ : ndarray of str
        Their names, if they were flat and had any.

    See Also
    --------
    LogicGateClassifier : Without convolutions.
    BooleanConvClassifier : Convolutions that sum; usually more accurate, and larger.
    bvar.circuit.Circuit : What :meth:`circuit` returns: to simplify, draw, print and export.
    bvar.networks.gate_conv_network : The network alone, for training loops of one's own.

    Notes
    -----
    A flat row lists the image row by row, pixel by pixel, channel by channel, as NumPy's ``reshape`` does. A truth
    table has no entry for a missing value: NaN answers F to every question of the encoder. A circuit has a gate
    for each at every place, so it is many times as large as the tables that are trained.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from bvar import LogicGateConvClassifier
    >>> digits = load_digits()
    >>> X_train, X_test, y_train, y_test = train_test_split(digits.images, digits.target, random_state=0)
    >>> model = LogicGateConvClassifier((16, "M"), (1000, 500), max_iter=10, random_state=0).fit(X_train, y_train)
    >>> model.image_shape_
    (8, 8, 1)
    >>> bool(model.score(X_test, y_test) > 0.85)
    True
    """

    def __init__(
        self,
        conv_layers: Sequence[int | str] = (32, "M", 64, "M"),
        layer_sizes: int | Sequence[int] = (8000, 4000),
        *,
        kernel_size: int | Sequence[int] = 3,
        depth: int = 1,
        fan_in: int = 6,
        head_fan_in: int = 2,
        head_wiring: Literal["random", "learnt"] = "learnt",
        head_candidates: int = 8,
        skip: bool = True,
        literals: int | None = None,
        comparisons: int | None = None,
        fixed_trees: bool = False,
        pool_size: int = 2,
        damping: int = 1,
        image_shape: Sequence[int] | None = None,
        encoder: BitEncoder | None = None,
        eta: float = 10.0,
        temperature: float = 1.0,
        loss: Loss | Callable[[int], Loss] | None = None,
        flip_noise: float | Literal["auto"] = 0.0,
        augment: Change | Sequence[Change] | LearnedAugmentation | None = None,
        mollifier: Mollifier | None = None,
        max_iter: int = 20,
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
        self.conv_layers = conv_layers
        self.layer_sizes = layer_sizes
        self.kernel_size = kernel_size
        self.depth = depth
        self.fan_in = fan_in
        self.head_fan_in = head_fan_in
        self.head_wiring = head_wiring
        self.head_candidates = head_candidates
        self.skip = skip
        self.literals = literals
        self.comparisons = comparisons
        self.fixed_trees = fixed_trees
        self.pool_size = pool_size
        self.damping = damping
        self.image_shape = image_shape
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
        return GateConvolutions(
            self.layer_sizes,
            self.fan_in,
            self.eta,
            Wires(self.head_wiring, self.head_candidates),
            conv_layers=self.conv_layers,
            kernel_size=self.kernel_size,
            depth=self.depth,
            head_fan_in=self.head_fan_in,
            skip=self.skip,
            literals=self.literals,
            comparisons=self.comparisons,
            fixed_trees=self.fixed_trees,
            pool_size=self.pool_size,
            damping=self.damping,
            image_shape=getattr(self, "image_shape_", None),
        )
