"""A log that outgrows memory: ten million events of which half a million stay in the engine.

`python -m benchmarks.archive` fills a store with an archive, and another one that keeps all in
memory, with one history that can be computed again (`archive_history`). Then it reads, verifies,
rebuilds and restores the first of them, and compares it with the history and with the second.
PUTs with archiving on and off, and reads from a bucket, have stores of their own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks import archive_puts, archive_segments
from benchmarks.archive_fill import (
    fill,
    filling,
    megabytes,
    rows_digest,
    until_archived,
    until_trimmed,
)
from benchmarks.archive_history import History
from benchmarks.archive_reads import caught_up, reader
from benchmarks.archive_report import markdown
from benchmarks.bucket import bucket
from benchmarks.contestants import serve_command
from benchmarks.document import publish
from benchmarks.drive import check_wrk
from benchmarks.measure import say
from benchmarks.rebuild import COMMAND, engine_in_a_new_directory, measured
from benchmarks.record import recorded
from benchmarks.starting import HERE, answering, free_port
from itemstore.engine.embedded import EmbeddedEngine, attach, run
from itemstore.eventlog.keys import Keys

WORKLOADS = ("log", "puts", "bucket", "segments")

READS = 2_000
"""Reads of each kind that are compared with the history."""

OLD_VERSIONS = 1_000

IN_BUCKET = History(items=5_000, events=100_000)


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.archive", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--keep-events", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5, help="of the PUTs")
    parser.add_argument("--seconds", type=int, default=20, help="for each measurement of the PUTs")
    parser.add_argument(
        "--workload", action="append", choices=WORKLOADS, help="one; again for more"
    )
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    wanted = options.workload or WORKLOADS
    if "puts" in wanted:
        check_wrk()
    history = History(options.items, options.events)
    work: dict[str, Callable[[], Any]] = {
        "puts": lambda: archive_puts.measure(options.rounds, options.seconds),
        "bucket": lambda: in_bucket(IN_BUCKET),
        "segments": archive_segments.measure,
        "log": lambda: outgrown(history, options.keep_events),
    }
    record = recorded(work, wanted)
    publish(record, "archive", markdown(record), in_docs=options.docs)


def outgrown(history: History, keep: int) -> dict[str, Any]:
    """All that is measured of a log that is larger than what stays in the engine."""
    found: dict[str, Any] = {
        "events": history.events,
        "items": history.items,
        "keep_events": keep,
    }
    with (
        tempfile.TemporaryDirectory(prefix="archived-") as archived,
        tempfile.TemporaryDirectory(prefix="kept-") as kept,
    ):
        found["archiving"] = _archived_first(Path(archived), history)
        options = ("--data-dir", archived, "--keep-events", str(keep), "--archive-seconds", "1")
        with serving(*options) as port, attach(Path(archived)) as engine:
            found["archiving"]["seconds"] = until_archived(engine.url)
            found |= _filled(engine, Path(kept), history, keep)
            found["archive"] = _size(Path(archived) / "archive", history)
            found |= _read(port, history, keep)
            words = (*COMMAND, "verify", "--json", "--data-dir", archived)
            with tempfile.TemporaryFile("w+") as output:
                found["verify"] = asdict(measured("verify", engine, *words, output=output))
                output.seek(0)
                found["digest"] = json.loads(output.readlines()[-1])["digest"]
            words = (*COMMAND, "rebuild", "--json", "--data-dir", archived)
            found["rebuild"] = asdict(measured("rebuild", engine, *words))
        found["restore"] = _restored(Path(archived) / "archive", keep)
    say(json.dumps(found))
    return found


def _archived_first(directory: Path, history: History) -> dict[str, Any]:
    """Stores the first part of the history, which is archived once the server starts."""
    first = history.events // 10
    with run(directory) as engine:
        found = fill(engine.url, history, 0, first)
    return {"events": first, "fill": found[-1]}


def _filled(engine: EmbeddedEngine, kept: Path, history: History, keep: int) -> dict[str, Any]:
    """Stores the rest, and all of it in the other store, side by side."""
    first = history.events // 10
    with run(kept) as other:
        with filling(other.url, history) as in_memory:
            begun = time.monotonic()
            marks = fill(engine.url, history, first, history.events, most=keep + first // 2)
            seconds = time.monotonic() - begun
        behind = until_archived(engine.url)
        digest = rows_digest(other.url)
    until_trimmed(engine.url, keep)
    return {
        "marks": marks,
        "in_memory": in_memory,
        "fill_seconds": seconds,
        "behind_seconds": behind,
        "megabytes_at_the_end": megabytes(engine.url),
        "rows_digest_in_memory": digest,
        "rows_digest": rows_digest(engine.url),
    }


def _read(port: int, history: History, keep: int) -> dict[str, Any]:
    """What reads over HTTP find, and how long they take."""
    with reader(port, history) as each:
        before = history.events - 2 * keep
        old = each.old_versions(OLD_VERSIONS, before)
        say(f"an old version: {old}")
        compared = each.compared(READS)
        say(f"compared: {compared}")
    lines = caught_up(port)
    say(f"JSON lines from the start: {lines}")
    return {"old_version": old, "compared": compared, "lines": lines}


def _size(archive: Path, history: History) -> dict[str, Any]:
    """Bytes of what the newest manifest names."""
    newest = max((archive / "manifests").iterdir())
    manifest = json.loads(newest.read_text())
    sizes = {
        kind: sum(each["bytes"] for each in manifest[kind]) for kind in ("segments", "indexes")
    }
    counts = {f"number_of_{kind}": len(manifest[kind]) for kind in sizes}
    return {
        "bytes_an_event": {kind: size / history.events for kind, size in sizes.items()},
        **counts,
        "manifests": int(newest.stem),
    }


def _restored(archive: Path, keep: int) -> dict[str, Any]:
    """A new store from the archive alone, and what it has."""
    with tempfile.TemporaryDirectory(prefix="restored-") as directory:
        words = (*COMMAND, "restore", "--from", str(archive), "--data-dir", directory)
        with engine_in_a_new_directory() as another:  # the waits of whoever uses that one
            keeping = {"ITEMSTORE_KEEP_EVENTS": str(keep)}
            found = asdict(measured("restore", another, *words, environment=keeping))
        with run(Path(directory)) as engine, Redis.from_url(engine.url) as redis:
            return found | {
                "rows_digest": rows_digest(engine.url),
                "in_engine": redis.xlen(Keys().events),
            }


def in_bucket(history: History, keep: int = 1_000) -> list[dict[str, Any]]:
    """How long an old version takes from a bucket, with no cache and with one."""
    found = []
    with bucket() as server, tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        options = ("--data-dir", directory, "--keep-events", str(keep), "--archive-seconds", "1")
        with serving(*options, environment=server.environment), attach(Path(directory)) as engine:
            fill(engine.url, history, 0, history.events)
            until_archived(engine.url)
            until_trimmed(engine.url, keep)
        for cache in (0, 64 << 20):
            with (
                serving(
                    *options, "--archive-cache", str(cache), environment=server.environment
                ) as port,
                reader(port, history) as each,
            ):
                each.old_versions(OLD_VERSIONS // 5, history.events - 2 * keep)
                old = each.old_versions(OLD_VERSIONS // 2, history.events - 2 * keep)
                say(f"an old version from a bucket, {cache} bytes of cache: {old}")
                found.append({"cache": cache, **old})
    return found


@contextmanager
def serving(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of `itemstore serve`, for the block."""
    port = free_port()
    command = serve_command(HERE, port, 1, *options)
    with answering(command, port, HERE, environment, is_silent=True):
        yield port


if __name__ == "__main__":
    main()
