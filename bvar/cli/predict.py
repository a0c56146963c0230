"""``python -m bvar predict``: apply a saved model to a CSV file, and write a CSV file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bvar import model_file
from bvar.cli.cells import (
    BOOLEANS,
    NUMBERS,
    category_number,
    cell_type,
    is_missing,
    to_matrix,
    to_numbers,
    to_objects,
)
from bvar.cli.command import CommandError, Commands, check_output, counted, quoted, say
from bvar.cli.csv import CsvFile, delimiter
from bvar.encoding import OneHotBits, TableEncoder
from bvar.model_file._replacing import replacing

__all__ = ["add"]

_ROWS = 8192  # read and predicted at a time


def add(commands: Commands) -> None:
    """Describe the command and its options.

    Parameters
    ----------
    commands : Commands
        Where it belongs.
    """
    predict = commands.add_parser("predict", help="apply a saved model to a CSV file")
    predict.add_argument("model", type=Path, help="file that `train` wrote")
    predict.add_argument("data", type=Path, help="CSV file with the columns of the training, in any order")
    predict.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where predictions go (standard output)"
    )
    predict.add_argument(
        "--id",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="columns of the data to repeat in front of the predictions",
    )
    predict.add_argument("--proba", action="store_true", help="add a column of probabilities for each class")
    predict.add_argument(
        "--delimiter",
        type=delimiter,
        default=",",
        metavar="CHARACTER",
        help="what separates the cells of both files, or tab (,)",
    )
    predict.add_argument("--backend", metavar="NAME", help="see `python -m bvar backends`")
    predict.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> None:
    if arguments.output is not None:
        check_output(arguments.output, arguments.data, arguments.model)
    model = model_file.load(arguments.model)
    _check(model, arguments)
    if hasattr(model, "backend"):
        model.set_params(backend=arguments.backend)  # the one of the training may not run here
    with CsvFile(arguments.data, arguments.delimiter) as file:
        ids = [file.find(name, "--id") for name in arguments.id]
        header = [*arguments.id, *_header(model, arguments.proba)]
        twice = next((name for name, n in Counter(header).items() if n > 1), None)
        if twice is not None:
            raise CommandError(f"--id: the predictions would have more than one column called {quoted(twice)}")
        blocks = _blocks(model, file, _places(model, file))
        parts = [_answers(model, X, rows, ids, arguments.proba) for rows, X in blocks]
    if not parts:
        raise CommandError(f"{file.path}: no rows below the column names")
    _write(arguments, [header], *parts)
    if arguments.output is not None:
        say(f"{arguments.output} written, {counted(sum(map(len, parts)), 'prediction')}")


def _check(model: Any, arguments: argparse.Namespace) -> None:
    """Refuse what cannot answer the rows of a table."""
    kind = type(model).__name__
    if not hasattr(model, "predict"):
        raise CommandError(f"{arguments.model}: {kind} makes no predictions")
    if not hasattr(model, "encoder_"):
        raise CommandError(
            f"{arguments.model} must hold a model with an encoder of columns, got {kind}, which has none: "
            "bvar.load it, and call its predict"
        )
    if arguments.proba and not hasattr(model, "predict_proba"):
        what = "classification by this loss" if hasattr(model, "classes_") else "regression"
        raise CommandError(f"--proba: a {what} has no probabilities")


def _write(arguments: argparse.Namespace, *parts: list[list[Any]]) -> None:
    """Write all at once: a mistake in the last row leaves nothing behind."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=arguments.delimiter, lineterminator="\n")
    for rows in parts:
        writer.writerows(rows)
    if arguments.output is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # as in a file, whatever the terminal speaks
        sys.stdout.write(text.getvalue())
    elif arguments.output.exists() and not arguments.output.is_file():  # a device or a pipe
        arguments.output.write_text(text.getvalue(), encoding="utf-8", newline="")
    else:
        with replacing(arguments.output) as file:
            file.write(text.getvalue().encode())


