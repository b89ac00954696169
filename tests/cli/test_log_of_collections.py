"""tail, history and export with several collections: one log, or those that are named."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.test_collections import Run, run, shop
from tests.cli.test_tail import tailing
from tests.conftest import Start
from tests.server.conftest import Serve, serve

__all__ = ["run", "serve", "shop"]  # fixtures

WRITTEN = [
    ("/products", "tent", 1), ("/orders", "1", 1), ("/products", "tent", 2), ("/orders", "1", 2),
    ("/products", "1", 1),
]  # fmt: skip
"""Of each event in the shop its source, its item and its version."""


def written(text: str) -> list[tuple[str, str, int]]:
    """The same of events in lines."""
    events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    return [(event["source"], event["subject"], event["itemversion"]) for event in events]


@pytest.mark.parametrize(
    ("options", "sources"),
    [
        ((), {"/orders", "/products"}),
        (("--collection", "orders"), {"/orders"}),
        (("--collection", "notes"), set()),
        (("--collection", "notes", "--collection", "products"), {"/products"}),
    ],
)
def test_export_and_tail_have_the_collections_that_are_named_or_all(
    shop: Run, options: tuple[str, ...], sources: set[str]
) -> None:
    """In the order in which it happened, from any position on."""
    events = [each for each in WRITTEN if each[0] in sources]
    exported = shop("export", *options)
    assert written(exported.stdout) == events
    count = f"{len(events)} event{'' if len(events) == 1 else 's'} exported"
    assert exported.stderr.splitlines()[-1] == count
    assert written(shop("tail", "--json", *options).stdout) == events
    positions = [json.loads(line)["id"] for line in shop("export").stdout.splitlines()]
    for number, position in enumerate(positions, start=1):
        rest = [each for each in WRITTEN[number:] if each[0] in sources]
        for verb in (("export",), ("tail", "--json")):
            assert written(shop(*verb, "--after", position, *options).stdout) == rest


def test_an_export_of_several_collections_is_imported_as_what_it_was(shop: Run) -> None:
    """The same lines in the same order, whichever collection a line is of."""
    exported = shop("export").stdout
    moved = shop("import", stdin=exported, data="copy", ITEMSTORE_COLLECTIONS="products,orders=any")
    assert (moved.returncode, moved.stdout, moved.stderr) == (0, "", "5 events imported\n")
    assert shop("export", data="copy").stdout == exported


def test_lines_for_people_say_which_collection_it_is(shop: Run) -> None:
    """Where the store has several, also where one is asked for."""
    lines = shop("tail").stdout.splitlines()
    assert [line.split()[4] for line in lines] == [
        f"{source[1:]}/{item}" for source, item, _ in WRITTEN
    ]
    assert lines[0].endswith('ItemCreated  products/tent v1 {"name":"Tent"}')
    assert (
        shop("tail", "--collection", "orders")
        .stdout.splitlines()[1]
        .endswith("ItemDeleted  orders/1 v2")
    )


def test_a_history_is_that_of_every_item_with_the_id(shop: Run) -> None:
    """In one order, unless a collection is named."""
    of_1 = [each for each in WRITTEN if each[1] == "1"]
    assert written(shop("history", "1", "--json").stdout) == of_1
    for name in ("orders", "products"):
        shown = shop("history", "1", "--json", "--collection", name)
        assert written(shown.stdout) == [each for each in of_1 if each[0] == f"/{name}"]
    missing = shop("history", "tent", "--collection", "orders")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "There is no item 'tent'" in missing.stderr


@pytest.mark.parametrize("verb", ["tail", "tail -f", "export", "history 1"])
def test_a_collection_that_is_not_there_is_refused(shop: Run, verb: str) -> None:
    """With those that are; nothing is shown."""
    ended = shop(*verb.split(), "--collection", "orders", "--collection", "order")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no collection 'order'; it has notes, orders, products" in ended.stderr


def test_follow_shows_what_comes_in_the_collections_that_are_named(
    serve: Serve, tmp_path: Path
) -> None:
    """Or in all; across a restart of the server, each event once."""
    collections = {"ITEMSTORE_COLLECTIONS": "products=any,orders=any,notes=any"}
    server = serve(data_dir=tmp_path / "data", **collections)
    options = ("--follow", "--json", "--after", "0-0")
    chosen = ("--collection", "orders", "--collection", "notes")
    with (
        tailing(tmp_path / "data", *options) as of_all,
        tailing(tmp_path / "data", *options, *chosen) as of_some,
    ):
        assert of_all.stdout is not None
        assert of_some.stdout is not None
        seen: list[list[str]] = [[], []]
        written: list[list[str]] = [[], []]
        for restart in (False, True):
            if restart:
                server.stop()
                server = serve(data_dir=tmp_path / "data", **collections)
            with httpx.Client(base_url=server.url) as client:
                for path in ("/products/a", "/orders/a", "/products/b", "/notes/a"):
                    position = client.put(path, json={}).headers["event-id"]
                    written[0].append(position)
                    if "products" not in path:
                        written[1].append(position)
            for each, process in zip(seen, (of_all, of_some), strict=True):
                assert process.stdout is not None
                count = 4 if process is of_all else 2
                each += [json.loads(process.stdout.readline())["id"] for _ in range(count)]
        for process in (of_all, of_some):
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=15) == 130
    assert seen == written


def test_follow_shows_a_collection_that_is_new(serve: Serve, start: Start, tmp_path: Path) -> None:
    """From its first event on, beside those that were there, or alone."""
    engine = start("valkey")
    server = serve("--redis-url", engine.url, "--collections", "orders=any")
    with tailing(tmp_path, "-f", "--json", "--redis-url", engine.url) as process:
        assert process.stdout is not None
        seen, written = [], []
        for names, paths in (
            ("orders", ["orders"]),
            ("orders,notes", ["notes", "orders", "notes"]),
        ):
            server.stop()
            collections = ",".join(f"{name}=any" for name in names.split(","))
            server = serve("--redis-url", engine.url, "--collections", collections)
            for path in paths:
                answer = httpx.put(f"{server.url}/{path}/a", json={})
                written.append(answer.headers["event-id"])
                seen.append(json.loads(process.stdout.readline())["id"])
    assert seen == written
