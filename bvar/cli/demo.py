"""``python -m bvar demo``: learn handwritten digits with single bits, beside two float models."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar._extras import hint
from bvar.cli.command import CommandError, Commands, say
from bvar.cli.slide import Row, draw
from bvar.estimators import BooleanClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["add", "run"]

HIDDEN = (1024,)
_PICTURE = Path("bvar-demo.png")
_FORMATS = (".png", ".pdf", ".svg")


def add(commands: Commands) -> None:
    """Describe the command and its option.

    Parameters
    ----------
    commands : Commands
        Where it belongs.
    """
    demo = commands.add_parser("demo", help="learn handwritten digits and compare with float models")
    demo.add_argument(
        "--plot", type=Path, metavar="FILE", help=f"where the plot goes ({_PICTURE} in the current folder)"
    )
    demo.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> None:
    run(arguments.plot)


def run(picture: Path | None = None) -> None:
    """Train, compare, print and draw.

    Parameters
    ----------
    picture : Path, optional
        Where the plot goes; default: into the current folder, if that is the user's.

    Raises
    ------
    CommandError
        If `picture` is in no folder, or of no format that is drawn.
    """
    if picture is not None and (not picture.parent.is_dir() or picture.suffix.lower() not in _FORMATS):
        raise CommandError(
            f"--plot must be a {', '.join(_FORMATS)} file in a folder that exists, got {str(picture)!r}"
        )
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    model = BooleanClassifier(HIDDEN, max_iter=20, random_state=0, callbacks=_say_epoch)
    say(f"{len(X_train)} handwritten digits to learn from, {len(X_test)} held out\n")
    say("         right answers          bits flipped")
    say("epoch    learning   held out    layer 1   layer 2")
    start = time.perf_counter()
    model.fit(X_train, y_train, X_val=X_test, y_val=y_test)  # watched, and nothing is decided by them
    seconds = time.perf_counter() - start
    say("\nOn the digits held out:\n")
    say("accuracy     weights  bits of each      bytes  seconds  model")
    rows = [Row(model.score(X_test, y_test), "bvar", _n_bits(model), 1, seconds)]
    _say_row(rows[0])
    for name, rival in _rivals().items():
        start = time.perf_counter()
        rival.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        rows.append(Row(rival.score(X_test, y_test), f"scikit-learn's {name}", _n_floats(rival), 64, seconds))
        _say_row(rows[-1])
    say(f"\nfile     {_file_size(model):,} bytes: the weights, with thresholds and history")
    say(f"backend  {model.backend_}")
    say(f"weights  SHA-256 {model.network_.fingerprint()}")
    say("         (the same on every backend and machine)")
    say(f"plot     {_save(lambda: draw(model, rows, X_test, y_test), picture)}")


def _say_epoch(model: BooleanClassifier) -> None:
    now = {name: values[-1] for name, values in model.history_.items()}
    flips = "   ".join(f"{100 * share:7.4f}%" for share in now["flips"])
    say(f"{model.n_iter_:5d}    {now['score']:8.4f}   {now['validation_score']:8.4f}   {flips}")


def _say_row(row: Row) -> None:
    say(
        f"{row.score:8.4f}  {row.n_weights:10,}  {row.width:12d}  {row.n_bytes:9,}  {row.seconds:7.1f}  {row.name}"
    )


def _rivals() -> dict[str, Any]:
    # imported here: every other command would wait for them
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(HIDDEN, max_iter=300, random_state=0)),
        "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }


def _n_floats(pipeline: Any) -> int:
    model = pipeline[-1]
    coefficients, constants = (
        (model.coefs_, model.intercepts_) if hasattr(model, "coefs_") else ([model.coef_], [model.intercept_])
    )
    return sum(array.size for array in (*coefficients, *constants))


def _n_bits(model: BooleanClassifier) -> int:
    return sum(prod(p.shape) for p in model.network_.parameters)


def _file_size(model: BooleanClassifier) -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "digits.bvar")
        model.set_params(callbacks=None).save(file)  # a file holds no function
        return file.stat().st_size


def _save(draw: Callable[[], Figure], picture: Path | None) -> str:
    """Draw, and say where; a folder that is not the user's is left alone unless it was asked for."""
    elsewhere = "; --plot FILE draws it elsewhere"
    if picture is None:
        picture = _PICTURE.absolute()
        if _is_foreign(picture.parent):
            return f"none: the current folder, {picture.parent}, belongs to someone else{elsewhere}"
    try:
        figure = draw()
    except ImportError:
        return f"none: matplotlib is missing ({hint('plot')})"
    try:
        figure.savefig(picture, dpi=150)
    except OSError as error:
        return f"none: {picture} cannot be written ({error.strerror}){elsewhere}"
    return str(picture)


def _is_foreign(folder: Path) -> bool:
    return hasattr(os, "geteuid") and folder.stat().st_uid != os.geteuid()
