"""Who takes the steps of a fit: this process, or whoever the block of code that the fit is in has named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from bvar.training.data import Data
from bvar.training.trainer import Crew

__all__ = ["Hire", "crew_for", "hiring"]

Hire: TypeAlias = Callable[[Any], AbstractContextManager[tuple[Crew, Data]]]
"""Makes a crew for data, and the data as that crew takes them; at the end of its block the crew is dismissed."""

_in_force: ContextVar[Hire | None] = ContextVar("bvar_hire", default=None)


@contextmanager
def hiring(hire: Hire) -> Iterator[None]:
    """Let all fits in a block of code, in this thread or task, be taken by crews of a kind."""
    before = _in_force.set(hire)
    try:
        yield
    finally:
        _in_force.reset(before)


@contextmanager
def crew_for(data: Data) -> Iterator[tuple[Crew | None, Data]]:
    """Give the crew in force for data, None for this process, and the data as it takes them."""
    hire = _in_force.get()
    if hire is None:
        yield None, data
    else:
        with hire(data) as hired:
            yield hired
