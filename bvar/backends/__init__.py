"""Choose which implementation answers: the readable NumPy one or a compiled one.

All backends give the same integers, bit for bit; only their speed differs.  The choice is made once from the
environment variable ``BVAR_BACKEND`` (default ``auto``), or for a block of code with :func:`use`.
``protocol`` says what a backend is, ``definition`` what each of its operations means; ``compiled`` runs them in C.
"""

from __future__ import annotations

import os
import platform

import numpy as np

from bvar.backends import compiled, protocol
from bvar.backends.definition import NumpyBackend
from bvar.backends.protocol import (
    Backend,
    BackendUnavailable,
    available,
    get,
    register,
    register_missing,
    unregister,
    use,
)

__all__ = [
    "Backend",
    "BackendUnavailable",
    "available",
    "current",
    "get",
    "register",
    "register_missing",
    "show",
    "unregister",
    "use",
]


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


_compiled, _absent, _about_extension = compiled.load()
register(NumpyBackend())
for _backend in _compiled:
    register(_backend)
for _name, _why in _absent.items():
    register_missing(_name, _why)
protocol.set_default(os.environ.get("BVAR_BACKEND") or "auto")
