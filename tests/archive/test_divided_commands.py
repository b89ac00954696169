"""Archives of several partitions, as a person works with them: archive, export, import, restore."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import pyzstd

from tests.archive.test_archive_command import run, told
from tests.cli.forked import command

EVENTS = 1500

Verdict = dict[str, Any]


@pytest.fixture
def lines(tmp_path: Path) -> str:
    """A history of items in two collections, some of which are deleted and made again."""
    kinds = ["ItemCreated", "ItemUpdated", "ItemUpdated", "ItemDeleted"]
    events = []
    for n in range(EVENTS):
        item, turn = n % 50, n // 50 % 4
        event = {"id": f"{1_700_000_000_000 + n // 2}-{n % 2}", "type": kinds[turn],
                 "source": "/orders" if item % 3 else "/items", "subject": f"item {item}",
                 "actor": "ann"}  # fmt: skip
        events.append(event if turn == 3 else event | {"data": {"n": n}})
    (tmp_path / "lines").write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(tmp_path / "lines")


def made(data: Path, lines: str, partitions: int) -> Path:
    """A data directory with that history, all of it archived."""
    environment = {"ITEMSTORE_PARTITIONS": str(partitions)}
    ended = run(data, "import", lines, **environment)
    assert ended.returncode == 0, ended.stderr
    assert told(data, "archive", "seal")["not_archived"] == 0
    return data


def verdict(data: Path) -> Verdict:
    """What `verify` says, archive and all: it is clean."""
    ended = run(data, "verify", "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: Verdict = json.loads(ended.stdout)
    return found


def what_happened(data: Path) -> list[tuple[str, ...]]:
    """The events of a store without their partitions, each with its position and version."""
    events = map(json.loads, run(data, "export").stdout.splitlines())
    return sorted(
        (each["id"].partition("@")[0], each["time"], each["source"], each["subject"], each["type"],
         str(each["itemversion"]), each["actor"], json.dumps(each.get("data")))
        for each in events
    )  # fmt: skip


def exported_from(place: Path) -> str:
    """The lines of an archive."""
    ended = command(["export", "--from", str(place)], os.environ, "")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines()[-1] == f"{EVENTS} events exported"
    return ended.stdout


def grown(place: Path, data: Path, partitions: int) -> Path:
    """A store with another number of partitions, made of an archive."""
    words = ["import", "--data-dir", str(data)]
    environment = os.environ | {"ITEMSTORE_PARTITIONS": str(partitions)}
    ended = command(words, environment, exported_from(place))
    assert ended.returncode == 0, ended.stderr
    return data


@pytest.mark.parametrize(("partitions", "others"), [(1, 4), (4, 8), (8, 4)])
def test_a_store_of_another_number_of_partitions_is_made_of_an_archive(
    tmp_path: Path, lines: str, partitions: int, others: int
) -> None:
    """With the same positions, times, versions and digest; and it is archived in its turn."""
    data = made(tmp_path / "data", lines, partitions)
    other = grown(data / "archive", tmp_path / "other", others)
    assert what_happened(other) == what_happened(data)
    told(other, "archive", "seal")
    assert verdict(other)["digest"] == verdict(data)["digest"]
    again = grown(other / "archive", tmp_path / "again", partitions)
    assert verdict(again)["digest"] == verdict(data)["digest"]


@pytest.mark.parametrize("partitions", [1, 4])
def test_an_archive_is_exported_as_the_store_that_it_is_of(
    tmp_path: Path, lines: str, partitions: int
) -> None:
    """To the byte, and as its segments have the lines."""
    data = made(tmp_path / "data", lines, partitions)
    found = exported_from(data / "archive")
    assert found == run(data, "export").stdout
    segments = sorted((data / "archive").rglob("segments/*"))
    assert len(segments) == partitions
    in_segments = b"".join(map(pyzstd.decompress, map(Path.read_bytes, segments)))
    assert sorted(in_segments.decode().splitlines()) == sorted(found.splitlines())


def test_it_shows_how_the_archives_of_all_partitions_stand(tmp_path: Path, lines: str) -> None:
    """Sums, and each of them in JSON."""
    data = made(tmp_path / "data", lines, 4)
    found = told(data, "archive")
    each = found.pop("partitions")
    assert [one["partition"] for one in each] == [0, 1, 2, 3]
    assert (found["events"], found["not_archived"], found["to_trim"]) == (EVENTS, 0, 0)
    assert sum(one["events"] for one in each) == EVENTS
    assert {one["archive_id"] for one in each} == {f"{found['archive_id']}-{n}" for n in range(4)}
    assert found["archive"] == str(data / "archive")
    assert (found["first"], found["last"]) == ("1700000000000-0", "1700000000749-1")
    shown = run(data, "archive").stdout.splitlines()
    assert [line.split()[0] for line in shown] == [*found, "partitions"]
    assert "partitions            4" in shown
    info = json.loads(run(data, "info", "--json").stdout)
    assert info["archive"] == found["archive"]
    assert info["archive_id"] == found["archive_id"]
    assert info["archive_state"] == "The archive has every event."


def test_each_partition_is_trimmed_to_its_share(tmp_path: Path, lines: str) -> None:
    """Everything is answered as before."""
    data = made(tmp_path / "data", lines, 4)
    before, digest = run(data, "export").stdout, verdict(data)["digest"]
    keep = {"ITEMSTORE_KEEP_EVENTS": "100"}
    wanted = told(data, "archive", "trim", "--dry-run", **keep)["to_trim"]
    assert told(data, "archive", "trim", **keep)["trimmed"] == wanted > 0
    assert run(data, "export").stdout == before
    assert verdict(data)["digest"] == digest


def test_what_is_damaged_is_named_with_its_partition(tmp_path: Path, lines: str) -> None:
    """By `archive check` and `verify` alike; the others are looked at all the same."""
    data = made(tmp_path / "data", lines, 4)
    assert told(data, "archive", "check")["sound"]
    [segment] = (data / "archive" / "2" / "segments").iterdir()
    content = segment.read_bytes()
    segment.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    ended = run(data, "archive", "check", "--json")
    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    assert not found["sound"]
    assert [each["sound"] for each in found["partitions"]] == [True, True, False, True]
    assert all(each.startswith("Partition 2: ") for each in found["complaints"])
    ended = run(data, "verify")
    assert ended.returncode == 1
    assert "Partition 2: " in ended.stdout


def test_a_store_is_restored_with_as_many_partitions_as_the_archive_has(
    tmp_path: Path, lines: str
) -> None:
    """Nobody has to say how many."""
    data = made(tmp_path / "data", lines, 4)
    ended = run(tmp_path / "new", "restore", "--from", data / "archive")
    assert ended.returncode == 0, ended.stderr
    assert f"{EVENTS:,} events and " in ended.stderr
    assert verdict(tmp_path / "new") == verdict(data)
    assert run(tmp_path / "new", "export").stdout == run(data, "export").stdout


@pytest.mark.parametrize(("partitions", "others"), [(1, 4), (4, 1), (4, 8)])
def test_another_number_of_partitions_is_not_restored_and_the_way_is_said(
    tmp_path: Path, lines: str, partitions: int, others: int
) -> None:
    """Nothing is made."""
    data = made(tmp_path / "data", lines, partitions)
    place = data / "archive"
    environment = {"ITEMSTORE_PARTITIONS": str(others)}
    ended = run(tmp_path / "new", "restore", "--from", place, **environment)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"`itemstore export --from {place} | itemstore import`" in ended.stderr
    assert not (tmp_path / "new").exists()


def test_an_engine_that_has_a_store_of_another_number_is_refused(
    tmp_path: Path, lines: str
) -> None:
    """As it would be without an archive."""
    data = made(tmp_path / "data", lines, 4)
    made(tmp_path / "other", lines, 2)
    ended = run(tmp_path / "other", "restore", "--from", data / "archive")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "The store has 2 partitions" in ended.stderr
    assert "`itemstore export --from " in ended.stderr


def test_the_archive_of_one_partition_is_exported_too(tmp_path: Path, lines: str) -> None:
    """Where the others are lost, that is what is left."""
    data = made(tmp_path / "data", lines, 4)
    words = ["export", "--from", str(data / "archive" / "2")]
    ended = command(words, os.environ, "")
    whole = exported_from(data / "archive").splitlines()
    assert ended.stdout.splitlines() == [line for line in whole if '@2","source"' in line]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--from", "nowhere"), "There is no archive in ", 1),
        (("--from", "ftp://host/a"), "--from: An archive is in a directory", 2),
        (("--from", "nowhere", "--after", "1-0"), "--from goes without --after", 2),
        (("--from", "nowhere", "--collection", "items"), "--from goes without --after", 2),
    ],
)
def test_what_is_exported_wrongly_is_said(words: tuple[str, ...], said: str, code: int) -> None:
    """In one line."""
    ended = command(["export", *words], os.environ, "")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)
    assert said in ended.stderr
