"""A process that was told to end ends, whatever it is at."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from itemstore.engine.server_process import loaded
from tests.conftest import wait_until
from tests.server.conftest import Serve, Server, socket_of

MODEL = "tests.server.blocking:Anything"


def runs(pid: int) -> bool:
    """Whether there is such a process, which is not a dead one that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "XZ"
    except (FileNotFoundError, ProcessLookupError):
        return False


def workers_of(server: Server) -> list[int]:
    """The processes of the API, once each of them has answered."""
    until = time.monotonic() + 20
    while True:
        text = httpx.get(f"{server.url}/metrics", timeout=20).text
        pids = set(re.findall(r'^process_cpu_seconds_total\{pid="(\d+)"\}', text, re.MULTILINE))
        if len(pids) == 2:
            return [int(pid) for pid in pids]
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def serve_blocked(serve: Serve, tmp_path: Path) -> Serve:
    """Starts servers with the model that can be made to block in one way or another."""

    def start(kind: str, *options: str, **environment: str) -> Server:
        environment |= {"BLOCK": kind, "BLOCK_DIR": str(tmp_path)}
        return serve("--model", MODEL, *options, **environment)

    return start


@pytest.fixture
def block(tmp_path: Path) -> Callable[[int], None]:
    """Has a process do what never ends, and waits until it does."""

    def blocked(pid: int) -> None:
        os.kill(pid, signal.SIGUSR1)
        wait_until((tmp_path / str(pid)).exists, 10)

    return blocked


@pytest.mark.parametrize(
    ("kind", "number"),
    [("loop", signal.SIGTERM), ("sleep", signal.SIGINT), ("expression", signal.SIGTERM)],
)
def test_a_step_that_never_ends_does_not_keep_the_process(
    serve_blocked: Serve,
    block: Callable[[int], None],
    kind: str,
    number: signal.Signals,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It ends with status 1, and says what it was at; its engine ends with it."""
    server = serve_blocked(kind)
    assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
    block(server.process.pid)
    assert server.stop(number) == 1
    said = capfd.readouterr().err
    assert "was told to end" in said or kind == "expression"
    assert 'blocking.py", line' in said
    assert "in _block" in said
    wait_until(lambda: loaded(Path(socket_of(server))) is None, 10)


@pytest.mark.parametrize(
    ("kind", "number"), [("C", signal.SIGTERM), ("thread", signal.SIGTERM), ("C", signal.SIGINT)]
)
def test_a_step_that_gives_python_no_turn_does_not_keep_the_process(
    serve_blocked: Serve,
    block: Callable[[int], None],
    kind: str,
    number: signal.Signals,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No handler of Python's need run then: another process kills it, and says what it was at."""
    server = serve_blocked(kind)
    assert httpx.get(f"{server.url}/livez").status_code == 200
    block(server.process.pid)
    assert server.stop(number) in (-signal.SIGKILL, 1)  # where the clock could be set after all
    wait_until(lambda: loaded(Path(socket_of(server))) is None, 10)
    assert "blocking.py" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["loop", "C"])
def test_a_worker_that_never_ends_does_not_keep_its_server(
    serve_blocked: Serve, block: Callable[[int], None], kind: str
) -> None:
    """The server ends as ever, and none of its processes is left."""
    server = serve_blocked(kind, "--workers", "2")
    workers = workers_of(server)
    block(workers[0])
    assert server.stop() == 0
    assert not any(runs(pid) for pid in workers)


@pytest.mark.parametrize("kind", ["loop", "C"])
def test_a_worker_that_never_ends_does_not_outlive_its_server(
    serve_blocked: Serve, block: Callable[[int], None], kind: str
) -> None:
    """The server was killed, so nobody is left to end it."""
    server = serve_blocked(kind, "--workers", "2")
    workers = workers_of(server)
    block(workers[0])
    server.stop(signal.SIGKILL)
    wait_until(lambda: not any(runs(pid) for pid in workers), 10)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_was_stopped_by_its_terminal_goes_on(
    serve_blocked: Serve, workers: str
) -> None:
    """Ctrl-Z and `fg`, with more time between them than the end of a process has."""
    server = serve_blocked("loop", "--workers", workers, END_SECONDS="3")
    processes = [server.process.pid]
    if workers == "2":
        processes += workers_of(server)
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in processes:
            os.kill(pid, number)
        time.sleep(3.5 if number == signal.SIGSTOP else 0)
    assert httpx.put(f"{server.url}/items/a", json={}, timeout=10).status_code == 201
    assert all(runs(pid) for pid in processes)


def test_a_process_that_a_model_forked_and_ends_leaves_the_server_alone(
    serve_blocked: Serve, block: Callable[[int], None], tmp_path: Path
) -> None:
    """As a pool of multiprocessing does with its own: only a process told to end is killed."""
    server, child = serve_blocked("fork"), tmp_path / "child"
    assert httpx.get(f"{server.url}/livez").status_code == 200
    block(server.process.pid)
    wait_until(lambda: child.exists() and child.read_text().endswith("\n"), 10)
    os.kill(int(child.read_text()), signal.SIGTERM)
    wait_until(lambda: not runs(int(child.read_text())), 10)
    time.sleep(1.5)  # together longer than the server would have had
    assert httpx.put(f"{server.url}/items/a", json={}, timeout=10).status_code == 201
