"""export and import: moving house, and what comes in between."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.cli.errors import Stop
from itemstore.cli.import_file import import_file
from itemstore.cli.import_source import opened
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.cloudevents import encode
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.settings import Settings
from itemstore.store.store import Store
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
        "from itemstore.engine.embedded import attach\n"
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
        assert refused.stderr.startswith("itemstore: line 2: ")
        assert refused.stderr.endswith(".\n")
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


def written(data: Path) -> int:
    """Bytes of commands that the embedded engine has on disk; its other files come and go."""
    return sum(each.stat().st_size for each in data.rglob("*.incr.aof"))


def test_an_interrupted_import_leaves_a_whole_beginning(run: Run, tmp_path: Path) -> None:
    """Ctrl-C: exit code 130; what is there is the start of the file, and it verifies."""
    file = tmp_path / "many"
    body = {"size": 1, "name": "x" * 1000}
    line = {"type": "ItemCreated", "time": "2020-01-01T00:00:00Z", "data": body}
    file.write_text(as_lines(*({**line, "subject": f"item-{number}"} for number in range(12_000))))
    command = [*COMMAND, "import", "--data-dir", str(tmp_path / "data"), str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    size = 0
    while size < 1_000_000:  # it checks the whole file first
        time.sleep(0.02)
        assert process.poll() is None
        size = written(tmp_path / "data")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert (process.returncode, b"Traceback" in said) == (130, False)
    subjects = [event["subject"] for event in events_of(run("export").stdout)]
    assert 0 < len(subjects) < 12_000
    assert subjects == [f"item-{number}" for number in range(len(subjects))]
    assert f"{len(subjects):,} of 12,000 events are in the log; run the same" in said.decode()
    assert run("verify").returncode == 0
    again = run("import", str(file))
    assert (again.returncode, f"{len(subjects)} events are in" in again.stderr) == (0, True)
    assert json.loads(run("info", "--json").stdout)["events"] == 12_000


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
    """It says why, and how far it came."""
    redis = FakeAsyncRedis()
    store = Store.on(redis, Settings(), DiskSpace(tmp_path))
    file = tmp_path / "events"
    file.write_text(json.dumps(FIRST))
    monkeypatch.setattr("itemstore.engine.disk_space.LEAST_MIB", 2**40)
    with pytest.raises(Stop, match=r"disk has \d+ MiB left.* Nothing was imported"):
        await import_file(store, file, append=False)
    assert await redis.keys() == []


SIZE = 12_000

MANY = "".join(
    json.dumps({"type": "ItemCreated", "subject": f"{number}", "data": {"name": "x" * 600}}) + "\n"
    for number in range(SIZE)
)


def interrupted(words: list[str], data: Path, number: signal.Signals) -> tuple[int, str]:
    """The exit code and the messages of a command that is interrupted once it writes."""
    command = [*COMMAND, *words, "--data-dir", str(data)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while written(data) < 100_000:
            time.sleep(0.01)
            assert process.poll() is None
            assert time.monotonic() < until
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    return process.returncode, said


def test_an_interrupted_append_says_how_to_go_on(run: Run, tmp_path: Path) -> None:
    """SIGTERM: exit code 143, and the line that goes on works as typed."""
    file = tmp_path / "many lines"
    file.write_text(MANY)
    data = tmp_path / "data"
    code, said = interrupted(["import", "--append", str(file)], data, signal.SIGTERM)
    assert code == 143
    command = said.partition("To go on with the rest: ")[2].rstrip()
    words = " ".join(f"'{word}'" for word in COMMAND)
    command = command.replace("itemstore ", f"{words} ") + f" --data-dir '{data}'"
    assert subprocess.run(["sh", "-c", command], check=False, timeout=60).returncode == 0
    subjects = [event["subject"] for event in events_of(run("export").stdout)]
    assert subjects == [f"{number}" for number in range(SIZE)]


def test_an_interrupted_export_into_a_file_goes_on_as_it_says(run: Run, tmp_path: Path) -> None:
    """No line is torn, and none is there twice."""
    assert run("import", stdin=MANY).returncode == 0
    file = tmp_path / "exported"
    command = [*COMMAND, "export", "--data-dir", str(tmp_path / "data")]
    with (
        file.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True) as process,
    ):
        until = time.monotonic() + 30
        while file.stat().st_size == 0:
            assert time.monotonic() < until
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    lines = file.read_text().splitlines()
    assert (process.returncode, 0 < len(lines) < SIZE) == (130, True)
    assert f"Interrupted. {len(lines)} events were exported, but not all." in said
    words = said.split("To go on: itemstore ")[1].split()
    rest = run(*words).stdout.splitlines()
    assert [json.loads(line)["subject"] for line in lines + rest] == [f"{n}" for n in range(SIZE)]


def test_an_import_interrupted_while_it_checks_leaves_no_new_store(tmp_path: Path) -> None:
    """Nothing was imported, and it says so."""
    file, data = tmp_path / "many", tmp_path / "data"
    file.write_text(MANY.replace('"subject": "', '"subject": "a') + MANY)
    command = [*COMMAND, "import", "--data-dir", str(data), str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not (data / "begun").exists():
            time.sleep(0.01)
            assert time.monotonic() < until
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said in {"", "Interrupted; nothing was imported.\n"}  # the first: not even read
    assert not data.exists()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in process, on nothing."""
    return Store.on(FakeAsyncRedis(), Settings(), DiskSpace(tmp_path))


