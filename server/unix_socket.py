"""A unix socket that a server listens on: whom it lets in is decided by the mode of its file."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from itemstore.server.listening import PATIENCE

MODE = 0o660
"""Who may connect: the user that serves, and its group."""

logger = logging.getLogger(__name__)

MOST_BYTES = 107 if sys.platform == "linux" else 103
"""Of the path of a socket, as the system has it."""


_made: WeakKeyDictionary[socket.socket, tuple[Path, tuple[int, int]]] = WeakKeyDictionary()
"""The path of each listener, and which file was made there."""


class NotASocket(Exception):
    """The path can't be listened on. The sentence has no stop at its end."""


@contextmanager
def unix_listener(path: Path) -> Iterator[socket.socket]:
    """A socket that listens at the path for the block, after which the file is gone.

    The file of a server that has ended is replaced; where one listens, its end is waited for as a
    port is. Raises NotASocket and OSError.
    """
    listener = _in_turn(path)
    with listener:
        try:
            yield listener
        finally:
            remove_file_of(listener)


def remove_file_of(listener: socket.socket) -> None:
    """Removes the file of a unix socket that was made here; not what another put in its place."""
    if (made := _made.pop(listener, None)) is not None:
        path, file = made
        with suppress(OSError):
            if _identity(path) == file:
                path.unlink()


def _in_turn(path: Path) -> socket.socket:
    until = None
    while True:
        if (found := _bound(path)) is not None:
            return found
        if until is None:
            where = {"path": str(path)}
            logger.warning("The socket is in use, and waited for", extra=where)
            until = time.monotonic() + PATIENCE
        elif time.monotonic() > until:
            message = "another process listens there"
            raise NotASocket(message)
        time.sleep(0.05)


def _bound(path: Path) -> socket.socket | None:
    """The listener; None where another process listens.

    Two that start at once take turns, so that neither takes away the other's file.
    """
    if len(os.fsencode(path)) > MOST_BYTES:
        message = f"the path has more than {MOST_BYTES} bytes"
        raise NotASocket(message)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if _is_in_use(path):
            return None
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o777 & ~MODE)
        try:
            listener.bind(str(path))
        except BaseException:
            listener.close()
            raise
        finally:
            os.umask(before)
        listener.listen(2048)
        listener.set_inheritable(True)
        _made[listener] = path, _identity(path)
        return listener
    finally:
        os.close(directory)


def _is_in_use(path: Path) -> bool:
    """Whether a process listens there. Raises NotASocket where there is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(mode):
        message = "there is something that is no socket"
        raise NotASocket(message)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (TimeoutError, BlockingIOError):  # so many wait that it takes no more
            return True
    return True


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
