"""Runs the benchmarks, each in a process of its own, and writes what they print: ``docs/reference/measured.md``.

    python -m tests.bench [--list] [--only kernels ...] [--data DIR] [--quick] [--page FILE]

Without --data, a folder of data sets, those that need one are left out, and said to be.  --quick runs the smallest
thing that each can do, where it takes seconds, to see that it runs at all.  Sections of the page that are not run
again stay.  Pages that quote numbers give the command, which is one of these.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.timing import describe

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/measured.md"
RIVALS = ("torch", "faiss", "numkong", "green_tsetlin", "xgboost", "torchlogix")


@dataclass(frozen=True)
class Bench:
    """A module of this folder: how it is run, how quickly, and which page quotes it; {data} is the folder."""

    name: str
    arguments: str
    quick: str | None  # None where nothing takes seconds
    page: str


BENCHES = (
    Bench("kernels", "", "--rounds 1 --blas as-is --only elementwise", "reference/benchmarks.md"),
    Bench("training_step", "", "--rounds 1 --sizes 70 80 10", "reference/benchmarks.md"),
    Bench("convolution", "", None, "reference/benchmarks.md"),
    Bench("vgg", "", None, "reference/benchmarks.md"),
    Bench("fold", "", "--width 0.03 --images 2 --rounds 1", "explanation/real-ends.md"),
    Bench("threads", "", "--rounds 1 --scale 16", "reference/benchmarks.md"),
    Bench("memory", "", "--sizes 70 80 10", "reference/benchmarks.md"),
    Bench("gates", "--speed --data {data}/mnist.npz", None, "reference/benchmarks.md"),
    Bench("gate_conv", "--data {data}", None, "howto/train-a-network-of-gates.md"),
    Bench("wires", "mnist-8000 --data {data}", None, "reference/accuracy.md"),
    Bench("fan_in", "--data {data}", None, "reference/accuracy.md"),
    Bench("hardware", "--data {data}", "--quick --simulate 0", "reference/hardware.md"),
    Bench("equivalence", "--data {data}", "--quick", "reference/hardware.md"),
    Bench("rivals", "--data {data}", "--quick --seconds 1 --only bvar_gates xgboost", "reference/hardware.md"),
    Bench("energy", "", "--batch 4 --no-measure", "explanation/energy.md"),
    Bench("theory", "", "--steps 20 --seeds 2 --epochs 1", "explanation/convergence.md"),
    Bench("recovery", "", None, "reference/accuracy.md"),
    Bench("grid", "--minutes 5", "--minutes 0.01", "reference/accuracy.md"),
    Bench("mnist", "--data {data}/mnist.npz", None, "reference/accuracy.md"),
    Bench("tables", "--data {data}", None, "reference/accuracy.md"),
    Bench("missing", "--data {data} --sets spambase digits --seeds 2", None, "reference/accuracy.md"),
    Bench("monotone", "--data {data}", None, "explanation/monotone.md"),
    Bench("intervals", "--data {data} --seeds 3", None, "explanation/prediction-intervals.md"),
    Bench("conv_mnist", "--data {data}/mnist.npz", None, "reference/accuracy.md"),
    Bench("learning", "--data {data} --results learning.json", None, "reference/learning.md"),
    Bench("rare_classes", "", "--problems 1", "reference/learning.md"),
    Bench("one_row", "--data {data}/mnist.npz", None, "howto/predict-one-row.md"),
    Bench("cluster", "--data {data}/mnist.npz", None, "howto/train-on-a-cluster.md"),
    Bench("multikernel", "rows", None, "reference/multi-kernel.md"),
    Bench("sentences", "--text {data}/tinyshakespeare.npz", None, "reference/multi-kernel.md"),
    Bench("real_ends", "--data {data}/mnist.npz --epochs 3", None, "explanation/real-ends.md"),
    Bench("density", "--data {data}", None, "reference/density.md"),
    Bench("mollified", "--data {data}", None, "reference/mollified.md"),
    Bench("augmentation", "--data {data} --results augmentation.json", None, "reference/augmentation.md"),
    Bench("bayes", "priors spatial autoencoder sparse-gp --results bayes.json", None, "reference/bayesian.md"),
    Bench("mollified_bits", "--data {data}", None, "reference/mollified-bits.md"),
    Bench("bridge", "", "depth", "reference/boolean-beliefs.md"),
    Bench("dead_zone", "", "--depths 1 --seeds 1", "reference/boolean-beliefs.md"),
)
HEAD = """# As measured

Written by `python -m tests.bench`, and not by hand: what each benchmark printed, on which processor, beside which
rivals. What it means stands on the page that a section names.
"""


def run(bench: Bench, arguments: str, data: Path | None) -> str:
    """Return a section of the page: the command and what it printed."""
    print(f"{bench.name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"tests.bench.{bench.name}", *arguments.format(data=data).split()]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return f"""## {bench.name}

{describe()}. Rivals that were not installed: {", ".join(absent()) or "none"}.
Quoted in [{Path(bench.page).stem}](../{bench.page}).

```console
$ python -m tests.bench.{bench.name} {arguments.format(data="DIR")}
{ran.stdout.rstrip()}
```
"""


def absent() -> list[str]:
    """Name the rivals that cannot be run here."""
    return [rival for rival in RIVALS if importlib.util.find_spec(rival) is None]


def why_not(bench: Bench, arguments: argparse.Namespace) -> str:
    """Say why a benchmark cannot be run so; nothing if it can."""
    if arguments.quick:
        return "" if bench.quick is not None else "it has no quick run"
    return "it needs --data" if "{data}" in bench.arguments and arguments.data is None else ""


def write(page: Path, sections: dict[str, str]) -> None:
    """Put sections where they belong, in the order of the table; others stay."""
    old = page.read_text() if page.exists() else ""
    found = {section.split("\n", 1)[0]: f"## {section}" for section in old.split("\n## ")[1:]} | sections
    page.write_text("\n".join([HEAD, *(found[b.name].rstrip() + "\n" for b in BENCHES if b.name in found)]))


def main() -> None:
    """Run those asked for."""
    names = [bench.name for bench in BENCHES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    if arguments.list:
        for bench in BENCHES:
            print(f"{bench.name:<15} {bench.page:<28} {bench.arguments}")
        return
    for rival in absent():
        print(f"{rival} is not installed: what is compared with it is left out", file=sys.stderr)
    for bench in (b for b in BENCHES if b.name in arguments.only):
        if reason := why_not(bench, arguments):
            print(f"{bench.name} is left out: {reason}", file=sys.stderr)
            continue
        section = run(bench, bench.quick if arguments.quick else bench.arguments, arguments.data)
        write(arguments.page, {bench.name: section})  # at once: the next may take hours


if __name__ == "__main__":
    main()
