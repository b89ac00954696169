"""tail and history: so many events, those of some types, those of an item."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from itemstore.cli.events import PAGE
from itemstore.cli.options import EventType
from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated
from tests.cli.forked import command
from tests.cli.test_log_commands import Run, run
from tests.cli.test_tail import tailing
from tests.server.conftest import Serve, serve

__all__ = ["run", "serve"]  # fixtures

FOX = [("ItemCreated", 0), ("ItemUpdated", 1), ("ItemDeleted", 2), ("ItemCreated", 3)]
"""The events of one item, which are the first, with the size of each."""

OTHERS = 4 * PAGE
"""Events after these, of as many items."""


@pytest.fixture(scope="module", params=[1, 4])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A store, of one partition or several, with events of two collections."""
    directory = tmp_path_factory.mktemp("filled") / "data"
    there = {"ITEMSTORE_DATA_DIR": str(directory), "ITEMSTORE_PARTITIONS": str(request.param)}

    def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return command(words, os.environ | there, stdin)

    assert run("import", stdin="".join(lines())).returncode == 0
    return run


def lines() -> Iterator[str]:
    """Events as an export has them, a millisecond after each other."""
    events = [("animals", kind, "fox", size) for kind, size in FOX]
    events += [("others", "ItemCreated", f"i{number}", number) for number in range(OTHERS)]
    for number, (collection, kind, item, size) in enumerate(events):
        event = {"source": f"/{collection}", "type": kind, "subject": item, "id": f"{number + 1}-0"}
        data = {} if kind == "ItemDeleted" else {"data": {"size": size}}
        yield json.dumps(event | data) + "\n"


def shown(run: Run, *words: str) -> list[tuple[str, str]]:
    """The types and items of the events that a verb shows."""
    told = run(*words, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    events = [json.loads(line) for line in told.stdout.splitlines()]
    return [(event["type"], event["subject"]) for event in events]


def test_tail_shows_so_many_of_the_newest(filled: Run) -> None:
    """Or none, and no more than there are."""
    last = [("ItemCreated", f"i{number}") for number in range(OTHERS)]
    assert shown(filled, "tail", "-n", "3") == last[-3:]
    assert shown(filled, "tail", "--lines", "150") == last[-150:]
    assert shown(filled, "tail", "-n", "0") == []
    assert len(shown(filled, "tail", "-n", "100000")) == len(FOX) + OTHERS
    assert shown(filled, "tail", "--after", "2-0", "-n", "2") == last[-2:]


def test_tail_finds_the_newest_of_a_type_however_far_back(filled: Run) -> None:
    """And of several types those of any."""
    gone = [("ItemDeleted", "fox")]
    assert shown(filled, "tail", "--type", "ItemDeleted") == gone
    changed = ["--type", "ItemDeleted", "--type", "ItemUpdated"]
    assert shown(filled, "tail", *changed) == [("ItemUpdated", "fox"), *gone]
    assert shown(filled, "tail", *changed, "-n", "1") == gone
    assert shown(filled, "tail", *changed, "--after", "2-0") == gone
    assert shown(filled, "tail", *changed, "--collection", "others") == []


def test_tail_shows_the_events_of_an_item(filled: Run) -> None:
    """The newest of them, of a type, after a position; of an item that is none, nothing."""
    every = [(kind, "fox") for kind, _ in FOX]
    assert shown(filled, "tail", "--item", "fox") == every
    assert shown(filled, "tail", "--item", "fox", "-n", "2") == every[-2:]
    assert shown(filled, "tail", "--item", "fox", "--type", "ItemCreated") == [every[0], every[3]]
    assert shown(filled, "tail", "--item", "fox", "--after", "2-0") == every[2:]
    assert shown(filled, "tail", "--item", "fox", "--collection", "others") == []
    assert shown(filled, "tail", "--item", "wolf") == []


def test_history_shows_so_many_and_those_of_a_type(filled: Run) -> None:
    """An item that has none of a type is an item all the same."""
    every = [(kind, "fox") for kind, _ in FOX]
    assert shown(filled, "history", "fox") == every
    assert shown(filled, "history", "fox", "-n", "1") == every[-1:]
    assert shown(filled, "history", "fox", "--type", "ItemUpdated") == every[1:2]
    assert shown(filled, "history", "i1", "--type", "ItemDeleted") == []


def test_what_can_t_be_a_number_or_a_type_is_refused(run: Run) -> None:
    """As every mistake in what is typed."""
    for words in (["-n", "-1"], ["-n", "many"], ["--type", "ItemMoved"]):
        refused = run("tail", *words)
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize("partitions", ["1", "4"])
def test_follow_goes_on_with_what_is_selected(
    serve: Serve, tmp_path: Path, partitions: str
) -> None:
    """After those that there were."""
    server = serve("--partitions", partitions, data_dir=tmp_path / "data")
    wanted = ["--follow", "--json", "--item", "fox", "--type", "ItemUpdated"]
    with httpx.Client(base_url=server.url) as client:
        for size in range(4):
            client.put("/items/fox", json={"size": size})
        with tailing(tmp_path / "data", *wanted) as process:
            assert sizes(process, 3) == [1, 2, 3]
            client.put("/items/wolf", json={"size": 4})
            client.delete("/items/fox")
            client.put("/items/fox", json={"size": 5})
            client.put("/items/fox", json={"size": 6})
            assert sizes(process, 1) == [6]
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130


def test_follow_with_none_of_those_that_there_were_shows_what_comes(
    serve: Serve, tmp_path: Path
) -> None:
    """`tail -n 0 -f`, as of a file."""
    server = serve(data_dir=tmp_path / "data")
    seen = Event()
    with httpx.Client(base_url=server.url) as client:
        client.put("/items/fox", json={"size": 0})

        def write() -> None:
            while not seen.wait(0.1):  # nobody knows when it has begun to follow
                client.put("/items/fox", json={"size": 1})

        with tailing(tmp_path / "data", "-f", "-n", "0", "--json") as process:
            writing = Thread(target=write)
            writing.start()
            try:
                assert sizes(process, 1) == [1]
            finally:
                seen.set()
                writing.join(20)


def sizes(process: subprocess.Popen[str], count: int) -> list[int]:
    """The sizes in the next events that a tail shows."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["data"]["size"] for _ in range(count)]


def test_the_types_that_can_be_typed_are_those_of_events() -> None:
    """They are written down in the options."""
    kinds = [kind.__name__ for kind in (ItemCreated, ItemUpdated, ItemDeleted)]
    assert [each.value for each in EventType] == kinds
