"""The estimators, for samples that are on a Dask cluster: the same parameters, model and history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from inspect import Parameter, cleandoc, signature
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from bvar.bits.random import RandomWords
from bvar.distributed.cluster import Cluster
from bvar.distributed.coordinator import WorkersLost
from bvar.distributed.encoders import fit_encoder
from bvar.distributed.fitting import Fit, Here, There, Watched, light
from bvar.distributed.rows import AllRows, NumberedData
from bvar.distributed.tables import answers, gathered, is_collection, load
from bvar.estimators import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier
from bvar.estimators.base import BooleanNetworkEstimator
from bvar.estimators.resuming import written_parameters
from bvar.networks.network import Network
from bvar.training import Checkpoint, Crew, EarlyStopping, Interrupted, Trainer, TrainingData
from bvar.training.data import Data

__all__ = [
    "DaskBooleanClassifier",
    "DaskBooleanConvClassifier",
    "DaskBooleanRegressor",
    "DaskEstimator",
    "DaskLogicGateClassifier",
]

_OF_THE_CLUSTER = ("client", "checkpoint_", "way_", "bytes_of_step_", "_fit")

_CLIENT = """client : distributed.Client, optional
    Who knows the cluster. Default: the client that has been made last."""
_FITTED = """way_ : {'votes', 'signals'}
    What workers sent: what was fewer bytes.
bytes_of_step_ : dict of int
    What each way takes, as far as there is one.
