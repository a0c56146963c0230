"""The demonstration: learn handwritten digits with single bits, beside two float models on the same split."""

from __future__ import annotations

import time
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from bvar import plotting
from bvar.estimators import BooleanClassifier

HIDDEN = (1024,)


def run(png: Path) -> None:
    """Train, compare, print and draw.

    Parameters
    ----------
    png : Path
        Where the plot goes.
    """
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    model = BooleanClassifier(HIDDEN, max_iter=20, random_state=0, verbose=2)
    print(f"{len(X_train)} handwritten digits to learn from, {len(X_test)} held out")
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    score = model.score(X_test, y_test)
    weights = [p.bits for p in model.network_.parameters]
    n_weights = sum(w.n_rows * w.n_bits for w in weights)

    print(f"\naccuracy {score:.4f}  bvar, {n_weights} weights of 1 bit, {seconds:.1f} s")
    for name, rival in _rivals().items():
        start = time.perf_counter()
        rival.fit(X_train, y_train)
        print(
            f"         {rival.score(X_test, y_test):.4f}  scikit-learn's {name}, "
            f"{_n_floats(rival)} weights of 64 bits, {time.perf_counter() - start:.1f} s"
        )
    print(f"bits     1 per weight, 1 per activation: {sum(w.words.nbytes for w in weights) / 1024:.0f} KiB in all")
    print(f"backend  {model.backend_}")
    print(f"weights  SHA-256 {model.network_.fingerprint()}")
    print("         (the same on every backend and machine)")
    print(f"plot     {_draw(model, score, png)}")


def _rivals() -> dict[str, Pipeline]:
    return {
        "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(HIDDEN, max_iter=300, random_state=0)),
        "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }


def _n_floats(pipeline: Pipeline) -> int:
    model = pipeline[-1]
    if isinstance(model, MLPClassifier):
        return sum(array.size for array in (*model.coefs_, *model.intercepts_))
    return model.coef_.size + model.intercept_.size


def _draw(model: BooleanClassifier, score: float, png: Path) -> str:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return 'none: matplotlib is missing (pip install "boolean-variation[plot]")'
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axhline(score, color="black", linestyle="--", label=f"held out, at the end: {score:.4f}")
    plotting.plot_learning_curve(model.history_, ax=left)
    left.set_title("Bits learn handwritten digits", loc="left")
    layers = [f"layer {i + 1}" for i in range(len(model.network_.parameters))]
    plotting.plot_flip_rate(model.history_, names=layers, ax=right)
    right.set_title("by flipping, ever more rarely", loc="left")
    figure.savefig(png, dpi=150)
    return str(png)
