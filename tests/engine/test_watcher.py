"""An engine that ends by itself is started again, for as long as its owner is there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis

from itemstore.engine import watcher as engine_watcher
from itemstore.engine.embedded import EmbeddedEngine, attach, run
from itemstore.engine.server_process import loaded
from tests.conftest import wait_until
from tests.engine.conftest import Connect, Own


def pid_after(engine: EmbeddedEngine, pid: int) -> int:
    """The process id of the engine that has taken the place of one."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if (now := loaded(engine.socket)) not in (None, pid):
            assert now is not None
            return now
        time.sleep(0.01)
    pytest.fail("The engine was not started again.")


@pytest.mark.usefixtures("each_program")
@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGSEGV", "SHUTDOWN"])
def test_an_engine_that_ends_is_started_again_with_its_data(
    data_dir: Path, connect: Connect, end: str
) -> None:
    """However it ended, three times in a row, at the same socket; a while later it stops."""
    with run(data_dir) as engine:
        pid = engine.pid
        for number in range(3):
            connect(engine).set("key", number)
            stop(pid, connect(engine), end)
            pid = pid_after(engine, pid)
            assert connect(engine).get("key") == str(number)
    assert loaded(engine.socket) is None
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "2"


def test_an_engine_whose_log_can_t_be_written_is_started_again(
    data_dir: Path, connect: Connect
) -> None:
    """A full disk is why engines end, and what is said of it goes there too."""
    data_dir.mkdir()
    (data_dir / "engine.log").symlink_to("/dev/full")
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
        os.kill(engine.pid, signal.SIGKILL)
        pid_after(engine, engine.pid)
        assert connect(engine).get("key") == "value"


def stop(pid: int, client: Redis, end: str) -> None:
    """Ends the engine, and waits until it has."""
    if end == "SHUTDOWN":
        client.shutdown()
    else:
        os.kill(pid, signal.Signals[end])


def test_a_command_that_attaches_finds_the_engine_that_was_started_again(
    data_dir: Path, own: Own
) -> None:
    """Within the patience that it has anyway."""
    process, engine = own(data_dir)
    os.kill(engine.pid, signal.SIGKILL)
    with attach(data_dir) as again:
        assert again.pid != engine.pid
        assert again.socket == engine.socket
    assert process.poll() is None


def test_an_owner_that_is_killed_with_its_engine_leaves_none(
    data_dir: Path, own: Own, connect: Connect
) -> None:
    """Nobody starts it again for an owner that is gone."""
    process, engine = own(data_dir)
    process.kill()
    os.kill(engine.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    with run(data_dir) as mine:
        assert connect(mine).get("acknowledged") == "yes"
    assert loaded(engine.socket) is None


def test_an_engine_that_ends_as_soon_as_it_has_answered_is_started_again(tmp_path: Path) -> None:
    """Its owner's byte may come a moment later than its end."""
    starts = tmp_path / "starts"
    engine = ["sh", "-c", 'echo >>"$0"', str(starts)]
    with subprocess.Popen(
        [sys.executable, engine_watcher.__file__, str(tmp_path / "socket"), "2", *engine],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=0,
    ) as watcher:
        assert watcher.stdin is not None
        wait_until(starts.exists, 10)
        time.sleep(0.05)
        watcher.stdin.write(b"!")
        wait_until(lambda: len(starts.read_text()) > 1, 10)


def test_the_log_says_that_the_engine_was_started_again(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the time and the status that it ended with, and so does the engine's own log."""
    with run(data_dir) as engine:
        os.kill(engine.pid, signal.SIGKILL)
        pid_after(engine, engine.pid)
    [record] = caplog.records
    assert (record.getMessage(), record.levelname) == (engine_watcher.ENDED, "WARNING")
    assert record.__dict__["status"] == -9
    [line] = [
        line
        for line in (data_dir / "engine.log").read_text().splitlines()
        if engine_watcher.ENDED in line
    ]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", line)


def test_an_engine_whose_socket_was_deleted_is_started_again(
    data_dir: Path, connect: Connect
) -> None:
    """Nobody could reach it any more; the log says why."""
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
        engine.socket.unlink()
        pid_after(engine, engine.pid)
        assert connect(engine).get("key") == "value"
    assert engine_watcher.WITHOUT_SOCKET in (data_dir / "engine.log").read_text()
