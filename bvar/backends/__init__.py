"""Choose which implementation answers: the readable NumPy one or a compiled one.

All backends give the same integers, bit for bit; only their speed differs.  The choice is made once from the
environment variable ``BVAR_BACKEND`` (default ``auto``), or for a block of code with :func:`use`.
"""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager

import numpy as np

from bvar._validation import check_integer
from bvar.backends import compiled, protocol
from bvar.backends.definition import NumpyBackend
from bvar.backends.protocol import Backend, BackendUnavailable, get, register, register_missing

__all__ = ["Backend", "BackendUnavailable", "available", "current", "get", "show", "use"]


def available() -> tuple[str, ...]:
    """Name the backends that run on this machine.

    Returns
    -------
    tuple of str
        Slowest first; always begins with ``'numpy'``.

    Examples
    --------
    >>> from bvar import backends
    >>> backends.available()[0]
    'numpy'
    """
    return protocol.available()


def current() -> str:
    """Name the backend in force in this thread or task.

    Returns
    -------
    str
        One of :func:`available`.

    Examples
    --------
    >>> from bvar import backends
    >>> backends.current() in backends.available()
    True
    """
    return protocol.current().name


def use(name: str | None = None, *, n_threads: int = 1) -> AbstractContextManager[Backend]:
    """Select a backend until the block ends.

    The choice belongs to the current thread or task; a thread started inside the block begins with the
    default.  That is why estimators take ``backend=`` and enter this block themselves.

    Parameters
    ----------
    name : {'auto', 'c', 'numpy', 'c-scalar', 'c-avx2', 'c-avx512', 'c-neon'}, optional
        Backend to use. ``'auto'`` is the best one that runs here, ``'c'`` the best compiled one.  None keeps
        the one in force.
    n_threads : int, default=1
        Threads that a compiled kernel may use. Results do not depend on it.

    Returns
    -------
    context manager
        Its value is the backend object.

    Raises
    ------
    BackendUnavailable
        If the backend named cannot run here; it never falls back to another.

    Examples
    --------
    >>> from bvar import backends
    >>> with backends.use("numpy"):
    ...     backends.current()
    'numpy'
    """
    check_integer(n_threads, "n_threads", low=1)
    if name is not None:
        get(name)  # an unknown name fails here, not when the block is entered
    return protocol.use(name, n_threads=n_threads)


def show() -> None:
    """Print what was built, what runs here and why the rest does not.

    Examples
    --------
    >>> from bvar import backends
    >>> backends.show()  # doctest: +ELLIPSIS
    bvar backends on ...
    """
    print(f"bvar backends on {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"  {_about_extension}")
    for name in available():
        print(f"  {'*' if name == current() else ' '} {name:<9} runs")
    for name, why in protocol.missing().items():
        print(f"    {name:<9} absent: {why}")
    print("  (* in force; choose with BVAR_BACKEND or bvar.backends.use)")


register(NumpyBackend())
_runnable, _absent, _about_extension = compiled.load()
for _backend in _runnable:
    register(_backend)
for _name, _why in _absent.items():
    register_missing(_name, _why)
protocol.set_default(os.environ.get("BVAR_BACKEND") or "auto")
