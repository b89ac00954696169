"""The list of items over several partitions: one list in id order, each item once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.cursors import positions_of
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START
from itemstore.domain.prefixes import EVERY_ID, collapsed, narrowed
from itemstore.engine.clients import OneEngine
from itemstore.projections.current_items import Items, Page
from itemstore.projections.partitioned_items import PartitionedItems, share_of
from itemstore.store.collection import Collection
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings

FEW = st.text(st.sampled_from("ab/é\U0001f600{}"), max_size=4)
"""Texts of few signs, so that one often begins with another, and some share a hash tag."""


def collection_of(partitions: int) -> Collection:
    """An empty one, on an engine of its own."""
    clients = OneEngine(FakeAsyncRedis(server=FakeServer()))
    return store_on(clients, Settings(partitions=partitions)).collections["items"]


async def fill(collection: Collection, ids: Sequence[str], body: bytes = b"1") -> None:
    """Puts items, in this order."""
    for name in ids:
        await collection.log.append(PutItem(name, body))


async def pages_of(
    items: Items, limit: int, prefixes: Sequence[str] = EVERY_ID, after: str | None = None
) -> list[Page]:
    """All pages of a list, each after the last id of the one before."""
    pages = [await items.page(after=after, prefixes=prefixes, limit=limit)]
    while pages[-1].more:
        last = pages[-1].items[-1].id
        pages.append(await items.page(after=last, prefixes=prefixes, limit=limit))
    return pages


def names(*pages: Page) -> list[str]:
    """The ids on pages."""
    return [item.id for page in pages for item in page.items]


@settings(max_examples=100)
@given(
    st.sets(FEW.filter(bool), max_size=30), st.lists(FEW, min_size=1, max_size=4), FEW,
    st.none() | FEW, st.tuples(st.integers(1, 5), st.sampled_from([2, 3, 16])),
)  # fmt: skip
@example({"a", "aa", "ab", "b"}, [""], "", "a", (1, 3))
def test_the_pages_are_the_sorted_list(
    ids: set[str],
    prefixes: list[str],
    wanted: str,
    after: str | None,
    limit_and_partitions: tuple[int, int],
) -> None:
    """Any ids, prefixes, place, limit and number of partitions; the total is on every page."""
    limit, partitions = limit_and_partitions

    async def listed() -> list[Page]:
        collection = collection_of(partitions)
        await fill(collection, list(ids))
        return await pages_of(collection.items, limit, narrowed(collapsed(prefixes), wanted), after)

    pages = asyncio.run(listed())
    matching = sorted(
        (name for name in ids if name.startswith(tuple(prefixes)) and name.startswith(wanted)),
        key=str.encode,
    )
    following = [each for each in matching if after is None or each.encode() > after.encode()]
    assert names(*pages) == following
    assert {page.total for page in pages} == {len(matching)}
    assert all(len(page.items) == limit for page in pages[:-1])


async def test_an_empty_store_has_an_empty_list() -> None:
    """From its start."""
    empty = Page([], more=False, total=0, position=START)
    assert await collection_of(4).items.page() == empty


async def test_items_that_are_all_in_one_partition_are_listed_as_any() -> None:
    """One of them is asked again and again, the others once."""
    collection = collection_of(4)
    ids = [f"{{7}}:{number:03d}" for number in range(100)]
    await fill(collection, ids)
    assert len({partition_of(each, 4) for each in ids}) == 1
    assert names(*await pages_of(collection.items, 30)) == ids


async def test_each_item_is_as_it_was_last_written_and_those_that_are_deleted_are_not_there() -> (
    None
):
    """As `get` gives it."""
    collection = collection_of(4)
    ids = [f"{number}" for number in range(20)]
    await fill(collection, ids)
    for name in ids[::2]:
        await collection.log.append(PutItem(name, b"2"))
    await collection.log.append(DeleteItem("7"))
    page = await collection.items.page()
    assert names(page) == sorted({*ids} - {"7"})
    assert page.items == [await collection.items.get(each) for each in names(page)]
    assert (page.total, page.more) == (19, False)


async def test_every_write_makes_the_position_of_the_list_another() -> None:
    """In whichever partition it is; it is a position of each, and that of `as_of`."""
    collection = collection_of(4)
    seen = set()
    for number in range(20):
        await fill(collection, [f"{number}"])
        position = (await collection.items.page(limit=1)).position
        assert position == await collection.items.as_of()
        assert len(positions_of(position, 4)) == 4
        seen.add(position)
    assert len(seen) == 20


async def test_a_page_ends_before_its_bytes_are_used_up_or_after_one_item() -> None:
    """As with one partition; and nothing is left out by it."""
    collection = collection_of(4)
    ids = [f"{number:02d}" for number in range(20)]
    await fill(collection, ids, b'"' + b"x" * 1000 + b'"')
    items, listed = collection.items, []
    page = await items.page(most_bytes=4000)
    assert [len(page.items), page.total] == [3, 20]
    while True:
        listed += names(page)
        if not page.more:
            break
        page = await items.page(after=listed[-1], most_bytes=500)
        assert len(page.items) == 1
    assert listed == ids


async def test_an_item_that_stays_is_listed_once_whatever_is_written_meanwhile() -> None:
    """Others come and go before each look at a partition, in front of it and after it."""
    collection = collection_of(3)
    staying = [f"{number:03d}" for number in range(0, 300, 3)]
    await fill(collection, staying)
    turn = iter(range(10**6))

    class Disturbed:
        def __init__(self, part: Items) -> None:
            self.part = part

        async def page(self, **asked: object) -> Page:
            number = next(turn) % 300
            await fill(collection, [f"{number:03d}+"])
            await collection.log.append(DeleteItem(f"{number:03d}+"))
            await fill(collection, [f"{number:03d}-"])
            return await self.part.page(**asked)  # type: ignore[arg-type]

    parts = collection.items._partitions  # type: ignore[attr-defined]
    disturbed = PartitionedItems([Disturbed(part) for part in parts])  # type: ignore[misc]
    for limit in (1, 7, 100):
        listed = names(*await pages_of(disturbed, limit))
        assert [each for each in listed if each in staying] == staying
        assert listed == sorted({*listed})


@pytest.mark.parametrize(
    ("limit", "partitions", "most"), [(1000, 16, 90), (100, 16, 15), (1, 4, 1)]
)
def test_a_partition_is_asked_for_little_more_than_its_share(
    limit: int, partitions: int, most: int
) -> None:
    """All of the page would be read of each of them otherwise."""
    assert limit / partitions <= share_of(limit, partitions) <= most
