"""Queries: how fast items are found, what that costs a PUT, and how far the read model is behind.

`python -m benchmarks.queries` fills a store with a million items while nothing follows, measures
how the read model catches up, and asks queries of it, and the same of plain SQLite behind FastAPI.
CouchDB and PocketBase are not among what is compared: no package index has them.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from benchmarks import queries_puts
from benchmarks.archive_fill import fill
from benchmarks.archive_history import History
from benchmarks.contestants import serve_command
from benchmarks.document import publish
from benchmarks.drive import check_wrk
from benchmarks.measure import say
from benchmarks.queries_following import FILE, events_behind
from benchmarks.queries_report import markdown
from benchmarks.record import recorded
from benchmarks.starting import HERE, answering, free_port
from itemstore.engine.embedded import run

WORKLOADS = ("reads", "puts")

INDEXES = "size,name"

PATIENCE = 3_600.0
"""Seconds for the read model to come to the end of the log."""

Ask = Callable[[Random, int], tuple[str, str]]
"""A query for the store, and the same for plain SQLite, about one of so many items."""


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.queries", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=1_000, help="of each query")
    parser.add_argument("--rounds", type=int, default=5, help="of the PUTs")
    parser.add_argument("--seconds", type=int, default=10, help="for each measurement of the PUTs")
    parser.add_argument(
        "--workload", action="append", choices=WORKLOADS, help="one; again for more"
    )
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    wanted = options.workload or WORKLOADS
    if "puts" in wanted:
        check_wrk()
    work: dict[str, Callable[[], Any]] = {
        "puts": lambda: queries_puts.measure(options.rounds, options.seconds),
        "reads": lambda: reads(options.items, options.requests),
    }
    record = recorded(work, wanted)
    publish(record, "queries", markdown(record), in_docs=options.docs)


def equal(random: Random, items: int) -> tuple[str, str]:
    """One item, by a value that is indexed."""
    size = random.randrange(items)
    return urlencode({"where": f"@.size == {size}"}), f"/equal?size={size}"


def between(random: Random, items: int) -> tuple[str, str]:
    """A hundred of a thousand items, in the order of what is indexed."""
    low = random.randrange(items - 1000)
    where = f"@.size >= {low} && @.size < {low + 1000}"
    return (
        urlencode({"where": where, "order": "-size"}),
        f"/range?low={low}&high={low + 1000}",
    )


def beginning(random: Random, items: int) -> tuple[str, str]:
    """Some hundred items whose name begins in some way: a pattern decides on each."""
    name = f"item {random.randrange(items // 100)}"
    where = f"match(@.name, '{name}.*')"
    return urlencode({"where": where}), "/beginning?" + urlencode({"name": name})


QUERIES: dict[str, Ask] = {
    "one item by an indexed value": equal,
    "100 of 1,000 in an indexed range, in its order": between,
    "100 whose name begins so, by a pattern": beginning,
}


def reads(items: int, requests: int) -> dict[str, Any]:
    """How fast the read model catches up, and what it then answers, beside plain SQLite."""
    history = History(items, items)
    found: dict[str, Any] = {"items": items, "requests": requests}
    with (
        tempfile.TemporaryDirectory(prefix="engine-") as of_engine,
        tempfile.TemporaryDirectory(prefix="queries-") as directory,
        run(Path(of_engine)) as engine,
    ):
        fill(engine.url, history, 0, items)
        port = free_port()
        options = ("--redis-url", engine.url, "--data-dir", directory, "--indexes", INDEXES)
        begun = time.monotonic()
        with answering(serve_command(HERE, port, 1, *options), port):
            found["following"] = {"events": items} | _caught_up(Path(directory) / FILE, items)
            found["with_indexes"] = _until_indexed(Path(directory) / FILE, begun)
            found["bytes"] = sum(each.stat().st_size for each in Path(directory).glob(f"{FILE}*"))
            found["store"] = _asked(port, requests, items, lambda pair: f"/items?{pair[0]}")
        with _plain_sqlite(history) as plain:
            found["plain"] = _asked(plain, requests, items, lambda pair: pair[1])
    say(json.dumps(found))
    return found


def _caught_up(file: Path, items: int) -> dict[str, float]:
    """Seconds from the first event that is applied to the last."""
    first = 0
    begun = until = time.monotonic()
    while first < items and time.monotonic() < begun + PATIENCE:
        applied = items - events_behind(file, items)
        if applied and not first:
            until = time.monotonic()
        first = applied
        time.sleep(0.02)
    return {"seconds": time.monotonic() - until}


def _until_indexed(file: Path, begun: float) -> float:
    """Seconds from the start of the server until all indexes are of use."""
    while time.monotonic() < begun + PATIENCE:
        with closing(sqlite3.connect(file)) as connection:
            found = connection.execute("SELECT min(is_complete), count(*) FROM itemstore_indexes")
            if found.fetchone() == (1, 2):
                break
        time.sleep(0.05)
    return time.monotonic() - begun


def _asked(
    port: int, requests: int, items: int, path: Callable[[tuple[str, str]], str]
) -> dict[str, dict[str, float]]:
    """Milliseconds that each query takes over one connection, and how many items it finds."""
    found: dict[str, dict[str, float]] = {}
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for name, ask in QUERIES.items():
            random, taken, count = Random(1), [], 0
            for _ in range(requests):
                url = path(ask(random, items))
                begun = time.perf_counter()
                connection.request("GET", url)
                answer = connection.getresponse()
                body = answer.read()
                taken.append((time.perf_counter() - begun) * 1000)
                if answer.status != 200:
                    raise RuntimeError(f"{url}: {body.decode()}")
                count += len(json.loads(body)["items"])
            taken.sort()
            p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
            found[name] = {"p50": p50, "p99": p99, "found": count}
    return found


@contextmanager
def _plain_sqlite(history: History) -> Iterator[int]:
    """FastAPI with a table of the same items; its port."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "plain.sqlite"
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE items (id TEXT PRIMARY KEY, body TEXT)")
            events = (history.event(number) for number in range(history.events))
            connection.executemany(
                "INSERT INTO items VALUES (?, ?)",
                ((each.item, each.body.decode()) for each in events),
            )
            for name in INDEXES.split(","):
                path = f"json_extract(body, '$.{name}')"
                connection.execute(f"CREATE INDEX items_{name} ON items ({path}, id)")
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "benchmarks.apps.plain_sqlite:app"]
        options = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
        environment = {"BENCHMARK_SQLITE": str(file)}
        with answering([*command, *options], port, environment=environment):
            yield port


if __name__ == "__main__":
    main()
