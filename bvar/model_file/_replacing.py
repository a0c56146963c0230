"""Replace a file in one step: what is written under another name takes the place of the file when it is whole.

The other name is one for each target, so that what a killed process leaves behind is found and removed by the next
one.  A lock, which the system takes back from whoever dies, tells a save that was killed from one under way.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

fcntl: Any
try:
    import fcntl
except ImportError:  # where there are no such locks, files that are open cannot be removed, which serves as well
    fcntl = None

__all__ = ["replacing"]

_LONGEST = 240  # bytes of a name; file systems take 255


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a file to write to, which replaces `path` at the end; if anything fails, `path` is as it was."""
    path = os.fsdecode(path)
    target, old = _check_target(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, _temporary_name(name))
    try:
        with _whole(temporary, target, old) as file:
            yield file
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, path) from error  # users do not know the other name
    _sync_folder(folder)


@contextlib.contextmanager
def _whole(temporary: str, target: str, old: os.stat_result | None) -> Iterator[BinaryIO]:
    """Give the temporary file to write to; let it replace the target, or remove it."""
    handle = _create(temporary, 0o666 if old is None else 0o600)  # beside a private file nothing is readable
    with open(handle, "wb") as file:
        try:
            yield file
            file.flush()
            os.fsync(handle)
            if old is not None:
                _resemble(handle, temporary, old)
            if fcntl is None:
                file.close()
            os.replace(temporary, target)
        except BaseException:
            if fcntl is None:
                file.close()
                os.unlink(temporary)
            elif _has_name(temporary, handle):
                os.unlink(temporary)
            raise


def _check_target(path: str) -> tuple[str, os.stat_result | None]:
    """Return the file that a path leads to, through links, and what is there; only a file may be replaced."""
    if not path:
        raise ValueError("path must name a file, got ''")
    target = os.path.realpath(path)
    try:
        old = os.stat(path)
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "a device, pipe or socket cannot hold a model: save it to a file first", path)
    return target, old


def _temporary_name(name: str) -> str:
    short = f".{name}.tmp"
    if len(os.fsencode(short)) <= _LONGEST:
        return short
    return f".{name[:40]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.tmp"


def _create(temporary: str, mode: int) -> int:
    """Create a file of our own and lock it; one that is there is waited for if it is locked, and then removed."""
    while True:
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        except FileExistsError:
            _remove(temporary)
            continue
        if _locked_under(temporary, handle):
            return handle
        os.close(handle)  # somebody took it for left behind, before it was locked


def _remove(temporary: str) -> None:
    if fcntl is None:
        os.unlink(temporary)
        return
    try:
        handle = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        if _locked_under(temporary, handle):
            os.unlink(temporary)
    finally:
        os.close(handle)


def _locked_under(name: str, handle: int) -> bool:
    """Lock a file; tell whether it still has its name then."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # some file systems have no locks: then nobody waits
            fcntl.flock(handle, fcntl.LOCK_EX)
    return _has_name(name, handle)


def _has_name(name: str, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(name, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def _resemble(handle: int, temporary: str, old: os.stat_result) -> None:
    """Give a file the owner, as far as we may, and the mode of the one that it will replace."""
    mode = stat.S_IMODE(old.st_mode)
    if hasattr(os, "fchown"):
        for user, group in ((old.st_uid, -1), (-1, old.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(handle, user, group)
        if os.fstat(handle).st_gid != old.st_gid:
            mode &= ~0o070  # what the old group was allowed is not for another
    os.chmod(temporary, mode)


def _sync_folder(folder: str) -> None:
    """Make the new name survive a power cut, where the system has a way to ask for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
