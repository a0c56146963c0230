"""The command line: ``python -m bvar`` lists the commands."""

from __future__ import annotations

import sys

from bvar._version import __version__
from bvar.cli import backends, demo, info, predict, train
from bvar.cli.command import Parser, run
from bvar.testing.kit import commands as kit


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
    parser = _parser()

    def command() -> int | None:
        arguments = parser.parse_args(argv)
        if arguments.run is None:
            parser.print_help(sys.stderr)
            return 2
        return arguments.run(arguments)

    return run(command)


def _parser() -> Parser:
    parser = Parser(prog="python -m bvar", description="Neural networks of single bits.")
    parser.add_argument("-V", "--version", action="version", version=f"bvar {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="command", title="commands", dest="command")
    for module in (demo, train, predict, info, backends):
        module.add(commands)
    kit.add_check_port(commands)
    kit.add_vectors(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
