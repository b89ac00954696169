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

HANGING = """
import pathlib, sys, time
from itemstore.projections.counting import CountingProjection

def count(numbers, recorded):
    if "operation_process" in " ".join(sys.orig_argv):
        pathlib.Path(__file__).with_name("hangs").touch()
        time.sleep(3600)
    numbers["events"] += 1

HANGING = CountingProjection("hanging", count)
"""
"""A projection of an operator's own that stands still, but not in the server."""


def begun(server: Server) -> str:
    """The URL of a verification that the server has begun."""
    answer = httpx.post(f"{server.url}{PATH}", json={"operation": "verify"}, timeout=20)
    assert answer.status_code == 202
    return answer.headers["location"]


def standing_still(server: Server) -> int:
    """The process that carries an operation of the server out, which is stopped now."""
    while not (found := children(server)):
        time.sleep(0.01)
    os.kill(found[0], signal.SIGSTOP)
    return found[0]


def children(server: Server) -> list[int]:
    """The processes that carry an operation of the server out."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    pids = [int(pid) for each in tasks for pid in each.read_text().split()]
    return [pid for pid in pids if is_carrying_out(pid)]


def is_carrying_out(pid: int) -> bool:
    """Whether the process is there, and carries an operation out."""
    try:
        return b"operation_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


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


def test_code_of_the_operator_s_that_hangs_outlives_no_server_either(
    serve: Serve, start: Start, tmp_path: Path
) -> None:
    """Its process ends by itself, although it heeds nothing."""
    (tmp_path / "hanging.py").write_text(HANGING)
    server = serve(
        *("--redis-url", start("valkey").url, "--projections", "hanging:HANGING"),
        PYTHONPATH=str(tmp_path),
    )
    httpx.put(f"{server.url}/items/foo", json={}, timeout=20).raise_for_status()
    asked = {"operation": "rebuild", "projection": "hanging"}
    httpx.post(f"{server.url}{PATH}", json=asked, timeout=20).raise_for_status()
    while not (tmp_path / "hangs").exists():
        time.sleep(0.05)
    [process] = children(server)
    server.process.kill()
    while is_carrying_out(process):
        time.sleep(0.05)
