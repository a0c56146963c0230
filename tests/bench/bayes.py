"""Bayesian models against exact answers and against each other, as Markdown tables.

Usage: python -m tests.bench.bayes priors spatial autoencoder sparse-gp [--results FILE.json] [--seeds 3]

A part is a module of its own, `bayes_` and its name, which says what it measures.  With --results, what FILE
holds is not computed again, and what is computed is added to it at once; so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import bayes_autoencoder, bayes_priors, bayes_sparse_gp, bayes_spatial
from tests.bench.timing import describe, one_thread

PARTS = {
    "priors": bayes_priors,
    "spatial": bayes_spatial,
    "autoencoder": bayes_autoencoder,
    "sparse-gp": bayes_sparse_gp,
}


class Results:
    """Rows by name, each with the processor time that it took, kept in a file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows = json.loads(path.read_text()) if path is not None and path.exists() else {}

    def row(self, name: str, compute: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return the row of a name, computed now if it is not there."""
        if name not in self.rows:
            start = time.process_time()
            row = compute()
            self.rows[name] = {**row, "seconds": time.process_time() - start}
            if self.path is not None:
                self.path.write_text(json.dumps(self.rows, indent=1))
        return self.rows[name]


def main() -> None:
    """Measure the parts that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    one_thread()
    print(describe())
    results = Results(arguments.results)
    for part in arguments.parts:
        print(f"\n## {part}\n")
        PARTS[part].report(results, arguments.seeds)
    minutes = sum(row["seconds"] for row in results.rows.values()) / 60
    print(f"\n{minutes:.1f} minutes of processor time for all rows")


if __name__ == "__main__":
    main()
