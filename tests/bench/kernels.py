"""Ratios of every hot operation to NumPy's float32 product or to the NumPy backend, for each compiled backend.

    python -m tests.bench.kernels [--rounds 9] [--only forward,votes,...] [--backends c-avx512,...]

Packing is included unless a line says "cached".  Which kernels OpenBLAS uses decides about every ratio to sgemm,
and it chooses differently from version to version and by the variable OPENBLAS_CORETYPE.  On x86-64 each section
with a product is therefore run in one process for each of --blas: those that it chooses by itself ("own"), and
those for AVX-512 ("SkylakeX") or AVX2 ("Haswell").  `--blas as-is` leaves the environment alone.
"""

# ruff: noqa: B023 - every contender is done with before the next turn of its loop

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bvar import backends, kernels
from bvar.backends import protocol
from bvar.bits import BitMatrix, n_words, tail_mask
from tests.bench.timing import describe, one_thread, race, show

Contenders = dict[str, Callable[[], object]]
RANDOM = np.random.RandomState(0)
FORWARD = [(100, 784, 1024), (128, 1024, 1024), (1024, 1024, 1024), (256, 4096, 4096)]
VOTES = [(128, 1024, 1024), (1024, 1024, 1024), (100, 4096, 4096), (256, 4096, 4096)]


def bits(r: int, n: int) -> BitMatrix:
    words = RANDOM.randint(0, 2**64, (r, n_words(n)), np.uint64)
    if n % 64:
        words[:, -1] &= tail_mask(n)
    return BitMatrix(words, n)


def floats(r: int, n: int) -> np.ndarray:
    return RANDOM.standard_normal((r, n)).astype(np.float32)


def on(name: str, call: Callable[[], object]) -> Callable[[], object]:
    """The call with a backend in force; without the microseconds of `backends.use`."""
    backend = backends.get(name)

    def run() -> object:
        token = protocol._current.set(backend)
        try:
            return call()
        finally:
            protocol._current.reset(token)

    return run


def forward(names: Sequence[str], rounds: int) -> None:
    """Fused sums and thresholds: samples, bits, outputs."""
    for b, n, o in FORWARD:
        x, w, tau, xf, wf = bits(b, n), bits(o, n), np.zeros(o, np.int32), floats(b, n), floats(n, o)
        size, base, work = f"{b} x {n} x {o}", {"sgemm": lambda: xf @ wf}, b * n * o
        race_all(f"forward {size}", base, names, lambda: kernels.gate_bits(x, w, tau), work, rounds)
        row, out = np.full(b, n, np.int32), np.empty((b, n_words(o)), np.uint64)
        contenders: Contenders = dict(base)
        for name in names:
            contenders[name] = operation(backends.get(name), x.words, w.words, row, tau, out)
        show("  the operation of the backend alone", race(contenders, rounds), work)
    x, w, tau, xf, wf = (
        bits(1, 4096),
        bits(4096, 4096),
        np.zeros(4096, np.int32),
        floats(1, 4096),
        floats(4096, 4096),
    )
    contenders = {"sgemm": lambda: xf @ wf}
    for name in names:
        with backends.use(name):
            prepared = kernels.prepare(w)
        contenders[name] = on(name, lambda prepared=prepared: kernels.gate_bits(x, prepared, tau))
    show("forward, cached 1 x 4096 x 4096", race(contenders, rounds), 4096**2)
    row, out = np.full(1, 4096, np.int32), np.empty((1, 64), np.uint64)
    contenders = {"sgemm": lambda: xf @ wf}
    for name in names:
        backend = backends.get(name)
        operand = backend.prepare(w.words)
        contenders[name] = lambda b=backend, p=operand: b.gate_bits(x.words, p, row, tau, -2, out)
    show("  the operation of the backend alone", race(contenders, rounds), 4096**2)


def operation(
    backend: Any, x: np.ndarray, w: np.ndarray, row: np.ndarray, col: np.ndarray, out: np.ndarray
) -> Callable[[], object]:
    """Packing and counting without what the public function does around them."""
    return lambda: backend.gate_bits(x, backend.prepare(w), row, col, -2, out)


