"""``python -m bvar backends``: which implementations run here, and why others do not."""

from __future__ import annotations

import argparse

from bvar import backends
from bvar.cli.command import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : Commands
        Where it belongs.
    """
    parser = commands.add_parser("backends", help="say which implementations run here, and why others do not")
    parser.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> None:
    backends.show()
