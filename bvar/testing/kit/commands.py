"""The kit on the command line: ``python -m bvar check-port`` and ``python -m bvar vectors``."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bvar import backends
from bvar.cli.command import CommandError
from bvar.testing.kit.report import Expectations
from bvar.testing.kit.runner import check_backend, check_port, write_vectors
from bvar.testing.subjects.process import PortError

__all__ = ["add_check_port", "add_vectors"]


def add_check_port(commands: Any) -> None:
    """Describe the options of ``check-port``.

    Parameters
    ----------
    commands : argparse action
        What `add_subparsers` of a parser returned.
    """
    check = commands.add_parser("check-port", help="prove a port in any language, or a backend")
    check.add_argument(
        "--level",
        type=int,
        nargs="+",
        default=list(range(7)),
        choices=range(7),
        metavar="N",
        help="levels to prove, 0 to 6 (all)",
    )
    check.add_argument(
        "--examples", type=int, default=100, metavar="N", help="inputs drawn for each law; 0: vectors only (100)"
    )
    check.add_argument("--expect", type=Path, metavar="FILE", help="what the port skips or knows to fail, JSON")
    check.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds for one answer (60)")
    check.add_argument("--backend", metavar="NAME", help="prove this backend instead of a program")
    check.add_argument("program", nargs="*", metavar="-- program", help="the port and its arguments")
    check.set_defaults(run=_check_port)


def add_vectors(commands: Any) -> None:
    """Describe the options of ``vectors``.

    Parameters
    ----------
    commands : argparse action
        What `add_subparsers` of a parser returned.
    """
    vectors = commands.add_parser("vectors", help="write the test vectors for ports, and their JSON Schema")
    vectors.add_argument("directory", type=Path, help="where to")
    vectors.set_defaults(run=_vectors)


def _check_port(arguments: argparse.Namespace) -> int:
    if (arguments.backend is None) == (not arguments.program):
        raise CommandError("check-port needs the program of a port behind --, or --backend NAME")
    if arguments.examples and find_spec("hypothesis") is None:
        raise CommandError("the laws need Hypothesis: pip install hypothesis, or --examples 0 for vectors only")
    options: dict[str, Any] = {"levels": arguments.level, "examples": arguments.examples}
    if arguments.expect is not None:
        options["expect"] = Expectations.read(arguments.expect)
    try:
        if arguments.backend is None:
            report = check_port(arguments.program, timeout=arguments.timeout, **options)
        else:
            report = check_backend(backends.get(arguments.backend).name, **options)
    except PortError as error:
        raise CommandError(str(error)) from None
    sys.stdout.write(f"{report}\n")
    return 0 if report.ok else 1


def _vectors(arguments: argparse.Namespace) -> None:
    written = write_vectors(arguments.directory)
    size = sum(path.stat().st_size for path in written)
    sys.stdout.write(f"{len(written)} files, {size} bytes, in {arguments.directory}\n")
