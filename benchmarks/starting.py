"""How a server is started for a measurement, and when it counts as started."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent

PATIENCE = 20.0
"""Seconds that a server may take to answer its first request."""


@contextmanager
def answering(
    command: list[str],
    port: int,
    directory: Path = HERE,
    environment: Mapping[str, str] | None = None,
    *,
    is_silent: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """Runs a server for the block, from when it answers; if silent, without what it warns of."""
    process = subprocess.Popen(
        command,
        cwd=directory,
        # Before what is installed, which is one checkout and not another.
        env={
            **os.environ,
            "PYTHONPATH": f"{directory / 'src'}:{directory}",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if is_silent else None,
        text=True,
    )
    try:
        wait_for(lambda: answered(port, "/items/none") is not None, process)
        yield process
    finally:
        process.terminate()
        process.communicate()


def wait_for(
    is_so: Callable[[], bool], process: subprocess.Popen[Any], patience: float = PATIENCE
) -> None:
    """Until something is so. Raises RuntimeError when the process ends first, or it takes long."""
    until = time.monotonic() + patience
    while not is_so():
        if process.poll() is not None or time.monotonic() > until:
            message = f"{process.args!r} did not start."
            raise RuntimeError(message)
        time.sleep(0.02)


def answered(port: int, path: str, method: str = "GET", body: str | None = None) -> int | None:
    """The status that a server gives; None where nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
