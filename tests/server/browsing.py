"""A real browser, for what only a browser can show."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tests.missing import missing

_LAUNCH = """
import fcntl, os, sys
commands, replies = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(replies, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads commands from descriptor 3 and answers on 4, each with a zero byte at its end."""


@asynccontextmanager
async def browser(url: str, directory: Path) -> AsyncIterator[None]:
    """A chromium without a window, which shows the page for the block."""
    process = await _start(directory, DEVNULL, "--remote-debugging-port=0", url)
    try:
        yield
    finally:
        await _kill(process)


async def shown(url: str, directory: Path) -> str:
    """The page's HTML when its scripts have run and what they fetch has come."""
    process = await _start(directory, PIPE, "--virtual-time-budget=20000", "--dump-dom", url)
    try:
        async with asyncio.timeout(60):
            html, _ = await process.communicate()
    finally:
        await _kill(process)
    return html.decode()


async def evaluated(url: str, script: str, directory: Path) -> Any:
    """What a script gives that runs in the page: an expression, or a promise that it waits for."""
    commands, replies = os.pipe(), os.pipe()
    process = await _start(
        directory, DEVNULL, "--remote-debugging-pipe", "about:blank",
        pipes=(commands[0], replies[1]),
    )  # fmt: skip
    os.close(commands[0])
    os.close(replies[1])
    reader = asyncio.StreamReader(limit=2**24)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(replies[0], "rb")
    )
    try:
        with os.fdopen(commands[1], "wb", buffering=0) as writer:
            async with asyncio.timeout(60):
                return await _run(reader, writer, url, script)
    finally:
        transport.close()
        await _kill(process)


async def _run(reader: asyncio.StreamReader, writer: IO[bytes], url: str, script: str) -> Any:
    """Opens the page and runs the script, by the DevTools protocol."""
    number = 0

    async def call(method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        command: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        writer.write(json.dumps(command).encode() + b"\0")
        while True:
            reply = json.loads((await reader.readuntil(b"\0"))[:-1])
            if reply.get("id") == number:
                result: dict[str, Any] = reply["result"]
                return result

    target = await call("Target.createTarget", url="about:blank")
    attached = await call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    session = attached["sessionId"]
    await call("Page.navigate", session, url=url)
    options = {"awaitPromise": True, "returnByValue": True}
    given = await call("Runtime.evaluate", session, expression=script, **options)
    assert "exceptionDetails" not in given, given
    return given["result"]["value"]


async def _start(
    directory: Path, stdout: int, *options: str, pipes: tuple[int, ...] = ()
) -> Process:
    """Starts a chromium; with pipes as the descriptors on which it reads commands and answers."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("chromium is not installed: `apt-get install chromium` brings it")
    launch = [sys.executable, "-c", _LAUNCH, *map(str, pipes)] if pipes else []
    return await asyncio.create_subprocess_exec(
        *launch, str(program), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={directory / 'profile'}", *options,
        stdout=stdout, stderr=DEVNULL, start_new_session=True, pass_fds=pipes,
    )  # fmt: skip


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its children too
    await process.wait()
