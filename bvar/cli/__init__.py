"""The command line: ``python -m bvar``."""
