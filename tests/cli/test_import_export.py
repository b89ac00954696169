"""export and import: moving house, and what comes in between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from cli.connection import Connection
from cli.errors import Stop
from cli.imports import import_file
from eventlog.keys import Keys
from eventlog.log import EventLog
from eventlog.room import Room
from projections.current_items import APPLY
from tests.cli.test_log_commands import COMMAND, LINES, Run, as_lines, imported, run
from tests.server.conftest import Serve, serve

__all__ = ["imported", "run", "serve"]  # fixtures


FIRST: Any = LINES[0]


def events_of(text: str) -> list[dict[str, Any]]:
    """The events in JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def by_hand(data: Path, command: str) -> None:
    """Has a Redis client of its own run a command on the engine of a data directory."""
    script = (
        "import sys; from pathlib import Path; from redis import Redis;"
        "from eventlog.engine import attach\n"
        "with attach(Path(sys.argv[1])) as engine:\n"
        f"    Redis.from_url(engine.url).{command}\n"
    )
    subprocess.run([sys.executable, "-c", script, str(data)], check=True, timeout=60)


BODIES = [
    '{"a":[]}',
    '{"a":{}}',
    '{"a":1.0}',
    '{"a":1}',
    '{"a":1e+300}',
    '{"a":-0.0}',
    '{"a":123456789012345678901234567890}',
    '{"a":0.1}',
    '{"a":5e-324}',
    '{"é":"\\u0000\\n\\u007f/\\"\\\\ \\u2028"}',
    '{"a":true,"b":null}',
    '{"":{"":[[[]]]}}',
]


def test_whatever_a_client_stored_survives_the_move(serve: Serve, run: Run, tmp_path: Path) -> None:
    """Bodies and ids of all kinds, traces, keys and deletes: the same export, the same digest."""
    server = serve("--model", "any", data_dir=tmp_path / "data")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with httpx.Client(base_url=server.url) as client:
        for number, body in enumerate(BODIES):
            headers = {"content-type": "application/json", "idempotency-key": f"key-{number}"}
            headers |= {"traceparent": trace} if number % 2 else {}
            for item in (f"item-{number % 5}", "%C3%A9%2F%22%20%25"):
                client.put(f"/items/{item}", content=body, headers=headers).raise_for_status()
                headers["idempotency-key"] += "-other"
        client.delete("/items/item-3").raise_for_status()
        first = run("export")
    server.stop()
    assert first.stdout.count("\n") == 25
    assert first.stderr == "25 events exported\n"
    moved = run("import", stdin=first.stdout, data="copy")
    assert (moved.returncode, moved.stdout, moved.stderr) == (0, "", "25 events imported\n")
    assert run("export", data="copy").stdout == first.stdout
    verdicts = [run("verify", "--json", data=data) for data in ("data", "copy")]
    assert [verdict.returncode for verdict in verdicts] == [0, 0]
    assert len({json.loads(verdict.stdout)["digest"] for verdict in verdicts}) == 1


def test_an_export_goes_on_where_the_last_one_ended(imported: Run) -> None:
    """`--after` the last position that was seen; nothing twice."""
    log = events_of(imported("export").stdout)
    for place, event in enumerate(log):
        assert events_of(imported("export", "--after", event["id"]).stdout) == log[place + 1 :]


def test_a_position_that_the_log_has_lost_is_refused(imported: Run, tmp_path: Path) -> None:
    """An export that leaves something out must not look complete."""
    [first, *_] = events_of(imported("export").stdout)
    by_hand(tmp_path / "data", "xtrim('items:events', maxlen=2, approximate=False)")
    for verb in ("export", "tail"):
        refused = imported(verb, "--after", first["id"])
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "no longer has" in refused.stderr
    assert len(events_of(imported("export").stdout)) == 2


