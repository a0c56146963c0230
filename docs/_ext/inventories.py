"""Names of other projects: where their documentation is, and what it has, so that types of parameters are links.

The folder inventories holds, for each project, the part of its ``objects.inv`` that types and texts refer to:
modules, classes, functions, exceptions, data and terms. A build reads these files and no network. To make them
anew, where there is a network or where such files are::

    python docs/_ext/inventories.py                              # all, from the addresses below
    python docs/_ext/inventories.py numpy=build/objects.inv      # one, from a file
"""

import importlib
import inspect
import pkgutil
import sys
import urllib.request
import zlib
from pathlib import Path

HERE = Path(__file__).parents[1] / "inventories"
SITES = {
    "matplotlib": "https://matplotlib.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
}
KEPT = ("py:module", "py:class", "py:function", "py:exception", "py:data", "std:term")

mapping = {name: (site, str(HERE / f"{name}.inv")) for name, site in SITES.items()}


def kept(inventory):
    """Reduce an inventory, as bytes, to the kinds of objects that are kept; what it says of itself stays."""
    *head, body = inventory.split(b"\n", 4)
    lines = zlib.decompress(body).decode().splitlines()
    lines = [line for line in lines if len(line.split()) > 1 and line.split()[1] in KEPT]
    return b"\n".join([*head, zlib.compress("\n".join([*lines, ""]).encode(), 9)])


def aliases():
    """Short names of types, as docstrings have them, and what they are: classes of bvar, and of NumPy."""
    import bvar

    rooms = [importlib.import_module(f"bvar.{found.name}") for found in pkgutil.iter_modules(bvar.__path__)]
    found = {
        name: f"{room.__name__}.{name}"
        for room in rooms
        for name in getattr(room, "__all__", ())
        if inspect.isclass(getattr(room, name))
    }
    others = {
        "bool": "bool",
        "ndarray": "numpy.ndarray",
        "RandomState": "numpy.random.RandomState",
        "scalar": "numpy.generic",
    }
    return found | others


def refresh(sources):
    """Write inventories from addresses or files."""
    for name, source in sources.items():
        if "://" in source:
            with urllib.request.urlopen(source) as answer:
                inventory = answer.read()
        else:
            inventory = Path(source).read_bytes()
        (HERE / f"{name}.inv").write_bytes(kept(inventory))


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    refresh(given or {name: f"{site}objects.inv" for name, site in SITES.items()})