def _places(model: Any, file: CsvFile) -> list[int]:
    """Find the columns of the model in a file."""
    if hasattr(model, "feature_names_in_"):
        places = [file.find(name) for name in model.feature_names_in_]
        del model.feature_names_in_, model.encoder_.feature_names_in_  # compared here, once and for all
        return places
    if len(file.names) != model.n_features_in_:
        raise CommandError(
            f"{file.path}: the model was trained without names and needs {model.n_features_in_} columns, "
            f"the file has {len(file.names)}{file.hint()}"
        )
    return list(range(model.n_features_in_))


def _blocks(
    model: Any, file: CsvFile, places: Sequence[int]
) -> Iterator[tuple[list[tuple[int, list[str]]], np.ndarray]]:
    """Yield the rows of a file, a block at a time, and what the model gets to see of them."""
    readers = [_Reader(model.encoder_, k) for k in range(len(places))]
    for rows in file.blocks(_ROWS):
        columns = []
        for j, reader in zip(places, readers, strict=True):
            cells = [cells[j] for _, cells in rows]
            odd = reader.first_odd(cells)
            if odd is not None:
                raise CommandError(
                    f"{file.path}, line {rows[odd][0]}: column {quoted(file.names[j])} must hold {NUMBERS}, or "
                    f"empty cells, got {quoted(cells[odd])}"
                )
            columns.append(reader.read(cells))
        yield rows, to_matrix(columns)


class _Reader:
    """Turns the cells of one column into what its encoder was fitted to."""

    def __init__(self, encoder: Any, column: int) -> None:
        column_type = encoder.kinds_[column] if isinstance(encoder, TableEncoder) else None
        self.is_text = isinstance(encoder, OneHotBits) or column_type == "category"
        self.is_bool = column_type == "bool"
        known = encoder.categories_[column] + encoder.infrequent_categories_[column] if self.is_text else []
        self.texts = {c for c in known if isinstance(c, str)}
        self.numbers = {c for c in known if not isinstance(c, str)}

    def first_odd(self, cells: Sequence[str]) -> int | None:
        """Return the place of the first cell that should be a number."""
        if self.is_text:
            return None
        return next((i for i, cell in enumerate(self._plain(cells)) if not _is_legal(cell)), None)

    def read(self, cells: Sequence[str]) -> np.ndarray:
        """Return numbers, or categories."""
        return to_objects(map(self._category, cells)) if self.is_text else to_numbers(self._plain(cells))

    def _plain(self, cells: Sequence[str]) -> Sequence[str]:
        return [BOOLEANS.get(cell.lower(), cell) for cell in cells] if self.is_bool else cells

    def _category(self, cell: str) -> str | float | int:
        """Return a category of numbers as a number: 7 and 7.0 are one."""
        if not self.numbers or cell in self.texts:
            return cell
        plain = BOOLEANS.get(cell.lower(), cell)
        if cell_type(plain) in ("number", "code") and category_number(plain) in self.numbers:
            return category_number(plain)
        return "" if is_missing(cell) and not self.texts else cell


def _is_legal(cell: str) -> bool:
    return cell_type(cell) in ("number", "code", "empty", "missing")


def _header(model: Any, proba: bool) -> list[str]:
    outputs = getattr(model, "target_mean_", model.classes_ if hasattr(model, "classes_") else [])
    many = getattr(model, "multilabel_", False) or getattr(model, "target_ndim_", 1) == 2
    known = getattr(model, "target_names_", None)
    labels = range(len(outputs)) if known is None else known
    names = [f"prediction:{label}" for label in labels] if many else ["prediction"]
    return names + [f"probability:{c}" for c in (model.classes_ if known is None else known)] if proba else names


def _answers(
    model: Any, X: np.ndarray, rows: Sequence[tuple[int, list[str]]], ids: Sequence[int], proba: bool
) -> list[list[Any]]:
    """Return what goes into each line of the output."""
    parts = [[[cells[j] for j in ids] for _, cells in rows], model.predict(X).reshape(len(X), -1).tolist()]
    if proba:
        parts.append(model.predict_proba(X).tolist())
    return [[*chain.from_iterable(line)] for line in zip(*parts, strict=True)]
