"""Runs the engine for as long as the process that started this one lives.

Run as a program: `python watcher.py SOCKET WORDS SERVER ARGUMENT…`. Standard input is a pipe whose
other end that process holds: however it ends, the system closes the pipe, and the engine stops.
A byte in the pipe says that the engine has answered: from then on it is started again when it ends
by itself. One that never answered has failed, and its status is this program's. WORDS is the
descriptor of a pipe through which that process hears what happens, a JSON object a line, and logs
it; the engine's own log gets the same line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

ENDED = "The engine ended by itself and is started again"
WITHOUT_SOCKET = "The engine's socket was deleted, so it is started again"
"""What its owner hears, and logs."""

GRACE = 8.0
"""Seconds that the engine gets to stop; fewer than the next start waits for it.

What it has acknowledged is on disk already, so a kill after that loses nothing.
"""

NOTICE = 0.1
"""Seconds for the end of standard input to be noticed, after an engine that was told to stop."""

ANSWERED = 0.5
"""Seconds for the byte to be noticed, after an engine that ended as soon as it had answered."""

PAUSES = (0.0, 0.2, 1.0, 5.0)
"""Seconds before an engine is started again, longer while it fails; the last one from then on."""

LOOK = 0.5
"""Seconds between two looks for the engine's socket."""

MISSES = 3
"""Looks in which it must be missing: an engine that starts or ends has none for a moment."""

LASTING = 10.0
"""Seconds after which a start counts as one that went well."""


class Owner:
    """The process that this one watches for, by the other end of standard input."""

    def __init__(self) -> None:
        self.is_content = threading.Event()
        self.is_gone = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        if os.read(sys.stdin.fileno(), 1):
            self.is_content.set()
            os.read(sys.stdin.fileno(), 1)
        self.is_gone.set()


def tell(words: int, event: str, **fields: object) -> None:
    """Says what happened to the owner, which logs it, and to the engine's log."""
    line = json.dumps({"at": time.time(), "event": event, **fields})
    with suppress(OSError):  # the owner is gone, or hears nothing
        os.write(words, line.encode() + b"\n")
    with suppress(OSError):  # the disk that this goes to is full: why the engine ended
        print(datetime.now(UTC).isoformat(timespec="milliseconds"), line, flush=True)


def watch(socket: Path, words: int, command: list[str]) -> int:
    """Runs the command for as long as its owner is there; its exit status."""
    # A SIGTERM to all processes of a service must not leave the engine without its watcher.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.set_inheritable(words, False)  # noqa: FBT003 - it takes it by place
    owner = Owner()
    failures = 0
    while True:
        start = time.monotonic()
        status = run(command, owner, socket, words)
        failures = 0 if time.monotonic() - start > LASTING else failures + 1
        pause = PAUSES[min(failures, len(PAUSES)) - 1] if failures else 0.0
        if not owner.is_content.wait(ANSWERED) or owner.is_gone.wait(NOTICE + pause):
            break
        tell(words, ENDED, status=status)
    socket.unlink(missing_ok=True)
    with suppress(OSError):  # a directory made for the socket alone; a data directory has more
        socket.parent.rmdir()
    return status


def run(command: list[str], owner: Owner, socket: Path, words: int) -> int:
    """Runs the engine until it ends, its owner does or its socket is gone; its exit status."""
    # The lock that the engine holds is among the descriptors that it inherits.
    server = subprocess.Popen(  # noqa: S603 - the command is our own
        command, stdin=subprocess.DEVNULL, close_fds=False, process_group=0
    )
    threading.Thread(target=stop_with, args=(owner, server), daemon=True).start()
    threading.Thread(target=stop_without, args=(socket, owner, server, words), daemon=True).start()
    status = server.wait()
    # A killed engine may leave a child that rewrites the append-only file and holds the lock.
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    return status


def stop_with(owner: Owner, server: subprocess.Popen[bytes]) -> None:
    """Stops the engine when its owner is gone."""
    owner.is_gone.wait()
    server.terminate()
    try:
        server.wait(GRACE)
    except subprocess.TimeoutExpired:
        server.kill()


def stop_without(socket: Path, owner: Owner, server: subprocess.Popen[bytes], words: int) -> None:
    """Stops an engine whose socket somebody has deleted: the next start makes a new one.

    Where its directory is gone too there would be no place for one; that is left to the owner.
    """
    owner.is_content.wait()
    misses = 0
    while server.poll() is None and not owner.is_gone.wait(LOOK):
        misses = misses + 1 if socket.parent.exists() and not socket.exists() else 0
        if misses == MISSES:
            tell(words, WITHOUT_SOCKET)
            server.terminate()


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
