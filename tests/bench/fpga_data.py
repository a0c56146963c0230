"""The tables of the FPGA field, from local files: jets (OpenML 42468) and network intrusion (UNSW-NB15, "NID").

Jets: 830,000 rows of 16 numbers and one of five classes, as ARFF or CSV with a line of names.  "JSC" is two data
sets in the literature; this one is that of hls4ml, DWN and TreeLUT, and not that of CERNBox.  NID: rows of 593
bits
and a class, as CSV without a line of names, or an npz of X and y.  A column becomes an integer of `width` bits:
its place between quantiles of the training rows, so that a chip can take it as it is.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

JET_CLASSES = ("g", "q", "t", "w", "z")
N_JET_COLUMNS, N_NID_COLUMNS = 16, 593


def load_jets(path):
    """Return numbers, shape (n, 16), and class numbers, in the order of `JET_CLASSES`."""
    names, rows = _table(Path(path))
    if len(names) != N_JET_COLUMNS + 1:
        raise ValueError(f"{path} must have {N_JET_COLUMNS} columns and a class, got {len(names)}")
    labels = [row[-1].strip().strip("'\"") for row in rows]
    unknown = set(labels) - set(JET_CLASSES)
    if unknown:
        raise ValueError(f"{path} must have the classes {', '.join(JET_CLASSES)}, got {sorted(unknown)}")
    return np.array([row[:-1] for row in rows], np.float64), np.array(
        [JET_CLASSES.index(label) for label in labels]
    )


def load_nid(path):
    """Return bits, shape (n, 593), and classes 0 and 1."""
    path = Path(path)
    if path.suffix == ".npz":
        with np.load(path) as data:
            X, y = data["X"], data["y"]
    else:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
        X, y = table[:, :-1], table[:, -1]
    if X.ndim != 2 or X.shape[1] != N_NID_COLUMNS or not np.isin(X, (0, 1)).all() or not np.isin(y, (0, 1)).all():
        raise ValueError(f"{path} must have {N_NID_COLUMNS} columns of 0 and 1 and a class 0 or 1, got {X.shape}")
    return X.astype(np.uint8), y.astype(np.int64)


def _table(path):
    """Return the names and the rows of a CSV file, or of ARFF, which has them after @data."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.startswith("%")]
    if path.suffix == ".arff":
        start = next((i for i, line in enumerate(lines) if line.strip().lower() == "@data"), None)
        if start is None:
            raise ValueError(f"{path} must have a line @data")
        names = [line.split()[1] for line in lines[:start] if line.lower().startswith("@attribute")]
        return names, list(csv.reader(lines[start + 1 :]))
    names, *rows = csv.reader(lines)
    return names, rows


def to_integers(train, test, width):
    """Turn each column into its place, 0 to 2**width - 1, between the smallest and the largest of the training
    rows.

    The ends are the quantiles of 0.1 and 99.9 per cent, so that a single row does not squeeze all others.
    """
    low, high = np.quantile(train, [0.001, 0.999], axis=0)
    step = np.where(high > low, (high - low) / (2**width - 1), 1.0)
    return tuple(np.clip(np.rint((X - low) / step), 0, 2**width - 1).astype(np.int64) for X in (train, test))
