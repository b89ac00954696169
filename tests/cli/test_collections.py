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
    assert "/orders         2 events, 0 items, 1 deleted, " in shown


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
    assert shop("verify", "--collection", "orders", "--collection", "notes").returncode == 0
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
        *("not_compared", "ahead_seconds"),
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


def lines(*events: tuple[str | None, str, str], start: int = 1) -> str:
    """Lines of events: source, type and id, with positions that go up."""
    text = ""
    for number, (source, kind, item) in enumerate(events, start=start):
        event: dict[str, object] = {"id": f"{number}-0", "type": kind, "subject": item}
        if source is not None:
            event["source"] = source
        if kind != "ItemDeleted":
            event["data"] = {"n": number}
        text += json.dumps(event) + "\n"
    return text


def test_an_export_of_several_collections_imported_is_the_same_export(shop: Run) -> None:
    """Into a new store, which needs no setting: byte for byte, with the same digest."""
    exported = shop("export").stdout
    taken = shop("import", stdin=exported, data="copy")

    assert (taken.returncode, taken.stderr) == (0, "5 events imported\n")
    assert shop("export", data="copy").stdout == exported
    assert [json.loads(line)["source"] for line in exported.splitlines()] == [
        *("/products", "/orders", "/products", "/orders", "/products")
    ]
    digests = {
        json.loads(shop("verify", "--json", data=data).stdout)["digest"]
        for data in ("data", "copy")
    }
    assert len(digests) == 1
    again = shop("import", stdin=exported, data="copy")
    assert "5 events are in the log already" in again.stderr


def test_a_source_that_the_store_does_not_have_is_refused(shop: Run) -> None:
    """Before anything is written, with what to do."""
    before = shop("export").stdout
    more = lines(("/orders", "ItemCreated", "9"), ("/books", "ItemCreated", "9"), start=2**41)

    refused = shop("import", "--append", stdin=more)

    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "itemstore: line 2: its source, '/books', is none of the store's collections "
        "(notes, orders, products): name it in ITEMSTORE_COLLECTIONS, or put all lines into one"
    )
    assert shop("export").stdout == before
    named = shop("import", "--append", stdin=more, ITEMSTORE_COLLECTIONS="orders,books")
    assert named.returncode == 0
    assert json.loads(shop("info", "--json").stdout)["collections"]["books"]["events"] == 1


def test_all_lines_can_be_put_into_one_collection(shop: Run) -> None:
    """Whatever their source is, and none at all; with positions of their own or new ones."""
    more = lines(("/books", "ItemCreated", "9"), (None, "ItemUpdated", "9"))

    assert shop("import", "--collection", "notes", stdin=more).returncode == 0
    assert shop("import", "--collection", "orders", "--append", stdin=more).returncode == 0

    counts = json.loads(shop("info", "--json").stdout)["collections"]
    assert {name: each["events"] for name, each in counts.items()} == {
        "notes": 2,
        "orders": 4,
        "products": 3,
    }
    assert shop("verify").returncode == 0
    unknown = shop("import", "--collection", "books", stdin=more)
    assert "The store has no collection 'books'" in unknown.stderr


def test_lines_of_elsewhere_go_to_the_only_collection(run: Run) -> None:
    """As ever; with several collections nobody knows where."""
    elsewhere = json.dumps({"type": "ItemCreated", "subject": "a", "data": {}, "source": "urn:x"})
    of_one, of_two = ({"ITEMSTORE_COLLECTIONS": names} for names in ("products", "products,orders"))

    assert run("import", stdin=elsewhere, data="one", **of_one).returncode == 0
    refused = run("import", stdin=elsewhere, data="two", **of_two)

    assert json.loads(run("export", data="one").stdout)["source"] == "/products"
    assert refused.returncode == 1
    assert "line 1: its source, 'urn:x', is none of the store's collections" in refused.stderr
    without = json.dumps({"type": "ItemCreated", "subject": "a", "data": {}})
    refused = run("import", stdin=without, data="two", **of_two)
    assert "line 1: it has no source, and the store has several collections" in refused.stderr


@pytest.mark.parametrize("is_first", [True, False])
def test_lines_of_elsewhere_go_to_no_collection_among_others(run: Run, *, is_first: bool) -> None:
    """Nor do they make a new store one of several; nothing is written."""
    both = (("/books", "ItemCreated", "a"), ("urn:x", "ItemCreated", "b"))

    refused = run("import", stdin=lines(*both[:: -1 if is_first else 1]))

    assert refused.returncode == 1
    assert "line 2: its source, '" in refused.stderr
    assert "is none of the store's collections" in refused.stderr
    assert run("export").stdout == ""


def test_the_history_of_each_collection_is_checked_by_itself(run: Run) -> None:
    """The same id in two collections is two items; a line that can't be is refused."""
    both = (("/a", "ItemCreated", "x"), ("/b", "ItemCreated", "x"), ("/a", "ItemDeleted", "x"))

    refused = run("import", stdin=lines(*both, ("/b", "ItemCreated", "x")))
    assert refused.returncode == 1
    assert refused.stderr.startswith("itemstore: line 4: ItemCreated of 'x'")
    assert run("import", stdin=lines(*both, ("/b", "ItemUpdated", "x"))).returncode == 0
    events = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert [(event["source"], event["itemversion"]) for event in events] == [
        *(("/a", 1), ("/b", 1), ("/a", 2), ("/b", 2))
    ]


def test_an_interrupted_import_of_several_goes_on(run: Run) -> None:
    """What it leaves is the beginning of the file, in whichever collections."""
    first = (("/a", "ItemCreated", "x"), ("/b", "ItemCreated", "x"), ("/b", "ItemUpdated", "x"))
    rest = (("/a", "ItemUpdated", "x"), ("/b", "ItemDeleted", "x"))
    assert run("import", stdin=lines(*first)).returncode == 0

    gone_on = run("import", stdin=lines(*first, *rest))
    other = run("import", stdin=lines(("/b", "ItemCreated", "x"), *rest))

    assert gone_on.returncode == 0
    assert "3 events are in the log already" in gone_on.stderr
    assert len(run("export").stdout.splitlines()) == 5
    assert "is not the beginning of this import: line 1 is not in it" in other.stderr


def test_a_position_is_given_once_in_a_store(shop: Run) -> None:
    """A collection that is put into another one gets new positions, or takes its place."""
    orders = shop("export", "--collection", "orders").stdout

    refused = shop("import", "--collection", "notes", stdin=orders)
    appended = shop("import", "--collection", "notes", "--append", stdin=orders)

    assert refused.returncode == 1
    assert "/orders has the event " in refused.stderr
    assert "and a position is given once in a store. Use --append" in refused.stderr
    assert appended.returncode == 0
    positions = [json.loads(line)["id"] for line in shop("export").stdout.splitlines()]
    assert len(positions) == len(set(positions)) == 7


@pytest.mark.parametrize("verb", ["verify", "rebuild"])
def test_a_collection_whose_keys_hold_something_else_is_named(
    shop: Run, tmp_path: Path, verb: str
) -> None:
    """One sentence."""

    async def break_it() -> None:
        async with open_store(Settings(data_dir=tmp_path / "data")) as store:
            await store.partition.client.set("notes:events", "something else")

    asyncio.run(break_it())
    refused = shop(verb)

    assert refused.returncode == 1
    assert refused.stderr.startswith("itemstore: /notes: A key of the store holds something else")
