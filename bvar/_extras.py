"""Packages that not everybody needs, and how somebody who needs one gets it: one home for the hint.

The names are those of the extras of the distribution, in ``pyproject.toml``; ``docs/howto/install.md`` lists them.
"""

from __future__ import annotations

__all__ = ["PACKAGES", "hint", "missing"]

PACKAGES = {"dask": "distributed", "onnx": "onnx", "plot": "matplotlib", "progress": "tqdm"}
"""The package that an extra is for, by the name of the extra."""


def hint(extra: str) -> str:
    """Return the command that installs an extra where this package is installed already, from wherever."""
    return f'pip install "boolean-variation[{extra}]"'


def missing(extra: str, what: str) -> ImportError:
    """Return the error that says what needs a package, and how to install it."""
    return ImportError(f"{what} need {PACKAGES[extra]}: {hint(extra)}", name=PACKAGES[extra])
