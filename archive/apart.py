"""Work that takes the processor for seconds, done in a process of its own that gives way to others.

A thread would not do: what works on many small things holds Python's lock for long, and requests
would wait for it.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_NICENESS = 19

_PROGRAM = "from itemstore.archive.apart import main; main()"


class ApartFailed(Exception):
    """The process ended without a result. The sentence has the end of what it said."""


async def apart(work: Callable[..., _Result], *arguments: Any) -> _Result:
    """What a function of a module gives, or raises, called in a process of its own.

    It is killed where this is cancelled. Raises ApartFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, said = await process.communicate(pickle.dumps((work, arguments)))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if process.returncode != 0:
        raise ApartFailed(said.decode(errors="replace")[-500:] or "It was killed.")
    is_good, result = pickle.loads(told)  # noqa: S301 - from this program's own process
    if not is_good:
        raise result
    return result  # type: ignore[no-any-return]


def main() -> None:
    """Does what standard input says, and ends."""
    os.nice(_NICENESS)
    work, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started it
    try:
        outcome = (True, work(*arguments))
    except Exception as error:  # noqa: BLE001 - it is raised there
        outcome = (False, error)
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(pickle.dumps(outcome))
        sys.stdout.buffer.flush()
