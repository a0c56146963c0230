"""What the estimators share: parameters, encoding, the training loop, early stopping.

An estimator is an encoder and a network of :mod:`bvar.networks`, trained by minibatches.  Everything that
decides which model comes out is an integer or an elementwise operation on floats, so `random_state` fixes the
model bit for bit, whatever the backend and the number of threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import prod
from os import PathLike
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from bvar import backends
from bvar._validation import check_integer, check_real, check_sizes
from bvar.bits import BitMatrix
from bvar.bits.random import RandomWords
from bvar.encoding import BitEncoder, TableEncoder
from bvar.layers import BooleanLinear
from bvar.networks.losses import FULL_WEIGHT, Loss
from bvar.networks.mlp import boolean_mlp
from bvar.networks.network import Network
from bvar.networks.votes import Votes
from bvar.training.data import BestNetwork, TrainingData, audible, empty_history, rows_of, train_epoch
from bvar.training.fresh import FreshData
from bvar.training.progress import Progress

__all__ = ["BooleanNetworkEstimator", "MultilayerEstimator"]

_CHUNK = 4096  # samples encoded and scored at a time


class BooleanNetworkEstimator(BaseEstimator, ABC):
    """A Boolean network behind scikit-learn's interface; subclasses say what the targets are."""

    @abstractmethod
    def _learn_targets(self, y: Any) -> None:
        """Remember what targets mean (classes, means), from all targets of a first fit."""

    @abstractmethod
    def _encode_targets(self, y: Any) -> np.ndarray:
        """Turn targets into the integers that the loss wants."""

    @abstractmethod
    def _n_outputs(self) -> int:
        """Return the number of scores that the targets need."""

    @abstractmethod
    def _make_loss(self, fan_in: int) -> Loss:
        """Return the loss for scores of `fan_in` terms."""

    @abstractmethod
    def _mean_score(self, seen: Votes, targets: np.ndarray) -> float:
        """Score the training samples as they were seen during an epoch."""

    # ------------------------------------------------------------------------------- the model

    def save(self, path: str | PathLike[str], *, training_state: bool = False) -> None:
        """Write the fitted model to a file that any language can read; see :mod:`bvar.model_file`.

        Parameters
        ----------
        path : str or path-like
            The file; one that is there is replaced, or left as it was if writing fails.
        training_state : bool, default=False
            Whether to save the accumulators of the optimizer too, 32 bits for each weight, so that training
            can go on where it stopped.
        """
        from bvar import model_file  # it knows the estimators, so they may know it only late

        model_file.save(self, path, training_state=training_state)

    def summary(self) -> str:
        """Describe the fitted model.

        Returns
        -------
        str
            A table of the layers with their shapes, weights and bytes, for people to read.
        """
        check_is_fitted(self, "network_")
        encoder = f"{self.n_features_in_} features -> {self.encoder_.n_bits_out_} bits"
        return f"{type(self).__name__}: {type(self.encoder_).__name__}, {encoder}\n{self.network_.summary()}"

    # ------------------------------------------------------------------------------- fitting

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Train from the start, or, with warm_start, from where the last fit ended."""
        goes_on = bool(self.warm_start) and hasattr(self, "network_")
        with self._unchanged_on_error(), self._backend():
            max_iter = check_integer(self.max_iter, "max_iter", low=1)
            self._check_parameters()
            self._check_architecture(self.network_ if goes_on else None)
            X, y, weights = self._check_training_data(X, y, sample_weight, reset=not goes_on)
            source = RandomWords(self.random_state)
            if not goes_on:
                for left_over in ("_source", "best_validation_score_"):
                    self.__dict__.pop(left_over, None)
                self._learn_targets(y)  # of all samples: the ones held out are of no other kind
            X, y, weights, held_out = self._hold_out(*audible(X, y, weights), source)
            if not goes_on:
                self._build(X, y, source)
            data = TrainingData(self._encode(X), self._encode_targets(y), weights)
            fresh = self._fresh(X, data)
        with self._backend():
            batch_size = self._batch_size(len(data))
            self.network_.start_schedule(self.eta, max_iter * -(-len(data) // batch_size))
            self._train(data, fresh, held_out, source, max_iter, batch_size)

    def _partial_fit(
        self, X: Any, y: Any, sample_weight: Any, learn_targets: Callable[[np.ndarray], None]
    ) -> None:
        """Take one step for each minibatch of the given samples, in their order, at constant eta."""
        first = not hasattr(self, "network_")
        with self._unchanged_on_error(), self._backend():
            if self.early_stopping:
                raise ValueError("early_stopping must be False for partial_fit, which holds no samples out")
            self._check_parameters()
            self._check_architecture(None if first else self.network_)
            X, y, weights = self._check_training_data(X, y, sample_weight, reset=first)
            if not hasattr(self, "_source"):  # one stream of noise through all calls
                self._source = RandomWords(self.random_state)
            if first:
                learn_targets(y)
            X, y, weights = audible(X, y, weights)
            if first:
                self._build(X, y, self._source)
                self.history_, self.n_iter_ = empty_history(), 0
            data = TrainingData(self._encode(X), self._encode_targets(y), weights)
        with self._backend():
            self.network_.start_schedule(self.eta, None)
            order, size = np.arange(len(data)), self._batch_size(len(data))
            batches = data.batches(order, size, self._sixty_fourths(*data.bits.shape), self._source)
            self._record(*train_epoch(self.network_, batches), data.targets)

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Take back every attribute set if something is refused: a fitted model stays the model it was."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _build(self, X: Any, y: np.ndarray, source: RandomWords) -> None:
        encoder = self._default_encoder() if self.encoder is None else clone(self.encoder)
        self.encoder_ = encoder.fit(X, y)
        self.network_ = self._make_network(self._encode(X[:1]).n_bits, source)

    @abstractmethod
    def _make_network(self, n_bits: int, source: RandomWords) -> Network:
        """Return an untrained network for `n_bits` encoded features."""

    @abstractmethod
    def _check_architecture(self, network: Network | None) -> None:
        """Check the parameters that shape the network, and that a network to go on with has that shape."""

    def _fresh(self, X: Any, data: TrainingData) -> FreshData | None:
        """Return what changes the samples in each epoch, if they are to be changed."""
        return None

    def _default_encoder(self) -> TableEncoder:
        """Spend about 1024 bits on the features: few deserve fine thresholds, many do with coarse ones."""
        return TableEncoder(n_bits=min(64, max(8, 1024 // self.n_features_in_)))

    def _train(
        self,
        data: TrainingData,
        fresh: FreshData | None,
        held_out: tuple[Any, Any] | None,
        source: RandomWords,
        max_iter: int,
        batch_size: int,
    ) -> None:
        self.history_, self.n_iter_ = empty_history(), 0
        best = BestNetwork(self.n_iter_no_change) if held_out else None
        progress = Progress(self.verbose, max_iter)
        try:
            for epoch in range(max_iter):
                if fresh is not None:
                    data = fresh.epoch(epoch / max_iter, source)
                order = source.permutation(len(data))
                batches = data.batches(order, batch_size, self._sixty_fourths(*data.bits.shape), source)
                seen, flips = train_epoch(self.network_, batches)
                if held_out is not None:
                    self.history_["validation_score"].append(float(self.score(*held_out)))
                self._record(seen, flips, data.targets)
                progress.epoch_ended(self.history_)
                over = best is not None and best.is_over(self.history_["validation_score"][-1], self.network_)
                # every callback is called, even if an early one asks to stop
                stop = [over, *(callback(self) for callback in _callbacks(self.callbacks))]
                if any(isinstance(s, bool | np.bool_) and s for s in stop):
                    break
        finally:  # also when a user interrupts: what was best is kept
            progress.close()
            if best is not None and best.network is not None:
                self.best_validation_score_ = best.score
                self.network_ = best.network

    def _record(self, seen: Votes, flips: np.ndarray, targets: np.ndarray) -> None:
        sizes = np.array([prod(p.shape) for p in self.network_.parameters])
        self.history_["loss"].append(seen.loss / seen.n_samples)
        self.history_["score"].append(self._mean_score(seen, targets))
        self.history_["flips"].append((flips / sizes).tolist())
        self.history_["beta"].append(list(self.network_.optimizer.beta))
        self.n_iter_ += 1

    def _hold_out(
        self, X: Any, y: np.ndarray, weights: np.ndarray | None, source: RandomWords
    ) -> tuple[Any, np.ndarray, np.ndarray | None, tuple[Any, Any] | None]:
        """Set validation samples aside if early stopping wants them."""
        if not self.early_stopping:
            return X, y, weights, None
        rows = np.arange(len(y))
        seed = int(source.words.random_raw()) >> 33  # what a RandomState accepts
        stratify = self._strata(y)
        try:
            train, test = train_test_split(
                rows, test_size=self.validation_fraction, random_state=seed, stratify=stratify
            )
        except ValueError as error:
            raise ValueError(f"early_stopping cannot set validation_fraction aside: {error}") from error
        if len(test) < 2:
            raise ValueError("early_stopping cannot set validation_fraction aside: one sample tells nothing")
        kept = None if weights is None else weights[train]
        return rows_of(X, train), y[train], kept, (rows_of(X, test), y[test])

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return what the validation split keeps in proportion."""
        return None

    # ------------------------------------------------------------------------------- checking

    def _check_samples(self, X: Any, *, reset: bool) -> Any:
        """Check shape and feature names; what the columns hold is the encoder's business."""
        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(self, X, reset=reset, dtype=None, accept_sparse="csr", ensure_all_finite="allow-nan")

    def _check_training_data(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool
    ) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Check samples, targets and weights."""
        X = self._check_samples(X, reset=reset)
        y = self._check_targets(y)
        check_consistent_length(X, y)
        return X, y, self._integer_weights(sample_weight, X, y)

    @abstractmethod
    def _check_targets(self, y: Any) -> np.ndarray:
        """Return the targets as an array, or say what is wrong with them."""

    def _check_parameters(self) -> None:
        check_real(self.eta, "eta", low=0)
        if isinstance(self.flip_noise, str):
            if self.flip_noise != "auto":
                raise ValueError(f"flip_noise must be a number in [0, 0.5] or 'auto', got {self.flip_noise!r}")
        elif check_real(self.flip_noise, "flip_noise", low=0) > 0.5:
            raise ValueError(f"flip_noise must be a number in [0, 0.5] or 'auto', got {self.flip_noise!r}")
        check_integer(self.n_threads, "n_threads", low=1)
        check_integer(self.n_iter_no_change, "n_iter_no_change", low=1)
        if not 0 < check_real(self.validation_fraction, "validation_fraction", low=0) < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction!r}")
        if isinstance(self.batch_size, str) and self.batch_size != "auto":
            raise ValueError(f"batch_size must be a positive integer or 'auto', got {self.batch_size!r}")
        if not isinstance(self.batch_size, str):
            check_integer(self.batch_size, "batch_size", low=1)
        for callback in _callbacks(self.callbacks):
            if not callable(callback):
                raise TypeError(f"callbacks must be callables, got {callback!r}")
        if self.encoder is not None and not isinstance(self.encoder, BitEncoder):
            raise TypeError(f"encoder must be one of bvar.encoding, got {self.encoder!r}")

    def _sixty_fourths(self, n_samples: int, n_bits: int) -> int:
        """Return the noise in the only steps that the random bits have.

        Noise on many features and bits averages out in a sum, noise on few destroys what they say: hence a 64th
        for each eight features and hundred bits, up to an eighth. It stands in for samples that are not there:
        many samples need half.
        """
        if self.flip_noise == "auto":
            strength = min(8, self.n_features_in_ // 8, n_bits // 100)
            return strength if n_samples < 10000 else strength // 2
        return round(64 * self.flip_noise)

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(100, max(10, n_samples // 50))
        return int(self.batch_size)

    def _integer_weights(self, sample_weight: Any, X: Any, y: np.ndarray) -> np.ndarray | None:
        """Scale weights to integers, the largest to FULL_WEIGHT; None stands for equal weights."""
        if sample_weight is None:
            return None
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        peak = weights.max(initial=0.0)
        if peak == 0:
            raise ValueError("sample_weight must have a positive entry")
        # a weight that is not zero stays so, however small
        return np.maximum(np.rint(weights / peak * FULL_WEIGHT), weights > 0).astype(np.int64)

    # ------------------------------------------------------------------------------- predicting

    def _predict(self, X: Any, answer: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Compute the integer scores of samples chunk by chunk, and keep only what `answer` makes of them."""
        check_is_fitted(self, "network_")
        X = self._check_samples(X, reset=False)
        with self._backend(record=False):
            return np.concatenate([answer(self.network_.scores(bits)) for bits in self._encode_blocks(X, _CHUNK)])

    def _encode(self, X: Any) -> BitMatrix:
        return self._legal(self.encoder_.encode(X))

    def _encode_blocks(self, X: Any, n_rows: int) -> Iterator[BitMatrix]:
        return map(self._legal, self.encoder_.encode_blocks(X, n_rows))

    def _legal(self, bits: BitMatrix) -> BitMatrix:
        """Make of encoded samples what the network takes."""
        return bits

    @contextmanager
    def _backend(self, *, record: bool = True) -> Iterator[None]:
        with backends.use(self.backend, n_threads=self.n_threads) as backend:
            if record:
                self.backend_ = backend.name
            yield

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a legal value and that sparse matrices are."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


class MultilayerEstimator(BooleanNetworkEstimator):
    """An estimator whose network is a stack of linear layers and thresholds."""

    def _make_network(self, n_bits: int, source: RandomWords) -> Network:
        sizes = [n_bits, *check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes"), self._n_outputs()]
        return boolean_mlp(sizes, eta=self.eta, loss=self._make_loss(sizes[-2]), random_state=source)

    def _check_architecture(self, network: Network | None) -> None:
        sizes = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        if network is None:
            return
        trained = [layer.n_outputs for layer in network.layers if isinstance(layer, BooleanLinear)][:-1]
        if sizes != trained:
            raise ValueError(
                f"hidden_layer_sizes {self.hidden_layer_sizes!r} is not that of the network to go on with, "
                f"{tuple(trained)}; warm_start=False starts anew"
            )


def _callbacks(callbacks: Any) -> list[Any]:
    """Return callbacks as a list; one alone will do."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