def rivals(names: Sequence[str], rounds: int) -> None:
    """Other ways to count disagreements: 1024 x 1024 rows of 4096 bits."""
    b, n, o = 1024, 4096, 1024
    x, w, xf, wf = bits(b, n), bits(o, n), floats(b, n), floats(n, o)
    out, tau = np.empty((b, o), np.int32), np.zeros(o, np.int32)
    contenders: Contenders = {"sgemm": lambda: xf @ wf}
    contenders["np.bitwise_count"] = lambda: [
        np.bitwise_count(row ^ w.words).sum(axis=1, dtype=np.int32) for row in x.words
    ]
    x8, w8 = (a.words.view(np.uint8) for a in (x, w))
    try:
        import faiss

        distances = np.empty((b, o), np.int32)
        arguments = [faiss.swig_ptr(a) for a in (x8, w8, distances)]
        contenders["faiss hammings"] = lambda: faiss.hammings(*arguments[:2], b, o, n // 8, arguments[2])
        faiss.omp_set_num_threads(1)
    except ImportError:
        print("faiss is not installed: left out")
    try:
        import numkong

        packed, distances32 = numkong.hammings_pack(w8), numkong.zeros((b, o), dtype="uint32")
        contenders["numkong packed, cached"] = lambda: numkong.hammings_packed(x8, packed, out=distances32)
    except ImportError:
        print("numkong is not installed: left out")
    for name in names:
        with backends.use(name):
            prepared = kernels.prepare(w)
        contenders[f"{name} sums, cached"] = on(
            name, lambda prepared=prepared: kernels.gate_sum(x, prepared, out=out)
        )
        contenders[f"{name} bits, cached"] = on(
            name, lambda prepared=prepared: kernels.gate_bits(x, prepared, tau)
        )
    show(f"rivals {b} x {n} x {o}", race(contenders, rounds), b * n * o)


def votes(names: Sequence[str], rounds: int) -> None:
    """Votes of int8 signals: samples, outputs, inputs."""
    for b, o, n in VOTES:
        x, w, z = bits(b, n), bits(o, n), RANDOM.randint(-127, 128, (b, o)).astype(np.int8)
        zf, xf, wf, work = floats(b, o), floats(b, n), floats(o, n), b * o * n
        size = f"{b} x {o} x {n}"
        base: Contenders = {"sgemm": lambda: zf.T @ xf}
        race_all(f"weight votes int8 {size}", base, names, lambda: kernels.weight_votes(z, x), work, rounds)
        base = {"sgemm": lambda: zf @ wf}
        race_all(f"input votes int8 {size}", base, names, lambda: kernels.input_votes(z, w), work, rounds)


def boolean_votes(names: Sequence[str], rounds: int) -> None:
    """Votes of Boolean signals, with all transpositions."""
    for b, o, n in VOTES:
        x, w, z = bits(b, n), bits(o, n), bits(b, o)
        zf, xf, wf, work = floats(b, o), floats(b, n), floats(o, n), b * o * n
        size = f"{b} x {o} x {n}"
        base: Contenders = {"sgemm": lambda: zf.T @ xf}
        race_all(f"weight votes Boolean {size}", base, names, lambda: kernels.weight_votes(z, x), work, rounds)
        out = np.empty((o, n), np.int32)
        given = lambda: kernels.weight_votes(z, x, out=out)  # noqa: E731
        race_all("  into memory that is given", base, names, given, work, rounds)
        base = {"sgemm": lambda: zf @ wf}
        race_all(f"input votes Boolean {size}", base, names, lambda: kernels.input_votes(z, w), work, rounds)


def elementwise(names: Sequence[str], rounds: int) -> None:
    """Flip, transpose, pack and the rest, against the NumPy backend."""
    for r in (1024, 4096):
        w, m, eta = bits(r, r), np.zeros((r, r), np.int16), np.full(r, 10**9)
        q = RANDOM.randint(-100, 100, (r, r)).astype(np.int32)
        zero_votes = np.zeros((r, r), np.int32)
        against_numpy(f"flip {r} x {r}", names, lambda: kernels.flip(w, m, q, beta=0.9, eta=eta), r * r, rounds)
        against_numpy(f"vote_norms {r} x {r}", names, lambda: kernels.vote_norms(q), r * r, rounds)
        against_numpy(
            f"add_votes {r} x {r}", names, lambda: kernels.add_votes(q, zero_votes, out=q), r * r, rounds
        )
        x, z = bits(100, r), RANDOM.randint(-20, 21, (100, r)).astype(np.int8)
        step = {"beta": 0.9, "eta": 1e-4, "clip": 1.0, "centered": True}
        race_all(
            f"vote_and_flip 100 x {r} x {r}",
            {"one by one": on(names[-1], lambda: one_by_one(w, m, z, x))},
            *(names, lambda: kernels.vote_and_flip(w, m, z, x, **step), 100 * r * r, rounds),
        )
    for r, n in ((256, 4096), (1024, 8192)):
        w, values = bits(r, n), RANDOM.random_sample((r, n)) < 0.5
        size = f"{r} x {n}"
        against_numpy(f"transpose {size}", names, lambda: kernels.transpose(w), r * n, rounds)
        for dtype in (np.float32, np.float64):
            numbers, thresholds = RANDOM.standard_normal((r, n)).astype(dtype), np.zeros(n, dtype)
            above = {"np.packbits(x >= t)": lambda: np.packbits(numbers >= thresholds, axis=1)}
            call = lambda: kernels.pack_threshold(numbers, thresholds)  # noqa: E731
            race_all(f"pack_threshold {size} {dtype.__name__}", above, names, call, r * n, rounds)
        against_numpy(f"pack {size}", names, lambda: kernels.pack(values), r * n, rounds)
        against_numpy(f"unpack {size}", names, lambda: kernels.unpack(w), r * n, rounds)
        against_numpy(f"count_rows {size}", names, lambda: kernels.count_rows(w), r * n, rounds)
    g, s = (RANDOM.randint(-300, 300, (100, 4096)).astype(np.int32) for _ in range(2))
    tau, table = np.zeros(4096, np.int32), RANDOM.randint(0, 2**20, 400).astype(np.int32)
    against_numpy("rescale 100 x 4096", names, lambda: kernels.rescale(g, s, tau, table, 20), 409600, rounds)


def one_by_one(w: BitMatrix, m: np.ndarray, z: np.ndarray, x: BitMatrix) -> int:
    """What vote_and_flip does at once."""
    q = kernels.weight_votes(z, x)
    sums = kernels.signal_sums(z).astype(np.int64), kernels.input_sums(x), len(z)
    kernels.center_votes(q, *sums, out=q)
    return kernels.flip(w, m, q, beta=0.9, eta=kernels.clipped_eta(q, 1e-4, 1.0))


def race_all(
    title: str, base: Contenders, names: Sequence[str], call: Callable[[], object], work: float, rounds: int
) -> None:
    show(title, race({**base, **{name: on(name, call) for name in names}}, rounds), work)


def against_numpy(title: str, names: Sequence[str], call: Callable[[], object], work: float, rounds: int) -> None:
    race_all(title, {"numpy": on("numpy", call)}, names, call, work, rounds)


SECTIONS = {f.__name__: f for f in (forward, rivals, votes, boolean_votes, elementwise)}


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--backends", default=",".join(n for n in backends.available() if n != "numpy"))
    both = platform.machine() in ("x86_64", "AMD64")
    parser.add_argument("--blas", default="own,SkylakeX,Haswell" if both else "as-is")
    arguments = parser.parse_args()
    sections, names = arguments.only.split(","), arguments.backends.split(",")
    if arguments.blas == "as-is":
        one_thread()
        print(describe(), flush=True)
        for section in sections:
            SECTIONS[section](names, arguments.rounds)
        return
    for core in arguments.blas.split(","):  # a library reads the variable when it is loaded: a process for each
        command = [sys.executable, "-m", "tests.bench.kernels", "--blas", "as-is"]
        command += [
            "--rounds",
            str(arguments.rounds),
            "--backends",
            arguments.backends,
            "--only",
            ",".join(sections),
        ]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_CORE")}
        forced = {} if core == "own" else {"OPENBLAS_CORETYPE": core}
        subprocess.run(command, env={**environment, **forced}, check=True)
        sections = [s for s in sections if s != "elementwise"] or sys.exit()


if __name__ == "__main__":
    main()
