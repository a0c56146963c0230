"""Selection of a backend: the environment variable, `use`, what is missing, threads and fork.

What an import decides is tested in subprocesses: changing ``os.environ`` afterwards would prove nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from bvar import backends, kernels
from bvar.backends import BackendUnavailable, compiled, protocol
from bvar.bits import BitMatrix

ALL = ("numpy", "c-scalar", "c-avx2", "c-avx512", "c-neon")
COMPILED = [name for name in backends.available() if name != "numpy"]


def python(code: str, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env)


@pytest.mark.parametrize("name", backends.available())
def test_the_environment_variable_selects(name):
    done = python("import bvar.backends as b; print(b.current())", BVAR_BACKEND=name)
    assert (done.stdout.strip(), done.stderr) == (name, "")


@pytest.mark.parametrize("name", ["", "auto"])
def test_auto_is_the_best(name):
    done = python("import bvar.backends as b; print(b.current())", BVAR_BACKEND=name)
    assert done.stdout.strip() == backends.available()[-1]


def test_c_is_the_best_compiled_one_or_an_error():
    done = python("import bvar.backends as b; print(b.current())", BVAR_BACKEND="c")
    if COMPILED:
        assert done.stdout.strip() == COMPILED[-1]
    else:
        assert "BackendUnavailable" in done.stderr


@pytest.mark.parametrize("name", ["fast", *(n for n in ALL if n not in backends.available())])
def test_a_named_backend_never_falls_back(name):
    done = python("import bvar.backends", BVAR_BACKEND=name)
    assert done.returncode != 0
    assert f"BackendUnavailable: backend '{name}' is not available (" in done.stderr
    assert "this machine has: numpy" in done.stderr


def test_every_name_is_available_or_missing_with_a_reason():
    missing = protocol.missing()
    assert set(ALL) == set(backends.available()) | set(missing)
    assert not set(backends.available()) & set(missing)
    assert all(missing.values())


def test_the_names_agree_with_the_documentation():
    assert tuple(f"c-{n}" for n in compiled.NAMES) == ALL[1:]
    for name in ALL:
        assert f"'{name}'" in backends.use.__doc__


def test_a_missing_extension_is_explained_and_does_not_warn():
    code = """
