"""Command line: ``python -m bvar demo`` and ``python -m bvar backends``."""

from __future__ import annotations

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run one command.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; default: those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m bvar", description="Neural networks of single bits.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="learn handwritten digits and compare with float models")
    demo.add_argument(
        "--plot", type=Path, default=Path("bvar-demo.png"), metavar="FILE", help="where the plot goes"
    )
    commands.add_parser("backends", help="say which implementations run here, and why others do not")
    arguments = parser.parse_args(argv)
    if arguments.command == "demo":
        from bvar.demo import run

        run(arguments.plot)
    else:
        from bvar import backends

        backends.show()


if __name__ == "__main__":
    main()
