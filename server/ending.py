"""A process that was told to end does so in bounded time, whatever it is doing.

uvicorn ends between two turns of its event loop. A step that never ends, such as a validator of
the operator's that loops, would keep the process for ever, and its port and data directory with it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

logger = logging.getLogger(__name__)

SECONDS = 6.0
"""From the signal to the end by force. Open requests get the first two of them."""

ENGINE_SECONDS = 12.0
"""For what comes after the API: the engine gets eight seconds to stop, and is killed then."""

_PR_SET_PDEATHSIG = 1
"""The number of prctl(2) that has the system send a signal when the parent is gone."""

_deadline = 0.0

_held = threading.local()
"""The signals that the thread that forks had blocked before."""


def bound_end() -> None:
    """Gives this process SECONDS to end once SIGTERM or SIGINT comes.

    For the main thread, once the handlers that ask the server to end are in place.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _bounding(before))


def _bounding(
    before: Callable[[int, FrameType | None], object],
) -> Callable[[int, FrameType | None], None]:
    def told(number: int, frame: FrameType | None) -> None:
        end_in_time()
        before(number, frame)

    return told


def end_in_time() -> None:
    """Ends this process with status 1 and a traceback in SECONDS, unless it has ended by then.

    The clock is a thread of C, which waits for no turn of Python's: it ends a validator that
    loops, sleeps, or is within a regular expression. A second signal gives no more time.
    """
    if not _deadline:
        _arm(SECONDS)
        threading.Thread(target=_explain, daemon=True).start()


def be_watched() -> None:
    """Has another process kill this one where not even the clock is set.

    That is where a call of C gives Python no turn, so that no handler runs: an exponential regular
    expression in a thread, say. `faulthandler` writes from within the system's own handler. Any
    handler that is set after this takes its place.
    """
    reading, writing = os.pipe()
    watcher = Path(__file__).with_name("end_watcher.py")
    command = [sys.executable, "-I", "-S", str(watcher), str(os.getpid())]
    subprocess.Popen(  # noqa: S603 - our own program; it ends with this process
        [*command, str(SECONDS + ENGINE_SECONDS)], stdin=reading, start_new_session=True
    )
    os.close(reading)
    for number in (signal.SIGTERM, signal.SIGINT):
        faulthandler.register(number, file=writing, all_threads=True, chain=True)
    # A process that a model forks may be told to end too, and its word must not end this one: no
    # signal reaches it before it is watched no more.
    os.register_at_fork(
        before=_hold_signals,
        after_in_parent=_let_signals_through,
        after_in_child=partial(_be_watched_no_more, writing),
    )


def _hold_signals() -> None:
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))


def _let_signals_through() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _be_watched_no_more(writing: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        faulthandler.unregister(number)
    os.close(writing)
    _let_signals_through()


def let_the_engine_stop() -> None:
    """Gives an end that has begun ENGINE_SECONDS from now."""
    if _deadline:
        _arm(ENGINE_SECONDS)


def _arm(seconds: float) -> None:
    global _deadline  # noqa: PLW0603 - a process ends once
    _deadline = time.monotonic() + seconds
    if sys.stderr is not None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)


def _explain() -> None:
    """Says why the traceback comes, where Python has a turn for that."""
    while (left := _deadline - 0.1 - time.monotonic()) > 0:
        time.sleep(left)
    logger.error("The process was told to end and does not, so it is ended now")


def end_with(parent: BaseProcess) -> None:
    """Ends this process when its parent is gone: nobody would control it any more.

    Linux does that, whatever this process is at. Elsewhere a thread does, which needs a turn.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it was gone before
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        threading.Thread(target=_end_behind, args=(parent,), daemon=True).start()


def _end_behind(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
