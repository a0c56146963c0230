"""Names that users give to what is exported."""

from __future__ import annotations

import re

__all__ = ["check_prefix"]


def check_prefix(name: str, what: str) -> str:
    """Return `name` if names in C and Verilog may begin with it."""
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a str, got {type(name).__name__}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name, re.ASCII):
        raise ValueError(f"{what} must be letters, digits and underscores, beginning with a letter, got {name!r}")
    return name
