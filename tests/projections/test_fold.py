"""The fold of a page at a time says what `evolve` says of one event after the other."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.evolve import ImpossibleHistory, Item, evolve
from itemstore.eventlog.codec import FIELDS, MalformedEntry, decode_flat, without_meta
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections import fold as folding
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.fold import Fold, Page
from itemstore.projections.row import encode, row_of
from itemstore.projections.verify import histories
from itemstore.projections.verify.run import verify
from tests.rebuild.conftest import write

ITEMS = st.sampled_from([b"foo", "bär".encode(), b"\xff"])
TYPES = st.sampled_from([b"ItemCreated", b"ItemUpdated", b"ItemDeleted", b"ItemRenamed"])
VERSIONS = st.sampled_from([b"1", b"2", b"3", b"4", b"02", b"0", b"-1", b"two"])
BODIES = st.sampled_from([b"", b"1", b'"%s"' % (b"x" * 64)])
METAS = st.sampled_from([b"{}", b"{}", b'{"actor":"me"}', b"[]", b"?"])


class Heard:
    """A check that only listens."""

    def __init__(self) -> None:
        self.replaced: list[tuple[bytes, bytes]] = []

    async def take(self, page: Page) -> None:
        """Keeps what was replaced."""
        self.replaced += page.replaced

    async def compare(self) -> None:
        """Compares nothing."""


def entry(number: int, *values: bytes) -> Entry:
    """An entry of the log: its type, item, version, data and meta."""
    return b"%d-0" % (number + 1), [*chain.from_iterable(zip(FIELDS, values, strict=True))]


def one_by_one(entries: list[Entry]) -> tuple[dict[str, Item], list[str], list[tuple[str, str]]]:
    """The items, the positions of what is wrong, and what was replaced."""
    items: dict[str, Item] = {}
    wrong: list[str] = []
    replaced: list[tuple[str, str]] = []
    for position, fields in entries:
        try:
            recorded = decode_flat(position, fields)
        except MalformedEntry as error:
            wrong.append(error.position)
            readable = without_meta(position, fields)
            if readable is None:
                continue
            recorded = readable
        before = items.get(recorded.item)
        if before is not None:
            replaced.append((recorded.item, before.position))
        try:
            items[recorded.item] = evolve(before, recorded)
        except ImpossibleHistory:
            wrong.append(recorded.position)
            body = getattr(recorded.event, "body", None)
            place = recorded.position
            created = before.created if before and recorded.type != "ItemCreated" else place
            items[recorded.item] = Item(recorded.item, recorded.version, place, created, body)
    return items, wrong, replaced


@given(
    st.lists(st.tuples(TYPES, ITEMS, VERSIONS, BODIES, METAS), max_size=8),
    st.sampled_from([1, 3, 8]),
)
def test_a_page_is_folded_as_its_events_are_one_by_one(
    events: list[tuple[bytes, bytes, bytes, bytes, bytes]], together: int
) -> None:
    """Whatever the entries are, and however they are cut into pages."""
    entries = [entry(number, *event) for number, event in enumerate(events)]
    fold = Fold(Partition(Redis(), Keys()))
    heard = Heard()
    fold.checks = [heard]

    async def folded() -> None:
        for start in range(0, len(entries), together):
            await fold.take(entries[start : start + together])

    asyncio.run(folded())

    items, wrong, replaced = one_by_one(entries)
    assert [each.name for each in fold.differences.first] == wrong
    assert heard.replaced == [(item.encode(), place.encode()) for item, place in replaced]
    right = {name.encode(): encode(item) for name, item in items.items()}
    found = {name: row_of(*state) for name, state in fold.items.items()}
    assert found.keys() == right.keys()
    for name, row in right.items():
        assert found[name].split(b',"data":')[0] == row.split(b',"data":')[0]


def test_a_plain_page_is_judged_by_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither decoded nor put into objects: that is what makes it fast."""
    monkeypatch.setattr(folding, "decode_flat", None)
    fold = Fold(Partition(Redis(), Keys()))
    events = [
        (b"ItemCreated", b"1", b"1"),
        (b"ItemUpdated", b"2", b"2"),
        (b"ItemDeleted", b"3", b""),
        (b"ItemCreated", b"4", b"4"),
    ]
    metas = (b"{}", b'{"actor":"me"}', b"{}", b"{}")
    entries = [
        entry(number, kind, b"foo", version, body, meta)
        for number, ((kind, version, body), meta) in enumerate(zip(events, metas, strict=True))
    ]

    asyncio.run(fold.take(entries))

    assert fold.items == {b"foo": (4, b"4-0", b"4-0", b"4")}
    assert not fold.differences.counted


@pytest.mark.parametrize("limit", ["MOST_EVENTS", "MOST_BYTES"])
async def test_histories_are_compared_where_much_of_them_is_kept(
    redis: Redis,
    partition: Partition,
    log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    """In parts, before the log is read to its end: what is wrong in any part is found."""
    monkeypatch.setattr(histories, limit, 50)
    await write(log, 200, items=3)
    await log.append(PutItem("long", b"1"))
    for number in range(40):
        await log.append(PutItem("long", b"%d" % number))
    await log.append(DeleteItem("long"))
    assert (await verify(partition, BUILT_IN)).clean

    key = partition.keys.history("long")
    for index in (0, 20, -2, -1):
        right: Any = await redis.lindex(key, index)
        await redis.lset(key, index, "1-1")
        found = await verify(partition, BUILT_IN)
        assert (found.counted, found.differences[0].name) == ({"history": 1}, "long")
        await redis.lset(key, index, right)

    assert (await verify(partition, BUILT_IN)).clean
