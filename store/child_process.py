"""A process that works beside the API, and ends with it however that ends: both sides of it.

It ends where its standard input does, so it outlives nobody who dies.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NoReturn

from itemstore.logs.set_up import flush
from itemstore.store.garbage import look_for_garbage_rarely

NICENESS = 5
"""Such a process gives way to the engine and to the API, but gets its share."""

KILLED_SECONDS = 1.0
"""How long the end of a process that was killed is waited for."""


async def run_to_end(  # noqa: PLR0913 - what a process is given
    program: str,
    arguments: Collection[str] = (),
    *,
    said: bytes = b"",
    environment: Mapping[str, str] | None = None,
    files: Collection[int] = (),
    seconds: float,
) -> int:
    """Runs a Python program until it ends by itself; its code. It imports what is installed.

    `said` is what it reads from its standard input, and `files` are descriptors that it has too.
    Where the caller is cancelled, its standard input ends, and it has so many seconds to end.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", program, *arguments),
        stdin=asyncio.subprocess.PIPE,
        env=environment,
        pass_fds=files,
    )
    assert process.stdin is not None
    try:
        with suppress(RuntimeError):  # uvloop's, where the process was killed by now
            process.stdin.write(said)
        return await process.wait()
    finally:
        process.stdin.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        with suppress(TimeoutError):  # its end is heard of before the loop's
            async with asyncio.timeout(KILLED_SECONDS):
                await process.wait()


def begin_as_child() -> None:
    """What such a process does first: it leaves signals to who started it, and gives way.

    What it has imported by then stays, so it is not looked at again.
    """
    for each in (signal.SIGINT, signal.SIGTERM):  # a terminal sends one to all, systemd the other
        signal.signal(each, signal.SIG_IGN)
    os.nice(NICENESS)
    gc.freeze()
    look_for_garbage_rarely()


async def end_of_input() -> None:
    """Waits until standard input ends: the work is over, or who started this process is gone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


def leave(code: int = 0) -> NoReturn:
    """Ends this process without waiting for threads: a disk that hangs may keep them for ever."""
    flush()
    sys.stderr.flush()
    os._exit(code)
