"""Gates of fan-in 2, 3, 4 and 6, as many or with as many entries of tables: accuracy on validation rows.

Usage: python -m tests.bench.fan_in [--data DIR] [--tables digits connect4 ...] [--rows 3000] [--out FILE]

Two layers of 2000 gates, or of as many as have 16,000 entries together with two layers of 2000 gates of two, 20
epochs, seed 0.  Of at most --rows of the training part of a split 30 % are for validation; the test part is not
looked at.  What has been measured stands in --out and is not measured again.
"""

import argparse
import json
import time
from pathlib import Path

from sklearn.model_selection import train_test_split

from bvar import LogicGateClassifier
from tests.bench.learning_data import splits

FAN_INS = (2, 3, 4, 6)
N_GATES = 2000
TABLES = ("digits", "optdigits", "texture", "letter", "connect4", "adult")


def measure(table, arguments, fan_in, n_gates, wiring):
    _, split = next(splits(table, arguments.data, 1))
    n = min(arguments.rows, len(split.y_train))
    x, _, y, _ = train_test_split(split.X_train, split.y_train, train_size=n - 1, random_state=0)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.3, random_state=0)
    model = LogicGateClassifier(
        (n_gates, n_gates), fan_in=fan_in, wiring=wiring, max_iter=20, batch_size=100, random_state=0
    )
    start = time.thread_time()
    return {"accuracy": model.fit(x, y).score(x_val, y_val), "seconds": time.thread_time() - start}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--tables", nargs="+", default=TABLES)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--wiring", default="random", choices=["random", "learnt"])
    parser.add_argument("--out", type=Path, default=Path("fan_in.json"))
    arguments = parser.parse_args()
    found = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    for table in arguments.tables:
        for equal, sizes in (("gates", dict.fromkeys(FAN_INS, N_GATES)),
                             ("entries", {k: N_GATES * 4 >> k for k in FAN_INS})):  # fmt: skip
            row = []
            for fan_in, n_gates in sizes.items():
                key = f"{table} {fan_in} {n_gates} {arguments.wiring} {arguments.rows}"
                if key not in found:
                    found[key] = measure(table, arguments, fan_in, n_gates, arguments.wiring)
                    arguments.out.write_text(json.dumps(found, indent=1))
                row.append(f"{fan_in}: {100 * found[key]['accuracy']:.1f} ({found[key]['seconds']:.1f} s)")
            print(f"{table}, equal {equal}: {', '.join(row)}", flush=True)


if __name__ == "__main__":
    main()
