"""Whether exported C answers as the circuit does: compile it, load it, compare; and how many bytes it takes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import as_array, check_integer
from bvar.bits import BitMatrix
from bvar.circuit.circuit import Circuit
from bvar.circuit.export_c import to_c
from bvar.encoding import BitEncoder

__all__ = ["c_size", "check_c"]

_ROWS = 1000  # of random bits, where no samples are given

_PLANES = """\
#include "circuit.h"
void run(const uint64_t *planes, int32_t *scores) {
    static circuit_memory memory;
    size_t i;
    for (i = 0; i < CIRCUIT_INPUTS; i++) memory.inputs[i] = planes[i];
    circuit_scores(&memory, (int32_t(*)[CIRCUIT_GROUPS])scores);
}
"""
_DOUBLES = """\
#include "circuit.h"
void run(const double *rows, size_t n, int32_t *scores) {
    static circuit_memory memory;
    circuit_predict_double(&memory, rows, n, scores, 0);
}
"""


def check_c(
    circuit: Circuit, X: Any = None, encoder: BitEncoder | None = None, *, compiler: str = "cc", seed: int = 0
) -> int:
    """Compile the C of a circuit, load it, and compare its scores with those of the circuit.

    Parameters
    ----------
    circuit : Circuit
        What is exported.
    X : array-like, optional
        Samples: rows of features if there is an encoder, else of Booleans. Default: random Booleans, without an
        encoder only.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        As for :func:`to_c`.
    compiler : str, default='cc'
        A C compiler for this machine.
    seed : int, default=0
        Of random Booleans.

    Returns
    -------
    int
        Number of samples that were compared.

    Raises
    ------
    FileNotFoundError
        If there is no such compiler.
    RuntimeError
        If it refuses the code; its message is quoted.
    AssertionError
        If a score differs; the first such sample is named.
    TypeError, ValueError
        If an argument is not as described, or there is an encoder and no samples.

    See Also
    --------
    to_c : What is checked.
    c_size : Bytes of the code.

    Examples
    --------
    >>> import shutil
    >>> from bvar.circuit import Circuit, check_c
    >>> circuit = Circuit(2, [(0b0110, (0, 1))], outputs=[2])
    >>> check_c(circuit) if shutil.which("cc") else 1000
    1000
    """
    header = to_c(circuit, "circuit", encoder)
    tool = _found(_check_text(compiler, "compiler"))
    bits = _random_bits(circuit, seed) if X is None and encoder is None else _bits(circuit, X, encoder)
    expected = circuit.evaluate(bits)
    with tempfile.TemporaryDirectory() as folder:
        library = _load(Path(folder), header, encoder is not None, tool)
        got = _run_planes(library, circuit, bits) if encoder is None else _run_rows(library, circuit, X)
    wrong = np.flatnonzero((got != expected).any(axis=1))
    if len(wrong):
        row = wrong[0]
        raise AssertionError(f"sample {row}: C gives {got[row].tolist()}, the circuit {expected[row].tolist()}")
    return len(got)


def _random_bits(circuit: Circuit, seed: int) -> BitMatrix:
    random = np.random.RandomState(check_integer(seed, "seed", low=0, high=2**32 - 1))
    return kernels.pack(random.randint(2, size=(_ROWS, circuit.n_inputs)).astype(bool))


def _bits(circuit: Circuit, X: Any, encoder: BitEncoder | None) -> BitMatrix:
    """Turn samples into input bits; refuse what has another shape."""
    if encoder is not None:
        if X is None:
            raise ValueError("X must be samples where there is an encoder, got None")
        return encoder.encode(X)
    rows = as_array(X, "X")
    if rows.ndim != 2 or rows.shape[1] != circuit.n_inputs or rows.dtype.kind not in "bif":
        raise ValueError(
            f"X must be rows of n_inputs={circuit.n_inputs} Booleans, got {rows.dtype} of shape {rows.shape}"
        )
    return kernels.pack(rows.astype(bool))


def _load(folder: Path, header: str, with_rows: bool, compiler: str) -> ctypes.CDLL:
    (folder / "circuit.h").write_text(header, encoding="ascii")
    (folder / "run.c").write_text(_DOUBLES if with_rows else _PLANES, encoding="ascii")
    _call([compiler, "-std=c99", "-O1", "-shared", "-fPIC", "run.c", "-o", "run.so"], folder)
    return ctypes.CDLL(str(folder / "run.so"))


def _found(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise FileNotFoundError(f"there is no {tool} on the path")
    return path


def _check_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    return value


def _call(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} says: {done.stderr[:2000]}")
    return done.stdout


def _run_planes(library: ctypes.CDLL, circuit: Circuit, bits: Any) -> np.ndarray:
    """Hand over 64 samples at a time."""
    planes = kernels.transpose(bits).words
    scores = np.empty((planes.shape[1] * 64, circuit.n_groups), np.int32)
    for word in range(planes.shape[1]):
        block = np.ascontiguousarray(planes[:, word])
        part = scores[64 * word : 64 * (word + 1)]
        library.run(ctypes.c_void_p(block.ctypes.data), ctypes.c_void_p(part.ctypes.data))
    return scores[: bits.n_rows]


def _run_rows(library: ctypes.CDLL, circuit: Circuit, X: Any) -> np.ndarray:
    rows = np.ascontiguousarray(np.asarray(X), np.float64).reshape(len(X), -1)
    scores = np.empty((len(rows), circuit.n_groups), np.int32)
    library.run(ctypes.c_void_p(rows.ctypes.data), ctypes.c_size_t(len(rows)), ctypes.c_void_p(scores.ctypes.data))
    return scores


def c_size(
    circuit: Circuit, encoder: BitEncoder | None = None, *, prefix: str = "", options: tuple[str, ...] = ("-Os",)
) -> dict[str, int]:
    """Compile the C of a circuit, for another processor if asked, and tell how large it is.

    Parameters
    ----------
    circuit : Circuit
        What is exported.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        As for :func:`to_c`.
    prefix : str, default=''
        Of a cross compiler: ``'arm-none-eabi-'`` calls ``arm-none-eabi-gcc`` and ``arm-none-eabi-size``.
    options : tuple of str, default=('-Os',)
        For the compiler, such as ``('-Os', '-mcpu=cortex-m4', '-mthumb')``.

    Returns
    -------
    dict of str to int
        Bytes: 'text' of code and constants, 'data' of variables that have values at the start, 'bss' of others.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    FileNotFoundError
        If there is no such compiler.
    RuntimeError
        If it refuses the code; its message is quoted.

    See Also
    --------
    check_c : Whether it is right.

    Examples
    --------
    >>> import shutil
    >>> from bvar.circuit import Circuit, c_size
    >>> circuit = Circuit(2, [(0b0110, (0, 1))], outputs=[2])
    >>> c_size(circuit)["text"] > 0 if shutil.which("gcc") and shutil.which("size") else True
    True
    """
    header = to_c(circuit, "circuit", encoder)
    if isinstance(options, str) or not isinstance(options, Iterable):
        raise TypeError(f"options must be a sequence of str, got {options!r}")
    options = tuple(_check_text(option, "each of options") for option in options)
    compiler, size = (_found(_check_text(prefix, "prefix") + tool) for tool in ("gcc", "size"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "circuit.h").write_text(header, encoding="ascii")
        (folder / "run.c").write_text(_PLANES if encoder is None else _DOUBLES, encoding="ascii")
        _call([compiler, "-std=c99", *options, "-c", "run.c", "-o", "run.o"], folder)
        _, numbers = _call([size, "run.o"], folder).splitlines()
    return dict(zip(("text", "data", "bss"), map(int, numbers.split()[:3]), strict=True))
