"""What a fit is of, so that it goes on from a file of no other: its parameters, its samples and where it began."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.sparse import issparse

from bvar.bits import BitMatrix

__all__ = ["digest", "parts_of", "written_parameters"]

_FREE = ("callbacks", "verbose", "backend", "n_threads", "client")  # may be others when a fit goes on


def written_parameters(model: Any) -> str:
    """Return the parameters that decide which model comes out, as text that another process writes alike."""
    given = {name: value for name, value in sorted(model.get_params(deep=False).items()) if name not in _FREE}
    if not isinstance(given["random_state"], int | np.integer):
        given["random_state"] = None  # what it was when the fit began, the file knows
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(given))


def digest(parts: Iterable[Any]) -> str:
    """Return the SHA-256 of arrays and bits, in hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        for array in (part.words, part.known) if isinstance(part, BitMatrix) else (part,):
            values = np.asarray(array)
            total.update(f"{values.dtype.kind} {values.shape};".encode())
            text = values.dtype.kind == "O"
            total.update(repr(values.tolist()).encode() if text else np.ascontiguousarray(values).data)
    return total.hexdigest()


def parts_of(data: Any) -> list[Any]:
    """Return what a training learns from: bits, targets and sample weights; and what is changed before."""
    changing, plain = (data, data.data) if hasattr(data, "data") else (None, data)
    parts = [] if changing is None else [changing.X.toarray() if issparse(changing.X) else changing.X]
    return [*parts, plain.x, plain.y, plain.sample_weight]
