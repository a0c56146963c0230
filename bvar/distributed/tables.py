"""Dask's collections: arrays, frames and lists of delayed, cut into the pieces that they are made of."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import dask
import numpy as np
from dask.delayed import Delayed, delayed

from bvar.distributed.cluster import Cluster, Partitions
from bvar.distributed.partitions import n_rows_of, stack

__all__ = ["answers", "is_collection", "load", "pieces"]


def is_collection(X: Any) -> bool:
    """Say whether samples are in pieces of Dask's."""
    if isinstance(X, list):
        return bool(X) and all(isinstance(piece, Delayed) for piece in X)
    return dask.is_dask_collection(X)


def pieces(X: Any, name: str) -> list[Delayed]:
    """Return the pieces of a collection, from the first row to the last."""
    if isinstance(X, list) and is_collection(X):
        return X
    if not dask.is_dask_collection(X) or not hasattr(X, "to_delayed"):
        raise TypeError(
            f"{name} must be a Dask array, frame or series, or a list of delayed, got {type(X).__name__}; what is "
            "in memory is for the estimator of the same name without Dask"
        )
    if hasattr(X, "chunks"):  # an array: a piece has whole rows
        X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        return X.to_delayed().ravel().tolist()
    return list(X.to_delayed())


def load(cluster: Cluster, X: Any, **others: Any) -> tuple[Partitions, dict[str, Any]]:
    """Let workers make the pieces of X and keep them, and bring here what is beside: targets and weights.

    Parameters
    ----------
    cluster : Cluster
        Where.
    X : collection
        Samples.
    **others : collection or None
        What has an entry for each sample, by its name.

    Returns
    -------
    parts : Partitions
        Pieces of X that have rows.
    here : dict
        The others, whole.

    Raises
    ------
    TypeError, ValueError
        If something is no collection, or is not cut as X is.
    """
    cut = {"X": pieces(X, "X"), **{name: pieces(one, name) for name, one in others.items() if one is not None}}
    for name, mine in cut.items():
        if len(mine) != len(cut["X"]):
            raise ValueError(f"{name} must have as many partitions as X, {len(cut['X'])}, got {len(mine)}")
    run = uuid.uuid4().hex[:8]
    # together: what X and y are both made of is made once
    futures = cluster.client.compute([piece for mine in cut.values() for piece in mine])
    lengths = [cluster.submit(n_rows_of, one, key=f"bvar-count-{run}-{i}") for i, one in enumerate(futures)]
    counted = np.array(cluster.gather(lengths, "counting"), np.int64).reshape(len(cut), -1)
    for name, found in zip(cut, counted, strict=True):
        wrong = np.flatnonzero(found != counted[0])
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(
                f"{name} must have the rows of X in each partition, but partition {i} of X has {counted[0, i]}, "
                f"and that of {name} {found[i]}"
            )
    full = np.flatnonzero(counted[0])
    if not len(full):
        raise ValueError("X must have samples, but all its partitions are empty")
    table = {name: [futures[i * counted.shape[1] + j] for j in full] for i, name in enumerate(cut)}
    parts = Partitions(cluster, table.pop("X"), counted[0][full], run)
    return parts, {name: stack(cluster.gather(mine, name)) for name, mine in table.items()}


def answers(X: Any, answer: Callable[[Any], Any], like: np.ndarray) -> Any:
    """Let a function answer for each piece of samples, when somebody asks.

    Parameters
    ----------
    X : collection
        Samples.
    answer : callable
        From samples to one answer each.
    like : ndarray
        Answers of the form that comes out.

    Returns
    -------
    collection
        An array for an array, a series or frame for a frame, and a list for a list.
    """
    lazy = delayed(answer, pure=True)
    if isinstance(X, list):
        return [lazy(piece) for piece in X]
    cut = pieces(X, "X")
    if hasattr(X, "chunks"):
        import dask.array as da

        shapes = [(n, *like.shape[1:]) for n in X.chunks[0]]
        parts = [da.from_delayed(lazy(p), shape, like.dtype) for p, shape in zip(cut, shapes, strict=True)]
        return da.concatenate(parts, allow_unknown_chunksizes=True)
    import dask.dataframe as dd

    framed = delayed(_framed, pure=True)
    return dd.from_delayed([framed(piece, lazy(piece)) for piece in cut], meta=_framed(X._meta, like[:0]))


def _framed(piece: Any, answers: np.ndarray) -> Any:
    """Put answers beside the index of their samples."""
    import pandas as pd

    kind: Any = pd.Series if answers.ndim == 1 else pd.DataFrame
    return kind(answers, index=piece.index)


def gathered(cluster: Cluster, X: Any, name: str) -> Any:
    """Bring a collection here, whole."""
    return stack(cluster.gather(cluster.client.compute(pieces(X, name)), name))
