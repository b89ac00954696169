"""import into a store of several partitions: growing, going on, and what can't come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.cli.errors import Stop
from itemstore.cli.import_file import import_file
from itemstore.cli.import_target import Target
from itemstore.domain.events import RecordedEvent
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START
from itemstore.engine.clients import OneEngine
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.cloudevents import decode
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import BATCH, ImportRefused, Step
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.conftest import contents

Line = dict[str, Any]


def new_store(partitions: int, **given: Any) -> Store:
    """A store in process, on nothing."""
    client = FakeAsyncRedis(server=FakeServer())
    return store_on(OneEngine(client), Settings(partitions=partitions, **given))


def line(number: int, item: str, kind: str = "ItemCreated", partition: int | None = None) -> Line:
    """An event at a position of its own."""
    position = f"{1_600_000_000_000 + number}-0"
    made: Line = {"type": kind, "subject": item, "source": "/items"}
    made["id"] = position if partition is None else f"{position}@{partition}"
    return made if kind == "ItemDeleted" else made | {"data": {"n": number}}


LIFE = [
    *(line(number, f"item {number % 30}") for number in range(30)),
    *(line(number, f"item {number % 30}", "ItemUpdated") for number in range(30, 90)),
    *(line(90 + number, f"item {number}", "ItemDeleted") for number in range(5)),
]
"""What happened to thirty items."""


async def import_lines(store: Store, directory: Path, lines: list[Line], **how: bool) -> int:
    """How many were imported."""
    file = directory / "lines"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return await import_file(store, file, append=how.get("append", False))


async def logs_of(store: Store) -> list[list[RecordedEvent]]:
    """What each partition has, in order."""
    return [await section.feed.reader.read(limit=10_000) for section in store.sections]


async def all_of(store: Store) -> dict[bytes, Any]:
    """All that the engine has."""
    return await contents(store.partition.client)


def wanted(lines: list[Line], partitions: int) -> list[list[tuple[str, str, str]]]:
    """Position, type and item of the events that each partition has to have."""
    parts: list[list[tuple[str, str, str]]] = [[] for _ in range(partitions)]
    for each in lines:
        said = (each["id"].partition("@")[0], each["type"], each["subject"])
        parts[partition_of(each["subject"], partitions)].append(said)
    return parts


def said(logs: list[list[RecordedEvent]]) -> list[list[tuple[str, str, str]]]:
    """The same of what there is."""
    return [[(each.position, each.type, each.item) for each in log] for log in logs]


@pytest.mark.parametrize("partitions", [1, 2, 16])
async def test_events_keep_positions_and_go_where_their_items_are(
    tmp_path: Path, partitions: int
) -> None:
    """Each item's versions are those that it had."""
    store = new_store(partitions)

    assert await import_lines(store, tmp_path, LIFE) == 95
    logs = await logs_of(store)
    assert said(logs) == wanted(LIFE, partitions)
    versions: dict[str, list[int]] = {}
    for log in logs:
        for each in log:
            versions.setdefault(each.item, []).append(each.version)
    assert versions["item 0"] == [1, 2, 3, 4]
    assert versions["item 7"] == [1, 2, 3]


async def test_a_store_that_was_imported_into_has_its_number(tmp_path: Path) -> None:
    """It is written down with the first event, in each partition with its collections."""
    store = new_store(4)
    await import_lines(store, tmp_path, LIFE)

    held = await all_of(store)
    assert held[b"{0}:itemstore:layout"][b"partitions"] == b"4"
    assert [f"{{{p}}}:itemstore:layout".encode() in held for p in range(4)] == [True] * 4
    assert not [key for key in held if not key.startswith(b"{")]


@pytest.mark.parametrize(("source", "target"), [(4, 16), (4, 4), (4, 1), (16, 2)])
async def test_ids_with_partitions_are_positions_too(
    tmp_path: Path, source: int, target: int
) -> None:
    """An export of several partitions names them; where they go is a matter of the item alone."""
    lines = [
        each | {"id": f"{each['id']}@{partition_of(each['subject'], source)}"} for each in LIFE
    ]
    store = new_store(target)

    assert await import_lines(store, tmp_path, lines) == 95
    assert said(await logs_of(store)) == wanted(lines, target)


def twins(partitions: int) -> tuple[str, str]:
    """Two items in other partitions, of so many."""
    first = "fox"
    other = (f"hen {n}" for n in range(100))
    return first, next(
        each for each in other if partition_of(each, partitions) != partition_of(first, partitions)
    )


async def test_one_position_in_two_partitions_stays_so(tmp_path: Path) -> None:
    """Each partition has an order of its own."""
    lines = [line(1, item) for item in twins(4)]
    store = new_store(4)

    assert await import_lines(store, tmp_path, lines) == 2
    assert said(await logs_of(store)) == wanted(lines, 4)


async def test_one_position_twice_in_a_partition_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    """Two partitions become one: the sentence says what to do, and that works."""
    fox, hen = twins(4)
    lines = [line(1, fox, partition=partition_of(fox, 4)), line(1, hen, partition=2)]
    store = new_store(1)

    with pytest.raises(Stop, match=r"line 2: position 1600000000001-0 is not after .*--append"):
        await import_lines(store, tmp_path, lines)
    assert await all_of(store) == {}
    assert await import_lines(store, tmp_path, lines, append=True) == 2


