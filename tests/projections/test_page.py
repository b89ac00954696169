"""The list of items that exist: in the order of their ids, page by page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.positions import START
from itemstore.domain.prefixes import collapsed, narrowed
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems, Page
from itemstore.projections.row import MalformedRow

ODD = [
    "a",
    "a/b",
    "a b",
    "A",
    "é",
    "\U0001f600",
    "\uffff",
    "(",
    "[",
    "+",
    "-",
    "%",
    "a\x7f",
    "aé",
    "Z",
]


def names(page: Page) -> list[str]:
    """The ids on a page."""
    return [item.id for item in page.items]


async def fill(log: EventLog, ids: list[str]) -> None:
    """Puts items, in this order."""
    await asyncio.gather(*(log.append(PutItem(name, b"1")) for name in ids))


async def test_items_come_in_the_order_of_the_bytes_of_their_ids(
    log: EventLog, items: CurrentItems
) -> None:
    """Whatever the order they were created in, each as `get` gives it."""
    await fill(log, ODD)
    page = await items.page()

    assert names(page) == sorted(ODD, key=str.encode)
    assert page.items == [await items.get(name) for name in names(page)]
    assert (page.more, page.total) == (False, len(ODD))
    assert page.position == await log.reader.last_position()


async def test_an_empty_store_has_an_empty_list(items: CurrentItems) -> None:
    """Whatever is asked for."""
    empty = Page([], more=False, total=0, position=START)
    assert await items.page() == await items.page(after="a", prefixes=("b",), limit=1) == empty


async def test_what_is_deleted_is_not_listed_until_it_is_created_again(
    log: EventLog, items: CurrentItems
) -> None:
    """Nor counted."""
    await fill(log, ["a", "b", "c"])
    await log.append(DeleteItem("b"))
    without = await items.page()
    await log.append(PutItem("b", b"1"))
    with_it = await items.page()

    assert (names(without), without.total) == (["a", "c"], 2)
    assert (names(with_it), with_it.total) == (["a", "b", "c"], 3)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "é", "aé", "nothing", "(", "[", "+", "-", "%"])
async def test_a_prefix_lists_the_ids_that_begin_with_it(
    log: EventLog, items: CurrentItems, prefix: str
) -> None:
    """The id that is the prefix too; the total is that of the prefix."""
    await fill(log, ODD)
    page = await items.page(prefixes=(prefix,))
    matching = sorted((name for name in ODD if name.startswith(prefix)), key=str.encode)
    assert (names(page), page.total, page.more) == (matching, len(matching), False)


@pytest.mark.parametrize("limit", [1, 2, 14, 15, 16])
@pytest.mark.parametrize("prefix", ["", "a"])
async def test_pages_make_up_the_whole(
    log: EventLog, items: CurrentItems, prefix: str, limit: int
) -> None:
    """Each begins after the last id of the one before, and knows whether there is another."""
    await fill(log, ODD)
    matching = sorted((name for name in ODD if name.startswith(prefix)), key=str.encode)
    listed: list[str] = []
    after = None
    while True:
        page = await items.page(after=after, prefixes=(prefix,), limit=limit)
        assert len(page.items) <= limit
        assert page.total == len(matching)
        listed += names(page)
        if not page.more:
            break
        after = listed[-1]
    assert listed == matching


@pytest.mark.parametrize(
    ("after", "listed"),
    [
        ("", ["b/1", "b/2", "b/3"]),
        ("a", ["b/1", "b/2", "b/3"]),
        ("b/", ["b/1", "b/2", "b/3"]),
        ("b/1", ["b/2", "b/3"]),
        ("b/15", ["b/2", "b/3"]),
        ("b/3", []),
        ("c", []),
    ],
)
async def test_after_need_not_be_an_item_nor_begin_with_the_prefix(
    log: EventLog, items: CurrentItems, after: str, listed: list[str]
) -> None:
    """It is a place in the order; the total is not changed by it."""
    await fill(log, ["a", "b/1", "b/2", "b/3", "c"])
    page = await items.page(after=after, prefixes=("b/",))
    assert (names(page), page.total, page.more) == (listed, 3, False)


@pytest.mark.parametrize(
    ("prefixes", "after", "listed"),
    [
        (("a", "b/", "c"), None, ["a", "b/1", "b/2", "c"]),
        (("a", "b/", "c"), "a", ["b/1", "b/2", "c"]),
        (("a", "b/", "c"), "b/1", ["b/2", "c"]),
        (("a", "b/", "c"), "b2", ["c"]),
        (("a", "b/", "c"), "d", []),
        (("b/2", "c", "x"), None, ["b/2", "c"]),
        (("x",), None, []),
        ((), None, []),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_several_prefixes_are_listed_as_one(
    log: EventLog,
    items: CurrentItems,
    *,
    prefixes: tuple[str, ...],
    after: str | None,
    listed: list[str],
    limit: int,
) -> None:
    """In the order of the ids, over the gaps between; the total is that of all of them."""
    ids = ["a", "b/1", "b/2", "b2", "b3", "c", "d"]
    await fill(log, ids)
    total = sum(name.startswith(prefixes) for name in ids)
    page = await items.page(after=after, prefixes=prefixes, limit=limit)
    assert (names(page), page.total) == (listed[:limit], total)
    assert page.more == (len(listed) > limit)
    assert page.position == await log.reader.last_position()


async def test_as_many_prefixes_as_a_token_has_are_one_step(
    redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """One command goes to the engine, and its answer is of one moment."""
    await fill(log, [f"{number:03d}/{end}" for number in range(64) for end in "ab"])
    prefixes = [f"{number:03d}/" for number in range(0, 64, 2)]
    await items.page()
    before = await _commands(redis)
    page = await items.page(prefixes=prefixes, limit=50)
    assert await _commands(redis) - before <= 1
    assert (len(page.items), page.total, page.more) == (50, 64, True)
    assert page.items[-1].id == "048/b"


async def test_a_page_goes_on_where_its_last_item_was_deleted(
    log: EventLog, items: CurrentItems
) -> None:
    """Nothing is left out, and nothing comes twice."""
    await fill(log, ["a", "b", "c", "d"])
    first = await items.page(limit=2)
    await log.append(DeleteItem("b"))
    second = await items.page(after="b", limit=2)
    assert (names(first), first.more) == (["a", "b"], True)
    assert (names(second), second.more) == (["c", "d"], False)


async def _commands(redis: Redis) -> int:
    """How many scripts the engine has run; a fake one does not count them."""
    try:
        stats: Any = await redis.info("commandstats")
    except ResponseError:
        return 0
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


async def test_an_id_without_a_row_is_not_passed_over(
    redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """The projection was edited by hand; it says which item it is about."""
    await fill(log, ["a", "b"])
    await redis.hdel("items:current", "b")
    with pytest.raises(MalformedRow, match="'b' can't be read; rebuild the projection"):
        await items.page()
    assert names(await items.page(limit=1)) == ["a"]


async def test_a_key_that_holds_something_else_is_said_to(
    redis: Redis, items: CurrentItems
) -> None:
    """LogBroken, as with every other read."""
    await redis.set("items:ids", "something else")
    with pytest.raises(LogBroken):
        await items.page()


TEXT = st.text(st.characters(codec="utf-8"), max_size=3)


@settings(max_examples=60)
@given(st.sets(TEXT.filter(bool), max_size=12), TEXT, st.none() | TEXT, st.integers(1, 5))
@example({"a", "b"}, "a", "a", 1)
def test_a_page_is_a_slice_of_the_sorted_ids(
    ids: set[str], prefix: str, after: str | None, limit: int
) -> None:
    """Any ids, any prefix, any place, any limit."""

    async def listed() -> Page:
        redis = FakeAsyncRedis(server=FakeServer())
        await fill(EventLog(Partition(redis, Keys())), list(ids))
        return await CurrentItems(Partition(redis, Keys())).page(
            after=after, prefixes=(prefix,), limit=limit
        )

    page = asyncio.run(listed())
    matching = sorted((name for name in ids if name.startswith(prefix)), key=str.encode)
    following = [name for name in matching if after is None or name.encode() > after.encode()]
    assert names(page) == following[:limit]
    assert (page.more, page.total) == (len(following) > limit, len(matching))


async def scoped(ids: set[str], prefixes: tuple[str, ...], limit: int) -> list[Page]:
    """All pages of a list over several prefixes, each after the last id of the one before."""
    partition = Partition(FakeAsyncRedis(server=FakeServer()), Keys())
    await fill(EventLog(partition), list(ids))
    items, pages = CurrentItems(partition), []
    after = None
    while True:
        page = await items.page(after=after, prefixes=prefixes, limit=limit)
        pages.append(page)
        if not page.more:
            return pages
        after = page.items[-1].id


FEW = st.text(st.sampled_from("ab/é\U0001f600"), max_size=4)
"""Texts of few signs, so that one often begins with another."""


@settings(max_examples=100)
@given(
    st.sets(FEW.filter(bool), max_size=12), st.lists(FEW, min_size=1, max_size=6), FEW,
    st.integers(1, 5),
)  # fmt: skip
@example({"a", "aa", "ab", "b"}, ["a", "aa", "b"], "", 1)
def test_the_pages_of_a_scoped_list_are_exactly_the_filtered_list(
    ids: set[str], prefixes: list[str], wanted: str, limit: int
) -> None:
    """Any ids, any prefixes of a token, any prefix that is asked for; the total on every page."""
    within = narrowed(collapsed(prefixes), wanted)
    pages = asyncio.run(scoped(ids, within, limit))
    matching = sorted(
        (name for name in ids if name.startswith(tuple(prefixes)) and name.startswith(wanted)),
        key=str.encode,
    )
    assert [name for page in pages for name in names(page)] == matching
    assert {page.total for page in pages} == {len(matching)}
    assert all(len(page.items) == limit for page in pages[:-1])
