"""Events that come in keep away from the part of the log that is archived."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.cli.errors import Stop
from itemstore.cli.import_file import import_file
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogArchived
from itemstore.eventlog.importing import Step, write_step
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.eventlog.memory_past import MemoryPast, with_past


def line(item: str, position: str = "", **members: str) -> str:
    """An ItemCreated, as an export has it."""
    event = {"type": "ItemCreated", "subject": item, "source": "/items", "data": {}, **members}
    return json.dumps(event | ({"id": position} if position else {}))


@pytest.fixture
def store() -> Store:
    """A store on an engine of its own."""
    store = Store.on(FakeAsyncRedis(server=FakeServer()), Settings(), DiskSpace())
    return with_past(store, MemoryPast())


async def imported(store: Store, directory: Path, *lines: str, append: bool = False) -> int:
    """What an import of these lines gives."""
    file = directory / "lines"
    file.write_text("\n".join(lines))
    return await import_file(store, file, append=append)


@pytest.mark.parametrize("field", ["claimed", "border"])
@pytest.mark.parametrize(
    "old", [line("a", "1000-5"), line("a", "999-9"), line("a", time="1970-01-01T00:00:01Z")]
)
async def test_an_event_up_to_what_is_archived_is_refused_with_its_line(
    store: Store, tmp_path: Path, field: str, old: str
) -> None:
    """The sentence says how it can come in all the same, and nothing is written."""
    await store.partition.client.hset("itemstore:archive", field, "1000-5")
    with pytest.raises(Stop, match=r"^line 1: the archive holds the log up to 1000-5, .*--append"):
        await imported(store, tmp_path, old)
    assert await store.partition.client.exists("items:events") == 0


async def test_events_after_what_is_archived_come_in(store: Store, tmp_path: Path) -> None:
    """Also the very next position; and with --append whatever there is."""
    await store.partition.client.hset("itemstore:archive", "claimed", "1000-5")
    assert await imported(store, tmp_path, line("a", "1000-6")) == 1
    assert await imported(store, tmp_path, line("b", "5-0"), append=True) == 1


async def test_what_is_archived_while_an_import_goes_on_is_closed_to_its_next_step(
    store: Store,
) -> None:
    """The script itself looks, and writes nothing."""
    await store.partition.client.hset("itemstore:archive", "claimed", "2000-0")
    step = Step(1, 1, ("items",), "", ["1000-0", "ItemCreated", "a", b"{}", b"{}"])
    with pytest.raises(LogArchived, match="up to 2000-0"):
        await write_step({"items": store.partition}, step, {"items": "0-0"})
    assert await store.partition.client.exists("items:events") == 0


async def test_the_meta_of_an_archived_line_comes_back(store: Store, tmp_path: Path) -> None:
    """With what the extensions don't say, in its order."""
    meta = {"key": "k1", "actor": "ann"}
    assert await imported(store, tmp_path, line("a", "1-0", itemmeta=json.dumps(meta))) == 1
    [event] = await store.partition.reader.read()
    assert list(event.meta.items()) == list(meta.items())


@pytest.mark.parametrize("wrong", ["", "[]", '{"key":1}', "{"])
async def test_meta_that_is_none_is_refused(store: Store, tmp_path: Path, wrong: str) -> None:
    """It would make the log unreadable."""
    with pytest.raises(Stop, match="line 1: 'itemmeta' is not the text of a JSON object"):
        await imported(store, tmp_path, line("a", "1-0", itemmeta=wrong))
