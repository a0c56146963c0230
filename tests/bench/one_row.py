"""One row: microseconds of processor time through scikit-learn's door and through the predictor.

Usage: python -m tests.bench.one_row --data mnist.npz
"""

import argparse
import time

import numpy as np

from bvar import BooleanClassifier, backends


def microseconds(function, calls):
    """Median of nine rounds, a call."""
    times = []
    for _ in range(9):
        start = time.thread_time()
        for _ in range(calls):
            function()
        times.append((time.thread_time() - start) / calls)
    return 1e6 * float(np.median(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a file with x_train and y_train, images of bytes")
    data = np.load(parser.parse_args().data)
    X, y = data["x_train"].reshape(len(data["x_train"]), -1)[:20000], data["y_train"][:20000]
    models = {
        "1024": BooleanClassifier((1024,), max_iter=1, random_state=0),
        "1000 gates, 512, 512": BooleanClassifier((512, 512), gates=1000, max_iter=1, random_state=0),
        "2000 gates of 4, 512, 512": BooleanClassifier(
            (512, 512), gates=2000, fan_in=4, max_iter=1, random_state=0
        ),
    }
    print(f"backend {backends.current()}\n{'model':26} {'type':8} {'rows':>5} {'predict':>9} {'predictor':>9}")
    for name, model in models.items():
        predictor = model.fit(X, y).predictor()
        for rows in (X, X.astype(np.float64)):
            for n, calls in ((1, 300), (100, 30), (10000, 1)):
                some = rows[:n]
                doors = [microseconds(lambda d=d, some=some: d.predict(some), calls) for d in (model, predictor)]
                print(f"{name:26} {rows.dtype!s:8} {n:5} {doors[0]:9.1f} {doors[1]:9.1f}")


if __name__ == "__main__":
    main()