async def test_positions_have_to_go_up_within_a_partition_only(tmp_path: Path) -> None:
    """An order across partitions there is not."""
    fox, hen = twins(4)
    store = new_store(4)

    assert await import_lines(store, tmp_path, [line(5, fox), line(3, hen)]) == 2
    other = new_store(4)
    with pytest.raises(Stop, match=r"line 2: position .* is not after .* in partition"):
        await import_lines(other, tmp_path, [line(5, fox), line(3, fox, "ItemUpdated")])
    assert await all_of(other) == {}


class Unplugged:
    """An engine that goes away after some steps of an import."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        write = Target.write
        left = [steps]

        async def failing(target: Target, step: Step) -> None:
            if left[0] == 0:
                message = "The engine does not answer; try again."
                raise LogUnavailable(message)
            left[0] -= 1
            await write(target, step)

        monkeypatch.setattr(Target, "write", failing)


@pytest.mark.parametrize("steps", [0, 1, 3, 5])
async def test_an_import_that_broke_off_goes_on_in_each_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The same command again: what is there is not written again, and nothing is left out."""
    store = new_store(4)
    lines = [line(number, f"item {number}") for number in range(5 * BATCH)]
    with monkeypatch.context() as patched:
        Unplugged(patched, steps)
        with pytest.raises(Stop) as stop:
            await import_lines(store, tmp_path, lines)
    there = sum(map(len, await logs_of(store)))
    assert (there > 0) is (steps > 0)
    told = "run the same command again to go on" if steps else "Nothing was imported"
    assert told in str(stop.value)

    assert await import_lines(store, tmp_path, lines) == len(lines) - there
    assert said(await logs_of(store)) == wanted(lines, 4)
    assert await import_lines(store, tmp_path, lines) == 0


async def test_an_import_goes_on_only_where_each_partition_is_its_beginning(
    tmp_path: Path,
) -> None:
    """Another event in one of them is named by the line that differs."""
    store = new_store(4)
    await import_lines(store, tmp_path, LIFE[:20])
    before = await all_of(store)

    other = [*LIFE[:7], LIFE[7] | {"data": {"other": 1}}, *LIFE[8:]]
    with pytest.raises(Stop, match="not the beginning of this import: line 8 is not in it"):
        await import_lines(store, tmp_path, other)
    with pytest.raises(Stop, match="it goes on after the last line"):
        await import_lines(store, tmp_path, LIFE[:19])
    assert await all_of(store) == before


async def test_append_adds_under_new_positions_in_each_partition(tmp_path: Path) -> None:
    """What the items are is asked of each."""
    store = new_store(4)
    await import_lines(store, tmp_path, LIFE)
    more = [line(0, f"item {number}", "ItemUpdated") for number in range(10, 20)]

    assert await import_lines(store, tmp_path, more, append=True) == 10
    for number in range(10, 20):
        item = await store.collections["items"].items.get(f"item {number}")
        assert item is not None
        assert item.version == 4
    with pytest.raises(Stop, match=r"line 1: ItemUpdated of 'item 0'"):
        await import_lines(store, tmp_path, [line(0, "item 0", "ItemUpdated")], append=True)


async def test_an_append_that_broke_off_says_which_partitions_have_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the lines that went together some are in: whose, is said."""
    store = new_store(4)
    lines = [line(number, f"item {number}") for number in range(100)]
    with monkeypatch.context() as patched:
        Unplugged(patched, 2)
        with pytest.raises(Stop) as stop:
            await import_lines(store, tmp_path, lines, append=True)

    filled = [number for number, log in enumerate(await logs_of(store)) if log]
    assert len(filled) == 2
    pair = ", ".join(map(str, sorted(filled, key=lambda p: _first_line(lines, p))))
    assert f"of the lines up to 100 those whose items are in the partitions {pair} " in str(
        stop.value
    )
    assert "tail -n +1 " in str(stop.value)


def _first_line(lines: list[Line], partition: int) -> int:
    return next(n for n, each in enumerate(lines) if partition_of(each["subject"], 4) == partition)


async def test_several_collections_come_into_several_partitions(tmp_path: Path) -> None:
    """Each line where its source and its item say."""
    store = new_store(4, collections="products=any,orders=any")
    lines = [
        each | {"source": "/orders" if number % 3 else "/products"}
        for number, each in enumerate(LIFE[:30])
    ]

    assert await import_lines(store, tmp_path, lines) == 30
    for log, of_partition in zip(await logs_of(store), wanted(lines, 4), strict=True):
        assert [(each.position, each.type, each.item) for each in log] == of_partition
    in_orders = [
        each for log in await logs_of(store) for each in log if each.collection == "orders"
    ]
    assert len(in_orders) == 20


def test_nothing_comes_in_before_what_a_partition_has_archived() -> None:
    """Each partition has an archive of its own; another one takes what is older."""
    fox, hen = twins(4)
    archived = [START] * 4
    archived[partition_of(fox, 4)] = line(5, fox)["id"]

    def steps(*lines: Line) -> list[Step]:
        events = [decode(n, json.dumps(each).encode()) for n, each in enumerate(lines, 1)]
        return [*ImportCheck(0, keep=True, archived=archived).checked(events)]

    with pytest.raises(ImportRefused, match=r"line 2: the archive holds the log up to .*--append"):
        steps(line(3, hen), line(4, fox))
    assert [each.partition for each in steps(line(3, hen), line(6, fox))] == [
        partition_of(hen, 4),
        partition_of(fox, 4),
    ]
