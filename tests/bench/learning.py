"""What defaults learn on many tables, beside what others do: the numbers of ``docs/reference/learning.md``.

Usage: python -m tests.bench.learning --results FILE --data DIR [--tables pima ...] [--models Boolean MLP ...]
       python -m tests.bench.learning --results FILE [--models ...] [--report score ece ...] [--picture FILE.svg]

Without DIR nothing is run: tables are printed from FILE alone. With it, what FILE does not hold yet is measured
and added after each fit, so that a bench of hours can be run in pieces, in any order. Times are those of the
processor; BLAS and OpenMP have one thread. The modules beside this one say what the data and the models are, and
how ranks are made.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from tests.bench.learning_data import NUMBERS, TABLES, splits
from tests.bench.learning_models import MAKE, OURS, RIVALS, measure
from tests.bench.learning_report import METRICS, Results, losses, markdown, picture, summary
from tests.bench.timing import one_thread


def read(path: Path) -> Results:
    """Return results that were stored, or none."""
    return json.loads(path.read_text()) if path.exists() else {}


def store(results: Results, path: Path) -> None:
    """Replace the file at once, so that an interrupt leaves the old one or the new one."""
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    os.replace(new, path)


def run(path: Path, folder: Path, tables: list[str], models: list[str], n_splits: int | None) -> None:
    """Measure what is not there yet, and store it."""
    results = read(path)
    for table in tables:
        for seed, split in splits(table, folder, n_splits):
            for model in models:
                there = results.setdefault(table, {}).setdefault(model, {})
                if str(seed) in there:
                    continue
                row = measure(model, seed, split, numbers=table in NUMBERS)
                if row is not None:
                    there[str(seed)] = row
                    store(results, path)
                    shown = ", ".join(f"{k} {v:.4g}" for k, v in row.items() if v is not None)
                    print(f"{table}, {model}, split {seed}: {shown}", flush=True)


def main() -> None:
    """Measure if there are data, and print what is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="JSON file to read and to add to")
    parser.add_argument("--data", type=Path, help="folder of the .npz files; without it, only print")
    parser.add_argument("--splits", type=int, help="default: 3, or 1 for tables of more than 10,000 rows")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), metavar="TABLE")
    parser.add_argument("--models", nargs="+", choices=list(MAKE), default=[*OURS, *RIVALS])
    parser.add_argument("--report", nargs="+", choices=list(METRICS), default=["score", "log_loss", "ece"])
    parser.add_argument("--picture", type=Path, help="draw critical differences of mean ranks into this file")
    arguments = parser.parse_args()
    if arguments.data:
        one_thread()
        run(arguments.results, arguments.data, arguments.tables, arguments.models, arguments.splits)
    results = read(arguments.results)
    models = [model for model in arguments.models if any(model in rows for rows in results.values())]
    for metric in arguments.report:
        print(markdown(results, models, metric), end="\n\n")
    print(summary(results, models), losses(results, models), sep="\n\n")
    if arguments.picture:
        print(picture(results, models, arguments.picture))


if __name__ == "__main__":
    main()
