"""A real browser, for what only a browser can show."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest


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


def missing(reason: str) -> None:
    """Skips the test on a laptop, and fails it in CI."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


async def _start(directory: Path, stdout: int, *options: str) -> Process:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("chromium is not installed: `apt-get install chromium` brings it")
    return await asyncio.create_subprocess_exec(
        str(program), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={directory / 'profile'}", *options,
        stdout=stdout, stderr=DEVNULL, start_new_session=True,
    )  # fmt: skip


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its children too
    await process.wait()
