"""What either client does with one item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from itemstore.client import (
    AsyncClient,
    Conflict,
    Invalid,
    InvalidId,
    ItemDeleted,
    Misfit,
    NotFound,
    PreconditionFailed,
    TooLarge,
    UnexpectedAnswer,
)
from itemstore.testing import ItemstoreClock
from tests.client.conftest import Both, Product


async def test_what_was_put_can_be_got(both: Both) -> None:
    """With its version, its time, and the event that made it."""
    written = await both.put("fox", {"size": 6, "parts": [], "big": 2**80})
    read = await both.get("fox")
    assert (written.created, written.replayed, written.version) == (True, False, 1)
    assert written.event.endswith("-0")
    assert (read.id, read.version, read.etag, read.modified) == ("fox", 1, '"1"', written.modified)
    assert read.item == written.item == {"size": 6, "parts": [], "big": 2**80}
    assert read.modified.utcoffset() == timedelta()


async def test_the_second_put_created_nothing(both: Both) -> None:
    """`created` is the type of the event."""
    await both.put("fox", {"size": 6})
    assert not (await both.put("fox", {"size": 7})).created
    await both.delete("fox")
    again = await both.put("fox", {"size": 8})
    assert (again.created, again.version) == (True, 4)


@pytest.mark.parametrize("item_id", ["a/b", "ä 100%", "?x#y", "{7}", "a+b", "%2F"])
async def test_every_id_is_one_item(both: Both, item_id: str) -> None:
    """Whatever means something in a URL."""
    await both.put(item_id, {"id": item_id})
    assert (await both.get(item_id)).item == {"id": item_id}


@pytest.mark.parametrize("item_id", ["", ".", "..", "a\nb", "x" * 513, "\ud800"])
async def test_what_can_be_no_id_is_refused_before_it_is_sent(both: Both, item_id: str) -> None:
    """On the way it would become another path."""
    with pytest.raises(InvalidId):
        await both.get(item_id)


async def test_an_item_that_never_was_is_not_found(both: Both) -> None:
    """And one that was is deleted; `find` gives None for both."""
    with pytest.raises(NotFound) as never:
        await both.get("fox")
    await both.put("fox", {})
    assert (await both.delete("fox")).event
    with pytest.raises(ItemDeleted) as deleted:
        await both.get("fox")
    assert (never.value.status, never.value.type) == (404, "item-not-found")
    assert deleted.value.version == 2
    assert deleted.value.request_id
    assert deleted.value.request_id in str(deleted.value)
    assert await both.find("fox") is None
    with pytest.raises(ItemDeleted):
        await both.delete("fox")


async def test_a_collection_that_is_not_there_is_no_missing_item(both: Both) -> None:
    """`find` says so, too: nobody is to take a wrong name for an empty store."""
    with pytest.raises(NotFound) as failure:
        await both.of("itmes").find("fox")
    assert failure.value.type == "not-found"


async def test_what_is_known_is_not_read_again(both: Both) -> None:
    """304 is None."""
    known = await both.put("fox", {})
    assert await both.get_if_changed("fox", known) is None
    assert await both.get_if_changed("fox", [1, 2]) is None
    assert (await both.get_if_changed("fox", 7)).version == 1


async def test_a_condition_that_does_not_hold_changes_nothing(both: Both) -> None:
    """Each kind, and what it says is there."""
    first = await both.put("fox", {"size": 1})
    await both.put("fox", {"size": 2}, if_match=first)
    for how in (
        {"if_match": first},
        {"if_match": [1, 3]},
        {"if_none_match": 2},
        {"if_absent": True},
        {"if_unmodified_since": datetime(2001, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(PreconditionFailed) as failure:
            await both.put("fox", {"size": 3}, **how)
        assert failure.value.version == 2
    with pytest.raises(PreconditionFailed) as nothing:
        await both.put("hare", {}, if_present=True)
    assert nothing.value.version is None
    assert (await both.get("fox")).item == {"size": 2}


async def test_a_condition_that_holds_lets_a_write_through(both: Both) -> None:
    """Each kind, on each method."""
    await both.put("fox", {"size": 1}, if_absent=True)
    await both.put("fox", {"size": 2}, if_present=True, if_none_match=7)
    await both.patch("fox", {"size": 3}, if_match=[1, 2])
    now = datetime.now(UTC)
    assert (await both.revert("fox", 1, if_unmodified_since=now)).item == {"size": 1}
    await both.delete("fox", if_match=4)


@pytest.mark.parametrize(
    "how",
    [
        {"if_match": 1, "if_present": True},
        {"if_absent": True, "if_match": 1},
        {"if_unmodified_since": datetime(2001, 1, 1)},  # noqa: DTZ001  # without a time zone
    ],
)
async def test_conditions_that_mean_nothing_are_refused(both: Both, how: dict[str, object]) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=r"if_|time zone"):
        await both.put("fox", {}, **how)
    assert await both.find("fox") is None


async def test_a_mapping_is_a_merge_patch_and_a_list_a_json_patch(both: Both) -> None:
    """And a patch that does not fit says which operation."""
    await both.put("fox", {"size": 1, "name": "Fox"})
    assert (await both.patch("fox", {"name": None, "size": 2})).item == {"size": 2}
    added = await both.patch("fox", [{"op": "add", "path": "/tags", "value": ["red"]}])
    assert added.item == {"size": 2, "tags": ["red"]}
    with pytest.raises(Conflict) as failure:
        await both.patch("fox", [{"op": "test", "path": "/size", "value": 7}])
    assert failure.value.problem["operation"] == 0
    with pytest.raises(NotFound):
        await both.patch("hare", {})


async def test_a_created_item_has_an_id_of_the_stores(both: Both) -> None:
    """Which can be asked for."""
    created = await both.create({"size": 1})
    assert created.created
    assert (await both.get(created.id)).item == {"size": 1}


async def test_bodies_are_of_the_model(both: Both) -> None:
    """With the names that JSON has for its fields."""
    products = both.of("products", Product)
    await products.put("fox", Product(title="Fox", price=7))
    assert (await products.get("fox")).item == Product(title="Fox", price=7)
    assert (await both.of("products").get("fox")).item == {"title": "Fox", "priceCents": 7}


async def test_what_the_stores_model_refuses_is_shown_with_pointers(both: Both) -> None:
    """Each value that does not fit."""
    with pytest.raises(Invalid) as failure:
        await both.of("products").put("fox", {"title": 1, "priceCents": "x"})
    assert [each.pointer for each in failure.value.errors] == ["/title", "/priceCents"]
    assert isinstance(failure.value.errors[0], Misfit)


async def test_an_item_that_does_not_fit_the_clients_model_is_said(both: Both) -> None:
    """The store's is another one."""
    await both.put("fox", {"size": 1})
    with pytest.raises(UnexpectedAnswer, match="title"):
        await both.of("items", Product).get("fox")