checkpoint_ : Interrupted
    Only after a fit that lost all its workers: the next `fit` goes on from it, with the same parameters and
    samples. Delete it to begin anew."""


class DaskEstimator(BooleanNetworkEstimator):
    """What the estimators for a cluster share: samples stay where they are, and what is here are their numbers.

    A subclass names a local estimator as well, whose parameters it takes; its own are added.
    """

    client: Any
    checkpoint_: Interrupted
    _local: ClassVar[type[BooleanNetworkEstimator]]
    _fit: Fit

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Give the class the signature and the documentation of the local one, and those of `client`."""
        super().__init_subclass__(**arguments)
        local: Any = cls.__bases__[-1]

        def __init__(self: Any, *values: Any, client: Any = None, **parameters: Any) -> None:
            local.__init__(self, *values, **parameters)
            self.client = client

        known = signature(local.__init__)
        mine = Parameter("client", Parameter.KEYWORD_ONLY, default=None)
        __init__.__signature__ = known.replace(parameters=[*known.parameters.values(), mine])  # type: ignore[attr-defined]
        cls.__init__ = __init__  # type: ignore[method-assign]
        cls._local = local
        cls.__doc__ = _documentation(cls.__doc__ or "", local.__doc__ or "")

    # ------------------------------------------------------------------------------- for users

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        resume: str | PathLike[str] | None = None,
    ) -> Self:
        """Train on samples, targets and sample weights on the cluster: Dask arrays, frames or lists of delayed."""
        if X_val is not None or y_val is not None:
            raise ValueError(
                "X_val and y_val must be None on a cluster: early_stopping=True holds samples out there"
            )
        for name in ("augment", "mollifier"):
            if getattr(self, name, None) is not None:
                raise ValueError(
                    f"{name} must be None on a cluster, for samples are changed one after the other, from one "
                    f"stream of random numbers that has no parts; got {getattr(self, name)!r}"
                )
        parts, here = load(Cluster(self.client), X, y=y, sample_weight=sample_weight)
        kept = getattr(self, "checkpoint_", None)
        fit = self._fit = Fit(parts, self._beginning(parts.n_rows, kept, resume))
        self.__dict__.pop("checkpoint_", None)
        try:
            rows: Any = There(AllRows(parts.n_rows))
            super().fit(rows, here.get("y"), here.get("sample_weight"))  # type: ignore[arg-type]
            kept = None
        except WorkersLost:
            kept = fit.interrupted
            raise
        finally:
            fit.close()
            del self._fit
            if kept is not None:
                self.checkpoint_ = kept
        return self

    def predict(self, X: Any) -> Any:
        """Predict for samples in memory, or lazily for those on a cluster, in a collection of the same kind."""
        return self._answer("predict", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean accuracy of a classifier, or R2 of a regressor."""
        found = [self.predict(X), y, sample_weight]
        if is_collection(X):
            cluster = Cluster(self.client)
            found = [gathered(cluster, one, "y") if is_collection(one) else one for one in found]
        measure: Callable[..., float] = accuracy_score if is_classifier(self) else r2_score
        return float(measure(found[1], found[0], sample_weight=found[2]))

    def to_local(self) -> Any:
        """Return the model as the local estimator, which knows no cluster.

        Returns
        -------
        BooleanClassifier or another estimator of :mod:`bvar.estimators`
            With the same parameters, network and history.
        """
        local = self._local.__new__(self._local)
        local.__dict__.update({name: value for name, value in vars(self).items() if name not in _OF_THE_CLUSTER})
        return local

    def save(self, path: str | PathLike[str], *, training_state: bool = False) -> None:
        """Write the fitted model to a file, as the local one that it is."""
        self.to_local().save(path, training_state=training_state)

    # ------------------------------------------------------------------------ for the base class

    def _check_samples(self, X: Any, *, reset: bool) -> Any:
        if is_collection(X):
            raise TypeError(
                "X must be in memory for partial_fit and explanations, which take one chunk after the other"
            )
        if isinstance(X, There):
            super()._check_samples(self._fit.parts.rows(np.zeros(1, np.int64)), reset=reset)
            self._fit.check(self._light())
            return X
        return super()._check_samples(X, reset=reset)

    def _interrupted(self, resume: Any) -> Interrupted:
        return self._fit.interrupted

    def _of(self, trainer: Trainer, data: Data, stopping: EarlyStopping | None) -> dict[str, str]:
        return self._fit.interrupted.of

    def _fit_encoder(self, X: Any, y: np.ndarray) -> None:
        if not isinstance(X, There):
            return super()._fit_encoder(X, y)
        self.encoder_ = fit_encoder(self._new_encoder(), self._fit.parts, X.rows, y)

    def _try(self, name: str, splits: list[Any], everything: Any, source: RandomWords) -> Any:
        X, *beside = everything
        if isinstance(X, There):
            X = Here(self._fit.parts, X.rows)
        return super()._try(name, splits, (X, *beside), source)

    def _data(self, X: Any, y: np.ndarray, weights: np.ndarray | None) -> TrainingData:
        if not isinstance(X, There):
            return super()._data(X, y, weights)
        size, noise = self._schedule(len(y))
        data = NumberedData(X.rows, self._targets().encode(y), weights, size, noise, self.encoder_.n_bits_out_)
        self._fit.encode(self._light(), data)
        return data  # type: ignore[return-value]

    def _crew(self, data: Data) -> AbstractContextManager[tuple[Crew | None, Data]]:
        assert self._fit.crew is not None  # noqa: S101 - samples have been encoded before
        return nullcontext((self._fit.crew, self._fit.crew.data))

    def _scores(self, network: Network, X: Any) -> np.ndarray:
        if not isinstance(X, There):
            return super()._scores(network, X)
        assert self._fit.crew is not None  # noqa: S101 - samples have been encoded before they are scored
        return self._fit.crew.scores(network, np.asarray(X.rows))

    def _train(
        self,
        trainer: Trainer,
        data: Data,
        stopping: EarlyStopping | None,
        source: RandomWords,
        interrupted: Interrupted,
    ) -> None:
        crew = self._fit.crew
        assert crew is not None  # noqa: S101 - narrows the type

        def keep(source: RandomWords) -> None:
            interrupted.checkpoint = Checkpoint.of(trainer, source, stopping)

        super()._train(trainer, Watched(data, keep), stopping, source, interrupted)
        self.way_, self.bytes_of_step_ = crew.way_, crew.bytes_of_step_

    def _evidence(self) -> Iterator[str]:
        yield from super()._evidence()
        if hasattr(self, "way_"):
            sizes = ", ".join(f"{way} {size}" for way, size in self.bytes_of_step_.items())
            yield f"workers sent {self.way_}; bytes of a step: {sizes}"

    # ----------------------------------------------------------------------------- for itself

    def _beginning(
        self, n_rows: int, before: Interrupted | None, resume: str | PathLike[str] | None
    ) -> Interrupted:
        """Return what this fit goes on from: one that has been interrupted, or the beginning."""
        of = {"number of samples": str(n_rows), "parameters": written_parameters(self)}
        if resume is not None:
            before = Interrupted.read(resume)
            before.check_of(of, "resume")
        elif before is not None:
            before.check_of(of, "checkpoint_", ": `del model.checkpoint_` to begin anew")
        return Interrupted(of, RandomWords(self.random_state)) if before is None else before

    def _light(self) -> Any:
        """Return what workers need of this estimator to check and encode samples."""
        return light(self.to_local(), "network_", "history_")

    def _answer(self, name: str, X: Any) -> Any:
        check_is_fitted(self, "network_")
        local = light(self.to_local(), "history_")
        if not is_collection(X):
            return getattr(local, name)(X)
        one = np.full((1, self.n_features_in_), np.nan)  # all missing: only the form of its answer is looked at
        if hasattr(self, "feature_names_in_"):
            import pandas as pd

            one = pd.DataFrame(one, columns=self.feature_names_in_)
        return answers(X, getattr(local, name), getattr(local, name)(one))

    def __sklearn_clone__(self) -> Self:
        """Copy the parameters; the client is the same."""
        parameters = self.get_params(deep=False)
        client = parameters.pop("client")
        copies = {name: clone(value, safe=False) for name, value in parameters.items()}
        return type(self)(**copies, client=client)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the client out: connections do not travel."""
        state = dict(super().__getstate__())
        state.pop("_fit", None)
        return {**state, "client": None}


def _documentation(own: str, local: str) -> str:
    """Put the parameters and attributes of a local estimator between what a class says of itself."""
    head, see, tail = cleandoc(own).partition("\nSee Also\n")
    text = re.sub(r":class:`(?=\w+`)", ":class:`bvar.estimators.", cleandoc(local))  # names of another module
    parameters = text.partition("\nParameters\n----------\n")[2].partition("\n\nAttributes\n")[0]
    attributes = text.partition("\nAttributes\n----------\n")[2].partition("\n\nSee Also\n")[0]
    return (
        f"{head}\nParameters\n----------\n{parameters}\n{_CLIENT}\n\nAttributes\n----------\n{attributes}\n{_FITTED}\n"
        f"{see}{tail}"
    )


class _OfClasses:
    """What classifiers answer beside classes."""

    _answer: Callable[[str, Any], Any]

    def decision_function(self, X: Any) -> Any:
        """Compute scores of samples in memory, or lazily of those on a cluster."""
        return self._answer("decision_function", X)

    @available_if(lambda self: hasattr(self.to_local(), "predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Estimate probabilities for samples in memory, or lazily for those on a cluster."""
        return self._answer("predict_proba", X)


class DaskBooleanClassifier(DaskEstimator, _OfClasses, BooleanClassifier):
    """Tell classes apart: :class:`bvar.estimators.BooleanClassifier` for samples on a Dask cluster.

    The model, its fingerprint and its history are those of the local estimator for the same rows in the same
    order; they depend neither on workers, nor on chunks, nor on who of them dies.

    See Also
    --------
    bvar.estimators.BooleanClassifier : The same for samples in memory.
    bvar.distributed.Processes : Many processes without Dask.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_digits
    >>> from bvar import BooleanClassifier
    >>> from bvar.distributed import DaskBooleanClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> client = Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0")
    >>> model = DaskBooleanClassifier((64,), max_iter=2, random_state=0)
    >>> model = model.fit(da.from_array(X, chunks=(500, -1)), da.from_array(y, chunks=500))
    >>> client.close()
    >>> local = BooleanClassifier((64,), max_iter=2, random_state=0).fit(X, y)
    >>> model.network_.fingerprint() == local.network_.fingerprint(), model.history_ == local.history_
    (True, True)
    >>> type(model.to_local()).__name__
    'BooleanClassifier'
    """


class DaskBooleanRegressor(DaskEstimator, BooleanRegressor):
    """Predict numbers: :class:`bvar.estimators.BooleanRegressor` for samples on a Dask cluster.

    The model is that of the local estimator, bit for bit, see :class:`DaskBooleanClassifier`.

    See Also
    --------
    bvar.estimators.BooleanRegressor : The same for samples in memory.
    """


class DaskLogicGateClassifier(DaskEstimator, _OfClasses, LogicGateClassifier):
    """Learn truth tables: :class:`bvar.estimators.LogicGateClassifier` for samples on a Dask cluster.

    The model is that of the local estimator, bit for bit, see :class:`DaskBooleanClassifier`.

    See Also
    --------
    bvar.estimators.LogicGateClassifier : The same for samples in memory.
    """


class DaskBooleanConvClassifier(DaskEstimator, _OfClasses, BooleanConvClassifier):
    """Tell images apart: :class:`bvar.estimators.BooleanConvClassifier` for images on a Dask cluster.

    The model is that of the local estimator, bit for bit, see :class:`DaskBooleanClassifier`.

    See Also
    --------
    bvar.estimators.BooleanConvClassifier : The same for images in memory.
    """
