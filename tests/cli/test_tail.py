"""tail: the newest events, and with --follow those to come."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.test_log_commands import COMMAND, Run, imported, run
from tests.conftest import killed_when_silent
from tests.server.conftest import Serve, serve

__all__ = ["imported", "run", "serve"]  # fixtures


@contextmanager
def tailing(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A tail that runs beside the block."""
    command = [*COMMAND, "tail", "--data-dir", str(data), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            with killed_when_silent(process):
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


def test_follow_ends_with_a_sentence_when_the_engine_does(serve: Serve, tmp_path: Path) -> None:
    """The server took its engine along."""
    server = serve(data_dir=tmp_path / "data")
    with (
        httpx.Client(base_url=server.url) as client,
        tailing(tmp_path / "data", "-f") as process,
    ):
        assert process.stdout is not None
        client.put("/items/a", json={"size": 6})
        line = process.stdout.readline()
        server.stop()
        _, said = process.communicate(timeout=10)
    assert line.rstrip().endswith('ItemCreated  a v1 {"name":null,"size":6}')
    assert process.returncode == 1
    assert said.startswith("itemstore: ")
    assert len(said.splitlines()) == 1
