"""Texts as numbers of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bvar._validation import as_array, check_integer
from bvar.bits.random import RandomWords
from bvar.real.transformer_parts import log_softmax

__all__ = ["check_ids", "check_text", "check_texts", "draw_token", "names_of", "of_equal_length", "windows"]

_MOST_TOKENS = 2**63  # numbers of an int64


def windows(ids: np.ndarray, context: int = 128) -> np.ndarray:
    """Cut a sequence into texts that begin where the one before ends.

    Parameters
    ----------
    ids : array-like of int, shape (n,)
        Numbers of tokens.
    context : int, default=128
        Tokens to be predicted in each text; what is left at the end is dropped.

    Returns
    -------
    ndarray of int64, shape (n_texts, context + 1)
        Each begins with the last token of the one before.

    Raises
    ------
    TypeError, ValueError
        If `ids` are no numbers of tokens, more texts than one, or fill no text.

    Examples
    --------
    >>> from bvar import multikernel
    >>> multikernel.windows([0, 1, 2, 3, 4, 5], context=2)
    array([[0, 1, 2],
           [2, 3, 4]])
    """
    ids = check_text(ids)
    context = check_integer(context, "context", low=1)
    n = (len(ids) - 1) // context
    if not n:
        raise ValueError(f"ids must be more than {context}, the context, got {len(ids)}")
    return ids[context * np.arange(n)[:, None] + np.arange(context + 1)]


def check_ids(ids: Any, n_tokens: int | None = None) -> np.ndarray:
    """Return numbers of tokens as a matrix of int64, one text a row."""
    array = as_array(ids, "ids")
    if array.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, got dtype {array.dtype}")
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"ids must be one text or a matrix of texts, not empty, got shape {array.shape}")
    n_tokens = _MOST_TOKENS if n_tokens is None else n_tokens
    if array.min() < 0 or array.max() >= n_tokens:
        raise ValueError(f"ids must be from 0 to {n_tokens - 1}, got {array.min()} to {array.max()}")
    return np.atleast_2d(array.astype(np.int64))


def check_text(ids: Any, n_tokens: int | None = None) -> np.ndarray:
    """Return numbers of tokens of one text as a vector of int64."""
    texts = check_ids(ids, n_tokens)
    if len(texts) > 1:
        raise ValueError(f"ids must be one text, a vector, got shape {texts.shape}")
    return texts[0]


def names_of(ids: Any, names: Mapping[int, str]) -> list[str]:
    """Return the names of the tokens of one text, which may be empty."""
    numbers = check_text(ids).tolist() if np.size(as_array(ids, "ids")) else []
    strange = sorted(set(numbers) - set(names))
    if strange:
        raise ValueError(f"ids must be numbers of tokens, got {strange[:5]}")
    return [names[number] for number in numbers]


def check_texts(texts: Any, n_tokens: int | None = None) -> list[np.ndarray]:
    """Return texts of any lengths as vectors of int64, at least one."""
    if not isinstance(texts, Iterable) or isinstance(texts, str):
        raise TypeError(f"texts must be a sequence of texts as numbers of tokens, got {type(texts).__name__}")
    found = [check_ids(text, n_tokens) for text in texts]
    if not found or any(len(text) > 1 for text in found):
        raise ValueError("texts must be one or more vectors of numbers of tokens")
    return [text[0] for text in found]


def of_equal_length(texts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the places of the texts of each length, in order of lengths."""
    lengths = np.array([len(text) for text in texts])
    return [np.flatnonzero(lengths == length) for length in np.unique(lengths)]


def draw_token(logits: np.ndarray, temperature: float, source: RandomWords) -> int:
    """Draw a token by its logits, or take the likeliest at temperature 0."""
    if not temperature:
        return int(logits.argmax())
    chances = np.exp(log_softmax(logits.astype(np.float64) / temperature)).cumsum()
    at = (source.uniform(1, 1)[0, 0] + 1) / 2 * chances[-1]
    return int(np.searchsorted(chances, at, side="right").clip(0, len(chances) - 1))
