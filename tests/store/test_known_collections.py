"""A store knows which collections it has had: commands go by that where no setting names any."""

from __future__ import annotations

from pathlib import Path

import pytest

from itemstore.domain.commands import PutItem
from itemstore.store.opening import open_store, open_to_serve
from itemstore.store.settings import Settings
from itemstore.store.store import NoSuchCollection
from tests.logged import all_told


def settings(data_dir: Path, collections: str | None) -> Settings:
    """Those of a store in this directory with these collections."""
    return Settings(data_dir=data_dir / "data", collections=collections)


async def test_a_command_knows_the_collections_that_were_served(tmp_path: Path) -> None:
    """Without the setting it works on all of them, with it on those that are named."""
    async with open_to_serve(settings(tmp_path, "products,notes=any")):
        pass
    async with open_store(settings(tmp_path, None)) as store:
        assert [*store.collections] == ["notes", "products"]
        layout = await store.partition.client.hkeys("itemstore:layout")
    async with open_store(settings(tmp_path, "products")) as store:
        assert [*store.collections] == ["products"]
    assert {b"collection:products", b"collection:notes"} <= {*layout}


async def test_a_store_that_was_never_served_has_items(tmp_path: Path) -> None:
    """As ever."""
    async with open_store(settings(tmp_path, None), new=True) as store:
        assert [*store.collections] == ["items"]


async def test_what_is_not_named_any_more_is_said_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it has events; named again, it is as it was."""
    async with open_to_serve(settings(tmp_path, "products,orders,notes")) as store:
        await store.collections["orders"].log.append(PutItem("a", b"{}"))
    async with open_to_serve(settings(tmp_path, "products")):
        said = all_told(caplog, event="A collection has events and is not served")
    async with open_to_serve(settings(tmp_path, "orders")) as store:
        item = await store.collections["orders"].items.get("a")

    assert [(each["collection"], each["events"]) for each in said] == [("orders", 1)]
    assert item is not None
    assert item.version == 1


async def test_a_broken_collection_that_is_not_named_stops_no_start(tmp_path: Path) -> None:
    """The others are served as ever."""
    async with open_to_serve(settings(tmp_path, "products,orders")) as store:
        await store.partition.client.set("orders:events", "something else")
    async with open_to_serve(settings(tmp_path, "products")) as store:
        await store.collections["products"].log.append(PutItem("a", b"{}"))


async def test_a_new_collection_begins_empty(tmp_path: Path) -> None:
    """And harms none that was there."""
    async with open_to_serve(settings(tmp_path, None)) as store:
        await store.collections["items"].log.append(PutItem("a", b"{}"))
    async with open_to_serve(settings(tmp_path, "items,products")) as store:
        pages = [await each.items.page(limit=10) for each in store.collections.values()]
    assert [page.total for page in pages] == [1, 0]


async def test_one_collection_is_chosen_by_its_name(tmp_path: Path) -> None:
    """An unknown name is an error that says which ones there are."""
    async with open_store(settings(tmp_path, "products,notes"), new=True) as store:
        assert [*store.chosen(None)] == ["products", "notes"]
        assert [*store.chosen(["notes", "products"])] == ["products", "notes"]
        assert [*store.chosen(["notes"])] == ["notes"]
        with pytest.raises(NoSuchCollection, match="'orders'; it has products, notes"):
            store.chosen(["notes", "orders"])