async def import_lines(store: Store, directory: Path, lines: list[Any]) -> int:
    """How many were imported."""
    file = directory / "lines"
    file.write_text(as_lines(*lines))
    return await import_file(store, file, append=False)


@pytest.mark.parametrize("without", ["nothing", "time"])
@pytest.mark.parametrize("there", [0, 1, 3, 4])
async def test_an_import_goes_on_where_the_log_ends(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], without: str, there: int
) -> None:
    """Whether positions come from times or from the clock; what is there is not written again."""
    whole: list[Any] = list(LINES)
    lines = [{key: event[key] for key in event if key != without} for event in whole]
    assert await import_lines(store, tmp_path, lines[:there]) == there
    before = await store.feed.reader.read()
    assert await import_lines(store, tmp_path, lines) == 4 - there
    said = capsys.readouterr().err
    assert (f"{there} event" in said) is (there > 0)
    events = await store.feed.reader.read()
    assert events[:there] == before
    assert [event.item for event in events] == [line["subject"] for line in lines]
    assert (await verify(store.partition, BUILT_IN)).clean
    exported = [json.loads(encode(event)) for event in events]
    assert await import_lines(store, tmp_path, exported) == 0


CHANGES: list[tuple[int, dict[str, Any], str]] = [
    (0, {"data": {"size": 7}}, "line 1 is not in it"),
    (1, {"time": "2021-01-01T00:00:01Z"}, "line 2 is not in it"),
    (2, {"subject": "bar"}, "line 3 is not in it"),
    (0, {"actor": "ann"}, "line 1 is not in it"),
    (1, {"id": "5-7"}, "line 2 is not in it"),
]


@pytest.mark.parametrize(("place", "change", "why"), CHANGES)
async def test_an_import_goes_on_only_where_the_log_is_its_beginning(
    store: Store, tmp_path: Path, place: int, change: dict[str, Any], why: str
) -> None:
    """Any difference is refused, and so is a log that goes on; nothing is written."""
    lines: list[Any] = list(LINES)
    await import_lines(store, tmp_path, lines)
    before = await store.feed.reader.read()
    with pytest.raises(Stop, match="goes on after the last line"):
        await import_lines(store, tmp_path, lines[:3])
    lines[place] = {**lines[place], **change}
    with pytest.raises(Stop, match=why):
        await import_lines(store, tmp_path, [*lines, {**FIRST, "subject": "more"}])
    assert await store.feed.reader.read() == before


@pytest.mark.parametrize(
    "how",
    [
        "itemstore import /dev/stdin <f",
        "cat f | itemstore import /dev/stdin",
        "itemstore import fifo",
    ],
)
def test_what_can_be_read_only_once_is_imported(run: Run, tmp_path: Path, how: str) -> None:
    """Pipes of all kinds."""
    (tmp_path / "f").write_text(as_lines(*LINES))
    words = " ".join(f"'{word}'" for word in COMMAND)
    if "fifo" in how:
        os.mkfifo(tmp_path / "fifo")
        how = f"cat f >fifo & {how}"
    how = how.replace("itemstore", words) + " --data-dir data"
    ended = subprocess.run(
        ["sh", "-c", how], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "4 events imported\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"type": "ItemCreated", "subject": "", "data": {}}', "'subject' is empty"),
        ('{"type": "ItemCreated", "subject": "\\ud800", "data": {}}', "line 1: "),
        ('{"type": "ItemCreated", "subject": "a", "data": {}, "time": 5}', "RFC 3339"),
        ("[" * 100_000, "line 1: "),
    ],
)
def test_a_refused_import_leaves_no_new_store(
    run: Run, tmp_path: Path, line: str, why: str
) -> None:
    """One sentence, and the directory is not there."""
    refused = run("import", stdin=line + "\n")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert why in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_file_that_can_t_be_read_leaves_no_new_store(run: Run, tmp_path: Path) -> None:
    """A directory, and a device that never ends a line."""
    for file, why in ((tmp_path, "Is a directory"), (Path("/dev/zero"), "longer than 64 MiB")):
        refused = run("import", str(file))
        assert (refused.returncode, why in refused.stderr) == (1, True)
        assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("beginning", "reader"),
    [
        (gzip.compress(b"{}", mtime=0), "zcat FILE |"),
        (b"\x28\xb5\x2f\xfd\x04", "zstdcat FILE |"),
        ("{}".encode("utf-16"), "iconv -f UTF-16"),
    ],
    ids=["gzip", "zstd", "utf-16"],
)
def test_a_file_that_is_no_text_yet_is_refused_with_what_makes_it_one(
    beginning: bytes, reader: str, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    file.write_bytes(beginning)

    with opened(file) as source, pytest.raises(Stop, match=re.escape(reader)):
        list(source.events())
