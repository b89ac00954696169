"""The commands on a store of several collections: on all of them, or on one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.store.opening import open_store, open_to_serve
from itemstore.store.settings import Settings
from tests.cli.forked import command

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command on a data directory of the test's own."""

    def run(
        *words: str, stdin: str = "", data: str = "data", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        where = {"ITEMSTORE_DATA_DIR": str(tmp_path / data)}
        return command(words, os.environ | where | environment, stdin)

    return run


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Run:
    """The same, with a store that was served with products, orders and notes."""

    async def fill() -> None:
        settings = Settings(data_dir=tmp_path / "data", collections="products,orders=any,notes")
        async with open_to_serve(settings) as store:
            products, orders = store.collections["products"], store.collections["orders"]
            await products.log.append(PutItem("tent", b'{"name":"Tent"}'))
            await orders.log.append(PutItem("1", b'{"product":"tent"}'))
            await products.log.append(PutItem("tent", b'{"name":"Large tent"}'))
            await orders.log.append(DeleteItem("1"))
            await products.log.append(PutItem("1", b"{}"))

    asyncio.run(fill())
    return run


def damage(tmp_path: Path, key: str) -> None:
    """Takes an item's row away, behind the store's back."""

    async def take() -> None:
        async with open_store(Settings(data_dir=tmp_path / "data")) as store:
            await store.partition.client.hdel(key, "tent")

    asyncio.run(take())


def test_info_counts_all_and_each(shop: Run) -> None:
    """Together where one number is asked for, and by name; without the setting too."""
    facts = json.loads(shop("info", "--json").stdout)

    assert (facts["events"], facts["items"], facts["deleted_items"]) == (5, 2, 1)
    assert {name: each["events"] for name, each in facts["collections"].items()} == {
        "products": 3,
        "orders": 2,
        "notes": 0,
    }
    assert facts["last_position"] == facts["collections"]["products"]["last_position"]
    assert "not_named" not in facts
    shown = shop("info").stdout
    assert "/orders         2 events, 0 items, 1 deleted items, " in shown


def test_info_of_one_collection_is_that_of_a_store_of_one(shop: Run) -> None:
    """No more than there is to say."""
    facts = json.loads(shop("info", "--json", "--collection", "orders").stdout)

    assert (facts["events"], facts["items"]) == (2, 0)
    assert "collections" not in facts


def test_info_says_what_the_settings_do_not_name(shop: Run) -> None:
    """Where it has events."""
    named = {"ITEMSTORE_COLLECTIONS": "products"}

    facts = json.loads(shop("info", "--json", **named).stdout)
    shown = shop("info", **named).stdout

    assert facts["not_named"] == {"orders": 2}
    assert (facts["events"], "collections" in facts) == (3, False)
    assert "/orders         2 events; the settings do not name it" in shown


@pytest.mark.parametrize("verb", ["info", "verify", "rebuild"])
def test_an_unknown_collection_is_refused_with_those_there_are(shop: Run, verb: str) -> None:
    """One sentence."""
    refused = shop(verb, "--collection", "books")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "itemstore: The store has no collection 'books'; it has notes, orders, products.\n"
    )


def test_verify_looks_at_each_collection(shop: Run, tmp_path: Path) -> None:
    """One that differs makes the exit code 1, and is named."""
    clean = shop("verify", "--json")
    damage(tmp_path, "products:current")
    verdict = json.loads(shop("verify", "--json").stdout)
    shown = shop("verify")

    assert clean.returncode == 0
    assert shown.returncode == 1
    assert {name: each["clean"] for name, each in verdict["collections"].items()} == {
        "notes": True,
        "orders": True,
        "products": False,
    }
    assert (verdict["clean"], verdict["events"], verdict["items"]) == (False, 5, 2)
    assert verdict["differences"][0]["collection"] == "products"
    assert "`itemstore rebuild --collection products`" in shown.stdout
    assert shop("verify", "--collection", "orders").returncode == 0
    assert shop("verify", "--collection", "products").returncode == 1


def test_the_digest_of_several_is_that_of_each(shop: Run) -> None:
    """It changes with each of them; an empty collection does not change it."""

    def digest(**environment: str) -> str:
        return str(json.loads(shop("verify", "--json", **environment).stdout)["digest"])

    whole = digest()
    assert whole == digest(ITEMSTORE_COLLECTIONS="products,orders")
    products = digest(ITEMSTORE_COLLECTIONS="products")
    orders = digest(ITEMSTORE_COLLECTIONS="orders")
    assert len({whole, products, orders}) == 3
    assert products == digest(ITEMSTORE_COLLECTIONS="products,notes")


def test_verify_and_rebuild_of_one_collection_say_what_a_store_of_one_says(shop: Run) -> None:
    """The same members, and nothing about others."""
    verdict = json.loads(shop("verify", "--json", "--collection", "products").stdout)
    receipt = json.loads(shop("rebuild", "--json", "--collection", "products").stdout)

    assert [*verdict] == [
        *("clean", "digest", "position", "events", "items", "counted", "differences"),
        "ahead_seconds",
    ]
    assert receipt["events"] == 3
    assert receipt["digest_after"] == verdict["digest"]
    assert "collections" not in receipt


def test_a_rebuild_rebuilds_each_collection(shop: Run, tmp_path: Path) -> None:
    """Each has a receipt of its own."""
    damage(tmp_path, "products:current")

    receipts = json.loads(shop("rebuild", "--json").stdout)

    assert (receipts["projection"], receipts["events"]) == ("current-items", 5)
    each = receipts["collections"]
    assert sum(each["products"]["different"].values()) == 1
    assert each["orders"]["digest_before"] == each["orders"]["digest_after"]
    assert shop("verify").returncode == 0
    shown = shop("rebuild", "statistics").stdout
    assert "Rebuilt statistics of /orders" in shown
