"""tail: the newest events, and with --follow those to come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.cli.test_log_commands import COMMAND, Run, imported, run
from tests.conftest import PATIENCE, Start, killed_when_silent, wait_until
from tests.server.conftest import Serve, serve, socket_of

__all__ = ["imported", "run", "serve"]  # fixtures


@contextmanager
def tailing(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A tail that runs beside the block."""
    command = [*COMMAND, "tail", "--data-dir", str(data), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            with killed_when_silent(process, 5 * PATIENCE):  # the block waits for several things
                yield process
        finally:
            process.kill()


def test_tail_shows_the_last_ten(run: Run) -> None:
    """In the order of the log, without --after."""
    lines = "".join(
        json.dumps({"type": "ItemCreated", "subject": f"{number}", "data": {}}) + "\n"
        for number in range(25)
    )
    assert run("import", stdin=lines).returncode == 0
    shown = [json.loads(line)["subject"] for line in run("tail", "--json").stdout.splitlines()]
    assert shown == [f"{number}" for number in range(15, 25)]
    assert len(run("tail", "--after", "0-0").stdout.splitlines()) == 25


def test_tail_of_an_empty_log_shows_nothing(run: Run) -> None:
    """And is no error."""
    assert run("import").returncode == 0
    ended = run("tail")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_follow_shows_events_as_they_come_until_it_is_interrupted(
    serve: Serve, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """What was and what comes, a line each, at once; no traceback at the end."""
    server = serve(data_dir=tmp_path / "data")
    with httpx.Client(base_url=server.url) as client:
        written = [client.put("/items/a", json={}).headers["event-id"]]
        with tailing(tmp_path / "data", "--follow", "--json") as process:
            assert process.stdout is not None
            seen = [json.loads(process.stdout.readline())["id"]]
            for _ in range(20):
                written.append(client.put("/items/a", json={}).headers["event-id"])
                seen.append(json.loads(process.stdout.readline())["id"])
            process.send_signal(number)
            rest, said = process.communicate(timeout=10)
    assert seen == written
    assert (process.returncode, rest) == (code, "")
    assert "Traceback" not in said


def test_follow_ends_when_its_reader_is_gone(serve: Serve, tmp_path: Path) -> None:
    """As with `| head -1`: at once, and not only with the next event."""
    server = serve(data_dir=tmp_path / "data")
    assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
    with tailing(tmp_path / "data", "--follow") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "ItemCreated" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 141
        assert process.stderr.read() == ""


def test_follow_outlives_the_server_and_its_engine(serve: Serve, tmp_path: Path) -> None:
    """It says that it waits, and goes on with the next server: every event once."""
    server = serve(data_dir=tmp_path / "data")
    with tailing(tmp_path / "data", "-f", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        written, seen = [], []
        for restart in (False, True):
            if restart:
                server.stop()
                assert process.stderr.readline().endswith("Waiting for it.\n")
                server = serve(data_dir=tmp_path / "data")
            with httpx.Client(base_url=server.url) as client:
                written.append(client.put("/items/a", json={"size": 6}).headers["event-id"])
            seen.append(json.loads(process.stdout.readline())["id"])
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 130
    assert seen == written


def test_follow_outlives_an_engine_that_is_killed(serve: Serve, tmp_path: Path) -> None:
    """The server starts it again."""
    server = serve(data_dir=tmp_path / "data")
    with (
        httpx.Client(base_url=server.url) as client,
        tailing(tmp_path / "data", "-f", "--json") as process,
    ):
        assert process.stdout is not None
        client.put("/items/a", json={"size": 6})
        process.stdout.readline()
        with Redis(unix_socket_path=socket_of(server)) as engine:
            os.kill(engine.info("server")["process_id"], signal.SIGKILL)
        written = put_until_answered(client, "/items/b")
        assert json.loads(process.stdout.readline())["id"] == written


def put_until_answered(client: httpx.Client, path: str) -> str:
    """The position of a write, once the engine takes one again."""
    until = time.monotonic() + 20
    while (answer := client.put(path, json={}, headers={"if-none-match": "*"})).is_error:
        assert time.monotonic() < until
        time.sleep(0.05)
    return answer.headers["event-id"]


def test_follow_holds_no_engine_and_keeps_no_server_out(
    imported: Run, serve: Serve, tmp_path: Path
) -> None:
    """Begun without a server it shows what there is, and then what others write."""
    with tailing(tmp_path / "data", "-f", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        shown = [json.loads(process.stdout.readline())["subject"] for _ in range(4)]
        assert shown == ["foo", "foo", "é/b", "foo"]
        assert process.stderr.readline().startswith("No engine runs in ")
        added = '{"type": "ItemCreated", "subject": "import", "data": {}}'
        assert imported("import", "--append", stdin=added).returncode == 0
        assert json.loads(process.stdout.readline())["subject"] == "import"
        server = serve(data_dir=tmp_path / "data")
        with httpx.Client(base_url=server.url) as client:
            client.put("/items/api", json={"size": 6}).raise_for_status()
        assert json.loads(process.stdout.readline())["subject"] == "api"


def test_follow_does_not_take_another_log_for_its_own(
    imported: Run, start: Start, tmp_path: Path
) -> None:
    """An engine that comes back empty is said, and not waited on in silence."""
    server = start("valkey")
    line = '{"type": "ItemCreated", "subject": "a", "data": {}}'
    assert imported("import", "--redis-url", server.url, stdin=line).returncode == 0
    with tailing(tmp_path / "data", "-f", "--redis-url", server.url) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Redis.from_url(server.url) as engine:
            engine.flushall()
            engine.client_kill_filter(_type="normal", skipme=True)
        _, said = process.communicate(timeout=15)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("itemstore: This is not the log that it was")


def test_a_server_waits_for_a_command_that_runs_the_engine(
    imported: Run, serve: Serve, tmp_path: Path
) -> None:
    """And not for another server."""
    reader, writer = os.pipe()
    command = [*COMMAND, "import", "--append", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=reader, stderr=subprocess.PIPE, text=True) as process:
        os.close(reader)
        owner = tmp_path / "data" / "owner.lock"
        wait_until(lambda: "brief" in owner.read_text(), 15)
        leaving = threading.Timer(0.5, os.close, [writer])
        leaving.start()
        server = serve(data_dir=tmp_path / "data")
        assert process.wait(timeout=15) == 0
        leaving.join()
    refused = imported("serve", "--port", "0")
    assert (refused.returncode, "in use by process" in refused.stderr) == (1, True)
    assert server.process.poll() is None


def test_an_export_that_breaks_off_says_how_to_go_on(serve: Serve, tmp_path: Path) -> None:
    """Its engine was that of a server, which ended: half a log never looks like all of it."""
    server = serve("--model", "any", data_dir=tmp_path / "data")
    with httpx.Client(base_url=server.url) as client:
        for number in range(40):
            client.put(f"/items/{number}", json={"x": "x" * 300_000}).raise_for_status()
    command = [*COMMAND, "export", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline()]
        server.stop()
        wait_until(lambda: not Path(socket_of(server)).exists())
        lines += process.stdout.readlines()
        said = process.stderr.read().decode()
    last = json.loads(lines[-1])["id"]
    assert (process.returncode, len(lines) < 40) == (1, True)
    assert f"{len(lines)} event" in said
    assert said.endswith(f"To go on: itemstore export --after {last}\n")
