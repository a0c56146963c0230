"""Threads of Python that use bvar at once: each gets what it would get alone, with the global lock or without."""

import subprocess
import sys
import sysconfig
import threading

import numpy as np
import pytest
from plain import Plain
from sklearn.datasets import load_digits

from bvar import BooleanClassifier, LogicGateClassifier, backends
from bvar.backends import protocol

_kernels = pytest.importorskip("bvar._cext._kernels")
N_THREADS = 6
X, Y = (part[:300] for part in load_digits(return_X_y=True))


def at_once(work):
    """Call `work` in threads that begin together, and return what each gave."""
    results, faults, barrier = [None] * N_THREADS, [], threading.Barrier(N_THREADS)

    def run(number):
        try:
            barrier.wait()
            results[number] = work(number)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    return results


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has its lock")
def test_the_kernels_do_not_take_the_global_lock_back():
    # not bvar itself: scikit-learn has modules that take it, up to version 1.7
    code = f"""
import sys, importlib.machinery as machinery, importlib.util as util
import numpy
loader = machinery.ExtensionFileLoader("_kernels", {_kernels.__file__!r})
loader.exec_module(util.module_from_spec(util.spec_from_loader("_kernels", loader)))
print(sys._is_gil_enabled())"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert ran.stdout == "False\n", ran.stderr


@pytest.mark.parametrize("estimator", [BooleanClassifier((70,)), LogicGateClassifier((200,))])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_models_that_are_trained_at_once_are_what_each_would_be_alone(estimator, n_threads):
    settings = {"max_iter": 2, "random_state": 0, "n_threads": n_threads}
    alone = type(estimator)(**{**estimator.get_params(), **settings}).fit(X, Y).network_.fingerprint()

    def fit(number):
        backend = backends.available()[number % len(backends.available())]
        model = type(estimator)(**{**estimator.get_params(), **settings, "backend": backend})
        return model.fit(X, Y).network_.fingerprint()

    assert at_once(fit) == [alone] * N_THREADS


def test_one_model_answers_many_threads_at_once():
    """Layouts of the weights are made by whoever is first, or by two."""
    model = BooleanClassifier((70,), max_iter=2, random_state=0).fit(X, Y)
    want = BooleanClassifier((70,), max_iter=2, random_state=0).fit(X, Y).predict_proba(X)
    for answers in at_once(lambda number: model.predict_proba(X)):
        np.testing.assert_array_equal(answers, want)


def test_a_backend_may_be_registered_while_others_look_one_up():
    def register_or_look(number):
        for _ in range(300):
            if number % 2:
                assert backends.get("auto") is not None
                continue
            backend = Plain()
            backend.name = f"plain-{number}"
            protocol.register(backend)
            protocol.unregister(backend.name)

    best = backends.available()
    at_once(register_or_look)
    assert backends.available() == best
