"""What the command shows of a store with several partitions: one log, resumed by cursors."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from tests.cli.test_log_commands import Run, run
from tests.cli.test_tail import tailing
from tests.conftest import PATIENCE, wait_until
from tests.server.conftest import Serve, serve

__all__ = ["run", "serve"]  # fixtures


@pytest.fixture(autouse=True)
def _of_four_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new store has."""
    monkeypatch.setenv("ITEMSTORE_PARTITIONS", "4")


def lines_of(count: int, begin: int = 0) -> str:
    """An export to import: events of a dozen items, a millisecond apart."""
    return "".join(
        json.dumps(
            {
                "id": f"{1_700_000_000_000 + number}-0",
                "type": "ItemCreated" if number < 12 else "ItemUpdated",
                "subject": f"i{number % 12}",
                "data": {"size": number},
            }
        )
        + "\n"
        for number in range(begin, begin + count)
    )


def sizes(text: str) -> list[int]:
    """Which events these lines are."""
    return [json.loads(line)["data"]["size"] for line in text.splitlines()]


def test_export_goes_on_after_the_cursor_that_it_says(run: Run) -> None:
    """In order of time; with what came since, once, and nothing where nothing did."""
    assert run("import", stdin=lines_of(40)).returncode == 0
    first = run("export")
    assert sizes(first.stdout) == [*range(40)]
    said = re.search(r"40 events exported; what comes next: --after (v\S+)", first.stderr)
    assert said is not None
    assert run("export", "--after", said[1]).stdout == ""
    assert run("import", "--append", stdin=lines_of(10, 40)).returncode == 0
    assert sorted(sizes(run("export", "--after", said[1]).stdout)) == [*range(40, 50)]


def test_after_takes_ids_and_positions_too(run: Run) -> None:
    """And says so where a text is none of them."""
    assert run("import", stdin=lines_of(40)).returncode == 0
    events = [json.loads(line) for line in run("export").stdout.splitlines()]
    last = {event["id"].partition("@")[2]: event["id"] for event in events[:30]}
    assert sizes(run("export", "--after", ",".join(last.values())).stdout) == [*range(30, 40)]
    position = events[29]["id"].partition("@")[0]
    assert sizes(run("tail", "--json", "--after", position).stdout) == [*range(30, 40)]
    assert sizes(run("tail", "--json").stdout) == [*range(30, 40)]
    shown = run("history", "i3").stdout.splitlines()
    assert [line.split()[0] for line in shown] == [e["id"] for e in events if e["subject"] == "i3"]
    refused = run("tail", "--after", "yesterday")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "ids of the last events of some partitions" in refused.stderr
    ahead = run("export", "--after", "1900000000000-0")
    assert (ahead.returncode, "ahead of the log" in ahead.stderr) == (1, True)


def test_follow_shows_what_comes_in_any_partition_through_a_restart(
    serve: Serve, tmp_path: Path
) -> None:
    """Each event once; those of each item in order."""
    data = tmp_path / "data"
    first = serve(data_dir=data)
    shown: list[str] = []
    with tailing(data, "--follow", "--json", "--after", "0-0") as process:
        reading = threading.Thread(target=_read, args=(process, shown))
        reading.start()
        _put(first.url, 0, 30)
        wait_until(lambda: len(shown) == 30, 2 * PATIENCE)
        first.stop()
        second = serve(data_dir=data)
        _put(second.url, 30, 60)
        wait_until(lambda: len(shown) == 60, 2 * PATIENCE)
        process.send_signal(signal.SIGINT)
        reading.join(20)
    events = [json.loads(line) for line in shown]
    assert sorted(event["data"]["size"] for event in events) == [*range(60)]
    for number in range(12):
        of_item = [each["itemversion"] for each in events if each["subject"] == f"i{number}"]
        assert of_item == [*range(1, 6)]


def _read(process: subprocess.Popen[str], shown: list[str]) -> None:
    assert process.stdout is not None
    shown += process.stdout


def _put(url: str, begin: int, end: int) -> None:
    with httpx.Client(base_url=url, timeout=20) as client:
        for number in range(begin, end):
            client.put(f"/items/i{number % 12}", json={"size": number}).raise_for_status()
