"""Boolean variation: neural networks of single bits, trained in logic."""

from bvar._version import __version__

__all__ = ["__version__"]
