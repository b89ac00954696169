"""A small process that answers queries, one after the other, for the process that started it.

What is asked and what is answered are pickles behind their length, over a socket that is the
child's standard input. The child ends when that ends, so it outlives nobody who dies.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from importlib import import_module
from traceback import format_exception
from typing import Any

NICENESS = 5
"""It gives way to the engine and to the API, but gets its share."""

MEMORY = 536_870_912
"""Bytes of address space that the child may have: what an item of a megabyte needs many times."""

GRACE_SECONDS = 2.0
"""The child ends itself so long after the limit, where nobody is left to end it."""

LENGTH_BYTES = 8

PROGRAM = "from itemstore.projections.queries.query_process import main; main()"

PRELOADED = ("itemstore.projections.queries.running",)
"""What the child imports before it says that it is ready."""


class Outcome(Enum):
    """How a piece of work went: with a result, with an error, or out of memory."""

    DONE = 0
    FAILED = 1
    OUT_OF_MEMORY = 2


Work = tuple[float, Callable[..., Any], tuple[Any, ...]]
"""The seconds that it may take, the function to call, and its arguments."""


def framed(message: object) -> bytes:
    """A message as it is sent: its length in bytes, then its pickle."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def main() -> None:
    """Answers what comes by standard input until that ends."""
    for each in (signal.SIGINT, signal.SIGTERM):  # a terminal sends one to all, systemd the other
        signal.signal(each, signal.SIG_IGN)
    os.nice(NICENESS)
    with suppress(ValueError, OSError):  # where a system knows no such limit, time is the limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name in PRELOADED:
        import_module(name)
    with suppress(ConnectionError), socket.socket(fileno=0) as asker:
        asker.sendall(framed(os.getpid()))
        while (request := _next_request(asker)) is not None:
            outcome, result = _outcome_of(request)
            asker.sendall(framed((outcome, result)))
            if outcome is Outcome.OUT_OF_MEMORY:
                break
            del result  # a page may be large, and the next one comes when it comes
    sys.stderr.flush()
    os._exit(0)


def _next_request(asker: socket.socket) -> Work | None:
    length = _received(asker, LENGTH_BYTES)
    content = _received(asker, int.from_bytes(length, "big")) if length else b""
    return pickle.loads(content) if content else None  # noqa: S301 - from who started this process


def _received(asker: socket.socket, count: int) -> bytes:
    """So many bytes, or none at the end."""
    parts = bytearray()
    while len(parts) < count:
        part = asker.recv(count - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _outcome_of(work: Work) -> tuple[Outcome, Any]:
    seconds, call, arguments = work
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    try:
        return Outcome.DONE, call(*arguments)
    except MemoryError:
        return Outcome.OUT_OF_MEMORY, None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where it was asked
        error.add_note("".join(format_exception(error)))  # where it was raised is known here only
        return Outcome.FAILED, error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
