"""A process that works beside the API, and ends with it however that ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress


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
        process.stdin.write(said)
        return await process.wait()
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
