"""Operations over HTTP, in processes of their own that are killed, and servers that are."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Start
from tests.server.conftest import Serve, Server

PATH = "/admin/operations"


def begun(server: Server) -> str:
    """The URL of a verification that the server has begun."""
    answer = httpx.post(f"{server.url}{PATH}", json={"operation": "verify"}, timeout=20)
    assert answer.status_code == 202
    return answer.headers["location"]


def standing_still(server: Server) -> int:
    """The process that carries an operation of the server out, which is stopped now."""
    while True:
        for tasks in Path(f"/proc/{server.process.pid}/task").glob("*/children"):
            for pid in map(int, tasks.read_text().split()):
                if b"operation_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGSTOP)
                    return pid
        time.sleep(0.01)


def ended(server: Server, path: str) -> dict[str, Any]:
    """What the server says of an operation once it has ended."""
    while True:
        operation: dict[str, Any] = httpx.get(server.url + path, timeout=20).json()
        if operation["status"] != "running":
            return operation
        time.sleep(0.05)


def test_one_outlives_neither_its_process_nor_its_server(serve: Serve, start: Start) -> None:
    """Whichever of them is killed, it has failed, all that serve the store say so, and go on."""
    engine = start("valkey").url
    first, second = (serve("--redis-url", engine) for _ in range(2))
    path = begun(first)
    os.kill(standing_still(first), signal.SIGKILL)
    assert "has ended (-9)" in ended(second, path)["error"]

    path = begun(first)
    process = standing_still(first)
    running = httpx.post(f"{second.url}{PATH}", json={"operation": "verify"}, timeout=20)
    assert (running.status_code, running.json()["running"] in path) == (409, True)
    first.process.kill()
    os.kill(process, signal.SIGCONT)
    assert ended(second, path)["status"] == "failed"

    operation = ended(second, begun(second))
    assert (operation["status"], operation["result"]["clean"]) == ("succeeded", True)


def test_a_server_that_is_told_to_end_waits_for_none(serve: Serve) -> None:
    """Not even for one that heeds nothing; after the next start it is seen to have failed."""
    server = serve()
    path = begun(server)
    standing_still(server)
    server.stop()
    operation = ended(serve(), path)
    assert (operation["status"], "was stopped" in operation["error"]) == ("failed", True)
