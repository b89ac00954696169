"""How the parts start the command: in a new Python, or, in the tests of the parts, in a fork."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from tests.forks import LOOK, Forked, told

ROOT = Path(__file__).parents[2]

COMMAND = [sys.executable, "-m", "itemstore"]


class Output(Protocol):
    """What a process says."""

    async def readline(self) -> bytes:
        """The next line; nothing at its end."""


class Process(Protocol):
    """What the parts ask of a process; see asyncio.subprocess.Process."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """How it ended, None while it runs."""

    @property
    def stdout(self) -> Output | None:
        """What it says."""

    def send_signal(self, signal: int) -> None:
        """Sends it a signal."""

    def terminate(self) -> None:
        """Asks it to end."""

    async def wait(self) -> int:
        """How it ended."""

    async def communicate(self) -> tuple[bytes, bytes]:
        """Waits for its end, whatever it says."""


Start = Callable[[Sequence[str], Path, Mapping[str, str]], Awaitable[Process]]
"""Starts the command with some words; what it says of errors is added to a file."""


async def in_a_new_python(
    words: Sequence[str], errors: Path, environment: Mapping[str, str]
) -> Process:
    """As a user starts it."""
    with errors.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *COMMAND, *words,
            stdout=asyncio.subprocess.PIPE, stderr=file, cwd=ROOT, env=environment,
        )  # fmt: skip


async def in_a_fork(words: Sequence[str], errors: Path, environment: Mapping[str, str]) -> Process:
    """A second of a processor sooner; see tests/forks.py."""
    with errors.open("ab") as file:
        process, output = told(words, environment, file.fileno())
    return await _Asked.of(process, output)


class _Asked:
    """A fork, asked as a process of asyncio is."""

    def __init__(self, process: Forked, stdout: asyncio.StreamReader) -> None:
        self._process = process
        self.stdout = stdout

    @classmethod
    async def of(cls, process: Forked, output: TextIO) -> _Asked:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), output
        )
        return cls(process, reader)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def send_signal(self, signal: int) -> None:
        self._process.send_signal(signal)

    def terminate(self) -> None:
        self._process.terminate()

    async def wait(self) -> int:
        while (code := self._process.returncode) is None:
            await asyncio.sleep(LOOK)
        return code

    async def communicate(self) -> tuple[bytes, bytes]:
        said = await self.stdout.read()
        await self.wait()
        return said, b""
