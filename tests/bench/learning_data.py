"""The tables of the bench of learning: where they are, which columns are categories, how they are split.

Tables are scikit-learn's own and the files of a folder: `tables.npz` and `boolean_concepts.npz`, which hold arrays
for many names, and one file for each other name. Categories are columns of dtype category in a frame, for all
models alike. Concepts without noise repeat rows, which would be in both parts of a split: each row is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

OWN = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,  # the same samples as wdbc
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
SIXTEEN = (
    *("australian", "banana", "bands", "breast", "bupa", "heart", "housevotes", "ionosphere", "movement_libras"),
    *("optdigits", "pima", "sonar", "texture", "titanic", "twonorm", "wdbc"),
)
WITHOUT_NOISE = ("parity5", "parity5plus5", "mux6", "xd6", "threeOf9", "corral", "mofn_3_7_10")
CONCEPTS = (*WITHOUT_NOISE, "led7", "led24", "tic_tac_toe", "chess", "monk1", "monk2", "monk3")
FILES = ("banknote", "spambase", "mushroom", "magic_gamma", "letter", "krkopt", "adult", "connect4", "mnist")
NUMBERS = ("diabetes", "abalone", "california_housing")
TABLES = (*(name for name in OWN if name not in NUMBERS), *SIXTEEN, *CONCEPTS, *NUMBERS, *FILES)

SEEN = {
    *("australian", "banana", "bands", "breast", "bupa", "heart", "housevotes", "ionosphere", "digits"),
    *("xd6", "threeOf9", "parity5plus5", "mofn_3_7_10", "monk1", "monk2", "monk3"),
    *("adult", "krkopt", "connect4", "letter", "magic_gamma", "spambase", "mnist", *NUMBERS),
}
"""Tables whose test rows were seen when settings were chosen."""

ALL_CATEGORIES = ("krkopt", "connect4", "tic_tac_toe", "chess", "monk1", "monk2", "monk3")
LARGE = 10_000  # rows from which one split is enough


class Split(NamedTuple):
    """Samples to train on and to test on."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: np.ndarray
    y_test: np.ndarray


def splits(name: str, folder: Path, n_splits: int | None = None) -> Iterator[tuple[int, Split]]:
    """Yield seeds and parts: 30 % for the test with classes in proportion, or the split that is given.

    The number of splits is 3, or 1 from `LARGE` rows on, if nothing else is said.
    """
    parts = load(name, folder)
    n_rows = sum(len(y) for _, y in parts)
    for seed in range(n_splits or (1 if n_rows > LARGE else 3)):
        if len(parts) == 2:
            (X_train, y_train), (X_test, y_test) = parts
            yield seed, Split(X_train, X_test, y_train, y_test)
        else:
            ((X, y),) = parts
            stratify = None if name in NUMBERS else y
            yield seed, Split(*train_test_split(X, y, test_size=0.3, random_state=seed, stratify=stratify))


def load(name: str, folder: Path) -> list[tuple[pd.DataFrame, np.ndarray]]:
    """Return samples and targets; twice, if the table comes with a split."""
    if name in OWN:
        X, y = OWN[name](return_X_y=True)
        return [(pd.DataFrame(X), y)]
    if name == "mnist":
        arrays = np.load(folder / "mnist.npz")
        images = [arrays[f"x_{part}"] for part in ("train", "test")]
        return [
            (pd.DataFrame(x.reshape(len(x), -1)), arrays[f"y_{part}"])
            for x, part in zip(images, ("train", "test"), strict=True)
        ]
    arrays, prefix = _arrays(name, folder)
    X, y = (_parts(arrays, prefix, kind) for kind in "Xy")
    if name in WITHOUT_NOISE:
        both = np.unique(np.c_[X[0], y[0]], axis=0)
        X, y = [both[:, :-1]], [both[:, -1]]
    levels = [np.unique(np.concatenate([x[:, j] for x in X])) for j in range(X[0].shape[1])]
    chosen = _categories(arrays, prefix, name, len(levels))
    return [(_frame(x, chosen, levels), targets) for x, targets in zip(X, y, strict=True)]


def _arrays(name: str, folder: Path) -> tuple[dict[str, np.ndarray], str]:
    """Return the file of a table, and how the names of its arrays begin."""
    own = folder / f"{name}.npz"
    if own.exists():
        return dict(np.load(own)), ""
    file = "tables.npz" if name in SIXTEEN else "boolean_concepts.npz"
    return dict(np.load(folder / file, allow_pickle=True)), f"{name}_"


def _parts(arrays: dict[str, np.ndarray], prefix: str, kind: str) -> list[np.ndarray]:
    """Return X or y: one array, or those of training and test; file names differ in the order of the words."""
    for names in ([prefix + kind], [f"{prefix}{kind}_train", f"{prefix}{kind}_test"]):
        if names[0] in arrays:
            return [arrays[one] for one in names]
    return [arrays[f"{prefix}{part}_{kind}"] for part in ("train", "test")]


def _categories(arrays: dict[str, np.ndarray], prefix: str, name: str, n_columns: int) -> np.ndarray:
    return np.asarray(arrays.get(f"{prefix}categorical", np.full(n_columns, name in ALL_CATEGORIES)), bool)


def _frame(X: np.ndarray, chosen: np.ndarray, levels: list[np.ndarray]) -> pd.DataFrame:
    """Declare columns of categories; a missing number is NaN, a missing category too."""
    columns = {}
    for j, column in enumerate(X.T):
        known = levels[j][~np.isnan(levels[j])] if levels[j].dtype.kind == "f" else levels[j]
        columns[f"x{j}"] = pd.Categorical(column, categories=known) if chosen[j] else column
    return pd.DataFrame(columns)
