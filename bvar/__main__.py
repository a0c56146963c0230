"""Command line: ``python -m bvar demo | backends | train | predict | check-port | vectors``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bvar.cli import train as cli
from bvar.testing.kit import commands as conformance


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one command.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; default: those of the process.

    Returns
    -------
    int
        The exit code: 0, 1 if a port is wrong, or 2 after a mistake of the user.
    """
    parser = argparse.ArgumentParser(prog="python -m bvar", description="Neural networks of single bits.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="learn handwritten digits and compare with float models")
    demo.add_argument(
        "--plot", type=Path, default=Path("bvar-demo.png"), metavar="FILE", help="where the plot goes"
    )
    commands.add_parser("backends", help="say which implementations run here, and why others do not")
    cli.add_train(commands)
    cli.add_predict(commands)
    conformance.add_check_port(commands)
    conformance.add_vectors(commands)
    arguments = parser.parse_args(argv)
    if arguments.command == "demo":
        from bvar.cli.demo import run

        run(arguments.plot)
    elif arguments.command == "backends":
        from bvar import backends

        backends.show()
    else:
        return cli.run(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
