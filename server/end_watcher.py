"""Kills the process that started this one, if that was told to end and does not.

Run as a program: `python end_watcher.py PID SECONDS`. Standard input is a pipe whose other end that
process holds: something comes through it with the signal, and it ends with the process. What comes
is what the process was at.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time


def watch(pid: int, seconds: float) -> None:
    """Waits for the signal, and then for the end of the process, for at most `seconds`."""
    said = os.read(0, 65_536)
    deadline = time.monotonic() + seconds
    while said and (left := deadline - time.monotonic()) > 0:
        if select.select([0], [], [], left)[0]:
            piece = os.read(0, 65_536)
            if not piece:
                return
            said += piece
    if said:
        os.kill(pid, signal.SIGKILL)
        print(
            "The process was told to end and gave Python no turn to do so, so it was killed. "
            f"Nothing that was acknowledged is lost. What it was at:\n{said.decode()}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    watch(int(sys.argv[1]), float(sys.argv[2]))
