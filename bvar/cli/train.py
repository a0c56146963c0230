"""``python -m bvar train``: learn from a CSV file, for people who do not write Python.

``docs/howto/command-line.md`` shows how.  What each column is taken for is decided in :mod:`bvar.cli.columns` and
:mod:`bvar.cli.target`, and said.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from bvar import model_file
from bvar.backends import use
from bvar.cli.cells import to_matrix
from bvar.cli.columns import ColumnReport, read_columns, report, values
from bvar.cli.command import CommandError, Commands, check_output, counted, integer, number, quoted, say, shown
from bvar.cli.csv import CsvFile, delimiter
from bvar.cli.models import MODELS, check_model, make_model
from bvar.cli.target import MOST_CLASSES, Target, learn_target

__all__ = ["add"]

_LISTED = 20  # columns of numbers without a gap that are worth a line each
_WIDTH = 24  # of the names of columns
_WISHES = ("--categorical", "--numeric", "--ignore", "--id")


def add(commands: Commands) -> None:
    """Describe the command and its options.

    Parameters
    ----------
    commands : Commands
        Where it belongs.
    """
    train = commands.add_parser("train", help="learn from a CSV file and save the model")
    train.add_argument("data", type=Path, help="CSV file with a line of column names")
    train.add_argument("--target", required=True, metavar="COLUMN", help="the column to learn")
    train.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="where the model goes")
    train.add_argument(
        "--task",
        choices=("classify", "regress", "auto"),
        default="auto",
        help=f"auto: regress if the target has fractions, or more than {MOST_CLASSES} different numbers",
    )
    for option, what in (
        ("--categorical", "take these columns for categories"),
        ("--numeric", "take these columns for numbers, and refuse other cells"),
        ("--ignore", "leave these columns out"),
        ("--id", "leave these columns out, and make sure that they tell the rows apart"),
    ):
        train.add_argument(option, nargs="+", action="extend", default=[], metavar="COLUMN", help=what)
    train.add_argument(
        "--delimiter", type=delimiter, default=",", metavar="CHARACTER", help="what separates cells, or tab (,)"
    )
    train.add_argument("--model", choices=sorted(MODELS), default="boolean", help="what is trained (boolean)")
    train.add_argument(
        "--class-weight",
        nargs="+",
        default=[],
        metavar="CLASS=WEIGHT",
        help="how much each row of a class counts, or the word balanced",
    )
    train.add_argument(
        "--test-size",
        type=number(0, 1),
        default=0.2,
        metavar="SHARE",
        help="held out for the score; 0 for none (0.2)",
    )
    train.add_argument(
        "--hidden", type=integer(1, 2**20), nargs="+", metavar="N", help="units of each hidden layer"
    )
    train.add_argument("--max-iter", type=integer(1, 10**9), metavar="N", help="number of epochs")
    train.add_argument(
        "--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="of the split and the training (0)"
    )
    train.add_argument("--backend", metavar="NAME", help="see `python -m bvar backends`")
    train.add_argument("-v", "--verbose", action="store_true", help="show progress, and every column")
    train.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> None:
    check_output(arguments.output, arguments.data)  # rather now than after an hour
    with use(arguments.backend):  # a wrong name fails here
        pass
    target, reports = _read(arguments)
    used = [one for one in reports if one.taken_for != "left out"]
    _report(arguments, target, reports)
    check_model(arguments.model, target, used)
    model = make_model(arguments, target, used)
    X, y = to_matrix([values(one) for one in used]), target.y
    train, test = _split(y, target.task, arguments)
    start = time.perf_counter()
    model.fit(X[train], y[train])
    say(f"trained on {counted(len(train), 'row')} in {time.perf_counter() - start:.1f} s")
    if len(test):
        name = "accuracy" if target.task == "classify" else "R2"
        say(f"{name} on {counted(len(test), 'row')} held out: {model.score(X[test], y[test]):.4f}")
    # arrays have no names, and frames need a library that may not be there
    names = np.array([one.column.name for one in used], object)
    model.feature_names_in_ = model.encoder_.feature_names_in_ = names
    model_file.save(model, arguments.output)
    say(f"{arguments.output} written, {arguments.output.stat().st_size} bytes")


def _read(arguments: argparse.Namespace) -> tuple[Target, list[ColumnReport]]:
    """Decide what the target and all other columns are taken for."""
    with CsvFile(arguments.data, arguments.delimiter) as file:
        place = file.find(arguments.target, "--target")
        wishes = _wishes(arguments, file)
        if len(file.names) == 1:
            raise CommandError(f"{file.path}: there is no column but the target{file.hint()}")
        columns = read_columns(file)
    target = learn_target(columns.pop(place), arguments.task)
    reports = [report(column, wishes.get(column.place)) for column in columns]
    if all(one.taken_for == "left out" for one in reports):
        reasons = "; ".join(f"{shown(one.column.label)}: {one.why}" for one in reports[:5])
        raise CommandError(f"{arguments.data}: there is no column to learn from; left out are {reasons}")
    return target, reports


def _wishes(arguments: argparse.Namespace, file: CsvFile) -> dict[int, str]:
    """Return the option that names a column, for each that one does."""
    wishes: dict[int, str] = {}
    for option in _WISHES:
        for name in getattr(arguments, option.removeprefix("--")):
            place = file.find(name, option)
            if name == arguments.target:
                raise CommandError(f"{option} must name columns to learn from, got the target {quoted(name)}")
            if wishes.setdefault(place, option) != option:
                raise CommandError(f"{option} must not name a column of {wishes[place]} too, got {quoted(name)}")
    return wishes


def _report(arguments: argparse.Namespace, target: Target, reports: Sequence[ColumnReport]) -> None:
    """Say what everything is taken for; a column of numbers without a gap is soon one of many."""
    n_used = sum(one.taken_for != "left out" for one in reports)
    if target.task == "classify":
        what = f"classify {arguments.target!r}, {len(np.unique(target.y))} classes"
    else:
        what = f"regress {arguments.target!r}, from {target.y.min():g} to {target.y.max():g}"
    say(f"{arguments.data}: {counted(len(target.y), 'row')}, {counted(n_used, 'column')}; {what}")
    _say_column(arguments.target, "target", target.says)
    n_plain = 0
    for one in reports:
        n_plain += _is_plain(one)
        if arguments.verbose or n_plain <= _LISTED or not _is_plain(one):
            _say_column(one.column.label, one.taken_for, one.why)
    if n_plain > _LISTED and not arguments.verbose:
        say(f"  and {n_plain - _LISTED} more columns of numbers without a gap; --verbose names them")


def _is_plain(decided: ColumnReport) -> bool:
    column = decided.column
    return decided.taken_for == "number" and column.n_known == len(column.cells)


def _say_column(name: str, taken_for: str, why: str) -> None:
    say(f"  {shown(name) if len(name) <= _WIDTH else quoted(name):<{_WIDTH}}  {taken_for:<8}  {why}")


def _split(y: np.ndarray, task: str, arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to learn from, and those held out, the classes in proportion."""
    rows = np.arange(len(y))
    if arguments.test_size == 0:
        return rows, rows[:0]
    least = 1 if task == "classify" else 2  # R2 compares with the mean of several
    n_held_out = ceil(arguments.test_size * len(y))
    if not least <= n_held_out < len(y):
        raise CommandError(
            f"{arguments.data}: --test-size must hold out at least {least} of the rows and leave one, got "
            f"{arguments.test_size:g} of {len(y)}; 0 holds out none"
        )
    options = {"test_size": arguments.test_size, "random_state": arguments.seed}
    try:
        train, test = train_test_split(rows, stratify=y if task == "classify" else None, **options)
    except ValueError:  # a class is too rare to be in both parts
        train, test = train_test_split(rows, **options)
    unseen = ~np.isin(y[test], y[train]) & (task == "classify")  # what was never seen can only be wrong
    return np.append(train, test[unseen]), test[~unseen]
