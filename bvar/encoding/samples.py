"""Samples as people have them: lists, arrays, masked arrays, frames, sparse matrices and images, converted once.

Estimators and encoders read their input here and nowhere else, so that both see the same: a list is looked at
element by element, because NumPy makes text of a list like ``[1, "a"]``; what is masked is missing; images become
rows.  Nothing else is converted: columns keep their types until the encoder asks for numbers or categories.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from functools import wraps
from math import prod
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import validate_data

from bvar.encoding.columns import is_frame

__all__ = [
    "Table",
    "all_or_nothing",
    "as_table",
    "check_table",
    "flat_images",
    "in_order",
    "names_of",
    "refuse_channels_first",
    "refuse_same_names",
    "refuse_unordered",
]

_SHOWN = 5  # names of columns in a message
_FEW = 4  # channels of a picture: grey, red-green-blue, and one for transparency


class Frame(Protocol):
    """A pandas or polars frame."""

    columns: Any
    shape: Any


class Sparse(Protocol):
    """A sparse matrix or array of SciPy."""

    shape: Any

    def tocsr(self) -> Any:
        """Return the same rows, stored one after the other."""
        ...


Table = ArrayLike | Frame | Sparse
"""Samples, one a row."""

P = ParamSpec("P")
R = TypeVar("R")


def all_or_nothing(learn: Callable[P, R], epochs: str | None = None) -> Callable[P, R]:
    """Decorate a method that learns from samples: if it fails, its object stays what it was.

    What an attribute holds may be replaced meanwhile, but not changed in place. `epochs` names the attribute with
    an entry for each epoch, a new list in each call: once it has one, an interrupt by the user is no failure.
    """

    @wraps(learn)
    def learn_or_not(*args: P.args, **kwargs: P.kwargs) -> R:
        owner: Any = args[0]
        attributes = owner.__dict__
        before = dict(attributes)
        try:
            return learn(*args, **kwargs)
        except BaseException as error:
            found = None if epochs is None else attributes.get(epochs)
            begun = bool(found) and found is not before.get(epochs)
            if not (begun and isinstance(error, KeyboardInterrupt)):
                attributes.clear()
                attributes.update(before)
            raise

    return learn_or_not


def as_table(X: Any) -> Any:
    """Return a list as an array of what its elements are, and a masked array with its gaps as missing values."""
    if isinstance(X, np.ma.MaskedArray):
        return _filled(X)
    if not isinstance(X, list | tuple):
        return X
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths: scikit-learn says so
        return X
    return np.array(X, dtype=object) if array.dtype.kind == "U" else array


def check_table(owner: Any, X: Any, *, reset: bool, ensure_all_finite: bool | str = False) -> Any:
    """Validate samples without converting columns, and note or compare the number and the names of features."""
    X = as_table(X)
    if not is_frame(X):
        sparse = ("csr", "csc")
        return validate_data(
            owner, X, reset=reset, dtype=None, accept_sparse=sparse, ensure_all_finite=ensure_all_finite
        )
    refuse_same_names(X, "X")
    if not reset:
        X = in_order(X, getattr(owner, "feature_names_in_", ()), "X")
    validate_data(owner, X, reset=reset, skip_check_array=True)
    for size, what in zip(X.shape, ("sample", "feature"), strict=True):
        if size == 0:
            raise ValueError(f"Found frame with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required.")
    return X


def names_of(table: Any) -> np.ndarray | None:
    """Return the names of the columns of a frame, if all are text."""
    names = list(table.columns) if is_frame(table) else []
    return np.array(names, dtype=object) if names and all(isinstance(name, str) for name in names) else None


def refuse_same_names(table: Any, what: str) -> None:
    """Refuse a frame of which two columns have one name."""
    names = list(table.columns) if is_frame(table) else []
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise ValueError(f"{what} must have columns of different names, got {twice[0]!r} more than once")


def in_order(frame: Any, names: Iterable[str], what: str) -> Any:
    """Put the columns of a frame into the order that they had in `fit`, and warn that this was needed.

    A frame whose columns have other names stays as it is, for others to refuse.
    """
    wanted, there = list(names), list(frame.columns)
    if there == wanted or len(there) != len(wanted) or set(there) != set(wanted):
        return frame
    moved = [name for name, other in zip(there, wanted, strict=True) if name != other]
    more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
    warnings.warn(
        f"the columns of {what} are in another order than in fit, and are taken by their names: "
        f"{', '.join(map(repr, moved[:_SHOWN]))}{more} stood in other places",
        stacklevel=2,
    )
    return frame[wanted]


def refuse_unordered(labels: np.ndarray, name: str) -> None:
    """Refuse labels that have no order, such as numbers among text."""
    try:
        np.unique(labels)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels.ravel().tolist()})
        raise TypeError(f"{name} must hold labels of one kind, got {' and '.join(kinds)}") from None


def flat_images(X: Any, *, channels_last: bool = False) -> tuple[Any, tuple[int, int, int] | None]:
    """Lay images out as rows; return them, and (height, width, channels), or None where they came as rows.

    Four dimensions end in channels. An array that looks as if they came first is refused, unless the user has said
    what the shape is: `channels_last`.
    """
    X = as_table(X)
    if is_frame(X) or len(getattr(X, "shape", ())) not in (3, 4):
        return X, None
    shape = (*X.shape[1:], 1)[:3]
    if not channels_last:
        refuse_channels_first(X)
    return np.reshape(X, (len(X), prod(shape))), shape  # not -1, which is no number where there are no images


def refuse_channels_first(X: Any) -> None:
    """Refuse images of shape (n, 3, 32, 32), which would be taken for images of 3 x 32 with 32 channels."""
    height, width, n_channels = (*X.shape[1:], 1)[:3]
    if height <= _FEW < n_channels:
        raise ValueError(
            f"X must have shape (n_images, height, width, channels), got {X.shape}, which looks as if channels "
            f"came first: images of {height} x {width} with {n_channels} channels. Use np.moveaxis(X, 1, -1), or, "
            "if that is what they are, name it as image_shape or n_channels"
        )


def _filled(X: np.ma.MaskedArray) -> np.ndarray:
    mask, values = np.ma.getmaskarray(X), X.data.copy()
    if not mask.any():
        return values
    if values.dtype.kind in "iu":
        values = values.astype(np.float64)
    if values.dtype.kind != "f":
        values = values.astype(object)
    values[mask] = np.nan if values.dtype.kind == "f" else None
    return values
