"""Workers that end and that can't start: the others serve, and one is tried again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.conftest import ROOT, Start, wait_until
from tests.server.test_log import served

COMMAND = [sys.executable, "-m", "tests.server.workers_that_fail"]


@dataclass
class Two:
    """A server of two processes, which can't start while there is `fails`."""

    process: subprocess.Popen[str]
    fails: Path
    log: Path

    def workers(self) -> list[int]:
        """Those of its processes that serve, or that begin to."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = []
        for pid in children.split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def both_serve(self) -> bool:
        """Whether its supervisor knows so."""
        started = self.fails.with_name("started")
        return started.exists() and started.read_text() == "2"

    def who(self, port: int) -> str:
        """What it answers."""
        return httpx.get(f"http://127.0.0.1:{port}/who", timeout=20).text


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """It begins to start with the block of a test; `fails` may be there before."""
    log = tmp_path / "log"
    with contextlib.ExitStack() as ending:
        said = ending.enter_context(log.open("w"))
        process = subprocess.Popen(
            COMMAND, stdout=subprocess.PIPE, stderr=said, text=True, cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        ending.enter_context(process)
        ending.callback(process.kill)
        yield Two(process, tmp_path / "fails", log)


def test_a_worker_that_can_not_start_is_tried_again_while_another_one_serves(two: Two) -> None:
    """After a pause, until it can; the server goes on all the while."""
    assert two.process.stdout is not None
    port = int(two.process.stdout.readline())
    assert two.who(port).startswith("http ")
    wait_until(two.both_serve)
    two.fails.touch()
    os.kill(two.workers()[0], signal.SIGKILL)
    wait_until(lambda: two.log.read_text().count("is tried again after a pause") >= 2)
    assert two.who(port).startswith("http ")
    two.fails.unlink()
    wait_until(two.both_serve)
    os.kill(two.workers()[0], signal.SIGKILL)  # the last one of before
    assert two.who(port).startswith("http ")
    two.process.terminate()
    assert two.process.wait(20) == 0


def test_a_server_whose_workers_can_not_start_ends_and_says_so_once(two: Two) -> None:
    """What is wrong at the first start is a mistake, which no pause mends."""
    two.fails.touch()
    two.process.send_signal(signal.SIGCONT)
    assert two.process.wait(20) == 7
    assert two.log.read_text().count("A worker could not start, so the server ends") == 1


def test_a_worker_says_in_a_sentence_why_it_can_not_serve_the_store(
    tmp_path: Path, start: Start
) -> None:
    """Such as that the engine is not as it was at the start; put right, the worker serves again."""
    engine = start("valkey")
    with (
        Redis(unix_socket_path=str(engine.socket)) as redis,
        served(
            tmp_path, "--sql-url", "off", "--workers", "2", ITEMSTORE_REDIS_URL=engine.url
        ) as server,
    ):
        wait_until(lambda: len(server.lines(event="The store is served")) == 2)
        redis.config_set("maxmemory-policy", "allkeys-lru")
        redis.config_set("maxmemory", "1gb")
        os.kill(server.lines(event="The store is served")[0]["pid"], signal.SIGKILL)
        assert "allkeys-lru" in server.wait_for(event="The store can't be served")["reason"]
        server.wait_for(event="A worker could not start and is tried again after a pause")
        assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
        redis.config_set("maxmemory-policy", "noeviction")
        wait_until(lambda: len(server.lines(event="The store is served")) == 3)
    assert "Traceback" not in server.log.read_text()
