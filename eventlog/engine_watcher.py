"""Runs the engine for as long as the process that started this one lives.

Run as a program: `python engine_watcher.py SOCKET SERVER ARGUMENT…`. Standard input is a pipe whose
other end that process holds: however it ends, the system closes the pipe, and the engine stops.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

GRACE = 8.0
"""Seconds that the engine gets to stop; fewer than the next start waits for it.

What it has acknowledged is on disk already, so a kill after that loses nothing.
"""


def watch(socket: Path, command: list[str]) -> int:
    """Runs the command until it ends or standard input does; its exit status."""
    # The lock that the engine holds is among the descriptors that it inherits.
    server = subprocess.Popen(  # noqa: S603 - the command is our own
        command, stdin=subprocess.DEVNULL, close_fds=False, process_group=0
    )
    # A SIGTERM to all processes of a service must not leave the engine without its watcher.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_stop_when_input_ends, args=(server,), daemon=True).start()
    status = server.wait()
    # A killed engine may leave a child that rewrites the append-only file and holds the lock.
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    socket.unlink(missing_ok=True)
    with suppress(OSError):  # a directory made for the socket alone; a data directory has more
        socket.parent.rmdir()
    return status


def _stop_when_input_ends(server: subprocess.Popen[bytes]) -> None:
    os.read(sys.stdin.fileno(), 1)
    server.terminate()
    try:
        server.wait(GRACE)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1]), sys.argv[2:]))
