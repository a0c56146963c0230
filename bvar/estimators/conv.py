"""The classifier of images, with convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bvar.augmentation.changes import Change
from bvar.augmentation.learned import LearnedAugmentation
from bvar.encoding import BitEncoder
from bvar.estimators.image_recipes import Convolutions
from bvar.estimators.images import ImageClassifier
from bvar.estimators.recipes import Recipe
from bvar.mollify import Mollifier
from bvar.networks.losses import Loss
from bvar.training.callbacks import Callback

__all__ = ["BooleanConvClassifier"]


class BooleanConvClassifier(ImageClassifier):
    """A convolutional network of single bits, trained in logic, that tells classes of images apart.

    Every weight and every activation is one bit, the first and the last layer included.

    Parameters
    ----------
    conv_layers : sequence of int or 'M', default=(64, 'M', 128, 'M')
        Numbers of filters of each convolution, and 'M' for a max-pool of two by two behind one.
    hidden_layer_sizes : int or sequence of int, default=(512,)
        Numbers of units of the linear layers between the last convolution and the scores.
    kernel_size : int, default=3
        Taps of each window in both directions, odd.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of images that come flat, one row each; one number may be -1
        and is then found from the number of features. Default: the shape of the images, if `X` has three or four
        dimensions, else a square of one channel.
    encoder : BitEncoder, optional
        Turns flat images into bits, the same number for every pixel; cloned and fitted in `fit`. Default: a
        :class:`bvar.encoding.ImageEncoder` with four bits for each channel.
    eta : float, default=10.0
        Accumulation factor of the optimizer, see :class:`bvar.networks.BooleanOptimizer`.
    temperature : float, default=2.0
        Temperature of the usual loss, see :class:`bvar.networks.CrossEntropy`.
    loss : Loss or callable, optional
        What training lowers: a :class:`bvar.networks.Loss`, or a class or function that makes one for the number
        of terms of a score. Default: cross-entropy, of classes or of labels, at `temperature`.
    flip_noise : float, default=0.0
        Probability with which each bit of an encoded training image is flipped, anew in each epoch; in steps of
        1/64, at most 0.5.
    augment : augmentation, sequence of augmentations or LearnedAugmentation, optional
        Changes of images from :mod:`bvar.training`, made anew in each epoch before the samples become bits,
        and before they are degraded, or transforms of :mod:`bvar.augmentation`, whose strength is learnt; they
        get images of shape `image_shape_`. The model does not depend on the backend.
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
    image_shape_ : tuple of int
        (height, width, channels) of the images.
    n_features_in_ : int
        Number of values of an image.
    feature_names_in_ : ndarray of str
        Their names, if they were flat and had any.

    See Also
    --------
    BooleanClassifier : For tables, and for images without convolutions.
    bvar.networks.conv_network : The network alone, for training loops of one's own.

    Notes
    -----
    A flat row lists the image row by row, pixel by pixel, channel by channel, as NumPy's ``reshape`` does.  NaN is
    a legal value: it becomes the 0 of three-valued logic, which contributes nothing and learns nothing.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, arXiv:2405.16339.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from bvar import BooleanConvClassifier
    >>> digits = load_digits()
    >>> X_train, X_test, y_train, y_test = train_test_split(digits.images, digits.target, random_state=0)
    >>> model = BooleanConvClassifier((32, "M"), (128,), max_iter=5, random_state=0).fit(X_train, y_train)
    >>> model.image_shape_
    (8, 8, 1)
    >>> bool(model.score(X_test, y_test) > 0.9)
    True
    """

    def __init__(
        self,
        conv_layers: Sequence[int | str] = (64, "M", 128, "M"),
        hidden_layer_sizes: int | Sequence[int] = (512,),
        *,
        kernel_size: int = 3,
        image_shape: Sequence[int] | None = None,
        encoder: BitEncoder | None = None,
        eta: float = 10.0,
        temperature: float = 2.0,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kernel_size = kernel_size
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
        shape = getattr(self, "image_shape_", None)
        return Convolutions(self.conv_layers, self.hidden_layer_sizes, self.kernel_size, self.eta, shape)
