"""What a fitted model does: it answers, describes itself, and turns into a file, a predictor or C."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from bvar import backends, model_file
from bvar.bits import BitMatrix
from bvar.encoding import BitEncoder
from bvar.estimators.card import model_card
from bvar.estimators.choosing import ChoosingEstimator
from bvar.estimators.predictor import Answers, Predictor
from bvar.estimators.recipes import Recipe
from bvar.export import Best, CSource, network_to_c, network_to_onnx
from bvar.networks.inference import Inference
from bvar.networks.network import Network

__all__ = ["FittedModel"]

_CHUNK = 4096  # samples encoded and scored at a time


class FittedModel(ChoosingEstimator):
    """What is done with an encoder and a network, once `fit` has made them."""

    encoder_: BitEncoder
    network_: Network
    target_names_: np.ndarray
    n_features_in_: int
    backend: str | None
    n_threads: int

    @abstractmethod
    def _recipe(self) -> Recipe:
        """Return what the network is, as the plan says."""

    @abstractmethod
    def _check_samples(self, X: Any, *, reset: bool) -> Any:
        """Check shape and feature names."""

    def save(self, path: str | PathLike[str], *, training_state: bool = False) -> None:
        """Write the fitted model to a file that any language can read; see :mod:`bvar.model_file`.

        Parameters
        ----------
        path : str or path-like
            The file; one that is there is replaced, or left as it was if writing fails.
        training_state : bool, default=False
            Whether to save the accumulators of the optimizer too, 16 bits for each weight, so that training
            can go on where it stopped.
        """
        model_file.save(self, path, training_state=training_state)

    def predictor(self) -> Predictor:
        """Return a small object that answers rows of numbers fast, one at a time or many.

        Returns
        -------
        bvar.estimators.Predictor
            With the methods of the model that answer samples, and the same answers. Whatever happens to the model
            afterwards, it stays what it is.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        bvar.backends.BackendUnavailable
            If `backend` cannot run here.
        """
        check_is_fitted(self, "network_")
        with self._use() as backend:
            return Predictor(
                copy.deepcopy(self.encoder_),
                self._recipe().inputs,
                Inference(copy.deepcopy(self.network_.layers)),
                self._answers(),
                backend,
            )

    def to_c(self, name: str = "model") -> CSource:
        """Write the fitted model as a C header that needs no library, encoder included.

        Parameters
        ----------
        name : str, default='model'
            With what all names in the header begin: letters, digits and underscores, beginning with a letter.

        Returns
        -------
        bvar.export.CSource
            A str with the sizes of constants and memory, see :func:`bvar.export.network_to_c`. For the name
            ``model`` it defines ``model_predict_double(memory, rows, n, scores, answers)``, and
            ``model_predict_uint8`` for bytes. Scores are those of the network; answers are those of `predict`, a
            class by its number in `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If the name is not as described, or the encoder has categories of text or is none of bvar.encoding.
        """
        check_is_fitted(self, "network_")
        return network_to_c(self.network_, name, self.encoder_, self._targets().exported())

    def to_onnx(self) -> Any:
        """Write the fitted model as ONNX, encoder included, for runtimes that know nothing of bits.

        Returns
        -------
        onnx.ModelProto
            From ``features``, double of shape (n, n_features) with NaN where missing, to ``answer``, what
            `predict` gives, in a column where that is one number, and ``scores``, the integers of the network; see
            :func:`bvar.export.network_to_onnx`.
            ``SerializeToString()`` gives the bytes of a file.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If the encoder has categories of text or is none of bvar.encoding, or classes are of mixed types.
        ImportError
            If the package onnx is missing.
        """
        check_is_fitted(self, "network_")
        exported = self._targets().exported()
        named = isinstance(exported, Best) or hasattr(self, "_one_score")
        classes = getattr(self, "classes_", None) if named else None
        return network_to_onnx(self.network_, self.encoder_, exported, classes=classes)

    def summary(self, *, energy: bool = False) -> str:
        """Describe the fitted model.

        Parameters
        ----------
        energy : bool, default=False
            Whether to add what each layer costs by the energy model, see :func:`bvar.energy.summarize_energy`.

        Returns
        -------
        str
            A table of the layers with their shapes, weights and bytes, for people to read.
        """
        check_is_fitted(self, "network_")
        encoder = f"{self.n_features_in_} features -> {self.encoder_.n_bits_out_} bits"
        head = f"{type(self).__name__}: {type(self.encoder_).__name__}, {encoder}"
        lines = [head, *self.encoder_.hints(), *self._evidence(), self.network_.summary(energy=energy)]
        if hasattr(self, "target_names_"):
            lines.insert(1, f"predicts {len(self.target_names_)} columns: {', '.join(self.target_names_)}")
        return "\n".join(lines)

    def card(self, scores: Mapping[str, float] | None = None) -> str:
        """Write a model card: network, data, training, scores, fingerprint and environment.

        Parameters
        ----------
        scores : dict of str to float, optional
            Scores that you have measured, on held-out samples say, by what they are.

        Returns
        -------
        str
            Markdown.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If a score is no finite number.
        """
        check_is_fitted(self, "network_")
        return model_card(self, {} if scores is None else scores)

    # ------------------------------------------------------------------------------- predicting

    def _answers(self) -> Answers:
        """Return what is made of scores, by the names of the methods that make it."""
        return {"predict": self._targets().answer}

    def _predict(self, X: Any, what: str) -> np.ndarray:
        """Compute the integer scores of samples chunk by chunk, and keep only what is made of them."""
        check_is_fitted(self, "network_")
        X = self._check_samples(X, reset=False)
        answer = self._answers()[what]
        with self._backend(record=False):
            return np.concatenate([answer(self.network_.scores(bits)) for bits in self._encode_blocks(X, _CHUNK)])

    def _scores(self, network: Network, X: Any) -> np.ndarray:
        """Compute the scores of samples that have been checked."""
        return np.concatenate([network.scores(bits) for bits in self._encode_blocks(X, _CHUNK)])

    def _encode(self, X: Any) -> BitMatrix:
        return self._recipe().inputs(self.encoder_.encode(X, check_input=False))

    def _encode_blocks(self, X: Any, n_rows: int) -> Iterator[BitMatrix]:
        blocks = self.encoder_.encode_blocks(X, n_rows, check_input=False)
        return map(self._recipe().inputs, blocks)

    def _use(self) -> AbstractContextManager[backends.Backend]:
        if self.backend is not None and not isinstance(self.backend, str):
            raise TypeError(f"backend must be None or the name of a backend, got {self.backend!r}")
        return backends.use(self.backend, n_threads=self.n_threads)

    @contextmanager
    def _backend(self, *, record: bool = True) -> Iterator[None]:
        with self._use() as backend:
            if record:
                self.backend_ = backend.name
            yield