@pytest.mark.parametrize("words", [("export",), ("tail",), ("tail", "--follow")])
def test_an_entry_that_is_no_event_is_named(
    imported: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """One sentence, not a traceback; an export does not look complete."""
    by_hand(tmp_path / "data", "xadd('items:events', {'hello': 'world'})")
    refused = imported(*words)
    assert refused.returncode == 1
    assert refused.stderr.startswith("itemstore: The entry at ")
    assert len(refused.stderr.splitlines()) == 1


def test_empty_lines_and_unknown_members_do_not_matter(run: Run) -> None:
    """Nor do versions and sources of elsewhere, nor whether the last line ends."""
    event = {**FIRST, "source": "/other", "itemversion": 17, "colour": "red", "id": "a-uuid"}
    assert (
        run("import", stdin=f"\n\n{json.dumps(event)}\n \n{json.dumps(LINES[1])}").returncode == 0
    )
    exported = events_of(run("export").stdout)
    assert [event["itemversion"] for event in exported] == [1, 2]
    assert exported[0]["time"] == "2020-01-01T00:00:00.000Z"
    assert {event["source"] for event in exported} == {"/items"}


def test_an_import_of_nothing_is_an_empty_log(run: Run) -> None:
    """Not an error."""
    ended = run("import", stdin="")
    assert (ended.returncode, ended.stderr) == (0, "0 events imported\n")


def test_an_id_is_a_position_and_beats_the_time(run: Run) -> None:
    """Where both are there, as in an export."""
    line = {**FIRST, "id": "5-7", "time": "2020-01-01T00:00:00Z"}
    assert run("import", stdin=as_lines(line)).returncode == 0
    [event] = events_of(run("export").stdout)
    assert (event["id"], event["time"]) == ("5-7", "1970-01-01T00:00:00.005Z")


def test_bytes_that_are_no_text_are_an_error_of_their_line(run: Run, tmp_path: Path) -> None:
    """From a file as well as from stdin."""
    file = tmp_path / "broken"
    file.write_bytes(as_lines(LINES[0]).encode() + b'{"type": "\xff"}\n')
    refused = run("import", str(file))
    assert refused.returncode == 1
    assert "line 2: " in refused.stderr
    assert run("export").stdout == ""


def test_append_knows_what_the_items_are(imported: Run) -> None:
    """A line that does not fit the log as it is now is refused, with its number."""
    for wrong in (
        {"type": "ItemUpdated", "subject": "foo", "data": {}},
        {"type": "ItemCreated", "subject": "é/b", "data": {}},
        {"type": "ItemDeleted", "subject": "foo"},
    ):
        right = {"type": "ItemCreated", "subject": "new", "data": {}}
        refused = imported("import", "--append", stdin=as_lines(right, wrong))
        assert refused.returncode == 1
        assert "line 2: " in refused.stderr
    assert len(events_of(imported("export").stdout)) == 4
    fitting = (
        {"type": "ItemCreated", "subject": "foo", "data": {"size": 5}, "id": "1-1"},
        {"type": "ItemUpdated", "subject": "é/b", "data": {}},
    )
    assert imported("import", "--append", stdin=as_lines(*fitting)).returncode == 0
    log = events_of(imported("export").stdout)
    assert [event["itemversion"] for event in log[4:]] == [4, 2]
    assert log[4]["id"] > log[3]["id"]


def test_an_import_beside_a_server_is_seen_at_once(serve: Serve, run: Run, tmp_path: Path) -> None:
    """It goes into the engine that the server runs."""
    server = serve(data_dir=tmp_path / "data")
    assert run("import", stdin=as_lines(*LINES)).returncode == 0
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/items/%C3%A9%2Fb").headers["etag"] == '"1"'
        travelled = client.get(
            "/items/foo", headers={"accept-datetime": "Mon, 01 Jun 2020 00:00:00 GMT"}
        )
    assert travelled.headers["location"] == "/items/foo/versions/1"


def test_an_interrupted_import_leaves_a_whole_beginning(run: Run, tmp_path: Path) -> None:
    """Ctrl-C: exit code 130; what is there is the start of the file, and it verifies."""
    file = tmp_path / "many"
    body = {"size": 1, "name": "x" * 2000}
    line = {"type": "ItemCreated", "time": "2020-01-01T00:00:00Z", "data": body}
    file.write_text(as_lines(*({**line, "subject": f"item-{number}"} for number in range(40_000))))
    command = [*COMMAND, "import", "--data-dir", str(tmp_path / "data"), str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    size = 0
    while size < 1_000_000:  # it checks the whole file first
        time.sleep(0.02)
        assert process.poll() is None
        size = sum(each.stat().st_size for each in (tmp_path / "data").rglob("*.aof"))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert (process.returncode, b"Traceback" in said) == (130, False)
    subjects = [event["subject"] for event in events_of(run("export").stdout)]
    assert 0 < len(subjects) < 40_000
    assert subjects == [f"item-{number}" for number in range(len(subjects))]
    assert run("verify").returncode == 0
    assert "--append" in run("import", str(file)).stderr


@pytest.mark.parametrize("verb", ["export", "tail"])
def test_a_reader_that_has_seen_enough_is_no_error(
    imported: Run, tmp_path: Path, verb: str
) -> None:
    """As `| head -1` does it: no traceback."""
    command = [*COMMAND, verb, "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said


async def test_an_import_ends_before_the_disk_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and where the log ends now."""
    redis, keys = FakeAsyncRedis(), Keys()
    connection = Connection(redis, keys, EventLog(redis, keys, APPLY), Room(tmp_path))
    file = tmp_path / "events"
    file.write_text(json.dumps(FIRST))
    monkeypatch.setattr("eventlog.room.LEAST_MIB", 2**40)
    with pytest.raises(Stop, match=r"disk has \d+ MiB left.* The log now ends at 0-0"):
        await import_file(connection, file, append=False)
    assert await redis.keys() == []
