"""Models as files: one format, documented byte by byte, without pickle (``docs/reference/model-file.md``).

A file holds numbers, text and bits, never code: reading one cannot run anything, whoever wrote it.  It is checked
before it is believed, and whatever is wrong with it becomes a `ModelFileError` that says so.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from bvar.model_file import (  # noqa: F401
    _container,
    _encoders,
    _images,
    _kinds,
    _layers,
    _networks,
    _real,
    _texts,
    _transformers,
)
from bvar.model_file._container import ModelFileError
from bvar.model_file._kinds import register
from bvar.model_file._values import Reader, Writer
from bvar.multikernel import Encoder, Transformer
from bvar.networks.network import Network

Model: TypeAlias = BaseEstimator | Network | Transformer | Encoder

__all__ = ["ModelFileError", "load", "register", "save"]


def save(model: Model, path: str | os.PathLike[str], *, training_state: bool = False) -> None:
    """Write a fitted model to a file.

    Parameters
    ----------
    model : estimator, encoder, Network, Transformer or Encoder
        What to save; estimators and encoders must be fitted. Of a pipeline, save the models in it one by one.
    path : str or path-like
        Where to. A file that is there is replaced in one step, and keeps its mode and, where we may, its owner; if
        anything fails, it stays as it was. Devices and pipes are refused.
    training_state : bool, default=False
        Whether to keep what only further training needs: the accumulators of the optimizer, 16 times as large as
        the model, its plasticities and its place in the schedule. Without it, training that goes on starts them
        afresh.

    Raises
    ------
    TypeError
        If the model holds something that a file cannot: a callback, a RandomState, an object of a class that
        `register` does not know. The message names it.
    ValueError
        If parts of the model do not fit each other, a parameter is wrong, or a limit of the format is broken.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    OSError
        If the file cannot be written; it names `path`.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from bvar import BooleanClassifier, model_file
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BooleanClassifier((64,), max_iter=3, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "iris.bvar")
    ...     model_file.save(model, path)
    ...     again = model_file.load(path)
    >>> again.network_.fingerprint() == model.network_.fingerprint()
    True
    """
    if not _is_whole(model):
        raise TypeError(
            f"model must be a bvar estimator, encoder, Network, Transformer or Encoder, got {type(model).__name__}"
        )
    if _kinds.kind_of(model) is None:
        raise TypeError(
            f"model: a model file cannot hold {_kinds.described(model)}. Save the bvar models in it one by one, "
            "and keep the rest with joblib or skops; or let bvar.model_file.register know a class of your own"
        )
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    writer = Writer(_kinds, training_state=bool(training_state))
    try:
        state = _kinds.to_state(model, writer, "model")
    except RecursionError:
        raise TypeError("model: a list or dict in it is nested too deep, or contains itself") from None
    _container.write(path, state, writer.arrays)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model from a file; nothing in the file is ever executed.

    Parameters
    ----------
    path : str or path-like
        A file that `save` wrote, with this version or an older one.

    Returns
    -------
    estimator, encoder, Network, Transformer or Encoder
        The model: equal parameters, equal weights, equal predictions.

    Raises
    ------
    ModelFileError
        If the file is not a model, is damaged, or needs a newer version of bvar.
    OSError
        If it cannot be read.

    See Also
    --------
    save : Which wrote the file, and has an example.
    """
    # the return type is Any because whoever has a file knows what is in it, and should not have to cast
    state, arrays = _container.read(path)
    reader = Reader(_kinds, arrays)
    try:
        model = reader.value({"object": state}, "model")
        reader.finish()
        if not _is_whole(model):
            raise ModelFileError("model: this is only a part of one")
        if isinstance(model, BaseEstimator):
            check_is_fitted(model)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from error.__cause__
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{os.fspath(path)}: its parts do not make a model: {_kinds.in_short(error)}"
        ) from error
    except MemoryError as error:
        raise ModelFileError(f"{os.fspath(path)}: there is not enough memory for it") from error
    return model


def _is_whole(value: Any) -> bool:
    """Say whether a file may hold a value alone."""
    kind = _kinds.kind_of(value)
    return isinstance(value, Model) or (kind is not None and kind.whole)
