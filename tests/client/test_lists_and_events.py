"""What either client iterates over, and what it does in one moment."""

from __future__ import annotations

import pytest

from itemstore.client import (
    Check,
    Create,
    Delete,
    Invalid,
    Patch,
    PreconditionFailed,
    Put,
)
from tests.client.conftest import Both, Product


async def filled(both: Both, *ids: str) -> list[str]:
    """The events of an item for each id."""
    return [(await both.put(each, {"n": place})).event for place, each in enumerate(ids)]


async def test_a_list_is_read_over_all_its_pages(both: Both) -> None:
    """By id, each item with its version."""
    await filled(both, "c", "a", "b", "a/1", "a/2")
    assert [each.id for each in await both.items(page_size=2)] == ["a", "a/1", "a/2", "b", "c"]
    [first, _] = await both.items(prefix="a/", page_size=1)
    assert (first.version, first.item, first.modified.tzinfo is not None) == (1, {"n": 3}, True)
    page = await both.page(page_size=2)
    assert (len(page.items), page.total) == (2, 5)
    assert [each.id for each in (await both.page(after=page.after)).items] == ["a/2", "b", "c"]


async def test_rows_have_some_members_alone(both: Both) -> None:
    """As dicts, whatever the model."""
    products = both.of("products", Product)
    await products.put("fox", Product(title="Fox", price=7))
    assert [row.item for row in await products.rows(["priceCents"])] == [{"priceCents": 7}]
    assert [each.item for each in await products.items()] == [Product(title="Fox", price=7)]


async def test_a_query_finds_items_by_what_is_in_them(both: Both) -> None:
    """Its text reaches the store as it stands, and it waits for one's own write."""
    for n, name in enumerate(["a+b", "50%", "a+b", "a+b"]):
        last = await both.put(str(n), {"n": n, "name": name})
    asked = {"where": '@.n > 0 && @.name == "a+b"', "order": ["-n", "name"]}
    found = await both.items(**asked, min_position=last.event, page_size=1)
    assert [each.id for each in found] == ["3", "2"]
    page = await both.page(**asked)
    assert (page.total, page.position) == (2, last.event)
    with pytest.raises(Invalid) as failure:
        await both.items(where="@.n >")
    assert (failure.value.type, failure.value.problem["parameter"]) == ("invalid-query", "where")


async def test_an_items_life_can_be_read(both: Both) -> None:
    """Its versions, and its events in both directions."""
    [first] = await filled(both, "fox")
    second = (await both.delete("fox")).event
    versions = await both.versions("fox")
    assert [(each.version, each.type, each.event) for each in versions] == [
        (1, "ItemCreated", first),
        (2, "ItemDeleted", second),
    ]
    history = await both.history("fox", newest_first=True)
    assert [(each.id, each.item) for each in history] == [(second, None), (first, {"n": 0})]


async def test_a_long_life_is_read_over_all_its_pages(both: Both) -> None:
    """The store gives a thousand at a time."""
    await both.put("fox", {"n": 0})
    for start in range(1, 1101, 100):
        await both.batch([Put("fox", {"n": n}) for n in range(start, start + 100)])
    versions = await both.versions("fox")
    assert [each.version for each in versions] == list(range(1, 1102))
    assert [each.item for each in await both.history("fox")] == [{"n": n} for n in range(1101)]
    assert [each.item for each in await both.events()] == [{"n": n} for n in range(1101)]


async def test_the_log_goes_on_after_a_position(both: Both) -> None:
    """Of its own collection, as its model has it."""
    events = await filled(both, "a", "b", "c")
    await both.of("products").put("fox", {"title": "Fox"})
    assert [each.id for each in await both.events()] == events
    first = (await both.events())[0]
    assert (first.position, first.subject, first.source) == (events[0], "a", "/items")
    after = await both.events(after=first.position, log=first.log)
    assert [each.id for each in after] == events[1:]
    assert [each.id for each in await both.events(item_id="b", type="ItemCreated")] == [events[1]]
    [product] = await both.of("products", Product).events(since=first.time)
    assert product.item == Product(title="Fox")


async def test_a_batch_happens_in_one_moment(both: Both) -> None:
    """Over collections, with results in its order."""
    await both.put("fox", {"n": 1})
    await both.put("hare", {"n": 1})
    results = await both.batch(
        [
            Check("fox", if_match=1),
            Put("cat", {"n": 3}, if_absent=True),
            Patch("cat", {"n": 4}),
            Patch("fox", [{"op": "test", "path": "/n", "value": 1}]),
            Delete("hare", if_match=[1, 2]),
            Put("a/b", Product(title="P"), collection="products"),
            Create({"n": 5}),
        ]
    )
    assert [each.status for each in results] == [200, 201, 200, 200, 204, 201, 201]
    assert [each.id for each in results[:-1]] == ["fox", "cat", "cat", "fox", "hare", "a/b"]
    assert [each.version for each in results] == [1, 1, 2, 2, None, 1, 1]
    assert (results[1].created, results[2].created) == (True, False)
    assert (results[2].item, results[5].item) == ({"n": 4}, {"title": "P", "priceCents": 0})
    assert (await both.get(results[-1].id)).item == {"n": 5}
    transactions = {each.transaction for each in await both.events()} - {None}
    assert len(transactions) == 1


async def test_a_batch_of_which_one_is_refused_changes_nothing(both: Both) -> None:
    """And says which."""
    with pytest.raises(PreconditionFailed) as failure:
        await both.batch([Put("fox", {}), Check("hare", if_present=True)])
    assert failure.value.index == 1
    assert await both.find("fox") is None


async def test_a_batch_under_a_key_is_carried_out_once(both: Both) -> None:
    """Its results are those of the first time."""
    first = await both.batch([Put("fox", {})], idempotency_key="7")
    assert await both.batch([Put("fox", {})], idempotency_key="7") == first
    assert (await both.get("fox")).version == 1
