"""Train and predict from CSV files, for people who do not write Python (``docs/howto/command-line.md``).

A mistake of the user is a `CommandError`, one line on standard error and exit code 2; a traceback would be a bug.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from bvar import model_file
from bvar.backends import BackendUnavailable, use
from bvar.cli.csv import CommandError, CsvFile, is_number, to_matrix, to_numbers
from bvar.encoding import OneHotBits, TableEncoder
from bvar.estimators import BooleanClassifier, BooleanRegressor

__all__ = ["add_predict", "add_train", "run"]

_ROWS = 8192  # read and predicted at a time
_BOOLEANS = {"true": "1", "false": "0"}
_MOST_CLASSES = 20  # different integers in a target that still look like classes


def add_train(commands: Any) -> None:
    """Describe the options of ``train``.

    Parameters
    ----------
    commands : argparse action
        What `add_subparsers` of a parser returned.
    """
    train = commands.add_parser("train", help="learn from a CSV file and save the model")
    train.add_argument("data", type=Path, help="CSV file with a line of column names")
    train.add_argument("--target", required=True, metavar="COLUMN", help="the column to learn")
    train.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="where the model goes")
    train.add_argument(
        "--task",
        choices=("classify", "regress", "auto"),
        default="auto",
        help=f"auto: regress if the target has fractions, or more than {_MOST_CLASSES} different numbers",
    )
    train.add_argument(
        "--test-size", type=float, default=0.2, metavar="SHARE", help="held out for the score; 0 for none (0.2)"
    )
    train.add_argument("--hidden", type=int, nargs="+", metavar="N", help="units of each hidden layer")
    train.add_argument("--max-iter", type=int, metavar="N", help="number of epochs")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of the split and the training (0)")
    train.add_argument("--backend", metavar="NAME", help="see `python -m bvar backends`")
    train.add_argument("-v", "--verbose", action="store_true", help="show progress")
    train.set_defaults(run=_train)


def add_predict(commands: Any) -> None:
    """Describe the options of ``predict``.

    Parameters
    ----------
    commands : argparse action
        What `add_subparsers` of a parser returned.
    """
    predict = commands.add_parser("predict", help="apply a saved model to a CSV file")
    predict.add_argument("model", type=Path, help="file that `train` wrote")
    predict.add_argument("data", type=Path, help="CSV file with the columns of the training, in any order")
    predict.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where predictions go (standard output)"
    )
    predict.add_argument("--proba", action="store_true", help="add a column of probabilities for each class")
    predict.add_argument("--backend", metavar="NAME", help="see `python -m bvar backends`")
    predict.set_defaults(run=_predict)


def run(arguments: argparse.Namespace) -> int:
    """Run a command that was described here.

    Parameters
    ----------
    arguments : argparse.Namespace
        What the parser returned.

    Returns
    -------
    int
        The exit code: what the command returned, 0 if nothing, or 2 after a mistake of the user, which one line on
        standard error describes.
    """
    code = None
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (BackendUnavailable, CommandError, MemoryError, OverflowError, TypeError, ValueError) as error:
        return _complain(str(error) or type(error).__name__)
    return code or 0


def _complain(text: str) -> int:
    sys.stderr.write(f"bvar: error: {' '.join(text.split())}\n")
    return 2


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# --------------------------------------------------------------------------------------------------- train


def _train(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.test_size < 1:
        raise CommandError(f"--test-size must be at least 0 and less than 1, got {arguments.test_size:g}")
    if not arguments.output.parent.is_dir():  # rather now than after an hour
        raise CommandError(f"{arguments.output.parent}: no such directory for the model")
    with CsvFile(arguments.data) as file:
        target = file.find(arguments.target)
        others = [j for j in range(len(file.names)) if j != target]
        if not others:
            raise CommandError(f"{file.path}: there is no column but the target")
        lines, columns = _columns(file)
    X = to_matrix([_guess(columns[j]) for j in others])
    y, task = _target(arguments, lines, columns[target])
    _say(f"{arguments.data}: {len(y)} rows, {len(others)} columns; {_about_target(arguments.target, y, task)}")
    train, test = _split(y, task, arguments)
    model = _make_model(task, arguments)
    start = time.perf_counter()
    model.fit(X[train], y[train])
    # arrays have no names, and frames need a library that may not be there
    names = np.array([file.names[j] for j in others], object)
    _say(f"trained on {len(train)} rows in {time.perf_counter() - start:.1f} s")
    if len(test):
        name = "accuracy" if task == "classify" else "R2"
        _say(f"{name} on {len(test)} rows held out: {model.score(X[test], y[test]):.4f}")
    model.feature_names_in_ = model.encoder_.feature_names_in_ = names
    model_file.save(model, arguments.output)
    _say(f"{arguments.output} written, {arguments.output.stat().st_size} bytes")


def _columns(file: CsvFile) -> tuple[list[int], list[list[str]]]:
    """Read everything; return the line number of each row, and the columns."""
    rows = list(file.rows())
    if not rows:
        raise CommandError(f"{file.path}: no rows below the column names")
    return [line for line, _ in rows], [list(column) for column in zip(*(cells for _, cells in rows), strict=True)]


def _guess(cells: Sequence[str]) -> np.ndarray:
    """Return a column as numbers if all its cells are, else as text; an empty cell is missing."""
    numbers = to_numbers(cells)
    return _texts(cells) if numbers is None else numbers


def _texts(cells: Iterable[Any]) -> np.ndarray:
    return np.array([*(None if cell == "" else cell for cell in cells), None], object)[
        :-1
    ]  # the last None: never a 2-D array


def _target(arguments: argparse.Namespace, lines: Sequence[int], cells: Sequence[str]) -> tuple[np.ndarray, str]:
    for line, cell in zip(lines, cells, strict=True):
        if not cell:
            raise CommandError(f"{arguments.data}, line {line}: the target {arguments.target!r} is empty")
    numbers = to_numbers(cells) if all(map(is_number, cells)) else None
    task = arguments.task
    if task == "auto":
        task = "classify" if numbers is None or _look_like_classes(numbers) else "regress"
    if task == "classify":
        return _labels(cells), task
    if numbers is None:
        line, cell = next((n, c) for n, c in zip(lines, cells, strict=True) if not is_number(c))
        raise CommandError(f"{arguments.data}, line {line}: cannot regress on {cell!r}, which is no number")
    return numbers, task


def _look_like_classes(numbers: np.ndarray) -> bool:
    return bool((numbers == np.floor(numbers)).all()) and len(np.unique(numbers)) <= _MOST_CLASSES


def _labels(cells: Sequence[str]) -> np.ndarray:
    """Return integers if they are written as such, else the text itself: predictions then look like the data."""
    try:
        integers = [int(cell) for cell in cells]
        if [str(i) for i in integers] == list(cells):
            return np.array(integers, np.int64)
    except (ValueError, OverflowError):
        pass
    return np.array(cells)


def _about_target(name: str, y: np.ndarray, task: str) -> str:
    if task == "classify":
        return f"classify {name!r}, {len(np.unique(y))} classes"
    return f"regress {name!r}, from {y.min():g} to {y.max():g}"


def _split(y: np.ndarray, task: str, arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(y))
    if arguments.test_size == 0:
        return rows, rows[:0]
    options = {"test_size": arguments.test_size, "random_state": arguments.seed}
    try:
        return tuple(train_test_split(rows, stratify=y if task == "classify" else None, **options))
    except ValueError:  # a class is too rare to be in both parts
        return tuple(train_test_split(rows, **options))


def _make_model(task: str, arguments: argparse.Namespace) -> Any:
    options: dict[str, Any] = {
        "encoder": TableEncoder(),
        "random_state": arguments.seed,
        "verbose": arguments.verbose,
    }
    given = {"hidden_layer_sizes": arguments.hidden, "max_iter": arguments.max_iter}
    options.update({name: value for name, value in given.items() if value is not None})
    with use(arguments.backend):  # a wrong name fails before the training
        options["backend"] = arguments.backend
    return (BooleanClassifier if task == "classify" else BooleanRegressor)(**options)


# ------------------------------------------------------------------------------------------------- predict


def _predict(arguments: argparse.Namespace) -> None:
    model = model_file.load(arguments.model)
    if not hasattr(model, "predict"):
        raise CommandError(f"{arguments.model}: a {type(model).__name__} makes no predictions")
    model.set_params(backend=arguments.backend)  # the one of the training may not run here
    if arguments.proba and not hasattr(model, "predict_proba"):
        raise CommandError("--proba: a regression has no probabilities")
    with CsvFile(arguments.data) as file:
        places = _places(model, file)
        parts = [_answers(model, X, arguments.proba) for X in _blocks(model, file, places)]
    if not parts:
        raise CommandError(f"{file.path}: no rows below the column names")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_header(model, arguments.proba))
    for rows in parts:
        writer.writerows(rows)
    if arguments.output is None:
        sys.stdout.write(text.getvalue())
    else:
        arguments.output.write_text(text.getvalue(), encoding="utf-8", newline="")
        _say(f"{arguments.output} written, {sum(map(len, parts))} predictions")


def _places(model: Any, file: CsvFile) -> list[int]:
    """Find the columns of the model in a file."""
    if hasattr(model, "feature_names_in_"):
        places = [file.find(name) for name in model.feature_names_in_]
        del model.feature_names_in_, model.encoder_.feature_names_in_  # compared here, once and for all
        return places
    if len(file.names) != model.n_features_in_:
        raise CommandError(
            f"{file.path}: the model was trained without names and needs {model.n_features_in_} columns, "
            f"the file has {len(file.names)}"
        )
    return list(range(model.n_features_in_))


def _blocks(model: Any, file: CsvFile, places: list[int]) -> Iterator[np.ndarray]:
    """Yield the rows of a file, a block at a time, with the columns of the model."""
    readers = [_Reader(model.encoder_, k) for k in range(len(places))]
    for rows in file.blocks(_ROWS):
        columns = []
        for j, reader in zip(places, readers, strict=True):
            cells = [cells[j] for _, cells in rows]
            try:
                columns.append(reader.read(cells))
            except _NotANumberError as error:
                line = rows[error.args[0]][0]
                cell = cells[error.args[0]]
                raise CommandError(
                    f"{file.path}, line {line}: column {file.names[j]!r} must hold numbers, has {cell!r}"
                ) from None
        yield to_matrix(columns)


class _NotANumberError(Exception):
    """The index of a cell that should be a number."""


class _Reader:
    """Turns the cells of one column into what its encoder was fitted to."""

    def __init__(self, encoder: Any, column: int) -> None:
        kind = encoder.kinds_[column] if isinstance(encoder, TableEncoder) else None
        self.is_text = isinstance(encoder, OneHotBits) or kind == "category"
        self.is_bool = kind == "bool"
        known = encoder.categories_[column] + encoder.infrequent_categories_[column] if self.is_text else []
        self.texts = {c for c in known if isinstance(c, str)}
        self.numbers = {float(c) for c in known if not isinstance(c, str)}

    def read(self, cells: list[str]) -> np.ndarray:
        if self.is_text:
            return _texts(map(self._category, cells))
        if self.is_bool:
            cells = [_BOOLEANS.get(cell.lower(), cell) for cell in cells]
        numbers = to_numbers(cells, some=False)
        if numbers is None:
            raise _NotANumberError(
                next(i for i, cell in enumerate(cells) if to_numbers([cell], some=False) is None)
            )
        return numbers

    def _category(self, cell: str) -> str | float:
        """Return a category of numbers as a number: 7 and 7.0 are one."""
        if self.numbers and cell not in self.texts:
            number = _BOOLEANS.get(cell.lower(), cell)
            if is_number(number) and float(number) in self.numbers:
                return float(number)
        return cell


def _header(model: Any, proba: bool) -> list[str]:
    outputs = getattr(model, "target_mean_", model.classes_ if hasattr(model, "classes_") else [])
    many = getattr(model, "multilabel_", False) or getattr(model, "target_ndim_", 1) == 2
    names = [f"prediction:{i}" for i in range(len(outputs))] if many else ["prediction"]
    return names + [f"probability:{c}" for c in model.classes_] if proba else names


def _answers(model: Any, X: np.ndarray, proba: bool) -> list[list[Any]]:
    """Return what goes into each line of the output."""
    answers = model.predict(X).reshape(len(X), -1).tolist()
    if proba:
        answers = [a + p for a, p in zip(answers, model.predict_proba(X).tolist(), strict=True)]
    return answers