import sys
sys.modules["bvar._cext._kernels"] = None  # as if it had not been built
import bvar.backends as b
b.show()
b.get("c-scalar")
"""
    done = python(code, BVAR_BACKEND="")
    assert "numpy     runs" in done.stdout
    assert "c-avx2    absent: the extension was not built (" in done.stdout
    assert "backend 'c-scalar' is not available (the extension was not built (" in done.stderr
    assert "Warning" not in done.stderr


def test_show_names_every_backend(capsys):
    backends.show()
    printed = capsys.readouterr().out
    for name in ALL:
        assert name in printed
    assert f"* {backends.current()}" in printed
    assert re.search(r"the extension (is|was not) built", printed)


@pytest.mark.parametrize("name", backends.available())
def test_use_is_a_block(name):
    before = backends.current()
    with backends.use(name) as backend:
        assert backends.current() == backend.name == name
    assert backends.current() == before


def test_use_belongs_to_one_thread():
    seen = []
    with backends.use("numpy"):
        thread = threading.Thread(target=lambda: seen.append(backends.current()))
        thread.start()
        thread.join()
    assert seen == [protocol._default[0].name]


def test_use_restores_after_an_error():
    before = backends.current()
    with contextlib.suppress(ZeroDivisionError), backends.use("numpy"):
        raise ZeroDivisionError
    assert backends.current() == before


def test_unknown_names_and_thread_counts_fail_at_once():
    with pytest.raises(BackendUnavailable, match="no backend has this name"):
        backends.use("fast")
    with pytest.raises(ValueError, match=r"n_threads must be an integer in \[1, 2147483647\], got 0"):
        backends.use("numpy", n_threads=0)


@pytest.mark.parametrize("name", COMPILED)
def test_threads_are_a_value(name):
    backend = protocol.get(name)
    assert backend.with_threads(3).n_threads == 3
    assert backend.n_threads == 1


def bits(shape: tuple[int, int]) -> BitMatrix:
    return kernels.pack(np.zeros(shape, bool))


MISTAKES = {
    "row lengths": lambda: kernels.gate_sum(bits((2, 65)), bits((3, 64))),
    "samples": lambda: kernels.weight_votes(np.zeros((2, 3), np.int8), bits((3, 4))),
    "outputs": lambda: kernels.input_votes(np.zeros((2, 3), np.int8), bits((2, 4))),
    "dtype": lambda: kernels.pack(np.zeros((2, 3), np.float32)),
    "thresholds": lambda: kernels.gate_bits(bits((2, 4)), bits((3, 4)), np.zeros(2, np.int32)),
    "votes": lambda: kernels.flip(
        bits((2, 4)), np.zeros((2, 4), np.int16), np.zeros((2, 5), np.int32), beta=1, eta=1
    ),
    "sums": lambda: kernels.center_votes(np.zeros((1, 2), np.int32), np.zeros(1, np.int32), np.zeros(2, int), 1),
    "norms": lambda: kernels.vote_norms(np.zeros(3, np.int32)),
    "curve": lambda: kernels.rescale(
        *[np.zeros((1, 1), np.int32)] * 2, np.zeros(1, np.int32), np.zeros(0, np.int32), 1
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_errors_are_twins(mistake):
    errors = set()
    for name in backends.available():
        with backends.use(name), pytest.raises((TypeError, ValueError)) as caught:
            MISTAKES[mistake]()
        errors.add((caught.type, str(caught.value)))
    assert len(errors) == 1


@pytest.mark.parametrize("name", COMPILED)
def test_the_binding_refuses_what_does_not_fit(name):
    """Below the validated functions there is one more check, since a kernel would leave its buffers."""
    backend = protocol.get(name)
    with pytest.raises(ValueError, match="shapes do not fit each other"):
        backend.transpose(np.zeros((64, 1), np.uint64), np.zeros((64, 2), np.uint64))
    with pytest.raises(ValueError, match="contiguous"):
        backend.pack(np.zeros((8, 4), bool)[::2], np.zeros((4, 1), np.uint64))
    out = np.zeros((1, 1), np.uint64)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        backend.pack(np.zeros((1, 1), bool), out)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("name", COMPILED)
def test_a_fork_after_threads_does_not_hang(name):
    code = f"""
import os, warnings
import numpy as np
from bvar.backends import protocol
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork in a threaded process
backend = protocol.get({name!r}).with_threads(-3)
z, words = np.ones((999, 70), np.int8), np.full((70, 3), 7, np.uint64)
def work():
    out = np.empty((999, 192), np.int32)
    backend.signed_sum(z, words, out)
    return int(out.sum())
first = work()
pid = os.fork()
again = work()  # in both
if pid == 0:
    os._exit(again != first)
print(os.waitpid(pid, 0)[1], again == first)
"""
    assert python(code).stdout.strip() == "0 True"


@pytest.mark.parametrize("name", COMPILED)
def test_threads_of_python_may_share_a_backend(name):
    """One owns the pool, the others run alone; all get the same."""
    backend = protocol.get(name).with_threads(-3)
    random = np.random.RandomState(0)
    z = random.randint(-128, 128, (400, 70)).astype(np.int8)
    words = random.randint(0, 2**63, (70, 3)).astype(np.uint64)
    results = [np.empty((400, 192), np.int32) for _ in range(6)]

    def work(out):
        for _ in range(20):
            backend.signed_sum(z, words, out)

    threads = [threading.Thread(target=work, args=(out,)) for out in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = np.empty_like(results[0])
    protocol.get("numpy").signed_sum(z, words, want)
    for out in results:
        np.testing.assert_array_equal(out, want)