async def test_a_body_that_is_too_large_is_said(both: Both) -> None:
    """With how large it may be."""
    with pytest.raises(TooLarge) as failure:
        await both.put("fox", {"text": "x" * 2_000_000})
    assert failure.value.problem["limit"] == 1024 * 1024


async def test_a_key_of_the_callers_is_one_write(both: Both) -> None:
    """However often it is called with it."""
    first = await both.put("fox", {"size": 1}, idempotency_key='order "7"\\')
    again = await both.put("fox", {"size": 1}, idempotency_key='order "7"\\')
    assert (again.event, again.created, again.replayed) == (first.event, True, True)
    with pytest.raises(Invalid) as failure:
        await both.put("fox", {"size": 2}, idempotency_key='order "7"\\')
    assert failure.value.type == "idempotency-key-reused"


@pytest.fixture
def noon(itemstore_clock: ItemstoreClock) -> datetime:
    """A time at which the clock stands still, set before there is a store."""
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    itemstore_clock.set(noon)
    return noon


async def test_old_versions_are_there(
    noon: datetime, itemstore_clock: ItemstoreClock, both: Both
) -> None:
    """By number, and by time."""
    await both.put("fox", {"size": 1})
    itemstore_clock.advance(3600)
    await both.put("fox", {"size": 2})
    assert (await both.version("fox", 1)).item == {"size": 1}
    assert (await both.as_of("fox", noon + timedelta(minutes=5))).item == {"size": 1}
    assert (await both.as_of("fox", noon + timedelta(hours=1))).item == {"size": 2}
    before = await both.as_of("fox", noon - timedelta(days=1))
    assert (before.version, before.modified) == (1, noon)
    with pytest.raises(NotFound):
        await both.version("fox", 3)


async def test_an_update_works_on_what_is_there(both: Both) -> None:
    """And begins with the initial body where there is nothing."""

    def grown(body: dict[str, int]) -> dict[str, int]:
        return {"size": body["size"] + 1}

    with pytest.raises(NotFound):
        await both.update("fox", grown)
    assert (await both.update("fox", grown, initial={"size": 0})).item == {"size": 1}
    assert (await both.update("fox", grown, initial={"size": 0})).item == {"size": 2}


async def test_an_update_begins_again_when_another_was_quicker(both: Both) -> None:
    """With what that one left."""
    await both.put("fox", {"size": 0})
    seen = []

    async def other_was_quicker(size: int) -> None:
        await both.put("fox", {"size": size})

    def grown(body: dict[str, int]) -> object:
        seen.append(body["size"])
        after = {"size": body["size"] + 1}
        if len(seen) == 3:
            return after
        if isinstance(both.client, AsyncClient):
            return both_wrote(body["size"] + 10, after)
        both.client.put("fox", {"size": body["size"] + 10})
        return after

    async def both_wrote(size: int, after: dict[str, int]) -> dict[str, int]:
        await other_was_quicker(size)
        return after

    assert (await both.update("fox", grown)).item == {"size": 21}
    assert seen == [0, 10, 20]


async def test_an_update_that_is_always_too_late_ends(both: Both) -> None:
    """After as many attempts as were allowed."""
    await both.put("fox", {"size": 0})
    calls = []

    async def slow(body: dict[str, int]) -> dict[str, int]:
        await both.put("fox", body)
        return body

    def late(body: dict[str, int]) -> object:
        calls.append(body)
        if isinstance(both.client, AsyncClient):
            return slow(body)
        both.client.put("fox", body)
        return body

    with pytest.raises(PreconditionFailed):
        await both.update("fox", late, attempts=3)
    assert len(calls) == 3


async def test_an_update_that_returns_nothing_is_refused(both: Both) -> None:
    """It would have stored null."""
    await both.put("fox", {"size": 0})
    with pytest.raises(TypeError, match="return"):
        await both.update("fox", lambda body: body.update(size=1))
    assert (await both.get("fox")).version == 1
