"""``python -m bvar demo``: learn handwritten digits with single bits, beside two float models."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from math import prod
from pathlib import Path
from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bvar import plotting
from bvar._extras import hint
from bvar.cli.command import CommandError, Commands, say
from bvar.estimators import BooleanClassifier

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
    model = BooleanClassifier(HIDDEN, max_iter=20, random_state=0, verbose=2)
    say(f"{len(X_train)} handwritten digits to learn from, {len(X_test)} held out")
    say("score: right answers on the former while they are learnt; flipped: share of each layer's weights")
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    score = model.score(X_test, y_test)
    say("\nOn the digits held out:")
    _say_model(score, f"bvar, {_n_bits(model)} weights of 1 bit", _n_bytes(model), seconds, head="accuracy")
    for name, rival in _rivals().items():
        start = time.perf_counter()
        rival.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        n = _n_floats(rival)
        _say_model(rival.score(X_test, y_test), f"scikit-learn's {name}, {n} weights of 64 bits", 8 * n, seconds)
    say(f"bits     1 per weight, 1 per activation: {_n_bytes(model) / 1024:.0f} KiB are the weights only;")
    say(f"         as a file, with thresholds and history, the model has {_file_size(model) / 1024:.0f} KiB")
    say(f"backend  {model.backend_}")
    say(f"weights  SHA-256 {model.network_.fingerprint()}")
    say("         (the same on every backend and machine)")
    say(f"plot     {_draw(model, score, picture)}")


def _say_model(score: float, what: str, n_bytes: int, seconds: float, head: str = "") -> None:
    say(f"{head:<8} {score:.4f}  {what}, {n_bytes / 1024:.0f} KiB, {seconds:.1f} s")


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


def _n_bytes(model: BooleanClassifier) -> int:
    return sum(p.n_bytes for p in model.network_.parameters)


def _file_size(model: BooleanClassifier) -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "digits.bvar")
        model.save(file)
        return file.stat().st_size


def _draw(model: BooleanClassifier, score: float, picture: Path | None) -> str:
    """Draw, and say where; a folder that is not the user's is left alone unless it was asked for."""
    elsewhere = "; --plot FILE draws it elsewhere"
    if picture is None:
        picture = _PICTURE.absolute()
        if _is_foreign(picture.parent):
            return f"none: the current folder, {picture.parent}, belongs to someone else{elsewhere}"
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return f"none: matplotlib is missing ({hint('plot')})"
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axhline(score, color="black", linestyle="--", label=f"held out, at the end: {score:.4f}")
    plotting.plot_learning_curve(model.history_, ax=left)
    left.set_title("Bits learn handwritten digits", loc="left")
    layers = [f"layer {i + 1}" for i in range(len(model.network_.parameters))]
    plotting.plot_flip_rate(model.history_, names=layers, ax=right)
    right.set_title("by flipping, ever more rarely", loc="left")
    try:
        figure.savefig(picture, dpi=150)
    except OSError as error:
        return f"none: {picture} cannot be written ({error.strerror}){elsewhere}"
    return str(picture)


def _is_foreign(folder: Path) -> bool:
    return hasattr(os, "geteuid") and folder.stat().st_uid != os.geteuid()
